//! Standing submissions of a round checked against each other, and central figures.

use assess::{Addressed, CollectionChecked, CollectionHead, MemberFile};
use spec::{ReferenceSet, ReferenceValues, Rule, RuleKind, SetOfPeriod, Stage, ValuePeriod};

use super::*;

/// The form, with a rule over all organisations: enough for a job, since no child runs here.
fn collected_form() -> ReturnSpec {
    let rule = Rule {
        id: "form.elsewhere-too".to_owned(),
        table: "form".to_owned(),
        severity: Severity::Query,
        items: Vec::new(),
        message: "It is elsewhere too.".to_owned(),
        fix: "Ask.".to_owned(),
        in_force: spec::InForce::default(),
        only_for: spec::OnlyFor::default(),
        trial: false,
        stage: Stage::Collection,
        thresholds: spec::rule::Thresholds::default(),
        kind: RuleKind::Query {
            select: String::new(),
            reads: Vec::new(),
        },
        provenance: testkit::returns::tested(),
    };
    ReturnSpec {
        rules: vec![rule],
        ..form()
    }
}

async fn round() -> World {
    World {
        spec: collected_form(),
        ..world().await
    }
}

impl World {
    async fn send_for(&self, organisation: &str, bytes: &str) -> Uuid {
        let upload = NewUpload {
            organisation: organisation.to_owned(),
            ..self.upload(bytes, bytes)
        };
        let id = self.receive(upload).await.unwrap().submission_id;
        self.load(id, bytes, Outcome::Ready).await;
        self.submit(id).await;
        id
    }

    async fn to_check(&self) -> Option<ToCheckCollection> {
        to_check_collection(&self.db, &system(), &self.spec, "2026-27-Q1")
            .await
            .unwrap()
    }

    async fn store(&self, wanted: &ToCheckCollection, checked: &CollectionChecked) -> bool {
        let spec = &self.spec;
        store_collection(&self.db, &system(), spec, "2026-27-Q1", wanted, checked)
            .await
            .unwrap()
    }

    async fn n_jobs(&self, kind: &str) -> i64 {
        self.one(&format!("SELECT count(*) FROM job WHERE kind = '{kind}'"))
            .await
    }

    async fn one(&self, sql: &str) -> i64 {
        let (client, connection) =
            tokio_postgres::connect(&self.database.url(), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        client.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// What the child would say: one finding for each member.
    fn checked(&self, wanted: &ToCheckCollection) -> CollectionChecked {
        let findings: Vec<Addressed> = wanted
            .files
            .keys()
            .map(|organisation| Addressed {
                organisation: organisation.clone(),
                finding: Finding::new(
                    "form.elsewhere-too",
                    Severity::Query,
                    "It is elsewhere\0 too.",
                    "Ask.",
                )
                .in_table("form")
                .at_row(9),
            })
            .collect();
        CollectionChecked {
            head: CollectionHead {
                return_id: self.spec.id.clone(),
                version: self.spec.version.clone(),
                spec_hash: self.spec.hash.clone(),
                period: Some("2026-27-Q1".to_owned()),
                members: wanted
                    .files
                    .iter()
                    .map(|(organisation, file)| MemberFile {
                        organisation: organisation.clone(),
                        sha256: file.sha256.clone(),
                    })
                    .collect(),
                counts: assess::counts(&findings),
            },
            findings,
        }
    }
}

#[tokio::test]
async fn what_comes_to_stand_is_checked_against_the_others_once() {
    let world = round().await;
    assert_eq!(world.to_check().await, None, "nothing stands");
    world.send_for(ARDBEG, "one").await;
    let refused = world.receive(world.upload("bad", "bad")).await.unwrap();
    let bad = refused.submission_id;
    world.load(bad, "bad", Outcome::NeedsCorrection).await;
    world.send_for(BRORA, "two").await;
    assert_eq!(world.n_jobs(CheckCollectionJob::KIND).await, 2);

    let wanted = world.to_check().await.unwrap();
    assert_eq!(wanted.received_on, day("2026-07-20"));
    let files: Vec<(&str, &str)> = wanted
        .files
        .iter()
        .map(|(organisation, file)| (organisation.as_str(), file.sha256.as_str()))
        .collect();
    let (one, two) = (sha256("one"), sha256("two"));
    assert_eq!(files, [(ARDBEG, one.as_str()), (BRORA, two.as_str())]);

    let checked = world.checked(&wanted);
    assert!(world.store(&wanted, &checked).await);
    assert!(!world.store(&wanted, &checked).await, "a replay");
    assert_eq!(world.to_check().await, None, "nothing new");
    let stored = collection(&world.db, &system(), "form", "2026-27-Q1").await;
    let mut expected = checked.clone();
    for addressed in &mut expected.findings {
        addressed.finding.message = "It is elsewhere\u{fffd} too.".to_owned();
    }
    assert_eq!(stored.unwrap(), Some(expected));
}

#[tokio::test]
async fn what_no_longer_stands_is_not_stored() {
    let world = round().await;
    world.send_for(ARDBEG, "one").await;
    let before = world.to_check().await.unwrap();
    let checked = world.checked(&before);
    world.send_for(ARDBEG, "better").await;
    assert!(!world.store(&before, &checked).await);
    let now = world.to_check().await.unwrap();
    assert!(world.store(&now, &world.checked(&now)).await);
    assert_eq!(world.one("SELECT count(*) FROM collection_check").await, 1);
    // Another spec of the same version can't be: its run would be of no use.
    let mut other = world.checked(&now);
    other.head.spec_hash = "another".to_owned();
    let error = store_collection(
        &world.db,
        &system(),
        &world.spec,
        "2026-27-Q1",
        &now,
        &other,
    )
    .await
    .unwrap_err();
    assert!(matches!(error, CollectionError::Parts(_)), "{error}");
}

/// A finding says something of another organisation by being there, so not even the one it is about sees it.
#[tokio::test]
async fn no_organisation_sees_what_a_collection_came_to() {
    let world = round().await;
    let id = world.send_for(ARDBEG, "one").await;
    let wanted = world.to_check().await.unwrap();
    assert!(world.store(&wanted, &world.checked(&wanted)).await);
    for code in [ARDBEG, BRORA] {
        let actor = council(code);
        let seen = collection(&world.db, &actor, "form", "2026-27-Q1").await;
        assert_eq!(seen.unwrap(), None);
        let wanted = to_check_collection(&world.db, &actor, &world.spec, "2026-27-Q1").await;
        assert_eq!(wanted.unwrap(), None);
    }
    let own = findings(&world.db, &system(), id, 0, 100).await.unwrap();
    assert_eq!(own, Some(Vec::new()), "its own report stays as it was");
    let office = person(Role::DatasetTeam, Reach::Return("form".to_owned()));
    let seen = collection(&world.db, &office, "form", "2026-27-Q1").await;
    assert_eq!(seen.unwrap().unwrap().findings.len(), 1);
    // Values are for the return's own team: not for another's, nor for who plans the rounds.
    for other in [
        person(Role::DatasetTeam, Reach::Return("cases".to_owned())),
        person(Role::Scheduler, Reach::Everything),
    ] {
        let seen = collection(&world.db, &other, "form", "2026-27-Q1").await;
        assert_eq!(seen.unwrap(), None, "{other:?}");
    }
}

#[tokio::test]
async fn a_return_without_such_rules_has_nothing_to_check() {
    let world = world().await;
    world.hand_in("one").await;
    assert_eq!(world.to_check().await, None);
}

#[tokio::test]
async fn the_newest_central_figures_count() {
    let world = world().await;
    let set = |table: &str, period| ReferenceSet {
        set: "circular".to_owned(),
        title: "the circular".to_owned(),
        table: table.to_owned(),
        period,
        figures: vec!["GRANT".to_owned()],
        decimals: 0,
    };
    let spec = ReturnSpec {
        reference_values: vec![
            set("now", ValuePeriod::Same),
            set("next", ValuePeriod::Next),
        ],
        ..form()
    };
    let file = |value: u32| {
        let csv = format!(
            "organisation,name,value,source,confidence\n{ARDBEG},GRANT,{value},x,published\n"
        );
        SetOfPeriod {
            set: "circular".to_owned(),
            period: "2026-27-Q1".to_owned(),
            values: ReferenceValues::read(&csv).unwrap(),
            csv,
        }
    };
    let publish = async |value| {
        publish_reference_values(&world.owner, &system(), &[file(value)])
            .await
            .unwrap();
    };
    let id = world.receive(world.upload("one", "one")).await.unwrap();
    let id = id.submission_id;
    let read = async || {
        let known = references(&world.db, &system(), id, &spec).await;
        known.unwrap().values
    };
    assert!(read().await.is_empty());
    publish(1).await;
    publish(1).await;
    let count = "SELECT count(*) FROM reference_values";
    assert_eq!(world.one(count).await, 1, "nothing new");
    let known = read().await;
    assert_eq!(known.keys().collect::<Vec<_>>(), ["now"]);
    publish(2).await;
    assert_eq!(read().await["now"], file(2).csv);
    publish(1).await;
    assert_eq!(read().await["now"], file(1).csv, "what was corrected back");
    assert_eq!(world.one(count).await, 3, "nothing is overwritten");
    world.load(id, "one", Outcome::Ready).await;
    publish(4).await;
    assert_eq!(read().await["now"], file(1).csv, "as when it was assessed");
    let events = "SELECT count(*) FROM event WHERE verb = 'publish_reference_values'";
    assert_eq!(world.one(events).await, 4);
}
