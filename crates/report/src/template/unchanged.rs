//! Figures that were sent for an earlier period, as long as nobody has gone over them.

use rust_xlsxwriter::{
    ConditionalFormatCell, ConditionalFormatCellRule, ConditionalFormatValue, Format, Worksheet,
    XlsxError,
};
use spec::{Item, ItemKind};

use super::exact;

/// What is said of them.
pub(super) const WORDS: &str =
    "Cells in green italics hold what was sent for an earlier period: go over each of them.";

/// Shows a cell as unchanged as long as it holds this value.
pub(super) fn mark(
    worksheet: &mut Worksheet,
    (row, column): (u32, u16),
    item: &Item,
    value: &str,
    look: &Format,
) -> Result<(), XlsxError> {
    let rule = ConditionalFormatCell::new()
        .set_rule(ConditionalFormatCellRule::EqualTo(written(item, value)))
        .set_format(look);
    worksheet.add_conditional_format(row, column, row, column, &rule)?;
    Ok(())
}

/// As [`super::write_value`] writes it.
fn written(item: &Item, value: &str) -> ConditionalFormatValue {
    match item.kind {
        ItemKind::Integer | ItemKind::Decimal { .. } => match exact(value) {
            Some(number) => number.into(),
            None => value.into(),
        },
        ItemKind::Date => match chrono::NaiveDate::parse_from_str(value, "%Y-%m-%d") {
            Ok(day) => day.into(),
            Err(_) => value.into(),
        },
        ItemKind::Boolean if value == "true" => "Yes".into(),
        ItemKind::Boolean => "No".into(),
        ItemKind::Text => value.into(),
    }
}
