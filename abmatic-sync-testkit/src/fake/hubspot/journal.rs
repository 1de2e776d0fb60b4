//! The webhooks journal: what happened to records that somebody subscribed to, in files that are pulled.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use crate::fake::exchange::Response;
use crate::fake::hubspot::errors::{self, Refusal};
use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::outcome::{Outcome, Ruling};
use crate::fake::hubspot::record::PropertyId;
use crate::fake::hubspot::state::State;
use crate::fake::moment;

/// How long files are kept ("Webhooks journal": 3 days).
const KEPT_MS: i64 = 3 * moment::DAY_MS;
/// How long the address of a file is good: not documented.
const ADDRESS_MS: i64 = 5 * 60 * 1000;
/// Events in one file: not documented.
const EVENTS_MAX: usize = 100;

/// What the account's journal holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal {
    subscriptions: BTreeMap<u64, Subscription>,
    next_id: u64,
    files: VecDeque<File>,
    /// The offset of the last file that is gone: whoever stands there goes on with the first that is left.
    gone: Option<String>,
}

#[derive(Clone, Debug)]
struct Subscription {
    kind: Kind,
    actions: Vec<String>,
}

#[derive(Clone, Debug)]
struct File {
    offset: String,
    published: i64,
    events: Vec<Value>,
}

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Create,
    Delete,
    Merge,
    Restore,
    Update,
}

impl Action {
    fn word(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Delete => "DELETE",
            Self::Merge => "MERGE",
            Self::Restore => "RESTORE",
            Self::Update => "UPDATE",
        }
    }
}

/// Notes what happened, if somebody subscribed to it.
pub(crate) fn note(
    state: &mut State,
    (kind, id): (Kind, u64),
    action: Action,
    changes: &[(PropertyId, Option<String>)],
    now: i64,
) {
    let wanted = |one: &Subscription| one.kind == kind && one.actions.iter().any(|known| known == action.word());
    if !state.journal.subscriptions.values().any(wanted) {
        return;
    }
    let catalogue = &state.shelf(kind).catalogue;
    let named = changes.iter().filter_map(|(property, value)| Some((catalogue.get(*property)?.name.clone(), value)));
    let changes: serde_json::Map<String, Value> =
        named.map(|(name, value)| (name, value.clone().unwrap_or_default().into())).collect();
    let event = json!({
        "type": "OBJECT", "portalId": state.settings.portal_id, "occurredAt": moment::iso(now), "action": action.word(),
        "objectTypeId": kind.type_id(), "objectId": id, "propertyChanges": changes,
    });
    let is_open = |file: &&mut File| file.published == now && file.events.len() < EVENTS_MAX;
    if let Some(file) = state.journal.files.back_mut().filter(is_open) {
        file.events.push(event);
        return;
    }
    let offset = state.dice.uuid();
    state.journal.files.push_back(File { offset, published: now, events: vec![event] });
}

/// `POST /webhooks-journal/subscriptions/{v}`.
pub(crate) fn subscribe(state: &mut State, body: &Value) -> Ruling {
    let portal = state.settings.portal_id;
    if body["portalId"].as_u64() != Some(portal) {
        return Err(errors::invalid(format!("the app is not installed in portal {}", body["portalId"])));
    }
    if body["subscriptionType"] != "OBJECT" {
        return Err(errors::invalid("subscriptionType must be OBJECT here"));
    }
    let kind = body["objectTypeId"].as_str().and_then(Kind::parse);
    let kind = kind.ok_or_else(|| errors::invalid("objectTypeId is not known"))?;
    let actions: Vec<String> =
        body["actions"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    if actions.is_empty() {
        return Err(errors::invalid("actions must not be empty"));
    }
    state.journal.next_id += 1;
    let id = state.journal.next_id;
    let subscription = Subscription { kind, actions };
    let shown = shown(portal, id, &subscription);
    state.journal.subscriptions.insert(id, subscription);
    Ok(Outcome::Created { body: shown.to_string().into_bytes(), path: None })
}

fn shown(portal: u64, id: u64, one: &Subscription) -> Value {
    json!({
        "id": id, "portalId": portal, "subscriptionType": "OBJECT", "objectTypeId": one.kind.type_id(),
        "actions": one.actions, "objectIds": [], "properties": [],
    })
}

/// `GET /webhooks-journal/subscriptions/{v}`.
pub(crate) fn subscriptions(state: &State) -> Ruling {
    let all = state.journal.subscriptions.iter().map(|(id, one)| shown(state.settings.portal_id, *id, one));
    Ok(Outcome::found(&json!({"results": all.collect::<Vec<_>>()})))
}

/// `DELETE /webhooks-journal/subscriptions/{v}/{id}`.
pub(crate) fn unsubscribe(state: &mut State, id: &str) -> Ruling {
    let known = id.parse().ok().and_then(|id: u64| state.journal.subscriptions.remove(&id));
    known.map(|_| Outcome::Done).ok_or_else(|| errors::nothing_named("Subscription", id))
}

/// `GET /webhooks-journal/journal/{v}/earliest`, `/latest` and `/offset/{offset}/next`.
pub(crate) fn file(state: &mut State, now: i64, rest: &[&str]) -> Option<Ruling> {
    let journal = &mut state.journal;
    while journal.files.front().is_some_and(|file| file.published + KEPT_MS <= now) {
        journal.gone = journal.files.pop_front().map(|file| file.offset);
    }
    let place = |offset: &str| journal.files.iter().position(|file| file.offset == offset);
    let found = match rest {
        ["earliest"] => journal.files.front(),
        ["latest"] => journal.files.back(),
        ["offset", offset, "next"] => match place(offset) {
            Some(place) => journal.files.get(place + 1),
            None if journal.gone.as_deref() == Some(offset) => journal.files.front(),
            None => return Some(Err(errors::nothing_named("Offset", offset))),
        },
        _ => return None,
    };
    let Some(file) = found else { return Some(Ok(Outcome::Done)) };
    let url = format!("{}/webhooks-journal-files/{}.json?signature=f00d", state.settings.base_url, file.offset);
    let expires = moment::iso(now + ADDRESS_MS);
    Some(Ok(Outcome::found(&json!({"url": url, "expiresAt": expires, "currentOffset": file.offset}))))
}

/// The file itself, at an address that is its own permission: a token there would be told to strangers, and is refused.
pub(crate) fn download(state: &State, path: &str, has_token: bool) -> Option<Response> {
    let offset = path.strip_prefix("/webhooks-journal-files/")?.strip_suffix(".json")?;
    let file = state.journal.files.iter().find(|file| file.offset == offset);
    let Some(file) = file.filter(|_| !has_token) else {
        return Some(Response::new(403, b"<Error><Code>AccessDenied</Code></Error>".to_vec()));
    };
    let body = json!({
        "offset": file.offset, "publishedAt": moment::iso(file.published), "journalEvents": file.events,
    });
    let mut response = Response::new(200, body.to_string().into_bytes());
    response.set("Content-Type", "application/json");
    Some(response)
}

/// The token of the app itself, without which the journal is closed, and which opens nothing else.
pub(crate) fn need_app(is_app: bool) -> Result<(), Refusal> {
    if is_app { Ok(()) } else { Err(errors::missing_scopes(&["developer.webhooks_journal.read".to_owned()])) }
}
