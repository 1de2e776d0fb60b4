//! What every read needs: whose records, which fields, and and a page of a query decoded.

use std::sync::Arc;

use abmatic_sync_core::connector::request::Undecodable;
use abmatic_sync_core::error::{Error, Result};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_http::client::Answer;

use crate::api::Api;
use crate::describe::Described;
use crate::layout::Layout;
use crate::object::{CONVERTED, Object, PERSON_ACCOUNT};
use crate::record::{Decoded, decode};
use crate::soql::Query;
use crate::wire::QueryPage;

/// Decoded records, and those that could not be.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) records: Vec<Decoded>,
    pub(crate) undecodable: Vec<Undecodable>,
}

/// One page of a query.
#[derive(Debug)]
pub(crate) struct QueryResult {
    pub(crate) found: Found,
    pub(crate) next: Option<String>,
    pub(crate) total: Option<u64>,
}

/// Reads one object's records over one connection.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) api: &'a Api,
    pub(crate) on: &'a Connection,
    pub(crate) object: Object,
    pub(crate) described: Arc<Described>,
    pub(crate) operation: String,
}

/// Over which records a query goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bin {
    /// Those in the recycle bin too.
    Included,
    /// Live ones only.
    LeftOut,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(api: &'a Api, on: &'a Connection, object: Object, described: Arc<Described>, verb: &str) -> Self {
        Self { api, on, object, described, operation: format!("salesforce {verb} {}", object.name()) }
    }

    /// Names the operation.
    pub(crate) fn at(&self, error: Error) -> Error {
        error.at(&self.operation)
    }

    /// What the object's records are besides what a scope says: leads that are no contacts yet, accounts that are no
    /// persons.
    pub(crate) fn own_condition(&self) -> Option<String> {
        match self.object {
            Object::Account if self.described.has(PERSON_ACCOUNT) => Some(format!("{PERSON_ACCOUNT} = FALSE")),
            Object::Lead => Some(format!("{CONVERTED} = FALSE")),
            _ => None,
        }
    }

    /// A query of `layout` over the object's own records.
    pub(crate) fn own_query(&self, layout: &Layout) -> Query {
        let query = Query::new(layout.select(), self.object.name());
        match self.own_condition() {
            Some(condition) => query.filtered(condition),
            None => query,
        }
    }

    /// The first page of a query.
    pub(crate) async fn query(&self, layout: &Layout, soql: &str, bin: Bin) -> Result<QueryResult> {
        let answer = self.api.query(self.on, self.operation.clone(), soql, bin == Bin::Included).await?;
        Self::decoded(layout, &answer)
    }

    /// A further page, by Salesforce's own path to it.
    pub(crate) async fn page(&self, layout: &Layout, locator: &str) -> Result<QueryResult> {
        let answer = self.api.get(self.on, self.operation.clone(), locator, &[]).await?;
        Self::decoded(layout, &answer)
    }

    fn decoded(layout: &Layout, answer: &Answer) -> Result<QueryResult> {
        Ok(QueryResult::of(layout, answer.json()?))
    }
}

impl QueryResult {
    /// Decodes a page.
    pub(crate) fn of(layout: &Layout, page: QueryPage<'_>) -> Self {
        let mut found = Found::default();
        for raw in &page.records {
            match decode(layout, raw) {
                Ok(record) => found.records.push(record),
                Err(bad) => found.undecodable.push(bad),
            }
        }
        // A path of our org; an address elsewhere is none.
        let next = page.next_records_url.filter(|next| next.starts_with("/services/"));
        Self { found, next, total: page.total_size }
    }
}
