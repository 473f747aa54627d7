//! The next rounds as last year's say: ticked ones are planned, as provisional.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Utc;
use cycle::{DateKind, clock};
use workflow::{OpenCycleError, Proposal};

use super::{Wrong, ticked, weekday};
use crate::Site;
use crate::form::Form;
use crate::pages::explain::{Fields, field, see};
use crate::pages::problem::PageProblem;
use crate::problem::Problem;
use crate::session::{Visitor, You};
use crate::words;

#[derive(Template)]
#[template(path = "rounds/proposals.html")]
struct ProposalsPage {
    you: Option<You>,
    rows: Vec<Row>,
    wrong: Wrong,
}

struct Row {
    value: String,
    title: String,
    period: String,
    opens: String,
    due: String,
    due_before: String,
    /// What there is to look at.
    unsure: Option<&'static str>,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
) -> Result<HttpResponse, PageProblem> {
    page(&site, visitor, Wrong::default()).await
}

async fn page(site: &Site, visitor: Visitor, wrong: Wrong) -> Result<HttpResponse, PageProblem> {
    workflow::decide_plan(&visitor.actor)?;
    let today = clock::day(Utc::now());
    let (db, actor) = (site.db()?, &visitor.actor);
    let proposals = workflow::proposals(db, actor, &site.specs, today).await?;
    let page = ProposalsPage {
        you: Some(visitor.you),
        rows: proposals.iter().map(row).collect(),
        wrong,
    };
    Ok(crate::pages::render(page.wrong.status(), &page))
}

fn name(proposal: &Proposal) -> String {
    format!(
        "{}/{}",
        proposal.before.round.return_id, proposal.period.label
    )
}

fn row(proposal: &Proposal) -> Row {
    let day = |kind| {
        let date = proposal.dates.iter().find(|date| date.kind == kind);
        date.map_or_else(String::new, |date| weekday(date.on))
    };
    Row {
        value: name(proposal),
        title: proposal.before.round.return_title.clone(),
        period: proposal.period.in_words(),
        opens: day(DateKind::Open),
        due: day(DateKind::Due),
        due_before: words::day(proposal.before.round.due_on),
        unsure: match (proposal.is_sure, proposal.before.round.is_cancelled) {
            (true, _) => None,
            (false, true) => {
                Some("The round before was cancelled: plan it only if it is asked for again")
            }
            (false, false) => Some("Look at the date: from one year alone it is a guess"),
        },
    }
}

pub(crate) async fn plan(
    site: web::Data<Site>,
    visitor: Visitor,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    workflow::decide_plan(&visitor.actor)?;
    let ticked = ticked(&form);
    if ticked.is_empty() {
        let wrong = Wrong::at("rounds", "Tick one round or more.");
        return page(&site, visitor, wrong).await;
    }
    let chosen = |proposal: &Proposal| {
        ticked.iter().any(|(ticked, _)| {
            ticked.return_id == proposal.before.round.return_id
                && ticked.period == proposal.period.label
        })
    };
    let today = clock::day(Utc::now());
    let (db, actor) = (site.db()?, &visitor.actor);
    match workflow::plan_proposals(db, actor, &site.specs, chosen, today).await {
        Ok(_) => Ok(see("/rounds/many")),
        Err(OpenCycleError::Denied(denied)) => Err(denied.into()),
        Err(OpenCycleError::Db(error)) => Err(error.into()),
        Err(error) => Err(Problem::conflict(
            "A round could not be planned",
            format!("{error}. Nothing is lost, and others that you ticked may be planned: look at what is still listed here."),
        )
        .into()),
    }
}
