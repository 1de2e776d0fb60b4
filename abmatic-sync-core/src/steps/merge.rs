//! Decides, field by field, which side's value a pair shall have (I3).
//!
//! Pure: base, local and remote in, one [`Decision`] out. Whether a side may be written at all in this run is part of the
//! rules; what a write then looks like is the plan's business.

use chrono::{DateTime, Utc};

use crate::model::change::{Direction, Reason};
use crate::model::resource::Side;
use crate::model::value::Value;
use crate::policy::{BlankRule, ConflictRule, DuplicateHandling};
use crate::steps::mapping::MappedField;

/// One field of a pair, in the host's vocabulary.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct FieldPair<'a> {
    /// What both sides held when they last agreed: local, remote.
    pub base: Option<(&'a Value, &'a Value)>,
    /// What the host holds.
    pub local: &'a Value,
    /// What the CRM holds.
    pub remote: &'a Value,
    /// When the host's value was edited: exactly, or at the latest.
    pub local_edit: Option<DateTime<Utc>>,
    /// When the CRM's value was edited: exactly, or at the latest.
    pub remote_edit: Option<DateTime<Utc>>,
}

/// How a pair is merged.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The counterpart exists, and the duplicate handling decides. `source` is the side that was read.
    Existing {
        /// The side that was read.
        source: Side,
    },
    /// There is no counterpart yet.
    New {
        /// The side that was read.
        source: Side,
    },
    /// Base, local and remote decide.
    ThreeWay {
        /// The side that was read, for fields without a base.
        source: Side,
    },
}

/// The rules of a run, as far as single fields are concerned.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct MergeRules {
    /// What happens to values that exist already.
    pub duplicates: DuplicateHandling,
    /// Who wins a conflict.
    pub conflict: ConflictRule,
    /// Who wins a tie.
    pub tie: Side,
    /// What an emptied field means.
    pub blank: BlankRule,
    /// Whether existing local records may be written.
    pub local_open: bool,
    /// Whether existing remote records may be written.
    pub remote_open: bool,
}

/// What becomes of one field.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Both sides mean the same: the base becomes that.
    Agree,
    /// Both sides keep what they hold, and later edits are told by it: a settled difference.
    Settle(Option<Reason>),
    /// Nothing is written, and the base stays as it is. The reason is given where a value would have travelled.
    Stay(Option<Reason>),
    /// The value travels.
    Travel(Direction, Reason),
}

/// Merges one field.
///
/// ```text
/// base "A", local "A", remote "B" → to the host      base "A", local "B", remote "A" → to the CRM
/// base "A", local "B", remote "B" → agree            base "A", local "B", remote "C" → the later edit, or the source of truth
/// ```
pub fn merge_field(field: &MappedField, pair: FieldPair<'_>, mode: Mode, rules: &MergeRules) -> Decision {
    if field.same(pair.local, pair.remote) {
        return Decision::Agree;
    }
    match (mode, pair.base) {
        (Mode::New { source }, _) => new_record(field, pair, source),
        (Mode::Existing { source }, base) => existing(field, pair, source, base.is_some(), rules),
        (Mode::ThreeWay { source }, None) => existing(field, pair, source, false, rules),
        (Mode::ThreeWay { .. }, Some(base)) => three_way(field, pair, base, rules),
    }
}

fn new_record(field: &MappedField, pair: FieldPair<'_>, source: Side) -> Decision {
    let way = Direction::towards(source.other());
    let value = if source == Side::Local { pair.local } else { pair.remote };
    match (value.is_blank(), field.is_open(way)) {
        (true, _) => Decision::Agree,
        (false, true) => Decision::Travel(way, Reason::NewRecord),
        (false, false) => Decision::Settle(None),
    }
}

fn existing(field: &MappedField, pair: FieldPair<'_>, source: Side, has_base: bool, rules: &MergeRules) -> Decision {
    let (from, to) = if source == Side::Local { (pair.local, pair.remote) } else { (pair.remote, pair.local) };
    let forth = Direction::towards(source.other());
    let keep = |reason| if has_base { Decision::Stay(Some(reason)) } else { Decision::Settle(Some(reason)) };
    if rules.duplicates == DuplicateHandling::Skip {
        return keep(Reason::KeptExisting);
    }
    let wanted = match (from.is_blank(), to.is_blank()) {
        // Both blank would have been equal.
        (true, _) => (forth.target().other(), Reason::FillsEmpty),
        (false, true) => (forth.target(), Reason::FillsEmpty),
        (false, false) if rules.duplicates == DuplicateHandling::OverwriteAll => {
            (forth.target(), Reason::OverwritesExisting)
        }
        (false, false) => return keep(Reason::KeptExisting),
    };
    let way = Direction::towards(wanted.0);
    match (field.is_open(way), rules.is_open(way)) {
        (true, true) => Decision::Travel(way, wanted.1),
        (false, _) if way == forth => keep(Reason::DirectionClosed),
        (false, _) => keep_silently(has_base),
        (true, false) => Decision::Stay(None),
    }
}

fn keep_silently(has_base: bool) -> Decision {
    if has_base { Decision::Stay(None) } else { Decision::Settle(None) }
}

fn three_way(field: &MappedField, pair: FieldPair<'_>, base: (&Value, &Value), rules: &MergeRules) -> Decision {
    let local_changed = counts_as_change(field, base.0, pair.local, Direction::FromAbmatic, rules);
    let remote_changed = counts_as_change(field, base.1, pair.remote, Direction::ToAbmatic, rules);
    let (winner, reason) = match (local_changed, remote_changed) {
        (Change::None, Change::None) => return Decision::Stay(None),
        (Change::Unwanted(reason), Change::None | Change::Unwanted(_)) | (Change::None, Change::Unwanted(reason)) => {
            return Decision::Stay(Some(reason));
        }
        (Change::Wanted, Change::None | Change::Unwanted(_)) => (Side::Local, Reason::OnlyChange),
        (Change::None | Change::Unwanted(_), Change::Wanted) => (Side::Remote, Reason::OnlyChange),
        (Change::Wanted, Change::Wanted) => conflict(field, pair, rules),
    };
    let way = Direction::towards(winner.other());
    if rules.is_open(way) { Decision::Travel(way, reason) } else { Decision::Stay(None) }
}

enum Change {
    None,
    /// There is one, but it may not travel.
    Unwanted(Reason),
    Wanted,
}

fn counts_as_change(field: &MappedField, base: &Value, now: &Value, way: Direction, rules: &MergeRules) -> Change {
    if field.same(base, now) {
        Change::None
    } else if !field.direction.allows(way) {
        Change::Unwanted(Reason::DirectionClosed)
    } else if !field.is_open(way) {
        Change::Unwanted(Reason::ReadOnly)
    } else if now.is_blank() && rules.blank == BlankRule::Keep {
        Change::Unwanted(Reason::KeptBlank)
    } else {
        Change::Wanted
    }
}

fn conflict(field: &MappedField, pair: FieldPair<'_>, rules: &MergeRules) -> (Side, Reason) {
    if let Some(side) = field.source_of_truth {
        return (side, Reason::ConflictSourceOfTruth);
    }
    match rules.conflict {
        ConflictRule::Always(side) => (side, Reason::ConflictSourceOfTruth),
        ConflictRule::LatestEdit => match (pair.local_edit, pair.remote_edit) {
            (Some(local), Some(remote)) if local > remote => (Side::Local, Reason::ConflictLatestEdit),
            (Some(local), Some(remote)) if remote > local => (Side::Remote, Reason::ConflictLatestEdit),
            _ => (rules.tie, Reason::ConflictTie),
        },
    }
}

impl MergeRules {
    fn is_open(&self, way: Direction) -> bool {
        match way.target() {
            Side::Local => self.local_open,
            Side::Remote => self.remote_open,
        }
    }
}
