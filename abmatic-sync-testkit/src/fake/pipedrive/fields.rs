//! The Fields API of version 2: fields listed, made, renamed, deleted, and their options.

use serde_json::{Map, Value, json};

use crate::fake::exchange::Request;
use crate::fake::packed::FieldId;
use crate::fake::pipedrive::cursor::{self, Order, Place};
use crate::fake::pipedrive::errors::{self, Refusal};
use crate::fake::pipedrive::field::{CUSTOM_TYPES, Choice, ChoiceId, Definition, Field, Shape, Writes};
use crate::fake::pipedrive::kind::Kind;
use crate::fake::pipedrive::list::limit;
use crate::fake::pipedrive::record::Record;
use crate::fake::pipedrive::reply::{self, Ruling};
use crate::fake::pipedrive::rows::body;
use crate::fake::pipedrive::state::State;
use crate::fake::pipedrive::turn::Turn;

/// Adds a custom field, and answers its code; `None` for a type that there is not.
pub(crate) fn add_custom(state: &mut State, kind: Kind, field: &Field, now: i64) -> Option<String> {
    let (type_name, shape) = CUSTOM_TYPES.iter().copied().find(|(name, _)| *name == field.type_name)?;
    let (high, low, tail) = (state.dice.next(), state.dice.next(), state.dice.next());
    let code = format!("{high:016x}{low:016x}{:08x}", tail >> 32);
    let has_choices = matches!(shape, Shape::OptionId | Shape::OptionIds);
    let choices = has_choices.then(|| field.options.iter().map(|label| new_choice(state, label)).collect());
    let number = state.take_field_number();
    state.shelf_mut(kind).catalogue.add(Definition {
        number,
        code: code.clone(),
        key: code.clone(),
        name: field.name.clone(),
        type_name,
        shape,
        choices,
        custom: true,
        left_out: false,
        writes: Writes::Always,
        created_ms: now,
        changed_ms: now,
    });
    Some(code)
}

fn new_choice(state: &mut State, label: &str) -> Choice {
    Choice { id: ChoiceId::Number(state.take_option_id()), label: label.to_owned() }
}

fn choice_json(choice: &Choice) -> Value {
    match &choice.id {
        ChoiceId::Number(id) => json!({"id": id, "label": choice.label}),
        ChoiceId::Word(id) => json!({"id": id, "label": choice.label}),
    }
}

/// A field as API v2 shows it.
fn shown(kind: Kind, field: &Definition, extra: &[&str]) -> Value {
    let subfields = field.subfields().map(|parts| {
        let part = |(code, type_name): &(&str, &str)| {
            let name = format!("{code} of {}", field.name);
            json!({"field_code": code, "field_name": name, "field_type": type_name})
        };
        parts.iter().map(part).collect::<Vec<_>>()
    });
    let choices = field.choices.as_ref().map(|choices| choices.iter().map(choice_json).collect::<Vec<_>>());
    let mut shown = json!({
        "field_name": field.name, "field_code": field.code, "field_type": field.type_name,
        "options": choices, "subfields": subfields, "is_custom_field": field.custom,
        "is_optional_response_field": false,
    });
    for name in extra {
        shown[*name] = match *name {
            "ui_visibility" => visibility(kind, field),
            "important_fields" => json!({"enabled": false, "stage_ids": []}),
            _ => json!({"enabled": kind.title() == Some(&field.code)}),
        };
    }
    shown
}

/// Where the interface shows a field: each kind has places of its own.
fn visibility(kind: Kind, field: &Definition) -> Value {
    let mut shown = json!({"add_visible_flag": !field.custom, "details_visible_flag": true});
    let dialog = json!({"show": false, "order": null});
    let own = match kind {
        Kind::Activity => json!({}),
        Kind::Deal => json!({
            "projects_detail_visible_flag": false, "show_in_pipelines": {"show_in_all": true, "pipeline_ids": []},
        }),
        Kind::Organization => json!({
            "org_detail_visible_flag": true, "person_detail_visible_flag": false, "deal_detail_visible_flag": false,
            "show_in_add_deal_dialog": dialog, "show_in_add_person_dialog": dialog,
        }),
        Kind::Person => json!({"show_in_add_deal_dialog": dialog}),
    };
    if let (Some(shown), Value::Object(own)) = (shown.as_object_mut(), own) {
        shown.extend(own);
    }
    shown
}

fn extra(request: &Request) -> Result<Vec<&str>, Refusal> {
    let names: Vec<&str> = request.query_list("include_fields").collect();
    match names.iter().find(|name| !["ui_visibility", "important_fields", "required_fields"].contains(name)) {
        Some(odd) => Err(errors::invalid("include_fields", format!("'{odd}' is not a valid value"))),
        None => Ok(names),
    }
}

/// `GET /api/v2/{kind}Fields`
pub(crate) fn list(state: &State, kind: Kind, request: &Request) -> Ruling {
    let limit = limit(request, 500)?;
    let extra = extra(request)?;
    let order = Order { field: "order_nr".to_owned(), descending: false };
    let from = request.query("cursor").map(|text| cursor::decode(&order, text)).transpose()?;
    let from = from.map_or(0, |place| usize::try_from(place.id).unwrap_or(usize::MAX));
    let all: Vec<&Definition> = state.shelf(kind).catalogue.iter().map(|(_, field)| field).collect();
    let page: Vec<Value> = all.iter().skip(from).take(limit).map(|field| shown(kind, field, &extra)).collect();
    let next = from.saturating_add(limit);
    let place = |at: usize| Place { value: at.into(), id: at as u64 };
    let next = (next < all.len()).then(|| cursor::encode(&order, &place(next)));
    Ok(reply::with_status(200, &json!({"success": true, "data": page, "additional_data": {"next_cursor": next}})))
}

fn find(state: &State, kind: Kind, code: &str) -> Result<FieldId, Refusal> {
    state.shelf(kind).catalogue.by_code(code).map(|(id, _)| id).ok_or_else(errors::not_found)
}

/// A field that may be changed through the API.
fn find_custom(state: &State, kind: Kind, code: &str) -> Result<FieldId, Refusal> {
    let id = find(state, kind, code)?;
    let custom = state.shelf(kind).catalogue.get(id).is_some_and(|field| field.custom);
    if custom { Ok(id) } else { Err(errors::forbidden("Only custom fields can be changed")) }
}

fn answer(state: &State, kind: Kind, id: FieldId, extra: &[&str]) -> Ruling {
    let field = state.shelf(kind).catalogue.get(id).ok_or_else(errors::not_found)?;
    Ok(reply::data(&shown(kind, field, extra)))
}

/// `GET /api/v2/{kind}Fields/{field_code}`
pub(crate) fn read(state: &State, kind: Kind, code: &str, request: &Request) -> Ruling {
    answer(state, kind, find(state, kind, code)?, &extra(request)?)
}

/// `POST /api/v2/{kind}Fields`
pub(crate) fn create(state: &mut State, turn: &Turn, kind: Kind, request: &Request) -> Ruling {
    let body = body(request)?;
    let map = known_keys(
        &body,
        &["field_name", "field_type", "options", "ui_visibility", "important_fields", "required_fields", "description"],
    )?;
    let name = name(map)?.ok_or_else(|| errors::invalid("field_name", "field_name is a required field"))?;
    let type_name = map.get("field_type").and_then(Value::as_str);
    let type_name = type_name.ok_or_else(|| errors::invalid("field_type", "field_type is a required field"))?;
    let options = map.get("options").map(labels).transpose()?.unwrap_or_default();
    if matches!(type_name, "enum" | "set") && options.is_empty() {
        return Err(errors::invalid("options", "options is a required field"));
    }
    let field = Field { name: name.to_owned(), type_name: type_name.to_owned(), options };
    let code = add_custom(state, kind, &field, turn.now)
        .ok_or_else(|| errors::invalid("field_type", format!("'{type_name}' is not a valid value")))?;
    answer(state, kind, find(state, kind, &code)?, &[])
}

fn known_keys<'a>(body: &'a Value, keys: &[&str]) -> Result<&'a Map<String, Value>, Refusal> {
    let map = body.as_object().ok_or_else(|| errors::invalid("body", "Expected 'object'"))?;
    match map.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(errors::invalid(key, format!("Parameter '{key}' is not allowed for this request"))),
        None => Ok(map),
    }
}

fn name(map: &Map<String, Value>) -> Result<Option<&str>, Refusal> {
    let Some(value) = map.get("field_name") else { return Ok(None) };
    let name = value.as_str().filter(|name| (1..=255).contains(&name.chars().count()));
    name.map(Some).ok_or_else(|| errors::invalid("field_name", "Must be 1 to 255 characters long"))
}

fn labels(value: &Value) -> Result<Vec<String>, Refusal> {
    let label = |option: &Value| option.get("label").and_then(Value::as_str).map(str::to_owned);
    let labels: Option<Vec<String>> = value.as_array().and_then(|options| options.iter().map(label).collect());
    labels.ok_or_else(|| errors::invalid("options", "label is a required field"))
}

/// `PATCH /api/v2/{kind}Fields/{field_code}`
pub(crate) fn rename(state: &mut State, turn: &Turn, kind: Kind, code: &str, request: &Request) -> Ruling {
    let id = find_custom(state, kind, code)?;
    let body = body(request)?;
    let map =
        known_keys(&body, &["field_name", "ui_visibility", "important_fields", "required_fields", "description"])?;
    if map.is_empty() {
        return Err(errors::invalid("body", "At least one field must be provided"));
    }
    let name = name(map)?.map(str::to_owned);
    if let Some(field) = state.shelf_mut(kind).catalogue.get_mut(id) {
        field.name = name.unwrap_or_else(|| field.name.clone());
        field.changed_ms = turn.now;
    }
    answer(state, kind, id, &[])
}

/// `DELETE /api/v2/{kind}Fields/{field_code}`
pub(crate) fn delete(state: &mut State, kind: Kind, code: &str) -> Ruling {
    let id = find_custom(state, kind, code)?;
    let removed = state.shelf_mut(kind).catalogue.remove(id).ok_or_else(errors::not_found)?;
    Ok(reply::data(&shown(kind, &removed, &[])))
}

/// `…/{field_code}/options`: all changes or none.
pub(crate) fn options(state: &mut State, turn: &Turn, kind: Kind, code: &str, request: &Request) -> Ruling {
    let id = find_custom(state, kind, code)?;
    let before = state.shelf(kind).catalogue.get(id).and_then(|field| field.choices.clone());
    let before = before.ok_or_else(|| errors::bad_request("The field has no options"))?;
    let body = body(request)?;
    let items = body.as_array().filter(|items| !items.is_empty());
    let items = items.ok_or_else(|| errors::invalid("body", "At least one option is required"))?;
    let (after, touched) = match request.method.as_str() {
        "POST" => {
            let added: Vec<Choice> = labels(&body)?.iter().map(|label| new_choice(state, label)).collect();
            ([before, added.clone()].concat(), added)
        }
        "PATCH" => relabelled(before, items)?,
        _ => without(before, items)?,
    };
    let gone: Vec<ChoiceId> =
        if request.method == "DELETE" { touched.iter().map(|choice| choice.id.clone()).collect() } else { Vec::new() };
    let shelf = state.shelf_mut(kind);
    if let Some(field) = shelf.catalogue.get_mut(id) {
        field.choices = Some(after);
        field.changed_ms = turn.now;
    }
    forget_choices(state, kind, id, &gone);
    let touched: Vec<Value> = touched.iter().map(choice_json).collect();
    Ok(reply::with_status(200, &json!({"success": true, "data": touched, "additional_data": null})))
}

fn option_id(item: &Value) -> Result<ChoiceId, Refusal> {
    let id = item.get("id").and_then(Value::as_u64);
    id.map(ChoiceId::Number).ok_or_else(|| errors::invalid("id", "Expected 'number'"))
}

fn relabelled(mut choices: Vec<Choice>, items: &[Value]) -> Result<(Vec<Choice>, Vec<Choice>), Refusal> {
    let mut touched = Vec::new();
    for item in items {
        let id = option_id(item)?;
        let label = item.get("label").and_then(Value::as_str);
        let label = label.ok_or_else(|| errors::invalid("label", "label is a required field"))?;
        let choice = choices.iter_mut().find(|choice| choice.id == id).ok_or_else(errors::not_found)?;
        label.clone_into(&mut choice.label);
        touched.push(choice.clone());
    }
    Ok((choices, touched))
}

fn without(mut choices: Vec<Choice>, items: &[Value]) -> Result<(Vec<Choice>, Vec<Choice>), Refusal> {
    let mut touched = Vec::new();
    for item in items {
        let id = option_id(item)?;
        let at = choices.iter().position(|choice| choice.id == id).ok_or_else(errors::not_found)?;
        touched.push(choices.remove(at));
    }
    Ok((choices, touched))
}

/// Records lose the options that are no more.
fn forget_choices(state: &mut State, kind: Kind, field: FieldId, gone: &[ChoiceId]) {
    if gone.is_empty() {
        return;
    }
    let is_gone = |id: &Value| id.as_u64().is_some_and(|id| gone.contains(&ChoiceId::Number(id)));
    let left = |record: &Record| match record.value(field) {
        Value::Array(ids) => {
            let left: Vec<Value> = ids.iter().filter(|id| !is_gone(id)).cloned().collect();
            (left.len() < ids.len()).then(|| if left.is_empty() { None } else { Some(Value::from(left).to_string()) })
        }
        id => is_gone(&id).then_some(None),
    };
    let shelf = state.shelf_mut(kind);
    let changes: Vec<(u64, Option<i64>, Option<String>)> =
        shelf.iter().filter_map(|(id, record)| Some((id, record.updated, left(record)?))).collect();
    for (id, updated, value) in changes {
        shelf.change(id, &[(field, value)], updated.unwrap_or(0));
    }
}
