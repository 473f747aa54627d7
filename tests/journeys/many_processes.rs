//! Three sites and three workers on machines of their own, one database and one object storage between them: what is
//! sent to one is read at another, a key sent to two is one version, a session holds at all, a worker dies, and
//! nothing is lost or there twice.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;

use crate::council::{PERIOD, RETURN, client, workbook};
use crate::lgdp::{Machine, Platform, is_ready};
use crate::person::Person;
use crate::wait::until;

/// Each with the code that its workbook has.
const COUNCILS: [(&str, &str); 4] = [
    ("S12000036", "230"),
    ("S12000049", "260"),
    ("S12000033", "100"),
    ("S12000034", "110"),
];
/// Of each council.
const N_VERSIONS: usize = 3;
/// Enough that workers are still at it when one is killed.
const N_COPIES: u32 = 60;

#[tokio::test(flavor = "multi_thread")]
async fn three_sites_and_three_workers_are_one_platform_even_if_the_workers_are_killed() {
    let platform = Platform::start_on_s3(RETURN, PERIOD).await;
    let sites = [
        platform.start_machine("serve"),
        platform.start_machine("serve"),
    ];
    let mut addresses = vec![platform.address.clone()];
    for site in &sites {
        is_ready(&site.address).await;
        addresses.push(site.address.clone());
    }
    let three_workers = || [(); 3].map(|()| platform.start_machine("work"));
    let workers = three_workers();

    let sends = COUNCILS.iter().enumerate().flat_map(|(n, council)| {
        (0..N_VERSIONS).map(move |version| (n + version, *council, version))
    });
    let sends: Vec<_> = sends.collect();
    let tokens: Vec<String> = COUNCILS
        .iter()
        .map(|(code, _)| platform.sending_token(code))
        .collect();
    let sent = sends.iter().map(|(n, (code, sg_code), version)| {
        let token = &tokens[COUNCILS.iter().position(|(own, _)| own == code).unwrap()];
        // The same request at two sites at the same moment, as after a connection that was cut.
        let at = [n % 3, (n + 1) % 3].map(|site| addresses[site].as_str());
        send_twice(
            at,
            token,
            code,
            workbook(
                "valid",
                sg_code,
                N_COPIES + u32::try_from(*version).unwrap(),
            ),
        )
    });
    let receipts: Vec<Value> = join_all(sent).await;
    kill_at_work(&platform, workers).await;
    let _workers = three_workers();

    let ids: BTreeSet<&str> = receipts
        .iter()
        .map(|one| one["submission_id"].as_str().unwrap())
        .collect();
    assert_eq!(
        ids.len(),
        sends.len(),
        "a key is one version, whichever site it came to"
    );
    let mut n_loaded = 0;
    for (n, receipt) in receipts.iter().enumerate() {
        let code = receipt["organisation"].as_str().unwrap();
        let token = &tokens[COUNCILS.iter().position(|(own, _)| *own == code).unwrap()];
        let site = &addresses[(n + 2) % 3];
        let id = receipt["submission_id"].as_str().unwrap();
        let status = checked(site, token, id).await;
        assert!(
            ["ready", "needs_explanation"].contains(&status["outcome"].as_str().unwrap()),
            "{status}"
        );
        let table = &status["tables"][0];
        // Every row is there, and nothing was left out but what is no record.
        let n = |what: &str| table[what].as_u64().unwrap();
        assert_eq!(n("loaded") + n("ignored"), n("n_rows"), "{status}");
        assert_eq!(n("ignored"), 1, "{status}");
        let tables = status["tables"].as_array().unwrap();
        n_loaded += tables
            .iter()
            .map(|table| table["loaded"].as_u64().unwrap())
            .sum::<u64>();
    }
    let database = testkit_client(&platform).await;
    let lapsed = "SELECT count(*) FROM job WHERE kind = 'assess' AND n_lapses > 0";
    let n_lapsed: i64 = database.query_one(lapsed, &[]).await.unwrap().get(0);
    assert!(n_lapsed > 0, "nothing was in the hands of who was killed");
    is_told_once(&platform, receipts.len()).await;
    each_row_is_there_once(&platform, n_loaded).await;
    for (code, token) in COUNCILS.iter().map(|(code, _)| code).zip(&tokens) {
        let listed = listed(&addresses[1], token).await;
        assert_eq!(listed, N_VERSIONS, "{code}");
    }
    a_session_holds_everywhere(&platform, &addresses).await;
}

/// Sends a file with one key to two sites at once; whichever is first, both give one receipt.
async fn send_twice(at: [&str; 2], token: &str, code: &str, bytes: Vec<u8>) -> Value {
    let key = format!("{code}-{}", bytes.len());
    let path = format!(
        "/api/returns/{RETURN}/periods/{PERIOD}/organisations/{code}/submissions?file_name=cases.xlsx"
    );
    let send = |address: &str| {
        let request = client()
            .post(format!("{address}{path}"))
            .bearer_auth(token)
            .header("idempotency-key", &key)
            .body(bytes.clone());
        async {
            let answer = request.send().await.unwrap();
            assert!(answer.status().is_success(), "{}", answer.status());
            answer.json::<Value>().await.unwrap()
        }
    };
    let (one, other) = futures_util::future::join(send(at[0]), send(at[1])).await;
    assert_eq!(one["submission_id"], other["submission_id"]);
    assert_ne!(one["repeated"], other["repeated"], "one of them made it");
    one
}

/// Kills the workers while something is in their hands.
async fn kill_at_work<const N: usize>(platform: &Platform, workers: [Machine; N]) {
    let database = testkit_client(platform).await;
    until("jobs are at work", Duration::from_mins(1), || async {
        let running = "SELECT count(*) FROM job WHERE state = 'running' AND kind = 'assess'";
        let n: i64 = database.query_one(running, &[]).await.unwrap().get(0);
        (n > 0).then_some(())
    })
    .await;
    for mut worker in workers {
        worker.role.kill();
    }
}

async fn testkit_client(platform: &Platform) -> tokio_postgres::Client {
    let (database, connection) =
        tokio_postgres::connect(platform.database_url(), tokio_postgres::NoTls)
            .await
            .unwrap();
    tokio::spawn(connection);
    database
}

async fn checked(site: &str, token: &str, id: &str) -> Value {
    let url = format!("{site}/api/submissions/{id}");
    until("the file is checked", Duration::from_mins(2), || async {
        let asked = client().get(&url).bearer_auth(token).send();
        let status: Value = asked.await.ok()?.json().await.ok()?;
        (!status["outcome"].is_null()).then_some(status)
    })
    .await
}

/// In the database: as many rows as the accounts of the files say, and none of them twice.
async fn each_row_is_there_once(platform: &Platform, n_loaded: u64) {
    let database = testkit_client(platform).await;
    let tables = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'ret' ORDER BY 1";
    let (mut n_rows, mut n_different) = (0, 0);
    for table in database.query(tables, &[]).await.unwrap() {
        let table: String = table.get(0);
        let sql =
            format!("SELECT count(*), count(DISTINCT (submission_id, row_number)) FROM {table}");
        let counted = database.query_one(&sql, &[]).await.unwrap();
        n_rows += counted.get::<_, i64>(0);
        n_different += counted.get::<_, i64>(1);
    }
    assert_eq!(n_rows, n_different);
    assert_eq!(u64::try_from(n_rows).unwrap(), n_loaded);
    assert!(n_loaded > 0);
}

/// In the database: each version was checked once, no job is left over or was given up.
async fn is_told_once(platform: &Platform, n_sent: usize) {
    let database = testkit_client(platform).await;
    let count = async |sql: &str| -> i64 { database.query_one(sql, &[]).await.unwrap().get(0) };
    until("nothing is left to do", Duration::from_mins(2), || async {
        (count("SELECT count(*) FROM job WHERE state IN ('ready', 'running') AND run_at <= now()")
            .await
            == 0)
            .then_some(())
    })
    .await;
    let n_sent = i64::try_from(n_sent).unwrap();
    assert_eq!(count("SELECT count(*) FROM submission").await, n_sent);
    assert_eq!(
        count("SELECT count(*) FROM event WHERE verb = 'receive'").await,
        n_sent
    );
    assert_eq!(
        count("SELECT count(*) FROM event WHERE verb = 'assess'").await,
        n_sent
    );
    let given_up = "SELECT count(*) FROM job WHERE state NOT IN ('ready', 'running', 'done')";
    assert_eq!(count(given_up).await, 0);
}

async fn listed(site: &str, token: &str) -> usize {
    let asked = client()
        .get(format!("{site}/api/submissions"))
        .bearer_auth(token)
        .send();
    let page: Value = asked.await.unwrap().json().await.unwrap();
    page["items"].as_array().unwrap().len()
}

/// Signed in at one site, somebody is known at every other, and signed out at one they are nobody at all.
async fn a_session_holds_everywhere(platform: &Platform, addresses: &[String]) {
    platform.invite("ann@council.example", "uploader", COUNCILS[0].0);
    let ann = Person::sign_in(platform, "ann@council.example").await;
    for address in addresses {
        assert_eq!(ann.status_at(address, "/upload").await, 200, "{address}");
    }
    ann.sign_out().await;
    for address in addresses {
        assert_eq!(ann.status_at(address, "/upload").await, 303, "{address}");
    }
}
