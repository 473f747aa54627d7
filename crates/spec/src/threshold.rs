//! A number that a rule measures by, exact as it is written.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};

/// A decimal number with at most nine places and fifteen digits: what TOML's numbers hold exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    unscaled: i64,
    scale: u8,
}

/// More than any figure has.
const MOST_PLACES: usize = 9;

/// What a binary number says back as it was written.
const MOST_DIGITS: usize = 15;

impl Threshold {
    /// Reads `12`, `-0.5`.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let fraction = fraction.trim_end_matches('0');
        let digits = format!("{whole}{fraction}");
        let n_digits = digits.trim_start_matches(['-', '0']).len();
        if fraction.len() > MOST_PLACES || n_digits > MOST_DIGITS || whole.ends_with('-') {
            return None;
        }
        Some(Self {
            unscaled: digits.parse().ok()?,
            scale: u8::try_from(fraction.len()).ok()?,
        })
    }

    /// As a fraction: numerator and denominator, which is a power of ten.
    pub fn fraction(self) -> (i128, i128) {
        let denominator = 10_i128.pow(u32::from(self.scale));
        (i128::from(self.unscaled), denominator)
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale == 0 {
            return write!(f, "{}", self.unscaled);
        }
        let (numerator, denominator) = self.fraction();
        let sign = if numerator < 0 { "-" } else { "" };
        let (numerator, denominator) = (numerator.unsigned_abs(), denominator.unsigned_abs());
        write!(
            f,
            "{sign}{}.{:0>width$}",
            numerator / denominator,
            numerator % denominator,
            width = usize::from(self.scale)
        )
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?.to_string();
        Self::parse(&number).ok_or_else(|| {
            D::Error::custom(format!(
                "{number} has more than {MOST_DIGITS} digits or {MOST_PLACES} places"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_exact_and_written_back_as_they_were() {
        for text in [
            "0",
            "5",
            "-3",
            "0.1",
            "-0.05",
            "12.000000001",
            "123456789012345",
        ] {
            assert_eq!(Threshold::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Threshold::parse("2.50").unwrap().to_string(), "2.5");
        assert_eq!(Threshold::parse("0.1").unwrap().fraction(), (1, 10));
        let read: Threshold = serde_json::from_str("0.1").unwrap();
        assert_eq!(read.fraction(), (1, 10));
    }

    #[test]
    fn what_a_binary_number_could_not_hold_is_refused() {
        for text in ["1e21", "", "-", "x", "0.0000000001", "1234567890123456"] {
            assert_eq!(Threshold::parse(text), None, "{text}");
        }
        assert!(serde_json::from_str::<Threshold>("1e21").is_err());
        assert!(serde_json::from_str::<Threshold>("\"5\"").is_err());
    }
}
