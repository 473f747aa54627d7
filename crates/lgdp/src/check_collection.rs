//! `lgdp check-collection`: files of several organisations, each by itself and then against each other.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use assess::CollectionChecked;
use child::{CollectionTask, InputFile, Task};
use chrono::Utc;
use cycle::clock;
use finding::Severity;
use spec::Organisations;

use crate::assessor;
use crate::check::{check_period, input};
use crate::cli::{CheckCollectionArguments, Format};
use crate::settings::Settings;

pub(crate) fn check(
    arguments: &CheckCollectionArguments,
    settings: &Settings,
) -> anyhow::Result<ExitCode> {
    let spec = spec::load(&arguments.spec)
        .with_context(|| format!("the spec {} can't be used", arguments.spec.display()))?;
    check_period(&spec, &arguments.period)?;
    let list = arguments.spec.join("../../organisations.csv");
    let organisations = Organisations::load(&list)
        .with_context(|| format!("a collection needs {}", list.display()))?;
    let today = || clock::day(Utc::now());
    let received_on = arguments.received.unwrap_or_else(today);
    let child = assessor::child(settings)?;

    let mut standing: BTreeMap<String, InputFile> = BTreeMap::new();
    let mut left_out = Vec::new();
    for (named, path) in &arguments.files {
        let Some(organisation) = organisations.find(named) else {
            bail!("no organisation is called {named}");
        };
        let file = input(path)?;
        let task = Task {
            spec_dir: arguments.spec.clone(),
            organisation: Some(organisation.code.clone()),
            period: Some(arguments.period.clone()),
            received_on,
            file: file.clone(),
            previous: None,
            year_ago: None,
            others: BTreeMap::new(),
            values: BTreeMap::new(),
            records: false,
        };
        let assessed = assessor::assess(&child, &task)?;
        if !assessed.head.outcome.may_stand() {
            let summary = report::text::summary(&assessed.head);
            left_out.push(format!("{} {summary}", organisation.code));
        } else if standing.insert(organisation.code.clone(), file).is_some() {
            bail!("{} has two files", organisation.code);
        }
    }
    let checked = child.run_collection(&CollectionTask {
        spec_dir: arguments.spec.clone(),
        period: arguments.period.clone(),
        received_on,
        files: standing,
    })?;
    say_left_out(&left_out);
    print(&checked, &organisations, arguments.format)?;
    let has_errors = checked
        .head
        .counts
        .iter()
        .any(|count| count.severity == Severity::Error);
    Ok(if has_errors || !left_out.is_empty() {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}

#[expect(
    clippy::print_stderr,
    reason = "beside the answer, which may be JSON or CSV"
)]
fn say_left_out(left_out: &[String]) {
    for line in left_out {
        eprintln!("left out: {line}");
    }
}

/// Writes what was found to standard output.
pub(crate) fn print(
    checked: &CollectionChecked,
    organisations: &Organisations,
    format: Format,
) -> anyhow::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let written = match format {
        Format::Text => out.write_all(report::collection::text(checked, organisations).as_bytes()),
        Format::Json => report::collection::json(&mut out, checked),
        Format::Csv => report::collection::csv(&mut out, checked).map_err(io::Error::other),
    };
    match written.and_then(|()| out.flush()) {
        // Whoever reads has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("can't write to standard output"),
    }
}
