//! A file of an older version of a return, in the newer version's words, so that its figures can be compared.
//!
//! Figures go on under the names of now, and codes as they are called now; what was asked for otherwise or not at all is
//! null, which no rule compares. Records that were apart and are one now, by codes that are the same now, are not there:
//! nothing is added up, and neither of them is the whole.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

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
    /// The same records with another version's items, but for those that are one with others now.
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
        let now = Frame {
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
        };
        let keys = table.keys.iter().filter_map(|key| table.item_idx(key));
        let keys: Vec<usize> = keys.collect();
        let is_recoded = |key: &usize| {
            let before = items.get(*key).and_then(Option::as_ref);
            before.is_some_and(|before| !before.codes.is_empty())
        };
        if !keys.iter().any(is_recoded) {
            return now;
        }
        let was_keys = keys.iter().map(|key| idx(items.get(*key)?));
        // Without all of what a record is known by, nothing is compared with it anyhow.
        let Some(was_keys) = was_keys.collect::<Option<Vec<usize>>>() else {
            return now;
        };
        let merged = merged((self, &was_keys), (&now, &keys));
        now.without(table, &merged)
    }

    /// Takes records away.
    fn without(self, table: &TableSpec, record_idxs: &HashSet<usize>) -> Frame {
        if record_idxs.is_empty() {
            return self;
        }
        let kept: Vec<usize> = (0..self.n_records())
            .filter(|record_idx| !record_idxs.contains(record_idx))
            .collect();
        let values = table.items.iter().zip(&self.values);
        let row_idxs = &self.places.row_idxs;
        let mut account = self.account;
        account.ignore_many("is one with another record now", record_idxs.len() as u64);
        Frame {
            values: values
                .map(|(item, values)| only(values, item.kind, &kept))
                .collect(),
            places: Places {
                row_idxs: kept
                    .iter()
                    .filter_map(|&record_idx| row_idxs.get(record_idx).copied())
                    .collect(),
                ..self.places
            },
            new_rows: self.new_rows.map(|new_rows| {
                let kept = kept.iter();
                kept.filter_map(|&record_idx| new_rows.get(record_idx).copied())
                    .collect()
            }),
            account,
            ..self
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

/// `None` where part of it is blank.
fn key<'f>(frame: &'f Frame, item_idxs: &[usize], record_idx: usize) -> Option<Vec<Value<'f>>> {
    let values = item_idxs.iter();
    values
        .map(|&item_idx| frame.values.get(item_idx)?.get(record_idx))
        .collect()
}

/// The records that are known by the same now and were known by different things. What was there twice before is not
/// among them.
fn merged(
    (was, was_keys): (&Frame, &[usize]),
    (now, now_keys): (&Frame, &[usize]),
) -> HashSet<usize> {
    let mut by_key: HashMap<Vec<Value<'_>>, Vec<usize>> = HashMap::new();
    for record_idx in 0..now.n_records() {
        if let Some(key) = key(now, now_keys, record_idx) {
            by_key.entry(key).or_default().push(record_idx);
        }
    }
    let were_apart = |same: &Vec<usize>| {
        let mut keys = same
            .iter()
            .map(|&record_idx| key(was, was_keys, record_idx));
        let first = keys.next();
        keys.any(|key| Some(key) != first)
    };
    by_key.into_values().filter(were_apart).flatten().collect()
}

/// These records' values.
fn only(values: &Values, kind: ItemKind, record_idxs: &[usize]) -> Values {
    let mut only = Builder::new(kind);
    for &record_idx in record_idxs {
        only.push(values.get(record_idx));
    }
    only.finish()
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
    use spec::layout::Records;
    use spec::{Confidence, Layout, Provenance, SheetMatch};

    use super::*;
    use crate::Account;

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

    /// Its type is of a library that this crate does not name.
    fn no_schema<T: Default>() -> T {
        T::default()
    }

    /// Staff of a sort, known by it: text, and how many.
    fn table() -> TableSpec {
        let item = |name: &str, kind| Item {
            name: name.to_owned(),
            title: name.to_owned(),
            description: String::new(),
            kind,
            schema: no_schema(),
            required: false,
            codes: None,
            unit: None,
            date_formats: Vec::new(),
            value_aliases: BTreeMap::new(),
            headings: Vec::new(),
            blank_markers: Vec::new(),
            provenance: Provenance {
                source: String::new(),
                confidence: Confidence::Inferred,
            },
        };
        let layout = Records {
            search_rows: 1,
            ignores: Vec::new(),
        };
        TableSpec {
            name: "staff".to_owned(),
            title: String::new(),
            description: String::new(),
            sheet: SheetMatch {
                names: Vec::new(),
                required: true,
                only_sheet: true,
            },
            layout: Layout::Records(layout),
            items: vec![item("SORT", ItemKind::Text), item("N", ItemKind::Integer)],
            keys: vec!["SORT".to_owned()],
            identities: Vec::new(),
            conditions: Vec::new(),
            schema: no_schema(),
        }
    }

    #[test]
    fn records_that_are_one_now_are_compared_with_nothing() {
        let table = table();
        let (mut sorts, mut figures) = (
            Builder::new(ItemKind::Text),
            Builder::new(ItemKind::Integer),
        );
        // The last two were the same before, which is another mistake.
        let rows = [("mf", 1_904), ("x", 7), ("mp", 472), ("y", 8), ("y", 9)];
        for (sort, figure) in rows {
            sorts.push(Some(Value::Text(sort.into())));
            figures.push(Some(Value::Integer(figure)));
        }
        let frame = Frame {
            table: "staff".to_owned(),
            values: vec![sorts.finish(), figures.finish()],
            places: Places {
                sheet: "Staff".into(),
                row_idxs: vec![1, 2, 3, 4, 5],
                column_idxs: vec![Some(0), Some(1)],
            },
            unreadable: Unreadable::default(),
            new_rows: Some(vec![false, true, false, false, true]),
            own: Vec::new(),
            typed_over: Vec::new(),
            account: Account::default(),
        };
        let asked_with = |codes: &[(&str, &str)]| {
            let codes = codes.iter();
            let codes = codes.map(|(was, now)| ((*was).to_owned(), (*now).to_owned()));
            let sort = Before {
                table: &table,
                item: &table.items[0],
                codes: codes.collect(),
            };
            let figure = Before {
                table: &table,
                item: &table.items[1],
                codes: BTreeMap::new(),
            };
            let now = frame.with_items(&table, &table, &[Some(sort), Some(figure)]);
            let told = (0..now.n_records()).map(|idx| {
                let plain = |item: usize| now.values[item].plain(idx).unwrap();
                let cell = now.cell(1, idx).unwrap();
                let is_new = now.new_rows.as_ref().unwrap()[idx];
                format!("{} {} {cell} {is_new}", plain(0), plain(1))
            });
            (told.collect::<Vec<_>>(), now.account.n_ignored())
        };
        let (told, n_ignored) = asked_with(&[("mf", "m"), ("mp", "m"), ("x", "z")]);
        let others = [
            "z 7 Staff!B3 true",
            "y 8 Staff!B5 false",
            "y 9 Staff!B6 true",
        ];
        assert_eq!((told, n_ignored), (others.map(str::to_owned).to_vec(), 2));
        // One that takes the name of another is no more that one than the other is.
        let (told, _) = asked_with(&[("mf", "x")]);
        assert_eq!(told.len(), 3);
        assert_eq!(told[0], "mp 472 Staff!B4 false");
        // Each by another name: nothing is lost.
        assert_eq!(asked_with(&[("mf", "m"), ("mp", "p")]).0.len(), 5);
    }
}
