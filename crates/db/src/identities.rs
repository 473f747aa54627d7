//! Accounts at providers, and browsers that were sent there.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Binary, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::sessions::Digest;
use crate::statement::statement;
use crate::{Conn, DbError, Tx};

#[derive(QueryableByName)]
struct Whose {
    #[diesel(sql_type = SqlUuid)]
    person_id: Uuid,
}

/// Whose account it is, if it was signed in with before.
pub async fn find(conn: &mut Conn, issuer: &str, subject: &str) -> Result<Option<Uuid>, DbError> {
    let row: Option<Whose> =
        statement("SELECT person_id FROM identity WHERE issuer = $1 AND subject = $2")
            .bind::<Text, _>(issuer)
            .bind::<Text, _>(subject)
            .get_result(conn.connection())
            .await
            .optional()?;
    Ok(row.map(|row| row.person_id))
}

/// Takes an account for somebody's; false where they have another one at this provider, or it is somebody else's.
pub async fn add(
    tx: &mut Tx,
    issuer: &str,
    subject: &str,
    person_id: Uuid,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let n_added = statement(
        "INSERT INTO identity (issuer, subject, person_id, first_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(issuer)
    .bind::<Text, _>(subject)
    .bind::<SqlUuid, _>(person_id)
    .bind::<Timestamptz, _>(now)
    .execute(tx.connection())
    .await?;
    Ok(n_added == 1)
}

/// A browser that was sent to a provider.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Visit {
    #[diesel(sql_type = Text)]
    pub provider: String,
    #[diesel(sql_type = Text)]
    pub nonce: String,
    #[diesel(sql_type = Text)]
    pub verifier: String,
    #[diesel(sql_type = Timestamptz)]
    pub began_at: DateTime<Utc>,
}

/// Remembers a browser; those that went before a moment are forgotten.
pub async fn add_visit(
    tx: &mut Tx,
    token: Digest,
    visit: &Visit,
    forgotten_before: DateTime<Utc>,
) -> Result<(), DbError> {
    statement("DELETE FROM provider_visit WHERE began_at < $1")
        .bind::<Timestamptz, _>(forgotten_before)
        .execute(tx.connection())
        .await?;
    statement(
        "INSERT INTO provider_visit (token_sha256, provider, nonce, verifier, began_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind::<Binary, _>(token.to_vec())
    .bind::<Text, _>(&visit.provider)
    .bind::<Text, _>(&visit.nonce)
    .bind::<Text, _>(&visit.verifier)
    .bind::<Timestamptz, _>(visit.began_at)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// What was remembered of a browser that is back, this once.
pub async fn take_visit(tx: &mut Tx, token: Digest) -> Result<Option<Visit>, DbError> {
    Ok(statement(
        "DELETE FROM provider_visit WHERE token_sha256 = $1 RETURNING provider, nonce, verifier, began_at",
    )
    .bind::<Binary, _>(token.to_vec())
    .get_result(tx.connection())
    .await
    .optional()?)
}
