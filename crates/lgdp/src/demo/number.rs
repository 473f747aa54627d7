//! Arithmetic on figures as they are written, so that nothing is rounded.

/// `12.50` × 3 → `37.50`; `None` where it is no plain figure or grows too large.
pub(super) fn multiplied(figure: &str, factor: u32) -> Option<String> {
    let (whole, places) = figure.split_once('.').unwrap_or((figure, ""));
    let digits: i128 = format!("{whole}{places}").parse().ok()?;
    let product = digits.checked_mul(i128::from(factor))?;
    if places.is_empty() {
        return Some(product.to_string());
    }
    let sign = if product < 0 { "-" } else { "" };
    let digits = format!("{:0>1$}", product.unsigned_abs(), places.len() + 1);
    let (whole, places) = digits.split_at(digits.len() - places.len());
    Some(format!("{sign}{whole}.{places}"))
}

/// A whole number and so many millions more; `None` where it is none.
pub(super) fn millions_more(figure: &str, n: u32) -> Option<String> {
    let number: i64 = figure.parse().ok()?;
    Some(number.checked_add(i64::from(n) * 1_000_000)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_their_places() {
        for (figure, factor, product) in [
            ("12", 3, Some("36")),
            ("12.50", 3, Some("37.50")),
            ("0.05", 2, Some("0.10")),
            ("-0.05", 7, Some("-0.35")),
            ("0.00", 9, Some("0.00")),
            ("x", 2, None),
        ] {
            assert_eq!(multiplied(figure, factor).as_deref(), product, "{figure}");
        }
        assert_eq!(millions_more("42", 2).as_deref(), Some("2000042"));
    }
}
