//! Notes, which only API v1 has.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::fake::exchange::Request;
use crate::fake::moment::{DAY_MS, parse_date, parse_iso};
use crate::fake::pipedrive::errors::{self, Refusal};
use crate::fake::pipedrive::kind::Kind;
use crate::fake::pipedrive::reply::{self, Ruling};
use crate::fake::pipedrive::rows::body;
use crate::fake::pipedrive::state::State;
use crate::fake::pipedrive::store::seconds;
use crate::fake::pipedrive::turn::Turn;
use crate::fake::pipedrive::v1::{page, window};
use crate::fake::pipedrive::values::moment_text_v1;

/// What a note may hang on, and the kind of it where the fake keeps such records.
const PARENTS: &[(&str, Option<Kind>)] = &[
    ("deal_id", Some(Kind::Deal)),
    ("org_id", Some(Kind::Organization)),
    ("person_id", Some(Kind::Person)),
    ("project_id", None),
    ("task_id", None),
];
const PINS: &[&str] = &[
    "pinned_to_deal_flag",
    "pinned_to_organization_flag",
    "pinned_to_person_flag",
    "pinned_to_lead_flag",
    "pinned_to_project_flag",
];
const BYTES_MAX: usize = 100_000;

/// A note.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    id: u64,
    pub(crate) content: String,
    /// What it hangs on, by the name of the reference.
    pub(crate) on: BTreeMap<String, u64>,
    pins: Vec<String>,
    author: u64,
    created: i64,
    updated: i64,
}

fn shown(state: &State, note: &Note) -> Value {
    let parent = |key: &str, title: &str| {
        let (_, kind) = PARENTS.iter().find(|(name, _)| *name == key)?;
        let shelf = state.shelf((*kind)?);
        let record = shelf.get(*note.on.get(key)?)?;
        let (field, _) = shelf.catalogue.by_key(title)?;
        Some(json!({title: record.value(field)}))
    };
    let author = state.users.iter().find(|user| user.id == note.author);
    let mut shown = json!({
        "id": note.id, "active_flag": true, "add_time": moment_text_v1(note.created), "content": note.content,
        "deal": parent("deal_id", "title"), "lead_id": null, "last_update_user_id": null,
        "organization": parent("org_id", "name"), "person": parent("person_id", "name"),
        "update_time": moment_text_v1(note.updated), "user_id": note.author,
        "user": author.map(|user| json!({
            "email": user.email, "icon_url": null, "is_you": user.id == state.me, "name": user.name,
        })),
    });
    for (key, _) in PARENTS {
        shown[*key] = note.on.get(*key).copied().into();
    }
    for pin in PINS {
        shown[*pin] = note.pins.iter().any(|pinned| pinned == pin).into();
    }
    shown
}

/// `GET /api/v1/notes`
pub(crate) fn list(state: &State, request: &Request) -> Ruling {
    let window = window(request)?;
    let moment = |name: &str, read: fn(&str) -> Option<i64>| {
        let bad = || errors::bad_request(&format!("{name} is not a valid date"));
        request.query(name).map(|text| read(text).ok_or_else(bad)).transpose()
    };
    let since = moment("updated_since", parse_iso)?;
    let (start, end) = (moment("start_date", parse_date)?, moment("end_date", parse_date)?);
    let fits = |note: &&Note| {
        let parents = PARENTS.iter().all(|(key, _)| {
            request.query(key).is_none_or(|id| note.on.get(*key).map(u64::to_string).as_deref() == Some(id))
        });
        parents
            && request.query("user_id").is_none_or(|id| note.author.to_string() == id)
            && since.is_none_or(|since| note.updated >= since)
            && start.is_none_or(|start| note.created >= start)
            && end.is_none_or(|end| note.created < end + DAY_MS)
    };
    let mut found: Vec<&Note> = state.notes.values().filter(fits).collect();
    if let Some(sort) = request.query("sort") {
        let first = sort.split(',').next().unwrap_or_default().trim();
        let (field, direction) = first.split_once(' ').unwrap_or((first, "ASC"));
        match field {
            "id" => found.sort_by_key(|note| note.id),
            "add_time" => found.sort_by_key(|note| (note.created, note.id)),
            "update_time" => found.sort_by_key(|note| (note.updated, note.id)),
            _ => return Err(errors::bad_request("sort is not supported")),
        }
        if direction.eq_ignore_ascii_case("desc") {
            found.reverse();
        }
    }
    let all: Vec<Value> = found.into_iter().map(|note| shown(state, note)).collect();
    Ok(reply::with_status(200, &page(&all, window)))
}

/// `GET /api/v1/notes/{id}`
pub(crate) fn read(state: &State, id: u64) -> Ruling {
    Ok(reply::data(&shown(state, state.notes.get(&id).ok_or_else(errors::not_found)?)))
}

/// `POST /api/v1/notes`
pub(crate) fn create(state: &mut State, turn: &Turn, request: &Request) -> Ruling {
    let body = body(request)?;
    let map = body.as_object().ok_or_else(|| errors::bad_request("Bad request"))?;
    let content = content(map)?.ok_or_else(|| errors::bad_request("content is required"))?;
    let on = parents(state, map)?;
    if on.is_empty() && map.get("lead_id").is_none_or(Value::is_null) {
        return Err(errors::bad_request(
            "Note must be attached to a deal, person, organization, lead, project or task",
        ));
    }
    let added = map.get("add_time").and_then(Value::as_str);
    let added = added.map(|text| parse_iso(&text.replacen(' ', "T", 1)));
    let created = match added {
        None => seconds(turn.now),
        Some(moment) => moment.ok_or_else(|| errors::bad_request("add_time is not valid"))?,
    };
    let author = map.get("user_id").and_then(Value::as_u64).unwrap_or(state.me);
    let id = state.take_note_id();
    let pins = pins(map, Vec::new());
    state.notes.insert(id, Note { id, content, on, pins, author, created, updated: seconds(turn.now) });
    read(state, id)
}

/// `PUT /api/v1/notes/{id}`
pub(crate) fn update(state: &mut State, turn: &Turn, id: u64, request: &Request) -> Ruling {
    let body = body(request)?;
    let map = body.as_object().ok_or_else(|| errors::bad_request("Bad request"))?;
    let (content, on) = (content(map)?, parents(state, map)?);
    let note = state.notes.get_mut(&id).ok_or_else(errors::not_found)?;
    note.content = content.unwrap_or_else(|| note.content.clone());
    note.on.extend(on);
    note.pins = pins(map, std::mem::take(&mut note.pins));
    note.updated = seconds(turn.now);
    read(state, id)
}

/// `DELETE /api/v1/notes/{id}`
pub(crate) fn delete(state: &mut State, id: u64) -> Ruling {
    state.notes.remove(&id).ok_or_else(errors::not_found)?;
    Ok(reply::data(&json!(true)))
}

fn content(map: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    let Some(value) = map.get("content") else { return Ok(None) };
    let content = value.as_str().filter(|text| !text.is_empty() && text.len() <= BYTES_MAX);
    content.map(|text| Some(text.to_owned())).ok_or_else(|| errors::bad_request("content is not valid"))
}

fn parents(state: &State, map: &Map<String, Value>) -> Result<BTreeMap<String, u64>, Refusal> {
    let mut on = BTreeMap::new();
    for (key, kind) in PARENTS {
        let Some(value) = map.get(*key).filter(|value| !value.is_null()) else { continue };
        let id = value.as_u64().filter(|id| kind.is_none_or(|kind| state.shelf(kind).live(*id).is_some()));
        let id = id.ok_or_else(|| errors::bad_request(&format!("{key} is not valid")))?;
        on.insert((*key).to_owned(), id);
    }
    Ok(on)
}

fn pins(map: &Map<String, Value>, mut pinned: Vec<String>) -> Vec<String> {
    for pin in PINS {
        let Some(value) = map.get(*pin) else { continue };
        pinned.retain(|known| known != pin);
        if value == 1 || value == true {
            pinned.push((*pin).to_owned());
        }
    }
    pinned
}
