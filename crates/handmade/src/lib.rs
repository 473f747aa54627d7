//! Spreadsheet files made by hand, part by part and record by record.
//!
//! For tests alone: of what no spreadsheet program would write, and of what only some do.
//! It knows nothing of how a file is read; it panics where a test would.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't be set up has to stop, and say where"
)]
#![expect(
    clippy::missing_panics_doc,
    reason = "everything here panics where a test has to stop"
)]

mod ods;
mod parts;
pub mod xls;
pub mod xlsb;
mod xlsx;

pub use parts::Parts;
pub use xlsx::Sheet;
