//! From a method and a path to the rule that answers it. No rule stands here.

use serde_json::{Map, Value, json};

use crate::fake::exchange::{Request, Response};
use crate::fake::salesforce::answer::body;
use crate::fake::salesforce::bulk::{ingest, query as bulk_query};
use crate::fake::salesforce::errors;
use crate::fake::salesforce::reply::{self, Ruling};
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;
use crate::fake::salesforce::{
    batch, collections, composite, describe, listviews, query, replication, rows, tree, upsert,
};

/// How many calls of the day's limit a call costs: only a batch costs more than one.
pub(crate) fn cost(request: &Request, rest: &[String]) -> u64 {
    if request.method == "POST" && rest == ["composite", "batch"] { batch::cost(&request.body) } else { 1 }
}

/// Carries out one call whose session is good.
pub(crate) fn dispatch(state: &mut State, turn: &Turn, request: &Request, rest: &[String]) -> Ruling {
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let method = if request.method == "HEAD" { "GET" } else { request.method.as_str() };
    match rest.split_first() {
        None => match method {
            "GET" => Ok(resources(turn)),
            _ => Err(errors::method_not_allowed(method, "HEAD,GET")),
        },
        Some((&"limits", rest)) => limits(state, method, request, rest),
        Some((&"sobjects", rest)) => sobjects(state, turn, request, method, rest),
        Some((&"query" | &"queryAll", rest)) => queries(state, turn, request, method, rest),
        Some((&"composite", rest)) => composites(state, turn, request, method, rest),
        Some((&"jobs", rest)) => jobs(state, turn, request, method, rest),
        Some(_) => Err(errors::not_found()),
    }
}

fn resources(turn: &Turn) -> Response {
    let base = turn.base();
    let names = ["composite", "jobs", "limits", "query", "queryAll", "sobjects"];
    let mut all: Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), format!("{base}/{name}").into())).collect();
    all.insert("identity".to_owned(), json!("/services/oauth2/userinfo"));
    reply::ok(&all.into())
}

fn limits(state: &State, method: &str, request: &Request, rest: &[&str]) -> Ruling {
    match (method, rest) {
        ("GET", []) => Ok(reply::ok(&state.limits.all(state.jobs.counts()))),
        ("GET", ["recordCount"]) => Ok(replication::record_count(state, request)),
        (_, [] | ["recordCount"]) => Err(errors::method_not_allowed(method, "HEAD,GET")),
        _ => Err(errors::not_found()),
    }
}

fn sobjects(state: &mut State, turn: &Turn, request: &Request, method: &str, rest: &[&str]) -> Ruling {
    let Some((name, rest)) = rest.split_first() else {
        return match method {
            "GET" => describe::global(state, turn),
            _ => Err(errors::method_not_allowed(method, "HEAD,GET")),
        };
    };
    let kind = state.kind(name).ok_or_else(errors::not_found)?;
    match (method, rest) {
        ("GET", []) => describe::basic(state, turn, kind),
        ("POST", []) => rows::create(state, turn, kind, &body(request)?, false),
        ("GET", ["describe"]) => describe::full(state, turn, kind, request),
        ("GET", ["listviews", rest @ ..]) => listviews::answer(state, turn, kind, request, rest),
        ("GET", ["updated"]) => replication::updated(state, turn, kind, request),
        ("GET", ["deleted"]) => replication::deleted(state, turn, kind, request),
        ("POST", [id]) if id.eq_ignore_ascii_case("Id") => rows::create(state, turn, kind, &body(request)?, true),
        ("GET", [id]) => rows::read(state, turn, kind, id, request),
        ("PATCH", [id]) => rows::update(state, turn, kind, id, request, &body(request)?),
        ("DELETE", [id]) => rows::delete(state, turn, kind, id, request),
        ("GET", [field, value]) => upsert::read(state, turn, kind, (field, value), request),
        ("PATCH", [field, value]) => upsert::upsert(state, turn, kind, (field, value), request, &body(request)?),
        ("DELETE", [field, value]) => upsert::delete(state, turn, kind, (field, value), request),
        (_, []) => Err(errors::method_not_allowed(method, "HEAD,GET,POST")),
        (_, ["describe" | "listviews" | "updated" | "deleted"]) => Err(errors::method_not_allowed(method, "HEAD,GET")),
        (_, [_] | [_, _]) => Err(errors::method_not_allowed(method, "HEAD,GET,PATCH,DELETE")),
        _ => Err(errors::not_found()),
    }
}

fn queries(state: &mut State, turn: &Turn, request: &Request, method: &str, rest: &[&str]) -> Ruling {
    if method != "GET" {
        return Err(errors::method_not_allowed(method, "HEAD,GET"));
    }
    let all = request.path.contains("/queryAll");
    match rest {
        [] => query::first(state, turn, request, all),
        [locator] => query::more(state, turn, request, locator),
        _ => Err(errors::not_found()),
    }
}

fn composites(state: &mut State, turn: &Turn, request: &Request, method: &str, rest: &[&str]) -> Ruling {
    match (method, rest) {
        ("POST", []) => composite::composite(state, turn, &body(request)?),
        ("GET", []) => Ok(reply::ok(&json!({
            "batch": format!("{}/composite/batch", turn.base()), "sobjects": format!("{}/composite/sobjects", turn.base()),
            "tree": format!("{}/composite/tree", turn.base()),
        }))),
        ("POST", ["batch"]) => batch::batch(state, turn, &body(request)?),
        ("POST", ["tree", name]) => tree::create(state, turn, name, &body(request)?),
        ("POST", ["sobjects"]) => collections::create(state, turn, &body(request)?),
        ("PATCH", ["sobjects"]) => collections::update(state, turn, &body(request)?),
        ("DELETE", ["sobjects"]) => collections::delete(state, turn, request),
        ("GET", ["sobjects", name]) => collections::retrieve_by_query(state, turn, name, request),
        ("POST", ["sobjects", name]) => collections::retrieve_by_body(state, turn, name, &body(request)?),
        ("PATCH", ["sobjects", name, field]) => collections::upsert(state, turn, (name, field), &body(request)?),
        (_, [] | ["batch"] | ["tree", _]) => Err(errors::method_not_allowed(method, "POST")),
        (_, ["sobjects"]) => Err(errors::method_not_allowed(method, "POST,PATCH,DELETE")),
        _ => Err(errors::not_found()),
    }
}

fn jobs(state: &mut State, turn: &Turn, request: &Request, method: &str, rest: &[&str]) -> Ruling {
    match (method, rest) {
        ("POST", ["query"]) => bulk_query::create(state, turn, &body(request)?),
        ("GET", ["query"]) => bulk_query::list(state, turn),
        ("GET", ["query", id]) => bulk_query::info(state, turn, id),
        ("PATCH", ["query", id]) => bulk_query::patch(state, turn, id, &body(request)?),
        ("DELETE", ["query", id]) => bulk_query::delete(state, id),
        ("GET", ["query", id, "results"]) => bulk_query::results(state, turn, id, request),
        ("GET", ["query", id, "resultPages"]) => bulk_query::result_pages(state, turn, id, request),
        ("POST", ["ingest"]) => ingest::create(state, turn, &body(request)?),
        ("GET", ["ingest"]) => ingest::list(state, turn),
        ("GET", ["ingest", id]) => ingest::info(state, turn, id),
        ("PUT", ["ingest", id, "batches"]) => ingest::upload(state, id, request),
        ("PATCH", ["ingest", id]) => ingest::patch(state, turn, id, &body(request)?),
        ("DELETE", ["ingest", id]) => ingest::delete(state, id),
        ("GET", ["ingest", id, which]) => ingest::results(state, turn, id, which),
        (_, ["query" | "ingest"]) => Err(errors::method_not_allowed(method, "HEAD,GET,POST")),
        (_, ["query" | "ingest", _]) => Err(errors::method_not_allowed(method, "HEAD,GET,PATCH,DELETE")),
        _ => Err(errors::not_found()),
    }
}
