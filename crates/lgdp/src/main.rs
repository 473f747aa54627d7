//! The one binary: settings and roles.
//!
//! Thin: it reads the command line and the environment, makes the connections and hands over.

mod admin;
mod assessor;
mod audit;
mod check;
mod check_collection;
mod cli;
mod client;
mod demo;
mod log;
mod parts;
mod reassess;
mod roles;
mod schedules;
mod settings;
mod spec_check;
mod spec_diff;
mod spec_template;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command, SpecCommand};
use settings::Settings;

/// Usage or our own failure.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // First of all, and with nothing else started: this process is about to confine itself.
    if let Command::AssessChild { spec } = &cli.command {
        return assess_child(spec.as_deref());
    }
    let settings = match Settings::from_environment() {
        Ok(settings) => settings,
        Err(error) => return failed(&error.into()),
    };
    log::start(&settings, &cli.command);
    // Whoever is first wins; both are ring.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(cli.command, &settings) {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

fn run(command: Command, settings: &Settings) -> anyhow::Result<ExitCode> {
    match command {
        Command::Check(arguments) => check::check(&arguments, settings),
        Command::CheckCollection(arguments) => check_collection::check(&arguments, settings),
        Command::Spec(SpecCommand::Check { update, dirs }) => {
            let mode = if update {
                spec_check::Mode::Update
            } else {
                spec_check::Mode::Compare
            };
            spec_check::check(&dirs, mode, settings)
        }
        Command::Reassess(arguments) => reassess::reassess(&arguments, settings),
        Command::Spec(SpecCommand::Template(arguments)) => {
            spec_template::write(&arguments, settings)
        }
        Command::Spec(SpecCommand::Diff {
            before,
            after,
            format,
        }) => spec_diff::diff(&before, &after, format),
        Command::Client(command) => client::run(&command),
        Command::Serve => roles::serve(settings),
        Command::Work => roles::work(settings),
        Command::Demo(options) => demo::demo(&options, settings),
        Command::Admin(command) => admin::run(&command, settings),
        Command::Audit(command) => audit::run(&command, settings),
        Command::AssessChild { spec } => Ok(assess_child(spec.as_deref())),
    }
}

#[expect(clippy::print_stderr, reason = "the last words of a command")]
fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("lgdp: {error:#}");
    ExitCode::from(FAILED)
}

fn assess_child(spec: Option<&Path>) -> ExitCode {
    match child::main(spec) {
        Ok(()) => ExitCode::SUCCESS,
        // The pipe to the parent is broken: there is nobody to tell.
        Err(_) => ExitCode::from(FAILED),
    }
}
