//! The JSON API: what programs send and ask.

pub(crate) mod changes;
pub(crate) mod check;
pub(crate) mod dataset;
pub(crate) mod explanations;
pub(crate) mod findings;
pub(crate) mod handover;
pub(crate) mod organisations;
pub(crate) mod receive;
mod stream;
pub(crate) mod submission;
pub(crate) mod template;
pub(crate) mod workbooks;
