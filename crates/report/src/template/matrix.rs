//! Sheets with fixed cells: every text and cell where the spec has it.

use std::collections::{BTreeMap, BTreeSet};

use finding::column_letters;
use rust_xlsxwriter::{Formula, Worksheet};
use spec::layout::{Line, Matrix, MatrixColumn};
use spec::{Applies, IdentityPlace, Item, TableSpec};

use super::formula::Formulas;
use super::style::{PAGE_OF_FORM, Role, TITLE_HEIGHT, n_pages_wide, print_set_up, protect};
use super::{Scene, SentFor, column, unchanged, validation, write_value};
use crate::height;
use crate::workbook::WriteError;

/// A table of fixed cells.
#[derive(Clone, Copy)]
pub(super) struct Form<'a> {
    pub(super) table: &'a TableSpec,
    pub(super) layout: &'a Matrix,
}

/// A run of unused rows between lines is drawn this high, so that a form fits its page; it is not hidden.
const UNUSED_HEIGHT: f64 = 4.0;
const LABEL_WIDTH: f64 = 44.0;
const GAP_WIDTH: f64 = 3.0;
/// A run has at least so many.
const UNUSED_ROWS: u32 = 3;

/// Writes the forms that share a sheet; gives the last row in use, 0-based.
pub(super) fn write(
    worksheet: &mut Worksheet,
    scene: &Scene<'_>,
    forms: &[Form<'_>],
) -> Result<u32, WriteError> {
    let mut sheet = Sheet {
        worksheet: &mut *worksheet,
        scene,
        used: BTreeSet::new(),
        first_entry: None,
    };
    for form in forms {
        sheet.anchors(form)?;
    }
    for form in forms {
        sheet.identities(form)?;
        sheet.headings(form)?;
        sheet.lines(form)?;
    }
    let heading_rows: Vec<u32> = forms.iter().map(heading_row).collect();
    sheet.title_and_instructions(forms)?;
    let width = sheet.widths(forms)?;
    sheet.heights(forms)?;
    let last_row = sheet.used.iter().map(|&(row, _)| row).max().unwrap_or(0);
    sheet.squeeze_unused(last_row)?;
    let first_entry = sheet.first_entry;
    if let (Some(&row), [form]) = (heading_rows.first(), forms) {
        let first_figure = form.layout.columns.iter().map(|column| column.column_idx);
        let frozen = first_figure.min().unwrap_or(0);
        worksheet.set_freeze_panes(row + 1, column(frozen)?)?;
    }
    print_set_up(worksheet, &scene.spec.acronym, None)?;
    if let Some((row, column_idx)) = first_entry {
        let at = column(column_idx)?;
        worksheet.set_selection(row, at, row, at)?;
    }
    let n_pages = n_pages_wide(width, PAGE_OF_FORM);
    if let (2.., Some(label_column)) = (n_pages, forms.iter().map(label_column).min()) {
        worksheet.set_print_fit_to_pages(n_pages, 0);
        worksheet.set_repeat_columns(0, column(label_column)?)?;
    }
    protect(worksheet);
    Ok(last_row)
}

struct Sheet<'w, 's, 'a> {
    worksheet: &'w mut Worksheet,
    scene: &'s Scene<'a>,
    /// Cells with something in them or asked for.
    used: BTreeSet<(u32, u32)>,
    /// Where filling in begins.
    first_entry: Option<(u32, u32)>,
}

impl Sheet<'_, '_, '_> {
    fn text(
        &mut self,
        (row, column_idx): (u32, u32),
        text: &str,
        format: &rust_xlsxwriter::Format,
    ) -> Result<(), WriteError> {
        self.used.insert((row, column_idx));
        self.worksheet
            .write_string_with_format(row, column(column_idx)?, text, format)?;
        Ok(())
    }

    fn anchors(&mut self, form: &Form<'_>) -> Result<(), WriteError> {
        let heading_row = heading_row(form);
        let styles = &self.scene.styles;
        for anchor in &form.layout.anchors {
            let place = (anchor.row_idx, anchor.column_idx);
            let style = if anchor.row_idx == heading_row {
                // With its item's heading, or as a heading without one.
                styles.heading(Role::Required)
            } else if place == (0, 0) {
                &styles.title
            } else {
                &styles.subtitle
            };
            self.text(place, &anchor.text, style)?;
        }
        Ok(())
    }

    fn identities(&mut self, form: &Form<'_>) -> Result<(), WriteError> {
        for identity in &form.table.identities {
            let IdentityPlace::Cell {
                row_idx,
                column_idx,
            } = identity.place
            else {
                continue;
            };
            let label = self.scene.identity_label(identity.kind);
            let styles = &self.scene.styles;
            if column_idx > 0 && !self.used.contains(&(row_idx, 0)) {
                self.text((row_idx, 0), label, &styles.code)?;
            }
            let says = self.scene.identity(identity.kind).unwrap_or_default();
            self.used.insert((row_idx, column_idx));
            let at = column(column_idx)?;
            if says.is_empty() {
                self.worksheet.write_blank(row_idx, at, &styles.identity)?;
            } else {
                self.worksheet
                    .write_string_with_format(row_idx, at, says, &styles.identity)?;
            }
            let words = validation::words(
                label,
                &format!(
                    "{label}: whose or which period this return is for. It has to agree with where you send it."
                ),
            )?;
            self.worksheet
                .add_data_validation(row_idx, at, row_idx, at, &words)?;
        }
        Ok(())
    }

    fn headings(&mut self, form: &Form<'_>) -> Result<(), WriteError> {
        let row = heading_row(form);
        let styles = &self.scene.styles;
        if let Some(code_column) = form.layout.code_column_idx
            && !self.used.contains(&(row, code_column))
        {
            let heading = form
                .table
                .item(&form.layout.line_item)
                .map_or("Line", |item| item.title.as_str());
            self.text((row, code_column), heading, styles.heading(Role::Locked))?;
        }
        let label_column = label_column(form);
        if !self.used.contains(&(row, label_column)) {
            self.text((row, label_column), "What", styles.heading(Role::Locked))?;
        }
        for (spec_column, item) in columns(form) {
            let place = (row, spec_column.column_idx);
            // An anchor's text stays as it is: it proves that this is the form.
            if !self.used.contains(&place) {
                let role = Role::of_entry(item);
                self.text(place, &item.title, styles.heading(role))?;
            }
            let at = column(spec_column.column_idx)?;
            let words = validation::words(&item.title, &item.description)?;
            self.worksheet
                .add_data_validation(row, at, row, at, &words)?;
        }
        Ok(())
    }

    fn lines(&mut self, form: &Form<'_>) -> Result<(), WriteError> {
        let scene = self.scene;
        let formulas = Formulas::new(scene.spec, form.table, form.layout, scene.fill);
        let label_column = label_column(form);
        let mut entries: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for (line_idx, line) in form.layout.lines.iter().enumerate() {
            if let Some(code_column) = form.layout.code_column_idx {
                self.text((line.row_idx, code_column), &line.code, &scene.styles.code)?;
            }
            if !self.used.contains(&(line.row_idx, label_column)) {
                self.text(
                    (line.row_idx, label_column),
                    &line.label,
                    &scene.styles.label,
                )?;
                let at = column(label_column)?;
                let words = validation::words(&line.label, &line.description)?;
                self.worksheet
                    .add_data_validation(line.row_idx, at, line.row_idx, at, &words)?;
            }
            for (column_idx, spec_column) in form.layout.columns.iter().enumerate() {
                self.used.insert((line.row_idx, spec_column.column_idx));
                if self.cell(form, &formulas, (line_idx, line), (column_idx, spec_column))? {
                    entries.entry(column_idx).or_default().push(line.row_idx);
                    let place = (line.row_idx, spec_column.column_idx);
                    self.first_entry.get_or_insert(place);
                }
            }
        }
        for (column_idx, rows) in entries {
            self.validate(form, &form.layout.columns[column_idx], &rows)?;
        }
        Ok(())
    }

    /// Writes one cell; whether it is to be filled in.
    fn cell(
        &mut self,
        form: &Form<'_>,
        formulas: &Formulas<'_>,
        (line_idx, line): (usize, &Line),
        (column_idx, spec_column): (usize, &MatrixColumn),
    ) -> Result<bool, WriteError> {
        let Some(item) = form.table.item(&spec_column.item) else {
            return Ok(false);
        };
        let styles = &self.scene.styles;
        let (row, at) = (line.row_idx, column(spec_column.column_idx)?);
        let applies = form
            .layout
            .applies(line, &item.name, self.scene.fill.organisation);
        let role = match applies {
            Applies::No => {
                self.worksheet.write_blank(row, at, &styles.nothing)?;
                return Ok(false);
            }
            Applies::Yes => Role::of_entry(item),
            Applies::NotKnown => Role::Optional,
        };
        if let Some(text) = formulas.text(line_idx, column_idx) {
            let value = formulas.value(line_idx, column_idx).unwrap_or_default();
            let formula = Formula::new(format!("={text}")).set_result(value);
            let format = styles.cell(item, Role::Locked);
            self.worksheet
                .write_formula_with_format(row, at, formula, &format)?;
            return Ok(false);
        }
        let format = styles.cell(item, role);
        match formulas.given(line_idx, column_idx) {
            Some(value) => {
                write_value(self.worksheet, (row, at), item, value, &format)?;
                if self.scene.fill.sent_for == SentFor::AnEarlierOne {
                    let look = &styles.unchanged;
                    unchanged::mark(self.worksheet, (row, at), item, value, look)?;
                }
            }
            None => {
                self.worksheet.write_blank(row, at, &format)?;
            }
        }
        Ok(true)
    }

    /// One validation for all cells of a column.
    fn validate(
        &mut self,
        form: &Form<'_>,
        spec_column: &MatrixColumn,
        rows: &[u32],
    ) -> Result<(), WriteError> {
        let (Some(item), Some(&first), Some(&last)) = (
            form.table.item(&spec_column.item),
            rows.first(),
            rows.last(),
        ) else {
            return Ok(());
        };
        let at = column(spec_column.column_idx)?;
        let letters = column_letters(spec_column.column_idx);
        let cells: Vec<String> = rows
            .iter()
            .map(|row| format!("{letters}{}", row + 1))
            .collect();
        let rule =
            validation::of_item(self.scene, form.table, item)?.set_multi_range(cells.join(" "));
        self.worksheet
            .add_data_validation(first, at, last, at, &rule)?;
        Ok(())
    }

    /// In free cells of the first rows only: the form's own texts stand where the spec has them.
    fn title_and_instructions(&mut self, forms: &[Form<'_>]) -> Result<(), WriteError> {
        let spec = self.scene.spec;
        if !self.used.contains(&(0, 0))
            && let Some(form) = forms.first()
        {
            let title = format!("{}: {}", spec.acronym, form.table.title);
            self.text((0, 0), &title, &self.scene.styles.title)?;
        }
        let first_line = forms.iter().map(heading_row).min().unwrap_or(0);
        let free = (1..first_line).rev().find(|&row| {
            let is_used = |row| self.used.range((row, 0)..(row, u32::MAX)).next().is_some();
            !is_used(row)
        });
        if let Some(row) = free {
            let mut words = vec!["Fill in the yellow and white cells; yellow ones may not be blank: enter 0 where there is nothing.".to_owned()];
            words.push("Grey cells are calculated, dark grey cells stay blank.".to_owned());
            words.extend(units(forms));
            if self.scene.shows_earlier_figures() {
                words.push(unchanged::WORDS.to_owned());
            }
            let styles = &self.scene.styles;
            self.text((row, 0), &words.join(" "), &styles.instruction)?;
        }
        Ok(())
    }

    /// Gives the width of all columns.
    fn widths(&mut self, forms: &[Form<'_>]) -> Result<f64, WriteError> {
        let mut widths: BTreeMap<u32, f64> = BTreeMap::new();
        let mut widen = |column_idx: u32, width: f64| {
            let widest = widths.entry(column_idx).or_insert(width);
            *widest = widest.max(width);
        };
        for form in forms {
            for (spec_column, item) in columns(form) {
                widen(spec_column.column_idx, heading_width(&item.title));
            }
            if let Some(code_column) = form.layout.code_column_idx {
                let longest = form
                    .layout
                    .lines
                    .iter()
                    .map(|line| line.code.chars().count());
                #[expect(clippy::cast_precision_loss, reason = "a code has few characters")]
                let longest = longest.max().unwrap_or(0) as f64;
                widen(code_column, (longest * 1.25 + 2.0).clamp(15.0, 24.0));
            }
            widen(label_column(form), LABEL_WIDTH);
            for identity in &form.table.identities {
                if let IdentityPlace::Cell { column_idx, .. } = identity.place {
                    widen(column_idx, 20.0);
                }
            }
        }
        // Columns that the spec leaves out between others are a gap.
        let last = widths.keys().max().copied().unwrap_or(0);
        for column_idx in 0..last {
            widths.entry(column_idx).or_insert(GAP_WIDTH);
        }
        for (column_idx, width) in &widths {
            self.worksheet
                .set_column_width(column(*column_idx)?, *width)?;
        }
        Ok(widths.values().sum())
    }

    fn heights(&mut self, forms: &[Form<'_>]) -> Result<(), WriteError> {
        if self.used.contains(&(0, 0)) {
            self.worksheet.set_row_height(0, TITLE_HEIGHT)?;
        }
        for form in forms {
            let headings =
                columns(form).map(|(_, item)| (item.title.as_str(), heading_width(&item.title)));
            let row = heading_row(form);
            self.worksheet
                .set_row_height(row, height::of_row(height::ARIAL_10_BOLD, headings))?;
            for line in &form.layout.lines {
                let texts = [(line.label.as_str(), LABEL_WIDTH)];
                self.worksheet
                    .set_row_height(line.row_idx, height::of_row(height::ARIAL_10, texts))?;
            }
        }
        Ok(())
    }

    fn squeeze_unused(&mut self, last_row: u32) -> Result<(), WriteError> {
        let used: BTreeSet<u32> = self.used.iter().map(|&(row, _)| row).collect();
        let mut run = Vec::new();
        for row in 0..=last_row {
            if !used.contains(&row) {
                run.push(row);
                continue;
            }
            if run.len() >= UNUSED_ROWS as usize {
                for &row in &run {
                    self.worksheet.set_row_height(row, UNUSED_HEIGHT)?;
                }
            }
            run.clear();
        }
        Ok(())
    }
}

/// The row of the anchors that head its columns, or else the row above its first line.
fn heading_row(form: &Form<'_>) -> u32 {
    let lines = || form.layout.lines.iter().map(|line| line.row_idx);
    let first_line = lines().min().unwrap_or(1);
    form.layout
        .anchors
        .iter()
        .filter(|anchor| anchor.row_idx < first_line)
        .filter(|anchor| {
            let mut columns = form.layout.columns.iter();
            columns.any(|column| column.column_idx == anchor.column_idx)
        })
        .map(|anchor| anchor.row_idx)
        .max()
        .unwrap_or(first_line.saturating_sub(1))
}

/// Beside the first figures, or the first column beyond the codes that holds none.
fn label_column(form: &Form<'_>) -> u32 {
    let is_taken = |idx: u32| {
        let mut columns = form.layout.columns.iter();
        columns.any(|column| column.column_idx == idx)
    };
    let first = form.layout.code_column_idx.map_or(0, |idx| idx + 1);
    let figures = form.layout.columns.iter().map(|column| column.column_idx);
    if let Some(beside) = figures.clone().min().and_then(|idx| idx.checked_sub(1))
        && beside >= first
    {
        return beside;
    }
    let last = figures.max().unwrap_or(first).max(first);
    (first..=last)
        .find(|&idx| !is_taken(idx))
        .unwrap_or(last + 1)
}

fn columns<'a>(form: &Form<'a>) -> impl Iterator<Item = (&'a MatrixColumn, &'a Item)> {
    let table = form.table;
    form.layout
        .columns
        .iter()
        .filter_map(move |column| Some((column, table.item(&column.item)?)))
}

/// "All figures are in £000.", where they all are.
fn units(forms: &[Form<'_>]) -> Option<String> {
    let units: BTreeSet<Option<&str>> = forms
        .iter()
        .flat_map(columns)
        .map(|(_, item)| item.unit.as_deref())
        .collect();
    let mut units = units.into_iter();
    match (units.next(), units.next()) {
        (Some(Some(unit)), None) => Some(format!("All figures are in {unit}.")),
        _ => None,
    }
}

/// Wide enough for its longest word, and for its words on a few lines.
fn heading_width(title: &str) -> f64 {
    let longest = title
        .split([' ', '-', '/'])
        .map(|word| word.chars().count())
        .max();
    let whole = title.chars().count();
    let characters = longest.unwrap_or(0).max(whole / 4).max(9);
    #[expect(clippy::cast_precision_loss, reason = "a title has few characters")]
    let characters = characters as f64;
    (characters * 1.2 + 2.0).min(30.0)
}
