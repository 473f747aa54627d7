//! One key one version, one assessment one effect; what stands stays until something better comes.

mod attention;
mod beginning;
mod calendar_feeds;
mod collection;
mod compare;
mod explanations;
mod handover;
mod lake;
mod look;
mod news;
mod parcels;
mod releases;
mod releases_killed;
mod reminders;
mod rounds;
mod schedules;
mod series;
mod year;

use std::path::PathBuf;

use access::{Action, ActorId, Grant, Reach, Role};
use assess::{
    ColumnBlock, Comparison, ComparisonKind, FileFacts, Head, OwnBlock, RowBlock, RuleCount,
    TableAccount,
};
use child::{ChildError, Part};
use chrono::{DateTime, Utc};
use db::Db;
use files::{Files, FilesError};
use finding::{Finding, Outcome, Severity};
use queue::{Runner, Settings};
use sha2::{Digest, Sha256};
use spec::{OtherPeriod, Period, ReturnSpec};
use tempfile::TempDir;
use testkit::TestDb;
use testkit::returns::{day, financial_quarter, form};
use uuid::Uuid;

use super::*;

const ARDBEG: &str = "S12000001";
const BRORA: &str = "S12000002";
/// A council that does not answer the returns for tests.
const CRAIL: &str = "S12000003";
/// What the sender's own column holds in every row, and beside every finding.
const OWN: &str = "the sender's own key";

struct World {
    database: TestDb,
    db: Db,
    /// May make tables.
    owner: Db,
    dir: TempDir,
    files: Files,
    spec: ReturnSpec,
}

fn system() -> Actor {
    Actor::system("tests")
}

/// Somebody who sends an organisation's returns.
fn council(code: &str) -> Actor {
    person(Role::Uploader, Reach::Organisation(code.to_owned()))
}

fn person(role: Role, reach: Reach) -> Actor {
    Actor {
        id: ActorId::Person(Uuid::from_u128(1)),
        name: "Someone".to_owned(),
        grants: vec![Grant { role, reach }],
    }
}

/// A submission as its organisation or the product sees it.
async fn found(db: &Db, actor: &Actor, id: Uuid) -> Option<Submission> {
    match submission(db, actor, Action::SeeSubmission, id).await {
        Ok(submission) => Some(submission),
        Err(Denied::NotThere) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Long after everything that is received here.
fn now() -> DateTime<Utc> {
    "2026-11-26T09:00:00Z".parse().unwrap()
}

fn q1() -> Period {
    financial_quarter("2026-27-Q1", "2026-04-01", "2026-06-30")
}

/// The form is collected for one quarter, from 1 July 2026.
async fn world() -> World {
    let database = TestDb::new();
    let db = database.connect().await;
    let owner = database.connect_as_owner().await;
    let dir = tempfile::tempdir().unwrap();
    let files = Files::open(&files::Config::Folder(dir.path().join("store"))).unwrap();
    let spec = form();
    let organisations = testkit::returns::organisations();
    for _ in 0..2 {
        publish_returns(
            &owner,
            &system(),
            std::slice::from_ref(&spec),
            &organisations,
        )
        .await
        .unwrap();
        open_cycle(
            &db,
            &system(),
            &spec,
            &q1(),
            day("2026-07-01"),
            day("2026-07-31"),
        )
        .await
        .unwrap();
    }
    World {
        database,
        db,
        owner,
        dir,
        files,
        spec,
    }
}

impl World {
    fn upload(&self, key: &str, bytes: &str) -> NewUpload {
        let sha256 = sha256(bytes);
        let path: PathBuf = self.dir.path().join(&sha256);
        std::fs::write(&path, bytes).unwrap();
        NewUpload {
            organisation: ARDBEG.to_owned(),
            return_id: "form".to_owned(),
            period: "2026-27-Q1".to_owned(),
            file_name: "form.xlsx".to_owned(),
            path,
            sha256,
            bytes: bytes.len() as u64,
            idempotency_key: key.to_owned(),
            contact_email: Some("someone@example.org".to_owned()),
            received_at: "2026-07-20T09:05:00.123456789Z".parse().unwrap(),
        }
    }

    async fn receive(&self, upload: NewUpload) -> Result<Receipt, ReceiveError> {
        let actor = council(&upload.organisation);
        receive(&self.db, &self.files, &actor, upload).await
    }

    /// Receives a file with these bytes and stores an assessment of it.
    async fn send(&self, bytes: &str, outcome: Outcome) -> Uuid {
        let receipt = self.receive(self.upload(bytes, bytes)).await.unwrap();
        self.load(receipt.submission_id, bytes, outcome).await;
        receipt.submission_id
    }

    /// As [`World::send`], and hands it over, so that it stands.
    async fn hand_in(&self, bytes: &str) -> Uuid {
        let id = self.send(bytes, Outcome::Ready).await;
        self.submit(id).await;
        id
    }

    async fn submit(&self, id: Uuid) {
        let done = submit(&self.db, &system(), id, now()).await;
        assert_eq!(done.unwrap(), HandedOver::Now);
    }

    async fn load(&self, id: Uuid, bytes: &str, outcome: Outcome) {
        let parts = self.assessment(bytes, outcome).into_iter().map(Ok);
        let loaded = load(&self.db, &system(), id, &self.spec, parts).await;
        assert_eq!(loaded.unwrap(), Loaded::Stored(outcome));
    }

    fn found(outcome: Outcome) -> Vec<Finding> {
        match outcome {
            Outcome::Ready => Vec::new(),
            Outcome::NeedsExplanation => vec![a_finding(Severity::Query)],
            Outcome::NeedsCorrection => vec![a_finding(Severity::Error), a_finding(Severity::Note)],
            Outcome::Refused => vec![a_finding(Severity::Blocker)],
        }
    }

    fn n_loaded(outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Ready | Outcome::NeedsExplanation => 2,
            Outcome::NeedsCorrection => 1,
            Outcome::Refused => 0,
        }
    }

    fn head(&self, bytes: &str, outcome: Outcome) -> Head {
        let (findings, n_loaded) = (Self::found(outcome), Self::n_loaded(outcome));
        Head {
            return_id: self.spec.id.clone(),
            version: self.spec.version.clone(),
            spec_hash: self.spec.hash.clone(),
            organisation: Some(ARDBEG.to_owned()),
            period: Some("2026-27-Q1".to_owned()),
            outcome,
            file: FileFacts {
                name: "form.xlsx".to_owned(),
                sha256: sha256(bytes),
                bytes: bytes.len() as u64,
            },
            tables: vec![TableAccount {
                name: "form".to_owned(),
                sheet: "Form".to_owned(),
                n_rows: 2,
                loaded: n_loaded,
                rejected: 2 - n_loaded,
                ignored: 0,
                ignored_rows: Vec::new(),
                columns: [("line", "A"), ("organisation", "D"), ("band_a", "E")]
                    .map(|(item, letters)| (item.to_owned(), letters.to_owned()))
                    .into(),
            }],
            ignored_sheets: Vec::new(),
            counts: findings
                .iter()
                .map(|finding| RuleCount {
                    severity: finding.severity,
                    rule: finding.rule.clone(),
                    n: 1,
                })
                .collect(),
            compared_with: vec![Comparison {
                kind: ComparisonKind::Return,
                name: "cases".to_owned(),
                title: "CASES".to_owned(),
                version: Some("1.0".to_owned()),
                spec_hash: Some("hash-1".to_owned()),
                sha256: None,
                rules_not_run: vec!["form.not-as-cases".into()],
            }],
        }
    }

    /// Two lines of the form, one of them rejected where there is something to fix.
    fn assessment(&self, bytes: &str, outcome: Outcome) -> Vec<Part> {
        let head = self.head(bytes, outcome);
        let (findings, n_loaded) = (Self::found(outcome), Self::n_loaded(outcome));
        let mut parts = vec![Part::Head(Box::new(head)), Part::Findings(findings)];
        for row in 0..n_loaded {
            parts.push(Part::Rows(a_row(row, bytes)));
        }
        parts
    }

    /// The whole state that a replay must not change.
    async fn counted(&self) -> Vec<i64> {
        let (client, connection) =
            tokio_postgres::connect(&self.database.url(), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        let mut counts = Vec::new();
        for table in [
            "submission",
            "submission_table",
            "finding",
            "event",
            "email",
            "job",
            "file",
            "ret.form_v1_0_form",
            "handover",
            "message",
        ] {
            let row = client
                .query_one(&format!("SELECT count(*) FROM {table}"), &[])
                .await
                .unwrap();
            counts.push(row.get(0));
        }
        counts
    }

    async fn csv(&self) -> String {
        self.csv_of(&figures(&system(), &self.spec.id).unwrap())
            .await
    }

    /// What is in the dataset of the first quarter.
    async fn collected(&self, figures: &Figures) -> Dataset {
        let period = q1();
        let wanted = WantedDataset {
            versions: std::slice::from_ref(&self.spec),
            spec: &self.spec,
            table: "form",
            from: &period,
            to: &period,
            organisations: &[],
            only_accepted: false,
            columns: &::dataset::Asked::default(),
        };
        dataset(&self.db, figures, &wanted).await.unwrap()
    }

    /// Who has to answer and did not, by the dataset.
    async fn missing(&self) -> Vec<String> {
        let figures = figures(&system(), &self.spec.id).unwrap();
        let missing = self.collected(&figures).await.manifest.missing;
        missing.into_iter().map(|one| one.organisation).collect()
    }

    async fn csv_of(&self, figures: &Figures) -> String {
        let versions = std::slice::from_ref(&self.spec);
        let dataset = self.collected(figures).await;
        let mut out = Vec::new();
        write_dataset(
            &self.db,
            figures,
            versions,
            &dataset,
            ::dataset::Format::Csv,
            &mut out,
        )
        .await
        .unwrap();
        String::from_utf8(out).unwrap()
    }
}

fn sha256(bytes: &str) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn a_finding(severity: Severity) -> Finding {
    Finding::new(
        format!("form.a-{severity}"),
        severity,
        "Something\0 is odd.",
        "Mend it.",
    )
    .in_table("form")
    .at_cell("Form!E3".parse().unwrap())
    .on_item("band_a")
    .with_value("12")
    .with_own([("own_id".to_owned(), OWN.to_owned())].into())
}

fn a_row(row: u64, text: &str) -> RowBlock {
    let column = |item: &str, value: String| ColumnBlock {
        item: item.to_owned(),
        values: vec![Some(value)],
    };
    RowBlock {
        own: vec![OwnBlock {
            heading: "own_id".to_owned(),
            values: vec![Some(OWN.to_owned())],
        }],
        table: "form".to_owned(),
        row_numbers: vec![u32::try_from(row).unwrap() + 2],
        columns: vec![
            column("line", (row + 1).to_string()),
            column("organisation", text.to_owned()),
            column("band_a", "7".to_owned()),
        ],
    }
}

#[tokio::test]
async fn a_file_is_received_with_a_job_a_receipt_and_an_event() {
    let world = world().await;
    let before = world.counted().await;
    let receipt = world.receive(world.upload("k1", "one")).await.unwrap();
    assert_eq!((receipt.version_number, receipt.repeated), (1, false));
    let after = world.counted().await;
    let added: Vec<i64> = after.iter().zip(&before).map(|(a, b)| a - b).collect();
    // One submission, event, email and file; the assess job and the email's.
    assert_eq!(added, [1, 0, 0, 1, 1, 2, 1, 0, 0, 0]);

    let submission = found(&world.db, &system(), receipt.submission_id)
        .await
        .unwrap();
    assert_eq!(submission.state, cycle::SubmissionState::Received);
    assert_eq!(submission.uploaded_by, "Someone");
    world.files.verify(&submission.file_key).await.unwrap();
}

#[tokio::test]
async fn a_sender_without_an_address_gets_no_mail() {
    let world = world().await;
    let upload = NewUpload {
        contact_email: None,
        ..world.upload("k1", "one")
    };
    let id = world.receive(upload).await.unwrap().submission_id;
    world.load(id, "one", Outcome::Ready).await;
    let emails = emails_of(&world.db, &system(), id).await.unwrap().unwrap();
    assert!(emails.is_empty(), "{emails:?}");
}

#[tokio::test]
async fn the_same_key_and_file_give_the_same_receipt() {
    let world = world().await;
    let first = world.receive(world.upload("k1", "one")).await.unwrap();
    let before = world.counted().await;
    let second = world.receive(world.upload("k1", "one")).await.unwrap();
    assert_eq!(
        second,
        Receipt {
            repeated: true,
            ..first
        }
    );
    assert_eq!(world.counted().await, before);
}

#[tokio::test]
async fn the_same_request_many_times_at_once_makes_one_version() {
    let world = world().await;
    let uploads = (0..6).map(|_| world.receive(world.upload("k1", "one")));
    let mut ids = Vec::new();
    for receipt in futures_util::future::join_all(uploads).await {
        ids.push(receipt.unwrap().submission_id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(world.counted().await[0], 1);
}

#[tokio::test]
async fn a_key_is_not_for_another_file() {
    let world = world().await;
    world.receive(world.upload("k1", "one")).await.unwrap();
    let error = world.receive(world.upload("k1", "two")).await.unwrap_err();
    assert!(
        matches!(error, ReceiveError::IdempotencyKeyReused),
        "{error}"
    );
}

#[tokio::test]
async fn versions_count_from_one() {
    let world = world().await;
    let uploads = (1..=4).map(|n| world.receive(world.upload(&format!("k{n}"), "one")));
    let mut numbers: Vec<u32> = futures_util::future::join_all(uploads)
        .await
        .into_iter()
        .map(|receipt| receipt.unwrap().version_number)
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4]);
}

#[tokio::test]
async fn what_can_not_be_received_is_named_and_leaves_nothing() {
    let world = world().await;
    let before = world.counted().await;
    let good = || world.upload("k1", "one");
    let cases: [(NewUpload, &str); 7] = [
        (
            NewUpload {
                organisation: "S12999999".to_owned(),
                ..good()
            },
            "no organisation has the code S12999999",
        ),
        (
            NewUpload {
                return_id: "other".to_owned(),
                ..good()
            },
            "no return is called other",
        ),
        (
            NewUpload {
                period: "2026-27-Q2".to_owned(),
                ..good()
            },
            "form is not collected for 2026-27-Q2",
        ),
        (
            NewUpload {
                organisation: CRAIL.to_owned(),
                ..good()
            },
            "S12000003 does not owe form for 2026-27-Q1",
        ),
        (
            NewUpload {
                // 1 July in Scotland begins at 23:00 UTC the day before.
                received_at: "2026-06-30T22:59:59Z".parse().unwrap(),
                ..good()
            },
            "form for 2026-27-Q1 is open from 2026-07-01",
        ),
        (
            NewUpload {
                contact_email: Some("someone@".to_owned()),
                ..good()
            },
            "the contact address is no email address",
        ),
        (
            NewUpload {
                sha256: sha256("something else"),
                ..good()
            },
            "the bytes of originals/",
        ),
    ];
    for (upload, expected) in cases {
        let error = world.receive(upload).await.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let as_brora = council(BRORA);
    let error = receive(&world.db, &world.files, &as_brora, good())
        .await
        .unwrap_err();
    assert!(
        matches!(error, ReceiveError::Denied(Denied::NotThere)),
        "{error}"
    );
    assert_eq!(world.counted().await, before);
}

#[tokio::test]
async fn a_file_that_the_store_lost_is_not_received() {
    let world = world().await;
    let upload = world.upload("k1", "one");
    let kept = world
        .dir
        .path()
        .join("store")
        .join(files::key_of(&upload.sha256).unwrap());
    std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
    std::fs::write(kept, "ONE").unwrap();
    let error = world.receive(upload).await.unwrap_err();
    assert!(
        matches!(error, ReceiveError::Files(FilesError::Integrity { .. })),
        "{error}"
    );
}

#[tokio::test]
async fn the_senders_own_columns_are_stored_and_reach_no_email_and_no_event() {
    let world = world().await;
    let id = world.send("one", Outcome::NeedsCorrection).await;
    let stored = findings(&world.db, &system(), id, 0, 9).await.unwrap();
    assert!(
        stored
            .unwrap()
            .iter()
            .all(|f| f.finding.own["own_id"] == OWN)
    );
    let (client, connection) =
        tokio_postgres::connect(&world.database.url(), tokio_postgres::NoTls)
            .await
            .unwrap();
    tokio::spawn(connection);
    let n_with_own = async |table: &str| -> (i64, i64) {
        let sql = format!(
            "SELECT count(*), count(*) FILTER (WHERE strpos(t::text, 'own key') > 0) FROM {table} t"
        );
        let row = client.query_one(&sql, &[]).await.unwrap();
        (row.get(0), row.get(1))
    };
    let (n_records, with_own) = n_with_own("ret.form_v1_0_form").await;
    assert!(n_records > 0);
    assert_eq!(with_own, n_records);
    for table in ["email", "event", "job"] {
        let (n, with_own) = n_with_own(table).await;
        assert!(n > 0, "{table}");
        assert_eq!(with_own, 0, "{table}");
    }
}

#[tokio::test]
async fn an_assessment_is_stored_whole() {
    let world = world().await;
    let id = world.send("one", Outcome::NeedsCorrection).await;
    let stored = found(&world.db, &system(), id).await.unwrap();
    assert_eq!(stored.outcome, Some(Outcome::NeedsCorrection));
    assert_eq!(stored.state, cycle::SubmissionState::NeedsCorrection);

    let first = findings(&world.db, &system(), id, 0, 1)
        .await
        .unwrap()
        .unwrap();
    let rest = findings(&world.db, &system(), id, first[0].ordinal, 10)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((first.len(), rest.len()), (1, 1));
    assert_eq!(
        first[0].finding,
        Finding {
            message: "Something\u{fffd} is odd.".to_owned(),
            ..a_finding(Severity::Error)
        }
    );
    assert_eq!(rest[0].ordinal, 2);
    let counts = finding_counts(&world.db, &system(), id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(counts.len(), 2);
    assert_eq!(counts[0].severity, Severity::Error);
    let account = &accounts(&world.db, &system(), id).await.unwrap().unwrap()[0];
    assert_eq!(
        (account.n_rows, account.loaded, account.rejected),
        (2, 1, 1)
    );
    assert_eq!(account.columns["band_a"], "E");
}

#[tokio::test]
async fn storing_an_assessment_again_changes_nothing() {
    let world = world().await;
    let id = world.send("one", Outcome::NeedsExplanation).await;
    let before = world.counted().await;
    let parts = world.assessment("one", Outcome::Ready);
    let again = load(
        &world.db,
        &system(),
        id,
        &world.spec,
        parts.into_iter().map(Ok),
    )
    .await
    .unwrap();
    assert_eq!(again, Loaded::AlreadyStored(Outcome::NeedsExplanation));
    let refused = refuse(&world.db, &system(), id, &world.spec, "No.", "Mend it.")
        .await
        .unwrap();
    assert_eq!(refused, Loaded::AlreadyStored(Outcome::NeedsExplanation));
    assert_eq!(world.counted().await, before);
}

#[tokio::test]
async fn two_workers_with_one_assessment_have_one_effect() {
    let world = world().await;
    let receipt = world.receive(world.upload("k1", "one")).await.unwrap();
    let loads = (0..2).map(|_| {
        load(
            &world.db,
            &ACTOR,
            receipt.submission_id,
            &world.spec,
            world.assessment("one", Outcome::Ready).into_iter().map(Ok),
        )
    });
    let mut loaded: Vec<Loaded> = futures_util::future::join_all(loads)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    loaded.sort_by_key(|loaded| matches!(loaded, Loaded::AlreadyStored(_)));
    assert_eq!(
        loaded,
        [
            Loaded::Stored(Outcome::Ready),
            Loaded::AlreadyStored(Outcome::Ready)
        ]
    );
    assert_eq!(world.counted().await[7], 2);
}

static ACTOR: std::sync::LazyLock<Actor> = std::sync::LazyLock::new(system);

#[tokio::test]
async fn an_assessment_that_breaks_off_or_does_not_add_up_leaves_nothing() {
    let world = world().await;
    let receipt = world.receive(world.upload("k1", "one")).await.unwrap();
    let before = world.counted().await;
    let whole = || world.assessment("one", Outcome::NeedsExplanation);
    let broken = || ChildError::Failed("broken".to_owned());
    let cases: Vec<(Vec<Result<Part, ChildError>>, &str)> = vec![
        (
            whole()
                .into_iter()
                .take(3)
                .map(Ok)
                .chain([Err(broken())])
                .collect(),
            "the return could not be assessed: broken",
        ),
        (
            vec![Err(broken())],
            "the return could not be assessed: broken",
        ),
        (
            Vec::new(),
            "the assessment does not fit together: it is empty",
        ),
        (
            whole().into_iter().skip(1).map(Ok).collect(),
            "the assessment does not fit together: its head did not come first",
        ),
        (
            whole().into_iter().take(3).map(Ok).collect(),
            "the assessment does not fit together: form lacks 1 records",
        ),
        (
            whole()
                .into_iter()
                .enumerate()
                .filter(|(n, _)| *n != 1)
                .map(|(_, part)| Ok(part))
                .collect(),
            "the assessment does not fit together: it has another number of findings than its head says",
        ),
        (
            whole()
                .into_iter()
                .chain([Part::Rows(a_row(7, "more"))])
                .map(Ok)
                .collect(),
            "the assessment does not fit together: form has more records than its head says",
        ),
        (
            world
                .assessment("two", Outcome::Ready)
                .into_iter()
                .map(Ok)
                .collect(),
            "the assessment does not fit together: it is of another file",
        ),
    ];
    for (parts, expected) in cases {
        let error = load(
            &world.db,
            &system(),
            receipt.submission_id,
            &world.spec,
            parts.into_iter(),
        )
        .await
        .unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(world.counted().await, before);
    }
}

#[tokio::test]
async fn a_value_that_the_schema_forbids_can_not_be_stored() {
    let world = world().await;
    let receipt = world.receive(world.upload("k1", "one")).await.unwrap();
    for wrong in [Some("1001".to_owned()), Some("-1".to_owned()), None] {
        let mut parts = world.assessment("one", Outcome::Ready);
        for part in &mut parts {
            if let Part::Rows(block) = part {
                block.columns[2].values = vec![wrong.clone()];
            }
        }
        let error = load(
            &world.db,
            &system(),
            receipt.submission_id,
            &world.spec,
            parts.into_iter().map(Ok),
        )
        .await
        .unwrap_err();
        assert!(
            matches!(error, LoadError::Db(db::DbError::Constraint { .. })),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_file_that_could_not_be_read_is_refused_with_words() {
    let world = world().await;
    let receipt = world.receive(world.upload("k1", "one")).await.unwrap();
    let id = receipt.submission_id;
    refuse(
        &world.db,
        &system(),
        id,
        &world.spec,
        "We could not read this file.",
        "Save it again.",
    )
    .await
    .unwrap();
    let stored = found(&world.db, &system(), id).await.unwrap();
    assert_eq!(stored.state, cycle::SubmissionState::Refused);
    let found = findings(&world.db, &system(), id, 0, 10)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found[0].finding.rule.as_str(), "file.could-not-be-read");
    assert!(to_assess(&world.db, &system(), id).await.unwrap().is_none());
}

#[tokio::test]
async fn what_stands_is_replaced_only_by_what_may_stand() {
    let world = world().await;
    let first = world.send("one", Outcome::Ready).await;
    assert!(!world.csv().await.contains(",one,"), "not submitted yet");
    world.submit(first).await;
    world.send("two", Outcome::NeedsCorrection).await;
    world.send("three", Outcome::Refused).await;
    assert!(world.csv().await.contains(",one,"));
    let owed = obligations(&world.db, &system(), Some(ARDBEG), day("2026-08-02"))
        .await
        .unwrap();
    assert_eq!(owed.len(), 1);
    let submitted = cycle::SubmissionState::Submitted;
    assert_eq!(owed[0].standing, Some((first, submitted)));
    assert_eq!(owed[0].state, cycle::ObligationState::Submitted);
    assert!(!owed[0].is_overdue);
    assert_eq!(owed[0].n_versions, 3);

    let fourth = world.hand_in("four").await;
    let text = world.csv().await;
    assert!(text.contains(",four,") && !text.contains(",one,"), "{text}");
    let states: Vec<_> = submissions_of(&world.db, &system(), None)
        .await
        .unwrap()
        .into_iter()
        .map(|submission| (submission.version_number, submission.state))
        .collect();
    assert_eq!(
        states,
        [
            (4, submitted),
            (3, cycle::SubmissionState::Refused),
            (2, cycle::SubmissionState::NeedsCorrection),
            (1, cycle::SubmissionState::Superseded),
        ]
    );
    let owed = obligations(&world.db, &system(), None, day("2026-08-02"))
        .await
        .unwrap();
    assert_eq!(owed.len(), 2, "Ardbeg's and Brora's");
    assert_eq!(owed[0].standing, Some((fourth, submitted)));
    assert_eq!(owed[1].state, cycle::ObligationState::Overdue);
    assert!(owed[1].is_overdue);
}

#[tokio::test]
async fn an_organisation_sees_its_own_only() {
    let world = world().await;
    let id = world.hand_in("one").await;
    let own = council(ARDBEG);
    let other = council(BRORA);
    let db = &world.db;
    let today = day("2026-07-02");
    for (actor, seen) in [(&own, true), (&other, false)] {
        assert_eq!(found(db, actor, id).await.is_some(), seen);
        assert_eq!(findings(db, actor, id, 0, 9).await.unwrap().is_some(), seen);
        assert_eq!(finding_counts(db, actor, id).await.unwrap().is_some(), seen);
        assert_eq!(accounts(db, actor, id).await.unwrap().is_some(), seen);
        assert_eq!(emails_of(db, actor, id).await.unwrap().is_some(), seen);
        let all = submissions_of(db, actor, None).await.unwrap();
        assert_eq!(all.len(), usize::from(seen));
        let ardbegs = submissions_of(db, actor, Some(ARDBEG)).await.unwrap();
        assert_eq!(ardbegs.len(), usize::from(seen));
        let owed = obligations(db, actor, Some(ARDBEG), today).await.unwrap();
        assert_eq!(owed.len(), usize::from(seen));
        let copy = world.dir.path().join("copy");
        let original = original(db, &world.files, actor, id, &copy).await.unwrap();
        assert_eq!(original.is_some(), seen);
        let figures = figures(actor, &world.spec.id).unwrap();
        let rows = world.csv_of(&figures).await.lines().count() - 1;
        assert_eq!(rows, if seen { 2 } else { 0 });
        assert_eq!(organisations(db, actor).await.unwrap().len(), 1);
    }
    assert_eq!(
        std::fs::read_to_string(world.dir.path().join("copy")).unwrap(),
        "one"
    );
}

#[tokio::test]
async fn each_message_is_sent_once() {
    let world = world().await;
    let id = world.send("one", Outcome::NeedsExplanation).await;
    let mailer = mail::Mailer::new(&mail::Config {
        from: "returns@example.org".to_owned(),
        transport: mail::Transport::Memory,
    })
    .unwrap();
    let send = |db: Db, mailer: mail::Mailer| {
        move |job: SendEmailJob, _| {
            let (db, mailer) = (db.clone(), mailer.clone());
            async move {
                // Twice, as after a crash.
                for _ in 0..2 {
                    let Some(email) =
                        email_to_send(&db, &system(), job.email_id, "https://returns.example")
                            .await?
                    else {
                        continue;
                    };
                    mailer.send(&email).await?;
                    mark_email_sent(&db, &system(), job.email_id).await?;
                }
                Ok(())
            }
        }
    };
    let runner = Runner::new(world.db.clone(), Settings::default())
        .handle(SendEmailJob::KIND, send(world.db.clone(), mailer.clone()));
    assert_eq!(runner.run_due().await.unwrap(), 2);
    let sent = mailer.sent();
    let subjects: Vec<&str> = sent.iter().map(|email| email.subject.as_str()).collect();
    assert_eq!(
        subjects,
        [
            "Received: Form, April to June 2026 (2026-27 Q1)",
            "Please explain: Form, April to June 2026 (2026-27 Q1)",
        ]
    );
    assert!(sent.iter().all(|email| email.to == "someone@example.org"));
    assert!(
        sent[1]
            .text
            .contains(&format!("https://returns.example/submissions/{id}"))
    );
    let states = emails_of(&world.db, &system(), id).await.unwrap().unwrap();
    assert!(states.iter().all(|email| email.state == "sent"));
}

#[tokio::test]
async fn a_message_that_can_not_be_delivered_is_given_up_after_eight_attempts() {
    let world = world().await;
    let receipt = world.receive(world.upload("k1", "one")).await.unwrap();
    let id = receipt.submission_id;
    let email = emails_of(&world.db, &system(), id).await.unwrap().unwrap()[0].id;
    let mut minutes = Vec::new();
    while let NextAttempt::After(pause) = mark_email_failed(&world.db, &system(), email, "refused")
        .await
        .unwrap()
    {
        minutes.push(pause.as_secs() / 60);
    }
    assert_eq!(minutes, [1, 5, 30, 120, 300, 600, 1440]);
    let state = &emails_of(&world.db, &system(), id).await.unwrap().unwrap()[0];
    assert_eq!((state.state.as_str(), state.attempts), ("undeliverable", 8));
    let gone = email_to_send(&world.db, &system(), email, "")
        .await
        .unwrap();
    assert!(gone.is_none());
}

#[tokio::test]
async fn a_worker_is_told_what_to_assess_and_against_what() {
    let world = world().await;
    let standing = world.hand_in("one").await;
    world.send("two", Outcome::NeedsCorrection).await;
    let q2 = financial_quarter("2026-27-Q2", "2026-07-01", "2026-09-30");
    let q3 = financial_quarter("2026-27-Q3", "2026-10-01", "2026-12-31");
    let next_q1 = financial_quarter("2027-28-Q1", "2027-04-01", "2027-06-30");
    for period in [&q2, &q3, &next_q1] {
        open_cycle(
            &world.db,
            &system(),
            &world.spec,
            period,
            day("2026-07-01"),
            day("2027-07-31"),
        )
        .await
        .unwrap();
    }
    let mut seen = Vec::new();
    for period in [&q2, &q3, &next_q1] {
        let upload = NewUpload {
            period: period.label.clone(),
            received_at: "2026-07-20T23:30:00Z".parse().unwrap(),
            ..world.upload(&period.label, "three")
        };
        let receipt = world.receive(upload).await.unwrap();
        let task = to_assess(&world.db, &system(), receipt.submission_id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(task.received_on, day("2026-07-21"), "it is summer time");
        assert_eq!(task.file.sha256, sha256("three"));
        seen.push((
            task.previous.map(|file| file.sha256),
            task.year_ago.map(|file| file.sha256),
        ));
    }
    let one = Some(sha256("one"));
    assert_eq!(seen, [(one.clone(), None), (None, None), (None, one)]);
    assert!(
        to_assess(&world.db, &system(), standing)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_worker_is_told_what_stands_of_other_returns() {
    let world = world().await;
    let cases = testkit::returns::cases();
    let organisations = testkit::returns::organisations();
    let specs = [cases.clone()];
    publish_returns(&world.owner, &system(), &specs, &organisations)
        .await
        .unwrap();
    let compared_with = |version: &str, period| spec::ComparedWith {
        return_id: cases.id.clone(),
        version: version.to_owned(),
        acronym: cases.acronym.clone(),
        hash: cases.hash.clone(),
        period,
        tables: vec!["case".to_owned()],
    };
    let spec_with = |version: &str, period| ReturnSpec {
        compared_with: vec![compared_with(version, period)],
        ..form()
    };
    let q2 = financial_quarter("2026-27-Q2", "2026-07-01", "2026-09-30");
    let (opens, due) = (day("2026-07-01"), day("2027-07-31"));
    for (spec, period) in [(&cases, &q1()), (&world.spec, &q2)] {
        open_cycle(&world.db, &system(), spec, period, opens, due)
            .await
            .unwrap();
    }
    let upload = |return_id: &str, period: &str, bytes: &str| NewUpload {
        return_id: return_id.to_owned(),
        period: period.to_owned(),
        ..world.upload(&format!("{return_id} {period} {bytes}"), bytes)
    };
    let this = world.receive(upload("form", "2026-27-Q1", "now")).await;
    let this = this.unwrap().submission_id;
    let later = world.receive(upload("form", "2026-27-Q2", "later")).await;
    let later = later.unwrap().submission_id;
    let others = async |id, spec: &ReturnSpec| -> Vec<(String, String)> {
        references(&world.db, &system(), id, spec)
            .await
            .unwrap()
            .others
            .into_iter()
            .map(|(return_id, file)| (return_id, file.sha256))
            .collect()
    };
    let same = spec_with("1.0", OtherPeriod::Same);
    let before = spec_with("1.0", OtherPeriod::Before);
    assert!(others(this, &same).await.is_empty(), "nothing was sent");

    let receipt = world.receive(upload("cases", "2026-27-Q1", "cases")).await;
    let case_id = receipt.unwrap().submission_id;
    assert!(others(this, &same).await.is_empty(), "nothing stands yet");
    let refused = async |id| {
        let words = ("It can't be read.", "Send it again.");
        refuse(&world.db, &system(), id, &cases, words.0, words.1).await
    };
    refused(case_id).await.unwrap();
    assert!(others(this, &same).await.is_empty(), "what was refused");
    let receipt = world.receive(upload("cases", "2026-27-Q1", "better")).await;
    let case_id = receipt.unwrap().submission_id;
    let head = Head {
        return_id: cases.id.clone(),
        spec_hash: cases.hash.clone(),
        file: FileFacts {
            name: "form.xlsx".to_owned(),
            sha256: sha256("better"),
            bytes: 6,
        },
        tables: Vec::new(),
        compared_with: Vec::new(),
        ..world.head("better", Outcome::Ready)
    };
    let parts = vec![Ok(Part::Head(Box::new(head)))];
    load(&world.db, &system(), case_id, &cases, parts.into_iter())
        .await
        .unwrap();
    assert!(
        others(this, &same).await.is_empty(),
        "what is not submitted"
    );
    world.submit(case_id).await;

    let stands = vec![("cases".to_owned(), sha256("better"))];
    assert_eq!(others(this, &same).await, stands);
    assert_eq!(others(later, &before).await, stands);
    assert!(others(later, &same).await.is_empty(), "another quarter");
    assert!(others(this, &before).await.is_empty(), "not before its own");
    let newer = spec_with("1.1", OtherPeriod::Same);
    assert!(others(this, &newer).await.is_empty(), "another version");
    let brora = council(BRORA);
    let seen = references(&world.db, &brora, this, &same).await;
    assert_eq!(seen.unwrap(), References::default(), "another council");
}

#[tokio::test]
async fn what_an_assessment_was_not_compared_with_is_kept() {
    let world = world().await;
    let id = world.send("one", Outcome::Ready).await;
    let kept = comparisons(&world.db, &system(), id).await.unwrap();
    let kept = kept.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].name.as_str(), &kept[0].sha256), ("cases", &None));
    assert_eq!(kept[0].rules_not_run, ["form.not-as-cases"]);
    let brora = council(BRORA);
    let seen = comparisons(&world.db, &brora, id).await.unwrap();
    assert_eq!(seen, None);
}

#[tokio::test]
async fn a_published_version_does_not_change() {
    let world = world().await;
    let changed = ReturnSpec {
        hash: "hash-2".to_owned(),
        ..form()
    };
    let organisations = testkit::returns::organisations();
    let error = publish_returns(&world.owner, &system(), &[changed], &organisations)
        .await
        .unwrap_err();
    assert!(matches!(error, PublishError::Changed { .. }), "{error}");
}

#[tokio::test]
async fn a_round_of_a_period_that_is_not_served_is_not_opened() {
    let world = world().await;
    let before = financial_quarter("2025-26-Q4", "2026-01-01", "2026-03-31");
    let error = open_cycle(
        &world.db,
        &system(),
        &world.spec,
        &before,
        day("2026-04-01"),
        day("2026-04-30"),
    )
    .await
    .unwrap_err();
    assert!(matches!(error, OpenCycleError::NotServed { .. }), "{error}");
}

#[tokio::test]
async fn a_round_keeps_its_version_and_is_not_due_before_it_opens() {
    let world = world().await;
    let newer = ReturnSpec {
        version: "1.1".to_owned(),
        ..form()
    };
    let organisations = testkit::returns::organisations();
    publish_returns(
        &world.owner,
        &system(),
        std::slice::from_ref(&newer),
        &organisations,
    )
    .await
    .unwrap();
    let open = |spec, opens, due| {
        let db = &world.db;
        async move { open_cycle(db, &system(), spec, &q1(), day(opens), day(due)).await }
    };
    let error = open(&newer, "2026-07-01", "2026-07-31").await.unwrap_err();
    assert!(
        matches!(&error, OpenCycleError::OtherVersion { version, .. } if version == "1.0"),
        "{error}"
    );
    let error = open(&world.spec, "2026-07-01", "2026-06-30")
        .await
        .unwrap_err();
    assert!(matches!(error, OpenCycleError::DueBeforeOpening), "{error}");
}

#[tokio::test]
async fn the_database_refuses_to_change_what_was_received() {
    let world = world().await;
    world.send("one", Outcome::NeedsExplanation).await;
    let (client, connection) =
        tokio_postgres::connect(&world.database.url(), tokio_postgres::NoTls)
            .await
            .unwrap();
    tokio::spawn(connection);
    for statement in [
        "UPDATE event SET verb = 'nothing'",
        "DELETE FROM event",
        "TRUNCATE event CASCADE",
        "DELETE FROM finding",
        "DELETE FROM submission",
        "UPDATE submission SET file_name = 'other'",
        "UPDATE submission SET outcome = 'ready'",
        "UPDATE submission_table SET n_rows = 0",
        "UPDATE return_version SET spec_hash = 'other'",
        "UPDATE ret.form_v1_0_form SET band_a = 0",
        "DELETE FROM ret.form_v1_0_form",
    ] {
        let error = client.batch_execute(statement).await.unwrap_err();
        let code = error.code().map(tokio_postgres::error::SqlState::code);
        assert_eq!(code, Some("42501"), "{statement}: {error}");
    }
    let error = client
        .batch_execute("TRUNCATE submission CASCADE")
        .await
        .unwrap_err();
    assert!(error.code().is_some());
    let documented: i64 = client
        .query_one(
            "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
             JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'ret'
             WHERE c.relkind IN ('r', 'v') AND a.attnum > 0 AND col_description(c.oid, a.attnum) IS NULL",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(documented, 0, "columns of record tables without a comment");
}
