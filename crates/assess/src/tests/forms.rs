//! Forms that somebody changed, or filled in as another one: each such mistake is one finding.

use std::collections::BTreeMap;
use std::path::Path;

use finding::Finding;
use sheet::grid::{Grid, GridCell, GridSheet};
use spec::example::{ExampleWorkbook, load_examples};
use spec::{Organisations, Period, ReturnSpec, Returns};

use super::odd::said::said;
use crate::{Assessment, Request, SourceFile, assess};

/// A real return's form, with its drawn examples.
struct Form {
    spec: ReturnSpec,
    organisations: Organisations,
    examples: Vec<spec::Example>,
}

impl Form {
    fn of(version: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../return-specs");
        let dir = root.join(version);
        Self {
            spec: spec::load(&dir).unwrap(),
            organisations: Organisations::load(&root.join("organisations.csv")).unwrap(),
            examples: load_examples(&dir).unwrap(),
        }
    }

    fn example(&self, name: &str) -> &spec::Example {
        let mut examples = self.examples.iter();
        examples.find(|example| example.name == name).unwrap()
    }

    fn drawn(&self, name: &str) -> Grid {
        match &self.example(name).workbook {
            ExampleWorkbook::Drawn(grid) => grid.clone(),
            ExampleWorkbook::File(_) => panic!("{name} is a file"),
        }
    }

    /// The example `valid`, changed, after the example it is compared with.
    fn assessed(&self, change: impl Fn(&mut Grid)) -> Assessment {
        let valid = self.example("valid");
        let mut grid = self.drawn("valid");
        change(&mut grid);
        let bytes = report::workbook::write_xlsx(&grid).unwrap();
        let previous = valid.previous.as_ref().or(valid.year_ago.as_ref());
        let previous =
            previous.map(|name| report::workbook::write_xlsx(&self.drawn(name)).unwrap());
        let period = Period::parse(self.spec.period_kind, &valid.period).unwrap();
        let named = |bytes| SourceFile {
            name: "form.xlsx",
            bytes,
        };
        assess(&Request {
            spec: &self.spec,
            organisations: &self.organisations,
            organisation: self.organisations.get(&valid.organisation),
            period: Some(&period),
            received_on: valid.received_on,
            file: named(&bytes),
            previous: previous.as_deref().map(named),
            year_ago: None,
            earlier: crate::EarlierVersions::default(),
            others: &[],
            values: &[],
            limits: &sheet::Limits::default(),
            returns: &Returns::default(),
        })
        .unwrap()
    }

    fn said(&self, change: impl Fn(&mut Grid)) -> String {
        said(&self.assessed(change))
    }
}

/// Puts a column in (`by` 1) or takes one out (`by` -1), as a spreadsheet program would.
fn move_columns(grid: &mut Grid, sheet: &str, from: u32, by: i64) {
    let sheet = grid.sheet_mut(sheet).unwrap();
    let mut moved = GridSheet::new(sheet.name.clone());
    for (row_idx, column_idx, cell) in sheet.cells() {
        let now = match i64::from(column_idx) {
            at if at < i64::from(from) => Some(column_idx),
            at if by < 0 && at == i64::from(from) => None,
            at => u32::try_from(at + by).ok(),
        };
        if let Some(now) = now {
            moved.set_cell(row_idx, now, cell.clone());
        }
    }
    *sheet = moved;
}

/// Every number of a block, rows and columns as they are counted from 0, as another one.
fn each(
    grid: &mut Grid,
    sheet: &str,
    rows: std::ops::RangeInclusive<u32>,
    columns: std::ops::RangeInclusive<u32>,
    change: impl Fn(&str) -> GridCell,
) {
    let sheet = grid.sheet_mut(sheet).unwrap();
    for row_idx in rows {
        for column_idx in columns.clone() {
            let changed = match sheet.cell(row_idx, column_idx) {
                GridCell::Number(figure) => change(figure),
                GridCell::Formula {
                    result: Some(result),
                    formula,
                } => match result.as_ref() {
                    GridCell::Number(figure) => match change(figure) {
                        GridCell::Blank => continue,
                        result => GridCell::Formula {
                            formula: formula.clone(),
                            result: Some(Box::new(result)),
                        },
                    },
                    _ => continue,
                },
                _ => continue,
            };
            sheet.set_cell(row_idx, column_idx, changed);
        }
    }
}

/// Calculates a total again.
fn add_up(
    grid: &mut Grid,
    sheet: &str,
    row_idx: u32,
    parts: std::ops::RangeInclusive<u32>,
    total: u32,
) {
    let figure = |cell: &GridCell| match cell {
        GridCell::Number(figure) => figure.parse::<i64>().ok(),
        GridCell::Formula {
            result: Some(result),
            ..
        } => match result.as_ref() {
            GridCell::Number(figure) => figure.parse().ok(),
            _ => None,
        },
        _ => None,
    };
    let sheet = grid.sheet_mut(sheet).unwrap();
    let parts = parts.filter_map(|column_idx| figure(sheet.cell(row_idx, column_idx)));
    let sum: i64 = parts.sum();
    if figure(sheet.cell(row_idx, total)).is_some() {
        sheet.set_cell(row_idx, total, GridCell::Number(sum.to_string()));
    }
}

fn thousandfold(figure: &str) -> GridCell {
    GridCell::Number(if figure == "0" {
        "0".to_owned()
    } else {
        format!("{figure}000")
    })
}

fn blank(_: &str) -> GridCell {
    GridCell::Blank
}

#[test]
fn a_form_whose_columns_moved() {
    let form = Form::of("lfr/2026");
    let put_in = form.said(|grid| move_columns(grid, "LFR 05", 4, 1));
    let taken_out = form.said(|grid| move_columns(grid, "LFR 05", 4, -1));
    let before_all = form.said(|grid| move_columns(grid, "LFR 05", 0, 1));
    insta::assert_snapshot!(format!(
        "== a column put in before E\n{put_in}\n== column E taken out\n{taken_out}\n== one put in before A\n{before_all}"
    ));
}

#[test]
fn a_heading_that_is_worded_otherwise_moves_nothing() {
    let form = Form::of("lfr/2026");
    let findings = form.assessed(|grid| {
        grid.apply("set LFR 05!N5: Roads and transport").unwrap();
        grid.apply("set LFR 05!J5: Everything else").unwrap();
    });
    assert!(findings.findings.is_empty(), "{}", said(&findings));
}

#[test]
fn two_tables_of_a_sheet_that_moved_together() {
    let form = Form::of("ctas/2026");
    insta::assert_snapshot!(
        form.said(|grid| grid.apply("insert CTAS!12: | a row of ours |").unwrap())
    );
}

#[test]
fn lines_of_another_form() {
    let form = Form::of("ctaxbase/2026");
    insta::assert_snapshot!(form.said(|grid| grid.apply("set CTAXBASE!A12: '4a").unwrap()));
}

#[test]
fn a_form_that_is_not_filled_in() {
    let form = Form::of("ctaxbase/2026");
    let all = form.said(|grid| each(grid, "CTAXBASE", 8..=17, 2..=30, blank));
    let line = form.said(|grid| each(grid, "CTAXBASE", 9..=9, 2..=30, blank));
    let column = form.said(|grid| each(grid, "CTAXBASE", 8..=17, 5..=5, blank));
    // Its own rules say which lines may be blank.
    let rates = Form::of("ndripca/2026");
    let by_rules = rates.said(|grid| each(grid, "NDRI", 8..=30, 3..=3, blank));
    insta::assert_snapshot!(format!(
        "== all of it\n{all}\n== a line\n{line}\n== a column\n{column}\n== all, by the return's own rules\n{by_rules}"
    ));
}

#[test]
fn figures_in_another_unit() {
    let form = Form::of("lfr/2026");
    let sheet = form.said(|grid| each(grid, "LFR 06", 5..=45, 2..=9, thousandfold));
    let column = form.said(|grid| {
        each(grid, "LFR 06", 5..=23, 3..=3, thousandfold);
        // As the form calculates it.
        for row_number in 6..=24 {
            add_up(grid, "LFR 06", row_number - 1, 2..=8, 9);
        }
    });
    insta::assert_snapshot!(format!("== a sheet\n{sheet}\n== a column\n{column}"));
}

#[test]
fn one_figure_that_is_large_is_asked_about_by_itself() {
    let form = Form::of("lfr/2026");
    let findings = form.assessed(|grid| each(grid, "LFR 06", 6..=6, 3..=3, thousandfold));
    let is_unit = |finding: &Finding| finding.rule.as_str().ends_with(".another-unit");
    let is_moved = |finding: &Finding| finding.rule.as_str() == "lfr06.moved-since-last-year";
    assert!(!findings.findings.iter().any(is_unit));
    assert!(
        findings.findings.iter().any(is_moved),
        "{}",
        said(&findings)
    );
}

#[test]
fn what_is_absent_keeps_its_key_when_something_else_comes_back() {
    let form = Form::of("nb1/2026");
    let absent = |rows: &[u32]| -> BTreeMap<String, String> {
        let assessment = form.assessed(|grid| {
            for row_number in rows {
                grid.apply(&format!("remove NB1!{row_number}")).unwrap();
            }
        });
        let findings = assessment.findings.iter();
        findings
            .filter(|finding| finding.rule.as_str() == "site.open-site-absent")
            .map(|finding| {
                let key = finding.key.as_ref().unwrap();
                (finding.message.clone(), key.to_string())
            })
            .collect()
    };
    // Each leaves the rows above it where they are.
    let three = absent(&[6, 5, 4]);
    assert!(three.len() > 1, "{three:?}");
    let one = absent(&[6]);
    assert_eq!(one.len(), 1, "{one:?}");
    for (message, key) in &one {
        assert_eq!(three.get(message), Some(key));
    }
}
