//! A council sends a quarter's records, and then again with one that changed and one that is new: what changed between the
//! releases before and after is on a page, and in a file row by row.

use std::time::Duration;

use serde_json::Value;
use sheet::grid::GridCell;

use crate::browser::{Browser, Scripts};
use crate::council::{Council, PERIOD, RETURN, VERSION, assessed, drawing, submit};
use crate::lgdp::Platform;
use crate::person::Person;
use crate::wait::until;

const COUNCIL: Council = Council {
    code: "S12000036",
    email: "returns@council.example",
};
const SHEET: &str = "HL1";
/// Columns of the form.
const APPREF: u32 = 2;
const GENDER: u32 = 6;

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_in_records_that_accumulate_is_told_row_by_row() {
    tell(Scripts::On, "release-changes-with-scripts").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_in_records_that_accumulate_is_told_without_scripts() {
    tell(Scripts::Off, "release-changes-without-scripts").await;
}

async fn tell(scripts: Scripts, story: &str) {
    let platform = Platform::start(RETURN, PERIOD).await;
    platform.invite_to_team("tess@team.example", RETURN);
    let _worker = platform.start_worker();
    let tess = Person::sign_in(&platform, "tess@team.example").await;
    let browser = Browser::start(&platform.address, scripts, story).await;
    browser.hand_to(&tess).await;

    send(&platform, "first.xlsx", &[]).await;
    let first = draft(&browser, &tess).await;
    let text = |text: &str| GridCell::Text(text.to_owned());
    let others = [
        (1, GENDER, text("1")),
        // In place of the last record there is another one; what was sent before still counts.
        (12, APPREF, text("DEMO-0099")),
    ];
    send(&platform, "second.xlsx", &others).await;
    let second = draft(&browser, &tess).await;

    browser.go(&second).await;
    browser.press("What is different").await;
    browser
        .reads("main", "Records of this return are added to")
        .await;
    browser
        .reads("main table", "1 figure changed, 1 row added")
        .await;
    browser
        .look("release-changes-where-records-accumulate")
        .await;

    let old = first.rsplit('/').next().unwrap();
    let csv = tess
        .text(&format!("/api{second}/changes.csv?with={old}"))
        .await;
    let lines: Vec<&str> = csv.lines().collect();
    let changed: Vec<&&str> = lines
        .iter()
        .filter(|line| line.contains(",changed,"))
        .collect();
    let [changed] = changed[..] else {
        panic!("{csv}");
    };
    assert!(
        changed.starts_with(&format!(
            "{},City of Edinburgh,{PERIOD},1,2,case,changed,\"230, DEMO-0001\",GENDER1,2,1,",
            COUNCIL.code
        )) && changed.ends_with(&format!(",HL1!G2,HL1!G2,{PERIOD}")),
        "{csv}"
    );
    let added = lines.iter().skip(1).filter(|line| line.contains(",added,"));
    let added: Vec<&&str> = added.collect();
    let is_of_it = |line: &&&str| line.contains("DEMO-0099") && line.contains(",HL1!");
    assert!(added.iter().all(is_of_it) && added.len() > 10, "{csv}");
    assert_eq!(lines.len(), 1 + 1 + added.len(), "{csv}");
    browser.end().await;
}

/// A workbook with some other cells, submitted, and so provisionally in the figures.
async fn send(platform: &Platform, name: &str, others: &[(u32, u32, GridCell)]) {
    let mut grid = drawing(RETURN, VERSION, "valid");
    let sheet = grid.sheet_mut(SHEET).unwrap();
    for (row_idx, column_idx, cell) in others {
        sheet.set_cell(*row_idx, *column_idx, cell.clone());
    }
    let bytes = report::workbook::write_xlsx(&grid).unwrap();
    let receipt = COUNCIL.send(platform, name, bytes).await;
    let status = assessed(platform, &receipt).await;
    assert_eq!(status["outcome"], "ready", "{status}");
    submit(platform, &receipt).await;
}

/// The address of a release of what stands, once its files are there.
async fn draft(browser: &Browser, reader: &Person) -> String {
    browser
        .go(&format!("/returns/{RETURN}/{PERIOD}/datasets"))
        .await;
    browser.press("Draft a release").await;
    browser.reads("h1", "Provisional release").await;
    let release = browser.path().await;
    until("its files are there", Duration::from_mins(1), || async {
        let told: Value =
            serde_json::from_str(&reader.text(&format!("/api{release}")).await).ok()?;
        (told["is_built"] == true).then_some(())
    })
    .await;
    release
}
