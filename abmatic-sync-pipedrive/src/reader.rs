//! Pages of records: one call, decoded; again with fresh definitions where a record holds an option that they do not know.

use std::collections::BTreeSet;
use std::sync::Arc;

use abmatic_sync_core::connector::request::Undecodable;
use abmatic_sync_core::error::{ErrorKind, Result};
use abmatic_sync_core::ids::{FieldName, RemoteId};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_http::client::Answer;

use crate::api::Api;
use crate::describe::{Described, PAGE_MAX, describe, described};
use crate::object::Object;
use crate::record::{Layout, decode};
use crate::wire::{Listing, Single};

/// Ids that can be named at once ("OpenAPI v2").
const IDS_MAX: usize = 100;

/// Some records, and the cursor of the next ones.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) records: Vec<RemoteRecord>,
    pub(crate) undecodable: Vec<Undecodable>,
    pub(crate) next: Option<String>,
}

/// Reads records of one object of one account.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) api: &'a Api,
    pub(crate) on: &'a Connection,
    pub(crate) object: Object,
    pub(crate) described: Arc<Described>,
    pub(crate) fields: BTreeSet<FieldName>,
    pub(crate) relations: BTreeSet<FieldName>,
    operation: String,
}

impl<'a> Reader<'a> {
    /// A reader for an operation such as `read`.
    pub(crate) async fn new(api: &'a Api, on: &'a Connection, object: Object, verb: &str) -> Result<Self> {
        let described = described(api, on, object).await?;
        let operation = format!("pipedrive {verb} {}", object.name());
        Ok(Self { api, on, object, described, fields: BTreeSet::new(), relations: BTreeSet::new(), operation })
    }

    /// Reads these fields and relations.
    pub(crate) fn of(mut self, fields: impl IntoIterator<Item = FieldName>, relations: &BTreeSet<FieldName>) -> Self {
        self.fields.extend(fields);
        self.relations.extend(relations.iter().cloned());
        self
    }

    pub(crate) fn operation(&self) -> &str {
        &self.operation
    }

    fn layout<'d>(&self, described: &'d Described) -> Layout<'d> {
        Layout::new(described, self.fields.iter().cloned(), &self.relations)
    }

    /// One page of a list.
    pub(crate) async fn page(&self, path: &str, query: &[(&str, &str)], cursor: Option<&str>) -> Result<Found> {
        let own = self.layout(&self.described).parameters();
        let mut all = vec![("limit", PAGE_MAX)];
        all.extend(own.iter().map(|(name, value)| (*name, value.as_str())));
        all.extend_from_slice(query);
        all.extend(cursor.map(|cursor| ("cursor", cursor)));
        let answer = self.api.get(self.on, self.operation.clone(), path, &all).await?;
        self.decoded(&answer).await
    }

    /// A page of the object's own list.
    pub(crate) async fn list(&self, query: &[(&str, &str)], cursor: Option<&str>) -> Result<Found> {
        self.page(&format!("/api/v2/{}", self.object.name()), query, cursor).await
    }

    async fn decoded(&self, answer: &Answer) -> Result<Found> {
        let listing: Listing<'_> = answer.json()?;
        let (found, is_stale) = self.decode_all(&listing, &self.described);
        if !is_stale {
            return Ok(found);
        }
        let fresh = describe(self.api, self.on, self.object).await?;
        Ok(self.decode_all(&listing, &fresh).0)
    }

    fn decode_all(&self, listing: &Listing<'_>, described: &Described) -> (Found, bool) {
        let layout = self.layout(described);
        let mut found = Found { next: listing.next_cursor(), ..Found::default() };
        let mut is_stale = false;
        for raw in &listing.data {
            match decode(&layout, raw) {
                Ok(decoded) => {
                    is_stale |= decoded.is_stale;
                    found.records.push(decoded.record);
                }
                Err(undecodable) => found.undecodable.push(undecodable),
            }
        }
        (found, is_stale)
    }

    /// Records by id. Deals that are archived stand in a list of their own; whatever is not found is asked for alone, so that
    /// a record that cannot be seen is not taken for one that is gone.
    pub(crate) async fn by_ids(&self, ids: &[RemoteId]) -> Result<Found> {
        let mut all = Found::default();
        for part in ids.chunks(IDS_MAX) {
            let named = part.iter().map(RemoteId::as_str).collect::<Vec<_>>().join(",");
            let own = format!("/api/v2/{}", self.object.name());
            self.collect(&own, &named, &mut all).await?;
            if self.object == Object::Deal && self.missing(part, &all).next().is_some() {
                self.collect("/api/v2/deals/archived", &named, &mut all).await?;
            }
            let missing: Vec<&RemoteId> = self.missing(part, &all).collect();
            for id in missing {
                self.alone(id, &mut all).await?;
            }
        }
        all.records.retain(|record| !record.deleted);
        Ok(all)
    }

    fn missing<'i>(&self, ids: &'i [RemoteId], found: &Found) -> impl Iterator<Item = &'i RemoteId> {
        let held: BTreeSet<RemoteId> = found.records.iter().map(|record| record.id.clone()).collect();
        let broken: BTreeSet<RemoteId> = found.undecodable.iter().filter_map(|one| one.id.clone()).collect();
        ids.iter().filter(move |id| !held.contains(*id) && !broken.contains(*id))
    }

    async fn collect(&self, path: &str, ids: &str, all: &mut Found) -> Result<()> {
        let mut cursor = None;
        loop {
            let found = self.page(path, &[("ids", ids)], cursor.as_deref()).await?;
            all.records.extend(found.records);
            all.undecodable.extend(found.undecodable);
            // A hundred ids fit on one page; a smaller page is followed all the same, and one that repeats is left.
            if found.next.is_none() || found.next == cursor {
                return Ok(());
            }
            cursor = found.next;
        }
    }

    /// One record; gone where the answer says so.
    async fn alone(&self, id: &RemoteId, all: &mut Found) -> Result<()> {
        let path = format!("/api/v2/{}/{}", self.object.name(), id.as_str());
        let own = self.layout(&self.described).parameters();
        let query: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = match self.api.get(self.on, self.operation.clone(), &path, &query).await {
            Ok(answer) => answer,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let single: Single<'_> = answer.json()?;
        match decode(&self.layout(&self.described), single.data) {
            Ok(decoded) => all.records.push(decoded.record),
            Err(undecodable) => all.undecodable.push(undecodable),
        }
        Ok(())
    }
}
