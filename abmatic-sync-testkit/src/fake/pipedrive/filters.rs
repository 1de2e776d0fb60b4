//! Saved filters of API v1: listed, read, made, changed, deleted.

use serde_json::{Map, Value, json};

use crate::fake::exchange::Request;
use crate::fake::pipedrive::condition::{Condition, OPERATORS, operators_of};
use crate::fake::pipedrive::errors::{self, Refusal};
use crate::fake::pipedrive::kind::Kind;
use crate::fake::pipedrive::reply::{self, Ruling};
use crate::fake::pipedrive::rows::body;
use crate::fake::pipedrive::state::State;
use crate::fake::pipedrive::turn::Turn;
use crate::fake::pipedrive::values::moment_text_v1;

/// How many conditions a filter may have.
const CONDITIONS_MAX: usize = 16;

/// A saved filter: all of one group, and any of another.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) all: Vec<Condition>,
    pub(crate) any: Vec<Condition>,
    created_ms: i64,
    changed_ms: i64,
}

fn shown(state: &State, filter: &Filter) -> Value {
    json!({
        "id": filter.id, "name": filter.name, "filter_code": null, "is_editable": true, "active_flag": true,
        "type": filter.kind.filter_type(), "temporary_flag": false, "user_id": state.me,
        "add_time": moment_text_v1(filter.created_ms), "update_time": moment_text_v1(filter.changed_ms),
        "visible_to": "1", "last_used_time": null, "custom_view_id": null,
    })
}

fn with_conditions(state: &State, filter: &Filter, request: &Request) -> Value {
    let codes = request.query("include_field_code") == Some("true") || request.query("include_field_code") == Some("1");
    let group = |glue: &str, conditions: &[Condition]| {
        let conditions: Vec<Value> = conditions
            .iter()
            .map(|condition| {
                let mut one = json!({
                    "object": condition.kind.name(), "field_id": condition.number.to_string(),
                    "operator": condition.operator, "value": condition.value, "extra_value": null,
                    "json_value_flag": false,
                });
                if codes {
                    let found = state.shelf(condition.kind).catalogue.by_number(condition.number);
                    one["field_code"] = found.map(|(_, field)| field.code.clone()).into();
                }
                one
            })
            .collect();
        json!({"glue": glue, "conditions": conditions})
    };
    let mut one = shown(state, filter);
    one["conditions"] = json!({"glue": "and", "conditions": [group("and", &filter.all), group("or", &filter.any)]});
    one
}

/// `GET /api/v1/filters`
pub(crate) fn list(state: &State, request: &Request) -> Ruling {
    let wanted = request.query("type");
    let fits = |filter: &&Filter| wanted.is_none_or(|wanted| filter.kind.filter_type() == wanted);
    Ok(reply::data(&state.filters.values().filter(fits).map(|filter| shown(state, filter)).collect()))
}

/// `GET /api/v1/filters/{id}`
pub(crate) fn read(state: &State, id: u64, request: &Request) -> Ruling {
    let filter = state.filters.get(&id).ok_or_else(errors::not_found)?;
    Ok(reply::data(&with_conditions(state, filter, request)))
}

/// `GET /api/v1/filters/helpers`
pub(crate) fn helpers() -> Ruling {
    let texts = |operators: &[&str]| operators.iter().map(|one| ((*one).to_owned(), json!(one))).collect::<Map<_, _>>();
    let types: Map<String, Value> =
        OPERATORS.iter().map(|(type_name, operators)| ((*type_name).to_owned(), texts(operators).into())).collect();
    Ok(reply::data(&json!({"operators": types, "deprecated_operators": {}, "relative_dates": {}})))
}

/// `POST /api/v1/filters`
pub(crate) fn create(state: &mut State, turn: &Turn, request: &Request) -> Ruling {
    let body = body(request)?;
    let text = |key: &str| body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let name = text("name").ok_or_else(|| errors::bad_request("name is required"))?;
    let kind = text("type").ok_or_else(|| errors::bad_request("type is required"))?;
    let kind = Kind::by_filter_type(kind).ok_or_else(|| errors::bad_request("type is not supported"))?;
    let conditions = body.get("conditions").ok_or_else(|| errors::bad_request("conditions is required"))?;
    let (all, any) = groups(state, conditions)?;
    let id = add(state, kind, name, (all, any), turn.now);
    read(state, id, request)
}

/// Saves a filter, and answers its id.
pub(crate) fn add(
    state: &mut State,
    kind: Kind,
    name: &str,
    groups: (Vec<Condition>, Vec<Condition>),
    now: i64,
) -> u64 {
    let id = state.take_filter_id();
    let (all, any) = groups;
    let filter = Filter { id, name: name.to_owned(), kind, all, any, created_ms: now, changed_ms: now };
    state.filters.insert(id, filter);
    id
}

/// `PUT /api/v1/filters/{id}`
pub(crate) fn update(state: &mut State, turn: &Turn, id: u64, request: &Request) -> Ruling {
    let body = body(request)?;
    let groups = body.get("conditions").map(|conditions| groups(state, conditions)).transpose()?;
    let filter = state.filters.get_mut(&id).ok_or_else(errors::not_found)?;
    if let Some(name) = body.get("name").and_then(Value::as_str) {
        name.clone_into(&mut filter.name);
    }
    if let Some((all, any)) = groups {
        (filter.all, filter.any) = (all, any);
    }
    filter.changed_ms = turn.now;
    read(state, id, request)
}

/// `DELETE /api/v1/filters/{id}`
pub(crate) fn delete(state: &mut State, id: u64) -> Ruling {
    state.filters.remove(&id).ok_or_else(errors::not_found)?;
    Ok(reply::data(&json!({"id": id})))
}

/// `DELETE /api/v1/filters?ids=`
pub(crate) fn delete_many(state: &mut State, request: &Request) -> Ruling {
    let ids: Vec<u64> = request.query_list("ids").filter_map(|id| id.parse().ok()).collect();
    if ids.is_empty() {
        return Err(errors::bad_request("ids is required"));
    }
    let gone: Vec<u64> = ids.into_iter().filter(|id| state.filters.remove(id).is_some()).collect();
    Ok(reply::data(&json!({"id": gone})))
}

/// Exactly two groups, the first glued by `and`, the second by `or`.
pub(crate) fn groups(state: &State, conditions: &Value) -> Result<(Vec<Condition>, Vec<Condition>), Refusal> {
    let bad = || errors::bad_request("Conditions structure is not supported");
    let inner = conditions.get("conditions").and_then(Value::as_array).ok_or_else(bad)?;
    let [all, any] = inner.as_slice() else { return Err(bad()) };
    if conditions["glue"] != "and" || all["glue"] != "and" || any["glue"] != "or" {
        return Err(bad());
    }
    let read = |group: &Value| {
        let conditions = group.get("conditions").and_then(Value::as_array).ok_or_else(bad)?;
        conditions.iter().map(|one| condition(state, one)).collect::<Result<Vec<_>, _>>()
    };
    let (all, any) = (read(all)?, read(any)?);
    if all.len() + any.len() > CONDITIONS_MAX {
        return Err(errors::bad_request("A filter can have at most 16 conditions"));
    }
    Ok((all, any))
}

fn condition(state: &State, one: &Value) -> Result<Condition, Refusal> {
    let text = |key: &str| one.get(key).and_then(Value::as_str);
    let kind =
        text("object").and_then(Kind::by_name).ok_or_else(|| errors::bad_request("Unknown object in conditions"))?;
    let number = one.get("field_id").and_then(|id| id.as_u64().or_else(|| id.as_str()?.parse().ok()));
    let found = number.and_then(|number| state.shelf(kind).catalogue.by_number(number));
    let (_, field) = found.ok_or_else(|| errors::bad_request("Unknown field_id in conditions"))?;
    let operator = text("operator").unwrap_or_default();
    if !operators_of(field.type_name).contains(&operator) {
        return Err(errors::bad_request(&format!("Operator {operator} is not supported for {}", field.type_name)));
    }
    let value = match one.get("value") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    };
    if value.is_none() && !operator.ends_with("NULL") {
        return Err(errors::bad_request("Condition value is required"));
    }
    Ok(Condition { kind, number: field.number, operator: operator.to_owned(), value })
}
