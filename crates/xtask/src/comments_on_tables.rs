//! Every table and column that a migration makes has a `COMMENT ON` in the same migration: the schema documents itself.

use crate::tree::{self, TextFile};

/// What opens an element of a table's definition that is no column.
const NOT_A_COLUMN: [&str; 8] = [
    "check",
    "constraint",
    "exclude",
    "foreign",
    "like",
    "partition",
    "primary",
    "unique",
];

/// Statements without line comments, in lower case and with single spaces.
fn statements(sql: &str) -> Vec<String> {
    let lines: Vec<&str> = sql
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default())
        .collect();
    // A semicolon inside a text or a function's body cuts a statement in two, which does no harm here:
    // no such half opens with one of the words that are looked for.
    lines
        .join("\n")
        .split(';')
        .map(|statement| {
            statement
                .to_lowercase()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

/// Table, and the columns that the statement gives it.
fn makes(statement: &str) -> Option<(String, Vec<String>)> {
    if let Some(rest) = statement.strip_prefix("create table ") {
        let rest = rest.strip_prefix("if not exists ").unwrap_or(rest);
        let (name, definition) = rest.split_once('(')?;
        if name.contains(" partition of ") {
            return None;
        }
        return Some((name.trim().to_owned(), columns(definition)));
    }
    let rest = statement.strip_prefix("alter table ")?;
    let (name, actions) = rest.split_once(' ')?;
    let added = actions.split("add column ").skip(1);
    let added = added.map(|action| action.strip_prefix("if not exists ").unwrap_or(action));
    let columns: Vec<String> = added.filter_map(first_word).collect();
    (!columns.is_empty()).then(|| (name.to_owned(), columns))
}

fn first_word(text: &str) -> Option<String> {
    let word = text.split_whitespace().next()?;
    Some(word.split('(').next().unwrap_or(word).to_owned())
}

fn columns(definition: &str) -> Vec<String> {
    let mut elements = vec![String::new()];
    let mut depth = 0;
    for c in definition.chars() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => break,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                elements.push(String::new());
                continue;
            }
            _ => {}
        }
        elements.last_mut().unwrap().push(c);
    }
    elements
        .iter()
        .filter_map(|element| first_word(element))
        .filter(|word| !NOT_A_COLUMN.contains(&word.as_str()))
        .collect()
}

fn complaints(file: &TextFile) -> Vec<String> {
    let statements = statements(&file.text);
    let commented = |on: &str| {
        let opening = format!("comment on {on} is ");
        statements
            .iter()
            .any(|statement| statement.contains(&opening))
    };
    let mut complaints = Vec::new();
    for (table, columns) in statements.iter().filter_map(|statement| makes(statement)) {
        let made_here = statements
            .iter()
            .any(|statement| statement.starts_with(&format!("create table {table} ")));
        if made_here && !commented(&format!("table {table}")) {
            complaints.push(format!("{}: no comment on table {table}", file.path));
        }
        for column in columns {
            if !commented(&format!("column {table}.{column}")) {
                complaints.push(format!(
                    "{}: no comment on column {table}.{column}",
                    file.path
                ));
            }
        }
    }
    complaints
}

#[test]
fn a_table_without_comments_is_refused() {
    let sql = "
        CREATE TABLE job (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- a, b
            state text NOT NULL CHECK (state IN ('ready', 'done')),
            UNIQUE (id, state)
        );
        COMMENT ON COLUMN job.id IS 'Number.';
        ALTER TABLE email ADD COLUMN kind text;";
    let file = TextFile {
        path: "up.sql".to_owned(),
        text: sql.to_owned(),
    };
    assert_eq!(
        complaints(&file),
        [
            "up.sql: no comment on table job",
            "up.sql: no comment on column job.state",
            "up.sql: no comment on column email.kind",
        ]
    );
}

#[test]
fn every_table_and_column_has_a_comment() {
    let migrations = tree::files(&["up.sql"]);
    tree::no_complaints(&migrations.iter().flat_map(complaints).collect::<Vec<_>>());
}
