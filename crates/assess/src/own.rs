//! Says the sender's own columns of a row again with each of its findings.

use std::collections::HashMap;

use finding::Findings;
use frame::Framed;

use crate::keys::Rows;

pub(crate) fn give(framed: &Framed, findings: &mut Findings) {
    if framed.frames.iter().all(|frame| frame.own.is_empty()) {
        return;
    }
    let tables: HashMap<&str, Rows<'_>> = framed
        .frames
        .iter()
        .map(|frame| (frame.table.as_str(), Rows::of(frame)))
        .collect();
    for finding in findings.iter_mut().filter(|finding| finding.own.is_empty()) {
        let of_record = finding
            .table
            .as_deref()
            .and_then(|table| tables.get(table))
            .zip(finding.row_number)
            .and_then(|(rows, row_number)| {
                let record_idx = rows.record_idx(row_number.checked_sub(1)?)?;
                Some(rows.frame.own(record_idx))
            });
        finding.own = of_record.unwrap_or_default();
    }
}
