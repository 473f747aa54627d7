//! One good folder, and one fault at a time with the exact words it is told in.

use std::path::Path;

use super::sample::Sample;
use super::*;
use crate::layout::Layout;
use crate::{Against, ItemKind, RuleKind};

#[test]
fn a_good_folder_loads_with_everything_resolved() {
    let sample = Sample::new();
    let spec = load(&sample.dir()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((spec.id.as_str(), spec.version.as_str()), ("demo", "1.0"));
    assert_eq!(spec.facts["duty"].value, "Voluntary.");

    let case = spec.table("case").unwrap();
    let names: Vec<&str> = case.items.iter().map(|item| item.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "AREA", "REF", "OPENED", "REASON", "ADULTS", "COST", "REPEAT"
        ]
    );
    assert_eq!(
        case.item("COST").unwrap().kind,
        ItemKind::Decimal { scale: 2 }
    );
    assert_eq!(
        case.item("AREA").unwrap().headings,
        ["Local authority code"]
    );
    assert!(case.item("REF").unwrap().required);
    assert!(!case.item("COST").unwrap().required);
    let codes = case.item("REASON").unwrap().codes.as_ref().unwrap();
    assert_eq!(codes.as_at.as_deref(), Some("OPENED"));
    assert_eq!(codes.list.codes.len(), 3);
    assert_eq!(case.conditions[0].reads, ["REASON", "COST"]);

    let form = spec.table("form").unwrap();
    assert_eq!(form.keys, ["line"]);
    let Layout::Matrix(matrix) = &form.layout else {
        panic!("{:?}", form.layout);
    };
    assert_eq!(matrix.lines[1].row_idx, 9);
    assert_eq!(matrix.columns[2].column_idx, 4);
    assert_eq!(matrix.code_column_idx, Some(0));

    let kinds: Vec<&RuleKind> = spec.rules.iter().map(|rule| &rule.kind).collect();
    assert!(
        matches!(kinds[1], RuleKind::Query { reads, .. } if *reads == ["case", "previous_case"])
    );
    assert!(matches!(
        kinds[6],
        RuleKind::Change(change) if change.against == Against::YearAgo
    ));
    assert_eq!(spec.rules[4].items, ["total"]);
}

#[test]
fn an_item_of_a_form_is_filled_in_always_only_if_every_line_and_body_has_it() {
    let is_filled = |edits: &[(&str, &str)]| {
        let sample = Sample::new();
        for (from, to) in edits {
            sample.edit("tables/form.toml", from, to);
        }
        let spec = load(&sample.dir()).unwrap();
        let form = spec.table("form").unwrap();
        form.is_always_filled(form.item("full_time").unwrap())
    };
    assert!(is_filled(&[]));
    let not_applicable = r#"not_applicable = ["part_time"]"#;
    assert!(!is_filled(&[(
        not_applicable,
        r#"not_applicable = ["full_time"]"#
    )]));
    assert!(!is_filled(&[(
        "column = \"C\"",
        "column = \"C\"\nonly_for = [\"board\"]"
    )]));
    assert!(!is_filled(&[(not_applicable, r#"only_for = ["S2"]"#)]));
}

#[test]
fn the_hash_is_of_everything_but_the_examples() {
    let sample = Sample::new();
    let hash = || load(&sample.dir()).unwrap().hash;
    let first = hash();
    assert_eq!(first.len(), 64);
    sample.edit(
        "examples/valid.example",
        "All is well",
        "Everything is well",
    );
    assert_eq!(hash(), first);
    sample.edit("CHANGES.md", "1.0", "1.0, again");
    let second = hash();
    assert_ne!(second, first);
    sample.edit("../../code-lists/area/1.csv", "Here", "There");
    assert_ne!(hash(), second);
}

#[test]
fn all_versions_load_in_order_or_tell_all_their_faults() {
    let sample = Sample::new();
    let copy = |version: &str| {
        let to = sample.root().join("demo").join(version);
        copy_dir(&sample.dir(), &to);
        let text = std::fs::read_to_string(to.join("return.toml")).unwrap();
        let text = text.replace("version = \"1.0\"", &format!("version = \"{version}\""));
        std::fs::write(to.join("return.toml"), text).unwrap();
    };
    copy("1.10");
    copy("1.9");
    let specs = load_all(&sample.root()).unwrap();
    let versions: Vec<&str> = specs.iter().map(|spec| spec.version.as_str()).collect();
    assert_eq!(versions, ["1.0", "1.9", "1.10"]);

    std::fs::remove_file(sample.root().join("demo/1.9/CHANGES.md")).unwrap();
    std::fs::remove_file(sample.root().join("demo/1.10/CHANGES.md")).unwrap();
    assert_eq!(
        load_all(&sample.root()).unwrap_err().to_string(),
        "demo/1.10/CHANGES.md: is missing\ndemo/1.9/CHANGES.md: is missing"
    );
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap().path();
        let target = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            copy_dir(&entry, &target);
        } else {
            std::fs::copy(&entry, &target).unwrap();
        }
    }
}

#[test]
fn every_version_of_return_specs_loads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../return-specs");
    match load_all(&root) {
        Ok(specs) => {
            let loaded: Vec<String> = specs
                .iter()
                .map(|spec| format!("{}/{}", spec.id, spec.version))
                .collect();
            let dirs: Vec<String> = version_dirs(&root)
                .unwrap()
                .iter()
                .map(|dir| dir.strip_prefix(&root).unwrap().display().to_string())
                .collect();
            assert!(!dirs.is_empty());
            assert_eq!(loaded, dirs);
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn every_example_of_return_specs_is_drawn() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../return-specs");
    for dir in version_dirs(&root).unwrap() {
        match crate::example::load_examples(&dir) {
            Ok(examples) => assert!(examples.len() >= 12, "{}", dir.display()),
            Err(error) => panic!("{}\n{error}", dir.display()),
        }
    }
}

#[test]
fn files_that_are_missing_or_belong_to_nothing_are_told() {
    let sample = Sample::new();
    for file in ["CHANGES.md", "rules.toml", "tables/site.toml"] {
        sample.remove(file);
    }
    for file in ["notes.txt", "tables/sight.toml", "codes/reasons.csv"] {
        sample.write(file, "");
    }
    assert_eq!(
        load(&sample.dir()).unwrap_err().to_string(),
        "tables/site.toml: is missing\n\
         rules.toml: is missing\n\
         CHANGES.md: is missing\n\
         codes/reasons.csv: no item uses this code list\n\
         notes.txt: is not a file of this format\n\
         tables/sight.toml: belongs to no table that return.toml lists"
    );
    let nowhere = load(&sample.root().join("nowhere")).unwrap_err();
    assert_eq!(nowhere.faults[0].file, Path::new("."));
}

#[test]
fn the_faults_of_all_files_are_told_in_one_pass() {
    let sample = Sample::new();
    sample.edit("return.toml", "acronym = \"DEMO\"\n", "");
    sample.edit(
        "tables/case.toml",
        "search_rows = 20",
        "search_rows = \"all\"",
    );
    sample.edit("tables/form.toml", "row = 10", "row = 9");
    sample.edit("tables/site.schema.json", "\"title\": \"Units\",", "");
    sample.edit("codes/reason.csv", "2,Second", "2,");
    sample.edit("rules.toml", "{REASON}", "{WHY}");
    sample.edit("rules.toml", "UNITS > 1", "UNIT > 1");
    assert_eq!(
        load(&sample.dir()).unwrap_err().to_string(),
        "return.toml, line 3, column 2: \"acronym\" is missing\n\
         codes/reason.csv, line 4: label is blank\n\
         tables/case.toml, line 14, column 1: \"all\" is not a whole number\n\
         tables/form.toml, line 30, column 1: row 9 is the line \"1\" already\n\
         tables/site.schema.json, /properties/UNITS: \"title\" is missing\n\
         rules.toml, line 21, column 1: {WHY} is nothing that this rule knows\n\
         rules.toml, line 102, column 1: site has no item \"UNIT\""
    );
}

/// A file, a text in it, what stands there instead, and every fault that then is told.
type Mutation = (&'static str, &'static str, &'static str, &'static str);

fn told(mutations: &[Mutation]) {
    let mut wrong = Vec::new();
    for (file, from, to, expected) in mutations {
        let sample = Sample::new();
        sample.edit(file, from, to);
        let told = load(&sample.dir()).map_or_else(|error| error.to_string(), |_| String::new());
        if told != *expected {
            wrong.push(format!(
                "{file}: {from:?} → {to:?}\n  expected: {expected}\n  told:     {told}"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

mod collections;
mod lineage;
mod links;
mod records;
mod returns;
mod rule_kinds;
mod rules;
mod tables;
mod values;
