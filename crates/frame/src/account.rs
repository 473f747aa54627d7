//! Row accounting: every row of every sheet is loaded, rejected or ignored for a stated reason.

use serde::{Deserialize, Serialize};

/// What became of a table's rows before any rule looked at them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Rows of the sheet down to the last one with something in it.
    pub n_rows: u64,
    /// Rows that are not records, by reason; adds up with the records to `n_rows`.
    pub ignored: Vec<IgnoredRows>,
    /// 0-based sheet rows that should be records and can't be.
    pub rejected_row_idxs: Vec<u32>,
}

impl Account {
    pub(crate) fn ignore(&mut self, reason: &str) {
        self.ignore_many(reason, 1);
    }

    pub(crate) fn ignore_many(&mut self, reason: &str, n_rows: u64) {
        if n_rows == 0 {
            return;
        }
        match self.ignored.iter_mut().find(|rows| rows.reason == reason) {
            Some(rows) => rows.n_rows += n_rows,
            None => self.ignored.push(IgnoredRows {
                reason: reason.to_owned(),
                n_rows,
            }),
        }
    }

    pub fn n_ignored(&self) -> u64 {
        self.ignored.iter().map(|rows| rows.n_rows).sum()
    }
}

/// Rows that were left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IgnoredRows {
    pub reason: String,
    pub n_rows: u64,
}

/// A sheet that no table stands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IgnoredSheet {
    pub sheet: String,
    pub n_rows: u64,
    pub reason: String,
}
