//! What we write, two engines that are not ours read.

use std::process::Command;
use std::sync::Arc;

use arrow_array::{Decimal128Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use tempfile::TempDir;

use super::*;

fn figures() -> Arc<Schema> {
    Arc::new(Schema::new(vec![
        Field::new("line", DataType::Utf8, false),
        Field::new("pounds", DataType::Decimal128(38, 2), true),
    ]))
}

fn table(schema: &Arc<Schema>) -> Table {
    Table {
        path: "ctrr/figures".to_owned(),
        schema: Arc::clone(schema),
    }
}

fn part(period: &str, organisation: &str, sequence: i64) -> Part {
    Part {
        period: period.to_owned(),
        organisation: organisation.to_owned(),
        sequence,
    }
}

fn rows(lines: &[(&str, Option<i128>)]) -> RecordBatch {
    let names: StringArray = lines.iter().map(|(line, _)| Some(*line)).collect();
    let pence: Decimal128Array = lines.iter().map(|(_, pence)| *pence).collect();
    let pounds = pence.with_precision_and_scale(38, 2).unwrap();
    RecordBatch::try_new(figures(), vec![Arc::new(names), Arc::new(pounds)]).unwrap()
}

async fn begin(lake: &Lake, part: Part, same: SameState) -> Option<Replacing> {
    let replacing = lake.replace(table(&figures()), part, same);
    replacing.await.unwrap()
}

async fn end(mut replacing: Replacing, rows: &RecordBatch) -> Outcome {
    replacing.add(rows).await.unwrap();
    replacing.commit().await.unwrap()
}

async fn put(lake: &Lake, part: Part, lines: &[(&str, Option<i128>)]) -> Outcome {
    match begin(lake, part, SameState::Stays).await {
        Some(replacing) => end(replacing, &rows(lines)).await,
        None => Outcome::AlreadyThere,
    }
}

/// Whatever of this state is there.
async fn put_again(lake: &Lake, part: Part, lines: &[(&str, Option<i128>)]) -> Outcome {
    match begin(lake, part, SameState::IsReplaced).await {
        Some(replacing) => end(replacing, &rows(lines)).await,
        None => Outcome::AlreadyThere,
    }
}

fn local() -> (TempDir, Lake) {
    let folder = TempDir::new().unwrap();
    let lake = Lake::open(&Config::Folder(folder.path().to_owned())).unwrap();
    (folder, lake)
}

fn read(arguments: &[&str]) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/read.py");
    let output = Command::new(testkit::python())
        .arg(script)
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Those that know earlier versions and newer columns; they read through the library that we write with.
const BY_KERNEL: [&str; 2] = ["deltars", "duckdb"];
/// And the one that reads by nothing that we write with.
const ALL: [&str; 3] = ["deltars", "duckdb", "clickhouse"];

/// By several engines, which have to agree.
fn read_by(engines: &[&str], lake: &Lake, version: Option<u64>) -> Vec<String> {
    let address = lake.address(&table(&figures()));
    let version = version.map(|version| version.to_string());
    let mut arguments = vec![address.as_str()];
    arguments.extend(version.iter().flat_map(|version| ["--version", version]));
    let read = engines
        .iter()
        .map(|engine| read(&[&[*engine], &arguments[..]].concat()));
    let mut read: Vec<Vec<String>> = read.collect();
    let first = read.remove(0);
    for (other, engine) in read.iter().zip(&engines[1..]) {
        assert_eq!(&first, other, "{engine}");
    }
    first
}

fn row(organisation: &str, line: &str, period: &str, pounds: &str) -> String {
    format!(
        r#"{{"line": "{line}", "organisation_code": "{organisation}", "period": "{period}", "pounds": {pounds}}}"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_in_is_read_and_a_newer_state_takes_its_place() {
    let (_folder, lake) = local();
    put(
        &lake,
        part("2026-27", "S1", 1),
        &[("a", Some(150)), ("b", None)],
    )
    .await;
    put(&lake, part("2026-27", "S2", 1), &[("a", Some(-5))]).await;
    put(&lake, part("2025-26", "S1", 1), &[("a", Some(100))]).await;
    let Outcome::Committed { version: before } =
        put(&lake, part("2027-28", "S1", 1), &[("z", Some(0))]).await
    else {
        panic!("it is new");
    };
    let first = vec![
        row("S1", "a", "2025-26", "\"1.00\""),
        row("S1", "a", "2026-27", "\"1.50\""),
        row("S2", "a", "2026-27", "\"-0.05\""),
        row("S1", "b", "2026-27", "null"),
        row("S1", "z", "2027-28", "\"0.00\""),
    ];
    let sorted = |mut rows: Vec<String>| {
        rows.sort();
        rows
    };
    assert_eq!(read_by(&ALL, &lake, None), sorted(first.clone()));

    put(&lake, part("2026-27", "S1", 3), &[("a", Some(999))]).await;
    let mut second = first.clone();
    second.retain(|row| !(row.contains("S1") && row.contains("2026-27")));
    second.push(row("S1", "a", "2026-27", "\"9.99\""));
    assert_eq!(read_by(&ALL, &lake, None), sorted(second));
    // What was there before can be read as it was.
    assert_eq!(read_by(&BY_KERNEL, &lake, Some(before)), sorted(first));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_and_whoever_comes_late_change_nothing_and_leave_no_file() {
    let (folder, lake) = local();
    put(&lake, part("2026-27", "S1", 2), &[("a", Some(100))]).await;
    let before = walk(folder.path());
    assert_eq!(data_files(&folder).len(), 1);
    for sequence in [2, 1] {
        let replacing = begin(&lake, part("2026-27", "S1", sequence), SameState::Stays).await;
        assert!(replacing.is_none(), "its rows are not asked for");
    }
    assert_eq!(walk(folder.path()), before);

    // Whoever began in time and was overtaken has written a file by then.
    let late = begin(&lake, part("2026-27", "S1", 3), SameState::Stays).await;
    put(&lake, part("2026-27", "S1", 3), &[("a", Some(200))]).await;
    let before = data_files(&folder);
    let outcome = end(late.unwrap(), &rows(&[("b", None)])).await;
    assert_eq!(outcome, Outcome::AlreadyThere);
    assert_eq!(data_files(&folder), before);
    assert_eq!(
        read_by(&ALL, &lake, None),
        [row("S1", "a", "2026-27", "\"2.00\"")]
    );
}

/// Rows that were put in when a column was called otherwise.
async fn put_before_it_was_renamed(lake: &Lake, part: Part) {
    let named = Arc::new(Schema::new(vec![
        Field::new("heading", DataType::Utf8, true),
        Field::new("pounds", DataType::Decimal128(38, 2), true),
    ]));
    let as_now = rows(&[("a", Some(100))]);
    let rows = RecordBatch::try_new(Arc::clone(&named), as_now.columns().to_vec()).unwrap();
    let replacing = lake.replace(table(&named), part, SameState::Stays);
    end(replacing.await.unwrap().unwrap(), &rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn put_in_again_rows_leave_the_columns_that_were_renamed() {
    let (_folder, lake) = local();
    put_before_it_was_renamed(&lake, part("2026-27", "S1", 2)).await;
    put_before_it_was_renamed(&lake, part("2026-27", "S2", 2)).await;
    let again = part("2026-27", "S1", 2);
    let outcome = put(&lake, again.clone(), &[("a", Some(100))]).await;
    assert_eq!(outcome, Outcome::AlreadyThere);
    let outcome = put_again(&lake, again, &[("a", Some(100))]).await;
    assert!(matches!(outcome, Outcome::Committed { .. }));
    let of = |organisation: &str, heading: &str, line: &str| {
        format!(
            r#"{{"heading": {heading}, "line": {line}, "organisation_code": "{organisation}", "period": "2026-27", "pounds": "1.00"}}"#
        )
    };
    assert_eq!(
        read_by(&BY_KERNEL, &lake, None),
        [of("S2", "\"a\"", "null"), of("S1", "null", "\"a\"")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn put_in_again_what_was_lost_is_there() {
    let (folder, lake) = local();
    put(&lake, part("2026-27", "S1", 1), &[("a", Some(100))]).await;
    put(&lake, part("2026-27", "S2", 1), &[("b", Some(200))]).await;
    for file in data_files(&folder) {
        std::fs::remove_file(file).unwrap();
    }
    put_again(&lake, part("2026-27", "S1", 1), &[("a", Some(100))]).await;
    put_again(&lake, part("2026-27", "S2", 1), &[("b", Some(200))]).await;
    assert_eq!(
        read_by(&ALL, &lake, None),
        [
            row("S1", "a", "2026-27", "\"1.00\""),
            row("S2", "b", "2026-27", "\"2.00\"")
        ]
    );
    let outcome = put(&lake, part("2026-27", "S1", 1), &[("z", None)]).await;
    assert_eq!(outcome, Outcome::AlreadyThere, "it is a replay again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_in_again_undoes_nothing_that_is_newer() {
    let (folder, lake) = local();
    put(&lake, part("2026-27", "S1", 1), &[("a", Some(100))]).await;
    let late = begin(&lake, part("2026-27", "S1", 1), SameState::IsReplaced).await;
    put(&lake, part("2026-27", "S1", 2), &[("b", Some(200))]).await;
    let before = walk(folder.path());
    let older = begin(&lake, part("2026-27", "S1", 1), SameState::IsReplaced).await;
    assert!(older.is_none());
    let outcome = end(late.unwrap(), &rows(&[("a", Some(100))])).await;
    assert_eq!(outcome, Outcome::AlreadyThere);
    assert_eq!(walk(folder.path()), before);
    assert_eq!(
        read_by(&ALL, &lake, None),
        [row("S1", "b", "2026-27", "\"2.00\"")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_has_another_name_now_says_nothing_of_what_moved() {
    let (folder, lake) = local();
    let take_out = async |path: &str, same| {
        let taken = lake.take_out(path, part("2026-27", "S1", 1), same);
        taken.await.unwrap()
    };
    assert_eq!(take_out("ctrr/figures", SameState::IsReplaced).await, None);
    assert!(walk(folder.path()).is_empty(), "no table is made for that");

    put(&lake, part("2026-27", "S1", 1), &[("a", Some(100))]).await;
    put(&lake, part("2026-27", "S2", 1), &[("a", Some(100))]).await;
    let stays = take_out("ctrr/figures", SameState::Stays).await;
    assert_eq!(stays, Some(Outcome::AlreadyThere));
    let taken = take_out("ctrr/figures", SameState::IsReplaced).await;
    assert!(matches!(taken, Some(Outcome::Committed { .. })));
    assert_eq!(
        read_by(&ALL, &lake, None),
        [row("S2", "a", "2026-27", "\"1.00\"")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_accepted_any_more_is_gone() {
    let (_folder, lake) = local();
    put(&lake, part("2026-27", "S1", 1), &[("a", Some(100))]).await;
    put(&lake, part("2026-27", "S2", 1), &[("a", Some(100))]).await;
    let nothing = begin(&lake, part("2026-27", "S1", 2), SameState::Stays).await;
    nothing.unwrap().commit().await.unwrap();
    assert_eq!(
        read_by(&ALL, &lake, None),
        [row("S2", "a", "2026-27", "\"1.00\"")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_of_a_return_adds_columns_and_older_rows_have_none() {
    let (_folder, lake) = local();
    put(&lake, part("2025-26", "S1", 1), &[("a", Some(100))]).await;
    let wider = Arc::new(Schema::new(vec![
        Field::new("line", DataType::Utf8, true),
        Field::new("homes", DataType::Int64, true),
    ]));
    let homes: Int64Array = vec![Some(7)].into();
    let lines = StringArray::from(vec!["a"]);
    let batch =
        RecordBatch::try_new(wider.clone(), vec![Arc::new(lines), Arc::new(homes)]).unwrap();
    let of = part("2026-27", "S1", 1);
    let replacing = lake.replace(table(&wider), of, SameState::Stays);
    end(replacing.await.unwrap().unwrap(), &batch).await;
    // An older one's rows still come, after that.
    put(&lake, part("2025-26", "S2", 1), &[("b", Some(1))]).await;
    let read = read_by(&BY_KERNEL, &lake, None);
    let homes: Vec<bool> = read
        .iter()
        .map(|row| row.contains(r#""homes": 7"#))
        .collect();
    assert_eq!(homes.iter().filter(|has| **has).count(), 1, "{read:?}");
    assert_eq!(read.len(), 3);

    let other = Arc::new(Schema::new(vec![Field::new("homes", DataType::Utf8, true)]));
    let of = part("2027-28", "S1", 1);
    let refused = lake.replace(table(&other), of, SameState::Stays).await;
    assert!(matches!(refused, Err(LakeError::ColumnChanged { column, .. }) if column == "homes"));
}

const WRITERS: usize = 6;
const TIMES: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_lose_nothing_and_double_nothing() {
    let (_folder, lake) = local();
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let lake = lake.clone();
        // Two of them at a time are about the same organisation.
        let organisation = format!("S{}", writer / 2);
        writers.push(tokio::spawn(async move {
            for time in 1..=TIMES {
                let sequence = i64::try_from(time).unwrap();
                let line = format!("line {time}");
                put(
                    &lake,
                    part("2026-27", &organisation, sequence),
                    &[(&line, None)],
                )
                .await;
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let last = format!("line {TIMES}");
    let expected: Vec<String> = (0..WRITERS / 2)
        .map(|organisation| row(&format!("S{organisation}"), &last, "2026-27", "null"))
        .collect();
    assert_eq!(read_by(&ALL, &lake, None), expected);
    // More commits than one checkpoint is made after: see how many there were.
    let last = read(&[
        "deltars",
        &lake.address(&table(&figures())),
        "--version",
        "15",
    ]);
    assert!(!last.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn all_put_in_again_many_times_at_once_is_there_once() {
    let (_folder, lake) = local();
    let parts: Vec<Part> = (0..WRITERS / 2)
        .map(|organisation| part("2026-27", &format!("S{organisation}"), 1))
        .collect();
    for part in &parts {
        put_before_it_was_renamed(&lake, part.clone()).await;
    }
    let mut writers = Vec::new();
    for _ in 0..WRITERS {
        let (lake, parts) = (lake.clone(), parts.clone());
        writers.push(tokio::spawn(async move {
            for part in parts {
                put_again(&lake, part, &[("a", Some(100))]).await;
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let expected: Vec<String> = parts
        .iter()
        .map(|part| {
            row(&part.organisation, "a", "2026-27", "\"1.00\"").replacen(
                '{',
                r#"{"heading": null, "#,
                1,
            )
        })
        .collect();
    assert_eq!(read_by(&BY_KERNEL, &lake, None), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_history_is_read_from_its_checkpoint() {
    let (folder, lake) = local();
    for sequence in 1..=25 {
        put(&lake, part("2026-27", "S1", sequence), &[("a", Some(100))]).await;
    }
    let checkpoints = walk(folder.path());
    assert!(checkpoints.iter().any(|path| path.contains(".checkpoint")));
    assert_eq!(
        read_by(&ALL, &lake, None),
        [row("S1", "a", "2026-27", "\"1.00\"")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_holds_a_table_as_a_folder_does() {
    let server = testkit::s3();
    let lake = Lake::open(&Config::Bucket {
        prefix: "lake".to_owned(),
        s3: files::S3 {
            endpoint: Some(server.endpoint.clone()),
            bucket: server.bucket.clone(),
            region: server.region.clone(),
            access_key: "key".to_owned(),
            secret_key: "secret".to_owned(),
            allow_http: true,
        },
    })
    .unwrap();
    let both = [1, 2].map(|sequence| {
        let lake = lake.clone();
        async move {
            put(
                &lake,
                part("2026-27", &format!("S{sequence}"), 1),
                &[("a", Some(100))],
            )
            .await
        }
    });
    let [one, two] = both;
    tokio::join!(one, two);
    put(&lake, part("2026-27", "S1", 2), &[("b", Some(200))]).await;
    let address = lake.address(&table(&figures()));
    for engine in ["deltars", "clickhouse"] {
        assert_eq!(
            read(&[engine, &address, "--s3", &server.endpoint]),
            [
                row("S2", "a", "2026-27", "\"1.00\""),
                row("S1", "b", "2026-27", "\"2.00\"")
            ],
            "{engine}"
        );
    }
}

/// Also those that no version of the table names.
fn data_files(folder: &TempDir) -> Vec<String> {
    let mut found = walk(folder.path());
    found.retain(|path| path.ends_with(".parquet") && !path.contains("_delta_log"));
    found
}

/// In order.
fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(path.to_str().unwrap().to_owned());
        }
    }
    found.sort();
    found
}
