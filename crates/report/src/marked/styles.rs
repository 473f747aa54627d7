//! `styles.xml`: a marked cell's style is its own with another fill, and the findings sheet has a few of its own.
//!
//! A workbook that was marked before is marked anew: the style that a cell had is found again by all that a mark leaves as it is.
//! Where two of the workbook's styles differ in nothing but their fill, the first of them is taken for it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use finding::Asks;

use super::ink;
use super::xml::{Edits, Kind, NotWellFormed, Tag, Tags};
use crate::listing::colour;

/// How many cell styles a workbook may have, with a margin to the 64,000 of spreadsheet programs.
const MOST_STYLES: usize = 60_000;

/// The lists of a style sheet in their order.
const ORDER: [&str; 11] = [
    "numFmts",
    "fonts",
    "fills",
    "borders",
    "cellStyleXfs",
    "cellXfs",
    "cellStyles",
    "dxfs",
    "tableStyles",
    "colors",
    "extLst",
];

/// A list that is added to.
#[derive(Debug, Clone)]
struct List {
    name: &'static str,
    /// Its tags, where it is there: the start tag or the empty one, and the end tag.
    tags: Option<(Range<usize>, Option<Range<usize>>)>,
    n: usize,
    added: Vec<String>,
}

impl List {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            tags: None,
            n: 0,
            added: Vec::new(),
        }
    }

    /// Adds an element and gives its index.
    fn push(&mut self, element: String) -> u32 {
        self.added.push(element);
        u32::try_from(self.n + self.added.len() - 1).unwrap_or(u32::MAX)
    }
}

/// A cell style as it is written, in two: its tag and what is in it.
#[derive(Debug, Clone)]
struct Xf {
    tag: Range<usize>,
    /// Up to and with the end tag; empty for an empty element.
    rest: Range<usize>,
    fill: u32,
    font: u32,
}

/// A workbook's styles and what is added to them.
pub(super) struct Styles {
    text: String,
    prefix: String,
    fonts: List,
    fills: List,
    xfs: List,
    own: Vec<Xf>,
    /// Its own fonts, as they are written.
    own_fonts: Vec<Range<usize>>,
    /// Fonts in ink by the font they are made from and the mark.
    inked: BTreeMap<(u32, Asks), u32>,
    /// The fills that an earlier marking added.
    marking_fills: BTreeSet<u32>,
    fill_of: BTreeMap<Asks, u32>,
    /// By the style it is made from and the mark.
    made: BTreeMap<(u32, Option<Asks>), u32>,
}

/// The styles of the findings sheet.
#[derive(Debug, Clone)]
pub(super) struct SheetStyles {
    pub(super) title: u32,
    /// A sentence that runs on over the cells beside it.
    pub(super) line: u32,
    pub(super) heading: u32,
    pub(super) text: u32,
    pub(super) link: u32,
    of_asks: BTreeMap<Asks, u32>,
}

impl SheetStyles {
    pub(super) fn of(&self, asks: Asks) -> u32 {
        self.of_asks.get(&asks).copied().unwrap_or(self.text)
    }
}

impl Styles {
    /// `text` is that of the workbook's style sheet, where it has one; `namespace` is the workbook's own.
    pub(super) fn read(text: Option<String>, namespace: &str) -> Result<Self, NotWellFormed> {
        let text = text.unwrap_or_default();
        let is_there = Tags::of(&text)
            .next()?
            .is_some_and(|root| root.kind == Kind::Start && root.local() == "styleSheet");
        let text = if is_there {
            text
        } else {
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<styleSheet xmlns=\"{namespace}\"></styleSheet>"
            )
        };
        let mut styles = Self {
            prefix: String::new(),
            fonts: List::new("fonts"),
            fills: List::new("fills"),
            xfs: List::new("cellXfs"),
            own: Vec::new(),
            own_fonts: Vec::new(),
            inked: BTreeMap::new(),
            marking_fills: BTreeSet::new(),
            fill_of: BTreeMap::new(),
            made: BTreeMap::new(),
            text: String::new(),
        };
        styles.scan(&text)?;
        styles.text = text;
        styles.complete();
        Ok(styles)
    }

    fn scan(&mut self, text: &str) -> Result<(), NotWellFormed> {
        let mut tags = Tags::of(text);
        let mut within = "";
        while let Some(tag) = tags.next()? {
            match (tag.depth, tag.kind) {
                (0, Kind::Start) => tag.prefix().clone_into(&mut self.prefix),
                (1, Kind::Start | Kind::Empty) => {
                    within = tag.local();
                    if let Some(list) = self.list(within) {
                        list.tags = Some((tag.at.clone(), None));
                    }
                }
                (1, Kind::End) => {
                    if let Some(List {
                        tags: Some((_, end)),
                        ..
                    }) = self.list(within)
                    {
                        *end = Some(tag.at.clone());
                    }
                }
                (2, Kind::Start | Kind::Empty) => {
                    let Some(list) = self.list(within) else {
                        continue;
                    };
                    list.n += 1;
                    if within == "cellXfs" {
                        let rest = tag.at.end..tags.skip(&tag)?.end;
                        let id = |name: &str| {
                            let id = tag.get(name).and_then(|id| id.parse().ok());
                            id.unwrap_or(0)
                        };
                        self.own.push(Xf {
                            fill: id("fillId"),
                            font: id("fontId"),
                            tag: tag.at,
                            rest,
                        });
                    } else {
                        let end = tags.skip(&tag)?.end;
                        if within == "fonts" {
                            self.own_fonts.push(tag.at.start..end);
                        }
                        let is_fill = within == "fills";
                        let of_marking = |&asks: &Asks| {
                            text[tag.at.start..end].contains(&format!("\"{}\"", colour(asks)))
                        };
                        if is_fill && Asks::ALL.iter().any(of_marking) {
                            let idx = u32::try_from(self.fills.n - 1).unwrap_or(u32::MAX);
                            self.marking_fills.insert(idx);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn list(&mut self, name: &str) -> Option<&mut List> {
        match name {
            "fonts" => Some(&mut self.fonts),
            "fills" => Some(&mut self.fills),
            "cellXfs" => Some(&mut self.xfs),
            _ => None,
        }
    }

    /// A list that is not there starts with what programs take for granted: a first font, two reserved fills, the default style.
    fn complete(&mut self) {
        let p = self.prefix.clone();
        if self.fonts.n == 0 {
            self.fonts.push(format!(
                "<{p}font><{p}sz val=\"11\"/><{p}name val=\"Calibri\"/></{p}font>"
            ));
        }
        if self.fills.n == 0 {
            for kind in ["none", "gray125"] {
                self.fills.push(format!(
                    "<{p}fill><{p}patternFill patternType=\"{kind}\"/></{p}fill>"
                ));
            }
        }
        if self.xfs.n == 0 {
            self.xfs.push(format!("<{p}xf/>"));
        }
    }

    /// Whether cells may have been marked before.
    pub(super) fn has_markings(&self) -> bool {
        !self.marking_fills.is_empty()
    }

    /// Whether a cell of this style was marked before.
    pub(super) fn is_marking(&self, style: u32) -> bool {
        !self.marking_fills.is_empty()
            && self
                .own
                .get(style as usize)
                .is_some_and(|xf| self.marking_fills.contains(&xf.fill))
    }

    /// The style with the fill of a mark, all else as it is but for letters that would be lost on it; `None` where there is no room for another style.
    pub(super) fn marked(&mut self, style: u32, asks: Asks) -> Option<u32> {
        let base = self.unmarked(style)?;
        if let Some(made) = self.made.get(&(base, Some(asks))) {
            return Some(*made);
        }
        let fill = self.fill(asks);
        let font = self.font_on(base, asks);
        self.make(base, Some(asks), fill, font)
    }

    /// The font that takes the place of a style's own on the fill of a mark, where that one can't be read on it.
    fn font_on(&mut self, base: u32, asks: Asks) -> Option<u32> {
        let own = self.own.get(base as usize)?.font;
        if let Some(inked) = self.inked.get(&(own, asks)) {
            return Some(*inked);
        }
        // What can't be understood of a font stays as it is.
        let font = ink::inked(self.font(own)?, colour(asks)).ok().flatten()?;
        let inked = self.fonts.push(font);
        self.inked.insert((own, asks), inked);
        Some(inked)
    }

    fn font(&self, idx: u32) -> Option<&str> {
        self.text.get(self.own_fonts.get(idx as usize)?.clone())
    }

    /// The style that a cell had before it was marked, or the one most like it.
    pub(super) fn unmarked(&mut self, style: u32) -> Option<u32> {
        if !self.is_marking(style) {
            return Some(style);
        }
        if let Some(made) = self.made.get(&(style, None)) {
            return Some(*made);
        }
        let wanted = self.but_for_mark(style as usize);
        let font = self.own.get(style as usize).map_or(0, |xf| xf.font);
        let like = (0..self.own.len()).find(|&idx| {
            let xf = &self.own[idx];
            !self.marking_fills.contains(&xf.fill)
                && self.but_for_mark(idx) == wanted
                && (xf.font == font || self.is_inked_of(font, xf.font))
        });
        match like.and_then(|idx| u32::try_from(idx).ok()) {
            Some(idx) => {
                self.made.insert((style, None), idx);
                Some(idx)
            }
            None => self.make(style, None, 0, None),
        }
    }

    /// Whether a font is our ink in the place of another one's colour.
    fn is_inked_of(&self, inked: u32, own: u32) -> bool {
        let (Some(inked), Some(own)) = (self.font(inked), self.font(own)) else {
            return false;
        };
        match (ink::but_for_ink(inked), ink::but_for_colour(own)) {
            (Ok(Some(inked)), Ok(own)) => inked == own,
            _ => false,
        }
    }

    fn make(&mut self, base: u32, asks: Option<Asks>, fill: u32, font: Option<u32>) -> Option<u32> {
        if self.xfs.n + self.xfs.added.len() >= MOST_STYLES {
            return None;
        }
        let element = self.xf_with(base as usize, fill, font);
        let made = self.xfs.push(element);
        self.made.insert((base, asks), made);
        Some(made)
    }

    fn xf_with(&self, idx: usize, fill: u32, font: Option<u32>) -> String {
        let p = &self.prefix;
        let id = fill.to_string();
        match self.own.get(idx) {
            Some(xf) => {
                let font = font.map(|font| font.to_string());
                let mut set = vec![("fillId", Some(id.as_str())), ("applyFill", Some("1"))];
                if let Some(font) = &font {
                    set.extend([("fontId", Some(font.as_str())), ("applyFont", Some("1"))]);
                }
                let tag = self.tag(xf, &set);
                format!("{tag}{}", &self.text[xf.rest.clone()])
            }
            // A style that is not there is read as the default one.
            None => format!("<{p}xf fillId=\"{id}\" applyFill=\"1\"/>"),
        }
    }

    /// What a mark leaves as it is.
    fn but_for_mark(&self, idx: usize) -> String {
        let xf = &self.own[idx];
        let of_mark = ["fillId", "applyFill", "fontId", "applyFont"];
        let tag = self.tag(xf, &of_mark.map(|name| (name, None)));
        format!("{tag}{}", &self.text[xf.rest.clone()])
    }

    fn tag(&self, xf: &Xf, set: &[(&str, Option<&str>)]) -> String {
        let raw = &self.text[xf.tag.clone()];
        match Tags::from(raw, 0).next() {
            Ok(Some(tag)) => tag.with(set),
            _ => raw.to_owned(),
        }
    }

    fn fill(&mut self, asks: Asks) -> u32 {
        if let Some(fill) = self.fill_of.get(&asks) {
            return *fill;
        }
        let p = &self.prefix;
        let rgb = colour(asks);
        let fill = self.fills.push(format!(
            "<{p}fill><{p}patternFill patternType=\"solid\"><{p}fgColor rgb=\"{rgb}\"/><{p}bgColor indexed=\"64\"/></{p}patternFill></{p}fill>"
        ));
        self.fill_of.insert(asks, fill);
        fill
    }

    /// Adds the styles of the findings sheet.
    pub(super) fn for_sheet(&mut self) -> SheetStyles {
        let p = self.prefix.clone();
        let font =
            |attributes: &str| format!("<{p}font>{attributes}<{p}name val=\"Calibri\"/></{p}font>");
        let plain = self.fonts.push(font(&format!("<{p}sz val=\"11\"/>")));
        let bold = self
            .fonts
            .push(font(&format!("<{p}b/><{p}sz val=\"11\"/>")));
        let large = self
            .fonts
            .push(font(&format!("<{p}b/><{p}sz val=\"14\"/>")));
        let blue = self.fonts.push(font(&format!(
            "<{p}u/><{p}sz val=\"11\"/><{p}color rgb=\"FF0065BD\"/>"
        )));
        let grey = self.fills.push(format!(
            "<{p}fill><{p}patternFill patternType=\"solid\"><{p}fgColor rgb=\"FFE5E5E5\"/><{p}bgColor indexed=\"64\"/></{p}patternFill></{p}fill>"
        ));
        // A text that looks like a formula stays a text even when somebody edits its cell.
        let mut xf = |font: u32, fill: u32, wrap: &str| {
            self.xfs.push(format!(
                "<{p}xf numFmtId=\"0\" fontId=\"{font}\" fillId=\"{fill}\" quotePrefix=\"1\" applyFont=\"1\" applyFill=\"1\" applyAlignment=\"1\"><{p}alignment vertical=\"top\"{wrap}/></{p}xf>"
            ))
        };
        let wrap = " wrapText=\"1\"";
        let title = xf(large, 0, "");
        let line = xf(plain, 0, "");
        let heading = xf(bold, grey, wrap);
        let text = xf(plain, 0, wrap);
        let link = xf(blue, 0, "");
        let mut of_asks = BTreeMap::new();
        for asks in Asks::ALL {
            let fill = self.fill(asks);
            let style = self.xfs.push(format!(
                "<{p}xf numFmtId=\"0\" fontId=\"{plain}\" fillId=\"{fill}\" applyFont=\"1\" applyFill=\"1\" applyAlignment=\"1\"><{p}alignment vertical=\"top\"/></{p}xf>"
            ));
            of_asks.insert(asks, style);
        }
        SheetStyles {
            title,
            line,
            heading,
            text,
            link,
            of_asks,
        }
    }

    pub(super) fn written(self) -> Result<String, NotWellFormed> {
        let mut edits = Edits::default();
        for list in [&self.fonts, &self.fills, &self.xfs] {
            self.write_list(list, &mut edits)?;
        }
        Ok(edits.apply(&self.text))
    }

    fn write_list(&self, list: &List, edits: &mut Edits) -> Result<(), NotWellFormed> {
        if list.added.is_empty() {
            return Ok(());
        }
        let added = list.added.concat();
        let count = (list.n + list.added.len()).to_string();
        let p = &self.prefix;
        match &list.tags {
            Some((start, end)) => {
                let raw = &self.text[start.clone()];
                let tag = Tags::from(raw, 0).next()?.ok_or(NotWellFormed)?;
                let counted = Tag::opened(&tag.with(&[("count", Some(&count))]));
                match end {
                    Some(end) => {
                        edits.replace(start.clone(), counted);
                        edits.insert(end.start, added);
                    }
                    None => {
                        edits.replace(start.clone(), format!("{counted}{added}{}", tag.closing()));
                    }
                }
            }
            None => {
                let name = list.name;
                edits.insert(
                    self.place_of(name)?,
                    format!("<{p}{name} count=\"{count}\">{added}</{p}{name}>"),
                );
            }
        }
        Ok(())
    }

    /// Where a list that is not there belongs.
    fn place_of(&self, name: &str) -> Result<usize, NotWellFormed> {
        let rank = |name: &str| ORDER.iter().position(|own| *own == name);
        let mut tags = Tags::of(&self.text);
        while let Some(tag) = tags.next()? {
            let is_later = tag.depth == 1 && tag.opens() && rank(tag.local()) > rank(name);
            if is_later || (tag.depth == 0 && tag.kind == Kind::End) {
                return Ok(tag.at.start);
            }
        }
        Err(NotWellFormed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMESPACE: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

    fn styles(text: &str) -> Styles {
        Styles::read(Some(text.to_owned()), NAMESPACE).unwrap()
    }

    #[test]
    fn a_marked_style_is_its_own_with_another_fill() {
        let text = "<styleSheet><fonts count=\"1\"><font/></fonts><fills count=\"2\"><fill/><fill/></fills><cellXfs count=\"2\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\" fillId=\"1\" applyFill=\"1\"><protection locked=\"0\"/></xf></cellXfs><dxfs count=\"0\"/></styleSheet>";
        let mut styles = styles(text);
        assert_eq!(styles.marked(1, Asks::ToFix), Some(2));
        assert_eq!(styles.marked(1, Asks::ToFix), Some(2));
        assert_eq!(styles.marked(0, Asks::ToExplain), Some(3));
        let written = styles.written().unwrap();
        assert!(written.contains(
            "<cellXfs count=\"4\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\" fillId=\"1\" applyFill=\"1\"><protection locked=\"0\"/></xf><xf numFmtId=\"14\" fillId=\"2\" applyFill=\"1\"><protection locked=\"0\"/></xf><xf numFmtId=\"0\" fillId=\"3\" applyFill=\"1\"/></cellXfs><dxfs count=\"0\"/>"
        ), "{written}");
        assert!(written.contains("<fills count=\"4\"><fill/><fill/><fill><patternFill"));
        assert!(written.contains("<fonts count=\"1\"><font/></fonts>"));
    }

    #[test]
    fn lists_that_are_not_there_are_made_where_they_belong() {
        let mut styles = styles(
            "<x:styleSheet xmlns:x=\"n\"><x:numFmts/><x:borders/><x:cellStyles/></x:styleSheet>",
        );
        assert_eq!(styles.marked(0, Asks::ForInformation), Some(1));
        let written = styles.written().unwrap();
        let order: Vec<_> = [
            "<x:numFmts",
            "<x:fonts",
            "<x:fills",
            "<x:borders",
            "<x:cellXfs",
            "<x:cellStyles",
        ]
        .iter()
        .map(|tag| written.find(tag).unwrap())
        .collect();
        assert!(order.is_sorted(), "{written}");
        assert!(
            written.contains("<x:xf/><x:xf fillId=\"2\" applyFill=\"1\"/>"),
            "{written}"
        );
    }

    #[test]
    fn a_workbook_without_styles_gets_its_first() {
        let mut styles = Styles::read(None, NAMESPACE).unwrap();
        let of_sheet = styles.for_sheet();
        assert_eq!((of_sheet.title, of_sheet.link), (1, 5));
        let written = styles.written().unwrap();
        assert!(written.contains(NAMESPACE));
        let again = Styles::read(Some(written), NAMESPACE).unwrap();
        assert_eq!(again.own.len(), 9);
    }

    #[test]
    fn a_mark_of_before_is_taken_away_again() {
        let text = "<styleSheet><fills count=\"3\"><fill/><fill/><fill><patternFill patternType=\"solid\"><fgColor rgb=\"FF00FF00\"/></patternFill></fill></fills><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"9\" fillId=\"2\" applyFill=\"1\"/></cellXfs></styleSheet>";
        let mut first = styles(text);
        let marked = first.marked(1, Asks::ToFix).unwrap();
        let mut second = styles(&first.written().unwrap());
        assert!(second.is_marking(marked) && !second.is_marking(1));
        assert_eq!(second.unmarked(marked), Some(1));
        assert_eq!(second.unmarked(1), Some(1));
        // Marked again, it is made from the style it had at first.
        let again = second.marked(marked, Asks::ToExplain).unwrap();
        assert_eq!(second.made.get(&(1, Some(Asks::ToExplain))), Some(&again));
    }

    #[test]
    fn white_letters_are_read_on_a_mark_and_are_white_again_without_it() {
        let text = "<styleSheet><fonts count=\"2\"><font><color theme=\"1\"/></font><font><b/><color rgb=\"FFFFFFFF\"/></font></fonts><fills count=\"1\"><fill/></fills><cellXfs><xf fontId=\"0\"/><xf fontId=\"1\" applyFont=\"1\"/></cellXfs></styleSheet>";
        let mut first = styles(text);
        let marked = first.marked(1, Asks::ToFix).unwrap();
        assert_eq!(first.marked(1, Asks::ToFix), Some(marked));
        assert_ne!(first.marked(0, Asks::ToFix), None);
        let written = first.written().unwrap();
        assert!(
            written.contains("<fonts count=\"3\"><font><color theme=\"1\"/></font><font><b/><color rgb=\"FFFFFFFF\"/></font><font><b/><color rgb=\"FF000001\"/></font></fonts>"),
            "{written}"
        );
        assert!(
            written.contains("<xf fillId=\"1\" applyFill=\"1\" fontId=\"2\" applyFont=\"1\"/><xf fontId=\"0\" fillId=\"1\" applyFill=\"1\"/>"),
            "{written}"
        );
        let mut second = styles(&written);
        assert_eq!(second.unmarked(marked), Some(1));
    }
}
