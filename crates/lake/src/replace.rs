//! Replacing what an organisation has accepted for a period.

use std::sync::Arc;

use arrow_array::{Array as _, RecordBatch, StringArray, new_null_array};
use arrow_schema::{Field, Schema};
use delta_kernel::KernelError;
use delta_kernel::arrow::compute::concat_batches;
use delta_kernel::committer::FileSystemCommitter;
use delta_kernel::engine::arrow_data::ArrowEngineData;
use delta_kernel::object_store::ObjectStoreExt as _;
use delta_kernel::object_store::path::Path;
use delta_kernel::snapshot::{Snapshot, SnapshotRef};
use delta_kernel::transaction::{BoundWriteContext, CommitResult, UpdateTableOperation};
use tokio::task::spawn_blocking;

use crate::table::{TRIES, WRITER, contended, in_files, ready};
use crate::{Lake, LakeError, Part, Table};

/// So many commits are read one by one, before there is one file of what they come to.
const CHECKPOINT_EVERY: u64 = 20;

/// Rows of one file, at the least if there are more: they are held in memory until it is written.
const FILE_ROWS: usize = 50_000;

/// What became of a replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is this version of the table.
    Committed { version: u64 },
    /// What was there stays: a newer state of the part, or this one where [`SameState::Stays`].
    AlreadyThere,
}

/// What becomes of this very state of the part, where it is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameState {
    /// A replay changes nothing.
    Stays,
    /// Its rows come in the place of those that are there, which may have names of before or be lost.
    IsReplaced,
}

/// A replacement whose rows are coming. Until it is committed, nobody sees any of them.
pub struct Replacing {
    lake: Lake,
    table: Table,
    part: Part,
    same: SameState,
    context: Arc<BoundWriteContext>,
    /// The columns of a file.
    columns: Arc<Schema>,
    /// Rows that are in no file yet.
    waiting: Vec<RecordBatch>,
    n_waiting: usize,
    /// What the table is told of each file that is written.
    files: Vec<RecordBatch>,
}

impl Lake {
    /// Begins a replacement; makes the table and its columns where they are not there. `None`: what is there stays,
    /// as with [`Outcome::AlreadyThere`], and no row need be read for it.
    pub async fn replace(
        &self,
        table: Table,
        part: Part,
        same: SameState,
    ) -> Result<Option<Replacing>, LakeError> {
        let lake = self.clone();
        blocking(move || {
            let snapshot = ready(&lake, &table)?;
            if stays(&lake, &snapshot, &part, same)? {
                return Ok(None);
            }
            let columns = in_files(&snapshot)?;
            let columns = columns
                .into_iter()
                .map(|(name, of)| Field::new(name, of, true))
                .collect::<Vec<_>>();
            let context = context(&lake, &snapshot, &part)?;
            Ok(Some(Replacing {
                context: Arc::new(context),
                columns: Arc::new(Schema::new(columns)),
                waiting: Vec::new(),
                n_waiting: 0,
                files: Vec::new(),
                lake,
                table,
                part,
                same,
            }))
        })
        .await
    }

    /// Has a table that is called otherwise now say nothing of a part. `None`: there is no table of that name.
    pub async fn take_out(
        &self,
        path: &str,
        part: Part,
        same: SameState,
    ) -> Result<Option<Outcome>, LakeError> {
        let table = Table {
            path: path.to_owned(),
            schema: Arc::new(Schema::empty()),
        };
        if !self.has(&table).await? {
            return Ok(None);
        }
        let outcome = match self.replace(table, part, same).await? {
            Some(nothing) => nothing.commit().await?,
            None => Outcome::AlreadyThere,
        };
        Ok(Some(outcome))
    }
}

/// Whether what the table has of the part stays as it is. Only the log is asked: data files may be lost.
fn stays(
    lake: &Lake,
    snapshot: &SnapshotRef,
    part: &Part,
    same: SameState,
) -> Result<bool, LakeError> {
    let known = snapshot.get_app_id_version(&part.id(), lake.engine.as_ref())?;
    Ok(known.is_some_and(|known| match same {
        SameState::Stays => known >= part.sequence,
        SameState::IsReplaced => known > part.sequence,
    }))
}

/// How and where the part's files are written.
fn context(
    lake: &Lake,
    snapshot: &SnapshotRef,
    part: &Part,
) -> Result<BoundWriteContext, LakeError> {
    let state = Arc::clone(snapshot)
        .update_table(UpdateTableOperation::Write, WRITER, true)
        .build(lake.engine.as_ref(), Box::new(FileSystemCommitter::new()))?
        .write_state()?;
    let values = part.values().into_iter().collect();
    Ok(state
        .write_context_builder()
        .with_partition_values(values)
        .build()?)
}

impl Replacing {
    /// Takes rows, as many as come at a time.
    pub async fn add(&mut self, rows: &RecordBatch) -> Result<(), LakeError> {
        self.n_waiting += rows.num_rows();
        self.waiting.push(self.widened(rows)?);
        if self.n_waiting >= FILE_ROWS {
            self.write().await?;
        }
        Ok(())
    }

    /// Writes what waits into a file.
    async fn write(&mut self) -> Result<(), LakeError> {
        if self.n_waiting == 0 {
            return Ok(());
        }
        let rows = concat_batches(&self.columns, &self.waiting).map_err(KernelError::Arrow)?;
        self.waiting.clear();
        self.n_waiting = 0;
        let engine = &self.lake.engine;
        let rows = ArrowEngineData::new(rows);
        let written = engine.write_parquet(&rows, &self.context).await?;
        let written = ArrowEngineData::try_from_engine_data(written)?;
        self.files.push(written.record_batch().clone());
        Ok(())
    }

    /// With the columns of other versions of the return, which these rows have not.
    fn widened(&self, rows: &RecordBatch) -> Result<RecordBatch, LakeError> {
        let columns = self.columns.fields().iter().map(|field| {
            rows.column_by_name(field.name()).map_or_else(
                || new_null_array(field.data_type(), rows.num_rows()),
                Arc::clone,
            )
        });
        RecordBatch::try_new(Arc::clone(&self.columns), columns.collect())
            .map_err(|error| KernelError::Arrow(error).into())
    }

    /// Puts the rows that came in the place of those that were there, all at once.
    pub async fn commit(mut self) -> Result<Outcome, LakeError> {
        self.write().await?;
        let (replacing, outcome) = blocking(move || {
            let outcome = self.commit_now()?;
            Ok((self, outcome))
        })
        .await?;
        if outcome == Outcome::AlreadyThere {
            replacing.remove_files().await;
        }
        Ok(outcome)
    }

    fn commit_now(&self) -> Result<Outcome, LakeError> {
        let engine = self.lake.engine.as_ref();
        let address = self.lake.address(&self.table);
        for _ in 0..TRIES {
            let snapshot = Snapshot::builder_for(&address).build(engine)?;
            // Others may have been quicker while the rows came.
            if stays(&self.lake, &snapshot, &self.part, self.same)? {
                return Ok(Outcome::AlreadyThere);
            }
            let before = self.part.files(&snapshot, engine)?;
            let mut transaction = snapshot
                .update_table(UpdateTableOperation::Write, WRITER, true)
                .with_transaction_id(self.part.id(), self.part.sequence)
                .build(engine, Box::new(FileSystemCommitter::new()))?;
            for files in before {
                transaction.remove_files(files);
            }
            for file in &self.files {
                transaction.add_files(Box::new(ArrowEngineData::new(file.clone())));
            }
            match transaction.commit(engine)? {
                CommitResult::Committed(committed) => {
                    let version = committed.commit_version();
                    if version.is_multiple_of(CHECKPOINT_EVERY) && version > 0 {
                        checkpoint(&self.lake, &address)?;
                    }
                    return Ok(Outcome::Committed { version });
                }
                // Somebody else's commit came first: what it changed is looked at.
                CommitResult::Conflicted(_) => {}
                CommitResult::Retryable(failed) => {
                    return Err(LakeError::Store(failed.error.to_string()));
                }
            }
        }
        Err(contended(&self.table))
    }

    /// What was written for nothing. What can't be removed is in nobody's way: no version of the table names it.
    async fn remove_files(&self) {
        let root = self.context.table_root_dir();
        for file in &self.files {
            let paths = file
                .column_by_name("path")
                .and_then(|column| column.as_any().downcast_ref::<StringArray>());
            for path in paths.into_iter().flatten().flatten() {
                let place = root.join(path).ok();
                if let Some(place) = place.and_then(|url| Path::from_url_path(url.path()).ok()) {
                    let _ = self.lake.store.delete(&place).await;
                }
            }
        }
    }
}

/// One file of what all commits so far come to.
fn checkpoint(lake: &Lake, address: &str) -> Result<(), LakeError> {
    let engine = lake.engine.as_ref();
    let snapshot = Snapshot::builder_for(address).build(engine)?;
    snapshot.checkpoint(engine, None)?;
    Ok(())
}

/// The library waits for the store as it goes.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LakeError> + Send + 'static,
) -> Result<T, LakeError> {
    spawn_blocking(work)
        .await
        .map_err(|error| LakeError::Store(error.to_string()))?
}
