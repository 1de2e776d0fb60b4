//! Writes in sObject Collections: 200 rows a call, each with an outcome of its own; locked rows wait, moved ones are followed.

use std::time::Duration;

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_http::client::Answer;
use abmatic_sync_http::retry::Resend;
use http::Method;
use serde::Serialize;

use crate::activity;
use crate::errors::row_error;
use crate::id::long_id;
use crate::layout::Layout;
use crate::object::Object;
use crate::row::{Row, Verb, chunks};
use crate::values::Cell;
use crate::wire::{Refusal, SaveResult};
use crate::write::{COLLECTION_MAX, Writer, unsaid};

/// How often rows that another transaction holds are sent again, and how long the first wait is; each further one is
/// twice as long.
const LOCKED_ROUNDS: u32 = 5;
const LOCKED_WAIT: Duration = Duration::from_secs(1);

/// Rows that are not done with.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// Another transaction held the record or its parent.
    locked: Vec<(Row, Refusal)>,
    /// The record was deleted, merged or converted.
    moved: Vec<(Row, Refusal)>,
    /// A duplicate rule found others, which only a row of its own is told.
    duplicates: Vec<Row>,
    /// The contact or lead is in the campaign already.
    members: Vec<Row>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Collection<'a> {
    all_or_none: bool,
    records: Vec<Record<'a>>,
}

#[derive(Serialize)]
struct Record<'a> {
    attributes: Attributes,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(flatten)]
    key: std::collections::BTreeMap<&'a str, &'a str>,
    #[serde(flatten)]
    cells: &'a std::collections::BTreeMap<String, Cell>,
}

#[derive(Serialize)]
struct Attributes {
    #[serde(rename = "type")]
    kind: &'static str,
}

impl<'a> Record<'a> {
    fn of(row: &'a Row, external_id: Option<&'a str>) -> Self {
        let id = (row.verb == Verb::Update).then_some(row.key.as_str());
        let key = external_id.map(|field| (field, row.key.as_str())).into_iter().collect();
        Self { attributes: Attributes { kind: row.object.name() }, id, key, cells: &row.cells }
    }
}

impl Writer<'_> {
    /// Sends rows until each has its outcome.
    pub(crate) async fn in_collections(&mut self, rows: Vec<Row>) -> Result<()> {
        let (rows, untouched): (Vec<Row>, Vec<Row>) =
            rows.into_iter().partition(|row| row.verb == Verb::Create || !row.cells.is_empty());
        // Only an opportunity's contacts change, or nothing that can.
        untouched.into_iter().for_each(|row| self.wrote(row, &SaveResult::default()));
        let mut pending = Pending::default();
        self.send_all(rows, &mut pending).await?;
        self.settle(pending).await
    }

    /// Deals with what was not done at once.
    pub(crate) async fn settle(&mut self, mut pending: Pending) -> Result<()> {
        self.wait_for_locks(&mut pending).await?;
        let moved = std::mem::take(&mut pending.moved);
        self.follow(moved, &mut pending).await?;
        self.wait_for_locks(&mut pending).await?;
        for (row, refusal) in std::mem::take(&mut pending.moved) {
            self.refuse(&row, &refusal);
        }
        for row in std::mem::take(&mut pending.duplicates) {
            self.send_alone(row).await?;
        }
        activity::settle_members(self, std::mem::take(&mut pending.members)).await
    }

    /// Sends rows again that another transaction held, after a while.
    async fn wait_for_locks(&mut self, pending: &mut Pending) -> Result<()> {
        for round in 0..LOCKED_ROUNDS {
            if pending.locked.is_empty() {
                return Ok(());
            }
            self.api.clock().sleep(LOCKED_WAIT * 2_u32.pow(round)).await;
            let rows = std::mem::take(&mut pending.locked).into_iter().map(|(row, _)| row).collect();
            self.send_all(rows, pending).await?;
        }
        for (row, refusal) in std::mem::take(&mut pending.locked) {
            self.refuse(&row, &refusal);
        }
        Ok(())
    }

    async fn send_all(&mut self, rows: Vec<Row>, pending: &mut Pending) -> Result<()> {
        let mut open = chunks(rows, COLLECTION_MAX);
        open.reverse();
        while let Some(mut rows) = open.pop() {
            match self.send(&rows).await {
                Ok(results) => self.sort(rows, results, pending),
                // One row that does not parse fails the whole request, of which nothing was written.
                Err(error) if error.kind() == ErrorKind::Invalid && rows.len() > 1 => {
                    let half = rows.split_off(rows.len() / 2);
                    open.extend([half, rows]);
                }
                Err(error) => self.fail_all(&rows, &error)?,
            }
        }
        Ok(())
    }

    async fn send(&self, rows: &[Row]) -> Result<Vec<SaveResult>> {
        self.go_on()?;
        let Some(first) = rows.first() else { return Ok(Vec::new()) };
        let described = self.described(first.object).await?;
        let external_id = described.external_id.as_deref().filter(|_| first.verb == Verb::Create);
        let records = rows.iter().map(|row| Record::of(row, external_id)).collect();
        let body = Collection { all_or_none: false, records };
        let version = self.api.version();
        let (method, path, resend) = match (first.verb, external_id) {
            (Verb::Create, Some(field)) => {
                (Method::PATCH, version.collection_upsert(first.object, field), Resend::Safe)
            }
            (Verb::Create, None) => (Method::POST, version.collections(), Resend::Verify),
            (Verb::Update, _) => (Method::PATCH, version.collections(), Resend::Safe),
        };
        let to = (method, path.as_str());
        let answer: Answer = self.api.send_json(self.on, self.operation(), to, &body, resend).await?;
        answer.json()
    }

    /// Notes what became of each row. Answers are aligned with their request.
    fn sort(&mut self, rows: Vec<Row>, results: Vec<SaveResult>, pending: &mut Pending) {
        let mut results = results.into_iter();
        for row in rows {
            match results.next() {
                Some(result) => self.sort_one(row, result, pending),
                None => self.fail(row.at, unsaid()),
            }
        }
    }

    /// Notes what became of one row.
    pub(crate) fn sort_one(&mut self, row: Row, mut result: SaveResult, pending: &mut Pending) {
        if result.success {
            return self.wrote(row, &result);
        }
        if result.errors.is_empty() {
            return self.fail(row.at, unsaid());
        }
        let refusal = result.errors.swap_remove(0);
        let code = refusal.code.as_deref().unwrap_or_default();
        let error = row_error(&refusal, row.object);
        match (code, error.kind()) {
            _ if error.code() == ErrorCode::RecordLocked && error.is_retryable() => pending.locked.push((row, refusal)),
            (_, ErrorKind::NotFound) if row.verb == Verb::Update => pending.moved.push((row, refusal)),
            // Of no field: the row's own id.
            ("INVALID_CROSS_REFERENCE_KEY", _) if row.verb == Verb::Update && refusal.fields.is_empty() => {
                pending.moved.push((row, refusal));
            }
            ("DUPLICATES_DETECTED", _) if row.verb == Verb::Create && refusal.duplicates.is_none() => {
                pending.duplicates.push(row);
            }
            ("DUPLICATE_VALUE", _) if row.object == Object::CampaignMember => pending.members.push(row),
            _ => self.refuse(&row, &refusal),
        }
    }

    pub(crate) fn refuse(&mut self, row: &Row, refusal: &Refusal) {
        let error = row_error(refusal, row.object).at(&self.operation());
        self.fail(row.at, error);
    }

    /// Sends rows to the records that answer for theirs: survivors of merges, contacts of converted leads.
    async fn follow(&mut self, moved: Vec<(Row, Refusal)>, pending: &mut Pending) -> Result<()> {
        if moved.is_empty() {
            return Ok(());
        }
        let reader = self.reader();
        let layout = Layout::new(self.object, &Default::default(), &Default::default(), &self.described);
        let ids: Vec<String> = moved.iter().map(|(row, _)| row.key.clone()).collect();
        let found = match reader.by_ids(&layout, &ids).await {
            Ok(found) => found,
            Err(error) => return self.fail_all(&moved.into_iter().map(|(row, _)| row).collect::<Vec<_>>(), &error),
        };
        let mut rows = Vec::new();
        for (row, refusal) in moved {
            let answers = |id: &str| id == row.key;
            let survivor = found
                .records
                .iter()
                .map(|one| &one.record)
                .find(|record| record.merged_ids.iter().any(|id| answers(id.as_str())));
            let Some(survivor) = survivor.map(|record| record.id.to_string()) else {
                if found.records.iter().any(|one| answers(one.record.id.as_str())) {
                    self.refuse(&row, &refusal);
                } else {
                    let gone = Error::new(ErrorKind::NotFound, ErrorCode::RecordGone, "the record is gone");
                    self.fail(row.at, gone.at(&self.operation()));
                }
                continue;
            };
            let is_contact = self.object == Object::Lead && survivor.starts_with(Object::Contact.prefix());
            let object = if is_contact { Object::Contact } else { row.object };
            let described = self.described(object).await?;
            rows.push(row.moved_to(&survivor, object, &described));
        }
        let (rows, untouched): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| !row.cells.is_empty());
        untouched.into_iter().for_each(|row| self.wrote(row, &SaveResult::default()));
        self.send_all(rows, pending).await
    }

    /// Sends a create on its own: only so does a duplicate rule say what it found ("DUPLICATES_DETECTED").
    async fn send_alone(&mut self, row: Row) -> Result<()> {
        if !is_plain(&row.key) {
            let message = "a duplicate rule found records like it, and does not say which";
            let error = Error::new(ErrorKind::Duplicate, ErrorCode::DuplicateValue, message);
            self.fail(row.at, error.at(&self.operation()));
            return Ok(());
        }
        match self.create_alone(&row).await {
            Ok(result) => self.wrote(row, &result),
            Err(error) if error.stops_run() => self.fail_all(std::slice::from_ref(&row), &error)?,
            Err(error) => {
                let own = error.existing_id().is_none_or(|id| long_id(id.as_str()).starts_with(row.object.prefix()));
                // What a rule found among other objects is no record to link to.
                let error = if own { error } else { of_another_object(&error) };
                self.fail(row.at, error);
            }
        }
        Ok(())
    }

    async fn create_alone(&self, row: &Row) -> Result<SaveResult> {
        self.go_on()?;
        let described = self.described(row.object).await?;
        let version = self.api.version();
        let (method, path, resend) = match &described.external_id {
            Some(field) => (Method::PATCH, version.by_external_id(row.object, field, &row.key), Resend::Safe),
            None => (Method::POST, version.records(row.object), Resend::Verify),
        };
        let to = (method, path.as_str());
        let answer = self.api.send_json(self.on, self.operation(), to, &row.cells, resend).await?;
        answer.json()
    }
}

/// Whether a key can stand in a path: others are not found there, however they are encoded ("Upsert").
fn is_plain(key: &str) -> bool {
    key.bytes().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_'))
}

fn of_another_object(error: &Error) -> Error {
    let id = error.existing_id().map(ToString::to_string).unwrap_or_default();
    let message = format!("{}: it resembles {id}, which is of another kind", error.message());
    Error::new(error.kind(), error.code(), message).with_fields(error.fields().to_vec())
}
