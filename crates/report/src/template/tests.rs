//! Every published return: its template read back says what a blank return must say, and nothing else.

use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};

use assess::{Assessment, Request, SourceFile};
use finding::{Finding, Outcome, Severity};
use sheet::Limits;
use spec::{Applies, Example, ExampleWorkbook, Organisation, Organisations, load_examples};
use zip::ZipArchive;

use super::formula::Formulas;
use super::*;
use crate::workbook::write_xlsx;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../return-specs")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cells {
    All,
    Entered,
}

/// A published version with its examples.
struct Case {
    spec: ReturnSpec,
    organisations: Organisations,
    examples: Vec<Example>,
}

impl Case {
    fn load(id: &str) -> Self {
        Self::all()
            .into_iter()
            .find(|case| case.spec.id == id)
            .unwrap()
    }

    fn all() -> Vec<Self> {
        let organisations = Organisations::load(&root().join("organisations.csv")).unwrap();
        spec::load_all(&root())
            .unwrap_or_else(|error| panic!("{error}"))
            .into_iter()
            .map(|spec| Self {
                examples: load_examples(&spec.dir).unwrap_or_else(|error| panic!("{error}")),
                organisations: organisations.clone(),
                spec,
            })
            .collect()
    }

    /// The example that the demo starts from, else `valid`.
    fn base(&self) -> &Example {
        let name = self.spec.demo.as_ref().map_or("valid", |demo| &demo.base);
        self.example(name)
    }

    fn example(&self, name: &str) -> &Example {
        let mut examples = self.examples.iter();
        examples.find(|example| example.name == name).unwrap()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        match &self.example(name).workbook {
            ExampleWorkbook::Drawn(grid) => write_xlsx(grid).unwrap(),
            ExampleWorkbook::File(path) => std::fs::read(path).unwrap(),
        }
    }

    fn period(&self) -> Period {
        Period::parse(self.spec.period_kind, &self.base().period).unwrap()
    }

    fn organisation(&self) -> &Organisation {
        self.organisations.get(&self.base().organisation).unwrap()
    }

    /// As the base example is assessed, with these bytes in its place.
    fn assess(&self, bytes: &[u8]) -> Assessment {
        let base = self.base();
        let earlier = |name: &Option<String>| name.as_deref().map(|name| self.bytes(name));
        let (previous, year_ago) = (earlier(&base.previous), earlier(&base.year_ago));
        let period = self.period();
        self.assess_with(
            bytes,
            Some(&period),
            previous.as_deref(),
            year_ago.as_deref(),
        )
    }

    fn assess_with(
        &self,
        bytes: &[u8],
        period: Option<&Period>,
        previous: Option<&[u8]>,
        year_ago: Option<&[u8]>,
    ) -> Assessment {
        fn file(bytes: &[u8]) -> SourceFile<'_> {
            SourceFile {
                name: "return.xlsx",
                bytes,
            }
        }
        assess::assess(&Request {
            spec: &self.spec,
            organisations: &self.organisations,
            organisation: Some(self.organisation()),
            period,
            received_on: self.base().received_on,
            file: file(bytes),
            previous: previous.map(file),
            year_ago: year_ago.map(file),
            earlier: assess::EarlierVersions::default(),
            others: &[],
            values: &[],
            returns: &spec::Returns::default(),
            limits: &Limits::default(),
        })
        .unwrap()
    }

    fn rows_of(&self, assessment: &Assessment) -> BTreeMap<String, Rows> {
        let mut rows: BTreeMap<String, Rows> = BTreeMap::new();
        for block in assessment.row_blocks(&self.spec, 500) {
            let of_table = rows.entry(block.table.clone()).or_default();
            for row_idx in 0..block.row_numbers.len() {
                let row = block.columns.iter().map(|c| c.values[row_idx].clone());
                of_table.push(row.collect());
            }
        }
        rows
    }

    /// For its organisation and period, with these rows.
    fn filled(&self, rows: BTreeMap<String, Rows>) -> Vec<u8> {
        let period = self.period();
        let fill = Fill {
            organisation: Some(self.organisation()),
            period: Some(&period),
            rows,
            sent_for: SentFor::ThisPeriod,
        };
        template(&self.spec, &fill).unwrap_or_else(|error| panic!("{}: {error}", self.spec.id))
    }

    /// Whether a form is told to be blank that only the return's own rules want filled in.
    fn is_blank_by_own_rules(&self, told: &str) -> bool {
        let mut blank = self.spec.tables.iter().filter(|table| {
            let start = format!("[{}.form-blank] ", table.name);
            told.starts_with(&start)
        });
        blank.any(|table| {
            let mut figures = table
                .items
                .iter()
                .filter(|item| !table.keys.contains(&item.name));
            figures.all(|item| !item.required)
        })
    }

    /// Cells that have to be filled in and are not calculated, on sheets that have to be there.
    fn n_to_fill_in(&self, cells: Cells) -> usize {
        let period = self.period();
        let fill = Fill {
            organisation: Some(self.organisation()),
            period: Some(&period),
            ..Fill::default()
        };
        let of_table = |table: &TableSpec| {
            let Layout::Matrix(matrix) = &table.layout else {
                return 0;
            };
            let formulas = Formulas::new(&self.spec, table, matrix, &fill);
            let is_asked = |line_idx: usize, column_idx: usize| {
                let item = &matrix.columns[column_idx].item;
                let line = &matrix.lines[line_idx];
                let applies = matrix.applies(line, item, Some(self.organisation()));
                let column = &matrix.columns[column_idx];
                let is_entered = !line.computed && !column.computed;
                table.item(item).unwrap().required
                    && (cells == Cells::All || is_entered)
                    && applies == Applies::Yes
                    && formulas.text(line_idx, column_idx).is_none()
            };
            (0..matrix.lines.len())
                .flat_map(|line_idx| (0..matrix.columns.len()).map(move |c| (line_idx, c)))
                .filter(|&(line_idx, column_idx)| is_asked(line_idx, column_idx))
                .count()
        };
        let is_required = |name: &str| {
            let mut tables = self.spec.tables.iter();
            tables.any(|table| table.sheet.required && table.sheet.names[0] == name)
        };
        let tables = self.spec.tables.iter();
        tables
            .filter(|table| is_required(&table.sheet.names[0]))
            .map(of_table)
            .sum()
    }
}

fn told(assessment: &Assessment) -> Vec<String> {
    let told = |finding: &Finding| format!("[{}] {}", finding.rule, finding.message);
    assessment.findings.iter().map(told).collect()
}

/// Without the notes that forms which may be left out were left blank.
fn but_for_blank_forms(assessment: &Assessment) -> Vec<String> {
    let mut told = told(assessment);
    told.retain(|told| !told.contains(".left-blank] Nothing is filled in on the sheet "));
    told
}

/// How many blank cells are told at once: of one cell, a column, a line or a form.
fn n_blank(told: &str) -> Option<usize> {
    let number_after = |text: &str| -> Option<usize> {
        let (_, rest) = told.split_once(text)?;
        rest.split(' ').next()?.parse().ok()
    };
    if told.contains(".form-blank] ") {
        number_after(" all ")
    } else if told.contains(".line-blank] ") {
        number_after(" none of its ")
    } else if told.contains("-missing] ") {
        number_after(" is blank in ").or(Some(1))
    } else {
        None
    }
}

#[test]
fn every_blank_template_says_what_a_blank_return_must_say_and_nothing_else() {
    for case in Case::all() {
        let id = &case.spec.id;
        // Without earlier files: what is no longer there would be missed, and rightly so.
        let bytes = case.filled(BTreeMap::new());
        let assessment = case.assess_with(&bytes, Some(&case.period()), None, None);
        let told = but_for_blank_forms(&assessment);
        let has_forms = case
            .spec
            .tables
            .iter()
            .any(|table| matches!(table.layout, Layout::Matrix(_)));
        if has_forms {
            // A return may have a rule of its own for what is left blank.
            let own = |told: &str| {
                told.ends_with(" is blank, but has to be filled in.") && n_blank(told).is_none()
                    || case.is_blank_by_own_rules(told)
            };
            let by_schema = told.iter().filter(|told| !own(told));
            let counted =
                by_schema.map(|told| n_blank(told).unwrap_or_else(|| panic!("{id}: {told}")));
            let n_blank: usize = counted.sum();
            // A cell that is calculated, but by no sum, is not told with a form that is blank altogether.
            let asked = case.n_to_fill_in(Cells::Entered)..=case.n_to_fill_in(Cells::All);
            assert!(asked.contains(&n_blank), "{id}: {asked:?} {told:#?}");
        } else {
            assert_eq!(told.len(), 1, "{id}: {told:?}");
            assert!(told[0].starts_with("[file.no-records] "), "{id}: {told:?}");
        }
    }
}

#[test]
fn every_template_with_its_examples_values_says_what_the_example_says() {
    for case in Case::all() {
        let id = &case.spec.id;
        let example = case.assess(&case.bytes(&case.base().name));
        let rows = case.rows_of(&example);
        assert!(!rows.is_empty(), "{id}");
        let filled = case.assess(&case.filled(rows.clone()));
        assert_eq!(
            but_for_blank_forms(&filled),
            but_for_blank_forms(&example),
            "{id}"
        );
        for (table, rows) in rows {
            assert_eq!(
                case.rows_of(&filled).get(&table),
                Some(&rows),
                "{id} {table}"
            );
        }
    }
}

#[test]
fn rows_that_were_sent_out_come_back_with_what_is_asked_anew_blank() {
    let case = Case::load("nb1");
    let last = case.assess_with(&case.bytes("valid-previous"), None, None, None);
    let last = case.rows_of(&last);
    let period = case.period();
    let rows = carried_over(
        &case.spec,
        last.clone(),
        SentFor::AnEarlierOne,
        Some(&period),
    );
    let table = &case.spec.tables[0];
    let column = |rows: &BTreeMap<String, Rows>, item: &str| -> Vec<Option<String>> {
        let idx = table.item_idx(item).unwrap();
        rows[&table.name]
            .iter()
            .map(|row| row[idx].clone())
            .collect()
    };
    assert_eq!(column(&rows, "HSU"), column(&last, "HSU"));
    assert_eq!(column(&rows, "LOCATION"), column(&last, "LOCATION"));
    assert!(column(&rows, "COMPLETEDQTR").iter().all(Option::is_none));
    let label = Some(period.label.clone());
    assert!(
        column(&rows, "QUARTER")
            .iter()
            .all(|quarter| *quarter == label)
    );
    let assessment = case.assess(&case.filled(rows));
    assert!(!assessment.findings.is_empty());
    for finding in &assessment.findings {
        assert_eq!(
            finding.rule.as_str(),
            "site.completedqtr-missing",
            "{}",
            finding.message
        );
    }

    // The same period's are all there again, as they were sent.
    let again = carried_over(&case.spec, last.clone(), SentFor::ThisPeriod, Some(&period));
    assert_eq!(again, last);
    // A list of records begins blank.
    let case = Case::load("hl1");
    let last = case.rows_of(&case.assess(&case.bytes("valid")));
    assert!(!last.is_empty());
    let rows = carried_over(
        &case.spec,
        last,
        SentFor::AnEarlierOne,
        Some(&case.period()),
    );
    assert_eq!(rows, BTreeMap::new());
}

#[test]
fn figures_of_an_earlier_period_are_shown_as_such_until_they_change() {
    let case = Case::load("ctaxbase");
    let last = case.rows_of(&case.assess(&case.bytes("valid")));
    let period = case.period();
    let made = |sent_for: SentFor| {
        let fill = Fill {
            organisation: Some(case.organisation()),
            period: Some(&period),
            rows: carried_over(&case.spec, last.clone(), sent_for, Some(&period)),
            sent_for,
        };
        template(&case.spec, &fill).unwrap()
    };
    let (earlier, same) = (
        part(&made(SentFor::AnEarlierOne), "xl/worksheets/sheet2.xml"),
        part(&made(SentFor::ThisPeriod), "xl/worksheets/sheet2.xml"),
    );
    let n_cells = case.n_to_fill_in(Cells::All);
    assert_eq!(earlier.matches("<conditionalFormatting ").count(), n_cells);
    assert!(earlier.contains("<conditionalFormatting sqref=\"E9\"><cfRule type=\"cellIs\" dxfId=\"0\" priority=\"2\" operator=\"equal\"><formula>2400</formula>"), "{earlier}");
    assert_eq!(same.matches("<conditionalFormatting ").count(), 0);
}

#[test]
fn a_template_of_another_version_or_return_is_refused_in_one_finding() {
    let case = Case::load("jsw");
    let made_of = |id: &str, version: &str, acronym: &str| {
        let other = ReturnSpec {
            id: id.to_owned(),
            version: version.to_owned(),
            acronym: acronym.to_owned(),
            ..case.spec.clone()
        };
        let bytes = template(&other, &Fill::default()).unwrap();
        let assessment = case.assess(&bytes);
        assert_eq!(assessment.findings.outcome(), Outcome::Refused);
        told(&assessment)
    };
    assert_eq!(
        made_of("jsw", "2025", "JSW"),
        [
            "[file.another-form] This is version 2025 of the JSW form, and version 2026 is asked for."
        ]
    );
    assert_eq!(
        made_of("gone", "2", "GONE"),
        ["[file.another-return] This is the GONE form, not \"Joint Staffing Watch\" (JSW)."]
    );
    // Without the period and organisation, what is missing is asked for and the form is known as its own.
    let bare = case.assess(&template(&case.spec, &Fill::default()).unwrap());
    let blockers = bare
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Blocker);
    let rules: Vec<&str> = blockers.map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["staff.wrong-organisation", "staff.wrong-period"]);
}

#[test]
fn computed_cells_have_their_formulas_and_values() {
    let case = Case::load("ctaxbase");
    let blank = part(&case.filled(BTreeMap::new()), "xl/worksheets/sheet2.xml");
    for cell in [
        "<f>SUM(D9:L9)</f><v>0</v>",
        "<f>D9-D10</f><v>0</v>",
        "<f>SUM(D11:L11)</f><v>0</v>",
    ] {
        assert!(blank.contains(cell), "{cell}");
    }
    let rows = case.rows_of(&case.assess(&case.bytes("valid")));
    let filled = part(&case.filled(rows), "xl/worksheets/sheet2.xml");
    for cell in [
        "<f>SUM(D9:L9)</f><v>11940</v>",
        "<f>E9-E10</f><v>2310</v>",
        "<f>SUM(D11:L11)</f><v>11627</v>",
    ] {
        assert!(filled.contains(cell), "{cell}");
    }
}

#[test]
fn nothing_is_hidden_in_a_template_and_its_bytes_are_always_the_same() {
    for case in Case::all() {
        let id = &case.spec.id;
        let bytes = case.filled(BTreeMap::new());
        assert_eq!(bytes, case.filled(BTreeMap::new()), "{id}");
        let mut archive = ZipArchive::new(Cursor::new(&bytes)).unwrap();
        for idx in 0..archive.len() {
            let mut entry = archive.by_index(idx).unwrap();
            let name = entry.name().unwrap().into_owned();
            for unwanted in ["comments", "externalLink", "pivot", "vml", "media"] {
                assert!(!name.contains(unwanted), "{id}: {name}");
            }
            let mut xml = String::new();
            entry.read_to_string(&mut xml).unwrap();
            for unwanted in ["state=\"hidden\"", "veryHidden", "hidden=\"1\""] {
                assert!(!xml.contains(unwanted), "{id}: {name} has {unwanted}");
            }
        }
        let names = part(&bytes, "xl/workbook.xml");
        let defined = names.matches("<definedName ").count();
        assert_eq!(
            defined,
            names.matches("name=\"_xlnm.Print_Titles\"").count(),
            "{id}"
        );
    }
}

fn part(bytes: &[u8], name: &str) -> String {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut text = String::new();
    archive
        .by_name(name)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    text
}
