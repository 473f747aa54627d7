//! Records that count, of all organisations, as consolidated tables that know where each value came from.
//!
//! A [`Manifest`] says which submissions a dataset is made of, and a [`Shape`] which columns it has:
//! what a submission has never changes, so that the same manifest and shape give the same bytes whenever they are asked for.
//! Rows are read a page at a time and written as they come: memory does not grow with their number.
//! What is different between two versions is written the same way.
//! It knows nothing of permissions or of HTTP.

mod asked;
mod cell;
mod changes;
pub mod disclosure;
pub mod look;
mod manifest;
mod notes;
pub mod release;
mod rows;
mod shape;
mod write;

#[cfg(test)]
mod tests;

use db::DbError;

pub use asked::{Asked, Format, Lineage};
pub use changes::{
    Answering, ChangesOfOne, ItemsOf, LinedUp, LinedUpTables, SideOf, TableOfTwo, changes_csv,
    release_changes_csv, tables_of_two,
};
pub use manifest::{
    Manifest, Part, WhichRounds, WhoseRecords, n_most_records, read_long_manifest, read_manifest,
};
pub use shape::{Column, Mapped, Shape, ShapeError, Until, column_name, until};
pub use write::{Batches, From, tag, write_file, write_text};

/// Rows fetched at a time where a cursor gives them.
const BATCH: u32 = 2_000;

#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    #[error(transparent)]
    Shape(#[from] ShapeError),
    #[error("the dataset could not be written: {0}")]
    Write(#[from] std::io::Error),
    #[error("the dataset could not be put into CSV: {0}")]
    Csv(#[from] csv::Error),
    #[error("the dataset could not be put into a workbook: {0}")]
    Xlsx(#[from] report::table::TableError),
    #[error("the dataset could not be put into Parquet: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    #[error("the dataset could not be put into columns: {0}")]
    Arrow(#[from] arrow_schema::ArrowError),
    #[error(transparent)]
    Unprotected(#[from] spec::disclosure::Unprotected),
    #[error("a stored value of {column} is not what its column holds")]
    Value { column: String },
    #[error("the writer of the dataset ended before its rows did")]
    WriterGone,
    #[error(transparent)]
    Db(#[from] DbError),
}

fn bytes_of(writer: csv::Writer<Vec<u8>>) -> Result<Vec<u8>, DatasetError> {
    writer
        .into_inner()
        .map_err(|error| DatasetError::Write(error.into_error()))
}
