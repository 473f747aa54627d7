//! Records that accumulate are known by their keys over all versions of a return, so that these stay what they are.

use std::mem::discriminant;

use super::fault::Fault;
use crate::{Accumulation, Ancestry, Item, ReturnSpec, TableSpec};

/// What each version's keys have become otherwise since the version before it.
pub(super) fn check(specs: &[ReturnSpec]) -> Vec<Fault> {
    let cumulative = specs.iter();
    let cumulative = cumulative.filter(|spec| spec.accumulation == Accumulation::Cumulative);
    let mut faults = Vec::new();
    for spec in cumulative {
        let ancestry = Ancestry::of(specs, spec);
        let Some(older) = ancestry.one_before(spec) else {
            continue;
        };
        for table in &spec.tables {
            let Some(before) = ancestry.table_before(spec, &table.name, older) else {
                continue;
            };
            if !stay(&ancestry, (spec, table), (older, before)) {
                faults.push(Fault {
                    file: [&spec.id, &spec.version, "return.toml"].iter().collect(),
                    place: String::new(),
                    why: format!(
                        "records of {} are known by {} over the periods, and by {} in version {}: the keys stay the same items of the same type",
                        table.name,
                        table.keys.join(", "),
                        before.keys.join(", "),
                        older.version
                    ),
                });
            }
        }
    }
    faults
}

fn stay<'a>(
    ancestry: &Ancestry<'a>,
    (spec, table): (&'a ReturnSpec, &'a TableSpec),
    (older, before): (&'a ReturnSpec, &'a TableSpec),
) -> bool {
    let was = |key: &String| -> Option<&'a Item> {
        let item = table.item(key)?;
        let was = ancestry.before((spec, table, item), older)?.item;
        // A number written with decimals is another text.
        (discriminant(&was.kind) == discriminant(&item.kind)).then_some(was)
    };
    let were: Option<Vec<&str>> = table
        .keys
        .iter()
        .map(|key| Some(was(key)?.name.as_str()))
        .collect();
    let Some(mut were) = were else { return false };
    let mut keys: Vec<&str> = before.keys.iter().map(String::as_str).collect();
    were.sort_unstable();
    keys.sort_unstable();
    were == keys
}
