//! A council officer in the browser: from the invitation to the outcome of a file, with scripts, without them, and with
//! the keyboard alone. Every page on the way is looked at.

use std::fs;
use std::path::Path;
use std::time::Duration;

use thirtyfour::Key;

use crate::browser::{Browser, Scripts};
use crate::council::{PERIOD, RETURN, workbook};
use crate::lgdp::{Platform, Role};
use crate::person::{digits_of, link_for};
use crate::wait::until;

pub(crate) const COUNCIL: &str = "S12000036";
const EMAIL: &str = "ann@with-errors.example";

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_sends_a_return_in_a_browser_with_scripts() {
    tell(Scripts::On, "with-scripts").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_sends_a_return_in_a_browser_without_scripts() {
    tell(Scripts::Off, "without-scripts").await;
}

async fn tell(scripts: Scripts, story: &str) {
    let platform = Platform::start(RETURN, PERIOD).await;
    platform.invite(EMAIL, "uploader", COUNCIL);
    let browser = Browser::start(&platform.address, scripts, story).await;
    let mut worker = platform.start_worker();
    sign_in(&platform, &browser, Looks::AtEveryPage).await;
    browser.look("home").await;

    browser.go("/nowhere").await;
    browser.look("not-found").await;
    browser.press("Go to your returns").await;
    browser.go("/accessibility").await;
    browser.look("accessibility").await;

    let files = tempfile::tempdir().unwrap();
    let with_errors = kept(
        files.path(),
        "errors.xlsx",
        &workbook("contact-missing", "230", 30),
    );
    let clean = kept(files.path(), "clean.xlsx", &workbook("valid", "230", 1));

    browser.go("/upload").await;
    browser.look("upload").await;
    browser.do_not_check_forms().await;
    browser.press("Upload").await;
    until("the problem is told", Duration::from_secs(30), || async {
        browser.text_of(".ds_error-summary").await
    })
    .await;
    browser.look("upload-nothing-chosen").await;

    // Nobody works: the page waits.
    worker.kill();
    fill_in(&browser, &with_errors).await;
    browser.press("Upload").await;
    state(&browser, "being checked").await;
    browser
        .reads("main .steps", "In the queue: your file is next")
        .await;
    browser.look("submission-waiting").await;
    let _worker: Role = platform.start_worker();
    wait_for(&browser, scripts, "needs correction").await;
    browser.look("submission-to-fix").await;
    browser.press("See all of them").await;
    browser.look("check").await;
    browser.go("/").await;
    browser.look("home-to-fix").await;

    browser.go("/upload").await;
    fill_in(&browser, &clean).await;
    browser.press("Upload").await;
    wait_for(&browser, scripts, "ready to submit").await;
    browser.look("submission-ready").await;
    browser.go("/").await;
    browser.look("home-ready").await;

    browser.press("Sign out").await;
    browser.sees("Sign in").await;
    browser.look("signed-out").await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_without_a_mouse_sends_a_return() {
    let platform = Platform::start(RETURN, PERIOD).await;
    platform.invite(EMAIL, "uploader", COUNCIL);
    let _worker = platform.start_worker();
    let browser = Browser::start(&platform.address, Scripts::On, "by-keyboard").await;
    sign_in(&platform, &browser, Looks::AtNone).await;

    browser.tab_to("Skip to main content").await;
    browser.keys(Key::Enter + "").await;
    let at = browser.run("return document.activeElement.id").await;
    assert_eq!(at, "main-content");

    let files = tempfile::tempdir().unwrap();
    let file = kept(files.path(), "clean.xlsx", &workbook("valid", "230", 1));
    browser.go("/upload").await;
    browser.tab_to("Your organisation").await;
    browser.keys("City of Ed").await;
    browser.tab_to("Return and period").await;
    browser.keys(Key::Down + "").await;
    browser.tab_to("Your files").await;
    browser.choose_file(&file).await;
    browser.tab_to("Upload").await;
    browser.keys(Key::Enter + "").await;
    state(&browser, "ready to submit").await;
    browser.end().await;
}

#[derive(Clone, Copy, PartialEq)]
enum Looks {
    AtEveryPage,
    AtNone,
}

async fn sign_in(platform: &Platform, browser: &Browser, looks: Looks) {
    let look = async |name: &str| {
        if looks == Looks::AtEveryPage {
            browser.look(name).await;
        }
    };
    browser.go("/").await;
    browser.sees("Sign in").await;
    look("sign-in").await;
    if looks == Looks::AtEveryPage {
        browser.do_not_check_forms().await;
        browser.fill("Your work email address", "ann").await;
        browser.press("Email me a link").await;
        browser.sees("Sign in").await;
        look("sign-in-no-address").await;
    }
    browser.fill("Your work email address", EMAIL).await;
    browser.press("Email me a link").await;
    browser.sees("Look at your email").await;
    look("sign-in-sent").await;
    browser.go(&link_for(platform, EMAIL).await).await;
    look("sign-in-link").await;
    browser.press("Sign in").await;
    browser.sees("Set up your code").await;
    look("code-set-up").await;
    if looks == Looks::AtEveryPage {
        browser.fill("Six digits", "12").await;
        browser.press("Sign in").await;
        until("the problem is told", Duration::from_secs(30), || async {
            browser.text_of(".ds_error-summary").await
        })
        .await;
        look("code-wrong").await;
    }
    let key = browser.text_of(".code").await.unwrap();
    browser.fill("Six digits", &digits_of(&key)).await;
    browser.press("Sign in").await;
    browser.sees("Returns").await;
}

/// As pages name the period.
pub(crate) fn round_in_words() -> String {
    PERIOD.replace("-Q", " Q")
}

pub(crate) async fn fill_in(browser: &Browser, file: &str) {
    browser.fill("Your organisation", "Edinburgh").await;
    browser.fill("Return and period", &round_in_words()).await;
    browser.fill("Your files", file).await;
}

/// A page of a submission says where it is.
pub(crate) async fn state(browser: &Browser, words: &str) {
    until(words, Duration::from_mins(1), || async {
        (browser.text_of("main .ds_tag").await? == words).then_some(())
    })
    .await;
}

/// Where scripts run the page comes to it by itself; elsewhere there is a link to look again.
pub(crate) async fn wait_for(browser: &Browser, scripts: Scripts, words: &str) {
    until(words, Duration::from_mins(1), || async {
        let now = browser.text_of("main .ds_tag").await?;
        if now == words {
            return Some(());
        }
        if scripts == Scripts::Off {
            browser.press("Look again now").await;
        }
        None
    })
    .await;
}

pub(crate) fn kept(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}
