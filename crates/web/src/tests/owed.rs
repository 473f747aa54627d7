//! What a council owes, as its people see it, and how the returns come in, as the office does.

use access::{Grant, Reach, Role};

use super::{Running, SUBMISSIONS, cookie, signed_in};

const DUTY: &str = "/returns/cases/2026-27-Q1/S12000001";

async fn officer(site: &Running, role: Role, organisation: &str) -> String {
    let grant = Grant {
        role,
        reach: Reach::Organisation(organisation.to_owned()),
    };
    let email = format!("{}@{}.example", role.as_str(), organisation.to_lowercase());
    cookie(&signed_in(&site.db, &email, &[grant]).await)
}

#[tokio::test]
async fn a_council_sees_what_it_owes_and_nobody_elses() {
    let site = Running::start().await;
    let own = officer(&site, Role::Uploader, "S12000001").await;
    let page = site.ask_as(&own, "GET", "/", "", b"").await.body;
    assert!(page.contains("1 overdue."), "{page}");
    assert!(page.contains(DUTY), "{page}");
    assert!(!page.contains("How the returns come in"), "{page}");
    assert!(!page.contains("S12000002"), "{page}");

    for (query, is_there) in [
        ("state=overdue", true),
        ("state=to-send", true),
        ("state=waiting", false),
        ("return=cases", true),
        ("past=true", false),
        ("page=2", false),
        // What there is not is not asked for.
        ("state=nonsense&return=nonsense", true),
    ] {
        let page = site
            .ask_as(&own, "GET", &format!("/?{query}"), "", b"")
            .await;
        assert_eq!(page.status, 200, "{query}");
        assert_eq!(page.body.contains(DUTY), is_there, "{query}");
    }
    let page = site.ask_as(&own, "GET", "/?page=x", "", b"").await;
    assert_eq!(page.status, 400, "no number");
}

#[tokio::test]
async fn what_was_sent_is_on_the_front_page_and_on_the_returns() {
    let site = Running::start().await;
    site.ask("POST", SUBMISSIONS, "", b"REF\nA1\n").await;
    let own = officer(&site, Role::Uploader, "S12000001").await;
    for path in ["/?state=waiting", DUTY] {
        let page = site.ask_as(&own, "GET", path, "", b"").await.body;
        assert!(page.contains("being checked"), "{path}: {page}");
        assert!(page.contains("/submissions/"), "{path}: {page}");
    }
}

#[tokio::test]
async fn the_page_of_a_return_is_its_organisations_own() {
    let site = Running::start().await;
    let own = officer(&site, Role::Uploader, "S12000001").await;
    let page = site.ask_as(&own, "GET", DUTY, "", b"").await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("Who is involved"), "{}", page.body);
    // Who works there is for who signs off.
    let approver = officer(&site, Role::Approver, "S12000001").await;
    let page = site.ask_as(&approver, "GET", DUTY, "", b"").await.body;
    assert!(page.contains("uploader@s12000001.example"), "{page}");
    assert!(!page.contains("Send it"), "{page}");

    let other = officer(&site, Role::Approver, "S12000002").await;
    let theirs = site.ask_as(&other, "GET", DUTY, "", b"").await;
    let nowhere = "/returns/cases/2026-27-Q1/S12999999";
    let nobodys = site.ask_as(&other, "GET", nowhere, "", b"").await;
    assert_eq!((theirs.status, nobodys.status), (404, 404));
    assert_eq!(theirs.body, nobodys.body);
}

#[tokio::test]
async fn a_team_and_the_office_see_how_the_returns_come_in() {
    let site = Running::start().await;
    let team = Grant {
        role: Role::DatasetTeam,
        reach: Reach::Return("cases".to_owned()),
    };
    let elsewhere = Grant {
        role: Role::DatasetTeam,
        reach: Reach::Return("other".to_owned()),
    };
    let office = Grant {
        role: Role::Scheduler,
        reach: Reach::Everything,
    };
    for (grant, sees_it, has_figures) in [
        (team, true, true),
        (elsewhere, false, false),
        (office, true, false),
    ] {
        let email = format!("{sees_it}{has_figures}@office.example");
        let them = cookie(&signed_in(&site.db, &email, &[grant]).await);
        let page = site.ask_as(&them, "GET", "/", "", b"").await.body;
        assert!(page.contains("How the returns come in"), "{page}");
        assert_eq!(
            page.contains("/returns/cases/2026-27-Q1\""),
            sees_it,
            "{page}"
        );
        assert_eq!(page.contains("/dataset.csv"), has_figures, "{page}");
        assert!(!page.contains("Send a return</a></p>"), "{page}");
    }
}
