//! Who owes what by when: dates of rounds, obligations and submission states.
//!
//! Pure decisions over facts: a state is derived here, never stored.
//! It knows nothing of databases, people or the clock; `today` is an argument.

pub mod calendar;
pub mod clock;
mod dates;
mod handover;
pub mod holidays;
mod hours;
mod obligation;
mod proposal;
pub mod reminders;
mod schedule;
mod submission;

pub use dates::{
    Certainty, DateFact, DateKind, OutOfOrder, PlannedDate, check_order, counting, newest, notice,
};
pub use handover::{Step, Verb};
pub use hours::Hours;
pub use obligation::{Asked, ObligationState, Standing, Stands, due_date};
pub use proposal::{Later, a_year_later, proposed};
pub use schedule::{Schedule, ScheduleError, SchedulePart};
pub use submission::{SubmissionFacts, SubmissionState};
