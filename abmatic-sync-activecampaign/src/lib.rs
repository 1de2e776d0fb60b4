//! ActiveCampaign connector of abmatic-sync: accounts, contacts, deals as opportunities, and notes and events for engagement;
//! over API v3.
//!
//! - **Contacts** are known by their address. A create that was cut off is sent again as `contact/sync`, which makes no second
//!   one; large pushes go as bulk imports of 250, whose outcomes are followed up.
//! - **A contact's account** and its `jobTitle` stand on the association between the two; a job title needs an account.
//! - **Names of accounts are unique** there. Another account of the same name is a duplicate, and linked only where its
//!   address is the same or missing.
//! - **Custom fields** of contacts go by their personalisation tag (`PLAN`), those of accounts and deals by `field_9`, or by
//!   `industry`, `employee_count`, `annual_revenue` and `description` where those are the account's standard fields. Currency
//!   fields and deals are in cents there, and exact decimals here.
//! - **Lists** are scopes by their number, tags as `tag:7`, segments as `segment:3`. **Filters** narrow what the API sends by
//!   an account's name, a contact's email, and a deal's stage, status and owner; all else is evaluated here.
//! - **Deals** have one primary contact; one without an owner belongs to the API key's user, one without a stage begins in the
//!   first pipeline.
//! - **Changes** are told of contacts and deals only, by the day; accounts are read whole by each sync. A job title that
//!   changes alone is seen by a sweep. Nothing tells of deletions: a sweep finds them.
//! - **Pace**: five calls a second for the whole account, nearly all of which are used. To read 100,000 contacts takes four minutes,
//!   and so do 30,000 accounts with two custom values each; a record that is written alone takes a call, a contact with an
//!   account two.
//!
//! ```no_run
//! use abmatic_sync_activecampaign::ActiveCampaignConnector;
//! use abmatic_sync_core::connector::contract::CrmConnector;
//! use abmatic_sync_core::connector::request::{Read, ReadRequest};
//! use abmatic_sync_core::ids::FieldName;
//! use abmatic_sync_core::model::connection::{Connection, Credentials};
//! use abmatic_sync_core::model::resource::Resource;
//!
//! # async fn program() -> Result<(), Box<dyn std::error::Error>> {
//! let activecampaign = ActiveCampaignConnector::new();
//! let key = Credentials::token(std::env::var("ACTIVECAMPAIGN_TOKEN")?);
//! let connection = Connection::new("tenant-1", "main", "activecampaign", key)
//!     .with_base_url("https://acme.api-us1.com".parse()?);
//! let request = ReadRequest::new(Resource::Contact, Read::All).with_fields([FieldName::from("email")]);
//! for contact in activecampaign.read(&connection, request).await?.records {
//!     println!("{} {:?}", contact.id, contact.fields.get("email"));
//! }
//! # Ok(())
//! # }
//! ```

mod api;
mod association;
mod by_id;
mod column;
mod connector;
mod custom;
mod describe;
mod draft;
mod duplicate;
mod errors;
mod event;
mod filter;
mod find;
mod import;
mod note;
mod object;
mod pipelines;
mod read;
mod reader;
mod subscription;
mod values;
mod verify;
mod walk;
pub mod webhook;
mod wire;
mod write;

pub use api::Pacing;
pub use connector::{ActiveCampaignBuilder, ActiveCampaignConnector};
