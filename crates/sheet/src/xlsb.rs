//! Excel binary workbooks (xlsb).

use std::borrow::Cow;
use std::io::Cursor;

use calamine::{Reader, XlsbError};

use crate::gate::{Gate, Given, Stop, gather};
use crate::package::Package;
use crate::{Refusal, SheetInfo, excel};

pub(crate) struct Xlsb<'b>(calamine::Xlsb<Cursor<Cow<'b, [u8]>>>);

impl<'b> Xlsb<'b> {
    pub(crate) fn open(package: Package<'b>) -> Result<Self, Refusal> {
        let opened = calamine::Xlsb::new(Cursor::new(package.bytes));
        opened.map(Self).map_err(|error| match error {
            XlsbError::Password => Refusal::password(),
            _ => Refusal::broken("The workbook"),
        })
    }

    pub(crate) fn sheets(&self) -> Vec<SheetInfo> {
        excel::worksheets(self.0.sheets_metadata())
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
        let mut reader = self.0.worksheet_cells_reader(name).map_err(broken)?;
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
