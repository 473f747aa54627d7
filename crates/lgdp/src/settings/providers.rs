//! The directories that people sign in with, from a file of their own.

use serde::Deserialize;

use super::read::{Reader, SettingsError};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderList {
    #[serde(default)]
    provider: Vec<oidc::Provider>,
}

/// What is wrong with the file is said without what stands in it.
pub(super) fn read(reader: &Reader<'_>) -> Result<Vec<oidc::Provider>, SettingsError> {
    const NAME: &str = "LGDP_PROVIDERS";
    let Some(path) = reader.path(NAME)? else {
        return Ok(Vec::new());
    };
    let text = std::fs::read_to_string(path)
        .map_err(|_| SettingsError::new(NAME, "a file that can be read"))?;
    let list: ProviderList = toml::from_str(&text).map_err(|error| {
        let line = error
            .span()
            .map_or(0, |span| text[..span.start].matches('\n').count() + 1);
        let expected = format!(
            "a list of providers, but line {line} is none: {}",
            error.message()
        );
        SettingsError::new(NAME, expected)
    })?;
    oidc::Provider::check_all(&list.provider)
        .map_err(|error| SettingsError::new(NAME, format!("providers to trust, but {error}")))?;
    Ok(list.provider)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;

    use super::*;

    fn understood(text: &str) -> Result<Vec<oidc::Provider>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("providers.toml");
        fs::write(&path, text).unwrap();
        let environment = |_: &str| Some(OsString::from(&path));
        read(&Reader::new(&environment)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_example_in_deploy_is_understood() {
        let example = include_str!("../../../../deploy/providers.toml");
        let providers = understood(example).unwrap();
        assert_eq!(providers[0].domains, ["council.example"]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_without_a_secret() {
        let example = include_str!("../../../../deploy/providers.toml");
        let wrong = understood(&example.replace("domains =", "domain =")).unwrap_err();
        assert!(
            wrong.contains("LGDP_PROVIDERS") && wrong.contains("line"),
            "{wrong}"
        );
        assert!(!wrong.contains("the secret"), "{wrong}");
        let wrong = understood(&example.replace("https://", "http://")).unwrap_err();
        assert!(
            wrong.contains("the issuer of council has to be an https address"),
            "{wrong}"
        );
    }
}
