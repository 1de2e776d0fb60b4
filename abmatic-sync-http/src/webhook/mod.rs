//! Webhooks: a CRM says that records have changed, and a run looks at just those.
//!
//! A hook is a hint and never the truth: nothing of its content is kept but which records it names. The host has a route
//! whose requests it hands to a [`door::Door`]. That verifies them by the CRM's [`mod@format`], marks the records they name in
//! the schedule store, and answers; the scheduler it rings for does the rest. So an answer takes one small transaction, and a
//! hook that comes again, late, or in another order marks what is marked already.
//!
//! Each connection has an address of its own that nobody can guess, made from the host's [`key::HookKeys`] and kept nowhere.
//! A CRM whose hooks belong to an app (HubSpot) has one for all, and signs what it sends.

pub mod door;
pub mod format;
pub mod key;
pub mod request;
pub mod signature;
pub mod subscribe;
