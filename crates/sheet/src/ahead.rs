//! The next blocks of a file are got ready on a second thread while the last one is read.

use std::sync::mpsc::{channel, sync_channel};
use std::thread;

/// How many blocks may be ready and not read yet: enough that neither side waits for the other's next one.
const READY: usize = 4;

/// Fills blocks with `fill`, which says whether there was anything left to fill one with, and gives each to `read` in its order.
///
/// A block comes back to be filled again, so that there are never more than a few; `fill` has to clear it.
/// The first failure of either ends both; a panic of either is passed on.
pub(crate) fn ahead<B: Default + Send, E: Send>(
    mut fill: impl FnMut(&mut B) -> Result<bool, E> + Send,
    mut read: impl FnMut(&B) -> Result<(), E>,
) -> Result<(), E> {
    let (filled, ready) = sync_channel(READY);
    let (done, empty) = channel::<B>();
    let fill_all = move || {
        loop {
            let mut block = empty.try_recv().unwrap_or_default();
            let went = fill(&mut block);
            let is_last = !matches!(went, Ok(true));
            // Whoever has stopped reading wants no more.
            if filled.send(went.map(|more| more.then_some(block))).is_err() || is_last {
                return;
            }
        }
    };
    // Both ends go when reading ends, however it does: nobody waits for one that is gone.
    thread::scope(move |scope| {
        scope.spawn(fill_all);
        while let Ok(block) = ready.recv() {
            let Some(block) = block? else { break };
            read(&block)?;
            // Nobody wants it back where everything is filled.
            let _ = done.send(block);
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    /// The numbers up to `n` in blocks of three, of which `fails` may be told instead.
    fn numbers(n: u32, fails: Option<u32>) -> impl FnMut(&mut Vec<u32>) -> Result<bool, String> {
        let mut next = 0;
        move |block| {
            block.clear();
            while block.len() < 3 && next < n {
                if fails == Some(next) {
                    return Err(format!("no {next}"));
                }
                block.push(next);
                next += 1;
            }
            Ok(!block.is_empty())
        }
    }

    #[test]
    fn every_block_is_read_in_order() {
        for n in [0, 1, 3, 4, 1000] {
            let mut seen = Vec::new();
            let went = ahead(numbers(n, None), |block| {
                seen.extend_from_slice(block);
                Ok(())
            });
            assert_eq!(went, Ok(()));
            assert_eq!(seen, (0..n).collect::<Vec<u32>>());
        }
    }

    #[test]
    fn the_first_failure_ends_it_whosever_it_is() {
        let mut seen = Vec::new();
        let went = ahead(numbers(1000, Some(100)), |block| {
            seen.extend_from_slice(block);
            Ok(())
        });
        assert_eq!(went, Err("no 100".to_owned()));
        assert_eq!(seen.last(), Some(&98));
        let went = ahead(numbers(u32::MAX, None), |block| {
            let stop = block[0] >= 300;
            if stop {
                Err("enough".to_owned())
            } else {
                Ok(())
            }
        });
        assert_eq!(went, Err("enough".to_owned()));
    }

    #[test]
    fn a_panic_of_either_side_is_passed_on() {
        let filling = || {
            ahead(
                |block: &mut u32| {
                    *block += 1;
                    assert!(*block < 3, "filling");
                    Ok::<bool, ()>(true)
                },
                |_| Ok(()),
            )
        };
        assert!(catch_unwind(AssertUnwindSafe(filling)).is_err());
        let reading = || {
            ahead(numbers(1000, None), |block| {
                assert!(block[0] < 300, "reading");
                Ok(())
            })
        };
        assert!(catch_unwind(AssertUnwindSafe(reading)).is_err());
    }
}
