//! Parts of a return that are not for every organisation that answers it.

use serde::Deserialize;

use crate::Organisation;

/// The organisations that something is for, by their kind or code; all where it names none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct OnlyFor(pub Vec<String>);

/// Whether something is for an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applies {
    Yes,
    No,
    /// It is for some organisations, and nobody said which one this is.
    NotKnown,
}

impl OnlyFor {
    pub fn applies(&self, organisation: Option<&Organisation>) -> Applies {
        match organisation {
            _ if self.0.is_empty() => Applies::Yes,
            None => Applies::NotKnown,
            Some(organisation) => {
                let is_named =
                    |name: &String| *name == organisation.kind || *name == organisation.code;
                if self.0.iter().any(is_named) {
                    Applies::Yes
                } else {
                    Applies::No
                }
            }
        }
    }
}
