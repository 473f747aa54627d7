//! Whoever drafts, keeps or publishes a release may die at any moment: its readers see what was before or what is
//! after, and doing it again comes to the same end.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use ::dataset::Lineage;

use super::releases::teammate;
use super::*;

/// Goes on so many times and is then dropped where it stands, as when its process dies.
struct Mortal<F> {
    inner: Pin<Box<F>>,
    n_left: usize,
}

impl<F: Future> Future for Mortal<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(n_left) = self.n_left.checked_sub(1) else {
            return Poll::Ready(None);
        };
        self.n_left = n_left;
        self.inner.as_mut().poll(context).map(Some)
    }
}

/// Begins again after each death, each time a step further; gives how often it died.
async fn at_each_step<F: Future>(
    mut act: impl FnMut() -> F,
    mut look: impl AsyncFnMut(),
) -> (usize, F::Output) {
    for n_steps in 0.. {
        let mortal = Mortal {
            inner: Box::pin(act()),
            n_left: n_steps,
        };
        let done = mortal.await;
        look().await;
        if let Some(done) = done {
            return (n_steps, done);
        }
        assert!(n_steps < 1_000, "it never ends");
    }
    unreachable!("counting does not end")
}

#[tokio::test]
async fn a_release_is_there_as_a_whole_or_not_at_all_whenever_its_maker_dies() {
    let world = world().await;
    world.hand_in("one").await;
    let (db, id, period) = (&world.db, Uuid::now_v7(), q1());
    let drafting = || DraftingRelease {
        id,
        versions: std::slice::from_ref(&world.spec),
        spec: &world.spec,
        from: &period,
        to: &period,
        of: DraftOf::WhatStands,
        lineage: Lineage::Cell,
        figures: FiguresIn::All,
        notes: "",
    };
    let draft = || {
        let drafting = drafting();
        async move { draft_release(db, &teammate(1), &drafting).await }
    };
    let (client, connection) =
        tokio_postgres::connect(&world.database.url(), tokio_postgres::NoTls)
            .await
            .unwrap();
    tokio::spawn(connection);
    let count = async |sql: &str| -> i64 { client.query_one(sql, &[]).await.unwrap().get(0) };
    let (n_died, drafted) = at_each_step(draft, async || {
        let n_drafted = count("SELECT count(*) FROM release").await;
        assert!(n_drafted < 2);
        // With it comes the job that builds it, and what is said of it in the trail.
        let jobs = "SELECT count(*) FROM job WHERE kind = 'build-release'";
        assert_eq!(count(jobs).await, n_drafted);
        let events = "SELECT count(*) FROM event WHERE verb = 'draft_release'";
        assert_eq!(count(events).await, n_drafted);
    })
    .await;
    drafted.unwrap();
    assert!(n_died > 5, "{n_died}");

    let to_build = release_to_build(db, &system(), id).await.unwrap().unwrap();
    let files: Vec<FileOfRelease> = world.built(&to_build).await.into_values().collect();
    let keeper = system();
    let keep = || keep_release(db, &keeper, id, &files);
    let (n_died, kept) = at_each_step(keep, async || {
        let seen = world.release(id).await;
        match seen.files.len() {
            0 => assert!(!seen.release.is_built),
            n => assert_eq!((n, seen.release.is_built), (files.len(), true)),
        }
    })
    .await;
    kept.unwrap();
    assert!(n_died > 5, "{n_died}");

    approve_release(db, &teammate(1), id).await.unwrap();
    let publish = || async { approve_release(db, &teammate(2), id).await };
    let (n_died, published) = at_each_step(publish, async || {
        let release = world.release(id).await.release;
        match release.published {
            None => assert_eq!(release.approvals.len(), 1),
            Some((number, _)) => assert_eq!((number, release.approvals.len()), (1, 2)),
        }
    })
    .await;
    assert!(published.unwrap().published.is_some());
    assert!(n_died > 5, "{n_died}");
    // What died left no second word of it.
    for verb in ["draft_release", "build_release", "publish_release"] {
        let events = format!("SELECT count(*) FROM event WHERE verb = '{verb}'");
        assert_eq!(count(&events).await, 1, "{verb}");
    }
}
