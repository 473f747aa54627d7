//! Has the lake say what an organisation has accepted for a period.

use std::collections::BTreeSet;
use std::sync::Arc;

use lake::{Lake, Outcome, Part, SameState, Table};
use queue::HandlerError;
use spec::Period;
use workflow::LakeJob;

use crate::Worker;

/// Replay is harmless: what the lake says already is left alone or put in once more, and what it says newer stays.
pub(crate) async fn lake(worker: Arc<Worker>, job: LakeJob) -> Result<(), HandlerError> {
    let Some(lake) = &worker.lake else {
        return Ok(());
    };
    let (db, actor) = (&worker.db, Worker::actor());
    let (id, label) = (&job.return_id, &job.period);
    let version = workflow::version_of_round(db, &actor, id, label).await?;
    let Some(spec) = version.and_then(|version| worker.spec(id, &version)) else {
        return Err(HandlerError::later(format!(
            "this worker has no spec of {id} {label}"
        )));
    };
    let period = Period::parse(spec.period_kind, label)?;
    let (specs, of_round) = (&worker.specs, (spec, &period));
    let accepted = workflow::accepted(db, &actor, specs, of_round, &job.organisation).await?;
    let part = Part {
        period: job.period.clone(),
        organisation: job.organisation.clone(),
        sequence: accepted.sequence,
    };
    let shapes = accepted.shapes(specs)?;
    let mut told = BTreeSet::new();
    for shape in &shapes {
        // Of two tables that had one name, the newer one has it.
        if !told.insert(shape.table.as_str()) {
            continue;
        }
        let mut rows = accepted.rows(db, &actor, specs, shape).await?;
        let into = Table {
            path: format!("{id}/{}", shape.table),
            schema: lake::without_partitions(rows.schema()),
        };
        let outcome = match lake.replace(into, part.clone(), same(&job)).await? {
            None => Outcome::AlreadyThere,
            Some(mut replacing) => {
                while let Some(batch) = rows.next().await? {
                    replacing.add(&batch).await?;
                }
                replacing.commit().await?
            }
        };
        note(&job, &shape.table, outcome);
    }
    let versions = specs.iter().filter(|version| version.id == *id);
    let tables = versions.flat_map(|version| &version.tables);
    let names: BTreeSet<&str> = tables.map(|table| table.name.as_str()).collect();
    take_out(lake, &job, &part, names.difference(&told).copied()).await
}

/// What the rows are in now has another name: they are not to be twice in the lake.
async fn take_out(
    lake: &Lake,
    job: &LakeJob,
    part: &Part,
    former: impl Iterator<Item = &str> + Send,
) -> Result<(), HandlerError> {
    for table in former {
        let path = format!("{}/{table}", job.return_id);
        let outcome = lake.take_out(&path, part.clone(), same(job)).await?;
        if let Some(outcome) = outcome {
            note(job, table, outcome);
        }
    }
    Ok(())
}

fn same(job: &LakeJob) -> SameState {
    if job.again {
        SameState::IsReplaced
    } else {
        SameState::Stays
    }
}

fn note(job: &LakeJob, table: &str, outcome: Outcome) {
    let LakeJob {
        return_id,
        period,
        organisation,
        again,
    } = job;
    tracing::info!(
        return_id,
        period,
        organisation,
        again,
        table,
        ?outcome,
        "the lake is told"
    );
}
