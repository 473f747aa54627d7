//! A trail that was touched is found out, whoever touched it.

use access::ActorId;
use diesel_async::SimpleAsyncConnection;
use serde_json::json;
use testkit::TestDb;

use crate::audit::{Broken, Head, verify};
use crate::events::{self, NewEvent};
use crate::{Access, Config, Db, Sees, Tx};

async fn connected(database: &TestDb, access: Access) -> Db {
    let config = Config {
        access,
        ..Config::new(database.url())
    };
    Db::connect(&config).await.unwrap()
}

async fn trail(database: &TestDb) -> Db {
    let db = connected(database, Access::ReadAndWrite).await;
    for n in 0..5 {
        let mut tx = db.begin(&Sees::Everyone).await.unwrap();
        add(&mut tx, n).await;
        tx.commit().await.unwrap();
    }
    db
}

async fn add(tx: &mut Tx, n: i32) {
    let event = NewEvent {
        actor: "Màiri",
        actor_id: ActorId::System,
        actor_organisation: None,
        verb: "try",
        organisation: None,
        obligation_id: None,
        submission_id: None,
        details: json!({"n": n, "b": "£ \"quoted\"", "a": null}),
    };
    events::append(tx, &event).await.unwrap();
}

async fn verified(db: &Db, before: Option<Head>) -> Result<Head, Broken> {
    let mut conn = db.read(&Sees::Everyone).await.unwrap();
    verify(&mut conn, before).await.unwrap()
}

/// As whoever owns the database and takes its triggers away.
async fn touch(database: &TestDb, sql: &str) {
    let owner = connected(database, Access::Owner).await;
    let mut tx = owner.begin(&Sees::Everyone).await.unwrap();
    let sql = format!("SET LOCAL session_replication_role = replica; {sql}");
    tx.connection().batch_execute(&sql).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_trail_as_it_was_written_is_sound() {
    let database = TestDb::new();
    let db = trail(&database).await;
    let early = verified(&db, None).await.unwrap();
    assert_eq!(early.position, 5);
    let mut tx = db.begin(&Sees::Everyone).await.unwrap();
    add(&mut tx, 6).await;
    // An event of a transaction that comes to nothing leaves no gap.
    tx.rollback().await.unwrap();
    let mut tx = db.begin(&Sees::Everyone).await.unwrap();
    add(&mut tx, 7).await;
    add(&mut tx, 8).await;
    tx.commit().await.unwrap();
    let late = verified(&db, Some(early)).await.unwrap();
    assert_eq!(late.position, 7);
}

#[tokio::test]
async fn many_at_once_are_one_chain() {
    let database = TestDb::new();
    let db = trail(&database).await;
    let writers = (0..8).map(|_| {
        let db = db.clone();
        tokio::spawn(async move {
            for n in 0..20 {
                let mut tx = db.begin(&Sees::Everyone).await.unwrap();
                add(&mut tx, n).await;
                tokio::task::yield_now().await;
                add(&mut tx, n).await;
                tx.commit().await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(verified(&db, None).await.unwrap().position, 5 + 8 * 40);
}

#[tokio::test]
async fn whatever_is_done_to_it_is_found() {
    for (sql, broken) in [
        (
            "UPDATE event SET actor = 'Somebody else' WHERE details ->> 'n' = '2'",
            Broken::Changed {
                position: 3,
                event_id: 3,
            },
        ),
        (
            "UPDATE event SET at = at + interval '1 microsecond' WHERE id = 1",
            Broken::Changed {
                position: 1,
                event_id: 1,
            },
        ),
        (
            "UPDATE event SET details = '{}' WHERE id = 5",
            Broken::Changed {
                position: 5,
                event_id: 5,
            },
        ),
        // A field's text moved into its neighbour.
        (
            "UPDATE event SET actor_organisation = verb, verb = 'x' WHERE id = 4",
            Broken::Changed {
                position: 4,
                event_id: 4,
            },
        ),
        ("DELETE FROM event WHERE id = 2", Broken::EventMissing(2)),
        (
            "DELETE FROM event WHERE id = 2; DELETE FROM event_link WHERE event_id = 2",
            Broken::LinkMissing(2),
        ),
        (
            "INSERT INTO event (actor, verb) VALUES ('Nobody', 'x')",
            Broken::NotChained(6),
        ),
        // The end cut off: found by whoever kept a later head.
        (
            "DELETE FROM event WHERE id > 3; DELETE FROM event_link WHERE event_id > 3",
            Broken::NotAsBefore(5),
        ),
        // All of it written anew.
        (
            "UPDATE event SET verb = 'y' WHERE id = 5;
             UPDATE event_link SET sha256 = sha256((SELECT sha256 FROM event_link WHERE position = 4) || convert_to((SELECT event_text(e) FROM event e WHERE id = 5), 'UTF8')) WHERE position = 5",
            Broken::NotAsBefore(5),
        ),
    ] {
        let database = TestDb::new();
        let db = trail(&database).await;
        let kept = verified(&db, None).await.unwrap();
        touch(&database, sql).await;
        assert_eq!(verified(&db, Some(kept)).await, Err(broken), "{sql}");
    }
}
