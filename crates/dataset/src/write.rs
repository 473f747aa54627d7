//! A dataset as bytes: texts while they are sent, workbooks and Parquet into a file.

mod columns;
mod texts;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;

use db::{Db, Sees};
use report::table::TableWorkbook;
use sha2::{Digest as _, Sha256};
use spec::ReturnSpec;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;

use self::columns::ParquetTable;
use self::texts::Texts;
use crate::rows::{Batch, Rows};
use crate::{DatasetError, Format, Manifest, Shape, notes};

pub use self::columns::Batches;
pub(crate) use self::columns::units;

/// Raised whenever the same manifest comes to be written otherwise.
const LAYOUT: u32 = 4;

/// Batches that wait for the writer.
const WAITING: usize = 2;

/// What the bytes of a dataset follow from, as a hash: it is the same where they are.
pub fn tag(manifest: &Manifest, shape: &Shape, format: Format) -> Result<String, DatasetError> {
    let all = serde_json::json!({
        "layout": LAYOUT,
        "made_by": env!("CARGO_PKG_VERSION"),
        "manifest": manifest,
        "table": shape.table,
        "columns": shape.asked,
        "format": format,
    });
    let mut hash = Sha256::new();
    hash.update(all.to_string());
    Ok(hex::encode(hash.finalize()))
}

/// Whose records, by which versions.
#[derive(Clone, Copy)]
pub struct From<'a> {
    pub db: &'a Db,
    pub sees: &'a Sees,
    /// All published versions.
    pub versions: &'a [ReturnSpec],
}

/// Writes a text format while its rows are read; gives the number of records.
/// The headings are there also where there is no record.
pub async fn write_text<W: AsyncWrite + Unpin + Send>(
    from: From<'_>,
    manifest: &Manifest,
    shape: &Arc<Shape>,
    format: Format,
    out: &mut W,
) -> Result<u64, DatasetError> {
    let texts = Arc::new(Texts::new(shape, format));
    let mut rows = Rows::open(from, manifest, shape).await?;
    let mut batch = rows.next().await?;
    // After the first rows: what can't be read at all is not begun.
    out.write_all(&texts.heading()?).await?;
    while let Some(now) = batch {
        let (texts, shape) = (Arc::clone(&texts), Arc::clone(shape));
        let write = async {
            // Whoever else is served by this thread does not wait for it.
            let written = tokio::task::spawn_blocking(move || texts.rows_of(&shape, &now)).await;
            out.write_all(&written.map_err(std::io::Error::other)??)
                .await?;
            Ok::<(), DatasetError>(())
        };
        // The database is asked for the next rows, and reads them while these are written.
        let (next, written) = tokio::join!(rows.next(), write);
        written?;
        batch = next?;
    }
    out.flush().await?;
    Ok(rows.n_records)
}

/// Writes any format into a file; gives the number of records. What has to wait does so in a file in `temporary`.
pub async fn write_file(
    from: From<'_>,
    spec: &ReturnSpec,
    manifest: &Manifest,
    shape: &Arc<Shape>,
    format: Format,
    file: File,
    temporary: &Path,
) -> Result<u64, DatasetError> {
    let (give, mut taken) = mpsc::channel::<Batch>(WAITING);
    let (for_writer, temporary) = (Arc::clone(shape), temporary.to_owned());
    let about = (spec.clone(), manifest.clone());
    let writing = tokio::task::spawn_blocking(move || {
        let mut sink = Sink::new(&for_writer, format, file, &temporary)?;
        let mut n_records = 0;
        while let Some(batch) = taken.blocking_recv() {
            n_records += batch.records.len() as u64;
            sink.add(&for_writer, &batch)?;
        }
        sink.finish(&about.0, &about.1, &for_writer, n_records)
    });
    let read = read(from, manifest, shape, give).await;
    let written = writing
        .await
        .map_err(|error| DatasetError::Write(std::io::Error::other(error)))?;
    match read {
        // What the writer ran into says more than that it is gone.
        Err(DatasetError::WriterGone) => {
            written?;
            Err(DatasetError::WriterGone)
        }
        Err(error) => Err(error),
        Ok(n_records) => {
            written?;
            Ok(n_records)
        }
    }
}

/// Reads all rows for the writer, who has seen all of them once `give` is dropped.
async fn read(
    from: From<'_>,
    manifest: &Manifest,
    shape: &Shape,
    give: mpsc::Sender<Batch>,
) -> Result<u64, DatasetError> {
    let mut rows = Rows::open(from, manifest, shape).await?;
    while let Some(batch) = rows.next().await? {
        give.send(batch)
            .await
            .map_err(|_| DatasetError::WriterGone)?;
    }
    Ok(rows.n_records)
}

/// Where rows go. Each format is finished in its own way.
enum Sink {
    Texts(Texts, BufWriter<File>),
    Workbook(Box<TableWorkbook>, File),
    Parquet(Box<ParquetTable>),
}

impl Sink {
    fn new(
        shape: &Shape,
        format: Format,
        file: File,
        temporary: &Path,
    ) -> Result<Self, DatasetError> {
        match format {
            Format::Csv | Format::Jsonl => {
                let texts = Texts::new(shape, format);
                let mut out = BufWriter::new(file);
                out.write_all(&texts.heading()?)?;
                Ok(Sink::Texts(texts, out))
            }
            Format::Xlsx => {
                let columns = shape.columns.iter().map(|column| report::table::Column {
                    heading: column.name.clone(),
                    kind: column.kind,
                });
                let workbook = TableWorkbook::new(columns.collect(), temporary)?;
                Ok(Sink::Workbook(Box::new(workbook), file))
            }
            Format::Parquet => Ok(Sink::Parquet(Box::new(ParquetTable::new(shape, file)?))),
        }
    }

    fn add(&mut self, shape: &Shape, batch: &Batch) -> Result<(), DatasetError> {
        match self {
            Sink::Texts(texts, out) => out.write_all(&texts.rows_of(shape, batch)?)?,
            Sink::Workbook(workbook, _) => {
                let mut room = String::new();
                for record in batch.records.iter() {
                    let cells = shape.cells(&batch.head, record);
                    workbook.add(cells.map(|cell| cell.text(&mut room).map(str::to_owned)))?;
                }
            }
            Sink::Parquet(table) => table.add(shape, batch)?,
        }
        Ok(())
    }

    fn finish(
        self,
        spec: &ReturnSpec,
        manifest: &Manifest,
        shape: &Shape,
        n_records: u64,
    ) -> Result<(), DatasetError> {
        match self {
            Sink::Texts(_, mut out) => out.flush()?,
            Sink::Workbook(workbook, file) => {
                let sheets = notes::sheets(spec, manifest, shape, n_records, workbook.n_cut());
                workbook.save(&sheets, file)?;
            }
            Sink::Parquet(table) => table.finish()?,
        }
        Ok(())
    }
}
