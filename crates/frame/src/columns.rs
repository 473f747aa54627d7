//! Typed columns under construction.

use chrono::{Datelike, NaiveDate};
use polars::prelude::{
    BooleanChunked, Column, Int32Chunked, Int64Chunked, Int128Chunked, IntoColumn, IntoSeries,
    NewChunkedArray, PlSmallStr, PolarsResult, StringChunked,
};
use spec::{Item, ItemKind};

use crate::show_date;

/// The values of one item, a record each; null where blank or unreadable.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    Text(Vec<Option<String>>),
    Integer(Vec<Option<i64>>),
    /// Scaled by ten to the power of `scale`.
    Decimal {
        scale: u8,
        values: Vec<Option<i128>>,
    },
    Date(Vec<Option<NaiveDate>>),
    Boolean(Vec<Option<bool>>),
}

/// One value, typed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    Text(String),
    Integer(i64),
    /// Scaled as its item says.
    Decimal(i128),
    Date(NaiveDate),
    Boolean(bool),
}

/// Digits of a decimal column: Postgres and polars both hold 38.
const PRECISION: usize = 38;

impl Values {
    pub(crate) fn with_capacity(kind: ItemKind, capacity: usize) -> Self {
        match kind {
            ItemKind::Text => Values::Text(Vec::with_capacity(capacity)),
            ItemKind::Integer => Values::Integer(Vec::with_capacity(capacity)),
            ItemKind::Decimal { scale } => Values::Decimal {
                scale,
                values: Vec::with_capacity(capacity),
            },
            ItemKind::Date => Values::Date(Vec::with_capacity(capacity)),
            ItemKind::Boolean => Values::Boolean(Vec::with_capacity(capacity)),
        }
    }

    /// Appends a value of the column's own type; anything else is null.
    pub(crate) fn push(&mut self, value: Option<Value>) {
        match (self, value) {
            (Values::Text(values), Some(Value::Text(value))) => values.push(Some(value)),
            (Values::Text(values), _) => values.push(None),
            (Values::Integer(values), Some(Value::Integer(value))) => values.push(Some(value)),
            (Values::Integer(values), _) => values.push(None),
            (Values::Decimal { values, .. }, Some(Value::Decimal(value))) => {
                values.push(Some(value));
            }
            (Values::Decimal { values, .. }, _) => values.push(None),
            (Values::Date(values), Some(Value::Date(value))) => values.push(Some(value)),
            (Values::Date(values), _) => values.push(None),
            (Values::Boolean(values), Some(Value::Boolean(value))) => values.push(Some(value)),
            (Values::Boolean(values), _) => values.push(None),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Values::Text(values) => values.len(),
            Values::Integer(values) => values.len(),
            Values::Decimal { values, .. } => values.len(),
            Values::Date(values) => values.len(),
            Values::Boolean(values) => values.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn is_null(&self, idx: usize) -> bool {
        match self {
            Values::Text(values) => values.get(idx).is_none_or(Option::is_none),
            Values::Integer(values) => values.get(idx).is_none_or(Option::is_none),
            Values::Decimal { values, .. } => values.get(idx).is_none_or(Option::is_none),
            Values::Date(values) => values.get(idx).is_none_or(Option::is_none),
            Values::Boolean(values) => values.get(idx).is_none_or(Option::is_none),
        }
    }

    pub fn get(&self, idx: usize) -> Option<Value> {
        match self {
            Values::Text(values) => values.get(idx)?.clone().map(Value::Text),
            Values::Integer(values) => (*values.get(idx)?).map(Value::Integer),
            Values::Decimal { values, .. } => (*values.get(idx)?).map(Value::Decimal),
            Values::Date(values) => (*values.get(idx)?).map(Value::Date),
            Values::Boolean(values) => (*values.get(idx)?).map(Value::Boolean),
        }
    }

    /// Takes a value away: what was found wrong is not read by later rules.
    pub fn set_null(&mut self, idx: usize) {
        match self {
            Values::Text(values) => clear(values, idx),
            Values::Integer(values) => clear(values, idx),
            Values::Decimal { values, .. } => clear(values, idx),
            Values::Date(values) => clear(values, idx),
            Values::Boolean(values) => clear(values, idx),
        }
    }

    /// As the sender would write it.
    pub fn shown(&self, idx: usize, item: &Item) -> Option<String> {
        Some(match self.get(idx)? {
            Value::Date(date) => show_date(date, item),
            Value::Boolean(true) => "yes".to_owned(),
            Value::Boolean(false) => "no".to_owned(),
            other => other.plain(self.scale()),
        })
    }

    /// In Postgres's text form: dates ISO, decimals exact.
    pub fn plain(&self, idx: usize) -> Option<String> {
        Some(self.get(idx)?.plain(self.scale()))
    }

    pub fn scale(&self) -> u8 {
        match self {
            Values::Decimal { scale, .. } => *scale,
            _ => 0,
        }
    }

    pub(crate) fn to_column(&self, name: &str) -> PolarsResult<Column> {
        let name = PlSmallStr::from_str(name);
        Ok(match self {
            Values::Text(values) => {
                StringChunked::from_iter_options(name, values.iter().map(Option::as_deref))
                    .into_column()
            }
            Values::Integer(values) => {
                Int64Chunked::from_iter_options(name, values.iter().copied()).into_column()
            }
            Values::Decimal { scale, values } => {
                Int128Chunked::from_iter_options(name, values.iter().copied())
                    .into_decimal(PRECISION, usize::from(*scale))?
                    .into_series()
                    .into_column()
            }
            Values::Date(values) => Int32Chunked::from_iter_options(
                name,
                values.iter().map(|date| date.map(days_since_epoch)),
            )
            .into_date()
            .into_series()
            .into_column(),
            Values::Boolean(values) => {
                BooleanChunked::from_iter_options(name, values.iter().copied()).into_column()
            }
        })
    }
}

impl Value {
    /// In Postgres's text form.
    pub fn plain(&self, scale: u8) -> String {
        match self {
            Value::Text(text) => text.clone(),
            Value::Integer(integer) => integer.to_string(),
            Value::Decimal(scaled) => show_decimal(*scaled, scale),
            Value::Date(date) => date.format("%Y-%m-%d").to_string(),
            Value::Boolean(boolean) => boolean.to_string(),
        }
    }
}

/// `12345` with two places → `123.45`; trailing zeros stay, they are exact.
pub fn show_decimal(scaled: i128, scale: u8) -> String {
    if scale == 0 {
        return scaled.to_string();
    }
    let places = usize::from(scale);
    let sign = if scaled < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", scaled.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    format!("{sign}{whole}.{fraction}")
}

/// Days since 1970-01-01, as polars counts dates.
fn days_since_epoch(date: NaiveDate) -> i32 {
    const EPOCH_FROM_CE: i32 = 719_163;
    date.num_days_from_ce() - EPOCH_FROM_CE
}

fn clear<T>(values: &mut [Option<T>], idx: usize) {
    if let Some(value) = values.get_mut(idx) {
        *value = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_shown_exactly() {
        for (scaled, scale, shown) in [
            (12345, 2, "123.45"),
            (5, 2, "0.05"),
            (-5, 2, "-0.05"),
            (-12300, 2, "-123.00"),
            (7, 0, "7"),
        ] {
            assert_eq!(show_decimal(scaled, scale), shown);
        }
    }

    #[test]
    fn days_count_from_1970() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        assert_eq!(days_since_epoch(day(1970, 1, 1)), 0);
        assert_eq!(days_since_epoch(day(2026, 11, 23)), 20_780);
    }
}
