//! The workbook of a return, made from its spec: blank, or with what is known already.
//!
//! A sheet on how to fill it in, the return's own sheets, and the codes of the drop-downs; no sheet, row or column is hidden.
//! Computed cells have the formulas that the spec's sums give, with their values.
//! A property of the document says which version of which return it is, so that another year's form is known when it comes in.
//! The same spec and values give the same bytes on any day.

mod carried;
mod codes;
mod formula;
mod guide;
mod hint;
mod matrix;
mod records;
mod style;
mod unchanged;
mod validation;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, Worksheet};
use sheet::{Limits, PartChanges, Parts};
use spec::stamp::{CODES_SHEET, GUIDE_SHEET, PROPERTY, Stamp};
use spec::{
    IdentityKind, Item, ItemKind, Layout, Organisation, Period, PeriodKind, ReturnSpec, TableSpec,
};

use crate::fitting::fitting;
use crate::workbook::WriteError;
pub use carried::carried_over;
use codes::CodeSheet;
use style::Styles;

/// Records of one table: the values in the order of its items, in Postgres's text form.
pub type Rows = Vec<Vec<Option<String>>>;

/// What a template is filled in with.
#[derive(Debug, Clone, Default)]
pub struct Fill<'a> {
    /// Whose return it will be; it decides which cells of a form are asked for.
    pub organisation: Option<&'a Organisation>,
    /// Which period it will be for; it decides which codes and rules are in force.
    pub period: Option<&'a Period>,
    /// By table; a matrix's lines are found by their code.
    pub rows: BTreeMap<String, Rows>,
    pub sent_for: SentFor,
}

/// What the rows of a [`Fill`] were sent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SentFor {
    /// The period of the form, which corrects them.
    #[default]
    ThisPeriod,
    AnEarlierOne,
}

/// The workbook as an xlsx file.
pub fn template(spec: &ReturnSpec, fill: &Fill<'_>) -> Result<Vec<u8>, WriteError> {
    let mut workbook = Workbook::new();
    workbook.set_properties(
        &DocProperties::new()
            .set_title(format!("{}: {}", spec.acronym, spec.title))
            .set_custom_property(PROPERTY, Stamp::of(spec).to_string().as_str())
            .set_creation_datetime(&ExcelDateTime::from_ymd(2000, 1, 1)?),
    );
    let scene = Scene {
        spec,
        fill,
        codes: CodeSheet::plan(spec, fill.period),
        styles: Styles::new(),
    };
    let guide = workbook.add_worksheet();
    guide.set_name(GUIDE_SHEET)?;
    guide::write(guide, &scene)?;
    for (sheet_idx, (name, tables)) in sheets(spec).into_iter().enumerate() {
        let worksheet = workbook.add_worksheet();
        worksheet.set_name(name)?;
        if sheet_idx == 0 {
            worksheet.set_active(true);
        }
        write_tables(worksheet, &scene, &tables)?;
    }
    if !scene.codes.is_empty() {
        let worksheet = workbook.add_worksheet();
        worksheet.set_name(CODES_SHEET)?;
        scene.codes.write(worksheet, &spec.acronym, &scene.styles)?;
    }
    calculated(&workbook.save_to_buffer()?)
}

/// Without the request to calculate it first: its formulas have their values, and a file whose formulas are still to be
/// calculated would come back as one whose totals are not known.
fn calculated(bytes: &[u8]) -> Result<Vec<u8>, WriteError> {
    let Some(parts) = Parts::open(bytes, &Limits::default())? else {
        return Ok(bytes.to_vec());
    };
    let mut changes = PartChanges::default();
    changes.edit("xl/workbook.xml", |xml| {
        xml.replacen(" fullCalcOnLoad=\"1\"", "", 1)
    });
    Ok(parts.copy_with(changes)?)
}

/// What every part of a template looks at.
struct Scene<'a> {
    spec: &'a ReturnSpec,
    fill: &'a Fill<'a>,
    codes: CodeSheet,
    styles: Styles,
}

impl Scene<'_> {
    fn rows(&self, table: &TableSpec) -> &[Vec<Option<String>>] {
        self.fill.rows.get(&table.name).map_or(&[], Vec::as_slice)
    }

    /// Whether a form of fixed cells is filled in with what was sent for an earlier period.
    fn shows_earlier_figures(&self) -> bool {
        let has_figures = |table: &TableSpec| {
            matches!(table.layout, Layout::Matrix(_)) && !self.rows(table).is_empty()
        };
        self.fill.sent_for == SentFor::AnEarlierOne && self.spec.tables.iter().any(has_figures)
    }

    /// What an identity cell says.
    fn identity(&self, kind: IdentityKind) -> Option<String> {
        match kind {
            IdentityKind::Organisation => self.fill.organisation.map(|body| body.name.clone()),
            IdentityKind::Period => self.fill.period.map(|period| period.label.clone()),
        }
    }

    fn identity_label(&self, kind: IdentityKind) -> &'static str {
        match (kind, self.spec.period_kind) {
            (IdentityKind::Organisation, _) => "Organisation",
            (IdentityKind::Period, PeriodKind::CalendarQuarter | PeriodKind::FinancialQuarter) => {
                "Quarter"
            }
            (IdentityKind::Period, PeriodKind::FinancialYear) => "Financial year",
            (IdentityKind::Period, PeriodKind::SocialWorkYear) => "Year",
            (IdentityKind::Period, PeriodKind::SchoolYear) => "School year",
            (IdentityKind::Period, PeriodKind::SnapshotDate) => "Reference date",
        }
    }
}

/// Tables by the sheet that a template puts them on, in the order of the spec.
fn sheets(spec: &ReturnSpec) -> Vec<(&str, Vec<&TableSpec>)> {
    let mut sheets: Vec<(&str, Vec<&TableSpec>)> = Vec::new();
    for table in &spec.tables {
        let name = table.sheet.names.first().map_or("", String::as_str);
        match sheets.iter_mut().find(|(other, _)| *other == name) {
            Some((_, tables)) => tables.push(table),
            None => sheets.push((name, vec![table])),
        }
    }
    sheets
}

/// Fixed cells first; rows begin below them.
fn write_tables(
    worksheet: &mut Worksheet,
    scene: &Scene<'_>,
    tables: &[&TableSpec],
) -> Result<(), WriteError> {
    let matrices: Vec<matrix::Form<'_>> = tables
        .iter()
        .filter_map(|table| match &table.layout {
            Layout::Matrix(layout) => Some(matrix::Form { table, layout }),
            Layout::Records(_) | Layout::TurnAround { .. } => None,
        })
        .collect();
    let mut first_free = 0;
    if !matrices.is_empty() {
        first_free = matrix::write(worksheet, scene, &matrices)? + 2;
    }
    for table in tables {
        if table.layout.records().is_some() {
            first_free = records::write(worksheet, scene, table, first_free)? + 2;
        }
    }
    Ok(())
}

/// Writes a value as its item's own kind; what no number cell can hold exactly is a text.
fn write_value(
    worksheet: &mut Worksheet,
    (row, column): (u32, u16),
    item: &Item,
    value: &str,
    format: &rust_xlsxwriter::Format,
) -> Result<(), WriteError> {
    match item.kind {
        ItemKind::Integer | ItemKind::Decimal { .. } => match exact(value) {
            Some(number) => worksheet.write_number_with_format(row, column, number, format)?,
            None => worksheet.write_string_with_format(row, column, value, format)?,
        },
        ItemKind::Date => match chrono::NaiveDate::parse_from_str(value, "%Y-%m-%d") {
            Ok(day) => worksheet.write_datetime_with_format(row, column, day, format)?,
            Err(_) => worksheet.write_string_with_format(row, column, value, format)?,
        },
        ItemKind::Boolean => {
            let answer = if value == "true" { "Yes" } else { "No" };
            worksheet.write_string_with_format(row, column, answer, format)?
        }
        ItemKind::Text => {
            // A part of it would come back as if it had been answered.
            match fitting(value) {
                Cow::Borrowed(whole) => {
                    worksheet.write_string_with_format(row, column, whole, format)?
                }
                Cow::Owned(_) => worksheet.write_blank(row, column, format)?,
            }
        }
    };
    Ok(())
}

/// A cell holds fifteen digits.
fn exact(value: &str) -> Option<f64> {
    let n_digits = value
        .chars()
        .filter(char::is_ascii_digit)
        .skip_while(|&digit| digit == '0')
        .count();
    if n_digits > 15 {
        return None;
    }
    value.parse().ok()
}

/// A column of a sheet as the writer counts them.
fn column(idx: u32) -> Result<u16, WriteError> {
    u16::try_from(idx).map_err(|_| WriteError::OutsideGrid(finding::CellRef::new("", 0, idx)))
}
