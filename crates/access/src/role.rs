//! What somebody is here for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A role that a person or a program is given, for an organisation, for returns, or for the whole product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sends an organisation's files.
    Uploader,
    /// Signs an organisation's returns off.
    Approver,
    /// Asks for returns: takes what was sent, accepts it or sends it back.
    DatasetTeam,
    /// Plans the rounds and chases what is late.
    Scheduler,
    /// Keeps the register.
    RegisterEditor,
    /// Reads an organisation's trail.
    Auditor,
    /// Runs the product: people and settings, not data.
    Admin,
    /// A program that sends an organisation's files.
    SendingClient,
    /// A program that takes the figures of returns.
    ReadingClient,
}

/// Of what a role is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldFor {
    Organisation,
    Return,
    Everything,
}

impl Role {
    pub const ALL: [Role; 9] = [
        Role::Uploader,
        Role::Approver,
        Role::DatasetTeam,
        Role::Scheduler,
        Role::RegisterEditor,
        Role::Auditor,
        Role::Admin,
        Role::SendingClient,
        Role::ReadingClient,
    ];

    /// The word in the matrix, in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Uploader => "uploader",
            Role::Approver => "approver",
            Role::DatasetTeam => "dataset_team",
            Role::Scheduler => "scheduler",
            Role::RegisterEditor => "register_editor",
            Role::Auditor => "auditor",
            Role::Admin => "admin",
            Role::SendingClient => "sending_client",
            Role::ReadingClient => "reading_client",
        }
    }

    pub fn parse(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// The words on a page.
    pub fn in_words(self) -> &'static str {
        match self {
            Role::Uploader => "sends returns",
            Role::Approver => "signs returns off",
            Role::DatasetTeam => "asks for the return",
            Role::Scheduler => "plans the rounds",
            Role::RegisterEditor => "keeps the register",
            Role::Auditor => "audits",
            Role::Admin => "runs the service",
            Role::SendingClient => "a program that sends returns",
            Role::ReadingClient => "a program that takes figures",
        }
    }

    pub fn held_for(self) -> HeldFor {
        match self {
            Role::Uploader | Role::Approver | Role::Auditor | Role::SendingClient => {
                HeldFor::Organisation
            }
            Role::DatasetTeam | Role::ReadingClient => HeldFor::Return,
            Role::Scheduler | Role::RegisterEditor | Role::Admin => HeldFor::Everything,
        }
    }

    /// Whether it is for programs, which sign in with a token, rather than for people.
    pub fn is_of_programs(self) -> bool {
        matches!(self, Role::SendingClient | Role::ReadingClient)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
