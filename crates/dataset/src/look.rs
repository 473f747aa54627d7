//! A first look at a return: what each organisation's records come to in each period, and what is unusual about it.
//!
//! The database adds up what counts; what is told of the sums is worked out here from them alone.

mod exact;
mod unusual;

use std::collections::BTreeMap;

use cycle::SubmissionState;
use db::Conn;
use db::records::look::{self, Looked, Member, Sum};
use report::csv::inert;
use spec::{ItemKind, ReturnSpec};
use uuid::Uuid;

use crate::shape::{FilledBy, OwnedSource};
use crate::{DatasetError, Manifest, Part, Shape, ShapeError, bytes_of};

pub use exact::{Exact, middle, total};
pub use unusual::{Spread, Unusual, spread, unusual};

/// Codes that are counted; the rarer ones are left to the dataset.
const CODES: u32 = 40;

/// Records that are added up for a page; looking at more takes too long.
const MOST_RECORDS: u64 = 250_000;
/// Where records accumulate, they are sorted as well.
const MOST_ACCUMULATED: u64 = 100_000;

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

    fn coded(&self) -> (Option<&str>, Option<&str>) {
        match self {
            What::Coded { item, code } => (Some(item), code.as_deref()),
            What::Line {
                line_item, line, ..
            } => (Some(line_item), Some(line)),
            What::Records | What::Figures { .. } => (None, None),
        }
    }

    fn figure(&self) -> (Sum, Option<&str>) {
        match self {
            What::Records | What::Coded { .. } => (Sum::Records, None),
            What::Figures {
                item,
                sum: SumOf::Middle,
            } => (Sum::Middle, Some(item)),
            What::Figures { item, .. } | What::Line { item, .. } => (Sum::Total, Some(item)),
        }
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
    /// Periods before the first that are not looked at, since all together they have too many records.
    pub n_left_out: usize,
}

/// The last periods of a manifest that together are not too many records to add up; none where the last one alone is.
pub async fn periods_to_look_at(
    conn: &mut Conn,
    manifest: &Manifest,
    table: &str,
    mut periods: Vec<Part>,
) -> Result<(Vec<Part>, usize), DatasetError> {
    let loaded = look::n_loaded(conn, &manifest.ids(), table).await?;
    let loaded: BTreeMap<Uuid, u64> = loaded.into_iter().collect();
    let n_of = |wanted: &dyn Fn(&str) -> bool| -> u64 {
        let counted = manifest.submissions.iter();
        let counted = counted.filter(|counted| wanted(&counted.period_label));
        counted
            .filter_map(|counted| loaded.get(&counted.submission_id))
            .sum()
    };
    let n_all = periods.len();
    if manifest.accumulates {
        // A period has the records of all before it, however few periods are looked at.
        if n_of(&|_| true) > MOST_ACCUMULATED {
            return Ok((Vec::new(), n_all));
        }
        return Ok((periods, 0));
    }
    let mut n_records = 0;
    let mut n_fitting = 0;
    for period in periods.iter().rev() {
        n_records += n_of(&|label| label == period.label);
        if n_records > MOST_RECORDS {
            break;
        }
        n_fitting += 1;
    }
    let n_left_out = n_all - n_fitting;
    Ok((periods.split_off(n_left_out), n_left_out))
}

/// Looks at a manifest's records over periods, which are the manifest's last, the oldest first.
pub async fn look(
    conn: &mut Conn,
    (versions, spec): (&[ReturnSpec], &ReturnSpec),
    (manifest, shape): (&Manifest, &Shape),
    (periods, n_left_out): (Vec<Part>, usize),
    what: &What,
) -> Result<Look, DatasetError> {
    let mut owned: Vec<OwnedSource<'_>> = Vec::new();
    for (version, _) in &manifest.versions {
        owned.extend(shape.source(versions, &manifest.return_id, version));
    }
    let mut sources = Vec::new();
    for source in &owned {
        sources.push(source.as_source());
    }
    let place = |item: Option<&str>| match item {
        Some(item) => item_idx(shape, item).map(Some).ok_or_else(|| {
            DatasetError::Shape(ShapeError::UnknownItem {
                table: shape.table.clone(),
                item: item.to_owned(),
            })
        }),
        None => Ok(None),
    };
    let ((coded, code), (sum, figure)) = (what.coded(), what.figure());
    let looked = Looked {
        sum,
        figure: place(figure)?,
        coded: place(coded)?,
        code,
    };
    let members = members(manifest, &periods);
    let of = (sources.as_slice(), spec.accumulation);
    let over = (members.as_slice(), periods.len());
    let summed = look::summed(conn, of, over, looked).await?;
    let codes = match (what, looked.coded) {
        (What::Coded { item, .. }, Some(coded)) => {
            let counted = look::codes(conn, of, over, coded, CODES).await?;
            let column = shape.columns.iter().find(|column| column.name == *item);
            let label = |code: &str| {
                let mut labels = column.into_iter().flat_map(|column| &column.codes);
                let known = labels.find(|(known, _)| known == code);
                known.map(|(_, label)| label.clone()).unwrap_or_default()
            };
            let labelled = |(code, n_records): (String, u64)| {
                let label = label(&code);
                (code, label, n_records)
            };
            counted.into_iter().map(labelled).collect()
        }
        _ => Vec::new(),
    };
    let mut sums = BTreeMap::new();
    for one in summed {
        sums.insert((one.period_idx, one.organisation.clone()), one);
    }
    let mut points = standing(manifest, &periods);
    points.extend(earlier(manifest, sums.keys(), &points));
    points.sort_by(|a, b| (a.period_idx, &a.organisation).cmp(&(b.period_idx, &b.organisation)));
    for point in &mut points {
        let sum = sums.remove(&(point.period_idx, point.organisation.clone()));
        let counts = looked.sum == Sum::Records && point.standing != Standing::Missing;
        let Some(sum) = sum else {
            // Whoever answered, and has none, has none.
            point.figure = counts.then_some(Exact::default());
            continue;
        };
        point.n_records = sum.n_records;
        point.value = sum.only.zip(looked.figure).and_then(|((id, row), figure)| {
            let mut counted = manifest.submissions.iter();
            let counted = counted.find(|counted| counted.submission_id == id)?;
            let source = shape.source(versions, &manifest.return_id, &counted.return_version)?;
            let source = source.as_source();
            Some(Place {
                submission_id: id,
                table: source.table.name.clone(),
                row_number: row,
                item: (*source.items.get(figure)?)?.to_owned(),
            })
        });
        point.figure = match &sum.figure {
            Some(text) => Some(Exact::parse(text).ok_or_else(|| DatasetError::Value {
                column: figure.unwrap_or_default().to_owned(),
            })?),
            None => None,
        };
    }
    let kind = figure.and_then(|item| {
        let mut columns = shape.columns.iter();
        columns.find(|column| column.name == item)
    });
    Ok(Look {
        periods,
        points,
        codes,
        places: match kind.map(|column| column.kind) {
            Some(ItemKind::Decimal { scale }) => scale,
            _ => 0,
        },
        n_left_out,
    })
}

/// The place of an item among the items that were asked for.
fn item_idx(shape: &Shape, name: &str) -> Option<usize> {
    let mut columns = shape.columns.iter();
    columns.find_map(|column| match column.filled_by {
        FilledBy::Item(idx) if column.name == name => Some(idx),
        _ => None,
    })
}

/// The submissions whose records are added up, in the order in which they count.
fn members(manifest: &Manifest, periods: &[Part]) -> Vec<Member> {
    let first = periods.first().map(|period| period.end);
    let idx_of = |label: &str| periods.iter().position(|period| period.label == label);
    manifest
        .submissions
        .iter()
        .filter(|counted| !counted.is_nil)
        .filter_map(|counted| {
            let is_before = first.is_some_and(|first| counted.period_end < first);
            let idx = match idx_of(&counted.period_label) {
                None if manifest.accumulates && is_before => Some(0),
                idx => idx,
            };
            Some((counted.submission_id, idx?))
        })
        .collect()
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
