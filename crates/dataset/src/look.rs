//! A first look at a return: what each organisation's records come to in each period, and what is unusual about it.
//!
//! The database adds up what counts; what is told of the sums is worked out here from them alone.

mod exact;
mod kept;
mod states;
mod unusual;

use std::collections::BTreeMap;

use cycle::SubmissionState;
use db::Conn;
use db::records::look::{self, Adding, Sums};
use report::csv::inert;
use spec::{Item, ItemKind, Layout, ReturnSpec, TableSpec};
use uuid::Uuid;

use self::states::States;
use crate::shape::FilledBy;
use crate::{DatasetError, Manifest, Part, Shape, ShapeError, bytes_of};

pub use db::records::look::Key;
pub use exact::{Exact, middle, total};
pub use kept::{ToKeep, to_keep};
pub use unusual::{Spread, Unusual, spread, unusual};

/// Codes that are told; the rarer ones are left to the dataset.
pub const MOST_CODES: usize = 25;

/// Records that are added up while somebody waits. Of more it is told that they are being added up.
const MOST_RECORDS: u64 = 20_000;

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// How many records there are.
    Records,
    /// How many have a code of an item; `None`: any, and how many have which.
    Coded { item: String, code: Option<String> },
    /// What the figures of an item come to.
    Figures { item: String, sum: SumOf },
    /// A figure of one line of a form.
    Line {
        line_item: String,
        line: String,
        item: String,
    },
}

/// What figures come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SumOf {
    Total,
    /// The figure in the middle.
    Middle,
}

/// The item of a form's lines, by its place, and one of them.
type OfLine<'a> = (usize, &'a str);

impl What {
    /// The items that it is about: the only ones that a [`Shape`] for it has to have.
    pub fn items(&self) -> Vec<String> {
        match self {
            What::Records => Vec::new(),
            What::Coded { item, .. } | What::Figures { item, .. } => vec![item.clone()],
            What::Line {
                line_item, item, ..
            } => vec![line_item.clone(), item.clone()],
        }
    }

    /// Whether what it comes to for several organisations can be added up.
    pub fn adds_up(&self) -> bool {
        !matches!(
            self,
            What::Figures {
                sum: SumOf::Middle,
                ..
            }
        )
    }

    /// What is added up, and of which line.
    fn adding(&self, shape: &Shape) -> Result<(Adding, Option<OfLine<'_>>), ShapeError> {
        let place = |item: &str| {
            item_idx(shape, item).ok_or_else(|| ShapeError::UnknownItem {
                table: shape.table.clone(),
                item: item.to_owned(),
            })
        };
        Ok(match self {
            What::Records => (Adding::Records, None),
            What::Coded { item, .. } => (Adding::Codes(place(item)?), None),
            What::Figures { item, .. } => (Adding::Figures(place(item)?), None),
            What::Line {
                line_item,
                line,
                item,
            } => {
                let of_line = (place(line_item)?, line.as_str());
                (Adding::Figures(place(item)?), Some(of_line))
            }
        })
    }

    fn figure(&self) -> Option<&str> {
        match self {
            What::Records | What::Coded { .. } => None,
            What::Figures { item, .. } | What::Line { item, .. } => Some(item),
        }
    }

    /// The number of records and the figure that it is about.
    fn told(&self, sums: &Sums) -> (u64, Option<String>) {
        let count = |n: u64| (n, Some(n.to_string()));
        match self {
            What::Records => count(sums.n_records),
            What::Coded { code: None, .. } => count(sums.n_filled),
            What::Coded {
                code: Some(code), ..
            } => count(sums.codes.get(code).copied().unwrap_or_default()),
            What::Figures {
                sum: SumOf::Middle, ..
            } => (sums.n_records, sums.middle.clone()),
            What::Figures { .. } | What::Line { .. } => (sums.n_records, sums.total.clone()),
        }
    }
}

fn is_number(item: &Item) -> bool {
    matches!(item.kind, ItemKind::Integer | ItemKind::Decimal { .. })
}

/// Whether records are counted by an item's values: by its codes, by yes and no, or by the few words that it may be.
pub fn is_coded(item: &Item) -> bool {
    item.codes.is_some() || item.kind == ItemKind::Boolean || words_of(item).next().is_some()
}

/// The texts that the schema allows, where it names them all.
pub fn words_of(item: &Item) -> impl Iterator<Item = &str> {
    let words = item.schema.get("enum").and_then(|words| words.as_array());
    words.into_iter().flatten().filter_map(|word| word.as_str())
}

/// The items that can be looked at: of a form its figures, of records those with codes as well.
pub fn items_of(table: &TableSpec) -> Vec<&Item> {
    let items = table.items.iter();
    match &table.layout {
        Layout::Matrix(matrix) => items
            .filter(|item| is_number(item) && item.name != matrix.line_item)
            .collect(),
        Layout::Records(_) | Layout::TurnAround { .. } => items
            .filter(|item| is_coded(item) || is_number(item))
            .collect(),
    }
}

/// Where an organisation stands in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Accepted,
    /// Signed off or submitted.
    Provisional(SubmissionState),
    /// It has to answer, and nothing of it counts.
    Missing,
    /// It sent nothing for this period and need not; its records of earlier ones count.
    Earlier,
}

impl Standing {
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Accepted => SubmissionState::Accepted.as_str(),
            Standing::Provisional(state) => state.as_str(),
            Standing::Missing => "missing",
            Standing::Earlier => "earlier",
        }
    }
}

/// An organisation in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// GSS code.
    pub organisation: String,
    pub name: String,
    /// The place of the period in [`Look::periods`].
    pub period_idx: usize,
    pub standing: Standing,
    /// What it sent for this period.
    pub submission: Option<Uuid>,
    pub n_records: u64,
    /// `None`: it said nothing of it.
    pub figure: Option<Exact>,
    /// Where it is a single value: which.
    pub value: Option<Place>,
}

/// The place of a value, by the names of the version of the return that it was sent with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub submission_id: Uuid,
    pub table: String,
    pub row_number: u32,
    pub item: String,
}

/// What there is to look at.
#[derive(Debug, Clone)]
pub struct Look {
    /// The oldest first; the last one is the one that was asked for.
    pub periods: Vec<Part>,
    /// By period and organisation.
    pub points: Vec<Point>,
    /// Code, what it means, and how many records of the last period have it; the most frequent first.
    pub codes: Vec<(String, String, u64)>,
    /// Decimal places of the figures.
    pub places: u8,
}

/// What is found.
#[derive(Debug, Clone)]
pub enum Found {
    Look(Look),
    /// There are too many records of these organisations that nobody has added up yet.
    NotYet(Vec<String>),
}

/// Looks at a manifest's records over periods, which are the manifest's last, the oldest first.
pub async fn look(
    conn: &mut Conn,
    (versions, spec): (&[ReturnSpec], &ReturnSpec),
    (manifest, shape): (&Manifest, &Shape),
    periods: Vec<Part>,
    what: &What,
) -> Result<Found, DatasetError> {
    let (adding, line) = what.adding(shape)?;
    let states = States::of((versions, spec), (manifest, shape), &periods);
    let sums = match line {
        // A form has few lines.
        Some(_) => {
            let added = states.add_up(conn, &states.all(), &[adding], line).await?;
            added
                .into_iter()
                .map(|(_, wanted, sums)| (wanted, sums))
                .collect()
        }
        None => match kept_or_added(conn, &states, adding, what).await? {
            Ok(sums) => sums,
            Err(organisations) => return Ok(Found::NotYet(organisations)),
        },
    };
    let last_idx = periods.len().saturating_sub(1);
    let codes = match what {
        What::Coded { item, .. } => most_frequent(shape, item, &sums, last_idx),
        _ => Vec::new(),
    };
    let mut told = BTreeMap::new();
    for ((organisation, period_idx), sums) in sums {
        let (n_records, figure) = what.told(&sums);
        // Whoever has nothing of it in a period has no part in it for that alone.
        if n_records > 0 {
            told.insert(
                (period_idx, organisation),
                (n_records, figure, sums.only_row),
            );
        }
    }
    let mut points = standing(manifest, &periods);
    points.extend(earlier(manifest, told.keys(), &points));
    points.sort_by(|a, b| (a.period_idx, &a.organisation).cmp(&(b.period_idx, &b.organisation)));
    let counts = what.figure().is_none();
    for point in &mut points {
        let found = told.remove(&(point.period_idx, point.organisation.clone()));
        let Some((n_records, figure, only_row)) = found else {
            // Whoever answered, and has none, has none.
            let has_none = counts && point.standing != Standing::Missing;
            point.figure = has_none.then_some(Exact::default());
            continue;
        };
        point.n_records = n_records;
        point.figure = match &figure {
            Some(text) => Some(Exact::parse(text).ok_or_else(|| DatasetError::Value {
                column: what.figure().unwrap_or_default().to_owned(),
            })?),
            None => None,
        };
        if let (Some(row_number), Adding::Figures(item)) = (only_row, adding) {
            let of = (point.period_idx, point.organisation.as_str());
            point.value = states.place(of, row_number, item);
        }
    }
    let kind = what.figure().and_then(|item| {
        let mut columns = shape.columns.iter();
        columns.find(|column| column.name == item)
    });
    Ok(Found::Look(Look {
        periods,
        points,
        codes,
        places: match kind.map(|column| column.kind) {
            Some(ItemKind::Decimal { scale }) => scale,
            _ => 0,
        },
    }))
}

/// What records come to, by organisation and period.
type SumsOf = BTreeMap<(String, usize), Sums>;

/// What is kept, and what is not kept added up now; or whose there is too much of for that.
async fn kept_or_added(
    conn: &mut Conn,
    states: &States<'_>,
    adding: Adding,
    what: &What,
) -> Result<Result<SumsOf, Vec<String>>, DatasetError> {
    let keys = states.keys(adding)?;
    let last_idx = states.n_periods.saturating_sub(1);
    let (code, with_all_codes) = match what {
        What::Coded { code, .. } => {
            let last = keys.iter().filter(|((_, idx), _)| *idx == last_idx);
            (code.as_deref(), last.map(|(_, key)| *key).collect())
        }
        _ => (None, Vec::new()),
    };
    let all: Vec<Key> = keys.values().copied().collect();
    let kept = look::kept(conn, &all, code, &with_all_codes).await?;
    let kept: BTreeMap<Key, Sums> = kept.into_iter().collect();
    let mut sums = SumsOf::new();
    let mut wanted = Vec::new();
    for (of, key) in keys {
        match kept.get(&key) {
            Some(kept) => {
                sums.insert(of, kept.clone());
            }
            None => wanted.push(of),
        }
    }
    if wanted.is_empty() {
        return Ok(Ok(sums));
    }
    if states.n_loaded(conn, &wanted).await? > MOST_RECORDS {
        let mut organisations: Vec<String> = wanted.into_iter().map(|(code, _)| code).collect();
        organisations.dedup();
        return Ok(Err(organisations));
    }
    let added = states.add_up(conn, &wanted, &[adding], None).await?;
    sums.extend(added.into_iter().map(|(_, of, sums)| (of, sums)));
    Ok(Ok(sums))
}

/// The codes of an item in a period, with what they mean and how many records have them.
fn most_frequent(
    shape: &Shape,
    item: &str,
    sums: &SumsOf,
    period_idx: usize,
) -> Vec<(String, String, u64)> {
    let mut counted: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, sums) in sums.iter().filter(|((_, idx), _)| *idx == period_idx) {
        for (code, n_records) in &sums.codes {
            *counted.entry(code).or_default() += n_records;
        }
    }
    let mut counted: Vec<(&str, u64)> = counted.into_iter().collect();
    counted.sort_by_key(|(code, n_records)| (std::cmp::Reverse(*n_records), *code));
    counted.truncate(MOST_CODES);
    let column = shape.columns.iter().find(|column| column.name == item);
    let label = |code: &str| {
        let mut labels = column.into_iter().flat_map(|column| &column.codes);
        let known = labels.find(|(known, _)| known == code);
        known.map(|(_, label)| label.clone()).unwrap_or_default()
    };
    let labelled = |(code, n_records): (&str, u64)| (code.to_owned(), label(code), n_records);
    counted.into_iter().map(labelled).collect()
}

/// The place of an item among the items that were asked for.
fn item_idx(shape: &Shape, name: &str) -> Option<usize> {
    let mut columns = shape.columns.iter();
    columns.find_map(|column| match column.filled_by {
        FilledBy::Item(idx) if column.name == name => Some(idx),
        _ => None,
    })
}

/// Where everybody stands in each period, with no figures yet.
fn standing(manifest: &Manifest, periods: &[Part]) -> Vec<Point> {
    let mut all: BTreeMap<(usize, String), Point> = BTreeMap::new();
    for counted in &manifest.submissions {
        let is_it = |period: &Part| period.label == counted.period_label;
        let Some(period_idx) = periods.iter().position(is_it) else {
            continue;
        };
        let point = Point {
            organisation: counted.organisation.clone(),
            name: counted.organisation_name.clone(),
            period_idx,
            standing: match counted.state {
                SubmissionState::Accepted => Standing::Accepted,
                state => Standing::Provisional(state),
            },
            submission: Some(counted.submission_id),
            n_records: 0,
            figure: None,
            value: None,
        };
        // The last of them counts most.
        all.insert((period_idx, counted.organisation.clone()), point);
    }
    for missing in &manifest.missing {
        let is_it = |period: &Part| period.label == missing.period_label;
        let Some(period_idx) = periods.iter().position(is_it) else {
            continue;
        };
        let point = Point {
            organisation: missing.organisation.clone(),
            name: missing.organisation_name.clone(),
            period_idx,
            standing: Standing::Missing,
            submission: None,
            n_records: 0,
            figure: None,
            value: None,
        };
        all.entry((period_idx, missing.organisation.clone()))
            .or_insert(point);
    }
    all.into_values().collect()
}

/// Organisations that have records in a period and no part in it.
fn earlier<'a>(
    manifest: &Manifest,
    having: impl Iterator<Item = &'a (usize, String)>,
    points: &[Point],
) -> Vec<Point> {
    let has_part = |(period_idx, organisation): &&(usize, String)| {
        let is_it =
            |point: &Point| (point.period_idx, &point.organisation) == (*period_idx, organisation);
        points.iter().any(is_it)
    };
    let mut earlier = Vec::new();
    for (period_idx, organisation) in having.filter(|one| !has_part(one)) {
        let mut sent = manifest.submissions.iter();
        let sent = sent.find(|counted| counted.organisation == *organisation);
        earlier.extend(sent.map(|sent| Point {
            organisation: organisation.clone(),
            name: sent.organisation_name.clone(),
            period_idx: *period_idx,
            standing: Standing::Earlier,
            submission: None,
            n_records: 0,
            figure: None,
            value: None,
        }));
    }
    earlier
}

impl Look {
    /// Those of one period.
    pub fn of_period(&self, period_idx: usize) -> impl Iterator<Item = &Point> {
        let of_it = move |point: &&Point| point.period_idx == period_idx;
        self.points.iter().filter(of_it)
    }

    /// The place of the period that was asked for.
    pub fn last_idx(&self) -> usize {
        self.periods.len().saturating_sub(1)
    }

    /// Everything that the pictures show, a row for each organisation and period.
    pub fn csv(&self) -> Result<Vec<u8>, DatasetError> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record([
            "organisation_code",
            "organisation_name",
            "period",
            "period_start",
            "period_end",
            "submission_state",
            "submission_id",
            "n_records",
            "figure",
            "unusual_among_organisations",
            "unusual_for_the_organisation",
        ])?;
        let unusual = unusual(self);
        let last_idx = self.last_idx();
        for point in &self.points {
            let Some(period) = self.periods.get(point.period_idx) else {
                continue;
            };
            let is_of_it = |one: &&Unusual| {
                point.period_idx == last_idx && one.organisation == point.organisation
            };
            let found = unusual.iter().find(is_of_it);
            let yes_or_no = |is_so: bool| match (point.period_idx == last_idx, is_so) {
                (false, _) => "",
                (true, true) => "yes",
                (true, false) => "no",
            };
            let submission = point.submission.map(|id| id.to_string());
            writer.write_record([
                point.organisation.as_str(),
                &inert(&point.name),
                &inert(&period.label),
                &period.start.to_string(),
                &period.end.to_string(),
                point.standing.as_str(),
                submission.as_deref().unwrap_or_default(),
                &point.n_records.to_string(),
                &point
                    .figure
                    .map(|figure| figure.text(self.places))
                    .unwrap_or_default(),
                yes_or_no(found.is_some_and(|one| one.among.is_some())),
                yes_or_no(found.is_some_and(|one| one.before.is_some())),
            ])?;
        }
        bytes_of(writer)
    }
}

/// All rounds of a return, the oldest first.
pub async fn all_periods(conn: &mut Conn, return_id: &str) -> Result<Vec<Part>, DatasetError> {
    let rounds = look::last_rounds(conn, return_id, chrono::NaiveDate::MAX, u32::MAX).await?;
    let part = |(label, start, end)| Part { label, start, end };
    Ok(rounds.into_iter().rev().map(part).collect())
}

/// The rounds of a return that are looked at: the last up to one.
pub async fn last_periods(
    conn: &mut Conn,
    spec: &ReturnSpec,
    to: &spec::Period,
    n_most: u32,
) -> Result<Vec<Part>, DatasetError> {
    let rounds = look::last_rounds(conn, &spec.id, to.end, n_most).await?;
    let mut periods: Vec<Part> = rounds
        .into_iter()
        .map(|(label, start, end)| Part { label, start, end })
        .collect();
    periods.reverse();
    // Two may end on one day: the one that was asked for comes last.
    periods.sort_by_key(|period| (period.end, period.label == to.label));
    if periods.last().is_none_or(|last| last.label != to.label) {
        periods.push(to.into());
    }
    Ok(periods)
}
