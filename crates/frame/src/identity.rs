//! Whether the file is this organisation's and this period's.

use finding::{CellRef, Finding, Findings, Severity};
use sheet::{Raw, Sheet};
use spec::{Identity, IdentityKind, IdentityPlace, Item, Period, ReturnSpec, TableSpec};

use crate::matrix::cell_at;
use crate::read::show_raw;
use crate::{Expected, Frame, Shape, item_rule};

pub(crate) fn verify(
    sheet: &Sheet,
    table: &TableSpec,
    frame: &Frame,
    spec: &ReturnSpec,
    expected: Expected<'_>,
    findings: &mut Findings,
) {
    for identity in &table.identities {
        match &identity.place {
            IdentityPlace::Cell {
                row_idx,
                column_idx,
            } => {
                let cell = CellRef::new(&sheet.name, *row_idx, *column_idx);
                let found = cell_at(sheet, *row_idx, *column_idx)
                    .map(|cell| show_raw(&cell.value).trim().to_owned())
                    .unwrap_or_default();
                findings.extend(in_cell(table, spec, identity.kind, cell, &found, expected));
            }
            IdentityPlace::Item(item) => {
                in_item(table, frame, spec, identity, item, expected, findings);
            }
        }
    }
}

/// What a text says of whose and when it is, against what is expected.
enum Verdict<'a> {
    Right,
    Unknown,
    /// Another organisation or period, and what was expected.
    Other {
        found: String,
        wanted: String,
    },
    /// Not a known organisation or period.
    Unrecognised(&'a str),
}

fn verdict<'a>(
    kind: IdentityKind,
    text: &'a str,
    spec: &ReturnSpec,
    expected: Expected<'_>,
) -> Verdict<'a> {
    match kind {
        IdentityKind::Organisation => {
            let Some(found) = expected.organisations.find(text) else {
                return Verdict::Unrecognised(text);
            };
            match expected.organisation {
                None => Verdict::Unknown,
                Some(wanted) if wanted.code == found.code => Verdict::Right,
                Some(wanted) => Verdict::Other {
                    found: found.name.clone(),
                    wanted: wanted.name.clone(),
                },
            }
        }
        IdentityKind::Period => {
            let Some(found) = Period::recognise(spec.period_kind, text) else {
                return Verdict::Unrecognised(text);
            };
            match expected.period {
                None => Verdict::Unknown,
                Some(wanted) if *wanted == found => Verdict::Right,
                Some(wanted) => Verdict::Other {
                    found: found.in_words(),
                    wanted: wanted.in_words(),
                },
            }
        }
    }
}

fn in_cell(
    table: &TableSpec,
    spec: &ReturnSpec,
    kind: IdentityKind,
    cell: CellRef,
    found: &str,
    expected: Expected<'_>,
) -> Option<Finding> {
    let noun = noun(kind);
    let (message, fix) = match verdict(kind, found, spec, expected) {
        Verdict::Right | Verdict::Unknown => return None,
        Verdict::Unrecognised("") => (
            format!(
                "{} does not say which {noun} this return is for.",
                cell.address()
            ),
            format!("Enter the {noun} in {}.", cell.address()),
        ),
        Verdict::Unrecognised(text) => (
            format!(
                "{} says \"{text}\", which is not a {noun} that is known.",
                cell.address()
            ),
            format!(
                "Enter the {noun} in {} as the form asks for it.",
                cell.address()
            ),
        ),
        Verdict::Other { found, wanted } => (
            format!("This file is for {found}, but it was sent in for {wanted}."),
            format!(
                "Upload the file for {wanted}, or correct {} if the figures are right.",
                cell.address()
            ),
        ),
    };
    Some(
        Finding::new(rule(table, kind), Severity::Blocker, message, fix)
            .in_table(&table.name)
            .at_cell(cell)
            .with_value(found),
    )
}

/// All records of another organisation are one finding about the file; some of them, one each.
fn in_item(
    table: &TableSpec,
    frame: &Frame,
    spec: &ReturnSpec,
    identity: &Identity,
    item_name: &str,
    expected: Expected<'_>,
    findings: &mut Findings,
) {
    let (Some(item_idx), Some(item)) = (table.item_idx(item_name), table.item(item_name)) else {
        return;
    };
    let mut others = Vec::new();
    // Where there is a list or pattern, that is what an unknown text is measured against.
    let shape = Shape::new(item);
    let must_be_known = !shape.tells() && !expected.organisations.0.is_empty();
    for record_idx in 0..frame.n_records() {
        let Some(text) = frame.shown(item, item_idx, record_idx) else {
            continue;
        };
        match verdict(identity.kind, &text, spec, expected) {
            Verdict::Other { found, wanted } => others.push((record_idx, text, found, wanted)),
            Verdict::Unrecognised(_) if must_be_known => {
                let finding = not_known(table, item, identity.kind, &text);
                findings.push(match frame.cell(item_idx, record_idx) {
                    Some(cell) => finding.at_cell(cell),
                    None => finding,
                });
            }
            Verdict::Right | Verdict::Unknown | Verdict::Unrecognised(_) => {}
        }
    }
    let all = others.len() == frame.n_records();
    let one_other = others.windows(2).all(|pair| pair[0].2 == pair[1].2);
    let severity = if all && one_other {
        others.truncate(1);
        Severity::Blocker
    } else {
        // A value that is none of the item's own is told as that.
        others.retain(|(_, text, _, _)| shape.fits(Raw::Text(text)));
        Severity::Error
    };
    for (record_idx, text, found, wanted) in others {
        let (message, fix) = match severity {
            Severity::Blocker => (
                format!("This file is for {found}, but it was sent in for {wanted}."),
                format!("Upload the file for {wanted}, or correct the column {item_name}."),
            ),
            _ => (
                format!(
                    "{} is {text} ({found}), but this return is for {wanted}.",
                    item.title
                ),
                format!("Correct {item_name}, or delete the row if it belongs to {found}."),
            ),
        };
        let mut finding = Finding::new(rule(table, identity.kind), severity, message, fix)
            .in_table(&table.name)
            .on_item(item_name)
            .with_value(text);
        if let Some(cell) = frame.cell(item_idx, record_idx) {
            finding = finding.at_cell(cell);
        }
        findings.push(finding);
    }
}

fn not_known(table: &TableSpec, item: &Item, kind: IdentityKind, text: &str) -> Finding {
    let noun = noun(kind);
    Finding::new(
        item_rule(table, item, "not-known"),
        Severity::Error,
        format!(
            "{} is \"{text}\", which is not a {noun} that is known.",
            item.title
        ),
        format!("Enter the {noun} by its name or code."),
    )
    .in_table(&table.name)
    .on_item(&item.name)
    .with_value(text)
}

fn noun(kind: IdentityKind) -> &'static str {
    match kind {
        IdentityKind::Organisation => "council",
        IdentityKind::Period => "period",
    }
}

fn rule(table: &TableSpec, kind: IdentityKind) -> String {
    match kind {
        IdentityKind::Organisation => format!("{}.wrong-organisation", table.name),
        IdentityKind::Period => format!("{}.wrong-period", table.name),
    }
}
