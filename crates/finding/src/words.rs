//! Numbers in sentences.

/// `1 row`, `2,000 rows`.
pub fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", with_commas(n), if n == 1 { one } else { many })
}

/// `is 1 row`, `are 2,000 rows`.
pub fn there_counted(n: u64, one: &str, many: &str) -> String {
    let verb = if n == 1 { "is" } else { "are" };
    format!("{verb} {}", counted(n, one, many))
}

/// `1,234,567`.
pub fn with_commas(n: u64) -> String {
    let digits = n.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas() {
        for (n, shown) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(with_commas(n), shown);
        }
    }

    #[test]
    fn one_is_one() {
        assert_eq!(there_counted(1, "thing", "things"), "is 1 thing");
        assert_eq!(there_counted(1_000, "thing", "things"), "are 1,000 things");
    }
}
