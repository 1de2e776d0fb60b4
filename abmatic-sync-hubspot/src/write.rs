//! Batches of writes and their outcomes: split where one bad row spoils the rest, aligned by id or key, merges followed.

use std::collections::BTreeSet;
use std::sync::Arc;

use abmatic_sync_core::connector::request::{Write, WriteOutcome, Written};
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_http::retry::Resend;
use serde_json::json;

use crate::align::{Part, align_updates};
use crate::api::Api;
use crate::associations::{LinkChange, change};
use crate::describe::{Described, described};
use crate::errors::row_error;
use crate::object::{Object, RECORD_ID};
use crate::row::Row;
use crate::values;
use crate::wire::{Batch, WithId, WrittenRecord};

/// Inputs of one batch ("batches").
pub(crate) const BATCH_MAX: usize = 100;

/// Writes records and says what became of each, in their order.
pub(crate) async fn write(
    api: &Api,
    on: &Connection,
    resource: Resource,
    writes: Vec<Write>,
) -> Result<Vec<WriteOutcome>> {
    let object = Object::of(resource)?;
    let described = described(api, on, object).await?;
    let (mut creates, mut updates, mut archives) = (Vec::new(), Vec::new(), Vec::new());
    for (at, write) in writes.iter().enumerate() {
        match write {
            Write::Create { intent, fields } => {
                creates.push(Row::create(at, intent.as_str(), fields, object, resource, &described));
            }
            Write::Update { id, fields, references_before, .. } => {
                updates.push(Row::update(at, id.as_str(), fields, references_before, object, &described));
            }
            Write::Archive { id } => archives.push((at, id.as_str().to_owned())),
            _ => {}
        }
    }
    let mut writer = Writer::new(api, on, object, described, writes.len());
    writer.creates(creates).await?;
    writer.updates(updates).await?;
    writer.archives(archives).await?;
    writer.finish().await
}

/// Asks for the scope by a batch without a record: whoever lacks it is refused before the batch is looked at.
///
/// # Errors
/// [`ErrorKind::Forbidden`] with the scopes that are missing.
pub(crate) async fn may_write(api: &Api, on: &Connection, object: Object) -> Result<()> {
    let path = api.version.record_batch(object, "update");
    let operation = format!("hubspot check {}", object.name());
    match api.post(on, operation, &path, &json!({"inputs": []}), Resend::Safe).await {
        Err(error) if error.kind() != ErrorKind::Invalid => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Collects what became of each write.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    pub(crate) api: &'a Api,
    pub(crate) on: &'a Connection,
    pub(crate) object: Object,
    pub(crate) described: Arc<Described>,
    outcomes: Vec<Option<WriteOutcome>>,
    links: Vec<(usize, LinkChange)>,
    /// What keeps every further call from getting through.
    stopped: Option<Error>,
}

impl<'a> Writer<'a> {
    fn new(api: &'a Api, on: &'a Connection, object: Object, described: Arc<Described>, count: usize) -> Self {
        let outcomes = std::iter::repeat_with(|| None).take(count).collect();
        Self { api, on, object, described, outcomes, links: Vec::new(), stopped: None }
    }

    pub(crate) fn operation(&self) -> String {
        format!("hubspot write {}", self.object.name())
    }

    /// Notes a failed row.
    pub(crate) fn fail(&mut self, at: usize, error: Error) {
        if let Some(outcome) = self.outcomes.get_mut(at) {
            *outcome = Some(WriteOutcome::Failed(error));
        }
    }

    /// Notes a failure of every one of `rows`. When nothing was written yet and nothing will be, it is the batch's.
    pub(crate) fn fail_all(&mut self, rows: &[Row], error: Error) -> Result<()> {
        if error.stops_run() {
            if self.outcomes.iter().all(Option::is_none) {
                return Err(error);
            }
            self.stopped = Some(error.restated());
        }
        if let [row] = rows {
            self.fail(row.at, error);
            return Ok(());
        }
        for row in rows {
            self.fail(row.at, error.restated());
        }
        Ok(())
    }

    /// Spares the calls that would fail like the one before.
    pub(crate) fn go_on(&self) -> Result<()> {
        self.stopped.as_ref().map_or(Ok(()), |error| Err(error.restated()))
    }

    /// Notes a written row, and its associations to change. `inline` ones are written already.
    pub(crate) fn wrote(&mut self, row: &Row, record: &WrittenRecord, inline: bool) {
        let mut written = Written::new(record.id.0.as_str());
        written.fields = row.stored(record, &self.described);
        written.modified_at = record.updated_at.as_deref().and_then(values::instant);
        self.note(row, written, inline);
    }

    fn note(&mut self, row: &Row, written: Written, inline: bool) {
        if !inline {
            let from = written.id.as_str().to_owned();
            self.links.extend(row.links.iter().map(|link| {
                let (relation, change, to) = (link.relation, link.change, link.to.clone());
                (row.at, LinkChange { relation, change, from: from.clone(), to })
            }));
        }
        if let Some(outcome) = self.outcomes.get_mut(row.at) {
            *outcome = Some(WriteOutcome::Written(written));
        }
    }

    async fn updates(&mut self, rows: Vec<Row>) -> Result<()> {
        let (rows, only_links): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| !row.properties.is_empty());
        for row in &only_links {
            self.note(row, Written::new(row.key.as_str()), false);
        }
        let mut pending = batches(rows);
        while let Some(mut rows) = pending.pop() {
            match self.send_updates(&rows).await {
                Ok(batch) => self.settle_updates(&rows, batch).await,
                Err(error) if is_spoilt(&error) && rows.len() > 1 => {
                    let half = rows.split_off(rows.len() / 2);
                    pending.extend([half, rows]);
                }
                Err(error) => self.fail_all(&rows, error)?,
            }
        }
        Ok(())
    }

    async fn send_updates(&self, rows: &[Row]) -> Result<Batch<WrittenRecord>> {
        self.go_on()?;
        let input = |row: &Row| json!({"id": row.key, "properties": row.properties, "objectWriteTraceId": row.key});
        let body = json!({"inputs": rows.iter().map(input).collect::<Vec<_>>()});
        let path = self.api.version.record_batch(self.object, "update");
        self.api.post(self.on, self.operation(), &path, &body, Resend::Safe).await?.json()
    }

    async fn settle_updates(&mut self, rows: &[Row], batch: Batch<WrittenRecord>) {
        let parts = align_updates(rows, batch.results, batch.errors);
        for (row, part) in rows.iter().zip(parts) {
            let error = match part {
                Part::Written(record) => {
                    self.wrote(row, &record, false);
                    continue;
                }
                Part::Refused(refusal) => row_error(&refusal),
                // Ids that were merged away are left out without a word.
                Part::Unmentioned => Error::new(ErrorKind::NotFound, ErrorCode::RecordGone, "the record is gone"),
            };
            if error.kind() != ErrorKind::NotFound {
                self.fail(row.at, error.at(&self.operation()));
                continue;
            }
            match self.update_survivor(row).await {
                Ok(Some(record)) => self.wrote(row, &record, false),
                Ok(None) => self.fail(row.at, error.at(&self.operation())),
                Err(other) => self.fail(row.at, other),
            }
        }
    }

    /// Writes to the record that answers for a row's id after a merge; `None` when none does.
    async fn update_survivor(&self, row: &Row) -> Result<Option<WrittenRecord>> {
        let path = self.api.version.record(self.object, &row.key);
        let survivor = match self.api.get(self.on, self.operation(), &path, &[("properties", RECORD_ID)]).await {
            Ok(answer) => answer.json::<WithId>()?.id.0,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let path = self.api.version.record(self.object, &survivor);
        let answer = self.api.patch(self.on, self.operation(), &path, &json!({"properties": row.properties})).await?;
        answer.json().map(Some)
    }

    async fn archives(&mut self, rows: Vec<(usize, String)>) -> Result<()> {
        let path = self.api.version.record_batch(self.object, "archive");
        for part in rows.chunks(BATCH_MAX) {
            let ids: BTreeSet<&String> = part.iter().map(|(_, id)| id).collect();
            let body = json!({"inputs": ids.into_iter().map(|id| WithId::new(id)).collect::<Vec<_>>()});
            match self.api.post(self.on, self.operation(), &path, &body, Resend::Safe).await {
                Ok(_) => {
                    for (at, id) in part {
                        if let Some(outcome) = self.outcomes.get_mut(*at) {
                            *outcome = Some(WriteOutcome::Written(Written::new(id.as_str())));
                        }
                    }
                }
                Err(error) if error.stops_run() && self.outcomes.iter().all(Option::is_none) => return Err(error),
                Err(error) => part.iter().for_each(|(at, _)| self.fail(*at, error.restated())),
            }
        }
        Ok(())
    }

    /// Changes the associations of what was written. One that fails leaves a warning: the record itself is written.
    async fn finish(mut self) -> Result<Vec<WriteOutcome>> {
        let links = std::mem::take(&mut self.links);
        let changes: Vec<LinkChange> = links.iter().map(|(_, link)| link.clone()).collect();
        for (failed, why) in change(self.api, self.on, changes).await {
            let same = |link: &LinkChange| {
                std::ptr::eq(link.relation, failed.relation) && link.from == failed.from && link.to == failed.to
            };
            let Some((at, _)) = links.iter().find(|(_, link)| same(link)) else { continue };
            if let Some(Some(WriteOutcome::Written(written))) = self.outcomes.get_mut(*at) {
                written.unwritten.insert(failed.relation.name.clone());
                written.warnings.push(format!("{} {}: {why}", failed.relation.name, failed.to));
            }
        }
        let unsaid = || {
            let message = "the answer does not say what became of the record";
            WriteOutcome::Failed(Error::new(ErrorKind::Ambiguous, ErrorCode::InvalidAnswer, message))
        };
        Ok(self.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(unsaid)).collect())
    }
}

/// Batches of rows with distinct keys, the first one last: HubSpot refuses a batch that names an id twice.
pub(crate) fn batches(rows: Vec<Row>) -> Vec<Vec<Row>> {
    let mut batches: Vec<(BTreeSet<String>, Vec<Row>)> = Vec::new();
    for row in rows {
        // Only the last batches have room, and rows of one key must keep their order.
        let open = batches.iter().rposition(|(keys, rows)| rows.len() >= BATCH_MAX || keys.contains(&row.key));
        let place = open.map_or(0, |blocked| blocked + 1);
        if place == batches.len() {
            batches.push((BTreeSet::new(), Vec::new()));
        }
        if let Some((keys, rows)) = batches.get_mut(place) {
            keys.insert(row.key.clone());
            rows.push(row);
        }
    }
    batches.into_iter().rev().map(|(_, rows)| rows).collect()
}

/// Whether one row spoilt the whole batch, of which surely nothing was written.
pub(crate) fn is_spoilt(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Duplicate | ErrorKind::Invalid | ErrorKind::Conflict)
}
