//! The three-way merge of a field, and the plan that it is part of.

use abmatic_sync_core::model::change::Direction;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::link::Link;
use abmatic_sync_core::model::mapping::{FieldMapping, Mapping, MappingDirection};
use abmatic_sync_core::model::record::{LocalRecord, RemoteRecord, Version};
use abmatic_sync_core::model::resource::{Resource, Side};
use abmatic_sync_core::model::schema::{Field, FieldType, Schema};
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::policy::{BlankRule, ConflictRule, DuplicateHandling, Policy};
use abmatic_sync_core::steps::coerce::coerce;
use abmatic_sync_core::steps::mapping::{CompiledMapping, MappedField, Sides};
use abmatic_sync_core::steps::matching::Situation;
use abmatic_sync_core::steps::merge::{Decision, FieldPair, MergeRules, Mode, merge_field};
use abmatic_sync_core::steps::plan::{Action, LinkedMode, Pair, PlanRules, Planned, plan_pair};
use abmatic_sync_core::steps::references::ReferenceMap;
use chrono::{DateTime, Utc};

use crate::bytes::Bytes;

const TYPES: [FieldType; 11] = [
    FieldType::Any,
    FieldType::Boolean,
    FieldType::Choice,
    FieldType::Date,
    FieldType::Decimal,
    FieldType::Email,
    FieldType::Instant,
    FieldType::Integer,
    FieldType::MultiChoice,
    FieldType::Text,
    FieldType::Url,
];

/// Merges one field of a pair in every way that the bytes choose.
///
/// # Panics
/// Where what nobody changed is written, a closed way is taken, an edit is lost, a blank overwrites against the rules, the two
/// sides are not treated alike, a value comes from nowhere, or a second pass has anything left to do.
pub fn merge(data: &[u8]) {
    let Some(case) = Case::choose(Bytes(data)) else { return };
    let mirrored = case.mirrored();
    let (Some(field), Some(mirror)) = (case.field(), mirrored.field()) else { return };
    let decision = case.decide(&field);
    assert_eq!(swapped(decision), told(mirrored.decide(&mirror)), "both sides are to be treated alike: {case:?}");
    if let Decision::Travel(way, _) = decision {
        case.may_travel(&field, way);
    }
    case.plans();
}

/// A field with its values and rules.
#[derive(Clone, Debug)]
struct Case {
    local_field: Field,
    remote_field: Field,
    direction: MappingDirection,
    truth: Option<Side>,
    policy: Policy,
    mode: Mode,
    base: Option<(Value, Value)>,
    local: Value,
    remote: Value,
    edits: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
}

impl Case {
    /// `None` where the values do not fit the field: none such comes to a merge.
    fn choose(mut from: Bytes<'_>) -> Option<Self> {
        let sides = [Side::Local, Side::Remote];
        let field_type = from.one_of(&TYPES);
        let field = |writable: bool| {
            let mut field = Field::new("f", field_type);
            field.writable = writable;
            field
        };
        let source = from.one_of(&sides);
        let modes = [Mode::ThreeWay { source }, Mode::Existing { source }, Mode::New { source }];
        let conflicts =
            [ConflictRule::LatestEdit, ConflictRule::Always(Side::Local), ConflictRule::Always(Side::Remote)];
        let handlings = [DuplicateHandling::UpdateMissing, DuplicateHandling::OverwriteAll, DuplicateHandling::Skip];
        let mut policy = Policy::default()
            .with_conflict(from.one_of(&conflicts))
            .with_duplicates(from.one_of(&handlings))
            .with_blank(from.one_of(&[BlankRule::Keep, BlankRule::Clear]));
        policy.tie = from.one_of(&sides);
        policy.import.update = !from.truth();
        policy.export.update = !from.truth();
        let directions = [MappingDirection::Both, MappingDirection::ImportOnly, MappingDirection::ExportOnly];
        let direction = from.one_of(&directions);
        let truth = from.one_of(&[None, Some(Side::Local), Some(Side::Remote)]);
        let writable = [!from.truth(), !from.truth()];
        let mode = from.one_of(&modes);
        let is_based = !from.truth();
        let edits = (from.moment(), from.moment());
        let mut value = || coerce(&from.value(), field_type);
        let (local, remote) = (value()?, value()?);
        let base = if is_based { Some((value()?, value()?)) } else { None };
        let [local_field, remote_field] = writable.map(field);
        let (local, remote) = match mode {
            Mode::New { source: Side::Local } => (local, Value::Null),
            Mode::New { source: Side::Remote } => (Value::Null, remote),
            _ => (local, remote),
        };
        Some(Self { local_field, remote_field, direction, truth, policy, mode, base, local, remote, edits })
    }

    /// The same as it looks from the other side.
    fn mirrored(&self) -> Self {
        let mut policy = self.policy.clone();
        policy.tie = policy.tie.other();
        (policy.import, policy.export) = (policy.export, policy.import);
        policy.conflict = match policy.conflict {
            ConflictRule::Always(side) => ConflictRule::Always(side.other()),
            other => other,
        };
        Self {
            local_field: self.remote_field.clone(),
            remote_field: self.local_field.clone(),
            direction: match self.direction {
                MappingDirection::ImportOnly => MappingDirection::ExportOnly,
                MappingDirection::ExportOnly => MappingDirection::ImportOnly,
                other => other,
            },
            truth: self.truth.map(Side::other),
            policy,
            mode: match self.mode {
                Mode::Existing { source } => Mode::Existing { source: source.other() },
                Mode::New { source } => Mode::New { source: source.other() },
                Mode::ThreeWay { source } => Mode::ThreeWay { source: source.other() },
                other => other,
            },
            base: self.base.clone().map(|(local, remote)| (remote, local)),
            local: self.remote.clone(),
            remote: self.local.clone(),
            edits: (self.edits.1, self.edits.0),
        }
    }

    fn schemas(&self) -> (Schema, Schema) {
        (Schema::new(vec![self.local_field.clone()]), Schema::new(vec![self.remote_field.clone()]))
    }

    fn mapping(&self) -> Option<CompiledMapping> {
        let mut pair = FieldMapping::new("f", "f").with_direction(self.direction);
        pair.source_of_truth = self.truth;
        let (local, remote) = self.schemas();
        CompiledMapping::compile(&Mapping::new(vec![pair]), Sides::new(Resource::Account, &local, &remote)).ok()
    }

    fn field(&self) -> Option<MappedField> {
        self.mapping().map(|mut mapping| mapping.fields.remove(0))
    }

    fn decide(&self, field: &MappedField) -> Decision {
        let base = self.base.as_ref().map(|(local, remote)| (local, remote));
        let pair = FieldPair::new(base, &self.local, &self.remote).edited(self.edits.0, self.edits.1);
        merge_field(field, pair, self.mode, &MergeRules::of(&self.policy))
    }

    fn may_travel(&self, field: &MappedField, way: Direction) {
        assert!(field.is_open(way), "a closed field is written: {self:?}");
        assert!(!field.same(&self.local, &self.remote), "what is equal is written: {self:?}");
        let is_new = matches!(self.mode, Mode::New { .. });
        assert!(is_new || self.policy.writes(way.target()).update, "a closed side is written: {self:?}");
        let (sent, lost) = match way {
            Direction::FromAbmatic => (&self.local, &self.remote),
            Direction::ToAbmatic => (&self.remote, &self.local),
        };
        let (Mode::ThreeWay { .. }, Some(base)) = (self.mode, &self.base) else {
            assert!(!sent.is_blank(), "a blank overwrites without a base: {self:?}");
            assert!(
                lost.is_blank() || self.policy.duplicates == DuplicateHandling::OverwriteAll,
                "what exists is overwritten: {self:?}"
            );
            return;
        };
        let (sent_base, lost_base) = match way {
            Direction::FromAbmatic => (&base.0, &base.1),
            Direction::ToAbmatic => (&base.1, &base.0),
        };
        assert!(!field.same(sent_base, sent), "what did not change is written over what did: {self:?}");
        assert!(!sent.is_blank() || self.policy.blank == BlankRule::Clear, "a blank travels: {self:?}");
        let back = match way {
            Direction::FromAbmatic => Direction::ToAbmatic,
            Direction::ToAbmatic => Direction::FromAbmatic,
        };
        let is_conflict = !field.same(lost_base, lost)
            && field.is_open(back)
            && (!lost.is_blank() || self.policy.blank == BlankRule::Clear);
        let later = match way {
            Direction::FromAbmatic => self.edits.0 > self.edits.1,
            Direction::ToAbmatic => self.edits.1 > self.edits.0,
        };
        if is_conflict && self.truth.is_none() && self.policy.conflict == ConflictRule::LatestEdit {
            let is_known = self.edits.0.is_some() && self.edits.1.is_some() && self.edits.0 != self.edits.1;
            assert!(
                if is_known { later } else { self.policy.tie == way.target().other() },
                "the earlier edit wins: {self:?}"
            );
        }
    }

    /// Plans the pair, carries it out, and plans it again.
    fn plans(&self) {
        let Some(mapping) = self.mapping() else { return };
        let (local_schema, remote_schema) = self.schemas();
        let rules = PlanRules::of(&self.policy, LinkedMode::ThreeWay, &mapping, &local_schema, &remote_schema);
        let planned = plan_pair(self.pair(), &ReferenceMap::default(), &rules);
        let inputs = [&self.local, &self.remote];
        for value in planned.to_local.iter().chain(planned.to_remote.iter()).map(|(_, value)| value) {
            assert!(inputs.contains(&value), "{value:?} comes from nowhere: {self:?}");
        }
        if matches!(planned.action, Action::Fail(_) | Action::Leave(_)) {
            assert!(planned.to_local.is_empty() && planned.to_remote.is_empty(), "{self:?}");
            return;
        }
        let again = plan_pair(self.carried_out(&planned, &mapping), &ReferenceMap::default(), &rules);
        assert!(again.to_local.is_empty() && again.to_remote.is_empty(), "{again:?} is left of {planned:?}");
    }

    fn pair(&self) -> Pair {
        let (source, situation) = match self.mode {
            Mode::Existing { source } => (source, Situation::Matched),
            Mode::New { source } => (source, Situation::New),
            Mode::ThreeWay { source } => (source, Situation::Linked),
            _ => return Pair::new(Side::Local, Situation::OutOfScope),
        };
        let mut pair = Pair::new(source, situation);
        let has = |side: Side| situation != Situation::New || source == side;
        pair.local = has(Side::Local).then(|| local_record(&self.local, self.edits.0));
        pair.remote = has(Side::Remote).then(|| remote_record(&self.remote, self.edits.1));
        if situation == Situation::Linked {
            let mut link = Link::new("l".into(), "r".into());
            if let Some((local, remote)) = self.base.clone() {
                link.base.agree("f".into(), local, remote);
            }
            pair.link = Some(link);
        }
        pair
    }

    /// The pair as the next run sees it, linked and nothing edited.
    fn carried_out(&self, planned: &Planned, mapping: &CompiledMapping) -> Pair {
        let mut pair = Pair::new(planned.pair.source, Situation::Linked);
        let held = |sent: &Fields, before: &Value| sent.get("f").unwrap_or(before).clone();
        let local = held(&planned.to_local, &self.local);
        pair.local = Some(local_record(&local, self.edits.0));
        pair.remote = Some(remote_record(&held(&planned.to_remote, &self.remote), self.edits.1));
        let mut link = planned.pair.link.clone().unwrap_or_else(|| Link::new("l".into(), "r".into()));
        for agreement in &planned.agreements {
            let name = mapping.fields[agreement.place].local.clone();
            link.base.agree(name, agreement.local.clone(), agreement.remote.clone());
        }
        pair.link = Some(link);
        pair
    }
}

fn local_record(value: &Value, edited: Option<DateTime<Utc>>) -> LocalRecord {
    let time = edited.unwrap_or(DateTime::UNIX_EPOCH);
    LocalRecord::new("l", Fields::from_iter([("f", value.clone())]), Version::new(1), time)
}

fn remote_record(value: &Value, edited: Option<DateTime<Utc>>) -> RemoteRecord {
    let mut record = RemoteRecord::new("r", Fields::from_iter([("f", value.clone())]));
    record.modified_at = edited;
    record
}

fn swapped(decision: Decision) -> Decision {
    match told(decision) {
        Decision::Travel(way, reason) => Decision::Travel(Direction::towards(way.target().other()), reason),
        other => other,
    }
}

/// Where both sides have changes that may not travel, one of two reasons is told.
fn told(decision: Decision) -> Decision {
    match decision {
        Decision::Stay(Some(_)) => Decision::Stay(None),
        other => other,
    }
}
