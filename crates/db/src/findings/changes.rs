//! What became of one version's findings in another.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use finding::{RuleId, Severity};
use uuid::Uuid;

use super::severity_of;
use crate::statement::statement;
use crate::{Conn, DbError};

/// How many places are named.
const PLACES: i32 = 5;

/// What became of the findings of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleChanges {
    pub rule: RuleId,
    /// Of the first of them, in the newer version if it has any.
    pub severity: Severity,
    pub message: String,
    pub n_new: u64,
    pub n_gone: u64,
    pub n_stay: u64,
    /// The first few cells.
    pub new_places: Vec<String>,
    pub gone_places: Vec<String>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    rule: String,
    #[diesel(sql_type = Text)]
    severity: String,
    #[diesel(sql_type = Text)]
    message: String,
    #[diesel(sql_type = BigInt)]
    n_new: i64,
    #[diesel(sql_type = BigInt)]
    n_gone: i64,
    #[diesel(sql_type = BigInt)]
    n_stay: i64,
    #[diesel(sql_type = Array<Text>)]
    new_places: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    gone_places: Vec<String>,
}

/// By rule, worst first. Findings are the same by their keys, and by their places where one was stored before there were keys.
pub async fn changes(conn: &mut Conn, old: Uuid, new: Uuid) -> Result<Vec<RuleChanges>, DbError> {
    let rows: Vec<Row> = statement(format!(
        "WITH keyed AS (
            SELECT NOT EXISTS (SELECT FROM finding WHERE submission_id IN ($1, $2) AND key IS NULL) AS is_keyed
         ),
         known AS (
            SELECT *, row_number() OVER (PARTITION BY submission_id, rule, known_by ORDER BY ordinal) AS nth
            FROM (
                SELECT f.*, CASE WHEN is_keyed THEN key ELSE concat_ws(chr(31), table_name, item, cell, row_number) END AS known_by
                FROM finding f, keyed WHERE submission_id IN ($1, $2)
            ) f
         ),
         pairs AS (
            SELECT coalesce(n.rule, o.rule) AS rule, coalesce(n.severity, o.severity) AS severity,
                coalesce(n.message, o.message) AS message,
                coalesce(n.cell, n.table_name, o.cell, o.table_name) AS place,
                n.ordinal AS new_ordinal, o.ordinal AS old_ordinal,
                row_number() OVER (PARTITION BY coalesce(n.rule, o.rule), n.ordinal IS NULL, o.ordinal IS NULL ORDER BY n.ordinal, o.ordinal) AS nth_of_kind
            FROM (SELECT * FROM known WHERE submission_id = $2) n
            FULL JOIN (SELECT * FROM known WHERE submission_id = $1) o
              ON n.rule = o.rule AND n.known_by = o.known_by AND n.nth = o.nth
         )
         SELECT rule, (array_agg(severity ORDER BY new_ordinal, old_ordinal))[1] AS severity,
            (array_agg(message ORDER BY new_ordinal, old_ordinal) FILTER (WHERE nth_of_kind = 1))[1] AS message,
            count(*) FILTER (WHERE old_ordinal IS NULL) AS n_new,
            count(*) FILTER (WHERE new_ordinal IS NULL) AS n_gone,
            count(*) FILTER (WHERE new_ordinal IS NOT NULL AND old_ordinal IS NOT NULL) AS n_stay,
            coalesce(array_agg(place ORDER BY new_ordinal) FILTER (WHERE old_ordinal IS NULL AND nth_of_kind <= {PLACES} AND place IS NOT NULL), '{{}}') AS new_places,
            coalesce(array_agg(place ORDER BY old_ordinal) FILTER (WHERE new_ordinal IS NULL AND nth_of_kind <= {PLACES} AND place IS NOT NULL), '{{}}') AS gone_places
         FROM pairs GROUP BY rule
         ORDER BY array_position(ARRAY['blocker', 'error', 'query', 'note'], (array_agg(severity ORDER BY new_ordinal, old_ordinal))[1]), rule"
    ))
    .bind::<SqlUuid, _>(old)
    .bind::<SqlUuid, _>(new)
    .load(conn.connection())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(RuleChanges {
                rule: RuleId::from(row.rule),
                severity: severity_of(&row.severity)?,
                message: row.message,
                n_new: row.n_new.unsigned_abs(),
                n_gone: row.n_gone.unsigned_abs(),
                n_stay: row.n_stay.unsigned_abs(),
                new_places: row.new_places,
                gone_places: row.gone_places,
            })
        })
        .collect()
}
