//! `lgdp admin`: preparing the database, and what can be set.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::process::ExitCode;

use access::{ActorId, Grant, Reach, Role};
use anyhow::Context as _;
use chrono::{DateTime, NaiveDate, Utc};
use db::Db;
use finding::words::counted;
use spec::Period;
use uuid::Uuid;
use workflow::{Actor, Client, Made, NewClient};

use crate::check_collection;
use crate::cli::{AdminCommand, Format};
use crate::parts::{Database, Published};
use crate::roles::{publish, runtime};
use crate::schedules;
use crate::settings::{self, Settings};

pub(crate) fn run(command: &AdminCommand, settings: &Settings) -> anyhow::Result<ExitCode> {
    match command {
        AdminCommand::Settings => {
            io::stdout().write_all(settings::markdown().as_bytes())?;
        }
        AdminCommand::Migrate => {
            let database = Database::find(settings)?;
            runtime()?.block_on(database.migrate())?;
        }
        AdminCommand::Publish => publish_all(settings)?,
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
        AdminCommand::Invite {
            email,
            name,
            role,
            organisation,
            return_id,
            belongs_to,
        } => {
            let grant = grant(role, organisation.as_deref(), return_id.as_deref())?;
            with_database(settings, async |db, actor| {
                match belongs_to {
                    Some(code) => {
                        workflow::invite_into(db, actor, (email, name), &grant, code).await?
                    }
                    None => workflow::invite(db, actor, email, name, &grant).await?,
                };
                Ok(())
            })?;
        }
        AdminCommand::EndRole {
            email,
            role,
            organisation,
            return_id,
        } => {
            let grant = grant(role, organisation.as_deref(), return_id.as_deref())?;
            with_person(settings, email, async |db, actor, id| {
                Ok(workflow::end_role(db, actor, id, &grant, Utc::now()).await?)
            })?;
        }
        AdminCommand::Disable { email } => with_person(settings, email, async |db, actor, id| {
            print_ended(&workflow::disable(db, actor, id, Utc::now()).await?)
        })?,
        AdminCommand::Enable { email } => with_person(settings, email, async |db, actor, id| {
            Ok(workflow::enable(db, actor, id, Utc::now()).await?)
        })?,
        AdminCommand::Client {
            name,
            role,
            organisation,
            return_id,
            days,
            by,
        } => {
            let grant = grant(role, organisation.as_deref(), return_id.as_deref())?;
            let new = NewClient::new(name, grant, (*days).into());
            let token = with_database(settings, async |db, actor| {
                let actor = acting(db, actor, by.as_deref()).await?;
                Ok(workflow::add_client(db, &actor, &new, Utc::now()).await?)
            })?;
            writeln!(io::stdout(), "{}", token.reveal())?;
        }
        AdminCommand::Clients => print_clients(&with_database(settings, async |db, actor| {
            Ok(workflow::clients(db, actor).await?)
        })?)?,
        AdminCommand::RevokeClient { client } => with_database(settings, async |db, actor| {
            Ok(workflow::revoke_client(db, actor, *client, Utc::now()).await?)
        })?,
        AdminCommand::OwnSignOff {
            organisation,
            until,
            reason,
            by,
        } => with_database(settings, async |db, actor| {
            let actor = acting(db, actor, by.as_deref()).await?;
            workflow::allow_own_sign_off(db, &actor, organisation, *until, reason).await?;
            Ok(())
        })?,
        AdminCommand::Schedules => schedules::print(settings)?,
        AdminCommand::AddSchedule(new) => schedules::add(settings, new)?,
        AdminCommand::ChangeSchedule(change) => schedules::change(settings, change)?,
        AdminCommand::Lake => fill_lake(settings)?,
        AdminCommand::AddUp { return_id } => add_up(settings, return_id.as_deref())?,
        AdminCommand::Retry { submission } => with_database(settings, async |db, actor| {
            workflow::retry(db, actor, *submission).await?;
            Ok(())
        })?,
    }
    Ok(ExitCode::SUCCESS)
}

fn publish_all(settings: &Settings) -> anyhow::Result<()> {
    let published = Published::load(settings)?;
    let database = Database::find(settings)?;
    runtime()?.block_on(async { publish(&database.migrate().await?, &published).await })
}

fn fill_lake(settings: &Settings) -> anyhow::Result<()> {
    anyhow::ensure!(settings.lake.is_some(), "LGDP_LAKE says no place");
    let n_jobs = with_database(settings, async |db, actor| {
        Ok(workflow::fill_lake(db, actor).await?)
    })?;
    writeln!(io::stdout(), "{n_jobs} jobs put in")?;
    Ok(())
}

fn add_up(settings: &Settings, only: Option<&str>) -> anyhow::Result<()> {
    let published = Published::load(settings)?;
    let ids: BTreeSet<&str> = published
        .specs
        .iter()
        .map(|spec| spec.id.as_str())
        .collect();
    with_database(settings, async |db, actor| {
        for id in ids.iter().filter(|id| only.is_none_or(|only| only == **id)) {
            let jobs = workflow::to_add_up(db, actor, id).await?;
            for job in &jobs {
                workflow::add_up(db, actor, &published.specs, job).await?;
            }
            writeln!(io::stdout(), "{id}: {} organisations", jobs.len())?;
        }
        Ok(())
    })
}

/// Does something with the database, as the command line.
pub(crate) fn with_database<T>(
    settings: &Settings,
    act: impl AsyncFnOnce(&Db, &Actor) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let database = Database::find(settings)?;
    runtime()?.block_on(async {
        let db = database.connect().await?;
        act(&db, &Actor::system("command line")).await
    })
}

/// The person of an address, or else the command line itself.
pub(crate) async fn acting(db: &Db, actor: &Actor, email: Option<&str>) -> anyhow::Result<Actor> {
    let Some(email) = email else {
        return Ok(actor.clone());
    };
    let person = workflow::acting(db, actor, email).await?;
    person.with_context(|| format!("nobody has the address {email}"))
}

/// A line for each, its fields apart by tabs.
fn print_clients(clients: &[Client]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "id\tname\trole\tfor\tends\tlast used\tstate")?;
    let moment = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%MZ").to_string();
    for client in clients {
        let held_for = match &client.grant.reach {
            Reach::Organisation(of) | Reach::Return(of) => of,
            Reach::Everything => "",
        };
        let state = match client.revoked_at {
            Some(_) => "revoked",
            None if client.is_good(Utc::now()) => "good",
            None => "over",
        };
        writeln!(
            out,
            "{}\t{}\t{}\t{held_for}\t{}\t{}\t{state}",
            client.id,
            client.name,
            client.grant.role,
            moment(client.expires_at),
            client.used_at.map_or("never".to_owned(), moment),
        )?;
    }
    Ok(())
}

/// Which programs ended with somebody's access, and how many; nothing where none did.
fn print_ended(made: &Made) -> anyhow::Result<()> {
    let programs = made.programs.iter().map(|one| (one.id, one.name.as_str()));
    // An address may have a secret in it.
    let webhooks = made.webhooks.iter().map(|one| (one.id, ""));
    print_each(programs.collect(), "program", "programs")?;
    print_each(
        webhooks.collect(),
        "server that is told",
        "servers that are told",
    )
}

fn print_each(ended: Vec<(Uuid, &str)>, one: &str, many: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if !ended.is_empty() {
        let n_ended = counted(ended.len() as u64, one, many);
        writeln!(out, "{n_ended} of theirs ended too:")?;
    }
    for (id, name) in ended {
        writeln!(out, "{}", format!("{id}\t{name}").trim_end())?;
    }
    Ok(())
}

/// Does something to the person of an address.
fn with_person(
    settings: &Settings,
    email: &str,
    act: impl AsyncFnOnce(&Db, &Actor, Uuid) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    with_database(settings, async |db, actor| {
        let person = workflow::acting(db, actor, email).await?;
        match person.map(|person| person.id) {
            Some(ActorId::Person(id)) => act(db, actor, id).await,
            _ => anyhow::bail!("nobody has the address {email}"),
        }
    })
}

/// A role, and what it is held for.
fn grant(role: &str, organisation: Option<&str>, return_id: Option<&str>) -> anyhow::Result<Grant> {
    let roles = || Role::ALL.map(Role::as_str).join(", ");
    let role =
        Role::parse(role).with_context(|| format!("{role} is no role; these are: {}", roles()))?;
    let reach = match (organisation, return_id) {
        (Some(code), None) => Reach::Organisation(code.to_owned()),
        (None, Some(id)) => Reach::Return(id.to_owned()),
        _ => Reach::Everything,
    };
    Ok(Grant { role, reach })
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
        let db = database.connect().await?;
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
        .rev()
        .filter(|spec| spec.id == return_id)
        // Of several that serve it the newest.
        .find_map(|spec| {
            let period = Period::parse(spec.period_kind, label).ok()?;
            spec.serves(&period).then_some((spec, period))
        })
        .with_context(|| format!("no version of {return_id} serves the period {label}"))?;
    let database = Database::find(settings)?;
    runtime()?.block_on(async {
        let db = database.connect().await?;
        let actor = Actor::system("command line");
        workflow::open_cycle(&db, &actor, spec, &period, opens_on, due_on).await?;
        anyhow::Ok(())
    })
}
