//! OpenDocument spreadsheets: a sound one is read as it was meant, and one with something wrong is read or refused.

#![no_main]

use arbitrary::Unstructured;
use libfuzzer_sys::{Corpus, fuzz_target};
use sheet::Limits;

fuzz_target!(init: fuzz::panics::judge_panics(), |data: &[u8]| -> Corpus {
    let Ok(drawn) = fuzz::opendocument::draw(&mut Unstructured::new(data)) else {
        return Corpus::Reject;
    };
    // A cell or row may be repeated a million times: the limit is lower here, so that more files are tried.
    let limits = Limits {
        cells: 50_000,
        ..Limits::default()
    };
    fuzz::reading::compare(&drawn.bytes, "a.ods", &limits, drawn.meant.as_deref());
    Corpus::Keep
});
