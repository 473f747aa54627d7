//! Every address and method of the site, asked as everybody, about what is theirs, what is others' and what does not exist:
//! each answer is the one that the access matrix gives.

use std::fs;

use access::{Action, Grant, Object, Reach, Role, Stage, Verdict, decide};
use chrono::Utc;
use futures_util::future::join_all;
use sha2::Digest as _;
use testkit::{Place, TestDb};
use tokio::sync::Mutex;
use uuid::Uuid;
use workflow::{Actor, Asking, Explaining, NewClient, Presence, Secret, WebhookError, Words};

use super::{Database, Running, cookie, signed_in};
use crate::routes::{For, Route, routes};

const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";
const ARDBEG: &str = "S12000001";
const BRORA: &str = "S12000002";
const RULE: &str = "case.odd";
/// Of a release of nothing.
pub(super) const MANIFEST: &str = r#"{"return_id": "cases", "from": {"label": "2026-27-Q1", "start": "2026-04-01", "end": "2026-06-30"},
    "to": {"label": "2026-27-Q1", "start": "2026-04-01", "end": "2026-06-30"}, "accumulates": true, "only_accepted": false,
    "organisations": [], "submissions": [], "missing": [], "versions": [], "codes": []}"#;

/// Somebody who asks.
struct Who {
    what: String,
    actor: Actor,
    proof: Proof,
}

enum Proof {
    Session(Secret),
    Token(Secret),
    Nothing,
}

impl Who {
    /// At this address: a program is nobody on a page, and its token alone writes by the API.
    fn at(&self, route: &Route) -> (Actor, String) {
        let by_api = route.path.starts_with("/api/");
        match &self.proof {
            Proof::Session(session) if by_api && route.method == "POST" => {
                (Actor::nobody(), cookie(session))
            }
            Proof::Session(session) => (self.actor.clone(), cookie(session)),
            Proof::Token(token) => {
                let proof = format!("authorization: Bearer {}\r\n", token.reveal());
                let actor = if by_api {
                    self.actor.clone()
                } else {
                    Actor::nobody()
                };
                (actor, proof)
            }
            Proof::Nothing => (Actor::nobody(), String::new()),
        }
    }

    fn form_token(&self) -> String {
        match &self.proof {
            Proof::Session(session) => session.form_token(),
            Proof::Token(_) | Proof::Nothing => String::new(),
        }
    }
}

/// A version, and an exception that was asked for on it.
#[derive(Debug, Clone, Copy)]
struct Thing {
    organisation: &'static str,
    stage: Stage,
    submission: Uuid,
    waiver: Uuid,
    /// A file that waits, alone in its batch.
    parcel: Uuid,
    batch: Uuid,
    extension: Uuid,
    /// Of the return, whoever asks.
    release: Uuid,
    /// Of the organisation.
    person: Uuid,
    /// A program of the organisation.
    client: Uuid,
    /// A server that is told of it.
    hook: Uuid,
}

fn grant(role: Role, code: &str, return_id: &str) -> Grant {
    let reach = match role.held_for() {
        access::HeldFor::Organisation => Reach::Organisation(code.to_owned()),
        access::HeldFor::Return => Reach::Return(return_id.to_owned()),
        access::HeldFor::Everything => Reach::Everything,
    };
    Grant { role, reach }
}

impl Running {
    async fn person(&self, what: &str, grants: &[Grant]) -> Who {
        let email = format!("{what}@grid.example").replace(' ', "-");
        let session = signed_in(&self.db, &email, grants).await;
        let Presence::SignedIn(who) = workflow::who(&self.db, &session, Utc::now()).await.unwrap()
        else {
            panic!("{what} has signed in");
        };
        Who {
            what: what.to_owned(),
            actor: who.actor,
            proof: Proof::Session(session),
        }
    }

    async fn program(&self, what: &str, grant: Grant) -> Who {
        let system = Actor::system("test");
        let new = NewClient::new(what, grant, 1);
        let token = workflow::add_client(&self.db, &system, &new, Utc::now())
            .await
            .unwrap();
        let actor = workflow::client(&self.db, &token, Utc::now())
            .await
            .unwrap();
        Who {
            what: what.to_owned(),
            actor: actor.unwrap(),
            proof: Proof::Token(token),
        }
    }

    /// Each role, held for Ardbeg or for the return of these tests; then some of others; then nobody.
    async fn everybody(&self) -> Vec<Who> {
        let mut all = Vec::new();
        for role in Role::ALL {
            let grant = grant(role, ARDBEG, "cases");
            all.push(if role.is_of_programs() {
                self.program(role.as_str(), grant).await
            } else {
                self.person(role.as_str(), &[grant]).await
            });
        }
        let other_team = grant(Role::DatasetTeam, "", "visits");
        all.push(self.person("team of another return", &[other_team]).await);
        let two = [
            grant(Role::Uploader, ARDBEG, ""),
            grant(Role::Approver, BRORA, ""),
        ];
        all.push(self.person("of two councils", &two).await);
        all.push(Who {
            what: "nobody".to_owned(),
            actor: Actor::nobody(),
            proof: Proof::Nothing,
        });
        all
    }

    /// A version that somebody else sent and, for the later stage, submitted.
    async fn thing(&self, organisation: &'static str, stage: Stage) -> Thing {
        // A newer version in between could not be submitted past.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
        let _alone = ONE_AT_A_TIME.lock().await;
        let sender = grant(Role::SendingClient, organisation, "");
        let sender = self.program("sender", sender).await;
        let Proof::Token(token) = &sender.proof else {
            unreachable!("a program has a token");
        };
        let path = format!(
            "/api/returns/cases/periods/2026-27-Q1/organisations/{organisation}/submissions?file_name=a.csv"
        );
        let bearer = format!("authorization: Bearer {}\r\n", token.reveal());
        let body = Uuid::now_v7().to_string();
        let receipt = self
            .ask_as(&bearer, "POST", &path, "", body.as_bytes())
            .await;
        let receipt: serde_json::Value = serde_json::from_str(&receipt.body).unwrap();
        let id: Uuid = receipt["submission_id"].as_str().unwrap().parse().unwrap();
        let (client, connection) =
            tokio_postgres::connect(&self.database.url(), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        let sql = format!(
            "UPDATE submission SET assessed_at = now(), outcome = 'needs_explanation', spec_hash = 'x' WHERE id = '{id}';
             INSERT INTO finding (submission_id, ordinal, rule, severity, cell, value, message, fix, key)
             VALUES ('{id}', 1, '{RULE}', 'query', 'Cases!B2', 'x', 'Is it right?', 'Explain it.', 'key1')"
        );
        client.batch_execute(&sql).await.unwrap();
        let waiver = Uuid::now_v7();
        let system = Actor::system("test");
        let explaining = Explaining {
            rule: RULE.to_owned(),
            keys: None,
            words: Words::New("It is.".to_owned()),
        };
        workflow::explain(&self.db, &system, id, &explaining)
            .await
            .unwrap();
        let (batch, parcel) = self.file_that_waits(&sender.actor, organisation).await;
        if stage == Stage::Submitted {
            workflow::submit(&self.db, &sender.actor, id, Utc::now())
                .await
                .unwrap();
        }
        let asking = Asking {
            id: waiver,
            submission_id: id,
            rule: RULE.to_owned(),
            key: None,
            reason: "One shelter.".to_owned(),
        };
        workflow::ask_for_waiver(&self.db, &system, &asking)
            .await
            .unwrap();
        // Whatever became of its organisation's return meanwhile.
        let extension = Uuid::now_v7();
        let sql = format!(
            "INSERT INTO extension (id, organisation, obligation_id, asked_until, reason, by_kind, by_name)
             SELECT '{extension}', organisation, obligation_id, now() + interval '60 days', 'x', 'system', 'x'
             FROM submission WHERE id = '{id}'"
        );
        client.batch_execute(&sql).await.unwrap();
        let release = Uuid::now_v7();
        let sql = format!(
            "INSERT INTO ret.cases_v1_0_case (submission_id, organisation, row_number, ref) VALUES ('{id}', '{organisation}', 2, 'a');
             INSERT INTO submission_table (submission_id, table_name, sheet, n_rows, n_loaded, n_rejected, n_ignored, ignored, columns)
             VALUES ('{id}', 'case', 'Cases', 1, 1, 0, 0, '[]', '{{\"REF\": \"A\"}}');
             INSERT INTO release (id, return_id, return_version, from_period, to_period, kind, notes, settings, manifest, by_kind, by_name)
             VALUES ('{release}', 'cases', '1.0', '2026-27-Q1', '2026-27-Q1', 'provisional', '', '{{\"lineage\": \"none\", \"labels\": true}}', '{MANIFEST}', 'system', 'x');
             INSERT INTO release_file (release_id, ordinal, name, content_type, sha256, n_bytes, stored_key)
             VALUES ('{release}', 1, 'case.csv', 'text/csv', repeat('a', 64), 1, 'x')"
        );
        client.batch_execute(&sql).await.unwrap();
        Thing {
            organisation,
            stage,
            submission: id,
            waiver,
            parcel,
            batch,
            extension,
            release,
            person: self.colleague(organisation).await,
            client: self.client_of(organisation).await,
            hook: self.hook_of(organisation).await,
        }
    }

    /// Somebody who sends an organisation's files, and never signs in.
    async fn colleague(&self, organisation: &str) -> Uuid {
        let system = Actor::system("test");
        let email = format!("colleague@{}.example", organisation.to_lowercase());
        let grant = grant(Role::Uploader, organisation, "");
        workflow::invite(&self.db, &system, &email, "Colleague", &grant)
            .await
            .unwrap()
    }

    /// A server that is told of an organisation's returns.
    async fn hook_of(&self, organisation: &str) -> Uuid {
        let new = workflow::NewWebhook {
            id: uuid::Builder::from_custom_bytes(
                sha2::Sha256::digest(organisation)[..16].try_into().unwrap(),
            )
            .into_uuid(),
            reach: Reach::Organisation(organisation.to_owned()),
            url: "https://hooks.example/".to_owned(),
            secret: vec![1; 32],
        };
        let asked = workflow::add_webhook(&self.db, &Actor::system("test"), &new).await;
        // One is enough, for however many things.
        assert!(
            matches!(asked, Ok(()) | Err(WebhookError::MadeBefore)),
            "{asked:?}"
        );
        new.id
    }

    /// A program that never asks for anything.
    async fn client_of(&self, organisation: &str) -> Uuid {
        let grant = grant(Role::SendingClient, organisation, "");
        let new = NewClient::new("idle", grant, 1);
        workflow::add_client(&self.db, &Actor::system("test"), &new, Utc::now())
            .await
            .unwrap();
        new.id
    }
}

impl Running {
    /// A file that waits, and its batch.
    async fn file_that_waits(&self, sender: &Actor, organisation: &str) -> (Uuid, Uuid) {
        let path = self.spool.join(Uuid::now_v7().to_string());
        fs::write(&path, "x").unwrap();
        let file = workflow::NewFile {
            file_name: "a.csv".to_owned(),
            path: path.clone(),
            sha256: hex::encode(sha2::Sha256::digest("x")),
            n_bytes: 1,
        };
        let new = workflow::NewBatch {
            organisation: organisation.to_owned(),
            contact_email: None,
            idempotency_key: Uuid::now_v7().to_string(),
            files: vec![file],
            check_for: None,
            came_at: Utc::now(),
        };
        let files = &files::Files::open(&files::Config::Folder(self.files.clone())).unwrap();
        let batch = workflow::put_in(&self.db, files, sender, &new)
            .await
            .unwrap();
        fs::remove_file(path).unwrap();
        let waiting = workflow::batch(&self.db, sender, batch).await.unwrap();
        (batch, waiting[0].parcel.id)
    }
}

/// What came of asking as somebody about a thing.
#[derive(Default)]
struct Answers {
    n: usize,
    wrong: Vec<String>,
}

impl Running {
    async fn ask_about(
        &self,
        route: &Route,
        actions: &[Action],
        thing: &Thing,
        who: &Who,
    ) -> Answers {
        let (actor, proof) = who.at(route);
        let writes = route.method == "POST";
        let mut answers = Answers::default();
        for case in cases(route, actions, thing, &who.form_token()) {
            let asked: &[Action] = if actions.len() > 1 && !case.path.contains("hand-over") {
                actions
            } else {
                std::slice::from_ref(&case.action)
            };
            let expected = verdict(&actor, asked, &object(route, thing, &actor));
            let case = match expected {
                // It does what it says, so it is done to a thing of its own.
                Verdict::Allowed(_) if writes && case.path.contains("hand-over") => {
                    let own = self.thing(thing.organisation, thing.stage).await;
                    let (of, to) = (thing.submission.to_string(), own.submission.to_string());
                    Case {
                        path: case.path.replace(&of, &to),
                        ..case
                    }
                }
                _ => case,
            };
            let (headers, body) = match writes {
                true if route.path.starts_with("/api/") => ("", "x".to_owned()),
                true => (FORM, case.form),
                false => ("", String::new()),
            };
            let answer = self
                .ask_as(&proof, route.method, &case.path, headers, body.as_bytes())
                .await;
            answers.n += 1;
            if !is_as(expected, route, who, answer.status) {
                answers.wrong.push(format!(
                    "{} {} of {} ({:?}) as {}: {} and not {expected:?}",
                    route.method,
                    case.path,
                    thing.organisation,
                    thing.stage,
                    who.what,
                    answer.status
                ));
            }
        }
        answers
    }
}

/// One request, and what its answer has to be.
struct Case {
    action: Action,
    path: String,
    form: String,
}

/// What can be asked of an address about a thing: each action that it is for, with the address filled in.
fn cases(route: &Route, actions: &[Action], thing: &Thing, form_token: &str) -> Vec<Case> {
    let about_waivers = route.path.starts_with("/exceptions/");
    let id = if about_waivers {
        thing.waiver
    } else {
        thing.submission
    };
    let path = route
        .path
        .replace("{id}", &id.to_string())
        .replace("{batch}", &thing.batch.to_string())
        .replace("{parcel}", &thing.parcel.to_string())
        .replace("{request}", &thing.extension.to_string())
        .replace("{person}", &thing.person.to_string())
        .replace("{client}", &thing.client.to_string())
        .replace("{hook}", &thing.hook.to_string())
        .replace("{rule}", RULE)
        .replace("{code}", thing.organisation)
        .replace("{organisation}", thing.organisation)
        .replace("{return_id}", "cases")
        .replace("{ending}", "csv")
        .replace("{release}", &thing.release.to_string())
        .replace("{schedule}", "remind")
        .replace("{name}", "nothing.csv")
        .replace("{table}", "case")
        .replace("{row}", "2")
        .replace("{item}", "REF")
        .replace("{period}", "2026-27-Q1");
    let form = format!(
        "form_token={form_token}&reason=x&text=x&which=all&words=new&page=1&id={0}&message_id={0}&idempotency_key={0}&decision=&place=",
        Uuid::now_v7()
    );
    let of = |action, path: String| Case {
        action,
        path,
        form: form.clone(),
    };
    if path.contains("{verb}") {
        let verbs = [
            ("submit", Action::Submit),
            ("sign-off", Action::SignOff),
            ("accept", Action::Decide),
            ("send-back", Action::Decide),
            ("withdraw", Action::Withdraw),
        ];
        return verbs
            .into_iter()
            .map(|(verb, action)| {
                // What is shown before is for whoever sees the version.
                let action = if route.method == "GET" {
                    actions[0]
                } else {
                    action
                };
                of(action, path.replace("{verb}", verb))
            })
            .collect();
    }
    let query = match route.path.rsplit('/').next() {
        Some("dataset.csv" | "manifest.json") => "?table=case",
        Some("changes.csv" | "changes") if path.contains("/releases/") => "?with=self",
        Some("cells") => "?cell=Cases!A2",
        Some("submissions" | "checks") if !path.starts_with("/api/checks/") => "?file_name=a.csv",
        _ => "",
    };
    let query = query.replace("self", &thing.release.to_string());
    vec![of(actions[0], format!("{path}{query}"))]
}

/// What an address is about, as far as the matrix asks.
fn object<'a>(route: &Route, thing: &'a Thing, actor: &'a Actor) -> Object<'a> {
    let has = |part: &str| route.path.contains(part);
    let of_a_version = has("{id}");
    Object {
        organisation: if of_a_version
            || [
                "{code}",
                "{organisation}",
                "{batch}",
                "{parcel}",
                "{client}",
                "{hook}",
            ]
            .into_iter()
            .any(has)
        {
            Some(thing.organisation)
        } else if has("/dataset") || has("/look") {
            // Whoever has an organisation takes what is its own.
            actor.organisations().first().copied()
        } else {
            None
        },
        return_id: (of_a_version || has("{return_id}") || has("{release}")).then_some("cases"),
        stage: if of_a_version {
            thing.stage
        } else {
            Stage::Draft
        },
        sent_by: of_a_version.then_some(access::ActorId::Client(Uuid::nil())),
        ..Object::default()
    }
}

/// What the matrix says to any of the actions.
fn verdict(actor: &Actor, actions: &[Action], object: &Object<'_>) -> Verdict {
    let verdicts = actions.iter().map(|action| decide(actor, *action, object));
    let best = |verdict: &Verdict| match verdict {
        Verdict::Allowed(_) => 0,
        Verdict::SignInNeeded => 1,
        Verdict::Forbidden => 2,
        Verdict::NotThere => 3,
    };
    verdicts.min_by_key(best).unwrap()
}

/// Whether an answer is that verdict. What is allowed may still be refused for what was sent, and never as if it were not.
fn is_as(verdict: Verdict, route: &Route, who: &Who, status: u16) -> bool {
    let by_api = route.path.starts_with("/api/");
    match verdict {
        // There is no marked workbook of a version that nothing is wrong with.
        Verdict::Allowed(_) if route.path.ends_with("marked.xlsx") => status == 404,
        // Nor a file of that name.
        Verdict::Allowed(_) if route.path.ends_with("/files/{name}") => status == 404,
        // Nor always another one to compare it with.
        Verdict::Allowed(_) if route.path.ends_with("changes.csv") => [200, 409].contains(&status),
        // Nor is anything found in a file that is not checked.
        Verdict::Allowed(_)
            if ["/checked/{parcel}/", "/api/checks/{parcel}/"]
                .into_iter()
                .any(|of| route.path.starts_with(of)) =>
        {
            status == 404
        }
        Verdict::Allowed(_) if route.method == "GET" => [200, 303].contains(&status),
        Verdict::Allowed(_) => ![401, 403, 404].contains(&status) && status < 500,
        Verdict::Forbidden => status == 403,
        Verdict::NotThere => status == 404,
        // Somebody signed in who writes by the API is told to use a token.
        Verdict::SignInNeeded if by_api && matches!(who.proof, Proof::Session(_)) => status == 403,
        Verdict::SignInNeeded if by_api => status == 401,
        Verdict::SignInNeeded => status == 303,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_answers_everybody_as_the_matrix_says() {
    let site = Running::start().await;
    let everybody = site.everybody().await;
    let mut things = Vec::new();
    for organisation in [ARDBEG, BRORA] {
        for stage in [Stage::Draft, Stage::Submitted] {
            things.push(site.thing(organisation, stage).await);
        }
    }
    let mut wrong = Vec::new();
    let mut n_asked = 0;
    for route in routes() {
        let For::May(actions) = route.whom else {
            continue;
        };
        for thing in &things {
            let asked = everybody
                .iter()
                .map(|who| site.ask_about(&route, actions, thing, who));
            for answers in join_all(asked).await {
                n_asked += answers.n;
                wrong.extend(answers.wrong);
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {n_asked}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(n_asked > 1_000, "{n_asked}");
}

/// Nor by how long it takes, as far as that is ours: the database is asked for the same.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_anothers_is_answered_as_what_does_not_exist() {
    let database = TestDb::new();
    database.log_statements();
    let site = Running::start_on(database, Database::Answers, "http://returns.example").await;
    let others = site.thing(BRORA, Stage::Submitted).await;
    let nothing = Thing {
        submission: Uuid::now_v7(),
        waiver: Uuid::now_v7(),
        parcel: Uuid::now_v7(),
        batch: Uuid::now_v7(),
        extension: Uuid::now_v7(),
        person: Uuid::now_v7(),
        client: Uuid::now_v7(),
        hook: Uuid::now_v7(),
        ..others
    };
    let everybody = [
        site.person("uploader", &[grant(Role::Uploader, ARDBEG, "")])
            .await,
        site.person(
            "team of another return",
            &[grant(Role::DatasetTeam, "", "visits")],
        )
        .await,
        site.program("sending", grant(Role::SendingClient, ARDBEG, ""))
            .await,
        site.program("reading", grant(Role::ReadingClient, "", "visits"))
            .await,
    ];
    let mut n_compared = 0;
    for route in routes() {
        let For::May(actions) = route.whom else {
            continue;
        };
        if !["{id}", "{batch}", "{parcel}", "{client}", "{hook}"]
            .into_iter()
            .any(|part| route.path.contains(part))
        {
            continue;
        }
        for who in &everybody {
            // Programs read and write by the API alone, where people only read.
            let by_api = route.path.starts_with("/api/");
            let is_program = matches!(who.proof, Proof::Token(_));
            if is_program != by_api {
                continue;
            }
            let asked = format!("{} {} as {}", route.method, route.path, who.what);
            let of_others = site.not_there(&route, actions, &others, who).await;
            let of_nothing = site.not_there(&route, actions, &nothing, who).await;
            assert_eq!(of_others.status, 404, "{asked}");
            assert!(of_others.statements.len() > 3, "{asked}: {of_others:?}");
            assert_eq!(of_others, of_nothing, "{asked}");
            n_compared += 1;
        }
    }
    assert!(n_compared > 30, "{n_compared}");
    // What is there takes more work, so that the comparison can fail.
    let place = Place::now();
    let path = format!("/submissions/{}", others.submission);
    let own = site
        .person("brora", &[grant(Role::Uploader, BRORA, "")])
        .await;
    let answer = site
        .ask_as(&own.at(&page_route()).1, "GET", &path, "", b"")
        .await;
    assert_eq!(answer.status, 200);
    assert!(place.statements_since().len() > 20);
}

fn page_route() -> Route {
    let all = routes().into_iter();
    let mut pages = all.filter(|route| route.path == "/submissions/{id}");
    pages.next().unwrap()
}

/// All that can be told of an answer, and what the database was asked on the way.
#[derive(Debug, PartialEq)]
struct NotThere {
    status: u16,
    head: Vec<String>,
    body: String,
    statements: Vec<String>,
}

impl Running {
    async fn not_there(
        &self,
        route: &Route,
        actions: &[Action],
        thing: &Thing,
        who: &Who,
    ) -> NotThere {
        let case = cases(route, actions, thing, &who.form_token()).remove(0);
        let posts = route.method == "POST";
        let headers = if posts && !route.path.starts_with("/api/") {
            FORM
        } else {
            ""
        };
        let body = if posts { case.form } else { String::new() };
        let ask = async || {
            let (_, proof) = who.at(route);
            self.ask_as(&proof, route.method, &case.path, headers, body.as_bytes())
                .await
        };
        // Asked twice, since a connection ends what the request before left open.
        ask().await;
        let place = Place::now();
        let answer = ask().await;
        let statements = place.statements_since().into_iter();
        let own_id = |text: &str| {
            text.replace(&thing.submission.to_string(), "ID")
                .replace(&thing.waiver.to_string(), "ID")
                .replace(&thing.parcel.to_string(), "ID")
                .replace(&thing.batch.to_string(), "ID")
                .replace(&thing.client.to_string(), "ID")
                .replace(&thing.hook.to_string(), "ID")
        };
        // In an order that is chosen anew each time.
        let mut head: Vec<String> = answer
            .head
            .lines()
            .filter(|line| !line.starts_with("date:"))
            .map(own_id)
            .collect();
        head.sort();
        NotThere {
            status: answer.status,
            head,
            body: own_id(&answer.body),
            // Who was seen is written down once a minute, whoever asks for what, and what only read is ended in its own time.
            statements: statements
                .filter(|statement| !statement.starts_with("UPDATE session SET seen_at"))
                .filter(|statement| !statement.starts_with("UPDATE client SET used_at"))
                .filter(|statement| statement != "ROLLBACK")
                // What the pool does with its connections, whatever they are for next.
                .filter(|statement| {
                    let of_the_pool =
                        statement.starts_with("SET ") && !statement.starts_with("SET TRANSACTION");
                    statement != "SELECT $1" && !of_the_pool
                })
                .collect(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_further_than_signing_in() {
    let site = Running::start().await;
    for route in routes() {
        if route.whom != For::SignedIn {
            continue;
        }
        let path = route
            .path
            .replace("{return_id}", "cases")
            .replace("{version}", "1.0")
            .replace("{period}", "2026-27-Q1")
            .replace("{feed}", &Uuid::now_v7().to_string());
        let answer = site.ask_as("", route.method, &path, FORM, b"").await;
        if path.starts_with("/api/") {
            assert_eq!(answer.status, 401, "{} {path}", route.method);
            continue;
        }
        assert_eq!(answer.status, 303, "{} {path}", route.method);
        let to = answer.header("location").unwrap();
        assert!(to.starts_with("/sign-in"), "{path}: {to}");
    }
}

/// The page of `docs` about who may do what.
fn page() -> String {
    let mut page = String::from(
        "# Who may do what\n\n\
         Made from `crates/access/matrix.csv` and the site map by `cargo test -p web grid`, which also asks every address as everybody.\n\n\
         `own`: of their own organisation. `others`: the same, and sent and submitted by somebody else. `assigned`: of the returns they are assigned to. \
         `submitted`: the same, from when it is submitted. `counts`: how many and in which state, no values. \
         What another organisation has is answered as if it did not exist; what is one's own and for another role to do, with 403.\n\n",
    );
    for (idx, line) in include_str!("../../../access/matrix.csv")
        .lines()
        .enumerate()
    {
        page += &format!("| {} |\n", line.replace('_', " ").replace(',', " | "));
        if idx == 0 {
            page += &format!("|{}\n", "---|".repeat(line.split(',').count()));
        }
    }
    page += "\n## Addresses\n\n| Method | Address | For |\n|---|---|---|\n";
    for Route { method, path, whom } in routes() {
        let whom = match whom {
            For::Anyone => "anyone".to_owned(),
            For::SignedIn => "whoever has signed in".to_owned(),
            For::May(actions) => actions
                .iter()
                .map(|action| format!("`{action}`"))
                .collect::<Vec<_>>()
                .join(" or "),
        };
        page += &format!("| {method} | `{path}` | {whom} |\n");
    }
    page
}

#[test]
fn the_page_about_it_says_what_the_matrix_says() {
    let page = page();
    if page != include_str!("../../../../docs/access.md") {
        let (_, path) = tempfile::Builder::new()
            .prefix("access-")
            .suffix(".md")
            .tempfile()
            .unwrap()
            .keep()
            .unwrap();
        fs::write(&path, page).unwrap();
        panic!(
            "docs/access.md is out of date; what it has to be is in {}",
            path.display()
        );
    }
}
