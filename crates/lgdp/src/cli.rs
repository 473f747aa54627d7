//! The command line, as it is written.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum};

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
    /// Checks one file as the site would; needs no database.
    ///
    /// Exit status: 0 nothing worse than queries, 1 something has to be fixed, 2 usage or our own failure.
    Check(CheckArguments),
    /// Works on return specs.
    #[command(subcommand)]
    Spec(SpecCommand),
    /// Assesses one file in this process, confined.
    #[command(hide = true)]
    AssessChild,
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
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
    Csv,
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
}
