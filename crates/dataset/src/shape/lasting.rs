//! The tables of a return for whoever keeps them over its versions.

use std::cmp::Reverse;

use spec::{Ancestry, ReturnSpec};

use super::{Shape, ShapeError};
use crate::{Asked, Manifest};

impl Shape {
    /// Every table of every version of the manifest's return, each once, by the newest name and with the columns of all
    /// versions: the same columns whichever version the rows were sent with, and more once there is a newer version.
    pub fn of_all_versions(
        versions: &[ReturnSpec],
        manifest: &Manifest,
        asked: &Asked,
    ) -> Result<Vec<Self>, ShapeError> {
        let mut all: Vec<&ReturnSpec> = versions
            .iter()
            .filter(|version| version.id == manifest.return_id)
            .collect();
        all.sort_by_key(|version| Reverse(version.valid_from));
        let every = all
            .iter()
            .map(|version| (version.version.clone(), version.hash.clone()));
        let manifest = Manifest {
            versions: every.collect(),
            ..manifest.clone()
        };
        let mut shapes = Vec::new();
        let mut are_there: Vec<(&str, &str)> = Vec::new();
        for spec in &all {
            let ancestry = Ancestry::of(versions, spec);
            for table in &spec.tables {
                if are_there.contains(&(&spec.version, &table.name)) {
                    continue;
                }
                for older in &all {
                    let before = ancestry.table_before(spec, &table.name, older);
                    are_there.extend(
                        before.map(|before| (older.version.as_str(), before.name.as_str())),
                    );
                }
                shapes.push(Shape::of(versions, spec, &table.name, &manifest, asked)?);
            }
        }
        Ok(shapes)
    }
}
