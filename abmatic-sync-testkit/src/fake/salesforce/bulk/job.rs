//! Jobs: what they are about, how far they are, and what the API says of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::fake::salesforce::bulk::csv::Format;
use crate::fake::salesforce::errors::{self, Refusal};
use crate::fake::salesforce::id;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::record::whole_seconds;
use crate::fake::salesforce::soql::plan::Plan;
use crate::fake::salesforce::turn::Turn;
use crate::fake::salesforce::view::moment_text;

/// The prefix of job ids.
const PREFIX: id::Prefix = *b"750";

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Aborted,
    Complete,
    Failed,
    Running,
    /// An ingest job that waits for its data.
    Open,
    UploadComplete,
}

impl Progress {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Aborted => "Aborted",
            Self::Failed => "Failed",
            Self::Running => "InProgress",
            Self::Complete => "JobComplete",
            Self::Open => "Open",
            Self::UploadComplete => "UploadComplete",
        }
    }

    pub(crate) fn is_over(self) -> bool {
        matches!(self, Self::Aborted | Self::Failed | Self::Complete)
    }
}

/// One job.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) number: u64,
    pub(crate) created: i64,
    pub(crate) stamp: i64,
    pub(crate) by: u64,
    pub(crate) version: u16,
    pub(crate) operation: String,
    pub(crate) kind: Kind,
    pub(crate) format: Format,
    pub(crate) progress: Progress,
    /// Polls that it still stays on its way.
    pub(crate) polls_left: u32,
    pub(crate) error: Option<String>,
    pub(crate) work: Work,
}

/// What a job does.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    Load(Box<Load>),
    Query(Box<Reading>),
}

/// A query job.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) plan: Plan,
    /// Found when the job completes.
    pub(crate) numbers: Vec<u64>,
}

/// An ingest job.
#[derive(Clone, Debug, Default)]
pub(crate) struct Load {
    pub(crate) external_id: Option<String>,
    /// What was uploaded.
    pub(crate) data: Option<Vec<u8>>,
    pub(crate) successful: Vec<u8>,
    pub(crate) failed: Vec<u8>,
    pub(crate) unprocessed: Vec<u8>,
    pub(crate) processed_count: u64,
    pub(crate) failed_count: u64,
}

impl Job {
    pub(crate) fn id(&self) -> String {
        id::text(PREFIX, self.number)
    }

    /// What every answer about a job has.
    pub(crate) fn shown(&self) -> Value {
        let (delimiter, line_ending) = self.format.names();
        let mut shown = json!({
            "id": self.id(), "operation": self.operation, "object": self.kind.name(),
            "createdById": id::text(Kind::USER.prefix(), self.by), "createdDate": moment_text(self.created),
            "systemModstamp": moment_text(self.stamp), "state": self.progress.name(), "concurrencyMode": "Parallel",
            "contentType": "CSV", "apiVersion": f64::from(self.version), "lineEnding": line_ending,
            "columnDelimiter": delimiter,
        });
        if let Work::Load(load) = &self.work {
            if let Some(field) = &load.external_id {
                shown["externalIdFieldName"] = field.as_str().into();
            }
            if self.progress == Progress::Open {
                let path = format!("services/data/v{}.0/jobs/ingest/{}/batches", self.version, self.id());
                shown["contentUrl"] = path.into();
            }
        }
        shown
    }

    /// What a poll tells beyond that.
    pub(crate) fn detailed(&self) -> Value {
        let mut shown = self.shown();
        shown["retries"] = 0.into();
        shown["totalProcessingTime"] = if self.progress.is_over() { 334 } else { 0 }.into();
        match &self.work {
            Work::Query(reading) => {
                shown["jobType"] = "V2Query".into();
                shown["numberRecordsProcessed"] = reading.numbers.len().into();
                shown["isPkChunkingSupported"] = true.into();
            }
            Work::Load(load) => {
                shown["jobType"] = "V2Ingest".into();
                shown["numberRecordsProcessed"] = load.processed_count.into();
                shown["numberRecordsFailed"] = load.failed_count.into();
                shown["apiActiveProcessingTime"] = shown["totalProcessingTime"].clone();
                shown["apexProcessingTime"] = 0.into();
            }
        }
        if let Some(error) = &self.error {
            shown["errorMessage"] = error.as_str().into();
        }
        shown
    }

    pub(crate) fn move_to(&mut self, progress: Progress, now: i64) {
        self.progress = progress;
        self.stamp = whole_seconds(now);
    }

    /// One poll later; true when the job is now to be carried out.
    pub(crate) fn poll(&mut self, now: i64) -> bool {
        match self.progress {
            Progress::UploadComplete | Progress::Running if self.polls_left > 0 => {
                self.polls_left -= 1;
                self.move_to(Progress::Running, now);
                false
            }
            Progress::UploadComplete | Progress::Running => true,
            _ => false,
        }
    }
}

/// All jobs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jobs {
    jobs: BTreeMap<u64, Job>,
    last: u64,
    queries: u64,
    loads: u64,
}

impl Jobs {
    /// Ingest and query jobs that were ever made.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.loads, self.queries)
    }

    /// Keeps a new job, and answers its number.
    pub(crate) fn add(&mut self, turn: &Turn, mut job: Job) -> u64 {
        match &job.work {
            Work::Load(_) => self.loads += 1,
            Work::Query(_) => self.queries += 1,
        }
        self.last += 1;
        job.number = id::FIRST_NUMBER + self.last;
        (job.created, job.stamp) = (whole_seconds(turn.now), whole_seconds(turn.now));
        let number = job.number;
        self.jobs.insert(number, job);
        number
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values()
    }

    /// The job of that id, if it is one of queries, or of loads.
    pub(crate) fn find(&mut self, text: &str, is_query: bool) -> Result<&mut Job, Refusal> {
        let parsed = id::parse(text).filter(|parsed| parsed.prefix == PREFIX);
        let job = parsed.and_then(|parsed| self.jobs.get_mut(&parsed.number));
        job.filter(|job| matches!(job.work, Work::Query(_)) == is_query).ok_or_else(errors::not_found)
    }

    /// Forgets a job that is over.
    pub(crate) fn remove(&mut self, text: &str, is_query: bool) -> Result<(), Refusal> {
        let job = self.find(text, is_query)?;
        if !job.progress.is_over() {
            let message = format!("Job cannot be deleted while it is {}", job.progress.name());
            return Err(errors::invalid("INVALIDJOBSTATE", message));
        }
        let number = job.number;
        self.jobs.remove(&number);
        Ok(())
    }
}
