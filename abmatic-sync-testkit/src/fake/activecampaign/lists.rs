//! Lists, tags and segments, and who is on them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::fake::activecampaign::central::with_offset;
use crate::fake::activecampaign::contacts;
use crate::fake::activecampaign::errors::{self, Refusal, Ruling};
use crate::fake::activecampaign::listing::{Total, meta, page};
use crate::fake::activecampaign::reply;
use crate::fake::activecampaign::state::{Membership, State, Tag, Tagging};
use crate::fake::activecampaign::table::{echo, sent, sent_id};
use crate::fake::exchange::Request;

/// How long the members of a segment stay as they were found.
const FROZEN_MS: i64 = 3_600_000;

fn list_row(id: u64, name: &str) -> Value {
    json!({
        "stringid": name.to_lowercase().replace(' ', "-"), "userid": "1", "name": name, "private": "0",
        "deletestamp": null, "links": {}, "id": id.to_string(), "user": "1",
    })
}

/// `GET /lists`.
pub(crate) fn lists(state: &State, request: &Request) -> Ruling {
    let (rows, total) = page(state, request, state.lists.iter().collect());
    let rows: Vec<Value> = rows.into_iter().map(|(id, name)| list_row(id, name)).collect();
    Ok(reply::json(200, &json!({"lists": rows, "meta": meta(total, Total::Text)})))
}

/// `GET /lists/{id}`.
pub(crate) fn one_list(state: &State, id: u64) -> Ruling {
    let name = state.lists.get(id).ok_or_else(|| errors::missing("List", &id.to_string()))?;
    Ok(reply::json(200, &json!({"list": list_row(id, name)})))
}

/// Whether a contact is on a list, in one status or, unless told, as an active member.
pub(crate) fn is_member(state: &State, list: u64, contact: u64, status: Option<&str>) -> bool {
    let fits = |one: &Membership| {
        one.list == list && one.contact == contact && status.is_none_or(|status| one.status == status)
    };
    state.memberships.find(fits).is_some()
}

fn membership_row(id: u64, one: &Membership) -> Value {
    json!({
        "contact": one.contact.to_string(), "list": one.list.to_string(), "form": null, "seriesid": "0",
        "sdate": with_offset(one.since), "udate": null, "status": one.status, "sourceid": "0", "channel": "email",
        "links": {}, "id": id.to_string(),
    })
}

/// The memberships of some contacts.
pub(crate) fn memberships_of(state: &State, contacts: &BTreeSet<u64>) -> Vec<Value> {
    let of = |one: &Membership| contacts.contains(&one.contact);
    state.memberships.iter().filter(|(_, one)| of(one)).map(|(id, one)| membership_row(id, one)).collect()
}

/// `GET /contactLists`: it is not documented, and ignores every filter.
pub(crate) fn all_memberships(state: &State, request: &Request) -> Ruling {
    let (rows, total) = page(state, request, state.memberships.iter().collect());
    let rows: Vec<Value> = rows.into_iter().map(|(id, one)| membership_row(id, one)).collect();
    Ok(reply::json(200, &json!({"contactLists": rows, "meta": meta(total, Total::Text)})))
}

/// `POST /contactLists`: subscribes or unsubscribes.
pub(crate) fn subscribe(state: &mut State, now: i64, body: &Value) -> Ruling {
    let body = &body["contactList"];
    let list = sent_id(body, "list").filter(|id| state.lists.get(*id).is_some());
    let list = list.ok_or_else(|| errors::missing_attribute("list"))?;
    let contact = contacts::named(state, body, "contact").ok_or_else(|| errors::missing_attribute("contact"))?;
    let status = sent(body, "status").unwrap_or_else(|| "1".to_owned());
    let known = state.memberships.find(|one| one.list == list && one.contact == contact);
    let id =
        known.unwrap_or_else(|| state.memberships.add(Membership { list, contact, status: String::new(), since: now }));
    let mut changed = false;
    if let Some(one) = state.memberships.get_mut(id) {
        changed = one.status != status;
        one.status = status;
    }
    let mut shown = state.memberships.get(id).map(|one| membership_row(id, one)).unwrap_or_default();
    echo(&mut shown, body);
    let mut answer = json!({"contactList": shown});
    if changed {
        answer["contacts"] =
            state.contacts.get(contact).map(|row| contacts::row(state, contact, row)).into_iter().collect();
    }
    Ok(reply::json(200, &answer))
}

fn tag_row(id: u64, tag: &Tag) -> Value {
    json!({
        "tagType": "contact", "tag": tag.tag, "description": "", "subscriber_count": "0",
        "cdate": with_offset(tag.created), "links": {}, "id": id.to_string(),
    })
}

/// `GET /tags`.
pub(crate) fn tags(state: &State, request: &Request) -> Ruling {
    let part = request.query("search").map(str::to_lowercase).unwrap_or_default();
    let found: Vec<(u64, &Tag)> = state.tags.iter().filter(|(_, tag)| tag.tag.to_lowercase().contains(&part)).collect();
    let (rows, total) = page(state, request, found);
    let rows: Vec<Value> = rows.into_iter().map(|(id, tag)| tag_row(id, tag)).collect();
    Ok(reply::json(200, &json!({"tags": rows, "meta": meta(total, Total::Text)})))
}

/// `GET /tags/{id}`.
pub(crate) fn one_tag(state: &State, id: u64) -> Ruling {
    let tag = state.tags.get(id).ok_or_else(|| errors::missing("Tag", &id.to_string()))?;
    Ok(reply::json(200, &json!({"tag": tag_row(id, tag)})))
}

/// `POST /tags`.
pub(crate) fn create_tag(state: &mut State, now: i64, body: &Value) -> Ruling {
    let tag =
        sent(&body["tag"], "tag").filter(|tag| !tag.is_empty()).ok_or_else(|| errors::missing_attribute("tag"))?;
    let id = tag_named(state, now, &tag);
    let shown = state.tags.get(id).map(|tag| tag_row(id, tag));
    Ok(reply::json(201, &json!({"tag": shown})))
}

pub(crate) fn tag_named(state: &mut State, now: i64, name: &str) -> u64 {
    let known = state.tags.find(|tag| tag.tag == name);
    known.unwrap_or_else(|| state.tags.add(Tag { tag: name.to_owned(), created: now }))
}

fn tagging_row(id: u64, one: &Tagging) -> Value {
    json!({
        "contact": one.contact.to_string(), "tag": one.tag.to_string(), "cdate": with_offset(one.created), "links": {},
        "id": id.to_string(),
    })
}

/// The tags of some contacts.
pub(crate) fn taggings_of(state: &State, contacts: &BTreeSet<u64>) -> Vec<Value> {
    let of = |one: &Tagging| contacts.contains(&one.contact);
    state.taggings.iter().filter(|(_, one)| of(one)).map(|(id, one)| tagging_row(id, one)).collect()
}

/// `POST /contactTags`: 201, or 200 where the tag was there already.
pub(crate) fn tag_contact(state: &mut State, now: i64, body: &Value) -> Ruling {
    let body = &body["contactTag"];
    let wanted = sent_id(body, "contact").ok_or_else(|| errors::missing_attribute("contact"))?;
    state.contacts.get(wanted).ok_or_else(|| errors::not_found(Some("Contact not found")))?;
    let tag = sent_id(body, "tag").ok_or_else(|| errors::missing_attribute("tag"))?;
    state.tags.get(tag).ok_or_else(|| errors::not_found(Some("Tag not found")))?;
    let known = state.taggings.find(|one| one.tag == tag && one.contact == wanted);
    if known.is_none() {
        contacts::touch(state, now, wanted);
    }
    let id = known.unwrap_or_else(|| state.taggings.add(Tagging { tag, contact: wanted, created: now }));
    let shown = state.taggings.get(id).map(|one| tagging_row(id, one));
    Ok(reply::json(if known.is_some() { 200 } else { 201 }, &json!({"contactTag": shown})))
}

/// `DELETE /contactTags/{id}`.
pub(crate) fn untag_contact(state: &mut State, id: u64) -> Ruling {
    state.taggings.remove(id).ok_or_else(|| errors::missing("SubscriberTag", &id.to_string()))?;
    Ok(reply::json(200, &json!({})))
}

/// The members of a segment: the first look within an hour only begins to find them, and is answered so.
pub(crate) fn members_of_segment(state: &mut State, now: i64, id: &str) -> Result<Result<Vec<u64>, Value>, Refusal> {
    let known = id.parse().ok().filter(|id| state.segments.get(*id).is_some());
    let number: u64 = known.ok_or_else(|| errors::missing("Segment", id))?;
    let Some(segment) = state.segments.get_mut(number) else { return Ok(Ok(Vec::new())) };
    if segment.evaluated.is_none_or(|at| now - at >= FROZEN_MS) {
        segment.evaluated = Some(now);
        let shown = json!({"segment": {"id": id, "name": segment.name, "status": "evaluating"}});
        return Ok(Err(shown));
    }
    let (ends, at) = (segment.email_ends.clone(), segment.evaluated.unwrap_or(now));
    let members = state.contacts.iter().filter(|(_, one)| one.created <= at && one.email.ends_with(&ends));
    Ok(Ok(members.map(|(id, _)| id).collect()))
}
