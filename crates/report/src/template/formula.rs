//! The formulas of a form's computed cells, from the spec's sums, and their values.

use finding::CellRef;
use spec::layout::{Line, Matrix};
use spec::rule::Part;
use spec::{Applies, ItemKind, Organisation, ReturnSpec, Rule, RuleKind, TableSpec};

use super::Fill;

/// A cell that is added or subtracted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Term {
    line_idx: usize,
    column_idx: usize,
    subtract: bool,
}

/// The sums of one form that are in force, and the figures they add up.
pub(super) struct Formulas<'a> {
    table: &'a TableSpec,
    matrix: &'a Matrix,
    rules: Vec<&'a Rule>,
    organisation: Option<&'a Organisation>,
    /// By line and item, in Postgres's text form.
    rows: &'a [Vec<Option<String>>],
}

/// A sum of a sum of a sum … no form has more.
const DEEPEST: usize = 32;

/// Figures are added with this many places: no item has more.
const PLACES: u32 = 9;

impl<'a> Formulas<'a> {
    pub(super) fn new(
        spec: &'a ReturnSpec,
        table: &'a TableSpec,
        matrix: &'a Matrix,
        fill: &'a Fill<'a>,
    ) -> Self {
        let period = fill.period;
        let is_in_force = |rule: &&Rule| rule.in_force.includes(period);
        Self {
            table,
            matrix,
            rules: spec
                .rules
                .iter()
                .filter(|rule| rule.table == table.name)
                .filter(is_in_force)
                .collect(),
            organisation: fill.organisation,
            rows: fill.rows.get(&table.name).map_or(&[], Vec::as_slice),
        }
    }

    /// The formula of a computed cell, without `=`; `None` where no sum says what it is.
    pub(super) fn text(&self, line_idx: usize, column_idx: usize) -> Option<String> {
        let terms = self.terms(line_idx, column_idx)?;
        let places: Vec<(u32, u32, bool)> = terms
            .iter()
            .map(|term| {
                (
                    self.matrix.lines[term.line_idx].row_idx,
                    self.matrix.columns[term.column_idx].column_idx,
                    term.subtract,
                )
            })
            .collect();
        Some(written(&places))
    }

    /// What a cell holds, as a spreadsheet program would calculate it: blank counts as nothing.
    pub(super) fn value(&self, line_idx: usize, column_idx: usize) -> Option<String> {
        let item = self.table.item(&self.matrix.columns[column_idx].item)?;
        let scale = match item.kind {
            ItemKind::Integer => 0,
            ItemKind::Decimal { scale } => scale,
            ItemKind::Text | ItemKind::Date | ItemKind::Boolean => return None,
        };
        let value = self.figure(line_idx, column_idx, 0)?;
        Some(shown(value, scale.into()))
    }

    /// What was given for a cell.
    pub(super) fn given(&self, line_idx: usize, column_idx: usize) -> Option<&'a str> {
        let line_item = self.table.item_idx(&self.matrix.line_item)?;
        let item_idx = self.table.item_idx(&self.matrix.columns[column_idx].item)?;
        let code = &self.matrix.lines[line_idx].code;
        self.rows
            .iter()
            .find(|row| row.get(line_item).and_then(Option::as_ref) == Some(code))
            .and_then(|row| row.get(item_idx)?.as_deref())
    }

    fn figure(&self, line_idx: usize, column_idx: usize, depth: usize) -> Option<i128> {
        if depth > DEEPEST {
            return None;
        }
        let Some(terms) = self.terms(line_idx, column_idx) else {
            let given = self.given(line_idx, column_idx);
            return given.map_or(Some(0), scaled);
        };
        terms.iter().try_fold(0_i128, |sum, term| {
            let figure = self.figure(term.line_idx, term.column_idx, depth + 1)?;
            if term.subtract {
                sum.checked_sub(figure)
            } else {
                sum.checked_add(figure)
            }
        })
    }

    fn terms(&self, line_idx: usize, column_idx: usize) -> Option<Vec<Term>> {
        let line = &self.matrix.lines[line_idx];
        let column = &self.matrix.columns[column_idx];
        if !(line.computed || column.computed) || line.not_applicable.contains(&column.item) {
            return None;
        }
        let across = || {
            self.rules.iter().find_map(|rule| match &rule.kind {
                RuleKind::SumAcross { total, parts } if *total == column.item => {
                    self.across(line_idx, parts)
                }
                _ => None,
            })
        };
        let down = || {
            self.rules.iter().find_map(|rule| match &rule.kind {
                RuleKind::SumDown {
                    total_line,
                    part_lines,
                } if *total_line == line.code && rule.items.contains(&column.item) => {
                    self.down(column_idx, part_lines)
                }
                _ => None,
            })
        };
        // In a total's column its parts stand beside it, in every line.
        if column.computed {
            across().or_else(down)
        } else {
            down().or_else(across)
        }
    }

    fn across(&self, line_idx: usize, parts: &[Part]) -> Option<Vec<Term>> {
        let term = |part: &Part| {
            let mut columns = self.matrix.columns.iter();
            Some(Term {
                line_idx,
                column_idx: columns.position(|column| column.item == part.name)?,
                subtract: part.subtract,
            })
        };
        self.of_what_is_there(parts.iter().map(term).collect::<Option<_>>()?)
    }

    fn down(&self, column_idx: usize, parts: &[Part]) -> Option<Vec<Term>> {
        let term = |part: &Part| {
            let has_code = |line: &Line| line.code == part.name;
            Some(Term {
                line_idx: self.matrix.lines.iter().position(has_code)?,
                column_idx,
                subtract: part.subtract,
            })
        };
        self.of_what_is_there(parts.iter().map(term).collect::<Option<_>>()?)
    }

    /// A total whose parts this form does not have is no sum: it is filled in.
    fn of_what_is_there(&self, terms: Vec<Term>) -> Option<Vec<Term>> {
        let is_there = |term: &&Term| {
            let line = &self.matrix.lines[term.line_idx];
            let item = &self.matrix.columns[term.column_idx].item;
            self.matrix.applies(line, item, self.organisation) != Applies::No
        };
        let any = terms.iter().any(|term| is_there(&term));
        any.then_some(terms)
    }
}

/// `SUM(C10:C17)` where the cells stand next to each other and are all added, else `C10+C12-C13`.
fn written(places: &[(u32, u32, bool)]) -> String {
    let name = |&(row, column, _): &(u32, u32, bool)| CellRef::new("", row, column).address();
    let follow = |step: fn(&(u32, u32, bool)) -> (u32, u32)| {
        places.windows(2).all(|pair| {
            let ((row, column), next) = (step(&pair[0]), (pair[1].0, pair[1].1));
            (row, column) == next
        })
    };
    let is_run = follow(|&(row, column, _)| (row + 1, column))
        || follow(|&(row, column, _)| (row, column + 1));
    let all_added = places.iter().all(|&(_, _, subtract)| !subtract);
    if let (Some(first), Some(last), true) = (
        places.first(),
        places.last(),
        all_added && is_run && places.len() > 2,
    ) {
        return format!("SUM({}:{})", name(first), name(last));
    }
    let mut text = String::new();
    for (idx, place) in places.iter().enumerate() {
        match (idx, place.2) {
            (_, true) => text.push('-'),
            (0, false) => {}
            (_, false) => text.push('+'),
        }
        text.push_str(&name(place));
    }
    text
}

/// A plain number with [`PLACES`] places; `None` for anything else.
fn scaled(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let n_missing = (PLACES as usize).checked_sub(fraction.len())?;
    let padded = format!("{whole}{fraction}{}", "0".repeat(n_missing));
    if !padded.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(sign * padded.parse::<i128>().ok()?)
}

fn shown(value: i128, scale: u32) -> String {
    let unit = 10_i128.pow(PLACES.saturating_sub(scale.min(PLACES)));
    // What has more places than the item is shown as the cell would show it.
    let half = if value < 0 { -unit / 2 } else { unit / 2 };
    let rounded = (value + half) / unit;
    if scale == 0 {
        return rounded.to_string();
    }
    let places = scale as usize;
    let digits = format!("{:0>width$}", rounded.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let sign = if rounded < 0 { "-" } else { "" };
    format!("{sign}{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_a_sum_and_others_are_named() {
        let places = |cells: &[(u32, u32, bool)]| written(cells);
        assert_eq!(
            places(&[(8, 3, false), (8, 4, false), (8, 5, false)]),
            "SUM(D9:F9)"
        );
        assert_eq!(
            places(&[(8, 3, false), (9, 3, false), (10, 3, false)]),
            "SUM(D9:D11)"
        );
        assert_eq!(places(&[(8, 3, false), (9, 3, false)]), "D9+D10");
        assert_eq!(
            places(&[(8, 3, false), (9, 3, true), (11, 3, false)]),
            "D9-D10+D12"
        );
        assert_eq!(places(&[(8, 3, true), (8, 4, true)]), "-D9-E9");
        assert_eq!(
            places(&[(8, 3, false), (8, 4, false), (8, 6, false)]),
            "D9+E9+G9"
        );
    }

    #[test]
    fn figures_are_exact() {
        for (text, scale, back) in [
            ("0.10", 2, "0.10"),
            ("-1234567.89", 2, "-1234567.89"),
            ("7", 0, "7"),
            ("0.125", 2, "0.13"),
            ("-0.125", 2, "-0.13"),
        ] {
            assert_eq!(shown(scaled(text).unwrap(), scale), back, "{text}");
        }
        for text in ["", "x", "1e3", "1.0000000001"] {
            assert_eq!(scaled(text).is_some(), text.is_empty(), "{text:?}");
        }
    }
}
