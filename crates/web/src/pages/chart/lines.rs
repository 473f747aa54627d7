//! Figures over time: lines with a mark for each figure, and a band between two of them.

use std::fmt::Write as _;

use super::scale::{Scale, short, ticks};
use super::{Drawing, Group, Layout, Shape, count, room_for, rounded, widest};

const HEIGHT: f64 = 200.0;
/// For what each line is called.
const KEY_STEP: f64 = 20.0;
/// Below the lines, for the names of the periods.
const FOOT: f64 = 24.0;
const TICKS: u32 = 4;
const GAP: f64 = 8.0;

/// A line: a figure, or none, for each name along the foot.
#[derive(Debug, Clone)]
pub(in crate::pages) struct Points {
    /// What it is.
    pub(in crate::pages) told: String,
    pub(in crate::pages) points: Vec<Point>,
}

#[derive(Debug, Clone, Default)]
pub(in crate::pages) struct Point {
    pub(in crate::pages) figure: Option<f64>,
    /// `1,234`, or that there is none.
    pub(in crate::pages) told: String,
    pub(in crate::pages) link: Option<String>,
}

/// From a lower figure to a higher one, for each name.
#[derive(Debug, Clone)]
pub(in crate::pages) struct Band {
    pub(in crate::pages) told: String,
    pub(in crate::pages) ranges: Vec<Option<(f64, f64)>>,
}

/// At most two lines, which are told apart by their marks as well.
#[derive(Debug, Clone, Default)]
pub(in crate::pages) struct Lines {
    pub(in crate::pages) names: Vec<String>,
    pub(in crate::pages) series: Vec<Points>,
    pub(in crate::pages) band: Option<Band>,
}

/// Where things are.
struct Frame {
    x: Scale,
    y: Scale,
    left: f64,
    right: f64,
    foot: f64,
}

impl Lines {
    pub(in crate::pages) fn both(&self) -> Vec<Drawing> {
        Layout::BOTH.map(|layout| self.draw(layout)).into()
    }

    pub(in crate::pages) fn draw(&self, layout: Layout) -> Drawing {
        let width = layout.width();
        let of_lines = self.series.iter().flat_map(|line| &line.points);
        let of_lines = of_lines.filter_map(|point| point.figure);
        let of_band = self.band.iter().flat_map(|band| &band.ranges).flatten();
        let figures = of_lines.chain(of_band.flat_map(|(low, high)| [*low, *high]));
        // From nought, so that a small movement looks small.
        let (least, most) = figures.fold((0.0_f64, 0.0_f64), |(least, most), figure| {
            (least.min(figure), most.max(figure))
        });
        let ticks = ticks(least, most, TICKS);
        let marks: Vec<String> = ticks.iter().map(|tick| short(*tick)).collect();
        let left = widest(marks.iter().map(String::as_str)) + GAP;
        let right = width - GAP;
        let top = KEY_STEP * count(self.series.len() + usize::from(self.band.is_some())) + GAP;
        let foot = top + HEIGHT;
        let ends = (
            ticks.first().copied().unwrap_or_default(),
            ticks.last().copied().unwrap_or_default(),
        );
        let frame = Frame {
            x: Scale::new(
                (0.0, count(self.names.len().saturating_sub(1))),
                (left + GAP, right - GAP),
            ),
            y: Scale::new(ends, (foot, top)),
            left,
            right,
            foot,
        };
        let mut groups = vec![Group::of(axes(&frame, &ticks, &marks))];
        groups.push(Group::of(self.named(&frame)));
        if let Some(band) = &self.band {
            groups.push(Group::of(band.drawn(&frame)));
        }
        for (line, class) in self.series.iter().zip(["first", "second"]) {
            groups.extend(line.drawn(&frame, class, &self.names));
        }
        groups.push(Group::of(self.key()));
        Drawing {
            layout,
            width,
            height: foot + FOOT,
            groups,
        }
    }

    /// As many names as there is room for, the last one always.
    fn named(&self, frame: &Frame) -> Vec<Shape> {
        let room = widest(self.names.iter().map(String::as_str)) + GAP;
        let n_fitting = ((frame.right - frame.left) / room).floor().max(1.0);
        let n_names = count(self.names.len());
        let every = (n_names / n_fitting).ceil().max(1.0);
        let last = self.names.len().saturating_sub(1);
        let names = self.names.iter().enumerate();
        names
            .filter(|(idx, _)| count(last - idx) % every == 0.0)
            .map(|(idx, name)| {
                let x = frame.x.place(count(idx));
                let half = room_for(name) / 2.0;
                // Within the picture.
                let x = x.clamp(half, (frame.right + GAP - half).max(half));
                Shape::Text {
                    class: "quiet-text",
                    anchor: "middle",
                    x: rounded(x),
                    y: frame.foot + 16.0,
                    text: name.clone(),
                }
            })
            .collect()
    }

    /// What each line and the band is.
    fn key(&self) -> Vec<Shape> {
        let mut shapes = Vec::new();
        let lines = self.series.iter().zip(["first", "second"]);
        let mut y = KEY_STEP / 2.0;
        for (line, class) in lines {
            shapes.push(mark(class, (8.0, y)));
            shapes.push(told(&line.told, y));
            y += KEY_STEP;
        }
        if let Some(band) = &self.band {
            shapes.push(Shape::Rect {
                class: "band",
                x: 2.0,
                y: y - 6.0,
                width: 12.0,
                height: 12.0,
            });
            shapes.push(told(&band.told, y));
        }
        shapes
    }
}

fn told(text: &str, y: f64) -> Shape {
    Shape::Text {
        class: "name",
        anchor: "start",
        x: 20.0,
        y: y + 4.0,
        text: text.to_owned(),
    }
}

/// Round for the first line, square for the second.
fn mark(class: &'static str, (x, y): (f64, f64)) -> Shape {
    match class {
        "second" => Shape::Rect {
            class: "second-mark",
            x: rounded(x - 4.0),
            y: rounded(y - 4.0),
            width: 8.0,
            height: 8.0,
        },
        _ => Shape::Dot {
            class: "first-mark",
            x: rounded(x),
            y: rounded(y),
        },
    }
}

fn axes(frame: &Frame, ticks: &[f64], marks: &[String]) -> Vec<Shape> {
    let mut shapes = Vec::new();
    for (tick, text) in ticks.iter().zip(marks) {
        let y = rounded(frame.y.place(*tick));
        shapes.push(Shape::Line {
            class: if *tick == 0.0 { "axis" } else { "guide" },
            from: (rounded(frame.left), y),
            to: (frame.right, y),
        });
        shapes.push(Shape::Text {
            class: "quiet-text",
            anchor: "end",
            x: rounded(frame.left - 4.0),
            y: rounded(y + 4.0),
            text: text.clone(),
        });
    }
    shapes
}

impl Band {
    /// A piece for each run of names that have a range.
    fn drawn(&self, frame: &Frame) -> Vec<Shape> {
        let places: Vec<_> = self.ranges.iter().enumerate().collect();
        let pieces = places.split(|(_, range)| range.is_none());
        pieces
            .filter(|piece| !piece.is_empty())
            .map(|piece| {
                let mut way = String::new();
                let highs = piece
                    .iter()
                    .filter_map(|(idx, range)| Some((*idx, range.as_ref()?.1)));
                let lows = piece
                    .iter()
                    .rev()
                    .filter_map(|(idx, range)| Some((*idx, range.as_ref()?.0)));
                for (idx, figure) in highs.chain(lows) {
                    step(&mut way, frame, idx, figure);
                }
                way.push('Z');
                Shape::Path { class: "band", way }
            })
            .collect()
    }
}

fn step(way: &mut String, frame: &Frame, idx: usize, figure: f64) {
    let letter = if way.is_empty() { 'M' } else { 'L' };
    let x = rounded(frame.x.place(count(idx)));
    let y = rounded(frame.y.place(figure));
    let _ = write!(way, "{letter}{x} {y}");
}

impl Points {
    /// The line with a gap where there is no figure, and a mark for each that there is.
    fn drawn(&self, frame: &Frame, class: &'static str, names: &[String]) -> Vec<Group> {
        let places: Vec<_> = self.points.iter().enumerate().collect();
        let mut ways = Vec::new();
        for piece in places.split(|(_, point)| point.figure.is_none()) {
            let mut way = String::new();
            for (idx, point) in piece {
                if let Some(figure) = point.figure {
                    step(&mut way, frame, *idx, figure);
                }
            }
            if piece.len() > 1 {
                ways.push(Shape::Path { class, way });
            }
        }
        let mut groups = vec![Group::of(ways)];
        for ((idx, point), name) in self.points.iter().enumerate().zip(names) {
            let Some(figure) = point.figure else {
                continue;
            };
            let place = (frame.x.place(count(idx)), frame.y.place(figure));
            groups.push(Group {
                link: point.link.clone(),
                told: format!("{}, {name}: {}", self.told, point.told),
                shapes: vec![mark(class, place)],
            });
        }
        groups
    }
}
