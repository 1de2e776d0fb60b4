//! What stands around the records: users, notes, webhook subscriptions, settings.

use serde_json::{Value, json};

use crate::fake::activecampaign::central::with_offset;
use crate::fake::activecampaign::contacts;
use crate::fake::activecampaign::errors::{self, Refusal, Ruling};
use crate::fake::activecampaign::listing::{Total, filter, meta, page};
use crate::fake::activecampaign::reply;
use crate::fake::activecampaign::state::{Note, State, Webhook};
use crate::fake::activecampaign::table::{echo, sent, sent_id};
use crate::fake::exchange::Request;

const WEBHOOK_EVENTS: &[&str] = &[
    "bounce",
    "click",
    "contact_tag_added",
    "contact_tag_removed",
    "contact_task_add",
    "deal_add",
    "deal_note_add",
    "deal_pipeline_add",
    "deal_stage_add",
    "deal_task_add",
    "deal_task_complete",
    "deal_tasktype_add",
    "deal_update",
    "forward",
    "list_add",
    "open",
    "reply",
    "sent",
    "share",
    "sms_reply",
    "sms_sent",
    "sms_unsub",
    "subscribe",
    "subscriber_note",
    "unsubscribe",
    "update",
    "account_add",
    "account_update",
    "account_contact_add",
    "account_contact_update",
];

/// Id, user name, first and last name.
const USERS: [(&str, &str, &str, &str); 2] = [("1", "admin", "Jo", "Marsh"), ("2", "sales", "Al", "Baker")];

fn user(state: &State, (id, name, first, last): (&str, &str, &str, &str)) -> Value {
    json!({
        "username": name, "firstName": first, "lastName": last, "email": format!("{name}@example.com"), "phone": "",
        "signature": null, "links": {"lists": state.link(&format!("users/{id}/lists"))}, "id": id,
    })
}

/// `GET /users`.
pub(crate) fn users(state: &State, request: &Request) -> Ruling {
    let (rows, total) = page(state, request, USERS.to_vec());
    let rows: Vec<Value> = rows.into_iter().map(|one| user(state, one)).collect();
    Ok(reply::json(200, &json!({"users": rows, "meta": meta(total, Total::Text)})))
}

/// `GET /users/me`, `/users/{id}`, `/users/email/{email}`.
pub(crate) fn one_user(state: &State, fits: impl Fn(&str, &str) -> bool, named: &str) -> Ruling {
    let found = USERS.into_iter().find(|(id, name, ..)| fits(id, &format!("{name}@example.com")));
    let found = found.ok_or_else(|| errors::missing("User", named))?;
    Ok(reply::json(200, &json!({"user": user(state, found)})))
}

fn note_row(id: u64, note: &Note) -> Value {
    let kind = match note.related_type.as_str() {
        "Deal" => "deal",
        "CustomerAccount" => "customerAccount",
        _ => "contact",
    };
    json!({
        "relid": note.related_id.to_string(), "reltype": note.related_type, "userid": "1", "is_draft": "0",
        "cdate": with_offset(note.created), "mdate": with_offset(note.modified), "note": note.text, "links": {},
        "id": id.to_string(), "user": "1", "owner": {"type": kind, "id": note.related_id.to_string()},
    })
}

/// `GET /notes`, and those of one record.
pub(crate) fn notes(state: &State, request: &Request, of: Option<(&str, u64)>) -> Ruling {
    let fits = |note: &Note| of.is_none_or(|(kind, id)| note.related_type == kind && note.related_id == id);
    let found: Vec<(u64, &Note)> = state.notes.iter().filter(|(_, note)| fits(note)).collect();
    let (rows, total) = page(state, request, found);
    let rows: Vec<Value> = rows.into_iter().map(|(id, note)| note_row(id, note)).collect();
    Ok(reply::json(200, &json!({"notes": rows, "meta": meta(total, Total::Number)})))
}

/// `GET /notes/{id}`: one that is not there is forbidden.
pub(crate) fn note(state: &State, id: u64) -> Ruling {
    let note = state.notes.get(id).ok_or_else(|| no_note(id))?;
    Ok(reply::json(200, &json!({"note": note_row(id, note)})))
}

/// `POST /notes`.
pub(crate) fn create_note(state: &mut State, now: i64, body: &Value) -> Ruling {
    let body = &body["note"];
    let text = sent(body, "note").filter(|text| !text.is_empty()).ok_or_else(|| errors::missing_attribute("note"))?;
    let related_type = sent(body, "reltype").unwrap_or_default();
    let related_id = sent_id(body, "relid").ok_or_else(|| errors::missing_attribute("relid"))?;
    let is_there = match related_type.as_str() {
        "Subscriber" => state.contacts.get(related_id).is_some(),
        "Deal" => state.deals.get(related_id).is_some(),
        "CustomerAccount" => state.accounts.get(related_id).is_some(),
        "Activity" | "DealTask" => true,
        _ => return Err(errors::missing_attribute("reltype")),
    };
    if !is_there {
        return Err(errors::missing(&related_type, &related_id.to_string()));
    }
    if related_type == "Subscriber" {
        contacts::touch(state, now, related_id);
    }
    let id = state.notes.add(Note { text, related_type, related_id, created: now, modified: now });
    let mut shown = state.notes.get(id).map(|note| note_row(id, note)).unwrap_or_default();
    echo(&mut shown, body);
    Ok(reply::json(201, &json!({"note": shown})))
}

/// `PUT /notes/{id}`.
pub(crate) fn update_note(state: &mut State, now: i64, id: u64, body: &Value) -> Ruling {
    let note = state.notes.get_mut(id).ok_or_else(|| no_note(id))?;
    if let Some(text) = sent(&body["note"], "note") {
        (note.text, note.modified) = (text, now);
    }
    let shown = note_row(id, note);
    Ok(reply::json(200, &json!({"note": shown})))
}

/// `DELETE /notes/{id}`.
pub(crate) fn delete_note(state: &mut State, id: u64) -> Ruling {
    state.notes.remove(id).ok_or_else(|| no_note(id))?;
    Ok(reply::json(200, &json!({})))
}

fn no_note(id: u64) -> Refusal {
    Refusal { status: 403, ..errors::missing("Note", &id.to_string()) }
}

fn webhook_row(id: u64, hook: &Webhook) -> Value {
    json!({
        "cdate": with_offset(hook.created), "listid": "0", "name": hook.name, "url": hook.url, "events": hook.events,
        "sources": hook.sources, "links": [], "id": id.to_string(),
    })
}

/// `GET /webhooks`.
pub(crate) fn webhooks(state: &State, request: &Request) -> Ruling {
    let url = filter(request, "url");
    let found: Vec<(u64, &Webhook)> =
        state.webhooks.iter().filter(|(_, hook)| url.is_none_or(|url| hook.url == url)).collect();
    let (rows, total) = page(state, request, found);
    let rows: Vec<Value> = rows.into_iter().map(|(id, hook)| webhook_row(id, hook)).collect();
    Ok(reply::json(200, &json!({"webhooks": rows, "meta": meta(total, Total::Text)})))
}

/// `GET /webhook/events`.
pub(crate) fn webhook_events() -> Ruling {
    let shown = json!({"webhookEvents": WEBHOOK_EVENTS, "meta": meta(WEBHOOK_EVENTS.len(), Total::Number)});
    Ok(reply::json(200, &shown))
}

/// `POST /webhooks`, and `PUT` of one.
pub(crate) fn write_webhook(state: &mut State, now: i64, id: Option<u64>, body: &Value) -> Ruling {
    let body = &body["webhook"];
    let texts = |key: &str| {
        body[key].as_array().map(|items| items.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
    };
    if texts("events").is_some_and(|events| events.iter().any(|event| !WEBHOOK_EVENTS.contains(&event.as_str()))) {
        return Err(errors::invalid("The event is not valid.", "field_invalid", "events"));
    }
    let Some(id) = id else {
        let url = sent(body, "url").filter(|url| !url.is_empty()).ok_or_else(|| errors::missing_attribute("url"))?;
        let name = sent(body, "name").unwrap_or_default();
        let (events, sources) = (texts("events").unwrap_or_default(), texts("sources").unwrap_or_default());
        let id = state.webhooks.add(Webhook { name, url, events, sources, created: now });
        let shown = state.webhooks.get(id).map(|hook| webhook_row(id, hook));
        return Ok(reply::json(201, &json!({"webhook": shown})));
    };
    let hook = state.webhooks.get_mut(id).ok_or_else(|| errors::missing("Webhook", &id.to_string()))?;
    hook.name = sent(body, "name").unwrap_or_else(|| hook.name.clone());
    hook.url = sent(body, "url").unwrap_or_else(|| hook.url.clone());
    hook.events = texts("events").unwrap_or_else(|| hook.events.clone());
    hook.sources = texts("sources").unwrap_or_else(|| hook.sources.clone());
    let shown = webhook_row(id, hook);
    Ok(reply::json(200, &json!({"webhook": shown})))
}

/// `GET /webhooks/{id}`.
pub(crate) fn webhook(state: &State, id: u64) -> Ruling {
    let hook = state.webhooks.get(id).ok_or_else(|| errors::missing("Webhook", &id.to_string()))?;
    Ok(reply::json(200, &json!({"webhook": webhook_row(id, hook)})))
}

/// `DELETE /webhooks/{id}`.
pub(crate) fn delete_webhook(state: &mut State, id: u64) -> Ruling {
    state.webhooks.remove(id).ok_or_else(|| errors::missing("Webhook", &id.to_string()))?;
    Ok(reply::json(200, &json!({})))
}

/// `GET /eventTracking`.
pub(crate) fn event_tracking(state: &State) -> Ruling {
    Ok(reply::json(200, &json!({"eventTracking": {"enabled": state.settings.event_tracking}})))
}
