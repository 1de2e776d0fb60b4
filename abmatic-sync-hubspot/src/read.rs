//! Pages of every scope: lists from the store, searches by keyset, records by id, members of lists, the recycle bin.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use abmatic_sync_core::connector::request::{Page, PageCursor, Read, ReadRequest};
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::filter::expr::Expr;
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::FieldType;
use abmatic_sync_http::paging::{Trail, advance, repeated};
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use crate::api::Api;
use crate::associations::{Relation, attach};
use crate::batch::{Batches, Found};
use crate::describe::{Described, described};
use crate::object::{LEAD_STAGE, Object, RECORD_ID, STAGE};
use crate::record::{Decoded, Layout, WholePage, decode};
use crate::search::{self, Filter, Group, SearchBody, translate};
use crate::wire::{ListAnswer, Listing, Member, WithId};

/// Records in one page of a list, and ids in one batch read ("using object APIs").
pub(crate) const LIST_PAGE_MAX: usize = 100;
/// Ids or keys that are named at once. Their records come in batches of [`LIST_PAGE_MAX`], but the associations of so many
/// come in one call ("associations v4": 1,000 inputs).
pub(crate) const NAMED_MAX: usize = 1_000;
/// Longer lists of property names are not put into an address: HubSpot answers 414.
const NAMES_BYTES_MAX: usize = 6_000;

/// Reads one page.
pub(crate) async fn read(api: &Api, on: &Connection, request: ReadRequest) -> Result<Page> {
    let object = Object::of(request.resource)?;
    let described = described(api, on, object).await?;
    let reader = Reader { api, on, object, described, request: &request };
    match &request.read {
        Read::All if reader.leads() => reader.search_page(&[], Vec::new()).await,
        Read::All => reader.list_page(None).await,
        Read::Archived { since } => reader.list_page(Some(*since)).await,
        Read::Changed { since, until, filter } => {
            let window = Filter::window(object.modified_property(), *since, *until).to_vec();
            let groups = filter.as_ref().map_or(Ok(Vec::new()), |filter| reader.groups(filter))?;
            reader.search_page(&groups, window).await
        }
        Read::Filter(filter) => reader.search_page(&reader.groups(filter)?, Vec::new()).await,
        Read::Ids(ids) => reader.by_ids(ids).await,
        Read::List(list) => reader.members_page(list).await,
        _ => Err(Error::invalid(ErrorCode::Unsupported, "hubspot has no such read")),
    }
}

struct Reader<'a> {
    api: &'a Api,
    on: &'a Connection,
    object: Object,
    described: Arc<Described>,
    request: &'a ReadRequest,
}

impl Reader<'_> {
    fn leads(&self) -> bool {
        self.request.resource == Resource::Lead
    }

    fn operation(&self) -> String {
        format!("hubspot read {}", self.object.name())
    }

    fn trail(&self) -> Result<Option<Trail>> {
        let trail = self.request.cursor.as_ref().map(Trail::parse).transpose();
        trail.map_err(|error| error.at(&self.operation()))
    }

    fn layout(&self) -> Layout {
        let relations = Relation::among(self.object, &self.request.relations);
        Layout::new(&self.request.fields, &self.described, relations)
    }

    fn batches<'b>(&'b self, layout: &'b Layout) -> Batches<'b> {
        let batches = Batches::new(self.api, self.on, self.object, layout);
        if self.request.edit_times { batches.with_edit_times() } else { batches }
    }

    fn groups(&self, filter: &Expr) -> Result<Vec<Group>> {
        translate(filter, &self.described.schema, self.leads())
            .map_err(|why| Error::invalid(ErrorCode::InvalidFilter, why).at(&self.operation()))
    }

    /// A page of the store's list: live records, or with `archived` those in the recycle bin, deleted since.
    async fn list_page(&self, archived: Option<Option<DateTime<Utc>>>) -> Result<Page> {
        let mut layout = self.layout();
        if self.leads() {
            layout = layout.with(STAGE, FieldType::Choice);
        }
        let names = layout.names().join(",");
        let bare = names.len() > NAMES_BYTES_MAX || self.request.edit_times;
        let trail = self.trail()?;
        let answer = {
            let limit = LIST_PAGE_MAX.to_string();
            let properties = if bare || names.is_empty() { RECORD_ID } else { &names };
            let targets: BTreeSet<&str> = layout.relations.iter().map(|relation| relation.to.name()).collect();
            let targets = targets.into_iter().collect::<Vec<_>>().join(",");
            let mut query = vec![("limit", limit.as_str()), ("properties", properties)];
            if !bare && !targets.is_empty() {
                query.push(("associations", &targets));
            }
            if archived.is_some() {
                query.push(("archived", "true"));
            }
            if let Some(trail) = &trail {
                query.push(("after", trail.after()));
            }
            self.api.get(self.on, self.operation(), &self.api.version.records(self.object), &query).await?
        };
        let whole = if bare { None } else { WholePage::decode(&layout, answer.body()) };
        let (mut found, after) = match whole {
            Some(whole) => (Found { records: whole.records, undecodable: Vec::new() }, whole.after),
            None => {
                let mut listing: Listing<'_> = answer.json()?;
                let after = listing.after();
                if bare {
                    let ids = listing.results.iter().map(|raw| id_of(raw)).collect::<Result<Vec<_>>>();
                    let ids = ids.map_err(|error| error.at(&self.operation()))?;
                    (self.batches(&layout).archived(archived.is_some()).complete(&ids).await?, after)
                } else {
                    (Found::decode(&layout, &listing.results), after)
                }
            }
        };
        let next = advance(trail, after).map_err(|error| error.at(&self.operation()))?;
        let next = next.map(|trail| trail.to_cursor());
        self.fetch_cut_off(&layout, &mut found).await?;
        if let Some(since) = archived {
            found.records.retain(|one| since.is_none_or(|since| one.archived_at.is_none_or(|at| at >= since)));
            found.records.iter_mut().for_each(|one| one.record.deleted = true);
        }
        Ok(self.page(found, next, None))
    }

    /// A page of a search: any of `groups`, within `common`, after the last id of the page before.
    async fn search_page(&self, groups: &[Group], mut common: Vec<Filter>) -> Result<Page> {
        let last = self.request.cursor.as_ref().map_or("0", PageCursor::as_str).to_owned();
        if self.leads() {
            common.push(Filter::lead());
        }
        common.push(Filter::compare(RECORD_ID, "GT", last.as_str()));
        let layout = self.layout().with_merged_ids();
        let bare = self.request.edit_times;
        let names = if bare { vec![RECORD_ID] } else { layout.names() };
        let body = SearchBody::new(groups, &common, names, search::PAGE_MAX);
        let answer = self.api.search(self.on, self.operation(), self.object, &body).await?;
        let listing: Listing<'_> = answer.json()?;
        let ids = listing.results.iter().map(|raw| id_of(raw)).collect::<Result<Vec<_>>>();
        let ids = ids.map_err(|error| error.at(&self.operation()))?;
        let next = self.after(&last, &ids, listing.total).map_err(|error| error.at(&self.operation()))?;
        let found = if bare {
            self.batches(&layout).complete(&ids).await?
        } else {
            let mut found = Found::decode(&layout, &listing.results);
            found.attach(self.api, self.on, &layout.relations).await?;
            found
        };
        // The total of a later page counts only what is left.
        let total = if self.request.cursor.is_none() { listing.total } else { None };
        Ok(self.page(found, next, total))
    }

    /// The cursor after a page of a search. A short page need not be the last; one that holds the whole total is.
    fn after(&self, last: &str, ids: &[String], total: Option<u64>) -> Result<Option<PageCursor>> {
        let number = |id: &str| {
            id.parse::<u64>().map_err(|error| {
                let message = format!("the record id {id:?} is no number");
                Error::new(ErrorKind::Undocumented, ErrorCode::InvalidAnswer, message).caused_by(error)
            })
        };
        let last_number = number(last)?;
        let mut highest = last_number;
        for id in ids {
            let id = number(id)?;
            if id <= last_number {
                return Err(repeated(last));
            }
            highest = highest.max(id);
        }
        let all = ids.len() < search::PAGE_MAX
            && total.is_some_and(|total| u64::try_from(ids.len()).is_ok_and(|held| held >= total));
        Ok((!ids.is_empty() && !all).then(|| PageCursor::new(highest.to_string())))
    }

    async fn by_ids(&self, ids: &[RemoteId]) -> Result<Page> {
        let mut layout = self.layout().with_merged_ids();
        if self.leads() {
            layout = layout.with(STAGE, FieldType::Choice);
        }
        let ids: Vec<String> = ids.iter().map(|id| id.as_str().to_owned()).collect();
        let found = self.batches(&layout).following_merges(&ids).await?;
        let mut records: Vec<RemoteRecord> = found.records.into_iter().map(|one| one.record).collect();
        if self.leads() {
            records.iter_mut().for_each(|record| record.elsewhere = !is_lead(record));
        }
        let mut page = Page::new(records, None);
        page.undecodable = found.undecodable;
        Ok(page)
    }

    /// A page of a list's members; they come as ids only.
    async fn members_page(&self, list: &str) -> Result<Page> {
        let trail = self.trail()?;
        let limit = LIST_PAGE_MAX.to_string();
        let mut query = vec![("limit", limit.as_str())];
        if let Some(trail) = &trail {
            query.push(("after", trail.after()));
        }
        let operation = format!("hubspot read list {list}");
        let path = self.api.version.list_members(list);
        let answer = self.api.get(self.on, operation, &path, &query).await.map_err(|error| no_list(error, list))?;
        let mut listing: Listing<'_> = answer.json()?;
        let total = listing.total;
        let next = advance(trail, listing.after())
            .map_err(|error| error.at(&self.operation()))?
            .map(|trail| trail.to_cursor());
        let member = |raw: &&RawValue| serde_json::from_str::<Member>(raw.get()).map(|member| member.record_id.0);
        let ids = listing.results.iter().map(member).collect::<Result<Vec<_>, _>>();
        let ids = ids.map_err(|error| answer.unreadable(error))?;
        let mut layout = self.layout().with_merged_ids();
        if self.leads() {
            layout = layout.with(STAGE, FieldType::Choice);
        }
        let found = self.batches(&layout).complete(&ids).await?;
        Ok(self.page(found, next, total))
    }

    /// Fetches the associations that did not fit into a list's records.
    async fn fetch_cut_off(&self, layout: &Layout, found: &mut Found) -> Result<()> {
        for relation in &layout.relations {
            let cut = |one: &&mut Decoded| one.cut_off.iter().any(|cut| std::ptr::eq(*cut, *relation));
            let mut records: Vec<&mut RemoteRecord> =
                found.records.iter_mut().filter(cut).map(|one| &mut one.record).collect();
            if !records.is_empty() {
                attach(self.api, self.on, &[relation], &mut records).await?;
            }
        }
        Ok(())
    }

    fn page(&self, found: Found, next: Option<PageCursor>, total: Option<u64>) -> Page {
        // A search has chosen the leads already; elsewhere the stage was read for this.
        let records = found.records.into_iter().map(|one| one.record);
        let records = records.filter(|record| !self.leads() || is_lead(record)).collect();
        let mut page = Page::new(records, next);
        page.undecodable = found.undecodable;
        page.total = total;
        page
    }
}

fn is_lead(record: &RemoteRecord) -> bool {
    record.fields.get(STAGE).is_none_or(|stage| stage.as_text() == Some(LEAD_STAGE))
}

/// The id of a record or of what stands for one. Without it a page cannot be gone on from.
fn id_of(raw: &RawValue) -> Result<String> {
    serde_json::from_str::<WithId>(raw.get()).map(|with| with.id.0).map_err(|error| {
        Error::new(ErrorKind::Undocumented, ErrorCode::InvalidAnswer, "a result has no id").caused_by(error)
    })
}

fn no_list(error: Error, list: &str) -> Error {
    if error.kind() != ErrorKind::NotFound {
        return error;
    }
    Error::invalid(ErrorCode::InvalidSettings, format!("there is no list {list:?}")).caused_by(error)
}

/// How many records `read` holds.
pub(crate) async fn count(api: &Api, on: &Connection, resource: Resource, read: &Read) -> Result<Option<u64>> {
    let object = Object::of(resource)?;
    let operation: Cow<'static, str> = format!("hubspot count {}", object.name()).into();
    let mut common = Vec::new();
    if resource == Resource::Lead {
        common.push(Filter::lead());
    }
    let filter = match read {
        Read::All => None,
        Read::Filter(filter) => Some(filter),
        Read::Changed { since, until, filter } => {
            common.extend(Filter::window(object.modified_property(), *since, *until));
            filter.as_ref()
        }
        Read::Ids(ids) => return Ok(u64::try_from(ids.len()).ok()),
        Read::List(list) if resource != Resource::Lead => {
            let query = [("includeFilters", "false")];
            let answer = api.get(on, operation, &api.version.list(list), &query).await;
            let answer = answer.map_err(|error| no_list(error, list))?;
            return answer.json::<ListAnswer>().map(|answer| answer.list.size);
        }
        _ => return Ok(None),
    };
    let groups = match filter {
        None => Vec::new(),
        Some(filter) => {
            let described = described(api, on, object).await?;
            match translate(filter, &described.schema, resource == Resource::Lead) {
                Ok(groups) => groups,
                Err(_) => return Ok(None),
            }
        }
    };
    let body = SearchBody::new(&groups, &common, vec![RECORD_ID], 1);
    let answer = api.search(on, operation, object, &body).await?;
    answer.json::<Listing<'_>>().map(|listing| listing.total)
}

/// Decodes one record that came alone.
pub(crate) fn decode_one(layout: &Layout, body: &[u8]) -> Result<Decoded> {
    let raw: &RawValue = serde_json::from_slice(body).map_err(|error| {
        Error::new(ErrorKind::Undocumented, ErrorCode::InvalidAnswer, "the record does not parse").caused_by(error)
    })?;
    decode(layout, raw).map_err(|undecodable| undecodable.error)
}
