//! A schema of OpenAPI 3.0 as JSON Schema, and the members of a value that a schema does not declare.

use serde_json::{Value, json};

/// Schemas that stand in these are parts of the one around them.
const PARTS: &[&str] = &["allOf", "anyOf", "oneOf"];

/// Turns a schema of OpenAPI 3.0 into JSON Schema 2020-12, in which `null` is a type.
pub(crate) fn json_schema(openapi: &Value) -> Value {
    let mut schema = openapi.clone();
    let Some(members) = schema.as_object_mut() else { return schema };
    assert!(!members.contains_key("$ref"), "the documents had no references: {openapi}");
    for (name, member) in members.iter_mut() {
        match (name.as_str(), member) {
            ("properties", Value::Object(properties)) => {
                properties.values_mut().for_each(|one| *one = json_schema(one));
            }
            ("items" | "additionalProperties", member) => *member = json_schema(member),
            (name, Value::Array(parts)) if PARTS.contains(&name) => {
                parts.iter_mut().for_each(|part| *part = json_schema(part));
            }
            _ => {}
        }
    }
    if members.remove("nullable") != Some(Value::Bool(true)) {
        return schema;
    }
    json!({"anyOf": [{"type": "null"}, schema]})
}

/// The places of all members of `value` that `openapi` does not declare. Most of its objects say nothing of further members,
/// and so allow them; but Pipedrive refuses what it does not know, and a fake has nothing to add.
pub(crate) fn undeclared(openapi: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(&[openapi], value, "", &mut found);
    found
}

fn compare(schemas: &[&Value], value: &Value, place: &str, found: &mut Vec<String>) {
    let mut parts = Vec::new();
    schemas.iter().for_each(|schema| flatten(schema, &mut parts));
    match value {
        Value::Object(members) => {
            let is_open = parts.iter().any(|part| part.get("additionalProperties").is_some_and(|more| *more != false));
            let is_silent = parts.iter().all(|part| part.get("properties").is_none());
            for (name, member) in members {
                let declared: Vec<&Value> = parts.iter().filter_map(|part| part.get("properties")?.get(name)).collect();
                let place = format!("{place}/{name}");
                if !declared.is_empty() {
                    compare(&declared, member, &place, found);
                } else if !is_open && !is_silent {
                    found.push(place);
                }
            }
        }
        Value::Array(items) => {
            let declared: Vec<&Value> = parts.iter().filter_map(|part| part.get("items")).collect();
            for (number, item) in items.iter().enumerate() {
                compare(&declared, item, &format!("{place}/{number}"), found);
            }
        }
        _ => {}
    }
}

/// A schema and its parts, and theirs.
fn flatten<'a>(schema: &'a Value, parts: &mut Vec<&'a Value>) {
    parts.push(schema);
    let inner = PARTS.iter().filter_map(|part| schema.get(*part)?.as_array()).flatten();
    inner.for_each(|part| flatten(part, parts));
}

#[test]
fn null_is_a_type_and_what_is_not_declared_is_found() {
    let openapi = json!({"allOf": [
        {"type": "object", "properties": {"a": {"type": "string", "enum": ["x"], "nullable": true, "example": "x"}}},
        {"properties": {"b": {"nullable": true, "allOf": [{"properties": {"c": {}}}]}}},
        {"properties": {"l": {"items": {"properties": {"c": {}}}}, "m": {"additionalProperties": true}}},
    ]});
    let validator = jsonschema::validator_for(&json_schema(&openapi)).unwrap();
    for (value, valid, more) in [
        (json!({"a": "x", "b": {"c": 1}}), true, vec![]),
        (json!({"a": null, "b": null}), true, vec![]),
        (json!({"a": "y"}), false, vec![]),
        (json!({"d": 1, "m": {"x": 1}}), true, vec!["/d"]),
        (json!({"b": {"d": 1}, "l": [{}, {"d": 1}]}), true, vec!["/b/d", "/l/1/d"]),
    ] {
        assert_eq!(validator.is_valid(&value), valid, "{value}");
        assert_eq!(undeclared(&openapi, &value), more, "{value}");
    }
}
