//! What every address answers, whatever it is asked.

use super::{Database, ROUND, Running};

#[tokio::test]
async fn every_answer_tells_the_browser_to_trust_nothing_else() {
    let site = Running::start().await;
    for path in [
        "/",
        "/upload",
        "/nowhere",
        crate::assets::SITE_STYLE.address,
        "/health/live",
        "/api/x",
    ] {
        let answer = site.get(path).await;
        for header in [
            "content-security-policy",
            "x-content-type-options",
            "referrer-policy",
            "cache-control",
        ] {
            assert!(answer.header(header).is_some(), "{path} lacks {header}");
        }
    }
    assert_eq!(
        site.get("/").await.header("cache-control"),
        Some("no-store")
    );
}

#[tokio::test]
async fn a_browser_is_told_to_stay_with_tls_where_there_is_tls() {
    let header = "strict-transport-security";
    let site = Running::start().await;
    assert_eq!(site.get("/upload").await.header(header), None);
    let site = Running::start_at(Database::Answers, "https://returns.example").await;
    for path in ["/upload", "/nowhere", crate::assets::SITE_STYLE.address] {
        let answer = site.get(path).await;
        assert_eq!(answer.header(header), Some("max-age=31536000"), "{path}");
    }
}

#[tokio::test]
async fn what_pages_are_made_with_is_here_and_kept_for_a_year() {
    let site = Running::start().await;
    let page = site.get("/upload").await.body;
    let addresses: Vec<&str> = page
        .split('"')
        .filter(|text| text.starts_with("/assets/"))
        .collect();
    assert_eq!(addresses.len(), 4, "{page}");
    for address in addresses {
        let plain = site.get(address).await;
        assert_eq!(plain.status, 200, "{address}");
        let kept = plain.header("cache-control").unwrap();
        assert_eq!(kept, "public, max-age=31536000, immutable", "{address}");
        let packed = "accept-encoding: br, gzip\r\n";
        let packed = site.ask("GET", address, packed, b"").await;
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{address}");
        assert_eq!(plain.header("content-encoding"), None, "{address}");
    }
    let design = site.get(crate::assets::DESIGN_SYSTEM.address).await.body;
    assert!(
        design.contains("The MIT License"),
        "the licence goes with it"
    );
    assert_eq!(site.get("/assets/site.css").await.status, 404);
}

#[tokio::test]
async fn the_accessibility_statement_is_for_everybody() {
    let site = Running::start().await;
    let answer = site.ask_as("", "GET", "/accessibility", "", b"").await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("href=\"/sign-in\""), "{}", answer.body);
    let signed_in = site.get("/accessibility").await.body;
    assert!(signed_in.contains("Sign out"), "{signed_in}");
}

#[tokio::test]
async fn the_form_can_be_had_blank_and_for_an_organisation() {
    let site = Running::start().await;
    for (path, name) in [
        ("template.xlsx", "cases-2026-27-Q1.xlsx"),
        (
            "organisations/S12000001/template.xlsx",
            "cases-2026-27-Q1-S12000001.xlsx",
        ),
    ] {
        let answer = site.get(&format!("{ROUND}/{path}")).await;
        assert_eq!(answer.status, 200, "{path}");
        let disposition = format!("attachment; filename=\"{name}\"");
        assert_eq!(
            answer.header("content-disposition"),
            Some(disposition.as_str())
        );
        assert!(answer.body.starts_with("PK"), "{path}");
        let link = format!("{ROUND}/{path}");
        let page = site.get("/returns/cases/2026-27-Q1/S12000001").await.body;
        assert!(page.contains(&link), "{link}: {page}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_405_and_an_unknown_thing_404() {
    let site = Running::start().await;
    let answer = site.ask("DELETE", "/upload", "", b"").await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("allow"), Some("GET, HEAD, POST"));
    assert_eq!(site.ask("POST", "/", "", b"").await.status, 405);
    for path in [
        "/nowhere",
        "/submissions/1",
        "/submissions/01a20824-5a74-71c5-bcf5-f9cb415e89aa",
        "/api/submissions/not-an-id",
        "/api/submissions/01a20824-5a74-71c5-bcf5-f9cb415e89aa/findings.csv",
        "/api/returns/nothing/periods/2026-27-Q1/dataset.csv",
        "/api/returns/nothing/periods/2026-27-Q1/template.xlsx",
        &format!("{ROUND}/organisations/S12999999/template.xlsx"),
        "/api/returns/cases/periods/2026/dataset.csv",
        &format!("{ROUND}/dataset.csv?table=nothing"),
    ] {
        assert_eq!(site.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn programs_are_told_in_problem_json_and_people_on_a_page() {
    let site = Running::start().await;
    let for_program = site.get("/api/submissions/1").await;
    assert_eq!(
        for_program.header("content-type"),
        Some("application/problem+json")
    );
    let for_person = site
        .ask("GET", "/nowhere", "accept: text/html\r\n", b"")
        .await;
    assert_eq!(for_person.status, 404);
    assert!(
        for_person.body.contains("<h1>Not found</h1>"),
        "{}",
        for_person.body
    );
    // Whoever has signed in still has, there and where a page refuses.
    for path in ["/nowhere", "/submissions/1"] {
        let page = site.ask("GET", path, "accept: text/html\r\n", b"").await;
        assert_eq!(page.status, 404, "{path}");
        assert!(page.body.contains("Sign out"), "{path}: {}", page.body);
    }
    let stranger = site
        .ask_as("", "GET", "/nowhere", "accept: text/html\r\n", b"")
        .await;
    assert!(!stranger.body.contains("Sign out"), "{}", stranger.body);
}

#[tokio::test]
async fn another_sites_page_and_another_host_name_are_refused() {
    let site = Running::start().await;
    let answer = site
        .ask("POST", "/upload", "origin: https://evil.example\r\n", b"")
        .await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn without_a_database_the_site_is_alive_and_not_ready() {
    let site = Running::start_with(Database::IsAway).await;
    assert_eq!(site.get("/health/live").await.status, 200);
    for path in ["/health/ready", "/", "/upload"] {
        let answer = site.get(path).await;
        assert_eq!(answer.status, 503, "{path}");
        assert!(answer.header("retry-after").is_some(), "{path}");
    }
}

#[tokio::test]
async fn every_page_has_one_heading_and_a_language() {
    let site = Running::start().await;
    for path in [
        "/",
        "/?past=true",
        "/returns/cases/2026-27-Q1/S12000001",
        "/upload",
        "/submissions/1",
        "/accessibility",
    ] {
        let page = site.get(path).await.body;
        assert_eq!(page.matches("<h1").count(), 1, "{path}: {page}");
        assert!(page.contains("<html lang=\"en-GB\">"), "{path}");
        assert!(page.contains("name=\"viewport\""), "{path}");
    }
}

#[tokio::test]
async fn an_empty_dataset_has_its_headings() {
    let site = Running::start().await;
    let answer = site.get(&format!("{ROUND}/dataset.csv")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.contains("organisation_code"), "{}", answer.body);
}
