//! More time for one organisation's return: asked for, given up to a day, or refused.

use access::ActorId;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::{BigInt, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::actors::{columns_of, id_of};
use crate::cycles::{ROUND, Round, RoundRow};
use crate::explanations::By;
use crate::statement::statement;
use crate::{Conn, DbError, Tx};

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
    pub decision: Option<ExtensionDecision>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionDecision {
    /// The last day in time; `None`: it was refused.
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

/// Gives time up to and on a day, or refuses it; false where it was decided before.
pub async fn decide(
    tx: &mut Tx,
    extension: &Extension,
    due_on: Option<NaiveDate>,
    reason: &str,
    by: By<'_>,
) -> Result<bool, DbError> {
    let (by_kind, by_id) = columns_of(by.id);
    let n_added = statement(
        "INSERT INTO extension_decision (extension_id, organisation, obligation_id, due_on, reason, by_kind, by_id, by_name)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (extension_id) DO NOTHING",
    )
    .bind::<SqlUuid, _>(extension.id)
    .bind::<Text, _>(&extension.organisation)
    .bind::<BigInt, _>(extension.obligation_id)
    .bind::<Nullable<Date>, _>(due_on)
    .bind::<Text, _>(reason)
    .bind::<Nullable<Text>, _>(by_kind)
    .bind::<Nullable<SqlUuid>, _>(by_id)
    .bind::<Text, _>(by.name)
    .execute(tx.connection())
    .await?;
    Ok(n_added == 1)
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
    #[diesel(sql_type = Nullable<Date>)]
    given_until: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Text>)]
    decision_reason: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    decided_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    decided_by: Option<String>,
}

impl TryFrom<Row> for Extension {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        let decided = row.decision_reason.zip(row.decided_at).zip(row.decided_by);
        Ok(Extension {
            by: id_of(Some(&row.by_kind), row.by_id)?,
            id: row.id,
            organisation: row.organisation,
            organisation_name: row.organisation_name,
            obligation_id: row.obligation_id,
            round: row.round.try_into()?,
            asked_until: row.asked_until,
            reason: row.reason,
            at: row.at,
            by_name: row.by_name,
            decision: decided.map(|((reason, at), by_name)| ExtensionDecision {
                due_on: row.given_until,
                reason,
                at,
                by_name,
            }),
        })
    }
}

/// The statement that reads requests, a [`Row`] each; `rest` says which.
fn select(rest: &str) -> String {
    format!(
        "SELECT e.id, e.organisation, g.name AS organisation_name, e.obligation_id, {ROUND},
                e.asked_until, e.reason, e.at, e.by_kind, e.by_id, e.by_name,
                d.due_on AS given_until, d.reason AS decision_reason, d.at AS decided_at, d.by_name AS decided_by
         FROM extension e
         JOIN organisation g ON g.code = e.organisation
         JOIN obligation o ON o.id = e.obligation_id
         JOIN cycle c ON c.id = o.cycle_id
         JOIN return_version v ON v.return_id = c.return_id AND v.version = c.version
         LEFT JOIN extension_decision d ON d.extension_id = e.id
         {rest}"
    )
}

pub async fn find(conn: &mut Conn, id: Uuid) -> Result<Option<Extension>, DbError> {
    let row: Option<Row> = statement(select("WHERE e.id = $1"))
        .bind::<SqlUuid, _>(id)
        .get_result(conn.connection())
        .await
        .optional()?;
    row.map(Extension::try_from).transpose()
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
         ORDER BY d.at IS NOT NULL, e.at DESC, e.id",
    ))
    .bind::<Text, _>(return_id)
    .bind::<Text, _>(period_label)
    .bind::<Nullable<Text>, _>(organisation)
    .load(conn.connection())
    .await?;
    rows.into_iter().map(Extension::try_from).collect()
}

/// Those that nobody has decided on, the oldest first.
pub async fn undecided(conn: &mut Conn) -> Result<Vec<Extension>, DbError> {
    let rows: Vec<Row> = statement(select("WHERE d.extension_id IS NULL ORDER BY e.at, e.id"))
        .load(conn.connection())
        .await?;
    rows.into_iter().map(Extension::try_from).collect()
}
