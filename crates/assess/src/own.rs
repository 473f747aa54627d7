//! Says the sender's own columns of a row again with each of its findings.

use finding::Findings;
use frame::Framed;

use crate::keys::record_idx;

pub(crate) fn give(framed: &Framed, findings: &mut Findings) {
    if framed.frames.iter().all(|frame| frame.own.is_empty()) {
        return;
    }
    for finding in findings.iter_mut().filter(|finding| finding.own.is_empty()) {
        let of_record = finding
            .table
            .as_deref()
            .and_then(|table| framed.frame(table))
            .zip(finding.row_number)
            .and_then(|(frame, row_number)| {
                let record_idx = record_idx(frame, row_number.checked_sub(1)?)?;
                Some(frame.own(record_idx))
            });
        finding.own = of_record.unwrap_or_default();
    }
}
