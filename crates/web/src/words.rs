//! The words a council officer sees for what the code calls otherwise.

use chrono::NaiveDate;

/// Where checking a file was given up.
pub(crate) const OUR_FAULT: &str = "We could not check your file. This is our fault, not yours: the file is kept, and we have been told to look into it. You need not do anything, but you may send the file again.";

/// Until there is an outcome.
pub(crate) const WAITING: &str = "We have received your file and are checking it. This page shows the result as soon as it is there.";

/// `23 November 2026`.
pub(crate) fn day(date: NaiveDate) -> String {
    date.format("%-d %B %Y").to_string()
}
