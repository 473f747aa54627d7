//! The migrations, embedded, run by one process at a time.

use diesel_async::{AsyncMigrationHarness, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::DbError;
use crate::connect::Target;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// Any number does, as long as no other program in the same database uses it.
const ADVISORY_LOCK: i64 = 0x6c67_6470_6d69_6772;

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
    let mut harness = AsyncMigrationHarness::new(connection);
    harness
        .run_pending_migrations(MIGRATIONS)
        .map_err(|error| DbError::Migrate(error.to_string()))?;
    Ok(())
}
