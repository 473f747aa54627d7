//! A rule's SQL: vetting never panics, and what it lets through is one SELECT over named tables.

#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: fuzz::panics::judge_panics(), |data: &[u8]| {
    let Some(sql) = fuzz::sql::draw(data) else {
        return;
    };
    let thresholds = BTreeSet::from(["limit"]);
    let known = |name: &str| {
        matches!(name, "case" | "site").then(|| spec::Known {
            rows: spec::Rows::Records,
            weak: Vec::new(),
        })
    };
    if let Ok(vetted) = spec::vet_query(&sql, &known, &thresholds) {
        fuzz::sql::hold(&sql, &vetted.reads);
    }
    let columns = |name: &str| (name != "ref" && name != "n").then(|| format!("no {name}"));
    for why in spec::vet_expression(&sql, &columns, &thresholds) {
        assert!(!why.is_empty());
    }
});
