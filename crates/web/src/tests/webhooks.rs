//! Servers that are told what happens: asked for by who may, told once for each event, again when it did not work,
//! and given up in the end.

use std::time::Duration;

use access::{ActorId, Grant, Reach, Role};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;
use workflow::{Actor, DeliverJob, NewWebhook, NextDelivery, Secret};

use super::{Answer, Running, cookie, signed_in};

const ARDBEG: &str = "S12000001";
const BRORA: &str = "S12000002";
const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";
const URL: &str = "https%3A%2F%2Fhooks.ardbeg.example%2Fin%3Fkey%3Dsecret";

fn approver(code: &str) -> Grant {
    Grant {
        role: Role::Approver,
        reach: Reach::Organisation(code.to_owned()),
    }
}

impl Running {
    async fn of_webhooks(&self, session: &Secret, method: &str, path: &str, form: &str) -> Answer {
        let form = format!("form_token={}&{form}", session.form_token());
        self.ask_as(&cookie(session), method, path, FORM, form.as_bytes())
            .await
    }

    /// One that is told of an organisation's returns.
    async fn told(&self, actor: &Actor, code: &str) -> Uuid {
        let new = NewWebhook {
            id: Uuid::now_v7(),
            reach: Reach::Organisation(code.to_owned()),
            url: "https://hooks.ardbeg.example/in".to_owned(),
            secret: vec![1; 32],
        };
        workflow::add_webhook(&self.db, actor, &new).await.unwrap();
        new.id
    }

    /// A version that was submitted, and the messages that it made.
    async fn submitted(&self) -> Vec<Uuid> {
        let path = super::SUBMISSIONS;
        let answer = self.ask("POST", path, "", b"x").await;
        let receipt: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        let id: Uuid = receipt["submission_id"].as_str().unwrap().parse().unwrap();
        let client = self.owner().await;
        let assess = format!(
            "UPDATE submission SET assessed_at = now(), outcome = 'ready', spec_hash = 'x' WHERE id = '{id}'"
        );
        client.batch_execute(&assess).await.unwrap();
        let system = Actor::system("test");
        workflow::submit(&self.db, &system, id, Utc::now())
            .await
            .unwrap();
        let job = workflow::TellJob {
            submission_id: id,
            verb: cycle::Verb::Submit,
        };
        // However often it is told.
        for _ in 0..2 {
            workflow::tell(&self.db, &system, &job, Utc::now())
                .await
                .unwrap();
        }
        let told =
            "SELECT id::text FROM webhook_message WHERE event = 'submission.submitted' ORDER BY id";
        let rows = client.query(told, &[]).await.unwrap();
        rows.iter()
            .map(|row| row.get::<_, String>(0).parse().unwrap())
            .collect()
    }

    pub(super) async fn owner(&self) -> tokio_postgres::Client {
        let (client, connection) =
            tokio_postgres::connect(&self.database.url(), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        client
    }

    async fn fails(&self, message: Uuid, nth: u32, now: DateTime<Utc>) -> NextDelivery {
        let went = Err((Some(500), "it answers 500"));
        let system = Actor::system("test");
        workflow::note_delivery(&self.db, &system, message, nth, went, now)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn who_signs_off_has_a_server_told_and_ends_it_again() {
    let site = Running::start().await;
    let bo = signed_in(&site.db, "bo@ardbeg.example", &[approver(ARDBEG)]).await;
    for (form, problem) in [
        (format!("what=&url={URL}"), "Choose what it is told of."),
        (
            format!("what=organisation+{ARDBEG}&url="),
            "Enter the address of a server",
        ),
        (
            format!("what=organisation+{ARDBEG}&url=http%3A%2F%2Fa.example"),
            "starts with https://",
        ),
        (
            format!("what=organisation+{ARDBEG}&url=https%3A%2F%2F169.254.169.254%2F"),
            "on the public internet",
        ),
    ] {
        let answer = site.of_webhooks(&bo, "POST", "/webhooks", &form).await;
        assert_eq!(answer.status, 400, "{form}");
        assert!(answer.body.contains(problem), "{form}: {}", answer.body);
    }
    let others = format!("what=organisation+{BRORA}&url={URL}");
    assert_eq!(
        site.of_webhooks(&bo, "POST", "/webhooks", &others)
            .await
            .status,
        404
    );

    let own = format!("id={}&what=organisation+{ARDBEG}&url={URL}", Uuid::now_v7());
    let made = site.of_webhooks(&bo, "POST", "/webhooks", &own).await;
    assert_eq!(made.status, 200, "{}", made.body);
    let secret = made.body.split("whsec_").nth(1).unwrap();
    let secret = secret.split('<').next().unwrap();
    assert_eq!(secret.len(), 44, "32 bytes");
    assert_eq!(
        site.of_webhooks(&bo, "POST", "/webhooks", &own)
            .await
            .status,
        409
    );
    let page = site.of_webhooks(&bo, "GET", "/webhooks", "").await.body;
    assert!(
        page.contains("hooks.ardbeg.example") && !page.contains(secret),
        "{page}"
    );
    assert!(
        !page.contains("key=secret"),
        "what follows the host may be secret"
    );

    let path = page.split("href=\"/webhooks/").nth(1).unwrap();
    let path = format!("/webhooks/{}", path.split('"').next().unwrap());
    let cy = signed_in(&site.db, "cy@brora.example", &[approver(BRORA)]).await;
    assert_eq!(
        site.of_webhooks(&cy, "POST", &path, "do=end").await.status,
        404
    );
    assert_eq!(
        site.of_webhooks(&bo, "POST", &path, "do=end").await.status,
        303
    );
    assert!(
        site.of_webhooks(&bo, "GET", &path, "")
            .await
            .body
            .contains("ended")
    );
    assert!(
        site.submitted().await.is_empty(),
        "an ended one is told nothing"
    );
}

#[tokio::test]
async fn an_event_is_one_message_with_counts_and_links_and_no_other_organisation_is_told() {
    let site = Running::start().await;
    let system = Actor::system("test");
    let hook = site.told(&system, ARDBEG).await;
    site.told(&system, BRORA).await;
    let messages = site.submitted().await;
    assert_eq!(messages.len(), 1);
    let job = DeliverJob {
        message_id: messages[0],
        again: false,
    };
    let base = "https://returns.example";
    let wanted = workflow::to_deliver(&site.db, &system, &job, base)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(wanted.id, messages[0].to_string());
    let body: serde_json::Value = serde_json::from_str(&wanted.body).unwrap();
    assert_eq!(body["type"], "submission.submitted");
    let data = &body["data"];
    assert_eq!(data["state"], "submitted");
    assert_eq!(data["n_to_fix"], 0);
    let id = data["submission_id"].as_str().unwrap();
    assert_eq!(data["links"]["page"], format!("{base}/submissions/{id}"));
    let taken =
        workflow::note_delivery(&site.db, &system, messages[0], 1, Ok(204), Utc::now()).await;
    assert_eq!(taken.unwrap(), NextDelivery::Done);
    let again = workflow::to_deliver(&site.db, &system, &job, base)
        .await
        .unwrap();
    assert_eq!(again, None, "it was taken");

    // Whoever looks after it may have it sent once more: the same message.
    workflow::send_again(&site.db, &system, hook, messages[0])
        .await
        .unwrap();
    let job = DeliverJob { again: true, ..job };
    let again = workflow::to_deliver(&site.db, &system, &job, base)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(again, wanted);
}

#[tokio::test]
async fn what_is_not_taken_is_tried_again_and_a_server_that_takes_nothing_for_days_is_ended() {
    let site = Running::start().await;
    signed_in(&site.db, "bo@ardbeg.example", &[approver(ARDBEG)]).await;
    let system = Actor::system("test");
    let bo = workflow::acting(&site.db, &system, "bo@ardbeg.example")
        .await
        .unwrap()
        .unwrap();
    let hook = site.told(&bo, ARDBEG).await;
    let message = site.submitted().await[0];
    let mut now = Utc::now();
    let mut pauses = Vec::new();
    for nth in 1.. {
        match site.fails(message, nth, now).await {
            NextDelivery::After(pause) => {
                pauses.push(pause.as_secs());
                now += TimeDelta::from_std(pause).unwrap();
            }
            next => {
                assert_eq!(next, NextDelivery::GivenUp);
                break;
            }
        }
    }
    assert_eq!(pauses, [5, 300, 1800, 7200, 18_000, 36_000, 36_000]);
    let (webhook, messages) = workflow::webhook(&site.db, &bo, hook).await.unwrap();
    assert_eq!(webhook.ended_at, None, "27 hours are no five days");
    assert_eq!(messages[0].n_attempts, 8);
    assert!(messages[0].given_up_at.is_some());

    // It was not called for six days: of those nobody knows.
    now += TimeDelta::days(6);
    let next = site.fails(message, 1, now).await;
    assert_eq!(next, NextDelivery::After(Duration::from_secs(5)));
    let (webhook, _) = workflow::webhook(&site.db, &bo, hook).await.unwrap();
    assert_eq!(webhook.ended_at, None);
    assert_eq!(
        webhook.failing_since.map(|at| at.timestamp()),
        Some(now.timestamp())
    );

    // Called again and again, it took nothing for five days.
    // A second more, since the database keeps less of a moment than we do.
    let until = now + TimeDelta::days(5) + TimeDelta::seconds(1);
    while now + TimeDelta::hours(9) < until {
        now += TimeDelta::hours(9);
        site.fails(message, 2, now).await;
        let (webhook, _) = workflow::webhook(&site.db, &bo, hook).await.unwrap();
        assert_eq!(webhook.ended_at, None);
    }
    assert_eq!(site.fails(message, 2, until).await, NextDelivery::GivenUp);
    let (webhook, _) = workflow::webhook(&site.db, &bo, hook).await.unwrap();
    assert!(webhook.is_ended_by_failing);
    let told = "SELECT recipient FROM email WHERE kind = 'webhook-ended'";
    let told = site.owner().await.query(told, &[]).await.unwrap();
    let told: Vec<String> = told.iter().map(|row| row.get(0)).collect();
    assert_eq!(told, ["bo@ardbeg.example"]);
}

/// Somebody of the team that asks for the return.
fn teammate(n: u128) -> Actor {
    Actor {
        id: ActorId::Person(Uuid::from_u128(n)),
        name: format!("Person {n}"),
        grants: vec![Grant {
            role: Role::DatasetTeam,
            reach: Reach::Return("cases".to_owned()),
        }],
    }
}

#[tokio::test]
async fn every_message_is_as_the_document_says() {
    let site = Running::start().await;
    let system = Actor::system("test");
    let new = NewWebhook {
        id: Uuid::now_v7(),
        reach: Reach::Return("cases".to_owned()),
        url: "https://hooks.team.example/in".to_owned(),
        secret: vec![1; 32],
    };
    workflow::add_webhook(&site.db, &system, &new)
        .await
        .unwrap();
    site.told(&system, ARDBEG).await;
    site.submitted().await;

    let client = site.owner().await;
    let release = Uuid::now_v7();
    let manifest = super::grid::MANIFEST;
    let draft = format!(
        "INSERT INTO release (id, return_id, return_version, from_period, to_period, kind, notes, settings, manifest, by_kind, by_name)
         VALUES ('{release}', 'cases', '1.0', '2026-27-Q1', '2026-27-Q1', 'provisional', '', '{{\"lineage\": \"none\", \"labels\": true}}', '{manifest}', 'system', 'x');
         INSERT INTO release_file (release_id, ordinal, name, content_type, sha256, n_bytes, stored_key)
         VALUES ('{release}', 1, 'case.csv', 'text/csv', repeat('a', 64), 1, 'x')"
    );
    client.batch_execute(&draft).await.unwrap();
    for n in [1, 2, 2] {
        workflow::approve_release(&site.db, &teammate(n), release)
            .await
            .unwrap();
    }
    let opens = "SELECT on_day::text FROM cycle_date WHERE kind = 'open' ORDER BY on_day LIMIT 1";
    let opens: String = client.query_one(opens, &[]).await.unwrap().get(0);
    for _ in 0..2 {
        workflow::turn_rounds(&site.db, &system, opens.parse().unwrap())
            .await
            .unwrap();
    }

    let told = "SELECT id::text FROM webhook_message ORDER BY event, id";
    let mut events = Vec::new();
    for row in client.query(told, &[]).await.unwrap() {
        let id: String = row.get(0);
        let job = DeliverJob {
            message_id: id.parse().unwrap(),
            again: false,
        };
        let base = "https://returns.example";
        let message = workflow::to_deliver(&site.db, &system, &job, base)
            .await
            .unwrap()
            .unwrap();
        let body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
        is_as_described(&body);
        events.push(body["type"].as_str().unwrap().to_owned());
    }
    // A release is for the team's server alone, and the rest for both; each once.
    assert_eq!(
        events,
        [
            "release.published",
            "round.opened",
            "round.opened",
            "submission.submitted",
            "submission.submitted",
        ]
    );
    let page = signed_in(&site.db, "tess@team.example", &teammate(1).grants).await;
    let answer = site
        .ask_as(
            &cookie(&page),
            "GET",
            &format!("/webhooks/{}", new.id),
            "",
            b"",
        )
        .await;
    for part in [
        format!("<a href=\"/releases/{release}\">A release was published</a>"),
        "<a href=\"/rounds/cases/2026-27-Q1\">A round opened</a>".to_owned(),
        "A version was submitted</a>".to_owned(),
    ] {
        assert!(answer.body.contains(&part), "{part}: {}", answer.body);
    }
}

/// A message has exactly the fields that its event's schema has.
fn is_as_described(body: &serde_json::Value) {
    let document: serde_json::Value =
        serde_json::from_str(&crate::api::document::DOCUMENT).unwrap();
    let event = body["type"].as_str().unwrap();
    let schema = &document["webhooks"][event]["post"]["requestBody"]["content"]["application/json"]
        ["schema"];
    has_the_fields_of(body, schema, &document);
}

fn has_the_fields_of(
    value: &serde_json::Value,
    schema: &serde_json::Value,
    document: &serde_json::Value,
) {
    let schema = match schema["$ref"].as_str() {
        Some(place) => document.pointer(&place[1..]).unwrap(),
        None => schema,
    };
    let Some(properties) = schema["properties"].as_object() else {
        let fits = match schema["type"].as_str().unwrap() {
            "string" => value.is_string(),
            "integer" => value.is_u64(),
            other => panic!("{other}"),
        };
        assert!(fits, "{value} is no {schema}");
        return;
    };
    let fields = value.as_object().unwrap();
    let mut names: Vec<_> = fields.keys().collect();
    names.sort();
    let mut described: Vec<_> = properties.keys().collect();
    described.sort();
    assert_eq!(names, described);
    for (name, field) in fields {
        has_the_fields_of(field, &properties[name], document);
    }
}
