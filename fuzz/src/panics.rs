//! Which panics are a crash.

use std::collections::BTreeSet;
use std::panic;
use std::sync::{Mutex, PoisonError};

/// A panic of our own code aborts, even where it would be caught; one of a reader that we depend on is reported once and goes on.
///
/// Such a panic has to be caught within `sheet`: one that comes out of it is a crash all the same.
pub fn judge_panics() {
    static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        if !is_of_a_library(&place) {
            eprintln!("{info}\n{}", std::backtrace::Backtrace::force_capture());
            std::process::abort();
        }
        let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.insert(place.clone()) {
            eprintln!("a reader panics, and is caught: {place}");
        }
    }));
}

fn is_of_a_library(place: &str) -> bool {
    place.contains("/registry/") || place.starts_with("/rustc/") || place.contains("/library/")
}
