//! Code lists: which codes an item may have, and when.

use chrono::NaiveDate;

/// A list of codes, each with its label and the days it is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeList {
    /// As the schema names it: `assess`, `shared/councils-sg@1`.
    pub name: String,
    /// A code may occur more than once, with periods that do not overlap.
    pub codes: Vec<Code>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    pub code: String,
    pub label: String,
    /// Inclusive; `None`: always was.
    pub valid_from: Option<NaiveDate>,
    /// Inclusive; `None`: still is.
    pub valid_to: Option<NaiveDate>,
}

impl Code {
    pub fn in_force_on(&self, day: NaiveDate) -> bool {
        self.valid_from.is_none_or(|first| first <= day)
            && self.valid_to.is_none_or(|last| day <= last)
    }
}
