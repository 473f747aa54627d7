//! Whether a code is in its list, and in force on the day that counts.
//!
//! # Why it matters
//! A withdrawn code counts a case under something that no longer exists.

use std::collections::HashMap;

use chrono::NaiveDate;
use finding::{Finding, Severity};
use frame::{Frame, day_in_words, item_rule};
use spec::{Code, CodeRef, Item, TableSpec};

use crate::{Reference, Wrong, line_prefix, placed};

/// Adds what is wrong in an item's column.
pub(crate) fn check(
    table: &TableSpec,
    item: &Item,
    item_idx: usize,
    frame: &Frame,
    reference: &Reference<'_>,
    wrong: &mut Wrong,
) {
    let Some(codes) = &item.codes else {
        return;
    };
    let values = &frame.values[item_idx];
    let mut by_code: HashMap<&str, Vec<&Code>> = HashMap::new();
    for code in &codes.list.codes {
        by_code.entry(&code.code).or_default().push(code);
    }
    for record_idx in 0..values.len() {
        let Some(value) = values.text(record_idx) else {
            continue;
        };
        let words = match by_code.get(value) {
            None => {
                let day = day_that_counts(codes, table, frame, record_idx, reference);
                Some(("not-in-list", not_in_list(item, codes, value, day)))
            }
            Some(entries) => day_that_counts(codes, table, frame, record_idx, reference)
                .filter(|day| !entries.iter().any(|code| code.in_force_on(*day)))
                .map(|day| {
                    (
                        "code-not-in-force",
                        not_in_force(item, codes, entries, value, day),
                    )
                }),
        };
        if let Some((what, (message, fix))) = words {
            let finding = Finding::new(
                item_rule(table, item, what),
                Severity::Error,
                format!("{}{message}", line_prefix(table, frame, record_idx)),
                fix,
            );
            let finding = placed(finding, table, frame, item, item_idx, record_idx);
            wrong.push(record_idx, finding);
        }
    }
}

/// The date of the `as_at` item, or the period's last day; `None` where that date can't be read or is blank.
fn day_that_counts(
    codes: &CodeRef,
    table: &TableSpec,
    frame: &Frame,
    record_idx: usize,
    reference: &Reference<'_>,
) -> Option<NaiveDate> {
    match &codes.as_at {
        None => Some(
            reference
                .period
                .map_or(reference.received_on, |period| period.end),
        ),
        Some(as_at) => frame.values[table.item_idx(as_at)?].date(record_idx),
    }
}

fn not_in_list(
    item: &Item,
    codes: &CodeRef,
    value: &str,
    day: Option<NaiveDate>,
) -> (String, String) {
    (
        format!(
            "{} is \"{value}\", which is not one of its codes.",
            item.title
        ),
        format!("Use one of: {}.", some_codes(codes, day)),
    )
}

fn not_in_force(
    item: &Item,
    codes: &CodeRef,
    entries: &[&Code],
    value: &str,
    day: NaiveDate,
) -> (String, String) {
    let label = entries.first().map_or("", |code| code.label.as_str());
    let span = entries
        .iter()
        .map(|code| match (code.valid_from, code.valid_to) {
            (_, Some(last)) if last < day => format!("could be used until {}", day_in_words(last)),
            (Some(first), _) => format!("can be used from {}", day_in_words(first)),
            _ => "was withdrawn".to_owned(),
        })
        .next_back()
        .unwrap_or_default();
    (
        format!(
            "{} is {value} ({label}), a code that {span}, but the date that counts is {}.",
            item.title,
            day_in_words(day)
        ),
        format!(
            "Use a code that was in force on {}: {}.",
            day_in_words(day),
            some_codes(codes, Some(day))
        ),
    )
}

/// The codes in force with their labels; a long list is named by its first few.
pub(crate) fn some_codes(codes: &CodeRef, day: Option<NaiveDate>) -> String {
    const SHOWN: usize = 12;
    let in_force: Vec<&Code> = codes
        .list
        .codes
        .iter()
        .filter(|code| day.is_none_or(|day| code.in_force_on(day)))
        .collect();
    let shown = in_force
        .iter()
        .take(SHOWN)
        .map(|code| format!("{} ({})", code.code, code.label))
        .collect::<Vec<_>>()
        .join(", ");
    match in_force.len().saturating_sub(SHOWN) {
        0 => shown,
        n_more => format!("{shown} and {n_more} more"),
    }
}
