//! Whole numbers and exact decimals.

use sheet::Raw;
use spec::Item;

use super::text::trim;
use super::{Origin, Read, Unreadable, show_raw};
use crate::columns::Value;

/// The largest scaled figure that is kept; far above any return's.
const LARGEST: i128 = 1_000_000_000_000_000_000_000_000_000;

pub(super) fn integer<'r>(raw: Raw<'r>, item: &Item) -> Read<'r> {
    if let Some(whole) = simple(raw, 0) {
        return Read::Value(Value::Integer(whole));
    }
    match parse(raw) {
        None => Read::Unreadable(not_a_number(raw, item)),
        Some(number) => match (number.exact(0), i64::try_from(number.exact(0).unwrap_or(0))) {
            (Some(_), Ok(whole)) => number.said(Value::Integer(whole)),
            _ => Read::Unreadable(Unreadable::new(
                "not-a-whole-number",
                format!(
                    "{} is {}, which is not a whole number.",
                    item.title,
                    show_raw(raw)
                ),
                "Enter a whole number.",
            )),
        },
    }
}

pub(super) fn decimal<'r>(raw: Raw<'r>, item: &Item, scale: u8, origin: Origin) -> Read<'r> {
    if let Some(scaled) = simple(raw, scale) {
        return Read::Value(Value::Decimal(scaled.into()));
    }
    let Some(number) = parse(raw) else {
        return Read::Unreadable(not_a_number(raw, item));
    };
    match (number.exact(scale), origin) {
        (Some(scaled), _) => number.said(Value::Decimal(scaled)),
        (None, Origin::Computed) => Read::Value(Value::Decimal(number.rounded(scale))),
        (None, Origin::Entered) => Read::Unreadable(Unreadable::new(
            "too-many-decimals",
            format!(
                "{} is {}, which has more than {scale} decimal {}.",
                item.title,
                show_raw(raw),
                if scale == 1 { "place" } else { "places" }
            ),
            format!(
                "Round the figure to {scale} decimal {}.",
                if scale == 1 { "place" } else { "places" }
            ),
        )),
    }
}

fn not_a_number(raw: Raw<'_>, item: &Item) -> Unreadable {
    Unreadable::new(
        "not-a-number",
        format!(
            "{} is \"{}\", which is not a number.",
            item.title,
            show_raw(raw)
        ),
        "Enter the figure as a plain number, without words or units.",
    )
}

/// The figure of nearly every cell, found without taking its digits apart: the same as [`parse`] and [`Digits::exact`] give.
/// `None` says nothing.
pub(super) fn simple(raw: Raw<'_>, scale: u8) -> Option<i64> {
    match raw {
        Raw::Number(number) => simple_number(number, scale),
        Raw::Text(text) => simple_text(text.as_bytes(), scale),
        Raw::Boolean(_)
        | Raw::DateTime(_)
        | Raw::Error(_)
        | Raw::NotCalculated
        | Raw::GivenTwice => None,
    }
}

/// A number that is the one nearest to a decimal of at most fifteen digits is shown as that decimal.
#[expect(
    clippy::cast_possible_truncation,
    clippy::float_cmp,
    reason = "a whole number below 1e15 is exact, and only the very number that was stored will do"
)]
fn simple_number(number: f64, scale: u8) -> Option<i64> {
    let unit = *UNITS.get(usize::from(scale))?;
    let scaled = (number * unit).round();
    (scaled.abs() < 1e15 && scaled / unit == number).then_some(scaled as i64)
}

/// Ten to the power of an item's places, exactly.
const UNITS: [f64; 10] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/// `-12.5` with no more places than the item has and fewer digits than would overflow.
fn simple_text(text: &[u8], scale: u8) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    let mut sum: i64 = 0;
    let mut places = None;
    for &b in digits {
        match (b, &mut places) {
            (b'0'..=b'9', places) => {
                sum = sum * 10 + i64::from(b - b'0');
                if let Some(places) = places {
                    *places += 1;
                }
            }
            (b'.', None) if digits.len() > 1 => places = Some(0_u8),
            _ => return None,
        }
    }
    let missing = scale.checked_sub(places.unwrap_or(0))?;
    let scaled = sum * 10_i64.pow(u32::from(missing));
    Some(if negative { -scaled } else { scaled })
}

/// A number as decimal digits: exact, however it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Digits {
    negative: bool,
    /// Without leading zeros in the whole part.
    figures: Vec<u8>,
    /// How many of `figures` stand after the point.
    places: usize,
    /// Read otherwise than it stands: separators, a currency sign or brackets were left out.
    normalised: bool,
}

impl Digits {
    /// Scaled by ten to the power of `scale`, if that is exact.
    fn exact(&self, scale: u8) -> Option<i128> {
        let scale = usize::from(scale);
        let kept = self.figures.len() - self.places.saturating_sub(scale).min(self.figures.len());
        if self.figures[kept..].iter().any(|&digit| digit != 0) {
            return None;
        }
        self.scaled(kept, scale)
    }

    /// Half to even, as statistics and money are rounded.
    fn rounded(&self, scale: u8) -> i128 {
        let scale = usize::from(scale);
        let kept = self.figures.len() - self.places.saturating_sub(scale).min(self.figures.len());
        let lower = self.scaled(kept, scale).unwrap_or(0);
        let rest = &self.figures[kept..];
        let up = match rest.first() {
            Some(&first) if first > 5 => true,
            Some(5) => rest[1..].iter().any(|&digit| digit != 0) || lower % 2 != 0,
            _ => false,
        };
        match (up, self.negative) {
            (false, _) => lower,
            (true, false) => lower + 1,
            (true, true) => lower - 1,
        }
    }

    fn scaled(&self, kept: usize, scale: usize) -> Option<i128> {
        let mut sum: i128 = 0;
        for &digit in &self.figures[..kept] {
            sum = sum * 10 + i128::from(digit);
            if sum > LARGEST {
                return None;
            }
        }
        let kept_places = self.places.min(scale);
        for _ in kept_places..scale {
            sum *= 10;
        }
        (sum <= LARGEST).then_some(if self.negative { -sum } else { sum })
    }

    fn said<'r>(&self, value: Value<'r>) -> Read<'r> {
        if self.normalised {
            Read::Normalised(value)
        } else {
            Read::Value(value)
        }
    }
}

fn parse(raw: Raw<'_>) -> Option<Digits> {
    match raw {
        Raw::Number(number) => parse_plain(&show(number)),
        Raw::Text(text) => parse_text(text),
        Raw::Boolean(_)
        | Raw::DateTime(_)
        | Raw::Error(_)
        | Raw::NotCalculated
        | Raw::GivenTwice => None,
    }
}

/// A number as a person types it: `1,234.50`, `£5`, `(5)`, ` 5 `.
fn parse_text(text: &str) -> Option<Digits> {
    let trimmed = trim(text);
    if let Some(digits) = parse_plain(trimmed) {
        return Some(digits);
    }
    let (inner, bracketed) = match trimmed
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    {
        Some(inner) => (trim(inner), true),
        None => (trimmed, false),
    };
    let (inner, minus) = match inner.strip_prefix(['-', '\u{2212}']) {
        Some(rest) if !bracketed => (trim(rest), true),
        _ => (inner, false),
    };
    let inner = trim(inner.strip_prefix('£').unwrap_or(inner));
    let mut digits = parse_plain(&without_separators(inner)?)?;
    if digits.negative {
        return None;
    }
    digits.negative = bracketed || minus;
    digits.normalised = true;
    Some(digits)
}

/// `1,234,567.8` → `1234567.8`; `None` where the separators don't stand at thousands.
fn without_separators(text: &str) -> Option<String> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let mut groups = whole.split([',', ' ', '\u{a0}', '\u{202f}']);
    let first = groups.next()?;
    let mut plain = first.to_owned();
    for group in groups {
        if group.len() != 3 || first.is_empty() || first.len() > 3 {
            return None;
        }
        plain.push_str(group);
    }
    if let Some(fraction) = fraction {
        plain.push('.');
        plain.push_str(fraction);
    }
    Some(plain)
}

/// `-12.50`: an optional sign, digits, at most one point.
fn parse_plain(text: &str) -> Option<Digits> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    if whole.len() + fraction.len() > 60 {
        return None;
    }
    Some(Digits {
        negative,
        figures: whole
            .bytes()
            .chain(fraction.bytes())
            .map(|b| b - b'0')
            .collect(),
        places: fraction.len(),
        normalised: false,
    })
}

/// A stored number as a spreadsheet shows it: fifteen significant digits, so that
/// `0.1 + 0.2` is 0.3 and a whole number has no point.
pub(super) fn show(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    format!("{rounded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str, scale: u8) -> Option<i128> {
        parse_text(text).and_then(|digits| digits.exact(scale))
    }

    #[test]
    fn figures_are_exact_however_they_are_typed() {
        for (text, scaled) in [
            ("5", Some(500)),
            ("0.1", Some(10)),
            ("1,234.50", Some(123_450)),
            ("£1,234", Some(123_400)),
            ("(5)", Some(-500)),
            ("-5.25", Some(-525)),
            ("\u{2212}5", Some(-500)),
            (" 5\u{a0}", Some(500)),
            ("1 234", Some(123_400)),
            ("5.255", None),
            ("1.234,56", None),
            ("12,34", None),
            ("5 FTE", None),
            ("5%", None),
            ("5-", None),
            ("--5", None),
            ("", None),
            (".", None),
        ] {
            assert_eq!(exact(text, 2), scaled, "{text:?}");
        }
    }

    #[test]
    fn the_short_way_to_a_figure_says_what_the_long_way_says() {
        let long = |raw, scale| parse(raw).and_then(|digits| digits.exact(scale));
        let same = |raw, scale| {
            let short = simple(raw, scale);
            if short.is_some() {
                assert_eq!(short.map(i128::from), long(raw, scale), "{raw:?} {scale}");
            }
            short.is_some()
        };
        for text in [
            "5",
            "-5",
            "0.1",
            ".5",
            "5.",
            "-.5",
            "0012.30",
            "1.25",
            "-",
            ".",
            "1.2.3",
            "999999999",
            "1e5",
            "+1",
            "",
        ] {
            for scale in 0..=9 {
                same(Raw::Text(text), scale);
            }
        }
        assert!(same(Raw::Text("-0012.3"), 2) && !same(Raw::Text("1.234"), 2));
        // A fixed sequence of numbers of all sizes, each with its neighbours.
        let mut seed: u64 = 20;
        let mut n_short = 0;
        for _ in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let n_digits = u32::try_from(seed % 16).unwrap() + 1;
            let digits = (seed >> 14) % 10_u64.pow(n_digits);
            for scale in [0_u8, 1, 2, 4, 9] {
                let number: f64 = format!("{digits}e-{scale}").parse().unwrap();
                for number in [
                    number,
                    number.next_up(),
                    -number,
                    number.next_down(),
                    number * 1.1,
                ] {
                    n_short += usize::from(same(Raw::Number(number), scale));
                }
            }
        }
        assert!(n_short > 100_000, "{n_short}");
        for number in [
            0.0,
            -0.0,
            0.1 + 0.2,
            1e15,
            999_999_999_999_999.0,
            1e-9,
            f64::MAX,
            f64::MIN_POSITIVE,
        ] {
            for scale in 0..=9 {
                same(Raw::Number(number), scale);
            }
        }
    }

    #[test]
    fn stored_numbers_have_fifteen_digits() {
        assert_eq!(show(0.1 + 0.2), "0.3");
        assert_eq!(show(230.0), "230");
        assert_eq!(show(-1.5), "-1.5");
        assert_eq!(show(1e20), "100000000000000000000");
        assert_eq!(show(5.000_000_000_000_001), "5");
        assert_eq!(show(5.000_000_1), "5.0000001");
    }

    #[test]
    fn calculated_figures_round_half_to_even() {
        for (text, cents) in [
            ("1.005", 100),
            ("1.015", 102),
            ("1.0051", 101),
            ("-1.015", -102),
        ] {
            assert_eq!(
                parse_plain(text).map(|d| d.rounded(2)),
                Some(cents),
                "{text}"
            );
        }
    }
}
