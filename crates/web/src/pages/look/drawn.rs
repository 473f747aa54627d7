//! The pictures of a look.

use dataset::look::{Exact, Look, MOST_CODES, Point, Standing, Unusual, middle, total};

use super::asked::Chosen;
use super::words::{self, Told};
use crate::pages::changes::words::grouped;
use crate::pages::chart::{
    Band, Bar, Bars, Cell, Chart, Fill, Lines, Point as Mark, Points, Table, headings,
};

/// Organisations in one picture; the table has all of them.
const MOST_BARS: usize = 40;
/// Lines in one picture.
const MOST_LINES: usize = 2;
/// With fewer figures there is no middle half to speak of.
const FEWEST_FOR_BAND: usize = 4;

pub(super) struct Drawn<'a> {
    pub(super) look: &'a Look,
    pub(super) what: &'a Chosen,
    pub(super) unusual: Vec<Unusual>,
    pub(super) is_everybodys: bool,
    pub(super) organisation: Option<&'a str>,
}

/// What marks a bar that is provisional or unusual, in its words.
const PROVISIONAL: &str = "[p]";
const UNUSUAL: &str = "[u]";

/// Where a figure is from: its value, or what it was sent with.
fn link(point: &Point) -> Option<String> {
    match (&point.value, point.submission) {
        (Some(value), _) => Some(format!(
            "/submissions/{}/values/{}/{}/{}",
            value.submission_id, value.table, value.row_number, value.item
        )),
        (None, Some(id)) => Some(format!("/submissions/{id}")),
        (None, None) => None,
    }
}

impl Drawn<'_> {
    fn told(&self, figure: Exact) -> String {
        grouped(&figure.text(self.look.places))
    }

    fn told_or_none(&self, figure: Option<Exact>) -> String {
        figure.map_or_else(|| "none".to_owned(), |figure| self.told(figure))
    }

    /// `Roads: Spent (pounds), over time`.
    fn titled(&self, how: &str) -> String {
        match &self.what.unit {
            Some(unit) => format!("{} ({unit}), {how}", self.what.words),
            None => format!("{}, {how}", self.what.words),
        }
    }

    fn now(&self) -> impl Iterator<Item = &Point> {
        self.look.of_period(self.look.last_idx())
    }

    fn unusual_of(&self, point: &Point) -> Option<&Unusual> {
        let is_it = |found: &&Unusual| found.organisation == point.organisation;
        self.unusual.iter().find(is_it)
    }

    /// The month in which each period ends.
    fn names(&self) -> Vec<String> {
        let periods = self.look.periods.iter();
        periods
            .map(|period| period.end.format("%b %Y").to_string())
            .collect()
    }

    /// How many rows there are of each code.
    pub(super) fn by_code(&self, link: &dyn Fn(&str) -> String) -> Option<Chart> {
        if self.look.codes.is_empty() || self.what.code().is_some() {
            return None;
        }
        let mut bars = Bars::default();
        let mut rows = Vec::new();
        for (code, _, n_records) in &self.look.codes {
            let label = self.what.label_of(code);
            let figure = Exact::parse(&n_records.to_string()).unwrap_or_default();
            let told = grouped(&n_records.to_string());
            let link = Some(link(code));
            rows.push(vec![
                Cell::linked(label.clone(), link.clone()),
                Cell::plain(told.clone()),
            ]);
            bars.bars.push(Bar {
                label,
                told,
                parts: vec![(figure.near(), Fill::Now)],
                is_strong: false,
                link,
            });
        }
        Some(Chart {
            id: "by-code".to_owned(),
            title: format!("{}, by code", self.what.words),
            words: match bars.bars.len() {
                MOST_CODES => format!(
                    "A bar for each of the {MOST_CODES} most frequent codes. If there are others, the dataset has them."
                ),
                n => format!("A bar for each of {n} codes, the most frequent first."),
            },
            drawings: bars.both(),
            table: Table {
                headings: headings([("Code", false), ("Rows", true)]),
                rows,
            },
        })
    }

    /// The organisations of the period, the largest figure first.
    pub(super) fn compared(&self) -> Option<Chart> {
        let mut points: Vec<(&Point, Exact)> = self
            .now()
            .filter_map(|point| Some((point, point.figure?)))
            .collect();
        if !self.is_everybodys || points.is_empty() {
            return None;
        }
        points.sort_by(|a, b| (b.1, &a.0.name).cmp(&(a.1, &b.0.name)));
        let figures: Vec<Exact> = points.iter().map(|(_, figure)| *figure).collect();
        let middle = middle(&figures);
        let (mut bars, mut rows) = (Bars::default(), Vec::new());
        for (point, figure) in &points {
            let found = self.unusual_of(point);
            let is_provisional = matches!(point.standing, Standing::Provisional(_));
            let mut told = self.told(*figure);
            for (mark, is_so) in [(PROVISIONAL, is_provisional), (UNUSUAL, found.is_some())] {
                if is_so {
                    told = format!("{told} {mark}");
                }
            }
            bars.bars.push(Bar {
                label: point.name.clone(),
                told,
                parts: vec![(
                    figure.near(),
                    if is_provisional {
                        Fill::Hollow
                    } else {
                        Fill::Now
                    },
                )],
                is_strong: found.is_some(),
                link: link(point),
            });
            rows.push(vec![
                Cell::linked(point.name.clone(), link(point)),
                Cell::plain(self.told(*figure)),
                Cell::plain(words::standing(point.standing)),
                Cell::plain(if found.is_some() { "unusual" } else { "" }),
            ]);
        }
        bars.bars.truncate(MOST_BARS);
        bars.line = middle.map(|middle| (middle.near(), format!("middle: {}", self.told(middle))));
        let n_more = points.len() - bars.bars.len();
        let more = match n_more {
            0 => String::new(),
            n => format!(" {n} smaller ones are in the table alone."),
        };
        let (first, last) = (points.first()?, points.last()?);
        Some(Chart {
            id: "compared".to_owned(),
            title: self.titled("organisation by organisation"),
            words: format!(
                "A bar for each of {} organisations, from {} with {} to {} with {}.{} {PROVISIONAL} and a hollow bar: provisional. {UNUSUAL}: unusual.{more}",
                points.len(),
                first.0.name,
                self.told(first.1),
                last.0.name,
                self.told(last.1),
                middle.map_or_else(String::new, |middle| format!(
                    " A dashed line is at the middle figure, {}.",
                    self.told(middle)
                )),
            ),
            drawings: bars.both(),
            table: Table {
                headings: headings([
                    ("Organisation", false),
                    ("Figure", true),
                    ("Where it stands", false),
                    ("Unusual", false),
                ]),
                rows,
            },
        })
    }

    /// What is unusual and why; `None` where nothing can be said of that.
    pub(super) fn what_is_unusual(&self) -> Option<Vec<Told>> {
        let figures = self.now().filter(|point| point.figure.is_some());
        figures.peekable().peek()?;
        let mut told: Vec<Told> = self
            .unusual
            .iter()
            .map(|found| Told {
                name: found.name.clone(),
                link: self
                    .now()
                    .find(|point| point.organisation == found.organisation)
                    .and_then(link),
                figure: self.told(found.figure),
                why: words::why(found, self.look.places),
            })
            .collect();
        told.sort_by(|a, b| a.name.cmp(&b.name));
        Some(told)
    }

    /// All organisations together, period by period, with how many they are.
    pub(super) fn totals(&self) -> Option<Chart> {
        if !self.is_everybodys || !self.what.what.adds_up() {
            return None;
        }
        let (mut bars, mut rows) = (Bars::default(), Vec::new());
        for ((idx, period), label) in self.look.periods.iter().enumerate().zip(self.names()) {
            let of_it = || self.look.of_period(idx);
            let sum = total(of_it().filter_map(|point| point.figure))
                .filter(|_| of_it().any(|point| point.figure.is_some()));
            let (accepted, provisional, missing) = words::counts(of_it());
            let n_there = accepted + provisional;
            let n_all = n_there + missing;
            let figure = self.told_or_none(sum);
            let is_whole = missing == 0 && provisional == 0;
            bars.bars.push(Bar {
                label,
                told: match (is_whole, sum) {
                    (true, _) | (_, None) => figure.clone(),
                    _ => format!("{figure} ({n_there} of {n_all})"),
                },
                parts: sum
                    .map(|sum| (sum.near(), if is_whole { Fill::Now } else { Fill::Hollow }))
                    .into_iter()
                    .collect(),
                is_strong: idx == self.look.last_idx(),
                link: None,
            });
            rows.push(vec![
                Cell::plain(period.label.clone()),
                Cell::plain(figure),
                Cell::plain(format!("{n_there} of {n_all}")),
                Cell::plain(provisional.to_string()),
            ]);
        }
        if bars.bars.iter().all(|bar| bar.parts.is_empty()) {
            return None;
        }
        Some(Chart {
            id: "totals".to_owned(),
            title: self.titled("all organisations together"),
            words: "A bar for each period. Where somebody is missing or provisional, the bar is hollow, and how many are in it stands beside it.".to_owned(),
            drawings: bars.both(),
            table: Table {
                headings: headings([
                    ("Period", false),
                    ("Together", true),
                    ("Organisations in it", true),
                    ("Provisional", true),
                ]),
                rows,
            },
        })
    }

    /// The middle organisation and the middle half of all over the periods; or an organisation's own figures.
    pub(super) fn over_time(&self) -> Option<Chart> {
        if self.look.periods.len() < 2 {
            return None;
        }
        let mut lines = Lines {
            names: self.names(),
            ..Lines::default()
        };
        let mut table = Table {
            headings: headings([("Period", false)]),
            rows: self
                .look
                .periods
                .iter()
                .map(|period| vec![Cell::plain(period.label.clone())])
                .collect(),
        };
        if self.is_everybodys {
            self.add_middle(&mut lines, &mut table);
        }
        let mut own: Vec<&str> = if self.is_everybodys {
            self.organisation.into_iter().collect()
        } else {
            let points = self.look.points.iter();
            points.map(|point| point.organisation.as_str()).collect()
        };
        own.sort_unstable();
        own.dedup();
        for code in &own {
            let is_named = self.is_everybodys || own.len() > 1;
            self.add_own(code, is_named, &mut lines, &mut table);
        }
        let title = if own.len() > MOST_LINES {
            "over time: the first two, and all in the table"
        } else {
            "over time"
        };
        lines.series.truncate(MOST_LINES);
        let has_figure = |points: &Points| points.points.iter().any(|mark| mark.figure.is_some());
        if !lines.series.iter().any(has_figure) {
            return None;
        }
        let told: Vec<String> = lines
            .series
            .iter()
            .map(|line| {
                let marks = lines.names.iter().zip(&line.points);
                let marks: Vec<String> = marks
                    .map(|(name, mark)| format!("{name} {}", mark.told))
                    .collect();
                format!("{}: {}.", line.told, marks.join("; "))
            })
            .collect();
        Some(Chart {
            id: "over-time".to_owned(),
            title: self.titled(title),
            words: told.join(" "),
            drawings: lines.both(),
            table,
        })
    }

    fn add_middle(&self, lines: &mut Lines, table: &mut Table) {
        let (mut marks, mut ranges) = (Vec::new(), Vec::new());
        table.headings.extend(headings([
            ("Middle organisation", true),
            ("A quarter have at most", true),
            ("A quarter have at least", true),
        ]));
        for (idx, row) in table.rows.iter_mut().enumerate() {
            let mut figures: Vec<Exact> = self
                .look
                .of_period(idx)
                .filter_map(|point| point.figure)
                .collect();
            figures.sort_unstable();
            let centre = middle(&figures);
            let half = middle_half(&figures);
            row.push(Cell::plain(self.told_or_none(centre)));
            row.push(Cell::plain(self.told_or_none(half.map(|(low, _)| low))));
            row.push(Cell::plain(self.told_or_none(half.map(|(_, high)| high))));
            marks.push(Mark {
                figure: centre.map(Exact::near),
                told: self.told_or_none(centre),
                link: None,
            });
            ranges.push(half.map(|(low, high)| (low.near(), high.near())));
        }
        lines.series.push(Points {
            told: "middle organisation".to_owned(),
            points: marks,
        });
        if ranges.iter().any(Option::is_some) {
            lines.band = Some(Band {
                told: "middle half of all organisations".to_owned(),
                ranges,
            });
        }
    }

    /// Where it is not the only one, it is named in the table.
    fn add_own(&self, code: &str, is_named: bool, lines: &mut Lines, table: &mut Table) {
        let own = |idx: usize| {
            let mut points = self.look.of_period(idx);
            points.find(|point| point.organisation == code)
        };
        let mut all = self.look.points.iter();
        let Some(known) = all.find(|point| point.organisation == code) else {
            return;
        };
        let mut marks = Vec::new();
        if is_named {
            table.headings.push((known.name.clone().into(), true));
        } else {
            table.headings.extend(headings([("Figure", true)]));
        }
        table
            .headings
            .extend(headings([("Where it stands", false)]));
        for (idx, row) in table.rows.iter_mut().enumerate() {
            let point = own(idx);
            let figure = point.and_then(|point| point.figure);
            let link = point.and_then(link);
            let told = self.told_or_none(figure);
            row.push(Cell::linked(
                told.clone(),
                link.clone().filter(|_| figure.is_some()),
            ));
            let standing = point.map_or("not asked", |point| words::standing(point.standing));
            row.push(Cell::plain(standing));
            marks.push(Mark {
                figure: figure.map(Exact::near),
                told,
                link,
            });
        }
        lines.series.push(Points {
            told: known.name.clone(),
            points: marks,
        });
    }

    /// How many are accepted, provisional and missing in each period.
    pub(super) fn there(&self) -> Option<Chart> {
        if !self.is_everybodys {
            return None;
        }
        let number = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
        let (mut bars, mut rows) = (Bars::default(), Vec::new());
        for ((idx, period), label) in self.look.periods.iter().enumerate().zip(self.names()) {
            let (accepted, provisional, missing) = words::counts(self.look.of_period(idx));
            bars.bars.push(Bar {
                label,
                told: format!("{accepted}, {provisional}, {missing}"),
                parts: vec![
                    (number(accepted), Fill::Now),
                    (number(provisional), Fill::Hollow),
                    (number(missing), Fill::Dotted),
                ],
                is_strong: idx == self.look.last_idx(),
                link: None,
            });
            rows.push(vec![
                Cell::plain(period.label.clone()),
                Cell::plain(accepted.to_string()),
                Cell::plain(provisional.to_string()),
                Cell::plain(missing.to_string()),
            ]);
        }
        Some(Chart {
            id: "there".to_owned(),
            title: "Organisations: accepted (full), provisional (hollow), missing (dotted)"
                .to_owned(),
            words: "A bar for each period, with how many organisations are accepted, provisional and missing."
                .to_owned(),
            drawings: bars.both(),
            table: Table {
                headings: headings([
                    ("Period", false),
                    ("Accepted", true),
                    ("Provisional", true),
                    ("Missing", true),
                ]),
                rows,
            },
        })
    }
}

/// Of sorted figures those between which half of them are.
fn middle_half(sorted: &[Exact]) -> Option<(Exact, Exact)> {
    if sorted.len() < FEWEST_FOR_BAND {
        return None;
    }
    let quarter = sorted.len() / 4;
    let high = sorted.get(sorted.len() - 1 - quarter)?;
    Some((*sorted.get(quarter)?, *high))
}

#[cfg(test)]
mod tests {
    use dataset::Part;
    use dataset::look::What;

    use super::*;

    /// Over two periods, each organisation's figure the place of its letter.
    fn own_of(organisations: &[&str]) -> (Look, Chosen) {
        let day = |text: &str| text.parse().unwrap();
        let period = |label: &str, start, end| Part {
            label: label.to_owned(),
            start: day(start),
            end: day(end),
        };
        let of = |period_idx: usize| {
            organisations
                .iter()
                .zip(["1", "2", "3"])
                .map(move |(name, figure)| Point {
                    organisation: (*name).to_owned(),
                    name: format!("{name} Council"),
                    period_idx,
                    standing: Standing::Accepted,
                    submission: None,
                    n_records: 1,
                    figure: Exact::parse(figure),
                    value: None,
                })
        };
        let look = Look {
            periods: vec![
                period("2024", "2024-01-01", "2024-12-31"),
                period("2025", "2025-01-01", "2025-12-31"),
            ],
            points: (0..2).flat_map(of).collect(),
            codes: Vec::new(),
            places: 0,
        };
        let what = Chosen {
            what: What::Records,
            words: "Rows".to_owned(),
            unit: None,
            codes: Vec::new(),
        };
        (look, what)
    }

    fn over_time(organisations: &[&str]) -> (Vec<String>, Vec<String>, String) {
        let (look, what) = own_of(organisations);
        let drawn = Drawn {
            look: &look,
            what: &what,
            unusual: Vec::new(),
            is_everybodys: false,
            organisation: None,
        };
        let chart = drawn.over_time().unwrap();
        let headings = chart.table.headings.iter();
        let last = chart.table.rows.last().unwrap().iter();
        (
            headings.map(|(text, _)| text.to_string()).collect(),
            last.map(|cell| cell.text.clone()).collect(),
            chart.title,
        )
    }

    #[test]
    fn the_table_has_every_own_organisation_and_says_whose_a_figure_is() {
        let (headings, last, title) = over_time(&["A"]);
        assert_eq!(headings, ["Period", "Figure", "Where it stands"]);
        assert_eq!(last, ["2025", "1", "accepted"]);
        assert!(title.ends_with("over time"), "{title}");
        let (headings, last, title) = over_time(&["A", "B", "C"]);
        let stands = "Where it stands";
        assert_eq!(
            headings,
            [
                "Period",
                "A Council",
                stands,
                "B Council",
                stands,
                "C Council",
                stands
            ]
        );
        assert_eq!(
            last,
            ["2025", "1", "accepted", "2", "accepted", "3", "accepted"]
        );
        assert!(
            title.ends_with("the first two, and all in the table"),
            "{title}"
        );
    }
}
