//! The way through a long read: pages of a query by locator, by keyset where the locator has died, by Bulk where that is
//! cheaper. Its place outlives the process.

use abmatic_sync_core::connector::request::{Page, PageCursor};
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_http::paging::{Trail, advance};
use serde::{Deserialize, Serialize};

use crate::bulk_query::{Progress, QueryJob};
use crate::layout::Layout;
use crate::object::{ID, MODIFIED};
use crate::reader::{Bin, Found, QueryResult, Reader};
use crate::record::Decoded;
use crate::soql::{QUERY_BYTES_MAX, Query, encoded_len, moment, quoted};

/// In which order a read goes, so that it can go on after any record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// By id.
    Id,
    /// By the time of the last change, then by id: many records can share one time.
    Modified,
}

impl Order {
    fn text(self) -> &'static str {
        match self {
            Self::Id => "Id",
            Self::Modified => "SystemModstamp,Id",
        }
    }

    fn after(self, last: &Last) -> String {
        match (self, &last.modified) {
            (Self::Modified, Some(time)) => {
                let id = quoted(&last.id);
                format!("{MODIFIED} > {time} OR ({MODIFIED} = {time} AND {ID} > {id})")
            }
            _ => format!("{ID} > {}", quoted(&last.id)),
        }
    }
}

/// The record after which a read goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Last {
    id: String,
    modified: Option<String>,
}

/// A place in a read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Place {
    /// The last record that came by REST. What follows can always be asked for anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<Last>,
    #[serde(default)]
    way: Way,
}

/// How the read goes on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
enum Way {
    /// By a Bulk job that is yet to be made.
    Bulk,
    /// By a Bulk job.
    Job(QueryJob),
    /// By a query's locator.
    Locator(Trail),
    /// By a new query.
    #[default]
    Query,
}

/// A long read.
#[derive(Debug)]
pub(crate) struct Walk<'r, 'a> {
    pub(crate) reader: &'r Reader<'a>,
    pub(crate) layout: Layout,
    /// All but order and place.
    pub(crate) query: Query,
    pub(crate) order: Order,
    pub(crate) bin: Bin,
}

/// One step of a walk.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) found: Found,
    pub(crate) next: Option<PageCursor>,
    pub(crate) total: Option<u64>,
}

impl Walk<'_, '_> {
    /// The page at `cursor`.
    pub(crate) async fn step(&self, cursor: Option<&PageCursor>) -> Result<Step> {
        let place = match cursor {
            None => return self.first().await,
            Some(cursor) => parse(cursor).map_err(|error| self.reader.at(error))?,
        };
        match place.way {
            Way::Query => self.query_after(place.last).await,
            Way::Locator(trail) => self.by_locator(place.last, trail).await,
            Way::Bulk => self.start_job(place.last).await,
            Way::Job(job) => self.by_job(place.last, job).await,
        }
    }

    async fn first(&self) -> Result<Step> {
        let options = &self.reader.api.options;
        let can_bulk = !self.layout.roles;
        if can_bulk && encoded_len(&self.text(None)) > QUERY_BYTES_MAX {
            // Too long for an address; a job has its query in the body.
            return self.start_job(None).await;
        }
        let mut step = match self.query_after(None).await {
            // Too much for one query in the time that it has.
            Err(error) if can_bulk && error.code() == ErrorCode::Unsupported => return self.start_job(None).await,
            step => step?,
        };
        let is_large = step.total.is_some_and(|total| total >= options.bulk_read_min);
        if let (true, true, Some(next)) = (can_bulk, is_large, &step.next) {
            let last = parse(next)?.last;
            step.next = last.is_some().then(|| cursor(Place { last, way: Way::Bulk })).transpose()?;
        }
        Ok(step)
    }

    fn text(&self, last: Option<&Last>) -> String {
        self.after(last).ordered(self.order.text()).text()
    }

    fn after(&self, last: Option<&Last>) -> Query {
        let query = self.query.clone();
        match last {
            Some(last) => query.filtered(self.order.after(last)),
            None => query,
        }
    }

    async fn query_after(&self, last: Option<Last>) -> Result<Step> {
        let result = self.reader.query(&self.layout, &self.text(last.as_ref()), self.bin).await?;
        let total = if last.is_none() { result.total } else { None };
        self.went(last, None, result, total)
    }

    async fn by_locator(&self, last: Option<Last>, trail: Trail) -> Result<Step> {
        match self.reader.page(&self.layout, trail.after()).await {
            Ok(result) => self.went(last, Some(trail), result, None),
            // A locator dies with its session, and two days after it was given.
            Err(error) if is_dead(&error) && last.is_some() => self.query_after(last).await,
            Err(error) => Err(error),
        }
    }

    fn went(
        &self,
        before: Option<Last>,
        trail: Option<Trail>,
        result: QueryResult,
        total: Option<u64>,
    ) -> Result<Step> {
        let trail = advance(trail, result.next).map_err(|error| self.reader.at(error))?;
        // One without its time says nothing about the order by time.
        let tells = |one: &&Decoded| self.order == Order::Id || one.record.modified_at.is_some();
        let last = result
            .found
            .records
            .iter()
            .rev()
            .find(tells)
            .map(|one| Last { id: one.record.id.to_string(), modified: one.record.modified_at.map(moment) });
        let next = trail.map(|trail| cursor(Place { last: last.or(before), way: Way::Locator(trail) })).transpose()?;
        Ok(Step { found: result.found, next, total })
    }

    async fn start_job(&self, last: Option<Last>) -> Result<Step> {
        // No order: it would keep Salesforce from splitting the query up.
        let soql = self.after(last.as_ref()).text();
        match QueryJob::start(self.reader, &soql, self.bin).await {
            Ok(job) => self.pause(last, job),
            // Not every object, query or org is for Bulk; a query by REST then goes on to the end.
            Err(error) if matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Forbidden) => {
                self.query_after(last).await
            }
            Err(error) => Err(error),
        }
    }

    async fn by_job(&self, last: Option<Last>, job: QueryJob) -> Result<Step> {
        match job.step(self.reader, &self.layout).await {
            Ok(Progress::Page(found, Some(job))) => {
                let next = Some(cursor(Place { last, way: Way::Job(job) })?);
                Ok(Step { found, next, total: None })
            }
            Ok(Progress::Page(found, None)) => Ok(Step { found, next: None, total: None }),
            Ok(Progress::Working(job)) => self.pause(last, job),
            Ok(Progress::Failed) => self.query_after(last).await,
            // Deleted, aged out, or made by another version: what it gave comes again.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Conflict) => {
                self.query_after(last).await
            }
            Err(error) => Err(error),
        }
    }

    /// Nothing yet, but a place to go on from: whoever resumes finds the job again.
    fn pause(&self, last: Option<Last>, job: QueryJob) -> Result<Step> {
        let next = Some(cursor(Place { last, way: Way::Job(job) })?);
        Ok(Step { found: Found::default(), next, total: None })
    }
}

/// Whether a query's locator is not known any more.
fn is_dead(error: &Error) -> bool {
    error.kind() == ErrorKind::Conflict || error.kind() == ErrorKind::NotFound
}

fn parse(cursor: &PageCursor) -> Result<Place> {
    serde_json::from_str(cursor.as_str()).map_err(|error| {
        Error::invalid(ErrorCode::InvalidRequest, "the page cursor is not one of this read").caused_by(error)
    })
}

fn cursor(place: Place) -> Result<PageCursor> {
    let text = serde_json::to_string(&place).map_err(|error| {
        Error::invalid(ErrorCode::InvalidRequest, "the page cursor cannot be written").caused_by(error)
    })?;
    Ok(PageCursor::new(text))
}

impl Step {
    /// A page of the step's live records, as they are.
    pub(crate) fn into_page(self) -> Page {
        let records = self.found.records.into_iter().map(|one| one.record).collect();
        let mut page = Page::new(records, self.next);
        page.undecodable = self.found.undecodable;
        page.total = self.total;
        page
    }
}
