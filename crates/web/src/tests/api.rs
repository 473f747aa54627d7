//! The API as programs meet it: lists a page at a time, problems told the same way everywhere, nobody asking too often.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use serde_json::Value;

use super::{Answer, ROUND, Running};

impl Running {
    async fn program_asks(&self, path: &str) -> Answer {
        self.ask_as(&self.bearer(), "GET", path, "", b"").await
    }

    async fn program_reads(&self, path: &str) -> Value {
        let answer = self.program_asks(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    async fn program_sends(&self, n: usize) -> String {
        let path = format!("{ROUND}/organisations/S12000001/submissions?file_name={n}.csv");
        let answer = self.ask("POST", &path, "", n.to_string().as_bytes()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let receipt: Value = serde_json::from_str(&answer.body).unwrap();
        receipt["submission_id"].as_str().unwrap().to_owned()
    }
}

fn is_problem(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{answer:?}"
    );
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(problem["status"], status);
    assert!(!problem["detail"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn a_list_is_followed_page_by_page_to_its_end_and_has_each_once() {
    let site = Running::start().await;
    let mut sent = Vec::new();
    for n in 0..5 {
        sent.push(site.program_sends(n).await);
    }
    sent.reverse();
    let mut next = Some("/api/submissions?return=cases&limit=2".to_owned());
    let mut got = Vec::new();
    let mut n_pages = 0;
    while let Some(path) = next {
        assert!(
            path.contains("return=cases"),
            "what was asked for stays: {path}"
        );
        let answer = site.program_asks(&path).await;
        let page: Value = serde_json::from_str(&answer.body).unwrap();
        next = page["next"].as_str().map(str::to_owned);
        let link = next.as_ref().map(|next| format!("<{next}>; rel=\"next\""));
        assert_eq!(answer.header("link"), link.as_deref());
        for item in page["items"].as_array().unwrap() {
            got.push(item["submission_id"].as_str().unwrap().to_owned());
        }
        n_pages += 1;
    }
    assert_eq!((got, n_pages), (sent, 3));
    for (query, n) in [
        ("organisation=S12000001", 5),
        ("organisation=S12000002", 0),
        ("return=visits", 0),
        ("period=2026-27-Q1", 5),
        ("period=2026-27-Q2", 0),
    ] {
        let page = site
            .program_reads(&format!("/api/submissions?{query}"))
            .await;
        assert_eq!(page["items"].as_array().unwrap().len(), n, "{query}");
    }
    for query in ["limit=0", "limit=201", "limit=many", "after=here"] {
        is_problem(
            &site
                .program_asks(&format!("/api/submissions?{query}"))
                .await,
            400,
        );
    }
}

#[tokio::test]
async fn what_is_collected_and_owed_is_listed_and_its_links_lead_somewhere() {
    let site = Running::start().await;
    let rounds = site.program_reads("/api/rounds").await;
    let round = &rounds["items"][0];
    assert_eq!(round["return"], "cases");
    assert_eq!(round["period"], "2026-27-Q1");
    let owed = site.program_reads("/api/obligations").await;
    let owed = owed["items"].as_array().unwrap();
    assert_eq!(
        owed.len(),
        1,
        "a program sees what its organisation owes: {owed:?}"
    );
    assert_eq!(owed[0]["organisation"], "S12000001");
    assert!(owed[0]["latest"].is_null());
    let id = site.program_sends(1).await;
    let owed = site.program_reads("/api/obligations?return=cases").await;
    let owed = &owed["items"][0];
    assert_eq!(owed["latest"]["submission_id"], id.as_str());
    assert_eq!(owed["state"], "checking");
    let links = [
        &round["links"]["return_version"],
        &round["links"]["template_xlsx"],
        &round["links"]["dataset_csv"],
        &owed["links"]["template_xlsx"],
    ];
    for link in links {
        let link = link.as_str().unwrap();
        assert_eq!(site.program_asks(link).await.status, 200, "{link}");
    }
    let version = site
        .program_reads(round["links"]["return_version"].as_str().unwrap())
        .await;
    let names: BTreeSet<&str> = version["tables"][0]["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect();
    let spec = testkit::returns::cases();
    let expected: BTreeSet<&str> = spec.tables[0]
        .items
        .iter()
        .map(|item| item.name.as_str())
        .collect();
    assert_eq!(names, expected);
    let returns = site.program_reads("/api/returns").await;
    assert_eq!(
        returns["items"][0]["versions"][0]["version"],
        spec.version.as_str()
    );
    is_problem(
        &site.program_asks("/api/returns/cases/versions/0").await,
        404,
    );
}

#[tokio::test]
async fn whatever_is_wrong_is_told_as_a_problem() {
    let site = Running::start().await;
    is_problem(&site.program_asks("/api/nothing-here").await, 404);
    is_problem(&site.program_asks("/api/submissions/1").await, 404);
    let answer = site
        .ask_as(&site.bearer(), "DELETE", "/api/submissions", "", b"")
        .await;
    is_problem(&answer, 405);
    assert_eq!(answer.header("allow"), Some("GET, HEAD"));
    let id = site.program_sends(1).await;
    let explain = format!("/api/submissions/{id}/explanations");
    is_problem(&site.ask("POST", &explain, "", b"{").await, 400);
    let large = vec![b' '; 1024 * 1024 + 1];
    is_problem(&site.ask("POST", &explain, "", &large).await, 413);
    for odd in [
        "/api/submissions?organisation=%00",
        "/api/returns/a%00/versions/1",
    ] {
        is_problem(&site.program_asks(odd).await, 400);
    }
    let zero = br#"{"rule": "\u0000", "text": "x"}"#;
    is_problem(&site.ask("POST", &explain, "", zero).await, 400);
    is_problem(&site.ask_as("", "GET", "/api/rounds", "", b"").await, 401);
    // Nothing of this is for pages of other sites.
    let origin = "origin: https://elsewhere.example\r\n";
    let answer = site
        .ask_as(&site.bearer(), "GET", "/api/rounds", origin, b"")
        .await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn who_asks_too_often_waits_and_nobody_else_does() {
    let site = Running::start_asked_at_most(NonZeroU32::new(5).unwrap()).await;
    for _ in 0..5 {
        assert_eq!(site.program_asks("/api/rounds").await.status, 200);
    }
    let refused = site.program_asks("/api/rounds").await;
    is_problem(&refused, 429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=13).contains(&wait), "{wait}");
    // Somebody else of the same address, and the document itself.
    assert_eq!(site.get("/api/rounds").await.status, 200);
    assert_eq!(site.program_asks("/api/openapi.json").await.status, 200);
    // Guesses at tokens are counted by where they come from.
    let guess = async || {
        let proof = "authorization: Bearer nonsense\r\n";
        site.ask_as(proof, "GET", "/api/rounds", "", b"")
            .await
            .status
    };
    let mut answers = BTreeSet::new();
    for _ in 0..3 {
        answers.insert(guess().await);
    }
    assert_eq!(answers, BTreeSet::from([401, 429]));
    assert_eq!(site.get("/api/rounds").await.status, 200);
}

#[tokio::test]
async fn by_a_proxy_each_address_has_an_allowance_of_its_own() {
    let site = Running::start_asked_at_most(NonZeroU32::new(5).unwrap()).await;
    let ask = async |from: &str| {
        let header = format!("x-forwarded-for: {from}\r\nauthorization: Bearer guessed\r\n");
        let answer = site.ask_as("", "GET", "/api/returns", &header, b"").await;
        answer.status
    };
    let mut answers = BTreeSet::new();
    for n in 0..10 {
        // What a guesser writes before the proxy's own word is nobody's address.
        answers.insert(ask(&format!("10.0.0.{n}, 192.0.2.1")).await);
    }
    assert_eq!(answers, BTreeSet::from([401, 429]));
    assert_eq!(ask("192.0.2.1").await, 429);
    assert_eq!(ask("192.0.2.2").await, 401, "somebody else's mistake");
}
