//! What a version says of the one before it, single faults with their exact words, and what follows from it.

use std::path::Path;

use super::super::sample::Sample;
use super::super::{load, load_all};
use super::copy_dir;
use crate::diff::diff;
use crate::{Ancestry, LoadError, Relation, ReturnSpec};

/// A version after the sample's, edited, with what it says of the one before.
fn next(edits: &[(&str, &str, &str)], lineage: &str) -> (Sample, Result<ReturnSpec, LoadError>) {
    let sample = Sample::new();
    let dir = sample.root().join("demo/2.0");
    copy_dir(&sample.dir(), &dir);
    let about = [
        ("return.toml", "version = \"1.0\"", "version = \"2.0\""),
        (
            "return.toml",
            "valid_from = 2026-04-01\nvalid_to = 2027-03-31",
            "valid_from = 2027-04-01",
        ),
    ];
    for (file, from, to) in about.iter().chain(edits) {
        let path = dir.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from:?}");
        std::fs::write(path, text.replace(from, to)).unwrap();
    }
    std::fs::write(dir.join("lineage.toml"), lineage).unwrap();
    let loaded = load(Path::new(&dir));
    (sample, loaded)
}

/// `SITE` is called `PLACE`, `UNITS` became two, and the lines of the form have other codes.
const EDITS: &[(&str, &str, &str)] = &[
    ("tables/site.schema.json", "\"SITE\":", "\"PLACE\":"),
    ("tables/site.toml", "\"SITE\"", "\"PLACE\""),
    ("rules.toml", "[\"SITE\"]", "[\"PLACE\"]"),
    ("rules.toml", "{SITE}", "{PLACE}"),
    (
        "tables/site.schema.json",
        "\"UNITS\": { \"title\": \"Units\", \"description\": \"How many.\", \"type\": \"integer\", \"enum\": [1, 2, 3],",
        "\"FLATS\": { \"title\": \"Flats\", \"description\": \"How many.\", \"type\": \"integer\",\n\"x-source\": \"guide\", \"x-confidence\": \"published\" },\n\"HOUSES\": { \"title\": \"Houses\", \"description\": \"How many.\", \"type\": \"integer\",",
    ),
    ("rules.toml", "UNITS > 1", "FLATS > 1"),
    ("tables/case.schema.json", "\"£\"", "\"£000\""),
];

const SAID: &str = r#"version = "1.0"

[[item]]
table = "site"
was = ["SITE"]
now = ["PLACE"]
source = "guide"
confidence = "published"

[[item]]
table = "site"
was = ["UNITS"]
now = ["FLATS", "HOUSES"]
note = "Counted together until 2027."
source = "guide"
confidence = "inferred"

[[item]]
table = "case"
was = ["COST"]
now = ["COST"]
breaks = true
note = "In thousands since 2027."
source = "guide"
confidence = "published"

[[item]]
table = "case"
was = ["REASON"]
now = ["REASON"]
codes = { "2" = "1" }
source = "guide"
confidence = "published"
"#;

#[test]
fn items_go_on_as_it_is_said_and_by_name_where_nothing_is() {
    let (sample, loaded) = next(EDITS, SAID);
    let newest = loaded.unwrap_or_else(|error| panic!("{error}"));
    let versions = [load(&sample.dir()).unwrap(), newest];
    let [older, newest] = &versions;
    let relations: Vec<Relation> = newest
        .lineage
        .as_ref()
        .unwrap()
        .items
        .iter()
        .map(crate::ItemLineage::relation)
        .collect();
    assert_eq!(
        relations,
        [
            Relation::Same,
            Relation::Split,
            Relation::Break,
            Relation::Same
        ]
    );
    let ancestry = Ancestry::of(&versions, newest);
    let before = |table: &str, item: &str| {
        let table = newest.table(table).unwrap();
        let before = ancestry.before((newest, table, table.item(item).unwrap()), older)?;
        Some((before.item.name.clone(), before.codes))
    };
    let none = std::collections::BTreeMap::new;
    assert_eq!(before("site", "PLACE"), Some(("SITE".to_owned(), none())));
    assert_eq!(before("site", "FLATS"), None);
    assert_eq!(before("case", "COST"), None);
    assert_eq!(
        before("case", "ADULTS"),
        Some(("ADULTS".to_owned(), none()))
    );
    let codes = [("2".to_owned(), "1".to_owned())].into();
    assert_eq!(before("case", "REASON"), Some(("REASON".to_owned(), codes)));
    // Backwards there is nothing.
    let site = older.table("site").unwrap();
    let of_older = (older, site, site.item("SITE").unwrap());
    assert!(ancestry.before(of_older, newest).is_none());

    let told: Vec<String> = diff(older, newest)
        .iter()
        .map(|change| serde_json::to_string(change).unwrap())
        .filter(|told| {
            told.contains("lineage") || told.contains("split") || told.contains("breaks")
        })
        .collect();
    assert_eq!(
        told,
        [
            r#"{"subject":"item","table":"case","name":"COST","what":"changed","property":"the series breaks","before":"COST","after":"COST: In thousands since 2027."}"#,
            r#"{"subject":"item","table":"site","name":"PLACE","what":"renamed","before":"SITE","why":"as lineage.toml says"}"#,
            r#"{"subject":"item","table":"site","name":"FLATS","what":"changed","property":"split","before":"UNITS","after":"FLATS, HOUSES: Counted together until 2027."}"#,
            r#"{"subject":"code","table":"reason","name":"1","what":"renamed","before":"2","why":"as lineage.toml says"}"#,
        ]
    );
}

#[test]
fn a_version_that_says_nothing_goes_on_by_name_unless_another_thing_is_meant() {
    let (sample, loaded) = next(&[EDITS[6]], "version = \"1.0\"\n");
    assert_eq!(
        loaded.unwrap_err().to_string(),
        "lineage.toml: case.COST has another type or unit than case.COST of version 1.0: say that the series \"breaks\""
    );
    let dir = sample.root().join("demo/2.0");
    std::fs::remove_file(dir.join("lineage.toml")).unwrap();
    let versions = [load(&sample.dir()).unwrap(), load(&dir).unwrap()];
    let [older, newest] = &versions;
    let ancestry = Ancestry::of(&versions, newest);
    let case = newest.table("case").unwrap();
    let before = |item| ancestry.before((newest, case, case.item(item).unwrap()), older);
    assert!(before("COST").is_none());
    assert!(before("REF").is_some());
}

#[test]
fn single_faults_are_told_exactly() {
    let said = |from: &str, to: &str| {
        assert!(SAID.contains(from), "{from}");
        next(EDITS, &SAID.replacen(from, to, 1))
            .1
            .map_or_else(|error| error.to_string(), |_| String::new())
    };
    let item = |name: &str| format!("[\"{name}\"]");
    for (from, to, expected) in [
        (
            "version = \"1.0\"",
            "version = \"0.9\"",
            "lineage.toml, line 1, column 1: version 0.9 can't be used: .: can't be opened: No such file or directory (os error 2)",
        ),
        (
            "version = \"1.0\"",
            "version = \"2.0\"",
            "lineage.toml, line 1, column 1: is not before this one: it serves from the same day or later",
        ),
        (
            &item("SITE"),
            &item("SIGHT"),
            "lineage.toml, line 5, column 8: site has no item \"SIGHT\"\nlineage.toml: what became of site.SITE of version 1.0 is not said",
        ),
        (
            &item("PLACE"),
            &item("CASEREF"),
            "lineage.toml: what became of site.CASEREF of version 1.0 is not said",
        ),
        (
            "note = \"Counted together until 2027.\"\n",
            "",
            "lineage.toml, line 10, column 1: \"note\" is missing: who reads a series has to know what changed",
        ),
        (
            "breaks = true\n",
            "",
            "lineage.toml, line 18, column 1: says nothing: the name is the same",
        ),
        (
            "\"2\" = \"1\"",
            "\"9\" = \"1\"",
            "lineage.toml, line 31, column 11: \"9\" was no code of case.REASON",
        ),
        (
            "\"2\" = \"1\"",
            "\"2\" = \"9\"",
            "lineage.toml, line 31, column 11: \"9\" is no code of case.REASON",
        ),
        (
            "was = [\"UNITS\"]",
            "was = [\"UNITS\", \"CASEREF\"]",
            "lineage.toml, line 10, column 1: several became several: say it of each by itself",
        ),
        (
            "source = \"guide\"",
            "source = \"nowhere\"",
            "lineage.toml, line 7, column 1: return.toml has no source \"nowhere\"",
        ),
        (
            "[[item]]\ntable = \"site\"\nwas = [\"UNITS\"]",
            "[[item]]\ntable = \"sight\"\nwas = [\"UNITS\"]",
            "lineage.toml: what became of site.UNITS of version 1.0 is not said\nlineage.toml, line 11, column 1: this version has no table \"sight\"",
        ),
    ] {
        assert_eq!(said(from, to), expected, "{to}");
    }
}

#[test]
fn tables_have_a_lineage_too_and_keys_of_records_that_accumulate_keep_their_codes() {
    let edits: &[(&str, &str, &str)] = &[
        (
            "return.toml",
            "[\"case\", \"form\", \"site\"]",
            "[\"case\", \"form\", \"place\"]",
        ),
        ("rules.toml", "table = \"site\"", "table = \"place\""),
        ("rules.toml", "\"site.", "\"place."),
    ];
    let renamed = |lineage: &str| {
        let (sample, _) = next(edits, lineage);
        let dir = sample.root().join("demo/2.0/tables");
        for ending in ["toml", "schema.json"] {
            let named = |name: &str| dir.join(format!("{name}.{ending}"));
            std::fs::rename(named("site"), named("place")).unwrap();
        }
        load(&sample.root().join("demo/2.0"))
            .map_or_else(|error| error.to_string(), |_| String::new())
    };
    let said = "version = \"1.0\"\n[[table]]\nwas = \"site\"\nnow = \"place\"\nsource = \"guide\"\nconfidence = \"published\"\n";
    assert_eq!(renamed(said), "");
    assert_eq!(
        renamed("version = \"1.0\"\n"),
        "lineage.toml: what became of the table \"site\" of version 1.0 is not said"
    );
    let gone = said.replace("now = \"place\"\n", "");
    assert_eq!(
        renamed(&gone),
        "lineage.toml, line 2, column 1: \"note\" is missing: it is not asked for any more, and why?"
    );
    let key = "version = \"1.0\"\n[[item]]\ntable = \"form\"\nwas = [\"line\"]\nnow = [\"line\"]\ncodes = { \"1\" = \"2\" }\nsource = \"guide\"\nconfidence = \"published\"\n";
    assert_eq!(
        next(&[], key).1.unwrap_err().to_string(),
        "lineage.toml, line 6, column 1: records of this return are known by it over the periods, so its codes stay"
    );
}

#[test]
fn records_that_accumulate_keep_their_keys() {
    let said = |edits: &[(&str, &str, &str)]| {
        let (sample, loaded) = next(edits, "version = \"1.0\"\n");
        loaded.unwrap_or_else(|error| panic!("{error}"));
        load_all(&sample.root()).map_or_else(|error| error.to_string(), |_| String::new())
    };
    assert_eq!(said(&[]), "");
    assert_eq!(
        said(&[(
            "tables/case.toml",
            "keys = [\"AREA\", \"REF\"]",
            "keys = [\"REF\", \"AREA\"]"
        )]),
        ""
    );
    assert_eq!(
        said(&[(
            "tables/case.toml",
            "keys = [\"AREA\", \"REF\"]",
            "keys = [\"REF\"]"
        )]),
        "demo/2.0/return.toml: records of case are known by REF over the periods, and by AREA, REF in version 1.0: the keys stay the same items of the same type"
    );
}
