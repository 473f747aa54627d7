//! A return that changed twice in five years is one table, and every value of it leads to the cell it was read from.

use spec::{Item, ItemKind, ItemLineage, Lineage as Said, PeriodKind, TableLineage};
use testkit::returns::tested;

use super::*;

pub(super) fn year(n: i32) -> Period {
    Period::parse(PeriodKind::FinancialYear, &format!("20{n}-{}", n + 1)).unwrap()
}

/// Was, now, codes that are others now, and a note.
type Entry<'a> = (
    &'a [&'a str],
    &'a [&'a str],
    &'a [(&'a str, &'a str)],
    Option<&'a str>,
);

pub(super) fn lineage(version: &str, items: &[Entry<'_>]) -> Said {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let items = items.iter().map(|(was, now, codes, note)| ItemLineage {
        table: "case".to_owned(),
        was: owned(was),
        now: owned(now),
        breaks: was.len() == 1 && was == now && codes.is_empty(),
        codes: codes
            .iter()
            .map(|(was, now)| ((*was).to_owned(), (*now).to_owned()))
            .collect(),
        note: note.map(str::to_owned),
        provenance: tested(),
    });
    Said {
        version: version.to_owned(),
        tables: Vec::new(),
        items: items.collect(),
    }
}

fn version(version: &str, from: i32, items: Vec<Item>, said: Option<Said>) -> ReturnSpec {
    let mut spec = cases();
    version.clone_into(&mut spec.version);
    spec.hash = format!("hash of {version}");
    spec.period_kind = PeriodKind::FinancialYear;
    spec.accumulation = spec::Accumulation::Replace;
    spec.valid_from = year(from).start;
    spec.tables[0].items = items;
    spec.lineage = said;
    spec
}

/// Items of the cases by their names now, each as it is called here.
fn items(names: &[(&str, &str)]) -> Vec<Item> {
    let all = cases().tables.remove(0).items;
    let named = names.iter().map(|(of, name)| {
        let item = all.iter().find(|item| item.name == *of).unwrap();
        Item {
            // Any code, of the one that has codes.
            schema: match *of {
                "KIND" => serde_json::json!({"type": "string"}),
                _ => item.schema.clone(),
            },
            name: (*name).to_owned(),
            title: format!("{name} in words"),
            ..item.clone()
        }
    });
    named.collect()
}

/// What is counted in 1 is split in 2; a name and a code change in 2, another name in 3, and a unit too.
pub(super) fn versions() -> Vec<ReturnSpec> {
    let one = items(&[
        ("REF", "REF"),
        ("N", "HOMES"),
        ("COST", "COST"),
        ("KIND", "SORT"),
    ]);
    let two = items(&[
        ("REF", "REF"),
        ("N", "FLATS"),
        ("N", "HOUSES"),
        ("COST", "COST"),
        ("KIND", "TYPE"),
    ]);
    let mut three = items(&[
        ("REF", "REF"),
        ("COST", "FLATS"),
        ("N", "HOUSES"),
        ("COST", "COST"),
        ("KIND", "KIND"),
        ("URGENT", "URGENT"),
    ]);
    // Whole numbers became decimals, which goes on; pounds became thousands, which does not.
    three[3].unit = Some("£000".to_owned());
    let said_two = lineage(
        "1",
        &[
            (
                &["HOMES"],
                &["FLATS", "HOUSES"],
                &[],
                Some("Counted together until then."),
            ),
            (&["SORT"], &["TYPE"], &[("x", "b")], None),
        ],
    );
    let said_three = lineage(
        "2",
        &[
            (&["TYPE"], &["KIND"], &[("b", "a")], None),
            (&["COST"], &["COST"], &[], Some("In thousands since.")),
        ],
    );
    vec![
        version("1", 20, one, None),
        version("2", 22, two, Some(said_two)),
        version("3", 24, three, Some(said_three)),
    ]
}

/// Each version's year is collected with it.
pub(super) async fn collected(database: &TestDb, versions: &[ReturnSpec]) -> Db {
    let db = database.connect().await;
    let owner = database.connect_as_owner().await;
    let mut tx = owner.begin(&Sees::Everyone).await.unwrap();
    for organisation in &testkit::returns::organisations().0 {
        organisations::put(&mut tx, organisation).await.unwrap();
    }
    for (spec, years) in versions.iter().zip([20..22, 22..24, 24..25]) {
        returns::publish(&mut tx, spec).await.unwrap();
        records::ensure_tables(&mut tx, spec).await.unwrap();
        for n in years {
            let period = year(n);
            let cycle = cycles::NewCycle {
                return_id: &spec.id,
                version: &spec.version,
                period: &period,
                opens_on: period.end,
                due_on: period.end,
            };
            let id = cycles::put(&mut tx, &cycle).await.unwrap().id;
            cycles::oblige(&mut tx, id, &spec.respondents.types, &[])
                .await
                .unwrap();
        }
    }
    tx.commit().await.unwrap();
    db
}

pub(super) async fn sent(db: &Db, spec: &ReturnSpec, n: i32, rows: &[&[Option<&str>]]) -> Uuid {
    let sent = Sent {
        organisation: ARDBEG,
        period: year(n),
        outcome: Outcome::Ready,
        handed_over: ACCEPTED,
        file_name: "cases.csv",
        rows,
    };
    send(db, spec, &sent).await
}

async fn five_years(db: &Db, versions: &[ReturnSpec]) -> Vec<Uuid> {
    let [one, two, three] = versions else {
        panic!("{}", versions.len())
    };
    let n = |value: &'static str| Some(value);
    vec![
        sent(db, one, 20, &[&[n("a"), n("5"), n("1.50"), n("x")]]).await,
        sent(db, one, 21, &[&[n("a"), n("6"), None, n("y")]]).await,
        sent(db, two, 22, &[&[n("a"), n("3"), n("4"), n("2.00"), n("b")]]).await,
        sent(db, two, 23, &[&[n("a"), None, n("4"), n("2.00"), n("a")]]).await,
        sent(
            db,
            three,
            24,
            &[&[n("a"), n("3.50"), n("4"), n("0.20"), n("a"), n("true")]],
        )
        .await,
    ]
}

/// What counts of some years, with the words of the newest version.
pub(super) async fn of_years(db: &Db, versions: &[ReturnSpec], from: i32, to: i32) -> Manifest {
    let newest = versions.last().unwrap();
    let (from, to) = (year(from), year(to));
    let rounds = WhichRounds {
        from: &from,
        to: &to,
    };
    let whose = WhoseRecords {
        sees: &Sees::Everyone,
        organisations: &[],
        only_accepted: false,
    };
    let mut tx = db.begin_snapshot(&Sees::Everyone).await.unwrap();
    read_manifest(&mut tx, versions, newest, rounds, whose)
        .await
        .unwrap()
}

async fn over_five_years(
    db: &Db,
    versions: &[ReturnSpec],
    asked: &Asked,
) -> (Manifest, Arc<Shape>) {
    let manifest = of_years(db, versions, 20, 24).await;
    let shape = Shape::of(versions, &versions[2], "case", &manifest, asked).unwrap();
    (manifest, Arc::new(shape))
}

async fn csv_over(
    db: &Db,
    versions: &[ReturnSpec],
    (manifest, shape): &(Manifest, Arc<Shape>),
) -> String {
    let mut out = Vec::new();
    let from = From {
        db,
        sees: &Sees::Everyone,
        versions,
    };
    write_text(from, manifest, shape, Format::Csv, &mut out)
        .await
        .unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn five_years_of_a_return_that_changed_twice_are_one_table() {
    let database = TestDb::new();
    let versions = versions();
    let db = collected(&database, &versions).await;
    five_years(&db, &versions).await;
    let asked = Asked {
        lineage: Lineage::None,
        labels: false,
        items: Vec::new(),
    };
    let made = over_five_years(&db, &versions, &asked).await;
    let text = csv_over(&db, &versions, &made).await;
    let lines: Vec<&str> = text
        .lines()
        .map(|line| {
            line.split_once("state,")
                .or(line.split_once("accepted,"))
                .unwrap()
                .1
        })
        .collect();
    assert_eq!(
        lines,
        [
            "REF,FLATS,HOUSES,COST,KIND,URGENT,COST_until_2,HOMES,not_asked_for",
            "a,,,,a,,1.50,5,FLATS; HOUSES; COST; URGENT",
            "a,,,,y,,,6,FLATS; HOUSES; COST; URGENT",
            "a,3,4,,a,,2.00,,COST; URGENT; HOMES",
            "a,,4,,a,,2.00,,COST; URGENT; HOMES",
            "a,3.50,4,0.20,a,true,,,COST_until_2; HOMES",
        ]
    );
    let told: Vec<String> = made
        .1
        .mapping
        .iter()
        .map(|mapped| format!("{}: {}", mapped.column, mapped.in_words()))
        .collect();
    assert_eq!(
        told,
        [
            "FLATS: Until 2021-22 (version 1) nobody was asked for it.",
            "HOUSES: Until 2021-22 (version 1) nobody was asked for it.",
            "COST: Until 2023-24 (version 2) nobody was asked for it.",
            "COST: Until 2021-22 (version 1) nobody was asked for it.",
            "KIND: Until 2023-24 (version 2) called TYPE, \"TYPE in words\".",
            "KIND: Until 2023-24 (version 2) the code b stood for what is a now.",
            "KIND: Until 2021-22 (version 1) called SORT, \"SORT in words\".",
            "KIND: Until 2021-22 (version 1) the code b stood for what is a now.",
            "KIND: Until 2021-22 (version 1) the code x stood for what is a now.",
            "URGENT: Until 2023-24 (version 2) nobody was asked for it.",
            "URGENT: Until 2021-22 (version 1) nobody was asked for it.",
            "COST_until_2: Until 2023-24 (version 2) as COST, and not since: In thousands since.",
            "HOMES: Until 2021-22 (version 1) as HOMES, and since then as FLATS, HOUSES: Counted together until then.",
        ]
    );
}

#[tokio::test]
async fn a_value_of_the_first_year_leads_to_the_cell_of_the_old_item_also_through_a_release() {
    let database = TestDb::new();
    let versions = versions();
    let db = collected(&database, &versions).await;
    let ids = five_years(&db, &versions).await;
    let (manifest, shape) = over_five_years(&db, &versions, &Asked::default()).await;
    let text = csv_over(&db, &versions, &(manifest.clone(), shape)).await;
    let cells = columns_of(
        &text,
        &[
            "submission_id",
            "KIND_cell",
            "HOMES_cell",
            "COST_until_2_cell",
        ],
    );
    // SORT is the fourth item of the first version, in column F of its file.
    assert_eq!(cells[0], format!("{} F2 D2 E2", ids[0]));
    assert_eq!(cells[4], format!("{} G2  ", ids[4]));

    let settings = release::Settings {
        lineage: Lineage::Cell,
        labels: true,
        after: None,
        protection: None,
    };
    let into = built(&db, &versions, &manifest, &settings).await;
    let released = std::fs::read_to_string(into.path().join("case.csv")).unwrap();
    assert_eq!(released, text);
    let notes = std::fs::read_to_string(into.path().join("notes.txt")).unwrap();
    assert!(
        notes.contains("Between versions: KIND: Until 2021-22 (version 1) called SORT"),
        "{notes}"
    );
}

/// The files of a release under the newest version.
async fn built(
    db: &Db,
    versions: &[ReturnSpec],
    manifest: &Manifest,
    settings: &release::Settings,
) -> tempfile::TempDir {
    let edition = release::Edition {
        spec: versions.last().unwrap(),
        manifest,
        settings,
        kind: "final",
        notes: "",
        drafted_on: testkit::returns::day("2026-07-01"),
        before: &[],
    };
    let from = From {
        db,
        sees: &Sees::Everyone,
        versions,
    };
    let into = tempfile::tempdir().unwrap();
    release::build(from, &edition, into.path()).await.unwrap();
    into
}

/// The first version has another table, which is called otherwise in the second and not asked for by the third.
fn with_a_table_that_ended() -> Vec<ReturnSpec> {
    let mut versions = versions();
    for (version, name) in versions.iter_mut().zip(["visit", "call"]) {
        let mut table = version.tables[0].clone();
        name.clone_into(&mut table.name);
        version.tables.push(table);
    }
    let became = |was: &str, now: Option<&str>, note: Option<&str>| TableLineage {
        was: was.to_owned(),
        now: now.map(str::to_owned),
        note: note.map(str::to_owned),
        provenance: tested(),
    };
    let said = [
        became("visit", Some("call"), None),
        became("call", None, Some("Nobody read it.")),
    ];
    for (version, said) in versions.iter_mut().skip(1).zip(said) {
        version.lineage.as_mut().unwrap().tables.push(said);
    }
    versions
}

#[tokio::test]
async fn a_table_that_ended_is_told_of_once_with_why_and_where_it_still_is() {
    let database = TestDb::new();
    let versions = with_a_table_that_ended();
    let db = collected(&database, &versions).await;
    five_years(&db, &versions).await;
    let asked = Asked::default();
    let told = |manifest: &Manifest| -> Vec<String> {
        let shape = Shape::of(&versions, &versions[2], "case", manifest, &asked).unwrap();
        let all = shape.mapping.iter();
        all.filter(|mapped| matches!(mapped.column.as_str(), "visit" | "call"))
            .map(|mapped| format!("{}: {}", mapped.column, mapped.in_words()))
            .collect()
    };
    let manifest = of_years(&db, &versions, 20, 24).await;
    let until = |table: &str, until: &str| {
        format!(
            "{table}: Until {until} a table of its own, which datasets and releases up to that period have and this one does not, and not since: Nobody read it."
        )
    };
    let ended = until("call", "2023-24 (version 2)");
    assert_eq!(told(&manifest), [ended.as_str()]);
    // It is no part of what was collected with the newest version alone.
    assert!(told(&of_years(&db, &versions, 24, 24).await).is_empty());

    let settings = release::Settings {
        lineage: Lineage::None,
        labels: false,
        after: None,
        protection: None,
    };
    let into = built(&db, &versions, &manifest, &settings).await;
    let notes = std::fs::read_to_string(into.path().join("notes.txt")).unwrap();
    let line = format!("Between versions: {ended}");
    assert_eq!(notes.matches(&line).count(), 1, "{notes}");
}

#[tokio::test]
async fn without_a_word_of_lineage_what_is_called_the_same_goes_on_unless_it_is_another_thing() {
    let database = TestDb::new();
    let mut versions = versions();
    for spec in &mut versions {
        spec.lineage = None;
    }
    versions[0].tables[0].items[3] = Item {
        kind: ItemKind::Integer,
        schema: serde_json::json!({"type": "integer"}),
        ..versions[0].tables[0].items[3].clone()
    };
    let db = collected(&database, &versions).await;
    let n = |value: &'static str| Some(value);
    sent(
        &db,
        &versions[0],
        20,
        &[&[n("a"), n("5"), n("1.50"), n("7")]],
    )
    .await;
    let made = over_five_years(&db, &versions, &Asked::default()).await;
    let columns: Vec<&str> = made
        .1
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    for name in ["COST", "COST_until_1", "SORT", "KIND"] {
        assert!(columns.contains(&name), "{name}: {columns:?}");
    }
    assert!(
        !columns.contains(&"TYPE"),
        "nothing was collected with version 2"
    );
    let text = csv_over(&db, &versions, &made).await;
    assert_eq!(
        columns_of(&text, &["COST", "COST_until_1", "SORT"]),
        [" 1.50 7"]
    );
}

#[test]
fn tables_that_last_over_the_versions_have_the_same_columns_whoever_sent_the_rows() {
    let mut versions = versions();
    // A table that the newest version has dropped is still there.
    let mut dropped = versions[0].tables[0].clone();
    "visit".clone_into(&mut dropped.name);
    versions[0].tables.push(dropped);
    let all: Vec<Vec<Shape>> = [year(20), year(24)]
        .iter()
        .map(|period| {
            let manifest = Manifest {
                return_id: versions[0].id.clone(),
                from: period.into(),
                to: period.into(),
                accumulates: false,
                only_accepted: true,
                organisations: Vec::new(),
                submissions: Vec::new(),
                missing: Vec::new(),
                versions: Vec::new(),
                codes: Vec::new(),
            };
            Shape::of_all_versions(&versions, &manifest, &Asked::default()).unwrap()
        })
        .collect();
    let names = |shape: &Shape| -> Vec<String> {
        let names = shape.columns.iter().map(|column| column.name.clone());
        names
            .filter(|name| name.chars().any(|one| one.is_ascii_uppercase()))
            .collect()
    };
    let [first, last] = all.as_slice() else {
        panic!("{}", all.len())
    };
    let tables: Vec<&str> = first.iter().map(|shape| shape.table.as_str()).collect();
    assert_eq!(tables, ["case", "visit"]);
    assert_eq!(names(&first[0]), names(&last[0]));
    let of_items: Vec<String> = names(&first[0])
        .into_iter()
        .filter(|name| !name.ends_with("_cell") && !name.ends_with("_label"))
        .collect();
    assert_eq!(
        of_items,
        [
            "REF",
            "FLATS",
            "HOUSES",
            "COST",
            "KIND",
            "URGENT",
            "COST_until_2",
            "HOMES"
        ]
    );
}
