//! A sender who is gone before the answer: what was sent is there all the same, and can be found.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;

use super::{Running, SUBMISSIONS};

#[tokio::test]
async fn what_was_sent_whole_is_received_although_its_sender_went_away() {
    let site = Running::start().await;
    let body = "REF\nA1\n";
    let proof = site.bearer();
    let head = format!(
        "POST {SUBMISSIONS} HTTP/1.1\r\nhost: localhost\r\nidempotency-key: once\r\n{proof}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = site.connect().await;
    stream.write_all(head.as_bytes()).await.unwrap();
    drop(stream);
    let began = Instant::now();
    while site.n_received().await == 0 {
        assert!(began.elapsed() < Duration::from_secs(10), "it is lost");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Sent again, as whoever had no answer does, it is told and not there twice.
    let again = site
        .ask(
            "POST",
            SUBMISSIONS,
            "idempotency-key: once\r\n",
            body.as_bytes(),
        )
        .await;
    assert_eq!(again.status, 200, "{again:?}");
    assert!(again.body.contains("\"repeated\":true"), "{again:?}");
    assert_eq!((site.n_received().await, site.n_spooled()), (1, 0));
}
