//! One suite that says whether a connector keeps the contract, for ours and for third parties'.
//!
//! A [`subject::Subject`] says how the CRM is reached, a [`suite::Suite`] runs the checks, and a [`report::Report`] says of
//! each and for each resource whether it passed, does not apply, or failed, and then why it matters and how to mend it:
//!
//! ```
//! # use std::sync::Arc;
//! # use abmatic_sync_core::clock::Clock;
//! # use abmatic_sync_core::connector::contract::CrmConnector;
//! # use abmatic_sync_core::model::connection::Connection;
//! use abmatic_sync_testkit::conformance::subject::Subject;
//! use abmatic_sync_testkit::conformance::suite::Suite;
//!
//! # async fn certify(connector: impl CrmConnector, connection: Connection, clock: Arc<dyn Clock>) {
//! let report = Suite::new(Subject::new(connector, connection, clock)).run().await;
//! println!("{report}");
//! report.assert_passed();
//! # }
//! ```
//!
//! The suite writes: give it a fake or a sandbox. It derives its records from `describe` and the default mappings, marks
//! them by a word of this run, and deletes what it made. What a connector does not claim is *not applicable*, never passed;
//! no check knows a CRM by name.

pub mod check;
mod checks;
mod lossy;
mod polls;
mod probe;
pub mod report;
mod sample;
mod stand;
pub mod subject;
pub mod suite;
