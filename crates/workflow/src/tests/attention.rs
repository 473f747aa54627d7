//! A submission whose assess job was given up says so, whoever gave it up, and can be put right.

use std::time::Duration;

use cycle::SubmissionState;
use queue::{HandlerError, claim};

use super::*;

fn at_once() -> Settings {
    Settings {
        backoff: Duration::ZERO,
        ..Settings::default()
    }
}

impl World {
    async fn state(&self, id: Uuid) -> SubmissionState {
        found(&self.db, &system(), id).await.unwrap().state
    }

    async fn deeds(&self, id: Uuid) -> Vec<(String, String)> {
        let mut conn = self.db.read(&db::Sees::Everyone).await.unwrap();
        let events = db::events::of_submission(&mut conn, id).await.unwrap();
        events
            .into_iter()
            .map(|event| (event.verb, event.details.to_string()))
            .collect()
    }

    /// A received file whose job fails as often as it may.
    async fn given_up(&self, key: &str, bytes: &str) -> Uuid {
        let receipt = self.receive(self.upload(key, bytes)).await.unwrap();
        let runner = Runner::new(self.db.clone(), at_once())
            .handle(AssessJob::KIND, |_: AssessJob, _| async {
                Err(HandlerError::later("DEMO-1 of the file is odd"))
            });
        assert_eq!(runner.run_due().await.unwrap(), 10);
        self.follow_given_up().await;
        receipt.submission_id
    }

    /// Runs the job that follows one that was given up, twice, as after a crash.
    async fn follow_given_up(&self) {
        let db = self.db.clone();
        let runner = Runner::new(self.db.clone(), at_once()).handle(
            AssessGivenUpJob::KIND,
            move |job: AssessGivenUpJob, _| {
                let db = db.clone();
                async move {
                    for _ in 0..2 {
                        give_up(&db, &system(), job.submission_id).await?;
                    }
                    Ok(())
                }
            },
        );
        assert_eq!(runner.run_due().await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_submission_whose_job_failed_too_often_needs_attention_until_it_is_tried_again() {
    let world = world().await;
    let id = world.given_up("k1", "one").await;
    assert_eq!(world.state(id).await, SubmissionState::NeedsAttention);
    let deeds = world.deeds(id).await;
    let (verb, details) = deeds.last().unwrap();
    assert_eq!((deeds.len(), verb.as_str()), (2, "give_up"));
    assert!(!details.contains("DEMO"), "no values: {details}");
    let emails = emails_of(&world.db, &system(), id).await.unwrap().unwrap();
    let kinds: Vec<&str> = emails.iter().map(|email| email.kind.as_str()).collect();
    assert_eq!(kinds, ["receipt", "delay"]);

    let council = council(ARDBEG);
    let error = retry(&world.db, &council, id).await.unwrap_err();
    assert!(matches!(error, RetryError::NotAllowed), "{error}");
    retry(&world.db, &system(), id).await.unwrap();
    assert_eq!(world.state(id).await, SubmissionState::Received);
    let error = retry(&world.db, &system(), id).await.unwrap_err();
    assert!(matches!(error, RetryError::NotNeeded(_)), "{error}");

    let mut conn = world.db.conn().await.unwrap();
    let job = claim(&mut conn, &[AssessJob::KIND.to_owned()], &at_once())
        .await
        .unwrap()
        .expect("a new job");
    assert_eq!(job.attempts, 1);
    world.load(id, "one", Outcome::Ready).await;
    assert_eq!(world.state(id).await, SubmissionState::Ready);
    let verbs: Vec<String> = world
        .deeds(id)
        .await
        .into_iter()
        .map(|deed| deed.0)
        .collect();
    assert_eq!(verbs, ["receive", "give_up", "retry", "assess"]);
}

#[tokio::test]
async fn a_submission_whose_workers_vanish_needs_attention() {
    let world = world().await;
    let receipt = world.receive(world.upload("k1", "one")).await.unwrap();
    let vanishing = Settings {
        lease: Duration::ZERO,
        ..at_once()
    };
    let kinds = [AssessJob::KIND.to_owned()];
    let mut conn = world.db.conn().await.unwrap();
    for _ in 0..3 {
        assert!(
            claim(&mut conn, &kinds, &vanishing)
                .await
                .unwrap()
                .is_some()
        );
        assert_eq!(
            world.state(receipt.submission_id).await,
            SubmissionState::Received
        );
    }
    assert!(
        claim(&mut conn, &kinds, &vanishing)
            .await
            .unwrap()
            .is_none()
    );
    world.follow_given_up().await;
    assert_eq!(
        world.state(receipt.submission_id).await,
        SubmissionState::NeedsAttention
    );
    assert_eq!(world.deeds(receipt.submission_id).await[1].0, "give_up");
}

#[tokio::test]
async fn a_new_upload_is_assessed_whatever_became_of_the_last_one() {
    let world = world().await;
    let stuck = world.given_up("k1", "one").await;
    let receipt = world.receive(world.upload("k2", "two")).await.unwrap();
    world
        .load(receipt.submission_id, "two", Outcome::Ready)
        .await;
    assert_eq!(
        world.state(receipt.submission_id).await,
        SubmissionState::Ready
    );
    assert_eq!(world.state(stuck).await, SubmissionState::NeedsAttention);
    let owed = obligations(
        &world.db,
        &system(),
        Some(ARDBEG),
        testkit::returns::day("2026-07-21"),
    )
    .await
    .unwrap();
    assert_eq!(
        owed[0].latest,
        Some((receipt.submission_id, SubmissionState::Ready))
    );
}

#[tokio::test]
async fn an_assessment_that_comes_late_counts_all_the_same() {
    let world = world().await;
    let id = world.given_up("k1", "one").await;
    world.load(id, "one", Outcome::Ready).await;
    assert_eq!(world.state(id).await, SubmissionState::Ready);
}
