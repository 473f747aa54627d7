//! The binary, started as its users start it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use tempfile::TempDir;
use testkit::{S3Server, TestDb};

use crate::council::client;
use crate::days::due_day;
use crate::mailbox::Mailbox;
use crate::provider::Provider;
use crate::wait::until;

/// All that the product's own crates have to say, and of others what a production run logs.
const LOGGED: &str = "info,access=trace,assess=trace,check=trace,child=trace,dataset=trace,db=trace,files=trace,\
    frame=trace,lgdp=trace,mail=trace,oidc=trace,queue=trace,report=trace,sheet=trace,spec=trace,web=trace,worker=trace,\
    workflow=trace";

/// A whole platform: database, mail server, site; workers come and go.
pub(crate) struct Platform {
    pub(crate) address: String,
    pub(crate) mailbox: Mailbox,
    home: TempDir,
    database_url: String,
    _database: TestDb,
    _site: Role,
    /// Where files are kept, unless in its home.
    s3: Option<S3Server>,
}

impl Platform {
    /// Everything but a worker, with the real specs published and one round open.
    pub(crate) async fn start(return_id: &str, period: &str) -> Platform {
        Platform::start_at(&free_address(), return_id, period, None, None).await
    }

    /// The same with files in object storage, so that other machines can work for it.
    pub(crate) async fn start_on_s3(return_id: &str, period: &str) -> Platform {
        let s3 = Some(testkit::s3());
        Platform::start_at(&free_address(), return_id, period, None, s3).await
    }

    /// A machine more for a role: with a home of its own, the same database and the same object storage.
    pub(crate) fn start_machine(&self, role: &str) -> Machine {
        assert!(
            self.s3.is_some(),
            "files of a platform's own home are nobody else's"
        );
        let (home, listen) = (tempfile::tempdir().unwrap(), free_address());
        let settings = Settings {
            home: home.path(),
            listen: &listen,
            ..self.settings()
        };
        let role = settings.start(role);
        Machine {
            address: format!("http://{listen}"),
            role,
            _home: home,
        }
    }

    /// The same with a provider, where somebody has an account.
    pub(crate) async fn start_with_provider(return_id: &str, period: &str) -> (Platform, Provider) {
        let listen = free_address();
        let provider = Provider::start(&format!("http://{listen}")).await;
        let platform = Platform::start_at(&listen, return_id, period, Some(&provider), None).await;
        (platform, provider)
    }

    async fn start_at(
        listen: &str,
        return_id: &str,
        period: &str,
        provider: Option<&Provider>,
        s3: Option<S3Server>,
    ) -> Platform {
        let database = TestDb::new();
        let home = tempfile::tempdir().unwrap();
        let mailbox = Mailbox::start(&home.path().join("mailbox")).await;
        if let Some(provider) = provider {
            provider.write_settings(&providers_in(home.path()));
        }
        let setting = Settings {
            home: home.path(),
            database_url: &database.url(),
            listen,
            smtp_url: &mailbox.url(),
            s3: s3.as_ref(),
        };
        setting.run(&["admin", "publish"]);
        setting.open(return_id, period);
        let site = setting.start("serve");
        let platform = Platform {
            address: format!("http://{listen}"),
            mailbox,
            database_url: database.url(),
            home,
            _database: database,
            _site: site,
            s3,
        };
        is_ready(&platform.address).await;
        platform
    }

    /// Opens a round of another return.
    pub(crate) fn open(&self, return_id: &str, period: &str) {
        self.settings().open(return_id, period);
    }

    /// A token with which a program sends an organisation's files.
    pub(crate) fn sending_token(&self, organisation: &str) -> String {
        self.sending_token_of("journey", organisation)
    }

    /// The same, of a program with a name.
    pub(crate) fn sending_token_of(&self, name: &str, organisation: &str) -> String {
        let role = ["admin", "client", name, "sending_client"];
        self.settings()
            .run(&[&role[..], &["--organisation", organisation]].concat())
    }

    /// A token with which a program takes a return's figures.
    pub(crate) fn reading_token(&self, return_id: &str) -> String {
        let role = ["admin", "client", "journey", "reading_client"];
        self.settings()
            .run(&[&role[..], &["--return", return_id]].concat())
    }

    /// Somebody who works for an organisation.
    pub(crate) fn invite(&self, email: &str, role: &str, organisation: &str) {
        let whom = ["admin", "invite", email, name_of(email), role];
        self.settings()
            .run(&[&whom[..], &["--organisation", organisation]].concat());
    }

    /// Somebody of the team that asks for a return.
    pub(crate) fn invite_to_team(&self, email: &str, return_id: &str) {
        let whom = ["admin", "invite", email, name_of(email), "dataset_team"];
        self.settings()
            .run(&[&whom[..], &["--return", return_id]].concat());
    }

    /// Somebody with a name of their own, and what their role is held for: `["--return", "hl1"]`.
    pub(crate) fn invite_as(&self, email: &str, name: &str, role: &str, held_for: &[&str]) {
        let whom = ["admin", "invite", email, name, role];
        self.settings().run(&[&whom[..], held_for].concat());
    }

    /// `lgdp admin` with these arguments; what it prints.
    pub(crate) fn admin(&self, arguments: &[&str]) -> String {
        self.settings().run(&[&["admin"], arguments].concat())
    }

    /// The same where the login that owns the tables is one that leads nowhere.
    pub(crate) fn admin_without_owner(&self, arguments: &[&str]) -> std::process::Output {
        let nowhere = "postgresql://owner@127.0.0.1:9/none?connect_timeout=1";
        let mut command = self.settings().command();
        command
            .arg("admin")
            .args(arguments)
            .env("LGDP_OWNER_DATABASE_URL", nowhere)
            .output()
            .unwrap()
    }

    /// The same, which has to fail; what it says.
    pub(crate) fn admin_refuses(&self, arguments: &[&str]) -> String {
        let mut command = self.settings().command();
        let output = command.arg("admin").args(arguments).output().unwrap();
        assert!(!output.status.success(), "lgdp admin {arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Where what is accepted is published.
    pub(crate) fn lake(&self) -> PathBuf {
        lake_of(self.home.path())
    }

    /// What the site and the workers have logged, by who did.
    pub(crate) fn logs(&self) -> Vec<(&'static str, String)> {
        ["serve", "work"]
            .map(|role| {
                (
                    role,
                    fs::read_to_string(log_of(self.home.path(), role)).unwrap(),
                )
            })
            .to_vec()
    }

    /// As the database's owner, whom no policy holds.
    pub(crate) fn database_url(&self) -> &str {
        &self.database_url
    }

    pub(crate) fn start_worker(&self) -> Role {
        self.settings().start("work")
    }

    /// The worker has a file in its hands.
    pub(crate) fn is_assessing(&self) -> Option<()> {
        let mut entries = fs::read_dir(self.scratch()).ok()?;
        entries.next().map(|_| ())
    }

    /// What is left of files that were not sent: in the file store, on their way in, and in a worker's hands.
    pub(crate) fn left_lying(&self) -> Vec<PathBuf> {
        let folders = ["files/passing", "spool", "scratch"];
        let entries = folders
            .into_iter()
            .filter_map(|folder| fs::read_dir(self.home.path().join(folder)).ok());
        entries
            .flatten()
            .map(|entry| entry.unwrap().path())
            .collect()
    }

    /// Where a worker keeps what it is at.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.home.path().join("scratch")
    }

    /// Where the file store has what was sent and made.
    pub(crate) fn stored(&self) -> PathBuf {
        self.home.path().join("files/originals")
    }

    /// What a killed worker left lying, so that the next one's can be told from it.
    pub(crate) fn clear_scratch(&self) {
        let _ = fs::remove_dir_all(self.scratch());
    }

    fn settings(&self) -> Settings<'_> {
        Settings {
            home: self.home.path(),
            database_url: &self.database_url,
            listen: self.address.trim_start_matches("http://"),
            smtp_url: self.mailbox.url_str(),
            s3: self.s3.as_ref(),
        }
    }
}

/// A role on a machine of its own.
pub(crate) struct Machine {
    pub(crate) address: String,
    pub(crate) role: Role,
    _home: TempDir,
}

/// Waits until a site answers.
pub(crate) async fn is_ready(address: &str) {
    until("the site is ready", Duration::from_secs(30), || async {
        let ready = client().get(format!("{address}/health/ready")).send().await;
        ready
            .is_ok_and(|response| response.status().is_success())
            .then_some(())
    })
    .await;
}

/// Of everybody by the front of their address.
fn name_of(email: &str) -> &str {
    email.split('@').next().unwrap()
}

fn lake_of(home: &Path) -> PathBuf {
    home.join("lake")
}

struct Settings<'a> {
    home: &'a Path,
    database_url: &'a str,
    listen: &'a str,
    smtp_url: &'a str,
    s3: Option<&'a S3Server>,
}

impl Settings<'_> {
    fn command(&self) -> Command {
        let mut command = Command::new(binary());
        command
            .env("LGDP_HOME", self.home)
            .env("LGDP_SPECS", workspace().join("return-specs"))
            .env("DATABASE_URL", self.database_url)
            .env("LGDP_LISTEN", self.listen)
            .env("LGDP_SMTP_URL", self.smtp_url)
            .env("LGDP_LAKE", lake_of(self.home))
            .env("LGDP_LEASE_SECONDS", "2")
            // Few, so that each serves many people in turn.
            .env("LGDP_DATABASE_CONNECTIONS", "4")
            // The servers of tests are on this machine.
            .env("LGDP_WEBHOOK_HOSTS", "localhost")
            // Tests ask more often than anybody does.
            .env("LGDP_REQUESTS_PER_MINUTE", "100000")
            .env("LGDP_LOG", LOGGED)
            .stdin(Stdio::null());
        if let Some(s3) = self.s3 {
            command
                .env("LGDP_FILES", format!("s3://{}", s3.bucket))
                .env("LGDP_S3_ENDPOINT", &s3.endpoint)
                .env("LGDP_S3_REGION", &s3.region)
                .env("LGDP_S3_ACCESS_KEY_ID", "key")
                .env("LGDP_S3_SECRET_ACCESS_KEY", "secret");
        }
        let providers = providers_in(self.home);
        if providers.is_file() {
            command.env("LGDP_PROVIDERS", providers);
        }
        command
    }

    /// Gives what it prints.
    fn run(&self, arguments: &[&str]) -> String {
        let output = self.command().args(arguments).output().expect("lgdp runs");
        assert!(
            output.status.success(),
            "lgdp {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn open(&self, return_id: &str, period: &str) {
        self.run(&[
            "admin",
            "open",
            return_id,
            period,
            "--opens",
            "2026-01-01",
            "--due",
            &due_day().to_string(),
        ]);
    }

    fn start(&self, role: &str) -> Role {
        let log = log_of(self.home, role);
        let log = File::options().create(true).append(true).open(log).unwrap();
        let process = self
            .command()
            .arg(role)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("lgdp starts");
        Role { process }
    }
}

/// A running role; dropping it ends it as `kill -9` does.
pub(crate) struct Role {
    process: Child,
}

impl Role {
    /// The most memory it ever had, in bytes; its child processes are not counted.
    #[cfg(target_os = "linux")]
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|peak| peak.trim().strip_suffix(" kB"))
            .expect("the kernel says how much");
        peak.trim().parse::<u64>().unwrap() * 1024
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("kills");
        self.process.wait().expect("waits");
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn log_of(home: &Path, role: &str) -> PathBuf {
    home.join(format!("{role}.log"))
}

/// `target/release/lgdp`, beside `target/release/deps/journeys-…`.
pub(crate) fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let binary = test.parent().and_then(Path::parent).unwrap().join("lgdp");
    assert!(
        binary.is_file(),
        "{} is not built: run the tests of the whole workspace, or cargo build -p lgdp first",
        binary.display()
    );
    binary
}

pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn providers_in(home: &Path) -> PathBuf {
    home.join("providers.toml")
}

/// An address that nobody has, and that is given to nobody else here.
pub(crate) fn free_address() -> String {
    static GIVEN: Mutex<BTreeSet<SocketAddr>> = Mutex::new(BTreeSet::new());
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        if GIVEN.lock().unwrap().insert(address) {
            return address.to_string();
        }
    }
}
