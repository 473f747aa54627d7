//! Excel 97–2003 workbooks (xls), and what else is kept in a compound file.

use std::io::Cursor;

use calamine::{Data, DataRef, Reader, XlsError};
use memchr::memmem;

use crate::gate::{Gate, Stop, gather};
use crate::{Refusal, Remark, SheetInfo, excel, package};

/// All of it is in memory: the format's records refer to one another.
pub(crate) struct Xls<'b> {
    workbook: calamine::Xls<Cursor<&'b [u8]>>,
    has_macros: bool,
}

impl<'b> Xls<'b> {
    /// A compound file: an old workbook, an encrypted new one, or another program's document.
    pub(crate) fn open(bytes: &'b [u8]) -> Result<Self, Refusal> {
        let holds = |name: &str| {
            let utf16: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            memmem::find(bytes, &utf16).is_some()
        };
        if holds("EncryptedPackage") {
            return Err(Refusal::password());
        }
        // The header fills one sector of 512 bytes, and a directory and a table of sectors follow.
        if bytes.len() < 3 * 512 {
            return Err(Refusal::cut_off());
        }
        if !holds("Workbook") && !holds("Book") && !holds("WORKBOOK") && !holds("BOOK") {
            return Err(Refusal::not_a_spreadsheet(if holds("WordDocument") {
                "a Word document"
            } else if holds("PowerPoint Document") {
                "a PowerPoint presentation"
            } else if holds("__substg1.0_") {
                "an Outlook message"
            } else {
                "a document of another program"
            }));
        }
        // A record that the reader does not heed: the weakest of three kinds of protection.
        let scrambled = || memmem::find(bytes, b"\x2f\x00\x06\x00\x00\x00").is_some();
        let workbook = calamine::Xls::new(Cursor::new(bytes)).map_err(|error| match error {
            XlsError::Password => Refusal::password(),
            _ if scrambled() => Refusal::password(),
            _ => Refusal::broken("The workbook"),
        })?;
        Ok(Self {
            workbook,
            has_macros: holds("_VBA_PROJECT_CUR"),
        })
    }

    pub(crate) fn sheets(&self) -> Vec<SheetInfo> {
        excel::worksheets(self.workbook.sheets_metadata())
    }

    pub(crate) fn remark(&self) -> Option<Remark> {
        self.has_macros.then(package::remark_on_macros)
    }

    pub(crate) fn read(mut self, gate: &mut Gate<'_>) -> Result<(), Refusal> {
        for (sheet_idx, SheetInfo { name, .. }) in self.sheets().iter().enumerate() {
            gate.start_sheet(sheet_idx);
            let range = self
                .workbook
                .worksheet_range(name)
                .map_err(|_| Refusal::broken(&format!("The sheet \"{name}\"")))?;
            let (first_row, first_column) = range.start().unwrap_or_default();
            let mut cells = range.used_cells();
            let next = || {
                Ok(cells.next().map(|(row_idx, column_idx, data)| {
                    (
                        first_row + small(row_idx),
                        first_column + small(column_idx),
                        excel::to_given(borrow(data)),
                    )
                }))
            };
            gather(gate, next).map_err(Stop::into_refusal)?;
        }
        Ok(())
    }
}

/// A place in a range, which has at most 2^16 rows and 2^8 columns.
fn small(idx: usize) -> u32 {
    u32::try_from(idx).unwrap_or(u32::MAX / 2)
}

fn borrow(data: &Data) -> DataRef<'_> {
    match data {
        Data::Int(number) => DataRef::Int(*number),
        Data::Float(number) => DataRef::Float(*number),
        Data::String(text) => DataRef::SharedString(text),
        Data::Bool(truth) => DataRef::Bool(*truth),
        Data::DateTime(moment) => DataRef::DateTime(*moment),
        Data::DateTimeIso(text) => DataRef::DateTimeIso(text.clone()),
        Data::DurationIso(text) => DataRef::DurationIso(text.clone()),
        Data::Error(error) => DataRef::Error(error.clone()),
        Data::Empty => DataRef::Empty,
    }
}

#[cfg(test)]
mod tests {
    use crate::Limits;

    #[test]
    fn compound_files_are_told_apart() {
        let compound = |name: &str, n_bytes: usize| {
            let mut bytes = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
            bytes.resize(2048, 0);
            bytes.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
            bytes.resize(4096, 0);
            bytes.truncate(n_bytes);
            crate::read(&bytes, "return.xls", &Limits::default()).unwrap_err()
        };
        assert_eq!(compound("EncryptedPackage", 4096).rule, "file.password");
        assert_eq!(compound("Workbook", 4096).rule, "file.broken");
        assert_eq!(compound("Workbook", 1000).rule, "file.cut-off");
        let word = compound("WordDocument", 4096);
        assert_eq!(word.rule, "file.not-a-spreadsheet");
        assert_eq!(
            word.message,
            "The file is a Word document, not a spreadsheet."
        );
    }
}
