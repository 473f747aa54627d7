//! A new form begins with the rows that were sent last, of the sender only.

use spec::Layout;
use spec::layout::Records;

use super::*;

fn q2() -> Period {
    financial_quarter("2026-27-Q2", "2026-07-01", "2026-09-30")
}

/// The form as a list whose rows are sent out again.
fn sent_out() -> ReturnSpec {
    let mut spec = form();
    spec.tables[0].layout = Layout::TurnAround {
        records: Records {
            search_rows: 10,
            ignores: Vec::new(),
        },
        key: "line".to_owned(),
        asked_anew: Vec::new(),
    };
    spec
}

fn text(row: &[Option<String>]) -> Vec<&str> {
    row.iter().map(|v| v.as_deref().unwrap_or("")).collect()
}

#[tokio::test]
async fn rows_of_the_last_period_are_there_again_and_items_are_found_by_name() {
    let world = world().await;
    world.send("one", Outcome::Ready).await;
    world.send("two", Outcome::NeedsCorrection).await;
    let before = sent_out();
    let begin = async |spec: &ReturnSpec, period: &Period, actor: &Actor| {
        let versions = [sent_out()];
        beginning(&world.db, actor, &versions, spec, period, ARDBEG)
            .await
            .unwrap()
    };
    let council = Actor::organisation(ARDBEG, "Someone");
    let began = begin(&before, &q2(), &council).await.unwrap();
    assert_eq!(began.organisation.name, "Ardbeg");
    let rows: Vec<Vec<&str>> = began.rows["form"].iter().map(|row| text(row)).collect();
    // What stands is the first file: the second has something to fix.
    assert_eq!(rows, [["1", "one", "7"], ["2", "one", "7"]]);

    let mut newer = sent_out();
    newer.version = "2.0".to_owned();
    newer.tables[0].items.swap(0, 2);
    newer.tables[0].items[1].name = "something_new".to_owned();
    let began = begin(&newer, &q2(), &council).await.unwrap();
    let rows: Vec<Vec<&str>> = began.rows["form"].iter().map(|row| text(row)).collect();
    assert_eq!(rows, [["7", "", "1"], ["7", "", "2"]]);

    // Its own period has nothing before it, and a form of fixed cells sends nothing out.
    assert!(
        begin(&before, &q1(), &council)
            .await
            .unwrap()
            .rows
            .is_empty()
    );
    assert!(
        begin(&form(), &q2(), &council)
            .await
            .unwrap()
            .rows
            .is_empty()
    );
    let other = Actor::organisation(BRORA, "Someone else");
    assert_eq!(begin(&before, &q2(), &other).await, None);
    let unknown = beginning(&world.db, &system(), &[], &before, &q2(), "S12999999").await;
    assert_eq!(unknown.unwrap(), None);
}
