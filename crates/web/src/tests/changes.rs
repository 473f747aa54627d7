//! What changed between two versions, as a page and as a spreadsheet.

use access::{Grant, Reach, Role};
use serde_json::Value;

use super::{Running, SUBMISSIONS, cookie, signed_in};

impl Running {
    /// A version of Ardbeg's with these records: reference, cost and kind.
    pub(super) async fn records(&self, name: &str, records: &str) -> String {
        let receipt = self.ask("POST", SUBMISSIONS, "", name.as_bytes()).await;
        let receipt: Value = serde_json::from_str(&receipt.body).unwrap();
        let id = receipt["submission_id"].as_str().unwrap().to_owned();
        let (client, connection) =
            tokio_postgres::connect(&self.database.url(), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        let sql = format!(
            "UPDATE submission SET assessed_at = now(), outcome = 'ready', spec_hash = 'x' WHERE id = '{id}';
             INSERT INTO ret.cases_v1_0_case (submission_id, organisation, row_number, ref, cost, kind)
             SELECT '{id}', 'S12000001', 1 + row_number() OVER (), * FROM (VALUES {records}) AS r;
             INSERT INTO submission_table (submission_id, table_name, sheet, n_rows, n_loaded, n_rejected, n_ignored, ignored, columns)
             SELECT '{id}', 'case', 'Cases', count(*), count(*), 0, 0, '[]', '{{\"REF\": \"A\", \"COST\": \"C\", \"KIND\": \"F\"}}'
             FROM ret.cases_v1_0_case WHERE submission_id = '{id}'"
        );
        client.batch_execute(&sql).await.unwrap();
        id
    }
}

#[tokio::test]
async fn a_page_says_what_changed_and_finds_it() {
    let site = Running::start().await;
    let first = site
        .records(
            "one",
            "('A1', 1000.00, 'a'), ('A2', 5.00, 'a'), ('<A3>', 5.00, 'b')",
        )
        .await;
    let second = site
        .records(
            "two",
            "('A4', 7.00, 'a'), ('A2', 5.00, 'b'), ('A1', 1250.50, 'a')",
        )
        .await;
    let outcome = site.get(&format!("/submissions/{second}")).await.body;
    let page = format!("/submissions/{second}/changes");
    assert!(outcome.contains(&format!(
        "<a href=\"{page}\">What changed since version 1</a>"
    )));
    let shown = site.get(&page).await.body;
    for part in [
        "<h1>What changed from version 1 to version 2</h1>",
        "<li>2 figures are different, in 2 rows.</li>",
        "<li>1 row is new.</li>",
        "<li>1 row is gone.</li>",
        "<li>0 rows are the same.</li>",
        "Rows 1 to 4 of 4.",
        "1,000.00",
        "1,250.50",
        "+250.50 (+25.1%)",
        "Cases!C2",
        "Cases!C4",
        "&#60;A3&#62;",
        "not there",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let found = site.get(&format!("{page}?only=changed&text=a1")).await.body;
    assert!(found.contains("Rows 1 to 1 of 1."), "{found}");
    let none = site.get(&format!("{page}?text=%25%27&page=3")).await.body;
    assert!(none.contains("There is no such change."), "{none}");
    // From the other end it is the same comparison.
    let back = format!("/submissions/{first}/changes?with={second}");
    let back = site.get(&back).await.body;
    assert!(back.contains("from version 1 to version 2"), "{back}");

    let csv = format!("/api/submissions/{second}/changes.csv");
    let csv = site.get(&csv).await;
    assert_eq!(csv.status, 200, "{csv:?}");
    for line in [
        "case,changed,A1,COST,1000.00,1250.50,250.50,25.1,Cases!C2,Cases!C4",
        "case,changed,A2,KIND,a,b,,,Cases!F3,Cases!F3",
        "case,added,A4,REF,,A4,,,,Cases!A2",
        "case,gone,<A3>,REF,<A3>,,,,Cases!A4,",
    ] {
        assert!(csv.body.contains(line), "{line}: {}", csv.body);
    }
    let versions = site.get("/returns/cases/2026-27-Q1/S12000001").await.body;
    assert_eq!(versions.matches("/changes\">").count(), 1, "{versions}");

    let alone = site.get(&format!("/submissions/{first}/changes")).await;
    assert_eq!(alone.status, 200);
    assert!(alone.body.contains("no other version"), "{}", alone.body);
    let alone = site
        .get(&format!("/api/submissions/{first}/changes.csv"))
        .await;
    assert_eq!(alone.status, 409, "{alone:?}");
}

#[tokio::test]
async fn nobody_compares_with_what_is_anothers() {
    let site = Running::start().await;
    let first = site.records("one", "('A1', 1.00, 'a')").await;
    let second = site.records("two", "('A1', 2.00, 'a')").await;
    let brora = Grant {
        role: Role::Uploader,
        reach: Reach::Organisation("S12000002".to_owned()),
    };
    let brora = signed_in(&site.db, "bo@brora.example", &[brora]).await;
    let random = "01a20824-5a74-71c5-bcf5-f9cb415e89aa";
    for path in ["/submissions/ID/changes", "/api/submissions/ID/changes.csv"] {
        let of = |id: &str, with: &str| format!("{path}?with={with}").replace("ID", id);
        let asked = async |path: &str| site.ask_as(&cookie(&brora), "GET", path, "", b"").await;
        let theirs = asked(&of(&second, &first)).await;
        let none = asked(&of(random, &first)).await;
        assert_eq!(theirs.status, 404, "{theirs:?}");
        assert_eq!((theirs.status, theirs.body), (none.status, none.body));
        for with in [random, "x"] {
            assert_eq!(site.get(&of(&second, with)).await.status, 404, "{with}");
        }
        // A version is not compared with itself.
        assert_eq!(site.get(&of(&second, &second)).await.status, 404);
    }
}
