//! A council's server is told what became of its file: with a signature that fits, again with the same id where it was
//! not taken, and once more when somebody asks for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::council::{Council, PERIOD, RETURN, assessed, workbook};
use crate::lgdp::Platform;
use crate::person::{Person, between, form_token};
use crate::wait::until;

const COUNCIL: Council = Council {
    code: "S12000036",
    email: "returns@council.example",
};

/// A request that came: its head in lower case, and its body.
pub(crate) type Came = Arc<Mutex<Vec<(String, String)>>>;

/// A server that takes nothing at first.
pub(crate) async fn server() -> (String, Came) {
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
    let secret = have_told(&bo, &format!("organisation {}", COUNCIL.code), &url).await;

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

/// Gives the secret.
pub(crate) async fn have_told(person: &Person, what: &str, url: &str) -> String {
    let page = person.text("/webhooks").await;
    let form_token = form_token(&page);
    let form = [
        ("form_token", form_token.as_str()),
        ("what", what),
        ("url", url),
    ];
    let made = person.post("/webhooks", &form).await.text().await.unwrap();
    format!("whsec_{}", between(&made, "whsec_", "<"))
}

/// The messages of a type that came, each once by its id.
pub(crate) fn told(came: &Came, event: &str) -> Vec<Value> {
    let came = came.lock().unwrap();
    let by_id: BTreeMap<&str, Value> = came
        .iter()
        .map(|(head, body)| {
            (
                header(head, "webhook-id"),
                serde_json::from_str(body).unwrap(),
            )
        })
        .collect();
    by_id
        .into_values()
        .filter(|told| told["type"] == event)
        .collect()
}

/// A server that takes connections and says nothing.
async fn mute_server() -> (String, Arc<Mutex<Vec<TcpStream>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://localhost:{}/in",
        listener.local_addr().unwrap().port()
    );
    let held: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
    let kept = Arc::clone(&held);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            kept.lock().unwrap().push(stream);
        }
    });
    (url, held)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_nothing_holds_up_nobody_s_checks_and_nobody_s_mail() {
    let platform = Platform::start(RETURN, PERIOD).await;
    let _worker = platform.start_worker();
    platform.invite("bo@council.example", "approver", COUNCIL.code);
    platform.invite("cy@council.example", "auditor", COUNCIL.code);
    let bo = Person::sign_in(&platform, "bo@council.example").await;
    let (url, held) = mute_server().await;
    for n in 0..6 {
        let what = format!("organisation {}", COUNCIL.code);
        have_told(&bo, &what, &format!("{url}?n={n}")).await;
    }
    let send = async |n_copies: u32| {
        let file = workbook("contact-missing", "230", n_copies);
        let receipt = COUNCIL.send(&platform, "cases.xlsx", file).await;
        assessed(&platform, &receipt).await;
    };
    send(1).await;
    // More than files are checked at a time.
    until("it is called", Duration::from_secs(30), || async {
        (held.lock().unwrap().len() >= 3).then_some(())
    })
    .await;
    let called = Instant::now();
    send(2).await;
    // By a link that comes by mail.
    Person::sign_in(&platform, "cy@council.example").await;
    let took = called.elapsed();
    assert!(took < Duration::from_secs(12), "{took:?}: it is waited for");
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_told_when_a_round_opens_falls_due_and_closes() {
    let platform = Platform::start(RETURN, PERIOD).await;
    let _worker = platform.start_worker();
    platform.invite("bo@council.example", "approver", COUNCIL.code);
    platform.invite_as("sky@office.example", "Sky", "scheduler", &[]);
    let bo = Person::sign_in(&platform, "bo@council.example").await;
    let (url, came) = server().await;
    have_told(&bo, &format!("organisation {}", COUNCIL.code), &url).await;
    let today = chrono::Utc::now().date_naive() - chrono::TimeDelta::days(1);
    let day = |back: i64| today - chrono::TimeDelta::days(back);
    let (opens, due) = (day(20).to_string(), day(10).to_string());
    platform.admin(&[
        "open",
        RETURN,
        "2026-27-Q1",
        "--opens",
        &opens,
        "--due",
        &due,
    ]);

    let sky = Person::sign_in(&platform, "sky@office.example").await;
    let round = format!("/rounds/{RETURN}/2026-27-Q1");
    let close = async |on: i64, is_confirmed: &str| {
        let token = form_token(&sky.text(&round).await);
        let in_words = |day: chrono::NaiveDate| day.format("%d/%m/%Y").to_string();
        let (due, close) = (in_words(day(10)), in_words(day(on)));
        let days = [
            ("form_token", token.as_str()),
            ("due", &due),
            ("close", &close),
            ("due_confirmed", is_confirmed),
            ("close_confirmed", is_confirmed),
            ("reason", "So it is"),
        ];
        let set = sky.post(&format!("{round}/dates"), &days).await;
        assert_eq!(set.status(), 303);
        turn_rounds(&platform).await;
    };
    // The other round's days come when they come.
    let of_it = |event: &str| {
        let mut told = told(&came, event);
        told.retain(|told| told["data"]["period"] == "2026-27-Q1");
        told
    };
    let heard = async |event: &str| {
        until(event, Duration::from_secs(30), || async {
            of_it(event).pop()
        })
        .await
    };
    // Files are taken after a day that is only provisional.
    close(5, "").await;
    let opened = heard("round.opened").await;
    assert_eq!(opened["data"]["on"], day(20).to_string());
    let due = heard("round.due").await;
    assert_eq!(due["data"]["on"], day(10).to_string());
    assert_eq!(due["data"]["certainty"], "provisional", "{due}");
    close(4, "yes").await;
    let closed = heard("round.closed").await;
    assert_eq!(closed["data"]["on"], day(4).to_string());
    assert_eq!(closed["data"]["certainty"], "confirmed");
    assert_eq!(closed["data"]["return"], RETURN);
    for event in ["round.opened", "round.due", "round.closed"] {
        assert_eq!(of_it(event).len(), 1, "{event}");
    }
}

/// What the schedule has done each morning, now.
async fn turn_rounds(platform: &Platform) {
    let (database, connection) =
        tokio_postgres::connect(platform.database_url(), tokio_postgres::NoTls)
            .await
            .unwrap();
    tokio::spawn(connection);
    let put_in = "INSERT INTO job (kind, payload, max_attempts)
        VALUES ('turn-rounds', '{\"schedule\": \"turn-rounds\", \"nominal_at\": \"2026-11-26T00:05:00Z\"}', 1) RETURNING id";
    let id: i64 = database.query_one(put_in, &[]).await.unwrap().get(0);
    until("it is done", Duration::from_secs(30), || async {
        let state = "SELECT state FROM job WHERE id = $1";
        let state: String = database.query_one(state, &[&id]).await.unwrap().get(0);
        assert_ne!(state, "dead");
        (state == "done").then_some(())
    })
    .await;
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
