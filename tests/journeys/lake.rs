//! What a team has accepted is read by an engine that never asks the platform; and a newer version takes its place there.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::council::{Council, PERIOD, RETURN, assessed, workbook};
use crate::council_officer::COUNCIL;
use crate::lgdp::{Platform, workspace};
use crate::person::Person;
use crate::wait::until;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_accepted_is_in_the_lake_until_it_is_not() {
    let platform = Platform::start(RETURN, PERIOD).await;
    platform.invite("ann@council.example", "uploader", COUNCIL);
    platform.invite("bo@council.example", "approver", COUNCIL);
    platform.invite_to_team("tess@team.example", RETURN);
    let _worker = platform.start_worker();
    let ann = Person::sign_in(&platform, "ann@council.example").await;
    let bo = Person::sign_in(&platform, "bo@council.example").await;
    let team = Person::sign_in(&platform, "tess@team.example").await;
    let council = Council {
        code: COUNCIL,
        email: "returns@council.example",
    };
    let send = async |file_name: &str, n_copies: u32| {
        let file = workbook("valid", "230", n_copies);
        let receipt = council.send(&platform, file_name, file).await;
        assessed(&platform, &receipt).await;
        let id = receipt["submission_id"].as_str().unwrap().to_owned();
        ann.hand_over(&id, "submit", "").await;
        bo.hand_over(&id, "sign-off", "").await;
        id
    };
    let first = send("first.xlsx", 2).await;
    assert!(!table(&platform).exists(), "nothing is accepted yet");
    team.hand_over(&first, "accept", "").await;
    let told = says(&platform, &first).await;
    let n_first = told.len();
    for row in &told {
        assert_eq!(row["organisation_code"], COUNCIL);
        assert_eq!(row["period"], PERIOD);
        assert_eq!(row["submission_state"], "accepted");
        assert_eq!(row["source_file"], "first.xlsx");
        assert!(row["source_row"].as_i64().unwrap() > 1);
    }

    let second = send("second.xlsx", 3).await;
    assert_eq!(says(&platform, &first).await.len(), n_first);
    team.hand_over(&second, "accept", "").await;
    assert_eq!(says(&platform, &second).await.len(), n_first / 2 * 3);

    // Opened again, there is nothing that is accepted but the first.
    team.hand_over(&second, "send-back", "Please look again.")
        .await;
    assert_eq!(says(&platform, &first).await.len(), n_first);
    // And once everything is put in again, it is as it was, whatever became of it.
    std::fs::remove_dir_all(table(&platform)).unwrap();
    assert!(platform.admin(&["lake"]).ends_with("1 jobs put in"));
    assert_eq!(says(&platform, &first).await.len(), n_first);
}

/// The rows that the lake has, once they are those of this submission alone.
async fn says(platform: &Platform, submission: &str) -> Vec<Value> {
    let table = table(platform);
    let what = format!("the lake says {submission}");
    until(&what, Duration::from_mins(1), || async {
        let rows = read(table.to_str()?)?;
        let are_its = rows.iter().all(|row| row["submission_id"] == submission);
        (are_its && !rows.is_empty()).then_some(rows)
    })
    .await
}

fn table(platform: &Platform) -> PathBuf {
    platform.lake().join(RETURN).join("case")
}

/// `None` where there is no table yet.
fn read(address: &str) -> Option<Vec<Value>> {
    let output = Command::new(testkit::python())
        .arg(workspace().join("crates/lake/src/read.py"))
        .args(["duckdb", address])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    output.status.success().then(|| {
        text.lines()
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    })
}
