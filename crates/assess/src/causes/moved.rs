//! Forms on one sheet that moved together: a row that was put in above all of them is one mistake.

use std::collections::BTreeMap;

use finding::{Findings, Name};

const MOVED: [&str; 3] = [".form-moved", ".lines-moved", ".columns-moved"];

/// Leaves the first of each sheet, and says that the others were not looked at.
pub(super) fn single_out(findings: Findings) -> Findings {
    let mut first_row_idxs: BTreeMap<Name, (u32, usize)> = BTreeMap::new();
    let sheet_of = |finding: &finding::Finding| {
        let rule = finding.rule.as_str();
        let cell = finding.cell.as_ref()?;
        let is_moved = MOVED.iter().any(|ending| rule.ends_with(ending));
        is_moved.then(|| (cell.sheet.clone(), cell.row_idx))
    };
    for (sheet, row_idx) in findings.iter().filter_map(sheet_of) {
        let (first, n) = first_row_idxs.entry(sheet).or_insert((row_idx, 0));
        *first = row_idx.min(*first);
        *n += 1;
    }
    if first_row_idxs.is_empty() {
        return findings;
    }
    let mut told = Findings::new();
    for mut finding in findings.into_vec() {
        if let Some((sheet, row_idx)) = sheet_of(&finding)
            && let Some((first, n)) = first_row_idxs.get_mut(&sheet)
        {
            if row_idx != *first || *n == 0 {
                continue;
            }
            if *n > 1 {
                finding.message.push_str(
                    " What stands beyond it on the sheet has moved too and was not looked at.",
                );
            }
            // Of two on one row the first.
            *n = 0;
        }
        told.push(finding);
    }
    told
}
