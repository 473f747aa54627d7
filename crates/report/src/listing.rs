//! What stands in a list of findings for people, whichever workbook it is written into.

use std::borrow::Cow;
use std::collections::BTreeMap;

use assess::Head;
use finding::{Asks, Finding, FindingKey, Group, Outcome, Severity};
use serde::{Deserialize, Serialize};

use crate::fitting::fitting;
use crate::text;

/// The fill of a cell, as alpha, red, green and blue; light, so that dark text is read on it.
/// Nobody else has chosen exactly these, so that a marked cell is known again.
pub(crate) fn colour(asks: Asks) -> &'static str {
    match asks {
        Asks::ToFix => "FFFFC7D1",
        Asks::ToExplain => "FFFFEB9D",
        Asks::ForInformation => "FFDCEBF9",
    }
}

/// What that colour is called.
pub(crate) fn colour_name(asks: Asks) -> &'static str {
    match asks {
        Asks::ToFix => "pink",
        Asks::ToExplain => "yellow",
        Asks::ForInformation => "light blue",
    }
}

/// What a list of findings is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cover {
    /// As the sender calls it.
    pub file_name: String,
    /// Which return, for when and whose: `Housing list, 2026-27-Q1, Fife Council`.
    pub about: String,
    pub outcome: Outcome,
    /// All findings, listed or not.
    pub counts: BTreeMap<Severity, u64>,
}

impl Cover {
    /// With the names that a head knows: ids and codes.
    pub fn of(head: &Head) -> Self {
        let about = [
            Some(format!("{} version {}", head.return_id, head.version)),
            head.period.clone(),
            head.organisation.clone(),
        ];
        Self {
            file_name: head.file.name.clone(),
            about: about.into_iter().flatten().collect::<Vec<_>>().join(", "),
            outcome: head.outcome,
            counts: Severity::ALL
                .into_iter()
                .map(|severity| (severity, head.n_findings(severity)))
                .collect(),
        }
    }

    pub(crate) fn n_findings(&self) -> u64 {
        self.counts.values().sum()
    }

    /// "return.xlsx: needs correction: 3 to fix, 1 to explain."
    pub(crate) fn sentence(&self) -> String {
        let n = |severity| self.counts.get(&severity).copied().unwrap_or(0);
        text::sentence(&self.file_name, self.outcome, n)
    }
}

/// A column's heading and its width in characters.
pub(crate) type Column<'t> = (&'t str, u16);

/// The columns of the list; the sender's own come after them.
pub(crate) const COLUMNS: [Column<'static>; 12] = [
    ("What to do", 16),
    ("Sheet", 16),
    ("Cell", 9),
    ("Row", 8),
    ("Column", 20),
    ("Value", 24),
    ("What is wrong", 60),
    ("How to fix it", 50),
    ("Check", 30),
    ("Table", 14),
    ("On trial as", 14),
    ("Key", 34),
];

/// Where a cell is linked to.
pub(crate) const CELL_COLUMN: u32 = 2;

/// Which column is a number.
pub(crate) const ROW_COLUMN: u32 = 3;

/// How wide one of the sender's own columns is.
pub(crate) const OWN_WIDTH: u16 = 20;

/// A finding's line.
pub(crate) fn line<'f>(finding: &'f Finding, own: &[String]) -> Vec<Cow<'f, str>> {
    let text = |text: Option<&'f str>| Cow::Borrowed(text.unwrap_or(""));
    let cell = finding.cell.as_ref();
    let mut line = vec![
        Cow::Borrowed(Asks::of(finding.severity).heading()),
        Cow::Borrowed(cell.map_or("", |cell| cell.sheet.as_str())),
        Cow::Owned(cell.map_or_else(String::new, finding::CellRef::address)),
        Cow::Owned(
            finding
                .row_number
                .map_or_else(String::new, |row| row.to_string()),
        ),
        text(finding.item.as_deref()),
        text(finding.value.as_deref()),
        Cow::Borrowed(finding.message.as_str()),
        Cow::Borrowed(finding.fix.as_str()),
        Cow::Borrowed(finding.rule.as_str()),
        text(finding.table.as_deref()),
        Cow::Borrowed(finding.trial.map_or("", |trial| Asks::of(trial).heading())),
        Cow::Borrowed(finding.key.as_ref().map_or("", FindingKey::as_str)),
    ];
    line.extend(
        own.iter()
            .map(|heading| Cow::Borrowed(finding.own.get(heading).map_or("", String::as_str))),
    );
    line.into_iter().map(as_held).collect()
}

/// The columns of the overview by check.
pub(crate) const OVERVIEW: [Column<'static>; 7] = [
    ("What to do", 16),
    ("How many", 11),
    ("Column", 24),
    ("First places", 40),
    ("What is wrong (the first of them)", 60),
    ("How to fix it", 50),
    ("Check", 30),
];

/// Which column of the overview is a number.
pub(crate) const COUNT_COLUMN: u32 = 1;

/// A group's line.
pub(crate) fn overview_line(group: &Group) -> Vec<Cow<'_, str>> {
    let more = group.n > group.places.len() as u64 && !group.places.is_empty();
    let places = group.places.join(", ");
    vec![
        Cow::Borrowed(Asks::of(group.severity).heading()),
        Cow::Owned(group.n.to_string()),
        Cow::Borrowed(group.item.as_deref().unwrap_or("")),
        as_held(Cow::Owned(if more {
            format!("{places} …")
        } else {
            places
        })),
        fitting(&group.message),
        fitting(&group.fix),
        Cow::Borrowed(group.rule.as_str()),
    ]
}

/// As a cell holds it.
fn as_held(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => fitting(text),
        Cow::Owned(text) => Cow::Owned(fitting(&text).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_a_line_with_the_senders_own_columns_last() {
        let mut finding = Finding::new("case.a", Severity::Error, "Wrong.", "Mend it.")
            .on_item("AGE")
            .at_cell(finding::CellRef::new("HL1", 4, 1))
            .with_value("=1+1");
        finding.own.insert("Ref".to_owned(), "7".to_owned());
        let own = ["Other".to_owned(), "Ref".to_owned()];
        assert_eq!(
            line(&finding, &own),
            [
                "To fix", "HL1", "B5", "5", "AGE", "=1+1", "Wrong.", "Mend it.", "case.a", "", "",
                "", "", "7"
            ]
        );
    }
}
