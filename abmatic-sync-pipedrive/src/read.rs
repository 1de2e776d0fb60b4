//! Pages of every scope: lists, windows of changes, filters that are saved for the while, lists of the user's own.

use std::collections::BTreeSet;

use abmatic_sync_core::connector::request::{Page, PageCursor, Read, ReadRequest};
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::filter::eval::holds;
use abmatic_sync_core::filter::expr::Expr;
use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_http::paging::{Trail, advance};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::api::Api;
use crate::filter::translate;
use crate::object::Object;
use crate::reader::{Found, Reader};
use crate::saved::SavedFilters;

/// A place between two pages.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Place {
    /// The way of Pipedrive's own cursor.
    #[serde(rename = "t")]
    trail: Option<Trail>,
    /// The filter that was saved for this read.
    #[serde(rename = "f", default)]
    filter: Option<u64>,
    /// The read began anew once, because Pipedrive had forgotten its cursor.
    #[serde(rename = "a", default)]
    anew: bool,
}

/// Reads one page.
pub(crate) async fn read(api: &Api, on: &Connection, request: ReadRequest) -> Result<Page> {
    let object = Object::of(request.resource)?;
    let asked: BTreeSet<FieldName> = match &request.read {
        Read::Filter(filter) | Read::Changed { filter: Some(filter), .. } => filter.fields(),
        _ => BTreeSet::new(),
    };
    let reader = Reader::new(api, on, object, "read").await?;
    let reader = reader.of(request.fields.iter().cloned().chain(asked), &request.relations);
    let place = match &request.cursor {
        Some(cursor) => serde_json::from_str(cursor.as_str()).map_err(|error| {
            Error::invalid(ErrorCode::InvalidRequest, "the page cursor is not one of this read").caused_by(error)
        })?,
        None => Place::default(),
    };
    let walk = Walk { reader, place };
    match &request.read {
        Read::All => walk.page(&[]).await,
        Read::Archived { since } => walk.deleted(*since).await,
        Read::Changed { since, until, filter } => walk.changed(*since, *until, filter.as_ref()).await,
        Read::Filter(filter) => walk.filtered(filter).await,
        Read::Ids(ids) => {
            let found = walk.reader.by_ids(ids).await?;
            let mut page = Page::new(found.records, None);
            page.undecodable = found.undecodable;
            Ok(page)
        }
        Read::List(list) => walk.listed(list).await,
        _ => Err(Error::invalid(ErrorCode::Unsupported, "pipedrive has no such read")),
    }
}

struct Walk<'a> {
    reader: Reader<'a>,
    place: Place,
}

impl Walk<'_> {
    async fn page(self, query: &[(&str, &str)]) -> Result<Page> {
        let (found, next) = self.step(query).await?;
        Ok(live(found, next.as_ref()))
    }

    /// One page at the place, and the next place. A cursor that Pipedrive does not take any more begins the read anew, once:
    /// records may come again then, and none is missed.
    async fn step(&self, query: &[(&str, &str)]) -> Result<(Found, Option<Place>)> {
        let mut place = self.place.clone();
        let cursor = place.trail.as_ref().map(|trail| trail.after().to_owned());
        let mut found = match self.reader.list(query, cursor.as_deref()).await {
            Err(error) if is_forgotten(&error) && cursor.is_some() && !place.anew => {
                place = Place { trail: None, anew: true, ..place };
                self.reader.list(query, None).await?
            }
            found => found?,
        };
        let next = advance(place.trail.take(), found.next.take());
        let next = next.map_err(|error| error.at(self.reader.operation()))?;
        Ok((found, next.map(|trail| Place { trail: Some(trail), ..place })))
    }

    /// Records by the time of their change: a walk that meets at its end what changes meanwhile. Seconds are the finest that
    /// `updated_since` takes; `updated_until` leaves its second out. Whether a filter may stand beside is not documented, so
    /// that it is evaluated here.
    async fn changed(self, since: DateTime<Utc>, until: DateTime<Utc>, filter: Option<&Expr>) -> Result<Page> {
        let (since, until) = (whole(since), whole(until + TimeDelta::seconds(1)));
        let query = [
            ("updated_since", since.as_str()),
            ("updated_until", until.as_str()),
            ("sort_by", "update_time"),
            ("sort_direction", "asc"),
        ];
        let mut page = self.page(&query).await?;
        if let Some(filter) = filter {
            page.records.retain(|record| holds(filter, &record.fields));
        }
        Ok(page)
    }

    /// Deleted deals, whose time of change is that of their deletion. No other list tells of what was deleted.
    async fn deleted(self, since: Option<DateTime<Utc>>) -> Result<Page> {
        if self.reader.object != Object::Deal {
            let message = format!("pipedrive does not tell of deleted {}", self.reader.object.name());
            return Err(Error::invalid(ErrorCode::Unsupported, message));
        }
        let since = since.map(whole);
        let mut query = vec![("status", "deleted")];
        query.extend(since.as_deref().map(|since| ("updated_since", since)));
        let (mut found, next) = self.step(&query).await?;
        found.records.iter_mut().for_each(|record| record.deleted = true);
        Ok(paged(found, next.as_ref()))
    }

    /// A page of a filter that is saved for this read. What it finds is held against the condition here as well.
    async fn filtered(mut self, filter: &Expr) -> Result<Page> {
        let groups = translate(filter, &self.reader.described.schema)
            .map_err(|why| Error::invalid(ErrorCode::InvalidFilter, why).at(self.reader.operation()))?;
        let saved = SavedFilters::new(self.reader.api, self.reader.on, self.reader.object, self.reader.operation());
        let mut id = match self.place.filter {
            Some(id) => id,
            None => {
                saved.remove_leftovers().await?;
                saved.create(&self.reader.described, &groups).await?
            }
        };
        self.place.filter = Some(id);
        let mut step = self.step(&[("filter_id", &id.to_string())]).await;
        if matches!(&step, Err(error) if error.kind() == ErrorKind::NotFound) {
            // Somebody has tidied up: the same filter anew, from the same place.
            id = saved.create(&self.reader.described, &groups).await?;
            self.place.filter = Some(id);
            step = self.step(&[("filter_id", &id.to_string())]).await;
        }
        let (mut found, next) = step?;
        if next.is_none() {
            saved.remove(id).await?;
        }
        found.records.retain(|record| holds(filter, &record.fields));
        Ok(live(found, next.as_ref()))
    }

    /// A page of a filter that a user has saved.
    async fn listed(self, list: &str) -> Result<Page> {
        let missing = |error: Error| {
            if error.kind() != ErrorKind::NotFound {
                return error;
            }
            let message = format!("there is no filter {list:?} of {}", self.reader.object.name());
            Error::invalid(ErrorCode::InvalidSettings, message).caused_by(error)
        };
        if list.parse::<u64>().is_err() {
            let message = format!("a list of Pipedrive is the number of a saved filter, and not {list:?}");
            return Err(Error::invalid(ErrorCode::InvalidSettings, message));
        }
        let (found, next) = self.step(&[("filter_id", list)]).await.map_err(missing)?;
        Ok(live(found, next.as_ref()))
    }
}

/// `2026-01-31T10:20:00Z`: fractions of a second are refused.
fn whole(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn is_forgotten(error: &Error) -> bool {
    error.kind() == ErrorKind::Invalid && error.fields().iter().any(|field| field == "cursor")
}

/// A page of live records: lists hold no others, yet each row says so.
fn live(mut found: Found, next: Option<&Place>) -> Page {
    found.records.retain(|record| !record.deleted);
    paged(found, next)
}

fn paged(found: Found, next: Option<&Place>) -> Page {
    let cursor = next.map(|place| PageCursor::new(serde_json::json!(place).to_string()));
    let mut page = Page::new(found.records, cursor);
    page.undecodable = found.undecodable;
    page
}
