//! The cells of a workbook as they are read, held to the limits.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use finding::CellRef;

use crate::{Cell, Format, Limits, Refusal, Remark, Sheet, Value, Workbook};

/// Takes the cells of one sheet after another, in any order within a sheet.
pub(crate) struct Cells<'l> {
    limits: &'l Limits,
    sheets: Vec<Sheet>,
    /// In all sheets together.
    n_kept: usize,
    text_bytes: u64,
    /// Cells out of which a NUL character was taken.
    n_nul: usize,
}

impl<'l> Cells<'l> {
    pub(crate) fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            sheets: Vec::new(),
            n_kept: 0,
            text_bytes: 0,
            n_nul: 0,
        }
    }

    pub(crate) fn start_sheet(&mut self, name: &str, visible: bool) -> Result<(), Refusal> {
        if self.sheets.len() == self.limits.sheets {
            return Err(Refusal::too_many_sheets(self.limits.sheets));
        }
        // Spreadsheet programs don't tell upper from lower case in a sheet's name.
        let folded = name.to_lowercase();
        if self.sheets.iter().any(|s| s.name.to_lowercase() == folded) {
            return Err(Refusal::same_sheet_name(name));
        }
        self.sheets.push(Sheet {
            name: name.to_owned(),
            visible,
            cells: Vec::new(),
        });
        Ok(())
    }

    /// Adds a cell to the sheet that was started last; an empty text is no cell.
    pub(crate) fn push(
        &mut self,
        row_idx: u32,
        column_idx: u32,
        value: Value,
    ) -> Result<(), Refusal> {
        let Some(sheet) = self.sheets.last_mut() else {
            return Ok(());
        };
        let place = || CellRef::new(&sheet.name, row_idx, column_idx);
        if row_idx >= self.limits.rows || column_idx >= self.limits.columns {
            return Err(Refusal::outside_the_grid(&place().to_string()));
        }
        let value = match value {
            Value::Text(mut text) => {
                if text.contains('\0') {
                    text.retain(|c| c != '\0');
                    self.n_nul += 1;
                }
                if text.is_empty() {
                    return Ok(());
                }
                if text.len() > self.limits.characters
                    && text.chars().count() > self.limits.characters
                {
                    return Err(Refusal::text_too_long(&place(), self.limits.characters));
                }
                self.text_bytes += text.len() as u64;
                if self.text_bytes > self.limits.text_bytes {
                    return Err(Refusal::expands_too_far());
                }
                Value::Text(text)
            }
            Value::Number(number) if !number.is_finite() => Value::Error("not a number".to_owned()),
            value => value,
        };
        if self.n_kept == self.limits.cells {
            return Err(Refusal::too_many_cells(self.limits.cells));
        }
        self.n_kept += 1;
        sheet.cells.push(Cell {
            row_idx,
            column_idx,
            value,
        });
        Ok(())
    }

    /// Sorts the cells; no cell may be there twice, and at least one must be there.
    pub(crate) fn finish(
        mut self,
        format: Format,
        mut remarks: Vec<Remark>,
    ) -> Result<Workbook, Refusal> {
        let place = |cell: &Cell| (cell.row_idx, cell.column_idx);
        for sheet in &mut self.sheets {
            if !sheet.cells.is_sorted_by_key(place) {
                sheet.cells.sort_by_key(place);
            }
            let twice = sheet
                .cells
                .windows(2)
                .find(|w| place(&w[0]) == place(&w[1]));
            if let Some([cell, _]) = twice {
                return Err(Refusal::cell_twice(&CellRef::new(
                    &sheet.name,
                    cell.row_idx,
                    cell.column_idx,
                )));
            }
        }
        if self.n_kept == 0 {
            return Err(Refusal::no_data());
        }
        if self.n_nul > 0 {
            remarks.push(Remark {
                rule: "file.nul-removed",
                message: format!(
                    "An invisible character that can't be stored was removed from {} of the file's cells.",
                    self.n_nul
                ),
                fix: "Retype the texts that were copied from another system.".to_owned(),
            });
        }
        Ok(Workbook {
            format,
            sheets: self.sheets,
            remarks,
        })
    }
}

/// A date or time in ISO 8601, with or without its time, fraction and zone (which is dropped: a cell has none).
pub(crate) fn parse_iso_moment(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(date.and_time(NaiveTime::MIN));
    }
    let (date, time) = text.split_once('T')?;
    let time = time.split(['Z', '+', '-']).next()?;
    let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
    ["%H:%M:%S%.f", "%H:%M"]
        .iter()
        .find_map(|format| NaiveTime::parse_from_str(time, format).ok())
        .map(|time| date.and_time(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn cells_are_sorted_and_cleaned() {
        let limits = Limits::default();
        let mut cells = Cells::new(&limits);
        cells.start_sheet("A", true).unwrap();
        cells.push(1, 0, text("b\0c")).unwrap();
        cells.push(0, 1, Value::Number(f64::NAN)).unwrap();
        cells.push(0, 0, text(" ")).unwrap();
        cells.push(0, 2, text("\0")).unwrap();
        let workbook = cells.finish(Format::Xlsx, Vec::new()).unwrap();
        let shown: Vec<_> = workbook.sheets[0]
            .cells
            .iter()
            .map(|c| (c.row_idx, c.column_idx, c.value.clone()))
            .collect();
        assert_eq!(
            shown,
            [
                (0, 0, text(" ")),
                (0, 1, Value::Error("not a number".to_owned())),
                (1, 0, text("bc")),
            ]
        );
        assert_eq!(workbook.remarks[0].rule, "file.nul-removed");
        assert!(workbook.remarks[0].message.contains("2 of"));
    }

    #[test]
    fn what_goes_past_a_limit_is_refused() {
        let limits = Limits {
            sheets: 2,
            cells: 3,
            text_bytes: 8,
            characters: 4,
            rows: 10,
            columns: 5,
            ..Limits::default()
        };
        let refused = |pushes: &[(u32, u32, Value)]| {
            let mut cells = Cells::new(&limits);
            cells.start_sheet("A", true).unwrap();
            pushes
                .iter()
                .try_for_each(|(row, column, value)| cells.push(*row, *column, value.clone()))
                .and_then(|()| cells.finish(Format::Xlsx, Vec::new()))
                .map_or_else(|refusal| refusal.rule, |_| "read")
        };
        let one = || Value::Number(1.0);
        assert_eq!(refused(&[(9, 4, text("££££"))]), "read");
        assert_eq!(refused(&[(9, 4, text("£££££"))]), "file.text-too-long");
        assert_eq!(refused(&[(0, 0, text("££")), (0, 1, text("££"))]), "read");
        assert_eq!(
            refused(&[(0, 0, text("££")), (0, 1, text("£££"))]),
            "file.expands-too-far"
        );
        assert_eq!(refused(&[(10, 0, one())]), "file.outside-the-grid");
        assert_eq!(refused(&[(0, 5, one())]), "file.outside-the-grid");
        assert_eq!(
            refused(&[(0, 0, one()), (0, 1, one()), (0, 0, one())]),
            "file.cell-twice"
        );
        assert_eq!(
            refused(&[(0, 0, one()), (0, 1, one()), (0, 2, one()), (0, 3, one())]),
            "file.too-many-cells"
        );
        assert_eq!(refused(&[]), "file.no-data");
        assert_eq!(refused(&[(0, 0, text(""))]), "file.no-data");

        let mut cells = Cells::new(&limits);
        cells.start_sheet("Été", true).unwrap();
        assert_eq!(
            cells.start_sheet("ÉTÉ", true).unwrap_err().rule,
            "file.same-sheet-name"
        );
        cells.start_sheet("B", true).unwrap();
        assert_eq!(
            cells.start_sheet("C", true).unwrap_err().rule,
            "file.too-many-sheets"
        );
    }

    #[test]
    fn moments_are_read_from_iso_text() {
        let at = |hour, minute, second| {
            NaiveDate::from_ymd_opt(2026, 4, 15)
                .unwrap()
                .and_hms_opt(hour, minute, second)
        };
        for (text, moment) in [
            ("2026-04-15", at(0, 0, 0)),
            ("2026-04-15T10:30:05", at(10, 30, 5)),
            ("2026-04-15T10:30:05.000Z", at(10, 30, 5)),
            ("2026-04-15T10:30:05+01:00", at(10, 30, 5)),
            ("2026-04-15T10:30", at(10, 30, 0)),
            ("2026-02-30", None),
            ("15/04/2026", None),
            ("2026-04-15T25:00:00", None),
        ] {
            assert_eq!(parse_iso_moment(text), moment, "{text}");
        }
    }
}
