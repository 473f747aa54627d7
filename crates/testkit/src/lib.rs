//! What tests share: databases, servers, drawn workbooks.
//!
//! Used in tests only, so it panics where a test would.

#![expect(
    clippy::expect_used,
    reason = "a test that can't be set up has to stop, and say why"
)]
#![expect(
    clippy::missing_panics_doc,
    reason = "everything here panics where a test has to stop"
)]

mod database;
mod python;
pub mod returns;
mod s3;
mod statements;

pub use database::{TestDb, postgres};
pub use python::python;
pub use s3::{S3Server, s3};
pub use statements::Place;
