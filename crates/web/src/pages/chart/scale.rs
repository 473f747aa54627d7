//! From figures to places, and the round figures that an axis is marked with.

/// A straight scale from figures to places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    least: f64,
    per_unit: f64,
    start: f64,
}

impl Scale {
    /// `least` is at `start` and `most` at `end`; where they are the same, there is one place.
    pub(super) fn new((least, most): (f64, f64), (start, end): (f64, f64)) -> Self {
        let span = if most > least { most - least } else { 1.0 };
        Self {
            least,
            per_unit: (end - start) / span,
            start,
        }
    }

    pub(super) fn place(self, figure: f64) -> f64 {
        self.start + (figure - self.least) * self.per_unit
    }
}

/// Round figures from at most the least to at least the most: about so many, 1, 2 or 5 of some power of ten apart.
pub(super) fn ticks(least: f64, most: f64, about: u32) -> Vec<f64> {
    let span = most - least;
    if !span.is_finite() || span <= 0.0 || about == 0 {
        return vec![least];
    }
    let rough = span / f64::from(about);
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|times| times * power)
        .find(|step| *step >= rough)
        .unwrap_or(10.0 * power);
    let first = (least / step).floor();
    let last = (most / step).ceil();
    let mut ticks = Vec::new();
    let mut nth = first;
    while nth <= last && ticks.len() < 20 {
        ticks.push(nth * step);
        nth += 1.0;
    }
    ticks
}

/// A figure beside an axis: `1.5 million`, `20,000`, `0.25`.
pub(super) fn short(figure: f64) -> String {
    let size = figure.abs();
    let sign = if figure < 0.0 { "\u{2212}" } else { "" };
    let trimmed = |number: f64| {
        let text = format!("{number:.2}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let told = match size {
        _ if size >= 1e9 => format!("{}bn", trimmed(size / 1e9)),
        _ if size >= 1e6 => format!("{}m", trimmed(size / 1e6)),
        _ if size >= 1e4 => format!("{}k", trimmed(size / 1e3)),
        _ => trimmed(size),
    };
    match told.as_str() {
        "0" => told,
        _ => format!("{sign}{told}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_is_marked_with_round_figures_on_both_sides_of_all() {
        assert_eq!(ticks(0.0, 97.0, 5), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(ticks(-3.0, 12.0, 4), [-5.0, 0.0, 5.0, 10.0, 15.0]);
        assert_eq!(ticks(7.0, 7.0, 4), [7.0]);
        assert_eq!(ticks(0.0, f64::INFINITY, 4), [0.0]);
        for (least, most) in [(0.001, 0.002), (1e9, 5e12), (-1e6, 3.0)] {
            let ticks = ticks(least, most, 5);
            assert!(ticks.first().unwrap() <= &least && ticks.last().unwrap() >= &most);
            assert!((2..=12).contains(&ticks.len()), "{ticks:?}");
        }
    }

    #[test]
    fn figures_beside_an_axis_are_short() {
        for (figure, told) in [
            (0.0, "0"),
            (-0.0, "0"),
            (0.25, "0.25"),
            (2500.0, "2500"),
            (20_000.0, "20k"),
            (-1_500_000.0, "\u{2212}1.5m"),
            (3e9, "3bn"),
        ] {
            assert_eq!(short(figure), told);
        }
    }

    #[test]
    fn a_scale_runs_from_one_end_to_the_other_either_way() {
        let scale = Scale::new((10.0, 20.0), (100.0, 0.0));
        assert!((scale.place(10.0) - 100.0).abs() < 1e-9);
        assert!((scale.place(15.0) - 50.0).abs() < 1e-9);
        let flat = Scale::new((5.0, 5.0), (0.0, 100.0));
        assert!(flat.place(5.0).abs() < 1e-9);
    }
}
