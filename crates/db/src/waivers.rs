//! Standing exceptions: asked for, granted or refused.

use access::ActorId;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::{Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::actors::{columns_of, id_of};
use crate::explanations::By;
use crate::statement::statement;
use crate::{Conn, DbError, Tx};

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct NewWaiver<'a> {
    pub id: Uuid,
    pub organisation: &'a str,
    pub return_id: &'a str,
    pub rule: &'a str,
    /// `None`: for every finding of the check.
    pub key: Option<&'a str>,
    pub reason: &'a str,
    pub submission_id: Uuid,
    pub by: By<'a>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    pub id: Uuid,
    pub organisation: String,
    pub organisation_name: String,
    pub return_id: String,
    pub return_title: String,
    pub rule: String,
    /// `None`: for every finding of the check.
    pub key: Option<String>,
    pub reason: String,
    /// The version in which it came up.
    pub submission_id: Uuid,
    pub at: DateTime<Utc>,
    pub by: Option<ActorId>,
    pub by_name: String,
    pub decision: Option<Decision>,
    /// That it was taken back before its last day.
    pub revoked: Option<Revoked>,
}

impl Waiver {
    /// Whether a query of its check needs no explanation on a day.
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        if self.revoked.is_some() {
            return false;
        }
        let ends_on = self.decision.as_ref().and_then(|decision| decision.ends_on);
        ends_on.is_some_and(|ends_on| day <= ends_on)
    }

    /// Whether it is for a finding of its check.
    pub fn is_for(&self, key: Option<&str>) -> bool {
        self.key.is_none() || self.key.as_deref() == key
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// `None`: it was refused.
    pub ends_on: Option<NaiveDate>,
    pub reason: String,
    pub at: DateTime<Utc>,
    pub by_name: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    pub reason: String,
    pub at: DateTime<Utc>,
    pub by_name: String,
}

/// False where one of this number was asked for before.
pub async fn add(tx: &mut Tx, new: &NewWaiver<'_>) -> Result<bool, DbError> {
    let (by_kind, by_id) = columns_of(new.by.id);
    let n_added = statement(
        "INSERT INTO waiver (id, organisation, return_id, rule, key, reason, submission_id, by_kind, by_id, by_name)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING",
    )
    .bind::<SqlUuid, _>(new.id)
    .bind::<Text, _>(new.organisation)
    .bind::<Text, _>(new.return_id)
    .bind::<Text, _>(new.rule)
    .bind::<Nullable<Text>, _>(new.key)
    .bind::<Text, _>(new.reason)
    .bind::<SqlUuid, _>(new.submission_id)
    .bind::<Nullable<Text>, _>(by_kind)
    .bind::<Nullable<SqlUuid>, _>(by_id)
    .bind::<Text, _>(new.by.name)
    .execute(tx.connection())
    .await?;
    Ok(n_added == 1)
}

/// Grants it up to and on a day, or refuses it; false where it was decided before.
pub async fn decide(
    tx: &mut Tx,
    waiver: &Waiver,
    ends_on: Option<NaiveDate>,
    reason: &str,
    by: By<'_>,
) -> Result<bool, DbError> {
    let (by_kind, by_id) = columns_of(by.id);
    let n_added = statement(
        "INSERT INTO waiver_decision (waiver_id, organisation, ends_on, reason, by_kind, by_id, by_name)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (waiver_id) DO NOTHING",
    )
    .bind::<SqlUuid, _>(waiver.id)
    .bind::<Text, _>(&waiver.organisation)
    .bind::<Nullable<Date>, _>(ends_on)
    .bind::<Text, _>(reason)
    .bind::<Nullable<Text>, _>(by_kind)
    .bind::<Nullable<SqlUuid>, _>(by_id)
    .bind::<Text, _>(by.name)
    .execute(tx.connection())
    .await?;
    Ok(n_added == 1)
}

/// Takes a granted one back; false where it was taken back before.
pub async fn revoke(
    tx: &mut Tx,
    waiver: &Waiver,
    reason: &str,
    by: By<'_>,
) -> Result<bool, DbError> {
    let (by_kind, by_id) = columns_of(by.id);
    let n_added = statement(
        "INSERT INTO waiver_revocation (waiver_id, organisation, reason, by_kind, by_id, by_name)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (waiver_id) DO NOTHING",
    )
    .bind::<SqlUuid, _>(waiver.id)
    .bind::<Text, _>(&waiver.organisation)
    .bind::<Text, _>(reason)
    .bind::<Nullable<Text>, _>(by_kind)
    .bind::<Nullable<SqlUuid>, _>(by_id)
    .bind::<Text, _>(by.name)
    .execute(tx.connection())
    .await?;
    Ok(n_added == 1)
}

#[derive(QueryableByName)]
struct WaiverRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    organisation: String,
    #[diesel(sql_type = Text)]
    organisation_name: String,
    #[diesel(sql_type = Text)]
    return_id: String,
    #[diesel(sql_type = Text)]
    return_title: String,
    #[diesel(sql_type = Text)]
    rule: String,
    #[diesel(sql_type = Nullable<Text>)]
    key: Option<String>,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = SqlUuid)]
    submission_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    by_kind: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    by_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    by_name: String,
    #[diesel(sql_type = Nullable<Date>)]
    ends_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Text>)]
    decision_reason: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    decided_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    decided_by: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    revoked_reason: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    revoked_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    revoked_by: Option<String>,
}

impl TryFrom<WaiverRow> for Waiver {
    type Error = DbError;

    fn try_from(row: WaiverRow) -> Result<Self, DbError> {
        let decided = row.decision_reason.zip(row.decided_at).zip(row.decided_by);
        let revoked = row.revoked_reason.zip(row.revoked_at).zip(row.revoked_by);
        Ok(Waiver {
            by: id_of(Some(&row.by_kind), row.by_id)?,
            id: row.id,
            organisation: row.organisation,
            organisation_name: row.organisation_name,
            return_id: row.return_id,
            return_title: row.return_title,
            rule: row.rule,
            key: row.key,
            reason: row.reason,
            submission_id: row.submission_id,
            at: row.at,
            by_name: row.by_name,
            decision: decided.map(|((reason, at), by_name)| Decision {
                ends_on: row.ends_on,
                reason,
                at,
                by_name,
            }),
            revoked: revoked.map(|((reason, at), by_name)| Revoked {
                reason,
                at,
                by_name,
            }),
        })
    }
}

/// The statement that reads waivers, a [`WaiverRow`] each; `rest` says which.
fn select(rest: &str) -> String {
    format!(
        "SELECT w.id, w.organisation, g.name AS organisation_name, w.return_id, v.title AS return_title,
                w.rule, w.key, w.reason, w.submission_id, w.at, w.by_kind, w.by_id, w.by_name,
                d.ends_on, d.reason AS decision_reason, d.at AS decided_at, d.by_name AS decided_by,
                r.reason AS revoked_reason, r.at AS revoked_at, r.by_name AS revoked_by
         FROM waiver w
         JOIN organisation g ON g.code = w.organisation
         JOIN submission s ON s.id = w.submission_id
         JOIN obligation o ON o.id = s.obligation_id
         JOIN cycle c ON c.id = o.cycle_id
         JOIN return_version v ON v.return_id = c.return_id AND v.version = c.version
         LEFT JOIN waiver_decision d ON d.waiver_id = w.id
         LEFT JOIN waiver_revocation r ON r.waiver_id = w.id
         {rest}"
    )
}

pub async fn find(conn: &mut Conn, id: Uuid) -> Result<Option<Waiver>, DbError> {
    let row: Option<WaiverRow> = statement(select("WHERE w.id = $1"))
        .bind::<SqlUuid, _>(id)
        .get_result(conn.connection())
        .await
        .optional()?;
    row.map(Waiver::try_from).transpose()
}

/// Those to decide first, then the newest; only of an organisation or a return where these are given.
pub async fn list(
    conn: &mut Conn,
    organisation: Option<&str>,
    return_id: Option<&str>,
) -> Result<Vec<Waiver>, DbError> {
    let rows: Vec<WaiverRow> = statement(select(
        "WHERE ($1 IS NULL OR w.organisation = $1) AND ($2 IS NULL OR w.return_id = $2)
         ORDER BY d.at IS NOT NULL, w.at DESC, w.id",
    ))
    .bind::<Nullable<Text>, _>(organisation)
    .bind::<Nullable<Text>, _>(return_id)
    .load(conn.connection())
    .await?;
    rows.into_iter().map(Waiver::try_from).collect()
}
