//! What an organisation and a return's team write to each other about a version.

use access::ActorId;
use chrono::{DateTime, Utc};
use diesel::sql_types::{Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::actors::{columns_of, id_of};
use crate::findings::without_nul;
use crate::statement::statement;
use crate::{Conn, DbError, Tx};

/// A message to keep.
#[derive(Debug, Clone)]
pub struct NewMessage<'a> {
    /// Of the form it was written in.
    pub id: Uuid,
    pub submission_id: Uuid,
    /// Whose version it is, by GSS code.
    pub organisation: &'a str,
    pub by: ActorId,
    pub by_name: &'a str,
    /// `None` for a return's team and the office.
    pub by_organisation: Option<&'a str>,
    pub text: &'a str,
}

/// Keeps a message; false where it is there already.
pub async fn add(tx: &mut Tx, new: &NewMessage<'_>) -> Result<bool, DbError> {
    let (by_kind, by_id) = columns_of(new.by);
    let n_added = statement(
        "INSERT INTO message (id, submission_id, organisation, by_kind, by_id, by_name, by_organisation, text)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
    )
    .bind::<SqlUuid, _>(new.id)
    .bind::<SqlUuid, _>(new.submission_id)
    .bind::<Text, _>(new.organisation)
    .bind::<Nullable<Text>, _>(by_kind)
    .bind::<Nullable<SqlUuid>, _>(by_id)
    .bind::<Text, _>(new.by_name)
    .bind::<Nullable<Text>, _>(new.by_organisation)
    .bind::<Text, _>(without_nul(new.text.to_owned()))
    .execute(tx.connection())
    .await?;
    Ok(n_added == 1)
}

/// A message as it is read.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Message {
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub by_name: String,
    /// `None` for a return's team and the office.
    #[diesel(sql_type = Nullable<Text>)]
    pub by_organisation: Option<String>,
    #[diesel(sql_type = Text)]
    pub text: String,
}

/// The messages about a version, oldest first.
pub async fn of_submission(conn: &mut Conn, submission_id: Uuid) -> Result<Vec<Message>, DbError> {
    Ok(statement(
        "SELECT at, by_name, by_organisation, text FROM message WHERE submission_id = $1 ORDER BY at, id",
    )
    .bind::<SqlUuid, _>(submission_id)
    .load(conn.connection())
    .await?)
}

/// Who wrote a message about what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    pub submission_id: Uuid,
    pub by: Option<ActorId>,
    pub by_name: String,
    /// `None` for a return's team and the office.
    pub by_organisation: Option<String>,
}

#[derive(QueryableByName)]
struct AuthorRow {
    #[diesel(sql_type = SqlUuid)]
    submission_id: Uuid,
    #[diesel(sql_type = Text)]
    by_kind: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    by_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    by_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    by_organisation: Option<String>,
}

impl TryFrom<AuthorRow> for Author {
    type Error = DbError;

    fn try_from(row: AuthorRow) -> Result<Self, DbError> {
        Ok(Author {
            submission_id: row.submission_id,
            by: id_of(Some(&row.by_kind), row.by_id)?,
            by_name: row.by_name,
            by_organisation: row.by_organisation,
        })
    }
}

/// The statement that reads authors; `rest` says whose messages.
fn select_authors(rest: &str) -> String {
    format!("SELECT submission_id, by_kind, by_id, by_name, by_organisation FROM message {rest}")
}

/// Who wrote a message.
pub async fn author(conn: &mut Conn, id: Uuid) -> Result<Option<Author>, DbError> {
    let row: Option<AuthorRow> = statement(select_authors("WHERE id = $1"))
        .bind::<SqlUuid, _>(id)
        .get_result(conn.connection())
        .await
        .optional()?;
    row.map(Author::try_from).transpose()
}

/// Who wrote about a version, a message each.
pub async fn authors(conn: &mut Conn, submission_id: Uuid) -> Result<Vec<Author>, DbError> {
    let rows: Vec<AuthorRow> =
        statement(select_authors("WHERE submission_id = $1 ORDER BY at, id"))
            .bind::<SqlUuid, _>(submission_id)
            .load(conn.connection())
            .await?;
    rows.into_iter().map(Author::try_from).collect()
}
