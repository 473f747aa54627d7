//! The result of the checks: one sentence, then how many of what.

use askama::Template;
use finding::words::with_commas;
use finding::{Asks, Severity};
use serde::{Deserialize, Serialize};

use super::{Written, submission_link};

/// What the assessment of a submission came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub submission_id: String,
    pub organisation_name: String,
    pub return_title: String,
    pub period: String,
    pub version_number: u32,
    pub file_name: String,
    pub outcome: finding::Outcome,
    /// Worst first.
    pub counts: Vec<Counted>,
}

/// How many findings of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    pub severity: Severity,
    pub rule: String,
    pub n_findings: u64,
}

/// The findings that ask the same of the reader.
struct Group {
    heading: &'static str,
    n_findings: String,
    lines: Vec<Line>,
}

struct Line {
    /// `case: contact missing`.
    words: String,
    n_findings: String,
}

#[derive(Template)]
#[template(path = "outcome/text.txt", escape = "none")]
struct Text<'a> {
    sentence: &'a str,
    groups: &'a [Group],
    outcome: &'a Outcome,
    link: &'a str,
}

#[derive(Template)]
#[template(path = "outcome/page.html")]
struct Page<'a> {
    subject: &'a str,
    sentence: &'a str,
    groups: &'a [Group],
    outcome: &'a Outcome,
    link: &'a str,
}

pub(super) fn write(outcome: &Outcome, base_url: &str) -> Result<Written, askama::Error> {
    let subject = format!(
        "{}: {}, {}",
        headline(outcome.outcome),
        outcome.return_title,
        outcome.period
    );
    let sentence = outcome.outcome.sentence(
        n_of(&outcome.counts, Asks::ToFix),
        n_of(&outcome.counts, Asks::ToExplain),
    );
    let groups = groups(&outcome.counts);
    let link = submission_link(base_url, &outcome.submission_id);
    Ok(Written {
        text: Text {
            sentence: &sentence,
            groups: &groups,
            outcome,
            link: &link,
        }
        .render()?,
        html: Page {
            subject: &subject,
            sentence: &sentence,
            groups: &groups,
            outcome,
            link: &link,
        }
        .render()?,
        subject,
    })
}

fn headline(outcome: finding::Outcome) -> &'static str {
    match outcome {
        finding::Outcome::Ready => "Ready",
        finding::Outcome::NeedsExplanation => "Please explain",
        finding::Outcome::NeedsCorrection => "Please correct",
        finding::Outcome::Refused => "Could not be used",
    }
}

fn n_of(counts: &[Counted], asks: Asks) -> u64 {
    counts
        .iter()
        .filter(|count| Asks::of(count.severity) == asks)
        .map(|count| count.n_findings)
        .sum()
}

fn groups(counts: &[Counted]) -> Vec<Group> {
    Asks::ALL
        .into_iter()
        .filter(|&asks| n_of(counts, asks) > 0)
        .map(|asks| Group {
            heading: asks.heading(),
            n_findings: with_commas(n_of(counts, asks)),
            lines: counts
                .iter()
                .filter(|count| Asks::of(count.severity) == asks)
                .map(|count| Line {
                    words: rule_words(&count.rule),
                    n_findings: with_commas(count.n_findings),
                })
                .collect(),
        })
        .collect()
}

/// A rule's name as words: `case.contact-missing` is `case: contact missing`.
fn rule_words(rule: &str) -> String {
    match rule.split_once('.') {
        Some((table, what)) => format!("{table}: {}", what.replace('-', " ")),
        None => rule.replace('-', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(outcome: finding::Outcome, counts: &[(Severity, &str, u64)]) -> Outcome {
        Outcome {
            submission_id: "01935c6e-0000-7000-8000-000000000001".to_owned(),
            organisation_name: "Ardbeg & Brora".to_owned(),
            return_title: "Homelessness applications".to_owned(),
            period: "April to June 2026 (2026-27 Q1)".to_owned(),
            version_number: 2,
            file_name: "Q1 <final>.xlsx".to_owned(),
            outcome,
            counts: counts
                .iter()
                .map(|&(severity, rule, n_findings)| Counted {
                    severity,
                    rule: rule.to_owned(),
                    n_findings,
                })
                .collect(),
        }
    }

    #[test]
    fn what_to_fix_is_counted_by_rule() {
        let message = message(
            finding::Outcome::NeedsCorrection,
            &[
                (Severity::Error, "case.contact-missing", 12),
                (Severity::Error, "case.assess-not-in-list", 1_200),
                (Severity::Query, "case.total-moved", 1),
                (Severity::Note, "case.appdate-normalised", 3),
            ],
        );
        let written = write(&message, "https://returns.example").unwrap();
        insta::assert_snapshot!("outcome_needs_correction_text", written.text);
        insta::assert_snapshot!("outcome_needs_correction_page", written.html);
    }

    #[test]
    fn each_outcome_begins_with_a_sentence() {
        let one = |severity| [(severity, "case.a-rule", 1)];
        let begun: Vec<String> = [
            message(finding::Outcome::Ready, &[]),
            message(finding::Outcome::NeedsExplanation, &one(Severity::Query)),
            message(finding::Outcome::NeedsCorrection, &one(Severity::Error)),
            message(finding::Outcome::Refused, &one(Severity::Blocker)),
        ]
        .iter()
        .map(|message| {
            let written = write(message, "").unwrap();
            format!(
                "{}\n{}",
                written.subject,
                written.text.lines().next().unwrap_or_default()
            )
        })
        .collect();
        insta::assert_snapshot!("outcome_sentences", begun.join("\n\n"));
    }

    #[test]
    fn no_word_of_ours_reaches_an_officer() {
        let message = message(
            finding::Outcome::Refused,
            &[(Severity::Blocker, "file.could-not-be-read", 1)],
        );
        let written = write(&message, "").unwrap();
        for word in ["blocker", "error", "null", "payload", "job", "schema"] {
            assert!(!written.text.contains(word), "{word}");
            assert!(!written.html.contains(word), "{word}");
        }
    }
}
