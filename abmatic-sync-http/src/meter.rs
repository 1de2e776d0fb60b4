//! Counters and histograms of calls, for hosts that switch the `metrics` feature on.

use abmatic_sync_core::error::Error;
use abmatic_sync_core::model::connection::Connection;
use chrono::TimeDelta;

/// Counts a request that was answered, or was not.
#[cfg(feature = "metrics")]
pub(crate) fn call_ended(on: &Connection, error: Option<&Error>, took: TimeDelta) {
    use metrics::{counter, histogram};

    let outcome = error.map_or("OK", |error| error.code().as_str());
    counter!("abmatic_sync_calls_total", "connector" => on.connector.clone(), "outcome" => outcome).increment(1);
    histogram!("abmatic_sync_call_seconds", "connector" => on.connector.clone()).record(took.as_seconds_f64());
}

/// Nothing is counted without the feature.
#[cfg(not(feature = "metrics"))]
pub(crate) fn call_ended(_: &Connection, _: Option<&Error>, _: TimeDelta) {}
