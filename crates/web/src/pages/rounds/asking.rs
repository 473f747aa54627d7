//! Every request for more time that waits for whoever looks.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use cycle::clock;
use workflow::Extension;

use crate::Site;
use crate::pages::problem::PageProblem;
use crate::session::{Visitor, You};
use crate::words;

#[derive(Template)]
#[template(path = "rounds/asking.html")]
struct AskingPage {
    you: Option<You>,
    rows: Vec<Row>,
}

struct Row {
    organisation: String,
    title: String,
    period: String,
    link: String,
    due: String,
    until: String,
    asked: String,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
) -> Result<HttpResponse, PageProblem> {
    let asked = workflow::extensions_to_decide(site.db()?, &visitor.actor).await?;
    let page = AskingPage {
        you: Some(visitor.you),
        rows: asked.into_iter().map(row).collect(),
    };
    Ok(crate::pages::render(StatusCode::OK, &page))
}

fn row(extension: Extension) -> Row {
    let round = &extension.round;
    Row {
        link: format!(
            "/returns/{}/{}/{}/more-time/{}",
            round.return_id, round.period.label, extension.organisation, extension.id
        ),
        title: round.return_title.clone(),
        period: round.period.in_words(),
        due: words::day(round.due_on),
        until: words::day(extension.asked_until),
        asked: words::day(clock::day(extension.at)),
        organisation: extension.organisation_name,
    }
}
