//! Writes of the connector under test, and what becomes of their values.

use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{Write, WriteOutcome};
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::ids::{FieldName, IntentId, RemoteId};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use chrono::{DateTime, Days};

use crate::crm::Crm;
use crate::fault::Fault;
use crate::schema::BULK_MIN;

const BATCH: usize = 7;

impl Crm {
    /// One outcome for each write, with the fault.
    pub(crate) async fn carry_out(
        &self,
        on: &Connection,
        resource: Resource,
        writes: Vec<Write>,
    ) -> Result<Vec<WriteOutcome>> {
        match self.fault {
            Some(Fault::EmptyBatchFails) if writes.is_empty() => {
                return Err(Error::invalid(ErrorCode::InvalidRequest, "nothing is to be written"));
            }
            Some(Fault::SmallBatches) if writes.len() >= BATCH => {
                return Err(Error::invalid(ErrorCode::InvalidRequest, "this is too much"));
            }
            Some(Fault::BadWriteSpoilsBatch) if writes.iter().any(|write| self.refusal(resource, write).is_some()) => {
                let failed = |_| WriteOutcome::Failed(Error::new(ErrorKind::NotFound, ErrorCode::RecordGone, "no"));
                return Ok(writes.iter().map(failed).collect());
            }
            _ => {}
        }
        let mut outcomes = Vec::new();
        for write in writes {
            outcomes.push(self.one(on, resource, write).await?);
        }
        let is_job = outcomes.len() >= BULK_MIN;
        if self.has(Fault::OutcomesReversed) || (is_job && self.has(Fault::BulkMixesRows)) {
            outcomes.reverse();
        }
        Ok(outcomes)
    }

    async fn one(&self, on: &Connection, resource: Resource, mut write: Write) -> Result<WriteOutcome> {
        if let Some(error) = self.refusal(resource, &write) {
            return Ok(WriteOutcome::Failed(self.placed(error)));
        }
        self.change_around(resource, &write);
        let sent = write.fields().cloned().unwrap_or_default();
        match &mut write {
            Write::Archive { id } if self.has(Fault::WritesNoDeletes) => {
                let written = abmatic_sync_core::connector::request::Written::new(id.clone());
                return Ok(WriteOutcome::Written(written));
            }
            Write::Create { intent, fields } => {
                if self.has(Fault::IntentForgotten) {
                    *intent = IntentId::new(format!("{intent}-{}", self.everything(resource).len()));
                }
                *fields = self.kept(resource, fields, None);
            }
            Write::Update { id, fields, .. } => *fields = self.kept(resource, fields, Some(id)),
            _ => {}
        }
        let is_create = matches!(write, Write::Create { .. });
        let outcome = self.memory().write(on, resource, vec![write]).await?.remove(0);
        Ok(match outcome {
            WriteOutcome::Written(mut written) => {
                if is_create {
                    self.note_made(resource, &written.id);
                }
                written.fields = match self.fault {
                    Some(Fault::SaysWhatWasSent) => sent.into_iter().map(|(name, _)| (name, "SENT".into())).collect(),
                    Some(_) => Fields::new(),
                    None => written.fields,
                };
                WriteOutcome::Written(written)
            }
            WriteOutcome::Failed(error) if self.has(Fault::TakenKeyIsInvalid) => {
                WriteOutcome::Failed(Error::invalid(ErrorCode::InvalidField, error.message()))
            }
            WriteOutcome::Failed(error) => WriteOutcome::Failed(self.placed(error)),
            other => other,
        })
    }

    fn placed(&self, error: Error) -> Error {
        if self.has(Fault::ErrorWithoutPlace) { error } else { error.at("memory write") }
    }

    /// Why the CRM takes a write not at all.
    fn refusal(&self, resource: Resource, write: &Write) -> Option<Error> {
        let gone = || Some(Error::new(ErrorKind::NotFound, ErrorCode::RecordGone, "there is no such record"));
        let is_live = |id: &RemoteId| self.memory().record(resource, id).is_some_and(|record| !record.deleted);
        match write {
            Write::Archive { id } if !is_live(id) && self.has(Fault::DeletesAgainInvalid) => {
                return Some(Error::invalid(ErrorCode::InvalidRequest, "it is deleted already"));
            }
            Write::Archive { id } if !is_live(id) => return gone(),
            Write::Update { id, .. } if !is_live(id) && !self.has(Fault::RestoresByUpdate) => return gone(),
            _ => {}
        }
        let fields = write.fields()?;
        if let Some(name) = fields.iter().map(|(name, _)| name).find(|name| name.as_str().contains("no_such")) {
            let error = Error::invalid(ErrorCode::InvalidField, format!("there is no field {name}"));
            return Some(error).filter(|_| !self.has(Fault::SwallowsUnknownFields));
        }
        let required = match resource {
            Resource::Account => Some("name"),
            Resource::Opportunity => Some("title"),
            _ => None,
        };
        let lacks = |name: &&str| fields.get(name).is_none_or(Value::is_blank);
        if let (Write::Create { .. }, Some(name)) = (write, required.filter(lacks)) {
            let error = Error::invalid(ErrorCode::RequiredFieldMissing, format!("{name} is missing"));
            return Some(error).filter(|_| !self.has(Fault::TakesMissingRequired));
        }
        let account = fields.get("account").into_iter().flat_map(Value::ids).next()?;
        let account = self.memory().record(Resource::Account, &RemoteId::from(account));
        let is_there = account.is_some_and(|account| !account.deleted);
        let error = Error::invalid(ErrorCode::InvalidReference, "there is no such account");
        Some(error).filter(|_| !is_there && !self.has(Fault::TakesUnknownReferences))
    }

    /// What a faulty write does beside the record's own change.
    fn change_around(&self, resource: Resource, write: &Write) {
        let Write::Update { id, fields, .. } = write else { return };
        let cleared = |keep: &dyn Fn(&FieldName) -> bool| {
            let held = self.memory().record(resource, id).map(|record| record.fields).unwrap_or_default();
            let others = held.iter().filter(|(name, _)| fields.get(name.as_str()).is_none() && keep(name));
            let nulls: Fields = others.map(|(name, _)| (name.clone(), Value::Null)).collect();
            self.memory().edit(resource, id, &nulls);
        };
        match self.fault {
            Some(Fault::RestoresByUpdate) => self.memory().restore(resource, id),
            Some(Fault::UpdateClearsRest) => cleared(&|_| true),
            Some(Fault::UpdateDropsReferences) => cleared(&|name| name.as_str() == "account"),
            _ => {}
        }
    }

    /// The fields as this CRM takes them.
    fn kept(&self, resource: Resource, fields: &Fields, of: Option<&RemoteId>) -> Fields {
        let Some(fault) = self.fault else { return fields.clone() };
        let before = of.and_then(|id| self.memory().record(resource, id)).map(|record| record.fields);
        let mut kept = Fields::new();
        for (place, (name, value)) in fields.iter().enumerate() {
            let held = before.as_ref().and_then(|before| before.get(name.as_str()));
            let taken = match (fault, value) {
                (Fault::WritesHalf, _) if place % 2 == 1 => continue,
                (Fault::NullIgnored, Value::Null) => continue,
                (Fault::SwallowsUnknownFields, _) if name.as_str().contains("no_such") => continue,
                (Fault::DropsReferences, Value::Reference(_)) => continue,
                (Fault::AddsReferencesOnly, _) if matches!(name.as_str(), "account" | "contacts") => {
                    let both = held.into_iter().chain([value]).flat_map(Value::ids);
                    Value::Reference(both.map(str::to_owned).collect())
                }
                _ => mangled(fault, value),
            };
            kept.insert(name.clone(), taken);
        }
        kept
    }
}

/// A value as a faulty CRM keeps it.
fn mangled(fault: Fault, value: &Value) -> Value {
    match (fault, value) {
        (_, Value::Text(text)) => Value::text(mangled_text(fault, text)),
        (Fault::RoundsDecimals, Value::Decimal(number)) => Value::Decimal(number.round()),
        (Fault::LargeNumbersRound, Value::Integer(number)) if *number > 1 << 53 => Value::Integer(number - 1),
        (Fault::NegativesAreZero, Value::Integer(number)) => Value::Integer((*number).max(0)),
        (Fault::DaysShift, Value::Date(day)) => Value::Date(*day - Days::new(1)),
        (Fault::MomentsCut, Value::Instant(moment)) => {
            Value::Instant(DateTime::from_timestamp(moment.timestamp(), 0).unwrap())
        }
        (Fault::FalseIsBlank, Value::Boolean(false)) => Value::Null,
        (Fault::OneOption, Value::MultiChoice(set)) => Value::MultiChoice(set.iter().take(1).cloned().collect()),
        (_, value) => value.clone(),
    }
}

fn mangled_text(fault: Fault, text: &str) -> String {
    let without = |is_lost: fn(char) -> bool| text.chars().filter(|letter| !is_lost(*letter)).collect();
    match fault {
        Fault::FlattensLines => text.replace(['\n', '\r', '\t'], " "),
        Fault::LosesEmoji => without(|letter| u32::from(letter) > 0xffff),
        Fault::LosesRightToLeft => without(|letter| ('\u{590}'..'\u{700}').contains(&letter)),
        Fault::NormalisesLetters => text.replace("A\u{308}", "Ä"),
        Fault::PanicsOnEmoji if text.contains('😀') => panic!("what is that?"),
        Fault::StripsMarkup => text.replace("<b>", "").replace("</b>", ""),
        Fault::StripsQuotes => without(|letter| matches!(letter, '\'' | '"' | '\\')),
        Fault::TrimsInSilence => text.trim().to_owned(),
        _ => text.to_owned(),
    }
}
