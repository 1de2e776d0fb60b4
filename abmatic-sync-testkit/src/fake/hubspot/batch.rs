//! Records by the hundred: batch read, create, update, upsert and archive, with their partial successes.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

use crate::fake::hubspot::draft::{self, Draft, Objection, Taken};
use crate::fake::hubspot::errors::{self, BadValue, Refusal};
use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::objects::{self, Key};
use crate::fake::hubspot::outcome::{Outcome, Reading, Ruling, Turn};
use crate::fake::hubspot::record::Author;
use crate::fake::hubspot::state::State;
use crate::fake::hubspot::store;
use crate::fake::hubspot::values;
use crate::fake::hubspot::view::{Selection, View, write_record};
use crate::fake::{json, moment};

const INPUTS_MAX: usize = 100;

/// A finished batch: records as JSON, and what went wrong.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    pub(crate) results: Vec<Vec<u8>>,
    pub(crate) errors: Vec<Value>,
}

impl Sheet {
    /// The batch's body; results come in no order that means anything.
    pub(crate) fn body(mut self, state: &mut State, now: i64) -> Vec<u8> {
        state.dice.shuffle(&mut self.results);
        let mut out = Vec::with_capacity(self.results.iter().map(Vec::len).sum::<usize>() + 512);
        out.extend_from_slice(b"{\"status\":\"COMPLETE\",\"results\":");
        json::array(&mut out, &self.results, |out, record| out.extend_from_slice(record));
        if !self.errors.is_empty() {
            let count = self.errors.len();
            out.extend_from_slice(format!(",\"numErrors\":{count},\"errors\":{}", Value::from(self.errors)).as_bytes());
        }
        let at = moment::iso(now);
        out.extend_from_slice(format!(",\"startedAt\":\"{at}\",\"completedAt\":\"{at}\"}}").as_bytes());
        out
    }

    /// 200, or 207 where something went wrong.
    pub(crate) fn found(self, state: &mut State, now: i64) -> Outcome {
        let mixed = !self.errors.is_empty();
        let body = self.body(state, now);
        if mixed { Outcome::Mixed(body) } else { Outcome::Found(body) }
    }

    /// 201, or 207 where something went wrong.
    pub(crate) fn created(self, state: &mut State, now: i64) -> Outcome {
        let mixed = !self.errors.is_empty();
        let body = self.body(state, now);
        if mixed { Outcome::Mixed(body) } else { Outcome::Created { body, path: None } }
    }
}

/// The `inputs` of a batch, not more than allowed.
pub(crate) fn inputs_of(body: &Value, max: usize) -> Result<&[Value], Refusal> {
    let inputs = body.get("inputs").and_then(Value::as_array).ok_or_else(|| {
        errors::invalid_json(1, 1, "Cannot build BatchInput, some of required attributes are not set [inputs]")
    })?;
    if inputs.len() > max { Err(errors::batch_too_large(inputs.len(), max)) } else { Ok(inputs) }
}

fn text_field(input: &Value, name: &str) -> String {
    input.get(name).and_then(values::text_of).unwrap_or_default()
}

fn trace_of(input: &Value) -> Option<&str> {
    input.get("objectWriteTraceId").and_then(Value::as_str)
}

/// Rows fail one by one only when each carries a trace id and no two are equal.
fn is_traced(inputs: &[Value]) -> bool {
    let mut seen = HashSet::new();
    !inputs.is_empty() && inputs.iter().all(|input| trace_of(input).is_some_and(|trace| seen.insert(trace)))
}

/// One id twice is refused whole, with trace ids or without.
fn refuse_twins(inputs: &[Value]) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    let mut twice = BTreeSet::new();
    for input in inputs {
        let id = text_field(input, "id").to_lowercase();
        if !seen.insert(id.clone()) {
            twice.insert(id);
        }
    }
    if twice.is_empty() { Ok(()) } else { Err(errors::duplicate_ids(twice.into_iter().collect())) }
}

/// `POST …/batch/read`.
pub(crate) fn read(state: &mut State, turn: Turn, kind: Kind, reading: &Reading, body: &Value) -> Ruling {
    let inputs = inputs_of(body, INPUTS_MAX)?;
    let key = objects::key_of(state, kind, body.get("idProperty").and_then(Value::as_str))?;
    let names = |field: &str| -> Vec<String> {
        let names = body.get(field).and_then(Value::as_array).into_iter().flatten();
        names.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let wanted =
        Reading { properties: names("properties"), history: names("propertiesWithHistory"), ..Reading::default() };
    let shelf = state.shelf(kind);
    let selection = Selection::of(shelf, &wanted).without_url();
    let mut sheet = Sheet::default();
    let (mut shown, mut missing) = (HashSet::new(), Vec::new());
    for input in inputs {
        let text = text_field(input, "id");
        let found = if reading.archived {
            objects::find_archived(shelf, key, &text)
        } else {
            objects::find(state, kind, key, &text).and_then(|id| Some((id, shelf.live.get(&id)?)))
        };
        match found {
            Some((id, record)) if shown.insert(id) => {
                let mut out = Vec::with_capacity(512);
                write_record(&mut out, View { state, kind, id, record }, &selection, "");
                sheet.results.push(out);
            }
            Some(_) => {}
            None => missing.push(text),
        }
    }
    if !missing.is_empty() {
        sheet.errors.push(errors::some_not_found(kind, missing).batch_entry(None));
    }
    Ok(sheet.found(state, turn.now))
}

/// `POST …/batch/create`.
pub(crate) fn create(state: &mut State, turn: Turn, kind: Kind, body: &Value) -> Ruling {
    let inputs = inputs_of(body, INPUTS_MAX)?;
    let mut rows = Vec::with_capacity(inputs.len());
    let mut taken = Taken::new();
    for input in inputs {
        let draft = objects::try_create(state, turn, kind, input)
            .and_then(|draft| draft::check_batch_twins(state.shelf(kind), &draft, &mut taken).map(|()| draft));
        rows.push((draft, trace_of(input)));
    }
    if !is_traced(inputs) {
        refuse_any(rows.iter().map(|(row, _)| row), state.settings.portal_id)?;
    }
    let mut sheet = Sheet::default();
    let selection = Selection::all(state.shelf(kind));
    for (row, trace) in rows {
        match row {
            Ok(draft) => {
                let id = store::create(state, kind, &draft, turn.now, Author::Integration);
                sheet.show(state, kind, id, &selection, &objects::warnings_of(&draft));
            }
            Err(objection) => sheet.object(objection, trace, state.settings.portal_id),
        }
    }
    Ok(sheet.created(state, turn.now))
}

impl Sheet {
    fn show(&mut self, state: &State, kind: Kind, id: u64, selection: &Selection, extra: &str) {
        let mut out = Vec::with_capacity(512);
        objects::show(&mut out, state, kind, id, selection, extra);
        self.results.push(out);
    }

    fn object(&mut self, objection: Objection, trace: Option<&str>, portal_id: u64) {
        self.errors.push(objection.into_refusal(portal_id).batch_entry(trace));
    }
}

/// Refuses the whole batch for one bad row: all wrong values together, else the first refusal alone.
fn refuse_any<'a, T: 'a>(rows: impl Iterator<Item = &'a Result<T, Objection>>, portal_id: u64) -> Result<(), Refusal> {
    let mut values: Vec<BadValue> = Vec::new();
    let mut first = None;
    for row in rows {
        match row {
            Ok(_) => {}
            Err(Objection::Values(bad)) => values.extend(bad.iter().cloned()),
            Err(Objection::Whole(refusal)) => first = first.or_else(|| Some(refusal.clone())),
        }
    }
    if !values.is_empty() {
        return Err(errors::bad_values(&values, portal_id));
    }
    first.map_or(Ok(()), Err)
}

/// What becomes of one row of an update.
enum Aim {
    /// A record to change.
    Record(u64),
    /// Merged away or no id at all: left out without a word.
    Dropped,
    /// Not there.
    Missing(String),
}

fn aim(state: &State, kind: Kind, input: &Value) -> Result<Aim, Refusal> {
    let name = input.get("idProperty").and_then(Value::as_str);
    let key = objects::key_of(state, kind, name)?;
    let is_email =
        matches!(key, Key::Unique(property) if state.shelf(kind).emails().is_some_and(|(email, _)| email == property));
    if is_email {
        return Err(errors::key_not_unique(kind, name.unwrap_or_default()));
    }
    let text = text_field(input, "id");
    if key == Key::Id {
        let Ok(id) = text.parse::<u64>() else { return Ok(Aim::Dropped) };
        let shelf = state.shelf(kind);
        return Ok(match (shelf.live.contains_key(&id), shelf.aliases.contains_key(&id)) {
            (true, _) => Aim::Record(id),
            (false, true) => Aim::Dropped,
            (false, false) => Aim::Missing(text),
        });
    }
    Ok(objects::find(state, kind, key, &text).map_or(Aim::Missing(text), Aim::Record))
}

/// `POST …/batch/update`.
pub(crate) fn update(state: &mut State, turn: Turn, kind: Kind, body: &Value) -> Ruling {
    let inputs = inputs_of(body, INPUTS_MAX)?;
    refuse_twins(inputs)?;
    let traced = is_traced(inputs);
    let mut sheet = Sheet::default();
    let mut rows = Vec::with_capacity(inputs.len());
    let mut taken = Taken::new();
    for input in inputs {
        let trace = trace_of(input);
        match aim(state, kind, input)? {
            Aim::Record(id) => {
                let properties = objects::properties_of(input)?;
                let row = draft::draft(state, kind, Some(id), properties, turn.version)
                    .and_then(|draft| draft::check_batch_twins(state.shelf(kind), &draft, &mut taken).map(|()| draft));
                rows.push((row.map(|draft| (id, draft)), trace));
            }
            Aim::Dropped => {}
            Aim::Missing(text) => sheet.errors.push(errors::some_not_found(kind, vec![text]).batch_entry(trace)),
        }
    }
    if !traced {
        refuse_any(rows.iter().map(|(row, _)| row), state.settings.portal_id)?;
    }
    for (row, trace) in rows {
        match row {
            Ok((id, draft)) => apply(state, turn, kind, id, &draft, &mut sheet, ""),
            Err(objection) => sheet.object(objection, trace, state.settings.portal_id),
        }
    }
    Ok(sheet.found(state, turn.now))
}

fn apply(state: &mut State, turn: Turn, kind: Kind, id: u64, draft: &Draft, sheet: &mut Sheet, extra: &str) {
    store::update(state, kind, id, draft, turn.now, Author::Integration);
    let parts = [extra.to_owned(), objects::warnings_of(draft)];
    let extra: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    let selection = Selection::touched(state.shelf(kind), &draft.touched);
    sheet.show(state, kind, id, &selection, &extra.join(","));
}

/// `POST …/batch/upsert`.
pub(crate) fn upsert(state: &mut State, turn: Turn, kind: Kind, body: &Value) -> Ruling {
    let inputs = inputs_of(body, INPUTS_MAX)?;
    refuse_twins(inputs)?;
    let mut rows = Vec::with_capacity(inputs.len());
    let mut taken = Taken::new();
    for input in inputs {
        let key = objects::key_of(state, kind, input.get("idProperty").and_then(Value::as_str))?;
        let row = try_upsert(state, turn, kind, key, input).and_then(|(target, draft)| {
            draft::check_batch_twins(state.shelf(kind), &draft, &mut taken).map(|()| (target, draft))
        });
        rows.push((row, trace_of(input)));
    }
    if !is_traced(inputs) {
        refuse_any(rows.iter().map(|(row, _)| row), state.settings.portal_id)?;
    }
    let mut sheet = Sheet::default();
    let all = Selection::all(state.shelf(kind));
    for (row, trace) in rows {
        match row {
            Ok((Some(id), draft)) => apply(state, turn, kind, id, &draft, &mut sheet, "\"new\":false"),
            Ok((None, draft)) => {
                let id = store::create(state, kind, &draft, turn.now, Author::Integration);
                let warnings = objects::warnings_of(&draft);
                let extra =
                    if warnings.is_empty() { "\"new\":true".to_owned() } else { format!("\"new\":true,{warnings}") };
                sheet.show(state, kind, id, &all, &extra);
            }
            Err(objection) => sheet.object(objection, trace, state.settings.portal_id),
        }
    }
    Ok(sheet.found(state, turn.now))
}

fn try_upsert(
    state: &State,
    turn: Turn,
    kind: Kind,
    key: Key,
    input: &Value,
) -> Result<(Option<u64>, Draft), Objection> {
    let text = text_field(input, "id");
    let target = objects::find(state, kind, key, &text);
    let mut properties: Map<String, Value> = objects::properties_of(input).map_err(Objection::Whole)?.clone();
    match key {
        Key::Id if target.is_none() => return Err(Objection::Whole(errors::some_not_found(kind, vec![text]))),
        Key::Unique(property) if target.is_none() => {
            if let Some(definition) = state.shelf(kind).catalogue.get(property) {
                properties.entry(definition.name.clone()).or_insert_with(|| text.into());
            }
        }
        Key::Id | Key::Unique(_) => {}
    }
    draft::draft(state, kind, target, &properties, turn.version).map(|draft| (target, draft))
}

/// `POST …/batch/archive`; unknown ids are ignored.
pub(crate) fn archive(state: &mut State, turn: Turn, kind: Kind, body: &Value) -> Ruling {
    for input in inputs_of(body, INPUTS_MAX)? {
        objects::archive(state, turn, kind, &text_field(input, "id"))?;
    }
    Ok(Outcome::Done)
}
