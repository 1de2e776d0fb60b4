//! HubSpot's fields and types: its property definitions as a schema, kept for as long as the process lives.

use std::collections::BTreeMap;
use std::sync::Arc;

use abmatic_sync_core::error::{ErrorKind, Result};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::schema::{ChoiceOption, Field, FieldType, Schema};

use crate::api::Api;
use crate::object::{OWN_KEY, Object};
use crate::wire::{Pipeline, Property, Results};

/// The longest text of a property, in characters ("property values").
const TEXT_MAX: u32 = 65_536;

/// Properties that HubSpot's definitions do not mark read-only although writes to them are refused or ignored.
const READ_ONLY: &[&str] = &[
    "associatedcompanyid",
    "createdate",
    "hs_additional_emails",
    "hs_lastmodifieddate",
    "hs_merged_object_ids",
    "hs_object_id",
    "lastmodifieddate",
];

/// What is known of one object of one account.
#[derive(Clone, Debug)]
pub(crate) struct Described {
    pub(crate) schema: Schema,
    /// Where the own unique property stands.
    pub(crate) own_key: OwnKey,
    /// The pipeline of each deal stage whose id is unique.
    pub(crate) pipelines: BTreeMap<String, String>,
}

/// Where the own unique property stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OwnKey {
    /// Not there.
    Missing,
    /// There, but it takes the same value twice.
    NotUnique,
    /// There and unique: creates can be upserts.
    Ready,
    /// Not there, and the token may not make it: creates are verified.
    Refused,
}

impl Described {
    /// The type of a property; text where the account has no such property.
    pub(crate) fn field_type(&self, name: &str) -> FieldType {
        self.schema.field(name).map_or(FieldType::Text, |field| field.field_type)
    }
}

/// The definitions, from memory where they were asked for before.
pub(crate) async fn described(api: &Api, on: &Connection, object: Object) -> Result<Arc<Described>> {
    match api.described.get(on, &object) {
        Some(known) => Ok(known),
        None => describe(api, on, object).await,
    }
}

/// The definitions as they are now.
pub(crate) async fn describe(api: &Api, on: &Connection, object: Object) -> Result<Arc<Described>> {
    let operation = format!("hubspot describe {}", object.name());
    let answer = api.get(on, operation, &api.version.properties(object), &[("archived", "false")]).await?;
    let properties: Results<Property> = answer.json()?;
    let pipelines = match object {
        Object::Deals => deal_pipelines(api, on).await?,
        Object::Companies | Object::Contacts => Vec::new(),
    };
    let refused = api.described.get(on, &object).is_some_and(|known| known.own_key == OwnKey::Refused);
    let own_key = match properties.results.iter().find(|property| property.name == OWN_KEY && !property.archived) {
        Some(property) if property.has_unique_value => OwnKey::Ready,
        Some(_) => OwnKey::NotUnique,
        None if refused => OwnKey::Refused,
        None => OwnKey::Missing,
    };
    let schema = schema(object, properties.results, &pipelines);
    Ok(api.described.learn(on, object, Described { schema, own_key, pipelines: pipelines_by_stage(&pipelines) }))
}

/// The pipelines, or none where the token may not see them: stages are then free text.
async fn deal_pipelines(api: &Api, on: &Connection) -> Result<Vec<Pipeline>> {
    match api.get(on, "hubspot describe pipelines", &api.version.pipelines(Object::Deals), &[]).await {
        Ok(answer) => answer.json::<Results<Pipeline>>().map(|pipelines| pipelines.results),
        Err(error) if matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::NotFound) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn pipelines_by_stage(pipelines: &[Pipeline]) -> BTreeMap<String, String> {
    let mut of_stage: BTreeMap<String, Option<String>> = BTreeMap::new();
    for pipeline in pipelines {
        for stage in &pipeline.stages {
            let place = of_stage.entry(stage.id.0.clone());
            // A stage id in two pipelines says nothing.
            place.and_modify(|held| *held = None).or_insert_with(|| Some(pipeline.id.0.clone()));
        }
    }
    of_stage.into_iter().filter_map(|(stage, pipeline)| Some((stage, pipeline?))).collect()
}

fn schema(object: Object, properties: Vec<Property>, pipelines: &[Pipeline]) -> Schema {
    let live = properties.into_iter().filter(|property| !property.archived);
    let fields = live.map(|property| field(object, property, pipelines)).collect();
    match object {
        Object::Companies => Schema::new(fields).with_required_any(&["name", "domain"]).with_recommended(&["domain"]),
        Object::Contacts => {
            Schema::new(fields).with_required_any(&["email", "firstname", "lastname"]).with_recommended(&["email"])
        }
        Object::Deals => Schema::new(fields),
    }
}

fn field(object: Object, property: Property, pipelines: &[Pipeline]) -> Field {
    let field_type = field_type(object, &property);
    let mut field = Field::new(property.name.as_str(), field_type);
    let read_only = property.calculated
        || property.modification_metadata.is_some_and(|metadata| metadata.read_only_value)
        || matches!(property.kind.as_str(), "object_coordinates" | "json")
        || READ_ONLY.contains(&property.name.as_str());
    field.writable = !read_only;
    field.unique = property.has_unique_value || (object == Object::Contacts && property.name == "email");
    field.required_on_create = object == Object::Deals && matches!(property.name.as_str(), "dealname" | "dealstage");
    field.length_max = (property.kind == "string").then_some(TEXT_MAX);
    if let Some(label) = property.label {
        field.label = label;
    }
    field.options = match (object, property.name.as_str()) {
        (Object::Deals, "dealstage") if !pipelines.is_empty() => stage_options(pipelines),
        (Object::Deals, "pipeline") if !pipelines.is_empty() => pipelines.iter().map(pipeline_option).collect(),
        _ if field_type == FieldType::Boolean => Vec::new(),
        _ => property.options.into_iter().map(|option| named(option.value.0, option.label)).collect(),
    };
    field
}

fn field_type(object: Object, property: &Property) -> FieldType {
    match (property.kind.as_str(), property.field_type.as_str()) {
        ("bool", _) | ("enumeration", "booleancheckbox") => FieldType::Boolean,
        ("enumeration", "checkbox") => FieldType::MultiChoice,
        ("enumeration", _) => FieldType::Choice,
        ("number", _) => FieldType::Decimal,
        ("date", _) => FieldType::Date,
        ("datetime", _) => FieldType::Instant,
        ("string", _) => match (object, property.name.as_str()) {
            (Object::Contacts, "email") => FieldType::Email,
            (Object::Companies, "domain" | "website") => FieldType::Url,
            _ => FieldType::Text,
        },
        _ => FieldType::Text,
    }
}

fn stage_options(pipelines: &[Pipeline]) -> Vec<ChoiceOption> {
    let stages = pipelines.iter().flat_map(|pipeline| &pipeline.stages);
    stages.map(|stage| named(stage.id.0.clone(), stage.label.clone())).collect()
}

fn pipeline_option(pipeline: &Pipeline) -> ChoiceOption {
    named(pipeline.id.0.clone(), pipeline.label.clone())
}

fn named(value: String, label: Option<String>) -> ChoiceOption {
    let label = label.unwrap_or_else(|| value.clone());
    ChoiceOption::new(value, label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn property(json: &str) -> Property {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn definitions_become_types() {
        let table = [
            (r#"{"name":"email","type":"string","fieldType":"text"}"#, FieldType::Email, true),
            (r#"{"name":"age","type":"number","fieldType":"number"}"#, FieldType::Decimal, true),
            (r#"{"name":"vip","type":"enumeration","fieldType":"booleancheckbox"}"#, FieldType::Boolean, true),
            (r#"{"name":"tags","type":"enumeration","fieldType":"checkbox"}"#, FieldType::MultiChoice, true),
            (r#"{"name":"stage","type":"enumeration","fieldType":"radio"}"#, FieldType::Choice, true),
            (r#"{"name":"createdate","type":"datetime","fieldType":"date"}"#, FieldType::Instant, false),
            (r#"{"name":"notes","type":"number","fieldType":"number","calculated":true}"#, FieldType::Decimal, false),
            (
                r#"{"name":"x","type":"string","fieldType":"text","modificationMetadata":{"readOnlyValue":true}}"#,
                FieldType::Text,
                false,
            ),
        ];
        for (json, field_type, writable) in table {
            let field = field(Object::Contacts, property(json), &[]);
            assert_eq!((field.field_type, field.writable), (field_type, writable), "{json}");
        }
    }
}
