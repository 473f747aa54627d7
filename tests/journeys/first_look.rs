//! Somebody of the return's team takes a first look at records of several councils, and somebody of a council at their
//! own. What they are shown is what the consolidated file has.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::browser::{Browser, Scripts};
use crate::council::{Council, PERIOD, RETURN, assessed, submit, workbook};
use crate::lgdp::{Platform, workspace};
use crate::person::Person;
use crate::releasing::rows;
use crate::wait::until;

const LATER: &str = "2026-27-Q3";
const TABLE: &str = "case";
const OWN: (&str, &str) = ("S12000036", "City of Edinburgh");
/// How often a council's file has the twelve records of the example; the last one has far more than the others.
const COPIES: [u32; 7] = [2, 3, 3, 4, 5, 6, 90];

#[tokio::test(flavor = "multi_thread")]
async fn records_are_looked_at_by_the_team_and_by_a_council() {
    tell(Scripts::On, "first-look-with-scripts").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_looked_at_without_scripts() {
    tell(Scripts::Off, "first-look-without-scripts").await;
}

async fn tell(scripts: Scripts, story: &str) {
    let platform = Platform::start(RETURN, PERIOD).await;
    platform.open(RETURN, LATER);
    platform.invite_to_team("tess@team.example", RETURN);
    platform.invite("ann@council.example", "uploader", OWN.0);
    let _worker = platform.start_worker();
    let tess = Person::sign_in(&platform, "tess@team.example").await;
    let ann = Person::sign_in(&platform, "ann@council.example").await;
    send(&platform).await;

    let browser = Browser::start(&platform.address, scripts, story).await;
    the_team(&browser, &tess).await;
    a_council(&browser, &ann, &tess).await;
    browser.end().await;
}

/// Everybody for the first quarter; some for the next one too, with the same records.
async fn send(platform: &Platform) {
    let path = workspace().join("return-specs/organisations.csv");
    let organisations = spec::Organisations::load(&path).unwrap();
    let mut councils: Vec<_> = organisations
        .0
        .iter()
        .filter(|one| one.kind == "council")
        .collect();
    councils.sort_by_key(|one| one.code != OWN.0);
    for (idx, (council, n_copies)) in councils.into_iter().zip(COPIES).enumerate() {
        let sg_code = council.sg_code.as_deref().unwrap();
        let sender = Council {
            code: Box::leak(council.code.clone().into_boxed_str()),
            email: "returns@council.example",
        };
        let mut sent = vec![(PERIOD, n_copies)];
        if idx % 2 == 0 {
            sent.push((LATER, n_copies));
        }
        for (period, n_copies) in sent {
            let bytes = workbook("valid", sg_code, n_copies);
            let receipt = sender
                .send_for(platform, RETURN, period, "records.xlsx", bytes)
                .await;
            let status = assessed(platform, &receipt).await;
            assert_eq!(status["outcome"], "ready", "{}: {status}", council.name);
            submit(platform, &receipt).await;
        }
    }
    // What is looked at is what the worker has added up.
    let (client, connection) =
        tokio_postgres::connect(platform.database_url(), tokio_postgres::NoTls)
            .await
            .unwrap();
    tokio::spawn(connection);
    let done = "SELECT FROM job WHERE kind = 'add-up' HAVING bool_and(state = 'done')";
    until("all is added up", Duration::from_mins(1), || async {
        client.query_opt(done, &[]).await.unwrap().map(drop)
    })
    .await;
}

fn look(period: &str, what: &str) -> String {
    format!("/returns/{RETURN}/{period}/look?table={TABLE}{what}")
}

async fn the_team(browser: &Browser, tess: &Person) {
    browser.hand_to(tess).await;
    browser
        .go(&format!("/returns/{RETURN}/{LATER}/datasets"))
        .await;
    browser.press("Take a first look at").await;
    browser.reads("main h1", "A first look").await;
    browser.reads("main", "Applications: number of rows").await;
    browser.reads("main", "What is unusual").await;
    browser.look("rows").await;
    browser
        .fill("What", "Assessment decision (rows by code)")
        .await;
    browser
        .fill("Organisation to follow over time", OWN.1)
        .await;
    browser.press("Look at this").await;
    browser.reads("main", "What codes there are").await;
    browser.look("codes").await;
    browser.go(&look(LATER, "&item=ASSESS&code=12")).await;
    browser.reads("main", "Ineligible").await;
    browser.look("one-code").await;
    for period in [PERIOD, LATER] {
        let of = |row: &BTreeMap<String, String>| row["organisation_code"].clone();
        let rows = rows(&tess.text(&dataset(period)).await);
        is_told(tess, period, "", &count(&rows, of, |_| true)).await;
        let is_filled = |row: &BTreeMap<String, String>| !row["ASSESS"].is_empty();
        is_told(tess, period, "&item=ASSESS", &count(&rows, of, is_filled)).await;
        let is_it = |row: &BTreeMap<String, String>| row["ASSESS"] == "12";
        let told = count(&rows, of, is_it);
        is_told(tess, period, "&item=ASSESS&code=12", &told).await;
    }
}

fn dataset(period: &str) -> String {
    format!("/api/returns/{RETURN}/periods/{period}/dataset.csv?table={TABLE}")
}

fn count(
    rows: &[BTreeMap<String, String>],
    of: impl Fn(&BTreeMap<String, String>) -> String,
    counts: impl Fn(&BTreeMap<String, String>) -> bool,
) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for row in rows.iter().filter(|row| counts(row)) {
        *counted.entry(of(row)).or_default() += 1;
    }
    counted
}

/// The file behind the pictures says the same; who has none may be in it.
async fn is_told(reader: &Person, period: &str, what: &str, expected: &BTreeMap<String, usize>) {
    assert!(!expected.is_empty());
    let address = look(period, what).replace("/look?", "/look.csv?");
    let file = reader.text(&address).await;
    let told: BTreeMap<String, usize> = rows(&file)
        .into_iter()
        .filter(|row| row["period"] == period && !["", "0"].contains(&row["figure"].as_str()))
        .map(|row| {
            (
                row["organisation_code"].clone(),
                row["figure"].parse().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, *expected, "{address}");
}

/// Their own figures, and nobody else's.
async fn a_council(browser: &Browser, ann: &Person, tess: &Person) {
    let everybodys = tess.text(&look(LATER, "")).await;
    browser.hand_to(ann).await;
    browser
        .go(&format!("/returns/{RETURN}/{LATER}/datasets"))
        .await;
    browser.press("Take a first look at").await;
    browser.reads("main h1", "A first look").await;
    browser.reads("main .ds_leader", OWN.1).await;
    browser.reads("main", "Over time").await;
    browser.look("of-a-council").await;
    browser
        .go(&look(LATER, "&item=REASON&organisation=S12000033"))
        .await;
    browser.reads("main", "What codes there are").await;
    browser.look("codes-of-a-council").await;
    for (what, address) in [("", "/look?"), ("&item=ASSESS", "/look.csv?")] {
        let shown = ann
            .text(&look(LATER, what).replace("/look?", address))
            .await;
        assert!(shown.contains(OWN.1), "{shown}");
        for foreign in ["Aberdeen City", "S12000033"] {
            assert!(everybodys.contains(foreign) && !shown.contains(foreign));
        }
    }
    let rows = rows(&ann.text(&dataset(LATER)).await);
    let of = |row: &BTreeMap<String, String>| row["organisation_code"].clone();
    is_told(ann, LATER, "", &count(&rows, of, |_| true)).await;
}
