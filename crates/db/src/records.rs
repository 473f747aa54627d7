//! Records of returns: a typed table for each return version and record table, made from the spec.
//!
//! Besides its items a record has `submission_id`, `organisation` and `row_number` (the sheet's row), so that each value can be traced to its cell,
//! and `_own`, the sender's own columns of the row.

mod changes;
mod ddl;
pub mod look;
mod pages;
mod read;
mod series;

use std::fmt::Write as _;

use diesel::pg::Pg;
use diesel::sql_query;
use diesel::sql_types::{Array, Integer, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use spec::{ReturnSpec, TableSpec};
use uuid::Uuid;

use crate::{DbError, Tx};

pub use changes::{
    Asked, Change, ChangeCounts, ChangedRecord, ChangedRecords, Changes, Compared, Comparison,
    Figure, InVersion, LeftOut, RecordPlace, Side, changes, n_changes,
};
pub use pages::{RecordRef, Records, copied};
pub use read::{
    Counted, Missing, Newest, Places, Record, Source, Span, counted, missing, n_records, page,
    places,
};
pub use series::{last_known_by, value_of};

/// Makes the record tables and views of a return version; harmless when repeated.
pub async fn ensure_tables(tx: &mut Tx, spec: &ReturnSpec) -> Result<(), DbError> {
    for table in &spec.tables {
        let ddl = ddl::create(spec, table)?;
        tx.connection().batch_execute(&ddl).await?;
    }
    Ok(())
}

/// The name of a record table: `ret.hl1_v1_4_case`.
pub fn table_name(spec: &ReturnSpec, table: &TableSpec) -> Result<String, DbError> {
    Ok(format!("ret.{}", ddl::bare_name(spec, table)?))
}

/// Rows to load, a column at a time.
#[derive(Debug, Clone)]
pub struct Block<'a> {
    /// 1-based sheet rows.
    pub row_numbers: &'a [u32],
    /// Item name and its values in Postgres text form, one for each row.
    pub columns: Vec<(&'a str, &'a [Option<String>])>,
    /// The sender's own columns of each row, by heading; none: no row has any.
    pub own: Option<Vec<serde_json::Value>>,
}

/// Loads a block in one statement; gives the number of rows.
pub async fn add(
    tx: &mut Tx,
    spec: &ReturnSpec,
    table: &TableSpec,
    submission_id: Uuid,
    organisation: &str,
    block: &Block<'_>,
) -> Result<u64, DbError> {
    let row_numbers: Vec<i32> = block
        .row_numbers
        .iter()
        .map(|&n| i32::try_from(n))
        .collect::<Result<_, _>>()
        .map_err(DbError::stored)?;
    let mut query = sql_query(insert_statement(spec, table, block)?)
        .into_boxed::<Pg>()
        .bind::<SqlUuid, _>(submission_id)
        .bind::<Text, _>(organisation.to_owned())
        .bind::<Array<Integer>, _>(row_numbers);
    for (_, values) in &block.columns {
        query = query.bind::<Array<Nullable<Text>>, _>(*values);
    }
    if let Some(own) = &block.own {
        query = query.bind::<Array<Jsonb>, _>(own);
    }
    let n_added = query.execute(tx.connection()).await?;
    Ok(n_added as u64)
}

/// Shorter columns than the block has rows would be filled with nulls by `unnest`, so that is refused here.
fn insert_statement(
    spec: &ReturnSpec,
    table: &TableSpec,
    block: &Block<'_>,
) -> Result<String, DbError> {
    let wrong = |why: String| DbError::Table {
        what: format!("{} {}", spec.id, table.name),
        why,
    };
    let columns = ddl::columns(table)?;
    let mut names = String::new();
    let mut casts = String::new();
    let mut arrays = String::new();
    let mut aliases = String::new();
    for (idx, (item, values)) in block.columns.iter().enumerate() {
        let column = columns
            .iter()
            .find(|column| column.item.name == *item)
            .ok_or_else(|| wrong(format!("it has no item {item}")))?;
        if values.len() != block.row_numbers.len() {
            return Err(wrong(format!("{item} has another number of values")));
        }
        let _ = write!(names, ", \"{}\"", column.name);
        let _ = write!(casts, ", c{idx}::{}", column.sql_type);
        let _ = write!(arrays, ", ${}", idx + 4);
        let _ = write!(aliases, ", c{idx}");
    }
    if let Some(own) = &block.own {
        if own.len() != block.row_numbers.len() {
            return Err(wrong(
                "its own columns have another number of values".to_owned(),
            ));
        }
        names.push_str(", \"_own\"");
        casts.push_str(", own");
        let _ = write!(arrays, ", ${}", block.columns.len() + 4);
        aliases.push_str(", own");
    }
    Ok(format!(
        "INSERT INTO {} (submission_id, organisation, row_number{names})
         SELECT $1, $2, n{casts} FROM unnest($3{arrays}) AS block (n{aliases})",
        table_name(spec, table)?
    ))
}
