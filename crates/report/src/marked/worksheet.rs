//! A worksheet's part: styles of marked cells, cells where a blank one is at fault, and the way to the comments.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use finding::{Asks, column_letters, parse_column_letters};

use super::styles::Styles;
use super::xml::{Edits, Kind, NotWellFormed, Tag, Tags, escape};

/// 0-based row and column.
pub(super) type Place = (u32, u32);

/// What is to be marked on a sheet, the worst at each place.
pub(super) type Marks = BTreeMap<Place, Asks>;

/// What stands after `legacyDrawing` in a worksheet.
const AFTER_DRAWING: [&str; 9] = [
    "legacyDrawingHF",
    "drawingHF",
    "picture",
    "oleObjects",
    "controls",
    "webPublishItems",
    "tableParts",
    "extLst",
    "AlternateContent",
];

/// What was seen of a worksheet: where its marks go.
pub(super) struct Survey {
    pub(super) prefix: String,
    /// Cells that are there and to be marked, or were marked before.
    found: Vec<Found>,
    /// Cells that are not there.
    missing: Vec<Missing>,
    /// Rows that get a cell: their tags, to be written without the extent they state.
    widened: Vec<Range<usize>>,
    selected: Vec<Range<usize>>,
    /// `<sheetData/>`, where it has nothing in it.
    empty_data: Option<Range<usize>>,
    /// The relation of the drawing that shows comments.
    pub(super) drawing: Option<String>,
    /// Where it goes, where there is none.
    drawing_place: usize,
    /// The prefix of relations' ids, where the root declares one.
    relation_prefix: Option<String>,
}

struct Found {
    tag: Range<usize>,
    style: u32,
    /// `None`: not any more.
    asks: Option<Asks>,
}

struct Missing {
    place: Place,
    at: Spot,
    style: u32,
    asks: Asks,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Spot {
    /// In a row that has cells, or an end tag.
    Within(usize),
    /// In a row that is an empty element.
    Opening(Range<usize>),
    /// In a row that is not there either.
    NewRow(usize),
}

/// A row with marks, while it is read.
#[derive(Default)]
struct MarkedRow {
    /// Where the row's own tag stands: the first of them, should it be given twice.
    tag: Range<usize>,
    is_empty: bool,
    end: usize,
    style: u32,
    /// By column: where a cell goes that is not there; `usize::MAX` at the row's end.
    before: BTreeMap<u32, usize>,
    found: BTreeSet<u32>,
}

/// The top left cells of merged ranges, by the places within them that are looked for.
pub(super) fn top_lefts(
    text: &str,
    marks: &Marks,
) -> Result<BTreeMap<Place, Place>, NotWellFormed> {
    let mut moved = BTreeMap::new();
    // They stand after the cells.
    let from = text
        .rfind("sheetData")
        .map_or(0, |at| text[..at].rfind('<').unwrap_or(0));
    if !text[from..].contains("mergeCell") {
        return Ok(moved);
    }
    let mut tags = Tags::from(text, from);
    while let Some(tag) = tags.next()? {
        if tag.local() != "mergeCell" || !tag.opens() {
            continue;
        }
        let Some(((top, left), (bottom, right))) = tag.get("ref").and_then(|at| parse_range(&at))
        else {
            continue;
        };
        for (place, _) in marks.range((top, left)..=(bottom, right)) {
            if (left..=right).contains(&place.1) && *place != (top, left) {
                moved.insert(*place, (top, left));
            }
        }
    }
    Ok(moved)
}

impl Survey {
    pub(super) fn of(text: &str, marks: &Marks, styles: &Styles) -> Result<Self, NotWellFormed> {
        let mut survey = Self {
            prefix: String::new(),
            found: Vec::new(),
            missing: Vec::new(),
            widened: Vec::new(),
            selected: Vec::new(),
            empty_data: None,
            drawing: None,
            drawing_place: 0,
            relation_prefix: None,
        };
        let mut columns = Vec::new();
        let mut tags = Tags::of(text);
        let mut data = None;
        while let Some(tag) = tags.next()? {
            match (tag.depth, tag.local()) {
                (0, _) if tag.opens() => {
                    tag.prefix().clone_into(&mut survey.prefix);
                    survey.relation_prefix = relation_prefix(&tag);
                }
                (0, _) if survey.drawing_place == 0 => survey.drawing_place = tag.at.start,
                (1, "sheetData") if tag.opens() => {
                    if tag.kind == Kind::Empty {
                        survey.empty_data = Some(tag.at.clone());
                    }
                    data = Some(Data::read(
                        &mut tags,
                        &tag,
                        marks,
                        styles,
                        &mut survey.found,
                    )?);
                }
                (1, "legacyDrawing") if tag.opens() => {
                    survey.drawing = tag.get_prefixed("id").map(|(_, id)| id);
                }
                (1, name)
                    if tag.opens()
                        && data.is_some()
                        && survey.drawing_place == 0
                        && AFTER_DRAWING.contains(&name) =>
                {
                    survey.drawing_place = tag.at.start;
                }
                (2, "col") if tag.opens() => columns.extend(column_style(&tag)),
                (2, "sheetView") if tag.opens() && is_true(tag.get("tabSelected").as_deref()) => {
                    survey.selected.push(tag.at.clone());
                }
                _ => {}
            }
        }
        if let Some(data) = data {
            data.place_missing(marks, &columns, &mut survey);
        }
        Ok(survey)
    }

    /// The edits of the cells, with the styles they need; how many cells there was no room for another style for.
    pub(super) fn edit(
        &self,
        text: &str,
        styles: &mut Styles,
    ) -> Result<(Edits, usize), NotWellFormed> {
        let mut edits = Edits::default();
        let mut n_without = 0;
        for cell in &self.found {
            let style = match cell.asks {
                Some(asks) => styles.marked(cell.style, asks),
                None => styles.unmarked(cell.style),
            };
            match style {
                Some(style) => {
                    let tag = tag_at(text, &cell.tag)?;
                    edits.replace(
                        cell.tag.clone(),
                        tag.with(&[("s", Some(&style.to_string()))]),
                    );
                }
                None => n_without += 1,
            }
        }
        for at in &self.widened {
            // The extent is a hint that would be wrong now.
            edits.replace(at.clone(), tag_at(text, at)?.with(&[("spans", None)]));
        }
        n_without += self.write_missing(text, styles, &mut edits)?;
        self.unselect(text, &mut edits)?;
        Ok((edits, n_without))
    }

    fn write_missing(
        &self,
        text: &str,
        styles: &mut Styles,
        edits: &mut Edits,
    ) -> Result<usize, NotWellFormed> {
        let p = &self.prefix;
        let mut n_without = 0;
        let mut cells: BTreeMap<u32, (&Spot, String)> = BTreeMap::new();
        for missing in &self.missing {
            let Some(style) = styles.marked(missing.style, missing.asks) else {
                n_without += 1;
                continue;
            };
            let (row_idx, column_idx) = missing.place;
            let cell = format!(
                "<{p}c r=\"{}{}\" s=\"{style}\"/>",
                column_letters(column_idx),
                row_idx + 1
            );
            match &missing.at {
                Spot::Within(at) => edits.insert(*at, cell),
                spot => {
                    let row = cells
                        .entry(row_idx)
                        .or_insert_with(|| (spot, String::new()));
                    row.1.push_str(&cell);
                }
            }
        }
        let mut rows = String::new();
        for (row_idx, (spot, cells)) in cells {
            match spot {
                Spot::Opening(at) => {
                    let tag = tag_at(text, at)?;
                    let open = Tag::opened(&tag.with(&[("spans", None)]));
                    edits.replace(at.clone(), format!("{open}{cells}{}", tag.closing()));
                }
                Spot::NewRow(at) => {
                    let row = format!("<{p}row r=\"{}\">{cells}</{p}row>", row_idx + 1);
                    if self.empty_data.is_some() {
                        rows.push_str(&row);
                    } else {
                        edits.insert(*at, row);
                    }
                }
                Spot::Within(_) => {}
            }
        }
        if let (Some(at), false) = (&self.empty_data, rows.is_empty()) {
            let tag = tag_at(text, at)?;
            let open = Tag::opened(&tag.with(&[]));
            edits.replace(at.clone(), format!("{open}{rows}{}", tag.closing()));
        }
        Ok(n_without)
    }

    /// The findings sheet is the one that is selected.
    fn unselect(&self, text: &str, edits: &mut Edits) -> Result<(), NotWellFormed> {
        for at in &self.selected {
            edits.replace(at.clone(), tag_at(text, at)?.with(&[("tabSelected", None)]));
        }
        Ok(())
    }

    /// Leads to the drawing that shows the comments.
    pub(super) fn add_drawing(&self, edits: &mut Edits, relation_id: &str, namespace: &str) {
        let p = &self.prefix;
        let (declared, r) = match &self.relation_prefix {
            Some(prefix) => (String::new(), prefix.clone()),
            None => (format!(" xmlns:r=\"{namespace}\""), "r:".to_owned()),
        };
        edits.insert(
            self.drawing_place,
            format!(
                "<{p}legacyDrawing{declared} {r}id=\"{}\"/>",
                escape(relation_id)
            ),
        );
    }
}

/// A sheet of any kind that is not marked: it is only not the selected one any more. `None`: it was not.
pub(super) fn unselected(text: &str) -> Result<Option<String>, NotWellFormed> {
    if !text.contains("tabSelected") {
        return Ok(None);
    }
    let mut edits = Edits::default();
    let mut tags = Tags::of(text);
    while let Some(tag) = tags.next()? {
        if tag.local() == "sheetView" && tag.opens() && is_true(tag.get("tabSelected").as_deref()) {
            edits.replace(tag.at.clone(), tag.with(&[("tabSelected", None)]));
        }
        if tag.local() == "sheetData" {
            // Views stand before the cells.
            break;
        }
    }
    Ok((!edits.is_empty()).then(|| edits.apply(text)))
}

/// The rows of a sheet, with what matters of them.
struct Data {
    /// Where each row starts, in the order of the file.
    starts: Vec<(u32, usize)>,
    end: usize,
    marked: BTreeMap<u32, MarkedRow>,
}

impl Data {
    fn read<'x>(
        tags: &mut Tags<'x>,
        start: &Tag<'x>,
        marks: &Marks,
        styles: &Styles,
        found: &mut Vec<Found>,
    ) -> Result<Self, NotWellFormed> {
        let mut data = Self {
            starts: Vec::new(),
            end: start.at.end,
            marked: BTreeMap::new(),
        };
        if start.kind == Kind::Empty {
            return Ok(data);
        }
        let mut next_row = 0;
        while let Some(tag) = tags.next()? {
            if tag.kind == Kind::End && tag.depth == start.depth {
                data.end = tag.at.start;
                return Ok(data);
            }
            if tag.local() != "row" || !tag.opens() {
                continue;
            }
            let row_idx = tag
                .get("r")
                .and_then(|r| r.trim().parse::<u32>().ok()?.checked_sub(1))
                .unwrap_or(next_row);
            next_row = row_idx.saturating_add(1);
            data.starts.push((row_idx, tag.at.start));
            data.row(tags, &tag, row_idx, marks, styles, found)?;
        }
        Err(NotWellFormed)
    }

    fn row<'x>(
        &mut self,
        tags: &mut Tags<'x>,
        start: &Tag<'x>,
        row_idx: u32,
        marks: &Marks,
        styles: &Styles,
        found: &mut Vec<Found>,
    ) -> Result<(), NotWellFormed> {
        let has_marks = marks
            .range((row_idx, 0)..=(row_idx, u32::MAX))
            .next()
            .is_some();
        let mut seen = MarkedRow {
            tag: start.at.clone(),
            is_empty: start.kind == Kind::Empty,
            end: start.at.end,
            style: row_style(start),
            before: BTreeMap::new(),
            found: BTreeSet::new(),
        };
        let mut next_column = 0;
        let mut is_open = start.kind == Kind::Start;
        while is_open {
            let Some(tag) = tags.next()? else {
                return Err(NotWellFormed);
            };
            if tag.kind == Kind::End && tag.depth == start.depth {
                seen.end = tag.at.start;
                is_open = false;
            }
            if tag.local() != "c" || !tag.opens() || tag.depth != start.depth + 1 {
                continue;
            }
            let column_idx = tag
                .get("r")
                .and_then(|r| parse_place(&r))
                .map_or(next_column, |(_, column_idx)| column_idx);
            next_column = column_idx.saturating_add(1);
            let style = tag
                .get("s")
                .and_then(|s| s.trim().parse().ok())
                .unwrap_or(0);
            let asks = marks.get(&(row_idx, column_idx)).copied();
            if asks.is_some() || styles.is_marking(style) {
                found.push(Found {
                    tag: tag.at.clone(),
                    style,
                    asks,
                });
            }
            if has_marks {
                if asks.is_some() {
                    seen.found.insert(column_idx);
                }
                let unplaced = marks.range((row_idx, 0)..(row_idx, column_idx));
                for ((_, of), _) in unplaced {
                    seen.before.entry(*of).or_insert(tag.at.start);
                }
            }
        }
        if has_marks {
            match self.marked.entry(row_idx) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(seen);
                }
                // A row given twice: what is missing in both goes into the first.
                std::collections::btree_map::Entry::Occupied(mut entry) => {
                    entry.get_mut().found.extend(seen.found);
                }
            }
        }
        Ok(())
    }

    /// Where the marked cells go that are not there.
    fn place_missing(&self, marks: &Marks, columns: &[(u32, u32, u32)], survey: &mut Survey) {
        let in_order = self.starts.is_sorted();
        for (&(row_idx, column_idx), &asks) in marks {
            let place = (row_idx, column_idx);
            let of_column = || {
                columns
                    .iter()
                    .find(|(first, last, _)| (*first..=*last).contains(&column_idx))
                    .map_or(0, |(_, _, style)| *style)
            };
            let Some(row) = self.marked.get(&row_idx) else {
                let later = if in_order {
                    let n_before = self.starts.partition_point(|(other, _)| *other <= row_idx);
                    self.starts.get(n_before)
                } else {
                    self.starts.iter().find(|(other, _)| *other > row_idx)
                };
                survey.missing.push(Missing {
                    place,
                    at: Spot::NewRow(later.map_or(self.end, |(_, start)| *start)),
                    style: of_column(),
                    asks,
                });
                continue;
            };
            if row.found.contains(&column_idx) {
                continue;
            }
            let at = if row.is_empty {
                Spot::Opening(row.tag.clone())
            } else {
                if survey.widened.last() != Some(&row.tag) {
                    survey.widened.push(row.tag.clone());
                }
                Spot::Within(row.before.get(&column_idx).copied().unwrap_or(row.end))
            };
            let style = if row.style == 0 {
                of_column()
            } else {
                row.style
            };
            survey.missing.push(Missing {
                place,
                at,
                style,
                asks,
            });
        }
    }
}

fn tag_at<'x>(text: &'x str, at: &Range<usize>) -> Result<Tag<'x>, NotWellFormed> {
    Tags::from(&text[at.clone()], 0)
        .next()?
        .ok_or(NotWellFormed)
}

/// A row's own style counts only where it says so.
fn row_style(tag: &Tag<'_>) -> u32 {
    if is_true(tag.get("customFormat").as_deref()) {
        tag.get("s").and_then(|s| s.parse().ok()).unwrap_or(0)
    } else {
        0
    }
}

/// First column, last column (0-based) and their style.
fn column_style(tag: &Tag<'_>) -> Option<(u32, u32, u32)> {
    let number = |name: &str| tag.get(name)?.parse::<u32>().ok();
    Some((
        number("min")?.checked_sub(1)?,
        number("max")?.checked_sub(1)?,
        number("style")?,
    ))
}

fn is_true(value: Option<&str>) -> bool {
    matches!(value, Some("1" | "true" | "on"))
}

fn relation_prefix(root: &Tag<'_>) -> Option<String> {
    root.attributes().into_iter().find_map(|(name, value)| {
        let prefix = name.strip_prefix("xmlns:")?;
        (value.ends_with("/officeDocument/2006/relationships")
            || value.ends_with("/ooxml/officeDocument/relationships"))
        .then(|| format!("{prefix}:"))
    })
}

/// `B12`.
pub(super) fn parse_place(text: &str) -> Option<Place> {
    let text = text.trim();
    let digits = text.find(|c: char| c.is_ascii_digit())?;
    let (letters, row) = text.split_at(digits);
    let row_idx = row.parse::<u32>().ok()?.checked_sub(1)?;
    Some((row_idx, parse_column_letters(letters)?))
}

fn parse_range(text: &str) -> Option<(Place, Place)> {
    let (from, to) = text.split_once(':')?;
    Some((parse_place(from)?, parse_place(to)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLES: &str = "<styleSheet><fonts><font/></fonts><fills><fill/><fill/></fills><cellXfs><xf/><xf numFmtId=\"14\"/><xf numFmtId=\"9\"/></cellXfs></styleSheet>";

    /// The sheet's text with these cells marked; new styles are 3 and on, in the order of their use.
    fn marked(text: &str, places: &[&str]) -> String {
        let marks: Marks = places
            .iter()
            .map(|place| (parse_place(place).unwrap(), Asks::ToFix))
            .collect();
        let mut styles = Styles::read(Some(STYLES.to_owned()), "n").unwrap();
        let survey = Survey::of(text, &marks, &styles).unwrap();
        let (edits, n_without) = survey.edit(text, &mut styles).unwrap();
        assert_eq!(n_without, 0);
        edits.apply(text)
    }

    fn sheet(rows: &str) -> String {
        format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")
    }

    fn check(rows: &str, places: &[&str], expected: &str) {
        assert_eq!(marked(&sheet(rows), places), sheet(expected));
    }

    #[test]
    fn a_cell_gets_its_style_and_keeps_all_else() {
        check(
            "<row r=\"2\" spans=\"1:2\"><c r=\"A2\" t='s' s=\"1\"><f t=\"shared\" si=\"0\">B1&lt;1</f><v>1</v></c><c r=\"B2\"/></row>",
            &["A2", "B2"],
            "<row r=\"2\" spans=\"1:2\"><c r=\"A2\" t=\"s\" s=\"3\"><f t=\"shared\" si=\"0\">B1&lt;1</f><v>1</v></c><c r=\"B2\" s=\"4\"/></row>",
        );
    }

    #[test]
    fn a_cell_that_is_not_there_is_made_in_its_place() {
        check(
            "<row r=\"2\" spans=\"1:3\"><c r=\"A2\"/><c r=\"C2\"/></row>",
            &["B2", "D2"],
            "<row r=\"2\"><c r=\"A2\"/><c r=\"B2\" s=\"3\"/><c r=\"C2\"/><c r=\"D2\" s=\"3\"/></row>",
        );
        check(
            "<row r=\"2\" ht=\"20\"/>",
            &["B2", "C2"],
            "<row r=\"2\" ht=\"20\"><c r=\"B2\" s=\"3\"/><c r=\"C2\" s=\"3\"/></row>",
        );
        check(
            "<row r=\"2\"></row>",
            &["B2"],
            "<row r=\"2\"><c r=\"B2\" s=\"3\"/></row>",
        );
    }

    #[test]
    fn a_row_that_is_not_there_is_made_in_its_place() {
        check(
            "<row r=\"2\"/><row r=\"5\"/>",
            &["A1", "B4", "C4", "A9"],
            "<row r=\"1\"><c r=\"A1\" s=\"3\"/></row><row r=\"2\"/><row r=\"4\"><c r=\"B4\" s=\"3\"/><c r=\"C4\" s=\"3\"/></row><row r=\"5\"/><row r=\"9\"><c r=\"A9\" s=\"3\"/></row>",
        );
        assert_eq!(
            marked("<worksheet><sheetData/></worksheet>", &["A1", "A2"]),
            sheet(
                "<row r=\"1\"><c r=\"A1\" s=\"3\"/></row><row r=\"2\"><c r=\"A2\" s=\"3\"/></row>"
            )
        );
    }

    #[test]
    fn rows_and_cells_without_addresses_count_on() {
        check(
            "<row><c><v>1</v></c><c><v>2</v></c></row><row><c r=\"C2\"/><c/></row>",
            &["B1", "D2", "A2"],
            "<row><c><v>1</v></c><c s=\"3\"><v>2</v></c></row><row><c r=\"A2\" s=\"3\"/><c r=\"C2\"/><c s=\"3\"/></row>",
        );
    }

    #[test]
    fn rows_out_of_order_and_given_twice_get_no_cell_twice() {
        check(
            "<row r=\"5\"><c r=\"A5\"/></row><row r=\"2\"><c r=\"A2\"/></row><row r=\"5\"><c r=\"B5\"/></row>",
            &["B5", "A2"],
            "<row r=\"5\"><c r=\"A5\"/></row><row r=\"2\"><c r=\"A2\" s=\"3\"/></row><row r=\"5\"><c r=\"B5\" s=\"3\"/></row>",
        );
    }

    #[test]
    fn a_new_cell_looks_like_its_row_or_its_column() {
        let text = "<x:worksheet><x:cols><x:col min=\"2\" max=\"3\" style=\"1\"/></x:cols><x:sheetData><x:row r=\"1\"/><x:row r=\"2\" s=\"2\" customFormat=\"1\"/></x:sheetData></x:worksheet>";
        assert_eq!(
            marked(text, &["B1", "B2", "D1"]),
            text.replace(
                "<x:row r=\"1\"/>",
                "<x:row r=\"1\"><x:c r=\"B1\" s=\"3\"/><x:c r=\"D1\" s=\"4\"/></x:row>"
            )
            .replace(
                "customFormat=\"1\"/>",
                "customFormat=\"1\"><x:c r=\"B2\" s=\"5\"/></x:row>"
            )
        );
    }

    #[test]
    fn the_drawing_goes_where_the_schema_has_it() {
        let placed = |text: &str| {
            let styles = Styles::read(Some(STYLES.to_owned()), "n").unwrap();
            let survey = Survey::of(text, &Marks::new(), &styles).unwrap();
            assert_eq!(survey.drawing, None);
            let mut edits = Edits::default();
            survey.add_drawing(&mut edits, "rId7", "ns");
            edits.apply(text)
        };
        assert_eq!(
            placed(
                "<worksheet xmlns:q=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><extLst/><sheetData/><pageMargins/><drawing q:id=\"a\"/><tableParts/><extLst/></worksheet>"
            ),
            "<worksheet xmlns:q=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><extLst/><sheetData/><pageMargins/><drawing q:id=\"a\"/><legacyDrawing q:id=\"rId7\"/><tableParts/><extLst/></worksheet>"
        );
        assert_eq!(
            placed("<x:worksheet><x:sheetData></x:sheetData></x:worksheet>"),
            "<x:worksheet><x:sheetData></x:sheetData><x:legacyDrawing xmlns:r=\"ns\" r:id=\"rId7\"/></x:worksheet>"
        );
    }

    #[test]
    fn a_finding_within_merged_cells_is_shown_on_the_first_of_them() {
        let text = "<worksheet><sheetData><row r=\"1\"><c r=\"A1\"/></row></sheetData><mergeCells><mergeCell ref=\"A1:B2\"/></mergeCells></worksheet>";
        let marks: Marks = [
            ((1, 1), Asks::ToFix),
            ((1, 2), Asks::ToFix),
            ((0, 0), Asks::ToFix),
        ]
        .into();
        assert_eq!(top_lefts(text, &marks).unwrap(), [((1, 1), (0, 0))].into());
    }

    #[test]
    fn another_sheet_is_not_the_selected_one_any_more() {
        assert_eq!(
            unselected("<a><sheetViews><sheetView tabSelected=\"1\" workbookViewId=\"0\"/></sheetViews></a>").unwrap().unwrap(),
            "<a><sheetViews><sheetView workbookViewId=\"0\"/></sheetViews></a>"
        );
        assert_eq!(unselected("<a/>").unwrap(), None);
    }
}
