//! Any bytes under any name, with the limits that the site has.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sheet::Limits;

const NAMES: [&str; 5] = ["a.xlsx", "a.xls", "a.ods", "a.csv", "return"];

fuzz_target!(init: fuzz::panics::judge_panics(), |data: &[u8]| {
    let name = NAMES[data.len() % NAMES.len()];
    let limits = Limits::default();
    let read = fuzz::reading::read(data, name, &limits);
    // The same bytes always give the same reading.
    if data.len() % 16 == 0 {
        assert_eq!(read, fuzz::reading::read(data, name, &limits));
    }
});
