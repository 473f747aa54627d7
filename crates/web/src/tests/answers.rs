//! What every address answers, whatever it is asked.

use access::Role;
use tokio::io::AsyncWriteExt as _;

use super::explanations::of_council;
use super::{Database, ROUND, Running, cookie, signed_in};

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
async fn whatever_balances_asks_by_address_whether_a_process_is_ready() {
    let site = Running::start().await;
    let ask = async |path: &str| {
        let mut stream = site.connect().await;
        let head =
            format!("GET {path} HTTP/1.1\r\nhost: 10.0.0.5:8080\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        super::read_answer(&mut stream).await.status
    };
    for (path, status) in [("/health/live", 200), ("/health/ready", 200), ("/", 421)] {
        assert_eq!(ask(path).await, status, "{path}");
    }
    // With older tables than it needs it serves nobody.
    let forget = "DELETE FROM __diesel_schema_migrations
        WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)";
    site.owner().await.batch_execute(forget).await.unwrap();
    assert_eq!(ask("/health/ready").await, 503);
    assert_eq!(ask("/health/live").await, 200);
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

#[tokio::test]
async fn an_organisation_that_is_not_known_is_not_passed_over() {
    let site = Running::start().await;
    for (organisation, status) in [
        ("S12000001", 200),
        ("S12000001,S12000002", 200),
        ("S12000001,S1200OOO2", 400),
    ] {
        let path = format!("{ROUND}/dataset.csv?organisation={organisation}");
        let answer = site.get(&path).await;
        assert_eq!(answer.status, status, "{organisation}: {answer:?}");
    }
    let sender = signed_in(
        &site.db,
        "ann@council.example",
        &[of_council(Role::Uploader, "S12000001")],
    )
    .await;
    let ask = async |organisation: &str| {
        let path = format!("{ROUND}/dataset.csv?organisation={organisation}");
        site.ask_as(&cookie(&sender), "GET", &path, "", b"").await
    };
    assert_eq!(ask("S12000001").await.status, 200);
    let refused = ask("S12000002").await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.body.contains("not yours to have"), "{refused:?}");
}

#[tokio::test]
async fn a_dataset_has_a_tag_and_can_be_had_in_parts() {
    let site = Running::start().await;
    let path = format!("{ROUND}/dataset.csv");
    // With its length, and so without the marks of chunks.
    let tag = site.get(&path).await.header("etag").unwrap().to_owned();
    let from = |first: usize| format!("range: bytes={first}-\r\nif-range: {tag}\r\n");
    let whole = site.ask("GET", &path, &from(0), b"").await;
    assert_eq!(whole.status, 206, "{whole:?}");
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    let again = site.get(&path).await;
    assert_eq!(again.header("etag"), Some(tag.as_str()));
    assert!(again.body.contains(&whole.body), "{again:?}");

    let known = format!("if-none-match: {tag}\r\n");
    assert_eq!(site.ask("GET", &path, &known, b"").await.status, 304);

    let n_bytes = whole.body.len();
    let part = site.ask("GET", &path, &from(10), b"").await;
    assert_eq!(part.status, 206, "{part:?}");
    assert_eq!(part.body, whole.body[10..]);
    let place = format!("bytes 10-{}/{n_bytes}", n_bytes - 1);
    assert_eq!(part.header("content-range"), Some(place.as_str()));

    // What became another file meanwhile comes whole.
    // So it does for who does not say of what: the rest of it would be put behind something else.
    for other in ["if-range: \"other\"\r\n", ""] {
        let other = format!("range: bytes=10-\r\n{other}");
        let all = site.ask("GET", &path, &other, b"").await;
        assert_eq!(all.status, 200);
        assert!(all.body.contains(&whole.body), "{all:?}");
    }
    let beyond = site.ask("GET", &path, &from(n_bytes), b"").await;
    assert_eq!(beyond.status, 416);
    let asked_otherwise = site.get(&format!("{path}?lineage=none")).await;
    assert_ne!(asked_otherwise.header("etag"), Some(tag.as_str()));
}

#[tokio::test]
async fn every_format_is_what_it_says_it_is() {
    let site = Running::start().await;
    for (ending, kind) in [
        ("csv", "text/csv; charset=utf-8"),
        ("jsonl", "application/x-ndjson"),
        ("parquet", "application/vnd.apache.parquet"),
    ] {
        let answer = site
            .get(&format!("{ROUND}/dataset.{ending}?lineage=row"))
            .await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some(kind))
        );
    }
    assert_eq!(site.get(&format!("{ROUND}/dataset.doc")).await.status, 404);
    for wrong in [
        "lineage=all",
        "colour=red",
        "column=NOTHING",
        "from=2026",
        "from=2026-27-Q4",
    ] {
        let answer = site.get(&format!("{ROUND}/dataset.csv?{wrong}")).await;
        assert_eq!(answer.status, 400, "{wrong}: {answer:?}");
    }
    let several = format!("{ROUND}/dataset.csv?from=2025-26-Q4");
    assert_eq!(site.get(&several).await.status, 200);
    let manifest = site.get(&format!("{ROUND}/dataset/manifest.json")).await;
    let manifest: serde_json::Value = serde_json::from_str(&manifest.body).unwrap();
    assert_eq!(manifest["is_provisional"], true);
    assert_eq!(manifest["missing"].as_array().unwrap().len(), 2);
}
