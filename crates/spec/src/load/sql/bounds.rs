//! What a query may cost, judged by its syntax tree: a rule has to end in a time that grows with the file, not with its square.
//!
//! The size of the text and the number of tables that it reads, with every `WITH` written out, are limited;
//! and two tables of records are joined by a key.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, FunctionArguments, GroupByExpr, Ident, Join, JoinConstraint,
    JoinOperator, ObjectName, ObjectNamePart, Query, Select, SelectItem, SetExpr, TableFactor,
    TableWithJoins, Visit, Visitor,
};

/// Characters of a rule's SQL: more than four times what the longest here has.
pub(super) const MOST_CHARACTERS: usize = 8_000;

/// How often a rule's SQL may say INTERVAL.
pub(super) const MOST_INTERVALS: usize = 8;

/// Tables that a query reads, each as often as it is named and each `WITH` as often as it is used.
const MOST_TABLES: usize = 24;

/// Selects within selects.
const DEEPEST: usize = 8;

/// How many rows a table may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rows {
    One,
    /// As many as a form has lines.
    Lines,
    /// As many as a file has records.
    Records,
}

/// A table that rules may read.
#[derive(Debug, Clone)]
pub struct Known {
    pub rows: Rows,
    /// Items with a handful of values, or with one: joined by them alone, every record meets every other.
    pub weak: Vec<String>,
}

/// What a table in a FROM stands for.
#[derive(Debug, Clone)]
struct Relation {
    n_tables: usize,
    rows: Rows,
    /// Grouped: hardly a row for each of the group's values.
    is_grouped: bool,
    /// The names of its columns that are weak.
    weak: Vec<String>,
}

/// Everything that could make a query run for ever.
pub(super) fn faults(query: &Query, known: &dyn Fn(&str) -> Option<Known>) -> Vec<String> {
    let mut bounds = Bounds {
        known,
        faults: Vec::new(),
    };
    let relation = bounds.query(query, &BTreeMap::new(), 0);
    if relation.n_tables > MOST_TABLES {
        let why = format!(
            "reads {} tables, with every WITH written out; at most {MOST_TABLES} can be read",
            relation.n_tables
        );
        bounds.faults.push(why);
    }
    bounds.faults.dedup();
    bounds.faults
}

type Ctes = BTreeMap<String, Relation>;

struct Bounds<'a> {
    known: &'a dyn Fn(&str) -> Option<Known>,
    faults: Vec<String>,
}

impl Bounds<'_> {
    fn query(&mut self, query: &Query, outer: &Ctes, depth: usize) -> Relation {
        if depth > DEEPEST {
            self.faults
                .push(format!("has more than {DEEPEST} SELECTs within each other"));
            return Relation::unknown();
        }
        let mut ctes = outer.clone();
        if let Some(with) = &query.with {
            for cte in &with.cte_tables {
                let relation = self.query(&cte.query, &ctes, depth + 1);
                ctes.insert(cte.alias.name.value.clone(), relation);
            }
        }
        self.body(&query.body, &ctes, depth)
    }

    fn body(&mut self, body: &SetExpr, ctes: &Ctes, depth: usize) -> Relation {
        match body {
            SetExpr::Select(select) => self.select(select, ctes, depth),
            SetExpr::Query(query) => self.query(query, ctes, depth + 1),
            SetExpr::SetOperation { left, right, .. } => {
                let left = self.body(left, ctes, depth);
                let right = self.body(right, ctes, depth);
                Relation {
                    n_tables: left.n_tables.saturating_add(right.n_tables),
                    rows: left.rows.max(right.rows).max(Rows::Lines),
                    is_grouped: false,
                    weak: left.weak,
                }
            }
            _ => Relation::unknown(),
        }
    }

    fn select(&mut self, select: &Select, ctes: &Ctes, depth: usize) -> Relation {
        let mut inner = Inner::default();
        let _: ControlFlow<()> = select.visit(&mut inner);
        let mut n_tables: usize = 0;
        for query in &inner.queries {
            let relation = self.query(query, ctes, depth + 1);
            n_tables = n_tables.saturating_add(relation.n_tables);
        }
        let [from] = select.from.as_slice() else {
            if !select.from.is_empty() {
                self.faults.push(
                    "tables are separated by commas; write JOIN … ON what they have in common"
                        .to_owned(),
                );
            }
            return Relation {
                n_tables,
                rows: Rows::One,
                is_grouped: false,
                weak: Vec::new(),
            };
        };
        let (rows, names) = self.from(from, ctes, depth);
        n_tables = names.iter().fold(n_tables, |sum, (_, relation)| {
            sum.saturating_add(relation.n_tables)
        });
        let is_grouped = match &select.group_by {
            GroupByExpr::All(_) => true,
            GroupByExpr::Expressions(by, _) => !by.is_empty(),
        };
        let rows = if !is_grouped && is_aggregate(&select.projection) {
            Rows::One
        } else {
            rows
        };
        Relation {
            n_tables,
            rows,
            is_grouped,
            weak: weak_columns(&select.projection, &names),
        }
    }

    /// How many rows come of a FROM, and what stands in it by the names it goes by.
    fn from(
        &mut self,
        from: &TableWithJoins,
        ctes: &Ctes,
        depth: usize,
    ) -> (Rows, Vec<(String, Relation)>) {
        let mut names = Vec::new();
        let mut rows = self.factor(&from.relation, ctes, depth, &mut names);
        for join in &from.joins {
            let n_before = names.len();
            let more = self.factor(&join.relation, ctes, depth, &mut names);
            let (left, right) = names.split_at(n_before);
            let is_keyed = is_keyed(join, left, right);
            if !is_keyed && rows.min(more) > Rows::One && rows.max(more) == Rows::Records {
                self.faults.push(format!(
                    "joins {} without a key: every row would meet every other; write ON one.ITEM = other.ITEM, \
                     with an item that tells records from each other",
                    named(right)
                ));
            }
            rows = rows.max(more);
        }
        (rows, names)
    }

    fn factor(
        &mut self,
        factor: &TableFactor,
        ctes: &Ctes,
        depth: usize,
        names: &mut Vec<(String, Relation)>,
    ) -> Rows {
        let (name, relation) = match factor {
            TableFactor::Table { name, alias, .. } => {
                let table = plain_name(name);
                let relation = match ctes.get(&table) {
                    Some(relation) => relation.clone(),
                    None => (self.known)(&table).map_or_else(Relation::unknown, Relation::of),
                };
                let alias = alias.as_ref().map(|alias| alias.name.value.clone());
                (alias.unwrap_or(table), relation)
            }
            TableFactor::Derived {
                subquery, alias, ..
            } => {
                let alias = alias.as_ref().map(|alias| alias.name.value.clone());
                let relation = self.query(subquery, ctes, depth + 1);
                (alias.unwrap_or_default(), relation)
            }
            TableFactor::NestedJoin {
                table_with_joins, ..
            } => {
                let (rows, inner) = self.from(table_with_joins, ctes, depth + 1);
                names.extend(inner);
                return rows;
            }
            // Anything else is refused by itself.
            _ => (String::new(), Relation::unknown()),
        };
        let rows = relation.rows;
        names.push((name, relation));
        rows
    }
}

impl Relation {
    fn of(known: Known) -> Self {
        Self {
            n_tables: 1,
            rows: known.rows,
            is_grouped: false,
            weak: known.weak,
        }
    }

    fn unknown() -> Self {
        Self {
            n_tables: 1,
            rows: Rows::Records,
            is_grouped: false,
            weak: Vec::new(),
        }
    }
}

/// What a join says of the rows that belong together.
pub(super) fn constraint(join: &Join) -> Option<&JoinConstraint> {
    match &join.join_operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::Semi(constraint)
        | JoinOperator::LeftSemi(constraint)
        | JoinOperator::RightSemi(constraint)
        | JoinOperator::Anti(constraint)
        | JoinOperator::LeftAnti(constraint)
        | JoinOperator::RightAnti(constraint) => Some(constraint),
        _ => None,
    }
}

/// Whether a join says which rows belong together, by more than a handful of values.
fn is_keyed(join: &Join, left: &[(String, Relation)], right: &[(String, Relation)]) -> bool {
    let Some(constraint) = constraint(join) else {
        return false;
    };
    let find = |names: &[(String, Relation)], name: &str| {
        names
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, relation)| relation.clone())
    };
    let is_strong = |one: &Relation, item: &str, other: &Relation, other_item: &str| {
        one.is_grouped
            || other.is_grouped
            || !one.weak.iter().any(|weak| weak == item)
            || !other.weak.iter().any(|weak| weak == other_item)
    };
    match constraint {
        JoinConstraint::On(condition) => conjuncts(condition).into_iter().any(|conjunct| {
            let Expr::BinaryOp {
                left: one,
                op: BinaryOperator::Eq,
                right: other,
            } = conjunct
            else {
                return false;
            };
            let (Some(one), Some(other)) = (qualified(one), qualified(other)) else {
                return false;
            };
            [(one, other), (other, one)]
                .into_iter()
                .any(
                    |(one, other)| match (find(left, one.0), find(right, other.0)) {
                        (Some(ours), Some(theirs)) => is_strong(&ours, one.1, &theirs, other.1),
                        _ => false,
                    },
                )
        }),
        JoinConstraint::Using(items) => items.iter().any(|item| {
            let item = plain_name(item);
            right.iter().any(|(_, theirs)| {
                left.iter()
                    .any(|(_, ours)| is_strong(ours, &item, theirs, &item))
            })
        }),
        JoinConstraint::Natural | JoinConstraint::None => false,
    }
}

/// The parts of a condition that all have to hold.
fn conjuncts(condition: &Expr) -> Vec<&Expr> {
    match condition {
        Expr::BinaryOp {
            left,
            op: BinaryOperator::And,
            right,
        } => {
            let mut both = conjuncts(left);
            both.extend(conjuncts(right));
            both
        }
        Expr::Nested(inner) => conjuncts(inner),
        other => vec![other],
    }
}

/// `table.item`.
fn qualified(expression: &Expr) -> Option<(&str, &str)> {
    match expression {
        Expr::CompoundIdentifier(steps) => match steps.as_slice() {
            [Ident { value: table, .. }, Ident { value: item, .. }] => Some((table, item)),
            _ => None,
        },
        Expr::Nested(inner) => qualified(inner),
        _ => None,
    }
}

/// The columns of a projection that are weak columns of what it selects from, by the names they get.
fn weak_columns(projection: &[SelectItem], names: &[(String, Relation)]) -> Vec<String> {
    let is_weak = |expression: &Expr| match (expression, qualified(expression)) {
        (Expr::Identifier(item), _) => names
            .iter()
            .any(|(_, relation)| relation.weak.contains(&item.value)),
        (_, Some((table, item))) => names
            .iter()
            .any(|(name, relation)| name == table && relation.weak.iter().any(|weak| weak == item)),
        _ => false,
    };
    let mut weak = Vec::new();
    for item in projection {
        match item {
            SelectItem::UnnamedExpr(expression) if is_weak(expression) => {
                let name = match (expression, qualified(expression)) {
                    (Expr::Identifier(item), _) => item.value.as_str(),
                    (_, Some((_, item))) => item,
                    _ => continue,
                };
                weak.push(name.to_owned());
            }
            SelectItem::ExprWithAlias { expr, alias } if is_weak(expr) => {
                weak.push(alias.value.clone());
            }
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {
                weak.extend(names.iter().flat_map(|(_, relation)| relation.weak.clone()));
            }
            _ => {}
        }
    }
    weak
}

/// Whether a projection without GROUP BY makes one row of all.
fn is_aggregate(projection: &[SelectItem]) -> bool {
    let mut finder = Aggregates::default();
    for item in projection {
        let _: ControlFlow<()> = item.visit(&mut finder);
    }
    finder.any
}

pub(super) fn plain_name(name: &ObjectName) -> String {
    match name.0.as_slice() {
        [ObjectNamePart::Identifier(Ident { value, .. })] => value.clone(),
        _ => String::new(),
    }
}

fn named(right: &[(String, Relation)]) -> String {
    right
        .first()
        .map_or_else(|| "a table".to_owned(), |(name, _)| format!("\"{name}\""))
}

/// The queries in a select's own expressions, not those in its FROM or within each other.
#[derive(Default)]
struct Inner {
    queries: Vec<Query>,
    depth: usize,
    in_from: usize,
}

impl Visitor for Inner {
    type Break = ();

    fn pre_visit_table_factor(&mut self, _: &TableFactor) -> ControlFlow<()> {
        self.in_from += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, _: &TableFactor) -> ControlFlow<()> {
        self.in_from -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if self.depth == 0 && self.in_from == 0 {
            self.queries.push(query.clone());
        }
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
}

/// Whether there is a function over many rows that is no window.
#[derive(Default)]
struct Aggregates {
    any: bool,
    depth: usize,
}

impl Visitor for Aggregates {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expression
            && self.depth == 0
            && function.over.is_none()
            && !matches!(function.args, FunctionArguments::Subquery(_))
        {
            let name = function.name.to_string().to_lowercase();
            self.any |= super::AGGREGATES.contains(&name.as_str());
        }
        ControlFlow::Continue(())
    }
}
