//! Two small returns that no one collects: one of records that accumulate, one form that replaces.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::NaiveDate;
use serde_json::{Value, json};
use spec::layout::{Layout, Matrix, MatrixColumn, Records};
use spec::{
    Accumulation, Confidence, ExtraColumns, Item, ItemKind, ItemLineage, OnlyFor, Organisation,
    Organisations, Owner, Period, PeriodKind, Provenance, Respondents, ReturnSpec, Sensitivity,
    SheetMatch, TableSpec,
};

/// Three councils: `S12000001` Ardbeg, `S12000002` Brora and `S12000003` Crail.
pub fn organisations() -> Organisations {
    let council = |n: u32, name: &str| Organisation {
        code: format!("S1200000{n}"),
        name: name.to_owned(),
        kind: "council".to_owned(),
        sg_code: None,
        phs_code: None,
        superseded_codes: Vec::new(),
        aliases: Vec::new(),
        valid_from: None,
        valid_to: None,
    };
    Organisations(vec![
        council(1, "Ardbeg"),
        council(2, "Brora"),
        council(3, "Crail"),
    ])
}

/// April to June is the first: `2026-27-Q1`.
pub fn financial_quarter(label: &str, start: &str, end: &str) -> Period {
    Period {
        kind: PeriodKind::FinancialQuarter,
        label: label.to_owned(),
        start: day(start),
        end: day(end),
    }
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

/// Applications, one table of records keyed by `REF`, updated by key: `REF` text, `OPENED` date, `COST` decimal (2), `N` integer from 0, `URGENT` boolean, `KIND` one of a, b.
pub fn cases() -> ReturnSpec {
    let mut spec = blank("cases", "Cases", Accumulation::Cumulative);
    spec.tables = vec![TableSpec {
        name: "case".to_owned(),
        title: "Case".to_owned(),
        description: "One record for each case.".to_owned(),
        sheet: on_sheet("Cases"),
        layout: Layout::Records(Records {
            search_rows: 10,
            ignores: Vec::new(),
        }),
        items: vec![
            item("REF", ItemKind::Text, true, json!({"type": "string"})),
            item(
                "OPENED",
                ItemKind::Date,
                false,
                json!({"type": "string", "format": "date"}),
            ),
            item(
                "COST",
                ItemKind::Decimal { scale: 2 },
                false,
                json!({"type": "number", "multipleOf": 0.01}),
            ),
            item(
                "N",
                ItemKind::Integer,
                false,
                json!({"type": "integer", "minimum": 0}),
            ),
            item(
                "URGENT",
                ItemKind::Boolean,
                false,
                json!({"type": "boolean"}),
            ),
            item(
                "KIND",
                ItemKind::Text,
                false,
                json!({"type": "string", "enum": ["a", "b"]}),
            ),
        ],
        keys: vec!["REF".to_owned()],
        identities: Vec::new(),
        conditions: Vec::new(),
        schema: Value::Null,
    }];
    spec
}

/// A form of lines with two columns of whole numbers; a file is the whole period. One item is called like a column of our own.
pub fn form() -> ReturnSpec {
    let mut spec = blank("form", "Form", Accumulation::Replace);
    let column = |item: &str, column_idx: u32| MatrixColumn {
        item: item.to_owned(),
        column_idx,
        computed: false,
        only_for: OnlyFor::default(),
    };
    spec.tables = vec![TableSpec {
        name: "form".to_owned(),
        title: "Form".to_owned(),
        description: "One record for each line.".to_owned(),
        sheet: on_sheet("Form"),
        layout: Layout::Matrix(Matrix {
            code_column_idx: Some(0),
            anchors: Vec::new(),
            line_item: "line".to_owned(),
            lines: Vec::new(),
            columns: vec![column("organisation", 3), column("band_a", 4)],
            cells: Vec::new(),
        }),
        items: vec![
            item("line", ItemKind::Text, true, json!({"type": "string"})),
            item(
                "organisation",
                ItemKind::Text,
                false,
                json!({"type": "string"}),
            ),
            item(
                "band_a",
                ItemKind::Integer,
                true,
                json!({"type": "integer", "minimum": 0, "maximum": 1000}),
            ),
        ],
        keys: vec!["line".to_owned()],
        identities: Vec::new(),
        conditions: Vec::new(),
        schema: Value::Null,
    }];
    spec
}

fn blank(id: &str, title: &str, accumulation: Accumulation) -> ReturnSpec {
    ReturnSpec {
        id: id.to_owned(),
        version: "1.0".to_owned(),
        title: title.to_owned(),
        acronym: id.to_uppercase(),
        summary: "A return for tests.".to_owned(),
        hash: "hash-1".to_owned(),
        dir: PathBuf::new(),
        valid_from: day("2026-04-01"),
        valid_to: None,
        owner: Owner {
            organisation: "Scottish Government".to_owned(),
            team: "Tests".to_owned(),
        },
        respondents: Respondents {
            types: vec!["council".to_owned()],
            only: vec!["S12000001".to_owned(), "S12000002".to_owned()],
        },
        period_kind: PeriodKind::FinancialQuarter,
        accumulation,
        own_columns: None,
        extra_columns: ExtraColumns::Ignore,
        sensitivity: Sensitivity {
            personal_data: false,
            special_category: false,
        },
        facts: BTreeMap::new(),
        sources: BTreeMap::new(),
        tables: Vec::new(),
        disclosure_said: None,
        lineage: None,
        rules: Vec::new(),
        compared_with: Vec::new(),
        reference_values: Vec::new(),
        demo: None,
    }
}

fn on_sheet(name: &str) -> SheetMatch {
    SheetMatch {
        names: vec![name.to_owned()],
        required: true,
        only_sheet: false,
    }
}

fn item(name: &str, kind: ItemKind, required: bool, schema: Value) -> Item {
    Item {
        name: name.to_owned(),
        title: format!("{name}'s title"),
        description: format!("What {name} is."),
        kind,
        schema,
        required,
        codes: None,
        unit: None,
        date_formats: Vec::new(),
        value_aliases: BTreeMap::new(),
        headings: Vec::new(),
        blank_markers: Vec::new(),
        provenance: tested(),
    }
}

/// That one item of the version before goes on as another, and what its codes are now.
pub fn became(table: &str, was: &str, now: &str, codes: &[(&str, &str)]) -> ItemLineage {
    let codes = codes.iter();
    ItemLineage {
        table: table.to_owned(),
        was: vec![was.to_owned()],
        now: vec![now.to_owned()],
        breaks: false,
        codes: codes
            .map(|(was, now)| ((*was).to_owned(), (*now).to_owned()))
            .collect(),
        note: None,
        provenance: tested(),
    }
}

pub fn tested() -> Provenance {
    Provenance {
        source: "tests".to_owned(),
        confidence: Confidence::Inferred,
    }
}
