//! Excel workbooks: a sound one is read as it was meant, and one with something wrong is read or refused.

#![no_main]

use arbitrary::Unstructured;
use libfuzzer_sys::{Corpus, fuzz_target};
use sheet::Limits;

fuzz_target!(init: fuzz::panics::judge_panics(), |data: &[u8]| -> Corpus {
    let Ok(drawn) = fuzz::workbook::draw(&mut Unstructured::new(data)) else {
        return Corpus::Reject;
    };
    fuzz::reading::compare(&drawn.bytes, "a.xlsx", &Limits::default(), drawn.meant.as_deref());
    Corpus::Keep
});
