//! The rules that a record as a whole must keep, and the values that it gets by itself.

use crate::fake::moment;
use crate::fake::packed::FieldId;
use crate::fake::salesforce::draft::Changes;
use crate::fake::salesforce::errors::{self, RowError};
use crate::fake::salesforce::field::{FieldType, Source};
use crate::fake::salesforce::id;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::record::Record;
use crate::fake::salesforce::shelf::Shelf;
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;
use crate::fake::salesforce::work::STAGES;

/// The value that a field will have.
fn coming<'a>(changes: &'a Changes, before: Option<&'a Record>, field: FieldId) -> Option<&'a str> {
    match changes.iter().rev().find(|(id, _)| *id == field) {
        Some((_, value)) => value.as_deref(),
        None => before?.values.get(field),
    }
}

/// A change of one object's fields by name; names that are hidden or unknown do nothing.
struct Sheet<'a> {
    shelf: &'a Shelf,
    changes: &'a mut Changes,
    before: Option<&'a Record>,
}

impl Sheet<'_> {
    fn get(&self, name: &str) -> Option<String> {
        coming(self.changes, self.before, self.shelf.catalogue.id(name)?).map(str::to_owned)
    }

    fn is_sent(&self, name: &str) -> bool {
        self.shelf.catalogue.id(name).is_some_and(|field| self.changes.iter().any(|(id, _)| *id == field))
    }

    fn set(&mut self, name: &str, value: Option<String>) {
        if let Some(field) = self.shelf.catalogue.id(name) {
            self.changes.retain(|(id, _)| *id != field);
            self.changes.push((field, value));
        }
    }
}

/// Fills in defaults and derived values.
pub(crate) fn derive(state: &State, turn: &Turn, kind: Kind, target: Option<u64>, changes: &mut Changes) {
    let shelf = state.shelf(kind);
    let before = target.and_then(|number| shelf.get(number));
    if before.is_none() {
        fill_defaults(state, turn, kind, changes);
    }
    let mut sheet = Sheet { shelf, changes, before };
    match kind {
        Kind::OPPORTUNITY => derive_stage(&mut sheet),
        Kind::TASK => derive_task(state, &mut sheet),
        Kind::CAMPAIGN_MEMBER => derive_member(turn, &mut sheet),
        _ => {}
    }
}

fn fill_defaults(state: &State, turn: &Turn, kind: Kind, changes: &mut Changes) {
    for (id, field) in state.shelf(kind).catalogue.iter().filter(|(_, field)| field.source == Source::Stored) {
        if coming(changes, None, id).is_some() {
            continue;
        }
        let value = match &field.default {
            Some(default) => default.clone(),
            None if field.name == "OwnerId" => id::text(Kind::USER.prefix(), turn.by),
            None => continue,
        };
        changes.push((id, Some(value)));
    }
}

/// The stage says whether an opportunity is closed and won, and how probable it is unless that was sent too.
fn derive_stage(sheet: &mut Sheet<'_>) {
    if !sheet.is_sent("StageName") {
        return;
    }
    let name = sheet.get("StageName").unwrap_or_default();
    let Some((_, probability, closed, won, forecast)) = STAGES.iter().find(|(stage, ..)| *stage == name) else {
        return;
    };
    if !sheet.is_sent("Probability") {
        sheet.set("Probability", Some(probability.to_string()));
    }
    sheet.set("IsClosed", Some(closed.to_string()));
    sheet.set("IsWon", Some(won.to_string()));
    sheet.set("ForecastCategory", Some((*forecast).to_owned()));
}

/// A task is closed by its status, and belongs to the account of what it is about.
fn derive_task(state: &State, sheet: &mut Sheet<'_>) {
    let closed = sheet.get("Status").is_some_and(|status| status == "Completed");
    sheet.set("IsClosed", Some(closed.to_string()));
    let account = ["WhatId", "WhoId"].iter().find_map(|name| {
        let parent = id::parse(&sheet.get(name)?)?;
        let kind = state.kind_of_prefix(parent.prefix)?;
        if kind == Kind::ACCOUNT {
            return Some(state.shelf(kind).id(parent.number));
        }
        let shelf = state.shelf(kind);
        shelf.live(parent.number)?.values.get(shelf.catalogue.id("AccountId")?).map(str::to_owned)
    });
    sheet.set("AccountId", account);
}

fn derive_member(turn: &Turn, sheet: &mut Sheet<'_>) {
    let responded = sheet.get("Status").is_some_and(|status| status == "Responded");
    sheet.set("HasResponded", Some(responded.to_string()));
    if responded && sheet.get("FirstRespondedDate").is_none() {
        sheet.set("FirstRespondedDate", Some(moment::date(turn.now)));
    }
}

/// Says what keeps the record from being saved.
pub(crate) fn check(state: &State, kind: Kind, target: Option<u64>, changes: &Changes) -> Result<(), Vec<RowError>> {
    let shelf = state.shelf(kind);
    let before = target.and_then(|number| shelf.get(number));
    if kind == Kind::LEAD && before.is_some_and(|lead| is_converted(shelf, lead)) {
        return Err(vec![RowError::new("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead").on(&[])]);
    }
    if target.is_none() {
        check_required(state, kind, changes)?;
    }
    let mut wrong = Vec::new();
    wrong.extend(check_unique(shelf, target, changes));
    wrong.extend(check_owner(state, kind, changes));
    if kind == Kind::CAMPAIGN_MEMBER {
        wrong.extend(check_member(shelf, target, changes, before));
    }
    if kind == Kind::TASK {
        wrong.extend(check_task(shelf, changes, before));
    }
    wrong.extend(check_converted_references(state, shelf, changes));
    wrong.extend(check_own_parent(shelf, target, changes));
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

pub(crate) fn is_converted(shelf: &Shelf, lead: &Record) -> bool {
    shelf.catalogue.id("IsConverted").and_then(|id| lead.values.get(id)) == Some("true")
}

fn check_required(state: &State, kind: Kind, changes: &Changes) -> Result<(), Vec<RowError>> {
    let fields = state.shelf(kind).catalogue.iter();
    let required = fields.filter(|(_, field)| !field.nillable && field.createable && field.kind != FieldType::Boolean);
    let missing: Vec<&str> =
        required.filter(|(id, _)| coming(changes, None, *id).is_none()).map(|(_, field)| field.name.as_str()).collect();
    if missing.is_empty() { Ok(()) } else { Err(vec![errors::required_missing(&missing)]) }
}

fn check_unique(shelf: &Shelf, target: Option<u64>, changes: &Changes) -> Vec<RowError> {
    let taken = |(id, value): &(FieldId, Option<String>)| {
        let field = shelf.catalogue.get(*id).filter(|field| field.unique)?;
        let holders = shelf.with_value(*id, value.as_deref()?);
        let other = holders.into_iter().find(|number| Some(*number) != target)?;
        Some(errors::duplicate_value(&field.name, &id::short_text(shelf.kind.prefix(), other)))
    };
    changes.iter().filter_map(taken).collect()
}

fn check_owner(state: &State, kind: Kind, changes: &Changes) -> Option<RowError> {
    let owner = state.shelf(kind).catalogue.id("OwnerId")?;
    let (_, value) = changes.iter().find(|(id, _)| *id == owner)?;
    let text = value.as_deref()?;
    let parsed = id::parse(text).filter(|parsed| parsed.prefix == Kind::USER.prefix())?;
    let users = state.shelf(Kind::USER);
    let active = users.get(parsed.number)?.values.get(users.catalogue.id("IsActive")?) == Some("true");
    let object = kind.name().to_lowercase();
    let message = format!("operation performed with inactive user [{text}] as owner of {object}");
    (!active).then(|| RowError::new("INACTIVE_OWNER_OR_USER", message).on(&["OwnerId"]))
}

/// A person is a member of a campaign once, and is either a lead or a contact.
fn check_member(shelf: &Shelf, target: Option<u64>, changes: &Changes, before: Option<&Record>) -> Option<RowError> {
    let of = |name: &str, record: Option<&Record>, changes: &Changes| {
        coming(changes, record, shelf.catalogue.id(name)?).map(str::to_owned)
    };
    let none = Changes::new();
    let person = |record: Option<&Record>, changes: &Changes| {
        of("LeadId", record, changes).or_else(|| of("ContactId", record, changes))
    };
    let Some(who) = person(before, changes) else {
        return Some(errors::required_missing(&["LeadId", "ContactId"]));
    };
    let campaign = of("CampaignId", before, changes)?;
    let members = shelf.with_value(shelf.catalogue.id("CampaignId")?, &campaign);
    let again = members
        .into_iter()
        .any(|number| Some(number) != target && person(shelf.get(number), &none).as_deref() == Some(who.as_str()));
    again.then(|| RowError::new("DUPLICATE_VALUE", "Already a campaign member.").on(&[]))
}

fn check_task(shelf: &Shelf, changes: &Changes, before: Option<&Record>) -> Option<RowError> {
    let of = |name: &str| coming(changes, before, shelf.catalogue.id(name)?);
    let lead = of("WhoId").is_some_and(|who| who.starts_with("00Q"));
    let message = "Related To ID: cannot be set while Name ID is a lead";
    (lead && of("WhatId").is_some()).then(|| RowError::new("FIELD_INTEGRITY_EXCEPTION", message).on(&["WhatId"]))
}

/// Nothing new may hang on a converted lead.
fn check_converted_references(state: &State, shelf: &Shelf, changes: &Changes) -> Option<RowError> {
    let leads = state.shelf(Kind::LEAD);
    let converted = |(id, value): &(FieldId, Option<String>)| {
        let field = shelf.catalogue.get(*id).filter(|field| field.kind == FieldType::Reference)?;
        let parsed = id::parse(value.as_deref()?).filter(|parsed| parsed.prefix == Kind::LEAD.prefix())?;
        let lead = leads.get(parsed.number).filter(|lead| is_converted(leads, lead));
        lead.map(|_| field.name.clone())
    };
    let field = changes.iter().find_map(converted)?;
    Some(RowError::new("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead").on(&[&field]))
}

fn check_own_parent(shelf: &Shelf, target: Option<u64>, changes: &Changes) -> Option<RowError> {
    let own = shelf.id(target?);
    let parents = ["ParentId", "ReportsToId"].into_iter().filter_map(|name| Some((name, shelf.catalogue.id(name)?)));
    let mut looped =
        parents.filter(|(_, id)| changes.iter().any(|(field, value)| field == id && value.as_ref() == Some(&own)));
    let (name, _) = looped.next()?;
    Some(RowError::new("CIRCULAR_DEPENDENCY", "attempt to violate hierarchy constraints").on(&[name]))
}
