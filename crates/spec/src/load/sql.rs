//! Vets a rule's SQL through its syntax tree: what is not known to be harmless is refused.
//!
//! The parser is the one that polars uses, with the same dialect and options.

mod bounds;
mod columns;

use std::collections::BTreeSet;
use std::ops::ControlFlow;

pub use bounds::{Known, Rows};
pub(crate) use columns::columns;

use chrono::NaiveDate;
use sqlparser::ast::{
    CastKind, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName,
    ObjectNamePart, Query, Select, SelectFlavor, SelectItem, SetExpr, Statement, TableFactor,
    Value, ValueWithSpan, Visit, Visitor,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError, ParserOptions};
use sqlparser::tokenizer::{Token, Tokenizer};

/// `$name`s that every rule may use, beside its thresholds.
const PARAMETERS: [&str; 3] = ["period_start", "period_end", "received_on"];

/// Functions that make one value of many rows.
const AGGREGATES: [&str; 17] = [
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "first",
    "last",
    "median",
    "stddev",
    "stddev_samp",
    "stdev",
    "variance",
    "var",
    "corr",
    "covar",
    "quantile_cont",
    "quantile_disc",
];

/// Functions of the values they are given, and of nothing else.
///
/// Whatever is not here is refused: a function that depends on when it is asked, that makes rows,
/// or whose result can be much larger than what it is given.
const FUNCTIONS: [&str; 44] = [
    "abs",
    "ceil",
    "ceiling",
    "char_length",
    "character_length",
    "coalesce",
    "concat",
    "concat_ws",
    "date_part",
    "dense_rank",
    "div",
    "ends_with",
    "first_value",
    "floor",
    "greatest",
    "if",
    "ifnull",
    "initcap",
    "lag",
    "last_value",
    "lead",
    "least",
    "left",
    "length",
    "lower",
    "ltrim",
    "mod",
    "nullif",
    "rank",
    "regexp_like",
    "replace",
    "reverse",
    "right",
    "round",
    "row_number",
    "rtrim",
    "sign",
    "split_part",
    "starts_with",
    "strpos",
    "substr",
    "trunc",
    "truncate",
    "upper",
];

/// How a day is written: a call with one text, which is a day. Of anything else it could fail on a sender's value.
const DATE: &str = "date";

/// What a window function is listed as.
const OVER: &str = "OVER";

/// A query that was found harmless.
#[derive(Debug, PartialEq, Eq)]
pub struct Vetted {
    /// The tables it names, sorted.
    pub reads: Vec<String>,
    /// The columns it returns; `None` where a wildcard leaves that open.
    pub columns: Option<Vec<String>>,
}

/// Everything wrong with an expression over one row that may name `columns` and `$thresholds`.
pub fn vet_expression(
    sql: &str,
    columns: &dyn Fn(&str) -> Option<String>,
    thresholds: &BTreeSet<&str>,
) -> Vec<String> {
    if let Some(why) = too_long(sql) {
        return vec![why];
    }
    let expression = match expression(sql) {
        Ok(expression) => expression,
        Err(error) => return vec![format!("not SQL: {}", words(&error))],
    };
    let mut vet = Vet::new(thresholds);
    let _: ControlFlow<()> = expression.visit(&mut vet);
    if vet.n_queries > 0 {
        return vec!["an expression over one row can't have a SELECT".to_owned()];
    }
    for name in &vet.functions {
        if name == OVER || AGGREGATES.contains(&name.as_str()) {
            let why = format!("{name} looks at many rows, and an expression at one");
            vet.faults.push(why);
        }
    }
    for name in &vet.identifiers {
        vet.faults.extend(columns(name));
    }
    for name in &vet.qualified {
        vet.faults
            .push(format!("\"{name}\" is not a column of the row"));
    }
    vet.faults
}

/// Everything wrong with a query, or what it reads and returns.
pub fn vet_query(
    sql: &str,
    known: &dyn Fn(&str) -> Option<Known>,
    thresholds: &BTreeSet<&str>,
) -> Result<Vetted, Vec<String>> {
    if let Some(why) = too_long(sql) {
        return Err(vec![why]);
    }
    let is_table = |name: &str| known(name).is_some();
    let statements = parser(sql)
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|error| vec![format!("not SQL: {}", words(&error))])?;
    let query = match statements.as_slice() {
        [Statement::Query(query)] => query,
        [_] => return Err(vec!["has to be a SELECT".to_owned()]),
        _ => {
            return Err(vec![format!(
                "has to be one SELECT, not {}",
                statements.len()
            )]);
        }
    };
    let mut vet = Vet::new(thresholds);
    let _: ControlFlow<()> = query.visit(&mut vet);
    let mut reads = BTreeSet::new();
    for name in &vet.relations {
        if vet.ctes.contains(name) || vet.table_functions.contains(name) {
            continue;
        }
        if is_table(name) {
            reads.insert(name.clone());
        } else {
            vet.faults.push(format!("there is no table \"{name}\""));
        }
    }
    for name in vet.ctes.iter().filter(|name| is_table(name)) {
        vet.faults
            .push(format!("WITH {name} hides the table of that name"));
    }
    if vet.faults.is_empty() {
        vet.faults = bounds::faults(query, known);
    }
    if vet.faults.is_empty() {
        Ok(Vetted {
            reads: reads.into_iter().collect(),
            columns: returned(&query.body),
        })
    } else {
        Err(vet.faults)
    }
}

/// The SQL as its syntax tree writes it: how it was laid out, and comments, make no difference.
pub(crate) fn canonical(sql: &str) -> String {
    let query = || {
        let statements = parser(sql)?.parse_statements()?;
        let statements = statements.iter().map(Statement::to_string);
        Ok(statements.collect::<Vec<_>>().join("; "))
    };
    expression(sql)
        .map(|expression| expression.to_string())
        .or_else(|_: ParserError| query())
        .unwrap_or_else(|_: ParserError| sql.to_owned())
}

fn expression(sql: &str) -> Result<Expr, ParserError> {
    let mut parser = parser(sql)?;
    let expression = parser.parse_expr()?;
    let rest = parser.peek_token().token;
    if rest == Token::EOF {
        Ok(expression)
    } else {
        let why = format!("expected one expression, found \"{rest}\" after it");
        Err(ParserError::ParserError(why))
    }
}

fn too_long(sql: &str) -> Option<String> {
    let n_characters = sql.chars().count();
    (n_characters > bounds::MOST_CHARACTERS).then(|| {
        format!(
            "has {n_characters} characters; at most {} are allowed",
            bounds::MOST_CHARACTERS
        )
    })
}

fn parser(sql: &str) -> Result<Parser<'static>, ParserError> {
    static DIALECT: GenericDialect = GenericDialect {};
    // The parser takes what follows each of these first as one thing and then as another: twice the time for every one.
    let is_interval =
        |token: &Token| matches!(token, Token::Word(word) if word.keyword == Keyword::INTERVAL);
    let tokens = Tokenizer::new(&DIALECT, sql).tokenize()?;
    if tokens.iter().filter(|token| is_interval(token)).count() > bounds::MOST_INTERVALS {
        let why = format!("more than {} INTERVALs", bounds::MOST_INTERVALS);
        return Err(ParserError::ParserError(why));
    }
    Parser::new(&DIALECT)
        .with_options(ParserOptions {
            trailing_commas: true,
            ..ParserOptions::default()
        })
        .try_with_sql(sql)
}

fn words(error: &ParserError) -> String {
    match error {
        ParserError::TokenizerError(why) | ParserError::ParserError(why) => why.clone(),
        ParserError::RecursionLimitExceeded => "nested too deeply".to_owned(),
    }
}

/// The columns that a query returns, of the first part of a union.
fn returned(body: &SetExpr) -> Option<Vec<String>> {
    match body {
        SetExpr::Select(select) => select
            .projection
            .iter()
            .map(|item| match item {
                SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name.value.clone()),
                SelectItem::UnnamedExpr(Expr::CompoundIdentifier(steps)) => {
                    steps.last().map(|name| name.value.clone())
                }
                SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
                _ => None,
            })
            .collect(),
        SetExpr::Query(query) => returned(&query.body),
        SetExpr::SetOperation { left, .. } => returned(left),
        _ => None,
    }
}

/// Collects names and refuses what is not allowed, over the whole tree.
struct Vet<'a> {
    thresholds: &'a BTreeSet<&'a str>,
    n_queries: usize,
    ctes: BTreeSet<String>,
    relations: BTreeSet<String>,
    table_functions: BTreeSet<String>,
    /// In lower case.
    functions: BTreeSet<String>,
    identifiers: BTreeSet<String>,
    qualified: BTreeSet<String>,
    faults: Vec<String>,
}

impl<'a> Vet<'a> {
    fn new(thresholds: &'a BTreeSet<&'a str>) -> Self {
        Self {
            thresholds,
            n_queries: 0,
            ctes: BTreeSet::new(),
            relations: BTreeSet::new(),
            table_functions: BTreeSet::new(),
            functions: BTreeSet::new(),
            identifiers: BTreeSet::new(),
            qualified: BTreeSet::new(),
            faults: Vec::new(),
        }
    }

    fn refuse(&mut self, what: &str) {
        let why = format!("{what} is not allowed");
        if !self.faults.contains(&why) {
            self.faults.push(why);
        }
    }

    fn refuse_if(&mut self, is_there: bool, what: &str) {
        if is_there {
            self.refuse(what);
        }
    }
}

impl Visitor for Vet<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.n_queries += 1;
        if let Some(with) = &query.with {
            self.refuse_if(with.recursive, "WITH RECURSIVE");
            for cte in &with.cte_tables {
                self.ctes.insert(cte.alias.name.value.clone());
            }
        }
        self.refuse_if(!query.locks.is_empty(), "FOR UPDATE");
        self.refuse_if(query.for_clause.is_some(), "FOR XML, JSON or BROWSE");
        self.refuse_if(query.settings.is_some(), "SETTINGS");
        self.refuse_if(query.format_clause.is_some(), "FORMAT");
        self.refuse_if(!query.pipe_operators.is_empty(), "a pipe operator");
        check_body(&query.body, self);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.refuse_if(select.into.is_some(), "INTO");
        self.refuse_if(!select.lateral_views.is_empty(), "LATERAL VIEW");
        self.refuse_if(!select.connect_by.is_empty(), "CONNECT BY");
        self.refuse_if(
            select.flavor != SelectFlavor::Standard,
            "FROM before SELECT",
        );
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table {
                name,
                args: Some(_),
                ..
            } => {
                self.table_functions.insert(name.to_string());
                self.refuse("a table function");
            }
            TableFactor::TableFunction { .. }
            | TableFactor::Function { .. }
            | TableFactor::UNNEST { .. } => self.refuse("a table function"),
            TableFactor::Table { version, .. } => {
                self.refuse_if(version.is_some(), "a table's version");
            }
            TableFactor::Derived { lateral, .. } => self.refuse_if(*lateral, "LATERAL"),
            TableFactor::NestedJoin { .. } => {}
            _ => self.refuse("this kind of table"),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        match relation.0.as_slice() {
            [ObjectNamePart::Identifier(Ident { value, .. })] => {
                self.relations.insert(value.clone());
            }
            _ => self.refuse(&format!("the dotted table name {relation}")),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::Identifier(name) => {
                self.identifiers.insert(name.value.clone());
            }
            Expr::CompoundIdentifier(_) => {
                self.qualified.insert(expression.to_string());
            }
            Expr::Cast { kind, .. } => {
                // A text that is no number would stop the check of the whole file.
                let fails = matches!(kind, CastKind::Cast | CastKind::DoubleColon);
                self.refuse_if(
                    fails,
                    "CAST, which fails on a value that it does not fit (TRY_CAST makes it blank),",
                );
            }
            Expr::TypedString(_) => {
                self.refuse("a literal with its type before it");
                self.faults
                    .push("a date is written DATE('2026-03-31')".to_owned());
            }
            Expr::Function(function) => {
                let name = function.name.to_string().to_lowercase();
                let is_known = |list: &[&str]| list.contains(&name.as_str());
                if name == DATE {
                    self.refuse_if(
                        !is_of_a_day(function),
                        "DATE of anything but a day, as in DATE('2026-03-31'),",
                    );
                } else if !is_known(&FUNCTIONS) && !is_known(&AGGREGATES) {
                    self.refuse(&format!("the function {name}"));
                }
                self.functions.insert(name);
                if function.over.is_some() {
                    self.functions.insert(OVER.to_owned());
                }
                let is_query = matches!(function.args, FunctionArguments::Subquery(_));
                self.refuse_if(is_query, "a SELECT as an argument");
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<()> {
        if let Value::Placeholder(name) = &value.value {
            let known = name
                .strip_prefix('$')
                .is_some_and(|name| PARAMETERS.contains(&name) || self.thresholds.contains(name));
            if !known {
                self.faults.push(format!(
                    "{name} is none of $period_start, $period_end, $received_on and the rule's thresholds"
                ));
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_statement(&mut self, _: &Statement) -> ControlFlow<()> {
        self.refuse("a statement inside a SELECT");
        ControlFlow::Continue(())
    }
}

/// Whether a call has one argument, the text of a day: `'2026-03-31'`.
fn is_of_a_day(call: &Function) -> bool {
    let FunctionArguments::List(list) = &call.args else {
        return false;
    };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))] = list.args.as_slice()
    else {
        return false;
    };
    let Value::SingleQuotedString(text) = &value.value else {
        return false;
    };
    text.len() == 10 && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

fn check_body(body: &SetExpr, vet: &mut Vet<'_>) {
    match body {
        SetExpr::Select(_) | SetExpr::Query(_) => {}
        SetExpr::SetOperation { left, right, .. } => {
            check_body(left, vet);
            check_body(right, vet);
        }
        SetExpr::Values(_) => vet.refuse("VALUES"),
        SetExpr::Table(_) => vet.refuse("TABLE"),
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
            vet.refuse("anything but SELECT");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(sql: &str) -> Result<Vetted, Vec<String>> {
        let known = |name: &str| {
            let rows = match name {
                "case" | "previous_case" | "site" => Rows::Records,
                "form" => Rows::Lines,
                _ => return None,
            };
            let weak = vec!["area".to_owned(), "sex".to_owned()];
            Some(Known { rows, weak })
        };
        vet_query(sql, &known, &BTreeSet::from(["limit"]))
    }

    fn refused(sql: &str) -> String {
        query(sql).unwrap_err().join("; ")
    }

    #[test]
    fn what_the_parser_would_take_hours_for_is_refused() {
        let sql = format!("SELECT {}1 FROM case", "INTERVAL ".repeat(60));
        assert_eq!(refused(&sql), "not SQL: more than 8 INTERVALs");
        assert_eq!(canonical(&sql), sql);
    }

    #[test]
    fn a_query_may_join_nest_count_and_look_back() {
        let sql = "WITH few AS (SELECT ref FROM site GROUP BY ref HAVING COUNT(*) < $limit) \
            SELECT c._row, ROW_NUMBER() OVER (PARTITION BY ref ORDER BY _row) AS n FROM case AS c \
            LEFT JOIN previous_case AS p ON p.ref = c.ref \
            WHERE c.ref IN (SELECT ref FROM few) OR NOT EXISTS (SELECT 1 FROM site WHERE site.ref = c.ref) \
            UNION ALL SELECT NULL, 1";
        let vetted = query(sql).unwrap();
        assert_eq!(vetted.reads, ["case", "previous_case", "site"]);
        assert_eq!(vetted.columns.unwrap(), ["_row", "n"]);
        assert!(query("SELECT _row FROM case WHERE day < DATE('2026-03-31') AND TRY_CAST(ref AS BIGINT) > 1").is_ok());
        assert_eq!(query("SELECT * FROM case").unwrap().columns, None);
        assert_eq!(query("SELECT _row, n + 1 FROM case").unwrap().columns, None);
    }

    #[test]
    fn anything_but_one_harmless_select_is_refused() {
        for (sql, why) in [
            ("DROP TABLE case", "has to be a SELECT"),
            ("EXPLAIN SELECT 1", "has to be a SELECT"),
            ("CREATE TABLE x AS SELECT * FROM case", "has to be a SELECT"),
            ("", "has to be one SELECT, not 0"),
            ("SELECT 1; DROP TABLE case", "has to be one SELECT, not 2"),
            ("INSERT INTO case SELECT * FROM site", "has to be a SELECT"),
            ("VALUES (1)", "VALUES is not allowed"),
            ("TABLE case", "not SQL"),
            ("FROM case", "FROM before SELECT is not allowed"),
            ("SELECT * INTO x FROM case", "INTO is not allowed"),
            ("SELECT * FROM case FOR UPDATE", "FOR UPDATE is not allowed"),
            (
                "SELECT * FROM a.case",
                "the dotted table name a.case is not allowed",
            ),
            ("SELECT * FROM 'x.csv'", "there is no table \"x.csv\""),
            (
                "SELECT * FROM read_csv('x')",
                "a table function is not allowed",
            ),
            ("SELECT * FROM Case", "there is no table \"Case\""),
            (
                "SELECT * FROM case WHERE a = $1",
                "$1 is none of $period_start, $period_end, $received_on and the rule's thresholds",
            ),
            ("SELECT now() FROM case", "the function now is not allowed"),
            (
                "SELECT current_timestamp FROM case",
                "the function current_timestamp is not allowed",
            ),
            (
                "SELECT random() FROM case",
                "the function random is not allowed",
            ),
            (
                "SELECT lpad(ref, 1000000000, ' ') FROM case",
                "the function lpad is not allowed",
            ),
            (
                "SELECT * FROM case WHERE day < DATE '2026-03-31'",
                "a literal with its type before it is not allowed; a date is written DATE('2026-03-31')",
            ),
            (
                "SELECT * FROM case WHERE DATE(day) < $period_end",
                "DATE of anything but a day, as in DATE('2026-03-31'), is not allowed",
            ),
            (
                "SELECT * FROM case WHERE day < DATE('2026-02-30')",
                "DATE of anything but a day, as in DATE('2026-03-31'), is not allowed",
            ),
            (
                "SELECT CAST(ref AS BIGINT) FROM case",
                "CAST, which fails on a value that it does not fit (TRY_CAST makes it blank), is not allowed",
            ),
            (
                "SELECT ref::BIGINT FROM case",
                "CAST, which fails on a value that it does not fit (TRY_CAST makes it blank), is not allowed",
            ),
            (
                "SELECT unnest(ref) FROM case",
                "the function unnest is not allowed",
            ),
            (
                "WITH x AS (DELETE FROM case RETURNING *) SELECT * FROM x",
                "anything but SELECT is not allowed",
            ),
        ] {
            let told = refused(sql);
            assert!(told.starts_with(why), "{sql}\n{told}");
        }
    }

    #[test]
    fn what_is_nested_too_deeply_is_refused_and_not_overflowed() {
        let depth = 3_000;
        let sql = format!("SELECT {}1{}", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(refused(&sql), "not SQL: nested too deeply");
    }

    #[test]
    fn a_query_ends_in_a_time_that_grows_with_the_file() {
        for sql in [
            "SELECT a._row FROM case AS a JOIN case AS b ON a.ref = b.ref",
            "SELECT a._row FROM case AS a JOIN case AS b ON a.area = b.area AND (b.ref = a.ref)",
            "SELECT a._row FROM case AS a LEFT JOIN site USING (ref)",
            "WITH n AS (SELECT COUNT(*) AS n FROM site) SELECT _row FROM case CROSS JOIN n",
            "WITH n AS (SELECT sex, COUNT(*) AS n FROM site GROUP BY sex) SELECT _row FROM case AS c JOIN n ON c.sex = n.sex",
            "SELECT a._row FROM form AS a CROSS JOIN form AS b",
            "SELECT _row FROM case WHERE ref IN (SELECT ref FROM site)",
        ] {
            assert!(query(sql).is_ok(), "{sql}\n{:?}", query(sql));
        }
        for (sql, why) in [
            (
                "SELECT a._row FROM case AS a, case AS b",
                "tables are separated by commas",
            ),
            (
                "SELECT a._row FROM case AS a CROSS JOIN case AS b",
                "joins \"b\" without a key",
            ),
            (
                "SELECT a._row FROM case AS a JOIN site ON 1 = 1",
                "joins \"site\" without a key",
            ),
            (
                "SELECT a._row FROM case AS a JOIN site ON a.ref < site.ref",
                "joins \"site\" without a key",
            ),
            (
                "SELECT a._row FROM case AS a JOIN site ON a.ref = a.ref",
                "joins \"site\" without a key",
            ),
            (
                "SELECT a._row FROM case AS a JOIN site ON a.ref = site.ref OR a.x = 1",
                "joins \"site\" without a key",
            ),
            (
                "SELECT a._row FROM case AS a NATURAL JOIN site",
                "joins \"site\" without a key",
            ),
            (
                "SELECT a._row FROM case AS a JOIN case AS b ON a.area = b.area",
                "joins \"b\" without a key",
            ),
            (
                "SELECT a._row FROM case AS a JOIN case AS b USING (area, sex)",
                "joins \"b\" without a key",
            ),
            (
                "WITH s AS (SELECT sex AS s FROM site) SELECT _row FROM case AS c JOIN s ON c.sex = s.s",
                "joins \"s\" without a key",
            ),
            (
                "SELECT a._row FROM case AS a CROSS JOIN form",
                "joins \"form\" without a key",
            ),
            (
                "SELECT _row FROM case WHERE ref IN (SELECT s.ref FROM site AS s CROSS JOIN case AS c)",
                "joins \"c\" without a key",
            ),
            (
                "SELECT _row FROM (SELECT s._row FROM site AS s CROSS JOIN case AS c) AS x",
                "joins \"c\" without a key",
            ),
        ] {
            let told = refused(sql);
            assert!(told.starts_with(why), "{sql}\n{told}");
        }
    }

    #[test]
    fn a_query_that_doubles_itself_is_refused() {
        let mut sql = "WITH w0 AS (SELECT ref FROM case)".to_owned();
        for n in 1..40 {
            let before = n - 1;
            sql += &format!(
                ", w{n} AS (SELECT a.ref AS ref FROM w{before} AS a JOIN w{before} AS b ON a.ref = b.ref)"
            );
        }
        sql += " SELECT ref FROM w39";
        let told = refused(&sql);
        assert!(told.ends_with("at most 24 can be read"), "{told}");
        let nested = format!(
            "{}SELECT ref FROM case{}",
            "SELECT ref FROM (".repeat(12),
            ") AS x".repeat(12)
        );
        assert!(refused(&nested).contains("more than 8 SELECTs within each other"));
        let long = format!(
            "SELECT ref FROM case WHERE ref IN ('{}')",
            "x".repeat(9_000)
        );
        assert!(refused(&long).contains("characters; at most 8000"));
    }
}
