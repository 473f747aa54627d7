//! Large downloads, on threads of their own: pages and uploads come first.

use std::io;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::problem::Problem;

/// As many files are made before they are sent at once: each holds much in memory, and takes a processor.
const MOST_FILES: usize = 2;

/// How long somebody waits for others' files.
const WAIT: Duration = Duration::from_secs(30);

/// Where downloads are put together.
pub(crate) struct Bulk {
    /// `None` only while it is being ended.
    runtime: Option<Runtime>,
    may_make_file: Arc<Semaphore>,
}

impl Bulk {
    pub(crate) fn start() -> io::Result<Self> {
        let n_threads = available_parallelism().map_or(1, |n| n.get() / 2).max(1);
        let runtime = Builder::new_multi_thread()
            .worker_threads(n_threads)
            .thread_name("bulk")
            .on_thread_start(give_way)
            .enable_all()
            .build()?;
        Ok(Self {
            runtime: Some(runtime),
            may_make_file: Arc::new(Semaphore::new(MOST_FILES)),
        })
    }

    /// Does something while its outcome is sent.
    pub(crate) fn spawn<F>(&self, work: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        match &self.runtime {
            Some(runtime) => runtime.spawn(work),
            None => unreachable!("it is ended when nobody has it any more"),
        }
    }

    /// Makes a whole file, when it is its turn. What the client no longer waits for is left half way.
    pub(crate) async fn make_file<F, T>(&self, work: F) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, Problem>> + Send + 'static,
        T: Send + 'static,
    {
        let turn = Arc::clone(&self.may_make_file).acquire_owned();
        let turn = tokio::time::timeout(WAIT, turn).await;
        let Ok(Ok(turn)) = turn else {
            tracing::warn!("many files are being made, and one more has to wait");
            return Err(Problem::unavailable());
        };
        let making = Aborting(self.spawn(async move {
            let _turn = turn;
            work.await
        }));
        making
            .outcome()
            .await
            .map_err(|error| Problem::failed("make a file", &error))?
    }
}

impl Drop for Bulk {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Has the system run this thread when others have nothing to do.
fn give_way() {
    // Elsewhere it would be the whole process.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, 10);
}

/// A task that ends with whoever waits for it.
struct Aborting<T>(JoinHandle<T>);

impl<T> Aborting<T> {
    async fn outcome(mut self) -> Result<T, tokio::task::JoinError> {
        (&mut self.0).await
    }
}

impl<T> Drop for Aborting<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_file_that_nobody_waits_for_gives_its_turn_back() {
        let bulk = Bulk::start().unwrap();
        let mut ended = Vec::new();
        for _ in 0..MOST_FILES {
            let (alive, is_dropped) = oneshot::channel::<()>();
            let endless = bulk.make_file(async move {
                let _alive = alive;
                std::future::pending::<Result<(), Problem>>().await
            });
            assert!(
                tokio::time::timeout(Duration::from_millis(50), endless)
                    .await
                    .is_err()
            );
            ended.push(is_dropped);
        }
        for is_dropped in ended {
            assert!(is_dropped.await.is_err(), "it is dropped, and says nothing");
        }
        assert_eq!(bulk.make_file(async { Ok(7) }).await.unwrap(), 7);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn its_threads_give_way_and_others_do_not() {
        let bulk = Bulk::start().unwrap();
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        let there = bulk.spawn(async move {
            let blocking = tokio::task::spawn_blocking(nice).await.unwrap();
            (nice(), blocking)
        });
        assert_eq!(there.await.unwrap(), (10, 10));
        assert_eq!(nice(), before);
    }
}
