//! `lgdp demo`: the whole way on this machine, with made-up returns of every organisation.
//!
//! It uploads over HTTP as the organisations would, and learns what came of it from the same API that they have.
//! What is sent follows from the specs' examples: no return, organisation or period is named here.

mod drawing;
mod handing_over;
mod number;
mod people;
mod plan;
mod sender;
mod table;
#[cfg(test)]
mod tests;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use anyhow::Context as _;
use chrono::{Days, Utc};
use db::Db;
use lake::Lake;
use queue::Runner;
use spec::example::load_examples;
use spec::{Period, ReturnSpec};
use workflow::Actor;

use crate::cli::DemoOptions;
use crate::parts::{self, Database, Published};
use crate::roles::{publish, runtime, stop_asked};
use crate::settings::Settings;
use people::{Hands, Tokens};
use plan::{Sending, Wave};
use sender::Sender;

/// How long after a period's end a return is due, in the demo.
const DUE_AFTER_DAYS: u16 = 28;

pub(crate) fn demo(options: &DemoOptions, settings: &Settings) -> anyhow::Result<ExitCode> {
    let listener = web::listen(settings.listen, settings.base_url.as_deref())?;
    let published = Published::load(settings)?;
    say("Starting the database …");
    let database = Database::find(settings)?;
    runtime()?.block_on(start(options, settings, listener, published, &database))?;
    let private = database.is_private();
    drop(database);
    say(if private {
        "Everything has stopped, the database too. Start again to go on with the same data."
    } else {
        "Everything has stopped."
    });
    Ok(ExitCode::SUCCESS)
}

async fn start(
    options: &DemoOptions,
    settings: &Settings,
    listener: TcpListener,
    published: Published,
    database: &Database,
) -> anyhow::Result<()> {
    say(&format!(
        "Publishing {} return specs for {} organisations …",
        published.specs.len(),
        published.respondents().count()
    ));
    let owner = database.migrate().await?;
    publish(&owner, &published).await.with_context(|| {
        format!(
            "the return specs don't fit to what was published at an earlier start (to begin again without its data, remove {})",
            settings.home.display()
        )
    })?;
    let sendings = plan_all(&published)?;
    let values = values::made_up(&published, &sendings)?;
    workflow::publish_reference_values(&owner, &Actor::system("demo"), &values).await?;
    let db = Db::connect(&database.config).await?;
    open_cycles(&db, &published.specs, &sendings).await?;

    say("Inviting made-up people …");
    let (demo, hands) = people::invite(&db, &published).await?;
    let tokens = people::tokens(&db, &published).await?;

    let address = format!("http://{}", listener.local_addr()?);
    let base_url = settings.base_url.clone().unwrap_or_else(|| address.clone());
    let cell = Arc::new(OnceLock::new());
    let _ = cell.set(db.clone());
    let site = web::Site {
        db: cell,
        files: parts::files(settings)?,
        specs: published.specs.clone(),
        providers: parts::providers(settings, &base_url)?,
        config: web::Config {
            demo,
            ..parts::web_config(settings, base_url.clone())
        },
    };
    let server = web::serve(site, listener).context("the site can't be started")?;
    let handle = server.handle();
    let serving = tokio::spawn(server);
    let mut worker = parts::worker(settings, db.clone(), published.specs.clone(), base_url)?;
    worker.lake = Some(Lake::open(&lake_place(settings))?);
    let (stop, watched) = Runner::stop_switch();
    let working = tokio::spawn(worker::run(
        worker,
        parts::queue_settings(settings),
        watched,
    ));

    let told = tokio::select! {
        told = tell(options, settings, &published, &sendings, (&db, &hands, tokens), &address) => told,
        asked = stop_asked() => asked,
    };
    say("\nStopping …");
    // The worker first: the site's threads take with them the connections that they opened.
    stop.stop();
    working.await?;
    handle.stop(true).await;
    serving.await??;
    told
}

/// What every organisation sends, for every return that has examples.
fn plan_all(published: &Published) -> anyhow::Result<Vec<Sending>> {
    let mut sendings = Vec::new();
    for spec in &published.specs {
        let examples = load_examples(&spec.dir)?;
        sendings.extend(plan::plan(spec, &examples, &published.organisations));
    }
    Ok(sendings)
}

/// A round for every period that something is sent for.
async fn open_cycles(db: &Db, specs: &[ReturnSpec], sendings: &[Sending]) -> anyhow::Result<()> {
    let actor = Actor::system("demo");
    let today = cycle::clock::day(Utc::now());
    let rounds: BTreeSet<_> = sendings
        .iter()
        .map(|sending| (&sending.return_id, &sending.version, &sending.period))
        .collect();
    for (return_id, version, label) in rounds {
        let spec = specs
            .iter()
            .find(|spec| spec.id == *return_id && spec.version == *version)
            .context("a planned return has a spec")?;
        let period = Period::parse(spec.period_kind, label)?;
        let after = period.end.checked_add_days(Days::new(1)).unwrap_or(today);
        let due = cycle::due_date(&period, DUE_AFTER_DAYS);
        workflow::open_cycle(db, &actor, spec, &period, after.min(today), due).await?;
    }
    Ok(())
}

/// Uploads, waits, shows; then serves until stopped.
async fn tell(
    options: &DemoOptions,
    settings: &Settings,
    published: &Published,
    sendings: &[Sending],
    (db, hands, tokens): (&Db, &Hands, Tokens),
    address: &str,
) -> anyhow::Result<()> {
    let began = Instant::now();
    let home = settings.home.join("demo");
    let workbooks = home.join("workbooks");
    let sender = Sender::open(address, tokens, &home)?;
    // An earlier period's file has to stand before a later one is compared with it,
    // and a return before another return that is compared with it.
    let steps = plan::steps(&published.specs);
    let n_steps = steps.values().max().map_or(0, |last| last + 1);
    let mut n_sent = 0;
    for (wave, what) in [
        (Wave::Earlier, "earlier periods"),
        (Wave::Now, "this period"),
    ] {
        for step in 0..n_steps {
            let of_step: Vec<&Sending> = sendings
                .iter()
                .filter(|sending| {
                    sending.wave == wave && steps.get(sending.return_id.as_str()) == Some(&step)
                })
                .collect();
            if of_step.is_empty() {
                continue;
            }
            n_sent += sender.send_all(&of_step, &workbooks, what).await?;
            sender.wait_for_all(&of_step, what).await?;
            handing_over::hand_over(db, hands, &sender.newest_of(&of_step)?).await?;
        }
    }
    let outcomes = sender.outcomes(sendings).await?;
    say(&table::table(
        &published.organisations,
        &published.specs,
        sendings,
        &outcomes,
    ));
    let datasets =
        write_datasets(&sender, &published.specs, sendings, &home.join("datasets")).await?;

    let mut lines = vec![
        match sendings.len() - n_sent {
            0 => format!(
                "{n_sent} files were sent and assessed in {:.0?}.",
                began.elapsed()
            ),
            n_before => format!(
                "{n_sent} files were sent and assessed in {:.0?}; {n_before} were there from an earlier start.",
                began.elapsed()
            ),
        },
        String::new(),
        format!("The site            {address}"),
        "Signing in there    with one click, as anybody of the demo".to_owned(),
        format!(
            "Consolidated data   {} ({} files)",
            home.join("datasets").display(),
            datasets.len()
        ),
        format!("Accepted, as tables {}", lake_in_words(settings)),
        format!("Workbooks sent      {}", workbooks.display()),
    ];
    if let Some(folder) = &settings.mail_folder {
        lines.push(format!("Emails              {}", folder.display()));
    }
    lines.push(format!("All that is kept    {}", settings.home.display()));
    lines.push(String::new());
    lines.push("Demo data: invented. No figure here is a council's.".to_owned());
    if !options.once {
        lines.push("Press Ctrl-C to stop everything.".to_owned());
    }
    say(&lines.join("\n"));
    if !options.once {
        stop_asked().await?;
    }
    Ok(())
}

/// Every table of every return and period that was sent, as the API gives it.
async fn write_datasets(
    sender: &Sender,
    specs: &[ReturnSpec],
    sendings: &[Sending],
    folder: &Path,
) -> anyhow::Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
    let mut rounds = BTreeMap::new();
    for sending in sendings {
        rounds.insert((&sending.return_id, &sending.period), &sending.version);
    }
    let mut written = Vec::new();
    for ((return_id, period), version) in rounds {
        let tables = specs
            .iter()
            .filter(|spec| spec.id == *return_id && spec.version == *version)
            .flat_map(|spec| &spec.tables);
        for table in tables {
            let path = folder.join(format!("{return_id}-{period}-{}.csv", table.name));
            sender
                .download_dataset(return_id, period, &table.name, &path)
                .await?;
            written.push(path);
        }
    }
    Ok(written)
}

#[expect(clippy::print_stdout, reason = "the demo talks to whoever started it")]
fn say(text: &str) {
    println!("{text}");
}

/// The demo has one also where no setting says so.
fn lake_place(settings: &Settings) -> lake::Config {
    let place = settings.lake.clone();
    place.unwrap_or_else(|| lake::Config::Folder(settings.home.join("lake")))
}

fn lake_in_words(settings: &Settings) -> String {
    match lake_place(settings) {
        lake::Config::Folder(folder) => format!("{} (Delta Lake)", folder.display()),
        lake::Config::Bucket { s3, prefix } => format!("s3://{}/{prefix} (Delta Lake)", s3.bucket),
    }
}
