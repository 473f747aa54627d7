//! What every row passes on its way to the sink: the limits, and the order that the sink relies on.

use std::collections::BTreeSet;

use finding::CellRef;

use crate::{Limits, Line, Raw, RawCell, Refusal, Remark, SheetInfo, Sink, Value, remarks};

/// Why the reading of a sheet ends before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    Refused(Refusal),
    /// A row or cell came after one that it should come before, or a cell came twice.
    Disordered,
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Stop::Refused(refusal)
    }
}

impl Stop {
    /// Where an order is certain, or was made.
    pub(crate) fn into_refusal(self) -> Refusal {
        match self {
            Stop::Refused(refusal) => refusal,
            Stop::Disordered => Refusal::broken("The file"),
        }
    }
}

/// Takes the rows of one sheet after another.
pub(crate) struct Gate<'s> {
    limits: &'s Limits,
    sheets: &'s [SheetInfo],
    sink: &'s mut dyn Sink,
    sheet_idx: usize,
    last_row_idx: Option<u32>,
    counts: Counts,
    /// Before the sheet that was started last.
    earlier: Counts,
    within_sink: bool,
    /// Hidden rows and columns that have something in them, by sheet.
    hidden_rows: BTreeSet<(usize, u32)>,
    hidden_columns: BTreeSet<(usize, u32)>,
}

/// In all sheets together.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    cells: usize,
    /// Cells out of which nothing came: they are as much work as others.
    blank: usize,
    text_bytes: u64,
    /// Cells out of which a NUL character was taken.
    nul: usize,
}

/// A cell that is within the limits.
enum Admitted {
    AsGiven,
    Blank,
    /// Infinite, or no number at all.
    NotANumber,
    /// An error value by a name that is none.
    Unnamed,
    /// A text out of which NUL characters were taken.
    Cleaned(String),
}

impl Admitted {
    fn value(self, given: Raw<'_>) -> Option<Value> {
        match self {
            Admitted::AsGiven => Some(given.into()),
            Admitted::Blank => None,
            Admitted::NotANumber => Some(Value::Error("not a number".to_owned())),
            Admitted::Unnamed => Some(Value::Error("#ERROR!".to_owned())),
            Admitted::Cleaned(text) => Some(Value::Text(text)),
        }
    }
}

impl<'s> Gate<'s> {
    pub(crate) fn new(limits: &'s Limits, sheets: &'s [SheetInfo], sink: &'s mut dyn Sink) -> Self {
        Self {
            limits,
            sheets,
            sink,
            sheet_idx: 0,
            last_row_idx: None,
            counts: Counts::default(),
            earlier: Counts::default(),
            within_sink: false,
            hidden_rows: BTreeSet::new(),
            hidden_columns: BTreeSet::new(),
        }
    }

    /// Whether a panic that was caught came from the sink, and so from no reader.
    pub(crate) fn is_within_sink(&self) -> bool {
        self.within_sink
    }

    pub(crate) fn start_sheet(&mut self, sheet_idx: usize) {
        self.sheet_idx = sheet_idx;
        self.earlier = self.counts;
        self.restart_sheet();
    }

    /// What came of the sheet that was started last is void.
    pub(crate) fn restart_sheet(&mut self) {
        self.counts = self.earlier;
        self.last_row_idx = None;
        self.within_sink = true;
        self.sink.start_sheet(self.sheet_idx);
        self.within_sink = false;
    }

    /// Blank texts are passed over; nothing but them needs no order.
    pub(crate) fn row(&mut self, row_idx: u32, cells: &[RawCell<'_>]) -> Result<(), Stop> {
        if self.admit_whole(row_idx, cells) {
            return self.emit(row_idx, cells);
        }
        let mut next_column_idx = 0;
        for (idx, cell) in cells.iter().enumerate() {
            let admitted = self.admit(row_idx, *cell)?;
            let Admitted::AsGiven = admitted else {
                return self.mended_row(row_idx, cells, idx, admitted);
            };
            if cell.column_idx < next_column_idx {
                return Err(Stop::Disordered);
            }
            next_column_idx = cell.column_idx + 1;
        }
        self.emit(row_idx, cells)
    }

    /// A row with a cell, the first at `mended_idx`, that is not given on as it came.
    fn mended_row(
        &mut self,
        row_idx: u32,
        cells: &[RawCell<'_>],
        mended_idx: usize,
        admitted: Admitted,
    ) -> Result<(), Stop> {
        let mut values: Vec<(u32, Value)> = Vec::with_capacity(cells.len());
        let mut keep = |cell: &RawCell<'_>, admitted: Admitted| {
            let value = admitted.value(cell.raw);
            values.extend(value.map(|value| (cell.column_idx, value)));
        };
        for cell in &cells[..mended_idx] {
            keep(cell, Admitted::AsGiven);
        }
        keep(&cells[mended_idx], admitted);
        for cell in &cells[mended_idx + 1..] {
            keep(cell, self.admit(row_idx, *cell)?);
        }
        if values.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return Err(Stop::Disordered);
        }
        self.emit_values(row_idx, values.iter().map(|(idx, value)| (*idx, value)))
    }

    /// Where the next row of separated values stands.
    pub(crate) fn line(&mut self, line: Line) {
        self.within_sink = true;
        self.sink.line(line);
        self.within_sink = false;
    }

    /// Cells in any order, each counted before it is kept.
    pub(crate) fn sorted<'x>(
        &mut self,
        mut next: impl FnMut() -> Result<Option<(u32, u32, Given<'x>)>, Refusal>,
    ) -> Result<(), Stop> {
        let mut cells: Vec<(u32, u32, Value)> = Vec::new();
        while let Some((row_idx, column_idx, given)) = next()? {
            let raw = given.raw();
            let admitted = self.admit(row_idx, RawCell { column_idx, raw })?;
            let value = admitted.value(raw);
            cells.extend(value.map(|value| (row_idx, column_idx, value)));
        }
        let place = |cell: &(u32, u32, Value)| (cell.0, cell.1);
        cells.sort_by_key(place);
        cells.dedup_by(|again, first| {
            let is_twice = place(again) == place(first);
            if is_twice {
                first.2 = Value::GivenTwice;
            }
            is_twice
        });
        for row in cells.chunk_by(|a, b| a.0 == b.0) {
            let values = row
                .iter()
                .map(|(_, column_idx, value)| (*column_idx, value));
            self.emit_values(row[0].0, values)?;
        }
        Ok(())
    }

    fn emit_values<'v>(
        &mut self,
        row_idx: u32,
        values: impl Iterator<Item = (u32, &'v Value)>,
    ) -> Result<(), Stop> {
        let cells: Vec<RawCell<'v>> = values
            .map(|(column_idx, value)| RawCell {
                column_idx,
                raw: value.into(),
            })
            .collect();
        self.emit(row_idx, &cells)
    }

    fn emit(&mut self, row_idx: u32, cells: &[RawCell<'_>]) -> Result<(), Stop> {
        if cells.is_empty() {
            return Ok(());
        }
        if self.last_row_idx.is_some_and(|last| last >= row_idx) {
            return Err(Stop::Disordered);
        }
        self.last_row_idx = Some(row_idx);
        self.look_for_hidden(row_idx, cells);
        self.within_sink = true;
        self.sink.row(row_idx, cells);
        self.within_sink = false;
        Ok(())
    }

    fn look_for_hidden(&mut self, row_idx: u32, cells: &[RawCell<'_>]) {
        let Some(info) = self.sheets.get(self.sheet_idx) else {
            return;
        };
        if !info.beside.hidden_columns.is_empty() {
            let hidden = cells
                .iter()
                .map(|cell| cell.column_idx)
                .filter(|column_idx| info.beside.hides_column(*column_idx))
                .map(|column_idx| (self.sheet_idx, column_idx));
            self.hidden_columns.extend(hidden);
        }
        if info.beside.hides_row(row_idx) {
            self.hidden_rows.insert((self.sheet_idx, row_idx));
        }
    }

    /// Counts a row in which nothing has to be mended and no limit is near, as nearly every row is.
    ///
    /// False, with nothing counted, where each of its cells has to be looked at by itself.
    fn admit_whole(&mut self, row_idx: u32, cells: &[RawCell<'_>]) -> bool {
        let mut next_column_idx = 0;
        let mut text_bytes = self.counts.text_bytes;
        for cell in cells {
            let is_plain = match cell.raw {
                Raw::Text(text) => {
                    text_bytes += text.len() as u64;
                    (1..=self.limits.characters).contains(&text.len())
                        && !text.as_bytes().contains(&0)
                }
                Raw::Number(number) => number.is_finite(),
                Raw::Boolean(_) | Raw::DateTime(_) => true,
                Raw::Error(_) | Raw::NotCalculated | Raw::GivenTwice => false,
            };
            if !is_plain || cell.column_idx < next_column_idx {
                return false;
            }
            next_column_idx = cell.column_idx.saturating_add(1);
        }
        let n_cells = self.counts.cells + cells.len();
        let fits = row_idx < self.limits.rows
            && next_column_idx <= self.limits.columns
            && n_cells <= self.limits.cells
            && text_bytes <= self.limits.text_bytes;
        if fits {
            self.counts.cells = n_cells;
            self.counts.text_bytes = text_bytes;
        }
        fits
    }

    /// Counts a cell and holds it to the limits.
    #[inline]
    fn admit(&mut self, row_idx: u32, cell: RawCell<'_>) -> Result<Admitted, Refusal> {
        let RawCell { column_idx, raw } = cell;
        if row_idx >= self.limits.rows || column_idx >= self.limits.columns {
            let place = self.place(row_idx, column_idx);
            return Err(Refusal::outside_the_grid(&place.to_string()));
        }
        let admitted = match raw {
            Raw::Text(text) if text.as_bytes().contains(&0) => {
                self.counts.nul += 1;
                let text = text.replace('\0', "");
                if text.is_empty() {
                    self.counts.blank += 1;
                    if self.counts.blank > self.limits.cells {
                        return Err(Refusal::too_many_cells(self.limits.cells));
                    }
                    return Ok(Admitted::Blank);
                }
                self.count_text(row_idx, column_idx, &text)?;
                Admitted::Cleaned(text)
            }
            Raw::Text("") => return Ok(Admitted::Blank),
            Raw::Text(text) => {
                self.count_text(row_idx, column_idx, text)?;
                Admitted::AsGiven
            }
            Raw::Number(number) if !number.is_finite() => Admitted::NotANumber,
            Raw::Error(name) if !is_error_name(name) => Admitted::Unnamed,
            _ => Admitted::AsGiven,
        };
        if self.counts.cells == self.limits.cells {
            return Err(Refusal::too_many_cells(self.limits.cells));
        }
        self.counts.cells += 1;
        Ok(admitted)
    }

    #[inline]
    fn count_text(&mut self, row_idx: u32, column_idx: u32, text: &str) -> Result<(), Refusal> {
        if text.len() > self.limits.characters && text.chars().count() > self.limits.characters {
            let place = self.place(row_idx, column_idx);
            return Err(Refusal::text_too_long(&place, self.limits.characters));
        }
        self.counts.text_bytes += text.len() as u64;
        if self.counts.text_bytes > self.limits.text_bytes {
            return Err(Refusal::expands_too_far());
        }
        Ok(())
    }

    fn place(&self, row_idx: u32, column_idx: u32) -> CellRef {
        let name = self.sheets.get(self.sheet_idx).map(|info| &*info.name);
        CellRef::new(name.unwrap_or_default(), row_idx, column_idx)
    }

    /// At least one cell must have come.
    pub(crate) fn finish(&self) -> Result<Vec<Remark>, Refusal> {
        if self.counts.cells == 0 {
            return Err(Refusal::no_data());
        }
        let nul = (self.counts.nul > 0).then(|| {
            Remark::new(
                "file.nul-removed",
                format!(
                    "An invisible character that can't be stored was removed from {} of the file's cells.",
                    self.counts.nul
                ),
                "Retype the texts that were copied from another system.",
            )
        });
        let hidden = [
            remarks::hidden_rows(self.hidden_rows.len()),
            remarks::hidden_columns(self.hidden_columns.len()),
        ];
        Ok(nul
            .into_iter()
            .chain(hidden.into_iter().flatten())
            .collect())
    }
}

/// `#SPILL!`, `Err:502`: a file may call an error anything.
fn is_error_name(name: &str) -> bool {
    const LONGEST: usize = 30;
    // Its length first: one of a hundred thousand blanks may stand in a million cells.
    name.len() <= LONGEST && !name.trim().is_empty() && !name.contains(char::is_control)
}

/// What a reader that gives cells one by one found in one of them.
pub(crate) enum Given<'x> {
    Raw(Raw<'x>),
    Text(String),
    Error(String),
}

impl Given<'_> {
    pub(crate) fn raw(&self) -> Raw<'_> {
        match self {
            Given::Raw(raw) => *raw,
            Given::Text(text) => Raw::Text(text),
            Given::Error(name) => Raw::Error(name),
        }
    }
}

/// Cells that come one by one, gathered into rows.
pub(crate) fn gather<'x>(
    gate: &mut Gate<'_>,
    mut next: impl FnMut() -> Result<Option<(u32, u32, Given<'x>)>, Refusal>,
) -> Result<(), Stop> {
    let mut row: Vec<(u32, Given<'x>)> = Vec::new();
    let mut current = None;
    while let Some((row_idx, column_idx, given)) = next()? {
        if current != Some(row_idx) {
            flush(gate, current, &mut row)?;
            current = Some(row_idx);
        }
        row.push((column_idx, given));
    }
    flush(gate, current, &mut row)
}

pub(crate) fn flush(
    gate: &mut Gate<'_>,
    row_idx: Option<u32>,
    row: &mut Vec<(u32, Given<'_>)>,
) -> Result<(), Stop> {
    let Some(row_idx) = row_idx else {
        return Ok(());
    };
    let cells: Vec<RawCell<'_>> = row
        .iter()
        .map(|(column_idx, given)| RawCell {
            column_idx: *column_idx,
            raw: given.raw(),
        })
        .collect();
    gate.row(row_idx, &cells)?;
    row.clear();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Collect;

    fn info(name: &str) -> SheetInfo {
        SheetInfo::new(name, true)
    }

    type Row<'a> = (u32, &'a [(u32, Raw<'a>)]);

    /// The cells and remarks that come out, or the refusal's rule; `disordered` where that stops it.
    fn passed(limits: &Limits, rows: &[Row<'_>]) -> Result<(Vec<String>, Vec<Remark>), String> {
        let sheets = [info("A")];
        let mut collect = Collect::new(&sheets);
        let mut gate = Gate::new(limits, &sheets, &mut collect);
        gate.start_sheet(0);
        for (row_idx, cells) in rows {
            let cells: Vec<_> = cells
                .iter()
                .map(|&(column_idx, raw)| RawCell { column_idx, raw })
                .collect();
            gate.row(*row_idx, &cells).map_err(|stop| match stop {
                Stop::Refused(refusal) => refusal.rule.to_owned(),
                Stop::Disordered => "disordered".to_owned(),
            })?;
        }
        let remarks = gate.finish().map_err(|refusal| refusal.rule.to_owned())?;
        let cells = collect.sheets[0].cells.iter();
        let shown = cells.map(|c| format!("{} {} {:?}", c.row_idx, c.column_idx, c.value));
        Ok((shown.collect(), remarks))
    }

    const ONE: Raw<'_> = Raw::Number(1.0);

    #[test]
    fn cells_are_cleaned() {
        let blanks = " ".repeat(100_000);
        let rows: &[Row<'_>] = &[
            (
                0,
                &[
                    (0, Raw::Text(" ")),
                    (1, Raw::Number(f64::NAN)),
                    (2, Raw::Text("\0")),
                    (3, Raw::Text("")),
                    (4, ONE),
                    (5, Raw::Error(&blanks)),
                    (6, Raw::Error("\n")),
                    (7, Raw::Error("Err:502")),
                ],
            ),
            (1, &[(3, Raw::Text(""))]),
            (1, &[(0, Raw::Text("b\0c"))]),
        ];
        let (cells, remarks) = passed(&Limits::default(), rows).unwrap();
        assert_eq!(
            cells,
            [
                "0 0 Text(\" \")",
                "0 1 Error(\"not a number\")",
                "0 4 Number(1.0)",
                "0 5 Error(\"#ERROR!\")",
                "0 6 Error(\"#ERROR!\")",
                "0 7 Error(\"Err:502\")",
                "1 0 Text(\"bc\")",
            ]
        );
        assert_eq!(remarks[0].rule, "file.nul-removed");
        assert!(remarks[0].message.contains("2 of"));
    }

    #[test]
    fn what_is_out_of_order_is_told() {
        let stopped = |rows: &[Row<'_>]| passed(&Limits::default(), rows).unwrap_err();
        assert_eq!(stopped(&[(1, &[(0, ONE)]), (0, &[(0, ONE)])]), "disordered");
        assert_eq!(stopped(&[(1, &[(0, ONE)]), (1, &[(1, ONE)])]), "disordered");
        assert_eq!(stopped(&[(0, &[(1, ONE), (0, ONE)])]), "disordered");
        assert_eq!(stopped(&[(0, &[(1, ONE), (1, ONE)])]), "disordered");
        let mended = [(0, Raw::Text("\0")), (1, ONE), (1, ONE)];
        assert_eq!(stopped(&[(0, &mended)]), "disordered");
    }

    #[test]
    fn a_sheet_that_starts_again_is_counted_once() {
        let sheets = [info("A")];
        let limits = Limits {
            cells: 2,
            text_bytes: 3,
            ..Limits::default()
        };
        let mut collect = Collect::new(&sheets);
        let mut gate = Gate::new(&limits, &sheets, &mut collect);
        gate.start_sheet(0);
        let text = |column_idx, text| RawCell {
            column_idx,
            raw: Raw::Text(text),
        };
        gate.row(5, &[text(0, "b\0b")]).unwrap();
        assert!(matches!(
            gate.row(4, &[text(1, "a")]),
            Err(Stop::Disordered)
        ));
        gate.restart_sheet();
        let mut cells = [(5, 0, "b\0b"), (4, 1, "a"), (4, 0, "")].into_iter();
        gate.sorted(|| {
            Ok(cells
                .next()
                .map(|(row, column, text)| (row, column, Given::Raw(Raw::Text(text)))))
        })
        .unwrap();
        assert!(gate.finish().unwrap()[0].message.contains("1 of"));
        let cells: Vec<_> = collect.sheets[0].cells.iter().collect();
        assert_eq!((cells[0].row_idx, cells[1].row_idx), (4, 5));
        assert_eq!(cells.len(), 2);
    }

    #[test]
    fn what_goes_past_a_limit_is_refused() {
        let limits = Limits {
            cells: 3,
            text_bytes: 8,
            characters: 4,
            rows: 10,
            columns: 5,
            ..Limits::default()
        };
        let refused = |row_idx, cells: &[(u32, Raw<'_>)]| {
            passed(&limits, &[(row_idx, cells)]).map_or_else(|rule| rule, |_| "passed".to_owned())
        };
        let text = Raw::Text;
        assert_eq!(refused(9, &[(4, text("££££"))]), "passed");
        assert_eq!(refused(9, &[(4, text("£££££"))]), "file.text-too-long");
        assert_eq!(refused(0, &[(0, text("££")), (1, text("££"))]), "passed");
        assert_eq!(
            refused(0, &[(0, text("££")), (1, text("£££"))]),
            "file.expands-too-far"
        );
        assert_eq!(refused(10, &[(0, ONE)]), "file.outside-the-grid");
        assert_eq!(refused(0, &[(5, ONE)]), "file.outside-the-grid");
        assert_eq!(
            refused(0, &[(0, ONE), (1, ONE), (2, ONE), (3, ONE)]),
            "file.too-many-cells"
        );
        assert_eq!(refused(0, &[]), "file.no-data");
        assert_eq!(refused(0, &[(0, text(""))]), "file.no-data");
    }
}
