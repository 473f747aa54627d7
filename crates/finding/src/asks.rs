//! What a finding asks of its reader.

use crate::Severity;

/// Blockers and errors are one thing to whoever has to mend the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asks {
    ToFix,
    ToExplain,
    ForInformation,
}

impl Asks {
    pub const ALL: [Asks; 3] = [Asks::ToFix, Asks::ToExplain, Asks::ForInformation];

    pub fn of(severity: Severity) -> Self {
        match severity {
            Severity::Blocker | Severity::Error => Asks::ToFix,
            Severity::Query => Asks::ToExplain,
            Severity::Note => Asks::ForInformation,
        }
    }

    pub fn heading(self) -> &'static str {
        match self {
            Asks::ToFix => "To fix",
            Asks::ToExplain => "To explain",
            Asks::ForInformation => "For information",
        }
    }

    pub fn lower(self) -> &'static str {
        match self {
            Asks::ToFix => "to fix",
            Asks::ToExplain => "to explain",
            Asks::ForInformation => "for information",
        }
    }
}
