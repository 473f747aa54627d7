//! Separated values (CSV), strictly: a comma too many is a mistake to be told of, not a row to be mended.

use csv::StringRecord;

use crate::ahead::ahead;
use crate::gate::{Gate, Stop};
use crate::text;
use crate::{Line, Raw, RawCell, Refusal, Remark, SheetInfo};

/// What separates values, by preference where two would do.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Error values as Excel shows them; other programs show some as `Err:502`.
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

/// How many records decide the separator.
const SAMPLE: usize = 100;

pub(crate) struct Separated<'b> {
    decoded: text::Decoded<'b>,
    sheet_name: String,
}

impl<'b> Separated<'b> {
    pub(crate) fn open(bytes: &'b [u8], file_name: &str) -> Result<Self, Refusal> {
        Ok(Self {
            decoded: text::decode(bytes)?,
            sheet_name: sheet_name(file_name).to_owned(),
        })
    }

    pub(crate) fn sheet(&self) -> SheetInfo {
        SheetInfo {
            is_named: false,
            ..SheetInfo::new(&self.sheet_name, true)
        }
    }

    pub(crate) fn read(self, gate: &mut Gate<'_>) -> Result<Option<Remark>, Refusal> {
        let (text, named_separator) = strip_separator_line(&self.decoded.text);
        let separator = named_separator.unwrap_or_else(|| find_separator(text));
        gate.start_sheet(0);
        let mut records = Records::new(text, separator);
        records.line_number += usize::from(named_separator.is_some());
        let mut row_idx: u32 = 0;
        ahead(
            |block: &mut Block| block.fill(&mut records),
            |block| {
                let mut cells: Vec<RawCell<'_>> = Vec::new();
                for (place, record) in block.records() {
                    row_idx =
                        row_idx.saturating_add(u32::try_from(place.n_blank).unwrap_or(u32::MAX));
                    if !is_blank(record) {
                        cells.clear();
                        for (column_idx, value) in (0..).zip(record) {
                            if value.is_empty() {
                                continue;
                            }
                            // Each is written where it stays: to put it together first costs twice the time.
                            if is_error(value) {
                                let raw = Raw::Error(value);
                                cells.push(RawCell { column_idx, raw });
                            } else {
                                let raw = Raw::Text(value);
                                cells.push(RawCell { column_idx, raw });
                            }
                        }
                        gate.line(Line {
                            number: place.line_number,
                            n_values: record.len(),
                        });
                        gate.row(row_idx, &cells).map_err(Stop::into_refusal)?;
                    }
                    row_idx = row_idx.saturating_add(1);
                }
                Ok(())
            },
        )?;
        Ok(self.decoded.remark)
    }
}

/// An error value is written by its name, and a column of free text would take that for what was meant.
#[inline]
fn is_error(text: &str) -> bool {
    let number = text.strip_prefix("Err:");
    text.starts_with('#') && ERRORS.contains(&text)
        || number.is_some_and(|n| n.len() == 3 && n.bytes().all(|b| b.is_ascii_digit()))
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

/// The separator that gives every record the same number of values; of two, one that leaves no quote within an unquoted value;
/// of two, the one that gives most values.
///
/// Where none does, a title or a line with a mistake is among the records: then it is the one that most of them agree on.
fn find_separator(text: &str) -> u8 {
    let mut best = (false, 0, false, 1);
    let mut found = SEPARATORS[0];
    for separator in SEPARATORS {
        let mut records = Records::new(text, separator);
        let mut record = StringRecord::new();
        let mut counts = Vec::new();
        let mut encloses = true;
        let is_whole = loop {
            match records.next(&mut record) {
                Ok(Some(_)) if is_blank(&record) => {}
                Ok(Some(place)) => {
                    counts.push(record.len());
                    encloses &= place.quotes_enclose;
                    if counts.len() == SAMPLE {
                        break true;
                    }
                }
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        let (n_alike, n_values) = most_alike(&counts);
        let even = is_whole && n_alike == counts.len();
        let score = (even, if even { 0 } else { n_alike }, encloses, n_values);
        if n_values > 1 && score > best {
            (best, found) = (score, separator);
        }
    }
    found
}

/// How many lines have the number of values that most have, of lines with several; and that number.
fn most_alike(counts: &[usize]) -> (usize, usize) {
    let alike = |n_values: usize| counts.iter().filter(|count| **count == n_values).count();
    let several = counts.iter().filter(|count| **count > 1);
    several
        .map(|n_values| (alike(*n_values), *n_values))
        .max()
        .unwrap_or((0, 1))
}

/// The records of a text, one after another, as the csv crate splits them.
///
/// The csv crate passes over blank lines, takes a quote that is never closed as the rest of the file, and goes on after a closing quote:
/// each decides which row the sender is told to look at, so all three are told from the bytes of the record.
struct Records<'t> {
    text: &'t str,
    reader: csv::Reader<&'t [u8]>,
    separator: u8,
    /// Where the last record, its line end included, was over.
    end: usize,
    /// 1-based, of the place `end`.
    line_number: usize,
}

/// Where a record stands.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// Blank lines since the record before.
    n_blank: usize,
    /// 1-based, of the line that the record starts on.
    line_number: usize,
    /// No value but a quoted one has a quote.
    quotes_enclose: bool,
}

impl<'t> Records<'t> {
    fn new(text: &'t str, separator: u8) -> Self {
        Self {
            text,
            reader: csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .delimiter(separator)
                .from_reader(text.as_bytes()),
            separator,
            end: 0,
            line_number: 1,
        }
    }

    /// Reads the next record into `record`; `None` at the end.
    fn next(&mut self, record: &mut StringRecord) -> Result<Option<Place>, Refusal> {
        let found = self
            .reader
            .read_record(record)
            .map_err(|_| Refusal::broken("The file"))?;
        let bytes = self.text.as_bytes();
        let end = usize::try_from(self.reader.position().byte()).unwrap_or(bytes.len());
        // The reader leaves the second half of a line end for the next record.
        let cut = bytes[..end].last() == Some(&b'\r') && bytes.get(end) == Some(&b'\n');
        let end = end + usize::from(cut);
        let raw = &self.text[self.end..end];
        let content = raw.trim_start_matches(['\r', '\n']);
        let n_blank = count_line_ends(&raw[..raw.len() - content.len()]);
        let line_number = self.line_number + n_blank;
        self.end = end;
        self.line_number = line_number + count_line_ends(content);
        if !found {
            return Ok(None);
        }
        let has_quotes = memchr::memchr(b'"', content.as_bytes()).is_some();
        let quotes_enclose =
            !has_quotes || check_quotes(content.as_bytes(), self.separator, line_number)?;
        Ok(Some(Place {
            n_blank,
            line_number,
            quotes_enclose,
        }))
    }
}

fn is_blank(record: &StringRecord) -> bool {
    record.len() == 1 && record.iter().all(|value| value.trim().is_empty())
}

/// Records with their places, so many that handing them over costs nothing.
#[derive(Default)]
struct Block {
    /// Of a fuller block before, some may be over.
    room: Vec<(Place, StringRecord)>,
    n_records: usize,
}

impl Block {
    const RECORDS: usize = 512;

    /// Whether there was another record.
    fn fill(&mut self, records: &mut Records<'_>) -> Result<bool, Refusal> {
        self.room.resize_with(Self::RECORDS, Default::default);
        self.n_records = 0;
        for (place, record) in &mut self.room {
            match records.next(record)? {
                Some(found) => *place = found,
                None => break,
            }
            self.n_records += 1;
        }
        Ok(self.n_records > 0)
    }

    fn records(&self) -> &[(Place, StringRecord)] {
        &self.room[..self.n_records]
    }
}

/// Every quote that opens a value is closed, and nothing stands between that and the separator.
///
/// False where a quote stands within an unquoted value, which is allowed.
fn check_quotes(record: &[u8], separator: u8, line_number: usize) -> Result<bool, Refusal> {
    let mut enclose = true;
    let ends = |b: u8| b == separator || b == b'\r' || b == b'\n';
    let line_at = |at: usize| line_number + count_line_ends_in(&record[..at]);
    let mut at = 0;
    while at < record.len() {
        if record[at] != b'"' {
            let value = &record[at..];
            let end = value.iter().position(|b| ends(*b)).unwrap_or(value.len());
            enclose &= memchr::memchr(b'"', &value[..end]).is_none();
            at += end + 1;
            continue;
        }
        let opened = at;
        loop {
            at += 1;
            let Some(n_bytes) = memchr::memchr(b'"', &record[at..]) else {
                let line = line_at(opened);
                return Err(Refusal::new(
                    "file.unclosed-quote",
                    format!("A double quote on line {line} is never closed."),
                    format!("Look at line {line} and close the quote, or remove it."),
                ));
            };
            at += n_bytes + 1;
            if record.get(at) != Some(&b'"') {
                break;
            }
        }
        if record.get(at).is_some_and(|b| !ends(*b)) {
            return Err(Refusal::new(
                "file.stray-quote",
                format!(
                    "Line {} has a value that goes on after its closing double quote.",
                    line_at(at)
                ),
                "Write a double quote inside a quoted value twice, and nothing between the closing one and the separator.",
            ));
        }
        at += 1;
    }
    Ok(enclose)
}

/// Line ends of all three kinds.
fn count_line_ends(text: &str) -> usize {
    count_line_ends_in(text.as_bytes())
}

fn count_line_ends_in(bytes: &[u8]) -> usize {
    if memchr::memchr(b'\r', bytes).is_none() {
        return memchr::memchr_iter(b'\n', bytes).count();
    }
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
    use crate::{Format, Limits, Line, RawCell, Sink, Value, read};

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
        // The other separator would give as many values, or more, and cut a quoted one in two.
        check("a|\"x\ty\"\n", &["A1=a", "B1=x\ty"]);
        check("\"a;b;c\",\"d;e\"\n", &["A1=a;b;c", "B1=d;e"]);
        check(
            "a;b,c;d\nx;y,\"z;\"\n",
            &["A1=a;b", "B1=c;d", "A2=x;y", "B2=z;"],
        );
        check("a;5\" pipe\n", &["A1=a", "B1=5\" pipe"]);
    }

    #[test]
    fn each_row_is_given_with_its_line_and_the_number_of_its_values() {
        #[derive(Default)]
        struct Lines(Vec<(usize, usize)>);
        impl Sink for Lines {
            fn start_sheet(&mut self, _: usize) {}
            fn row(&mut self, _: u32, _: &[RawCell<'_>]) {}
            fn line(&mut self, line: Line) {
                self.0.push((line.number, line.n_values));
            }
        }
        let limits = Limits::default();
        for (text, expected) in [
            (
                "a,b\n\n1,\"x\ny\"\n2\n,,",
                &[(1, 2), (3, 2), (5, 1), (6, 3)][..],
            ),
            ("\na,b\r\n1,2,3\r\n", &[(2, 2), (3, 3)]),
            ("sep=;\r\na;b\r\n", &[(2, 2)]),
        ] {
            let mut lines = Lines::default();
            let opened = crate::open(text.as_bytes(), "a.csv", &limits).unwrap();
            opened.read(&mut lines).unwrap();
            assert_eq!(lines.0, expected, "{text:?}");
        }
    }

    #[test]
    fn the_separator_is_found_beside_a_title_and_a_line_with_a_mistake() {
        check(
            "Visits, all\na;b;c\n1;2;3\n1;2,5\n4;5;6\n",
            &[
                "A1=Visits, all",
                "A2=a",
                "B2=b",
                "C2=c",
                "A3=1",
                "B3=2",
                "C3=3",
                "A4=1",
                "B4=2,5",
                "A5=4",
                "B5=5",
                "C5=6",
            ],
        );
    }

    #[test]
    fn what_is_not_strictly_separated_is_refused_with_its_line() {
        for (text, rule, message) in [
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
}
