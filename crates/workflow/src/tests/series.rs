//! A figure that moved, with what it was in the periods before: the version that stands for each.

use spec::layout::{Layout, Line};
use spec::rule::{Against, Change as Moves, Direction, Figure as Of, Thresholds, When};
use spec::{Lineage, OnlyFor, Rule, RuleKind, Stage};
use testkit::returns::{became, tested};

use super::*;

/// The form with named lines, and two checks of movements: of a figure, and of how many lines there are.
fn moving_form() -> ReturnSpec {
    let rule = |id: &str, items: &[&str], figure| Rule {
        id: id.to_owned(),
        table: "form".to_owned(),
        severity: Severity::Query,
        items: items.iter().map(|&item| item.to_owned()).collect(),
        message: "It moved.".to_owned(),
        fix: "Say why.".to_owned(),
        in_force: spec::InForce::default(),
        only_for: OnlyFor::default(),
        trial: false,
        stage: Stage::Return,
        thresholds: Thresholds::default(),
        kind: RuleKind::Change(Moves {
            against: Against::Previous,
            by: Vec::new(),
            figure,
            direction: Direction::Either,
            when: When::default(),
        }),
        provenance: tested(),
    };
    let mut spec = form();
    let Layout::Matrix(matrix) = &mut spec.tables[0].layout else {
        panic!("a form");
    };
    matrix.lines = vec![Line {
        code: "2".to_owned(),
        row_idx: 1,
        label: "Staff".to_owned(),
        description: String::new(),
        computed: false,
        not_applicable: Vec::new(),
        only_for: OnlyFor::default(),
        provenance: tested(),
    }];
    spec.rules = vec![
        rule("form.moved", &["band_a"], Of::Items),
        rule("form.shrank", &[], Of::Records),
    ];
    spec
}

fn finding(rule: &str, cell: &str) -> NumberedFinding {
    let finding = Finding::new(rule, Severity::Query, "It moved.", "Say why.")
        .in_table("form")
        .on_item("band_a")
        .at_cell(cell.parse().unwrap());
    NumberedFinding {
        ordinal: 1,
        finding,
    }
}

#[tokio::test]
async fn a_figure_has_the_periods_before_it() {
    let world = World {
        spec: moving_form(),
        ..world().await
    };
    // For the first quarter a version stands that is not the last one; the second quarter has a version of its own.
    let first = world
        .lines("one", &[("1", "a", Some("7")), ("2", "b", Some("40"))])
        .await;
    world.submit(first).await;
    world.lines("draft", &[("2", "b", Some("999"))]).await;
    let q2 = world.open_q2().await;
    let upload = NewUpload {
        period: q2.label.clone(),
        received_at: "2026-10-20T09:05:00Z".parse().unwrap(),
        ..world.upload("two", "two")
    };
    let second = world.receive(upload).await.unwrap().submission_id;
    world
        .load_lines(second, "two", &world.spec, &[("2", "b", Some("55"))])
        .await;
    let sender = council(ARDBEG);
    let version = found(&world.db, &sender, second).await.unwrap();
    let findings = [
        finding("form.other", "Form!E2"),
        finding("form.moved", "Form!E2"),
        finding("form.shrank", "Form!E2"),
    ];
    let specs = [world.spec.clone()];
    let drawn = series(&world.db, &sender, &version, &specs, &findings, 8).await;
    let told: Vec<_> = drawn
        .unwrap()
        .into_iter()
        .map(|series| {
            let points = series.points.into_iter();
            let points = points.map(|(period, value)| (period.label, value));
            (series.finding_idx, series.title, points.collect::<Vec<_>>())
        })
        .collect();
    let point = |label: &str, value: &str| (label.to_owned(), Some(value.to_owned()));
    assert_eq!(
        told,
        [
            (
                1,
                "Staff: band_a's title".to_owned(),
                vec![point("2026-27-Q1", "40"), point("2026-27-Q2", "55")]
            ),
            (
                2,
                "Form: number of rows".to_owned(),
                vec![point("2026-27-Q1", "2"), point("2026-27-Q2", "1")]
            ),
        ]
    );
    let few = series(&world.db, &sender, &version, &specs, &findings, 1).await;
    assert_eq!(few.unwrap().len(), 1);
    let others = series(&world.db, &council(BRORA), &version, &specs, &findings, 8).await;
    assert!(matches!(others, Err(Denied::NotThere)), "{others:?}");
    // A first period has nothing to be drawn beside.
    let version = found(&world.db, &sender, first).await.unwrap();
    let alone = series(&world.db, &sender, &version, &specs, &findings, 8).await;
    assert_eq!(alone.unwrap(), []);
}

#[tokio::test]
async fn a_figure_that_was_called_otherwise_goes_on_and_one_in_another_unit_does_not() {
    let mut world = World {
        spec: moving_form(),
        ..world().await
    };
    let first = world.lines("one", &[("2", "b", Some("40"))]).await;
    world.submit(first).await;
    let old = world.spec.clone();
    let mut spec = old.clone();
    "2.0".clone_into(&mut spec.version);
    spec.valid_from = day("2026-07-01");
    // The figure has another name now, and its line another code.
    let items = &mut spec.tables[0].items;
    let band = items.iter_mut().find(|item| item.name == "band_a").unwrap();
    "band_z".clone_into(&mut band.name);
    let Layout::Matrix(matrix) = &mut spec.tables[0].layout else {
        panic!("a form");
    };
    "20".clone_into(&mut matrix.lines[0].code);
    spec.lineage = Some(Lineage {
        version: old.version.clone(),
        tables: Vec::new(),
        items: vec![
            became("form", "band_a", "band_z", &[]),
            became("form", "line", "line", &[("2", "20")]),
        ],
    });
    let specs = [old.clone(), spec.clone()];
    let organisations = testkit::returns::organisations();
    publish_returns(&world.owner, &system(), &specs, &organisations)
        .await
        .unwrap();
    world.spec = spec.clone();
    let q2 = world.open_q2().await;
    let upload = NewUpload {
        period: q2.label.clone(),
        received_at: "2026-10-20T09:05:00Z".parse().unwrap(),
        ..world.upload("two", "two")
    };
    let second = world.receive(upload).await.unwrap().submission_id;
    world
        .load_lines(second, "two", &spec, &[("20", "b", Some("55"))])
        .await;
    let sender = council(ARDBEG);
    let version = found(&world.db, &sender, second).await.unwrap();
    let mut moved = finding("form.moved", "Form!E2");
    moved.finding = moved.finding.on_item("band_z");
    let findings = [moved];
    let mut specs = specs;
    let drawn = series(&world.db, &sender, &version, &specs, &findings, 8).await;
    let values: Vec<_> = drawn.unwrap()[0]
        .points
        .iter()
        .map(|(_, value)| value.clone())
        .collect();
    assert_eq!(values, ["40", "55"].map(|value| Some(value.to_owned())));

    let items = &mut specs[1].tables[0].items;
    let band = items.iter_mut().find(|item| item.name == "band_z").unwrap();
    band.unit = Some("thousands".to_owned());
    let drawn = series(&world.db, &sender, &version, &specs, &findings, 8).await;
    assert_eq!(drawn.unwrap(), [], "there is nothing to draw it beside");
}
