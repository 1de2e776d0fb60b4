//! Writes and their outcomes: one record a call, some calls at once, and none more once nothing gets through.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use abmatic_sync_core::connector::request::{Write, WriteOutcome, Written};
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_http::client::Answer;
use abmatic_sync_http::retry::Resend;
use futures::stream::{self, StreamExt as _};
use http::Method;

use crate::api::{Api, NameStyle};
use crate::column::Spelling;
use crate::describe::{Described, describe, described};
use crate::draft::{Current, Draft, draft, needs_current};
use crate::note;
use crate::object::Object;
use crate::record::{Layout, decode};
use crate::wire::{Listing, Me, Single, WithId};

/// Ids that can be named at once ("OpenAPI v2").
const IDS_MAX: usize = 100;

/// Writes records and says what became of each, in their order.
pub(crate) async fn write(
    api: &Api,
    on: &Connection,
    resource: Resource,
    writes: Vec<Write>,
) -> Result<Vec<WriteOutcome>> {
    let object = Object::of(resource)?;
    let described = described(api, on, object).await?;
    let names = api.names.get(on, &()).map_or(NameStyle::Parts, |style| *style);
    let mut writer = Writer {
        api,
        on,
        object,
        currency: None,
        current: BTreeMap::new(),
        operation: format!("pipedrive write {}", object.name()),
        stopped: Mutex::default(),
        described,
    };
    writer.read_current(&writes, names).await?;
    writer.currency = writer.own_currency(&writes).await?;
    let mut calls = Vec::with_capacity(writes.len());
    for write in &writes {
        calls.push(writer.one(write));
    }
    Ok(stream::iter(calls).buffered(api.options.writes_at_once.max(1)).collect().await)
}

struct Writer<'a> {
    api: &'a Api,
    on: &'a Connection,
    object: Object,
    described: Arc<Described>,
    /// The company's own currency, for amounts that come without one.
    currency: Option<String>,
    /// What records hold whose parts are to be changed.
    current: BTreeMap<String, Current>,
    operation: String,
    /// What keeps every further call from getting through.
    stopped: Mutex<Option<Error>>,
}

impl Writer<'_> {
    /// Reads the records of which a part is to be changed: a hundred a call.
    async fn read_current(&mut self, writes: &[Write], names: NameStyle) -> Result<()> {
        let ids: Vec<&str> = writes.iter().filter_map(|write| self.partly_changed(write, names)).collect();
        let path = format!("/api/v2/{}", self.object.name());
        for part in ids.chunks(IDS_MAX) {
            let named = part.join(",");
            let query = [("limit", "100"), ("ids", named.as_str())];
            let answer = self.api.get(self.on, self.operation.clone(), &path, &query).await?;
            let listing: Listing<'_> = answer.json()?;
            for raw in &listing.data {
                let with: WithId = serde_json::from_str(raw.get()).map_err(|error| answer.unreadable(error))?;
                let current = Current::of(raw).map_err(|error| answer.unreadable(error))?;
                self.current.insert(with.id.to_string(), current);
            }
        }
        Ok(())
    }

    fn partly_changed<'w>(&self, write: &'w Write, names: NameStyle) -> Option<&'w str> {
        match write {
            Write::Update { id, fields, .. } if needs_current(&self.described, fields, names) => Some(id.as_str()),
            _ => None,
        }
    }

    /// Asked for once, and only where an amount of a custom field is to be written.
    async fn own_currency(&self, writes: &[Write]) -> Result<Option<String>> {
        let is_money = |name: &FieldName| {
            let column = self.described.column(name.as_str());
            column.is_some_and(|column| column.part == Some("value") && column.spelling == Spelling::Decimal)
        };
        let wanted =
            writes.iter().filter_map(Write::fields).any(|fields| fields.iter().any(|(name, _)| is_money(name)));
        if !wanted {
            return Ok(None);
        }
        if let Some(known) = self.api.currency.get(self.on, &()) {
            return Ok((*known).clone());
        }
        let answer = self.api.get(self.on, self.operation.clone(), "/api/v1/users/me", &[]).await?;
        let single: Single<'_> = answer.json()?;
        let me: Me = serde_json::from_str(single.data.get()).map_err(|error| answer.unreadable(error))?;
        Ok((*self.api.currency.learn(self.on, (), me.default_currency)).clone())
    }

    async fn one(&self, write: &Write) -> WriteOutcome {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(Error::restated);
        if let Some(error) = stopped {
            return WriteOutcome::Failed(error);
        }
        match self.carry_out(write).await {
            Ok(written) => WriteOutcome::Written(written),
            Err(error) => {
                // Whatever stands in the way of one call stands in the way of all.
                if matches!(error.kind(), ErrorKind::RateLimited | ErrorKind::Unauthorized | ErrorKind::Unavailable) {
                    let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
                    stopped.get_or_insert_with(|| error.restated());
                }
                WriteOutcome::Failed(error)
            }
        }
    }

    async fn carry_out(&self, write: &Write) -> Result<Written> {
        match write {
            Write::Archive { id } => {
                if let Some(number) = note::number_of(id) {
                    note::delete(self.api, self.on, number).await?;
                    return Ok(Written::new(id.clone()));
                }
                let path = format!("/api/v2/{}/{}", self.object.name(), id.as_str());
                let to = (Method::DELETE, path.as_str());
                self.api.send(self.on, self.operation.clone(), to, None, Resend::Safe).await?;
                Ok(Written::new(id.clone()))
            }
            Write::Create { fields, .. } if self.object == Object::Activity && note::is_note(fields) => {
                note::write(self.api, self.on, fields, None).await
            }
            Write::Create { fields, .. } => {
                let path = format!("/api/v2/{}", self.object.name());
                self.save(fields, None, (Method::POST, &path), Resend::Verify).await
            }
            Write::Update { id, fields, .. } => {
                if let Some(number) = note::number_of(id) {
                    return note::write(self.api, self.on, fields, Some(number)).await;
                }
                let path = format!("/api/v2/{}/{}", self.object.name(), id.as_str());
                let none = Current::default();
                let current = self.current.get(id.as_str()).unwrap_or(&none);
                self.save(fields, Some(current), (Method::PATCH, &path), Resend::Safe).await
            }
            _ => Err(Error::invalid(ErrorCode::Unsupported, "pipedrive has no such write")),
        }
    }

    /// Sends fields. An account that takes no parts of names is told whole ones, from then on.
    async fn save(
        &self,
        fields: &Fields,
        current: Option<&Current>,
        (method, path): (Method, &str),
        resend: Resend,
    ) -> Result<Written> {
        let names = self.api.names.get(self.on, &()).map_or(NameStyle::Parts, |style| *style);
        let draft = self.draft(fields, current, names)?;
        let to = (method.clone(), path);
        let sent = self.api.send(self.on, self.operation.clone(), to, Some(&draft.body), resend).await;
        match sent {
            Ok(answer) => self.written(&answer, fields, draft.warnings).await,
            Err(error) if names == NameStyle::Parts && takes_no_parts(&error) => {
                self.api.names.learn(self.on, (), NameStyle::Whole);
                let alone;
                let current = match (current, path.rsplit('/').next()) {
                    (Some(_), Some(id)) => {
                        alone = self.read_alone(id).await?;
                        Some(&alone)
                    }
                    (current, _) => current,
                };
                let draft = self.draft(fields, current, NameStyle::Whole)?;
                let to = (method, path);
                let answer = self.api.send(self.on, self.operation.clone(), to, Some(&draft.body), resend).await?;
                self.written(&answer, fields, draft.warnings).await
            }
            Err(error) => Err(error),
        }
    }

    async fn read_alone(&self, id: &str) -> Result<Current> {
        let path = format!("/api/v2/{}/{id}", self.object.name());
        let answer = self.api.get(self.on, self.operation.clone(), &path, &[]).await?;
        let single: Single<'_> = answer.json()?;
        Current::of(single.data).map_err(|error| answer.unreadable(error))
    }

    fn draft(&self, fields: &Fields, current: Option<&Current>, names: NameStyle) -> Result<Draft> {
        let style = (names, self.currency.as_deref());
        draft(self.object, &self.described, fields, current, style).map_err(|error| error.at(&self.operation))
    }

    /// What the answer says that Pipedrive keeps of what was sent.
    async fn written(&self, answer: &Answer, sent: &Fields, warnings: Vec<String>) -> Result<Written> {
        let single: Single<'_> = answer.json()?;
        let names = || sent.iter().map(|(name, _)| name.clone());
        let relations = names().collect();
        let mut decoded = decode(&Layout::new(&self.described, names(), &relations), single.data);
        if decoded.as_ref().is_ok_and(|decoded| decoded.is_stale) {
            let fresh = describe(self.api, self.on, self.object).await?;
            decoded = decode(&Layout::new(&fresh, names(), &relations), single.data);
        }
        let record = match decoded {
            Ok(decoded) => decoded.record,
            // It was written; only what is kept of it is not known.
            Err(undecodable) => match undecodable.id {
                Some(id) => return Ok(Written::new(id)),
                None => return Err(Error::new(ErrorKind::Ambiguous, ErrorCode::InvalidAnswer, "the answer has no id")),
            },
        };
        let mut written = Written::new(record.id);
        written.modified_at = record.modified_at;
        written.fields = record.fields;
        written.warnings = warnings;
        Ok(written)
    }
}

/// Whether the refusal is that of an account whose persons have only a whole name (the OpenAPI body lists nothing else).
fn takes_no_parts(error: &Error) -> bool {
    error.kind() == ErrorKind::Invalid
        && error.message().contains("not allowed")
        && error.fields().iter().any(|field| matches!(field.as_str(), "first_name" | "last_name"))
}
