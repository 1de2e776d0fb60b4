//! Keeps a host application's accounts, contacts, leads and opportunities aligned with its customers' CRMs.
//!
//! A host opens its stores, registers connectors, and asks the [`engine::Engine`] for a preview or a run:
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use abmatic_sync_core::{clock::Clock, connector::contract::CrmConnector, engine::Engine, error::Result};
//! # use abmatic_sync_core::{ids::IdSource, store::contract::Store};
//! use abmatic_sync_core::model::connection::{Connection, Credentials};
//! use abmatic_sync_core::model::resource::Resource;
//! use abmatic_sync_core::policy::Scope;
//! use abmatic_sync_core::run::request::RunRequest;
//!
//! # async fn program(store: Arc<dyn Store>, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>, crm: impl CrmConnector) -> Result<()> {
//! let engine = Engine::new(store, clock, ids).with_connector(crm);
//! let connection = Connection::new("tenant-1", "tenant-1/hubspot", "hubspot", Credentials::token("pat-…"));
//! let request = RunRequest::import(Resource::Account, Scope::All);
//! let plan = engine.preview(&connection, &request).await?;
//! println!("{} records would be created", plan.counts.created);
//! let report = engine.run(&connection, &request).await?;
//! assert!(report.counts.add_up());
//! # Ok(())
//! # }
//! ```
//!
//! Those who write connectors begin with [`connector::contract::CrmConnector`]; those who keep records in tables of their
//! own with [`store::records::RecordStore`].
//!
//! Core knows no CRM by name and has no HTTP, no SQL, no runtime, no clock and no randomness of its own: all of them are
//! passed in, so that a run can be replayed.

#[cfg(test)]
mod arbitrary;
pub mod clock;
pub mod connector;
pub mod engine;
pub mod error;
pub mod filter;
pub mod ids;
mod meter;
pub mod model;
pub mod policy;
pub mod run;
pub mod schedule;
pub mod steps;
pub mod store;
