//! Where the platform is and with what token: said on the command line, in the environment, or in a small file.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use client::Access;
use reqwest::Url;
use serde::Deserialize;

use crate::cli::Printed;

/// The file, `client.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    address: Option<String>,
    token: Option<String>,
    token_file: Option<PathBuf>,
}

/// A command line is seen by everybody on the machine: the token is never on it.
pub(super) fn access(printed: &Printed) -> anyhow::Result<Access> {
    let environment = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let kept = kept(printed.config.as_deref(), &environment)?;
    found(printed, kept, &environment)
}

fn found(
    printed: &Printed,
    kept: Kept,
    environment: &dyn Fn(&str) -> Option<String>,
) -> anyhow::Result<Access> {
    let address = printed
        .address
        .clone()
        .or_else(|| environment("LGDP_ADDRESS"))
        .or(kept.address)
        .context("say with --address or LGDP_ADDRESS where the platform is")?;
    check(&address)?;
    let file = printed
        .token_file
        .clone()
        .or_else(|| environment("LGDP_TOKEN_FILE").map(PathBuf::from));
    let token = match (file, environment("LGDP_TOKEN")) {
        (Some(path), _) => read(&path)?,
        (None, Some(token)) => token_in(&token, "LGDP_TOKEN")?,
        (None, None) => match (kept.token, kept.token_file) {
            (Some(token), _) => token_in(&token, "the config file")?,
            (None, Some(path)) => read(&path)?,
            (None, None) => anyhow::bail!(
                "there is no token: put it into a file and name that with --token-file or LGDP_TOKEN_FILE, or into LGDP_TOKEN"
            ),
        },
    };
    Ok(Access {
        address: address.trim_end_matches('/').to_owned(),
        token,
        patience: Duration::from_secs(printed.patience),
    })
}

/// A token goes by https, or stays on this machine. What stands before an `@` is no part of where it goes, however much
/// it looks like that.
fn check(address: &str) -> anyhow::Result<()> {
    let url = Url::parse(address).ok();
    let names_somebody = |url: &Url| !url.username().is_empty() || url.password().is_some();
    anyhow::ensure!(
        !url.as_ref().is_some_and(names_somebody),
        "the address has a name or a password before an @: say where the platform is without it"
    );
    let is_good = url.is_some_and(|url| {
        let host = url.host_str().unwrap_or_default();
        let is_local = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
        url.scheme() == "https" || (url.scheme() == "http" && is_local)
    });
    anyhow::ensure!(
        is_good,
        "{address} is not https: a token is sent nowhere else"
    );
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<String> {
    let place = path.display().to_string();
    let text =
        fs::read_to_string(path).with_context(|| format!("can't read the token in {place}"))?;
    token_in(&text, &place)
}

/// A token as it can be sent. What else stands there is somebody's slip, which no platform would ever see; and it is not
/// shown, because most of it may be the token.
fn token_in(text: &str, place: &str) -> anyhow::Result<String> {
    let token = text.trim();
    anyhow::ensure!(
        !token.is_empty(),
        "there is no token in {place}: it is empty"
    );
    anyhow::ensure!(
        token.chars().all(|c| c.is_ascii_graphic()),
        "what stands in {place} is no token: a token is one word on one line, and nothing else stands beside it"
    );
    Ok(token.to_owned())
}

/// The file that is named, which has to be there, or the usual one, which need not.
fn kept(
    named: Option<&Path>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> anyhow::Result<Kept> {
    let usual = || {
        let folder = environment("XDG_CONFIG_HOME").map(PathBuf::from);
        let folder = folder.or_else(|| Some(PathBuf::from(environment("HOME")?).join(".config")));
        folder.map(|folder| folder.join("lgdp/client.toml"))
    };
    let path = match named {
        Some(path) => path.to_owned(),
        None => match usual() {
            Some(path) if path.is_file() => path,
            _ => return Ok(Kept::default()),
        },
    };
    let text =
        fs::read_to_string(&path).with_context(|| format!("can't read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} can't be understood", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access_of(
        address: Option<&str>,
        kept: &str,
        set: &[(&str, &str)],
    ) -> Result<Access, String> {
        let printed = Printed {
            address: address.map(str::to_owned),
            ..Printed::default()
        };
        let environment = |name: &str| {
            let found = set.iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let kept = toml::from_str(kept).unwrap();
        found(&printed, kept, &environment).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_said_nearest_counts() {
        let kept = "address = \"https://kept.example/\"\ntoken = \"kept\"";
        let access = access_of(None, kept, &[]).unwrap();
        assert_eq!(
            (&*access.address, &*access.token),
            ("https://kept.example", "kept")
        );
        let set = [
            ("LGDP_ADDRESS", "https://set.example"),
            ("LGDP_TOKEN", "set\n"),
        ];
        let access = access_of(None, kept, &set).unwrap();
        assert_eq!(
            (&*access.address, &*access.token),
            ("https://set.example", "set")
        );
        let access = access_of(Some("https://said.example"), kept, &set).unwrap();
        assert_eq!(access.address, "https://said.example");
    }

    #[test]
    fn a_token_goes_by_https_or_stays_on_this_machine() {
        let set = [("LGDP_TOKEN", "x")];
        for good in [
            "https://a.example",
            "http://localhost:8080",
            "http://127.0.0.1",
            "http://[::1]:9",
        ] {
            access_of(Some(good), "", &set).unwrap();
        }
        for bad in [
            "http://a.example",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
            "a.example",
        ] {
            let refused = access_of(Some(bad), "", &set).unwrap_err();
            assert!(refused.contains("not https"), "{refused}");
        }
        for bad in [
            "http://localhost:80@elsewhere.example",
            "http://127.0.0.1@elsewhere.example",
            "https://a.example@elsewhere.example",
            "https://a.example:443@elsewhere.example",
        ] {
            let refused = access_of(Some(bad), "", &set).unwrap_err();
            assert!(refused.contains("before an @"), "{refused}");
        }
        assert!(
            access_of(Some("https://a.example"), "", &[])
                .unwrap_err()
                .contains("no token")
        );
    }

    #[test]
    fn a_token_is_one_word_wherever_it_stands() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        let path = file.to_str().unwrap();
        let address = Some("https://a.example");
        let of = |token: &str| {
            fs::write(&file, token).unwrap();
            // What JSON quotes, TOML reads.
            let kept = |what: &str, value: &str| {
                format!("{what} = {}", serde_json::to_string(value).unwrap())
            };
            [
                access_of(address, "", &[("LGDP_TOKEN_FILE", path)]),
                access_of(address, "", &[("LGDP_TOKEN", token)]),
                access_of(address, &kept("token", token), &[]),
                access_of(address, &kept("token_file", path), &[]),
            ]
        };
        for access in of("  0a1b\r\n") {
            assert_eq!(access.unwrap().token, "0a1b");
        }
        for bad in ["0a1b\n2c3d\n", "token: 0a1b", "0a1b\u{200b}", "0a1b\u{7}2c"] {
            for access in of(bad) {
                let refused = access.unwrap_err();
                assert!(refused.contains("one word on one line"), "{refused}");
                assert!(!refused.contains("0a1b"), "{refused}");
            }
        }
        for access in of(" \n") {
            let refused = access.unwrap_err();
            assert!(refused.contains("there is no token in"), "{refused}");
        }
    }
}
