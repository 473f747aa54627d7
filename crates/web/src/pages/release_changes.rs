//! What two releases have different: whose return, and how much of it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use finding::words::{counted, with_commas};
use workflow::{ChangeCounts, Changed, Counted, MOST_COUNTED, TwoReleases};

use super::datasets;
use super::problem::PageProblem;
use super::releases::{by_and_when, kind_in_words, periods_in_words};
use crate::Site;
use crate::api::releases::{UNTOLD_IN_WORDS, With, two};
use crate::session::{Visitor, You};

/// Of one organisation, so many versions that came or went are named.
const NAMED: usize = 6;

#[derive(Template)]
#[template(path = "release_changes.html")]
struct ChangesPage {
    you: Option<You>,
    title: String,
    period: String,
    release: String,
    before: (String, String),
    now: (String, String),
    /// Of every change; `None` where it can't be told.
    csv: Option<String>,
    /// Why it can't.
    untold: &'static str,
    /// Figures are left out of one of them.
    is_protected: bool,
    accumulates: bool,
    /// Of more records than these nothing is counted here.
    too_many: Option<String>,
    has_changes: bool,
    rows: Vec<Row>,
    not_compared: Vec<String>,
    /// What older versions of the return called otherwise.
    mapping: Vec<(String, String)>,
}

struct Row {
    organisation: String,
    /// Where records accumulate, it is said with each version.
    period: Option<String>,
    versions: Vec<String>,
    /// `None` where it is not counted.
    changes: Option<String>,
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
    let how_much =
        workflow::how_much_changed(site.db()?, &visitor.actor, &site.specs, &two).await?;
    let named = |release: &workflow::Release| {
        let drafted = by_and_when(&release.by_name, release.at);
        let name = format!("{}, drafted by {drafted}", kind_in_words(release.kind));
        (format!("/releases/{}", release.id), name)
    };
    let counts = |idx: usize| how_much.counts.as_ref()?.get(idx);
    let rows = two.changed.iter().enumerate();
    let rows: Vec<Row> = rows
        .filter_map(|(idx, changed)| row(changed, &two, counts(idx)))
        .collect();
    let page = ChangesPage {
        title: two.new.return_title.clone(),
        period: periods_in_words(&two.new, &site.specs),
        release: format!("/releases/{}", two.new.id),
        before: named(&two.old),
        now: named(&two.new),
        csv: two.can_be_told().then(|| {
            format!(
                "/api/releases/{}/changes.csv?with={}",
                two.new.id, two.old.id
            )
        }),
        untold: UNTOLD_IN_WORDS,
        is_protected: two.is_protected,
        accumulates: two.accumulates,
        too_many: (two.can_be_told() && how_much.counts.is_none())
            .then(|| with_commas(MOST_COUNTED)),
        has_changes: rows.iter().any(|row| row.changes.is_some()),
        rows,
        mapping: datasets::in_words(&how_much.mapping),
        not_compared: how_much.not_compared,
        you: Some(visitor.you),
    };
    Ok(super::render(StatusCode::OK, &page))
}

fn row(changed: &Changed, two: &TwoReleases, counts: Option<&ChangeCounts>) -> Option<Row> {
    let accumulates = two.accumulates;
    let either = changed.new.first().or(changed.old.first())?;
    let link = match (changed.old.as_slice(), changed.new.as_slice()) {
        ([old], [new]) if !accumulates && old.submission_id != new.submission_id => Some(format!(
            "/submissions/{}/changes?with={}",
            new.submission_id, old.submission_id
        )),
        _ => None,
    };
    Some(Row {
        organisation: either.organisation_name.clone(),
        period: (!accumulates).then(|| either.period_label.clone()),
        versions: versions(changed, accumulates),
        changes: match counts {
            Some(counts) => Some(in_words(*counts, two.is_protected)),
            None => link.is_some().then(|| "see the two versions".to_owned()),
        },
        link,
    })
}

/// Which versions came, and which went.
fn versions(changed: &Changed, accumulates: bool) -> Vec<String> {
    let (went, came) = changed.came_and_went();
    if let ([went], [came], false) = (went.as_slice(), came.as_slice(), accumulates) {
        return vec![format!(
            "version {} before, version {} now",
            went.version_number, came.version_number
        )];
    }
    if (went.as_slice(), came.as_slice()) == (&[], &[]) {
        let same = changed.new.iter();
        return same
            .map(|of| format!("version {} in both", of.version_number))
            .collect();
    }
    let called = |of: &Counted| {
        if accumulates {
            format!("{} version {}", of.period_label, of.version_number)
        } else {
            format!("version {}", of.version_number)
        }
    };
    let went = went.iter().map(|of| format!("{} is gone", called(of)));
    let came = came.iter().map(|of| format!("{} is new", called(of)));
    let mut all: Vec<String> = went.chain(came).collect();
    let n_more = all.len().saturating_sub(NAMED);
    if n_more > 0 {
        all.truncate(NAMED);
        all.push(format!("and {}", counted(n_more as u64, "other", "others")));
    }
    all
}

fn in_words(counts: ChangeCounts, is_protected: bool) -> String {
    let mut parts = Vec::new();
    for (n, one, many) in [
        (counts.figures, "figure changed", "figures changed"),
        (counts.added, "row added", "rows added"),
        (counts.gone, "row gone", "rows gone"),
    ] {
        if n > 0 {
            parts.push(counted(n, one, many));
        }
    }
    if parts.is_empty() {
        let of = if is_protected { "published " } else { "" };
        return format!("no {of}figure is another one");
    }
    parts.join(", ")
}
