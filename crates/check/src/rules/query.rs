//! `query`: a SELECT whose every row is a violation.
//!
//! # Checks
//! Whatever SQL can say over the return's tables, the same tables of earlier periods and those of other returns.
//! With `$value` in it, it is run for each of the rule's items, in whose place that stands.
//! A query over a period or a return that is not known does not run, nor one that reads what an earlier period's version
//! did not ask for; the assessment's head says so.
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
use spec::rule::runs;

use super::Scene;
use crate::CheckError;
use crate::message::{values_of, with_label};
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
    let mut findings = Vec::new();
    for (item, select) in runs(rule, select) {
        let violations = tables.run(rule, &select, scene.reference)?;
        let told = violations.into_iter().map(|violation| {
            let Some(record_idx) = violation.record_idx else {
                return scene.words(rule, &violation.values);
            };
            let mut values = values_of(scene.table, scene.frame, record_idx);
            values.extend(violation.values.into_iter().map(|(name, value)| {
                // What a query says of another table's item it calls by that item's name.
                let mut tables = std::iter::once(scene.table).chain(&scene.spec.tables);
                let item = tables.find_map(|table| table.item(&name));
                let value = match item {
                    Some(item) => with_label(item, value),
                    None => value,
                };
                (name, value)
            }));
            scene.finding_of_run(rule, item, record_idx, values)
        });
        findings.extend(told);
    }
    Ok(findings)
}
