use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;
use crate::answers::{Answer, api, json, refused, server};

#[test]
fn what_is_not_whole_or_is_our_own_is_left_alone() {
    for name in [
        ".hidden.xlsx",
        "~$cases.xlsx",
        "cases.xlsx.part",
        "cases.xlsx.TMP",
        "Thumbs.db",
        "desktop.ini",
    ] {
        assert!(is_left_alone(name), "{name}");
    }
    let is_known = |name: &str| name == "cases.xlsx";
    for name in [
        "cases.xlsx-result.txt",
        "cases.xlsx-findings.xlsx",
        "cases.xlsx-marked.xlsx",
    ] {
        assert!(is_ours(name, is_known), "{name}");
    }
    for name in [
        "cases.xlsx",
        "cases-findings.csv",
        "Tenants’ results.txt",
        "inspection-findings.xlsx",
        "exam-result.txt",
        "findings.xlsx",
    ] {
        assert!(!is_left_alone(name) && !is_ours(name, is_known), "{name}");
    }
}

#[test]
fn one_watcher_looks_after_a_folder_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let api = api("http://127.0.0.1:9", Duration::ZERO);
        Watcher::open(api, folder.path(), Wanted::default(), Screen::Quiet)
    };
    let first = open().unwrap();
    assert!(matches!(open().err(), Some(WatchError::Watched(_))));
    drop(first);
    open().unwrap();
}

/// A folder, and a platform that answers as it was told to.
struct Watched {
    folder: TempDir,
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Watched {
    async fn by(answers: Vec<Answer>) -> Self {
        let (address, asked) = server(answers).await;
        Self {
            folder: tempfile::tempdir().unwrap(),
            address,
            asked,
        }
    }

    /// As a run of the command for a period does.
    async fn look(&self, period: &str) -> Vec<Told> {
        let wanted = Wanted {
            organisation: Some("S12000033".to_owned()),
            return_id: Some("cases".to_owned()),
            period: Some(period.to_owned()),
        };
        let api = api(&self.address, Duration::ZERO);
        let mut watcher = Watcher::open(api, self.folder.path(), wanted, Screen::Quiet).unwrap();
        let today = "2026-11-26".parse().unwrap();
        // What is there has to be the same at a second look.
        watcher.look(today).await.unwrap();
        watcher.look(today).await.unwrap().told
    }

    fn save(&self, name: &str, bytes: &[u8], minutes: u64) {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let saved_at = SystemTime::UNIX_EPOCH + Duration::from_mins(minutes);
        File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(saved_at)
            .unwrap();
    }

    fn n_asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// Of the n-th request.
    fn asked(&self, nth: usize, start: &str) -> String {
        let heads = self.asked.lock().unwrap();
        let line = heads[nth].lines().find(|line| line.starts_with(start));
        line.unwrap().to_owned()
    }
}

const ID: &str = "01900000-0000-7000-8000-000000000001";

fn receipt(bytes: &[u8]) -> Answer {
    let facts = serde_json::json!({
        "submission_id": ID, "organisation": "S12000033", "return_id": "cases", "period": "2026-27-Q1",
        "version_number": 1, "file_name": "cases.csv", "sha256": hex::encode(Sha256::digest(bytes)),
        "bytes": bytes.len(), "repeated": false,
    });
    json("201 Created", &facts.to_string())
}

/// Nothing is wrong with it.
fn ready() -> Vec<Answer> {
    let facts = serde_json::json!({
        "submission_id": ID, "organisation": "S12000033", "return": "cases", "period": "2026-27-Q1",
        "version_number": 1, "state": "ready", "message": null, "outcome": "ready",
        "links": {"page": "/", "findings_json": "/findings", "findings_csv": "/", "findings_xlsx": "/", "marked_xlsx": null},
    });
    vec![
        json("200 OK", &facts.to_string()),
        json("200 OK", "{\"findings\": []}"),
    ]
}

fn is_sent(told: &[Told]) -> bool {
    matches!(told, [Told::Sent { .. }])
}

#[tokio::test]
async fn what_was_refused_is_sent_when_it_is_saved_anew() {
    let watched = Watched::by(vec![
        refused("409 Conflict", "Not open yet"),
        receipt(b"a,b\n"),
    ])
    .await;
    watched.save("cases.csv", b"a,b\n", 1);
    let told = watched.look("2026-27-Q1").await;
    assert!(
        matches!(&told[..], [Told::Refused { reason, .. }] if reason.contains("Not open yet")),
        "{told:?}"
    );
    assert_eq!(watched.look("2026-27-Q1").await, [], "not again by itself");
    assert_eq!(watched.n_asked(), 1);
    // The very same bytes.
    watched.save("cases.csv", b"a,b\n", 2);
    let told = watched.look("2026-27-Q1").await;
    assert!(is_sent(&told), "{told:?}");
    assert_ne!(
        watched.asked(0, "idempotency-key"),
        watched.asked(1, "idempotency-key")
    );
}

#[tokio::test]
async fn the_same_bytes_saved_anew_are_sent_for_another_round_alone() {
    let mut answers = vec![receipt(b"none\n")];
    answers.extend(ready());
    answers.push(receipt(b"none\n"));
    let watched = Watched::by(answers).await;
    watched.save("cases.csv", b"none\n", 1);
    assert!(is_sent(&watched.look("2026-27-Q1").await));
    let told = watched.look("2026-27-Q1").await;
    assert!(matches!(&told[..], [Told::Checked { .. }]), "{told:?}");
    watched.save("cases.csv", b"none\n", 2);
    assert_eq!(watched.look("2026-27-Q1").await, []);
    assert_eq!(
        watched.look("2026-27-Q2").await,
        [],
        "it was not saved since"
    );
    assert_eq!(watched.n_asked(), 3);
    watched.save("cases.csv", b"none\n", 3);
    assert!(is_sent(&watched.look("2026-27-Q2").await));
    assert!(watched.asked(3, "post ").contains("2026-27-q2"));
}

#[tokio::test]
async fn what_is_as_it_was_is_not_read_again() {
    let mut answers = vec![receipt(b"one")];
    answers.extend(ready());
    let watched = Watched::by(answers).await;
    watched.save("cases.csv", b"one", 1);
    watched.look("2026-27-Q1").await;
    watched.look("2026-27-Q1").await;
    assert_eq!(watched.n_asked(), 3);
    // Other bytes that nothing but reading could tell.
    watched.save("cases.csv", b"two", 1);
    assert_eq!(watched.look("2026-27-Q1").await, []);
    assert_eq!(watched.n_asked(), 3);
}

#[tokio::test]
async fn what_is_wrong_with_one_file_holds_up_no_other() {
    let watched = Watched::by(vec![
        receipt(b"one"),
        refused("404 Not Found", "Not there"),
        receipt(b"two"),
        refused("404 Not Found", "Not there"),
    ])
    .await;
    watched.save("a.csv", b"one", 1);
    assert!(is_sent(&watched.look("2026-27-Q1").await));
    watched.save("b.csv", b"two", 1);
    let told = watched.look("2026-27-Q1").await;
    assert!(
        matches!(&told[..], [Told::Delayed { file, .. }, Told::Sent { .. }] if file == "a.csv"),
        "{told:?}"
    );
    // A token that is over holds up everything.
    let watched = Watched::by(vec![refused("401 Unauthorized", "Token not good")]).await;
    watched.save("a.csv", b"one", 1);
    let api = api(&watched.address, Duration::ZERO);
    let mut watcher =
        Watcher::open(api, watched.folder.path(), Wanted::default(), Screen::Quiet).unwrap();
    let today = "2026-11-26".parse().unwrap();
    watcher.look(today).await.unwrap();
    let error = watcher.look(today).await.unwrap_err();
    assert!(error.to_string().contains("Token not good"), "{error}");
}
