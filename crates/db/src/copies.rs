//! Bulk reading by `COPY`, for which diesel has no word, on connections of its own.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, pin_mut};
use tokio::sync::Semaphore;
use tokio_postgres::Client;

use crate::connect::Target;
use crate::{DbError, Sees};

/// The connections that copy. Each is used for one block and then by whoever is next: none waits for a slow reader.
pub(crate) struct Copies {
    target: Target,
    may_copy: Semaphore,
    idle: Mutex<Vec<Client>>,
    wait: Duration,
}

impl Copies {
    pub(crate) fn new(target: Target, n_at_once: usize, wait: Duration) -> Self {
        Self {
            target,
            may_copy: Semaphore::new(n_at_once),
            idle: Mutex::default(),
            wait,
        }
    }

    /// Gives each row of a query to `each` as `COPY … (FORMAT text)` has it, without the end of its line.
    pub(crate) async fn copy(
        &self,
        sees: &Sees,
        query: &str,
        mut each: impl FnMut(&[u8]) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        let permit = tokio::time::timeout(self.wait, self.may_copy.acquire()).await;
        let _permit = permit
            .map_err(|_| DbError::Busy)?
            .map_err(|closed| DbError::Connect(closed.to_string()))?;
        let idle = self.idle().pop();
        let client = match idle.filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => self.target.connect_to_copy().await?,
        };
        client.batch_execute(&sees.begin("BEGIN READ ONLY")).await?;
        let rows = client
            .copy_out(&format!("COPY ({query}) TO STDOUT"))
            .await?;
        pin_mut!(rows);
        while let Some(row) = rows.next().await {
            let row = row?;
            each(row.strip_suffix(b"\n").unwrap_or(&row))?;
        }
        client.batch_execute("COMMIT").await?;
        // One that was left half way is not given back, and so ends with its transaction.
        self.idle().push(client);
        Ok(())
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Client>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends those that nobody uses.
    pub(crate) fn close(&self) {
        self.may_copy.close();
        self.idle().clear();
    }
}

#[cfg(test)]
mod tests {
    use testkit::TestDb;

    use super::*;
    use crate::{Config, Db};

    async fn rows(db: &Db, sees: &Sees, query: &str) -> Result<Vec<String>, DbError> {
        let mut rows = Vec::new();
        db.copy(sees, query, |row| {
            rows.push(String::from_utf8_lossy(row).into_owned());
            Ok(())
        })
        .await?;
        Ok(rows)
    }

    const SEEN: &str = "SELECT current_setting('lgdp.sees'), current_setting('transaction_read_only'), current_user";

    #[tokio::test]
    async fn each_copy_sees_what_it_is_allowed_and_nothing_is_left_of_the_last() {
        let database = TestDb::new();
        let db = Db::connect(&Config::new(database.url())).await.unwrap();
        let of_one = Sees::Organisations(vec!["S1".to_owned()]);
        for (sees, word) in [(&of_one, "S1"), (&Sees::Everyone, "everyone")] {
            let seen = rows(&db, sees, SEEN).await.unwrap();
            assert_eq!(seen, [format!("{word}\ton\tlgdp_app")]);
        }
    }

    #[tokio::test]
    async fn one_that_is_left_half_way_is_not_used_again() {
        let database = TestDb::new();
        let db = Db::connect(&Config::new(database.url())).await.unwrap();
        let pid = "SELECT pg_backend_pid()";
        let first = rows(&db, &Sees::Everyone, pid).await.unwrap();
        assert_eq!(rows(&db, &Sees::Everyone, pid).await.unwrap(), first);
        let many = "SELECT generate_series(1, 100000)";
        let enough = |_: &[u8]| Err(DbError::Busy);
        assert!(db.copy(&Sees::Everyone, many, enough).await.is_err());
        assert_ne!(rows(&db, &Sees::Everyone, pid).await.unwrap(), first);
        // What the database refuses does not stay open either.
        assert!(rows(&db, &Sees::Everyone, "SELECT 1 / 0").await.is_err());
        assert_eq!(rows(&db, &Sees::Everyone, "SELECT 1").await.unwrap(), ["1"]);
    }

    #[tokio::test]
    async fn who_waits_too_long_for_his_turn_is_told() {
        let database = TestDb::new();
        let config = Config {
            wait: Duration::from_millis(1),
            ..Config::new(database.url())
        };
        let db = Db::connect(&config).await.unwrap();
        let turns = db.copies.may_copy.available_permits();
        let turns = u32::try_from(turns).unwrap();
        let turns = db.copies.may_copy.acquire_many(turns).await.unwrap();
        let refused = rows(&db, &Sees::Everyone, "SELECT 1").await;
        assert!(matches!(refused, Err(DbError::Busy)), "{refused:?}");
        drop(turns);
        assert!(rows(&db, &Sees::Everyone, "SELECT 1").await.is_ok());
    }
}
