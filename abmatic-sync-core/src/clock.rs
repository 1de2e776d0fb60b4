//! The only way to the time: the engine reads and waits through the clock that it was given.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// Tells the time and waits. `abmatic-sync-http` has the system's; tests bring their own.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> DateTime<Utc>;
    /// Returns once `duration` has passed on this clock.
    async fn sleep(&self, duration: Duration);
}
