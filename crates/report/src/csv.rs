//! Findings as CSV, safe to open in a spreadsheet program.

use std::borrow::Cow;
use std::io::Write;

use finding::Finding;

/// The columns, in order; later ones are only ever added at the end.
pub const HEADINGS: [&str; 9] = [
    "rule",
    "severity",
    "table",
    "cell",
    "row_number",
    "item",
    "value",
    "message",
    "fix",
];

/// Writes headings and one line per finding.
pub fn csv<'a>(
    to: impl Write,
    findings: impl IntoIterator<Item = &'a Finding>,
) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(to);
    writer.write_record(HEADINGS)?;
    for finding in findings {
        write_finding(&mut writer, finding)?;
    }
    writer.flush()?;
    Ok(())
}

fn write_finding<W: Write>(
    writer: &mut csv::Writer<W>,
    finding: &Finding,
) -> Result<(), csv::Error> {
    let cell = finding.cell.as_ref().map(ToString::to_string);
    let row_number = finding.row_number.map(|row_number| row_number.to_string());
    writer.write_record([
        finding.rule.as_str(),
        finding.severity.as_str(),
        finding.table.as_deref().unwrap_or(""),
        &inert(cell.as_deref().unwrap_or("")),
        row_number.as_deref().unwrap_or(""),
        finding.item.as_deref().unwrap_or(""),
        &inert(finding.value.as_deref().unwrap_or("")),
        &inert(&finding.message),
        &inert(&finding.fix),
    ])
}

/// A text that a spreadsheet program won't run as a formula: with an apostrophe before what it would take for one.
/// A plain negative number stays as it is.
pub fn inert(text: &str) -> Cow<'_, str> {
    let risky = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\0']);
    if risky && text.parse::<f64>().is_err() {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_inert_and_figures_stay_figures() {
        for (text, written) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+44", "+44"),
            ("-cmd", "'-cmd"),
            ("-5.5", "-5.5"),
            ("plain", "plain"),
            ("", ""),
        ] {
            assert_eq!(inert(text), written);
        }
    }
}
