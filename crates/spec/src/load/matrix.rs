//! The matrix layout: fixed cells, a record for each line of the form.

use std::collections::{BTreeMap, BTreeSet};

use finding::parse_column_letters;
use serde::Deserialize;
use serde_json::Value;

use super::bodies::Bodies;
use super::document::Document;
use super::fault::Faults;
use super::returns::Sources;
use super::table::{TableDraft, cell_at, check_item};
use crate::layout::{Anchor, CellsFor, Line, Matrix, MatrixColumn};
use crate::{Confidence, Identity, IdentityPlace, ItemKind, OnlyFor, Provenance};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnchorDocument {
    cell: String,
    text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LineDocument {
    code: String,
    row: u32,
    label: String,
    description: String,
    source: String,
    confidence: Confidence,
    #[serde(default)]
    computed: bool,
    #[serde(default)]
    not_applicable: Vec<String>,
    #[serde(default)]
    only_for: OnlyFor,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnDocument {
    item: String,
    column: String,
    #[serde(default)]
    computed: bool,
    #[serde(default)]
    only_for: OnlyFor,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CellsDocument {
    lines: Vec<String>,
    items: Vec<String>,
    only_for: OnlyFor,
    source: String,
    confidence: Confidence,
}

pub(crate) fn read(
    document: &Document,
    draft: &TableDraft,
    identities: &[Identity],
    sources: &Sources,
    bodies: &Bodies,
    faults: &mut Faults,
) -> Option<Matrix> {
    let anchors = anchors(document, faults);
    let line_item: Option<String> = document.part("/lines/item", faults);
    if let Some(item) = &line_item {
        check_item(document, draft, item, "/lines/item", faults);
        if draft
            .item(item)
            .is_some_and(|item| item.kind != ItemKind::Text)
        {
            document.fault(faults, "/lines/item", "line codes are text");
        }
    }
    let code_column: Option<String> = document.part("/code_column", faults);
    let columns = columns(document, draft, line_item.as_deref(), faults);
    let lines = lines(
        document,
        draft,
        line_item.as_deref(),
        &columns,
        sources,
        faults,
    );
    let cells = cells(document, &lines, &columns, sources, faults);
    check_bodies(document, bodies, faults);
    if document.is_faulty("/lines/line") {
        return None;
    }
    let matrix = Matrix {
        code_column_idx: code_column.as_deref().and_then(parse_column_letters),
        anchors,
        line_item: line_item?,
        lines,
        columns,
        cells,
    };
    check_cells(document, &matrix, identities, faults);
    Some(matrix)
}

fn anchors(document: &Document, faults: &mut Faults) -> Vec<Anchor> {
    let mut anchors = Vec::new();
    for pointer in document.elements("/anchors") {
        let Some(said) = document.part::<AnchorDocument>(&pointer, faults) else {
            continue;
        };
        let Some((row_idx, column_idx)) = cell_at(&said.cell) else {
            let why = format!("\"{}\" is not a cell", said.cell);
            document.fault(faults, &format!("{pointer}/cell"), why);
            continue;
        };
        anchors.push(Anchor {
            row_idx,
            column_idx,
            text: said.text,
        });
    }
    anchors
}

fn columns(
    document: &Document,
    draft: &TableDraft,
    line_item: Option<&str>,
    faults: &mut Faults,
) -> Vec<MatrixColumn> {
    let mut columns: Vec<MatrixColumn> = Vec::new();
    for pointer in document.elements("/lines/column") {
        let Some(said) = document.part::<ColumnDocument>(&pointer, faults) else {
            continue;
        };
        let item_at = format!("{pointer}/item");
        check_item(document, draft, &said.item, &item_at, faults);
        if line_item == Some(said.item.as_str()) {
            document.fault(faults, &item_at, "the line item has no column");
        }
        if columns.iter().any(|column| column.item == said.item) {
            let why = format!("\"{}\" has a column already", said.item);
            document.fault(faults, &item_at, why);
        }
        let column_at = format!("{pointer}/column");
        let Some(column_idx) = parse_column_letters(&said.column).filter(|idx| *idx < 16_384)
        else {
            let why = format!("\"{}\" is not a column", said.column);
            document.fault(faults, &column_at, why);
            continue;
        };
        if let Some(other) = columns
            .iter()
            .find(|column| column.column_idx == column_idx)
        {
            let why = format!("column {} is {} already", said.column, other.item);
            document.fault(faults, &column_at, why);
        }
        columns.push(MatrixColumn {
            item: said.item,
            column_idx,
            computed: said.computed,
            only_for: said.only_for,
        });
    }
    let all_read = !document.is_faulty("/lines/column") && line_item.is_some();
    for name in draft.names.iter().filter(|_| all_read) {
        if line_item != Some(name) && !columns.iter().any(|column| column.item == *name) {
            let why = format!("the item \"{name}\" has no column");
            document.fault(faults, "/lines/column", why);
        }
    }
    columns
}

fn lines(
    document: &Document,
    draft: &TableDraft,
    line_item: Option<&str>,
    columns: &[MatrixColumn],
    sources: &Sources,
    faults: &mut Faults,
) -> Vec<Line> {
    let options =
        line_item.and_then(|item| draft.item(item)?.schema.get("enum")?.as_array().cloned());
    let mut lines: Vec<Line> = Vec::new();
    for pointer in document.elements("/lines/line") {
        let Some(said) = document.part::<LineDocument>(&pointer, faults) else {
            continue;
        };
        sources.check(&said.source, document, &format!("{pointer}/source"), faults);
        let code_at = format!("{pointer}/code");
        if lines.iter().any(|line| line.code == said.code) {
            let why = format!("the line \"{}\" is there already", said.code);
            document.fault(faults, &code_at, why);
        }
        if options
            .as_ref()
            .is_some_and(|options| !options.contains(&Value::from(said.code.as_str())))
        {
            let why = format!("\"{}\" is not a value of the line item", said.code);
            document.fault(faults, &code_at, why);
        }
        if let Some(other) = lines.iter().find(|line| line.row_idx + 1 == said.row) {
            let why = format!("row {} is the line \"{}\" already", said.row, other.code);
            document.fault(faults, &format!("{pointer}/row"), why);
        }
        for (idx, item) in said.not_applicable.iter().enumerate() {
            if !columns.iter().any(|column| column.item == *item) {
                let why = format!("no column is the item \"{item}\"");
                document.fault(faults, &format!("{pointer}/not_applicable/{idx}"), why);
            }
        }
        lines.push(Line {
            code: said.code,
            row_idx: said.row.saturating_sub(1),
            label: said.label,
            description: said.description,
            computed: said.computed,
            not_applicable: said.not_applicable,
            only_for: said.only_for,
            provenance: Provenance {
                source: said.source,
                confidence: said.confidence,
            },
        });
    }
    lines
}

fn cells(
    document: &Document,
    lines: &[Line],
    columns: &[MatrixColumn],
    sources: &Sources,
    faults: &mut Faults,
) -> Vec<CellsFor> {
    let mut cells = Vec::new();
    for pointer in document.elements("/lines/cells") {
        let Some(said) = document.part::<CellsDocument>(&pointer, faults) else {
            continue;
        };
        sources.check(&said.source, document, &format!("{pointer}/source"), faults);
        for (idx, code) in said.lines.iter().enumerate() {
            if !lines.iter().any(|line| line.code == *code) {
                let why = format!("there is no line \"{code}\"");
                document.fault(faults, &format!("{pointer}/lines/{idx}"), why);
            }
        }
        for (idx, item) in said.items.iter().enumerate() {
            if !columns.iter().any(|column| column.item == *item) {
                let why = format!("no column is the item \"{item}\"");
                document.fault(faults, &format!("{pointer}/items/{idx}"), why);
            }
        }
        cells.push(CellsFor {
            lines: said.lines,
            items: said.items,
            only_for: said.only_for,
            provenance: Provenance {
                source: said.source,
                confidence: said.confidence,
            },
        });
    }
    cells
}

/// Every kind or code that a part of the form is for is one of `organisations.csv`.
fn check_bodies(document: &Document, bodies: &Bodies, faults: &mut Faults) {
    for part in ["/lines/line", "/lines/column", "/lines/cells"] {
        for pointer in document.elements(part) {
            let only_for = format!("{pointer}/only_for");
            let said: OnlyFor = document.part(&only_for, faults).unwrap_or_default();
            for (idx, name) in said.0.iter().enumerate() {
                if let Some(why) = bodies.unknown(name) {
                    document.fault(faults, &format!("{only_for}/{idx}"), why);
                }
            }
        }
    }
}

/// The code column, the anchors and the identity cells stand outside the lines' cells.
fn check_cells(document: &Document, matrix: &Matrix, identities: &[Identity], faults: &mut Faults) {
    let rows: BTreeSet<u32> = matrix.lines.iter().map(|line| line.row_idx).collect();
    let columns: BTreeMap<u32, &str> = matrix
        .columns
        .iter()
        .map(|column| (column.column_idx, column.item.as_str()))
        .collect();
    if let Some(item) = matrix.code_column_idx.and_then(|idx| columns.get(&idx)) {
        let why = format!("is the column of \"{item}\"");
        document.fault(faults, "/code_column", why);
    }
    let is_taken = |row: u32, column: u32| rows.contains(&row) && columns.contains_key(&column);
    for (idx, anchor) in matrix.anchors.iter().enumerate() {
        if is_taken(anchor.row_idx, anchor.column_idx) {
            document.fault(faults, &format!("/anchors/{idx}/cell"), "is a line's cell");
        }
    }
    for (idx, identity) in identities.iter().enumerate() {
        if let IdentityPlace::Cell {
            row_idx,
            column_idx,
        } = identity.place
            && is_taken(row_idx, column_idx)
        {
            document.fault(faults, &format!("/identity/{idx}/cell"), "is a line's cell");
        }
    }
}
