//! Calls per rolling day of the whole org: counted always, refused once they are spent.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::fake::moment::DAY_MS;
use crate::fake::salesforce::errors::{self, Refusal};

/// Calls are kept by the hour, which is how a window of a day rolls on.
const HOUR_MS: i64 = 3_600_000;

/// The org's counters.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// The limit of a rolling day.
    pub(crate) max: u64,
    /// What other integrations have used.
    pub(crate) others: u64,
    hours: VecDeque<(i64, u64)>,
}

impl Limits {
    pub(crate) fn new(max: u64) -> Self {
        Self { max, others: 0, hours: VecDeque::new() }
    }

    /// Calls within the last day.
    pub(crate) fn used(&self) -> u64 {
        self.hours.iter().fold(self.others, |used, (_, calls)| used.saturating_add(*calls))
    }

    /// Counts calls, or refuses them when the day's are spent.
    pub(crate) fn admit(&mut self, now: i64, calls: u64) -> Result<(), Refusal> {
        let hour = now.div_euclid(HOUR_MS);
        while self.hours.front().is_some_and(|(oldest, _)| (oldest + 1) * HOUR_MS + DAY_MS <= now) {
            self.hours.pop_front();
        }
        if self.used().saturating_add(calls) > self.max {
            return Err(errors::limit_exceeded(""));
        }
        match self.hours.back_mut() {
            Some((last, count)) if *last == hour => *count += calls,
            _ => self.hours.push_back((hour, calls)),
        }
        Ok(())
    }

    /// `Sforce-Limit-Info`.
    pub(crate) fn header(&self) -> String {
        format!("api-usage={}/{}", self.used().min(self.max), self.max)
    }

    /// `GET …/limits`.
    pub(crate) fn all(&self, bulk_jobs: (u64, u64)) -> Value {
        let of = |max: u64, used: u64| json!({"Max": max, "Remaining": max.saturating_sub(used)});
        json!({
            "ActiveScratchOrgs": of(3, 0),
            "ConcurrentAsyncGetReportInstances": of(200, 0),
            "ConcurrentSyncReportRuns": of(20, 0),
            "DailyApiRequests": of(self.max, self.used()),
            "DailyAsyncApexExecutions": of(250_000, 0),
            "DailyBulkApiBatches": of(15_000, bulk_jobs.0),
            "DailyBulkV2QueryFileStorageMB": of(976_562, 0),
            "DailyBulkV2QueryJobs": of(10_000, bulk_jobs.1),
            "DailyStreamingApiEvents": of(10_000, 0),
            "DataStorageMB": of(10_240, 0),
            "FileStorageMB": of(10_240, 0),
            "HourlyODataCallout": of(1000, 0),
            "MassEmail": of(10, 0),
            "SingleEmail": of(15, 0),
        })
    }
}
