//! A council's own machine: its extract is dropped into a folder and its feedback is there beside it; a script sends,
//! waits and takes figures away, and reads them in one line of Python.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::council::{PERIOD, RETURN, client, workbook};
use crate::lgdp::{Platform, Role, binary, workspace};
use crate::person::{Person, form_token};

const COUNCIL: &str = "S12000036";

struct Machine {
    platform: Platform,
    _worker: Role,
    home: TempDir,
}

impl Machine {
    async fn start() -> Machine {
        let platform = Platform::start(RETURN, PERIOD).await;
        let worker = platform.start_worker();
        let home = tempfile::tempdir().unwrap();
        let config = format!(
            "address = \"{}\"\ntoken_file = \"{}\"\n",
            platform.address,
            home.path().join("token").display()
        );
        fs::write(home.path().join("token"), platform.sending_token(COUNCIL)).unwrap();
        fs::write(home.path().join("client.toml"), config).unwrap();
        Machine {
            platform,
            _worker: worker,
            home,
        }
    }

    fn lgdp(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .env("LGDP_HOME", self.home.path())
            .args(arguments)
            .arg("--config")
            .arg(self.home.path().join("client.toml"))
            .stdin(Stdio::null());
        command
    }

    /// Gives the exit status and what it printed.
    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.lgdp(arguments).output().unwrap();
        let printed = String::from_utf8(output.stdout.clone()).unwrap();
        let status = output.status.code().unwrap();
        assert_ne!(status, 2, "lgdp {arguments:?}: {}", said(&output));
        (status, printed)
    }

    fn put(&self, folder: &str, name: &str, bytes: &[u8]) -> PathBuf {
        let folder = self.home.path().join(folder);
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// How many versions the platform has.
    async fn n_versions(&self) -> usize {
        let url = format!("{}/api/submissions", self.platform.address);
        let token = self.platform.sending_token(COUNCIL);
        let asked = client().get(url).bearer_auth(token).send().await.unwrap();
        let page: Value = asked.json().await.unwrap();
        page["items"].as_array().unwrap().len()
    }
}

async fn close_the_round(platform: &Platform) {
    platform.invite_as("sky@office.example", "Sky", "scheduler", &[]);
    let sky = Person::sign_in(platform, "sky@office.example").await;
    let round = format!("/rounds/{RETURN}/{PERIOD}");
    let token = form_token(&sky.text(&round).await);
    let days = [
        ("form_token", token.as_str()),
        ("due", "30/06/2026"),
        ("close", "31/07/2026"),
        ("due_confirmed", "yes"),
        ("close_confirmed", "yes"),
        ("reason", "The figures come out"),
    ];
    let set = sky.post(&format!("{round}/dates"), &days).await;
    assert_eq!(set.status(), 303);
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_sends_a_file_and_knows_by_the_exit_status_what_became_of_it() {
    let machine = Machine::start().await;
    let wrong = machine.put("out", "wrong.xlsx", &workbook("contact-missing", "230", 1));
    let right = machine.put("out", "right.xlsx", &workbook("valid", "230", 1));
    let (wrong, right) = (wrong.to_str().unwrap(), right.to_str().unwrap());

    // Return, period and organisation are the only ones that are open for it.
    let (status, printed) = machine.run(&["submit", wrong, "--wait", "--json"]);
    assert_eq!(status, 1, "{printed}");
    let submission: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(submission["outcome"], "needs_correction");
    let id = submission["submission_id"].as_str().unwrap();
    let (status, printed) = machine.run(&["findings", id]);
    assert_eq!(status, 1);
    assert!(printed.starts_with("To fix at "), "{printed}");
    let marked = machine.home.path().join("marked.xlsx");
    let marked = marked.to_str().unwrap();
    let (_, printed) = machine.run(&["findings", id, "--format", "xlsx", "--out", marked]);
    assert_eq!(printed, "");
    assert!(fs::read(marked).unwrap().starts_with(b"PK"));

    // However often a scheduled task says so.
    for _ in 0..2 {
        let (status, printed) = machine.run(&["submit", right, "--wait"]);
        assert_eq!(status, 0, "{printed}");
        assert!(printed.contains("version 2"), "{printed}");
    }
    assert_eq!(machine.n_versions().await, 2);
    let (status, printed) = machine.run(&["status"]);
    assert_eq!(status, 0);
    assert!(printed.contains("ready"), "{printed}");

    // What was sent before another file does not stand any more, and is not said to be in order.
    let newer = machine.put("out", "newer.xlsx", &workbook("valid", "230", 3));
    let (status, printed) = machine.run(&["submit", newer.to_str().unwrap(), "--wait"]);
    assert_eq!(status, 0, "{printed}");
    let (status, printed) = machine.run(&["submit", right, "--wait"]);
    assert_eq!(status, 1, "{printed}");
    assert!(printed.contains("version 2: replaced"), "{printed}");
    assert_eq!(machine.n_versions().await, 3);

    // A round that has closed takes nothing, and says what can be done; what was sent before is what it was.
    close_the_round(&machine.platform).await;
    let late = machine.put("out", "late.xlsx", &workbook("valid", "230", 2));
    let late = late.to_str().unwrap();
    let closed = machine.lgdp(&["submit", late, "--wait"]).output().unwrap();
    assert_eq!(closed.status.code(), Some(1), "{}", said(&closed));
    for told in ["closed on 31 July 2026", "more-time"] {
        assert!(said(&closed).contains(told), "{told}: {}", said(&closed));
    }
    assert_eq!(machine.n_versions().await, 3);

    // Nothing is there: try again later, whether it is said what it is for or not; a token that is none: not.
    let whole = [
        "--return",
        RETURN,
        "--period",
        PERIOD,
        "--organisation",
        COUNCIL,
    ];
    for said_for in [&whole[..], &whole[..4], &[]] {
        let away = machine
            .lgdp(&["submit", right, "--address", "http://127.0.0.1:9"])
            .args(["--patience", "0"])
            .args(said_for)
            .output()
            .unwrap();
        assert_eq!(away.status.code(), Some(3), "{}", said(&away));
    }
    fs::write(machine.home.path().join("token"), "nonsense").unwrap();
    let refused = machine.lgdp(&["status"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(
        said(&refused).contains("Token not good"),
        "{}",
        said(&refused)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_into_a_folder_is_sent_once_and_its_feedback_is_there_beside_it() {
    let machine = Machine::start().await;
    let file = machine.put("drop", "cases.xlsx", &workbook("contact-missing", "230", 1));
    machine.put("drop", "half.xlsx.part", b"not whole yet");
    let folder = file.parent().unwrap().to_str().unwrap().to_owned();
    let look = || machine.run(&["watch", &folder, "--once"]);

    let (status, printed) = look();
    assert_eq!(status, 1, "{printed}");
    assert!(printed.contains("received as version 1"), "{printed}");
    assert!(printed.contains("cases.xlsx: 1 to fix"), "{printed}");
    let beside = |what: &str| fs::read(format!("{folder}/cases.xlsx-{what}"));
    let result = String::from_utf8(beside("result.txt").unwrap()).unwrap();
    assert!(result.contains("\nTo fix at "), "{result}");
    assert!(beside("findings.xlsx").unwrap().starts_with(b"PK"));
    assert!(beside("marked.xlsx").unwrap().starts_with(b"PK"));

    // Nothing is new, and nothing is sent; nor are its own files.
    let (status, printed) = look();
    assert_eq!((status, printed.as_str()), (0, ""));
    assert_eq!(machine.n_versions().await, 1);

    // As after a crash between sending and noting that it was received: the key is there, the receipt is not.
    let notes = format!("{folder}/.lgdp/sent.json");
    let mut noted: Value = serde_json::from_slice(&fs::read(&notes).unwrap()).unwrap();
    noted["cases.xlsx"]["submission_id"] = Value::Null;
    noted["cases.xlsx"]["is_done"] = false.into();
    fs::write(&notes, noted.to_string()).unwrap();
    let (_, printed) = look();
    assert!(printed.contains("received as version 1"), "{printed}");
    assert_eq!(machine.n_versions().await, 1);

    // A slip of the hand in the command: once that is right and the file is saved again, it is sent.
    machine.put("drop", "more.xlsx", &workbook("valid", "230", 4));
    let (status, printed) = machine.run(&["watch", &folder, "--once", "--return", "nonsense"]);
    assert_eq!(status, 1, "{printed}");
    assert!(printed.contains("more.xlsx: not sent"), "{printed}");
    assert_eq!(look(), (1, String::new()), "nothing new, and not in order");
    machine.put("drop", "more.xlsx", &workbook("valid", "230", 4));
    let (status, printed) = look();
    assert_eq!(status, 0, "{printed}");
    assert!(
        printed.contains("more.xlsx: received as version 2"),
        "{printed}"
    );

    // Mended and saved under the same name.
    machine.put("drop", "cases.xlsx", &workbook("valid", "230", 1));
    let (status, printed) = look();
    assert_eq!(status, 0, "{printed}");
    assert!(printed.contains("received as version 3"), "{printed}");
    assert_eq!(machine.n_versions().await, 3);
}

/// The lines of the README, run as they stand there.
#[tokio::test(flavor = "multi_thread")]
async fn figures_are_read_in_one_line_as_the_readme_says() {
    let machine = Machine::start().await;
    let file = machine.put("out", "right.xlsx", &workbook("valid", "230", 1));
    let (status, _) = machine.run(&["submit", file.to_str().unwrap(), "--wait", "--json"]);
    assert_eq!(status, 0);
    let url = format!("{}/api/submissions", machine.platform.address);
    let token = machine.platform.sending_token(COUNCIL);
    let page: Value = client()
        .get(url)
        .bearer_auth(&token)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let id = page["items"][0]["submission_id"].as_str().unwrap();
    let submit = format!("{}/api/submissions/{id}/submit", machine.platform.address);
    client()
        .post(submit)
        .bearer_auth(&token)
        .send()
        .await
        .unwrap();

    let reading = machine.platform.reading_token(RETURN);
    let csv = machine.home.path().join("cases.csv");
    fs::write(machine.home.path().join("token"), &reading).unwrap();
    let (_, direct) = machine.run(&["dataset", RETURN, PERIOD]);
    machine.run(&["dataset", RETURN, PERIOD, "--out", csv.to_str().unwrap()]);
    let parquet = csv.with_extension("parquet");
    machine.run(&[
        "dataset",
        RETURN,
        PERIOD,
        "--out",
        parquet.to_str().unwrap(),
    ]);
    assert_eq!(fs::read_to_string(&csv).unwrap(), direct);
    let n_rows = direct.lines().count() - 1;
    assert!(n_rows > 0, "{direct}");

    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    let mut n_lines = 0;
    for line in readme.lines().filter(|line| line.starts_with("df = ")) {
        let script = format!(
            "import os, urllib.request, pandas, polars, duckdb\ntoken = os.environ['LGDP_TOKEN']\nurl = os.environ['URL']\n{line}\n\
            code = 'organisation_sg_code'\n\
            print(len(df), repr(df.select(code).fetchall()[0][0] if hasattr(df, 'fetchall') else list(df[code])[0]))"
        );
        let output = Command::new(workspace().join(".venv/bin/python"))
            .args(["-c", &script])
            .current_dir(machine.home.path())
            .env("LGDP_TOKEN", &reading)
            .env(
                "URL",
                format!(
                    "{}/api/returns/{RETURN}/periods/{PERIOD}/dataset.parquet",
                    machine.platform.address
                ),
            )
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout.clone()).unwrap();
        assert!(
            printed.trim_end() == format!("{n_rows} '230'"),
            "{line}\n{printed}\n{}",
            said(&output)
        );
        n_lines += 1;
    }
    assert_eq!(n_lines, 3, "pandas, polars and DuckDB");
    in_r(&machine, &readme, n_rows);
    in_every_format(&machine, &reading, n_rows).await;
    assert!(is_whole(&csv));
}

/// The line of the README for R.
fn in_r(machine: &Machine, readme: &str, n_rows: usize) {
    let line = readme.lines().find(|line| line.starts_with("df <- "));
    let line = line
        .unwrap()
        .replace("RETURN", RETURN)
        .replace("PERIOD", PERIOD);
    let script = format!("{line}; cat(nrow(df), class(df$organisation_sg_code))");
    let mut path = binary().parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let output = Command::new("Rscript")
        .args(["-e", &script])
        .env("PATH", path)
        .env("LGDP_ADDRESS", &machine.platform.address)
        .env("LGDP_TOKEN_FILE", machine.home.path().join("token"))
        .output()
        .expect("./run test installs R");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(printed, format!("{n_rows} character"), "{}", said(&output));
}

/// Every format and filter of the command, and a download that goes on where it was.
async fn in_every_format(machine: &Machine, token: &str, n_rows: usize) {
    let place = |name: &str| machine.home.path().join(name);
    let take = |name: &str, more: &[&str]| {
        let out = place(name);
        let mut words = vec!["dataset", RETURN, PERIOD, "--out", out.to_str().unwrap()];
        words.extend(more);
        machine.run(&words);
        fs::read(out).unwrap()
    };
    let lines = String::from_utf8(take("cases.jsonl", &[])).unwrap();
    assert_eq!(lines.lines().count(), n_rows);
    assert!(take("cases.xlsx", &[]).starts_with(b"PK"));
    assert!(take("cases.parquet", &[]).starts_with(b"PAR1"));
    let plain = take(
        "plain.csv",
        &["--lineage", "none", "--no-labels", "--column", "APPREF"],
    );
    let plain = String::from_utf8(plain).unwrap();
    let heading = plain.lines().next().unwrap();
    assert!(heading.ends_with("submission_state,APPREF"), "{heading}");
    let nothing = take("accepted.csv", &["--accepted"]);
    assert_eq!(String::from_utf8(nothing).unwrap().lines().count(), 1);
    let parquet = ["dataset", RETURN, PERIOD, "--format", "parquet"];
    let refused = machine.lgdp(&parquet).output().unwrap();
    assert_eq!(
        refused.status.code(),
        Some(2),
        "nothing of that kind on the screen"
    );

    // Cut off half way: the rest is asked for, and it is the same file.
    let whole = fs::read(place("cases.csv")).unwrap();
    let url = format!(
        "{}/api/returns/{RETURN}/periods/{PERIOD}/dataset.csv",
        machine.platform.address
    );
    let asked = client().get(url).bearer_auth(token).send().await.unwrap();
    let tag = asked.headers()["etag"].to_str().unwrap().to_owned();
    fs::write(place("again.csv.part"), &whole[..whole.len() / 2]).unwrap();
    fs::write(place("again.csv.part-tag"), tag).unwrap();
    assert_eq!(take("again.csv", &[]), whole);
    // Of another file nothing is gone on with.
    fs::write(place("other.csv.part"), "something else").unwrap();
    fs::write(place("other.csv.part-tag"), "\"other\"").unwrap();
    assert_eq!(take("other.csv", &[]), whole);
}

/// Nothing of how it was written is left.
fn is_whole(path: &Path) -> bool {
    let folder = fs::read_dir(path.parent().unwrap()).unwrap();
    folder
        .map(|entry| entry.unwrap().path())
        .all(|path| path.extension().is_none_or(|ending| ending != "part"))
}
