//! Files that come in, by the API and by the form.

use finding::{Finding, Severity};
use serde_json::Value;
use workflow::Actor;

use super::{Running, SUBMISSIONS};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn a_file_gives_a_receipt_and_the_same_key_the_same_one() {
    let site = Running::start().await;
    let key = "idempotency-key: one\r\n";
    let first = site.ask("POST", SUBMISSIONS, key, b"REF\nA1\n").await;
    assert_eq!(first.status, 201, "{first:?}");
    let receipt = json(&first.body);
    assert_eq!(receipt["bytes"], 7);
    assert_eq!(receipt["version_number"], 1);
    let id = receipt["submission_id"].as_str().unwrap();
    assert_eq!(
        first.header("location"),
        Some(format!("/api/submissions/{id}").as_str())
    );

    let again = site.ask("POST", SUBMISSIONS, key, b"REF\nA1\n").await;
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!(json(&again.body)["submission_id"], id);

    let other = site.ask("POST", SUBMISSIONS, key, b"REF\nA2\n").await;
    assert_eq!(other.status, 422, "{other:?}");
    assert_eq!((site.n_received().await, site.n_kept()), (1, 1));
    assert_eq!(site.n_spooled(), 0);
}

#[tokio::test]
async fn what_is_wrapped_or_packed_is_not_taken_for_the_file() {
    let site = Running::start().await;
    for (header, told) in [
        (
            "content-type: multipart/form-data; boundary=x",
            "--data-binary",
        ),
        ("Content-Encoding: gzip", "compressed"),
    ] {
        let headers = format!("{header}\r\n");
        let answer = site.ask("POST", SUBMISSIONS, &headers, b"REF\nA1\n").await;
        assert_eq!(answer.status, 415, "{answer:?}");
        assert!(answer.body.contains(told), "{answer:?}");
    }
    // As curl says of whatever it is given.
    let form = "content-type: application/x-www-form-urlencoded\r\ncontent-encoding: identity\r\n";
    let answer = site.ask("POST", SUBMISSIONS, form, b"REF\nA1\n").await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

#[tokio::test]
async fn a_program_needs_no_address_for_mail() {
    let site = Running::start().await;
    let path = SUBMISSIONS.replace("&contact_email=a@b.example", "");
    let answer = site.ask("POST", &path, "", b"REF\nA1\n").await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = json(&answer.body)["submission_id"].clone();
    let id = id.as_str().unwrap().parse().unwrap();
    let emails = workflow::emails_of(&site.db, &Actor::system("test"), id).await;
    assert!(emails.unwrap().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_wrong_with_the_address_is_said() {
    let site = Running::start().await;
    let path = |return_id: &str, period: &str, code: &str, query: &str| {
        format!(
            "/api/returns/{return_id}/periods/{period}/organisations/{code}/submissions?{query}"
        )
    };
    let facts = "file_name=a.csv&contact_email=a@b.example";
    for (path, status) in [
        (path("nothing", "2026-27-Q1", "S12000001", facts), 404),
        (path("cases", "2030-31-Q1", "S12000001", facts), 404),
        (path("cases", "2026-27-Q1", "S99999999", facts), 404),
        (path("cases", "2026-27-Q1", "S12000001", ""), 400),
        (
            path(
                "cases",
                "2026-27-Q1",
                "S12000001",
                "file_name=a.csv&contact_email=nobody@",
            ),
            400,
        ),
    ] {
        let answer = site.ask("POST", &path, "", b"x").await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
    }
    site.check_nothing_is_left().await;
}

#[tokio::test]
async fn an_outcome_is_told_by_page_and_api() {
    let site = Running::start().await;
    let receipt = json(&site.ask("POST", SUBMISSIONS, "", b"REF\nA1\n").await.body);
    let id = receipt["submission_id"].as_str().unwrap();

    let page = site.get(&format!("/submissions/{id}")).await;
    assert!(page.body.contains("data-live"), "it waits");
    assert_eq!(
        json(&site.get(&format!("/api/submissions/{id}")).await.body)["outcome"],
        Value::Null
    );

    let actor = Actor::system("test");
    let spec = testkit::returns::cases();
    let (message, fix) = ("The file <b>is</b> damaged.", "Send it again.");
    workflow::refuse(&site.db, &actor, id.parse().unwrap(), &spec, message, fix)
        .await
        .unwrap();

    let page = site.get(&format!("/submissions/{id}")).await;
    assert!(!page.body.contains("data-live"));
    assert!(
        page.body.contains("We could not use this file"),
        "{}",
        page.body
    );
    assert!(!page.body.contains("<b>is</b>"), "what a file says is text");
    for word in ["blocker", "schema", "null", "payload"] {
        assert!(!page.body.contains(word), "{word}");
    }
    let status = json(&site.get(&format!("/api/submissions/{id}")).await.body);
    assert_eq!(status["outcome"], "refused");
    assert_eq!(status["counts"][0]["n_findings"], 1);
    let findings = site
        .get(&format!("/api/submissions/{id}/findings.csv"))
        .await;
    assert!(
        findings.body.contains("Send it again."),
        "{}",
        findings.body
    );
    assert!(site.get("/").await.body.contains("could not be used"));
}

#[tokio::test]
async fn many_findings_of_a_check_are_shown_a_page_at_a_time() {
    let site = Running::start().await;
    let receipt = json(&site.ask("POST", SUBMISSIONS, "", b"REF\nA1\n").await.body);
    let id = receipt["submission_id"].as_str().unwrap();
    let findings: Vec<Finding> = (2..452)
        .map(|row| {
            Finding::new(
                "case.kind-missing",
                Severity::Error,
                "Kind is blank.",
                "Enter it.",
            )
            .in_table("case")
            .at_cell(format!("Cases!F{row}").parse().unwrap())
        })
        .chain([Finding::new(
            "case.odd",
            Severity::Query,
            "This is odd.",
            "Explain it.",
        )])
        .collect();
    let mut tx = site.db.begin(&db::Sees::Everyone).await.unwrap();
    db::findings::add(&mut tx, id.parse().unwrap(), 1, &findings)
        .await
        .unwrap();
    tx.commit().await.unwrap();

    let page = site.get(&format!("/submissions/{id}")).await.body;
    assert!(page.contains("Kind is blank. In 450 places."), "{page}");
    assert!(
        page.contains("Cases!F21<") && !page.contains("Cases!F22<"),
        "{page}"
    );
    assert!(page.contains("These are the first 20 of 450."), "{page}");
    assert!(page.contains("This page shows 21 of 451"), "{page}");
    assert!(page.contains("This is odd."), "{page}");

    let check = format!("/submissions/{id}/checks/case.kind-missing");
    assert!(page.contains(&format!("{check}?page=1")), "{page}");
    let last = site.get(&format!("{check}?page=3")).await.body;
    assert!(last.contains("Places 401 to 450 of 450"), "{last}");
    assert!(
        last.contains("Cases!F451<") && !last.contains("page=4"),
        "{last}"
    );
    for path in [
        format!("{check}?page=4"),
        format!("{check}?page=x"),
        format!("/submissions/{id}/checks/nothing"),
        "/submissions/1/checks/case.odd".to_owned(),
    ] {
        assert!([400, 404].contains(&site.get(&path).await.status), "{path}");
    }
}

pub(super) const BOUNDARY: &str = "xxBOUNDARYxx";

/// As a page of this session sends it.
pub(super) fn form(site: &Running, fields: &[(&str, &str)], file: Option<(&str, &str)>) -> Vec<u8> {
    files_form(site, fields, file.as_slice())
}

/// With several files.
pub(super) fn files_form(
    site: &Running,
    fields: &[(&str, &str)],
    files: &[(&str, &str)],
) -> Vec<u8> {
    let token = site.session.form_token();
    let fields: Vec<_> = [("form_token", token.as_str())]
        .into_iter()
        .chain(fields.iter().copied())
        .collect();
    bare_form(&fields, files)
}

fn bare_form(fields: &[(&str, &str)], files: &[(&str, &str)]) -> Vec<u8> {
    use std::fmt::Write as _;
    let mut body = String::new();
    for (name, value) in fields {
        let _ = write!(
            body,
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
    }
    for (name, content) in files {
        let _ = write!(
            body,
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n{content}\r\n"
        );
    }
    let _ = write!(body, "--{BOUNDARY}--\r\n");
    body.into_bytes()
}

pub(super) async fn send_form(site: &Running, body: &[u8]) -> super::Answer {
    let header = format!("content-type: multipart/form-data; boundary={BOUNDARY}\r\n");
    site.ask("POST", "/upload", &header, body).await
}

pub(super) const FIELDS: [(&str, &str); 4] = [
    ("idempotency_key", "k1"),
    ("organisation", "S12000001"),
    ("round", "cases/2026-27-Q1"),
    ("email", "me@ardbeg.example"),
];

#[tokio::test]
async fn the_form_sends_a_file_and_a_second_click_does_not_send_it_twice() {
    let site = Running::start().await;
    let page = site.get("/upload?organisation=S12000001").await.body;
    assert!(page.contains("value=\"S12000001\" selected"), "{page}");
    assert!(page.contains("value=\"cases/2026-27-Q1\""), "{page}");

    let body = form(&site, &FIELDS, Some(("cases.csv", "REF\nA1\n")));
    let first = send_form(&site, &body).await;
    let second = send_form(&site, &body).await;
    assert_eq!((first.status, second.status), (303, 303), "{first:?}");
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(site.n_received().await, 1);
    assert_eq!(site.n_spooled(), 0);
}

#[tokio::test]
async fn what_the_form_lacks_is_said_on_it() {
    let site = Running::start().await;
    for (fields, file, told) in [
        (&FIELDS[..], None, "Choose a file."),
        (&FIELDS[..], Some(("", "")), "Choose a file."),
        (&FIELDS[..3], Some(("a.csv", "x")), "Enter an email address"),
        (
            &[FIELDS[0], FIELDS[1], FIELDS[2], ("email", "me at ardbeg")][..],
            Some(("a.csv", "x")),
            "The email address is not one",
        ),
        (&FIELDS[..1], Some(("a.csv", "x")), "Choose"),
    ] {
        let answer = send_form(&site, &form(&site, fields, file)).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.body.contains(told), "{told}: {}", answer.body);
        assert!(answer.body.contains("There is a problem"));
    }
    site.check_nothing_is_left().await;
}

#[tokio::test]
async fn a_file_too_large_for_the_form_is_413() {
    let site = Running::start().await;
    let large = "x".repeat(120_000);
    let answer = send_form(&site, &form(&site, &FIELDS, Some(("a.csv", &large)))).await;
    assert_eq!(answer.status, 413, "{answer:?}");
    site.check_nothing_is_left().await;
}

#[tokio::test]
async fn a_form_that_no_page_of_this_session_has_shown_is_refused() {
    let site = Running::start().await;
    let file = [("cases.csv", "REF\nA1\n")];
    let late = [&FIELDS[..], &[("form_token", "x")]].concat();
    for fields in [
        FIELDS.to_vec(),
        [&[("form_token", "")], &FIELDS[..]].concat(),
        [&[("form_token", "0123")], &FIELDS[..]].concat(),
        late,
    ] {
        let answer = send_form(&site, &bare_form(&fields, &file)).await;
        assert_eq!(answer.status, 403, "{answer:?}");
    }
    site.check_nothing_is_left().await;
}
