//! The first sheet: whose return it is, how to fill it in, and what each item means.

use rust_xlsxwriter::{Worksheet, XlsxError};
use spec::stamp::CODES_SHEET;
use spec::{Applies, Confidence, Item, Layout, Provenance, ReturnSpec, TableSpec};

use super::style::{Role, SUBTITLE_HEIGHT, TITLE_HEIGHT, print_set_up};
use super::{Scene, hint, unchanged};
use crate::height;
use crate::workbook::WriteError;

const WIDTHS: [f64; 6] = [28.0, 64.0, 36.0, 11.0, 20.0, 30.0];

pub(super) fn write(worksheet: &mut Worksheet, scene: &Scene<'_>) -> Result<(), WriteError> {
    for (at, width) in (0_u16..).zip(WIDTHS) {
        worksheet.set_column_width(at, width)?;
    }
    let mut page = Page {
        worksheet: &mut *worksheet,
        scene,
        row: 0,
    };
    page.head()?;
    page.steps()?;
    for table in &scene.spec.tables {
        page.items(table)?;
        page.lines(table)?;
    }
    page.sources()?;
    worksheet.set_screen_gridlines(false);
    print_set_up(worksheet, &scene.spec.acronym, None)?;
    worksheet.protect();
    Ok(())
}

struct Page<'w, 's, 'a> {
    worksheet: &'w mut Worksheet,
    scene: &'s Scene<'a>,
    /// The next free one.
    row: u32,
}

impl Page<'_, '_, '_> {
    fn title(&mut self, text: &str) -> Result<(), XlsxError> {
        self.row += 1;
        self.worksheet
            .write_string_with_format(self.row, 0, text, &self.scene.styles.subtitle)?;
        self.worksheet.set_row_height(self.row, SUBTITLE_HEIGHT)?;
        self.row += 1;
        Ok(())
    }

    fn row(&mut self, cells: &[&str]) -> Result<(), XlsxError> {
        let styles = &self.scene.styles;
        for (at, text) in (0_u16..).zip(cells) {
            let format = if at == 0 {
                &styles.strong
            } else {
                &styles.text
            };
            self.worksheet
                .write_string_with_format(self.row, at, *text, format)?;
        }
        let height = height::of_row(height::ARIAL_10, cells.iter().copied().zip(WIDTHS));
        self.worksheet.set_row_height(self.row, height)?;
        self.row += 1;
        Ok(())
    }

    fn headings(&mut self, cells: &[&str]) -> Result<(), XlsxError> {
        let format = self.scene.styles.heading(Role::Required);
        for (at, text) in (0_u16..).zip(cells) {
            self.worksheet
                .write_string_with_format(self.row, at, *text, format)?;
        }
        self.row += 1;
        Ok(())
    }

    fn head(&mut self) -> Result<(), XlsxError> {
        let spec = self.scene.spec;
        let title = format!("{}: {}", spec.acronym, spec.title);
        self.worksheet
            .write_string_with_format(0, 0, title, &self.scene.styles.title)?;
        self.worksheet.set_row_height(0, TITLE_HEIGHT)?;
        self.row = 2;
        let asked_by = format!("{}, {}", spec.owner.organisation, spec.owner.team);
        let version = format!(
            "{} (periods that end from {})",
            spec.version,
            spec.valid_from.format("%d/%m/%Y")
        );
        let fill = self.scene.fill;
        let organisation = fill.organisation.map(|body| body.name.as_str());
        let period = fill.period.map(spec::Period::in_words);
        let fact = |name: &str| spec.facts.get(name).map(|fact| fact.value.as_str());
        let rows: [(&str, Option<&str>); 8] = [
            ("Organisation", organisation),
            ("Period", period.as_deref()),
            ("What it is", Some(&spec.summary)),
            ("Asked for by", Some(&asked_by)),
            ("Why it is asked for", fact("purpose")),
            ("Duty to answer", fact("duty")),
            ("How often", fact("frequency")),
            ("Version of this form", Some(&version)),
        ];
        for (label, text) in rows {
            if let Some(text) = text {
                self.row(&[label, text])?;
            }
        }
        Ok(())
    }

    fn steps(&mut self) -> Result<(), XlsxError> {
        self.title("How to fill this in")?;
        let spec = self.scene.spec;
        let has =
            |wanted: fn(&Layout) -> bool| spec.tables.iter().any(|table| wanted(&table.layout));
        let has_forms = has(|layout| matches!(layout, Layout::Matrix(_)));
        let has_rows = has(|layout| layout.records().is_some());
        let mut steps = vec![
            "Choose a heading or a cell: a message says what belongs there. Everything is also listed below."
                .to_owned(),
        ];
        if has_forms {
            steps.push("On a form, fill in the yellow cells (they may not be blank: enter 0 where there is nothing) and, where you have something to say, the white ones. Grey cells are calculated; dark grey cells stay blank. Do not add or delete rows or columns.".to_owned());
            if self.scene.shows_earlier_figures() {
                steps.push(unchanged::WORDS.to_owned());
            }
        }
        if has_rows {
            steps.push("On a list, write one record a row below the headings. Columns marked * must be filled in. The order of columns does not matter, their headings do.".to_owned());
        }
        if let Some(prefix) = &spec.own_columns {
            steps.push(format!("You may add columns of your own to a list, such as a key of your system, if their headings start with {prefix}: nothing checks them, and every finding about a row says them again."));
        }
        if !self.scene.codes.is_empty() {
            steps.push(format!("Cells with a code have a drop-down; the sheet {CODES_SHEET} says what each code means."));
        }
        if spec.sensitivity.personal_data {
            steps.push("This return is about individual people. Send it only through the platform, never by email, and add nothing that is not asked for.".to_owned());
        }
        steps.push("Save it and send it in: the checks say at once, cell by cell, what is to be mended. Leave this sheet as it is; it is not read.".to_owned());
        for (number, step) in (1..).zip(&steps) {
            self.row(&[&format!("Step {number}"), step])?;
        }
        Ok(())
    }

    fn items(&mut self, table: &TableSpec) -> Result<(), XlsxError> {
        let sheet = table.sheet.names.first().map_or("", String::as_str);
        let on = if table.sheet.required {
            format!("{} (sheet {sheet})", table.title)
        } else {
            format!(
                "{} (sheet {sheet}; leave it blank where it is not asked of you)",
                table.title
            )
        };
        self.title(&on)?;
        self.row(&["What a record is", &table.description])?;
        self.headings(&[
            "Heading",
            "What to enter",
            "What kind of value",
            "Needed",
            "Name in the data",
            "How sure this is",
        ])?;
        let line_item = match &table.layout {
            Layout::Matrix(matrix) => Some(&matrix.line_item),
            Layout::Records(_) | Layout::TurnAround { .. } => None,
        };
        for item in &table.items {
            if Some(&item.name) == line_item {
                continue;
            }
            let need = if is_computed(table, item) {
                "calculated"
            } else if item.required {
                "yes"
            } else {
                "no"
            };
            self.row(&[
                &item.title,
                &item.description,
                &capital(&self.kind(table, item)),
                need,
                &item.name,
                &sureness(self.scene.spec, &item.provenance),
            ])?;
        }
        Ok(())
    }

    fn kind(&self, table: &TableSpec, item: &Item) -> String {
        let labels = self.scene.codes.labels_of(&table.name, &item.name);
        let listed: Vec<String> = labels
            .iter()
            .filter(|(code, label)| code != label)
            .map(|(code, label)| format!("{code} = {label}"))
            .collect();
        let is_short = listed.len() <= 6 && !listed.is_empty();
        if is_short {
            format!("one of these codes:\n{}", listed.join("\n"))
        } else if item.codes.is_some() {
            format!("a code of {CODES_SHEET}, {} ({})", item.title, item.name)
        } else {
            hint::kind(item)
        }
    }

    fn lines(&mut self, table: &TableSpec) -> Result<(), XlsxError> {
        let Layout::Matrix(matrix) = &table.layout else {
            return Ok(());
        };
        self.title(&format!("{}: the lines", table.title))?;
        self.headings(&["Line", "What belongs there", "Name of the line", "Needed"])?;
        for line in &matrix.lines {
            let is_needed = |item: &&Item| {
                let applies = matrix.applies(line, &item.name, self.scene.fill.organisation);
                item.required && item.name != matrix.line_item && applies == Applies::Yes
            };
            let need = if line.computed {
                "calculated"
            } else if table.items.iter().any(|item| is_needed(&item)) {
                "yes"
            } else {
                "no"
            };
            self.row(&[&line.code, &line.description, &line.label, need])?;
        }
        Ok(())
    }

    fn sources(&mut self) -> Result<(), XlsxError> {
        self.title("Where this comes from")?;
        self.headings(&["Source", "Address", "Read on"])?;
        for (id, source) in &self.scene.spec.sources {
            let read_on = source.read_on.format("%d/%m/%Y").to_string();
            self.row(&[id, &format!("{}: {}", source.title, source.url), &read_on])?;
        }
        Ok(())
    }
}

fn is_computed(table: &TableSpec, item: &Item) -> bool {
    match &table.layout {
        Layout::Matrix(matrix) => matrix
            .columns
            .iter()
            .any(|column| column.item == item.name && column.computed),
        Layout::Records(_) | Layout::TurnAround { .. } => false,
    }
}

fn sureness(spec: &ReturnSpec, provenance: &Provenance) -> String {
    let how = match provenance.confidence {
        Confidence::Published => "published",
        Confidence::Partial => "published in part",
        Confidence::Inferred => "proposed, not published",
    };
    let title = spec
        .sources
        .get(&provenance.source)
        .map_or(provenance.source.as_str(), |source| source.title.as_str());
    format!("{how}: {title}")
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
