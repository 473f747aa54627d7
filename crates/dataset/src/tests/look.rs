//! What records come to, beside the rows of the consolidated dataset that they are made of.

use crate::look::{Exact, Found, Look, Standing, SumOf, What, last_periods, look, total};

use super::versions::{collected, of_years, sent, versions, year};
use super::*;

/// A look at what counts up to a period.
async fn looked(db: &Db, spec: &ReturnSpec, period: &Period, sees: Sees, what: &What) -> Look {
    let mut tx = db.begin_snapshot(&sees).await.unwrap();
    let periods = last_periods(&mut tx, spec, period, 12).await.unwrap();
    drop(tx);
    let first = periods.first().unwrap();
    let wanted = Wanted {
        from: Some(financial_quarter(
            &first.label,
            &first.start.to_string(),
            &first.end.to_string(),
        )),
        sees,
        columns: Asked {
            items: what.items(),
            lineage: Lineage::None,
            labels: true,
        },
        ..everything()
    };
    let (short, shape) = made(db, spec, period, &wanted).await;
    let mut tx = db.begin_snapshot(&wanted.sees).await.unwrap();
    let rounds = WhichRounds {
        from: wanted.from.as_ref().unwrap(),
        to: period,
    };
    let whose = WhoseRecords {
        sees: &wanted.sees,
        organisations: wanted.organisations,
        only_accepted: wanted.only_accepted,
    };
    let manifest = read_long_manifest(&mut tx, std::slice::from_ref(spec), spec, rounds, whose)
        .await
        .unwrap();
    assert_eq!(manifest, short, "however it is found who is missing");
    let of = (std::slice::from_ref(spec), spec);
    let found = look(&mut tx, of, (&manifest, &shape), periods, what).await;
    match found.unwrap() {
        Found::Look(look) => look,
        Found::NotYet(organisations) => panic!("nobody has added up {organisations:?}"),
    }
}

/// `Ardbeg 2026-27-Q1 accepted 5`, a line for each point.
fn told(look: &Look) -> Vec<String> {
    let points = look.points.iter();
    points
        .map(|point| {
            let figure = point.figure.map(|figure| figure.text(look.places));
            format!(
                "{} {} {} {}",
                point.name,
                look.periods[point.period_idx].label,
                point.standing.as_str(),
                figure.as_deref().unwrap_or("-"),
            )
        })
        .collect()
}

/// A column of the consolidated dataset, added up.
async fn added_up(db: &Db, spec: &ReturnSpec, period: &Period, column: &str) -> Exact {
    let text = csv_of(db, spec, period).await;
    let figures = columns_of(&text, &[column]);
    let filled = figures.iter().filter(|figure| !figure.is_empty());
    total(filled.map(|figure| Exact::parse(figure).unwrap())).unwrap()
}

fn of_period(look: &Look, period_idx: usize) -> Exact {
    total(look.of_period(period_idx).filter_map(|point| point.figure)).unwrap()
}

fn line(line: &str) -> What {
    What::Line {
        line_item: "line".to_owned(),
        line: line.to_owned(),
        item: "band_a".to_owned(),
    }
}

#[tokio::test]
async fn a_figure_of_a_form_is_its_own_and_leads_to_its_cell() {
    let database = TestDb::new();
    let spec = form();
    let db = collecting(&spec, &database).await;
    let rows: &[&[Option<&str>]] = &[
        &[Some("1"), None, Some("5")],
        &[Some("2"), None, Some("600")],
    ];
    let sent = send(&db, &spec, &a_form(ARDBEG, Outcome::Ready, ACCEPTED, rows)).await;
    let later = Sent {
        period: q2(),
        ..a_form(
            BRORA,
            Outcome::Ready,
            SUBMITTED,
            &[&[Some("1"), None, Some("7")]],
        )
    };
    send(&db, &spec, &later).await;

    let found = looked(&db, &spec, &q2(), Sees::Everyone, &line("1")).await;
    assert_eq!(
        told(&found),
        [
            "Ardbeg 2026-27-Q1 accepted 5",
            "Brora 2026-27-Q1 missing -",
            "Ardbeg 2026-27-Q2 missing -",
            "Brora 2026-27-Q2 submitted 7",
        ]
    );
    let value = found.points[0].value.as_ref().unwrap();
    assert_eq!((value.submission_id, value.row_number), (sent, 2));
    assert_eq!(
        (value.table.as_str(), value.item.as_str()),
        ("form", "band_a")
    );
    let second = looked(&db, &spec, &q1(), Sees::Everyone, &line("2")).await;
    assert_eq!(
        told(&second),
        [
            "Ardbeg 2026-27-Q1 accepted 600",
            "Brora 2026-27-Q1 missing -"
        ]
    );

    let own = Sees::Organisations(vec![BRORA.to_owned()]);
    let seen = looked(&db, &spec, &q2(), own, &line("1")).await;
    assert_eq!(
        told(&seen),
        ["Brora 2026-27-Q1 missing -", "Brora 2026-27-Q2 submitted 7"],
        "nothing of another"
    );
}

#[tokio::test]
async fn what_accumulates_comes_to_what_the_rows_of_each_period_come_to() {
    let database = TestDb::new();
    let spec = cases();
    let db = collecting(&spec, &database).await;
    let case = |reference: &'static str, cost: &'static str, urgent: &'static str| {
        [Some(reference), None, Some(cost), None, Some(urgent), None]
    };
    let (a, b) = (case("a", "-1.50", "true"), case("b", "2.00", "false"));
    let (b_again, c) = (case("b", "3.25", "true"), case("c", "0.10", "false"));
    send(&db, &spec, &some_cases(q1(), ACCEPTED, &[&a, &b])).await;
    send(&db, &spec, &some_cases(q2(), SUBMITTED, &[&b_again, &c])).await;

    let costs = What::Figures {
        item: "COST".to_owned(),
        sum: SumOf::Total,
    };
    let found = looked(&db, &spec, &q2(), Sees::Everyone, &costs).await;
    assert_eq!(
        told(&found),
        [
            "Ardbeg 2026-27-Q1 accepted 0.50",
            "Brora 2026-27-Q1 missing -",
            "Ardbeg 2026-27-Q2 submitted 1.85",
            "Brora 2026-27-Q2 missing -",
        ]
    );
    for (idx, period) in [q1(), q2()].iter().enumerate() {
        assert_eq!(
            of_period(&found, idx),
            added_up(&db, &spec, period, "COST").await
        );
    }
    let middle = What::Figures {
        item: "COST".to_owned(),
        sum: SumOf::Middle,
    };
    let found = looked(&db, &spec, &q2(), Sees::Everyone, &middle).await;
    assert_eq!(told(&found)[2], "Ardbeg 2026-27-Q2 submitted 0.10");

    let urgent = |code: Option<&str>| What::Coded {
        item: "URGENT".to_owned(),
        code: code.map(str::to_owned),
    };
    let all = looked(&db, &spec, &q2(), Sees::Everyone, &urgent(None)).await;
    let codes: Vec<(&str, u64)> = all
        .codes
        .iter()
        .map(|(code, _, n_records)| (code.as_str(), *n_records))
        .collect();
    assert_eq!(codes, [("true", 2), ("false", 1)], "as they are now");
    let only = looked(&db, &spec, &q2(), Sees::Everyone, &urgent(Some("false"))).await;
    assert_eq!(
        told(&only),
        [
            "Ardbeg 2026-27-Q1 accepted 1",
            "Brora 2026-27-Q1 missing -",
            "Ardbeg 2026-27-Q2 submitted 1",
            "Brora 2026-27-Q2 missing -",
        ]
    );
    let records = looked(&db, &spec, &q2(), Sees::Everyone, &What::Records).await;
    for (idx, period) in [q1(), q2()].iter().enumerate() {
        let rows = csv_of(&db, &spec, period).await.lines().count() - 1;
        assert_eq!(of_period(&records, idx).text(0), rows.to_string());
    }
    assert_eq!(records.points[2].standing.as_str(), "submitted");
    assert_eq!(records.points[3].standing, Standing::Missing);

    let csv = String::from_utf8(records.csv().unwrap()).unwrap();
    let names = ["organisation_name", "period", "submission_state", "figure"];
    assert_eq!(columns_of(&csv, &names)[2], "Ardbeg 2026-27-Q2 submitted 3");
}

#[tokio::test]
async fn whoever_need_not_answer_any_more_still_has_what_it_sent() {
    let database = TestDb::new();
    let spec = cases();
    let db = collecting(&spec, &database).await;
    let a = [Some("a"), None, Some("4.00"), None, None, None];
    send(&db, &spec, &some_cases(q1(), ACCEPTED, &[&a])).await;
    let owner = database.connect_as_owner().await;
    let mut tx = owner.begin(&Sees::Everyone).await.unwrap();
    let duty = cycles::duty(&mut tx, ARDBEG, &spec.id, &q2().label).await;
    let id = duty.unwrap().unwrap().obligation_id.unwrap();
    let by = db::explanations::By {
        id: ActorId::System,
        name: "someone",
    };
    cycles::dates::require(&mut tx, (id, ARDBEG), false, "a reason", by)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let found = looked(&db, &spec, &q2(), Sees::Everyone, &What::Records).await;
    assert_eq!(told(&found)[2], "Ardbeg 2026-27-Q2 earlier 1");
    assert_eq!(csv_of(&db, &spec, &q2()).await.lines().count(), 2);
}

#[tokio::test]
async fn codes_are_counted_by_what_they_are_called_now() {
    let database = TestDb::new();
    let versions = versions();
    let db = collected(&database, &versions).await;
    let n = |value: &'static str| Some(value);
    // What was x and then b is a now; y is nothing else.
    let [one, two, three] = &versions[..] else {
        panic!("three versions");
    };
    let first = [
        [n("a"), None, None, n("x")],
        [n("b"), None, None, n("y")],
        [n("c"), None, None, n("x")],
    ];
    let first: Vec<&[Option<&str>]> = first.iter().map(|row| &row[..]).collect();
    sent(&db, one, 20, &first).await;
    sent(&db, two, 22, &[&[n("a"), None, None, None, n("b")]]).await;
    sent(&db, three, 24, &[&[n("a"), None, None, None, n("a"), None]]).await;

    let what = What::Coded {
        item: "KIND".to_owned(),
        code: Some("a".to_owned()),
    };
    let asked = Asked {
        items: what.items(),
        lineage: Lineage::None,
        labels: false,
    };
    let manifest = of_years(&db, &versions, 20, 24).await;
    let shape = Shape::of(&versions, three, "case", &manifest, &asked).unwrap();
    let mut tx = db.begin_snapshot(&Sees::Everyone).await.unwrap();
    let periods = last_periods(&mut tx, three, &year(24), 12).await.unwrap();
    let of = (versions.as_slice(), three);
    let found = look(&mut tx, of, (&manifest, &shape), periods, &what).await;
    let Found::Look(found) = found.unwrap() else {
        panic!("it is added up");
    };
    let ardbegs: Vec<String> = told(&found)
        .into_iter()
        .filter(|line| line.starts_with("Ardbeg") && line.contains("accepted"))
        .collect();
    assert_eq!(
        ardbegs,
        [
            "Ardbeg 2020-21 accepted 2",
            "Ardbeg 2022-23 accepted 1",
            "Ardbeg 2024-25 accepted 1",
        ]
    );
}
