//! Whoever signs off for a council invites somebody, and ends it again; the office looks after everybody; and the trail
//! tells all of it to those who may read it. Every page on the way is looked at.

use reqwest::StatusCode;

use crate::browser::{Browser, Scripts};
use crate::council::{Council, PERIOD, RETURN, assessed, workbook};
use crate::council_officer::COUNCIL;
use crate::days::{in_days, in_words, slashed};
use crate::lgdp::Platform;
use crate::person::Person;

const SUMMARY: &str = ".ds_error-summary";
/// Somebody of a team belongs to it.
const TEAM: &str = "X04000003";

#[tokio::test(flavor = "multi_thread")]
async fn people_are_looked_after_and_the_trail_is_read_in_a_browser() {
    tell(Scripts::On, "administration-with-scripts").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_looked_after_and_the_trail_is_read_without_scripts() {
    tell(Scripts::Off, "administration-without-scripts").await;
}

/// Who has no browser at hand, or is the first.
#[tokio::test(flavor = "multi_thread")]
async fn people_are_looked_after_from_the_command_line() {
    let platform = Platform::start(RETURN, PERIOD).await;
    let _worker = platform.start_worker();
    let eve = ["eve@council.example", "uploader"];
    let for_council = ["--organisation", COUNCIL];
    let invite = ["invite", eve[0], "Eve", eve[1]];
    platform.admin(&[&invite[..], &for_council].concat());
    let signed_in = Person::sign_in(&platform, eve[0]).await;
    let duty = format!("/returns/{RETURN}/{PERIOD}/{COUNCIL}");
    assert_eq!(signed_in.status(&duty).await, StatusCode::OK);

    platform.admin(&[&["end-role"], &eve[..], &for_council].concat());
    assert_eq!(signed_in.status(&duty).await, StatusCode::NOT_FOUND);
    assert_eq!(signed_in.status("/").await, StatusCode::OK);

    platform.admin(&["disable", eve[0]]);
    assert_eq!(signed_in.status("/").await, StatusCode::SEE_OTHER);
    let fay = ["fay@council.example", "approver"];
    let invite = ["invite", fay[0], "Fay", fay[1]];
    platform.admin(&[&invite[..], &for_council].concat());
    let client = ["client", "Housing", "sending_client", "--by", fay[0]];
    platform.admin(&[&client[..], &for_council].concat());
    let said = platform.admin(&["disable", fay[0]]);
    assert!(said.contains("1 program of theirs ended too:"), "{said}");
    assert!(said.contains("\tHousing"), "{said}");
    platform.admin(&["enable", eve[0]]);
    // The session ended with the access, and does not come back with it.
    assert_eq!(signed_in.status("/").await, StatusCode::SEE_OTHER);

    let until = in_days(120).to_string();
    let leave = ["own-sign-off", COUNCIL, "--until", &until];
    let reason = [
        "--reason",
        "There is one of them.",
        "--by",
        "nobody@office.example",
    ];
    let said = platform.admin_refuses(&[leave, reason].concat());
    assert!(
        said.contains("nobody has the address nobody@office.example"),
        "{said}"
    );
    platform.admin(&[&leave[..], &reason[..2]].concat());
    schedules_are_changed(&platform);
    // The owner's login is for those who change the tables, and for nobody else.
    for (command, works) in [
        ("clients", true),
        ("schedules", true),
        ("publish", false),
        ("migrate", false),
    ] {
        let output = platform.admin_without_owner(&[command]);
        assert_eq!(output.status.success(), works, "{command}: {output:?}");
    }
    let said = platform.admin_refuses(&["disable", "nobody@office.example"]);
    assert!(
        said.contains("nobody has the address nobody@office.example"),
        "{said}"
    );
    let said = platform.admin_refuses(&["invite", "x@office.example", "X", "emperor"]);
    assert!(
        said.contains("emperor is no role; these are: uploader"),
        "{said}"
    );
}

fn schedules_are_changed(platform: &Platform) {
    let why = ["--reason", "Agreed"];
    let what = ["--return", RETURN, "--purpose", "Bulletin"];
    let add = |rule| [&["add-schedule", "draft-release", rule][..], &what, &why].concat();
    let said = platform.admin_refuses(&add("at noon"));
    assert!(said.contains("has not five fields"), "{said}");
    let name = platform.admin(&add("0 6 5 * *"));
    let name = name.trim();
    let change = |does: &[&str]| {
        platform.admin(&[&["change-schedule", name], does, &why].concat());
    };
    let line = || {
        let all = platform.admin(&["schedules"]);
        let found = all.lines().find(|line| line.starts_with(name));
        found.unwrap().to_owned()
    };
    assert!(line().ends_with("never\t0\ton"), "{}", line());
    change(&["--when", "0 6 12 * *"]);
    assert!(
        line().contains("\t0 6 12 * *\tEurope/London\t"),
        "{}",
        line()
    );
    change(&["--when", "0 6 12 * *", "--zone", "Asia/Tokyo"]);
    assert!(line().contains("\tAsia/Tokyo\t"), "{}", line());
    change(&["--when", "0 7 12 * *"]);
    assert!(line().contains("\t0 7 12 * *\tAsia/Tokyo\t"), "{}", line());
    change(&["--pause"]);
    assert!(line().ends_with("paused"), "{}", line());
    change(&["--resume"]);
    change(&["--end"]);
    assert!(line().ends_with("ended"), "{}", line());
    let again = [&["change-schedule", name, "--resume"][..], &why].concat();
    assert!(platform.admin_refuses(&again).contains("was ended"));
}

async fn tell(scripts: Scripts, name: &str) {
    let platform = Platform::start(RETURN, PERIOD).await;
    platform.invite("bo@council.example", "approver", COUNCIL);
    platform.invite("cy@council.example", "auditor", COUNCIL);
    platform.invite_as("ada@office.example", "Ada", "admin", &[]);
    platform.invite_as("sky@office.example", "Sky", "scheduler", &[]);
    let _worker = platform.start_worker();
    let council = Council {
        code: COUNCIL,
        email: "returns@council.example",
    };
    let file = workbook("roofless-but-not-rough", "230", 1);
    assessed(
        &platform,
        &council.send(&platform, "cases.xlsx", file).await,
    )
    .await;
    let sign_in = async |email: &str| Person::sign_in(&platform, email).await;
    let bo = sign_in("bo@council.example").await;
    let cy = sign_in("cy@council.example").await;
    let ada = sign_in("ada@office.example").await;
    let sky = sign_in("sky@office.example").await;
    let browser = Browser::start(&platform.address, scripts, name).await;

    browser.hand_to(&bo).await;
    browser.look("home").await;
    invite(&browser).await;
    end_access(&browser).await;
    let_a_program_in(&browser).await;

    browser.hand_to(&cy).await;
    browser.press("Audit trail of").await;
    browser.reads("main", "ended somebody's access").await;
    browser.look("audit-trail").await;

    browser.hand_to(&sky).await;
    browser.go("/audit").await;
    browser.reads("main caption", "How often").await;
    browser.look("audit-trail-counts").await;
    browser
        .go(&format!("/organisations/{COUNCIL}/people"))
        .await;
    browser.look("people-counts").await;

    browser.hand_to(&ada).await;
    browser.press("Audit trail of everything").await;
    browser.look("audit-trail-of-everything").await;
    browser.go("/organisations").await;
    browser.look("organisations").await;
    browser.go(&format!("/organisations/{COUNCIL}")).await;
    browser.reads("main", "Earlier code").await;
    browser.look("organisation").await;
    give_to_a_team(&browser).await;
    give_leave(&browser).await;
    browser.end().await;
}

async fn invite(browser: &Browser) {
    browser.press("People of").await;
    browser.look("people").await;
    browser.press("Invite").await;
    browser.reads(SUMMARY, "There is a problem").await;
    browser.look("people-nothing-filled-in").await;
    browser.fill("Name", "Dee").await;
    browser
        .fill("Work email address", "dee@council.example")
        .await;
    browser.fill("What they do", "Sends returns").await;
    browser.press("Invite").await;
    browser.reads("main table", "dee@council.example").await;
}

async fn end_access(browser: &Browser) {
    browser.press("Dee").await;
    browser.sees("Dee").await;
    browser.look("person").await;
    browser.press("End all access").await;
    browser.reads("main table", "ended").await;
    browser.look("people-with-one-ended").await;
    browser.press("Dee").await;
    browser.look("person-ended").await;
}

async fn let_a_program_in(browser: &Browser) {
    browser.go("/").await;
    browser.press("Programs that send returns").await;
    browser.reads("h1", "Programs").await;
    browser.look("programs").await;
    browser.press("Make a token").await;
    browser.reads(SUMMARY, "Choose what the program does").await;
    browser.look("programs-nothing-filled-in").await;
    browser.fill("What you call it", "Housing system").await;
    browser.fill("What it does", "Sends the returns of").await;
    browser.press("Make a token").await;
    browser.reads("main", "shown only this once").await;
    browser.look("programs-made").await;
    browser.press_first("End now:").await;
    browser.reads("main table", "ended on").await;
    browser.look("programs-ended").await;
    browser.press("Have a server told").await;
    browser.look("webhooks").await;
    browser.press("Have it told").await;
    browser.reads(SUMMARY, "Choose what it is told of").await;
    browser.look("webhooks-nothing-filled-in").await;
    browser.fill("What it is told of", "The returns of").await;
    browser
        .fill("Address of the server", "https://hooks.council.example/in")
        .await;
    browser.press("Have it told").await;
    browser.reads("main", "shown only this once").await;
    browser.look("webhooks-made").await;
    browser.press("hooks.council.example").await;
    browser.reads("main", "Nothing was told yet").await;
    browser.look("webhook").await;
    browser.go("/programs").await;
    browser.press("What programs can ask for").await;
    browser.reads("h1", "For programs").await;
    browser.look("api-docs").await;
}

async fn give_to_a_team(browser: &Browser) {
    browser.go(&format!("/organisations/{TEAM}/people")).await;
    browser.fill("Name", "Tess").await;
    browser
        .fill("Work email address", "tess@team.example")
        .await;
    browser.fill("What they do", "Asks for the return").await;
    browser.press("Invite").await;
    browser.reads(SUMMARY, "Choose the return").await;
    browser.look("people-of-a-team").await;
    browser.fill("Return", "Homelessness").await;
    browser.press("Invite").await;
    browser.reads("main table", "tess@team.example").await;
}

async fn give_leave(browser: &Browser) {
    browser
        .go(&format!("/organisations/{COUNCIL}/people"))
        .await;
    let until = in_days(120);
    browser.fill("The last day", &slashed(until)).await;
    browser.press("Save").await;
    browser.reads(SUMMARY, "Enter why they need it.").await;
    browser.look("leave-without-a-reason").await;
    browser
        .fill("Why they need it", "There is one of them.")
        .await;
    browser.press("Save").await;
    browser
        .reads("main", &format!("Ada gave leave until {}", in_words(until)))
        .await;
    browser.look("leave-given").await;
}
