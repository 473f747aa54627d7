//! What the roles are put together from: the database, the stores, the specs.

use std::time::Duration;

use anyhow::Context as _;
use db::Db;
use files::Files;
use lake::Lake;
use mail::Mailer;
use postgres::{Cluster, Durability};
use spec::{Organisation, OrganisationSources, Organisations, ReturnSpec, SetOfPeriod};

use crate::assessor;
use crate::settings::Settings;

/// The database of the private Postgres.
const DATABASE: &str = "lgdp";

/// Where the database is. Holding it keeps the private one running.
pub(crate) struct Database {
    pub(crate) config: db::Config,
    /// How to connect as the tables' owner.
    owner: db::Config,
    pub(crate) cluster: Option<Cluster>,
}

impl Database {
    /// Starts the private Postgres unless the settings name another.
    pub(crate) fn find(settings: &Settings) -> anyhow::Result<Self> {
        let (url, cluster) = if let Some(url) = &settings.database_url {
            (url.reveal().to_owned(), None)
        } else {
            let cluster = start_cluster(settings)?;
            (cluster.url(DATABASE), Some(cluster))
        };
        let mut config = db::Config::new(url);
        config.tls_root_file.clone_from(&settings.database_ca_file);
        config.max_connections = settings.database_connections;
        let owner = db::Config {
            url: match (&settings.database_url, &settings.owner_database_url) {
                (Some(_), Some(owner)) => owner.reveal().to_owned(),
                _ => config.url.clone(),
            },
            access: db::Access::Owner,
            ..config.clone()
        };
        Ok(Self {
            config,
            owner,
            cluster,
        })
    }

    pub(crate) fn is_private(&self) -> bool {
        self.cluster.is_some()
    }

    /// Connects, however long it takes: the database may be started after us.
    pub(crate) async fn connect_patiently(&self) -> Db {
        let mut pause = Duration::from_secs(1);
        loop {
            match Db::connect(&self.config).await {
                Ok(db) => return db,
                Err(error) => {
                    tracing::warn!(%error, again_in = ?pause, "waiting for the database");
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_mins(1));
        }
    }

    /// Connects as the owner, at once or not at all, and brings the tables up to date.
    pub(crate) async fn migrate(&self) -> anyhow::Result<Db> {
        let db = Db::connect(&self.owner).await?;
        db.migrate().await?;
        Ok(db)
    }

    /// Connects at once or not at all. Tables are brought up to date where nobody else does it: in the private Postgres.
    pub(crate) async fn connect(&self) -> anyhow::Result<Db> {
        if self.is_private() {
            self.migrate().await?;
        }
        Ok(Db::connect(&self.config).await?)
    }
}

fn start_cluster(settings: &Settings) -> anyhow::Result<Cluster> {
    let dir = settings.home.join("postgres");
    let options = postgres::Options {
        bin_dir: settings.pg_bin.clone(),
        durability: Durability::Kept,
    };
    let cluster = Cluster::start_with(&dir, &options)?;
    cluster
        .create_database(DATABASE)
        .context("can't make the database")?;
    tracing::info!(
        version = cluster.version(),
        folder = %dir.display(),
        "the private Postgres runs"
    );
    Ok(cluster)
}

/// The specs of a folder and who they are for.
pub(crate) struct Published {
    pub(crate) specs: Vec<ReturnSpec>,
    pub(crate) organisations: Organisations,
    /// Where what is said of them is from.
    pub(crate) organisation_sources: OrganisationSources,
    /// Central figures that the specs' rules read.
    pub(crate) reference_values: Vec<SetOfPeriod>,
}

impl Published {
    pub(crate) fn load(settings: &Settings) -> anyhow::Result<Self> {
        let root = &settings.specs;
        anyhow::ensure!(
            root.is_dir(),
            "there is no folder {}: say with LGDP_SPECS where the return specs are",
            root.display()
        );
        let with = || format!("the return specs in {} can't be used", root.display());
        let specs = spec::load_all(root).with_context(with)?;
        let organisations =
            Organisations::load(&root.join("organisations.csv")).with_context(with)?;
        let sources = root.join("organisation-sources.csv");
        Ok(Self {
            organisation_sources: OrganisationSources::load(&sources, &organisations)
                .with_context(with)?,
            reference_values: spec::load_reference_values(root, &specs, &organisations)
                .with_context(with)?,
            specs,
            organisations,
        })
    }

    /// Those that owe some return.
    pub(crate) fn respondents(&self) -> impl Iterator<Item = &Organisation> {
        self.organisations.0.iter().filter(|organisation| {
            let mut specs = self.specs.iter();
            specs.any(|spec| spec.respondents.include(organisation))
        })
    }
}

pub(crate) fn files(settings: &Settings) -> anyhow::Result<Files> {
    Ok(Files::open(&settings.files)?)
}

/// What the site needs beside its connections.
/// The directories that people may sign in with, and the page that they are sent back to.
pub(crate) fn providers(settings: &Settings, base_url: &str) -> anyhow::Result<oidc::Providers> {
    let back = format!("{base_url}/sign-in/back");
    oidc::Providers::new(settings.providers.clone(), back).context("providers can't be reached")
}

pub(crate) fn web_config(settings: &Settings, base_url: String) -> web::Config {
    web::Config {
        name: settings.name.clone(),
        base_url,
        spool_dir: settings.spool.clone(),
        body: web::BodyLimits {
            bytes: settings.upload_bytes,
            chunk: settings.upload_stall,
            total: settings.upload_total,
            ..web::BodyLimits::default()
        },
        n_threads: settings.web_threads,
        requests_per_minute: settings.requests_per_minute,
        proxy_header: settings.proxy_header.clone(),
        webhook_places: settings.webhook_places.clone(),
        demo: Vec::new(),
    }
}

/// The site's address as emails show it.
pub(crate) fn base_url(settings: &Settings) -> String {
    settings
        .base_url
        .clone()
        .unwrap_or_else(|| format!("http://{}", settings.listen))
}

pub(crate) fn worker(
    settings: &Settings,
    db: Db,
    specs: Vec<ReturnSpec>,
    base_url: String,
) -> anyhow::Result<worker::Worker> {
    Ok(worker::Worker {
        db,
        files: files(settings)?,
        lake: settings.lake.as_ref().map(Lake::open).transpose()?,
        mailer: Mailer::new(&settings.mail)?,
        child: assessor::child(settings)?,
        specs,
        poster: webhook::Poster::new(settings.webhook_places.clone()),
        base_url,
        scratch: settings.home.join("scratch"),
    })
}

pub(crate) fn queue_settings(settings: &Settings) -> queue::Settings {
    queue::Settings {
        concurrency: settings.workers,
        lease: settings.lease,
        heartbeat: settings.lease / 4,
        ..queue::Settings::default()
    }
}
