//! The page of schedules: what is due when in words, and an answer to a bad rule that says how to write it.

use access::{Grant, Reach, Role};
use workflow::Secret;

use super::explanations::gone_to;
use super::{Running, cookie, signed_in};

const ADD: &str = "kind=draft-release&return=cases&zone=Europe%2FLondon&purpose=For+the+%3Cbulletin%3E&reason=Asked+for";

async fn planner(site: &Running) -> Secret {
    let scheduler = Grant {
        role: Role::Scheduler,
        reach: Reach::Everything,
    };
    signed_in(&site.db, "pat@office.example", &[scheduler]).await
}

async fn page(site: &Running, planner: &Secret, path: &str) -> String {
    let answer = site.ask_as(&cookie(planner), "GET", path, "", b"").await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

#[tokio::test]
async fn a_schedule_that_makes_no_sense_is_answered_in_words() {
    let site = Running::start().await;
    let planner = planner(&site).await;
    let list = page(&site, &planner, "/schedules").await;
    assert!(list.contains("30 7 * * *"), "{list}");
    assert!(
        list.contains("Reminds whoever has a return to send"),
        "{list}"
    );

    let add = ADD;
    for (fields, link, told) in [
        (add.replace("draft-release", "x"), "#kind", "Choose what"),
        (add.replace("cases", ""), "#return", "Choose a return"),
        (format!("{add}&rule=at+noon"), "#rule", "Write five parts"),
        (
            format!("{add}&rule=0+25+*+*+*"),
            "#rule",
            "\u{201c}25\u{201d} is no hour. Write 0 to 23",
        ),
        (
            format!("{add}&rule=0+6+31+2+*"),
            "#rule",
            "No year has such a day",
        ),
        (
            format!("{add}&rule=0+*+*+*+*"),
            "#rule",
            "Once a day is the most",
        ),
        (
            add.replace("Europe", "Scotland") + "&rule=0+6+5+*+*",
            "#zone",
            "No clock is called",
        ),
        (
            add.replace("Asked+for", "+") + "&rule=0+6+5+*+*",
            "#reason",
            "Write why",
        ),
    ] {
        let answer = site.send(&planner, "/schedules", &fields).await;
        assert_eq!(answer.status, 400, "{fields}: {answer:?}");
        assert!(
            answer.body.contains(&format!("href=\"{link}\"")),
            "{fields}: {}",
            answer.body
        );
        assert!(answer.body.contains(told), "{told}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_planner_adds_changes_pauses_and_ends_a_schedule() {
    let site = Running::start().await;
    let planner = planner(&site).await;
    let added = site
        .send(&planner, "/schedules", &format!("{ADD}&rule=0+6+5+*+*"))
        .await;
    let address = "/schedules/draft-release-cases";
    assert_eq!(gone_to(&added), address);
    let one = page(&site, &planner, address).await;
    assert!(one.contains("For the &#60;bulletin&#62;"), "{one}");
    assert_eq!(one.matches(" at 06:00</li>").count(), 5, "{one}");
    assert!(one.contains("It was not due yet"), "{one}");

    let answer = site
        .send(
            &planner,
            address,
            "do=change&rule=0+6+5&zone=Europe%2FLondon&reason=x",
        )
        .await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.body.contains("value=\"0 6 5\""),
        "what was written stays: {}",
        answer.body
    );
    for (fields, link) in [("do=pause&why=", "#why"), ("do=end&because=", "#because")] {
        let answer = site.send(&planner, address, fields).await;
        assert_eq!(answer.status, 400, "{fields}");
        assert!(
            answer.body.contains(&format!("href=\"{link}\"")),
            "{}",
            answer.body
        );
    }
    for fields in [
        "do=change&rule=0+6+6+*+*&zone=Europe%2FLondon&reason=A+day+later",
        "do=pause&why=Holidays",
        "do=resume&why=Back",
        "do=end&because=Not+needed",
    ] {
        assert_eq!(
            gone_to(&site.send(&planner, address, fields).await),
            address,
            "{fields}"
        );
    }
    let one = page(&site, &planner, address).await;
    for told in [
        "Changed from 0 6 5 * * (Europe/London) to 0 6 6 * * (Europe/London)",
        "Holidays",
        "Not needed",
        "it was ended",
    ] {
        assert!(one.contains(told), "{told}: {one}");
    }
    assert!(
        !one.contains("<form method=\"post\" action=\"/schedules"),
        "{one}"
    );
    let answer = site.send(&planner, address, "do=resume&why=Back").await;
    assert_eq!(answer.status, 409);
    let nothing = site
        .ask_as(&cookie(&planner), "GET", "/schedules/x", "", b"")
        .await;
    assert_eq!(nothing.status, 404);
}
