//! `lgdp serve` and `lgdp work`: the two long-running roles.

use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use db::Db;
use queue::Runner;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::parts::{self, Database, Published};
use crate::settings::Settings;

/// Serves the site until Ctrl-C or SIGTERM.
pub(crate) fn serve(settings: &Settings) -> anyhow::Result<ExitCode> {
    let listener = web::listen(settings.listen, settings.base_url.as_deref())?;
    let published = Published::load(settings)?;
    let database = Database::find(settings)?;
    runtime()?.block_on(serve_site(settings, listener, published, &database))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve_site(
    settings: &Settings,
    listener: TcpListener,
    published: Published,
    database: &Database,
) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    if database.is_private() {
        publish(&database.migrate().await?, &published).await?;
    }
    let db: Arc<OnceLock<Db>> = Arc::default();
    let site = web::Site {
        db: Arc::clone(&db),
        files: parts::files(settings)?,
        specs: published.specs,
        providers: parts::providers(settings, &parts::base_url(settings))?,
        config: parts::web_config(settings, parts::base_url(settings)),
    };
    let server = web::serve(site, listener).context("the site can't be started")?;
    let handle = server.handle();
    let serving = tokio::spawn(server);
    tracing::info!(%address, "the site answers");
    tokio::select! {
        connected = database.connect_patiently() => {
            let _ = db.set(connected);
            tracing::info!("the database answers");
            stop_asked().await?;
        }
        asked = stop_asked() => asked?,
    }
    tracing::info!("stopping");
    handle.stop(true).await;
    serving.await??;
    Ok(())
}

/// Does jobs until Ctrl-C or SIGTERM; those that run are finished first.
pub(crate) fn work(settings: &Settings) -> anyhow::Result<ExitCode> {
    let published = Published::load(settings)?;
    let database = Database::find(settings)?;
    runtime()?.block_on(async {
        if database.is_private() {
            publish(&database.migrate().await?, &published).await?;
        }
        let db = tokio::select! {
            db = database.connect_patiently() => db,
            asked = stop_asked() => return asked,
        };
        let worker = parts::worker(settings, db, published.specs, parts::base_url(settings))?;
        let (stop, watched) = Runner::stop_switch();
        let working = tokio::spawn(worker::run(
            worker,
            parts::queue_settings(settings),
            watched,
        ));
        tracing::info!("the worker waits for jobs");
        stop_asked().await?;
        tracing::info!("stopping");
        stop.stop();
        working.await?;
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Stores organisations, specs and central figures, as the tables' owner; harmless when repeated.
pub(crate) async fn publish(owner: &Db, published: &Published) -> anyhow::Result<()> {
    let actor = workflow::Actor::system("command line");
    workflow::publish_organisations(
        owner,
        &actor,
        &published.organisations,
        &published.organisation_sources,
    )
    .await?;
    workflow::publish_returns(owner, &actor, &published.specs, &published.organisations).await?;
    workflow::publish_reference_values(owner, &actor, &published.reference_values).await?;
    Ok(())
}

pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("no runtime")
}

/// Resolves at Ctrl-C or SIGTERM.
pub(crate) async fn stop_asked() -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
