//! What counts for a period, and where it was read.

use access::ActorId;
use cycle::Verb;
use db::records::Block;
use db::submissions::{NewSubmission, TableRows};
use db::{Db, Tx, cycles, handovers, organisations, records, returns, submissions};
use finding::Outcome;
use spec::{Period, ReturnSpec};
use testkit::TestDb;
use testkit::returns::{cases, financial_quarter, form};
use uuid::Uuid;

use super::*;

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

async fn csv_of(db: &Db, spec: &ReturnSpec, period: &str) -> String {
    let mut out = Vec::new();
    consolidated_csv(db, &Sees::Everyone, spec, &spec.tables[0], period, &mut out)
        .await
        .unwrap();
    String::from_utf8(out).unwrap()
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
    assert_eq!(
        csv_of(&db, &spec, "2026-27-Q1").await,
        format!(
            "organisation_code,organisation_name,period,submission_version,submission_state,source_file,source_sha256,source_sheet,source_row,line,organisation,band_a,line_cell,organisation_cell,band_a_cell\n\
             S12000001,Ardbeg,2026-27-Q1,1,accepted,form.xlsx,{sha},Sheet,2,1,,5,A2,D2,E2\n\
             S12000001,Ardbeg,2026-27-Q1,1,accepted,form.xlsx,{sha},Sheet,3,2,'-x,6,A3,D3,E3\n\
             S12000002,Brora,2026-27-Q1,1,submitted,form.xlsx,{sha},Sheet,2,1,'=cmd,7,A2,D2,E2\n"
        )
    );
    assert_eq!(csv_of(&db, &spec, "2026-27-Q2").await.lines().count(), 1);
}

#[tokio::test]
async fn what_is_accepted_stands_until_a_newer_one_is_and_before_that_what_came_farthest() {
    let database = TestDb::new();
    let spec = form();
    let db = collecting(&spec, &database).await;
    let stands = async || {
        let text = csv_of(&db, &spec, "2026-27-Q1").await;
        let rows: Vec<&str> = text.lines().skip(1).collect();
        assert!(rows.len() <= 1, "{text}");
        rows.first().map(|row| {
            let fields: Vec<&str> = row.split(',').collect();
            [fields[3], fields[4], fields[11]].join(" ")
        })
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

/// Rows as `organisation period version state REF COST`.
fn short(text: &str) -> Vec<String> {
    text.lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            [0, 2, 3, 4, 9, 11].map(|idx| fields[idx]).join(" ")
        })
        .collect()
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
        short(&csv_of(&db, &spec, "2026-27-Q1").await),
        [
            "S12000001 2026-27-Q1 1 accepted a -1.50",
            "S12000001 2026-27-Q1 1 accepted b 2.00",
        ]
    );
    assert_eq!(
        short(&csv_of(&db, &spec, "2026-27-Q2").await),
        [
            "S12000001 2026-27-Q1 1 accepted a -1.50",
            "S12000001 2026-27-Q2 1 submitted b 3.00",
        ]
    );
    send(&db, &spec, &some_cases(q1(), SIGNED_OFF, &[&b])).await;
    assert_eq!(
        csv_of(&db, &spec, "2026-27-Q1").await.lines().count(),
        3,
        "what is not accepted changes nothing of what is"
    );
    send(&db, &spec, &some_cases(q1(), ACCEPTED, &[&b])).await;
    assert_eq!(
        short(&csv_of(&db, &spec, "2026-27-Q1").await),
        [
            "S12000001 2026-27-Q1 1 accepted a -1.50",
            "S12000001 2026-27-Q1 3 accepted b 2.00",
        ]
    );
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
    let text = csv_of(&db, &spec, "2026-27-Q1").await;
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
    let mut out = Vec::new();
    let n = consolidated_csv(
        &db,
        &Sees::Organisations(vec![BRORA.to_owned()]),
        &spec,
        &spec.tables[0],
        "2026-27-Q1",
        &mut out,
    )
    .await
    .unwrap();
    assert_eq!(n, 1);
    assert!(!String::from_utf8(out).unwrap().contains(ARDBEG));
}

#[tokio::test]
async fn more_records_than_are_fetched_at_once_are_all_there_in_order() {
    let database = TestDb::new();
    let spec = cases();
    let db = collecting(&spec, &database).await;
    let refs: Vec<String> = (0..1_201).map(|n| format!("r{n:05}")).collect();
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
    let text = csv_of(&db, &spec, "2026-27-Q1").await;
    let in_order: Vec<String> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(9).unwrap_or_default().to_owned())
        .collect();
    assert_eq!(in_order, refs);
}
