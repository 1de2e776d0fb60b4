//! Subscriptions to webhooks, which only API v1 has. They are kept, and nothing is sent.

use serde_json::{Value, json};

use crate::fake::exchange::Request;
use crate::fake::pipedrive::errors;
use crate::fake::pipedrive::reply::{self, Ruling};
use crate::fake::pipedrive::rows::body;
use crate::fake::pipedrive::state::State;

const ACTIONS: &[&str] = &["*", "change", "create", "delete"];
const OBJECTS: &[&str] =
    &["*", "activity", "deal", "lead", "note", "organization", "person", "pipeline", "product", "stage", "user"];
/// Subscriptions a user may have ("Guide for Webhooks").
const MAX: usize = 40;

/// A subscription.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    action: String,
    object: String,
    url: String,
    version: String,
    name: Option<String>,
    http_auth_user: Option<String>,
}

fn shown(state: &State, id: u64, hook: &Webhook) -> Value {
    json!({
        "id": id, "company_id": 1, "owner_id": state.me, "user_id": state.me, "event_action": hook.action,
        "event_object": hook.object, "subscription_url": hook.url, "version": hook.version, "is_active": 1,
        "add_time": "2024-01-15T08:00:00.000Z", "remove_time": null, "type": "general",
        "http_auth_user": hook.http_auth_user, "http_auth_password": null, "remove_reason": null,
        "last_delivery_time": null, "last_http_status": null, "admin_id": state.me, "name": hook.name,
    })
}

fn kept(state: &State) -> Vec<Value> {
    state.webhooks.iter().map(|(id, hook)| shown(state, *id, hook)).collect()
}

/// `GET /api/v1/webhooks`
pub(crate) fn list(state: &State) -> Ruling {
    Ok(reply::with_status(200, &json!({"success": true, "status": "ok", "data": kept(state)})))
}

/// `POST /api/v1/webhooks`
pub(crate) fn create(state: &mut State, request: &Request) -> Ruling {
    let body = body(request)?;
    let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
    let url = text("subscription_url").filter(|url| url.starts_with("https://") || url.starts_with("http://127.0.0.1"));
    let url = url.ok_or_else(|| errors::hook_refused("subscription_url", "invalid or non-reachable URL"))?;
    let known = |key: &str, words: &[&str]| {
        let word = text(key).filter(|word| words.contains(&word.as_str()));
        word.ok_or_else(|| errors::hook_refused(key, "invalid value"))
    };
    let (action, object) = (known("event_action", ACTIONS)?, known("event_object", OBJECTS)?);
    let version = text("version").unwrap_or_else(|| "2.0".to_owned());
    if state.webhooks.len() >= MAX {
        return Err(errors::too_many_hooks());
    }
    let hook = Webhook { action, object, url, version, name: text("name"), http_auth_user: text("http_auth_user") };
    let id = state.take_webhook_id();
    let made = shown(state, id, &hook);
    state.webhooks.insert(id, hook);
    Ok(reply::with_status(201, &json!({"success": true, "status": "ok", "data": made})))
}

/// `DELETE /api/v1/webhooks/{id}`
pub(crate) fn delete(state: &mut State, id: u64) -> Ruling {
    state.webhooks.remove(&id).ok_or_else(errors::not_found)?;
    Ok(reply::with_status(200, &json!({"success": true, "status": "ok"})))
}
