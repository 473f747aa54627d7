//! All that a version says of each thing, as words that can be compared and shown.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use finding::{CellRef, column_letters};
use serde_json::Value;

use super::Named;
use crate::layout::{Matrix, Records};
use crate::rule::{
    Days, Direction, Figure, GapPlace, ParentDays, Part, SameStart, Stage, Thresholds, Touching,
    When,
};
use crate::{
    Accumulation, Code, Condition, Confidence, DateFormat, ExtraColumns, IdentityKind,
    IdentityPlace, Item, ItemKind, Layout, Provenance, ReturnSpec, Rule, RuleKind, TableSpec,
};

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
        self.is("source", &provenance.source)
            .is("confidence", confidence(provenance.confidence))
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
    Say::default()
        .is("id", &spec.id)
        .is("version", &spec.version)
        .is("title", &spec.title)
        .is("acronym", &spec.acronym)
        .is("summary", &spec.summary)
        .is("valid from", spec.valid_from.to_string())
        .may_be("valid to", spec.valid_to.map(|day| day.to_string()))
        .is(
            "owner",
            format!("{}, {}", spec.owner.organisation, spec.owner.team),
        )
        .list("respondents", &spec.respondents.types)
        .list("only these respondents", &spec.respondents.only)
        .is("period", spec.period_kind.as_str())
        .is(
            "accumulation",
            match spec.accumulation {
                Accumulation::Replace => "replace",
                Accumulation::Cumulative => "cumulative",
            },
        )
        .is(
            "extra columns",
            match spec.extra_columns {
                ExtraColumns::Refuse => "refuse",
                ExtraColumns::Ignore => "ignore",
            },
        )
        .may_be("own columns", spec.own_columns.as_ref())
        .is("personal data", yes(spec.sensitivity.personal_data))
        .is("special category", yes(spec.sensitivity.special_category))
        .0
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
    let identity = |kind: IdentityKind| {
        table
            .identities
            .iter()
            .find(|identity| identity.kind == kind)
            .map(|identity| match &identity.place {
                IdentityPlace::Item(item) => item.clone(),
                IdentityPlace::Cell {
                    row_idx,
                    column_idx,
                } => CellRef::new("", *row_idx, *column_idx).address(),
            })
    };
    let say = Say::default()
        .is("title", &table.title)
        .is("description", &table.description)
        .is("layout", layout(&table.layout))
        .list("sheets", &table.sheet.names)
        .is("sheet required", yes(table.sheet.required))
        .is("only sheet", yes(table.sheet.only_sheet))
        .list("keys", &table.keys)
        .may_be("organisation in", identity(IdentityKind::Organisation))
        .may_be("period in", identity(IdentityKind::Period));
    match &table.layout {
        Layout::Records(records) => of_records(say, records),
        Layout::TurnAround {
            records,
            key,
            asked_anew,
        } => of_records(say, records)
            .is("turn-around key", key)
            .list("asked anew", asked_anew),
        Layout::Matrix(matrix) => matrix.anchors.iter().fold(
            say.may_be("code column", matrix.code_column_idx.map(column_letters))
                .is("line item", &matrix.line_item),
            |say, anchor| {
                let cell = CellRef::new("", anchor.row_idx, anchor.column_idx);
                say.is(&format!("anchor {}", cell.address()), &anchor.text)
            },
        ),
    }
}

fn of_records(say: Say, records: &Records) -> Say {
    let say = say.is(
        "rows searched for headings",
        records.search_rows.to_string(),
    );
    records.ignores.iter().fold(say, |say, ignored| {
        let texts = ignored.starts_with.join(", ");
        say.is(
            &format!("ignored rows by {}", ignored.item),
            format!("{texts}: {}", ignored.reason),
        )
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

fn of_item(table: &TableSpec, item: &Item) -> Say {
    let formats: Vec<String> = item
        .date_formats
        .iter()
        .map(|format| match format {
            DateFormat::Digits => "DDMMYYYY".to_owned(),
            DateFormat::Iso => "YYYY-MM-DD".to_owned(),
            DateFormat::Slashed => "DD/MM/YYYY".to_owned(),
        })
        .collect();
    let aliases: Vec<String> = item
        .value_aliases
        .iter()
        .map(|(alias, meant)| format!("{alias} = {meant}"))
        .collect();
    let column = match &table.layout {
        Layout::Matrix(matrix) => matrix
            .columns
            .iter()
            .find(|column| column.item == item.name),
        Layout::Records(_) | Layout::TurnAround { .. } => None,
    };
    let codes = item.codes.as_ref().map(|codes| match &codes.as_at {
        Some(as_at) => format!("{} as at {as_at}", codes.list.name),
        None => codes.list.name.clone(),
    });
    let say = Say::default()
        .is("title", &item.title)
        .is("description", &item.description)
        .is("type", kind(item.kind))
        .is("required", yes(item.required))
        .may_be("codes", codes)
        .may_be("unit", item.unit.as_ref())
        .list("date formats", &formats)
        .list("other words for values", &aliases)
        .list("other headings", &item.headings)
        .list("words for blank", &item.blank_markers)
        .may_be(
            "column",
            column.map(|column| column_letters(column.column_idx)),
        )
        .may_be(
            "computed",
            column.filter(|column| column.computed).map(|_| "yes"),
        )
        .provenance(&item.provenance);
    // What the schema says of the values themselves.
    let limits = [
        "enum",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
    ];
    limits.into_iter().fold(say, |say, keyword| {
        say.may_be(keyword, item.schema.get(keyword).map(value))
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

pub(super) fn lines(matrix: &Matrix) -> Vec<Named> {
    matrix
        .lines
        .iter()
        .map(|line| {
            let say = Say::default()
                .is("label", &line.label)
                .is("description", &line.description)
                .is("row", (line.row_idx + 1).to_string())
                .may_be("computed", line.computed.then_some("yes"))
                .list("not applicable", &line.not_applicable)
                .provenance(&line.provenance);
            named(&line.code, &line.label, say)
        })
        .collect()
}

/// By list; a code that stands in its list for several times is several things.
pub(super) fn codes(spec: &ReturnSpec) -> BTreeMap<String, Vec<Named>> {
    let mut lists = BTreeMap::new();
    let items = spec.tables.iter().flat_map(|table| &table.items);
    for list in items.filter_map(|item| Some(&item.codes.as_ref()?.list)) {
        lists.entry(list.name.clone()).or_insert_with(|| {
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
        });
    }
    lists
}

fn of_code(code: &Code) -> Say {
    let day = |day: Option<NaiveDate>| day.map(|day| day.to_string());
    let in_force = match (day(code.valid_from), day(code.valid_to)) {
        (None, None) => "always".to_owned(),
        (Some(first), None) => format!("from {first}"),
        (None, Some(last)) => format!("until {last}"),
        (Some(first), Some(last)) => format!("from {first} until {last}"),
    };
    Say::default()
        .is("label", &code.label)
        .is("in force", in_force)
        .is("source", &code.source)
        .is("confidence", confidence(code.confidence))
}

/// Those of `rules.toml` and those of the schemas: a rule's name does not say where it stands.
pub(super) fn rules(spec: &ReturnSpec) -> Vec<Named> {
    let of_tables = spec
        .tables
        .iter()
        .flat_map(|table| {
            table
                .conditions
                .iter()
                .map(move |condition| (table, condition))
        })
        .map(|(table, condition)| {
            let summary = format!("{}: {}", condition.severity, condition.message);
            named(&condition.rule, summary, of_condition(table, condition))
        });
    let of_folder = spec.rules.iter().map(|rule| {
        let summary = format!("{}: {}", rule.severity, rule.message);
        named(&rule.id, summary, of_rule(rule))
    });
    of_tables.chain(of_folder).collect()
}

fn of_condition(table: &TableSpec, condition: &Condition) -> Say {
    let logic: serde_json::Map<String, Value> = condition
        .schema
        .as_object()
        .map(|members| {
            members
                .iter()
                .filter(|(keyword, _)| !keyword.starts_with("x-"))
                .map(|(keyword, value)| (keyword.clone(), value.clone()))
                .collect()
        })
        .unwrap_or_default();
    Say::default()
        .is("table", &table.name)
        .is("kind", "condition")
        .is("condition", Value::Object(logic).to_string())
        .is("severity", condition.severity.as_str())
        .list("items", &condition.items)
        .is("message", &condition.message)
        .is("fix", &condition.fix)
        .may_be(
            "valid from",
            condition.in_force.from.map(|day| day.to_string()),
        )
        .may_be("valid to", condition.in_force.to.map(|day| day.to_string()))
        .may_be("trial", condition.trial.then_some("yes"))
        .provenance(&condition.provenance)
}

fn of_rule(rule: &Rule) -> Say {
    let say = Say::default()
        .is("table", &rule.table)
        .is("severity", rule.severity.as_str())
        .list("items", &rule.items)
        .is("message", &rule.message)
        .is("fix", &rule.fix)
        .may_be(
            "stage",
            (rule.stage == Stage::Collection).then_some("collection"),
        )
        .list("only for", &rule.only_for.0)
        .may_be("valid from", rule.in_force.from.map(|day| day.to_string()))
        .may_be("valid to", rule.in_force.to.map(|day| day.to_string()))
        .may_be("trial", rule.trial.then_some("yes"))
        .provenance(&rule.provenance);
    let say = thresholds(say, &rule.thresholds);
    let parts = |parts: &[Part]| -> Vec<String> {
        parts
            .iter()
            .map(|part| {
                let sign = if part.subtract { "-" } else { "" };
                format!("{sign}{}", part.name)
            })
            .collect()
    };
    match &rule.kind {
        RuleKind::Assert { expression } => say.is("kind", "assert").is("assert", words(expression)),
        RuleKind::Query { select, .. } => say.is("kind", "query").is("query", words(select)),
        RuleKind::Unique => say.is("kind", "unique"),
        RuleKind::References {
            parent,
            parent_items,
        } => say
            .is("kind", "references")
            .is("parent", parent)
            .list("parent items", parent_items),
        RuleKind::SumAcross { total, parts: of } => say
            .is("kind", "sum")
            .is("total", total)
            .list("parts", &parts(of)),
        RuleKind::SumDown {
            total_line,
            part_lines,
        } => say
            .is("kind", "sum")
            .is("total line", total_line)
            .list("part lines", &parts(part_lines)),
        RuleKind::NoOverlap {
            days: of,
            touching,
            same_start,
        } => days(say.is("kind", "no_overlap"), of)
            .is("touching", yes(*touching == Touching::Allowed))
            .is("same start", yes(*same_start == SameStart::One)),
        RuleKind::Within {
            days: of,
            parent: to,
        } => parent(days(say.is("kind", "within"), of), to),
        RuleKind::Continuous {
            days: of,
            parent: to,
            gaps,
        } => {
            let say = days(say.is("kind", "continuous"), of);
            let say = to.iter().fold(say, parent);
            let gaps: Vec<String> = gaps.iter().map(|gap| gap_place(*gap).to_owned()).collect();
            say.list("gaps", &gaps)
        }
        RuleKind::Change(change) => say
            .is("kind", "change")
            .is("against", change.against.prefix())
            .list("by", &change.by)
            .is(
                "figure",
                match change.figure {
                    Figure::Items => "items",
                    Figure::Records => "number of records",
                },
            )
            .is(
                "direction",
                match change.direction {
                    Direction::Either => "either",
                    Direction::Up => "up",
                    Direction::Down => "down",
                },
            )
            .is(
                "when",
                match change.when {
                    When::Both => "both",
                    When::Either => "either",
                },
            ),
        RuleKind::Present { against, condition } => say
            .is("kind", "present")
            .is("against", against.prefix())
            .may_be("where", condition.as_deref().map(words)),
    }
}

fn thresholds(say: Say, thresholds: &Thresholds) -> Say {
    let say = thresholds.of_all.iter().fold(say, |say, (name, value)| {
        say.is(&format!("threshold {name}"), value.to_string())
    });
    thresholds.of.iter().fold(say, |say, (code, own)| {
        own.values.iter().fold(say, |say, (name, value)| {
            say.is(&format!("threshold {name} of {code}"), value.to_string())
        })
    })
}

fn days(say: Say, days: &Days) -> Say {
    say.is("from", &days.from)
        .may_be("to", days.to.as_deref())
        .list("by", &days.by)
        .may_be("where", days.condition.as_deref().map(words))
}

fn parent(say: Say, parent: &ParentDays) -> Say {
    say.is("parent", &parent.table)
        .list("parent items", &parent.items)
        .may_be("parent from", parent.from.as_deref())
        .may_be("parent to", parent.to.as_deref())
        .may_be("parent where", parent.condition.as_deref().map(words))
}

fn gap_place(place: GapPlace) -> &'static str {
    match place {
        GapPlace::Before => "before",
        GapPlace::Between => "between",
        GapPlace::After => "after",
    }
}

/// SQL on one line: how it is laid out is no difference.
fn words(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn facts(spec: &ReturnSpec) -> Vec<Named> {
    spec.facts
        .iter()
        .map(|(name, fact)| {
            let say = Say::default()
                .is("value", &fact.value)
                .provenance(&fact.provenance);
            named(name, &fact.value, say)
        })
        .collect()
}

pub(super) fn sources(spec: &ReturnSpec) -> Vec<Named> {
    spec.sources
        .iter()
        .map(|(id, source)| {
            let say = Say::default()
                .is("title", &source.title)
                .is("address", &source.url)
                .is("read on", source.read_on.to_string());
            named(id, &source.title, say)
        })
        .collect()
}
