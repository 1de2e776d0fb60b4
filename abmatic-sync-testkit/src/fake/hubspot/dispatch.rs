//! From a method and a path to the rule that answers it. No rule stands here.

use serde_json::Value;

use crate::fake::exchange::Request;
use crate::fake::hubspot::errors::{self, Refusal};
use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::outcome::{Outcome, Reading, Ruling, Turn};
use crate::fake::hubspot::routes::{Area, Route};
use crate::fake::hubspot::state::State;
use crate::fake::hubspot::{
    account, associations, batch, journal, lists, objects, owners, pipelines, properties, query,
};

/// Carries out one call whose token is good.
pub(crate) fn dispatch(state: &mut State, turn: Turn, request: &Request, route: &Route) -> Ruling {
    let rest: Vec<&str> = route.rest.iter().map(String::as_str).collect();
    let found = match route.area {
        Area::AccountInfo => account_info(state, turn, request, &rest),
        Area::Associations => association_batches(state, turn, request, &rest),
        Area::Journal => journal_file(state, turn, request, &rest),
        Area::JournalSubscriptions => journal_subscriptions(state, request, &rest),
        Area::Limits => limits(state, request, &rest),
        Area::Lists => list_calls(state, turn, request, &rest),
        Area::OAuth => None,
        Area::Objects => object_calls(state, turn, request, &rest),
        Area::Owners => owner_calls(state, turn, request, &rest),
        Area::Pipelines => pipeline_calls(state, request, &rest),
        Area::Properties => property_calls(state, turn, request, &rest),
        Area::PropertyValidations => validation_rules(request, &rest),
    };
    found.unwrap_or_else(|| Err(errors::unknown_route(&request.method, &request.path)))
}

/// The body as JSON.
fn body(request: &Request) -> Result<Value, Refusal> {
    serde_json::from_slice(&request.body)
        .map_err(|error| errors::invalid_json(error.line(), error.column(), &error.to_string()))
}

fn kind(name: &str) -> Result<Kind, Refusal> {
    Kind::parse(name).ok_or_else(|| errors::unknown_type(name))
}

fn journal_file(state: &mut State, turn: Turn, request: &Request, rest: &[&str]) -> Option<Ruling> {
    if request.method == "GET" { journal::file(state, turn.now, rest) } else { None }
}

fn journal_subscriptions(state: &mut State, request: &Request, rest: &[&str]) -> Option<Ruling> {
    Some(match (request.method.as_str(), rest) {
        ("GET", []) => journal::subscriptions(state),
        ("POST", []) => body(request).and_then(|body| journal::subscribe(state, &body)),
        ("DELETE", [id]) => journal::unsubscribe(state, id),
        _ => return None,
    })
}

/// Clients write `true` as their language does: Python's sends `True`.
fn is_archived(request: &Request) -> bool {
    request.query("archived").is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

fn reading(request: &Request) -> Result<Reading, Refusal> {
    let names = |name| request.query_list(name).map(str::to_owned).collect();
    let text = |name| request.query(name).map(str::to_owned);
    Ok(Reading {
        properties: names("properties"),
        history: names("propertiesWithHistory"),
        associations: request.query_list("associations").map(kind).collect::<Result<_, _>>()?,
        archived: is_archived(request),
        id_property: text("idProperty"),
        limit: text("limit"),
        after: text("after"),
    })
}

/// A call on records needs the scope of their type.
fn need(state: &State, area: &str, kind: Kind, verb: &str) -> Result<(), Refusal> {
    let object = if kind.facts().engagement { Kind::CONTACTS } else { kind };
    let scope = format!("crm.{area}.{}.{verb}", object.plural());
    if state.settings.withheld_scopes.contains(&scope) { Err(errors::missing_scopes(&[scope])) } else { Ok(()) }
}

/// Runs a rule that changes records of a type with the call's body.
fn write(state: &mut State, request: &Request, kind: Kind, rule: impl FnOnce(&mut State, &Value) -> Ruling) -> Ruling {
    need(state, "objects", kind, "write")?;
    rule(state, &body(request)?)
}

fn object_calls(state: &mut State, turn: Turn, request: &Request, rest: &[&str]) -> Option<Ruling> {
    let (name, rest) = rest.split_first()?;
    Some(match kind(name) {
        Ok(kind) => object_call(state, turn, request, kind, rest)?,
        Err(refusal) => Err(refusal),
    })
}

fn object_call(state: &mut State, turn: Turn, request: &Request, kind: Kind, rest: &[&str]) -> Option<Ruling> {
    let by = request.query("idProperty");
    Some(match (request.method.as_str(), rest) {
        ("GET", []) => read(state, request, kind, |state, reading| objects::list(state, turn, kind, reading)),
        ("POST", []) => write(state, request, kind, |state, body| objects::create(state, turn, kind, body)),
        ("POST", ["search"]) => need(state, "objects", kind, "read")
            .and_then(|()| body(request))
            .and_then(|body| query::search(state, turn, kind, &body)),
        ("POST", ["merge"]) => write(state, request, kind, |state, body| objects::merge(state, turn, kind, body)),
        ("POST", ["gdpr-delete"]) => write(state, request, kind, |state, body| objects::gdpr_delete(state, kind, body)),
        ("POST", ["batch", verb]) => object_batch(state, turn, request, kind, verb)?,
        ("GET", [id]) => read(state, request, kind, |state, reading| objects::read(state, kind, id, reading)),
        ("PATCH", [id]) => write(state, request, kind, |state, body| objects::update(state, turn, kind, id, by, body)),
        ("DELETE", [id]) => {
            need(state, "objects", kind, "write").and_then(|()| objects::archive(state, turn, kind, id))
        }
        (_, [id, "associations", rest @ ..]) => record_associations(state, turn, request, (kind, id), rest)?,
        _ => return None,
    })
}

fn read(state: &State, request: &Request, kind: Kind, rule: impl FnOnce(&State, &Reading) -> Ruling) -> Ruling {
    need(state, "objects", kind, "read")?;
    rule(state, &reading(request)?)
}

fn object_batch(state: &mut State, turn: Turn, request: &Request, kind: Kind, verb: &str) -> Option<Ruling> {
    Some(match verb {
        "read" => need(state, "objects", kind, "read")
            .and_then(|()| Ok((reading(request)?, body(request)?)))
            .and_then(|(reading, body)| batch::read(state, turn, kind, &reading, &body)),
        "create" => write(state, request, kind, |state, body| batch::create(state, turn, kind, body)),
        "update" => write(state, request, kind, |state, body| batch::update(state, turn, kind, body)),
        "upsert" => write(state, request, kind, |state, body| batch::upsert(state, turn, kind, body)),
        "archive" => write(state, request, kind, |state, body| batch::archive(state, turn, kind, body)),
        _ => return None,
    })
}

fn record_associations(
    state: &mut State,
    turn: Turn,
    request: &Request,
    (from, id): (Kind, &str),
    rest: &[&str],
) -> Option<Ruling> {
    let pair = |to: &str| kind(to).map(|to| (from, to));
    Some(match (request.method.as_str(), rest) {
        ("GET", [to]) => pair(to).and_then(|pair| associations::read(state, turn, pair, id, &reading(request)?)),
        ("PUT", ["default", to, to_id]) => {
            pair(to).and_then(|pair| associations::put_default(state, turn, pair, (id, to_id)))
        }
        ("PUT", [to, to_id]) => {
            pair(to).and_then(|pair| associations::put_labelled(state, turn, pair, (id, to_id), &body(request)?))
        }
        ("DELETE", [to, to_id]) => pair(to).and_then(|pair| associations::delete(state, pair, (id, to_id))),
        _ => return None,
    })
}

fn association_batches(state: &mut State, turn: Turn, request: &Request, rest: &[&str]) -> Option<Ruling> {
    let (from, to, rest) = match rest {
        [from, to, rest @ ..] => (kind(from), kind(to), rest),
        _ => return None,
    };
    let pair = match (from, to) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(refusal), _) | (_, Err(refusal)) => return Some(Err(refusal)),
    };
    let mut with_body = |rule: fn(&mut State, Turn, associations::Pair, &Value) -> Ruling| {
        body(request).and_then(|body| rule(state, turn, pair, &body))
    };
    Some(match (request.method.as_str(), rest) {
        ("POST", ["batch", "read"]) => with_body(associations::batch_read),
        ("POST", ["batch", "create"]) => with_body(associations::batch_create),
        ("POST", ["batch", "associate", "default"]) => with_body(associations::batch_default),
        ("POST", ["batch", "archive"]) => {
            with_body(|state, turn, pair, body| associations::batch_remove(state, turn, pair, body, false))
        }
        ("POST", ["batch", "labels", "archive"]) => {
            with_body(|state, turn, pair, body| associations::batch_remove(state, turn, pair, body, true))
        }
        ("GET", ["labels"]) => associations::labels(state, pair),
        ("POST", ["labels"]) => with_body(|state, _, pair, body| associations::create_label(state, pair, body)),
        _ => return None,
    })
}

fn property_calls(state: &mut State, turn: Turn, request: &Request, rest: &[&str]) -> Option<Ruling> {
    let (name, rest) = rest.split_first()?;
    let kind = match kind(name) {
        Ok(kind) => kind,
        Err(refusal) => return Some(Err(refusal)),
    };
    let reads = request.method == "GET" || rest == ["batch", "read"];
    if let Err(refusal) = need(state, "schemas", kind, if reads { "read" } else { "write" }) {
        return Some(Err(refusal));
    }
    let mut with_body = |rule: fn(&mut State, Turn, Kind, &Value) -> Ruling| {
        body(request).and_then(|body| rule(state, turn, kind, &body))
    };
    Some(match (request.method.as_str(), rest) {
        ("GET", []) => properties::list(state, kind, is_archived(request)),
        ("POST", []) => with_body(properties::create),
        ("GET", ["groups"]) => properties::groups(state, kind),
        ("POST", ["groups"]) => with_body(properties::create_group),
        ("GET", ["groups", name]) => properties::group(state, kind, name),
        ("PATCH", ["groups", name]) => {
            body(request).and_then(|body| properties::update_group(state, kind, name, &body))
        }
        ("DELETE", ["groups", name]) => properties::delete_group(state, kind, name),
        ("POST", ["batch", "read"]) => with_body(properties::batch_read),
        ("POST", ["batch", "create"]) => with_body(properties::batch_create),
        ("POST", ["batch", "archive"]) => with_body(properties::batch_archive),
        ("GET", [name]) => properties::read(state, kind, name),
        ("PATCH", [name]) => body(request).and_then(|body| properties::update(state, turn, kind, name, &body)),
        ("DELETE", [name]) => properties::archive(state, turn, kind, name),
        _ => return None,
    })
}

fn list_calls(state: &mut State, turn: Turn, request: &Request, rest: &[&str]) -> Option<Ruling> {
    let none = Value::Null;
    Some(match (request.method.as_str(), rest) {
        ("GET", []) => lists::read_several(state, request.query_list("listIds")),
        ("POST", []) => body(request).and_then(|body| lists::create(state, turn, &body)),
        ("POST", ["search"]) => body(request).and_then(|body| lists::search(state, &body)),
        ("POST", ["all"]) => lists::all(state),
        ("GET", ["object-type-id", of, "name", name]) => {
            kind(of).and_then(|kind| lists::read_by_name(state, kind, name))
        }
        ("GET", [id]) => lists::read(state, id),
        ("DELETE", [id]) => lists::set_deleted(state, id, true),
        ("PUT", [id, "restore"]) => lists::set_deleted(state, id, false),
        ("GET", [id, "memberships"]) => {
            reading(request).and_then(|reading| lists::members(state, turn, id, &reading, false))
        }
        ("GET", [id, "memberships", "join-order"]) => {
            reading(request).and_then(|reading| lists::members(state, turn, id, &reading, true))
        }
        ("PUT", [id, "memberships", verb]) => body(request).and_then(|body| match *verb {
            "add" => lists::change_members(state, turn, id, &body, &none),
            "remove" => lists::change_members(state, turn, id, &none, &body),
            "add-and-remove" => {
                lists::change_members(state, turn, id, &body["recordIdsToAdd"], &body["recordIdsToRemove"])
            }
            _ => Err(errors::unknown_route(&request.method, &request.path)),
        }),
        _ => return None,
    })
}

fn owner_calls(state: &State, turn: Turn, request: &Request, rest: &[&str]) -> Option<Ruling> {
    if request.method != "GET" {
        return None;
    }
    Some(match rest {
        [] => reading(request).and_then(|reading| owners::list(state, turn, &reading, request.query("email"))),
        [id] => {
            let by_user = request.query("idProperty").is_some_and(|name| name.eq_ignore_ascii_case("userId"));
            owners::read(state, id, by_user, is_archived(request))
        }
        _ => return None,
    })
}

fn pipeline_calls(state: &State, request: &Request, rest: &[&str]) -> Option<Ruling> {
    let (name, rest) = rest.split_first().filter(|_| request.method == "GET")?;
    let kind = match kind(name) {
        Ok(kind) => kind,
        Err(refusal) => return Some(Err(refusal)),
    };
    Some(match rest {
        [] => pipelines::list(state, kind),
        [id] => pipelines::read(state, kind, id, false),
        [id, "stages"] => pipelines::read(state, kind, id, true),
        _ => return None,
    })
}

fn account_info(state: &State, turn: Turn, request: &Request, rest: &[&str]) -> Option<Ruling> {
    Some(match (request.method.as_str(), rest) {
        ("GET", ["details"]) => account::details(state, turn),
        ("GET", ["api-usage", "daily", "private-apps"]) => account::usage(state, turn),
        _ => return None,
    })
}

fn limits(state: &State, request: &Request, rest: &[&str]) -> Option<Ruling> {
    Some(match (request.method.as_str(), rest) {
        ("GET", ["records"]) => account::record_limits(state),
        ("GET", ["custom-properties"]) => account::property_limits(state),
        _ => return None,
    })
}

/// No rules are kept; the answer is an empty list.
fn validation_rules(request: &Request, rest: &[&str]) -> Option<Ruling> {
    let (name, _) = rest.split_first().filter(|_| request.method == "GET")?;
    Some(kind(name).map(|_| Outcome::found(&serde_json::json!({"results": []}))))
}
