//! What is said of disclosure control.

use super::{Say, yes};
use crate::Part;
use crate::disclosure::{CellOf, DeclaredSum, Disclosure, SumOf, Together, TogetherOf};

pub(super) fn of_disclosure(say: Say, said: &Disclosure) -> Say {
    let Disclosure {
        threshold,
        suggested,
        counts,
        sums,
        together,
    } = said;
    let say = say
        .is("disclosure control, threshold", threshold.to_string())
        .is("disclosure control, suggested", yes(*suggested));
    let say = counts.iter().fold(say, |say, (table, items)| {
        say.list(&format!("counts of {table}"), items)
    });
    let sums: Vec<String> = sums.iter().map(sum).collect();
    let together: Vec<String> = together.iter().map(left_out_together).collect();
    say.list("sums that no rule states", &sums)
        .list("figures left out together", &together)
}

fn left_out_together(together: &Together) -> String {
    let Together { table, of } = together;
    match of {
        TogetherOf::Items(items) => format!("{table}: {} of each line", items.join(", ")),
        TogetherOf::Lines(lines) => format!("{table}: lines {} of each item", lines.join(", ")),
    }
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
        SumOf::Cells {
            total,
            parts: summands,
        } => {
            let cell = |CellOf { line, item }: &CellOf| format!("{line}.{item}");
            let summands = summands.iter().map(|(of, subtract)| Part {
                name: cell(of),
                subtract: *subtract,
            });
            let summands: Vec<Part> = summands.collect();
            format!("{table}: {} = {}", cell(total), parts(&summands))
        }
    }
}
