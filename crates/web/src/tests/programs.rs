//! Programs: let in by who may, with a token that is shown once, works at once and can be ended at once.

use access::{ActorId, Grant, Reach, Role};
use chrono::{TimeDelta, Utc};
use uuid::Uuid;
use workflow::{Actor, ClientError, Denied, NewClient, NewWebhook, Secret, TellClientEndsJob};

use super::{Answer, Running, cookie, signed_in};

const ARDBEG: &str = "S12000001";
const BRORA: &str = "S12000002";
const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";

fn of(role: Role, code: &str) -> Grant {
    Grant {
        role,
        reach: Reach::Organisation(code.to_owned()),
    }
}

impl Running {
    async fn posts(&self, session: &Secret, path: &str, form: &str) -> Answer {
        let form = format!("form_token={}&{form}", session.form_token());
        self.ask_as(&cookie(session), "POST", path, FORM, form.as_bytes())
            .await
    }

    async fn with_token(&self, token: &str, path: &str) -> u16 {
        let proof = format!("authorization: Bearer {token}\r\n");
        self.ask_as(&proof, "GET", path, "", b"").await.status
    }

    async fn programs_page(&self, session: &Secret) -> Answer {
        self.ask_as(&cookie(session), "GET", "/programs", "", b"")
            .await
    }
}

fn token_in(page: &str) -> &str {
    let after = page.split("<p><span class=\"code\">").nth(1);
    after.and_then(|rest| rest.split('<').next()).unwrap()
}

#[tokio::test]
async fn who_signs_off_lets_a_program_in_and_ends_it_again() {
    let site = Running::start().await;
    let bo = signed_in(&site.db, "bo@ardbeg.example", &[of(Role::Approver, ARDBEG)]).await;
    let own = format!("sending_client+{ARDBEG}");
    for (form, problem) in [
        ("name=&what=W&days=30", "Enter what you call the program"),
        (
            "name=Housing&what=&days=30",
            "Choose what the program does.",
        ),
        ("name=Housing&what=W&days=91", "from 1 to 90"),
        ("name=Housing&what=W&days=0", "from 1 to 90"),
        ("name=Housing&what=W&days=soon", "from 1 to 90"),
        // Roles of people are not for programs.
        (
            &format!("name=Housing&what=approver+{ARDBEG}&days=30"),
            "Choose what the program does.",
        ),
    ] {
        let answer = site
            .posts(&bo, "/programs", &form.replace("=W", &format!("={own}")))
            .await;
        assert_eq!(answer.status, 400, "{form}");
        assert!(answer.body.contains(problem), "{form}: {}", answer.body);
    }
    // Neither another organisation's nor a return's.
    for what in [
        format!("sending_client+{BRORA}"),
        "reading_client+cases".to_owned(),
    ] {
        let form = format!("name=Housing&what={what}&days=30");
        let answer = site.posts(&bo, "/programs", &form).await;
        assert!(
            [403, 404].contains(&answer.status),
            "{what}: {}",
            answer.status
        );
    }
    let form = format!("id=01935c6e-0000-7000-8000-000000000001&name=Housing&what={own}&days=30");
    let made = site.posts(&bo, "/programs", &form).await;
    assert_eq!(made.status, 200, "{}", made.body);
    let token = token_in(&made.body).to_owned();
    assert_eq!(token.len(), 64);
    let again = site.posts(&bo, "/programs", &form).await;
    assert_eq!(again.status, 409, "a form that is sent twice makes one");
    assert!(!again.body.contains(&token));
    let page = site.programs_page(&bo).await.body;
    assert!(!page.contains(&token), "it is shown once");
    let n_unused = |page: &str| page.matches("Last used\">never<").count();
    let n_before = n_unused(&page);

    assert_eq!(site.with_token(&token, "/api/organisations").await, 200);
    let page = site.programs_page(&bo).await.body;
    assert_eq!(n_unused(&page), n_before - 1, "{page}");

    let path = page.split("action=\"/programs/").nth(1).unwrap();
    let path = format!("/programs/{}", path.split('"').next().unwrap());
    let ann = signed_in(&site.db, "ann@brora.example", &[of(Role::Approver, BRORA)]).await;
    assert_eq!(site.posts(&ann, &path, "").await.status, 404);
    assert_eq!(site.with_token(&token, "/api/organisations").await, 200);
    assert_eq!(site.posts(&bo, &path, "").await.status, 303);
    assert_eq!(site.with_token(&token, "/api/organisations").await, 401);
    let trail = site
        .ask_as(
            &cookie(&bo),
            "GET",
            &format!("/organisations/{ARDBEG}/audit"),
            "",
            b"",
        )
        .await
        .body;
    assert!(trail.contains("gave a program access"), "{trail}");
    assert!(trail.contains("ended a program"), "{trail}");
    assert!(!trail.contains(&token));
}

#[tokio::test]
async fn a_token_is_good_up_to_its_day_and_its_maker_is_told_before() {
    let site = Running::start().await;
    signed_in(&site.db, "bo@ardbeg.example", &[of(Role::Approver, ARDBEG)]).await;
    let system = Actor::system("test");
    let bo = workflow::acting(&site.db, &system, "bo@ardbeg.example")
        .await
        .unwrap()
        .unwrap();
    let now = Utc::now();
    let new = NewClient::new("Housing", of(Role::SendingClient, ARDBEG), 30);
    let token = workflow::add_client(&site.db, &bo, &new, now)
        .await
        .unwrap();
    let good = async |at| {
        workflow::client(&site.db, &token, at)
            .await
            .unwrap()
            .is_some()
    };
    assert!(good(now + TimeDelta::days(30) - TimeDelta::seconds(1)).await);
    assert!(!good(now + TimeDelta::days(30)).await);

    let (client, connection) = tokio_postgres::connect(&site.database.url(), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let due: f64 = client
        .query_one(
            "SELECT extract(epoch FROM run_at - now())::float8 / 86400 FROM job WHERE kind = 'tell-client-ends'",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert!((due - 16.0).abs() < 0.1, "{due} days from now");
    let job = TellClientEndsJob { client_id: new.id };
    let told = async || -> i64 {
        let told = "SELECT count(*) FROM email WHERE kind = 'client-ends' AND recipient = 'bo@ardbeg.example'";
        client.query_one(told, &[]).await.unwrap().get(0)
    };
    for _ in 0..2 {
        workflow::tell_client_ends(&site.db, &system, &job, now + TimeDelta::days(16))
            .await
            .unwrap();
        assert_eq!(told().await, 1, "once");
    }
    // One that was ended needs no word.
    let new = NewClient::new("Old", of(Role::SendingClient, ARDBEG), 30);
    workflow::add_client(&site.db, &bo, &new, now)
        .await
        .unwrap();
    workflow::revoke_client(&site.db, &bo, new.id, now)
        .await
        .unwrap();
    let job = TellClientEndsJob { client_id: new.id };
    workflow::tell_client_ends(&site.db, &system, &job, now)
        .await
        .unwrap();
    assert_eq!(told().await, 1);
}

#[tokio::test]
async fn whose_access_is_ended_leaves_no_token_behind() {
    let site = Running::start().await;
    let system = Actor::system("test");
    let admin = Grant {
        role: Role::Admin,
        reach: Reach::Everything,
    };
    let ada = signed_in(&site.db, "ada@office.example", &[admin]).await;
    signed_in(&site.db, "bo@ardbeg.example", &[of(Role::Approver, ARDBEG)]).await;
    signed_in(&site.db, "di@ardbeg.example", &[of(Role::Approver, ARDBEG)]).await;
    let actor_of = async |email| workflow::acting(&site.db, &system, email).await.unwrap();
    let bo = actor_of("bo@ardbeg.example").await.unwrap();
    let di = actor_of("di@ardbeg.example").await.unwrap();
    let lets_in = async |actor: &Actor, name: &str| {
        let new = NewClient::new(name, of(Role::SendingClient, ARDBEG), 30);
        workflow::add_client(&site.db, actor, &new, Utc::now()).await
    };
    let good = async |token: &Secret| site.with_token(token.reveal(), "/api/organisations").await;
    let theirs = lets_in(&bo, "Housing").await.unwrap();
    let other = lets_in(&bo, "Benefits").await.unwrap();
    let colleagues = lets_in(&di, "Schools").await.unwrap();
    for token in [&theirs, &other, &colleagues, &site.token] {
        assert_eq!(good(token).await, 200);
    }

    let url = "https://hooks.council.example/in";
    let new = NewWebhook {
        id: Uuid::now_v7(),
        reach: Reach::Organisation(ARDBEG.to_owned()),
        url: url.to_owned(),
        secret: vec![1; 32],
    };
    workflow::add_webhook(&site.db, &bo, &new).await.unwrap();

    let ActorId::Person(id) = bo.id else {
        panic!("{bo:?}")
    };
    let path = format!("/organisations/{ARDBEG}/people/{id}");
    let page = site.ask_as(&cookie(&ada), "GET", &path, "", b"").await.body;
    assert!(page.contains("This also ends 2 programs"), "{page}");
    for (name, ends) in [("Housing", true), ("Benefits", true), ("Schools", false)] {
        let listed = page.contains(&format!("<li>{name}</li>"));
        assert_eq!(listed, ends, "{name}: {page}");
    }
    assert!(page.contains("This also ends 1 server"), "{page}");
    assert!(page.contains(&format!("<li>{url}</li>")), "{page}");
    let ended = site.posts(&ada, &path, "do=end-access").await;
    assert_eq!(ended.status, 303, "{}", ended.body);
    assert_eq!((good(&theirs).await, good(&other).await), (401, 401));
    assert_eq!(
        (good(&colleagues).await, good(&site.token).await),
        (200, 200)
    );
    let named = workflow::webhooks(&site.db, &system).await.unwrap();
    assert!(named.iter().all(|one| one.ended_at.is_some()), "{named:?}");
    let late = lets_in(&bo, "Late").await;
    assert!(matches!(
        late,
        Err(ClientError::Denied(Denied::SignInNeeded))
    ));

    let trail = format!("/organisations/{ARDBEG}/audit");
    let trail = site.ask_as(&cookie(&ada), "GET", &trail, "", b"").await;
    assert!(trail.body.contains("Programs ended"), "{}", trail.body);
    let n_told = trail.body.matches("ended a program's access").count()
        + trail.body.matches("ended a program&#39;s access").count();
    assert_eq!(n_told, 2, "{}", trail.body);
    // Access that is given again gives no program its own.
    let given = site.posts(&ada, &path, "do=give-access").await;
    assert_eq!(given.status, 303, "{}", given.body);
    assert_eq!(good(&theirs).await, 401);
}

#[tokio::test]
async fn who_may_let_no_program_in_is_not_shown_the_page() {
    let site = Running::start().await;
    let cy = signed_in(&site.db, "cy@ardbeg.example", &[of(Role::Uploader, ARDBEG)]).await;
    assert_eq!(site.programs_page(&cy).await.status, 403);
    let form = format!("name=Housing&what=sending_client+{ARDBEG}&days=30");
    assert_eq!(site.posts(&cy, "/programs", &form).await.status, 403);
}
