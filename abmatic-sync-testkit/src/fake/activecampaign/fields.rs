//! Custom fields of contacts, their options, and their values: a text each, of several options between `||`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::fake::activecampaign::central::{with_offset, zoneless};
use crate::fake::activecampaign::contacts;
use crate::fake::activecampaign::errors::{self, Refusal, Ruling};
use crate::fake::activecampaign::listing::{Total, filter, filter_id, meta, page, page_of};
use crate::fake::activecampaign::reply;
use crate::fake::activecampaign::state::{Field, FieldValue, State};
use crate::fake::activecampaign::table::{sent, sent_id};
use crate::fake::exchange::Request;

const TYPES: &[&str] =
    &["text", "textarea", "date", "datetime", "number", "dropdown", "radio", "checkbox", "listbox", "hidden"];
/// How many fields a page holds unless told.
const FIELDS_LIMIT: usize = 100;

fn row(state: &State, id: u64, field: &Field) -> Value {
    json!({
        "title": field.title, "descript": null, "type": field.kind, "isrequired": "0", "perstag": field.tag,
        "defval": null, "show_in_list": "0", "rows": "0", "cols": "0", "visible": "1", "service": "AI",
        "ordernum": id.to_string(), "cdate": with_offset(field.created), "udate": with_offset(field.created),
        "created_timestamp": zoneless(field.created), "updated_timestamp": zoneless(field.created), "created_by": "1",
        "updated_by": "1", "options": option_ids(state, id), "relations": [id.to_string()],
        "links": {"options": state.link(&format!("fields/{id}/options"))}, "id": id.to_string(),
    })
}

/// Options are numbered over all fields.
fn options(state: &State) -> impl Iterator<Item = (u64, usize, &(String, String))> {
    state
        .fields
        .iter()
        .flat_map(|(id, field)| field.options.iter().enumerate().map(move |(place, option)| (id, place, option)))
}

fn option_ids(state: &State, field: u64) -> Vec<String> {
    let numbered = options(state).enumerate();
    numbered.filter(|(_, (of, ..))| *of == field).map(|(number, _)| (number + 1).to_string()).collect()
}

/// `GET /fields`.
pub(crate) fn list(state: &State, request: &Request) -> Ruling {
    let (rows, total) = page_of(state, request, state.fields.iter().collect(), FIELDS_LIMIT);
    let shown: Vec<Value> = rows.iter().map(|(id, field)| row(state, *id, field)).collect();
    let rels: Vec<Value> = rows
        .iter()
        .map(|(id, field)| {
            json!({
                "field": id.to_string(), "relid": "0", "dorder": "0", "cdate": with_offset(field.created), "links": [],
                "id": id.to_string(),
            })
        })
        .collect();
    let options: Vec<Value> = options(state)
        .enumerate()
        .filter(|(_, (of, ..))| rows.iter().any(|(id, _)| id == of))
        .map(|(number, (of, place, (value, label)))| {
            json!({
                "field": of.to_string(), "orderid": (place + 1).to_string(), "value": value, "label": label,
                "isdefault": "0", "cdate": null, "udate": null, "links": [], "id": (number + 1).to_string(),
            })
        })
        .collect();
    let mut meta = meta(total, Total::Text);
    meta["selected"] = Value::Null;
    Ok(reply::json(200, &json!({"fieldOptions": options, "fieldRels": rels, "fields": shown, "meta": meta})))
}

/// `GET /fields/{id}`.
pub(crate) fn read(state: &State, id: u64) -> Ruling {
    let field = state.fields.get(id).ok_or_else(|| errors::missing("Field", &id.to_string()))?;
    Ok(reply::json(200, &json!({"field": row(state, id, field)})))
}

/// `POST /fields`.
pub(crate) fn create(state: &mut State, now: i64, body: &Value) -> Ruling {
    let body = &body["field"];
    let text = |key: &str| sent(body, key).filter(|text| !text.is_empty());
    let title = text("title").ok_or_else(|| errors::missing_attribute("title"))?;
    let kind = text("type").filter(|kind| TYPES.contains(&kind.as_str()));
    let kind = kind.ok_or_else(|| errors::missing_attribute("type"))?;
    if state.fields.find(|field| field.title == title).is_some() {
        return Err(errors::duplicate_field(&title));
    }
    let tag = text("perstag").unwrap_or_else(|| title.clone());
    let tag: String =
        tag.to_uppercase().chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '_' }).collect();
    let id = state.fields.add(Field { title, kind, tag, options: Vec::new(), created: now });
    let shown = state.fields.get(id).map(|field| row(state, id, field)).unwrap_or_default();
    Ok(reply::json(201, &json!({"field": shown})))
}

/// `POST /fieldRels`: every field is related to all lists anyway.
pub(crate) fn relate(state: &State, body: &Value) -> Ruling {
    let body = &body["fieldRel"];
    let field = sent_id(body, "field").filter(|id| state.fields.get(*id).is_some());
    let field = field.ok_or_else(|| errors::missing_attribute("field"))?;
    let shown = json!({"field": body["field"], "relid": body["relid"], "links": [], "id": field.to_string()});
    Ok(reply::json(201, &json!({"fieldRel": shown})))
}

/// `POST /fieldOption/bulk`.
pub(crate) fn add_options(state: &mut State, body: &Value) -> Ruling {
    for option in body["fieldOptions"].as_array().into_iter().flatten() {
        let field = sent_id(option, "field").and_then(|id| state.fields.get_mut(id));
        let field = field.ok_or_else(|| errors::missing_attribute("field"))?;
        let value = sent(option, "value").unwrap_or_default();
        let label = sent(option, "label").filter(|label| !label.is_empty()).unwrap_or_else(|| value.clone());
        field.options.push((value, label));
    }
    Ok(reply::json(201, &json!({"fieldOptions": body["fieldOptions"]})))
}

fn value_row(state: &State, id: u64, value: &FieldValue) -> Value {
    json!({
        "contact": value.contact.to_string(), "field": value.field.to_string(), "value": value.value,
        "cdate": with_offset(value.created), "udate": with_offset(value.updated), "created_by": "0", "updated_by": "0",
        "links": {
            "owner": state.link(&format!("fieldValues/{id}/owner")), "field": state.link(&format!("fieldValues/{id}/field")),
        },
        "id": id.to_string(), "owner": value.contact.to_string(),
    })
}

/// The values of some contacts.
pub(crate) fn values_of(state: &State, contacts: &BTreeSet<u64>) -> Vec<Value> {
    let of = |value: &FieldValue| contacts.contains(&value.contact);
    state.field_values.iter().filter(|(_, value)| of(value)).map(|(id, value)| value_row(state, id, value)).collect()
}

/// `GET /fieldValues`.
pub(crate) fn values(state: &State, request: &Request) -> Ruling {
    let (field, text) = (filter_id(request, "fieldid"), filter(request, "val"));
    let fits =
        |value: &FieldValue| field.is_none_or(|id| value.field == id) && text.is_none_or(|text| value.value == text);
    let found: Vec<(u64, &FieldValue)> = state.field_values.iter().filter(|(_, value)| fits(value)).collect();
    let (rows, total) = page(state, request, found);
    let rows: Vec<Value> = rows.into_iter().map(|(id, value)| value_row(state, id, value)).collect();
    Ok(reply::json(200, &json!({"fieldValues": rows, "meta": meta(total, Total::Text)})))
}

/// `GET /contacts/{id}/fieldValues`, which is not paged.
pub(crate) fn values_of_contact(state: &State, contact: u64) -> Ruling {
    Ok(reply::json(200, &json!({"fieldValues": values_of(state, &BTreeSet::from([contact]))})))
}

/// `POST /fieldValues` and `PUT /fieldValues/{id}`: one value of one contact.
pub(crate) fn write_value(state: &mut State, now: i64, id: Option<u64>, body: &Value) -> Ruling {
    let body = &body["fieldValue"];
    let before = id.map(|id| state.field_values.get(id).ok_or_else(|| errors::missing("FieldValue", &id.to_string())));
    let before = before.transpose()?.map(|value| (value.contact, value.field));
    let contact = before.map(|(contact, _)| contact).or_else(|| contacts::named(state, body, "contact"));
    let contact = contact.ok_or_else(|| errors::missing_attribute("contact"))?;
    let field = before.map(|(_, field)| field).or_else(|| sent_id(body, "field"));
    let field = field.filter(|id| state.fields.get(*id).is_some()).ok_or_else(|| errors::missing_attribute("field"))?;
    let value = sent(body, "value").unwrap_or_default();
    let rows = set_all(state, now, contact, vec![(field, value)]);
    let contact = state.contacts.get(contact).map(|row| contacts::row(state, contact, row));
    Ok(reply::json(200, &json!({"contacts": [contact], "fieldValue": rows.first()})))
}

/// `DELETE /fieldValues/{id}`.
pub(crate) fn delete_value(state: &mut State, now: i64, id: u64) -> Ruling {
    let value = state.field_values.remove(id).ok_or_else(|| errors::missing("FieldValue", &id.to_string()))?;
    contacts::touch(state, now, value.contact);
    Ok(reply::json(200, &json!({})))
}

/// The values in a contact's body, by field: fields are named by their numbers and by nothing else.
pub(crate) fn checked(state: &State, body: &Value) -> Result<Vec<(u64, String)>, Refusal> {
    let mut values = Vec::new();
    for one in body["fieldValues"].as_array().into_iter().flatten() {
        let field = sent_id(one, "field").filter(|id| state.fields.get(*id).is_some());
        let field = field.ok_or_else(|| errors::invalid("The field does not exist.", "field_invalid", "field"))?;
        values.push((field, sent(one, "value").unwrap_or_default()));
    }
    Ok(values)
}

/// Keeps values in place of those before, and shows the rows.
pub(crate) fn set_all(state: &mut State, now: i64, contact: u64, values: Vec<(u64, String)>) -> Vec<Value> {
    let mut rows = Vec::new();
    for (field, value) in values {
        let known = state.field_values.find(|held| held.contact == contact && held.field == field);
        let id = match known {
            Some(id) => {
                if let Some(held) = state.field_values.get_mut(id) {
                    (held.value, held.updated) = (value, now);
                }
                id
            }
            None => state.field_values.add(FieldValue { contact, field, value, created: now, updated: now }),
        };
        contacts::touch(state, now, contact);
        rows.extend(state.field_values.get(id).map(|value| value_row(state, id, value)));
    }
    rows
}
