//! Records by id or by key, a hundred in a call, with merged ones followed to their survivor.

use std::collections::BTreeSet;

use abmatic_sync_core::connector::request::Undecodable;
use abmatic_sync_core::error::{ErrorKind, Result};
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_http::retry::Resend;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::api::Api;
use crate::associations::{Relation, attach};
use crate::errors::row_error;
use crate::object::{Object, RECORD_ID};
use crate::read::{LIST_PAGE_MAX, decode_one};
use crate::record::{Decoded, Layout, decode};
use crate::wire::{RawBatch, WithId};

/// Ids in one batch read that asks for histories ("using object APIs").
const HISTORY_PAGE_MAX: usize = 50;

/// What a read found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) records: Vec<Decoded>,
    pub(crate) undecodable: Vec<Undecodable>,
}

impl Found {
    /// Decodes records one by one, so that a bad one fails alone.
    pub(crate) fn decode(layout: &Layout, raw: &[&RawValue]) -> Self {
        let mut found = Self { records: Vec::with_capacity(raw.len()), undecodable: Vec::new() };
        for raw in raw {
            match decode(layout, raw) {
                Ok(decoded) => found.records.push(decoded),
                Err(undecodable) => found.undecodable.push(undecodable),
            }
        }
        found
    }

    /// Reads the relations of all records.
    pub(crate) async fn attach(&mut self, api: &Api, on: &Connection, relations: &[&'static Relation]) -> Result<()> {
        if self.records.is_empty() || relations.is_empty() {
            return Ok(());
        }
        let mut records: Vec<&mut RemoteRecord> = self.records.iter_mut().map(|one| &mut one.record).collect();
        attach(api, on, relations, &mut records).await
    }

    /// The ids that were found, under which name ever: their own, one merged into them, or one that does not parse.
    fn ids(&self) -> BTreeSet<&str> {
        let own = self.records.iter().map(|one| one.record.id.as_str());
        let merged = self.records.iter().flat_map(|one| one.record.merged_ids.iter().map(RemoteId::as_str));
        let bad = self.undecodable.iter().filter_map(|one| one.id.as_ref()).map(RemoteId::as_str);
        own.chain(merged).chain(bad).collect()
    }
}

/// How records are read by id or key.
#[derive(Debug)]
pub(crate) struct Batches<'a> {
    api: &'a Api,
    on: &'a Connection,
    object: Object,
    layout: &'a Layout,
    id_property: Option<&'static str>,
    archived: bool,
    edit_times: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReadBody<'a> {
    properties: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties_with_history: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_property: Option<&'a str>,
    inputs: Vec<WithId>,
}

impl<'a> Batches<'a> {
    /// Live records by id, without edit times.
    pub(crate) fn new(api: &'a Api, on: &'a Connection, object: Object, layout: &'a Layout) -> Self {
        Self { api, on, object, layout, id_property: None, archived: false, edit_times: false }
    }

    /// Looks for values of a unique property in place of ids. Reads the store, not the search index.
    #[must_use]
    pub(crate) fn by(mut self, id_property: &'static str) -> Self {
        self.id_property = Some(id_property);
        self
    }

    /// Looks into the recycle bin.
    #[must_use]
    pub(crate) fn archived(mut self, archived: bool) -> Self {
        self.archived = archived;
        self
    }

    /// Asks for the history of each property as well.
    #[must_use]
    pub(crate) fn with_edit_times(mut self) -> Self {
        self.edit_times = true;
        self
    }

    /// The records of these ids that are there, with their relations.
    pub(crate) async fn complete(&self, ids: &[String]) -> Result<Found> {
        let mut found = self.records(ids).await?;
        found.attach(self.api, self.on, &self.layout.relations).await?;
        Ok(found)
    }

    /// [`Batches::complete`], and for ids that were merged away their survivor, once.
    pub(crate) async fn following_merges(&self, ids: &[String]) -> Result<Found> {
        let mut found = self.records(ids).await?;
        let mut seen = BTreeSet::new();
        found.records.retain(|one| seen.insert(one.record.id.as_str().to_owned()));
        let known = found.ids();
        let missing: Vec<String> = ids.iter().filter(|id| !known.contains(id.as_str())).cloned().collect();
        let binned = if missing.len() > 1 { self.binned(&missing).await? } else { BTreeSet::new() };
        for id in missing.iter().filter(|id| !binned.contains(*id)) {
            let Some(survivor) = self.survivor(id).await? else { continue };
            let merged_id = RemoteId::from(id.as_str());
            match found.records.iter_mut().find(|one| one.record.id == survivor.record.id) {
                Some(held) if held.record.merged_ids.contains(&merged_id) => {}
                Some(held) => held.record.merged_ids.push(merged_id),
                None => found.records.push(survivor),
            }
        }
        found.attach(self.api, self.on, &self.layout.relations).await?;
        Ok(found)
    }

    async fn records(&self, ids: &[String]) -> Result<Found> {
        let mut found = Found::default();
        let names = self.layout.names();
        let mut seen = BTreeSet::new();
        let ids: Vec<&String> = ids.iter().filter(|id| seen.insert(id.as_str())).collect();
        for part in ids.chunks(if self.edit_times { HISTORY_PAGE_MAX } else { LIST_PAGE_MAX }) {
            let body = ReadBody {
                properties: names.clone(),
                properties_with_history: if self.edit_times { self.layout.asked() } else { Vec::new() },
                id_property: self.id_property,
                inputs: part.iter().map(|id| WithId::new(id)).collect(),
            };
            let answer = self.api.post(self.on, self.operation(), &self.path(), &body, Resend::Read).await?;
            let batch: RawBatch<'_> = answer.json()?;
            let failed = |refusal: &&crate::wire::Refusal| refusal.category.as_deref() != Some("OBJECT_NOT_FOUND");
            if let Some(refusal) = batch.errors.iter().find(failed) {
                return Err(row_error(refusal).at(&self.operation()));
            }
            let part = Found::decode(self.layout, &batch.results);
            found.records.extend(part.records);
            found.undecodable.extend(part.undecodable);
        }
        Ok(found)
    }

    fn operation(&self) -> String {
        format!("hubspot read {}", self.object.name())
    }

    fn path(&self) -> String {
        let path = self.api.version.record_batch(self.object, "read");
        // The address takes no query besides this one.
        if self.archived { format!("{path}?archived=true") } else { path }
    }

    /// Those of `ids` that lie in the recycle bin: they are gone, and not merged.
    async fn binned(&self, ids: &[String]) -> Result<BTreeSet<String>> {
        let layout = Layout::ids_only();
        let bin = Batches::new(self.api, self.on, self.object, &layout).archived(true);
        let found = bin.records(ids).await?;
        Ok(found.records.into_iter().map(|one| one.record.id.as_str().to_owned()).collect())
    }

    /// The record that answers for `id`, `None` when none does. One of another id is the survivor of a merge.
    async fn survivor(&self, id: &str) -> Result<Option<Decoded>> {
        let names = self.layout.names().join(",");
        let names = if names.is_empty() { RECORD_ID } else { &names };
        let path = self.api.version.record(self.object, id);
        let answer = match self.api.get(self.on, self.operation(), &path, &[("properties", names)]).await {
            Ok(answer) => answer,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut decoded = decode_one(self.layout, answer.body()).map_err(|error| error.at(&self.operation()))?;
        let asked = RemoteId::from(id);
        if decoded.record.id != asked && !decoded.record.merged_ids.contains(&asked) {
            decoded.record.merged_ids.push(asked);
        }
        Ok(Some(decoded))
    }
}
