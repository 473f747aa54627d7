//! Each job exactly once, whoever crashes.

mod schedules;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use db::{Db, Sees};
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use serde_json::json;
use testkit::TestDb;
use tokio::sync::Notify;

use super::*;

/// Jobs belong to nobody.
const NOBODY: Sees = Sees::Organisations(Vec::new());

fn at_once() -> Settings {
    Settings {
        backoff: Duration::ZERO,
        ..Settings::default()
    }
}

/// Leases that are over as soon as they are granted: each claim finds its worker vanished.
fn vanishing() -> Settings {
    Settings {
        lease: Duration::ZERO,
        ..at_once()
    }
}

async fn add(db: &Db, n_jobs: i64) {
    let mut tx = db.begin(&NOBODY).await.unwrap();
    for n in 0..n_jobs {
        assert!(
            enqueue(&mut tx, &NewJob::new("count", json!(n)))
                .await
                .unwrap()
        );
    }
    tx.commit().await.unwrap();
}

async fn claim_one(db: &Db, settings: &Settings) -> Option<Claimed> {
    claim(
        &mut db.conn().await.unwrap(),
        &["count".to_owned()],
        settings,
    )
    .await
    .unwrap()
}

#[derive(QueryableByName, Debug, PartialEq)]
struct Stored {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Integer)]
    attempts: i32,
    #[diesel(sql_type = Nullable<Text>)]
    last_error: Option<String>,
}

async fn stored(db: &Db) -> Vec<Stored> {
    sql_query("SELECT id, state, attempts, last_error FROM job ORDER BY id")
        .load(db.conn().await.unwrap().connection())
        .await
        .unwrap()
}

#[tokio::test]
async fn eight_workers_run_each_of_400_jobs_once() {
    let database = TestDb::new();
    let db = database.connect().await;
    add(&db, 400).await;
    let seen: Arc<Mutex<BTreeMap<i64, u32>>> = Arc::default();
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let seen = Arc::clone(&seen);
        let runner =
            Runner::new(db.clone(), Settings::default()).handle("count", move |n: i64, _job| {
                *seen.lock().unwrap().entry(n).or_default() += 1;
                async { Ok(()) }
            });
        workers.spawn(async move { runner.run_due().await.unwrap() });
    }
    let n_run: usize = workers.join_all().await.into_iter().sum();
    assert_eq!(n_run, 400);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 400);
    assert!(seen.values().all(|&times| times == 1));
}

#[tokio::test]
async fn a_leased_job_is_nobody_elses() {
    let database = TestDb::new();
    let db = database.connect().await;
    add(&db, 1).await;
    assert!(claim_one(&db, &Settings::default()).await.is_some());
    assert!(claim_one(&db, &Settings::default()).await.is_none());
}

#[tokio::test]
async fn after_its_lease_a_job_is_taken_again_and_the_first_holder_can_do_nothing() {
    let database = TestDb::new();
    let db = database.connect().await;
    add(&db, 1).await;
    let first = claim_one(&db, &vanishing()).await.unwrap();
    let second = claim_one(&db, &Settings::default()).await.unwrap();
    assert_eq!(
        (second.id, second.attempts, second.n_lapses),
        (first.id, 2, 1)
    );

    let mut conn = db.conn().await.unwrap();
    let settings = Settings::default();
    assert!(!extend(&mut conn, &first, &settings).await.unwrap());
    assert!(!finish(&mut conn, &first).await.unwrap());
    assert!(!release(&mut conn, &first).await.unwrap());
    assert!(
        !fail(&mut conn, &first, "late", None, &settings)
            .await
            .unwrap()
    );
    assert!(extend(&mut conn, &second, &settings).await.unwrap());
    assert!(finish(&mut conn, &second).await.unwrap());
    assert!(!finish(&mut conn, &second).await.unwrap());
}

#[tokio::test]
async fn a_heartbeat_keeps_a_job() {
    let database = TestDb::new();
    let db = database.connect().await;
    add(&db, 1).await;
    let job = claim_one(&db, &vanishing()).await.unwrap();
    let mut conn = db.conn().await.unwrap();
    assert!(extend(&mut conn, &job, &Settings::default()).await.unwrap());
    assert!(claim_one(&db, &Settings::default()).await.is_none());
}

#[tokio::test]
async fn what_is_to_follow_a_job_that_is_given_up_is_put_in_however_it_ends() {
    let database = TestDb::new();
    let db = database.connect().await;
    for n in 0..3 {
        let mut tx = db.begin(&NOBODY).await.unwrap();
        let job = NewJob {
            max_attempts: 1,
            ..NewJob::new("count", json!(n)).when_given_up("mourn")
        };
        enqueue(&mut tx, &job).await.unwrap();
        tx.commit().await.unwrap();
        let mut conn = db.conn().await.unwrap();
        match n {
            0 => {
                for _ in 0..3 {
                    assert!(claim_one(&db, &vanishing()).await.is_some());
                }
                assert!(claim_one(&db, &vanishing()).await.is_none());
            }
            1 => {
                let job = claim_one(&db, &at_once()).await.unwrap();
                fail(&mut conn, &job, "no", None, &at_once()).await.unwrap();
            }
            _ => {
                let runner = Runner::new(db.clone(), at_once())
                    .handle("count", |_: i64, _job| async {
                        Err(HandlerError::never("never"))
                    });
                assert_eq!(runner.run_due().await.unwrap(), 1);
            }
        }
    }
    let mourned: Arc<Mutex<Vec<i64>>> = Arc::default();
    let seen = Arc::clone(&mourned);
    let runner = Runner::new(db.clone(), at_once()).handle("mourn", move |n: i64, _job| {
        seen.lock().unwrap().push(n);
        async { Ok(()) }
    });
    assert_eq!(runner.run_due().await.unwrap(), 3);
    assert_eq!(*mourned.lock().unwrap(), [0, 1, 2]);
}

#[tokio::test]
async fn a_job_whose_worker_vanishes_three_times_is_given_up() {
    let database = TestDb::new();
    let db = database.connect().await;
    add(&db, 1).await;
    for _ in 0..3 {
        assert!(claim_one(&db, &vanishing()).await.is_some());
    }
    assert!(claim_one(&db, &vanishing()).await.is_none());
    let job = &stored(&db).await[0];
    assert_eq!(job.state, "dead");
    assert_eq!(
        job.last_error.as_deref(),
        Some("its worker vanished 3 times")
    );
}

#[tokio::test]
async fn a_job_of_a_transaction_that_is_undone_never_was() {
    let database = TestDb::new();
    let db = database.connect().await;
    let mut tx = db.begin(&NOBODY).await.unwrap();
    assert!(
        enqueue(&mut tx, &NewJob::new("count", json!(1)))
            .await
            .unwrap()
    );
    tx.rollback().await.unwrap();
    let mut tx = db.begin(&NOBODY).await.unwrap();
    assert!(
        enqueue(&mut tx, &NewJob::new("count", json!(2)))
            .await
            .unwrap()
    );
    drop(tx);
    assert_eq!(stored(&db).await, []);
}

#[tokio::test]
async fn a_key_that_waits_or_runs_is_not_added_again() {
    let database = TestDb::new();
    let db = database.connect().await;
    let job = NewJob::new("count", json!(1)).once("one");
    let mut tx = db.begin(&NOBODY).await.unwrap();
    assert!(enqueue(&mut tx, &job).await.unwrap());
    assert!(!enqueue(&mut tx, &job).await.unwrap());
    tx.commit().await.unwrap();
    let claimed = claim_one(&db, &Settings::default()).await.unwrap();
    finish(&mut db.conn().await.unwrap(), &claimed)
        .await
        .unwrap();
    let mut tx = db.begin(&NOBODY).await.unwrap();
    assert!(
        enqueue(&mut tx, &job).await.unwrap(),
        "done: may be asked for again"
    );
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_failing_job_is_tried_as_often_as_it_may_be() {
    let database = TestDb::new();
    let db = database.connect().await;
    let mut tx = db.begin(&NOBODY).await.unwrap();
    let job = NewJob {
        max_attempts: 3,
        ..NewJob::new("count", json!(1))
    };
    enqueue(&mut tx, &job).await.unwrap();
    tx.commit().await.unwrap();
    let runner = Runner::new(db.clone(), at_once()).handle("count", |_: i64, job| async move {
        assert_ne!(job.attempts, 2, "on purpose");
        Err(HandlerError::later("not today"))
    });
    assert_eq!(runner.run_due().await.unwrap(), 3);
    let job = &stored(&db).await[0];
    assert_eq!((job.state.as_str(), job.attempts), ("dead", 3));
    assert_eq!(job.last_error.as_deref(), Some("not today"));
}

#[tokio::test]
async fn a_failed_job_waits_for_its_pause() {
    let database = TestDb::new();
    let db = database.connect().await;
    add(&db, 1).await;
    let runner = Runner::new(db.clone(), at_once()).handle("count", |_: i64, _| async {
        Err(HandlerError::after(
            Duration::from_mins(10),
            "come back later",
        ))
    });
    assert_eq!(runner.run_due().await.unwrap(), 1);
    assert_eq!(stored(&db).await[0].state, "ready");
    assert_eq!(runner.run_due().await.unwrap(), 0);
}

#[tokio::test]
async fn a_payload_that_can_t_be_read_is_given_up_at_once() {
    let database = TestDb::new();
    let db = database.connect().await;
    let mut tx = db.begin(&NOBODY).await.unwrap();
    enqueue(&mut tx, &NewJob::new("count", json!("three")))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let runner = Runner::new(db.clone(), at_once()).handle("count", |_: i64, _| async { Ok(()) });
    assert_eq!(runner.run_due().await.unwrap(), 1);
    assert_eq!(stored(&db).await[0].state, "dead");
}

#[tokio::test]
async fn a_new_job_wakes_a_runner_that_waits() {
    let database = TestDb::new();
    let db = database.connect().await;
    let done = Arc::new(Notify::new());
    let told = Arc::clone(&done);
    let settings = Settings {
        poll: Duration::from_hours(1),
        ..Settings::default()
    };
    let runner = Runner::new(db.clone(), settings).handle("count", move |_: i64, _| {
        let told = Arc::clone(&told);
        async move {
            told.notify_one();
            Ok(())
        }
    });
    let (stop, watched) = Runner::stop_switch();
    let running = tokio::spawn(async move { runner.run(watched).await });
    for _ in 0..3 {
        add(&db, 1).await;
        tokio::time::timeout(Duration::from_secs(30), done.notified())
            .await
            .expect("woken long before the next poll");
    }
    stop.stop();
    running.await.unwrap();
    assert!(stored(&db).await.iter().all(|job| job.state == "done"));
}

#[tokio::test]
async fn a_stop_lets_a_job_end_and_gives_back_one_that_does_not() {
    let database = TestDb::new();
    let db = database.connect().await;
    add(&db, 2).await;
    let started = Arc::new(Notify::new());
    let told = Arc::clone(&started);
    let settings = Settings {
        grace: Duration::ZERO,
        ..Settings::default()
    };
    let runner = Runner::new(db.clone(), settings).handle("count", move |n: i64, _| {
        let told = Arc::clone(&told);
        async move {
            if n == 0 {
                return Ok(());
            }
            told.notify_one();
            std::future::pending().await
        }
    });
    let (stop, watched) = Runner::stop_switch();
    let running = tokio::spawn(async move { runner.run(watched).await });
    started.notified().await;
    // The first may still be saying that it is done.
    while stored(&db).await[0].state != "done" {
        tokio::task::yield_now().await;
    }
    stop.stop();
    running.await.unwrap();
    let jobs = stored(&db).await;
    assert_eq!((jobs[0].state.as_str(), jobs[0].attempts), ("done", 1));
    assert_eq!((jobs[1].state.as_str(), jobs[1].attempts), ("ready", 0));
}

#[tokio::test]
async fn a_job_whose_lease_is_lost_is_stopped() {
    let database = TestDb::new();
    let db = database.connect().await;
    add(&db, 1).await;
    let thief = db.clone();
    let settings = Settings {
        lease: Duration::ZERO,
        heartbeat: Duration::from_millis(1),
        ..Settings::default()
    };
    let runner = Runner::new(db.clone(), settings).handle("count", move |_: i64, job: Claimed| {
        let thief = thief.clone();
        async move {
            if job.attempts == 1 {
                // Another worker takes it, and this one is told by its next heartbeat.
                while claim_one(&thief, &Settings::default()).await.is_none() {}
                std::future::pending::<()>().await;
            }
            Ok(())
        }
    });
    assert_eq!(runner.run_due().await.unwrap(), 1);
    assert_eq!(stored(&db).await[0].state, "running", "the thief has it");
}

#[tokio::test]
async fn looking_for_jobs_wakes_nobody() {
    let database = TestDb::new();
    let db = Db::connect(&db::Config::new(database.url())).await.unwrap();
    let mut listener = db.listen("job").await.unwrap();
    for _ in 0..20 {
        assert_eq!(claim_one(&db, &at_once()).await, None);
    }
    add(&db, 1).await;
    // Notifications come in the order of their commits: a look's would be before the job's.
    listener.heard().await.unwrap();
    let another = tokio::time::timeout(Duration::from_millis(50), listener.heard()).await;
    assert!(
        another.is_err(),
        "only the job that was added wakes anybody"
    );
}

async fn progress_of(db: &Db, key: &str) -> Option<Progress> {
    progress(&mut db.conn().await.unwrap(), key, &["count"])
        .await
        .unwrap()
}

#[tokio::test]
async fn whoever_waits_is_told_how_many_are_before_and_what_is_being_done() {
    let database = TestDb::new();
    let db = database.connect().await;
    for key in ["first", "second", "third"] {
        let mut tx = db.begin(&NOBODY).await.unwrap();
        let job = NewJob::new("count", json!(1)).once(key);
        enqueue(&mut tx, &job).await.unwrap();
        // What is of another kind is not waited for.
        let other = NewJob::new("other", json!(1));
        enqueue(&mut tx, &other).await.unwrap();
        tx.commit().await.unwrap();
    }
    let place = async |key| progress_of(&db, key).await.map(|job| job.n_before);
    assert_eq!(place("first").await, Some(0));
    assert_eq!(place("third").await, Some(2));
    assert_eq!(place("nothing").await, None);

    let job = claim_one(&db, &at_once()).await.unwrap();
    assert_eq!(place("third").await, Some(1));
    let mut conn = db.conn().await.unwrap();
    note_stage(&mut conn, &job, "checking").await.unwrap();
    let running = progress_of(&db, "first").await.unwrap();
    assert!(running.is_running);
    assert_eq!(running.stage.as_deref(), Some("checking"));
    assert_eq!(running.n_failures, 0);

    // Another try begins anew, and the earlier one has nothing to say any more.
    fail(&mut conn, &job, "broken", None, &at_once())
        .await
        .unwrap();
    assert_eq!(progress_of(&db, "first").await.unwrap().n_failures, 1);
    let again = loop {
        // The one that failed may be taken again before or after the others.
        let claimed = claim_one(&db, &at_once()).await.unwrap();
        if claimed.id == job.id {
            break claimed;
        }
    };
    note_stage(&mut conn, &job, "checking").await.unwrap();
    assert_eq!(progress_of(&db, "first").await.unwrap().stage, None);
    finish(&mut conn, &again).await.unwrap();
    assert_eq!(progress_of(&db, "first").await, None);
}
