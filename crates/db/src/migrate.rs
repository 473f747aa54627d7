//! The migrations, embedded, run by one process at a time.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncMigrationHarness, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::connect::Target;
use crate::statement::statement;
use crate::{Conn, DbError};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// Any number does, as long as no other program in the same database uses it.
const ADVISORY_LOCK: i64 = 0x6c67_6470_6d69_6772;

/// A migration waits so long for a lock: whatever comes after it waits behind it, and with it the whole site.
const LOCK_TIMEOUT: &str = "SET lock_timeout = '2s'";
/// And comes again after so long, so often, while somebody reads for long.
const PAUSE: Duration = Duration::from_secs(3);
const MOST_ATTEMPTS: u32 = 100;

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Bool)]
    found: bool,
}

/// Whether the tables are those that this version needs, or newer.
pub(crate) async fn are_there(conn: &mut Conn) -> Result<bool, DbError> {
    let Some(newest) = newest()? else {
        return Ok(true);
    };
    let row: Found = statement(
        "SELECT EXISTS (SELECT FROM __diesel_schema_migrations WHERE version = $1) AS found",
    )
    .bind::<Text, _>(newest)
    .get_result(conn.connection())
    .await?;
    Ok(row.found)
}

/// The number of the last migration.
fn newest() -> Result<Option<String>, DbError> {
    let all: Vec<Box<dyn Migration<Pg>>> = MIGRATIONS
        .migrations()
        .map_err(|error| DbError::Migrate(error.to_string()))?;
    let all = all.iter();
    Ok(all.map(|one| one.name().version().to_string()).max())
}

pub(crate) async fn migrate(target: Target) -> Result<(), DbError> {
    // The harness blocks its thread and works only on a multi-thread runtime, which a caller need not have.
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| DbError::Migrate(error.to_string()))?;
        runtime.block_on(migrate_here(&target))
    })
    .await
    .map_err(|error| DbError::Migrate(error.to_string()))?
}

async fn migrate_here(target: &Target) -> Result<(), DbError> {
    let mut connection = target
        .connect_without_limits()
        .await
        .map_err(|error| DbError::Connect(error.to_string()))?;
    connection
        .batch_execute("SET client_min_messages = warning")
        .await?;
    // Held until the connection ends.
    connection
        .batch_execute(&format!("SELECT pg_advisory_lock({ADVISORY_LOCK})"))
        .await?;
    connection.batch_execute(LOCK_TIMEOUT).await?;
    let mut harness = AsyncMigrationHarness::new(connection);
    let mut n_attempts = 0;
    // Each is a transaction, so that one that had to wait too long can be run again.
    while let Err(error) = harness.run_pending_migrations(MIGRATIONS) {
        let reason = error.to_string();
        n_attempts += 1;
        if !reason.contains("lock timeout") || n_attempts == MOST_ATTEMPTS {
            return Err(DbError::Migrate(reason));
        }
        tracing::warn!(n_attempts, "a migration waits for somebody who reads");
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
