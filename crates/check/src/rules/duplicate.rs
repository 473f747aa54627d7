//! `<table>.duplicate`: no two records of a table have the same key.
//!
//! # Checks
//! Every table that has keys; records with a blank or unreadable key are passed over.
//!
//! # Why it matters
//! A record that is there twice is counted twice.
//!
//! # How to fix
//! Delete the copy, or correct the key of the one that is wrong.
//!
//! # Example
//! Two applications with the same reference.

use finding::{Finding, Severity};
use frame::Frame;
use spec::{Layout, TableSpec};

use super::repeats;
use crate::message::said;
use crate::placed;

pub(super) fn check(table: &TableSpec, frame: &Frame) -> Vec<Finding> {
    let item_idxs: Vec<usize> = table
        .keys
        .iter()
        .filter_map(|name| table.item_idx(name))
        .collect();
    if item_idxs.is_empty() || matches!(table.layout, Layout::Matrix(_)) {
        return Vec::new();
    }
    repeats(frame, &item_idxs)
        .into_iter()
        .map(|(record_idx, first)| finding(table, frame, &item_idxs, first, record_idx))
        .collect()
}

fn finding(
    table: &TableSpec,
    frame: &Frame,
    item_idxs: &[usize],
    first: usize,
    record_idx: usize,
) -> Finding {
    let named = item_idxs
        .iter()
        .map(|&idx| {
            let item = &table.items[idx];
            let said = said(frame, item, idx, record_idx).unwrap_or_default();
            format!("{} {said}", item.title)
        })
        .collect::<Vec<_>>()
        .join(", ");
    let main = item_idxs.last().copied().unwrap_or(0);
    let first_row = frame.places.row_idxs.get(first).map_or(0, |idx| idx + 1);
    placed(
        Finding::new(
            format!("{}.duplicate", table.name),
            Severity::Error,
            format!("The record with {named} is there twice: first on row {first_row}."),
            "Delete the copy, or correct it if it is another record.",
        ),
        table,
        frame,
        &table.items[main],
        main,
        record_idx,
    )
}
