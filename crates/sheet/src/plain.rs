//! Large plain worksheets, read at the speed of inflating them.
//!
//! calamine takes six times as long for a sheet of records as it takes to inflate it, for it is ready for everything that XML may be.
//! Nearly all large sheets are one thing only: rows of cells, each a `<c>` with a `<v>`.
//! Here just that is read; at the first byte that is anything else the sheet is [`NotPlain`], what it gave is void, and calamine reads it.
//!
//! What a cell then is follows from the workbook's other parts, and calamine alone reads these.
//! It is shown the same workbook with a model in place of each worksheet, and what it makes of the models says
//! which part is which sheet, which styles are dates and on which day they start to count.

mod cells;
mod strings;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Cursor, Read as _};

use calamine::{DataRef, ExcelDateTime, ExcelDateTimeType, Reader};
use memchr::memmem;

use crate::gate::{Gate, Given, Stop};
use crate::package::{Package, has_ending};
use crate::{Raw, Refusal, SheetInfo, excel, moment};
use cells::Attributes;
use strings::Strings;

/// A sheet is not read here: there is something in it that only calamine reads, or that it has to be refused for.
///
/// What a workbook is refused for is left to calamine's reading too, so that it never depends on the reader.
#[derive(Debug)]
pub(crate) struct NotPlain;

impl From<Refusal> for NotPlain {
    fn from(_: Refusal) -> Self {
        NotPlain
    }
}

impl From<io::Error> for NotPlain {
    fn from(_: io::Error) -> Self {
        NotPlain
    }
}

impl From<Stop> for NotPlain {
    fn from(_: Stop) -> Self {
        NotPlain
    }
}

/// A workbook whose worksheets may be plain.
pub(crate) struct Plain {
    pub(crate) sheets: Vec<SheetInfo>,
    /// The package's part of each sheet.
    parts: Vec<usize>,
    strings: Strings,
    styles: Styles,
}

/// What the numbers of each style are.
struct Styles {
    by_idx: Vec<Style>,
    is_1904: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Number,
    DateTime,
    Duration,
}

/// More styles than a spreadsheet program keeps.
const MOST_STYLES: usize = 65_490;

impl Plain {
    pub(crate) fn open(package: &Package<'_>) -> Result<Self, NotPlain> {
        let names = package.names()?;
        let parts = |is_such: fn(&str) -> bool| -> Vec<usize> {
            (0..names.len())
                .filter(|&idx| is_such(&names[idx]))
                .collect()
        };
        let worksheets = parts(|name| name.contains("worksheets/") && has_ending(name, "xml"));
        let mut strings = match parts(|name| name.ends_with("sharedstrings.xml"))[..] {
            [] => Strings::default(),
            [part] => Strings::scan(package, part)?,
            // Any of them may be the one that calamine reads.
            _ => return Err(NotPlain),
        };
        let mut n_styles = 0;
        for part in parts(|name| name.ends_with("styles.xml")) {
            n_styles += count_styles(package, part)?;
        }
        let models = Models {
            // Nobody can have written it into the file.
            nonce: RandomState::new().hash_one("model") >> 33,
            full: *worksheets.first().ok_or(NotPlain)?,
            n_styles,
            n_odd: strings.n_odd(),
        };
        let mut replaced: Vec<(usize, Vec<u8>)> = worksheets
            .iter()
            .map(|&part| (part, models.sheet(part)))
            .collect();
        replaced.extend(strings.model(models.nonce));
        let opened = calamine::Xlsx::new(Cursor::new(package.with(&replaced)?));
        let mut workbook = opened.map_err(|_| NotPlain)?;
        let sheets = excel::worksheets(workbook.sheets_metadata());
        let mut parts = Vec::new();
        let mut styles = None;
        for SheetInfo { name, .. } in &sheets {
            let (part, full) = models.seen(&mut workbook, name, strings.has_part())?;
            parts.push(part);
            if let Some(seen) = full {
                styles = Some(seen.styles);
                strings.fill_in(seen.odd)?;
            }
        }
        Ok(Self {
            sheets,
            parts,
            strings,
            styles: styles.ok_or(NotPlain)?,
        })
    }

    /// Gives the rows of a sheet to the gate.
    pub(crate) fn read_sheet(
        &self,
        package: &Package<'_>,
        sheet_idx: usize,
        gate: &mut Gate<'_>,
    ) -> Result<(), NotPlain> {
        let mut archive = package.archive()?;
        let part = archive.by_index(self.parts[sheet_idx]);
        let part = part.map_err(|_| NotPlain)?;
        cells::read(part, &self.strings, &self.styles, gate)
    }
}

impl Styles {
    /// What a number is in a cell of this style.
    fn given(&self, style: Option<usize>, number: f64) -> Result<Given<'static>, NotPlain> {
        let style = match style {
            Some(idx) => *self.by_idx.get(idx).ok_or(NotPlain)?,
            None => Style::Number,
        };
        let kind = match style {
            Style::Number => return Ok(Given::Raw(Raw::Number(number))),
            Style::DateTime => ExcelDateTimeType::DateTime,
            Style::Duration => ExcelDateTimeType::TimeDelta,
        };
        let moment = ExcelDateTime::new(number, kind, self.is_1904);
        Ok(moment::to_given(&moment))
    }
}

/// At least as many cell styles as there are.
fn count_styles(package: &Package<'_>, part: usize) -> Result<usize, NotPlain> {
    let mut archive = package.archive()?;
    let mut part = archive.by_index(part).map_err(|_| NotPlain)?;
    let mut styles = Vec::new();
    part.read_to_end(&mut styles).map_err(|_| NotPlain)?;
    match memmem::find_iter(&styles, "xf").count() {
        n @ 0..=MOST_STYLES => Ok(n),
        _ => Err(NotPlain),
    }
}

/// What stands after the declaration of XML, where there is one and it names no other encoding.
fn after_declaration(xml: &str) -> Result<&str, NotPlain> {
    let xml = xml.trim_ascii_start();
    if !xml.starts_with("<?xml ") {
        return Ok(xml);
    }
    let (declaration, rest) = xml["<?xml".len()..].split_once("?>").ok_or(NotPlain)?;
    // Some programs write it with the other kind of quotes.
    let declaration = declaration.replace('\'', "\"");
    for attribute in Attributes(&declaration) {
        match attribute? {
            ("version" | "standalone", _) => {}
            ("encoding", encoding) if encoding.eq_ignore_ascii_case("utf-8") => {}
            _ => return Err(NotPlain),
        }
    }
    Ok(rest.trim_ascii_start())
}

/// What calamine makes of the full model.
struct Seen {
    styles: Styles,
    odd: Vec<String>,
}

/// What the worksheets of the model workbook hold.
struct Models {
    nonce: u64,
    /// The part that has a cell of each style and of each odd text.
    full: usize,
    n_styles: usize,
    n_odd: usize,
}

impl Models {
    /// Says which part it stands in for; one of them what each style makes of the number 1, and what the odd texts are.
    fn sheet(&self, part: usize) -> Vec<u8> {
        let mut xml = String::from("<worksheet><sheetData><row>");
        let mut cell = |attributes: &str, value: u64| {
            // Writing to a string can't fail.
            let _ = write!(xml, "<c{attributes}><v>{value}</v></c>");
        };
        cell("", self.nonce);
        cell("", part as u64);
        if part == self.full {
            for style in 0..self.n_styles {
                cell(&format!(" s=\"{style}\""), 1);
            }
            for odd in 0..=self.n_odd {
                cell(" t=\"s\"", odd as u64);
            }
        }
        xml.push_str("</row></sheetData></worksheet>");
        xml.into_bytes()
    }

    /// Which part calamine takes for a sheet, and, of the full one, the styles and the odd texts.
    fn seen(
        &self,
        workbook: &mut calamine::Xlsx<Cursor<Vec<u8>>>,
        sheet_name: &str,
        has_strings: bool,
    ) -> Result<(usize, Option<Seen>), NotPlain> {
        let reader = workbook.worksheet_cells_reader(sheet_name);
        let mut reader = reader.map_err(|_| NotPlain)?;
        let mut next = || match reader.next_cell() {
            Ok(Some(cell)) => Ok(cell.get_value().clone()),
            Ok(None) | Err(_) => Err(NotPlain),
        };
        let mut number = || match next()? {
            DataRef::Float(number) => Ok(number),
            _ => Err(NotPlain),
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole numbers of 31 bits at most, from our own model"
        )]
        let (nonce, part) = (number()? as u64, number()? as usize);
        if nonce != self.nonce {
            return Err(NotPlain);
        }
        if part != self.full {
            return Ok((part, None));
        }
        let mut styles = Styles {
            by_idx: Vec::with_capacity(self.n_styles),
            is_1904: false,
        };
        for _ in 0..self.n_styles {
            styles.by_idx.push(match next()? {
                DataRef::Float(_) => Style::Number,
                DataRef::DateTime(moment) if moment.is_duration() => Style::Duration,
                DataRef::DateTime(moment) => {
                    let in_1904 = ExcelDateTime::new(1.0, ExcelDateTimeType::DateTime, true);
                    styles.is_1904 = moment == in_1904;
                    Style::DateTime
                }
                _ => return Err(NotPlain),
            });
        }
        let mut odd = Vec::with_capacity(self.n_odd);
        if has_strings {
            for _ in 0..self.n_odd {
                match next()? {
                    DataRef::SharedString(text) => odd.push(text.to_owned()),
                    _ => return Err(NotPlain),
                }
            }
            // The last one shows that this was the part that calamine reads, and that no other came between.
            if next()? != DataRef::SharedString(&self.nonce.to_string()) {
                return Err(NotPlain);
            }
        }
        Ok((part, Some(Seen { styles, odd })))
    }
}
