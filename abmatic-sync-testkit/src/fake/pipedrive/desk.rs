//! What a person does in Pipedrive's own interface: as rules, for tests in Rust and for the admin route.

use serde_json::{Value, json};

use crate::fake::pipedrive::draft;
use crate::fake::pipedrive::errors::{Body, Refusal};
use crate::fake::pipedrive::field::Field;
use crate::fake::pipedrive::fields;
use crate::fake::pipedrive::kind::Kind;
use crate::fake::pipedrive::state::State;
use crate::fake::pipedrive::store;

/// The words of a refusal.
fn words(refusal: Refusal) -> String {
    match refusal.body {
        Body::Html(page) => page,
        Body::Json(body) => body["error"].as_str().unwrap_or_default().to_owned(),
    }
}

/// The kind of that name, as paths have it.
pub(crate) fn kind(object: &str) -> Result<Kind, String> {
    Kind::by_path(object).ok_or_else(|| format!("there is no object {object}"))
}

/// Makes a record from a body of API v2, and answers its id.
pub(crate) fn create(state: &mut State, now: i64, object: &str, body: &Value) -> Result<u64, String> {
    let kind = kind(object)?;
    let draft = draft::draft(state, kind, None, body).map_err(words)?;
    Ok(store::create(state, kind, draft, now))
}

/// Changes a record by a body of API v2.
pub(crate) fn update(state: &mut State, now: i64, object: &str, id: u64, body: &Value) -> Result<(), String> {
    let kind = kind(object)?;
    let record = state.shelf(kind).live(id).ok_or_else(|| format!("there is no record {id} in {object}"))?;
    let draft = draft::draft(state, kind, Some(record), body).map_err(words)?;
    store::update(state, kind, id, draft, now);
    Ok(())
}

/// Removes a record for good, as thirty days do.
pub(crate) fn erase(state: &mut State, object: &str, id: u64) -> bool {
    kind(object).is_ok_and(|kind| state.shelf_mut(kind).remove(id).is_some())
}

/// Deletes a record, or takes it back.
pub(crate) fn set_deleted(state: &mut State, now: i64, object: &str, id: u64, deleted: bool) -> bool {
    kind(object).is_ok_and(|kind| state.shelf_mut(kind).set_deleted(id, deleted, store::seconds(now)))
}

/// `POST /__fake/user`: `{"action":"create","object":"persons","body":{…}}` and the like.
pub(crate) fn act(state: &mut State, now: i64, body: &Value) -> (u16, Value) {
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let number = |key: &str| body.get(key).and_then(Value::as_u64).unwrap_or(0);
    let (object, id, values) = (text("object"), number("id"), body.get("body").unwrap_or(&Value::Null));
    let done = match text("action") {
        "create" => create(state, now, object, values).map(|id| json!({"id": id})),
        "update" => update(state, now, object, id, values).map(|()| json!({"id": id})),
        "delete" => Ok(json!({"done": set_deleted(state, now, object, id, true)})),
        "restore" => Ok(json!({"done": set_deleted(state, now, object, id, false)})),
        "erase" => Ok(json!({"done": erase(state, object, id)})),
        "merge" => kind(object).map(|kind| json!({"done": store::merge(state, kind, number("loser"), id, now)})),
        "add_field" => kind(object).and_then(|kind| {
            let options = values["options"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let options: Vec<&str> = options.collect();
            let name = values["field_name"].as_str().unwrap_or_default();
            let field = Field::new(name, values["field_type"].as_str().unwrap_or_default()).with_options(&options);
            let code = fields::add_custom(state, kind, &field, now);
            code.map(|code| json!({"field_code": code})).ok_or_else(|| "there is no such type".to_owned())
        }),
        _ => Err("no such action".to_owned()),
    };
    match done {
        Ok(shown) => (200, shown),
        Err(error) => (400, json!({"error": error})),
    }
}
