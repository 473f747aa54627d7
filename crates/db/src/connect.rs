//! How a connection is made: sockets, TCP, TLS and the limits set on each.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::{Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::DbError;

/// How to reach the database and what it may take.
#[derive(Clone)]
pub struct Config {
    /// `postgresql://user@host/database`, or a socket as `postgresql://user@/database?host=/folder`.
    /// `sslmode=require`, `verify-ca` and `verify-full` all mean TLS with a verified certificate.
    pub url: String,
    /// PEM: only these authorities may vouch for the server. `None`: those this machine trusts.
    pub tls_root_file: Option<PathBuf>,
    pub max_connections: usize,
    /// How long a caller waits for a connection to become free.
    pub wait: Duration,
    pub statement_timeout: Duration,
    pub lock_timeout: Duration,
    pub access: Access,
}

/// What connections are for, and so which role they act as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// As the application's role, which owns nothing.
    ReadAndWrite,
    /// The same, and the database refuses every write.
    ReadOnly,
    /// As the login itself, which owns the tables: to make them.
    Owner,
}

impl Access {
    fn settings(self) -> &'static str {
        match self {
            Access::ReadAndWrite => "SET ROLE lgdp_app; SET default_transaction_read_only = off",
            Access::ReadOnly => "SET ROLE lgdp_app; SET default_transaction_read_only = on",
            Access::Owner => "SET default_transaction_read_only = off",
        }
    }
}

impl Config {
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            tls_root_file: None,
            max_connections: 10,
            wait: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(3),
            access: Access::ReadAndWrite,
        }
    }
}

/// An address that was understood.
#[derive(Clone)]
pub(crate) struct Target {
    postgres: tokio_postgres::Config,
    tls: Option<MakeRustlsConnect>,
    settings: String,
}

impl Target {
    pub(crate) fn of(config: &Config) -> Result<Self, DbError> {
        let (url, wants_tls) = understand_sslmode(&config.url);
        let mut postgres = tokio_postgres::Config::from_str(&url)
            .map_err(|error| DbError::Address(error.to_string()))?;
        postgres
            .application_name("lgdp")
            .connect_timeout(Duration::from_secs(5))
            .ssl_mode(if wants_tls {
                tokio_postgres::config::SslMode::Require
            } else {
                tokio_postgres::config::SslMode::Disable
            });
        Ok(Self {
            postgres,
            tls: wants_tls
                .then(|| tls(config.tls_root_file.as_deref()))
                .transpose()?,
            settings: format!(
                "SET statement_timeout = {}; SET lock_timeout = {}; SET synchronous_commit = on; SET client_min_messages = warning; {}",
                config.statement_timeout.as_millis(),
                config.lock_timeout.as_millis(),
                config.access.settings(),
            ),
        })
    }

    /// A connection with the limits of the configuration.
    pub(crate) async fn connect(&self) -> ConnectionResult<AsyncPgConnection> {
        let mut connection = self.connect_without_limits().await?;
        connection
            .batch_execute(&self.settings)
            .await
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(connection)
    }

    /// A connection for `COPY`, with the same limits. Its other half runs until the client is dropped.
    pub(crate) async fn connect_to_copy(&self) -> Result<Client, DbError> {
        let client = match &self.tls {
            Some(tls) => {
                let (client, connection) = self.postgres.connect(tls.clone()).await?;
                tokio::spawn(connection);
                client
            }
            None => {
                let (client, connection) = self.postgres.connect(NoTls).await?;
                tokio::spawn(connection);
                client
            }
        };
        client.batch_execute(&self.settings).await?;
        Ok(client)
    }

    /// For migrations, which take as long as they take.
    pub(crate) async fn connect_without_limits(&self) -> ConnectionResult<AsyncPgConnection> {
        let bad =
            |error: tokio_postgres::Error| ConnectionError::BadConnection(with_sources(&error));
        match &self.tls {
            Some(tls) => {
                let (client, connection) = self.postgres.connect(tls.clone()).await.map_err(bad)?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await
            }
            None => {
                let (client, connection) = self.postgres.connect(NoTls).await.map_err(bad)?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await
            }
        }
    }
}

/// tokio-postgres prints its own half only; the reason is in the sources.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// The address without its `sslmode` (tokio-postgres refuses half of the words libpq knows), and whether it asks for TLS.
fn understand_sslmode(url: &str) -> (String, bool) {
    let Some((base, query)) = url.split_once('?') else {
        return (url.to_owned(), false);
    };
    let (modes, others): (Vec<&str>, Vec<&str>) = query
        .split('&')
        .partition(|parameter| parameter.starts_with("sslmode="));
    let wants_tls = modes.iter().any(|mode| {
        matches!(
            *mode,
            "sslmode=require" | "sslmode=verify-ca" | "sslmode=verify-full"
        )
    });
    let url = if others.is_empty() {
        base.to_owned()
    } else {
        format!("{base}?{}", others.join("&"))
    };
    (url, wants_tls)
}

/// The provider is named here, so that this works whether or not `main` installed a default one.
fn tls(root_file: Option<&Path>) -> Result<MakeRustlsConnect, DbError> {
    let mut roots = RootCertStore::empty();
    match root_file {
        Some(file) => {
            let bad = |reason: &dyn std::fmt::Display| {
                DbError::Address(format!(
                    "{} holds no certificates: {reason}",
                    file.display()
                ))
            };
            for certificate in CertificateDer::pem_file_iter(file).map_err(|error| bad(&error))? {
                let certificate = certificate.map_err(|error| bad(&error))?;
                roots.add(certificate).map_err(|error| bad(&error))?;
            }
            if roots.is_empty() {
                return Err(bad(&"it has none in PEM"));
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| DbError::Address(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sslmode_is_understood_here() {
        for (url, base, tls) in [
            ("postgresql://a@h/d", "postgresql://a@h/d", false),
            (
                "postgresql://a@h/d?sslmode=disable",
                "postgresql://a@h/d",
                false,
            ),
            (
                "postgresql://a@h/d?sslmode=require",
                "postgresql://a@h/d",
                true,
            ),
            (
                "postgresql://a@h/d?connect_timeout=3&sslmode=verify-full",
                "postgresql://a@h/d?connect_timeout=3",
                true,
            ),
            (
                "postgresql://a@/d?host=/run/x",
                "postgresql://a@/d?host=/run/x",
                false,
            ),
        ] {
            assert_eq!(understand_sslmode(url), (base.to_owned(), tls), "{url}");
        }
    }

    #[test]
    fn an_address_that_asks_for_tls_gets_it() {
        let target = Target::of(&Config::new("postgresql://a@h/d?sslmode=verify-full")).unwrap();
        assert!(target.tls.is_some());
        let target = Target::of(&Config::new("postgresql://a@/d?host=/run/x")).unwrap();
        assert!(target.tls.is_none());
    }

    #[test]
    fn what_is_no_address_is_said() {
        let error = Target::of(&Config::new("somewhere?")).err().unwrap();
        assert!(matches!(error, DbError::Address(_)), "{error}");
    }
}
