//! Pictures as they are drawn.

use askama::Template;
use insta::assert_snapshot;

use super::*;

#[derive(Template)]
#[template(source = "{% include \"chart.html\" %}", ext = "html")]
struct Alone {
    chart: Chart,
}

fn drawn(drawings: Vec<Drawing>) -> String {
    let chart = Chart {
        id: "sample".to_owned(),
        title: "A title with <angles>".to_owned(),
        words: "What it shows.".to_owned(),
        drawings,
        table: Table {
            headings: headings([("Name", false), ("Figure", true)]),
            rows: vec![vec![
                Cell::plain("A & B"),
                Cell::linked("1,000", Some("/there".to_owned())),
            ]],
        },
    };
    Alone { chart }.render().unwrap()
}

fn bar(label: &str, figure: f64, fill: Fill, link: Option<&str>) -> Bar {
    Bar {
        label: label.to_owned(),
        told: figure.to_string(),
        parts: vec![(figure, fill)],
        is_strong: fill == Fill::Now,
        link: link.map(str::to_owned),
    }
}

fn some_bars() -> Bars {
    Bars {
        bars: vec![
            bar("Ardbeg", 1000.0, Fill::Now, None),
            bar("Brora", -50.0, Fill::Then, None),
            bar("Crail", 0.0, Fill::Hollow, None),
        ],
        line: Some((200.0, "middle: 200".to_owned())),
    }
}

fn rects(drawing: &Drawing) -> Vec<(f64, f64)> {
    let shapes = drawing.groups.iter().flat_map(|group| &group.shapes);
    shapes
        .filter_map(|shape| match shape {
            Shape::Rect { x, width, .. } => Some((*x, *width)),
            _ => None,
        })
        .collect()
}

#[test]
fn bars_are_drawn() {
    assert_snapshot!("bars", drawn(vec![some_bars().draw(Layout::Only)]));
}

#[test]
fn bars_are_as_long_as_their_figures_and_go_left_below_nought() {
    let drawing = some_bars().draw(Layout::Only);
    let [above, below] = rects(&drawing)[..] else {
        panic!("two bars: nought has none");
    };
    assert!(
        (above.1 - 20.0 * below.1).abs() < 1.1,
        "{above:?} {below:?}"
    );
    assert!((below.0 + below.1 - above.0).abs() < 0.2);
    assert!(above.0 + above.1 <= drawing.width);
}

#[test]
fn long_names_stand_above_their_bars_on_a_phone_and_beside_them_elsewhere() {
    let bars = Bars {
        bars: vec![
            bar("A council with a long name", 3.0, Fill::Now, Some("/a")),
            bar("Another one", 2.0, Fill::Hollow, Some("/b")),
        ],
        line: None,
    };
    let [narrow, wide] = &bars.both()[..] else {
        panic!("one for each");
    };
    assert!(rects(narrow)[0].0 < 1.0 && rects(wide)[0].0 > 150.0);
    assert!(narrow.height > wide.height);
    assert_eq!(narrow.role(), "group", "its bars can be followed");
    assert_snapshot!("bars-with-links", drawn(bars.both()));
}

#[test]
fn lines_have_gaps_where_there_is_no_figure() {
    let point = |figure: Option<f64>| Point {
        figure,
        told: figure.map_or_else(|| "none".to_owned(), |figure| figure.to_string()),
        link: None,
    };
    let lines = Lines {
        names: ["Mar 2023", "Mar 2024", "Mar 2025", "Mar 2026"]
            .map(str::to_owned)
            .into(),
        series: vec![Points {
            told: "middle organisation".to_owned(),
            points: [Some(10.0), Some(20.0), None, Some(95.0)].map(point).into(),
        }],
        band: Some(Band {
            told: "middle half".to_owned(),
            ranges: vec![Some((5.0, 15.0)), Some((10.0, 30.0)), None, None],
        }),
    };
    let drawing = lines.draw(Layout::Narrow);
    assert_eq!(drawing.role(), "img");
    let ways = drawing.groups.iter().flat_map(|group| &group.shapes);
    let ways = ways.filter(|shape| matches!(shape, Shape::Path { class: "first", .. }));
    assert_eq!(ways.count(), 1, "a figure by itself is a mark and no line");
    assert_snapshot!("lines", drawn(vec![drawing]));
}

#[test]
fn names_along_the_foot_do_not_run_into_each_other() {
    let months: Vec<String> = (0..12).map(|n| format!("Month {n:02}")).collect();
    let lines = Lines {
        series: vec![Points {
            told: "one".to_owned(),
            points: vec![
                Point {
                    figure: Some(1.0),
                    ..Point::default()
                };
                12
            ],
        }],
        names: months,
        band: None,
    };
    for drawing in lines.both() {
        let shapes = drawing.groups.iter().flat_map(|group| &group.shapes);
        let places: Vec<f64> = shapes
            .filter_map(|shape| match shape {
                Shape::Text { x, text, .. } if text.starts_with("Month") => Some(*x),
                _ => None,
            })
            .collect();
        assert!(
            places
                .windows(2)
                .all(|two| two[1] - two[0] > room_for("Month 01"))
        );
        assert!(*places.last().unwrap() + room_for("Month 11") / 2.0 <= drawing.width);
    }
}

#[test]
fn a_picture_of_nothing_is_none_the_less_drawn() {
    for drawing in Bars::default()
        .both()
        .into_iter()
        .chain(Lines::default().both())
    {
        assert!(drawing.height.is_finite() && drawing.width > 0.0);
    }
}
