//! Who does something: every verb and every read takes the actor first.

use db::events::{self, NewEvent};
use db::{DbError, Tx};
use uuid::Uuid;

/// A person or system acting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub kind: ActorKind,
    /// What the audit trail calls them.
    pub name: String,
}

/// On whose behalf, which decides what may be seen and done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActorKind {
    /// Someone of one organisation (GSS code): sees and does only what is that organisation's.
    Organisation(String),
    /// The office that collects the returns: sees everything, uploads nothing.
    Office,
    /// The product itself: jobs, the schedule, the command line.
    System,
}

impl Actor {
    pub fn organisation(code: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            kind: ActorKind::Organisation(code.into()),
            name: name.into(),
        }
    }

    pub fn office(name: impl Into<String>) -> Self {
        Self {
            kind: ActorKind::Office,
            name: name.into(),
        }
    }

    pub fn system(name: impl Into<String>) -> Self {
        Self {
            kind: ActorKind::System,
            name: name.into(),
        }
    }

    /// Whether what is this organisation's may be seen.
    pub fn may_see(&self, organisation: &str) -> bool {
        match &self.kind {
            ActorKind::Organisation(own) => own == organisation,
            ActorKind::Office | ActorKind::System => true,
        }
    }

    /// Whether a return of this organisation may be sent.
    pub fn may_send_for(&self, organisation: &str) -> bool {
        match &self.kind {
            ActorKind::Organisation(own) => own == organisation,
            ActorKind::Office => false,
            ActorKind::System => true,
        }
    }

    /// The only organisation this actor sees; `None` for those who see all.
    pub(crate) fn only(&self) -> Option<&str> {
        match &self.kind {
            ActorKind::Organisation(own) => Some(own),
            ActorKind::Office | ActorKind::System => None,
        }
    }
}

/// What is appended to the audit trail.
pub(crate) struct Deed<'a> {
    pub(crate) verb: &'static str,
    pub(crate) organisation: Option<&'a str>,
    pub(crate) obligation_id: Option<i64>,
    pub(crate) submission_id: Option<Uuid>,
    /// Facts; never a cell's value.
    pub(crate) details: serde_json::Value,
}

impl Actor {
    /// Appends what this actor does, in the transaction that does it.
    pub(crate) async fn records(&self, tx: &mut Tx, deed: Deed<'_>) -> Result<(), DbError> {
        events::append(
            tx,
            &NewEvent {
                actor: &self.name,
                actor_organisation: self.only(),
                verb: deed.verb,
                organisation: deed.organisation,
                obligation_id: deed.obligation_id,
                submission_id: deed.submission_id,
                details: deed.details,
            },
        )
        .await
    }
}
