//! SQL stores of abmatic-sync: the host's records, and the engine's links, cursors, runs and log.
//!
//! ```
//! use abmatic_sync_core::ids::TenantId;
//! use abmatic_sync_core::model::{fields::Fields, resource::Resource, value::Value};
//! use abmatic_sync_sql::store::SqliteStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), abmatic_sync_core::error::Error> {
//! let store = SqliteStore::in_memory().await?;
//! let tenant = TenantId::from("tenant-1");
//! let fields = Fields::from_iter([("name", Value::text("Acme")), ("website", Value::text("www.acme.com"))]);
//! let account = store.create(&tenant, Resource::Account, fields, "2026-11-24T10:00:00Z".parse().unwrap()).await?;
//! assert_eq!(store.list(&tenant, Resource::Account, 10, None).await?, [account]);
//! # Ok(())
//! # }
//! ```

#![cfg(feature = "sqlite")]

mod batch;
mod births;
mod connections;
pub mod credentials;
mod dialect;
pub mod export;
mod failure;
mod held;
mod host;
pub mod host_fields;
mod intents;
mod keys;
mod lease;
mod links;
mod log;
mod migrate;
mod quarantine;
mod records;
mod runs;
mod schedules;
mod scopes;
mod state;
pub mod store;
mod text;
pub mod vault;
