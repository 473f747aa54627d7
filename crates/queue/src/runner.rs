//! Runs jobs: a handler for each kind, so many side by side, until told to stop.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use db::{Db, DbError, Listener};
use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::claim::give_up;
use crate::{Claimed, Settings, claim, extend, fail, finish, release};

/// Why a job did not succeed, and what then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandlerError {
    /// Kept with the job; no personal data.
    pub reason: String,
    pub retry: Retry,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// After the usual pause, which doubles.
    Later,
    After(Duration),
    Never,
}

impl HandlerError {
    pub fn later(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            retry: Retry::Later,
        }
    }

    pub fn after(pause: Duration, reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            retry: Retry::After(pause),
        }
    }

    pub fn never(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            retry: Retry::Never,
        }
    }
}

/// So that a handler can use `?` on whatever fails: it is tried again later.
impl<E: std::error::Error> From<E> for HandlerError {
    fn from(error: E) -> Self {
        Self::later(error.to_string())
    }
}

type Work = Pin<Box<dyn Future<Output = Result<(), HandlerError>> + Send>>;
type Handler = Arc<dyn Fn(Claimed) -> Work + Send + Sync>;

/// Asks a runner to stop. Dropping it asks too.
#[derive(Debug)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

/// Claims jobs and runs them.
#[derive(Clone)]
pub struct Runner {
    db: Db,
    settings: Settings,
    handlers: BTreeMap<String, Handler>,
}

impl Runner {
    pub fn new(db: Db, settings: Settings) -> Self {
        Self {
            db,
            settings,
            handlers: BTreeMap::new(),
        }
    }

    /// Runs jobs of a kind with this function, which may be dropped at any await when the lease is lost.
    pub fn handle<P, F, W>(mut self, kind: &str, handler: F) -> Self
    where
        P: DeserializeOwned + Send + 'static,
        F: Fn(P, Claimed) -> W + Send + Sync + 'static,
        W: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |job: Claimed| -> Work {
            match serde_json::from_value::<P>(job.payload.clone()) {
                Ok(payload) => Box::pin(handler(payload, job)),
                Err(error) => Box::pin(async move {
                    Err(HandlerError::never(format!(
                        "its payload can't be read: {error}"
                    )))
                }),
            }
        });
        self.handlers.insert(kind.to_owned(), handler);
        self
    }

    /// The switch that stops a runner, and what [`Runner::run`] watches.
    pub fn stop_switch() -> (Stop, watch::Receiver<bool>) {
        let (sender, receiver) = watch::channel(false);
        (Stop(sender), receiver)
    }

    /// Runs until asked to stop, then waits for the running jobs as long as the settings grant.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        let mut bell = Bell::new(self.db.clone());
        let slots = Arc::new(Semaphore::new(self.settings.concurrency.max(1)));
        let mut running = JoinSet::new();
        while !*stop.borrow() {
            while running.try_join_next().is_some() {}
            let Some(slot) = free_slot(&slots, &mut stop).await else {
                break;
            };
            match self.claim().await {
                Ok(Some(job)) => {
                    running.spawn(self.clone().run_one(job, Some(slot), stop.clone()));
                    continue;
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "could not look for jobs"),
            }
            drop(slot);
            tokio::select! {
                () = bell.rung() => {}
                () = tokio::time::sleep(self.settings.poll) => {}
                _ = stop.changed() => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Runs every job that is due now, one after the other, and gives their number.
    pub async fn run_due(&self) -> Result<usize, DbError> {
        let (_stop, watched) = Self::stop_switch();
        let mut n_run = 0;
        while let Some(job) = self.claim().await? {
            self.clone().run_one(job, None, watched.clone()).await;
            n_run += 1;
        }
        Ok(n_run)
    }

    async fn claim(&self) -> Result<Option<Claimed>, DbError> {
        let kinds: Vec<String> = self.handlers.keys().cloned().collect();
        claim(&mut self.db.conn().await?, &kinds, &self.settings).await
    }

    async fn run_one(
        self,
        job: Claimed,
        _slot: Option<OwnedSemaphorePermit>,
        stop: watch::Receiver<bool>,
    ) {
        let Some(handler) = self.handlers.get(&job.kind) else {
            return;
        };
        // A task of its own, so that a panic ends the job and not the worker.
        let mut work = tokio::spawn(handler(job.clone()));
        let ended = tokio::select! {
            ended = &mut work => match ended {
                Ok(result) => Ended::Said(result),
                Err(error) if error.is_panic() => {
                    Ended::Said(Err(HandlerError::later("it panicked")))
                }
                Err(_) => Ended::Stopped,
            },
            () = self.keep(&job) => Ended::LeaseLost,
            () = grace_over(stop, self.settings.grace) => Ended::Stopped,
        };
        // Waited for, so that an aborted job is really over before someone else starts it.
        if !work.is_finished() {
            work.abort();
            let _ = work.await;
        }
        if let Err(error) = self.settle(&job, ended).await {
            tracing::warn!(job = job.id, kind = job.kind, %error, "could not say how a job ended; its lease will run out");
        }
    }

    /// Extends the lease for as long as it is ours.
    async fn keep(&self, job: &Claimed) {
        loop {
            tokio::time::sleep(self.settings.heartbeat).await;
            let kept = match self.db.conn().await {
                Ok(mut conn) => extend(&mut conn, job, &self.settings).await,
                Err(error) => Err(error),
            };
            match kept {
                Ok(true) => {}
                Ok(false) => return,
                // The database may be back before the lease runs out.
                Err(error) => tracing::warn!(job = job.id, %error, "could not extend a lease"),
            }
        }
    }

    async fn settle(&self, job: &Claimed, ended: Ended) -> Result<(), DbError> {
        let mut conn = self.db.conn().await?;
        let ours = match ended {
            Ended::Said(Ok(())) => finish(&mut conn, job).await?,
            Ended::Said(Err(error)) => {
                tracing::warn!(
                    job = job.id,
                    kind = job.kind,
                    attempt = job.attempts,
                    reason = error.reason,
                    "a job failed"
                );
                match error.retry {
                    Retry::Later => {
                        fail(&mut conn, job, &error.reason, None, &self.settings).await?
                    }
                    Retry::After(pause) => {
                        fail(&mut conn, job, &error.reason, Some(pause), &self.settings).await?
                    }
                    Retry::Never => give_up(&mut conn, job, &error.reason).await?,
                }
            }
            Ended::Stopped => release(&mut conn, job).await?,
            Ended::LeaseLost => false,
        };
        if !ours {
            tracing::warn!(job = job.id, kind = job.kind, "lost the lease of a job");
        }
        Ok(())
    }
}

enum Ended {
    Said(Result<(), HandlerError>),
    Stopped,
    LeaseLost,
}

async fn free_slot(
    slots: &Arc<Semaphore>,
    stop: &mut watch::Receiver<bool>,
) -> Option<OwnedSemaphorePermit> {
    tokio::select! {
        slot = Arc::clone(slots).acquire_owned() => slot.ok(),
        _ = stop.changed() => None,
    }
}

/// Ends some time after a stop is asked for.
async fn grace_over(mut stop: watch::Receiver<bool>, grace: Duration) {
    // An error means that the switch is gone, which asks to stop too.
    let _ = stop.wait_for(|stop| *stop).await;
    tokio::time::sleep(grace).await;
}

/// Rings when a job was added; reconnects by itself, and is silent for as long as it can't.
struct Bell {
    db: Db,
    listener: Option<Listener>,
}

impl Bell {
    fn new(db: Db) -> Self {
        Self { db, listener: None }
    }

    async fn rung(&mut self) {
        match &mut self.listener {
            None => match self.db.listen("job").await {
                // A job may have come before the ear was open: look once.
                Ok(listener) => self.listener = Some(listener),
                Err(error) => {
                    tracing::warn!(%error, "can't listen for jobs; polling");
                    std::future::pending::<()>().await;
                }
            },
            Some(listener) => {
                if listener.heard().await.is_err() {
                    self.listener = None;
                }
            }
        }
    }
}
