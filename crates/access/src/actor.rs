//! Who does something, and on the strength of what.

use uuid::Uuid;

use crate::Role;

/// A person or system acting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub id: ActorId,
    /// What the audit trail calls them.
    pub name: String,
    /// The roles that are in force.
    pub grants: Vec<Grant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActorId {
    Person(Uuid),
    /// A program of an organisation or a team.
    Client(Uuid),
    /// The product itself: jobs, the schedule, the command line. What it does is decided by its code.
    System,
    /// Nobody has signed in.
    Nobody,
}

/// A role, and what it is held for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Grant {
    pub role: Role,
    pub reach: Reach,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reach {
    /// GSS code.
    Organisation(String),
    /// A return's id.
    Return(String),
    Everything,
}

impl Actor {
    pub fn nobody() -> Self {
        Self {
            id: ActorId::Nobody,
            name: "nobody".to_owned(),
            grants: Vec::new(),
        }
    }

    pub fn system(name: impl Into<String>) -> Self {
        Self {
            id: ActorId::System,
            name: name.into(),
            grants: Vec::new(),
        }
    }

    /// The organisations that it belongs to, each once.
    pub fn organisations(&self) -> Vec<&str> {
        let mut codes: Vec<&str> = self
            .grants
            .iter()
            .filter_map(|grant| match &grant.reach {
                Reach::Organisation(code) => Some(code.as_str()),
                Reach::Return(_) | Reach::Everything => None,
            })
            .collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }
}
