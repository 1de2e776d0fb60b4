//! Decides, field by field, which side's value a pair shall have (I3).
//!
//! Pure: base, local and remote in, one [`Decision`] out. Whether a side may be written at all in this run is part of the
//! rules; what a write then looks like is the plan's business.

use chrono::{DateTime, Utc};

use crate::model::change::{Direction, Reason};
use crate::model::resource::Side;
use crate::model::value::Value;
use crate::policy::{BlankRule, ConflictRule, DuplicateHandling, Policy};
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

impl<'a> FieldPair<'a> {
    /// What both sides hold, and held when they last agreed. Nobody knows when it was edited.
    pub fn new(base: Option<(&'a Value, &'a Value)>, local: &'a Value, remote: &'a Value) -> Self {
        Self { base, local, remote, local_edit: None, remote_edit: None }
    }

    /// Says when the two values were edited: exactly, or at the latest.
    #[must_use]
    pub fn edited(mut self, local: Option<DateTime<Utc>>, remote: Option<DateTime<Utc>>) -> Self {
        (self.local_edit, self.remote_edit) = (local, remote);
        self
    }
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
    /// Nothing is written, and the base becomes blank: what one side holds beyond it counts as its edit.
    SettleBlank,
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
        (Mode::ThreeWay { source }, None) => existing(field, pair, source, false, &rules.without_skip()),
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
        // One side is blank and this run may not fill it: a later one will, unless somebody edits it before.
        (true, false) if wanted.1 == Reason::FillsEmpty && !has_base => Decision::SettleBlank,
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
    /// What a policy says of single fields.
    pub fn of(policy: &Policy) -> Self {
        Self {
            duplicates: policy.duplicates,
            conflict: policy.conflict,
            tie: policy.tie,
            blank: policy.blank,
            local_open: policy.import.update,
            remote_open: policy.export.update,
        }
    }

    /// To skip is for records that exist already, not for a field of a linked pair that nobody could fill before.
    fn without_skip(&self) -> Self {
        let duplicates = match self.duplicates {
            DuplicateHandling::Skip => DuplicateHandling::UpdateMissing,
            DuplicateHandling::OverwriteAll | DuplicateHandling::UpdateMissing => self.duplicates,
        };
        Self { duplicates, ..*self }
    }

    fn is_open(&self, way: Direction) -> bool {
        match way.target() {
            Side::Local => self.local_open,
            Side::Remote => self.remote_open,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::{Decision, FieldPair, MergeRules, Mode, merge_field};
    use crate::model::change::Direction::{FromAbmatic, ToAbmatic};
    use crate::model::change::Reason;
    use crate::model::mapping::{FieldMapping, Mapping, MappingDirection};
    use crate::model::resource::{Resource, Side};
    use crate::model::schema::{Field, FieldType, Schema};
    use crate::model::value::Value;
    use crate::policy::{BlankRule, ConflictRule, DuplicateHandling};
    use crate::steps::mapping::{CompiledMapping, MappedField, Sides};

    const RULES: MergeRules = MergeRules {
        duplicates: DuplicateHandling::UpdateMissing,
        conflict: ConflictRule::LatestEdit,
        tie: Side::Remote,
        blank: BlankRule::Keep,
        local_open: true,
        remote_open: true,
    };
    const CLEARS: MergeRules = MergeRules { blank: BlankRule::Clear, ..RULES };
    const THREE_WAY: Mode = Mode::ThreeWay { source: Side::Remote };
    const IMPORT: Mode = Mode::Existing { source: Side::Remote };

    fn field(change: impl Fn(FieldMapping) -> FieldMapping) -> MappedField {
        let schema = Schema::new(vec![Field::new("name", FieldType::Text)]);
        let mapping = Mapping::new(vec![change(FieldMapping::new("name", "name"))]);
        CompiledMapping::compile(&mapping, Sides::new(Resource::Account, &schema, &schema)).unwrap().fields.remove(0)
    }

    fn decide(
        field: &MappedField,
        base: Option<&str>,
        local: &str,
        remote: &str,
        mode: Mode,
        rules: &MergeRules,
    ) -> Decision {
        let base = base.map(Value::text);
        let (local, remote) = (Value::text(local), Value::text(remote));
        merge_field(field, FieldPair::new(base.as_ref().map(|base| (base, base)), &local, &remote), mode, rules)
    }

    #[test]
    fn a_linked_pair_follows_the_one_that_changed() {
        let two_way = field(|field| field);
        let cases: &[(&str, &str, &str, &MergeRules, Decision)] = &[
            ("A", "A", "A", &RULES, Decision::Agree),
            ("A", "B", "B", &RULES, Decision::Agree),
            ("A", "A", "B", &RULES, Decision::Travel(ToAbmatic, Reason::OnlyChange)),
            ("A", "B", "A", &RULES, Decision::Travel(FromAbmatic, Reason::OnlyChange)),
            ("A", "B", "C", &RULES, Decision::Travel(ToAbmatic, Reason::ConflictTie)),
            ("A", "", "A", &RULES, Decision::Stay(Some(Reason::KeptBlank))),
            ("A", "", "B", &RULES, Decision::Travel(ToAbmatic, Reason::OnlyChange)),
            ("A", "", "A", &CLEARS, Decision::Travel(FromAbmatic, Reason::OnlyChange)),
            ("", "", "B", &RULES, Decision::Travel(ToAbmatic, Reason::OnlyChange)),
        ];
        for (base, local, remote, rules, expected) in cases {
            let got = decide(&two_way, Some(base), local, remote, THREE_WAY, rules);
            assert_eq!(got, *expected, "base {base:?} local {local:?} remote {remote:?}");
        }
    }

    #[test]
    fn a_first_match_follows_the_duplicate_handling() {
        let two_way = field(|field| field);
        let with = |duplicates| MergeRules { duplicates, ..RULES };
        use DuplicateHandling::{OverwriteAll, Skip, UpdateMissing};
        let cases: &[(DuplicateHandling, &str, &str, Decision)] = &[
            (Skip, "", "B", Decision::Settle(Some(Reason::KeptExisting))),
            (UpdateMissing, "", "B", Decision::Travel(ToAbmatic, Reason::FillsEmpty)),
            (UpdateMissing, "A", "B", Decision::Settle(Some(Reason::KeptExisting))),
            (UpdateMissing, "A", "", Decision::Travel(FromAbmatic, Reason::FillsEmpty)),
            (OverwriteAll, "A", "B", Decision::Travel(ToAbmatic, Reason::OverwritesExisting)),
            (OverwriteAll, "A", "", Decision::Travel(FromAbmatic, Reason::FillsEmpty)),
        ];
        for (handling, local, remote, expected) in cases {
            let got = decide(&two_way, None, local, remote, IMPORT, &with(*handling));
            assert_eq!(got, *expected, "{handling:?} local {local:?} remote {remote:?}");
        }
    }

    #[test]
    fn a_closed_way_is_never_taken() {
        let import_only = field(|field| field.with_direction(MappingDirection::ImportOnly));
        let closed = Decision::Stay(Some(Reason::DirectionClosed));
        assert_eq!(decide(&import_only, Some("A"), "B", "A", THREE_WAY, &RULES), closed);
        // A local edit of an import-only field does not stand against the CRM's.
        assert_eq!(
            decide(&import_only, Some("A"), "B", "C", THREE_WAY, &RULES),
            Decision::Travel(ToAbmatic, Reason::OnlyChange)
        );
        let no_import = MergeRules { local_open: false, ..RULES };
        let two_way = field(|field| field);
        assert_eq!(decide(&two_way, Some("A"), "A", "B", THREE_WAY, &no_import), Decision::Stay(None));
    }

    #[test]
    fn a_conflict_goes_to_the_later_edit_unless_a_side_is_the_truth() {
        let at = |second| DateTime::<Utc>::from_timestamp(second, 0);
        let (base, local, remote) = (Value::text("A"), Value::text("B"), Value::text("C"));
        let pair = |at, there| FieldPair::new(Some((&base, &base)), &local, &remote).edited(at, there);
        let two_way = field(|field| field);
        let latest = |way| Decision::Travel(way, Reason::ConflictLatestEdit);
        assert_eq!(merge_field(&two_way, pair(at(2), at(1)), THREE_WAY, &RULES), latest(FromAbmatic));
        assert_eq!(merge_field(&two_way, pair(at(1), at(2)), THREE_WAY, &RULES), latest(ToAbmatic));
        let host_knows = field(|field| field.with_source_of_truth(Side::Local));
        assert_eq!(
            merge_field(&host_knows, pair(at(1), at(2)), THREE_WAY, &RULES),
            Decision::Travel(FromAbmatic, Reason::ConflictSourceOfTruth)
        );
    }

    #[test]
    fn a_settled_difference_is_no_edit() {
        let two_way = field(|field| field);
        let (long, cut) = (Value::text("a long name"), Value::text("a long"));
        let pair = FieldPair::new(Some((&long, &cut)), &long, &cut);
        assert_eq!(merge_field(&two_way, pair, THREE_WAY, &RULES), Decision::Stay(None));
    }
}
