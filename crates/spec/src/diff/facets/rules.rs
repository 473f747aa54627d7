//! What is said of rules: those of `rules.toml` and the conditions of the schemas, whose names do not say where they stand.

use serde_json::Value;

use super::super::Named;
use super::{Say, named, without_comments, yes};
use crate::load::canonical_sql;
use crate::rule::{
    Change, Days, Direction, Figure, GapPlace, OwnThresholds, ParentDays, Part, SameStart, Stage,
    Thresholds, Touching, When,
};
use crate::{Condition, InForce, OnlyFor, ReturnSpec, Rule, RuleKind, TableSpec};

pub(in super::super) fn rules(spec: &ReturnSpec) -> Vec<Named> {
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
    let Condition {
        rule: _,
        severity,
        items,
        // Follows from the schema.
        reads: _,
        message,
        fix,
        in_force: days,
        trial,
        schema,
        provenance,
    } = condition;
    let logic: serde_json::Map<String, Value> = schema
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(keyword, _)| !keyword.starts_with("x-"))
        .map(|(keyword, value)| (keyword.clone(), value.clone()))
        .collect();
    let logic = without_comments(&Value::Object(logic));
    let say = Say::default()
        .is("table", &table.name)
        .is("kind", "condition")
        .is("condition", logic.to_string())
        .is("severity", severity.as_str())
        .list("items", items)
        .is("message", message)
        .is("fix", fix)
        .may_be("trial", trial.then_some("yes"))
        .provenance(provenance);
    in_force(say, *days)
}

fn of_rule(rule: &Rule) -> Say {
    let Rule {
        id: _,
        table,
        severity,
        stage,
        only_for: OnlyFor(only_for),
        items,
        message,
        fix,
        in_force: days,
        trial,
        thresholds,
        kind,
        provenance,
    } = rule;
    let say = Say::default()
        .is("table", table)
        .is("severity", severity.as_str())
        .list("items", items)
        .is("message", message)
        .is("fix", fix)
        .may_be(
            "stage",
            match stage {
                Stage::Return => None,
                Stage::Collection => Some("collection"),
            },
        )
        .list("only for", only_for)
        .may_be("trial", trial.then_some("yes"))
        .provenance(provenance);
    of_kind(self::thresholds(in_force(say, *days), thresholds), kind)
}

fn in_force(say: Say, days: InForce) -> Say {
    let InForce { from, to } = days;
    say.may_be("valid from", from.map(|day| day.to_string()))
        .may_be("valid to", to.map(|day| day.to_string()))
}

fn of_kind(say: Say, kind: &RuleKind) -> Say {
    match kind {
        RuleKind::Assert { expression } => say
            .is("kind", "assert")
            .is("assert", canonical_sql(expression)),
        // Which tables it reads follows from it.
        RuleKind::Query { select, reads: _ } => {
            say.is("kind", "query").is("query", canonical_sql(select))
        }
        RuleKind::Unique => say.is("kind", "unique"),
        RuleKind::References {
            parent,
            parent_items,
        } => say
            .is("kind", "references")
            .is("parent", parent)
            .list("parent items", parent_items),
        RuleKind::SumAcross { total, parts } => say
            .is("kind", "sum")
            .is("total", total)
            .list("parts", &signed(parts)),
        RuleKind::SumDown {
            total_line,
            part_lines,
        } => say
            .is("kind", "sum")
            .is("total line", total_line)
            .list("part lines", &signed(part_lines)),
        RuleKind::NoOverlap {
            days,
            touching,
            same_start,
        } => of_days(say.is("kind", "no_overlap"), days)
            .is("touching", yes(*touching == Touching::Allowed))
            .is("same start", yes(*same_start == SameStart::One)),
        RuleKind::Within { days, parent } => {
            of_parent(of_days(say.is("kind", "within"), days), parent)
        }
        RuleKind::Continuous { days, parent, gaps } => {
            let say = of_days(say.is("kind", "continuous"), days);
            let say = parent.iter().fold(say, of_parent);
            let gaps: Vec<String> = gaps.iter().map(|gap| gap_place(*gap).to_owned()).collect();
            say.list("gaps", &gaps)
        }
        RuleKind::Change(change) => of_change(say.is("kind", "change"), change),
        RuleKind::Unchanged {
            against,
            by,
            condition,
        } => say
            .is("kind", "unchanged")
            .is("against", against.prefix().trim_end_matches('_'))
            .list("by", by)
            .may_be("where", condition.as_deref().map(canonical_sql)),
        RuleKind::Present { against, condition } => say
            .is("kind", "present")
            .is("against", against.prefix().trim_end_matches('_'))
            .may_be("where", condition.as_deref().map(canonical_sql)),
    }
}

fn of_change(say: Say, change: &Change) -> Say {
    let Change {
        against,
        by,
        figure,
        direction,
        when,
    } = change;
    say.is("against", against.prefix().trim_end_matches('_'))
        .list("by", by)
        .is(
            "figure",
            match figure {
                Figure::Items => "items",
                Figure::Records => "number of records",
            },
        )
        .is(
            "direction",
            match direction {
                Direction::Either => "either",
                Direction::Up => "up",
                Direction::Down => "down",
            },
        )
        .is(
            "when",
            match when {
                When::Both => "both",
                When::Either => "either",
            },
        )
}

fn signed(parts: &[Part]) -> Vec<String> {
    parts
        .iter()
        .map(|Part { name, subtract }| {
            let sign = if *subtract { "-" } else { "" };
            format!("{sign}{name}")
        })
        .collect()
}

fn thresholds(say: Say, thresholds: &Thresholds) -> Say {
    let Thresholds { of_all, of } = thresholds;
    let say = of_all.iter().fold(say, |say, (name, value)| {
        say.is(&format!("threshold {name}"), value.to_string())
    });
    of.iter().fold(say, |say, (code, own)| {
        let OwnThresholds { values, provenance } = own;
        let say = values.iter().fold(say, |say, (name, value)| {
            say.is(&format!("threshold {name} of {code}"), value.to_string())
        });
        say.provenance_of(&format!("thresholds of {code}"), provenance)
    })
}

fn of_days(say: Say, days: &Days) -> Say {
    let Days {
        from,
        to,
        by,
        condition,
    } = days;
    say.is("from", from)
        .may_be("to", to.as_deref())
        .list("by", by)
        .may_be("where", condition.as_deref().map(canonical_sql))
}

fn of_parent(say: Say, parent: &ParentDays) -> Say {
    let ParentDays {
        table,
        items,
        from,
        to,
        condition,
    } = parent;
    say.is("parent", table)
        .list("parent items", items)
        .may_be("parent from", from.as_deref())
        .may_be("parent to", to.as_deref())
        .may_be("parent where", condition.as_deref().map(canonical_sql))
}

fn gap_place(place: GapPlace) -> &'static str {
    match place {
        GapPlace::Before => "before",
        GapPlace::Between => "between",
        GapPlace::After => "after",
    }
}
