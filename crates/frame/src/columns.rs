//! Typed columns.
//!
//! A column is what polars holds, so that a table for rules is put together without copying a value.

mod builder;

use std::borrow::Cow;

use chrono::NaiveDate;
use polars::prelude::{
    BooleanChunked, ChunkedArray, Column, Int32Chunked, Int64Chunked, Int128Chunked, IntoColumn,
    IntoSeries, PlSmallStr, PolarsDataType, StaticArray, StringChunked,
};
use spec::Item;

pub(crate) use builder::Builder;

use crate::show_date;

/// The values of one item, a record each; null where blank or unreadable.
///
/// Each column has exactly one chunk.
#[derive(Debug, Clone)]
pub enum Values {
    Text(StringChunked),
    Integer(Int64Chunked),
    /// Scaled by ten to the power of `scale`.
    Decimal {
        scale: u8,
        values: Int128Chunked,
    },
    /// Days since 1970-01-01.
    Date(Int32Chunked),
    Boolean(BooleanChunked),
}

/// One value, typed; a text is that of the column or cell it was read from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value<'v> {
    Text(Cow<'v, str>),
    Integer(i64),
    /// Scaled as its item says.
    Decimal(i128),
    Date(NaiveDate),
    Boolean(bool),
}

/// Digits of a decimal column: Postgres and polars both hold 38.
pub const PRECISION: usize = 38;

impl Values {
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

    pub fn n_nulls(&self) -> usize {
        match self {
            Values::Text(values) => values.null_count(),
            Values::Integer(values) => values.null_count(),
            Values::Decimal { values, .. } => values.null_count(),
            Values::Date(values) => values.null_count(),
            Values::Boolean(values) => values.null_count(),
        }
    }

    pub fn is_null(&self, idx: usize) -> bool {
        match self {
            Values::Text(values) => at(values, idx).is_none(),
            Values::Integer(values) => at(values, idx).is_none(),
            Values::Decimal { values, .. } => at(values, idx).is_none(),
            Values::Date(values) => at(values, idx).is_none(),
            Values::Boolean(values) => at(values, idx).is_none(),
        }
    }

    pub fn get(&self, idx: usize) -> Option<Value<'_>> {
        Some(match self {
            Values::Text(values) => Value::Text(Cow::Borrowed(at(values, idx)?)),
            Values::Integer(values) => Value::Integer(at(values, idx)?),
            Values::Decimal { values, .. } => Value::Decimal(at(values, idx)?),
            Values::Date(values) => Value::Date(NaiveDate::from_epoch_days(at(values, idx)?)?),
            Values::Boolean(values) => Value::Boolean(at(values, idx)?),
        })
    }

    /// The text of a text column.
    pub fn text(&self, idx: usize) -> Option<&str> {
        match self {
            Values::Text(values) => at(values, idx),
            _ => None,
        }
    }

    /// The day of a date column.
    pub fn date(&self, idx: usize) -> Option<NaiveDate> {
        match self {
            Values::Date(values) => NaiveDate::from_epoch_days(at(values, idx)?),
            _ => None,
        }
    }

    /// Takes values away: what was found wrong is not read by later rules.
    pub fn set_nulls(&mut self, idxs: &[usize]) {
        if idxs.is_empty() {
            return;
        }
        match self {
            Values::Text(values) => clear(values, idxs),
            Values::Integer(values) => clear(values, idxs),
            Values::Decimal { values, .. } => clear(values, idxs),
            Values::Date(values) => clear(values, idxs),
            Values::Boolean(values) => clear(values, idxs),
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

    /// The column under a name, with its own type: decimals and dates are those of polars.
    /// Shares the values.
    pub fn to_column(&self, name: &str) -> Column {
        let name = PlSmallStr::from_str(name);
        match self {
            Values::Text(values) => values.clone().with_name(name).into_column(),
            Values::Integer(values) => values.clone().with_name(name).into_column(),
            Values::Decimal { scale, values } => values
                .clone()
                .with_name(name)
                // What is read as a decimal has far fewer digits.
                .into_decimal_unchecked(PRECISION, usize::from(*scale))
                .into_series()
                .into_column(),
            Values::Date(values) => values
                .clone()
                .with_name(name)
                .into_date()
                .into_series()
                .into_column(),
            Values::Boolean(values) => values.clone().with_name(name).into_column(),
        }
    }
}

impl Value<'_> {
    /// In Postgres's text form.
    pub fn plain(&self, scale: u8) -> String {
        match self {
            Value::Text(text) => text.clone().into_owned(),
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

/// The value at a position; `None` where it is null, and past the end.
fn at<T: PolarsDataType>(
    values: &ChunkedArray<T>,
    idx: usize,
) -> Option<<T::Array as StaticArray>::ValueT<'_>> {
    (idx < values.len()).then(|| values.downcast_as_array().get(idx))?
}

/// The same values, these positions null: the mask is copied, the values are not.
fn clear<T: PolarsDataType>(values: &mut ChunkedArray<T>, idxs: &[usize]) {
    let mut valid = {
        let mask = values.is_not_null();
        mask.downcast_as_array().values().clone().make_mut()
    };
    for &idx in idxs.iter().filter(|&&idx| idx < values.len()) {
        valid.set(idx, false);
    }
    let array = values.downcast_as_array().clone();
    let array = array.with_validity_typed(Some(valid.into()));
    *values = ChunkedArray::with_chunk(values.name().clone(), array);
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::ItemKind;

    fn built(kind: ItemKind, values: Vec<Option<Value<'_>>>) -> Values {
        let mut builder = Builder::new(kind);
        for value in values {
            builder.push(value);
        }
        builder.finish()
    }

    fn samples() -> Vec<(ItemKind, Value<'static>, Value<'static>)> {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        vec![
            (
                ItemKind::Text,
                Value::Text("short".into()),
                Value::Text("longer than twelve bytes".into()),
            ),
            (ItemKind::Integer, Value::Integer(-7), Value::Integer(8)),
            (
                ItemKind::Decimal { scale: 2 },
                Value::Decimal(12_345),
                Value::Decimal(i128::from(i64::MAX) * 100),
            ),
            (
                ItemKind::Date,
                Value::Date(day(1969, 12, 31)),
                Value::Date(day(2026, 11, 24)),
            ),
            (
                ItemKind::Boolean,
                Value::Boolean(true),
                Value::Boolean(false),
            ),
        ]
    }

    #[test]
    fn what_is_pushed_is_what_is_got() {
        for (kind, first, second) in samples() {
            let values = built(
                kind,
                vec![
                    Some(first.clone()),
                    None,
                    Some(second.clone()),
                    Some(first.clone()),
                ],
            );
            assert_eq!(values.len(), 4);
            assert_eq!(values.n_nulls(), 1);
            assert_eq!(values.get(0), Some(first));
            assert_eq!((values.get(1), values.is_null(1)), (None, true));
            assert_eq!((values.get(2), values.is_null(2)), (Some(second), false));
            assert_eq!((values.get(4), values.is_null(4)), (None, true));
        }
    }

    #[test]
    fn values_are_taken_away_and_the_others_stay() {
        for (kind, first, second) in samples() {
            for mut all in [
                vec![
                    Some(first.clone()),
                    Some(second.clone()),
                    Some(first.clone()),
                ],
                vec![Some(first.clone()), Some(second.clone()), None],
            ] {
                let mut values = built(kind, all.clone());
                let before = values.clone();
                values.set_nulls(&[]);
                assert_eq!(values.n_nulls(), before.n_nulls());
                values.set_nulls(&[1, 99]);
                all[1] = None;
                assert_eq!((0..3).map(|idx| values.get(idx)).collect::<Vec<_>>(), all);
                assert_eq!(before.get(1), Some(second.clone()));
            }
        }
    }

    #[test]
    fn a_value_of_another_type_is_null() {
        for (kind, first, _) in samples() {
            for (_, other, _) in samples() {
                let values = built(kind, vec![Some(other.clone())]);
                let same = std::mem::discriminant(&other) == std::mem::discriminant(&first);
                assert_eq!(values.get(0).is_some(), same);
            }
        }
    }

    #[test]
    fn polars_sees_the_items_own_types() {
        let shown: Vec<String> = samples()
            .into_iter()
            .map(|(kind, first, second)| {
                let values = built(kind, vec![Some(first), None, Some(second)]);
                let column = values.to_column("A");
                format!("{} {:?}", column.dtype(), column.get(0).unwrap())
            })
            .collect();
        assert_eq!(
            shown,
            [
                "str String(\"short\")",
                "i64 Int64(-7)",
                "decimal[38,2] Decimal(12345, 38, 2)",
                "date Date(-1)",
                "bool Boolean(true)",
            ]
        );
    }

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
}
