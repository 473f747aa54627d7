//! The database itself holds to the order in which a version is handed over.

use access::ActorId;
use cycle::Verb;
use testkit::TestDb;
use testkit::returns::{cases, financial_quarter};
use uuid::Uuid;

use crate::handovers::{NewHandover, add, of_submission};
use crate::submissions::NewSubmission;
use crate::{Access, Config, Db, DbError, Sees, cycles, organisations, returns, submissions};

const ARDBEG: &str = "S12000001";

async fn db_with_a_submission(database: &TestDb) -> (Db, Uuid) {
    let owner = Config {
        access: Access::Owner,
        ..Config::new(database.url())
    };
    let db = Db::connect(&owner).await.unwrap();
    let spec = cases();
    let mut tx = db.begin(&Sees::Everyone).await.unwrap();
    for organisation in &testkit::returns::organisations().0 {
        organisations::put(&mut tx, organisation).await.unwrap();
    }
    returns::publish(&mut tx, &spec).await.unwrap();
    let period = financial_quarter("2026-27-Q1", "2026-04-01", "2026-06-30");
    let cycle = cycles::NewCycle {
        return_id: &spec.id,
        version: &spec.version,
        period: &period,
        opens_on: period.end,
        due_on: period.end,
    };
    let id = cycles::put(&mut tx, &cycle).await.unwrap().id;
    cycles::oblige(&mut tx, id, &spec.respondents.types, &[])
        .await
        .unwrap();
    let duty = cycles::duty(&mut tx, ARDBEG, &spec.id, "2026-27-Q1").await;
    let sha256 = "ab".repeat(32);
    submissions::put_file(&mut tx, &sha256, 1, "key")
        .await
        .unwrap();
    let id = Uuid::now_v7();
    let new = NewSubmission {
        id,
        obligation_id: duty.unwrap().unwrap().obligation_id.unwrap(),
        organisation: ARDBEG,
        sha256: &sha256,
        file_name: "a.csv",
        is_nil: false,
        uploaded_by: "someone",
        sent_by: ActorId::Client(Uuid::from_u128(7)),
        contact_email: None,
        received_at: chrono::Utc::now(),
        idempotency_key: "one",
    };
    submissions::add(&mut tx, &new).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    (db, id)
}

#[tokio::test]
async fn only_chains_that_there_are_can_be_stored() {
    let database = TestDb::new();
    let (db, id) = db_with_a_submission(&database).await;
    // Every way to follow on any of these chains; the database takes those that are named and no other.
    let chains: [&[Verb]; 7] = [
        &[],
        &[Verb::Submit],
        &[Verb::Submit, Verb::SignOff],
        &[Verb::Submit, Verb::SignOff, Verb::Accept],
        &[Verb::Submit, Verb::SignOff, Verb::Accept, Verb::SendBack],
        &[Verb::Submit, Verb::SignOff, Verb::SendBack],
        &[Verb::Submit, Verb::Withdraw],
    ];
    let may_follow = |chain: &[Verb], follows: Option<Verb>, verb| {
        follows == chain.last().copied()
            && matches!(
                (follows, verb),
                (None, Verb::Submit | Verb::Withdraw)
                    | (Some(Verb::Submit), Verb::SignOff | Verb::Withdraw)
                    | (Some(Verb::SignOff), Verb::Accept | Verb::SendBack)
                    | (Some(Verb::Accept), Verb::SendBack)
            )
    };
    let all_follows = [None].into_iter().chain(Verb::ALL.map(Some));
    for chain in chains {
        for follows in all_follows.clone() {
            for verb in Verb::ALL {
                let mut tx = db.begin(&Sees::Everyone).await.unwrap();
                let link = |verb, follows| NewHandover {
                    submission_id: id,
                    organisation: ARDBEG,
                    verb,
                    follows,
                    by: ActorId::Person(Uuid::from_u128(1)),
                    by_name: "Someone",
                    reason: Some("a reason"),
                    own_sign_off: None,
                    hours: None,
                };
                let mut before = None;
                for &done in chain {
                    add(&mut tx, &link(done, before)).await.unwrap();
                    before = Some(done);
                }
                let added = add(&mut tx, &link(verb, follows)).await;
                let case = format!("{chain:?} then {verb} after {follows:?}");
                if may_follow(chain, follows, verb) {
                    added.unwrap_or_else(|error| panic!("{case}: {error}"));
                    let stored = of_submission(&mut tx, id).await.unwrap();
                    assert_eq!(stored.last().map(|last| last.verb), Some(verb), "{case}");
                } else {
                    let error = added.expect_err(&case);
                    assert!(
                        matches!(error, DbError::Constraint { .. }),
                        "{case}: {error}"
                    );
                }
                tx.rollback().await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn sending_back_has_a_reason() {
    let database = TestDb::new();
    let (db, id) = db_with_a_submission(&database).await;
    let mut tx = db.begin(&Sees::Everyone).await.unwrap();
    let mut follows = None;
    for (verb, is_taken) in [
        (Verb::Submit, true),
        (Verb::SignOff, true),
        (Verb::SendBack, false),
    ] {
        let link = NewHandover {
            submission_id: id,
            organisation: ARDBEG,
            verb,
            follows,
            by: ActorId::System,
            by_name: "Someone",
            reason: None,
            own_sign_off: None,
            hours: None,
        };
        assert_eq!(add(&mut tx, &link).await.is_ok(), is_taken, "{verb}");
        follows = Some(verb);
    }
}
