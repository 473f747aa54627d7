//! What somebody asks of a dataset: its format, and which columns they want.

use serde::{Deserialize, Serialize};

/// The formats that datasets come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Csv,
    /// A JSON object on each line.
    Jsonl,
    Xlsx,
    Parquet,
}

impl Format {
    pub const ALL: [Format; 4] = [Format::Csv, Format::Xlsx, Format::Parquet, Format::Jsonl];

    /// What a file's name ends with.
    pub fn ending(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Jsonl => "jsonl",
            Format::Xlsx => "xlsx",
            Format::Parquet => "parquet",
        }
    }

    pub fn of_ending(ending: &str) -> Option<Self> {
        Format::ALL
            .into_iter()
            .find(|format| format.ending() == ending)
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Format::Csv => "text/csv; charset=utf-8",
            Format::Jsonl => "application/x-ndjson",
            Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Format::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// What it is called on a page.
    pub fn in_words(self) -> &'static str {
        match self {
            Format::Csv => "CSV",
            Format::Jsonl => "JSON lines",
            Format::Xlsx => "Excel workbook",
            Format::Parquet => "Parquet",
        }
    }

    /// Whether it can be sent while it is being written; others are written to a file first.
    pub fn is_text(self) -> bool {
        match self {
            Format::Csv | Format::Jsonl => true,
            Format::Xlsx | Format::Parquet => false,
        }
    }
}

/// How much is told of where values come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lineage {
    /// Whose it is, for which period, which version of their return, and whether it is accepted.
    None,
    /// And of each row the file, its hash, the sheet and the row.
    Row,
    /// And of each value the cell.
    #[default]
    Cell,
}

impl Lineage {
    pub const ALL: [Lineage; 3] = [Lineage::Cell, Lineage::Row, Lineage::None];

    pub fn as_str(self) -> &'static str {
        match self {
            Lineage::None => "none",
            Lineage::Row => "row",
            Lineage::Cell => "cell",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Lineage::ALL
            .into_iter()
            .find(|lineage| lineage.as_str() == word)
    }
}

/// Which columns are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Items by name, in any order; none: all of them.
    pub items: Vec<String>,
    pub lineage: Lineage,
    /// What codes mean, and standard codes for local ones, beside them.
    pub labels: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            lineage: Lineage::default(),
            labels: true,
        }
    }
}
