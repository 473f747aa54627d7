//! What a release with disclosure control leaves out of a dataset: figures, and what tells of the files they came in.

use std::sync::Arc;

use spec::ItemKind;

use super::{Column, FilledBy, LEFT_OUT_COLUMN, Shape};
use crate::release::Suppressed;

/// The columns that tell of a file. Where a file can be plain text, all of it but the figures that are left out is
/// published, so that its hash says which guess at them is right. Its name is whatever its sender wrote, and may be the
/// hash or a figure, and the sheet of a plain text is called as its file.
const OF_FILES: [&str; 3] = ["source_file", "source_sha256", "source_sheet"];

impl Shape {
    /// Has a release leave out what was decided; a column says what.
    pub(crate) fn leave_out(&mut self, decided: Suppressed) {
        let columns = &mut self.columns;
        columns.retain(|column| !OF_FILES.contains(&column.name.as_str()));
        columns.push(Column {
            name: LEFT_OUT_COLUMN.to_owned(),
            title: "Columns whose figure is not published".to_owned(),
            description: decided.in_words(),
            kind: ItemKind::Text,
            unit: None,
            codes: Vec::new(),
            filled_by: FilledBy::LeftOut,
        });
        self.left_out = Some(Arc::new(decided));
    }

    /// What a release leaves out of it.
    pub fn left_out(&self) -> Option<&Arc<Suppressed>> {
        self.left_out.as_ref()
    }
}
