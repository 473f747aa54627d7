//! From a version that is ready to one that is accepted, in three people's browsers and without scripts.

use access::{Grant, Reach, Role};
use serde_json::Value;
use workflow::Secret;

use super::explanations::gone_to;
use super::{Running, SUBMISSIONS, cookie, signed_in};

struct People {
    ann: Secret,
    bo: Secret,
    cat: Secret,
    brora: Secret,
}

/// Ann sends for Ardbeg, Bo signs off for it, Cat asks for the return, and somebody else signs off for Brora.
async fn people(site: &Running) -> People {
    let of = |role, code: &str| Grant {
        role,
        reach: Reach::Organisation(code.to_owned()),
    };
    let team = Grant {
        role: Role::DatasetTeam,
        reach: Reach::Return("cases".to_owned()),
    };
    let ann = [
        of(Role::Uploader, "S12000001"),
        of(Role::Approver, "S12000001"),
    ];
    People {
        ann: signed_in(&site.db, "amy@ardbeg.example", &ann).await,
        bo: signed_in(&site.db, "bo@ardbeg.example", &ann[1..]).await,
        cat: signed_in(&site.db, "cat@team.example", &[team]).await,
        brora: signed_in(
            &site.db,
            "ed@brora.example",
            &[of(Role::Approver, "S12000002")],
        )
        .await,
    }
}

impl Running {
    /// A version of Ardbeg's that is ready.
    async fn ready(&self, key: &str) -> String {
        let headers = format!("idempotency-key: {key}\r\n");
        let body = format!("REF\n{key}\n");
        let receipt = self.ask("POST", SUBMISSIONS, &headers, body.as_bytes());
        let receipt: Value = serde_json::from_str(&receipt.await.body).unwrap();
        let id = receipt["submission_id"].as_str().unwrap().to_owned();
        let (client, connection) =
            tokio_postgres::connect(&self.database.url(), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        let sql = format!(
            "UPDATE submission SET assessed_at = now(), outcome = 'ready', spec_hash = 'x' WHERE id = '{id}'"
        );
        client.batch_execute(&sql).await.unwrap();
        id
    }

    async fn page_for(&self, who: &Secret, path: &str) -> String {
        let answer = self.ask_as(&cookie(who), "GET", path, "", b"").await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    }

    async fn status_for(&self, who: &Secret, path: &str) -> u16 {
        self.ask_as(&cookie(who), "GET", path, "", b"").await.status
    }

    async fn state(&self, id: &str) -> String {
        let status = self.get(&format!("/api/submissions/{id}")).await.body;
        let status: Value = serde_json::from_str(&status).unwrap();
        status["state"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_version_is_submitted_signed_off_and_accepted_and_each_press_may_be_a_double_one() {
    let site = Running::start().await;
    let People {
        ann,
        bo,
        cat,
        brora,
    } = people(&site).await;
    let id = site.ready("one").await;
    let page = format!("/submissions/{id}");
    let to = |verb: &str| format!("{page}/hand-over/{verb}");
    assert_eq!(site.status_for(&cat, &page).await, 404, "a draft");

    let shown = site.page_for(&ann, &page).await;
    assert!(shown.contains("Submit for sign-off"), "{shown}");
    for _ in 0..2 {
        let answer = site.send(&ann, &to("submit"), "").await;
        assert_eq!(gone_to(&answer), format!("{page}#handing-over"));
    }
    assert_eq!(site.state(&id).await, "submitted");
    // Who submitted it is told whom it waits for, and gets no further by the address.
    let shown = site.page_for(&ann, &page).await;
    assert!(shown.contains("It waits for sign-off by bo."), "{shown}");
    assert!(!shown.contains(&to("sign-off")), "{shown}");
    assert_eq!(site.send(&ann, &to("sign-off"), "").await.status, 403);
    assert_eq!(site.send(&brora, &to("sign-off"), "").await.status, 404);
    assert_eq!(site.send(&cat, &to("accept"), "").await.status, 409);

    let shown = site.page_for(&bo, &page).await;
    assert!(shown.contains(&to("sign-off")), "{shown}");
    let asked = site.page_for(&bo, &to("sign-off")).await;
    for part in ["cases.xlsx", "Fingerprint", "By signing off you say"] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    let without_token = site
        .ask_as(
            &cookie(&bo),
            "POST",
            &to("sign-off"),
            "content-type: application/x-www-form-urlencoded\r\n",
            b"form_token=x",
        )
        .await;
    assert_eq!(without_token.status, 403);
    for _ in 0..2 {
        gone_to(&site.send(&bo, &to("sign-off"), "").await);
    }
    // In a tab that was open before: it is done, and the version's page says so.
    gone_to(
        &site
            .ask_as(&cookie(&bo), "GET", &to("sign-off"), "", b"")
            .await,
    );
    let late = site.send(&ann, &to("withdraw"), "").await;
    assert_eq!(late.status, 409);
    assert!(
        late.body
            .contains("signed off, so it can&#39;t be withdrawn"),
        "{}",
        late.body
    );

    for _ in 0..2 {
        gone_to(&site.send(&cat, &to("accept"), "").await);
    }
    assert_eq!(site.state(&id).await, "accepted");
    for who in [&ann, &bo, &cat] {
        let receipt = site.page_for(who, &format!("{page}/receipt")).await;
        for part in [
            "Submitted by amy on",
            "Signed off by bo on",
            "Accepted by cat on",
            "certutil -hashfile",
            &id,
        ] {
            assert!(receipt.contains(part), "{part}: {receipt}");
        }
        assert_eq!(receipt.matches("<h1").count(), 1);
    }
    assert_eq!(
        site.status_for(&brora, &format!("{page}/receipt")).await,
        404
    );
    let round = "/returns/cases/2026-27-Q1";
    let grid = site.page_for(&cat, round).await;
    assert!(grid.contains("Ardbeg") && grid.contains("Brora"), "{grid}");
    assert!(
        grid.contains("1 <strong class=\"ds_tag ds_tag--green\">accepted"),
        "{grid}"
    );
    let own = site.page_for(&brora, round).await;
    assert!(!own.contains("Ardbeg"), "{own}");
    assert_eq!(
        site.status_for(&cat, "/returns/other/2026-27-Q1").await,
        404
    );
}

#[tokio::test]
async fn what_is_sent_back_says_why_and_messages_go_both_ways() {
    let site = Running::start().await;
    let People {
        ann,
        bo,
        cat,
        brora,
    } = people(&site).await;
    let id = site.ready("one").await;
    let page = format!("/submissions/{id}");
    let to = |verb: &str| format!("{page}/hand-over/{verb}");
    gone_to(&site.send(&ann, &to("submit"), "").await);
    gone_to(&site.send(&bo, &to("sign-off"), "").await);

    let without = site.send(&cat, &to("send-back"), "reason=+").await;
    assert_eq!(without.status, 400);
    assert!(
        without.body.contains("href=\"#reason\">Enter the reason."),
        "{}",
        without.body
    );
    gone_to(
        &site
            .send(&cat, &to("send-back"), "reason=A1+is+%3Codd%3E.")
            .await,
    );
    let shown = site.page_for(&ann, &page).await;
    for part in [
        "Sent back by cat on",
        "A1 is &#60;odd&#62;.",
        "as a newer version",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }

    let messages = format!("{page}/messages");
    let form = "message_id=01a20824-5a74-71c5-bcf5-f9cb415e89aa&text=Which+%22A1%22%3F";
    for _ in 0..2 {
        gone_to(&site.send(&ann, &messages, form).await);
    }
    let shown = site.page_for(&cat, &page).await;
    assert_eq!(shown.matches("Which &#34;A1&#34;?").count(), 1, "{shown}");
    let empty = "message_id=01a20824-5a74-71c5-bcf5-f9cb415e89ab&text=";
    assert_eq!(site.send(&cat, &messages, empty).await.status, 400);
    assert_eq!(site.send(&brora, &messages, form).await.status, 404);
}

#[tokio::test]
async fn a_newer_version_meanwhile_is_named_and_the_older_one_is_not_signed_off() {
    let site = Running::start().await;
    let People { ann, bo, .. } = people(&site).await;
    let first = site.ready("one").await;
    let to = |id: &str, verb: &str| format!("/submissions/{id}/hand-over/{verb}");
    gone_to(&site.send(&ann, &to(&first, "submit"), "").await);
    let second = site.ready("two").await;
    let answer = site.send(&bo, &to(&first, "sign-off"), "").await;
    assert_eq!(answer.status, 409);
    assert!(
        answer.body.contains("tests sent version 2 on"),
        "{}",
        answer.body
    );
    let link = format!("href=\"/submissions/{second}\">Go on with version 2</a>");
    assert!(answer.body.contains(&link), "{}", answer.body);
    let shown = site.page_for(&bo, &format!("/submissions/{first}")).await;
    assert!(
        shown.contains(&format!("href=\"/submissions/{second}\"")),
        "{shown}"
    );
    assert_eq!(site.state(&first).await, "submitted");
    gone_to(
        &site
            .send(&ann, &to(&second, "withdraw"), "reason=A+mistake")
            .await,
    );
    gone_to(&site.send(&bo, &to(&first, "sign-off"), "").await);
    assert_eq!(site.state(&first).await, "signed_off");
}

#[tokio::test]
async fn that_there_is_nothing_to_report_is_declared_once_however_often_it_is_pressed() {
    let site = Running::start().await;
    let People { bo, brora, .. } = people(&site).await;
    let upload = site
        .page_for(
            &site.session,
            "/upload?organisation=S12000001&round=cases/2026-27-Q1",
        )
        .await;
    let address = "/returns/cases/2026-27-Q1/S12000001/nothing-to-report";
    assert!(upload.contains(&format!("href=\"{address}\"")), "{upload}");
    let asked = site.page_for(&bo, address).await;
    assert!(
        asked.contains("You declare that Ardbeg has nothing"),
        "{asked}"
    );
    assert_eq!(site.status_for(&brora, address).await, 404);
    let form = "idempotency_key=01a20824-5a74-71c5-bcf5-f9cb415e89aa";
    assert_eq!(site.send(&brora, address, form).await.status, 404);
    let first = site.send(&bo, address, form).await;
    let second = site.send(&bo, address, form).await;
    assert_eq!(gone_to(&first), gone_to(&second));
    let shown = site.page_for(&bo, gone_to(&first)).await;
    for part in [
        "nothing-to-report.txt",
        "Submit for sign-off",
        "This version says that there is nothing to report.",
        "bo declared on",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("Your return is ready"), "{shown}");
    let duty = "/returns/cases/2026-27-Q1/S12000001";
    let duty = site.page_for(&bo, duty).await;
    assert!(duty.contains(&format!("href=\"{address}\"")), "{duty}");
    assert_eq!(site.n_received().await, 1);
    assert_eq!(site.n_spooled(), 0);
}

#[tokio::test]
async fn a_program_submits_what_it_sent_and_signs_nothing_off() {
    let site = Running::start().await;
    let id = site.ready("one").await;
    let submit = format!("/api/submissions/{id}/submit");
    for _ in 0..2 {
        let answer = site.ask("POST", &submit, "", b"").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let told: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(told["state"], "submitted");
    }
    // A cookie goes with other sites' requests too.
    let by_cookie = site
        .ask_as(&cookie(&site.session), "POST", &submit, "", b"")
        .await;
    assert_eq!(by_cookie.status, 403);
    let unknown = "/api/submissions/01a20824-5a74-71c5-bcf5-f9cb415e89aa/submit";
    assert_eq!(site.ask("POST", unknown, "", b"").await.status, 404);
}

#[tokio::test]
async fn whoever_signs_off_may_say_how_many_hours_it_took() {
    let site = Running::start().await;
    let People { ann, bo, .. } = people(&site).await;
    let scheduler = Grant {
        role: Role::Scheduler,
        reach: Reach::Everything,
    };
    let sky = signed_in(&site.db, "sky@office.example", &[scheduler]).await;
    let id = site.ready("one").await;
    let page = format!("/submissions/{id}");
    let sign_off = format!("{page}/hand-over/sign-off");
    site.send(&ann, &format!("{page}/hand-over/submit"), "")
        .await;
    let refused = site.send(&ann, &sign_off, "hours=long").await;
    assert_eq!(refused.status, 403, "whatever was filled in");
    let asked = site.page_for(&bo, &sign_off).await;
    assert!(
        asked.contains("How many hours did this return take?"),
        "{asked}"
    );
    for hours in ["long", "7.3", "-1", "0"] {
        let answer = site.send(&bo, &sign_off, &format!("hours={hours}")).await;
        assert_eq!(answer.status, 400, "{hours}");
        assert!(answer.body.contains("href=\"#hours\""), "{}", answer.body);
        assert!(
            answer.body.contains(&format!("value=\"{hours}\"")),
            "{}",
            answer.body
        );
    }
    assert_eq!(site.state(&id).await, "submitted");
    gone_to(&site.send(&bo, &sign_off, "hours=7%2C25").await);
    let shown = site.page_for(&ann, &page).await;
    assert!(shown.contains("It took 7.25 hours"), "{shown}");
    let burden = site.page_for(&sky, "/rounds/burden").await;
    assert!(
        burden.contains(">7.25 hours<") && burden.contains(">1 of 1<"),
        "{burden}"
    );
    let of_one = site.page_for(&sky, "/rounds/burden?return=cases").await;
    assert!(of_one.contains("Ardbeg</th>"), "{of_one}");
    assert_eq!(of_one.matches(">7.25 hours<").count(), 2, "{of_one}");
    site.page_for(&sky, "/rounds/burden?return=nothing").await;
}
