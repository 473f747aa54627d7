//! A stored value as people read it.

use chrono::NaiveDate;
use spec::{Item, ItemKind};

use crate::words::day;

/// The value of an item, from how Postgres writes it.
pub(super) fn figure(item: &Item, value: Option<&str>) -> String {
    let Some(value) = value else {
        return "(blank)".to_owned();
    };
    match item.kind {
        ItemKind::Text => value.to_owned(),
        ItemKind::Integer | ItemKind::Decimal { .. } => grouped(value),
        ItemKind::Date => value
            .parse::<NaiveDate>()
            .map_or_else(|_| value.to_owned(), day),
        ItemKind::Boolean => match value {
            "true" => "yes".to_owned(),
            "false" => "no".to_owned(),
            other => other.to_owned(),
        },
    }
}

/// `+1,234.50`, `−5`, `0`.
pub(super) fn signed(number: &str) -> String {
    let is_nought = !number.contains(|c: char| ('1'..='9').contains(&c));
    match number.strip_prefix('-') {
        _ if is_nought => "0".to_owned(),
        Some(_) => grouped(number),
        None => format!("+{}", grouped(number)),
    }
}

/// `1,234.50`, with a real minus sign.
pub(crate) fn grouped(number: &str) -> String {
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => ("\u{2212}", digits),
        None => ("", number),
    };
    let (whole, places) = match digits.split_once('.') {
        Some((whole, places)) => (whole, format!(".{places}")),
        None => (digits, String::new()),
    };
    let mut shown = String::from(sign);
    for (idx, digit) in whole.chars().enumerate() {
        if idx > 0 && (whole.len() - idx).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown + &places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_differences_have_a_sign() {
        for (number, shown) in [
            ("0", "0"),
            ("1234", "1,234"),
            ("-1234567.50", "\u{2212}1,234,567.50"),
            ("123", "123"),
        ] {
            assert_eq!(grouped(number), shown);
        }
        for (number, shown) in [
            ("0", "0"),
            ("0.00", "0"),
            ("12.5", "+12.5"),
            ("-1000", "\u{2212}1,000"),
        ] {
            assert_eq!(signed(number), shown);
        }
    }
}
