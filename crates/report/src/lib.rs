//! Findings as text, JSON and CSV; workbooks as files.

pub mod workbook;
