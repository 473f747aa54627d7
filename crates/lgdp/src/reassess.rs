//! `lgdp reassess`: stored submissions through another spec folder, side by side with what they got.
//!
//! Reads originals and facts and writes nothing: the database itself refuses writes on its connections.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use assess::difference::{Difference, Side, Totals, difference};
use child::{Child, Task};
use db::{Access, Db};
use files::Files;
use futures_util::{StreamExt as _, stream};
use report::difference::{self as shown, Subject, With};
use spec::ReturnSpec;
use tempfile::TempDir;
use uuid::Uuid;
use workflow::{Actor, AssessedThen, Selection, Which};

use crate::assessor;
use crate::cli::{Format, ReassessArguments};
use crate::parts::{self, Database};
use crate::roles::runtime;
use crate::settings::Settings;

/// Files between two lines of progress.
const PROGRESS: usize = 50;

pub(crate) fn reassess(
    arguments: &ReassessArguments,
    settings: &Settings,
) -> anyhow::Result<ExitCode> {
    let spec = load(&arguments.spec)?;
    let mut database = Database::find(settings)?;
    database.config.access = Access::ReadOnly;
    let came = runtime()?.block_on(async {
        let again = Again {
            db: Db::connect(&database.config).await?,
            actor: Actor::system("command line"),
            files: parts::files(settings)?,
            child: assessor::child(settings)?,
            scratch: tempfile::tempdir().context("no temporary folder")?,
            spec,
        };
        all(&again, arguments, settings.workers).await
    })?;
    Ok(match came {
        Came { n_failed: 1.., .. } => bail!("not every file could be assessed again"),
        Came { n_fallen: 1.., .. } => ExitCode::from(1),
        Came { .. } => ExitCode::SUCCESS,
    })
}

/// The spec with its whole path, since a child is started elsewhere.
fn load(dir: &Path) -> anyhow::Result<ReturnSpec> {
    let dir = dir
        .canonicalize()
        .with_context(|| format!("there is no folder {}", dir.display()))?;
    let list = dir.join("../../organisations.csv");
    ensure!(
        list.is_file(),
        "a version folder lies two folders below organisations.csv, but there is no {}: copy it there too",
        list.display()
    );
    spec::load(&dir).with_context(|| format!("the spec {} can't be used", dir.display()))
}

struct Again {
    db: Db,
    actor: Actor,
    files: Files,
    child: Child,
    scratch: TempDir,
    spec: ReturnSpec,
}

struct Came {
    n_failed: u64,
    n_fallen: u64,
}

/// So many side by side, told in order.
async fn all(again: &Again, arguments: &ReassessArguments, at_once: usize) -> anyhow::Result<Came> {
    let selection = Selection {
        return_id: again.spec.id.clone(),
        period: arguments.period.clone(),
        organisation: arguments.organisation.clone(),
        submissions: arguments.submission.clone(),
        which: if arguments.standing {
            Which::Standing
        } else {
            Which::Every
        },
    };
    let ids = workflow::assessed_submissions(&again.db, &again.actor, &selection).await?;
    let n_files = ids.len();
    let mut printer = Printer::new(arguments.format, &again.spec)?;
    let mut differences = stream::iter(ids).map(|id| again.one(id)).buffered(at_once);
    let mut n_done = 0;
    while let Some(came) = differences.next().await {
        printer.print(came?)?;
        n_done += 1;
        if n_done % PROGRESS == 0 {
            progress(&format!("{n_done} of {n_files} files assessed again"));
        }
    }
    printer.end()
}

type OfOne = (Subject, Result<Difference, String>);

impl Again {
    /// What keeps one file from being assessed again is said of it, and the others go on; only the database is needed by all.
    async fn one(&self, id: Uuid) -> anyhow::Result<OfOne> {
        let then = workflow::assessed_then(&self.db, &self.actor, id)
            .await?
            .with_context(|| format!("the submission {id} is gone"))?;
        let subject = subject(&then);
        let difference = self.difference(then).await;
        Ok((subject, difference.map_err(|error| format!("{error:#}"))))
    }

    async fn difference(&self, then: AssessedThen) -> anyhow::Result<Difference> {
        let scratch = tempfile::tempdir_in(self.scratch.path())?;
        let id = then.submission.id;
        let references = workflow::references(&self.db, &self.actor, id, &self.spec).await?;
        let task = worker::task(
            &self.files,
            &self.spec.dir,
            &then.wanted,
            &references,
            scratch.path(),
        )
        .await?;
        let task = Task {
            records: false,
            ..task
        };
        let child = self.child.clone();
        let now = tokio::task::spawn_blocking(move || assessor::assess(&child, &task)).await??;
        Ok(difference(
            Side {
                outcome: then.outcome,
                tables: &then.tables,
                findings: &then.findings,
            },
            Side {
                outcome: now.head.outcome,
                tables: &now.head.tables,
                findings: &now.findings,
            },
        ))
    }
}

fn subject(then: &AssessedThen) -> Subject {
    let submission = &then.submission;
    Subject {
        submission_id: submission.id.to_string(),
        organisation: submission.organisation.clone(),
        organisation_name: submission.organisation_name.clone(),
        period: submission.round.period.label.clone(),
        version_number: submission.version_number,
        file_name: submission.file_name.clone(),
    }
}

/// Writes what comes as it comes.
struct Printer {
    with: With,
    totals: Totals,
    n_failed: u64,
    way: Way,
}

enum Way {
    Text,
    Json(shown::Json<io::Stdout>),
    Csv,
}

impl Printer {
    fn new(format: Format, spec: &ReturnSpec) -> anyhow::Result<Self> {
        let with = With {
            return_id: spec.id.clone(),
            version: spec.version.clone(),
            spec_hash: spec.hash.clone(),
        };
        let way = match format {
            Format::Text => Way::Text,
            Format::Json => Way::Json(shown::Json::begin(io::stdout(), &with)?),
            Format::Csv => {
                shown::csv_headings(io::stdout())?;
                Way::Csv
            }
        };
        Ok(Self {
            with,
            totals: Totals::default(),
            n_failed: 0,
            way,
        })
    }

    fn print(&mut self, (subject, came): OfOne) -> anyhow::Result<()> {
        match &came {
            Ok(difference) => self.totals.add(&subject.organisation, difference),
            Err(_) => self.n_failed += 1,
        }
        match (&mut self.way, &came) {
            (Way::Text, Ok(difference)) => {
                io::stdout().write_all(shown::text(&subject, difference).as_bytes())?;
            }
            (Way::Text, Err(why)) => {
                io::stdout().write_all(shown::failed_text(&subject, why).as_bytes())?;
            }
            (Way::Json(json), Ok(difference)) => json.file(&subject, difference)?,
            (Way::Json(json), Err(why)) => json.failed(&subject, why)?,
            (Way::Csv, Ok(difference)) => shown::csv_lines(io::stdout(), &subject, difference)?,
            (Way::Csv, Err(why)) => shown::csv_failed(io::stdout(), &subject, why)?,
        }
        Ok(())
    }

    fn end(self) -> anyhow::Result<Came> {
        let came = Came {
            n_failed: self.n_failed,
            n_fallen: self.totals.n_fallen,
        };
        match self.way {
            Way::Text => io::stdout().write_all(
                shown::totals_text(&self.with, &self.totals, self.n_failed).as_bytes(),
            )?,
            Way::Json(json) => json.end(&self.totals, self.n_failed)?,
            // A line each is all there is in a table.
            Way::Csv => io::stdout().flush()?,
        }
        Ok(came)
    }
}

#[expect(clippy::print_stderr, reason = "standard output is for the result")]
fn progress(line: &str) {
    eprintln!("{line} …");
}
