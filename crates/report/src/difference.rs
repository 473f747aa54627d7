//! Files assessed again, side by side with what they got at the time: as text, JSON and CSV.
//!
//! Written as they come: of each file what is different about it, at the end what all of it adds up to.

use std::fmt::Write as _;
use std::io::{self, Write};

use assess::difference::{Difference, RuleDifference, RuleTotals, Totals, TrialTotals};
use finding::{Outcome, RuleId, Severity};
use serde::Serialize;

use crate::csv::inert;
use crate::text::{count, words};

/// Which file was assessed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subject {
    pub submission_id: String,
    /// GSS code.
    pub organisation: String,
    pub organisation_name: String,
    pub period: String,
    pub version_number: u32,
    pub file_name: String,
}

impl Subject {
    fn in_words(&self) -> String {
        format!(
            "{}, {}, version {} ({})",
            self.organisation_name, self.period, self.version_number, self.submission_id
        )
    }
}

/// With what they were assessed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct With {
    #[serde(rename = "return")]
    pub return_id: String,
    pub version: String,
    pub spec_hash: String,
}

/// One file in text; nothing where it gets what it got.
pub fn text(subject: &Subject, difference: &Difference) -> String {
    let shown: Vec<&RuleDifference> = difference
        .rules
        .iter()
        .filter(|rule| !rule.is_none())
        .collect();
    if difference.is_none() {
        return String::new();
    }
    let mut text = format!("{}: {}\n", subject.in_words(), outcomes(difference));
    for table in &difference.tables {
        if table.loaded_then != table.loaded_now {
            let _ = writeln!(
                text,
                "  Table {}: {} → {} rows loaded.",
                table.table, table.loaded_then, table.loaded_now
            );
        }
    }
    for rule in shown {
        write_rule(&mut text, rule);
    }
    text.push('\n');
    text
}

fn outcomes(difference: &Difference) -> String {
    let mut shown = moved_outcome(difference.then, difference.now);
    if difference.if_trials_counted != difference.now {
        let _ = write!(
            shown,
            " (if what is on trial counted: {})",
            difference.if_trials_counted.in_words()
        );
    }
    shown
}

fn moved_outcome(then: Outcome, now: Outcome) -> String {
    if then == now {
        format!("{}, as before", now.in_words())
    } else {
        format!("{} → {}", then.in_words(), now.in_words())
    }
}

fn write_rule(text: &mut String, rule: &RuleDifference) {
    let _ = writeln!(
        text,
        "- {} [{}]: {}",
        moved(rule.then, rule.now, rule.trial),
        rule.rule,
        counts([
            (rule.n_new, "new"),
            (rule.n_changed, "changed"),
            (rule.n_gone, "gone"),
            (rule.n_same, "the same"),
        ])
    );
    if let Some(message) = &rule.message {
        let more = if rule.n_new + rule.n_changed > rule.places.len() as u64 {
            " …"
        } else {
            ""
        };
        let _ = writeln!(text, "  {}{more}", rule.places.join(", "));
        let _ = writeln!(text, "  {message}");
    }
}

/// "to explain → to fix", "to fix", "for information (on trial: would be to fix)".
fn moved(then: Option<Severity>, now: Option<Severity>, trial: Option<Severity>) -> String {
    let mut shown = match (then, now) {
        (Some(then), Some(now)) if then != now => format!("{} → {}", words(then), words(now)),
        (Some(one), _) | (None, Some(one)) => words(one).to_owned(),
        (None, None) => String::new(),
    };
    if let Some(trial) = trial {
        let _ = write!(shown, " (on trial: would be {})", words(trial));
    }
    shown
}

fn counts<const N: usize>(counts: [(u64, &str); N]) -> String {
    counts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{n} {what}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// One file that could not be assessed again.
pub fn failed_text(subject: &Subject, why: &str) -> String {
    format!("{}: {why}\n\n", subject.in_words())
}

/// What all files add up to.
pub fn totals_text(with: &With, totals: &Totals, n_failed: u64) -> String {
    let mut text = format!(
        "All in all\n{} of {} assessed again with {} {} ({}): {} come to the same, {} do not.\n",
        count(totals.n_files, "file"),
        count(totals.organisations.len() as u64, "organisation"),
        with.return_id,
        with.version,
        with.spec_hash.get(..12).unwrap_or(&with.spec_hash),
        totals.n_unchanged,
        totals.n_files - totals.n_unchanged,
    );
    if n_failed > 0 {
        let _ = writeln!(
            text,
            "{} could not be assessed again.",
            count(n_failed, "file")
        );
    }
    let _ = writeln!(
        text,
        "Rows loaded: {} → {}.",
        totals.loaded_then, totals.loaded_now
    );
    text.push_str("\nOutcomes\n");
    for ((then, now), n) in &totals.outcomes {
        let _ = writeln!(text, "- {n}: {}", moved_outcome(*then, *now));
    }
    if totals.n_fallen > 0 {
        let _ = writeln!(
            text,
            "{} could stand and can't any more.",
            count(totals.n_fallen, "file")
        );
    }
    let changed: Vec<(&RuleId, &RuleTotals)> = totals
        .rules
        .iter()
        .filter(|(_, rule)| rule.n_files > 0)
        .collect();
    if !changed.is_empty() {
        text.push_str("\nBy rule\n");
    }
    for (rule, total) in changed {
        let _ = writeln!(
            text,
            "- {} [{rule}]: {} in {} of {}",
            moved(total.then, total.now, None),
            counts([
                (total.n_new, "new"),
                (total.n_changed, "changed"),
                (total.n_gone, "gone"),
                (total.n_same, "the same"),
            ]),
            count(total.n_files, "file"),
            count(total.organisations.len() as u64, "organisation"),
        );
    }
    if !totals.trials.is_empty() {
        text.push_str("\nOn trial\n");
    }
    for (rule, trial) in &totals.trials {
        let _ = writeln!(text, "- {}", trial_words(rule, trial));
    }
    if totals.n_would_fall > 0 {
        let _ = writeln!(
            text,
            "If all of them counted, {} that can stand could not.",
            count(totals.n_would_fall, "file")
        );
    }
    text
}

fn trial_words(rule: &RuleId, trial: &TrialTotals) -> String {
    format!(
        "[{rule}] would be {}: {} in {} of {}; {} that can stand could not.",
        words(trial.severity),
        count(trial.n_findings, "finding"),
        count(trial.n_files, "file"),
        count(trial.organisations.len() as u64, "organisation"),
        count(trial.n_would_fall, "file"),
    )
}

/// A JSON document written piece by piece: `with`, `files` and `totals`.
pub struct Json<W> {
    to: W,
    n_written: u64,
}

impl<W: Write> Json<W> {
    pub fn begin(mut to: W, with: &With) -> io::Result<Self> {
        to.write_all(b"{\"with\":")?;
        serde_json::to_writer(&mut to, with)?;
        to.write_all(b",\"files\":[")?;
        Ok(Self { to, n_written: 0 })
    }

    pub fn file(&mut self, subject: &Subject, difference: &Difference) -> io::Result<()> {
        #[derive(Serialize)]
        struct File<'a> {
            #[serde(flatten)]
            subject: &'a Subject,
            #[serde(flatten)]
            difference: &'a Difference,
        }
        self.write(&File {
            subject,
            difference,
        })
    }

    pub fn failed(&mut self, subject: &Subject, why: &str) -> io::Result<()> {
        #[derive(Serialize)]
        struct Failed<'a> {
            #[serde(flatten)]
            subject: &'a Subject,
            failed: &'a str,
        }
        self.write(&Failed {
            subject,
            failed: why,
        })
    }

    fn write(&mut self, file: &impl Serialize) -> io::Result<()> {
        let before: &[u8] = if self.n_written == 0 { b"\n" } else { b",\n" };
        self.to.write_all(before)?;
        serde_json::to_writer(&mut self.to, file)?;
        self.n_written += 1;
        Ok(())
    }

    pub fn end(mut self, totals: &Totals, n_failed: u64) -> io::Result<()> {
        self.to.write_all(b"\n],\"totals\":")?;
        serde_json::to_writer(&mut self.to, &TotalsDocument::of(totals, n_failed))?;
        self.to.write_all(b"}\n")?;
        self.to.flush()
    }
}

#[derive(Serialize)]
struct TotalsDocument<'a> {
    n_files: u64,
    n_failed: u64,
    n_unchanged: u64,
    n_organisations: usize,
    n_fallen: u64,
    n_would_fall: u64,
    loaded_then: u64,
    loaded_now: u64,
    outcomes: Vec<OutcomeCount>,
    rules: Vec<Named<'a, RuleTotals>>,
    trials: Vec<Named<'a, TrialTotals>>,
}

#[derive(Serialize)]
struct OutcomeCount {
    then: Outcome,
    now: Outcome,
    n_files: u64,
}

#[derive(Serialize)]
struct Named<'a, T> {
    rule: &'a RuleId,
    #[serde(flatten)]
    totals: &'a T,
}

impl<'a> TotalsDocument<'a> {
    fn of(totals: &'a Totals, n_failed: u64) -> Self {
        Self {
            n_files: totals.n_files,
            n_failed,
            n_unchanged: totals.n_unchanged,
            n_organisations: totals.organisations.len(),
            n_fallen: totals.n_fallen,
            n_would_fall: totals.n_would_fall,
            loaded_then: totals.loaded_then,
            loaded_now: totals.loaded_now,
            outcomes: totals
                .outcomes
                .iter()
                .map(|(&(then, now), &n_files)| OutcomeCount { then, now, n_files })
                .collect(),
            rules: totals
                .rules
                .iter()
                .map(|(rule, totals)| Named { rule, totals })
                .collect(),
            trials: totals
                .trials
                .iter()
                .map(|(rule, totals)| Named { rule, totals })
                .collect(),
        }
    }
}

/// The columns of the CSV: a line for each file and rule, and one without a rule for a file without findings.
pub const HEADINGS: [&str; 17] = [
    "submission_id",
    "organisation",
    "organisation_name",
    "period",
    "version_number",
    "outcome_then",
    "outcome_now",
    "outcome_if_trials_counted",
    "rule",
    "severity_then",
    "severity_now",
    "trial",
    "n_new",
    "n_changed",
    "n_gone",
    "n_same",
    "failed",
];

pub fn csv_headings(to: impl Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(to);
    writer.write_record(HEADINGS)?;
    writer.flush()?;
    Ok(())
}

/// The lines of one file.
pub fn csv_lines(
    to: impl Write,
    subject: &Subject,
    difference: &Difference,
) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(to);
    let severity = |severity: Option<Severity>| severity.map_or("", Severity::as_str).to_owned();
    let outcomes = [
        difference.then.as_str().to_owned(),
        difference.now.as_str().to_owned(),
        difference.if_trials_counted.as_str().to_owned(),
    ];
    let mut write = |rest: [String; 9]| {
        let line = facts(subject).into_iter().chain(outcomes.clone());
        writer.write_record(line.chain(rest))
    };
    for rule in &difference.rules {
        write([
            rule.rule.to_string(),
            severity(rule.then),
            severity(rule.now),
            severity(rule.trial),
            rule.n_new.to_string(),
            rule.n_changed.to_string(),
            rule.n_gone.to_string(),
            rule.n_same.to_string(),
            String::new(),
        ])?;
    }
    if difference.rules.is_empty() {
        write(Default::default())?;
    }
    writer.flush()?;
    Ok(())
}

/// The line of a file that could not be assessed again.
pub fn csv_failed(to: impl Write, subject: &Subject, why: &str) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(to);
    let blank = std::iter::repeat_n(String::new(), HEADINGS.len() - 6);
    writer.write_record(
        facts(subject)
            .into_iter()
            .chain(blank)
            .chain([inert(why).into_owned()]),
    )?;
    writer.flush()?;
    Ok(())
}

fn facts(subject: &Subject) -> [String; 5] {
    [
        subject.submission_id.clone(),
        subject.organisation.clone(),
        inert(&subject.organisation_name).into_owned(),
        subject.period.clone(),
        subject.version_number.to_string(),
    ]
}
