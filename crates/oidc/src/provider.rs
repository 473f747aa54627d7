//! A directory that people may sign in with.

use std::fmt;

use serde::Deserialize;

/// One organisation's directory.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// In addresses of pages: `fife`.
    pub id: String,
    /// What its people call it: `Fife Council`.
    pub name: String,
    /// Of one tenant: `https://login.microsoftonline.com/<tenant>/v2.0`. An issuer that many organisations share vouches for none of them.
    pub issuer: String,
    pub client_id: String,
    pub client_secret: String,
    /// Whose addresses it may speak for: `fife.gov.uk`. An address of another domain is never taken from it.
    pub domains: Vec<String>,
}

/// Why a provider can't be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProviderError {
    #[error("the id of a provider is small letters, digits and hyphens, and \"{0}\" is not")]
    Id(String),
    #[error("{0} is there twice")]
    Twice(String),
    #[error("the issuer of {0} has to be an https address, or one on this machine")]
    Issuer(String),
    #[error("{0} speaks for no domain")]
    NoDomain(String),
    #[error("both {0} and {1} speak for {2}")]
    SameDomain(String, String, String),
}

impl Provider {
    /// Whether an address is of one of its domains.
    pub fn speaks_for(&self, email: &str) -> bool {
        let domain = email.rsplit_once('@').map(|(_, domain)| domain);
        domain.is_some_and(|domain| {
            self.domains
                .iter()
                .any(|own| own.eq_ignore_ascii_case(domain))
        })
    }

    /// Refuses a list in which a provider can't be told from another, or can't be trusted.
    pub fn check_all(providers: &[Provider]) -> Result<(), ProviderError> {
        for (idx, provider) in providers.iter().enumerate() {
            let id = provider.id.clone();
            let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if id.is_empty() || !id.chars().all(is_plain) {
                return Err(ProviderError::Id(id));
            }
            let is_here = ["http://localhost", "http://127.0.0.1"].iter().any(|here| {
                provider
                    .issuer
                    .strip_prefix(here)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
            });
            if !is_here && !provider.issuer.starts_with("https://") {
                return Err(ProviderError::Issuer(id));
            }
            if provider.domains.is_empty() {
                return Err(ProviderError::NoDomain(id));
            }
            for other in &providers[..idx] {
                if other.id == id || other.issuer == provider.issuer {
                    return Err(ProviderError::Twice(id));
                }
                let shared = provider
                    .domains
                    .iter()
                    .find(|domain| other.speaks_for(&format!("@{domain}")));
                if let Some(domain) = shared {
                    return Err(ProviderError::SameDomain(
                        other.id.clone(),
                        id,
                        domain.clone(),
                    ));
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("id", &self.id)
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("domains", &self.domains)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(id: &str, domain: &str) -> Provider {
        Provider {
            id: id.to_owned(),
            name: format!("{id} Council"),
            issuer: format!("https://login.example/{id}"),
            client_id: "lgdp".to_owned(),
            client_secret: "not to be shown".to_owned(),
            domains: vec![domain.to_owned()],
        }
    }

    #[test]
    fn it_speaks_for_addresses_of_its_own_domains_alone() {
        let fife = provider("fife", "fife.gov.uk");
        assert!(fife.speaks_for("moira@fife.gov.uk"));
        assert!(fife.speaks_for("moira@FIFE.gov.uk"));
        for other in [
            "moira@angus.gov.uk",
            "moira@notfife.gov.uk",
            "moira@fife.gov.uk.example",
            "moira@x@angus.gov.uk",
            "fife.gov.uk",
            "",
        ] {
            assert!(!fife.speaks_for(other), "{other}");
        }
    }

    #[test]
    fn a_list_that_can_not_be_trusted_is_refused() {
        let check = |change: fn(&mut Provider)| {
            let mut second = provider("angus", "angus.gov.uk");
            change(&mut second);
            Provider::check_all(&[provider("fife", "fife.gov.uk"), second])
                .map_err(|error| error.to_string())
        };
        assert_eq!(check(|_| {}), Ok(()));
        assert_eq!(
            check(|p| p.issuer = "http://127.0.0.1:9000/x".into()),
            Ok(())
        );
        for (change, why) in [
            (
                (|p| p.id = "An gus".into()) as fn(&mut Provider),
                "the id of a provider is small letters, digits and hyphens, and \"An gus\" is not",
            ),
            (|p| p.id = "fife".into(), "fife is there twice"),
            (
                |p| p.issuer = "https://login.example/fife".into(),
                "angus is there twice",
            ),
            (
                |p| p.issuer = "http://login.example/angus".into(),
                "the issuer of angus has to be an https address, or one on this machine",
            ),
            (
                |p| p.issuer = "http://localhost.example".into(),
                "the issuer of angus has to be an https address, or one on this machine",
            ),
            (|p| p.domains.clear(), "angus speaks for no domain"),
            (
                |p| p.domains.push("Fife.gov.uk".into()),
                "both fife and angus speak for Fife.gov.uk",
            ),
        ] {
            assert_eq!(check(change), Err(why.to_owned()));
        }
    }

    #[test]
    fn its_secret_is_not_shown() {
        let shown = format!("{:?}", provider("fife", "fife.gov.uk"));
        assert!(
            shown.contains("fife.gov.uk") && !shown.contains("not to be shown"),
            "{shown}"
        );
    }
}
