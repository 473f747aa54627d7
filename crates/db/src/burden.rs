//! How much work a return makes: how often it is sent until nothing is left to fix, and how long that takes.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Double, Nullable, Text};
use diesel_async::RunQueryDsl;

use crate::statement::statement;
use crate::{Conn, DbError};

/// Of one return, over all its rounds and organisations.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub struct Burden {
    #[diesel(sql_type = Text)]
    pub return_id: String,
    #[diesel(sql_type = Text)]
    pub return_title: String,
    /// Answers of which a file was sent.
    #[diesel(sql_type = BigInt)]
    pub n_answers: i64,
    /// Of those, where nothing is left to fix.
    #[diesel(sql_type = BigInt)]
    pub n_clean: i64,
    /// Of those, at the first file.
    #[diesel(sql_type = BigInt)]
    pub n_clean_at_once: i64,
    /// Files until nothing was left to fix: half of the answers took so many or fewer, and the most.
    #[diesel(sql_type = Nullable<Double>)]
    pub median_files: Option<f64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub most_files: Option<i64>,
    /// Hours from the first file to the one with nothing left to fix: half of the answers took so long or less.
    #[diesel(sql_type = Nullable<Double>)]
    pub median_hours: Option<f64>,
    #[diesel(embed)]
    pub reported: Reported,
}

/// What whoever signed off said that it took, where they said it.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub struct Reported {
    /// Answers that were signed off, declarations that there is nothing to report among them.
    #[diesel(sql_type = BigInt)]
    pub n_signed_off: i64,
    /// Of those, where the hours were said.
    #[diesel(sql_type = BigInt)]
    pub n_reported: i64,
    /// Hours of work: half of those took so long or less.
    #[diesel(sql_type = Nullable<Double>)]
    pub median_worked: Option<f64>,
}

/// Each answer that was signed off, with its hours in quarters: of several versions the newest that says it counts.
const SIGNED_OFF: &str = "signed_off AS (
            SELECT DISTINCT ON (s.obligation_id) s.obligation_id, h.quarter_hours
            FROM handover h JOIN submission s ON s.id = h.submission_id WHERE h.verb = 'sign_off'
            ORDER BY s.obligation_id, h.quarter_hours IS NULL, s.version_number DESC
         )";

/// The columns of [`Reported`].
const REPORTED: &str = "count(*) AS n_signed_off, count(r.quarter_hours) AS n_reported,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY r.quarter_hours) / 4 AS median_worked";

/// Of every return that anything was sent for, by title.
pub async fn by_return(conn: &mut Conn) -> Result<Vec<Burden>, DbError> {
    Ok(statement(format!(
        "WITH sent AS (
            SELECT obligation_id, received_at, outcome IN ('ready', 'needs_explanation') AS is_clean,
                   row_number() OVER (PARTITION BY obligation_id ORDER BY version_number) AS nth
            FROM submission WHERE NOT is_nil
         ), timed AS (
            SELECT obligation_id, min(nth) FILTER (WHERE is_clean) AS clean,
                   (extract(epoch FROM min(received_at) FILTER (WHERE is_clean) - min(received_at)) / 3600)::double precision AS hours
            FROM sent GROUP BY obligation_id
         ), made AS (
            SELECT c.return_id, count(*) AS n_answers, count(t.clean) AS n_clean,
                   count(*) FILTER (WHERE t.clean = 1) AS n_clean_at_once,
                   percentile_cont(0.5) WITHIN GROUP (ORDER BY t.clean) AS median_files, max(t.clean) AS most_files,
                   percentile_cont(0.5) WITHIN GROUP (ORDER BY t.hours) AS median_hours
            FROM timed t JOIN obligation o ON o.id = t.obligation_id JOIN cycle c ON c.id = o.cycle_id
            GROUP BY c.return_id
         ), {SIGNED_OFF}, worked AS (
            SELECT c.return_id, {REPORTED}
            FROM signed_off r JOIN obligation o ON o.id = r.obligation_id JOIN cycle c ON c.id = o.cycle_id
            GROUP BY c.return_id
         )
         SELECT b.return_id, (SELECT max(v.title) FROM return_version v WHERE v.return_id = b.return_id) AS return_title,
                coalesce(n_answers, 0) AS n_answers, coalesce(n_clean, 0) AS n_clean,
                coalesce(n_clean_at_once, 0) AS n_clean_at_once, median_files, most_files, median_hours,
                coalesce(n_signed_off, 0) AS n_signed_off, coalesce(n_reported, 0) AS n_reported, median_worked
         FROM (SELECT * FROM made FULL JOIN worked USING (return_id)) b ORDER BY 2, 1"
    ))
    .load(conn.connection())
    .await?)
}

/// What one return took an organisation.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub struct BurdenOf {
    #[diesel(sql_type = Text)]
    pub organisation_name: String,
    #[diesel(embed)]
    pub reported: Reported,
}

/// Of every organisation that signed it off, by name.
pub async fn by_organisation(conn: &mut Conn, return_id: &str) -> Result<Vec<BurdenOf>, DbError> {
    Ok(statement(format!(
        "WITH {SIGNED_OFF}
         SELECT g.name AS organisation_name, {REPORTED}
         FROM signed_off r JOIN obligation o ON o.id = r.obligation_id JOIN cycle c ON c.id = o.cycle_id
         JOIN organisation g ON g.code = o.organisation
         WHERE c.return_id = $1 GROUP BY g.code, g.name ORDER BY g.name, g.code"
    ))
    .bind::<Text, _>(return_id)
    .load(conn.connection())
    .await?)
}
