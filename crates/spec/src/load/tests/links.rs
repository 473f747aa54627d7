//! Other returns that a return is compared with.

use std::fs;

use crate::load::sample::Sample;
use crate::{Link, OtherPeriod, load, load_all, load_examples};

const COMPARED: &str =
    "[[compared_with]]\nreturn = \"other\"\nversion = \"1.0\"\nperiod = \"same\"\n";

/// The sample beside a copy of itself called `other`, which it is compared with.
fn sample() -> Sample {
    let sample = Sample::new();
    let other = sample.root().join("other/1.0");
    copy(&sample.dir(), &other);
    let about = other.join("return.toml");
    let text = fs::read_to_string(&about).unwrap();
    fs::write(about, text.replace("id = \"demo\"", "id = \"other\"")).unwrap();
    sample.edit(
        "return.toml",
        "[sensitivity]",
        &format!("{COMPARED}\n[sensitivity]"),
    );
    sample.edit(
        "rules.toml",
        "LEFT JOIN previous_case AS before",
        "LEFT JOIN other_case AS before",
    );
    sample
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn told(sample: &Sample) -> String {
    load(&sample.dir()).map_or_else(|error| error.to_string(), |_| String::new())
}

#[test]
fn another_return_is_known_with_its_tables() {
    let sample = sample();
    let spec = load(&sample.dir()).unwrap_or_else(|error| panic!("{error}"));
    let other = spec.compared_with("other").unwrap();
    assert_eq!(
        (other.version.as_str(), other.acronym.as_str(), other.period),
        ("1.0", "DEMO", OtherPeriod::Same)
    );
    assert_eq!(other.tables, ["case", "form", "site"]);
    let theirs = load(&other.dir(&sample.dir())).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(other.hash, theirs.hash);
    let read: Vec<(&str, Vec<Link>)> = spec
        .rules
        .iter()
        .map(|rule| (rule.id.as_str(), spec.links_of(rule).into_iter().collect()))
        .filter(|(_, links): &(_, Vec<_>)| !links.is_empty())
        .collect();
    assert_eq!(
        read,
        [
            ("case.too-many", vec![Link::Return("other".to_owned())]),
            ("form.changed", vec![Link::YearAgo]),
            ("site.gone", vec![Link::Previous]),
        ]
    );
}

#[test]
fn two_returns_may_be_compared_with_each_other() {
    let sample = sample();
    let back = COMPARED.replace("other", "demo");
    let about = sample.root().join("other/1.0/return.toml");
    let text = fs::read_to_string(&about).unwrap();
    fs::write(
        about,
        text.replace("[sensitivity]", &format!("{back}\n[sensitivity]")),
    )
    .unwrap();
    let specs = load_all(&sample.root()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(specs.len(), 2);
}

#[test]
fn what_is_wrong_with_a_comparison_is_told_exactly() {
    for (file, from, to, expected) in [
        (
            "return.toml",
            "return = \"other\"",
            "return = \"another\"",
            "return.toml, line 29, column 1: version 1.0 of another can't be used: .: can't be opened: No such file or directory (os error 2)\nrules.toml, line 25, column 1: there is no table \"other_case\"",
        ),
        (
            "return.toml",
            "return = \"other\"",
            "return = \"demo\"",
            "return.toml, line 29, column 1: is this return itself; earlier periods need no declaration\nrules.toml, line 25, column 1: there is no table \"other_case\"",
        ),
        (
            "return.toml",
            "period = \"same\"",
            "period = \"next\"",
            "return.toml, line 31, column 1: \"next\" is not one of \"same\", \"before\"\nrules.toml, line 25, column 1: there is no table \"other_case\"",
        ),
        (
            "return.toml",
            COMPARED,
            &format!("{COMPARED}{COMPARED}"),
            "return.toml, line 33, column 1: \"other\" is there twice",
        ),
        (
            "../../other/1.0/return.toml",
            "kind = \"financial-quarter\"",
            "kind = \"financial-year\"",
            "return.toml, line 31, column 1: \"same\" needs the same kind of period, but other is about a financial year",
        ),
        (
            "../../other/1.0/tables/case.schema.json",
            "\"type\": \"object\",",
            "\"type\": \"list\",",
            "return.toml, line 29, column 1: version 1.0 of other can't be used: tables/case.schema.json, /type: has to be \"object\", not \"list\"\nrules.toml, line 25, column 1: there is no table \"other_case\"",
        ),
        (
            "rules.toml",
            "other_case",
            "other_cases",
            "rules.toml, line 25, column 1: there is no table \"other_cases\"",
        ),
    ] {
        let sample = sample();
        sample.edit(file, from, to);
        assert_eq!(told(&sample), expected, "{from:?} → {to:?}");
    }
}

#[test]
fn an_example_is_compared_with_another_returns_example() {
    let sample = sample();
    let header = |value: &str| {
        sample.write(
            "examples/linked.example",
            &format!("title: Linked\norganisation: S1\nperiod: 2026-27-Q1\nreceived: 2026-07-20\nfrom: valid\ncompared-with: {value}\n"),
        );
        load_examples(&sample.dir()).map_err(|error| error.to_string())
    };
    let examples = header("other = worse").unwrap();
    let linked = examples.iter().find(|one| one.name == "linked").unwrap();
    assert_eq!(linked.compared_with["other"], "worse");
    for (value, why) in [
        (
            "other",
            "write it as return = example, with a comma before the next return",
        ),
        (
            "other = valid, other = worse",
            "write it as return = example, with a comma before the next return",
        ),
        ("more = valid", "return.toml is not compared with \"more\""),
        ("other = better", "other has no example \"better\""),
    ] {
        let told = header(value).unwrap_err();
        assert_eq!(told, format!("examples/linked.example, line 6: {why}"));
    }
}
