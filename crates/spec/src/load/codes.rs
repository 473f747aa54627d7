//! The code lists that items refer to: the return's own, and the shared ones.

use std::collections::BTreeMap;

use super::fault::Faults;
use super::folder::Folder;
use super::returns::Sources;
use crate::CodeList;

/// Each list is read once, so that its faults are told once.
#[derive(Debug, Default)]
pub(crate) struct Lists(BTreeMap<String, Listed>);

#[derive(Debug, Clone)]
pub(crate) enum Listed {
    Read(CodeList),
    Faulty,
    /// The file that should be there.
    Missing(String),
}

impl Lists {
    pub(crate) fn get(
        &mut self,
        folder: &mut Folder,
        name: &str,
        sources: &Sources,
        faults: &mut Faults,
    ) -> Listed {
        if !self.0.contains_key(name) {
            let listed = read(folder, name, sources, faults);
            self.0.insert(name.to_owned(), listed);
        }
        self.0.get(name).cloned().unwrap_or(Listed::Faulty)
    }
}

fn read(folder: &mut Folder, name: &str, sources: &Sources, faults: &mut Faults) -> Listed {
    let n_before = faults.len();
    let shared = name
        .strip_prefix("shared/")
        .and_then(|list| list.split_once('@'));
    let (file, text) = if let Some((list, version)) = shared {
        let file = format!("{list}/{version}.csv");
        let text = folder.shared_text(&file, faults);
        (format!("../../code-lists/{file}"), text)
    } else {
        let file = format!("codes/{name}.csv");
        let text = folder
            .has(&file)
            .then(|| folder.text(&file, faults))
            .flatten();
        (file, text)
    };
    let Some(text) = text else {
        return if faults.len() == n_before {
            Listed::Missing(file)
        } else {
            Listed::Faulty
        };
    };
    // A shared list belongs to no return, so it says its source itself.
    let unknown = |source: &str| {
        if shared.is_some() {
            None
        } else {
            sources.unknown(source)
        }
    };
    match CodeList::read_with(name, &text, unknown) {
        Ok(list) => Listed::Read(list),
        Err(list_faults) => {
            for fault in list_faults {
                faults.add(&file, format!("line {}", fault.line), fault.why);
            }
            Listed::Faulty
        }
    }
}
