//! A write on trial: every rule a record must pass before anything is stored.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::fake::hubspot::definition::{Choice, Definition, Source};
use crate::fake::hubspot::errors::{self, BadValue, Refusal};
use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::links::TypeId;
use crate::fake::hubspot::outcome::Version;
use crate::fake::hubspot::record::PropertyId;
use crate::fake::hubspot::state::{Shelf, State};
use crate::fake::hubspot::values::{self, Around};
use crate::fake::moment;

/// Values that passed, ready to be stored.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) changes: Vec<(PropertyId, Option<String>)>,
    /// A back-dated create date.
    pub(crate) created: Option<i64>,
    /// The names that were sent.
    pub(crate) touched: Vec<String>,
    /// `"warnings":[…]`, where values were repaired.
    pub(crate) warnings: Vec<Value>,
    pub(crate) links: Vec<(Kind, u64, TypeId)>,
}

impl Draft {
    /// The value that the draft sets.
    fn set(&self, property: PropertyId) -> Option<&str> {
        self.changes.iter().find(|(id, _)| *id == property).and_then(|(_, value)| value.as_deref())
    }
}

/// Why a write does not pass.
#[derive(Clone, Debug)]
pub(crate) enum Objection {
    /// Wrong values; those of several rows are told together.
    Values(Vec<BadValue>),
    /// Anything else, on its own.
    Whole(Refusal),
}

impl Objection {
    pub(crate) fn into_refusal(self, portal_id: u64) -> Refusal {
        match self {
            Self::Values(bad) => errors::bad_values(&bad, portal_id),
            Self::Whole(refusal) => refusal,
        }
    }
}

/// Keys that earlier rows of one batch have taken.
pub(crate) type Taken = HashSet<(PropertyId, String)>;

/// Tries the properties of a write. `target` is the record to be changed, `None` for a create.
pub(crate) fn draft(
    state: &State,
    kind: Kind,
    target: Option<u64>,
    properties: &Map<String, Value>,
    version: Version,
) -> Result<Draft, Objection> {
    let shelf = state.shelf(kind);
    let record = target.and_then(|id| shelf.live.get(&id));
    let owner_ids: Vec<&str> = state.owners.iter().filter(|owner| !owner.archived).map(|owner| owner.id).collect();
    let mut draft = Draft::default();
    let mut bad = Vec::new();
    for (name, raw) in properties {
        let Some((property, definition)) = shelf.catalogue.find(name) else {
            if !kind.facts().engagement {
                let message = format!("Property \"{name}\" does not exist");
                bad.push(BadValue::new(name, "PROPERTY_DOESNT_EXIST", message));
            }
            continue;
        };
        let text = values::text_of(raw).ok_or_else(|| {
            Objection::Whole(errors::invalid_json(1, 1, "Cannot deserialize value of type `java.lang.String`"))
        })?;
        let before = record.and_then(|record| record.values.get(property));
        let around = Around { kind, owner_ids: &owner_ids, before, repair_dates: version.enforces_write_rules() };
        match accept_one(&mut draft, property, definition, &text, around, target.is_some()) {
            Ok(()) => draft.touched.push(name.clone()),
            Err(wrong) => bad.push(wrong),
        }
    }
    bad.extend(check_stage(state, kind, target, &draft));
    bad.extend(check_unique(state, shelf, target, &draft));
    if !bad.is_empty() {
        return Err(Objection::Values(bad));
    }
    check_whole(state, shelf, target, properties, &draft, version).map_err(Objection::Whole)?;
    keep_lifecycle_forward(shelf, target, &mut draft);
    Ok(draft)
}

fn accept_one(
    draft: &mut Draft,
    property: PropertyId,
    definition: &Definition,
    text: &str,
    around: Around<'_>,
    is_update: bool,
) -> Result<(), BadValue> {
    if definition.source == Source::Created && !is_update {
        let accepted = values::accept(definition, text, around)?;
        draft.created = accepted.value.as_deref().and_then(moment::parse_iso);
        return Ok(());
    }
    if definition.read_only || definition.source == Source::Created {
        let name = &definition.name;
        let message = if definition.calculated {
            format!("\"{name}\" is a calculated property; its value cannot be set.")
        } else {
            format!("\"{name}\" is a read only property; its value cannot be set.")
        };
        return Err(BadValue::new(name, "READ_ONLY_VALUE", message));
    }
    let accepted = values::accept(definition, text, around)?;
    if accepted.normalised {
        let name = &definition.name;
        draft.warnings.push(json!({
            "category": "PROPERTY_VALUE_NORMALIZED", "message": format!("{name} was normalized"),
            "context": {"propertyName": name, "rawValue": text, "normalizedValue": accepted.value},
        }));
    }
    draft.changes.push((property, accepted.value));
    Ok(())
}

/// A deal's stage must belong to its pipeline; a pipeline must exist.
fn check_stage(state: &State, kind: Kind, target: Option<u64>, draft: &Draft) -> Option<BadValue> {
    let pipelines = state.pipelines.get(&kind)?;
    let shelf = state.shelf(kind);
    let (stage_id, stage) = shelf.catalogue.find("dealstage")?;
    let (pipeline_id, pipeline) = shelf.catalogue.find("pipeline")?;
    let present = |property| target.and_then(|id| shelf.live.get(&id)).and_then(|record| record.values.get(property));
    let chosen = draft.set(pipeline_id).or_else(|| present(pipeline_id)).unwrap_or("default");
    let Some(known) = pipelines.iter().find(|pipeline| pipeline.id == chosen) else {
        let choices: Vec<Choice> = (0..).zip(pipelines).map(|(order, p)| Choice::new(p.id, p.label, order)).collect();
        return Some(values::not_an_option(pipeline, chosen, &choices));
    };
    let chosen = draft.set(stage_id).or_else(|| present(stage_id))?;
    if known.stages.iter().any(|stage| stage.id == chosen) {
        return None;
    }
    let choices: Vec<Choice> = (0..).zip(&known.stages).map(|(order, s)| Choice::new(s.id, s.label, order)).collect();
    Some(values::not_an_option(stage, chosen, &choices))
}

fn check_unique(state: &State, shelf: &Shelf, target: Option<u64>, draft: &Draft) -> Vec<BadValue> {
    let mut bad = Vec::new();
    for (property, value) in &draft.changes {
        let (Some(definition), Some(value)) = (shelf.catalogue.get(*property), value) else { continue };
        let holder = shelf.holder(*property, value).filter(|holder| definition.unique && Some(*holder) != target);
        if let Some(holder) = holder {
            bad.push(errors::unique_taken(shelf.kind, &definition.name, value, holder, state.settings.portal_id));
        }
    }
    bad
}

/// What is required, what an admin requires, and e-mails that are taken.
fn check_whole(
    state: &State,
    shelf: &Shelf,
    target: Option<u64>,
    properties: &Map<String, Value>,
    draft: &Draft,
    version: Version,
) -> Result<(), Refusal> {
    if target.is_none() {
        check_required(shelf, draft)?;
    }
    if version.enforces_write_rules() {
        check_admin_rules(state, shelf, target, properties, draft)?;
    }
    let Some((email, _)) = shelf.emails() else { return Ok(()) };
    let Some(address) = draft.set(email) else { return Ok(()) };
    if state.blocked_emails.contains(address) {
        return Err(errors::email_blocklisted(address));
    }
    match shelf.holder(email, address) {
        Some(holder) if Some(holder) != target => Err(errors::contact_exists(Some(holder))),
        _ => Ok(()),
    }
}

fn check_required(shelf: &Shelf, draft: &Draft) -> Result<(), Refusal> {
    let (all, any): (&[&str], &[&str]) = match shelf.kind {
        Kind::CONTACTS => (&[], &["email", "firstname", "lastname"]),
        Kind::COMPANIES => (&[], &["name", "domain"]),
        Kind::DEALS => (&["dealname", "dealstage"], &[]),
        Kind::LEADS => (&["hs_lead_name"], &[]),
        Kind::EMAILS => (&["hs_timestamp", "hs_email_direction"], &[]),
        Kind::COMMUNICATIONS => {
            (&["hs_timestamp", "hs_communication_channel_type", "hs_communication_logged_from"], &[])
        }
        Kind::MEETINGS => (&[], &["hs_timestamp", "hs_meeting_start_time"]),
        _ => (&["hs_timestamp"], &[]),
    };
    let has = |name: &&&str| shelf.catalogue.id(name).is_some_and(|id| draft.set(id).is_some());
    let missing: Vec<&str> = all.iter().filter(|name| !has(name)).copied().collect();
    if !missing.is_empty() {
        return Err(errors::required_on_create(shelf.kind, &missing));
    }
    if !any.is_empty() && !any.iter().any(|name| has(&name)) {
        return Err(errors::required_on_create(shelf.kind, any));
    }
    Ok(())
}

fn check_admin_rules(
    state: &State,
    shelf: &Shelf,
    target: Option<u64>,
    properties: &Map<String, Value>,
    draft: &Draft,
) -> Result<(), Refusal> {
    let mut missing = Vec::new();
    for rule in state.settings.admin_rules.iter().filter(|rule| rule.kind == shelf.kind) {
        let Some(id) = shelf.catalogue.id(&rule.required) else { continue };
        let stored = target.and_then(|id| shelf.live.get(&id)).and_then(|record| record.values.get(id));
        let sent = draft.changes.iter().any(|(property, _)| *property == id);
        if draft.set(id).is_some() || (stored.is_some() && !sent) {
            continue;
        }
        match &rule.controlling {
            None if target.is_none() => missing.push(rule.required.clone()),
            Some(controlling) if properties.contains_key(controlling) => {
                return Err(errors::required_by_condition(&rule.required, controlling));
            }
            _ => {}
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(errors::required_by_admin(&missing)) }
}

/// `lifecyclestage` moves forward only: a step back is ignored, as HubSpot does, unless it was cleared first.
fn keep_lifecycle_forward(shelf: &Shelf, target: Option<u64>, draft: &mut Draft) {
    let Some((property, definition)) = shelf.catalogue.find("lifecyclestage") else { return };
    let rank = |value: &str| definition.choices.iter().position(|choice| choice.value == value);
    let present = target.and_then(|id| shelf.live.get(&id)).and_then(|record| record.values.get(property));
    let Some(present) = present.and_then(rank) else { return };
    if draft.set(property).and_then(rank).is_some_and(|wanted| wanted < present) {
        draft.changes.retain(|(id, _)| *id != property);
    }
}

/// Tries the inline associations of a create, and adds them to the draft.
pub(crate) fn draft_links(state: &State, kind: Kind, raw: Option<&Value>, draft: &mut Draft) -> Result<(), Objection> {
    let mut wrong = Vec::new();
    for entry in raw.and_then(Value::as_array).into_iter().flatten() {
        let id = entry.pointer("/to/id").and_then(values::text_of).unwrap_or_default();
        for wanted in entry.get("types").and_then(Value::as_array).into_iter().flatten() {
            let type_id =
                wanted.get("associationTypeId").and_then(Value::as_u64).and_then(|id| TypeId::try_from(id).ok());
            let found = type_id.and_then(|type_id| {
                let to = state.links.target_of(kind, type_id)?;
                Some((to, state.shelf(to).resolve(id.parse().ok()?)?, type_id))
            });
            match found {
                Some(link) => draft.links.push(link),
                None => wrong.push(id.clone()),
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Objection::Whole(errors::associations_invalid(wrong))) }
}

/// Two rows of one batch that want one unique value; the second one is refused.
pub(crate) fn check_batch_twins(shelf: &Shelf, draft: &Draft, taken: &mut Taken) -> Result<(), Objection> {
    let email = shelf.emails().map(|(email, _)| email);
    for (property, value) in &draft.changes {
        let Some(value) = value else { continue };
        let unique = shelf.catalogue.get(*property).is_some_and(|definition| definition.unique);
        if (!unique && email != Some(*property)) || taken.insert((*property, value.to_lowercase())) {
            continue;
        }
        if email == Some(*property) {
            return Err(Objection::Whole(errors::contact_exists(None)));
        }
        let name = shelf.catalogue.get(*property).map(|definition| definition.name.as_str()).unwrap_or_default();
        return Err(Objection::Values(vec![errors::unique_taken(shelf.kind, name, value, 0, 0)]));
    }
    Ok(())
}
