//! Reads a version folder: every file once, every fault in one pass.
//!
//! Each file goes through three looks: its syntax, the format's JSON Schema for its kind, and then what it means.
//! A place that one look found wrong is not looked at by the next, so that one mistake is one fault.

mod bodies;
mod codes;
mod condition;
mod disclosure;
mod document;
mod fault;
mod folder;
mod format;
mod keys;
mod lineage;
mod links;
mod matrix;
mod message;
mod property;
mod record;
mod returns;
mod rule_ids;
mod rules;
mod sql;
mod table;

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub(crate) use fault::Faults;
pub use fault::{Fault, LoadError};
pub use format::format_schemas;
pub use sql::{Known, Rows, Vetted, vet_expression, vet_query};
pub(crate) use sql::{canonical as canonical_sql, columns as columns_in_sql};

use crate::{ReturnSpec, TableSpec};
use bodies::Bodies;
use codes::Lists;
use document::Document;
use folder::Folder;
use format::FileKind;

/// Reads one version folder, `return-specs/<return>/<version>`; shared code lists are found beside the return.
///
/// The examples are not read here: [`crate::example::load_examples`] does that.
pub fn load(dir: &Path) -> Result<ReturnSpec, LoadError> {
    let mut faults = Faults::default();
    let spec = read(dir, &mut faults);
    faults.or(spec)
}

/// Reads every version folder below `return-specs/`, by return and version.
pub fn load_all(root: &Path) -> Result<Vec<ReturnSpec>, LoadError> {
    let mut faults = Vec::new();
    let mut specs = Vec::new();
    for dir in version_dirs(root).map_err(|fault| LoadError {
        faults: vec![fault],
    })? {
        match load(&dir) {
            Ok(spec) => specs.push(spec),
            Err(error) => {
                let within = dir.strip_prefix(root).unwrap_or(&dir);
                faults.extend(error.faults.into_iter().map(|fault| Fault {
                    file: within.join(&fault.file),
                    ..fault
                }));
            }
        }
    }
    if faults.is_empty() {
        specs.sort_by(|a, b| {
            (&a.id, version_order(&a.version)).cmp(&(&b.id, version_order(&b.version)))
        });
        faults = keys::check(&specs);
    }
    if faults.is_empty() {
        Ok(specs)
    } else {
        Err(LoadError { faults })
    }
}

/// Reads every version of the return that a version folder is of.
pub fn load_versions(dir: &Path) -> Result<Vec<ReturnSpec>, LoadError> {
    let dirs = folder::sub_dirs(&dir.join("..")).map_err(|fault| LoadError {
        faults: vec![fault],
    })?;
    dirs.iter().map(|dir| load(dir)).collect()
}

/// `1.10` comes after `1.9`.
fn version_order(version: &str) -> Vec<u64> {
    version
        .split('.')
        .map(|part| part.parse().unwrap_or(u64::MAX))
        .collect()
}

/// Every folder two levels below the root but the shared code lists and central figures, sorted.
pub(crate) fn version_dirs(root: &Path) -> Result<Vec<PathBuf>, Fault> {
    let mut dirs = Vec::new();
    for return_dir in folder::sub_dirs(root)? {
        if return_dir.ends_with("code-lists") || return_dir.ends_with("reference-values") {
            continue;
        }
        dirs.extend(folder::sub_dirs(&return_dir)?);
    }
    Ok(dirs)
}

fn read(dir: &Path, faults: &mut Faults) -> Option<ReturnSpec> {
    let mut folder = Folder::open(dir, faults)?;
    let bodies = Bodies::read(&folder, faults);
    let about = returns::read(&mut folder, &bodies, faults);
    let mut lists = Lists::default();
    let mut tables = Vec::new();
    for name in &about.tables {
        tables.push(table::read(
            &mut folder,
            &mut lists,
            name,
            &about.sources,
            &bodies,
            faults,
        ));
    }
    let links = links::read(
        &folder,
        about.document(),
        about.id(),
        about.period_kind(),
        faults,
    );
    links::check_names(&links, &tables, about.document(), faults);
    let rules = rules::read(
        &mut folder,
        &about.sources,
        &bodies,
        &tables,
        &links,
        faults,
    );
    let disclosure = disclosure::read(about.document(), &tables, faults);
    let lineage = lineage::read(&mut folder, &about, &tables, faults);
    about.check_demo(&folder, &bodies, &tables, faults);
    about.check_keys(&tables, faults);
    about.check_own_columns(&tables, faults);
    let lists_are_known = tables.iter().all(table::TableDraft::is_whole);
    folder.check_leftovers(lists_are_known, faults);
    let hash = folder.hash(faults);
    let tables: Option<Vec<TableSpec>> = tables.into_iter().map(|draft| draft.table).collect();
    about.into_spec(dir, hash, (tables?, lineage, disclosure), rules, links)
}

/// Reads a TOML file of the folder through its first two looks.
fn toml_document(
    folder: &mut Folder,
    file: &str,
    kind: FileKind,
    faults: &mut Faults,
) -> Option<Document> {
    let text = folder.text(file, faults)?;
    let mut document = Document::parse_toml(Path::new(file), &text, faults)?;
    format::check(kind, &mut document, faults);
    Some(document)
}
