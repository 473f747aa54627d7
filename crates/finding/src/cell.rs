//! A cell's place, shown as spreadsheet programs show it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Name;

/// A cell of a sheet, shown as `Sheet!B12`, or `'My sheet'!B12` where the name needs quotes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct CellRef {
    pub sheet: Name,
    /// 0-based.
    pub row_idx: u32,
    /// 0-based.
    pub column_idx: u32,
}

impl CellRef {
    pub fn new(sheet: impl Into<Name>, row_idx: u32, column_idx: u32) -> Self {
        Self {
            sheet: sheet.into(),
            row_idx,
            column_idx,
        }
    }

    /// The place within the sheet: `B12`.
    pub fn address(&self) -> String {
        format!("{}{}", column_letters(self.column_idx), self.row_idx + 1)
    }
}

impl fmt::Display for CellRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self
            .sheet
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == '.')
            && self.sheet.chars().next().is_some_and(|c| !c.is_numeric());
        if plain {
            write!(f, "{}!{}", self.sheet, self.address())
        } else {
            write!(f, "'{}'!{}", self.sheet.replace('\'', "''"), self.address())
        }
    }
}

/// Why a text is not a cell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a cell: write it as Sheet!B12")]
pub struct ParseCellRefError(String);

impl FromStr for CellRef {
    type Err = ParseCellRefError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseCellRefError(text.to_owned());
        let (sheet, address) = text.rsplit_once('!').ok_or_else(error)?;
        let sheet = match sheet.strip_prefix('\'').and_then(|s| s.strip_suffix('\'')) {
            Some(quoted) => quoted.replace("''", "'"),
            None => sheet.to_owned(),
        };
        let digits = address
            .find(|c: char| c.is_ascii_digit())
            .ok_or_else(error)?;
        let (letters, row) = address.split_at(digits);
        let column_idx = parse_column_letters(letters).ok_or_else(error)?;
        let row: u32 = row.parse().map_err(|_| error())?;
        let row_idx = row.checked_sub(1).ok_or_else(error)?;
        Ok(Self {
            sheet: sheet.into(),
            row_idx,
            column_idx,
        })
    }
}

impl From<CellRef> for String {
    fn from(cell: CellRef) -> Self {
        cell.to_string()
    }
}

impl TryFrom<String> for CellRef {
    type Error = ParseCellRefError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// `0` → `A`, `25` → `Z`, `26` → `AA`.
pub fn column_letters(column_idx: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = u64::from(column_idx) + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(b'A' + (rest % 26) as u8);
        rest /= 26;
    }
    letters.iter().rev().map(|&b| char::from(b)).collect()
}

/// `A` → `0`; `None` for anything but one to seven letters.
pub fn parse_column_letters(letters: &str) -> Option<u32> {
    if letters.is_empty() || letters.len() > 6 {
        return None;
    }
    letters
        .bytes()
        .try_fold(0_u32, |sum, b| {
            b.is_ascii_alphabetic()
                .then(|| sum * 26 + u32::from(b.to_ascii_uppercase() - b'A') + 1)
        })
        .map(|sum| sum - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_reads_back_as_it_is_shown() {
        for shown in [
            "HL1!B12",
            "'My sheet'!AA1",
            "'It''s'!XFD1048576",
            "'2026'!A1",
        ] {
            let cell: CellRef = shown.parse().expect("a cell");
            assert_eq!(cell.to_string(), shown);
        }
    }

    #[test]
    fn what_is_not_a_cell_is_refused() {
        for text in [
            "",
            "B12",
            "HL1!",
            "HL1!12",
            "HL1!B",
            "HL1!B0",
            "HL1!BBBBBBBB1",
        ] {
            assert!(text.parse::<CellRef>().is_err(), "{text}");
        }
    }

    #[test]
    fn columns_count_in_letters() {
        for (idx, letters) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (16383, "XFD")] {
            assert_eq!(column_letters(idx), letters);
            assert_eq!(parse_column_letters(letters), Some(idx));
        }
    }
}
