//! A small picture of a figure over the periods: bars that the server draws, with the figures as a table behind it.

use workflow::Series;

use super::changes::words::grouped;

/// In the picture's own units; it is as wide as there is room.
const WIDTH: f64 = 320.0;
const BAR: f64 = 18.0;
const STEP: f64 = 26.0;
/// Room for the words to the left of the bars, and for the figures to the right.
const LEFT: f64 = 72.0;
const RIGHT: f64 = 84.0;

pub(super) struct Picture {
    pub(super) title: String,
    /// What it shows, for whoever does not see it.
    pub(super) words: String,
    pub(super) height: f64,
    /// Where the bars start.
    pub(super) zero: f64,
    pub(super) bars: Vec<Bar>,
}

pub(super) struct Bar {
    /// `Jun 2026`.
    pub(super) label: String,
    pub(super) period: String,
    /// `1,234`, or that there is none.
    pub(super) value: String,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) text_y: f64,
    pub(super) value_x: f64,
    /// Whether it is this version's.
    pub(super) is_now: bool,
}

pub(super) fn picture(series: &Series) -> Picture {
    let value = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<f64>().ok());
    let values: Vec<f64> = series
        .points
        .iter()
        .filter_map(|(_, text)| value(text))
        .collect();
    let least = values.iter().copied().fold(0.0, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    let span = if most > least { most - least } else { 1.0 };
    let scale = (WIDTH - LEFT - RIGHT) / span;
    let zero = LEFT - least * scale;
    let last = series.points.len().saturating_sub(1);
    let bars: Vec<Bar> = series
        .points
        .iter()
        .enumerate()
        .map(|(idx, (period, text))| {
            let figure = value(text).unwrap_or(0.0);
            let y = STEP * f64::from(u32::try_from(idx).unwrap_or(u32::MAX));
            let (from, to) = (
                zero.min(zero + figure * scale),
                zero.max(zero + figure * scale),
            );
            Bar {
                label: period.end.format("%b %Y").to_string(),
                period: period.in_words(),
                value: text
                    .as_deref()
                    .map_or_else(|| "no figure".to_owned(), grouped),
                x: rounded(from),
                y,
                width: rounded(to - from),
                height: BAR,
                text_y: y + BAR - 4.0,
                value_x: rounded(to + 4.0),
                is_now: idx == last,
            }
        })
        .collect();
    let told: Vec<String> = bars
        .iter()
        .map(|bar| format!("{} {}", bar.label, bar.value))
        .collect();
    Picture {
        title: series.title.clone(),
        words: format!("{}, period by period: {}", series.title, told.join("; ")),
        height: STEP * f64::from(u32::try_from(bars.len()).unwrap_or(u32::MAX)),
        zero: rounded(zero),
        bars,
    }
}

fn rounded(length: f64) -> f64 {
    (length * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use spec::{Period, PeriodKind};

    use super::*;

    #[test]
    fn bars_are_as_long_as_their_figures_and_go_left_below_nought() {
        let period = |label: &str| Period::parse(PeriodKind::FinancialYear, label).unwrap();
        let series = Series {
            finding_idx: 0,
            title: "Roads".to_owned(),
            points: vec![
                (period("2023-24"), Some("-50.00".to_owned())),
                (period("2024-25"), None),
                (period("2025-26"), Some("1000.00".to_owned())),
            ],
        };
        let picture = picture(&series);
        let [below, none, above] = &picture.bars[..] else {
            panic!("three bars");
        };
        assert!(
            (above.width - 20.0 * below.width).abs() < 1.1,
            "{}",
            above.width
        );
        assert!(below.x < picture.zero && (above.x - picture.zero).abs() < 0.1);
        assert!((above.x + above.width) <= WIDTH - RIGHT + 0.1);
        assert!(none.width == 0.0 && none.value == "no figure");
        assert_eq!(
            picture.words,
            "Roads, period by period: Mar 2024 \u{2212}50.00; Mar 2025 no figure; Mar 2026 1,000.00"
        );
        assert!(above.is_now && !below.is_now);
    }
}
