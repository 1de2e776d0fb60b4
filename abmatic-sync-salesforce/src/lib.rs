//! Salesforce connector of abmatic-sync: accounts, contacts, leads, opportunities and activities, over the REST API and
//! Bulk API 2.0.
//!
//! - **Creates are exactly-once** by an external id where the host names one, or the org has `Abmatic_Id__c`:
//!   they are upserts then. Otherwise a create in doubt is looked for before it is sent again.
//! - **Leads** that were converted are followed to their contact, merged records to their survivor.
//! - **Relations**: a contact's and an opportunity's `account` is its `AccountId`; an opportunity's `contacts` are its
//!   contact roles.
//! - **Activities** are tasks; one that names a campaign is a campaign member with its status.
//! - **Limits**: the org's daily calls are read from each answer, and a run pauses before they are used up.
//!
//! ```no_run
//! use abmatic_sync_core::connector::contract::CrmConnector;
//! use abmatic_sync_core::connector::request::{Read, ReadRequest};
//! use abmatic_sync_core::ids::FieldName;
//! use abmatic_sync_core::model::connection::{Connection, Credentials};
//! use abmatic_sync_core::model::resource::Resource;
//! use abmatic_sync_salesforce::SalesforceConnector;
//!
//! # async fn program() -> Result<(), Box<dyn std::error::Error>> {
//! let salesforce = SalesforceConnector::new();
//! let (token, instance) = (std::env::var("SALESFORCE_TOKEN")?, std::env::var("SALESFORCE_INSTANCE_URL")?);
//! let connection = Connection::new("tenant-1", "main", "salesforce", Credentials::token(token))
//!     .with_base_url(instance.parse()?);
//! let mut cursor = None;
//! loop {
//!     let request = ReadRequest::new(Resource::Contact, Read::All).with_fields([FieldName::from("Email")]).at(cursor);
//!     let page = salesforce.read(&connection, request).await?;
//!     for contact in &page.records {
//!         println!("{} {:?}", contact.id, contact.fields.get("Email"));
//!     }
//!     cursor = page.next;
//!     if cursor.is_none() {
//!         break;
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod activity;
mod api;
mod at_work;
mod bulk_query;
mod collections;
mod composite;
mod conditional;
mod connector;
mod describe;
mod error_table;
mod errors;
mod filter;
mod find;
mod id;
mod ingest;
mod layout;
mod list_view;
mod lookup;
pub mod oauth;
mod object;
mod paths;
mod read;
mod reader;
mod record;
mod roles;
mod row;
mod rows;
mod soql;
mod usage;
mod values;
mod verify;
mod walk;
pub mod webhook;
mod wire;
mod write;

pub use api::Compression;
pub use connector::{SalesforceBuilder, SalesforceConnector};
pub use paths::ApiVersion;
