//! Saves one record: reads it, fills it in, checks it, stores it. Every way to write goes through here.

use serde_json::{Map, Value};

use crate::fake::salesforce::draft::{self, Origin};
use crate::fake::salesforce::errors::{self, RowError};
use crate::fake::salesforce::id;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;
use crate::fake::salesforce::{checks, duplicates, roles, store};

/// Makes a record, or changes the one with that number; answers its number.
pub(crate) fn save(
    state: &mut State,
    turn: &Turn,
    kind: Kind,
    target: Option<u64>,
    origin: Origin,
    body: &Map<String, Value>,
) -> Result<u64, Vec<RowError>> {
    if !kind.facts().writable {
        let message = format!("entity type cannot be inserted: {}", kind.facts().label);
        return Err(vec![RowError::new("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message).on(&[])]);
    }
    let mut changes = draft::read(state, kind, target.is_none(), origin, body)?;
    if target.is_none() && turn.auto_assign {
        assign(state, kind, &mut changes);
    }
    checks::derive(state, turn, kind, target, &mut changes);
    checks::check(state, kind, target, &changes)?;
    check_locks(state, turn, kind, target, &changes)?;
    if let Some(error) = duplicates::check(state, turn, kind, target, &changes) {
        return Err(vec![error]);
    }
    let number = match target {
        None => store::create(state, turn, kind, &changes),
        Some(number) => {
            store::update(state, turn, kind, number, &changes);
            number
        }
    };
    roles::follow(state, turn, kind, number, target.is_none());
    Ok(number)
}

/// Deletes a live record.
pub(crate) fn delete(state: &mut State, turn: &Turn, kind: Kind, number: u64) -> Result<(), Vec<RowError>> {
    if !kind.facts().writable {
        let message = format!("Your attempt to delete {} could not be completed", kind.facts().label);
        return Err(vec![RowError::new("DELETE_FAILED", message).on(&[])]);
    }
    check_locks(state, turn, kind, Some(number), &Vec::new())?;
    store::delete(state, turn, kind, number);
    Ok(())
}

/// An assignment rule gives new records to its user, whatever owner they came with.
fn assign(state: &State, kind: Kind, changes: &mut draft::Changes) {
    let rule = state.settings.assignment_rules.iter().find(|rule| rule.kind == kind);
    let users = state.shelf(Kind::USER);
    let user = rule
        .zip(users.catalogue.id("Username"))
        .and_then(|(rule, field)| users.with_value(field, &rule.username).first().copied());
    if let (Some(user), Some(owner)) = (user, state.shelf(kind).catalogue.id("OwnerId")) {
        changes.retain(|(id, _)| *id != owner);
        changes.push((owner, Some(users.id(user))));
    }
}

/// A record, or the parent of one, that someone else is working on.
fn check_locks(
    state: &State,
    turn: &Turn,
    kind: Kind,
    target: Option<u64>,
    changes: &draft::Changes,
) -> Result<(), Vec<RowError>> {
    let own = target.map(|number| state.shelf(kind).id(number));
    if turn.rows_locked {
        return Err(vec![errors::locked_row(own.as_deref().unwrap_or_default())]);
    }
    if state.locked.is_empty() {
        return Ok(());
    }
    let parents = changes.iter().filter_map(|(_, value)| value.clone());
    let locked = own.into_iter().chain(parents).find(|text| {
        let parsed = id::parse(text);
        let kind = parsed.and_then(|parsed| state.kind_of_prefix(parsed.prefix));
        kind.zip(parsed).is_some_and(|(kind, parsed)| state.locked.contains(&(kind, parsed.number)))
    });
    locked.map_or(Ok(()), |id| Err(vec![errors::locked_row(&id)]))
}
