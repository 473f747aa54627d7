//! Texts and codes.

use std::borrow::Cow;

use sheet::Raw;
use spec::Item;
use unicode_normalization::UnicodeNormalization;

use super::{Read, Unreadable, number, show_raw};
use crate::columns::Value;

/// Spreadsheet programs keep fifteen digits of a number; a longer code is already damaged.
const EXACT_DIGITS: f64 = 1e15;

pub(super) fn read<'r>(raw: Raw<'r>, item: &Item, is_code: bool) -> Read<'r> {
    match raw {
        Raw::Text(text) if is_code => {
            let clean = clean_code(text);
            if was_changed_into_a_date(&clean, item) {
                return Read::Unreadable(changed_into_a_date(&clean, item));
            }
            if clean == text || clean == text.trim_matches(' ') {
                Read::Value(Value::Text(clean))
            } else {
                Read::Normalised(Value::Text(clean))
            }
        }
        Raw::Text(text) => free_text(text, item),
        Raw::Number(number) if number.abs() >= EXACT_DIGITS => Read::Unreadable(Unreadable::new(
            "not-text",
            format!(
                "{} was stored as the number {}, and a spreadsheet keeps only 15 digits of a number.",
                item.title,
                number::show(number)
            ),
            "Format the column as text and enter the whole code again.",
        )),
        Raw::Number(number) => Read::Value(Value::Text(number::show(number).into())),
        Raw::Boolean(_) => Read::Value(Value::Text(show_raw(raw).into())),
        Raw::DateTime(_) => Read::Unreadable(changed_into_a_date(&show_raw(raw), item)),
        Raw::Error(_) | Raw::NotCalculated | Raw::GivenTwice => Read::Blank,
    }
}

/// A text that is neither trimmed nor cleaned, and no date that was a code.
pub(super) fn plain(raw: Raw<'_>, is_code: bool) -> Option<&str> {
    let Raw::Text(text) = raw else {
        return None;
    };
    let is_plain = if is_code {
        // A date has something between its numbers.
        text.bytes().all(|b| b.is_ascii_alphanumeric())
    } else {
        let is_shown = |b: u8| matches!(b, b' '..=b'~');
        trim(text).len() == text.len() && text.bytes().all(is_shown)
    };
    (is_plain && !text.is_empty()).then_some(text)
}

fn changed_into_a_date(shown: &str, item: &Item) -> Unreadable {
    Unreadable::new(
        "changed-into-a-date",
        format!(
            "{} should be a text or code, but the spreadsheet changed it into the date {shown}.",
            item.title
        ),
        "Format the cell as text and type the code again.",
    )
}

/// The months as Excel shows them in a date that it made of a code: `01-Sep`, `Sep-01`.
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// Whether what stands in the place of a listed code is how Excel shows a date: what is left of `1-2` in a CSV file.
fn was_changed_into_a_date(text: &str, item: &Item) -> bool {
    let Some(codes) = &item.codes else {
        return false;
    };
    let is_day = |part: &str| part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit());
    let is_month = |part: &str| MONTHS.contains(&part.to_lowercase().as_str());
    let shown = match text.split_once('-') {
        Some((day, month)) => (is_day(day) && is_month(month)) || (is_month(day) && is_day(month)),
        None => crate::shape::day_order(text).is_some(),
    };
    shown && !codes.list.codes.iter().any(|code| code.code == text)
}

fn free_text<'r>(text: &'r str, item: &Item) -> Read<'r> {
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.chars().any(control) {
        return Read::Unreadable(Unreadable::new(
            "not-text",
            format!(
                "{} holds control characters that no text should hold.",
                item.title
            ),
            "Type the text again instead of pasting it.",
        ));
    }
    Read::Value(Value::Text(Cow::Borrowed(trim(text))))
}

/// Whether an item's text is a code: then invisible differences don't count.
pub(super) fn is_code(item: &Item) -> bool {
    item.codes.is_some()
        || ["enum", "const", "pattern"]
            .iter()
            .any(|keyword| item.schema.get(keyword).is_some())
}

/// Without outer spaces of any kind and without invisible characters.
pub(super) fn trim(text: &str) -> &str {
    // Nearly every text has nothing to be trimmed.
    if let [first, .., last] | [first @ last] = text.as_bytes()
        && first.is_ascii_graphic()
        && last.is_ascii_graphic()
    {
        return text;
    }
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

fn clean_code(text: &str) -> Cow<'_, str> {
    // Nothing in ASCII is composed or invisible, and nearly all codes are ASCII.
    if text.is_ascii() {
        return Cow::Borrowed(text.trim());
    }
    let visible: String = text.nfkc().filter(|c| !is_invisible(*c)).collect();
    Cow::Owned(visible.trim().to_owned())
}

/// Zero-width and direction marks, the soft hyphen and the byte-order mark.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
