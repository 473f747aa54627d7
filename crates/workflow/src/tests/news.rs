//! What is frozen at the sign-off, taken back early, written and asked for; and who is told.

use super::explanations::{asking, invited, new};
use super::*;
use crate::{Asking, Deciding, ExplainError, ExtensionError, WaiverError};

const TODAY: &str = "2026-10-20";

fn home() -> Reach {
    Reach::Organisation(ARDBEG.to_owned())
}

fn of_team() -> Reach {
    Reach::Return("form".to_owned())
}

impl World {
    /// Does what waits to be told, twice over.
    async fn tell_all(&self) {
        let (client, connection) =
            tokio_postgres::connect(&self.database.url(), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        let sql = "SELECT payload::text FROM job WHERE kind IN ('tell-news', 'tell-decided-anew') ORDER BY id";
        for row in client.query(sql, &[]).await.unwrap() {
            let job = serde_json::from_str(row.get(0)).unwrap();
            for _ in 0..2 {
                tell_news(&self.db, &system(), &job).await.unwrap();
            }
        }
    }

    async fn told_by(&self, kind: &str) -> Vec<String> {
        let mailed = self.mailed(kind).await;
        for (to, payload) in &mailed {
            assert!(!payload.contains("secret"), "{to}: {payload}");
        }
        mailed.into_iter().map(|(to, _)| to).collect()
    }
}

#[tokio::test]
async fn once_it_is_signed_off_what_was_said_stays() {
    let world = world().await;
    let sender = council(ARDBEG);
    let first = world.queried("one", &q1(), &["a"]).await;
    let say = async |id, text: &str| explain(&world.db, &sender, id, &new(None, text)).await;
    say(first, "A flood.").await.unwrap();
    submit(&world.db, &sender, first, now()).await.unwrap();
    // Until somebody answers for it more can be said.
    say(first, "A great flood.").await.unwrap();
    sign_off(&world.db, &system(), first, now()).await.unwrap();
    let version = found(&world.db, &system(), first).await.unwrap();
    assert!(!may_explain(&world.db, &sender, &version).await.unwrap());
    let error = say(first, "A fire.").await.unwrap_err();
    assert!(matches!(error, ExplainError::SignedOff), "{error}");

    // What is said of a newer version is that one's: whoever signed off did not see it.
    let second = world.queried("two", &q1(), &["a"]).await;
    say(second, "A fire.").await.unwrap();
    assert_eq!(world.said(first).await, [Some("A great flood.".to_owned())]);
    assert_eq!(world.said(second).await, [Some("A fire.".to_owned())]);
    send_back(&world.db, &system(), first, "Once more.", now())
        .await
        .unwrap();
    assert!(matches!(
        say(first, "An earthquake.").await,
        Err(ExplainError::SignedOff)
    ));
    // Whoever may not explain learns nothing of that.
    let denied = explain(&world.db, &council(BRORA), first, &new(None, "x")).await;
    assert!(
        matches!(denied, Err(ExplainError::Denied(Denied::NotThere))),
        "{denied:?}"
    );
}

#[tokio::test]
async fn a_granted_exception_is_taken_back_early() {
    let world = world().await;
    let ann = invited(&world, "ann@ardbeg.example", Role::Uploader, home()).await;
    let tess = invited(&world, "tess@team.example", Role::DatasetTeam, of_team()).await;
    let id = world.queried("one", &q1(), &["a", "b"]).await;
    let asked = Asking {
        reason: "A secret.".to_owned(),
        ..asking(id, 7, None)
    };
    ask_for_waiver(&world.db, &ann, &asked).await.unwrap();
    let waiver = Uuid::from_u128(7);
    let today = day(TODAY);
    let end = async |actor: &Actor, reason: &str| {
        revoke_waiver(&world.db, actor, waiver, reason, today).await
    };
    assert!(matches!(
        end(&tess, "Not yet granted.").await,
        Err(WaiverError::NotInForce)
    ));
    let granting = Deciding {
        ends_on: Some(day("2027-03-31")),
        reason: "Agreed.".to_owned(),
    };
    decide_waiver(&world.db, &tess, waiver, &granting, today)
        .await
        .unwrap();
    assert_eq!(world.n_unexplained(id, TODAY).await, 0);
    for actor in [&ann, &council(BRORA)] {
        assert!(matches!(
            end(actor, "Because.").await,
            Err(WaiverError::Denied(_))
        ));
    }
    assert!(matches!(end(&tess, " ").await, Err(WaiverError::Text(_))));
    for _ in 0..2 {
        end(&tess, "The shelter has changed, and that is a secret.")
            .await
            .unwrap();
    }
    assert!(matches!(
        end(&tess, "Something else.").await,
        Err(WaiverError::NotInForce)
    ));
    assert_eq!(world.n_unexplained(id, TODAY).await, 2);
    let all = all_waivers(&world.db, &ann).await.unwrap();
    assert!(all[0].revoked.is_some() && !all[0].holds_on(today));
    let verbs = world.verbs(id).await;
    let n_revoked = verbs.iter().filter(|verb| *verb == "revoke_waiver").count();
    assert_eq!(n_revoked, 1, "{verbs:?}");
    world.tell_all().await;
    assert_eq!(world.told_by("waiver-asked").await, ["tess@team.example"]);
    assert_eq!(
        world.told_by("waiver-revoked").await,
        ["ann@ardbeg.example"]
    );
}

#[tokio::test]
async fn each_side_is_told_what_the_other_writes() {
    let world = world().await;
    let ann = invited(&world, "ann@ardbeg.example", Role::Uploader, home()).await;
    let bo = invited(&world, "bo@ardbeg.example", Role::Approver, home()).await;
    let tess = invited(&world, "tess@team.example", Role::DatasetTeam, of_team()).await;
    invited(&world, "tom@team.example", Role::DatasetTeam, of_team()).await;
    let upload = NewUpload {
        contact_email: None,
        ..world.upload("one", "one")
    };
    let receipt = receive(&world.db, &world.files, &ann, upload)
        .await
        .unwrap();
    let id = receipt.submission_id;
    world.load(id, "one", Outcome::Ready).await;
    let write = async |actor: &Actor, n: u128| {
        let n = Uuid::from_u128(n);
        for _ in 0..2 {
            write_message(&world.db, actor, id, n, "A secret.")
                .await
                .unwrap();
        }
        world.tell_all().await;
        world.told_by("message").await
    };
    assert!(
        write(&ann, 1).await.is_empty(),
        "the team does not have it yet"
    );
    submit(&world.db, &ann, id, now()).await.unwrap();
    let both = ["tess@team.example", "tom@team.example"];
    let mut to = write(&bo, 2).await;
    to.sort();
    // The job of the first message, run again here, tells of it now that the team has the version.
    assert_eq!(to, [both[0], both[0], both[1], both[1]]);
    let mut to = write(&tess, 3).await;
    to.retain(|to| to.ends_with("ardbeg.example"));
    to.sort();
    assert_eq!(to, ["ann@ardbeg.example", "bo@ardbeg.example"]);
}

fn asking_for_time(n: u128, until: &str) -> AskingForTime {
    AskingForTime {
        id: Uuid::from_u128(n),
        organisation: ARDBEG.to_owned(),
        return_id: "form".to_owned(),
        period: "2026-27-Q1".to_owned(),
        until: day(until),
        reason: "Our system is down; that is a secret.".to_owned(),
    }
}

#[tokio::test]
async fn more_time_is_asked_for_by_whoever_owes_and_to_a_later_day() {
    let world = world().await;
    let ann = council(ARDBEG);
    let tess = person(Role::DatasetTeam, of_team());
    // Due on 31 July.
    let today = day("2026-07-20");
    let ask = async |actor: &Actor, n, until| {
        ask_for_time(&world.db, actor, &asking_for_time(n, until), today).await
    };
    for (until, why) in [("2026-07-31", "not later"), ("2027-08-01", "too late")] {
        let refused = ask(&ann, 1, until).await;
        assert!(matches!(refused, Err(ExtensionError::Day { .. })), "{why}");
    }
    assert!(matches!(
        ask(&council(BRORA), 1, "2026-08-14").await,
        Err(ExtensionError::Denied(Denied::NotThere))
    ));
    assert!(matches!(
        ask(&tess, 1, "2026-08-14").await,
        Err(ExtensionError::Denied(_))
    ));
    let all = extensions_of(&world.db, &system(), ("form", "2026-27-Q1"), None).await;
    assert_eq!(all.unwrap(), []);
}

#[tokio::test]
async fn more_time_is_asked_for_and_given_and_the_day_moves() {
    let world = world().await;
    let ann = invited(&world, "ann@ardbeg.example", Role::Uploader, home()).await;
    let tess = invited(&world, "tess@team.example", Role::DatasetTeam, of_team()).await;
    // Due on 31 July.
    let today = day("2026-07-20");
    let ask = async |actor: &Actor, n, until| {
        ask_for_time(&world.db, actor, &asking_for_time(n, until), today).await
    };
    for _ in 0..2 {
        ask(&ann, 1, "2026-08-14").await.unwrap();
    }
    let round = ("form", "2026-27-Q1");
    let seen = async |actor: &Actor| {
        let all = extensions_of(&world.db, actor, round, None).await.unwrap();
        all.len()
    };
    assert_eq!((seen(&ann).await, seen(&tess).await), (1, 1));
    assert_eq!(seen(&council(BRORA)).await, 0);

    let decide = async |actor: &Actor, due_on: Option<&str>, reason: &str| {
        let deciding = DecidingOnTime {
            due_on: due_on.map(day),
            reason: reason.to_owned(),
            n_known: 0,
        };
        decide_on_time(&world.db, actor, Uuid::from_u128(1), &deciding, today).await
    };
    let given = Some("2026-08-10");
    assert!(matches!(
        decide(&ann, given, "Yes.").await,
        Err(ExtensionError::Denied(Denied::Forbidden))
    ));
    assert!(matches!(
        decide(&council(BRORA), given, "Yes.").await,
        Err(ExtensionError::Denied(Denied::NotThere))
    ));
    assert!(matches!(
        decide(&tess, Some("2026-07-31"), "Yes.").await,
        Err(ExtensionError::Day { .. })
    ));
    assert!(matches!(
        decide(&tess, given, "").await,
        Err(ExtensionError::Text(_))
    ));
    let due = async |organisation: &str, on: &str| {
        let all = owed_in(&world.db, &system(), round.0, round.1, day(on)).await;
        let all = all.unwrap();
        let owed = all.iter().find(|owed| owed.organisation == organisation);
        let owed = owed.unwrap();
        (owed.due_on.to_string(), owed.is_overdue)
    };
    assert_eq!(
        due(ARDBEG, "2026-08-05").await,
        ("2026-07-31".to_owned(), true)
    );
    for _ in 0..2 {
        decide(&tess, given, "A secret.").await.unwrap();
    }
    assert!(matches!(
        decide(&tess, None, "No.").await,
        Err(ExtensionError::Decided)
    ));
    assert_eq!(
        due(ARDBEG, "2026-08-10").await,
        ("2026-08-10".to_owned(), false)
    );
    assert_eq!(
        due(ARDBEG, "2026-08-11").await,
        ("2026-08-10".to_owned(), true)
    );
    assert_eq!(
        due(BRORA, "2026-08-10").await,
        ("2026-07-31".to_owned(), true)
    );

    // A second request is refused, and the day stays.
    ask(&ann, 2, "2026-09-01").await.unwrap();
    let refusing = DecidingOnTime {
        due_on: None,
        reason: "No.".to_owned(),
        n_known: 0,
    };
    let planner = person(Role::Scheduler, Reach::Everything);
    decide_on_time(&world.db, &planner, Uuid::from_u128(2), &refusing, today)
        .await
        .unwrap();
    assert_eq!(due(ARDBEG, "2026-08-10").await.0, "2026-08-10");
    world.tell_all().await;
    assert_eq!(
        world.told_by("extension-asked").await,
        ["tess@team.example", "tess@team.example"]
    );
    assert_eq!(
        world.told_by("extension-decided").await,
        ["ann@ardbeg.example", "ann@ardbeg.example"]
    );
    let id = world.hand_in("one").await;
    sign_off(&world.db, &system(), id, now()).await.unwrap();
    assert!(matches!(
        ask(&ann, 3, "2026-09-01").await,
        Err(ExtensionError::NothingOwed)
    ));
}

#[tokio::test]
async fn more_time_that_was_given_is_changed_and_taken_back() {
    let world = world().await;
    let ann = invited(&world, "ann@ardbeg.example", Role::Uploader, home()).await;
    let _bob = invited(&world, "bob@ardbeg.example", Role::Uploader, home()).await;
    let tess = person(Role::DatasetTeam, of_team());
    // Due on 31 July.
    let today = day("2026-07-20");
    ask_for_time(&world.db, &ann, &asking_for_time(1, "2026-08-14"), today)
        .await
        .unwrap();
    let decide = async |n_known, due_on: Option<&str>, on: &str| {
        let deciding = DecidingOnTime {
            due_on: due_on.map(day),
            reason: "A secret.".to_owned(),
            n_known,
        };
        decide_on_time(&world.db, &tess, Uuid::from_u128(1), &deciding, day(on)).await
    };
    let due = async || {
        let all = owed_in(&world.db, &system(), "form", "2026-27-Q1", today).await;
        let all = all.unwrap().into_iter();
        let mut own = all.filter(|owed| owed.organisation == ARDBEG);
        own.next().unwrap().due_on.to_string()
    };
    decide(0, Some("2026-08-14"), "2026-07-20").await.unwrap();
    assert_eq!(due().await, "2026-08-14");
    for (n_known, due_on, on) in [
        (0, Some("2026-08-07"), "2026-07-21"),
        (0, None, "2026-07-21"),
        (2, None, "2026-07-21"),
    ] {
        assert!(matches!(
            decide(n_known, due_on, on).await,
            Err(ExtensionError::Decided)
        ));
    }
    // Neither to the round's own day or before it, nor to one that is past.
    for (due_on, on) in [("2026-07-31", "2026-07-21"), ("2026-08-03", "2026-08-04")] {
        assert!(matches!(
            decide(1, Some(due_on), on).await,
            Err(ExtensionError::Day { .. })
        ));
    }
    for _ in 0..2 {
        decide(1, Some("2026-08-07"), "2026-07-21").await.unwrap();
    }
    assert_eq!(due().await, "2026-08-07");
    for _ in 0..2 {
        decide(2, None, "2026-07-22").await.unwrap();
    }
    assert_eq!(due().await, "2026-07-31");
    let again = DecidingOnTime {
        due_on: None,
        reason: "Another one.".to_owned(),
        n_known: 3,
    };
    assert!(matches!(
        decide_on_time(&world.db, &tess, Uuid::from_u128(1), &again, today).await,
        Err(ExtensionError::NothingNew)
    ));
    let all = extensions_of(&world.db, &ann, ("form", "2026-27-Q1"), None).await;
    let days = all.unwrap().remove(0).decisions;
    let days: Vec<Option<chrono::NaiveDate>> = days.iter().map(|one| one.due_on).collect();
    assert_eq!(
        days,
        [Some(day("2026-08-14")), Some(day("2026-08-07")), None]
    );

    world.tell_all().await;
    world.tell_all().await;
    // The first decision was overtaken before anybody was told of it.
    assert!(world.told_by("extension-decided").await.is_empty());
    let mut to = world.told_by("extension-decided-anew").await;
    to.sort();
    let both = ["ann@ardbeg.example", "bob@ardbeg.example"];
    assert_eq!(to, [both[0], both[0], both[1], both[1]]);

    let id = world.hand_in("one").await;
    sign_off(&world.db, &system(), id, now()).await.unwrap();
    assert!(matches!(
        decide(3, Some("2026-08-21"), "2026-07-22").await,
        Err(ExtensionError::NothingOwed)
    ));
}

#[tokio::test]
async fn what_one_request_was_given_counts_whatever_is_decided_on_another() {
    let world = world().await;
    let ann = invited(&world, "ann@ardbeg.example", Role::Uploader, home()).await;
    let tess = person(Role::DatasetTeam, of_team());
    // Due on 31 July.
    let today = day("2026-07-20");
    let decide = async |n, n_known, due_on: &str| {
        let deciding = DecidingOnTime {
            due_on: Some(day(due_on)),
            reason: "Agreed.".to_owned(),
            n_known,
        };
        decide_on_time(&world.db, &tess, Uuid::from_u128(n), &deciding, today).await
    };
    for (n, until) in [(1, "2026-08-14"), (2, "2026-08-20")] {
        ask_for_time(&world.db, &ann, &asking_for_time(n, until), today)
            .await
            .unwrap();
    }
    decide(1, 0, "2026-08-10").await.unwrap();
    decide(2, 0, "2026-08-20").await.unwrap();
    let round = ("form", "2026-27-Q1");
    let (owed, all) = time_of(&world.db, &ann, round, ARDBEG, today)
        .await
        .unwrap();
    assert_eq!(owed.due_on, day("2026-08-20"));
    for (n, without) in [(1, "2026-08-20"), (2, "2026-08-10")] {
        let without = day(without);
        assert_eq!(due_without(&owed, &all, Uuid::from_u128(n)), without);
    }
    // It would be given, and nothing would come of it.
    assert!(matches!(
        decide(2, 1, "2026-08-07").await,
        Err(ExtensionError::Day { .. })
    ));
    decide(2, 1, "2026-08-12").await.unwrap();
}
