//! What a cell lets in, as far as a spreadsheet program can tell; the checks on arrival say the rest.

use rust_xlsxwriter::{
    DataValidation, DataValidationErrorStyle, DataValidationRule, Formula, XlsxError,
};
use serde_json::Value;
use spec::{Item, ItemKind, TableSpec};

use super::Scene;
use super::hint;

/// Larger than any figure of a return, and exact in a cell.
const WIDEST: &str = "999999999999999";

/// The validation of an item's cells, with its words when a cell is chosen.
pub(super) fn of_item(
    scene: &Scene<'_>,
    table: &TableSpec,
    item: &Item,
) -> Result<DataValidation, XlsxError> {
    let allowed = allowed(scene, table, item)?;
    // What is read with a note may be typed too.
    let is_strict = item.value_aliases.is_empty()
        && item.blank_markers.is_empty()
        && item.date_formats.is_empty();
    allowed
        .ignore_blank(true)
        .set_input_title(hint::cut(&item.title, 32))?
        .set_input_message(message(scene, table, item))?
        .set_error_title("Please check")?
        .set_error_message(hint::cut(
            &format!("{} takes {}.", item.title, hint::kind(item)),
            255,
        ))
        .map(|validation| {
            validation.set_error_style(if is_strict {
                DataValidationErrorStyle::Stop
            } else {
                DataValidationErrorStyle::Warning
            })
        })
}

/// Words only.
pub(super) fn words(title: &str, text: &str) -> Result<DataValidation, XlsxError> {
    DataValidation::new()
        .allow_any_value()
        .set_input_title(hint::cut(title, 32))?
        .set_input_message(hint::cut(text, 255))
}

/// With the codes' labels where they fit.
fn message(scene: &Scene<'_>, table: &TableSpec, item: &Item) -> String {
    let plain = hint::message(item);
    let labels: Vec<String> = scene
        .codes
        .labels_of(&table.name, &item.name)
        .into_iter()
        .filter(|(code, label)| code != label)
        .map(|(code, label)| format!("{code} = {label}"))
        .collect();
    let need = plain.split('\n').next().unwrap_or_default();
    let with_labels = format!("{need}\n{}", labels.join("\n"));
    if !labels.is_empty() && with_labels.encode_utf16().count() <= 255 {
        return with_labels;
    }
    if labels.is_empty() {
        return plain;
    }
    let pointer = "\nThe sheet Codes says what each means.";
    let room = 255 - pointer.chars().count();
    format!("{}{pointer}", hint::cut(&plain, room))
}

fn allowed(scene: &Scene<'_>, table: &TableSpec, item: &Item) -> Result<DataValidation, XlsxError> {
    let validation = DataValidation::new();
    if let Some(range) = scene.codes.range_of(&table.name, &item.name) {
        return Ok(validation.allow_list_formula(Formula::new(format!("={range}"))));
    }
    let options = hint::options(item);
    if !options.is_empty() {
        return validation.allow_list_strings(&options);
    }
    let bound = |inclusive: &str, otherwise: String| {
        item.schema
            .get(inclusive)
            .filter(|bound| bound.is_number())
            .map_or(otherwise, Value::to_string)
    };
    Ok(match item.kind {
        ItemKind::Integer => {
            let between = DataValidationRule::Between(
                Formula::new(bound(
                    "minimum",
                    bound("exclusiveMinimum", format!("-{WIDEST}")),
                )),
                Formula::new(bound(
                    "maximum",
                    bound("exclusiveMaximum", WIDEST.to_owned()),
                )),
            );
            validation.allow_whole_number_formula(between)
        }
        ItemKind::Decimal { .. } => {
            let between = DataValidationRule::Between(
                Formula::new(bound(
                    "minimum",
                    bound("exclusiveMinimum", format!("-{WIDEST}")),
                )),
                Formula::new(bound(
                    "maximum",
                    bound("exclusiveMaximum", WIDEST.to_owned()),
                )),
            );
            validation.allow_decimal_number_formula(between)
        }
        // From 1 January 1900 to 31 December 2199, as a sheet counts days.
        ItemKind::Date => validation.allow_date_formula(DataValidationRule::Between(
            Formula::new("1"),
            Formula::new("109574"),
        )),
        ItemKind::Boolean => validation.allow_list_strings(&["Yes", "No"])?,
        ItemKind::Text => match item.schema.get("maxLength").and_then(Value::as_u64) {
            Some(most) => {
                let least = item.schema.get("minLength").and_then(Value::as_u64);
                validation.allow_text_length(DataValidationRule::Between(
                    u32::try_from(least.unwrap_or(0)).unwrap_or(u32::MAX),
                    u32::try_from(most).unwrap_or(u32::MAX),
                ))
            }
            None => validation.allow_any_value(),
        },
    })
}
