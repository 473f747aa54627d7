//! Lines of separated values that have more or fewer of them than the others: nobody knows which value belongs where.

use finding::{Finding, Severity};
use sheet::Line;
use spec::TableSpec;

/// A line among sound ones.
pub(crate) fn row(table: &TableSpec, row_idx: u32, line: Line, n_headings: usize) -> Finding {
    Finding::new(
        format!("{}.line-ragged", table.name),
        Severity::Error,
        format!(
            "Line {} has {}, but the line of headings has {n_headings}, so it is not clear which value belongs to which heading.",
            line.number,
            values(line.n_values),
        ),
        fix(line),
    )
    .in_table(&table.name)
    .at_row(row_idx + 1)
}

/// So many that the file as a whole is not what it looks like; `other` says which line has `n_values`.
pub(crate) fn file(table: &TableSpec, line: Line, other: &str, n_values: usize) -> Finding {
    Finding::new(
        "file.ragged",
        Severity::Blocker,
        format!(
            "Line {} has {}, but {other} has {n_values}.",
            line.number,
            values(line.n_values),
        ),
        fix(line),
    )
    .in_table(&table.name)
}

fn values(n: usize) -> String {
    format!("{n} {}", if n == 1 { "value" } else { "values" })
}

fn fix(line: Line) -> String {
    format!(
        "Look at line {} for a separator inside a value, which needs double quotes around the value, or for a missing value.",
        line.number
    )
}
