//! The commands of a sender's own machine.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;

#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Sends files to a platform, as a program of an organisation.
    ///
    /// A file that was sent before for the same return and period is not received twice.
    /// Once another file was sent after it, --key sends it again.
    /// Exit status: 0 received (with --wait: nothing to fix), 1 something has to be fixed, or was refused, sent back,
    /// withdrawn or replaced by a newer version, 2 usage or our own failure,
    /// 3 out of reach or not checked in time: the same may work later.
    Submit(SubmitArguments),
    /// Says where submissions stand; without any, what is owed.
    ///
    /// Exit status: 0 nothing to fix, 1 something has to be fixed, or a version was sent back, withdrawn or replaced
    /// by a newer one, 2 usage or our own failure, 3 out of reach or not checked yet.
    Status(StatusArguments),
    /// Takes what was found in a file that was sent.
    ///
    /// Exit status: as of `lgdp status`.
    Findings(FindingsArguments),
    /// Takes the figures of a return and period.
    ///
    /// With --out a download that breaks off goes on where it was, in this run or in the next: what has come lies in
    /// `FILE.part`. Without it nothing is printed before all of it is there.
    /// Exit status: 0 all of it is there, 2 usage or our own failure,
    /// 3 out of reach or cut short, or another run takes it into the same file: run it again.
    Dataset(DatasetArguments),
    /// Takes the files of a published release, and holds each to the hash that the release says it has.
    ///
    /// What is there already is not taken again. Exit status as of `dataset`.
    Release(ReleaseArguments),
    /// Sends what is put into a folder, and writes what comes of it beside it.
    ///
    /// Beside `cases.xlsx` come `cases.xlsx-result.txt`, `cases.xlsx-findings.xlsx` and `cases.xlsx-marked.xlsx`;
    /// a name that would be too long with that is cut.
    /// What was sent is noted in `.lgdp` in the folder, so that nothing is sent twice. A file that is saved anew is sent
    /// if it has changed, was refused before, or is for another round by now; one that is only called otherwise is not.
    /// Left alone are folders, hidden files, what is not whole yet (.part, .tmp, .crdownload, .filepart, .lock),
    /// Thumbs.db, desktop.ini, and what was written beside a file that is or was here.
    /// Exit status with --once: 0 nothing to fix, 1 something has to be fixed, or was refused and is as it was then,
    /// 2 usage or our own failure (the folder has to be there), 3 something is still waited for: run it again.
    Watch(WatchArguments),
}

/// Where the platform is, and how answers are told.
#[derive(Debug, Default, Args)]
pub(crate) struct Printed {
    /// Address of the platform, such as `https://returns.example`; or `LGDP_ADDRESS`, or `address` in the config file.
    #[arg(long, value_name = "URL")]
    pub(crate) address: Option<String>,
    /// File with the token; or `LGDP_TOKEN_FILE`, `LGDP_TOKEN`, or `token` or `token_file` in the config file.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Config file, in TOML; ~/.config/lgdp/client.toml where it is there.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How many seconds a platform out of reach is tried for.
    #[arg(long, value_name = "N", default_value_t = 120)]
    pub(crate) patience: u64,
    /// A line of JSON for each answer.
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress on standard error.
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// What a file is for; what is not said is found out where only one thing is open.
#[derive(Debug, Args)]
pub(crate) struct ForWhat {
    /// The return's id.
    #[arg(long = "return", value_name = "ID")]
    pub(crate) return_id: Option<String>,
    /// The period, such as 2026-27-Q1.
    #[arg(long, value_name = "P")]
    pub(crate) period: Option<String>,
    /// Whose return it is, as a GSS code.
    #[arg(long, value_name = "CODE")]
    pub(crate) organisation: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SubmitArguments {
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) of: ForWhat,
    /// Wait until it is checked.
    #[arg(long)]
    pub(crate) wait: bool,
    /// How many seconds to wait for.
    #[arg(long, value_name = "N", default_value_t = 600)]
    pub(crate) wait_seconds: u64,
    /// A key of your making, for sending a file once more that was sent before.
    #[arg(long)]
    pub(crate) key: Option<String>,
    #[command(flatten)]
    pub(crate) printed: Printed,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// As the receipt has it.
    #[arg(value_name = "SUBMISSION")]
    pub(crate) submissions: Vec<Uuid>,
    /// Wait until they are checked.
    #[arg(long)]
    pub(crate) wait: bool,
    /// How many seconds to wait for.
    #[arg(long, value_name = "N", default_value_t = 600)]
    pub(crate) wait_seconds: u64,
    #[command(flatten)]
    pub(crate) printed: Printed,
}

#[derive(Debug, Args)]
pub(crate) struct FindingsArguments {
    /// As the receipt has it.
    pub(crate) submission: Uuid,
    #[arg(long, value_enum, default_value_t = FindingsFormat::Text)]
    pub(crate) format: FindingsFormat,
    /// Where to write it, instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) printed: Printed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FindingsFormat {
    Text,
    Json,
    Csv,
    /// A workbook of findings.
    Xlsx,
    /// The sender's own workbook with its cells marked.
    Marked,
}

#[derive(Debug, Args)]
pub(crate) struct DatasetArguments {
    /// The return's id.
    #[arg(value_name = "RETURN")]
    pub(crate) return_id: String,
    /// The period, such as 2026-27-Q1; of several the last.
    pub(crate) period: String,
    /// The first of several periods.
    #[arg(long, value_name = "PERIOD")]
    pub(crate) from: Option<String>,
    /// A table of the return; its first where none is named.
    #[arg(long)]
    pub(crate) table: Option<String>,
    /// Of this organisation alone, by GSS code; may be said several times.
    #[arg(long, value_name = "CODE")]
    pub(crate) organisation: Vec<String>,
    /// Only this item; may be said several times.
    #[arg(long, value_name = "ITEM")]
    pub(crate) column: Vec<String>,
    /// How much is told of where figures come from.
    #[arg(long, value_enum)]
    pub(crate) lineage: Option<LineageTold>,
    /// Without what codes mean.
    #[arg(long)]
    pub(crate) no_labels: bool,
    /// Nothing that is provisional.
    #[arg(long)]
    pub(crate) accepted: bool,
    /// By what the name of FILE ends with, and else csv.
    #[arg(long, value_enum)]
    pub(crate) format: Option<DatasetFormat>,
    /// Where to write it, instead of standard output: there as a whole or not at all.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) printed: Printed,
}

/// In what a dataset comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DatasetFormat {
    Csv,
    Jsonl,
    Xlsx,
    Parquet,
}

impl DatasetFormat {
    pub(crate) fn ending(self) -> &'static str {
        match self {
            DatasetFormat::Csv => "csv",
            DatasetFormat::Jsonl => "jsonl",
            DatasetFormat::Xlsx => "xlsx",
            DatasetFormat::Parquet => "parquet",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LineageTold {
    /// The file, sheet, row and cell of each figure.
    Cell,
    /// The file, sheet and row.
    Row,
    /// Whose it is, for which period and from which version.
    None,
}

impl LineageTold {
    pub(crate) fn word(self) -> &'static str {
        match self {
            LineageTold::Cell => "cell",
            LineageTold::Row => "row",
            LineageTold::None => "none",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ReleaseArguments {
    /// The return's id.
    #[arg(value_name = "RETURN")]
    pub(crate) return_id: String,
    /// The period, such as 2026-27-Q1; of several the last.
    pub(crate) period: String,
    /// The first of several periods.
    #[arg(long, value_name = "PERIOD")]
    pub(crate) from: Option<String>,
    /// Its number; the newest that is published where none is named.
    #[arg(long, value_name = "N")]
    pub(crate) number: Option<u32>,
    /// Only this file; may be said several times.
    #[arg(long, value_name = "NAME")]
    pub(crate) file: Vec<String>,
    /// Folder that the files go into.
    #[arg(long, short, value_name = "FOLDER")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) printed: Printed,
}

#[derive(Debug, Args)]
pub(crate) struct WatchArguments {
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) of: ForWhat,
    /// Look once and stop, as a scheduled task does.
    #[arg(long)]
    pub(crate) once: bool,
    /// How many seconds one look waits for what it sent.
    #[arg(long, value_name = "N", default_value_t = 600)]
    pub(crate) wait_seconds: u64,
    /// Seconds between looks.
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub(crate) every: u64,
    #[command(flatten)]
    pub(crate) printed: Printed,
}
