//! Large pushes of contacts as bulk imports: queued whole, carried out later, followed up contact by contact.

use std::collections::BTreeMap;
use std::time::Duration;

use abmatic_sync_core::connector::request::{Write, WriteOutcome, Written};
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_http::retry::Resend;
use chrono::{DateTime, TimeDelta, Utc};
use http::Method;
use serde_json::{Map, Value as Json, json};

use crate::api::Api;
use crate::association::{self, Held};
use crate::draft::{CustomValue, Draft, For, draft};
use crate::object::Object;
use crate::wire::{id, moment, rows, text, unexpected};
use crate::write::Writer;

/// From how many contacts on an import is worth its wait.
pub(crate) const MIN: usize = 100;
/// How many contacts an import holds, and how many a write that is made of imports.
const CONTACTS_MAX: usize = 250;
pub(crate) const MAX: usize = 1_000;
/// Bytes of an import: 400,000 are allowed, and clients stay below.
const BYTES_MAX: usize = 350_000;
const LOOK_AGAIN: Duration = Duration::from_secs(2);
const OPERATION: &str = "activecampaign import contacts";

/// Whether a write is made of nothing but enough new contacts with an address each.
pub(crate) fn is_fit(writes: &[Write]) -> bool {
    let is_new = |write: &Write| matches!(write, Write::Create { fields, .. } if email_of(fields).is_some());
    writes.len() >= MIN && writes.iter().all(is_new)
}

/// The address of a create, in lower case.
pub(crate) fn email_of(fields: &Fields) -> Option<String> {
    fields.get("email").filter(|email| !email.is_blank()).map(|email| email.to_string().trim().to_lowercase())
}

/// A contact that is to be imported.
struct Row<'a> {
    place: usize,
    fields: &'a Fields,
    email: String,
    draft: Draft,
    json: Json,
}

/// Writes contacts by imports, one after the other.
pub(crate) async fn write(writer: &Writer<'_>, writes: &[Write]) -> Result<Vec<WriteOutcome>> {
    let mut outcomes: Vec<Option<WriteOutcome>> = writes.iter().map(|_| None).collect();
    let mut rows = Vec::new();
    for (place, fields) in writes.iter().filter_map(Write::fields).enumerate() {
        match row(writer, place, fields) {
            Ok(row) => rows.push(row),
            Err(error) => outcomes[place] = Some(WriteOutcome::Failed(error)),
        }
    }
    for batch in batches(rows) {
        let done = import(writer, &batch).await;
        let found = match done {
            Ok(found) => found,
            // One bad contact has all refused ("Bulk import contacts"): alone each is told what is wrong with it.
            Err(error) if error.kind() == ErrorKind::Invalid => {
                let alone = writer.each(batch.iter().map(|row| &writes[row.place])).await;
                batch.iter().zip(alone).for_each(|(row, outcome)| outcomes[row.place] = Some(outcome));
                continue;
            }
            Err(error) => {
                // What was queued is carried out all the same; what was not is not.
                batch.iter().for_each(|row| outcomes[row.place] = Some(WriteOutcome::Failed(error.restated())));
                if error.stops_run() {
                    break;
                }
                continue;
            }
        };
        let mut calls = Vec::with_capacity(batch.len());
        for row in &batch {
            calls.push(outcome(writer, row, &found));
        }
        let each: Vec<WriteOutcome> = writer.some_at_once(calls).await;
        batch.iter().zip(each).for_each(|(row, outcome)| outcomes[row.place] = Some(outcome));
    }
    let unsent = || {
        let message = "an earlier part of the write could not be sent, so this one was not either";
        WriteOutcome::Failed(Error::new(ErrorKind::Unavailable, ErrorCode::ServerUnavailable, message).at(OPERATION))
    };
    Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(unsent)).collect())
}

/// "Bulk import contacts": names of its own, and the fields by their numbers.
fn row<'a>(writer: &Writer<'_>, place: usize, fields: &'a Fields) -> Result<Row<'a>> {
    let draft = draft(Object::Contact, &writer.described, fields, For::New).map_err(|error| error.at(OPERATION))?;
    let names = [("email", "email"), ("firstName", "first_name"), ("lastName", "last_name"), ("phone", "phone")];
    let own = names.iter().filter_map(|(key, name)| Some(((*name).to_owned(), draft.body.get(*key)?.clone())));
    let mut json: Map<String, Json> = own.collect();
    if !draft.custom.is_empty() {
        let value = |one: &CustomValue| json!({"id": one.field, "value": one.value});
        json.insert("fields".to_owned(), draft.custom.iter().map(value).collect());
    }
    let email = email_of(fields).unwrap_or_default();
    Ok(Row { place, fields, email, draft, json: json.into() })
}

/// As few as hold them all. One address comes once in each: of two contacts with one the second would win.
fn batches(rows: Vec<Row<'_>>) -> Vec<Vec<Row<'_>>> {
    let mut batches: Vec<(usize, Vec<Row<'_>>)> = Vec::new();
    for row in rows {
        let size = row.json.to_string().len() + 1;
        let fits = batches.iter_mut().find(|(bytes, batch)| {
            batch.len() < CONTACTS_MAX
                && *bytes + size <= BYTES_MAX
                && batch.iter().all(|other: &Row<'_>| other.email != row.email)
        });
        match fits {
            Some((bytes, batch)) => {
                *bytes += size;
                batch.push(row);
            }
            None => batches.push((size, vec![row])),
        }
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}

/// What became of a batch: contacts by their addresses, and the addresses that failed.
struct Done {
    contacts: BTreeMap<String, Made>,
    failed: Vec<String>,
}

/// A contact that an import has made or changed.
struct Made {
    id: String,
    changed_at: Option<DateTime<Utc>>,
    association: Association,
}

/// What stands beside such a contact: it may have been there before.
enum Association {
    Known(Option<Json>),
    Unknown,
}

async fn import(writer: &Writer<'_>, batch: &[Row<'_>]) -> Result<Done> {
    let contacts: Vec<&Json> = batch.iter().map(|row| &row.json).collect();
    let body = json!({"contacts": contacts, "exclude_automations": true});
    let to = (Method::POST, "import/bulk_import");
    // An import that comes twice makes nothing new.
    let answer = writer.api.send(writer.on, OPERATION, to, Some(&body), Resend::Safe).await?;
    // It is queued: whatever goes wrong from now on does not say what became of it.
    let doubtful = |error: Error| Error::new(ErrorKind::Ambiguous, error.code(), error.message()).at(OPERATION);
    let queued: Json = answer.json().map_err(doubtful)?;
    let batch_id = queued.get("batchId").and_then(text).ok_or_else(|| doubtful(unexpected(&answer, "batchId")))?;
    let wants_associations = batch.iter().any(|row| !row.draft.association.is_nothing());
    followed_up(writer, &batch_id, wants_associations).await.map_err(doubtful)
}

async fn followed_up(writer: &Writer<'_>, batch_id: &str, wants_associations: bool) -> Result<Done> {
    let (api, on) = (writer.api, writer.on);
    let until = api.clock().now() + TimeDelta::from_std(api.options.import_wait).unwrap_or(TimeDelta::MAX);
    let (made, failed) = loop {
        let info: Json = api.get(on, OPERATION, "import/info", &[("batchId", batch_id)]).await?.json()?;
        match info.get("status").and_then(Json::as_str) {
            Some("completed" | "failed" | "interrupted") => break (texts(&info, "success"), texts(&info, "failure")),
            _ if api.clock().now() >= until => {
                let message = format!("the import {batch_id} is still at work");
                return Err(Error::new(ErrorKind::Ambiguous, ErrorCode::ServerUnavailable, message));
            }
            _ => api.clock().sleep(LOOK_AGAIN).await,
        }
    };
    // Ids are not paired with rows: whose is whose is told by the addresses.
    let mut contacts = BTreeMap::new();
    for part in made.chunks(100) {
        let mut query = vec![("limit", "100")];
        query.extend(part.iter().map(|id| ("ids[]", id.as_str())));
        query.extend(wants_associations.then_some(("include", "accountContacts")));
        let answer = api.get(on, OPERATION, "contacts", &query).await?;
        let mut body: Json = answer.json()?;
        let found = rows(&answer, &mut body, "contacts")?;
        let beside = association::beside(&body);
        for row in found {
            if let (Some(email), Some(id)) = (row.get("email").and_then(text), id(&row, "id")) {
                let association = match &beside {
                    Some(beside) => Association::Known(beside.get(&id).cloned()),
                    None => Association::Unknown,
                };
                let made = Made { id, changed_at: moment(&row, "udate"), association };
                contacts.insert(email.trim().to_lowercase(), made);
            }
        }
    }
    Ok(Done { contacts, failed: failed.iter().map(|email| email.trim().to_lowercase()).collect() })
}

fn texts(body: &Json, key: &str) -> Vec<String> {
    body.get(key).and_then(Json::as_array).into_iter().flatten().filter_map(text).collect()
}

async fn outcome(writer: &Writer<'_>, row: &Row<'_>, done: &Done) -> WriteOutcome {
    let Some(made) = done.contacts.get(&row.email) else {
        let (kind, code, message) = if done.failed.contains(&row.email) {
            (ErrorKind::Invalid, ErrorCode::InvalidField, "the import refused the contact: its address may be invalid")
        } else {
            (ErrorKind::Ambiguous, ErrorCode::UnknownError, "the import did not say what became of the contact")
        };
        return WriteOutcome::Failed(
            Error::new(kind, code, message).with_fields(vec!["email".to_owned()]).at(OPERATION),
        );
    };
    let mut written = Written::new(RemoteId::from(made.id.as_str()));
    written.modified_at = made.changed_at;
    let held = match &made.association {
        Association::Known(held) => Held::Known(held.as_ref()),
        Association::Unknown => Held::Unknown,
    };
    writer.associate(&mut written, row.fields, &row.draft, held).await;
    WriteOutcome::Written(written)
}

/// Waits until no import is at work any more: one that a killed program has left may still make contacts.
pub(crate) async fn wait_for_all(api: &Api, on: &Connection) -> Result<()> {
    let until = api.clock().now() + TimeDelta::from_std(api.options.import_wait).unwrap_or(TimeDelta::MAX);
    loop {
        let answer = api.get(on, OPERATION, "import/bulk_import", &[]).await?;
        let body: Json = answer.json()?;
        let open = body.get("outstanding").and_then(Json::as_array).into_iter().flatten();
        let batches: u64 = open.filter_map(|one| text(one.get("batches")?)?.parse::<u64>().ok()).sum();
        if batches == 0 {
            return Ok(());
        }
        if api.clock().now() >= until {
            let message = format!("{batches} imports of the account are still at work");
            return Err(Error::new(ErrorKind::Unavailable, ErrorCode::ServerUnavailable, message).at(OPERATION));
        }
        api.clock().sleep(LOOK_AGAIN).await;
    }
}
