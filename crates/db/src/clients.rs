//! Programs and their tokens, of which only hashes come here.

use access::Grant;
use chrono::{DateTime, Utc};
use diesel::sql_types::{Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::sessions::Digest;
use crate::statement::statement;
use crate::{Conn, DbError, Tx, people};

/// A program that may sign in, or could once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub id: Uuid,
    pub name: String,
    pub grant: Grant,
    pub made_at: DateTime<Utc>,
    /// Who is told before it ends; `None`: nobody, since the command line made it.
    pub made_by: Option<Uuid>,
    /// Theirs, where it may be seen.
    pub made_by_name: Option<String>,
    pub expires_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
    /// To the minute.
    pub used_at: Option<DateTime<Utc>>,
}

impl Client {
    pub fn is_good(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at > now
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Nullable<Text>)]
    organisation: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    return_id: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    made_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    made_by: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    made_by_name: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    expires_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    revoked_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    used_at: Option<DateTime<Utc>>,
}

const SELECT: &str =
    "SELECT c.id, c.name, c.role, c.organisation, c.return_id, c.made_at, c.made_by,
    p.name AS made_by_name, c.expires_at, c.revoked_at, c.used_at
    FROM client c LEFT JOIN person p ON p.id = c.made_by";

impl TryFrom<Row> for Client {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.id,
            name: row.name,
            grant: people::grant_of(&row.role, row.organisation, row.return_id)?,
            made_at: row.made_at,
            made_by: row.made_by,
            made_by_name: row.made_by_name,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            used_at: row.used_at,
        })
    }
}

/// The program of a token that is good now.
pub async fn of_token(
    conn: &mut Conn,
    token: Digest,
    now: DateTime<Utc>,
) -> Result<Option<Client>, DbError> {
    let row: Option<Row> = statement(format!(
        "{SELECT} WHERE c.token_sha256 = $1 AND c.expires_at > $2 AND c.revoked_at IS NULL"
    ))
    .bind::<Binary, _>(token.to_vec())
    .bind::<Timestamptz, _>(now)
    .get_result(conn.connection())
    .await
    .optional()?;
    row.map(Client::try_from).transpose()
}

pub async fn find(conn: &mut Conn, id: Uuid) -> Result<Option<Client>, DbError> {
    let row: Option<Row> = statement(format!("{SELECT} WHERE c.id = $1"))
        .bind::<SqlUuid, _>(id)
        .get_result(conn.connection())
        .await
        .optional()?;
    row.map(Client::try_from).transpose()
}

/// The newest first.
pub async fn list(conn: &mut Conn) -> Result<Vec<Client>, DbError> {
    let rows: Vec<Row> = statement(format!("{SELECT} ORDER BY c.made_at DESC, c.id DESC"))
        .load(conn.connection())
        .await?;
    rows.into_iter().map(Client::try_from).collect()
}

/// Those that somebody made and whose token is good now, the newest first.
pub async fn made_by(
    conn: &mut Conn,
    person_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Client>, DbError> {
    let rows: Vec<Row> = statement(format!(
        "{SELECT} WHERE c.made_by = $1 AND c.expires_at > $2 AND c.revoked_at IS NULL
         ORDER BY c.made_at DESC, c.id DESC"
    ))
    .bind::<SqlUuid, _>(person_id)
    .bind::<Timestamptz, _>(now)
    .load(conn.connection())
    .await?;
    rows.into_iter().map(Client::try_from).collect()
}

/// A program to add.
#[derive(Debug, Clone)]
pub struct NewClient<'a> {
    pub id: Uuid,
    pub name: &'a str,
    pub grant: &'a Grant,
    pub made_by: Option<Uuid>,
    pub expires_at: DateTime<Utc>,
}

/// False where there is one with its id.
pub async fn add(tx: &mut Tx, client: &NewClient<'_>, token: Digest) -> Result<bool, DbError> {
    let (organisation, return_id) = people::columns_of(&client.grant.reach);
    let n_added = statement(
        "INSERT INTO client (id, name, role, organisation, return_id, token_sha256, made_by, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
    )
    .bind::<SqlUuid, _>(client.id)
    .bind::<Text, _>(client.name)
    .bind::<Text, _>(client.grant.role.as_str())
    .bind::<Nullable<Text>, _>(organisation)
    .bind::<Nullable<Text>, _>(return_id)
    .bind::<Binary, _>(token.to_vec())
    .bind::<Nullable<SqlUuid>, _>(client.made_by)
    .bind::<Timestamptz, _>(client.expires_at)
    .execute(tx.connection())
    .await?;
    Ok(n_added == 1)
}

/// Writes down that its token was used.
pub async fn set_used(tx: &mut Tx, id: Uuid, at: DateTime<Utc>) -> Result<(), DbError> {
    statement("UPDATE client SET used_at = $2 WHERE id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<Timestamptz, _>(at)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Ends a token; false where it was ended before.
pub async fn revoke(tx: &mut Tx, id: Uuid, at: DateTime<Utc>) -> Result<bool, DbError> {
    let n_revoked =
        statement("UPDATE client SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL")
            .bind::<SqlUuid, _>(id)
            .bind::<Timestamptz, _>(at)
            .execute(tx.connection())
            .await?;
    Ok(n_revoked == 1)
}
