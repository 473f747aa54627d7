//! A query is explained once for all versions; a waiver makes explaining unnecessary while it holds.

use super::*;
use crate::explain::n_unexplained;

/// A query about each of some records, in their order.
fn queries(records: &[&str]) -> Vec<Finding> {
    let rule = "form.a-query".into();
    let about = |(row, record): (u32, &&str)| {
        let key = finding::FindingKey::new(&rule, Some("form"), Some("band_a"), &[record], 0);
        let finding = Finding {
            key: Some(key),
            ..a_finding(Severity::Query)
        };
        finding.at_cell(format!("Form!E{row}").parse().unwrap())
    };
    (2..).zip(records).map(about).collect()
}

pub(super) fn key(record: &str) -> finding::FindingKey {
    queries(&[record]).remove(0).key.unwrap()
}

impl World {
    /// Sends a file of which only queries are found.
    pub(super) async fn queried(&self, bytes: &str, period: &Period, records: &[&str]) -> Uuid {
        let upload = NewUpload {
            period: period.label.clone(),
            received_at: "2026-10-20T09:05:00Z".parse().unwrap(),
            ..self.upload(bytes, bytes)
        };
        let id = self.receive(upload).await.unwrap().submission_id;
        let findings = queries(records);
        let mut head = self.head(bytes, Outcome::NeedsExplanation);
        head.period = Some(period.label.clone());
        head.counts[0].n = findings.len() as u64;
        let mut parts = vec![Part::Head(Box::new(head)), Part::Findings(findings)];
        parts.extend((0..2).map(|row| Part::Rows(a_row(row, bytes))));
        let loaded = load(
            &self.db,
            &system(),
            id,
            &self.spec,
            parts.into_iter().map(Ok),
        )
        .await;
        assert_eq!(loaded.unwrap(), Loaded::Stored(Outcome::NeedsExplanation));
        id
    }

    pub(super) async fn open_q2(&self) -> Period {
        let q2 = financial_quarter("2026-27-Q2", "2026-07-01", "2026-09-30");
        let (opens, due) = (day("2026-10-01"), day("2026-10-31"));
        open_cycle(&self.db, &system(), &self.spec, &q2, opens, due)
            .await
            .unwrap();
        q2
    }

    pub(super) async fn n_unexplained(&self, id: Uuid, today: &str) -> u64 {
        let mut conn = self.db.read(&db::Sees::Everyone).await.unwrap();
        n_unexplained(&mut conn, id, day(today)).await.unwrap()
    }

    /// What is said of each finding of a version, in report order.
    pub(super) async fn said(&self, id: Uuid) -> Vec<Option<String>> {
        let (findings, answers) = self.answered(id).await;
        let said = findings
            .iter()
            .map(|numbered| answers.explanation(numbered));
        said.map(|said| said.map(|said| said.text.clone()))
            .collect()
    }

    async fn answered(&self, id: Uuid) -> (Vec<NumberedFinding>, Answers) {
        let submission = found(&self.db, &system(), id).await.unwrap();
        let findings = findings(&self.db, &system(), id, 0, 100)
            .await
            .unwrap()
            .unwrap();
        let answers = answers(&self.db, &system(), &submission, &findings)
            .await
            .unwrap();
        (findings, answers)
    }

    pub(super) async fn verbs(&self, id: Uuid) -> Vec<String> {
        let mut conn = self.db.read(&db::Sees::Everyone).await.unwrap();
        let events = db::events::of_submission(&mut conn, id).await.unwrap();
        events.into_iter().map(|event| event.verb).collect()
    }
}

pub(super) fn new(keys: Option<Vec<finding::FindingKey>>, text: &str) -> Explaining {
    Explaining {
        rule: "form.a-query".to_owned(),
        keys,
        words: Words::New(text.to_owned()),
    }
}

#[tokio::test]
async fn an_explanation_stays_with_its_record_where_rows_move() {
    let world = world().await;
    let sender = council(ARDBEG);
    let first = world.queried("one", &q1(), &["a", "b", "c"]).await;
    assert_eq!(world.n_unexplained(first, "2026-10-20").await, 3);
    let explained = |id, explaining| explain(&world.db, &sender, id, explaining);
    let one = new(Some(vec![key("b")]), " A school\r\nclosed.\n");
    assert_eq!(explained(first, &one).await.unwrap(), 1);
    // The same once more says nothing new.
    assert_eq!(explained(first, &one).await.unwrap(), 0);
    let text = Some("A school\nclosed.".to_owned());
    assert_eq!(world.said(first).await, [None, text.clone(), None]);
    assert_eq!(world.n_unexplained(first, "2026-10-20").await, 2);

    let second = world.queried("two", &q1(), &["b", "d", "a"]).await;
    assert_eq!(world.said(second).await, [text, None, None]);
    assert_eq!(
        explained(second, &new(None, "All counted twice."))
            .await
            .unwrap(),
        3
    );
    let all = Some("All counted twice.".to_owned());
    assert_eq!(
        world.said(second).await,
        [all.clone(), all.clone(), all.clone()]
    );
    assert_eq!(world.n_unexplained(second, "2026-10-20").await, 0);
    // The newest counts, whichever version it was said about.
    assert_eq!(world.said(first).await, [all.clone(), all, None]);

    let verbs = world.verbs(first).await;
    assert_eq!(
        verbs.iter().filter(|verb| *verb == "explain").count(),
        1,
        "{verbs:?}"
    );
    let mut conn = world.db.read(&db::Sees::Everyone).await.unwrap();
    let events = db::events::of_submission(&mut conn, second).await.unwrap();
    let told = format!("{:?}", events.last().unwrap());
    assert!(
        told.contains("explain") && !told.contains("counted twice"),
        "{told}"
    );
}

#[tokio::test]
async fn what_was_said_is_offered_again_in_the_next_period() {
    let world = world().await;
    let sender = council(ARDBEG);
    let first = world.queried("one", &q1(), &["a", "b"]).await;
    explain(
        &world.db,
        &sender,
        first,
        &new(Some(vec![key("a")]), "A flood."),
    )
    .await
    .unwrap();
    let q2 = world.open_q2().await;
    let next = world.queried("two", &q2, &["a", "b"]).await;
    assert_eq!(world.said(next).await, [None, None]);
    assert_eq!(world.n_unexplained(next, "2026-10-20").await, 2);
    let (findings, answers) = world.answered(next).await;
    let before = answers.before(&findings[0]).unwrap();
    assert_eq!(
        (before.text.as_str(), before.period.as_str()),
        ("A flood.", "2026-27-Q1")
    );
    assert_eq!(answers.before(&findings[1]), None);

    let again = Explaining {
        words: Words::AsBefore,
        ..new(None, "")
    };
    assert_eq!(explain(&world.db, &sender, next, &again).await.unwrap(), 1);
    assert_eq!(explain(&world.db, &sender, next, &again).await.unwrap(), 0);
    assert_eq!(world.said(next).await, [Some("A flood.".to_owned()), None]);
    // What comes later is not offered to what came before.
    let (findings, answers) = world.answered(first).await;
    assert_eq!(answers.before(&findings[0]), None);
}

#[tokio::test]
async fn who_may_not_explain_is_refused_and_nothing_is_kept() {
    let world = world().await;
    let id = world.queried("one", &q1(), &["a"]).await;
    let team = person(Role::DatasetTeam, Reach::Return("form".to_owned()));
    let explaining = new(None, "Because.");
    let of_brora = council(BRORA);
    let denied = |error| match error {
        ExplainError::Denied(denied) => denied.to_string(),
        error => panic!("{error}"),
    };
    let error = explain(&world.db, &of_brora, id, &explaining)
        .await
        .unwrap_err();
    assert_eq!(denied(error), Denied::NotThere.to_string());
    assert!(explain(&world.db, &team, id, &explaining).await.is_err());
    let sender = council(ARDBEG);
    for (explaining, expected) in [
        (new(None, " \r\n "), "nothing was written"),
        (
            new(None, &"x".repeat(4_001)),
            "the text is longer than 4000 characters",
        ),
        (
            new(Some(vec![key("z")]), "Because."),
            "there is no query to explain",
        ),
        (
            new(Some(Vec::new()), "Because."),
            "there is no query to explain",
        ),
        (
            Explaining {
                rule: "form.other".to_owned(),
                ..new(None, "Because.")
            },
            "there is no query to explain",
        ),
    ] {
        let error = explain(&world.db, &sender, id, &explaining)
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(world.said(id).await, [None]);
    assert!(!world.verbs(id).await.contains(&"explain".to_owned()));
}

pub(super) fn asking(id: Uuid, n: u128, key: Option<finding::FindingKey>) -> Asking {
    Asking {
        id: Uuid::from_u128(n),
        submission_id: id,
        rule: "form.a-query".to_owned(),
        key,
        reason: "We have one shelter.".to_owned(),
    }
}

#[tokio::test]
async fn a_waiver_holds_for_its_check_or_record_up_to_its_last_day() {
    let world = world().await;
    let sender = council(ARDBEG);
    let team = person(Role::DatasetTeam, Reach::Return("form".to_owned()));
    let id = world.queried("one", &q1(), &["a", "b"]).await;
    for _ in 0..2 {
        ask_for_waiver(&world.db, &sender, &asking(id, 7, Some(key("a"))))
            .await
            .unwrap();
    }
    ask_for_waiver(&world.db, &sender, &asking(id, 8, None))
        .await
        .unwrap();
    let verbs = world.verbs(id).await;
    assert_eq!(
        verbs
            .iter()
            .filter(|verb| *verb == "ask_for_waiver")
            .count(),
        2,
        "{verbs:?}"
    );
    assert_eq!(world.n_unexplained(id, "2026-10-20").await, 2);

    let today = day("2026-10-20");
    let granted = Deciding {
        ends_on: Some(day("2027-03-31")),
        reason: "A standing arrangement.".to_owned(),
    };
    let refused = Deciding {
        ends_on: None,
        reason: "Too wide.".to_owned(),
    };
    let decide = |n, deciding| decide_waiver(&world.db, &team, Uuid::from_u128(n), deciding, today);
    for _ in 0..2 {
        decide(7, &granted).await.unwrap();
    }
    let error = decide(7, &refused).await.unwrap_err();
    assert!(matches!(error, WaiverError::Decided), "{error}");
    decide(8, &refused).await.unwrap();
    let verbs = world.verbs(id).await;
    assert_eq!(
        verbs.iter().filter(|verb| *verb == "decide_waiver").count(),
        2,
        "{verbs:?}"
    );

    assert_eq!(world.n_unexplained(id, "2026-10-20").await, 1);
    assert_eq!(world.n_unexplained(id, "2027-03-31").await, 1);
    assert_eq!(world.n_unexplained(id, "2027-04-01").await, 2);
    // In another version, and in the next period.
    let second = world.queried("two", &q1(), &["a"]).await;
    assert_eq!(world.n_unexplained(second, "2026-10-20").await, 0);
    let q2 = world.open_q2().await;
    let next = world.queried("three", &q2, &["b", "a"]).await;
    assert_eq!(world.n_unexplained(next, "2026-10-20").await, 1);
    let (findings, answers) = world.answered(next).await;
    assert_eq!(answers.waiver(&findings[0], today), None);
    let waiver = answers.waiver(&findings[1], today).unwrap();
    assert_eq!(waiver.reason, "We have one shelter.");
    assert_eq!(answers.waivers_of("form.a-query").count(), 2);
}

#[tokio::test]
async fn a_waiver_is_asked_for_by_its_council_and_decided_by_the_returns_team() {
    let world = world().await;
    let id = world.queried("one", &q1(), &["a"]).await;
    let sender = council(ARDBEG);
    let team = person(Role::DatasetTeam, Reach::Return("form".to_owned()));
    let other_team = person(Role::DatasetTeam, Reach::Return("cases".to_owned()));
    let today = day("2026-10-20");
    let ask = async |actor: Actor, asking: Asking| ask_for_waiver(&world.db, &actor, &asking).await;
    for actor in [council(BRORA), other_team.clone()] {
        let error = ask(actor, asking(id, 7, None)).await.unwrap_err();
        assert!(
            matches!(error, WaiverError::Denied(Denied::NotThere)),
            "{error}"
        );
    }
    assert!(ask(team.clone(), asking(id, 7, None)).await.is_err());
    let blank = Asking {
        reason: " ".to_owned(),
        ..asking(id, 7, None)
    };
    assert_eq!(
        ask(sender.clone(), blank).await.unwrap_err().to_string(),
        "nothing was written"
    );
    let unknown = asking(id, 7, Some(key("z")));
    let error = ask(sender.clone(), unknown).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no query to explain");
    ask(sender.clone(), asking(id, 7, None)).await.unwrap();

    let waiver_id = Uuid::from_u128(7);
    let deciding = |ends_on| Deciding {
        ends_on: Some(day(ends_on)),
        reason: "Yes.".to_owned(),
    };
    let decide = async |actor: Actor, deciding: Deciding| {
        decide_waiver(&world.db, &actor, waiver_id, &deciding, today).await
    };
    for (actor, expected) in [
        (sender.clone(), Denied::Forbidden.to_string()),
        (council(BRORA), Denied::NotThere.to_string()),
        (other_team.clone(), Denied::NotThere.to_string()),
    ] {
        let error = decide(actor, deciding("2027-03-31")).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    for ends_on in ["2026-10-19", "2029-10-21"] {
        let error = decide(team.clone(), deciding(ends_on)).await.unwrap_err();
        assert!(matches!(error, WaiverError::Day), "{error}");
    }
    assert_eq!(world.n_unexplained(id, "2026-10-20").await, 1);

    let seen = async |actor: Actor| all_waivers(&world.db, &actor).await.unwrap().len();
    assert_eq!(seen(sender.clone()).await, 1);
    assert_eq!(seen(team.clone()).await, 1);
    assert_eq!(seen(council(BRORA)).await, 0);
    assert_eq!(seen(other_team.clone()).await, 0);
    let one = waiver(&world.db, &team, waiver_id).await.unwrap();
    assert!(may_decide(&team, &one) && !may_decide(&sender, &one));
    assert!(waiver(&world.db, &council(BRORA), waiver_id).await.is_err());
    decide(team, deciding("2029-10-20")).await.unwrap();
    assert_eq!(world.n_unexplained(id, "2026-10-20").await, 0);
}

/// Somebody who was invited.
pub(super) async fn invited(world: &World, email: &str, role: Role, reach: Reach) -> Actor {
    let grant = Grant { role, reach };
    let name = email.split('@').next().unwrap();
    let id = invite(&world.db, &system(), email, name, &grant)
        .await
        .unwrap();
    Actor {
        id: ActorId::Person(id),
        name: name.to_owned(),
        grants: vec![grant],
    }
}

impl World {
    /// Recipient and payload of each message of a kind.
    pub(super) async fn mailed(&self, kind: &str) -> Vec<(String, String)> {
        let (client, connection) =
            tokio_postgres::connect(&self.database.url(), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        let sql = "SELECT recipient, payload::text FROM email WHERE kind = $1 ORDER BY recipient";
        let rows = client.query(sql, &[&kind]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }
}

#[tokio::test]
async fn the_team_is_told_once_that_more_is_explained_of_a_version_that_it_has() {
    let world = world().await;
    for email in ["tess@team.example", "tom@team.example"] {
        invited(
            &world,
            email,
            Role::DatasetTeam,
            Reach::Return("form".to_owned()),
        )
        .await;
    }
    let other = Reach::Return("cases".to_owned());
    invited(&world, "olga@team.example", Role::DatasetTeam, other).await;
    let sender = council(ARDBEG);
    let id = world.queried("one", &q1(), &["a"]).await;
    let say = async |text: &str| {
        explain(&world.db, &sender, id, &new(None, text))
            .await
            .unwrap()
    };
    let n_jobs = async || {
        let (client, connection) =
            tokio_postgres::connect(&world.database.url(), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        let sql = "SELECT count(*) FROM job WHERE kind = 'tell-explained'";
        client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0)
    };
    say("A flood.").await;
    assert_eq!(n_jobs().await, 0, "it is the council's own affair yet");
    let now = "2026-10-20T10:00:00Z".parse().unwrap();
    submit(&world.db, &sender, id, now).await.unwrap();
    say("A great flood.").await;
    say("A great flood.").await;
    assert_eq!(n_jobs().await, 1);
    let job = TellExplainedJob { submission_id: id };
    for _ in 0..2 {
        tell_explained(&world.db, &system(), &job).await.unwrap();
    }
    let mailed = world.mailed("explained").await;
    let to: Vec<&str> = mailed.iter().map(|(to, _)| to.as_str()).collect();
    assert_eq!(to, ["tess@team.example", "tom@team.example"]);
    assert!(!mailed[0].1.contains("flood"), "{mailed:?}");
}

#[tokio::test]
async fn who_asked_is_told_what_was_decided() {
    let world = world().await;
    let home = Reach::Organisation(ARDBEG.to_owned());
    let ann = invited(&world, "ann@ardbeg.example", Role::Uploader, home).await;
    let team = person(Role::DatasetTeam, Reach::Return("form".to_owned()));
    let id = world.queried("one", &q1(), &["a"]).await;
    ask_for_waiver(&world.db, &ann, &asking(id, 7, None))
        .await
        .unwrap();
    ask_for_waiver(&world.db, &ann, &asking(id, 8, None))
        .await
        .unwrap();
    let today = day("2026-10-20");
    for (n, ends_on) in [(7, Some(day("2027-03-31"))), (8, None)] {
        let deciding = Deciding {
            ends_on,
            reason: "We talked of it.".to_owned(),
        };
        for _ in 0..2 {
            decide_waiver(&world.db, &team, Uuid::from_u128(n), &deciding, today)
                .await
                .unwrap();
        }
    }
    let mailed = world.mailed("waiver-decided").await;
    assert_eq!(mailed.len(), 2, "{mailed:?}");
    for (to, payload) in &mailed {
        assert_eq!(to, "ann@ardbeg.example");
        assert!(
            !payload.contains("talked") && !payload.contains("shelter"),
            "{payload}"
        );
    }
}
