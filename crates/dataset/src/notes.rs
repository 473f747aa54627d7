//! What a workbook says about its rows: notes, and a dictionary of its columns.

use report::table::Sheet;
use spec::{ItemKind, ReturnSpec};

use crate::{Manifest, Shape};

/// Nobody reads further, and every code is in the dictionary of the return.
const MOST_CODES: usize = 200;

pub(crate) fn sheets(
    spec: &ReturnSpec,
    manifest: &Manifest,
    shape: &Shape,
    n_records: u64,
    n_cut: u64,
) -> Vec<Sheet> {
    let mut about = notes(spec, manifest, shape, n_records);
    if n_cut > 0 {
        let note = format!(
            "Longer than a cell has room for, and cut where \"[cut: …]\" says so: {n_cut}. They are whole in the other formats."
        );
        about.push(vec!["Texts".to_owned(), note]);
    }
    vec![
        Sheet {
            name: "Notes",
            columns: vec![("About", 30), ("Note", 100)],
            rows: about,
        },
        Sheet {
            name: "Dictionary",
            columns: vec![
                ("Column", 28),
                ("Title", 36),
                ("Kind", 12),
                ("Unit", 12),
                ("What it is", 70),
                ("Codes", 60),
            ],
            rows: dictionary(shape),
        },
    ]
}

/// Each a name and a sentence.
pub(crate) fn notes(
    spec: &ReturnSpec,
    manifest: &Manifest,
    shape: &Shape,
    n_records: u64,
) -> Vec<Vec<String>> {
    let mut rows: Vec<(&str, String)> = vec![
        ("Return", format!("{} ({})", spec.title, spec.acronym)),
        ("Table", shape.title.clone()),
        ("Period", period(manifest)),
        ("Rows", n_records.to_string()),
        ("Made from", made_from(manifest)),
    ];
    if manifest.accumulates {
        let note = if manifest.from == manifest.to {
            "Of each record what was sent last up to the end of the period; it may have been sent for an earlier one."
        } else {
            "Of each record that was sent for these periods what was sent last. What was sent for earlier ones and not again is not in it."
        };
        rows.push(("Which records", note.to_owned()));
    }
    if manifest.versions.len() > 1 {
        let versions: Vec<&str> = manifest
            .versions
            .iter()
            .map(|(version, _)| version.as_str())
            .collect();
        let note = format!(
            "Collected with versions {} of the return; the columns are as the newest says them. not_asked_for says which blanks of a row are there because its version did not ask.",
            versions.join(", ")
        );
        rows.push(("Versions", note));
    }
    if let Some(left_out) = shape.left_out() {
        rows.push(("Not published", left_out.in_words()));
    }
    for mapped in &shape.mapping {
        let note = format!("{}: {}", mapped.column, mapped.in_words());
        rows.push(("Between versions", note));
    }
    let state = if manifest.submissions.is_empty() {
        format!(
            "Nothing is in it yet, and {} are missing.",
            manifest.missing.len()
        )
    } else if manifest.is_provisional() {
        format!(
            "Provisional: {} of {} returns in it are not accepted yet, and {} are missing.",
            manifest.n_provisional(),
            manifest.submissions.len(),
            manifest.missing.len()
        )
    } else {
        "Complete: everybody who has to answer has, and all of it is accepted.".to_owned()
    };
    rows.push(("State", state));
    for missing in &manifest.missing {
        let note = format!(
            "{} ({}), {}",
            missing.organisation_name, missing.organisation, missing.period_label
        );
        rows.push(("Missing", note));
    }
    let nil = manifest.submissions.iter().filter(|counted| counted.is_nil);
    for counted in nil {
        let note = format!(
            "{} ({}), {}",
            counted.organisation_name, counted.organisation, counted.period_label
        );
        rows.push(("Nothing to report", note));
    }
    rows.push((
        "Numbers",
        "A number of more than 15 digits is kept as text, since a spreadsheet would round it."
            .to_owned(),
    ));
    rows.push((
        "Source",
        format!("{}, {}", spec.owner.organisation, spec.owner.team),
    ));
    rows.into_iter()
        .map(|(about, note)| vec![about.to_owned(), note])
        .collect()
}

fn period(manifest: &Manifest) -> String {
    let day = |day: chrono::NaiveDate| day.format("%-d %B %Y").to_string();
    if manifest.from == manifest.to {
        let to = &manifest.to;
        format!("{}: {} to {}", to.label, day(to.start), day(to.end))
    } else {
        format!(
            "{} to {}: {} to {}",
            manifest.from.label,
            manifest.to.label,
            day(manifest.from.start),
            day(manifest.to.end)
        )
    }
}

fn made_from(manifest: &Manifest) -> String {
    let organisations: std::collections::BTreeSet<&str> = manifest
        .submissions
        .iter()
        .map(|counted| counted.organisation.as_str())
        .collect();
    format!(
        "{} returns of {} organisations",
        manifest.submissions.len(),
        organisations.len()
    )
}

fn dictionary(shape: &Shape) -> Vec<Vec<String>> {
    shape
        .columns
        .iter()
        .map(|column| {
            let mut codes: Vec<String> = column
                .codes
                .iter()
                .take(MOST_CODES)
                .map(|(code, label)| format!("{code} = {label}"))
                .collect();
            if column.codes.len() > MOST_CODES {
                codes.push(format!("and {} more", column.codes.len() - MOST_CODES));
            }
            vec![
                column.name.clone(),
                column.title.clone(),
                kind_in_words(column.kind).to_owned(),
                column.unit.clone().unwrap_or_default(),
                column.description.clone(),
                codes.join("; "),
            ]
        })
        .collect()
}

fn kind_in_words(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Text => "text",
        ItemKind::Integer => "whole number",
        ItemKind::Decimal { .. } => "number",
        ItemKind::Date => "date",
        ItemKind::Boolean => "true or false",
    }
}
