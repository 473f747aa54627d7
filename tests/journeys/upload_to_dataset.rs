//! Three councils send their files; the office reads the consolidated dataset and each council its mail.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::council::{Council, PERIOD, RETURN, assessed, get_bytes, get_text, workbook};
use crate::lgdp::Platform;
use crate::mailbox::Received;
use crate::wait::until;

const CLEAN: Council = Council {
    code: "S12000049",
    email: "returns@clean.example",
};
const WITH_ERRORS: Council = Council {
    code: "S12000036",
    email: "returns@with-errors.example",
};
const UNREADABLE: Council = Council {
    code: "S12000033",
    email: "returns@unreadable.example",
};

/// Enough that a worker is still at it when it is killed.
const N_COPIES: u32 = 300;

/// What is the same every time the story is told.
#[derive(Debug, PartialEq)]
struct Ending {
    statuses: Vec<Value>,
    emails: Vec<(String, String)>,
    dataset: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Worker {
    Lives,
    IsKilledOnce,
}

#[tokio::test(flavor = "multi_thread")]
async fn councils_send_files_and_the_office_gets_one_dataset_even_if_a_worker_is_killed() {
    let files = [
        ("clean.xlsx", workbook("valid", "260", N_COPIES)),
        ("errors.xlsx", workbook("contact-missing", "230", 1)),
        ("unreadable.xlsx", b"PK\x03\x04 and then nothing".to_vec()),
    ];
    let undisturbed = tell(&files, Worker::Lives).await;
    let outcomes: Vec<&str> = undisturbed
        .statuses
        .iter()
        .map(|status| status["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["ready", "needs_correction", "refused"]);

    let disturbed = tell(&files, Worker::IsKilledOnce).await;
    assert_eq!(undisturbed, disturbed);
}

async fn tell(files: &[(&str, Vec<u8>); 3], worker: Worker) -> Ending {
    let platform = Platform::start(RETURN, PERIOD).await;
    let mut receipts = Vec::new();
    for (council, (name, bytes)) in [CLEAN, WITH_ERRORS, UNREADABLE].iter().zip(files) {
        receipts.push(council.send(&platform, name, bytes.clone()).await);
    }

    let mut first = platform.start_worker();
    if worker == Worker::IsKilledOnce {
        until("the worker has begun", Duration::from_secs(30), || async {
            platform.is_assessing()
        })
        .await;
        first.kill();
        platform.clear_scratch();
    }
    let _second = (worker == Worker::IsKilledOnce).then(|| platform.start_worker());

    let mut statuses = Vec::new();
    for receipt in &receipts {
        statuses.push(without_times(assessed(&platform, receipt).await));
    }
    check_pages(&platform, &receipts).await;
    let emails = emails(&platform, &receipts, worker).await;
    let dataset = get_text(&format!(
        "{}/api/returns/{RETURN}/periods/{PERIOD}/dataset.csv",
        platform.address
    ))
    .await;
    check_dataset(&dataset, &statuses);
    Ending {
        statuses,
        emails,
        dataset,
    }
}

/// Ids and times differ from run to run, and nothing else does.
fn without_times(mut status: Value) -> Value {
    for volatile in ["submission_id", "received_at", "assessed_at", "links"] {
        assert!(!status[volatile].is_null(), "{volatile}");
        status[volatile] = json!("…");
    }
    status
}

/// A receipt and an outcome for each council, and not one more; but a worker that is killed between the mail server's
/// yes and its own note of it has the message sent once again, as what it was.
async fn emails(platform: &Platform, receipts: &[Value], worker: Worker) -> Vec<(String, String)> {
    let n_wanted = 2 * receipts.len();
    let mut received = until("all mail is there", Duration::from_mins(1), || async {
        let received = platform.mailbox.received();
        (distinct(&received) >= n_wanted).then_some(received)
    })
    .await;
    assert_eq!(distinct(&received), n_wanted, "{received:#?}");
    let n_again = received.len() - n_wanted;
    match worker {
        Worker::Lives => assert_eq!(n_again, 0, "{received:#?}"),
        // Two jobs at a time were in its hands.
        Worker::IsKilledOnce => assert!(n_again <= 2, "{received:#?}"),
    }
    received.dedup_by(|a, b| a.message_id == b.message_id);
    for receipt in receipts {
        let sha256 = receipt["sha256"].as_str().unwrap();
        let n = received
            .iter()
            .filter(|email| email.text.contains(sha256))
            .count();
        assert!(n >= 1, "no receipt names {sha256}");
        let id = receipt["submission_id"].as_str().unwrap();
        assert!(
            received
                .iter()
                .any(|email| email.text.contains(&format!("/submissions/{id}")))
        );
    }
    // What a cell holds is nobody's business on the way.
    assert!(!received.iter().any(|email| email.text.contains("DEMO-")));
    received
        .into_iter()
        .map(|email| (email.to, email.subject))
        .collect()
}

fn distinct(received: &[Received]) -> usize {
    let ids: BTreeSet<&str> = received
        .iter()
        .map(|email| email.message_id.as_str())
        .collect();
    ids.len()
}

/// What stands is in it, each row once, with where it comes from.
fn check_dataset(dataset: &str, statuses: &[Value]) {
    let mut lines = dataset.lines();
    let header = lines.next().unwrap();
    for column in ["organisation_code", "source_row", "APPREF", "APPREF_cell"] {
        assert!(
            header.split(',').any(|name| name == column),
            "{column}: {header}"
        );
    }
    let rows: Vec<&str> = lines.collect();
    let n_loaded = statuses[0]["tables"][0]["loaded"].as_u64().unwrap();
    assert_eq!(rows.len() as u64, n_loaded);
    assert!(n_loaded >= u64::from(N_COPIES));
    assert!(rows.iter().all(|row| row.starts_with(CLEAN.code)));
    let distinct: BTreeSet<&&str> = rows.iter().collect();
    assert_eq!(distinct.len(), rows.len(), "a row is there twice");
}

/// The pages say it in words, and the findings are there for programs too.
async fn check_pages(platform: &Platform, receipts: &[Value]) {
    let address = &platform.address;
    let home = get_text(&format!("{address}/")).await;
    assert!(home.contains("needs correction"));
    let sentences = ["is ready", "to fix", "could not use this file"];
    for (receipt, sentence) in receipts.iter().zip(sentences) {
        let id = receipt["submission_id"].as_str().unwrap();
        let page = get_text(&format!("{address}/submissions/{id}")).await;
        assert!(page.contains(sentence), "{page}");
        assert!(page.contains(receipt["sha256"].as_str().unwrap()));
        let json = get_text(&format!("{address}/api/submissions/{id}/findings.json")).await;
        let json: Value = serde_json::from_str(&json).unwrap();
        let n_findings = json["findings"].as_array().unwrap().len();
        let csv = get_text(&format!("{address}/api/submissions/{id}/findings.csv")).await;
        assert_eq!(csv.lines().count(), n_findings + 1, "{csv}");
        let xlsx = get_bytes(&format!("{address}/api/submissions/{id}/findings.xlsx")).await;
        let xlsx = sheet::read(&xlsx, "findings.xlsx", &sheet::Limits::default()).unwrap();
        let list = &xlsx.sheets[1];
        let last_row = list.cells.last().unwrap().row_idx as usize;
        assert_eq!((list.name.as_str(), last_row), ("Findings", n_findings));
    }
    check_marked(platform, receipts).await;
}

/// Whoever has something to mend gets the workbook back with its cells marked, or is told why not.
async fn check_marked(platform: &Platform, receipts: &[Value]) {
    let address = &platform.address;
    let page = |receipt: &Value| {
        let id = receipt["submission_id"].as_str().unwrap();
        format!("{address}/submissions/{id}")
    };
    let says = async |receipt: &Value, words: &str| {
        until(words, Duration::from_mins(1), || async {
            let page = get_text(&page(receipt)).await;
            page.contains(words).then_some(page)
        })
        .await
    };
    let ready = get_text(&page(&receipts[0])).await;
    assert!(!ready.contains("cells marked"), "{ready}");
    let to_mend = says(&receipts[1], "Your own workbook with the cells marked</a>").await;
    let link = to_mend
        .split("href=\"")
        .find(|link| link.contains("/marked.xlsx\""));
    let link = link.unwrap().split('"').next().unwrap();
    let marked = get_bytes(&format!("{address}{link}")).await;
    let marked = sheet::read(&marked, "marked.xlsx", &sheet::Limits::default()).unwrap();
    assert_eq!(marked.sheets[0].name, sheet::FINDINGS_SHEET);
    says(&receipts[2], "give you your own file back").await;
}
