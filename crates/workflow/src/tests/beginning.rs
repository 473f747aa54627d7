//! A new form begins with what was sent last, of the sender only.

use spec::layout::Records;
use spec::{Accumulation, Layout, Lineage, TableLineage};
use testkit::returns::{became, tested};

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
async fn what_stands_is_there_again_and_items_are_found_by_name() {
    let world = world().await;
    world.hand_in("one").await;
    world.send("two", Outcome::NeedsCorrection).await;
    let before = sent_out();
    let begin = async |spec: &ReturnSpec, period: &Period, actor: &Actor| {
        let versions = [sent_out()];
        beginning(&world.db, actor, &versions, spec, period, ARDBEG)
            .await
            .unwrap()
    };
    let own = council(ARDBEG);
    let began = begin(&before, &q2(), &own).await.unwrap();
    assert_eq!(began.organisation.name, "Ardbeg");
    let rows: Vec<Vec<&str>> = began.rows["form"].iter().map(|row| text(row)).collect();
    // What stands is the first file: the second has something to fix.
    assert_eq!(rows, [["1", "one", "7"], ["2", "one", "7"]]);

    let mut newer = sent_out();
    newer.version = "2.0".to_owned();
    newer.tables[0].items.swap(0, 2);
    newer.tables[0].items[1].name = "something_new".to_owned();
    let began = begin(&newer, &q2(), &own).await.unwrap();
    let rows: Vec<Vec<&str>> = began.rows["form"].iter().map(|row| text(row)).collect();
    assert_eq!(rows, [["7", "", "1"], ["7", "", "2"]]);

    assert_eq!(began.sent_for, Some(q1()));

    // What stands for the period itself is what is corrected; a form of fixed cells has its figures again.
    for spec in [&before, &form()] {
        let began = begin(spec, &q1(), &own).await.unwrap();
        assert_eq!(began.sent_for, Some(q1()));
        assert_eq!(began.rows["form"].len(), 2);
    }
    // A list of people's records is not handed out.
    let list = |personal_data: bool| {
        let mut spec = form();
        spec.tables[0].layout = Layout::Records(Records {
            search_rows: 10,
            ignores: Vec::new(),
        });
        spec.sensitivity.personal_data = personal_data;
        spec
    };
    for (personal_data, n_tables) in [(false, 1), (true, 0)] {
        let began = begin(&list(personal_data), &q1(), &own).await.unwrap();
        assert_eq!(began.rows.len(), n_tables, "{personal_data}");
    }
}

#[tokio::test]
async fn what_an_older_version_called_otherwise_is_there_under_its_name_of_now() {
    let world = world().await;
    world.hand_in("one").await;
    let old = sent_out();
    let mut new = old.clone();
    "2.0".clone_into(&mut new.version);
    new.valid_from = day("2026-07-01");
    let table = &mut new.tables[0];
    "figures".clone_into(&mut table.name);
    "band_z".clone_into(&mut table.items[2].name);
    new.lineage = Some(Lineage {
        version: old.version.clone(),
        tables: vec![TableLineage {
            was: "form".to_owned(),
            now: Some("figures".to_owned()),
            note: None,
            provenance: tested(),
        }],
        items: vec![
            became("figures", "line", "line", &[("2", "20")]),
            became("figures", "band_a", "band_z", &[]),
        ],
    });
    let begin = async |new: &ReturnSpec| {
        let versions = [old.clone(), new.clone()];
        let own = council(ARDBEG);
        let began = beginning(&world.db, &own, &versions, new, &q2(), ARDBEG).await;
        began.unwrap().unwrap().rows
    };
    let told = |rows: &[Vec<Option<String>>]| -> Vec<String> {
        rows.iter().map(|row| text(row).join(" ")).collect()
    };
    assert_eq!(told(&begin(&new).await["figures"]), ["1 one 7", "20 one 7"]);
    // What is asked for under the old name but in another unit is another figure, and begins blank.
    new.tables[0].items[2].unit = Some("thousands".to_owned());
    assert_eq!(told(&begin(&new).await["figures"]), ["1 one ", "20 one "]);
    // Without what a record is known by, nobody could tell which line a figure belongs to.
    new.lineage.as_mut().unwrap().items[0].breaks = true;
    assert!(begin(&new).await.is_empty());
}

#[tokio::test]
async fn lines_that_are_one_now_begin_blank_and_every_other_is_there() {
    let world = world().await;
    let lines = [
        ("1", "a", Some("904")),
        ("2", "b", Some("7")),
        ("3", "c", Some("472")),
    ];
    let sent = world.lines("one", &lines).await;
    world.submit(sent).await;
    let old = sent_out();
    let mut new = old.clone();
    "2.0".clone_into(&mut new.version);
    new.valid_from = day("2026-07-01");
    let begin = async |codes: &[(&str, &str)]| {
        let lineage = Lineage {
            version: old.version.clone(),
            tables: Vec::new(),
            items: vec![became("form", "line", "line", codes)],
        };
        let new = ReturnSpec {
            lineage: Some(lineage),
            ..new.clone()
        };
        let versions = [old.clone(), new.clone()];
        let own = council(ARDBEG);
        let began = beginning(&world.db, &own, &versions, &new, &q2(), ARDBEG).await;
        let rows = began.unwrap().unwrap().rows;
        let rows = rows["form"].iter().map(|row| text(row).join(" "));
        rows.collect::<Vec<_>>()
    };
    // Neither of the two is the whole, and nothing is added up.
    assert_eq!(begin(&[("1", "10"), ("3", "10")]).await, ["2 b 7"]);
    // Nor is one that has another's code now.
    assert_eq!(begin(&[("3", "2")]).await, ["1 a 904"]);
    let all = begin(&[("1", "10"), ("3", "30")]).await;
    assert_eq!(all, ["10 a 904", "2 b 7", "30 c 472"]);
}

#[tokio::test]
async fn where_records_accumulate_those_of_every_version_are_there() {
    let mut old = sent_out();
    old.accumulation = Accumulation::Cumulative;
    let mut world = World {
        spec: old.clone(),
        ..world().await
    };
    let lines = [("1", "a", Some("7")), ("2", "b", Some("40"))];
    let first = world.lines("one", &lines).await;
    world.submit(first).await;
    let mut new = old.clone();
    "2.0".clone_into(&mut new.version);
    new.valid_from = day("2026-07-01");
    "band_z".clone_into(&mut new.tables[0].items[2].name);
    new.lineage = Some(Lineage {
        version: old.version.clone(),
        tables: Vec::new(),
        items: vec![became("form", "band_a", "band_z", &[])],
    });
    let versions = [old, new.clone()];
    let organisations = testkit::returns::organisations();
    publish_returns(&world.owner, &system(), &versions, &organisations)
        .await
        .unwrap();
    world.spec = new.clone();
    let upload = NewUpload {
        period: world.open_q2().await.label,
        received_at: "2026-10-20T09:05:00Z".parse().unwrap(),
        ..world.upload("two", "two")
    };
    let second = world.receive(upload).await.unwrap().submission_id;
    let lines = [("2", "b", Some("55")), ("3", "c", Some("8"))];
    world.load_lines(second, "two", &new, &lines).await;
    world.submit(second).await;
    let q3 = financial_quarter("2026-27-Q3", "2026-10-01", "2026-12-31");
    let began = beginning(&world.db, &council(ARDBEG), &versions, &new, &q3, ARDBEG).await;
    let began = began.unwrap().unwrap();
    let rows: Vec<String> = began.rows["form"]
        .iter()
        .map(|row| text(row).join(" "))
        .collect();
    assert_eq!(rows, ["1 a 7", "2 b 55", "3 c 8"]);
}

#[tokio::test]
async fn a_form_begins_with_its_own_organisations_figures_and_nobody_elses() {
    let world = world().await;
    world.hand_in("one").await;
    let begin = async |actor: &Actor, organisation: &str| {
        let versions = [form()];
        beginning(&world.db, actor, &versions, &form(), &q2(), organisation).await
    };
    let (own, other) = (council(ARDBEG), council(BRORA));
    let began = begin(&own, ARDBEG).await.unwrap().unwrap();
    assert_eq!(began.rows["form"].len(), 2);
    // Whoever asks for another's gets nothing at all, and whose own there is none begins blank.
    for (actor, organisation) in [(&other, ARDBEG), (&own, BRORA)] {
        let denied = begin(actor, organisation).await.unwrap_err();
        assert!(matches!(denied, Denied::NotThere), "{denied}");
    }
    let blank = begin(&other, BRORA).await.unwrap().unwrap();
    assert_eq!((blank.rows.len(), blank.sent_for), (0, None));
    assert_eq!(begin(&system(), "S12999999").await.unwrap(), None);
}
