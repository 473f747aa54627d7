//! More time, asked for and decided on by forms that work without scripts.

use access::{Grant, Reach, Role};
use workflow::Secret;

use super::explanations::gone_to;
use super::{Running, SUBMISSIONS, cookie, signed_in};

const DUTY: &str = "/returns/cases/2026-27-Q1/S12000001";

/// Who sends the returns of two councils, and the team that asks for them.
async fn people(site: &Running) -> [Secret; 3] {
    let uploader = |code: &str| Grant {
        role: Role::Uploader,
        reach: Reach::Organisation(code.to_owned()),
    };
    let team = Grant {
        role: Role::DatasetTeam,
        reach: Reach::Return("cases".to_owned()),
    };
    [
        signed_in(&site.db, "bo@ardbeg.example", &[uploader("S12000001")]).await,
        signed_in(&site.db, "ed@brora.example", &[uploader("S12000002")]).await,
        signed_in(&site.db, "tess@team.example", &[team]).await,
    ]
}

#[tokio::test]
async fn more_time_is_asked_for_and_given() {
    let site = Running::start().await;
    let [bo, ed, tess] = people(&site).await;
    let get =
        async |who: &Secret, path: &str| site.ask_as(&cookie(who), "GET", path, "", b"").await;
    let page = format!("{DUTY}/more-time");
    assert!(get(&bo, DUTY).await.body.contains("Ask for more time"));
    assert_eq!(get(&ed, &page).await.status, 404);

    let request = "01a20824-5a74-71c5-bcf5-000000000000";
    let day = cycle::clock::day(chrono::Utc::now()) + chrono::Days::new(30);
    let ask = |until: &str, reason: &str| format!("id={request}&until={until}&reason={reason}");
    for (fields, link) in [
        (ask("soon", "x"), "#until"),
        (ask("2020-01-01", "x"), "#until"),
        (ask(&day.to_string(), "+"), "#reason"),
    ] {
        let answer = site.send(&bo, &page, &fields).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        let link = format!("href=\"{link}\"");
        assert!(answer.body.contains(&link), "{link}: {}", answer.body);
    }
    let asked = ask(
        &day.format("%d/%m/%Y").to_string(),
        "Our+system+%3Cis%3E+down.",
    );
    assert_eq!(site.send(&ed, &page, &asked).await.status, 404);
    assert_eq!(site.send(&tess, &page, &asked).await.status, 404);
    for _ in 0..2 {
        assert_eq!(gone_to(&site.send(&bo, &page, &asked).await), page);
    }
    let shown = get(&bo, &page).await.body;
    assert_eq!(shown.matches("Waits for a decision").count(), 1, "{shown}");
    assert!(shown.contains("Our system &#60;is&#62; down."), "{shown}");
    assert!(!shown.contains(">Decide<"), "{shown}");

    let decide = format!("{page}/{request}");
    let grid = get(&tess, "/returns/cases/2026-27-Q1").await.body;
    assert!(grid.contains(&format!("href=\"{decide}\"")), "{grid}");
    let give = format!("decision=give&n_known=0&until={day}&reason=Agreed.");
    for (who, status) in [(&bo, 403), (&ed, 404)] {
        assert_eq!(get(who, &decide).await.status, status);
        assert_eq!(site.send(who, &decide, &give).await.status, status);
    }
    let elsewhere = decide.replace("S12000001", "S12000002");
    assert_eq!(get(&tess, &elsewhere).await.status, 404);
    for (fields, link) in [
        ("reason=x".to_owned(), "#decision-give"),
        (
            "decision=give&n_known=0&until=&reason=x".to_owned(),
            "#until",
        ),
        ("decision=refuse&n_known=0&reason=".to_owned(), "#reason"),
    ] {
        let answer = site.send(&tess, &decide, &fields).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        let link = format!("href=\"{link}\"");
        assert!(answer.body.contains(&link), "{link}: {}", answer.body);
    }
    for _ in 0..2 {
        assert_eq!(gone_to(&site.send(&tess, &decide, &give).await), page);
    }
    let late = site
        .send(&tess, &decide, "decision=refuse&n_known=0&reason=No.")
        .await;
    assert_eq!(late.status, 409, "{late:?}");
    let words = day.format("%-d %B %Y").to_string();
    let duty = get(&bo, DUTY).await.body;
    assert!(duty.contains(&format!("owes this by {words}.")), "{duty}");
    assert!(duty.contains("More time was given"), "{duty}");
    assert!(!duty.contains(">overdue<"), "{duty}");
    let home = get(&bo, "/").await.body;
    assert!(home.contains(&words), "{home}");
    let grid = get(&tess, "/returns/cases/2026-27-Q1").await.body;
    assert!(
        grid.contains(&format!("more time, until {words}")),
        "{grid}"
    );
}

#[tokio::test]
async fn more_time_that_was_given_by_mistake_is_taken_back() {
    let site = Running::start().await;
    let [bo, _, tess] = people(&site).await;
    let get =
        async |who: &Secret, path: &str| site.ask_as(&cookie(who), "GET", path, "", b"").await;
    let page = format!("{DUTY}/more-time");
    let request = "01a20824-5a74-71c5-bcf5-000000000000";
    let decide = format!("{page}/{request}");
    let day = cycle::clock::day(chrono::Utc::now()) + chrono::Days::new(30);
    let ask = format!("id={request}&until={day}&reason=It+is+down.");
    assert_eq!(gone_to(&site.send(&bo, &page, &ask).await), page);
    let give = format!("decision=give&n_known=0&until={day}&reason=Agreed.");
    assert_eq!(gone_to(&site.send(&tess, &decide, &give).await), page);

    assert!(!get(&bo, &page).await.body.contains("Decide anew"));
    assert!(get(&tess, &page).await.body.contains("Decide anew"));
    let shown = get(&tess, &decide).await.body;
    for told in [
        "name=\"n_known\" value=\"1\"",
        "Agreed.",
        &day.format("value=\"%d/%m/%Y\"").to_string(),
    ] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    let same = give
        .replace("n_known=0", "n_known=1")
        .replace("Agreed", "So+be+it");
    let answer = site.send(&tess, &decide, &same).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(
        answer.body.contains("That is what was decided before"),
        "{answer:?}"
    );
    let back = "decision=refuse&n_known=1&reason=The+wrong+council.";
    for _ in 0..2 {
        assert_eq!(gone_to(&site.send(&tess, &decide, back).await), page);
    }
    let shown = get(&bo, &page).await.body;
    for told in ["Taken back", "The wrong council.", "Agreed."] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    assert!(!get(&bo, DUTY).await.body.contains("More time was given"));
}

#[tokio::test]
async fn once_a_round_has_closed_a_file_is_refused_and_it_is_said_what_to_do() {
    let site = Running::start().await;
    let scheduler = Grant {
        role: Role::Scheduler,
        reach: Reach::Everything,
    };
    let planner = signed_in(&site.db, "pat@office.example", &[scheduler]).await;
    let close = async |is_confirmed: &str, on: &str| {
        let fields =
            format!("close={on}&close_confirmed={is_confirmed}&reason=The+figures+are+made+up");
        let answer = site
            .send(&planner, "/rounds/cases/2026-27-Q1/dates", &fields)
            .await;
        assert_eq!(answer.status, 303, "{answer:?}");
    };
    let send = async |key: &str| {
        let headers = format!("idempotency-key: {key}\r\n");
        let body = format!("REF\n{key}\n");
        site.ask("POST", SUBMISSIONS, &headers, body.as_bytes())
            .await
    };
    // Nobody is held to a day that may still change.
    close("", "31/08/2026").await;
    assert_eq!(send("one").await.status, 201);
    close("yes", "31/08/2026").await;
    let refused = send("two").await;
    assert_eq!(refused.status, 409, "{refused:?}");
    for told in [
        "\"title\":\"The round is closed\"",
        "closed on 31 August 2026",
        "Ask for more time at /returns/cases/2026-27-Q1/S12000001/more-time",
    ] {
        assert!(refused.body.contains(told), "{told}: {}", refused.body);
    }
    // What came before is what it was, and its receipt is given again.
    assert_eq!(send("one").await.status, 200);
    let duty = site.get("/returns/cases/2026-27-Q1/S12000001").await.body;
    assert!(
        duty.contains("This round closed on 31 August 2026"),
        "{duty}"
    );
    assert!(!duty.contains("/upload?organisation"), "{duty}");
    assert!(!duty.contains("nothing-to-report"), "{duty}");
    let upload = site.get("/upload").await.body;
    assert!(!upload.contains("cases/2026-27-Q1"), "{upload}");
    let owed = site
        .ask_as(&site.bearer(), "GET", "/api/obligations", "", b"")
        .await
        .body;
    assert!(owed.contains("\"closed_on\":\"2026-08-31\""), "{owed}");

    // More time opens it for who has it.
    let today = cycle::clock::day(chrono::Utc::now());
    let until = (today + chrono::Days::new(7))
        .format("%d/%m/%Y")
        .to_string();
    let id = uuid::Uuid::now_v7();
    let more_time = "/returns/cases/2026-27-Q1/S12000001/more-time";
    let fields = format!("id={id}&until={until}&reason=Our+system+was+down");
    let asked = site.send(&site.session, more_time, &fields).await;
    assert_eq!(asked.status, 303, "{asked:?}");
    assert_eq!(send("two").await.status, 409, "asking is not getting");
    let fields = format!("decision=give&n_known=0&until={until}&reason=Agreed");
    let given = site
        .send(&planner, &format!("{more_time}/{id}"), &fields)
        .await;
    assert_eq!(given.status, 303, "{given:?}");
    assert_eq!(send("two").await.status, 201);
    let duty = site.get("/returns/cases/2026-27-Q1/S12000001").await.body;
    assert!(duty.contains("/upload?organisation"), "{duty}");
}
