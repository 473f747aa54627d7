//! One figure over several versions: the same item of the record that is known by the same keys.

use diesel::sql_types::{Array, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::changes::InVersion;
use super::{ddl, table_name};
use crate::{Conn, DbError};

#[derive(QueryableByName)]
struct ValueRow {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

/// The first item of the record of which the others have these values, all as a newer version calls them;
/// `None` where it is blank or not asked for, or there is no such record or more than one.
pub async fn value_of(
    conn: &mut Conn,
    of: &InVersion<'_>,
    submission_id: Uuid,
    keys: &[Option<String>],
) -> Result<Option<String>, DbError> {
    let texts = texts(of)?;
    let Some((value, known_by)) = texts.split_first() else {
        return Ok(None);
    };
    let rows: Vec<ValueRow> = sql_query(format!(
        "SELECT {value} AS value FROM {} r WHERE submission_id = $1 AND ARRAY[{}]::text[] = $2::text[] LIMIT 2",
        table_name(of.spec, of.table)?,
        known_by.join(", ")
    ))
    .bind::<SqlUuid, _>(submission_id)
    .bind::<Array<Nullable<Text>>, _>(keys)
    .load(conn.connection())
    .await?;
    match rows.len() {
        1 => Ok(rows.into_iter().next().and_then(|row| row.value)),
        _ => Ok(None),
    }
}

#[derive(QueryableByName)]
struct PlaceRow {
    #[diesel(sql_type = SqlUuid)]
    submission_id: Uuid,
    #[diesel(sql_type = Integer)]
    row_number: i32,
}

/// Of the records that are known by the same in some submissions of one organisation the one that came last: the
/// submission and its row. `of` names the keys, and the submissions are in the order in which they count.
pub async fn last_known_by(
    conn: &mut Conn,
    of: &InVersion<'_>,
    submissions: &[Uuid],
    keys: &[Option<String>],
) -> Result<Option<(Uuid, u32)>, DbError> {
    let row: Option<PlaceRow> = sql_query(format!(
        "SELECT r.submission_id, r.row_number FROM {} r
         JOIN unnest($1::uuid[]) WITH ORDINALITY AS m (id, place) ON m.id = r.submission_id
         WHERE ARRAY[{}]::text[] = $2::text[] ORDER BY m.place DESC, r.row_number DESC LIMIT 1",
        table_name(of.spec, of.table)?,
        texts(of)?.join(", ")
    ))
    .bind::<Array<SqlUuid>, _>(submissions)
    .bind::<Array<Nullable<Text>>, _>(keys)
    .get_result(conn.connection())
    .await
    .optional()?;
    Ok(row.map(|row| (row.submission_id, row.row_number.unsigned_abs())))
}

/// The items as texts, with codes as they are called now.
fn texts(of: &InVersion<'_>) -> Result<Vec<String>, DbError> {
    let columns = ddl::columns(of.table)?;
    let texts = of.items.iter().enumerate().map(|(idx, name)| {
        let column = name.and_then(|name| columns.iter().find(|of| of.item.name == name));
        let text = column.map(|column| format!("r.\"{}\"::text", column.name));
        match (text, of.codes.get(idx).filter(|codes| !codes.is_empty())) {
            (Some(text), Some(codes)) => ddl::now_called(&text, codes),
            (Some(text), None) => text,
            (None, _) => "NULL".to_owned(),
        }
    });
    Ok(texts.collect())
}
