//! Salesforce's fields and types: an object's describe as a schema, kept for as long as the process lives.

use std::collections::BTreeMap;
use std::sync::Arc;

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::schema::{ChoiceOption, Field, FieldType, Schema};

use crate::activity::CAMPAIGN;
use crate::api::Api;
use crate::object::Object;
use crate::wire::{FieldDescribe, ObjectDescribe, PicklistValue};

/// The external id that is used where an org has it and the host names no other: an admin can make it, as a unique text.
pub(crate) const OWN_EXTERNAL_ID: &str = "Abmatic_Id__c";
/// Our external ids are UUIDs.
const OWN_ID_LENGTH: u32 = 36;
/// The longest text that can stand in a condition ("SOQL and SOSL Limits": long text areas are not filterable).
pub(crate) const FILTERABLE_TEXT_MAX: u32 = 255;
/// Types that are no single value, or none that a record holds: never mapped, never filtered.
const NOT_SCALAR: &[&str] = &["address", "location", "base64", "complexvalue", "json"];

/// What Salesforce says of a field beyond its type.
#[derive(Clone, Debug)]
pub(crate) struct Detail {
    pub(crate) field_type: FieldType,
    pub(crate) createable: bool,
    pub(crate) updateable: bool,
    pub(crate) filterable: bool,
    pub(crate) length_max: Option<u32>,
    /// Places behind the point, of numbers.
    pub(crate) scale: u32,
    pub(crate) required: bool,
    /// The values that a restricted picklist takes; empty where any goes.
    pub(crate) options: Vec<String>,
}

/// What is known of one object of one org.
#[derive(Clone, Debug)]
pub(crate) struct Described {
    pub(crate) schema: Schema,
    /// By lower-case name: Salesforce's names have no case. The name beside is Salesforce's spelling.
    details: BTreeMap<String, (String, Detail)>,
    /// The unique external id by which creates are exactly-once, where there is one.
    pub(crate) external_id: Option<String>,
}

impl Described {
    /// Nothing but a schema, for tests of what needs no more.
    #[cfg(test)]
    pub(crate) fn bare(schema: Schema) -> Self {
        Self { schema, details: BTreeMap::new(), external_id: None }
    }

    /// A field by its name in any case.
    pub(crate) fn detail(&self, name: &str) -> Option<&Detail> {
        self.details.get(&name.to_ascii_lowercase()).map(|(_, detail)| detail)
    }

    /// The type of a field; text where the org has no such field.
    pub(crate) fn field_type(&self, name: &str) -> FieldType {
        self.detail(name).map_or(FieldType::Text, |detail| detail.field_type)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.detail(name).is_some()
    }

    /// The fields that a create needs, in Salesforce's spelling.
    pub(crate) fn required(&self) -> impl Iterator<Item = &str> {
        self.details.values().filter(|(_, detail)| detail.required).map(|(name, _)| name.as_str())
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
    let named = api.options.external_ids.get(&object).map(String::as_str);
    let (mut schema, mut details, external_id) = {
        let answer = fetch(api, on, object).await?;
        let described: ObjectDescribe = answer.json()?;
        let external_id = external_id(&described.fields, named);
        let fields = described.fields.iter().filter(|field| is_scalar(field)).map(|one| field(object, one)).collect();
        (Schema::new(fields), details(object, &described.fields), external_id)
    };
    if object == Object::Contact || object == Object::Opportunity {
        match Box::pin(described(api, on, Object::Account)).await {
            Ok(parent) => add_parent(&mut schema, &mut details, &parent),
            // Who may not see accounts may see contacts all the same.
            Err(error) if error.kind() == ErrorKind::Forbidden => {}
            Err(error) => return Err(error),
        }
    }
    add_owner(&mut schema, &mut details);
    if object == Object::Task {
        // What makes an activity a campaign membership.
        schema.fields.push(Field::new(CAMPAIGN, FieldType::Reference).with_label("Campaign"));
    }
    let schema = Schema::new(schema.fields);
    let schema = match object.key_field() {
        Some(key) => schema.with_recommended(&[key]),
        None => schema,
    };
    Ok(api.described.learn(on, object, Described { schema, details, external_id }))
}

async fn fetch(api: &Api, on: &Connection, object: Object) -> Result<abmatic_sync_http::client::Answer> {
    let operation = format!("salesforce describe {}", object.name());
    let path = api.version().describe(object);
    api.get(on, operation, &path, &[]).await.map_err(|error| {
        if error.kind() != ErrorKind::NotFound {
            return error;
        }
        let message = format!(
            "the org shows this user no {}, or does not know version {} of the API",
            object.name(),
            api.version()
        );
        Error::new(ErrorKind::Forbidden, ErrorCode::InsufficientAccess, message).caused_by(error)
    })
}

/// The named external id, or our own where the org has it. Only a unique one keeps two creates from making two records.
fn external_id(fields: &[FieldDescribe], named: Option<&str>) -> Option<String> {
    let name = named.unwrap_or(OWN_EXTERNAL_ID);
    let fits = |field: &&FieldDescribe| {
        let is_key = field.external_id && field.unique && field.createable && field.length >= OWN_ID_LENGTH;
        is_key && field.name.eq_ignore_ascii_case(name)
    };
    fields.iter().find(fits).map(|field| field.name.clone())
}

fn is_scalar(field: &FieldDescribe) -> bool {
    !NOT_SCALAR.contains(&field.kind.as_str())
}

fn details(object: Object, fields: &[FieldDescribe]) -> BTreeMap<String, (String, Detail)> {
    let detail = |one: &FieldDescribe| {
        let detail = Detail {
            field_type: field_type(&one.kind),
            createable: one.createable,
            updateable: one.updateable,
            filterable: one.filterable,
            length_max: length_max(one),
            scale: one.scale,
            required: is_required(object, one),
            options: if one.restricted_picklist {
                active(one).map(|value| value.value.clone()).collect()
            } else {
                Vec::new()
            },
        };
        (one.name.to_ascii_lowercase(), (one.name.clone(), detail))
    };
    fields.iter().map(detail).collect()
}

fn field(object: Object, one: &FieldDescribe) -> Field {
    let mut field = Field::new(one.name.as_str(), field_type(&one.kind));
    field.writable = one.createable || one.updateable;
    field.unique = one.unique;
    field.required_on_create = is_required(object, one);
    field.length_max = length_max(one);
    if let Some(label) = &one.label {
        field.label.clone_from(label);
    }
    if one.restricted_picklist {
        let option = |value: &PicklistValue| {
            ChoiceOption::new(value.value.as_str(), value.label.as_deref().unwrap_or(&value.value))
        };
        field.options = active(one).map(option).collect();
    }
    field
}

fn active(field: &FieldDescribe) -> impl Iterator<Item = &PicklistValue> {
    field.picklist_values.iter().filter(|value| value.active)
}

/// `createable && !nillable && !defaultedOnCreate` ("DescribeSObjectResult"), and what each object is known to need.
fn is_required(object: Object, field: &FieldDescribe) -> bool {
    let described = field.createable && !field.nillable && !field.defaulted_on_create && field.kind != "boolean";
    described || (field.createable && object.required().iter().any(|name| field.name.eq_ignore_ascii_case(name)))
}

fn length_max(field: &FieldDescribe) -> Option<u32> {
    let has_length = matches!(field_type(&field.kind), FieldType::Text | FieldType::Email | FieldType::Url);
    (has_length && field.length > 0).then_some(field.length)
}

fn field_type(kind: &str) -> FieldType {
    match kind {
        "boolean" => FieldType::Boolean,
        "int" | "long" => FieldType::Integer,
        "double" | "currency" | "percent" => FieldType::Decimal,
        "date" => FieldType::Date,
        "datetime" => FieldType::Instant,
        "picklist" => FieldType::Choice,
        "multipicklist" => FieldType::MultiChoice,
        "id" | "reference" => FieldType::Reference,
        "email" => FieldType::Email,
        "url" => FieldType::Url,
        _ => FieldType::Text,
    }
}

/// The account's fields, as a contact or opportunity shows them: readable and filterable, written elsewhere.
fn add_parent(schema: &mut Schema, details: &mut BTreeMap<String, (String, Detail)>, parent: &Described) {
    let direct = parent.schema.fields.iter().filter(|field| !field.name.as_str().contains('.'));
    for field in direct {
        let name = format!("Account.{}", field.name);
        let Some(detail) = parent.detail(field.name.as_str()) else { continue };
        let label = format!("Account: {}", field.label);
        let mut shown = Field::new(name.as_str(), field.field_type).with_label(label).read_only();
        shown.options.clone_from(&field.options);
        shown.length_max = field.length_max;
        schema.fields.push(shown);
        let detail = Detail { createable: false, updateable: false, required: false, ..detail.clone() };
        details.insert(name.to_ascii_lowercase(), (name, detail));
    }
}

/// Who owns the record, by name and address.
fn add_owner(schema: &mut Schema, details: &mut BTreeMap<String, (String, Detail)>) {
    if !details.contains_key("ownerid") {
        return;
    }
    for (name, label, field_type) in
        [("Owner.Email", "Owner: Email", FieldType::Email), ("Owner.Name", "Owner: Name", FieldType::Text)]
    {
        schema.fields.push(Field::new(name, field_type).with_label(label).read_only());
        let detail = Detail {
            field_type,
            createable: false,
            updateable: false,
            filterable: true,
            length_max: None,
            scale: 0,
            required: false,
            options: Vec::new(),
        };
        details.insert(name.to_ascii_lowercase(), (name.to_owned(), detail));
    }
}

/// Sees to it that a named external id is one by which creates are exactly-once.
///
/// # Errors
/// [`ErrorCode::InvalidSettings`] where the org has no such field, or one that takes the same value twice.
pub(crate) async fn prepare(api: &Api, on: &Connection, object: Object) -> Result<()> {
    let Some(named) = api.options.external_ids.get(&object) else { return Ok(()) };
    if described(api, on, object).await?.external_id.is_some() {
        return Ok(());
    }
    // An admin may have mended it since.
    let fresh = describe(api, on, object).await?;
    if fresh.external_id.is_some() {
        return Ok(());
    }
    let message = format!(
        "{} has no field {named} that is an external id, unique, writable and at least {OWN_ID_LENGTH} characters long: \
         make it so, or name another",
        object.name()
    );
    Err(Error::invalid(ErrorCode::InvalidSettings, message).at(&format!("salesforce prepare {}", object.name())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(json: &str) -> FieldDescribe {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn definitions_become_types() {
        let table = [
            (r#"{"name":"Email","type":"email","updateable":true,"nillable":true}"#, FieldType::Email, true, false),
            (r#"{"name":"LastName","type":"string","createable":true}"#, FieldType::Text, true, true),
            (
                r#"{"name":"NumberOfEmployees","type":"int","createable":true,"nillable":true}"#,
                FieldType::Integer,
                true,
                false,
            ),
            (
                r#"{"name":"Amount","type":"currency","createable":true,"nillable":true}"#,
                FieldType::Decimal,
                true,
                false,
            ),
            (
                r#"{"name":"OwnerId","type":"reference","createable":true,"defaultedOnCreate":true}"#,
                FieldType::Reference,
                true,
                false,
            ),
            (r#"{"name":"IsActive__c","type":"boolean","createable":true}"#, FieldType::Boolean, true, false),
            (r#"{"name":"SystemModstamp","type":"datetime"}"#, FieldType::Instant, false, false),
            (
                r#"{"name":"Tags__c","type":"multipicklist","createable":true,"nillable":true}"#,
                FieldType::MultiChoice,
                true,
                false,
            ),
        ];
        for (json, field_type, writable, required) in table {
            let field = field(Object::Contact, &one(json));
            assert_eq!(
                (field.field_type, field.writable, field.required_on_create),
                (field_type, writable, required),
                "{json}"
            );
        }
    }

    #[test]
    fn only_restricted_picklists_have_options() {
        let values =
            r#""picklistValues":[{"active":true,"label":"Warm!","value":"Hot"},{"active":false,"value":"Old"}]"#;
        let restricted = one(&format!(r#"{{"name":"R","type":"picklist","restrictedPicklist":true,{values}}}"#));
        assert_eq!(field(Object::Lead, &restricted).options, [ChoiceOption::new("Hot", "Warm!")]);
        let open = one(&format!(r#"{{"name":"R","type":"picklist",{values}}}"#));
        assert!(field(Object::Lead, &open).options.is_empty());
    }

    #[test]
    fn only_a_unique_external_id_is_one() {
        let fields = |unique: bool, length: u32| {
            [one(&format!(
                r#"{{"name":"Ext__c","type":"string","externalId":true,"unique":{unique},"createable":true,"length":{length}}}"#
            ))]
        };
        assert_eq!(external_id(&fields(true, 40), Some("ext__C")).as_deref(), Some("Ext__c"));
        assert_eq!(external_id(&fields(false, 40), Some("Ext__c")), None);
        assert_eq!(external_id(&fields(true, 20), Some("Ext__c")), None);
        assert_eq!(external_id(&fields(true, 40), None), None);
    }
}
