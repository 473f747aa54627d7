//! Records that count for a period, with the facts that lead back to their cells.

use chrono::NaiveDate;
use cycle::SubmissionState;
use diesel::sql_types::{Array, Date, Integer, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use spec::{Accumulation, ReturnSpec, TableSpec};
use uuid::Uuid;

use super::ddl;
use crate::handovers::verb_of;
use crate::{DbError, Sees, Tx};

/// Which records.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'a> {
    pub spec: &'a ReturnSpec,
    pub table: &'a TableSpec,
    pub period_label: &'a str,
    /// Whose; the database holds to it too.
    pub sees: &'a Sees,
}

/// A record with where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub submission_id: Uuid,
    pub organisation: String,
    pub organisation_name: String,
    /// The period of the submission it came in; for a cumulative return that may be an earlier one.
    pub period_label: String,
    pub period_end: NaiveDate,
    pub version_number: u32,
    /// Accepted; or signed off or submitted, and so provisional.
    pub state: SubmissionState,
    pub file_name: String,
    pub sha256: String,
    pub sheet: Option<String>,
    /// Item name → column letters, as JSON.
    pub columns: serde_json::Value,
    pub row_number: u32,
    /// In the order of the table's items, in Postgres text form.
    pub values: Vec<Option<String>>,
    /// The sender's own columns of the row: heading → value, as JSON.
    pub own: serde_json::Value,
}

#[derive(QueryableByName)]
struct RecordRow {
    #[diesel(sql_type = SqlUuid)]
    submission_id: Uuid,
    #[diesel(sql_type = Text)]
    organisation: String,
    #[diesel(sql_type = Text)]
    organisation_name: String,
    #[diesel(sql_type = Text)]
    period_label: String,
    #[diesel(sql_type = Date)]
    period_end: NaiveDate,
    #[diesel(sql_type = Integer)]
    version_number: i32,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Text)]
    file_name: String,
    #[diesel(sql_type = Text)]
    sha256: String,
    #[diesel(sql_type = Nullable<Text>)]
    sheet: Option<String>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    columns: Option<serde_json::Value>,
    #[diesel(sql_type = Integer)]
    row_number: i32,
    #[diesel(sql_type = Array<Nullable<Text>>)]
    record_values: Vec<Option<String>>,
    #[diesel(sql_type = Jsonb)]
    own: serde_json::Value,
}

impl TryFrom<RecordRow> for Record {
    type Error = DbError;

    fn try_from(row: RecordRow) -> Result<Self, DbError> {
        Ok(Record {
            submission_id: row.submission_id,
            organisation: row.organisation,
            organisation_name: row.organisation_name,
            period_label: row.period_label,
            period_end: row.period_end,
            version_number: row.version_number.unsigned_abs(),
            state: verb_of(&row.status)?.state(),
            file_name: row.file_name,
            sha256: row.sha256,
            sheet: row.sheet,
            columns: row.columns.unwrap_or_default(),
            row_number: row.row_number.unsigned_abs(),
            values: row.record_values,
            own: row.own,
        })
    }
}

/// A server-side cursor: rows are read as they are asked for, however many there are.
pub struct Records {
    _private: (),
}

impl Records {
    /// Opens the cursor; the order is organisation, period, version, row. A transaction has one at a time.
    pub async fn open(tx: &mut Tx, selection: &Selection<'_>) -> Result<Self, DbError> {
        sql_query(format!(
            "DECLARE records NO SCROLL CURSOR FOR {}",
            select(selection)?
        ))
        .execute(tx.connection())
        .await?;
        Ok(Self { _private: () })
    }

    /// Makes room for another one in the same transaction.
    pub async fn close(self, tx: &mut Tx) -> Result<(), DbError> {
        sql_query("CLOSE records").execute(tx.connection()).await?;
        Ok(())
    }

    /// The next rows, at most `limit`; none at the end.
    pub async fn fetch(&mut self, tx: &mut Tx, limit: u32) -> Result<Vec<Record>, DbError> {
        let rows: Vec<RecordRow> = sql_query(format!("FETCH {limit} FROM records"))
            .load(tx.connection())
            .await?;
        rows.into_iter().map(Record::try_from).collect()
    }
}

/// A cursor's statement has no parameters of its own, hence the literals.
fn select(selection: &Selection<'_>) -> Result<String, DbError> {
    let Selection {
        spec,
        table,
        period_label,
        sees,
    } = *selection;
    let columns = ddl::columns(table)?;
    let name = super::table_name(spec, table)?;
    let values: Vec<String> = columns
        .iter()
        .map(|column| format!("r.\"{}\"::text", column.name))
        .collect();
    let keys = ddl::key_columns(table, &columns);
    let cumulative = spec.accumulation == Accumulation::Cumulative && !keys.is_empty();
    let return_id = ddl::literal(&spec.id);
    let period = ddl::literal(period_label);

    let (distinct, period_condition, first_order) = if cumulative {
        (
            format!("DISTINCT ON (r.organisation, {})", keys.join(", ")),
            format!(
                "c.period_end <= (SELECT period_end FROM cycle WHERE return_id = {return_id} AND period_label = {period})"
            ),
            format!(
                "ORDER BY r.organisation, {}, c.period_end DESC, s.version_number DESC, r.row_number DESC",
                keys.join(", ")
            ),
        )
    } else {
        (
            String::new(),
            format!("c.period_label = {period}"),
            String::new(),
        )
    };
    let counts = if cumulative {
        "counting_submission"
    } else {
        "standing_submission"
    };
    let only = match sees {
        Sees::Everyone => String::new(),
        Sees::Organisations(codes) => {
            let codes: Vec<String> = codes.iter().map(|code| ddl::literal(code)).collect();
            format!(
                "AND r.organisation = ANY (ARRAY[{}]::text[])",
                codes.join(", ")
            )
        }
    };
    Ok(format!(
        "SELECT * FROM (
            SELECT {distinct} s.id AS submission_id, r.organisation, g.name AS organisation_name,
                c.period_label, c.period_end, s.version_number, k.status,
                s.file_name, s.file_sha256 AS sha256, t.sheet, t.columns, r.row_number,
                ARRAY[{}]::text[] AS record_values, r._own AS own
            FROM {name} r
            JOIN {counts} k ON k.submission_id = r.submission_id
            JOIN submission s ON s.id = r.submission_id
            JOIN obligation o ON o.id = s.obligation_id
            JOIN cycle c ON c.id = o.cycle_id AND c.return_id = {return_id}
            JOIN organisation g ON g.code = r.organisation
            LEFT JOIN submission_table t ON t.submission_id = s.id AND t.table_name = {}
            WHERE {period_condition} {only}
            {first_order}
        ) records
        ORDER BY organisation, period_end, version_number, row_number",
        values.join(", "),
        ddl::literal(&table.name),
    ))
}
