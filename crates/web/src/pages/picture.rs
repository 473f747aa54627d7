//! A small picture of a figure over the periods, beside the finding that asks about it.

use workflow::Series;

use super::changes::words::grouped;
use super::chart::{Bar, Bars, Cell, Chart, Fill, Layout, Table, headings};

pub(super) fn picture(series: &Series) -> Chart {
    let last = series.points.len().saturating_sub(1);
    let mut bars = Bars::default();
    let mut table = Table {
        headings: headings([("Period", false), ("Figure", true)]),
        rows: Vec::new(),
    };
    for (idx, (period, text)) in series.points.iter().enumerate() {
        let figure = text.as_deref().and_then(|text| text.parse::<f64>().ok());
        let told = text
            .as_deref()
            .map_or_else(|| "no figure".to_owned(), grouped);
        let fill = if idx == last { Fill::Now } else { Fill::Then };
        table.rows.push(vec![
            Cell::plain(period.in_words()),
            Cell::plain(told.clone()),
        ]);
        bars.bars.push(Bar {
            label: period.end.format("%b %Y").to_string(),
            told,
            parts: figure.map(|figure| (figure, fill)).into_iter().collect(),
            is_strong: idx == last,
            link: None,
        });
    }
    let told: Vec<String> = bars
        .bars
        .iter()
        .map(|bar| format!("{} {}", bar.label, bar.told))
        .collect();
    Chart {
        id: format!("picture-{}", series.finding_idx),
        title: series.title.clone(),
        words: format!("Period by period: {}", told.join("; ")),
        drawings: vec![bars.draw(Layout::Only)],
        table,
    }
}

#[cfg(test)]
mod tests {
    use spec::{Period, PeriodKind};

    use super::*;

    #[test]
    fn a_figure_is_shown_period_by_period_and_the_last_one_stands_out() {
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
        assert_eq!(
            picture.words,
            "Period by period: Mar 2024 \u{2212}50.00; Mar 2025 no figure; Mar 2026 1,000.00"
        );
    }
}
