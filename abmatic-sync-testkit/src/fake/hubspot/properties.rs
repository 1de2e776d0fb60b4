//! Property definitions and their groups: list, read, create, change, archive.

use serde_json::{Value, json};

use crate::fake::hubspot::batch::{Sheet, inputs_of};
use crate::fake::hubspot::catalogue::{Catalogue, Group};
use crate::fake::hubspot::definition::{Choice, Definition, ValueType};
use crate::fake::hubspot::errors::{self, Refusal};
use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::outcome::{Outcome, Ruling, Turn};
use crate::fake::hubspot::pipelines;
use crate::fake::hubspot::state::State;
use crate::fake::hubspot::values;

const BATCH_MAX: usize = 100;

/// A definition as it is shown, with the options that come from elsewhere.
fn shown(state: &State, kind: Kind, definition: &Definition) -> Value {
    let mut shown = definition.to_json();
    if let Some(options) = pipelines::options(state, kind, definition.source) {
        shown["options"] = options;
    }
    shown
}

/// `GET {P}`.
pub(crate) fn list(state: &State, kind: Kind, archived: bool) -> Ruling {
    let catalogue = &state.shelf(kind).catalogue;
    let mut found: Vec<&Definition> = catalogue.iter().map(|(_, definition)| definition).collect();
    found.retain(|definition| definition.archived_at.is_some() == archived);
    found.sort_by(|left, right| left.name.cmp(&right.name));
    let results: Vec<Value> = found.into_iter().map(|definition| shown(state, kind, definition)).collect();
    Ok(Outcome::found(&json!({"results": results})))
}

/// `GET {P}/{name}`.
pub(crate) fn read(state: &State, kind: Kind, name: &str) -> Ruling {
    let found = state.shelf(kind).catalogue.find(name).map(|(_, definition)| shown(state, kind, definition));
    found.map(|shown| Outcome::found(&shown)).ok_or_else(|| errors::nothing_named("Property", name))
}

/// `POST {P}`.
pub(crate) fn create(state: &mut State, turn: Turn, kind: Kind, body: &Value) -> Ruling {
    let created = create_one(state, turn, kind, body)?;
    let name = created["name"].as_str().unwrap_or_default();
    let path = turn.version.path("properties", &format!("{}/{name}", kind.plural()));
    Ok(Outcome::Created { body: created.to_string().into_bytes(), path: Some(path) })
}

fn create_one(state: &mut State, turn: Turn, kind: Kind, body: &Value) -> Result<Value, Refusal> {
    let definition = read_definition(body, turn.now)?;
    let catalogue = &mut state.shelf_mut(kind).catalogue;
    if !catalogue.groups.contains_key(&definition.group) {
        return Err(errors::invalid(format!("Property group {} does not exist", definition.group)));
    }
    let id = match catalogue.any_id(&definition.name) {
        None => catalogue.add(definition),
        Some(id) => {
            // An archived one comes back as it was, with its values.
            let known = catalogue.get_mut(id).filter(|known| known.archived_at.is_some());
            known.ok_or_else(|| errors::property_exists(&definition.name))?.archived_at = None;
            id
        }
    };
    Ok(catalogue.get(id).map(Definition::to_json).unwrap_or_default())
}

fn text(body: &Value, name: &str) -> Option<String> {
    body.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn read_definition(body: &Value, now: i64) -> Result<Definition, Refusal> {
    let need = |name: &str| {
        let missing = || errors::invalid_json(1, 1, &format!("Some of required attributes are not set [{name}]"));
        text(body, name).ok_or_else(missing)
    };
    let name = need("name")?;
    let first = name.chars().next().is_some_and(|c| c.is_ascii_lowercase());
    let clean = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !first || !clean || name.len() > 100 || name.starts_with("hs_") {
        return Err(errors::invalid(format!("Property name \"{name}\" is not valid")));
    }
    let mut definition = Definition::custom(&name, now);
    let value_type = need("type")?;
    definition.value_type = ValueType::parse(&value_type)
        .ok_or_else(|| errors::invalid(format!("\"{value_type}\" is not a valid property type")))?;
    definition.field_type = need("fieldType")?;
    definition.group = need("groupName")?;
    definition.unique = body.get("hasUniqueValue").and_then(Value::as_bool).unwrap_or(false);
    need("label")?;
    change_definition(&mut definition, body);
    if definition.value_type == ValueType::Bool && definition.choices.is_empty() {
        definition.choices = vec![Choice::new("true", "Yes", 0), Choice::new("false", "No", 1)];
    }
    Ok(definition)
}

/// What may be changed later, too; options are replaced whole.
fn change_definition(definition: &mut Definition, body: &Value) {
    let flag = |name: &str| body.get(name).and_then(Value::as_bool);
    definition.label = text(body, "label").unwrap_or_else(|| definition.label.clone());
    definition.description = text(body, "description").unwrap_or_else(|| definition.description.clone());
    definition.hidden = flag("hidden").unwrap_or(definition.hidden);
    definition.form_field = flag("formField").unwrap_or(definition.form_field);
    if let Some(order) = body.get("displayOrder").and_then(Value::as_i64) {
        definition.display_order = order;
    }
    if let Some(options) = body.get("options").and_then(Value::as_array) {
        definition.choices = (0..).zip(options).map(|(order, raw)| read_choice(raw, order)).collect();
    }
}

fn read_choice(raw: &Value, order: i64) -> Choice {
    let value = text(raw, "value").unwrap_or_default();
    let label = text(raw, "label").unwrap_or_else(|| value.clone());
    let mut choice = Choice::new(&value, &label, raw.get("displayOrder").and_then(Value::as_i64).unwrap_or(order));
    choice.description = text(raw, "description").unwrap_or_default();
    choice.hidden = raw.get("hidden").and_then(Value::as_bool).unwrap_or(false);
    choice
}

/// `PATCH {P}/{name}`.
pub(crate) fn update(state: &mut State, turn: Turn, kind: Kind, name: &str, body: &Value) -> Ruling {
    let catalogue = &mut state.shelf_mut(kind).catalogue;
    let found = catalogue.id(name).and_then(|id| catalogue.get_mut(id));
    let definition = found.ok_or_else(|| errors::nothing_named("Property", name))?;
    if let Some(group) = text(body, "groupName") {
        definition.group = group;
    }
    change_definition(definition, body);
    definition.updated = turn.now;
    Ok(Outcome::found(&definition.to_json()))
}

/// `DELETE {P}/{name}`.
pub(crate) fn archive(state: &mut State, turn: Turn, kind: Kind, name: &str) -> Ruling {
    let catalogue = &mut state.shelf_mut(kind).catalogue;
    let found = catalogue.id(name).and_then(|id| catalogue.get_mut(id));
    let definition = found.ok_or_else(|| errors::nothing_named("Property", name))?;
    if definition.hubspot_defined {
        return Err(errors::invalid(format!("Property {name} is defined by HubSpot and cannot be deleted")));
    }
    definition.archived_at = Some(turn.now);
    Ok(Outcome::Done)
}

/// `POST {P}/batch/read`.
pub(crate) fn batch_read(state: &mut State, turn: Turn, kind: Kind, body: &Value) -> Ruling {
    let mut sheet = Sheet::default();
    for input in inputs_of(body, BATCH_MAX)? {
        let name = input.get("name").and_then(values::text_of).unwrap_or_default();
        match state.shelf(kind).catalogue.find(&name) {
            Some((_, definition)) => sheet.results.push(shown(state, kind, definition).to_string().into_bytes()),
            None => sheet.errors.push(errors::nothing_named("Property", &name).batch_entry(None)),
        }
    }
    Ok(sheet.found(state, turn.now))
}

/// `POST {P}/batch/create`.
pub(crate) fn batch_create(state: &mut State, turn: Turn, kind: Kind, body: &Value) -> Ruling {
    let mut sheet = Sheet::default();
    for input in inputs_of(body, BATCH_MAX)? {
        match create_one(state, turn, kind, input) {
            Ok(created) => sheet.results.push(created.to_string().into_bytes()),
            Err(refusal) => sheet.errors.push(refusal.batch_entry(None)),
        }
    }
    Ok(sheet.created(state, turn.now))
}

/// `POST {P}/batch/archive`; unknown names are ignored.
pub(crate) fn batch_archive(state: &mut State, turn: Turn, kind: Kind, body: &Value) -> Ruling {
    for input in inputs_of(body, BATCH_MAX)? {
        let name = input.get("name").and_then(values::text_of).unwrap_or_default();
        let _ = archive(state, turn, kind, &name);
    }
    Ok(Outcome::Done)
}

fn group_json(name: &str, group: &Group) -> Value {
    json!({"name": name, "label": group.label, "displayOrder": group.display_order, "archived": false})
}

/// `GET {P}/groups`.
pub(crate) fn groups(state: &State, kind: Kind) -> Ruling {
    let groups = &state.shelf(kind).catalogue.groups;
    let results: Vec<Value> = groups.iter().map(|(name, group)| group_json(name, group)).collect();
    Ok(Outcome::found(&json!({"results": results})))
}

/// `GET {P}/groups/{name}`.
pub(crate) fn group(state: &State, kind: Kind, name: &str) -> Ruling {
    let group = state.shelf(kind).catalogue.groups.get(name);
    group
        .map(|group| Outcome::found(&group_json(name, group)))
        .ok_or_else(|| errors::nothing_named("Property group", name))
}

/// `POST {P}/groups`.
pub(crate) fn create_group(state: &mut State, turn: Turn, kind: Kind, body: &Value) -> Ruling {
    let name = text(body, "name").ok_or_else(|| errors::invalid("name is required"))?;
    let groups = &mut state.shelf_mut(kind).catalogue.groups;
    if groups.contains_key(&name) {
        let message = format!("A property group named '{name}' already exists.");
        let mut refusal = errors::property_exists(&name);
        refusal.message = message;
        return Err(refusal);
    }
    let label = text(body, "label").unwrap_or_else(|| name.clone());
    let group = Group { label, display_order: body.get("displayOrder").and_then(Value::as_i64).unwrap_or(-1) };
    let shown = group_json(&name, &group);
    groups.insert(name.clone(), group);
    let path = turn.version.path("properties", &format!("{}/groups/{name}", kind.plural()));
    Ok(Outcome::Created { body: shown.to_string().into_bytes(), path: Some(path) })
}

/// `PATCH {P}/groups/{name}`.
pub(crate) fn update_group(state: &mut State, kind: Kind, name: &str, body: &Value) -> Ruling {
    let group = state.shelf_mut(kind).catalogue.groups.get_mut(name);
    let group = group.ok_or_else(|| errors::nothing_named("Property group", name))?;
    if let Some(label) = text(body, "label") {
        group.label = label;
    }
    Ok(Outcome::found(&group_json(name, group)))
}

/// `DELETE {P}/groups/{name}`.
pub(crate) fn delete_group(state: &mut State, kind: Kind, name: &str) -> Ruling {
    let catalogue: &mut Catalogue = &mut state.shelf_mut(kind).catalogue;
    if catalogue.iter().any(|(_, definition)| definition.group == name && definition.archived_at.is_none()) {
        return Err(errors::group_in_use(name));
    }
    catalogue.groups.remove(name).map(|_| Outcome::Done).ok_or_else(|| errors::nothing_named("Property group", name))
}
