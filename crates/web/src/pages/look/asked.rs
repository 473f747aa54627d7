//! What somebody wants to look at: the part of the address after the question mark, and what can be chosen.

use dataset::column_name;
use dataset::look::{Look, SumOf, What, is_coded, items_of, words_of};
use serde::Deserialize;
use spec::layout::Matrix;
use spec::{Item, ItemKind, Layout, ReturnSpec, TableSpec};

use crate::pages::home::asked::Choice;

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Asked {
    table: Option<String>,
    line: Option<String>,
    item: Option<String>,
    of: Option<String>,
    code: Option<String>,
    pub(super) organisation: Option<String>,
}

/// What is looked at: of what is asked for as much as there is.
pub(super) struct Chosen {
    pub(super) what: What,
    pub(super) words: String,
    pub(super) unit: Option<String>,
    /// Of the item that is chosen, where it has codes.
    pub(super) codes: Vec<(String, String)>,
}

const TOTAL: &str = "total";
const MIDDLE: &str = "middle";

/// The column that says which line a figure is of.
fn line_item_of(table: &TableSpec, matrix: &Matrix) -> String {
    let item = table.item(&matrix.line_item);
    item.map_or_else(|| matrix.line_item.clone(), |item| column_name(table, item))
}

/// Codes and what they mean; an answer of yes or no has two.
fn codes_of(item: &Item) -> Vec<(String, String)> {
    let own = |code: &str, label: &str| (code.to_owned(), label.to_owned());
    match (&item.codes, item.kind) {
        (Some(codes), _) => codes
            .list
            .codes
            .iter()
            .map(|code| own(&code.code, &code.label))
            .collect(),
        (None, ItemKind::Boolean) => vec![own("true", "yes"), own("false", "no")],
        _ => words_of(item).map(|word| own(word, word)).collect(),
    }
}

impl Asked {
    pub(super) fn table_of<'a>(&self, spec: &'a ReturnSpec) -> Option<&'a TableSpec> {
        match self.table.as_deref() {
            Some(name) if !name.is_empty() => spec.table(name),
            _ => spec.tables.first(),
        }
    }

    pub(super) fn chosen(&self, table: &TableSpec) -> Chosen {
        let items = items_of(table);
        let asked = self.item.as_deref().unwrap_or_default();
        let is_it = |item: &&&Item| column_name(table, item) == asked;
        let item = items.iter().find(is_it).copied();
        let records = || Chosen {
            what: What::Records,
            words: format!("{}: number of rows", table.title),
            unit: None,
            codes: Vec::new(),
        };
        if let Layout::Matrix(matrix) = &table.layout {
            let asked = self.line.as_deref().unwrap_or_default();
            let mut lines = matrix.lines.iter();
            let line = lines.find(|line| line.code == asked);
            let line = line.or(matrix.lines.first());
            // What a form adds up itself says the most of it.
            let is_sum = |item: &&&Item| {
                let mut columns = matrix.columns.iter();
                columns.any(|column| column.item == item.name && column.computed)
            };
            let first = items.iter().find(is_sum).or(items.first());
            let (Some(line), Some(item)) = (line, item.or(first.copied())) else {
                return records();
            };
            return Chosen {
                what: What::Line {
                    line_item: line_item_of(table, matrix),
                    line: line.code.clone(),
                    item: column_name(table, item),
                },
                words: format!("{}: {}", line.label, item.title),
                unit: item.unit.clone(),
                codes: Vec::new(),
            };
        }
        let Some(item) = item else {
            return records();
        };
        if is_coded(item) {
            let codes = codes_of(item);
            let code = self.code.clone().filter(|code| !code.is_empty());
            let chosen = Chosen {
                what: What::Coded {
                    item: column_name(table, item),
                    code: code.clone(),
                },
                words: String::new(),
                unit: None,
                codes,
            };
            let words = match &code {
                Some(code) => format!("{}: rows with {}", item.title, chosen.label_of(code)),
                None => format!("{}: rows in which it is filled in", item.title),
            };
            return Chosen { words, ..chosen };
        }
        let (sum, words) = match self.of.as_deref() {
            Some(MIDDLE) => (SumOf::Middle, "the middle figure"),
            _ => (SumOf::Total, "all figures added up"),
        };
        Chosen {
            what: What::Figures {
                item: column_name(table, item),
                sum,
            },
            words: format!("{}: {words}", item.title),
            unit: item.unit.clone(),
            codes: Vec::new(),
        }
    }

    /// Of whom there are figures, by name.
    pub(super) fn organisations(&self, look: &Look) -> Vec<Choice> {
        let mut all: Vec<(&str, &str)> = look
            .points
            .iter()
            .map(|point| (point.name.as_str(), point.organisation.as_str()))
            .collect();
        all.sort_unstable();
        all.dedup();
        let chosen = self.organisation.as_deref();
        all.into_iter()
            .map(|(name, code)| choice(code, name, chosen == Some(code)))
            .collect()
    }
}

fn choice(value: &str, label: impl Into<String>, is_chosen: bool) -> Choice {
    Choice {
        value: value.to_owned(),
        label: label.into(),
        is_chosen,
    }
}

impl Chosen {
    pub(super) fn code(&self) -> Option<&str> {
        match &self.what {
            What::Coded { code, .. } => code.as_deref(),
            _ => None,
        }
    }

    /// `Owner occupied`, or the code where it is not known.
    pub(super) fn label_of(&self, code: &str) -> String {
        let known = self.codes.iter().find(|(known, _)| known == code);
        known.map_or_else(|| code.to_owned(), |(_, label)| label.clone())
    }

    fn item(&self) -> &str {
        match &self.what {
            What::Records => "",
            What::Coded { item, .. } | What::Figures { item, .. } | What::Line { item, .. } => item,
        }
    }

    /// None but of a form.
    pub(super) fn lines(&self, table: &TableSpec) -> Vec<Choice> {
        let (Layout::Matrix(matrix), What::Line { line, .. }) = (&table.layout, &self.what) else {
            return Vec::new();
        };
        let lines = matrix.lines.iter();
        lines
            .map(|one| choice(&one.code, one.label.clone(), one.code == *line))
            .collect()
    }

    pub(super) fn items(&self, table: &TableSpec) -> Vec<Choice> {
        let chosen = self.item();
        let mut choices = Vec::new();
        if !matches!(table.layout, Layout::Matrix(_)) {
            choices.push(choice("", "Number of rows", chosen.is_empty()));
        }
        for item in items_of(table) {
            let label = if is_coded(item) {
                format!("{} (rows by code)", item.title)
            } else {
                item.title.clone()
            };
            let name = column_name(table, item);
            choices.push(choice(&name, label, name == chosen));
        }
        choices
    }

    /// How the figures of many records are made one; nothing to choose where there are none.
    pub(super) fn sums(&self, table: &TableSpec) -> Vec<Choice> {
        let has_figures = || items_of(table).into_iter().any(|item| !is_coded(item));
        if matches!(table.layout, Layout::Matrix(_)) || !has_figures() {
            return Vec::new();
        }
        let is_middle = !self.what.adds_up();
        vec![
            choice(TOTAL, "All added up", !is_middle),
            choice(MIDDLE, "The middle one", is_middle),
        ]
    }

    /// The same look at an address, with a code or with all of them.
    pub(super) fn link(&self, address: &str, table: &TableSpec, code: Option<&str>) -> String {
        let mut words = vec![("table", table.name.as_str())];
        match &self.what {
            What::Records => {}
            What::Coded { item, .. } => words.push(("item", item)),
            What::Figures { item, sum } => {
                words.push(("item", item));
                let of = match sum {
                    SumOf::Total => TOTAL,
                    SumOf::Middle => MIDDLE,
                };
                words.push(("of", of));
            }
            What::Line { line, item, .. } => {
                words.extend([("line", line.as_str()), ("item", item)]);
            }
        }
        words.extend(code.map(|code| ("code", code)));
        let words: Vec<String> = words
            .into_iter()
            .map(|(name, value)| format!("{name}={}", crate::words::in_address(value)))
            .collect();
        format!("{address}?{}", words.join("&"))
    }
}
