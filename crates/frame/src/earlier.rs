//! A file of an older version of a return, in the newer version's words, so that its figures can be compared.
//!
//! Figures go on under the names of now, and codes as they are called now; what was asked for otherwise or not at all is
//! null, which no rule compares.

use std::borrow::Cow;
use std::collections::BTreeMap;

use spec::{Ancestry, Before, Item, ItemKind, ReturnSpec, TableSpec};

use crate::columns::{Builder, Value, Values};
use crate::{Frame, Framed, Places, Unreadable};

impl Framed {
    /// What an older version's file says, as if the newer one of the ancestry had asked for it.
    pub fn as_asked_by(
        &self,
        newer: &ReturnSpec,
        older: &ReturnSpec,
        ancestry: &Ancestry<'_>,
    ) -> Framed {
        let mut now = Framed::default();
        for table in &newer.tables {
            let Some(was) = ancestry.table_before(newer, &table.name, older) else {
                now.unasked.tables.insert(table.name.clone());
                continue;
            };
            let items = table.items.iter();
            let items: Vec<Option<Before<'_>>> = items
                .map(|item| ancestry.before((newer, table, item), older))
                .collect();
            let unasked = table.items.iter().zip(&items);
            let unasked = unasked.filter(|(_, before)| before.is_none());
            now.unasked
                .items
                .extend(unasked.map(|(item, _)| (table.name.clone(), item.name.clone())));
            let frame = self.frame(&was.name);
            now.frames
                .extend(frame.map(|frame| frame.with_items(table, was, &items)));
        }
        now
    }
}

impl Frame {
    /// The same records with another version's items.
    fn with_items(
        &self,
        table: &TableSpec,
        was: &TableSpec,
        items: &[Option<Before<'_>>],
    ) -> Frame {
        let idx = |before: &Option<Before<'_>>| was.item_idx(&before.as_ref()?.item.name);
        let values = table.items.iter().zip(items).map(|(item, before)| {
            let values = idx(before).and_then(|idx| self.values.get(idx));
            self.values_now(item, values.zip(before.as_ref()))
        });
        Frame {
            table: table.name.clone(),
            values: values.collect(),
            places: Places {
                sheet: self.places.sheet.clone(),
                row_idxs: self.places.row_idxs.clone(),
                column_idxs: items
                    .iter()
                    .map(|before| *self.places.column_idxs.get(idx(before)?)?)
                    .collect(),
            },
            unreadable: Unreadable::default(),
            new_rows: self.new_rows.clone(),
            own: Vec::new(),
            typed_over: Vec::new(),
            account: self.account.clone(),
        }
    }

    fn values_now(&self, item: &Item, before: Option<(&Values, &Before<'_>)>) -> Values {
        let Some((values, before)) = before else {
            return nothing(item.kind, self.n_records());
        };
        if before.item.kind == item.kind && before.codes.is_empty() {
            return values.clone();
        }
        let mut now = Builder::new(item.kind);
        for idx in 0..values.len() {
            let value = values.get(idx);
            now.push(
                value.and_then(|value| value_now(value, values.scale(), item.kind, &before.codes)),
            );
        }
        now.finish()
    }
}

fn nothing(kind: ItemKind, n_records: usize) -> Values {
    let mut values = Builder::new(kind);
    for _ in 0..n_records {
        values.push_null();
    }
    values.finish()
}

/// `None` where it can't be had exactly.
fn value_now<'v>(
    value: Value<'v>,
    scale: u8,
    kind: ItemKind,
    codes: &'v BTreeMap<String, String>,
) -> Option<Value<'v>> {
    let (scaled, scale) = match value {
        Value::Text(text) => {
            let now = codes.get(&*text);
            return Some(Value::Text(
                now.map_or(text, |now| Cow::Borrowed(now.as_str())),
            ));
        }
        Value::Integer(whole) => (i128::from(whole), 0),
        Value::Decimal(scaled) => (scaled, scale),
        Value::Date(_) | Value::Boolean(_) => return Some(value),
    };
    let wanted = match kind {
        ItemKind::Decimal { scale } => scale,
        _ => 0,
    };
    let by = 10_i128.checked_pow(u32::from(wanted.abs_diff(scale)))?;
    let scaled = if wanted >= scale {
        scaled.checked_mul(by)?
    } else if scaled % by == 0 {
        scaled / by
    } else {
        return None;
    };
    match kind {
        ItemKind::Decimal { .. } => Some(Value::Decimal(scaled)),
        _ => Some(Value::Integer(i64::try_from(scaled).ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(value: Value<'static>, scale: u8, kind: ItemKind) -> Option<String> {
        let codes = BTreeMap::from([("x".to_owned(), "a".to_owned())]);
        let wanted = match kind {
            ItemKind::Decimal { scale } => scale,
            _ => 0,
        };
        value_now(value, scale, kind, &codes).map(|value| value.plain(wanted))
    }

    #[test]
    fn figures_are_the_same_or_not_there_and_codes_are_those_of_now() {
        let decimal = |scale| ItemKind::Decimal { scale };
        for (value, scale, kind, told) in [
            (Value::Integer(40), 0, decimal(2), Some("40.00")),
            (Value::Decimal(4_150), 2, decimal(3), Some("41.500")),
            (Value::Decimal(4_150), 2, decimal(1), Some("41.5")),
            (Value::Decimal(4_150), 2, ItemKind::Integer, None),
            (Value::Decimal(-4_100), 2, ItemKind::Integer, Some("-41")),
            (Value::Decimal(i128::MAX), 0, decimal(2), None),
            (Value::Text("x".into()), 0, ItemKind::Text, Some("a")),
            (Value::Text("y".into()), 0, ItemKind::Text, Some("y")),
            (Value::Boolean(true), 0, ItemKind::Boolean, Some("true")),
        ] {
            let shown = format!("{value:?} as {kind:?}");
            assert_eq!(now(value, scale, kind).as_deref(), told, "{shown}");
        }
    }
}
