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

#[cfg(feature = "sqlite")]
mod batch;
#[cfg(feature = "sqlite")]
mod dialect;
#[cfg(feature = "sqlite")]
pub mod export;
#[cfg(feature = "sqlite")]
mod failure;
#[cfg(feature = "sqlite")]
mod held;
#[cfg(feature = "sqlite")]
mod host;
#[cfg(feature = "sqlite")]
pub mod host_fields;
#[cfg(feature = "sqlite")]
mod intents;
#[cfg(feature = "sqlite")]
mod keys;
#[cfg(feature = "sqlite")]
mod lease;
#[cfg(feature = "sqlite")]
mod links;
#[cfg(feature = "sqlite")]
mod log;
#[cfg(feature = "sqlite")]
mod migrate;
#[cfg(feature = "sqlite")]
mod records;
#[cfg(feature = "sqlite")]
mod runs;
#[cfg(feature = "sqlite")]
mod scopes;
#[cfg(feature = "sqlite")]
mod state;
#[cfg(feature = "sqlite")]
pub mod store;
#[cfg(feature = "sqlite")]
mod text;
