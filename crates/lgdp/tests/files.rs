//! Whole files through the real child process, with its limits.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod files {
    mod child;
    mod odd;
    mod same_table;
}
