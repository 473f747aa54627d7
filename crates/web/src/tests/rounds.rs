//! The year and its rounds: seen by everybody, planned by one role, and had in a calendar by whoever has an address.

use access::{Grant, Reach, Role};
use chrono::{Days, NaiveDate, Utc};
use cycle::{Certainty, DateKind, PlannedDate};
use workflow::{Actor, Because, NewDates, RoundName, Secret};

use super::explanations::gone_to;
use super::{Running, cookie, signed_in};

const ROUND: &str = "/rounds/cases/2026-27-Q1";

/// Whoever plans the rounds, and somebody who sends a council's.
async fn planner_and_sender(site: &Running) -> (Secret, Secret) {
    let planner = Grant {
        role: Role::Scheduler,
        reach: Reach::Everything,
    };
    let sender = Grant {
        role: Role::Uploader,
        reach: Reach::Organisation("S12000001".to_owned()),
    };
    (
        signed_in(&site.db, "pat@office.example", &[planner]).await,
        signed_in(&site.db, "bo@ardbeg.example", &[sender]).await,
    )
}

fn in_days(n: u64) -> NaiveDate {
    cycle::clock::day(Utc::now()) + Days::new(n)
}

impl Running {
    async fn short_page(&self, who: &Secret, path: &str) -> String {
        let answer = self.ask_as(&cookie(who), "GET", path, "", b"").await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert!(answer.body.len() < 100_000, "{path}");
        answer.body
    }

    /// The round that there is, late for some weeks on whichever day this runs.
    async fn round_that_is_late(&self) {
        let due = cycle::clock::day(Utc::now()) - Days::new(60);
        let dates = NewDates {
            round: RoundName {
                return_id: "cases".to_owned(),
                period: "2026-27-Q1".to_owned(),
            },
            dates: vec![PlannedDate::new(DateKind::Due, due, Certainty::Confirmed)],
            seen: None,
        };
        let because = Because {
            source: None,
            reason: "So that it is late".to_owned(),
        };
        let actor = Actor::system("test");
        workflow::set_dates(&self.db, &actor, &[dates], &because)
            .await
            .unwrap();
    }

    /// A round that is still to come.
    async fn round_to_come(&self) {
        let period = testkit::returns::financial_quarter("2026-27-Q3", "2026-10-01", "2026-12-31");
        let planned = |kind, n| PlannedDate::new(kind, in_days(n), Certainty::Provisional);
        let because = Because {
            source: None,
            reason: "Planned".to_owned(),
        };
        workflow::plan_round(
            &self.db,
            &Actor::system("test"),
            &testkit::returns::cases(),
            &period,
            &[planned(DateKind::Open, 10), planned(DateKind::Due, 40)],
            &because,
        )
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn the_year_is_seen_as_a_list_a_month_and_a_strip() {
    let site = Running::start().await;
    let (planner, sender) = planner_and_sender(&site).await;
    let list = site.short_page(&sender, "/rounds?year=2026").await;
    assert!(list.contains("Friday 31 July 2026"), "{list}");
    assert!(list.contains("1 round is due in this year"), "{list}");
    assert!(!list.contains("/rounds/proposals"), "{list}");
    let month = site
        .short_page(&sender, "/rounds?view=month&month=2026-07")
        .await;
    assert!(month.contains("data-heading=\"Friday 31 July\""), "{month}");
    assert!(month.contains("Opens: <a"), "{month}");
    let published = "publish=30/11/2026&publish_confirmed=yes&reason=Announced";
    let dates = format!("{ROUND}/dates");
    assert_eq!(
        gone_to(&site.send(&planner, &dates, published).await),
        ROUND
    );
    let month = site
        .short_page(&sender, "/rounds?view=month&month=2026-11")
        .await;
    assert!(month.contains("St Andrew&#39;s Day"), "{month}");
    assert!(month.contains("Published: <a"), "{month}");
    let strip = site
        .short_page(&sender, "/rounds?view=strip&year=2026")
        .await;
    assert!(strip.contains("data-heading=\"July\""), "{strip}");
    // The calendar ends with the rounds, says so, and links no farther.
    assert!(
        !list.contains("year=2025") && !list.contains("year=2027"),
        "{list}"
    );
    let last = site
        .short_page(&sender, "/rounds?view=month&month=2027-01")
        .await;
    assert!(
        last.contains(
            "Nothing is planned after November 2026. This is the last month that has a day of a round."
        ),
        "{last}"
    );
    assert!(
        last.contains("data-heading=\"Monday 30 November\""),
        "{last}"
    );
    assert!(last.contains("Published: <a"), "{last}");
    assert_eq!(
        last.matches("month=2026").count(),
        1,
        "only October: {last}"
    );
    let first = site.short_page(&sender, "/rounds?year=1999").await;
    assert!(first.contains("This is the first year that has"), "{first}");
    for odd in [
        "year=0",
        "year=99999",
        "month=2026-13",
        "view=nothing",
        "month=x&view=month",
    ] {
        site.short_page(&sender, &format!("/rounds?{odd}")).await;
    }
    assert!(
        site.short_page(&planner, "/rounds")
            .await
            .contains("/rounds/proposals")
    );
    // A round's own page says when it was told.
    let round = site.short_page(&sender, ROUND).await;
    assert!(round.contains("not said"), "{round}");
    assert!(
        !round.contains("<form method=\"post\" action=\"/rounds"),
        "{round}"
    );
    let duty = site
        .short_page(&sender, "/returns/cases/2026-27-Q1/S12000001")
        .await;
    assert!(duty.contains(&format!("href=\"{ROUND}\"")), "{duty}");
}

#[tokio::test]
async fn what_is_not_touched_stays_and_what_somebody_else_said_meanwhile_is_not_undone() {
    let site = Running::start().await;
    let (planner, sender) = planner_and_sender(&site).await;
    let dates = format!("{ROUND}/dates");
    let moved = "due=14/08/2026&due_confirmed=yes&reason=It+is+late";
    assert_eq!(gone_to(&site.send(&planner, &dates, moved).await), ROUND);
    let form = site.short_page(&planner, ROUND).await;
    let seen = form.split("name=\"seen\" value=\"").nth(1).unwrap();
    let seen = seen.split('"').next().unwrap();
    let stale = format!(
        "open=01/07/2026&open_confirmed=yes&due=14/08/2026&due_confirmed=yes&close=31/08/2026&reason=x&seen={seen}"
    );
    assert_eq!(gone_to(&site.send(&planner, &dates, &stale).await), ROUND);
    let round = site.short_page(&sender, ROUND).await;
    assert!(
        round.contains("Closes: 31 August 2026, provisional"),
        "{round}"
    );
    assert!(
        !round.contains("Due: 14 August 2026 is provisional"),
        "{round}"
    );
    let answer = site
        .send(&planner, &dates, &stale.replace("14/08", "31/07"))
        .await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("Days of the round for"), "{answer:?}");
    assert!(
        site.short_page(&sender, ROUND)
            .await
            .contains("Friday 14 August 2026")
    );
}

#[tokio::test]
async fn a_planner_moves_a_round_and_is_told_what_is_wrong() {
    let site = Running::start().await;
    let (planner, sender) = planner_and_sender(&site).await;
    let dates = format!("{ROUND}/dates");
    for (fields, link) in [
        ("due=14/08/2026&due_confirmed=yes&reason=+", "#reason"),
        ("due=soon&due_confirmed=yes&reason=x", "#due"),
        ("due=30/06/2026&due_confirmed=yes&reason=x", "#dates"),
    ] {
        let answer = site.send(&planner, &dates, fields).await;
        assert_eq!(answer.status, 400, "{fields}: {answer:?}");
        let link = format!("href=\"{link}\"");
        assert!(answer.body.contains(&link), "{link}: {}", answer.body);
    }
    let fields = "due=14/08/2026&due_confirmed=yes&source=A+letter&reason=It+%3Cis%3E+late";
    assert_eq!(site.send(&sender, &dates, fields).await.status, 403);
    assert_eq!(gone_to(&site.send(&planner, &dates, fields).await), ROUND);
    let round = site.short_page(&sender, ROUND).await;
    assert!(round.contains("Friday 14 August 2026"), "{round}");
    assert!(
        round.contains("Due: moved from 31 July 2026 to 14 August 2026, confirmed"),
        "{round}"
    );
    assert!(round.contains("It &#60;is&#62; late"), "{round}");
    assert!(round.contains("after it"), "no notice was given: {round}");

    // A council need not answer, and has to after all.
    let who = format!("{ROUND}/organisations");
    let answer = site.send(&planner, &who, "organisation=&because=x").await;
    assert!(answer.body.contains("href=\"#organisation\""), "{answer:?}");
    let answer = site
        .send(&planner, &who, "organisation=no:S12000001&because=")
        .await;
    assert!(answer.body.contains("href=\"#because\""), "{answer:?}");
    let no = "organisation=no:S12000001&because=It+has+none";
    assert_eq!(site.send(&sender, &who, no).await.status, 403);
    assert_eq!(gone_to(&site.send(&planner, &who, no).await), ROUND);
    let duty = site
        .short_page(&sender, "/returns/cases/2026-27-Q1/S12000001")
        .await;
    assert!(
        duty.contains("Ardbeg need not answer: It has none"),
        "{duty}"
    );
    assert!(!duty.contains("/upload?organisation"), "{duty}");
    let yes = "organisation=yes:S12000001&because=It+has+some";
    assert_eq!(gone_to(&site.send(&planner, &who, yes).await), ROUND);

    let cancellation = format!("{ROUND}/cancellation");
    let cancel = "takes_place=cancelled&why=The+form+is+withdrawn";
    assert_eq!(
        site.send(&planner, &cancellation, "why=x").await.status,
        400
    );
    let answer = site
        .send(&planner, &cancellation, "takes_place=cancelled&why=")
        .await;
    assert!(answer.body.contains("href=\"#why\""), "{answer:?}");
    assert_eq!(site.send(&sender, &cancellation, cancel).await.status, 403);
    assert_eq!(
        gone_to(&site.send(&planner, &cancellation, cancel).await),
        ROUND
    );
    let round = site.short_page(&sender, ROUND).await;
    assert!(round.contains("This round was cancelled"), "{round}");
    assert!(round.contains("The form is withdrawn"), "{round}");
    let again = "takes_place=yes&why=It+is+back";
    assert_eq!(
        gone_to(&site.send(&planner, &cancellation, again).await),
        ROUND
    );
    assert_eq!(
        site.ask_as(
            &cookie(&planner),
            "GET",
            "/rounds/cases/2020-21-Q1",
            "",
            b""
        )
        .await
        .status,
        404
    );
}

/// Both rounds to come, ticked as the page of many has them now.
async fn both_rounds(site: &Running, planner: &Secret) -> String {
    let page = site.short_page(planner, "/rounds/many").await;
    let ticked = ["cases/2027-28-Q1/", "cases/2026-27-Q3/"].map(|name| {
        let (_, after) = page.split_once(&format!("value=\"{name}")).unwrap();
        format!("round={name}{}", after.split_once('"').unwrap().0)
    });
    ticked.join("&")
}

#[tokio::test]
async fn many_rounds_are_planned_confirmed_and_moved_together() {
    let site = Running::start().await;
    site.round_that_is_late().await;
    let (planner, sender) = planner_and_sender(&site).await;
    let proposals = site.short_page(&planner, "/rounds/proposals").await;
    assert!(
        proposals.contains("value=\"cases/2027-28-Q1\""),
        "{proposals}"
    );
    let answer = site.send(&planner, "/rounds/proposals", "").await;
    assert_eq!(answer.status, 400);
    let chosen = "round=cases/2027-28-Q1";
    assert_eq!(
        site.send(&sender, "/rounds/proposals", chosen).await.status,
        403
    );
    let planned = site.send(&planner, "/rounds/proposals", chosen).await;
    assert_eq!(gone_to(&planned), "/rounds/many");
    assert!(
        site.short_page(&planner, "/rounds/proposals")
            .await
            .contains("is planned already")
    );
    site.round_to_come().await;
    let both = both_rounds(&site, &planner).await;
    for (fields, link) in [
        ("does=confirm&reason=x".to_owned(), "#rounds"),
        (format!("{both}&reason=x"), "#does-confirm"),
        (format!("{both}&does=move&by_days=0&reason=x"), "#by_days"),
        (format!("{both}&does=move&by_days=61&reason=x"), "#by_days"),
        (format!("{both}&does=confirm&reason="), "#reason"),
    ] {
        let answer = site.send(&planner, "/rounds/many", &fields).await;
        assert_eq!(answer.status, 400, "{fields}");
        let link = format!("href=\"{link}\"");
        assert!(answer.body.contains(&link), "{fields}: {}", answer.body);
    }
    let confirm = format!("{both}&does=confirm&reason=Agreed");
    assert_eq!(
        site.send(&sender, "/rounds/many", &confirm).await.status,
        403
    );
    assert_eq!(
        gone_to(&site.send(&planner, "/rounds/many", &confirm).await),
        "/rounds"
    );
    let many = site.short_page(&planner, "/rounds/many").await;
    assert_eq!(many.matches(">confirmed<").count(), 2, "{many}");
    // The page of before they were confirmed is out of date, and says which round is.
    let stale = format!("{both}&does=move&by_days=3&reason=Holidays");
    let refused = site.send(&planner, "/rounds/many", &stale).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.body.contains("Days of the round for Cases, "),
        "{}",
        refused.body
    );
    let both = both_rounds(&site, &planner).await;
    let moved = format!("{both}&does=move&by_days=3&reason=Holidays");
    assert_eq!(
        gone_to(&site.send(&planner, "/rounds/many", &moved).await),
        "/rounds"
    );
    // Sent twice, they are moved once.
    assert_eq!(
        site.send(&planner, "/rounds/many", &moved).await.status,
        400
    );
    let due = cycle::holidays::working_days_after(in_days(40), 3);
    let round = site.short_page(&sender, "/rounds/cases/2026-27-Q3").await;
    assert!(
        round.contains(&due.format("%A %-d %B %Y").to_string()),
        "{round}"
    );
}

#[tokio::test]
async fn whoever_plans_sees_who_is_late_and_what_is_to_come() {
    let site = Running::start().await;
    site.round_that_is_late().await;
    let (planner, _) = planner_and_sender(&site).await;
    site.round_to_come().await;
    let late = site.short_page(&planner, "/rounds/late").await;
    assert!(
        late.contains("2 returns of 2 organisations are late"),
        "{late}"
    );
    let home = site.short_page(&planner, "/").await;
    assert!(home.contains("/rounds/late"), "{home}");
    site.short_page(&planner, "/rounds/standing").await;
    let workload = site
        .short_page(&planner, "/rounds/workload?organisation=S12000001")
        .await;
    assert!(workload.contains("Work to come for Ardbeg"), "{workload}");
    assert!(
        workload.contains("/returns/cases/2026-27-Q3/S12000001"),
        "{workload}"
    );
    site.short_page(&planner, "/rounds/workload?organisation=nobody")
        .await;
    assert!(
        site.short_page(&planner, "/rounds/burden")
            .await
            .contains("Nothing was sent yet")
    );
    site.ask("POST", super::SUBMISSIONS, "", b"REF\nA1\n").await;
    let burden = site.short_page(&planner, "/rounds/burden").await;
    assert!(burden.contains("none yet"), "{burden}");
    assert!(
        site.short_page(&planner, "/rounds/asking")
            .await
            .contains("None waits for you")
    );
}

#[tokio::test]
async fn a_calendar_reads_a_feed_without_signing_in_until_it_is_ended() {
    let site = Running::start().await;
    let (_, sender) = planner_and_sender(&site).await;
    site.short_page(&sender, "/calendar").await;
    let id = "01a20824-5a74-71c5-bcf5-000000000001";
    let make = format!("id={id}&of=organisation:S12000001");
    let made = site.send(&sender, "/calendar", &make).await;
    assert_eq!(made.status, 200, "{made:?}");
    let at = made.body.find("http://returns.example/calendar/").unwrap();
    let address = made.body[at + "http://returns.example".len()..]
        .split('<')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(
        gone_to(&site.send(&sender, "/calendar", &make).await),
        "/calendar"
    );
    let page = site.short_page(&sender, "/calendar").await;
    assert!(!page.contains(&address), "shown once");
    assert!(page.contains("What Ardbeg has to send"), "{page}");

    let feed = site.ask_as("", "GET", &address, "", b"").await;
    assert_eq!(feed.status, 200);
    assert_eq!(
        feed.header("content-type"),
        Some("text/calendar; charset=utf-8")
    );
    assert!(
        feed.body.starts_with("BEGIN:VCALENDAR\r\n"),
        "{}",
        feed.body
    );
    assert!(feed.body.contains("@returns.example"), "{}", feed.body);
    let guessed = "/calendar/0000000000000000000000000000000000000000000000000000000000000000.ics";
    for other in [guessed, "/calendar/x.ics"] {
        assert_eq!(site.ask_as("", "GET", other, "", b"").await.status, 404);
    }
    for (of, status) in [
        ("organisation:S12000002", 404),
        ("return:nothing", 400),
        ("", 400),
    ] {
        let make = format!("id={}&of={of}", uuid::Uuid::now_v7());
        assert_eq!(
            site.send(&sender, "/calendar", &make).await.status,
            status,
            "{of}"
        );
    }
    let end = format!("/calendar/{id}/end");
    assert_eq!(gone_to(&site.send(&sender, &end, "").await), "/calendar");
    assert_eq!(site.ask_as("", "GET", &address, "", b"").await.status, 404);
}

#[tokio::test]
async fn a_council_s_own_holidays_are_left_out_of_its_working_days() {
    let site = Running::start().await;
    let (planner, sender) = planner_and_sender(&site).await;
    site.round_to_come().await;
    let page = "/organisations/S12000001/holidays";
    assert!(
        site.short_page(&sender, page)
            .await
            .contains("None is known")
    );
    let duty = "/returns/cases/2026-27-Q3/S12000001";
    let left = async || {
        let shown = site.short_page(&sender, duty).await;
        let at = shown.find(" working days are left after today").unwrap();
        let n: usize = shown[..at].rsplit('>').next().unwrap().parse().unwrap();
        n
    };
    let before = left().await;
    // A day in between on which everybody else works.
    let today = in_days(0);
    let free = cycle::holidays::working_days_after(today, 7);
    let day = free.format("%d/%m/%Y");
    let fields = format!("day={day}&holiday=Ardbeg+Fair&confidence=published&source=Its+own+list");
    for (fields, link) in [
        (fields.replace(&day.to_string(), "soon"), "#day"),
        (fields.replace("Ardbeg+Fair", "+"), "#holiday"),
        (fields.replace("published", "sure"), "#confidence-published"),
        (fields.replace("Its+own+list", ""), "#source"),
    ] {
        let answer = site.send(&planner, page, &fields).await;
        assert_eq!(answer.status, 400, "{fields}");
        assert!(
            answer.body.contains(&format!("href=\"{link}\"")),
            "{}",
            answer.body
        );
    }
    assert_eq!(site.send(&sender, page, &fields).await.status, 403);
    for _ in 0..2 {
        assert_eq!(gone_to(&site.send(&planner, page, &fields).await), page);
    }
    let shown = site.short_page(&sender, page).await;
    assert_eq!(shown.matches("Ardbeg Fair").count(), 1, "{shown}");
    assert!(shown.contains("As published: Its own list"), "{shown}");
    assert!(!shown.contains("Take back"), "{shown}");
    assert_eq!(left().await, before - 1);
    let other = site
        .short_page(&planner, "/returns/cases/2026-27-Q3/S12000002")
        .await;
    assert!(
        other.contains(&format!(">{before} working days are left")),
        "{other}"
    );
    let back = format!("do=take-back&day={free}&source=");
    let answer = site.send(&planner, page, &back).await;
    assert!(answer.body.contains("href=\"#take-back\""), "{answer:?}");
    let back = format!("{back}Entered+by+mistake");
    assert_eq!(gone_to(&site.send(&planner, page, &back).await), page);
    assert_eq!(left().await, before);
}
