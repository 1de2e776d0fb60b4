//! What a CRM still lets an account do today.

use chrono::{DateTime, Utc};
use serde::Serialize;

/// What an account may still use of a day.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Quota {
    /// What it may use a day: calls, or tokens where a CRM counts those.
    pub limit: u64,
    /// What is left of that, other programs' use included.
    pub remaining: u64,
    /// When the CRM said so.
    pub seen: DateTime<Utc>,
}

impl Quota {
    /// `remaining` of `limit` are left.
    pub fn new(limit: u64, remaining: u64, seen: DateTime<Utc>) -> Self {
        Self { limit, remaining, seen }
    }
}
