//! What was added up and kept, so that nobody has to wait for it.
//!
//! A key says everything that sums follow from: of which submissions, in which order, from which columns. What a
//! submission has never changes, so that what is kept under a key is right for as long as it is kept.

use std::collections::BTreeMap;

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Jsonb, Nullable, Text};
use diesel_async::RunQueryDsl;

use super::{Sums, SumsColumns};
use crate::statement::statement;
use crate::{Conn, DbError};

/// What sums are known by.
pub type Key = [u8; 32];

#[derive(QueryableByName)]
struct KeptRow {
    #[diesel(sql_type = Binary)]
    key: Vec<u8>,
    #[diesel(embed)]
    sums: SumsColumns,
}

/// Those that are kept, in any order: with the one code that is asked for, and where `with_all_codes` says so with all.
pub async fn kept(
    conn: &mut Conn,
    keys: &[Key],
    code: Option<&str>,
    with_all_codes: &[Key],
) -> Result<Vec<(Key, Sums)>, DbError> {
    let rows: Vec<KeptRow> = statement(
        "SELECT key, n_records, n_filled, total::text, middle::text, only_row,
            CASE WHEN key = ANY ($3) THEN codes
                 WHEN codes ? $2 THEN jsonb_build_object($2, codes -> $2) END AS codes
         FROM look_sum WHERE key = ANY ($1)",
    )
    .bind::<Array<Binary>, _>(slices(keys))
    .bind::<Nullable<Text>, _>(code)
    .bind::<Array<Binary>, _>(slices(with_all_codes))
    .load(conn.connection())
    .await?;
    rows.into_iter()
        .map(|row| Ok((key_of(&row.key)?, row.sums.sums()?)))
        .collect()
}

#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = Binary)]
    key: Vec<u8>,
}

/// The keys of those that are kept.
pub async fn which_are_kept(conn: &mut Conn, keys: &[Key]) -> Result<Vec<Key>, DbError> {
    let rows: Vec<KeyRow> = statement("SELECT key FROM look_sum WHERE key = ANY ($1)")
        .bind::<Array<Binary>, _>(slices(keys))
        .load(conn.connection())
        .await?;
    rows.into_iter().map(|row| key_of(&row.key)).collect()
}

/// Keeps what an organisation's records come to; what is there already stays.
pub async fn keep(
    conn: &mut Conn,
    (return_id, organisation): (&str, &str),
    sums: &BTreeMap<Key, Sums>,
) -> Result<(), DbError> {
    let keys: Vec<&[u8]> = sums.keys().map(<[u8; 32]>::as_slice).collect();
    let sums = || sums.values();
    let whole = |n: u64| i64::try_from(n).map_err(DbError::stored);
    let n_records: Vec<i64> = sums()
        .map(|sums| whole(sums.n_records))
        .collect::<Result<_, _>>()?;
    let n_filled: Vec<i64> = sums()
        .map(|sums| whole(sums.n_filled))
        .collect::<Result<_, _>>()?;
    let totals: Vec<Option<&str>> = sums().map(|sums| sums.total.as_deref()).collect();
    let middles: Vec<Option<&str>> = sums().map(|sums| sums.middle.as_deref()).collect();
    let codes: Vec<serde_json::Value> = sums()
        .map(|sums| serde_json::to_value(&sums.codes).map_err(DbError::stored))
        .collect::<Result<_, _>>()?;
    let only_rows: Vec<Option<i32>> = sums()
        .map(|sums| sums.only_row.and_then(|row| i32::try_from(row).ok()))
        .collect();
    statement(
        "INSERT INTO look_sum (key, return_id, organisation, n_records, n_filled, total, middle, codes, only_row)
         SELECT key, $1, $2, n_records, n_filled, total::numeric, middle::numeric, codes, only_row
         FROM unnest($3, $4, $5, $6, $7, $8, $9) AS sums (key, n_records, n_filled, total, middle, codes, only_row)
         ON CONFLICT (key) DO NOTHING",
    )
    .bind::<Text, _>(return_id)
    .bind::<Text, _>(organisation)
    .bind::<Array<Binary>, _>(keys)
    .bind::<Array<BigInt>, _>(n_records)
    .bind::<Array<BigInt>, _>(n_filled)
    .bind::<Array<Nullable<Text>>, _>(totals)
    .bind::<Array<Nullable<Text>>, _>(middles)
    .bind::<Array<Jsonb>, _>(codes)
    .bind::<Array<Nullable<Integer>>, _>(only_rows)
    .execute(conn.connection())
    .await?;
    Ok(())
}

/// The keys of what is kept of an organisation's records of a return.
pub async fn all_kept(
    conn: &mut Conn,
    (return_id, organisation): (&str, &str),
) -> Result<Vec<Key>, DbError> {
    let rows: Vec<KeyRow> =
        statement("SELECT key FROM look_sum WHERE return_id = $1 AND organisation = $2")
            .bind::<Text, _>(return_id)
            .bind::<Text, _>(organisation)
            .load(conn.connection())
            .await?;
    rows.into_iter().map(|row| key_of(&row.key)).collect()
}

/// Forgets what nobody will ask for any more.
pub async fn forget(conn: &mut Conn, keys: &[Key]) -> Result<(), DbError> {
    statement("DELETE FROM look_sum WHERE key = ANY ($1)")
        .bind::<Array<Binary>, _>(slices(keys))
        .execute(conn.connection())
        .await?;
    Ok(())
}

fn slices(keys: &[Key]) -> Vec<&[u8]> {
    keys.iter().map(<[u8; 32]>::as_slice).collect()
}

fn key_of(bytes: &[u8]) -> Result<Key, DbError> {
    Key::try_from(bytes).map_err(DbError::stored)
}
