//! Associations over the API: one record's, and in batches of thousands.

use serde_json::{Value, json};

use crate::fake::hubspot::batch::{Sheet, inputs_of};
use crate::fake::hubspot::errors::{self, Refusal};
use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::links::{CustomLabel, TypeId, pair_types};
use crate::fake::hubspot::outcome::{Outcome, Reading, Ruling, Turn, Version};
use crate::fake::hubspot::state::State;
use crate::fake::hubspot::store;
use crate::fake::hubspot::values;

const READ_MAX: usize = 1000;
const READ_MAX_V3: usize = 100;
const CREATE_MAX: usize = 2000;
const PAGE_MAX: usize = 500;
/// The first number of a custom label.
const CUSTOM_TYPE_FIRST: usize = 1001;

/// A pair of object types.
pub(crate) type Pair = (Kind, Kind);

fn id_at(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(values::text_of).unwrap_or_default()
}

/// The live record of a text, or the refusal that names it.
fn resolve(state: &State, kind: Kind, text: &str) -> Result<u64, Refusal> {
    let found = text.parse().ok().and_then(|id| state.shelf(kind).resolve(id));
    found.ok_or_else(|| errors::association_id_invalid(text))
}

/// Every partner with the types of its association.
fn partners(state: &State, from: (Kind, u64), to: Kind) -> Vec<(u64, Vec<TypeId>)> {
    let mut found: Vec<(u64, Vec<TypeId>)> = Vec::new();
    for (id, type_id) in state.links.of(from, to) {
        match found.last_mut().filter(|(last, _)| *last == id) {
            Some((_, types)) => types.push(type_id),
            None => found.push((id, vec![type_id])),
        }
    }
    found
}

fn type_json(state: &State, (from, to): Pair, type_id: TypeId) -> Value {
    let (label, custom) = state.links.label_of(from, to, type_id).unwrap_or_default();
    let category = if custom { "USER_DEFINED" } else { "HUBSPOT_DEFINED" };
    json!({"category": category, "typeId": type_id, "label": label})
}

fn partner_json(state: &State, pair: Pair, id: u64, types: &[TypeId]) -> Value {
    let types: Vec<Value> = types.iter().map(|type_id| type_json(state, pair, *type_id)).collect();
    json!({"toObjectId": id, "associationTypes": types})
}

/// The v3 name of a type: the primary one is the plain name.
fn v3_name((from, to): Pair, type_id: TypeId) -> String {
    let pair = pair_types(from, to);
    let plain = pair.is_some_and(|pair| pair.primary.is_some() && pair.plain == type_id);
    format!("{}_to_{}{}", from.singular(), to.singular(), if plain { "_unlabeled" } else { "" })
}

/// `GET …/{from}/{id}/associations/{to}`.
pub(crate) fn read(state: &State, turn: Turn, (from, to): Pair, id: &str, reading: &Reading) -> Ruling {
    let id = id.parse().ok().and_then(|id| state.shelf(from).resolve(id)).ok_or_else(errors::not_found)?;
    let limit = reading.limit(PAGE_MAX, PAGE_MAX)?;
    let after = reading.after()?;
    let all = partners(state, (from, id), to);
    let mut rest = all.iter().filter(|(partner, _)| *partner >= after);
    let page: Vec<&(u64, Vec<TypeId>)> = rest.by_ref().take(limit).collect();
    let results: Vec<Value> = if turn.version == Version::V3 {
        let each = |(partner, types): &&(u64, Vec<TypeId>)| {
            let partner = partner.to_string();
            types
                .iter()
                .map(|type_id| json!({"id": partner, "type": v3_name((from, to), *type_id)}))
                .collect::<Vec<_>>()
        };
        page.iter().flat_map(each).collect()
    } else {
        page.iter().map(|(partner, types)| partner_json(state, (from, to), *partner, types)).collect()
    };
    let mut body = json!({"results": results});
    if let Some((next, _)) = rest.next() {
        body["paging"] = json!({"next": {"after": next.to_string()}});
    }
    Ok(Outcome::found(&body))
}

/// `PUT …/associations/default/{to}/{toId}`.
pub(crate) fn put_default(state: &mut State, turn: Turn, pair: Pair, ids: (&str, &str)) -> Ruling {
    let mut sheet = Sheet::default();
    let (from, to) = (resolve(state, pair.0, ids.0)?, resolve(state, pair.1, ids.1)?);
    associate_default(state, turn, pair, (from, to), &mut sheet)?;
    Ok(sheet.found(state, turn.now))
}

fn associate_default(
    state: &mut State,
    turn: Turn,
    pair: Pair,
    ids: (u64, u64),
    sheet: &mut Sheet,
) -> Result<(), Refusal> {
    let types = pair_types(pair.0, pair.1).ok_or_else(|| impossible(pair))?;
    link(state, turn, pair, ids, &[types.plain]);
    let back = pair_types(pair.1, pair.0).map_or(types.plain, |back| back.plain);
    for (from, to, type_id) in [(ids.0, ids.1, types.plain), (ids.1, ids.0, back)] {
        let shown = json!({
            "from": {"id": from.to_string()}, "to": {"id": to.to_string()},
            "associationSpec": {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id},
        });
        sheet.results.push(shown.to_string().into_bytes());
    }
    Ok(())
}

fn impossible((from, to): Pair) -> Refusal {
    errors::invalid(format!("{} cannot be associated with {}", from.plural(), to.plural()))
}

fn link(state: &mut State, turn: Turn, (from, to): Pair, ids: (u64, u64), types: &[TypeId]) {
    for type_id in types {
        state.links.add((from, ids.0), (to, ids.1), *type_id);
    }
    for (kind, other, id) in [(from, to, ids.1), (to, from, ids.0)] {
        if kind.facts().engagement {
            store::note_activity(state, other, id, turn.now);
        }
    }
}

/// The type ids of a write, each known to the pair.
fn types_of(state: &State, pair: Pair, raw: Option<&Value>) -> Result<Vec<TypeId>, Refusal> {
    let listed = raw.and_then(Value::as_array).filter(|types| !types.is_empty());
    let listed = listed.ok_or_else(|| errors::invalid("types must not be empty"))?;
    let known = |raw: &Value| {
        let id = raw.get("associationTypeId").and_then(Value::as_u64).and_then(|id| TypeId::try_from(id).ok());
        let id = id.filter(|id| state.links.label_of(pair.0, pair.1, *id).is_some());
        let (from, to) = (pair.0.type_id(), pair.1.type_id());
        id.ok_or_else(|| errors::invalid(format!("{raw} is no association type from object type {from} to {to}")))
    };
    listed.iter().map(known).collect()
}

fn made_json(state: &State, pair: Pair, ids: (u64, u64)) -> Value {
    let types = state.links.between((pair.0, ids.0), (pair.1, ids.1));
    let labels: Vec<String> = types
        .iter()
        .filter_map(|id| state.links.label_of(pair.0, pair.1, *id))
        .filter_map(|(label, _)| label)
        .collect();
    json!({
        "fromObjectTypeId": pair.0.type_id(), "fromObjectId": ids.0,
        "toObjectTypeId": pair.1.type_id(), "toObjectId": ids.1, "labels": labels,
    })
}

/// `PUT …/associations/{to}/{toId}`: replaces the set of labels.
pub(crate) fn put_labelled(state: &mut State, turn: Turn, pair: Pair, ids: (&str, &str), body: &Value) -> Ruling {
    let ids = (resolve(state, pair.0, ids.0)?, resolve(state, pair.1, ids.1)?);
    let types = types_of(state, pair, Some(body))?;
    let gone: Vec<TypeId> = state
        .links
        .between((pair.0, ids.0), (pair.1, ids.1))
        .into_iter()
        .filter(|present| {
            !types.contains(present) && pair_types(pair.0, pair.1).is_none_or(|pair| pair.plain != *present)
        })
        .collect();
    state.links.remove((pair.0, ids.0), (pair.1, ids.1), Some(&gone));
    link(state, turn, pair, ids, &types);
    let body = made_json(state, pair, ids).to_string().into_bytes();
    Ok(Outcome::Created { body, path: None })
}

/// `DELETE …/associations/{to}/{toId}`.
pub(crate) fn delete(state: &mut State, pair: Pair, ids: (&str, &str)) -> Ruling {
    if let (Ok(from), Ok(to)) = (resolve(state, pair.0, ids.0), resolve(state, pair.1, ids.1)) {
        state.links.remove((pair.0, from), (pair.1, to), None);
    }
    Ok(Outcome::Done)
}

/// `POST …/{from}/{to}/batch/read`.
pub(crate) fn batch_read(state: &mut State, turn: Turn, (from, to): Pair, body: &Value) -> Ruling {
    let v3 = turn.version == Version::V3;
    let mut sheet = Sheet::default();
    for input in inputs_of(body, if v3 { READ_MAX_V3 } else { READ_MAX })? {
        let text = id_at(input, "/id");
        let id = text.parse().ok().and_then(|id| state.shelf(from).resolve(id));
        let all = id.map(|id| partners(state, (from, id), to)).unwrap_or_default();
        if all.is_empty() {
            sheet.errors.push(errors::no_associations(from, &text, to).batch_entry(None));
            continue;
        }
        let after: u64 = id_at(input, "/after").parse().unwrap_or(0);
        let mut rest = all.iter().filter(|(partner, _)| *partner >= after);
        let page = rest.by_ref().take(PAGE_MAX);
        let partners: Vec<Value> = if v3 {
            page.flat_map(|(partner, types)| types.iter().map(move |type_id| (partner, type_id)))
                .map(|(partner, type_id)| json!({"id": partner.to_string(), "type": v3_name((from, to), *type_id)}))
                .collect()
        } else {
            page.map(|(partner, types)| partner_json(state, (from, to), *partner, types)).collect()
        };
        let mut shown = json!({"from": {"id": text}, "to": partners});
        if let Some((next, _)) = rest.next() {
            shown["paging"] = json!({"next": {"after": next.to_string()}});
        }
        sheet.results.push(shown.to_string().into_bytes());
    }
    Ok(sheet.found(state, turn.now))
}

fn ends(state: &State, pair: Pair, input: &Value) -> Result<(u64, u64), Refusal> {
    Ok((resolve(state, pair.0, &id_at(input, "/from/id"))?, resolve(state, pair.1, &id_at(input, "/to/id"))?))
}

/// `POST …/batch/create`; a v3 body names the type instead of listing ids.
pub(crate) fn batch_create(state: &mut State, turn: Turn, pair: Pair, body: &Value) -> Ruling {
    let mut sheet = Sheet::default();
    for input in inputs_of(body, CREATE_MAX)? {
        let made = ends(state, pair, input).and_then(|ids| {
            let types = match input.get("type").and_then(Value::as_str) {
                Some(name) => vec![v3_type(pair, name)?],
                None => types_of(state, pair, input.get("types"))?,
            };
            link(state, turn, pair, ids, &types);
            Ok(ids)
        });
        match made {
            Ok(ids) if turn.version == Version::V3 => {
                let (from, to) = (ids.0.to_string(), ids.1.to_string());
                let shown = json!({"from": {"id": from}, "to": {"id": to}, "type": input["type"]});
                sheet.results.push(shown.to_string().into_bytes());
            }
            Ok(ids) => sheet.results.push(made_json(state, pair, ids).to_string().into_bytes()),
            Err(refusal) => sheet.errors.push(refusal.batch_entry(None)),
        }
    }
    Ok(sheet.created(state, turn.now))
}

fn v3_type(pair: Pair, name: &str) -> Result<TypeId, Refusal> {
    let types = pair_types(pair.0, pair.1).ok_or_else(|| impossible(pair))?;
    let known =
        [Some(types.plain), types.primary].into_iter().flatten().find(|type_id| v3_name(pair, *type_id) == name);
    known.ok_or_else(|| errors::invalid(format!("{name} is not a valid association type")))
}

/// `POST …/batch/associate/default`.
pub(crate) fn batch_default(state: &mut State, turn: Turn, pair: Pair, body: &Value) -> Ruling {
    let mut sheet = Sheet::default();
    for input in inputs_of(body, CREATE_MAX)? {
        let made = ends(state, pair, input).and_then(|ids| associate_default(state, turn, pair, ids, &mut sheet));
        if let Err(refusal) = made {
            sheet.errors.push(refusal.batch_entry(None));
        }
    }
    Ok(sheet.found(state, turn.now))
}

/// `POST …/batch/archive` and `…/batch/labels/archive`: 204, and 200 with a body on dated paths of 2026-09.
pub(crate) fn batch_remove(state: &mut State, turn: Turn, pair: Pair, body: &Value, labels_only: bool) -> Ruling {
    for input in inputs_of(body, CREATE_MAX)? {
        let types = if labels_only { Some(types_of(state, pair, input.get("types"))?) } else { None };
        let to = input.get("to").cloned().unwrap_or_default();
        let targets = to.as_array().cloned().unwrap_or_else(|| vec![to]);
        let Ok(from) = resolve(state, pair.0, &id_at(input, "/from/id")) else { continue };
        for target in targets {
            if let Ok(to) = resolve(state, pair.1, &id_at(&target, "/id")) {
                state.links.remove((pair.0, from), (pair.1, to), types.as_deref());
            }
        }
    }
    if turn.version.is_dated() { Ok(Sheet::default().found(state, turn.now)) } else { Ok(Outcome::Done) }
}

/// `GET …/{from}/{to}/labels`.
pub(crate) fn labels(state: &State, pair: Pair) -> Ruling {
    let labels = state.links.labels(pair.0, pair.1);
    let results: Vec<Value> = labels.iter().map(|(type_id, ..)| type_json(state, pair, *type_id)).collect();
    Ok(Outcome::found(&json!({"results": results})))
}

/// `POST …/{from}/{to}/labels`.
pub(crate) fn create_label(state: &mut State, pair: Pair, body: &Value) -> Ruling {
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let (Some(name), Some(label)) = (text("name"), text("label")) else {
        return Err(errors::invalid("name and label are required"));
    };
    pair_types(pair.0, pair.1).ok_or_else(|| impossible(pair))?;
    if state.links.custom.iter().any(|known| (known.from, known.to) == pair && known.name == name) {
        return Err(errors::invalid(format!("An association label named {name} already exists")));
    }
    let number = |at: usize| TypeId::try_from(CUSTOM_TYPE_FIRST + at).unwrap_or(TypeId::MAX);
    let (there, back) = (number(state.links.custom.len()), number(state.links.custom.len() + 1));
    let other = text("inverseLabel").unwrap_or_else(|| label.clone());
    let made =
        |from, to, type_id, inverse, label| CustomLabel { from, to, type_id, inverse, name: name.clone(), label };
    state.links.custom.push(made(pair.0, pair.1, there, back, label));
    state.links.custom.push(made(pair.1, pair.0, back, there, other));
    let results = json!([type_json(state, pair, there), type_json(state, (pair.1, pair.0), back)]);
    Ok(Outcome::found(&json!({"results": results})))
}
