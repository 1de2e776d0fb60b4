//! Bulk API 2.0 queries: a job, polled by the clock, and its results page by page ("Bulk API 2.0: Query").
//!
//! A page of results is one answer, so that memory stays flat however many records the job holds.

use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_http::paging::repeated;
use abmatic_sync_http::retry::Resend;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::layout::Layout;
use crate::reader::{Bin, Found, Reader};
use crate::rows;
use crate::wire::Job;

/// The first wait for a job; each further one is half as long again.
const WAIT_MIN: Duration = Duration::from_secs(2);
const WAIT_MAX: Duration = Duration::from_secs(30);
/// So many waits belong to one step; then the caller gets to breathe.
const WAITS_OF_STEP: u32 = 4;
/// A page of wide rows holds fewer of them.
const CELLS_MAX: usize = 400_000;
/// Where the next page of results begins.
const LOCATOR: &str = "sforce-locator";
/// How many records the page holds; proxies leave it out.
const RECORDS: &str = "sforce-numberofrecords";

/// A query job, and the place in its results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QueryJob {
    id: String,
    /// How often it was asked for; also keeps two places from looking alike.
    polls: u32,
    /// It is complete, and its results are read from here on.
    results: Option<String>,
}

/// What a step of a job brought.
#[derive(Debug)]
pub(crate) enum Progress {
    /// The job failed, and does not say why.
    Failed,
    /// A page of results, and the place of the next one.
    Page(Found, Option<QueryJob>),
    /// Not ready.
    Working(QueryJob),
}

impl QueryJob {
    /// Makes a job. One that is made twice costs a job and nothing else.
    pub(crate) async fn start(reader: &Reader<'_>, soql: &str, bin: Bin) -> Result<Self> {
        let operation = if bin == Bin::Included { "queryAll" } else { "query" };
        let body = json!({"operation": operation, "query": soql, "columnDelimiter": "COMMA", "lineEnding": "LF"});
        let path = reader.api.version().query_jobs();
        let to = (Method::POST, path.as_str());
        let answer = reader.api.send_json(reader.on, reader.operation.clone(), to, &body, Resend::Read).await?;
        Ok(Self { id: answer.json::<Job>()?.id, polls: 0, results: None })
    }

    /// Waits for the job a while, or reads the next page of its results.
    pub(crate) async fn step(mut self, reader: &Reader<'_>, layout: &Layout) -> Result<Progress> {
        if self.results.is_none() {
            match self.wait(reader).await? {
                State::Complete => self.results = Some(String::new()),
                State::Failed => return Ok(Progress::Failed),
                State::Working => return Ok(Progress::Working(self)),
            }
        }
        self.page(reader, layout).await
    }

    async fn wait(&mut self, reader: &Reader<'_>) -> Result<State> {
        let path = reader.api.version().query_job(&self.id, "");
        for _ in 0..WAITS_OF_STEP {
            let answer = reader.api.get(reader.on, reader.operation.clone(), &path, &[]).await?;
            let state = State::of(&answer.json::<Job>()?.state);
            if state != State::Working {
                return Ok(state);
            }
            pause(reader.api.clock(), self.polls).await;
            self.polls += 1;
        }
        Ok(State::Working)
    }

    async fn page(self, reader: &Reader<'_>, layout: &Layout) -> Result<Progress> {
        let path = reader.api.version().query_job(&self.id, "/results");
        let most = (CELLS_MAX / layout.paths().len().max(1)).clamp(1, reader.api.options.bulk_page).to_string();
        let place = self.results.clone().unwrap_or_default();
        let mut query = vec![("maxRecords", most.as_str())];
        if !place.is_empty() {
            query.push(("locator", place.as_str()));
        }
        let answer = reader.api.get_csv(reader.on, reader.operation.clone(), &path, &query).await?;
        let (records, undecodable) = rows::decode(layout, answer.body()).map_err(|error| reader.at(error))?;
        let told = answer.headers().get(RECORDS).and_then(|value| value.to_str().ok()?.trim().parse::<usize>().ok());
        if told.is_some_and(|told| told != records.len() + undecodable.len()) {
            let message = "the job's result holds another number of records than it says";
            return Err(reader.at(Error::new(ErrorKind::Undocumented, ErrorCode::InvalidAnswer, message)));
        }
        let next = answer.headers().get(LOCATOR).and_then(|value| value.to_str().ok()).map(str::trim);
        // The last page says "null"; proxies leave the header out.
        let next = next.filter(|next| !next.is_empty() && *next != "null");
        if next == Some(place.as_str()) {
            return Err(reader.at(repeated(&place)));
        }
        let next = next.map(|next| Self { results: Some(next.to_owned()), ..self.clone() });
        Ok(Progress::Page(Found { records, undecodable }, next))
    }
}

/// Where a job of either kind is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Complete,
    Failed,
    Working,
}

impl State {
    /// Reads Salesforce's word.
    pub(crate) fn of(word: &str) -> Self {
        match word {
            "JobComplete" => Self::Complete,
            "Aborted" | "Failed" => Self::Failed,
            _ => Self::Working,
        }
    }
}

/// Waits before a job is asked for again, the longer the more often it was.
pub(crate) async fn pause(clock: &dyn Clock, polls: u32) {
    let mut wait = WAIT_MIN;
    for _ in 0..polls.min(16) {
        wait = (wait * 3 / 2).min(WAIT_MAX);
    }
    clock.sleep(wait).await;
}
