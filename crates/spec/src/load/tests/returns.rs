//! Single faults in `return.toml`, code lists and organisations, with their exact words.

use std::path::Path;

use super::super::load;
use super::super::sample::Sample;
use super::{copy_dir, told};

#[test]
fn own_columns_start_as_no_items_heading_does_and_stand_in_rows() {
    let sample = Sample::new();
    sample.edit(
        "return.toml",
        "extra_columns = \"refuse\"",
        "extra_columns = \"refuse\"\nown_columns = \"own_\"",
    );
    let spec = load(&sample.dir()).unwrap_or_else(|error| panic!("{error}"));
    assert!(spec.is_own_heading(" OWN_case id"));
    assert!(!spec.is_own_heading("Owner"));

    sample.edit(
        "tables/case.toml",
        "\"Local authority code\"",
        "\"Own_area\"",
    );
    assert_eq!(
        load(&sample.dir()).unwrap_err().to_string(),
        "return.toml, line 27, column 1: the heading \"Own_area\" of case.AREA starts with it too"
    );

    let form = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../return-specs/jsw/2026");
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("jsw/2026");
    copy_dir(&form, &dir);
    let about = std::fs::read_to_string(dir.join("return.toml")).unwrap();
    let about = about.replace("[collection]\n", "[collection]\nown_columns = \"own_\"\n");
    std::fs::write(dir.join("return.toml"), about).unwrap();
    let told = load(&dir).unwrap_err().to_string();
    assert!(
        told.ends_with("no table has rows, so there is no place for the sender's own columns"),
        "{told}"
    );
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a list of faults and what is said of each"
)]
fn single_faults_are_told_exactly() {
    told(&[
        (
            "return.toml",
            "format = 1",
            "format = 2",
            "return.toml, line 1, column 1: has to be 1, not 2",
        ),
        (
            "return.toml",
            "format = 1",
            "format 1",
            "return.toml, line 1, column 8: not TOML: key with no value, expected `=`",
        ),
        (
            "return.toml",
            r#"id = "demo""#,
            r#"id = "other""#,
            r#"return.toml, line 4, column 1: "other" stands in a folder called "demo""#,
        ),
        (
            "return.toml",
            r#"version = "1.0""#,
            r#"version = "1.1""#,
            r#"return.toml, line 5, column 1: "1.1" stands in a folder called "1.0""#,
        ),
        (
            "return.toml",
            "title = \"Demonstration\"\n",
            "",
            r#"return.toml, line 3, column 2: "title" is missing"#,
        ),
        (
            "return.toml",
            r#"summary = "One of each.""#,
            r#"summary = " ""#,
            "return.toml, line 8, column 1: has to say something",
        ),
        (
            "return.toml",
            r#"summary = "One of each.""#,
            "sumary = \"One of each.\"\nsummary = \"One of each.\"",
            r#"return.toml, line 8, column 1: "sumary" is not known here; expected one of id, version, title, acronym, summary, valid_from, valid_to, tables"#,
        ),
        (
            "return.toml",
            "valid_to = 2027-03-31",
            "valid_to = 2026-03-31",
            "return.toml, line 10, column 1: 2026-03-31 is before valid_from, 2026-04-01",
        ),
        (
            "return.toml",
            "valid_from = 2026-04-01",
            r#"valid_from = "April""#,
            r#"return.toml, line 9, column 1: "April" is not a date; write it as 2026-04-01"#,
        ),
        (
            "return.toml",
            r#""case", "form", "site"]"#,
            r#""case", "form"]"#,
            "rules.toml, line 46, column 1: there is no table \"site\"\nrules.toml, line 97, column 1: there is no table \"site\"\ntables/site.schema.json: belongs to no table that return.toml lists\ntables/site.toml: belongs to no table that return.toml lists",
        ),
        (
            "return.toml",
            r#""case", "form", "site"]"#,
            r#""case", "form", "site", "more"]"#,
            "tables/more.schema.json: is missing\ntables/more.toml: is missing",
        ),
        (
            "return.toml",
            r#"types = ["council"]"#,
            r#"types = ["council", "fire board"]"#,
            r#"return.toml, line 18, column 21: organisations.csv has no organisation of the kind "fire board""#,
        ),
        (
            "return.toml",
            r#"only = ["S1"]"#,
            r#"only = ["S2", "S3"]"#,
            "return.toml, line 19, column 9: Board is a board, which is not one of the types\nreturn.toml, line 19, column 15: organisations.csv has no organisation with the code \"S3\"",
        ),
        (
            "return.toml",
            r#""financial-quarter""#,
            r#""quarter""#,
            r#"return.toml, line 22, column 1: "quarter" is not one of "calendar-quarter", "financial-quarter", "financial-year", "social-work-year", "school-year", "snapshot-date""#,
        ),
        (
            "return.toml",
            r#""cumulative""#,
            r#""update""#,
            r#"return.toml, line 25, column 1: "update" is not one of "replace", "cumulative""#,
        ),
        (
            "return.toml",
            "extra_columns = \"refuse\"",
            "extra_columns = \"refuse\"\nown_columns = \"own\"",
            r#"return.toml, line 27, column 1: "own" does not have the form ^[A-Za-z][A-Za-z0-9]{0,18}[_.:-]$"#,
        ),
        (
            "return.toml",
            "personal_data = true",
            r#"personal_data = "yes""#,
            r#"return.toml, line 29, column 1: "yes" is not true or false"#,
        ),
        (
            "return.toml",
            "[register.retention]\nvalue = \"Ten years.\"\nsource = \"guide\"\nconfidence = \"inferred\"\n",
            "",
            r#"return.toml, line 32, column 2: "retention" is missing"#,
        ),
        (
            "return.toml",
            "[register.purpose]",
            "[register.reason]\nvalue = \"x\"\nsource = \"guide\"\nconfidence = \"inferred\"\n\n[register.purpose]",
            r#"return.toml, line 37, column 11: "reason" is not one of "duty", "purpose", "frequency", "recipients", "outputs", "legal_basis", "timetable", "technologies", "governance", "volume", "sign_off", "retention", "coverage", "method", "level""#,
        ),
        (
            "return.toml",
            "value = \"Statistics.\"\nsource = \"guide\"",
            "value = \"Statistics.\"\nsource = \"book\"",
            r#"return.toml, line 39, column 1: return.toml has no source "book""#,
        ),
        (
            "return.toml",
            r#"confidence = "published""#,
            r#"confidence = "sure""#,
            r#"return.toml, line 40, column 1: "sure" is not one of "published", "partial", "inferred""#,
        ),
        (
            "return.toml",
            r#"url = "https://example.org/guide""#,
            r#"url = "the web""#,
            r#"return.toml, line 54, column 1: "the web" does not have the form ^https?://"#,
        ),
        (
            "return.toml",
            r#"base = "valid""#,
            r#"base = "best""#,
            "return.toml, line 58, column 1: there is no examples/best.example",
        ),
        (
            "return.toml",
            r#"vary = ["REF"]"#,
            r#"vary = ["REFERENCE"]"#,
            r#"return.toml, line 60, column 9: no table has an item "REFERENCE""#,
        ),
        (
            "return.toml",
            "copies = 3",
            "copies = 0",
            "return.toml, line 59, column 1: 0 is below 1",
        ),
        (
            "../../organisations.csv",
            "S2,Board",
            "S2,One",
            r#"../../organisations.csv, line 3: "One" is One (S1) already"#,
        ),
        (
            "../../organisations.csv",
            "code,name",
            "gss,name",
            "../../organisations.csv, line 1: the header has to be code,name,kind,sg_code,phs_code,superseded_codes,aliases,valid_from,valid_to",
        ),
        (
            "codes/reason.csv",
            "2,Second,,,guide",
            "2,Second,,,book",
            r#"codes/reason.csv, line 4: return.toml has no source "book""#,
        ),
        (
            "codes/reason.csv",
            "1,First again,2026-07-01",
            "1,First again,2026-06-30",
            r#"codes/reason.csv, line 3: the code "1" is there twice on the same day"#,
        ),
        (
            "codes/reason.csv",
            "code,label",
            "label,code",
            "codes/reason.csv, line 1: the header has to be code,label,valid_from,valid_to,source,confidence",
        ),
        (
            "../../code-lists/area/1.csv",
            "100,Here",
            "100,",
            "../../code-lists/area/1.csv, line 2: label is blank",
        ),
    ]);
}
