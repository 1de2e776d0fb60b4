//! Saved filters that we make for a while: made, used, removed; what a crash has left is removed by the next one.
//!
//! The API makes no temporary filters: what we save shows in the user's own list, so its name says whose it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::client::removed;
use abmatic_sync_http::retry::Resend;
use http::Method;
use serde_json::{Value as Json, json};

use crate::api::Api;
use crate::column::{Column, Spelling};
use crate::describe::{Described, PAGE_MAX};
use crate::filter::{Condition, Groups};
use crate::object::Object;
use crate::values::encode;
use crate::wire::{FieldNumber, Listing, SavedFilter, Single, WithId};

const FILTERS: &str = "/api/v1/filters";

/// Makes and removes filters of one object of one account.
#[derive(Debug)]
pub(crate) struct SavedFilters<'a> {
    api: &'a Api,
    on: &'a Connection,
    object: Object,
    operation: String,
}

impl<'a> SavedFilters<'a> {
    pub(crate) fn new(api: &'a Api, on: &'a Connection, object: Object, operation: &str) -> Self {
        Self { api, on, object, operation: operation.to_owned() }
    }

    /// The name by which we know our own.
    fn name(&self) -> String {
        format!("abmatic-sync, removed after use ({})", self.on.id)
    }

    /// Saves a filter, and answers its id.
    pub(crate) async fn create(&self, described: &Described, groups: &Groups) -> Result<u64> {
        let numbers = self.numbers().await?;
        let group = |glue: &str, conditions: &[Condition]| -> Result<Json> {
            let conditions = conditions.iter().map(|one| self.condition(described, &numbers, one));
            Ok(json!({"glue": glue, "conditions": conditions.collect::<Result<Vec<_>>>()?}))
        };
        let conditions = json!([group("and", &groups.all)?, group("or", &groups.any)?]);
        let body = json!({
            "name": self.name(), "type": self.object.filter_type(),
            "conditions": {"glue": "and", "conditions": conditions},
        });
        // A filter that was made and of which nobody knows is one of those that are removed by name.
        let to = (Method::POST, FILTERS);
        let answer = self.api.send(self.on, self.operation.clone(), to, Some(&body), Resend::Safe).await?;
        let single: Single<'_> = answer.json()?;
        let made: WithId = serde_json::from_str(single.data.get()).map_err(|error| answer.unreadable(error))?;
        Ok(made.id)
    }

    fn condition(&self, described: &Described, numbers: &BTreeMap<String, u64>, one: &Condition) -> Result<Json> {
        let unknown = || {
            let message = format!("Pipedrive has no number for \"{}\", so that it cannot be filtered by", one.field);
            Error::invalid(ErrorCode::InvalidFilter, message).with_fields(vec![one.field.clone()]).at(&self.operation)
        };
        let column = described.column(&one.field).ok_or_else(unknown)?;
        let number = numbers.get(&column.v1_key).ok_or_else(unknown)?;
        let value = one.value.as_ref().map(|value| text_of(column, value)).transpose()?;
        Ok(json!({
            "object": self.object.singular(), "field_id": number.to_string(), "operator": one.operator,
            "value": value, "extra_value": null,
        }))
    }

    /// The numbers of fields: only API v1 tells them, and only filters want them.
    async fn numbers(&self) -> Result<Arc<BTreeMap<String, u64>>> {
        if let Some(known) = self.api.numbers.get(self.on, &self.object) {
            return Ok(known);
        }
        let path = format!("/api/v1/{}Fields", self.object.singular());
        let mut numbers = BTreeMap::new();
        loop {
            let start = numbers.len().to_string();
            let query = [("start", start.as_str()), ("limit", PAGE_MAX)];
            let answer = self.api.get(self.on, self.operation.clone(), &path, &query).await?;
            let listing: Listing<'_> = answer.json()?;
            let before = numbers.len();
            for raw in &listing.data {
                let field: FieldNumber = serde_json::from_str(raw.get()).map_err(|error| answer.unreadable(error))?;
                numbers.insert(field.key, field.id);
            }
            if !listing.goes_on() || numbers.len() == before {
                return Ok(self.api.numbers.learn(self.on, self.object, numbers));
            }
        }
    }

    /// Removes a filter; one that is gone already is removed.
    pub(crate) async fn remove(&self, id: u64) -> Result<()> {
        let path = format!("{FILTERS}/{id}");
        let to = (Method::DELETE, path.as_str());
        removed(self.api.send(self.on, self.operation.clone(), to, None, Resend::Safe).await)
    }

    /// Removes what a run of this connection that crashed has left.
    pub(crate) async fn remove_leftovers(&self) -> Result<()> {
        let query = [("type", self.object.filter_type())];
        let answer = self.api.get(self.on, self.operation.clone(), FILTERS, &query).await?;
        let listing: Listing<'_> = answer.json()?;
        let name = self.name();
        for raw in &listing.data {
            let saved: SavedFilter = serde_json::from_str(raw.get()).map_err(|error| answer.unreadable(error))?;
            if saved.name == name {
                self.remove(saved.id).await?;
            }
        }
        Ok(())
    }
}

/// A condition's value, which is always a text: options by their id.
fn text_of(column: &Column, value: &Value) -> Result<String> {
    let is_option = matches!(column.spelling, Spelling::Choice | Spelling::Choices);
    if is_option {
        let text = value.to_string();
        return Ok(column.option_id(&text).map_or(text, str::to_owned));
    }
    if column.spelling == Spelling::Text || column.spelling == Spelling::Contact {
        return Ok(value.to_string());
    }
    Ok(match encode(column, value)? {
        Json::String(text) => text,
        other => other.to_string(),
    })
}
