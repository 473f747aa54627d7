//! Which form a workbook is: what a template says of itself, and what is read again when it comes back.

use std::fmt;

use crate::ReturnSpec;

/// The custom document property that holds it.
pub const PROPERTY: &str = "lgdp form";

/// The sheet of a template that says how to fill it in.
pub const GUIDE_SHEET: &str = "How to fill this in";
/// The sheet of a template with the codes of its drop-downs.
pub const CODES_SHEET: &str = "Codes";

/// Whether a sheet is the template's own and not the return's; compared as sheets' names are.
pub fn is_own_sheet(name: &str) -> bool {
    [GUIDE_SHEET, CODES_SHEET]
        .iter()
        .any(|own| own.eq_ignore_ascii_case(name.trim()))
}

/// A return version, as a workbook made from it names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    pub return_id: String,
    pub version: String,
    /// Of the spec; told by whoever has to find out from which draft a form was made.
    pub hash: String,
    pub acronym: String,
}

impl Stamp {
    pub fn of(spec: &ReturnSpec) -> Self {
        Self {
            return_id: spec.id.clone(),
            version: spec.version.clone(),
            hash: spec.hash.clone(),
            acronym: spec.acronym.clone(),
        }
    }

    /// What the property says; `None` for anything that [`Stamp`] does not write.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, ' ');
        let mut next = || {
            parts
                .next()
                .map(str::to_owned)
                .filter(|part| !part.is_empty())
        };
        Some(Self {
            return_id: next()?,
            version: next()?,
            hash: next()?,
            acronym: next()?,
        })
    }

    /// Whether it was made from this version. A draft that has changed since is still the same version.
    pub fn is_of(&self, spec: &ReturnSpec) -> bool {
        self.return_id == spec.id && self.version == spec.version
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            return_id,
            version,
            hash,
            acronym,
        } = self;
        write!(f, "{return_id} {version} {hash} {acronym}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let stamp = Stamp {
            return_id: "jsw".to_owned(),
            version: "2026".to_owned(),
            hash: "ab".to_owned(),
            acronym: "JSW form".to_owned(),
        };
        assert_eq!(Stamp::parse(&stamp.to_string()), Some(stamp));
        for text in ["", "jsw", "jsw 2026 ab", "jsw  ab JSW", "jsw 2026 ab "] {
            assert_eq!(Stamp::parse(text), None, "{text:?}");
        }
    }
}
