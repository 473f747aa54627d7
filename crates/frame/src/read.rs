//! One raw cell read as its item's type: a value, blank, or a plain reason why not.
//!
//! Nothing is guessed: what is read otherwise than it stands is a note, what is ambiguous is unreadable.

mod date;
mod number;
mod text;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use finding::{Finding, Severity};
use sheet::Raw;
use spec::{Item, ItemKind, TableSpec};

use crate::columns::Value;
use crate::{item_rule, show_date};

/// What a cell is, read as its item.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Read<'r> {
    Blank,
    Value(Value<'r>),
    /// Read otherwise than it stands.
    Normalised(Value<'r>),
    /// A text that stands for "blank".
    BlankMarker,
    Unreadable(Unreadable),
}

/// Why a cell can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// The last part of the rule id: `not-a-date`.
    pub(crate) what: &'static str,
    pub(crate) message: String,
    pub(crate) fix: String,
}

impl Unreadable {
    pub(crate) fn new(
        what: &'static str,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            what,
            message: message.into(),
            fix: fix.into(),
        }
    }
}

/// Whether a figure was typed or calculated by the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Entered,
    /// A calculated figure is rounded to the item's places: the form's arithmetic has more digits than the item.
    Computed,
}

/// An item, with what is asked of each of its cells worked out once.
pub(crate) struct Asked<'a> {
    pub(crate) item: &'a Item,
    /// Whether its text is a code: then invisible differences don't count.
    is_code: bool,
    /// In lower case.
    blank_markers: Vec<String>,
    /// In lower case, with what each stands for.
    value_aliases: Vec<(String, &'a str)>,
}

impl<'a> Asked<'a> {
    pub(crate) fn new(item: &'a Item) -> Self {
        Self {
            item,
            is_code: text::is_code(item),
            blank_markers: item
                .blank_markers
                .iter()
                .map(|marker| marker.to_lowercase())
                .collect(),
            value_aliases: item
                .value_aliases
                .iter()
                .map(|(alias, meant)| (alias.to_lowercase(), meant.as_str()))
                .collect(),
        }
    }

    pub(crate) fn all(table: &'a TableSpec) -> Vec<Self> {
        table.items.iter().map(Self::new).collect()
    }

    fn stands_for_something(&self) -> bool {
        !self.blank_markers.is_empty() || !self.value_aliases.is_empty()
    }
}

/// A cell that stands as its item's values are kept.
pub(crate) enum Plain<'r> {
    Text(&'r str),
    /// Scaled as its item says.
    Figure(i64),
    Day(NaiveDate),
    Truth(bool),
}

/// What [`read`] makes of nearly every cell that someone entered, without its value going through memory.
/// `None` says nothing.
#[inline]
pub(crate) fn plain<'r>(raw: Raw<'r>, asked: &Asked<'_>) -> Option<Plain<'r>> {
    if let Raw::Text(_) = raw
        && asked.stands_for_something()
    {
        return None;
    }
    match asked.item.kind {
        ItemKind::Text => text::plain(raw, asked.is_code).map(Plain::Text),
        ItemKind::Integer => number::simple(raw, 0).map(Plain::Figure),
        ItemKind::Decimal { scale } => number::simple(raw, scale).map(Plain::Figure),
        ItemKind::Date => date::plain(raw, asked.item).map(Plain::Day),
        ItemKind::Boolean => match raw {
            Raw::Boolean(truth) => Some(Plain::Truth(truth)),
            Raw::Text(text) => yes_or_no(text).map(Plain::Truth),
            _ => None,
        },
    }
}

/// Reads one cell as an item.
pub(crate) fn read<'r>(raw: Option<Raw<'r>>, asked: &'r Asked<'_>, origin: Origin) -> Read<'r> {
    let raw = match raw {
        None => return Read::Blank,
        Some(Raw::Error(name)) => return Read::Unreadable(cell_error(name, asked.item)),
        Some(Raw::NotCalculated) => return Read::Unreadable(not_calculated(asked.item)),
        Some(Raw::GivenTwice) => return Read::Unreadable(given_twice(asked.item)),
        Some(raw) => raw,
    };
    if let Raw::Text(text) = raw {
        let trimmed = text::trim(text);
        if trimmed.is_empty() {
            return Read::Blank;
        }
        if asked.stands_for_something() {
            let lower = trimmed.to_lowercase();
            if asked.blank_markers.contains(&lower) {
                return Read::BlankMarker;
            }
            let alias = asked
                .value_aliases
                .iter()
                .find(|(alias, _)| *alias == lower);
            if let Some((_, meant)) = alias.filter(|(_, meant)| *meant != trimmed) {
                return match typed(Raw::Text(meant), asked, origin) {
                    Read::Value(value) => Read::Normalised(value),
                    other => other,
                };
            }
        }
    }
    typed(raw, asked, origin)
}

fn typed<'r>(raw: Raw<'r>, asked: &Asked<'_>, origin: Origin) -> Read<'r> {
    let item = asked.item;
    match item.kind {
        ItemKind::Text => text::read(raw, item, asked.is_code),
        ItemKind::Integer => number::integer(raw, item),
        ItemKind::Decimal { scale } => number::decimal(raw, item, scale, origin),
        ItemKind::Date => date::read(raw, item),
        ItemKind::Boolean => boolean(raw, item),
    }
}

fn boolean<'r>(raw: Raw<'r>, item: &Item) -> Read<'r> {
    let answer = match raw {
        Raw::Boolean(boolean) => Some(boolean),
        Raw::Text(text) => yes_or_no(text::trim(text)),
        Raw::Number(_) => yes_or_no(&show_raw(raw)),
        _ => None,
    };
    match answer {
        Some(answer) => Read::Value(Value::Boolean(answer)),
        None => Read::Unreadable(Unreadable::new(
            "not-yes-or-no",
            format!("{} is \"{}\", not yes or no.", item.title, show_raw(raw)),
            "Enter yes or no.",
        )),
    }
}

fn yes_or_no(text: &str) -> Option<bool> {
    let is_one_of = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_one_of(["y", "yes", "true", "1"]) {
        Some(true)
    } else if is_one_of(["n", "no", "false", "0"]) {
        Some(false)
    } else {
        None
    }
}

fn cell_error(name: &str, item: &Item) -> Unreadable {
    // How `sheet` calls what is stored as a number and is none.
    if name == "not a number" {
        return Unreadable::new(
            "cell-error",
            format!(
                "{} holds a number that is too large, or none at all.",
                item.title
            ),
            "Type the value, then save and upload again.",
        );
    }
    Unreadable::new(
        "cell-error",
        format!(
            "{} shows the spreadsheet error {name} instead of a value.",
            item.title
        ),
        "Mend the formula in this cell, or type the value, then save and upload again.",
    )
}

fn not_calculated(item: &Item) -> Unreadable {
    Unreadable::new(
        "not-calculated",
        format!(
            "{} is a formula that was never calculated, so it has no value.",
            item.title
        ),
        "Open the file in your spreadsheet program, let it calculate, save it and upload again.",
    )
}

fn given_twice(item: &Item) -> Unreadable {
    Unreadable::new(
        "given-twice",
        format!(
            "{} is given more than once in the file, so it is not clear which value counts.",
            item.title
        ),
        "Open the file in your spreadsheet program, check this cell, save the file and upload it again.",
    )
}

/// A raw value as the sender sees it, as near as the file allows.
pub fn show_raw<'r>(raw: impl Into<Raw<'r>>) -> String {
    match raw.into() {
        Raw::Text(text) => text.to_owned(),
        Raw::Number(number) => number::show(number),
        Raw::Boolean(true) => "TRUE".to_owned(),
        Raw::Boolean(false) => "FALSE".to_owned(),
        Raw::DateTime(at) => {
            if at.time() == NaiveTime::MIN {
                show_day(at.date())
            } else {
                show_moment(at)
            }
        }
        Raw::Error(name) => name.to_owned(),
        Raw::NotCalculated => "a formula without a result".to_owned(),
        Raw::GivenTwice => "a cell given more than once".to_owned(),
    }
}

/// With its seconds, as a spreadsheet's own text of it has them; a time alone lies on the day before the first.
fn show_moment(at: NaiveDateTime) -> String {
    let form = if is_time_alone(at) {
        "%H:%M:%S"
    } else {
        "%d/%m/%Y %H:%M:%S"
    };
    at.format(form).to_string()
}

pub(crate) fn is_time_alone(at: NaiveDateTime) -> bool {
    Some(at.date()) == NaiveDate::from_ymd_opt(1899, 12, 31) && at.time() != NaiveTime::MIN
}

pub(crate) fn show_day(day: NaiveDate) -> String {
    day.format("%d/%m/%Y").to_string()
}

/// The finding for a cell that could not be read.
pub(crate) fn unreadable_finding(
    table: &TableSpec,
    item: &Item,
    raw: Raw<'_>,
    unreadable: Unreadable,
) -> Finding {
    Finding::new(
        item_rule(table, item, unreadable.what),
        Severity::Error,
        unreadable.message,
        unreadable.fix,
    )
    .in_table(&table.name)
    .on_item(&item.name)
    .with_value(show_raw(raw))
}

/// The note for a cell that was read otherwise than it stands.
pub(crate) fn normalised_finding(
    table: &TableSpec,
    item: &Item,
    raw: Raw<'_>,
    read_as: Option<&Value<'_>>,
) -> Finding {
    let before = show_raw(raw);
    let message = match read_as {
        None => format!("{} says \"{before}\", which was read as blank.", item.title),
        Some(value) => {
            let after = match value {
                Value::Date(date) => show_date(*date, item),
                Value::Decimal(_) | Value::Integer(_) | Value::Text(_) | Value::Boolean(_) => {
                    let scale = match item.kind {
                        ItemKind::Decimal { scale } => scale,
                        _ => 0,
                    };
                    value.plain(scale)
                }
            };
            format!(
                "{} says \"{before}\", which was read as \"{after}\".",
                item.title
            )
        }
    };
    Finding::new(
        item_rule(table, item, "normalised"),
        Severity::Note,
        message,
        "Nothing to do if that is what you meant.",
    )
    .in_table(&table.name)
    .on_item(&item.name)
    .with_value(before)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// What stands in cells, for any kind of item: as it should, and nearly so.
    const TEXTS: &[&str] = &[
        "",
        " ",
        "x",
        " x",
        "x ",
        "x y",
        "A1",
        "a-1",
        "a\tb",
        "a\nb",
        "a\u{7f}",
        "é",
        "\u{200b}x",
        "x\u{ad}",
        "-",
        "*",
        "0",
        "00",
        "7",
        "-7",
        "+7",
        "007",
        "7.",
        ".7",
        "7.0",
        "7.25",
        "7.255",
        "-0",
        "1e3",
        "1,000",
        "£5",
        "123456789",
        "1234567890123",
        "01/04/2026",
        "1/4/2026",
        "1.4.2026",
        "01-04-2026",
        "2026-04-01",
        "2026-4-1",
        " 2026-04-01",
        "2026-04-01 ",
        "2026-04-01T00:00:00",
        "01042026",
        "1042026",
        "31/02/2026",
        "1899-01-01",
        "2101-01-01",
        "1-Sep",
        "Sep-01",
        "1 Apr 2026",
        "yes",
        "Yes",
        "Y",
        "y",
        "no",
        "N",
        "TRUE",
        "false",
        "1",
        "maybe",
        "none",
        "n/a",
        "#N/A",
    ];

    fn raws() -> Vec<Raw<'static>> {
        let day = NaiveDate::from_ymd_opt(2026, 4, 1).unwrap();
        let early = NaiveDate::from_ymd_opt(1900, 3, 1).unwrap();
        let numbers = [
            0.0,
            -0.0,
            1.0,
            -7.0,
            0.1,
            2.675,
            1e15,
            1e300,
            1_042_026.0,
            46_113.0,
        ];
        let others = [
            Raw::Boolean(true),
            Raw::Boolean(false),
            Raw::DateTime(day.and_time(NaiveTime::MIN)),
            Raw::DateTime(day.and_hms_opt(12, 30, 0).unwrap()),
            Raw::DateTime(early.and_time(NaiveTime::MIN)),
            Raw::Error("#N/A"),
            Raw::NotCalculated,
            Raw::GivenTwice,
        ];
        let texts = TEXTS.iter().map(|text| Raw::Text(text));
        texts
            .chain(numbers.map(Raw::Number))
            .chain(others)
            .collect()
    }

    #[test]
    fn the_short_way_to_a_value_says_what_the_long_way_says() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../return-specs");
        let specs = spec::load_all(&root).unwrap();
        let mut n_plain = [0; 4];
        for item in specs
            .iter()
            .flat_map(|spec| &spec.tables)
            .flat_map(|table| &table.items)
        {
            let asked = Asked::new(item);
            // A code of its list is as it should be.
            let codes = item.codes.iter().flat_map(|codes| &codes.list.codes);
            let codes = codes.map(|code| Raw::Text(&code.code));
            for raw in raws().into_iter().chain(codes) {
                let (short, kind) = match plain(raw, &asked) {
                    None => continue,
                    Some(Plain::Text(text)) => (Value::Text(text.into()), 0),
                    Some(Plain::Figure(figure)) if item.kind == ItemKind::Integer => {
                        (Value::Integer(figure), 1)
                    }
                    Some(Plain::Figure(figure)) => (Value::Decimal(figure.into()), 1),
                    Some(Plain::Day(day)) => (Value::Date(day), 2),
                    Some(Plain::Truth(truth)) => (Value::Boolean(truth), 3),
                };
                n_plain[kind] += 1;
                let long = read(Some(raw), &asked, Origin::Entered);
                assert_eq!(long, Read::Value(short), "{raw:?} in {}", item.name);
            }
        }
        assert!(n_plain.iter().all(|n| *n > 0), "{n_plain:?}");
    }
}
