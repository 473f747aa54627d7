//! CSV files drawn from a fuzzer's bytes, and the values that were meant.

use arbitrary::{Error, Result, Unstructured};
use sheet::{Sheet, Value};

/// A file in which every reader has to find the same values.
#[derive(Debug)]
pub struct Drawn {
    pub bytes: Vec<u8>,
    pub meant: Vec<Meant>,
}

/// What was written, and where; never empty.
#[derive(Debug, PartialEq, Eq)]
pub struct Meant {
    pub row_idx: u32,
    pub column_idx: u32,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf8WithMark,
    Utf16Le,
    Utf16Be,
    Windows,
}

/// Texts that readers are known to trip over.
const PIECES: [&str; 35] = [
    "a",
    "0",
    "007",
    "1.5",
    "-1",
    "1,5",
    "x;y",
    "x|y",
    "x\ty",
    "\"",
    "\"\"",
    "'",
    " ",
    "  a ",
    "\n",
    "\r\n",
    "\r",
    "a\nb",
    "é",
    "£",
    "€",
    "Dùn Èideann",
    "\u{feff}",
    "😀",
    "=1+1",
    "#N/A",
    "#REF!",
    "Err:502",
    "TRUE",
    "2026-04-15",
    "sep=;",
    "MZ",
    "PAR1",
    "GIF8",
    "\u{a0}",
];

/// A file that is rightly made: every value that needs quotes has them, and every row as many values.
pub fn draw(u: &mut Unstructured<'_>) -> Result<Drawn> {
    let encoding = *u.choose(&[
        Encoding::Utf8,
        Encoding::Utf8WithMark,
        Encoding::Utf16Le,
        Encoding::Utf16Be,
        Encoding::Windows,
    ])?;
    let separator = *u.choose(&[',', ';', '\t', '|'])?;
    let line_end = *u.choose(&["\n", "\r\n", "\r"])?;
    let names_separator: bool = u.arbitrary()?;
    let ends_last_line: bool = u.arbitrary()?;
    let quotes_all: bool = u.arbitrary()?;
    // A single column says nothing of the separator.
    let n_columns = u.int_in_range(if names_separator { 1..=8 } else { 2..=8 })?;
    let mut lines = Vec::new();
    let mut meant = Vec::new();
    while lines.is_empty() || (!u.is_empty() && lines.len() < 40) {
        let row_idx = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        if u.int_in_range(0..=15)? == 15 {
            lines.push(String::new());
            continue;
        }
        let mut line = String::new();
        for column_idx in 0..n_columns {
            if column_idx > 0 {
                line.push(separator);
            }
            let text = draw_value(u, encoding)?;
            push_value(&mut line, &text, quotes_all);
            let is_blank_line = n_columns == 1 && text.trim().is_empty();
            if !text.is_empty() && !is_blank_line {
                meant.push(Meant {
                    row_idx,
                    column_idx,
                    text,
                });
            }
        }
        lines.push(line);
    }
    if ends_last_line {
        lines.push(String::new());
    }
    let mut text = lines.join(line_end);
    if text.starts_with('\u{feff}')
        || text
            .get(..4)
            .is_some_and(|s| s.eq_ignore_ascii_case("sep="))
    {
        return Err(Error::IncorrectFormat);
    }
    if names_separator {
        text = format!("sep={separator}{line_end}{text}");
    }
    let bytes = encode(&text, encoding);
    if is_ambiguous(&bytes, encoding) {
        return Err(Error::IncorrectFormat);
    }
    Ok(Drawn { bytes, meant })
}

fn draw_value(u: &mut Unstructured<'_>, encoding: Encoding) -> Result<String> {
    let mut value = String::new();
    for _ in 0..u.int_in_range(0..=3)? {
        if u.arbitrary()? {
            value.push_str(u.choose(&PIECES)?);
        } else {
            value.push(u.arbitrary()?);
        }
    }
    value.retain(|c| c != '\0' && (encoding != Encoding::Windows || windows(c).is_some()));
    Ok(value)
}

/// In quotes whatever any of the separators, a quote or a line end is in.
fn push_value(line: &mut String, value: &str, quotes_all: bool) {
    if quotes_all || value.contains([',', ';', '\t', '|', '"', '\r', '\n']) {
        line.push('"');
        line.push_str(&value.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(value);
    }
}

fn encode(text: &str, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Utf8 => text.as_bytes().to_vec(),
        Encoding::Utf8WithMark => format!("\u{feff}{text}").into_bytes(),
        Encoding::Utf16Le => wide(text, u16::to_le_bytes),
        Encoding::Utf16Be => wide(text, u16::to_be_bytes),
        Encoding::Windows => text.chars().filter_map(windows).collect(),
    }
}

fn wide(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    format!("\u{feff}{text}")
        .encode_utf16()
        .flat_map(to_bytes)
        .collect()
}

fn windows(c: char) -> Option<u8> {
    match c {
        '€' => Some(0x80),
        '\0'..='\x7f' | '\u{a0}'..='\u{ff}' => u8::try_from(u32::from(c)).ok(),
        _ => None,
    }
}

/// Letters in Windows-1252 that are others in an encoding which is tried before.
fn is_ambiguous(bytes: &[u8], encoding: Encoding) -> bool {
    encoding == Encoding::Windows
        && !bytes.is_ascii()
        && (std::str::from_utf8(bytes).is_ok()
            || [&b"\xff\xfe"[..], b"\xfe\xff", b"\xef\xbb\xbf"]
                .iter()
                .any(|mark| bytes.starts_with(mark)))
}

impl Drawn {
    /// Whether the file may be refused: there is nothing in it, or it starts as files of another kind do.
    pub fn may_be_refused(&self, rule: &str) -> bool {
        match rule {
            "file.no-data" | "file.empty" => self.meant.is_empty(),
            "file.html" | "file.not-a-spreadsheet" | "file.other-format" => {
                let start: Vec<u8> = self.bytes.iter().copied().filter(|b| *b != 0).collect();
                let start = String::from_utf8_lossy(&start);
                let start = start.trim_start_matches(|c: char| !c.is_ascii() || c.is_whitespace());
                ["<", "{", "[", "%PDF", "mime-version:", "MIME-Version:"]
                    .iter()
                    .any(|kind| start.starts_with(kind))
                    || self.bytes.first().is_some_and(|b| *b > 0x7f)
                    || self.starts_as_a_program()
            }
            _ => false,
        }
    }

    /// A picture or a program may start with a word too, and goes on as no text does.
    fn starts_as_a_program(&self) -> bool {
        let mut head = self.bytes.iter().take(64);
        ["GIF8", "Rar!", "PAR1", "MZ"]
            .iter()
            .any(|word| self.bytes.starts_with(word.as_bytes()))
            && head.any(|b| *b < b' ' && !matches!(b, b'\t' | b'\n' | b'\r'))
    }

    /// Where what was read is not what was written.
    pub fn difference(&self, sheet: &Sheet) -> Option<String> {
        let is_meant = |(cell, meant): (&sheet::Cell, &Meant)| {
            (cell.row_idx, cell.column_idx) == (meant.row_idx, meant.column_idx)
                && match &cell.value {
                    Value::Text(text) => *text == meant.text && !is_error(text),
                    Value::Error(name) => *name == meant.text && is_error(name),
                    _ => false,
                }
        };
        let same = sheet.cells.len() == self.meant.len()
            && sheet.cells.iter().zip(&self.meant).all(is_meant);
        (!same).then(|| format!("read {:?}\nmeant {:?}", sheet.cells, self.meant))
    }
}

/// As Excel and LibreOffice write them.
const ERRORS: [&str; 17] = [
    "#BLOCKED!",
    "#BUSY!",
    "#CALC!",
    "#CONNECT!",
    "#DIV/0!",
    "#EXTERNAL!",
    "#FIELD!",
    "#GETTING_DATA",
    "#N/A",
    "#NAME?",
    "#NULL!",
    "#NUM!",
    "#PYTHON!",
    "#REF!",
    "#SPILL!",
    "#UNKNOWN!",
    "#VALUE!",
];

fn is_error(text: &str) -> bool {
    let number = text.strip_prefix("Err:");
    ERRORS.contains(&text)
        || number.is_some_and(|n| n.len() == 3 && n.bytes().all(|b| b.is_ascii_digit()))
}
