//! A worker of the year: this same test in a process of its own, told by lines what its clock says.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::*;

/// Set for such a process: the address of the year's database.
const DATABASE: &str = "LGDP_TEST_DATABASE_OF_THE_YEAR";

/// What a worker is told: to look at the schedules, to take jobs, or to do its first one and die before it says so.
const LOOK: &str = "look";
const TAKE: &str = "take";
const DIE: &str = "die";
/// What it says when that is done; the test runner writes lines too.
const DONE: &str = "the worker is done";

/// A worker, as the test holds it.
pub(super) struct Worker {
    process: Child,
    orders: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
    database: String,
}

impl Worker {
    /// `test` is the whole name of the one that begins with [`of_this_process`].
    pub(super) fn start(test: &str, database: &str) -> Worker {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(DATABASE, database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Worker {
            orders: process.stdin.take().unwrap(),
            said: BufReader::new(process.stdout.take().unwrap()).lines(),
            process,
            database: database.to_owned(),
        }
    }

    /// Until it has done that.
    async fn does(&mut self, what: &str, now: DateTime<Utc>) {
        let order = format!("{what} {}\n", now.to_rfc3339());
        self.orders.write_all(order.as_bytes()).await.unwrap();
        while let Some(line) = self.said.next_line().await.unwrap() {
            if line.ends_with(DONE) {
                return;
            }
        }
        panic!("a worker ended that was not to");
    }

    pub(super) async fn look(&mut self, now: DateTime<Utc>) {
        self.does(LOOK, now).await;
    }

    pub(super) async fn take(&mut self, now: DateTime<Utc>) {
        self.does(TAKE, now).await;
    }

    /// It dies over its first job, and another comes in its place.
    pub(super) async fn die(&mut self, now: DateTime<Utc>, test: &str) {
        self.does(DIE, now).await;
        let died = self.process.wait().await.unwrap();
        assert!(!died.success());
        *self = Worker::start(test, &self.database.clone());
    }
}

/// Works until nobody tells it anything any more; `None` where this process is not a worker's.
pub(super) async fn of_this_process() -> Option<()> {
    let database = std::env::var(DATABASE).ok()?;
    let db = Db::connect(&db::Config::new(database)).await.unwrap();
    for order in std::io::stdin().lines() {
        let order = order.unwrap();
        let (what, now) = order.split_once(' ').unwrap();
        let now: DateTime<Utc> = now.parse().unwrap();
        match what {
            LOOK => {
                let worker = Actor::system("worker");
                fire_schedules(&db, &worker, Some(now)).await.unwrap();
            }
            TAKE => {
                while let Some(job) = job(&db, now, std::time::Duration::from_mins(1)).await {
                    let mut conn = db.conn().await.unwrap();
                    queue::finish(&mut conn, &job).await.unwrap();
                }
            }
            // Its lease is over at once: another takes its job while it runs, and again when it is gone.
            DIE => {
                job(&db, now, std::time::Duration::ZERO).await;
            }
            other => panic!("{other} is nothing that a worker does"),
        }
        println!("{DONE}");
        if what == DIE {
            std::process::abort();
        }
    }
    Some(())
}

/// Does the next job, which is not told to be done yet; `None`: there is none.
async fn job(db: &Db, now: DateTime<Utc>, lease: std::time::Duration) -> Option<queue::Claimed> {
    let settings = Settings {
        lease,
        max_lapses: 1000,
        ..Settings::default()
    };
    let kinds = [REMIND_JOB, TURN_ROUNDS_JOB].map(str::to_owned);
    let job = {
        let mut conn = db.conn().await.unwrap();
        queue::claim(&mut conn, &kinds, &settings).await.unwrap()?
    };
    let worker = Actor::system("worker");
    if job.kind == REMIND_JOB {
        remind(db, &worker, now).await.unwrap();
    } else {
        turn_rounds(db, &worker, cycle::clock::day(now))
            .await
            .unwrap();
    }
    Some(job)
}
