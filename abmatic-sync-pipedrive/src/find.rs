//! Live records by domain or email, by whichever way costs less.
//!
//! A search costs 20 tokens a key and lags; a saved filter takes sixteen keys for 26; a page of 500 records costs 10. So
//! pages are read for as long as they cost no more than filters would: small accounts are read whole, large ones asked.

use std::collections::BTreeSet;

use abmatic_sync_core::connector::request::FindRequest;
use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::steps::coerce::web_host;
use abmatic_sync_http::paging::{Trail, advance};

use crate::api::Api;
use crate::filter::{CONDITIONS_MAX, Condition, Groups};
use crate::object::Object;
use crate::reader::Reader;
use crate::saved::SavedFilters;

/// Tokens of a page of a list, and of a filter that is made, read and removed.
const PAGE_COST: usize = 10;
const FILTER_COST: usize = 26;

/// Live records by key; deals and activities have none, nor have organizations where the account has no websites.
pub(crate) async fn find(api: &Api, on: &Connection, request: FindRequest) -> Result<Vec<RemoteRecord>> {
    let object = Object::of(request.resource)?;
    let Some(key_field) = object.key_field().filter(|_| !request.keys.is_empty()) else { return Ok(Vec::new()) };
    let reader = Reader::new(api, on, object, "find").await?;
    if reader.described.column(key_field).is_none() {
        return Ok(Vec::new());
    }
    let fields = request.fields.iter().cloned().chain([FieldName::from(key_field)]);
    let reader = reader.of(fields, &request.relations);
    let keys: BTreeSet<String> = request.keys.iter().map(|key| key.to_lowercase()).collect();
    let finder = Finder { reader, keys, key_field };
    match finder.by_pages().await? {
        Some(found) => Ok(found),
        None => finder.by_filters().await,
    }
}

struct Finder<'a> {
    reader: Reader<'a>,
    keys: BTreeSet<String>,
    key_field: &'static str,
}

impl Finder<'_> {
    fn filters(&self) -> usize {
        self.keys.len().div_ceil(CONDITIONS_MAX)
    }

    /// What the whole list holds of the keys, `None` where it is too long.
    async fn by_pages(&self) -> Result<Option<Vec<RemoteRecord>>> {
        let mut found = Vec::new();
        let mut trail = None;
        for _ in 0..(self.filters() * FILTER_COST).div_ceil(PAGE_COST) {
            let cursor = trail.as_ref().map(|trail: &Trail| trail.after().to_owned());
            let page = self.reader.list(&[], cursor.as_deref()).await?;
            found.extend(page.records.into_iter().filter(|record| !record.deleted && self.wants(record)));
            trail = advance(trail, page.next).map_err(|error| error.at(self.reader.operation()))?;
            if trail.is_none() {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn by_filters(&self) -> Result<Vec<RemoteRecord>> {
        let saved = SavedFilters::new(self.reader.api, self.reader.on, self.reader.object, self.reader.operation());
        let operator = if self.reader.object == Object::Organization { "LIKE '%$%'" } else { "=" };
        let keys: Vec<&String> = self.keys.iter().collect();
        let mut found = Vec::new();
        for part in keys.chunks(CONDITIONS_MAX) {
            let condition = |key: &&String| Condition {
                field: self.key_field.to_owned(),
                operator,
                value: Some(Value::text(key.as_str())),
            };
            let groups = Groups { all: Vec::new(), any: part.iter().map(condition).collect() };
            let id = saved.create(&self.reader.described, &groups).await?;
            let read = self.all_of(id).await;
            // Removed whatever became of the read, whose failure counts more.
            let removed = saved.remove(id).await;
            found.extend(read?);
            removed?;
        }
        Ok(found)
    }

    async fn all_of(&self, filter: u64) -> Result<Vec<RemoteRecord>> {
        let filter = filter.to_string();
        let mut found = Vec::new();
        let mut trail = None;
        loop {
            let cursor = trail.as_ref().map(|trail: &Trail| trail.after().to_owned());
            let page = self.reader.list(&[("filter_id", &filter)], cursor.as_deref()).await?;
            found.extend(page.records.into_iter().filter(|record| !record.deleted && self.wants(record)));
            trail = advance(trail, page.next).map_err(|error| error.at(self.reader.operation()))?;
            if trail.is_none() {
                return Ok(found);
            }
        }
    }

    /// Whether a record's key may be one that is asked for. Whoever asked compares them once more.
    fn wants(&self, record: &RemoteRecord) -> bool {
        let Some(held) = record.fields.get(self.key_field).and_then(Value::as_text) else { return false };
        if self.reader.object != Object::Organization {
            return self.keys.contains(&held.trim().to_lowercase());
        }
        let host = web_host(held).unwrap_or_else(|| held.trim().to_lowercase());
        // A domain of an address that is not written in ASCII can only be told by whoever knows the rules.
        let suffixes = std::iter::successors(Some(host.as_str()), |host| Some(host.split_once('.')?.1));
        !host.is_ascii() || suffixes.into_iter().any(|suffix| self.keys.contains(suffix))
    }
}
