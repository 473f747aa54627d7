//! `lgdp check`: one file, the same engine as the site's, no database.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use child::{Child, InputFile, MarkTask, Marking, Task};
use chrono::Utc;
use cycle::clock;
use report::listing::Cover;
use report::xlsx::FindingsWorkbook;
use spec::{Organisation, Organisations, Period, ReturnSpec};

use crate::assessor::{self, Assessed};
use crate::cli::{CheckArguments, ReportFormat};
use crate::settings::Settings;

pub(crate) fn check(arguments: &CheckArguments, settings: &Settings) -> anyhow::Result<ExitCode> {
    if arguments.format == ReportFormat::Xlsx && arguments.out.is_none() {
        bail!("--format xlsx needs --out FILE: a workbook is not for a terminal");
    }
    let child = assessor::child(settings)?;
    // Both processes read the spec, at the same time.
    let waiting = child.start(&arguments.spec)?;
    let task = task(arguments)?;
    let assessed = assessor::take(waiting.run(&task)?)?;
    match &arguments.out {
        Some(path) => {
            File::create(path)
                .and_then(|mut file| write(&assessed, arguments.format, &mut file))
                .with_context(|| format!("can't write {}", path.display()))?;
        }
        None => match write(&assessed, arguments.format, &mut io::stdout().lock()) {
            // Whoever reads has seen enough, as `head` does.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            printed => printed.context("can't write to standard output")?,
        },
    }
    if let Some(path) = &arguments.marked {
        mark(&child, &task, &assessed, path)?;
    }
    Ok(if assessed.head.outcome.may_stand() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

/// The file with its marks; where it can't have any, the findings alone.
fn mark(child: &Child, task: &Task, assessed: &Assessed, path: &Path) -> anyhow::Result<()> {
    let with = || format!("can't write {}", path.display());
    let marking = MarkTask {
        file: task.file.clone(),
        cover: Cover::of(&assessed.head),
    };
    let mut marked = Vec::new();
    match child.mark(&marking, assessed.findings.iter().cloned(), &mut marked)? {
        Marking::Written => std::fs::write(path, marked).with_context(with),
        Marking::Not(why) => {
            std::fs::write(path, workbook(assessed)?).with_context(with)?;
            let _ = writeln!(
                io::stderr(),
                "{}: {why}; {} has the findings alone",
                task.file.name,
                path.display()
            );
            Ok(())
        }
    }
}

fn task(arguments: &CheckArguments) -> anyhow::Result<Task> {
    let spec = spec::load(&arguments.spec)
        .with_context(|| format!("the spec {} can't be used", arguments.spec.display()))?;
    if let Some(label) = &arguments.period {
        check_period(&spec, label)?;
    }
    let organisation = match &arguments.organisation {
        Some(code) => Some(organisation(&arguments.spec, code)?.code),
        None => None,
    };
    if arguments.previous.len() > 2 {
        bail!("--previous can be given twice at most: the period before, then a year ago");
    }
    let today = || clock::day(Utc::now());
    let mut previous = arguments.previous.iter();
    Ok(Task {
        spec_dir: arguments.spec.clone(),
        organisation,
        period: arguments.period.clone(),
        received_on: arguments.received.unwrap_or_else(today),
        file: input(&arguments.file)?,
        previous: previous.next().map(|path| input(path)).transpose()?,
        year_ago: previous.next().map(|path| input(path)).transpose()?,
        others: others(&spec, &arguments.other)?,
        values: values(&spec, arguments)?,
        records: false,
    })
}

/// Each other return's file, by the return's id.
fn others(
    spec: &ReturnSpec,
    named: &[(String, PathBuf)],
) -> anyhow::Result<BTreeMap<String, InputFile>> {
    let mut others = BTreeMap::new();
    for (return_id, path) in named {
        if spec.compared_with(return_id).is_none() {
            bail!(
                "version {} of {} is not compared with {return_id}",
                spec.version,
                spec.id
            );
        }
        if others.insert(return_id.clone(), input(path)?).is_some() {
            bail!("--other names {return_id} twice");
        }
    }
    Ok(others)
}

/// The central figures that were named, and of the others those that lie beside the spec.
fn values(
    spec: &ReturnSpec,
    arguments: &CheckArguments,
) -> anyhow::Result<BTreeMap<String, InputFile>> {
    let mut values = BTreeMap::new();
    if let Some(label) = &arguments.period {
        let period = Period::parse(spec.period_kind, label)?;
        for set in &spec.reference_values {
            let Some(period) = set.period_of(&period) else {
                continue;
            };
            let folder = arguments.spec.join("../../reference-values").join(&set.set);
            let path = folder.join(format!("{}.csv", period.label));
            if path.is_file() {
                values.insert(set.table.clone(), input(&path)?);
            }
        }
    }
    for (table, path) in &arguments.values {
        if spec.reference_set(table).is_none() {
            bail!(
                "version {} of {} has no reference values {table}",
                spec.version,
                spec.id
            );
        }
        values.insert(table.clone(), input(path)?);
    }
    Ok(values)
}

pub(crate) fn check_period(spec: &ReturnSpec, label: &str) -> anyhow::Result<Period> {
    let period = Period::parse(spec.period_kind, label)?;
    if !spec.serves(&period) {
        bail!(
            "version {} of {} does not serve the period {label} (it is for periods ending from {})",
            spec.version,
            spec.id,
            spec.valid_from
        );
    }
    Ok(period)
}

/// Whoever was named, by any code or name.
pub(crate) fn organisation(spec_dir: &Path, named: &str) -> anyhow::Result<Organisation> {
    let list = spec_dir.join("../../organisations.csv");
    let organisations = Organisations::load(&list)
        .with_context(|| format!("--organisation needs {}", list.display()))?;
    match organisations.find(named) {
        Some(organisation) => Ok(organisation.clone()),
        None => bail!("no organisation is called {named}"),
    }
}

pub(crate) fn input(path: &Path) -> anyhow::Result<InputFile> {
    if !path.is_file() {
        bail!("{} is not a file", path.display());
    }
    Ok(InputFile {
        name: path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        path: path.to_owned(),
        version: None,
    })
}

fn write(assessed: &Assessed, format: ReportFormat, to: &mut dyn Write) -> io::Result<()> {
    let Assessed { head, findings } = assessed;
    let mut out = io::BufWriter::new(to);
    match format {
        ReportFormat::Text => out.write_all(report::text::text(head, findings).as_bytes())?,
        ReportFormat::Json => report::json::json(&mut out, head, findings)?,
        ReportFormat::Csv => {
            let own = report::csv::own_headings(findings);
            report::csv::headings(&mut out, &own).map_err(io::Error::other)?;
            let findings = findings.iter().map(|finding| (finding, None));
            report::csv::lines(&mut out, &own, findings).map_err(io::Error::other)?;
        }
        ReportFormat::Xlsx => out.write_all(&workbook(assessed).map_err(io::Error::other)?)?,
    }
    out.flush()
}

/// The findings as a workbook of their own.
fn workbook(assessed: &Assessed) -> anyhow::Result<Vec<u8>> {
    let own = report::csv::own_headings(&assessed.findings);
    let cover = Cover::of(&assessed.head);
    let mut workbook = FindingsWorkbook::new(cover, own, &std::env::temp_dir())?;
    workbook.add(assessed.findings.iter().map(|finding| (finding, None)))?;
    let mut bytes = io::Cursor::new(Vec::new());
    workbook.save(&mut bytes)?;
    Ok(bytes.into_inner())
}
