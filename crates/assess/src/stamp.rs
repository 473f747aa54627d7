//! Whether a file says of itself that it is another form: one finding instead of thousands.

use sheet::{Properties, Refusal};
use spec::ReturnSpec;
use spec::stamp::{PROPERTY, Stamp};

/// Refuses another form; a file without a stamp, or with the right one, passes.
pub(crate) fn check(properties: &Properties, spec: &ReturnSpec) -> Result<(), Refusal> {
    let stamp = properties.get(PROPERTY).and_then(|text| Stamp::parse(text));
    let Some(stamp) = stamp.filter(|stamp| !stamp.is_of(spec)) else {
        return Ok(());
    };
    Err(Refusal {
        rule: "file.another-form",
        message: format!(
            "This is the {} form, version {}. The {} form, version {}, was asked for.",
            stamp.acronym, stamp.version, spec.acronym, spec.version
        ),
        fix: format!(
            "Copy your figures into the {} form, version {}, or send this file where its own return is asked for.",
            spec.acronym, spec.version
        ),
    })
}
