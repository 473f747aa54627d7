//! Rows of plain cells.

use std::io::Read;
use std::str;

use memchr::memchr;

use super::strings::{Strings, is_plain, trim};
use super::{NotPlain, Styles, after_declaration};
use crate::blocks;
use crate::gate::{Gate, Given, flush};
use crate::{Raw, worksheet};

/// Gives all rows to the gate.
pub(super) fn read(
    part: impl Read + Send,
    strings: &Strings,
    styles: &Styles,
    gate: &mut Gate<'_>,
) -> Result<(), NotPlain> {
    let mut reader = RowReader {
        strings,
        styles,
        gate,
        last_row_number: 0,
    };
    blocks::each(part, "</row>", |block| {
        let mut xml = str::from_utf8(&block.bytes).map_err(|_| NotPlain)?;
        if block.is_first {
            match after_head(xml)? {
                Some(rows) => xml = rows,
                None if block.is_last => return Ok(()),
                None => return Err(NotPlain),
            }
        }
        let after = reader.rows(xml)?;
        let goes_on = if block.is_last {
            // What stands after that calamine does not look at.
            after.starts_with("</sheetData>")
        } else {
            after.is_empty()
        };
        if goes_on { Ok(()) } else { Err(NotPlain) }
    })
}

struct RowReader<'a, 'g> {
    strings: &'a Strings,
    styles: &'a Styles,
    gate: &'a mut Gate<'g>,
    last_row_number: u32,
}

impl<'a> RowReader<'a, '_> {
    /// Reads rows as long as there are any; what stands after them.
    fn rows<'x>(&mut self, mut xml: &'x str) -> Result<&'x str, NotPlain> {
        let mut row: Vec<(u32, Given<'_>)> = Vec::new();
        loop {
            xml = xml.trim_ascii_start();
            let Some(tag) = xml.strip_prefix("<row") else {
                return Ok(xml);
            };
            let Tag {
                attributes,
                is_empty,
                after,
            } = Tag::of(tag)?;
            let mut number = None;
            for attribute in attributes {
                match attribute? {
                    ("r", value) if number.is_none() => number = Some(value),
                    ("r", _) => return Err(NotPlain),
                    _ => {}
                }
            }
            let digits = number.ok_or(NotPlain)?;
            let row_number = whole(digits, 7)?;
            if row_number <= self.last_row_number || digits.starts_with('0') {
                return Err(NotPlain);
            }
            self.last_row_number = row_number;
            xml = after;
            if !is_empty {
                xml = self.cells(xml, digits, &mut row)?;
                flush(self.gate, Some(row_number - 1), &mut row)?;
            }
        }
    }

    /// Reads the cells of a row; what stands after the row.
    fn cells<'r, 'x: 'r>(
        &self,
        mut xml: &'x str,
        row_number: &str,
        row: &mut Vec<(u32, Given<'r>)>,
    ) -> Result<&'x str, NotPlain>
    where
        'a: 'r,
    {
        let mut next_column_idx = 0;
        loop {
            xml = xml.trim_ascii_start();
            if let Some(after) = xml.strip_prefix("</row>") {
                return Ok(after);
            }
            let Cell {
                column_idx,
                style,
                kind,
                is_empty,
                after,
            } = match Cell::usual(xml, row_number) {
                Some(cell) => cell,
                None => Cell::any(xml, row_number)?,
            };
            if column_idx < next_column_idx {
                return Err(NotPlain);
            }
            next_column_idx = column_idx + 1;
            xml = after;
            if is_empty {
                continue;
            }
            if let Some(after) = xml.strip_prefix("</c>") {
                xml = after;
                continue;
            }
            let (given, after) = self.value(xml, style, kind)?;
            xml = after;
            row.extend(given.map(|given| (column_idx, given)));
        }
    }

    /// Reads a cell's content; what stands after the cell.
    fn value<'r, 'x: 'r>(
        &self,
        xml: &'x str,
        style: Option<&str>,
        kind: Option<&str>,
    ) -> Result<(Option<Given<'r>>, &'x str), NotPlain>
    where
        'a: 'r,
    {
        if kind == Some("inlineStr") {
            return inline(xml);
        }
        let text = xml.strip_prefix("<v>").ok_or(NotPlain)?;
        // Of a few bytes.
        let end = text.bytes().position(|b| b == b'<').ok_or(NotPlain)?;
        let (text, after) = text.split_at(end);
        let after = after.strip_prefix("</v></c>").ok_or(NotPlain)?;
        let given = match kind {
            Some("str") => Given::Raw(own_text(text)?),
            None | Some("n" | "s" | "b" | "e") if text.is_empty() => return Ok((None, after)),
            None | Some("n") => {
                let style = match style {
                    Some(digits) => Some(whole(digits, 6)? as usize),
                    None => None,
                };
                self.styles.given(style, number(text)?)?
            }
            Some("s") => {
                let idx = whole(text, 9)? as usize;
                Given::Raw(Raw::Text(self.strings.get(idx).ok_or(NotPlain)?))
            }
            Some("b") => Given::Raw(Raw::Boolean(match text {
                "0" => false,
                "1" => true,
                _ => return Err(NotPlain),
            })),
            Some("e") if worksheet::KNOWN.contains(&text) => Given::Raw(Raw::Error(text)),
            Some(_) => return Err(NotPlain),
        };
        Ok((Some(given), after))
    }
}

/// `<is><t>text</t></is></c>`
fn inline(xml: &str) -> Result<(Option<Given<'_>>, &str), NotPlain> {
    let (text, keeps_space) = match xml.strip_prefix("<is><t>") {
        Some(text) => (text, false),
        None => {
            let text = xml.strip_prefix("<is><t xml:space=\"preserve\">");
            (text.ok_or(NotPlain)?, true)
        }
    };
    let end = memchr(b'<', text.as_bytes()).ok_or(NotPlain)?;
    let (text, after) = text.split_at(end);
    let after = after.strip_prefix("</t></is></c>").ok_or(NotPlain)?;
    let text = if keeps_space { text } else { trim(text) };
    Ok((Some(Given::Raw(own_text(text)?)), after))
}

/// A text that stands in the sheet itself, where an error value may be marked as one.
fn own_text(text: &str) -> Result<Raw<'_>, NotPlain> {
    if is_plain(text) && worksheet::marked_error(text).is_none() {
        Ok(Raw::Text(text))
    } else {
        Err(NotPlain)
    }
}

/// A cell's start tag.
struct Cell<'x> {
    column_idx: u32,
    style: Option<&'x str>,
    kind: Option<&'x str>,
    is_empty: bool,
    after: &'x str,
}

impl<'x> Cell<'x> {
    /// `<c r="A1" s="1" t="s">`, as nearly every program writes it; `None` says nothing.
    fn usual(xml: &'x str, row_number: &str) -> Option<Self> {
        let place = xml.strip_prefix("<c r=\"")?;
        let n_letters = place.bytes().take_while(u8::is_ascii_uppercase).count();
        let (letters, rest) = place.split_at(n_letters);
        // A few digits: told apart sooner by themselves than by the library's comparison.
        let is_of_row = rest.len() >= row_number.len()
            && rest.bytes().zip(row_number.bytes()).all(|(a, b)| a == b);
        let mut rest = is_of_row
            .then(|| &rest[row_number.len()..])?
            .strip_prefix('"')?;
        let mut value_of = |start: &str| {
            let value = rest.strip_prefix(start)?;
            let n_bytes = value.bytes().take_while(u8::is_ascii_alphanumeric).count();
            let (value, after) = value.split_at(n_bytes);
            rest = after.strip_prefix('"')?;
            Some(value)
        };
        let (style, kind) = (value_of(" s=\""), value_of(" t=\""));
        Some(Self {
            column_idx: column_of(letters).ok()?,
            style,
            kind,
            is_empty: false,
            after: rest.strip_prefix('>')?,
        })
    }

    fn any(xml: &'x str, row_number: &str) -> Result<Self, NotPlain> {
        let tag = xml.strip_prefix("<c").ok_or(NotPlain)?;
        let Tag {
            attributes,
            is_empty,
            after,
        } = Tag::of(tag)?;
        let (mut place, mut style, mut kind) = (None, None, None);
        for attribute in attributes {
            let (name, value) = attribute?;
            let known = match name {
                "r" => &mut place,
                "s" => &mut style,
                "t" => &mut kind,
                _ => continue,
            };
            if known.replace(value).is_some() {
                return Err(NotPlain);
            }
        }
        Ok(Self {
            column_idx: column_idx(place.ok_or(NotPlain)?, row_number)?,
            style,
            kind,
            is_empty,
            after,
        })
    }
}

/// What stands between a tag's name and its end, and after it.
pub(super) struct Tag<'x> {
    pub(super) attributes: Attributes<'x>,
    pub(super) is_empty: bool,
    pub(super) after: &'x str,
}

impl<'x> Tag<'x> {
    /// `xml` starts after the tag's name.
    pub(super) fn of(xml: &'x str) -> Result<Self, NotPlain> {
        let end = memchr(b'>', xml.as_bytes()).ok_or(NotPlain)?;
        let (tag, after) = (&xml[..end], &xml[end + 1..]);
        let open = tag.strip_suffix('/');
        Ok(Self {
            attributes: Attributes(open.unwrap_or(tag)),
            is_empty: open.is_some(),
            after,
        })
    }
}

/// ` name="value"`, again and again, and nothing else but spaces at the end.
pub(super) struct Attributes<'x>(pub(super) &'x str);

impl<'x> Iterator for Attributes<'x> {
    type Item = Result<(&'x str, &'x str), NotPlain>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() || self.0 == " " {
            return None;
        }
        Some(self.attribute().ok_or(NotPlain))
    }
}

impl<'x> Attributes<'x> {
    fn attribute(&mut self) -> Option<(&'x str, &'x str)> {
        let rest = self.0.strip_prefix(' ')?;
        let (name, rest) = rest.split_at(memchr(b'=', rest.as_bytes())?);
        let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'_' | b'-');
        if name.is_empty() || !name.bytes().all(is_name) {
            return None;
        }
        let rest = rest.strip_prefix("=\"")?;
        let (value, rest) = rest.split_at(memchr(b'"', rest.as_bytes())?);
        if value.contains(['<', '&']) {
            return None;
        }
        self.0 = &rest[1..];
        Some((name, value))
    }
}

/// Digits, as many as that at most.
fn whole(digits: &str, most: usize) -> Result<u32, NotPlain> {
    if digits.is_empty() || digits.len() > most {
        return Err(NotPlain);
    }
    let mut sum: u32 = 0;
    for b in digits.bytes() {
        if !b.is_ascii_digit() {
            return Err(NotPlain);
        }
        sum = sum * 10 + u32::from(b - b'0');
    }
    Ok(sum)
}

/// The column of a cell of this row: `AB12`.
fn column_idx(place: &str, row_number: &str) -> Result<u32, NotPlain> {
    column_of(place.strip_suffix(row_number).ok_or(NotPlain)?)
}

fn column_of(letters: &str) -> Result<u32, NotPlain> {
    if letters.is_empty() || letters.len() > 3 {
        return Err(NotPlain);
    }
    let mut sum = 0;
    for b in letters.bytes() {
        if !b.is_ascii_uppercase() {
            return Err(NotPlain);
        }
        sum = sum * 26 + u32::from(b - b'A') + 1;
    }
    Ok(sum - 1)
}

/// Powers of ten that a double holds exactly.
const POWERS: [f64; 16] = [
    1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// `-12.5` or `1.5E-7`, as the double nearest to it.
fn number(text: &str) -> Result<f64, NotPlain> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (mut figures, mut n_digits, mut places) = (0_u64, 0, None);
    for b in digits.bytes() {
        match (b, places) {
            (b'0'..=b'9', _) => {
                n_digits += 1;
                figures = figures.wrapping_mul(10).wrapping_add(u64::from(b - b'0'));
                places = places.map(|places| places + 1);
            }
            (b'.', None) if n_digits > 0 => places = Some(0_usize),
            (b'e' | b'E', _) => return scientific(text),
            _ => return Err(NotPlain),
        }
    }
    if n_digits == 0 || places == Some(0) {
        return Err(NotPlain);
    }
    if n_digits > 15 {
        return text.parse().map_err(|_| NotPlain);
    }
    // Both exact, so that the quotient is the double nearest to it.
    #[expect(clippy::cast_precision_loss, reason = "below 1e15")]
    let number = figures as f64 / POWERS[places.unwrap_or(0)];
    Ok(if digits.len() < text.len() {
        -number
    } else {
        number
    })
}

/// With an exponent of two digits at most, so that it is neither infinite nor lost.
fn scientific(text: &str) -> Result<f64, NotPlain> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).ok_or(NotPlain)?;
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    whole(exponent, 2)?;
    let digits = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (before, after) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(before) || !is_digits(after) || digits.len() > 40 {
        return Err(NotPlain);
    }
    text.parse().map_err(|_| NotPlain)
}

/// Elements that stand before the rows and say nothing of cells.
const HEAD: [&str; 13] = [
    "col",
    "cols",
    "dimension",
    "outlinePr",
    "pageSetUpPr",
    "pane",
    "selection",
    "sheetFormatPr",
    "sheetPr",
    "sheetView",
    "sheetViews",
    "tabColor",
    "worksheet",
];

/// What stands after `<sheetData>`, where nothing before it stops calamine; `None` where that is empty.
fn after_head(xml: &str) -> Result<Option<&str>, NotPlain> {
    let mut rest = after_declaration(xml)?;
    let mut open: Vec<&str> = Vec::new();
    loop {
        rest = rest.trim_ascii_start();
        let tag = rest.strip_prefix('<').ok_or(NotPlain)?;
        let (is_end, tag) = match tag.strip_prefix('/') {
            Some(tag) => (true, tag),
            None => (false, tag),
        };
        let n_letters = tag.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (name, tag) = tag.split_at(n_letters);
        let Tag {
            attributes,
            is_empty,
            after,
        } = Tag::of(tag)?;
        let mut extent = None;
        for attribute in attributes {
            let (name, value) = attribute?;
            if name == "ref" {
                extent = Some(value);
            }
            if is_end {
                return Err(NotPlain);
            }
        }
        // An end without its start stops calamine.
        if is_end && (is_empty || open.pop() != Some(name)) {
            return Err(NotPlain);
        }
        if !is_end && !is_empty {
            open.push(name);
        }
        match name {
            "sheetData" if !is_end => return Ok((!is_empty).then_some(after)),
            "dimension" if !is_end => check_extent(extent.ok_or(NotPlain)?)?,
            name if HEAD.contains(&name) => {}
            _ => return Err(NotPlain),
        }
        rest = after;
    }
}

/// `A1` or `A1:T100001`, the end not before the start.
fn check_extent(extent: &str) -> Result<(), NotPlain> {
    let (start, end) = extent.split_once(':').unwrap_or((extent, extent));
    let place = |place: &str| -> Result<(u32, u32), NotPlain> {
        let n_letters = place.bytes().take_while(u8::is_ascii_uppercase).count();
        let row_number = &place[n_letters..];
        Ok((whole(row_number, 7)?, column_idx(place, row_number)?))
    };
    let (start, end) = (place(start)?, place(end)?);
    if start.0 == 0 || start.0 > end.0 || start.1 > end.1 {
        return Err(NotPlain);
    }
    Ok(())
}
