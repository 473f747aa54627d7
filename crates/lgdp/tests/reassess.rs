//! Stored submissions assessed again by the real binary on a real Postgres: what would be different, and that nothing is written.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use child::{Child, ChildLimits};
use db::Db;
use files::Files;
use sha2::{Digest as _, Sha256};
use spec::{Organisations, Period, ReturnSpec};
use tempfile::TempDir;
use testkit::TestDb;
use testkit::returns::day;
use uuid::Uuid;
use workflow::{Actor, HandoverError, NewUpload};

const ARDBEG: &str = "S12000001";
const BRORA: &str = "S12000002";
const CRAIL: &str = "S12000003";

const ORGANISATIONS: &str =
    "code,name,kind,sg_code,phs_code,superseded_codes,aliases,valid_from,valid_to
S12000001,Ardbeg,council,,,,,,
S12000002,Brora,council,,,,,,
S12000003,Crail,council,,,,,,
";

/// A rule that was thought of after the files had come in.
const NEW_RULE: &str = "
[[rule]]
id = \"visit.too-long\"
table = \"visit\"
kind = \"assert\"
severity = \"error\"
items = [\"MINUTES\"]
message = \"The visit {REF} took {MINUTES} minutes.\"
fix = \"Check the minutes.\"
source = \"tests\"
confidence = \"inferred\"
trial = true
assert = \"MINUTES <= 400\"
";

/// Visits of two years, collected from three councils.
struct World {
    database: TestDb,
    db: Db,
    dir: TempDir,
    files: Files,
    spec: ReturnSpec,
    ids: Vec<Uuid>,
}

impl World {
    async fn new() -> World {
        let database = TestDb::new();
        let db = database.connect().await;
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("specs");
        write_specs(&root);
        let spec = spec::load(&root.join("visits/1")).unwrap();
        let organisations = Organisations::load(&root.join("organisations.csv")).unwrap();
        let actor = Actor::system("tests");
        let owner = database.connect_as_owner().await;
        workflow::publish_returns(&owner, &actor, std::slice::from_ref(&spec), &organisations)
            .await
            .unwrap();
        for label in ["2025-26", "2026-27"] {
            let period = Period::parse(spec.period_kind, label).unwrap();
            let (opens, due) = (day("2026-04-01"), day("2027-06-30"));
            workflow::open_cycle(&db, &actor, &spec, &period, opens, due)
                .await
                .unwrap();
        }
        let files = Files::open(&files::Config::Folder(dir.path().join("files"))).unwrap();
        World {
            database,
            db,
            dir,
            files,
            spec,
            ids: Vec::new(),
        }
    }

    /// Receives a file and stores its assessment, as site and worker do.
    async fn send(&mut self, organisation: &str, period: &str, rows: &str) {
        let bytes = format!("REF,DAY,PURPOSE,MINUTES\n{rows}");
        let path = self.dir.path().join("upload");
        fs::write(&path, &bytes).unwrap();
        let upload = NewUpload {
            organisation: organisation.to_owned(),
            return_id: "visits".to_owned(),
            period: period.to_owned(),
            file_name: "visits.csv".to_owned(),
            path,
            sha256: hex::encode(Sha256::digest(&bytes)),
            bytes: bytes.len() as u64,
            idempotency_key: self.ids.len().to_string(),
            contact_email: None,
            received_at: "2026-07-20T09:05:00Z".parse().unwrap(),
        };
        let actor = Actor::system("tests");
        let receipt = workflow::receive(&self.db, &self.files, &actor, upload)
            .await
            .unwrap();
        let id = receipt.submission_id;
        let wanted = workflow::to_assess(&self.db, &actor, id).await.unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let task = worker::task(
            &self.files,
            &self.spec.dir,
            &wanted.unwrap(),
            &workflow::References::default(),
            scratch.path(),
        )
        .await
        .unwrap();
        let child = Child {
            program: PathBuf::from(env!("CARGO_BIN_EXE_lgdp")),
            limits: ChildLimits::default(),
        };
        let answer = tokio::task::spawn_blocking(move || child.run(&task))
            .await
            .unwrap()
            .unwrap();
        workflow::load(&self.db, &actor, id, &self.spec, answer)
            .await
            .unwrap();
        // What has something to fix or to explain does not come to stand.
        match workflow::submit(&self.db, &actor, id, chrono::Utc::now()).await {
            Ok(_) | Err(HandoverError::NotNow(_) | HandoverError::NotExplained { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        self.ids.push(id);
    }

    /// The specs as somebody has changed them.
    fn edited(&self, name: &str, edit: impl Fn(&str) -> String) -> PathBuf {
        let root = self.dir.path().join(name);
        write_specs(&root);
        let version = root.join("visits/1");
        for file in [
            "rules.toml",
            "tables/visit.schema.json",
            "tables/visit.toml",
        ] {
            let path = version.join(file);
            let text = fs::read_to_string(&path).unwrap();
            fs::write(path, edit(&text)).unwrap();
        }
        version
    }

    async fn reassess(&self, spec: &Path, more: &[&str]) -> Output {
        let before = self.dump().await;
        let output = Command::new(env!("CARGO_BIN_EXE_lgdp"))
            .args(["reassess", "--spec", spec.to_str().unwrap()])
            .args(more)
            .env("DATABASE_URL", self.database.url())
            .env("LGDP_HOME", self.dir.path().join("home"))
            .env("LGDP_FILES", self.dir.path().join("files"))
            .output()
            .unwrap();
        assert_eq!(self.dump().await, before, "the database is as it was");
        output
    }

    /// A fingerprint of every row of every table.
    async fn dump(&self) -> Vec<(String, String)> {
        let (client, connection) =
            tokio_postgres::connect(&self.database.url(), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        let tables = client
            .query(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
                 WHERE schemaname IN ('public', 'ret') ORDER BY 1",
                &[],
            )
            .await
            .unwrap();
        let mut dump = Vec::new();
        for table in tables {
            let table: String = table.get(0);
            let rows = format!(
                "SELECT count(*) || ' ' || md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '')) FROM {table} t"
            );
            let told: String = client.query_one(&rows, &[]).await.unwrap().get(0);
            dump.push((table, told));
        }
        let n_events = dump.iter().find(|(table, _)| table == "public.event");
        assert!(n_events.is_some_and(|(_, rows)| !rows.starts_with("0 ")));
        dump
    }

    /// Standard output without what differs from run to run.
    fn told(&self, output: &Output, spec: &Path) -> String {
        let mut text = String::from_utf8(output.stdout.clone()).unwrap();
        for (n, id) in self.ids.iter().enumerate() {
            text = text.replace(&id.to_string(), &format!("[file {}]", n + 1));
        }
        let hash = spec::load(spec).unwrap().hash;
        text.replace(&hash, "[spec]").replace(&hash[..12], "[spec]")
    }
}

fn write_specs(root: &Path) {
    let version = root.join("visits/1");
    for (path, text) in [
        (root.join("organisations.csv"), ORGANISATIONS),
        (
            version.join("return.toml"),
            include_str!("commands/visits/return.toml"),
        ),
        (
            version.join("rules.toml"),
            include_str!("commands/visits/rules.toml"),
        ),
        (version.join("CHANGES.md"), "# Changes\n\nThe first.\n"),
        (
            version.join("tables/visit.toml"),
            include_str!("commands/visits/visit.toml"),
        ),
        (
            version.join("tables/visit.schema.json"),
            include_str!("commands/visits/visit.schema.json"),
        ),
        (
            version.join("codes/purpose.csv"),
            include_str!("commands/visits/purpose.csv"),
        ),
    ] {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// Five files: long visits and short ones, one with a mistake, one that is compared with the year before.
async fn world() -> World {
    let mut world = World::new().await;
    for (organisation, period, rows) in [
        (BRORA, "2025-26", "b1,2025-05-01,01,100\n"),
        (
            ARDBEG,
            "2026-27",
            "a1,2026-05-01,01,30\na2,2026-05-02,01,500\na3,2026-05-03,02,600\n",
        ),
        (BRORA, "2026-27", "b1,2026-05-01,01,300\n"),
        (
            CRAIL,
            "2026-27",
            "c1,2026-05-01,09,30\nc2,2026-05-02,01,700\n",
        ),
        // What Brora's file was compared with stands no longer.
        (BRORA, "2025-26", "b1,2025-05-01,01,290\n"),
    ] {
        world.send(organisation, period, rows).await;
    }
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_on_trial_shows_what_it_would_do_and_what_it_does_once_it_counts() {
    let world = world().await;
    let same = world.reassess(&world.spec.dir, &[]).await;
    assert_eq!(same.status.code(), Some(0), "{same:?}");
    insta::assert_snapshot!("the_same_spec", world.told(&same, &world.spec.dir));

    let trial = world.edited("trial", |text| with_rule(text, NEW_RULE));
    let on_trial = world.reassess(&trial, &[]).await;
    assert_eq!(on_trial.status.code(), Some(0), "{on_trial:?}");
    insta::assert_snapshot!("a_rule_on_trial", world.told(&on_trial, &trial));

    let rule = NEW_RULE.replace("trial = true\n", "");
    let counting = world.edited("counting", |text| with_rule(text, &rule));
    let counts = world.reassess(&counting, &[]).await;
    assert_eq!(counts.status.code(), Some(1), "{counts:?}");
    insta::assert_snapshot!("the_rule_counts", world.told(&counts, &counting));

    let csv = world.reassess(&counting, &["--format", "csv"]).await;
    insta::assert_snapshot!("the_rule_counts_csv", world.told(&csv, &counting));
    let json = world.reassess(&counting, &["--format", "json"]).await;
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["files"].as_array().unwrap().len(), 5);
    assert_eq!(json["totals"]["n_fallen"], 1);
}

/// Only the file of rules has rules.
fn with_rule(text: &str, rule: &str) -> String {
    if text.contains("[[rule]]") {
        format!("{text}{rule}")
    } else {
        text.to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_whose_columns_a_spec_no_longer_knows_are_refused_and_say_so() {
    let world = world().await;
    let renamed = world.edited("renamed", |text| text.replace("REF", "REFERENCE"));
    let output = world
        .reassess(&renamed, &["--period", "2026-27", "--organisation", ARDBEG])
        .await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    insta::assert_snapshot!("renamed_columns", world.told(&output, &renamed));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_asked_for_is_assessed_again() {
    let world = world().await;
    let n_files = async |more: &[&str]| {
        let more = [more, &["--format", "json"]].concat();
        let output = world.reassess(&world.spec.dir, &more).await;
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        json["totals"]["n_files"].as_u64().unwrap()
    };
    assert_eq!(n_files(&["--period", "2025-26"]).await, 2);
    assert_eq!(n_files(&["--organisation", CRAIL]).await, 1);
    assert_eq!(n_files(&["--standing"]).await, 2);
    assert_eq!(
        n_files(&["--submission", &world.ids[0].to_string()]).await,
        1
    );

    let unknown = Uuid::now_v7().to_string();
    let output = world
        .reassess(&world.spec.dir, &["--submission", &unknown])
        .await;
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&unknown));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_lost_is_named_and_the_others_go_on() {
    let world = world().await;
    let originals = world.dir.path().join("files/originals");
    let lost = hex::encode(Sha256::digest(
        "REF,DAY,PURPOSE,MINUTES\nb1,2026-05-01,01,300\n",
    ));
    fs::remove_file(originals.join(&lost)).unwrap();
    let output = world.reassess(&world.spec.dir, &[]).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let told = world.told(&output, &world.spec.dir);
    assert!(
        told.contains(&format!("the file store has no originals/{lost}")),
        "{told}"
    );
    assert!(
        told.contains("1 file could not be assessed again."),
        "{told}"
    );
    assert!(told.contains("4 files of 3 organisations"), "{told}");
}
