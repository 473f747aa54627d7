//! The differences of two versions, for people and for machines.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;
use spec::ReturnSpec;
use spec::diff::{Change, Subject, What};

#[derive(Serialize)]
struct Document<'a> {
    before: Side<'a>,
    after: Side<'a>,
    changes: &'a [Change],
}

#[derive(Serialize)]
struct Side<'a> {
    #[serde(rename = "return")]
    return_id: &'a str,
    version: &'a str,
    spec_hash: &'a str,
}

impl<'a> Side<'a> {
    fn of(spec: &'a ReturnSpec) -> Self {
        Self {
            return_id: &spec.id,
            version: &spec.version,
            spec_hash: &spec.hash,
        }
    }
}

/// One JSON document: `before`, `after` and `changes`.
pub fn json(
    to: &mut dyn Write,
    before: &ReturnSpec,
    after: &ReturnSpec,
    changes: &[Change],
) -> io::Result<()> {
    let document = Document {
        before: Side::of(before),
        after: Side::of(after),
        changes,
    };
    serde_json::to_writer_pretty(&mut *to, &document)?;
    writeln!(to)
}

/// What changed, under a heading for each table and kind of thing.
pub fn text(before: &ReturnSpec, after: &ReturnSpec, changes: &[Change]) -> String {
    let n = match changes.len() {
        0 => "no differences".to_owned(),
        1 => "1 difference".to_owned(),
        n => format!("{n} differences"),
    };
    let mut text = format!(
        "{} {} → {} {}: {n}\n",
        before.id, before.version, after.id, after.version
    );
    let mut last = None;
    for change in changes {
        let heading = heading(change);
        if last.as_ref() != Some(&heading) {
            let _ = write!(text, "\n{heading}\n");
            last = Some(heading);
        }
        write_change(&mut text, change);
    }
    text
}

fn heading(change: &Change) -> String {
    let of = change.table.as_deref().unwrap_or_default();
    match change.subject {
        Subject::Return => "The return".to_owned(),
        Subject::Table => "Tables".to_owned(),
        Subject::Item => format!("Items of {of}"),
        Subject::Line => format!("Lines of {of}"),
        Subject::Code => format!("Codes of {of}"),
        Subject::Rule => "Checks".to_owned(),
        Subject::Fact => "Facts for the register".to_owned(),
        Subject::Source => "Sources".to_owned(),
    }
}

fn write_change(text: &mut String, change: &Change) {
    let name = &change.name;
    let _ = match &change.what {
        What::Added { after } => writeln!(text, "+ {name}: {after}"),
        What::Removed { before } => writeln!(text, "- {name}: {before}"),
        What::Renamed { before, why } => writeln!(text, "~ {before} is called {name} now ({why})"),
        What::Changed {
            property,
            before,
            after,
        } => {
            let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "—".to_owned());
            let (before, after) = (shown(before), shown(after));
            if before.chars().count() + after.chars().count() < 80 {
                writeln!(text, "~ {name}, {property}: {before} → {after}")
            } else {
                writeln!(text, "~ {name}, {property}:\n    {before}\n  → {after}")
            }
        }
    };
}
