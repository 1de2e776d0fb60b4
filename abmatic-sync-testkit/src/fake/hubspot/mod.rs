//! A HubSpot account that answers as the public API does, on its dated paths and on v3 and v4.
//!
//! These endpoints are covered; any other is a 404. Each `/crm/{area}/{v}` is also there as `/crm/{v}/{area}`. What of each is
//! covered, and what not, stands at the [crate's front](crate#the-fake-hubspot).
//!
//! ```text
//! GET POST          /crm/objects/{v}/{type}
//! GET PATCH DELETE  /crm/objects/{v}/{type}/{recordId}
//! POST              /crm/objects/{v}/{type}/{search,merge,gdpr-delete}
//! POST              /crm/objects/{v}/{type}/batch/{read,create,update,upsert,archive}
//! GET               /crm/objects/{v}/{type}/{recordId}/associations/{toType}
//! PUT               /crm/objects/{v}/{type}/{recordId}/associations/default/{toType}/{toId}
//! PUT DELETE        /crm/objects/{v}/{type}/{recordId}/associations/{toType}/{toId}
//! POST              /crm/associations/{v}/{type}/{toType}/batch/{read,create,archive}
//! POST              /crm/associations/{v}/{type}/{toType}/batch/associate/default
//! POST              /crm/associations/{v}/{type}/{toType}/batch/labels/archive
//! GET POST          /crm/associations/{v}/{type}/{toType}/labels
//! GET POST          /crm/properties/{v}/{type}
//! GET PATCH DELETE  /crm/properties/{v}/{type}/{name}
//! GET POST          /crm/properties/{v}/{type}/groups
//! GET PATCH DELETE  /crm/properties/{v}/{type}/groups/{group}
//! POST              /crm/properties/{v}/{type}/batch/{read,create,archive}
//! GET               /crm/property-validations/{v}/{type}
//! GET               /crm/pipelines/{v}/{type}
//! GET               /crm/pipelines/{v}/{type}/{pipeline}
//! GET               /crm/pipelines/{v}/{type}/{pipeline}/stages
//! GET               /crm/owners/{v}
//! GET               /crm/owners/{v}/{owner}
//! GET POST          /crm/lists/{v}
//! POST              /crm/lists/{v}/{search,all}
//! GET DELETE        /crm/lists/{v}/{list}
//! GET               /crm/lists/{v}/object-type-id/{type}/name/{name}
//! PUT               /crm/lists/{v}/{list}/restore
//! GET               /crm/lists/{v}/{list}/memberships
//! GET               /crm/lists/{v}/{list}/memberships/join-order
//! PUT               /crm/lists/{v}/{list}/memberships/{add,remove,add-and-remove}
//! GET               /crm/limits/{v}/{records,custom-properties}
//! GET               /account-info/{v}/details
//! GET               /account-info/{v}/api-usage/daily/private-apps
//! GET               /oauth/authorize
//! POST              /oauth/{v}/token
//! POST              /oauth/{v}/token/{introspect,revoke}
//! GET               /oauth/{v}/access-tokens/{token}
//! DELETE            /oauth/{v}/refresh-tokens/{token}
//! GET POST          /webhooks-journal/subscriptions/{v}
//! DELETE            /webhooks-journal/subscriptions/{v}/{subscription}
//! GET               /webhooks-journal/journal/{v}/{earliest,latest}
//! GET               /webhooks-journal/journal/{v}/offset/{offset}/next
//! ```

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
