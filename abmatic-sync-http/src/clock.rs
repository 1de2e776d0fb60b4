//! The system's time and ids, for production: the one module that reads the real clock.

use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::ids::IdSource;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::{NoContext, Timestamp, Uuid};

/// The system's clock; waits on tokio's timer.
#[expect(clippy::exhaustive_structs, reason = "nothing can be told apart in it")]
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this module owns the real clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this module owns the real timer")]
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Random ids of UUID version 7, which sort by their millisecond.
#[expect(clippy::exhaustive_structs, reason = "nothing can be told apart in it")]
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemIds;

impl IdSource for SystemIds {
    fn next_id(&self, now: DateTime<Utc>) -> Uuid {
        let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
        Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn ids_sort_by_time() {
        let now = SystemClock.now();
        let (first, second) = (SystemIds.next_id(now), SystemIds.next_id(now + TimeDelta::milliseconds(1)));
        assert!(first < second);
        assert_ne!(SystemIds.next_id(now), SystemIds.next_id(now));
    }
}
