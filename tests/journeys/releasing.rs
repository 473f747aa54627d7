//! The return's team takes the figures of every council, drafts a release, two people approve it, and every value of it
//! leads back to the cell of the workbook that its council sent. Every page on the way is looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use std::time::Duration;

use chrono::NaiveDate;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use sheet::grid::GridCell;

use crate::browser::{Browser, Scripts};
use crate::council::{Council, assessed, drawing, submit};
use crate::lgdp::{Platform, binary, workspace};
use crate::person::{Person, between};
use crate::wait::until;
use crate::webhooks;

/// A form of fixed cells.
const RETURN: &str = "ctaxbase";
const VERSION: &str = "2026";
const PERIOD: &str = "2026-09-07";
const PERIOD_BEFORE: &str = "2025-09-01";
const SHEET: &str = "CTAXBASE";
const TABLE: &str = "dwellings";
const LINE_CELL: &str = "line_cell";
/// Where the form says whose it is.
const WHOSE: (u32, u32) = (2, 2);
/// And as at which day.
const WHEN: (u32, u32) = (3, 2);
const ALL_COUNCILS: usize = 32;
const SUMMARY: &str = ".ds_error-summary";

#[tokio::test(flavor = "multi_thread")]
async fn a_release_of_every_council_leads_back_to_every_cell() {
    tell(Scripts::On, "releasing-with-scripts", ALL_COUNCILS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_drafted_and_approved_without_scripts() {
    tell(Scripts::Off, "releasing-without-scripts", 2).await;
}

async fn tell(scripts: Scripts, story: &str, n_councils: usize) {
    let platform = Platform::start(RETURN, PERIOD).await;
    for email in ["tess@team.example", "tom@team.example"] {
        platform.invite_to_team(email, RETURN);
    }
    let _worker = platform.start_worker();
    let tess = Person::sign_in(&platform, "tess@team.example").await;
    let tom = Person::sign_in(&platform, "tom@team.example").await;
    let browser = Browser::start(&platform.address, scripts, story).await;
    let (server, came) = webhooks::server().await;
    webhooks::have_told(&tess, &format!("return {RETURN}"), &server).await;

    browser.hand_to(&tess).await;
    let figures = format!("/returns/{RETURN}/{PERIOD}/datasets");
    browser.go(&figures).await;
    browser.press("Draft a release").await;
    browser.reads(SUMMARY, "nothing to release yet").await;
    browser.look("nothing-to-release").await;

    platform.open(RETURN, PERIOD_BEFORE);
    send(&platform, PERIOD_BEFORE, 2).await;
    let sent = send(&platform, PERIOD, n_councils).await;
    browser.go(&format!("/returns/{RETURN}/{PERIOD}")).await;
    browser.press("Figures and releases").await;
    browser.reads("main .ds_leader", "provisional").await;
    browser.look("figures").await;
    browser
        .fill("Notes for its readers", "The first look at this year.")
        .await;
    browser.press("Draft a release").await;
    browser.reads("h1", "Provisional release").await;
    let release = browser.path().await;
    until("its files are there", Duration::from_mins(1), || async {
        let told: Value = serde_json::from_str(&tess.text(&format!("/api{release}")).await).ok()?;
        (told["is_built"] == true).then_some(())
    })
    .await;
    browser.go(&release).await;
    browser.look("release-to-approve").await;
    browser.press("Approve this release").await;
    browser.reads("main .ds_tag", "approved by 1 of 2").await;
    browser.look("release-approved-by-one").await;
    browser.hand_to(&tom).await;
    browser.go(&release).await;
    browser.press("Approve this release").await;
    browser.reads("main .ds_tag", "published as number 1").await;
    browser.look("release-published").await;
    let told = until("its server is told", Duration::from_mins(1), || async {
        webhooks::told(&came, "release.published").pop()
    })
    .await;
    assert_eq!(told["data"]["number"], 1);
    assert_eq!(
        told["data"]["links"]["status"],
        format!("{}/api{release}", platform.address)
    );
    browser.go(&figures).await;
    browser.look("figures-with-a-release").await;

    let files = format!("/api{release}/files");
    let csv = tom.text(&format!("{files}/{TABLE}.csv")).await;
    let n_cells = trace(&csv, &sent);
    // Ten lines of ten figures each.
    assert_eq!(n_cells, n_councils * 10 * 10);
    one_value(&browser, &tom, &csv, &release).await;
    first_look(&browser, &tom, &csv).await;
    a_protected_one(&browser, &platform, &tom, &release).await;
    browser.end().await;
    by_command(&platform, &csv);
}

/// The command takes every file, what is there not again, and nothing that is not as the release says.
fn by_command(platform: &Platform, csv: &str) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("token"), platform.reading_token(RETURN)).unwrap();
    let into = folder.path().join("release");
    let take = |more: &[&str]| {
        let output = Command::new(binary())
            .args(["release", RETURN, PERIOD, "--address", &platform.address])
            .arg("--token-file")
            .arg(folder.path().join("token"))
            .arg("--out")
            .arg(&into)
            .args(more)
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), printed)
    };
    let (status, told) = take(&[]);
    assert_eq!(status, Some(0), "{told}");
    let table = into.join(format!("{TABLE}.csv"));
    assert_eq!(fs::read_to_string(&table).unwrap(), csv);
    let names: Vec<&str> = told.lines().map(|line| &line[66..]).collect();
    for name in ["manifest.csv", "datapackage.json", "dwellings.parquet"] {
        assert!(names.contains(&name), "{told}");
    }
    for (line, name) in told.lines().zip(&names) {
        let bytes = fs::read(into.join(name)).unwrap();
        assert_eq!(line[..64], hex::encode(Sha256::digest(bytes)), "{name}");
    }
    fs::write(&table, "somebody wrote here").unwrap();
    let (status, told) = take(&["--file", &format!("{TABLE}.csv"), "--number", "1"]);
    assert_eq!((status, told.lines().count()), (Some(0), 1));
    assert_eq!(fs::read_to_string(&table).unwrap(), csv);
    assert_eq!(take(&["--number", "2"]).0, Some(2));
    assert_eq!(take(&["--file", "nothing.csv"]).0, Some(2));
}

/// Pictures of the figures, from the front page on; what they show is what the consolidated file has.
async fn first_look(browser: &Browser, reader: &Person, csv: &str) {
    browser
        .go(&format!("/returns/{RETURN}/{PERIOD}/datasets"))
        .await;
    browser.press("Take a first look at").await;
    browser.reads("main h1", "A first look").await;
    browser.reads("main", "How organisations compare").await;
    browser.look("first-look").await;
    let looked = format!("/returns/{RETURN}/{PERIOD}/look.csv?table={TABLE}");
    let rows = rows(csv);
    let items: Vec<&str> = rows[0]
        .keys()
        .filter_map(|column| column.strip_suffix("_cell"))
        .filter(|item| *item != "line")
        .collect();
    let lines: BTreeSet<&str> = rows.iter().map(|row| row["line"].as_str()).collect();
    let mut n_figures = 0;
    for line in lines {
        for item in &items {
            let file = reader
                .text(&format!("{looked}&line={line}&item={item}"))
                .await;
            let of_period = self::rows(&file).into_iter();
            let figures: BTreeMap<String, String> = of_period
                .filter(|row| row["period"] == PERIOD && !row["figure"].is_empty())
                .map(|row| (row["organisation_code"].clone(), row["figure"].clone()))
                .collect();
            let of_line = rows.iter().filter(|row| row["line"] == line);
            let wanted: BTreeMap<String, String> = of_line
                .filter(|row| !row[*item].is_empty())
                .map(|row| (row["organisation_code"].clone(), row[*item].clone()))
                .collect();
            n_figures += wanted.len();
            assert_eq!(figures, wanted, "{item} of line {line}");
        }
    }
    assert_eq!(n_figures, rows.len() * items.len());
    // A bar leads to the value that it shows.
    let page = reader
        .text(&format!("/returns/{RETURN}/{PERIOD}/look?table={TABLE}"))
        .await;
    let value = between(&page, "<a href=\"/submissions", "\"");
    browser.go(&format!("/submissions{value}")).await;
    browser.reads("main", "Where it went").await;
}

/// A council sends again; the next release leaves small counts out, and what changed since is looked at.
async fn a_protected_one(browser: &Browser, platform: &Platform, reader: &Person, before: &str) {
    let council = Council {
        code: "S12000033",
        email: "returns@council.example",
    };
    let bytes = workbook("Aberdeen City", PERIOD, 1);
    let receipt = council
        .send_for(platform, RETURN, PERIOD, "again.xlsx", bytes)
        .await;
    assessed(platform, &receipt).await;
    submit(platform, &receipt).await;
    browser
        .go(&format!("/returns/{RETURN}/{PERIOD}/datasets"))
        .await;
    browser
        .fill("Small counts", "Leave out counts under 5")
        .await;
    browser.press("Draft a release").await;
    browser.reads("h1", "Provisional release").await;
    let release = browser.path().await;
    let told = until("its files are there", Duration::from_mins(1), || async {
        let told: Value =
            serde_json::from_str(&reader.text(&format!("/api{release}")).await).ok()?;
        (told["is_built"] == true).then_some(told)
    })
    .await;
    assert_eq!(told["left_out_below"], 5);
    browser.go(&release).await;
    browser
        .reads("main", "Counts from 1 to 4 are left out")
        .await;
    browser.look("release-protected").await;
    let csv = reader
        .text(&format!("/api{release}/files/{TABLE}.csv"))
        .await;
    let small = |value: &String| ["1", "2", "3", "4"].contains(&value.as_str());
    let mut n_left_out = 0;
    for row in rows(&csv) {
        for (column, _) in row.iter().filter(|(column, _)| column.ends_with("_cell")) {
            let value = &row[column.trim_end_matches("_cell")];
            assert!(column == LINE_CELL || !small(value), "{column} of {row:?}");
            n_left_out += usize::from(value == "[c]");
        }
    }
    let counts = reader
        .text(&format!("/api{release}/files/suppressed.csv"))
        .await;
    let told: usize = counts
        .lines()
        .skip(1)
        .map(|line| line.rsplit(',').next().unwrap().parse::<usize>().unwrap())
        .sum();
    assert_eq!(n_left_out, told, "{counts}");

    let old = before.rsplit('/').next().unwrap();
    browser.go(&format!("{release}/changes?with={old}")).await;
    browser.reads("main", "Small counts are left out").await;
    browser.reads("main", "version 1 in both").await;
    browser.look("release-changes").await;
    let old_csv = reader
        .text(&format!("/api{before}/files/{TABLE}.csv"))
        .await;
    let changes = reader
        .text(&format!("/api{release}/changes.csv?with={old}"))
        .await;
    changes_are_those_of_the_files(&changes, &figures(&old_csv), &figures(&csv));
}

/// Each figure of a file, by organisation, line and item.
fn figures(csv: &str) -> BTreeMap<(String, String, String), String> {
    let rows = rows(csv);
    let all = rows.iter().flat_map(|row| {
        let places = row.keys().filter_map(|column| column.strip_suffix("_cell"));
        places.map(|item| {
            let whose = (row["organisation_code"].clone(), row["line"].clone());
            ((whose.0, whose.1, item.to_owned()), row[item].clone())
        })
    });
    all.collect()
}

/// A line for each figure that the two files have otherwise, as they have it.
fn changes_are_those_of_the_files(
    changes: &str,
    old: &BTreeMap<(String, String, String), String>,
    new: &BTreeMap<(String, String, String), String>,
) {
    let told = rows(changes.trim_start_matches('\u{feff}'));
    let told: BTreeMap<_, _> = told
        .iter()
        .map(|line| {
            let code = line["record"].rsplit('(').next().unwrap();
            let key = (
                line["organisation_code"].clone(),
                code.trim_end_matches(')').to_owned(),
                line["item"].clone(),
            );
            (key, (line["before"].clone(), line["now"].clone()))
        })
        .collect();
    let others = old.iter().filter(|(key, before)| new[*key] != **before);
    let others: BTreeMap<_, _> = others
        .map(|(key, before)| (key.clone(), (before.clone(), new[key].clone())))
        .collect();
    assert_eq!(told, others);
    assert!(told.values().any(|(_, now)| now == "[c]"));
    assert_eq!(old.len(), new.len());
}

/// The workbook of each council by its hash, submitted, and so provisionally in the figures.
async fn send(platform: &Platform, period: &str, n_councils: usize) -> BTreeMap<String, Vec<u8>> {
    let path = workspace().join("return-specs/organisations.csv");
    let organisations = spec::Organisations::load(&path).unwrap();
    let councils = organisations.0.iter().filter(|one| one.kind == "council");
    let councils: Vec<_> = councils.take(n_councils).collect();
    assert_eq!(councils.len(), n_councils);
    let mut sent = BTreeMap::new();
    for (council, factor) in councils.into_iter().zip((1..=4).cycle()) {
        let bytes = workbook(&council.name, period, factor);
        let code: &'static str = Box::leak(council.code.clone().into_boxed_str());
        let sender = Council {
            code,
            email: "returns@council.example",
        };
        let receipt = sender
            .send_for(platform, RETURN, period, "base.xlsx", bytes.clone())
            .await;
        let status = assessed(platform, &receipt).await;
        assert_eq!(status["outcome"], "ready", "{}: {status}", council.name);
        submit(platform, &receipt).await;
        sent.insert(receipt["sha256"].as_str().unwrap().to_owned(), bytes);
    }
    sent
}

/// The example of a good form, of another council and with its figures so many times as large.
fn workbook(council: &str, period: &str, factor: i64) -> Vec<u8> {
    let mut grid = drawing(RETURN, VERSION, "valid");
    let sheet = grid.sheet_mut(SHEET).unwrap();
    let times = |number: &str| match number.parse::<i64>() {
        Ok(whole) => (whole * factor).to_string(),
        Err(_) => number.to_owned(),
    };
    let cells: Vec<(u32, u32, GridCell)> = sheet
        .cells()
        .filter(|(row_idx, column_idx, _)| *row_idx >= 8 && *column_idx >= 3)
        .map(|(row_idx, column_idx, cell)| {
            let larger = match cell {
                GridCell::Number(number) => GridCell::Number(times(number)),
                GridCell::Formula { formula, result } => GridCell::Formula {
                    formula: formula.clone(),
                    result: result.as_ref().map(|result| match &**result {
                        GridCell::Number(number) => Box::new(GridCell::Number(times(number))),
                        other => Box::new(other.clone()),
                    }),
                },
                other => other.clone(),
            };
            (row_idx, column_idx, larger)
        })
        .collect();
    for (row_idx, column_idx, cell) in cells {
        sheet.set_cell(row_idx, column_idx, cell);
    }
    sheet.set_cell(WHOSE.0, WHOSE.1, GridCell::Text(council.to_owned()));
    let day: NaiveDate = period.parse().unwrap();
    sheet.set_cell(WHEN.0, WHEN.1, GridCell::Date(day));
    report::workbook::write_xlsx(&grid).unwrap()
}

/// A line of CSV as what its headings say. No cell of these files has a comma or a quote in it but the organisation's name.
pub(crate) fn rows(csv: &str) -> Vec<BTreeMap<String, String>> {
    let mut lines = csv.lines().map(cells);
    let headings = lines.next().unwrap();
    lines
        .map(|cells| headings.iter().cloned().zip(cells).collect())
        .collect()
}

fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut is_quoted = false;
    for c in line.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(String::new()),
            c => cells.last_mut().unwrap().push(c),
        }
    }
    cells
}

/// Opens each workbook as it was sent and compares every value with its cell; gives how many there were.
fn trace(csv: &str, sent: &BTreeMap<String, Vec<u8>>) -> usize {
    let mut workbooks = BTreeMap::new();
    for (sha256, bytes) in sent {
        let workbook = sheet::read(bytes, "base.xlsx", &sheet::Limits::default()).unwrap();
        workbooks.insert(sha256.as_str(), workbook);
    }
    let mut n_cells = 0;
    for row in rows(csv) {
        let workbook = &workbooks[row["source_sha256"].as_str()];
        let mut sheets = workbook.sheets.iter();
        let sheet = sheets
            .find(|sheet| sheet.name == row["source_sheet"])
            .unwrap();
        for (column, place) in row.iter().filter(|(column, _)| column.ends_with("_cell")) {
            // The code of a line is the form's, not the council's.
            if column == LINE_CELL {
                continue;
            }
            let value = &row[column.trim_end_matches("_cell")];
            let at = format!("{}!{place}", row["source_sheet"]);
            let at: finding::CellRef = at.parse().unwrap();
            let mut cells = sheet.cells.iter();
            let cell = cells
                .find(|cell| (cell.row_idx, cell.column_idx) == (at.row_idx, at.column_idx))
                .unwrap_or_else(|| panic!("{at} is blank and not {value}"));
            let in_file = match &cell.value {
                sheet::Value::Number(number) => number.to_string(),
                sheet::Value::Text(text) => text.clone(),
                other => panic!("{at}: {other:?}"),
            };
            assert_eq!(&in_file, value, "{at} of {}", row["organisation_name"]);
            n_cells += 1;
        }
    }
    n_cells
}

/// From a value to its cell and its release, and from the cell to the value.
async fn one_value(browser: &Browser, reader: &Person, csv: &str, release: &str) {
    let rows = rows(csv);
    let row = rows.last().unwrap();
    let (column, place) = row
        .iter()
        .rfind(|(column, _)| column.ends_with("_cell") && *column != LINE_CELL)
        .unwrap();
    let item = column.trim_end_matches("_cell");
    let submission = format!("/submissions/{}", row["submission_id"]);
    let path = format!("{submission}/values/{TABLE}/{}/{item}", row["source_row"]);
    let told: Value = serde_json::from_str(&reader.text(&format!("/api{path}")).await).unwrap();
    let cell = format!("{}!{place}", row["source_sheet"]);
    assert_eq!(told["value"], row[item].as_str());
    assert_eq!(told["source_cell"], cell.as_str());
    assert_eq!(told["source_sha256"], row["source_sha256"].as_str());
    assert_eq!(told["history"][0]["what"], "submit");
    assert_eq!(
        told["releases"][0]["link"],
        format!("/api{release}").as_str()
    );
    assert_eq!(told["is_in_datasets_now"], true);
    browser.go(&format!("{submission}/cells?cell={cell}")).await;
    browser.reads("main", place).await;
    assert_eq!(browser.path().await, path);
    browser.look("value").await;
}
