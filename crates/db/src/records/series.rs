//! One figure over several versions: the same item of the record that is known by the same keys.

use diesel::sql_types::{Array, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;

use super::changes::Side;
use super::ddl;
use crate::{Conn, DbError};

#[derive(QueryableByName)]
struct KeysRow {
    #[diesel(sql_type = Array<Nullable<Text>>)]
    keys: Vec<Option<String>>,
}

/// The values of a record's keys, in the order of its table's; `None` where there is no such record.
pub async fn keys_of(
    conn: &mut Conn,
    of: &Side<'_>,
    row_number: u32,
) -> Result<Option<Vec<Option<String>>>, DbError> {
    let columns = ddl::columns(of.table)?;
    let keys = ddl::key_columns(of.table, &columns);
    if keys.is_empty() {
        return Ok(None);
    }
    let keys: Vec<String> = keys.iter().map(|key| format!("{key}::text")).collect();
    let rows: Vec<KeysRow> = sql_query(format!(
        "SELECT ARRAY[{}] AS keys FROM {} r WHERE submission_id = $1 AND row_number = $2",
        keys.join(", "),
        super::table_name(of.spec, of.table)?
    ))
    .bind::<SqlUuid, _>(of.submission_id)
    .bind::<Integer, _>(i32::try_from(row_number).unwrap_or(i32::MAX))
    .load(conn.connection())
    .await?;
    Ok(rows.into_iter().map(|row| row.keys).next())
}

#[derive(QueryableByName)]
struct ValueRow {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

/// An item of the record with these keys; `None` where it is blank, or there is no such record or more than one.
pub async fn value_of(
    conn: &mut Conn,
    of: &Side<'_>,
    item: &str,
    keys: &[Option<String>],
) -> Result<Option<String>, DbError> {
    let columns = ddl::columns(of.table)?;
    let own = ddl::key_columns(of.table, &columns);
    let column = columns.iter().find(|column| column.item.name == item);
    let Some(column) = column.filter(|_| own.len() == keys.len()) else {
        return Ok(None);
    };
    let own: Vec<String> = own.iter().map(|key| format!("{key}::text")).collect();
    let rows: Vec<ValueRow> = sql_query(format!(
        "SELECT r.\"{}\"::text AS value FROM {} r
         WHERE submission_id = $1 AND ARRAY[{}] = $2::text[] LIMIT 2",
        column.name,
        super::table_name(of.spec, of.table)?,
        own.join(", ")
    ))
    .bind::<SqlUuid, _>(of.submission_id)
    .bind::<Array<Nullable<Text>>, _>(keys)
    .load(conn.connection())
    .await?;
    match rows.len() {
        1 => Ok(rows.into_iter().next().and_then(|row| row.value)),
        _ => Ok(None),
    }
}
