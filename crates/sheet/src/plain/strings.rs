//! The texts that cells share.

use std::str;

use memchr::{memchr, memmem};

use super::cells::Tag;
use super::{NotPlain, after_declaration};
use crate::blocks;
use crate::package::Package;

/// All shared texts, one after another.
#[derive(Default)]
pub(super) struct Strings {
    bytes: String,
    /// Where each text ends; all of them take less than 4 GB.
    ends: Vec<u32>,
    /// The elements of those that are not plain, for calamine to read, and which they are.
    odd: Vec<u8>,
    odd_idxs: Vec<usize>,
    odd_texts: Vec<String>,
    part: Option<usize>,
}

/// How long a list calamine is asked to read after all.
const MOST_ODD: usize = 1 << 22;

impl Strings {
    pub(super) fn scan(package: &Package<'_>, part: usize) -> Result<Self, NotPlain> {
        let mut strings = Self {
            part: Some(part),
            ..Self::default()
        };
        let mut archive = package.archive()?;
        let part = archive.by_index(part).map_err(|_| NotPlain)?;
        blocks::each(part, "</si>", |block| {
            let mut xml = str::from_utf8(&block.bytes).map_err(|_| NotPlain)?;
            if block.is_first {
                xml = after_head(xml)?;
            }
            let after = strings.elements(xml)?;
            let goes_on = if block.is_last {
                after.trim_ascii_end() == "</sst>"
            } else {
                after.is_empty()
            };
            if goes_on { Ok(()) } else { Err(NotPlain) }
        })?;
        Ok(strings)
    }

    /// Takes in one `<si>` after another; what stands after them.
    fn elements<'x>(&mut self, mut xml: &'x str) -> Result<&'x str, NotPlain> {
        loop {
            xml = xml.trim_ascii_start();
            if let Some(after) = xml.strip_prefix("<si/>") {
                self.push("")?;
                xml = after;
            } else if let Some(rest) = xml.strip_prefix("<si>") {
                xml = self.element(rest)?;
            } else {
                return Ok(xml);
            }
        }
    }

    /// Takes in what stands after `<si>`; what stands after `</si>`.
    fn element<'x>(&mut self, rest: &'x str) -> Result<&'x str, NotPlain> {
        let (plain, keeps_space) = match rest.strip_prefix("<t>") {
            Some(text) => (Some(text), false),
            None => (rest.strip_prefix("<t xml:space=\"preserve\">"), true),
        };
        if let Some(text) = plain {
            let end = memchr(b'<', text.as_bytes()).ok_or(NotPlain)?;
            let (text, after) = text.split_at(end);
            if let (true, Some(after)) = (is_plain(text), after.strip_prefix("</t></si>")) {
                self.push(if keeps_space { text } else { trim(text) })?;
                return Ok(after);
            }
        }
        let end = memmem::find(rest.as_bytes(), b"</si>").ok_or(NotPlain)? + "</si>".len();
        let (element, after) = rest.split_at(end);
        if element.contains("<!") || element.contains("<?") || self.odd.len() > MOST_ODD {
            return Err(NotPlain);
        }
        self.odd.extend_from_slice(b"<si>");
        self.odd.extend_from_slice(element.as_bytes());
        self.odd_idxs.push(self.ends.len());
        self.push("")?;
        Ok(after)
    }

    fn push(&mut self, text: &str) -> Result<(), NotPlain> {
        self.bytes.push_str(text);
        let end = u32::try_from(self.bytes.len()).map_err(|_| NotPlain)?;
        self.ends.push(end);
        Ok(())
    }

    pub(super) fn n_odd(&self) -> usize {
        self.odd_idxs.len()
    }

    pub(super) fn has_part(&self) -> bool {
        self.part.is_some()
    }

    /// The part with nothing but the odd ones and one more.
    pub(super) fn model(&self, last: u64) -> Option<(usize, Vec<u8>)> {
        let mut xml = b"<sst>".to_vec();
        xml.extend_from_slice(&self.odd);
        xml.extend_from_slice(format!("<si><t>{last}</t></si></sst>").as_bytes());
        Some((self.part?, xml))
    }

    /// Takes what calamine made of the odd ones.
    pub(super) fn fill_in(&mut self, texts: Vec<String>) -> Result<(), NotPlain> {
        if texts.len() != self.n_odd() {
            return Err(NotPlain);
        }
        self.odd_texts = texts;
        Ok(())
    }

    pub(super) fn get(&self, idx: usize) -> Option<&str> {
        let end = *self.ends.get(idx)?;
        let start = match idx {
            0 => 0,
            _ => self.ends[idx - 1],
        };
        if start == end
            && let Ok(nth) = self.odd_idxs.binary_search(&idx)
        {
            return self.odd_texts.get(nth).map(String::as_str);
        }
        self.bytes.get(start as usize..end as usize)
    }
}

/// Whether a text stands in XML as it is: no entity, no escape of Excel's, no line end that XML changes.
pub(super) fn is_plain(text: &str) -> bool {
    !text.bytes().any(|b| matches!(b, b'&' | b'\r')) && !text.contains("_x")
}

/// As calamine trims a text that does not say that its spaces count.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// What stands after `<sst …>`, and before that nothing but the declaration.
fn after_head(xml: &str) -> Result<&str, NotPlain> {
    let root = after_declaration(xml)?.strip_prefix("<sst");
    let mut tag = Tag::of(root.ok_or(NotPlain)?)?;
    // calamine gives up at one that is none.
    if tag.is_empty || tag.attributes.any(|attribute| attribute.is_err()) {
        return Err(NotPlain);
    }
    Ok(tag.after)
}
