//! The site as its callers meet it: a real server, a real database, bytes on a socket.

mod answers;
mod api;
mod attention;
mod batches;
mod changes;
mod explanations;
mod gone;
mod grid;
mod handover;
mod look;
mod more_time;
mod owed;
mod people;
mod programs;
mod releases;
mod rounds;
mod schedules;
mod sign_in;
mod slow_bodies;
mod uploads;
mod webhooks;
mod zero_bytes;

use std::fs;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use access::{Grant, Reach, Role};
use actix_web::dev::ServerHandle;
use chrono::Utc;
use tempfile::TempDir;
use testkit::TestDb;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use workflow::{Actor, NewClient, Secret};

use crate::{BodyLimits, Config, Site, listen, serve};

const ROUND: &str = "/api/returns/cases/periods/2026-27-Q1";
const SUBMISSIONS: &str = "/api/returns/cases/periods/2026-27-Q1/organisations/S12000001/submissions?file_name=cases.xlsx&contact_email=a@b.example";
/// The largest file of these tests.
const LIMIT: u64 = 100_000;

/// More than any test asks.
const UNLIMITED: NonZeroU32 = NonZeroU32::new(100_000).unwrap();

/// A site with one open round.
struct Running {
    address: SocketAddr,
    db: db::Db,
    spool: PathBuf,
    files: PathBuf,
    handle: ServerHandle,
    /// Of somebody who sends Ardbeg's returns and asks for the return of these tests.
    session: Secret,
    /// Of a program that sends Ardbeg's returns.
    token: Secret,
    _dir: TempDir,
    database: TestDb,
}

enum Database {
    Answers,
    IsAway,
}

impl Running {
    async fn start() -> Running {
        Running::start_with(Database::Answers).await
    }

    async fn start_with(state: Database) -> Running {
        Running::start_at(state, "http://returns.example").await
    }

    async fn start_at(state: Database, base_url: &str) -> Running {
        Running::start_on(TestDb::new(), state, base_url).await
    }

    async fn start_on(database: TestDb, state: Database, base_url: &str) -> Running {
        Running::start_limited(database, state, base_url, UNLIMITED).await
    }

    /// Where a program may make so many requests in a minute.
    async fn start_asked_at_most(requests_per_minute: NonZeroU32) -> Running {
        let (database, base_url) = (TestDb::new(), "http://returns.example");
        Running::start_limited(database, Database::Answers, base_url, requests_per_minute).await
    }

    async fn start_limited(
        database: TestDb,
        state: Database,
        base_url: &str,
        requests_per_minute: NonZeroU32,
    ) -> Running {
        let db = database.connect().await;
        let dir = tempfile::tempdir().unwrap();
        let specs = vec![testkit::returns::cases()];
        let period = testkit::returns::financial_quarter("2026-27-Q1", "2026-04-01", "2026-06-30");
        let actor = Actor::system("test");
        let owner = database.connect_as_owner().await;
        workflow::publish_returns(&owner, &actor, &specs, &testkit::returns::organisations())
            .await
            .unwrap();
        let (opens, due) = (
            testkit::returns::day("2026-07-01"),
            testkit::returns::day("2026-07-31"),
        );
        workflow::open_cycle(&db, &actor, &specs[0], &period, opens, due)
            .await
            .unwrap();
        let session = signed_in(
            &db,
            "ann@ardbeg.example",
            &[
                Grant {
                    role: Role::Uploader,
                    reach: Reach::Organisation("S12000001".to_owned()),
                },
                Grant {
                    role: Role::DatasetTeam,
                    reach: Reach::Return("cases".to_owned()),
                },
            ],
        )
        .await;
        let grant = Grant {
            role: Role::SendingClient,
            reach: Reach::Organisation("S12000001".to_owned()),
        };
        let new = NewClient::new("tests", grant, 1);
        let token = workflow::add_client(&db, &actor, &new, Utc::now())
            .await
            .unwrap();
        let cell = Arc::new(OnceLock::new());
        if matches!(state, Database::Answers) {
            let _ = cell.set(db.clone());
        }
        let listener = listen("127.0.0.1:0".parse().unwrap(), None).unwrap();
        let address = listener.local_addr().unwrap();
        let (spool, files) = (dir.path().join("spool"), dir.path().join("files"));
        let site = Site {
            db: cell,
            files: files::Files::open(&files::Config::Folder(files.clone())).unwrap(),
            specs,
            providers: oidc::Providers::new(Vec::new(), format!("{base_url}/sign-in/back"))
                .unwrap(),
            config: Config {
                name: "Local Government Data Platform".to_owned(),
                base_url: base_url.to_owned(),
                spool_dir: spool.clone(),
                body: BodyLimits {
                    bytes: LIMIT,
                    chunk: Duration::from_millis(300),
                    window: Duration::from_millis(600),
                    bytes_per_second: 1000,
                    total: Duration::from_millis(2500),
                },
                n_threads: 1,
                requests_per_minute,
                // These tests' requests come by none, unless they say so.
                proxy_header: Some("x-forwarded-for".to_owned()),
                webhook_places: webhook::Places::default(),
                demo: Vec::new(),
            },
        };
        let server = serve(site, listener).unwrap();
        let handle = server.handle();
        tokio::spawn(server);
        Running {
            address,
            db,
            spool,
            files,
            handle,
            session,
            token,
            _dir: dir,
            database,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", b"").await
    }

    /// With the token where the API is written to, and as somebody signed in everywhere else.
    async fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let proof = if method == "POST" && path.starts_with("/api/") {
            self.bearer()
        } else {
            cookie(&self.session)
        };
        self.ask_as(&proof, method, path, headers, body).await
    }

    fn bearer(&self) -> String {
        format!("authorization: Bearer {}\r\n", self.token.reveal())
    }

    async fn ask_as(
        &self,
        proof: &str,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> Answer {
        let headers = format!("{proof}{headers}");
        let mut stream = self.connect().await;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        read_answer(&mut stream).await
    }

    fn n_spooled(&self) -> usize {
        fs::read_dir(&self.spool).unwrap().count()
    }

    fn n_kept(&self) -> usize {
        fs::read_dir(self.files.join("originals")).map_or(0, Iterator::count)
    }

    async fn n_received(&self) -> usize {
        let all = workflow::submissions_of(&self.db, &Actor::system("test"), None).await;
        all.unwrap().len()
    }

    /// Whatever was wrong with an upload, it left nothing behind.
    async fn check_nothing_is_left(&self) {
        assert_eq!(self.n_spooled(), 0, "spool");
        assert_eq!(self.n_kept(), 0, "files");
        assert_eq!(self.n_received().await, 0, "submissions");
    }
}

fn cookie(session: &Secret) -> String {
    format!("cookie: __Host-lgdp={}\r\n", session.reveal())
}

/// The session of somebody with these roles.
async fn signed_in(db: &db::Db, email: &str, grants: &[Grant]) -> Secret {
    let actor = Actor::system("test");
    for grant in grants {
        let name = email.split('@').next().unwrap();
        workflow::invite(db, &actor, email, name, grant)
            .await
            .unwrap();
    }
    workflow::enter_as_demo(db, email, Utc::now())
        .await
        .unwrap()
}

impl Drop for Running {
    fn drop(&mut self) {
        let handle = self.handle.clone();
        tokio::spawn(async move { handle.stop(false).await });
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// Reads until the site closes the connection, which it has to.
async fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    let read = tokio::time::timeout(Duration::from_secs(20), read).await;
    // A connection that is closed on unread bytes may be reset after the answer.
    let _ = read.expect("the site closes the connection");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}
