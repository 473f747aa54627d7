//! Which submission of an obligation stands, now or when another one was assessed.

use chrono::NaiveDate;
use diesel::sql_types::{BigInt, Bool, Date, Nullable, Text, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use spec::OtherPeriod;
use uuid::Uuid;

use super::{Submission, SubmissionRow, one, select};
use crate::statement::statement;
use crate::{Conn, DbError};

/// What stood for the obligation `o2` when `this` was assessed; what stands now, where it is not assessed yet.
/// The same as the view `standing_submission`, at a moment.
const STOOD: &str = "JOIN LATERAL (
                SELECT v.id FROM submission v
                JOIN LATERAL (
                    SELECT ordinal FROM handover
                    WHERE submission_id = v.id AND (this.assessed_at IS NULL OR at < this.assessed_at)
                    ORDER BY ordinal DESC LIMIT 1
                ) h ON h.ordinal < 4
                WHERE v.obligation_id = o2.id
                ORDER BY h.ordinal DESC, v.version_number DESC LIMIT 1
            ) stood ON true";

/// What another round is looked for from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answering {
    /// A version: what stood when it was assessed.
    Submission(Uuid),
    /// An obligation, for which nothing need have been sent: what stands now.
    Obligation(i64),
}

impl Answering {
    fn submission(self) -> Option<Uuid> {
        match self {
            Answering::Submission(id) => Some(id),
            Answering::Obligation(_) => None,
        }
    }

    fn obligation(self) -> Option<i64> {
        match self {
            Answering::Submission(_) => None,
            Answering::Obligation(id) => Some(id),
        }
    }
}

/// What stood for the same organisation in another round `c2`, which `joined` finds beside `c1`, that of the submission
/// `$1` or the obligation `$2`.
fn stood_in(joined: &str) -> String {
    select(&format!(
        "WHERE NOT s.is_nil AND s.id = (
            SELECT stood.id
            FROM (
                SELECT obligation_id, organisation, assessed_at FROM submission WHERE id = $1
                UNION ALL
                SELECT id, organisation, NULL FROM obligation WHERE id = $2
            ) this
            JOIN obligation o1 ON o1.id = this.obligation_id
            JOIN cycle c1 ON c1.id = o1.cycle_id
            {joined}
            JOIN obligation o2 ON o2.cycle_id = c2.id AND o2.organisation = this.organisation
            {STOOD}
            ORDER BY c2.period_end DESC LIMIT 1)"
    ))
}

/// The submission of the same organisation and return that stands for the period just before this one's, or stood when
/// this one was assessed
/// (of a snapshot: for the last one within some months more than a year).
pub async fn standing_before(
    conn: &mut Conn,
    of: Answering,
) -> Result<Option<Submission>, DbError> {
    one(statement(stood_in(
        "JOIN LATERAL (
                SELECT id, period_end FROM cycle
                WHERE return_id = c1.return_id AND period_end < c1.period_start
                  AND period_end >= c1.period_start - CASE WHEN c1.period_start = c1.period_end THEN 400 ELSE 1 END
                ORDER BY period_end DESC LIMIT 1
            ) c2 ON true",
    ))
    .bind::<Nullable<SqlUuid>, _>(of.submission())
    .bind::<Nullable<BigInt>, _>(of.obligation())
    .get_result(conn.connection())
    .await
    .optional()?)
}

/// As [`standing_before`], for the round nearest to a year earlier (a snapshot's date moves by some days from year to year).
pub async fn standing_year_ago(
    conn: &mut Conn,
    of: Answering,
) -> Result<Option<Submission>, DbError> {
    one(statement(stood_in(
        "JOIN LATERAL (
                SELECT id, period_end FROM cycle
                WHERE return_id = c1.return_id
                  AND period_end BETWEEN c1.period_end - interval '1 year 31 days' AND c1.period_end - interval '1 year' + interval '31 days'
                ORDER BY abs(period_end - (c1.period_end - interval '1 year')::date) LIMIT 1
            ) c2 ON true",
    ))
    .bind::<Nullable<SqlUuid>, _>(of.submission())
    .bind::<Nullable<BigInt>, _>(of.obligation())
    .get_result(conn.connection())
    .await
    .optional()?)
}

/// What stands for the same organisation and return in the last periods before a submission's, at most so many, newest first.
pub async fn standing_earlier(
    conn: &mut Conn,
    id: Uuid,
    n_most: u32,
) -> Result<Vec<Submission>, DbError> {
    let rows: Vec<SubmissionRow> = statement(select(
        "WHERE NOT s.is_nil AND s.id IN (
            SELECT stood.id
            FROM submission this
            JOIN obligation o1 ON o1.id = this.obligation_id
            JOIN cycle c1 ON c1.id = o1.cycle_id
            JOIN cycle c2 ON c2.return_id = c1.return_id AND c2.period_end < c1.period_start
            JOIN obligation o2 ON o2.cycle_id = c2.id AND o2.organisation = this.organisation
            JOIN LATERAL (
                SELECT v.id FROM submission v
                JOIN LATERAL (
                    SELECT ordinal FROM handover WHERE submission_id = v.id ORDER BY ordinal DESC LIMIT 1
                ) h ON h.ordinal < 4
                WHERE v.obligation_id = o2.id
                ORDER BY h.ordinal DESC, v.version_number DESC LIMIT 1
            ) stood ON true
            WHERE this.id = $1
            ORDER BY c2.period_end DESC LIMIT $2)
         ORDER BY c.period_end DESC",
    ))
    .bind::<SqlUuid, _>(id)
    .bind::<BigInt, _>(i64::from(n_most))
    .load(conn.connection())
    .await?;
    rows.into_iter().map(Submission::try_from).collect()
}

/// Every submission that stands in a round and has something in it, by organisation.
pub async fn standing_in(
    conn: &mut Conn,
    return_id: &str,
    period_label: &str,
) -> Result<Vec<Submission>, DbError> {
    let rows: Vec<SubmissionRow> = statement(select(
        "JOIN standing_submission st ON st.obligation_id = s.obligation_id AND st.submission_id = s.id
         WHERE c.return_id = $1 AND c.period_label = $2 AND NOT s.is_nil ORDER BY s.organisation",
    ))
    .bind::<Text, _>(return_id)
    .bind::<Text, _>(period_label)
    .load(conn.connection())
    .await?;
    rows.into_iter().map(Submission::try_from).collect()
}

/// Another return's submission that stands for the same organisation.
#[derive(Debug, Clone, Copy)]
pub struct OtherRound<'a> {
    pub return_id: &'a str,
    /// A round of another version is passed over: rules are written against one.
    pub version: &'a str,
    pub period: OtherPeriod,
}

/// What stands for another return in the round that is meant.
pub async fn standing_other(
    conn: &mut Conn,
    of: Answering,
    other: OtherRound<'_>,
) -> Result<Option<Submission>, DbError> {
    let round = match other.period {
        OtherPeriod::Same => "c2.period_start = c1.period_start AND c2.period_end = c1.period_end",
        OtherPeriod::Before => {
            "c2.period_end < c1.period_start AND c2.period_end >= c1.period_start - interval '1 year'"
        }
    };
    one(statement(stood_in(&format!(
        "JOIN cycle c2 ON c2.return_id = $3 AND c2.version = $4 AND {round}"
    )))
    .bind::<Nullable<SqlUuid>, _>(of.submission())
    .bind::<Nullable<BigInt>, _>(of.obligation())
    .bind::<Text, _>(other.return_id)
    .bind::<Text, _>(other.version)
    .get_result(conn.connection())
    .await
    .optional()?)
}

/// The submission with something in it that stands for the last period that ended on a day or before.
pub async fn standing_last(
    conn: &mut Conn,
    organisation: &str,
    return_id: &str,
    by: NaiveDate,
) -> Result<Option<Submission>, DbError> {
    one(statement(select(
        "WHERE s.id = (
            SELECT st.submission_id FROM standing_submission st
            JOIN obligation o2 ON o2.id = st.obligation_id
            JOIN cycle c2 ON c2.id = o2.cycle_id
            WHERE o2.organisation = $1 AND c2.return_id = $2 AND c2.period_end <= $3 AND NOT st.is_nil
            ORDER BY c2.period_end DESC LIMIT 1)",
    ))
    .bind::<Text, _>(organisation)
    .bind::<Text, _>(return_id)
    .bind::<Date, _>(by)
    .get_result(conn.connection())
    .await
    .optional()?)
}

#[derive(QueryableByName)]
struct Counts {
    #[diesel(sql_type = Bool)]
    counts: bool,
}

/// Whether the records of a submission are in datasets now, where each period's take the place of what was sent before.
pub async fn counts_now(conn: &mut Conn, id: Uuid) -> Result<bool, DbError> {
    let row: Counts = statement(
        "SELECT EXISTS (SELECT FROM standing_submission WHERE submission_id = $1) AS counts",
    )
    .bind::<SqlUuid, _>(id)
    .get_result(conn.connection())
    .await?;
    Ok(row.counts)
}
