//! Examples: a drawn workbook and what assessing it says.

use std::path::PathBuf;

use chrono::NaiveDate;

/// One `examples/<name>.example`, with `from` resolved.
#[derive(Debug, Clone)]
pub struct Example {
    pub name: String,
    pub title: String,
    /// GSS code.
    pub organisation: String,
    pub period: String,
    pub received_on: NaiveDate,
    /// Names of other examples of the folder.
    pub previous: Option<String>,
    pub year_ago: Option<String>,
    pub workbook: ExampleWorkbook,
    /// Where the expected report lies, whether or not it does.
    pub report: PathBuf,
}

#[derive(Debug, Clone)]
pub enum ExampleWorkbook {
    Drawn(sheet::grid::Grid),
    File(PathBuf),
}
