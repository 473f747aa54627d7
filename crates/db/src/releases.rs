//! Releases: what was drafted, built, approved and published.

use access::ActorId;
use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, BigInt, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::actors::{columns_of, id_of};
use crate::explanations::By;
use crate::statement::statement;
use crate::{Conn, DbError, Tx};

/// What kind of edition it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Of all that stood.
    Provisional,
    /// Of what was accepted.
    Final,
    /// Final again, after one was published.
    Revised,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Provisional, Kind::Final, Kind::Revised];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Provisional => "provisional",
            Kind::Final => "final",
            Kind::Revised => "revised",
        }
    }
}

const BUILD: &str = "build release ";

/// The key of the job that builds a release.
pub fn build_key(id: Uuid) -> String {
    format!("{BUILD}{id}")
}

/// A release to draft.
#[derive(Debug, Clone)]
pub struct NewRelease<'a> {
    pub id: Uuid,
    pub return_id: &'a str,
    pub return_version: &'a str,
    pub from_period: &'a str,
    pub to_period: &'a str,
    pub kind: Kind,
    pub notes: &'a str,
    pub settings: &'a serde_json::Value,
    pub manifest: &'a serde_json::Value,
    /// Those of the manifest.
    pub submissions: &'a [Uuid],
    pub by: By<'a>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    pub id: Uuid,
    pub return_id: String,
    pub return_title: String,
    pub return_version: String,
    pub from_period: String,
    pub to_period: String,
    pub kind: Kind,
    pub notes: String,
    pub settings: serde_json::Value,
    pub at: DateTime<Utc>,
    pub by: Option<ActorId>,
    pub by_name: String,
    pub is_built: bool,
    /// Its job waits or runs; where it neither is nor is being built, that was given up.
    pub is_being_built: bool,
    pub approvals: Vec<Approval>,
    /// Its number and when, once it is published.
    pub published: Option<(u32, DateTime<Utc>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    pub by_id: Uuid,
    pub by_name: String,
    pub at: DateTime<Utc>,
}

/// A file of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseFile {
    pub name: String,
    pub content_type: String,
    pub sha256: String,
    pub n_bytes: u64,
    /// Where the file store has it.
    pub key: String,
}

/// False where one of this number was drafted before.
pub async fn add(tx: &mut Tx, new: &NewRelease<'_>) -> Result<bool, DbError> {
    let (by_kind, by_id) = columns_of(new.by.id);
    let n_added = statement(
        "INSERT INTO release (id, return_id, return_version, from_period, to_period, kind, notes, settings, manifest,
                              by_kind, by_id, by_name)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (id) DO NOTHING",
    )
    .bind::<SqlUuid, _>(new.id)
    .bind::<Text, _>(new.return_id)
    .bind::<Text, _>(new.return_version)
    .bind::<Text, _>(new.from_period)
    .bind::<Text, _>(new.to_period)
    .bind::<Text, _>(new.kind.as_str())
    .bind::<Text, _>(new.notes)
    .bind::<Jsonb, _>(new.settings)
    .bind::<Jsonb, _>(new.manifest)
    .bind::<Nullable<Text>, _>(by_kind)
    .bind::<Nullable<SqlUuid>, _>(by_id)
    .bind::<Text, _>(new.by.name)
    .execute(tx.connection())
    .await?;
    if n_added == 0 {
        return Ok(false);
    }
    statement(
        "INSERT INTO release_submission (release_id, submission_id) SELECT $1, unnest($2) ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(new.id)
    .bind::<Array<SqlUuid>, _>(new.submissions)
    .execute(tx.connection())
    .await?;
    Ok(true)
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    return_id: String,
    #[diesel(sql_type = Text)]
    return_title: String,
    #[diesel(sql_type = Text)]
    return_version: String,
    #[diesel(sql_type = Text)]
    from_period: String,
    #[diesel(sql_type = Text)]
    to_period: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    notes: String,
    #[diesel(sql_type = Jsonb)]
    settings: serde_json::Value,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    by_kind: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    by_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    by_name: String,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    is_built: bool,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    is_being_built: bool,
    #[diesel(sql_type = Array<SqlUuid>)]
    approved_by: Vec<Uuid>,
    #[diesel(sql_type = Array<Text>)]
    approved_names: Vec<String>,
    #[diesel(sql_type = Array<Timestamptz>)]
    approved_at: Vec<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Integer>)]
    number: Option<i32>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    published_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Release {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == row.kind);
        let approvals = row.approved_by.into_iter().zip(row.approved_names);
        Ok(Release {
            kind: kind.ok_or_else(|| DbError::stored(&row.kind))?,
            by: id_of(Some(&row.by_kind), row.by_id)?,
            approvals: approvals
                .zip(row.approved_at)
                .map(|((by_id, by_name), at)| Approval { by_id, by_name, at })
                .collect(),
            published: row.number.map(i32::unsigned_abs).zip(row.published_at),
            id: row.id,
            return_id: row.return_id,
            return_title: row.return_title,
            return_version: row.return_version,
            from_period: row.from_period,
            to_period: row.to_period,
            notes: row.notes,
            settings: row.settings,
            at: row.at,
            by_name: row.by_name,
            is_built: row.is_built,
            is_being_built: row.is_being_built,
        })
    }
}

/// The statement that reads releases, a [`Row`] each; `rest` says which.
fn select(rest: &str) -> String {
    format!(
        "SELECT r.id, r.return_id, v.title AS return_title, r.return_version, r.from_period, r.to_period, r.kind,
                r.notes, r.settings, r.at, r.by_kind, r.by_id, r.by_name,
                EXISTS (SELECT FROM release_file f WHERE f.release_id = r.id) AS is_built,
                EXISTS (SELECT FROM job j WHERE j.dedupe_key = '{BUILD}' || r.id AND j.state IN ('ready', 'running')) AS is_being_built,
                ARRAY(SELECT by_id FROM release_approval a WHERE a.release_id = r.id ORDER BY a.at, a.by_id) AS approved_by,
                ARRAY(SELECT by_name FROM release_approval a WHERE a.release_id = r.id ORDER BY a.at, a.by_id) AS approved_names,
                ARRAY(SELECT at FROM release_approval a WHERE a.release_id = r.id ORDER BY a.at, a.by_id) AS approved_at,
                p.number, p.at AS published_at
         FROM release r
         JOIN return_version v ON v.return_id = r.return_id AND v.version = r.return_version
         LEFT JOIN release_publication p ON p.release_id = r.id
         {rest}"
    )
}

pub async fn find(conn: &mut Conn, id: Uuid) -> Result<Option<Release>, DbError> {
    let row: Option<Row> = statement(select("WHERE r.id = $1"))
        .bind::<SqlUuid, _>(id)
        .get_result(conn.connection())
        .await
        .optional()?;
    row.map(Release::try_from).transpose()
}

/// A return's, newest first, so many at most.
pub async fn of_return(
    conn: &mut Conn,
    return_id: &str,
    n_most: u32,
) -> Result<Vec<Release>, DbError> {
    let rows: Vec<Row> = statement(select(
        "WHERE r.return_id = $1 ORDER BY r.at DESC, r.id DESC LIMIT $2",
    ))
    .bind::<Text, _>(return_id)
    .bind::<BigInt, _>(i64::from(n_most))
    .load(conn.connection())
    .await?;
    rows.into_iter().map(Release::try_from).collect()
}

/// A return's that are published, all of them, in the order in which they were.
pub async fn published(conn: &mut Conn, return_id: &str) -> Result<Vec<Release>, DbError> {
    let rows: Vec<Row> = statement(select(
        "WHERE p.return_id = $1 ORDER BY p.at, p.number, r.id",
    ))
    .bind::<Text, _>(return_id)
    .load(conn.connection())
    .await?;
    rows.into_iter().map(Release::try_from).collect()
}

/// Those that are made of a submission, newest first.
pub async fn of_submission(conn: &mut Conn, id: Uuid) -> Result<Vec<Release>, DbError> {
    let rows: Vec<Row> = statement(select(
        "JOIN release_submission m ON m.release_id = r.id WHERE m.submission_id = $1 ORDER BY r.at DESC, r.id DESC",
    ))
    .bind::<SqlUuid, _>(id)
    .load(conn.connection())
    .await?;
    rows.into_iter().map(Release::try_from).collect()
}

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = Jsonb)]
    manifest: serde_json::Value,
}

/// The manifest of a release, as it was drafted.
pub async fn manifest(conn: &mut Conn, id: Uuid) -> Result<Option<serde_json::Value>, DbError> {
    let row: Option<Stored> = statement("SELECT manifest FROM release WHERE id = $1")
        .bind::<SqlUuid, _>(id)
        .get_result(conn.connection())
        .await
        .optional()?;
    Ok(row.map(|row| row.manifest))
}

/// Releases of one return are decided on one after the other, until the transaction ends.
pub async fn lock(tx: &mut Tx, return_id: &str) -> Result<(), DbError> {
    statement("SELECT pg_advisory_xact_lock(hashtext('lgdp release ' || $1))")
        .bind::<Text, _>(return_id)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// All files of a release; false where they are there already.
pub async fn add_files(tx: &mut Tx, id: Uuid, files: &[ReleaseFile]) -> Result<bool, DbError> {
    if !self::files(tx, id).await?.is_empty() {
        return Ok(false);
    }
    for (file, ordinal) in files.iter().zip(1_i32..) {
        statement(
            "INSERT INTO release_file (release_id, ordinal, name, content_type, sha256, n_bytes, stored_key)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind::<SqlUuid, _>(id)
        .bind::<Integer, _>(ordinal)
        .bind::<Text, _>(&file.name)
        .bind::<Text, _>(&file.content_type)
        .bind::<Text, _>(&file.sha256)
        .bind::<BigInt, _>(i64::try_from(file.n_bytes).unwrap_or(i64::MAX))
        .bind::<Text, _>(&file.key)
        .execute(tx.connection())
        .await?;
    }
    Ok(true)
}

#[derive(QueryableByName)]
struct FileRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    content_type: String,
    #[diesel(sql_type = Text)]
    sha256: String,
    #[diesel(sql_type = BigInt)]
    n_bytes: i64,
    #[diesel(sql_type = Text)]
    stored_key: String,
}

/// In their order; none: it is not built yet.
pub async fn files(conn: &mut Conn, id: Uuid) -> Result<Vec<ReleaseFile>, DbError> {
    let rows: Vec<FileRow> = statement(
        "SELECT name, content_type, sha256, n_bytes, stored_key FROM release_file WHERE release_id = $1 ORDER BY ordinal",
    )
    .bind::<SqlUuid, _>(id)
    .load(conn.connection())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| ReleaseFile {
            name: row.name,
            content_type: row.content_type,
            sha256: row.sha256,
            n_bytes: row.n_bytes.unsigned_abs(),
            key: row.stored_key,
        })
        .collect())
}

/// False where this person approved it before.
pub async fn approve(tx: &mut Tx, id: Uuid, by_id: Uuid, by_name: &str) -> Result<bool, DbError> {
    let n_added = statement(
        "INSERT INTO release_approval (release_id, by_id, by_name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(by_id)
    .bind::<Text, _>(by_name)
    .execute(tx.connection())
    .await?;
    Ok(n_added == 1)
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Integer)]
    number: i32,
}

/// Publishes a release under the next number of its periods; the database refuses what is not built and approved.
pub async fn publish(tx: &mut Tx, release: &Release) -> Result<u32, DbError> {
    let row: Number = statement(
        "INSERT INTO release_publication (release_id, return_id, from_period, to_period, number)
         SELECT $1, $2, $3, $4, coalesce(max(number), 0) + 1 FROM release_publication
         WHERE return_id = $2 AND from_period = $3 AND to_period = $4
         RETURNING number",
    )
    .bind::<SqlUuid, _>(release.id)
    .bind::<Text, _>(&release.return_id)
    .bind::<Text, _>(&release.from_period)
    .bind::<Text, _>(&release.to_period)
    .get_result(tx.connection())
    .await?;
    Ok(row.number.unsigned_abs())
}
