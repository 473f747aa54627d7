//! `lgdp admin`: preparing the database, and what can be set.

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use chrono::NaiveDate;
use spec::Period;
use workflow::Actor;

use crate::check_collection;
use crate::cli::{AdminCommand, Format};
use crate::parts::{Database, Published};
use crate::roles::{publish, runtime};
use crate::settings::{self, Settings};

pub(crate) fn run(command: &AdminCommand, settings: &Settings) -> anyhow::Result<ExitCode> {
    match command {
        AdminCommand::Settings => {
            io::stdout().write_all(settings::markdown().as_bytes())?;
        }
        AdminCommand::Migrate => {
            let database = Database::find(settings)?;
            runtime()?.block_on(database.connect_and_migrate())?;
        }
        AdminCommand::Publish => {
            let published = Published::load(settings)?;
            let database = Database::find(settings)?;
            runtime()?.block_on(async {
                publish(&database.connect_and_migrate().await?, &published).await
            })?;
        }
        AdminCommand::Open {
            return_id,
            period,
            opens,
            due,
        } => open(settings, return_id, period, (*opens, *due))?,
        AdminCommand::Collection {
            return_id,
            period,
            format,
        } => collection(settings, return_id, period, *format)?,
        AdminCommand::Retry { submission } => {
            let database = Database::find(settings)?;
            runtime()?.block_on(async {
                let db = database.connect_and_migrate().await?;
                let actor = Actor::system("command line");
                workflow::retry(&db, &actor, *submission).await?;
                anyhow::Ok(())
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn collection(
    settings: &Settings,
    return_id: &str,
    period: &str,
    format: Format,
) -> anyhow::Result<()> {
    let published = Published::load(settings)?;
    let database = Database::find(settings)?;
    let checked = runtime()?.block_on(async {
        let db = database.connect_and_migrate().await?;
        let actor = Actor::system("command line");
        anyhow::Ok(workflow::collection(&db, &actor, return_id, period).await?)
    })?;
    let checked = checked.with_context(|| {
        format!("the submissions of {return_id} {period} were not checked against each other yet")
    })?;
    check_collection::print(&checked, &published.organisations, format)
}

fn open(
    settings: &Settings,
    return_id: &str,
    label: &str,
    (opens_on, due_on): (NaiveDate, NaiveDate),
) -> anyhow::Result<()> {
    let published = Published::load(settings)?;
    let (spec, period) = published
        .specs
        .iter()
        .filter(|spec| spec.id == return_id)
        .find_map(|spec| {
            let period = Period::parse(spec.period_kind, label).ok()?;
            spec.serves(&period).then_some((spec, period))
        })
        .with_context(|| format!("no version of {return_id} serves the period {label}"))?;
    let database = Database::find(settings)?;
    runtime()?.block_on(async {
        let db = database.connect_and_migrate().await?;
        let actor = Actor::system("command line");
        workflow::open_cycle(&db, &actor, spec, &period, opens_on, due_on).await?;
        anyhow::Ok(())
    })
}
