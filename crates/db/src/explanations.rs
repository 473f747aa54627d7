//! What was said about queries, by the findings' keys.

use access::ActorId;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::actors::columns_of;
use crate::statement::statement;
use crate::{Conn, DbError, Tx};

/// Of which queries of a version.
#[derive(Debug, Clone, Copy)]
pub struct Of<'a> {
    pub submission_id: Uuid,
    pub rule: &'a str,
    /// `None`: of all that the check found.
    pub keys: Option<&'a [String]>,
}

/// Who says it.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    pub id: ActorId,
    pub name: &'a str,
}

/// What was said about one record.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Explanation {
    #[diesel(sql_type = Text)]
    pub key: String,
    #[diesel(sql_type = Text)]
    pub text: String,
    /// The period's label.
    #[diesel(sql_type = Text)]
    pub period: String,
    #[diesel(sql_type = Text)]
    pub by_name: String,
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// The queries that are meant, and what was last said about each in this period.
const QUERIES: &str = "
    queried AS (
        SELECT DISTINCT f.key, s.organisation, s.obligation_id, c.return_id, c.period_end
        FROM finding f
        JOIN submission s ON s.id = f.submission_id
        JOIN obligation o ON o.id = s.obligation_id
        JOIN cycle c ON c.id = o.cycle_id
        WHERE f.submission_id = $1 AND f.rule = $2 AND f.severity = 'query' AND f.key IS NOT NULL
          AND ($3 IS NULL OR f.key = ANY ($3))
    ),
    newest AS (
        SELECT DISTINCT ON (e.key) e.key, e.text
        FROM explanation e JOIN queried q ON q.key = e.key AND q.obligation_id = e.obligation_id
        ORDER BY e.key, e.id DESC
    )";

/// How many queries are meant.
pub async fn n_meant(conn: &mut Conn, of: Of<'_>) -> Result<u64, DbError> {
    let count: Count = statement(format!("WITH {QUERIES} SELECT count(*) AS n FROM queried"))
        .bind::<SqlUuid, _>(of.submission_id)
        .bind::<Text, _>(of.rule)
        .bind::<Nullable<Array<Text>>, _>(of.keys)
        .get_result(conn.connection())
        .await?;
    Ok(count.n.unsigned_abs())
}

/// Says the same of all of them, but for those of which it was said last; gives how many it was said of.
pub async fn add(tx: &mut Tx, of: Of<'_>, text: &str, by: By<'_>) -> Result<u64, DbError> {
    let (by_kind, by_id) = columns_of(by.id);
    let n_added = statement(format!(
        "WITH {QUERIES}
         INSERT INTO explanation (organisation, obligation_id, return_id, rule, key, text, submission_id, by_kind, by_id, by_name)
         SELECT q.organisation, q.obligation_id, q.return_id, $2, q.key, $4, $1, $5, $6, $7
         FROM queried q LEFT JOIN newest n ON n.key = q.key
         WHERE n.text IS DISTINCT FROM $4"
    ))
    .bind::<SqlUuid, _>(of.submission_id)
    .bind::<Text, _>(of.rule)
    .bind::<Nullable<Array<Text>>, _>(of.keys)
    .bind::<Text, _>(text)
    .bind::<Nullable<Text>, _>(by_kind)
    .bind::<Nullable<SqlUuid>, _>(by_id)
    .bind::<Text, _>(by.name)
    .execute(tx.connection())
    .await?;
    Ok(n_added as u64)
}

/// Says of each what was said of it in the last period before in which anything was; not where something was said in this one.
pub async fn add_as_before(tx: &mut Tx, of: Of<'_>, by: By<'_>) -> Result<u64, DbError> {
    let (by_kind, by_id) = columns_of(by.id);
    let n_added = statement(format!(
        "WITH {QUERIES}
         INSERT INTO explanation (organisation, obligation_id, return_id, rule, key, text, submission_id, by_kind, by_id, by_name)
         SELECT q.organisation, q.obligation_id, q.return_id, $2, q.key, before.text, $1, $4, $5, $6
         FROM queried q
         JOIN LATERAL (
            SELECT e.text FROM explanation e
            JOIN obligation o ON o.id = e.obligation_id
            JOIN cycle c ON c.id = o.cycle_id
            WHERE e.organisation = q.organisation AND e.return_id = q.return_id AND e.key = q.key
              AND c.period_end < q.period_end
            ORDER BY c.period_end DESC, e.id DESC LIMIT 1
         ) before ON true
         WHERE q.key NOT IN (SELECT key FROM newest)"
    ))
    .bind::<SqlUuid, _>(of.submission_id)
    .bind::<Text, _>(of.rule)
    .bind::<Nullable<Array<Text>>, _>(of.keys)
    .bind::<Nullable<Text>, _>(by_kind)
    .bind::<Nullable<SqlUuid>, _>(by_id)
    .bind::<Text, _>(by.name)
    .execute(tx.connection())
    .await?;
    Ok(n_added as u64)
}

/// What counts of what was said about records in a version's period; of one that is signed off, what was said by then.
pub async fn of_records(
    conn: &mut Conn,
    submission_id: Uuid,
    keys: &[String],
) -> Result<Vec<Explanation>, DbError> {
    Ok(statement(
        "SELECT DISTINCT ON (e.key) e.key, e.text, c.period_label AS period, e.by_name, e.at
         FROM explanation e
         JOIN submission s ON s.obligation_id = e.obligation_id
         JOIN obligation o ON o.id = e.obligation_id
         JOIN cycle c ON c.id = o.cycle_id
         LEFT JOIN handover h ON h.submission_id = s.id AND h.verb = 'sign_off'
         WHERE s.id = $1 AND e.key = ANY ($2) AND (h.at IS NULL OR e.at <= h.at)
         ORDER BY e.key, e.id DESC",
    )
    .bind::<SqlUuid, _>(submission_id)
    .bind::<Array<Text>, _>(keys)
    .load(conn.connection())
    .await?)
}

/// What was said last about records in a period before a version's.
pub async fn before(
    conn: &mut Conn,
    submission_id: Uuid,
    keys: &[String],
) -> Result<Vec<Explanation>, DbError> {
    Ok(statement(
        "SELECT DISTINCT ON (e.key) e.key, e.text, c.period_label AS period, e.by_name, e.at
         FROM submission s
         JOIN obligation own ON own.id = s.obligation_id
         JOIN cycle now ON now.id = own.cycle_id
         JOIN explanation e ON e.organisation = s.organisation AND e.return_id = now.return_id AND e.key = ANY ($2)
         JOIN obligation o ON o.id = e.obligation_id
         JOIN cycle c ON c.id = o.cycle_id AND c.period_end < now.period_end
         WHERE s.id = $1
         ORDER BY e.key, c.period_end DESC, e.id DESC",
    )
    .bind::<SqlUuid, _>(submission_id)
    .bind::<Array<Text>, _>(keys)
    .load(conn.connection())
    .await?)
}

/// Queries of one check that are still to be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unexplained {
    pub rule: String,
    pub n: u64,
}

#[derive(QueryableByName)]
struct UnexplainedRow {
    #[diesel(sql_type = Text)]
    rule: String,
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// By check: the queries of a version that have neither an explanation nor a waiver that holds on a day.
pub async fn unexplained(
    conn: &mut Conn,
    submission_id: Uuid,
    on: NaiveDate,
) -> Result<Vec<Unexplained>, DbError> {
    let rows: Vec<UnexplainedRow> = statement(
        "SELECT f.rule, count(*) AS n
         FROM finding f
         JOIN submission s ON s.id = f.submission_id
         JOIN obligation o ON o.id = s.obligation_id
         JOIN cycle c ON c.id = o.cycle_id
         WHERE f.submission_id = $1 AND f.severity = 'query'
           AND NOT EXISTS (SELECT FROM explanation e WHERE e.obligation_id = s.obligation_id AND e.key = f.key)
           AND NOT EXISTS (
            SELECT FROM waiver w JOIN waiver_decision d ON d.waiver_id = w.id
            WHERE w.organisation = s.organisation AND w.return_id = c.return_id AND w.rule = f.rule
              AND (w.key IS NULL OR w.key = f.key) AND d.ends_on >= $2
              AND NOT EXISTS (SELECT FROM waiver_revocation v WHERE v.waiver_id = w.id))
         GROUP BY f.rule ORDER BY f.rule",
    )
    .bind::<SqlUuid, _>(submission_id)
    .bind::<Date, _>(on)
    .load(conn.connection())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Unexplained {
            rule: row.rule,
            n: row.n.unsigned_abs(),
        })
        .collect())
}
