//! Values that were under way when a run ended: did they arrive?

use crate::model::change::Direction;
use crate::model::link::Base;
use crate::model::value::Value;
use crate::steps::form::is_form_of;
use crate::steps::mapping::MappedField;
use crate::steps::single::is_part;

/// A value that was under way when a run ended, and what both sides held once it had arrived.
pub(crate) struct Arrived {
    pub(crate) way: Direction,
    pub(crate) local: Value,
    pub(crate) remote: Value,
}

/// The value that was under way when a run ended, where its target holds it: then it arrived. A target that still holds what
/// it held before got nothing, although that may well look like a part of what was sent: `"Acme"` is no cut `"Acme Inc"`
/// where `"Acme"` was there before.
pub(crate) fn arrived(base: &Base, field: &MappedField, local: &Value, remote: &Value) -> Option<Arrived> {
    let name = field.local.as_str();
    let there = base.under_way(name, Direction::FromAbmatic);
    let here = base.under_way(name, Direction::ToAbmatic);
    let has_moved = || base.remote(name).is_none_or(|before| !field.same(before, remote));
    let holds_one = |several: &Value| field.keeps_one && is_part(several, remote);
    match (there, here) {
        (Some(sent), _) if has_moved() && holds_one(sent) => {
            Some(Arrived { way: Direction::FromAbmatic, local: sent.clone(), remote: remote.clone() })
        }
        (_, Some(written)) if field.keeps_one => (field.same(written, local) && holds_one(written)).then(|| Arrived {
            way: Direction::ToAbmatic,
            local: local.clone(),
            remote: remote.clone(),
        }),
        (Some(sent), _) if field.same(sent, remote) || (has_moved() && is_form_of(remote, sent)) => {
            Some(Arrived { way: Direction::FromAbmatic, local: sent.clone(), remote: remote.clone() })
        }
        (_, Some(written)) if field.same(written, local) => {
            Some(Arrived { way: Direction::ToAbmatic, local: local.clone(), remote: written.clone() })
        }
        (Some(_) | None, _) => None,
    }
}
