//! Pages of every scope: everything, what has changed, lists, tags and segments.

use std::time::Duration;

use abmatic_sync_core::connector::request::{Page, PageCursor, Read, ReadRequest};
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::filter::eval::holds;
use abmatic_sync_core::filter::expr::Expr;
use abmatic_sync_core::model::connection::Connection;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value as Json;

use crate::api::Api;
use crate::filter::parameters;
use crate::object::Object;
use crate::reader::{Reader, is_hidden};
use crate::walk::{self, Place, Rows};
use crate::wire::{moment, total};

/// Windows go by the day of a server whose zone is not told: up to a day and two hours earlier than they say.
const DAY: TimeDelta = TimeDelta::hours(26);
/// How often a segment that is being evaluated is looked at again, and how long is waited in between.
const SEGMENT_TRIES: usize = 10;
const SEGMENT_WAIT: Duration = Duration::from_secs(3);

/// One page of what is asked for.
pub(crate) async fn read(api: &Api, on: &Connection, request: ReadRequest) -> Result<Page> {
    let object = Object::of(request.resource)?;
    let filter = match &request.read {
        Read::Changed { filter, .. } => filter.as_ref(),
        Read::Filter(filter) => Some(filter),
        _ => None,
    };
    let asked = filter.map(|filter| filter.fields()).unwrap_or_default();
    let reader = Reader::new(api, on, object, "read").await?;
    let reader = reader.of(request.fields.iter().cloned().chain(asked), &request.relations);
    let place: Option<Place> = match &request.cursor {
        Some(cursor) => Some(serde_json::from_str(cursor.as_str()).map_err(|error| {
            Error::invalid(ErrorCode::InvalidRequest, "the page cursor is not one of this read").caused_by(error)
        })?),
        None => None,
    };
    let narrowed = filter.map(|filter| parameters(object, filter, &reader.described)).unwrap_or_default();
    let mut query: Vec<(&str, &str)> = narrowed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    match &request.read {
        Read::All => paged(&reader, walk::page(&reader, &[], place).await?, Wanted::All).await,
        Read::Changed { since, until, .. } => {
            let day = (*since - DAY).format("%Y-%m-%d").to_string();
            query.push(("filters[updated_after]", &day));
            let mut rows = walk::page(&reader, &query, place).await?;
            rows.rows.retain(|row| is_in(moment(row, object.clocks().1), *since, *until));
            Ok(chosen(paged(&reader, rows, Wanted::Some).await?, filter))
        }
        Read::Filter(_) => {
            let rows = walk::page(&reader, &query, place).await?;
            Ok(chosen(paged(&reader, rows, Wanted::All).await?, filter))
        }
        Read::Ids(ids) => {
            let found = reader.by_ids(ids).await?;
            let mut page = Page::new(found.records, None);
            page.undecodable = found.undecodable;
            Ok(page)
        }
        Read::List(list) => {
            let scope = scope(list)?;
            let is_first = place.is_none();
            let rows = members(&reader, &scope, place).await?;
            if is_first && rows.rows.is_empty() {
                is_there(&reader, list, &scope).await?;
            }
            paged(&reader, rows, Wanted::All).await
        }
        _ => Err(Error::invalid(ErrorCode::Unsupported, "activecampaign has no such read")),
    }
}

/// How many records a read holds, where a list can say.
pub(crate) async fn count(api: &Api, on: &Connection, object: Object, read: &Read) -> Result<Option<u64>> {
    let scope = match read {
        Read::All => Vec::new(),
        Read::List(list) => scope(list)?,
        Read::Ids(ids) => return Ok(Some(ids.len() as u64)),
        _ => return Ok(None),
    };
    let mut query = vec![("limit", "1")];
    query.extend(scope.iter().map(|(name, value)| (*name, value.as_str())));
    let operation = format!("activecampaign count {}", object.plural());
    let answer = api.get(on, operation, object.plural(), &query).await?;
    Ok(total(&answer.json::<Json>()?))
}

/// What is left of a page that may hold more than is wanted.
fn chosen(mut page: Page, filter: Option<&Expr>) -> Page {
    page.total = None;
    if let Some(filter) = filter {
        page.records.retain(|record| holds(filter, &record.fields));
    }
    page
}

/// Without the time of its last change a record is in every window.
fn is_in(modified_at: Option<DateTime<Utc>>, since: DateTime<Utc>, until: DateTime<Utc>) -> bool {
    modified_at.is_none_or(|at| at >= since && at <= until)
}

/// How much of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    All,
    Some,
}

async fn paged(reader: &Reader<'_>, rows: Rows, wanted: Wanted) -> Result<Page> {
    let Rows { body, mut rows, next, total, part } = rows;
    // A deal that may not be seen is none of ours.
    rows.retain(|row| !is_hidden(row));
    let found = reader.records(&body, rows, (wanted == Wanted::All).then_some(part)).await?;
    let mut page = Page::new(found.records, next.map(cursor).transpose()?);
    page.undecodable = found.undecodable;
    page.total = total;
    Ok(page)
}

fn cursor(place: Place) -> Result<PageCursor> {
    serde_json::to_string(&place)
        .map(PageCursor::new)
        .map_err(|error| Error::invalid(ErrorCode::InvalidRequest, "a place cannot be written").caused_by(error))
}

/// A list by its number, a tag as `tag:7`, a segment as `segment:3`: the parameters of its members.
fn scope(list: &str) -> Result<Vec<(&'static str, String)>> {
    let (kind, number) = list.split_once(':').unwrap_or(("list", list));
    let number = number.trim();
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(no_list(list));
    }
    match kind {
        // Those who left it are on it no more.
        "list" => Ok(vec![("listid", number.to_owned()), ("status", "1".to_owned())]),
        "segment" => Ok(vec![("segmentid", number.to_owned()), ("forceQuery", "1".to_owned())]),
        "tag" => Ok(vec![("tagid", number.to_owned())]),
        _ => Err(no_list(list)),
    }
}

fn no_list(list: &str) -> Error {
    let message =
        format!("\"{list}\" names no list of ActiveCampaign: give a list's number, such as 7, or tag:7, or segment:7");
    Error::invalid(ErrorCode::InvalidSettings, message)
}

/// Makes sure that a list or tag without members is there: one that was deleted shows none either.
async fn is_there(reader: &Reader<'_>, list: &str, scope: &[(&'static str, String)]) -> Result<()> {
    let named = scope.iter().find_map(|(name, number)| match *name {
        "listid" => Some(format!("lists/{number}")),
        "tagid" => Some(format!("tags/{number}")),
        _ => None,
    });
    let Some(path) = named else { return Ok(()) };
    match reader.api.get(reader.on, reader.operation().to_owned(), &path, &[]).await {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let message = format!("\"{list}\" is not there, or no more");
            Err(Error::invalid(ErrorCode::InvalidSettings, message).caused_by(error).at(reader.operation()))
        }
        answer => answer.map(|_| ()),
    }
}

/// A page of members. A segment that was not asked for within an hour is evaluated first, and shows no members meanwhile.
async fn members(reader: &Reader<'_>, scope: &[(&'static str, String)], place: Option<Place>) -> Result<Rows> {
    if reader.object != Object::Contact {
        let message = format!("activecampaign has no lists of {}", reader.object.plural());
        return Err(Error::invalid(ErrorCode::Unsupported, message));
    }
    let query: Vec<(&str, &str)> = scope.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let is_segment = query.iter().any(|(name, _)| *name == "segmentid");
    for _ in 1..SEGMENT_TRIES {
        match walk::page(reader, &query, place.clone()).await {
            Err(error) if is_segment && error.code() == ErrorCode::InvalidAnswer => {
                reader.api.clock().sleep(SEGMENT_WAIT).await;
            }
            read => return read,
        }
    }
    walk::page(reader, &query, place).await.map_err(|error| match error.code() {
        ErrorCode::InvalidAnswer if is_segment => {
            let message = "the segment is still being evaluated";
            Error::new(ErrorKind::Unavailable, ErrorCode::ServerUnavailable, message)
        }
        _ => error,
    })
}
