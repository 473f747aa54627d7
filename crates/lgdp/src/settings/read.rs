//! Looking a setting up: its value, its file, its default.

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;

use super::{Secret, Setting, TABLE};

/// Which setting can't be used, and what it should be. Never what it is.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the setting {name} can't be used: expected {expected}")]
pub(crate) struct SettingsError {
    name: String,
    expected: String,
}

impl SettingsError {
    pub(super) fn new(name: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            expected: expected.into(),
        }
    }
}

pub(super) struct Reader<'a> {
    environment: &'a dyn Fn(&str) -> Option<OsString>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(environment: &'a dyn Fn(&str) -> Option<OsString>) -> Self {
        Self { environment }
    }

    /// `None` where it is not set or blank.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<String>, SettingsError> {
        setting(name)?;
        self.value(name)
    }

    /// Names with commas between; none where it is not set.
    pub(super) fn names(&self, name: &'static str) -> Result<Vec<String>, SettingsError> {
        let text = self.text(name)?.unwrap_or_default();
        let names = text.split(',').map(str::trim);
        Ok(names
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect())
    }

    /// The name of a header of HTTP; `none`, as where it is not set, is none.
    pub(super) fn header(&self, name: &'static str) -> Result<Option<String>, SettingsError> {
        let text = self.text_or_default(name)?.trim().to_ascii_lowercase();
        if text == "none" {
            return Ok(None);
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if text.is_empty() || !text.chars().all(is_name) {
            return Err(SettingsError::new(name, "the name of a header, or none"));
        }
        Ok(Some(text))
    }

    pub(super) fn text_or_default(&self, name: &'static str) -> Result<String, SettingsError> {
        let default = setting(name)?.default;
        Ok(self.value(name)?.unwrap_or_else(|| default.to_owned()))
    }

    pub(super) fn path(&self, name: &'static str) -> Result<Option<PathBuf>, SettingsError> {
        setting(name)?;
        let value = (self.environment)(name).filter(|value| !value.is_empty());
        Ok(value.map(PathBuf::from))
    }

    pub(super) fn path_or_default(&self, name: &'static str) -> Result<PathBuf, SettingsError> {
        let default = setting(name)?.default;
        Ok(self.path(name)?.unwrap_or_else(|| PathBuf::from(default)))
    }

    pub(super) fn parsed<T: FromStr>(
        &self,
        name: &'static str,
        expected: &str,
    ) -> Result<T, SettingsError> {
        self.text_or_default(name)?
            .trim()
            .parse()
            .map_err(|_| SettingsError::new(name, expected))
    }

    /// At least 1, and small enough to be multiplied by a megabyte.
    pub(super) fn number(&self, name: &'static str) -> Result<u64, SettingsError> {
        let expected = "a whole number from 1 to 1000000";
        let number = self.parsed(name, expected)?;
        if (1..=1_000_000).contains(&number) {
            return Ok(number);
        }
        Err(SettingsError::new(name, expected))
    }

    /// The same, for what takes no other.
    pub(super) fn positive(&self, name: &'static str) -> Result<NonZeroU32, SettingsError> {
        let number = u32::try_from(self.number(name)?).ok();
        let number = number.and_then(NonZeroU32::new);
        number.ok_or(SettingsError::new(name, "a whole number from 1 to 1000000"))
    }

    /// At least 1 and at most 1,000.
    pub(super) fn count(&self, name: &'static str) -> Result<usize, SettingsError> {
        let expected = "a whole number from 1 to 1000";
        let number = self.parsed(name, expected)?;
        if (1..=1000).contains(&number) {
            return Ok(number);
        }
        Err(SettingsError::new(name, expected))
    }

    /// From the variable, or from the file that `<name>_FILE` names.
    pub(super) fn secret(&self, name: &'static str) -> Result<Option<Secret>, SettingsError> {
        setting(name)?;
        let file_name = format!("{name}_FILE");
        let file = (self.environment)(&file_name).filter(|value| !value.is_empty());
        let value = self.value(name)?;
        let Some(file) = file else {
            return Ok(value.map(Secret));
        };
        if value.is_some() {
            return Err(SettingsError::new(
                name,
                format!("it or {file_name}, not both"),
            ));
        }
        let text = std::fs::read_to_string(file)
            .map_err(|_| SettingsError::new(&file_name, "a file that can be read"))?;
        Ok(Some(Secret(text.trim().to_owned())))
    }

    fn value(&self, name: &str) -> Result<Option<String>, SettingsError> {
        let Some(value) = (self.environment)(name) else {
            return Ok(None);
        };
        let value = value
            .into_string()
            .map_err(|_| SettingsError::new(name, "UTF-8 text"))?;
        Ok(Some(value).filter(|value| !value.trim().is_empty()))
    }
}

fn setting(name: &'static str) -> Result<&'static Setting, SettingsError> {
    TABLE
        .iter()
        .find(|setting| setting.name == name)
        .ok_or_else(|| SettingsError::new(name, "an entry in the table of settings"))
}
