//! Single faults in a table's layout, with their exact words.

use super::told;

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a list of faults and what is said of each"
)]
fn single_faults_are_told_exactly() {
    told(&[
        (
            "tables/case.toml",
            r#"layout = "records""#,
            r#"layout = "record""#,
            r#"tables/case.toml, line 1, column 1: "record" is not one of "records", "matrix", "turn-around""#,
        ),
        (
            "tables/case.toml",
            r#"layout = "records""#,
            r#"layout = "turn-around""#,
            r#"tables/case.toml: "turn_around" is missing"#,
        ),
        (
            "tables/case.toml",
            "title = \"Cases\"\n",
            "",
            r#"tables/case.toml: "title" is missing"#,
        ),
        (
            "tables/case.toml",
            r#"keys = ["AREA", "REF"]"#,
            r#"keys = ["area", "REF"]"#,
            r#"tables/case.toml, line 3, column 9: case has no item "area"; write it "AREA""#,
        ),
        (
            "tables/case.toml",
            "item = \"AREA\"\n\n[header]",
            "item = \"OWNER\"\n\n[header]",
            r#"tables/case.toml, line 11, column 1: case has no item "OWNER""#,
        ),
        (
            "tables/case.toml",
            "item = \"AREA\"\n\n[header]",
            "item = \"AREA\"\ncell = \"A1\"\n\n[header]",
            "tables/case.toml, line 9, column 1: needs either an item or a cell",
        ),
        (
            "tables/case.toml",
            r#"kind = "organisation""#,
            r#"kind = "council""#,
            r#"tables/case.toml, line 10, column 1: "council" is not one of "organisation", "period""#,
        ),
        (
            "tables/case.toml",
            "search_rows = 20",
            "search_rows = 0",
            "tables/case.toml, line 14, column 1: 0 is below 1",
        ),
        (
            "tables/case.toml",
            "search_rows = 20",
            "search_rows = 20\ndepth = 2",
            r#"tables/case.toml, line 15, column 1: "depth" is not known here; expected one of search_rows"#,
        ),
        (
            "tables/case.toml",
            "[columns.AREA]",
            "[columns.PLACE]",
            r#"tables/case.toml, line 16, column 10: case has no item "PLACE""#,
        ),
        (
            "tables/case.toml",
            r#"["Local authority code"]"#,
            r#"["reference"]"#,
            r#"tables/case.toml, line 16, column 2: the heading "Reference" could be AREA or REF"#,
        ),
        (
            "tables/case.toml",
            "[[ignore]]\nitem = \"AREA\"",
            "[[ignore]]\nitem = \"PLACE\"",
            r#"tables/case.toml, line 21, column 1: case has no item "PLACE""#,
        ),
        (
            "tables/case.toml",
            r#"names = ["Cases"]"#,
            "names = []",
            "tables/case.toml, line 6, column 1: needs at least 1 element",
        ),
        (
            "tables/case.toml",
            "[header]",
            "[lines]\nitem = \"line\"\nline = []\ncolumn = []\n\n[header]",
            "tables/case.toml, line 16, column 1: needs at least 1 element\ntables/case.toml, line 15, column 1: needs at least 1 element\ntables/case.toml, line 13, column 2: \"lines\" does not belong here; it is for another kind or layout",
        ),
        (
            "tables/site.toml",
            r#"key = "SITE""#,
            r#"key = "PLACE""#,
            r#"tables/site.toml, line 13, column 1: site has no item "PLACE""#,
        ),
        (
            "tables/site.toml",
            "[turn_around]\nkey = \"SITE\"\n",
            "",
            r#"tables/site.toml: "turn_around" is missing"#,
        ),
        (
            "tables/form.toml",
            r#"code_column = "A""#,
            r#"code_column = "C""#,
            r#"tables/form.toml, line 3, column 1: is the column of "full_time""#,
        ),
        (
            "tables/form.toml",
            r#"code_column = "A""#,
            r#"code_column = "1""#,
            r#"tables/form.toml, line 3, column 1: "1" does not have the form ^[A-Z]{1,3}$"#,
        ),
        (
            "tables/form.toml",
            r#"cell = "C3""#,
            r#"cell = "C9""#,
            "tables/form.toml, line 11, column 1: is a line's cell",
        ),
        (
            "tables/form.toml",
            r#"cell = "C3""#,
            r#"item = "total""#,
            "tables/form.toml, line 11, column 1: a matrix says it in a cell",
        ),
        (
            "tables/form.toml",
            r#"cell = "A1""#,
            r#"cell = "E11""#,
            "tables/form.toml, line 14, column 1: is a line's cell",
        ),
        (
            "tables/form.toml",
            r#"cell = "A1""#,
            r#"cell = "A0""#,
            r#"tables/form.toml, line 14, column 1: "A0" does not have the form ^[A-Z]{1,3}[1-9][0-9]{0,6}$"#,
        ),
        (
            "tables/form.toml",
            r#"cell = "A1""#,
            r#"cell = "A1048577""#,
            r#"tables/form.toml, line 14, column 1: "A1048577" is not a cell"#,
        ),
        (
            "tables/form.toml",
            r#"item = "line""#,
            r#"item = "lines""#,
            "tables/form.toml, line 18, column 1: form has no item \"lines\"\ntables/form.toml, line 46, column 9: the item \"line\" has no column",
        ),
        (
            "tables/form.toml",
            r#"item = "line""#,
            r#"item = "total""#,
            "tables/form.toml, line 18, column 1: line codes are text\ntables/form.toml, line 55, column 1: the line item has no column\ntables/form.toml, line 46, column 9: the item \"line\" has no column",
        ),
        (
            "tables/form.toml",
            "row = 10",
            "row = 9",
            r#"tables/form.toml, line 30, column 1: row 9 is the line "1" already"#,
        ),
        (
            "tables/form.toml",
            r#"code = "2""#,
            r#"code = "1""#,
            "tables/form.toml, line 29, column 1: the line \"1\" is there already\nrules.toml, line 76, column 20: form has no line \"2\"",
        ),
        (
            "tables/form.toml",
            r#"code = "2""#,
            r#"code = "2a""#,
            "tables/form.toml, line 29, column 1: \"2a\" is not a value of the line item\nrules.toml, line 76, column 20: form has no line \"2\"",
        ),
        (
            "tables/form.toml",
            r#"not_applicable = ["part_time"]"#,
            r#"not_applicable = ["part-time"]"#,
            r#"tables/form.toml, line 35, column 19: "part-time" does not have the form ^[A-Za-z][A-Za-z0-9_]{0,58}$"#,
        ),
        (
            "tables/form.toml",
            r#"not_applicable = ["part_time"]"#,
            r#"not_applicable = ["line"]"#,
            r#"tables/form.toml, line 35, column 19: no column is the item "line""#,
        ),
        (
            "tables/form.toml",
            "description = \"Women.\"\nsource = \"guide\"",
            "description = \"Women.\"\nsource = \"book\"",
            r#"tables/form.toml, line 33, column 1: return.toml has no source "book""#,
        ),
        (
            "tables/form.toml",
            r#"column = "D""#,
            r#"column = "C""#,
            "tables/form.toml, line 52, column 1: column C is full_time already",
        ),
        (
            "tables/form.toml",
            "item = \"part_time\"\ncolumn = \"D\"",
            "item = \"full_time\"\ncolumn = \"D\"",
            "tables/form.toml, line 51, column 1: \"full_time\" has a column already\ntables/form.toml, line 46, column 9: the item \"part_time\" has no column\ntables/form.toml, line 35, column 19: no column is the item \"part_time\"",
        ),
        (
            "tables/form.toml",
            "[[lines.column]]\nitem = \"part_time\"\ncolumn = \"D\"\n\n",
            "",
            "tables/form.toml, line 46, column 9: the item \"part_time\" has no column\ntables/form.toml, line 35, column 19: no column is the item \"part_time\"",
        ),
        (
            "tables/form.toml",
            "label = \"Women\"\n",
            "",
            r#"tables/form.toml, line 28, column 1: "label" is missing"#,
        ),
    ]);
}
