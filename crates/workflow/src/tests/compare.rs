//! Two versions side by side: by the record's key, in whatever order the rows stand, and only for who may see both.

use super::*;
use crate::compare::{AskedOfTwo, Changes, NothingIn, TableChanges, changes, to_compare};
use crate::compare::{Change, Versions, changes_csv};

/// A line of the form: its key, a text and a number.
type Line<'a> = (&'a str, &'a str, Option<&'a str>);

impl World {
    /// Sends a version with these lines, on rows from 2.
    pub(super) async fn lines(&self, bytes: &str, lines: &[Line<'_>]) -> Uuid {
        let id = self
            .receive(self.upload(bytes, bytes))
            .await
            .unwrap()
            .submission_id;
        self.load_lines(id, bytes, &self.spec, lines).await;
        id
    }

    pub(super) async fn load_lines(
        &self,
        id: Uuid,
        bytes: &str,
        spec: &ReturnSpec,
        lines: &[Line<'_>],
    ) {
        let mut head = self.head(bytes, Outcome::Ready);
        head.version.clone_from(&spec.version);
        head.tables[0].n_rows = lines.len() as u64;
        head.tables[0].loaded = lines.len() as u64;
        let mut rows = block(lines);
        for (column, item) in rows.columns.iter_mut().zip(&spec.tables[0].items) {
            item.name.clone_into(&mut column.item);
        }
        let parts = [
            Part::Head(Box::new(head)),
            Part::Findings(Vec::new()),
            Part::Rows(rows),
        ];
        let loaded = load(&self.db, &system(), id, spec, parts.map(Ok).into_iter()).await;
        assert_eq!(loaded.unwrap(), Loaded::Stored(Outcome::Ready));
    }

    async fn versions(&self, actor: &Actor, id: Uuid, with: Uuid) -> Versions {
        let found = to_compare(&self.db, actor, id, Some(with)).await.unwrap();
        found.versions().unwrap()
    }

    /// What is different, in words, and the counts: changed, added, gone, figures.
    async fn told(&self, old: Uuid, new: Uuid, asked: &AskedOfTwo) -> (Vec<String>, [u64; 4]) {
        let versions = self.versions(&council(ARDBEG), new, old).await;
        let specs = std::slice::from_ref(&self.spec);
        let changes = changes(&self.db, &council(ARDBEG), &versions, specs, asked).await;
        told(&changes.unwrap())
    }
}

pub(super) fn block(lines: &[Line<'_>]) -> RowBlock {
    let column = |item: &str, values: Vec<Option<String>>| ColumnBlock {
        item: item.to_owned(),
        values,
    };
    let texts = |of: fn(&Line<'_>) -> Option<String>| lines.iter().map(of).collect();
    RowBlock {
        own: Vec::new(),
        table: "form".to_owned(),
        row_numbers: (2..).take(lines.len()).collect(),
        columns: vec![
            column("line", texts(|line| Some(line.0.to_owned()))),
            column("organisation", texts(|line| Some(line.1.to_owned()))),
            column("band_a", texts(|line| line.2.map(str::to_owned))),
        ],
    }
}

fn told(changes: &Changes<'_>) -> (Vec<String>, [u64; 4]) {
    assert_eq!(changes.nothing_in, (None, None));
    let table = &changes.tables[0];
    let counts = table.counts;
    let lines = table
        .records
        .iter()
        .flat_map(|record| in_words(table, record));
    (
        lines.collect(),
        [counts.changed, counts.added, counts.gone, counts.figures],
    )
}

fn in_words(table: &TableChanges<'_>, record: &ChangedRecord) -> Vec<String> {
    let name = table.of.name_of(record);
    if record.change != Change::Changed {
        let columns = &table.of.lined_up.columns;
        let band = columns.iter().position(|(name, _)| name == "band_a");
        let cell = table.of.cell(band.unwrap(), record.new.or(record.old));
        return vec![format!(
            "{name} {} {}",
            record.change.as_str(),
            cell.unwrap()
        )];
    }
    let columns = table.of.lined_up.columns.iter();
    let figures = columns.zip(&record.figures).enumerate();
    figures
        .filter(|(_, (_, figure))| figure.differs)
        .map(|(idx, ((_, item), figure))| {
            let text = |value: &Option<String>| value.clone().unwrap_or("-".to_owned());
            format!(
                "{name} {}: {} at {} is {} at {} by {} {}%",
                item.name,
                text(&figure.old),
                table.of.cell(idx, record.old).unwrap(),
                text(&figure.new),
                table.of.cell(idx, record.new).unwrap(),
                text(&figure.by),
                text(&figure.percent)
            )
        })
        .collect()
}

fn everything() -> AskedOfTwo {
    AskedOfTwo {
        limit: 100,
        ..AskedOfTwo::default()
    }
}

const BEFORE: [Line<'static>; 5] = [
    ("1", "same", Some("7")),
    ("2", "figure", Some("40")),
    ("3", "text", Some("7")),
    ("4", "goes", Some("7")),
    ("5", "key", Some("7")),
];
/// The rows stand otherwise, one has another key, one came and one went.
const AFTER: [Line<'static>; 5] = [
    ("5b", "key", Some("7")),
    ("3", "other text", Some("7")),
    ("9", "comes", Some("0")),
    ("2", "figure", Some("37")),
    ("1", "same", Some("7")),
];

#[tokio::test]
async fn each_kind_of_change_is_told_and_the_order_of_rows_is_none() {
    let world = world().await;
    let before = world.lines("one", &BEFORE).await;
    let after = world.lines("two", &AFTER).await;
    let (lines, counts) = world.told(before, after, &everything()).await;
    assert_eq!(
        lines,
        [
            "5b added Form!E2",
            "3 organisation: text at Form!D4 is other text at Form!D3 by - -%",
            "9 added Form!E4",
            "4 gone Form!E5",
            "2 band_a: 40 at Form!E3 is 37 at Form!E5 by -3 -7.5%",
            "5 gone Form!E6",
        ]
    );
    assert_eq!(counts, [2, 2, 2, 2]);
    // The other way round is the same comparison: the earlier one comes first.
    assert_eq!(world.told(after, before, &everything()).await.0, lines);

    let moved: Vec<Line<'_>> = BEFORE.iter().rev().copied().collect();
    let moved = world.lines("three", &moved).await;
    assert_eq!(
        world.told(before, moved, &everything()).await,
        (Vec::new(), [0; 4])
    );
}

#[tokio::test]
async fn a_list_of_changes_is_looked_through_and_paged() {
    let world = world().await;
    let before = world.lines("one", &BEFORE).await;
    let after = world.lines("two", &AFTER).await;
    let asked = async |asked: AskedOfTwo| {
        let versions = world.versions(&system(), after, before).await;
        let specs = std::slice::from_ref(&world.spec);
        let changes = changes(&world.db, &system(), &versions, specs, &asked).await;
        let changes = changes.unwrap();
        let table = &changes.tables[0];
        let names = table.records.iter().map(|record| table.of.name_of(record));
        (
            names.collect::<Vec<_>>(),
            table.n_found,
            table.counts.records(),
        )
    };
    let only = |only| AskedOfTwo {
        only: Some(only),
        ..everything()
    };
    let names = |names: &[&str]| {
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        asked(only(Change::Added)).await,
        (names(&["5b", "9"]), 2, 6)
    );
    assert_eq!(asked(only(Change::Gone)).await, (names(&["4", "5"]), 2, 6));
    assert_eq!(
        asked(only(Change::Changed)).await,
        (names(&["3", "2"]), 2, 6)
    );
    let text = |text: &str| AskedOfTwo {
        text: Some(text.to_owned()),
        ..everything()
    };
    // An old value, whatever its case; and nothing in it is a pattern or ends the statement.
    assert_eq!(asked(text("OTHER text")).await.0, names(&["3"]));
    assert_eq!(asked(text("40")).await.0, names(&["2"]));
    for odd in ["%", "'; DROP TABLE submission; --", "\0", "\\"] {
        assert_eq!(asked(text(odd)).await.0, names(&[]), "{odd}");
    }
    let page = AskedOfTwo {
        skipped: 4,
        limit: 4,
        ..AskedOfTwo::default()
    };
    assert_eq!(asked(page).await, (names(&["2", "5"]), 6, 6));
}

#[tokio::test]
async fn a_key_that_is_there_twice_is_compared_one_by_one() {
    let world = world().await;
    let lines = |second| {
        [
            ("1", "a", Some("1")),
            ("1", "b", Some(second)),
            ("2", "c", Some("3")),
        ]
    };
    let before = world.lines("one", &lines("2")).await;
    let after = world.lines("two", &lines("5")).await;
    let once = world.lines("three", &lines("2")[1..]).await;
    let (told, _) = world.told(before, after, &everything()).await;
    assert_eq!(told, ["1 band_a: 2 at Form!E3 is 5 at Form!E3 by 3 150.0%"]);
    let (_, counts) = world.told(before, once, &everything()).await;
    assert_eq!(counts[2], 1, "one of the two is gone");
}

#[tokio::test]
async fn versions_of_another_version_of_the_return_are_compared_in_what_both_ask() {
    let mut world = world().await;
    let before = world.lines("one", &BEFORE[..2]).await;
    world.submit(before).await;
    let old_spec = world.spec.clone();
    let mut spec = old_spec.clone();
    "2.0".clone_into(&mut spec.version);
    spec.valid_from = day("2026-07-01");
    let items = &mut spec.tables[0].items;
    // It does not ask for the text any more, asks for something new, and for the figure with places.
    items.remove(1);
    items[1].kind = spec::ItemKind::Decimal { scale: 2 };
    let mut new_item = items[1].clone();
    "band_b".clone_into(&mut new_item.name);
    new_item.required = false;
    items.push(new_item);
    let organisations = testkit::returns::organisations();
    let specs = [old_spec.clone(), spec.clone()];
    publish_returns(&world.owner, &system(), &specs, &organisations)
        .await
        .unwrap();
    let q2 = financial_quarter("2026-27-Q2", "2026-07-01", "2026-09-30");
    let (opens, due) = (day("2026-07-01"), day("2026-10-31"));
    open_cycle(&world.db, &system(), &spec, &q2, opens, due)
        .await
        .unwrap();
    let upload = NewUpload {
        period: "2026-27-Q2".to_owned(),
        ..world.upload("two", "two")
    };
    let after = world.receive(upload).await.unwrap().submission_id;
    let mut rows = block(&[("2", "", Some("41.50")), ("1", "", Some("7.00"))]);
    rows.columns.remove(1);
    let mut head = world.head("two", Outcome::Ready);
    "2.0".clone_into(&mut head.version);
    let parts = [
        Part::Head(Box::new(head)),
        Part::Findings(Vec::new()),
        Part::Rows(rows),
    ];
    load(
        &world.db,
        &system(),
        after,
        &spec,
        parts.map(Ok).into_iter(),
    )
    .await
    .unwrap();
    world.spec = spec.clone();

    // What stands for the period before is what a first version is compared with, if it is asked to be.
    let found = to_compare(&world.db, &council(ARDBEG), after, None).await;
    let found = found.unwrap();
    assert_eq!(found.with.as_ref().map(|with| with.id), Some(before));
    let versions = found.versions().unwrap();
    let asked = everything();
    let changes = changes(&world.db, &system(), &versions, &specs, &asked).await;
    let changes = changes.unwrap();
    let (lines, counts) = told(&changes);
    assert_eq!(
        lines,
        ["2 band_a: 40 at Form!E3 is 41.50 at Form!E2 by 1.50 3.8%"]
    );
    assert_eq!(counts, [1, 0, 0, 1]);
    assert_eq!(
        changes.not_compared,
        ["Form: band_a's title", "Form: organisation's title"]
    );
}

#[tokio::test]
async fn what_is_not_there_to_compare_is_said() {
    let world = world().await;
    let ready = world.lines("one", &BEFORE).await;
    let refused = world.send("two", Outcome::Refused).await;
    let waiting = world
        .receive(world.upload("three", "three"))
        .await
        .unwrap()
        .submission_id;
    let nil = NewUpload {
        file_name: "nothing-to-report.txt".to_owned(),
        ..world.upload("nil", "nil")
    };
    let nil = declare_nil(&world.db, &world.files, &council(ARDBEG), nil)
        .await
        .unwrap()
        .submission_id;
    let why = async |id| {
        let versions = world.versions(&system(), id, ready).await;
        let specs = std::slice::from_ref(&world.spec);
        let changes = changes(&world.db, &system(), &versions, specs, &everything()).await;
        let changes = changes.unwrap();
        assert!(changes.tables.is_empty());
        changes.nothing_in
    };
    assert_eq!(why(refused).await, (None, Some(NothingIn::NotRead)));
    assert_eq!(why(waiting).await, (None, Some(NothingIn::NotChecked)));
    assert_eq!(why(nil).await, (None, Some(NothingIn::Nil)));
    // The last version with something in it is what a newer one is compared with.
    let found = to_compare(&world.db, &system(), waiting, None)
        .await
        .unwrap();
    assert_eq!(found.with.map(|with| with.id), Some(refused));
    assert_eq!(found.others.len(), 3);
    let first = to_compare(&world.db, &system(), ready, None).await.unwrap();
    assert_eq!(first.with, None);
}

#[tokio::test]
async fn only_who_may_see_both_versions_compares_them() {
    let world = world().await;
    let first = world.lines("one", &BEFORE).await;
    let second = world.lines("two", &AFTER).await;
    world.submit(second).await;
    let asked = async |actor: &Actor, id, with| to_compare(&world.db, actor, id, with).await;
    for with in [None, Some(first)] {
        assert!(asked(&council(ARDBEG), second, with).await.is_ok());
        let brora = asked(&council(BRORA), second, with).await;
        assert!(matches!(brora, Err(Denied::NotThere)), "{brora:?}");
    }
    // A team does not see what was never handed over, nor that it is there.
    let team = person(Role::DatasetTeam, Reach::Return("form".to_owned()));
    let found = asked(&team, second, None).await.unwrap();
    assert_eq!((found.with, found.others), (None, Vec::new()));
    let draft = asked(&team, second, Some(first)).await;
    assert!(matches!(draft, Err(Denied::NotThere)), "{draft:?}");
    // Counts are all that these see.
    let planner = person(Role::Scheduler, Reach::Everything);
    let planner = asked(&planner, second, Some(first)).await;
    assert!(matches!(planner, Err(Denied::Forbidden)), "{planner:?}");
    let nobody = asked(&Actor::nobody(), second, None).await;
    assert!(matches!(nobody, Err(Denied::SignInNeeded)), "{nobody:?}");
    // Whoever has both does not get past the matrix either.
    let versions = world.versions(&council(ARDBEG), second, first).await;
    let specs = std::slice::from_ref(&world.spec);
    let denied = changes(&world.db, &team, &versions, specs, &everything()).await;
    assert!(matches!(denied, Err(Denied::NotThere)), "{denied:?}");
}

#[tokio::test]
async fn a_spreadsheet_has_every_change_and_no_formula() {
    let world = world().await;
    let before = world.lines("one", &BEFORE[1..4]).await;
    let after = [
        ("2", "figure", Some("37")),
        ("3", "=1+1", Some("7")),
        ("=9", "comes", Some("0")),
    ];
    let after = world.lines("two", &after).await;
    let versions = world.versions(&council(ARDBEG), after, before).await;
    let mut out = Vec::new();
    let specs = std::slice::from_ref(&world.spec);
    let n = changes_csv(&world.db, &council(ARDBEG), &versions, specs, &mut out).await;
    assert_eq!(n.unwrap(), 4);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "\u{feff}table,change,record,item,before,now,difference,difference_percent,cell_before,cell_now
form,changed,2,band_a,40,37,-3,-7.5,Form!E2,Form!E2
form,changed,3,organisation,text,'=1+1,,,Form!D3,Form!D3
form,gone,4,line,4,,,,Form!A4,
form,gone,4,organisation,goes,,,,Form!D4,
form,gone,4,band_a,7,,,,Form!E4,
form,added,'=9,line,,'=9,,,,Form!A4
form,added,'=9,organisation,,comes,,,,Form!D4
form,added,'=9,band_a,,0,,,,Form!E4
"
    );
}

#[tokio::test]
async fn findings_are_new_mended_or_still_there() {
    let world = world().await;
    let found = |row: u32| {
        let rule = "form.a-query".into();
        let key = finding::FindingKey::new(&rule, Some("form"), None, &[&row.to_string()], 0);
        Finding {
            key: Some(key),
            ..a_finding(Severity::Query)
        }
        .at_cell(format!("Form!E{row}").parse().unwrap())
    };
    let mut ids = Vec::new();
    for (bytes, rows) in [("one", [2, 3, 4]), ("two", [3, 4, 9])] {
        let id = world
            .receive(world.upload(bytes, bytes))
            .await
            .unwrap()
            .submission_id;
        let mut head = world.head(bytes, Outcome::NeedsExplanation);
        head.counts[0].n = 3;
        let findings = rows.map(found).to_vec();
        let mut parts = vec![Part::Head(Box::new(head)), Part::Findings(findings)];
        parts.extend((0..2).map(|row| Part::Rows(a_row(row, bytes))));
        let parts = parts.into_iter().map(Ok);
        load(&world.db, &system(), id, &world.spec, parts)
            .await
            .unwrap();
        ids.push(id);
    }
    let versions = world.versions(&system(), ids[1], ids[0]).await;
    let specs = std::slice::from_ref(&world.spec);
    let changes = changes(&world.db, &system(), &versions, specs, &everything()).await;
    let rules: Vec<String> = changes
        .unwrap()
        .findings
        .iter()
        .map(|rule| {
            format!(
                "{} {} new {} {:?} gone {} {:?} stay {}",
                rule.rule,
                rule.severity,
                rule.n_new,
                rule.new_places,
                rule.n_gone,
                rule.gone_places,
                rule.n_stay
            )
        })
        .collect();
    assert_eq!(
        rules,
        [r#"form.a-query query new 1 ["Form!E9"] gone 1 ["Form!E2"] stay 2"#]
    );
}
