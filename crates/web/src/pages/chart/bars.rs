//! Bars that lie one below the other, each with its name and its figure.

use super::scale::Scale;
use super::{Drawing, Group, Layout, Shape, count, room_for, rounded, widest};

const BAR: f64 = 18.0;
const STEP: f64 = 26.0;
/// Where the name stands above its bar.
const NAMED_STEP: f64 = 40.0;
const NAME: f64 = 14.0;
/// From the top of a bar to where its letters stand.
const LETTERS: f64 = 14.0;
const GAP: f64 = 6.0;
/// Names that are no wider than this part of a picture stand beside their bars.
const BESIDE: f64 = 0.34;
/// Of the figures' room, at most.
const ROOM_FOR_FIGURES: f64 = 0.45;

/// How a bar is filled; what it means is told in words too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pages) enum Fill {
    /// The one that the picture is about.
    Now,
    Then,
    /// What is provisional.
    Hollow,
    /// What is missing.
    Dotted,
}

impl Fill {
    fn class(self) -> &'static str {
        match self {
            Fill::Now => "now",
            Fill::Then => "then",
            Fill::Hollow => "hollow",
            Fill::Dotted => "dotted",
        }
    }
}

#[derive(Debug, Clone)]
pub(in crate::pages) struct Bar {
    pub(in crate::pages) label: String,
    /// `1,234`, or that there is none.
    pub(in crate::pages) told: String,
    /// One behind the other.
    pub(in crate::pages) parts: Vec<(f64, Fill)>,
    /// Whether its figure stands out.
    pub(in crate::pages) is_strong: bool,
    pub(in crate::pages) link: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub(in crate::pages) struct Bars {
    pub(in crate::pages) bars: Vec<Bar>,
    /// A figure that all are compared with, and what it is called.
    pub(in crate::pages) line: Option<(f64, String)>,
}

impl Bars {
    /// For a phone and for wider places.
    pub(in crate::pages) fn both(&self) -> Vec<Drawing> {
        Layout::BOTH.map(|layout| self.draw(layout)).into()
    }

    pub(in crate::pages) fn draw(&self, layout: Layout) -> Drawing {
        let width = layout.width();
        let names = widest(self.bars.iter().map(|bar| bar.label.as_str()));
        let are_beside = names <= width * BESIDE;
        let left = if are_beside { names + GAP } else { 0.0 };
        let figures = widest(self.bars.iter().map(|bar| bar.told.as_str()));
        let right = (figures + GAP).min(width * ROOM_FOR_FIGURES);
        let ends = self.bars.iter().flat_map(|bar| {
            let all: f64 = bar.parts.iter().map(|(figure, _)| figure).sum();
            [all, 0.0]
        });
        let ends = ends.chain(self.line.iter().map(|(figure, _)| *figure));
        let (least, most) = ends.fold((0.0_f64, 0.0_f64), |(least, most), end| {
            (least.min(end), most.max(end))
        });
        let scale = Scale::new((least, most), (left, width - right));
        let top = if self.line.is_some() { STEP } else { 0.0 };
        let step = if are_beside { STEP } else { NAMED_STEP };
        let height = top + step * count(self.bars.len());
        let mut groups = Vec::new();
        // Behind the bars and their words.
        if let Some((figure, told)) = &self.line {
            groups.push(compared(scale.place(*figure), told, (width, height)));
        }
        for (idx, bar) in self.bars.iter().enumerate() {
            groups.push(bar.drawn(scale, (top + step * count(idx), are_beside)));
        }
        let zero = rounded(scale.place(0.0));
        groups.push(Group::of(vec![Shape::Line {
            class: "axis",
            from: (zero, top),
            to: (zero, height),
        }]));
        Drawing {
            layout,
            width,
            height,
            groups,
        }
    }
}

/// The line that all are compared with, its words within the picture on the side where there is more room.
fn compared(x: f64, told: &str, (width, height): (f64, f64)) -> Group {
    let room = room_for(told);
    let (anchor, text_x) = if x + room <= width {
        ("start", x)
    } else if room <= x {
        ("end", x)
    } else {
        ("start", 0.0)
    };
    Group::of(vec![
        Shape::Line {
            class: "compared",
            from: (rounded(x), LETTERS + 4.0),
            to: (rounded(x), height),
        },
        Shape::Text {
            class: "quiet-text",
            anchor,
            x: rounded(text_x),
            y: LETTERS - 2.0,
            text: told.to_owned(),
        },
    ])
}

impl Bar {
    fn drawn(&self, scale: Scale, (y, is_beside): (f64, bool)) -> Group {
        let bar_y = if is_beside { y } else { y + NAME + 4.0 };
        let mut shapes = vec![Shape::Text {
            class: "name",
            anchor: "start",
            x: 0.0,
            y: if is_beside { y + LETTERS } else { y + NAME },
            text: self.label.clone(),
        }];
        let mut sum = 0.0;
        let mut end = scale.place(0.0);
        for (figure, fill) in &self.parts {
            let (from, to) = (scale.place(sum), scale.place(sum + figure));
            sum += figure;
            end = end.max(to);
            if *figure != 0.0 {
                shapes.push(Shape::Rect {
                    class: fill.class(),
                    x: rounded(from.min(to)),
                    y: bar_y,
                    width: rounded((to - from).abs()),
                    height: BAR,
                });
            }
        }
        shapes.push(Shape::Text {
            class: if self.is_strong {
                "now-figure"
            } else {
                "figure"
            },
            anchor: "start",
            x: rounded(end + 4.0),
            y: bar_y + LETTERS,
            text: self.told.clone(),
        });
        Group {
            link: self.link.clone(),
            told: format!("{}: {}", self.label, self.told),
            shapes,
        }
    }
}
