//! Bodies that come too slowly, too large or not at all: an answer in time, and nothing left behind.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{LIMIT, Running, SUBMISSIONS, read_answer};

async fn begin(site: &Running, length: &str) -> TcpStream {
    let mut stream = site.connect().await;
    let proof = site.bearer();
    let head = format!("POST {SUBMISSIONS} HTTP/1.1\r\nhost: localhost\r\n{proof}{length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

fn chunk(n_bytes: usize) -> String {
    format!("{n_bytes:x}\r\n{}\r\n", "x".repeat(n_bytes))
}

#[tokio::test]
async fn a_body_that_stalls_is_408() {
    let site = Running::start().await;
    let began = Instant::now();
    let mut stream = begin(&site, "content-length: 1000").await;
    stream.write_all(b"PK").await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert_eq!(answer.status, 408, "{answer:?}");
    assert!(began.elapsed() < Duration::from_secs(5));
    site.check_nothing_is_left().await;
}

/// Sends the same again and again until the site closes the connection; gives what it said.
async fn told_while_sending(stream: TcpStream, what: String, every: Duration) -> String {
    let (mut reader, mut writer) = stream.into_split();
    let sending = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(every);
        while writer.write_all(what.as_bytes()).await.is_ok() {
            ticks.tick().await;
        }
    });
    let mut bytes = Vec::new();
    // A connection that is closed on unread bytes may be reset after the answer.
    let _ = reader.read_to_end(&mut bytes).await;
    sending.await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn a_body_that_drips_is_408() {
    let site = Running::start().await;
    let stream = begin(&site, "content-length: 1000").await;
    let told = told_while_sending(stream, "x".to_owned(), Duration::from_millis(50)).await;
    assert!(told.starts_with("HTTP/1.1 408"), "{told}");
    site.check_nothing_is_left().await;
}

#[tokio::test]
async fn a_body_that_is_fast_enough_but_never_ends_is_408() {
    let site = Running::start().await;
    let stream = begin(&site, "transfer-encoding: chunked").await;
    let told = told_while_sending(stream, chunk(1000), Duration::from_millis(100)).await;
    assert!(told.starts_with("HTTP/1.1 408"), "{told}");
    site.check_nothing_is_left().await;
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_413_before_it_is_read() {
    let site = Running::start().await;
    let mut stream = begin(&site, &format!("content-length: {}", LIMIT + 1)).await;
    let answer = read_answer(&mut stream).await;
    assert_eq!(answer.status, 413, "{answer:?}");
    site.check_nothing_is_left().await;
}

#[tokio::test]
async fn a_body_that_does_not_say_and_is_too_large_is_413() {
    let site = Running::start().await;
    let mut stream = begin(&site, "transfer-encoding: chunked").await;
    for _ in 0..3 {
        let _ = stream.write_all(chunk(50_000).as_bytes()).await;
    }
    let answer = read_answer(&mut stream).await;
    assert_eq!(answer.status, 413, "{answer:?}");
    site.check_nothing_is_left().await;
}

#[tokio::test]
async fn a_body_that_is_cut_leaves_nothing() {
    let site = Running::start().await;
    for n_bytes in [0, 250, 500, 999] {
        let mut stream = begin(&site, "content-length: 1000").await;
        stream.write_all(&vec![b'x'; n_bytes]).await.unwrap();
        drop(stream);
    }
    // The site notices at its own pace; it stops when it has done with what came.
    site.handle.stop(true).await;
    site.check_nothing_is_left().await;
}
