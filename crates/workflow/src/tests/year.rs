//! A year of sixty organisations and forty returns, by a clock that the test moves: rounds are moved and cancelled, time is
//! given and taken back, the clocks change twice, nobody is there for two days, a clock is put back; and three workers, each a process,
//! look at the schedules and take the jobs. Every job and every reminder is there once, and none is missing:
//! what there has to be is worked out day by day from what was done, without the product's code.

mod worker;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{Datelike, Days, NaiveDate, TimeDelta};
use cycle::{Certainty, DateKind, PlannedDate};
use futures_util::future::join_all;
use spec::{Organisation, Organisations, PeriodKind};

use self::worker::Worker;
use super::*;

/// The test that is this year, for the processes that are its workers.
const THIS: &str = "tests::year::in_a_year_of_three_processes_nothing_is_lost_or_done_twice";

const ORGANISATIONS: u32 = 60;
const RETURNS: u32 = 40;
/// Of those, so many are quarterly; the others yearly.
const QUARTERLY: u32 = 10;
const WORKERS: usize = 3;

/// Days from the one a return is due on, as the domain has them.
const LADDER: [(&str, i64); 8] = [
    ("before_30", -30),
    ("before_14", -14),
    ("before_7", -7),
    ("before_1", -1),
    ("due", 0),
    ("after_1", 1),
    ("after_7", 7),
    ("escalation", 14),
];

/// A round, as the test knows it.
#[derive(Clone)]
struct Known {
    name: RoundName,
    opens: NaiveDate,
    /// For all, and for those that were given more time.
    due: NaiveDate,
    given: HashMap<usize, Given>,
    cancelled: bool,
    not_required: BTreeSet<usize>,
    answered: BTreeSet<usize>,
    /// The day that was told last.
    told: NaiveDate,
    n_moves: u32,
    /// Who of which organisation was reminded of it.
    reminded: BTreeSet<(usize, &'static str)>,
    cancelling_is_told: bool,
}

/// More time: which request it was, and until when.
#[derive(Clone, Copy)]
struct Given {
    id: Uuid,
    until: NaiveDate,
}

impl Known {
    fn due_for(&self, organisation: usize) -> NaiveDate {
        let given = self.given.get(&organisation).copied();
        given.map_or(self.due, |given| given.until.max(self.due))
    }

    fn is_owed(&self, organisation: usize) -> bool {
        !self.cancelled
            && !self.not_required.contains(&organisation)
            && !self.answered.contains(&organisation)
    }
}

fn code(n: usize) -> String {
    format!("S12{n:06}")
}

/// A moment by London's clock, which is an hour ahead in summer: until 25 October, and from 28 March on.
fn london(day_of: NaiveDate, hour: u32, minute: u32) -> DateTime<Utc> {
    let is_winter = (day("2026-10-25")..day("2027-03-28")).contains(&day_of);
    let shown = day_of.and_hms_opt(hour, minute, 0).unwrap().and_utc();
    shown - TimeDelta::hours(i64::from(!is_winter))
}

struct Year {
    database: TestDb,
    db: Db,
    workers: Vec<Worker>,
    client: tokio_postgres::Client,
    rounds: Vec<Known>,
    planner: Actor,
    /// `rung obligation day person`, as it has to be.
    expected: BTreeSet<String>,
}

impl Year {
    async fn begin() -> Year {
        let database = TestDb::new();
        let owner = database.connect_as_owner().await;
        let organisations: Vec<Organisation> = (0..ORGANISATIONS as usize)
            .map(|n| Organisation {
                code: code(n),
                name: format!("Organisation {n:02}"),
                ..testkit::returns::organisations().0[0].clone()
            })
            .collect();
        let specs: Vec<ReturnSpec> = (0..RETURNS)
            .map(|n| {
                let mut spec = form();
                spec.id = format!("form{n:02}");
                spec.title = format!("Form {n:02}");
                spec.respondents.only = Vec::new();
                if n >= QUARTERLY {
                    spec.period_kind = PeriodKind::FinancialYear;
                }
                spec
            })
            .collect();
        publish_returns(&owner, &system(), &specs, &Organisations(organisations))
            .await
            .unwrap();
        let db = database.connect().await;
        let mut rounds = Vec::new();
        for (n, spec) in specs.iter().enumerate() {
            let labels: &[&str] = match spec.period_kind {
                PeriodKind::FinancialYear => &["2026-27"],
                _ => &["2026-27-Q1", "2026-27-Q2", "2026-27-Q3", "2026-27-Q4"],
            };
            for (quarter, label) in labels.iter().enumerate() {
                let period = Period::parse(spec.period_kind, label).unwrap();
                let due = match spec.period_kind {
                    PeriodKind::FinancialYear => day("2026-07-05") + Days::new(n as u64 * 8),
                    _ => day("2026-07-20") + Days::new(quarter as u64 * 91 + n as u64),
                };
                let opens = due - Days::new(40);
                open_cycle(&db, &system(), spec, &period, opens, due)
                    .await
                    .unwrap();
                rounds.push(Known {
                    name: RoundName {
                        return_id: spec.id.clone(),
                        period: period.label,
                    },
                    opens,
                    due,
                    given: HashMap::new(),
                    cancelled: false,
                    not_required: BTreeSet::new(),
                    answered: BTreeSet::new(),
                    told: due,
                    n_moves: 0,
                    reminded: BTreeSet::new(),
                    cancelling_is_told: false,
                });
            }
        }
        for n in 0..ORGANISATIONS as usize {
            for (role, who) in [(Role::Uploader, "sender"), (Role::Approver, "signer")] {
                let grant = Grant {
                    role,
                    reach: Reach::Organisation(code(n)),
                };
                let email = format!("{who}-{n}@year.example");
                invite(&db, &system(), &email, who, &grant).await.unwrap();
            }
        }
        let (client, connection) = tokio_postgres::connect(&database.url(), tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        let since = london(day("2026-06-01"), 0, 0).to_rfc3339();
        client
            .batch_execute(&format!("UPDATE schedule SET since = '{since}'"))
            .await
            .unwrap();
        let workers = (0..WORKERS)
            .map(|_| Worker::start(THIS, &database.url()))
            .collect();
        Year {
            database,
            db,
            workers,
            client,
            rounds,
            planner: person(Role::Scheduler, Reach::Everything),
            expected: BTreeSet::new(),
        }
    }

    /// What people and councils do on a day.
    async fn live(&mut self, today: NaiveDate) {
        for n in 0..self.rounds.len() {
            let known = self.rounds[n].clone();
            let days_to_go = known.due.signed_duration_since(today).num_days();
            // Each organisation answers some days before or after, and every ninth never does.
            for organisation in 0..ORGANISATIONS as usize {
                let answers = 20 - i64::try_from((organisation * 7 + n * 3) % 45).unwrap();
                let never = (organisation + n).is_multiple_of(9);
                if known.is_owed(organisation) && !never && days_to_go == answers {
                    self.answer(n, organisation).await;
                }
            }
            if days_to_go == 12 && n % 7 == 3 && known.n_moves < 2 && !known.cancelled {
                let to = known.due + Days::new(10 + (n % 5) as u64);
                self.move_to(n, to).await;
            }
            if days_to_go == 3 && n % 23 == 5 {
                let name = &self.rounds[n].name;
                cancel_round(&self.db, &self.planner, name, TakesPlace::Cancelled, "x")
                    .await
                    .unwrap();
                self.rounds[n].cancelled = true;
            }
            let given = (n * 11) % ORGANISATIONS as usize;
            if days_to_go == 5 && n % 3 == 0 && known.is_owed(given) {
                self.take_back(n, given, today).await;
            }
            if days_to_go == 9 && !known.cancelled {
                let organisation = (n * 11) % ORGANISATIONS as usize;
                if known.is_owed(organisation) {
                    self.give_time(n, organisation, today).await;
                }
                let other = (n * 11 + 1) % ORGANISATIONS as usize;
                if known.is_owed(other) {
                    let name = &self.rounds[n].name;
                    let (planner, code) = (&self.planner, code(other));
                    require(&self.db, planner, name, &code, Required::No, "x", today)
                        .await
                        .unwrap();
                    self.rounds[n].not_required.insert(other);
                }
            }
        }
    }

    async fn answer(&mut self, n: usize, organisation: usize) {
        let known = &mut self.rounds[n];
        known.answered.insert(organisation);
        let (id, code) = (Uuid::now_v7(), code(organisation));
        let sha256 = id.simple().to_string().repeat(2);
        let sql = format!(
            "INSERT INTO file (sha256, n_bytes, stored_key) VALUES ('{sha256}', 1, '{id}');
             INSERT INTO submission (id, obligation_id, organisation, version_number, file_sha256, file_name, uploaded_by,
                 contact_email, received_at, idempotency_key, assessed_at, outcome, spec_hash)
             SELECT '{id}', o.id, o.organisation, 1, '{sha256}', 'x', 'x', 'x@year.example', now(), '{id}', now(), 'ready', 'x'
             FROM obligation o JOIN cycle c ON c.id = o.cycle_id
             WHERE c.return_id = '{}' AND c.period_label = '{}' AND o.organisation = '{code}';
             INSERT INTO handover (submission_id, organisation, verb, by_kind, by_name) VALUES ('{id}', '{code}', 'submit', 'system', 'x')",
            known.name.return_id, known.name.period
        );
        self.client.batch_execute(&sql).await.unwrap();
    }

    async fn move_to(&mut self, n: usize, to: NaiveDate) {
        let new = NewDates {
            round: self.rounds[n].name.clone(),
            dates: vec![PlannedDate::new(DateKind::Due, to, Certainty::Confirmed)],
            seen: None,
        };
        let because = Because {
            source: None,
            reason: "x".to_owned(),
        };
        set_dates(&self.db, &self.planner, &[new], &because)
            .await
            .unwrap();
        self.rounds[n].due = to;
        self.rounds[n].n_moves += 1;
    }

    async fn give_time(&mut self, n: usize, organisation: usize, today: NaiveDate) {
        let known = &self.rounds[n];
        let until = known.due + Days::new(21);
        let asking = AskingForTime {
            id: Uuid::now_v7(),
            organisation: code(organisation),
            return_id: known.name.return_id.clone(),
            period: known.name.period.clone(),
            until,
            reason: "x".to_owned(),
        };
        ask_for_time(&self.db, &council(&asking.organisation), &asking, today)
            .await
            .unwrap();
        let given = Given {
            id: asking.id,
            until,
        };
        self.decide(given.id, Some(until), 0, today).await;
        self.rounds[n].given.insert(organisation, given);
    }

    async fn take_back(&mut self, n: usize, organisation: usize, today: NaiveDate) {
        if let Some(given) = self.rounds[n].given.remove(&organisation) {
            self.decide(given.id, None, 1, today).await;
        }
    }

    async fn decide(&self, id: Uuid, due_on: Option<NaiveDate>, n_known: usize, today: NaiveDate) {
        let deciding = DecidingOnTime {
            due_on,
            reason: "x".to_owned(),
            n_known,
        };
        decide_on_time(&self.db, &self.planner, id, &deciding, today)
            .await
            .unwrap();
    }

    /// Every worker looks at the schedules at once, takes what jobs there are, and does them. One dies now and then.
    async fn work(&mut self, now: DateTime<Utc>, dies: bool) {
        let all = self.workers.iter_mut();
        join_all(all.map(|worker| worker.look(now))).await;
        let all = self.workers.iter_mut().enumerate();
        join_all(all.map(|(n, worker)| async move {
            if dies && n == 0 {
                worker.die(now, THIS).await;
            } else {
                worker.take(now).await;
            }
        }))
        .await;
    }

    /// What has to be sent when people are reminded on a day, by the rules as they are written down.
    fn expect(&mut self, today: NaiveDate) {
        for known in &mut self.rounds {
            let (return_id, period) = (&known.name.return_id, &known.name.period);
            if known.cancelled && !known.cancelling_is_told {
                // Whoever was reminded, and still has to answer.
                for (organisation, who) in &known.reminded {
                    if !known.not_required.contains(organisation) {
                        let due = known.due_for(*organisation);
                        self.expected.insert(format!(
                            "{return_id} {period} {organisation} cancelled {due} {who}"
                        ));
                    }
                }
                known.cancelling_is_told = true;
            }
            for organisation in 0..ORGANISATIONS as usize {
                if !known.is_owed(organisation) {
                    continue;
                }
                let due = known.due_for(organisation);
                let mut expect = |rung: &str, due: NaiveDate| {
                    let who = if rung == "escalation" {
                        "signer"
                    } else {
                        "sender"
                    };
                    known.reminded.insert((organisation, who));
                    self.expected.insert(format!(
                        "{return_id} {period} {organisation} {rung} {due} {who}"
                    ));
                };
                if known.told != known.due && due == known.due {
                    expect("moved", known.due);
                }
                let come = LADDER
                    .iter()
                    .rfind(|(_, offset)| due.signed_duration_since(today).num_days() <= -offset);
                if let Some((rung, offset)) = come
                    && today.signed_duration_since(due).num_days() - offset <= 1
                    && known.opens <= today
                {
                    expect(rung, due);
                }
            }
            known.told = known.due;
        }
    }

    async fn count(&self, sql: &str) -> i64 {
        self.client.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// What was sent.
    async fn sent(&self) -> Vec<String> {
        let sql = "SELECT c.return_id || ' ' || c.period_label || ' ' || right(r.organisation, 6)::int || ' ' || r.rung
                 || ' ' || r.due_on || ' ' || p.name
             FROM reminder r JOIN obligation o ON o.id = r.obligation_id JOIN cycle c ON c.id = o.cycle_id
             JOIN person p ON p.id = r.person_id WHERE r.digest_id IS NOT NULL";
        let rows = self.client.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn in_a_year_of_three_processes_nothing_is_lost_or_done_twice() {
    if worker::of_this_process().await.is_some() {
        return;
    }
    let mut year = Year::begin().await;
    let last = day("2027-06-01");
    let mut today = day("2026-06-01");
    let away = [day("2026-09-15"), day("2026-09-16")];
    while today < last {
        year.live(today).await;
        if !away.contains(&today) {
            let morning = london(today, 7, 32);
            year.work(morning, today.day() == 9).await;
            year.expect(today);
            if today.day() == 20 {
                // The clock is put back an hour, and is right again.
                year.work(london(today, 6, 45), false).await;
                year.work(morning, false).await;
            }
            // Whoever was taken by surprise in the night.
            year.work(london(today, 23, 59), false).await;
        }
        today = today.succ_opt().unwrap();
    }

    // Each schedule at each of its times, once: by London's clock, through both changes of it.
    for (schedule, shown, n) in [
        ("remind", "07:30", 365),
        ("turn-rounds", "00:01", 365),
        ("propose-rounds", "06:00", 53),
    ] {
        let fires = format!("FROM schedule_fire WHERE schedule = '{schedule}'");
        assert_eq!(
            year.count(&format!("SELECT count(*) {fires}")).await,
            n,
            "{schedule}"
        );
        let right = format!(
            "SELECT count(DISTINCT (nominal_at AT TIME ZONE 'Europe/London')::date) {fires}
             AND to_char(nominal_at AT TIME ZONE 'Europe/London', 'HH24:MI') = '{shown}'"
        );
        assert_eq!(year.count(&right).await, n, "{schedule}");
        let jobs = format!(
            "SELECT count(*) FROM job WHERE payload ->> 'schedule' = '{schedule}'
             AND (kind = 'propose-rounds' OR state = 'done')"
        );
        assert_eq!(year.count(&jobs).await, n, "{schedule}");
    }
    let late = "SELECT count(*) FROM schedule_fire WHERE is_late AND schedule = 'remind'";
    // Those of the two days that nobody was there.
    assert_eq!(year.count(late).await, 2);

    // Every reminder that has to be, once, and no other.
    let sent = year.sent().await;
    let unique: BTreeSet<String> = sent.iter().cloned().collect();
    assert_eq!(sent.len(), unique.len(), "nothing twice");
    let lost: Vec<&String> = year.expected.difference(&unique).take(20).collect();
    let extra: Vec<&String> = unique.difference(&year.expected).take(20).collect();
    assert!(
        lost.is_empty() && extra.is_empty(),
        "lost {lost:?}, extra {extra:?}"
    );
    let mut by_rung: BTreeMap<&str, usize> = BTreeMap::new();
    for line in &sent {
        *by_rung.entry(line.split(' ').nth(3).unwrap()).or_default() += 1;
    }
    assert_eq!(
        by_rung.len(),
        LADDER.len() + 2,
        "all of them happened: {by_rung:?}"
    );

    // One email for a person and day, each with a job that sends it.
    let digests = year.count("SELECT count(*) FROM reminder_digest").await;
    let emails = "SELECT count(*) FROM email WHERE kind = 'reminders'";
    assert_eq!(year.count(emails).await, digests);
    let days = "SELECT count(DISTINCT (person_id, on_day)) FROM reminder_digest";
    assert_eq!(year.count(days).await, digests);
    let jobs = "SELECT count(*) FROM job j JOIN email e ON e.id::text = j.payload ->> 'email_id' WHERE e.kind = 'reminders'";
    assert_eq!(year.count(jobs).await, digests);
    // Of every step of every duty it is known what became of it.
    let silent = "SELECT count(*) FROM obligation o JOIN cycle c ON c.id = o.cycle_id
        WHERE NOT EXISTS (SELECT FROM reminder r WHERE r.obligation_id = o.id AND r.rung = 'escalation')
          AND c.due_on < '2027-04-20'";
    assert_eq!(year.count(silent).await, 0);
    // Every day that came was noted once.
    let turned = "SELECT count(*) FROM cycle_turn WHERE turn = 'due'";
    let came = year
        .rounds
        .iter()
        .filter(|known| !known.cancelled && known.due < last)
        .count();
    assert_eq!(year.count(turned).await, i64::try_from(came).unwrap());
    drop(year.database);
}
