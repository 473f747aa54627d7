//! What changed between two releases that leave figures out: the published rows of the old one with every change made to
//! them are the published rows of the new one, so that it tells what the files tell and no more.

use std::collections::{BTreeMap, BTreeSet};

use db::records::{ChangeCounts, Counted};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use spec::disclosure::MARK;

use super::super::changes::{Line, changes_of_what_is_told};
use super::super::versions::{collected, lineage, of_years, sent, year};
use super::*;

const ITEMS: [&str; 5] = ["line", "men", "women", "total", "cost"];

/// Two versions of the staff: what is called men in the second was called otherwise in the first.
fn versions() -> Vec<ReturnSpec> {
    let version = |name: &str, men: &str, from: i32| {
        let mut spec = staff_with(men);
        name.clone_into(&mut spec.version);
        spec.hash = format!("hash of {name}");
        spec.period_kind = spec::PeriodKind::FinancialYear;
        spec.valid_from = year(from).start;
        spec
    };
    let (one, mut two) = (version("1", "gents", 20), version("2", "men", 22));
    let mut said = lineage("1", &[(&["gents"], &["men"], &[], None)]);
    for item in &mut said.items {
        "form".clone_into(&mut item.table);
    }
    two.lineage = Some(said);
    vec![one, two]
}

/// Of each of three lines, where it is there: men, women and cost.
type Form = Vec<Option<(u32, u32, Option<u32>)>>;

/// Counts that are often small, and often the same in two of them.
fn form() -> impl Strategy<Value = Form> {
    let count = || prop_oneof![0u32..4, 5u32..7, Just(20)];
    let line = (count(), count(), proptest::option::of(0u32..3));
    proptest::collection::vec(proptest::option::weighted(0.8, line), 3)
}

async fn send_form(db: &Db, spec: &ReturnSpec, n: i32, form: &Form) {
    let mut rows = Vec::new();
    let (mut all_men, mut all_women) = (0, 0);
    for (line, values) in (1..).zip(form) {
        let Some((men, women, cost)) = values else {
            continue;
        };
        (all_men, all_women) = (all_men + men, all_women + women);
        rows.push((line.to_string(), *men, *women, *cost));
    }
    rows.push(("T".to_owned(), all_men, all_women, None));
    let rows = rows.into_iter().map(|(line, men, women, cost)| {
        let count = |n: u32| Some(n.to_string());
        let cost = cost.map(|cost| cost.to_string());
        [
            Some(line),
            count(men),
            count(women),
            count(men + women),
            cost,
        ]
    });
    let rows: Vec<[Option<String>; 5]> = rows.collect();
    let rows: Vec<[Option<&str>; 5]> = rows
        .iter()
        .map(|row| row.each_ref().map(|value| value.as_deref()))
        .collect();
    let rows: Vec<&[Option<&str>]> = rows.iter().map(|row| &row[..]).collect();
    sent(db, spec, n, &rows).await;
}

/// Four years, each of them sent three times: of each what was sent first, then and last.
async fn random(db: &Db, versions: &[ReturnSpec]) -> (Manifest, Vec<Vec<Counted>>) {
    let mut runner = TestRunner::deterministic();
    let mut waves = Vec::new();
    let mut all = None;
    for _ in 0..3 {
        for (spec, n) in versions.iter().zip([[20, 21], [22, 23]]) {
            for n in n {
                let form = form().new_tree(&mut runner).unwrap().current();
                send_form(db, spec, n, &form).await;
            }
        }
        let manifest = of_years(db, versions, 20, 23).await;
        assert_eq!(manifest.submissions.len(), 4);
        waves.push(manifest.submissions.clone());
        all = Some(manifest);
    }
    (all.unwrap(), waves)
}

/// A release as its readers have it.
struct Published {
    manifest: Manifest,
    left_out: Option<release::CellsLeftOut>,
    /// By period and line.
    rows: Rows,
}

type Rows = BTreeMap<(String, String), Vec<String>>;

async fn publish(
    db: &Db,
    versions: &[ReturnSpec],
    manifest: Manifest,
    threshold: Option<u32>,
) -> Published {
    let mut settings = protected();
    settings.protection = threshold.map(|threshold| release::Protection {
        threshold,
        after: Vec::new(),
        hides_files: true,
    });
    let from = From {
        db,
        sees: &Sees::Everyone,
        versions,
    };
    let into = tempfile::tempdir().unwrap();
    let edition = edition(&versions[1], &manifest, &settings, &[]);
    release::build(from, &edition, into.path()).await.unwrap();
    let cells = into.path().join(release::SUPPRESSED_CELLS);
    let mut reader = csv::Reader::from_path(into.path().join("form.csv")).unwrap();
    let rows = reader.deserialize().map(|row| {
        let row: Line = row.unwrap();
        let key = (row["period"].clone(), row["line"].clone());
        (key, ITEMS.map(|item| row[item].clone()).to_vec())
    });
    Published {
        rows: rows.collect(),
        left_out: threshold.map(|_| release::CellsLeftOut::read(&cells).unwrap()),
        manifest,
    }
}

/// The rows with every change made to them; what a line says of before has to be what was published.
fn changed(mut rows: Rows, lines: &[Line]) -> Rows {
    for line in lines {
        let (_, code) = line["record"].rsplit_once('(').unwrap();
        let key = (
            line["period"].clone(),
            code.trim_end_matches(')').to_owned(),
        );
        let row = rows
            .entry(key)
            .or_insert_with(|| vec![String::new(); ITEMS.len()]);
        let idx = ITEMS.iter().position(|item| *item == line["item"]).unwrap();
        assert_eq!(row[idx], line["before"], "{line:?}");
        row[idx].clone_from(&line["now"]);
    }
    rows.retain(|_, row| !row.iter().all(String::is_empty));
    rows
}

/// How many lines of each kind there are to be, by the two files alone.
fn counted(old: &Rows, new: &Rows) -> (ChangeCounts, usize) {
    let mut counts = ChangeCounts::default();
    let mut n_lines = 0;
    let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for key in keys {
        let n_told = |row: &Vec<String>| row.iter().filter(|value| !value.is_empty()).count();
        match (old.get(key), new.get(key)) {
            (Some(old), Some(new)) => {
                let n_figures = old.iter().zip(new).filter(|(old, new)| old != new).count();
                counts.changed += u64::from(n_figures > 0);
                counts.figures += n_figures as u64;
                n_lines += n_figures;
            }
            (Some(row), None) => {
                counts.gone += 1;
                n_lines += n_told(row);
            }
            (None, Some(row)) => {
                counts.added += 1;
                n_lines += n_told(row);
            }
            (None, None) => {}
        }
    }
    (counts, n_lines)
}

#[tokio::test]
async fn the_old_release_with_every_change_is_the_new_one_as_both_are_published() {
    let database = TestDb::new();
    let versions = versions();
    let db = collected(&database, &versions).await;
    let (all, waves) = random(&db, &versions).await;
    let mut runner = TestRunner::deterministic();
    // Of each year what was sent once, or nothing.
    let which = proptest::collection::vec(proptest::option::weighted(0.9, 0usize..3), 4);
    let threshold = proptest::option::weighted(0.8, prop_oneof![Just(3u32), Just(6)]);
    let drawn = (which, threshold);
    let mut releases = Vec::new();
    for _ in 0..16 {
        let (which, threshold) = drawn.new_tree(&mut runner).unwrap().current();
        let submissions = which.iter().enumerate();
        let submissions = submissions.filter_map(|(idx, wave)| Some(waves[(*wave)?][idx].clone()));
        let mut manifest = all.clone();
        manifest.submissions = submissions.collect();
        releases.push(publish(&db, &versions, manifest, threshold).await);
    }
    let mut kinds: BTreeMap<(&str, &str, &str), u32> = BTreeMap::new();
    for (old, new) in releases
        .iter()
        .flat_map(|old| releases.iter().map(move |new| (old, new)))
    {
        let both = [old, new].map(|one| (&one.manifest, one.left_out.as_ref()));
        let (lines, counts) = changes_of_what_is_told(&db, &versions, both).await;
        assert_eq!(changed(old.rows.clone(), &lines), new.rows);
        assert_eq!((counts, lines.len()), counted(&old.rows, &new.rows));
        for line in &lines {
            let kind = |value: &str| match value {
                "" => "blank",
                MARK => "left out",
                _ => "told",
            };
            let (before, now) = (kind(&line["before"]), kind(&line["now"]));
            let is_number = line["item"] != "line" && [before, now] == ["told", "told"];
            assert_eq!(!line["difference"].is_empty(), is_number, "{line:?}");
            assert!(
                is_number || line["difference_percent"].is_empty(),
                "{line:?}"
            );
            let change = match line["change"].as_str() {
                "changed" => "changed",
                "added" => "added",
                _ => "gone",
            };
            *kinds.entry((change, before, now)).or_default() += 1;
        }
    }
    // Whatever there can be is among them.
    for kind in [
        ("changed", "told", "told"),
        ("changed", "told", "left out"),
        ("changed", "left out", "told"),
        ("added", "blank", "left out"),
        ("added", "blank", "told"),
        ("gone", "left out", "blank"),
        ("gone", "told", "blank"),
    ] {
        assert!(kinds.contains_key(&kind), "{kind:?} of {kinds:?}");
    }
}
