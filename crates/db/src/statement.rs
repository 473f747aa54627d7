//! A statement that each connection prepares once and keeps.
//!
//! diesel prepares what it is given as plain SQL anew each time, and the database then reads and plans it each time:
//! with row-level security on every table that takes several times as long as running it.
//! This is for statements of which there are only so many; one that is put together for a table of a return, or for
//! what somebody searches for, stays diesel's `sql_query`.

use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};

/// A statement with `$1`, `$2`… in it, whose values follow in that order.
pub fn statement(text: impl Into<String>) -> Statement<NoValues> {
    Statement {
        text: text.into(),
        values: NoValues,
    }
}

#[derive(Debug)]
#[must_use = "it runs when it is loaded or executed"]
pub struct Statement<Values> {
    text: String,
    values: Values,
}

impl<Values> Statement<Values> {
    /// The next value, of the SQL type that is named.
    pub fn bind<ST, V>(self, value: V) -> Statement<Bound<Values, ST, V>> {
        Statement {
            text: self.text,
            values: Bound {
                before: self.values,
                value,
                sql_type: PhantomData,
            },
        }
    }
}

#[derive(Debug)]
pub struct NoValues;

#[derive(Debug)]
pub struct Bound<Before, ST, V> {
    before: Before,
    value: V,
    sql_type: PhantomData<ST>,
}

impl QueryFragment<Pg> for NoValues {
    fn walk_ast<'b>(&'b self, _: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        Ok(())
    }
}

impl<Before, ST, V> QueryFragment<Pg> for Bound<Before, ST, V>
where
    Before: QueryFragment<Pg>,
    V: ToSql<ST, Pg>,
    Pg: HasSqlType<ST>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.before.walk_ast(out.reborrow())?;
        out.push_bind_param_value_only(&self.value)
    }
}

impl<Values: QueryFragment<Pg>> QueryFragment<Pg> for Statement<Values> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(&self.text);
        self.values.walk_ast(out)
    }
}

impl<Values> Query for Statement<Values> {
    type SqlType = Untyped;
}

/// It is told apart from others by its text.
impl<Values> QueryId for Statement<Values> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

#[cfg(test)]
mod tests {
    use diesel::QueryableByName;
    use diesel::sql_types::{BigInt, Integer, Text};
    use diesel_async::RunQueryDsl;
    use testkit::TestDb;

    use super::*;
    use crate::{Config, Db};

    #[derive(QueryableByName)]
    struct Sum {
        #[diesel(sql_type = Integer)]
        sum: i32,
    }

    #[derive(QueryableByName)]
    struct Kept {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }

    #[tokio::test]
    async fn a_connection_prepares_a_statement_once_whatever_its_values() {
        let database = TestDb::new();
        let db = Db::connect(&Config::new(database.url())).await.unwrap();
        let mut conn = db.conn().await.unwrap();
        let text = "SELECT $2 - $1 - $1 AS sum";
        for (less, more) in [(1, 10), (2, 20)] {
            let found: Sum = statement(text)
                .bind::<Integer, _>(less)
                .bind::<Integer, _>(more)
                .get_result(conn.connection())
                .await
                .unwrap();
            assert_eq!(found.sum, more - 2 * less);
        }
        let kept: Kept =
            statement("SELECT count(*) AS n FROM pg_prepared_statements WHERE statement = $1")
                .bind::<Text, _>(text)
                .get_result(conn.connection())
                .await
                .unwrap();
        assert_eq!(kept.n, 1);
    }
}
