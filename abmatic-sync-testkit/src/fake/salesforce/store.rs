//! What happens to records: made, changed, deleted, restored, merged. Whether it may happen is asked elsewhere.

use crate::fake::packed::{FieldId, Values};
use crate::fake::salesforce::draft::Changes;
use crate::fake::salesforce::field::{FieldType, Source};
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::record::{Record, whole_seconds};
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;

/// Makes a record and answers its number.
pub(crate) fn create(state: &mut State, turn: &Turn, kind: Kind, changes: &Changes) -> u64 {
    let number = state.shelf_mut(kind).take_number();
    let record = Record::new(turn.now, turn.by, Values::default().with(changes));
    state.put(kind, number, Some(record));
    number
}

/// Changes a record. A call that changes nothing still counts as a change.
pub(crate) fn update(state: &mut State, turn: &Turn, kind: Kind, number: u64, changes: &Changes) {
    let Some(mut record) = state.shelf(kind).get(number).cloned() else { return };
    record.values = record.values.with(changes);
    record.touch(turn.now, turn.by);
    state.put(kind, number, Some(record));
}

/// The references that lead to a record: whose, by which field, and whether they go with it.
fn children(state: &State, kind: Kind, number: u64) -> Vec<(Kind, u64, FieldId, bool)> {
    let id = state.shelf(kind).id(number);
    let mut found = Vec::new();
    for child in Kind::all() {
        let shelf = state.shelf(child);
        for (field_id, field) in shelf.catalogue.iter() {
            let leads_here = field.kind == FieldType::Reference
                && field.source == Source::Stored
                && shelf.is_indexed(field_id)
                && field.targets.contains(&kind.name());
            if leads_here {
                let cascade = field.children.is_some_and(|(_, cascade)| cascade);
                let hits = shelf.candidates(field_id, &id).filter(|number| {
                    shelf.get(*number).and_then(|record| record.values.get(field_id)) == Some(id.as_str())
                });
                found.extend(hits.map(|number| (child, number, field_id, cascade)));
            }
        }
    }
    found
}

/// Puts a live record into the recycle bin, and what belongs to it with it; other references to it are cleared.
pub(crate) fn delete(state: &mut State, turn: &Turn, kind: Kind, number: u64) -> bool {
    let Some(mut record) = state.shelf(kind).live(number).cloned() else { return false };
    record.touch(turn.now, turn.by);
    record.deleted_at = Some(whole_seconds(turn.now));
    state.put(kind, number, Some(record));
    for (child, child_number, field, cascade) in children(state, kind, number) {
        if cascade {
            delete(state, turn, child, child_number);
        } else if state.shelf(child).live(child_number).is_some() {
            update(state, turn, child, child_number, &vec![(field, None)]);
        }
    }
    true
}

/// Takes a deleted record out of the recycle bin, and what was deleted with it. Losers of merges stay.
pub(crate) fn undelete(state: &mut State, turn: &Turn, kind: Kind, number: u64) -> bool {
    let deleted = state.shelf(kind).get(number).filter(|record| !record.is_live() && record.master.is_none());
    let Some(mut record) = deleted.cloned() else { return false };
    let at = record.deleted_at.take();
    record.touch(turn.now, turn.by);
    state.put(kind, number, Some(record));
    for (child, child_number, _, cascade) in children(state, kind, number) {
        let with_it = state.shelf(child).get(child_number).is_some_and(|record| record.deleted_at == at);
        if cascade && with_it {
            undelete(state, turn, child, child_number);
        }
    }
    true
}

/// Removes a record for good.
pub(crate) fn erase(state: &mut State, kind: Kind, number: u64) -> bool {
    let known = state.shelf(kind).get(number).is_some();
    if known {
        state.put(kind, number, None);
    }
    known
}

/// Merges `loser` into `winner`: its children move, and it goes into the recycle bin with a word of its survivor.
pub(crate) fn merge(state: &mut State, turn: &Turn, kind: Kind, winner: u64, loser: u64) -> bool {
    let shelf = state.shelf(kind);
    if winner == loser || shelf.live(winner).is_none() {
        return false;
    }
    let Some(mut record) = shelf.live(loser).cloned() else { return false };
    let survivor = shelf.id(winner);
    for (child, child_number, field, _) in children(state, kind, loser) {
        update(state, turn, child, child_number, &vec![(field, Some(survivor.clone()))]);
    }
    record.touch(turn.now, turn.by);
    (record.deleted_at, record.master) = (Some(whole_seconds(turn.now)), Some(winner));
    state.put(kind, loser, Some(record));
    update(state, turn, kind, winner, &Changes::new());
    true
}
