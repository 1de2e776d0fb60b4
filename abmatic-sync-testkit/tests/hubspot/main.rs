//! The fake HubSpot answers as the documented API does: statuses, bodies, headers, paging, limits, faults.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod associations;
mod batches;
mod desk;
mod failures;
mod lists;
mod properties;
mod records;
mod refusals;
mod search;
mod socket;
