//! The kinds about days: `no_overlap`, `within` and `continuous`.

use super::super::fault::Faults;
use super::super::message::Placeholders;
use super::super::property::describe;
use super::super::table::TableDraft;
use super::{Reading, RuleDocument};
use crate::rule::{Days, GapPlace, ParentDays, SameStart, Touching};
use crate::{ItemKind, RuleKind};

impl Reading<'_> {
    pub(super) fn no_overlap(
        &self,
        said: &mut RuleDocument,
        table: &TableDraft,
        known: &mut Placeholders<'_>,
        faults: &mut Faults,
    ) -> Option<RuleKind> {
        known.add(&["dates", "other_cell", "other_dates"]);
        let touching = if said.touching {
            Touching::Allowed
        } else {
            Touching::Overlap
        };
        let same_start = if said.same_start {
            SameStart::One
        } else {
            SameStart::Overlap
        };
        Some(RuleKind::NoOverlap {
            days: self.days(said, table, faults)?,
            touching,
            same_start,
        })
    }

    pub(super) fn within(
        &self,
        said: &mut RuleDocument,
        table: &TableDraft,
        known: &mut Placeholders<'_>,
        faults: &mut Faults,
    ) -> Option<RuleKind> {
        known.add(&["dates", "parent_cell", "parent_dates"]);
        let days = self.days(said, table, faults)?;
        let parent = self.parent_days(said, table, &days, faults)?;
        if parent.from.is_none() && parent.to.is_none() {
            let why = "needs \"parent_from\", \"parent_to\" or both";
            self.fault("parent", why, faults);
        }
        Some(RuleKind::Within { days, parent })
    }

    pub(super) fn continuous(
        &self,
        said: &mut RuleDocument,
        table: &TableDraft,
        known: &mut Placeholders<'_>,
        faults: &mut Faults,
    ) -> Option<RuleKind> {
        known.add(&["gap", "gap_days"]);
        let days = self.days(said, table, faults)?;
        let parent = if said.parent.is_some() {
            Some(self.parent_days(said, table, &days, faults)?)
        } else {
            None
        };
        let has_start = parent.as_ref().is_some_and(|parent| parent.from.is_some());
        for (idx, place) in said.gaps.iter().enumerate() {
            let why = match place {
                GapPlace::Before if !has_start => "needs \"parent_from\"",
                GapPlace::After if parent.is_none() => "needs a parent",
                _ => continue,
            };
            self.fault(&format!("gaps/{idx}"), why, faults);
        }
        let mut gaps = std::mem::take(&mut said.gaps);
        if gaps.is_empty() {
            gaps.push(GapPlace::Between);
            gaps.extend(has_start.then_some(GapPlace::Before));
            gaps.extend(parent.as_ref().map(|_| GapPlace::After));
        }
        Some(RuleKind::Continuous { days, parent, gaps })
    }

    /// The days of the rule's own table. Without `items` the rule points at them.
    fn days(
        &self,
        said: &mut RuleDocument,
        table: &TableDraft,
        faults: &mut Faults,
    ) -> Option<Days> {
        let days = Days {
            from: said.from.take()?,
            to: said.to.take(),
            by: std::mem::take(&mut said.by),
            condition: said.condition.take(),
        };
        self.check_date(table, &days.from, "from", faults);
        if let Some(to) = &days.to {
            self.check_date(table, to, "to", faults);
        }
        self.check_items(table, &days.by, "by", faults);
        if let Some(expression) = &days.condition {
            self.check_expression(expression, "where", table, said, faults);
        }
        if said.items.is_empty() {
            said.items.push(days.from.clone());
            said.items.extend(days.to.clone());
        }
        Some(days)
    }

    fn parent_days(
        &self,
        said: &mut RuleDocument,
        table: &TableDraft,
        days: &Days,
        faults: &mut Faults,
    ) -> Option<ParentDays> {
        let parent = ParentDays {
            table: said.parent.take()?,
            items: std::mem::take(&mut said.parent_items),
            from: said.parent_from.take(),
            to: said.parent_to.take(),
            condition: said.parent_where.take(),
        };
        self.check_parent(&days.by, table, &parent.table, &parent.items, faults);
        let draft = self
            .tables
            .iter()
            .find(|known| known.name == parent.table)?;
        for (member, item) in [("parent_from", &parent.from), ("parent_to", &parent.to)] {
            if let Some(item) = item {
                self.check_date(draft, item, member, faults);
            }
        }
        if let Some(expression) = &parent.condition {
            self.check_expression(expression, "parent_where", draft, said, faults);
        }
        Some(parent)
    }

    fn check_date(&self, table: &TableDraft, name: &str, member: &str, faults: &mut Faults) {
        if let Some(why) = table.lacks(name) {
            self.fault(member, why, faults);
        }
        if let Some(item) = table.item(name)
            && item.kind != ItemKind::Date
        {
            let why = format!("{name} is {}, not a date", describe(item.kind));
            self.fault(member, why, faults);
        }
    }
}
