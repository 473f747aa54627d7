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

async fn put(lake: &Lake, part: Part, lines: &[(&str, Option<i128>)]) -> Outcome {
    let mut replacing = lake.replace(table(&figures()), part).await.unwrap();
    replacing.add(&rows(lines)).await.unwrap();
    replacing.commit().await.unwrap()
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
    let n_files = || {
        let found = walk(folder.path());
        found
            .iter()
            .filter(|path| path.ends_with(".parquet"))
            .count()
    };
    assert_eq!(n_files(), 1);
    for sequence in [2, 1] {
        let outcome = put(&lake, part("2026-27", "S1", sequence), &[("b", None)]).await;
        assert_eq!(outcome, Outcome::AlreadyThere);
    }
    assert_eq!(n_files(), 1);
    assert_eq!(
        read_by(&ALL, &lake, None),
        [row("S1", "a", "2026-27", "\"1.00\"")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_accepted_any_more_is_gone() {
    let (_folder, lake) = local();
    put(&lake, part("2026-27", "S1", 1), &[("a", Some(100))]).await;
    put(&lake, part("2026-27", "S2", 1), &[("a", Some(100))]).await;
    let nothing = lake.replace(table(&figures()), part("2026-27", "S1", 2));
    nothing.await.unwrap().commit().await.unwrap();
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
    let replacing = lake.replace(table(&wider), part("2026-27", "S1", 1));
    let mut replacing = replacing.await.unwrap();
    replacing.add(&batch).await.unwrap();
    replacing.commit().await.unwrap();
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
    let refused = lake.replace(table(&other), part("2027-28", "S1", 1)).await;
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
    found
}
