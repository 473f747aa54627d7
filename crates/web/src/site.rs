//! What every handler has at hand: connections, the published specs, and how the site is run.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use spec::{Period, ReturnSpec};

use crate::problem::Problem;

/// Connections and specs, shared by all requests.
pub struct Site {
    /// Filled as soon as the database answers; until then whoever needs it is told to come again.
    pub db: Arc<OnceLock<db::Db>>,
    pub files: files::Files,
    /// Every published version.
    pub specs: Vec<ReturnSpec>,
    /// Directories that people may sign in with.
    pub providers: oidc::Providers,
    pub config: Config,
}

/// What every page calls the site: a process serves one.
static NAME: OnceLock<String> = OnceLock::new();

pub(crate) fn name() -> &'static str {
    NAME.get().map_or("", String::as_str)
}

/// How the site is run.
#[derive(Debug, Clone)]
pub struct Config {
    /// What it is called, on its pages and in the app that shows codes.
    pub name: String,
    /// Without a trailing slash: `http://localhost:8080`. Its host is accepted beside the loopback names.
    pub base_url: String,
    /// Where uploads lie while they come in; a local folder of its own.
    pub spool_dir: PathBuf,
    pub body: BodyLimits,
    /// Threads that serve requests.
    pub n_threads: usize,
    /// Of one program or person by the API, from each process.
    pub requests_per_minute: NonZeroU32,
    /// In which header of each request the proxy before the site says who asks; `None`: nobody's word is taken.
    pub proxy_header: Option<String>,
    /// Which servers may be called when something happens.
    pub webhook_places: webhook::Places,
    /// Made-up people as whom anybody may sign in with one click; none but in the demo.
    pub demo: Vec<DemoPerson>,
}

/// Somebody of the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoPerson {
    pub email: String,
    /// `Angus: sends returns`.
    pub words: String,
}

/// How large a file may be and how slowly it may come.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    pub bytes: u64,
    /// This long without a byte is the end.
    pub chunk: Duration,
    /// The average over each window …
    pub window: Duration,
    /// … must be at least this many bytes a second.
    pub bytes_per_second: u64,
    /// However fast it comes.
    pub total: Duration,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            bytes: 25 * 1024 * 1024,
            chunk: Duration::from_secs(15),
            window: Duration::from_secs(30),
            bytes_per_second: 10 * 1024,
            total: Duration::from_mins(10),
        }
    }
}

impl Site {
    /// From now on the pages have its name.
    pub(crate) fn be_named(&self) {
        let _ = NAME.set(self.config.name.clone());
    }

    pub(crate) fn db(&self) -> Result<&db::Db, Problem> {
        self.db.get().ok_or_else(Problem::unavailable)
    }

    /// The version of a return that the round of a period is collected with or, where none is planned, the newest that
    /// serves it; 404 where there is none.
    pub(crate) async fn spec(
        &self,
        actor: &workflow::Actor,
        return_id: &str,
        period: &str,
    ) -> Result<(&ReturnSpec, Period), Problem> {
        let planned = workflow::version_of_round(self.db()?, actor, return_id, period).await?;
        let mut versions = self.specs.iter().rev().filter(|spec| {
            let is_planned = |version: &String| *version == spec.version;
            spec.id == return_id && planned.as_ref().is_none_or(is_planned)
        });
        let found = versions.find_map(|spec| {
            let period = Period::parse(spec.period_kind, period).ok()?;
            spec.serves(&period).then_some((spec, period))
        });
        found.ok_or_else(Problem::not_found)
    }

    /// The newest version of a return that serves a period, for what it and the period are called.
    pub(crate) fn newest_spec(
        &self,
        return_id: &str,
        period: &str,
    ) -> Option<(&ReturnSpec, Period)> {
        let mut versions = self.specs.iter().rev();
        versions.find_map(|spec| {
            let period = Period::parse(spec.period_kind, period).ok()?;
            (spec.id == return_id && spec.serves(&period)).then_some((spec, period))
        })
    }

    /// Every return as its newest version calls it, title and id, by title.
    pub(crate) fn returns_by_title(&self) -> Vec<(&str, &str)> {
        // The newest of each comes last.
        let newest: BTreeMap<&str, &str> = self
            .specs
            .iter()
            .map(|spec| (spec.id.as_str(), spec.title.as_str()))
            .collect();
        let mut returns: Vec<(&str, &str)> =
            newest.into_iter().map(|(id, title)| (title, id)).collect();
        returns.sort_unstable();
        returns
    }

    /// The version of a return that a round asks for.
    pub(crate) fn spec_of(&self, round: &db::cycles::Round) -> Option<&ReturnSpec> {
        self.specs
            .iter()
            .find(|spec| spec.id == round.return_id && spec.version == round.return_version)
    }
}
