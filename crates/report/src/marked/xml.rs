//! Tags with their places in a text, and edits by place: what is not edited stays as it was written.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// The text is not well-formed XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a part of the workbook is not well-formed")]
pub(crate) struct NotWellFormed;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Start,
    Empty,
    End,
}

/// A tag as it is written.
#[derive(Debug, Clone)]
pub(super) struct Tag<'x> {
    pub(super) kind: Kind,
    /// From its `<` up to and with its `>`.
    pub(super) at: Range<usize>,
    /// How many elements it is within: 0 for the root's start and end.
    pub(super) depth: usize,
    raw: &'x str,
    name: &'x str,
}

impl<'x> Tag<'x> {
    /// Its name without the prefix.
    pub(super) fn local(&self) -> &'x str {
        self.name
            .rsplit_once(':')
            .map_or(self.name, |(_, local)| local)
    }

    /// `x:`, or nothing.
    pub(super) fn prefix(&self) -> &'x str {
        &self.name[..self.name.len() - self.local().len()]
    }

    pub(super) fn opens(&self) -> bool {
        self.kind != Kind::End
    }

    /// Its attributes as (name, value as written).
    pub(super) fn attributes(&self) -> Vec<(String, String)> {
        let end = match self.kind {
            Kind::Empty => self.raw.len() - 2,
            Kind::Start | Kind::End => self.raw.len() - 1,
        };
        BytesStart::from_content(&self.raw[1..end], self.name.len())
            .attributes()
            .with_checks(false)
            .flatten()
            .map(|attribute| {
                (
                    attribute.key.as_ref().to_owned(),
                    attribute.value.into_owned(),
                )
            })
            .collect()
    }

    /// The value of an attribute of this whole name.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let end = match self.kind {
            Kind::Empty => self.raw.len() - 2,
            Kind::Start | Kind::End => self.raw.len() - 1,
        };
        let start = BytesStart::from_content(&self.raw[1..end], self.name.len());
        let attribute = start.try_get_attribute(name).ok().flatten()?;
        Some(unescape(&attribute.value))
    }

    /// An attribute that has a prefix, whatever it is, as `r:id` has: its prefix with the colon, and the value.
    pub(super) fn get_prefixed(&self, local: &str) -> Option<(String, String)> {
        self.attributes().into_iter().find_map(|(name, value)| {
            let prefix = name.strip_suffix(local)?;
            prefix
                .ends_with(':')
                .then(|| (prefix.to_owned(), unescape(&value)))
        })
    }

    /// The tag with attributes set, or taken away where there is no value.
    pub(super) fn with(&self, set: &[(&str, Option<&str>)]) -> String {
        let mut tag = format!("<{}", self.name);
        let mut write = |name: &str, value: &str| {
            let quote = if value.contains('"') { '\'' } else { '"' };
            let _ = write!(tag, " {name}={quote}{value}{quote}");
        };
        for (name, value) in self.attributes() {
            if !set.iter().any(|(of, _)| *of == name) {
                write(&name, &value);
            }
        }
        for (name, value) in set {
            if let Some(value) = value {
                write(name, &escape(value));
            }
        }
        tag.push_str(if self.kind == Kind::Empty { "/>" } else { ">" });
        tag
    }

    /// The end tag of this element.
    pub(super) fn closing(&self) -> String {
        format!("</{}>", self.name)
    }

    /// An empty element's tag as a start tag.
    pub(super) fn opened(tag: &str) -> String {
        match tag.strip_suffix("/>") {
            Some(open) => format!("{open}>"),
            None => tag.to_owned(),
        }
    }
}

/// The tags of a text, one after the other.
pub(super) struct Tags<'x> {
    text: &'x str,
    reader: Reader<&'x [u8]>,
    /// Where the reader's text starts in the whole.
    from: usize,
    depth: usize,
}

impl<'x> Tags<'x> {
    pub(super) fn of(text: &'x str) -> Self {
        let from = if text.starts_with('\u{feff}') { 3 } else { 0 };
        Self {
            text,
            reader: Reader::from_str(&text[from..]),
            from,
            depth: 0,
        }
    }

    /// Those from a place on, whatever is open there.
    pub(super) fn from(text: &'x str, from: usize) -> Self {
        let mut reader = Reader::from_str(&text[from..]);
        reader.config_mut().allow_unmatched_ends = true;
        reader.config_mut().check_end_names = false;
        Self {
            text,
            reader,
            from,
            depth: 0,
        }
    }

    fn position(&self) -> Result<usize, NotWellFormed> {
        usize::try_from(self.reader.buffer_position())
            .map(|at| at + self.from)
            .map_err(|_| NotWellFormed)
    }

    /// The next one; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Tag<'x>>, NotWellFormed> {
        loop {
            let start = self.position()?;
            let event = self.reader.read_event().map_err(|_| NotWellFormed)?;
            let (kind, n_name) = match &event {
                Event::Start(tag) => (Kind::Start, tag.name().as_ref().len()),
                Event::Empty(tag) => (Kind::Empty, tag.name().as_ref().len()),
                Event::End(tag) => (Kind::End, tag.name().as_ref().len()),
                Event::Eof if self.depth == 0 || self.reader.config().allow_unmatched_ends => {
                    return Ok(None);
                }
                Event::Eof => return Err(NotWellFormed),
                _ => continue,
            };
            let at = start..self.position()?;
            let raw = self.text.get(at.clone()).ok_or(NotWellFormed)?;
            let from = if kind == Kind::End { 2 } else { 1 };
            let name = raw.get(from..from + n_name).ok_or(NotWellFormed)?;
            if kind == Kind::End {
                self.depth = self.depth.saturating_sub(1);
            }
            let depth = self.depth;
            if kind == Kind::Start {
                self.depth += 1;
            }
            return Ok(Some(Tag {
                kind,
                at,
                depth,
                raw,
                name,
            }));
        }
    }

    /// Goes past the element that has just started; gives where its end tag stands.
    pub(super) fn skip(&mut self, start: &Tag<'x>) -> Result<Range<usize>, NotWellFormed> {
        if start.kind != Kind::Start {
            return Ok(start.at.end..start.at.end);
        }
        while let Some(tag) = self.next()? {
            if tag.kind == Kind::End && tag.depth == start.depth {
                return Ok(tag.at);
            }
        }
        Err(NotWellFormed)
    }
}

/// What is to be changed in a text, by place.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    pub(super) fn replace(&mut self, at: Range<usize>, with: impl Into<String>) {
        self.0.push((at, with.into()));
    }

    pub(super) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.0.push((at..at, text.into()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Places must not overlap; what goes to the same place comes in the order in which it was given.
    pub(super) fn apply(mut self, text: &str) -> String {
        self.0.sort_by_key(|(at, _)| (at.start, at.end));
        let more: usize = self.0.iter().map(|(_, with)| with.len()).sum();
        let mut edited = String::with_capacity(text.len() + more);
        let mut done = 0;
        for (at, with) in self.0 {
            edited.push_str(&text[done..at.start]);
            edited.push_str(&with);
            done = at.end;
        }
        edited.push_str(&text[done..]);
        edited
    }
}

/// Text or an attribute's value as XML has it; what XML has no way to write is shown as a replacement character.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    let is_odd = |c: char| {
        (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    let is_special = |c: char| is_odd(c) || matches!(c, '&' | '<' | '>' | '"' | '\'' | '\r');
    if !text.contains(is_special) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\r' => escaped.push_str("&#13;"),
            c if is_odd(c) => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// An attribute's value as it is meant; as it is written where it can't be told.
fn unescape(value: &str) -> String {
    quick_xml::escape::unescape(value).map_or_else(|_| value.to_owned(), Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_told_with_their_places() {
        let text = "\u{feff}<?xml version=\"1.0\"?><!-- <a> --><x:a q='1'>t &amp; <b/><![CDATA[<c>]]></x:a>\n";
        let mut tags = Tags::of(text);
        let mut shown = Vec::new();
        while let Some(tag) = tags.next().unwrap() {
            shown.push((&text[tag.at.clone()], tag.depth, tag.prefix(), tag.local()));
        }
        assert_eq!(
            shown,
            [
                ("<x:a q='1'>", 0, "x:", "a"),
                ("<b/>", 1, "", "b"),
                ("</x:a>", 0, "x:", "a"),
            ]
        );
    }

    #[test]
    fn what_does_not_fit_together_is_not_well_formed() {
        let read = |text: &str| {
            let mut tags = Tags::of(text);
            while tags.next()?.is_some() {}
            Ok::<(), NotWellFormed>(())
        };
        assert_eq!(read("<a><b></a>"), Err(NotWellFormed));
        assert_eq!(read("<a><b></b>"), Err(NotWellFormed));
        assert_eq!(read("<a><b></b></a>"), Ok(()));
    }

    #[test]
    fn attributes_are_set_and_taken_away_and_the_others_kept() {
        let text = "<c r=\"A1\" s='3' x:y='a\"b' t=\"s\"/>";
        let tag = Tags::of(text).next().unwrap().unwrap();
        assert_eq!(
            tag.with(&[("s", Some("<4>")), ("t", None)]),
            "<c r=\"A1\" x:y='a\"b' s=\"&lt;4&gt;\"/>"
        );
        assert_eq!(
            tag.get_prefixed("y"),
            Some(("x:".to_owned(), "a\"b".to_owned()))
        );
        assert_eq!(tag.get("y"), None);
    }

    #[test]
    fn edits_are_applied_by_place() {
        let mut edits = Edits::default();
        edits.replace(2..3, "C");
        edits.insert(2, "1");
        edits.insert(2, "2");
        edits.insert(0, "0");
        assert_eq!(edits.apply("abcd"), "0ab12Cd");
    }
}
