//! Lists, which HubSpot now calls segments: search, read, members, make and delete.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::fake::hubspot::errors::{self, Refusal};
use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::objects::write_next;
use crate::fake::hubspot::outcome::{Outcome, Reading, Ruling, Turn};
use crate::fake::hubspot::state::State;
use crate::fake::hubspot::values;
use crate::fake::{json, moment};

const MEMBERS_LIMIT_DEFAULT: usize = 100;
const MEMBERS_LIMIT_MAX: usize = 250;
const SEARCH_COUNT_MAX: u64 = 500;

/// One list.
#[derive(Clone, Debug)]
pub(crate) struct List {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// MANUAL, SNAPSHOT or DYNAMIC; the members of a dynamic list are fixed here too, but not by hand.
    pub(crate) processing: String,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) deleted: bool,
    /// Record id → when it joined.
    pub(crate) members: BTreeMap<u64, i64>,
}

impl List {
    fn to_json(&self, with_size: bool) -> Value {
        let (created, updated) = (moment::iso(self.created), moment::iso(self.updated));
        let mut shown = json!({
            "listId": self.id.to_string(), "listVersion": 1, "createdAt": created, "updatedAt": updated,
            "filtersUpdatedAt": created, "processingStatus": "COMPLETE", "createdById": "0", "updatedById": "0",
            "processingType": self.processing, "objectTypeId": self.kind.type_id(), "name": self.name,
        });
        let size = self.members.len();
        if with_size {
            shown["size"] = size.into();
        } else {
            let last = self.members.values().max().copied().unwrap_or(0).to_string();
            shown["additionalProperties"] = json!({"hs_list_size": size.to_string(), "hs_list_reference_count": "0", "hs_last_record_added_at": last});
        }
        shown
    }
}

fn find<'a>(state: &'a State, id: &str) -> Result<&'a List, Refusal> {
    let list = id.parse().ok().and_then(|id: u64| state.lists.get(&id)).filter(|list| !list.deleted);
    list.ok_or_else(|| errors::nothing_named("List", id))
}

fn find_mut<'a>(state: &'a mut State, id: &str) -> Result<&'a mut List, Refusal> {
    let list = id.parse().ok().and_then(|id: u64| state.lists.get_mut(&id));
    list.ok_or_else(|| errors::nothing_named("List", id))
}

/// `POST /crm/lists/{v}/search`.
pub(crate) fn search(state: &State, body: &Value) -> Ruling {
    let number = |name: &str, default: u64| body.get(name).and_then(Value::as_u64).unwrap_or(default);
    let query = body.get("query").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let listed = |name: &str| -> Vec<String> {
        body.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(values::text_of).collect()
    };
    let (ids, types) = (listed("listIds"), listed("processingTypes"));
    let kind = body.get("objectTypeId").and_then(Value::as_str).and_then(Kind::parse);
    let found: Vec<&List> = state
        .lists
        .values()
        .filter(|list| !list.deleted && list.name.to_lowercase().contains(&query))
        .filter(|list| ids.is_empty() || ids.contains(&list.id.to_string()))
        .filter(|list| types.is_empty() || types.contains(&list.processing))
        .filter(|list| kind.is_none_or(|kind| kind == list.kind))
        .collect();
    let (offset, count) = (number("offset", 0), number("count", 20).min(SEARCH_COUNT_MAX));
    let (skip, take) = (usize::try_from(offset).unwrap_or(usize::MAX), usize::try_from(count).unwrap_or(0));
    let page: Vec<Value> = found.iter().skip(skip).take(take).map(|list| list.to_json(false)).collect();
    let reached = skip.saturating_add(page.len());
    Ok(Outcome::found(&json!({
        "offset": reached, "hasMore": reached < found.len(), "total": found.len(), "lists": page,
    })))
}

/// `GET /crm/lists/{v}/{id}`.
pub(crate) fn read(state: &State, id: &str) -> Ruling {
    Ok(Outcome::found(&json!({"list": find(state, id)?.to_json(true)})))
}

/// `GET /crm/lists/{v}/object-type-id/{type}/name/{name}`.
pub(crate) fn read_by_name(state: &State, kind: Kind, name: &str) -> Ruling {
    let found = state.lists.values().find(|list| !list.deleted && list.kind == kind && list.name == name);
    let list = found.ok_or_else(|| errors::nothing_named("List", name))?;
    Ok(Outcome::found(&json!({"list": list.to_json(true)})))
}

/// `GET /crm/lists/{v}?listIds=`.
pub(crate) fn read_several<'a>(state: &State, ids: impl Iterator<Item = &'a str>) -> Ruling {
    let lists: Vec<Value> = ids.filter_map(|id| find(state, id).ok()).map(|list| list.to_json(true)).collect();
    Ok(Outcome::found(&json!({"lists": lists})))
}

/// `POST /crm/lists/2026-09/all`; everything on one page.
pub(crate) fn all(state: &State) -> Ruling {
    let lists: Vec<Value> = state.lists.values().filter(|list| !list.deleted).map(|list| list.to_json(false)).collect();
    Ok(Outcome::found(&json!({"results": lists})))
}

/// `POST /crm/lists/{v}`; answers 200.
pub(crate) fn create(state: &mut State, turn: Turn, body: &Value) -> Ruling {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let name = text("name").ok_or_else(|| errors::invalid("name is required"))?;
    let kind =
        text("objectTypeId").and_then(Kind::parse).ok_or_else(|| errors::invalid("objectTypeId is not valid"))?;
    let processing = text("processingType").unwrap_or("MANUAL").to_owned();
    if state.lists.values().any(|list| !list.deleted && list.kind == kind && list.name == name) {
        return Err(errors::invalid(format!("A list named \"{name}\" already exists")));
    }
    let id = add(state, kind, name, &processing, turn.now);
    read(state, &id.to_string())
}

/// Adds an empty list, and answers its id.
pub(crate) fn add(state: &mut State, kind: Kind, name: &str, processing: &str, now: i64) -> u64 {
    let id = state.lists.last_key_value().map_or(1, |(last, _)| last + 1);
    let list = List {
        id,
        name: name.to_owned(),
        kind,
        processing: processing.to_owned(),
        created: now,
        updated: now,
        deleted: false,
        members: BTreeMap::new(),
    };
    state.lists.insert(id, list);
    id
}

/// `DELETE /crm/lists/{v}/{id}` and `PUT …/restore`.
pub(crate) fn set_deleted(state: &mut State, id: &str, deleted: bool) -> Ruling {
    find_mut(state, id)?.deleted = deleted;
    Ok(Outcome::Done)
}

/// `GET /crm/lists/{v}/{id}/memberships[/join-order]`.
pub(crate) fn members(state: &State, turn: Turn, id: &str, reading: &Reading, by_join_time: bool) -> Ruling {
    let list = find(state, id)?;
    let limit = reading.limit(MEMBERS_LIMIT_DEFAULT, MEMBERS_LIMIT_MAX)?;
    let mut all: Vec<(u64, i64)> = list.members.iter().map(|(record, joined)| (*record, *joined)).collect();
    if by_join_time {
        all.sort_by_key(|(record, joined)| (*joined, *record));
    }
    let after = reading.after()?;
    let start = match (after, by_join_time) {
        (0, _) => 0,
        // By id the page starts behind the cursor even if that record has left meanwhile.
        (_, false) => all.iter().position(|(record, _)| *record > after).unwrap_or(all.len()),
        (_, true) => all.iter().position(|(record, _)| *record == after).map_or(all.len(), |at| at + 1),
    };
    let page: Vec<(u64, i64)> = all.iter().skip(start).take(limit).copied().collect();
    let mut out = format!("{{\"total\":{},\"results\":", all.len()).into_bytes();
    json::array(&mut out, &page, |out, (record, joined)| {
        let member = format!("{{\"recordId\":\"{record}\",\"membershipTimestamp\":\"{}\"}}", moment::iso(*joined));
        out.extend_from_slice(member.as_bytes());
    });
    let more = start + page.len() < all.len();
    let next = if turn.repeat_page { Some(after) } else { page.last().filter(|_| more).map(|(record, _)| *record) };
    if let Some(next) = next {
        let path = turn.version.path("lists", &format!("{id}/memberships?limit={limit}&after={next}"));
        write_next(&mut out, state, &next.to_string(), Some(&path));
    }
    out.push(b'}');
    Ok(Outcome::Found(out))
}

/// `PUT …/memberships/add`, `/remove` and `/add-and-remove`.
pub(crate) fn change_members(state: &mut State, turn: Turn, id: &str, add: &Value, remove: &Value) -> Ruling {
    let kind = find(state, id)?.kind;
    let ids =
        |value: &Value| -> Vec<String> { value.as_array().into_iter().flatten().filter_map(values::text_of).collect() };
    let (mut added, mut missing, mut removed) = (Vec::new(), Vec::new(), Vec::new());
    let known: Vec<(String, Option<u64>)> = ids(add)
        .into_iter()
        .map(|text| {
            let found = text.parse().ok().and_then(|id| state.shelf(kind).resolve(id));
            (text, found)
        })
        .collect();
    let list = find_mut(state, id)?;
    if list.processing == "DYNAMIC" {
        return Err(errors::invalid(format!("List {id} is dynamic; its members cannot be changed by hand")));
    }
    for (text, record) in known {
        match record {
            Some(record) => {
                if list.members.insert(record, turn.now).is_none() {
                    added.push(text);
                }
            }
            None => missing.push(text),
        }
    }
    for text in ids(remove) {
        if text.parse().ok().is_some_and(|record: u64| list.members.remove(&record).is_some()) {
            removed.push(text);
        }
    }
    list.updated = turn.now;
    Ok(Outcome::found(&json!({"recordsIdsAdded": added, "recordIdsMissing": missing, "recordIdsRemoved": removed})))
}
