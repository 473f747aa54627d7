//! A release with disclosure control, through a database and into every format.

mod changes;

use std::collections::BTreeMap;

use spec::disclosure::{Disclosure, Unprotected};
use spec::layout::{Layout, Line, MatrixColumn};
use spec::{InForce, Item, ItemKind, OnlyFor, Part, Rule, RuleKind, Stage};
use testkit::returns::tested;

use super::*;

fn rule(id: &str, items: &[&str], kind: RuleKind) -> Rule {
    Rule {
        id: format!("form.{id}"),
        table: "form".to_owned(),
        severity: finding::Severity::Error,
        stage: Stage::Return,
        only_for: OnlyFor::default(),
        items: items.iter().map(|item| (*item).to_owned()).collect(),
        message: String::new(),
        fix: String::new(),
        in_force: InForce::default(),
        trial: false,
        thresholds: spec::rule::Thresholds::default(),
        kind,
        provenance: tested(),
    }
}

fn parts(names: &[&str]) -> Vec<Part> {
    let part = |name: &&str| Part {
        name: (*name).to_owned(),
        subtract: false,
    };
    names.iter().map(part).collect()
}

/// Men, women and all, on two lines and their total; and what it cost.
fn staff() -> ReturnSpec {
    staff_with("men")
}

/// With the column of men called so.
fn staff_with(men: &str) -> ReturnSpec {
    let mut spec = form();
    let table = &mut spec.tables[0];
    let line_item = table.items.remove(0);
    let number = table.items.remove(1);
    let named = |name: &str, unit: Option<&str>| Item {
        name: name.to_owned(),
        unit: unit.map(str::to_owned),
        required: unit.is_none(),
        ..number.clone()
    };
    table.items = vec![
        line_item,
        named(men, None),
        named("women", None),
        named("total", None),
        named("cost", Some("£000")),
    ];
    let Layout::Matrix(matrix) = &mut table.layout else {
        panic!("{:?}", table.layout);
    };
    matrix.columns = [men, "women", "total", "cost"]
        .into_iter()
        .zip(3..)
        .map(|(item, column_idx)| MatrixColumn {
            item: item.to_owned(),
            column_idx,
            computed: false,
            only_for: OnlyFor::default(),
        })
        .collect();
    matrix.lines = ["1", "2", "3", "T"]
        .into_iter()
        .zip(1..)
        .map(|(code, row_idx)| Line {
            code: code.to_owned(),
            row_idx,
            label: format!("Line {code}"),
            description: String::new(),
            computed: false,
            not_applicable: Vec::new(),
            only_for: OnlyFor::default(),
            provenance: tested(),
        })
        .collect();
    spec.rules = vec![
        rule(
            "total-is-not-the-sum",
            &["total"],
            RuleKind::SumAcross {
                total: "total".to_owned(),
                parts: parts(&[men, "women"]),
            },
        ),
        rule(
            "lines-do-not-add-up",
            &[men, "women", "total"],
            RuleKind::SumDown {
                total_line: "T".to_owned(),
                part_lines: parts(&["1", "2", "3"]),
            },
        ),
    ];
    let counts = [men, "women", "total"].map(str::to_owned).to_vec();
    spec.disclosure_said = Some(Disclosure {
        counts: BTreeMap::from([("form".to_owned(), counts)]),
        ..Disclosure::default()
    });
    spec
}

#[test]
fn only_forms_that_say_their_counts_are_protected() {
    let mut staff = staff();
    let protection = staff.disclosure().unwrap();
    assert_eq!((protection.threshold, protection.suggested), (5, false));
    let item = |name: &str| staff.tables[0].item(name).unwrap();
    assert!(protection.is_count("form", item("men")));
    assert!(!protection.is_count("form", item("cost")));
    assert_eq!(item("line").kind, ItemKind::Text);
    assert_eq!(cases().disclosure(), Err(Unprotected::Records));
    staff.disclosure_said = Some(Disclosure::default());
    assert_eq!(staff.disclosure(), Err(Unprotected::NoCounts));
    staff.disclosure_said = None;
    assert_eq!(staff.disclosure(), Err(Unprotected::CountsNotSaid));
}

const SHOWN: [&str; 7] = [
    "line",
    "men",
    "women",
    "total",
    "cost",
    "suppressed",
    "men_cell",
];

fn protected() -> release::Settings {
    release::Settings {
        lineage: Lineage::Cell,
        labels: true,
        after: None,
        protection: Some(release::Protection {
            threshold: 5,
            after: Vec::new(),
            hides_files: true,
        }),
    }
}

fn edition<'a>(
    spec: &'a ReturnSpec,
    manifest: &'a Manifest,
    settings: &'a release::Settings,
    before: &'a [release::Before],
) -> release::Edition<'a> {
    release::Edition {
        spec,
        manifest,
        settings,
        kind: "final",
        notes: "",
        drafted_on: testkit::returns::day("2026-07-01"),
        before,
    }
}

#[tokio::test]
async fn what_an_edition_left_out_is_read_from_its_file_and_stays_out() {
    let database = TestDb::new();
    let spec = staff();
    let db = collecting(&spec, &database).await;
    let rows: &'static [&'static [Option<&'static str>]] = &[
        &[Some("1"), Some("3"), Some("30"), Some("33"), None],
        &[Some("2"), Some("9"), Some("30"), Some("39"), None],
        &[Some("3"), Some("9"), Some("30"), Some("39"), None],
        &[Some("T"), Some("21"), Some("90"), Some("111"), None],
    ];
    let sent = send(&db, &spec, &a_form(ARDBEG, Outcome::Ready, ACCEPTED, rows)).await;
    let (manifest, _) = made(&db, &spec, &q1(), &everything()).await;
    let from = |versions| From {
        db: &db,
        sees: &Sees::Everyone,
        versions,
    };
    let settings = protected();
    let into = tempfile::tempdir().unwrap();
    let file = into.path().join(release::SUPPRESSED_CELLS);
    let build = async |before: &[release::Before]| {
        let edition = edition(&spec, &manifest, &settings, before);
        let from = from(std::slice::from_ref(&spec));
        release::build(from, &edition, into.path()).await.unwrap();
        std::fs::read_to_string(&file).unwrap()
    };
    let first = build(&[]).await;
    let cells: Vec<String> = first.lines().skip(1).map(str::to_owned).collect();
    let line = |row: u32, item: &str| format!("{ARDBEG},2026-27-Q1,form,{row},{item},{sent}");
    assert_eq!(
        cells,
        [
            line(2, "men"),
            line(2, "women"),
            line(3, "men"),
            line(3, "women"),
        ]
    );
    let mut before = [release::Before {
        manifest: manifest.clone(),
        left_out: release::CellsLeftOut::read(&file).unwrap(),
    }];
    assert_eq!(build(&before).await, first);

    // Of lines 2 and 3, which are the same, another way of choosing took the other.
    let other = first.replace(",form,3,", ",form,4,");
    std::fs::write(&file, &other).unwrap();
    before[0].left_out = release::CellsLeftOut::read(&file).unwrap();
    assert_eq!(build(&before).await, other);

    let mut unsaid = spec.clone();
    unsaid.disclosure_said = None;
    let edition = edition(&unsaid, &manifest, &settings, &[]);
    let from = from(std::slice::from_ref(&unsaid));
    let refused = release::build(from, &edition, into.path()).await;
    let why = Unprotected::CountsNotSaid;
    assert!(matches!(refused, Err(DatasetError::Unprotected(said)) if said == why));
}

#[tokio::test]
async fn what_is_left_out_of_a_release_is_in_none_of_its_files_and_does_not_follow() {
    let database = TestDb::new();
    let spec = staff();
    let db = collecting(&spec, &database).await;
    let rows: &'static [&'static [Option<&'static str>]] = &[
        &[Some("1"), Some("3"), Some("20"), Some("23"), Some("2")],
        &[Some("2"), Some("10"), Some("0"), Some("10"), None],
        &[Some("3"), Some("40"), Some("60"), Some("100"), Some("777")],
        &[Some("T"), Some("53"), Some("80"), Some("133"), Some("779")],
    ];
    send(&db, &spec, &a_form(ARDBEG, Outcome::Ready, ACCEPTED, rows)).await;
    // Nothing small here: one council's form says nothing of another's.
    let large: &'static [&'static [Option<&'static str>]] = &[
        &[Some("1"), Some("33"), Some("20"), Some("53"), Some("1")],
        &[Some("T"), Some("33"), Some("20"), Some("53"), Some("1")],
    ];
    send(&db, &spec, &a_form(BRORA, Outcome::Ready, ACCEPTED, large)).await;
    let (manifest, _) = made(&db, &spec, &q1(), &everything()).await;
    let versions = std::slice::from_ref(&spec);
    let from = From {
        db: &db,
        sees: &Sees::Everyone,
        versions,
    };
    let settings = protected();
    let edition = edition(&spec, &manifest, &settings, &[]);
    let (into, again) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let built = release::build(from, &edition, into.path()).await.unwrap();
    let twice = release::build(from, &edition, again.path()).await.unwrap();
    let hashes = |built: &[release::Built]| -> Vec<(String, String)> {
        let built = built.iter();
        built
            .map(|file| (file.name.clone(), file.sha256.clone()))
            .collect()
    };
    assert_eq!(hashes(&built), hashes(&twice));
    let text = |name: &str| std::fs::read_to_string(into.path().join(name)).unwrap();

    let csv = text("form.csv");
    assert_eq!(
        columns_of(&csv, &SHOWN),
        [
            "1 [c] [c] 23 2 men; women D2",
            "2 10 0 10   D3",
            "3 [c] [c] 100 777 men; women D4",
            "T 53 80 133 779  D5",
            "1 33 20 53 1  D2",
            "T 33 20 53 1  D3",
        ]
    );
    assert_eq!(
        text("suppressed.csv"),
        "table,threshold,reason,cells\nform,5,left out,4\n"
    );
    let told = "4 are left out, which are counts from 1 to 4";
    for name in ["notes.txt", "datapackage.json", "csv-metadata.json"] {
        assert!(text(name).contains(told), "{name}");
    }
    let package: serde_json::Value = serde_json::from_str(&text("datapackage.json")).unwrap();
    let missing = &package["resources"][0]["schema"]["missingValues"];
    assert_eq!(*missing, serde_json::json!(["", "[c]"]));
    let csvw: serde_json::Value = serde_json::from_str(&text("csv-metadata.json")).unwrap();
    let null = &csvw["tables"][0]["tableSchema"]["null"];
    assert_eq!(*null, serde_json::json!(["", "[c]"]));

    let file = std::fs::File::open(into.path().join("form.parquet")).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file);
    let batch = reader.unwrap().build().unwrap().next().unwrap().unwrap();
    let men = batch.column_by_name("men").unwrap();
    let blanks: Vec<bool> = (0..6)
        .map(|row| arrow_array::Array::is_null(men, row))
        .collect();
    assert_eq!(blanks, [true, false, true, false, false, false]);

    let xlsx = std::fs::read(into.path().join("form.xlsx")).unwrap();
    let workbook = sheet::read(&xlsx, "a.xlsx", &sheet::Limits::default()).unwrap();
    let data = format!("{:?}", workbook.sheets[0].cells);
    assert_eq!(data.matches("\"[c]\"").count(), 4, "{data}");

    // The dataset of the team's own has everything.
    let (manifest, shape) = made(&db, &spec, &q1(), &everything()).await;
    let own = self::text(&db, &spec, &(manifest, shape)).await;
    assert!(!own.contains("[c]") && !own.contains("suppressed"));
}

/// Every file of a release of one form, by name, as a reader of its format has it.
async fn published(
    rows: &'static [&'static [Option<&'static str>]],
    settings: &release::Settings,
) -> BTreeMap<String, String> {
    let database = TestDb::new();
    let spec = staff();
    let db = collecting(&spec, &database).await;
    let id = send(&db, &spec, &a_form(ARDBEG, Outcome::Ready, ACCEPTED, rows)).await;
    let (manifest, _) = made(&db, &spec, &q1(), &everything()).await;
    let edition = edition(&spec, &manifest, settings, &[]);
    let from = From {
        db: &db,
        sees: &Sees::Everyone,
        versions: std::slice::from_ref(&spec),
    };
    let into = tempfile::tempdir().unwrap();
    let built = release::build(from, &edition, into.path()).await.unwrap();
    let hashes: Vec<String> = built.iter().map(|file| file.sha256.clone()).collect();
    let files = built.into_iter().map(|file| {
        let bytes = std::fs::read(&file.path).unwrap();
        let text = match file.name.rsplit('.').next().unwrap() {
            "xlsx" => {
                let limits = sheet::Limits::default();
                format!("{:?}", sheet::read(&bytes, "a.xlsx", &limits).unwrap())
            }
            "parquet" => {
                let file = std::fs::File::open(&file.path).unwrap();
                let reader =
                    parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file);
                let batches = reader.unwrap().build().unwrap();
                let batches: Vec<_> = batches.map(Result::unwrap).collect();
                format!("{batches:?}")
            }
            _ => String::from_utf8(bytes).unwrap(),
        };
        // Another submission has another id, and so the files other hashes.
        let text = text.replace(&id.to_string(), "the submission");
        let text = hashes
            .iter()
            .fold(text, |text, hash| text.replace(hash, "its hash"));
        (file.name, text)
    });
    files.collect()
}

const ONE_SMALL: &[&[Option<&str>]] = &[
    &[Some("1"), Some("3"), Some("20"), Some("23"), None],
    &[Some("2"), Some("10"), Some("30"), Some("40"), None],
    &[Some("T"), Some("13"), Some("50"), Some("63"), None],
];

#[tokio::test]
async fn what_is_left_out_can_not_be_tried_with_the_hash_of_a_file() {
    let told_of_files = ["ab".repeat(32), "form.xlsx".to_owned(), "Sheet".to_owned()];
    let with_hash = |files: &BTreeMap<String, String>, told: &str| -> Vec<String> {
        let files = files.iter().filter(|(_, text)| text.contains(told));
        files.map(|(name, _)| name.clone()).collect()
    };
    for lineage in Lineage::ALL {
        let settings = release::Settings {
            lineage,
            ..protected()
        };
        let files = published(ONE_SMALL, &settings).await;
        assert!(files["form.csv"].contains("[c]") && files["manifest.csv"].contains(ARDBEG));
        assert_eq!(with_hash(&files, &told_of_files[0]), [""; 0], "{lineage:?}");
        for told in ["source_sha256", "source_file", "source_sheet"] {
            assert_eq!(with_hash(&files, told), [""; 0], "{lineage:?}");
        }
        for name in ["form.csv", "form.parquet", "manifest.csv"] {
            for told in &told_of_files {
                assert!(!files[name].contains(told), "{told} in {name}");
            }
        }
        // What hides nothing has them.
        let settings = release::Settings {
            protection: None,
            ..settings
        };
        let files = published(ONE_SMALL, &settings).await;
        let wanted: &[&str] = match lineage {
            Lineage::None => &["manifest.csv"],
            _ => &["form.csv", "form.parquet", "form.xlsx", "manifest.csv"],
        };
        assert_eq!(with_hash(&files, &told_of_files[0]), wanted, "{lineage:?}");
    }
}

/// As many figures are left out of both, at the same places: in one all are small, in the other some are linked.
#[tokio::test]
async fn how_many_of_those_that_are_left_out_are_small_is_told_nowhere() {
    let all_small: &[&[Option<&str>]] = &[
        &[Some("1"), Some("3"), Some("4"), Some("7"), None],
        &[Some("2"), Some("4"), Some("3"), Some("7"), None],
        &[Some("T"), Some("7"), Some("7"), Some("14"), None],
    ];
    let some_linked: &[&[Option<&str>]] = &[
        &[Some("1"), Some("1"), Some("6"), Some("7"), None],
        &[Some("2"), Some("6"), Some("1"), Some("7"), None],
        &[Some("T"), Some("7"), Some("7"), Some("14"), None],
    ];
    let settings = protected();
    let one = published(all_small, &settings).await;
    assert_eq!(one["form.csv"].matches("[c]").count(), 4);
    let other = published(some_linked, &settings).await;
    // How many bytes a file is packed into depends on the ids.
    let all = one.iter().filter(|(name, _)| *name != "dcat.jsonld");
    for (name, text) in all {
        assert!(text == &other[name], "{name}: {text} {}", other[name]);
    }
}

#[test]
fn what_was_told_as_small_and_linked_is_read_as_one_number() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let before = "table,threshold,reason,cells\na,5,small,1\na,5,linked,3\na,5,published before,2\nb,5,small,0\nb,5,linked,0\n";
    std::fs::write(file.path(), before).unwrap();
    let told = release::read_suppressed(file.path()).unwrap();
    let told: Vec<(&str, &str, u64)> = told
        .iter()
        .map(|row| (row.table.as_str(), row.reason.as_str(), row.cells))
        .collect();
    assert_eq!(
        told,
        [
            ("a", release::LEFT_OUT, 4),
            ("a", release::PUBLISHED_BEFORE, 2),
            ("b", release::LEFT_OUT, 0),
        ]
    );
}
