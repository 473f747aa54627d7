//! The definition of a record table, from the record's schema.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;
use spec::{Accumulation, Item, ItemKind, ReturnSpec, TableSpec};

use crate::DbError;

/// Postgres cuts longer names off without a word.
const LONGEST_NAME: usize = 63;
/// The view of a table is called like it, with this behind.
const CURRENT: &str = "_current";
/// The columns each record table has besides its items; no item's name starts with an underscore.
const PLACE_COLUMNS: [&str; 3] = ["submission_id", "organisation", "row_number"];

/// More than any figure that could be read has: what passed its checks is never refused here.
const DIGITS: u32 = 38;

/// An item's column.
pub(super) struct Column<'a> {
    pub(super) item: &'a Item,
    pub(super) name: String,
    pub(super) sql_type: String,
}

/// `hl1_v1_4_case`. Only letters, digits and underscores ever get into a statement.
pub(super) fn bare_name(spec: &ReturnSpec, table: &TableSpec) -> Result<String, DbError> {
    let name = format!(
        "{}_v{}_{}",
        spec.id,
        spec.version.replace('.', "_"),
        table.name.replace('-', "_")
    );
    vet(&name, LONGEST_NAME - CURRENT.len())?;
    Ok(name)
}

fn vet(name: &str, longest: usize) -> Result<(), DbError> {
    let wrong = |why: &str| {
        Err(DbError::Table {
            what: name.to_owned(),
            why: why.to_owned(),
        })
    };
    let mut chars = name.chars();
    if !chars.next().is_some_and(|c| c.is_ascii_lowercase())
        || !chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    {
        return wrong("a name is a lower-case letter, then letters, digits and underscores");
    }
    if name.len() > longest {
        return wrong("the name is too long for Postgres");
    }
    Ok(())
}

/// The columns of a table's items: their names in lower case, with an underscore where that is one of the table's own.
pub(super) fn columns(table: &TableSpec) -> Result<Vec<Column<'_>>, DbError> {
    let mut taken: BTreeSet<String> = PLACE_COLUMNS.map(str::to_owned).into();
    table
        .items
        .iter()
        .map(|item| {
            let mut name = item.name.to_ascii_lowercase();
            if PLACE_COLUMNS.contains(&name.as_str()) {
                name.push('_');
            }
            vet(&name, LONGEST_NAME)?;
            if !taken.insert(name.clone()) {
                return Err(DbError::Table {
                    what: table.name.clone(),
                    why: format!("two items would be the column {name}"),
                });
            }
            Ok(Column {
                item,
                name,
                sql_type: sql_type(item.kind),
            })
        })
        .collect()
}

pub(super) fn sql_type(kind: ItemKind) -> String {
    match kind {
        ItemKind::Text => "text".to_owned(),
        ItemKind::Integer => "bigint".to_owned(),
        ItemKind::Decimal { scale } => format!("numeric({DIGITS},{scale})"),
        ItemKind::Date => "date".to_owned(),
        ItemKind::Boolean => "boolean".to_owned(),
    }
}

/// Statements that make the table, its view and their comments, and change nothing where they are.
pub(super) fn create(spec: &ReturnSpec, table: &TableSpec) -> Result<String, DbError> {
    let name = bare_name(spec, table)?;
    let columns = columns(table)?;
    let mut sql = format!(
        "CREATE TABLE IF NOT EXISTS ret.{name} (\n    submission_id uuid NOT NULL REFERENCES submission,\n    organisation text NOT NULL REFERENCES organisation,\n    row_number integer NOT NULL CHECK (row_number >= 1)"
    );
    for column in &columns {
        let _ = write!(sql, ",\n    \"{}\" {}", column.name, column.sql_type);
        if table.is_always_filled(column.item) {
            sql.push_str(" NOT NULL");
        }
        for check in checks(column) {
            let _ = write!(sql, " CHECK ({check})");
        }
    }
    sql.push_str(",\n    _own jsonb NOT NULL DEFAULT '{}'");
    sql.push_str(",\n    PRIMARY KEY (submission_id, row_number)\n);\n");
    // A table that was made before there were any.
    let _ = writeln!(
        sql,
        "ALTER TABLE ret.{name} ADD COLUMN IF NOT EXISTS _own jsonb NOT NULL DEFAULT '{{}}';"
    );
    let _ = writeln!(
        sql,
        "CREATE OR REPLACE TRIGGER rows_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ret.{name} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();"
    );
    sql.push_str(&wall(&name));
    // With the rights, and so the rows, of whoever asks.
    let _ = writeln!(
        sql,
        "CREATE OR REPLACE VIEW ret.{name}{CURRENT} WITH (security_invoker = true) AS {};\nGRANT SELECT ON ret.{name}{CURRENT} TO lgdp_app;",
        current(spec, table, &name, &columns)
    );
    sql.push_str(&comments(spec, table, &name, &columns));
    Ok(sql)
}

/// What the application may do, and that it sees the rows of those whom its transaction acts for only.
fn wall(name: &str) -> String {
    format!(
        "GRANT SELECT, INSERT ON ret.{name} TO lgdp_app;
ALTER TABLE ret.{name} ENABLE ROW LEVEL SECURITY;
ALTER TABLE ret.{name} FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS own_rows ON ret.{name};
CREATE POLICY own_rows ON ret.{name} USING (
    (SELECT current_setting('lgdp.sees', true)) = 'everyone'
    OR organisation = ANY ((SELECT string_to_array(current_setting('lgdp.sees', true), ','))::text[])
);
"
    )
}

/// What the schema says of one value alone. Codes are not here: which are in force depends on a date.
fn checks(column: &Column<'_>) -> Vec<String> {
    let name = &column.name;
    let schema = &column.item.schema;
    let mut checks = Vec::new();
    for (keyword, operator) in [
        ("minimum", ">="),
        ("exclusiveMinimum", ">"),
        ("maximum", "<="),
        ("exclusiveMaximum", "<"),
    ] {
        if let Some(Value::Number(bound)) = schema.get(keyword) {
            checks.push(format!("\"{name}\" {operator} {bound}"));
        }
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array) {
        let allowed: Vec<String> = allowed.iter().filter_map(value_literal).collect();
        if !allowed.is_empty() {
            checks.push(format!("\"{name}\" IN ({})", allowed.join(", ")));
        }
    }
    checks
}

fn value_literal(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(literal(text)),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A text in SQL. Standard-conforming strings know one special character only.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''").replace('\0', ""))
}

/// A code by what it is called now.
pub(super) fn now_called(code: &str, codes: &BTreeMap<String, String>) -> String {
    let mut called = format!("CASE {code}");
    for (was, now) in codes {
        let _ = write!(called, " WHEN {} THEN {}", literal(was), literal(now));
    }
    format!("{called} ELSE {code} END")
}

/// The records that count today.
fn current(spec: &ReturnSpec, table: &TableSpec, name: &str, columns: &[Column<'_>]) -> String {
    let keys = key_columns(table, columns);
    if spec.accumulation == Accumulation::Replace || keys.is_empty() {
        return format!(
            "SELECT r.* FROM ret.{name} r JOIN standing_submission s ON s.submission_id = r.submission_id"
        );
    }
    let keys = keys.join(", ");
    format!(
        "SELECT DISTINCT ON (r.organisation, {keys}) r.* FROM ret.{name} r \
         JOIN counting_submission s ON s.submission_id = r.submission_id \
         JOIN obligation o ON o.id = s.obligation_id JOIN cycle c ON c.id = o.cycle_id \
         ORDER BY r.organisation, {keys}, c.period_end DESC, s.version_number DESC, r.row_number DESC"
    )
}

/// The columns of the table's keys, as `r."appref"`.
fn key_columns(table: &TableSpec, columns: &[Column<'_>]) -> Vec<String> {
    columns
        .iter()
        .filter(|column| table.keys.contains(&column.item.name))
        .map(|column| format!("r.\"{}\"", column.name))
        .collect()
}

fn comments(spec: &ReturnSpec, table: &TableSpec, name: &str, columns: &[Column<'_>]) -> String {
    let mut sql = String::new();
    let heading = format!(
        "{} {} version {}: {}. {}",
        spec.acronym, spec.title, spec.version, table.title, table.description
    );
    let view_heading = format!("The records of ret.{name} that count now. {}", table.title);
    for (kind, relation, text) in [
        ("TABLE", name.to_owned(), &heading),
        ("VIEW", format!("{name}{CURRENT}"), &view_heading),
    ] {
        let _ = writeln!(
            sql,
            "COMMENT ON {kind} ret.{relation} IS {};",
            literal(text)
        );
        for (column, text) in [
            ("submission_id", "The submission it came in."),
            ("organisation", "GSS code of the organisation that sent it."),
            ("row_number", "The sheet's row, from 1."),
            ("_own", "The sender's own columns of the row, by heading."),
        ] {
            let _ = writeln!(
                sql,
                "COMMENT ON COLUMN ret.{relation}.{column} IS {};",
                literal(text)
            );
        }
        for column in columns {
            let item = column.item;
            let confidence = match item.provenance.confidence {
                spec::Confidence::Published => "published",
                spec::Confidence::Partial => "partial",
                spec::Confidence::Inferred => "inferred",
            };
            let text = format!(
                "{}: {} (source {}, {confidence})",
                item.title, item.description, item.provenance.source
            );
            let _ = writeln!(
                sql,
                "COMMENT ON COLUMN ret.{relation}.\"{}\" IS {};",
                column.name,
                literal(&text)
            );
        }
    }
    sql
}
