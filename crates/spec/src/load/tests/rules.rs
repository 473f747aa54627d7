//! Single faults in `rules.toml`, with their exact words.

use super::told;

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a list of faults and what is said of each"
)]
fn single_faults_are_told_exactly() {
    told(&[
        (
            "rules.toml",
            r#"kind = "assert""#,
            r#"kind = "check""#,
            r#"rules.toml, line 4, column 1: "check" is not one of "assert", "query", "unique", "references", "within", "no_overlap", "continuous", "sum", "change", "unchanged", "present""#,
        ),
        (
            "rules.toml",
            r#"severity = "query""#,
            r#"severity = "warning""#,
            r#"rules.toml, line 5, column 1: "warning" is not one of "blocker", "error", "query", "note""#,
        ),
        (
            "rules.toml",
            r#"table = "case""#,
            r#"table = "cases""#,
            r#"rules.toml, line 3, column 1: there is no table "cases""#,
        ),
        (
            "rules.toml",
            r#"id = "case.adults-without-cost""#,
            r#"id = "form.adults-without-cost""#,
            r#"rules.toml, line 2, column 1: "form.adults-without-cost" has to start with "case.""#,
        ),
        (
            "rules.toml",
            r#"id = "case.adults-without-cost""#,
            r#"id = "case.adults_without_cost""#,
            r#"rules.toml, line 2, column 1: "case.adults_without_cost" does not have the form ^[a-z][a-z0-9_]*\.[a-z0-9]+(-[a-z0-9]+)*$"#,
        ),
        (
            "rules.toml",
            r#"id = "case.adults-without-cost""#,
            r#"id = "case.too-many""#,
            r#"rules.toml, line 17, column 1: the rule id "case.too-many" is taken by rules.toml, line 2, column 1"#,
        ),
        (
            "rules.toml",
            r#"id = "case.adults-without-cost""#,
            r#"id = "case.cost-missing""#,
            r#"rules.toml, line 2, column 1: the rule id "case.cost-missing" is taken by tables/case.schema.json, /allOf/0/x-rule"#,
        ),
        (
            "rules.toml",
            r#"id = "case.adults-without-cost""#,
            r#"id = "case.adults-too-large""#,
            r#"rules.toml, line 2, column 1: the rule id "case.adults-too-large" is taken by the item ADULTS"#,
        ),
        (
            "rules.toml",
            r#"items = ["ADULTS", "COST"]"#,
            r#"items = ["ADULTS", "PRICE"]"#,
            r#"rules.toml, line 6, column 20: case has no item "PRICE""#,
        ),
        (
            "rules.toml",
            "{ADULTS} adults",
            "{adults} adults",
            "rules.toml, line 7, column 1: {adults} is nothing that this rule knows",
        ),
        (
            "rules.toml",
            "{n} cases",
            "{m} cases",
            "rules.toml, line 21, column 1: {m} is nothing that this rule knows",
        ),
        (
            "rules.toml",
            "stands at {first}",
            "stands at {last}",
            "rules.toml, line 39, column 1: {last} is nothing that this rule knows",
        ),
        (
            "rules.toml",
            r#"source = "guide""#,
            r#"source = "book""#,
            r#"rules.toml, line 9, column 1: return.toml has no source "book""#,
        ),
        (
            "rules.toml",
            "valid_to = 2027-03-31",
            "valid_to = 2026-03-31",
            "rules.toml, line 12, column 1: 2026-03-31 is before valid_from, 2026-04-01",
        ),
        (
            "rules.toml",
            r#"assert = "ADULTS <="#,
            r#"query = "ADULTS <="#,
            "rules.toml, line 1, column 1: \"assert\" is missing\nrules.toml, line 13, column 1: \"query\" does not belong here; it is for another kind or layout",
        ),
        (
            "rules.toml",
            "ADULTS <= $most",
            "ADULT <= $most",
            r#"rules.toml, line 13, column 1: case has no item "ADULT""#,
        ),
        (
            "rules.toml",
            "ADULTS <= $most",
            "case.ADULTS <= $most",
            r#"rules.toml, line 13, column 1: "case.ADULTS" is not a column of the row"#,
        ),
        (
            "rules.toml",
            "ADULTS <= $most",
            "ADULTS <= $least",
            "rules.toml, line 13, column 1: $least is none of $period_start, $period_end, $received_on and the rule's thresholds",
        ),
        (
            "rules.toml",
            "ADULTS <= $most",
            "ADULTS <= :most",
            "rules.toml, line 13, column 1: :most is none of $period_start, $period_end, $received_on and the rule's thresholds",
        ),
        (
            "rules.toml",
            "ADULTS <= $most",
            "ADULTS <= ",
            r#"rules.toml, line 13, column 1: not SQL: expected one expression, found "COST" after it"#,
        ),
        (
            "rules.toml",
            "ADULTS <= $most",
            "ADULTS IN (SELECT UNITS FROM site)",
            "rules.toml, line 13, column 1: an expression over one row can't have a SELECT",
        ),
        (
            "rules.toml",
            "ADULTS <= $most OR COST > 0 AND OPENED >= $period_start",
            "1 = 1; DROP TABLE case",
            r#"rules.toml, line 13, column 1: not SQL: expected one expression, found ";" after it"#,
        ),
        (
            "rules.toml",
            "thresholds = { most = 5 }",
            r#"thresholds = { most = "5" }"#,
            r#"rules.toml, line 14, column 16: "5" is not a number"#,
        ),
        (
            "rules.toml",
            "thresholds = { most = 5 }",
            "thresholds = { most = 5, period_end = 1 }",
            "rules.toml, line 14, column 26: $period_end is taken",
        ),
        (
            "rules.toml",
            "WITH counted AS (SELECT REASON, COUNT(*) AS n FROM case GROUP BY REASON)",
            "WITH counted AS (SELECT REASON, COUNT(*) AS n FROM cases GROUP BY REASON)",
            r#"rules.toml, line 25, column 1: there is no table "cases""#,
        ),
        (
            "rules.toml",
            "WITH counted",
            "WITH RECURSIVE counted",
            "rules.toml, line 25, column 1: WITH RECURSIVE is not allowed",
        ),
        (
            "rules.toml",
            "FROM case AS now",
            "FROM main.case AS now",
            "rules.toml, line 25, column 1: the dotted table name main.case is not allowed",
        ),
        (
            "rules.toml",
            "FROM case AS now",
            "FROM read_csv('/etc/passwd') AS now",
            "rules.toml, line 25, column 1: a table function is not allowed",
        ),
        (
            "rules.toml",
            "SELECT now._row, counted.n FROM",
            "SELECT now._row, counted.n INTO x FROM",
            "rules.toml, line 25, column 1: INTO is not allowed",
        ),
        (
            "rules.toml",
            "AND counted.n > 100\n",
            "AND counted.n > 100 FOR UPDATE\n",
            "rules.toml, line 25, column 1: FOR UPDATE is not allowed",
        ),
        (
            "rules.toml",
            "AND counted.n > 100\n",
            "AND counted.n > 100; SELECT 1\n",
            "rules.toml, line 25, column 1: has to be one SELECT, not 2",
        ),
        (
            "rules.toml",
            "AND counted.n > 100\n",
            "AND counted.n > $limit\n",
            "rules.toml, line 25, column 1: $limit is none of $period_start, $period_end, $received_on and the rule's thresholds",
        ),
        (
            "rules.toml",
            "query = \"\"\"\nWITH",
            "query = \"\"\"\nDELETE FROM case\n\"\"\"\nx = \"\"\"\nWITH",
            r#"rules.toml, line 28, column 1: "x" is not known here; expected one of id, table, kind, severity, stage, only_for, items, message, fix, source, confidence, valid_from, valid_to, trial, thresholds, thresholds_of, assert, query, parent, parent_items, total, parts, total_line, part_lines, against, where, from, to, by, touching, same_start, parent_from, parent_to, parent_where, direction, when, gaps"#,
        ),
        (
            "rules.toml",
            "LEFT JOIN previous_case AS",
            "LEFT JOIN next_case AS",
            r#"rules.toml, line 25, column 1: there is no table "next_case""#,
        ),
        (
            "rules.toml",
            "WITH counted AS (SELECT REASON, COUNT(*) AS n FROM case GROUP BY REASON)\nSELECT now._row, counted.n FROM case AS now",
            "WITH case AS (SELECT 1 AS REASON)\nSELECT now._row, counted.n FROM case AS now",
            "rules.toml, line 25, column 1: there is no table \"counted\"\nrules.toml, line 25, column 1: WITH case hides the table of that name",
        ),
        (
            "rules.toml",
            "items = [\"OPENED\", \"COST\"]\n",
            "",
            r#"rules.toml, line 33, column 1: "items" is missing"#,
        ),
        (
            "rules.toml",
            r#"parent = "case""#,
            r#"parent = "cases""#,
            r#"rules.toml, line 50, column 1: there is no table "cases""#,
        ),
        (
            "rules.toml",
            r#"parent_items = ["REF"]"#,
            r#"parent_items = ["REFERENCE"]"#,
            r#"rules.toml, line 51, column 17: case has no item "REFERENCE""#,
        ),
        (
            "rules.toml",
            r#"parent_items = ["REF"]"#,
            r#"parent_items = ["AREA", "REF"]"#,
            "rules.toml, line 51, column 1: 2 items against 1",
        ),
        (
            "rules.toml",
            r#"parent_items = ["REF"]"#,
            r#"parent_items = ["ADULTS"]"#,
            "rules.toml, line 51, column 17: ADULTS is a whole number, but CASEREF is a text",
        ),
        (
            "rules.toml",
            r#"total = "total""#,
            r#"total = "totals""#,
            r#"rules.toml, line 62, column 1: form has no item "totals""#,
        ),
        (
            "rules.toml",
            r#"total = "total""#,
            r#"total = "line""#,
            "rules.toml, line 62, column 1: line is a text, not a number",
        ),
        (
            "rules.toml",
            r#"parts = ["full_time", "part_time"]"#,
            r#"parts = ["full_time", "-part-time"]"#,
            r#"rules.toml, line 63, column 23: form has no item "part-time""#,
        ),
        (
            "rules.toml",
            r#"parts = ["full_time", "part_time"]"#,
            r#"parts = ["full_time", "-total"]"#,
            "rules.toml, line 63, column 1: the total is one of its own parts",
        ),
        (
            "rules.toml",
            r#"parts = ["full_time", "part_time"]"#,
            r#"total_line = "3""#,
            "rules.toml, line 57, column 1: \"items\" is missing\nrules.toml, line 57, column 1: \"part_lines\" is missing\nrules.toml, line 62, column 1: \"total\" does not belong here; it is for another kind or layout",
        ),
        (
            "rules.toml",
            r#"total_line = "3""#,
            r#"total_line = "4""#,
            r#"rules.toml, line 75, column 1: form has no line "4""#,
        ),
        (
            "rules.toml",
            r#"part_lines = ["1", "2"]"#,
            r#"part_lines = ["1", "-3", "-5"]"#,
            "rules.toml, line 76, column 20: the total is one of its own parts\nrules.toml, line 76, column 26: form has no line \"5\"",
        ),
        (
            "rules.toml",
            r#"items = ["full_time"]"#,
            r#"items = ["line"]"#,
            "rules.toml, line 74, column 10: line is a text, not a number",
        ),
        (
            "rules.toml",
            "table = \"form\"\nkind = \"sum\"\nseverity = \"error\"\nitems = [\"full_time\"]",
            "table = \"site\"\nkind = \"sum\"\nseverity = \"error\"\nitems = [\"UNITS\"]",
            "rules.toml, line 70, column 1: \"form.lines-do-not-add-up\" has to start with \"site.\"\nrules.toml, line 75, column 1: site is not a matrix",
        ),
        (
            "rules.toml",
            "{ percent = 5, minimum = 10 }",
            "{ base = 5 }",
            r#"rules.toml, line 89, column 1: needs "percent", "minimum" or both"#,
        ),
        (
            "rules.toml",
            "{ percent = 5, minimum = 10 }",
            "{ percent = -5, minimum = 10 }",
            "rules.toml, line 89, column 16: -5 is below 0",
        ),
        (
            "rules.toml",
            r#"against = "year_ago""#,
            r#"against = "last_year""#,
            r#"rules.toml, line 88, column 1: "last_year" is not one of "previous", "year_ago""#,
        ),
        (
            "rules.toml",
            "items = [\"total\"]\nagainst",
            "items = [\"line\"]\nagainst",
            "rules.toml, line 87, column 10: line is a text, not a number",
        ),
        (
            "rules.toml",
            r#"where = "UNITS > 1"#,
            r#"where = "UNIT > 1"#,
            r#"rules.toml, line 102, column 1: site has no item "UNIT""#,
        ),
        (
            "rules.toml",
            "against = \"previous\"\n",
            "",
            r#"rules.toml, line 95, column 1: "against" is missing"#,
        ),
        (
            "tables/case.toml",
            "keys = [\"AREA\", \"REF\"]\n",
            "",
            r#"tables/case.toml: "keys" is missing: a cumulative return updates records by key"#,
        ),
        (
            "rules.toml",
            "ADULTS <= $most",
            "COUNT(*) <= $most",
            "rules.toml, line 13, column 1: count looks at many rows, and an expression at one",
        ),
        (
            "rules.toml",
            "ADULTS <= $most",
            "SUM(ADULTS) OVER (PARTITION BY AREA) <= $most",
            "rules.toml, line 13, column 1: OVER looks at many rows, and an expression at one\nrules.toml, line 13, column 1: sum looks at many rows, and an expression at one",
        ),
        (
            "rules.toml",
            "OPENED >= $period_start",
            "OPENED >= CURRENT_DATE",
            "rules.toml, line 13, column 1: the function current_date is not allowed",
        ),
        (
            "rules.toml",
            "ADULTS <= $most",
            "_new AND ADULTS <= $most",
            r#"rules.toml, line 13, column 1: case has no item "_new""#,
        ),
        (
            "rules.toml",
            "WHERE before.REF IS NULL",
            "WHERE before.REF IN (SELECT REF FROM secrets)",
            r#"rules.toml, line 25, column 1: there is no table "secrets""#,
        ),
        (
            "rules.toml",
            "JOIN counted ON",
            "JOIN UNNEST([1, 2]) AS u ON TRUE JOIN counted ON",
            "rules.toml, line 25, column 1: a table function is not allowed",
        ),
        (
            "rules.toml",
            "query = \"\"\"\nWITH counted AS (SELECT REASON, COUNT(*) AS n FROM case GROUP BY REASON)\n",
            "query = \"\"\"\nDROP TABLE case\n\"\"\"\nvalid_from = 2026-04-01\nfix = \"\"\"\n",
            "rules.toml, line 29, column 1: not TOML: duplicate key",
        ),
        (
            "rules.toml",
            "{n} cases of {REASON}.",
            "{n cases",
            "rules.toml, line 21, column 1: has a { without a }",
        ),
        (
            "rules.toml",
            "thresholds = { most = 5 }",
            "thresholds = { Most = 5 }",
            r#"rules.toml, line 14, column 16: "Most" does not have the form ^[a-z][a-z0-9_]*$"#,
        ),
        (
            "rules.toml",
            "severity = \"note\"\nitems = [\"OPENED\", \"COST\"]",
            "severity = \"note\"\nitems = [\"OPENED\", \"OPENED\"]",
            "rules.toml, line 38, column 1: names something twice",
        ),
    ]);
}

#[test]
fn faults_of_organisations_thresholds_and_stages_are_told() {
    told(&[
        (
            "rules.toml",
            "thresholds = { most = 5 }",
            "thresholds = { most = 5 }\nonly_for = [\"board\", \"S1\", \"club\"]",
            "rules.toml, line 15, column 28: organisations.csv has no organisation of the kind or with the code \"club\"",
        ),
        (
            "rules.toml",
            "thresholds = { most = 5 }",
            "thresholds = { most = 5 }\n[rule.thresholds_of.S9]\nleast = 1\nsource = \"book\"\nconfidence = \"inferred\"",
            "rules.toml, line 15, column 21: organisations.csv has no organisation with the code \"S9\"\nrules.toml, line 17, column 1: return.toml has no source \"book\"\nrules.toml, line 16, column 1: the rule has no threshold \"least\"",
        ),
        (
            "rules.toml",
            "thresholds = { most = 5 }",
            "thresholds = { most = 5 }\n[rule.thresholds_of.S1]\nsource = \"guide\"\nconfidence = \"inferred\"",
            "rules.toml, line 15, column 21: says no threshold",
        ),
        (
            "rules.toml",
            "thresholds = { most = 5 }",
            "thresholds = { most = 5 }\n[rule.thresholds_of.S1]\nmost = 1",
            "rules.toml, line 15, column 21: \"source\" is missing\nrules.toml, line 15, column 21: \"confidence\" is missing",
        ),
        (
            "rules.toml",
            "thresholds = { most = 5 }",
            "thresholds = { most = 1e30 }",
            "rules.toml, line 1, column 1: 1e+30 has more than 15 digits or 9 places",
        ),
        (
            "rules.toml",
            "severity = \"query\"",
            "severity = \"query\"\nstage = \"later\"",
            "rules.toml, line 6, column 1: \"later\" is not one of \"return\", \"collection\"",
        ),
        (
            "tables/form.toml",
            "column = \"C\"",
            "column = \"C\"\nonly_for = [\"club\"]",
            "tables/form.toml, line 49, column 13: organisations.csv has no organisation of the kind or with the code \"club\"",
        ),
        (
            "tables/form.toml",
            "[[lines.column]]\nitem = \"full_time\"",
            "[[lines.cells]]\nlines = [\"9\"]\nitems = [\"line\"]\nonly_for = [\"board\"]\nsource = \"book\"\nconfidence = \"inferred\"\n\n[[lines.column]]\nitem = \"full_time\"",
            "tables/form.toml, line 50, column 1: return.toml has no source \"book\"\ntables/form.toml, line 47, column 10: there is no line \"9\"\ntables/form.toml, line 48, column 10: no column is the item \"line\"",
        ),
        (
            "tables/case.schema.json",
            "\"x-severity\"",
            "\"x-valid-from\": \"2026-04-01\", \"x-valid-to\": \"2026-03-31\", \"x-severity\"",
            "tables/case.schema.json, /allOf/0/x-valid-to: 2026-03-31 is before x-valid-from, 2026-04-01",
        ),
    ]);
}

#[test]
fn faults_of_changes_and_rules_of_days_are_told() {
    let unique = "kind = \"unique\"\nseverity = \"note\"\nitems = [\"OPENED\", \"COST\"]\nmessage = \"The same stands at {first}.\"";
    told(&[
        (
            "rules.toml",
            "thresholds = { percent = 5, minimum = 10 }",
            "thresholds = { percent = 5 }\nwhen = \"either\"",
            "rules.toml, line 90, column 1: needs both \"percent\" and \"minimum\"",
        ),
        (
            "rules.toml",
            "thresholds = { percent = 5, minimum = 10 }",
            "thresholds = { percent = 5, maximum = 10 }",
            "rules.toml, line 89, column 29: a change has no threshold \"maximum\"",
        ),
        (
            "rules.toml",
            "items = [\"total\"]\nagainst",
            "against",
            "rules.toml, line 82, column 1: is missing: a form has the same number of lines in every period",
        ),
        (
            "rules.toml",
            unique,
            "kind = \"no_overlap\"\nseverity = \"note\"\nby = [\"REF\"]\nfrom = \"COST\"\nto = \"CLOSED\"\nmessage = \"{dates} and {other_dates} in {other_cell}, {first}.\"",
            "rules.toml, line 39, column 1: COST is a number, not a date\nrules.toml, line 40, column 1: case has no item \"CLOSED\"\nrules.toml, line 41, column 1: {first} is nothing that this rule knows",
        ),
        (
            "rules.toml",
            unique,
            "kind = \"no_overlap\"\nseverity = \"note\"\nfrom = \"OPENED\"\nmessage = \"m\"",
            "rules.toml, line 33, column 1: \"by\" is missing\nrules.toml, line 33, column 1: \"to\" is missing",
        ),
        (
            "rules.toml",
            unique,
            "kind = \"within\"\nseverity = \"note\"\nby = [\"REF\"]\nfrom = \"OPENED\"\nparent = \"site\"\nparent_items = [\"CASEREF\"]\nparent_where = \"UNIT > 1\"\nmessage = \"m\"",
            "rules.toml, line 42, column 1: site has no item \"UNIT\"\nrules.toml, line 40, column 1: needs \"parent_from\", \"parent_to\" or both",
        ),
        (
            "rules.toml",
            unique,
            "kind = \"continuous\"\nseverity = \"note\"\nby = [\"REF\"]\nfrom = \"OPENED\"\nto = \"OPENED\"\ngaps = [\"before\", \"between\", \"after\"]\nmessage = \"m\"",
            "rules.toml, line 41, column 9: needs \"parent_from\"\nrules.toml, line 41, column 30: needs a parent",
        ),
        (
            "rules.toml",
            unique,
            "kind = \"unique\"\nseverity = \"note\"\nitems = [\"OPENED\"]\nfrom = \"OPENED\"\nwhere = \"TRUE\"\nmessage = \"m\"",
            "rules.toml, line 39, column 1: \"from\" does not belong here; it is for another kind or layout\nrules.toml, line 40, column 1: \"where\" does not belong here; it is for another kind or layout",
        ),
        (
            "rules.toml",
            unique,
            "kind = \"assert\"\nseverity = \"note\"\nassert = \"$value > 0\"\nmessage = \"{title} is {value}.\"",
            "rules.toml, line 38, column 1: $value is each of \"items\", and there are none",
        ),
        (
            "rules.toml",
            unique,
            "kind = \"unchanged\"\nseverity = \"note\"\nagainst = \"previous\"\nitems = [\"COST\"]\nby = [\"PRICE\"]\nwhere = \"CLOSED > 1\"\nmessage = \"{title} {before} {after}.\"",
            "rules.toml, line 40, column 7: case has no item \"PRICE\"\nrules.toml, line 41, column 1: case has no item \"CLOSED\"\nrules.toml, line 42, column 1: {after} is nothing that this rule knows",
        ),
        (
            "rules.toml",
            "LEFT JOIN previous_case AS before ON before.REF = now.REF",
            "LEFT JOIN previous_case AS before ON before.AREA = now.AREA",
            "rules.toml, line 25, column 1: joins \"before\" without a key: every row would meet every other; write ON one.ITEM = other.ITEM, with an item that tells records from each other",
        ),
    ]);
}
