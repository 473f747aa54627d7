//! Files in the browser: several at once, told apart; one that is only checked and leaves nothing; and a session that
//! ends while files are on the way. With scripts and without.

use std::time::Duration;

use tempfile::TempDir;

use crate::browser::{Browser, Scripts};
use crate::council::{PERIOD, RETURN, workbook};
use crate::council_officer::{COUNCIL, kept, round_in_words};
use crate::lgdp::{Platform, Role};
use crate::person::Person;
use crate::wait::until;

const EMAIL: &str = "ann@council.example";
const SUMMARY: &str = ".ds_error-summary";

struct Story {
    browser: Browser,
    scripts: Scripts,
    ann: Person,
    files: TempDir,
    worker: Role,
    platform: Platform,
}

impl Story {
    async fn begin(scripts: Scripts, name: &str) -> Story {
        let platform = Platform::start(RETURN, PERIOD).await;
        platform.invite(EMAIL, "uploader", COUNCIL);
        let worker = platform.start_worker();
        let ann = Person::sign_in(&platform, EMAIL).await;
        let browser = Browser::start(&platform.address, scripts, name).await;
        browser.hand_to(&ann).await;
        Story {
            browser,
            scripts,
            ann,
            files: tempfile::tempdir().unwrap(),
            worker,
            platform,
        }
    }

    fn workbook(&self, example: &str) -> String {
        let bytes = workbook(example, "230", 3);
        kept(self.files.path(), &format!("{example}.xlsx"), &bytes)
    }

    /// The page comes to it by itself where scripts run; elsewhere there is a link to look again.
    async fn comes_to(&self, words: &str) {
        until(words, Duration::from_mins(1), || async {
            if self.browser.text_of("main").await?.contains(words) {
                return Some(());
            }
            if self.scripts == Scripts::Off {
                self.browser.press("Look again now").await;
            }
            None
        })
        .await;
    }
}

async fn several(scripts: Scripts, name: &str) {
    let mut story = Story::begin(scripts, name).await;
    let list = b"Name,Colour\na,red\n";
    let list = kept(story.files.path(), "list.csv", list);
    let both = format!("{}\n{list}", story.workbook("valid"));
    let browser = &story.browser;

    // Nobody looks at them: the page says that they wait.
    story.worker.kill();
    browser.go("/upload").await;
    browser.fill("Your files", &both).await;
    browser.look("several-chosen").await;
    browser.press("Upload").await;
    browser.sees("Your files").await;
    browser.reads("main", "In the queue").await;
    browser.look("several-waiting").await;

    let mut worker = story.platform.start_worker();
    story.comes_to("This looks like").await;
    story.comes_to("We can't tell which return this is").await;
    browser.look("several-to-decide").await;
    browser.press("Send these files").await;
    browser
        .reads(SUMMARY, "Choose the return and period of this file")
        .await;
    browser.look("several-not-said").await;
    browser.fill("What file 2 is", "Leave it out").await;
    // With a worker the page would be made anew while it is looked at.
    worker.kill();
    browser.press("Send these files").await;
    browser.reads("main", "version 1").await;
    browser.look("several-sent").await;
    let _worker = story.platform.start_worker();
    story.comes_to("ready to submit").await;
    browser.look("several-done").await;

    // The very file once more, as from another window.
    browser.go("/upload").await;
    browser.fill("Return and period", &round_in_words()).await;
    browser.fill("Your files", &story.workbook("valid")).await;
    browser.press("Upload").await;
    story.comes_to("This very file was sent in already").await;
    browser.look("sent-before").await;
    browser.press("Delete what is not sent now").await;
    browser.sees("Send a return").await;
    let left = story.platform.left_lying();
    assert!(left.is_empty(), "{left:?}");
    story.browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_sends_several_files_at_once_with_scripts() {
    several(Scripts::On, "several-with-scripts").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_sends_several_files_at_once_without_scripts() {
    several(Scripts::Off, "several-without-scripts").await;
}

async fn only_checked(scripts: Scripts, name: &str) {
    let story = Story::begin(scripts, name).await;
    let browser = &story.browser;
    browser.go("/upload").await;
    browser.fill("Return and period", &round_in_words()).await;
    browser
        .fill("Your files", &story.workbook("contact-missing"))
        .await;
    browser.press("Only check").await;
    browser.sees("Only checked: contact-missing.xlsx").await;
    story.comes_to("needs correction").await;
    browser
        .reads("main", "Nothing was sent, and your file is deleted already")
        .await;
    browser.look("only-checked").await;
    browser.press("Delete what was found now").await;
    browser.sees("Send a return").await;
    let left = story.platform.left_lying();
    assert!(left.is_empty(), "{left:?}");
    // Nothing came in, as far as the council's own page knows.
    let owed = story.ann.text("/").await;
    assert!(!owed.contains("needs correction"), "{owed}");
    story.browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_has_a_file_only_checked_with_scripts() {
    only_checked(Scripts::On, "only-checked-with-scripts").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_has_a_file_only_checked_without_scripts() {
    only_checked(Scripts::Off, "only-checked-without-scripts").await;
}

async fn signed_out_while_sending(scripts: Scripts, name: &str) {
    let story = Story::begin(scripts, name).await;
    let browser = &story.browser;
    let large = "a,b,c,d,e,f,g,h\n".repeat(100_000);
    let large = kept(story.files.path(), "large.csv", large.as_bytes());
    browser.go("/upload").await;
    browser.fill("Your files", &large).await;
    browser.send_slowly(100_000).await;
    // Without scripts the browser shows nothing else until it has an answer.
    let signed_out = async {
        until("the file comes in", Duration::from_secs(30), || async {
            (!story.platform.left_lying().is_empty()).then_some(())
        })
        .await;
        if scripts == Scripts::On {
            browser.reads("[data-way]", "MB sent").await;
            browser.look("on-its-way").await;
        }
        story.ann.sign_out().await;
    };
    tokio::join!(browser.press("Upload"), signed_out);
    browser.sees("Sign in").await;
    browser.reads("main", "None of them was sent or kept").await;
    browser.look("signed-out-while-sending").await;
    let left = story.platform.left_lying();
    assert!(left.is_empty(), "{left:?}");
    story.browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_while_a_file_is_on_its_way_is_told_with_scripts() {
    signed_out_while_sending(Scripts::On, "signed-out-with-scripts").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_while_a_file_is_on_its_way_is_told_without_scripts() {
    signed_out_while_sending(Scripts::Off, "signed-out-without-scripts").await;
}
