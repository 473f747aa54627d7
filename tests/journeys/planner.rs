//! Whoever plans the rounds plans the next ones from last year's, confirms and moves them, cancels one and says who need not
//! answer; a council sees it, and has it in a calendar. Every page on the way is looked at.

use chrono::{Datelike, NaiveDate, Weekday};

use crate::browser::{Browser, Scripts};
use crate::council::{PERIOD, RETURN};
use crate::council_officer::COUNCIL;
use crate::days::{due_day, slashed};
use crate::lgdp::Platform;
use crate::person::Person;

/// A council that has to answer.
const OTHER: &str = "S12000034";
const SUMMARY: &str = ".ds_error-summary";

#[tokio::test(flavor = "multi_thread")]
async fn the_rounds_of_a_year_are_planned_in_a_browser() {
    tell(Scripts::On, "planner-with-scripts").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rounds_of_a_year_are_planned_without_scripts() {
    tell(Scripts::Off, "planner-without-scripts").await;
}

async fn tell(scripts: Scripts, name: &str) {
    let platform = Platform::start(RETURN, PERIOD).await;
    platform.invite("bo@council.example", "uploader", COUNCIL);
    platform.invite_as("sky@office.example", "Sky", "scheduler", &[]);
    let _worker = platform.start_worker();
    let bo = Person::sign_in(&platform, "bo@council.example").await;
    let sky = Person::sign_in(&platform, "sky@office.example").await;
    let browser = Browser::start(&platform.address, scripts, name).await;

    browser.hand_to(&sky).await;
    browser.look("home").await;
    plan_and_confirm(&browser).await;
    change_one(&browser).await;
    leave_reminders_out(&platform).await;
    look_around(&browser).await;
    schedule_a_release(&browser).await;

    browser.hand_to(&bo).await;
    let duty = format!("/returns/{RETURN}/{PERIOD}/{COUNCIL}");
    browser.go(&duty).await;
    browser
        .reads("main", "need not answer: It has no cases")
        .await;
    browser.look("not-required").await;
    browser.press("All days of this round").await;
    browser.look("round-of-a-council").await;
    browser.go("/calendar").await;
    browser.look("calendar").await;
    browser.press("Make an address").await;
    browser.reads("main", "Copy it now").await;
    browser.look("calendar-made").await;

    browser.hand_to(&sky).await;
    note_a_holiday(&browser).await;
    close_the_round(&browser).await;
    browser.hand_to(&bo).await;
    browser.go(&duty).await;
    browser
        .reads("main", "This round closed on 31 July 2026")
        .await;
    browser.look("closed").await;
    browser.press("Ask for more time").await;
    browser.sees("More time").await;
    browser.end().await;
}

async fn plan_and_confirm(browser: &Browser) {
    browser.press("Plan the next rounds").await;
    browser.look("proposals").await;
    browser.press("Plan these rounds").await;
    browser.reads(SUMMARY, "Tick one round or more.").await;
    browser.look("proposals-nothing-ticked").await;
    browser.tick("Homelessness").await;
    browser.press("Plan these rounds").await;
    browser.sees("Confirm or move many rounds").await;
    browser.look("many").await;
    browser.press("Change these rounds").await;
    browser.reads(SUMMARY, "Tick one round or more.").await;
    browser.look("many-nothing-ticked").await;
    browser.tick("Homelessness").await;
    browser.tick("Move the day they are due").await;
    browser.fill("How many working days later", "5").await;
    browser.fill("Why", "Half term").await;
    browser.press("Change these rounds").await;
    browser.reads("h1", "The year").await;
    browser.look("year").await;
}

async fn change_one(browser: &Browser) {
    browser.go(&format!("/rounds/{RETURN}/{PERIOD}")).await;
    browser.look("round").await;
    browser.fill("Published", "soon").await;
    browser.press("Set these days").await;
    browser.reads(SUMMARY, "Enter a day").await;
    browser.look("round-no-day").await;
    let year = due_day().year() + 1;
    let published = NaiveDate::from_weekday_of_month_opt(year, 12, Weekday::Sat, 1).unwrap();
    browser.fill("Published", &slashed(published)).await;
    browser.tick("Confirmed: Published").await;
    browser
        .fill("Where the days are from", "Timetable of 2027")
        .await;
    browser.fill("Why these days", "Announced").await;
    browser.press("Set these days").await;
    browser.reads("main table", "This is a Saturday.").await;
    browser.look("round-with-a-day-off").await;
    browser
        .fill("Organisation", "City of Edinburgh need not")
        .await;
    browser
        .fill("Why it has to answer", "It has no cases")
        .await;
    browser.press("Save").await;
    browser
        .reads("main select", "has to answer after all")
        .await;
    browser.fill("Why the round is cancelled", "A trial").await;
    browser.press("Cancel the round").await;
    browser.reads("main", "This round was cancelled").await;
    browser.look("round-cancelled").await;
    browser
        .fill("Why it takes place after all", "It was one")
        .await;
    browser.press("Take it up again").await;
    browser.reads("main", "Set or move days").await;
}

async fn schedule_a_release(browser: &Browser) {
    browser.go("/schedules").await;
    browser.look("schedules").await;
    browser.tick("Draft a provisional release").await;
    browser.fill("Return", "Homelessness").await;
    browser.fill("When", "at noon").await;
    browser.fill("What it is for", "Bulletin").await;
    browser
        .fill("Why you add it", "The team asked for it")
        .await;
    browser.press("Add the schedule").await;
    browser.reads(SUMMARY, "Write five parts").await;
    browser.look("schedules-not-understood").await;
    browser.fill("When", "0 6 5 * *").await;
    browser.press("Add the schedule").await;
    browser.reads("h1", "Bulletin").await;
    browser.reads("main ol", "5 ").await;
    browser.look("schedule").await;
    browser.fill("When", "0 6 32 * *").await;
    browser.fill("Why you change it", "Too early").await;
    browser.press("Change when").await;
    browser.reads(SUMMARY, "is no day of the month").await;
    browser.look("schedule-not-understood").await;
    browser.fill("When", "0 6 12 * *").await;
    browser.press("Change when").await;
    browser.reads("main", "Changed from 0 6 5 * *").await;
    browser.fill("Why you pause it", "Holidays").await;
    browser.press("Pause").await;
    browser.reads("main", "it is paused").await;
    browser.look("schedule-paused").await;
    browser.fill("Why you end it", "Not needed").await;
    browser.press("End for good").await;
    browser.reads("main", "it was ended").await;
    browser.look("schedule-ended").await;
}

async fn note_a_holiday(browser: &Browser) {
    browser.go(&format!("/organisations/{COUNCIL}")).await;
    browser.press("Holidays of").await;
    browser.look("holidays").await;
    browser.press("Add the holiday").await;
    browser.reads(SUMMARY, "Enter a day").await;
    browser.look("holidays-no-day").await;
    browser.fill("Day", "17/05/2027").await;
    browser.fill("What it is called", "Victoria Day").await;
    browser.tick("It is published").await;
    browser.fill("Where it is from", "Made up for a test").await;
    browser.press("Add the holiday").await;
    browser.reads("main table", "Monday 17 May 2027").await;
    browser.look("holidays-with-one").await;
}

async fn close_the_round(browser: &Browser) {
    browser.go(&format!("/rounds/{RETURN}/{PERIOD}")).await;
    browser
        .fill("Organisation", "City of Edinburgh has to")
        .await;
    browser.fill("Why it has to answer", "It has some").await;
    browser.press("Save").await;
    browser.reads("main select", "need not").await;
    browser.fill("Due", "30/06/2026").await;
    browser.fill("Closes", "31/07/2026").await;
    browser.tick("Confirmed: Closes").await;
    browser.fill("Why these days", "The figures come out").await;
    browser.press("Set these days").await;
    browser.reads("main table", "Friday 31 July 2026").await;
}

/// What the worker would have kept on a day that is not this one.
async fn leave_reminders_out(platform: &Platform) {
    let (client, connection) =
        tokio_postgres::connect(platform.database_url(), tokio_postgres::NoTls)
            .await
            .unwrap();
    tokio::spawn(connection);
    let sql = format!(
        "INSERT INTO reminder (obligation_id, organisation, rung, due_on, left_out_because)
        SELECT o.id, o.organisation, r.rung, '{}', r.why
        FROM obligation o JOIN cycle c ON c.id = o.cycle_id,
             (VALUES ('before_30', 'overtaken'), ('before_14', 'nobody')) r (rung, why)
        WHERE c.return_id = $1 AND c.period_label = $2",
        due_day()
    );
    client.execute(&sql, &[&RETURN, &PERIOD]).await.unwrap();
}

async fn look_around(browser: &Browser) {
    for (path, name) in [
        ("/rounds?view=month", "month"),
        ("/rounds?view=month&month=2026-11", "month-november"),
        ("/rounds?view=strip", "strip"),
        ("/rounds/late", "late"),
        ("/rounds/standing", "standing"),
        ("/rounds/workload", "workload"),
        (
            &format!("/rounds/workload?organisation={OTHER}"),
            "workload-of-a-council",
        ),
        ("/rounds/burden", "burden"),
        (
            &format!("/rounds/{RETURN}/{PERIOD}/reminders"),
            "reminders-of-round",
        ),
        (
            &format!("/returns/{RETURN}/{PERIOD}/{OTHER}/reminders"),
            "reminders-of-duty",
        ),
        ("/rounds/asking", "asking"),
    ] {
        browser.go(path).await;
        browser.look(name).await;
    }
}
