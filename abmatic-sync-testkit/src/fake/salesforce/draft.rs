//! Reads what a caller wants a record to hold, and says what is wrong with it value by value.

use serde_json::{Map, Value};

use crate::fake::packed::FieldId;
use crate::fake::salesforce::errors::{self, RowError};
use crate::fake::salesforce::field::{Field, FieldType, Source};
use crate::fake::salesforce::id;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::values;

/// Fields and their new values; `None` clears.
pub(crate) type Changes = Vec<(FieldId, Option<String>)>;

/// Where the values come from, which decides how they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Csv,
    Json,
}

/// Reads the fields of one record; `is_new` says whether it is still to be made.
pub(crate) fn read(
    state: &State,
    kind: Kind,
    is_new: bool,
    origin: Origin,
    body: &Map<String, Value>,
) -> Result<Changes, Vec<RowError>> {
    let mut changes = Changes::new();
    let mut wrong = Vec::new();
    let mut closed: Vec<&str> = Vec::new();
    for (key, value) in body {
        if key == "attributes" {
            continue;
        }
        match read_one(state, kind, origin, key, value) {
            Ok((id, field, value)) => {
                let open = if is_new { field.createable } else { field.updateable };
                if !open {
                    closed.push(&field.name);
                } else if is_new || value.is_some() || field.nillable {
                    changes.push((id, value));
                } else {
                    wrong.push(errors::required_missing(&[&field.name]));
                }
            }
            // Nothing else is looked at once a name or the whole body is wrong.
            Err(error) if error.whole_call || error.code == "INVALID_FIELD" => return Err(vec![error]),
            Err(error) => wrong.push(error),
        }
    }
    if !closed.is_empty() {
        return Err(vec![errors::not_writable(&closed)]);
    }
    if wrong.is_empty() { Ok(changes) } else { Err(wrong) }
}

fn read_one<'a>(
    state: &'a State,
    kind: Kind,
    origin: Origin,
    key: &str,
    value: &Value,
) -> Result<(FieldId, &'a Field, Option<String>), RowError> {
    let catalogue = &state.shelf(kind).catalogue;
    if let (Some(parent), Some((id, field))) = (value.as_object(), catalogue.relationship(key)) {
        return Ok((id, field, Some(parent_by_key(state, field, parent)?)));
    }
    if let (Origin::Csv, Some((relationship, key))) = (origin, key.split_once('.')) {
        let found = catalogue.relationship(relationship);
        let (id, field) = found.ok_or_else(|| errors::no_column(relationship, kind.name()))?;
        let text = value.as_str().unwrap_or_default();
        if text.is_empty() {
            return Ok((id, field, None));
        }
        let parent = Map::from_iter([(key.to_owned(), Value::from(text))]);
        return Ok((id, field, Some(parent_by_key(state, field, &parent)?)));
    }
    let (id, field) = catalogue.find(key).ok_or_else(|| errors::no_column(key, kind.name()))?;
    if field.source != Source::Stored {
        return Ok((id, field, None));
    }
    let read = match (origin, value) {
        (Origin::Csv, Value::String(text)) => values::read_cell(field, text)?,
        _ => values::read(field, value)?,
    };
    if let (FieldType::Reference, Some(reference)) = (field.kind, &read) {
        check_reference(state, field, reference)?;
    }
    Ok((id, field, read))
}

/// The id of the parent that has this key, for example `{"Abmatic_Id__c": "h-42"}`.
fn parent_by_key(state: &State, field: &Field, parent: &Map<String, Value>) -> Result<String, RowError> {
    let keys: Vec<(&String, &Value)> = parent.iter().filter(|(key, _)| *key != "attributes").collect();
    let named = parent.get("attributes").and_then(|attributes| attributes.get("type")).and_then(Value::as_str);
    let targets = field.targets.iter().filter(|target| named.is_none_or(|name| name.eq_ignore_ascii_case(target)));
    let [(key, value)] = keys.as_slice() else {
        return Err(RowError::new("INVALID_FIELD", "Exactly one external id field names a parent record").on(&[]));
    };
    for target in targets.filter_map(|target| state.kind(target)) {
        let shelf = state.shelf(target);
        let Some((key_id, key_field)) = shelf.catalogue.find(key) else { continue };
        if !key_field.id_lookup {
            continue;
        }
        let text = values::read(key_field, value)?.unwrap_or_default();
        let found = if key_field.source == Source::Id { Vec::new() } else { shelf.with_value(key_id, &text) };
        return match found.as_slice() {
            [number] => Ok(shelf.id(*number)),
            [] => {
                let (name, entity) = (&key_field.name, target.name());
                let message = format!("Foreign key external ID: {text} not found for field {name} in entity {entity}");
                Err(RowError::new("INVALID_FIELD", message).on(&[]))
            }
            _ => {
                let message = format!("More than one record found for external id field: [{}]", key_field.name);
                Err(RowError::new("DUPLICATE_EXTERNAL_ID", message).on(&[]))
            }
        };
    }
    let entity = field.targets.first().copied().unwrap_or_default();
    Err(errors::no_column(key, entity))
}

/// A reference must lead to a live record of the right object.
fn check_reference(state: &State, field: &Field, text: &str) -> Result<(), RowError> {
    let parsed = id::parse(text).ok_or_else(|| values::wrong_id(field, text))?;
    let kind = state.kind_of_prefix(parsed.prefix).filter(|kind| field.targets.contains(&kind.name()));
    let Some(kind) = kind else {
        let message = format!("{}: id value of incorrect type: {text}", field.label);
        return Err(RowError::new("FIELD_INTEGRITY_EXCEPTION", message).on(&[&field.name]));
    };
    match state.shelf(kind).get(parsed.number) {
        None => Err(errors::cross_reference().on(&[&field.name])),
        Some(record) if !record.is_live() => Err(RowError { status: 400, ..errors::entity_deleted() }),
        Some(_) => Ok(()),
    }
}
