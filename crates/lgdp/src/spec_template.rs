//! `lgdp spec template`: the workbook of a spec, blank or with what was sent last.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use child::{Part, Task};
use chrono::Utc;
use cycle::clock;
use finding::{Finding, Severity};
use report::template::{Fill, Rows, SentFor, carried_over, template};
use spec::ReturnSpec;

use crate::cli::TemplateArguments;
use crate::settings::Settings;
use crate::{assessor, check};

pub(crate) fn write(
    arguments: &TemplateArguments,
    settings: &Settings,
) -> anyhow::Result<ExitCode> {
    let dir = &arguments.spec;
    let spec =
        spec::load(dir).with_context(|| format!("the spec {} can't be used", dir.display()))?;
    let period = match &arguments.period {
        Some(label) => Some(check::check_period(&spec, label)?),
        None => None,
    };
    let organisation = match &arguments.organisation {
        Some(named) => Some(check::organisation(dir, named)?),
        None => None,
    };
    let sent_for = match (&arguments.from_period, &period) {
        (Some(label), Some(period)) if *label == period.label => SentFor::ThisPeriod,
        _ => SentFor::AnEarlierOne,
    };
    let last = match &arguments.from {
        Some(file) => {
            let code = organisation.as_ref().map(|body| body.code.clone());
            rows_of(&spec, file, code, settings)?
        }
        None => BTreeMap::new(),
    };
    let fill = Fill {
        organisation: organisation.as_ref(),
        period: period.as_ref(),
        rows: carried_over(&spec, last, sent_for, period.as_ref()),
        sent_for,
    };
    let bytes = template(&spec, &fill).context("the template can't be made")?;
    let out = &arguments.output;
    fs::write(out, bytes).with_context(|| format!("can't write {}", out.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// The records of a file that passed, read in the confined child.
fn rows_of(
    spec: &ReturnSpec,
    file: &Path,
    organisation: Option<String>,
    settings: &Settings,
) -> anyhow::Result<BTreeMap<String, Rows>> {
    let task = Task {
        spec_dir: spec.dir.clone(),
        organisation,
        // Whichever it was: that it is another one is no fault here.
        period: None,
        received_on: clock::day(Utc::now()),
        file: check::input(file)?,
        previous: None,
        year_ago: None,
        others: BTreeMap::new(),
        values: BTreeMap::new(),
        records: true,
    };
    let mut rows: BTreeMap<String, Rows> = BTreeMap::new();
    let mut worst: Option<Finding> = None;
    let mut n_rejected: u64 = 0;
    for part in assessor::child(settings)?.run(&task)? {
        match part? {
            Part::Head(head) => n_rejected = head.tables.iter().map(|table| table.rejected).sum(),
            Part::Findings(findings) => {
                worst = worst.or_else(|| findings.into_iter().find(is_blocker));
            }
            Part::Rows(block) => {
                let of_table = rows.entry(block.table).or_default();
                for row_idx in 0..block.row_numbers.len() {
                    let values = block.columns.iter();
                    let values = values.map(|column| column.values.get(row_idx).cloned().flatten());
                    of_table.push(values.collect());
                }
            }
        }
    }
    match worst {
        Some(finding) => bail!("{} can't be used: {}", file.display(), finding.message),
        None => {
            if n_rejected > 0 {
                say_left_out(file, n_rejected);
            }
            Ok(rows)
        }
    }
}

#[expect(clippy::print_stderr, reason = "nothing is left out in silence")]
fn say_left_out(file: &Path, n_rows: u64) {
    let file = file.display();
    eprintln!("{file}: rows that have something to fix are left out: {n_rows}");
}

fn is_blocker(finding: &Finding) -> bool {
    finding.severity == Severity::Blocker
}
