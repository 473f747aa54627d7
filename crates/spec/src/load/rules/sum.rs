//! The kind `sum`: a total across a record or down a form.

use super::super::fault::Faults;
use super::super::property::{describe, is_numeric};
use super::super::table::TableDraft;
use super::{Reading, RuleDocument};
use crate::rule::Part;
use crate::{Layout, RuleKind};

impl Reading<'_> {
    pub(super) fn sum_across(
        &self,
        said: &mut RuleDocument,
        table: &TableDraft,
        faults: &mut Faults,
    ) -> Option<RuleKind> {
        let total = said.total.take()?;
        if let Some(why) = table.lacks(&total) {
            self.fault("total", why, faults);
        }
        if let Some(item) = table.item(&total)
            && !is_numeric(item.kind)
        {
            let why = format!("{total} is {}, not a number", describe(item.kind));
            self.fault("total", why, faults);
        }
        let parts: Vec<Part> = said.parts.iter().map(|text| part(text)).collect();
        let names: Vec<String> = parts.iter().map(|part| part.name.clone()).collect();
        self.check_items(table, &names, "parts", faults);
        self.check_numeric(table, &names, "parts", faults);
        if names.contains(&total) {
            self.fault("parts", "the total is one of its own parts", faults);
        }
        if said.items.is_empty() {
            said.items.push(total.clone());
        }
        Some(RuleKind::SumAcross { total, parts })
    }

    pub(super) fn sum_down(
        &self,
        said: &RuleDocument,
        table: &TableDraft,
        total_line: String,
        faults: &mut Faults,
    ) -> RuleKind {
        self.check_numeric(table, &said.items, "items", faults);
        let mut part_lines = Vec::new();
        match &table.layout {
            Some(Layout::Matrix(matrix)) => {
                let has = |code: &str| matrix.lines.iter().any(|line| line.code == code);
                if !has(&total_line) {
                    let why = format!("{} has no line \"{total_line}\"", table.name);
                    self.fault("total_line", why, faults);
                }
                for (idx, text) in said.part_lines.iter().enumerate() {
                    // A code that itself starts with a minus stands for itself.
                    let line = if has(text) { plain(text) } else { part(text) };
                    let at = format!("part_lines/{idx}");
                    if line.name == total_line {
                        self.fault(&at, "the total is one of its own parts", faults);
                    } else if !has(&line.name) {
                        let why = format!("{} has no line \"{}\"", table.name, line.name);
                        self.fault(&at, why, faults);
                    }
                    part_lines.push(line);
                }
            }
            Some(_) => {
                let why = format!("{} is not a matrix", table.name);
                self.fault("total_line", why, faults);
            }
            None => {}
        }
        RuleKind::SumDown {
            total_line,
            part_lines,
        }
    }
}

fn plain(name: &str) -> Part {
    Part {
        name: name.to_owned(),
        subtract: false,
    }
}

fn part(text: &str) -> Part {
    text.strip_prefix('-').map_or_else(
        || plain(text),
        |name| Part {
            name: name.to_owned(),
            subtract: true,
        },
    )
}
