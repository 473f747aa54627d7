//! Who owes what by when: obligations and submission states.
//!
//! Pure decisions over facts: a state is derived here, never stored.
//! It knows nothing of databases, people or the clock; `today` is an argument.

pub mod clock;
mod handover;
mod obligation;
mod submission;

pub use handover::{Step, Verb};
pub use obligation::{ObligationState, Standing, Stands, due_date};
pub use submission::{SubmissionFacts, SubmissionState};
