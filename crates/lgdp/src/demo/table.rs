//! The table at the end: organisation × return × what came of the newest file of the newest period.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use finding::Outcome;
use spec::{Organisations, ReturnSpec};

use super::plan::{Sending, Wave};
use super::sender::Came;

pub(super) fn table(
    organisations: &Organisations,
    specs: &[ReturnSpec],
    sendings: &[Sending],
    outcomes: &BTreeMap<String, Came>,
) -> String {
    // The last one planned is the last one sent.
    let latest: BTreeMap<(&str, &str), &Came> = sendings
        .iter()
        .filter(|sending| sending.wave == Wave::Now)
        .filter_map(|sending| {
            let came = outcomes.get(&sending.key())?;
            Some((
                (sending.organisation.as_str(), sending.return_id.as_str()),
                came,
            ))
        })
        .collect();
    let mut columns: Vec<(&str, &str)> = Vec::new();
    for spec in specs {
        if !columns.iter().any(|(id, _)| *id == spec.id) {
            columns.push((&spec.id, &spec.acronym));
        }
    }
    let mut rows = vec![
        std::iter::once(String::new())
            .chain(columns.iter().map(|(_, acronym)| (*acronym).to_owned()))
            .collect(),
    ];
    let sends = |code: &str| sendings.iter().any(|sending| sending.organisation == code);
    for organisation in organisations.0.iter().filter(|one| sends(&one.code)) {
        let cells = columns.iter().map(|(return_id, _)| {
            latest
                .get(&(organisation.code.as_str(), *return_id))
                .map_or_else(String::new, |came| in_words(came))
        });
        rows.push(
            std::iter::once(organisation.name.clone())
                .chain(cells)
                .collect(),
        );
    }
    format!("\n{}\n{}", aligned(&rows), totals(outcomes))
}

fn in_words(came: &Came) -> String {
    match came.outcome {
        Outcome::Ready => "ready".to_owned(),
        Outcome::NeedsExplanation => format!("{} to explain", came.n_to_explain),
        Outcome::NeedsCorrection => format!("{} to fix", came.n_to_fix),
        Outcome::Refused => "could not be used".to_owned(),
    }
}

fn totals(outcomes: &BTreeMap<String, Came>) -> String {
    let mut counts: BTreeMap<Outcome, u64> = BTreeMap::new();
    for came in outcomes.values() {
        *counts.entry(came.outcome).or_default() += 1;
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(outcome, n)| format!("{n} {}", outcome.in_words()))
        .collect();
    format!(
        "All files, earlier versions and periods included: {}.\n",
        counts.join(", ")
    )
}

fn aligned(rows: &[Vec<String>]) -> String {
    let n_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..n_columns)
        .map(|i| {
            rows.iter()
                .filter_map(|row| row.get(i))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_without_trailing_spaces() {
        let rows = vec![
            vec![String::new(), "A".to_owned()],
            vec!["Comhairle nan Eilean Siar".to_owned(), "ready".to_owned()],
        ];
        assert_eq!(
            aligned(&rows),
            "                           A\nComhairle nan Eilean Siar  ready\n"
        );
    }
}
