//! Three councils send their files; the office reads the consolidated dataset and each council its mail.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::council::{Council, PERIOD, RETURN, assessed, client, submit, workbook};
use crate::lgdp::Platform;
use crate::mailbox::Received;
use crate::person::Person;
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
    let emails = emails(&platform, &receipts, worker).await;
    check_pages(&platform, &receipts).await;
    submit(&platform, &receipts[0]).await;
    let dataset = dataset(&platform).await;
    check_dataset(&dataset, &statuses);
    // Another one each time.
    let dataset = dataset.replace(receipts[0]["submission_id"].as_str().unwrap(), "…");
    Ending {
        statuses,
        emails,
        dataset,
    }
}

/// As the return's team takes it.
async fn dataset(platform: &Platform) -> String {
    let url = format!(
        "{}/api/returns/{RETURN}/periods/{PERIOD}/dataset.csv",
        platform.address
    );
    let asked = client()
        .get(url)
        .bearer_auth(platform.reading_token(RETURN));
    let response = asked.send().await.unwrap();
    assert!(response.status().is_success(), "{}", response.status());
    response.text().await.unwrap()
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

/// Each council's own people read it in words, and the findings are there for programs too.
async fn check_pages(platform: &Platform, receipts: &[Value]) {
    let stories = [
        ("is ready", "is ready"),
        ("needs correction", "to fix"),
        ("could not be used", "could not use this file"),
    ];
    for (receipt, (state, sentence)) in receipts.iter().zip(stories) {
        let code = receipt["organisation"].as_str().unwrap();
        let email = format!("{}@people.example", code.to_lowercase());
        platform.invite(&email, "uploader", code);
        let person = Person::sign_in(platform, &email).await;
        let home = person.text("/").await;
        assert!(home.contains(state.trim_start_matches("is ")), "{home}");
        let id = receipt["submission_id"].as_str().unwrap();
        for other in receipts {
            let other = other["submission_id"].as_str().unwrap();
            assert_eq!(home.contains(other), other == id, "{home}");
        }
        let page = person.text(&format!("/submissions/{id}")).await;
        assert!(page.contains(sentence), "{page}");
        assert!(page.contains(receipt["sha256"].as_str().unwrap()));
        check_lists(&person, id).await;
        check_marked(&person, id, state).await;
    }
}

/// The same findings in each form.
async fn check_lists(person: &Person, id: &str) {
    let list = |ending: &str| format!("/api/submissions/{id}/findings.{ending}");
    let json: Value = serde_json::from_str(&person.text(&list("json")).await).unwrap();
    let n_findings = json["findings"].as_array().unwrap().len();
    let csv = person.text(&list("csv")).await;
    assert_eq!(csv.lines().count(), n_findings + 1, "{csv}");
    let xlsx = person.bytes(&list("xlsx")).await;
    let xlsx = sheet::read(&xlsx, "findings.xlsx", &sheet::Limits::default()).unwrap();
    let list = &xlsx.sheets[1];
    let last_row = list.cells.last().unwrap().row_idx as usize;
    assert_eq!((list.name.as_str(), last_row), ("Findings", n_findings));
}

/// Whoever has something to mend gets the workbook back with its cells marked, or is told why not.
async fn check_marked(person: &Person, id: &str, state: &str) {
    let path = format!("/submissions/{id}");
    let says = async |words: &str| {
        until(words, Duration::from_mins(1), || async {
            let page = person.text(&path).await;
            page.contains(words).then_some(page)
        })
        .await
    };
    match state {
        "is ready" => {
            let page = person.text(&path).await;
            assert!(!page.contains("cells marked"), "{page}");
        }
        "needs correction" => {
            let page = says("Your own workbook with the cells marked</a>").await;
            let link = page
                .split("href=\"")
                .find(|link| link.contains("/marked.xlsx\""));
            let marked = person.bytes(link.unwrap().split('"').next().unwrap()).await;
            let marked = sheet::read(&marked, "marked.xlsx", &sheet::Limits::default()).unwrap();
            assert_eq!(marked.sheets[0].name, sheet::FINDINGS_SHEET);
        }
        _ => {
            says("give you your own file back").await;
        }
    }
}
