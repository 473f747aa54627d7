//! All that a version says of each thing, as words that can be compared and shown.
//!
//! Structures are taken apart name by name, so that what is added to one is told here or doesn't compile.

mod disclosure;
mod rules;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use finding::{CellRef, column_letters};
use serde_json::Value;

use super::Named;
use crate::layout::{Anchor, CellsFor, IgnoredRow, Line, Matrix, MatrixColumn, Records};
use crate::{
    Accumulation, Code, CodeList, CodeRef, ComparedWith, Confidence, DateFormat, Demo,
    ExtraColumns, Fact, Identity, IdentityKind, IdentityPlace, Item, ItemKind, Layout, OnlyFor,
    OtherPeriod, Owner, Provenance, ReferenceSet, Respondents, ReturnSpec, Sensitivity, SheetMatch,
    Source, TableSpec, ValuePeriod,
};
use disclosure::of_disclosure;
pub(super) use rules::rules;

/// By property; what is not said is not there.
pub(super) type Facets = BTreeMap<String, String>;

/// Puts facets together.
#[derive(Default)]
struct Say(Facets);

impl Say {
    fn is(mut self, property: &str, value: impl Into<String>) -> Self {
        self.0.insert(property.to_owned(), value.into());
        self
    }

    fn may_be(self, property: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.is(property, value),
            None => self,
        }
    }

    fn list(self, property: &str, values: &[String]) -> Self {
        if values.is_empty() {
            self
        } else {
            self.is(property, values.join(", "))
        }
    }

    fn provenance(self, provenance: &Provenance) -> Self {
        let Provenance {
            source,
            confidence: sure,
        } = provenance;
        self.is("source", source)
            .is("confidence", confidence(*sure))
    }

    /// Of a part of a thing.
    fn provenance_of(self, what: &str, provenance: &Provenance) -> Self {
        let Provenance {
            source,
            confidence: sure,
        } = provenance;
        self.is(&format!("{what}, source"), source)
            .is(&format!("{what}, confidence"), confidence(*sure))
    }
}

fn yes(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}

fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Published => "published",
        Confidence::Partial => "partial",
        Confidence::Inferred => "inferred",
    }
}

fn named(name: &str, summary: impl Into<String>, say: Say) -> Named {
    Named {
        name: name.to_owned(),
        summary: summary.into(),
        facets: say.0,
    }
}

pub(super) fn of_return(spec: &ReturnSpec) -> Facets {
    let ReturnSpec {
        id,
        version,
        title,
        acronym,
        summary,
        // Of the files, with their comments.
        hash: _,
        dir: _,
        valid_from,
        valid_to,
        owner: Owner { organisation, team },
        respondents: Respondents { types, only },
        period_kind,
        accumulation,
        extra_columns,
        own_columns,
        sensitivity:
            Sensitivity {
                personal_data,
                special_category,
            },
        // Told one by one.
        facts: _,
        sources: _,
        tables: _,
        lineage: _,
        disclosure_said,
        rules: _,
        compared_with,
        reference_values,
        demo,
    } = spec;
    let say = Say::default()
        .is("id", id)
        .is("version", version)
        .is("title", title)
        .is("acronym", acronym)
        .is("summary", summary)
        .is("valid from", valid_from.to_string())
        .may_be("valid to", valid_to.map(|day| day.to_string()))
        .is("owner", format!("{organisation}, {team}"))
        .list("respondents", types)
        .list("only these respondents", only)
        .is("period", period_kind.as_str())
        .is(
            "accumulation",
            match accumulation {
                Accumulation::Replace => "replace",
                Accumulation::Cumulative => "cumulative",
            },
        )
        .is(
            "extra columns",
            match extra_columns {
                ExtraColumns::Refuse => "refuse",
                ExtraColumns::Ignore => "ignore",
            },
        )
        .may_be("own columns", own_columns.as_ref())
        .is("personal data", yes(*personal_data))
        .is("special category", yes(*special_category));
    let say = disclosure_said.iter().fold(say, of_disclosure);
    let say = compared_with.iter().fold(say, of_compared);
    let say = reference_values.iter().fold(say, of_set);
    demo.iter().fold(say, of_demo).0
}

fn of_compared(say: Say, other: &ComparedWith) -> Say {
    let ComparedWith {
        return_id,
        version,
        // What it is called and what tables it has is its own folder's to say.
        acronym: _,
        hash: _,
        tables: _,
        period,
    } = other;
    let period = match period {
        OtherPeriod::Same => "of the same period",
        OtherPeriod::Before => "of the period before",
    };
    say.is(
        &format!("compared with {return_id}"),
        format!("version {version}, {period}"),
    )
}

fn of_set(say: Say, wanted: &ReferenceSet) -> Say {
    let ReferenceSet {
        set,
        title,
        table,
        period,
        figures,
        decimals,
    } = wanted;
    let period = match period {
        ValuePeriod::Same => "same",
        ValuePeriod::Next => "next",
    };
    let of = |what: &str| format!("reference values {table}, {what}");
    say.is(&of("set"), set)
        .is(&of("title"), title)
        .is(&of("period"), period)
        .list(&of("figures"), figures)
        .is(&of("decimals"), decimals.to_string())
}

fn of_demo(say: Say, demo: &Demo) -> Say {
    let Demo {
        base,
        base_of,
        copies,
        vary,
        scale,
    } = demo;
    let bases: Vec<String> = base_of
        .iter()
        .map(|(of, base)| format!("{of} = {base}"))
        .collect();
    say.is("demo, base", base)
        .list("demo, other bases", &bases)
        .is("demo, copies", copies.to_string())
        .list("demo, vary", vary)
        .is("demo, scale", yes(*scale))
}

pub(super) fn tables(spec: &ReturnSpec) -> Vec<Named> {
    spec.tables
        .iter()
        .map(|table| {
            let summary = format!("{}, {}", table.title, layout(&table.layout));
            named(&table.name, summary, of_table(table))
        })
        .collect()
}

fn layout(layout: &Layout) -> &'static str {
    match layout {
        Layout::Records(_) => "records",
        Layout::TurnAround { .. } => "turn-around",
        Layout::Matrix(_) => "matrix",
    }
}

fn of_table(table: &TableSpec) -> Say {
    let TableSpec {
        name: _,
        title,
        description,
        sheet:
            SheetMatch {
                names,
                required,
                only_sheet,
            },
        layout: stands,
        // Told one by one.
        items: _,
        keys,
        identities,
        conditions: _,
        schema,
    } = table;
    let say = Say::default()
        .is("title", title)
        .is("description", description)
        .may_be("title of a record", schema.get("title").map(value))
        .is("layout", layout(stands))
        .list("sheets", names)
        .is("sheet required", yes(*required))
        .is("only sheet", yes(*only_sheet))
        .list("keys", keys)
        .list(
            "organisation in",
            &places(identities, IdentityKind::Organisation),
        )
        .list("period in", &places(identities, IdentityKind::Period));
    match stands {
        Layout::Records(records) => of_records(say, records),
        Layout::TurnAround {
            records,
            key,
            asked_anew,
        } => of_records(say, records)
            .is("turn-around key", key)
            .list("asked anew", asked_anew),
        Layout::Matrix(matrix) => of_matrix(say, matrix),
    }
}

fn places(identities: &[Identity], wanted: IdentityKind) -> Vec<String> {
    identities
        .iter()
        .filter(|Identity { kind, .. }| *kind == wanted)
        .map(|Identity { place, .. }| match place {
            IdentityPlace::Item(item) => item.clone(),
            IdentityPlace::Cell {
                row_idx,
                column_idx,
            } => CellRef::new("", *row_idx, *column_idx).address(),
        })
        .collect()
}

fn of_records(say: Say, records: &Records) -> Say {
    let Records {
        search_rows,
        ignores,
    } = records;
    let mut by_item: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for IgnoredRow {
        item,
        starts_with,
        reason,
    } in ignores
    {
        let texts = starts_with.join(", ");
        by_item
            .entry(item)
            .or_default()
            .push(format!("{texts}: {reason}"));
    }
    let say = say.is("rows searched for headings", search_rows.to_string());
    by_item.into_iter().fold(say, |say, (item, ignored)| {
        say.is(&format!("ignored rows by {item}"), ignored.join("; "))
    })
}

fn of_matrix(say: Say, matrix: &Matrix) -> Say {
    let Matrix {
        code_column_idx,
        anchors,
        line_item,
        // Told one by one, and with the items.
        lines: _,
        columns: _,
        cells,
    } = matrix;
    let say = say
        .may_be("code column", code_column_idx.map(column_letters))
        .is("line item", line_item);
    let say = anchors.iter().fold(say, |say, anchor| {
        let Anchor {
            row_idx,
            column_idx,
            text,
        } = anchor;
        let cell = CellRef::new("", *row_idx, *column_idx).address();
        say.is(&format!("text in {cell}"), text)
    });
    cells.iter().fold(say, |say, cells| {
        let CellsFor {
            lines,
            items,
            only_for: OnlyFor(only_for),
            provenance,
        } = cells;
        let what = format!("cells {} of {}", items.join(", "), lines.join(", "));
        say.list(&format!("{what}, only for"), only_for)
            .provenance_of(&what, provenance)
    })
}

pub(super) fn items(table: &TableSpec) -> Vec<Named> {
    table
        .items
        .iter()
        .map(|item| {
            let need = if item.required { ", required" } else { "" };
            let summary = format!("{}, {}{need}", item.title, kind(item.kind));
            named(&item.name, summary, of_item(table, item))
        })
        .collect()
}

/// Keywords of an item's schema that have words of their own, or say nothing of its values.
const TOLD_ELSEWHERE: [&str; 12] = [
    "$comment",
    "title",
    "description",
    "type",
    "format",
    "multipleOf",
    "x-codes",
    "x-unit",
    "x-date-formats",
    "x-aliases-of-values",
    "x-source",
    "x-confidence",
];

fn of_item(table: &TableSpec, item: &Item) -> Say {
    let Item {
        name,
        title,
        description,
        kind: of_kind,
        schema,
        required,
        codes,
        unit,
        date_formats,
        value_aliases,
        headings,
        blank_markers,
        provenance,
    } = item;
    let formats: Vec<String> = date_formats
        .iter()
        .map(|format| match format {
            DateFormat::Digits => "DDMMYYYY".to_owned(),
            DateFormat::Iso => "YYYY-MM-DD".to_owned(),
            DateFormat::Slashed => "DD/MM/YYYY".to_owned(),
        })
        .collect();
    let aliases: Vec<String> = value_aliases
        .iter()
        .map(|(alias, meant)| format!("{alias} = {meant}"))
        .collect();
    let codes = codes.as_ref().map(|CodeRef { list, as_at }| match as_at {
        Some(as_at) => format!("{} as at {as_at}", list.name),
        None => list.name.clone(),
    });
    let say = Say::default()
        .is("title", title)
        .is("description", description)
        .is("type", kind(*of_kind))
        .is("required", yes(*required))
        .may_be("codes", codes)
        .may_be("unit", unit.as_ref())
        .list("date formats", &formats)
        .list("other words for values", &aliases)
        .list("other headings", headings)
        .list("words for blank", blank_markers)
        .provenance(provenance);
    let say = of_column(say, &table.layout, name);
    // What the schema says of the values themselves, whatever it is.
    let keywords = schema.as_object().into_iter().flatten();
    keywords
        .filter(|(keyword, _)| !TOLD_ELSEWHERE.contains(&keyword.as_str()))
        .fold(say, |say, (keyword, said)| match (keyword.as_str(), said) {
            ("x-form", Value::Object(form)) => form.iter().fold(say, |say, (part, said)| {
                say.is(&format!("pattern in words, {part}"), value(said))
            }),
            _ => say.is(keyword, value(said)),
        })
}

/// Where a form has the item.
fn of_column(say: Say, layout: &Layout, item: &str) -> Say {
    let Layout::Matrix(matrix) = layout else {
        return say;
    };
    let columns = matrix.columns.iter().filter(|column| column.item == item);
    columns.fold(say, |say, column| {
        let MatrixColumn {
            item: _,
            column_idx,
            computed,
            only_for: OnlyFor(only_for),
        } = column;
        say.is("column", column_letters(*column_idx))
            .may_be("computed", computed.then_some("yes"))
            .list("only for", only_for)
    })
}

fn kind(kind: ItemKind) -> String {
    match kind {
        ItemKind::Text => "text".to_owned(),
        ItemKind::Integer => "whole number".to_owned(),
        ItemKind::Decimal { scale: 1 } => "number with 1 decimal".to_owned(),
        ItemKind::Decimal { scale } => format!("number with {scale} decimals"),
        ItemKind::Date => "date".to_owned(),
        ItemKind::Boolean => "yes or no".to_owned(),
    }
}

fn value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values
            .iter()
            .map(self::value)
            .collect::<Vec<_>>()
            .join(", "),
        other => other.to_string(),
    }
}

/// `$comment` says nothing.
fn without_comments(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| *name != "$comment")
            .map(|(name, member)| (name.clone(), without_comments(member)))
            .collect(),
        Value::Array(values) => values.iter().map(without_comments).collect(),
        other => other.clone(),
    }
}

pub(super) fn lines(table: &TableSpec) -> Vec<Named> {
    let Layout::Matrix(matrix) = &table.layout else {
        return Vec::new();
    };
    matrix
        .lines
        .iter()
        .map(|line| {
            let Line {
                code,
                row_idx,
                label,
                description,
                computed,
                not_applicable,
                only_for: OnlyFor(only_for),
                provenance,
            } = line;
            let say = Say::default()
                .is("label", label)
                .is("description", description)
                .is("row", (row_idx + 1).to_string())
                .may_be("computed", computed.then_some("yes"))
                .list("not applicable", not_applicable)
                .list("only for", only_for)
                .provenance(provenance);
            named(code, label, say)
        })
        .collect()
}

/// A code that stands in its list for several times is several things.
pub(super) fn codes(list: &CodeList) -> Vec<Named> {
    let mut n_before: BTreeMap<&str, usize> = BTreeMap::new();
    list.codes
        .iter()
        .map(|code| {
            let nth = n_before.entry(&code.code).or_default();
            *nth += 1;
            let name = match *nth {
                1 => code.code.clone(),
                nth => format!("{} ({nth})", code.code),
            };
            named(&name, &code.label, of_code(code))
        })
        .collect()
}

fn of_code(code: &Code) -> Say {
    let Code {
        code: _,
        label,
        valid_from,
        valid_to,
        source,
        confidence: sure,
    } = code;
    let day = |day: &Option<NaiveDate>| day.map(|day| day.to_string());
    let in_force = match (day(valid_from), day(valid_to)) {
        (None, None) => "always".to_owned(),
        (Some(first), None) => format!("from {first}"),
        (None, Some(last)) => format!("until {last}"),
        (Some(first), Some(last)) => format!("from {first} until {last}"),
    };
    Say::default()
        .is("label", label)
        .is("in force", in_force)
        .is("source", source)
        .is("confidence", confidence(*sure))
}

pub(super) fn facts(spec: &ReturnSpec) -> Vec<Named> {
    spec.facts
        .iter()
        .map(|(name, Fact { value, provenance })| {
            let say = Say::default().is("value", value).provenance(provenance);
            named(name, value, say)
        })
        .collect()
}

pub(super) fn sources(spec: &ReturnSpec) -> Vec<Named> {
    spec.sources
        .iter()
        .map(|(id, source)| {
            let Source {
                title,
                url,
                read_on,
            } = source;
            let say = Say::default()
                .is("title", title)
                .is("address", url)
                .is("read on", read_on.to_string());
            named(id, title, say)
        })
        .collect()
}
