//! What changed between two releases where records accumulate: the rows of the old one with every change made to them
//! are the rows of the new one.

use std::collections::{BTreeMap, BTreeSet};

use db::records::{ChangeCounts, Counted, n_changes};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use spec::Accumulation::{Cumulative, Replace};
use spec::TableLineage;
use testkit::returns::tested;

use super::versions::{collected, of_years, sent, versions};
use super::*;
use crate::release::CellsLeftOut;
use crate::{Answering, ChangesOfOne, ItemsOf, LinedUpTables, SideOf, until};

/// By organisation and key: the values of the items.
type Rows = BTreeMap<(String, String), Vec<String>>;

/// A file's records: key, and what `COST`, `N` and `KIND` are.
type File = Vec<(u8, Option<u8>, Option<u8>, Option<bool>)>;

/// Some keys often, some of them twice in one file, and values that are often the same again.
fn file() -> impl Strategy<Value = File> {
    let record = (
        0u8..12,
        proptest::option::of(0u8..3),
        proptest::option::of(0u8..3),
        proptest::option::of(any::<bool>()),
    );
    proptest::collection::vec(record, 0..8)
}

fn in_text(file: &File) -> Vec<Vec<Option<String>>> {
    let rows = file.iter().map(|(key, cost, n, kind)| {
        vec![
            Some(format!("r{key}")),
            None,
            cost.map(|cost| format!("{cost}.50")),
            n.map(|n| n.to_string()),
            None,
            kind.map(|is_a| if is_a { "a" } else { "b" }.to_owned()),
        ]
    });
    rows.collect()
}

async fn send_file(db: &Db, spec: &ReturnSpec, organisation: &str, period: Period, file: &File) {
    let rows = in_text(file);
    let rows: Vec<Vec<Option<&str>>> = rows
        .iter()
        .map(|row| row.iter().map(Option::as_deref).collect())
        .collect();
    let rows: Vec<&[Option<&str>]> = rows.iter().map(Vec::as_slice).collect();
    let sent = Sent {
        organisation,
        period,
        outcome: Outcome::Ready,
        file_name: "cases.csv",
        handed_over: ACCEPTED,
        rows: &rows,
    };
    send(db, spec, &sent).await;
}

const ITEMS: [&str; 6] = ["REF", "OPENED", "COST", "N", "URGENT", "KIND"];

/// The rows of a release, as its file has them.
async fn rows_of(db: &Db, spec: &ReturnSpec, manifest: &Manifest) -> Rows {
    let versions = std::slice::from_ref(spec);
    let shape = Shape::of(versions, spec, "case", manifest, &Asked::default()).unwrap();
    let text = text(db, spec, &(manifest.clone(), Arc::new(shape))).await;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headings = reader.headers().unwrap().clone();
    let place = |name: &str| headings.iter().position(|it| it == name).unwrap();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        let values = ITEMS.map(|item| row[place(item)].to_owned());
        let key = (
            row[place("organisation_code")].to_owned(),
            values[0].clone(),
        );
        (key, values.to_vec())
    });
    rows.collect()
}

/// A line of a file of changes, by heading.
pub(super) type Line = BTreeMap<String, String>;

fn lines(csv: &[u8]) -> Vec<Line> {
    let csv = csv.strip_prefix("\u{feff}".as_bytes()).unwrap();
    let mut reader = csv::Reader::from_reader(csv);
    let all = reader.deserialize().map(Result::unwrap);
    all.collect()
}

/// What changed from one manifest to another, as the file says it and as it is counted.
async fn changes(
    db: &Db,
    versions: &[ReturnSpec],
    (old, new): (&Manifest, &Manifest),
) -> (Vec<Line>, ChangeCounts) {
    changes_of_what_is_told(db, versions, [(old, None), (new, None)]).await
}

/// Its organisation's code and, where each period stands by itself, its period.
fn whose(counted: &Counted, accumulates: bool) -> (String, String) {
    let period = if accumulates {
        String::new()
    } else {
        counted.period_label.clone()
    };
    (counted.organisation.clone(), period)
}

/// Each manifest with what is left out of it, the old one first.
pub(super) async fn changes_of_what_is_told(
    db: &Db,
    versions: &[ReturnSpec],
    both: [(&Manifest, Option<&CellsLeftOut>); 2],
) -> (Vec<Line>, ChangeCounts) {
    let manifests = both.map(|(manifest, _)| manifest);
    let submissions = || manifests.iter().flat_map(|manifest| &manifest.submissions);
    let until = until(submissions());
    let return_id = &manifests[0].return_id;
    let lined_up = LinedUpTables::of(versions, return_id, &until, ItemsOf::Any).unwrap();
    let accumulates = manifests[0].accumulates;
    let groups: BTreeSet<(String, String)> = submissions()
        .map(|counted| whose(counted, accumulates))
        .collect();
    let sides = groups.iter().map(|group| {
        let of = |manifest: &Manifest| -> Vec<Counted> {
            let all = manifest.submissions.iter();
            all.filter(|counted| whose(counted, accumulates) == *group)
                .cloned()
                .collect()
        };
        (group.0.as_str(), manifests.map(of))
    });
    let sides: Vec<(&str, [Vec<Counted>; 2])> = sides.collect();
    let mut tx = db.begin_snapshot(&Sees::Everyone).await.unwrap();
    let mut counts = ChangeCounts::default();
    let mut all = Vec::new();
    for (organisation, [old, new]) in &sides {
        let [before, now] = [old, new].map(|all| -> Vec<Answering<'_>> {
            let all = all.iter();
            all.map(|counted| (counted.submission_id, counted.return_version.as_str()))
                .collect()
        });
        let side = |submissions, left_out| SideOf {
            submissions,
            accumulation: if accumulates { Cumulative } else { Replace },
            left_out,
        };
        let (before, now) = (side(&before, both[0].1), side(&now, both[1].1));
        let tables = tables_of_two(&mut tx, &lined_up.tables, before, now);
        let tables = tables.await.unwrap();
        for table in &tables {
            counts.add(n_changes(&mut tx, &table.comparison).await.unwrap());
        }
        all.push(ChangesOfOne {
            organisation: (organisation, "its name"),
            old,
            new,
            tables,
        });
    }
    let mut out = Vec::new();
    release_changes_csv(&mut tx, &all, &mut out).await.unwrap();
    (lines(&out), counts)
}

/// The rows with every change made to them; what a line says of before has to be so.
fn changed(mut rows: Rows, lines: &[Line]) -> Rows {
    for line in lines {
        let key = (line["organisation_code"].clone(), line["record"].clone());
        let idx = ITEMS.iter().position(|item| *item == line["item"]).unwrap();
        if line["change"] == "added" {
            let row = rows
                .entry(key)
                .or_insert_with(|| vec![String::new(); ITEMS.len()]);
            row[idx].clone_from(&line["now"]);
            continue;
        }
        let row = rows.get_mut(&key).unwrap_or_else(|| panic!("{line:?}"));
        assert_eq!(row[idx], line["before"], "{line:?}");
        row[idx].clone_from(&line["now"]);
        if row.iter().all(String::is_empty) {
            rows.remove(&key);
        }
    }
    rows
}

/// What each record's state is by the plain rule, with the submission and the row that it is of.
fn model(manifest: &Manifest, files: &BTreeMap<(String, String, u32), File>) -> Model {
    let mut all = Model::new();
    for counted in &manifest.submissions {
        let (organisation, period) = (&counted.organisation, &counted.period_label);
        let which = (organisation.clone(), period.clone(), counted.version_number);
        for (row_number, values) in (2..).zip(in_text(&files[&which])) {
            let key = (organisation.clone(), values[0].clone().unwrap());
            let place = (period.clone(), counted.version_number, row_number);
            let values = values.into_iter().map(Option::unwrap_or_default);
            all.insert(key, (place, values.collect()));
        }
    }
    all
}

/// Its period, version and row, and its values.
type State = ((String, u32, u32), Vec<String>);

type Model = BTreeMap<(String, String), State>;

/// Twelve random files of two councils and two quarters, all of them accepted.
async fn random(db: &Db, spec: &ReturnSpec) -> BTreeMap<(String, String, u32), File> {
    let mut runner = TestRunner::deterministic();
    let mut files = BTreeMap::new();
    for organisation in [ARDBEG, BRORA] {
        for period in [q1(), q2()] {
            for version in 1..=4 {
                let file = file().new_tree(&mut runner).unwrap().current();
                send_file(db, spec, organisation, period.clone(), &file).await;
                let which = (organisation.to_owned(), period.label.clone(), version);
                files.insert(which, file);
            }
        }
    }
    files
}

/// Snapshots of the same submissions: some of them in the one, others in the other.
async fn snapshots(db: &Db, spec: &ReturnSpec, n: usize) -> Vec<(Manifest, Manifest)> {
    let (all, _) = made(db, spec, &q2(), &everything()).await;
    assert_eq!(all.submissions.len(), 16);
    let mut runner = TestRunner::deterministic();
    let in_it = proptest::collection::vec(proptest::bool::weighted(0.6), 16);
    let mut snapshot = || {
        let in_it = in_it.new_tree(&mut runner).unwrap().current();
        let mut manifest = all.clone();
        let mut in_it = in_it.into_iter();
        manifest.submissions.retain(|_| in_it.next().unwrap());
        manifest
    };
    (0..n).map(|_| (snapshot(), snapshot())).collect()
}

#[tokio::test]
async fn the_old_rows_with_every_change_are_the_new_rows() {
    let database = TestDb::new();
    let spec = cases();
    let db = collecting(&spec, &database).await;
    let files = random(&db, &spec).await;
    let versions = std::slice::from_ref(&spec);
    let mut kinds = BTreeSet::new();
    for (old, new) in snapshots(&db, &spec, 30).await {
        let (before, now) = (
            rows_of(&db, &spec, &old).await,
            rows_of(&db, &spec, &new).await,
        );
        let (then, since) = (model(&old, &files), model(&new, &files));
        let values = |model: &Model| -> Rows {
            let all = model.iter();
            all.map(|(key, (_, values))| (key.clone(), values.clone()))
                .collect()
        };
        assert_eq!((&before, &now), (&values(&then), &values(&since)));
        let (lines, counts) = changes(&db, versions, (&old, &new)).await;
        assert_eq!(changed(before.clone(), &lines), now);

        let n_others = then
            .iter()
            .filter(|(key, (_, values))| since.get(*key).is_some_and(|(_, now)| now != values));
        let n_gone = then.keys().filter(|key| !since.contains_key(*key)).count();
        let n_added = since.keys().filter(|key| !then.contains_key(*key)).count();
        let n_figures = lines
            .iter()
            .filter(|line| line["change"] == "changed")
            .count();
        assert_eq!(
            counts,
            ChangeCounts {
                changed: n_others.count() as u64,
                added: n_added as u64,
                gone: n_gone as u64,
                figures: n_figures as u64,
            }
        );
        // Each cell is that of the file which the state of the record came in.
        for line in &lines {
            kinds.insert(line["change"].clone());
            let key = (line["organisation_code"].clone(), line["record"].clone());
            let letters = ["A", "D", "E", "F", "G"];
            let idx = ITEMS.iter().position(|item| *item == line["item"]).unwrap();
            let cell = |row: u32| {
                let letters = letters.get(idx);
                letters.map_or_else(String::new, |letters| format!("Sheet!{letters}{row}"))
            };
            let told = |of: Option<&State>| match of {
                Some(((period, version, row), _)) => {
                    [period.clone(), version.to_string(), cell(*row)]
                }
                None => [const { String::new() }; 3],
            };
            let (before, now) = (told(then.get(&key)), told(since.get(&key)));
            let said = |name: &str| line[name].clone();
            assert_eq!(
                ["period_before", "version_before", "cell_before"].map(said),
                before
            );
            assert_eq!(["version_now", "cell_now"].map(said), now[1..]);
            let period = [&now[0], &before[0]].into_iter().find(|it| !it.is_empty());
            assert_eq!(Some(&line["period"]), period);
        }
    }
    assert_eq!(kinds.len(), 3, "{kinds:?}");
}

#[tokio::test]
async fn records_without_keys_come_and_go_with_their_submissions() {
    let database = TestDb::new();
    let mut spec = cases();
    spec.tables[0].keys.clear();
    let db = collecting(&spec, &database).await;
    let files = random(&db, &spec).await;
    let versions = std::slice::from_ref(&spec);
    for (old, new) in snapshots(&db, &spec, 8).await {
        let n_only_in = |one: &Manifest, other: &Manifest| -> u64 {
            let ids = other.ids();
            let only = one.submissions.iter();
            let only = only.filter(|counted| !ids.contains(&counted.submission_id));
            let n_rows = only.map(|it| {
                let which = (
                    it.organisation.clone(),
                    it.period_label.clone(),
                    it.version_number,
                );
                files[&which].len() as u64
            });
            n_rows.sum()
        };
        let (_, counts) = changes(&db, versions, (&old, &new)).await;
        let expected = ChangeCounts {
            added: n_only_in(&new, &old),
            gone: n_only_in(&old, &new),
            ..ChangeCounts::default()
        };
        assert_eq!(counts, expected);
    }
}

/// The five years' return, whose records accumulate, and whose table was called otherwise at first.
fn accumulating() -> Vec<ReturnSpec> {
    let mut versions = versions();
    for spec in &mut versions {
        spec.accumulation = Cumulative;
    }
    "application".clone_into(&mut versions[0].tables[0].name);
    let said = versions[1].lineage.as_mut().unwrap();
    said.tables = vec![TableLineage {
        was: "application".to_owned(),
        now: Some("case".to_owned()),
        note: None,
        provenance: tested(),
    }];
    versions
}

#[tokio::test]
async fn what_was_called_otherwise_is_compared_and_what_is_another_thing_is_not() {
    let database = TestDb::new();
    let versions = accumulating();
    let db = collected(&database, &versions).await;
    let n = |value: &'static str| Some(value);
    let [one, two, three] = &versions[..] else {
        panic!("three versions");
    };
    // What was x and what was b is a now.
    let first = [n("a"), n("5"), n("1.50"), n("x")];
    let second = [n("b"), n("1"), None, n("b")];
    sent(&db, one, 20, &[&first, &second]).await;
    sent(&db, two, 22, &[&[n("c"), n("3"), n("4"), None, n("b")]]).await;
    let newest = [
        [n("a"), None, None, n("0.20"), n("a"), None],
        [n("b"), None, None, None, n("z"), None],
        [n("c"), n("3.00"), n("5"), None, n("a"), n("true")],
    ];
    let newest: Vec<&[Option<&str>]> = newest.iter().map(|row| &row[..]).collect();
    sent(&db, three, 24, &newest).await;

    let now = of_years(&db, &versions, 20, 24).await;
    let mut before = now.clone();
    before.submissions.truncate(2);
    let (lines, counts) = changes(&db, &versions, (&before, &now)).await;
    let told: Vec<String> = lines
        .iter()
        .map(|line| {
            assert_eq!((line["period"].as_str(), line["version_now"].as_str()), ("2024-25", "1"));
            let [record, item, before, now, by, cell_before, cell_now, period] = [
                "record", "item", "before", "now", "difference", "cell_before", "cell_now", "period_before",
            ]
            .map(|name| line[name].as_str());
            format!("{record} {item}: {before} at {cell_before} of {period} is {now} at {cell_now} by {by}")
        })
        .collect();
    assert_eq!(
        told,
        [
            "a COST:  at  of 2020-21 is 0.20 at Sheet!F2 by ",
            "a COST_until_2: 1.50 at Sheet!E2 of 2020-21 is  at  by ",
            "a HOMES: 5 at Sheet!D2 of 2020-21 is  at  by ",
            "b KIND: a at Sheet!F3 of 2020-21 is z at Sheet!G3 by ",
            "b HOMES: 1 at Sheet!D3 of 2020-21 is  at  by ",
            "c HOUSES: 4 at Sheet!E2 of 2022-23 is 5 at Sheet!E4 by 1",
            "c URGENT:  at  of 2022-23 is true at  by ",
        ]
    );
    assert_eq!(
        (counts.changed, counts.figures, counts.records()),
        (3, 7, 3)
    );

    // Two versions are compared in what both ask for, and the rest is said.
    let until = until(now.submissions.iter().filter(|it| it.return_version != "1"));
    let lined_up = LinedUpTables::of(&versions, "cases", &until, ItemsOf::Every).unwrap();
    let columns: Vec<&str> = lined_up.tables[0]
        .columns
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(columns, ["REF", "FLATS", "HOUSES", "KIND"]);
    assert_eq!(lined_up.not_in_all, ["Case: URGENT in words"]);
    assert_eq!(lined_up.asked_otherwise, ["Case: COST in words"]);
}
