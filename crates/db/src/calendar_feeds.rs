//! Addresses that calendars subscribe to, and what beside the days of rounds is in them.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::{
    Array, BigInt, Binary, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::cycles::{ROUND, Round, RoundRow};
use crate::extensions::GIVEN_UNTIL;
use crate::statement::statement;
use crate::{Conn, DbError, Tx};

/// What is in a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfWhat {
    Everything,
    Return(String),
    /// GSS code.
    Organisation(String),
}

impl OfWhat {
    fn columns(&self) -> (&'static str, Option<&str>) {
        match self {
            OfWhat::Everything => ("everything", None),
            OfWhat::Return(id) => ("return", Some(id)),
            OfWhat::Organisation(_) => ("organisation", None),
        }
    }
}

/// A feed as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    pub id: Uuid,
    pub of: OfWhat,
    pub person_id: Uuid,
    pub made_at: DateTime<Utc>,
}

/// Keeps a feed; false where one of this number is there.
pub async fn add(
    tx: &mut Tx,
    id: Uuid,
    token_sha256: &[u8],
    of: &OfWhat,
    (person_id, home): (Uuid, Option<&str>),
) -> Result<bool, DbError> {
    let (of_what, return_id) = of.columns();
    let organisation = match of {
        OfWhat::Organisation(code) => Some(code.as_str()),
        OfWhat::Everything | OfWhat::Return(_) => home,
    };
    let n_added = statement(
        "INSERT INTO calendar_feed (id, token_sha256, organisation, of_what, return_id, person_id)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Binary, _>(token_sha256)
    .bind::<Nullable<Text>, _>(organisation)
    .bind::<Text, _>(of_what)
    .bind::<Nullable<Text>, _>(return_id)
    .bind::<SqlUuid, _>(person_id)
    .execute(tx.connection())
    .await?;
    Ok(n_added == 1)
}

#[derive(QueryableByName)]
struct FeedRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    organisation: Option<String>,
    #[diesel(sql_type = Text)]
    of_what: String,
    #[diesel(sql_type = Nullable<Text>)]
    return_id: Option<String>,
    #[diesel(sql_type = SqlUuid)]
    person_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    made_at: DateTime<Utc>,
}

impl TryFrom<FeedRow> for Feed {
    type Error = DbError;

    fn try_from(row: FeedRow) -> Result<Self, DbError> {
        let of = match (row.of_what.as_str(), row.return_id, row.organisation) {
            ("everything", None, _) => OfWhat::Everything,
            ("return", Some(id), _) => OfWhat::Return(id),
            ("organisation", None, Some(code)) => OfWhat::Organisation(code),
            (other, ..) => return Err(DbError::stored(format!("feed of {other}"))),
        };
        Ok(Feed {
            id: row.id,
            of,
            person_id: row.person_id,
            made_at: row.made_at,
        })
    }
}

const COLUMNS: &str = "id, organisation, of_what, return_id, person_id, made_at";

/// The feed of a secret, unless it was revoked.
pub async fn find(conn: &mut Conn, token_sha256: &[u8]) -> Result<Option<Feed>, DbError> {
    let row: Option<FeedRow> = statement(format!(
        "SELECT {COLUMNS} FROM calendar_feed WHERE token_sha256 = $1 AND revoked_at IS NULL"
    ))
    .bind::<Binary, _>(token_sha256)
    .get_result(conn.connection())
    .await
    .optional()?;
    row.map(Feed::try_from).transpose()
}

/// Those that somebody made and that are answered, the oldest first.
pub async fn of_person(conn: &mut Conn, person_id: Uuid) -> Result<Vec<Feed>, DbError> {
    let rows: Vec<FeedRow> = statement(format!(
        "SELECT {COLUMNS} FROM calendar_feed WHERE person_id = $1 AND revoked_at IS NULL ORDER BY made_at, id"
    ))
    .bind::<SqlUuid, _>(person_id)
    .load(conn.connection())
    .await?;
    rows.into_iter().map(Feed::try_from).collect()
}

/// From now on it is not answered; false where somebody else made it, or nobody.
pub async fn revoke(tx: &mut Tx, id: Uuid, person_id: Uuid) -> Result<bool, DbError> {
    let n_revoked = statement(
        "UPDATE calendar_feed SET revoked_at = now() WHERE id = $1 AND person_id = $2 AND revoked_at IS NULL",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(person_id)
    .execute(tx.connection())
    .await?;
    Ok(n_revoked == 1)
}

/// How often something was said, and when it was last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    pub n: u32,
    pub last_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct SaidRow {
    #[diesel(sql_type = BigInt)]
    cycle_id: i64,
    #[diesel(sql_type = BigInt)]
    n: i64,
    #[diesel(sql_type = Timestamptz)]
    last_at: DateTime<Utc>,
}

fn by_round(rows: Vec<SaidRow>) -> HashMap<i64, Said> {
    rows.into_iter()
        .map(|row| {
            let n = u32::try_from(row.n).unwrap_or(u32::MAX);
            let said = Said {
                n,
                last_at: row.last_at,
            };
            (row.cycle_id, said)
        })
        .collect()
}

/// Whether rounds take place, as often as it was said.
pub async fn cancellations(conn: &mut Conn, cycles: &[i64]) -> Result<HashMap<i64, Said>, DbError> {
    let rows = statement(
        "SELECT cycle_id, count(*) AS n, max(at) AS last_at FROM cycle_cancellation WHERE cycle_id = ANY ($1) GROUP BY cycle_id",
    )
    .bind::<Array<BigInt>, _>(cycles)
    .load(conn.connection())
    .await?;
    Ok(by_round(rows))
}

/// What was said to one organisation of its duties: that an answer is wanted or not, and what was decided on more time.
pub async fn said_to(conn: &mut Conn, organisation: &str) -> Result<HashMap<i64, Said>, DbError> {
    let rows = statement(
        "SELECT o.cycle_id, count(*) AS n, max(said.at) AS last_at FROM obligation o JOIN (
            SELECT obligation_id, at FROM obligation_requirement WHERE organisation = $1
            UNION ALL SELECT obligation_id, at FROM extension_decision WHERE organisation = $1 AND due_on IS NOT NULL
            UNION ALL SELECT obligation_id, at FROM extension_decided_anew WHERE organisation = $1
         ) said ON said.obligation_id = o.id GROUP BY o.cycle_id",
    )
    .bind::<Text, _>(organisation)
    .load(conn.connection())
    .await?;
    Ok(by_round(rows))
}

/// A round of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedRound {
    pub cycle_id: i64,
    pub round: Round,
    /// The organisation's own day; of a feed of no organisation the round's.
    pub due_on: NaiveDate,
    pub is_required: bool,
}

#[derive(QueryableByName)]
struct FeedRoundRow {
    #[diesel(sql_type = BigInt)]
    cycle_id: i64,
    #[diesel(embed)]
    round: RoundRow,
    #[diesel(sql_type = Date)]
    own_due_on: NaiveDate,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    is_required: bool,
}

/// The rounds that are due from a day on, in the order of their numbers.
pub async fn rounds(
    conn: &mut Conn,
    of: &OfWhat,
    from: NaiveDate,
) -> Result<Vec<FeedRound>, DbError> {
    let (organisation, return_id) = match of {
        OfWhat::Everything => (None, None),
        OfWhat::Return(id) => (None, Some(id)),
        OfWhat::Organisation(code) => (Some(code), None),
    };
    let rows: Vec<FeedRoundRow> = statement(format!(
        "SELECT c.id AS cycle_id, {ROUND}, coalesce(o.is_required, true) AS is_required,
                greatest(c.due_on, {GIVEN_UNTIL}) AS own_due_on
         FROM cycle c
         JOIN return_version v ON v.return_id = c.return_id AND v.version = c.version
         LEFT JOIN obligation o ON o.cycle_id = c.id AND o.organisation = $1
         WHERE c.due_on >= $3 AND ($1 IS NULL OR o.id IS NOT NULL) AND ($2 IS NULL OR c.return_id = $2)
         ORDER BY c.id"
    ))
    .bind::<Nullable<Text>, _>(organisation)
    .bind::<Nullable<Text>, _>(return_id)
    .bind::<Date, _>(from)
    .load(conn.connection())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(FeedRound {
                cycle_id: row.cycle_id,
                round: row.round.try_into()?,
                due_on: row.own_due_on,
                is_required: row.is_required,
            })
        })
        .collect()
}
