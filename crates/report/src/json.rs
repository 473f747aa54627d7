//! Findings as JSON: what `lgdp check --format json` prints.
//!
//! Documented in `docs/check-json.md`; fields are only ever added.

use std::io::{self, Write};

use assess::Head;
use finding::{Finding, Group};
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    head: &'a Head,
    groups: Vec<Group>,
    findings: &'a [Finding],
}

/// Writes one JSON document: the head's fields, `groups` and `findings`.
pub fn json(to: &mut dyn Write, head: &Head, findings: &[Finding]) -> io::Result<()> {
    let document = Document {
        head,
        groups: finding::groups(findings),
        findings,
    };
    serde_json::to_writer_pretty(&mut *to, &document)?;
    writeln!(to)
}
