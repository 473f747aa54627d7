//! Whatever stands in a cell is loaded exactly as it stands, or something is said of it.

use std::path::Path;
use std::sync::LazyLock;

use finding::Finding;
use frame::{Expected, Frame};
use proptest::prelude::*;
use sheet::{Cell, Format, Sheet, Value, Workbook};
use spec::{ItemKind, Organisations, ReturnSpec};

fn spec() -> ReturnSpec {
    static SPEC: LazyLock<ReturnSpec> = LazyLock::new(|| {
        let returns = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/returns");
        spec::load(&returns.join("visits/1")).unwrap()
    });
    SPEC.clone()
}

/// A sheet with one column of a table filled, and what framing it gives.
fn framed(spec: &ReturnSpec, item: &str, values: Vec<Value>) -> (Frame, Vec<Finding>) {
    let table = &spec.tables[0];
    let column = table.item_idx(item).unwrap();
    let mut cells: Vec<Cell> = (0..)
        .zip(&table.items)
        .map(|(column_idx, item)| Cell {
            row_idx: 0,
            column_idx,
            value: Value::Text(item.name.clone()),
        })
        .collect();
    // A row with just one value is no record.
    let reference = table.item_idx("REF").unwrap();
    for (row_idx, value) in (1..).zip(values) {
        let mut row = [
            (column, value),
            (reference, Value::Text("V0001".to_owned())),
        ];
        row.sort_by_key(|(column_idx, _)| *column_idx);
        cells.extend(row.map(|(column_idx, value)| Cell {
            row_idx,
            column_idx: u32::try_from(column_idx).unwrap(),
            value,
        }));
    }
    let workbook = Workbook {
        format: Format::Xlsx,
        properties: sheet::Properties::new(),
        sheets: vec![Sheet {
            name: "Visits".to_owned(),
            visible: true,
            cells,
        }],
        remarks: Vec::new(),
    };
    let expected = Expected {
        organisation: None,
        period: None,
        organisations: &Organisations::default(),
    };
    let mut framed = frame::frame(&workbook, spec, expected);
    let findings = std::mem::take(&mut framed.findings).into_vec();
    (framed.frames.remove(0), findings)
}

/// The value of the one record, and the last part of the rule of what was said.
fn read(spec: &ReturnSpec, item: &str, value: Value) -> (Option<String>, Option<String>) {
    let (frame, findings) = framed(spec, item, vec![value]);
    let item_idx = spec.tables[0].item_idx(item).unwrap();
    let said: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.item.as_deref() == Some(item))
        .collect();
    assert!(said.len() <= 1, "{said:?}");
    let start = format!("visit.{}-", item.to_lowercase());
    let rule = said.first().map(|finding| {
        finding
            .rule
            .as_str()
            .strip_prefix(&start)
            .unwrap()
            .to_owned()
    });
    (frame.values[item_idx].plain(0), rule)
}

fn with_scale(scale: u8) -> ReturnSpec {
    let mut spec = spec();
    let hours = spec.tables[0].item_idx("HOURS").unwrap();
    spec.tables[0].items[hours].kind = ItemKind::Decimal { scale };
    spec
}

/// A decimal by its digits: the sign, the whole part without leading zeros, the fraction without trailing ones.
fn canonical(text: &str) -> (bool, String, String) {
    let negative = text.starts_with('-');
    let digits = text.trim_start_matches('-');
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.trim_start_matches('0').to_owned();
    let fraction = fraction.trim_end_matches('0').to_owned();
    let is_zero = whole.is_empty() && fraction.is_empty();
    (negative && !is_zero, whole, fraction)
}

/// Up to fifteen digits, some of them after the point: what a spreadsheet keeps of a number.
fn decimals() -> impl Strategy<Value = String> {
    (
        0_u64..1_000_000_000_000_000,
        0_usize..=9,
        any::<bool>(),
        0_u32..15,
    )
        .prop_map(|(digits, places, negative, fewer)| {
            let digits = format!(
                "{:0>width$}",
                digits / 10_u64.pow(fewer),
                width = places + 1
            );
            let (whole, fraction) = digits.split_at(digits.len() - places);
            let sign = if negative { "-" } else { "" };
            let point = if places > 0 { "." } else { "" };
            format!("{sign}{whole}{point}{fraction}")
        })
}

fn grouped(whole: &str, separator: &str) -> String {
    let first = whole.len() % 3;
    let mut groups: Vec<&str> = Vec::new();
    if first > 0 {
        groups.push(&whole[..first]);
    }
    groups.extend((first..whole.len()).step_by(3).map(|at| &whole[at..at + 3]));
    groups.join(separator)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_stored_number_is_exact_or_told_of(literal in decimals(), scale in 1_u8..=6) {
        let number: f64 = literal.parse().unwrap();
        let (value, said) = read(&with_scale(scale), "HOURS", Value::Number(number));
        let (_, _, fraction) = canonical(&literal);
        if fraction.len() <= usize::from(scale) {
            prop_assert_eq!(value.as_deref().map(canonical), Some(canonical(&literal)));
            prop_assert_eq!(said, None);
        } else {
            prop_assert_eq!(value, None);
            prop_assert_eq!(said.as_deref(), Some("too-many-decimals"));
        }
    }

    #[test]
    fn a_stored_whole_number_is_exact_or_told_of(literal in decimals()) {
        let number: f64 = literal.parse().unwrap();
        let (value, said) = read(&spec(), "VISITORS", Value::Number(number));
        let (_, _, fraction) = canonical(&literal);
        if fraction.is_empty() {
            prop_assert_eq!(value.as_deref().map(canonical), Some(canonical(&literal)));
            prop_assert_eq!(said, None);
        } else {
            prop_assert_eq!((value, said.as_deref()), (None, Some("not-a-whole-number")));
        }
    }

    #[test]
    fn a_number_that_is_typed_is_exact_and_noted_where_it_is_not_plain(
        literal in decimals(),
        separator in prop::sample::select(vec!["", ",", " ", "\u{a0}"]),
        pound in any::<bool>(),
        bracketed in any::<bool>(),
        outer in prop::sample::select(vec!["", " ", "\u{a0}", "\u{200b}"]),
    ) {
        let (sign, digits) = literal.strip_prefix('-').map_or(("", literal.as_str()), |digits| ("-", digits));
        let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
        let mut typed = grouped(whole, separator);
        if separator.is_empty() {
            typed = whole.to_owned();
        }
        if let Some(fraction) = fraction {
            typed = format!("{typed}.{fraction}");
        }
        if pound {
            typed = format!("£{typed}");
        }
        let bracketed = bracketed && sign == "-";
        typed = if bracketed { format!("({typed})") } else { format!("{sign}{typed}") };
        let (value, said) = read(&with_scale(9), "HOURS", Value::Text(format!("{outer}{typed}{outer}")));
        prop_assert_eq!(value.as_deref().map(canonical), Some(canonical(&literal)));
        prop_assert_eq!(said.as_deref(), (typed != literal).then_some("normalised"));
    }

    #[test]
    fn a_text_is_no_other_number_than_its_digits_say(text in "[0-9.,()£%E +\u{2212}-]{1,12}") {
        let (value, said) = read(&with_scale(9), "HOURS", Value::Text(text.clone()));
        match value {
            Some(value) => {
                let is_negative = text.contains(['-', '\u{2212}', '(']);
                let digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
                let sign = if is_negative { "-" } else { "" };
                prop_assert_eq!(canonical(&value), canonical(&format!("{sign}{digits}")));
                prop_assert!(!text.contains(['%', 'E', '+']), "{}", text);
            }
            None => prop_assert!(said.is_some() || text.trim().is_empty(), "{text:?}"),
        }
    }

    #[test]
    fn free_text_is_itself_but_for_outer_space(text in "\\PC{0,20}") {
        let (value, said) = read(&spec(), "NOTE", Value::Text(text.clone()));
        match value {
            Some(value) => {
                prop_assert!(text.contains(&value));
                let outer = text.replacen(&value, "", 1);
                prop_assert!(outer.chars().all(|c| c.is_whitespace() || !c.is_alphanumeric()), "{outer:?}");
                prop_assert_eq!(said, None);
            }
            None => prop_assert!(said.is_some() || !text.chars().any(char::is_alphanumeric), "{text:?}"),
        }
    }

    #[test]
    fn a_code_that_is_cleaned_is_noted(text in "[A-Za-z0-9０-９ \u{a0}\u{200b}\u{ad}‐-]{0,8}") {
        let (value, said) = read(&spec(), "OFFICE", Value::Text(text.clone()));
        if let Some(value) = value {
            let is_as_it_stands = value == text.trim_matches(' ');
            prop_assert_eq!(said.as_deref(), (!is_as_it_stands).then_some("normalised"), "{:?}", text);
        }
    }

    #[test]
    fn every_row_is_a_record_rejected_or_ignored(
        rows in prop::collection::vec(prop::collection::vec("(Total|Ardbeg|V[0-9]{4}|x| )?", 9), 0..30),
    ) {
        let spec = spec();
        let mut cells: Vec<Cell> = Vec::new();
        let headings = spec.tables[0].items.iter().map(|item| item.name.clone()).collect();
        for (row_idx, row) in (0..).zip([vec![], headings].into_iter().chain(rows)) {
            for (column_idx, text) in (0..).zip(row) {
                if !text.is_empty() {
                    cells.push(Cell { row_idx, column_idx, value: Value::Text(text) });
                }
            }
        }
        let n_rows = u64::from(cells[cells.len() - 1].row_idx) + 1;
        let workbook = Workbook {
            format: Format::Xlsx,
            properties: sheet::Properties::new(),
            sheets: vec![Sheet { name: "Visits".to_owned(), visible: true, cells }],
            remarks: Vec::new(),
        };
        let expected = Expected { organisation: None, period: None, organisations: &Organisations::default() };
        let framed = frame::frame(&workbook, &spec, expected);
        let frame = &framed.frames[0];
        let n_rejected = frame.account.rejected_row_idxs.len() as u64;
        prop_assert_eq!(frame.account.n_rows, n_rows);
        prop_assert_eq!(frame.n_records() as u64 + n_rejected + frame.account.n_ignored(), n_rows);
    }
}
