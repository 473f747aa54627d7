//! Secrets that are shown once and kept as hashes.

use std::fmt;

use db::sessions::Digest;
use sha2::{Digest as _, Sha256};

/// 256 random bits, as 64 hexadecimal digits: what a cookie, a link or a program's token holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    #[expect(
        clippy::expect_used,
        reason = "a system without randomness must not let anybody in"
    )]
    pub(crate) fn new() -> Self {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the operating system has randomness");
        Self(hex::encode(bytes))
    }

    /// What a browser or program sent.
    pub fn of(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub(crate) fn digest(&self) -> Digest {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// What the forms of a session carry, so that no other site's page can send them: it follows from the secret,
    /// and the secret does not follow from it.
    pub fn form_token(&self) -> String {
        hex::encode(Sha256::digest(format!("form {}", self.0).as_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_different_and_not_shown() {
        let (one, two) = (Secret::new(), Secret::new());
        assert_eq!(one.reveal().len(), 64);
        assert_ne!(one, two);
        assert_eq!(format!("{one:?}"), "(secret)");
        assert_ne!(one.form_token(), one.reveal());
    }
}
