//! The command line, as it is written.

mod client;

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum};
use uuid::Uuid;

pub(crate) use client::{
    ClientCommand, DatasetArguments, DatasetFormat, FindingsArguments, FindingsFormat, ForWhat,
    Printed, ReleaseArguments, StatusArguments, SubmitArguments, WatchArguments,
};

use crate::audit::PrintedHead;

/// Data returns of local government: receives them, checks them, puts them together.
///
/// Settings come from the environment; `lgdp admin settings` lists them.
#[derive(Debug, Parser)]
#[command(name = "lgdp", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serves the site.
    Serve,
    /// Assesses what comes in and sends the mail.
    Work,
    /// Shows the whole way on this machine: database, site and worker, with made-up returns of all organisations.
    Demo(DemoOptions),
    /// Checks one file as the site would; needs no database.
    ///
    /// Exit status: 0 nothing worse than queries, 1 something has to be fixed, 2 usage or our own failure.
    Check(CheckArguments),
    /// Assesses stored submissions again, with a spec folder that may be newer or still being edited, and says what would
    /// be different; changes nothing.
    ///
    /// Exit status: 0 whatever could stand still can, 1 something could not, 2 usage or our own failure.
    Reassess(ReassessArguments),
    /// Checks the files of several organisations, each by itself and then against each other, as the site would.
    ///
    /// Only files that may stand are checked against each other.
    /// Exit status: 0 nothing worse than queries, 1 something has to be fixed, 2 usage or our own failure.
    CheckCollection(CheckCollectionArguments),
    #[command(flatten)]
    Client(ClientCommand),
    /// Works on return specs.
    #[command(subcommand)]
    Spec(SpecCommand),
    /// Prepares the database.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Works on the audit trail.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Assesses one file in this process, confined.
    #[command(hide = true)]
    AssessChild {
        /// The return's version folder, to be read before the order comes.
        spec: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Follows the trail's chain of hashes from its start, and prints its head: keep it elsewhere, and name it next time.
    ///
    /// Exit status: 0 it is as it was written, 1 it is not, 2 usage or our own failure.
    Verify {
        /// A head that was printed before: a trail that was cut off or written anew does not lead to it.
        #[arg(long, value_name = "POSITION:HASH")]
        since: Option<PrintedHead>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The workbook or CSV file.
    pub(crate) file: PathBuf,
    /// The return's version folder, `return-specs/<return>/<version>`.
    #[arg(long, value_name = "DIR")]
    pub(crate) spec: PathBuf,
    /// Whose return it should be, as a GSS code.
    #[arg(long, value_name = "CODE")]
    pub(crate) organisation: Option<String>,
    /// Which period it should be for, such as 2026-27-Q1.
    #[arg(long, value_name = "P")]
    pub(crate) period: Option<String>,
    /// The day it counts as received on; today where none is given.
    #[arg(long, value_name = "DATE")]
    pub(crate) received: Option<NaiveDate>,
    /// The file of the period before; given twice, the second is the file of a year ago.
    #[arg(long, value_name = "FILE")]
    pub(crate) previous: Vec<PathBuf>,
    /// The same organisation's file of another return that the spec is compared with, such as base=file.xlsx.
    #[arg(long, value_name = "RETURN=FILE", value_parser = named_file)]
    pub(crate) other: Vec<(String, PathBuf)>,
    /// Central figures for one of the spec's tables of them, such as circular=file.csv; those beside the spec where none are given.
    #[arg(long, value_name = "TABLE=FILE", value_parser = named_file)]
    pub(crate) values: Vec<(String, PathBuf)>,
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) format: ReportFormat,
    /// Where the report is written to, instead of standard output; a workbook has to be written to a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Writes the file itself with its faulty cells marked and the findings on a sheet in front (.xlsx only);
    /// for a file of another format the findings as a workbook of their own.
    #[arg(long, value_name = "FILE")]
    pub(crate) marked: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ReassessArguments {
    /// A version folder of the return, beside others: `return-specs/<return>/<version>`, or a copy of it.
    #[arg(long, value_name = "DIR")]
    pub(crate) spec: PathBuf,
    /// Just this submission, by its reference; may be given more than once.
    #[arg(long, value_name = "ID")]
    pub(crate) submission: Vec<Uuid>,
    /// Just those for this period.
    #[arg(long, value_name = "P")]
    pub(crate) period: Option<String>,
    /// Just those of this organisation, as a GSS code.
    #[arg(long, value_name = "CODE")]
    pub(crate) organisation: Option<String>,
    /// Just those that stand, instead of every version that was sent.
    #[arg(long)]
    pub(crate) standing: bool,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct CheckCollectionArguments {
    /// Each organisation's file, as CODE=FILE with any of its codes or names.
    #[arg(required = true, value_name = "CODE=FILE", value_parser = named_file)]
    pub(crate) files: Vec<(String, PathBuf)>,
    /// The return's version folder, `return-specs/<return>/<version>`.
    #[arg(long, value_name = "DIR")]
    pub(crate) spec: PathBuf,
    /// Which period they are for, such as 2026-27-Q1.
    #[arg(long, value_name = "P")]
    pub(crate) period: String,
    /// The day they count as received on; today where none is given.
    #[arg(long, value_name = "DATE")]
    pub(crate) received: Option<NaiveDate>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// `name=path`.
fn named_file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.to_owned(), path.into()))
        }
        _ => Err("write it as NAME=FILE".to_owned()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
    Csv,
}

/// How a file's findings are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    Text,
    Json,
    Csv,
    /// A workbook of findings.
    Xlsx,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SpecCommand {
    /// Says what is wrong in version folders and runs their examples.
    Check {
        /// Write the examples' reports instead of comparing them. Read the difference before you keep it.
        #[arg(long)]
        update: bool,
        #[arg(required = true, value_name = "DIR")]
        dirs: Vec<PathBuf>,
    },
    /// Makes the workbook that a return is filled in on.
    Template(TemplateArguments),
    /// Says what changed between two version folders.
    ///
    /// Exit status: 0 nothing, 1 something, 2 usage or our own failure.
    Diff {
        #[arg(value_name = "OLD")]
        before: PathBuf,
        #[arg(value_name = "NEW")]
        after: PathBuf,
        #[arg(long, value_enum, default_value_t = DiffFormat::Text)]
        format: DiffFormat,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TemplateArguments {
    /// The return's version folder, `return-specs/<return>/<version>`.
    #[arg(value_name = "DIR")]
    pub(crate) spec: PathBuf,
    /// Whose return it will be, by code or name.
    #[arg(long, value_name = "CODE")]
    pub(crate) organisation: Option<String>,
    /// Which period it will be for, such as 2026-27-Q1.
    #[arg(long, value_name = "P")]
    pub(crate) period: Option<String>,
    /// The last file that was accepted: what a form begins with is taken from it.
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// The period that FILE was sent for; if it is the form's own, everything is there again. Otherwise it is an earlier one.
    #[arg(long, value_name = "P", requires = "from")]
    pub(crate) from_period: Option<String>,
    /// Where to write it.
    #[arg(short, long, value_name = "OUT.xlsx")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    Text,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct DemoOptions {
    /// Stop when everything has been assessed, instead of serving until Ctrl-C.
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Brings the database's tables up to date.
    Migrate,
    /// Brings the tables up to date and publishes what `LGDP_SPECS` has: organisations, return specs, central figures.
    ///
    /// To be run before a new version of the program or of the specs is; harmless when repeated.
    Publish,
    /// Opens a round of a return: from then on files are received for it.
    Open {
        /// The return's id.
        return_id: String,
        /// Its period, such as 2026-27-Q1.
        period: String,
        #[arg(long, value_name = "DATE")]
        opens: NaiveDate,
        #[arg(long, value_name = "DATE")]
        due: NaiveDate,
    },
    /// Shows what does not fit between the standing submissions of a round.
    Collection {
        /// The return's id.
        return_id: String,
        /// Its period, such as 2026-27-Q1.
        period: String,
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Gives somebody a role, and invites them where nobody has their address: also the first who runs the service.
    Invite {
        /// Their work address.
        email: String,
        /// Their name.
        name: String,
        /// `uploader`, `approver`, `auditor`, `dataset_team`, `scheduler`, `register_editor` or `admin`.
        role: String,
        /// GSS code of the organisation that the role is held for.
        #[arg(long, value_name = "CODE", conflicts_with = "return_id")]
        organisation: Option<String>,
        /// The return that the role is held for.
        #[arg(long = "return", value_name = "ID")]
        return_id: Option<String>,
        /// Code of the team or office that they belong to, where the role does not say it.
        #[arg(long, value_name = "CODE", conflicts_with = "organisation")]
        belongs_to: Option<String>,
    },
    /// Takes a role from somebody, at once.
    EndRole {
        /// Their work address.
        email: String,
        role: String,
        /// GSS code of the organisation that the role is held for.
        #[arg(long, value_name = "CODE", conflicts_with = "return_id")]
        organisation: Option<String>,
        /// The return that the role is held for.
        #[arg(long = "return", value_name = "ID")]
        return_id: Option<String>,
    },
    /// Ends somebody's access, with all their sessions and the programs that they let in; prints those.
    Disable {
        /// Their work address.
        email: String,
    },
    /// Gives somebody access again.
    Enable {
        /// Their work address.
        email: String,
    },
    /// Makes a token for a program, and prints it this once.
    Client {
        /// What its owners call it.
        name: String,
        /// `sending_client`, for an organisation, or `reading_client`, for a return.
        role: String,
        /// GSS code of the organisation whose returns it sends.
        #[arg(long, value_name = "CODE", conflicts_with = "return_id")]
        organisation: Option<String>,
        /// The return whose figures it takes.
        #[arg(long = "return", value_name = "ID")]
        return_id: Option<String>,
        /// How long the token is good.
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u8).range(1..=90))]
        days: u8,
        /// Work address of whoever makes it: they may make it only where their roles let them, and get an email two weeks
        /// before it ends. The command line's otherwise, and then nobody is told.
        #[arg(long, value_name = "ADDRESS")]
        by: Option<String>,
    },
    /// Lists the programs that were ever let in, the newest first.
    Clients,
    /// Ends a program's token, at once.
    RevokeClient {
        /// As `lgdp admin clients` lists it.
        client: Uuid,
    },
    /// Lets those who sign off for an organisation sign off what they sent themselves, for lack of people.
    ///
    /// What was given last counts: a day that is past ends it. Every sign-off under it says so.
    OwnSignOff {
        /// GSS code of the organisation.
        organisation: String,
        /// The last day of it.
        #[arg(long, value_name = "DATE")]
        until: NaiveDate,
        /// Why it is given; it is shown with each sign-off under it.
        #[arg(long)]
        reason: String,
        /// Work address of the admin who gives it: their name is shown with it. The command line's otherwise.
        #[arg(long, value_name = "ADDRESS")]
        by: Option<String>,
    },
    /// Has everything that is accepted published again to the lake that `LGDP_LAKE` says, by jobs, whatever is there: for
    /// a new one, after a version has renamed something, and where files were lost.
    Lake,
    /// Adds up what records come to for the first look, wherever that is not kept: after an update, so that nobody waits.
    AddUp {
        /// Only of this return.
        return_id: Option<String>,
    },
    /// Checks a submission again whose checks were given up.
    Retry {
        /// Its reference, as on the receipt.
        submission: Uuid,
    },
    /// Lists what is done again and again, with when it is due next.
    Schedules,
    /// Adds something to do again and again, and prints its name.
    AddSchedule(NewSchedule),
    /// Changes, pauses, resumes or ends what is done again and again. What has come by then is done first.
    ChangeSchedule(ScheduleChange),
    /// Prints every setting with its default and purpose, as Markdown.
    Settings,
}

#[derive(Debug, Args)]
pub(crate) struct NewSchedule {
    /// `draft-release`, `remind`, `propose-rounds` or `turn-rounds`.
    pub(crate) does: String,
    /// Minute, hour, day of the month, month and day of the week, as cron has them: "30 7 * * mon-fri".
    pub(crate) when: String,
    /// Whose clock.
    #[arg(long, default_value = "Europe/London")]
    pub(crate) zone: String,
    /// The return whose release is drafted.
    #[arg(long = "return", value_name = "ID")]
    pub(crate) return_id: Option<String>,
    /// What it is for, in a sentence.
    #[arg(long)]
    pub(crate) purpose: String,
    /// Why it is added.
    #[arg(long)]
    pub(crate) reason: String,
    /// Work address of the planner who adds it. The command line's otherwise.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) by: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ScheduleChange {
    /// As `lgdp admin schedules` lists it.
    pub(crate) schedule: String,
    #[command(flatten)]
    pub(crate) does: ScheduleDoes,
    /// Whose clock, with `--when`; its own otherwise.
    #[arg(long, requires = "when")]
    pub(crate) zone: Option<String>,
    /// Why.
    #[arg(long)]
    pub(crate) reason: String,
    /// Work address of the planner who does it. The command line's otherwise.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) by: Option<String>,
}

/// One of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ScheduleDoes {
    /// From now on it is due then.
    #[arg(long, value_name = "RULE")]
    pub(crate) when: Option<String>,
    /// Nothing is done until it is resumed.
    #[arg(long)]
    pub(crate) pause: bool,
    #[arg(long)]
    pub(crate) resume: bool,
    /// For good.
    #[arg(long)]
    pub(crate) end: bool,
}
