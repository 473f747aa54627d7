//! One round of a return for whoever asks for it: where each organisation stands, and how many stand where.

use access::Action;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Utc;
use cycle::{ObligationState, clock};
use workflow::Obligation;

use super::problem::PageProblem;
use crate::problem::Problem;
use crate::session::{Visitor, You};
use crate::{Site, words};

#[derive(Template)]
#[template(path = "collection.html")]
struct CollectionPage {
    you: Option<You>,
    title: String,
    period: String,
    due: String,
    is_provisional: bool,
    is_cancelled: bool,
    /// Where the round's days are, and how they changed.
    days: String,
    /// The page of its figures, for whoever may have everybody's.
    figures: Option<String>,
    counts: Vec<Count>,
    rows: Vec<Row>,
    /// Requests for more time that wait for whoever looks: organisation, day, page.
    asking: Vec<(String, String, String)>,
}

struct Count {
    state: &'static str,
    tag: &'static str,
    n: usize,
}

struct Row {
    organisation: String,
    state: &'static str,
    tag: &'static str,
    is_overdue: bool,
    /// Where more time was given.
    due: Option<String>,
    n_versions: u32,
    /// The newest version that whoever looks may see: its address, and what became of it.
    version: Option<(String, &'static str)>,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    round: web::Path<(String, String)>,
) -> Result<HttpResponse, PageProblem> {
    let (return_id, period) = round.into_inner();
    let today = clock::day(Utc::now());
    let (db, reader) = (site.db()?, &visitor.actor);
    let owed = workflow::owed_in(db, reader, &return_id, &period, today).await?;
    let first = owed.first().ok_or_else(Problem::not_found)?;
    let asked = workflow::extensions_of(db, reader, (&return_id, &period), None).await?;
    let page = CollectionPage {
        asking: asked
            .into_iter()
            .filter(|asked| asked.decisions.is_empty())
            .filter(|asked| workflow::may_on_time(reader, &asked.organisation, &return_id).1)
            .map(|asked| {
                let page = format!(
                    "/returns/{return_id}/{period}/{}/more-time/{}",
                    asked.organisation, asked.id
                );
                (asked.organisation_name, words::day(asked.asked_until), page)
            })
            .collect(),
        you: Some(visitor.you),
        title: first.round.return_title.clone(),
        period: first.round.period.in_words(),
        due: words::day(first.round.due_on),
        is_provisional: first.round.is_provisional,
        is_cancelled: first.round.is_cancelled,
        days: format!("/rounds/{return_id}/{period}"),
        figures: workflow::may_with(reader, Action::DownloadDataset, &return_id)
            .then(|| format!("/returns/{return_id}/{period}/datasets")),
        counts: counts(&owed),
        rows: owed.into_iter().map(row).collect(),
    };
    Ok(super::render(StatusCode::OK, &page))
}

fn counts(owed: &[Obligation]) -> Vec<Count> {
    ObligationState::ALL
        .into_iter()
        .map(|state| Count {
            state: state.in_words(),
            tag: words::tag_of_obligation(state),
            n: owed.iter().filter(|owed| owed.state == state).count(),
        })
        .filter(|count| count.n > 0)
        .collect()
}

fn row(owed: Obligation) -> Row {
    Row {
        state: owed.state.in_words(),
        tag: words::tag_of_obligation(owed.state),
        is_overdue: owed.is_overdue && owed.state != ObligationState::Overdue,
        due: (owed.due_on != owed.round.due_on).then(|| words::day(owed.due_on)),
        n_versions: owed.n_versions,
        version: owed
            .latest
            .map(|(id, state)| (format!("/submissions/{id}"), state.in_words())),
        organisation: owed.organisation_name,
    }
}
