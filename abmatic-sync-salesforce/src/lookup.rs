//! Records by id: merged ones under their survivor, converted leads under their contact, gone ones not at all.

use std::collections::{BTreeMap, BTreeSet};

use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_http::retry::Resend;
use http::Method;
use serde_json::json;

use crate::describe::described;
use crate::id::{is_id, long_id};
use crate::layout::Layout;
use crate::object::{ID, Object};
use crate::reader::{Bin, Found, Reader};
use crate::record::{Decoded, decode};
use crate::roles;
use crate::soql::{QUERY_BYTES_MAX, Query, encoded_len, one_of, parts, quoted};
use crate::wire::Retrieved;

/// Ids in one retrieve ("sObject Collections": POST).
pub(crate) const RETRIEVE_MAX: usize = 2_000;
/// A record can have been merged this often before anybody looks.
const MERGES_MAX: usize = 8;

impl Reader<'_> {
    /// The records with these ids, as few calls as there can be.
    pub(crate) async fn by_ids(&self, layout: &Layout, ids: &[String]) -> Result<Found> {
        let wanted: BTreeSet<String> = ids.iter().map(|id| long_id(id)).filter(|id| is_id(id)).collect();
        let is_contact = |id: &String| self.object == Object::Lead && id.starts_with(Object::Contact.prefix());
        let (contacts, mut own): (Vec<String>, Vec<String>) = wanted.into_iter().partition(is_contact);
        // A retrieve is for ids of one object: a single other one would spoil it.
        own.retain(|id| id.starts_with(self.object.prefix()));
        let mut found = self.following_merges(layout, own).await?;
        let converted: Vec<(String, String)> = take_converted(&mut found);
        let followed = contacts.into_iter().map(|id| (String::new(), id)).chain(converted).collect();
        let contacts = self.contacts_of(layout, followed).await?;
        found.records.extend(contacts.records);
        found.undecodable.extend(contacts.undecodable);
        Ok(found)
    }

    /// Live records, and for those that were merged their survivors.
    async fn following_merges(&self, layout: &Layout, ids: Vec<String>) -> Result<Found> {
        let mut found = Found::default();
        // What each id that is looked for answers for.
        let mut answers_for: BTreeMap<String, BTreeSet<String>> =
            ids.into_iter().map(|id| (id, BTreeSet::new())).collect();
        for _ in 0..MERGES_MAX {
            let wanted: Vec<String> = answers_for.keys().cloned().collect();
            let live = self.retrieve(layout, &wanted).await?;
            for mut one in live.records {
                let old = answers_for.remove(one.record.id.as_str()).unwrap_or_default();
                one.record.merged_ids = old.iter().map(|id| RemoteId::from(id.as_str())).collect();
                found.records.push(one);
            }
            for bad in live.undecodable {
                if let Some(id) = &bad.id {
                    answers_for.remove(id.as_str());
                }
                found.undecodable.push(bad);
            }
            if answers_for.is_empty() || !self.object.merges() {
                break;
            }
            answers_for = self.survivors(answers_for).await?;
            if answers_for.is_empty() {
                break;
            }
        }
        merge_doubles(&mut found);
        Ok(found)
    }

    /// The records that these were merged into, each with all that it answers for.
    async fn survivors(&self, lost: BTreeMap<String, BTreeSet<String>>) -> Result<BTreeMap<String, BTreeSet<String>>> {
        let layout = Layout::bare().with_bin(self.object);
        let ids: Vec<String> = lost.keys().cloned().collect();
        let mut survivors: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for one in self.where_id_in(&layout, &ids, Bin::Included).await?.records {
            let Some(master) = one.master else { continue };
            let id = one.record.id.to_string();
            let held = survivors.entry(master).or_default();
            held.extend(lost.get(&id).into_iter().flatten().cloned());
            held.insert(id);
        }
        Ok(survivors)
    }

    /// Live records by id.
    pub(crate) async fn retrieve(&self, layout: &Layout, ids: &[String]) -> Result<Found> {
        if layout.has_parents() {
            return self.where_id_in(layout, ids, Bin::LeftOut).await;
        }
        let mut found = Found::default();
        let path = self.api.version().collection(self.object);
        for part in ids.chunks(RETRIEVE_MAX) {
            let body = json!({"ids": part, "fields": layout.paths()});
            let to = (Method::POST, path.as_str());
            let answer = self.api.send_json(self.on, self.operation.clone(), to, &body, Resend::Read).await?;
            for raw in answer.json::<Retrieved<'_>>()?.records.into_iter().flatten() {
                match decode(layout, raw) {
                    Ok(record) => found.records.push(record),
                    Err(bad) => found.undecodable.push(bad),
                }
            }
        }
        // The bin's records are not to be retrieved, but who knows.
        found.records.retain(|one| !one.record.deleted);
        if layout.roles {
            roles::attach(self, &mut found.records).await?;
        }
        Ok(found)
    }

    /// Records by id, by query.
    async fn where_id_in(&self, layout: &Layout, ids: &[String], bin: Bin) -> Result<Found> {
        let room = QUERY_BYTES_MAX.saturating_sub(encoded_len(&layout.select())).max(2_000);
        let query = |part: &Vec<String>| Query::new(layout.select(), self.object.name()).filtered(one_of(ID, part));
        let queries: Vec<Query> = parts(ids.to_vec(), |id| quoted(id), ",", room).iter().map(query).collect();
        self.collect_all(layout, &queries, bin).await
    }

    /// For each pair of a converted lead and its contact the contact, as a lead: under its own id, the lead's among those
    /// that were merged into it. A contact without a lead was followed before.
    pub(crate) async fn contacts_of(&self, layout: &Layout, converted: Vec<(String, String)>) -> Result<Found> {
        if converted.is_empty() {
            return Ok(Found::default());
        }
        let described = described(self.api, self.on, Object::Contact).await?;
        let contacts = Reader { object: Object::Contact, described, operation: self.operation.clone(), ..*self };
        let layout = layout.clone().of_converted(&contacts.described);
        let ids: Vec<String> = converted.iter().map(|(_, contact)| contact.clone()).collect();
        let mut found = contacts.following_merges(&layout, ids).await?;
        for one in &mut found.records {
            let own = |(lead, contact): &&(String, String)| {
                let is_it =
                    one.record.id.as_str() == contact || one.record.merged_ids.iter().any(|id| id.as_str() == contact);
                is_it && !lead.is_empty()
            };
            let leads: Vec<RemoteId> =
                converted.iter().filter(own).map(|(lead, _)| RemoteId::from(lead.as_str())).collect();
            one.record.merged_ids.extend(leads);
        }
        Ok(found)
    }
}

/// Takes out the leads that have become contacts; those whose contact cannot be seen are gone.
pub(crate) fn take_converted(found: &mut Found) -> Vec<(String, String)> {
    let (converted, live): (Vec<_>, Vec<_>) = found.records.drain(..).partition(|one| one.converted.is_some());
    found.records = live;
    let pair = |one: Decoded| Some((one.record.id.to_string(), one.converted??));
    converted.into_iter().filter_map(pair).collect()
}

/// One record for each id, with all that was merged into it.
fn merge_doubles(found: &mut Found) {
    let mut places: BTreeMap<RemoteId, usize> = BTreeMap::new();
    let mut kept: Vec<Decoded> = Vec::with_capacity(found.records.len());
    for one in found.records.drain(..) {
        match places.get(&one.record.id).and_then(|place| kept.get_mut(*place)) {
            Some(held) => held.record.merged_ids.extend(one.record.merged_ids),
            None => {
                places.insert(one.record.id.clone(), kept.len());
                kept.push(one);
            }
        }
    }
    found.records = kept;
}
