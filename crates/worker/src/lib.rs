//! A plain async function per job.
