//! The pool, and what is taken out of it: a connection, a transaction, a listener.
//!
//! Organisations' rows are seen in transactions only, and only those of the [`Sees`] that the transaction begins with:
//! the database holds to it whatever a statement asks for.

use std::num::NonZero;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use deadpool::managed::{QueueMode, TimeoutType};
use diesel_async::pooled_connection::deadpool::{Object, Pool, PoolError};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig};
use diesel_async::{
    AnsiTransactionManager, AsyncPgConnection, SimpleAsyncConnection, TransactionManager,
};
use futures_util::{FutureExt, StreamExt};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::connect::Target;
use crate::copies::Copies;
use crate::{Config, DbError, migrate};

/// Whose rows a transaction sees and writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sees {
    Everyone,
    /// Of these organisations only, by GSS code.
    Organisations(Vec<String>),
}

impl Sees {
    /// The words of the setting that the policies read.
    fn setting(&self) -> String {
        match self {
            Sees::Everyone => "everyone".to_owned(),
            // A code with anything else in it is nobody's, and would be two codes or a statement.
            Sees::Organisations(codes) => codes
                .iter()
                .filter(|code| code.bytes().all(|byte| byte.is_ascii_alphanumeric()))
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(","),
        }
    }

    /// Begins, in one message, since a page is many transactions. Whose rows are seen is set until the transaction's end
    /// and no longer: the connection is somebody else's next.
    pub(crate) fn begin(&self, begin: &str) -> String {
        format!("{begin}; SET LOCAL lgdp.sees = '{}'", self.setting())
    }
}

/// How long somebody waits for the turn to read for long: as long as those before take, or nearly.
const WAIT_TO_READ_LONG: Duration = Duration::from_secs(30);

/// The database: cheap to clone, connects when first used.
#[derive(Clone)]
pub struct Db {
    pool: Pool<AsyncPgConnection>,
    target: Target,
    pub(crate) copies: Arc<Copies>,
    may_read_long: Arc<Semaphore>,
}

impl Db {
    /// Understands the address and tries it once.
    pub async fn connect(config: &Config) -> Result<Self, DbError> {
        let target = Target::of(config)?;
        let mut manager = ManagerConfig::default();
        let for_pool = target.clone();
        manager.custom_setup = Box::new(move |_| {
            let target = for_pool.clone();
            async move { target.connect().await }.boxed()
        });
        let manager = AsyncDieselConnectionManager::new_with_config("", manager);
        // What takes long gets a part of the connections each, and pages always have the others.
        let n_long = (config.max_connections / 5).max(1);
        let pool = Pool::builder(manager)
            .max_size(config.max_connections.saturating_sub(n_long).max(1))
            .runtime(deadpool::Runtime::Tokio1)
            // Whichever was used last has its statements prepared.
            .queue_mode(QueueMode::Lifo)
            .wait_timeout(Some(config.wait))
            .create_timeout(Some(Duration::from_secs(10)))
            .recycle_timeout(Some(Duration::from_secs(5)))
            .build()
            .map_err(|error| DbError::Connect(error.to_string()))?;
        // Each block keeps a processor of the database busy, and one here: half of them are for everybody else.
        let n_processors = available_parallelism().map_or(1, NonZero::get);
        let n_copies = n_long.min(n_processors / 2).max(1);
        let copies = Arc::new(Copies::new(target.clone(), n_copies, config.wait));
        let db = Self {
            pool,
            target,
            copies,
            may_read_long: Arc::new(Semaphore::new(n_long)),
        };
        db.conn().await?;
        Ok(db)
    }

    /// Brings the tables up to date; many processes may start together.
    pub async fn migrate(&self) -> Result<(), DbError> {
        migrate::migrate(self.target.clone()).await
    }

    /// Whether the tables are those that this version needs, or newer ones.
    pub async fn is_migrated(&self) -> Result<bool, DbError> {
        migrate::are_there(&mut self.conn().await?).await
    }

    /// A connection without a transaction, for what belongs to nobody, such as jobs: it sees no organisation's rows.
    pub async fn conn(&self) -> Result<Conn, DbError> {
        Ok(Conn {
            object: self.pool.get().await.map_err(not_gotten)?,
        })
    }

    /// Begins a transaction; what is not committed is undone.
    pub async fn begin(&self, sees: &Sees) -> Result<Tx, DbError> {
        self.begin_as("BEGIN", sees).await
    }

    /// Begins a transaction that only reads: each statement sees what was committed before it.
    pub async fn read(&self, sees: &Sees) -> Result<Reading, DbError> {
        self.begin_as("BEGIN READ ONLY", sees).await.map(Reading)
    }

    /// Begins a transaction that reads one state of the database throughout.
    pub async fn begin_snapshot(&self, sees: &Sees) -> Result<Tx, DbError> {
        self.begin_as("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", sees)
            .await
    }

    /// The same for statements that may take up to `timeout` each. Few have one at once and the others wait, so that
    /// however many ask for something large, connections are left for everybody else.
    pub async fn begin_long_snapshot(&self, sees: &Sees, timeout: Duration) -> Result<Tx, DbError> {
        let turn = Arc::clone(&self.may_read_long).acquire_owned();
        let turn = tokio::time::timeout(WAIT_TO_READ_LONG, turn).await;
        let turn = turn
            .map_err(|_| DbError::Busy)?
            .map_err(|closed| DbError::Connect(closed.to_string()))?;
        let mut tx = self.begin_snapshot(sees).await?;
        tx.turn = Some(turn);
        tx.set_statement_timeout(timeout).await?;
        Ok(tx)
    }

    async fn begin_as(&self, begin: &str, sees: &Sees) -> Result<Tx, DbError> {
        let mut conn = self.conn().await?;
        let begin = sees.begin(begin);
        AnsiTransactionManager::begin_transaction_sql(conn.connection(), &begin).await?;
        Ok(Tx {
            conn: Some(conn),
            turn: None,
        })
    }

    /// Listens on a channel, on a connection of its own.
    pub async fn listen(&self, channel: &'static str) -> Result<Listener, DbError> {
        let mut connection = self
            .target
            .connect()
            .await
            .map_err(|error| DbError::Connect(error.to_string()))?;
        connection
            .batch_execute(&format!("LISTEN \"{channel}\""))
            .await?;
        Ok(Listener { connection })
    }

    /// Gives each row of a query to `each`, as [`Copies::copy`] does.
    pub(crate) async fn copy(
        &self,
        sees: &Sees,
        query: &str,
        each: impl FnMut(&[u8]) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        self.copies.copy(sees, query, each).await
    }

    /// Ends all connections that are not in use.
    pub fn close(&self) {
        self.may_read_long.close();
        self.pool.close();
        self.copies.close();
    }
}

fn not_gotten(error: PoolError) -> DbError {
    match error {
        PoolError::Timeout(TimeoutType::Wait) => DbError::Busy,
        other => DbError::Connect(other.to_string()),
    }
}

/// A connection, given back to the pool when dropped.
pub struct Conn {
    object: Object<AsyncPgConnection>,
}

impl Conn {
    /// For this crate and `queue`, which own tables; no one else speaks diesel.
    pub fn connection(&mut self) -> &mut AsyncPgConnection {
        &mut self.object
    }
}

/// A transaction. Dropped without [`Tx::commit`], everything in it is undone.
pub struct Tx {
    /// `None` only while it is being ended.
    conn: Option<Conn>,
    /// Of one that may take long.
    turn: Option<OwnedSemaphorePermit>,
}

impl Tx {
    pub async fn commit(mut self) -> Result<(), DbError> {
        if let Some(mut conn) = self.conn.take() {
            AnsiTransactionManager::commit_transaction(conn.connection()).await?;
        }
        Ok(())
    }

    pub async fn rollback(mut self) -> Result<(), DbError> {
        if let Some(mut conn) = self.conn.take() {
            AnsiTransactionManager::rollback_transaction(conn.connection()).await?;
        }
        Ok(())
    }

    /// Allows each further statement of this transaction that long.
    pub async fn set_statement_timeout(&mut self, timeout: Duration) -> Result<(), DbError> {
        let set = format!("SET LOCAL statement_timeout = {}", timeout.as_millis());
        self.connection().batch_execute(&set).await?;
        Ok(())
    }
}

impl Deref for Tx {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        match &self.conn {
            Some(conn) => conn,
            None => unreachable!("a transaction that has ended is gone"),
        }
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        match &mut self.conn {
            Some(conn) => conn,
            None => unreachable!("a transaction that has ended is gone"),
        }
    }
}

impl Drop for Tx {
    /// Undone at once in the background, so that no lock is kept and the connection goes back to the pool clean.
    fn drop(&mut self) {
        let Some(mut conn) = self.conn.take() else {
            return;
        };
        let turn = self.turn.take();
        let Ok(runtime) = Handle::try_current() else {
            drop(Object::take(conn.object));
            return;
        };
        runtime.spawn(async move {
            let undone = AnsiTransactionManager::rollback_transaction(conn.connection()).await;
            if undone.is_err() {
                // What is left in it goes with the connection.
                drop(Object::take(conn.object));
            }
            drop(turn);
        });
    }
}

/// A transaction that only reads; dropping it is its end.
pub struct Reading(Tx);

impl Deref for Reading {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.0
    }
}

impl DerefMut for Reading {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.0
    }
}

/// Hears notifications.
pub struct Listener {
    connection: AsyncPgConnection,
}

impl Listener {
    /// Waits for the next notification.
    pub async fn heard(&mut self) -> Result<(), DbError> {
        let mut notifications = std::pin::pin!(self.connection.notifications_stream());
        match notifications.next().await {
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(error.into()),
            None => Err(DbError::Connect(
                "the listening connection ended".to_owned(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream::FuturesUnordered;
    use testkit::TestDb;

    use super::*;

    fn owner(database: &TestDb) -> Config {
        Config {
            access: crate::Access::Owner,
            ..Config::new(database.url())
        }
    }

    const LOCK: &str = "LOCK TABLE organisation IN ACCESS EXCLUSIVE MODE";

    #[tokio::test]
    async fn a_transaction_that_is_dropped_keeps_no_lock() {
        let database = TestDb::new();
        let db = Db::connect(&owner(&database)).await.unwrap();
        // Taken before, so that the pool does not look at the first transaction's connection.
        let mut second = db.begin(&Sees::Everyone).await.unwrap();
        let mut first = db.begin(&Sees::Everyone).await.unwrap();
        first.connection().batch_execute(LOCK).await.unwrap();
        drop(first);
        second.connection().batch_execute(LOCK).await.unwrap();
    }

    #[tokio::test]
    async fn who_waits_too_long_for_a_lock_or_a_connection_is_told() {
        let database = TestDb::new();
        let config = Config {
            max_connections: 3,
            wait: Duration::from_millis(1),
            lock_timeout: Duration::from_millis(1),
            ..owner(&database)
        };
        let db = Db::connect(&config).await.unwrap();
        let mut first = db.begin(&Sees::Everyone).await.unwrap();
        first.connection().batch_execute(LOCK).await.unwrap();
        let mut second = db.begin(&Sees::Everyone).await.unwrap();
        assert!(second.connection().batch_execute(LOCK).await.is_err());
        assert!(matches!(db.conn().await, Err(DbError::Busy)));
        second.rollback().await.unwrap();
        assert!(db.conn().await.is_ok());
    }

    #[tokio::test]
    async fn who_reads_for_long_leaves_connections_to_others() {
        let database = TestDb::new();
        let db = Db::connect(&Config::new(database.url())).await.unwrap();
        let long = || db.begin_long_snapshot(&Sees::Everyone, Duration::from_mins(1));
        let mut all: FuturesUnordered<_> = (0..20).map(|_| long()).collect();
        let mut have_their_turn = Vec::new();
        for _ in 0..2 {
            have_their_turn.push(all.next().await.unwrap().unwrap());
        }
        let third = tokio::time::timeout(Duration::from_secs(1), all.next()).await;
        assert!(third.is_err(), "two at a time");
        assert!(db.read(&Sees::Everyone).await.is_ok());
        // Whoever waits is next when one of them has ended.
        have_their_turn.pop().unwrap().commit().await.unwrap();
        assert!(all.next().await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn connections_that_only_read_can_not_write() {
        let database = TestDb::new();
        let config = Config {
            access: crate::Access::ReadOnly,
            ..Config::new(database.url())
        };
        let db = Db::connect(&config).await.unwrap();
        let write = "DELETE FROM organisation";
        let mut conn = db.conn().await.unwrap();
        let error = conn.connection().batch_execute(write).await.unwrap_err();
        assert!(error.to_string().contains("read-only"), "{error}");
        let mut tx = db.begin(&Sees::Everyone).await.unwrap();
        assert!(tx.connection().batch_execute(write).await.is_err());
    }

    #[tokio::test]
    async fn processes_that_start_together_migrate_once() {
        let database = TestDb::new();
        let db = Db::connect(&owner(&database)).await.unwrap();
        let mut conn = db.conn().await.unwrap();
        conn.connection()
            .batch_execute(
                "DROP SCHEMA ret CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public",
            )
            .await
            .unwrap();
        let (one, two, three) = tokio::join!(db.migrate(), db.migrate(), db.migrate());
        one.unwrap();
        two.unwrap();
        three.unwrap();
        assert!(db.is_migrated().await.unwrap());
    }

    #[tokio::test]
    async fn a_migration_gives_way_to_who_reads_and_comes_again() {
        let database = TestDb::new();
        let db = Db::connect(&owner(&database)).await.unwrap();
        // One that can be run twice, and has a table to itself for a moment.
        let forget = "DELETE FROM __diesel_schema_migrations WHERE version = '20261127030004'";
        db.conn()
            .await
            .unwrap()
            .connection()
            .batch_execute(forget)
            .await
            .unwrap();
        let read = "SELECT count(*) FROM reminder";
        let mut reader = db.begin(&Sees::Everyone).await.unwrap();
        reader.connection().batch_execute(read).await.unwrap();
        let migrating = tokio::spawn({
            let db = db.clone();
            async move { db.migrate().await }
        });
        // Whoever reads now waits behind the migration, and that gives up before they do.
        let waits = "SELECT FROM pg_locks WHERE relation = 'reminder'::regclass AND NOT granted";
        let waits = format!("DO $$ BEGIN ASSERT EXISTS ({waits}); END $$");
        let mut conn = db.conn().await.unwrap();
        while conn.connection().batch_execute(&waits).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        conn.connection().batch_execute(read).await.unwrap();
        assert!(!migrating.is_finished(), "it comes again");
        reader.rollback().await.unwrap();
        migrating.await.unwrap().unwrap();
        let known = "DO $$ BEGIN ASSERT (SELECT count(*) = 1 FROM __diesel_schema_migrations WHERE version = '20261127030004'); END $$";
        conn.connection().batch_execute(known).await.unwrap();
    }
}
