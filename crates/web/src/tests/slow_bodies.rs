//! Bodies that come too slowly, too large or not at all: an answer in time, and nothing left behind.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{LIMIT, Running, SUBMISSIONS, cookie, read_answer};

const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";

async fn begin(site: &Running, length: &str) -> TcpStream {
    let mut stream = site.connect().await;
    let proof = site.bearer();
    let head = format!("POST {SUBMISSIONS} HTTP/1.1\r\nhost: localhost\r\n{proof}{length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// As somebody who has proved nothing, unless the headers do.
async fn begin_with(site: &Running, request: &str, headers: &str) -> TcpStream {
    let mut stream = site.connect().await;
    let head = format!("{request} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
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

#[tokio::test]
async fn a_form_that_stalls_is_408_whoever_sends_it() {
    let site = Running::start().await;
    let began = Instant::now();
    let signed_in = cookie(&site.session);
    for (path, proof) in [("/sign-in", ""), ("/programs", signed_in.as_str())] {
        let headers = format!("{FORM}{proof}content-length: 1000\r\n");
        let mut stream = begin_with(&site, &format!("POST {path}"), &headers).await;
        stream.write_all(b"e").await.unwrap();
        let answer = read_answer(&mut stream).await;
        assert_eq!(answer.status, 408, "{path}: {answer:?}");
        let told = "The form came in too slowly";
        assert!(answer.body.contains(told), "{path}: {answer:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_form_that_drips_is_408_and_one_that_is_too_large_413() {
    let site = Running::start().await;
    let headers = format!("{FORM}content-length: 1000\r\n");
    let stream = begin_with(&site, "POST /sign-in", &headers).await;
    let told = told_while_sending(stream, "x".to_owned(), Duration::from_millis(50)).await;
    assert!(told.starts_with("HTTP/1.1 408"), "{told}");
    let headers = format!("{FORM}transfer-encoding: chunked\r\n");
    let mut stream = begin_with(&site, "POST /sign-in", &headers).await;
    for _ in 0..3 {
        let _ = stream.write_all(chunk(30_000).as_bytes()).await;
    }
    let answer = read_answer(&mut stream).await;
    assert_eq!(answer.status, 413, "{answer:?}");
    assert!(answer.body.contains("64 kB"), "{answer:?}");
}

#[tokio::test]
async fn a_body_that_nobody_reads_keeps_no_connection_open() {
    let site = Running::start().await;
    for (request, status) in [
        ("GET /health/live", 200),
        ("POST /health/live", 405),
        ("GET /sign-in", 200),
        ("POST /programs", 303),
        ("POST /nowhere", 404),
        ("POST /api/submissions/1/explanations", 401),
    ] {
        for length in ["content-length: 1000", "transfer-encoding: chunked"] {
            let mut stream = begin_with(&site, request, &format!("{FORM}{length}\r\n")).await;
            let answer = read_answer(&mut stream).await;
            assert_eq!(answer.status, status, "{request}, {length}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_body_that_nobody_reads_but_that_ends_leaves_the_connection_to_the_next() {
    let site = Running::start().await;
    let whole = "transfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /health/ready";
    let headers = format!("{whole} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    // The blank line after the last header is the helper's.
    let mut stream = begin_with(&site, "GET /health/live", &headers).await;
    let first = read_answer(&mut stream).await;
    assert_eq!(first.status, 200);
    assert!(first.body.contains("HTTP/1.1 200"), "the second: {first:?}");
}
