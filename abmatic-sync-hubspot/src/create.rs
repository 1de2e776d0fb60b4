//! Creates, exactly once: an upsert by the own unique property, or a plain create that is verified after doubt.

use std::collections::BTreeMap;

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::schema::FieldType;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::retry::Resend;
use serde_json::json;

use crate::align::{Part, align_creates};
use crate::batch::Batches;
use crate::describe::OwnKey;
use crate::errors::row_error;
use crate::object::{OWN_KEY, Object, RECORD_ID};
use crate::record::Layout;
use crate::row::{Row, RowLink};
use crate::wire::{Batch, WithId, WrittenRecord};
use crate::write::{Writer, batches, is_spoilt};

impl Writer<'_> {
    pub(crate) async fn creates(&mut self, rows: Vec<Row>) -> Result<()> {
        let mut pending = batches(rows);
        while let Some(mut rows) = pending.pop() {
            match self.send_creates(&rows).await {
                Ok(batch) => self.settle_creates(rows, batch).await,
                Err(error) if is_spoilt(&error) && rows.len() > 1 => {
                    let half = rows.split_off(rows.len() / 2);
                    pending.extend([half, rows]);
                }
                Err(error) => match rows.as_slice() {
                    [row] => {
                        let error = self.with_existing(row, error).await;
                        self.fail_all(&rows, error)?;
                    }
                    _ => self.fail_all(&rows, error)?,
                },
            }
        }
        Ok(())
    }

    fn upserts(&self) -> bool {
        self.described.own_key == OwnKey::Ready
    }

    async fn send_creates(&self, rows: &[Row]) -> Result<Batch<WrittenRecord>> {
        self.go_on()?;
        let (verb, resend) = if self.upserts() { ("upsert", Resend::Safe) } else { ("create", Resend::Verify) };
        let inputs: Vec<_> = rows.iter().map(|row| self.input(row)).collect();
        let path = self.api.version.record_batch(self.object, verb);
        self.api.post(self.on, self.operation(), &path, &json!({"inputs": inputs}), resend).await?.json()
    }

    /// Upserts take no associations; plain creates do.
    fn input(&self, row: &Row) -> serde_json::Value {
        let mut properties = row.properties.clone();
        if !self.upserts() {
            let associations: Vec<_> = row.links.iter().map(inline).collect();
            return json!({"objectWriteTraceId": row.key, "properties": properties, "associations": associations});
        }
        // Named among the properties too, so that the answer shows it and the row can be found by it.
        properties.insert(OWN_KEY.to_owned(), row.key.clone());
        json!({"id": row.key, "idProperty": OWN_KEY, "objectWriteTraceId": row.key, "properties": properties})
    }

    async fn settle_creates(&mut self, rows: Vec<Row>, batch: Batch<WrittenRecord>) {
        let parts = align_creates(&rows, batch.results, batch.errors);
        let inline = !self.upserts();
        let mut unmentioned = Vec::new();
        for (row, part) in rows.into_iter().zip(parts) {
            match part {
                Part::Written(record) => self.wrote(&row, &record, inline),
                Part::Refused(refusal) => {
                    let error = self.with_existing(&row, row_error(&refusal)).await;
                    let error = error.at(&self.operation());
                    self.fail(row.at, error);
                }
                Part::Unmentioned => unmentioned.push(row),
            }
        }
        self.look_up(unmentioned).await;
    }

    /// Rows that an answer does not mention: by the own key the store knows whether they are there.
    async fn look_up(&mut self, rows: Vec<Row>) {
        if rows.is_empty() {
            return;
        }
        let held = if self.upserts() { self.held(&rows).await } else { Ok(BTreeMap::new()) };
        for row in rows {
            match &held {
                Ok(held) if held.contains_key(&row.key) => {
                    if let Some(record) = held.get(&row.key) {
                        self.wrote(&row, record, false);
                    }
                }
                _ => {
                    let message = "the answer does not say what became of the record";
                    let error = Error::new(ErrorKind::Ambiguous, ErrorCode::InvalidAnswer, message);
                    self.fail(row.at, error.at(&self.operation()));
                }
            }
        }
    }

    /// The records that hold the rows' own keys, as bare ids.
    async fn held(&self, rows: &[Row]) -> Result<BTreeMap<String, WrittenRecord>> {
        let layout = Layout::ids_only().with(OWN_KEY, FieldType::Text);
        let keys: Vec<String> = rows.iter().map(|row| row.key.clone()).collect();
        let found = Batches::new(self.api, self.on, self.object, &layout).by(OWN_KEY).complete(&keys).await?;
        let by_key = found.records.into_iter().filter_map(|one| {
            let Some(Value::Text(key)) = one.record.fields.get(OWN_KEY) else { return None };
            Some((key.clone(), WrittenRecord::of_id(one.record.id.as_str())))
        });
        Ok(by_key.collect())
    }

    /// A duplicate with the record that stands in the way; HubSpot does not always name it.
    async fn with_existing(&self, row: &Row, error: Error) -> Error {
        if error.kind() != ErrorKind::Duplicate || error.existing_id().is_some() || self.object != Object::Contacts {
            return error;
        }
        let Some(email) = row.email() else { return error };
        let path = self.api.version.record(self.object, &email);
        let query = [("idProperty", "email"), ("properties", RECORD_ID)];
        let found = self.api.get(self.on, self.operation(), &path, &query).await;
        match found.and_then(|answer| answer.json::<WithId>()) {
            Ok(found) => error.with_existing_id(RemoteId::from(found.id.0)),
            Err(_) => error,
        }
    }
}

fn inline(link: &RowLink) -> serde_json::Value {
    json!({"to": WithId::new(&link.to), "types": [link.relation.association_type()]})
}
