//! What a sender sees when checking the file was given up.

use std::time::Duration;

use queue::{HandlerError, Runner, Settings};
use serde_json::Value;
use workflow::{Actor, AssessJob};

use super::{Running, SUBMISSIONS};

#[tokio::test]
async fn a_sender_is_told_that_it_is_our_fault_until_it_is_tried_again() {
    let site = Running::start().await;
    let sent = site.ask(
        "POST",
        SUBMISSIONS,
        "idempotency-key: one\r\n",
        b"REF\nA1\n",
    );
    let receipt: Value = serde_json::from_str(&sent.await.body).unwrap();
    let id = receipt["submission_id"].as_str().unwrap();
    let at_once = Settings {
        backoff: Duration::ZERO,
        ..Settings::default()
    };
    Runner::new(site.db.clone(), at_once)
        .handle(AssessJob::KIND, |_: AssessJob, _| async {
            Err(HandlerError::never("on purpose"))
        })
        .run_due()
        .await
        .unwrap();
    workflow::give_up(&site.db, &Actor::system("test"), id.parse().unwrap())
        .await
        .unwrap();

    let fault = "We could not check your file. This is our fault, not yours";
    let (page, status) = (
        format!("/submissions/{id}"),
        format!("/api/submissions/{id}"),
    );
    let shown = site.get(&page).await.body;
    assert!(shown.contains(fault), "{shown}");
    assert!(!shown.contains("data-waiting-for"), "{shown}");
    let told: Value = serde_json::from_str(&site.get(&status).await.body).unwrap();
    assert_eq!(told["state"], "needs_attention");
    assert_eq!(told["outcome"], Value::Null);
    assert!(told["message"].as_str().unwrap().starts_with(fault));
    let front = site.get("/").await.body;
    assert!(front.contains("could not be checked yet"), "{front}");

    workflow::retry(&site.db, &Actor::system("test"), id.parse().unwrap())
        .await
        .unwrap();
    let told: Value = serde_json::from_str(&site.get(&status).await.body).unwrap();
    assert_eq!(told["state"], "received");
    assert_eq!(told.get("message"), None);
    assert!(!site.get(&page).await.body.contains(fault));
}
