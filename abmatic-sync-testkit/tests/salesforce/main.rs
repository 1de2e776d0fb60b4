//! The fake Salesforce answers as the documented API does: statuses, bodies, headers, paging, limits, faults.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod bulk;
mod collections;
mod deletions;
mod desk;
mod failures;
mod listviews;
mod oauth;
mod queries;
mod refusals;
mod rows;
mod sessions;
mod socket;
