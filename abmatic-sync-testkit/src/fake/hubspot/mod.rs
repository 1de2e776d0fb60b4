//! A HubSpot account that answers as the public API does, on its dated paths and on v3 and v4.

mod account;
mod answer;
mod associations;
mod batch;
mod catalogue;
mod definition;
mod dispatch;
mod draft;
mod errors;
mod fake;
mod filter;
mod handle;
mod journal;
mod kind;
mod limits;
mod links;
mod lists;
mod oauth;
mod objects;
mod outcome;
mod owners;
mod pipelines;
mod properties;
mod query;
mod record;
mod routes;
mod seed;
mod settings;
mod state;
mod store;
mod user;
mod values;
mod view;

pub use crate::fake::hubspot::handle::{Builder, FakeHubspot, OAUTH_CLIENT};
pub use crate::fake::hubspot::user::{CrmUser, RecordView};
