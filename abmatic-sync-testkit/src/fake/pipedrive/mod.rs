//! A Pipedrive company that answers as the public API does: version 2, and version 1 where it is the only one.
//!
//! These endpoints are covered; any other is a 404. Version 1 is also there without `/api`. What of each is covered, and what
//! not, stands at the [crate's front](crate#the-fake-pipedrive).
//!
//! ```text
//! GET POST           /api/v2/{organizations,persons,deals,activities}
//! GET PATCH DELETE   /api/v2/{organizations,persons,deals,activities}/{id}
//! GET                /api/v2/deals/archived
//! GET                /api/v2/{organizations,persons,deals}/search
//! GET                /api/v2/itemSearch
//! GET POST           /api/v2/{organizationFields,personFields,dealFields}
//! GET PATCH DELETE   /api/v2/{organizationFields,personFields,dealFields}/{code}
//! POST PATCH DELETE  /api/v2/{organizationFields,personFields,dealFields}/{code}/options
//! GET                /api/v2/activityFields
//! GET                /api/v2/activityFields/{code}
//! GET                /api/v2/{pipelines,stages}
//! GET                /api/v2/{pipelines,stages}/{id}
//! GET                /api/v1/{organizationFields,personFields,dealFields,activityFields}
//! GET                /api/v1/{organizationFields,personFields,dealFields,activityFields}/{id}
//! PUT                /api/v1/{organizations,persons,deals}/{id}/merge
//! GET                /api/v1/deals/summary
//! GET POST DELETE    /api/v1/filters
//! GET PUT DELETE     /api/v1/filters/{id}
//! GET                /api/v1/filters/helpers
//! GET POST           /api/v1/notes
//! GET PUT DELETE     /api/v1/notes/{id}
//! GET POST           /api/v1/webhooks
//! DELETE             /api/v1/webhooks/{id}
//! GET                /api/v1/users
//! GET                /api/v1/users/{me,find}
//! GET                /api/v1/users/{id}
//! GET POST           /api/v1/activityTypes
//! GET                /api/v1/currencies
//! GET                /oauth/authorize
//! POST               /oauth/{token,revoke}
//! ```

mod answer;
mod builtin;
mod catalogue;
mod condition;
mod crm;
mod cursor;
mod desk;
mod dispatch;
mod draft;
mod errors;
mod field;
mod fields;
mod filters;
mod handle;
mod kind;
mod limits;
mod list;
mod notes;
mod oauth;
mod people;
mod record;
mod reply;
mod routes;
mod rows;
mod search;
mod seed;
mod settings;
mod shelf;
mod state;
mod store;
mod turn;
mod user;
mod v1;
mod values;
mod view;
mod webhooks;

pub use crate::fake::pipedrive::field::Field;
pub use crate::fake::pipedrive::handle::{Builder, FakePipedrive, OAUTH_CLIENT};
pub use crate::fake::pipedrive::user::{CrmUser, RecordView};
