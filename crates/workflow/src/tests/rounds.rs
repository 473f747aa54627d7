//! Rounds are planned, moved, cancelled and taken up again, and what was said before stays.

use cycle::{Certainty, DateKind, ObligationState, PlannedDate};

use super::*;

fn planner() -> Actor {
    person(Role::Scheduler, Reach::Everything)
}

fn name() -> RoundName {
    RoundName {
        return_id: "form".to_owned(),
        period: "2026-27-Q1".to_owned(),
    }
}

fn because(reason: &str) -> Because {
    Because {
        source: Some("Letter of 3 June 2026".to_owned()),
        reason: reason.to_owned(),
    }
}

fn on(kind: DateKind, on: &str, certainty: Certainty) -> PlannedDate {
    PlannedDate::new(kind, day(on), certainty)
}

impl World {
    async fn move_to(&self, actor: &Actor, dates: &[PlannedDate]) -> Result<usize, RoundError> {
        let new = NewDates {
            round: name(),
            dates: dates.to_vec(),
            seen: None,
        };
        set_dates(&self.db, actor, &[new], &because("The form came late")).await
    }

    async fn round(&self) -> PlannedRound {
        self.round_in_full().await.0
    }

    async fn round_in_full(&self) -> (PlannedRound, Vec<Said>) {
        planned_round(&self.db, &council(BRORA), &name())
            .await
            .unwrap()
    }

    async fn try_send(&self, key: &str) -> Result<Receipt, ReceiveError> {
        self.receive(self.upload(key, key)).await
    }

    async fn n_events(&self, verb: &str) -> i64 {
        let (client, connection) =
            tokio_postgres::connect(&self.database.url(), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        let counted = client
            .query_one(
                "SELECT count(*) FROM event WHERE verb = $1 AND actor = 'Someone'",
                &[&verb],
            )
            .await;
        counted.unwrap().get(0)
    }

    /// Where each organisation stands.
    async fn states(&self, today: &str) -> Vec<(String, ObligationState)> {
        let owed = owed_in(&self.db, &planner(), "form", "2026-27-Q1", day(today)).await;
        owed.unwrap()
            .into_iter()
            .map(|owed| (owed.organisation, owed.state))
            .collect()
    }
}

#[tokio::test]
async fn a_round_moves_as_a_whole_and_remembers_where_it_was() {
    let world = world().await;
    let moved = [
        on(DateKind::Due, "2026-09-30", Certainty::Provisional),
        on(DateKind::Open, "2026-09-01", Certainty::Confirmed),
        on(DateKind::Publish, "2026-12-08", Certainty::Provisional),
    ];
    assert_eq!(world.move_to(&planner(), &moved).await.unwrap(), 3);
    assert_eq!(
        world.move_to(&planner(), &moved).await.unwrap(),
        0,
        "said twice"
    );
    let planned = world.round().await;
    assert_eq!(planned.round.opens_on, day("2026-09-01"));
    assert_eq!(planned.round.due_on, day("2026-09-30"));
    assert!(planned.round.is_provisional);
    let due: Vec<String> = planned
        .history
        .iter()
        .filter(|fact| fact.date.kind == DateKind::Due)
        .map(|fact| {
            format!(
                "{} {} {:?} {}",
                fact.date.on,
                fact.date.certainty.as_str(),
                fact.source,
                fact.by_name
            )
        })
        .collect();
    assert_eq!(
        due,
        [
            "2026-07-31 confirmed None tests",
            "2026-09-30 provisional Some(\"Letter of 3 June 2026\") Someone"
        ]
    );
    // Confirmed without a change of day is a fact of its own.
    let confirmed = [on(DateKind::Due, "2026-09-30", Certainty::Confirmed)];
    assert_eq!(world.move_to(&planner(), &confirmed).await.unwrap(), 1);
    assert!(!world.round().await.round.is_provisional);
    assert_eq!(world.n_events("set_dates").await, 2);
    // Opening it again as the command line does moves it back.
    open_cycle(
        &world.db,
        &system(),
        &world.spec,
        &q1(),
        day("2026-07-01"),
        day("2026-07-31"),
    )
    .await
    .unwrap();
    let planned = world.round().await;
    assert_eq!(planned.round.due_on, day("2026-07-31"));
    assert_eq!(planned.history.len(), 8);
}

#[tokio::test]
async fn of_many_rounds_all_are_moved_or_none() {
    let world = world().await;
    let q2 = financial_quarter("2026-27-Q2", "2026-07-01", "2026-09-30");
    open_cycle(
        &world.db,
        &system(),
        &world.spec,
        &q2,
        day("2026-10-01"),
        day("2026-10-30"),
    )
    .await
    .unwrap();
    let to = |period: &str, due: &str| NewDates {
        round: RoundName {
            period: period.to_owned(),
            ..name()
        },
        dates: vec![on(DateKind::Due, due, Certainty::Confirmed)],
        seen: None,
    };
    let both = [
        to("2026-27-Q1", "2026-08-14"),
        to("2026-27-Q2", "2026-09-30"),
    ];
    let error = set_dates(&world.db, &planner(), &both, &because("Holidays"))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "form for 2026-27-Q2: due can't be before open"
    );
    assert_eq!(world.round().await.round.due_on, day("2026-07-31"));
    let both = [
        to("2026-27-Q2", "2026-11-13"),
        to("2026-27-Q1", "2026-08-14"),
    ];
    let n_set = set_dates(&world.db, &planner(), &both, &because("Holidays")).await;
    assert_eq!(n_set.unwrap(), 2);
    let all = planned_rounds(
        &world.db,
        &council(ARDBEG),
        day("2026-08-01"),
        day("2026-11-13"),
    )
    .await
    .unwrap();
    let due: Vec<String> = all
        .iter()
        .map(|planned| format!("{} {}", planned.round.due_on, planned.history.len()))
        .collect();
    assert_eq!(due, ["2026-08-14 3", "2026-11-13 3"]);
}

#[tokio::test]
async fn only_who_plans_the_rounds_moves_or_cancels_them() {
    let world = world().await;
    let team = person(Role::DatasetTeam, Reach::Return("form".to_owned()));
    for actor in [council(ARDBEG), team, Actor::nobody()] {
        let moved = [on(DateKind::Due, "2026-09-30", Certainty::Confirmed)];
        let error = world.move_to(&actor, &moved).await.unwrap_err();
        assert!(matches!(error, RoundError::Denied(_)), "{error}");
        let error = cancel_round(&world.db, &actor, &name(), TakesPlace::Cancelled, "x").await;
        assert!(matches!(error, Err(RoundError::Denied(_))));
        let error = require(
            &world.db,
            &actor,
            &name(),
            ARDBEG,
            Required::No,
            "x",
            day("2026-07-01"),
        )
        .await;
        assert!(matches!(error, Err(RoundError::Denied(_))));
    }
    let error = cancel_round(&world.db, &planner(), &name(), TakesPlace::Cancelled, " ").await;
    assert!(matches!(error, Err(RoundError::Text(ExplainError::NoText))));
}

#[tokio::test]
async fn nothing_is_owed_in_a_cancelled_round_and_it_is_still_there() {
    let world = world().await;
    assert_eq!(world.missing().await, [ARDBEG, BRORA]);
    for _ in 0..2 {
        cancel_round(
            &world.db,
            &planner(),
            &name(),
            TakesPlace::Cancelled,
            "The form is being redesigned",
        )
        .await
        .unwrap();
    }
    let (planned, said) = world.round_in_full().await;
    assert!(planned.round.is_cancelled);
    assert_eq!(said.len(), 1, "said once");
    for (_, state) in world.states("2026-12-01").await {
        assert_eq!(state, ObligationState::Cancelled);
    }
    // So that its figures are not provisional for ever.
    assert!(world.missing().await.is_empty());
    let error = world.try_send("one").await.unwrap_err();
    assert!(
        matches!(error, ReceiveError::NotARespondent { .. }),
        "{error}"
    );
    let moved = [on(DateKind::Due, "2026-09-30", Certainty::Confirmed)];
    let error = world.move_to(&planner(), &moved).await.unwrap_err();
    assert!(matches!(error, RoundError::Cancelled { .. }), "{error}");
    cancel_round(
        &world.db,
        &planner(),
        &name(),
        TakesPlace::Yes,
        "It is ready after all",
    )
    .await
    .unwrap();
    assert_eq!(world.round_in_full().await.1.len(), 2);
    for (_, state) in world.states("2026-12-01").await {
        assert_eq!(state, ObligationState::Overdue);
    }
    world.try_send("one").await.unwrap();
}

#[tokio::test]
async fn one_organisation_need_not_answer_until_it_has_to_after_all() {
    let world = world().await;
    let say = |code: &'static str, required| {
        let db = &world.db;
        async move {
            let today = day("2026-07-10");
            require(
                db,
                &planner(),
                &name(),
                code,
                required,
                "Its stock was transferred",
                today,
            )
            .await
        }
    };
    for _ in 0..2 {
        say(ARDBEG, Required::No).await.unwrap();
    }
    assert_eq!(
        world.states("2026-08-10").await,
        [
            (ARDBEG.to_owned(), ObligationState::NotRequired),
            (BRORA.to_owned(), ObligationState::Overdue)
        ]
    );
    let error = world.try_send("one").await.unwrap_err();
    assert!(
        matches!(error, ReceiveError::NotARespondent { .. }),
        "{error}"
    );
    say(ARDBEG, Required::Yes).await.unwrap();
    let owed = owed_in(
        &world.db,
        &council(ARDBEG),
        "form",
        "2026-27-Q1",
        day("2026-07-10"),
    )
    .await
    .unwrap();
    assert_eq!(owed[0].state, ObligationState::NotStarted);
    let said = requirements(&world.db, &council(ARDBEG), &owed[0]).await;
    let said: Vec<bool> = said.unwrap().iter().map(|said| said.so).collect();
    assert_eq!(said, [false, true]);
    assert!(
        requirements(&world.db, &council(BRORA), &owed[0])
            .await
            .is_err(),
        "another's is not there"
    );
    world.try_send("one").await.unwrap();

    // An organisation that the return does not ask, by name.
    let error = say("S12999999", Required::Yes).await.unwrap_err();
    assert!(
        matches!(error, RoundError::UnknownOrganisation(_)),
        "{error}"
    );
    let error = say(CRAIL, Required::No).await.unwrap_err();
    assert!(matches!(error, RoundError::Denied(_)), "{error}");
    say(CRAIL, Required::Yes).await.unwrap();
    assert_eq!(world.states("2026-08-10").await.len(), 3);
}

#[tokio::test]
async fn rounds_to_come_go_by_what_is_published_later() {
    let world = world().await;
    let today = day("2026-06-15");
    let mut organisations = testkit::returns::organisations();
    let mut all = organisations.0.iter_mut();
    let brora = all.find(|one| one.code == BRORA).unwrap();
    brora.valid_to = Some(day("2026-03-31"));
    let old = world.spec.clone();
    let mut new = old.clone();
    "2.0".clone_into(&mut new.version);
    "of the second version".clone_into(&mut new.hash);
    let specs = [old, new];
    // The day of the machine is long after this round.
    publish_returns(&world.owner, &system(), &specs, &organisations)
        .await
        .unwrap();
    let version = async || {
        let found = version_of_round(&world.db, &system(), "form", "2026-27-Q1").await;
        found.unwrap().unwrap()
    };
    assert_eq!(version().await, specs[0].version, "it is over");
    let follow = async |today| {
        let mut tx = world
            .owner
            .begin(&crate::actor::sees(&system()))
            .await
            .unwrap();
        publish::follow(&mut tx, &system(), &specs, today)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    };
    // Open: who answers what stays as it is, but for who is not there any more.
    follow(day("2026-07-10")).await;
    assert_eq!(version().await, specs[0].version);
    for _ in 0..2 {
        follow(today).await;
    }
    assert_eq!(version().await, "2.0");
    assert_eq!(
        world.states("2026-07-10").await,
        [
            (ARDBEG.to_owned(), ObligationState::NotStarted),
            (BRORA.to_owned(), ObligationState::NotRequired)
        ]
    );
    let owed = owed_in(&world.db, &planner(), "form", "2026-27-Q1", today).await;
    let said = requirements(&world.db, &planner(), &owed.unwrap()[1]).await;
    let said: Vec<(bool, String)> = said
        .unwrap()
        .into_iter()
        .map(|said| (said.so, said.reason))
        .collect();
    let why = "The organisation is not there in this period".to_owned();
    assert_eq!(said, [(false, why)], "said once");

    // It was a mistake in the register, and one that can be made again.
    let settled = async |valid_to: Option<&str>, state| {
        let mut organisations = testkit::returns::organisations();
        let mut all = organisations.0.iter_mut();
        let brora = all.find(|one| one.code == BRORA).unwrap();
        brora.valid_to = valid_to.map(day);
        publish_returns(&world.owner, &system(), &specs, &organisations)
            .await
            .unwrap();
        for _ in 0..2 {
            follow(today).await;
        }
        let states = world.states("2026-07-10").await;
        assert_eq!(states[1], (BRORA.to_owned(), state), "{valid_to:?}");
    };
    settled(None, ObligationState::NotStarted).await;
    settled(Some("2026-03-31"), ObligationState::NotRequired).await;
    settled(None, ObligationState::NotStarted).await;
    // What somebody has said stays.
    let (db, actor) = (&world.db, planner());
    require(
        db,
        &actor,
        &name(),
        BRORA,
        Required::No,
        "It has none",
        today,
    )
    .await
    .unwrap();
    settled(None, ObligationState::NotRequired).await;
}

#[tokio::test]
async fn who_has_to_answer_is_settled_in_a_cancelled_round_too() {
    let world = world().await;
    let cancel =
        async |takes_place| cancel_round(&world.db, &planner(), &name(), takes_place, "So").await;
    let say = async |required| {
        let today = day("2026-07-10");
        require(
            &world.db,
            &planner(),
            &name(),
            ARDBEG,
            required,
            "So",
            today,
        )
        .await
    };
    cancel(TakesPlace::Cancelled).await.unwrap();
    say(Required::No).await.unwrap();
    say(Required::Yes).await.unwrap();
    cancel(TakesPlace::Yes).await.unwrap();
    let states = world.states("2026-07-10").await;
    assert!(states.contains(&(ARDBEG.to_owned(), ObligationState::NotStarted)));
    cancel(TakesPlace::Cancelled).await.unwrap();
    say(Required::No).await.unwrap();
    cancel(TakesPlace::Yes).await.unwrap();
    let states = world.states("2026-07-10").await;
    assert!(states.contains(&(ARDBEG.to_owned(), ObligationState::NotRequired)));
}

#[tokio::test]
async fn what_was_handed_over_is_not_declared_unwanted() {
    let world = world().await;
    world.hand_in("one").await;
    let error = require(
        &world.db,
        &planner(),
        &name(),
        ARDBEG,
        Required::No,
        "Not needed",
        day("2026-07-10"),
    )
    .await
    .unwrap_err();
    assert!(matches!(error, RoundError::Answered), "{error}");
}

#[tokio::test]
async fn days_are_set_by_facts_alone() {
    let world = world().await;
    let (client, connection) =
        tokio_postgres::connect(&world.database.url(), tokio_postgres::NoTls)
            .await
            .unwrap();
    tokio::spawn(connection);
    for statement in [
        "UPDATE cycle_date SET on_day = '2027-01-01'",
        "DELETE FROM cycle_date",
        "DELETE FROM cycle_cancellation",
        "DELETE FROM obligation_requirement",
        "SET ROLE lgdp_app; UPDATE cycle SET due_on = '2027-01-01'",
        "RESET ROLE; SET ROLE lgdp_app; UPDATE cycle SET is_cancelled = true",
        "RESET ROLE; SET ROLE lgdp_app; UPDATE obligation SET is_required = false",
    ] {
        let error = client.batch_execute(statement).await.unwrap_err();
        let code = error.code().map(tokio_postgres::error::SqlState::code);
        assert_eq!(code, Some("42501"), "{statement}: {error}");
    }
}

impl World {
    /// Who is late with what was due on a day or later: the same whether the database leaves out the rest or we do.
    async fn late(&self, from: &str, today: &str) -> Vec<String> {
        let (from, today) = (day(from), day(today));
        let mut late = late_since(&self.db, &planner(), from, today).await.unwrap();
        late.sort_by_key(|owed| owed.id);
        let mut all = owed_since(&self.db, &planner(), from, today).await.unwrap();
        all.retain(|owed| owed.is_overdue && from <= owed.due_on);
        all.sort_by_key(|owed| owed.id);
        assert_eq!(late, all, "{from} {today}");
        late.into_iter().map(|owed| owed.organisation).collect()
    }
}

#[tokio::test]
async fn who_is_late_is_whoever_has_nothing_that_stands_after_their_own_day() {
    let world = world().await;
    let early = "2026-07-01";
    assert!(world.late(early, "2026-07-31").await.is_empty());
    assert_eq!(world.late(early, "2026-08-01").await, [ARDBEG, BRORA]);
    assert!(
        world.late("2026-08-01", "2026-09-01").await.is_empty(),
        "due before"
    );
    // A draft is not handed over; what is withdrawn or sent back does not stand.
    let id = world.send("one", Outcome::Ready).await;
    assert_eq!(world.late(early, "2026-08-01").await, [ARDBEG, BRORA]);
    world.submit(id).await;
    assert_eq!(world.late(early, "2026-08-01").await, [BRORA]);
    withdraw(&world.db, &system(), id, None, now())
        .await
        .unwrap();
    assert_eq!(world.late(early, "2026-08-01").await, [ARDBEG, BRORA]);
    let id = world.hand_in("two").await;
    sign_off(&world.db, &system(), id, now()).await.unwrap();
    accept(&world.db, &system(), id, now()).await.unwrap();
    assert_eq!(world.late(early, "2026-08-01").await, [BRORA]);
    send_back(&world.db, &system(), id, "A table is missing", now())
        .await
        .unwrap();
    assert_eq!(world.late(early, "2026-08-01").await, [ARDBEG, BRORA]);
    // More time is one's own.
    let asking = AskingForTime {
        id: Uuid::from_u128(7),
        organisation: BRORA.to_owned(),
        return_id: "form".to_owned(),
        period: "2026-27-Q1".to_owned(),
        until: day("2026-08-14"),
        reason: "The system is being replaced".to_owned(),
    };
    let today = day("2026-07-20");
    ask_for_time(&world.db, &council(BRORA), &asking, today)
        .await
        .unwrap();
    let given = DecidingOnTime {
        due_on: Some(day("2026-08-14")),
        reason: "Agreed".to_owned(),
        n_known: 0,
    };
    decide_on_time(&world.db, &planner(), asking.id, &given, today)
        .await
        .unwrap();
    assert_eq!(world.late(early, "2026-08-14").await, [ARDBEG]);
    assert_eq!(world.late(early, "2026-08-15").await, [ARDBEG, BRORA]);
    assert_eq!(world.late("2026-08-14", "2026-08-15").await, [BRORA]);
    // Nothing is owed by whoever need not answer, nor in a round that was cancelled.
    let (db, actor, need_not) = (&world.db, planner(), "It has none");
    require(db, &actor, &name(), BRORA, Required::No, need_not, today)
        .await
        .unwrap();
    assert_eq!(world.late(early, "2026-08-15").await, [ARDBEG]);
    cancel_round(db, &actor, &name(), TakesPlace::Cancelled, "Withdrawn")
        .await
        .unwrap();
    assert!(world.late(early, "2026-08-15").await.is_empty());
}
