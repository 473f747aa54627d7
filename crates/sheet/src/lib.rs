//! Untrusted bytes to raw cells that know their place.
//!
//! The only user of calamine, and the only place that looks at a file's bytes.
//! The content decides the format, never the file's name.
//! It knows nothing of specs: what a cell means is decided in `frame`.
//!
//! [`open`] says what a file is and which sheets it has; [`Opened::read`] then gives its rows, one after another, to a [`Sink`],
//! so that a large file is never in memory as a whole.
//! [`read`] does both and keeps every cell: for small files and for tests.

mod ahead;
mod beside;
mod blocks;
mod compound;
mod excel;
#[cfg(test)]
mod fixture;
mod gate;
pub mod grid;
mod kind;
mod limits;
mod listing;
mod moment;
mod ods;
mod ours;
mod package;
mod parts;
mod plain;
mod properties;
mod records;
mod refusal;
mod relations;
mod remarks;
#[cfg(test)]
mod same;
mod separated;
mod sheet_parts;
mod stream;
mod text;
mod worksheet;
mod xls;
mod xlsb;
mod xlsx;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use chrono::NaiveDateTime;

pub use beside::{Area, Beside};
use gate::Gate;
use kind::Kind;
pub use limits::Limits;
pub use ours::{
    FINDINGS_SHEET, OUR_CODE_NAMES, OUR_TAB_COLOUR, OVERVIEW_SHEET, is_our_part, is_ours,
};
pub use parts::{PartChanges, Parts};
pub use properties::Properties;
pub use refusal::Refusal;
use stream::Collect;
pub use stream::{Line, Raw, RawCell, Sink};

/// Looks at a file of any format that is known, or says why it can't be used.
///
/// `file_name` names the sheet of a CSV file and is compared with the content; it decides nothing.
/// The readers of old binary formats may take much memory for a small hostile file, so call this in a process that may die.
pub fn open<'b>(
    bytes: &'b [u8],
    file_name: &str,
    limits: &'b Limits,
) -> Result<Opened<'b>, Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::empty());
    }
    if bytes.len() as u64 > limits.file_bytes {
        return Err(Refusal::too_large(limits.file_bytes));
    }
    let kind = kind::sniff(bytes)?;
    // A reader that panics does so because of the file; there is nothing left behind to be inconsistent.
    let open = AssertUnwindSafe(|| match kind {
        Kind::Zip => open_package(bytes, limits),
        Kind::Compound => open_compound(bytes, limits),
        Kind::Text => open_text(bytes, file_name, limits),
    });
    let mut opened = catch_unwind(open).unwrap_or_else(|_| Err(broken()))?;
    // What no program shows and no database holds.
    for sheet in &mut opened.sheets {
        sheet.name.retain(|c| c != '\0');
    }
    check_sheets(&opened.sheets, limits)?;
    let wrong_ending = kind::wrong_ending(file_name, opened.format);
    opened.remarks.extend(wrong_ending);
    Ok(opened)
}

/// Reads a file and keeps all its cells. As [`open`] and [`Opened::read`].
pub fn read(bytes: &[u8], file_name: &str, limits: &Limits) -> Result<Workbook, Refusal> {
    let opened = open(bytes, file_name, limits)?;
    let format = opened.format();
    let properties = opened.properties().clone();
    let mut collected = Collect::new(opened.sheets());
    let remarks = opened.read(&mut collected)?;
    Ok(Workbook {
        format,
        properties,
        sheets: collected.sheets,
        remarks,
    })
}

/// A file that is known to be a spreadsheet of some format, and whose rows are still to be read.
pub struct Opened<'b> {
    format: Format,
    properties: Properties,
    sheets: Vec<SheetInfo>,
    remarks: Vec<Remark>,
    limits: &'b Limits,
    source: Source<'b>,
}

enum Source<'b> {
    Xlsx(Box<xlsx::Xlsx<'b>>),
    Xls(xls::Xls<'b>),
    Xlsb(xlsb::Xlsb<'b>),
    Ods(ods::Ods),
    Text(separated::Separated<'b>),
}

/// A worksheet, by what is known of it before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetInfo {
    /// No other sheet of the workbook has it, in whatever case.
    pub name: String,
    /// False for hidden and very hidden sheets.
    pub visible: bool,
    /// False where it is called what its file is called: separated values have no sheet to name.
    pub is_named: bool,
    pub beside: Beside,
}

impl SheetInfo {
    /// A sheet of which no more is known.
    pub fn new(name: impl Into<String>, visible: bool) -> Self {
        Self {
            name: name.into(),
            visible,
            is_named: true,
            beside: Beside::default(),
        }
    }
}

impl Opened<'_> {
    pub fn format(&self) -> Format {
        self.format
    }

    /// The custom properties that the document carries.
    pub fn properties(&self) -> &Properties {
        &self.properties
    }

    /// In the workbook's order. A CSV file is one sheet named after its file, without the ending.
    pub fn sheets(&self) -> &[SheetInfo] {
        &self.sheets
    }

    /// Gives the rows of all sheets to the sink, and what the sender should know of the reading.
    ///
    /// When it returns, every part of the file was seen to be whole and within the limits.
    /// Where it refuses, what the sink was given before is void.
    pub fn read(self, sink: &mut dyn Sink) -> Result<Vec<Remark>, Refusal> {
        let Self {
            sheets,
            mut remarks,
            limits,
            source,
            ..
        } = self;
        let mut gate = Gate::new(limits, &sheets, sink);
        let read = AssertUnwindSafe(|| match source {
            Source::Xlsx(source) => source.read(&mut gate).map(|()| None),
            Source::Xls(source) => source.read(&mut gate).map(|()| None),
            Source::Xlsb(source) => source.read(&mut gate).map(|()| None),
            Source::Ods(source) => source.read(&mut gate),
            Source::Text(source) => source.read(&mut gate),
        });
        match catch_unwind(read) {
            Ok(remark) => remarks.extend(remark?),
            // Only a panic of a reader is the file's fault.
            Err(panic) if gate.is_within_sink() => resume_unwind(panic),
            Err(_) => return Err(broken()),
        }
        remarks.extend(gate.finish()?);
        Ok(remarks)
    }
}

fn open_package<'b>(bytes: &'b [u8], limits: &'b Limits) -> Result<Opened<'b>, Refusal> {
    let mut package = package::open(bytes, limits)?;
    let remarks = std::mem::take(&mut package.remarks);
    let properties = std::mem::take(&mut package.properties);
    let format = package.format;
    let (sheets, source) = match format {
        Format::Ods => {
            let source = ods::Ods::open(&package, limits)?;
            (source.sheets()?, Source::Ods(source))
        }
        Format::Xlsb => {
            let source = xlsb::Xlsb::open(package)?;
            (source.sheets(), Source::Xlsb(source))
        }
        _ => {
            let source = xlsx::Xlsx::open(package)?;
            (source.sheets(), Source::Xlsx(Box::new(source)))
        }
    };
    Ok(Opened {
        format,
        properties,
        sheets,
        remarks,
        limits,
        source,
    })
}

fn open_compound<'b>(bytes: &'b [u8], limits: &'b Limits) -> Result<Opened<'b>, Refusal> {
    let source = xls::Xls::open(bytes)?;
    Ok(Opened {
        format: Format::Xls,
        properties: Properties::new(),
        sheets: source.sheets(),
        remarks: source.remarks(),
        limits,
        source: Source::Xls(source),
    })
}

fn open_text<'b>(
    bytes: &'b [u8],
    file_name: &str,
    limits: &'b Limits,
) -> Result<Opened<'b>, Refusal> {
    let source = separated::Separated::open(bytes, file_name)?;
    Ok(Opened {
        format: Format::Csv,
        properties: Properties::new(),
        sheets: vec![source.sheet()],
        remarks: Vec::new(),
        limits,
        source: Source::Text(source),
    })
}

/// Spreadsheet programs don't tell upper from lower case in a sheet's name.
fn check_sheets(sheets: &[SheetInfo], limits: &Limits) -> Result<(), Refusal> {
    if sheets.len() > limits.sheets {
        return Err(Refusal::too_many_sheets(limits.sheets));
    }
    let mut folded = BTreeSet::new();
    match sheets
        .iter()
        .find(|s| !folded.insert(s.name.to_lowercase()))
    {
        Some(sheet) => Err(Refusal::same_sheet_name(&sheet.name)),
        None => Ok(()),
    }
}

fn broken() -> Refusal {
    Refusal::broken("The file")
}

/// What was read: every non-blank cell of every worksheet.
#[derive(Debug, Clone, PartialEq)]
pub struct Workbook {
    pub format: Format,
    /// The custom properties that the document carries.
    pub properties: Properties,
    pub sheets: Vec<Sheet>,
    /// What the sender should know of the reading, in plain sentences (macros ignored, text decoded …).
    pub remarks: Vec<Remark>,
}

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Xlsx,
    Xls,
    Xlsb,
    Ods,
    Csv,
}

/// Something the sender should know that is not about one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// `file.<what>`, a rule id.
    pub rule: &'static str,
    pub message: String,
    pub fix: String,
    pub asks: Asks,
}

impl Remark {
    pub(crate) fn new(
        rule: &'static str,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            rule,
            message: message.into(),
            fix: fix.into(),
            asks: Asks::Nothing,
        }
    }

    pub(crate) fn asking_whether_meant(self) -> Self {
        Self {
            asks: Asks::WhetherMeant,
            ..self
        }
    }
}

/// What a remark wants of the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// It was read as it was meant, as far as anyone can tell.
    Nothing,
    /// The file may hold or lack something without the sender's knowing: they have to say that it is meant.
    WhetherMeant,
}

/// One worksheet. A CSV file is one sheet named after its file, without the ending.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    pub name: String,
    /// False for hidden and very hidden sheets.
    pub visible: bool,
    /// By row, then column; no cell twice; blank cells absent.
    pub cells: Vec<Cell>,
}

/// A cell with something in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// 0-based.
    pub row_idx: u32,
    /// 0-based.
    pub column_idx: u32,
    pub value: Value,
}

/// What stands in a cell, before anyone says what it should be.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Never empty. Every CSV value is one, but for error values.
    Text(String),
    /// Always finite.
    Number(f64),
    Boolean(bool),
    /// A cell that the spreadsheet shows as a date or time.
    DateTime(NaiveDateTime),
    /// An error value by its name, `#REF!` or one of the newer ones.
    Error(String),
    /// A formula that was saved without a result.
    NotCalculated,
    /// A cell that the file gives more than once: nobody knows which value counts.
    GivenTwice,
}

#[cfg(test)]
mod tests {
    use handmade::Parts;

    use super::*;
    use crate::fixture::Reading as _;

    fn rule(bytes: &[u8], name: &str) -> String {
        match read(bytes, name, &Limits::default()) {
            Err(refusal) => refusal.rule.to_owned(),
            Ok(workbook) => {
                let remarks: Vec<_> = workbook.remarks.iter().map(|r| r.rule).collect();
                format!("{:?} {}", workbook.format, remarks.join(" "))
            }
        }
    }

    #[test]
    fn the_content_decides_and_the_name_is_only_compared() {
        let xlsx = Parts::xlsx("<row><c r=\"A1\"><v>1</v></c></row>").zip();
        assert_eq!(rule(&xlsx, "a.xlsx"), "Xlsx ");
        assert_eq!(rule(&xlsx, "a.xls"), "Xlsx file.wrong-ending");
        assert_eq!(rule(b"a,b\n1,2\n", "a.xlsx"), "Csv file.wrong-ending");
        assert_eq!(rule(b"a,b\n1,\xa3\n", "a.csv"), "Csv file.text-decoded");
        assert_eq!(rule(b"<html><table>", "a.xls"), "file.html");
        assert_eq!(rule(b"%PDF-1.7", "a.xlsx"), "file.not-a-spreadsheet");
        assert_eq!(rule(b"", "a.xlsx"), "file.empty");
        assert_eq!(rule(b"\n\n", "a.csv"), "file.no-data");
    }

    #[test]
    fn a_file_over_the_limit_is_refused_before_it_is_looked_at() {
        let limits = Limits {
            file_bytes: 1_000_000,
            ..Limits::default()
        };
        let refusal = read(&vec![b'a'; 1_000_001], "a.csv", &limits).unwrap_err();
        assert_eq!(refusal.rule, "file.too-large");
        assert_eq!(refusal.message, "The file is larger than 1 MB.");
    }

    #[test]
    fn sheets_are_few_and_their_names_differ() {
        let row = "<row r=\"1\"><c r=\"A1\"><v>1</v></c></row>";
        let limits = Limits {
            sheets: 2,
            ..Limits::default()
        };
        let rule = |names: &[&str]| {
            let sheets: Vec<_> = names.iter().map(|name| (*name, "", row)).collect();
            let read = Parts::xlsx_sheets(&sheets).read_within(&limits);
            read.map_or_else(|refusal| refusal.rule, |_| "read")
        };
        assert_eq!(rule(&["Été", "B"]), "read");
        assert_eq!(rule(&["Été", "ÉTÉ"]), "file.same-sheet-name");
        assert_eq!(rule(&["A", "B", "C"]), "file.too-many-sheets");
        assert_eq!(rule(&["A\0", "a"]), "file.same-sheet-name");
        let nul = Parts::xlsx_sheets(&[("A\0", "", row)]).read().unwrap();
        assert_eq!(nul.sheets[0].name, "A");
        assert_eq!(crate::fixture::show(&nul.sheets[0]), "A1=1");
    }

    #[test]
    #[should_panic(expected = "the sink's own")]
    fn a_panic_of_the_sink_is_no_fault_of_the_file() {
        struct Panics;
        impl Sink for Panics {
            fn start_sheet(&mut self, _: usize) {}
            fn row(&mut self, _: u32, _: &[RawCell<'_>]) {
                panic!("the sink's own");
            }
        }
        let limits = Limits::default();
        let opened = open(b"a,b\n1,2\n", "a.csv", &limits).unwrap();
        let _ = opened.read(&mut Panics);
    }
}
