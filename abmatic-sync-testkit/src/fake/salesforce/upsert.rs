//! Single records by an external id: upserted, read, deleted.

use serde_json::{Map, Value, json};

use crate::fake::exchange::Request;
use crate::fake::packed::FieldId;
use crate::fake::salesforce::draft::Origin;
use crate::fake::salesforce::errors::{self, Refusal, RowError};
use crate::fake::salesforce::field::{Field, Source};
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::reply::{self, Ruling};
use crate::fake::salesforce::rows;
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;
use crate::fake::salesforce::{id, save, values};

/// Versions before this one say nothing about an update.
const SAYS_CREATED: u16 = 46;

/// The field that may name records in a path or a collection.
pub(crate) fn key_field<'a>(state: &'a State, kind: Kind, name: &str) -> Result<(FieldId, &'a Field), Refusal> {
    let found = state.shelf(kind).catalogue.find(name);
    found.filter(|(_, field)| field.external_id || field.id_lookup).ok_or_else(|| errors::no_external_id_field(name))
}

/// Live records with that key.
pub(crate) fn with_key(state: &State, kind: Kind, key: (FieldId, &Field), value: &str) -> Result<Vec<u64>, RowError> {
    let (field_id, field) = key;
    let shelf = state.shelf(kind);
    if field.source == Source::Id {
        let parsed = id::parse(value).filter(|parsed| parsed.prefix == kind.prefix());
        let parsed = parsed.ok_or_else(|| values::wrong_id(field, value))?;
        return match shelf.live(parsed.number) {
            Some(_) => Ok(vec![parsed.number]),
            None => Err(errors::entity_deleted()),
        };
    }
    let text = values::read(field, &Value::from(value))?.unwrap_or_default();
    Ok(shelf.with_value(field_id, &text))
}

/// The records that the path names; a slash in the value does not get through.
fn find(state: &State, kind: Kind, (name, value): (&str, &str)) -> Result<Vec<u64>, Refusal> {
    let key = key_field(state, kind, name)?;
    if value.contains('/') {
        return Err(errors::not_found());
    }
    Ok(with_key(state, kind, key, value)?)
}

/// 300: the paths of all records with that key.
fn several(state: &State, turn: &Turn, kind: Kind, found: &[u64]) -> Refusal {
    let shelf = state.shelf(kind);
    let path = |number: &u64| format!("{}/sobjects/{}/{}", turn.base(), kind.name(), shelf.id(*number));
    Refusal::json(300, found.iter().map(path).collect::<Vec<String>>().into())
}

fn one(state: &State, turn: &Turn, kind: Kind, key: (&str, &str)) -> Result<u64, Refusal> {
    match find(state, kind, key)?.as_slice() {
        [number] => Ok(*number),
        [] => Err(errors::not_found()),
        found => Err(several(state, turn, kind, found)),
    }
}

/// `GET …/sobjects/{Object}/{field}/{value}`.
pub(crate) fn read(state: &State, turn: &Turn, kind: Kind, key: (&str, &str), request: &Request) -> Ruling {
    let number = one(state, turn, kind, key)?;
    rows::show(state, turn, kind, number, request)
}

/// `DELETE …/sobjects/{Object}/{field}/{value}`.
pub(crate) fn delete(state: &mut State, turn: &Turn, kind: Kind, key: (&str, &str), request: &Request) -> Ruling {
    let number = one(state, turn, kind, key)?;
    rows::check_conditions(state, kind, number, request)?;
    save::delete(state, turn, kind, number)?;
    Ok(reply::empty(204))
}

/// `PATCH …/sobjects/{Object}/{field}/{value}`.
pub(crate) fn upsert(
    state: &mut State,
    turn: &Turn,
    kind: Kind,
    key: (&str, &str),
    request: &Request,
    body: &Value,
) -> Ruling {
    let (name, value) = key;
    let (_, field) = key_field(state, kind, name)?;
    let (field_name, by_id) = (field.name.clone(), field.source == Source::Id);
    let fields = rows::object(body)?;
    for taken in ["Id", field_name.as_str()] {
        if fields.keys().any(|key| key.eq_ignore_ascii_case(taken)) {
            return Err(errors::not_specified_here(taken).into());
        }
    }
    let found = find(state, kind, key)?;
    let (target, fields) = match found.as_slice() {
        [number] => (Some(*number), fields.clone()),
        [] if request.query("updateOnly").is_some_and(|text| text.eq_ignore_ascii_case("true")) || by_id => {
            return Err(errors::not_found());
        }
        [] => (None, with_field(fields, &field_name, value)),
        found => return Err(several(state, turn, kind, found)),
    };
    if let Some(number) = target {
        rows::check_conditions(state, kind, number, request)?;
    }
    let number = save::save(state, turn, kind, target, Origin::Json, &fields)?;
    let created = target.is_none();
    if !created && turn.version < SAYS_CREATED {
        return Ok(reply::empty(204));
    }
    let id = state.shelf(kind).id(number);
    let path = format!("{}/sobjects/{}/{id}", turn.base(), kind.name());
    let shown = json!({"id": id, "success": true, "errors": [], "created": created});
    Ok(if created { reply::created(path, &shown) } else { reply::ok(&shown) })
}

fn with_field(fields: &Map<String, Value>, name: &str, value: &str) -> Map<String, Value> {
    let mut fields = fields.clone();
    fields.insert(name.to_owned(), value.into());
    fields
}
