//! The verdicts on columns are the jsonschema crate's, record for record.

use chrono::NaiveDate;
use frame::{Account, Frame, Places, Unreadable, Value, Values};
use jsonschema::PatternOptions;
use polars::prelude::{
    BooleanChunked, Int32Chunked, Int64Chunked, Int128Chunked, NewChunkedArray, PlSmallStr,
    StringChunked,
};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value as Json, json};
use spec::layout::Records;
use spec::{Confidence, Item, ItemKind, Layout, Provenance, SheetMatch, TableSpec};

use super::{Mask, RecordSchema, ValueSchema, rows};

/// A table of records with these items.
pub(super) fn table(items: &[(&str, ItemKind)]) -> TableSpec {
    let item = |(name, kind): &(&str, ItemKind)| Item {
        name: (*name).to_owned(),
        title: (*name).to_owned(),
        description: String::new(),
        kind: *kind,
        schema: Json::Null,
        required: false,
        codes: None,
        unit: None,
        date_formats: Vec::new(),
        value_aliases: std::collections::BTreeMap::new(),
        headings: Vec::new(),
        blank_markers: Vec::new(),
        provenance: Provenance {
            source: String::new(),
            confidence: Confidence::Inferred,
        },
    };
    TableSpec {
        name: "case".to_owned(),
        title: String::new(),
        description: String::new(),
        sheet: SheetMatch {
            names: Vec::new(),
            required: true,
            only_sheet: true,
        },
        layout: Layout::Records(Records {
            search_rows: 1,
            ignores: Vec::new(),
        }),
        items: items.iter().map(item).collect(),
        keys: Vec::new(),
        identities: Vec::new(),
        conditions: Vec::new(),
        schema: Json::Null,
    }
}

/// A frame of a table; `rows` has a value per item.
pub(super) fn frame(table: &TableSpec, rows: &[Vec<Option<Value<'_>>>]) -> Frame {
    let values = table.items.iter().enumerate();
    Frame {
        table: table.name.clone(),
        values: values
            .map(|(item_idx, item)| {
                let column: Vec<_> = rows.iter().map(|row| row[item_idx].clone()).collect();
                column_of(item.kind, &column)
            })
            .collect(),
        places: Places {
            sheet: "Case".into(),
            row_idxs: (1..).take(rows.len()).collect(),
            column_idxs: vec![None; table.items.len()],
        },
        unreadable: Unreadable::default(),
        new_rows: None,
        own: Vec::new(),
        typed_over: Vec::new(),
        account: Account::default(),
    }
}

/// A column; a value of another kind is blank.
pub(super) fn column_of(kind: ItemKind, values: &[Option<Value<'_>>]) -> Values {
    let name = || PlSmallStr::EMPTY;
    match kind {
        ItemKind::Text => Values::Text(StringChunked::from_iter_options(
            name(),
            values.iter().map(|value| match value {
                Some(Value::Text(text)) => Some(text.as_ref()),
                _ => None,
            }),
        )),
        ItemKind::Integer => Values::Integer(Int64Chunked::from_iter_options(
            name(),
            values.iter().map(|value| match value {
                Some(Value::Integer(integer)) => Some(*integer),
                _ => None,
            }),
        )),
        ItemKind::Decimal { scale } => Values::Decimal {
            scale,
            values: Int128Chunked::from_iter_options(
                name(),
                values.iter().map(|value| match value {
                    Some(Value::Decimal(figure)) => Some(*figure),
                    _ => None,
                }),
            ),
        },
        ItemKind::Date => Values::Date(Int32Chunked::from_iter_options(
            name(),
            values.iter().map(|value| match value {
                Some(Value::Date(day)) => Some(day.to_epoch_days()),
                _ => None,
            }),
        )),
        ItemKind::Boolean => Values::Boolean(BooleanChunked::from_iter_options(
            name(),
            values.iter().map(|value| match value {
                Some(Value::Boolean(truth)) => Some(*truth),
                _ => None,
            }),
        )),
    }
}

const ITEMS: [(&str, ItemKind); 5] = [
    ("TEXT", ItemKind::Text),
    ("WHOLE", ItemKind::Integer),
    ("MONEY", ItemKind::Decimal { scale: 2 }),
    ("DAY", ItemKind::Date),
    ("YES", ItemKind::Boolean),
];

const TEXTS: [&str; 12] = [
    "",
    "a",
    "ab",
    "cd",
    "AB1",
    "é",
    "👍",
    "a b",
    "12",
    "2026-04-01",
    "sixteen bytes ok",
    "\n",
];

const PATTERNS: [&str; 16] = [
    "^a",
    "b$",
    "^[A-Z]{1,2}[0-9]$",
    r"\d",
    r"^\S*$",
    r"^\s$",
    "^(ab|cd)$",
    "é",
    "^.{1}$",
    r"^\w+$",
    "^$",
    r"\p{L}",
    "^2026-0[1-6]",
    "",
    "^a?b*$",
    "^[^a]",
];

/// Of both signs, whole and not, and at the ends of what a column can hold; none of more digits than a double tells apart.
const NUMBERS: [f64; 17] = [
    0.0,
    1.0,
    -1.0,
    2.0,
    0.01,
    0.1,
    0.105,
    -0.105,
    0.3,
    1.5,
    100.25,
    1e-30,
    1e300,
    -1e300,
    9_007_199_254_740_992.0,
    9_223_372_036_854_775_807.0,
    12_345_678.91,
];

fn row() -> impl Strategy<Value = Vec<Option<Value<'static>>>> {
    let day = |ordinal| NaiveDate::from_yo_opt(2026, ordinal).map(Value::Date);
    let maybe = |value: BoxedStrategy<Value<'static>>| proptest::option::weighted(0.8, value);
    let whole = prop_oneof![
        4 => -3_i64..4,
        1 => select(vec![999_999_999_999_999, -999_999_999_999_999, 1 << 49]),
    ];
    let money = prop_oneof![4 => -40_i128..41, 1 => select(vec![1_234_567_891, 10_025, -1_i128])];
    (
        maybe(
            select(TEXTS.to_vec())
                .prop_map(|text| Value::Text(text.into()))
                .boxed(),
        ),
        maybe(whole.prop_map(Value::Integer).boxed()),
        maybe(money.prop_map(Value::Decimal).boxed()),
        maybe((90_u32..93).prop_filter_map("a day", day).boxed()),
        maybe(any::<bool>().prop_map(Value::Boolean).boxed()),
    )
        .prop_map(|(text, whole, money, day, yes)| vec![text, whole, money, day, yes])
}

fn number() -> impl Strategy<Value = Json> {
    prop_oneof![
        (-3_i64..4).prop_map(Json::from),
        select(NUMBERS.to_vec()).prop_map(Json::from),
        (-40_i32..41).prop_map(|cents| Json::from(f64::from(cents) / 100.0)),
        select(vec![json!(i64::MAX), json!(u64::MAX), json!(i64::MIN)]),
    ]
}

fn value() -> impl Strategy<Value = Json> {
    prop_oneof![
        select(TEXTS.to_vec()).prop_map(Json::from),
        number(),
        any::<bool>().prop_map(Json::from),
        Just(Json::Null),
        Just(json!(["a"])),
    ]
}

/// One keyword and what it asks.
fn keyword() -> impl Strategy<Value = (String, Json)> {
    let named = |name: &'static str, value: BoxedStrategy<Json>| {
        value.prop_map(move |value| (name.to_owned(), value))
    };
    let limit = select(vec![
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
    ]);
    let multiple = select(vec![0.01, 0.05, 0.1, 0.3, 1.0, 1.5, 2.0, 7.0, 0.0075]);
    let type_ = select(vec![
        "string", "number", "integer", "boolean", "object", "null",
    ]);
    let length = select(vec!["minLength", "maxLength"]);
    prop_oneof![
        named(
            "enum",
            proptest::collection::vec(value(), 1..5)
                .prop_map(Json::from)
                .boxed()
        ),
        named("const", value().boxed()),
        (limit, number()).prop_map(|(name, limit)| (name.to_owned(), limit)),
        named("multipleOf", multiple.prop_map(Json::from).boxed()),
        (length, 0_u64..4).prop_map(|(name, n)| (name.to_owned(), n.into())),
        named(
            "pattern",
            select(PATTERNS.to_vec()).prop_map(Json::from).boxed()
        ),
        named("type", type_.prop_map(Json::from).boxed()),
    ]
}

/// A schema around others: what applies schemas is the same for values and for records.
fn around(inner: BoxedStrategy<Json>) -> BoxedStrategy<Json> {
    let some = || proptest::collection::vec(inner.clone(), 1..4);
    prop_oneof![
        inner.clone().prop_map(|schema| json!({ "not": schema })),
        some().prop_map(|schemas| json!({ "allOf": schemas })),
        some().prop_map(|schemas| json!({ "anyOf": schemas })),
        some().prop_map(|schemas| json!({ "oneOf": schemas })),
        (inner.clone(), inner.clone(), proptest::option::of(inner)).prop_map(|(a, b, c)| match c {
            Some(c) => json!({ "if": a, "then": b, "else": c }),
            None => json!({ "if": a, "then": b }),
        }),
    ]
    .boxed()
}

fn value_schema() -> BoxedStrategy<Json> {
    let leaf = prop_oneof![
        8 => proptest::collection::vec(keyword(), 1..3)
            .prop_map(|keywords| Json::Object(keywords.into_iter().collect::<Map<_, _>>())),
        1 => any::<bool>().prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 12, 3, around).boxed()
}

fn record_schema() -> BoxedStrategy<Json> {
    let name = || select(vec!["TEXT", "WHOLE", "MONEY", "DAY", "YES", "ELSEWHERE"]);
    let names = || {
        proptest::collection::vec(name(), 0..3).prop_map(|mut names| {
            names.sort_unstable();
            names.dedup();
            names
        })
    };
    let properties = || {
        proptest::collection::vec((name(), value_schema()), 1..4).prop_map(|properties| {
            let named = properties
                .into_iter()
                .map(|(name, schema)| (name.to_owned(), schema));
            Json::Object(named.collect())
        })
    };
    let leaf = prop_oneof![
        6 => (properties(), names())
            .prop_map(|(properties, names)| json!({ "properties": properties, "required": names })),
        1 => (name(), names()).prop_map(|(name, names)| json!({ "dependentRequired": { name: names } })),
        1 => (name(), properties())
            .prop_map(|(name, properties)| json!({ "dependentSchemas": { name: { "properties": properties } } })),
        // What is left to the crate.
        1 => (0_u64..5).prop_map(|n| json!({ "minProperties": n })),
        1 => properties().prop_map(|p| json!({ "properties": p, "additionalProperties": false })),
        1 => any::<bool>().prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 12, 3, around).boxed()
}

fn by_the_crate(schema: &Json) -> jsonschema::Validator {
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex())
        .build(schema)
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn records_pass_where_the_crate_lets_them(
        schema in record_schema(),
        rows in proptest::collection::vec(row(), 1..70),
    ) {
        let table = table(&ITEMS);
        let frame = frame(&table, &rows);
        let compiled = RecordSchema::compile(&schema, &table).unwrap();
        let all = Mask::all(true, rows.len());
        let passes: Vec<usize> = compiled.passes(&table, &frame, &all).idxs().collect();
        let oracle = by_the_crate(&schema);
        let expected: Vec<usize> = (0..rows.len())
            .filter(|&idx| oracle.is_valid(&rows::record(&table, &frame, idx)))
            .collect();
        prop_assert_eq!(passes, expected, "{}", schema);
    }

    #[test]
    fn values_pass_where_the_crate_lets_them(
        schema in value_schema(),
        rows in proptest::collection::vec(row(), 1..20),
    ) {
        let table = table(&ITEMS);
        let frame = frame(&table, &rows);
        let oracle = by_the_crate(&schema);
        for (item, values) in table.items.iter().zip(&frame.values) {
            let compiled = ValueSchema::compile(&schema, item.kind).unwrap();
            let passes: Vec<usize> = compiled.passes(values).idxs().collect();
            let expected: Vec<usize> = (0..rows.len())
                .filter(|&idx| rows::to_json(values, idx).is_none_or(|value| oracle.is_valid(&value)))
                .collect();
            prop_assert_eq!(passes, expected, "{} {}", &item.name, schema);
        }
    }
}

/// Limits are exact in the crate too, to the last whole number that a column holds.
#[test]
fn whole_numbers_of_all_sizes_are_held_to_limits_as_the_crate_holds_them() {
    let ends = [0, 1 << 53, i64::MAX - 1, i64::MIN + 2].map(|end: i64| [end - 1, end, end + 1]);
    let column: Vec<_> = ends
        .concat()
        .into_iter()
        .map(|n| Some(Value::Integer(n)))
        .collect();
    let values = column_of(ItemKind::Integer, &column);
    let numbers = NUMBERS.iter().map(|number| Json::from(*number));
    let limits = numbers
        .chain(ends.concat().into_iter().map(Json::from))
        .chain([json!(u64::MAX)]);
    for limit in limits {
        for keyword in [
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "const",
        ] {
            let schema = json!({ keyword: limit });
            let compiled = ValueSchema::compile(&schema, ItemKind::Integer).unwrap();
            let passes: Vec<usize> = compiled.passes(&values).idxs().collect();
            let oracle = by_the_crate(&schema);
            let expected: Vec<usize> = (0..column.len())
                .filter(|&idx| oracle.is_valid(&rows::to_json(&values, idx).unwrap()))
                .collect();
            assert_eq!(passes, expected, "{schema}");
        }
    }
}

/// Where a double can't tell two amounts apart, the columns still can.
#[test]
fn money_is_exact_beyond_what_a_double_holds() {
    let kind = ItemKind::Decimal { scale: 2 };
    let around: Vec<_> = (-2..3)
        .map(|n| Some(Value::Decimal(900_719_925_474_099_300 + n)))
        .collect();
    let values = column_of(kind, &around);
    let passing = |schema: Json| {
        let compiled = ValueSchema::compile(&schema, kind).unwrap();
        compiled.passes(&values).idxs().collect::<Vec<_>>()
    };
    assert_eq!(passing(json!({ "const": 9_007_199_254_740_993_i64 })), [2]);
    assert_eq!(
        passing(json!({ "minimum": 9_007_199_254_740_993_i64 })),
        [2, 3, 4]
    );
    assert_eq!(
        passing(json!({ "exclusiveMaximum": 9_007_199_254_740_993_i64 })),
        [0, 1]
    );
    assert_eq!(passing(json!({ "multipleOf": 1 })), [2]);
}
