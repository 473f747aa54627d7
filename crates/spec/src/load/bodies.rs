//! Organisations named in a version folder, against `organisations.csv` where there is one.

use super::fault::Faults;
use super::folder::Folder;
use crate::Organisations;

/// All organisations; `None` where the folder stands alone, as in a test.
#[derive(Debug)]
pub(crate) struct Bodies(Option<Organisations>);

impl Bodies {
    pub(crate) fn read(folder: &Folder, faults: &mut Faults) -> Self {
        let path = folder.dir.join("../../organisations.csv");
        if !path.exists() {
            return Self(None);
        }
        match Organisations::load(&path) {
            Ok(organisations) => Self(Some(organisations)),
            Err(error) => {
                for fault in error.faults {
                    faults.add("../../organisations.csv", fault.place, fault.why);
                }
                Self(None)
            }
        }
    }

    pub(crate) fn known(&self) -> Option<&Organisations> {
        self.0.as_ref()
    }

    /// What is wrong with naming this kind.
    pub(crate) fn unknown_kind(&self, kind: &str) -> Option<String> {
        let organisations = self.known()?;
        let is_known = organisations.0.iter().any(|known| known.kind == kind);
        (!is_known).then(|| format!("organisations.csv has no organisation of the kind \"{kind}\""))
    }

    /// What is wrong with naming this code.
    pub(crate) fn unknown_code(&self, code: &str) -> Option<String> {
        self.known()?
            .get(code)
            .is_none()
            .then(|| format!("organisations.csv has no organisation with the code \"{code}\""))
    }

    /// What is wrong with naming this kind or code.
    pub(crate) fn unknown(&self, name: &str) -> Option<String> {
        self.unknown_kind(name)?;
        self.unknown_code(name)?;
        Some(format!(
            "organisations.csv has no organisation of the kind or with the code \"{name}\""
        ))
    }
}
