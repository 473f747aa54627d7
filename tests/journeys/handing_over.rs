//! A return from who sends it to who asks for it, in the browser, with scripts and without them: explained and submitted,
//! signed off by a second person, sent back by a third, sent again and accepted. Every page on the way is looked at.

use chrono::{Days, Utc};
use tempfile::TempDir;

use crate::browser::{Browser, Scripts};
use crate::council::{PERIOD, RETURN, workbook};
use crate::council_officer::{COUNCIL, fill_in, kept, state, wait_for};
use crate::days::{due_day, in_days, in_words, slashed};
use crate::lgdp::{Platform, Role};
use crate::person::Person;

/// In which there is nothing to report.
const QUIET_PERIOD: &str = "2026-27-Q1";
const COUNCIL_NAME: &str = "City of Edinburgh";
const SUMMARY: &str = ".ds_error-summary";

#[tokio::test(flavor = "multi_thread")]
async fn a_return_is_handed_over_in_a_browser_with_scripts() {
    tell(Scripts::On, "handing-over-with-scripts").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_is_handed_over_in_a_browser_without_scripts() {
    tell(Scripts::Off, "handing-over-without-scripts").await;
}

async fn tell(scripts: Scripts, name: &str) {
    let story = Story::begin(scripts, name).await;
    let browser = &story.browser;

    browser.hand_to(&story.ann).await;
    let first = story.send("roofless-but-not-rough").await;
    wait_for(browser, scripts, "needs explanation").await;
    browser.look("to-explain").await;
    let check = explain(browser).await;
    let exception = ask_for_exception(browser, &check).await;
    submit(browser, &first).await;
    sign_off(&story, &first).await;
    send_back(&story, &first).await;
    grant(browser, &exception).await;

    browser.hand_to(&story.ann).await;
    browser.look("home-sent-back").await;
    browser.go(&first).await;
    browser.reads("#handing-over", "September is missing").await;
    browser.look("sent-back-for-the-officer").await;
    browser.go(&exception).await;
    browser.reads("main .ds_tag", "Granted up to").await;

    let second = story.send("valid").await;
    wait_for(browser, scripts, "ready to submit").await;
    compare(browser, &second).await;
    submit(browser, &second).await;
    sign_off(&story, &second).await;
    accept(&story, &second).await;
    look_back(&story, &second).await;
    look_at_the_work(&story).await;
    more_time(&story).await;
    declare_nothing_to_report(&story, scripts).await;
    story.browser.end().await;
}

struct Story {
    browser: Browser,
    /// Sends the council's returns.
    ann: Person,
    /// Signs them off.
    bo: Person,
    /// Asks for the return.
    tess: Person,
    files: TempDir,
    _worker: Role,
    platform: Platform,
}

impl Story {
    async fn begin(scripts: Scripts, name: &str) -> Story {
        let platform = Platform::start(RETURN, PERIOD).await;
        platform.open(RETURN, QUIET_PERIOD);
        platform.invite("ann@council.example", "uploader", COUNCIL);
        platform.invite("bo@council.example", "approver", COUNCIL);
        platform.invite_to_team("tess@team.example", RETURN);
        let worker = platform.start_worker();
        Story {
            ann: Person::sign_in(&platform, "ann@council.example").await,
            bo: Person::sign_in(&platform, "bo@council.example").await,
            tess: Person::sign_in(&platform, "tess@team.example").await,
            browser: Browser::start(&platform.address, scripts, name).await,
            files: tempfile::tempdir().unwrap(),
            _worker: worker,
            platform,
        }
    }

    /// Where the new version's page is.
    async fn send(&self, example: &str) -> String {
        let bytes = workbook(example, "230", 3);
        let file = kept(self.files.path(), &format!("{example}.xlsx"), &bytes);
        self.browser.go("/upload").await;
        fill_in(&self.browser, &file).await;
        self.browser.press("Upload").await;
        self.browser.reads("main", "Fingerprint of the file").await;
        self.browser.path().await
    }
}

/// One place by itself, and then the others together. Gives the check's page.
async fn explain(browser: &Browser) -> String {
    browser.press("Explain these figures").await;
    browser.reads("main", "Why are the figures right?").await;
    browser.look("check-to-explain").await;
    browser.press("Save the explanation").await;
    browser.reads(SUMMARY, "There is a problem").await;
    browser.look("check-nothing-ticked").await;

    browser.tick("HL1!K6").await;
    browser.fill("Why are the figures right?", SHELTER).await;
    browser.press("Save the explanation").await;
    browser.reads("main .said", SHELTER).await;
    browser.look("check-one-explained").await;

    browser.tick("All").await;
    browser.fill("Why are the figures right?", SHELTER).await;
    browser.press("Save the explanation").await;
    browser.reads("main tr:last-child .said", SHELTER).await;
    browser.look("check-explained").await;
    browser.path().await
}

const SHELTER: &str = "They came from a shelter that counts the night before only.";

/// Gives the exception's page.
async fn ask_for_exception(browser: &Browser, check: &str) -> String {
    browser.press("Ask for the exception").await;
    browser.reads(SUMMARY, "There is a problem").await;
    browser.look("exception-without-a-reason").await;
    browser
        .fill("Why is it needed?", "The shelter counts so every quarter.")
        .await;
    browser.press("Ask for the exception").await;
    browser.reads("main", "Waits for a decision").await;
    browser.look("check-with-an-exception-asked-for").await;
    assert_eq!(browser.path().await, check);
    browser.press("For every place, asked for by").await;
    browser.sees("Standing exception").await;
    browser.look("exception-waits").await;
    browser.path().await
}

async fn submit(browser: &Browser, version: &str) {
    browser.go(version).await;
    browser.press("Submit for sign-off").await;
    state(browser, "waiting for sign-off").await;
    browser.look("submitted").await;
}

/// By somebody else than who submitted it.
async fn sign_off(story: &Story, version: &str) {
    let browser = &story.browser;
    browser.hand_to(&story.bo).await;
    browser.look("home-to-sign-off").await;
    browser.go(version).await;
    browser.look("version-to-sign-off").await;
    browser.press("Sign off").await;
    browser.sees("Sign off").await;
    browser.look("sign-off").await;
    browser.fill("How many hours", "lots").await;
    browser.press("Sign off").await;
    browser
        .reads(".ds_error-summary", "Enter hours as a number")
        .await;
    browser.look("sign-off-hours-not-understood").await;
    browser.fill("How many hours", "7.25").await;
    browser.press("Sign off").await;
    state(browser, "signed off").await;
    browser.look("signed-off").await;
}

/// Whoever plans the rounds sees what it took.
async fn look_at_the_work(story: &Story) {
    let platform = &story.platform;
    platform.invite_as("sky@office.example", "Sky", "scheduler", &[]);
    let sky = Person::sign_in(platform, "sky@office.example").await;
    let browser = &story.browser;
    browser.hand_to(&sky).await;
    browser.go(&format!("/rounds/burden?return={RETURN}")).await;
    browser.reads("#organisations", "7.25 hours").await;
    browser.look("burden-with-hours").await;
}

/// The team finds in its grid what was handed to it.
async fn open_from_grid(story: &Story, version: &str) {
    let browser = &story.browser;
    browser.hand_to(&story.tess).await;
    browser.look("home-of-the-team").await;
    browser.go(&format!("/returns/{RETURN}/{PERIOD}")).await;
    browser.reads("main table", COUNCIL_NAME).await;
    browser.look("grid").await;
    browser.press("signed off").await;
    state(browser, "signed off").await;
    assert_eq!(browser.path().await, version);
    browser.look("version-to-accept").await;
}

async fn send_back(story: &Story, version: &str) {
    let browser = &story.browser;
    open_from_grid(story, version).await;
    browser.press("Send back").await;
    browser.sees("Send back").await;
    browser.press("Send back").await;
    browser.reads(SUMMARY, "Enter the reason.").await;
    browser.look("send-back-without-a-reason").await;
    browser
        .fill("Why you send it back", "September is missing.")
        .await;
    browser.press("Send back").await;
    state(browser, "sent back").await;
    browser.look("sent-back").await;
}

/// Whoever has the browser.
async fn grant(browser: &Browser, exception: &str) {
    browser.go("/exceptions").await;
    browser.look("exceptions").await;
    browser.press(COUNCIL_NAME).await;
    browser.sees("Standing exception").await;
    assert_eq!(browser.path().await, exception);
    browser.look("exception-to-decide").await;
    browser.press("Save the decision").await;
    browser.reads(SUMMARY, "Choose whether").await;
    browser.look("exception-not-decided").await;
    let last = Utc::now().date_naive() + Days::new(90);
    browser.tick("Yes, up to a day").await;
    browser
        .fill("The last day", &last.format("%d/%m/%Y").to_string())
        .await;
    browser
        .fill("Why", "Agreed until the shelter has changed.")
        .await;
    browser.press("Save the decision").await;
    browser.reads("main .ds_tag", "Granted up to").await;
    browser.look("exception-granted").await;
}

async fn accept(story: &Story, version: &str) {
    let browser = &story.browser;
    open_from_grid(story, version).await;
    browser.press("Accept").await;
    browser.sees("Accept").await;
    browser.look("accept").await;
    browser.press("Accept").await;
    state(browser, "accepted").await;
    browser.look("accepted").await;
    browser.go(&format!("/returns/{RETURN}/{PERIOD}")).await;
    browser.look("grid-accepted").await;
    browser.go(&format!("/submissions/{PERIOD}")).await;
    browser.sees("Not found").await;
    browser.look("not-found-signed-in").await;
}

/// What the council keeps of it.
async fn look_back(story: &Story, version: &str) {
    let browser = &story.browser;
    browser.hand_to(&story.ann).await;
    browser.go(version).await;
    browser.press("Receipt to print or keep").await;
    browser.sees("Receipt").await;
    browser.reads("main ol", "Accepted by tess").await;
    browser.look("receipt").await;
    let council = format!("/returns/{RETURN}/{PERIOD}/{COUNCIL}");
    browser.go(&council).await;
    browser.look("return").await;
    browser.hand_to(&story.bo).await;
    browser.go(&council).await;
    browser.reads("main", "Who is involved at").await;
    browser.look("return-for-the-approver").await;
}

/// The second version with the first.
async fn compare(browser: &Browser, version: &str) {
    browser.press("What changed since version 1").await;
    browser
        .sees("What changed from version 1 to version 2")
        .await;
    browser.reads("main", "Rows 1 to 3 of 3").await;
    browser.look("changes").await;
    browser
        .fill("Look for a name or a value", "demo-0005-1")
        .await;
    browser.press("Show these").await;
    browser.reads("main", "Rows 1 to 1 of 1").await;
    browser.reads("main table", "HL1!K18").await;
    browser.look("changes-found").await;
    browser.fill("What to show", "Rows that are gone").await;
    browser.press("Show these").await;
    browser.reads("main", "There is no such change.").await;
    browser.look("changes-none").await;
    browser.go(version).await;
}

/// Asked for by the council, and given by the team from its grid.
async fn more_time(story: &Story) {
    let browser = &story.browser;
    let council = format!("/returns/{RETURN}/{QUIET_PERIOD}/{COUNCIL}");
    browser.hand_to(&story.ann).await;
    browser.go(&council).await;
    browser.look("return-to-send").await;
    browser.press("Ask for more time").await;
    browser.sees("More time").await;
    browser.look("more-time").await;
    browser.fill("The day by which", &slashed(due_day())).await;
    browser.press("Ask for more time").await;
    browser.reads(SUMMARY, "Write why.").await;
    browser.look("more-time-without-a-reason").await;
    let until = in_words(in_days(65));
    browser.fill("The day by which", &until).await;
    browser
        .fill("Why you need more time", "Our case system is being moved.")
        .await;
    browser.press("Ask for more time").await;
    browser.reads("main", "Waits for a decision").await;
    browser.look("more-time-asked-for").await;

    browser.hand_to(&story.tess).await;
    browser
        .go(&format!("/returns/{RETURN}/{QUIET_PERIOD}"))
        .await;
    browser.reads("main", "More time is asked for").await;
    browser.look("grid-with-more-time-asked-for").await;
    browser.press(COUNCIL_NAME).await;
    browser.sees("Decide on more time").await;
    browser.look("more-time-to-decide").await;
    browser.press("Save the decision").await;
    browser.reads(SUMMARY, "Choose whether").await;
    browser.look("more-time-not-decided").await;
    browser.tick("Yes, until a day").await;
    browser.fill("Why", "Agreed.").await;
    browser.press("Save the decision").await;
    browser.reads("main", &format!("Given until {until}")).await;
    browser.look("more-time-given").await;
    let shorter = in_words(in_days(50));
    browser.press("Decide anew").await;
    browser.sees("Decide anew on more time").await;
    browser.look("more-time-to-decide-anew").await;
    browser.tick("Yes, until a day").await;
    browser.fill("The day on which", &shorter).await;
    browser.fill("Why", "The figures are needed earlier.").await;
    browser.press("Save the decision").await;
    browser
        .reads("main", &format!("Given until {shorter}"))
        .await;
    browser.look("more-time-changed").await;

    browser.hand_to(&story.ann).await;
    browser.go(&council).await;
    browser.reads("main", &shorter).await;
    browser.look("return-with-more-time").await;
    browser.press("Nothing to report for this period?").await;
    browser.sees("Nothing to report").await;
}

async fn declare_nothing_to_report(story: &Story, scripts: Scripts) {
    let browser = &story.browser;
    browser.hand_to(&story.ann).await;
    let of = format!("organisation={COUNCIL}&round={RETURN}/{QUIET_PERIOD}");
    browser.go(&format!("/upload?{of}")).await;
    browser
        .press("Declare that there is nothing to report")
        .await;
    browser.sees("Nothing to report").await;
    browser.look("nothing-to-report").await;
    browser
        .press("Declare that there is nothing to report")
        .await;
    wait_for(browser, scripts, "ready to submit").await;
    browser.look("nothing-to-report-declared").await;
}
