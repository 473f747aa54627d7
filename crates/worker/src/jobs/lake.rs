//! Has the lake say what an organisation has accepted for a period.

use std::sync::Arc;

use lake::{Part, Table};
use queue::HandlerError;
use spec::Period;
use workflow::LakeJob;

use crate::Worker;

/// Replay is harmless: what the lake says already, or says newer, is left alone.
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
    for shape in accepted.shapes(specs)? {
        let mut rows = accepted.rows(db, &actor, specs, &shape).await?;
        let part = Part {
            period: job.period.clone(),
            organisation: job.organisation.clone(),
            sequence: accepted.sequence,
        };
        let into = Table {
            path: format!("{}/{}", job.return_id, shape.table),
            schema: lake::without_partitions(rows.schema()),
        };
        let mut replacing = lake.replace(into, part).await?;
        while let Some(batch) = rows.next().await? {
            replacing.add(&batch).await?;
        }
        let outcome = replacing.commit().await?;
        let LakeJob {
            return_id,
            period,
            organisation,
        } = &job;
        let table = &shape.table;
        tracing::info!(
            return_id,
            period,
            organisation,
            table,
            ?outcome,
            "the lake is told"
        );
    }
    Ok(())
}
