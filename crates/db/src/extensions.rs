//! More time for one organisation's return: asked for, given up to a day, or refused, and decided anew.

use std::collections::HashMap;

use access::ActorId;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{
    Array, BigInt, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::actors::{columns_of, id_of};
use crate::cycles::{ROUND, Round, RoundRow};
use crate::explanations::By;
use crate::statement::statement;
use crate::{Conn, DbError, Tx};

/// In a statement over obligations `o`: the day until which more time is given, and null where none is. What was decided
/// last on a request counts.
pub(crate) const GIVEN_UNTIL: &str =
    "(SELECT max(CASE WHEN a.ordinal IS NULL THEN d.due_on ELSE a.due_on END)
                FROM extension_decision d
                LEFT JOIN LATERAL (
                    SELECT ordinal, due_on FROM extension_decided_anew
                    WHERE extension_id = d.extension_id ORDER BY ordinal DESC LIMIT 1
                ) a ON true
                WHERE d.obligation_id = o.id)";

/// In a statement over all obligations `o`: whether one was given more time until a day of which `condition` holds. Few
/// were given any, and the others are not looked at one by one.
pub(crate) fn is_given_until(condition: &str) -> String {
    format!(
        "(o.id IN (SELECT obligation_id FROM extension_decision) AND {GIVEN_UNTIL} {condition})"
    )
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct NewExtension<'a> {
    pub id: Uuid,
    pub organisation: &'a str,
    pub obligation_id: i64,
    pub asked_until: NaiveDate,
    pub reason: &'a str,
    pub by: By<'a>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    pub id: Uuid,
    pub organisation: String,
    pub organisation_name: String,
    pub obligation_id: i64,
    pub round: Round,
    pub asked_until: NaiveDate,
    pub reason: String,
    pub at: DateTime<Utc>,
    pub by: Option<ActorId>,
    pub by_name: String,
    /// In their order; none while it waits.
    pub decisions: Vec<ExtensionDecision>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionDecision {
    /// The last day in time; `None`: no more time is given.
    pub due_on: Option<NaiveDate>,
    pub reason: String,
    pub at: DateTime<Utc>,
    pub by_name: String,
}

/// False where one of this number was asked for before.
pub async fn add(tx: &mut Tx, new: &NewExtension<'_>) -> Result<bool, DbError> {
    let (by_kind, by_id) = columns_of(new.by.id);
    let n_added = statement(
        "INSERT INTO extension (id, organisation, obligation_id, asked_until, reason, by_kind, by_id, by_name)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
    )
    .bind::<SqlUuid, _>(new.id)
    .bind::<Text, _>(new.organisation)
    .bind::<BigInt, _>(new.obligation_id)
    .bind::<Date, _>(new.asked_until)
    .bind::<Text, _>(new.reason)
    .bind::<Nullable<Text>, _>(by_kind)
    .bind::<Nullable<SqlUuid>, _>(by_id)
    .bind::<Text, _>(new.by.name)
    .execute(tx.connection())
    .await?;
    Ok(n_added == 1)
}

/// Gives time up to and on a day, or none; the decision that comes after those that the request has.
pub async fn decide(
    tx: &mut Tx,
    extension: &Extension,
    due_on: Option<NaiveDate>,
    reason: &str,
    by: By<'_>,
) -> Result<(), DbError> {
    let (by_kind, by_id) = columns_of(by.id);
    let n_before = i32::try_from(extension.decisions.len()).unwrap_or(i32::MAX);
    // The first is in a table of its own.
    let insert = match n_before {
        0 => {
            "INSERT INTO extension_decision
                (extension_id, organisation, obligation_id, due_on, reason, by_kind, by_id, by_name)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE $9 = 0"
        }
        _ => {
            "INSERT INTO extension_decided_anew
                (extension_id, organisation, obligation_id, due_on, reason, by_kind, by_id, by_name, ordinal)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9 + 1"
        }
    };
    statement(insert)
        .bind::<SqlUuid, _>(extension.id)
        .bind::<Text, _>(&extension.organisation)
        .bind::<BigInt, _>(extension.obligation_id)
        .bind::<Nullable<Date>, _>(due_on)
        .bind::<Text, _>(reason)
        .bind::<Nullable<Text>, _>(by_kind)
        .bind::<Nullable<SqlUuid>, _>(by_id)
        .bind::<Text, _>(by.name)
        .bind::<Integer, _>(n_before)
        .execute(tx.connection())
        .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    organisation: String,
    #[diesel(sql_type = Text)]
    organisation_name: String,
    #[diesel(sql_type = BigInt)]
    obligation_id: i64,
    #[diesel(embed)]
    round: RoundRow,
    #[diesel(sql_type = Date)]
    asked_until: NaiveDate,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    by_kind: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    by_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    by_name: String,
}

#[derive(QueryableByName)]
struct DecisionRow {
    #[diesel(sql_type = SqlUuid)]
    extension_id: Uuid,
    #[diesel(sql_type = Nullable<Date>)]
    due_on: Option<NaiveDate>,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    by_name: String,
}

/// The statement that reads requests, a [`Row`] each; `rest` says which.
fn select(rest: &str) -> String {
    format!(
        "SELECT e.id, e.organisation, g.name AS organisation_name, e.obligation_id, {ROUND},
                e.asked_until, e.reason, e.at, e.by_kind, e.by_id, e.by_name
         FROM extension e
         JOIN organisation g ON g.code = e.organisation
         JOIN obligation o ON o.id = e.obligation_id
         JOIN cycle c ON c.id = o.cycle_id
         JOIN return_version v ON v.return_id = c.return_id AND v.version = c.version
         {rest}"
    )
}

async fn with_decisions(conn: &mut Conn, rows: Vec<Row>) -> Result<Vec<Extension>, DbError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let made: Vec<DecisionRow> = statement(
        "SELECT extension_id, due_on, reason, at, by_name FROM (
            SELECT extension_id, 1 AS ordinal, due_on, reason, at, by_name FROM extension_decision
            UNION ALL SELECT extension_id, ordinal, due_on, reason, at, by_name FROM extension_decided_anew
         ) d WHERE extension_id = ANY ($1) ORDER BY extension_id, ordinal",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn.connection())
    .await?;
    let mut decisions: HashMap<Uuid, Vec<ExtensionDecision>> = HashMap::new();
    for row in made {
        let of_it = decisions.entry(row.extension_id).or_default();
        of_it.push(ExtensionDecision {
            due_on: row.due_on,
            reason: row.reason,
            at: row.at,
            by_name: row.by_name,
        });
    }
    rows.into_iter()
        .map(|row| {
            Ok(Extension {
                by: id_of(Some(&row.by_kind), row.by_id)?,
                decisions: decisions.remove(&row.id).unwrap_or_default(),
                id: row.id,
                organisation: row.organisation,
                organisation_name: row.organisation_name,
                obligation_id: row.obligation_id,
                round: row.round.try_into()?,
                asked_until: row.asked_until,
                reason: row.reason,
                at: row.at,
                by_name: row.by_name,
            })
        })
        .collect()
}

pub async fn find(conn: &mut Conn, id: Uuid) -> Result<Option<Extension>, DbError> {
    let rows: Vec<Row> = statement(select("WHERE e.id = $1"))
        .bind::<SqlUuid, _>(id)
        .load(conn.connection())
        .await?;
    Ok(with_decisions(conn, rows).await?.pop())
}

/// Of a round, or of one organisation's return in it; those to decide first, then the newest.
pub async fn of_round(
    conn: &mut Conn,
    return_id: &str,
    period_label: &str,
    organisation: Option<&str>,
) -> Result<Vec<Extension>, DbError> {
    let rows: Vec<Row> = statement(select(
        "WHERE c.return_id = $1 AND c.period_label = $2 AND ($3 IS NULL OR e.organisation = $3)
         ORDER BY EXISTS (SELECT FROM extension_decision d WHERE d.extension_id = e.id), e.at DESC, e.id",
    ))
    .bind::<Text, _>(return_id)
    .bind::<Text, _>(period_label)
    .bind::<Nullable<Text>, _>(organisation)
    .load(conn.connection())
    .await?;
    with_decisions(conn, rows).await
}

/// Those that nobody has decided on, the oldest first.
pub async fn undecided(conn: &mut Conn) -> Result<Vec<Extension>, DbError> {
    let rows: Vec<Row> = statement(select(
        "WHERE NOT EXISTS (SELECT FROM extension_decision d WHERE d.extension_id = e.id) ORDER BY e.at, e.id",
    ))
    .load(conn.connection())
    .await?;
    with_decisions(conn, rows).await
}
