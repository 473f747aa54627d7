//! Rows as typed columns, of a Parquet file or for others.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Decimal128Builder, Int64Builder, StringBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use chrono::NaiveDate;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use spec::ItemKind;

use super::From;
use crate::cell::Cell;
use crate::rows::{Batch, Rows};
use crate::{Column, DatasetError, Manifest, Shape};

/// As many digits as any figure that was stored has.
const DIGITS: u8 = 38;

/// Rows that are packed together: as many as are held in memory.
const GROUP_ROWS: usize = 100_000;

/// A Parquet file while its rows come.
pub(super) struct ParquetTable {
    writer: ArrowWriter<File>,
    schema: Arc<Schema>,
}

impl ParquetTable {
    pub(super) fn new(shape: &Shape, file: File) -> Result<Self, DatasetError> {
        let schema = schema(shape);
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_created_by("lgdp".to_owned())
            .build();
        Ok(Self {
            writer: ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))?,
            schema,
        })
    }

    pub(super) fn add(&mut self, shape: &Shape, batch: &Batch) -> Result<(), DatasetError> {
        let batch = typed(shape, &self.schema, batch)?;
        self.writer.write(&batch)?;
        Ok(())
    }

    pub(super) fn finish(self) -> Result<(), DatasetError> {
        self.writer.close()?;
        Ok(())
    }
}

/// The rows of a dataset in typed columns, as they come, for whoever writes them elsewhere.
pub struct Batches<'a> {
    rows: Rows<'a>,
    shape: &'a Shape,
    schema: Arc<Schema>,
}

impl<'a> Batches<'a> {
    pub async fn open(
        from: From<'a>,
        manifest: &'a Manifest,
        shape: &'a Shape,
    ) -> Result<Self, DatasetError> {
        Ok(Self {
            rows: Rows::open(from, manifest, shape).await?,
            shape,
            schema: schema(shape),
        })
    }

    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// `None`: that was all.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, DatasetError> {
        let batch = self.rows.next().await?;
        batch
            .map(|batch| typed(self.shape, &self.schema, &batch))
            .transpose()
    }
}

fn schema(shape: &Shape) -> Arc<Schema> {
    let fields = shape.columns.iter().map(field);
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn typed(shape: &Shape, schema: &Arc<Schema>, batch: &Batch) -> Result<RecordBatch, DatasetError> {
    let arrays: Vec<ArrayRef> = shape
        .columns
        .iter()
        .map(|column| {
            let cells = shape.column(column, &batch.head, &batch.records);
            array(column, cells.map(Cell::unmarked))
        })
        .collect::<Result<_, _>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), arrays)?)
}

fn field(column: &Column) -> Field {
    let of = match column.kind {
        ItemKind::Text => DataType::Utf8,
        ItemKind::Integer => DataType::Int64,
        ItemKind::Decimal { scale } => DataType::Decimal128(DIGITS, scale_of(scale)),
        ItemKind::Date => DataType::Date32,
        ItemKind::Boolean => DataType::Boolean,
    };
    let title = HashMap::from([("title".to_owned(), column.title.clone())]);
    Field::new(&column.name, of, true).with_metadata(title)
}

/// At most 9, as the spec's format has it.
fn scale_of(scale: u8) -> i8 {
    i8::try_from(scale).unwrap_or(i8::MAX)
}

fn array<'a>(
    column: &Column,
    cells: impl Iterator<Item = Cell<'a>>,
) -> Result<ArrayRef, DatasetError> {
    let wrong = || DatasetError::Value {
        column: column.name.clone(),
    };
    let mut room = String::new();
    Ok(match column.kind {
        ItemKind::Text => {
            let mut builder = StringBuilder::new();
            cells.for_each(|cell| builder.append_option(cell.text(&mut room)));
            Arc::new(builder.finish())
        }
        ItemKind::Integer => {
            let mut builder = Int64Builder::new();
            for cell in cells {
                let value = cell.text(&mut room).map(str::parse);
                let value = value.transpose().map_err(|_| wrong())?;
                builder.append_option(value);
            }
            Arc::new(builder.finish())
        }
        ItemKind::Decimal { scale } => {
            let mut builder =
                Decimal128Builder::new().with_precision_and_scale(DIGITS, scale_of(scale))?;
            for cell in cells {
                let value = match cell.text(&mut room) {
                    Some(value) => Some(units(value, scale).ok_or_else(wrong)?),
                    None => None,
                };
                builder.append_option(value);
            }
            Arc::new(builder.finish())
        }
        ItemKind::Date => {
            let mut builder = Date32Builder::new();
            for cell in cells {
                let value = match cell.text(&mut room) {
                    Some(value) => Some(days(value).ok_or_else(wrong)?),
                    None => None,
                };
                builder.append_option(value);
            }
            Arc::new(builder.finish())
        }
        ItemKind::Boolean => {
            let mut builder = BooleanBuilder::new();
            for cell in cells {
                let value = cell.text(&mut room).map(str::parse);
                let value = value.transpose().map_err(|_| wrong())?;
                builder.append_option(value);
            }
            Arc::new(builder.finish())
        }
    })
}

/// `-1.5` with two places is -150; `None` where it has more places than that, or is no number.
pub(crate) fn units(text: &str, scale: u8) -> Option<i128> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let missing = usize::from(scale).checked_sub(places.len())?;
    let mut digits = String::with_capacity(whole.len() + usize::from(scale));
    digits.push_str(whole);
    digits.push_str(places);
    digits.extend(std::iter::repeat_n('0', missing));
    digits.parse().ok()
}

/// Since 1 January 1970; of a day as Postgres writes it, which takes a fraction of what reading any day does.
fn days(text: &str) -> Option<i32> {
    let (year, month_and_day) = text.split_once('-')?;
    let (month, day) = month_and_day.split_once('-')?;
    let day = NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
    let since = day.signed_duration_since(NaiveDate::default());
    i32::try_from(since.num_days()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_every_digit() {
        for (text, scale, expected) in [
            ("-1.50", 2, Some(-150)),
            ("7", 2, Some(700)),
            ("0.001", 3, Some(1)),
            ("-0.01", 2, Some(-1)),
            (
                "12345678901234567890123456789012345.67",
                2,
                Some(1_234_567_890_123_456_789_012_345_678_901_234_567),
            ),
            ("1.234", 2, None),
            ("x", 2, None),
        ] {
            assert_eq!(units(text, scale), expected, "{text}");
        }
        assert_eq!(
            (days("1970-01-02"), days("1969-12-31")),
            (Some(1), Some(-1))
        );
        assert_eq!(days("2024-02-29"), Some(19_782));
        for no_day in ["2023-02-29", "0044-03-15 BC", "infinity", ""] {
            assert_eq!(days(no_day), None, "{no_day}");
        }
    }
}
