//! Postgres: a module per noun, rows stay inside.
//!
//! Functions take a [`Conn`] to read and a [`Tx`] to write, and give domain values.
//! Only `workflow` (and `queue`, for its own table) begins a transaction.
//! It knows nothing of permissions, files or messages.

pub mod audit;
pub mod burden;
pub mod calendar_feeds;
pub mod clients;
pub mod collections;
pub mod comparisons;
pub mod cycles;
pub mod emails;
pub mod events;
pub mod explanations;
pub mod extensions;
pub mod findings;
pub mod handovers;
pub mod identities;
pub mod local_holidays;
pub mod marked;
pub mod messages;
pub mod organisations;
pub mod own_sign_offs;
pub mod parcels;
pub mod people;
pub mod records;
pub mod reference_values;
pub mod releases;
pub mod reminders;
pub mod returns;
pub mod schedules;
pub mod sessions;
pub mod submissions;
pub mod waivers;
pub mod webhooks;

mod actors;
mod connect;
mod copies;
mod error;
mod migrate;
mod session;
pub mod statement;

#[cfg(test)]
mod audit_test;
#[cfg(test)]
mod catalogue_test;
#[cfg(test)]
mod handovers_test;
#[cfg(test)]
mod tls_test;
#[cfg(test)]
mod walls_test;

pub use connect::{Access, Config};
pub use error::DbError;
pub use session::{Conn, Db, Listener, Reading, Sees, Tx};
