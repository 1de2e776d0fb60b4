//! A body of API v2 checked against the fields: what it changes, or everything that is wrong with it.

use serde_json::{Map, Value};

use crate::fake::packed::FieldId;
use crate::fake::pipedrive::errors::{self, Objections, Refusal};
use crate::fake::pipedrive::field::{Definition, Shape, Writes};
use crate::fake::pipedrive::kind::Kind;
use crate::fake::pipedrive::record::Record;
use crate::fake::pipedrive::state::State;
use crate::fake::pipedrive::values;

/// Values by their key; null clears.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) values: Vec<(FieldId, Value)>,
}

impl Draft {
    /// The value that is being set.
    pub(crate) fn get(&self, field: FieldId) -> Option<&Value> {
        self.values.iter().rev().find(|(id, _)| *id == field).map(|(_, value)| value)
    }

    pub(crate) fn set(&mut self, field: FieldId, value: Value) {
        self.values.retain(|(id, _)| *id != field);
        self.values.push((field, value));
    }
}

/// Checks a body; `target` is the record that it changes, or `None` for a new one.
pub(crate) fn draft(state: &State, kind: Kind, target: Option<&Record>, body: &Value) -> Result<Draft, Refusal> {
    let Some(body) = body.as_object() else { return Err(errors::invalid("body", "Expected 'object'")) };
    let mut objections = Objections::default();
    let mut draft = Draft::default();
    let catalogue = &state.shelf(kind).catalogue;
    for (key, value) in body {
        if key == "custom_fields" {
            custom(state, kind, value, target, (&mut draft, &mut objections))?;
            continue;
        }
        let found = catalogue.by_key(key).filter(|(_, field)| may_stand(state, field, target.is_some()));
        let Some((id, field)) = found else {
            objections.add(key, format!("Parameter '{key}' is not allowed for this request"));
            continue;
        };
        match values::accept(state, field, value) {
            Ok(value) => draft.set(id, value),
            Err(message) => objections.add(key, message),
        }
    }
    require_title(state, kind, target.is_none(), body, &mut objections);
    if kind == Kind::Deal {
        check_deal(state, target, &draft, &mut objections);
    }
    objections.settle(draft)
}

fn may_stand(state: &State, field: &Definition, is_change: bool) -> bool {
    let part_of_name = matches!(field.key.as_str(), "first_name" | "last_name");
    let writable = match field.writes {
        Writes::Always => true,
        Writes::Never => false,
        Writes::OnCreate => !is_change,
    };
    writable && !field.custom && (!part_of_name || state.settings.name_parts)
}

fn custom(
    state: &State,
    kind: Kind,
    value: &Value,
    target: Option<&Record>,
    (draft, objections): (&mut Draft, &mut Objections),
) -> Result<(), Refusal> {
    let Some(map) = value.as_object() else {
        objections.add("custom_fields", "Expected 'object'");
        return Ok(());
    };
    if map.contains_key("custom_fields") {
        // One level too many is not caught by the real one's checks either.
        return Err(errors::unknown_error());
    }
    let catalogue = &state.shelf(kind).catalogue;
    if let (true, Some(_)) = (map.is_empty(), target) {
        let all = catalogue.iter().filter(|(_, field)| field.custom);
        draft.values.extend(all.map(|(id, _)| (id, Value::Null)));
    }
    for (key, value) in map {
        let path = format!("custom_fields.{key}");
        match catalogue.by_key(key).filter(|(_, field)| field.custom) {
            None => objections.add(&path, format!("Parameter '{key}' is not allowed for this request")),
            Some((id, field)) => match values::accept(state, field, value) {
                Ok(value) => draft.set(id, value),
                Err(message) => objections.add("custom_fields", message),
            },
        }
    }
    Ok(())
}

/// A new record needs its name, and no record can lose it.
fn require_title(state: &State, kind: Kind, is_new: bool, body: &Map<String, Value>, objections: &mut Objections) {
    let Some(title) = kind.title() else { return };
    let blank = |key: &str| body.get(key).is_none_or(|value| value.as_str().is_some_and(|text| text.trim().is_empty()));
    let by_parts = kind == Kind::Person
        && state.settings.name_parts
        && body.contains_key("first_name")
        && body.contains_key("last_name")
        && !(blank("first_name") && blank("last_name"));
    let sent = body.get(title);
    let missing = match sent {
        None => is_new && !by_parts,
        Some(value) => value.is_null() || blank(title),
    };
    if missing {
        objections.add(title, format!("{title} is a required field"));
    }
}

fn check_deal(state: &State, target: Option<&Record>, draft: &Draft, objections: &mut Objections) {
    let catalogue = &state.shelf(Kind::Deal).catalogue;
    let after = |key: &str| {
        let (id, _) = catalogue.by_key(key)?;
        draft.get(id).cloned().or_else(|| Some(target?.value(id))).filter(|value| !value.is_null())
    };
    let sent =
        |key: &str| catalogue.by_key(key).and_then(|(id, _)| draft.get(id)).is_some_and(|value| !value.is_null());
    let status =
        after("status").and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_else(|| "open".to_owned());
    for (key, allowed) in [
        ("close_time", ["won", "lost"].as_slice()),
        ("lost_reason", &["lost"]),
        ("lost_time", &["lost"]),
        ("won_time", &["won"]),
    ] {
        if sent(key) && !allowed.contains(&status.as_str()) {
            objections.add(key, format!("can only be set if deal status is {}", allowed.join(" or ")));
        }
    }
    if sent("stage_id") && sent("pipeline_id") {
        let stage = after("stage_id").and_then(|id| id.as_u64());
        let stage = state.stages.iter().find(|known| Some(known.id) == stage);
        if stage.map(|stage| stage.pipeline) != after("pipeline_id").and_then(|id| id.as_u64()) {
            objections.add("stage_id", "The stage does not belong to the pipeline");
        }
    }
}

/// Whether a value of that shape is a list, which is emptied and never null.
pub(crate) fn is_list(shape: Shape) -> bool {
    matches!(shape, Shape::Contacts | Shape::Labels | Shape::Participants)
}
