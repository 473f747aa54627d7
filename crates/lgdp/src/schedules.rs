//! `lgdp admin schedules` and its like: what is done again and again, as the page of schedules has it.

use std::io::{self, Write as _};

use anyhow::Context as _;
use chrono::Utc;
use cycle::Schedule as Rule;
use workflow::{Actor, AddingSchedule, ChangingSchedule, Schedule, ScheduleKind};

use crate::admin::{acting, with_database};
use crate::cli::{NewSchedule, ScheduleChange};
use crate::parts::Published;
use crate::settings::Settings;

/// A line for each, its fields apart by tabs.
pub(crate) fn print(settings: &Settings) -> anyhow::Result<()> {
    let all = with_database(settings, async |db, actor| {
        Ok(workflow::all_schedules(db, actor).await?)
    })?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "name\tdoes\treturn\twhen\tzone\tnext\tlast\tlate\tstate"
    )?;
    for one in &all {
        let state = match (one.is_ended, one.is_on) {
            (true, _) => "ended",
            (false, true) => "on",
            (false, false) => "paused",
        };
        writeln!(
            out,
            "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{state}",
            one.name,
            one.job_kind,
            one.return_id.as_deref().unwrap_or_default(),
            one.rule,
            one.zone,
            next(one).unwrap_or_default(),
            one.last_at
                .map_or_else(|| "never".to_owned(), |at| at.to_rfc3339()),
            one.n_late,
        )?;
    }
    Ok(())
}

fn next(schedule: &Schedule) -> Option<String> {
    if !schedule.is_on {
        return None;
    }
    let rule = Rule::parse(&schedule.rule, &schedule.zone).ok()?;
    rule.after(Utc::now()).next().map(|at| at.to_rfc3339())
}

/// Prints the name of the new one.
pub(crate) fn add(settings: &Settings, new: &NewSchedule) -> anyhow::Result<()> {
    let kinds = || ScheduleKind::ALL.map(ScheduleKind::as_str).join(", ");
    let kind = ScheduleKind::parse(&new.does)
        .with_context(|| format!("{} is nothing to do; these are: {}", new.does, kinds()))?;
    let published = Published::load(settings)?;
    let name = with_database(settings, async |db, actor| {
        let actor: Actor = acting(db, actor, new.by.as_deref()).await?;
        let adding = AddingSchedule {
            kind,
            return_id: new.return_id.as_deref().unwrap_or_default(),
            rule: &new.when,
            zone: &new.zone,
            purpose: &new.purpose,
            reason: &new.reason,
        };
        Ok(workflow::add_schedule(db, &actor, &published.specs, &adding, Utc::now()).await?)
    })?;
    writeln!(io::stdout(), "{name}")?;
    Ok(())
}

pub(crate) fn change(settings: &Settings, change: &ScheduleChange) -> anyhow::Result<()> {
    with_database(settings, async |db, actor| {
        let actor = acting(db, actor, change.by.as_deref()).await?;
        // Of one that is not there, the change itself says so.
        let all = workflow::all_schedules(db, &actor).await?;
        let own = all.iter().find(|one| one.name == change.schedule);
        let zone = change.zone.as_deref();
        let zone = zone
            .or(own.map(|own| own.zone.as_str()))
            .unwrap_or_default();
        let changing = match (&change.does.when, change.does.pause, change.does.resume) {
            (Some(rule), ..) => ChangingSchedule::Change { rule, zone },
            (None, true, _) => ChangingSchedule::Pause,
            (None, _, true) => ChangingSchedule::Resume,
            _ => ChangingSchedule::End,
        };
        let (name, reason) = (&change.schedule, &change.reason);
        workflow::change_schedule(db, &actor, name, changing, reason, Utc::now()).await?;
        Ok(())
    })
}
