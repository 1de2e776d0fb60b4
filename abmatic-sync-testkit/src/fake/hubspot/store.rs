//! What a write does once it may: records made, changed, archived, restored and merged, with all that follows.

use crate::fake::hubspot::draft::Draft;
use crate::fake::hubspot::journal::{Action, note};
use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::record::{Author, PropertyId, Record};
use crate::fake::hubspot::state::State;
use crate::fake::packed::Values;

/// Stores a new record, and answers its id.
pub(crate) fn create(state: &mut State, kind: Kind, draft: &Draft, now: i64, author: Author) -> u64 {
    let mut changes = draft.changes.clone();
    add_defaults(state, kind, &mut changes, now, author);
    let pairs = changes.iter().filter_map(|(property, value)| Some((*property, value.as_deref()?))).collect();
    let mut record = Record::new(draft.created.unwrap_or(now), Values::pack(pairs));
    record.modified = now;
    let id = state.insert(kind, record, now);
    note(state, (kind, id), Action::Create, &changes, now);
    for &(to, partner, type_id) in &draft.links {
        state.links.add((kind, id), (to, partner), type_id);
        if kind.facts().engagement {
            note_activity(state, to, partner, now);
        }
    }
    associate_by_domain(state, kind, id, now);
    id
}

/// Fields that a create sets though nobody sent them.
fn add_defaults(state: &State, kind: Kind, changes: &mut Vec<(PropertyId, Option<String>)>, now: i64, author: Author) {
    let source = if author == Author::CrmUser { "CRM_UI" } else { "INTEGRATION" };
    let ms = now.to_string();
    let mut defaults =
        vec![("hs_object_source", source), ("hs_object_source_id", "19083857"), ("hs_object_source_label", source)];
    match kind {
        Kind::CONTACTS => defaults.extend([
            ("lifecyclestage", "lead"),
            ("hs_lifecyclestage_lead_date", ms.as_str()),
            ("hs_pipeline", "contacts-lifecycle-pipeline"),
        ]),
        Kind::DEALS => defaults.push(("pipeline", "default")),
        _ => {}
    }
    let catalogue = &state.shelf(kind).catalogue;
    for (name, value) in defaults {
        let Some(property) = catalogue.id(name) else { continue };
        let set = |(id, value): &(PropertyId, Option<String>)| *id == property && value.is_some();
        if !changes.iter().any(set) {
            changes.push((property, Some(value.to_owned())));
        }
    }
}

/// An engagement shows on the records that it hangs on.
pub(crate) fn note_activity(state: &mut State, kind: Kind, id: u64, now: i64) {
    let Some(property) = state.shelf(kind).catalogue.id("notes_last_updated") else { return };
    let changes = [(property, Some(crate::fake::moment::iso(now)))];
    change(state, kind, id, &changes, now, Author::Integration);
}

/// Stores changed values of a record.
pub(crate) fn update(state: &mut State, kind: Kind, id: u64, draft: &Draft, now: i64, author: Author) {
    let mut changes = draft.changes.clone();
    keep_swapped_email(state, kind, id, &mut changes);
    change(state, kind, id, &changes, now, author);
    associate_by_domain(state, kind, id, now);
}

/// A secondary address that becomes the primary one swaps places with it.
fn keep_swapped_email(state: &State, kind: Kind, id: u64, changes: &mut Vec<(PropertyId, Option<String>)>) {
    let shelf = state.shelf(kind);
    let (Some((email, more)), Some(record)) = (shelf.emails(), shelf.live.get(&id)) else { return };
    let wanted = changes.iter().find(|(property, _)| *property == email).and_then(|(_, value)| value.clone());
    let (Some(wanted), Some(others)) = (wanted, record.values.get(more)) else { return };
    if !others.split(';').any(|other| other == wanted) {
        return;
    }
    let kept = others.split(';').filter(|other| *other != wanted).chain(record.values.get(email));
    let kept = kept.collect::<Vec<_>>().join(";");
    changes.push((more, Some(kept).filter(|kept| !kept.is_empty())));
}

pub(crate) fn change(
    state: &mut State,
    kind: Kind,
    id: u64,
    changes: &[(PropertyId, Option<String>)],
    now: i64,
    author: Author,
) {
    state.before_change(kind, id, now);
    let shelf = state.shelf_mut(kind);
    let Some(mut record) = shelf.live.remove(&id) else { return };
    shelf.release(id, &record.values);
    record.change(changes, now, author);
    shelf.claim(id, &record.values);
    shelf.live.insert(id, record);
    note(state, (kind, id), Action::Update, changes, now);
}

/// Moves a record to the recycle bin; false when it was not there.
pub(crate) fn archive(state: &mut State, kind: Kind, id: u64, now: i64) -> bool {
    let Some(mut record) = take(state, kind, id) else { return false };
    record.archived_at = Some(now);
    state.shelf_mut(kind).archived.insert(id, record);
    note(state, (kind, id), Action::Delete, &[], now);
    true
}

/// Takes a live record off its shelf, with its unique values, its links and its list memberships.
fn take(state: &mut State, kind: Kind, id: u64) -> Option<Record> {
    let shelf = state.shelf_mut(kind);
    let record = shelf.live.remove(&id)?;
    shelf.release(id, &record.values);
    state.links.forget(kind, id);
    for list in state.lists.values_mut().filter(|list| list.kind == kind) {
        list.members.remove(&id);
    }
    Some(record)
}

/// Takes a record out of the recycle bin; false when it is not there or its e-mail is taken.
pub(crate) fn restore(state: &mut State, kind: Kind, id: u64, now: i64) -> bool {
    let shelf = state.shelf(kind);
    let Some(record) = shelf.archived.get(&id) else { return false };
    let email = shelf.emails().and_then(|(email, _)| Some((email, record.values.get(email)?)));
    if email.is_some_and(|(email, address)| shelf.holder(email, address).is_some()) {
        return false;
    }
    state.before_change(kind, id, now);
    let shelf = state.shelf_mut(kind);
    let Some(mut record) = shelf.archived.remove(&id) else { return false };
    record.archived_at = None;
    shelf.claim(id, &record.values);
    shelf.live.insert(id, record);
    note(state, (kind, id), Action::Restore, &[], now);
    true
}

/// Removes a record for good; false when it was nowhere.
pub(crate) fn erase(state: &mut State, kind: Kind, id: u64) -> bool {
    let was_live = take(state, kind, id).is_some();
    state.shelf_mut(kind).archived.remove(&id).is_some() || was_live
}

/// Merges two records into a third one, which both ids stand for from then on.
pub(crate) fn merge(state: &mut State, kind: Kind, primary: u64, other: u64, now: i64) -> Option<u64> {
    let shelf = state.shelf(kind);
    let (winner, loser) = (shelf.live.get(&primary)?.clone(), shelf.live.get(&other)?.clone());
    let mut values = merged_values(state, kind, &winner, &loser);
    let ids = merged_ids(state, kind, &[(primary, &winner), (other, &loser)]);
    let catalogue = &state.shelf(kind).catalogue;
    if let Some(vids) = catalogue.id("hs_calculated_merged_vids") {
        let joined: Vec<String> = ids.iter().map(|id| format!("{id}:{now}")).collect();
        values.push((vids, Some(joined.join(";"))));
    }
    if let Some(property) = catalogue.id("hs_merged_object_ids") {
        values.push((property, Some(ids.iter().map(u64::to_string).collect::<Vec<_>>().join(";"))));
    }
    let mut record = winner.clone();
    record.created = winner.created.min(loser.created);
    record.change(&values, now, Author::Integration);
    let new = state.shelf_mut(kind).take_id(1);
    state.before_change(kind, new, now);
    for old in [primary, other] {
        state.links.hand_over(kind, old, new);
        take(state, kind, old);
        state.shelf_mut(kind).aliases.insert(old, new);
    }
    let shelf = state.shelf_mut(kind);
    shelf.claim(new, &record.values);
    shelf.live.insert(new, record);
    for id in [new, primary, other] {
        note(state, (kind, id), Action::Merge, &[], now);
    }
    Some(new)
}

/// The other one's values where the primary has none; its e-mails become secondary ones.
fn merged_values(state: &State, kind: Kind, winner: &Record, loser: &Record) -> Vec<(PropertyId, Option<String>)> {
    let shelf = state.shelf(kind);
    let missing = loser.values.iter().filter(|(property, _)| winner.values.get(*property).is_none());
    let mut values: Vec<(PropertyId, Option<String>)> =
        missing.map(|(property, value)| (property, Some(value.to_owned()))).collect();
    let Some((email, more)) = shelf.emails() else { return values };
    let primary = winner.values.get(email).or_else(|| loser.values.get(email));
    let mut others: Vec<&str> = Vec::new();
    for source in [winner.values.get(more), loser.values.get(email), loser.values.get(more)] {
        for address in source.unwrap_or_default().split(';') {
            if !address.is_empty() && Some(address) != primary && !others.contains(&address) {
                others.push(address);
            }
        }
    }
    values.retain(|(property, _)| *property != more);
    if !others.is_empty() {
        values.push((more, Some(others.join(";"))));
    }
    values
}

/// All ids that went into a merge, those of earlier merges too.
fn merged_ids(state: &State, kind: Kind, parts: &[(u64, &Record)]) -> Vec<u64> {
    let property = state.shelf(kind).catalogue.id("hs_merged_object_ids");
    let mut ids = Vec::new();
    for (id, record) in parts {
        let earlier = property.and_then(|property| record.values.get(property)).unwrap_or_default();
        ids.extend(earlier.split(';').filter_map(|id| id.parse::<u64>().ok()));
        ids.push(*id);
    }
    ids.sort_unstable();
    ids
}

/// The account's setting "create and associate companies with contacts".
fn associate_by_domain(state: &mut State, kind: Kind, id: u64, now: i64) {
    const FREE_MAIL: &[&str] =
        &["gmail.com", "googlemail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com"];
    if kind != Kind::CONTACTS || !state.settings.auto_association {
        return;
    }
    let shelf = state.shelf(kind);
    let email = shelf.emails().and_then(|(email, _)| shelf.live.get(&id)?.values.get(email));
    let Some(domain) = email.and_then(|email| email.split_once('@')).map(|(_, domain)| domain.to_owned()) else {
        return;
    };
    if FREE_MAIL.contains(&domain.as_str()) || state.links.primary((kind, id), Kind::COMPANIES).is_some() {
        return;
    }
    let companies = state.shelf(Kind::COMPANIES);
    let Some(property) = companies.catalogue.id("domain") else { return };
    let known =
        companies.live.iter().find(|(_, record)| record.values.get(property) == Some(&domain)).map(|(id, _)| *id);
    let company = known.unwrap_or_else(|| {
        let draft = Draft { changes: vec![(property, Some(domain))], ..Draft::default() };
        create(state, Kind::COMPANIES, &draft, now, Author::CrmUser)
    });
    state.links.add((kind, id), (Kind::COMPANIES, company), 279);
}
