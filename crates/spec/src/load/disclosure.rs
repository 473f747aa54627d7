//! `[disclosure]` of `return.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::document::{Document, step};
use super::fault::Faults;
use super::table::TableDraft;
use crate::disclosure::{
    CellOf, DeclaredSum, Disclosure, SumOf, Together, TogetherOf, USUAL_THRESHOLD,
};
use crate::{ItemKind, Layout, Part};

const AT: &str = "/disclosure";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DisclosureDocument {
    threshold: Option<u32>,
    #[serde(default)]
    suggested: bool,
    counts: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    sum: Vec<SumDocument>,
    #[serde(default)]
    together: Vec<TogetherDocument>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SumDocument {
    table: String,
    total: Option<String>,
    parts: Option<Vec<String>>,
    total_line: Option<String>,
    part_lines: Option<Vec<String>>,
    items: Option<Vec<String>>,
    total_cell: Option<String>,
    part_cells: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TogetherDocument {
    table: String,
    items: Option<Vec<String>>,
    lines: Option<Vec<String>>,
}

pub(crate) fn read(
    document: Option<&Document>,
    tables: &[TableDraft],
    faults: &mut Faults,
) -> Option<Disclosure> {
    let document = document?;
    let said: DisclosureDocument = document.part(AT, faults)?;
    let said_of = Said { document, tables };
    for (table, items) in &said.counts {
        let at = step(&format!("{AT}/counts"), table);
        if let Some(form) = said_of.form(table, &at, faults) {
            for (idx, item) in items.iter().enumerate() {
                said_of.number(form, item, &format!("{at}/{idx}"), faults);
            }
        }
    }
    let sums = said.sum.into_iter().enumerate();
    let sums = sums.filter_map(|(idx, sum)| said_of.sum(sum, &format!("{AT}/sum/{idx}"), faults));
    let sums = sums.collect();
    let together = said.together.into_iter().enumerate();
    let together = together.filter_map(|(idx, together)| {
        said_of.together(together, &format!("{AT}/together/{idx}"), faults)
    });
    Some(Disclosure {
        sums,
        together: together.collect(),
        threshold: said.threshold.unwrap_or(USUAL_THRESHOLD),
        suggested: said.suggested,
        counts: said.counts,
    })
}

struct Said<'a> {
    document: &'a Document,
    tables: &'a [TableDraft],
}

impl<'a> Said<'a> {
    fn form(&self, table: &str, at: &str, faults: &mut Faults) -> Option<&'a TableDraft> {
        let found = self.tables.iter().find(|draft| draft.name == table);
        let why = match found {
            None => format!("there is no table \"{table}\""),
            Some(found) => match &found.layout {
                Some(Layout::Matrix(_)) | None => return Some(found),
                Some(_) => format!(
                    "{table} is no form: its rows are records, and leaving out single figures of them protects nobody"
                ),
            },
        };
        self.document.fault(faults, at, why);
        None
    }

    fn number(&self, form: &TableDraft, item: &str, at: &str, faults: &mut Faults) {
        let why = match (form.lacks(item), form.item(item).map(|item| item.kind)) {
            (Some(why), _) => why,
            (None, Some(ItemKind::Integer | ItemKind::Decimal { .. }) | None) => return,
            (None, Some(_)) => format!("{}.{item} is no number", form.name),
        };
        self.document.fault(faults, at, why);
    }

    fn line(&self, form: &TableDraft, line: &str, at: &str, faults: &mut Faults) {
        if let Some(Layout::Matrix(matrix)) = &form.layout
            && !matrix.lines.iter().any(|known| known.code == line)
        {
            let why = format!("{} has no line \"{line}\"", form.name);
            self.document.fault(faults, at, why);
        }
    }

    /// `line.item`
    fn cell(&self, form: &TableDraft, cell: &str, at: &str, faults: &mut Faults) -> Option<CellOf> {
        let Some((line, item)) = cell.rsplit_once('.') else {
            let why = format!("\"{cell}\" is no cell: write line.item");
            self.document.fault(faults, at, why);
            return None;
        };
        self.line(form, line, at, faults);
        self.number(form, item, at, faults);
        Some(CellOf {
            line: line.to_owned(),
            item: item.to_owned(),
        })
    }

    fn together(
        &self,
        together: TogetherDocument,
        at: &str,
        faults: &mut Faults,
    ) -> Option<Together> {
        let form = self.form(&together.table, &format!("{at}/table"), faults)?;
        for (idx, item) in together.items.iter().flatten().enumerate() {
            self.number(form, item, &format!("{at}/items/{idx}"), faults);
        }
        for (idx, line) in together.lines.iter().flatten().enumerate() {
            self.line(form, line, &format!("{at}/lines/{idx}"), faults);
        }
        let items = together.items.map(TogetherOf::Items);
        Some(Together {
            table: together.table,
            of: items.or(together.lines.map(TogetherOf::Lines))?,
        })
    }

    fn sum(&self, sum: SumDocument, at: &str, faults: &mut Faults) -> Option<DeclaredSum> {
        let form = self.form(&sum.table, &format!("{at}/table"), faults)?;
        if let (Some(total), Some(parts)) = (&sum.total_cell, &sum.part_cells) {
            let total = self.cell(form, total, &format!("{at}/total_cell"), faults);
            let parts = parts_of(parts).into_iter().enumerate();
            let parts = parts.filter_map(|(idx, part)| {
                let at = format!("{at}/part_cells/{idx}");
                Some((self.cell(form, &part.name, &at, faults)?, part.subtract))
            });
            let parts = parts.collect();
            return Some(DeclaredSum {
                table: sum.table,
                of: SumOf::Cells {
                    total: total?,
                    parts,
                },
            });
        }
        let of = match (sum.total, sum.parts, sum.total_line, sum.part_lines) {
            (Some(total), Some(parts), ..) => {
                self.number(form, &total, &format!("{at}/total"), faults);
                let parts = parts_of(&parts);
                for (idx, part) in parts.iter().enumerate() {
                    self.number(form, &part.name, &format!("{at}/parts/{idx}"), faults);
                }
                SumOf::Across { total, parts }
            }
            (_, _, Some(total_line), Some(part_lines)) => {
                self.line(form, &total_line, &format!("{at}/total_line"), faults);
                let part_lines = parts_of(&part_lines);
                for (idx, part) in part_lines.iter().enumerate() {
                    self.line(form, &part.name, &format!("{at}/part_lines/{idx}"), faults);
                }
                for (idx, item) in sum.items.iter().flatten().enumerate() {
                    self.number(form, item, &format!("{at}/items/{idx}"), faults);
                }
                let numbers = || {
                    let items = form.items.iter().filter(|item| {
                        matches!(item.kind, ItemKind::Integer | ItemKind::Decimal { .. })
                    });
                    items.map(|item| item.name.clone()).collect()
                };
                SumOf::Down {
                    total_line,
                    part_lines,
                    items: sum.items.unwrap_or_else(numbers),
                }
            }
            _ => return None,
        };
        Some(DeclaredSum {
            table: sum.table,
            of,
        })
    }
}

/// `-item` is subtracted.
fn parts_of(names: &[String]) -> Vec<Part> {
    let names = names.iter();
    names
        .map(|name| match name.strip_prefix('-') {
            Some(name) => Part {
                name: name.to_owned(),
                subtract: true,
            },
            None => Part {
                name: name.clone(),
                subtract: false,
            },
        })
        .collect()
}
