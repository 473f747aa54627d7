//! Personal data in free text, by its patterns. What was found is counted and never shown.

use std::sync::LazyLock;

use chrono::NaiveDate;
use finding::{CellRef, Finding, Severity, column_letters};
use frame::{Frame, Framed, Shape, Values};
use regex::Regex;
use spec::{ReturnSpec, TableSpec};

/// What free text may hold of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Chi,
    NationalInsurance,
    Mail,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Chi, Kind::NationalInsurance, Kind::Mail];

    fn pattern(self) -> Option<&'static Regex> {
        static PATTERNS: LazyLock<[Option<Regex>; 3]> = LazyLock::new(|| {
            [
                r"(?-u:\b)[0-9]{6} ?[0-9]{4}(?-u:\b)",
                r"(?-u:\b)[A-CEGHJ-PR-TW-Za-ceghj-pr-tw-z][A-CEGHJ-NPR-TW-Za-ceghj-npr-tw-z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-Da-d](?-u:\b)",
                r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+",
            ]
            // Each compiles, as the test sees.
            .map(|pattern| Regex::new(pattern).ok())
        });
        let [chi, national_insurance, mail] = &*PATTERNS;
        match self {
            Kind::Chi => chi.as_ref(),
            Kind::NationalInsurance => national_insurance.as_ref(),
            Kind::Mail => mail.as_ref(),
        }
    }

    fn count(self, text: &str) -> usize {
        let found = self
            .pattern()
            .into_iter()
            .flat_map(|pattern| pattern.find_iter(text));
        match self {
            Kind::Chi => found.filter(|number| is_chi(number.as_str())).count(),
            Kind::NationalInsurance | Kind::Mail => found.count(),
        }
    }

    fn in_words(self, n: usize) -> String {
        let (one, several) = match self {
            Kind::Chi => ("CHI number", "CHI numbers"),
            Kind::NationalInsurance => ("National Insurance number", "National Insurance numbers"),
            Kind::Mail => ("e-mail address", "e-mail addresses"),
        };
        format!("{n} {}", if n == 1 { one } else { several })
    }
}

/// A day of birth, four further digits, and a check digit modulo 11.
fn is_chi(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let [d1, d2, m1, m2, y1, y2, .., check] = digits[..] else {
        return false;
    };
    // Which century it is does not matter but for 29 February.
    let year = i32::try_from(2000 + 10 * y1 + y2).unwrap_or_default();
    let is_day = NaiveDate::from_ymd_opt(year, 10 * m1 + m2, 10 * d1 + d2).is_some();
    let sum: u32 = digits
        .iter()
        .zip((2..=10).rev())
        .map(|(digit, weight)| digit * weight)
        .sum();
    digits.len() == 10 && is_day && (sum + check).is_multiple_of(11)
}

pub(super) fn queries(spec: &ReturnSpec, framed: &Framed) -> Vec<Finding> {
    let mut queries = Vec::new();
    for frame in &framed.frames {
        let Some(table) = spec.table(&frame.table) else {
            continue;
        };
        for item_idx in 0..table.items.len() {
            queries.extend(query(table, frame, item_idx));
        }
    }
    queries
}

/// An identifier is asked for where it is a key or has a pattern or list of its own.
fn query(table: &TableSpec, frame: &Frame, item_idx: usize) -> Option<Finding> {
    let item = table.items.get(item_idx)?;
    let Values::Text(_) = &frame.values[item_idx] else {
        return None;
    };
    if table.keys.contains(&item.name) || Shape::new(item).tells() {
        return None;
    }
    let mut n_of_kind = [0; 3];
    let mut first: Option<CellRef> = None;
    for record_idx in 0..frame.n_records() {
        let Some(text) = frame.values[item_idx].text(record_idx) else {
            continue;
        };
        if !text.bytes().any(|b| b.is_ascii_digit() || b == b'@') {
            continue;
        }
        for (n, kind) in n_of_kind.iter_mut().zip(Kind::ALL) {
            let n_here = kind.count(text);
            *n += n_here;
            if n_here > 0 && first.is_none() {
                first = frame.cell(item_idx, record_idx);
            }
        }
    }
    let first = first?;
    let found: Vec<String> = Kind::ALL
        .iter()
        .zip(n_of_kind)
        .filter(|(_, n)| *n > 0)
        .map(|(kind, n)| kind.in_words(n))
        .collect();
    Some(
        Finding::new(
            frame::item_rule(table, item, "personal-data"),
            Severity::Query,
            format!(
                "{} (column {}) is free text and holds what looks like personal data: {}; the first in {}.",
                item.title,
                column_letters(first.column_idx),
                found.join(", "),
                first.address()
            ),
            "Take it out and upload again. If it is not what it looks like, or has to be there, say so.",
        )
        .in_table(&table.name)
        .on_item(&item.name)
        .at_cell(first),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_known_by_their_form_and_check_digit() {
        // Made up: no one is known to have these.
        for (text, counts) in [
            ("CHI 0101701233", [1, 0, 0]),
            ("CHI 010170 1233, again 0101701233", [2, 0, 0]),
            ("order 0101701234", [0, 0, 0]),
            ("3101701233 is no day with this check", [0, 0, 0]),
            ("90101701233", [0, 0, 0]),
            ("AB123456C", [0, 1, 0]),
            ("ni ab 12 34 56 c.", [0, 1, 0]),
            ("QQ123456C has a prefix that no one gets", [0, 0, 0]),
            ("XAB123456C", [0, 0, 0]),
            ("a.person+x@example.org or b@example.co.uk", [0, 0, 2]),
            ("a@b", [0, 0, 0]),
        ] {
            assert_eq!(Kind::ALL.map(|kind| kind.count(text)), counts, "{text}");
        }
    }
}
