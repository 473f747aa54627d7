//! What a council does: draws its workbook from a return's example, sends it and looks what came of it.

use std::time::Duration;

use serde_json::Value;
use sheet::grid::{Grid, GridCell, GridSheet};
use spec::example::{ExampleWorkbook, load_examples};

use crate::lgdp::{Platform, workspace};
use crate::wait::until;

/// The return of the journeys: one table of records, whose first column says whose record it is.
pub(crate) const RETURN: &str = "hl1";
pub(crate) const VERSION: &str = "1.4";
pub(crate) const PERIOD: &str = "2026-27-Q2";
const SHEET: &str = "HL1";
const REFERENCE: &str = "APPREF";

pub(crate) struct Council {
    pub(crate) code: &'static str,
    pub(crate) email: &'static str,
}

/// An example's drawing with another council's code in the first column, its records repeated so often.
pub(crate) fn workbook(example: &str, sg_code: &str, n_copies: u32) -> Vec<u8> {
    let mut grid = drawing(RETURN, VERSION, example);
    let sheet = grid.sheet_mut(SHEET).unwrap();
    repeat(sheet, &[REFERENCE], n_copies);
    let codes: Vec<u32> = (1..sheet.n_rows())
        .filter(|&row_idx| matches!(sheet.cell(row_idx, 0), GridCell::Text(code) if code == "230"))
        .collect();
    for row_idx in codes {
        sheet.set_cell(row_idx, 0, GridCell::Text(sg_code.to_owned()));
    }
    report::workbook::write_xlsx(&grid).unwrap()
}

pub(crate) fn drawing(return_id: &str, version: &str, example: &str) -> Grid {
    let dir = workspace()
        .join("return-specs")
        .join(return_id)
        .join(version);
    let example = load_examples(&dir)
        .unwrap()
        .into_iter()
        .find(|candidate| candidate.name == example)
        .expect("the example is there");
    match example.workbook {
        ExampleWorkbook::Drawn(grid) => grid,
        ExampleWorkbook::File(path) => panic!("{} is not drawn", path.display()),
    }
}

/// The records below a sheet's headings so often, with these columns' texts told apart.
pub(crate) fn repeat(sheet: &mut GridSheet, vary: &[&str], n_copies: u32) {
    let varied: Vec<u32> = sheet
        .row(0)
        .filter(|(_, cell)| matches!(cell, GridCell::Text(name) if vary.contains(&name.as_str())))
        .map(|(column_idx, _)| column_idx)
        .collect();
    let records: Vec<(u32, u32, GridCell)> = sheet
        .cells()
        .filter(|(row_idx, _, _)| *row_idx > 0)
        .map(|(row_idx, column_idx, cell)| (row_idx, column_idx, cell.clone()))
        .collect();
    let n_rows = records.last().unwrap().0;
    for copy in 0..n_copies {
        for (row_idx, column_idx, cell) in &records {
            let cell = match cell {
                GridCell::Text(text) if varied.contains(column_idx) => {
                    GridCell::Text(format!("{text}-{copy}"))
                }
                cell => cell.clone(),
            };
            sheet.set_cell(row_idx + copy * n_rows, *column_idx, cell);
        }
    }
}

impl Council {
    /// The receipt.
    pub(crate) async fn send(&self, platform: &Platform, name: &str, bytes: Vec<u8>) -> Value {
        self.send_for(platform, RETURN, PERIOD, name, bytes).await
    }

    /// The receipt of another return's file.
    pub(crate) async fn send_for(
        &self,
        platform: &Platform,
        return_id: &str,
        period: &str,
        name: &str,
        bytes: Vec<u8>,
    ) -> Value {
        let url = format!(
            "{}/api/returns/{return_id}/periods/{period}/organisations/{}/submissions?file_name={name}&contact_email={}",
            platform.address, self.code, self.email
        );
        let response = client()
            .post(url)
            .bearer_auth(platform.sending_token(self.code))
            .body(bytes)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 201);
        response.json().await.unwrap()
    }
}

/// The status, once the file is assessed.
pub(crate) async fn assessed(platform: &Platform, receipt: &Value) -> Value {
    let id = receipt["submission_id"].as_str().unwrap();
    let token = platform.sending_token(receipt["organisation"].as_str().unwrap());
    let url = format!("{}/api/submissions/{id}", platform.address);
    until("the file is assessed", Duration::from_secs(90), || async {
        let asked = client().get(&url).bearer_auth(&token).send();
        let status: Value = asked.await.ok()?.json().await.ok()?;
        (!status["outcome"].is_null()).then_some(status)
    })
    .await
}

/// Hands a file that is ready to whoever signs off.
pub(crate) async fn submit(platform: &Platform, receipt: &Value) {
    let id = receipt["submission_id"].as_str().unwrap();
    let token = platform.sending_token(receipt["organisation"].as_str().unwrap());
    let url = format!("{}/api/submissions/{id}/submit", platform.address);
    let asked = client().post(url).bearer_auth(token).send();
    assert_eq!(asked.await.unwrap().status(), 200);
}

pub(crate) fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}
