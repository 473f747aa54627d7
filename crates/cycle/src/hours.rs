//! How long a return took the people of its organisation, in quarters of an hour.

use std::fmt;

/// At least a quarter of an hour, and at most what five people work in a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hours {
    quarters: u32,
}

/// Quarters of an hour: more were typed by mistake.
const MOST_QUARTERS: u32 = 40_000;

impl Hours {
    pub fn of_quarters(quarters: u32) -> Option<Self> {
        (1..=MOST_QUARTERS)
            .contains(&quarters)
            .then_some(Self { quarters })
    }

    /// `7`, `7.25`, `7.5`, `.75`; a comma may stand in the place of the point.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().replace(',', ".");
        let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
        let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || whole.len() > 5 || (whole.is_empty() && part.is_empty()) {
            return None;
        }
        let whole: u32 = match whole {
            "" => 0,
            digits => digits.parse().ok()?,
        };
        let quarters = match part.trim_end_matches('0') {
            "" if is_number(part) => 0,
            "25" => 1,
            "5" => 2,
            "75" => 3,
            _ => return None,
        };
        Self::of_quarters(whole * 4 + quarters)
    }

    pub fn quarters(self) -> u32 {
        self.quarters
    }
}

/// `7.25`
impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match self.quarters % 4 {
            1 => ".25",
            2 => ".5",
            3 => ".75",
            _ => "",
        };
        write!(f, "{}{part}", self.quarters / 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_of_an_hour_are_read_exactly() {
        for (text, shown) in [
            ("7", "7"),
            (" 7.25 ", "7.25"),
            ("7,5", "7.5"),
            ("7.50", "7.5"),
            ("7.0", "7"),
            (".75", "0.75"),
            ("0.25", "0.25"),
            ("10000", "10000"),
        ] {
            let hours = Hours::parse(text).unwrap();
            assert_eq!(hours.to_string(), shown, "{text}");
        }
        for text in [
            "", ".", "0", "0.0", "7.3", "7.1", "7.255", "-1", "+7", "7h", "7:30", "1e3",
            "10000.25", "99999", "123456", "7.2.5", "٧",
        ] {
            assert_eq!(Hours::parse(text), None, "{text}");
        }
    }
}
