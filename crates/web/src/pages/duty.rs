//! A return as one organisation owes it for one period: what it is, what changed, what was sent, and who is involved.

mod about;
mod changes;

use access::Action;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{NaiveDate, Utc};
use cycle::clock::{self, moment_in_words};
use cycle::{ObligationState, holidays};
use spec::ReturnSpec;
use workflow::{Colleague, Denied, Obligation, OwedBy, Submission};

use super::problem::PageProblem;
use crate::problem::Problem;
use crate::session::{Visitor, You};
use crate::{Site, words};
use about::Said;
use changes::Changes;

#[derive(Template)]
#[template(path = "duty.html")]
struct DutyPage {
    you: Option<You>,
    title: String,
    period: String,
    organisation: String,
    days: String,
    opens: String,
    due: String,
    /// How many working days are left, and whether the day is one.
    days_left: Option<String>,
    /// What the sentence of the day goes on with.
    how_sure: &'static str,
    /// Where the round's days are, and how they changed.
    round: String,
    /// What was sent about it.
    reminders: String,
    /// Why nothing is owed, where that is so.
    not_owed: Option<String>,
    /// Where more time was given.
    due_for_others: Option<String>,
    /// Where more time is asked for, or decided on.
    more_time: Option<(String, &'static str)>,
    is_overdue: bool,
    /// That no file is taken any more, since when, and whom to ask.
    closed: Option<String>,
    state: &'static str,
    tag: &'static str,
    may_send: bool,
    upload: String,
    /// Where it is declared that there is nothing to report.
    nil: Option<String>,
    code: String,
    summary: String,
    owner: String,
    about: Vec<Said>,
    /// Where the forms are; `None` where no version serves the period.
    forms: Option<String>,
    may_have_filled: bool,
    changes: Option<Changes>,
    versions: Vec<Version>,
    others: Vec<Other>,
    people: Option<Vec<Colleague>>,
}

struct Version {
    number: u32,
    link: String,
    file_name: String,
    sent: String,
    by: String,
    state: &'static str,
    tag: &'static str,
    /// What changed in it, where there is one before.
    changes: Option<String>,
}

/// The same return for another period.
struct Other {
    period: String,
    link: String,
    due: String,
    state: &'static str,
    tag: &'static str,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    address: web::Path<(String, String, String)>,
) -> Result<HttpResponse, PageProblem> {
    let (return_id, period, organisation) = address.into_inner();
    let (db, actor) = (site.db()?, &visitor.actor);
    let which = OwedBy {
        organisations: vec![organisation.clone()],
        return_id: Some(return_id.clone()),
    };
    let mut all = workflow::owed(db, actor, &which, clock::day(Utc::now())).await?;
    all.sort_by_key(|owed| std::cmp::Reverse(owed.round.period.end));
    let position = all
        .iter()
        .position(|owed| owed.round.period.label == period);
    let position = position.ok_or_else(Problem::not_found)?;
    let duty = all.remove(position);
    let before = all.get(position);
    let round = &duty.round;
    let spec = version_of(&site, &duty);
    let people = match workflow::people_of(db, actor, &organisation).await {
        Ok(people) => Some(people),
        Err(Denied::Db(error)) => return Err(error.into()),
        Err(_) => None,
    };
    let versions = workflow::versions(db, actor, &duty).await?;
    let api = format!("/api/returns/{return_id}/periods/{period}");
    let is_owed = !is_not_owed(duty.state) && duty.closed_on.is_none();
    let page = DutyPage {
        code: organisation.clone(),
        title: round.return_title.clone(),
        days: format!(
            "{} to {}",
            words::day(round.period.start),
            words::day(round.period.end)
        ),
        opens: words::day(round.opens_on),
        due: words::day(duty.due_on),
        days_left: days_left(db, actor, &duty).await?,
        how_sure: if round.is_provisional {
            ". This day is provisional: it may still change"
        } else {
            ""
        },
        round: format!("/rounds/{return_id}/{period}"),
        reminders: format!("/returns/{return_id}/{period}/{organisation}/reminders"),
        not_owed: not_owed(db, actor, &duty).await?,
        due_for_others: (duty.due_on != round.due_on).then(|| words::day(round.due_on)),
        more_time: {
            let (asks, decides) = workflow::may_on_time(actor, &organisation, &return_id);
            let address = format!("/returns/{return_id}/{period}/{organisation}/more-time");
            match (asks && workflow::may_be_extended(&duty), asks || decides) {
                (true, _) => Some((address, "Ask for more time")),
                (false, true) => Some((address, "Requests for more time")),
                (false, false) => None,
            }
        },
        closed: closed(&duty, spec),
        is_overdue: duty.is_overdue && duty.state != ObligationState::Overdue,
        state: duty.state.in_words(),
        tag: words::tag_of_obligation(duty.state),
        may_send: is_owed && workflow::may_for(actor, Action::Send, &organisation),
        nil: (is_owed && workflow::may_for(actor, Action::DeclareNil, &organisation))
            .then(|| format!("/returns/{return_id}/{period}/{organisation}/nothing-to-report")),
        upload: format!("/upload?organisation={organisation}&round={return_id}/{period}"),
        summary: spec.map_or_else(String::new, |spec| spec.summary.clone()),
        owner: spec.map_or_else(String::new, |spec| {
            format!("{}, {}", spec.owner.organisation, spec.owner.team)
        }),
        about: spec.map(about::of).unwrap_or_default(),
        forms: spec.map(|_| api),
        may_have_filled: workflow::may_for(actor, Action::FillTemplate, &organisation),
        changes: spec
            .zip(before)
            .and_then(|(spec, before)| changes::since(version_of(&site, before)?, spec, before)),
        versions: versions.into_iter().map(|of| version(actor, of)).collect(),
        others: all.iter().map(other).collect(),
        people,
        organisation: duty.organisation_name.clone(),
        period: duty.round.period.in_words(),
        you: Some(visitor.you),
    };
    Ok(super::render(StatusCode::OK, &page))
}

fn is_not_owed(state: ObligationState) -> bool {
    matches!(
        state,
        ObligationState::NotRequired | ObligationState::Cancelled
    )
}

/// How many days are left to work on it, as its organisation counts them; `None` once it is handed over or late.
async fn days_left(
    db: &db::Db,
    actor: &workflow::Actor,
    duty: &Obligation,
) -> Result<Option<String>, Problem> {
    let today = clock::day(Utc::now());
    if duty.state.is_met() || duty.due_on <= today {
        return Ok(None);
    }
    let own = workflow::local_holidays(db, actor, &duty.organisation, today).await?;
    let off: Vec<NaiveDate> = own.iter().map(|holiday| holiday.on_day).collect();
    let after = |day: NaiveDate| day.succ_opt().unwrap_or(day);
    let left = holidays::working_days_between(after(today), after(duty.due_on), &off);
    let left = match left {
        1 => "1 working day is left after today.".to_owned(),
        n => format!("{n} working days are left after today."),
    };
    let name = own
        .iter()
        .find(|holiday| holiday.on_day == duty.due_on)
        .map(|holiday| holiday.name.as_str());
    let off = match (holidays::day_off(duty.due_on), name) {
        (Some(off), _) => format!(" The day itself is {off}."),
        (None, Some(name)) => {
            format!(
                " The day itself is a holiday of {}: {name}.",
                duty.organisation_name
            )
        }
        (None, None) => String::new(),
    };
    Ok(Some(format!("{left}{off}")))
}

/// What is said of a round that is closed.
fn closed(duty: &Obligation, spec: Option<&ReturnSpec>) -> Option<String> {
    let day = words::day(duty.closed_on.filter(|_| !is_not_owed(duty.state))?);
    let team = spec.map_or_else(String::new, |spec| format!(": {}", spec.owner.team));
    Some(format!(
        "This round closed on {day}, and no file is taken any more. You can ask for more time, or ask the team of this return{team}."
    ))
}

/// Why an organisation need not answer; `None` where it has to.
async fn not_owed(
    db: &db::Db,
    actor: &workflow::Actor,
    duty: &Obligation,
) -> Result<Option<String>, Problem> {
    if !is_not_owed(duty.state) {
        return Ok(None);
    }
    if duty.round.is_cancelled {
        let told = "This round was cancelled: nothing is owed in it.";
        return Ok(Some(told.to_owned()));
    }
    let said = workflow::requirements(db, actor, duty).await?;
    Ok(said.last().map(|said| {
        format!(
            "{} need not answer: {}",
            duty.organisation_name, said.reason
        )
    }))
}

fn version_of<'a>(site: &'a Site, duty: &Obligation) -> Option<&'a ReturnSpec> {
    let round = &duty.round;
    site.specs
        .iter()
        .find(|spec| spec.id == round.return_id && spec.version == round.return_version)
}

fn version(actor: &workflow::Actor, submission: Submission) -> Version {
    Version {
        changes: (submission.version_number > 1 && workflow::may_compare(actor, &submission))
            .then(|| format!("/submissions/{}/changes", submission.id)),
        number: submission.version_number,
        link: format!("/submissions/{}", submission.id),
        sent: moment_in_words(submission.received_at),
        state: submission.state.in_words(),
        tag: words::tag_of_submission(submission.state),
        file_name: submission.file_name,
        by: submission.uploaded_by,
    }
}

fn other(duty: &Obligation) -> Other {
    let round = &duty.round;
    Other {
        link: format!(
            "/returns/{}/{}/{}",
            round.return_id, round.period.label, duty.organisation
        ),
        period: round.period.in_words(),
        due: words::day(duty.due_on),
        state: duty.state.in_words(),
        tag: words::tag_of_obligation(duty.state),
    }
}
