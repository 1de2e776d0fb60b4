//! Rows into records: with the values of custom fields and the associations that stand elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use abmatic_sync_core::connector::request::Undecodable;
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::ids::{FieldName, RemoteId};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::value::Value;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::Value as Json;

use crate::api::Api;
use crate::association;
use crate::column::{Column, Place};
use crate::custom::{self, AllValues, CustomValues, Values};
use crate::describe::{Described, described};
use crate::note;
use crate::object::{ACCOUNT_RELATION, CONTACTS_RELATION, Object};
use crate::values::decode;
use crate::walk::Part;
use crate::wire::{id, moment};

/// Some records.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) records: Vec<RemoteRecord>,
    pub(crate) undecodable: Vec<Undecodable>,
}

/// What is wanted of an object's records, and who asks.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) api: &'a Api,
    pub(crate) on: &'a Connection,
    pub(crate) object: Object,
    pub(crate) described: Arc<Described>,
    fields: BTreeSet<FieldName>,
    relations: BTreeSet<FieldName>,
    operation: String,
}

impl<'a> Reader<'a> {
    pub(crate) async fn new(api: &'a Api, on: &'a Connection, object: Object, verb: &str) -> Result<Self> {
        let described = described(api, on, object).await?;
        let operation = format!("activecampaign {verb} {}", object.plural());
        Ok(Self { api, on, object, described, fields: BTreeSet::new(), relations: BTreeSet::new(), operation })
    }

    /// Wants these.
    pub(crate) fn of(mut self, fields: impl IntoIterator<Item = FieldName>, relations: &BTreeSet<FieldName>) -> Self {
        self.fields.extend(fields);
        self.relations.extend(relations.iter().cloned());
        self
    }

    pub(crate) fn operation(&self) -> &str {
        &self.operation
    }

    fn columns(&self) -> impl Iterator<Item = &Column> {
        self.fields.iter().filter_map(|name| self.described.column(name.as_str()))
    }

    fn wants(&self, relation: &str) -> bool {
        self.relations.iter().any(|name| name.as_str() == relation)
    }

    fn wants_custom(&self) -> bool {
        self.columns().any(|column| matches!(column.place, Place::Custom(_)))
    }

    fn wants_association(&self) -> bool {
        let wants_title = self.columns().any(|column| column.place == Place::JobTitle);
        self.object == Object::Contact && (wants_title || self.wants(ACCOUNT_RELATION))
    }

    /// What is asked for beside contacts, in one word each.
    pub(crate) fn beside(&self) -> Option<String> {
        if self.object != Object::Contact {
            return None;
        }
        let values = self.wants_custom().then_some("fieldValues");
        let associations = self.wants_association().then_some("accountContacts");
        let wanted: Vec<&str> = values.into_iter().chain(associations).collect();
        (!wanted.is_empty()).then(|| wanted.join(","))
    }

    /// The records of rows. `page` holds what stands beside them, which is asked for record by record where it is missing;
    /// `part` says which part of a walk they are, if any.
    pub(crate) async fn records(&self, page: &Json, rows: Vec<Json>, part: Option<Part>) -> Result<Found> {
        let ids: Vec<String> = rows.iter().filter_map(|row| id(row, "id")).collect();
        let values = if self.wants_custom() { self.values(page, &rows, part).await? } else { BTreeMap::new() };
        let associations =
            if self.wants_association() { self.associations(page, &ids).await? } else { BTreeMap::new() };
        let mut found = Found::default();
        for row in rows {
            match self.record(&row, &values, &associations) {
                Ok(record) => found.records.push(record),
                Err(undecodable) => found.undecodable.push(undecodable),
            }
        }
        Ok(found)
    }

    fn record(
        &self,
        row: &Json,
        values: &BTreeMap<String, Values>,
        associations: &BTreeMap<String, Json>,
    ) -> std::result::Result<RemoteRecord, Undecodable> {
        let broken = |id: Option<&str>, kind, code, what: &str| {
            Err(Undecodable::new(id.map(RemoteId::from), Error::new(kind, code, what)))
        };
        let Some(number) = id(row, "id") else {
            return broken(None, ErrorKind::Undocumented, ErrorCode::InvalidAnswer, "the record has no id");
        };
        if is_hidden(row) {
            let what = "the deal is in a pipeline that the API key's user may not see";
            return broken(Some(&number), ErrorKind::Forbidden, ErrorCode::InsufficientAccess, what);
        }
        let (none, blank) = (Values::new(), Json::Null);
        let own = values.get(&number).unwrap_or(&none);
        let association = associations.get(&number).unwrap_or(&blank);
        let mut fields = Fields::with_capacity(self.fields.len() + self.relations.len());
        for column in self.columns() {
            let json = match &column.place {
                Place::Own(key) => row.get(*key).or_else(|| note::parent(row, key)),
                Place::JobTitle => association.get("jobTitle"),
                Place::Custom(field) => own.iter().find(|(number, _)| number == field).map(|(_, value)| value),
            };
            fields.insert(column.name.clone(), decode(column, json.unwrap_or(&blank)));
        }
        let reference = |id: Option<String>| id.map_or(Value::Null, Value::reference);
        if self.wants(ACCOUNT_RELATION) {
            let from = if self.object == Object::Contact { association } else { row };
            // All three are one, and any may be missing ("Deals").
            let account = ["account", "customerAccount", "organization"].iter().find_map(|key| id(from, key));
            fields.insert(ACCOUNT_RELATION, reference(account));
        }
        if self.wants(CONTACTS_RELATION) {
            fields.insert(CONTACTS_RELATION, reference(id(row, "contact")));
        }
        let (made, changed) = self.object.clocks();
        let mut record = RemoteRecord::new(number, fields);
        (record.created_at, record.modified_at) = (moment(row, made), moment(row, changed));
        Ok(record)
    }

    /// The values of custom fields by record.
    async fn values(&self, page: &Json, rows: &[Json], part: Option<Part>) -> Result<BTreeMap<String, Values>> {
        if rows.is_empty() {
            return Ok(BTreeMap::new());
        }
        if let (Object::Contact, Some(beside)) = (self.object, custom::beside(page)) {
            // Who has none is not among them.
            let none = rows.iter().filter_map(|row| Some((id(row, "id")?, Values::new())));
            return Ok(none.chain(beside).collect());
        }
        let numbers = rows.iter().filter_map(|row| id(row, "id"));
        let known = match (self.object.custom(), part) {
            (Some(_), Some(part)) => self.values_of_walk(rows, part).await?,
            (Some(_), None) if rows.len() > 1 => {
                let all = self.custom().all(&self.custom_fields(), rows.len() as u64).await?;
                numbers.clone().filter_map(|number| Some((number.clone(), all.of(&number)?))).collect()
            }
            (Some(_) | None, _) => BTreeMap::new(),
        };
        let missing: Vec<String> = numbers.filter(|number| !known.contains_key(number)).collect();
        let custom = self.custom();
        let mut calls = Vec::with_capacity(missing.len());
        for number in &missing {
            calls.push(custom.of(number));
        }
        let alone = self.some_at_once(calls).await?;
        Ok(known.into_iter().chain(missing.iter().cloned().zip(alone)).collect())
    }

    /// The values of a page of a walk, as far as those of all records are worth their calls.
    async fn values_of_walk(&self, rows: &[Json], part: Part) -> Result<BTreeMap<String, Values>> {
        let fields = self.custom_fields();
        let now = self.api.clock().now();
        let kept = self.api.values.get(self.on, &self.object).filter(|kept| kept.serve(&fields, now));
        let (all, is_kept) = match (part, kept) {
            (Part::Later(_), Some(kept)) => (kept, true),
            (Part::First(left) | Part::Later(left), _) => {
                let all = self.custom().all(&fields, left).await?;
                (self.api.values.learn(self.on, self.object, all), false)
            }
        };
        let (Part::First(left) | Part::Later(left)) = part;
        if left <= rows.len() as u64 {
            self.api.values.learn(self.on, self.object, AllValues::default());
        }
        let of = |row: &Json| {
            let number = id(row, "id")?;
            let own = if is_kept {
                all.of_unchanged(&number, moment(row, self.object.clocks().1))?
            } else {
                all.of(&number)?
            };
            Some((number, own))
        };
        Ok(rows.iter().filter_map(of).collect())
    }

    fn custom(&self) -> CustomValues<'_> {
        CustomValues { api: self.api, on: self.on, object: self.object, operation: &self.operation }
    }

    fn custom_fields(&self) -> BTreeSet<u64> {
        let number = |column: &Column| match column.place {
            Place::Custom(number) => Some(number),
            Place::JobTitle | Place::Own(_) => None,
        };
        self.columns().filter_map(number).collect()
    }

    /// The association of each contact that has one.
    async fn associations(&self, page: &Json, ids: &[String]) -> Result<BTreeMap<String, Json>> {
        if let Some(beside) = association::beside(page) {
            return Ok(beside);
        }
        let mut calls = Vec::with_capacity(ids.len());
        for contact in ids {
            calls.push(association::of(self.api, self.on, &self.operation, contact));
        }
        let found = ids.iter().cloned().zip(self.some_at_once(calls).await?);
        Ok(found.filter_map(|(contact, association)| Some((contact, association?))).collect())
    }

    /// Carries out calls, some at once, and gives their answers in order.
    pub(crate) async fn some_at_once<T>(&self, calls: Vec<impl Future<Output = Result<T>>>) -> Result<Vec<T>> {
        stream::iter(calls).buffered(self.api.options.calls_at_once.max(1)).try_collect().await
    }
}

/// Whether a deal is a stub of one that may not be seen: it is neither there nor gone.
pub(crate) fn is_hidden(row: &Json) -> bool {
    row.get("isDisabled").and_then(crate::wire::text).is_some_and(|hidden| hidden == "1")
}
