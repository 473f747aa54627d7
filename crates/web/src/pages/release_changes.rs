//! What two releases have different: whose return, and how much of it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use finding::words::counted;
use spec::ReturnSpec;
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
    /// Of every change; `None` where it would tell what a release leaves out.
    csv: Option<String>,
    /// The items that records are known by, where they accumulate: there is no file then.
    keys: Option<String>,
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
        csv: (!two.is_protected && !two.accumulates).then(|| {
            format!(
                "/api/releases/{}/changes.csv?with={}",
                two.new.id, two.old.id
            )
        }),
        rows: rows
            .filter_map(|(changed, much)| row(changed, (!two.accumulates).then_some(much)))
            .collect(),
        keys: two.accumulates.then(|| keys(&site.specs, &two.new)),
        you: Some(visitor.you),
    };
    Ok(super::render(StatusCode::OK, &page))
}

/// Of each table.
fn keys(specs: &[ReturnSpec], release: &workflow::Release) -> String {
    let mut specs = specs.iter();
    let spec = specs
        .find(|spec| (&spec.id, &spec.version) == (&release.return_id, &release.return_version));
    let tables = spec.iter().flat_map(|spec| &spec.tables);
    let keys = tables.map(|table| format!("{} ({})", table.keys.join(", "), table.title));
    keys.collect::<Vec<_>>().join("; ")
}

/// Without how much changed where records accumulate.
fn row(changed: &Changed, much: Option<&ChangeCounts>) -> Option<Row> {
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
    let none = ChangeCounts::default();
    let counts = much.unwrap_or(&none);
    for (n, one, many) in [
        (counts.figures, "figure changed", "figures changed"),
        (counts.added, "row added", "rows added"),
        (counts.gone, "row gone", "rows gone"),
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
            [] if much.is_none() => {
                "its records take the place of those with the same keys".to_owned()
            }
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
