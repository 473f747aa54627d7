//! What an item's values look like: how a value that stands in the wrong place is known for whose it is.

use chrono::NaiveDate;
use regex::Regex;
use sheet::Raw;
use spec::{Item, ItemKind};

use crate::columns::Value;
use crate::read::{Asked, Origin, Read, read};

/// An item, ready to be compared with cells that may be its own.
pub struct Shape<'a> {
    asked: Asked<'a>,
    pattern: Option<Regex>,
}

impl<'a> Shape<'a> {
    pub fn new(item: &'a Item) -> Self {
        let pattern = item.schema.get("pattern").and_then(|text| text.as_str());
        Self {
            asked: Asked::new(item),
            // A pattern that can't be compiled here tells nothing; the spec's own check is elsewhere.
            pattern: pattern.and_then(|text| Regex::new(text).ok()),
        }
    }

    /// Whether its values can be told from others: any text at all may stand in free text.
    pub fn tells(&self) -> bool {
        self.asked.item.kind != ItemKind::Text
            || self.asked.item.codes.is_some()
            || self.pattern.is_some()
            || self.asked.item.schema.get("enum").is_some()
    }

    /// Whether a cell could be one of its own: it can be read, and is of the list or pattern where there is one.
    pub fn fits<'r>(&'r self, raw: impl Into<Raw<'r>>) -> bool {
        match read(Some(raw.into()), &self.asked, Origin::Entered) {
            Read::Value(Value::Text(text)) | Read::Normalised(Value::Text(text)) => {
                self.allows(&text)
            }
            Read::Blank | Read::BlankMarker | Read::Value(_) | Read::Normalised(_) => true,
            Read::Unreadable(_) => false,
        }
    }

    fn allows(&self, text: &str) -> bool {
        let item = self.asked.item;
        let listed = item
            .codes
            .as_ref()
            .is_none_or(|codes| codes.list.codes.iter().any(|code| code.code == text));
        let allowed = item
            .schema
            .get("enum")
            .and_then(|values| values.as_array())
            .is_none_or(|values| values.iter().any(|value| value.as_str() == Some(text)));
        let formed = self
            .pattern
            .as_ref()
            .is_none_or(|regex| regex.is_match(text));
        listed && allowed && formed
    }
}

/// The day that a text means where its month comes first, and whether it means one where its day does: `04/13/2026`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayOrder {
    MonthFirst(NaiveDate),
    DayFirst,
    /// Either way it is a day, and not the same one.
    Either,
    Same,
}

/// `None` where the text is no date of two short numbers and a year.
pub fn day_order(text: &str) -> Option<DayOrder> {
    let mut parts = text.trim().split(['/', '.', '-']);
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    if year.len() != 4 || first.len() > 2 || second.len() > 2 {
        return None;
    }
    let number = |part: &str| part.parse::<u32>().ok();
    let (first, second, year) = (number(first)?, number(second)?, year.parse::<i32>().ok()?);
    let month_first = NaiveDate::from_ymd_opt(year, first, second);
    let day_first = NaiveDate::from_ymd_opt(year, second, first);
    match (month_first, day_first) {
        (Some(day), None) => Some(DayOrder::MonthFirst(day)),
        (None, Some(_)) => Some(DayOrder::DayFirst),
        (Some(one), Some(other)) if one == other => Some(DayOrder::Same),
        (Some(_), Some(_)) => Some(DayOrder::Either),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_a_date_is_told_where_it_can_be() {
        for (text, order) in [
            ("13/04/2026", Some(DayOrder::DayFirst)),
            ("04/05/2026", Some(DayOrder::Either)),
            ("5.5.2026", Some(DayOrder::Same)),
            ("13/13/2026", None),
            ("2026-04-13", None),
            ("04/13/26", None),
            ("1/2", None),
            ("text", None),
        ] {
            assert_eq!(day_order(text), order, "{text}");
        }
        let day = NaiveDate::from_ymd_opt(2026, 4, 13).unwrap();
        assert_eq!(day_order("4/13/2026"), Some(DayOrder::MonthFirst(day)));
    }
}
