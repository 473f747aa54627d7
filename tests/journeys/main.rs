//! Journeys: the real binary against a real Postgres and a real SMTP server, HTTP or a browser in, mail and dataset out.
//!
//! Few, and named as user stories. They wait on facts with a deadline and never sleep for luck.
//! The binary is the one that `cargo test --workspace` builds beside them; with `-p journeys` alone build it first
//! (`cargo build --release -p lgdp`).

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that can't be set up has to stop, and say why"
)]

mod account_elsewhere;
mod administration;
mod api_document;
mod browser;
mod canaries;
mod council;
mod council_officer;
mod days;
mod first_look;
mod handing_over;
mod lake;
mod lgdp;
mod mailbox;
mod many_processes;
mod person;
mod planner;
mod provider;
mod release_changes;
mod releases_killed;
mod releasing;
#[cfg(target_os = "linux")]
mod scale;
mod sending_machine;
mod upload;
mod upload_to_dataset;
mod wait;
mod webhooks;
