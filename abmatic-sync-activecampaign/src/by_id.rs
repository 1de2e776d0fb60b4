//! Records by id: contacts a hundred a call, the rest from their list or alone, whichever takes fewer calls.

use std::collections::{BTreeMap, BTreeSet};

use abmatic_sync_core::error::{ErrorKind, Result};
use abmatic_sync_core::ids::RemoteId;
use serde_json::Value as Json;

use crate::object::Object;
use crate::reader::{Found, Reader};
use crate::walk;
use crate::wire::{id, rows};

impl Reader<'_> {
    /// Records by id; those that are not there are left out.
    pub(crate) async fn by_ids(&self, ids: &[RemoteId]) -> Result<Found> {
        if self.object == Object::Contact {
            return self.contacts_by_ids(ids).await;
        }
        let mut rows = if ids.len() > 1 { self.listed(ids).await? } else { BTreeMap::new() };
        // What the list does not show may only have moved while it was read.
        let missing: Vec<&RemoteId> = ids.iter().filter(|id| !rows.contains_key(id.as_str())).collect();
        let mut calls = Vec::with_capacity(missing.len());
        for number in missing {
            calls.push(self.alone(number.as_str()));
        }
        let alone = self.some_at_once(calls).await?;
        rows.extend(alone.into_iter().flatten().filter_map(|row| Some((id(&row, "id")?, row))));
        self.records(&Json::Null, rows.into_values().collect(), None).await
    }

    /// Rows of these records from the whole list, where that takes fewer calls than to ask for each; none where it does not.
    async fn listed(&self, ids: &[RemoteId]) -> Result<BTreeMap<String, Json>> {
        let wanted: BTreeSet<&str> = ids.iter().map(RemoteId::as_str).collect();
        let (mut found, mut place) = (BTreeMap::new(), None);
        loop {
            let is_first = place.is_none();
            let page = walk::page(self, &[], place).await?;
            let named = page.rows.into_iter().filter_map(|row| Some((id(&row, "id")?, row)));
            found.extend(named.filter(|(number, _)| wanted.contains(number.as_str())));
            let is_dear = is_first && page.total.is_none_or(|total| total.div_ceil(100) > ids.len() as u64);
            match page.next.filter(|_| !is_dear && found.len() < wanted.len()) {
                Some(next) => place = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// A hundred contacts a call.
    async fn contacts_by_ids(&self, ids: &[RemoteId]) -> Result<Found> {
        const IDS_MAX: usize = 100;
        let mut all = Found::default();
        let beside = self.beside();
        for part in ids.chunks(IDS_MAX) {
            let mut query = vec![("limit", "100")];
            query.extend(part.iter().map(|id| ("ids[]", id.as_str())));
            query.extend(beside.as_deref().map(|beside| ("include", beside)));
            let answer = self.api.get(self.on, self.operation().to_owned(), "contacts", &query).await?;
            let mut body: Json = answer.json()?;
            let mut page = rows(&answer, &mut body, "contacts")?;
            // An unknown parameter is ignored, and then everybody comes.
            page.retain(|row| id(row, "id").is_some_and(|found| part.iter().any(|wanted| wanted.as_str() == found)));
            let found = self.records(&body, page, None).await?;
            all.records.extend(found.records);
            all.undecodable.extend(found.undecodable);
        }
        Ok(all)
    }

    async fn alone(&self, number: &str) -> Result<Option<Json>> {
        let path = format!("{}/{number}", self.object.plural());
        match self.api.get(self.on, self.operation().to_owned(), &path, &[]).await {
            Ok(answer) => {
                let mut body: Json = answer.json()?;
                Ok(body.get_mut(self.object.singular()).map(Json::take))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
