//! People are reminded once, of what is still owed, and of a day that moved; the log says what was left out and why.

use cycle::{Certainty, DateKind, PlannedDate};

use super::*;

fn at(day: &str) -> DateTime<Utc> {
    format!("{day}T07:30:00Z").parse().unwrap()
}

fn planner() -> Actor {
    person(Role::Scheduler, Reach::Everything)
}

fn name() -> RoundName {
    RoundName {
        return_id: "form".to_owned(),
        period: "2026-27-Q1".to_owned(),
    }
}

/// Everybody who is told: two of Ardbeg's senders, its signer, and Brora's sender.
async fn staffed() -> World {
    let world = world().await;
    for (email, role, code) in [
        ("ann@ardbeg.example", Role::Uploader, ARDBEG),
        ("bob@ardbeg.example", Role::Uploader, ARDBEG),
        ("sue@ardbeg.example", Role::Approver, ARDBEG),
        ("bea@brora.example", Role::Uploader, BRORA),
    ] {
        let grant = Grant {
            role,
            reach: Reach::Organisation(code.to_owned()),
        };
        invite(&world.db, &system(), email, "Someone", &grant)
            .await
            .unwrap();
    }
    world
}

impl World {
    async fn client(&self) -> tokio_postgres::Client {
        let (client, connection) =
            tokio_postgres::connect(&self.database.url(), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        client
    }

    pub(super) async fn set(&self, kind: DateKind, on: &str, certainty: Certainty) {
        let to = NewDates {
            round: name(),
            dates: vec![PlannedDate::new(kind, day(on), certainty)],
            seen: None,
        };
        let because = Because {
            source: None,
            reason: "The form came late".to_owned(),
        };
        set_dates(&self.db, &planner(), &[to], &because)
            .await
            .unwrap();
    }

    /// Reminds on each day, twice, as two processes at once would.
    async fn days(&self, from: &str, until: &str) {
        let until = day(until);
        for today in day(from).iter_days().take_while(|day| *day <= until) {
            let (now, worker) = (at(&today.to_string()), Actor::system("worker"));
            let (one, other) = tokio::join!(
                remind(&self.db, &worker, now),
                remind(&self.db, &worker, now)
            );
            one.unwrap();
            other.unwrap();
        }
    }

    /// Who was told what, by day; several steps in one email stand together.
    async fn reminded(&self) -> Vec<String> {
        let rows = self
            .client()
            .await
            .query(
                "SELECT d.on_day || ' ' || split_part(p.email, '@', 1) || ': '
                     || string_agg(CASE WHEN r.organisation = 'S12000002' AND p.email LIKE '%ardbeg%' THEN 'another''s ' ELSE '' END
                         || r.rung, ', ' ORDER BY r.rung)
                 FROM reminder r JOIN reminder_digest d ON d.id = r.digest_id JOIN person p ON p.id = r.person_id
                 GROUP BY d.id, d.on_day, p.email ORDER BY d.on_day, p.email",
                &[],
            )
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// What was left out of Brora's, and why.
    async fn left_out(&self) -> Vec<String> {
        let rows = self
            .client()
            .await
            .query(
                "SELECT rung || ' ' || left_out_because FROM reminder
                 WHERE organisation = 'S12000002' AND left_out_because IS NOT NULL ORDER BY id",
                &[],
            )
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn n(&self, what: &str) -> i64 {
        let counted = self
            .client()
            .await
            .query_one(&format!("SELECT count(*) FROM {what}"), &[])
            .await;
        counted.unwrap().get(0)
    }
}

#[tokio::test]
async fn the_ladder_goes_to_whoever_sends_and_then_to_whoever_signs_off() {
    let world = staffed().await;
    // Brora has answered.
    let upload = NewUpload {
        organisation: BRORA.to_owned(),
        ..world.upload("brora", "brora")
    };
    let id = world.receive(upload).await.unwrap().submission_id;
    world.load(id, "brora", Outcome::Ready).await;
    world.submit(id).await;
    world.days("2026-07-24", "2026-08-31").await;
    assert_eq!(
        world.reminded().await,
        [
            "2026-07-24 ann: before_7",
            "2026-07-24 bob: before_7",
            "2026-07-30 ann: before_1",
            "2026-07-30 bob: before_1",
            "2026-07-31 ann: due",
            "2026-07-31 bob: due",
            "2026-08-01 ann: after_1",
            "2026-08-01 bob: after_1",
            "2026-08-07 ann: after_7",
            "2026-08-07 bob: after_7",
            "2026-08-14 sue: escalation",
        ]
    );
    assert_eq!(
        world.left_out().await,
        [
            "before_30 met",
            "before_14 met",
            "before_7 met",
            "before_1 met",
            "due met",
            "after_1 met",
            "after_7 met",
            "escalation met",
        ],
        "the sender of Brora is told nothing, and the log says why"
    );
    let n_emails = world.n("email WHERE kind = 'reminders'").await;
    assert_eq!(n_emails, 11, "an email for each person and day");
    assert_eq!(
        world
            .n("job WHERE kind = 'send-email' AND payload ->> 'email_id' IN (SELECT id::text FROM email WHERE kind = 'reminders')")
            .await,
        11
    );
}

#[tokio::test]
async fn a_day_that_moved_is_told_once_and_the_ladder_moves_with_it() {
    let world = staffed().await;
    world.days("2026-07-16", "2026-07-18").await;
    for due in ["2026-08-05", "2026-08-14"] {
        world.set(DateKind::Due, due, Certainty::Confirmed).await;
    }
    world.days("2026-07-18", "2026-07-31").await;
    let told = world.reminded().await;
    let of_ann: Vec<&String> = told.iter().filter(|line| line.contains("ann")).collect();
    assert_eq!(
        of_ann,
        [
            "2026-07-17 ann: before_14",
            "2026-07-18 ann: moved",
            "2026-07-31 ann: before_14"
        ]
    );
    let moved =
        "reminder WHERE rung = 'moved' AND moved_from = '2026-07-31' AND due_on = '2026-08-14'";
    assert_eq!(world.n(moved).await, 3, "each sender once");
    let payloads = world
        .client()
        .await
        .query(
            "SELECT payload::text FROM email WHERE kind = 'reminders' AND payload::text LIKE '%moved%'",
            &[],
        )
        .await
        .unwrap();
    assert!(payloads[0].get::<_, String>(0).contains("2026-07-31"));
}

#[tokio::test]
async fn a_day_that_was_told_although_provisional_is_told_when_it_moves() {
    let world = staffed().await;
    world.days("2026-07-17", "2026-07-17").await;
    let sent = async |from: &str, to: &str| {
        let rows = format!(
            "reminder WHERE rung = 'moved' AND moved_from = '{from}' AND due_on = '{to}' AND digest_id IS NOT NULL"
        );
        world.n(&rows).await
    };
    world
        .set(DateKind::Due, "2026-08-14", Certainty::Provisional)
        .await;
    world.days("2026-07-18", "2026-07-19").await;
    assert_eq!(sent("2026-07-31", "2026-08-14").await, 3);
    world
        .set(DateKind::Due, "2026-08-21", Certainty::Confirmed)
        .await;
    world.days("2026-07-20", "2026-07-21").await;
    assert_eq!(sent("2026-08-14", "2026-08-21").await, 3);
}

#[tokio::test]
async fn a_round_is_closed_by_a_day_that_was_promised() {
    let world = staffed().await;
    let turned = async |today: &str| turn_rounds(&world.db, &system(), day(today)).await.unwrap();
    turned("2026-07-31").await;
    world
        .set(DateKind::Close, "2026-08-14", Certainty::Provisional)
        .await;
    assert_eq!(turned("2026-08-15").await, 0, "files are still taken");
    world
        .set(DateKind::Close, "2026-08-14", Certainty::Confirmed)
        .await;
    assert_eq!(turned("2026-08-15").await, 1);
    assert_eq!(turned("2026-08-16").await, 0);
}

#[tokio::test]
async fn more_time_for_one_moves_its_ladder_alone() {
    let world = staffed().await;
    let asking = AskingForTime {
        id: Uuid::from_u128(7),
        organisation: ARDBEG.to_owned(),
        return_id: "form".to_owned(),
        period: "2026-27-Q1".to_owned(),
        until: day("2026-08-21"),
        reason: "Our system is being replaced".to_owned(),
    };
    ask_for_time(&world.db, &council(ARDBEG), &asking, day("2026-07-20"))
        .await
        .unwrap();
    let deciding = DecidingOnTime {
        due_on: Some(day("2026-08-21")),
        reason: "Agreed".to_owned(),
        n_known: 0,
    };
    decide_on_time(
        &world.db,
        &planner(),
        asking.id,
        &deciding,
        day("2026-07-20"),
    )
    .await
    .unwrap();
    world.days("2026-07-20", "2026-08-07").await;
    assert_eq!(
        world.reminded().await,
        [
            "2026-07-22 ann: before_30",
            "2026-07-22 bob: before_30",
            "2026-07-24 bea: before_7",
            "2026-07-30 bea: before_1",
            "2026-07-31 bea: due",
            "2026-08-01 bea: after_1",
            "2026-08-07 ann: before_14",
            "2026-08-07 bea: after_7",
            "2026-08-07 bob: before_14",
        ]
    );
    // The round moves past the day that was given, and back before it: they are told of their own day.
    let told = async |from: &str, to: &str| {
        let rows = format!(
            "reminder WHERE rung = 'moved' AND moved_from = '{from}' AND due_on = '{to}' AND digest_id IS NOT NULL"
        );
        world.n(&rows).await
    };
    let confirmed = Certainty::Confirmed;
    world.set(DateKind::Due, "2026-09-04", confirmed).await;
    world.days("2026-08-08", "2026-08-09").await;
    assert_eq!(told("2026-08-21", "2026-09-04").await, 2);
    assert_eq!(told("2026-07-31", "2026-09-04").await, 1);
    world.set(DateKind::Due, "2026-08-14", confirmed).await;
    world.days("2026-08-10", "2026-08-11").await;
    assert_eq!(told("2026-09-04", "2026-08-21").await, 2);
    assert_eq!(told("2026-09-04", "2026-08-14").await, 1);
}

#[tokio::test]
async fn nobody_is_reminded_of_what_is_not_asked_for_any_more() {
    let world = staffed().await;
    require(
        &world.db,
        &planner(),
        &name(),
        BRORA,
        Required::No,
        "It has none",
        day("2026-07-02"),
    )
    .await
    .unwrap();
    world.days("2026-07-01", "2026-07-24").await;
    assert!(
        !world
            .reminded()
            .await
            .iter()
            .any(|line| line.contains("bea"))
    );
    assert_eq!(
        world.left_out().await,
        [
            "before_30 not_required",
            "before_14 not_required",
            "before_7 not_required"
        ]
    );
    cancel_round(
        &world.db,
        &planner(),
        &name(),
        TakesPlace::Cancelled,
        "The form is withdrawn",
    )
    .await
    .unwrap();
    let n_before = world.reminded().await.len();
    world.days("2026-07-25", "2026-08-20").await;
    // Whoever was reminded of it is told, and of nothing else.
    assert_eq!(
        world.reminded().await.split_off(n_before),
        ["2026-07-25 ann: cancelled", "2026-07-25 bob: cancelled"]
    );
    let (client, today) = (world.client().await, "2026-07-31");
    let whys = client
        .query(
            "SELECT DISTINCT left_out_because FROM reminder WHERE due_on = $1::text::date AND rung = 'due'",
            &[&today],
        )
        .await
        .unwrap();
    assert_eq!(whys.len(), 1);
    assert_eq!(whys[0].get::<_, String>(0), "cancelled");

    let take = async |takes_place| {
        cancel_round(
            &world.db,
            &planner(),
            &name(),
            takes_place,
            "It was a mistake",
        )
        .await
        .unwrap();
    };
    take(TakesPlace::Yes).await;
    world.days("2026-08-21", "2026-08-22").await;
    take(TakesPlace::Cancelled).await;
    world.days("2026-08-23", "2026-08-24").await;
    assert_eq!(
        world.reminded().await.split_off(n_before + 2),
        [
            "2026-08-21 ann: reinstated",
            "2026-08-21 bob: reinstated",
            "2026-08-23 ann: cancelled",
            "2026-08-23 bob: cancelled",
        ]
    );
}

#[tokio::test]
async fn an_organisation_without_people_is_in_the_log() {
    let world = world().await;
    world.days("2026-07-17", "2026-07-17").await;
    assert_eq!(
        world.left_out().await,
        ["before_30 overtaken", "before_14 nobody"]
    );
    assert_eq!(world.n("email").await, 0);
    // Who reads the log sees their own organisation's.
    let owed = owed_in(
        &world.db,
        &council(BRORA),
        "form",
        "2026-27-Q1",
        day("2026-07-17"),
    )
    .await
    .unwrap();
    let log = reminders_of(&world.db, &council(BRORA), &owed[0])
        .await
        .unwrap();
    assert_eq!(log.len(), 2);
    assert!(
        reminders_of(&world.db, &council(ARDBEG), &owed[0])
            .await
            .is_err()
    );
}

#[tokio::test]
async fn the_schedules_put_in_their_jobs_and_next_years_rounds_are_proposed_once() {
    let world = world().await;
    let monday = "2026-11-30T09:00:00Z".parse().unwrap();
    let client = world.client().await;
    client
        .batch_execute("UPDATE schedule SET since = '2026-11-29T12:00:00Z'")
        .await
        .unwrap();
    let fired = fire_schedules(&world.db, &system(), Some(monday))
        .await
        .unwrap();
    let names: Vec<&str> = fired.jobs.iter().map(|job| job.schedule.as_str()).collect();
    assert_eq!(names, ["propose-rounds", "remind", "turn-rounds"]);
    assert_eq!(fired.pause, std::time::Duration::from_mins(1));
    assert!(
        fire_schedules(&world.db, &system(), Some(monday))
            .await
            .unwrap()
            .jobs
            .is_empty()
    );

    let specs = [world.spec.clone()];
    let all = |_: &Proposal| true;
    let today = day("2026-11-30");
    let worker = system();
    let propose = || plan_proposals(&world.db, &worker, &specs, all, today);
    let (one, other) = tokio::join!(propose(), propose());
    assert_eq!(one.unwrap() + other.unwrap(), 1);
    let next = RoundName {
        period: "2027-28-Q1".to_owned(),
        ..name()
    };
    let (planned, _) = planned_round(&world.db, &council(ARDBEG), &next)
        .await
        .unwrap();
    assert!(planned.round.is_provisional);
    // 31 July 2027 is a Saturday, and the Monday a bank holiday.
    assert_eq!(planned.round.due_on, day("2027-08-03"));
    assert_eq!(
        planned.history[0].source.as_deref(),
        Some("The round of April to June 2026 (2026-27 Q1)")
    );
    let team = person(Role::DatasetTeam, Reach::Return("form".to_owned()));
    let error = plan_proposals(&world.db, &team, &specs, all, day("2027-01-01")).await;
    assert!(error.is_ok_and(|n| n == 0), "nothing is left to propose");

    // Days that have come are noted once.
    let turned = async |today: &str| turn_rounds(&world.db, &system(), day(today)).await.unwrap();
    assert_eq!(turned("2026-07-01").await, 1, "it opened");
    assert_eq!(turned("2026-07-02").await, 0);
    assert_eq!(turned("2026-07-31").await, 1, "it fell due");
    assert_eq!(world.n("event WHERE verb = 'turn_round'").await, 2);
}

#[tokio::test]
async fn the_log_of_a_round_says_what_came_of_each_step_in_words() {
    let world = staffed().await;
    world.days("2026-07-17", "2026-07-24").await;
    let round = name();
    let page = async |n_before, n_most| {
        reminders_in(&world.db, &planner(), &round, (n_before, n_most))
            .await
            .unwrap()
            .1
    };
    let all = page(0, 100).await;
    assert_eq!(
        all.len(),
        usize::try_from(world.n("reminder").await).unwrap()
    );
    let next = page(2, 2).await;
    assert_eq!((next.len(), &next[0]), (2, &all[2]));
    let said: Vec<(String, String)> = all.iter().map(reminder_in_words).collect();
    let sent = ("7 days before 31 July 2026".to_owned(), "sent".to_owned());
    assert!(said.contains(&sent), "{said:?}");
    let left_out = (
        "30 days before 31 July 2026".to_owned(),
        "not sent: a later reminder was due at the same time, and one is enough".to_owned(),
    );
    assert!(said.contains(&left_out), "{said:?}");
    // Who they are is for their own organisation.
    let whom = |log: &[Logged]| -> Vec<String> {
        log.iter()
            .filter_map(|line| line.person_name.clone())
            .collect()
    };
    assert!(
        whom(&all)
            .iter()
            .all(|whom| whom == "somebody who sends its returns")
    );
    let brora = council(BRORA);
    let (db, today) = (&world.db, day("2026-07-24"));
    let owed = owed_in(db, &brora, "form", "2026-27-Q1", today)
        .await
        .unwrap();
    let own = reminders_of(&world.db, &council(BRORA), &owed[0])
        .await
        .unwrap();
    assert!(whom(&own).iter().all(|whom| whom == "Someone"));
    let team = person(Role::DatasetTeam, Reach::Return("form".to_owned()));
    let theirs = reminders_of(&world.db, &team, &owed[0]).await.unwrap();
    assert_eq!(theirs.len(), own.len());
    assert!(whom(&theirs).iter().all(|whom| whom != "Someone"));
    let error = reminders_in(&world.db, &team, &round, (0, 1)).await;
    assert!(matches!(error, Err(Denied::Forbidden)));
}
