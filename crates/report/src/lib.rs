//! Findings as text, JSON, CSV and a workbook, and as marks on the sender's own; drawn workbooks as files; a spec's template and what changed between two.
//!
//! Knows what is written for people and machines to read, and nothing of where it goes.

pub mod collection;
pub mod csv;
pub mod difference;
mod fitting;
mod height;
pub mod json;
pub mod listing;
pub mod marked;
pub mod spec_diff;
pub mod table;
pub mod template;
pub mod text;
pub mod workbook;
pub mod xlsx;
