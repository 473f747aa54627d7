//! Excel workbooks: the scanner of large plain sheets and calamine tell the same of every one, sound or not.

#![no_main]

use arbitrary::Unstructured;
use libfuzzer_sys::{Corpus, fuzz_target};
use sheet::Limits;

fuzz_target!(init: fuzz::panics::judge_panics(), |data: &[u8]| -> Corpus {
    let Ok(drawn) = fuzz::workbook::draw(&mut Unstructured::new(data)) else {
        return Corpus::Reject;
    };
    let told = |large_bytes| {
        let limits = Limits {
            large_bytes,
            ..Limits::default()
        };
        fuzz::reading::told(&drawn.bytes, "a.xlsx", &limits)
    };
    assert_eq!(told(0), told(u64::MAX));
    Corpus::Keep
});
