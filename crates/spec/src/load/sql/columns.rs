//! Which columns of which tables a query names, as its syntax tree tells: rather one too many than one too few.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, JoinConstraint, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr,
    TableFactor, TableWithJoins, Visit, Visitor,
};

use super::bounds::{constraint, plain_name};

/// The columns of a table that are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Columns {
    /// Those, and perhaps some of other tables.
    Named(BTreeSet<String>),
    /// A wildcard stands for them.
    All,
}

impl Columns {
    pub(crate) fn has(&self, name: &str) -> bool {
        match self {
            Columns::Named(names) => names.contains(name),
            Columns::All => true,
        }
    }

    fn add(&mut self, more: Columns) {
        match (&mut *self, more) {
            (Columns::Named(names), Columns::Named(more)) => names.extend(more),
            (_, Columns::All) => *self = Columns::All,
            (Columns::All, Columns::Named(_)) => {}
        }
    }
}

/// By the tables that stand in a FROM. What is no query reads nothing.
pub(crate) fn columns(sql: &str) -> BTreeMap<String, Columns> {
    let mut found = Found::default();
    let statements = super::parser(sql).and_then(|mut parser| parser.parse_statements());
    for statement in statements.iter().flatten() {
        let _: ControlFlow<()> = statement.visit(&mut found);
    }
    found.0
}

#[derive(Default)]
struct Found(BTreeMap<String, Columns>);

impl Found {
    /// What a SELECT, and what is said of its order, names of each table in its FROM.
    fn add(&mut self, select: &Select, names: &Names) {
        let mut tables = Vec::new();
        for from in &select.from {
            tables_of(from, &mut tables);
        }
        for (table, alias) in tables {
            let mut columns = names.of(&alias);
            // A table is known by its own name too.
            columns.add(names.of(&table));
            match self.0.get_mut(&table) {
                Some(known) => known.add(columns),
                None => {
                    self.0.insert(table, columns);
                }
            }
        }
    }
}

impl Visitor for Found {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if let (SetExpr::Select(select), Some(order)) = (query.body.as_ref(), &query.order_by) {
            let mut names = Names::default();
            let _: ControlFlow<()> = order.visit(&mut names);
            self.add(select, &names);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let mut names = Names::default();
        let _: ControlFlow<()> = select.visit(&mut names);
        self.add(select, &names);
        ControlFlow::Continue(())
    }
}

/// Every name in a SELECT, and in those within it, which may speak of its tables.
#[derive(Default)]
struct Names {
    plain: BTreeSet<String>,
    /// What stands before the dot, and after it.
    qualified: BTreeSet<(String, String)>,
    has_wildcard: bool,
    /// What stands before `.*`.
    wildcards: BTreeSet<String>,
}

impl Names {
    fn of(&self, alias: &str) -> Columns {
        if self.has_wildcard || self.wildcards.contains(alias) {
            return Columns::All;
        }
        let qualified = self.qualified.iter();
        let qualified = qualified.filter_map(|(of, name)| (of == alias).then_some(name));
        Columns::Named(self.plain.iter().chain(qualified).cloned().collect())
    }
}

impl Visitor for Names {
    type Break = ();

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::Identifier(name) => {
                self.plain.insert(name.value.clone());
            }
            Expr::CompoundIdentifier(steps) => {
                if let [.., of, name] = steps.as_slice() {
                    self.qualified
                        .insert((of.value.clone(), name.value.clone()));
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        for item in &select.projection {
            match item {
                SelectItem::Wildcard(_) => self.has_wildcard = true,
                SelectItem::QualifiedWildcard(
                    SelectItemQualifiedWildcardKind::ObjectName(of),
                    _,
                ) => {
                    self.wildcards.insert(plain_name(of));
                }
                _ => {}
            }
        }
        for from in &select.from {
            self.joins(from);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::NestedJoin {
            table_with_joins, ..
        } = factor
        {
            self.joins(table_with_joins);
        }
        ControlFlow::Continue(())
    }
}

impl Names {
    /// `USING` and `NATURAL` name columns of both sides without an expression.
    fn joins(&mut self, from: &TableWithJoins) {
        for join in &from.joins {
            match constraint(join) {
                Some(JoinConstraint::Using(items)) => {
                    self.plain.extend(items.iter().map(plain_name));
                }
                Some(JoinConstraint::Natural) => self.has_wildcard = true,
                Some(JoinConstraint::On(_) | JoinConstraint::None) | None => {}
            }
        }
    }
}

/// The tables of a FROM, each with the name that it goes by there.
fn tables_of(from: &TableWithJoins, tables: &mut Vec<(String, String)>) {
    let factors =
        std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation));
    for factor in factors {
        match factor {
            TableFactor::Table { name, alias, .. } => {
                let table = plain_name(name);
                let alias = alias.as_ref().map(|alias| alias.name.value.clone());
                tables.push((table.clone(), alias.unwrap_or(table)));
            }
            TableFactor::NestedJoin {
                table_with_joins, ..
            } => tables_of(table_with_joins, tables),
            // What is derived has a SELECT of its own.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The items of a table that SQL names, of these that it has.
    fn named(sql: &str, table: &str) -> Option<String> {
        let all = columns(sql);
        let columns = all.get(table)?;
        let items = ["a", "b", "c", "d"].into_iter();
        Some(items.filter(|item| columns.has(item)).collect())
    }

    #[test]
    fn a_query_reads_of_a_table_what_it_names_of_it() {
        for (sql, of_case, of_previous) in [
            ("SELECT a FROM case WHERE b > 1", Some("ab"), None),
            (
                "SELECT c.a, p.b FROM case AS c JOIN previous_case AS p ON c.a = p.a WHERE c.d < p.c",
                Some("ad"),
                Some("abc"),
            ),
            // What stands without a table may be of either.
            (
                "SELECT a FROM case AS c JOIN previous_case AS p ON c.b = p.b",
                Some("ab"),
                Some("ab"),
            ),
            (
                "WITH past AS (SELECT a AS earlier, b FROM previous_case GROUP BY a, b) \
                 SELECT c._row FROM case AS c JOIN past ON c.d = past.earlier",
                Some("d"),
                Some("ab"),
            ),
            (
                "SELECT c.a FROM case AS c WHERE c.b IN (SELECT d FROM previous_case)",
                // Within the case's own SELECT, too, if it had to be guessed.
                Some("abd"),
                Some("d"),
            ),
            (
                "SELECT c.a FROM case AS c JOIN previous_case USING (b, c)",
                Some("abc"),
                Some("bc"),
            ),
            (
                "SELECT p.* FROM case AS c JOIN previous_case AS p ON c.a = p.a",
                Some("a"),
                Some("abcd"),
            ),
            (
                "SELECT c.a FROM case AS c JOIN (SELECT * FROM previous_case) AS p ON c.a = p.a",
                Some("abcd"),
                Some("abcd"),
            ),
            (
                "SELECT COUNT(*) AS n FROM previous_case UNION SELECT a FROM case",
                Some("a"),
                Some(""),
            ),
            (
                "SELECT a FROM previous_case ORDER BY b LIMIT 1",
                None,
                Some("ab"),
            ),
            ("SELECT", None, None),
        ] {
            assert_eq!(named(sql, "case").as_deref(), of_case, "{sql}");
            assert_eq!(named(sql, "previous_case").as_deref(), of_previous, "{sql}");
        }
    }
}
