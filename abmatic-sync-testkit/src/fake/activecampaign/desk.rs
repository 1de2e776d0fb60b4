//! What a person does in ActiveCampaign's own interface: for tests in Rust and for the admin route.

use serde_json::{Value, json};

use crate::fake::activecampaign::errors::Ruling;
use crate::fake::activecampaign::state::State;
use crate::fake::activecampaign::{accounts, associations, contacts, deals};

/// Makes a record of `object`, in the words of the API's bodies.
pub(crate) fn create(state: &mut State, now: i64, object: &str, body: &Value) -> Result<u64, String> {
    let made = match object {
        "contacts" => contacts::create(state, now, &json!({"contact": body})),
        "accounts" => accounts::create(state, now, &json!({"account": body})),
        "accountContacts" => associations::create(state, now, &json!({"accountContact": body})),
        "deals" => deals::create(state, now, &json!({"deal": body})),
        _ => return Err(no_object(object)),
    };
    let row = done(made)?;
    let key = singular(object);
    row[key]["id"].as_str().and_then(|id| id.parse().ok()).ok_or_else(|| "it has no id".to_owned())
}

/// Changes a record.
pub(crate) fn update(state: &mut State, now: i64, object: &str, id: u64, body: &Value) -> Result<(), String> {
    let changed = match object {
        "contacts" => contacts::update(state, now, id, &json!({"contact": body})),
        "accounts" => accounts::update(state, now, id, &json!({"account": body})),
        "accountContacts" => associations::update(state, now, id, &json!({"accountContact": body})),
        "deals" => deals::update(state, now, id, &json!({"deal": body})),
        _ => return Err(no_object(object)),
    };
    done(changed).map(|_| ())
}

/// Deletes a record for good; says whether it was there.
pub(crate) fn delete(state: &mut State, object: &str, id: u64) -> bool {
    match object {
        "contacts" => contacts::erase(state, id),
        "accounts" => accounts::erase(state, id),
        "accountContacts" => state.associations.remove(id).is_some(),
        "deals" => deals::erase(state, id),
        _ => false,
    }
}

/// Merges a contact into another: its id is gone, what hung on it hangs on the survivor where there is room.
pub(crate) fn merge_contacts(state: &mut State, now: i64, survivor: u64, loser: u64) -> bool {
    if survivor == loser || state.contacts.get(survivor).is_none() || state.contacts.get(loser).is_none() {
        return false;
    }
    let has_account = state.associations.find(|one| one.contact == survivor).is_some();
    let moved = state.associations.find(|one| one.contact == loser).filter(|_| !has_account);
    if let Some(one) = moved.and_then(|id| state.associations.get_mut(id)) {
        one.contact = survivor;
    }
    contacts::erase(state, loser);
    contacts::touch(state, now, survivor);
    true
}

/// Any of that, as the admin route takes it.
pub(crate) fn act(state: &mut State, now: i64, body: &Value) -> (u16, Value) {
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let number = |key: &str| body.get(key).and_then(Value::as_u64).unwrap_or(0);
    let (object, id, values) = (text("object"), number("id"), body.get("body").unwrap_or(&Value::Null));
    let acted = match text("action") {
        "create" => create(state, now, object, values).map(|id| json!({"id": id})),
        "update" => update(state, now, object, id, values).map(|()| json!({"id": id})),
        "delete" => Ok(json!({"done": delete(state, object, id)})),
        "merge" => Ok(json!({"done": merge_contacts(state, now, id, number("loser"))})),
        _ => Err("no such action".to_owned()),
    };
    match acted {
        Ok(shown) => (200, shown),
        Err(error) => (400, json!({"error": error})),
    }
}

/// The answer to a rule, or the words of its refusal.
fn done(ruling: Ruling) -> Result<Value, String> {
    ruling.map(|response| response.json()).map_err(|refusal| refusal.body.unwrap_or_default().to_string())
}

fn singular(object: &str) -> &str {
    object.strip_suffix('s').unwrap_or(object)
}

fn no_object(object: &str) -> String {
    format!("there is no object {object}")
}
