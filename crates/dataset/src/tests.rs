//! What counts for a period, and where it was read.

use std::sync::Arc;

use access::ActorId;
use cycle::Verb;
use db::records::Block;
use db::submissions::{NewSubmission, TableRows};
use db::{Db, Sees, Tx, cycles, handovers, organisations, records, returns, submissions};
use finding::Outcome;
use spec::{Period, ReturnSpec};
use testkit::TestDb;
use testkit::returns::{cases, financial_quarter, form};
use uuid::Uuid;

use super::*;

mod changes;
mod look;

fn q1() -> Period {
    financial_quarter("2026-27-Q1", "2026-04-01", "2026-06-30")
}

fn q2() -> Period {
    financial_quarter("2026-27-Q2", "2026-07-01", "2026-09-30")
}

/// A database in which a return is collected for two quarters.
async fn collecting(spec: &ReturnSpec, database: &TestDb) -> Db {
    let db = database.connect().await;
    let owner = database.connect_as_owner().await;
    let mut tx = owner.begin(&Sees::Everyone).await.unwrap();
    for organisation in &testkit::returns::organisations().0 {
        organisations::put(&mut tx, organisation).await.unwrap();
    }
    returns::publish(&mut tx, spec).await.unwrap();
    records::ensure_tables(&mut tx, spec).await.unwrap();
    records::ensure_tables(&mut tx, spec).await.unwrap();
    for period in [q1(), q2()] {
        let cycle = cycles::NewCycle {
            return_id: &spec.id,
            version: &spec.version,
            period: &period,
            opens_on: period.end,
            due_on: period.end,
        };
        let id = cycles::put(&mut tx, &cycle).await.unwrap().id;
        cycles::oblige(&mut tx, id, &spec.respondents.types, &spec.respondents.only)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    db
}

struct Sent<'a> {
    organisation: &'a str,
    period: Period,
    outcome: Outcome,
    file_name: &'a str,
    handed_over: &'a [(Verb, Option<Verb>)],
    /// Rows of item values, from sheet row 2 on.
    rows: &'a [&'a [Option<&'a str>]],
}

/// What every sender's own column holds in each row.
fn own_of(row_number: u32) -> serde_json::Value {
    serde_json::json!({ "own_id": format!("=K-{row_number}"), "own_b": "b" })
}

/// Stores a submission as its assessment would.
async fn send(db: &Db, spec: &ReturnSpec, sent: &Sent<'_>) -> Uuid {
    let table = &spec.tables[0];
    let id = Uuid::now_v7();
    let sha256 = "ab".repeat(32);
    let mut tx = db.begin(&Sees::Everyone).await.unwrap();
    let duty = cycles::duty(&mut tx, sent.organisation, &spec.id, &sent.period.label)
        .await
        .unwrap()
        .unwrap();
    submissions::put_file(&mut tx, &sha256, 3, &format!("originals/{sha256}"))
        .await
        .unwrap();
    let new = NewSubmission {
        id,
        obligation_id: duty.obligation_id.unwrap(),
        organisation: sent.organisation,
        sha256: &sha256,
        file_name: sent.file_name,
        is_nil: false,
        uploaded_by: "someone",
        sent_by: ActorId::System,
        contact_email: Some("someone@example.org"),
        received_at: chrono::Utc::now(),
        idempotency_key: &id.to_string(),
    };
    submissions::add(&mut tx, &new).await.unwrap().unwrap();
    let row_numbers: Vec<u32> = (2..).take(sent.rows.len()).collect();
    let values: Vec<Vec<Option<String>>> = (0..table.items.len())
        .map(|idx| {
            sent.rows
                .iter()
                .map(|row| row[idx].map(str::to_owned))
                .collect()
        })
        .collect();
    let block = Block {
        own: spec
            .own_columns
            .as_ref()
            .map(|_| row_numbers.iter().map(|&row| own_of(row)).collect()),
        row_numbers: &row_numbers,
        columns: table
            .items
            .iter()
            .zip(&values)
            .map(|(item, values)| (item.name.as_str(), values.as_slice()))
            .collect(),
    };
    records::add(&mut tx, spec, table, id, sent.organisation, &block)
        .await
        .unwrap();
    let n_rows = sent.rows.len() as u64;
    submissions::add_table(
        &mut tx,
        id,
        &TableRows {
            table: table.name.clone(),
            sheet: Some("Sheet".to_owned()),
            n_rows,
            n_loaded: n_rows,
            n_rejected: 0,
            n_ignored: 0,
            ignored: serde_json::json!([]),
            columns: table
                .items
                .iter()
                .zip(["A", "D", "E", "F", "G"])
                .map(|(item, letters)| (item.name.clone(), letters.to_owned()))
                .collect(),
        },
    )
    .await
    .unwrap();
    submissions::set_assessed(&mut tx, id, sent.outcome, &spec.hash)
        .await
        .unwrap();
    for &(verb, follows) in sent.handed_over {
        hand_over(&mut tx, id, sent.organisation, (verb, follows)).await;
    }
    tx.commit().await.unwrap();
    id
}

async fn hand_over(
    tx: &mut Tx,
    submission_id: Uuid,
    organisation: &str,
    (verb, follows): (Verb, Option<Verb>),
) {
    let new = handovers::NewHandover {
        submission_id,
        organisation,
        verb,
        follows,
        by: ActorId::System,
        by_name: "someone",
        reason: Some("a reason"),
        own_sign_off: None,
        hours: None,
    };
    handovers::add(tx, &new).await.unwrap();
}

const SUBMITTED: &[(Verb, Option<Verb>)] = &[(Verb::Submit, None)];
const SIGNED_OFF: &[(Verb, Option<Verb>)] =
    &[(Verb::Submit, None), (Verb::SignOff, Some(Verb::Submit))];
const ACCEPTED: &[(Verb, Option<Verb>)] = &[
    (Verb::Submit, None),
    (Verb::SignOff, Some(Verb::Submit)),
    (Verb::Accept, Some(Verb::SignOff)),
];

/// All that is asked for where nothing is asked for.
fn everything() -> Wanted<'static> {
    Wanted {
        from: None,
        sees: Sees::Everyone,
        organisations: &[],
        only_accepted: false,
        columns: Asked::default(),
    }
}

struct Wanted<'a> {
    from: Option<Period>,
    sees: Sees,
    organisations: &'a [String],
    only_accepted: bool,
    columns: Asked,
}

/// A period's manifest and columns.
async fn made(
    db: &Db,
    spec: &ReturnSpec,
    period: &Period,
    wanted: &Wanted<'_>,
) -> (Manifest, Arc<Shape>) {
    let versions = std::slice::from_ref(spec);
    let rounds = WhichRounds {
        from: wanted.from.as_ref().unwrap_or(period),
        to: period,
    };
    let whose = WhoseRecords {
        sees: &wanted.sees,
        organisations: wanted.organisations,
        only_accepted: wanted.only_accepted,
    };
    let mut tx = db.begin_snapshot(&wanted.sees).await.unwrap();
    let manifest = read_manifest(&mut tx, versions, spec, rounds, whose)
        .await
        .unwrap();
    let table = &spec.tables[0].name;
    let shape = Shape::of(versions, spec, table, &manifest, &wanted.columns).unwrap();
    (manifest, Arc::new(shape))
}

/// In any format, through a file.
async fn bytes_in(
    db: &Db,
    spec: &ReturnSpec,
    (manifest, shape): &(Manifest, Arc<Shape>),
    format: Format,
) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().unwrap();
    let from = From {
        db,
        sees: &Sees::Everyone,
        versions: std::slice::from_ref(spec),
    };
    let to = file.reopen().unwrap();
    let temporary = std::env::temp_dir();
    write_file(from, spec, manifest, shape, format, to, &temporary)
        .await
        .unwrap();
    std::fs::read(file.path()).unwrap()
}

/// As it is sent, which is as it is written to a file.
async fn text(db: &Db, spec: &ReturnSpec, made: &(Manifest, Arc<Shape>)) -> String {
    let mut out = Vec::new();
    let from = From {
        db,
        sees: &Sees::Everyone,
        versions: std::slice::from_ref(spec),
    };
    let n_records = write_text(from, &made.0, &made.1, Format::Csv, &mut out)
        .await
        .unwrap();
    assert!(out == bytes_in(db, spec, made, Format::Csv).await);
    let mut reader = csv::Reader::from_reader(out.as_slice());
    assert_eq!(reader.records().count() as u64, n_records);
    String::from_utf8(out).unwrap()
}

async fn csv_of(db: &Db, spec: &ReturnSpec, period: &Period) -> String {
    let made = made(db, spec, period, &everything()).await;
    text(db, spec, &made).await
}

/// Some columns of each row, by name.
fn columns_of(text: &str, names: &[&str]) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headings = reader.headers().unwrap().clone();
    let places = names.iter().map(|name| {
        let mut headings = headings.iter();
        headings.position(|heading| heading == *name).unwrap()
    });
    let places: Vec<usize> = places.collect();
    reader
        .records()
        .map(|row| {
            let row = row.unwrap();
            let cells = places.iter().map(|place| row[*place].to_owned());
            cells.collect::<Vec<_>>().join(" ")
        })
        .collect()
}

const ARDBEG: &str = "S12000001";
const BRORA: &str = "S12000002";

fn a_form(
    organisation: &'static str,
    outcome: Outcome,
    handed_over: &'static [(Verb, Option<Verb>)],
    rows: &'static [&'static [Option<&'static str>]],
) -> Sent<'static> {
    Sent {
        organisation,
        period: q1(),
        outcome,
        handed_over,
        file_name: "form.xlsx",
        rows,
    }
}

#[tokio::test]
async fn every_value_has_its_cell() {
    let database = TestDb::new();
    let spec = form();
    let db = collecting(&spec, &database).await;
    send(
        &db,
        &spec,
        &a_form(
            BRORA,
            Outcome::Ready,
            SUBMITTED,
            &[&[Some("1"), Some("=cmd"), Some("7")]],
        ),
    )
    .await;
    send(
        &db,
        &spec,
        &a_form(
            ARDBEG,
            Outcome::NeedsExplanation,
            ACCEPTED,
            &[
                &[Some("1"), None, Some("5")],
                &[Some("2"), Some("-x"), Some("6")],
            ],
        ),
    )
    .await;
    let sha = "ab".repeat(32);
    let text = csv_of(&db, &spec, &q1()).await;
    assert_eq!(
        text.lines().next().unwrap(),
        "organisation_code,organisation_name,organisation_sg_code,organisation_phs_code,period,period_start,period_end,\
         submission_version,submission_state,return_version,submission_id,source_file,source_sha256,source_sheet,source_row,\
         line,organisation,band_a,line_cell,organisation_cell,band_a_cell"
    );
    let places = ["source_file", "source_sha256", "source_sheet", "source_row"];
    assert_eq!(
        columns_of(&text, &places)[0],
        format!("form.xlsx {sha} Sheet 2")
    );
    let values = [
        "organisation_code",
        "organisation_name",
        "period",
        "period_start",
        "period_end",
        "submission_version",
        "submission_state",
        "line",
        "organisation",
        "band_a",
        "line_cell",
        "organisation_cell",
        "band_a_cell",
    ];
    assert_eq!(
        columns_of(&text, &values),
        [
            "S12000001 Ardbeg 2026-27-Q1 2026-04-01 2026-06-30 1 accepted 1  5 A2 D2 E2",
            "S12000001 Ardbeg 2026-27-Q1 2026-04-01 2026-06-30 1 accepted 2 '-x 6 A3 D3 E3",
            "S12000002 Brora 2026-27-Q1 2026-04-01 2026-06-30 1 submitted 1 '=cmd 7 A2 D2 E2",
        ]
    );
    assert_eq!(csv_of(&db, &spec, &q2()).await.lines().count(), 1);
}

#[tokio::test]
async fn what_is_accepted_stands_until_a_newer_one_is_and_before_that_what_came_farthest() {
    let database = TestDb::new();
    let spec = form();
    let db = collecting(&spec, &database).await;
    let stands = async || {
        let text = csv_of(&db, &spec, &q1()).await;
        let rows = columns_of(&text, &["submission_version", "submission_state", "band_a"]);
        assert!(rows.len() <= 1, "{text}");
        rows.into_iter().next()
    };
    let mut ids = Vec::new();
    for (handed_over, band_a, expected) in [
        (&[][..], "1", None),
        (SUBMITTED, "2", Some("2 submitted 2")),
        (SIGNED_OFF, "3", Some("3 signed_off 3")),
        (SUBMITTED, "4", Some("3 signed_off 3")),
        (&[], "5", Some("3 signed_off 3")),
        (SIGNED_OFF, "6", Some("6 signed_off 6")),
        (ACCEPTED, "7", Some("7 accepted 7")),
        (SIGNED_OFF, "8", Some("7 accepted 7")),
        (ACCEPTED, "9", Some("9 accepted 9")),
    ] {
        let rows: &[&[Option<&str>]] = &[&[Some("1"), None, Some(band_a)]];
        let sent = Sent {
            organisation: ARDBEG,
            period: q1(),
            outcome: Outcome::Ready,
            file_name: "form.xlsx",
            handed_over,
            rows,
        };
        ids.push(send(&db, &spec, &sent).await);
        assert_eq!(stands().await.as_deref(), expected, "after {band_a}");
    }
    // What is opened again does not stand any more.
    for (nth, expected) in [(8, "7 accepted 7"), (6, "8 signed_off 8")] {
        let mut tx = db.begin(&Sees::Everyone).await.unwrap();
        let again = (Verb::SendBack, Some(Verb::Accept));
        hand_over(&mut tx, ids[nth], ARDBEG, again).await;
        tx.commit().await.unwrap();
        assert_eq!(stands().await.as_deref(), Some(expected));
    }
}

fn some_cases<'a>(
    period: Period,
    handed_over: &'a [(Verb, Option<Verb>)],
    rows: &'a [&'a [Option<&'a str>]],
) -> Sent<'a> {
    Sent {
        organisation: ARDBEG,
        period,
        outcome: Outcome::Ready,
        handed_over,
        file_name: "cases.csv",
        rows,
    }
}

fn short(text: &str) -> Vec<String> {
    let names = [
        "organisation_code",
        "period",
        "submission_version",
        "submission_state",
        "REF",
        "COST",
    ];
    columns_of(text, &names)
}

#[tokio::test]
async fn records_that_accumulate_are_the_newest_of_each_key_up_to_the_period() {
    let database = TestDb::new();
    let spec = cases();
    let db = collecting(&spec, &database).await;
    let a = [
        Some("a"),
        Some("2026-04-01"),
        Some("-1.50"),
        Some("0"),
        Some("true"),
        Some("a"),
    ];
    let b = [Some("b"), None, Some("2.00"), None, None, None];
    let b_again = [Some("b"), None, Some("3.00"), None, None, None];
    let a_wrong = [Some("a"), None, Some("9.00"), None, None, None];
    send(&db, &spec, &some_cases(q1(), ACCEPTED, &[&a, &b])).await;
    send(&db, &spec, &some_cases(q2(), SUBMITTED, &[&b_again])).await;
    send(&db, &spec, &some_cases(q2(), &[], &[&a_wrong])).await;

    assert_eq!(
        short(&csv_of(&db, &spec, &q1()).await),
        [
            "S12000001 2026-27-Q1 1 accepted a -1.50",
            "S12000001 2026-27-Q1 1 accepted b 2.00",
        ]
    );
    assert_eq!(
        short(&csv_of(&db, &spec, &q2()).await),
        [
            "S12000001 2026-27-Q1 1 accepted a -1.50",
            "S12000001 2026-27-Q2 1 submitted b 3.00",
        ]
    );
    send(&db, &spec, &some_cases(q1(), SIGNED_OFF, &[&b])).await;
    assert_eq!(
        csv_of(&db, &spec, &q1()).await.lines().count(),
        3,
        "what is not accepted changes nothing of what is"
    );
    send(&db, &spec, &some_cases(q1(), ACCEPTED, &[&b])).await;
    assert_eq!(
        short(&csv_of(&db, &spec, &q1()).await),
        [
            "S12000001 2026-27-Q1 1 accepted a -1.50",
            "S12000001 2026-27-Q1 3 accepted b 2.00",
        ]
    );
}

#[tokio::test]
async fn several_periods_of_records_that_accumulate_have_what_was_sent_for_them() {
    let database = TestDb::new();
    let spec = cases();
    let db = collecting(&spec, &database).await;
    let case = |name: &'static str, cost| [Some(name), None, Some(cost), None, None, None];
    let (a, b, b_again) = (case("a", "1.00"), case("b", "2.00"), case("b", "3.00"));
    send(&db, &spec, &some_cases(q1(), ACCEPTED, &[&a, &b])).await;
    send(&db, &spec, &some_cases(q2(), ACCEPTED, &[&b_again])).await;
    let rows = async |from: Period, to: &Period| {
        let span = Wanted {
            from: Some(from),
            ..everything()
        };
        let made = made(&db, &spec, to, &span).await;
        short(&text(&db, &spec, &made).await)
    };
    let both = [
        "S12000001 2026-27-Q1 1 accepted a 1.00",
        "S12000001 2026-27-Q2 1 accepted b 3.00",
    ];
    assert_eq!(rows(q1(), &q2()).await, both);
    assert_eq!(
        rows(q2(), &q2()).await,
        both,
        "one period has all before it"
    );
    // As if the first period had come before the span.
    let later = Period {
        start: q2().start,
        end: q1().end + chrono::Days::new(1),
        ..q2()
    };
    assert_eq!(rows(later, &q2()).await, both[1..]);
}

#[tokio::test]
async fn the_senders_own_columns_are_one_column_of_the_dataset() {
    let database = TestDb::new();
    let spec = ReturnSpec {
        own_columns: Some("own_".to_owned()),
        ..cases()
    };
    let db = collecting(&spec, &database).await;
    let a = [Some("a"), None, None, None, None, None];
    send(&db, &spec, &some_cases(q1(), SUBMITTED, &[&a])).await;
    let text = csv_of(&db, &spec, &q1()).await;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let column = reader.headers().unwrap().len() - 1;
    assert_eq!(&reader.headers().unwrap()[column], "own_columns");
    let row = reader.records().next().unwrap().unwrap();
    assert_eq!(&row[column], r#"{"own_b":"b","own_id":"=K-2"}"#);
}

#[tokio::test]
async fn just_one_organisation_can_be_had() {
    let database = TestDb::new();
    let spec = form();
    let db = collecting(&spec, &database).await;
    for organisation in [ARDBEG, BRORA] {
        send(
            &db,
            &spec,
            &a_form(
                organisation,
                Outcome::Ready,
                SUBMITTED,
                &[&[Some("1"), None, Some("1")]],
            ),
        )
        .await;
    }
    let brora = [BRORA.to_owned()];
    let seen = Wanted {
        sees: Sees::Organisations(brora.to_vec()),
        ..everything()
    };
    let asked = Wanted {
        organisations: &brora,
        ..everything()
    };
    for wanted in [seen, asked] {
        let made = made(&db, &spec, &q1(), &wanted).await;
        let text = text(&db, &spec, &made).await;
        assert_eq!(columns_of(&text, &["organisation_code"]), [BRORA]);
        assert!(!format!("{:?}", made.0.missing).contains(ARDBEG));
    }
}

#[tokio::test]
async fn more_records_than_are_fetched_at_once_are_all_there_in_order() {
    let database = TestDb::new();
    let spec = cases();
    let db = collecting(&spec, &database).await;
    let refs: Vec<String> = (0..=2 * BATCH).map(|n| format!("r{n:05}")).collect();
    let rows: Vec<[Option<&str>; 6]> = refs
        .iter()
        .map(|r| [Some(r.as_str()), None, None, None, None, None])
        .collect();
    let rows: Vec<&[Option<&str>]> = rows.iter().map(<[_; 6]>::as_slice).collect();
    send(
        &db,
        &spec,
        &Sent {
            organisation: ARDBEG,
            period: q1(),
            outcome: Outcome::Ready,
            handed_over: SUBMITTED,
            file_name: "cases.csv",
            rows: &rows,
        },
    )
    .await;
    let text = csv_of(&db, &spec, &q1()).await;
    assert_eq!(columns_of(&text, &["REF"]), refs);
}

#[tokio::test]
async fn more_rows_of_a_form_than_are_fetched_at_once_are_all_there_in_order() {
    let database = TestDb::new();
    let spec = form();
    let db = collecting(&spec, &database).await;
    // Just as many as two fetches give, so that the third gives none.
    let lines: Vec<String> = (0..2 * rows::MOST_ROWS).map(|n| n.to_string()).collect();
    let rows: Vec<[Option<&str>; 3]> = lines
        .iter()
        .map(|line| [Some(line.as_str()), None, Some("1")])
        .collect();
    let rows: Vec<&[Option<&str>]> = rows.iter().map(<[_; 3]>::as_slice).collect();
    for organisation in [BRORA, ARDBEG] {
        let sent = Sent {
            organisation,
            period: q1(),
            outcome: Outcome::Ready,
            file_name: "form.xlsx",
            handed_over: SUBMITTED,
            rows: &rows,
        };
        send(&db, &spec, &sent).await;
    }
    let text = csv_of(&db, &spec, &q1()).await;
    let of = |organisation: &'static str| {
        let lines = lines.iter();
        lines.map(move |line| format!("{organisation} {line}"))
    };
    let expected: Vec<String> = of(ARDBEG).chain(of(BRORA)).collect();
    assert!(columns_of(&text, &["organisation_code", "line"]) == expected);
}

/// A case of each kind of value, and one of none, accepted.
async fn some_of_each(db: &Db, spec: &ReturnSpec) {
    let full = [
        Some("=a"),
        Some("2026-04-01"),
        Some("-1.50"),
        Some("7"),
        Some("true"),
        Some("a"),
    ];
    let blank = [Some("b"), None, None, None, None, None];
    send(db, spec, &some_cases(q1(), ACCEPTED, &[&full, &blank])).await;
}

fn only(items: &[&str], lineage: Lineage) -> Wanted<'static> {
    Wanted {
        columns: Asked {
            items: items.iter().map(|item| (*item).to_owned()).collect(),
            lineage,
            labels: false,
        },
        ..everything()
    }
}

const ALL: [&str; 6] = ["REF", "OPENED", "COST", "N", "URGENT", "KIND"];

#[tokio::test]
async fn every_format_has_the_same_values_of_their_kinds() {
    let database = TestDb::new();
    let spec = cases();
    let db = collecting(&spec, &database).await;
    some_of_each(&db, &spec).await;
    let made = made(&db, &spec, &q1(), &only(&ALL, Lineage::None)).await;

    let lines = bytes_in(&db, &spec, &made, Format::Jsonl).await;
    let lines = String::from_utf8(lines).unwrap();
    assert_eq!(
        lines
            .lines()
            .map(|line| line.split_once("\"REF\"").unwrap().1)
            .collect::<Vec<_>>(),
        [
            r#":"=a","OPENED":"2026-04-01","COST":-1.50,"N":7,"URGENT":true,"KIND":"a"}"#,
            r#":"b","OPENED":null,"COST":null,"N":null,"URGENT":null,"KIND":null}"#,
        ]
    );
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["submission_version"], 1);

    let parquet = bytes_in(&db, &spec, &made, Format::Parquet).await;
    let file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut &file, &parquet).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file);
    let batch = reader.unwrap().build().unwrap().next().unwrap().unwrap();
    let kinds: Vec<String> = ALL
        .iter()
        .map(|name| {
            batch
                .schema()
                .field_with_name(name)
                .unwrap()
                .data_type()
                .to_string()
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "Utf8",
            "Date32",
            "Decimal128(38, 2)",
            "Int64",
            "Boolean",
            "Utf8"
        ]
    );
    let shown = format!("{:?}", batch.column_by_name("COST").unwrap());
    assert!(shown.contains("-150") && shown.contains("null"), "{shown}");

    let xlsx = bytes_in(&db, &spec, &made, Format::Xlsx).await;
    let workbook = sheet::read(&xlsx, "a.xlsx", &sheet::Limits::default()).unwrap();
    let names: Vec<&str> = workbook
        .sheets
        .iter()
        .map(|sheet| sheet.name.as_str())
        .collect();
    assert_eq!(names, ["Data", "Notes", "Dictionary"]);
    let on = |idx: usize| format!("{:?}", workbook.sheets[idx].cells);
    assert!(
        on(0).contains("\"=a\"") && on(0).contains("-1.5"),
        "{}",
        on(0)
    );
    assert!(on(1).contains("Brora (S12000002), 2026-27-Q1"), "{}", on(1));
    assert!(on(2).contains("What COST is."), "{}", on(2));
}

#[tokio::test]
async fn a_text_that_no_cell_holds_is_cut_in_a_workbook_and_whole_in_the_other_formats() {
    let database = TestDb::new();
    let spec = cases();
    let db = collecting(&spec, &database).await;
    let long = "\u{e9}".repeat(40_000);
    let row = |reference| [Some(reference), None, None, None, None, None];
    let rows = [row("a"), row(&long)];
    send(
        &db,
        &spec,
        &some_cases(q1(), ACCEPTED, &[&rows[0], &rows[1]]),
    )
    .await;
    let made = made(&db, &spec, &q1(), &everything()).await;
    assert!(text(&db, &spec, &made).await.contains(&long));
    let xlsx = bytes_in(&db, &spec, &made, Format::Xlsx).await;
    let workbook = sheet::read(&xlsx, "a.xlsx", &sheet::Limits::default()).unwrap();
    let on = |idx: usize| format!("{:?}", workbook.sheets[idx].cells);
    assert!(!on(0).contains(&long));
    assert!(on(0).contains(" … [cut: 7300 more characters]"));
    assert!(
        on(1).contains("cut where \\\"[cut: …]\\\" says so: 1."),
        "{}",
        on(1)
    );
}

#[tokio::test]
async fn the_same_versions_are_the_same_bytes_and_others_have_another_tag() {
    let database = TestDb::new();
    let spec = cases();
    let db = collecting(&spec, &database).await;
    some_of_each(&db, &spec).await;
    let before = made(&db, &spec, &q1(), &everything()).await;
    let again = made(&db, &spec, &q1(), &everything()).await;
    let mut tags = std::collections::BTreeSet::new();
    for format in Format::ALL {
        let tag_of = |made: &(Manifest, Arc<Shape>)| tag(&made.0, &made.1, format).unwrap();
        assert_eq!(tag_of(&before), tag_of(&again));
        let bytes = bytes_in(&db, &spec, &before, format).await;
        assert!(
            bytes == bytes_in(&db, &spec, &again, format).await,
            "{format:?}"
        );
        tags.insert(tag_of(&before));
    }
    assert_eq!(tags.len(), Format::ALL.len());
    let csv = bytes_in(&db, &spec, &before, Format::Csv).await;
    let z = [Some("z"), None, None, None, None, None];
    send(&db, &spec, &some_cases(q1(), ACCEPTED, &[&z])).await;
    let after = made(&db, &spec, &q1(), &everything()).await;
    let tag_of = |made: &(Manifest, Arc<Shape>)| tag(&made.0, &made.1, Format::Csv).unwrap();
    assert_ne!(tag_of(&before), tag_of(&after));
    // What was determined before is what it was.
    assert!(csv == bytes_in(&db, &spec, &before, Format::Csv).await);
    assert_eq!(text(&db, &spec, &after).await.lines().count(), 4);
}

#[tokio::test]
async fn only_the_columns_that_are_asked_for_are_there() {
    let database = TestDb::new();
    let mut spec = cases();
    spec.own_columns = Some("own_".to_owned());
    let db = collecting(&spec, &database).await;
    some_of_each(&db, &spec).await;
    let made = made(&db, &spec, &q1(), &only(&["COST", "REF"], Lineage::None)).await;
    let text = text(&db, &spec, &made).await;
    assert_eq!(
        text.lines().next().unwrap(),
        "organisation_code,organisation_name,period,period_start,period_end,submission_version,submission_state,REF,COST"
    );
    let wanted = only(&["NOTHING"], Lineage::None);
    let refused = Shape::of(&[spec.clone()], &spec, "case", &made.0, &wanted.columns);
    assert!(matches!(refused, Err(ShapeError::UnknownItem { .. })));
}

#[tokio::test]
async fn codes_have_what_they_mean_beside_them_and_the_gss_code_of_an_organisation() {
    let database = TestDb::new();
    let mut spec = cases();
    let code = |code: &str, label: &str, to: Option<&str>| spec::Code {
        code: code.to_owned(),
        label: label.to_owned(),
        valid_from: None,
        valid_to: to.map(testkit::returns::day),
        source: "tests".to_owned(),
        confidence: spec::Confidence::Inferred,
    };
    let mut later = code("a", "After", None);
    later.valid_from = Some(testkit::returns::day("2026-04-01"));
    let list = spec::CodeList {
        name: "kinds".to_owned(),
        codes: vec![
            code("a", "Before", Some("2026-03-31")),
            later,
            code("b", "Brora", None),
        ],
    };
    let kind = spec.tables[0]
        .items
        .iter_mut()
        .find(|item| item.name == "KIND");
    kind.unwrap().codes = Some(spec::CodeRef { list, as_at: None });
    let db = collecting(&spec, &database).await;
    let owner = database.connect_as_owner().await;
    let mut tx = owner.begin(&Sees::Everyone).await.unwrap();
    let mut brora = testkit::returns::organisations().0.remove(1);
    brora.sg_code = Some("b".to_owned());
    organisations::put(&mut tx, &brora).await.unwrap();
    tx.commit().await.unwrap();
    let of =
        |name: &'static str, kind: &'static str| [Some(name), None, None, None, None, Some(kind)];
    send(
        &db,
        &spec,
        &some_cases(q1(), ACCEPTED, &[&of("1", "a"), &of("2", "b")]),
    )
    .await;
    let text = csv_of(&db, &spec, &q1()).await;
    assert_eq!(
        columns_of(&text, &["KIND", "KIND_label", "KIND_gss"]),
        ["a After ", "b Brora S12000002"]
    );
}

#[tokio::test]
async fn who_is_missing_is_said_and_what_is_provisional_can_be_left_out() {
    let database = TestDb::new();
    let spec = form();
    let db = collecting(&spec, &database).await;
    let rows: &'static [&'static [Option<&'static str>]] = &[&[Some("1"), None, Some("1")]];
    send(&db, &spec, &a_form(ARDBEG, Outcome::Ready, SUBMITTED, rows)).await;
    let (manifest, _) = made(&db, &spec, &q1(), &everything()).await;
    assert_eq!(
        (manifest.submissions.len(), manifest.n_provisional()),
        (1, 1)
    );
    let missing = |manifest: &Manifest| -> Vec<String> {
        let missing = manifest.missing.iter();
        missing
            .map(|missing| missing.organisation.clone())
            .collect()
    };
    assert_eq!(missing(&manifest), [BRORA]);
    let accepted = Wanted {
        only_accepted: true,
        ..everything()
    };
    let (manifest, _) = made(&db, &spec, &q1(), &accepted).await;
    assert!(manifest.submissions.is_empty());
    assert_eq!(missing(&manifest), [ARDBEG, BRORA]);
}

#[tokio::test]
async fn several_periods_are_one_table_by_organisation_and_period() {
    let database = TestDb::new();
    let spec = form();
    let db = collecting(&spec, &database).await;
    let one: &'static [&'static [Option<&'static str>]] = &[&[Some("1"), None, Some("1")]];
    for (organisation, period) in [(BRORA, q1()), (ARDBEG, q2()), (ARDBEG, q1())] {
        let sent = Sent {
            period,
            ..a_form(organisation, Outcome::Ready, ACCEPTED, one)
        };
        send(&db, &spec, &sent).await;
    }
    let span = Wanted {
        from: Some(q1()),
        ..everything()
    };
    let made = made(&db, &spec, &q2(), &span).await;
    let text = text(&db, &spec, &made).await;
    assert_eq!(
        columns_of(&text, &["organisation_code", "period"]),
        [
            "S12000001 2026-27-Q1",
            "S12000001 2026-27-Q2",
            "S12000002 2026-27-Q1"
        ]
    );
    let missing: Vec<&str> = made
        .0
        .missing
        .iter()
        .map(|missing| missing.period_label.as_str())
        .collect();
    assert_eq!(missing, ["2026-27-Q2"]);
}

mod suppressed;
mod versions;

#[test]
fn no_two_columns_of_any_return_have_the_same_name() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../return-specs");
    let specs = spec::load_all(&root).unwrap();
    let mut n_renamed = 0;
    for spec in &specs {
        let part = Part {
            label: "of no round".to_owned(),
            start: spec.valid_from,
            end: spec.valid_from,
        };
        let manifest = Manifest {
            return_id: spec.id.clone(),
            from: part.clone(),
            to: part,
            accumulates: false,
            only_accepted: false,
            organisations: Vec::new(),
            submissions: Vec::new(),
            missing: Vec::new(),
            versions: vec![(spec.version.clone(), spec.hash.clone())],
            codes: Vec::new(),
        };
        for table in &spec.tables {
            let shape = Shape::of(&specs, spec, &table.name, &manifest, &Asked::default()).unwrap();
            let mut names = std::collections::BTreeSet::new();
            for column in &shape.columns {
                let is_new = names.insert(column.name.to_ascii_lowercase());
                assert!(is_new, "{} {}: {}", spec.id, table.name, column.name);
            }
            for item in &table.items {
                let name = column_name(table, item);
                n_renamed += usize::from(name != item.name);
                let title = shape.columns.iter().find(|column| column.name == name);
                assert_eq!(
                    title.map(|column| &column.title),
                    Some(&item.title),
                    "{name}"
                );
            }
        }
    }
    assert!(
        n_renamed > 0,
        "some items are called as every dataset's columns are"
    );
}
