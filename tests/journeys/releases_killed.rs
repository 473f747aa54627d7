//! A worker is killed while it builds a release, at one step after the other (kill point K24): whoever reads the release
//! finds nothing of it or all of it, another worker finishes it, and nothing is left in the store that nobody asks for.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::council::{Council, PERIOD, RETURN, assessed, submit, workbook};
use crate::lgdp::Platform;
use crate::person::{Person, form_token};
use crate::wait::until;

/// What a build looks like from outside, in order; the worker is killed when each is first seen.
#[derive(Debug, Clone, Copy)]
enum Step {
    Claimed,
    /// A file of this name is on the worker's own disk.
    Written(&'static str),
    /// So many files came into the store.
    Stored(usize),
    /// All of it is in the database, and the job may not be done.
    Kept,
}

const STEPS: [Step; 8] = [
    Step::Claimed,
    Step::Written("case.csv"),
    Step::Written("case.parquet"),
    Step::Written("manifest.csv"),
    Step::Written("dcat.jsonld"),
    Step::Stored(1),
    Step::Stored(3),
    Step::Kept,
];

/// Enough that a build takes a while.
const N_COPIES: u32 = 3_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_read_as_a_whole_or_not_at_all_wherever_its_worker_is_killed() {
    let platform = Platform::start(RETURN, PERIOD).await;
    platform.invite_to_team("tess@team.example", RETURN);
    let council = Council {
        code: "S12000036",
        email: "returns@council.example",
    };
    let mut worker = platform.start_worker();
    let tess = Person::sign_in(&platform, "tess@team.example").await;
    let receipt = council
        .send(&platform, "cases.xlsx", workbook("valid", "230", N_COPIES))
        .await;
    assessed(&platform, &receipt).await;
    submit(&platform, &receipt).await;
    let (database, connection) =
        tokio_postgres::connect(platform.database_url(), tokio_postgres::NoTls)
            .await
            .unwrap();
    tokio::spawn(connection);

    let mut files_of_all = BTreeSet::new();
    for (n, step) in STEPS.into_iter().enumerate() {
        let made = database
            .query_one("SELECT gen_random_uuid()::text", &[])
            .await;
        let id: String = made.unwrap().get(0);
        let n_stored = stored(&platform).len();
        // Notes of its own, so that not every file is in the store already.
        let notes = format!("The release of step {n}.");
        let figures = format!("/returns/{RETURN}/{PERIOD}/datasets");
        let token = form_token(&tess.text(&figures).await);
        let form = [
            ("form_token", token.as_str()),
            ("id", id.as_str()),
            ("of", "stands"),
            ("lineage", "cell"),
            ("notes", &notes),
        ];
        let answer = tess.post(&figures, &form).await;
        assert_eq!(answer.status(), 303, "{step:?}");
        let is_kept = async || read(&tess, &id).await["is_built"] == true;
        until("the worker is that far", Duration::from_mins(1), || async {
            // Whatever comes first: some steps are shorter than a look takes.
            let is_there = match step {
                Step::Claimed => {
                    let running = "SELECT count(*) FROM job WHERE kind = 'build-release' AND state = 'running'";
                    database.query_one(running, &[]).await.unwrap().get::<_, i64>(0) > 0
                }
                Step::Written(name) => is_written(&platform.scratch(), name),
                Step::Stored(n_more) => stored(&platform).len() >= n_stored + n_more,
                Step::Kept => false,
            };
            (is_there || is_kept().await).then_some(())
        })
        .await;
        worker.kill();

        let told = read(&tess, &id).await;
        let seen = files(&told);
        if told["is_built"] == true {
            assert!(seen.len() > 5, "{step:?}: {told}");
        } else {
            assert!(seen.is_empty(), "{step:?}: {told}");
            let path = format!("/api/releases/{id}/files/notes.txt");
            assert_eq!(tess.status(&path).await, 404, "{step:?}");
        }
        // Its lease would run out by itself; nobody waits for that here.
        let run_out = "UPDATE job SET lease_until = now() WHERE state = 'running'";
        database.execute(run_out, &[]).await.unwrap();
        worker = platform.start_worker();
        until(
            "another worker finishes it",
            Duration::from_mins(1),
            || async { is_kept().await.then_some(()) },
        )
        .await;
        let told = read(&tess, &id).await;
        let seen = files(&told);
        for (name, sha256) in &seen {
            let bytes = tess
                .bytes(&format!("/api/releases/{id}/files/{name}"))
                .await;
            let hash = "SELECT encode(sha256($1::bytea), 'hex')";
            let hash: String = database.query_one(hash, &[&bytes]).await.unwrap().get(0);
            assert_eq!(&hash, sha256, "{step:?}: {name}");
        }
        assert!(
            tess.text(&format!("/api/releases/{id}/files/notes.txt"))
                .await
                .contains(&notes)
        );
        files_of_all.extend(seen.into_iter().map(|(_, sha256)| sha256));
    }
    until("nothing is left to do", Duration::from_mins(1), || async {
        let open = "SELECT count(*) FROM job WHERE kind = 'build-release' AND state <> 'done'";
        let n: i64 = database.query_one(open, &[]).await.unwrap().get(0);
        (n == 0).then_some(())
    })
    .await;
    // In the store is what is sent and what is released, and nothing else.
    files_of_all.insert(receipt["sha256"].as_str().unwrap().to_owned());
    let marked = "SELECT sha256 FROM marked_workbook WHERE sha256 IS NOT NULL";
    let marked = database.query(marked, &[]).await.unwrap();
    files_of_all.extend(marked.iter().map(|row| row.get::<_, String>(0)));
    assert_eq!(stored(&platform), files_of_all);
    // What the killed ones had in their hands is swept by age, which `worker` tests.
    platform.clear_scratch();
    assert_eq!(platform.left_lying(), Vec::<std::path::PathBuf>::new());
}

async fn read(reader: &Person, id: &str) -> Value {
    serde_json::from_str(&reader.text(&format!("/api/releases/{id}")).await).unwrap()
}

/// Name and hash.
fn files(release: &Value) -> Vec<(String, String)> {
    let files = release["files"].as_array().unwrap().iter();
    let text = |file: &Value, name: &str| file[name].as_str().unwrap().to_owned();
    files
        .map(|file| (text(file, "name"), text(file, "sha256")))
        .collect()
}

/// The hashes of what the file store has.
fn stored(platform: &Platform) -> BTreeSet<String> {
    let entries = std::fs::read_dir(platform.stored()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    // What is on its way in has another ending.
    names.filter(|name| name.len() == 64).collect()
}

fn is_written(scratch: &Path, name: &str) -> bool {
    let Ok(entries) = std::fs::read_dir(scratch) else {
        return false;
    };
    entries
        .flatten()
        .any(|entry| entry.path().join(name).exists())
}
