//! Against a real server on this machine.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;

/// Answers one request so, and gives what it was.
async fn server(answer: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"}") {
            let mut chunk = [0; 1024];
            let n = stream.read(&mut chunk).await.unwrap();
            assert_ne!(n, 0);
            request.extend_from_slice(&chunk[..n]);
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap()
    });
    (format!("http://localhost:{port}/hook"), asked)
}

fn poster() -> Poster {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let allowed = vec!["localhost".to_owned()];
    Poster::new(Places { allowed })
}

fn message() -> Message {
    Message {
        id: "01935c6e-0000-7000-8000-000000000001".to_owned(),
        body: "{\"type\":\"x\"}".to_owned(),
    }
}

#[tokio::test]
async fn a_message_comes_with_its_id_its_time_and_a_signature_that_fits() {
    let (url, asked) = server("HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n").await;
    let (secret, now) = (Secret::new(), Utc::now());
    let status = poster().post(&url, &secret, &message(), now).await.unwrap();
    assert_eq!(status, 204);
    let request = asked.await.unwrap().to_lowercase();
    for line in [
        "post /hook http/1.1".to_owned(),
        format!("webhook-id: {}", message().id),
        format!("webhook-timestamp: {}", now.timestamp()),
        format!(
            "webhook-signature: {}",
            secret.sign(&message(), now.timestamp()).to_lowercase()
        ),
        message().body,
    ] {
        assert!(request.contains(&line), "{line}\n{request}");
    }
}

#[tokio::test]
async fn what_is_not_taken_is_said_and_where_it_leads_is_not_followed() {
    for (answer, status) in [
        ("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", 500),
        (
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n",
            302,
        ),
    ] {
        let (url, asked) = server(answer).await;
        let refused = poster()
            .post(&url, &Secret::new(), &message(), Utc::now())
            .await;
        assert_eq!(refused.unwrap_err().status(), Some(status));
        asked.await.unwrap();
    }
    let away = poster()
        .post(
            "http://localhost:9/",
            &Secret::new(),
            &message(),
            Utc::now(),
        )
        .await;
    assert!(matches!(away, Err(PostError::Connection(_))), "{away:?}");
    let inside = Poster::new(Places::default());
    let refused = inside
        .post("https://localhost/", &Secret::new(), &message(), Utc::now())
        .await;
    assert!(
        matches!(refused, Err(PostError::Place(PlaceError::NotPublic))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://localhost:{}/hook",
        listener.local_addr().unwrap().port()
    );
    let hurried = Poster {
        longest: Duration::from_millis(100),
        ..poster()
    };
    let refused = hurried
        .post(&url, &Secret::new(), &message(), Utc::now())
        .await;
    assert_eq!(refused.unwrap_err().to_string(), "it took too long");
}
