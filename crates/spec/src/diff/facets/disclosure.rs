//! What is said of disclosure control.

use super::{Say, yes};
use crate::Part;
use crate::disclosure::{DeclaredSum, Disclosure, SumOf};

pub(super) fn of_disclosure(say: Say, said: &Disclosure) -> Say {
    let Disclosure {
        threshold,
        suggested,
        counts,
        sums,
    } = said;
    let say = say
        .is("disclosure control, threshold", threshold.to_string())
        .is("disclosure control, suggested", yes(*suggested));
    let say = counts.iter().flatten().fold(say, |say, (table, items)| {
        say.list(&format!("counts of {table}"), items)
    });
    let sums: Vec<String> = sums.iter().map(sum).collect();
    say.list("sums that no rule states", &sums)
}

fn sum(sum: &DeclaredSum) -> String {
    let DeclaredSum { table, of } = sum;
    let parts = |parts: &[Part]| {
        let sign = |part: &Part| if part.subtract { "-" } else { "" };
        let parts = parts
            .iter()
            .map(|part| format!("{}{}", sign(part), part.name));
        parts.collect::<Vec<_>>().join(" + ")
    };
    match of {
        SumOf::Across {
            total,
            parts: summands,
        } => format!("{table}: {total} = {}", parts(summands)),
        SumOf::Down {
            total_line,
            part_lines,
            items,
        } => format!(
            "{table}: line {total_line} = {} of {}",
            parts(part_lines),
            items.join(", ")
        ),
    }
}
