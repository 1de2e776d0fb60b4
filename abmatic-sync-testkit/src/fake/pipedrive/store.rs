//! What a write does once it may: records made, changed and merged, with all that follows.

use serde_json::{Value, json};

use crate::fake::packed::Values;
use crate::fake::pipedrive::draft::{Draft, is_list};
use crate::fake::pipedrive::kind::Kind;
use crate::fake::pipedrive::people::HOME_CURRENCY;
use crate::fake::pipedrive::record::{Record, kept};
use crate::fake::pipedrive::state::State;
use crate::fake::pipedrive::values::moment_text;

/// Whole seconds: Pipedrive knows no finer time.
pub(crate) fn seconds(now: i64) -> i64 {
    now.div_euclid(1000) * 1000
}

/// Stores a new record, and answers its id.
pub(crate) fn create(state: &mut State, kind: Kind, mut draft: Draft, now: i64) -> u64 {
    let now = seconds(now);
    add_defaults(state, kind, &mut draft, now);
    derive(state, kind, None, &mut draft, now);
    let record = new_record(state, kind, &draft, now);
    state.shelf_mut(kind).insert(record)
}

/// A record of these values, which is on no shelf yet.
pub(crate) fn new_record(state: &State, kind: Kind, draft: &Draft, now: i64) -> Record {
    let catalogue = &state.shelf(kind).catalogue;
    let added = catalogue.by_key("add_time").and_then(|(id, _)| draft.get(id)?.as_str().map(str::to_owned));
    let created = added.and_then(|text| crate::fake::moment::parse_iso(&text)).unwrap_or(now);
    let own = |key: &str| matches!(key, "add_time" | "update_time");
    let texts: Vec<_> = draft
        .values
        .iter()
        .filter(|(id, _)| !catalogue.get(*id).is_some_and(|field| own(&field.key)))
        .filter_map(|(id, value)| Some((*id, kept(value)?)))
        .collect();
    let values = Values::pack(texts.iter().map(|(id, text)| (*id, text.as_str())).collect());
    Record { created, updated: Some(now), deleted: false, values }
}

/// Stores changed values of a record.
pub(crate) fn update(state: &mut State, kind: Kind, id: u64, mut draft: Draft, now: i64) {
    let now = seconds(now);
    let Some(record) = state.shelf(kind).get(id).cloned() else { return };
    derive(state, kind, Some(&record), &mut draft, now);
    let changes: Vec<_> = draft.values.iter().map(|(field, value)| (*field, kept(value))).collect();
    state.shelf_mut(kind).change(id, &changes, now);
}

/// What Pipedrive fills in when a record is made.
pub(crate) fn add_defaults(state: &State, kind: Kind, draft: &mut Draft, now: i64) {
    let me = state.me;
    let mut defaults = vec![("owner_id", json!(me))];
    match kind {
        Kind::Activity => defaults.extend([
            ("creator_user_id", json!(me)),
            ("subject", json!("Activity")),
            ("type", json!("call")),
            ("done", json!(false)),
            ("busy", json!(false)),
        ]),
        Kind::Deal => defaults.extend([
            ("creator_user_id", json!(me)),
            ("currency", json!(HOME_CURRENCY)),
            ("is_archived", json!(false)),
            ("origin", json!("API")),
            ("stage_change_time", json!(moment_text(now))),
            ("status", json!("open")),
            ("value", json!(0)),
            ("visible_to", json!(3)),
        ]),
        Kind::Organization | Kind::Person => defaults.push(("visible_to", json!(3))),
    }
    let catalogue = &state.shelf(kind).catalogue;
    for (key, value) in defaults {
        let Some((id, _)) = catalogue.by_key(key) else { continue };
        if draft.get(id).is_none_or(Value::is_null) {
            draft.set(id, value);
        }
    }
    for (id, _) in catalogue.iter().filter(|(_, field)| is_list(field.shape)) {
        if draft.get(id).is_none_or(Value::is_null) {
            draft.set(id, json!([]));
        }
    }
}

/// What follows from the values that are set.
fn derive(state: &State, kind: Kind, before: Option<&Record>, draft: &mut Draft, now: i64) {
    match kind {
        Kind::Activity => derive_activity(state, draft, now),
        Kind::Deal => derive_deal(state, before, draft, now),
        Kind::Organization => {}
        Kind::Person => derive_person(state, before, draft),
    }
    let catalogue = &state.shelf(kind).catalogue;
    for (id, value) in &mut draft.values {
        // A list is emptied, not cleared.
        if value.is_null() && catalogue.get(*id).is_some_and(|field| is_list(field.shape)) {
            *value = json!([]);
        }
    }
}

/// A name is split, and its parts are joined.
fn derive_person(state: &State, before: Option<&Record>, draft: &mut Draft) {
    let catalogue = &state.shelf(Kind::Person).catalogue;
    let id = |key: &str| catalogue.by_key(key).map(|(id, _)| id);
    let (Some(name), Some(first), Some(last)) = (id("name"), id("first_name"), id("last_name")) else { return };
    let part_sent = draft.get(first).is_some() || draft.get(last).is_some();
    let whole = draft.get(name).and_then(Value::as_str).map(str::to_owned);
    match whole {
        Some(whole) if !part_sent => {
            let (head, tail) = whole.trim().split_once(' ').unwrap_or((whole.trim(), ""));
            draft.set(first, json!(head));
            draft.set(last, if tail.is_empty() { Value::Null } else { json!(tail.trim()) });
        }
        Some(_) => {}
        None if part_sent => {
            let part = |field| draft.get(field).cloned().or_else(|| Some(before?.value(field))).unwrap_or_default();
            let (head, tail) = (part(first), part(last));
            let joined = [head, tail].iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
            draft.set(name, json!(joined.trim()));
        }
        None => {}
    }
}

fn derive_deal(state: &State, before: Option<&Record>, draft: &mut Draft, now: i64) {
    let catalogue = &state.shelf(Kind::Deal).catalogue;
    let id = |key: &str| catalogue.by_key(key).map(|(id, _)| id);
    let (Some(stage), Some(pipeline)) = (id("stage_id"), id("pipeline_id")) else { return };
    let known = |field| draft.get(field).cloned().or_else(|| Some(before?.value(field))).and_then(|id| id.as_u64());
    let moves = before.is_none() || draft.get(stage).is_some() || draft.get(pipeline).is_some();
    if moves {
        let by_stage = draft.get(stage).and_then(Value::as_u64);
        let by_stage = state.stages.iter().find(|known| Some(known.id) == by_stage);
        let wanted = draft.get(pipeline).and_then(Value::as_u64).or_else(|| known(pipeline)).unwrap_or(1);
        let first = state.stages.iter().find(|known| known.pipeline == wanted);
        if let Some(chosen) = by_stage.or(first) {
            draft.set(stage, json!(chosen.id));
            draft.set(pipeline, json!(chosen.pipeline));
        }
        if let Some(changed) = id("stage_change_time") {
            draft.set(changed, json!(moment_text(now)));
        }
    }
    let Some(status) = id("status").and_then(|id| draft.get(id)?.as_str().map(str::to_owned)) else { return };
    let stamp = json!(moment_text(now));
    let (mut set, mut clear) = (Vec::new(), Vec::new());
    match status.as_str() {
        "won" => {
            set = vec!["won_time", "close_time"];
            clear = vec!["lost_time", "lost_reason"];
        }
        "lost" => {
            set = vec!["lost_time", "close_time"];
            clear = vec!["won_time"];
        }
        _ => clear.extend(["won_time", "lost_time", "close_time", "lost_reason"]),
    }
    for key in set {
        if let Some(field) = id(key).filter(|field| draft.get(*field).is_none_or(Value::is_null)) {
            draft.set(field, stamp.clone());
        }
    }
    for field in clear.into_iter().filter_map(id) {
        draft.set(field, Value::Null);
    }
}

fn derive_activity(state: &State, draft: &mut Draft, now: i64) {
    let catalogue = &state.shelf(Kind::Activity).catalogue;
    let id = |key: &str| catalogue.by_key(key).map(|(id, _)| id);
    if let (Some(done), Some(marked)) = (id("done"), id("marked_as_done_time")) {
        match draft.get(done).and_then(Value::as_bool) {
            Some(true) => draft.set(marked, json!(moment_text(now))),
            Some(false) => draft.set(marked, Value::Null),
            None => {}
        }
    }
    if let (Some(participants), Some(person)) = (id("participants"), id("person_id")) {
        let primary = draft.get(participants).and_then(Value::as_array).map(|entries| {
            let primary = entries.iter().find(|entry| entry["primary"] == true);
            primary.map(|entry| entry["person_id"].clone()).unwrap_or_default()
        });
        if let Some(primary) = primary {
            draft.set(person, primary);
        }
    }
}

/// Merges `loser` into `winner`: the winner's values count, empty ones are filled, what hung on the loser moves over.
pub(crate) fn merge(state: &mut State, kind: Kind, loser: u64, winner: u64, now: i64) -> bool {
    let shelf = state.shelf(kind);
    let (Some(lost), Some(won)) = (shelf.live(loser), shelf.live(winner)) else { return false };
    let mut changes = Vec::new();
    for (id, field) in shelf.catalogue.iter() {
        let (mine, theirs) = (won.value(id), lost.value(id));
        if is_list(field.shape) {
            changes.push((id, kept(&joined(&mine, &theirs))));
        } else if mine.is_null() && !theirs.is_null() {
            changes.push((id, kept(&theirs)));
        }
    }
    let now = seconds(now);
    let shelf = state.shelf_mut(kind);
    shelf.change(winner, &changes, now);
    shelf.set_deleted(loser, true, now);
    hand_over(state, kind, loser, winner);
    true
}

/// Both lists without doubles; only the first's primary entry stays primary.
fn joined(mine: &Value, theirs: &Value) -> Value {
    let mut all: Vec<Value> = mine.as_array().cloned().unwrap_or_default();
    let had_any = !all.is_empty();
    for entry in theirs.as_array().into_iter().flatten() {
        let same = |other: &Value| if entry.is_object() { other["value"] == entry["value"] } else { other == entry };
        if all.iter().any(same) {
            continue;
        }
        let mut entry = entry.clone();
        if had_any && entry.get("primary").is_some() {
            entry["primary"] = false.into();
        }
        all.push(entry);
    }
    all.into()
}

fn hand_over(state: &mut State, kind: Kind, loser: u64, winner: u64) {
    let key = format!("{}_id", if kind == Kind::Organization { "org" } else { kind.name() });
    let old = loser.to_string();
    for other in Kind::ALL {
        let shelf = state.shelf_mut(other);
        let Some(field) = shelf.catalogue.by_key(&key).map(|(id, _)| id) else { continue };
        let moved: Vec<(u64, Option<i64>)> = shelf
            .iter()
            .filter(|(_, record)| record.raw(field) == Some(old.as_str()))
            .map(|(id, record)| (id, record.updated))
            .collect();
        for (id, updated) in moved {
            shelf.change(id, &[(field, Some(winner.to_string()))], updated.unwrap_or(0));
        }
    }
    for note in state.notes.values_mut().filter(|note| note.on.get(&key) == Some(&loser)) {
        note.on.insert(key.clone(), winner);
    }
}
