//! What the lake is told, and whether it is told again.

use super::*;

impl World {
    /// The jobs that were put in, in order.
    async fn for_the_lake(&self) -> Vec<LakeJob> {
        let (client, connection) =
            tokio_postgres::connect(&self.database.url(), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        let sql = "SELECT payload::text FROM job WHERE kind = 'lake' ORDER BY id";
        let jobs = client.query(sql, &[]).await.unwrap();
        jobs.iter()
            .map(|job| serde_json::from_str(job.get(0)).unwrap())
            .collect()
    }
}

fn job(again: bool) -> LakeJob {
    LakeJob {
        return_id: "form".to_owned(),
        period: "2026-27-Q1".to_owned(),
        organisation: ARDBEG.to_owned(),
        again,
    }
}

#[tokio::test]
async fn what_was_accepted_once_is_told_again_whatever_the_lake_says() {
    let world = world().await;
    let fill = async || fill_lake(&world.db, &system()).await.unwrap();
    let id = world.send("one", Outcome::Ready).await;
    submit(&world.db, &system(), id, now()).await.unwrap();
    sign_off(&world.db, &system(), id, now()).await.unwrap();
    assert_eq!(fill().await, 0, "nothing is accepted yet");
    accept(&world.db, &system(), id, now()).await.unwrap();
    assert_eq!(world.for_the_lake().await, [job(false)]);
    assert_eq!(fill().await, 1);
    // What is not accepted any more is told too: that there is nothing.
    let why = "The total is odd.";
    send_back(&world.db, &system(), id, why, now())
        .await
        .unwrap();
    assert_eq!(fill().await, 1);
    let all = [job(false), job(true), job(false), job(true)];
    assert_eq!(world.for_the_lake().await, all);

    let denied = fill_lake(&world.db, &council(ARDBEG)).await;
    assert!(matches!(
        denied,
        Err(AcceptedError::Denied(Denied::Forbidden))
    ));
    assert_eq!(world.for_the_lake().await, all);
}

#[test]
fn a_job_from_before_there_was_again_is_an_ordinary_one() {
    let old = r#"{"return_id": "form", "period": "2026-27-Q1", "organisation": "S12000001"}"#;
    assert_eq!(serde_json::from_str::<LakeJob>(old).unwrap(), job(false));
}
