//! Logs to standard error, as text for people or JSON for machines.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::cli::Command;
use crate::settings::{LogFormat, Settings};

/// What a command logs where nothing was said. The web server's comings and goings are not news, nor is each step of the
/// library that writes the lake, which calls it an error that a table is not there yet: what fails there is told by our own.
const USUAL: &str = "info,actix_server=warn,delta_kernel=off";
/// The demo and a re-assessment talk to a person, on the same terminal.
const OF_THE_DEMO: &str = "warn,delta_kernel=off";

pub(crate) fn start(settings: &Settings, command: &Command) {
    let usual = match command {
        Command::Demo(_) | Command::Reassess(_) => OF_THE_DEMO,
        _ => USUAL,
    };
    // What can't be understood is left out of the filter rather than stopping the program.
    let filter = EnvFilter::builder().parse_lossy(settings.log.as_deref().unwrap_or(usual));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    match settings.log_format {
        LogFormat::Text => builder.with_target(false).init(),
        LogFormat::Json => builder.json().init(),
    }
}
