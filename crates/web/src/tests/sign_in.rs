//! Signing in and out, and what each may see then.

use access::{Grant, Reach, Role};
use chrono::{TimeDelta, Utc};
use serde_json::Value;
use workflow::{Actor, Secret, SendLinkJob};

use super::{Answer, ROUND, Running, SUBMISSIONS, cookie, signed_in};

const ANN: &str = "ann@ardbeg.example";
const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";

impl Running {
    async fn post(&self, proof: &str, path: &str, form: &str) -> Answer {
        self.ask_as(proof, "POST", path, FORM, form.as_bytes())
            .await
    }

    async fn one(&self, sql: &str) -> String {
        let (client, connection) =
            tokio_postgres::connect(&self.database.url(), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        client.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// What a worker does with the link that was asked for, and the link.
    async fn mailed_link(&self) -> String {
        let job = self
            .one("SELECT payload::text FROM job WHERE kind = 'send-sign-in-link' ORDER BY id DESC LIMIT 1")
            .await;
        let job: SendLinkJob = serde_json::from_str(&job).unwrap();
        workflow::send_link(&self.db, &job, Utc::now())
            .await
            .unwrap();
        let secret = self
            .one("SELECT payload ->> 'secret' FROM email WHERE kind = 'sign-in' ORDER BY created_at DESC LIMIT 1")
            .await;
        format!("/sign-in/link/{secret}")
    }
}

/// The session that an answer gives to the browser.
fn given(answer: &Answer) -> Secret {
    let header = answer.header("set-cookie").expect("a cookie");
    for word in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(header.contains(word), "{header}");
    }
    assert!(!header.contains("Domain"), "{header}");
    let value = header.strip_prefix("__Host-lgdp=").expect("its name");
    Secret::of(value.split(';').next().unwrap())
}

fn digits_of(page: &str, seconds_later: u64) -> String {
    let letters = page.split("<span class=\"code\">").nth(1).unwrap();
    let letters = letters.split('<').next().unwrap().replace(' ', "");
    let secret = totp_rs::Secret::try_from_base32(letters).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    let now = u64::try_from(Utc::now().timestamp()).unwrap();
    totp.generate(now + seconds_later).to_string()
}

#[tokio::test]
async fn a_link_and_a_code_sign_somebody_in() {
    let site = Running::start().await;
    let sent = site
        .post("", "/sign-in", "email=Ann%40Ardbeg.example")
        .await;
    assert_eq!(sent.status, 200, "{sent:?}");
    let link = site.mailed_link().await;

    // Programs that look through mail do not use it up.
    for _ in 0..2 {
        assert_eq!(site.ask_as("", "GET", &link, "", b"").await.status, 200);
    }
    let opened = site.post("", &link, "").await;
    assert_eq!(opened.header("location"), Some("/sign-in/code"));
    let half = given(&opened);
    let again = site.post("", &link, "").await;
    assert_eq!(again.status, 410, "good once");

    // Half way nothing is shown but the code's page.
    let home = site.ask_as(&cookie(&half), "GET", "/", "", b"").await;
    assert_eq!(home.header("location"), Some("/sign-in/code"));
    let api = site
        .ask_as(&cookie(&half), "GET", "/api/submissions/1", "", b"")
        .await;
    assert_eq!(api.status, 401);
    let page = site
        .ask_as(&cookie(&half), "GET", "/sign-in/code", "", b"")
        .await
        .body;
    assert!(page.contains("<svg"), "{page}");

    let form = |digits: &str, token: &str| format!("digits={digits}&form_token={token}");
    let digits = digits_of(&page, 0);
    let foreign = site
        .post(&cookie(&half), "/sign-in/code", &form(&digits, "x"))
        .await;
    assert_eq!(foreign.status, 403);
    let token = half.form_token();
    let wrong = site
        .post(&cookie(&half), "/sign-in/code", &form("12", &token))
        .await;
    assert_eq!(wrong.status, 400);
    assert!(
        wrong.body.contains("That code is not right"),
        "{}",
        wrong.body
    );
    let right = site
        .post(&cookie(&half), "/sign-in/code", &form(&digits, &token))
        .await;
    assert_eq!(right.header("location"), Some("/"), "{right:?}");
    let whole = given(&right);
    assert_ne!(whole, half, "no secret of before is good after");
    let home = site.ask_as(&cookie(&whole), "GET", "/", "", b"").await;
    assert_eq!(home.status, 200);
    assert!(home.body.contains("ann <button"), "{}", home.body);
    let old = site.ask_as(&cookie(&half), "GET", "/", "", b"").await;
    assert_eq!(old.header("location"), Some("/sign-in?over=yes"));

    // The next time only the digits are asked for, and no code is good twice.
    site.post("", "/sign-in", "email=ann%40ardbeg.example")
        .await;
    let half = given(&site.post("", &site.mailed_link().await, "").await);
    let second = site
        .ask_as(&cookie(&half), "GET", "/sign-in/code", "", b"")
        .await
        .body;
    assert!(!second.contains("<svg"), "{second}");
    let token = half.form_token();
    let used = site
        .post(&cookie(&half), "/sign-in/code", &form(&digits, &token))
        .await;
    assert_eq!(used.status, 400);
    let next = digits_of(&page, 30);
    let next = site
        .post(&cookie(&half), "/sign-in/code", &form(&next, &token))
        .await;
    assert_eq!(next.status, 303, "{next:?}");
}

#[tokio::test]
async fn nobody_learns_whether_an_address_is_known() {
    let site = Running::start().await;
    let known = site
        .post("", "/sign-in", "email=ann%40ardbeg.example")
        .await;
    let unknown = site
        .post("", "/sign-in", "email=bob%40ardbeg.example")
        .await;
    assert_eq!(known.status, unknown.status);
    assert_eq!(
        known.body.replace("ann", "bob"),
        unknown.body,
        "the same words"
    );
    let n_jobs = site
        .one("SELECT count(*)::text FROM job WHERE kind = 'send-sign-in-link'")
        .await;
    assert_eq!(n_jobs, "2", "and the same work");
    let payload = site
        .one("SELECT string_agg(payload::text, '') FROM job WHERE kind = 'send-sign-in-link'")
        .await;
    assert!(!payload.contains("ardbeg"), "{payload}");
    let nothing = site.post("", "/sign-in", "email=nobody").await;
    assert_eq!(nothing.status, 400);
}

#[tokio::test]
async fn links_and_codes_can_not_be_asked_for_without_end() {
    let site = Running::start().await;
    for _ in 0..8 {
        let answer = site
            .post("", "/sign-in", "email=ann%40ardbeg.example")
            .await;
        assert_eq!(answer.status, 200, "nobody learns that it was too often");
    }
    let n_jobs = site
        .one("SELECT count(*)::text FROM job WHERE kind = 'send-sign-in-link'")
        .await;
    assert_eq!(n_jobs, "5");
    let link = site.mailed_link().await;
    for n in 0..40 {
        let form = format!("email=a{n}%40ardbeg.example");
        let answer = site.post("", "/sign-in", &form).await;
        assert_eq!(answer.status, if n < 22 { 200 } else { 429 }, "{n}");
    }
    let half = given(&site.post("", &link, "").await);
    let form = format!("digits=000000&form_token={}", half.form_token());
    let page = site
        .ask_as(&cookie(&half), "GET", "/sign-in/code", "", b"")
        .await
        .body;
    for _ in 0..10 {
        let wrong = site.post(&cookie(&half), "/sign-in/code", &form).await;
        assert_eq!(wrong.status, 400, "{wrong:?}");
    }
    let right = format!(
        "digits={}&form_token={}",
        digits_of(&page, 0),
        half.form_token()
    );
    let late = site.post(&cookie(&half), "/sign-in/code", &right).await;
    assert_eq!(late.status, 429, "{late:?}");
}

#[tokio::test]
async fn a_session_ends_by_itself_and_when_it_is_told_to() {
    let site = Running::start().await;
    let proof = cookie(&site.session);
    let other = signed_in(&site.db, "bo@ardbeg.example", &[uploader("S12000001")]).await;
    let now = Utc::now();
    let who = |later| workflow::who(&site.db, &site.session, now + later);
    for (later, is_in) in [
        (TimeDelta::minutes(29), true),
        (TimeDelta::minutes(58), true),
        (TimeDelta::minutes(89), false),
    ] {
        let presence = who(later).await.unwrap();
        let is_signed_in = matches!(presence, workflow::Presence::SignedIn(_));
        assert_eq!(is_signed_in, is_in, "{later}");
    }
    for hours in 1..24 {
        for part in 0..3 {
            let later = now + TimeDelta::hours(hours - 1) + TimeDelta::minutes(20 * part);
            let presence = workflow::who(&site.db, &other, later).await.unwrap();
            let is_signed_in = matches!(presence, workflow::Presence::SignedIn(_));
            assert_eq!(is_signed_in, hours <= 12, "after {hours} hours");
        }
    }

    assert_eq!(site.get("/").await.status, 200);
    let form = format!("form_token={}", site.session.form_token());
    assert_eq!(
        site.post(&proof, "/sign-out", "form_token=x").await.status,
        403
    );
    let out = site.post(&proof, "/sign-out", &form).await;
    assert_eq!(out.header("location"), Some("/sign-in"));
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(
        site.get("/").await.header("location"),
        Some("/sign-in?over=yes")
    );
}

fn uploader(code: &str) -> Grant {
    Grant {
        role: Role::Uploader,
        reach: Reach::Organisation(code.to_owned()),
    }
}

#[tokio::test]
async fn another_organisations_things_are_like_nothing_at_all() {
    let site = Running::start().await;
    let receipt = site.ask("POST", SUBMISSIONS, "", b"REF\nA1\n").await;
    let receipt: Value = serde_json::from_str(&receipt.body).unwrap();
    let id = receipt["submission_id"].as_str().unwrap();
    let brora = signed_in(&site.db, "bo@brora.example", &[uploader("S12000002")]).await;
    let random = "01a20824-5a74-71c5-bcf5-f9cb415e89aa";
    for path in [
        "/submissions/ID",
        "/submissions/ID/checks/case.odd",
        "/api/submissions/ID",
        "/api/submissions/ID/findings.json",
        "/api/submissions/ID/findings.csv",
        "/api/submissions/ID/findings.xlsx",
        "/api/submissions/ID/marked.xlsx",
    ] {
        let of = |id: &str| path.replace("ID", id);
        let theirs = site.ask_as(&cookie(&brora), "GET", &of(id), "", b"").await;
        let none = site
            .ask_as(&cookie(&brora), "GET", &of(random), "", b"")
            .await;
        assert_eq!(theirs.status, 404, "{path}");
        assert_eq!((theirs.status, theirs.body), (none.status, none.body));
        let nobody = site.ask_as("", "GET", &of(id), "", b"").await;
        assert!([303, 401].contains(&nobody.status), "{path}: {nobody:?}");
    }
    let theirs = site.ask_as(&cookie(&brora), "GET", "/", "", b"").await.body;
    assert!(
        !theirs.contains(id) && !theirs.contains("Ardbeg"),
        "{theirs}"
    );
    let dataset = site
        .ask_as(
            &cookie(&brora),
            "GET",
            &format!("{ROUND}/dataset.csv"),
            "",
            b"",
        )
        .await;
    assert!(!dataset.body.contains("S12000001"), "{}", dataset.body);
    // A cookie goes with other sites' requests too, so what writes takes a token, and of the right organisation.
    let by_cookie = site
        .ask_as(
            &cookie(&site.session),
            "POST",
            SUBMISSIONS,
            "",
            b"REF\nA1\n",
        )
        .await;
    assert_eq!(by_cookie.status, 403, "{by_cookie:?}");
    let for_brora = SUBMISSIONS.replace("S12000001", "S12000002");
    let wrong = site.ask("POST", &for_brora, "", b"REF\nA1\n").await;
    assert_eq!(wrong.status, 404, "{wrong:?}");
    let bad = "authorization: Bearer 0123\r\n";
    let bad = site.ask_as(bad, "POST", SUBMISSIONS, "", b"REF\n").await;
    assert_eq!(bad.status, 401, "{bad:?}");
    assert_eq!(site.n_received().await, 1);
}

#[tokio::test]
async fn what_a_role_does_not_do_is_forbidden_and_a_role_that_is_taken_away_is_gone_at_once() {
    let site = Running::start().await;
    let receipt = site.ask("POST", SUBMISSIONS, "", b"REF\nA1\n").await;
    let receipt: Value = serde_json::from_str(&receipt.body).unwrap();
    let id = receipt["submission_id"].as_str().unwrap();
    let planner = Grant {
        role: Role::Scheduler,
        reach: Reach::Everything,
    };
    let planner = signed_in(&site.db, "pat@office.example", &[planner]).await;
    let ask = async |path: &str| {
        let path = path.replace("ID", id);
        site.ask_as(&cookie(&planner), "GET", &path, "", b"").await
    };
    assert_eq!(ask("/submissions/ID").await.status, 200);
    assert_eq!(ask("/api/submissions/ID/findings.csv").await.status, 403);
    assert_eq!(ask(&format!("{ROUND}/dataset.csv")).await.status, 403);

    let system = Actor::system("tests");
    let person = workflow::invite(&site.db, &system, ANN, "Ann", &uploader("S12000001"))
        .await
        .unwrap();
    let own = format!("/submissions/{id}");
    assert_eq!(site.get(&own).await.status, 200);
    workflow::end_role(
        &site.db,
        &system,
        person,
        &uploader("S12000001"),
        Utc::now(),
    )
    .await
    .unwrap();
    assert_eq!(site.get(&own).await.status, 404);
    workflow::disable(&site.db, &system, person, Utc::now())
        .await
        .unwrap();
    assert_eq!(site.get("/").await.status, 303);
}

#[tokio::test]
async fn nobody_signs_in_with_one_click_outside_the_demo() {
    let site = Running::start().await;
    let answer = site
        .post("", "/sign-in/demo", "email=ann%40ardbeg.example")
        .await;
    assert_eq!(answer.status, 404);
    assert!(answer.header("set-cookie").is_none());
}
