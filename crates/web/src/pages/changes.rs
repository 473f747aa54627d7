//! What changed between two versions: rows and figures, and what was found.

pub(super) mod words;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use finding::Asks;
use finding::words::{counted, with_commas};
use serde::Deserialize;
use uuid::Uuid;
use workflow::{
    AskedOfTwo, Change, ChangeCounts, ChangedRecord, Changes, Figure, NothingIn, RuleChanges,
    Submission, TableChanges, TableOfTwo, ToCompare, Versions,
};

use super::datasets;
use super::problem::PageProblem;
use crate::Site;
use crate::api::submission::parse_id;
use crate::problem::Problem;
use crate::session::{Visitor, You};
use words::{figure, signed};

/// Rows on one page.
const PAGE: u32 = 20;

/// Characters of what is looked for.
const LONGEST_TEXT: usize = 200;

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    /// The other version.
    #[serde(default)]
    with: String,
    /// A kind of change.
    #[serde(default)]
    only: String,
    #[serde(default)]
    text: String,
    page: Option<u32>,
}

#[derive(Template)]
#[template(path = "changes.html")]
struct ChangesPage {
    you: Option<You>,
    this: Submission,
    with: Option<Uuid>,
    heading: String,
    choices: Vec<Choice>,
    /// Why nothing can be compared; then there is nothing below.
    cannot: Vec<String>,
    sentences: Vec<String>,
    only: &'static str,
    text: String,
    kinds: Vec<Choice>,
    tables: Vec<Table>,
    /// "1 to 20 of 120".
    range: Option<String>,
    /// Addresses of the pages beside it, but for what is looked for.
    before: Option<String>,
    after: Option<String>,
    not_compared: Vec<String>,
    asked_otherwise: Vec<String>,
    /// What the older form called otherwise.
    mapping: Vec<(String, String)>,
    /// Rows that could not be used, which no comparison has.
    left_out: Vec<String>,
    findings: Vec<Check>,
}

struct Choice {
    value: String,
    label: String,
    is_chosen: bool,
}

struct Table {
    title: String,
    rows: Vec<Row>,
}

/// A figure that is another one, or a row that came or went.
struct Row {
    name: String,
    what: String,
    before: Option<Shown>,
    now: Option<Shown>,
    difference: String,
}

impl Row {
    /// Both, with their headings.
    fn sides(&self) -> [(&'static str, &Option<Shown>); 2] {
        [("Before", &self.before), ("Now", &self.now)]
    }
}

struct Shown {
    value: String,
    cell: String,
    /// Of a whole row: each value of it.
    values: Vec<(String, String)>,
}

/// What became of what a check found.
struct Check {
    message: String,
    rule: String,
    tag: &'static str,
    asks: &'static str,
    link: String,
    n_new: String,
    new_places: String,
    n_gone: String,
    gone_places: String,
    n_stay: String,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    id: web::Path<String>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageProblem> {
    let (db, reader) = (site.db()?, &visitor.actor);
    let with = match asked.with.as_str() {
        "" => None,
        with => Some(parse_id(with)?),
    };
    let found = workflow::to_compare(db, reader, parse_id(&id)?, with).await?;
    let only = Change::ALL
        .into_iter()
        .find(|kind| kind.as_str() == asked.only);
    let text: String = asked.text.trim().chars().take(LONGEST_TEXT).collect();
    let mut page = ChangesPage::of(&found, only, text);
    page.you = Some(visitor.you);
    let Some(versions) = found.versions() else {
        page.cannot =
            vec!["There is no other version that this one can be compared with.".to_owned()];
        return Ok(super::render(StatusCode::OK, &page));
    };
    let rounds = [&versions.old.round, &versions.new.round];
    if rounds.iter().any(|round| site.spec_of(round).is_none()) {
        page.cannot = vec!["One of these versions answers a form that is not in use any more, so they can't be compared here. Both files are kept.".to_owned()];
        return Ok(super::render(StatusCode::OK, &page));
    }
    let page_number = asked.page.unwrap_or(1).max(1);
    let asked = AskedOfTwo {
        only,
        text: (!page.text.is_empty()).then(|| page.text.clone()),
        skipped: u64::from(page_number - 1) * u64::from(PAGE),
        limit: PAGE,
    };
    let changes = workflow::changes(db, reader, &versions, &site.specs, &asked).await?;
    page.fill(&versions, changes, &asked, page_number);
    page.left_out = left_out(&site, reader, &versions).await?;
    Ok(super::render(StatusCode::OK, &page))
}

impl ChangesPage {
    /// Of another page of the same list; what is looked for comes at its end.
    fn address(&self, page: u32) -> String {
        let with = self.with.map_or_else(String::new, |with| with.to_string());
        format!(
            "/submissions/{}/changes?with={with}&only={}&page={page}&text=",
            self.this.id, self.only
        )
    }

    fn of(found: &ToCompare, only: Option<Change>, text: String) -> Self {
        let this = found.this.clone();
        let with = found.with.as_ref().map(|with| with.id);
        let chosen = found
            .with
            .iter()
            .filter(|with| !found.others.contains(with));
        Self {
            you: None,
            heading: "What changed".to_owned(),
            choices: found
                .others
                .iter()
                .chain(chosen)
                .map(|other| Choice {
                    value: other.id.to_string(),
                    label: called(other, &this),
                    is_chosen: Some(other.id) == with,
                })
                .collect(),
            cannot: Vec::new(),
            sentences: Vec::new(),
            only: only.map_or("", Change::as_str),
            kinds: Change::ALL
                .into_iter()
                .map(|kind| Choice {
                    value: kind.as_str().to_owned(),
                    label: in_words(kind).to_owned(),
                    is_chosen: Some(kind) == only,
                })
                .collect(),
            text,
            tables: Vec::new(),
            range: None,
            before: None,
            after: None,
            not_compared: Vec::new(),
            asked_otherwise: Vec::new(),
            mapping: Vec::new(),
            left_out: Vec::new(),
            findings: Vec::new(),
            with,
            this,
        }
    }

    fn fill(
        &mut self,
        versions: &Versions,
        changes: Changes<'_>,
        asked: &AskedOfTwo,
        page_number: u32,
    ) {
        let (old, new) = (&versions.old, &versions.new);
        self.heading = format!(
            "What changed from {} to {}",
            lower(&called(old, new)),
            lower(&called(new, old))
        );
        self.findings = changes
            .findings
            .into_iter()
            .map(|rule| check(rule, versions))
            .collect();
        let nothing = [(changes.nothing_in.0, old), (changes.nothing_in.1, new)];
        self.cannot = nothing
            .into_iter()
            .filter_map(|(why, version)| Some(cannot(why?, version, &self.this)))
            .collect();
        if !self.cannot.is_empty() {
            return;
        }
        if old.sha256 == new.sha256 {
            self.sentences
                .push("Both versions are the same file, byte by byte.".to_owned());
        }
        let mut counts = ChangeCounts::default();
        for table in &changes.tables {
            counts.add(table.counts);
        }
        let n_now: u64 = changes.tables.iter().map(|table| table.of.n_now()).sum();
        self.sentences.extend(sentences(counts, n_now));
        self.not_compared = changes.not_compared;
        self.asked_otherwise = changes.asked_otherwise;
        self.mapping = datasets::in_words(&changes.mapping);
        let n_found: u64 = changes.tables.iter().map(|table| table.n_found).sum();
        let n_shown: usize = changes.tables.iter().map(|table| table.records.len()).sum();
        let n_last = asked.skipped + n_shown as u64;
        self.range = (n_shown > 0).then(|| {
            format!(
                "Rows {} to {} of {}",
                with_commas(asked.skipped + 1),
                with_commas(n_last),
                with_commas(n_found)
            )
        });
        self.before = (page_number > 1).then(|| self.address(page_number - 1));
        self.after = (n_last < n_found && n_shown > 0).then(|| self.address(page_number + 1));
        self.tables = changes
            .tables
            .iter()
            .filter(|table| !table.records.is_empty())
            .map(table)
            .collect();
    }
}

/// `Version 2`, with its period where that is another one.
fn called(version: &Submission, beside: &Submission) -> String {
    let number = version.version_number;
    if version.obligation_id == beside.obligation_id {
        format!("Version {number}")
    } else {
        format!("Version {number} for {}", version.round.period.in_words())
    }
}

fn lower(words: &str) -> String {
    words.replacen("Version", "version", 1)
}

fn in_words(kind: Change) -> &'static str {
    match kind {
        Change::Changed => "Figures that changed",
        Change::Added => "Rows that are new",
        Change::Gone => "Rows that are gone",
    }
}

fn cannot(why: NothingIn, version: &Submission, this: &Submission) -> String {
    let called = if version.id == this.id {
        format!("Version {}", version.version_number)
    } else {
        called(version, this)
    };
    match why {
        NothingIn::NotChecked => format!(
            "{called} is not checked yet, so there is nothing to compare. Look again in some minutes."
        ),
        NothingIn::Nil => format!(
            "{called} says that there is nothing to report. It has no rows that could be compared."
        ),
        NothingIn::NotRead => format!(
            "No row of {} could be read, so there is nothing to compare. Its page says what was wrong with the file.",
            lower(&called)
        ),
    }
}

fn sentences(counts: ChangeCounts, n_now: u64) -> Vec<String> {
    if counts.records() == 0 {
        return vec!["Every row is the same in both.".to_owned()];
    }
    let mut sentences = Vec::new();
    if counts.changed > 0 {
        let verb = if counts.figures == 1 { "is" } else { "are" };
        sentences.push(format!(
            "{} {verb} different, in {}.",
            counted(counts.figures, "figure", "figures"),
            counted(counts.changed, "row", "rows")
        ));
    }
    for (n, what) in [(counts.added, "new"), (counts.gone, "gone")] {
        if n > 0 {
            sentences.push(format!("{} {what}.", counted(n, "row is", "rows are")));
        }
    }
    let n_same = n_now.saturating_sub(counts.changed + counts.added);
    sentences.push(format!(
        "{} the same.",
        counted(n_same, "row is", "rows are")
    ));
    sentences
}

/// What could not be used of either file.
async fn left_out(
    site: &Site,
    reader: &workflow::Actor,
    versions: &Versions,
) -> Result<Vec<String>, Problem> {
    let mut left_out = Vec::new();
    for version in [&versions.old, &versions.new] {
        let accounts = workflow::accounts(site.db()?, reader, version.id).await?;
        let n: u64 = accounts.iter().flatten().map(|table| table.rejected).sum();
        if n > 0 {
            left_out.push(format!(
                "{} of version {} could not be used and {} left out of this comparison.",
                counted(n, "row", "rows"),
                version.version_number,
                if n == 1 { "is" } else { "are" }
            ));
        }
    }
    Ok(left_out)
}

fn table(changes: &TableChanges<'_>) -> Table {
    Table {
        title: changes.of.lined_up.table.title.clone(),
        rows: changes
            .records
            .iter()
            .flat_map(|record| rows(&changes.of, record))
            .collect(),
    }
}

/// A row for each figure that is another one; one for a whole row that came or went.
fn rows(of: &TableOfTwo<'_>, record: &ChangedRecord) -> Vec<Row> {
    let name = of.name_of(record);
    let items = of.lined_up.columns.iter().map(|(_, item)| *item);
    let figures = items.zip(&record.figures).enumerate();
    if record.change == Change::Changed {
        return figures
            .filter(|(_, (_, figure))| figure.differs)
            .map(|(idx, (item, values))| Row {
                name: name.clone(),
                what: item.title.clone(),
                before: Some(Shown {
                    value: figure(item, values.old.as_deref()),
                    cell: of.cell(idx, record.old).unwrap_or_default(),
                    values: Vec::new(),
                }),
                now: Some(Shown {
                    value: figure(item, values.new.as_deref()),
                    cell: of.cell(idx, record.new).unwrap_or_default(),
                    values: Vec::new(),
                }),
                difference: difference(values),
            })
            .collect();
    }
    let is_new = record.change == Change::Added;
    let mut values = Vec::new();
    let mut cell = None;
    for (idx, (item, of_item)) in figures {
        let value = if is_new { &of_item.new } else { &of_item.old };
        let Some(value) = value else {
            continue;
        };
        values.push((item.title.clone(), figure(item, Some(value))));
        cell = cell.or_else(|| of.cell(idx, record.new.or(record.old)));
    }
    let shown = Some(Shown {
        value: counted(values.len() as u64, "value", "values"),
        cell: cell.unwrap_or_default(),
        values,
    });
    let (what, before, now) = if is_new {
        ("New row", None, shown)
    } else {
        ("Row that is gone", shown, None)
    };
    vec![Row {
        name,
        what: what.to_owned(),
        before,
        now,
        difference: String::new(),
    }]
}

/// `+12 (+4.5%)`.
fn difference(figure: &Figure) -> String {
    match (&figure.by, &figure.percent) {
        (Some(by), Some(percent)) => format!("{} ({}%)", signed(by), signed(percent)),
        (Some(by), None) => signed(by),
        (None, _) => String::new(),
    }
}

fn check(rule: RuleChanges, versions: &Versions) -> Check {
    let shown_in = if rule.n_new + rule.n_stay > 0 {
        &versions.new
    } else {
        &versions.old
    };
    let asks = Asks::of(rule.severity);
    let places = |places: Vec<String>, n: u64| {
        let more = n.saturating_sub(places.len() as u64);
        let mut places = places.join(", ");
        if more > 0 && !places.is_empty() {
            places += &format!(" and {} more", with_commas(more));
        }
        places
    };
    Check {
        link: format!("/submissions/{}/checks/{}", shown_in.id, rule.rule),
        message: rule.message,
        rule: rule.rule.to_string(),
        asks: asks.lower(),
        tag: match asks {
            Asks::ToFix => "ds_tag--red",
            Asks::ToExplain => "ds_tag--yellow",
            Asks::ForInformation => "ds_tag--grey",
        },
        n_new: with_commas(rule.n_new),
        new_places: places(rule.new_places, rule.n_new),
        n_gone: with_commas(rule.n_gone),
        gone_places: places(rule.gone_places, rule.n_gone),
        n_stay: with_commas(rule.n_stay),
    }
}
