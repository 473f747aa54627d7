//! One file per job.

pub(crate) mod assess;
pub(crate) mod send_email;
