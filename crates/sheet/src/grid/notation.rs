//! The notation of drawings: sheets, rows and cells.

use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime};
use finding::parse_column_letters;

use super::{Grid, GridCell, GridError, GridSheet};

/// Why a cell or a row is not in the notation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotationError {
    #[error("a row starts and ends with a bar: {0}")]
    NotARow(String),
    #[error("{0} starts with a zero: write '{0} for the text, or the number without the zero")]
    LeadingZero(String),
    #[error(
        "{0} is a formula without a result: write {0} -> 5, or {0} -> if it was never calculated"
    )]
    FormulaWithoutArrow(String),
    #[error("{0} can't be the result of a formula")]
    NestedFormula(String),
}

/// Where the next row goes.
struct Pen {
    row_idx: u32,
    column_idx: u32,
}

pub(super) fn parse_grid(text: &str) -> Result<Grid, GridError> {
    let mut grid = Grid::default();
    let mut pen = Pen {
        row_idx: 0,
        column_idx: 0,
    };
    for (line_idx, line) in text.lines().enumerate() {
        let line = trim(line);
        let error = |message: String| GridError {
            line: line_idx + 1,
            message,
        };
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(header) = line.strip_prefix('[') {
            let sheet = parse_sheet_header(header).map_err(error)?;
            if grid.sheet(&sheet.name).is_some() {
                return Err(error(format!("sheet {} is drawn twice", sheet.name)));
            }
            grid.sheets.push(sheet);
            pen = Pen {
                row_idx: 0,
                column_idx: 0,
            };
            continue;
        }
        let Some(sheet) = grid.sheets.last_mut() else {
            return Err(error("a drawing starts with its sheet: [name]".to_owned()));
        };
        if let Some(address) = line.strip_prefix("at ") {
            let (row_idx, column_idx) = parse_address(trim(address))
                .ok_or_else(|| error(format!("{} is not a cell", trim(address))))?;
            pen = Pen {
                row_idx,
                column_idx,
            };
        } else if line.starts_with('|') {
            draw_row(sheet, &mut pen, line).map_err(error)?;
        } else {
            return Err(error(format!(
                "neither a sheet, a row nor a place in the drawing: {line}"
            )));
        }
    }
    Ok(grid)
}

fn parse_sheet_header(header: &str) -> Result<GridSheet, String> {
    let name = header
        .strip_suffix(']')
        .ok_or_else(|| format!("a sheet's name ends with ]: [{header}"))?;
    let (name, visible) = match name.strip_suffix(" hidden") {
        Some(name) => (name, false),
        None => (name, true),
    };
    if trim(name).is_empty() {
        return Err("a sheet needs a name".to_owned());
    }
    let mut sheet = GridSheet::new(name);
    sheet.visible = visible;
    Ok(sheet)
}

fn draw_row(sheet: &mut GridSheet, pen: &mut Pen, line: &str) -> Result<(), String> {
    let cells = parse_row(line).map_err(|error| error.to_string())?;
    for (column_idx, cell) in (pen.column_idx..).zip(cells) {
        if cell == GridCell::Blank {
            continue;
        }
        if *sheet.cell(pen.row_idx, column_idx) != GridCell::Blank {
            return Err("something is already drawn in this row".to_owned());
        }
        sheet.set_cell(pen.row_idx, column_idx, cell);
    }
    pen.row_idx = pen.row_idx.saturating_add(1);
    Ok(())
}

/// The cells of `| a | b |`; none for a bare `|`.
pub(super) fn parse_row(line: &str) -> Result<Vec<GridCell>, NotationError> {
    let not_a_row = || NotationError::NotARow(line.to_owned());
    let mut pieces = split_at_bars(trim(line)).into_iter();
    if pieces.next().is_none_or(|before| !before.is_empty()) {
        return Err(not_a_row());
    }
    let mut pieces: Vec<&str> = pieces.collect();
    match pieces.pop() {
        Some("") => pieces.into_iter().map(str::parse).collect(),
        _ => Err(not_a_row()),
    }
}

/// Splits at the bars that no backslash stands before.
fn split_at_bars(line: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut escaped = false;
    for (idx, b) in line.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'|' => {
                pieces.push(&line[start..idx]);
                start = idx + 1;
            }
            _ => {}
        }
    }
    pieces.push(&line[start..]);
    pieces
}

impl FromStr for GridCell {
    type Err = NotationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = trim(text);
        if let Some(text) = text.strip_prefix('\'') {
            return Ok(GridCell::Text(unescape(text)));
        }
        if text.starts_with('=') {
            return parse_formula(text);
        }
        if is_number(text) {
            return match text.strip_prefix('-').unwrap_or(text).as_bytes() {
                [b'0', b'0'..=b'9', ..] => Err(NotationError::LeadingZero(text.to_owned())),
                _ => Ok(GridCell::Number(text.to_owned())),
            };
        }
        Ok(match text {
            "" => GridCell::Blank,
            "TRUE" => GridCell::Boolean(true),
            "FALSE" => GridCell::Boolean(false),
            _ if is_error_name(text) => GridCell::Error(text.to_owned()),
            _ => parse_moment(text).unwrap_or_else(|| GridCell::Text(unescape(text))),
        })
    }
}

fn parse_formula(text: &str) -> Result<GridCell, NotationError> {
    let (formula, result) = text
        .rsplit_once("->")
        .ok_or_else(|| NotationError::FormulaWithoutArrow(text.to_owned()))?;
    let result = match result.parse()? {
        GridCell::Blank => None,
        GridCell::Formula { .. } => {
            return Err(NotationError::NestedFormula(trim(result).to_owned()));
        }
        result => Some(Box::new(result)),
    };
    Ok(GridCell::Formula {
        formula: unescape(trim(&formula[1..])),
        result,
    })
}

/// A date `2026-04-15`, or a date with a time `2026-04-15T10:30:00`.
fn parse_moment(text: &str) -> Option<GridCell> {
    match text.len() {
        10 => NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .map(GridCell::Date),
        19 => NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S")
            .ok()
            .map(GridCell::DateTime),
        _ => None,
    }
}

/// `12`, `12.5`, `-3`; not `+3`, `.5`, `1e5` or `1,234`, which are texts.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    match digits.split_once('.') {
        Some((whole, fraction)) => all_digits(whole) && all_digits(fraction),
        None => all_digits(digits),
    }
}

/// `#REF!`, `#NAME?`, `#N/A`, `#SPILL!`: upper case, and ending as error values do.
fn is_error_name(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|name| {
        (name.ends_with(['!', '?']) || matches!(name, "N/A" | "GETTING_DATA"))
            && name.len() > 1
            && name[..name.len() - 1]
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'/' | b'_'))
    })
}

/// `D9` → row 8, column 3.
pub(super) fn parse_address(address: &str) -> Option<(u32, u32)> {
    let (letters, row) = address.split_at(address.find(|c: char| c.is_ascii_digit())?);
    let row: u32 = row.parse().ok()?;
    Some((row.checked_sub(1)?, parse_column_letters(letters)?))
}

/// `\|` is a bar, `\n` a line break, `\s` a space that is not trimmed, `\\` a backslash; any other backslash is one.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => plain.push('\n'),
            Some('s') => plain.push(' '),
            Some(c @ ('|' | '\\')) => plain.push(c),
            Some(c) => plain.extend(['\\', c]),
            None => plain.push('\\'),
        }
    }
    plain
}

/// Only what separates: a non-breaking space is part of a text.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> GridCell {
        GridCell::Text(text.to_owned())
    }

    fn number(literal: &str) -> GridCell {
        GridCell::Number(literal.to_owned())
    }

    #[test]
    fn cells_are_what_they_look_like() {
        let date = NaiveDate::from_ymd_opt(2026, 4, 15).unwrap();
        let formula = |formula: &str, result: Option<GridCell>| GridCell::Formula {
            formula: formula.to_owned(),
            result: result.map(Box::new),
        };
        for (drawn, cell) in [
            ("", GridCell::Blank),
            ("  ", GridCell::Blank),
            ("12", number("12")),
            ("0.10", number("0.10")),
            ("-3", number("-3")),
            ("0", number("0")),
            ("'012", text("012")),
            ("'12", text("12")),
            ("' 12\\s", text(" 12 ")),
            ("1,234", text("1,234")),
            (".5", text(".5")),
            ("1e5", text("1e5")),
            ("-", text("-")),
            ("£5", text("£5")),
            ("2026-04-15", GridCell::Date(date)),
            ("2026-02-30", text("2026-02-30")),
            ("2026-4-15", text("2026-4-15")),
            (
                "2026-04-15T10:30:00",
                GridCell::DateTime(date.and_hms_opt(10, 30, 0).unwrap()),
            ),
            ("TRUE", GridCell::Boolean(true)),
            ("FALSE", GridCell::Boolean(false)),
            ("True", text("True")),
            ("#REF!", GridCell::Error("#REF!".to_owned())),
            ("#N/A", GridCell::Error("#N/A".to_owned())),
            ("#NAME?", GridCell::Error("#NAME?".to_owned())),
            ("#DIV/0!", GridCell::Error("#DIV/0!".to_owned())),
            ("#1 priority!", text("#1 priority!")),
            ("#", text("#")),
            ("=SUM(D9:L9) -> 5", formula("SUM(D9:L9)", Some(number("5")))),
            ("=A1+A2 ->", formula("A1+A2", None)),
            (
                "=IF(A1->3,1,2) -> #N/A",
                formula("IF(A1->3,1,2)", Some(GridCell::Error("#N/A".to_owned()))),
            ),
            ("a \\| b\\nc\\\\d\\e", text("a | b\nc\\d\\e")),
            ("\u{a0}x\u{a0}", text("\u{a0}x\u{a0}")),
        ] {
            assert_eq!(drawn.parse(), Ok(cell), "{drawn:?}");
        }
    }

    #[test]
    fn what_could_be_read_two_ways_is_refused() {
        for (drawn, message) in [
            (
                "012",
                "012 starts with a zero: write '012 for the text, or the number without the zero",
            ),
            (
                "-00.5",
                "-00.5 starts with a zero: write '-00.5 for the text, or the number without the zero",
            ),
            (
                "=A1",
                "=A1 is a formula without a result: write =A1 -> 5, or =A1 -> if it was never calculated",
            ),
        ] {
            let error = drawn.parse::<GridCell>().unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn a_drawing_has_rows_places_and_comments() {
        let grid = Grid::parse(
            "# a comment\n[My sheet]\n| a | b |\n|\n\n| c \\| d |\nat D9\n| 1 |\n| | 2 |\n[Old hidden]\n| x |\n",
        )
        .unwrap();
        let mut first = GridSheet::new("My sheet");
        first.set_cell(0, 0, text("a"));
        first.set_cell(0, 1, text("b"));
        first.set_cell(2, 0, text("c | d"));
        first.set_cell(8, 3, number("1"));
        first.set_cell(9, 4, number("2"));
        let mut second = GridSheet::new("Old");
        second.visible = false;
        second.set_cell(0, 0, text("x"));
        assert_eq!(
            grid,
            Grid {
                sheets: vec![first, second]
            }
        );
    }

    #[test]
    fn a_mistake_in_a_drawing_names_its_line() {
        for (drawn, message) in [
            ("| a |", "line 1: a drawing starts with its sheet: [name]"),
            (
                "[A]\n\n| a",
                "line 3: a row starts and ends with a bar: | a",
            ),
            (
                "[A]\n| a \\|",
                "line 2: a row starts and ends with a bar: | a \\|",
            ),
            ("[A", "line 1: a sheet's name ends with ]: [A"),
            ("[ ]", "line 1: a sheet needs a name"),
            ("[A]\n[A hidden]", "line 2: sheet A is drawn twice"),
            ("[A]\nat 9D", "line 2: 9D is not a cell"),
            ("[A]\nat D0", "line 2: D0 is not a cell"),
            (
                "[A]\n| 1 |\nat A1\n| 2 |",
                "line 4: something is already drawn in this row",
            ),
            (
                "[A]\nset A!A1: 3",
                "line 2: neither a sheet, a row nor a place in the drawing: set A!A1: 3",
            ),
        ] {
            assert_eq!(Grid::parse(drawn).unwrap_err().to_string(), message);
        }
    }
}
