//! The JSON API: what programs send and ask.

pub(crate) mod changes;
pub(crate) mod check;
pub(crate) mod dataset;
pub(crate) mod document;
mod events;
pub(crate) mod explanations;
pub(crate) mod findings;
pub(crate) mod handover;
pub(crate) mod lineage;
mod list;
pub(crate) mod organisations;
pub(crate) mod part;
pub(crate) mod receive;
pub(crate) mod releases;
pub(crate) mod returns;
pub(crate) mod rounds;
mod schemas;
mod stream;
pub(crate) mod submission;
pub(crate) mod submissions;
pub(crate) mod template;
pub(crate) mod workbooks;
