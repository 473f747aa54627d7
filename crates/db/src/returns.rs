//! Published versions of returns.

use diesel::sql_types::{Jsonb, Text};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use serde_json::json;
use spec::{PeriodKind, ReturnSpec};

use crate::statement::statement;
use crate::{Conn, DbError, Tx};

#[derive(QueryableByName)]
struct Hash {
    #[diesel(sql_type = Text)]
    spec_hash: String,
}

/// The hash a version was published with.
pub async fn published_hash(
    conn: &mut Conn,
    return_id: &str,
    version: &str,
) -> Result<Option<String>, DbError> {
    let row: Option<Hash> =
        statement("SELECT spec_hash FROM return_version WHERE return_id = $1 AND version = $2")
            .bind::<Text, _>(return_id)
            .bind::<Text, _>(version)
            .get_result(conn.connection())
            .await
            .optional()?;
    Ok(row.map(|row| row.spec_hash))
}

/// Stores a version's facts; a version that is there already is left as it is.
pub async fn publish(tx: &mut Tx, spec: &ReturnSpec) -> Result<(), DbError> {
    let facts = json!({
        "acronym": spec.acronym,
        "summary": spec.summary,
        "owner": spec.owner,
        "respondents": spec.respondents,
        "period_kind": spec.period_kind,
        "accumulation": spec.accumulation,
        "sensitivity": spec.sensitivity,
        "facts": spec.facts,
        "sources": spec.sources,
        "tables": spec.tables.iter().map(|table| json!({
            "name": table.name,
            "title": table.title,
            "keys": table.keys,
            "items": table.items.iter().map(|item| json!({"name": item.name, "title": item.title})).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    });
    statement(
        "INSERT INTO return_version (return_id, version, title, spec_hash, facts) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(&spec.id)
    .bind::<Text, _>(&spec.version)
    .bind::<Text, _>(&spec.title)
    .bind::<Text, _>(&spec.hash)
    .bind::<Jsonb, _>(facts)
    .execute(tx.connection())
    .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Personal {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    personal: bool,
}

/// Whether a published version of a return asks for personal data; where it does not say, it does.
pub async fn has_personal_data(
    conn: &mut Conn,
    return_id: &str,
    version: &str,
) -> Result<bool, DbError> {
    let row: Option<Personal> = statement(
        "SELECT coalesce((facts #>> '{sensitivity,personal_data}')::boolean, true) AS personal
         FROM return_version WHERE return_id = $1 AND version = $2",
    )
    .bind::<Text, _>(return_id)
    .bind::<Text, _>(version)
    .get_result(conn.connection())
    .await
    .optional()?;
    Ok(row.is_none_or(|row| row.personal))
}

/// Lets one publisher at a time through until its transaction ends.
pub async fn lock_publishing(tx: &mut Tx) -> Result<(), DbError> {
    statement("SELECT pg_advisory_xact_lock(hashtext('lgdp publish returns'))")
        .execute(tx.connection())
        .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Exists {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    exists: bool,
}

/// Whether any version of a return is published.
pub async fn is_known(conn: &mut Conn, return_id: &str) -> Result<bool, DbError> {
    let row: Exists =
        statement("SELECT EXISTS (SELECT FROM return_version WHERE return_id = $1) AS exists")
            .bind::<Text, _>(return_id)
            .get_result(conn.connection())
            .await?;
    Ok(row.exists)
}

/// The period kind of the word that is stored.
pub(crate) fn period_kind_of(word: &str) -> Result<PeriodKind, DbError> {
    serde_json::from_value(word.into()).map_err(DbError::stored)
}
