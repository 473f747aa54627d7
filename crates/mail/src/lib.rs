//! Messages, a folder each, and how they leave.
//!
//! A message's struct fields are its variables; it is stored in the outbox as JSON and rendered when it is sent.
//! It holds counts, names and links, never a cell's value.
//! It knows nothing of the outbox or of when to try again.

mod mailer;
mod messages;

pub use mailer::{Config, Encryption, Mailer, SendError, Smtp, Transport, is_address};
pub use messages::client_ends::ClientEnds;
pub use messages::delay::Delay;
pub use messages::explained::Explained;
pub use messages::extension_asked::ExtensionAsked;
pub use messages::extension_decided::ExtensionDecided;
pub use messages::extension_decided_anew::ExtensionDecidedAnew;
pub use messages::handover::{Handover, Reader};
pub use messages::invitation::Invitation;
pub use messages::message_written::MessageWritten;
pub use messages::outcome::{Counted, Outcome};
pub use messages::receipt::Receipt;
pub use messages::release_drafted::ReleaseDrafted;
pub use messages::reminders::{Reminded, Reminder, Reminders};
pub use messages::sign_in::SignIn;
pub use messages::waiver_asked::WaiverAsked;
pub use messages::waiver_decided::WaiverDecided;
pub use messages::waiver_revoked::WaiverRevoked;
pub use messages::webhook_ended::WebhookEnded;
pub use messages::{Message, RenderError};

/// A rendered message, ready to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// Without the angle brackets; the same at each attempt.
    pub message_id: String,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}
