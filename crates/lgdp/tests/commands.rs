//! The command line as its users run it: the real binary, real files, exit status and output.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "commands/linked.rs"]
mod linked;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sheet::grid::Grid;
use tempfile::TempDir;

fn lgdp(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lgdp"))
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A return for these tests alone: one table, one code list, one rule.
struct Demo {
    dir: TempDir,
}

impl Demo {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let version = dir.path().join("visits/1");
        for (name, text) in [
            ("return.toml", include_str!("commands/visits/return.toml")),
            ("rules.toml", include_str!("commands/visits/rules.toml")),
            ("CHANGES.md", "# Changes\n\nThe first version.\n"),
            (
                "tables/visit.toml",
                include_str!("commands/visits/visit.toml"),
            ),
            (
                "tables/visit.schema.json",
                include_str!("commands/visits/visit.schema.json"),
            ),
            (
                "codes/purpose.csv",
                include_str!("commands/visits/purpose.csv"),
            ),
        ] {
            let path = version.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self { dir }
    }

    fn spec(&self) -> String {
        self.dir.path().join("visits/1").display().to_string()
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }

    fn workbook(&self, name: &str, drawing: &str) -> String {
        let grid = Grid::parse(drawing).unwrap();
        self.file(name, &report::workbook::write_xlsx(&grid).unwrap())
    }

    fn check(&self, file: &str, more: &[&str]) -> Output {
        let spec = self.spec();
        let mut arguments = vec!["check", file, "--spec", &spec, "--received", "2026-05-01"];
        arguments.extend(more);
        lgdp(&arguments)
    }
}

const CLEAN: &str = "
[visits]
| REF | DAY | PURPOSE | MINUTES |
| 'v1 | 2026-04-20 | '01 | 30 |
| 'v2 | 2026-04-21 | '02 | 45 |
";

const WITH_FAULTS: &str = "
[visits]
| REF | DAY | PURPOSE | MINUTES |
| 'v1 | 2026-04-20 | '01 | 30 |
| 'v2 | 2026-06-21 | '09 | 1,045 |
| 'v1 | '21/04/2026 | '02 | #REF! |
|
| 'Total | | | 75 |
[scratch]
| whatever |
";

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_clean_file_exits_with_0() {
    let demo = Demo::new();
    let output = demo.check(&demo.workbook("visits.xlsx", CLEAN), &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    insta::assert_snapshot!(stdout(&output), @r"
    visits.xlsx: ready.
    Table visit on visits: 3 rows: 2 loaded, 0 rejected, 1 ignored (1 the row of headings).
    ");
}

#[test]
fn what_has_to_be_fixed_exits_with_1_and_is_all_in_the_json() {
    let demo = Demo::new();
    let file = demo.workbook("visits.xlsx", WITH_FAULTS);
    let output = demo.check(&file, &["--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let mut json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for digest in ["/spec_hash", "/file/sha256"] {
        let digest = json.pointer_mut(digest).unwrap();
        assert_eq!(digest.as_str().unwrap().len(), 64);
        *digest = "[64 hex digits]".into();
    }
    *json.pointer_mut("/file/bytes").unwrap() = "[bytes]".into();
    insta::assert_snapshot!("check_json", serde_json::to_string_pretty(&json).unwrap());
}

#[test]
fn findings_are_csv_for_a_spreadsheet() {
    let demo = Demo::new();
    let file = demo.workbook("visits.xlsx", WITH_FAULTS);
    insta::assert_snapshot!(
        "check_csv",
        stdout(&demo.check(&file, &["--format", "csv"]))
    );
}

/// The rows of a sheet, its cells as text.
fn rows(file: &str, sheet_name: &str) -> Vec<Vec<String>> {
    let bytes = std::fs::read(file).unwrap();
    let workbook = sheet::read(&bytes, "a.xlsx", &sheet::Limits::default()).unwrap();
    let sheet = workbook
        .sheets
        .iter()
        .find(|sheet| sheet.name == sheet_name);
    let mut rows: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for cell in &sheet.unwrap().cells {
        rows.entry(cell.row_idx)
            .or_default()
            .push(match &cell.value {
                sheet::Value::Text(text) => text.clone(),
                sheet::Value::Number(number) => number.to_string(),
                other => format!("{other:?}"),
            });
    }
    rows.into_values().collect()
}

#[test]
fn findings_are_a_workbook_too() {
    let demo = Demo::new();
    let file = demo.workbook("visits.xlsx", WITH_FAULTS);
    let out = demo.dir.path().join("findings.xlsx").display().to_string();
    let output = demo.check(&file, &["--format", "xlsx", "--out", &out]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let listed = rows(&out, "Findings").len() - 1;
    let lines = stdout(&demo.check(&file, &["--format", "csv"]))
        .lines()
        .count()
        - 1;
    assert_eq!(listed, lines);
    let counted: usize = rows(&out, "Overview")
        .iter()
        .skip_while(|row| row[0] != "What to do")
        .skip(1)
        .map(|row| row[1].parse::<usize>().unwrap())
        .sum();
    assert_eq!(counted, listed);
    assert_eq!(
        demo.check(&file, &["--format", "xlsx"]).status.code(),
        Some(2)
    );
}

/// Rule, cell and key of each finding.
fn found(output: &Output) -> Vec<String> {
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = document["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|finding| format!("{} {} {}", finding["rule"], finding["cell"], finding["key"]))
        .collect()
}

#[test]
fn a_workbook_that_comes_back_marked_is_checked_as_before() {
    let demo = Demo::new();
    let file = demo.workbook("visits.xlsx", WITH_FAULTS);
    let out = demo.dir.path().join("marked.xlsx").display().to_string();
    let first = demo.check(&file, &["--format", "json", "--marked", &out]);
    assert_eq!(first.status.code(), Some(1), "{first:?}");
    let listed = rows(&out, sheet::FINDINGS_SHEET);
    let headings = listed
        .iter()
        .position(|row| row[0] == "What to do")
        .unwrap();
    assert_eq!(
        listed.len() - headings - 1,
        found(&first).len(),
        "{listed:?}"
    );
    let second = demo.check(&out, &["--format", "json"]);
    assert_eq!(second.status.code(), Some(1), "{second:?}");
    let (notes, others): (Vec<_>, Vec<_>) = found(&second)
        .into_iter()
        .partition(|finding| finding.contains("file.findings-sheet"));
    assert_eq!(notes.len(), 1);
    assert_eq!(others, found(&first));
}

#[test]
fn a_file_that_can_not_be_marked_gives_a_workbook_of_findings_instead() {
    let demo = Demo::new();
    let file = demo.file(
        "visits.csv",
        b"REF,DAY,PURPOSE,MINUTES\nv1,20/04/2026,09,30\n",
    );
    let out = demo.dir.path().join("marked.xlsx").display().to_string();
    let output = demo.check(&file, &["--marked", &out]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("only an Excel workbook (.xlsx)"), "{said}");
    assert_eq!(rows(&out, "Findings").len(), 2);
}

#[test]
fn a_finding_keeps_its_key_when_its_row_moves_and_others_are_mended() {
    let demo = Demo::new();
    let keys = |drawing: &str| {
        let file = demo.workbook("visits.xlsx", drawing);
        let output = demo.check(&file, &["--format", "json"]);
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = json["findings"].as_array().unwrap();
        let key = |finding: &serde_json::Value| {
            let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
            (text("key"), format!("{} {}", text("rule"), text("cell")))
        };
        findings.iter().map(key).collect::<BTreeMap<_, _>>()
    };
    let before = keys(
        "[visits]
        | REF | DAY | PURPOSE | MINUTES |
        | 'v1 | 2026-04-20 | '09 | 30 |
        | 'v2 | 2026-06-21 | '09 | 45 |
        | | 2026-04-20 | '09 | 45 |",
    );
    let after = keys(
        "[visits]
        | MINUTES | REF | DAY | PURPOSE |
        | 10 | 'v0 | 2026-04-20 | '08 |
        | 45 | 'v2 | 2026-06-21 | '09 |
        | 30 | 'v1 | 2026-04-20 | '01 |",
    );
    let both: Vec<_> = before
        .iter()
        .filter_map(|(key, was)| Some(format!("{was} -> {}", after.get(key)?)))
        .collect();
    assert_eq!(before.len(), 5, "{before:?}");
    assert_eq!(after.len(), 3, "{after:?}");
    insta::assert_snapshot!(both.join("\n"), @r"
    visit.in-the-future visits!B3 -> visit.in-the-future visits!C3
    visit.purpose-not-in-list visits!C3 -> visit.purpose-not-in-list visits!D3
    ");
}

#[test]
fn queries_alone_exit_with_0() {
    let demo = Demo::new();
    let before = demo.workbook("before.xlsx", CLEAN);
    let now = demo.workbook("now.xlsx", &CLEAN.replace("| 45 |", "| 300 |"));
    let output = demo.check(&now, &["--previous", &before]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        stdout(&output).starts_with("now.xlsx: needs explanation: 1 to explain."),
        "{}",
        stdout(&output)
    );
}

#[test]
fn a_file_that_would_abort_its_reader_is_refused_in_words() {
    let demo = Demo::new();
    // A compound file whose sector tables claim to be there and are not.
    let mut broken = vec![0_u8; 1536];
    broken[..8].copy_from_slice(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
    broken[24..32].copy_from_slice(&[0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0]);
    broken[32] = 6;
    broken[44..48].copy_from_slice(&u32::MAX.to_le_bytes());
    broken[48..52].copy_from_slice(&1_u32.to_le_bytes());
    for (name, bytes) in [
        ("broken.xls", broken.as_slice()),
        ("empty.xlsx", b""),
        (
            "page.xls",
            b"<html><table><tr><td>1</td></tr></table></html>",
        ),
        ("cut.xlsx", b"PK\x03\x04 and no more"),
    ] {
        let output = demo.check(&demo.file(name, bytes), &[]);
        assert_eq!(output.status.code(), Some(1), "{name}: {output:?}");
        let said = stdout(&output);
        assert!(
            said.contains("could not be used: 1 to fix before the file can be used"),
            "{name}: {said}"
        );
    }
}

#[test]
fn a_file_that_takes_too_much_is_ended_and_refused() {
    let demo = Demo::new();
    let mut table = b"REF,DAY,PURPOSE,MINUTES\n".to_vec();
    // Every other row has two faults, and each is put into words.
    for n in 0..500_000 {
        writeln!(table, "v{n},20/04/2026,01,30\nw{n},20/04/2026,99,many").unwrap();
    }
    let file = demo.file("visits.csv", &table);
    let spec = demo.spec();
    let output = Command::new(env!("CARGO_BIN_EXE_lgdp"))
        .args(["check", &file, "--spec", &spec])
        .env("LGDP_CHILD_CPU_SECONDS", "1")
        .env("LGDP_UPLOAD_MB", "200")
        .env("LGDP_MILLION_CELLS", "20")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        stdout(&output).contains("[file.could-not-be-read]"),
        "{output:?}"
    );
}

#[test]
fn usage_and_our_own_failures_exit_with_2() {
    let demo = Demo::new();
    let file = demo.workbook("visits.xlsx", CLEAN);
    let spec = demo.spec();
    for arguments in [
        vec!["check", &file],
        vec!["check", "/nowhere.xlsx", "--spec", &spec],
        vec!["check", &file, "--spec", "/nowhere"],
        vec!["check", &file, "--spec", &spec, "--period", "2026-Q9"],
    ] {
        let output = lgdp(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(
            output.stdout.is_empty() && !output.stderr.is_empty(),
            "{arguments:?}"
        );
    }
}

#[test]
fn a_csv_file_is_checked_like_a_workbook() {
    let demo = Demo::new();
    let mut bytes = Vec::new();
    writeln!(bytes, "REF;DAY;PURPOSE;MINUTES").unwrap();
    writeln!(bytes, "v1;20/04/2026;01;30").unwrap();
    writeln!(bytes, "v2;21/04/2026;03;45").unwrap();
    let output = demo.check(&demo.file("visits.csv", &bytes), &[]);
    let said = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("visits!C3 [visit.purpose-not-in-list]"),
        "{said}"
    );
}

/// Every return version's own examples, each by existing.
#[test]
fn every_specs_examples_say_what_they_said() {
    let mut versions = Vec::new();
    for of_return in std::fs::read_dir(root().join("return-specs")).unwrap() {
        let of_return = of_return.unwrap().path();
        if !of_return.is_dir()
            || of_return.ends_with("code-lists")
            || of_return.ends_with("reference-values")
        {
            continue;
        }
        for version in std::fs::read_dir(of_return).unwrap() {
            versions.push(version.unwrap().path().display().to_string());
        }
    }
    assert!(versions.len() >= 5, "{versions:?}");
    versions.sort();
    let mut arguments = vec!["spec", "check"];
    arguments.extend(versions.iter().map(String::as_str));
    let output = lgdp(&arguments);
    assert!(output.status.success(), "{}", stdout(&output));
}

#[test]
fn a_bad_spec_is_told_by_file_place_and_reason() {
    let demo = Demo::new();
    let rules = demo.dir.path().join("visits/1/rules.toml");
    let text = std::fs::read_to_string(&rules).unwrap();
    std::fs::write(
        &rules,
        text.replace("items = [\"MINUTES\"]", "items = [\"HOURS\"]"),
    )
    .unwrap();
    let output = lgdp(&["spec", "check", &demo.spec()]);
    assert_eq!(output.status.code(), Some(1));
    let said = stdout(&output);
    assert!(
        said.contains("rules.toml") && said.contains("HOURS"),
        "{said}"
    );
}

const SITES: &str = "
[NB1]
| Local authority | Quarter | HSU reference | Site name | Council site reference | Location | Postcode | Developer | Total dwellings | Not started | Under construction | Completed to date | Completed this quarter | Site complete |
| '230 | 2026-27-Q1 | HSU100201 | Demo Road | DEMO/25/001 | Edinburgh | EH1 1AA | Example Builders | 24 | 0 | 12 | 12 | 4 | N |
| '230 | 2026-27-Q1 |  | Trial Terrace | DEMO/26/005 | Edinburgh |  |  | 8 | 8 | 0 | 0 | 0 | N |
";

#[test]
fn a_template_begins_with_the_rows_of_the_last_file_and_is_checked_as_its_own_form() {
    let demo = Demo::new();
    let last = demo.workbook("last.xlsx", SITES);
    let out = demo.dir.path().join("nb1.xlsx").display().to_string();
    let spec = "return-specs/nb1/2026";
    let whose = ["--organisation", "S12000036", "--period", "2026-27-Q2"];
    let template = |more: &[&str]| {
        let command = ["spec", "template", spec, "-o", &out];
        lgdp(&[&command[..], &whose[..], more].concat())
    };
    let check = || {
        let command = ["check", &out, "--spec", spec, "--received", "2026-10-20"];
        stdout(&lgdp(&[&command[..], &whose[..]].concat()))
    };
    let made = template(&["--from", &last]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    insta::assert_snapshot!("template_filled", check());
    let made = template(&[]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    insta::assert_snapshot!("template_blank", check());

    // Another return's form is known for what it is.
    let spec = "return-specs/jsw/2026";
    let checked = lgdp(&["check", &out, "--spec", spec]);
    assert_eq!(checked.status.code(), Some(1), "{checked:?}");
    insta::assert_snapshot!("template_of_another_return", stdout(&checked));

    let unusable = demo.file("last.pdf", b"%PDF-1.7");
    let made = template(&["--from", &unusable]);
    assert_eq!(made.status.code(), Some(2), "{made:?}");

    // What has something to fix is no row to begin with, and that is said.
    let broken = demo.workbook("broken.xlsx", &SITES.replace("| 24 | 0 |", "| many | 0 |"));
    let made = template(&["--from", &broken]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(
        said.ends_with("broken.xlsx: rows that have something to fix are left out: 1\n"),
        "{said}"
    );
}

#[test]
fn a_form_of_fixed_cells_begins_with_the_figures_of_the_last_file() {
    let demo = Demo::new();
    let dir = "return-specs/ctaxbase/2026";
    let examples = spec::load_examples(&root().join(dir)).unwrap();
    let mut examples = examples.into_iter();
    let valid = examples.find(|example| example.name == "valid").unwrap();
    let spec::ExampleWorkbook::Drawn(grid) = valid.workbook else {
        panic!("it is drawn");
    };
    let last = demo.file("last.xlsx", &report::workbook::write_xlsx(&grid).unwrap());
    let out = demo.dir.path().join("form.xlsx").display().to_string();
    let (organisation, period) = (valid.organisation, valid.period);
    let whose = ["--organisation", &organisation, "--period", &period];
    // Of an earlier period, as far as anybody said, and of its own.
    for more in [&[][..], &["--from-period", &period]] {
        let command = ["spec", "template", dir, "-o", &out, "--from", &last];
        let made = lgdp(&[&command[..], &whose[..], more].concat());
        assert_eq!(made.status.code(), Some(0), "{made:?}");
        let command = ["check", &out, "--spec", dir, "--received", "2026-09-16"];
        let checked = lgdp(&[&command[..], &whose[..]].concat());
        assert_eq!(checked.status.code(), Some(0), "{checked:?}");
        assert!(stdout(&checked).starts_with("form.xlsx: ready.\n"));
    }
    let made = lgdp(&[
        "spec",
        "template",
        dir,
        "-o",
        &out,
        "--from-period",
        &period,
    ]);
    assert_eq!(made.status.code(), Some(2), "{made:?}");
}

/// A copy of a published version that says it is another one.
fn copied(root: &Path, version: &str, edits: &[(&str, &str, &str)]) -> String {
    let from = self::root().join("return-specs");
    let to = root.join("hl1").join(version);
    copy_dir(&from.join("hl1/1.4"), &to);
    copy_dir(&from.join("code-lists"), &root.join("code-lists"));
    std::fs::copy(
        from.join("organisations.csv"),
        root.join("organisations.csv"),
    )
    .unwrap();
    let this_version = format!("version = \"{version}\"");
    let this_version = ("return.toml", "version = \"1.4\"", this_version.as_str());
    for (file, old, new) in [&[this_version][..], edits].concat() {
        let text = std::fs::read_to_string(to.join(file)).unwrap();
        assert!(text.contains(old), "{file} has no {old}");
        std::fs::write(to.join(file), text.replacen(old, new, 1)).unwrap();
    }
    to.display().to_string()
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_dir(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn what_changed_between_two_versions_is_told_and_in_the_exit_status() {
    let dir = tempfile::tempdir().unwrap();
    let schema = "tables/case.schema.json";
    let newer = copied(
        dir.path(),
        "1.5",
        &[
            (
                "return.toml",
                "own_columns = \"own_\"",
                "own_columns = \"la_\"",
            ),
            (
                "return.toml",
                "A file of cases uploaded",
                "Cases uploaded one by one",
            ),
            (
                "tables/case.toml",
                "\"HL1\", \"Applications\"",
                "\"HL1 cases\", \"HL1\"",
            ),
            (schema, "\"Date of application\"", "\"Day of application\""),
            (
                "codes/gender.csv",
                "\n9,",
                "\n3,A new one,2026-04-01,,hl1-application-stage,inferred\n9,",
            ),
            ("rules.toml", "severity = \"query\"", "severity = \"error\""),
            ("rules.toml", "2001-01-01", "2002-01-01"),
        ],
    );
    let older = copied(dir.path(), "1.4", &[]);
    let differs = lgdp(&["spec", "diff", &older, &newer]);
    assert_eq!(differs.status.code(), Some(1), "{differs:?}");
    insta::assert_snapshot!("spec_diff", stdout(&differs));
    let json = lgdp(&["spec", "diff", &older, &newer, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["before"]["version"], "1.4");
    assert_eq!(json["changes"][0]["subject"], "return");

    let same = lgdp(&["spec", "diff", &older, &older]);
    assert_eq!(same.status.code(), Some(0), "{same:?}");
    assert_eq!(stdout(&same), "hl1 1.4 → hl1 1.4: no differences\n");
    let missing = lgdp(&["spec", "diff", &older, "return-specs/nowhere/1"]);
    assert_eq!(missing.status.code(), Some(2), "{missing:?}");
}
