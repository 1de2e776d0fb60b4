//! Writes and their outcomes: one record a call, some calls at once, and none more once nothing gets through.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use abmatic_sync_core::connector::request::{Write, WriteOutcome, Written};
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::ids::{FieldName, RemoteId};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_http::client::Answer;
use abmatic_sync_http::retry::Resend;
use futures::stream::{self, StreamExt as _};
use http::Method;
use serde_json::Value as Json;

use crate::api::Api;
use crate::association::{self, Held};
use crate::column::Place;
use crate::custom::CustomValues;
use crate::describe::{Described, described};
use crate::draft::{Draft, For, draft};
use crate::event;
use crate::import;
use crate::note;
use crate::object::{ACCOUNT_RELATION, Object};
use crate::values::decode;
use crate::wire::{id, moment, text, unexpected};

/// What of a contact stands on its association.
const BESIDE: [&str; 2] = [ACCOUNT_RELATION, "jobTitle"];

/// Writes records and says what became of each, in their order.
pub(crate) async fn write(
    api: &Api,
    on: &Connection,
    resource: Resource,
    writes: Vec<Write>,
) -> Result<Vec<WriteOutcome>> {
    let object = Object::of(resource)?;
    let described = described(api, on, object).await?;
    let operation = format!("activecampaign write {}", object.plural());
    let associations = associations(api, on, object, &operation, &writes).await?;
    let writer = Writer { api, on, object, described, operation, associations, stopped: Mutex::default() };
    if object == Object::Contact && import::is_fit(&writes) {
        return import::write(&writer, &writes).await;
    }
    Ok(writer.each(writes.iter()).await)
}

/// The associations of contacts that are to be changed there: they take as many calls as contacts if asked for one by one.
async fn associations(
    api: &Api,
    on: &Connection,
    object: Object,
    operation: &str,
    writes: &[Write],
) -> Result<BTreeMap<String, Option<Json>>> {
    let mut ids = Vec::new();
    for write in writes.iter().filter(|_| object == Object::Contact) {
        match write {
            Write::Update { id, fields, .. } if BESIDE.iter().any(|name| fields.get(name).is_some()) => {
                ids.push(id.as_str());
            }
            _ => {}
        }
    }
    if ids.len() > 1 { association::of_all(api, on, operation, &ids).await } else { Ok(BTreeMap::new()) }
}

/// Whoever writes records of one object.
pub(crate) struct Writer<'a> {
    pub(crate) api: &'a Api,
    pub(crate) on: &'a Connection,
    pub(crate) object: Object,
    pub(crate) described: Arc<Described>,
    pub(crate) operation: String,
    /// What is known of contacts' associations.
    associations: BTreeMap<String, Option<Json>>,
    /// What keeps every further call from getting through.
    stopped: Mutex<Option<Error>>,
}

impl Writer<'_> {
    /// One by one, some at once.
    pub(crate) async fn each(&self, writes: impl Iterator<Item = &Write>) -> Vec<WriteOutcome> {
        let mut calls = Vec::new();
        for write in writes {
            calls.push(self.one(write));
        }
        self.some_at_once(calls).await
    }

    pub(crate) async fn some_at_once(&self, calls: Vec<impl Future<Output = WriteOutcome>>) -> Vec<WriteOutcome> {
        stream::iter(calls).buffered(self.api.options.calls_at_once.max(1)).collect().await
    }

    async fn one(&self, write: &Write) -> WriteOutcome {
        if let Some(error) = self.stopped_by() {
            return WriteOutcome::Failed(error);
        }
        match self.carry_out(write).await {
            Ok(written) => WriteOutcome::Written(written),
            Err(error) => {
                self.stop_for(&error);
                WriteOutcome::Failed(error)
            }
        }
    }

    async fn carry_out(&self, write: &Write) -> Result<Written> {
        match write {
            Write::Archive { id } => {
                let path = format!("{}/{id}", self.object.plural());
                self.api.send(self.on, self.operation.clone(), (Method::DELETE, &path), None, Resend::Safe).await?;
                Ok(Written::new(id.clone()))
            }
            Write::Create { intent, fields } if self.object == Object::Note && event::is_event(fields) => {
                let Some(events) = &self.api.options.events else {
                    let message = "event tracking is not set up: give the connector its account and key";
                    return Err(Error::invalid(ErrorCode::Unsupported, message).at(&self.operation));
                };
                events.track(intent.as_str(), fields).await
            }
            Write::Create { fields, .. } if self.object == Object::Note => {
                note::write(self.api, self.on, fields, None).await
            }
            Write::Update { id, fields, .. } if self.object == Object::Note => {
                note::write(self.api, self.on, fields, Some(id)).await
            }
            Write::Create { fields, .. } => {
                let mut draft = self.draft(fields, For::New)?;
                if self.object == Object::Deal && draft.body.get("owner").and_then(text).is_none() {
                    draft.body.insert("owner".to_owned(), self.own_id().await?.into());
                }
                let saved = self.create(&draft).await?;
                Ok(self.finish(saved, fields, &draft, Held::Known(None)).await)
            }
            Write::Update { id, fields, references_before, .. } => {
                let mut draft = self.draft(fields, For::Old(references_before))?;
                self.keep_currencies(id, &mut draft).await?;
                let saved = self.update(id, &draft).await?;
                let held = self.associations.get(id.as_str());
                let held = held.map_or(Held::Unknown, |held| Held::Known(held.as_ref()));
                Ok(self.finish(saved, fields, &draft, held).await)
            }
            _ => Err(Error::invalid(ErrorCode::Unsupported, "activecampaign has no such write")),
        }
    }

    fn draft(&self, fields: &Fields, what_for: For<'_>) -> Result<Draft> {
        draft(self.object, &self.described, fields, what_for).map_err(|error| error.at(&self.operation))
    }

    /// Who the API key belongs to: a deal needs an owner.
    async fn own_id(&self) -> Result<String> {
        if let Some(known) = self.api.me.get(self.on, &()) {
            return Ok((*known).clone());
        }
        let answer = self.api.get(self.on, self.operation.clone(), "users/me", &[]).await?;
        let body: Json = answer.json()?;
        let number = body.get("user").and_then(|user| id(user, "id")).ok_or_else(|| unexpected(&answer, "user"))?;
        Ok((*self.api.me.learn(self.on, (), number)).clone())
    }

    /// An amount stays in the currency that the record has for it.
    async fn keep_currencies(&self, id: &RemoteId, draft: &mut Draft) -> Result<()> {
        if draft.custom.iter().all(|one| one.currency.is_none()) {
            return Ok(());
        }
        let custom = CustomValues { api: self.api, on: self.on, object: self.object, operation: &self.operation };
        let held = custom.currencies_of(id.as_str()).await?;
        for one in draft.custom.iter_mut().filter(|one| one.currency.is_some()) {
            if let Some(currency) = held.get(&one.field) {
                one.currency = Some(currency.clone());
            }
        }
        Ok(())
    }

    async fn create(&self, draft: &Draft) -> Result<Saved> {
        let body = draft.to_json(self.object);
        let path = self.object.plural();
        let sent =
            self.api.send(self.on, self.operation.clone(), (Method::POST, path), Some(&body), Resend::Verify).await;
        match (self.object, sent) {
            // Nobody knows whether it is there; this makes no second one ("Sync a contact's data").
            (Object::Contact, Err(error)) if error.kind() == ErrorKind::Ambiguous => {
                let to = (Method::POST, "contact/sync");
                let answer = self.api.send(self.on, self.operation.clone(), to, Some(&body), Resend::Safe).await?;
                Saved::of(self.object, &answer)
            }
            (_, Err(error)) if error.kind() == ErrorKind::Duplicate => Err(self.duplicate(error, draft).await?),
            (_, sent) => Saved::of(self.object, &sent?),
        }
    }

    async fn update(&self, id: &RemoteId, draft: &Draft) -> Result<Saved> {
        if draft.body.is_empty() && draft.custom.is_empty() {
            return Ok(Saved { id: id.clone(), row: Json::Null, refused: None });
        }
        let body = draft.to_json(self.object);
        let path = format!("{}/{id}", self.object.plural());
        let answer =
            self.api.send(self.on, self.operation.clone(), (Method::PUT, &path), Some(&body), Resend::Safe).await?;
        if answer.body().is_empty() {
            return Ok(Saved { id: id.clone(), row: Json::Null, refused: None });
        }
        Saved::of(self.object, &answer)
    }

    /// What stands beside the record, and what of all that was written.
    async fn finish(&self, saved: Saved, sent: &Fields, draft: &Draft, held: Held<'_>) -> Written {
        let mut written = Written::new(saved.id);
        written.modified_at = moment(&saved.row, self.object.clocks().1);
        written.warnings.clone_from(&draft.warnings);
        written.fields = self.kept(&saved.row, sent);
        if let Some(refused) = saved.refused {
            written.warnings.push(format!("custom fields were not saved: {refused}"));
            let is_custom = |name: &FieldName| {
                let column = self.described.column(name.as_str());
                column.is_some_and(|column| matches!(column.place, Place::Custom(_)))
            };
            written.unwritten.extend(sent.iter().map(|(name, _)| name.clone()).filter(is_custom));
        }
        self.associate(&mut written, sent, draft, held).await;
        written
    }

    /// What the answer says of the fields that stand in the record itself: a name loses the spaces around it, say.
    fn kept(&self, row: &Json, sent: &Fields) -> Fields {
        let kept = sent.iter().filter_map(|(name, _)| {
            let column = self.described.column(name.as_str())?;
            let Place::Own(key) = column.place else { return None };
            Some((name.clone(), decode(column, row.get(key)?)))
        });
        kept.collect()
    }

    /// Sets a contact's association. The contact itself is written: what could not be set is tried again by the next sync.
    pub(crate) async fn associate(&self, written: &mut Written, sent: &Fields, draft: &Draft, held: Held<'_>) {
        if draft.association.is_nothing() {
            return;
        }
        let id = written.id.clone();
        let set = match self.stopped_by() {
            Some(error) => Err(error),
            None => association::set(self.api, self.on, &self.operation, (id.as_str(), held), &draft.association).await,
        };
        if let Err(error) = set {
            self.stop_for(&error);
            written.warnings.push(error.to_string());
            let names = sent.iter().map(|(name, _)| name).filter(|name| BESIDE.contains(&name.as_str()));
            written.unwritten.extend(names.cloned());
        }
    }

    fn stopped_by(&self) -> Option<Error> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(Error::restated)
    }

    /// Whatever stands in the way of one call stands in the way of all.
    fn stop_for(&self, error: &Error) {
        if matches!(error.kind(), ErrorKind::RateLimited | ErrorKind::Unauthorized | ErrorKind::Unavailable) {
            let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
            stopped.get_or_insert_with(|| error.restated());
        }
    }
}

/// A record as a write answers it.
pub(crate) struct Saved {
    id: RemoteId,
    row: Json,
    /// Why its custom fields were not saved, although it was.
    refused: Option<String>,
}

impl Saved {
    fn of(object: Object, answer: &Answer) -> Result<Self> {
        let mut body: Json = answer.json()?;
        let row = body.get_mut(object.singular()).map(Json::take).unwrap_or_default();
        // It was written; whose it is can only be found out.
        let number = id(&row, "id").ok_or_else(|| {
            let error = unexpected(answer, object.singular());
            Error::new(ErrorKind::Ambiguous, error.code(), error.message())
        })?;
        let status = row.get("customFieldSaveStatus");
        let is_saved = status.is_none_or(|status| status.get("status").and_then(Json::as_str) == Some("success"));
        let refused = (!is_saved).then(|| status.map(Json::to_string).unwrap_or_default());
        Ok(Self { id: RemoteId::from(number), row, refused })
    }
}
