//! REC20 as CSV, checked by code written for it alone: what a general engine is measured against in `bench/run`.
//!
//! `csv_by_hand FILE` prints how many cells it finds fault with.

#![expect(clippy::print_stdout, reason = "a program that prints its answer")]

use std::collections::HashSet;
use std::error::Error;

use csv::ByteRecord;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("say which file")?;
    let mut reader = csv::Reader::from_path(path)?;
    let mut record = ByteRecord::new();
    let mut ids = HashSet::new();
    let mut n_found = 0_u64;
    while reader.read_byte_record(&mut record)? {
        n_found += faults(&record);
        n_found += u64::from(!ids.insert(record.get(0).unwrap_or_default().to_vec()));
    }
    println!("{n_found}");
    Ok(())
}

fn faults(record: &ByteRecord) -> u64 {
    let at = |idx: usize| record.get(idx).unwrap_or_default();
    let dates = [8, 9, 10, 11].map(|idx| date(at(idx)));
    let pence = [12, 13, 14].map(|idx| hundredths(at(idx)));
    let whole = [15, 16].map(|idx| text(at(idx)).parse::<i64>().ok());
    let blank = |idx: usize| at(idx).is_empty();
    let wrong = [
        !id(at(0), b'R', 8),
        !id(at(1), b'C', 7),
        !blank(2) && !id(at(2), b'W', 5),
        !code(at(3), b"S120000", 2, 5..=36),
        !code(at(4), b"", 1, 1..=5),
        !blank(5) && !code(at(5), b"", 2, 1..=12),
        !code(at(6), b"G", 2, 1..=20),
        !matches!(at(7), [b'A'..=b'H']),
        dates[0].is_none(),
        dates[1].is_none() || dates[0].zip(dates[1]).is_some_and(|(a, b)| b < a),
        !blank(10) && dates[2].is_none(),
        dates[3].is_none(),
        !pence[0].is_some_and(|hours| (0..=16_800).contains(&hours)),
        pence[1].is_none_or(|amount| amount < 0),
        pence[2].is_none_or(|charge| charge < 0)
            || pence[1].zip(pence[2]).is_some_and(|(a, c)| a >= 0 && c > a),
        !whole[0].is_some_and(|age| (0..=120).contains(&age)),
        !blank(16) && !whole[1].is_some_and(|visits| (0..=500).contains(&visits)),
        !postcode(at(17)),
        !matches!(at(18), b"true" | b"false"),
        !matches!(at(19), b"" | b"true" | b"false"),
    ];
    wrong.into_iter().map(u64::from).sum()
}

fn text(value: &[u8]) -> &str {
    std::str::from_utf8(value).unwrap_or_default()
}

fn id(value: &[u8], letter: u8, n_digits: usize) -> bool {
    value.len() == n_digits + 1 && value[0] == letter && value[1..].iter().all(u8::is_ascii_digit)
}

fn code(
    value: &[u8],
    start: &[u8],
    n_digits: usize,
    allowed: std::ops::RangeInclusive<u32>,
) -> bool {
    value.strip_prefix(start).is_some_and(|digits| {
        digits.len() == n_digits && text(digits).parse().is_ok_and(|n| allowed.contains(&n))
    })
}

/// `2026-04-01`, as a number that grows with the days.
fn date(value: &[u8]) -> Option<u32> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = value else {
        return None;
    };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0, |sum, b| {
            b.is_ascii_digit().then(|| sum * 10 + u32::from(b - b'0'))
        })
    };
    let (year, month, day) = (
        number(&[y1, y2, y3, y4])?,
        number(&[m1, m2])?,
        number(&[d1, d2])?,
    );
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let n_days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(is_leap),
        _ => return None,
    };
    (1..=n_days)
        .contains(&day)
        .then_some((year * 100 + month) * 100 + day)
}

/// An exact number of hundredths.
fn hundredths(value: &[u8]) -> Option<i64> {
    let value = text(value);
    let (sign, digits) = match value.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, value),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part: i64 = match part.len() {
        0 => 0,
        1 => part.parse::<i64>().ok()? * 10,
        2 => part.parse().ok()?,
        _ => return None,
    };
    Some(sign * (whole.parse::<i64>().ok()? * 100 + part))
}

fn postcode(value: &[u8]) -> bool {
    let Some(space) = value.iter().position(|b| *b == b' ') else {
        return false;
    };
    let (area, rest) = (&value[..space], &value[space + 1..]);
    let n_letters = area.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let area_is_right = matches!(n_letters, 1 | 2)
        && match &area[n_letters..] {
            [digit] => digit.is_ascii_digit(),
            [digit, b] => digit.is_ascii_digit() && (b.is_ascii_digit() || b.is_ascii_uppercase()),
            _ => false,
        };
    area_is_right
        && matches!(rest, [digit, a, b] if digit.is_ascii_digit() && a.is_ascii_uppercase() && b.is_ascii_uppercase())
}
