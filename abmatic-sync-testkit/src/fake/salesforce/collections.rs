//! Collections: up to two hundred records in one call, one result each, in the order they came.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::fake::exchange::{Request, Response};
use crate::fake::json as write;
use crate::fake::salesforce::draft::Origin;
use crate::fake::salesforce::errors::{self, Refusal, RowError};
use crate::fake::salesforce::id;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::reply::{self, Ruling};
use crate::fake::salesforce::shelf::folded;
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;
use crate::fake::salesforce::view::View;
use crate::fake::salesforce::{rows, save, upsert as by_key};

const RECORDS_MAX: usize = 200;
const CHUNKS_MAX: usize = 10;
const RETRIEVED_MAX: usize = 2000;

/// What became of one record.
struct Done {
    id: Option<String>,
    created: Option<bool>,
    errors: Vec<RowError>,
}

impl Done {
    fn well(id: String) -> Self {
        Self { id: Some(id), created: None, errors: Vec::new() }
    }

    fn shown(&self) -> Value {
        let errors: Vec<Value> = self.errors.iter().map(RowError::of_row).collect();
        let mut shown = json!({"success": self.errors.is_empty(), "errors": errors});
        if let Some(id) = &self.id {
            shown["id"] = id.as_str().into();
        }
        if let Some(created) = self.created {
            shown["created"] = created.into();
        }
        shown
    }
}

impl From<Vec<RowError>> for Done {
    fn from(errors: Vec<RowError>) -> Self {
        Self { id: None, created: None, errors }
    }
}

/// Carries out one record after the other; with `all_or_none` a failure takes all of them back.
fn each<T>(
    state: &mut State,
    records: &[T],
    all_or_none: bool,
    mut rule: impl FnMut(&mut State, &T) -> Result<Done, Vec<RowError>>,
) -> Ruling {
    let done = state.transaction(|state| {
        let done: Vec<Done> = records.iter().map(|record| rule(state, record).unwrap_or_else(Done::from)).collect();
        let unread = done.iter().flat_map(|one| &one.errors).find(|error| error.whole_call).cloned();
        if let Some(error) = unread {
            return (Err(Refusal::from(error)), false);
        }
        let failed = done.iter().any(|one| !one.errors.is_empty());
        let keep = !(failed && all_or_none);
        (Ok(if keep { done } else { rolled_back(done) }), keep)
    })?;
    let shown: Vec<Value> = done.iter().map(Done::shown).collect();
    Ok(reply::ok(&shown.into()))
}

fn rolled_back(done: Vec<Done>) -> Vec<Done> {
    let back = |one: Done| if one.errors.is_empty() { Done::from(vec![errors::rolled_back()]) } else { one };
    done.into_iter().map(back).collect()
}

/// One record of a call: its object, unless that cannot be told, and its fields without id and attributes.
struct Item {
    kind: Result<Kind, RowError>,
    id: Option<String>,
    fields: Map<String, Value>,
}

fn items(state: &State, body: &Value, kind: Option<Kind>) -> Result<Vec<Item>, Refusal> {
    let records = body.get("records").and_then(Value::as_array);
    let records = records.ok_or_else(|| errors::json_parser("The request has no records at [line:1, column:1]"))?;
    if records.len() > RECORDS_MAX {
        let message = format!("record limit reached. cannot submit more than {RECORDS_MAX} records in this request");
        return Err(errors::invalid("EXCEEDED_MAX_SIZE_REQUEST", message));
    }
    let items: Vec<Item> = records.iter().map(|record| item(state, record, kind)).collect::<Result<_, _>>()?;
    let mut chunks = 0;
    let mut last = None;
    for item in &items {
        let kind = item.kind.as_ref().ok().copied();
        chunks += usize::from(last != Some(kind));
        last = Some(kind);
    }
    if chunks > CHUNKS_MAX {
        let message = format!("Cannot have more than {CHUNKS_MAX} chunks in a single operation.");
        return Err(errors::invalid("LIMIT_EXCEEDED", message));
    }
    Ok(items)
}

fn item(state: &State, record: &Value, kind: Option<Kind>) -> Result<Item, Refusal> {
    let fields = rows::object(record)?;
    let named = fields.get("attributes").and_then(|attributes| attributes.get("type")).and_then(Value::as_str);
    let wrong_type = |name: &str| {
        let message = format!("sObject type '{name}' is not supported.");
        RowError::new("INVALID_TYPE", message).on(&[])
    };
    let kind = match (named, kind) {
        (Some(name), Some(kind)) if !kind.name().eq_ignore_ascii_case(name) => Err(wrong_type(name)),
        (_, Some(kind)) => Ok(kind),
        (Some(name), None) => state.kind(name).ok_or_else(|| wrong_type(name)),
        (None, None) => {
            let message = "Field 'attributes' with the record's type is missing in the sObject";
            return Err(errors::json_parser(message));
        }
    };
    let is_id = |key: &str| key.eq_ignore_ascii_case("Id");
    let id = fields.iter().find(|(key, _)| is_id(key)).and_then(|(_, value)| value.as_str()).map(str::to_owned);
    let fields = fields.iter().filter(|(key, _)| !is_id(key) && *key != "attributes");
    Ok(Item { kind, id, fields: fields.map(|(key, value)| (key.clone(), value.clone())).collect() })
}

fn all_or_none(body: &Value) -> bool {
    body.get("allOrNone").is_some_and(|flag| flag == true || flag == "true")
}

/// `POST …/composite/sobjects`.
pub(crate) fn create(state: &mut State, turn: &Turn, body: &Value) -> Ruling {
    let items = items(state, body, None)?;
    each(state, &items, all_or_none(body), |state, item| {
        let kind = item.kind.clone().map_err(|error| vec![error])?;
        if item.id.is_some() {
            let message = "cannot specify Id in an insert call";
            return Err(vec![RowError::new("INVALID_FIELD_FOR_INSERT_UPDATE", message).on(&["Id"])]);
        }
        let number = save::save(state, turn, kind, None, Origin::Json, &item.fields)?;
        Ok(Done::well(state.shelf(kind).id(number)))
    })
}

/// The record that a row names by its id.
fn named(state: &State, kind: Option<Kind>, id: Option<&str>) -> Result<(Kind, u64), RowError> {
    let missing = || RowError::new("MISSING_ARGUMENT", "Id not specified in an update call").on(&["Id"]);
    let text = id.ok_or_else(missing)?;
    let malformed = || RowError::new("MALFORMED_ID", format!("bad id {text}")).on(&["Id"]);
    let parsed = id::parse(text).ok_or_else(malformed)?;
    let found = state.kind_of_prefix(parsed.prefix).ok_or_else(malformed)?;
    if let Some(kind) = kind.filter(|kind| *kind != found) {
        let message = format!("{} ID: id value of incorrect type: {text}", kind.facts().label);
        return Err(RowError::new("MALFORMED_ID", message).on(&["Id"]));
    }
    match state.shelf(found).get(parsed.number) {
        None => Err(errors::cross_reference()),
        Some(record) if !record.is_live() => Err(errors::entity_deleted()),
        Some(_) => Ok((found, parsed.number)),
    }
}

/// `PATCH …/composite/sobjects`.
pub(crate) fn update(state: &mut State, turn: &Turn, body: &Value) -> Ruling {
    let items = items(state, body, None)?;
    let mut seen = HashSet::new();
    each(state, &items, all_or_none(body), |state, item| {
        let kind = item.kind.clone().map_err(|error| vec![error])?;
        let (kind, number) = named(state, Some(kind), item.id.as_deref()).map_err(|error| vec![error])?;
        let id = state.shelf(kind).id(number);
        if !seen.insert((kind, number)) {
            let message = format!("duplicate id specified: {id}");
            return Err(vec![RowError::new("DUPLICATE_VALUE", message).on(&[])]);
        }
        let saved = save::save(state, turn, kind, Some(number), Origin::Json, &item.fields);
        Ok(Done { id: Some(id), created: None, errors: saved.err().unwrap_or_default() })
    })
}

/// `PATCH …/composite/sobjects/{Object}/{field}`.
pub(crate) fn upsert(state: &mut State, turn: &Turn, (name, field): (&str, &str), body: &Value) -> Ruling {
    let kind = state.kind(name).ok_or_else(errors::not_found)?;
    let (_, key) = by_key::key_field(state, kind, field)?;
    let key_name = key.name.clone();
    let items = items(state, body, Some(kind))?;
    let mut seen = HashSet::new();
    each(state, &items, all_or_none(body), |state, item| {
        let kind = item.kind.clone().map_err(|error| vec![error])?;
        upsert_one(state, turn, kind, &key_name, item, &mut seen)
    })
}

fn upsert_one(
    state: &mut State,
    turn: &Turn,
    kind: Kind,
    key_name: &str,
    item: &Item,
    seen: &mut HashSet<String>,
) -> Result<Done, Vec<RowError>> {
    let one = |error: RowError| vec![error];
    let sent = item.fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(key_name)).map(|(_, value)| value);
    let sent = if key_name == "Id" { item.id.clone().map(Value::from) } else { sent.cloned() };
    let text = match &sent {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    if item.id.is_some() && key_name != "Id" {
        let message = "The Id field should not be specified in the sobject data.";
        return Err(vec![RowError::new("INVALID_FIELD", message).on(&["Id"])]);
    }
    if text.is_empty() {
        let message = format!("{key_name} not specified");
        return Err(vec![RowError::new("MISSING_ARGUMENT", message).on(&[])]);
    }
    if !seen.insert(folded(&text)) {
        let message = format!("Duplicate external id specified: {text}");
        return Err(vec![RowError::new("DUPLICATE_VALUE", message).on(&[key_name])]);
    }
    let found = match state.shelf(kind).catalogue.find(key_name) {
        Some(key) => by_key::with_key(state, kind, key, &text).map_err(one)?,
        None => Vec::new(),
    };
    let target = match found.as_slice() {
        [] => None,
        [number] => Some(*number),
        _ => {
            let message = format!("{key_name}: more than one record found for external id field: [{}]", found.len());
            return Err(vec![RowError::new("DUPLICATE_EXTERNAL_ID", message).on(&[])]);
        }
    };
    let number = save::save(state, turn, kind, target, Origin::Json, &item.fields)?;
    Ok(Done { created: Some(target.is_none()), ..Done::well(state.shelf(kind).id(number)) })
}

/// `DELETE …/composite/sobjects?ids=…`.
pub(crate) fn delete(state: &mut State, turn: &Turn, request: &Request) -> Ruling {
    let ids: Vec<&str> = request.query_list("ids").collect();
    if ids.len() > RECORDS_MAX {
        let message = format!("record limit reached. cannot submit more than {RECORDS_MAX} records in this request");
        return Err(errors::invalid("EXCEEDED_MAX_SIZE_REQUEST", message));
    }
    let all_or_none = request.query("allOrNone").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    each(state, &ids, all_or_none, |state, id| {
        let (kind, number) = named(state, None, Some(id)).map_err(|error| vec![error])?;
        let id = state.shelf(kind).id(number);
        let gone = save::delete(state, turn, kind, number);
        Ok(Done { id: Some(id), created: None, errors: gone.err().unwrap_or_default() })
    })
}

/// `GET …/composite/sobjects/{Object}?ids=…&fields=…`.
pub(crate) fn retrieve_by_query(state: &State, turn: &Turn, name: &str, request: &Request) -> Ruling {
    let ids: Vec<&str> = request.query_list("ids").collect();
    let fields: Vec<&str> = request.query_list("fields").collect();
    retrieve(state, turn, name, &ids, &fields)
}

/// `POST …/composite/sobjects/{Object}`.
pub(crate) fn retrieve_by_body(state: &State, turn: &Turn, name: &str, body: &Value) -> Ruling {
    let texts = |key: &str| {
        let listed = body.get(key).and_then(Value::as_array).into_iter().flatten();
        listed.filter_map(Value::as_str).collect::<Vec<&str>>()
    };
    retrieve(state, turn, name, &texts("ids"), &texts("fields"))
}

fn retrieve(state: &State, turn: &Turn, name: &str, ids: &[&str], fields: &[&str]) -> Result<Response, Refusal> {
    let kind = state.kind(name).ok_or_else(errors::not_found)?;
    let shelf = state.shelf(kind);
    if fields.is_empty() {
        return Err(errors::invalid("MISSING_ARGUMENT", "The fields parameter is required"));
    }
    if ids.len() > RETRIEVED_MAX {
        let message = format!("cannot retrieve more than {RETRIEVED_MAX} records in this request");
        return Err(errors::invalid("EXCEEDED_MAX_SIZE_REQUEST", message));
    }
    let selected = rows::selection(shelf, fields)?;
    let find = |text: &&str| {
        let parsed = id::parse(text).filter(|parsed| parsed.prefix == kind.prefix())?;
        View::of(shelf, parsed.number).filter(|view| view.record.is_live())
    };
    let mut out = Vec::with_capacity(64 * 1024);
    write::array(&mut out, ids.iter().map(find), |out, view| match view {
        Some(view) => rows::write_record(out, turn, view, &selected),
        None => out.extend_from_slice(b"null"),
    });
    Ok(reply::json(200, out))
}
