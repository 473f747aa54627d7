//! CSV: what was rightly written is read back as it was meant.

#![no_main]

use arbitrary::Unstructured;
use libfuzzer_sys::{Corpus, fuzz_target};
use sheet::Limits;

fuzz_target!(init: fuzz::panics::judge_panics(), |data: &[u8]| -> Corpus {
    let Ok(drawn) = fuzz::separated::draw(&mut Unstructured::new(data)) else {
        return Corpus::Reject;
    };
    match fuzz::reading::read(&drawn.bytes, "a.csv", &Limits::default()) {
        Ok(sheets) => {
            let difference = drawn.difference(&sheets[0]);
            assert_eq!(difference, None, "{:?}", String::from_utf8_lossy(&drawn.bytes));
        }
        Err(refusal) => assert!(
            drawn.may_be_refused(refusal.rule),
            "{refusal:?} {:?}",
            String::from_utf8_lossy(&drawn.bytes)
        ),
    }
    Corpus::Keep
});
