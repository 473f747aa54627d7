//! Explaining what is asked, and standing exceptions, as forms that work without scripts.

use access::{Grant, Reach, Role};
use serde_json::Value;
use workflow::Secret;

use super::{Answer, Running, SUBMISSIONS, cookie, signed_in};

const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";

pub(super) fn of_council(role: Role, code: &str) -> Grant {
    Grant {
        role,
        reach: Reach::Organisation(code.to_owned()),
    }
}

fn team() -> Grant {
    Grant {
        role: Role::DatasetTeam,
        reach: Reach::Return("cases".to_owned()),
    }
}

impl Running {
    /// A version of Ardbeg's with three queries of one check; the second has something in it that is no HTML.
    async fn queried(&self) -> String {
        let receipt = self.ask("POST", SUBMISSIONS, "", b"REF\nA1\n").await;
        let receipt: Value = serde_json::from_str(&receipt.body).unwrap();
        let id = receipt["submission_id"].as_str().unwrap().to_owned();
        let (client, connection) =
            tokio_postgres::connect(&self.database.url(), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        let sql = format!(
            "UPDATE submission SET assessed_at = now(), outcome = 'needs_explanation', spec_hash = 'x' WHERE id = '{id}';
             INSERT INTO finding (submission_id, ordinal, rule, severity, cell, value, message, fix, key)
             SELECT '{id}', n, 'case.odd', 'query', 'Cases!B' || n + 1, '<' || n, 'Is it right?', 'Explain it.', 'key' || n
             FROM generate_series(1, 3) n"
        );
        client.batch_execute(&sql).await.unwrap();
        id
    }

    pub(super) async fn send(&self, who: &Secret, path: &str, form: &str) -> Answer {
        let form = format!("form_token={}&{form}", who.form_token());
        self.ask_as(&cookie(who), "POST", path, FORM, form.as_bytes())
            .await
    }
}

/// Where somebody is sent after a form did what it says.
pub(super) fn gone_to(answer: &Answer) -> &str {
    assert_eq!(answer.status, 303, "{answer:?}");
    answer.header("location").unwrap()
}

#[tokio::test]
async fn queries_are_explained_one_by_one_and_all_at_once() {
    let site = Running::start().await;
    let id = site.queried().await;
    let ann = &site.session;
    let page = format!("/submissions/{id}/checks/case.odd");
    let form = format!("{page}/explanations");
    let before = site.get(&page).await.body;
    for part in [
        "name=\"key\" value=\"key2\" form=\"explain\"",
        "All 3 places of this check",
        "Not yet",
        "<textarea",
    ] {
        assert!(before.contains(part), "{part}: {before}");
    }
    assert!(!before.contains("said before"), "{before}");
    let outcome = site.get(&format!("/submissions/{id}")).await.body;
    assert!(outcome.contains("0 of 3 explained."), "{outcome}");
    assert!(
        outcome.contains(&format!("href=\"{page}?page=1\"")),
        "{outcome}"
    );

    let some = "which=ticked&key=key1&key=key3&words=new&text=%3Cb%3EBecause%3C%2Fb%3E";
    let answer = site.send(ann, &form, some).await;
    assert_eq!(gone_to(&answer), format!("{page}?page=1"));
    let after = site.get(&page).await.body;
    let said = after.matches("&#60;b&#62;Because&#60;/b&#62;").count();
    assert_eq!(said, 2, "{after}");
    assert_eq!(after.matches("Not yet").count(), 1, "{after}");
    let outcome = site.get(&format!("/submissions/{id}")).await.body;
    assert!(outcome.contains("2 of 3 explained."), "{outcome}");

    let exported = |ending: &str| format!("/api/submissions/{id}/findings.{ending}");
    // In one piece, with its length before and the end's after.
    let json = site.get(&exported("json")).await.body;
    let json = &json[json.find('{').unwrap()..=json.rfind('}').unwrap()];
    let json: Value = serde_json::from_str(json).unwrap();
    let of = |n: usize| &json["findings"][n];
    assert_eq!(of(0)["key"], "key1");
    assert_eq!(of(0)["explanation"]["text"], "<b>Because</b>");
    assert_eq!(of(0)["explanation"]["by"], "ann");
    assert_eq!(of(1)["explanation"], Value::Null);
    let csv = site.get(&exported("csv")).await.body;
    assert!(csv.contains("key1,<b>Because</b>\n"), "{csv}");
    assert!(csv.contains("key2,\n"), "{csv}");
    assert_eq!(site.get(&exported("xlsx")).await.status, 200);

    let all = "which=all&words=new&text=Counted+twice.&page=1";
    gone_to(&site.send(ann, &form, all).await);
    let after = site.get(&page).await.body;
    assert_eq!(after.matches("Counted twice.").count(), 3, "{after}");
    let outcome = site.get(&format!("/submissions/{id}")).await.body;
    assert!(
        outcome.contains("Everything that was to be explained is explained."),
        "{outcome}"
    );
}

#[tokio::test]
async fn what_is_missing_from_an_explanation_is_said_and_what_was_written_is_kept() {
    let site = Running::start().await;
    let id = site.queried().await;
    let form = format!("/submissions/{id}/checks/case.odd/explanations");
    let long = format!("which=all&text={}", "%F0%9F%98%80".repeat(4_001));
    for (fields, link) in [
        ("which=all&text=+%0D%0A", "href=\"#text\""),
        ("which=ticked&text=Because+of+it", "href=\"#which-ticked\""),
        (
            "which=ticked&key=other&text=Because+of+it",
            "href=\"#which-ticked\"",
        ),
        (long.as_str(), "href=\"#text\""),
    ] {
        let answer = site.send(&site.session, &form, fields).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        for part in ["There is a problem", "<title>Problem: ", link] {
            assert!(answer.body.contains(part), "{part}: {}", answer.body);
        }
        let is_kept = answer.body.contains(">Because of it</textarea>");
        assert_eq!(is_kept, fields.contains("Because"), "{}", answer.body);
    }
    let too_long = format!("which=all&text={}", "x".repeat(70_000));
    let answer = site.send(&site.session, &form, &too_long).await;
    assert_eq!(answer.status, 413, "{answer:?}");
    let other = form.replace("case.odd", "case.none");
    let answer = site.send(&site.session, &other, "which=all&text=x").await;
    assert_eq!(answer.status, 404, "{answer:?}");
    let page = site.get(&format!("/submissions/{id}")).await.body;
    assert!(page.contains("0 of 3 explained."), "{page}");
}

#[tokio::test]
async fn nobody_explains_for_others_or_from_elsewhere() {
    let site = Running::start().await;
    let id = site.queried().await;
    let brora = [of_council(Role::Uploader, "S12000002")];
    let brora = signed_in(&site.db, "bo@brora.example", &brora).await;
    let auditor = [of_council(Role::Auditor, "S12000001")];
    let auditor = signed_in(&site.db, "al@ardbeg.example", &auditor).await;
    let random = "01a20824-5a74-71c5-bcf5-f9cb415e89aa";
    for (path, fields) in [
        ("explanations", "which=all&text=x"),
        (
            "exceptions",
            "id=01a20824-5a74-71c5-bcf5-000000000000&reason=x",
        ),
    ] {
        let of = |id: &str| format!("/submissions/{id}/checks/case.odd/{path}");
        let theirs = site.send(&brora, &of(&id), fields).await;
        let none = site.send(&brora, &of(random), fields).await;
        assert_eq!(theirs.status, 404, "{theirs:?}");
        assert_eq!((theirs.status, theirs.body), (none.status, none.body));
        assert_eq!(site.send(&auditor, &of(&id), fields).await.status, 403);
        let proof = cookie(&site.session);
        for token in ["", "form_token=x&"] {
            let form = format!("{token}{fields}");
            let answer = site
                .ask_as(&proof, "POST", &of(&id), FORM, form.as_bytes())
                .await;
            assert_eq!(answer.status, 403, "{answer:?}");
        }
        let nobody = site
            .ask_as("", "POST", &of(&id), FORM, fields.as_bytes())
            .await;
        assert_eq!(nobody.header("location"), Some("/sign-in"));
    }
    let page = site.get(&format!("/submissions/{id}")).await.body;
    assert!(page.contains("0 of 3 explained."), "{page}");
    let none = site.get("/exceptions").await.body;
    assert!(none.contains("There are none."), "{none}");
}

#[tokio::test]
async fn a_standing_exception_is_asked_for_and_decided() {
    let site = Running::start().await;
    let id = site.queried().await;
    let bo = [of_council(Role::Uploader, "S12000001")];
    let bo = signed_in(&site.db, "bo@ardbeg.example", &bo).await;
    let brora = [of_council(Role::Approver, "S12000002")];
    let brora = signed_in(&site.db, "al@brora.example", &brora).await;
    let tess = signed_in(&site.db, "tess@team.example", &[team()]).await;
    let page = format!("/submissions/{id}/checks/case.odd");
    let ask = format!("{page}/exceptions");
    let shown = site.ask_as(&cookie(&bo), "GET", &page, "", b"").await.body;
    let form_id = shown.split("name=\"id\" value=\"").nth(1).unwrap();
    let form_id = form_id.split('"').next().unwrap();
    let blank = site.send(&bo, &ask, &format!("id={form_id}&reason=")).await;
    assert_eq!(blank.status, 400, "{blank:?}");
    assert!(blank.body.contains("href=\"#reason\""), "{}", blank.body);
    let fields = format!("id={form_id}&place=key2&reason=One+shelter+%26+no+more.");
    // A double click asks once.
    for _ in 0..2 {
        assert_eq!(
            gone_to(&site.send(&bo, &ask, &fields).await),
            format!("{page}?page=1")
        );
    }
    let shown = site.ask_as(&cookie(&bo), "GET", &page, "", b"").await.body;
    assert_eq!(shown.matches("Waits for a decision").count(), 1, "{shown}");

    let waiver = format!("/exceptions/{form_id}");
    let get =
        async |who: &Secret, path: &str| site.ask_as(&cookie(who), "GET", path, "", b"").await;
    for (who, n) in [(&bo, 1), (&tess, 1), (&brora, 0)] {
        let list = get(who, "/exceptions").await;
        assert_eq!(list.body.matches(&waiver).count(), n, "{}", list.body);
    }
    assert_eq!(get(&brora, &waiver).await.status, 404);
    assert!(!get(&bo, &waiver).await.body.contains("<textarea"));
    let to_decide = get(&tess, &waiver).await.body;
    assert!(
        to_decide.contains("One shelter &#38; no more."),
        "{to_decide}"
    );
    assert!(to_decide.contains("<textarea"), "{to_decide}");

    let today = cycle::clock::day(chrono::Utc::now());
    let last = today + chrono::Days::new(30);
    let grant = format!("decision=grant&ends_on={last}&reason=Agreed.");
    assert_eq!(site.send(&bo, &waiver, &grant).await.status, 403);
    assert_eq!(site.send(&bo, &waiver, "decision=").await.status, 403);
    assert_eq!(site.send(&brora, &waiver, &grant).await.status, 404);
    assert_eq!(site.send(&brora, &waiver, "decision=").await.status, 404);
    let without = site
        .ask_as(&cookie(&tess), "POST", &waiver, FORM, grant.as_bytes())
        .await;
    assert_eq!(without.status, 403);
    for (fields, link) in [
        ("reason=Agreed.", "#decision-grant"),
        ("decision=grant&reason=Agreed.&ends_on=soon", "#ends_on"),
        (
            "decision=grant&reason=Agreed.&ends_on=2020-01-01",
            "#ends_on",
        ),
        ("decision=refuse&reason=", "#reason"),
    ] {
        let answer = site.send(&tess, &waiver, fields).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        let link = format!("href=\"{link}\"");
        assert!(answer.body.contains(&link), "{link}: {}", answer.body);
    }
    for _ in 0..2 {
        assert_eq!(gone_to(&site.send(&tess, &waiver, &grant).await), waiver);
    }
    let late = site
        .send(&tess, &waiver, "decision=refuse&reason=No.")
        .await;
    assert_eq!(late.status, 409, "{late:?}");
    let decided = get(&bo, &waiver).await.body;
    assert!(
        decided.contains("Granted up to") && decided.contains("Agreed."),
        "{decided}"
    );
    let outcome = site.get(&format!("/submissions/{id}")).await.body;
    assert!(outcome.contains("1 of 3 explained."), "{outcome}");
    let csv = site
        .get(&format!("/api/submissions/{id}/findings.csv"))
        .await
        .body;
    assert!(csv.contains("key2,Standing exception up to "), "{csv}");
    let json = site
        .get(&format!("/api/submissions/{id}/findings.json"))
        .await
        .body;
    assert!(
        json.contains(&format!("\"excepted_until\":\"{last}\"")),
        "{json}"
    );
}

#[tokio::test]
async fn what_was_said_is_frozen_once_it_is_signed_off() {
    let site = Running::start().await;
    let id = site.queried().await;
    let bo = [of_council(Role::Approver, "S12000001")];
    let bo = signed_in(&site.db, "bo@ardbeg.example", &bo).await;
    let (ann, page) = (&site.session, format!("/submissions/{id}"));
    let check = format!("{page}/checks/case.odd");
    let form = format!("{check}/explanations");
    gone_to(&site.send(ann, &form, "which=all&text=A+flood.").await);
    let explained = site.get(&page).await.body;
    assert!(
        explained.contains("Every figure that was asked about is explained."),
        "{explained}"
    );
    gone_to(
        &site
            .send(ann, &format!("{page}/hand-over/submit"), "")
            .await,
    );
    gone_to(&site.send(ann, &form, "which=all&text=A+great+flood.").await);
    gone_to(
        &site
            .send(&bo, &format!("{page}/hand-over/sign-off"), "")
            .await,
    );
    let late = site.send(ann, &form, "which=all&text=A+fire.").await;
    assert_eq!(late.status, 409, "{late:?}");
    assert!(
        late.body.contains("This version is signed off"),
        "{}",
        late.body
    );
    let shown = site.get(&check).await.body;
    assert!(!shown.contains("Why are the figures right?"), "{shown}");
    assert!(shown.contains("stays as it is"), "{shown}");
    assert_eq!(shown.matches("A great flood.").count(), 3, "{shown}");
    // It says where it stands, not what it asked for once.
    let shown = site.get(&page).await.body;
    assert!(!shown.contains("figures need an explanation"), "{shown}");
}

#[tokio::test]
async fn a_program_explains_what_it_sent() {
    let site = Running::start().await;
    let id = site.queried().await;
    let path = format!("/api/submissions/{id}/explanations");
    let say = async |body: &str| site.ask("POST", &path, "", body.as_bytes()).await;
    let one = r#"{"rule": "case.odd", "keys": ["key2"], "text": "A flood."}"#;
    for n in [1, 0] {
        let answer = say(one).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let told: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(told["n_explained"], n);
    }
    let all = say(r#"{"rule": "case.odd", "text": "A great flood."}"#).await;
    assert!(all.body.contains("\"n_explained\":3"), "{all:?}");
    for wrong in [
        "",
        "{}",
        r#"{"rule": "case.odd", "text": " "}"#,
        r#"{"rule": "case.none", "text": "x"}"#,
        r#"{"rule": "case.odd", "text": "x", "organisation": "S12000002"}"#,
    ] {
        let answer = say(wrong).await;
        assert_eq!(answer.status, 400, "{wrong}: {answer:?}");
    }
}

#[tokio::test]
async fn a_granted_exception_is_ended_early() {
    let site = Running::start().await;
    let id = site.queried().await;
    let tess = signed_in(&site.db, "tess@team.example", &[team()]).await;
    let bo = [of_council(Role::Uploader, "S12000001")];
    let bo = signed_in(&site.db, "bo@ardbeg.example", &bo).await;
    let waiver = "01a20824-5a74-71c5-bcf5-000000000000";
    let ask = format!("/submissions/{id}/checks/case.odd/exceptions");
    gone_to(
        &site
            .send(&bo, &ask, &format!("id={waiver}&reason=One+shelter."))
            .await,
    );
    let page = format!("/exceptions/{waiver}");
    let last = cycle::clock::day(chrono::Utc::now()) + chrono::Days::new(30);
    let grant = format!("decision=grant&ends_on={last}&reason=Agreed.");
    gone_to(&site.send(&tess, &page, &grant).await);
    let shown = async |who: &Secret| {
        let answer = site.ask_as(&cookie(who), "GET", &page, "", b"").await;
        answer.body
    };
    assert!(shown(&tess).await.contains("End the exception"));
    assert!(!shown(&bo).await.contains("End the exception"));
    let end = format!("{page}/end");
    assert_eq!(site.send(&bo, &end, "reason=No.").await.status, 403);
    let blank = site.send(&tess, &end, "reason=").await;
    assert_eq!(blank.status, 400, "{blank:?}");
    assert!(blank.body.contains("href=\"#reason\""), "{}", blank.body);
    for _ in 0..2 {
        let ended = site
            .send(&tess, &end, "reason=The+shelter+has+changed.")
            .await;
        assert_eq!(gone_to(&ended), page);
    }
    assert_eq!(site.send(&tess, &end, "reason=Again.").await.status, 409);
    let ended = shown(&bo).await;
    assert!(
        ended.contains("Ended early on") && ended.contains("The shelter has changed."),
        "{ended}"
    );
    let outcome = site.get(&format!("/submissions/{id}")).await.body;
    assert!(outcome.contains("0 of 3 explained."), "{outcome}");
}
