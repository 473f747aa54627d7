//! The numbers of a schema against the figures of a column, exactly.
//!
//! A figure is a whole number of its column's smallest unit, and a schema's number is the decimal that it prints as:
//! `0.1` is a tenth, and not the binary fraction next to it.
//! So is it for the jsonschema crate as far as a double tells two decimals apart, which is up to fifteen digits:
//! all that a spreadsheet holds. Beyond, these verdicts stay exact.

use serde_json::Number;

/// `digits` × ten to the power of `exponent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal {
    digits: i128,
    exponent: i32,
}

/// Where a decimal stands among the figures of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// The greatest figure that is not above it.
    floor: i128,
    /// Whether it is that figure.
    exact: bool,
}

/// Beyond every figure that a column can hold.
const FAR: i128 = i128::MAX / 4;

impl Decimal {
    /// `None` for what serde keeps in no other way than as its text.
    pub(crate) fn of(number: &Number) -> Option<Self> {
        let whole = |digits| {
            Some(Self {
                digits,
                exponent: 0,
            })
        };
        if let Some(number) = number.as_i64() {
            return whole(number.into());
        }
        if let Some(number) = number.as_u64() {
            return whole(number.into());
        }
        let number = number.as_f64()?;
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 1e38")]
        if number.fract() == 0.0 && number.abs() < 1e38 {
            // From 2^53 up, what a double prints as need not be the whole number it is.
            return whole(number as i128);
        }
        let text = format!("{number:e}");
        let (mantissa, exponent) = text.split_once('e')?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let places = i32::try_from(fraction.len()).ok()?;
        Some(Self {
            digits: format!("{whole}{fraction}").parse().ok()?,
            exponent: exponent.parse::<i32>().ok()? - places,
        })
    }

    /// Of a column whose figures have `scale` places.
    fn place(self, scale: u8) -> Place {
        let exponent = self.exponent + i32::from(scale);
        let power = 10_i128.checked_pow(exponent.unsigned_abs());
        if exponent >= 0 {
            let floor = power.and_then(|power| self.digits.checked_mul(power));
            let far = if self.digits < 0 { -FAR } else { FAR };
            return Place {
                floor: floor.map_or(far, |floor| floor.clamp(-FAR, FAR)),
                exact: true,
            };
        }
        match power {
            Some(power) => Place {
                floor: self.digits.div_euclid(power),
                exact: self.digits.rem_euclid(power) == 0,
            },
            // Nearer to nought than any figure but nought.
            None => Place {
                floor: if self.digits < 0 { -1 } else { 0 },
                exact: self.digits == 0,
            },
        }
    }

    /// The figure that equals it.
    pub(crate) fn figure(self, scale: u8) -> Option<i128> {
        let place = self.place(scale);
        place.exact.then_some(place.floor)
    }

    /// The least figure that is not below it.
    pub(crate) fn least(self, scale: u8) -> i128 {
        let Place { floor, exact } = self.place(scale);
        if exact { floor } else { floor + 1 }
    }

    /// The least figure above it.
    pub(crate) fn least_above(self, scale: u8) -> i128 {
        self.place(scale).floor + 1
    }

    /// The greatest figure that is not above it.
    pub(crate) fn most(self, scale: u8) -> i128 {
        self.place(scale).floor
    }

    /// The greatest figure below it.
    pub(crate) fn most_below(self, scale: u8) -> i128 {
        let Place { floor, exact } = self.place(scale);
        if exact { floor - 1 } else { floor }
    }

    /// What divides exactly those figures that are multiples of it; `None` unless it is above nought.
    pub(crate) fn divisor(self, scale: u8) -> Option<i128> {
        if self.digits <= 0 {
            return None;
        }
        let exponent = self.exponent + i32::from(scale);
        if exponent >= 0 {
            let power = 10_i128.checked_pow(exponent.unsigned_abs());
            let divisor = power.and_then(|power| self.digits.checked_mul(power));
            return Some(divisor.unwrap_or(FAR));
        }
        // figure × 10^n is a multiple of the digits: of what they have beside the factors of 10^n.
        let mut divisor = self.digits;
        for factor in [2, 5] {
            for _ in 0..exponent.unsigned_abs() {
                if divisor % factor != 0 {
                    break;
                }
                divisor /= factor;
            }
        }
        Some(divisor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::of(&serde_json::from_str(text).unwrap()).unwrap()
    }

    #[test]
    fn a_limit_lies_between_the_figures_of_a_column() {
        for (text, scale, least, least_above, most, most_below) in [
            ("5", 2, 500, 501, 500, 499),
            ("-5", 0, -5, -4, -5, -6),
            ("0.1", 2, 10, 11, 10, 9),
            ("0.105", 2, 11, 11, 10, 10),
            ("-0.105", 2, -10, -10, -11, -11),
            ("1e-30", 2, 1, 1, 0, 0),
            ("-1e-300", 9, 0, 0, -1, -1),
            ("1e300", 2, FAR, FAR + 1, FAR, FAR - 1),
            ("-1e300", 2, -FAR, -FAR + 1, -FAR, -FAR - 1),
            ("0.3", 1, 3, 4, 3, 2),
        ] {
            let limit = decimal(text);
            assert_eq!(limit.least(scale), least, "{text}");
            assert_eq!(limit.least_above(scale), least_above, "{text}");
            assert_eq!(limit.most(scale), most, "{text}");
            assert_eq!(limit.most_below(scale), most_below, "{text}");
        }
        assert_eq!(decimal("1.0").figure(2), Some(100));
        assert_eq!(decimal("1.005").figure(2), None);
        assert_eq!(
            decimal("18446744073709551615").figure(0),
            Some(18_446_744_073_709_551_615)
        );
    }

    #[test]
    fn multiples_are_exact_in_decimals() {
        for (text, scale, divisor) in [
            ("0.01", 2, Some(1)),
            ("0.05", 2, Some(5)),
            ("0.0001", 2, Some(1)),
            ("0.003", 2, Some(3)),
            ("0.0075", 2, Some(3)),
            ("7", 2, Some(700)),
            ("1e300", 2, Some(FAR)),
            ("0", 2, None),
            ("-1", 2, None),
        ] {
            assert_eq!(decimal(text).divisor(scale), divisor, "{text}");
        }
    }
}
