//! From a version that is ready to one that is accepted, and everything that must not happen on the way.

use cycle::{Step, SubmissionState, Verb};

use super::*;

fn somebody(n: u128, role: Role, reach: Reach) -> Actor {
    Actor {
        id: ActorId::Person(Uuid::from_u128(n)),
        name: format!("Person {n}"),
        ..person(role, reach)
    }
}

/// Person 1 sends for Ardbeg; these sign off for it.
fn approver(n: u128) -> Actor {
    somebody(n, Role::Approver, Reach::Organisation(ARDBEG.to_owned()))
}

/// Asks for the form.
fn team() -> Actor {
    somebody(9, Role::DatasetTeam, Reach::Return("form".to_owned()))
}

impl World {
    async fn press(
        &self,
        actor: &Actor,
        verb: Verb,
        id: Uuid,
    ) -> Result<HandedOver, HandoverError> {
        let db = &self.db;
        match verb {
            Verb::Submit => submit(db, actor, id, now()).await,
            Verb::SignOff => sign_off(db, actor, id, now()).await,
            Verb::Accept => accept(db, actor, id, now()).await,
            Verb::SendBack => send_back(db, actor, id, "The total is odd.", now()).await,
            Verb::Withdraw => withdraw(db, actor, id, None, now()).await,
        }
    }

    async fn go(&self, id: Uuid, verbs: &[Verb]) {
        for &verb in verbs {
            let done = self.press(&system(), verb, id).await.unwrap();
            assert_eq!(done, HandedOver::Now, "{verb}");
        }
    }

    async fn state_of(&self, id: Uuid) -> SubmissionState {
        found(&self.db, &system(), id).await.unwrap().state
    }

    /// A version in a state; what others there are do not matter to it.
    async fn version_in(&self, state: SubmissionState, key: &str) -> Uuid {
        let ready = async || self.send(key, Outcome::Ready).await;
        match state {
            SubmissionState::Received | SubmissionState::NeedsAttention => {
                let receipt = self.receive(self.upload(key, key)).await.unwrap();
                if state == SubmissionState::NeedsAttention {
                    give_up(&self.db, &system(), receipt.submission_id)
                        .await
                        .unwrap();
                }
                receipt.submission_id
            }
            SubmissionState::NeedsCorrection => self.send(key, Outcome::NeedsCorrection).await,
            SubmissionState::NeedsExplanation => self.send(key, Outcome::NeedsExplanation).await,
            SubmissionState::Refused => self.send(key, Outcome::Refused).await,
            SubmissionState::Ready => ready().await,
            SubmissionState::Superseded => {
                let id = ready().await;
                self.send(&format!("{key} again"), Outcome::Ready).await;
                id
            }
            SubmissionState::Submitted
            | SubmissionState::SignedOff
            | SubmissionState::Accepted
            | SubmissionState::SentBack
            | SubmissionState::Withdrawn => {
                let id = ready().await;
                let verbs: &[Verb] = match state {
                    SubmissionState::SignedOff => &[Verb::Submit, Verb::SignOff],
                    SubmissionState::Accepted => &[Verb::Submit, Verb::SignOff, Verb::Accept],
                    SubmissionState::SentBack => &[Verb::Submit, Verb::SignOff, Verb::SendBack],
                    SubmissionState::Withdrawn => &[Verb::Withdraw],
                    _ => &[Verb::Submit],
                };
                self.go(id, verbs).await;
                id
            }
        }
    }
}

#[tokio::test]
async fn every_pair_of_state_and_verb_does_what_the_table_says_and_nothing_else() {
    let world = world().await;
    for state in SubmissionState::ALL {
        for verb in Verb::ALL {
            let pair = format!("{verb} what is {state}");
            let id = world.version_in(state, &pair).await;
            assert_eq!(world.state_of(id).await, state, "{pair}");
            let before = world.counted().await;
            let done = world.press(&system(), verb, id).await;
            let after = world.counted().await;
            let (n_events, n_links) = (after[3] - before[3], after[8] - before[8]);
            let expected = match (verb.step(state), &done) {
                (Step::Allowed, Err(HandoverError::NotExplained { n: 1 })) => {
                    assert_eq!(state, SubmissionState::NeedsExplanation, "{pair}");
                    (0, 0)
                }
                (Step::Allowed, Ok(HandedOver::Now)) => {
                    assert_eq!(world.state_of(id).await, verb.state(), "{pair}");
                    (1, 1)
                }
                (Step::Done, Ok(HandedOver::Before)) => (0, 0),
                (Step::Refused(why), Err(HandoverError::NotNow(told))) => {
                    assert_eq!(*told, why, "{pair}");
                    (0, 0)
                }
                (Step::Refused(_), Err(HandoverError::Newer(_))) => {
                    assert_eq!(state, SubmissionState::Superseded, "{pair}");
                    (0, 0)
                }
                (step, done) => panic!("{pair}: {step:?} came to {done:?}"),
            };
            assert_eq!((n_events, n_links), expected, "{pair}");
            if expected == (0, 0) {
                assert_eq!(after, before, "{pair}");
                assert_eq!(world.state_of(id).await, state, "{pair}");
            }
        }
    }
}

#[tokio::test]
async fn a_return_goes_from_one_hand_to_the_next() {
    let world = world().await;
    let (uploader, approver, team) = (council(ARDBEG), approver(2), team());
    let id = world.send("one", Outcome::Ready).await;
    assert!(found(&world.db, &team, id).await.is_none(), "a draft");
    for (actor, verb) in [
        (&uploader, Verb::Submit),
        (&approver, Verb::SignOff),
        (&team, Verb::Accept),
    ] {
        let seen = found(&world.db, &system(), id).await.unwrap();
        for other in [&uploader, &approver, &team] {
            let next = next(&world.db, other, &seen, now()).await.unwrap();
            assert_eq!(
                next.verbs.contains(&verb),
                other == actor || (verb == Verb::Submit && *other == approver),
                "{verb} by {}: {next:?}",
                other.name
            );
        }
        let done = world.press(actor, verb, id).await.unwrap();
        assert_eq!(done, HandedOver::Now);
        assert!(found(&world.db, &team, id).await.is_some());
    }
    let seen = found(&world.db, &team, id).await.unwrap();
    assert_eq!(seen.state, SubmissionState::Accepted);
    let chain = history(&world.db, &team, &seen).await.unwrap();
    let told: Vec<String> = chain
        .iter()
        .map(|link| format!("{} by {}", link.verb.in_words(), link.by_name))
        .collect();
    assert_eq!(
        told,
        [
            "submitted by Someone",
            "signed off by Person 2",
            "accepted by Person 9"
        ]
    );
    assert_eq!(chain[1].by, Some(approver.id));
}

#[tokio::test]
async fn nobody_does_what_is_for_another_role_and_nothing_is_there_for_another_council() {
    let world = world().await;
    let id = world.hand_in("one").await;
    let brora = somebody(4, Role::Approver, Reach::Organisation(BRORA.to_owned()));
    let other_team = somebody(5, Role::DatasetTeam, Reach::Return("cases".to_owned()));
    let planner = somebody(6, Role::Scheduler, Reach::Everything);
    let client = Actor {
        id: ActorId::Client(Uuid::from_u128(7)),
        ..person(Role::SendingClient, Reach::Organisation(ARDBEG.to_owned()))
    };
    let before = world.counted().await;
    for (actor, verb, told) in [
        (
            council(ARDBEG),
            Verb::SignOff,
            "this is for another role to do",
        ),
        (
            council(ARDBEG),
            Verb::Accept,
            "this is for another role to do",
        ),
        (approver(2), Verb::Accept, "this is for another role to do"),
        (team(), Verb::SignOff, "this is for another role to do"),
        (team(), Verb::Withdraw, "this is for another role to do"),
        (client, Verb::Withdraw, "this is for another role to do"),
        (planner, Verb::SignOff, "this is for another role to do"),
        (brora.clone(), Verb::SignOff, "there is no such thing"),
        (brora, Verb::Withdraw, "there is no such thing"),
        (other_team, Verb::Accept, "there is no such thing"),
        (Actor::nobody(), Verb::SignOff, "nobody has signed in"),
    ] {
        let error = world.press(&actor, verb, id).await.unwrap_err();
        assert_eq!(error.to_string(), told, "{verb} by {}", actor.name);
    }
    let unknown = world
        .press(&approver(2), Verb::SignOff, Uuid::from_u128(3))
        .await;
    assert_eq!(unknown.unwrap_err().to_string(), "there is no such thing");
    assert_eq!(world.counted().await, before);
}

#[tokio::test]
async fn who_sent_or_submitted_a_version_does_not_sign_it_off_unless_there_is_leave() {
    let world = world().await;
    let both = |n| Actor {
        grants: [council(ARDBEG).grants, approver(n).grants].concat(),
        ..approver(n)
    };
    let id = world.send("one", Outcome::Ready).await;
    world.press(&both(2), Verb::Submit, id).await.unwrap();
    for own in [both(1), both(2)] {
        let error = world.press(&own, Verb::SignOff, id).await.unwrap_err();
        let denied = matches!(error, HandoverError::Denied(Denied::Forbidden));
        assert!(denied, "{}: {error}", own.name);
    }

    let admin = somebody(8, Role::Admin, Reach::Everything);
    let leave = async |actor: &Actor, organisation: &str, until: &str, reason: &str| {
        let until = testkit::returns::day(until);
        allow_own_sign_off(&world.db, actor, organisation, until, reason).await
    };
    for (actor, organisation, reason) in [
        (&both(1), ARDBEG, "We are few."),
        (&team(), ARDBEG, "They are few."),
        (&admin, ARDBEG, " "),
        (&admin, "S12999999", "They are few."),
    ] {
        leave(actor, organisation, "2099-01-01", reason)
            .await
            .unwrap_err();
    }
    for (organisation, until) in [(BRORA, "2099-01-01"), (ARDBEG, "2026-11-25")] {
        leave(&admin, organisation, until, "They are few.")
            .await
            .unwrap();
        let error = world.press(&both(1), Verb::SignOff, id).await;
        error.expect_err("leave for another council, or that is over");
    }
    leave(&admin, ARDBEG, "2026-11-26", "There is one person.")
        .await
        .unwrap();
    let seen = found(&world.db, &both(1), id).await.unwrap();
    let next = next(&world.db, &both(1), &seen, now()).await.unwrap();
    assert!(
        next.by_leave && next.verbs.contains(&Verb::SignOff),
        "{next:?}"
    );
    world.press(&both(1), Verb::SignOff, id).await.unwrap();
    let chain = history(&world.db, &both(1), &seen).await.unwrap();
    let why = chain[1].own_sign_off.as_deref();
    assert_eq!(why, Some("There is one person."));
    assert_eq!(chain[1].allowed_by.as_deref(), Some(admin.name.as_str()));
    let event = world.details_of(id, "sign_off").await;
    assert!(event.contains("\"own_sign_off\":3"), "{event}");
    let allowed_by = format!("\"allowed_by\":\"{}\"", admin.name);
    assert!(event.contains(&allowed_by), "{event}");

    // Another's hand needs no leave, and none is written down.
    let id = world.hand_in("two").await;
    world.press(&approver(2), Verb::SignOff, id).await.unwrap();
    let seen = found(&world.db, &system(), id).await.unwrap();
    let chain = history(&world.db, &system(), &seen).await.unwrap();
    assert_eq!(chain[1].own_sign_off, None);
    // What was given last counts: a day that is past ends it.
    leave(&admin, ARDBEG, "2026-01-01", "They are two now.")
        .await
        .unwrap();
    let id = world.hand_in("three").await;
    world
        .press(&both(1), Verb::SignOff, id)
        .await
        .expect_err("leave that was ended");
}

impl World {
    async fn details_of(&self, id: Uuid, verb: &str) -> String {
        let mut conn = self.db.read(&db::Sees::Everyone).await.unwrap();
        let events = db::events::of_submission(&mut conn, id).await.unwrap();
        let of_verb: Vec<String> = events
            .into_iter()
            .filter(|event| event.verb == verb)
            .map(|event| event.details.to_string())
            .collect();
        assert_eq!(of_verb.len(), 1, "{of_verb:?}");
        of_verb[0].clone()
    }
}

#[tokio::test]
async fn whoever_signs_off_is_told_of_a_newer_version() {
    let world = world().await;
    let id = world.hand_in("one").await;
    let newer = world.send("two", Outcome::NeedsCorrection).await;
    let seen = found(&world.db, &approver(2), id).await.unwrap();
    let told = next(&world.db, &approver(2), &seen, now()).await.unwrap();
    assert!(!told.verbs.contains(&Verb::SignOff), "{told:?}");
    assert_eq!(told.newer.map(|newer| newer.version_number), Some(2));
    let before = world.counted().await;
    match world.press(&approver(2), Verb::SignOff, id).await {
        Err(HandoverError::Newer(told)) => {
            assert_eq!((told.id, told.version_number), (newer, 2));
            assert_eq!(told.uploaded_by, "Someone");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(world.counted().await, before);
    // Once the newer one is withdrawn, this one is the newest again.
    world
        .press(&council(ARDBEG), Verb::Withdraw, newer)
        .await
        .unwrap();
    world.press(&approver(2), Verb::SignOff, id).await.unwrap();
    assert_eq!(world.state_of(id).await, SubmissionState::SignedOff);
}

#[tokio::test]
async fn the_same_button_many_times_at_once_is_pressed_once() {
    let world = world().await;
    let id = world.send("one", Outcome::Ready).await;
    for (verb, actor) in [
        (Verb::Submit, council(ARDBEG)),
        (Verb::SignOff, approver(2)),
        (Verb::SendBack, team()),
    ] {
        let presses = (0..5).map(|_| world.press(&actor, verb, id));
        let done = futures_util::future::join_all(presses).await;
        let n_now = done
            .iter()
            .filter(|done| matches!(done, Ok(HandedOver::Now)))
            .count();
        assert!(done.iter().all(Result::is_ok), "{verb}: {done:?}");
        assert_eq!(n_now, 1, "{verb}");
        world.details_of(id, verb.as_str()).await;
    }
}

#[tokio::test]
async fn an_upload_and_a_sign_off_at_the_same_time_come_one_after_the_other() {
    let world = world().await;
    for n in 0..5 {
        let id = world.hand_in(&format!("first {n}")).await;
        let (key, approver) = (format!("second {n}"), approver(2));
        let (signed, received) = tokio::join!(
            world.press(&approver, Verb::SignOff, id),
            world.receive(world.upload(&key, &key)),
        );
        let newer = received.unwrap().submission_id;
        let seen = found(&world.db, &system(), id).await.unwrap();
        match signed {
            Ok(HandedOver::Now) => assert_eq!(seen.state, SubmissionState::SignedOff),
            Err(HandoverError::Newer(told)) => {
                assert_eq!(told.id, newer);
                assert_eq!(seen.state, SubmissionState::Submitted);
            }
            other => panic!("{other:?}"),
        }
        world.go(newer, &[Verb::Withdraw]).await;
    }
}

#[tokio::test]
async fn what_is_sent_back_has_a_reason_that_stays_out_of_the_trail() {
    let world = world().await;
    let id = world.hand_in("one").await;
    world.go(id, &[Verb::SignOff]).await;
    let back = async |reason: &str| send_back(&world.db, &team(), id, reason, now()).await;
    let error = back(" \n ").await.unwrap_err();
    assert!(matches!(error, HandoverError::NoReason), "{error}");
    let error = back(&"x".repeat(4_001)).await.unwrap_err();
    assert!(matches!(error, HandoverError::LongReason), "{error}");
    back("Case A1 is\0 odd.\r\nLook again.").await.unwrap();
    // The same words in another tab are no second reason; other words are not lost without a word.
    assert_eq!(
        back("Case A1 is\0 odd.\r\nLook again. ").await.unwrap(),
        HandedOver::Before
    );
    let error = back("Something else.").await.unwrap_err();
    assert!(matches!(error, HandoverError::NotNow(_)), "{error}");
    let seen = found(&world.db, &system(), id).await.unwrap();
    let chain = history(&world.db, &council(ARDBEG), &seen).await.unwrap();
    let reason = chain[2].reason.as_deref();
    assert_eq!(reason, Some("Case A1 is\u{fffd} odd.\nLook again."));
    let event = world.details_of(id, "send_back").await;
    assert!(!event.contains("A1"), "{event}");
}

#[tokio::test]
async fn an_accepted_version_can_be_opened_again_and_is_stood_in_for_by_what_comes_next() {
    let world = world().await;
    let first = world.hand_in("one").await;
    world.go(first, &[Verb::SignOff, Verb::Accept]).await;
    let second = world.hand_in("two").await;
    assert_eq!(world.state_of(first).await, SubmissionState::Accepted);
    assert!(world.csv().await.contains(",accepted,"), "the first one");
    let owed = || async {
        obligations(&world.db, &system(), Some(ARDBEG), day("2026-08-02"))
            .await
            .unwrap()
            .remove(0)
    };
    assert_eq!(owed().await.state, cycle::ObligationState::Accepted);

    world.press(&team(), Verb::SendBack, first).await.unwrap();
    assert_eq!(world.state_of(first).await, SubmissionState::SentBack);
    assert_eq!(owed().await.state, cycle::ObligationState::Submitted);
    assert_eq!(
        owed().await.standing,
        Some((second, SubmissionState::Submitted))
    );
    world.go(second, &[Verb::SignOff, Verb::Accept]).await;
    assert!(world.csv().await.contains(",two,"));

    let third = world.hand_in("three").await;
    world.go(third, &[Verb::SignOff, Verb::Accept]).await;
    assert_eq!(world.state_of(second).await, SubmissionState::Superseded);
    let error = world.press(&team(), Verb::SendBack, second).await;
    error.expect_err("what was replaced is not opened again");
}

#[tokio::test]
async fn what_was_withdrawn_leaves_the_duty_as_it_was_before() {
    let world = world().await;
    let owed = || async {
        obligations(&world.db, &system(), Some(ARDBEG), day("2026-07-21"))
            .await
            .unwrap()
            .remove(0)
    };
    let first = world.hand_in("one").await;
    let second = world.send("two", Outcome::NeedsCorrection).await;
    assert_eq!(
        owed().await.latest,
        Some((second, SubmissionState::NeedsCorrection))
    );
    world.go(second, &[Verb::Withdraw]).await;
    assert_eq!(
        owed().await.latest,
        Some((first, SubmissionState::Submitted))
    );
    assert_eq!(owed().await.n_versions, 2);
    world.go(first, &[Verb::Withdraw]).await;
    assert_eq!(owed().await.state, cycle::ObligationState::NotStarted);
    assert_eq!(owed().await.standing, None);
    // The number is not used again.
    let third = world.send("three", Outcome::Ready).await;
    let third = found(&world.db, &system(), third).await.unwrap();
    assert_eq!(third.version_number, 3);
}

#[tokio::test]
async fn a_team_is_shown_what_was_handed_over_and_no_draft() {
    let world = world().await;
    let owed = || async {
        let (db, team, today) = (&world.db, team(), day("2026-07-21"));
        let by_all = obligations(db, &team, Some(ARDBEG), today).await.unwrap();
        let which = OwedBy {
            organisations: vec![ARDBEG.to_owned()],
            return_id: None,
        };
        // Whichever way it is asked for.
        assert_eq!(crate::owed(db, &team, &which, today).await.unwrap(), by_all);
        let round = by_all[0].round.clone();
        let in_round = owed_in(db, &team, &round.return_id, &round.period.label, today);
        let of_ardbeg = in_round.await.unwrap().into_iter();
        let of_ardbeg: Vec<_> = of_ardbeg
            .filter(|owed| owed.organisation == ARDBEG)
            .collect();
        assert_eq!(of_ardbeg, by_all);
        by_all.into_iter().next().unwrap()
    };
    let first = world.send("one", Outcome::Ready).await;
    assert_eq!(owed().await.latest, None);
    assert_eq!(owed().await.latest_from, None);
    assert!(
        submissions_of(&world.db, &team(), None)
            .await
            .unwrap()
            .is_empty()
    );
    world.submit(first).await;
    world.send("two", Outcome::Ready).await;
    assert_eq!(
        owed().await.latest,
        Some((first, SubmissionState::Submitted))
    );
    assert_eq!(
        submissions_of(&world.db, &team(), None)
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn what_a_submission_was_compared_with_is_what_stood_then() {
    let world = world().await;
    let q2 = financial_quarter("2026-27-Q2", "2026-07-01", "2026-09-30");
    let (opens, due) = (day("2026-07-01"), day("2027-07-31"));
    open_cycle(&world.db, &system(), &world.spec, &q2, opens, due)
        .await
        .unwrap();
    let first = world.hand_in("one").await;
    let later = NewUpload {
        period: q2.label.clone(),
        ..world.upload("later", "later")
    };
    let later = world.receive(later).await.unwrap().submission_id;
    world.load(later, "later", Outcome::Ready).await;
    let previous = async || {
        let then = assessed_then(&world.db, &system(), later).await.unwrap();
        then.unwrap().wanted.previous.map(|file| file.sha256)
    };
    assert_eq!(previous().await, Some(sha256("one")));
    // Whatever happens to it afterwards.
    world.go(first, &[Verb::SignOff, Verb::SendBack]).await;
    let second = world.hand_in("two").await;
    world.go(second, &[Verb::SignOff, Verb::Accept]).await;
    assert_eq!(previous().await, Some(sha256("one")));
}

/// Whoever has to know, once each however often the job runs: by kind and recipient.
#[tokio::test]
async fn each_step_is_told_to_who_goes_on_with_it_and_to_who_sent_it() {
    let world = world().await;
    let invite = async |email: &str, name: &str, role, reach| {
        let grant = Grant { role, reach };
        let id = invite(&world.db, &system(), email, name, &grant)
            .await
            .unwrap();
        Actor {
            id: ActorId::Person(id),
            name: name.to_owned(),
            grants: vec![grant],
        }
    };
    let own = |code: &str| Reach::Organisation(code.to_owned());
    let bo = invite("bo@ardbeg.example", "Bo", Role::Approver, own(ARDBEG)).await;
    let di = invite("di@ardbeg.example", "Di", Role::Approver, own(ARDBEG)).await;
    invite("ed@brora.example", "Ed", Role::Approver, own(BRORA)).await;
    let of_form = Reach::Return("form".to_owned());
    let cat = invite("cat@team.example", "Cat", Role::DatasetTeam, of_form).await;

    let id = world.send("one", Outcome::Ready).await;
    // Di submits, so that it waits for Bo alone.
    for (actor, verb) in [
        (&di, Verb::Submit),
        (&bo, Verb::SignOff),
        (&cat, Verb::Accept),
        (&cat, Verb::SendBack),
    ] {
        world.press(actor, verb, id).await.unwrap();
        let job = TellJob {
            submission_id: id,
            verb,
        };
        for _ in 0..2 {
            tell(&world.db, &system(), &job, now()).await.unwrap();
        }
    }
    let (client, connection) =
        tokio_postgres::connect(&world.database.url(), tokio_postgres::NoTls)
            .await
            .unwrap();
    tokio::spawn(connection);
    let rows = client
        .query(
            "SELECT kind || ' ' || recipient, payload ->> 'reason' FROM email
             WHERE kind NOT IN ('receipt', 'outcome', 'invitation') ORDER BY 1",
            &[],
        )
        .await
        .unwrap();
    let told: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        told,
        [
            "accepted bo@ardbeg.example",
            "accepted di@ardbeg.example",
            "accepted someone@example.org",
            "sent-back bo@ardbeg.example",
            "sent-back di@ardbeg.example",
            "sent-back someone@example.org",
            "signed-off cat@team.example",
            "signed-off-receipt di@ardbeg.example",
            "signed-off-receipt someone@example.org",
            "submitted bo@ardbeg.example",
        ]
    );
    let by_mail: Vec<Option<String>> = rows.iter().map(|row| row.get(1)).collect();
    let reason = "The total is odd.".to_owned();
    assert_eq!(
        by_mail[3],
        (!world.spec.sensitivity.personal_data).then_some(reason)
    );
}

#[tokio::test]
async fn that_there_is_nothing_to_report_is_declared_and_goes_the_same_way() {
    let world = world().await;
    let text = nil_declaration("Ardbeg", "Form", "April to June 2026", &approver(2));
    let declare = async |actor: &Actor| {
        let declaration = NewUpload {
            file_name: "nothing-to-report.txt".to_owned(),
            ..world.upload("nil", &text)
        };
        declare_nil(&world.db, &world.files, actor, declaration).await
    };
    for other in [team(), council(BRORA)] {
        declare(&other)
            .await
            .expect_err("for their own organisation alone");
    }
    let id = declare(&approver(2)).await.unwrap().submission_id;
    let again = declare(&approver(2)).await.unwrap();
    assert_eq!((again.submission_id, again.repeated), (id, true));
    let seen = found(&world.db, &system(), id).await.unwrap();
    assert!(seen.is_nil);
    assert_eq!(seen.state, SubmissionState::Ready);
    let job = to_assess(&world.db, &system(), id).await.unwrap();
    assert_eq!(job, None, "there is nothing to read in it");

    world
        .press(&council(ARDBEG), Verb::Submit, id)
        .await
        .unwrap();
    let own = world.press(&approver(2), Verb::SignOff, id).await;
    own.expect_err("who declared it does not sign it off");
    world.press(&approver(3), Verb::SignOff, id).await.unwrap();
    world.press(&team(), Verb::Accept, id).await.unwrap();
    let owed = obligations(&world.db, &system(), Some(ARDBEG), day("2026-08-02")).await;
    assert_eq!(owed.unwrap()[0].state, cycle::ObligationState::Nil);
    assert_eq!(world.csv().await.lines().count(), 1, "no records");
    // Nothing is compared with a declaration.
    let spec = ReturnSpec { ..form() };
    let q2 = financial_quarter("2026-27-Q2", "2026-07-01", "2026-09-30");
    open_cycle(
        &world.db,
        &system(),
        &spec,
        &q2,
        day("2026-07-01"),
        day("2027-07-31"),
    )
    .await
    .unwrap();
    let later = NewUpload {
        period: q2.label.clone(),
        ..world.upload("later", "later")
    };
    let later = world.receive(later).await.unwrap().submission_id;
    let wanted = to_assess(&world.db, &system(), later).await.unwrap();
    assert_eq!(wanted.unwrap().previous, None);
}

#[tokio::test]
async fn a_declaration_that_there_is_nothing_is_no_file_of_the_burden() {
    let world = world().await;
    let nothing = world.upload("nil", "nothing");
    declare_nil(&world.db, &world.files, &system(), nothing)
        .await
        .unwrap();
    let file = world.hand_in("one").await;
    let version = found(&world.db, &system(), file).await.unwrap();
    assert_eq!(version.version_number, 2);
    let planner = person(Role::Scheduler, Reach::Everything);
    let all = burden(&world.db, &planner).await.unwrap();
    let form = all.first().unwrap();
    assert_eq!((form.n_answers, form.n_clean_at_once), (1, 1));
    assert_eq!((form.median_files, form.most_files), (Some(1.0), Some(1)));
    assert_eq!(form.median_hours, Some(0.0));
}

#[tokio::test]
async fn hours_are_kept_with_the_sign_off_and_are_in_the_burden_of_each_return() {
    let world = world().await;
    let planner = person(Role::Scheduler, Reach::Everything);
    let sign = async |id, hours: &str| {
        let hours = cycle::Hours::parse(hours);
        let done = sign_off_after(&world.db, &system(), id, hours, now()).await;
        done.unwrap()
    };
    let burden = async || {
        let all = burden(&world.db, &planner).await.unwrap();
        all.into_iter().next().unwrap().reported
    };
    // Nothing to report takes time, too.
    let nil = NewUpload {
        organisation: BRORA.to_owned(),
        ..world.upload("nil", "nothing")
    };
    let nil = declare_nil(&world.db, &world.files, &system(), nil)
        .await
        .unwrap();
    world.submit(nil.submission_id).await;
    assert_eq!(sign(nil.submission_id, "0.5").await, HandedOver::Now);
    let first = world.hand_in("one").await;
    sign(first, "").await;
    let reported = burden().await;
    assert_eq!((reported.n_signed_off, reported.n_reported), (2, 1));
    assert_eq!(reported.median_worked, Some(0.5));
    // Of several versions the newest that says it counts, and what is said twice is said once.
    send_back(&world.db, &system(), first, "A table is missing", now())
        .await
        .unwrap();
    let second = world.hand_in("two").await;
    assert_eq!(sign(second, "6.25").await, HandedOver::Now);
    assert_eq!(sign(second, "9").await, HandedOver::Before);
    let reported = burden().await;
    assert_eq!((reported.n_signed_off, reported.n_reported), (2, 2));
    assert_eq!(reported.median_worked, Some(3.375));
    let each: Vec<(String, Option<f64>)> = burden_of(&world.db, &planner, "form")
        .await
        .unwrap()
        .into_iter()
        .map(|of| (of.organisation_name, of.reported.median_worked))
        .collect();
    assert_eq!(
        each,
        [
            ("Ardbeg".to_owned(), Some(6.25)),
            ("Brora".to_owned(), Some(0.5))
        ]
    );
    let version = found(&world.db, &system(), second).await.unwrap();
    let chain = history(&world.db, &system(), &version).await;
    let hours: Vec<Option<String>> = chain
        .unwrap()
        .into_iter()
        .map(|link| link.hours.map(|hours| hours.to_string()))
        .collect();
    assert_eq!(hours, [None, Some("6.25".to_owned())]);
    assert!(
        burden_of(&world.db, &council(ARDBEG), "form")
            .await
            .is_err()
    );
}
