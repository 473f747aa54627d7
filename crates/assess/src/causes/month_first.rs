//! A column of dates in the American order, month first.
//!
//! Half of them are no dates when they are read day first. The other half are, and would be loaded as other days than were meant.

use finding::{CellRef, Finding, Severity, column_letters};
use frame::{DayOrder, Frame, day_order};
use spec::{ItemKind, TableSpec};

use super::Causes;
use super::again::Seen;

pub(super) fn single_out(table: &TableSpec, frame: &Frame, seen: &Seen, causes: &mut Causes) {
    for (item_idx, item) in table.items.iter().enumerate() {
        let Some(column_idx) = frame.places.column_idxs[item_idx] else {
            continue;
        };
        if item.kind != ItemKind::Date {
            continue;
        }
        let records = &frame.places.row_idxs;
        let ordered: Vec<(u32, &str, DayOrder)> = seen
            .texts(column_idx)
            .iter()
            .filter(|(row_idx, _)| records.binary_search(row_idx).is_ok())
            .filter_map(|(row_idx, text)| Some((*row_idx, text.trim(), day_order(text)?)))
            .collect();
        let Some(cause) = cause(table, frame, item_idx, column_idx, &ordered) else {
            continue;
        };
        causes.replace(
            table,
            |finding| {
                let order = finding.value.as_deref().and_then(day_order);
                finding.item.as_deref() == Some(item.name.as_str())
                    && matches!(order, Some(DayOrder::MonthFirst(_)))
            },
            cause,
        );
        let in_doubt = ordered
            .iter()
            .filter(|(_, _, order)| matches!(order, DayOrder::MonthFirst(_) | DayOrder::Either));
        causes.reject(table, in_doubt.map(|(row_idx, _, _)| *row_idx));
    }
}

fn cause(
    table: &TableSpec,
    frame: &Frame,
    item_idx: usize,
    column_idx: u32,
    ordered: &[(u32, &str, DayOrder)],
) -> Option<Finding> {
    let first_of = |is: fn(&DayOrder) -> bool| ordered.iter().find(|(_, _, order)| is(order));
    let count =
        |is: fn(&DayOrder) -> bool| ordered.iter().filter(|(_, _, order)| is(order)).count();
    let month_first = |order: &DayOrder| matches!(order, DayOrder::MonthFirst(_));
    let n_month_first = count(month_first);
    let n_day_first = count(|order| *order == DayOrder::DayFirst);
    let n_either = count(|order| *order == DayOrder::Either);
    let (row_idx, text, _) = *first_of(month_first)?;
    let place = |row_idx: u32| CellRef::new(&frame.places.sheet, row_idx, column_idx);
    let column = column_letters(column_idx);
    let item = &table.items[item_idx];
    let (message, fix) = if n_day_first == 0 && (n_month_first >= 2 || n_either >= 4) {
        (
            format!(
                "The dates in column {column} ({}) are in the American order, month first: {} is \"{text}\". All {} dates of this kind would be read wrongly or not at all.",
                item.title,
                place(row_idx).address(),
                n_month_first + n_either,
            ),
            "Change the whole column to day first (DD/MM/YYYY), or to real date cells; look at how the system that made the file writes dates.",
        )
    } else if n_month_first * 10 >= n_day_first && n_either > 0 {
        let (other_row_idx, other, _) = *first_of(|order| *order == DayOrder::DayFirst)?;
        (
            format!(
                "The dates in column {column} ({}) are in two orders: {} is \"{text}\", month first, and {} is \"{other}\", day first. Of the others, {n_either} could be either.",
                item.title,
                place(row_idx).address(),
                place(other_row_idx).address(),
            ),
            "Change the whole column to day first (DD/MM/YYYY), or to real date cells.",
        )
    } else {
        return None;
    };
    Some(
        Finding::new(
            frame::item_rule(table, item, "month-first"),
            Severity::Error,
            message,
            fix,
        )
        .in_table(&table.name)
        .on_item(&item.name)
        .at_cell(place(row_idx))
        .with_value(text),
    )
}
