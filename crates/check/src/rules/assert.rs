//! `assert`: an SQL expression holds in every record.
//!
//! # Checks
//! Each record for which the expression is false, or with `$value` in it each of the rule's items; unknown, because a value is blank or unreadable, passes.
//!
//! # Why it matters
//! Most of what a team knows about its return is a sentence over one row.
//!
//! # How to fix
//! As the rule itself says.
//!
//! # Example
//! `assert = "ASSESSDATE >= APPDATE"`

use finding::Finding;
use spec::Rule;
use spec::rule::runs;

use super::Scene;
use crate::CheckError;
use crate::message::values_of;
use crate::sql::Tables;

pub(super) fn check(
    scene: &Scene<'_>,
    rule: &Rule,
    expression: &str,
    tables: &mut Tables,
) -> Result<Vec<Finding>, CheckError> {
    let mut findings = Vec::new();
    for (item, expression) in runs(rule, expression) {
        let select = format!(
            "SELECT _row FROM {} WHERE NOT ({expression})",
            scene.table.name
        );
        let violations = tables.run(rule, &select, scene.reference)?;
        let record_idxs = violations
            .iter()
            .filter_map(|violation| violation.record_idx);
        findings.extend(record_idxs.map(|record_idx| {
            let values = values_of(scene.table, scene.frame, record_idx);
            scene.finding_of_run(rule, item, record_idx, values)
        }));
    }
    Ok(findings)
}
