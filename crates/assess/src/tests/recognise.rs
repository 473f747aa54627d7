//! Which return a file is, told from the file alone: every example of every return is known again.

use std::path::{Path, PathBuf};

use sheet::Limits;
use spec::example::{ExampleWorkbook, load_examples};
use spec::{ReturnSpec, Returns};

use crate::{How, Recognition, SourceFile, recognise};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../return-specs")
}

fn recognised(name: &str, bytes: &[u8]) -> Recognition {
    let file = SourceFile { name, bytes };
    recognise(file, &Limits::default(), &Returns::gather(&root()))
}

/// The example of a version that is right, as its sender's program would write it.
fn valid_example(spec: &ReturnSpec) -> Option<Vec<u8>> {
    let examples = load_examples(&spec.dir).unwrap();
    let valid = examples.into_iter().find(|one| one.name == "valid")?;
    Some(match valid.workbook {
        ExampleWorkbook::Drawn(grid) => report::workbook::write_xlsx(&grid).unwrap(),
        ExampleWorkbook::File(path) => std::fs::read(path).unwrap(),
    })
}

#[test]
fn every_returns_own_file_is_known_again_and_taken_for_no_other() {
    let mut n_known = 0;
    for spec in spec::load_all(&root()).unwrap() {
        let Some(bytes) = valid_example(&spec) else {
            continue;
        };
        let recognition = recognised("a file.xlsx", &bytes);
        let Recognition::Forms { forms, .. } = &recognition else {
            panic!("{} {}: {recognition:?}", spec.id, spec.version);
        };
        // Versions of a return may look alike; returns do not.
        let same_return = forms.iter().all(|form| form.return_id == spec.id);
        assert!(same_return, "{} {}: {forms:?}", spec.id, spec.version);
        let own = forms.iter().find(|form| form.version == spec.version);
        let own = own.unwrap_or_else(|| panic!("{} {}: {forms:?}", spec.id, spec.version));
        let says_its_period = spec.tables.iter().any(|table| {
            let mut identities = table.identities.iter();
            identities.any(|identity| identity.kind == spec::IdentityKind::Period)
        });
        assert_eq!(
            own.period.is_some(),
            says_its_period,
            "{} {}: {own:?}",
            spec.id,
            spec.version
        );
        n_known += 1;
    }
    assert!(n_known > 10, "{n_known}");
}

#[test]
fn a_form_made_from_a_template_says_which_it_is() {
    for spec in spec::load_all(&root()).unwrap().into_iter().take(3) {
        let template =
            report::template::template(&spec, &report::template::Fill::default()).unwrap();
        let recognition = recognised("empty form.xlsx", &template);
        let Recognition::Forms { forms, how } = recognition else {
            panic!("{}: {recognition:?}", spec.id);
        };
        assert_eq!(how, How::Stamp);
        let known = (forms[0].return_id.as_str(), forms[0].version.as_str());
        assert_eq!(known, (spec.id.as_str(), spec.version.as_str()));
        assert_eq!(forms.len(), 1);
    }
}

#[test]
fn what_is_no_return_is_not_taken_for_one() {
    let list = "Name,Colour,Size\na,red,3\nb,blue,4\n";
    assert_eq!(
        recognised("list.csv", list.as_bytes()),
        Recognition::Unknown
    );
    for (name, bytes) in [
        ("letter.pdf", &b"%PDF-1.7 a letter"[..]),
        ("broken.xlsx", b"PK\x03\x04 and no more"),
    ] {
        let recognition = recognised(name, bytes);
        assert!(
            matches!(recognition, Recognition::Unreadable { .. }),
            "{name}: {recognition:?}"
        );
    }
}
