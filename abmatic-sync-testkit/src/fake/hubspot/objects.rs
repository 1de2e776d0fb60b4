//! Records one at a time: list, read, create, update, archive, merge, erase.

use serde_json::{Map, Value};

use crate::fake::hubspot::draft::{self, Draft};
use crate::fake::hubspot::errors::{self, Refusal};
use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::outcome::{Outcome, Reading, Ruling, Turn};
use crate::fake::hubspot::record::{Author, PropertyId, Record};
use crate::fake::hubspot::state::{Shelf, State};
use crate::fake::hubspot::store;
use crate::fake::hubspot::values;
use crate::fake::hubspot::view::{Selection, View, write_record};
use crate::fake::json;

const LIST_LIMIT_DEFAULT: usize = 10;
const HISTORY_LIMIT_MAX: usize = 50;

/// `GET …/{type}`.
pub(crate) fn list(state: &State, turn: Turn, kind: Kind, reading: &Reading) -> Ruling {
    let page_max = state.settings.list_page_max;
    let max = if reading.history.is_empty() { page_max } else { page_max.min(HISTORY_LIMIT_MAX) };
    let limit = reading.limit(LIST_LIMIT_DEFAULT, max)?;
    let after = reading.after()?;
    let shelf = state.shelf(kind);
    let records = if reading.archived { &shelf.archived } else { &shelf.live };
    let selection = Selection::of(shelf, reading);
    let mut page = records.range(after..);
    let mut out = Vec::with_capacity(64 * 1024);
    out.extend_from_slice(b"{\"results\":");
    json::array(&mut out, page.by_ref().take(limit), |out, (id, record)| {
        write_record(out, View { state, kind, id: *id, record }, &selection, "");
    });
    let next = if turn.repeat_page { records.range(after..).next() } else { page.next() };
    if let Some((next, _)) = next {
        let link = turn.version.path("objects", kind.plural());
        write_next(&mut out, state, &next.to_string(), Some(&format!("{link}?limit={limit}&after={next}")));
    }
    out.push(b'}');
    Ok(Outcome::Found(out))
}

/// `,"paging":{"next":{…}}`; on a last page nothing is written at all.
pub(crate) fn write_next(out: &mut Vec<u8>, state: &State, after: &str, path: Option<&str>) {
    out.extend_from_slice(b",\"paging\":{\"next\":{\"after\":");
    json::string(out, after);
    if let Some(path) = path {
        out.extend_from_slice(b",\"link\":");
        json::string(out, &format!("{}{path}", state.settings.base_url));
    }
    out.extend_from_slice(b"}}");
}

/// A key under which records can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// The record's id.
    Id,
    /// A unique property.
    Unique(PropertyId),
}

/// Reads `idProperty`: the id, a contact's e-mail, or a property that is unique.
pub(crate) fn key_of(state: &State, kind: Kind, name: Option<&str>) -> Result<Key, Refusal> {
    let shelf = state.shelf(kind);
    let name = match name {
        None | Some("" | "hs_object_id") => return Ok(Key::Id),
        Some(name) => name,
    };
    let Some((property, definition)) = shelf.catalogue.find(name) else {
        return Err(errors::key_not_unique(kind, name));
    };
    let is_email = shelf.emails().is_some_and(|(email, _)| email == property);
    if definition.unique || is_email { Ok(Key::Unique(property)) } else { Err(errors::key_not_unique(kind, name)) }
}

/// The live record that a key stands for; merged-away ids stand for their survivor.
pub(crate) fn find(state: &State, kind: Kind, key: Key, text: &str) -> Option<u64> {
    let shelf = state.shelf(kind);
    match key {
        Key::Id => shelf.resolve(text.parse().ok()?),
        Key::Unique(property) => shelf.holder(property, text),
    }
}

/// The record in the recycle bin that a key stands for; of several the newest.
pub(crate) fn find_archived<'a>(shelf: &'a Shelf, key: Key, text: &str) -> Option<(u64, &'a Record)> {
    let held =
        |property, record: &Record| record.values.get(property).is_some_and(|held| held.eq_ignore_ascii_case(text));
    match key {
        Key::Id => text.parse().ok().and_then(|id| Some((id, shelf.archived.get(&id)?))),
        Key::Unique(property) => {
            let archived = shelf.archived.iter().filter(|(_, record)| held(property, record));
            archived.map(|(id, record)| (*id, record)).max_by_key(|(id, _)| *id)
        }
    }
}

fn find_or_refuse(state: &State, kind: Kind, id: &str, id_property: Option<&str>) -> Result<u64, Refusal> {
    let key = key_of(state, kind, id_property)?;
    if key == Key::Id && id.parse::<u64>().is_err() {
        return Err(errors::not_numeric(id));
    }
    find(state, kind, key, id).ok_or_else(errors::not_found)
}

/// `GET …/{type}/{id}`.
pub(crate) fn read(state: &State, kind: Kind, id: &str, reading: &Reading) -> Ruling {
    let shelf = state.shelf(kind);
    let (id, record): (u64, &Record) = if reading.archived {
        let id = id.parse().map_err(|_| errors::not_numeric(id))?;
        (id, shelf.archived.get(&id).ok_or_else(errors::not_found)?)
    } else {
        let id = find_or_refuse(state, kind, id, reading.id_property.as_deref())?;
        (id, shelf.live.get(&id).ok_or_else(errors::not_found)?)
    };
    let mut out = Vec::with_capacity(1024);
    write_record(&mut out, View { state, kind, id, record }, &Selection::of(shelf, reading), "");
    Ok(Outcome::Found(out))
}

/// Writes a live record; nothing where it has gone meanwhile.
pub(crate) fn show(out: &mut Vec<u8>, state: &State, kind: Kind, id: u64, selection: &Selection, extra: &str) {
    if let Some(record) = state.shelf(kind).live.get(&id) {
        write_record(out, View { state, kind, id, record }, selection, extra);
    }
}

/// `"warnings":[…]`, or nothing.
pub(crate) fn warnings_of(draft: &Draft) -> String {
    if draft.warnings.is_empty() {
        return String::new();
    }
    format!("\"warnings\":{}", Value::from(draft.warnings.clone()))
}

/// The `properties` of a write's body.
pub(crate) fn properties_of(body: &Value) -> Result<&Map<String, Value>, Refusal> {
    body.get("properties").and_then(Value::as_object).ok_or_else(|| {
        errors::invalid_json(
            1,
            1,
            "Cannot build SimplePublicObjectInput, some of required attributes are not set [properties]",
        )
    })
}

/// `POST …/{type}`.
pub(crate) fn create(state: &mut State, turn: Turn, kind: Kind, body: &Value) -> Ruling {
    let draft =
        try_create(state, turn, kind, body).map_err(|objection| objection.into_refusal(state.settings.portal_id))?;
    let id = store::create(state, kind, &draft, turn.now, Author::Integration);
    let mut out = Vec::with_capacity(1024);
    show(&mut out, state, kind, id, &Selection::all(state.shelf(kind)), &warnings_of(&draft));
    let path = turn.version.path("objects", &format!("{}/{id}", kind.plural()));
    Ok(Outcome::Created { body: out, path: Some(path) })
}

/// Tries a create, associations and all.
pub(crate) fn try_create(state: &State, turn: Turn, kind: Kind, body: &Value) -> Result<Draft, draft::Objection> {
    let properties = properties_of(body).map_err(draft::Objection::Whole)?;
    let mut draft = draft::draft(state, kind, None, properties, turn.version)?;
    draft::draft_links(state, kind, body.get("associations"), &mut draft)?;
    if kind == Kind::LEADS && !draft.links.iter().any(|(to, ..)| *to == Kind::CONTACTS) {
        return Err(draft::Objection::Whole(errors::required_on_create(kind, &["associations to a contact"])));
    }
    Ok(draft)
}

/// `PATCH …/{type}/{id}`.
pub(crate) fn update(
    state: &mut State,
    turn: Turn,
    kind: Kind,
    id: &str,
    id_property: Option<&str>,
    body: &Value,
) -> Ruling {
    let id = find_or_refuse(state, kind, id, id_property)?;
    let draft = draft::draft(state, kind, Some(id), properties_of(body)?, turn.version)
        .map_err(|objection| objection.into_refusal(state.settings.portal_id))?;
    store::update(state, kind, id, &draft, turn.now, Author::Integration);
    let mut out = Vec::with_capacity(1024);
    show(&mut out, state, kind, id, &Selection::touched(state.shelf(kind), &draft.touched), &warnings_of(&draft));
    Ok(Outcome::Found(out))
}

/// `DELETE …/{type}/{id}`; unknown and archived ids are no failure.
pub(crate) fn archive(state: &mut State, turn: Turn, kind: Kind, id: &str) -> Ruling {
    if let Some(id) = find(state, kind, Key::Id, id) {
        store::archive(state, kind, id, turn.now);
    }
    Ok(Outcome::Done)
}

/// `POST …/{type}/merge`.
pub(crate) fn merge(state: &mut State, turn: Turn, kind: Kind, body: &Value) -> Ruling {
    let id_of = |field: &str| body.get(field).and_then(values::text_of).unwrap_or_default();
    let primary = find_or_refuse(state, kind, &id_of("primaryObjectId"), None)?;
    let other = find_or_refuse(state, kind, &id_of("objectIdToMerge"), None)?;
    if primary == other {
        return Err(errors::invalid(format!("Cannot merge object {primary} with itself")));
    }
    let new = store::merge(state, kind, primary, other, turn.now).ok_or_else(errors::not_found)?;
    let mut out = Vec::with_capacity(1024);
    show(&mut out, state, kind, new, &Selection::all(state.shelf(kind)), "");
    Ok(Outcome::Found(out))
}

/// `POST …/contacts/gdpr-delete`; an address that nobody has is blocked from then on.
pub(crate) fn gdpr_delete(state: &mut State, kind: Kind, body: &Value) -> Ruling {
    let text = body.get("objectId").and_then(values::text_of).unwrap_or_default();
    let key = key_of(state, kind, body.get("idProperty").and_then(Value::as_str))?;
    if let Some(id) = find(state, kind, key, &text) {
        store::erase(state, kind, id);
    } else if key == Key::Id {
        let id = text.parse().map_err(|_| errors::not_numeric(&text))?;
        store::erase(state, kind, id);
    }
    if key != Key::Id {
        state.blocked_emails.insert(text.to_lowercase());
    }
    Ok(Outcome::Done)
}
