//! Central figures that a return's rules read.

use std::fs;

use crate::load::sample::Sample;
use crate::{Link, Organisations, load, load_all, load_examples, load_reference_values};

const VALUES: &str = r#"[[reference_values]]
set = "ceilings"
title = "the ceilings"
table = "ceiling"
period = "next"
figures = ["COST", "ADULTS"]
decimals = 2

"#;

fn sample() -> Sample {
    let sample = Sample::new();
    sample.edit(
        "return.toml",
        "[sensitivity]",
        &format!("{VALUES}[sensitivity]"),
    );
    sample.edit(
        "rules.toml",
        "LEFT JOIN previous_case AS before ON before.REF = now.REF",
        "LEFT JOIN ceiling AS before ON before.name = now.REF",
    );
    sample.edit("rules.toml", "before.REF IS NULL", "before.value IS NULL");
    sample
}

#[test]
fn figures_are_a_table_that_rules_read() {
    let sample = sample();
    let spec = load(&sample.dir()).unwrap_or_else(|error| panic!("{error}"));
    let set = spec.reference_set("ceiling").unwrap();
    assert_eq!((set.set.as_str(), set.decimals), ("ceilings", 2));
    let rule = spec
        .rules
        .iter()
        .find(|rule| rule.id == "case.too-many")
        .unwrap();
    let links: Vec<Link> = spec.links_of(rule).into_iter().collect();
    assert_eq!(links, [Link::Values("ceiling".to_owned())]);
}

#[test]
fn what_is_wrong_with_the_need_of_figures_is_told_exactly() {
    for (from, to, why) in [
        (
            "table = \"ceiling\"",
            "table = \"previous_case\"",
            "return.toml, line 31, column 1: \"previous_case\" is an earlier case already\nrules.toml, line 25, column 1: there is no table \"ceiling\"",
        ),
        (
            "decimals = 2",
            "decimals = 10",
            "return.toml, line 34, column 1: 10 is above 9\nrules.toml, line 25, column 1: there is no table \"ceiling\"",
        ),
        (
            VALUES,
            &format!("{VALUES}{}", VALUES.replace("\"ceiling\"", "\"other\"")),
            "return.toml, line 37, column 1: the same figures of \"ceilings\" are there twice",
        ),
    ] {
        let sample = sample();
        sample.edit("return.toml", from, to);
        let told = load(&sample.dir()).unwrap_err().to_string();
        assert_eq!(told, why, "{from:?} → {to:?}");
    }
}

#[test]
fn the_files_of_figures_are_read_for_those_who_need_them() {
    let sample = sample();
    let root = sample.root();
    let specs = load_all(&root).unwrap_or_else(|error| panic!("{error}"));
    let organisations = Organisations::load(&root.join("organisations.csv")).unwrap();
    let read = || load_reference_values(&root, &specs, &organisations);
    assert!(read().unwrap().is_empty());
    let write = |file: &str, rows: &str| {
        let path = root.join("reference-values").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(
            path,
            format!("organisation,name,value,source,confidence\n{rows}"),
        )
        .unwrap();
    };
    write(
        "ceilings/2026-27-Q1.csv",
        "S1,COST,12.50,A circular,published\n",
    );
    let sets = read().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(sets.len(), 1);
    assert_eq!(
        (sets[0].set.as_str(), sets[0].period.as_str()),
        ("ceilings", "2026-27-Q1")
    );

    write(
        "ceilings/2026-27-Q1.csv",
        "S9,COST,1,x,published\nS1,PRICE,1,x,published\nS1,COST,1.005,x,published\nS1,ADULTS,1,x,demo\n",
    );
    write("ceilings/2026.csv", "S1,COST,1,x,published\n");
    write("floors/2026-27-Q1.csv", "S1,COST,1,x,published\n");
    let told = read().unwrap_err().to_string();
    assert_eq!(
        told,
        "reference-values/ceilings/2026-27-Q1.csv, line 2: organisations.csv has no organisation with the code \"S9\"\n\
         reference-values/ceilings/2026-27-Q1.csv, line 3: no return reads the figure \"PRICE\"\n\
         reference-values/ceilings/2026-27-Q1.csv, line 4: the value 1.005 has more places than the 2 that demo reads\n\
         reference-values/ceilings/2026-27-Q1.csv, line 5: is made up, and made-up values are for examples and the demo\n\
         reference-values/ceilings/2026.csv: is not called as a period of the returns that read it, with .csv after it\n\
         reference-values/floors/2026-27-Q1.csv: no return reads the set \"floors\""
    );
}

#[test]
fn an_example_has_its_figures_beside_it() {
    let sample = sample();
    let examples = |header: &str| {
        sample.write(
            "examples/figures.example",
            &format!("title: Figures\norganisation: S1\nperiod: 2026-27-Q1\nreceived: 2026-07-20\nfrom: valid\n{header}\n"),
        );
        load_examples(&sample.dir()).map_err(|error| error.to_string())
    };
    let head = "organisation,name,value,source,confidence\n";
    sample.write("examples/ceiling.csv", &format!("{head}S1,COST,1,x,demo\n"));
    let read = examples("values: ceiling = ceiling.csv").unwrap();
    let figures = read.iter().find(|one| one.name == "figures").unwrap();
    assert!(figures.values["ceiling"].ends_with("examples/ceiling.csv"));
    for (header, why) in [
        (
            "values: ceiling",
            "examples/ceiling.csv: no example names this file\nexamples/figures.example, line 6: write it as table = file, with a comma before the next table",
        ),
        (
            "values: floor = ceiling.csv",
            "examples/figures.example, line 6: return.toml has no reference values \"floor\"",
        ),
        (
            "values: ceiling = floor.csv",
            "examples/ceiling.csv: no example names this file\nexamples/figures.example, line 6: there is no \"floor.csv\" beside it",
        ),
    ] {
        assert_eq!(examples(header).unwrap_err(), why);
    }
    sample.write(
        "examples/ceiling.csv",
        &format!("{head}S1,COST,one,x,demo\n"),
    );
    let told = examples("values: ceiling = ceiling.csv").unwrap_err();
    assert!(
        told.starts_with("examples/ceiling.csv, line 2: the value \"one\""),
        "{told}"
    );
}

#[test]
fn an_example_may_stand_among_others() {
    let sample = Sample::new();
    let others = |value: &str| {
        sample.write(
            "examples/round.example",
            &format!("title: A round\norganisation: S1\nperiod: 2026-27-Q1\nreceived: 2026-07-20\nfrom: valid\nothers: {value}\n"),
        );
        let examples = load_examples(&sample.dir()).map_err(|error| error.to_string())?;
        let round = examples
            .into_iter()
            .find(|one| one.name == "round")
            .unwrap();
        Ok::<_, String>(round.others.into_iter().collect::<Vec<_>>())
    };
    let one = ("S2".to_owned(), "wrong".to_owned());
    assert_eq!(others("S2 = wrong"), Ok(vec![one.clone()]));
    assert_eq!(others("board = wrong"), Ok(vec![one]), "every board");
    for (value, why) in [
        (
            "S9 = wrong",
            "\"S9\" is no other organisation and no kind of them",
        ),
        (
            "S1 = wrong",
            "\"S1\" is no other organisation and no kind of them",
        ),
        ("S2 = rong", "there is no example \"rong\""),
        (
            "S2",
            "write it as organisation = example, with a comma before the next one",
        ),
    ] {
        let told = others(value).unwrap_err();
        assert_eq!(told, format!("examples/round.example, line 6: {why}"));
    }
}
