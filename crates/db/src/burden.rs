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
}

/// Of every return that anything was sent for, by title.
pub async fn by_return(conn: &mut Conn) -> Result<Vec<Burden>, DbError> {
    Ok(statement(
        "WITH answer AS (
            SELECT s.obligation_id, min(s.received_at) AS began_at,
                   min(s.version_number) FILTER (WHERE s.outcome IN ('ready', 'needs_explanation')) AS clean
            FROM submission s WHERE NOT s.is_nil GROUP BY s.obligation_id
         ), timed AS (
            SELECT a.obligation_id, a.clean::bigint AS clean,
                   (extract(epoch FROM s.received_at - a.began_at) / 3600)::double precision AS hours
            FROM answer a LEFT JOIN submission s ON s.obligation_id = a.obligation_id AND s.version_number = a.clean
         )
         SELECT c.return_id, max(v.title) AS return_title, count(*) AS n_answers, count(t.clean) AS n_clean,
                count(*) FILTER (WHERE t.clean = 1) AS n_clean_at_once,
                percentile_cont(0.5) WITHIN GROUP (ORDER BY t.clean) AS median_files, max(t.clean) AS most_files,
                percentile_cont(0.5) WITHIN GROUP (ORDER BY t.hours) AS median_hours
         FROM timed t JOIN obligation o ON o.id = t.obligation_id JOIN cycle c ON c.id = o.cycle_id
         JOIN return_version v ON v.return_id = c.return_id AND v.version = c.version
         GROUP BY c.return_id ORDER BY 2, 1",
    )
    .load(conn.connection())
    .await?)
}
