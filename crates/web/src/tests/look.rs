//! A first look: who sees whose figures, and that whatever is asked for is answered.

use access::{Grant, Reach, Role};

use super::{Running, cookie, signed_in};

const LOOK: &str = "/returns/cases/2026-27-Q1/look";

impl Running {
    /// A version with these records that was submitted: of another council, and so for the team alone.
    async fn of_brora(&self, records: &str) {
        let (client, connection) =
            tokio_postgres::connect(&self.database.url(), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        let id = uuid::Uuid::now_v7();
        let sql = format!(
            "INSERT INTO file (sha256, n_bytes, stored_key) VALUES (repeat('b', 64), 1, 'b');
             INSERT INTO submission (id, obligation_id, organisation, version_number, file_name, file_sha256,
                uploaded_by, contact_email, received_at, idempotency_key, assessed_at, outcome, spec_hash)
             SELECT '{id}', o.id, o.organisation, 1, 'b.xlsx', repeat('b', 64), 'x', 'x@b.example', now(), 'x', now(), 'ready', 'x'
             FROM obligation o WHERE o.organisation = 'S12000002';
             INSERT INTO ret.cases_v1_0_case (submission_id, organisation, row_number, ref, cost, kind)
             SELECT '{id}', 'S12000002', 1 + row_number() OVER (), * FROM (VALUES {records}) AS r;
             INSERT INTO submission_table (submission_id, table_name, sheet, n_rows, n_loaded, n_rejected, n_ignored, ignored, columns)
             SELECT '{id}', 'case', 'Cases', count(*), count(*), 0, 0, '[]', '{{}}'
             FROM ret.cases_v1_0_case WHERE submission_id = '{id}';
             INSERT INTO handover (submission_id, organisation, verb, by_kind, by_name)
             VALUES ('{id}', 'S12000002', 'submit', 'system', 'x')"
        );
        client.batch_execute(&sql).await.unwrap();
    }
}

#[tokio::test]
async fn the_team_compares_everybody_and_a_council_sees_its_own() {
    let site = Running::start().await;
    let own = site
        .records("one", "('A1', 1000.00, 'a'), ('A2', 5.00, 'b')")
        .await;
    let system = workflow::Actor::system("test");
    workflow::submit(&site.db, &system, own.parse().unwrap(), chrono::Utc::now())
        .await
        .unwrap();
    site.of_brora("('B1', 77777.00, 'b')").await;

    let page = site.get(&format!("{LOOK}?item=COST")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    for part in [
        "COST&#39;s title: all figures added up",
        "All of 2 organisations are there. All figures are provisional.",
        "How organisations compare",
        "1,005.00 [p]",
        "77,777.00 [p]",
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    let council = Grant {
        role: Role::Uploader,
        reach: Reach::Organisation("S12000001".to_owned()),
    };
    let una = signed_in(&site.db, "una@ardbeg.example", &[council]).await;
    for what in [
        "",
        "?item=COST",
        "?item=KIND&code=b",
        "?organisation=S12000002",
    ] {
        for address in [format!("{LOOK}{what}"), format!("{LOOK}.csv{what}")] {
            let answer = site.ask_as(&cookie(&una), "GET", &address, "", b"").await;
            assert_eq!(answer.status, 200, "{address}: {}", answer.body);
            assert!(answer.body.contains("Ardbeg"), "{address}: {}", answer.body);
            for foreign in ["Brora", "S12000002", "77777", "77,777"] {
                assert!(!answer.body.contains(foreign), "{address}: {}", answer.body);
            }
        }
    }
}

#[tokio::test]
async fn whatever_is_asked_for_is_answered() {
    let site = Running::start().await;
    for what in [
        "?item=nothing",
        "?item=COST&of=middle",
        "?item=KIND",
        "?item=KIND&code=%27%3B--",
        "?item=URGENT&code=maybe",
        "?line=9&item=N&of=x",
        "?organisation=nobody",
    ] {
        for address in [format!("{LOOK}{what}"), format!("{LOOK}.csv{what}")] {
            let answer = site.get(&address).await;
            assert_eq!(answer.status, 200, "{address}: {}", answer.body);
        }
    }
    let unknown = site.get(&format!("{LOOK}?table=nothing")).await;
    assert_eq!(unknown.status, 404);
}
