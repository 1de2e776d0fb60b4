//! HubSpot connector of abmatic-sync: companies, contacts, leads and deals, over the API version 2026-09.
//!
//! - **Leads** are contacts whose `lifecyclestage` is `lead`.
//! - **Creates are exactly-once**: by an own unique property, `abmatic_sync_id`, and upserts, where the token may make it;
//!   otherwise a create in doubt is verified before it is sent again.
//! - **Relations**: a contact's and a deal's `account` is its primary company; a deal's `contacts` are all of them.
//! - **Limits**: HubSpot's own rate-limit headers are obeyed, and its documented limits before they are reached.
//!
//! ```no_run
//! use abmatic_sync_core::connector::contract::CrmConnector;
//! use abmatic_sync_core::connector::request::{Read, ReadRequest};
//! use abmatic_sync_core::ids::FieldName;
//! use abmatic_sync_core::model::connection::{Connection, Credentials};
//! use abmatic_sync_core::model::resource::Resource;
//! use abmatic_sync_hubspot::HubspotConnector;
//!
//! # async fn program() -> Result<(), Box<dyn std::error::Error>> {
//! let hubspot = HubspotConnector::new();
//! let token = std::env::var("HUBSPOT_TOKEN")?;
//! let connection = Connection::new("tenant-1", "main", "hubspot", Credentials::token(token));
//! let mut cursor = None;
//! loop {
//!     let request = ReadRequest::new(Resource::Contact, Read::All).with_fields([FieldName::from("email")]).at(cursor);
//!     let page = hubspot.read(&connection, request).await?;
//!     for contact in &page.records {
//!         println!("{} {:?}", contact.id, contact.fields.get("email"));
//!     }
//!     cursor = page.next;
//!     if cursor.is_none() {
//!         break;
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod align;
mod api;
pub mod app_webhooks;
mod associations;
mod batch;
mod connector;
mod create;
mod describe;
mod errors;
mod find;
pub mod journal;
pub mod oauth;
mod object;
mod paths;
mod prepare;
mod read;
mod record;
mod row;
mod search;
mod values;
mod verify;
pub mod webhook;
mod wire;
mod write;

pub use api::Pacing;
pub use connector::{HubspotBuilder, HubspotConnector};
pub use paths::ApiVersion;
