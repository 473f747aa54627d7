//! Somebody signs in with the account that their council gave them: a real provider, a real browser.

use crate::browser::{Browser, Scripts};
use crate::council::{PERIOD, RETURN};
use crate::lgdp::Platform;

const COUNCIL: &str = "S12000047";
const MOIRA: &str = "moira@fife.example";

#[tokio::test(flavor = "multi_thread")]
async fn who_has_an_account_elsewhere_signs_in_with_it() {
    let (platform, provider) = Platform::start_with_provider(RETURN, PERIOD).await;
    platform.invite(MOIRA, "uploader", COUNCIL);
    platform.invite("ann@angus.example", "uploader", "S12000041");
    platform.invite("unverified@fife.example", "uploader", COUNCIL);
    let browser = Browser::start(&platform.address, Scripts::Off, "account-elsewhere").await;

    browser.go("/sign-in").await;
    browser.fill("Your work email address", MOIRA).await;
    browser.press("Email me a link").await;
    browser.sees("Sign in with Fife Council").await;
    browser.look("provider").await;
    browser.press("Go on to Fife Council").await;
    provider.knows("7", MOIRA).await;
    as_account(&browser, "7").await;
    browser.sees("Returns").await;

    let refused = "Not invited yet";
    for (account, email, heading) in [
        // Her account is hers whatever her address is now.
        ("7", "moira.macleod@fife.example", "Returns"),
        // Somebody else's account is not, though it comes with her address.
        ("8", MOIRA, refused),
        ("9", "nobody@fife.example", refused),
        // Fife speaks for nobody of Angus, and for no address that it has not seen answered.
        ("5", "ann@angus.example", refused),
        ("6", "unverified@fife.example", refused),
    ] {
        provider.knows(account, email).await;
        browser.forget_cookies().await;
        browser.go("/sign-in/with/fife").await;
        as_account(&browser, account).await;
        browser.sees(heading).await;
    }

    browser.forget_cookies().await;
    browser.go("/sign-in/with/angus").await;
    browser.sees("Not found").await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_good_for_the_browser_that_asked_and_once() {
    let (platform, provider) = Platform::start_with_provider(RETURN, PERIOD).await;
    platform.invite(MOIRA, "uploader", COUNCIL);
    let browser = Browser::start(&platform.address, Scripts::Off, "answer-of-another").await;
    let old = "Signing in took too long";

    // Never sent there.
    browser.go("/sign-in/back?state=s&code=c").await;
    browser.sees(old).await;

    // An answer that somebody else was given is none for this browser.
    browser.go("/sign-in/with/fife").await;
    let asked = browser.sent_to(&provider.issuer).await;
    let state = asked.split("state=").nth(1).unwrap();
    let state = state.split('&').next().unwrap().to_owned();
    browser.forget_cookies().await;
    browser
        .go(&format!("/sign-in/back?state={state}&code=c"))
        .await;
    browser.sees(old).await;

    // A provider that lets nobody in, and a code that it never gave.
    for (back, heading) in [
        ("error=access_denied", "You are not signed in"),
        ("code=made-up", "You are not signed in"),
        ("code=c&iss=https://login.example", "You are not signed in"),
    ] {
        browser.go("/sign-in/with/fife").await;
        let asked = browser.sent_to(&provider.issuer).await;
        let state = asked.split("state=").nth(1).unwrap();
        let state = state.split('&').next().unwrap();
        let back = format!("/sign-in/back?state={state}&{back}");
        browser.go(&back).await;
        browser.sees(heading).await;
        browser.go(&back).await;
        browser.sees(old).await;
    }

    drop(provider);
    browser.go("/sign-in/with/fife").await;
    browser
        .sees("Your organisation's sign-in does not answer")
        .await;
    browser.end().await;
}

/// At the provider's pages.
async fn as_account(browser: &Browser, account: &str) {
    browser.sees("Sign-in").await;
    browser.fill_named("login", account).await;
    browser.fill_named("password", "anything").await;
    browser.press("Sign-in").await;
    browser.sees("Authorize").await;
    browser.press("Continue").await;
}
