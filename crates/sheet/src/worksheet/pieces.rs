//! Large parts are looked at piece by piece while they are inflated, so that they are never in memory as a whole.
//!
//! What is looked for never goes on past the end of a row or shared text, which is where the pieces end.
//! Where something may, the part has to be looked at as a whole.

use std::io::{self, Read};
use std::ops::Range;
use std::str;

use memchr::memmem;

use super::{
    Seen, beside, count_hidden_rows, errors, far_places, find_value, formulas, has_rows, is_known,
    results,
};
use crate::blocks;
use crate::package::{self, Promise};
use crate::relations::Main;
use crate::{Refusal, ours};

/// The kinds of part that may be large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Or any other XML.
    Worksheet,
    SharedTexts,
}

impl Kind {
    /// By the part's name in lower case; `None` for the lists of a workbook's parts.
    pub(crate) fn of(name: &str, main: &Main) -> Option<Self> {
        if name.ends_with("sharedstrings.xml") {
            Some(Kind::SharedTexts)
        } else if package::has_ending(name, "xml")
            && !name.ends_with("workbook.xml")
            && name != main.path()
        {
            Some(Kind::Worksheet)
        } else {
            None
        }
    }

    fn end_tag(self) -> &'static str {
        match self {
            Kind::Worksheet => "</row>",
            Kind::SharedTexts => "</si>",
        }
    }
}

/// What the pieces of a part told.
#[derive(Debug)]
pub(crate) struct Pieces {
    kind: Kind,
    n_bytes: u64,
    verdict: Verdict,
    promise: Promise,
    has_rows: bool,
    far_places: [Option<Refusal>; 2],
    seen: Seen,
}

/// What is to be done with the part; the later outweighs the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Sound,
    HasDoctype,
    NotUtf8,
    /// There is something that only the whole tells.
    NeedsWhole,
}

impl Pieces {
    /// Inflates a part and looks at all of it.
    pub(crate) fn look(kind: Kind, part: impl Read + Send) -> io::Result<Self> {
        let mut pieces = Self {
            kind,
            n_bytes: 0,
            verdict: Verdict::Sound,
            promise: Promise::NoHeader,
            has_rows: false,
            far_places: [None, None],
            seen: Seen::default(),
        };
        blocks::each(part, kind.end_tag(), |block| {
            pieces.n_bytes += block.bytes.len() as u64;
            pieces.at_bytes(&block.bytes, block.is_first);
            Ok::<(), io::Error>(())
        })?;
        Ok(pieces)
    }

    pub(crate) fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// What the whole would have told; `None` where it has to be asked.
    pub(crate) fn judge(self) -> Result<Option<Seen>, Refusal> {
        match self.verdict {
            Verdict::Sound => {}
            Verdict::HasDoctype => return Err(Refusal::doctype()),
            Verdict::NotUtf8 => return Err(Refusal::broken("The file")),
            Verdict::NeedsWhole => return Ok(None),
        }
        package::check_promise(self.promise, self.n_bytes)?;
        if self.has_rows
            && let Some(refusal) = self.far_places.into_iter().flatten().next()
        {
            return Err(refusal);
        }
        Ok(Some(if self.has_rows {
            self.seen
        } else {
            Seen::default()
        }))
    }

    fn at_bytes(&mut self, bytes: &[u8], is_first: bool) {
        if is_first
            && let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'<', 0, ..] | [0, b'<', ..] = bytes
        {
            // In UTF-16.
            self.find(Verdict::NeedsWhole);
        }
        if self.verdict >= Verdict::NotUtf8 {
            return;
        }
        match str::from_utf8(bytes) {
            Ok(xml) => self.at(xml, is_first),
            Err(_) => self.find(Verdict::NotUtf8),
        }
    }

    fn find(&mut self, verdict: Verdict) {
        self.verdict = self.verdict.max(verdict);
    }

    fn at(&mut self, xml: &str, is_first: bool) {
        let is_unclear = |attribute: Range<usize>| {
            find_value(xml, attribute.end).is_none_or(|value| !is_known(&xml[value]))
        };
        let holds = |text: &[u8]| memmem::find(xml.as_bytes(), text).is_some();
        let has_rows = has_rows(xml);
        let is_declared = holds(b"<!");
        // Elements may have a prefix; a text is not looked at as a sheet.
        if (is_declared && holds(b"<![CDATA["))
            || holds(b":sheet")
            || (has_rows && self.kind == Kind::SharedTexts)
            || errors(xml).any(is_unclear)
            || has_open_formula(xml)
        {
            self.find(Verdict::NeedsWhole);
        }
        if is_declared && package::has_doctype(xml) {
            self.find(Verdict::HasDoctype);
        }
        if self.kind == Kind::SharedTexts && is_first {
            match package::promised_texts(xml) {
                Ok(promise @ Promise::Texts(_)) => self.promise = promise,
                Ok(Promise::NoHeader) | Err(_) => self.find(Verdict::NeedsWhole),
            }
        }
        let far_places = far_places(xml);
        for (first, found) in self.far_places.iter_mut().zip(far_places) {
            *first = first.take().or(found);
        }
        if self.kind == Kind::Worksheet {
            self.seen.is_ours |= !self.has_rows && ours::is_our_part(xml);
            self.seen.n_hidden_rows += count_hidden_rows(xml);
            self.seen.beside.extend(beside(xml));
            self.seen.results = self.seen.results.and(results(xml));
        }
        self.has_rows |= has_rows;
    }
}

/// Whether a formula's cell does not end where it should.
fn has_open_formula(xml: &str) -> bool {
    let after_cells = memmem::rfind(xml.as_bytes(), b"</c>").unwrap_or(0);
    formulas(&xml[after_cells..]).next().is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// What a part tells as a whole: `check_xml` and `Seen::of`, and whether it needs mending.
    fn whole(kind: Kind, xml: &str) -> Result<Seen, Refusal> {
        let name = match kind {
            Kind::Worksheet => "xl/worksheets/sheet1.xml",
            Kind::SharedTexts => "xl/sharedstrings.xml",
        };
        package::check_xml(name, xml)?;
        Ok(if has_rows(xml) {
            Seen::of(xml)
        } else {
            Seen::default()
        })
    }

    fn agree(kind: Kind, xml: &str) -> bool {
        let pieces = Pieces::look(kind, xml.as_bytes()).unwrap();
        match pieces.judge() {
            Ok(None) => false,
            judged => {
                assert_eq!(judged.map(Option::unwrap), whole(kind, xml), "{xml}");
                assert_eq!(super::super::mend(xml), None, "{xml}");
                true
            }
        }
    }

    #[test]
    fn what_lies_in_one_row_is_told_by_the_pieces() {
        let row = "<row r=\"1\" hidden=\"1\"><c r=\"A1\"><f>1+1</f><v>0</v></c><c r=\"B1\" t=\"e\"><v>#N/A</v></c></row>";
        let rows = row.repeat(20);
        for xml in [
            format!(
                "<cols><col min=\"1\" max=\"2\" hidden=\"1\"/></cols><sheetData>{rows}</sheetData><mergeCell ref=\"A1:B2\"/>"
            ),
            format!("<sheetPr codeName=\"lgdpFindings\"/><sheetData>{rows}</sheetData>"),
            format!("<sheetData>{rows}<!DOCTYPE a></sheetData>"),
            // A tag that does not end before its row does.
            format!("<sheetData><row r=\"1\" hidden=\"1\"</row>{rows}</sheetData>"),
            format!("<sheetData>{rows}<row r=\"99999999\"></row><c r='ABCD1'/></sheetData>"),
        ] {
            assert!(agree(Kind::Worksheet, &xml), "{xml}");
        }
        assert!(!agree(
            Kind::Worksheet,
            &format!("{rows}<row><c t=\"e\"><v>#SPILL!</v></c></row>")
        ));
        let texts = "<si><t>a text of some length</t></si>".repeat(20);
        for n in ["20", "400"] {
            let xml = format!("<sst uniqueCount=\"{n}\">{texts}</sst>");
            assert!(agree(Kind::SharedTexts, &xml), "{xml}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn the_pieces_tell_what_the_whole_tells(
            of in proptest::collection::vec(
                select(vec![
                    "<row>", "<row r=\"1\" hidden=\"1\">", "<row hidden='true'/>", "</row>", "</row>", "</row>", "</row>",
                    "<c>", "<c r=\"ABCD1\">", "<c r='A12345678'>", "<c t=\"e\">", " t='e'", "<v>", "<v>0</v>", "<v>7</v>", "<v>#N/A</v>",
                    "<v>#CALC!</v>", "</c>", "</c>", "<f>", "<f t=\"x\"/>", "</f>", "<is>", "<sheetData>", "lgdpFindings", "<![CDATA[", "]]>",
                    "<!doctype", "<mergeCell ref=\"A1:B2\"/>", "<mergeCell ref=\"C1:", "<col hidden=\"1\" min=\"1\" max=\"1\"/>",
                    "<sst uniqueCount=\"3\">", "<sst uniqueCount=\"90000\">", "<si>", "</si>", "</si>", "é", "\"", ">", "<", " ",
                ]),
                0..40,
            ),
            is_texts in any::<bool>(),
        ) {
            let kind = if is_texts { Kind::SharedTexts } else { Kind::Worksheet };
            agree(kind, &of.concat());
        }
    }
}
