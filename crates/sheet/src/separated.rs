//! Separated values (CSV), strictly: a comma too many is a mistake to be told of, not a row to be mended.
//!
//! Read by hand, since the csv crate neither reports a quote that is never closed nor counts blank lines, and both decide which row the sender is told to look at.

use std::borrow::Cow;

use crate::cells::Cells;
use crate::text;
use crate::{Format, Limits, Refusal, Value, Workbook};

/// What separates values, by preference where two would do.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Error values as Excel shows them; other programs show some as `Err:502`.
const ERRORS: [&str; 15] = [
    "#BLOCKED!",
    "#BUSY!",
    "#CALC!",
    "#CONNECT!",
    "#DIV/0!",
    "#FIELD!",
    "#GETTING_DATA",
    "#N/A",
    "#NAME?",
    "#NULL!",
    "#NUM!",
    "#REF!",
    "#SPILL!",
    "#UNKNOWN!",
    "#VALUE!",
];

/// How many records decide the separator.
const SAMPLE: usize = 100;

pub(crate) fn read(bytes: &[u8], file_name: &str, limits: &Limits) -> Result<Workbook, Refusal> {
    let decoded = text::decode(bytes)?;
    let (text, named_separator) = strip_separator_line(&decoded.text);
    let separator = named_separator.unwrap_or_else(|| find_separator(text));
    let mut cells = Cells::new(limits);
    cells.start_sheet(sheet_name(file_name), true)?;
    let mut records = Records::new(text, separator);
    let mut values = Vec::new();
    let mut first: Option<(usize, usize)> = None;
    let mut row_idx: u32 = 0;
    while let Some(line_number) = records.next(&mut values)? {
        let blank = matches!(values.as_slice(), [value] if value.trim().is_empty());
        if !blank {
            let (first_line, n_values) = *first.get_or_insert((line_number, values.len()));
            if values.len() != n_values {
                return Err(ragged(line_number, values.len(), first_line, n_values));
            }
            for (column_idx, value) in (0..).zip(values.drain(..)) {
                if !value.is_empty() {
                    cells.push(row_idx, column_idx, to_value(value.into_owned()))?;
                }
            }
        }
        row_idx = row_idx.saturating_add(1);
    }
    cells.finish(Format::Csv, decoded.remark.into_iter().collect())
}

/// An error value is written by its name, and a column of free text would take that for what was meant.
fn to_value(text: String) -> Value {
    let number = text.strip_prefix("Err:");
    let is_error = ERRORS.contains(&text.as_str())
        || number.is_some_and(|n| n.len() == 3 && n.bytes().all(|b| b.is_ascii_digit()));
    if is_error {
        Value::Error(text)
    } else {
        Value::Text(text)
    }
}

/// The file's name without folders and ending.
fn sheet_name(file_name: &str) -> &str {
    let name = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
    match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    }
}

/// Excel takes a first line `sep=;` as a word to itself and does not show it.
fn strip_separator_line(text: &str) -> (&str, Option<u8>) {
    let separator = text
        .get(..4)
        .filter(|word| word.eq_ignore_ascii_case("sep="))
        .and_then(|_| text.as_bytes().get(4));
    match separator {
        Some(b) if b.is_ascii() => {
            let rest = &text[5..];
            let rest = rest
                .strip_prefix("\r\n")
                .or_else(|| rest.strip_prefix(['\n', '\r']));
            rest.map_or((text, None), |rest| (rest, Some(*b)))
        }
        _ => (text, None),
    }
}

/// The separator that gives every record the same number of values, and the most of them; else the one that gives the first record most.
fn find_separator(text: &str) -> u8 {
    let mut best = (false, 1, SEPARATORS[0]);
    for separator in SEPARATORS {
        let mut records = Records::new(text, separator);
        let mut values = Vec::new();
        let mut counts = Vec::new();
        while counts.len() < SAMPLE
            && let Ok(Some(_)) = records.next(&mut values)
        {
            if !matches!(values.as_slice(), [value] if value.trim().is_empty()) {
                counts.push(values.len());
            }
        }
        let n_values = counts.first().copied().unwrap_or(1);
        let even = n_values > 1 && counts.iter().all(|count| *count == n_values);
        if (even, n_values) > (best.0, best.1) {
            best = (even, n_values, separator);
        }
    }
    best.2
}

fn ragged(line_number: usize, n_values: usize, first_line: usize, n_expected: usize) -> Refusal {
    let values = |n: usize| if n == 1 { "value" } else { "values" };
    Refusal::new(
        "file.ragged",
        format!(
            "Line {line_number} has {n_values} {}, but line {first_line} has {n_expected}.",
            values(n_values)
        ),
        format!(
            "Look at line {line_number} for a separator inside a value, which needs double quotes around the value, or for a missing value."
        ),
    )
}

/// The records of a text, one after another.
struct Records<'t> {
    text: &'t str,
    /// Where the next record starts.
    at: usize,
    /// 1-based, of the place `at`.
    line_number: usize,
    separator: u8,
}

impl<'t> Records<'t> {
    fn new(text: &'t str, separator: u8) -> Self {
        Self {
            text,
            at: 0,
            line_number: 1,
            separator,
        }
    }

    /// Fills in the next record's values, one empty value for a blank line, and gives the line it starts on.
    fn next(&mut self, values: &mut Vec<Cow<'t, str>>) -> Result<Option<usize>, Refusal> {
        values.clear();
        if self.at >= self.text.len() {
            return Ok(None);
        }
        let line_number = self.line_number;
        loop {
            let value = if self.peek() == Some(b'"') {
                self.quoted()?
            } else {
                Cow::Borrowed(self.unquoted())
            };
            values.push(value);
            match self.peek() {
                Some(b) if b == self.separator => self.at += 1,
                Some(b'\r') => {
                    self.at += 1;
                    if self.peek() == Some(b'\n') {
                        self.at += 1;
                    }
                    self.line_number += 1;
                    return Ok(Some(line_number));
                }
                Some(b'\n') => {
                    self.at += 1;
                    self.line_number += 1;
                    return Ok(Some(line_number));
                }
                None => return Ok(Some(line_number)),
                Some(_) => {
                    return Err(Refusal::new(
                        "file.stray-quote",
                        format!(
                            "Line {} has a value that goes on after its closing double quote.",
                            self.line_number
                        ),
                        "Write a double quote inside a quoted value twice, and nothing between the closing one and the separator.",
                    ));
                }
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn unquoted(&mut self) -> &'t str {
        let rest = &self.text[self.at..];
        let n_bytes = rest
            .bytes()
            .position(|b| b == self.separator || b == b'\n' || b == b'\r')
            .unwrap_or(rest.len());
        self.at += n_bytes;
        &rest[..n_bytes]
    }

    fn quoted(&mut self) -> Result<Cow<'t, str>, Refusal> {
        let opened_on = self.line_number;
        let mut value = Cow::Borrowed("");
        loop {
            // Past the opening quote, or past the first of two.
            self.at += 1;
            let rest = &self.text[self.at..];
            let Some(n_bytes) = memchr::memchr(b'"', rest.as_bytes()) else {
                return Err(Refusal::new(
                    "file.unclosed-quote",
                    format!("A double quote on line {opened_on} is never closed."),
                    format!("Look at line {opened_on} and close the quote, or remove it."),
                ));
            };
            let piece = &rest[..n_bytes];
            self.line_number += count_line_ends(piece);
            self.at += n_bytes + 1;
            let doubled = self.peek() == Some(b'"');
            let piece = if doubled { &rest[..=n_bytes] } else { piece };
            if value.is_empty() {
                value = Cow::Borrowed(piece);
            } else {
                value.to_mut().push_str(piece);
            }
            if !doubled {
                return Ok(value);
            }
        }
    }
}

/// Line ends of all three kinds.
fn count_line_ends(text: &str) -> usize {
    let bytes = text.as_bytes();
    (0..bytes.len())
        .filter(|&idx| match bytes[idx] {
            b'\n' => true,
            b'\r' => bytes.get(idx + 1) != Some(&b'\n'),
            _ => false,
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows as `A1=value` in their order.
    fn check(text: &str, expected: &[&str]) {
        let workbook = read(text.as_bytes(), "data/My file.2026.csv", &Limits::default()).unwrap();
        let shown: Vec<String> = workbook.sheets[0]
            .cells
            .iter()
            .map(|cell| {
                let place = finding::CellRef::new("", cell.row_idx, cell.column_idx).address();
                match &cell.value {
                    Value::Text(text) => format!("{place}={text}"),
                    Value::Error(name) => format!("{place}=error {name}"),
                    other => panic!("{other:?}"),
                }
            })
            .collect();
        assert_eq!(shown, expected, "{text:?}");
        assert_eq!(workbook.sheets[0].name, "My file.2026");
        assert_eq!(workbook.format, Format::Csv);
    }

    #[test]
    fn every_value_is_text_in_its_place() {
        check(
            "code,n\n0012,1e5\n, x \n",
            &["A1=code", "B1=n", "A2=0012", "B2=1e5", "B3= x "],
        );
        check("a,b", &["A1=a", "B1=b"]);
        check("only\none\n", &["A1=only", "A2=one"]);
    }

    #[test]
    fn error_values_are_known_by_their_names() {
        check(
            "a,b,c\n#REF!,#N/A,Err:502\n#1,#n/a ,Err:12\n",
            &[
                "A1=a",
                "B1=b",
                "C1=c",
                "A2=error #REF!",
                "B2=error #N/A",
                "C2=error Err:502",
                "A3=#1",
                "B3=#n/a ",
                "C3=Err:12",
            ],
        );
    }

    #[test]
    fn line_ends_of_all_kinds_end_a_record() {
        for end in ["\n", "\r\n", "\r"] {
            let text = format!("a,b{end}1,2{end}");
            check(&text, &["A1=a", "B1=b", "A2=1", "B2=2"]);
        }
    }

    #[test]
    fn blank_lines_count_as_rows() {
        check(
            "\r\na,b\r\n\r\n  \r\n1,2\r\n,\r\n3,4",
            &["A2=a", "B2=b", "A5=1", "B5=2", "A7=3", "B7=4"],
        );
    }

    #[test]
    fn quoted_values_keep_separators_quotes_and_line_ends() {
        check(
            "a,b\n\"1,\"\"2\"\"\",\"x\r\ny\"\n\"\",5\" pipe\n",
            &["A1=a", "B1=b", "A2=1,\"2\"", "B2=x\r\ny", "B3=5\" pipe"],
        );
    }

    #[test]
    fn the_separator_is_found() {
        for separator in [";", "\t", "|"] {
            let text = "a,b\n1,5,2\n".replacen("a,b", &format!("a{separator}b"), 1);
            let text = text.replace("1,5,2", &format!("1,5{separator}2,5"));
            check(&text, &["A1=a", "B1=b", "A2=1,5", "B2=2,5"]);
        }
        check("sep=;\r\na;b\n", &["A1=a", "B1=b"]);
        check(
            "\"a;b\",c\n\"d;e\",f\n",
            &["A1=a;b", "B1=c", "A2=d;e", "B2=f"],
        );
    }

    #[test]
    fn what_is_not_strictly_separated_is_refused_with_its_line() {
        for (text, rule, message) in [
            (
                "a,b\n\n1,\"x\ny\"\n2\n",
                "file.ragged",
                "Line 5 has 1 value, but line 1 has 2.",
            ),
            (
                "\na,b\n1,2,3\n",
                "file.ragged",
                "Line 3 has 3 values, but line 2 has 2.",
            ),
            (
                "a,b\r1,\"2\r3,4\r",
                "file.unclosed-quote",
                "A double quote on line 2 is never closed.",
            ),
            (
                "a,b\n1,\"2\" x\n",
                "file.stray-quote",
                "Line 2 has a value that goes on after its closing double quote.",
            ),
            ("\n , \n", "", ""),
            (
                ",\n,\n",
                "file.no-data",
                "The file has no cell with anything in it.",
            ),
        ] {
            let read = read(text.as_bytes(), "a.csv", &Limits::default());
            if rule.is_empty() {
                assert!(read.is_ok(), "{text:?}");
                continue;
            }
            let refusal = read.unwrap_err();
            assert_eq!((refusal.rule, refusal.message.as_str()), (rule, message));
        }
    }

    #[test]
    fn what_is_well_formed_reads_as_the_csv_crate_reads_it() {
        let pieces = [
            "a",
            "",
            "\"b,c\"",
            "\"d\"\"e\"",
            "\"f\ng\"",
            " h ",
            "i\"j",
            "é",
        ];
        let n = pieces.len();
        for seed in 0..n * n * n {
            let picked = [seed % n, seed / n % n, seed / n / n];
            let line = picked.map(|idx| pieces[idx]).join(",");
            let text = format!("x,y,z\n{line}\r\n{line}\n");
            let mut records = Records::new(&text, b',');
            let mut values = Vec::new();
            let mut ours = Vec::new();
            while records.next(&mut values).unwrap().is_some() {
                ours.push(values.iter().map(ToString::to_string).collect::<Vec<_>>());
            }
            let theirs: Vec<Vec<String>> = csv::ReaderBuilder::new()
                .has_headers(false)
                .from_reader(text.as_bytes())
                .records()
                .map(|record| record.unwrap().iter().map(str::to_owned).collect())
                .collect();
            assert_eq!(ours, theirs, "{text:?}");
        }
    }
}
