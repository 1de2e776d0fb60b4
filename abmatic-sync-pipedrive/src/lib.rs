//! Pipedrive connector of abmatic-sync: organizations as accounts, persons as contacts, deals as opportunities, and
//! activities and notes for engagement; over API v2, and v1 where it is the only one.
//!
//! - **No batches, no unique fields**: records are written one a call, some calls at once. A create in doubt is looked for
//!   among what has changed since it was announced, before it is sent again.
//! - **Filters** become saved filters that are removed after use; one that a crash has left is removed by the next filtered
//!   read of the connection. A saved filter of the user's is a list scope, by its number.
//! - **Fields** are known by their codes and shown by their names, options by their labels. `website`, `industry`,
//!   `employee_count` and `job_title` are there only where the account has them. A part of a value stands behind a dot:
//!   `address.locality`, `9dc8….currency`.
//! - **Addresses**: `email` and `phone` are the primary entry of their lists; the others are left as they are.
//! - **Deletions**: Pipedrive tells of deleted deals only. Deleted organizations and persons, and those that lost a merge,
//!   are found by a sweep, as being gone.
//! - **Tokens**: what each call costs is known, what is left of the day's budget is read from each answer, and a run pauses
//!   before the reserve is touched.
//!
//! Leads are not offered: a lead of Pipedrive is an inquiry about a person or organization, and no person itself.
//!
//! ```no_run
//! use abmatic_sync_core::connector::contract::CrmConnector;
//! use abmatic_sync_core::connector::request::{Read, ReadRequest};
//! use abmatic_sync_core::ids::FieldName;
//! use abmatic_sync_core::model::connection::{Connection, Credentials};
//! use abmatic_sync_core::model::resource::Resource;
//! use abmatic_sync_pipedrive::PipedriveConnector;
//!
//! # async fn program() -> Result<(), Box<dyn std::error::Error>> {
//! let pipedrive = PipedriveConnector::new();
//! let token = Credentials::token(std::env::var("PIPEDRIVE_TOKEN")?);
//! let connection = Connection::new("tenant-1", "main", "pipedrive", token);
//! let mut cursor = None;
//! loop {
//!     let request = ReadRequest::new(Resource::Contact, Read::All).with_fields([FieldName::from("email")]).at(cursor);
//!     let page = pipedrive.read(&connection, request).await?;
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

mod api;
mod column;
mod connector;
mod describe;
mod draft;
mod errors;
mod filter;
mod find;
mod note;
pub mod oauth;
mod object;
mod read;
mod reader;
mod record;
mod saved;
mod subscription;
mod values;
mod verify;
pub mod webhook;
mod wire;
mod write;

pub use connector::{PipedriveBuilder, PipedriveConnector};
