//! From a cell to its value, and whether datasets and releases have it.

use spec::Accumulation;

use super::*;

/// The form with a cover on the same sheet, whose figures stand in the same columns.
fn with_a_cover() -> ReturnSpec {
    let mut spec = form();
    "2.0".clone_into(&mut spec.version);
    "hash-2".clone_into(&mut spec.hash);
    spec.valid_from = day("2026-07-01");
    let mut cover = spec.tables[0].clone();
    "cover".clone_into(&mut cover.name);
    spec.tables.insert(0, cover);
    spec
}

#[tokio::test]
async fn a_cell_is_of_the_table_that_has_a_record_in_its_row() {
    let spec = with_a_cover();
    let world = World {
        spec: spec.clone(),
        ..world().await
    };
    let versions = [form(), spec];
    let organisations = testkit::returns::organisations();
    publish_returns(&world.owner, &system(), &versions, &organisations)
        .await
        .unwrap();
    let upload = NewUpload {
        period: world.open_q2().await.label,
        received_at: "2026-10-20T09:05:00Z".parse().unwrap(),
        ..world.upload("one", "one")
    };
    let period = upload.period.clone();
    let id = world.receive(upload).await.unwrap().submission_id;
    let mut head = world.head("one", Outcome::Ready);
    head.period = Some(period);
    let mut cover = head.tables[0].clone();
    "cover".clone_into(&mut cover.name);
    (cover.n_rows, cover.loaded, cover.rejected) = (1, 1, 0);
    head.tables.insert(0, cover);
    // The form's records are on rows 2 and 3, the cover's on row 10.
    let mut of_cover = a_row(8, "cover");
    "cover".clone_into(&mut of_cover.table);
    let parts = [
        Part::Head(Box::new(head)),
        Part::Findings(Vec::new()),
        Part::Rows(of_cover),
        Part::Rows(a_row(0, "one")),
        Part::Rows(a_row(1, "one")),
    ];
    let loaded = load(
        &world.db,
        &system(),
        id,
        &world.spec,
        parts.map(Ok).into_iter(),
    )
    .await;
    assert_eq!(loaded.unwrap(), Loaded::Stored(Outcome::Ready));
    let own = council(ARDBEG);
    for (cell, table, row_number) in [("Form!E10", "cover", 10), ("Form!E3", "form", 3)] {
        let at = cell.parse().unwrap();
        let found = value_at(&world.db, &own, &versions, id, &at).await.unwrap();
        let (of, row, item) = &found;
        assert_eq!(
            (of.as_str(), *row, item.as_str()),
            (table, row_number, "band_a")
        );
        let which = WhichValue {
            submission_id: id,
            table: of,
            row_number: *row,
            item,
        };
        let traced = trace(&world.db, &own, &versions, which).await.unwrap();
        assert_eq!(traced.cell.unwrap().to_string(), cell);
    }
    // Below all records, and beside the columns.
    for cell in ["Form!E30", "Form!F3", "Other!E3"] {
        let at = cell.parse().unwrap();
        let found = value_at(&world.db, &own, &versions, id, &at).await;
        assert!(matches!(found, Err(Denied::NotThere)), "{cell}");
    }
}

#[tokio::test]
async fn where_records_accumulate_a_value_is_in_the_dataset_until_its_record_comes_again() {
    let spec = ReturnSpec {
        accumulation: Accumulation::Cumulative,
        ..form()
    };
    let world = World {
        spec: spec.clone(),
        ..world().await
    };
    let sent = async |bytes: &str, lines: &[(&str, &str, Option<&str>)]| {
        let id = world.lines(bytes, lines).await;
        world.submit(id).await;
        id
    };
    let versions = [spec];
    let counts = async |id: Uuid, row_number: u32| {
        let which = WhichValue {
            submission_id: id,
            table: "form",
            row_number,
            item: "band_a",
        };
        let traced = trace(&world.db, &council(ARDBEG), &versions, which).await;
        traced.unwrap().counts_now
    };
    let first = sent("one", &[("1", "a", Some("7")), ("2", "b", Some("40"))]).await;
    let second = sent("two", &[("2", "b", Some("41"))]).await;
    // What was not sent again is still there, although a newer version stands.
    assert!(counts(first, 2).await);
    assert!(!counts(first, 3).await);
    assert!(counts(second, 2).await);
    let csv = world.csv().await;
    let has = |id: Uuid| csv.matches(&id.to_string()).count();
    assert_eq!((has(first), has(second)), (1, 1), "{csv}");
    // What was not handed over is nowhere.
    let third = world.lines("three", &[("1", "a", Some("8"))]).await;
    assert!(!counts(third, 2).await && counts(first, 2).await);
    // Of two lines of one file that are known by the same, the dataset has the last.
    let fourth = sent("four", &[("1", "a", Some("9")), ("1", "a", Some("10"))]).await;
    assert!(!counts(first, 2).await && !counts(fourth, 2).await);
    assert!(counts(fourth, 3).await);
    let csv = world.csv().await;
    let has = |id: Uuid| csv.matches(&id.to_string()).count();
    assert_eq!((has(first), has(fourth)), (0, 1), "{csv}");
}
