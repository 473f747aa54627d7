//! A heading that is nearly an item's: one slip of the keyboard, not a column too few and one too many.

use finding::{CellRef, Finding, Severity};
use sheet::{Cell, Sheet};
use spec::{Item, TableSpec};

use crate::heading::{names, normalise};
use crate::read::show_raw;

/// An item without a column, and the heading that was probably meant for it.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub(super) item: &'a Item,
    pub(super) cell: &'a Cell,
}

/// Where just one heading is near just one item.
pub(super) fn pairs<'a>(missing: &[&'a Item], extra: &[&'a Cell]) -> Vec<Pair<'a>> {
    let near: Vec<Pair<'a>> = missing
        .iter()
        .flat_map(|&item| extra.iter().map(move |&cell| Pair { item, cell }))
        .filter(|pair| is_near(pair.item, pair.cell))
        .collect();
    let is_alone = |pair: &&Pair<'a>| {
        let others = near
            .iter()
            .filter(|other| other.item.name == pair.item.name || other.cell == pair.cell);
        others.count() == 1
    };
    near.iter().filter(is_alone).copied().collect()
}

/// One letter in four may be wrong, missing, too many or in another's place.
fn is_near(item: &Item, cell: &Cell) -> bool {
    let heading = normalise(&show_raw(&cell.value));
    names(item).map(normalise).any(|name| {
        let longest = heading.chars().count().max(name.chars().count());
        strsim::osa_distance(&heading, &name) * 4 <= longest
    })
}

pub(super) fn finding(sheet: &Sheet, table: &TableSpec, pair: &Pair<'_>) -> Finding {
    let Pair { item, cell } = pair;
    let place = CellRef::new(&sheet.name, cell.row_idx, cell.column_idx);
    let heading = show_raw(&cell.value);
    Finding::new(
        format!("{}.column-misspelt", table.name),
        Severity::Blocker,
        format!(
            "The column {} ({}) is missing, but {} says \"{}\", which is probably meant for it.",
            item.name,
            item.title,
            place.address(),
            heading.trim()
        ),
        format!("If so, write {} in {}.", item.name, place.address()),
    )
    .in_table(&table.name)
    .on_item(&item.name)
    .at_cell(place)
    .with_value(heading)
}
