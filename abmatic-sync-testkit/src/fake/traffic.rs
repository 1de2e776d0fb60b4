//! The journal of calls: how many, and of which kind, so that tests can assert what a program cost.

use std::collections::BTreeMap;

use serde::Serialize;

/// Counts of calls since the start or the last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Traffic {
    /// All calls, also those that were refused or failed by a fault.
    pub total: u64,
    /// Calls by method and path template, for example `POST /crm/objects/{v}/contacts/batch/read`.
    pub by_route: BTreeMap<String, u64>,
    /// Calls by the status that was answered; 0 for those that got no answer.
    pub by_status: BTreeMap<u16, u64>,
}

impl Traffic {
    /// Calls of one route, named as in [`Traffic::by_route`].
    #[must_use]
    pub fn of(&self, route: &str) -> u64 {
        self.by_route.get(route).copied().unwrap_or(0)
    }

    /// Calls of all routes whose name contains `part`.
    #[must_use]
    pub fn matching(&self, part: &str) -> u64 {
        self.by_route.iter().filter(|(route, _)| route.contains(part)).map(|(_, count)| count).sum()
    }

    pub(crate) fn count(&mut self, route: &str, status: u16) {
        self.total += 1;
        match self.by_route.get_mut(route) {
            Some(count) => *count += 1,
            None => {
                self.by_route.insert(route.to_owned(), 1);
            }
        }
        *self.by_status.entry(status).or_insert(0) += 1;
    }
}
