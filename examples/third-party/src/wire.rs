//! Tiny CRM's JSON, and its values as ours.

use std::collections::{BTreeMap, BTreeSet};

use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::schema::{Field, FieldType, Schema};
use abmatic_sync_core::model::value::Value;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// A person's company, under the name that the engine has for it, and under Tiny CRM's.
const ACCOUNT: (&str, &str) = ("account", "company_id");

/// `GET /fields/{object}`: one of its rows.
#[derive(Debug, Deserialize)]
pub(crate) struct FieldInfo {
    name: String,
    kind: String,
    required: bool,
    unique: bool,
}

/// A page of records.
#[derive(Debug, Deserialize)]
pub(crate) struct Rows {
    pub(crate) rows: Vec<Row>,
    #[serde(default)]
    pub(crate) next: Option<String>,
}

/// A record. `key` is the word under which it was made.
#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) key: Option<String>,
    created: DateTime<Utc>,
    pub(crate) changed: DateTime<Utc>,
    fields: BTreeMap<String, Json>,
}

/// One write of a batch.
#[derive(Debug, Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub(crate) enum Op {
    Create { key: String, fields: BTreeMap<String, Json> },
    Delete { id: String },
    Update { id: String, fields: BTreeMap<String, Json> },
}

/// What became of each write, in their order.
#[derive(Debug, Deserialize)]
pub(crate) struct Results {
    pub(crate) results: Vec<OpResult>,
}

/// What became of one write.
#[derive(Debug, Deserialize)]
pub(crate) struct OpResult {
    pub(crate) status: u16,
    pub(crate) id: Option<String>,
    pub(crate) row: Option<Row>,
    pub(crate) error: Option<String>,
    pub(crate) field: Option<String>,
}

impl Row {
    /// The record with the fields and relations that were asked for.
    pub(crate) fn decode<'n>(&self, names: impl IntoIterator<Item = &'n FieldName>) -> RemoteRecord {
        let mut record = RemoteRecord::new(self.id.clone(), self.values(names));
        (record.created_at, record.modified_at) = (Some(self.created), Some(self.changed));
        record
    }

    /// The values of these fields; null where there is none.
    pub(crate) fn values<'n>(&self, names: impl IntoIterator<Item = &'n FieldName>) -> Fields {
        let value = |name: &FieldName| match name.as_str() {
            relation if relation == ACCOUNT.0 => {
                let id = self.fields.get(ACCOUNT.1).and_then(Json::as_str);
                id.map_or(Value::Null, Value::reference)
            }
            field => match self.fields.get(field) {
                Some(Json::String(text)) => Value::text(text.as_str()),
                Some(Json::Number(number)) => number.as_i64().map_or(Value::Null, Value::Integer),
                _ => Value::Null,
            },
        };
        names.into_iter().map(|name| (name.clone(), value(name))).collect()
    }
}

/// Fields as Tiny CRM takes them. Null clears.
pub(crate) fn encode(fields: &Fields) -> BTreeMap<String, Json> {
    let one = |(name, value): (&FieldName, &Value)| match (name.as_str(), value) {
        (relation, value) if relation == ACCOUNT.0 => {
            (ACCOUNT.1.to_owned(), value.ids().next().map_or(Json::Null, Json::from))
        }
        (name, Value::Null) => (name.to_owned(), Json::Null),
        (name, Value::Integer(number)) => (name.to_owned(), Json::from(*number)),
        (name, value) => (name.to_owned(), Json::from(value.to_string())),
    };
    fields.iter().map(one).collect()
}

/// The definitions as a schema.
pub(crate) fn schema(infos: Vec<FieldInfo>, relations: &BTreeSet<&str>) -> Schema {
    let field = |info: FieldInfo| {
        let field_type = match info.kind.as_str() {
            "email" => FieldType::Email,
            "number" => FieldType::Integer,
            "url" => FieldType::Url,
            _ => FieldType::Text,
        };
        let mut field = Field::new(info.name, field_type);
        (field.required_on_create, field.unique) = (info.required, info.unique);
        field
    };
    // A relation is no field: it is read and written under its own name.
    let is_relation = |info: &FieldInfo| info.name == ACCOUNT.1 && relations.contains(ACCOUNT.0);
    Schema::new(infos.into_iter().filter(|info| !is_relation(info)).map(field).collect())
}
