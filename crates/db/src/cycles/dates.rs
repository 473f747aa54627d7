//! Facts about rounds and obligations: days, cancellations, and who need not answer. They are added and never changed.

use chrono::{DateTime, NaiveDate, Utc};
use cycle::{Certainty, DateFact, DateKind, PlannedDate};
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;

use super::{ROUND, Round, RoundRow};
use crate::actors::columns_of;
use crate::explanations::By;
use crate::statement::statement;
use crate::{Conn, DbError, Tx};

/// A round by its number, for whoever changes it: nobody else does until the transaction is over.
pub async fn lock(
    tx: &mut Tx,
    return_id: &str,
    period_label: &str,
) -> Result<Option<(i64, Round)>, DbError> {
    by_name(tx, return_id, period_label, "FOR UPDATE OF c").await
}

pub async fn find(
    conn: &mut Conn,
    return_id: &str,
    period_label: &str,
) -> Result<Option<(i64, Round)>, DbError> {
    by_name(conn, return_id, period_label, "").await
}

#[derive(QueryableByName)]
struct NumberedRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(embed)]
    round: RoundRow,
}

impl NumberedRow {
    fn numbered(self) -> Result<(i64, Round), DbError> {
        Ok((self.id, self.round.try_into()?))
    }
}

async fn by_name(
    conn: &mut Conn,
    return_id: &str,
    period_label: &str,
    locking: &str,
) -> Result<Option<(i64, Round)>, DbError> {
    let row: Option<NumberedRow> = statement(format!(
        "SELECT c.id, {ROUND}
         FROM cycle c JOIN return_version v ON v.return_id = c.return_id AND v.version = c.version
         WHERE c.return_id = $1 AND c.period_label = $2 {locking}"
    ))
    .bind::<Text, _>(return_id)
    .bind::<Text, _>(period_label)
    .get_result(conn.connection())
    .await
    .optional()?;
    row.map(NumberedRow::numbered).transpose()
}

/// Which rounds, by two days that are both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// They are due between them.
    Due,
    /// One of their days was between them at any time.
    AnyDay,
}

/// The rounds of every return, by the day they are due.
pub async fn between(
    conn: &mut Conn,
    which: Between,
    (from, until): (NaiveDate, NaiveDate),
) -> Result<Vec<(i64, Round)>, DbError> {
    let wanted = match which {
        Between::Due => "c.due_on BETWEEN $1 AND $2",
        Between::AnyDay => {
            "c.id IN (SELECT cycle_id FROM cycle_date WHERE on_day BETWEEN $1 AND $2)"
        }
    };
    let rows: Vec<NumberedRow> = statement(format!(
        "SELECT c.id, {ROUND}
         FROM cycle c JOIN return_version v ON v.return_id = c.return_id AND v.version = c.version
         WHERE {wanted} ORDER BY c.due_on, v.title, c.id"
    ))
    .bind::<Date, _>(from)
    .bind::<Date, _>(until)
    .load(conn.connection())
    .await?;
    rows.into_iter().map(NumberedRow::numbered).collect()
}

#[derive(QueryableByName)]
struct SpanRow {
    #[diesel(sql_type = Nullable<Date>)]
    first: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Date>)]
    last: Option<NaiveDate>,
}

/// The first and the last day of all rounds, of the days that count; `None` where there is no round.
pub async fn span(conn: &mut Conn) -> Result<Option<(NaiveDate, NaiveDate)>, DbError> {
    let row: SpanRow = statement(
        "SELECT min(on_day) AS first, max(on_day) AS last FROM (
            (SELECT DISTINCT ON (cycle_id, kind) on_day FROM cycle_date ORDER BY cycle_id, kind, id DESC)
            UNION ALL SELECT opens_on FROM cycle UNION ALL SELECT due_on FROM cycle
         ) days",
    )
    .get_result(conn.connection())
    .await?;
    Ok(row.first.zip(row.last))
}

/// A return's newest round that is over on a day: its closing day, or where none is set the day it is due, is past.
pub async fn newest_over(
    conn: &mut Conn,
    return_id: &str,
    today: NaiveDate,
) -> Result<Option<Round>, DbError> {
    let row: Option<NumberedRow> = statement(format!(
        "SELECT c.id, {ROUND}
         FROM cycle c JOIN return_version v ON v.return_id = c.return_id AND v.version = c.version
         WHERE c.return_id = $1 AND NOT c.is_cancelled AND coalesce(c.closes_on, c.due_on) < $2
         ORDER BY c.period_end DESC, c.id DESC LIMIT 1"
    ))
    .bind::<Text, _>(return_id)
    .bind::<Date, _>(today)
    .get_result(conn.connection())
    .await
    .optional()?;
    row.map(|row| row.round.try_into()).transpose()
}

/// Sets days, all at once.
pub async fn add(
    tx: &mut Tx,
    cycle_id: i64,
    dates: &[PlannedDate],
    (source, reason): (Option<&str>, &str),
    by: By<'_>,
) -> Result<(), DbError> {
    let (by_kind, by_id) = columns_of(by.id);
    let kinds: Vec<&str> = dates.iter().map(|date| date.kind.as_str()).collect();
    let days: Vec<NaiveDate> = dates.iter().map(|date| date.on).collect();
    let certainties: Vec<&str> = dates.iter().map(|date| date.certainty.as_str()).collect();
    let meant: Vec<Option<NaiveDate>> = dates.iter().map(|date| date.instead_of).collect();
    statement(
        "INSERT INTO cycle_date
            (cycle_id, kind, on_day, certainty, instead_of, source, reason, by_kind, by_id, by_name)
         SELECT $1, d.kind, d.on_day, d.certainty, d.instead_of, $6, $7, $8, $9, $10
         FROM unnest($2, $3, $4, $5) AS d (kind, on_day, certainty, instead_of)",
    )
    .bind::<BigInt, _>(cycle_id)
    .bind::<Array<Text>, _>(&kinds)
    .bind::<Array<Date>, _>(&days)
    .bind::<Array<Text>, _>(&certainties)
    .bind::<Array<Nullable<Date>>, _>(&meant)
    .bind::<Nullable<Text>, _>(source)
    .bind::<Text, _>(reason)
    .bind::<Nullable<Text>, _>(by_kind)
    .bind::<Nullable<SqlUuid>, _>(by_id)
    .bind::<Text, _>(by.name)
    .execute(tx.connection())
    .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct DateRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    cycle_id: i64,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Date)]
    on_day: NaiveDate,
    #[diesel(sql_type = Text)]
    certainty: String,
    #[diesel(sql_type = Nullable<Date>)]
    instead_of: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Text>)]
    source: Option<String>,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    by_name: String,
}

impl DateRow {
    fn fact(self) -> Result<DateFact, DbError> {
        let (kind, certainty) = (
            DateKind::parse(&self.kind),
            Certainty::parse(&self.certainty),
        );
        let (Some(kind), Some(certainty)) = (kind, certainty) else {
            return Err(DbError::stored(format!(
                "date {} {}",
                self.kind, self.certainty
            )));
        };
        Ok(DateFact {
            id: self.id,
            date: PlannedDate {
                instead_of: self.instead_of,
                ..PlannedDate::new(kind, self.on_day, certainty)
            },
            source: self.source,
            reason: self.reason,
            at: self.at,
            by_name: self.by_name,
        })
    }
}

/// Every day that was ever set in some rounds, each with its round's number, in the order in which they were set.
pub async fn histories(conn: &mut Conn, cycles: &[i64]) -> Result<Vec<(i64, DateFact)>, DbError> {
    let rows: Vec<DateRow> = statement(
        "SELECT id, cycle_id, kind, on_day, certainty, instead_of, source, reason, at, by_name
         FROM cycle_date WHERE cycle_id = ANY ($1) ORDER BY id",
    )
    .bind::<Array<BigInt>, _>(cycles)
    .load(conn.connection())
    .await?;
    rows.into_iter()
        .map(|row| Ok((row.cycle_id, row.fact()?)))
        .collect()
}

/// Every day that was ever set in a round, in the order in which they were set.
pub async fn history(conn: &mut Conn, cycle_id: i64) -> Result<Vec<DateFact>, DbError> {
    let all = histories(conn, &[cycle_id]).await?;
    Ok(all.into_iter().map(|(_, fact)| fact).collect())
}

/// That a round was cancelled or is to take place, or that one organisation's answer is wanted or not.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Said {
    /// Cancelled; or required.
    #[diesel(sql_type = Bool)]
    pub so: bool,
    #[diesel(sql_type = Text)]
    pub reason: String,
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub by_name: String,
}

pub async fn cancel(
    tx: &mut Tx,
    cycle_id: i64,
    is_cancelled: bool,
    reason: &str,
    by: By<'_>,
) -> Result<(), DbError> {
    let (by_kind, by_id) = columns_of(by.id);
    statement(
        "INSERT INTO cycle_cancellation (cycle_id, is_cancelled, reason, by_kind, by_id, by_name)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind::<BigInt, _>(cycle_id)
    .bind::<Bool, _>(is_cancelled)
    .bind::<Text, _>(reason)
    .bind::<Nullable<Text>, _>(by_kind)
    .bind::<Nullable<SqlUuid>, _>(by_id)
    .bind::<Text, _>(by.name)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Whether a round takes place, as often as it was said.
pub async fn cancellations(conn: &mut Conn, cycle_id: i64) -> Result<Vec<Said>, DbError> {
    Ok(statement(
        "SELECT is_cancelled AS so, reason, at, by_name FROM cycle_cancellation WHERE cycle_id = $1 ORDER BY id",
    )
    .bind::<BigInt, _>(cycle_id)
    .load(conn.connection())
    .await?)
}

pub async fn require(
    tx: &mut Tx,
    (obligation_id, organisation): (i64, &str),
    is_required: bool,
    reason: &str,
    by: By<'_>,
) -> Result<(), DbError> {
    let (by_kind, by_id) = columns_of(by.id);
    statement(
        "INSERT INTO obligation_requirement (obligation_id, organisation, is_required, reason, by_kind, by_id, by_name)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind::<BigInt, _>(obligation_id)
    .bind::<Text, _>(organisation)
    .bind::<Bool, _>(is_required)
    .bind::<Text, _>(reason)
    .bind::<Nullable<Text>, _>(by_kind)
    .bind::<Nullable<SqlUuid>, _>(by_id)
    .bind::<Text, _>(by.name)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Whether an organisation's answer is wanted, as often as it was said.
pub async fn requirements(conn: &mut Conn, obligation_id: i64) -> Result<Vec<Said>, DbError> {
    Ok(statement(
        "SELECT is_required AS so, reason, at, by_name FROM obligation_requirement WHERE obligation_id = $1 ORDER BY id",
    )
    .bind::<BigInt, _>(obligation_id)
    .load(conn.connection())
    .await?)
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// An organisation's duty in a round, which is made where there is none; `None` where the organisation is not known.
pub async fn oblige_one(
    tx: &mut Tx,
    cycle_id: i64,
    organisation: &str,
) -> Result<Option<i64>, DbError> {
    statement(
        "INSERT INTO obligation (cycle_id, organisation)
         SELECT $1, code FROM organisation WHERE code = $2 ON CONFLICT DO NOTHING",
    )
    .bind::<BigInt, _>(cycle_id)
    .bind::<Text, _>(organisation)
    .execute(tx.connection())
    .await?;
    let row: Option<Id> =
        statement("SELECT id FROM obligation WHERE cycle_id = $1 AND organisation = $2")
            .bind::<BigInt, _>(cycle_id)
            .bind::<Text, _>(organisation)
            .get_result(tx.connection())
            .await
            .optional()?;
    Ok(row.map(|row| row.id))
}
