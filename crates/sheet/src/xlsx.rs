//! Excel workbooks (xlsx).

use std::borrow::Cow;
use std::io::Cursor;

use calamine::{DataRef, Reader, XlsxError};

use crate::gate::{Gate, Given, Stop, gather};
use crate::package::Package;
use crate::plain::Plain;
use crate::{Raw, Refusal, SheetInfo, excel};

pub(crate) struct Xlsx<'b> {
    package: Package<'b>,
    sheets: Vec<SheetInfo>,
    /// Of a large workbook, whose sheets may be plain.
    plain: Option<Plain>,
    whole: Option<Whole<'b>>,
}

/// A workbook that calamine reads.
struct Whole<'b> {
    workbook: calamine::Xlsx<Cursor<Cow<'b, [u8]>>>,
    never_calculated: bool,
}

impl<'b> Xlsx<'b> {
    pub(crate) fn open(package: Package<'b>) -> Result<Self, Refusal> {
        let plain = package
            .has_large
            .then(|| Plain::open(&package).ok())
            .flatten();
        let mut opened = Self {
            package,
            sheets: Vec::new(),
            plain,
            whole: None,
        };
        opened.sheets = match &opened.plain {
            Some(plain) => plain.sheets.clone(),
            None => excel::worksheets(opened.whole()?.workbook.sheets_metadata()),
        };
        for info in &mut opened.sheets {
            if let Some(beside) = opened.package.beside.get(&info.name) {
                info.beside = beside.clone();
            }
        }
        Ok(opened)
    }

    pub(crate) fn sheets(&self) -> Vec<SheetInfo> {
        self.sheets.clone()
    }

    pub(crate) fn read(mut self, gate: &mut Gate<'_>) -> Result<(), Refusal> {
        for (sheet_idx, SheetInfo { name, .. }) in
            std::mem::take(&mut self.sheets).iter().enumerate()
        {
            gate.start_sheet(sheet_idx);
            if let Some(plain) = &self.plain {
                if plain.read_sheet(&self.package, sheet_idx, gate).is_ok() {
                    continue;
                }
                gate.restart_sheet();
            }
            self.whole()?.read(name, gate)?;
        }
        Ok(())
    }

    fn whole(&mut self) -> Result<&mut Whole<'b>, Refusal> {
        let whole = match self.whole.take() {
            Some(whole) => whole,
            None => Whole::open(&self.package)?,
        };
        Ok(self.whole.insert(whole))
    }
}

impl<'b> Whole<'b> {
    fn open(package: &Package<'b>) -> Result<Self, Refusal> {
        let opened = calamine::Xlsx::new(Cursor::new(package.bytes.clone()));
        let workbook = opened.map_err(|error| match error {
            XlsxError::Password => Refusal::password(),
            _ => Refusal::broken("The workbook"),
        })?;
        Ok(Self {
            workbook,
            never_calculated: package.never_calculated,
        })
    }

    fn read(&mut self, name: &str, gate: &mut Gate<'_>) -> Result<(), Refusal> {
        let read = match self.read_sheet(name, |next| gather(gate, next)) {
            Err(Stop::Disordered) => {
                gate.restart_sheet();
                self.read_sheet(name, |next| gate.sorted(next))
            }
            read => read,
        };
        read.map_err(Stop::into_refusal)
    }

    /// With the streaming reader: a sheet's extent is never allocated.
    fn read_sheet<'x>(
        &'x mut self,
        name: &str,
        take: impl FnOnce(
            &mut dyn FnMut() -> Result<Option<(u32, u32, Given<'x>)>, Refusal>,
        ) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let broken = |_: XlsxError| Refusal::broken(&format!("The sheet \"{name}\""));
        let never_calculated = self.never_calculated;
        let mut reader = match self.workbook.worksheet_cells_reader(name) {
            // A sheet of another kind that is listed as a worksheet has no cells.
            Err(XlsxError::NotAWorksheet(_)) => return Ok(()),
            reader => reader.map_err(broken)?,
        };
        take(&mut || {
            while let Some(cell) = reader.next_cell_with_formula_metadata().map_err(broken)? {
                let given = match (cell.value, &cell.formula) {
                    (DataRef::Empty, Some(_)) => Given::Raw(Raw::NotCalculated),
                    (DataRef::Float(0.0) | DataRef::Int(0), Some(_)) if never_calculated => {
                        Given::Raw(Raw::NotCalculated)
                    }
                    (DataRef::Empty, None) => continue,
                    (value, _) => excel::to_given(value),
                };
                return Ok(Some((cell.pos.0, cell.pos.1, given)));
            }
            Ok(None)
        })
    }
}

#[cfg(test)]
mod tests {
    use handmade::Parts;

    use crate::Limits;
    use crate::fixture::{Reading as _, show};

    fn shown(rows: &str) -> String {
        Parts::xlsx(rows).shown()
    }

    #[test]
    fn cells_are_read_as_the_spreadsheet_holds_them() {
        assert_eq!(
            shown(
                "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t xml:space=\"preserve\"> x </t></is></c><c r=\"B1\"><v>0.1</v></c><c r=\"C1\" t=\"b\"><v>1</v></c><c r=\"D1\" s=\"1\"><v>46127</v></c><c r=\"E1\" s=\"1\"/></row><row r=\"3\"><c r=\"A3\" t=\"e\"><v>#N/A</v></c><c r=\"B3\" t=\"d\"><v>2026-04-15T00:00:00</v></c><c r=\"C3\" t=\"str\"><v></v></c></row>"
            ),
            "A1=\" x \", B1=0.1, C1=true, D1=2026-04-15 00:00:00, A3=error #N/A, B3=2026-04-15 00:00:00"
        );
    }

    #[test]
    fn an_unknown_error_value_is_one_cell_and_the_rest_is_read() {
        assert_eq!(
            shown(
                "<row r=\"1\"><c r=\"A1\"><v>1</v></c><c r=\"B1\" t=\"e\"><f>X1#</f><v>#SPILL!</v></c><c r=\"C1\" t=\"e\"><v>#REF!</v></c><c r=\"D1\" t=\"e\"><v>#GETTING_DATA</v></c><c r=\"E1\"><v>2</v></c></row>"
            ),
            "A1=1, B1=error #SPILL!, C1=error #REF!, D1=error #GETTING_DATA, E1=2"
        );
    }

    #[test]
    fn an_error_value_that_has_no_name_is_one_all_the_same() {
        let error =
            |column: char, name: &str| format!("<c r=\"{column}1\" t=\"e\"><v>{name}</v></c>");
        let row = [
            error('A', "_x0000_"),
            error('B', &"#LONG".repeat(10)),
            error('C', "a_x000A_b"),
        ];
        assert_eq!(
            shown(&format!("<row r=\"1\">{}</row>", row.concat())),
            "A1=error #ERROR!, B1=error #ERROR!, C1=error #ERROR!"
        );
    }

    #[test]
    fn a_formula_is_its_result_or_was_never_calculated() {
        assert_eq!(
            shown(
                "<row r=\"1\"><c r=\"A1\"><f>1+1</f><v>2</v></c><c r=\"B1\"><f>1+1</f></c><c r=\"C1\"><f>1+1</f><v/></c><c r=\"D1\" t=\"str\"><f>\"\"</f><v></v></c><c r=\"E1\"><f t=\"shared\" si=\"4000000000\"/></c></row>"
            ),
            "A1=2, B1=not calculated, C1=not calculated, E1=not calculated"
        );
    }

    #[test]
    fn two_cells_at_the_ends_of_the_grid_are_two_cells() {
        assert_eq!(
            shown(
                "<row r=\"1\"><c r=\"A1\"><v>1</v></c></row><row r=\"1048576\"><c r=\"XFD1048576\"><v>2</v></c></row>"
            ),
            "A1=1, XFD1048576=2"
        );
        for place in ["XFE1", "A1048577", "ZZZZZZZ1", "A4294967295", "A4294967297"] {
            assert_eq!(
                shown(&format!("<row><c r=\"{place}\"><v>1</v></c></row>")),
                "file.outside-the-grid",
                "{place}"
            );
        }
        assert_eq!(shown("<row><c r=\"A0\"><v>1</v></c></row>"), "file.broken");
    }

    #[test]
    fn rows_out_of_order_are_sorted_and_a_cell_given_twice_has_no_value() {
        assert_eq!(
            shown(
                "<row r=\"2\"><c r=\"B2\"><v>4</v></c><c r=\"A2\"><v>3</v></c></row><row r=\"1\"><c r=\"A1\"><v>1</v></c></row>"
            ),
            "A1=1, A2=3, B2=4"
        );
        let one = "<c r=\"A1\"><v>1</v></c>";
        assert_eq!(
            shown(&format!(
                "<row><c r=\"B1\"><v>2</v></c>{one}<c r=\"A1\"/>{one}{one}</row>"
            )),
            "A1=given twice, B1=2"
        );
    }

    #[test]
    fn dates_count_from_1904_where_the_workbook_says_so() {
        let rows = "<row><c r=\"A1\" s=\"1\"><v>44665</v></c></row>";
        let parts = Parts::xlsx(rows)
            .changed("xl/workbook.xml", "<workbookPr/>", "<workbookPr date1904=\"1\"/>")
            // Excel 2013 and later add this, which older readers took for "not 1904".
            .changed(
                "xl/workbook.xml",
                "</workbook>",
                "<extLst><ext xmlns:x15=\"http://schemas.microsoft.com/office/spreadsheetml/2010/11/main\"><x15:workbookPr chartTrackingRefBase=\"1\"/></ext></extLst></workbook>",
            );
        assert_eq!(parts.shown(), "A1=2026-04-15 00:00:00");
        // A time alone is of no day.
        let time = parts.changed(
            "xl/worksheets/sheet1.xml",
            "s=\"1\"><v>44665",
            "s=\"3\"><v>0.4375",
        );
        assert_eq!(time.shown(), "A1=1899-12-31 10:30:00");
        assert_eq!(shown(rows), "A1=2022-04-14 00:00:00");
    }

    #[test]
    fn times_durations_and_impossible_dates_stay_visible() {
        assert_eq!(
            shown(
                "<row><c r=\"A1\" s=\"3\"><v>0.4375</v></c><c r=\"B1\" s=\"2\"><v>1.5625</v></c><c r=\"C1\" s=\"1\"><v>-1</v></c><c r=\"D1\" s=\"1\"><v>2958466</v></c><c r=\"E1\" s=\"1\"><v>-1e300</v></c><c r=\"F1\" s=\"2\"><v>1e300</v></c></row>"
            )
            .replace(&format!("{}", 1e300), "1e300"),
            "A1=1899-12-31 10:30:00, B1=\"37:30:00\", C1=-1, D1=2958466, E1=-1e300, F1=1e300"
        );
        assert_eq!(
            shown("<row><c r=\"A1\"><v>1E+400</v></c><c r=\"B1\"><v>NaN</v></c></row>"),
            "A1=error not a number, B1=error not a number"
        );
    }

    #[test]
    fn sheets_may_be_hidden_but_not_share_a_name() {
        let row = "<row><c r=\"A1\"><v>1</v></c></row>";
        let workbook = Parts::xlsx_sheets(&[
            ("A", "", row),
            ("B", "state=\"hidden\"", row),
            ("C", "state=\"veryHidden\"", ""),
        ])
        .read()
        .unwrap();
        let shown: Vec<_> = workbook
            .sheets
            .iter()
            .map(|sheet| (sheet.name.as_str(), sheet.visible, show(sheet)))
            .collect();
        assert_eq!(
            shown,
            [
                ("A", true, "A1=1".to_owned()),
                ("B", false, "A1=1".to_owned()),
                ("C", false, String::new()),
            ]
        );
        let twice = Parts::xlsx_sheets(&[("A", "", row), ("a", "", row)]);
        assert_eq!(twice.shown(), "file.same-sheet-name");
    }

    #[test]
    fn a_workbook_without_data_or_with_a_part_missing_is_refused() {
        assert_eq!(shown(""), "file.no-data");
        assert_eq!(Parts::xlsx_sheets(&[]).shown(), "file.no-data");
        let refusal = Parts::xlsx("")
            .changed("xl/_rels/workbook.xml.rels", "sheet1.xml", "sheet7.xml")
            .read()
            .unwrap_err();
        assert_eq!(refusal.rule, "file.broken");
        assert_eq!(
            refusal.message,
            "The sheet \"A\" is damaged and can't be read."
        );
        assert_eq!(shown("<row><c r=\"A1\"><v>1</v>"), "file.broken");
    }

    #[test]
    fn a_nul_character_in_a_text_is_removed_with_a_remark() {
        let workbook =
            Parts::xlsx("<row><c r=\"A1\" t=\"inlineStr\"><is><t>a_x0000_b</t></is></c></row>")
                .read()
                .unwrap();
        assert_eq!(show(&workbook.sheets[0]), "A1=\"ab\"");
        assert_eq!(workbook.remarks[0].rule, "file.nul-removed");
    }

    #[test]
    fn shared_texts_are_counted_in_each_of_their_cells() {
        let parts = Parts::xlsx(
            "<row><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>0</v></c></row>",
        )
        .with(
            "xl/sharedStrings.xml",
            "<sst uniqueCount=\"1\"><si><t>1234567890</t></si></sst>",
        );
        assert_eq!(parts.shown(), "A1=\"1234567890\", B1=\"1234567890\"");
        let limits = Limits {
            text_bytes: 19,
            ..Limits::default()
        };
        assert_eq!(
            parts.read_within(&limits).unwrap_err().rule,
            "file.expands-too-far"
        );
        assert_eq!(
            Parts::xlsx("<row><c r=\"A1\" t=\"s\"><v>1</v></c></row>").shown(),
            "file.broken"
        );
    }
}
