//! Rows as CSV and as JSON lines.

use std::io::Write as _;

use report::csv::inert;
use spec::ItemKind;

use crate::rows::Batch;
use crate::{DatasetError, Format, Shape, bytes_of};

/// Writes rows as text.
pub(super) struct Texts {
    kinds: Vec<ItemKind>,
    names: Vec<String>,
    is_json: bool,
}

impl Texts {
    pub(super) fn new(shape: &Shape, format: Format) -> Self {
        let is_json = format == Format::Jsonl;
        Self {
            kinds: shape.columns.iter().map(|column| column.kind).collect(),
            names: shape
                .columns
                .iter()
                .map(|column| {
                    let name = column.name.as_str();
                    if is_json {
                        // As it is written before each value.
                        format!("{}:", serde_json::Value::from(name))
                    } else {
                        name.to_owned()
                    }
                })
                .collect(),
            is_json,
        }
    }

    /// JSON lines have none.
    pub(super) fn heading(&self) -> Result<Vec<u8>, DatasetError> {
        if self.is_json {
            return Ok(Vec::new());
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.names)?;
        bytes_of(writer)
    }

    pub(super) fn rows_of(&self, shape: &Shape, batch: &Batch) -> Result<Vec<u8>, DatasetError> {
        if self.is_json {
            self.json(shape, batch)
        } else {
            self.csv(shape, batch)
        }
    }

    /// No text becomes a formula, and figures stay figures.
    fn csv(&self, shape: &Shape, batch: &Batch) -> Result<Vec<u8>, DatasetError> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut room = String::new();
        for record in batch.records.iter() {
            let cells = shape.cells(&batch.head, record);
            for (cell, kind) in cells.zip(&self.kinds) {
                let cell = cell.text(&mut room).unwrap_or_default();
                match kind {
                    ItemKind::Text => writer.write_field(&*inert(cell))?,
                    ItemKind::Integer
                    | ItemKind::Decimal { .. }
                    | ItemKind::Date
                    | ItemKind::Boolean => writer.write_field(cell)?,
                }
            }
            writer.write_record(None::<&[u8]>)?;
        }
        bytes_of(writer)
    }

    /// Every column is in every line, a blank one as null; numbers have all their digits.
    fn json(&self, shape: &Shape, batch: &Batch) -> Result<Vec<u8>, DatasetError> {
        let mut out = Vec::new();
        let mut room = String::new();
        for record in batch.records.iter() {
            let cells = shape.cells(&batch.head, record);
            let mut before = b'{';
            for ((cell, kind), name) in cells.zip(&self.kinds).zip(&self.names) {
                out.push(before);
                before = b',';
                out.write_all(name.as_bytes())?;
                match (cell.unmarked().text(&mut room), kind) {
                    (None, _) => out.write_all(b"null")?,
                    (Some(cell), ItemKind::Text | ItemKind::Date) => {
                        serde_json::to_writer(&mut out, cell).map_err(std::io::Error::from)?;
                    }
                    (
                        Some(cell),
                        ItemKind::Integer | ItemKind::Decimal { .. } | ItemKind::Boolean,
                    ) => out.write_all(cell.as_bytes())?,
                }
            }
            out.write_all(b"}\n")?;
        }
        Ok(out)
    }
}
