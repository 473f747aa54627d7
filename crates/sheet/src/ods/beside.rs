//! What a table says of its columns and of merged cells, seen before its values are read.

use memchr::memmem;
use quick_xml::events::{BytesStart, Event};

use super::{Content, attribute, broken, repeats};
use crate::Refusal;
use crate::beside::{Area, Beside};

const FORMULA: &str = "table:formula";

/// Whether there is anything to see: most documents have no merged cells, hidden columns or formulas.
pub(super) fn is_in(content: &str) -> bool {
    ["-spanned=", "table:visibility=\"collapse\"", FORMULA]
        .iter()
        .any(|sign| memmem::find(content.as_bytes(), sign.as_bytes()).is_some())
}

/// Reads to the table's end.
pub(super) fn read(content: &mut Content<'_>) -> Result<Beside, Refusal> {
    let mut beside = Beside::default();
    let mut row_idx: u32 = 0;
    let mut row_repeats: u32 = 1;
    let mut column_idx: u32 = 0;
    let mut next_column_idx: u32 = 0;
    loop {
        match content.next()? {
            Event::Start(tag) => match tag.name().as_ref() {
                "table:table-column" => {
                    let n_columns = repeats(&tag, "table:number-columns-repeated")?;
                    let after = next_column_idx.saturating_add(n_columns);
                    if attribute(&tag, "table:visibility")?.is_some_and(|how| how != "visible") {
                        let last = after.saturating_sub(1);
                        beside.hidden_columns.push((next_column_idx, last));
                    }
                    next_column_idx = after;
                }
                "table:table-row" => {
                    row_repeats = repeats(&tag, "table:number-rows-repeated")?;
                    column_idx = 0;
                }
                "table:table-cell" | "table:covered-table-cell" => {
                    beside.merged.extend(merged(&tag, row_idx, column_idx)?);
                    let n_cells = repeats(&tag, "table:number-columns-repeated")?;
                    if attribute(&tag, FORMULA)?.is_some() && (row_repeats, n_cells) == (1, 1) {
                        beside.add_formula(row_idx, column_idx);
                    }
                    column_idx = column_idx.saturating_add(n_cells);
                }
                "table:shapes" | "office:forms" | "table:table" | "office:annotation" => {
                    content.skip(&tag)?;
                }
                _ => {}
            },
            Event::End(tag) => match tag.name().as_ref() {
                "table:table-row" => row_idx = row_idx.saturating_add(row_repeats),
                "table:table" => return Ok(beside),
                _ => {}
            },
            Event::Eof => return Err(broken()),
            _ => {}
        }
    }
}

fn merged(tag: &BytesStart<'_>, row_idx: u32, column_idx: u32) -> Result<Option<Area>, Refusal> {
    let n_rows = repeats(tag, "table:number-rows-spanned")?;
    let n_columns = repeats(tag, "table:number-columns-spanned")?;
    let last = |first: u32, n: u32| first.saturating_add(n.saturating_sub(1));
    let area = Area {
        rows: (row_idx, last(row_idx, n_rows)),
        columns: (column_idx, last(column_idx, n_columns)),
    };
    Ok(area.is_several().then_some(area))
}
