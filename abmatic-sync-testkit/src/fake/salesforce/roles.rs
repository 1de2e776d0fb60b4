//! What goes with contact roles: an opportunity that names a contact gets one, and only one of them is primary.

use crate::fake::salesforce::draft::Changes;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::store;
use crate::fake::salesforce::turn::Turn;
use crate::fake::salesforce::view::View;

/// What follows from a record that was saved.
pub(crate) fn follow(state: &mut State, turn: &Turn, kind: Kind, number: u64, is_new: bool) {
    match kind {
        Kind::OPPORTUNITY if is_new => add_primary(state, turn, number),
        Kind::CONTACT_ROLE => keep_one_primary(state, turn, number),
        _ => {}
    }
}

/// `ContactId`, which can be set when an opportunity is made, makes its primary role.
fn add_primary(state: &mut State, turn: &Turn, opportunity: u64) {
    let shelf = state.shelf(Kind::OPPORTUNITY);
    let contact = View::of(shelf, opportunity).and_then(|view| view.stored("ContactId")).map(str::to_owned);
    let Some(contact) = contact else { return };
    let values = [("OpportunityId", shelf.id(opportunity)), ("ContactId", contact), ("IsPrimary", "true".to_owned())];
    let catalogue = &state.shelf(Kind::CONTACT_ROLE).catalogue;
    let named = values.into_iter().filter_map(|(name, value)| Some((catalogue.id(name)?, Some(value))));
    let changes: Changes = named.collect();
    store::create(state, turn, Kind::CONTACT_ROLE, &changes);
}

/// A new primary role takes the place of the old one.
fn keep_one_primary(state: &mut State, turn: &Turn, number: u64) {
    let shelf = state.shelf(Kind::CONTACT_ROLE);
    let Some(view) = View::of(shelf, number).filter(|view| view.stored("IsPrimary") == Some("true")) else { return };
    let (Some(field), Some(flag)) = (shelf.catalogue.id("OpportunityId"), shelf.catalogue.id("IsPrimary")) else {
        return;
    };
    let siblings = shelf.with_value(field, view.stored("OpportunityId").unwrap_or_default());
    let is_primary = |other: &u64| {
        *other != number && View::of(shelf, *other).is_some_and(|view| view.stored("IsPrimary") == Some("true"))
    };
    for other in siblings.into_iter().filter(is_primary).collect::<Vec<u64>>() {
        store::update(state, turn, Kind::CONTACT_ROLE, other, &vec![(flag, Some("false".to_owned()))]);
    }
}
