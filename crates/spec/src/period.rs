//! Reference periods: which dates a label means.
//!
//! "Q1" is not one thing in Scotland, so a period always carries its dates.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeriodKind {
    /// January to March is Q1: `2026-Q1`.
    CalendarQuarter,
    /// April to June is Q1: `2026-27-Q1`.
    FinancialQuarter,
    /// 1 April to 31 March: `2026-27`.
    FinancialYear,
    /// 1 August to 31 July: `2026-27`.
    SocialWorkYear,
    /// One day: `2026-09-07`.
    SnapshotDate,
}

/// A reference period with its first and last day.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Period {
    pub kind: PeriodKind,
    /// As written: `2026-27-Q1`.
    pub label: String,
    pub start: NaiveDate,
    /// Inclusive.
    pub end: NaiveDate,
}
