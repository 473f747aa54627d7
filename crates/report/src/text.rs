//! Findings as text for a terminal and for the expected reports of examples.

use std::fmt::Write as _;

use assess::{Comparison, ComparisonKind, Head, TableAccount};
use finding::{Finding, Group, Outcome, Severity};

/// With more findings than this, an overview by rule comes before them.
pub(crate) const MANY: usize = 20;

/// What a person reads on a terminal: the outcome first, then rows, then findings, worst first.
pub fn text(head: &Head, findings: &[Finding]) -> String {
    let mut text = format!("{}\n", summary(head));
    for table in &head.tables {
        let _ = writeln!(text, "{}", rows(table));
    }
    for sheet in &head.ignored_sheets {
        let _ = writeln!(
            text,
            "Sheet {}: {}, ignored: {}.",
            sheet.sheet,
            count(sheet.n_rows, "row"),
            sheet.reason
        );
    }
    for comparison in &head.compared_with {
        if let Some(line) = not_compared(comparison) {
            let _ = writeln!(text, "{line}");
        }
    }
    if findings.len() > MANY {
        text.push_str("\nAll in all\n");
        for group in finding::groups(findings) {
            write_group(&mut text, &group);
        }
    }
    for severity in Severity::ALL {
        let mut of_severity = findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .peekable();
        if of_severity.peek().is_some() {
            let _ = write!(text, "\n{}\n", heading(severity));
        }
        for finding in of_severity {
            write_finding(&mut text, finding);
        }
    }
    text
}

/// "return.xlsx: needs correction: 3 to fix, 1 to explain."
pub fn summary(head: &Head) -> String {
    sentence(&head.file.name, head.outcome, |severity| {
        head.n_findings(severity)
    })
}

/// As [`summary`], of what is known without a head.
pub(crate) fn sentence(file: &str, outcome: Outcome, n: impl Fn(Severity) -> u64) -> String {
    let counts = Severity::ALL
        .iter()
        .filter_map(|&severity| {
            let n = n(severity);
            (n > 0).then(|| format!("{n} {}", words(severity)))
        })
        .collect::<Vec<_>>()
        .join(", ");
    let outcome = outcome.in_words();
    if counts.is_empty() {
        format!("{file}: {outcome}.")
    } else {
        format!("{file}: {outcome}: {counts}.")
    }
}

/// A severity as an officer reads it.
pub fn words(severity: Severity) -> &'static str {
    match severity {
        Severity::Blocker => "to fix before the file can be used",
        Severity::Error => "to fix",
        Severity::Query => "to explain",
        Severity::Note => "for information",
    }
}

fn heading(severity: Severity) -> &'static str {
    match severity {
        Severity::Blocker => "To fix before the file can be used",
        Severity::Error => "To fix",
        Severity::Query => "To explain",
        Severity::Note => "For information",
    }
}

fn rows(table: &TableAccount) -> String {
    let mut line = format!(
        "Table {} on {}: {}: {} loaded, {} rejected, {} ignored",
        table.name,
        table.sheet,
        count(table.n_rows, "row"),
        table.loaded,
        table.rejected,
        table.ignored
    );
    if !table.ignored_rows.is_empty() {
        let reasons = table
            .ignored_rows
            .iter()
            .map(|rows| format!("{} {}", rows.n_rows, rows.reason))
            .collect::<Vec<_>>()
            .join(", ");
        let _ = write!(line, " ({reasons})");
    }
    line.push('.');
    line
}

/// Says what a file could not be compared with; an earlier period that nobody has is no news, but one that was asked for
/// something else is.
fn not_compared(comparison: &Comparison) -> Option<String> {
    let n = comparison.rules_not_run.len() as u64;
    let is_earlier = comparison.kind == ComparisonKind::Earlier;
    if n == 0 || is_earlier && comparison.sha256.is_none() {
        return None;
    }
    let rules = comparison
        .rules_not_run
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    let (title, n_checks) = (&comparison.title, count(n, "check"));
    Some(if is_earlier {
        format!(
            "Not compared with {title} in full, whose form asked for something else: {n_checks} compared less or nothing ({rules})."
        )
    } else {
        format!("Not compared with {title}, which is not here: {n_checks} did not run ({rules}).")
    })
}

pub(crate) fn count(n: u64, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{n} {noun}s")
    }
}

fn write_group(text: &mut String, group: &Group) {
    let more = if group.n > group.places.len() as u64 && !group.places.is_empty() {
        " …"
    } else {
        ""
    };
    let column = group
        .item
        .as_ref()
        .map_or_else(String::new, |item| format!(" in {item}"));
    let _ = writeln!(
        text,
        "- {} {}{column}: {}{more} [{}]",
        group.n,
        words(group.severity),
        group.places.join(", "),
        group.rule
    );
    let _ = writeln!(text, "  {}", group.message);
}

pub(crate) fn write_finding(text: &mut String, finding: &Finding) {
    let place = match (&finding.cell, finding.row_number, &finding.table) {
        (Some(cell), _, _) => cell.to_string(),
        (None, Some(row_number), Some(table)) => format!("{table}, row {row_number}"),
        (None, None, Some(table)) => table.to_string(),
        (None, _, None) => "the file".to_owned(),
    };
    let _ = writeln!(text, "- {place} [{}]", finding.rule);
    let _ = writeln!(text, "  {}", finding.message);
    let _ = writeln!(text, "  {}", finding.fix);
    for (heading, value) in &finding.own {
        let _ = writeln!(text, "  {heading}: {value}");
    }
}
