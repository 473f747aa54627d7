//! How often a program may ask, in this process: a site of several processes lets it ask each of them so often.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::time::Duration;

use access::ActorId;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::problem::Problem;

/// One network address without a good token may make so many times fewer: nobody guesses one, and a mistake is soon seen.
const STRANGERS_SHARE: u32 = 20;
/// Past so many, those that have not asked for long are forgotten.
const REMEMBERED: usize = 10_000;

pub(crate) struct Limits {
    callers: DefaultKeyedRateLimiter<ActorId>,
    strangers: DefaultKeyedRateLimiter<String>,
    clock: DefaultClock,
}

impl Limits {
    pub(crate) fn new(requests_per_minute: NonZeroU32) -> Self {
        let strangers = NonZeroU32::new(requests_per_minute.get() / STRANGERS_SHARE);
        let strangers = strangers.unwrap_or(NonZeroU32::MIN);
        Self {
            callers: RateLimiter::keyed(Quota::per_minute(requests_per_minute)),
            strangers: RateLimiter::keyed(Quota::per_minute(strangers)),
            clock: DefaultClock::default(),
        }
    }

    /// Counts a request of somebody who was let in.
    pub(crate) fn count(&self, caller: ActorId) -> Result<(), Problem> {
        self.check(&self.callers, &caller)
    }

    /// Counts a request that proves nothing, by where it comes from.
    pub(crate) fn count_stranger(&self, network: &str) -> Result<(), Problem> {
        self.check(&self.strangers, &network.to_owned())
    }

    fn check<K: Clone + Hash + Eq>(
        &self,
        limiter: &DefaultKeyedRateLimiter<K>,
        key: &K,
    ) -> Result<(), Problem> {
        if limiter.len() > REMEMBERED {
            limiter.retain_recent();
        }
        limiter.check_key(key).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            Problem::too_many_requests(whole_seconds(wait))
        })
    }
}

/// Never none: whoever waits so long is let in.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + 1
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn each_caller_has_an_allowance_of_its_own_and_is_told_when_to_come_again() {
        let limits = Limits::new(NonZeroU32::new(3).unwrap());
        let (one, two) = (
            ActorId::Client(Uuid::from_u128(1)),
            ActorId::Client(Uuid::from_u128(2)),
        );
        for _ in 0..3 {
            limits.count(one).unwrap();
        }
        let problem = limits.count(one).unwrap_err();
        assert_eq!(problem.status, 429);
        let wait = problem.retry_after.unwrap();
        assert!((1..=21).contains(&wait), "{wait}");
        limits.count(two).unwrap();
        limits.count_stranger("192.0.2.1").unwrap();
    }
}
