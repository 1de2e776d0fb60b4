//! Ingest jobs that are still at work: one that lost its caller is carried out all the same, so that a create of it only
//! surely did not happen once the job has ended.

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_http::paging::repeated;

use crate::bulk_query::{State, pause};
use crate::ingest::POLLS_MAX;
use crate::reader::Reader;
use crate::wire::{Job, Jobs};

/// An open job waits for its data or its start, which nobody is left to give.
const OPEN: &str = "Open";

impl Reader<'_> {
    /// Waits for the jobs at work that upsert this object by `field`.
    pub(crate) async fn await_jobs(&self, field: &str) -> Result<()> {
        let jobs = match self.jobs_at_work(field).await {
            // Who may not see jobs has started none.
            Err(error) if matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::NotFound) => Vec::new(),
            jobs => jobs?,
        };
        for job in &jobs {
            self.await_end(job).await?;
        }
        Ok(())
    }

    async fn jobs_at_work(&self, field: &str) -> Result<Vec<String>> {
        let is_ours = |job: &Job| {
            let object = job.object.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(self.object.name()));
            let key = job.external_id_field_name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(field));
            // The list leaves the field out where it is short of words.
            object && (key || job.external_id_field_name.is_none())
        };
        let mut found = Vec::new();
        let mut path = self.api.version().ingest_jobs();
        loop {
            let answer = self.api.get(self.on, self.operation.clone(), &path, &[]).await?;
            let page: Jobs = answer.json()?;
            let at_work = page
                .records
                .into_iter()
                .filter(|job| is_ours(job) && job.state != OPEN && State::of(&job.state) == State::Working);
            found.extend(at_work.map(|job| job.id));
            match page.next_records_url.filter(|next| !next.is_empty()) {
                Some(next) if next == path => return Err(self.at(repeated(&next))),
                Some(next) => path = next,
                None => return Ok(found),
            }
        }
    }

    async fn await_end(&self, job: &str) -> Result<()> {
        let path = self.api.version().ingest_job(job, "");
        for polls in 0..POLLS_MAX {
            let answer = self.api.get(self.on, self.operation.clone(), &path, &[]).await?;
            if State::of(&answer.json::<Job>()?.state) != State::Working {
                return Ok(());
            }
            pause(self.api.clock(), polls).await;
        }
        let message = format!("the bulk job {job} does not end, so nobody knows yet what it makes");
        Err(self.at(Error::new(ErrorKind::Unavailable, ErrorCode::ServerUnavailable, message)))
    }
}
