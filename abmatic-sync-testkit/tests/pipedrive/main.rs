//! The fake Pipedrive answers as the documented API does: statuses, bodies, headers, paging, limits, faults.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod desk;
mod failures;
mod fields;
mod filters;
mod lists;
mod notes;
mod records;
mod search;
mod socket;
