//! The JSON API: what programs send and ask.

pub(crate) mod dataset;
pub(crate) mod findings;
pub(crate) mod handover;
pub(crate) mod receive;
pub(crate) mod submission;
pub(crate) mod template;
pub(crate) mod workbooks;
