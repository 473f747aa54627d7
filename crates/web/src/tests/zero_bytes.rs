//! A zero byte, which the database can't keep in a text, is refused in words wherever something is sent.

use access::{Grant, Reach, Role};
use uuid::Uuid;

use super::{Running, cookie, signed_in};
use crate::routes::{Route, routes};

const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";
const JSON: &str = "content-type: application/json\r\n";
const BOUNDARY: &str = "----x";

/// Every address that something is sent to, of things that there are not.
fn sent_to() -> impl Iterator<Item = (Route, String)> {
    let nobody = Uuid::now_v7().to_string();
    let posts = routes().into_iter().filter(|route| route.method == "POST");
    posts.map(move |route| {
        let mut path = route
            .path
            .replace("{return_id}", "cases")
            .replace("{period}", "2026-27-Q1")
            .replace("{organisation}", "S12000001")
            .replace("{code}", "S12000001")
            .replace("{rule}", "case.odd")
            .replace("{verb}", "submit");
        while let (Some(start), Some(end)) = (path.find('{'), path.find('}')) {
            path.replace_range(start..=end, &nobody);
        }
        (route, path)
    })
}

#[tokio::test]
async fn no_form_takes_one() {
    let site = Running::start().await;
    let all = [Role::Admin, Role::Scheduler].map(|role| Grant {
        role,
        reach: Reach::Everything,
    });
    let somebody = signed_in(&site.db, "olga@office.example", &all).await;
    let mut n_forms = 0;
    for (route, path) in sent_to() {
        // A link is opened by its address alone.
        let has_no_form = route.path == "/sign-in/link/{secret}" || path == "/sign-out";
        if has_no_form || path.starts_with("/api/") || path == "/upload" {
            continue;
        }
        n_forms += 1;
        let token = somebody.form_token();
        for field in ["text=a%00b", "email=%00", "%00=x", "text=\0"] {
            let form = format!("form_token={token}&{field}");
            let answer = site
                .ask_as(&cookie(&somebody), "POST", &path, FORM, form.as_bytes())
                .await;
            assert_eq!(answer.status, 400, "{}: {}", route.path, answer.body);
            assert!(answer.body.contains("zero byte"), "{}", answer.body);
            assert!(answer.body.contains("<h1"), "a page: {}", answer.body);
        }
    }
    assert!(n_forms > 25, "{n_forms}");
}

#[tokio::test]
async fn where_files_and_json_are_sent_it_is_no_failure_of_ours() {
    let site = Running::start().await;
    let json = br#"{"text": "a\u0000b", "findings": ["\u0000"], "check": "\u0000"}"#;
    for (route, path) in sent_to() {
        if !path.starts_with("/api/") {
            continue;
        }
        for (kind, body) in [
            (JSON, &json[..]),
            (JSON, b"{\"text\": \"\0\"}"),
            ("", b"\0\0"),
        ] {
            let answer = site.ask("POST", &path, kind, body).await;
            assert!(answer.status < 500, "{}: {}", route.path, answer.body);
        }
    }
    for (name, value, file_name) in [
        ("organisation", "\0", "a.csv"),
        ("form_token", "\0", "a.csv"),
        ("\0", "x", "a.csv"),
        ("purpose", "x", "a\0.csv"),
        ("purpose", "\0", "\0"),
    ] {
        let token = site.session.form_token();
        let body = format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"form_token\"\r\n\r\n{token}\r\n\
             --{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n\
             --{BOUNDARY}\r\ncontent-disposition: form-data; name=\"files\"; filename=\"{file_name}\"\r\n\r\nx\r\n\
             --{BOUNDARY}--\r\n"
        );
        let kind = format!("content-type: multipart/form-data; boundary={BOUNDARY}\r\n");
        let answer = site.ask("POST", "/upload", &kind, body.as_bytes()).await;
        assert!(
            answer.status < 500,
            "{name:?} {file_name:?}: {}",
            answer.body
        );
    }
}
