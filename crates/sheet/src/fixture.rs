//! How tests look at what was read of a handmade file.

pub(crate) mod xlsb;

use handmade::Parts;

use crate::{Limits, Refusal, Value, Workbook, read};

/// A handmade archive, read.
pub(crate) trait Reading {
    fn read_within(&self, limits: &Limits) -> Result<Workbook, Refusal>;

    fn read(&self) -> Result<Workbook, Refusal> {
        self.read_within(&Limits::default())
    }

    /// The first sheet's cells as `A1=…`, or the refusal's rule.
    fn shown(&self) -> String {
        match self.read() {
            Err(refusal) => refusal.rule.to_owned(),
            Ok(workbook) => show(&workbook.sheets[0]),
        }
    }
}

impl Reading for Parts {
    fn read_within(&self, limits: &Limits) -> Result<Workbook, Refusal> {
        read(&self.zip(), "return", limits)
    }
}

pub(crate) fn show(sheet: &crate::Sheet) -> String {
    let cells: Vec<String> = sheet
        .cells
        .iter()
        .map(|cell| {
            let place = finding::CellRef::new("", cell.row_idx, cell.column_idx).address();
            match &cell.value {
                Value::Text(text) => format!("{place}=\"{text}\""),
                Value::Number(number) => format!("{place}={number}"),
                Value::Boolean(truth) => format!("{place}={truth}"),
                Value::DateTime(moment) => format!("{place}={moment}"),
                Value::Error(name) => format!("{place}=error {name}"),
                Value::NotCalculated => format!("{place}=not calculated"),
                Value::GivenTwice => format!("{place}=given twice"),
            }
        })
        .collect();
    cells.join(", ")
}
