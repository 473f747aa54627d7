//! Which sheet a table stands on.

use std::collections::HashSet;

use finding::{Finding, Findings, Severity};
use sheet::SheetInfo;
use spec::{ReturnSpec, TableSpec};

use crate::account::IgnoredSheet;

/// A sheet of the workbook, and how far it goes.
pub(crate) struct Seen {
    pub(crate) info: SheetInfo,
    /// Rows down to the last one with something in it.
    pub(crate) n_rows: u64,
    /// Whether it is a template's own, which says how to fill it in.
    pub(crate) guides: bool,
}

/// The sheet of a table, or a finding that it is not there.
pub(crate) fn sheet(
    sheets: &[Seen],
    spec: &ReturnSpec,
    table: &TableSpec,
    findings: &mut Findings,
) -> Option<usize> {
    if let Some(sheet_idx) = named(sheets, table) {
        let sheet = &sheets[sheet_idx].info;
        if !sheet.visible {
            findings.push(
                Finding::new(
                    format!("{}.sheet-hidden", table.name),
                    Severity::Note,
                    format!("The sheet \"{}\" is hidden. It was read, because it is part of the return.", sheet.name),
                    "Unhide the sheet if you did not mean to hide it.",
                )
                .in_table(&table.name),
            );
        }
        return Some(sheet_idx);
    }
    if table.sheet.only_sheet {
        let may_be = |idx: &usize| {
            let seen = &sheets[*idx];
            seen.info.visible && !seen.guides && !sheet::is_ours(&seen.info.name)
        };
        let mut visible = (0..sheets.len()).filter(may_be);
        if let (Some(only), None) = (visible.next(), visible.next()) {
            return Some(only);
        }
    }
    if table.sheet.required {
        findings.push(missing(sheets, spec, table));
    }
    None
}

/// A note where a table was read from a sheet of another name: one that differs in case or spaces, or the only one there is.
pub(crate) fn otherwise_named(sheet: &SheetInfo, table: &TableSpec) -> Option<Finding> {
    if !sheet.is_named || table.sheet.names.contains(&sheet.name) {
        return None;
    }
    let wanted = table.sheet.names.first().map_or("", String::as_str);
    let finding = Finding::new(
        format!("{}.sheet-otherwise-named", table.name),
        Severity::Note,
        format!(
            "The sheet \"{}\" was read as \"{wanted}\", which is what it should be called.",
            sheet.name
        ),
        format!("Nothing to do if that is what you meant; call it \"{wanted}\" next time."),
    );
    Some(finding.in_table(&table.name))
}

fn named(sheets: &[Seen], table: &TableSpec) -> Option<usize> {
    let key = |name: &str| {
        name.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase()
    };
    table.sheet.names.iter().find_map(|name| {
        sheets
            .iter()
            .position(|sheet| key(&sheet.info.name) == key(name))
    })
}

fn missing(sheets: &[Seen], spec: &ReturnSpec, table: &TableSpec) -> Finding {
    let wanted = table.sheet.names.first().map_or("", String::as_str);
    let found = sheets
        .iter()
        .filter(|sheet| !sheet::is_ours(&sheet.info.name))
        .map(|sheet| format!("\"{}\"", sheet.info.name))
        .collect::<Vec<_>>()
        .join(", ");
    Finding::new(
        format!("{}.sheet-missing", table.name),
        Severity::Blocker,
        format!(
            "There is no sheet \"{wanted}\". The sheets in this file are {found}.",
        ),
        format!(
            "Rename the sheet that holds \"{}\" to \"{wanted}\", or check that this is the {} return.",
            table.title, spec.acronym
        ),
    )
    .in_table(&table.name)
}

/// The sheets that hold something and that no table stands on.
pub(crate) fn ignored(sheets: &[Seen], taken: &HashSet<usize>) -> Vec<IgnoredSheet> {
    others(sheets, taken)
        .map(|sheet| IgnoredSheet {
            sheet: sheet.info.name.clone(),
            n_rows: sheet.n_rows,
            reason: if sheet::is_ours(&sheet.info.name) {
                "the findings of an earlier check".to_owned()
            } else if sheet.guides {
                "the form's own guidance".to_owned()
            } else {
                "not part of this return".to_owned()
            },
        })
        .collect()
}

/// A note for each of them.
pub(crate) fn ignored_notes(sheets: &[Seen], taken: &HashSet<usize>) -> Vec<Finding> {
    others(sheets, taken)
        .filter(|sheet| !sheet.guides)
        .map(|sheet| ignored_note(&sheet.info))
        .collect()
}

fn others<'a>(sheets: &'a [Seen], taken: &'a HashSet<usize>) -> impl Iterator<Item = &'a Seen> {
    sheets
        .iter()
        .enumerate()
        .filter(|(idx, sheet)| !taken.contains(idx) && sheet.n_rows > 0)
        .map(|(_, sheet)| sheet)
}

fn ignored_note(sheet: &SheetInfo) -> Finding {
    if sheet::is_ours(&sheet.name) {
        Finding::new(
            "file.findings-sheet",
            Severity::Note,
            format!(
                "The sheet \"{}\" has the findings of an earlier check and was not read.",
                sheet.name
            ),
            "Nothing to do.",
        )
    } else if sheet.visible {
        Finding::new(
            "file.sheet-ignored",
            Severity::Note,
            format!(
                "The sheet \"{}\" is not part of this return and was not read.",
                sheet.name
            ),
            "Nothing to do, unless data you meant to send is on it.",
        )
    } else {
        Finding::new(
            "file.hidden-sheet",
            Severity::Query,
            format!(
                "The file has a hidden sheet, \"{}\". It was not read.",
                sheet.name
            ),
            "Check that it holds no personal data that you did not mean to send; if it does, delete the sheet and upload again.",
        )
    }
}
