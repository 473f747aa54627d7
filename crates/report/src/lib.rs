//! Findings as text, JSON and CSV; workbooks as files.
//!
//! Knows what is written for people and machines to read, and nothing of where it goes.

pub mod collection;
pub mod csv;
pub mod difference;
pub mod json;
pub mod text;
pub mod workbook;
