//! The API does what its document says: schemathesis reads the document and asks every address with what is right and
//! with what is not, as a program that sends and as one that takes figures.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::council::{Council, PERIOD, RETURN, VERSION, assessed, client, workbook};
use crate::lgdp::{Platform, workspace};

/// Of the return's only table.
const COLUMNS: &str = "APPREF,APPDATE";

const COUNCIL: Council = Council {
    code: "S12000036",
    email: "returns@council.example",
};

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_one_that_the_document_has() {
    let platform = Platform::start(RETURN, PERIOD).await;
    let _worker = platform.start_worker();
    let file = workbook("contact-missing", "230", 1);
    let receipt = COUNCIL.send(&platform, "cases.xlsx", file.clone()).await;
    assessed(&platform, &receipt).await;
    let token = platform.sending_token(COUNCIL.code);
    let check = check(&platform, &token, file).await;
    let dir = tempfile::tempdir().unwrap();
    let known = known(&receipt["submission_id"], &check);
    fs::write(dir.path().join("schemathesis.toml"), known).unwrap();
    let document = format!("{}/api/openapi.json", platform.address);
    for (what, token) in [
        ("sending", &token),
        ("reading", &platform.reading_token(RETURN)),
    ] {
        let asked = ask_everything(&document, token, dir.path(), &[]);
        assert!(
            asked.status.success(),
            "as a {what} client:\n{}",
            said(&asked)
        );
    }
    notices_what_is_wrong(&platform, &token, dir.path()).await;
}

/// A document that says something else than what is answered: without this, nothing that is asked might mean anything.
async fn notices_what_is_wrong(platform: &Platform, token: &str, dir: &Path) {
    let url = format!("{}/api/openapi.json", platform.address);
    let document = client().get(url).send().await.unwrap();
    let mut document: Value = document.json().await.unwrap();
    let version = &mut document["components"]["schemas"]["Submission"]["properties"];
    version["version_number"] = json!({"type": "string"});
    let path = dir.join("wrong.json");
    fs::write(&path, document.to_string()).unwrap();
    let of = ["--include-operation-id", "show_submission", "--url"];
    let of = [&of[..], &[&platform.address]].concat();
    let asked = ask_everything(path.to_str().unwrap(), token, dir, &of);
    assert_eq!(asked.status.code(), Some(1), "{}", said(&asked));
    assert!(
        said(&asked).contains("Response violates schema"),
        "{}",
        said(&asked)
    );
}

fn said(asked: &Output) -> String {
    [&asked.stdout, &asked.stderr]
        .map(|said| String::from_utf8_lossy(said).into_owned())
        .concat()
}

/// Where nothing else is said, an id is of something that is there: what is made up is rarely found.
///
/// And what a document can't say: which columns, periods and organisations this return has, where a page of a list ends, which findings
/// there are, which key was used before, and which of the addresses that look like one is none.
fn known(submission: &Value, check: &Value) -> String {
    let mut known = format!(
        r#"[parameters]
"path.return_id" = "{RETURN}"
"path.period" = "{PERIOD}"
"path.version" = "{VERSION}"
"path.code" = "{}"
"path.id" = {submission}
"path.parcel" = {check}
"path.ending" = "csv"
"#,
        COUNCIL.code
    );
    for operation in ["dataset", "dataset_manifest"] {
        known += &format!(
            r#"
[[operations]]
include-operation-id = "{operation}"
parameters = {{ "query.column" = "{COLUMNS}", "query.from" = "{PERIOD}", "query.organisation" = "{}" }}
"#,
            COUNCIL.code
        );
    }
    for (operation, also) in [
        ("list_obligations", "400"),
        ("list_rounds", "400"),
        ("list_submissions", "400"),
        ("explain", "400"),
        ("send_file", "400\", \"422"),
        ("check_file", "400\", \"422"),
    ] {
        known += &format!(
            r#"
[[operations]]
include-operation-id = "{operation}"
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "{also}"]
"#
        );
    }
    known
}

/// Has a file only checked, and gives the check's id once it is.
async fn check(platform: &Platform, token: &str, file: Vec<u8>) -> Value {
    let url = format!(
        "{}/api/returns/{RETURN}/periods/{PERIOD}/organisations/{}/checks?file_name=cases.xlsx",
        platform.address, COUNCIL.code
    );
    let asked = client().post(url).bearer_auth(token).body(file).send();
    let answer: Value = asked.await.unwrap().json().await.unwrap();
    answer["check_id"].clone()
}

/// The same requests each time: the seed is fixed.
fn ask_everything(document: &str, token: &str, dir: &Path, more: &[&str]) -> Output {
    Command::new(workspace().join(".venv/bin/schemathesis"))
        .current_dir(dir)
        .args(["run", document])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args([
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            "20",
        ])
        .args(["--seed", "1", "--checks", "all", "--continue-on-failure"])
        // Python 3.11 does not stand it when two threads take its sources apart at once, as hypothesis does.
        .args(["--workers", "1", "--no-color"])
        .args(["--suppress-health-check", "all"])
        .args(more)
        .output()
        .expect("schemathesis runs: ./run test installs it")
}
