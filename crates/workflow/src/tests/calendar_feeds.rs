//! A calendar that subscribes to a feed moves what it has when days move and has nothing twice; each feed says what its
//! maker may see, until it is ended. The feeds are read by another's parser.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use cycle::{Certainty, DateKind};
use serde_json::Value;

use super::*;

/// Reads a feed as a calendar does, and prints its events: an event of a UID takes the place of one with a lower sequence.
const READER: &str = r#"
import sys, json, datetime, icalendar
calendar = icalendar.Calendar.from_ical(sys.stdin.buffer.read())
assert not calendar.errors, calendar.errors
assert calendar["VERSION"] == "2.0" and calendar["PRODID"]
events = []
for event in calendar.walk("VEVENT"):
    assert not event.errors, event.errors
    for needed in ("UID", "DTSTAMP", "DTSTART", "DTEND", "SEQUENCE", "LAST-MODIFIED", "SUMMARY", "STATUS"):
        assert needed in event, needed
    assert "ATTENDEE" not in event and "ORGANIZER" not in event
    start, end = event["DTSTART"].dt, event["DTEND"].dt
    assert type(start) is datetime.date and end - start == datetime.timedelta(days=1), (start, end)
    events.append({"uid": str(event["UID"]), "on": start.isoformat(), "sequence": int(event["SEQUENCE"]),
                   "status": str(event["STATUS"]), "summary": str(event["SUMMARY"]), "url": str(event["URL"]),
                   "modified": event["LAST-MODIFIED"].dt.isoformat()})
json.dump(events, sys.stdout)
"#;

fn parsed(feed: &str) -> Vec<Value> {
    let mut python = Command::new(testkit::python())
        .args(["-c", READER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python
        .stdin
        .take()
        .unwrap()
        .write_all(feed.as_bytes())
        .unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "{feed}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A calendar that subscribes.
#[derive(Default)]
struct Subscriber(BTreeMap<String, Value>);

impl Subscriber {
    fn read(&mut self, feed: &str) {
        for event in parsed(feed) {
            let uid = event["uid"].as_str().unwrap().to_owned();
            if let Some(known) = self.0.get(&uid) {
                let (known_at, at) = (known["sequence"].as_i64(), event["sequence"].as_i64());
                assert!(known_at <= at, "{known} then {event}");
                // What is the same revision is the same event.
                assert!(known_at < at || *known == event, "{known} then {event}");
            }
            self.0.insert(uid, event);
        }
    }

    /// `2026-07-31 CONFIRMED Form, April …: due`, by day.
    fn shows(&self) -> Vec<String> {
        let mut shown: Vec<String> = self
            .0
            .values()
            .map(|event| {
                let word = |name: &str| event[name].as_str().unwrap().to_owned();
                format!(
                    "{} {} {} {}",
                    word("on"),
                    word("status"),
                    event["sequence"],
                    word("summary").replace("Form, April to June 2026 (2026-27 Q1): ", "")
                )
            })
            .collect();
        shown.sort();
        shown
    }
}

impl World {
    async fn member(&self, email: &str, role: Role, code: &str) -> Actor {
        let grant = Grant {
            role,
            reach: match role {
                Role::Scheduler => Reach::Everything,
                _ => Reach::Organisation(code.to_owned()),
            },
        };
        let invited = if role == Role::Scheduler {
            let team = (email, "Someone");
            invite_into(&self.db, &system(), team, &grant, code).await
        } else {
            invite(&self.db, &system(), email, "Someone", &grant).await
        };
        Actor {
            id: ActorId::Person(invited.unwrap()),
            name: "Someone".to_owned(),
            grants: vec![grant],
        }
    }

    async fn subscribed(&self, actor: &Actor, of: OfWhat) -> Secret {
        let made = make_feed(&self.db, actor, Uuid::now_v7(), &of).await;
        made.unwrap().unwrap()
    }

    /// As the site answers; `None`: there is no such feed.
    async fn feed(&self, secret: &Secret) -> Option<String> {
        let (maker, of) = enter_by_feed(&self.db, secret).await.unwrap()?;
        let base_url = "https://returns.example";
        let days = read_feed(&self.db, &maker, &of, base_url, day("2026-11-26")).await;
        Some(cycle::calendar::feed(
            "Returns",
            "returns.example",
            &days.ok()?,
        ))
    }
}

fn name() -> RoundName {
    RoundName {
        return_id: "form".to_owned(),
        period: "2026-27-Q1".to_owned(),
    }
}

#[tokio::test]
async fn a_subscriber_moves_what_it_has_and_has_nothing_twice() {
    let world = world().await;
    let planner = world
        .member("pat@office.example", Role::Scheduler, ARDBEG)
        .await;
    let everything = world.subscribed(&planner, OfWhat::Everything).await;
    let mut calendar = Subscriber::default();
    let feed = world.feed(&everything).await.unwrap();
    for _ in 0..2 {
        calendar.read(&feed);
    }
    assert_eq!(
        calendar.shows(),
        ["2026-07-01 CONFIRMED 0 opens", "2026-07-31 CONFIRMED 0 due"]
    );
    world
        .set(DateKind::Due, "2026-08-14", Certainty::Provisional)
        .await;
    world
        .set(DateKind::Publish, "2026-11-30", Certainty::Confirmed)
        .await;
    calendar.read(&world.feed(&everything).await.unwrap());
    assert_eq!(
        calendar.shows(),
        [
            "2026-07-01 CONFIRMED 0 opens",
            "2026-08-14 TENTATIVE 1 due (provisional)",
            "2026-11-30 CONFIRMED 0 published (St Andrew's Day)"
        ]
    );
    let because = "It is withdrawn";
    cancel_round(&world.db, &planner, &name(), TakesPlace::Cancelled, because)
        .await
        .unwrap();
    calendar.read(&world.feed(&everything).await.unwrap());
    assert_eq!(
        calendar.shows(),
        [
            "2026-07-01 CANCELLED 1 opens (cancelled)",
            "2026-08-14 CANCELLED 2 due (cancelled)",
            "2026-11-30 CANCELLED 1 published (cancelled, St Andrew's Day)"
        ]
    );
    cancel_round(&world.db, &planner, &name(), TakesPlace::Yes, "It is back")
        .await
        .unwrap();
    calendar.read(&world.feed(&everything).await.unwrap());
    assert_eq!(
        calendar.shows()[1],
        "2026-08-14 TENTATIVE 3 due (provisional)"
    );
    // Another return's feed has none of these.
    let other = world
        .subscribed(&planner, OfWhat::Return("other".to_owned()))
        .await;
    assert!(parsed(&world.feed(&other).await.unwrap()).is_empty());
}

#[tokio::test]
async fn an_organisations_feed_has_its_own_days() {
    let world = world().await;
    let bo = world
        .member("bo@ardbeg.example", Role::Uploader, ARDBEG)
        .await;
    let ed = world
        .member("ed@brora.example", Role::Uploader, BRORA)
        .await;
    let of = |code: &str| OfWhat::Organisation(code.to_owned());
    let own = world.subscribed(&bo, of(ARDBEG)).await;
    let brora = world.subscribed(&ed, of(BRORA)).await;
    let error = make_feed(&world.db, &bo, Uuid::now_v7(), &of(BRORA)).await;
    assert!(matches!(error, Err(Denied::NotThere)));

    let asking = AskingForTime {
        id: Uuid::from_u128(7),
        organisation: ARDBEG.to_owned(),
        return_id: "form".to_owned(),
        period: "2026-27-Q1".to_owned(),
        until: day("2026-08-21"),
        reason: "Our system is being replaced".to_owned(),
    };
    ask_for_time(&world.db, &bo, &asking, day("2026-07-20"))
        .await
        .unwrap();
    let planner = person(Role::Scheduler, Reach::Everything);
    let deciding = DecidingOnTime {
        due_on: Some(day("2026-08-21")),
        reason: "Agreed".to_owned(),
        n_known: 0,
    };
    decide_on_time(&world.db, &planner, asking.id, &deciding, day("2026-07-20"))
        .await
        .unwrap();
    require(
        &world.db,
        &planner,
        &name(),
        BRORA,
        Required::No,
        "It has none",
        day("2026-07-20"),
    )
    .await
    .unwrap();
    let shows = async |secret: &Secret| {
        let mut calendar = Subscriber::default();
        calendar.read(&world.feed(secret).await.unwrap());
        calendar.shows()
    };
    assert_eq!(
        shows(&own).await,
        ["2026-07-01 CONFIRMED 1 opens", "2026-08-21 CONFIRMED 1 due"]
    );
    assert_eq!(
        shows(&brora).await,
        [
            "2026-07-01 CANCELLED 1 opens (cancelled)",
            "2026-07-31 CANCELLED 1 due (cancelled)"
        ]
    );
    // What was given by mistake is taken back, and the calendar follows.
    let taken_back = DecidingOnTime {
        due_on: None,
        reason: "The wrong council".to_owned(),
        n_known: 1,
    };
    decide_on_time(
        &world.db,
        &planner,
        asking.id,
        &taken_back,
        day("2026-07-21"),
    )
    .await
    .unwrap();
    assert_eq!(
        shows(&own).await,
        ["2026-07-01 CONFIRMED 2 opens", "2026-07-31 CONFIRMED 2 due"]
    );
    // Everybody may have every round's own days.
    let everything = world.subscribed(&bo, OfWhat::Everything).await;
    assert_eq!(
        shows(&everything).await,
        ["2026-07-01 CONFIRMED 0 opens", "2026-07-31 CONFIRMED 0 due"]
    );
}

#[tokio::test]
async fn a_feed_ends_when_it_is_revoked_or_its_maker_may_not_see_it_any_more() {
    let world = world().await;
    let bo = world
        .member("bo@ardbeg.example", Role::Uploader, ARDBEG)
        .await;
    let ed = world
        .member("ed@brora.example", Role::Uploader, BRORA)
        .await;
    let of = OfWhat::Organisation(ARDBEG.to_owned());
    let id = Uuid::now_v7();
    let first = make_feed(&world.db, &bo, id, &of).await.unwrap().unwrap();
    assert!(
        make_feed(&world.db, &bo, id, &of).await.unwrap().is_none(),
        "sent twice, it is there once"
    );
    let second = world.subscribed(&bo, of.clone()).await;
    assert_eq!(own_feeds(&world.db, &bo).await.unwrap().len(), 2);
    assert!(own_feeds(&world.db, &ed).await.unwrap().is_empty());
    revoke_feed(&world.db, &ed, id).await.unwrap();
    assert!(world.feed(&first).await.is_some(), "another's is not ended");
    for _ in 0..2 {
        revoke_feed(&world.db, &bo, id).await.unwrap();
    }
    assert!(world.feed(&first).await.is_none());
    assert!(world.feed(&second).await.is_some());
    assert!(world.feed(&Secret::of("guessed")).await.is_none());

    let ActorId::Person(person_id) = bo.id else {
        unreachable!("a person")
    };
    end_role(&world.db, &system(), person_id, &bo.grants[0], Utc::now())
        .await
        .unwrap();
    assert!(
        world.feed(&second).await.is_none(),
        "who does not work there sees nothing"
    );
}
