//! `lgdp spec template`: the workbook of a spec, blank or with the rows of the last file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use child::{Part, Task};
use chrono::Utc;
use cycle::clock;
use finding::{Finding, Severity};
use report::template::{Fill, Rows, carried_over, template};
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
        rows: carried_over(&spec, last, period.as_ref()),
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
        // It is of an earlier period, whichever that was.
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
    for part in assessor::child(settings)?.run(&task)? {
        match part? {
            Part::Head(_) => {}
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
        None => Ok(rows),
    }
}

fn is_blocker(finding: &Finding) -> bool {
    finding.severity == Severity::Blocker
}
