//! Organisations and their people: seen, invited, and their access ended.

use access::{Grant, Reach, Role};
use spec::{Confidence, OrganisationSource, OrganisationSources};
use workflow::{Actor, Secret};

use super::{Answer, Running, cookie, signed_in};

const ARDBEG: &str = "S12000001";
const BRORA: &str = "S12000002";
const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";
const PEOPLE: &str = "/organisations/S12000001/people";

fn of(role: Role, code: &str) -> Grant {
    Grant {
        role,
        reach: Reach::Organisation(code.to_owned()),
    }
}

fn everywhere(role: Role) -> Grant {
    Grant {
        role,
        reach: Reach::Everything,
    }
}

impl Running {
    async fn sees(&self, session: &Secret, path: &str) -> Answer {
        self.ask_as(&cookie(session), "GET", path, "", b"").await
    }

    async fn sends(&self, session: &Secret, path: &str, form: &str) -> Answer {
        let form = format!("form_token={}&{form}", session.form_token());
        self.ask_as(&cookie(session), "POST", path, FORM, form.as_bytes())
            .await
    }

    /// Where the page of somebody is.
    async fn page_of(&self, session: &Secret, name: &str) -> String {
        let page = self.sees(session, PEOPLE).await.body;
        let before = page.split(&format!("\">{name}</a>")).next().unwrap();
        before.rsplit("href=\"").next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn who_signs_off_invites_who_sends_and_ends_it_again() {
    let site = Running::start().await;
    let bo = signed_in(&site.db, "bo@ardbeg.example", &[of(Role::Approver, ARDBEG)]).await;
    for (form, problem) in [
        (
            "name=Cy&email=nobody&role=uploader",
            "Enter an email address",
        ),
        (
            "name=+&email=cy@ardbeg.example&role=uploader",
            "Enter their name.",
        ),
        (
            "name=Cy&email=cy@ardbeg.example&role=",
            "Choose what they do.",
        ),
    ] {
        let answer = site.sends(&bo, PEOPLE, form).await;
        assert_eq!(answer.status, 400, "{form}");
        assert!(answer.body.contains(problem), "{}", answer.body);
        assert!(answer.body.contains("There is a problem"));
    }
    let form = "name=Cy&email=cy@ardbeg.example&role=";
    let answer = site.sends(&bo, PEOPLE, &format!("{form}approver")).await;
    assert_eq!(answer.status, 403, "that is for the office to give");
    let answer = site.sends(&bo, PEOPLE, &format!("{form}uploader")).await;
    assert_eq!(answer.header("location"), Some(PEOPLE));

    let cy = signed_in(&site.db, "cy@ardbeg.example", &[]).await;
    let theirs = site.page_of(&bo, "Cy").await;
    assert_eq!(site.sees(&cy, "/upload").await.status, 200);
    assert!(site.sees(&bo, &theirs).await.body.contains("Sends returns"));
    // What they may do is asked anew each time.
    let before = site.sees(&cy, "/").await.body;
    assert!(before.contains("Cases"), "{before}");
    let ended = site.sends(&bo, &theirs, "do=end-role&role=uploader").await;
    assert_eq!(ended.status, 303, "{}", ended.body);
    let after = site.sees(&cy, "/").await.body;
    assert!(!after.contains("2026-27"), "{after}");
}

#[tokio::test]
async fn whose_access_is_ended_is_signed_out_at_once() {
    let site = Running::start().await;
    let bo = signed_in(&site.db, "bo@ardbeg.example", &[of(Role::Approver, ARDBEG)]).await;
    let cy = signed_in(&site.db, "cy@ardbeg.example", &[of(Role::Uploader, ARDBEG)]).await;
    let ada = signed_in(&site.db, "ada@office.example", &[everywhere(Role::Admin)]).await;
    let theirs = site.page_of(&bo, "cy").await;
    assert_eq!(site.sees(&cy, "/").await.status, 200);
    let ended = site.sends(&bo, &theirs, "do=end-access").await;
    assert_eq!(ended.status, 303, "{}", ended.body);
    let answer = site.sees(&cy, "/").await;
    assert_eq!(answer.status, 303);
    assert!(answer.header("location").unwrap().starts_with("/sign-in"));
    assert!(site.sees(&bo, PEOPLE).await.body.contains(">ended<"));
    // Nobody ends their own, and who signs off ends nobody's who signs off.
    let own = site.page_of(&bo, "bo").await;
    for who in [&bo, &bo] {
        let answer = site.sends(who, &own, "do=end-access").await;
        assert_eq!(answer.status, 403);
    }
    let given = site.sends(&ada, &theirs, "do=give-access").await;
    assert_eq!(given.status, 303);
    assert_eq!(site.sees(&cy, "/").await.status, 303, "they sign in anew");
    let cy = signed_in(&site.db, "cy@ardbeg.example", &[]).await;
    assert_eq!(site.sees(&cy, "/").await.status, 200);
    let trail = site.sees(&ada, "/organisations/S12000001/audit").await.body;
    for deed in [
        "</strong> ended somebody",
        "</strong> gave somebody access again",
    ] {
        assert!(trail.contains(deed), "{deed}: {trail}");
    }
}

#[tokio::test]
async fn people_are_shown_to_their_own_and_counted_for_the_office() {
    let site = Running::start().await;
    let bo = signed_in(&site.db, "bo@brora.example", &[of(Role::Approver, BRORA)]).await;
    assert_eq!(site.sees(&bo, PEOPLE).await.status, 404);
    let nowhere = "/organisations/S12999999/people";
    assert_eq!(site.sees(&bo, nowhere).await.status, 404);
    let sky = signed_in(
        &site.db,
        "sky@office.example",
        &[everywhere(Role::Scheduler)],
    )
    .await;
    let counted = site.sees(&sky, PEOPLE).await.body;
    assert!(counted.contains("1 person: sends returns"), "{counted}");
    assert!(!counted.contains("ann@"), "{counted}");
    assert!(counted.contains("Invite somebody"), "{counted}");
}

#[tokio::test]
async fn an_admin_gives_a_team_its_people_and_an_organisation_leave() {
    let site = Running::start().await;
    let ada = signed_in(&site.db, "ada@office.example", &[everywhere(Role::Admin)]).await;
    let team = "/organisations/S12000003/people";
    let form = "name=Tess&email=tess@team.example&role=dataset_team";
    let answer = site.sends(&ada, team, form).await;
    assert!(answer.body.contains("Choose the return"), "{}", answer.body);
    let answer = site
        .sends(&ada, team, &format!("{form}&return_id=cases"))
        .await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let listed = site.sees(&ada, team).await.body;
    assert!(listed.contains("asks for the return cases"), "{listed}");

    let leave = "/organisations/S12000001/own-sign-off";
    for (form, problem) in [
        ("until=soon&reason=x", "Enter the last day"),
        ("until=31/03/2027&reason=+", "Enter why they need it."),
    ] {
        let answer = site.sends(&ada, leave, form).await;
        assert_eq!(answer.status, 400);
        assert!(answer.body.contains(problem), "{}", answer.body);
    }
    let given = site
        .sends(&ada, leave, "until=31/03/2027&reason=They+are+one.")
        .await;
    assert_eq!(given.status, 303);
    let page = site.sees(&ada, PEOPLE).await.body;
    let says = "ada gave leave until 31 March 2027: They are one.";
    assert!(page.contains(says), "{page}");
}

#[tokio::test]
async fn an_organisation_is_shown_with_its_codes_and_where_they_are_from() {
    let site = Running::start().await;
    let mut organisations = testkit::returns::organisations();
    organisations.0[0].sg_code = Some("100".to_owned());
    organisations.0[0].aliases = vec!["Port Ardbeg".to_owned()];
    let source = |about: &str, url: Option<&str>, confidence| OrganisationSource {
        kind: "council".to_owned(),
        about: about.to_owned(),
        source: format!("A book about each {about}"),
        url: url.map(str::to_owned),
        confidence,
    };
    let sources = OrganisationSources(vec![
        source("code", Some("https://book.example"), Confidence::Published),
        source("sg_code", None, Confidence::Partial),
        source("aliases", None, Confidence::Inferred),
    ]);
    let owner = site.database.connect_as_owner().await;
    for _ in 0..2 {
        workflow::publish_organisations(&owner, &Actor::system("test"), &organisations, &sources)
            .await
            .unwrap();
    }
    let list = site.get("/organisations").await.body;
    assert!(list.contains("3 by name"), "{list}");
    assert!(
        list.contains("<td data-heading=\"Scottish Government\">100</td>"),
        "{list}"
    );
    let none = site.get("/organisations?kind=club").await.body;
    assert!(none.contains("There is none of these."), "{none}");
    let one = site.get("/organisations/S12000001").await.body;
    for says in [
        "<a href=\"https://book.example\">As published: A book about each code</a>",
        "Published in part: A book about each sg_code",
        "Port Ardbeg<br><span class=\"quiet\">Not published: A book about each aliases",
    ] {
        assert!(one.contains(says), "{says}: {one}");
    }
    assert_eq!(site.get("/organisations/S12999999").await.status, 404);
    let json = site.get("/api/organisations").await.body;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let facts = json["items"][0]["facts"].as_array().unwrap();
    let code = facts
        .iter()
        .find(|fact| fact["about"] == "sg_code")
        .unwrap();
    assert_eq!(
        (&code["value"], &code["confidence"]),
        (&"100".into(), &"partial".into())
    );
    // Said once, though it was published twice.
    let ada = signed_in(&site.db, "ada@office.example", &[everywhere(Role::Admin)]).await;
    let trail = site.sees(&ada, "/audit").await.body;
    assert_eq!(
        trail.matches("published the organisations").count(),
        1,
        "{trail}"
    );
}

#[tokio::test]
async fn the_trail_is_told_in_words_and_taken_away() {
    let site = Running::start().await;
    let bo = signed_in(&site.db, "bo@ardbeg.example", &[of(Role::Approver, ARDBEG)]).await;
    signed_in(&site.db, "zoe@brora.example", &[of(Role::Approver, BRORA)]).await;
    let ada = signed_in(&site.db, "ada@office.example", &[everywhere(Role::Admin)]).await;
    let sky = signed_in(
        &site.db,
        "sky@office.example",
        &[everywhere(Role::Scheduler)],
    )
    .await;
    let home = site.sees(&bo, "/").await.body;
    assert!(
        home.contains("href=\"/organisations/S12000001/audit\""),
        "{home}"
    );
    let page = site.sees(&bo, "/organisations/S12000001/audit").await.body;
    let says = "gave somebody something to do</td><td data-heading=\"About\"></td>";
    assert!(page.contains(says), "{page}");
    // Names, and no ids.
    assert!(
        page.contains("Person: <span class=\"code\">bo</span>"),
        "{page}"
    );

    let csv = site.sees(&bo, "/organisations/S12000001/audit.csv").await;
    let name = "attachment; filename=\"audit-S12000001.csv\"";
    assert_eq!(csv.header("content-disposition"), Some(name));
    let own = "invite,gave somebody something to do,S12000001,Ardbeg";
    assert!(
        csv.body.contains(own) && !csv.body.contains(BRORA),
        "{}",
        csv.body
    );
    let lines = site.sees(&ada, "/audit.jsonl").await.body;
    let lines: Vec<serde_json::Value> = lines
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of_brora = |line: &&serde_json::Value| line["organisation"] == BRORA;
    assert!(lines.iter().any(|line| of_brora(&line)), "{lines:?}");
    // That it was taken away is the newest of it.
    assert_eq!(lines[0]["verb"], "export_audit");
    let counts = site.sees(&sky, "/audit.csv").await.body;
    assert!(counts.contains("deed,what,how_often"), "{counts}");
    assert!(!counts.contains("ardbeg"), "{counts}");
    let denied = site.sees(&bo, "/audit.csv").await;
    assert_eq!(denied.status, 403);
}
