//! The exact shapes on the wire: what Salesforce is sent, and what its answers become.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod bulk;
mod limits;
mod org;
mod reads;
mod writes;
