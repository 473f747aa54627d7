//! Every table and column says what it is.

use diesel::sql_types::Text;
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;

use crate::{Config, Db};

#[derive(QueryableByName)]
struct Undocumented {
    #[diesel(sql_type = Text)]
    name: String,
}

#[tokio::test]
async fn every_table_and_column_has_a_comment() {
    let database = testkit::TestDb::new();
    let db = Db::connect(&Config::new(database.url())).await.unwrap();
    let missing: Vec<Undocumented> = sql_query(
        "SELECT n.nspname || '.' || c.relname || coalesce('.' || a.attname, '') AS name
         FROM pg_class c
         JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('public', 'ret')
         JOIN LATERAL (
            SELECT NULL::name AS attname, 0 AS attnum
            UNION ALL
            SELECT attname, attnum FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
         ) a ON true
         WHERE c.relkind IN ('r', 'v', 'p') AND c.relname <> '__diesel_schema_migrations'
           AND coalesce(col_description(c.oid, a.attnum), CASE WHEN a.attnum = 0 THEN obj_description(c.oid, 'pg_class') END, '') = ''
         ORDER BY 1",
    )
    .load(db.conn().await.unwrap().connection())
    .await
    .unwrap();
    let missing: Vec<String> = missing.into_iter().map(|row| row.name).collect();
    assert!(missing.is_empty(), "without a comment: {missing:?}");
}
