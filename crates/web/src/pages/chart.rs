//! Pictures of figures as the server draws them: values in, shapes out, with the same figures as a table behind them.
//!
//! Each is drawn once for a phone and once for wider places, where names stand beside their bars; the style sheet shows
//! one of the two. It knows nothing of returns, of organisations or of who looks.

mod bars;
mod lines;
mod scale;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub(super) use bars::{Bar, Bars, Fill};
pub(super) use lines::{Band, Lines, Point, Points};

/// A picture, what it shows, and its figures.
pub(super) struct Chart {
    /// Of this page alone.
    pub(super) id: String,
    pub(super) title: String,
    /// What it shows, for whoever does not see it.
    pub(super) words: String,
    /// One, or one for each [`Layout`].
    pub(super) drawings: Vec<Drawing>,
    pub(super) table: Table,
}

/// A column's heading, and whether it is over figures.
pub(super) type Heading = (Cow<'static, str>, bool);

pub(super) fn headings<const N: usize>(all: [(&'static str, bool); N]) -> Vec<Heading> {
    all.map(|(text, is_over_figures)| (text.into(), is_over_figures))
        .into()
}

/// The figures of a picture.
pub(super) struct Table {
    pub(super) headings: Vec<Heading>,
    pub(super) rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Each cell of a row with its heading.
    pub(super) fn under_headings<'a>(
        &'a self,
        row: &'a [Cell],
    ) -> impl Iterator<Item = (&'a Heading, &'a Cell)> {
        self.headings.iter().zip(row)
    }
}

#[derive(Default)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) link: Option<String>,
}

impl Cell {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            link: None,
        }
    }

    pub(super) fn linked(text: impl Into<String>, link: Option<String>) -> Self {
        Self {
            text: text.into(),
            link,
        }
    }
}

/// For which width a picture is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// At any width.
    Only,
    /// Where there is no more room than on a phone.
    Narrow,
    Wide,
}

impl Layout {
    pub(super) const BOTH: [Layout; 2] = [Layout::Narrow, Layout::Wide];

    /// In a picture's own units, which are those of its letters.
    fn width(self) -> f64 {
        match self {
            Layout::Only | Layout::Narrow => 320.0,
            Layout::Wide => 640.0,
        }
    }

    pub(super) fn class(self) -> &'static str {
        match self {
            Layout::Only => "drawn",
            Layout::Narrow => "drawn drawn-narrow",
            Layout::Wide => "drawn drawn-wide",
        }
    }
}

/// A picture for one width.
#[derive(Debug)]
pub(super) struct Drawing {
    pub(super) layout: Layout,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) groups: Vec<Group>,
}

impl Drawing {
    /// What can be followed is no mere image for whoever does not see it.
    pub(super) fn role(&self) -> &'static str {
        if self.groups.iter().any(|group| group.link.is_some()) {
            "group"
        } else {
            "img"
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self.layout {
            Layout::Only => "",
            Layout::Narrow => "-narrow",
            Layout::Wide => "-wide",
        }
    }
}

/// Shapes that belong together, and where they lead.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) link: Option<String>,
    /// What it is, where no text in it says so.
    pub(super) told: String,
    pub(super) shapes: Vec<Shape>,
}

impl Group {
    fn of(shapes: Vec<Shape>) -> Self {
        Self {
            shapes,
            ..Self::default()
        }
    }

    /// Whether what is drawn says what it is.
    pub(super) fn has_text(&self) -> bool {
        let is_text = |shape: &Shape| matches!(shape, Shape::Text { .. });
        self.shapes.iter().any(is_text)
    }
}

#[derive(Debug)]
pub(super) enum Shape {
    Rect {
        class: &'static str,
        x: f64,
        y: f64,
        width: f64,
        height: f64,
    },
    Line {
        class: &'static str,
        from: (f64, f64),
        to: (f64, f64),
    },
    Dot {
        class: &'static str,
        x: f64,
        y: f64,
    },
    Path {
        class: &'static str,
        way: String,
    },
    Text {
        class: &'static str,
        /// `start`, `middle` or `end`.
        anchor: &'static str,
        x: f64,
        y: f64,
        text: String,
    },
}

/// How much room a text takes, near enough: letters are of several widths.
fn room_for(text: &str) -> f64 {
    6.6 * count(text.chars().count())
}

fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> f64 {
    texts.map(room_for).fold(0.0, f64::max)
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// A tenth of a unit is less than anybody sees.
fn rounded(length: f64) -> f64 {
    (length * 10.0).round() / 10.0
}
