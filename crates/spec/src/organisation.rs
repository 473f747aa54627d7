//! Who may return: organisations with every code system and alias they are known by.

use chrono::NaiveDate;

/// A council or another body that owes returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// The GSS code.
    pub code: String,
    pub name: String,
    /// `council`, …
    pub kind: String,
    /// The Scottish Government's three digits.
    pub sg_code: Option<String>,
    /// Public Health Scotland's two digits.
    pub phs_code: Option<String>,
    pub superseded_codes: Vec<String>,
    pub aliases: Vec<String>,
    pub valid_from: Option<NaiveDate>,
    pub valid_to: Option<NaiveDate>,
}

/// All organisations of `organisations.csv`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Organisations(pub Vec<Organisation>);
