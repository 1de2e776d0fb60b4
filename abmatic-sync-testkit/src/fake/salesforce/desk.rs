//! What a person does in Salesforce's own interface: as rules, for tests in Rust and for the admin route.

use serde_json::{Map, Value, json};

use crate::fake::moment;
use crate::fake::salesforce::convert::{self, Converted};
use crate::fake::salesforce::draft::Origin;
use crate::fake::salesforce::id;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::save;
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::store;
use crate::fake::salesforce::turn::Turn;

/// The person at the desk is not the integration's user.
pub(crate) fn turn(state: &State, now: i64) -> Turn {
    Turn::of_user(now, state.me + 1)
}

/// The object of that name, and a record's number, whether it lives or not.
pub(crate) fn locate(state: &State, object: &str, text: &str) -> Option<(Kind, u64)> {
    let kind = Kind::parse(object)?;
    let parsed = id::parse(text).filter(|parsed| parsed.prefix == kind.prefix())?;
    state.shelf(kind).get(parsed.number).map(|_| (kind, parsed.number))
}

/// Makes a record, or changes one; empty values clear.
pub(crate) fn write(
    state: &mut State,
    now: i64,
    object: &str,
    target: Option<&str>,
    values: &Map<String, Value>,
) -> Result<String, String> {
    let kind = Kind::parse(object).ok_or_else(|| format!("there is no object {object}"))?;
    let number = match target {
        None => None,
        Some(text) => {
            let found = locate(state, object, text).filter(|(_, number)| state.shelf(kind).live(*number).is_some());
            Some(found.ok_or_else(|| format!("there is no record {text} in {object}"))?.1)
        }
    };
    let empty_is_null = |value: &Value| if *value == "" { Value::Null } else { value.clone() };
    let values: Map<String, Value> = values.iter().map(|(name, value)| (name.clone(), empty_is_null(value))).collect();
    let turn = turn(state, now);
    let saved = save::save(state, &turn, kind, number, Origin::Csv, &values);
    let number = saved.map_err(|errors| {
        errors.first().map(|error| format!("{}: {}", error.code, error.message)).unwrap_or_default()
    })?;
    Ok(state.shelf(kind).id(number))
}

/// Converts a lead into existing records, where their ids are given, or into new ones.
pub(crate) fn convert(
    state: &mut State,
    now: i64,
    lead: &str,
    (account, contact): (Option<&str>, Option<&str>),
    opportunity: Option<&str>,
) -> Option<[Option<String>; 3]> {
    let turn = turn(state, now);
    let number = |state: &State, object: &str, text: Option<&str>| match text {
        Some(text) => locate(state, object, text).map(|(_, number)| Some(number)),
        None => Some(None),
    };
    let into = convert::Into {
        account: number(state, "Account", account)?,
        contact: number(state, "Contact", contact)?,
        opportunity,
    };
    let (_, lead) = locate(state, "Lead", lead)?;
    let (account, contact, opportunity): Converted = convert::convert(state, &turn, lead, into)?;
    let id = |kind: Kind, number: u64| Some(state.shelf(kind).id(number));
    Some([
        id(Kind::ACCOUNT, account),
        id(Kind::CONTACT, contact),
        opportunity.and_then(|number| id(Kind::OPPORTUNITY, number)),
    ])
}

/// `POST /__fake/user`: `{"action":"create","object":"Account","fields":{…}}` and the like.
pub(crate) fn act(state: &mut State, now: i64, body: &Value) -> (u16, Value) {
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    let (object, id) = (text("object").unwrap_or_default(), text("id"));
    let none = Map::new();
    let fields = body.get("fields").and_then(Value::as_object).unwrap_or(&none);
    let found = locate(state, object, id.unwrap_or_default());
    let turn = turn(state, now);
    let done = match (text("action").unwrap_or_default(), found) {
        ("create", _) => {
            let late_ms = body.get("late_ms").and_then(Value::as_i64).unwrap_or(0).clamp(0, moment::DAY_MS);
            return written(write(state, now - late_ms, object, None, fields));
        }
        ("update", _) => return written(write(state, now, object, Some(id.unwrap_or_default()), fields)),
        ("convert", _) => {
            let into = (text("account"), text("contact"));
            let converted = convert(state, now, id.unwrap_or_default(), into, text("opportunity"));
            return match converted {
                Some([account, contact, opportunity]) => {
                    (200, json!({"account": account, "contact": contact, "opportunity": opportunity}))
                }
                None => (400, json!({"error": "there is no such lead to convert"})),
            };
        }
        ("delete", Some((kind, number))) => store::delete(state, &turn, kind, number),
        ("undelete", Some((kind, number))) => store::undelete(state, &turn, kind, number),
        ("erase", Some((kind, number))) => store::erase(state, kind, number),
        ("lock", Some(row)) => state.locked.insert(row),
        ("unlock", Some(row)) => state.locked.remove(&row),
        ("merge", Some((kind, number))) => match locate(state, object, text("loser").unwrap_or_default()) {
            Some((_, loser)) => store::merge(state, &turn, kind, number, loser),
            None => false,
        },
        _ => return (400, json!({"error": "no such action, object or record"})),
    };
    (200, json!({"done": done}))
}

fn written(result: Result<String, String>) -> (u16, Value) {
    match result {
        Ok(id) => (200, json!({"id": id})),
        Err(error) => (400, json!({"error": error})),
    }
}
