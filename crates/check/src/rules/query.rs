//! `query`: a SELECT whose every row is a violation.
//!
//! # Checks
//! Whatever SQL can say over the return's tables, the same tables of earlier periods and those of other returns.
//! A query over a period or a return that is not known does not run, and the assessment's head says so.
//!
//! # Why it matters
//! What holds between rows, tables and periods is different in every return.
//!
//! # How to fix
//! As the rule itself says.
//!
//! # Example
//! `SELECT s._row AS _row, p.COMPLETED AS before FROM site AS s JOIN previous_site AS p ON s.HSU = p.HSU WHERE s.COMPLETED < p.COMPLETED`

use finding::Finding;
use spec::Rule;

use super::Scene;
use crate::CheckError;
use crate::message::values_of;
use crate::sql::Tables;

pub(super) fn check(
    scene: &Scene<'_>,
    rule: &Rule,
    select: &str,
    reads: &[String],
    tables: &mut Tables,
) -> Result<Vec<Finding>, CheckError> {
    if !reads.iter().all(|name| tables.has(name)) {
        return Ok(Vec::new());
    }
    let violations = tables.run(rule, select, scene.reference)?;
    Ok(violations
        .into_iter()
        .map(|violation| match violation.record_idx {
            Some(record_idx) => {
                let mut values = values_of(scene.table, scene.frame, record_idx);
                values.extend(violation.values);
                scene.finding(rule, record_idx, &values)
            }
            None => scene.words(rule, &violation.values),
        })
        .collect())
}
