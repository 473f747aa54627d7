//! What each council sends and writes, with its marks in it.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{Days, Utc};
use reqwest::StatusCode;
use serde_json::Value;
use sheet::grid::GridCell;

use super::marks::{Kind, Sender};
use super::seers::Hands;
use crate::council::{PERIOD, RETURN, VERSION, assessed, client, drawing, repeat};
use crate::lgdp::Platform;
use crate::person::{Person, between, form_token};
use crate::wait::until;

/// For which a draft is sent and withdrawn.
pub(super) const DRAFT_PERIOD: &str = "2026-27-Q1";
const SHEET: &str = "HL1";

pub(super) struct Sent {
    /// Handed over.
    version: String,
    draft: String,
    /// A file that was only checked.
    pub(super) checked: String,
    pub(super) waiver: String,
    /// The checks that found something.
    pub(super) rules: BTreeSet<String>,
}

impl Sent {
    pub(super) fn submissions(&self) -> [String; 2] {
        [self.version.clone(), self.draft.clone()]
    }
}

/// One version that is explained, submitted and signed off, and then accepted, sent back or left; and one draft.
pub(super) async fn send_and_hand_over(
    platform: &Platform,
    council: &Sender,
    hands: &Hands,
    team: &Person,
) -> Sent {
    let (ann, bo) = (&hands.uploader, &hands.approver);
    let file = format!("{}.xlsx", council.mark(Kind::File));
    let version = send(platform, council, hands, PERIOD, &file, workbook(council)).await;
    let file = format!("{}.xlsx", council.mark(Kind::DraftFile));
    let bytes = draft(council);
    let checked = check_only(platform, council, hands, &file, bytes.clone()).await;
    let draft = send(platform, council, hands, DRAFT_PERIOD, &file, bytes).await;

    let (mut rules, waiver) = explain(ann, council, &version).await;
    rules.append(&mut checks_of(ann, &draft).await);
    write_message(ann, &version, &council.mark(Kind::Message)).await;
    ann.hand_over(&version, "submit", "").await;
    bo.hand_over(&version, "sign-off", "").await;
    ann.hand_over(&draft, "withdraw", &council.mark(Kind::DraftReason))
        .await;
    decide(team, &waiver, &council.mark(Kind::Decision)).await;
    team.hand_over(&version, "accept", "").await;
    if council.idx() > 0 {
        team.hand_over(&version, "send-back", &council.mark(Kind::Reason))
            .await;
    }
    Sent {
        version,
        draft,
        checked,
        waiver,
        rules,
    }
}

/// Gives the submission, once it is assessed.
async fn send(
    platform: &Platform,
    council: &Sender,
    hands: &Hands,
    period: &str,
    file_name: &str,
    bytes: Vec<u8>,
) -> String {
    let url = format!(
        "{}/api/returns/{RETURN}/periods/{period}/organisations/{}/submissions?file_name={file_name}&contact_email={}",
        platform.address,
        council.code,
        council.address("ann")
    );
    let request = client().post(url).bearer_auth(&hands.token).body(bytes);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    let receipt: Value = response.json().await.unwrap();
    assessed(platform, &receipt).await;
    receipt["submission_id"].as_str().unwrap().to_owned()
}

/// Has a file checked that is not sent. Gives its id, once it is checked.
async fn check_only(
    platform: &Platform,
    council: &Sender,
    hands: &Hands,
    file_name: &str,
    bytes: Vec<u8>,
) -> String {
    let url = format!(
        "{}/api/returns/{RETURN}/periods/{DRAFT_PERIOD}/organisations/{}/checks?file_name={file_name}",
        platform.address, council.code
    );
    let request = client().post(url).bearer_auth(&hands.token).body(bytes);
    let response = request.send().await.unwrap();
    assert!(response.status().is_success(), "{}", response.status());
    let check: Value = response.json().await.unwrap();
    let id = check["check_id"].as_str().unwrap().to_owned();
    let url = format!("{}/api/checks/{id}", platform.address);
    until("the file is checked", Duration::from_secs(90), || async {
        let asked = client().get(&url).bearer_auth(&hands.token).send();
        let status: Value = asked.await.ok()?.json().await.ok()?;
        (status["state"] == "checked").then_some(())
    })
    .await;
    id
}

/// It needs an explanation; each reference is marked, and so is a column of the council's own.
fn workbook(council: &Sender) -> Vec<u8> {
    grid(council, "roofless-but-not-rough", Kind::Cell)
}

/// A code that is none stands in it.
fn draft(council: &Sender) -> Vec<u8> {
    grid(council, "valid", Kind::WrongCell)
}

fn grid(council: &Sender, example: &str, kind: Kind) -> Vec<u8> {
    let mut grid = drawing(RETURN, VERSION, example);
    let sheet = grid.sheet_mut(SHEET).unwrap();
    repeat(sheet, &["APPREF"], 2);
    let mark = council.mark(kind);
    let cells: Vec<(u32, u32, String)> = sheet
        .cells()
        .filter_map(|(row_idx, column_idx, cell)| match cell {
            GridCell::Text(text) if column_idx == 0 && text == "230" => {
                Some((row_idx, column_idx, council.sg_code.to_owned()))
            }
            GridCell::Text(text) => {
                let marked = text.replace("DEMO", &mark);
                (marked != *text).then_some((row_idx, column_idx, marked))
            }
            _ => None,
        })
        .collect();
    for (row_idx, column_idx, text) in cells {
        sheet.set_cell(row_idx, column_idx, GridCell::Text(text));
    }
    let n_columns = u32::try_from(sheet.row(0).count()).unwrap();
    let own = council.mark(Kind::OwnColumn);
    sheet.set_cell(0, n_columns, GridCell::Text(format!("own_{own}")));
    for row_idx in 1..sheet.n_rows() {
        sheet.set_cell(row_idx, n_columns, GridCell::Text(own.clone()));
    }
    if kind == Kind::WrongCell {
        // Not the first column, which says whose record it is.
        sheet.set_cell(1, 6, GridCell::Text(mark));
    }
    report::workbook::write_xlsx(&grid).unwrap()
}

/// The checks that a version's page shows.
async fn checks_of(person: &Person, id: &str) -> BTreeSet<String> {
    let page = person.text(&format!("/submissions/{id}")).await;
    let check = format!("/submissions/{id}/checks/");
    let links = page.split(&check).skip(1);
    links
        .map(|rest| rest.split(['?', '"', '/']).next().unwrap().to_owned())
        .collect()
}

/// Explains whatever is queried, and asks for an exception. Gives the checks and the exception.
async fn explain(ann: &Person, council: &Sender, id: &str) -> (BTreeSet<String>, String) {
    let rules = checks_of(ann, id).await;
    let mut waiver = None;
    for rule in &rules {
        let check = format!("/submissions/{id}/checks/{rule}");
        let page = ann.text(&check).await;
        let token = form_token(&page);
        let text = council.mark(Kind::Explanation);
        let form = [
            ("form_token", token.as_str()),
            ("page", "1"),
            ("which", "all"),
            ("words", "new"),
            ("text", &text),
        ];
        let explained = ann.post(&format!("{check}/explanations"), &form).await;
        assert_eq!(explained.status(), StatusCode::SEE_OTHER, "{check}");
        let reason = council.mark(Kind::WaiverReason);
        let own_id = between(&page, "name=\"id\" value=\"", "\"");
        let form = [
            ("form_token", token.as_str()),
            ("page", "1"),
            ("id", &own_id),
            ("place", ""),
            ("reason", &reason),
        ];
        let asked = ann.post(&format!("{check}/exceptions"), &form).await;
        assert_eq!(asked.status(), StatusCode::SEE_OTHER, "{check}");
        waiver = Some(own_id);
    }
    (rules, waiver.expect("something is queried"))
}

async fn write_message(person: &Person, id: &str, text: &str) {
    let page = person.text(&format!("/submissions/{id}")).await;
    let message_id = between(&page, "name=\"message_id\" value=\"", "\"");
    let form = [
        ("form_token", &*form_token(&page)),
        ("message_id", &message_id),
        ("text", text),
    ];
    let path = format!("/submissions/{id}/messages");
    let written = person.post(&path, &form).await;
    assert_eq!(written.status(), StatusCode::SEE_OTHER);
}

async fn decide(team: &Person, waiver: &str, reason: &str) {
    let path = format!("/exceptions/{waiver}");
    let token = form_token(&team.text(&path).await);
    let last = Utc::now().date_naive() + Days::new(30);
    let form = [
        ("form_token", token.as_str()),
        ("decision", "grant"),
        ("ends_on", &last.to_string()),
        ("reason", reason),
    ];
    let decided = team.post(&path, &form).await;
    assert_eq!(decided.status(), StatusCode::SEE_OTHER);
}
