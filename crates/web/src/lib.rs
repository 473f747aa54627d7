//! Routes, pages and the JSON API.
//!
//! A handler extracts, calls one `workflow` verb or one read, and renders.
//! It knows nothing of polars, diesel or the confined child: what a file says is found out by the worker.

mod api;
mod assets;
mod body;
mod bulk;
mod form;
mod guard;
mod health;
mod limits;
mod listen;
mod pages;
mod problem;
mod routes;
mod session;
mod site;
mod spool;
mod words;

#[cfg(test)]
mod tests;

pub use listen::{ListenError, listen, serve};
pub use site::{BodyLimits, Config, DemoPerson, Site};
