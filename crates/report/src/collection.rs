//! What does not fit between the returns of a round, for the team that asks for them.

use std::fmt::Write as _;
use std::io::{self, Write};

use assess::{Addressed, CollectionChecked, CollectionHead};
use finding::Severity;
use serde::Serialize;
use spec::Organisations;

use crate::text::{count, words, write_finding};

/// As text: one line about the round, then the findings by organisation.
pub fn text(checked: &CollectionChecked, organisations: &Organisations) -> String {
    let mut text = format!("{}\n", summary(&checked.head));
    let mut about: Option<&str> = None;
    for Addressed {
        organisation,
        finding,
    } in &checked.findings
    {
        if about != Some(organisation) {
            let name = organisations
                .get(organisation)
                .map(|known| known.name.as_str());
            let _ = writeln!(text, "\n{organisation} {}", name.unwrap_or_default());
            about = Some(organisation);
        }
        write_finding(&mut text, finding);
    }
    text
}

/// "CP 2025-26, 3 returns checked against each other: 1 to fix, 1 to explain."
fn summary(head: &CollectionHead) -> String {
    let counts = Severity::ALL
        .iter()
        .filter_map(|&severity| {
            let of_severity = head
                .counts
                .iter()
                .filter(|count| count.severity == severity);
            let n: u64 = of_severity.map(|count| count.n).sum();
            (n > 0).then(|| format!("{n} {}", words(severity)))
        })
        .collect::<Vec<_>>();
    let returns = count(head.members.len() as u64, "return");
    let round = [Some(head.return_id.as_str()), head.period.as_deref()];
    let round = round.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let found = if counts.is_empty() {
        "nothing found".to_owned()
    } else {
        counts.join(", ")
    };
    format!("{round}, {returns} checked against each other: {found}.")
}

/// As one JSON document: the head's fields and `findings`, each with its `organisation`.
pub fn json(to: &mut dyn Write, checked: &CollectionChecked) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<'a> {
        #[serde(flatten)]
        head: &'a CollectionHead,
        findings: &'a [Addressed],
    }
    let document = Document {
        head: &checked.head,
        findings: &checked.findings,
    };
    serde_json::to_writer_pretty(&mut *to, &document)?;
    writeln!(to)
}

/// As CSV, safe to open in a spreadsheet program.
pub fn csv(to: &mut dyn Write, checked: &CollectionChecked) -> Result<(), csv::Error> {
    let findings = checked.findings.iter();
    let findings = findings.map(|addressed| (addressed.organisation.as_str(), &addressed.finding));
    crate::csv::collection(to, findings)
}
