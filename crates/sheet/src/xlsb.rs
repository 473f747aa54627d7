//! Excel binary workbooks (xlsb).

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Cursor;

use calamine::{Reader, XlsbError};

use crate::beside::Beside;
use crate::gate::{Gate, Given, Stop, gather};
use crate::package::Package;
use crate::{Refusal, SheetInfo, excel};

pub(crate) struct Xlsb<'b> {
    workbook: calamine::Xlsb<Cursor<Cow<'b, [u8]>>>,
    beside: HashMap<String, Beside>,
}

impl<'b> Xlsb<'b> {
    pub(crate) fn open(package: Package<'b>) -> Result<Self, Refusal> {
        let opened = calamine::Xlsb::new(Cursor::new(package.bytes));
        let workbook = opened.map_err(|error| match error {
            XlsbError::Password => Refusal::password(),
            _ => Refusal::broken("The workbook"),
        })?;
        Ok(Self {
            workbook,
            beside: package.beside,
        })
    }

    pub(crate) fn sheets(&self) -> Vec<SheetInfo> {
        let mut sheets = excel::worksheets(self.workbook.sheets_metadata());
        for info in &mut sheets {
            if let Some(beside) = self.beside.get(&info.name) {
                info.beside = beside.clone();
            }
        }
        sheets
    }

    pub(crate) fn read(mut self, gate: &mut Gate<'_>) -> Result<(), Refusal> {
        for (sheet_idx, SheetInfo { name, .. }) in self.sheets().iter().enumerate() {
            gate.start_sheet(sheet_idx);
            match self.read_sheet(name, |next| gather(gate, next)) {
                Err(Stop::Disordered) => {
                    gate.restart_sheet();
                    self.read_sheet(name, |next| gate.sorted(next))
                }
                read => read,
            }
            .map_err(Stop::into_refusal)?;
        }
        Ok(())
    }

    /// A formula without a result can't be told from one whose result is zero.
    fn read_sheet<'x>(
        &'x mut self,
        name: &str,
        take: impl FnOnce(
            &mut dyn FnMut() -> Result<Option<(u32, u32, Given<'x>)>, Refusal>,
        ) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let broken = |_: XlsbError| Refusal::broken(&format!("The sheet \"{name}\""));
        let mut reader = self.workbook.worksheet_cells_reader(name).map_err(broken)?;
        take(&mut || {
            let Some(cell) = reader.next_cell().map_err(broken)? else {
                return Ok(None);
            };
            let (row_idx, column_idx) = cell.get_position();
            let given = excel::to_given(cell.get_value().clone());
            Ok(Some((row_idx, column_idx, given)))
        })
    }
}
