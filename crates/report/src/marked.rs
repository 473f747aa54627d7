//! The sender's own workbook with its faulty cells highlighted and commented, and the findings on a sheet in front.
//!
//! The package is patched: what a mark does not touch (formulas, styles, charts, names, drop-downs, other sheets) is copied as it was packed.
//! This looks at a sender's bytes, so it runs where a file is read: in a process that may die.

mod boxes;
mod comments;
mod findings_sheet;
mod ink;
mod relations;
mod styles;
#[cfg(test)]
mod tests;
mod workbook_part;
mod worksheet;
mod xml;

use std::collections::{BTreeMap, BTreeSet};

use finding::words::{counted, with_commas};
use finding::{Asks, Finding};
use sheet::{Limits, PartChanges, Parts, Refusal};

use crate::listing::{Cover, colour_name};
use crate::text::MANY;
use boxes::CommentBox;
use comments::{Commented, Said};
use findings_sheet::Page;
use relations::{CONTENT_TYPES, ContentTypes, Relations, rels_name};
use styles::Styles;
use workbook_part::{Added, WorkbookPart};
use worksheet::{Marks, Place, Survey};
use xml::{Edits, NotWellFormed};

/// How many findings are marked and listed, the first in report order. There is a limit to what anybody mends in one workbook.
pub const MOST_FINDINGS: usize = 100_000;

/// How many comments a sheet gets: with more of them, programs are slow to open it.
const MOST_COMMENTS: usize = 2_000;

/// How many findings the comment of one cell tells.
const MOST_IN_COMMENT: usize = 5;

/// Why a workbook is not given back with marks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotMarked {
    /// Only an Excel workbook (.xlsx) can be given back as it is but for its marks.
    #[error("only an Excel workbook (.xlsx) can be given back with its cells marked")]
    OtherFormat,
    /// What runs on opening is not handed out, whoever wrote it.
    #[error("a workbook with macros is not given back")]
    Macros,
    /// A workbook that several people edit at once keeps a list of its sheets that can't be patched.
    #[error("a workbook that is shared for editing can't be given back with its cells marked")]
    Shared,
    #[error("the workbook is not made as Excel makes one, so that its cells can't be marked")]
    Odd,
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl From<NotWellFormed> for NotMarked {
    fn from(NotWellFormed: NotWellFormed) -> Self {
        NotMarked::Odd
    }
}

/// The workbook with its marks, as bytes of the same format.
///
/// `findings` are in report order; what goes beyond [`MOST_FINDINGS`] is counted in the cover alone.
pub fn mark(
    bytes: &[u8],
    cover: &Cover,
    findings: &[Finding],
    limits: &Limits,
) -> Result<Vec<u8>, NotMarked> {
    let parts = Parts::open(bytes, limits)?.ok_or(NotMarked::OtherFormat)?;
    let holds = |what: &str| parts.names().any(|name| name.contains(what));
    if holds("vbaproject.bin") || holds("macrosheets/") {
        return Err(NotMarked::Macros);
    }
    if holds("xl/revisions/") {
        return Err(NotMarked::Shared);
    }
    let findings = &findings[..findings.len().min(MOST_FINDINGS)];
    Marking::open(parts, cover, findings)?.run()
}

/// A marking on its way.
struct Marking<'a, 'b> {
    parts: Parts<'b>,
    cover: &'a Cover,
    findings: &'a [Finding],
    /// The relations of the package, which lead to the workbook.
    package: Relations,
    workbook: WorkbookPart,
    styles: Styles,
    styles_name: String,
    types: ContentTypes,
    changes: PartChanges<'static>,
    /// The next free block of numbers for comment boxes.
    next_block: usize,
    /// Sentences for the findings sheet.
    notes: Vec<String>,
    n_without_colour: usize,
    n_without_comment: usize,
}

/// What is to be marked on one sheet.
#[derive(Default)]
struct SheetMarks<'a> {
    marks: Marks,
    findings: BTreeMap<Place, Vec<&'a Finding>>,
}

impl<'a, 'b> Marking<'a, 'b> {
    fn open(
        mut parts: Parts<'b>,
        cover: &'a Cover,
        findings: &'a [Finding],
    ) -> Result<Self, NotMarked> {
        let mut package = Relations::read("", parts.text(&rels_name(""))?)?;
        let name = match package.of_kind("/officeDocument") {
            Some(relation) => relation.target.clone(),
            None => "xl/workbook.xml".to_owned(),
        };
        let text = parts.text(&name)?.ok_or(NotMarked::Odd)?;
        let relations = Relations::read(&name, parts.text(&rels_name(&name))?)?;
        let workbook = WorkbookPart::read(name, text, relations)?;
        let mut types = ContentTypes::default();
        let mut changes = PartChanges::default();
        let mut notes = Vec::new();
        // It vouches for bytes that are not these any more.
        let origins = package.drop_kind("/digital-signature/origin");
        if !origins.is_empty() {
            let signatures: Vec<String> = parts
                .names()
                .filter(|name| name.starts_with("_xmlsignatures/"))
                .map(str::to_owned)
                .collect();
            for name in signatures.iter().chain(&origins) {
                types.drop(name);
                changes.drop(name);
            }
            notes.push(
                "The workbook was signed. This copy has marks that were not there when it was signed, so the signature is not on it."
                    .to_owned(),
            );
        }
        let styles_name = match workbook.relations.of_kind("/styles") {
            Some(relation) => relation.target.clone(),
            None => workbook.beside("styles.xml"),
        };
        let styles = Styles::read(parts.text(&styles_name)?, &workbook.namespace)?;
        let next_block = next_block(&mut parts)?;
        Ok(Self {
            parts,
            cover,
            findings,
            package,
            workbook,
            styles,
            styles_name,
            types,
            changes,
            next_block,
            notes,
            n_without_colour: 0,
            n_without_comment: 0,
        })
    }

    fn run(mut self) -> Result<Vec<u8>, NotMarked> {
        self.drop_calculation_order();
        let mut by_sheet = self.marks_by_sheet();
        for idx in 0..self.workbook.sheets.len() {
            let sheet = self.workbook.sheets[idx].clone();
            let Some(part) = sheet.part else { continue };
            let text = self.parts.text(&part)?.ok_or(NotMarked::Odd)?;
            if sheet.is_ours && sheet::is_our_part(&text) {
                // It is written anew.
                self.workbook.sheets[idx].is_replaced = true;
                continue;
            }
            let marks = by_sheet.remove(&sheet.name.to_lowercase());
            self.sheet(&part, &text, marks.unwrap_or_default())?;
        }
        self.add_findings();
        self.finish()
    }

    /// Programs make it again from the formulas; the one that is there counts sheets as they were.
    fn drop_calculation_order(&mut self) {
        for part in self.workbook.relations.drop_kind("/calcChain") {
            self.types.drop(&part);
            self.changes.drop(&part);
        }
    }

    fn marks_by_sheet(&self) -> BTreeMap<String, SheetMarks<'a>> {
        let mut by_sheet: BTreeMap<String, SheetMarks<'a>> = BTreeMap::new();
        for finding in self.findings {
            let Some(cell) = &finding.cell else { continue };
            let sheet = by_sheet.entry(cell.sheet.to_lowercase()).or_default();
            let place = (cell.row_idx, cell.column_idx);
            let asks = Asks::of(finding.severity);
            let mark = sheet.marks.entry(place).or_insert(asks);
            *mark = asks.min(*mark);
            sheet.findings.entry(place).or_default().push(finding);
        }
        by_sheet
    }

    fn sheet(&mut self, part: &str, text: &str, mut of: SheetMarks<'a>) -> Result<(), NotMarked> {
        if of.marks.is_empty() && !self.styles.has_markings() {
            if let Some(text) = worksheet::unselected(text)? {
                self.changes.put(part, text);
            }
            return Ok(());
        }
        of.onto_merged_cells(text)?;
        let survey = Survey::of(text, &of.marks, &self.styles)?;
        let (mut edits, n_without) = survey.edit(text, &mut self.styles)?;
        self.n_without_colour += n_without;
        self.comment(part, &survey, &of, &mut edits)?;
        if !edits.is_empty() {
            self.changes.edit(part, move |text| edits.apply(text));
        }
        Ok(())
    }

    /// The comments of a sheet and the boxes that show them.
    fn comment(
        &mut self,
        part: &str,
        survey: &Survey,
        of: &SheetMarks<'_>,
        edits: &mut Edits,
    ) -> Result<(), NotMarked> {
        let mut relations = Relations::read(part, self.parts.text(&rels_name(part))?)?;
        let mut threads = BTreeSet::new();
        for relation in &relations.all {
            if relation.kind.ends_with("/threadedComment")
                && let Some(text) = self.parts.text(&relation.target)?
            {
                threads.extend(comments::threads(&text)?);
            }
        }
        let there = relations
            .of_kind("/comments")
            .map(|relation| relation.target.clone());
        if of.findings.is_empty() && there.is_none() {
            return Ok(());
        }
        // Programs show the thread in the comment's place.
        let places = of
            .findings
            .iter()
            .filter(|(place, _)| !threads.contains(place));
        let said: BTreeMap<Place, Said> = places
            .take(MOST_COMMENTS)
            .map(|(place, findings)| (*place, say(findings)))
            .collect();
        self.n_without_comment += of.findings.len() - said.len();
        let drawing = match &survey.drawing {
            None => None,
            Some(id) => match self.drawing(&relations, id)? {
                Some(drawing) => Some(drawing),
                None => {
                    self.n_without_comment += said.len();
                    return Ok(());
                }
            },
        };
        let is_new = there.is_none();
        let (name, commented) = match there {
            Some(name) => {
                let text = self.parts.text(&name)?.ok_or(NotMarked::Odd)?;
                (name, comments::add(&text, &said)?)
            }
            None => {
                let name = self.unused("comments", "xml");
                let kind = format!("{}/comments", self.workbook.relation_kinds);
                relations.add(&kind, &name);
                (name, comments::write(&said, &self.workbook.namespace))
            }
        };
        let boxes: Vec<CommentBox> = commented
            .boxes_to_add
            .iter()
            .map(|place| CommentBox {
                place: *place,
                n_lines: said.get(place).map_or(0, n_lines),
            })
            .collect();
        if !self.draw(&mut relations, survey, drawing, &commented, &boxes, edits) {
            // The comments could not be shown.
            self.n_without_comment += said.len();
            return Ok(());
        }
        if is_new {
            self.types.add(
                &name,
                "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml",
            );
        }
        self.changes.put(&name, commented.text);
        if relations.is_changed() {
            self.changes.put(&relations.name, relations.written()?);
        }
        Ok(())
    }

    /// The drawing that shows a sheet's comments; `None` where it is not there or no text.
    fn drawing(
        &mut self,
        relations: &Relations,
        id: &str,
    ) -> Result<Option<(String, String)>, NotMarked> {
        let Some(name) = relations.by_id(id).map(|relation| relation.target.clone()) else {
            return Ok(None);
        };
        let text = self.parts.text_lossy(&name)?;
        let text = text.filter(|text| !text.contains(char::REPLACEMENT_CHARACTER));
        Ok(text.map(|text| (name, text)))
    }

    /// Draws the boxes; false where the drawing that is there is of no known kind.
    fn draw(
        &mut self,
        relations: &mut Relations,
        survey: &Survey,
        drawing: Option<(String, String)>,
        commented: &Commented,
        boxes: &[CommentBox],
        edits: &mut Edits,
    ) -> bool {
        if boxes.is_empty() && commented.boxes_to_drop.is_empty() {
            return true;
        }
        if let Some((name, text)) = drawing {
            let changed = boxes::change(&text, boxes, &commented.boxes_to_drop);
            let is_drawn = changed.is_some();
            if let Some(changed) = changed {
                self.changes.put(&name, changed);
            }
            return is_drawn;
        }
        let (text, next_block) = boxes::write(boxes, self.next_block);
        self.next_block = next_block;
        let name = self.unused("vmlDrawing", "vml");
        let kinds = &self.workbook.relation_kinds;
        let id = relations.add(&format!("{kinds}/vmlDrawing"), &name);
        survey.add_drawing(edits, &id, kinds);
        self.types.add(
            &name,
            "application/vnd.openxmlformats-officedocument.vmlDrawing",
        );
        self.changes.put(&name, text);
        true
    }

    /// A name for a new part that no part has.
    fn unused(&self, stem: &str, ending: &str) -> String {
        (1..=u32::MAX)
            .map(|n| self.workbook.beside(&format!("lgdp/{stem}{n}.{ending}")))
            .find(|name| !self.parts.has(name) && !self.changes.puts(name))
            .unwrap_or_default()
    }

    /// Our sheets, in front of the others or in the place of those of before.
    fn add_findings(&mut self) {
        let notes = self.all_notes();
        let own = crate::csv::own_headings(self.findings);
        let of_sheet = self.styles.for_sheet();
        let page = Page {
            cover: self.cover,
            notes: &notes,
            namespace: &self.workbook.namespace.clone(),
            styles: &of_sheet,
        };
        let mut sheets = vec![(
            sheet::FINDINGS_SHEET,
            findings_sheet::findings(&page, self.findings, &own),
        )];
        if self.findings.len() > MANY {
            let groups = finding::groups(self.findings);
            sheets.push((
                sheet::OVERVIEW_SHEET,
                findings_sheet::overview(&page, &groups),
            ));
        }
        let kind = format!("{}/worksheet", self.workbook.relation_kinds);
        for (name, text) in sheets {
            let part = self.unused("sheet", "xml");
            let relation_id = self.workbook.relations.add(&kind, &part);
            self.types.add(
                &part,
                "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml",
            );
            self.changes.put(&part, text);
            self.workbook.add(name, relation_id);
        }
    }

    fn all_notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let n_all = self.cover.n_findings();
        let colours: Vec<String> = Asks::ALL
            .iter()
            .map(|asks| format!("{}: {}", asks.lower(), colour_name(*asks)))
            .collect();
        notes.push(format!(
            "The cells are coloured ({}) and a comment on each says what is wrong and how to mend it. Nothing else was changed.",
            colours.join(", ")
        ));
        notes.push(
            "You can mend the cells here and send this workbook: this sheet, the colours and the comments do not matter for the next check."
                .to_owned(),
        );
        if n_all > self.findings.len() as u64 {
            notes.push(format!(
                "The first {} of {} findings are listed and marked here; the list of findings that you can download has them all.",
                with_commas(self.findings.len() as u64),
                with_commas(n_all)
            ));
        }
        if self.n_without_comment > 0 {
            notes.push(format!(
                "{} no comment, because there would be too many, or because of what others put there; the list below has them all.",
                counted(self.n_without_comment as u64, "cell has", "cells have")
            ));
        }
        if self.n_without_colour > 0 {
            notes.push(format!(
                "{} not coloured, because the workbook has too many kinds of formatting; the list below has them all.",
                counted(self.n_without_colour as u64, "cell is", "cells are")
            ));
        }
        notes.extend(self.notes.iter().cloned());
        notes
    }

    fn finish(mut self) -> Result<Vec<u8>, NotMarked> {
        if self.workbook.relations.of_kind("/styles").is_none() {
            let kind = format!("{}/styles", self.workbook.relation_kinds);
            self.workbook.relations.add(&kind, &self.styles_name);
            self.types.add(
                &self.styles_name,
                "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml",
            );
        }
        let workbook = self.workbook.name.clone();
        let Added {
            text,
            relations,
            dropped,
        } = self.workbook.written()?;
        for part in dropped {
            self.types.drop(&part);
            self.changes.drop(&rels_name(&part));
            self.changes.drop(&part);
        }
        self.changes.put(&workbook, text);
        self.changes.put(&relations.name, relations.written()?);
        if self.package.is_changed() {
            self.changes
                .put(&self.package.name, self.package.written()?);
        }
        self.changes.put(&self.styles_name, self.styles.written()?);
        let types = self.parts.text(CONTENT_TYPES)?.ok_or(NotMarked::Odd)?;
        // A workbook for macros that has none, or a template, is a plain workbook now, as its name will say.
        if types.contains("macroEnabled.main+xml") || types.contains("template.main+xml") {
            self.types.add(
                &workbook,
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
            );
        }
        self.changes.put(CONTENT_TYPES, self.types.written(&types)?);
        Ok(self.parts.copy_with(self.changes)?)
    }
}

impl SheetMarks<'_> {
    /// Within merged cells only the first is seen.
    fn onto_merged_cells(&mut self, text: &str) -> Result<(), NotMarked> {
        for (from, to) in worksheet::top_lefts(text, &self.marks)? {
            if let Some(asks) = self.marks.remove(&from) {
                let mark = self.marks.entry(to).or_insert(asks);
                *mark = asks.min(*mark);
            }
            let moved = self.findings.remove(&from).unwrap_or_default();
            self.findings.entry(to).or_default().extend(moved);
        }
        Ok(())
    }
}

/// What the comment of a cell says.
fn say(findings: &[&Finding]) -> Said {
    let worst = findings
        .iter()
        .map(|finding| Asks::of(finding.severity))
        .min();
    let mut told: Vec<String> = findings
        .iter()
        .take(MOST_IN_COMMENT)
        .map(|finding| format!("{}\n{}", finding.message, finding.fix))
        .collect();
    if findings.len() > MOST_IN_COMMENT {
        told.push(format!(
            "And {} more: see the sheet \"{}\".",
            findings.len() - MOST_IN_COMMENT,
            sheet::FINDINGS_SHEET
        ));
    }
    let mut text = told.join("\n\n");
    // A comment holds what a cell does; one that long is read nowhere.
    if let Some((end, _)) = text.char_indices().nth(2_000) {
        text.truncate(end);
        text.push('…');
    }
    Said {
        heading: worst.unwrap_or(Asks::ForInformation).heading().to_owned(),
        text,
    }
}

/// About how many lines a comment takes in its box.
fn n_lines(said: &Said) -> usize {
    const CHARACTERS: usize = 46;
    1 + said
        .text
        .lines()
        .map(|line| line.chars().count() / CHARACTERS + 1)
        .sum::<usize>()
}

/// The first block of box numbers that no drawing uses.
fn next_block(parts: &mut Parts<'_>) -> Result<usize, NotMarked> {
    let drawings: Vec<String> = parts
        .names()
        .filter(|name| matches!(name.rsplit_once('.'), Some((_, "vml"))))
        .map(str::to_owned)
        .collect();
    let mut last = 0;
    for name in drawings {
        if let Some(text) = parts.text_lossy(&name)? {
            last = last.max(boxes::last_block(&text));
        }
    }
    Ok(last + 1)
}
