//! Writes and their outcomes: sorted out, sent in Collections or by Bulk, read back as Salesforce keeps them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use abmatic_sync_core::connector::request::{Write, WriteOutcome, Written};
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::ids::{FieldName, RemoteId};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::steps::form::kept_of;

use crate::activity;
use crate::api::Api;
use crate::describe::{Described, described};
use crate::id::long_id;
use crate::layout::Layout;
use crate::object::Object;
use crate::reader::Reader;
use crate::row::{Row, Verb};
use crate::wire::SaveResult;

/// Records in one Collections call ("sObject Collections").
pub(crate) const COLLECTION_MAX: usize = 200;

/// Writes records and says what became of each, in their order.
pub(crate) async fn write(
    api: &Api,
    on: &Connection,
    resource: Resource,
    writes: Vec<Write>,
) -> Result<Vec<WriteOutcome>> {
    let object = Object::of(resource)?;
    let mut writer = Writer::new(api, on, object, described(api, on, object).await?, writes.len());
    let (mut rows, mut archives) = (Vec::new(), Vec::new());
    for (at, write) in writes.iter().enumerate() {
        match writer.row(at, write).await? {
            Sorted::Archive(id) => archives.push((at, id)),
            Sorted::Refused(error) => writer.fail(at, error.at(&writer.operation())),
            Sorted::Row(row) => rows.push(row),
        }
    }
    let rows = writer.conditionally(rows).await?;
    let rows = writer.in_bulk(rows).await?;
    writer.in_collections(rows).await?;
    writer.archives(archives).await?;
    writer.finish().await
}

enum Sorted {
    Archive(String),
    Refused(Error),
    Row(Row),
}

/// Collects what became of each write.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    pub(crate) api: &'a Api,
    pub(crate) on: &'a Connection,
    pub(crate) object: Object,
    pub(crate) described: Arc<Described>,
    outcomes: Vec<Option<WriteOutcome>>,
    /// What was written, to be read back.
    written: Vec<Row>,
    /// What keeps every further call from getting through.
    stopped: Option<Error>,
}

impl<'a> Writer<'a> {
    fn new(api: &'a Api, on: &'a Connection, object: Object, described: Arc<Described>, count: usize) -> Self {
        let outcomes = std::iter::repeat_with(|| None).take(count).collect();
        Self { api, on, object, described, outcomes, written: Vec::new(), stopped: None }
    }

    pub(crate) fn operation(&self) -> String {
        format!("salesforce write {}", self.object.name())
    }

    pub(crate) fn reader(&self) -> Reader<'a> {
        Reader::new(self.api, self.on, self.object, Arc::clone(&self.described), "write")
    }

    /// The definitions of an object that a row is for.
    pub(crate) async fn described(&self, object: Object) -> Result<Arc<Described>> {
        if object == self.object { Ok(Arc::clone(&self.described)) } else { described(self.api, self.on, object).await }
    }

    async fn row(&self, at: usize, write: &Write) -> Result<Sorted> {
        let row = match write {
            Write::Archive { id } => return Ok(Sorted::Archive(long_id(id.as_str()))),
            Write::Create { intent, fields } => match activity::membership(self.object, fields) {
                Some(fields) => {
                    let described = self.described(Object::CampaignMember).await?;
                    fields.and_then(|fields| {
                        Row::create(at, intent.as_str(), &fields, Object::CampaignMember, &described)
                    })
                }
                None => Row::create(at, intent.as_str(), fields, self.object, &self.described),
            },
            Write::Update { id, fields, references_before, unmodified_since } => {
                let (object, described) = match activity::is_member(id.as_str()) {
                    true => (Object::CampaignMember, self.described(Object::CampaignMember).await?),
                    false => (self.object, Arc::clone(&self.described)),
                };
                let row = Row::update(at, id.as_str(), (fields, references_before), object, &described);
                let row = row.map(|row| Row { unmodified_since: *unmodified_since, ..row });
                // The link of a lead that was followed already.
                let is_contact = object == Object::Lead && id.as_str().starts_with(Object::Contact.prefix());
                match row {
                    Ok(row) if is_contact => {
                        let contact = self.described(Object::Contact).await?;
                        let id = row.key.clone();
                        Ok(row.moved_to(&id, Object::Contact, &contact))
                    }
                    row => row,
                }
            }
            _ => Err(Error::invalid(ErrorCode::Unsupported, "salesforce has no such write")),
        };
        Ok(row.map_or_else(Sorted::Refused, Sorted::Row))
    }

    /// Notes a failed row.
    pub(crate) fn fail(&mut self, at: usize, error: Error) {
        if let Some(outcome) = self.outcomes.get_mut(at) {
            *outcome = Some(WriteOutcome::Failed(error));
        }
    }

    /// Notes a failure of every one of `rows`. When nothing was written yet and nothing will be, it is the batch's.
    pub(crate) fn fail_all(&mut self, rows: &[Row], error: &Error) -> Result<()> {
        if error.stops_run() {
            if self.written.is_empty() && self.outcomes.iter().all(Option::is_none) {
                return Err(error.restated());
            }
            self.stopped = Some(error.restated());
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

    /// Notes a written row.
    pub(crate) fn wrote(&mut self, mut row: Row, result: &SaveResult) {
        let id = result.id.as_deref().map_or_else(|| row.key.clone(), long_id);
        if row.verb == Verb::Create && result.id.is_none() {
            let message = "the answer does not name the new record";
            self.fail(row.at, Error::new(ErrorKind::Ambiguous, ErrorCode::InvalidAnswer, message));
            return;
        }
        let mut written = Written::new(id.as_str());
        written.warnings.clone_from(&row.warnings);
        if let Some(outcome) = self.outcomes.get_mut(row.at) {
            *outcome = Some(WriteOutcome::Written(written));
        }
        row.key = id;
        self.written.push(row);
    }

    /// What was noted of a written row.
    pub(crate) fn written_at(&mut self, at: usize) -> Option<&mut Written> {
        match self.outcomes.get_mut(at) {
            Some(Some(WriteOutcome::Written(written))) => Some(written),
            _ => None,
        }
    }

    async fn archives(&mut self, archives: Vec<(usize, String)>) -> Result<()> {
        let path = self.api.version().collections();
        for part in archives.chunks(COLLECTION_MAX) {
            let ids: BTreeSet<&str> = part.iter().map(|(_, id)| id.as_str()).collect();
            let joined = ids.iter().copied().collect::<Vec<_>>().join(",");
            let query = [("ids", joined.as_str()), ("allOrNone", "false")];
            let answer = match self.go_on() {
                Ok(()) => self.api.delete(self.on, self.operation(), &path, &query).await,
                Err(error) => Err(error),
            };
            match answer.and_then(|answer| answer.json::<Vec<SaveResult>>()) {
                Ok(results) => {
                    let by_id: BTreeMap<&str, SaveResult> = ids.into_iter().zip(results).collect();
                    part.iter().for_each(|(at, id)| self.archived(*at, id, by_id.get(id.as_str())));
                }
                Err(error) if error.stops_run() && self.outcomes.iter().all(Option::is_none) => return Err(error),
                Err(error) => part.iter().for_each(|(at, _)| self.fail(*at, error.restated())),
            }
        }
        Ok(())
    }

    fn archived(&mut self, at: usize, id: &str, result: Option<&SaveResult>) {
        let refusal = result.and_then(|result| result.errors.first());
        let error = refusal.map(|refusal| crate::errors::row_error(refusal, self.object));
        match (result.is_some_and(|result| result.success), error) {
            // What is gone already need not be deleted.
            (false, Some(error)) if error.kind() != ErrorKind::NotFound => self.fail(at, error.at(&self.operation())),
            (false, None) => self.fail(at, unsaid()),
            _ => {
                if let Some(outcome) = self.outcomes.get_mut(at) {
                    *outcome = Some(WriteOutcome::Written(Written::new(id)));
                }
            }
        }
    }

    async fn finish(mut self) -> Result<Vec<WriteOutcome>> {
        let written = std::mem::take(&mut self.written);
        if !written.is_empty() && self.go_on().is_ok() {
            if let Err(error) = self.write_roles(&written).await {
                self.roles_unwritten(&written, &error);
            }
            if let Err(error) = self.read_back(&written).await {
                // The records are written; what was sent stands for what they hold.
                tracing::warn!(operation = self.operation(), code = error.code().as_str(), "not read back: {error}");
            }
        }
        Ok(self.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| WriteOutcome::Failed(unsaid()))).collect())
    }

    /// What Salesforce keeps of what was sent: it cuts and rounds. What an org's flows and triggers change besides, or people
    /// by then, is a change like any other to the next sync.
    async fn read_back(&mut self, written: &[Row]) -> Result<()> {
        let mut groups: BTreeMap<(Object, bool), Vec<&Row>> = BTreeMap::new();
        for row in written {
            groups.entry((row.object, row.was_lead)).or_default().push(row);
        }
        for ((object, was_lead), rows) in groups {
            let described = self.described(object).await?;
            let names =
                |row: &&Row| row.sent.iter().map(|(name, _)| name).chain(&row.closed).cloned().collect::<Vec<_>>();
            let sent: BTreeSet<FieldName> = rows.iter().flat_map(names).collect();
            let reader = Reader::new(self.api, self.on, object, Arc::clone(&described), "write");
            let mut layout = Layout::new(object, &sent, &BTreeSet::new(), &described);
            if was_lead {
                layout = layout.of_converted(&described);
            }
            let ids: Vec<String> = rows.iter().map(|row| row.key.clone()).collect();
            let found = reader.retrieve(&layout, &ids).await?;
            let by_id: BTreeMap<RemoteId, _> =
                found.records.into_iter().map(|one| (one.record.id.clone(), one.record)).collect();
            for row in rows {
                let Some(record) = by_id.get(&RemoteId::from(row.key.as_str())) else { continue };
                let Some(written) = self.written_at(row.at) else { continue };
                written.modified_at = record.modified_at;
                written.fields = kept_of(&record.fields, &row.sent);
                for name in &row.closed {
                    written.fields.insert(name.clone(), record.fields.get(name.as_str()).cloned().unwrap_or_default());
                }
            }
        }
        Ok(())
    }
}

/// An answer that leaves a row out.
pub(crate) fn unsaid() -> Error {
    let message = "the answer does not say what became of the record";
    Error::new(ErrorKind::Ambiguous, ErrorCode::InvalidAnswer, message)
}
