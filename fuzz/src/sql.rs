//! SQL drawn from a fuzzer's bytes, and what holds of any that was let through.

use std::collections::BTreeSet;

use sqlparser::ast::Statement;
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserOptions};

/// Words that SQL is made of, of more than one dialect.
const WORDS: [&str; 128] = [
    "SELECT",
    "FROM",
    "case",
    "site",
    "other",
    "a",
    "b",
    "ref",
    "n",
    "x",
    "*",
    ",",
    "(",
    ")",
    ".",
    "=",
    "<",
    ">",
    "<=",
    ">=",
    "<>",
    "+",
    "-",
    "/",
    "||",
    "'x'",
    "\"case\"",
    "`site`",
    "1",
    "0.5",
    "NULL",
    "$limit",
    "$1",
    "$x",
    ":p",
    "?",
    "@v",
    "WHERE",
    "AND",
    "OR",
    "NOT",
    "IN",
    "EXISTS",
    "BETWEEN",
    "LIKE",
    "IS",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "AS",
    "GROUP",
    "BY",
    "HAVING",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "DISTINCT",
    "ALL",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "JOIN",
    "LEFT",
    "INNER",
    "CROSS",
    "NATURAL",
    "ON",
    "USING",
    "WITH",
    "RECURSIVE",
    "OVER",
    "PARTITION",
    "ROWS",
    "WINDOW",
    "QUALIFY",
    "COUNT",
    "SUM",
    "MAX",
    "now",
    "random",
    "CAST",
    "EXTRACT",
    "INTERVAL",
    "DATE",
    "LATERAL",
    "UNNEST",
    "VALUES",
    "TABLE",
    "INTO",
    "FOR",
    "UPDATE",
    "INSERT",
    "DELETE",
    "MERGE",
    "DROP",
    "CREATE",
    "ALTER",
    "TRUNCATE",
    "COPY",
    "EXPLAIN",
    "SET",
    "SHOW",
    "CALL",
    "EXECUTE",
    "RETURNING",
    ";",
    "--",
    "/*",
    "*/",
    "[",
    "]",
    "{",
    "}",
    "::",
    "|>",
    "read_csv",
    "PIVOT",
    "UNPIVOT",
    "TABLESAMPLE",
    "AT",
    "VERSION",
    "OF",
    "ARRAY",
    "STRUCT",
    "LAMBDA",
    "FETCH",
];

/// Words by the bytes, or the bytes themselves as text.
pub fn draw(data: &[u8]) -> Option<String> {
    let (first, rest) = data.split_first()?;
    if first & 1 == 0 {
        return std::str::from_utf8(rest).ok().map(str::to_owned);
    }
    let words: Vec<&str> = rest
        .iter()
        .map(|b| WORDS[usize::from(*b) % WORDS.len()])
        .collect();
    Some(words.join(" "))
}

/// The parser's own tree is looked at as it prints itself, and not through the visitor that the vetting trusts.
pub fn hold(sql: &str, reads: &[String]) {
    let statements = Parser::new(&GenericDialect {})
        .with_options(ParserOptions {
            trailing_commas: true,
            ..ParserOptions::default()
        })
        .try_with_sql(sql)
        .and_then(|mut parser| parser.parse_statements())
        .expect("what was let through is SQL");
    let [statement @ Statement::Query(_)] = statements.as_slice() else {
        panic!("let through: {sql}");
    };
    let tree = without_texts(&format!("{statement:?}"));
    for forbidden in [
        "Insert(",
        "Update(",
        "Delete(",
        "Merge(",
        "Drop",
        "Truncate",
        "TableFunction",
        "UNNEST",
        "lateral: true",
        "into: Some",
        "recursive: true",
        "Values(",
        "Pivot",
        "Unpivot",
        "OpenJsonTable",
        "JsonTable",
        "XmlTable",
        "MatchRecognize",
        "SemanticView",
    ] {
        assert!(!tree.contains(forbidden), "{forbidden} let through: {sql}");
    }
    let ctes: BTreeSet<&str> = [true, false]
        .iter()
        .flat_map(|explicit| {
            let start = format!(
                "Cte {{ alias: TableAlias {{ explicit: {explicit}, name: Ident {{ value: \""
            );
            after(&tree, &start).collect::<Vec<_>>()
        })
        .collect();
    for name in after(
        &tree,
        "Table { name: ObjectName([Identifier(Ident { value: \"",
    ) {
        assert!(
            reads.iter().any(|read| read == name) || ctes.contains(name),
            "reads {name}, which was not told of: {sql}"
        );
    }
    for name in reads {
        assert!(matches!(name.as_str(), "case" | "site"), "{name}: {sql}");
    }
}

/// Names of the tree that stand after this.
fn after<'t>(tree: &'t str, start: &str) -> impl Iterator<Item = &'t str> {
    let pieces: Vec<&str> = tree.split(start).skip(1).collect();
    pieces.into_iter().filter_map(|rest| rest.split('"').next())
}

/// Texts that the sender of a rule wrote may hold any word; only names of one word are left.
fn without_texts(tree: &str) -> String {
    let mut kept = String::with_capacity(tree.len());
    let mut pieces = tree.split('"');
    kept.push_str(pieces.next().unwrap_or_default());
    while let Some(text) = pieces.next() {
        let is_name = text.len() < 20 && text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        kept.push('"');
        kept.push_str(if is_name { text } else { "~" });
        kept.push('"');
        kept.push_str(pieces.next().unwrap_or_default());
    }
    kept
}
