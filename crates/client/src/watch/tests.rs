use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;
use crate::answers::{Answer, api, json, page, refused, server};

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
        self.look_at(period, SystemTime::UNIX_EPOCH).await.told
    }

    async fn look_at(&self, period: &str, now: SystemTime) -> Looked {
        let wanted = Wanted {
            organisation: Some("S12000033".to_owned()),
            return_id: Some("cases".to_owned()),
            period: Some(period.to_owned()),
        };
        let api = api(&self.address, Duration::ZERO);
        let mut watcher = Watcher::open(api, self.folder.path(), wanted, Screen::Quiet).unwrap();
        let today = "2026-11-26".parse().unwrap();
        // What is there has to be the same at a second look.
        watcher.look(today, now).await.unwrap();
        watcher.look(today, now).await.unwrap()
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

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.folder.path().join(from), self.folder.path().join(to)).unwrap();
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
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
    vec![status_of("ready", Some("ready"), None), no_findings()]
}

/// What a submission has come to.
fn status_of(state: &str, outcome: Option<&str>, marked: Option<&str>) -> Answer {
    let facts = serde_json::json!({
        "submission_id": ID, "organisation": "S12000033", "return": "cases", "period": "2026-27-Q1",
        "version_number": 1, "state": state, "message": outcome.is_none().then_some("We could not check it."),
        "outcome": outcome,
        "links": {"page": "/", "findings_json": "/findings", "findings_csv": "/", "findings_xlsx": "/", "marked_xlsx": marked},
    });
    json("200 OK", &facts.to_string())
}

fn no_findings() -> Answer {
    json("200 OK", "{\"findings\": []}")
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
    let now = SystemTime::UNIX_EPOCH;
    let looked = watched.look_at("2026-27-Q1", now).await;
    assert_eq!(looked.told, [], "not again by itself");
    assert_eq!(looked.n_refused, 1, "and it still is");
    assert_eq!(watched.n_asked(), 1);
    // The very same bytes.
    watched.save("cases.csv", b"a,b\n", 2);
    let looked = watched.look_at("2026-27-Q1", now).await;
    assert!(is_sent(&looked.told), "{looked:?}");
    assert_eq!(looked.n_refused, 0);
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
    let now = SystemTime::now();
    watcher.look(today, now).await.unwrap();
    let error = watcher.look(today, now).await.unwrap_err();
    assert!(error.to_string().contains("Token not good"), "{error}");
}

#[test]
fn a_folder_that_is_not_there_is_not_made() {
    let dir = tempfile::tempdir().unwrap();
    let open = |folder: &Path| {
        let api = api("http://127.0.0.1:9", Duration::ZERO);
        Watcher::open(api, folder, Wanted::default(), Screen::Quiet).err()
    };
    let missing = dir.path().join("dorp");
    let error = open(&missing).unwrap();
    assert!(matches!(error, WatchError::NoFolder(_)), "{error}");
    assert!(!error.is_for_now() && !missing.exists());
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    assert!(matches!(open(&file), Some(WatchError::NoFolder(_))));
    assert!(open(dir.path()).is_none());
}

#[tokio::test]
async fn what_could_not_be_checked_is_open_until_it_has_an_outcome() {
    let watched = Watched::by(vec![
        receipt(b"one"),
        status_of("needs_attention", None, None),
        status_of("needs_attention", None, None),
        status_of("ready", Some("ready"), None),
        no_findings(),
    ])
    .await;
    let look = async || watched.look_at("2026-27-Q1", SystemTime::UNIX_EPOCH).await;
    watched.save("cases.csv", b"one", 1);
    assert!(is_sent(&look().await.told));
    let looked = look().await;
    assert_eq!(
        (looked.n_waiting, looked.n_delayed),
        (0, 1),
        "held up by nothing, and not done"
    );
    assert!(
        matches!(&looked.told[..], [Told::Delayed { reason, .. }] if reason == "We could not check it."),
        "{:?}",
        looked.told
    );
    assert!(
        watched
            .text("cases.csv-result.txt")
            .contains("We could not check it.")
    );
    let looked = look().await;
    assert_eq!(
        (looked.n_delayed, &looked.told[..]),
        (1, &[][..]),
        "said once"
    );
    let looked = look().await;
    assert_eq!(looked.n_delayed, 0);
    assert!(
        matches!(&looked.told[..], [Told::Checked { .. }]),
        "{:?}",
        looked.told
    );
    assert!(
        watched
            .text("cases.csv-result.txt")
            .contains("nothing has to be fixed")
    );
    assert_eq!(look().await, Looked::default());
    assert_eq!(watched.n_asked(), 5);
}

#[tokio::test]
async fn a_workbook_is_marked_an_hour_later_as_well_and_no_run_waits_for_it() {
    let unmarked = || status_of("needs_correction", Some("needs_correction"), None);
    let marked = status_of(
        "needs_correction",
        Some("needs_correction"),
        Some("/marked"),
    );
    let minutes = |n| SystemTime::UNIX_EPOCH + Duration::from_mins(n);
    let mut answers = vec![receipt(b"one"), unmarked(), no_findings()];
    answers.extend((0..12).map(|_| unmarked()));
    answers.extend([marked, json("200 OK", "PK")]);
    let watched = Watched::by(answers).await;
    let look = async |n| watched.look_at("2026-27-Q1", minutes(n)).await;
    watched.save("cases.xlsx", b"one", 1);
    look(0).await;
    let looked = look(0).await;
    assert_eq!((looked.n_waiting, looked.n_soon_marked), (0, 1));
    assert!(
        matches!(&looked.told[..], [Told::Checked { .. }]),
        "{:?}",
        looked.told
    );
    for n in 1..=12 {
        assert_eq!(look(n).await, Looked::default(), "{n}");
    }
    // The next run is the next day's, and finds it.
    assert_eq!(look(24 * 60).await, Looked::default());
    assert_eq!(watched.text("cases.xlsx-marked.xlsx"), "PK");
    let n_asked = watched.n_asked();
    look(25 * 60).await;
    assert_eq!(watched.n_asked(), n_asked, "that was the last of it");

    // What can't be marked is given up after an hour.
    let answers = vec![
        receipt(b"one"),
        unmarked(),
        no_findings(),
        unmarked(),
        unmarked(),
    ];
    let watched = Watched::by(answers).await;
    watched.save("cases.csv", b"one", 1);
    for n in [0, 0, 59, 60, 61] {
        watched.look_at("2026-27-Q1", minutes(n)).await;
    }
    assert_eq!(watched.n_asked(), 5);
}

#[tokio::test]
async fn what_is_called_otherwise_is_not_sent_again() {
    let mut answers = vec![receipt(b"one")];
    answers.extend(ready());
    answers.push(receipt(b"one"));
    let watched = Watched::by(answers).await;
    watched.save("a.csv", b"one", 1);
    assert!(is_sent(&watched.look("2026-27-Q1").await));
    // Before its outcome is there: that is written beside its new name.
    watched.rename("a.csv", "b.csv");
    let told = watched.look("2026-27-Q1").await;
    assert!(
        matches!(&told[..], [Told::Known { file, before, sent_for, .. }]
            if file == "b.csv" && before == "a.csv" && sent_for == "cases 2026-27-Q1 of S12000033"),
        "{told:?}"
    );
    let told = watched.look("2026-27-Q1").await;
    assert!(matches!(&told[..], [Told::Checked { .. }]), "{told:?}");
    assert!(watched.text("b.csv-result.txt").starts_with("b.csv: "));
    // Put aside in the next round: it was not saved since.
    watched.rename("b.csv", "old.csv");
    let told = watched.look("2026-27-Q2").await;
    assert!(matches!(&told[..], [Told::Known { .. }]), "{told:?}");
    assert_eq!(
        watched.look("2026-27-Q2").await,
        [],
        "said once, and what lies beside b.csv is no file"
    );
    // A copy under another name.
    watched.save("copy.csv", b"one", 2);
    let told = watched.look("2026-27-Q1").await;
    assert!(matches!(&told[..], [Told::Known { .. }]), "{told:?}");
    assert_eq!(watched.n_asked(), 3);
}

#[tokio::test]
async fn a_copy_is_sent_for_another_round() {
    let mut answers = vec![receipt(b"none")];
    answers.extend(ready());
    answers.push(receipt(b"none"));
    let watched = Watched::by(answers).await;
    watched.save("a.csv", b"none", 1);
    watched.look("2026-27-Q1").await;
    watched.look("2026-27-Q1").await;
    watched.save("b.csv", b"none", 2);
    assert!(is_sent(&watched.look("2026-27-Q2").await));
    assert!(watched.asked(3, "post ").contains("2026-27-q2"));
}

#[tokio::test]
async fn what_is_refused_counts_until_it_is_taken_away() {
    let watched = Watched::by(vec![refused("409 Conflict", "Not open yet")]).await;
    watched.save("cases.csv", b"one", 1);
    let look = async || watched.look_at("2026-27-Q1", SystemTime::UNIX_EPOCH).await;
    for _ in 0..2 {
        assert_eq!(look().await.n_refused, 1);
    }
    fs::remove_file(watched.folder.path().join("cases.csv")).unwrap();
    fs::remove_file(watched.folder.path().join("cases.csv-result.txt")).unwrap();
    assert_eq!(look().await, Looked::default());
}

#[tokio::test]
async fn what_a_proxy_answers_is_no_refusal_and_the_file_is_sent_later() {
    let in_between = [
        "302 Found",
        "407 Proxy Authentication Required",
        "403 Forbidden",
        "404 Not Found",
        "401 Unauthorized",
        "200 OK",
    ];
    let mut answers: Vec<Answer> = in_between.iter().map(|status| page(status)).collect();
    answers.push(receipt(b"one"));
    let watched = Watched::by(answers).await;
    let look = async || watched.look_at("2026-27-Q1", SystemTime::UNIX_EPOCH).await;
    watched.save("cases.csv", b"one", 1);
    for status in in_between {
        let looked = look().await;
        assert!(
            matches!(&looked.told[..], [Told::Delayed { reason, .. }] if reason.contains(status)),
            "{status}: {looked:?}"
        );
        assert_eq!((looked.n_waiting, looked.n_refused), (1, 0), "{status}");
    }
    assert!(!watched.folder.path().join("cases.csv-result.txt").exists());
    assert!(is_sent(&look().await.told));
    let key = |nth| watched.asked(nth, "idempotency-key");
    assert_eq!(key(0), key(in_between.len()), "it is the same sending");
}

#[tokio::test]
async fn what_comes_of_a_file_with_a_long_name_is_written_beside_it() {
    let mut answers = vec![receipt(b"one")];
    answers.extend(ready());
    let watched = Watched::by(answers).await;
    let name = "é".repeat(122) + ".xlsx";
    assert_eq!(name.len(), 249);
    watched.save(&name, b"one", 1);
    assert!(is_sent(&watched.look("2026-27-Q1").await));
    let told = watched.look("2026-27-Q1").await;
    assert!(matches!(&told[..], [Told::Checked { .. }]), "{told:?}");
    let result = beside(&watched.folder.path().join(&name), "result.txt");
    let text = fs::read_to_string(result).unwrap();
    assert!(text.starts_with(&name), "{text}");
    // What was written is nobody's file.
    let looked = watched.look_at("2026-27-Q1", SystemTime::UNIX_EPOCH).await;
    assert_eq!(looked, Looked::default());
    assert_eq!(watched.n_asked(), 3);
}
