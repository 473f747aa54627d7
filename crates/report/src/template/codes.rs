//! The codes of the drop-downs, on a sheet that everybody can read.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_xlsxwriter::{Worksheet, XlsxError};
use spec::stamp::CODES_SHEET;
use spec::{Code, Item, Period, ReturnSpec};

use super::hint;
use super::style::{Role, SUBTITLE_HEIGHT, Styles, TITLE_HEIGHT, print_set_up};
use crate::height;

/// Of code, label and days.
const WIDTHS: [f64; 3] = [18.0, 80.0, 34.0];

/// What Excel takes as a list within a drop-down itself.
const SHORT: usize = 255;

/// Every list that some drop-down needs, and where it stands.
pub(super) struct CodeSheet {
    blocks: Vec<Block>,
    /// A block for each item, by table and item.
    block_of: BTreeMap<(String, String), usize>,
}

struct Block {
    title: String,
    codes: Vec<Entry>,
    /// 0-based row of its first code.
    first_row: u32,
    key: Key,
}

#[derive(PartialEq, Eq)]
struct Key {
    list: String,
    by_date_of_record: bool,
}

struct Entry {
    code: String,
    label: String,
    days: String,
}

impl CodeSheet {
    pub(super) fn plan(spec: &ReturnSpec, period: Option<&Period>) -> Self {
        let days = Days::of(spec, period);
        let mut sheet = Self {
            blocks: Vec::new(),
            block_of: BTreeMap::new(),
        };
        let mut next_row = 2;
        for table in &spec.tables {
            for item in &table.items {
                let Some((key, entries)) = entries(&table.name, item, days) else {
                    continue;
                };
                let place = (table.name.clone(), item.name.clone());
                let heading = format!("{} ({})", item.title, item.name);
                if let Some(idx) = sheet.blocks.iter().position(|block| block.key == key) {
                    let block = &mut sheet.blocks[idx];
                    if !block.title.contains(&heading) {
                        block.title = format!("{}; {heading}", block.title);
                    }
                    sheet.block_of.insert(place, idx);
                    continue;
                }
                let n_codes = u32::try_from(entries.len()).unwrap_or(u32::MAX);
                sheet.block_of.insert(place, sheet.blocks.len());
                sheet.blocks.push(Block {
                    title: heading,
                    codes: entries,
                    first_row: next_row + 2,
                    key,
                });
                next_row = next_row.saturating_add(n_codes).saturating_add(4);
            }
        }
        sheet
    }

    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The cells that hold an item's codes, as a formula names them.
    pub(super) fn range_of(&self, table: &str, item: &str) -> Option<String> {
        let idx = self.block_of.get(&(table.to_owned(), item.to_owned()))?;
        let block = self.blocks.get(*idx)?;
        let n_codes = u32::try_from(block.codes.len()).ok()?;
        (n_codes > 0).then(|| {
            format!(
                "'{CODES_SHEET}'!$A${}:$A${}",
                block.first_row + 1,
                block.first_row + n_codes
            )
        })
    }

    /// The codes with their labels, as they stand on the sheet.
    pub(super) fn labels_of(&self, table: &str, item: &str) -> Vec<(&str, &str)> {
        self.block_of
            .get(&(table.to_owned(), item.to_owned()))
            .and_then(|idx| self.blocks.get(*idx))
            .map(|block| {
                block
                    .codes
                    .iter()
                    .map(|entry| (entry.code.as_str(), entry.label.as_str()))
                    .collect()
            })
            .unwrap_or_default()
    }

    pub(super) fn write(
        &self,
        worksheet: &mut Worksheet,
        acronym: &str,
        styles: &Styles,
    ) -> Result<(), XlsxError> {
        for (at, width) in (0_u16..).zip(WIDTHS) {
            worksheet.set_column_width(at, width)?;
        }
        worksheet.write_string_with_format(0, 0, "Codes of the drop-downs", &styles.title)?;
        worksheet.set_row_height(0, TITLE_HEIGHT)?;
        for block in &self.blocks {
            let heading = styles.heading(Role::Required);
            let row = block.first_row - 1;
            worksheet.write_string_with_format(row - 1, 0, &block.title, &styles.subtitle)?;
            worksheet.set_row_height(row - 1, SUBTITLE_HEIGHT)?;
            worksheet.write_string_with_format(row, 0, "Code", heading)?;
            worksheet.write_string_with_format(row, 1, "What it means", heading)?;
            worksheet.write_string_with_format(row, 2, "In force", heading)?;
            for (row, entry) in (block.first_row..).zip(&block.codes) {
                worksheet.write_string_with_format(row, 0, &entry.code, &styles.code)?;
                worksheet.write_string_with_format(row, 1, &entry.label, &styles.label)?;
                worksheet.write_string_with_format(row, 2, &entry.days, &styles.label)?;
                let texts = [&entry.code, &entry.label, &entry.days];
                let cells = texts.into_iter().map(String::as_str).zip(WIDTHS);
                worksheet.set_row_height(row, height::of_row(height::ARIAL_10, cells))?;
            }
        }
        worksheet.set_freeze_panes(1, 0)?;
        print_set_up(worksheet, acronym, None)?;
        worksheet.protect();
        Ok(())
    }
}

/// The days that a template is for.
#[derive(Clone, Copy)]
struct Days {
    /// From here on, where the period is not known.
    from: NaiveDate,
    /// The period's last day.
    on: Option<NaiveDate>,
}

impl Days {
    fn of(spec: &ReturnSpec, period: Option<&Period>) -> Self {
        Self {
            from: period.map_or(spec.valid_from, |period| period.start),
            on: period.map(|period| period.end),
        }
    }

    fn include(self, code: &Code, by_date_of_record: bool) -> bool {
        match self.on {
            // The record's own date decides, and a record may be of any day before.
            Some(last) if by_date_of_record => code.valid_from.is_none_or(|first| first <= last),
            Some(last) => code.in_force_on(last),
            None => by_date_of_record || code.valid_to.is_none_or(|last| self.from <= last),
        }
    }
}

fn entries(table: &str, item: &Item, days: Days) -> Option<(Key, Vec<Entry>)> {
    if let Some(codes) = &item.codes {
        let by_date_of_record = codes.as_at.is_some();
        let mut entries: Vec<Entry> = Vec::new();
        for code in &codes.list.codes {
            if days.include(code, by_date_of_record) {
                match entries.iter_mut().find(|entry| entry.code == code.code) {
                    // The same code with another meaning at another time is one choice.
                    Some(entry) => {
                        entry.label = format!("{}; {}", entry.label, code.label);
                        entry.days = format!("{}; {}", entry.days, in_force(code));
                    }
                    None => entries.push(Entry {
                        code: code.code.clone(),
                        label: code.label.clone(),
                        days: in_force(code),
                    }),
                }
            }
        }
        let list = codes.list.name.clone();
        let key = Key {
            list,
            by_date_of_record,
        };
        return Some((key, entries));
    }
    let options = hint::options(item);
    let length: usize = options
        .iter()
        .map(|option| option.chars().count() + 1)
        .sum();
    let is_long = length > SHORT || options.iter().any(|option| option.contains(','));
    is_long.then(|| {
        let key = Key {
            list: format!("{table}.{}", item.name),
            by_date_of_record: false,
        };
        let entries = options
            .into_iter()
            .map(|code| Entry {
                label: code.clone(),
                days: String::new(),
                code,
            })
            .collect();
        (key, entries)
    })
}

fn in_force(code: &Code) -> String {
    let day = |day: NaiveDate| day.format("%d/%m/%Y").to_string();
    match (code.valid_from, code.valid_to) {
        (None, None) => String::new(),
        (Some(first), None) => format!("from {}", day(first)),
        (None, Some(last)) => format!("until {}", day(last)),
        (Some(first), Some(last)) => format!("from {} to {}", day(first), day(last)),
    }
}
