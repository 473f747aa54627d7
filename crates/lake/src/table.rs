//! A table: made when it is first written, and widened when a newer version of its return asks for more.

use std::sync::Arc;

use arrow_schema::{DataType, Schema};
use delta_kernel::committer::FileSystemCommitter;
use delta_kernel::engine::arrow_conversion::{TryFromArrow as _, TryIntoArrow as _};
use delta_kernel::expressions::{Expression, Predicate, Scalar};
use delta_kernel::scan::ScanMetadata;
use delta_kernel::schema::{DataType as KernelType, StructField, StructType};
use delta_kernel::snapshot::{Snapshot, SnapshotRef};
use delta_kernel::transaction::create_table::create_table;
use delta_kernel::transaction::data_layout::DataLayout;
use delta_kernel::transaction::{CommitResult, UpdateTableOperation};
use delta_kernel::{FilteredEngineData, KernelError};

use crate::store::Engine;
use crate::{Lake, LakeError};

/// The columns that a table is partitioned by.
pub const PERIOD: &str = "period";
pub const ORGANISATION: &str = "organisation_code";

/// Who writes, as the table's history says it.
pub(crate) const WRITER: &str = "lgdp";

/// Whoever comes second to a commit tries again; so often, at the most.
pub(crate) const TRIES: u32 = 50;

/// A record table of a return.
#[derive(Debug, Clone)]
pub struct Table {
    /// `hl1/case`: letters, digits, underscores and slashes.
    pub path: String,
    /// The columns of its rows without [`PERIOD`] and [`ORGANISATION`].
    pub schema: Arc<Schema>,
}

/// The columns of rows but for those that a table is partitioned by.
pub fn without_partitions(schema: &Schema) -> Arc<Schema> {
    let fields = schema.fields().iter();
    let others = fields.filter(|field| ![PERIOD, ORGANISATION].contains(&field.name().as_str()));
    Arc::new(Schema::new(others.cloned().collect::<Vec<_>>()))
}

/// Rows that stand or fall together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub period: String,
    pub organisation: String,
    /// Grows with everything that is done about what the organisation owes for the period.
    pub sequence: i64,
}

impl Part {
    /// What the sequence is of.
    pub(crate) fn id(&self) -> String {
        format!("{WRITER}/{}/{}", self.period, self.organisation)
    }

    pub(crate) fn values(&self) -> [(String, Scalar); 2] {
        [
            (PERIOD.to_owned(), Scalar::from(self.period.clone())),
            (
                ORGANISATION.to_owned(),
                Scalar::from(self.organisation.clone()),
            ),
        ]
    }

    /// The files that its rows are in now.
    pub(crate) fn files(
        &self,
        snapshot: &SnapshotRef,
        engine: &Engine,
    ) -> Result<Vec<FilteredEngineData>, LakeError> {
        let is_its = self
            .values()
            .map(|(column, value)| Predicate::eq(Expression::column([column]), value));
        let scan = Arc::clone(snapshot)
            .scan_builder()
            .with_predicate(Arc::new(Predicate::and_from(is_its)))
            .build()?;
        let files = scan
            .scan_metadata(engine)?
            .map(|found| found.map(|ScanMetadata { scan_files, .. }| scan_files))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(files)
    }
}

/// The table as it is now, with all the columns that `table` has. Blocks.
pub(crate) fn ready(lake: &Lake, table: &Table) -> Result<SnapshotRef, LakeError> {
    let address = lake.address(table);
    let engine = lake.engine.as_ref();
    lake.make_folder(table)?;
    for _ in 0..TRIES {
        let snapshot = match Snapshot::builder_for(&address).build(engine) {
            Ok(snapshot) => snapshot,
            Err(KernelError::EmptyLog) => {
                create(lake, table)?;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let missing = missing_columns(table, &snapshot)?;
        if missing.is_empty() {
            return Ok(snapshot);
        }
        let mut widening = snapshot.update_table(UpdateTableOperation::AlterTable, WRITER, false);
        for column in missing {
            widening = widening.add_column(column);
        }
        // Where others were first, what they did is looked at.
        let _ = widening
            .build(engine, Box::new(FileSystemCommitter::new()))?
            .commit(engine)?;
    }
    Err(contended(table))
}

pub(crate) fn contended(table: &Table) -> LakeError {
    LakeError::Contended {
        table: table.path.clone(),
        tries: TRIES,
    }
}

/// Harmless where another process makes it at the same moment.
fn create(lake: &Lake, table: &Table) -> Result<(), LakeError> {
    let engine = lake.engine.as_ref();
    let partitions =
        [PERIOD, ORGANISATION].map(|name| StructField::nullable(name, KernelType::STRING));
    let columns = partitions.into_iter().chain(columns(table)?);
    let schema = Arc::new(StructType::try_new(columns)?);
    let made = create_table(lake.address(table), schema, WRITER, false)
        .with_data_layout(DataLayout::partitioned([PERIOD, ORGANISATION]))
        .build(engine, Box::new(FileSystemCommitter::new()));
    let committed = match made {
        Ok(making) => making.commit(engine),
        Err(error) => Err(error),
    };
    match committed {
        Ok(CommitResult::Committed(_) | CommitResult::Conflicted(_)) => Ok(()),
        Ok(CommitResult::Retryable(failed)) => Err(LakeError::Store(failed.error.to_string())),
        // It is there by now, or what is wrong comes again when it is read.
        Err(_)
            if Snapshot::builder_for(lake.address(table))
                .build(engine)
                .is_ok() =>
        {
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

fn columns(table: &Table) -> Result<Vec<StructField>, LakeError> {
    let all = StructType::try_from_arrow(table.schema.as_ref()).map_err(KernelError::Arrow)?;
    Ok(all
        .fields()
        // What is not asked for in another version is not there.
        .map(|field| StructField::nullable(field.name(), field.data_type().clone()))
        .collect())
}

fn missing_columns(table: &Table, snapshot: &SnapshotRef) -> Result<Vec<StructField>, LakeError> {
    let there = snapshot.schema();
    let mut missing = Vec::new();
    for column in columns(table)? {
        match there.field(column.name()) {
            None => missing.push(column),
            Some(old) if old.data_type() == column.data_type() => {}
            Some(old) => {
                return Err(LakeError::ColumnChanged {
                    table: table.path.clone(),
                    column: column.name().clone(),
                    before: old.data_type().to_string(),
                    after: column.data_type().to_string(),
                });
            }
        }
    }
    Ok(missing)
}

/// The columns that a file of the table has, in order, with their types.
pub(crate) fn in_files(snapshot: &SnapshotRef) -> Result<Vec<(String, DataType)>, LakeError> {
    let schema: Schema = snapshot
        .schema()
        .as_ref()
        .try_into_arrow()
        .map_err(KernelError::Arrow)?;
    Ok(schema
        .fields()
        .iter()
        .filter(|field| ![PERIOD, ORGANISATION].contains(&field.name().as_str()))
        .map(|field| (field.name().clone(), field.data_type().clone()))
        .collect())
}
