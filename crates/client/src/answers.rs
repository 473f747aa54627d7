//! A server for tests that answers as it was told to, so that it also fails when it was told to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::{Access, Api};

/// What a server answers once: the head, and what comes after it.
pub(crate) type Answer = (String, &'static [u8]);

/// A whole answer.
pub(crate) fn json(status: &str, body: &str) -> Answer {
    of_type("application/json", status, body)
}

/// A request that is refused.
pub(crate) fn refused(status: &str, title: &str) -> Answer {
    let body = serde_json::json!({"title": title, "detail": "Do it otherwise."});
    of_type("application/problem+json", status, &body.to_string())
}

/// What a browser is shown by whoever stands in between.
pub(crate) fn page(status: &str) -> Answer {
    of_type("text/html; charset=utf-8", status, "<p>Sign in</p>")
}

pub(crate) fn of_type(content_type: &str, status: &str, body: &str) -> Answer {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    (head, b"")
}

/// Answers one request after the other, each with the next answer, and keeps their heads.
pub(crate) async fn server(answers: Vec<Answer>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heads = Arc::clone(&asked);
    tokio::spawn(async move {
        for (head, body) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let is_read = !head.starts_with("HTTP/1.1 413");
            let asked = head_of(&mut stream, is_read).await;
            heads.lock().unwrap().push(asked);
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(body).await.unwrap();
        }
    });
    (address, asked)
}

/// In lower case; what comes after it is read to its end too, or left lying.
async fn head_of(stream: &mut TcpStream, is_read: bool) -> String {
    let mut request = Vec::new();
    let mut chunk = vec![0; 8192];
    loop {
        let text = String::from_utf8_lossy(&request).to_lowercase();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if !is_read || request.len() >= head.len() + 4 + length {
                return head.to_owned();
            }
        }
        let n = stream.read(&mut chunk).await.unwrap();
        assert_ne!(n, 0, "cut off: {text}");
        request.extend_from_slice(&chunk[..n]);
    }
}

pub(crate) fn api(address: &str, patience: Duration) -> Api {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Api::new(Access {
        address: address.to_owned(),
        token: "t".to_owned(),
        patience,
    })
    .unwrap()
}
