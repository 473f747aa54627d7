//! A file that waits is sent once, or checked and forgotten, and nothing of it stays that should not.

use assess::{How, RecognisedForm, Recognition};

use super::*;

const ROUND: (&str, &str) = ("form", "2026-27-Q1");

impl World {
    fn batch_of(&self, key: &str, files: &[(&str, &str)]) -> NewBatch {
        let files = files.iter().map(|(name, bytes)| {
            let upload = self.upload(key, bytes);
            NewFile {
                file_name: (*name).to_owned(),
                path: upload.path,
                sha256: upload.sha256,
                n_bytes: upload.bytes,
            }
        });
        NewBatch {
            organisation: ARDBEG.to_owned(),
            contact_email: Some("someone@example.org".to_owned()),
            idempotency_key: key.to_owned(),
            files: files.collect(),
            check_for: None,
            came_at: now(),
        }
    }

    async fn put_in(&self, key: &str, files: &[(&str, &str)]) -> Result<Uuid, ParcelError> {
        let batch = self.batch_of(key, files);
        put_in(&self.db, &self.files, &council(ARDBEG), &batch).await
    }

    async fn waiting(&self, id: Uuid) -> Vec<Waiting> {
        batch(&self.db, &council(ARDBEG), id).await.unwrap()
    }

    /// One file that was put in.
    async fn one_parcel(&self) -> Uuid {
        let batch = self.put_in("one", &[("form.xlsx", "one")]).await.unwrap();
        self.waiting(batch).await[0].parcel.id
    }

    async fn send_parcel(&self, id: Uuid, round: (&str, &str)) -> Result<Uuid, ParcelError> {
        let scratch = self.dir.path().join(Uuid::now_v7().to_string());
        let actor = council(ARDBEG);
        send(&self.db, &self.files, &actor, id, round, &scratch, now()).await
    }

    async fn check_parcel(&self, id: Uuid) -> Result<(), ParcelError> {
        check(&self.db, &council(ARDBEG), id, ROUND, now()).await
    }

    /// What a worker does once a file is checked.
    async fn checked_with(&self, id: Uuid, bytes: &str) -> Checked {
        let findings = [Finding::new(
            "form.odd",
            Severity::Error,
            "The canary is odd.",
            "Mend it.",
        )];
        let head = head_of(&self.spec, bytes, Outcome::NeedsCorrection);
        let answer = format!("{}\n{}\n", json(&head), json(&findings));
        let path = self.dir.path().join("answer");
        std::fs::write(&path, &answer).unwrap();
        let hash = sha256(&answer);
        let files = &self.files;
        checked(
            &self.db,
            files,
            &system(),
            id,
            &head,
            (&path, &hash),
            Utc::now(),
        )
        .await
        .unwrap()
    }

    /// What lies in the file store in passing.
    fn n_passing(&self) -> usize {
        let dir = self.dir.path().join("store/passing");
        std::fs::read_dir(dir).map_or(0, Iterator::count)
    }

    async fn count(&self, table: &str) -> i64 {
        let url = self.database.url();
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        let sql = format!("SELECT count(*) FROM {table}");
        client.query_one(&sql, &[]).await.unwrap().get(0)
    }

    /// Every row of every table, as text.
    async fn everything(&self) -> String {
        let url = self.database.url();
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        let tables = "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname IN ('public', 'ret') AND c.relkind = 'r'";
        let mut all = String::new();
        for table in client.query(tables, &[]).await.unwrap() {
            let table: String = table.get(0);
            let rows = format!("SELECT r::text FROM {table} r");
            for row in client.query(&rows, &[]).await.unwrap() {
                all += row.get::<_, &str>(0);
            }
        }
        all
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

fn head_of(spec: &ReturnSpec, bytes: &str, outcome: Outcome) -> Head {
    Head {
        return_id: spec.id.clone(),
        version: spec.version.clone(),
        spec_hash: spec.hash.clone(),
        organisation: Some(ARDBEG.to_owned()),
        period: Some(ROUND.1.to_owned()),
        outcome,
        file: FileFacts {
            name: "form.xlsx".to_owned(),
            sha256: sha256(bytes),
            bytes: bytes.len() as u64,
        },
        tables: Vec::new(),
        ignored_sheets: Vec::new(),
        counts: Vec::new(),
        compared_with: Vec::new(),
    }
}

fn is_form(period: Option<&str>) -> Recognition {
    Recognition::Forms {
        forms: vec![RecognisedForm {
            return_id: "form".to_owned(),
            version: "1.0".to_owned(),
            period: period.map(str::to_owned),
        }],
        how: How::Stamp,
    }
}

#[tokio::test]
async fn a_form_sent_twice_is_one_batch_and_another_with_its_key_is_refused() {
    let world = world().await;
    let files = [("a.xlsx", "one"), ("b.xlsx", "two")];
    let (first, second) = tokio::join!(world.put_in("k", &files), world.put_in("k", &files));
    let first = first.unwrap();
    assert_eq!(first, second.unwrap());
    assert_eq!(first, world.put_in("k", &files).await.unwrap());
    assert_eq!(
        (world.waiting(first).await.len(), world.n_passing()),
        (2, 2)
    );
    assert_eq!(world.count("job WHERE kind = 'recognise'").await, 2);
    for other in [
        &[("a.xlsx", "one")][..],
        &[("a.xlsx", "one"), ("b.xlsx", "three")],
        &[("a.xlsx", "one"), ("c.xlsx", "two")],
    ] {
        let refused = world.put_in("k", other).await;
        assert!(matches!(refused, Err(ParcelError::FormUsedBefore)));
    }
    assert_eq!(world.n_passing(), 2);
}

#[tokio::test]
async fn a_check_with_the_key_of_another_rounds_is_refused_and_not_answered_with_its_outcome() {
    let world = world().await;
    let q2 = financial_quarter("2026-27-Q2", "2026-07-01", "2026-09-30");
    let (opens, due) = (day("2026-10-01"), day("2026-10-31"));
    open_cycle(&world.db, &system(), &world.spec, &q2, opens, due)
        .await
        .unwrap();
    let actor = council(ARDBEG);
    let of = |key: &str, period: &str| NewBatch {
        check_for: Some(("form".to_owned(), period.to_owned())),
        ..world.batch_of(key, &[("a.xlsx", "one")])
    };
    let put = async |batch: &NewBatch| put_in(&world.db, &world.files, &actor, batch).await;
    let refused = async |batch: &NewBatch| {
        let put = put(batch).await;
        assert!(matches!(put, Err(ParcelError::FormUsedBefore)), "{put:?}");
    };
    let (one, other) = (of("k", ROUND.1), of("k", &q2.label));
    let first = put(&one).await.unwrap();
    refused(&other).await;
    assert_eq!(put(&one).await.unwrap(), first);
    let id = world.waiting(first).await[0].parcel.id;
    world.checked_with(id, "one").await;
    refused(&other).await;
    assert_eq!(put(&one).await.unwrap(), first, "with its outcome");

    // Neither where the first came no further than its row.
    let (one, other) = (of("l", ROUND.1), of("l", &q2.label));
    let mut died = one.clone();
    died.files[0].path = world.dir.path().join("nowhere");
    let ended = put(&died).await;
    assert!(matches!(ended, Err(ParcelError::Files(_))), "{ended:?}");
    refused(&other).await;
    let id = put(&one).await.unwrap();
    let kept = &world.waiting(id).await[0].parcel;
    assert_eq!(kept.state, ParcelState::Checking);
    assert_eq!(kept.round, one.check_for);

    // Nor where it was to be looked at, and was taken for that very round.
    let looked_at = world.put_in("m", &[("a.xlsx", "one")]).await.unwrap();
    let id = world.waiting(looked_at).await[0].parcel.id;
    let today = day("2026-07-20");
    recognised(&world.db, &system(), id, &is_form(None), today)
        .await
        .unwrap();
    refused(&of("m", ROUND.1)).await;
    world.check_parcel(id).await.unwrap();
    let again = world.put_in("m", &[("a.xlsx", "one")]).await.unwrap();
    assert_eq!(again, looked_at, "whatever its sender decided");
}

#[tokio::test]
async fn telling_what_a_file_is_goes_before_all_that_waits_to_be_assessed() {
    let world = world().await;
    let sent = world.receive(world.upload("a", "sent")).await.unwrap();
    let batch = world.put_in("k", &[("b.xlsx", "one")]).await.unwrap();
    let waits = &world.waiting(batch).await[0];
    assert_eq!(waits.progress, Some(Progress::Queued { n_before: 0 }));
    let actor = council(ARDBEG);
    let sent = found(&world.db, &actor, sent.submission_id).await.unwrap();
    let behind = progress(&world.db, &actor, &sent).await.unwrap();
    assert_eq!(behind, Some(Progress::Queued { n_before: 1 }));
}

#[tokio::test]
async fn what_a_file_was_taken_for_suggests_a_round_and_is_kept_once() {
    let world = world().await;
    let id = world.one_parcel().await;
    let today = day("2026-07-20");
    for recognition in [is_form(None), Recognition::Unknown] {
        recognised(&world.db, &system(), id, &recognition, today)
            .await
            .unwrap();
    }
    let one = parcel(&world.db, &council(ARDBEG), id).await.unwrap();
    assert_eq!(one.recognition, Some(is_form(None)));
    let round = one.parcel.round.unwrap();
    assert_eq!((round.0.as_str(), round.1.as_str()), ROUND);
    let again = to_recognise(&world.db, &system(), id).await.unwrap();
    assert_eq!(again, None);
}

#[tokio::test]
async fn a_file_that_waits_is_sent_once_however_often_it_is_asked_for() {
    let world = world().await;
    let id = world.one_parcel().await;
    let (first, second) = tokio::join!(world.send_parcel(id, ROUND), world.send_parcel(id, ROUND));
    let first = first.unwrap();
    assert_eq!(first, second.unwrap());
    assert_eq!(first, world.send_parcel(id, ROUND).await.unwrap());
    // Nor for another round, from another window.
    let other = world.send_parcel(id, ("form", "2026-27-Q9")).await;
    assert_eq!(first, other.unwrap());
    assert_eq!(world.count("submission").await, 1);
    assert_eq!(world.n_passing(), 0, "it is an original now");
    let one = parcel(&world.db, &council(ARDBEG), id).await.unwrap();
    assert_eq!(one.parcel.state, ParcelState::Sent);
    assert_eq!(one.submission.unwrap().id, first);
    let refused = world.check_parcel(id).await;
    assert!(matches!(
        refused,
        Err(ParcelError::NotNow(ParcelState::Sent))
    ));
}

#[tokio::test]
async fn a_round_that_can_not_be_answered_leaves_the_file_waiting() {
    let world = world().await;
    let id = world.one_parcel().await;
    let refused = world.send_parcel(id, ("form", "2030-31-Q1")).await;
    assert!(matches!(
        refused,
        Err(ParcelError::Receive(ReceiveError::UnknownPeriod { .. }))
    ));
    assert_eq!((world.count("submission").await, world.n_passing()), (0, 1));
    world.send_parcel(id, ROUND).await.unwrap();
}

#[tokio::test]
async fn checking_keeps_nothing_but_the_answer_and_that_for_a_short_time() {
    let world = world().await;
    let id = world.one_parcel().await;
    world.check_parcel(id).await.unwrap();
    world.check_parcel(id).await.unwrap();
    assert_eq!(world.count("job WHERE kind = 'check'").await, 1);
    let wanted = to_check(&world.db, &system(), id).await.unwrap().unwrap();
    assert_eq!(wanted.wanted.file.sha256, sha256("one"));
    assert_eq!(wanted.wanted.period, ROUND.1);

    assert_eq!(world.checked_with(id, "one").await, Checked::Kept);
    // The file is gone, and the answer is there.
    assert_eq!(world.n_passing(), 1);
    let to = world.dir.path().join("read");
    let actor = council(ARDBEG);
    answer(&world.db, &world.files, &actor, id, &to)
        .await
        .unwrap();
    let read = Answer::open(&to).unwrap();
    assert_eq!(read.head.outcome, Outcome::NeedsCorrection);
    let findings: Vec<Finding> = read.flat_map(Result::unwrap).collect();
    assert_eq!(findings[0].message, "The canary is odd.");

    for table in [
        "submission",
        "finding",
        "file",
        "event WHERE verb NOT IN ('open_cycle', 'set_dates')",
    ] {
        let n = world.count(table).await;
        assert!(n == 0 || table.starts_with("event"), "{table}: {n}");
    }
    assert!(
        !world.everything().await.contains("canary"),
        "no value is in the database"
    );
    assert_eq!(world.checked_with(id, "one").await, Checked::NotWanted);

    // Its time is not over yet, and then it is.
    let forget_it = async || forget_in_time(&world.db, &world.files, &system(), id).await;
    forget_it().await.unwrap();
    assert_eq!(world.count("parcel").await, 1);
    let past = "UPDATE parcel SET goes_at = now()";
    let (client, connection) =
        tokio_postgres::connect(&world.database.url(), tokio_postgres::NoTls)
            .await
            .unwrap();
    tokio::spawn(connection);
    client.batch_execute(past).await.unwrap();
    for _ in 0..2 {
        forget_it().await.unwrap();
    }
    assert_eq!((world.count("parcel").await, world.n_passing()), (0, 0));
}

#[tokio::test]
async fn what_is_forgotten_while_it_is_checked_leaves_no_answer() {
    let world = world().await;
    let id = world.one_parcel().await;
    world.check_parcel(id).await.unwrap();
    let one = parcel(&world.db, &council(ARDBEG), id).await.unwrap();
    let actor = council(ARDBEG);
    forget(&world.db, &world.files, &actor, one.parcel.batch)
        .await
        .unwrap();
    assert_eq!(world.checked_with(id, "one").await, Checked::NotWanted);
    assert_eq!((world.count("parcel").await, world.n_passing()), (0, 0));
    assert!(to_check(&world.db, &system(), id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_site_that_dies_while_files_come_in_leaves_what_is_forgotten_in_time() {
    let world = world().await;
    let mut batch = world.batch_of("k", &[("a.xlsx", "one"), ("b.xlsx", "two")]);
    // The second file can't be put away: as if the site had died between the two.
    batch.files[1].path = world.dir.path().join("nowhere");
    let actor = council(ARDBEG);
    let died = put_in(&world.db, &world.files, &actor, &batch).await;
    assert!(matches!(died, Err(ParcelError::Files(_))));
    assert_eq!((world.count("parcel").await, world.n_passing()), (2, 1));
    // Each has a job that removes it, put in before its bytes were.
    let jobs = "job WHERE kind = 'forget' AND run_at > now() - interval '10 years'";
    assert_eq!(world.count(jobs).await, 2);

    // The same form again goes on where it ended.
    let files = [("a.xlsx", "one"), ("b.xlsx", "two")];
    let id = world.put_in("k", &files).await.unwrap();
    let states: Vec<ParcelState> = world
        .waiting(id)
        .await
        .iter()
        .map(|one| one.parcel.state)
        .collect();
    assert_eq!(states, [ParcelState::Waiting; 2]);
}

#[tokio::test]
async fn another_council_finds_nothing_and_whoever_may_not_send_sends_nothing() {
    let world = world().await;
    let id = world.one_parcel().await;
    let other = parcel(&world.db, &council(BRORA), id).await;
    assert!(matches!(other, Err(Denied::NotThere)));
    let approver = person(Role::Approver, Reach::Organisation(ARDBEG.to_owned()));
    let scratch = world.dir.path().join("scratch");
    let sent = send(
        &world.db,
        &world.files,
        &approver,
        id,
        ROUND,
        &scratch,
        now(),
    )
    .await;
    assert!(matches!(sent, Err(ParcelError::Denied(Denied::Forbidden))));
    check(&world.db, &approver, id, ROUND, now()).await.unwrap();
    let batch = world.batch_of("k", &[("a.xlsx", "one")]);
    for (actor, denied) in [
        (council(BRORA), "there is no such thing"),
        (Actor::nobody(), "nobody has signed in"),
    ] {
        let put = put_in(&world.db, &world.files, &actor, &batch).await;
        assert_eq!(put.unwrap_err().to_string(), denied);
    }
}

#[tokio::test]
async fn the_same_file_from_two_windows_is_one_version() {
    let world = world().await;
    let actor = council(ARDBEG);
    let send = |key: &str| {
        let upload = world.upload(key, "one");
        receive_unless_sent(&world.db, &world.files, &actor, upload)
    };
    let (one, two) = tokio::join!(send("window 1"), send("window 2"));
    let n_sent = [&one, &two].iter().filter(|sent| sent.is_ok()).count();
    assert_eq!(n_sent, 1, "{one:?} {two:?}");
    let told = [one, two].into_iter().find_map(Result::err);
    assert!(matches!(
        told,
        Some(ReceiveError::SentBefore {
            version_number: 1,
            ..
        })
    ));
    assert_eq!(world.count("submission").await, 1);
    // The same window gets its receipt again, and another file in between makes it news.
    let upload = world.upload("window 1", "one");
    let again = receive_unless_sent(&world.db, &world.files, &actor, upload).await;
    assert!(
        again.is_ok() || again.is_err_and(|error| matches!(error, ReceiveError::SentBefore { .. }))
    );
    world.receive(world.upload("other", "two")).await.unwrap();
    let upload = world.upload("window 3", "one");
    let sent = receive_unless_sent(&world.db, &world.files, &actor, upload).await;
    assert_eq!(sent.unwrap().version_number, 3);
}

#[tokio::test]
async fn the_work_on_a_version_is_told_step_by_step() {
    let world = world().await;
    let first = world.receive(world.upload("a", "one")).await.unwrap();
    let second = world.receive(world.upload("b", "two")).await.unwrap();
    let of = async |id| {
        let actor = council(ARDBEG);
        let found = submission(&world.db, &actor, Action::SeeSubmission, id).await;
        progress(&world.db, &actor, &found.unwrap()).await.unwrap()
    };
    let queued = |n_before| Some(Progress::Queued { n_before });
    assert_eq!(of(first.submission_id).await, queued(0));
    assert_eq!(of(second.submission_id).await, queued(1));

    let mut conn = world.db.conn().await.unwrap();
    let kinds = [AssessJob::KIND.to_owned()];
    let job = queue::claim(&mut conn, &kinds, &Settings::default())
        .await
        .unwrap()
        .unwrap();
    let doing = |doing| Some(Progress::Doing(doing));
    assert_eq!(of(first.submission_id).await, doing(Doing::Fetching));
    assert_eq!(of(second.submission_id).await, queued(0));
    for stage in [Doing::Reading, Doing::Checking, Doing::Storing] {
        queue::note_stage(&mut conn, &job, stage.word())
            .await
            .unwrap();
        assert_eq!(of(first.submission_id).await, doing(stage));
    }
    let again = Settings {
        backoff: std::time::Duration::ZERO,
        ..Settings::default()
    };
    queue::fail(&mut conn, &job, "broken", None, &again)
        .await
        .unwrap();
    assert_eq!(of(first.submission_id).await, Some(Progress::TriedAgain));
}
