//! Submissions a page at a time, the newest first.

use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{Submission, SubmissionRow, select};
use crate::statement::statement;
use crate::{Conn, DbError};

/// Which submissions, or obligations; `None`: of all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub organisation: Option<String>,
    /// Any of these.
    pub returns: Option<Vec<String>>,
    /// Its label.
    pub period: Option<String>,
}

/// At most `limit`, those that came before `before`.
pub async fn page(
    conn: &mut Conn,
    filter: &Filter,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Submission>, DbError> {
    let rows: Vec<SubmissionRow> = statement(select(
        "WHERE ($1::text IS NULL OR s.organisation = $1)
           AND ($2::text[] IS NULL OR c.return_id = ANY ($2))
           AND ($3::text IS NULL OR c.period_label = $3)
           AND ($4::uuid IS NULL OR s.id < $4)
         ORDER BY s.id DESC LIMIT $5",
    ))
    .bind::<Nullable<Text>, _>(&filter.organisation)
    .bind::<Nullable<Array<Text>>, _>(&filter.returns)
    .bind::<Nullable<Text>, _>(&filter.period)
    .bind::<Nullable<SqlUuid>, _>(before)
    .bind::<BigInt, _>(limit)
    .load(conn.connection())
    .await?;
    rows.into_iter().map(Submission::try_from).collect()
}
