//! Code lists: which codes an item may have, and when.

use chrono::NaiveDate;

use crate::Confidence;

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
    /// A source's id in a return's own list, the source itself in a shared one.
    pub source: String,
    pub confidence: Confidence,
}

impl Code {
    pub fn in_force_on(&self, day: NaiveDate) -> bool {
        self.valid_from.is_none_or(|first| first <= day)
            && self.valid_to.is_none_or(|last| day <= last)
    }

    fn overlaps(&self, other: &Code) -> bool {
        let starts_by_end_of = |a: &Code, b: &Code| match (a.valid_from, b.valid_to) {
            (Some(first), Some(last)) => first <= last,
            _ => true,
        };
        starts_by_end_of(self, other) && starts_by_end_of(other, self)
    }
}

/// Something wrong in a list's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListFault {
    /// 1-based.
    pub line: u64,
    pub why: String,
}

const HEADER: [&str; 6] = [
    "code",
    "label",
    "valid_from",
    "valid_to",
    "source",
    "confidence",
];

impl CodeList {
    /// Reads `code,label,valid_from,valid_to,source,confidence`, with every fault.
    pub fn read(name: &str, csv: &str) -> Result<Self, Vec<ListFault>> {
        Self::read_with(name, csv, |_| None)
    }

    /// As `read`, where `unknown` says what is wrong with naming a source.
    pub(crate) fn read_with(
        name: &str,
        csv: &str,
        unknown: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<ListFault>> {
        let mut faults = Vec::new();
        let mut codes: Vec<Code> = Vec::new();
        for row in rows(csv, &HEADER, &mut faults) {
            let Some(code) = read_code(&row, &mut faults) else {
                continue;
            };
            if let Some(why) = unknown(&code.source) {
                row.fault(&mut faults, why);
            }
            if codes
                .iter()
                .any(|earlier| earlier.code == code.code && earlier.overlaps(&code))
            {
                row.fault(
                    &mut faults,
                    format!("the code \"{}\" is there twice on the same day", code.code),
                );
            }
            codes.push(code);
        }
        if faults.is_empty() && codes.is_empty() {
            faults.push(ListFault {
                line: 1,
                why: "has no codes".to_owned(),
            });
        }
        // By line: the cells of a row are looked at after the shape of all rows.
        faults.sort_by_key(|fault| fault.line);
        if faults.is_empty() {
            Ok(Self {
                name: name.to_owned(),
                codes,
            })
        } else {
            Err(faults)
        }
    }

    /// The code as it is in force on a day.
    pub fn find(&self, code: &str, day: NaiveDate) -> Option<&Code> {
        self.codes
            .iter()
            .find(|known| known.code == code && known.in_force_on(day))
    }

    /// Whether the list has the code on any day.
    pub fn has(&self, code: &str) -> bool {
        self.codes.iter().any(|known| known.code == code)
    }
}

fn read_code(row: &Row, faults: &mut Vec<ListFault>) -> Option<Code> {
    let n_before = faults.len();
    let [code, label, valid_from, valid_to, source, confidence] = row.cells() else {
        return None;
    };
    for (name, value) in [("code", code), ("label", label), ("source", source)] {
        if value.is_empty() {
            row.fault(faults, format!("{name} is blank"));
        }
    }
    let confidence = match confidence.as_str() {
        "published" => Confidence::Published,
        "partial" => Confidence::Partial,
        "inferred" => Confidence::Inferred,
        other => {
            row.fault(
                faults,
                format!("confidence \"{other}\" is not one of published, partial, inferred"),
            );
            Confidence::Inferred
        }
    };
    let (valid_from, valid_to) = row.period(valid_from, valid_to, faults);
    (faults.len() == n_before).then(|| Code {
        code: code.clone(),
        label: label.clone(),
        valid_from,
        valid_to,
        source: source.clone(),
        confidence,
    })
}

/// A row of one of the format's CSV files, with its place.
#[derive(Debug)]
pub(crate) struct Row {
    line: u64,
    cells: Vec<String>,
}

impl Row {
    pub(crate) fn cells(&self) -> &[String] {
        &self.cells
    }

    pub(crate) fn fault(&self, faults: &mut Vec<ListFault>, why: String) {
        faults.push(ListFault {
            line: self.line,
            why,
        });
    }

    /// Two ISO dates in order; a blank one is no limit.
    pub(crate) fn period(
        &self,
        from: &str,
        to: &str,
        faults: &mut Vec<ListFault>,
    ) -> (Option<NaiveDate>, Option<NaiveDate>) {
        let mut date = |name: &str, text: &str| {
            if text.is_empty() {
                return None;
            }
            let date = iso_date(text);
            if date.is_none() {
                let why = format!("{name} \"{text}\" is not a date; write it as 2026-04-01");
                self.fault(faults, why);
            }
            date
        };
        let (from, to) = (date("valid_from", from), date("valid_to", to));
        if let (Some(first), Some(last)) = (from, to)
            && last < first
        {
            self.fault(
                faults,
                format!("valid_to {last} is before valid_from {first}"),
            );
        }
        (from, to)
    }
}

/// `2026-04-01` and nothing looser.
pub(crate) fn iso_date(text: &str) -> Option<NaiveDate> {
    (text.len() == 10)
        .then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
        .flatten()
}

/// The rows below exactly this header, each with as many cells as it has.
pub(crate) fn rows(csv: &str, header: &[&str], faults: &mut Vec<ListFault>) -> Vec<Row> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(csv.as_bytes());
    let mut rows = Vec::new();
    for (record_idx, record) in reader.records().enumerate() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                let why = format!("not CSV: {error}");
                faults.push(ListFault { line, why });
                break;
            }
        };
        let row = Row {
            line: record.position().map_or(0, csv::Position::line),
            cells: record.iter().map(str::to_owned).collect(),
        };
        if record_idx == 0 {
            if row.cells != header {
                row.fault(faults, format!("the header has to be {}", header.join(",")));
                return Vec::new();
            }
        } else if row.cells.len() != header.len() {
            let why = format!("has {} cells, not {}", row.cells.len(), header.len());
            row.fault(faults, why);
        } else if let Some(cell) = row.cells.iter().find(|cell| cell.trim() != cell.as_str()) {
            row.fault(faults, format!("\"{cell}\" has spaces around it"));
        } else {
            rows.push(row);
        }
    }
    if rows.is_empty() && faults.is_empty() && csv.trim().is_empty() {
        let why = format!("the header has to be {}", header.join(","));
        faults.push(ListFault { line: 1, why });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = "code,label,valid_from,valid_to,source,confidence\n\
        1,Homeless,,2026-03-31,s,published\n\
        1,Homeless or threatened,2026-04-01,,s,published\n\
        01,Other,,,s,inferred\n";

    fn day(text: &str) -> NaiveDate {
        iso_date(text).unwrap()
    }

    #[test]
    fn a_code_is_found_as_it_is_in_force_on_the_day() {
        let list = CodeList::read("reasons", CSV).unwrap();
        let label = |code, on| list.find(code, day(on)).map(|code| code.label.as_str());
        assert_eq!(label("1", "2026-03-31"), Some("Homeless"));
        assert_eq!(label("1", "2026-04-01"), Some("Homeless or threatened"));
        assert_eq!(label("01", "2026-04-01"), Some("Other"));
        assert_eq!(label("2", "2026-04-01"), None);
    }

    #[test]
    fn every_fault_of_a_list_is_told_with_its_line() {
        let csv = "code,label,valid_from,valid_to,source,confidence\n\
            1,One,,2026-04-01,s,published\n\
            1,One again,2026-04-01,,s,published\n\
            2,,,,s,certain\n\
            3,Three,1/4/2026,,s,published\n\
            4,Four,2026-04-02,2026-04-01,s,published\n\
            5,Five\n\
            \u{20}6,Six,,,s,published\n";
        let faults = CodeList::read("x", csv).unwrap_err();
        let told: Vec<String> = faults
            .iter()
            .map(|fault| format!("{}: {}", fault.line, fault.why))
            .collect();
        assert_eq!(
            told,
            [
                "3: the code \"1\" is there twice on the same day",
                "4: label is blank",
                "4: confidence \"certain\" is not one of published, partial, inferred",
                "5: valid_from \"1/4/2026\" is not a date; write it as 2026-04-01",
                "6: valid_to 2026-04-01 is before valid_from 2026-04-02",
                "7: has 2 cells, not 6",
                "8: \" 6\" has spaces around it",
            ]
        );
    }

    #[test]
    fn another_header_is_refused() {
        for csv in ["", "code,label\n1,One\n"] {
            let faults = CodeList::read("x", csv).unwrap_err();
            assert_eq!(
                faults[0].why,
                "the header has to be code,label,valid_from,valid_to,source,confidence"
            );
        }
    }
}
