//! Every setting, in one table, and the one place where the environment is read.

mod providers;
mod read;
mod smtp;
mod storage;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use read::Reader;
pub(crate) use read::SettingsError;

/// One setting, as `lgdp admin settings` lists it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The environment variable. A secret may also stand in the file that `<name>_FILE` names.
    pub(crate) name: &'static str,
    /// As text, or in words where it follows from something else.
    pub(crate) default: &'static str,
    pub(crate) purpose: &'static str,
    pub(crate) secret: bool,
}

const fn plain(name: &'static str, default: &'static str, purpose: &'static str) -> Setting {
    Setting {
        name,
        default,
        purpose,
        secret: false,
    }
}

const fn secret(name: &'static str, default: &'static str, purpose: &'static str) -> Setting {
    Setting {
        name,
        default,
        purpose,
        secret: true,
    }
}

/// All of them. A default in brackets is words.
pub(crate) const TABLE: &[Setting] = &[
    plain(
        "LGDP_HOME",
        "(`$XDG_DATA_HOME/lgdp`; for root `/var/lib/lgdp`)",
        "Folder for everything that is kept on this machine: the private database, files, mail.",
    ),
    plain(
        "LGDP_SPECS",
        "return-specs",
        "Folder with the return specs and `organisations.csv`.",
    ),
    secret(
        "DATABASE_URL",
        "(a private Postgres in `LGDP_HOME` that lgdp starts and stops itself)",
        "Postgres 15 or later: `postgresql://user:password@host/database?sslmode=verify-full`.",
    ),
    secret(
        "LGDP_OWNER_DATABASE_URL",
        "(`DATABASE_URL`)",
        "The same database as the login that owns the tables, for `lgdp admin migrate` and `publish` alone: then the login of `DATABASE_URL` need only be a member of the role `lgdp_app`.",
    ),
    plain(
        "LGDP_DATABASE_CA_FILE",
        "(the authorities that this machine trusts)",
        "PEM file with the only authorities that may vouch for the database's certificate.",
    ),
    plain(
        "LGDP_DATABASE_CONNECTIONS",
        "10",
        "Most connections to the database that one process opens, beside the one that listens (a worker has four of those); a fifth of them for large downloads.",
    ),
    plain(
        "PG_BIN",
        "(the newest that is installed)",
        "Folder with the programs `initdb` and `postgres` for the private database.",
    ),
    plain(
        "LGDP_LISTEN",
        "127.0.0.1:8080",
        "Address and port of the site. One that other machines reach takes an https `LGDP_BASE_URL`, and a proxy with TLS there.",
    ),
    plain(
        "LGDP_BASE_URL",
        "(`http://` and the listening address)",
        "Address of the site in emails, without a trailing slash.",
    ),
    plain(
        "LGDP_NAME",
        "Local Government Data Platform",
        "What the service is called: on its pages, in the app that shows codes, and as the sender of mail.",
    ),
    plain(
        "LGDP_PROVIDERS",
        "(none: everybody signs in by link and code)",
        "TOML file with the directories that organisations' people sign in with, a `[[provider]]` each: see `deploy/providers.toml`. It holds secrets: let only the site read it.",
    ),
    plain("LGDP_WEB_THREADS", "2", "Threads that serve requests."),
    plain(
        "LGDP_REQUESTS_PER_MINUTE",
        "1200",
        "Requests by the API that one program or person may make in a minute, of each process of the site.",
    ),
    plain(
        "LGDP_PROXY_HEADER",
        "none",
        "Header in which the proxy before the site says whose request it is, such as `X-Forwarded-For`: its last address is believed. Without it, all that comes by a proxy is from one address, and requests without a token share one allowance. Set it only where nobody gets past the proxy.",
    ),
    plain(
        "LGDP_WEBHOOK_HOSTS",
        "none",
        "Hosts that may be told by webhook although they are on this machine or network, by http too: names with commas between, for trying it out.",
    ),
    plain(
        "LGDP_UPLOAD_MB",
        "25",
        "Largest file that can be sent, in megabytes.",
    ),
    plain(
        "LGDP_EXPANDED_MB",
        "384",
        "Most that may be packed in one file, in megabytes; a hundred rows of twenty columns take 70 kB.",
    ),
    plain(
        "LGDP_MILLION_CELLS",
        "6",
        "Most cells with something in them in one file, in millions.",
    ),
    plain(
        "LGDP_UPLOAD_STALL_SECONDS",
        "15",
        "An upload that sends nothing for this long is ended.",
    ),
    plain(
        "LGDP_UPLOAD_TOTAL_SECONDS",
        "600",
        "An upload that takes longer than this is ended.",
    ),
    plain(
        "LGDP_SPOOL",
        "(`LGDP_HOME/spool`)",
        "Local folder where uploads lie while they come in.",
    ),
    plain(
        "LGDP_FILES",
        "(`LGDP_HOME/files`)",
        "Where originals are kept for good, and below `passing/` what is removed within a day: a local folder, or `s3://bucket`. Leave `passing/` out of backups, and let the bucket keep no old versions of it.",
    ),
    plain(
        "LGDP_LAKE",
        "(nowhere)",
        "Where what is accepted is published as Delta Lake tables for engines that read those: a local folder, `s3://bucket` or `s3://bucket/prefix`. Whoever can read there can read every organisation's figures. The bucket's service has to refuse to put an object where there is one (`If-None-Match`).",
    ),
    plain(
        "LGDP_S3_ENDPOINT",
        "(Amazon's)",
        "Address of an S3 service other than Amazon's.",
    ),
    plain("LGDP_S3_REGION", "eu-west-2", "Region of the S3 service."),
    secret(
        "LGDP_S3_ACCESS_KEY_ID",
        "(none)",
        "Key id for the S3 service.",
    ),
    secret(
        "LGDP_S3_SECRET_ACCESS_KEY",
        "(none)",
        "Key for the S3 service.",
    ),
    secret(
        "LGDP_SMTP_URL",
        "(mail is written as `.eml` files into `LGDP_MAIL_FOLDER`)",
        "Mail server: `smtps://user:password@host`, `smtp://host:587?tls=required`, or `smtp://localhost:1025` without TLS.",
    ),
    plain(
        "LGDP_MAIL_FOLDER",
        "(`LGDP_HOME/mail`)",
        "Folder for mail where there is no mail server.",
    ),
    plain(
        "LGDP_MAIL_FROM",
        "(`LGDP_NAME` at `data-returns@localhost`)",
        "Sender of all mail: `name@host`, or `Name <name@host>` for another name.",
    ),
    plain(
        "LGDP_WORKERS",
        "2",
        "Files assessed, and other work on files and figures done, at the same time by one worker; mail and messages to servers go beside it.",
    ),
    plain(
        "LGDP_LEASE_SECONDS",
        "60",
        "A worker that is not heard of for this long is taken for dead, and another does its work.",
    ),
    plain(
        "LGDP_CHILD_MEMORY_MB",
        "1024",
        "Memory that assessing one file may take, in its own process.",
    ),
    plain(
        "LGDP_CHILD_CPU_SECONDS",
        "30",
        "Processor time that assessing one file may take.",
    ),
    plain(
        "LGDP_CHILD_WALL_SECONDS",
        "60",
        "Time that assessing one file may take.",
    ),
    plain(
        "LGDP_LOG",
        "(`info`; `warn` for the demo and for `reassess`)",
        "What is logged to standard error: `error`, `warn`, `info`, `debug`, or by crate as `web=debug,info`.",
    ),
    plain("LGDP_LOG_FORMAT", "text", "`text` or `json`."),
];

/// The settings, understood.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) home: PathBuf,
    pub(crate) specs: PathBuf,
    /// `None`: the private Postgres.
    pub(crate) database_url: Option<Secret>,
    /// `None`: the same login.
    pub(crate) owner_database_url: Option<Secret>,
    pub(crate) database_ca_file: Option<PathBuf>,
    pub(crate) database_connections: usize,
    pub(crate) pg_bin: Option<PathBuf>,
    pub(crate) listen: SocketAddr,
    /// `None`: follows from the address that is listened on.
    pub(crate) base_url: Option<String>,
    pub(crate) name: String,
    pub(crate) providers: Vec<oidc::Provider>,
    pub(crate) web_threads: usize,
    pub(crate) requests_per_minute: NonZeroU32,
    /// `None`: no proxy's word is taken.
    pub(crate) proxy_header: Option<String>,
    pub(crate) webhook_places: webhook::Places,
    pub(crate) upload_bytes: u64,
    pub(crate) file_limits: child::FileLimits,
    pub(crate) upload_stall: Duration,
    pub(crate) upload_total: Duration,
    pub(crate) spool: PathBuf,
    pub(crate) files: files::Config,
    /// `None`: accepted figures are not published there.
    pub(crate) lake: Option<lake::Config>,
    pub(crate) mail: mail::Config,
    /// Where mail lies, unless a mail server takes it.
    pub(crate) mail_folder: Option<PathBuf>,
    pub(crate) workers: usize,
    pub(crate) lease: Duration,
    pub(crate) child_memory_bytes: u64,
    pub(crate) child_cpu: Duration,
    pub(crate) child_wall: Duration,
    /// `None`: as suits the command.
    pub(crate) log: Option<String>,
    pub(crate) log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// A value that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

impl Settings {
    /// From the process's environment.
    pub(crate) fn from_environment() -> Result<Settings, SettingsError> {
        Settings::read(|name| std::env::var_os(name), is_root())
    }

    fn read(
        environment: impl Fn(&str) -> Option<std::ffi::OsString>,
        as_root: bool,
    ) -> Result<Settings, SettingsError> {
        let reader = Reader::new(&environment);
        let home = match reader.path("LGDP_HOME")? {
            Some(home) => home,
            None => default_home(&environment, as_root)?,
        };
        let megabyte = 1024 * 1024;
        let mail = mail(&reader, &home)?;
        let storage = storage::read(&reader, &home)?;
        Ok(Settings {
            specs: reader.path_or_default("LGDP_SPECS")?,
            database_url: reader.secret("DATABASE_URL")?,
            owner_database_url: reader.secret("LGDP_OWNER_DATABASE_URL")?,
            database_ca_file: reader.path("LGDP_DATABASE_CA_FILE")?,
            database_connections: reader.count("LGDP_DATABASE_CONNECTIONS")?,
            pg_bin: reader.path("PG_BIN")?,
            listen: reader.parsed("LGDP_LISTEN", "an address and port such as 127.0.0.1:8080")?,
            base_url: base_url(&reader)?,
            name: reader.text_or_default("LGDP_NAME")?,
            providers: providers::read(&reader)?,
            web_threads: reader.count("LGDP_WEB_THREADS")?,
            requests_per_minute: reader.positive("LGDP_REQUESTS_PER_MINUTE")?,
            proxy_header: reader.header("LGDP_PROXY_HEADER")?,
            webhook_places: webhook::Places {
                allowed: reader.names("LGDP_WEBHOOK_HOSTS")?,
            },
            upload_bytes: reader.number("LGDP_UPLOAD_MB")? * megabyte,
            file_limits: child::FileLimits {
                bytes: reader.number("LGDP_UPLOAD_MB")? * megabyte,
                expanded_bytes: reader.number("LGDP_EXPANDED_MB")? * 1_000_000,
                cells: usize::try_from(reader.number("LGDP_MILLION_CELLS")? * 1_000_000)
                    .unwrap_or(usize::MAX),
            },
            upload_stall: Duration::from_secs(reader.number("LGDP_UPLOAD_STALL_SECONDS")?),
            upload_total: Duration::from_secs(reader.number("LGDP_UPLOAD_TOTAL_SECONDS")?),
            spool: reader
                .path("LGDP_SPOOL")?
                .unwrap_or_else(|| home.join("spool")),
            files: storage.files,
            lake: storage.lake,
            mail_folder: match &mail.transport {
                mail::Transport::Folder(folder) => Some(folder.clone()),
                mail::Transport::Smtp(_) | mail::Transport::Memory => None,
            },
            mail,
            workers: reader.count("LGDP_WORKERS")?,
            lease: Duration::from_secs(reader.number("LGDP_LEASE_SECONDS")?),
            child_memory_bytes: reader.number("LGDP_CHILD_MEMORY_MB")? * megabyte,
            child_cpu: Duration::from_secs(reader.number("LGDP_CHILD_CPU_SECONDS")?),
            child_wall: Duration::from_secs(reader.number("LGDP_CHILD_WALL_SECONDS")?),
            log: reader.text("LGDP_LOG")?,
            log_format: log_format(&reader)?,
            home,
        })
    }
}

fn default_home(
    environment: impl Fn(&str) -> Option<std::ffi::OsString>,
    as_root: bool,
) -> Result<PathBuf, SettingsError> {
    // Root's own home is closed to the user that the private Postgres runs as.
    if as_root {
        return Ok(PathBuf::from("/var/lib/lgdp"));
    }
    let under = |name: &str, rest: &str| {
        let folder = PathBuf::from(environment(name)?);
        folder.is_absolute().then(|| folder.join(rest))
    };
    under("XDG_DATA_HOME", "lgdp")
        .or_else(|| under("HOME", ".local/share/lgdp"))
        .ok_or(SettingsError::new(
            "LGDP_HOME",
            "a folder, since there is no HOME either",
        ))
}

fn base_url(reader: &Reader<'_>) -> Result<Option<String>, SettingsError> {
    let Some(url) = reader.text("LGDP_BASE_URL")? else {
        return Ok(None);
    };
    let url = url.trim_end_matches('/').to_owned();
    if url.starts_with("http://") || url.starts_with("https://") {
        return Ok(Some(url));
    }
    Err(SettingsError::new(
        "LGDP_BASE_URL",
        "an address that starts with http:// or https://",
    ))
}

fn mail(reader: &Reader<'_>, home: &Path) -> Result<mail::Config, SettingsError> {
    let folder = reader.path("LGDP_MAIL_FOLDER")?;
    let transport = match reader.secret("LGDP_SMTP_URL")? {
        None => mail::Transport::Folder(folder.unwrap_or_else(|| home.join("mail"))),
        Some(url) => mail::Transport::Smtp(smtp::understand(url.reveal()).ok_or_else(|| {
            SettingsError::new(
                "LGDP_SMTP_URL",
                "smtps://user:password@host, smtp://host:587?tls=required or smtp://host:25",
            )
        })?),
    };
    Ok(mail::Config {
        from: sender(
            &reader.text_or_default("LGDP_NAME")?,
            reader.text("LGDP_MAIL_FROM")?,
        ),
        transport,
    })
}

/// With the service's name, where no other is given.
fn sender(name: &str, given: Option<String>) -> String {
    let name = name.replace(['"', '\\'], "");
    match given {
        Some(given) if given.contains('<') => given,
        Some(address) => format!("\"{name}\" <{}>", address.trim()),
        None => format!("\"{name}\" <data-returns@localhost>"),
    }
}

fn log_format(reader: &Reader<'_>) -> Result<LogFormat, SettingsError> {
    match reader.text_or_default("LGDP_LOG_FORMAT")?.as_str() {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(SettingsError::new("LGDP_LOG_FORMAT", "text or json")),
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The table as Markdown, for `deploy/`.
pub(crate) fn markdown() -> String {
    use std::fmt::Write as _;
    let mut page = String::from("| Setting | Default | Purpose |\n|---|---|---|\n");
    for setting in TABLE {
        let default = match setting.default.strip_prefix('(') {
            Some(words) => words.strip_suffix(')').unwrap_or(words).to_owned(),
            None => format!("`{}`", setting.default),
        };
        let file = if setting.secret {
            format!(
                " Secret: may also stand in the file that `{}_FILE` names.",
                setting.name
            )
        } else {
            String::new()
        };
        let purpose = setting.purpose.replace('|', "\\|");
        // Writing to a string can't fail.
        let _ = writeln!(page, "| `{}` | {default} | {purpose}{file} |", setting.name);
    }
    page
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::{BTreeMap, BTreeSet};
    use std::ffi::OsString;

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let environment: BTreeMap<&str, &str> = pairs.iter().copied().collect();
        Settings::read(|name| environment.get(name).map(OsString::from), true)
    }

    #[test]
    fn every_setting_of_the_table_is_read_and_no_other() {
        let asked = RefCell::new(BTreeSet::new());
        Settings::read(
            |name| {
                asked.borrow_mut().insert(name.to_owned());
                None
            },
            true,
        )
        .unwrap();
        let listed: BTreeSet<String> = TABLE
            .iter()
            .flat_map(|setting| {
                let file = setting.secret.then(|| format!("{}_FILE", setting.name));
                [Some(setting.name.to_owned()), file]
            })
            .flatten()
            .collect();
        assert_eq!(asked.into_inner(), listed);
    }

    #[test]
    fn a_bad_value_is_named_by_its_key_and_never_shown() {
        for (name, value) in [
            ("LGDP_LISTEN", "hunter2"),
            ("LGDP_UPLOAD_MB", "hunter2"),
            ("LGDP_BASE_URL", "hunter2"),
            ("LGDP_LOG_FORMAT", "hunter2"),
            ("LGDP_FILES", "s3:///hunter2"),
            ("LGDP_LAKE", "s3:///hunter2"),
            ("LGDP_SMTP_URL", "hunter2"),
            ("DATABASE_URL_FILE", "/hunter2"),
        ] {
            let told = read(&[(name, value)]).err().unwrap().to_string();
            assert!(told.contains(name), "{told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
    }

    #[test]
    fn a_secret_may_stand_in_a_file_but_not_twice() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("url");
        std::fs::write(&file, "postgresql://a@b/c\n").unwrap();
        let file = file.to_str().unwrap();
        let settings = read(&[("DATABASE_URL_FILE", file)]).unwrap();
        assert_eq!(
            settings.database_url.unwrap().reveal(),
            "postgresql://a@b/c"
        );
        let twice = read(&[("DATABASE_URL_FILE", file), ("DATABASE_URL", "x")]);
        assert!(twice.err().unwrap().to_string().contains("DATABASE_URL"));
    }

    #[test]
    fn secrets_are_not_shown_in_debug_output() {
        let settings = read(&[("DATABASE_URL", "hunter2")]).unwrap();
        assert_eq!(format!("{:?}", settings.database_url), "Some((secret))");
    }

    #[test]
    fn the_page_of_settings_is_this_table() {
        let page = include_str!("../../../deploy/settings.md");
        assert!(
            page.ends_with(&markdown()),
            "deploy/settings.md: put what `lgdp admin settings` prints under its heading"
        );
    }
}
