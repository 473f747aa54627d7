//! A column under construction, a record after another.

use chrono::{Datelike, NaiveDate};
use polars::prelude::{
    BooleanChunkedBuilder, ChunkedBuilder, Int32Type, Int64Type, Int128Type, PlSmallStr,
    PrimitiveChunkedBuilder, StringChunkedBuilder,
};
use spec::ItemKind;

use super::{Value, Values};
use crate::read::Plain;

/// Takes the values of one item in the order of the records.
pub(crate) enum Builder {
    Text(StringChunkedBuilder),
    Integer(PrimitiveChunkedBuilder<Int64Type>),
    Decimal {
        scale: u8,
        values: PrimitiveChunkedBuilder<Int128Type>,
    },
    Date(PrimitiveChunkedBuilder<Int32Type>),
    Boolean(BooleanChunkedBuilder),
}

impl Builder {
    pub(crate) fn new(kind: ItemKind) -> Self {
        let name = PlSmallStr::EMPTY;
        match kind {
            ItemKind::Text => Builder::Text(StringChunkedBuilder::new(name, 0)),
            ItemKind::Integer => Builder::Integer(PrimitiveChunkedBuilder::new(name, 0)),
            ItemKind::Decimal { scale } => Builder::Decimal {
                scale,
                values: PrimitiveChunkedBuilder::new(name, 0),
            },
            ItemKind::Date => Builder::Date(PrimitiveChunkedBuilder::new(name, 0)),
            ItemKind::Boolean => Builder::Boolean(BooleanChunkedBuilder::new(name, 0)),
        }
    }

    /// Appends a value of the column's own type; anything else is null.
    pub(crate) fn push(&mut self, value: Option<Value<'_>>) {
        match (self, value) {
            (Builder::Text(values), Some(Value::Text(value))) => values.append_value(value),
            (Builder::Integer(values), Some(Value::Integer(value))) => values.append_value(value),
            (Builder::Decimal { values, .. }, Some(Value::Decimal(value))) => {
                values.append_value(value);
            }
            (Builder::Date(values), Some(Value::Date(value))) => {
                values.append_value(days_since_epoch(value));
            }
            (Builder::Boolean(values), Some(Value::Boolean(value))) => values.append_value(value),
            (builder, _) => builder.push_null(),
        }
    }

    /// Appends a value of the column's own type; anything else is null.
    #[inline]
    pub(crate) fn push_plain(&mut self, value: Plain<'_>) {
        match (self, value) {
            (Builder::Text(values), Plain::Text(value)) => values.append_value(value),
            (Builder::Integer(values), Plain::Figure(value)) => values.append_value(value),
            (Builder::Decimal { values, .. }, Plain::Figure(value)) => {
                values.append_value(value.into());
            }
            (Builder::Date(values), Plain::Day(value)) => {
                values.append_value(days_since_epoch(value));
            }
            (Builder::Boolean(values), Plain::Truth(value)) => values.append_value(value),
            (builder, _) => builder.push_null(),
        }
    }

    pub(crate) fn push_null(&mut self) {
        match self {
            Builder::Text(values) => values.append_null(),
            Builder::Integer(values) => values.append_null(),
            Builder::Decimal { values, .. } => values.append_null(),
            Builder::Date(values) => values.append_null(),
            Builder::Boolean(values) => values.append_null(),
        }
    }

    pub(crate) fn finish(self) -> Values {
        match self {
            Builder::Text(values) => Values::Text(values.finish()),
            Builder::Integer(values) => Values::Integer(values.finish()),
            Builder::Decimal { scale, values } => Values::Decimal {
                scale,
                values: values.finish(),
            },
            Builder::Date(values) => Values::Date(values.finish()),
            Builder::Boolean(values) => Values::Boolean(values.finish()),
        }
    }
}

/// Days since 1970-01-01, as polars counts dates.
fn days_since_epoch(date: NaiveDate) -> i32 {
    const EPOCH_FROM_CE: i32 = 719_163;
    date.num_days_from_ce() - EPOCH_FROM_CE
}
