//! `docs/rule-kinds.md`: each of the field's kinds of check, and rules that really do it.

use std::collections::BTreeSet;
use std::path::Path;

use crate::load::{load_all, rule_ids};

#[test]
fn every_rule_that_the_page_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/rule-kinds.md")).unwrap();
    let specs = load_all(&root.join("return-specs")).unwrap();
    let mut numbers = BTreeSet::new();
    let mut n_rules = 0;
    for row in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let Ok(number) = cells[0].parse::<u32>() else {
            continue;
        };
        numbers.insert(number);
        let (return_id, rules) = (cells[3], cells[4]);
        let spec = specs.iter().rfind(|spec| spec.id == return_id).expect(row);
        let known = rule_ids::of(spec);
        for rule in rules.split(", ") {
            let rule = rule.trim_matches('`');
            assert!(known.contains(rule), "{return_id} has no rule {rule}");
            n_rules += 1;
        }
    }
    assert_eq!(numbers, (1..=21).collect());
    assert!(n_rules >= 21, "{n_rules}");
}
