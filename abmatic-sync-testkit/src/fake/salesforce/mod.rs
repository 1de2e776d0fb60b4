//! A Salesforce org that answers as the public REST and Bulk 2.0 APIs do, at any supported version in the path.
//!
//! These endpoints are covered; any other is a 404. What of each is covered, and what not, stands at the
//! [crate's front](crate#the-fake-salesforce).
//!
//! ```text
//! GET                /services/data
//! GET                /services/data/{v}
//! GET                /services/data/{v}/limits
//! GET                /services/data/{v}/limits/recordCount
//! GET                /services/data/{v}/sobjects
//! GET POST           /services/data/{v}/sobjects/{Object}
//! GET                /services/data/{v}/sobjects/{Object}/{describe,listviews,updated,deleted}
//! POST               /services/data/{v}/sobjects/{Object}/Id
//! GET PATCH DELETE   /services/data/{v}/sobjects/{Object}/{recordId}
//! GET PATCH DELETE   /services/data/{v}/sobjects/{Object}/{field}/{value}
//! GET                /services/data/{v}/sobjects/{Object}/listviews/{view}
//! GET                /services/data/{v}/sobjects/{Object}/listviews/{view}/{describe,results}
//! GET                /services/data/{v}/{query,queryAll}
//! GET                /services/data/{v}/{query,queryAll}/{locator}
//! GET POST           /services/data/{v}/composite
//! POST               /services/data/{v}/composite/batch
//! POST               /services/data/{v}/composite/tree/{Object}
//! POST PATCH DELETE  /services/data/{v}/composite/sobjects
//! GET POST           /services/data/{v}/composite/sobjects/{Object}
//! PATCH              /services/data/{v}/composite/sobjects/{Object}/{field}
//! GET POST           /services/data/{v}/jobs/{query,ingest}
//! GET PATCH DELETE   /services/data/{v}/jobs/query/{queryJob}
//! GET                /services/data/{v}/jobs/query/{queryJob}/{results,resultPages}
//! GET PATCH DELETE   /services/data/{v}/jobs/ingest/{ingestJob}
//! PUT                /services/data/{v}/jobs/ingest/{ingestJob}/batches
//! GET                /services/data/{v}/jobs/ingest/{ingestJob}/{successfulResults,failedResults,unprocessedrecords}
//! GET                /services/oauth2/authorize
//! POST               /services/oauth2/token
//! GET POST           /services/oauth2/{revoke,userinfo}
//! GET                /id/{org}/{user}
//! ```

mod answer;
mod batch;
mod bulk;
mod catalogue;
mod checks;
mod collections;
mod columns;
mod composite;
mod convert;
mod crm;
mod cursors;
mod describe;
mod desk;
mod dispatch;
mod draft;
mod duplicates;
mod errors;
mod field;
mod handle;
mod id;
mod identity;
mod kind;
mod limits;
mod listviews;
mod oauth;
mod people;
mod query;
mod record;
mod replication;
mod reply;
mod roles;
mod routes;
mod rows;
mod save;
mod seed;
mod seed_work;
mod settings;
mod setup;
mod shelf;
mod soql;
mod state;
mod store;
mod tree;
mod turn;
mod upsert;
mod user;
mod values;
mod view;
mod work;

pub use crate::fake::salesforce::field::Field;
pub use crate::fake::salesforce::handle::{Builder, FakeSalesforce, OAUTH_CLIENT};
pub use crate::fake::salesforce::user::{Conversion, CrmUser, RecordView};
