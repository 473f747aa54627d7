//! A real Postgres for tests: one private cluster for each test process, a fresh database for each test.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use postgres::{Cluster, Durability, Options};

const TEMPLATE: &str = "lgdp_template";

/// The cluster of this test process, started when first asked for, stopped when the process ends.
pub fn postgres() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        remove_leftovers();
        let options = Options {
            durability: Durability::Throwaway,
            ..Options::default()
        };
        let cluster =
            Cluster::start_with(&folder(std::process::id()), &options).expect("Postgres starts");
        cluster
            .create_database(TEMPLATE)
            .expect("a database for the template");
        let url = cluster.url(TEMPLATE);
        on_a_thread(move || async move {
            let config = db::Config {
                access: db::Access::Owner,
                ..db::Config::new(url)
            };
            let db = db::Db::connect(&config).await.expect("connects");
            db.migrate().await.expect("migrates");
        });
        cluster
    })
}

/// A migrated database of its own for one test.
pub struct TestDb {
    name: String,
}

impl TestDb {
    /// Copies the template, so that migrations run once for each test process.
    #[expect(
        clippy::new_without_default,
        reason = "it makes a database: not a default"
    )]
    pub fn new() -> Self {
        static N_MADE: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", N_MADE.fetch_add(1, Ordering::Relaxed));
        let admin = postgres().url("postgres");
        let statement = format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}");
        on_a_thread(move || async move {
            let (client, connection) = tokio_postgres::connect(&admin, tokio_postgres::NoTls)
                .await
                .expect("connects");
            let driver = tokio::spawn(connection);
            client
                .batch_execute(&statement)
                .await
                .expect("copies the template");
            drop(client);
            let _ = driver.await;
        });
        Self { name }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub fn url(&self) -> String {
        postgres().url(&self.name)
    }

    /// A pool on it, as the site and the workers have.
    pub async fn connect(&self) -> db::Db {
        db::Db::connect(&db::Config::new(self.url()))
            .await
            .expect("connects")
    }

    /// A pool on it that may make tables.
    pub async fn connect_as_owner(&self) -> db::Db {
        let config = db::Config {
            access: db::Access::Owner,
            ..db::Config::new(self.url())
        };
        db::Db::connect(&config).await.expect("connects")
    }
}

/// Runs to its end whatever runtime the caller is on.
pub(crate) fn on_a_thread<F: Future<Output = ()>>(work: impl FnOnce() -> F + Send + 'static) {
    std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(work());
    })
    .join()
    .expect("the set-up ends well");
}

const PREFIX: &str = "lgdp-test-";

pub(crate) fn folder(process_id: u32) -> PathBuf {
    std::env::temp_dir().join(format!("{PREFIX}{process_id}"))
}

/// Nothing runs when a test process ends, so the next one tidies up after those that are gone.
fn remove_leftovers() {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else {
        return;
    };
    for entry in entries.flatten() {
        let gone = entry
            .file_name()
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX))
            .is_some_and(|id| id.parse::<u32>().is_ok() && !Path::new("/proc").join(id).exists());
        if gone && Path::new("/proc/self").exists() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
