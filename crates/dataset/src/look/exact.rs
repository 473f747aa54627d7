//! Exact decimals, to add figures up and to find the one in the middle.

/// One more than a figure can have, so that halfway between two is exact too.
const PLACES: u32 = 10;

/// A decimal with at most ten places.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exact(i128);

impl Exact {
    /// From how Postgres writes it; `None` where it is no decimal, or too large.
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, text),
        };
        let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
        let n_places = u32::try_from(places.len()).ok()?;
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(places) {
            return None;
        }
        let shift = 10_i128.checked_pow(PLACES.checked_sub(n_places)?)?;
        let units: i128 = format!("{whole}{places}").parse().ok()?;
        Some(Self(units.checked_mul(shift)?.checked_mul(sign)?))
    }

    /// With this many places, or more where it has more.
    pub fn text(self, places: u8) -> String {
        let one = 10_u128.pow(PLACES);
        let units = self.0.unsigned_abs();
        let all = format!("{:0width$}", units % one, width = PLACES as usize);
        let n_needed = all.trim_end_matches('0').len();
        let kept: String = all
            .chars()
            .take(n_needed.max(usize::from(places)))
            .collect();
        let sign = if self.0 < 0 { "-" } else { "" };
        let whole = units / one;
        match kept.as_str() {
            "" => format!("{sign}{whole}"),
            kept => format!("{sign}{whole}.{kept}"),
        }
    }

    /// Near enough to draw it and to compare it.
    #[expect(clippy::cast_precision_loss, reason = "it is drawn, and never told")]
    pub fn near(self) -> f64 {
        self.0 as f64 / 10_f64.powi(i32::try_from(PLACES).unwrap_or_default())
    }
}

/// All of them together; `None` where that is too large.
pub fn total(figures: impl IntoIterator<Item = Exact>) -> Option<Exact> {
    let mut figures = figures.into_iter();
    figures.try_fold(Exact::default(), |sum, figure| {
        sum.0.checked_add(figure.0).map(Exact)
    })
}

/// The one in the middle; of an even number, halfway between the two.
pub fn middle(figures: &[Exact]) -> Option<Exact> {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable();
    let half = sorted.len() / 2;
    let upper = *sorted.get(half)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = sorted.get(half.checked_sub(1)?)?;
    // The last of its places is only there to be halved.
    Some(Exact(lower.0.checked_add(upper.0)? / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Exact {
        Exact::parse(text).unwrap()
    }

    #[test]
    fn what_is_read_is_written_again() {
        for (text, places, written) in [
            ("0", 0, "0"),
            ("-1.50", 2, "-1.50"),
            (
                "12345678901234567890.123456789",
                2,
                "12345678901234567890.123456789",
            ),
            ("7", 2, "7.00"),
            ("-0.05", 0, "-0.05"),
        ] {
            assert_eq!(exact(text).text(places), written);
        }
        for wrong in ["", "-", "1e3", "NaN", "1.2.3", ".5"] {
            assert_eq!(Exact::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn tenths_add_up_and_the_middle_of_two_is_halfway() {
        let tenths = ["0.1", "0.2", "-0.3"].map(exact);
        assert_eq!(total(tenths).unwrap(), Exact::default());
        assert_eq!(middle(&["3", "1", "2"].map(exact)).unwrap().text(0), "2");
        let two = ["1.01", "1.02"].map(exact);
        assert_eq!(middle(&two).unwrap().text(2), "1.015");
        assert_eq!(middle(&[]), None);
    }
}
