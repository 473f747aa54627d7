//! What servers are told: put down with what it tells of, once for each server.

use cycle::{DateKind, Verb};
use db::releases::Release;
use db::reminders::Turn;
use db::submissions::Submission;
use db::webhooks::{self as stored, About, Webhook};
use db::{DbError, Tx, findings};
use finding::{Outcome, Severity};
use serde_json::{Value, json};
use uuid::Uuid;

use super::enqueue;

/// What a server is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookEvent {
    Assessed,
    Submitted,
    SignedOff,
    Accepted,
    SentBack,
    Withdrawn,
    ReleasePublished,
    RoundOpened,
    RoundDue,
    RoundClosed,
}

impl WebhookEvent {
    pub const ALL: [WebhookEvent; 10] = [
        WebhookEvent::Assessed,
        WebhookEvent::Submitted,
        WebhookEvent::SignedOff,
        WebhookEvent::Accepted,
        WebhookEvent::SentBack,
        WebhookEvent::Withdrawn,
        WebhookEvent::ReleasePublished,
        WebhookEvent::RoundOpened,
        WebhookEvent::RoundDue,
        WebhookEvent::RoundClosed,
    ];

    /// A message's `type`.
    pub fn as_str(self) -> &'static str {
        match self {
            WebhookEvent::Assessed => "submission.assessed",
            WebhookEvent::Submitted => "submission.submitted",
            WebhookEvent::SignedOff => "submission.signed_off",
            WebhookEvent::Accepted => "submission.accepted",
            WebhookEvent::SentBack => "submission.sent_back",
            WebhookEvent::Withdrawn => "submission.withdrawn",
            WebhookEvent::ReleasePublished => "release.published",
            WebhookEvent::RoundOpened => "round.opened",
            WebhookEvent::RoundDue => "round.due",
            WebhookEvent::RoundClosed => "round.closed",
        }
    }

    pub fn parse(word: &str) -> Option<WebhookEvent> {
        WebhookEvent::ALL
            .into_iter()
            .find(|event| event.as_str() == word)
    }

    pub fn in_words(self) -> &'static str {
        match self {
            WebhookEvent::Assessed => "A version was checked",
            WebhookEvent::Submitted => "A version was submitted",
            WebhookEvent::SignedOff => "A version was signed off",
            WebhookEvent::Accepted => "A version was accepted",
            WebhookEvent::SentBack => "A version was sent back",
            WebhookEvent::Withdrawn => "A version was withdrawn",
            WebhookEvent::ReleasePublished => "A release was published",
            WebhookEvent::RoundOpened => "A round opened",
            WebhookEvent::RoundDue => "A round fell due",
            WebhookEvent::RoundClosed => "A round closed",
        }
    }
}

/// What a submission's checks came to is told to its own organisation.
pub(crate) async fn announce_assessed(
    tx: &mut Tx,
    submission: &Submission,
    outcome: Outcome,
) -> Result<(), DbError> {
    let own = stored::called_for(tx, Some(&submission.organisation), None).await?;
    let state = match outcome {
        Outcome::Ready => "ready",
        Outcome::NeedsExplanation => "needs_explanation",
        Outcome::NeedsCorrection => "needs_correction",
        Outcome::Refused => "refused",
    };
    announce_submission(tx, submission, WebhookEvent::Assessed, state, &own).await
}

/// What was done with a version is told to its organisation, and to the return's team from when it has it.
pub(crate) async fn announce_deed(
    tx: &mut Tx,
    submission: &Submission,
    verb: Verb,
) -> Result<(), DbError> {
    let event = match verb {
        Verb::Submit => WebhookEvent::Submitted,
        Verb::SignOff => WebhookEvent::SignedOff,
        Verb::Accept => WebhookEvent::Accepted,
        Verb::SendBack => WebhookEvent::SentBack,
        Verb::Withdraw => WebhookEvent::Withdrawn,
    };
    let return_id = Some(submission.round.return_id.as_str());
    let team = return_id.filter(|_| submission.submitted_by.is_some());
    let called = stored::called_for(tx, Some(&submission.organisation), team).await?;
    announce_submission(tx, submission, event, verb.state().as_str(), &called).await
}

async fn announce_submission(
    tx: &mut Tx,
    submission: &Submission,
    event: WebhookEvent,
    state: &str,
    called: &[Webhook],
) -> Result<(), DbError> {
    if called.is_empty() {
        return Ok(());
    }
    let counts = findings::counts(tx, submission.id).await?;
    let n = |severities: &[Severity]| -> u64 {
        let own = counts
            .iter()
            .filter(|count| severities.contains(&count.severity));
        own.map(|count| count.n_findings).sum()
    };
    let data = json!({
        "submission_id": submission.id,
        "organisation": submission.organisation,
        "return": submission.round.return_id,
        "return_version": submission.round.return_version,
        "period": submission.round.period.label,
        "version_number": submission.version_number,
        "state": state,
        "n_to_fix": n(&[Severity::Blocker, Severity::Error]),
        "n_to_explain": n(&[Severity::Query]),
    });
    announce(tx, About::submission(submission.id), event, &data, called).await
}

/// That a release is published is told to the servers of its return.
pub(crate) async fn announce_release(
    tx: &mut Tx,
    release: &Release,
    number: u32,
) -> Result<(), DbError> {
    let called = stored::called_for(tx, None, Some(&release.return_id)).await?;
    let data = json!({
        "release_id": release.id,
        "return": release.return_id,
        "return_version": release.return_version,
        "from_period": release.from_period,
        "to_period": release.to_period,
        "kind": release.kind.as_str(),
        "number": number,
    });
    let about = About::release(release.id);
    announce(tx, about, WebhookEvent::ReleasePublished, &data, &called).await
}

/// That a round opens, falls due or closes is told to the servers of its return and of who has to answer in it.
pub(crate) async fn announce_turn(tx: &mut Tx, turn: &Turn) -> Result<(), DbError> {
    let event = match DateKind::parse(&turn.kind) {
        Some(DateKind::Open) => WebhookEvent::RoundOpened,
        Some(DateKind::Due) => WebhookEvent::RoundDue,
        Some(DateKind::Close) => WebhookEvent::RoundClosed,
        Some(DateKind::Issue | DateKind::SignOff | DateKind::Publish) | None => return Ok(()),
    };
    let called = stored::called_for_round(tx, turn.cycle_id).await?;
    let data = json!({
        "return": turn.return_id,
        "period": turn.period_label,
        "on": turn.on,
        "certainty": turn.certainty,
    });
    announce(tx, About::round(turn.cycle_id), event, &data, &called).await
}

async fn announce(
    tx: &mut Tx,
    about: About,
    event: WebhookEvent,
    data: &Value,
    called: &[Webhook],
) -> Result<(), DbError> {
    for webhook in called {
        let id = Uuid::now_v7();
        if stored::add_message(tx, id, webhook, event.as_str(), about, data).await? {
            enqueue(tx, id, false).await?;
        }
    }
    Ok(())
}
