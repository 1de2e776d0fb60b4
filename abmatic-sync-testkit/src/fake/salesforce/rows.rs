//! Single records by id: made, read, changed, deleted, on conditions where the caller sets any.

use chrono::{DateTime, NaiveDateTime};
use serde_json::{Map, Value, json};

use crate::fake::exchange::{Request, Response};
use crate::fake::json as write;
use crate::fake::moment::http_date;
use crate::fake::packed::FieldId;
use crate::fake::salesforce::draft::Origin;
use crate::fake::salesforce::errors::{self, Refusal, RowError};
use crate::fake::salesforce::id;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::reply::{self, Ruling};
use crate::fake::salesforce::save;
use crate::fake::salesforce::shelf::Shelf;
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;
use crate::fake::salesforce::view::View;

/// The fields of a body that must be an object.
pub(crate) fn object(body: &Value) -> Result<&Map<String, Value>, Refusal> {
    body.as_object()
        .ok_or_else(|| errors::json_parser("Unexpected character: an object was expected at [line:1, column:1]"))
}

/// `POST …/sobjects/{Object}`; `…/Id` says `created` too.
pub(crate) fn create(state: &mut State, turn: &Turn, kind: Kind, body: &Value, says_created: bool) -> Ruling {
    let fields = object(body)?;
    refuse_id(fields)?;
    let number = save::save(state, turn, kind, None, Origin::Json, fields)?;
    let id = state.shelf(kind).id(number);
    let mut shown = json!({"id": id, "success": true, "errors": []});
    if says_created {
        shown["created"] = true.into();
    }
    Ok(reply::created(format!("{}/sobjects/{}/{id}", turn.base(), kind.name()), &shown))
}

fn refuse_id(fields: &Map<String, Value>) -> Result<(), Refusal> {
    if fields.keys().any(|key| key.eq_ignore_ascii_case("Id")) {
        return Err(errors::not_specified_here("Id").into());
    }
    Ok(())
}

/// The live record that an id in a path names.
pub(crate) fn find(state: &State, kind: Kind, text: &str) -> Result<u64, Refusal> {
    let Some(parsed) = id::parse(text) else { return Err(errors::no_external_id_field(text)) };
    if parsed.prefix != kind.prefix() {
        let message = format!("{} ID: id value of incorrect type: {text}", kind.facts().label);
        return Err(RowError::new("MALFORMED_ID", message).on(&["Id"]).into());
    }
    match state.shelf(kind).get(parsed.number) {
        None => Err(errors::not_found()),
        Some(record) if !record.is_live() => Err(errors::entity_deleted().into()),
        Some(_) => Ok(parsed.number),
    }
}

/// `GET …/sobjects/{Object}/{id}`.
pub(crate) fn read(state: &State, turn: &Turn, kind: Kind, id: &str, request: &Request) -> Ruling {
    let number = find(state, kind, id)?;
    show(state, turn, kind, number, request)
}

/// One record with the fields asked for, or all of them.
pub(crate) fn show(state: &State, turn: &Turn, kind: Kind, number: u64, request: &Request) -> Ruling {
    let shelf = state.shelf(kind);
    let view = View::of(shelf, number).ok_or_else(errors::not_found)?;
    if let Some(answer) = unchanged(kind, view, request)? {
        return Ok(answer);
    }
    let names: Vec<&str> = request.query_list("fields").collect();
    let fields = selection(shelf, &names)?;
    let mut out = Vec::with_capacity(4096);
    write_record(&mut out, turn, view, &fields);
    let mut response = reply::json(200, out);
    response.set("Last-Modified", http_date(view.record.stamp));
    if kind == Kind::ACCOUNT {
        response.set("ETag", etag(view));
    }
    Ok(response)
}

/// The fields of those names; all of them where none is named.
pub(crate) fn selection(shelf: &Shelf, names: &[&str]) -> Result<Vec<FieldId>, Refusal> {
    if names.is_empty() {
        return Ok(shelf.catalogue.iter().map(|(id, _)| id).collect());
    }
    let find = |name: &&str| shelf.catalogue.id(name).ok_or_else(|| errors::no_column(name, shelf.kind.name()).into());
    names.iter().map(find).collect()
}

/// Appends `{"attributes":…,"Id":…,…}`.
pub(crate) fn write_record(out: &mut Vec<u8>, turn: &Turn, view: View<'_>, fields: &[FieldId]) {
    write_attributes(out, turn, view);
    for id in fields {
        if let Some(field) = view.shelf.catalogue.get(*id) {
            out.push(b',');
            write::string(out, &field.name);
            out.push(b':');
            view.write_json(out, *id, field);
        }
    }
    out.push(b'}');
}

/// Appends `{"attributes":{"type":…,"url":…}`, without the end of the record.
pub(crate) fn write_attributes(out: &mut Vec<u8>, turn: &Turn, view: View<'_>) {
    let name = view.shelf.kind.name();
    out.extend_from_slice(b"{\"attributes\":{\"type\":\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\",\"url\":\"");
    out.extend_from_slice(turn.base().as_bytes());
    out.extend_from_slice(b"/sobjects/");
    out.extend_from_slice(name.as_bytes());
    out.push(b'/');
    id::write(out, view.shelf.kind.prefix(), view.number);
    out.extend_from_slice(b"\"}");
}

/// `PATCH …/sobjects/{Object}/{id}`.
pub(crate) fn update(state: &mut State, turn: &Turn, kind: Kind, id: &str, request: &Request, body: &Value) -> Ruling {
    let number = find(state, kind, id)?;
    check_conditions(state, kind, number, request)?;
    let fields = object(body)?;
    refuse_id(fields)?;
    save::save(state, turn, kind, Some(number), Origin::Json, fields)?;
    Ok(reply::empty(204))
}

/// `DELETE …/sobjects/{Object}/{id}`.
pub(crate) fn delete(state: &mut State, turn: &Turn, kind: Kind, id: &str, request: &Request) -> Ruling {
    let number = find(state, kind, id)?;
    check_conditions(state, kind, number, request)?;
    save::delete(state, turn, kind, number)?;
    Ok(reply::empty(204))
}

/// Refuses a write whose condition does not hold.
pub(crate) fn check_conditions(state: &State, kind: Kind, number: u64, request: &Request) -> Result<(), Refusal> {
    let Some(view) = View::of(state.shelf(kind), number) else { return Ok(()) };
    let since = |name: &str| request.header(name).map(parse_date).transpose();
    if since("If-Unmodified-Since")?.is_some_and(|date| view.record.stamp > date) {
        return Err(errors::precondition_failed());
    }
    if since("If-Modified-Since")?.is_some_and(|date| view.record.stamp <= date) {
        return Err(errors::precondition_failed());
    }
    let tag = request.header("If-Match").filter(|_| kind == Kind::ACCOUNT);
    if tag.is_some_and(|tags| !has_tag(tags, &etag(view))) {
        return Err(errors::precondition_failed());
    }
    Ok(())
}

/// 304 or 412 of a read whose conditions say so.
fn unchanged(kind: Kind, view: View<'_>, request: &Request) -> Result<Option<Response>, Refusal> {
    let date = |name: &str| request.header(name).and_then(|text| parse_date(text).ok());
    if date("If-Unmodified-Since").is_some_and(|date| view.record.stamp > date) {
        return Err(errors::precondition_failed());
    }
    let same_tag = request.header("If-None-Match").filter(|_| kind == Kind::ACCOUNT);
    let same = same_tag.is_some_and(|tags| has_tag(tags, &etag(view)));
    let old = date("If-Modified-Since").is_some_and(|date| view.record.stamp <= date);
    Ok((same || old).then(|| reply::empty(304)))
}

fn has_tag(tags: &str, tag: &str) -> bool {
    tags.split(',').map(str::trim).any(|known| known == "*" || known == tag)
}

fn etag(view: View<'_>) -> String {
    format!("\"{}{:x}\"", view.shelf.id(view.number), view.record.stamp)
}

/// An HTTP date in milliseconds since 1970; one that is none is a bad request.
pub(crate) fn parse_date(text: &str) -> Result<i64, Refusal> {
    let plain = NaiveDateTime::parse_from_str(text.trim(), "%a, %d %b %Y %H:%M:%S GMT").map(|date| date.and_utc());
    let date = plain.or_else(|_| DateTime::parse_from_rfc2822(text.trim()).map(|date| date.to_utc()));
    date.map(|date| date.timestamp_millis())
        .map_err(|_| errors::invalid("INVALID_HEADER_VALUE", format!("Invalid date in conditional header: {text}")))
}
