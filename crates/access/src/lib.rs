//! Who may do what.
//!
//! The matrix is a file, `matrix.csv`: an action a line, a role a column, how far it reaches in the cell.
//! It is what decides, what the documentation shows and what the tests walk through.
//! Pure decisions over facts: it knows nothing of sessions, databases or HTTP.

mod action;
mod actor;
mod decide;
mod matrix;
mod role;

pub use action::Action;
pub use actor::{Actor, ActorId, Grant, Reach};
pub use decide::{Object, Stage, Verdict, View, decide};
pub use matrix::{Scope, scope};
pub use role::{HeldFor, Role};
