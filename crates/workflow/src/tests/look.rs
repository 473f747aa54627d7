//! What records come to is kept, and what is kept is never other than what counting afresh gives.

use std::collections::BTreeMap;

use ::dataset::look::{Look, Standing, SumOf, What};
use cycle::{Step, Verb};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use spec::Accumulation;
use testkit::returns::cases;

use super::*;

const QUARTERS: [(&str, &str, &str); 4] = [
    ("2026-27-Q1", "2026-04-01", "2026-06-30"),
    ("2026-27-Q2", "2026-07-01", "2026-09-30"),
    ("2026-27-Q3", "2026-10-01", "2026-12-31"),
    ("2026-27-Q4", "2027-01-01", "2027-03-31"),
];

const TWO: [&str; 2] = [ARDBEG, BRORA];

fn quarter(idx: usize) -> Period {
    let (label, start, end) = QUARTERS[idx];
    financial_quarter(label, start, end)
}

/// A return of records, and what was sent of it.
struct Sent {
    _database: TestDb,
    db: Db,
    client: tokio_postgres::Client,
    versions: Vec<ReturnSpec>,
    ids: Vec<Uuid>,
}

/// Key, cost, code.
type Row = (u8, Option<i16>, Option<bool>);

#[derive(Debug, Clone)]
enum Deed {
    /// Which organisation sends what for which quarter.
    Send(usize, usize, Vec<Row>),
    /// What is done with which of the versions that there are.
    Press(prop::sample::Index, Verb),
    /// Whose records a worker adds up.
    AddUp(usize),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let row = (
        0..6_u8,
        prop::option::weighted(0.8, -300..900_i16),
        prop::option::weighted(0.8, any::<bool>()),
    );
    let rows = prop::collection::vec(row, 0..6);
    let verbs = [
        Verb::Submit,
        Verb::Submit,
        Verb::SignOff,
        Verb::Accept,
        Verb::Accept,
        Verb::SendBack,
        Verb::Withdraw,
    ];
    let deed = prop_oneof![
        2 => (0..2_usize, 0..4_usize, rows).prop_map(|(who, when, rows)| Deed::Send(who, when, rows)),
        5 => (any::<prop::sample::Index>(), prop::sample::select(verbs.to_vec()))
            .prop_map(|(which, verb)| Deed::Press(which, verb)),
        1 => (0..2_usize).prop_map(Deed::AddUp),
    ];
    prop::collection::vec(deed, 10..50)
}

impl Sent {
    async fn new(accumulation: Accumulation) -> Self {
        let database = TestDb::new();
        let db = database.connect().await;
        let owner = database.connect_as_owner().await;
        let spec = ReturnSpec {
            accumulation,
            ..cases()
        };
        let organisations = testkit::returns::organisations();
        let versions = vec![spec];
        publish_returns(&owner, &system(), &versions, &organisations)
            .await
            .unwrap();
        for idx in 0..QUARTERS.len() {
            let (opens, due) = (day("2026-07-01"), day("2027-05-31"));
            open_cycle(&db, &system(), &versions[0], &quarter(idx), opens, due)
                .await
                .unwrap();
        }
        let (client, connection) = tokio_postgres::connect(&database.url(), tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        Self {
            _database: database,
            db,
            client,
            versions,
            ids: Vec::new(),
        }
    }

    /// A version that is ready, with the records that a query gives: row, key, cost, code.
    async fn send(&mut self, (organisation, period): (&str, usize), records: &str) -> Uuid {
        let (id, label) = (Uuid::now_v7(), QUARTERS[period].0);
        let sql = format!(
            "INSERT INTO file (sha256, n_bytes, stored_key) VALUES (repeat('b', 64), 1, 'b') ON CONFLICT DO NOTHING;
             INSERT INTO submission (id, obligation_id, organisation, version_number, file_name, file_sha256,
                uploaded_by, contact_email, received_at, idempotency_key, assessed_at, outcome, spec_hash)
             SELECT '{id}', o.id, o.organisation,
                1 + (SELECT count(*) FROM submission WHERE obligation_id = o.id),
                'b.xlsx', repeat('b', 64), 'x', 'x@b.example', now(), '{id}', now(), 'ready', 'x'
             FROM obligation o JOIN cycle c ON c.id = o.cycle_id
             WHERE o.organisation = '{organisation}' AND c.period_label = '{label}';
             INSERT INTO ret.cases_v1_0_case (submission_id, organisation, row_number, ref, cost, kind)
             SELECT '{id}', '{organisation}', * FROM ({records}) AS r;
             INSERT INTO submission_table (submission_id, table_name, sheet, n_rows, n_loaded, n_rejected, n_ignored, ignored, columns)
             SELECT '{id}', 'case', 'Cases', count(*), count(*), 0, 0, '[]', '{{}}'
             FROM ret.cases_v1_0_case WHERE submission_id = '{id}'"
        );
        self.client.batch_execute(&sql).await.unwrap();
        self.ids.push(id);
        id
    }

    async fn send_rows(&mut self, of: (&str, usize), rows: &[Row]) {
        let records = rows.iter().enumerate().map(|(idx, (key, cost, code))| {
            let cost = cost.map_or("NULL".to_owned(), |cost| format!("{cost} / 100.0"));
            let code = code.map_or("NULL", |code| if code { "'a'" } else { "'b'" });
            format!(
                "SELECT {}, 'key {key}', {cost}::numeric, {code}::text",
                idx + 2
            )
        });
        let none = "SELECT 1, '', 1::numeric, '' WHERE false".to_owned();
        let records: Vec<String> = records.chain([none]).collect();
        self.send(of, &records.join(" UNION ALL ")).await;
    }

    /// Whether it could be done does not matter here.
    async fn press(&self, id: Uuid, verb: Verb) {
        let (db, system) = (&self.db, system());
        let state = found(db, &system, id).await.unwrap().state;
        if !matches!(verb.step(state), Step::Allowed) {
            return;
        }
        let done = match verb {
            Verb::Submit => submit(db, &system, id, now()).await,
            Verb::SignOff => sign_off(db, &system, id, now()).await,
            Verb::Accept => accept(db, &system, id, now()).await,
            Verb::SendBack => send_back(db, &system, id, "Once more.", now()).await,
            Verb::Withdraw => withdraw(db, &system, id, None, now()).await,
        };
        assert!(
            matches!(done, Ok(_) | Err(HandoverError::Newer(_))),
            "{done:?}"
        );
    }

    async fn add_up(&self, organisation: &str) {
        let job = AddUpJob {
            return_id: "cases".to_owned(),
            organisation: organisation.to_owned(),
        };
        add_up(&self.db, &system(), &self.versions, &job)
            .await
            .unwrap();
    }

    async fn look_as(&self, actor: &Actor, what: &What, period: usize) -> Option<Look> {
        let figures = figures(actor, "cases").unwrap();
        let wanted = WantedLook {
            versions: &self.versions,
            spec: &self.versions[0],
            table: "case",
            period: &quarter(period),
            what,
        };
        look(&self.db, &figures, &wanted).await.unwrap()
    }

    async fn look(&self, what: &What) -> Look {
        self.look_as(&system(), what, 3).await.unwrap()
    }

    /// Cost and code of each organisation's records of a period, as the dataset has them.
    async fn afresh(&self, period: usize) -> BTreeMap<String, Vec<(Option<i64>, String)>> {
        let figures = figures(&system(), "cases").unwrap();
        let period = quarter(period);
        let wanted = WantedDataset {
            versions: &self.versions,
            spec: &self.versions[0],
            table: "case",
            from: &period,
            to: &period,
            organisations: &[],
            only_accepted: false,
            columns: &::dataset::Asked::default(),
        };
        let dataset = dataset(&self.db, &figures, &wanted).await.unwrap();
        let mut out = Vec::new();
        let format = ::dataset::Format::Csv;
        write_dataset(
            &self.db,
            &figures,
            &self.versions,
            &dataset,
            format,
            &mut out,
        )
        .await
        .unwrap();
        let text = String::from_utf8(out).unwrap();
        let mut lines = text.trim_start_matches('\u{feff}').lines();
        let headings: Vec<&str> = lines.next().unwrap().split(',').collect();
        let place = |name: &str| headings.iter().position(|it| *it == name).unwrap();
        let (organisation, cost, kind) = (place("organisation_code"), place("COST"), place("KIND"));
        let mut all: BTreeMap<String, Vec<(Option<i64>, String)>> = BTreeMap::new();
        for line in lines {
            let cells: Vec<&str> = line.split(',').collect();
            let cost = match cells[cost] {
                "" => None,
                text => Some(text.replace('.', "").parse().unwrap()),
            };
            let records = all.entry(cells[organisation].to_owned()).or_default();
            records.push((cost, cells[kind].to_owned()));
        }
        all
    }

    /// Whatever can be asked, of every period.
    async fn is_right(&self) {
        let mut afresh = Vec::new();
        for period in 0..QUARTERS.len() {
            afresh.push(self.afresh(period).await);
        }
        let coded = |code: Option<&str>| What::Coded {
            item: "KIND".to_owned(),
            code: code.map(str::to_owned),
        };
        let of_cost = |sum| What::Figures {
            item: "COST".to_owned(),
            sum,
        };
        for what in [
            What::Records,
            coded(None),
            coded(Some("a")),
            of_cost(SumOf::Total),
            of_cost(SumOf::Middle),
        ] {
            let look = self.look(&what).await;
            for point in &look.points {
                let records = afresh[point.period_idx].get(&point.organisation);
                let records = records.map(Vec::as_slice).unwrap_or_default();
                let figure = point.figure.map(|figure| figure.text(look.places));
                let at = format!("{what:?} of {} in {}", point.name, point.period_idx);
                // Of whoever sent nothing and has none it is not said that there are none.
                let is_missing = point.standing == Standing::Missing;
                let expected = counted(&what, records).filter(|told| !is_missing || told != "0");
                assert_eq!(figure, expected, "{at}");
            }
            for (idx, of_period) in afresh.iter().enumerate() {
                for code in of_period.keys() {
                    let mut points = look.of_period(idx);
                    let is_there = points.any(|point| point.organisation == *code);
                    let counts = counted(&what, &of_period[code]) != Some("0".to_owned());
                    assert!(is_there || !counts, "{what:?} of {code} in {idx}");
                }
            }
            if let What::Coded { .. } = what {
                let with = |code: &str| {
                    let all = afresh[look.last_idx()].values().flatten();
                    all.filter(|(_, kind)| kind == code).count() as u64
                };
                let told: BTreeMap<&str, u64> = look
                    .codes
                    .iter()
                    .map(|(code, _, n_records)| (code.as_str(), *n_records))
                    .collect();
                for code in ["a", "b"] {
                    assert_eq!(told.get(code).copied().unwrap_or_default(), with(code));
                }
            }
        }
    }

    async fn n_kept(&self) -> i64 {
        let row = self.client.query_one("SELECT count(*) FROM look_sum", &[]);
        row.await.unwrap().get(0)
    }
}

/// What is asked of these records.
fn counted(what: &What, records: &[(Option<i64>, String)]) -> Option<String> {
    let mut costs: Vec<i64> = records.iter().filter_map(|(cost, _)| *cost).collect();
    costs.sort_unstable();
    let with = |wanted: &dyn Fn(&str) -> bool| {
        let with = records.iter().filter(|(_, kind)| wanted(kind));
        Some(with.count().to_string())
    };
    let pence = match what {
        What::Records => return with(&|_| true),
        What::Coded { code: None, .. } => return with(&|kind| !kind.is_empty()),
        What::Coded {
            code: Some(code), ..
        } => return with(&|kind| kind == code),
        What::Figures {
            sum: SumOf::Middle, ..
        } => *costs.get(costs.len().saturating_sub(1) / 2)?,
        What::Figures { .. } | What::Line { .. } if costs.is_empty() => return None,
        What::Figures { .. } | What::Line { .. } => costs.iter().sum(),
    };
    let sign = if pence < 0 { "-" } else { "" };
    let pence = pence.unsigned_abs();
    Some(format!("{sign}{}.{:02}", pence / 100, pence % 100))
}

/// Random deeds, with workers that come late or not at all; all is right after each, and what is kept does not pile up.
fn kept_is_as_counted(accumulation: Accumulation) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config {
        cases: 10,
        max_shrink_iters: 60,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let run = runner.run(&deeds(), |deeds| {
        runtime.block_on(async {
            let mut sent = Sent::new(accumulation).await;
            for deed in deeds {
                match deed {
                    Deed::Send(who, when, rows) => {
                        sent.send_rows((TWO[who], when), &rows).await;
                    }
                    Deed::Press(which, verb) if !sent.ids.is_empty() => {
                        sent.press(*which.get(&sent.ids), verb).await;
                    }
                    Deed::Press(..) => {}
                    Deed::AddUp(who) => sent.add_up(TWO[who]).await,
                }
                sent.is_right().await;
            }
            for organisation in TWO {
                sent.add_up(organisation).await;
            }
            // Five things to ask of two organisations in four quarters.
            assert!(sent.n_kept().await <= 5 * 2 * 4);
            sent.is_right().await;
        });
        Ok(())
    });
    run.unwrap();
}

#[test]
fn where_records_accumulate_what_is_kept_is_what_is_counted_afresh() {
    kept_is_as_counted(Accumulation::Cumulative);
}

#[test]
fn where_they_replace_each_other_too() {
    kept_is_as_counted(Accumulation::Replace);
}

#[tokio::test]
async fn what_is_kept_is_not_counted_again_and_is_nobody_elses() {
    let mut sent = Sent::new(Accumulation::Cumulative).await;
    for organisation in TWO {
        sent.send_rows((organisation, 0), &[(1, Some(100), Some(true))])
            .await;
        sent.press(*sent.ids.last().unwrap(), Verb::Submit).await;
        sent.add_up(organisation).await;
    }
    for (organisation, n) in [(ARDBEG, 77), (BRORA, 78)] {
        let wrong =
            format!("UPDATE look_sum SET n_records = {n} WHERE organisation = '{organisation}'");
        sent.client.batch_execute(&wrong).await.unwrap();
    }
    let figures = |look: &Look| {
        let figures = look.of_period(0).filter_map(|point| point.figure);
        let figures = figures.map(|figure| figure.text(0));
        figures.collect::<Vec<_>>()
    };
    assert_eq!(figures(&sent.look(&What::Records).await), ["77", "78"]);
    let own = sent.look_as(&council(BRORA), &What::Records, 3).await;
    assert_eq!(figures(&own.unwrap()), ["78"]);
    // With one more version: what was kept is of others.
    sent.send_rows((ARDBEG, 1), &[(2, None, None)]).await;
    sent.press(*sent.ids.last().unwrap(), Verb::Submit).await;
    let look = sent.look(&What::Records).await;
    let second: Vec<_> = look.of_period(1).filter_map(|point| point.figure).collect();
    assert_eq!(second[0].text(0), "2");
}

#[tokio::test]
async fn many_records_are_looked_at_once_they_are_added_up() {
    let mut sent = Sent::new(Accumulation::Cumulative).await;
    let many = "SELECT n + 1, 'key ' || n, 1.5::numeric, 'a' FROM generate_series(1, 20001) n";
    let id = sent.send((ARDBEG, 0), many).await;
    sent.press(id, Verb::Submit).await;
    let count = "SELECT count(*) FROM job WHERE kind = 'add-up' AND state = 'ready'";
    let jobs = async |sent: &Sent| -> i64 {
        let row = sent.client.query_one(count, &[]).await.unwrap();
        row.get(0)
    };
    assert_eq!(jobs(&sent).await, 1);
    let what = What::Figures {
        item: "COST".to_owned(),
        sum: SumOf::Total,
    };
    for _ in 0..2 {
        assert!(sent.look_as(&system(), &what, 3).await.is_none());
        // By whoever handed over, and once by those who looked.
        assert_eq!(jobs(&sent).await, 2);
    }
    sent.add_up(ARDBEG).await;
    let look = sent.look(&what).await;
    let figures: Vec<_> = look
        .points
        .iter()
        .filter_map(|point| point.figure)
        .collect();
    assert_eq!(figures.len(), 4);
    assert!(figures.iter().all(|figure| figure.text(2) == "30001.50"));
}
