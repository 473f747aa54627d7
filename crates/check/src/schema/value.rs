//! A schema of one value, checked on a whole column.

use chrono::NaiveDate;
use frame::Values;
use polars::prelude::{ChunkedArray, PolarsNumericType};
use serde_json::{Map, Value as Json};
use spec::ItemKind;

use super::mask::{Mask, exactly_one};
use super::number::Decimal;
use super::rows::Crate;
use super::texts::{Pattern, Texts};
use super::{Unbuildable, is_ignored};

/// What is checked of each value; a blank one passes whatever it is.
#[derive(Debug)]
pub(super) enum Check {
    Always(bool),
    /// Figures of the column's smallest unit, as are those below.
    Between(i128, i128),
    /// Ascending.
    Figures(Vec<i128>),
    MultipleOf(i128),
    Texts(Texts),
    Pattern(Pattern),
    /// Characters, at least and at most.
    Length(usize, usize),
    /// Days since 1970-01-01, ascending.
    Days(Vec<i32>),
    /// Of a date as it stands in JSON: `2026-04-01`.
    DayPattern(Pattern),
    /// Whether `false` will do, and `true`.
    Truths([bool; 2]),
    All(Vec<Check>),
    Any(Vec<Check>),
    One(Vec<Check>),
    Not(Box<Check>),
    If(Box<[Check; 3]>),
    /// By the jsonschema crate, value for value.
    Crate(Crate),
}

/// Keywords that say nothing of a text, number or boolean.
const OF_OTHERS: [&str; 21] = [
    "additionalProperties",
    "contains",
    "dependentRequired",
    "dependentSchemas",
    "items",
    "maxContains",
    "maxItems",
    "maxProperties",
    "minContains",
    "minItems",
    "minProperties",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "required",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
    // Say something only beside `if`.
    "then",
    "else",
];

/// Characters of a date in JSON.
const DAY_LENGTH: usize = 10;

impl Check {
    /// `schema` refers to no other place of its document.
    pub(super) fn compile(schema: &Json, kind: ItemKind) -> Result<Self, Unbuildable> {
        let object = match schema {
            Json::Bool(truth) => return Ok(Check::Always(*truth)),
            Json::Object(object) => object,
            _ => return Crate::new(schema).map(Check::Crate),
        };
        let mut all = Vec::new();
        for (keyword, value) in object {
            if OF_OTHERS.contains(&keyword.as_str()) || is_ignored(keyword) {
                continue;
            }
            match Self::keyword(object, keyword, value, kind)? {
                Some(check) => all.push(check),
                None => return Crate::new(schema).map(Check::Crate),
            }
        }
        Ok(match all.len() {
            1 => all.remove(0),
            _ => Check::All(all),
        })
    }

    /// One keyword of a schema; `None` where that is left to the jsonschema crate.
    fn keyword(
        schema: &Map<String, Json>,
        keyword: &str,
        value: &Json,
        kind: ItemKind,
    ) -> Result<Option<Self>, Unbuildable> {
        let each = || -> Result<Vec<Self>, Unbuildable> {
            let schemas = value.as_array().into_iter().flatten();
            schemas.map(|schema| Self::compile(schema, kind)).collect()
        };
        Ok(match keyword {
            "allOf" => Some(Check::All(each()?)),
            "anyOf" => Some(Check::Any(each()?)),
            "oneOf" => Some(Check::One(each()?)),
            "not" => Some(Check::Not(Box::new(Self::compile(value, kind)?))),
            "if" => {
                let branch = |name| match schema.get(name) {
                    Some(schema) => Self::compile(schema, kind),
                    None => Ok(Check::Always(true)),
                };
                let cases = [
                    Self::compile(value, kind)?,
                    branch("then")?,
                    branch("else")?,
                ];
                Some(Check::If(Box::new(cases)))
            }
            "type" => of_type(value, kind),
            "const" => one_of(std::slice::from_ref(value), kind),
            "enum" => value.as_array().and_then(|values| one_of(values, kind)),
            "minLength" => length(value).map(|least| of_length(least, usize::MAX, kind)),
            "maxLength" => length(value).map(|most| of_length(0, most, kind)),
            "pattern" => value.as_str().and_then(|pattern| of_form(pattern, kind)),
            "minimum" => limited(value, kind, |limit, scale| (limit.least(scale), i128::MAX)),
            "exclusiveMinimum" => limited(value, kind, |limit, scale| {
                (limit.least_above(scale), i128::MAX)
            }),
            "maximum" => limited(value, kind, |limit, scale| (i128::MIN, limit.most(scale))),
            "exclusiveMaximum" => limited(value, kind, |limit, scale| {
                (i128::MIN, limit.most_below(scale))
            }),
            "multipleOf" => multiple_of(value, kind),
            _ => None,
        })
    }

    /// Where the values pass; of those that are not needed it may say anything.
    pub(super) fn passes(&self, values: &Values, needed: &Mask) -> Mask {
        let len = values.len();
        let each = |checks: &[Check]| {
            let passed = checks.iter().map(|check| check.passes(values, needed));
            passed.collect::<Vec<_>>()
        };
        match (self, values) {
            (Check::All(checks), _) => {
                let all = Mask::all(true, len);
                each(checks).iter().fold(all, Mask::and)
            }
            (Check::Any(checks), _) => {
                let none = Mask::all(false, len);
                let any = each(checks).iter().fold(none, Mask::or);
                or_blank(any, values)
            }
            (Check::One(checks), _) => or_blank(exactly_one(each(checks).into_iter(), len), values),
            (Check::Not(check), _) => or_blank(check.passes(values, needed).not(), values),
            (Check::If(cases), _) => {
                let [condition, then, otherwise] = cases.as_ref();
                let holds = condition.passes(values, needed);
                let then = then.passes(values, &holds.clone().and(needed));
                let otherwise = otherwise.passes(values, &needed.clone().without(&holds));
                or_blank(then.and(&holds).or(&otherwise.without(&holds)), values)
            }
            (Check::Always(truth), _) => or_blank(Mask::all(*truth, len), values),
            (Check::Crate(crate_), _) => or_blank(crate_.values_pass(values, needed), values),
            (Check::Between(least, most), Values::Integer(column)) => {
                let (least, most) = (clamp(*least), clamp(*most));
                figures(column, values, |figure| (least..=most).contains(&figure))
            }
            (Check::Between(least, most), Values::Decimal { values: column, .. }) => {
                figures(column, values, |figure| (*least..=*most).contains(&figure))
            }
            (Check::Figures(allowed), Values::Integer(column)) => {
                figures(column, values, |figure| {
                    allowed.binary_search(&i128::from(figure)).is_ok()
                })
            }
            (Check::Figures(allowed), Values::Decimal { values: column, .. }) => {
                figures(column, values, |figure| {
                    allowed.binary_search(&figure).is_ok()
                })
            }
            (Check::MultipleOf(divisor), Values::Integer(column)) => {
                figures(column, values, |figure| i128::from(figure) % divisor == 0)
            }
            (Check::MultipleOf(divisor), Values::Decimal { values: column, .. }) => {
                figures(column, values, |figure| figure % divisor == 0)
            }
            (Check::Texts(texts), _) => text(values, |text| texts.contains(text)),
            (Check::Pattern(pattern), _) => text(values, |text| pattern.matches(text)),
            (Check::Length(least, most), _) => text(values, |text| {
                (*least..=*most).contains(&text.chars().count())
            }),
            (Check::Days(days), Values::Date(column)) => {
                figures(column, values, |day| days.binary_search(&day).is_ok())
            }
            (Check::DayPattern(pattern), Values::Date(column)) => figures(column, values, |day| {
                NaiveDate::from_epoch_days(day)
                    .is_some_and(|day| pattern.matches(&day.format("%Y-%m-%d").to_string()))
            }),
            (Check::Truths([no, yes]), Values::Boolean(column)) => {
                let array = column.downcast_as_array();
                let truths = array.values().iter();
                let passed = truths.map(|truth| if truth { *yes } else { *no });
                or_blank(Mask::collect(passed, len), values)
            }
            // A check of another kind of column, which none is compiled for.
            _ => Mask::all(true, len),
        }
    }
}

fn or_blank(mask: Mask, values: &Values) -> Mask {
    match super::filled(values) {
        Some(filled) => mask.or(&filled.not()),
        None => mask,
    }
}

/// A check of numbers, days or other figures, whatever stands where one is blank.
fn figures<T: PolarsNumericType>(
    column: &ChunkedArray<T>,
    values: &Values,
    is_right: impl Fn(T::Native) -> bool,
) -> Mask {
    let all = column.downcast_as_array().values().as_slice();
    let passed = Mask::collect(all.iter().map(|figure| is_right(*figure)), all.len());
    or_blank(passed, values)
}

fn text(values: &Values, is_right: impl Fn(&str) -> bool) -> Mask {
    let Values::Text(column) = values else {
        return Mask::all(true, values.len());
    };
    let array = column.downcast_as_array();
    if column.null_count() == 0 {
        return Mask::collect(array.values_iter().map(is_right), array.len());
    }
    let passed = array.iter().map(|text| text.is_none_or(&is_right));
    Mask::collect(passed, array.len())
}

fn clamp(figure: i128) -> i64 {
    let (least, most) = (i128::from(i64::MIN), i128::from(i64::MAX));
    i64::try_from(figure.clamp(least, most)).unwrap_or_default()
}

/// Places of the figures of such a column; `None` where it holds no figures.
fn scale(kind: ItemKind) -> Option<u8> {
    match kind {
        ItemKind::Integer => Some(0),
        ItemKind::Decimal { scale } => Some(scale),
        ItemKind::Text | ItemKind::Date | ItemKind::Boolean => None,
    }
}

fn limited(
    limit: &Json,
    kind: ItemKind,
    between: impl Fn(Decimal, u8) -> (i128, i128),
) -> Option<Check> {
    let Some(scale) = scale(kind) else {
        return Some(Check::Always(true));
    };
    let (least, most) = between(Decimal::of(limit.as_number()?)?, scale);
    Some(match (kind, i64::try_from(least), i64::try_from(most)) {
        // Clamped, a limit beyond the column's figures would let the last of them pass, or stop it.
        (ItemKind::Integer, Err(_), _) if least > 0 => Check::Always(false),
        (ItemKind::Integer, _, Err(_)) if most < 0 => Check::Always(false),
        _ => Check::Between(least, most),
    })
}

fn multiple_of(value: &Json, kind: ItemKind) -> Option<Check> {
    match scale(kind) {
        None => Some(Check::Always(true)),
        Some(scale) => {
            let divisor = Decimal::of(value.as_number()?)?.divisor(scale)?;
            Some(Check::MultipleOf(divisor))
        }
    }
}

fn of_type(value: &Json, kind: ItemKind) -> Option<Check> {
    let named: Vec<&str> = match value {
        Json::String(name) => vec![name],
        Json::Array(names) => names.iter().filter_map(Json::as_str).collect(),
        _ => return None,
    };
    Some(match kind {
        ItemKind::Text | ItemKind::Date => Check::Always(named.contains(&"string")),
        ItemKind::Boolean => Check::Always(named.contains(&"boolean")),
        _ if named.contains(&"number") => Check::Always(true),
        ItemKind::Integer => Check::Always(named.contains(&"integer")),
        // A whole number is an integer, however it is written.
        ItemKind::Decimal { scale } if named.contains(&"integer") => {
            Check::MultipleOf(10_i128.pow(scale.into()))
        }
        ItemKind::Decimal { .. } => Check::Always(false),
    })
}

fn one_of(values: &[Json], kind: ItemKind) -> Option<Check> {
    let texts = || values.iter().filter_map(Json::as_str);
    Some(match kind {
        ItemKind::Text => Check::Texts(Texts::of(texts())),
        ItemKind::Date => {
            let mut days: Vec<i32> = texts().filter_map(day).collect();
            days.sort_unstable();
            Check::Days(days)
        }
        ItemKind::Boolean => {
            let has = |truth| values.contains(&Json::Bool(truth));
            Check::Truths([has(false), has(true)])
        }
        ItemKind::Integer | ItemKind::Decimal { .. } => {
            let scale = scale(kind)?;
            let numbers = values.iter().filter_map(Json::as_number);
            let decimals = numbers.map(Decimal::of).collect::<Option<Vec<_>>>()?;
            let mut figures: Vec<i128> = decimals.iter().filter_map(|d| d.figure(scale)).collect();
            figures.sort_unstable();
            Check::Figures(figures)
        }
    })
}

/// A date as it stands in JSON, and in no other form.
fn day(text: &str) -> Option<i32> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (day.format("%Y-%m-%d").to_string() == text).then(|| day.to_epoch_days())
}

fn length(value: &Json) -> Option<usize> {
    let length = Decimal::of(value.as_number()?)?.figure(0)?;
    // None that is longer can be had.
    Some(usize::try_from(length.clamp(0, i128::from(u32::MAX))).unwrap_or(usize::MAX))
}

fn of_length(least: usize, most: usize, kind: ItemKind) -> Check {
    match kind {
        ItemKind::Text => Check::Length(least, most),
        ItemKind::Date => Check::Always((least..=most).contains(&DAY_LENGTH)),
        _ => Check::Always(true),
    }
}

fn of_form(pattern: &str, kind: ItemKind) -> Option<Check> {
    Some(match kind {
        ItemKind::Text => Check::Pattern(Pattern::of(pattern)?),
        ItemKind::Date => Check::DayPattern(Pattern::of(pattern)?),
        _ => Check::Always(true),
    })
}
