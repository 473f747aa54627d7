//! What a child answers, a line each.

use assess::{Addressed, CollectionHead, Head, Recognition, RowBlock};
use finding::Finding;
use serde::{Deserialize, Serialize};

/// A piece of an assessment: one head, then findings in report order, then records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Head(Box<Head>),
    Findings(Vec<Finding>),
    Rows(RowBlock),
}

/// A line as the child writes it that is `Line::Part(Part::Findings(_))` to whoever reads it: nothing is copied to be written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FindingsLine<'a> {
    Part(FindingsPart<'a>),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FindingsPart<'a> {
    Findings(&'a [Finding]),
}

/// A line of the child's standard output.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// Confined, and about to read the file: what ends the child from here on is the file.
    Ready,
    /// The file is read, and its checks begin.
    Checking,
    Part(Part),
    /// The first of the answer about a collection.
    CollectionHead(Box<CollectionHead>),
    /// Findings of a collection, in its order.
    Addressed(Vec<Addressed>),
    /// The spec could not be loaded or run: our failure, in words without cell values.
    Failed(String),
    /// The marked file's bytes follow the line.
    Marked {
        bytes: u64,
    },
    /// The file is not given back with marks, in words for the sender.
    NotMarked(String),
    /// What the file was taken for.
    Recognised(Recognition),
    /// The answer is complete.
    End,
}
