//! `lgdp submit`, `status`, `findings`, `dataset`, `release` and `watch`: what a sender's own machine does, by the API alone.

mod found;

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use chrono::Utc;
use clap::ValueEnum as _;
use client::{
    Api, ApiError, ChooseError, Looked, NewFile, Screen, Submission, TakeReleaseError, Told,
    Wanted, WatchError, Watcher,
};
use cycle::clock;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::cli::{
    ClientCommand, DatasetArguments, DatasetFormat, FindingsArguments, FindingsFormat, ForWhat,
    Printed, ReleaseArguments, StatusArguments, SubmitArguments, WatchArguments,
};
use crate::roles::runtime;

/// Something has to be fixed, or was refused.
const TO_FIX: u8 = 1;
/// Out of reach, or not done in time: the same may work later.
const LATER: u8 = 3;

pub(crate) fn run(command: &ClientCommand) -> anyhow::Result<ExitCode> {
    let runtime = runtime()?;
    let done = runtime.block_on(async {
        match command {
            ClientCommand::Submit(asked) => submit(asked).await,
            ClientCommand::Status(asked) => status(asked).await,
            ClientCommand::Findings(asked) => findings(asked).await,
            ClientCommand::Dataset(asked) => dataset(asked).await,
            ClientCommand::Release(asked) => release(asked).await,
            ClientCommand::Watch(asked) => watch(asked).await,
        }
    });
    // Whoever runs this from a script tells by the exit status whether the same may work later.
    match done {
        Err(error) if is_for_now(&error) => {
            Screen::find().say(&format!("lgdp: {error:#}"));
            Ok(ExitCode::from(LATER))
        }
        done => done,
    }
}

fn is_for_now(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let of_api = cause.downcast_ref::<ApiError>();
        let of_release = cause.downcast_ref::<TakeReleaseError>();
        let of_choice = cause.downcast_ref::<ChooseError>();
        let of_folder = cause.downcast_ref::<WatchError>();
        of_api.is_some_and(ApiError::is_for_now)
            || of_release.is_some_and(TakeReleaseError::is_for_now)
            || of_choice.is_some_and(ChooseError::is_for_now)
            || of_folder.is_some_and(WatchError::is_for_now)
    })
}

/// What was asked of the platform, and how it is told.
struct Session {
    api: Api,
    screen: Screen,
    is_json: bool,
}

impl Session {
    fn start(printed: &Printed) -> anyhow::Result<Self> {
        let screen = if printed.quiet {
            Screen::Quiet
        } else {
            Screen::find()
        };
        let access = found::access(printed)?;
        Ok(Self {
            api: Api::new(access)?,
            screen,
            is_json: printed.json,
        })
    }

    /// A line of an answer, for people or for programs.
    fn print(&self, facts: &impl Serialize, words: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.is_json {
            serde_json::to_writer(&mut out, facts)?;
            writeln!(out)?;
        } else {
            writeln!(out, "{words}")?;
        }
        Ok(())
    }

    fn print_submission(&self, submission: &Submission) -> io::Result<()> {
        let words = format!(
            "{}  {} {} of {}, version {}: {} ({}{})",
            submission.submission_id,
            submission.return_id,
            submission.period,
            submission.organisation,
            submission.version_number,
            submission.in_words(),
            self.api.address(),
            submission.links.page
        );
        self.print(submission, &words)
    }
}

fn wanted(of: &ForWhat) -> Wanted {
    Wanted {
        organisation: of.organisation.clone(),
        return_id: of.return_id.clone(),
        period: of.period.clone(),
    }
}

/// What a submission's exit status is, once it is checked.
fn verdict(submission: &Submission) -> u8 {
    match submission.outcome {
        _ if submission.is_to_fix() => TO_FIX,
        Some(_) => 0,
        None => LATER,
    }
}

async fn submit(asked: &SubmitArguments) -> anyhow::Result<ExitCode> {
    let session = Session::start(&asked.printed)?;
    let mut worst = 0;
    for path in &asked.files {
        // Read first: a file that is not there is the caller's mistake, and nothing is asked for it.
        let file = NewFile::read(path)?;
        let today = clock::day(Utc::now());
        let to = client::choose(&session.api, &wanted(&asked.of), today).await?;
        let key = asked.key.clone().unwrap_or_else(|| key_of(&to, &file));
        let receipt = client::send(&session.api, &to, &file, &key, session.screen).await;
        let receipt = match receipt {
            Err(error @ ApiError::Refused { .. }) => {
                session.screen.say(&format!("{}: {error}", path.display()));
                worst = worst.max(TO_FIX);
                continue;
            }
            receipt => receipt?,
        };
        if !asked.wait {
            let before = if receipt.repeated { " before" } else { "" };
            let words = format!(
                "{}  {}: received{before} as version {} of {} {} of {}",
                receipt.submission_id,
                receipt.file_name,
                receipt.version_number,
                receipt.return_id,
                receipt.period,
                receipt.organisation
            );
            session.print(&receipt, &words)?;
            continue;
        }
        let longest = Duration::from_secs(asked.wait_seconds);
        let submission =
            client::wait(&session.api, receipt.submission_id, longest, session.screen).await?;
        session.print_submission(&submission)?;
        worst = worst.max(verdict(&submission));
    }
    Ok(ExitCode::from(worst))
}

/// The same file for the same return and period is received once, however often a scheduled task sends it.
fn key_of(to: &client::Chosen, file: &NewFile) -> String {
    let client::Chosen {
        organisation,
        return_id,
        period,
    } = to;
    let name = file.name();
    let all = [organisation, return_id, period, &name, &file.sha256];
    let mut hash = Sha256::new();
    for part in all {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

async fn status(asked: &StatusArguments) -> anyhow::Result<ExitCode> {
    let session = Session::start(&asked.printed)?;
    if asked.submissions.is_empty() {
        for one in client::obligations(&session.api).await? {
            let overdue = if one.is_overdue { " (overdue)" } else { "" };
            let words = format!(
                "{}  {}  {}  due {}  {}{overdue}  {}",
                one.return_id,
                one.period,
                one.organisation,
                one.due_on,
                one.state.replace('_', " "),
                one.organisation_name,
            );
            session.print(&one, &words)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut worst = 0;
    for id in &asked.submissions {
        let submission = if asked.wait {
            let longest = Duration::from_secs(asked.wait_seconds);
            client::wait(&session.api, *id, longest, session.screen).await?
        } else {
            client::status(&session.api, *id).await?
        };
        session.print_submission(&submission)?;
        worst = worst.max(verdict(&submission));
    }
    Ok(ExitCode::from(worst))
}

async fn findings(asked: &FindingsArguments) -> anyhow::Result<ExitCode> {
    let session = Session::start(&asked.printed)?;
    let submission = client::status(&session.api, asked.submission).await?;
    let links = &submission.links;
    let link = match asked.format {
        FindingsFormat::Text => {
            for finding in client::findings(&session.api, &submission).await? {
                session.print(&finding, &finding.in_words())?;
            }
            return Ok(ExitCode::from(verdict(&submission)));
        }
        FindingsFormat::Json => &links.findings_json,
        FindingsFormat::Csv => &links.findings_csv,
        FindingsFormat::Xlsx => &links.findings_xlsx,
        FindingsFormat::Marked => links
            .marked_xlsx
            .as_ref()
            .context("there is no marked workbook of this file, or not yet")?,
    };
    if asked.out.is_none() && matches!(asked.format, FindingsFormat::Xlsx | FindingsFormat::Marked)
    {
        anyhow::bail!("say with --out where the workbook goes");
    }
    take(&session, link, asked.out.as_deref()).await?;
    Ok(ExitCode::from(verdict(&submission)))
}

async fn dataset(asked: &DatasetArguments) -> anyhow::Result<ExitCode> {
    let session = Session::start(&asked.printed)?;
    let format = asked
        .format
        .unwrap_or_else(|| format_of(asked.out.as_deref()));
    let wanted = client::WantedDataset {
        return_id: &asked.return_id,
        period: &asked.period,
        format: format.ending(),
        asked: asked_of(asked),
    };
    let path = wanted.path();
    match &asked.out {
        Some(out) => client::download(&session.api, &path, out, session.screen).await?,
        None if matches!(format, DatasetFormat::Xlsx | DatasetFormat::Parquet) => {
            anyhow::bail!("say with --out where the file goes")
        }
        None => take(&session, &path, None).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// By what the file's name ends with.
fn format_of(out: Option<&Path>) -> DatasetFormat {
    let ending = out
        .and_then(Path::extension)
        .and_then(|ending| ending.to_str());
    let ending = ending.unwrap_or_default().to_ascii_lowercase();
    let mut formats = DatasetFormat::value_variants().iter().copied();
    formats
        .find(|format| format.ending() == ending)
        .unwrap_or(DatasetFormat::Csv)
}

/// As the API has it.
fn asked_of(asked: &DatasetArguments) -> Vec<(&'static str, &str)> {
    let mut words = Vec::new();
    words.extend(asked.table.as_deref().map(|table| ("table", table)));
    words.extend(asked.from.as_deref().map(|from| ("from", from)));
    words.extend(
        asked
            .organisation
            .iter()
            .map(|code| ("organisation", code.as_str())),
    );
    words.extend(asked.column.iter().map(|item| ("column", item.as_str())));
    words.extend(asked.lineage.map(|lineage| ("lineage", lineage.word())));
    words.extend(asked.no_labels.then_some(("labels", "no")));
    words.extend(asked.accepted.then_some(("accepted", "yes")));
    words
}

async fn release(asked: &ReleaseArguments) -> anyhow::Result<ExitCode> {
    let session = Session::start(&asked.printed)?;
    let which = client::WhichRelease {
        return_id: &asked.return_id,
        from: asked.from.as_deref().unwrap_or(&asked.period),
        to: &asked.period,
        number: asked.number,
    };
    let (release, mut files) = client::find_release(&session.api, &which).await?;
    for name in &asked.file {
        if !files.iter().any(|file| file.name == *name) {
            return Err(client::TakeReleaseError::NoFile(name.clone()).into());
        }
    }
    files.retain(|file| asked.file.is_empty() || asked.file.contains(&file.name));
    std::fs::create_dir_all(&asked.out)
        .with_context(|| format!("can't make {}", asked.out.display()))?;
    for file in &files {
        client::take_release_file(&session.api, file, &asked.out, session.screen).await?;
        let told = Taken {
            release: release.id,
            number: release.number,
            file: &file.name,
            sha256: &file.sha256,
        };
        session.print(&told, &format!("{}  {}", file.sha256, file.name))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A file of a release that is there and is what the release says.
#[derive(Serialize)]
struct Taken<'a> {
    release: uuid::Uuid,
    number: Option<u32>,
    file: &'a str,
    sha256: &'a str,
}

async fn take(session: &Session, link: &str, out: Option<&Path>) -> anyhow::Result<()> {
    let mut stdout = io::stdout();
    match client::save(&session.api, link, out, &mut stdout, session.screen).await {
        // Whoever reads it, such as `head`, has read enough.
        Err(error) if error.is_closed_pipe() => Ok(()),
        done => Ok(done?),
    }
}

async fn watch(asked: &WatchArguments) -> anyhow::Result<ExitCode> {
    let session = Session::start(&asked.printed)?;
    let (folder, of) = (&asked.folder, wanted(&asked.of));
    let mut watcher = Watcher::open(session.api.clone(), folder, of, session.screen)?;
    let mut needs_fixing = false;
    let mut tell = |told: &Told| {
        needs_fixing |= match told {
            Told::Checked { is_to_fix, .. } => *is_to_fix,
            Told::Refused { .. } => true,
            Told::Sent { .. } | Told::Known { .. } | Told::Delayed { .. } => false,
        };
        session.print(told, &in_words(told))
    };
    let longest = Duration::from_secs(asked.wait_seconds);
    loop {
        let today = clock::day(Utc::now());
        let looking = watcher.look_until_done(today, longest, &mut tell);
        let looked = tokio::select! {
            looked = looking => looked?,
            stopped = crate::roles::stop_asked() => {
                stopped?;
                return Ok(ExitCode::SUCCESS);
            }
        };
        if asked.once {
            // One that was refused before, and is as it was then, is told no more and still not sent.
            let is_to_fix = needs_fixing || looked.n_refused > 0;
            return Ok(ExitCode::from(match (left_in(&looked), is_to_fix) {
                (0, false) => 0,
                (0, true) => TO_FIX,
                _ => LATER,
            }));
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(asked.every)) => {}
            stopped = crate::roles::stop_asked() => {
                stopped?;
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
}

/// How many files something is still to come of; what is only to be marked is not waited for.
fn left_in(looked: &Looked) -> usize {
    looked.n_waiting + looked.n_delayed
}

fn in_words(told: &Told) -> String {
    match told {
        Told::Sent {
            file,
            submission_id,
            version_number,
        } => format!("{file}: received as version {version_number}, {submission_id}"),
        Told::Known {
            file,
            before,
            submission_id,
            sent_for,
        } => format!(
            "{file}: not sent again: it is what {before} was, {submission_id} for {sent_for}"
        ),
        Told::Checked { file, result, .. } => format!("{file}: {result}"),
        Told::Refused { file, reason } => format!("{file}: not sent: {reason}"),
        Told::Delayed { file, reason } => format!("{file}: later: {reason}"),
    }
}
