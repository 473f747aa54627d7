//! On whose behalf a request acts.
//!
//! Until sign-in exists the site listens on this machine only and whoever works on it acts for whom they name.

use workflow::Actor;

const NAME: &str = "someone at this machine";

/// Who reads pages and data.
pub(crate) fn reader() -> Actor {
    Actor::office(NAME)
}

/// Who sends a file for an organisation.
pub(crate) fn sender(organisation: &str) -> Actor {
    Actor::organisation(organisation, NAME)
}
