//! A job table with leases; knows nothing of returns.
