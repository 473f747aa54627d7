//! Rounds of returns, and who owes what in them.

pub mod dates;
pub mod owed;
pub mod paged;

use chrono::{DateTime, NaiveDate, Utc};
use cycle::{Asked, ObligationState, Standing, Stands, SubmissionFacts, SubmissionState, Verb};
use diesel::sql_types::{
    BigInt, Bool, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use spec::Period;
use uuid::Uuid;

use crate::extensions::GIVEN_UNTIL;
use crate::handovers::verb_of;
use crate::returns::period_kind_of;
use crate::statement::statement;
use crate::submissions::outcome_of;
use crate::{Conn, DbError, Tx};

/// A period of a return that is collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    pub return_id: String,
    pub return_title: String,
    pub return_version: String,
    pub period: Period,
    pub opens_on: NaiveDate,
    pub due_on: NaiveDate,
    /// The day it is due may still change.
    pub is_provisional: bool,
    /// Nothing is owed in it.
    pub is_cancelled: bool,
    /// The last day on which a file is taken at all; `None`: no such day is confirmed.
    pub closes_on: Option<NaiveDate>,
}

/// The columns of a [`RoundRow`], of a cycle `c` and its return version `v`.
pub(crate) const ROUND: &str = "c.return_id, v.title AS return_title, c.version AS return_version,
        v.facts ->> 'period_kind' AS period_kind, c.period_label, c.period_start, c.period_end, c.opens_on, c.due_on,
        c.is_provisional, c.is_cancelled, c.closes_on";

#[derive(QueryableByName)]
pub(crate) struct RoundRow {
    #[diesel(sql_type = Text)]
    return_id: String,
    #[diesel(sql_type = Text)]
    return_title: String,
    #[diesel(sql_type = Text)]
    return_version: String,
    #[diesel(sql_type = Text)]
    period_kind: String,
    #[diesel(sql_type = Text)]
    period_label: String,
    #[diesel(sql_type = Date)]
    period_start: NaiveDate,
    #[diesel(sql_type = Date)]
    period_end: NaiveDate,
    #[diesel(sql_type = Date)]
    opens_on: NaiveDate,
    #[diesel(sql_type = Date)]
    due_on: NaiveDate,
    #[diesel(sql_type = Bool)]
    is_provisional: bool,
    #[diesel(sql_type = Bool)]
    is_cancelled: bool,
    #[diesel(sql_type = Nullable<Date>)]
    closes_on: Option<NaiveDate>,
}

impl TryFrom<RoundRow> for Round {
    type Error = DbError;

    fn try_from(row: RoundRow) -> Result<Self, DbError> {
        Ok(Round {
            return_id: row.return_id,
            return_title: row.return_title,
            return_version: row.return_version,
            period: Period {
                kind: period_kind_of(&row.period_kind)?,
                label: row.period_label,
                start: row.period_start,
                end: row.period_end,
            },
            opens_on: row.opens_on,
            due_on: row.due_on,
            is_provisional: row.is_provisional,
            is_cancelled: row.is_cancelled,
            closes_on: row.closes_on,
        })
    }
}

/// A round to open.
#[derive(Debug, Clone)]
pub struct NewCycle<'a> {
    pub return_id: &'a str,
    pub version: &'a str,
    pub period: &'a Period,
    pub opens_on: NaiveDate,
    pub due_on: NaiveDate,
}

/// A round as it is stored.
#[derive(Debug)]
pub struct StoredCycle {
    pub id: i64,
    /// That of when it was first planned.
    pub version: String,
    pub is_new: bool,
}

#[derive(QueryableByName)]
struct IdAndVersion {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    version: String,
}

/// Stores a round, unless there is one of its return and period: that stays as it is. Its days are facts to add beside it.
pub async fn put(tx: &mut Tx, cycle: &NewCycle<'_>) -> Result<StoredCycle, DbError> {
    let n_new = statement(
        "INSERT INTO cycle (return_id, version, period_label, period_start, period_end, opens_on, due_on)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (return_id, period_label) DO NOTHING",
    )
    .bind::<Text, _>(cycle.return_id)
    .bind::<Text, _>(cycle.version)
    .bind::<Text, _>(&cycle.period.label)
    .bind::<Date, _>(cycle.period.start)
    .bind::<Date, _>(cycle.period.end)
    .bind::<Date, _>(cycle.opens_on)
    .bind::<Date, _>(cycle.due_on)
    .execute(tx.connection())
    .await?;
    let found: IdAndVersion = statement(
        "SELECT id, version FROM cycle WHERE return_id = $1 AND period_label = $2 FOR UPDATE",
    )
    .bind::<Text, _>(cycle.return_id)
    .bind::<Text, _>(&cycle.period.label)
    .get_result(tx.connection())
    .await?;
    Ok(StoredCycle {
        id: found.id,
        version: found.version,
        is_new: n_new == 1,
    })
}

/// Gives each existing organisation that answers to `types` (and is one of `only`, unless that is empty) its obligation.
pub async fn oblige(
    tx: &mut Tx,
    cycle_id: i64,
    types: &[String],
    only: &[String],
) -> Result<usize, DbError> {
    Ok(statement(
        "INSERT INTO obligation (cycle_id, organisation)
         SELECT c.id, g.code FROM organisation g, cycle c
         WHERE c.id = $1 AND g.kind = ANY ($2) AND (cardinality($3::text[]) = 0 OR g.code = ANY ($3))
           AND (g.valid_from IS NULL OR g.valid_from <= c.period_end)
           AND (g.valid_to IS NULL OR g.valid_to >= c.period_start)
         ON CONFLICT DO NOTHING",
    )
    .bind::<BigInt, _>(cycle_id)
    .bind::<diesel::sql_types::Array<Text>, _>(types)
    .bind::<diesel::sql_types::Array<Text>, _>(only)
    .execute(tx.connection())
    .await?)
}

/// A round that is still to be due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToCome {
    pub id: i64,
    pub return_id: String,
    pub version: String,
    pub period: Period,
    /// It is not open yet, and nothing was sent.
    pub may_change_version: bool,
}

#[derive(QueryableByName)]
struct ToComeRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(embed)]
    round: RoundRow,
    #[diesel(sql_type = Bool)]
    may_change_version: bool,
}

/// The rounds that are due today or later and were not cancelled, locked, in the order of their numbers.
pub async fn to_come(tx: &mut Tx, today: NaiveDate) -> Result<Vec<ToCome>, DbError> {
    let rows: Vec<ToComeRow> = statement(format!(
        "SELECT c.id, {ROUND}, c.opens_on > $1 AND NOT EXISTS (
             SELECT FROM obligation o JOIN submission s ON s.obligation_id = o.id WHERE o.cycle_id = c.id
         ) AS may_change_version
         FROM cycle c JOIN return_version v ON v.return_id = c.return_id AND v.version = c.version
         WHERE c.due_on >= $1 AND NOT c.is_cancelled ORDER BY c.id FOR UPDATE OF c"
    ))
    .bind::<Date, _>(today)
    .load(tx.connection())
    .await?;
    rows.into_iter()
        .map(|row| {
            let round = Round::try_from(row.round)?;
            Ok(ToCome {
                id: row.id,
                return_id: round.return_id,
                version: round.return_version,
                period: round.period,
                may_change_version: row.may_change_version,
            })
        })
        .collect()
}

/// Has a round collected with another version.
pub async fn change_version(tx: &mut Tx, cycle_id: i64, version: &str) -> Result<(), DbError> {
    statement("UPDATE cycle SET version = $2 WHERE id = $1")
        .bind::<BigInt, _>(cycle_id)
        .bind::<Text, _>(version)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Somebody who has to answer in a round and whom it does not ask, or the other way round.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Unsettled {
    #[diesel(sql_type = BigInt)]
    pub obligation_id: i64,
    #[diesel(sql_type = Text)]
    pub organisation: String,
    /// It is not there in the round's period.
    #[diesel(sql_type = Bool)]
    pub is_closed: bool,
    /// The return asks it, if it is there.
    #[diesel(sql_type = Bool)]
    pub is_asked: bool,
}

/// Of whom [`oblige`] would make something else now than of an earlier publication, and who sent nothing. Nobody of whom
/// somebody has said whether they have to answer.
pub async fn unsettled(
    tx: &mut Tx,
    cycle_id: i64,
    types: &[String],
    only: &[String],
) -> Result<Vec<Unsettled>, DbError> {
    Ok(statement(
        "SELECT * FROM (
            SELECT o.id AS obligation_id, o.organisation, o.is_required,
                   coalesce(g.valid_from > c.period_end, false) OR coalesce(g.valid_to < c.period_start, false) AS is_closed,
                   g.kind = ANY ($2) AND (cardinality($3::text[]) = 0 OR g.code = ANY ($3)) AS is_asked
            FROM obligation o JOIN cycle c ON c.id = o.cycle_id JOIN organisation g ON g.code = o.organisation
            WHERE o.cycle_id = $1
              AND NOT EXISTS (SELECT FROM submission s WHERE s.obligation_id = o.id)
              AND NOT EXISTS (SELECT FROM obligation_requirement r WHERE r.obligation_id = o.id AND r.by_kind <> 'system')
         ) found WHERE is_required = (is_closed OR NOT is_asked) ORDER BY organisation",
    )
    .bind::<BigInt, _>(cycle_id)
    .bind::<diesel::sql_types::Array<Text>, _>(types)
    .bind::<diesel::sql_types::Array<Text>, _>(only)
    .load(tx.connection())
    .await?)
}

/// What a file is received for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    pub round: Round,
    /// `None`: this organisation owes nothing in this round, at any rate not any more.
    pub obligation_id: Option<i64>,
    pub organisation_name: String,
}

#[derive(QueryableByName)]
struct DutyRow {
    #[diesel(embed)]
    round: RoundRow,
    #[diesel(sql_type = Nullable<BigInt>)]
    obligation_id: Option<i64>,
    #[diesel(sql_type = Text)]
    organisation_name: String,
}

impl TryFrom<DutyRow> for Duty {
    type Error = DbError;

    fn try_from(row: DutyRow) -> Result<Self, DbError> {
        Ok(Duty {
            round: row.round.try_into()?,
            obligation_id: row.obligation_id,
            organisation_name: row.organisation_name,
        })
    }
}

/// An organisation's duty in a round; `None` where the round or the organisation is not known.
pub async fn duty(
    conn: &mut Conn,
    organisation: &str,
    return_id: &str,
    period_label: &str,
) -> Result<Option<Duty>, DbError> {
    let row: Option<DutyRow> = statement(format!(
        "SELECT {ROUND}, o.id AS obligation_id, g.name AS organisation_name
         FROM cycle c
         JOIN return_version v ON v.return_id = c.return_id AND v.version = c.version
         JOIN organisation g ON g.code = $1
         LEFT JOIN obligation o ON o.cycle_id = c.id AND o.organisation = g.code AND o.is_required AND NOT c.is_cancelled
         WHERE c.return_id = $2 AND c.period_label = $3"
    ))
    .bind::<Text, _>(organisation)
    .bind::<Text, _>(return_id)
    .bind::<Text, _>(period_label)
    .get_result(conn.connection())
    .await
    .optional()?;
    row.map(Duty::try_from).transpose()
}

/// What one organisation owes in one round, and where that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obligation {
    pub id: i64,
    pub cycle_id: i64,
    pub organisation: String,
    pub organisation_name: String,
    pub round: Round,
    /// The last day on which a file is in time: the round's, or the one that more time was given until.
    pub due_on: NaiveDate,
    /// The day until which more time was given to it.
    pub given_until: Option<NaiveDate>,
    /// Whether it has to answer, if the round takes place.
    pub is_required: bool,
    pub state: ObligationState,
    /// Past the day it is due, and nothing was handed over that stands.
    pub is_overdue: bool,
    /// The day on which the round closed, where no file is taken any more.
    pub closed_on: Option<NaiveDate>,
    /// The newest version that was not withdrawn, and what became of it; the newest one where all were.
    pub latest: Option<(Uuid, SubmissionState)>,
    /// Who sent that one.
    pub latest_from: Option<SentBy>,
    /// The version that stands, and whether it is submitted, signed off or accepted.
    pub standing: Option<(Uuid, SubmissionState)>,
    pub n_versions: u32,
}

/// Who sent a version, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentBy {
    pub name: String,
    pub at: DateTime<Utc>,
}

#[derive(QueryableByName)]
pub(crate) struct ObligationRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    cycle_id: i64,
    #[diesel(sql_type = Text)]
    organisation: String,
    #[diesel(sql_type = Text)]
    organisation_name: String,
    #[diesel(embed)]
    round: RoundRow,
    #[diesel(sql_type = Nullable<Date>)]
    given_until: Option<NaiveDate>,
    #[diesel(sql_type = Bool)]
    is_required: bool,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    latest: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    latest_outcome: Option<String>,
    #[diesel(sql_type = Bool)]
    latest_given_up: bool,
    #[diesel(sql_type = Nullable<Text>)]
    latest_last: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    latest_by: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    latest_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    standing: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    stands_by: Option<String>,
    #[diesel(sql_type = Nullable<Bool>)]
    stands_nil: Option<bool>,
    #[diesel(sql_type = Nullable<Integer>)]
    n_versions: Option<i32>,
    #[diesel(sql_type = Bool)]
    was_sent_back: bool,
}

impl ObligationRow {
    pub(crate) fn into_obligation(self, today: NaiveDate) -> Result<Obligation, DbError> {
        let newest = SubmissionState::of(&SubmissionFacts {
            outcome: self.latest_outcome.as_deref().map(outcome_of).transpose()?,
            given_up: self.latest_given_up,
            last: self.latest_last.as_deref().map(verb_of).transpose()?,
            is_overtaken: false,
        });
        let latest = self.latest.map(|id| (id, newest));
        let stands_by = self.stands_by.as_deref().map(verb_of).transpose()?;
        let round = Round::try_from(self.round)?;
        let given_until = self.given_until;
        let due_on = given_until.map_or(round.due_on, |until| until.max(round.due_on));
        let facts = Standing {
            opens_on: round.opens_on,
            due_on,
            asked: if round.is_cancelled {
                Asked::Cancelled
            } else if self.is_required {
                Asked::Required
            } else {
                Asked::NotRequired
            },
            latest: latest.map(|(_, state)| state),
            stands: stands_by.map(|by| Stands {
                by,
                is_nil: self.stands_nil.unwrap_or(false),
            }),
            closes_on: round.closes_on,
            was_sent_back: self.was_sent_back,
        };
        Ok(Obligation {
            id: self.id,
            cycle_id: self.cycle_id,
            latest_from: self
                .latest_by
                .zip(self.latest_at)
                .map(|(name, at)| SentBy { name, at }),
            due_on,
            given_until,
            is_required: self.is_required,
            state: ObligationState::of(&facts, today),
            is_overdue: facts.is_overdue(today),
            closed_on: facts.closed_on(today),
            organisation: self.organisation,
            organisation_name: self.organisation_name,
            round,
            latest,
            standing: self.standing.zip(stands_by.map(Verb::state)),
            n_versions: self.n_versions.unwrap_or(0).unsigned_abs(),
        })
    }
}

/// As the view `standing_submission` has it, but of an obligation `o` alone: the view is of all of them at once, which
/// takes as long as there is history.
pub(crate) const STANDING: &str = "LATERAL (
            SELECT v.id AS submission_id, h.verb AS status, v.is_nil FROM submission v
            JOIN LATERAL (
                SELECT verb, ordinal FROM handover WHERE submission_id = v.id ORDER BY ordinal DESC LIMIT 1
            ) h ON h.ordinal < 4
            WHERE v.obligation_id = o.id
            ORDER BY h.ordinal DESC, v.version_number DESC LIMIT 1
         )";

/// As the view `counting_submission` has it, likewise.
pub(crate) const COUNTING: &str = "LATERAL (
            SELECT submission_id, status FROM (
                SELECT v.id AS submission_id, h.verb AS status, h.ordinal, max(h.ordinal) OVER () AS farthest
                FROM submission v
                JOIN LATERAL (
                    SELECT verb, ordinal FROM handover WHERE submission_id = v.id ORDER BY ordinal DESC LIMIT 1
                ) h ON h.ordinal < 4
                WHERE v.obligation_id = o.id
            ) handed_over WHERE ordinal = farthest
         )";

/// The statement that reads obligations, an [`ObligationRow`] each; `rest` says which.
pub(crate) fn select(rest: &str) -> String {
    format!(
        "SELECT o.id, o.cycle_id, o.organisation, g.name AS organisation_name, o.is_required, {ROUND},
                {GIVEN_UNTIL} AS given_until,
                l.id AS latest, l.outcome AS latest_outcome, l.attention_at IS NOT NULL AS latest_given_up,
                l.last AS latest_last, l.uploaded_by AS latest_by, l.received_at AS latest_at, l.n_versions,
                s.submission_id AS standing, s.status AS stands_by, s.is_nil AS stands_nil,
                c.closes_on IS NOT NULL AND EXISTS (
                    SELECT FROM submission b JOIN handover h ON h.submission_id = b.id AND h.verb = 'send_back'
                    WHERE b.obligation_id = o.id
                ) AS was_sent_back
         FROM obligation o
         JOIN cycle c ON c.id = o.cycle_id
         JOIN return_version v ON v.return_id = c.return_id AND v.version = c.version
         JOIN organisation g ON g.code = o.organisation
         LEFT JOIN LATERAL (
            SELECT n.id, n.outcome, n.attention_at, n.uploaded_by, n.received_at, h.verb AS last,
                   (SELECT max(version_number) FROM submission WHERE obligation_id = o.id) AS n_versions
            FROM submission n
            LEFT JOIN LATERAL (
                SELECT verb FROM handover WHERE submission_id = n.id ORDER BY ordinal DESC LIMIT 1
            ) h ON true
            WHERE n.obligation_id = o.id
            ORDER BY h.verb IS NOT DISTINCT FROM 'withdraw', n.version_number DESC LIMIT 1
         ) l ON true
         LEFT JOIN {STANDING} s ON true
         {rest}"
    )
}

/// Obligations by organisation name, return and newest period first; only one organisation's where `only` is given.
pub async fn obligations(
    conn: &mut Conn,
    only: Option<&str>,
    today: NaiveDate,
) -> Result<Vec<Obligation>, DbError> {
    let rows: Vec<ObligationRow> = statement(select(
        "WHERE $1 IS NULL OR o.organisation = $1
         ORDER BY g.name, o.organisation, c.return_id, c.period_end DESC",
    ))
    .bind::<Nullable<Text>, _>(only)
    .load(conn.connection())
    .await?;
    obligations_of(rows, today)
}

pub(crate) fn obligations_of(
    rows: Vec<ObligationRow>,
    today: NaiveDate,
) -> Result<Vec<Obligation>, DbError> {
    rows.into_iter()
        .map(|row| row.into_obligation(today))
        .collect()
}

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = Bool)]
    organisation: bool,
    #[diesel(sql_type = Bool)]
    round: bool,
}

/// Whether an organisation, and whether a round, is known: which of the two a refusal has to name.
pub async fn known(
    conn: &mut Conn,
    organisation: &str,
    return_id: &str,
    period_label: &str,
) -> Result<(bool, bool), DbError> {
    let row: Known = statement(
        "SELECT EXISTS (SELECT FROM organisation WHERE code = $1) AS organisation,
                EXISTS (SELECT FROM cycle WHERE return_id = $2 AND period_label = $3) AS round",
    )
    .bind::<Text, _>(organisation)
    .bind::<Text, _>(return_id)
    .bind::<Text, _>(period_label)
    .get_result(conn.connection())
    .await?;
    Ok((row.organisation, row.round))
}
