//! The organisations' side: a small HTTP client that sends, waits and downloads, and remembers what it sent.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use cycle::SubmissionState;
use finding::{Outcome, Severity};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::{Client, StatusCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::people::{Tokens, address};
use super::plan::{Sending, Workbook};
use super::say;

/// Files sent at the same time.
const AT_ONCE: usize = 4;
const ASK_EVERY: Duration = Duration::from_millis(200);
/// No assessment of a demo file takes so long.
const PATIENCE: Duration = Duration::from_mins(10);

pub(super) struct Sender {
    client: Client,
    address: String,
    tokens: Tokens,
    ledger: Mutex<Ledger>,
    /// What is assessed does not change any more.
    assessed: Mutex<BTreeMap<String, Status>>,
}

/// What came of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Came {
    pub(super) outcome: Outcome,
    pub(super) n_to_fix: u64,
    pub(super) n_to_explain: u64,
}

#[derive(Deserialize)]
struct Receipt {
    submission_id: String,
}

#[derive(Clone, Deserialize)]
struct Status {
    state: SubmissionState,
    outcome: Option<Outcome>,
    counts: Vec<Count>,
}

#[derive(Clone, Deserialize)]
struct Count {
    severity: Severity,
    n_findings: u64,
}

impl Sender {
    pub(super) fn open(address: &str, tokens: Tokens, home: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(home).with_context(|| format!("can't make {}", home.display()))?;
        Ok(Self {
            client: Client::builder().no_proxy().build()?,
            address: address.to_owned(),
            tokens,
            ledger: Mutex::new(Ledger::open(&home.join("sent.jsonl"))?),
            assessed: Mutex::default(),
        })
    }

    /// Sends what was not sent at an earlier start and gives how many that were.
    /// One organisation's files of a return go one after the other.
    pub(super) async fn send_all(
        &self,
        sendings: &[&Sending],
        workbooks: &Path,
        what: &str,
    ) -> anyhow::Result<usize> {
        let mut left: BTreeMap<_, Vec<&Sending>> = BTreeMap::new();
        let mut n_left = 0;
        for sending in sendings {
            if !self.is_sent(sending).await? {
                n_left += 1;
                let line = (&sending.organisation, &sending.return_id);
                left.entry(line).or_default().push(sending);
            }
        }
        if n_left == 0 {
            return Ok(0);
        }
        say(&format!("Sending {n_left} files for {what} …"));
        let n_sent = Mutex::new(0);
        stream::iter(left.into_values())
            .map(|line| async {
                for sending in line {
                    self.send(sending, workbooks).await?;
                    let mut n_sent = n_sent.lock().unwrap_or_else(PoisonError::into_inner);
                    *n_sent += 1;
                    if *n_sent % 50 == 0 {
                        say(&format!("  {n_sent} of {n_left} sent"));
                    }
                }
                anyhow::Ok(())
            })
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
        Ok(n_left)
    }

    async fn is_sent(&self, sending: &Sending) -> anyhow::Result<bool> {
        let Some(id) = self.id_of(sending) else {
            return Ok(false);
        };
        // The memory may be of another database.
        Ok(self.status(sending, &id).await?.is_some())
    }

    async fn send(&self, sending: &Sending, workbooks: &Path) -> anyhow::Result<()> {
        let path = write_workbook(sending, workbooks)?;
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let url = format!(
            "{}/api/returns/{}/periods/{}/organisations/{}/submissions?file_name={}&contact_email={}",
            self.address,
            sending.return_id,
            sending.period,
            sending.organisation,
            encoded(&name),
            encoded(&address("returns", &sending.organisation_name)),
        );
        let bytes = tokio::fs::read(&path).await?;
        let response = self
            .client
            .post(url)
            .bearer_auth(self.tokens.of_organisation(&sending.organisation)?)
            .header("idempotency-key", sending.key())
            .body(bytes)
            .send()
            .await?;
        let status = response.status();
        if !status.is_success() {
            bail!(
                "the site did not take {}: {status}: {}",
                path.display(),
                response.text().await?
            );
        }
        let receipt: Receipt = response.json().await?;
        self.ledger
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .add(sending.key(), receipt.submission_id)
    }

    /// Asks until every file is assessed.
    pub(super) async fn wait_for_all(
        &self,
        sendings: &[&Sending],
        what: &str,
    ) -> anyhow::Result<()> {
        let mut n_waited = 0;
        for (i, sending) in sendings.iter().enumerate() {
            n_waited += usize::from(self.wait_for(sending).await?);
            if n_waited > 0 && (i + 1) % 50 == 0 {
                say(&format!(
                    "  {} of {} assessed for {what}",
                    i + 1,
                    sendings.len()
                ));
            }
        }
        Ok(())
    }

    /// True: it had to be waited for.
    async fn wait_for(&self, sending: &Sending) -> anyhow::Result<bool> {
        let id = self
            .id_of(sending)
            .context("a file that was sent has a receipt")?;
        let mut waited = false;
        let assessed = async {
            let mut ticks = tokio::time::interval(ASK_EVERY);
            loop {
                ticks.tick().await;
                let status = self
                    .status(sending, &id)
                    .await?
                    .context("a submission is gone")?;
                if status.outcome.is_some() {
                    return anyhow::Ok(());
                }
                if status.state == SubmissionState::NeedsAttention {
                    bail!(
                        "checking {id} was given up; when the cause is mended: lgdp admin retry {id}"
                    );
                }
                waited = true;
            }
        };
        match tokio::time::timeout(PATIENCE, assessed).await {
            Ok(result) => result?,
            Err(_) => bail!("{} was not assessed within {PATIENCE:?}", sending.key()),
        }
        Ok(waited)
    }

    /// Each organisation's last file of a return and period, as it is sent, with the submission it became.
    pub(super) fn newest_of<'a>(
        &self,
        sendings: &[&'a Sending],
    ) -> anyhow::Result<Vec<(&'a Sending, Uuid)>> {
        let mut newest = BTreeMap::new();
        for &sending in sendings {
            let id = self
                .id_of(sending)
                .context("a file that was sent has a receipt")?;
            let round = (&sending.return_id, &sending.period, &sending.organisation);
            newest.insert(round, (sending, id.parse()?));
        }
        Ok(newest.into_values().collect())
    }

    /// What came of every file, by its key.
    pub(super) async fn outcomes(
        &self,
        sendings: &[Sending],
    ) -> anyhow::Result<BTreeMap<String, Came>> {
        let mut outcomes = BTreeMap::new();
        for sending in sendings {
            let id = self
                .id_of(sending)
                .context("a file that was sent has a receipt")?;
            let status = self
                .status(sending, &id)
                .await?
                .context("a submission is gone")?;
            let count = |severities: &[Severity]| -> u64 {
                status
                    .counts
                    .iter()
                    .filter(|count| severities.contains(&count.severity))
                    .map(|count| count.n_findings)
                    .sum()
            };
            let came = Came {
                outcome: status.outcome.context("a submission is not assessed")?,
                n_to_fix: count(&[Severity::Blocker, Severity::Error]),
                n_to_explain: count(&[Severity::Query]),
            };
            outcomes.insert(sending.key(), came);
        }
        Ok(outcomes)
    }

    pub(super) async fn download_dataset(
        &self,
        return_id: &str,
        period: &str,
        table: &str,
        to: &Path,
    ) -> anyhow::Result<()> {
        let url = format!(
            "{}/api/returns/{return_id}/periods/{period}/dataset.csv?table={table}",
            self.address
        );
        let response = self
            .client
            .get(url)
            .bearer_auth(self.tokens.of_return(return_id)?)
            .send()
            .await?
            .error_for_status()?;
        let mut file = tokio::fs::File::create(to)
            .await
            .with_context(|| format!("can't write {}", to.display()))?;
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            tokio::io::AsyncWriteExt::write_all(&mut file, &chunk?).await?;
        }
        tokio::io::AsyncWriteExt::flush(&mut file).await?;
        Ok(())
    }

    /// `None`: the site knows no such submission.
    async fn status(&self, sending: &Sending, id: &str) -> anyhow::Result<Option<Status>> {
        if let Some(status) = self.assessed().get(id) {
            return Ok(Some(status.clone()));
        }
        let url = format!("{}/api/submissions/{id}", self.address);
        let response = self
            .client
            .get(url)
            .bearer_auth(self.tokens.of_organisation(&sending.organisation)?)
            .send()
            .await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let status: Status = response.error_for_status()?.json().await?;
        if status.outcome.is_some() {
            self.assessed().insert(id.to_owned(), status.clone());
        }
        Ok(Some(status))
    }

    fn assessed(&self) -> MutexGuard<'_, BTreeMap<String, Status>> {
        self.assessed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn id_of(&self, sending: &Sending) -> Option<String> {
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.ids.get(&sending.key()).cloned()
    }
}

/// Made once: an interrupted start sends the same bytes again.
fn write_workbook(sending: &Sending, workbooks: &Path) -> anyhow::Result<PathBuf> {
    let folder = workbooks.join(&sending.return_id).join(&sending.period);
    let ending = match &sending.workbook {
        Workbook::Drawn(_) => "xlsx".to_owned(),
        Workbook::File(path) => path
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
    };
    let name = format!("{}-{}.{ending}", sending.organisation, sending.example);
    let path = folder.join(name);
    if path.is_file() {
        return Ok(path);
    }
    let bytes = match &sending.workbook {
        Workbook::Drawn(grid) => report::workbook::write_xlsx(grid)?,
        Workbook::File(path) => fs::read(path)?,
    };
    fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    // Written aside first: half a workbook must not be taken for a whole one at the next start.
    let aside = path.with_extension("part");
    fs::write(&aside, bytes).with_context(|| format!("can't write {}", aside.display()))?;
    fs::rename(&aside, &path)?;
    Ok(path)
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// Which file became which submission, a line each.
struct Ledger {
    file: File,
    ids: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    key: String,
    submission_id: String,
}

impl Ledger {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let text = if path.is_file() {
            fs::read_to_string(path)?
        } else {
            String::new()
        };
        let ids = text
            .lines()
            // A line that was cut off is a file that is sent again, with the same key.
            .filter_map(|line| serde_json::from_str::<Entry>(line).ok())
            .map(|entry| (entry.key, entry.submission_id))
            .collect();
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self { file, ids })
    }

    fn add(&mut self, key: String, submission_id: String) -> anyhow::Result<()> {
        let entry = Entry { key, submission_id };
        writeln!(self.file, "{}", serde_json::to_string(&entry)?)?;
        self.ids.insert(entry.key, entry.submission_id);
        Ok(())
    }
}
