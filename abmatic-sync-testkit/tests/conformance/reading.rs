//! Reads and lookups of the connector under test.

use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{FindRequest, Page, PageCursor, Read, ReadRequest};
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::filter::eval::holds;
use abmatic_sync_core::filter::expr::{Comparison, Expr};
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::value::Value;

use crate::crm::{Crm, MEMBERS};
use crate::fault::Fault;

const PAGE: usize = 10;

impl Crm {
    /// One page, with the fault.
    pub(crate) async fn page(&self, on: &Connection, request: ReadRequest) -> Result<Page> {
        let resource = request.resource;
        let mut page = match &request.read {
            Read::All => self.all(on, &request).await?,
            Read::Ids(ids) => self.by_ids(on, &request, ids.clone()).await?,
            Read::List(list) => {
                let mut members = self.members();
                match list.as_str() {
                    MEMBERS if self.has(Fault::ListForgets) => drop(members.pop()),
                    MEMBERS => {}
                    _ if self.has(Fault::UnknownListIsEmpty) => members.clear(),
                    _ => return Err(Error::invalid(ErrorCode::InvalidSettings, "there is no such list")),
                }
                self.named(on, &request, members).await?
            }
            Read::Filter(filter) => {
                let held = self.memory().records(resource).into_iter();
                let found = held.filter(|record| self.finds(filter, &record.fields)).map(|record| record.id);
                self.named(on, &request, found.collect()).await?
            }
            Read::Changed { .. } => {
                let found = self.memory().records(resource).into_iter();
                let found = found.filter(|record| self.is_in(&request.read, record)).map(|record| record.id);
                self.named(on, &request, found.collect()).await?
            }
            _ => self.archived(on, request.clone()).await?,
        };
        for record in &mut page.records {
            self.spoil(&request, record);
        }
        Ok(page)
    }

    /// The records of these ids, on one page.
    async fn named(&self, on: &Connection, request: &ReadRequest, ids: Vec<RemoteId>) -> Result<Page> {
        let mut request = request.clone();
        request.read = Read::Ids(ids);
        self.memory().read(on, request).await
    }

    async fn by_ids(&self, on: &Connection, request: &ReadRequest, mut ids: Vec<RemoteId>) -> Result<Page> {
        let resource = request.resource;
        let mut distinct = ids.clone();
        distinct.sort();
        distinct.dedup();
        let is_live = |id: &RemoteId| self.memory().record(resource, id).is_some_and(|record| !record.deleted);
        match self.fault {
            Some(Fault::EmptyIdsReadAll) if ids.is_empty() => {
                ids = self.memory().records(resource).into_iter().map(|record| record.id).collect();
            }
            Some(Fault::IdsUpToTen) => ids.truncate(PAGE),
            Some(Fault::NamedTwiceFails) if distinct.len() < ids.len() => {
                return Err(Error::invalid(ErrorCode::InvalidRequest, "an id is there twice"));
            }
            Some(Fault::UnknownIdFails) if !ids.iter().all(is_live) => {
                return Err(Error::new(ErrorKind::NotFound, ErrorCode::RecordGone, "there is no such record"));
            }
            Some(Fault::FieldlessReadsNothing) if request.fields.is_empty() => ids.clear(),
            _ => {}
        }
        let mut page = self.named(on, request, ids.clone()).await?;
        if self.has(Fault::DeletedById) {
            let gone =
                self.everything(resource).into_iter().filter(|record| record.deleted && ids.contains(&record.id));
            page.records.extend(gone.map(|record| RemoteRecord::new(record.id, record.fields)));
        }
        Ok(page)
    }

    async fn archived(&self, on: &Connection, request: ReadRequest) -> Result<Page> {
        let resource = request.resource;
        let mut page = self.memory().read(on, request).await?;
        match self.fault {
            Some(Fault::ArchiveForgets) => page.records.clear(),
            Some(Fault::ArchiveHoldsLive) => page.records.extend(self.memory().records(resource)),
            _ => {}
        }
        Ok(page)
    }

    async fn all(&self, on: &Connection, request: &ReadRequest) -> Result<Page> {
        let resource = request.resource;
        let live = self.memory().records(resource);
        let mut ordered = live.clone();
        match self.fault {
            Some(Fault::PagesByOffset) => return self.slice(on, request, ordered).await,
            Some(Fault::PagesNewestFirst) => {
                ordered.reverse();
                return self.slice(on, request, ordered).await;
            }
            Some(Fault::PagesByChange) => {
                ordered.sort_by_key(|record| record.modified_at);
                return self.slice(on, request, ordered).await;
            }
            _ => {}
        }
        if let Some(cursor) = request.cursor.as_ref().map(|cursor| cursor.as_str().to_owned()) {
            let mut known = self.process.cursors.lock().unwrap();
            let is_known = match self.fault {
                Some(Fault::CursorInMemory) => known.contains(&cursor),
                Some(Fault::CursorOnce) => known.remove(&cursor),
                _ => true,
            };
            if !is_known {
                return Ok(Page::default());
            }
        }
        let mut page = self.memory().read(on, request.clone()).await?;
        self.process.cursors.lock().unwrap().extend(page.next.iter().map(|next| next.as_str().to_owned()));
        page.total = Some(live.len() as u64);
        match self.fault {
            Some(Fault::ReadsFirstPage) => page.next = None,
            Some(Fault::TotalOfPage) => page.total = Some(page.records.len() as u64 + 1),
            Some(Fault::PagesOverlap) => page.records.extend(page.records.last().cloned()),
            Some(Fault::DeletedAmongAll) if page.next.is_none() => {
                let gone = self.everything(resource).into_iter().filter(|record| record.deleted);
                page.records.extend(gone.map(|record| RemoteRecord::new(record.id, record.fields)));
            }
            _ => {}
        }
        Ok(page)
    }

    /// A page by its place in an order, up to as many records as there were at first.
    async fn slice(&self, on: &Connection, request: &ReadRequest, ordered: Vec<RemoteRecord>) -> Result<Page> {
        let place = request.cursor.as_ref().and_then(|cursor| cursor.as_str().split_once('/'));
        let place = place.map(|(from, total)| (from.parse::<usize>().unwrap(), total.parse::<usize>().unwrap()));
        let (from, total) = place.unwrap_or((0, ordered.len()));
        let ids = ordered.into_iter().take(total).skip(from).take(PAGE).map(|record| record.id).collect();
        let mut page = self.named(on, request, ids).await?;
        let next = from + PAGE;
        page.next = (next < total).then(|| PageCursor::new(format!("{next}/{total}")));
        Ok(page)
    }

    fn is_in(&self, read: &Read, record: &RemoteRecord) -> bool {
        let Read::Changed { since, until, filter } = read else { return false };
        let time = if self.has(Fault::WindowByCreation) { record.created_at } else { record.modified_at };
        let Some(time) = time else { return false };
        let in_window = match self.fault {
            Some(Fault::WindowExcludesEnds) => time > *since && time < *until,
            Some(Fault::WindowIgnored) => true,
            Some(Fault::WindowIsEmpty) => false,
            _ => time >= *since && time <= *until,
        };
        let wanted = self.has(Fault::WindowWithoutFilter);
        in_window && (wanted || filter.as_ref().is_none_or(|filter| self.finds(filter, &record.fields)))
    }

    fn spoil(&self, request: &ReadRequest, record: &mut RemoteRecord) {
        match self.fault {
            Some(Fault::EditTimesLoseValues) if request.edit_times => record.fields = Fields::new(),
            Some(Fault::ModifiedIsCreated) => record.modified_at = record.created_at,
            Some(Fault::NoModifiedTime) => record.modified_at = None,
            Some(Fault::ReadsBlank) => record.fields = Fields::new(),
            Some(Fault::UnknownFieldMadeUp) => {
                for name in &request.fields {
                    if record.fields.get(name.as_str()).is_none_or(Value::is_blank) {
                        record.fields.insert(name.clone(), "made up".into());
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether a condition holds, as this CRM reads it.
    pub(crate) fn finds(&self, filter: &Expr, fields: &Fields) -> bool {
        let Some(fault) = self.fault else { return holds(filter, fields) };
        match (fault, filter) {
            (Fault::FilterIgnored, _) => true,
            (Fault::FlatGroups, Expr::And(parts)) if parts.iter().any(|part| matches!(part, Expr::Or(_))) => {
                parts.iter().any(|part| self.finds(part, fields))
            }
            (Fault::NotOfFirst, Expr::Not(inner)) => match &**inner {
                Expr::Or(parts) => !self.finds(&parts[0], fields),
                inner => !self.finds(inner, fields),
            },
            (Fault::BlanksAreNotUnequal, Expr::Not(inner)) => match &**inner {
                Expr::In { field, .. } => has(fields, field.as_str()) && !self.finds(inner, fields),
                inner => !self.finds(inner, fields),
            },
            (_, Expr::And(parts)) => parts.iter().all(|part| self.finds(part, fields)),
            (_, Expr::Or(parts)) => parts.iter().any(|part| self.finds(part, fields)),
            (_, Expr::Not(inner)) => !self.finds(inner, fields),
            (_, Expr::Compare { field, how, value }) => {
                let held = fields.get(field.as_str()).cloned().unwrap_or_default();
                compares(fault, &held, *how, value).unwrap_or_else(|| holds(filter, fields))
            }
            _ => holds(filter, fields),
        }
    }

    /// Records by key, with the fault.
    pub(crate) async fn lookup(&self, on: &Connection, mut request: FindRequest) -> Result<Vec<RemoteRecord>> {
        let resource = request.resource;
        let key = if resource.is_person() { "email" } else { "domain" };
        match self.fault {
            Some(Fault::FindsAllWithoutKeys) if request.keys.is_empty() => return Ok(self.memory().records(resource)),
            Some(Fault::FindsByPattern) if request.keys.iter().any(|key| key.contains('%')) => {
                return Ok(self.memory().records(resource));
            }
            Some(Fault::FindsTenKeys) => request.keys.truncate(PAGE),
            _ => {}
        }
        let keys = request.keys.clone();
        let mut found = self.memory().find(on, request).await?;
        match self.fault {
            Some(Fault::FindsDeleted) => {
                let gone = self.everything(resource).into_iter().filter(|record| record.deleted);
                found.extend(gone.filter(|record| keys.contains(&held_key(record, key))));
            }
            Some(Fault::FindsFirst) => found.truncate(1),
            Some(Fault::FindsNothing) => found.clear(),
            Some(Fault::FindsWithCase) => found.retain(|record| keys.contains(&held_key(record, key))),
            Some(Fault::FindsWithoutFields) => found.iter_mut().for_each(|record| record.fields = Fields::new()),
            Some(Fault::UnknownKeyFails) if found.is_empty() => {
                return Err(Error::new(ErrorKind::NotFound, ErrorCode::RecordGone, "there is no such key"));
            }
            _ => {}
        }
        Ok(found)
    }
}

fn has(fields: &Fields, name: &str) -> bool {
    fields.get(name).is_some_and(|value| !value.is_blank())
}

fn held_key(record: &RemoteRecord, key: &str) -> String {
    record.fields.get(key).map(ToString::to_string).unwrap_or_default()
}

/// What a comparison comes to by the fault; `None` where it is as it should be.
fn compares(fault: Fault, held: &Value, how: Comparison, value: &Value) -> Option<bool> {
    let (text, wanted) = (held.to_string(), value.to_string());
    match (fault, how) {
        (Fault::BlanksAreNotUnequal, Comparison::NotEqual) if held.is_blank() => Some(false),
        (Fault::FilterHasCase, Comparison::Equal) => Some(text == wanted),
        (Fault::NumbersAsText, Comparison::Greater) => Some(text > wanted),
        (Fault::NumbersAsText, Comparison::Less) => Some(text < wanted),
        (Fault::QuotesEndValues, Comparison::Equal) if wanted.contains('\'') => Some(true),
        (Fault::WildcardsMatch, Comparison::Contains) => {
            let mut rest = text.as_str();
            Some(wanted.split(['%', '_']).all(|piece| {
                let found = rest.find(piece);
                rest = found.map_or("", |at| &rest[at + piece.len()..]);
                found.is_some()
            }))
        }
        _ => None,
    }
}
