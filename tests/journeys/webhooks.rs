//! A council's server is told what became of its file: with a signature that fits, again with the same id where it was
//! not taken, and once more when somebody asks for it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::council::{Council, PERIOD, RETURN, assessed, workbook};
use crate::lgdp::Platform;
use crate::person::{Person, between};
use crate::wait::until;

const COUNCIL: Council = Council {
    code: "S12000036",
    email: "returns@council.example",
};

/// A request that came: its head in lower case, and its body.
type Came = Arc<Mutex<Vec<(String, String)>>>;

/// A server that takes nothing at first.
async fn server() -> (String, Came) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://localhost:{}/in?key=k",
        listener.local_addr().unwrap().port()
    );
    let came: Came = Arc::default();
    let kept = Arc::clone(&came);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"}}}") && !request.ends_with(b"}}") {
                let mut chunk = [0; 4096];
                match stream.read(&mut chunk).await {
                    Ok(0) | Err(_) => break,
                    Ok(n) => request.extend_from_slice(&chunk[..n]),
                }
            }
            let text = String::from_utf8(request).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let n_before = {
                let mut kept = kept.lock().unwrap();
                kept.push((head.to_lowercase(), body.to_owned()));
                kept.len() - 1
            };
            let status = if n_before == 0 {
                "503 Busy"
            } else {
                "204 Taken"
            };
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (url, came)
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let start = format!("{name}: ");
    head.lines()
        .find_map(|line| line.strip_prefix(start.as_str()))
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_told_again_until_it_takes_it_and_once_more_when_asked() {
    let platform = Platform::start(RETURN, PERIOD).await;
    let _worker = platform.start_worker();
    platform.invite("bo@council.example", "approver", COUNCIL.code);
    let bo = Person::sign_in(&platform, "bo@council.example").await;
    let (url, all) = server().await;
    let page = bo.text("/webhooks").await;
    let form_token = between(&page, "name=\"form_token\" value=\"", "\"");
    let what = format!("organisation {}", COUNCIL.code);
    let asked = bo
        .post(
            "/webhooks",
            &[("form_token", &form_token), ("what", &what), ("url", &url)],
        )
        .await;
    let made = asked.text().await.unwrap();
    let secret = format!("whsec_{}", between(&made, "whsec_", "<"));

    let file = workbook("contact-missing", "230", 1);
    let receipt = COUNCIL.send(&platform, "cases.xlsx", file).await;
    assessed(&platform, &receipt).await;
    let came = until("it is taken", Duration::from_secs(30), || async {
        let came = all.lock().unwrap().clone();
        (came.len() >= 2).then_some(came)
    })
    .await;
    let [(first, body), (second, again)] = &came[..2] else {
        panic!("{came:?}");
    };
    assert_eq!(header(first, "webhook-id"), header(second, "webhook-id"));
    assert_eq!(body, again);
    let (sent_at, sent_again_at): (u64, u64) = (
        header(first, "webhook-timestamp").parse().unwrap(),
        header(second, "webhook-timestamp").parse().unwrap(),
    );
    assert!(sent_again_at - sent_at >= 4, "after five seconds");
    let told: Value = serde_json::from_str(body).unwrap();
    assert_eq!(told["type"], "submission.assessed");
    assert_eq!(told["data"]["submission_id"], receipt["submission_id"]);
    assert_eq!(told["data"]["state"], "needs_correction");
    assert!(told["data"]["n_to_fix"].as_u64().unwrap() > 0);
    // Counts and links: nothing that stands in the file.
    assert!(!body.contains("DEMO-"), "{body}");
    is_signed(&secret, second, again);

    let page = bo.text("/webhooks").await;
    let path = format!("/webhooks/{}", between(&page, "href=\"/webhooks/", "\""));
    let log = until("it is noted", Duration::from_secs(10), || async {
        let log = bo.text(&path).await;
        log.contains("taken on").then_some(log)
    })
    .await;
    let form_token = between(&log, "name=\"form_token\" value=\"", "\"");
    let message = between(&log, "name=\"message\" value=\"", "\"");
    bo.post(
        &path,
        &[
            ("form_token", &form_token),
            ("do", "again"),
            ("message", &message),
        ],
    )
    .await;
    let (third, _) = until("it came once more", Duration::from_secs(30), || async {
        all.lock().unwrap().get(2).cloned()
    })
    .await;
    assert_eq!(header(&third, "webhook-id"), header(first, "webhook-id"));
}

/// By the arithmetic of the Standard Webhooks specification, in another language than ours.
fn is_signed(secret: &str, head: &str, body: &str) {
    let check = "import base64, hashlib, hmac, sys\n\
        secret, id, time, body, signature = sys.argv[1:]\n\
        key = base64.b64decode(secret.removeprefix('whsec_'))\n\
        mac = hmac.new(key, f'{id}.{time}.{body}'.encode(), hashlib.sha256).digest()\n\
        own = 'v1,' + base64.b64encode(mac).decode()\n\
        assert own.lower() == signature, (own, signature)";
    let checked = std::process::Command::new(crate::lgdp::workspace().join(".venv/bin/python"))
        .args(["-c", check, secret])
        .arg(header(head, "webhook-id"))
        .arg(header(head, "webhook-timestamp"))
        .arg(body)
        .arg(header(head, "webhook-signature"))
        .output()
        .unwrap();
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
}
