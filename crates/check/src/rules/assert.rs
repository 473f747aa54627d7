//! `assert`: an SQL expression holds in every record.
//!
//! # Checks
//! Each record for which the expression is false; unknown, because a value is blank or unreadable, passes.
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
    let select = format!(
        "SELECT _row FROM {} WHERE NOT ({expression})",
        scene.table.name
    );
    let violations = tables.run(rule, &select, scene.reference)?;
    Ok(violations
        .iter()
        .filter_map(|violation| violation.record_idx)
        .map(|record_idx| {
            let values = values_of(scene.table, scene.frame, record_idx);
            scene.finding(rule, record_idx, &values)
        })
        .collect())
}
