//! Several files at once: what they are taken for, what the sender decides, and what becomes of each.

use assess::{FileFacts, Head, How, RecognisedForm, Recognition};
use chrono::Utc;
use finding::{Finding, Outcome, Severity};
use serde_json::json;
use sha2::Digest as _;
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;
use workflow::{Actor, ParcelState, Waiting};

use super::uploads::{BOUNDARY, FIELDS, files_form, form, send_form};
use super::{Answer, Running, SUBMISSIONS, cookie, read_answer};

const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";
const ROUND: &str = "cases/2026-27-Q1";
/// Without a return and period.
const UNSAID: [(&str, &str); 3] = [FIELDS[0], FIELDS[1], FIELDS[3]];

impl Running {
    fn store(&self) -> files::Files {
        files::Files::open(&files::Config::Folder(self.files.clone())).unwrap()
    }

    fn n_passing(&self) -> usize {
        std::fs::read_dir(self.files.join("passing")).map_or(0, Iterator::count)
    }

    /// Sends files of which nobody says what they are; the path of their page.
    async fn put_in(&self, files: &[(&str, &str)]) -> String {
        let answer = send_form(self, &files_form(self, &UNSAID, files)).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        answer.header("location").unwrap().to_owned()
    }

    async fn waiting(&self, page: &str) -> Vec<Waiting> {
        let id = page.rsplit('/').next().unwrap().split('?').next().unwrap();
        let id = id.parse().unwrap();
        let all = workflow::batch(&self.db, &Actor::system("test"), id).await;
        all.unwrap()
    }

    /// What a worker does with each file of a page.
    async fn recognise(&self, page: &str, what: &[Recognition]) {
        for (one, recognition) in self.waiting(page).await.iter().zip(what) {
            let today = Utc::now().date_naive();
            let actor = Actor::system("test");
            workflow::recognised(&self.db, &actor, one.parcel.id, recognition, today)
                .await
                .unwrap();
        }
    }

    async fn decide(&self, page: &str, choices: &str) -> Answer {
        let body = format!("form_token={}&{choices}", self.session.form_token());
        self.ask("POST", page, FORM, body.as_bytes()).await
    }
}

fn is_cases() -> Recognition {
    Recognition::Forms {
        forms: vec![RecognisedForm {
            return_id: "cases".to_owned(),
            version: "1.0".to_owned(),
            period: None,
        }],
        how: How::Looks,
    }
}

#[tokio::test]
async fn several_files_are_told_apart_confirmed_and_sent_once() {
    let site = Running::start().await;
    let page = site
        .put_in(&[("cases.csv", "REF\nA1\n"), ("list.csv", "Name\nx\n")])
        .await;
    let waits = site.get(&page).await.body;
    assert!(waits.contains("data-live"), "{waits}");
    assert!(waits.contains("In the queue"), "{waits}");
    assert!(!waits.contains("<select"), "nothing is decided yet");

    site.recognise(&page, &[is_cases(), Recognition::Unknown])
        .await;
    let asks = site.get(&page).await.body;
    assert!(asks.contains("This looks like Cases (CASES)."), "{asks}");
    assert!(asks.contains("We can&#39;t tell which return"), "{asks}");
    let chosen = format!("value=\"{ROUND}\" selected");
    assert_eq!(asks.matches(&chosen).count(), 1, "{asks}");
    assert_eq!(site.n_received().await, 0, "nothing is sent yet");

    // One is not said: nothing is done, and the summary leads there.
    let mistake = site
        .decide(&page, &format!("purpose=send&round-1={ROUND}&round-2="))
        .await;
    assert_eq!(mistake.status, 400, "{mistake:?}");
    assert!(
        mistake.body.contains("href=\"#round-2\""),
        "{}",
        mistake.body
    );
    assert!(mistake.body.contains(&chosen), "the other choice stays");
    let both = format!("purpose=send&round-1={ROUND}&round-2={ROUND}");
    let twice = site.decide(&page, &both).await;
    assert!(
        twice.body.contains("File 1 is for the same"),
        "{}",
        twice.body
    );
    assert_eq!(site.n_received().await, 0);

    let choices = format!("purpose=send&round-1={ROUND}&round-2=leave");
    let (one, two) = tokio::join!(site.decide(&page, &choices), site.decide(&page, &choices));
    assert_eq!((one.status, two.status), (303, 303), "{one:?} {two:?}");
    assert_eq!(one.header("location"), Some(page.as_str()));
    assert_eq!(site.n_received().await, 1);
    let sent = site.get(&page).await.body;
    assert!(
        sent.contains("Sent in as Cases, April to June 2026"),
        "{sent}"
    );
    assert!(sent.contains("left out"), "{sent}");
    assert_eq!(
        (site.n_passing(), site.n_kept(), site.n_spooled()),
        (0, 1, 0)
    );
}

#[tokio::test]
async fn the_very_file_that_was_sent_is_left_out_unless_it_is_meant() {
    let site = Running::start().await;
    let file = ("cases.csv", "REF\nA1\n");
    let first = send_form(&site, &form(&site, &FIELDS, Some(file))).await;
    assert!(
        first
            .header("location")
            .unwrap()
            .starts_with("/submissions/")
    );

    // From another window: another form, the same file.
    let mut fields = FIELDS;
    fields[0] = ("idempotency_key", "k2");
    let second = send_form(&site, &form(&site, &fields, Some(file))).await;
    let page = second.header("location").unwrap().to_owned();
    assert!(page.starts_with("/upload/"), "{second:?}");
    assert_eq!(site.n_received().await, 1);
    site.recognise(&page, &[is_cases()]).await;
    let told = site.get(&page).await.body;
    assert!(
        told.contains("This very file was sent in already"),
        "{told}"
    );
    assert!(told.contains("value=\"leave\" selected"), "{told}");

    let meant = site
        .decide(&page, &format!("purpose=send&round-1={ROUND}"))
        .await;
    assert!(
        meant
            .header("location")
            .unwrap()
            .starts_with("/submissions/")
    );
    assert_eq!(site.n_received().await, 2);
}

#[tokio::test]
async fn the_same_file_twice_is_left_out_once() {
    let site = Running::start().await;
    let page = site.put_in(&[("a.csv", "REF\n"), ("b.csv", "REF\n")]).await;
    site.recognise(&page, &[is_cases(), is_cases()]).await;
    let told = site.get(&page).await.body;
    assert!(told.contains("the very same file as file 1"), "{told}");
    assert_eq!(told.matches("value=\"leave\" selected").count(), 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_said_and_nothing_is_kept() {
    let site = Running::start().await;
    let large = "x".repeat(120_000);
    let many: Vec<(&str, &str)> = (0..21).map(|_| ("a.csv", "x")).collect();
    for (files, status, told) in [
        (
            &[("a.csv", "x"), ("empty.csv", "")][..],
            400,
            "The file \"empty.csv\" is empty.",
        ),
        (
            &[("large.csv", large.as_str()), ("a.csv", "x")],
            413,
            "The file \"large.csv\" is larger",
        ),
        (
            &many,
            400,
            "You chose 21 files, and 20 can be sent together.",
        ),
    ] {
        let answer = send_form(&site, &files_form(&site, &UNSAID, files)).await;
        assert_eq!(answer.status, status, "{told}: {answer:?}");
        let body = answer.body.replace("&#34;", "\"");
        assert!(body.contains(told), "{told}: {body}");
        assert!(body.contains("There is a problem"), "{body}");
        site.check_nothing_is_left().await;
        assert_eq!(site.n_passing(), 0);
    }
}

#[tokio::test]
async fn a_form_that_was_used_for_other_files_is_told_and_replaced() {
    let site = Running::start().await;
    site.put_in(&[("a.csv", "one")]).await;
    let again = send_form(&site, &files_form(&site, &UNSAID, &[("b.csv", "two")])).await;
    assert_eq!(again.status, 409, "{again:?}");
    assert!(again.body.contains("Here is a fresh one"), "{}", again.body);
    assert!(!again.body.contains("value=\"k1\""), "{}", again.body);
}

/// What a worker writes down of a file it checked.
async fn write_answer(site: &Running, id: Uuid, n_findings: u32) {
    let findings: Vec<Finding> = (0..n_findings)
        .map(|n| {
            Finding::new(
                "case.odd",
                Severity::Error,
                "The canary is odd.",
                "Mend it.",
            )
            .at_cell(format!("Cases!B{}", n + 2).parse().unwrap())
            .with_value("canary value")
        })
        .collect();
    let head = Head {
        return_id: "cases".to_owned(),
        version: "1.0".to_owned(),
        spec_hash: "hash-1".to_owned(),
        organisation: None,
        period: None,
        outcome: Outcome::NeedsCorrection,
        file: FileFacts {
            name: "cases.csv".to_owned(),
            sha256: "0".repeat(64),
            bytes: 7,
        },
        tables: Vec::new(),
        ignored_sheets: Vec::new(),
        counts: vec![assess::RuleCount {
            severity: Severity::Error,
            rule: "case.odd".into(),
            n: u64::from(n_findings),
        }],
        compared_with: Vec::new(),
    };
    let answer = format!("{}\n{}\n", json!(head), json!(findings));
    let path = site.files.join("answer-to-put");
    std::fs::write(&path, &answer).unwrap();
    let hash = hex::encode(sha2::Sha256::digest(&answer));
    let answer = (path.as_path(), hash.as_str());
    let actor = Actor::system("test");
    workflow::checked(
        &site.db,
        &site.store(),
        &actor,
        id,
        &head,
        answer,
        Utc::now(),
    )
    .await
    .unwrap();
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn a_file_that_is_only_checked_is_told_of_and_leaves_nothing() {
    let site = Running::start().await;
    let fields = [&FIELDS[..], &[("purpose", "check")]].concat();
    let file = Some(("cases.csv", "REF\nA1\n"));
    let asked = send_form(&site, &form(&site, &fields, file)).await;
    let page = asked.header("location").unwrap().to_owned();
    assert!(page.starts_with("/checked/"), "{asked:?}");
    assert_eq!(
        (site.n_received().await, site.n_kept(), site.n_spooled()),
        (0, 0, 0)
    );
    let waits = site.get(&page).await.body;
    assert!(
        waits.contains("data-live") && waits.contains("In the queue: your file is next"),
        "{waits}"
    );
    assert_eq!(site.get(&format!("{page}/findings.csv")).await.status, 404);

    let id: Uuid = page.rsplit('/').next().unwrap().parse().unwrap();
    write_answer(&site, id, 25).await;
    let found = site.get(&page).await;
    assert!(
        found.body.contains("The canary is odd. In 25 places."),
        "{}",
        found.body
    );
    assert!(
        found.body.contains("These are the first 20 of 25."),
        "{}",
        found.body
    );
    assert!(
        found
            .body
            .contains("Nothing was sent, and your file is deleted already.")
    );
    assert_eq!(found.header("cache-control"), Some("no-store"));
    let csv = site.get(&format!("{page}/findings.csv")).await;
    assert_eq!(csv.body.matches("canary value").count(), 25, "{}", csv.body);
    assert!(csv.head.contains("cases-checked.csv"), "{}", csv.head);
    let xlsx = site.get(&format!("{page}/findings.xlsx")).await;
    assert_eq!(xlsx.status, 200);
    assert!(xlsx.body.contains("xl/worksheets/sheet1.xml"));

    // Whoever signs out leaves nothing of another's.
    let actor = Actor::system("test");
    workflow::forget_checked(&site.db, &site.store(), &actor)
        .await
        .unwrap();
    assert_eq!(site.get(&page).await.status, 200);
    // Left in time, or as here at once.
    let one = workflow::parcel(&site.db, &Actor::system("test"), id).await;
    let batch = format!("/upload/{}", one.unwrap().parcel.batch);
    let left = site.decide(&batch, "purpose=forget").await;
    assert_eq!(left.header("location"), Some("/upload"), "{left:?}");
    for path in [page.as_str(), &batch] {
        let gone = site.get(path).await;
        assert_eq!(gone.status, 404);
        assert!(
            gone.body.contains("Nothing is kept here any more"),
            "{}",
            gone.body
        );
    }
    assert_eq!((site.n_passing(), site.n_spooled()), (0, 0));
    site.check_nothing_is_left().await;
}

#[tokio::test]
async fn signing_out_forgets_what_was_only_checked() {
    let site = Running::start().await;
    let fields = [&FIELDS[..], &[("purpose", "check")]].concat();
    let asked = send_form(&site, &form(&site, &fields, Some(("cases.csv", "REF\n")))).await;
    let page = asked.header("location").unwrap().to_owned();
    let id = page.rsplit('/').next().unwrap().parse().unwrap();
    write_answer(&site, id, 1).await;
    assert_eq!(site.n_passing(), 1);
    let left = site.decide("/sign-out", "").await;
    assert_eq!(left.status, 303, "{left:?}");
    let actor = Actor::system("test");
    assert!(workflow::parcel(&site.db, &actor, id).await.is_err());
    assert_eq!(site.n_passing(), 0);
}

#[tokio::test]
async fn a_session_that_ended_before_its_files_came_is_told_so_and_nothing_is_kept() {
    let site = Running::start().await;
    workflow::sign_out(&site.db, &site.session, Utc::now())
        .await
        .unwrap();
    let answer = send_form(&site, &form(&site, &FIELDS, Some(("a.csv", "x")))).await;
    told_and_back(&site, &answer).await;
}

#[tokio::test]
async fn a_session_that_ends_while_its_files_come_is_told_so_and_nothing_is_kept() {
    let site = Running::start().await;
    let body = form(&site, &FIELDS, Some(("a.csv", &"x".repeat(50_000))));
    let mut stream = site.connect().await;
    let head = format!(
        "POST /upload HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n{}content-type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n",
        site.address,
        body.len(),
        cookie(&site.session)
    );
    let (first, rest) = body.split_at(body.len() / 2);
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(first).await.unwrap();
    // The site has let it in, and has begun to keep it.
    while site.n_spooled() == 0 {
        tokio::task::yield_now().await;
    }
    workflow::sign_out(&site.db, &site.session, Utc::now())
        .await
        .unwrap();
    stream.write_all(rest).await.unwrap();
    let answer = read_answer(&mut stream).await;
    told_and_back(&site, &answer).await;
}

/// The page says what happened, and signing in leads back to the page that takes files.
async fn told_and_back(site: &Running, answer: &Answer) {
    assert_eq!(answer.status, 303, "{answer:?}");
    let place = answer.header("location").unwrap();
    assert_eq!(place, "/sign-in?over=sending");
    let way_back = answer.header("set-cookie").unwrap();
    assert!(
        way_back.starts_with("__Host-lgdp-way-back=upload; HttpOnly"),
        "{way_back}"
    );
    let told = site.ask_as("", "GET", place, "", b"").await;
    assert!(
        told.body.contains("None of them was sent or kept"),
        "{}",
        told.body
    );
    site.check_nothing_is_left().await;
    assert_eq!(site.n_passing(), 0);
}

#[tokio::test]
async fn whoever_may_not_send_is_offered_to_check_or_nothing() {
    use access::{Grant, Reach, Role};
    let site = Running::start().await;
    let own = || Reach::Organisation("S12000001".to_owned());
    for (role, reach, offered, status) in [
        (Role::Uploader, own(), Some("Send a return"), 200),
        (Role::Approver, own(), Some("Check a file"), 200),
        (Role::Auditor, own(), None, 403),
        (
            Role::DatasetTeam,
            Reach::Return("cases".to_owned()),
            None,
            403,
        ),
    ] {
        let who = super::signed_in(
            &site.db,
            &format!("{}@x.example", role.as_str()),
            &[Grant { role, reach }],
        )
        .await;
        let home = site.ask_as(&cookie(&who), "GET", "/", "", b"").await.body;
        for words in ["Send a return", "Check a file"] {
            let has = home.contains(&format!(">{words}<"));
            assert_eq!(has, offered == Some(words), "{role:?}: {words}");
        }
        let page = site.ask_as(&cookie(&who), "GET", "/upload", "", b"").await;
        assert_eq!(page.status, status, "{role:?}");
        let sends = page.body.contains("value=\"send\"");
        assert_eq!(sends, role == Role::Uploader, "{role:?}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_whole_is_told_and_can_be_sent_again() {
    let site = Running::start().await;
    let page = site.put_in(&[("a.csv", "one")]).await;
    let states: Vec<ParcelState> = site
        .waiting(&page)
        .await
        .iter()
        .map(|one| one.parcel.state)
        .collect();
    assert_eq!(states, [ParcelState::Waiting]);
    let actor = Actor::system("test");
    let id = site.waiting(&page).await[0].parcel.id;
    workflow::give_up_parcel(&site.db, &actor, id)
        .await
        .unwrap();
    let told = site.get(&page).await.body;
    assert!(told.contains("This is our fault, not yours"), "{told}");
    let sent = site
        .decide(&page, &format!("purpose=send&round-1={ROUND}"))
        .await;
    assert!(
        sent.header("location")
            .unwrap()
            .starts_with("/submissions/")
    );
}

#[tokio::test]
async fn a_program_has_a_file_checked_and_reads_what_was_found() {
    let site = Running::start().await;
    let path = SUBMISSIONS.replace("/submissions?", "/checks?");
    let key = "idempotency-key: one\r\n";
    let asked = site.ask("POST", &path, key, b"REF\nA1\n").await;
    assert_eq!(asked.status, 202, "{asked:?}");
    let status: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(status["state"], "checking");
    assert_eq!(
        status["progress"],
        json!({"stage": "queued", "n_before": 0})
    );
    let again = site.ask("POST", &path, key, b"REF\nA1\n").await;
    assert_eq!(again.header("location"), asked.header("location"));
    let other = site.ask("POST", &path, key, b"REF\nA2\n").await;
    assert_eq!(other.status, 422, "{other:?}");

    let place = asked.header("location").unwrap();
    let findings = format!("{place}/findings.json");
    assert_eq!(site.get(&findings).await.status, 404);
    let id = status["check_id"].as_str().unwrap().parse().unwrap();
    write_answer(&site, id, 3).await;
    let status: serde_json::Value = serde_json::from_str(&site.get(place).await.body).unwrap();
    assert_eq!(status["outcome"], "needs_correction");
    assert_eq!(status["links"]["findings_json"], findings);
    let found: serde_json::Value = serde_json::from_str(&site.get(&findings).await.body).unwrap();
    assert_eq!(found["counts"][0]["n_findings"], 3);
    assert_eq!(found["findings"][0]["value"], "canary value");
    site.check_nothing_is_left().await;

    // What can't be checked is not kept.
    let unknown = path.replace("2026-27-Q1", "2030-31-Q1");
    let refused = site.ask("POST", &unknown, "", b"REF\nA1\n").await;
    assert_eq!(refused.status, 404, "{refused:?}");
    assert_eq!(site.n_passing(), 1, "the answer of the other");
}

#[tokio::test]
async fn what_a_killed_site_left_goes_with_the_next_files_that_come_in() {
    let site = Running::start().await;
    let old = site.spool.join(format!("{}old", crate::spool::PREFIX));
    let new = site.spool.join(format!("{}new", crate::spool::PREFIX));
    for path in [&old, &new] {
        std::fs::write(path, "x").unwrap();
    }
    let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_hours(1);
    std::fs::File::options()
        .write(true)
        .open(&old)
        .unwrap()
        .set_modified(hour_ago)
        .unwrap();
    site.put_in(&[("a.csv", "one")]).await;
    assert!(!old.exists() && new.exists());
}
