//! Three councils put a mark of their own into everything they send and write; then everybody asks for everything there
//! is, all at once, and no answer, mail or log line has a mark that is not for whoever gets it.

#![expect(
    clippy::print_stdout,
    reason = "how much was searched: a search of nothing finds nothing"
)]

mod marks;
mod seers;
mod sending;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;

use crate::council::{PERIOD, RETURN, VERSION};
use crate::lgdp::Platform;
use crate::wait::until;
use marks::{COUNCILS, Kind, Mark, headers_decoded, marks_in};
use seers::{Searched, Seer, Sight, everybody};
use sending::{DRAFT_PERIOD, Sent, send_and_hand_over};

/// Of which somebody else's team asks.
const OTHER_RETURN: &str = "jsw";
const OTHER_PERIOD: &str = "2026-Q3";

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_shown_what_is_not_theirs() {
    let platform = Platform::start(RETURN, PERIOD).await;
    platform.open(RETURN, DRAFT_PERIOD);
    platform.open(OTHER_RETURN, OTHER_PERIOD);
    let _worker = platform.start_worker();
    let everybody = everybody(&platform).await;
    let sent = join_all(COUNCILS.iter().map(|council| {
        let hands = everybody.hands_of(council);
        send_and_hand_over(&platform, council, hands, &everybody.team)
    }))
    .await;
    let rest = Rest::of(&platform).await;

    let paths = paths(&sent, &rest);
    let found = join_all(everybody.seers.iter().map(|seer| seer.ask_for_all(&paths))).await;
    check_answers(&everybody.seers, &found);
    check_mail(&platform);
    check_logs(&platform, &sent);
    rest.check();
}

/// Every address of the site that is read, filled in with all there is. `docs/access.md` lists them, as a test of the
/// site itself makes sure, so that one that is added is asked for, too.
fn paths(sent: &[Sent], rest: &Rest) -> Vec<String> {
    let listed = include_str!("../../docs/access.md");
    let addresses = listed.lines().filter_map(|line| {
        let address = line.strip_prefix("| GET | `")?;
        Some(address.split('`').next().unwrap())
    });
    let paths: BTreeSet<String> = addresses
        .filter(|address| !address.starts_with("/assets/"))
        .flat_map(|address| filled(address, sent, rest))
        .collect();
    assert!(paths.len() > 200, "{} paths", paths.len());
    paths.into_iter().collect()
}

fn filled(address: &str, sent: &[Sent], rest: &Rest) -> Vec<String> {
    let Some((before, from_name)) = address.split_once('{') else {
        // Both halves of the front page, and the rows of a table.
        return match address.rsplit('/').next() {
            Some("dataset.csv" | "dataset.jsonl") => vec![format!("{address}?table=case")],
            _ => vec![address.to_owned()],
        };
    };
    let (name, after) = from_name.split_once('}').unwrap();
    let fixed = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect();
    let values: Vec<String> = match name {
        "id" if before == "/exceptions/" => sent.iter().map(|one| one.waiver.clone()).collect(),
        "id" => sent.iter().flat_map(Sent::submissions).collect(),
        "rule" => {
            let rules: BTreeSet<&String> = sent.iter().flat_map(|one| &one.rules).collect();
            rules.into_iter().cloned().collect()
        }
        "code" | "organisation" => COUNCILS.iter().map(|one| one.code.to_owned()).collect(),
        "return_id" => fixed(&[RETURN, OTHER_RETURN]),
        "period" => fixed(&[PERIOD, DRAFT_PERIOD, OTHER_PERIOD]),
        "person" => rest.people.clone(),
        "version" => fixed(&[VERSION]),
        "ending" => fixed(&["csv", "jsonl"]),
        "schedule" => fixed(&["remind"]),
        "batch" => rest.batches.clone(),
        "request" => vec!["none".to_owned()],
        "parcel" => sent.iter().map(|one| one.checked.clone()).collect(),
        "verb" => fixed(&["submit", "sign-off", "accept", "send-back", "withdraw"]),
        "provider" | "secret" | "client" | "feed" | "hook" | "release" | "name" | "item"
        | "table" | "row" => fixed(&["none"]),
        other => panic!("say here what {{{other}}} of {address} can be"),
    };
    values
        .iter()
        .flat_map(|value| filled(&format!("{before}{value}{after}"), sent, rest))
        .collect()
}

fn check_answers(seers: &[Seer], found: &[Searched]) {
    let mut foreign = Vec::new();
    let mut seen: BTreeMap<Mark, usize> = BTreeMap::new();
    for (seer, found) in seers.iter().zip(found) {
        println!(
            "{:24} {:5} answers {:9} bytes, {:?}, {} kinds of marks",
            seer.what,
            found.n_answers,
            found.n_bytes,
            found.statuses,
            found.marks.len()
        );
        assert!(found.n_answers > 200, "{}", seer.what);
        assert!(found.statuses.keys().all(|&status| status < 500));
        for (mark, paths) in &found.marks {
            if seer.sight.covers(*mark) {
                *seen.entry(*mark).or_default() += paths.len();
            } else {
                foreign.push(format!("{} sees {mark:?} at {paths:?}", seer.what));
            }
        }
    }
    let n_answers: usize = found.iter().map(|found| found.n_answers).sum();
    println!("{n_answers} answers were searched");
    assert!(foreign.is_empty(), "{}", foreign.join("\n"));
    // The search finds what is there: every mark is shown to those it is for.
    for (idx, council) in COUNCILS.iter().enumerate() {
        let own = seers
            .iter()
            .zip(found)
            .filter(|(seer, _)| matches!(seer.sight, Sight::Council(own) if own == idx));
        let own: BTreeSet<Kind> = own
            .flat_map(|(_, found)| found.marks.keys().map(|mark| mark.kind))
            .collect();
        // What was accepted of the first is not sent back, so that it is in the figures.
        let all = Kind::ALL.into_iter();
        for kind in all.filter(|kind| idx > 0 || *kind != Kind::Reason) {
            let mark = Mark { kind, council: idx };
            assert!(
                own.contains(&kind),
                "{mark:?} is not shown to {}",
                council.code
            );
            assert!(seen.contains_key(&mark), "{mark:?} is nowhere");
        }
    }
    let of_figures = seers
        .iter()
        .zip(found)
        .filter(|(seer, _)| seer.sight == Sight::Figures);
    for (seer, found) in of_figures {
        let mark = Mark {
            kind: Kind::Cell,
            council: 0,
        };
        assert!(found.marks.contains_key(&mark), "{}", seer.what);
    }
    let of_the_team = seers
        .iter()
        .zip(found)
        .find(|(seer, _)| seer.sight == Sight::Team);
    let (_, found) = of_the_team.unwrap();
    for kind in [Kind::Cell, Kind::Explanation, Kind::Message, Kind::File] {
        for council in 0..COUNCILS.len() {
            let mark = Mark { kind, council };
            assert!(found.marks.contains_key(&mark), "{mark:?} for the team");
        }
    }
}

/// Names and names of files may be in one's own mail; what is in a file or was written about it is in none.
fn check_mail(platform: &Platform) {
    let received = platform.mailbox.received();
    let mut n_marks = 0;
    for mail in &received {
        assert!(
            !mail
                .raw
                .to_lowercase()
                .contains("content-transfer-encoding: base64")
        );
        let marks = marks_in(headers_decoded(&mail.raw).replace("=\n", "").as_bytes());
        n_marks += marks.len();
        for mark in marks {
            let to_own = mail.to.contains(&Mark::of(Kind::Address, mark.council));
            let to_team = mail.to.starts_with("tess@");
            let may_be = match mark.kind {
                Kind::Address | Kind::Person | Kind::File | Kind::Program => to_own || to_team,
                Kind::DraftFile => to_own,
                _ => false,
            };
            assert!(may_be, "{mark:?} in a mail to {}: {}", mail.to, mail.text);
        }
    }
    println!("{} mails were searched", received.len());
    assert!(received.len() > 30, "{} mails", received.len());
    assert!(n_marks > 10, "{n_marks} marks of one's own");
}

/// A log is nobody's and everybody's: it has no mark at all.
fn check_logs(platform: &Platform, sent: &[Sent]) {
    let logs = platform.logs();
    for (role, log) in &logs {
        println!("{} lines of {role} were searched", log.lines().count());
        for line in log.lines() {
            assert!(marks_in(line.as_bytes()).is_empty(), "{role}: {line}");
        }
    }
    // They are the right ones, and say something.
    let (_, of_workers) = logs.iter().find(|(role, _)| *role == "work").unwrap();
    for id in sent.iter().flat_map(Sent::submissions) {
        assert!(
            of_workers.contains(&id),
            "no line is about {id}:\n{of_workers}"
        );
    }
}

/// What is kept of work, deeds and messages, which people of every organisation's read by way of the trail.
struct Rest {
    rows: Vec<(&'static str, String)>,
    /// Everybody's ids.
    people: Vec<String>,
    /// Of files that came in together.
    batches: Vec<String>,
}

impl Rest {
    /// Once all is told.
    async fn of(platform: &Platform) -> Rest {
        let (client, connection) =
            tokio_postgres::connect(platform.database_url(), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        let left = "SELECT (SELECT count(*) FROM job WHERE state IN ('ready', 'running') AND run_at <= now())
            + (SELECT count(*) FROM email WHERE state = 'queued')";
        until("all work is done", Duration::from_mins(2), || async {
            let n: i64 = client.query_one(left, &[]).await.unwrap().get(0);
            (n == 0).then_some(())
        })
        .await;
        let mut rows = Vec::new();
        for table in ["job", "event", "email"] {
            let all = format!("SELECT t::text FROM {table} t");
            let found = client.query(&all, &[]).await.unwrap();
            assert!(found.len() > 10, "{table}");
            rows.extend(found.iter().map(|row| (table, row.get(0))));
        }
        let ids = async |sql: &str| -> Vec<String> {
            let found = client.query(sql, &[]).await.unwrap();
            found.iter().map(|row| row.get(0)).collect()
        };
        Rest {
            rows,
            people: ids("SELECT id::text FROM person").await,
            batches: ids("SELECT DISTINCT batch::text FROM parcel").await,
        }
    }

    fn check(&self) {
        println!(
            "{} jobs, events and stored mails were searched",
            self.rows.len()
        );
        let mut n_names = 0;
        for (table, row) in &self.rows {
            for mark in marks_in(row.as_bytes()) {
                assert!(mark.kind.is_a_name(), "{table}: {mark:?} in {row}");
                n_names += 1;
            }
        }
        assert!(n_names > 10, "{n_names}");
    }
}
