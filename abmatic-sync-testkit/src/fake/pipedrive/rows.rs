//! Single records of API v2: read, made, changed, deleted.

use crate::fake::exchange::Request;
use crate::fake::pipedrive::draft;
use crate::fake::pipedrive::errors::{self, Refusal};
use crate::fake::pipedrive::kind::Kind;
use crate::fake::pipedrive::record::Record;
use crate::fake::pipedrive::reply::{self, Ruling};
use crate::fake::pipedrive::state::State;
use crate::fake::pipedrive::store;
use crate::fake::pipedrive::turn::Turn;
use crate::fake::pipedrive::view::View;
use serde_json::{Value, json};

/// The body as JSON.
pub(crate) fn body(request: &Request) -> Result<Value, Refusal> {
    let content_type = request.header("content-type").unwrap_or("application/json");
    if !content_type.to_ascii_lowercase().contains("json") {
        return Err(errors::bad_request("Content-Type must be application/json"));
    }
    serde_json::from_slice(&request.body).map_err(|_| errors::bad_request("Bad request: the body is not valid JSON"))
}

/// `GET /api/v2/{kind}/{id}`
pub(crate) fn read(state: &State, kind: Kind, id: u64, request: &Request) -> Ruling {
    let view = View::of(state, kind, request)?;
    let shows = |record: &&Record| !record.deleted || state.settings.shows_deleted;
    let record = state.shelf(kind).get(id).filter(shows).ok_or_else(errors::not_found)?;
    Ok(reply::raw(200, shown(&view, id, record)))
}

fn shown(view: &View<'_>, id: u64, record: &Record) -> Vec<u8> {
    let mut out = Vec::with_capacity(1000);
    out.extend_from_slice(b"{\"success\":true,\"data\":");
    view.write(&mut out, id, record);
    out.push(b'}');
    out
}

/// `POST /api/v2/{kind}`
pub(crate) fn create(state: &mut State, turn: &Turn, kind: Kind, request: &Request) -> Ruling {
    let draft = draft::draft(state, kind, None, &body(request)?)?;
    let id = store::create(state, kind, draft, turn.now);
    answer(state, kind, id)
}

/// `PATCH /api/v2/{kind}/{id}`
pub(crate) fn update(state: &mut State, turn: &Turn, kind: Kind, id: u64, request: &Request) -> Ruling {
    let record = state.shelf(kind).live(id).ok_or_else(errors::not_found)?;
    let is_archived = state.shelf(kind).catalogue.by_key("is_archived").map(|(field, _)| field);
    let body = body(request)?;
    let revives = body.get("is_archived") == Some(&Value::Bool(false));
    if is_archived.and_then(|field| record.raw(field)) == Some("true") && !revives {
        return Err(errors::forbidden("Archived deals cannot be edited"));
    }
    let draft = draft::draft(state, kind, Some(record), &body)?;
    store::update(state, kind, id, draft, turn.now);
    answer(state, kind, id)
}

fn answer(state: &State, kind: Kind, id: u64) -> Ruling {
    let record = state.shelf(kind).get(id).ok_or_else(errors::not_found)?;
    Ok(reply::raw(200, shown(&View::plain(state, kind), id, record)))
}

/// `DELETE /api/v2/{kind}/{id}`
pub(crate) fn delete(state: &mut State, turn: &Turn, kind: Kind, id: u64) -> Ruling {
    if state.shelf_mut(kind).set_deleted(id, true, store::seconds(turn.now)) {
        Ok(reply::data(&json!({"id": id})))
    } else {
        Err(errors::not_found())
    }
}

/// `PUT /api/v1/{kind}/{id}/merge`: the record of the path is the one that goes.
pub(crate) fn merge(state: &mut State, turn: &Turn, kind: Kind, id: u64, request: &Request) -> Ruling {
    let with = body(request)?.get("merge_with_id").and_then(Value::as_u64);
    let survivor = with.ok_or_else(|| errors::bad_request("merge_with_id is required"))?;
    if survivor == id {
        return Err(errors::bad_request("An item cannot be merged with itself"));
    }
    if store::merge(state, kind, id, survivor, turn.now) {
        Ok(reply::data(&json!({"id": survivor})))
    } else {
        Err(errors::not_found())
    }
}
