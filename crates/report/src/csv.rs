//! Findings as CSV, safe to open in a spreadsheet program.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::Write;

use finding::{Finding, FindingKey, Severity};

/// The columns, in order; later ones are only ever added at the end, before the sender's own.
pub const HEADINGS: [&str; 12] = [
    "rule",
    "severity",
    "table",
    "cell",
    "row_number",
    "item",
    "value",
    "message",
    "fix",
    "trial",
    "key",
    "explanation",
];

/// Writes the headings; `own` are those of the sender's own columns, a column each.
pub fn headings(to: impl Write, own: &[String]) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(to);
    let own = own.iter().map(|heading| inert(heading));
    writer.write_record(
        HEADINGS
            .into_iter()
            .map(Cow::Borrowed)
            .chain(own)
            .map(Cow::into_owned),
    )?;
    writer.flush()?;
    Ok(())
}

/// Writes one line per finding, with the explanation that it has.
pub fn lines<'a>(
    to: impl Write,
    own: &[String],
    findings: impl IntoIterator<Item = (&'a Finding, Option<&'a str>)>,
) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(to);
    for (finding, explanation) in findings {
        write_finding(&mut writer, own, finding, explanation)?;
    }
    writer.flush()?;
    Ok(())
}

/// The headings of the sender's own columns that findings carry.
pub fn own_headings<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<String> {
    let headings: BTreeSet<&String> = findings
        .into_iter()
        .flat_map(|finding| finding.own.keys())
        .collect();
    headings.into_iter().cloned().collect()
}

/// A collection's findings: whose record it is about first, then as any other.
pub fn collection<'a>(
    to: impl Write,
    findings: impl Iterator<Item = (&'a str, &'a Finding)> + Clone,
) -> Result<(), csv::Error> {
    let own = own_headings(findings.clone().map(|(_, finding)| finding));
    let mut writer = csv::Writer::from_writer(to);
    writer.write_field("organisation")?;
    let own_inert = own.iter().map(|heading| inert(heading).into_owned());
    let headings = HEADINGS.into_iter().map(str::to_owned).chain(own_inert);
    writer.write_record(headings)?;
    for (organisation, finding) in findings {
        writer.write_field(organisation)?;
        write_finding(&mut writer, &own, finding, None)?;
    }
    writer.flush()?;
    Ok(())
}

fn write_finding<W: Write>(
    writer: &mut csv::Writer<W>,
    own: &[String],
    finding: &Finding,
    explanation: Option<&str>,
) -> Result<(), csv::Error> {
    let cell = finding.cell.as_ref().map(ToString::to_string);
    let row_number = finding.row_number.map(|row_number| row_number.to_string());
    let values = [
        finding.rule.as_str(),
        finding.severity.as_str(),
        finding.table.as_deref().unwrap_or(""),
        &inert(cell.as_deref().unwrap_or("")),
        row_number.as_deref().unwrap_or(""),
        finding.item.as_deref().unwrap_or(""),
        &inert(finding.value.as_deref().unwrap_or("")),
        &inert(&finding.message),
        &inert(&finding.fix),
        finding.trial.map_or("", Severity::as_str),
        finding.key.as_ref().map_or("", FindingKey::as_str),
        &inert(explanation.unwrap_or("")),
    ];
    for value in values {
        writer.write_field(value)?;
    }
    for heading in own {
        let value = finding.own.get(heading).map_or("", String::as_str);
        writer.write_field(inert(value).as_bytes())?;
    }
    writer.write_record(None::<&[u8]>)
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
