//! All messages: a struct for each, and a folder of templates for each that is more than a notice.

pub(crate) mod client_ends;
pub(crate) mod delay;
pub(crate) mod explained;
pub(crate) mod extension_asked;
pub(crate) mod extension_decided;
pub(crate) mod extension_decided_anew;
pub(crate) mod handover;
pub(crate) mod invitation;
pub(crate) mod message_written;
mod notice;
pub(crate) mod outcome;
pub(crate) mod receipt;
pub(crate) mod release_drafted;
pub(crate) mod reminders;
pub(crate) mod sign_in;
pub(crate) mod waiver_asked;
pub(crate) mod waiver_decided;
pub(crate) mod waiver_revoked;
pub(crate) mod webhook_ended;

use serde::{Deserialize, Serialize};

use crate::Email;
use client_ends::ClientEnds;
use delay::Delay;
use explained::Explained;
use extension_asked::ExtensionAsked;
use extension_decided::ExtensionDecided;
use extension_decided_anew::ExtensionDecidedAnew;
use handover::Handover;
use invitation::Invitation;
use message_written::MessageWritten;
use outcome::Outcome;
use receipt::Receipt;
use release_drafted::ReleaseDrafted;
use reminders::Reminders;
use sign_in::SignIn;
use waiver_asked::WaiverAsked;
use waiver_decided::WaiverDecided;
use waiver_revoked::WaiverRevoked;
use webhook_ended::WebhookEnded;

/// Any message, as the outbox keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum Message {
    Receipt(Receipt),
    Outcome(Outcome),
    Delay(Delay),
    Explained(Explained),
    Handover(Handover),
    Invitation(Invitation),
    SignIn(SignIn),
    WaiverDecided(WaiverDecided),
    WaiverAsked(WaiverAsked),
    WaiverRevoked(WaiverRevoked),
    ExtensionAsked(ExtensionAsked),
    ExtensionDecided(ExtensionDecided),
    ExtensionDecidedAnew(ExtensionDecidedAnew),
    Written(MessageWritten),
    ClientEnds(ClientEnds),
    WebhookEnded(WebhookEnded),
    Reminders(Reminders),
    ReleaseDrafted(ReleaseDrafted),
}

#[derive(Debug, thiserror::Error)]
#[error("the message could not be written: {0}")]
pub struct RenderError(#[from] askama::Error);

impl Message {
    /// The outbox's word.
    pub fn kind(&self) -> &'static str {
        match self {
            Message::Receipt(_) => "receipt",
            Message::Outcome(_) => "outcome",
            Message::Delay(_) => "delay",
            Message::Explained(_) => "explained",
            Message::Handover(told) => handover::kind(told),
            Message::Invitation(_) => "invitation",
            Message::SignIn(_) => "sign-in",
            Message::WaiverDecided(_) => "waiver-decided",
            Message::WaiverAsked(_) => "waiver-asked",
            Message::WaiverRevoked(_) => "waiver-revoked",
            Message::ExtensionAsked(_) => "extension-asked",
            Message::ExtensionDecided(_) => "extension-decided",
            Message::ExtensionDecidedAnew(_) => "extension-decided-anew",
            Message::Written(_) => "message",
            Message::ClientEnds(_) => "client-ends",
            Message::WebhookEnded(_) => "webhook-ended",
            Message::Reminders(_) => "reminders",
            Message::ReleaseDrafted(_) => "release-drafted",
        }
    }

    /// The message in words; links begin with `base_url`.
    pub fn render(&self, to: &str, message_id: &str, base_url: &str) -> Result<Email, RenderError> {
        let written = match self {
            Message::Receipt(receipt) => receipt::write(receipt, base_url)?,
            Message::Outcome(outcome) => outcome::write(outcome, base_url)?,
            Message::Delay(delay) => delay::write(delay, base_url)?,
            Message::Explained(explained) => explained::write(explained, base_url)?,
            Message::Handover(told) => handover::write(told, base_url)?,
            Message::Invitation(invitation) => invitation::write(invitation, base_url)?,
            Message::SignIn(sign_in) => sign_in::write(sign_in, base_url)?,
            Message::WaiverDecided(decided) => waiver_decided::write(decided, base_url)?,
            Message::WaiverAsked(told) => waiver_asked::write(told, base_url)?,
            Message::WaiverRevoked(told) => waiver_revoked::write(told, base_url)?,
            Message::ExtensionAsked(told) => extension_asked::write(told, base_url)?,
            Message::ExtensionDecided(told) => extension_decided::write(told, base_url)?,
            Message::ExtensionDecidedAnew(told) => extension_decided_anew::write(told, base_url)?,
            Message::Written(told) => message_written::write(told, base_url)?,
            Message::ClientEnds(told) => client_ends::write(told, base_url)?,
            Message::WebhookEnded(told) => webhook_ended::write(told, base_url)?,
            Message::Reminders(told) => reminders::write(told, base_url)?,
            Message::ReleaseDrafted(told) => release_drafted::write(told, base_url)?,
        };
        Ok(Email {
            message_id: message_id.to_owned(),
            to: to.to_owned(),
            subject: written.subject,
            text: written.text,
            html: written.html,
        })
    }
}

pub(crate) struct Written {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// Where people sign in.
pub(crate) fn sign_in_link(base_url: &str) -> String {
    format!("{base_url}/sign-in")
}

/// Where the pages show a submission.
pub(crate) fn submission_link(base_url: &str, submission_id: &str) -> String {
    format!("{base_url}/submissions/{submission_id}")
}
