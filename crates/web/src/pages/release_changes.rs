//! What two releases have different: whose return, and how much of it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use finding::words::counted;
use workflow::{ChangeCounts, Changed};

use super::problem::PageProblem;
use super::releases::{by_and_when, kind_in_words, periods_in_words};
use crate::Site;
use crate::api::releases::{With, two};
use crate::problem::Problem;
use crate::session::{Visitor, You};

#[derive(Template)]
#[template(path = "release_changes.html")]
struct ChangesPage {
    you: Option<You>,
    title: String,
    period: String,
    release: String,
    before: (String, String),
    now: (String, String),
    csv: String,
    rows: Vec<Row>,
}

struct Row {
    organisation: String,
    period: String,
    versions: String,
    changes: String,
    /// The page that compares the two versions, where there are two.
    link: Option<String>,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    release: web::Path<String>,
    with: web::Query<With>,
) -> Result<HttpResponse, PageProblem> {
    let two = two(&site, &visitor.actor, &release, &with).await?;
    let how_much = workflow::how_much_changed(site.db()?, &visitor.actor, &site.specs, &two)
        .await
        .map_err(Problem::from)?;
    let named = |release: &workflow::Release| {
        let drafted = by_and_when(&release.by_name, release.at);
        let name = format!("{}, drafted by {drafted}", kind_in_words(release.kind));
        (format!("/releases/{}", release.id), name)
    };
    let rows = two.changed.iter().zip(&how_much);
    let page = ChangesPage {
        title: two.new.return_title.clone(),
        period: periods_in_words(&two.new, &site.specs),
        release: format!("/releases/{}", two.new.id),
        before: named(&two.old),
        now: named(&two.new),
        csv: format!(
            "/api/releases/{}/changes.csv?with={}",
            two.new.id, two.old.id
        ),
        rows: rows
            .filter_map(|(changed, much)| row(changed, much))
            .collect(),
        you: Some(visitor.you),
    };
    Ok(super::render(StatusCode::OK, &page))
}

fn row(changed: &Changed, much: &ChangeCounts) -> Option<Row> {
    let either = changed.new.as_ref().or(changed.old.as_ref())?;
    let versions = match (&changed.old, &changed.new) {
        (Some(old), Some(new)) => format!(
            "version {} before, version {} now",
            old.version_number, new.version_number
        ),
        (None, _) => format!("version {} is new", either.version_number),
        (_, None) => format!("version {} is gone", either.version_number),
    };
    let mut parts = Vec::new();
    for (n, one, many) in [
        (much.figures, "figure changed", "figures changed"),
        (much.added, "row added", "rows added"),
        (much.gone, "row gone", "rows gone"),
    ] {
        if n > 0 {
            parts.push(counted(n, one, many));
        }
    }
    let link = changed.old.as_ref().zip(changed.new.as_ref());
    Some(Row {
        organisation: either.organisation_name.clone(),
        period: either.period_label.clone(),
        versions,
        changes: match parts.as_slice() {
            [] => "no figure is another one".to_owned(),
            parts => parts.join(", "),
        },
        link: link.map(|(old, new)| {
            format!(
                "/submissions/{}/changes?with={}",
                new.submission_id, old.submission_id
            )
        }),
    })
}
