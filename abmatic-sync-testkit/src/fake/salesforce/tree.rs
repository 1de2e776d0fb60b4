//! Trees: new records with their children, all of them or none.

use serde_json::{Map, Value, json};

use crate::fake::salesforce::draft::Origin;
use crate::fake::salesforce::errors::{self, RowError};
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::reply::{self, Ruling};
use crate::fake::salesforce::save;
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;

const RECORDS_MAX: usize = 200;
const DEPTH_MAX: usize = 5;

/// A relationship, and the records behind it.
type Children = (String, Vec<Value>);

/// What is made of one record: its reference id, and its id or its errors.
type Made = (String, Result<String, Vec<RowError>>);

/// `POST …/composite/tree/{Object}`.
pub(crate) fn create(state: &mut State, turn: &Turn, name: &str, body: &Value) -> Ruling {
    let kind = state.kind(name).ok_or_else(errors::not_found)?;
    let records = body.get("records").and_then(Value::as_array);
    let records = records.ok_or_else(|| errors::json_parser("The request has no records at [line:1, column:1]"))?;
    let made = state.transaction(|state| {
        let mut made = Vec::new();
        for record in records {
            grow(state, turn, (kind, None), record, 1, &mut made);
        }
        let keep = made.len() <= RECORDS_MAX && made.iter().all(|(_, result)| result.is_ok());
        (made, keep)
    });
    if made.len() > RECORDS_MAX {
        let message = format!("record limit reached. cannot submit more than {RECORDS_MAX} records in this request");
        return Err(errors::invalid("EXCEEDED_MAX_SIZE_REQUEST", message));
    }
    let failed: Vec<Value> = made
        .iter()
        .filter_map(|(reference, result)| {
            let errors: Vec<Value> = result.as_ref().err()?.iter().map(RowError::of_row).collect();
            Some(json!({"referenceId": reference, "errors": errors}))
        })
        .collect();
    if !failed.is_empty() {
        let body = json!({"hasErrors": true, "results": failed});
        return Ok(reply::json(400, body.to_string().into_bytes()));
    }
    let results: Vec<Value> = made
        .iter()
        .filter_map(|(reference, result)| Some(json!({"referenceId": reference, "id": result.as_ref().ok()?})))
        .collect();
    Ok(reply::json(201, json!({"hasErrors": false, "results": results}).to_string().into_bytes()))
}

/// Makes a record, then its children with a reference to it.
fn grow(
    state: &mut State,
    turn: &Turn,
    (kind, parent): (Kind, Option<(&str, &str)>),
    record: &Value,
    depth: usize,
    made: &mut Vec<Made>,
) {
    let empty = Map::new();
    let record = record.as_object().unwrap_or(&empty);
    let attributes = record.get("attributes");
    let reference = attributes.and_then(|found| found.get("referenceId")).and_then(Value::as_str).unwrap_or_default();
    let (children, mut fields) = split(record);
    if let Some((field, id)) = parent {
        fields.insert(field.to_owned(), id.into());
    }
    let saved = save::save(state, turn, kind, None, Origin::Json, &fields).map(|number| state.shelf(kind).id(number));
    made.push((reference.to_owned(), saved.clone()));
    let Ok(id) = saved else { return };
    if depth >= DEPTH_MAX {
        return;
    }
    for (relationship, records) in children {
        match child_of(state, kind, &relationship) {
            Some((child, field)) => {
                for record in &records {
                    grow(state, turn, (child, Some((&field, &id))), record, depth + 1, made);
                }
            }
            None => made.push((reference.to_owned(), Err(vec![errors::no_column(&relationship, kind.name())]))),
        }
    }
}

/// Children by relationship, and the record's own fields.
fn split(record: &Map<String, Value>) -> (Vec<Children>, Map<String, Value>) {
    let mut children = Vec::new();
    let mut fields = Map::new();
    for (key, value) in record {
        match value.get("records").and_then(Value::as_array) {
            Some(records) => children.push((key.clone(), records.clone())),
            None => {
                fields.insert(key.clone(), value.clone());
            }
        }
    }
    (children, fields)
}

/// The object behind a relationship to children, and its reference to the parent.
pub(crate) fn child_of(state: &State, parent: Kind, relationship: &str) -> Option<(Kind, String)> {
    state.kinds().find_map(|kind| {
        let found = state.shelf(kind).catalogue.iter().find(|(_, field)| {
            field.targets.contains(&parent.name())
                && field.children.is_some_and(|(name, _)| name.eq_ignore_ascii_case(relationship))
        });
        found.map(|(_, field)| (kind, field.name.clone()))
    })
}
