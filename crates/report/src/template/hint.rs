//! What may be entered, in plain words.

use serde_json::Value;
use spec::{DateFormat, Item, ItemKind};

/// What kind of value an item takes: "a whole number from 0 to 99".
pub(super) fn kind(item: &Item) -> String {
    let options = options(item);
    if item.codes.is_some() {
        return "a code from the list".to_owned();
    }
    if !options.is_empty() {
        return format!("one of {}", options.join(", "));
    }
    match item.kind {
        ItemKind::Text => text(item),
        ItemKind::Integer => format!("a whole number{}{}", range(item), unit(item)),
        ItemKind::Decimal { scale } => {
            let places = match scale {
                0 => "no decimals".to_owned(),
                1 => "1 decimal".to_owned(),
                scale => format!("up to {scale} decimals"),
            };
            format!("a number with {places}{}{}", range(item), unit(item))
        }
        ItemKind::Date => match item.date_formats.first() {
            Some(DateFormat::Digits) => {
                "a date, such as 15/04/2026, or as text the digits 15042026".to_owned()
            }
            Some(DateFormat::Iso | DateFormat::Slashed) | None => {
                "a date, such as 15/04/2026".to_owned()
            }
        },
        ItemKind::Boolean => "Yes or No".to_owned(),
    }
}

/// As [`kind`], as short as can be.
pub(super) fn short_kind(item: &Item) -> String {
    let unit = item
        .unit
        .as_deref()
        .map_or_else(String::new, |unit| format!(" ({unit})"));
    if item.codes.is_some() {
        return "code".to_owned();
    }
    match item.kind {
        ItemKind::Text if options(item).is_empty() => "text".to_owned(),
        ItemKind::Text => "code".to_owned(),
        ItemKind::Integer => format!("whole number{unit}"),
        ItemKind::Decimal { .. } => format!("number{unit}"),
        ItemKind::Date => "date".to_owned(),
        ItemKind::Boolean => "Yes or No".to_owned(),
    }
}

/// What a cell says when it is chosen: at most 255 characters.
pub(super) fn message(item: &Item) -> String {
    let need = if item.required {
        "Must be filled in"
    } else {
        "May be left blank"
    };
    let first = format!("{need}: {}.", kind(item));
    cut(&format!("{first}\n{}", item.description), 255)
}

/// A text of at most so many characters, as spreadsheet programs count them; one that is cut says so.
pub(super) fn cut(text: &str, n: usize) -> String {
    let length = |text: &str| text.encode_utf16().count();
    if length(text) <= n {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        if length(&kept) + c.len_utf16() + 2 > n {
            break;
        }
        kept.push(c);
    }
    format!("{} …", kept.trim_end())
}

/// The values that an item's `enum` allows, as they are typed.
pub(super) fn options(item: &Item) -> Vec<String> {
    item.schema
        .get("enum")
        .and_then(Value::as_array)
        .map(|values| {
            values
                .iter()
                .map(|value| match value {
                    Value::String(text) => text.clone(),
                    Value::Bool(true) => "Yes".to_owned(),
                    Value::Bool(false) => "No".to_owned(),
                    other => other.to_string(),
                })
                .collect()
        })
        .unwrap_or_default()
}

fn text(item: &Item) -> String {
    let length = |keyword: &str| item.schema.get(keyword).and_then(Value::as_u64);
    match (length("minLength"), length("maxLength")) {
        (Some(least), Some(most)) if least == most => format!("text of {most} characters"),
        (Some(least), Some(most)) if least > 1 => format!("text of {least} to {most} characters"),
        (_, Some(most)) => format!("text of at most {most} characters"),
        (Some(least), None) if least > 1 => format!("text of at least {least} characters"),
        _ => "text".to_owned(),
    }
}

fn range(item: &Item) -> String {
    let bound = |keyword: &str| item.schema.get(keyword).filter(|bound| bound.is_number());
    let least = bound("minimum")
        .map(|least| format!("{least} or more"))
        .or_else(|| bound("exclusiveMinimum").map(|least| format!("more than {least}")));
    let most = bound("maximum")
        .map(|most| format!("{most} at most"))
        .or_else(|| bound("exclusiveMaximum").map(|most| format!("less than {most}")));
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => format!(" from {least} to {most}"),
        _ => {
            let limits = [least, most].into_iter().flatten();
            limits.fold(String::new(), |said, limit| format!("{said}, {limit}"))
        }
    }
}

fn unit(item: &Item) -> String {
    item.unit
        .as_deref()
        .map_or_else(String::new, |unit| format!(", in {unit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_it_has_to_be_and_says_so() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("one two three", 9), "one two …");
        assert_eq!(cut(&"é".repeat(300), 255).chars().count(), 255);
        assert!(cut(&"\u{1f600}".repeat(30), 32).encode_utf16().count() <= 32);
    }
}
