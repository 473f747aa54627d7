//! Each moment of a schedule once: with several processes, after a pause, across a crash, and whatever the clocks do.

use chrono::{DateTime, TimeDelta, Utc};
use db::Tx;
use diesel::sql_types::{Bool, Timestamptz};
use diesel_async::SimpleAsyncConnection;

use super::*;
use crate::schedules::{Looked, ScheduledJob, look, names};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A database with one schedule, which counts from a moment.
async fn with(rule: &str, since: &str) -> (TestDb, Db) {
    let database = TestDb::new();
    let owner = database.connect_as_owner().await;
    let mut tx = owner.begin(&NOBODY).await.unwrap();
    let sql = format!(
        "UPDATE schedule SET is_on = false;
         INSERT INTO schedule (name, rule, zone, job_kind, purpose, since)
         VALUES ('counting', '{rule}', 'Europe/London', 'count', 'Counts.', '{since}')"
    );
    tx.connection().batch_execute(&sql).await.unwrap();
    tx.commit().await.unwrap();
    let db = database.connect().await;
    (database, db)
}

async fn looked(db: &Db, now: DateTime<Utc>) -> Looked {
    let mut tx: Tx = db.begin(&NOBODY).await.unwrap();
    let looked = look(&mut tx, "counting", Some(now)).await.unwrap();
    tx.commit().await.unwrap();
    looked
}

#[derive(QueryableByName, Debug, PartialEq)]
struct Fire {
    #[diesel(sql_type = Timestamptz)]
    nominal_at: DateTime<Utc>,
    #[diesel(sql_type = Bool)]
    is_late: bool,
}

async fn fires(db: &Db) -> Vec<Fire> {
    sql_query("SELECT nominal_at, is_late FROM schedule_fire ORDER BY nominal_at")
        .load(db.conn().await.unwrap().connection())
        .await
        .unwrap()
}

#[derive(QueryableByName)]
struct Payload {
    #[diesel(sql_type = diesel::sql_types::Jsonb)]
    payload: serde_json::Value,
}

/// The moments of the jobs, in the order in which they were put in.
async fn jobs(db: &Db) -> Vec<DateTime<Utc>> {
    let rows: Vec<Payload> = sql_query("SELECT payload FROM job WHERE kind = 'count' ORDER BY id")
        .load(db.conn().await.unwrap().connection())
        .await
        .unwrap();
    rows.into_iter()
        .map(|row| {
            serde_json::from_value::<ScheduledJob>(row.payload)
                .unwrap()
                .nominal_at
        })
        .collect()
}

#[tokio::test]
async fn five_processes_fire_each_of_a_hundred_moments_once() {
    let start = at("2026-11-02T00:00:00Z");
    let (database, _) = with("* * * * *", "2026-11-02T00:00:00Z").await;
    let processes = (0..5).map(|_| async {
        let db = database.connect().await;
        for minute in 1..=100 {
            looked(&db, start + TimeDelta::minutes(minute)).await;
        }
    });
    futures_util::future::join_all(processes).await;
    let db = database.connect().await;
    // A process that found it held left it to the one that held it; whatever that had not seen is made up for.
    looked(&db, start + TimeDelta::minutes(100)).await;
    let expected: Vec<DateTime<Utc>> = (1..=100)
        .map(|minute| start + TimeDelta::minutes(minute))
        .collect();
    let fired: Vec<DateTime<Utc>> = fires(&db)
        .await
        .iter()
        .map(|fire| fire.nominal_at)
        .collect();
    assert_eq!(fired, expected);
    assert_eq!(jobs(&db).await, expected, "and in order");
}

#[tokio::test]
async fn what_was_missed_is_made_up_for_in_order_and_marked() {
    let (_database, db) = with("0 */2 * * *", "2026-11-02T08:30:00Z").await;
    let first = looked(&db, at("2026-11-02T09:00:00Z")).await;
    assert!(first.fired.is_empty());
    assert_eq!(first.next, Some(at("2026-11-02T10:00:00Z")));
    // Nobody is there for six hours.
    let back = looked(&db, at("2026-11-02T15:00:00Z")).await;
    let missed = ["10", "12", "14"].map(|hour| at(&format!("2026-11-02T{hour}:00:00Z")));
    assert_eq!(back.fired, missed);
    assert_eq!(jobs(&db).await, missed);
    assert!(fires(&db).await.iter().all(|fire| fire.is_late));
    looked(&db, at("2026-11-02T16:00:02Z")).await;
    assert!(!fires(&db).await.last().unwrap().is_late, "in time again");
}

#[tokio::test]
async fn a_process_that_dies_in_between_leaves_nothing_or_all() {
    let (database, db) = with("0 9 * * *", "2026-11-02T00:00:00Z").await;
    let now = at("2026-11-02T09:00:01Z");
    let mut tx = db.begin(&NOBODY).await.unwrap();
    assert_eq!(
        look(&mut tx, "counting", Some(now))
            .await
            .unwrap()
            .fired
            .len(),
        1
    );
    let owner = database.connect_as_owner().await;
    // Of this database only: the tests beside this one have theirs in the same cluster.
    let ended = sql_query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND state = 'idle in transaction'",
    )
    .execute(owner.conn().await.unwrap().connection())
    .await
    .unwrap();
    assert_eq!(ended, 1, "the one that looked, and nobody else");
    assert!(tx.commit().await.is_err(), "it is dead");
    assert!(fires(&db).await.is_empty() && jobs(&db).await.is_empty());
    assert_eq!(looked(&db, now).await.fired.len(), 1);
    assert_eq!(looked(&db, now).await.fired.len(), 0);
    assert_eq!(jobs(&db).await.len(), 1);
}

#[tokio::test]
async fn a_clock_that_steps_fires_nothing_twice_and_too_early_once() {
    let (_database, db) = with("0 9 * * *", "2026-11-02T00:00:00Z").await;
    let n_fired = async |now: &str| looked(&db, at(now)).await.fired.len();
    assert_eq!(n_fired("2026-11-02T09:00:00Z").await, 1);
    // An hour back, and over the same moment again.
    assert_eq!(n_fired("2026-11-02T08:05:00Z").await, 0);
    assert_eq!(n_fired("2026-11-02T09:00:00Z").await, 0);
    // A day ahead by mistake, back, and on.
    assert_eq!(n_fired("2026-11-03T09:05:00Z").await, 1);
    let back = looked(&db, at("2026-11-02T09:10:00Z")).await;
    assert!(back.fired.is_empty());
    assert_eq!(back.next, Some(at("2026-11-04T09:00:00Z")));
    assert_eq!(n_fired("2026-11-03T09:00:00Z").await, 0);
    assert_eq!(n_fired("2026-11-04T09:00:00Z").await, 1);
    assert_eq!(jobs(&db).await.len(), 3);
}

#[tokio::test]
async fn a_day_is_a_day_when_the_clocks_are_put_forward_and_back() {
    for (rule, back, forward) in [
        ("30 1 * * *", 1, 1),
        ("0 17 * * *", 1, 1),
        ("*/30 * * * *", 48, 46),
    ] {
        for (midnight, n_minutes, expected) in [
            ("2026-10-24T23:00:00Z", 25 * 60, back),
            ("2027-03-28T00:00:00Z", 23 * 60, forward),
        ] {
            let before = at(midnight) - TimeDelta::seconds(1);
            let (_database, db) = with(rule, &before.to_rfc3339()).await;
            // The first moment of the next day is not of this one.
            for minute in (0..n_minutes).step_by(10) {
                looked(&db, at(midnight) + TimeDelta::minutes(minute)).await;
            }
            assert_eq!(jobs(&db).await.len(), expected, "{rule} on {midnight}");
        }
    }
}

#[tokio::test]
async fn what_is_turned_off_does_nothing_and_is_not_made_up_for() {
    let (database, db) = with("0 9 * * *", "2026-11-02T00:00:00Z").await;
    let owner = database.connect_as_owner().await;
    assert_eq!(
        names(&mut db.conn().await.unwrap()).await.unwrap(),
        ["counting"]
    );
    let set = async |sql: &str| {
        let mut tx = owner.begin(&NOBODY).await.unwrap();
        tx.connection().batch_execute(sql).await.unwrap();
        tx.commit().await.unwrap();
    };
    set("UPDATE schedule SET is_on = false").await;
    let off = looked(&db, at("2026-11-02T10:00:00Z")).await;
    assert_eq!((off.fired.len(), off.next), (0, None));
    assert!(
        names(&mut db.conn().await.unwrap())
            .await
            .unwrap()
            .is_empty()
    );
    set("UPDATE schedule SET is_on = true, since = '2026-11-05T00:00:00Z' WHERE name = 'counting'")
        .await;
    let on = looked(&db, at("2026-11-05T10:00:00Z")).await;
    assert_eq!(on.fired, [at("2026-11-05T09:00:00Z")]);
}
