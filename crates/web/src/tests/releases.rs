//! A release that leaves small counts out tells nobody the hash of a file that they came in.

use access::{Grant, Reach, Role};
use serde_json::json;
use uuid::Uuid;

use super::{Running, cookie, signed_in};

/// A draft with one council's file in it, whose hash is all of one letter.
async fn draft(site: &Running, settings: &serde_json::Value) -> Uuid {
    let mut manifest: serde_json::Value = serde_json::from_str(super::grid::MANIFEST).unwrap();
    manifest["submissions"] = json!([{
        "submission_id": Uuid::now_v7(), "organisation": "S12000001", "organisation_name": "Ardbeg",
        "sg_code": null, "phs_code": null, "period_label": "2026-27-Q1", "period_start": "2026-04-01",
        "period_end": "2026-06-30", "return_version": "1.0", "version_number": 1, "state": "accepted",
        "is_nil": false, "file_name": "ardbeg.xlsx", "sha256": "f".repeat(64),
        "received_at": "2026-07-20T09:05:00Z",
    }]);
    let id = Uuid::now_v7();
    let sql = format!(
        "INSERT INTO release (id, return_id, return_version, from_period, to_period, kind, notes, settings, manifest, by_kind, by_name)
         VALUES ('{id}', 'cases', '1.0', '2026-27-Q1', '2026-27-Q1', 'provisional', '', '{settings}', '{manifest}', 'system', 'x')"
    );
    site.owner().await.batch_execute(&sql).await.unwrap();
    id
}

#[tokio::test]
async fn a_release_that_leaves_counts_out_hides_the_hashes_of_what_they_came_in() {
    let site = Running::start().await;
    let team = Grant {
        role: Role::DatasetTeam,
        reach: Reach::Return("cases".to_owned()),
    };
    let tess = cookie(&signed_in(&site.db, "tess@team.example", &[team]).await);
    let plain = json!({"lineage": "none", "labels": true});
    let mut protected = plain.clone();
    protected["protection"] = json!({"threshold": 5, "after": [], "hides_files": true});
    let hash = "f".repeat(64);
    for (settings, is_told) in [(plain, true), (protected, false)] {
        let id = draft(&site, &settings).await;
        let page = site
            .ask_as(&tess, "GET", &format!("/releases/{id}"), "", b"")
            .await;
        assert_eq!(page.status, 200, "{page:?}");
        assert!(page.body.contains("Ardbeg"), "{page:?}");
        assert_eq!(page.body.contains(&hash), is_told, "{page:?}");
        let told = site
            .ask_as(&tess, "GET", &format!("/api/releases/{id}"), "", b"")
            .await;
        assert_eq!(told.status, 200, "{told:?}");
        let told: serde_json::Value = serde_json::from_str(&told.body).unwrap();
        let submission = &told["submissions"][0];
        assert_eq!(submission["organisation"], "S12000001");
        assert_eq!(submission["sha256"] == json!(hash), is_told, "{submission}");
        assert_eq!(submission["file_name"] == "ardbeg.xlsx", is_told);
    }
}
