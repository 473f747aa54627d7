//! Sheets with a row for each record: headings, cells that know their kind, and rows that are filled in already.

use std::fmt::Write as _;

use rust_xlsxwriter::{Format, Worksheet};
use spec::{IdentityKind, IdentityPlace, Item, Layout, TableSpec};

use super::style::{PAGE_OF_ROWS, Role, Styles, TITLE_HEIGHT, n_pages_wide, print_set_up, protect};
use super::{Scene, column, hint, validation, write_value};
use crate::height;
use crate::workbook::WriteError;

/// Rows that look like rows to fill in; the columns go on below them.
const DRAWN_ROWS: u32 = 25;
/// Rows that are checked while they are typed, beyond those that are filled in.
const CHECKED_ROWS: u32 = 10_000;
/// Columns beside the items that the sender may use for itself.
const FREE_COLUMNS: u32 = 12;

/// Writes one table below what the sheet has; gives the last row in use, 0-based.
pub(super) fn write(
    worksheet: &mut Worksheet,
    scene: &Scene<'_>,
    table: &TableSpec,
    first_row: u32,
) -> Result<u32, WriteError> {
    let hint_row = first_row + 3;
    let heading_row = hint_row + 1;
    let first_record = heading_row + 1;
    let rows = scene.rows(table);
    let n_rows = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let last_drawn = first_record + n_rows.saturating_add(DRAWN_ROWS) - 1;
    let last_checked = (first_record + n_rows.saturating_add(CHECKED_ROWS)).min(1_048_575);
    introduce(worksheet, scene, table, first_row, first_record)?;
    for (item_idx, item) in (0_u32..).zip(&table.items) {
        let at = column(item_idx)?;
        worksheet.set_column_format(at, &Styles::column(item))?;
        worksheet.set_column_width(at, width(item))?;
        let role = Role::of_entry(item);
        worksheet.write_string_with_format(hint_row, at, above(item), &scene.styles.hint)?;
        let mark = if item.required { " *" } else { "" };
        let heading = format!("{}{mark}", item.title);
        worksheet.write_string_with_format(heading_row, at, heading, scene.styles.heading(role))?;
        let words = validation::words(&item.title, &item.description)?;
        worksheet.add_data_validation(heading_row, at, heading_row, at, &words)?;
        let rule = validation::of_item(scene, table, item)?;
        worksheet.add_data_validation(first_record, at, last_checked, at, &rule)?;
    }
    let headings = table.items.iter().map(|item| {
        // With its mark.
        (item.title.as_str(), width(item) - 2.0)
    });
    worksheet.set_row_height(heading_row, height::of_row(height::ARIAL_10_BOLD, headings))?;
    let hints: Vec<String> = table.items.iter().map(above).collect();
    let widths = table.items.iter().map(|item| width(item) * 1.1);
    let hints = hints.iter().map(String::as_str).zip(widths);
    worksheet.set_row_height(hint_row, height::of_row(height::ARIAL_10, hints))?;
    let n_items = u32::try_from(table.items.len()).unwrap_or(u32::MAX);
    if scene.spec.own_columns.is_some() {
        let free = Styles::free_column();
        for column_idx in n_items..n_items + FREE_COLUMNS {
            worksheet.set_column_format(column(column_idx)?, &free)?;
            worksheet.write_blank(heading_row, column(column_idx)?, &free)?;
        }
    }
    for (row, values) in (first_record..).zip(rows) {
        write_row(worksheet, scene, table, row, values)?;
    }
    for row in first_record + n_rows..=last_drawn {
        for (item_idx, item) in (0_u32..).zip(&table.items) {
            let format = scene.styles.cell(item, Role::of_entry(item));
            worksheet.write_blank(row, column(item_idx)?, &format)?;
        }
    }
    if first_row == 0 {
        let n_frozen = u16::from(table.items.len() > 6);
        worksheet.set_freeze_panes(first_record, n_frozen)?;
        worksheet.set_selection(first_record, 0, first_record, 0)?;
        print_set_up(
            worksheet,
            &scene.spec.acronym,
            Some((heading_row, heading_row)),
        )?;
        let widths = table.items.iter().map(width);
        worksheet.set_print_fit_to_pages(n_pages_wide(widths.sum(), PAGE_OF_ROWS), 0);
        worksheet.set_repeat_columns(0, 0)?;
    }
    protect(worksheet);
    Ok(last_drawn)
}

fn introduce(
    worksheet: &mut Worksheet,
    scene: &Scene<'_>,
    table: &TableSpec,
    row: u32,
    first_record: u32,
) -> Result<(), WriteError> {
    let styles = &scene.styles;
    let title = format!("{}: {}", scene.spec.acronym, table.title);
    worksheet.write_string_with_format(row, 0, title, &styles.title)?;
    worksheet.set_row_height(row, TITLE_HEIGHT)?;
    let whose: Vec<String> = [IdentityKind::Organisation, IdentityKind::Period]
        .into_iter()
        .filter_map(|kind| match kind {
            IdentityKind::Organisation => scene.identity(kind),
            IdentityKind::Period => scene.fill.period.map(spec::Period::in_words),
        })
        .collect();
    if !whose.is_empty() {
        worksheet.write_string_with_format(row + 1, 0, whose.join(", "), &styles.subtitle)?;
    }
    let mut words = format!(
        "One row for each record, from row {}. Columns marked * must be filled in. Do not change the headings.",
        first_record + 1
    );
    if let Some(prefix) = &scene.spec.own_columns {
        // Writing to a string can't fail.
        let _ = write!(
            words,
            " Your own columns may stand to the right, if their headings start with {prefix}"
        );
    }
    worksheet.write_string_with_format(row + 2, 0, words, &styles.instruction)?;
    Ok(())
}

/// What stands above a heading. It is never taken for the heading itself: it says more than a name.
fn above(item: &Item) -> String {
    format!("{}: {}", item.name, hint::short_kind(item))
}

fn write_row(
    worksheet: &mut Worksheet,
    scene: &Scene<'_>,
    table: &TableSpec,
    row: u32,
    values: &[Option<String>],
) -> Result<(), WriteError> {
    for ((item_idx, item), value) in (0_u32..).zip(&table.items).zip(values) {
        let format: Format = match value {
            Some(_) if is_sent_out(table, item) => scene.styles.cell(item, Role::Locked),
            _ => scene.styles.cell(item, Role::of_entry(item)),
        };
        let at = column(item_idx)?;
        match value {
            Some(value) => write_value(worksheet, (row, at), item, value, &format)?,
            None => {
                worksheet.write_blank(row, at, &format)?;
            }
        }
    }
    Ok(())
}

/// What a turn-around row is known by when it comes back.
fn is_sent_out(table: &TableSpec, item: &Item) -> bool {
    let Layout::TurnAround { key, .. } = &table.layout else {
        return false;
    };
    let is_identity = table
        .identities
        .iter()
        .any(|identity| matches!(&identity.place, IdentityPlace::Item(name) if *name == item.name));
    *key == item.name || is_identity
}

/// Wide enough for its longest word and for its values.
fn width(item: &Item) -> f64 {
    let longest = item
        .title
        .split([' ', '-', '/'])
        .map(|word| word.chars().count())
        .max()
        .unwrap_or(0);
    let most = item
        .schema
        .get("maxLength")
        .and_then(serde_json::Value::as_u64)
        .and_then(|most| usize::try_from(most).ok())
        .unwrap_or(0);
    let characters = longest
        .max(item.title.chars().count() / 3)
        .max(most.min(28))
        .max(11);
    #[expect(clippy::cast_precision_loss, reason = "a title has few characters")]
    let characters = characters as f64;
    (characters * 1.15 + 2.0).min(34.0)
}
