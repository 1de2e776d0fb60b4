//! Turns a pair's decisions into what is written on each side, with a reason for each field. Previews end here.
//!
//! Pure. The table from situation to action stands in [`plan_pair`]; what a single field comes to is `steps::merge`'s.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::error::{Error, Result};
use crate::ids::FieldName;
use crate::model::change::{Direction, FieldChange, Reason};
use crate::model::fields::Fields;
use crate::model::link::{Awaited, Base, Link};
use crate::model::record::{LocalRecord, RemoteRecord, Version};
use crate::model::resource::{Relation, Side};
use crate::model::schema::Schema;
use crate::model::server_clock::Ahead;
use crate::model::value::Value;
use crate::policy::{BlankRule, DuplicateHandling, GoneRule, Policy, Writes};
use crate::steps::arrival::{Arrived, arrived};
use crate::steps::gone::{ThereRules, why_kept_here, why_kept_there};
use crate::steps::mapping::{CompiledMapping, MappedField};
use crate::steps::matching::Situation;
use crate::steps::merge::{Decision, FieldPair, MergeRules, Mode, merge_field};
use crate::steps::references::ReferenceMap;
use crate::steps::required::check_required;
use crate::steps::single::{Others, chosen, reference, whole};

/// A record that was read, with what matching found for it.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Pair {
    /// The side that was read.
    pub source: Side,
    /// What matching found.
    pub situation: Situation,
    /// The host's record.
    pub local: Option<LocalRecord>,
    /// The CRM's record.
    pub remote: Option<RemoteRecord>,
    /// Their link, where they have one.
    pub link: Option<Link>,
    /// The match key, where there was no link to go by.
    pub key: Option<String>,
    /// What matching has to say about it.
    pub warnings: Vec<String>,
    /// Why it is to be left, where matching says so.
    pub refused: Option<String>,
    /// The state of the deleted local record that was made from the remote one before: a new one needs another id.
    pub replaces: Option<Version>,
}

impl Pair {
    /// A record that was read, without its counterpart.
    pub fn new(source: Side, situation: Situation) -> Self {
        Self {
            source,
            situation,
            local: None,
            remote: None,
            link: None,
            key: None,
            warnings: Vec::new(),
            refused: None,
            replaces: None,
        }
    }
}

/// How existing records that are linked are treated: the difference between the operations.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkedMode {
    /// As an import does it.
    DuplicateHandling,
    /// As a push and a two-way sync do it.
    ThreeWay,
}

/// What a run plans by.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct PlanRules<'a> {
    /// The mapped fields.
    pub mapping: &'a CompiledMapping,
    /// The CRM's fields.
    pub remote_schema: &'a Schema,
    /// The host's fields.
    pub local_schema: &'a Schema,
    /// How fields are merged.
    pub merge: MergeRules,
    /// How linked records are treated.
    pub linked: LinkedMode,
    /// What may be written on the host's side.
    pub local_writes: Writes,
    /// What may be written on the CRM's side.
    pub remote_writes: Writes,
    /// What a vanished counterpart means.
    pub gone: GoneRule,
    /// How far the CRM's clock is ahead of the host's, where that is known.
    pub remote_ahead: Option<Ahead>,
}

/// What is done with a pair.
#[non_exhaustive]
#[derive(Debug)]
pub enum Action {
    /// A counterpart is made on that side.
    Create(Side),
    /// The record on that side is deleted, as its counterpart was.
    Delete(Side),
    /// It cannot be written.
    Fail(Error),
    /// It is left as it is, for this reason; a link may still be made.
    Leave(String),
    /// Both sides are equal, or nothing may travel; a link may still be made.
    Unchanged,
    /// The counterpart is gone, and the survivor may find another, for this reason.
    Unlink(String),
    /// Fields are written on one side or both.
    Update,
}

/// What both sides hold of a field once the plan is carried out.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Agreement {
    /// The mapped field's place.
    pub place: usize,
    /// The host's value.
    pub local: Value,
    /// The CRM's value, in the host's vocabulary.
    pub remote: Value,
    /// Which way the value travels to get there, `None` where it is so already.
    pub way: Option<Direction>,
}

/// A pair with what is done about it.
#[non_exhaustive]
#[derive(Debug)]
pub struct Planned {
    /// The pair.
    pub pair: Pair,
    /// What is done.
    pub action: Action,
    /// Field by field, with reasons.
    pub changes: Vec<FieldChange>,
    /// What is written on the host's side, in its vocabulary.
    pub to_local: Fields,
    /// What is written on the CRM's side, in its vocabulary.
    pub to_remote: Fields,
    /// What the references held there before.
    pub references_before: Fields,
    /// The base afterwards.
    pub agreements: Vec<Agreement>,
    /// The records without a link that a reference waits for.
    pub waiting_for: BTreeSet<Awaited>,
}

/// Plans one pair: the table from situation to action.
pub fn plan_pair(pair: Pair, references: &ReferenceMap, rules: &PlanRules<'_>) -> Planned {
    let source = pair.source;
    if let Some(reason) = pair.refused.clone() {
        return Planned::bare(pair, Action::Leave(reason));
    }
    let mode = match pair.situation {
        Situation::Linked => match rules.linked {
            LinkedMode::DuplicateHandling => Mode::Existing { source },
            LinkedMode::ThreeWay => Mode::ThreeWay { source },
        },
        Situation::Matched | Situation::Ambiguous => Mode::Existing { source },
        Situation::New if !rules.writes(source.other()).create => {
            let reason =
                format!("new records are not created in the {}: closed by the settings", source.other().name());
            return Planned::bare(pair, Action::Leave(reason));
        }
        Situation::New => Mode::New { source },
        Situation::LocalGone => return gone(pair, Side::Local, rules),
        Situation::RemoteGone => return gone(pair, Side::Remote, rules),
        Situation::OutOfScope => return Planned::bare(pair, Action::Leave("it left the scope of this run".to_owned())),
    };
    let mut planned = Planned::bare(pair, Action::Unchanged);
    let outcome =
        plan_fields(&mut planned, mode, references, rules).and_then(|()| check_required(&mut planned, mode, rules));
    planned.action = match outcome {
        Err(error) => Action::Fail(error),
        Ok(()) => action_of(&planned, mode, rules),
    };
    planned
}

fn gone(pair: Pair, side: Side, rules: &PlanRules<'_>) -> Planned {
    let reason = format!("its counterpart in the {} is gone", side.name());
    let action = match rules.gone {
        GoneRule::Report => Action::Leave(reason),
        GoneRule::Unlink => Action::Unlink(reason),
        GoneRule::Propagate => match why_kept(&pair, side, rules) {
            Some(why) => Action::Leave(format!("{reason}; {why}")),
            None => Action::Delete(side.other()),
        },
    };
    Planned::bare(pair, action)
}

/// Why the survivor of a pair is not deleted although deletions propagate.
fn why_kept(pair: &Pair, gone: Side, rules: &PlanRules<'_>) -> Option<String> {
    let Some(link) = pair.link.as_ref().filter(|link| link.gone.is_none()) else {
        return Some("that was known before".to_owned());
    };
    let side = gone.other();
    if !rules.writes(side).update {
        return Some(format!("it is not deleted in the {}: closed by the settings", side.name()));
    }
    let (local, remote) = (pair.local.as_ref(), pair.remote.as_ref());
    match side {
        Side::Local => why_kept_here(link, local),
        Side::Remote => {
            why_kept_there(link, local, remote, &ThereRules { mapping: rules.mapping, ahead: rules.remote_ahead })
        }
    }
}

fn action_of(planned: &Planned, mode: Mode, rules: &PlanRules<'_>) -> Action {
    match mode {
        Mode::New { source } => Action::Create(source.other()),
        // A change with nothing to write was written by a run that could not say so.
        Mode::Existing { .. } | Mode::ThreeWay { .. } if planned.changes.iter().any(|change| change.written) => {
            Action::Update
        }
        Mode::Existing { .. } if rules.merge.duplicates == DuplicateHandling::Skip => {
            Action::Leave("it exists already, and duplicates are skipped".to_owned())
        }
        Mode::Existing { .. } | Mode::ThreeWay { .. } => Action::Unchanged,
    }
}

fn plan_fields(planned: &mut Planned, mode: Mode, references: &ReferenceMap, rules: &PlanRules<'_>) -> Result<()> {
    planned.agreements.reserve(rules.mapping.fields.len());
    if let Mode::New { source } = mode {
        planned.changes.reserve(rules.mapping.fields.len());
        let target = if source == Side::Local { &mut planned.to_remote } else { &mut planned.to_local };
        *target = Fields::with_capacity(rules.mapping.fields.len());
    }
    for (place, field) in rules.mapping.fields.iter().enumerate() {
        let at = FieldAt { place, field };
        let Some((local, held)) = values_of(planned, field, references)? else {
            planned.agree_on_nothing(at);
            continue;
        };
        let pair = &planned.pair;
        let arrived = pair.link.as_ref().and_then(|link| arrived(&link.base, field, &local, &held));
        let base = match &arrived {
            Some(arrived) => Some((&arrived.local, &arrived.remote)),
            None => pair.link.as_ref().and_then(|link| base_of(&link.base, &field.local)),
        };
        let whole = field.keeps_one.then(|| {
            let others = if matches!(mode, Mode::ThreeWay { .. }) { Others::Agreed } else { Others::Here };
            whole(held.clone(), &local, base, others, rules.merge.blank == BlankRule::Keep)
        });
        let base = match &whole {
            Some(whole) => whole.base.as_ref().map(|(local, remote)| (local, remote)),
            None => base,
        };
        let remote = whole.as_ref().map_or(held, |whole| whole.remote.clone());
        let decision = merge_field(
            field,
            FieldPair {
                base,
                local: &local,
                remote: &remote,
                local_edit: pair.local.as_ref().map(|record| local_edit(record, field)),
                remote_edit: pair
                    .remote
                    .as_ref()
                    .and_then(|record| remote_edit(record, field))
                    .map(|time| rules.remote_ahead.map_or(time, |ahead| ahead.corrected(time))),
            },
            mode,
            &rules.merge,
        );
        if let Some(arrived) = &arrived {
            planned.note_arrival(field, arrived);
        }
        match decision {
            Decision::Agree | Decision::Settle(None) => planned.agree(at, local, remote, None),
            Decision::Settle(Some(reason)) => {
                planned.report(field, mode, &local, &remote, reason);
                planned.agree(at, local, remote, None);
            }
            Decision::SettleBlank => planned.agree(at, Value::Null, Value::Null, None),
            Decision::Stay(reason) => {
                if let Some(arrived) = arrived {
                    planned.agree(at, arrived.local, arrived.remote, None);
                }
                if let Some(reason) = reason {
                    planned.report(field, mode, &local, &remote, reason);
                }
            }
            Decision::Travel(Direction::ToAbmatic, reason) => planned.travel_here(at, local, remote, reason),
            Decision::Travel(Direction::FromAbmatic, reason) => {
                planned.travel_there(at, local, remote, reason, references)?;
            }
        }
        if let Some(whole) = whole {
            planned.note_kept(at, whole.kept);
        }
    }
    Ok(())
}

/// A mapped field and its place.
#[derive(Clone, Copy)]
struct FieldAt<'a> {
    place: usize,
    field: &'a MappedField,
}

/// Both sides' values in the host's vocabulary; `None` where the field cannot be judged in this run.
fn values_of(planned: &mut Planned, field: &MappedField, references: &ReferenceMap) -> Result<Option<(Value, Value)>> {
    let local = planned.pair.local.as_ref().and_then(|record| record.fields.get(field.local.as_str()));
    let local = local.cloned().unwrap_or_default();
    let Some(record) = &planned.pair.remote else { return Ok(Some((local, Value::Null))) };
    let Some(value) = record.fields.get(field.remote.as_str()) else {
        return Ok(field.relation.is_none().then_some((local, Value::Null)));
    };
    let Some(relation) = field.relation else {
        return field.to_local(value).map(|remote| Some((local, remote)));
    };
    let translated = references.to_local(relation.target, value);
    if !translated.waiting.is_empty() {
        let awaited = |id: &String| Awaited::Remote(relation.target, id.as_str().into());
        planned.waiting_for.extend(translated.waiting.iter().map(awaited));
        if translated.ids.is_empty() || !relation.many {
            let id = translated.waiting.into_iter().next().unwrap_or_default();
            let change = FieldChange::new(
                field.local.clone(),
                Direction::ToAbmatic,
                local,
                Value::reference(id),
                Reason::ParentMissing,
            );
            planned.changes.push(change.not_written());
            return Ok(None);
        }
    }
    Ok(Some((local, translated.value())))
}

fn base_of<'a>(base: &'a Base, field: &FieldName) -> Option<(&'a Value, &'a Value)> {
    Some((base.local(field.as_str())?, base.remote(field.as_str())?))
}

fn local_edit(record: &LocalRecord, field: &MappedField) -> DateTime<Utc> {
    record.edited_at.get(&field.local).copied().unwrap_or(record.modified_at)
}

fn remote_edit(record: &RemoteRecord, field: &MappedField) -> Option<DateTime<Utc>> {
    record.edited_at.get(&field.remote).copied().or(record.modified_at)
}

impl Planned {
    /// A pair about which nothing is written.
    pub fn bare(pair: Pair, action: Action) -> Self {
        Self {
            pair,
            action,
            changes: Vec::new(),
            to_local: Fields::new(),
            to_remote: Fields::new(),
            references_before: Fields::new(),
            agreements: Vec::new(),
            waiting_for: BTreeSet::new(),
        }
    }

    fn agree(&mut self, at: FieldAt<'_>, local: Value, remote: Value, way: Option<Direction>) {
        self.agreements.push(Agreement { place: at.place, local, remote, way });
    }

    /// A reference that waits for its record, with nothing on the other side: until it travels both agree on none, so that an
    /// edit there meanwhile is seen to be one.
    fn agree_on_nothing(&mut self, at: FieldAt<'_>) {
        let pair = &self.pair;
        let is_based = pair.link.as_ref().is_some_and(|link| link.base.local(at.field.local.as_str()).is_some());
        let held =
            |fields: Option<&Fields>, name: &FieldName| fields.and_then(|fields| fields.get(name.as_str())).cloned();
        let local = held(pair.local.as_ref().map(|record| &record.fields), &at.field.local);
        let remote = held(pair.remote.as_ref().map(|record| &record.fields), &at.field.remote);
        let blanks = [&local, &remote].map(|value| value.as_ref().is_none_or(Value::is_blank));
        let was_read = pair.remote.is_none() || remote.is_some();
        if !is_based && was_read && blanks != [false, false] {
            self.agree(at, Value::Null, Value::Null, None);
        }
    }

    /// An earlier run wrote this, and could not say so.
    fn note_arrival(&mut self, field: &MappedField, arrived: &Arrived) {
        let base = self.pair.link.as_ref().map(|link| &link.base);
        let name = field.local.as_str();
        let old = match arrived.way {
            Direction::FromAbmatic => base.and_then(|base| base.remote(name)),
            Direction::ToAbmatic => base.and_then(|base| base.local(name)),
        };
        let old = old.cloned().unwrap_or_default();
        if !field.same(&old, &arrived.local) {
            let (name, reason) = (field.local.clone(), Reason::OnlyChange);
            self.changes.push(FieldChange::new(name, arrived.way, old, arrived.local.clone(), reason));
        }
    }

    fn report(&mut self, field: &MappedField, mode: Mode, local: &Value, remote: &Value, reason: Reason) {
        let source = match mode {
            Mode::Existing { source } | Mode::New { source } | Mode::ThreeWay { source } => source,
        };
        let (old, new) = if source == Side::Local { (remote, local) } else { (local, remote) };
        let way = Direction::towards(source.other());
        self.changes.push(FieldChange::new(field.local.clone(), way, old.clone(), new.clone(), reason).not_written());
    }

    fn travel_here(&mut self, at: FieldAt<'_>, local: Value, remote: Value, reason: Reason) {
        let name = at.field.local.clone();
        self.changes.push(FieldChange::new(name.clone(), Direction::ToAbmatic, local, remote.clone(), reason));
        self.to_local.insert(name, remote.clone());
        self.agree(at, remote.clone(), remote, Some(Direction::ToAbmatic));
    }

    fn travel_there(
        &mut self,
        at: FieldAt<'_>,
        local: Value,
        remote: Value,
        reason: Reason,
        references: &ReferenceMap,
    ) -> Result<()> {
        let field = at.field;
        let change = |old, new, reason| FieldChange::new(field.local.clone(), Direction::FromAbmatic, old, new, reason);
        let (old, new, sent, kept) = match field.relation {
            None => {
                let sent = field.to_remote(&local)?;
                let kept = field.to_local(&sent)?;
                (remote, local.clone(), sent, kept)
            }
            Some(relation) => match self.reference_to_send(relation, field, &local, references) {
                Some(sent) if field.keeps_one => {
                    let kept = references.to_local(relation.target, &sent).value();
                    let held = self.references_before.get(field.remote.as_str());
                    let held = held.map_or(Value::Null, |held| references.to_local(relation.target, held).value());
                    if kept == held {
                        // The one there stays; of the others it knows nothing.
                        self.agree(at, local, kept, None);
                        return Ok(());
                    }
                    (held, kept.clone(), sent, kept)
                }
                Some(sent) => (remote, local.clone(), sent, local.clone()),
                None => {
                    self.changes.push(change(remote, local, Reason::ParentMissing).not_written());
                    self.agree_on_nothing(at);
                    return Ok(());
                }
            },
        };
        self.changes.push(change(old, new, reason));
        self.to_remote.insert(field.remote.clone(), sent);
        self.agree(at, local, kept, Some(Direction::FromAbmatic));
        Ok(())
    }

    /// Of several the CRM keeps the one that it holds; what is sent there was noted already.
    fn note_kept(&mut self, at: FieldAt<'_>, kept: Value) {
        let judged = self.agreements.last_mut().filter(|last| last.place == at.place && !last.remote.is_blank());
        if let Some(agreement) = judged.filter(|agreement| agreement.way != Some(Direction::FromAbmatic)) {
            agreement.remote = kept;
        }
    }

    /// The remote ids to send, together with those there that this side does not know yet; `None` while one is missing.
    fn reference_to_send(
        &mut self,
        relation: Relation,
        field: &MappedField,
        local: &Value,
        references: &ReferenceMap,
    ) -> Option<Value> {
        let translated = references.to_remote(relation.target, local);
        if !translated.waiting.is_empty() {
            let awaited = |id: &String| Awaited::Local(relation.target, id.as_str().into());
            self.waiting_for.extend(translated.waiting.iter().map(awaited));
            return None;
        }
        let before = self.pair.remote.as_ref().and_then(|record| record.fields.get(field.remote.as_str())).cloned();
        let mut ids: BTreeSet<String> = translated.ids;
        if let Some(before) = &before {
            if relation.many {
                ids.extend(references.to_local(relation.target, before).waiting);
            }
            self.references_before.insert(field.remote.clone(), before.clone());
        }
        if field.keeps_one && ids.len() > 1 {
            self.pair.warnings.push(format!("the CRM keeps one of {} {}", ids.len(), field.remote));
            ids = chosen(ids, before.as_ref());
        }
        Some(reference(ids))
    }

    /// Whether a conflict was decided by time, so that exact edit times would help.
    pub fn has_timed_conflict(&self) -> bool {
        self.changes.iter().any(|change| matches!(change.reason, Reason::ConflictLatestEdit | Reason::ConflictTie))
    }

    /// The fields emptied on either side.
    pub fn cleared_fields(&self) -> u64 {
        let cleared = |change: &&FieldChange| change.written && change.new.is_blank() && !change.old.is_blank();
        self.changes.iter().filter(cleared).count() as u64
    }
}

impl<'a> PlanRules<'a> {
    /// What a policy says, for records of these schemas.
    pub fn of(
        policy: &Policy,
        linked: LinkedMode,
        mapping: &'a CompiledMapping,
        local: &'a Schema,
        remote: &'a Schema,
    ) -> Self {
        Self {
            mapping,
            remote_schema: remote,
            local_schema: local,
            merge: MergeRules::of(policy),
            linked,
            local_writes: policy.import,
            remote_writes: policy.export,
            gone: policy.gone,
            remote_ahead: None,
        }
    }

    /// Says what may be written in this run, whatever the policy allows to others.
    #[must_use]
    pub fn with_writes(mut self, local: Writes, remote: Writes) -> Self {
        (self.local_writes, self.remote_writes) = (local, remote);
        (self.merge.local_open, self.merge.remote_open) = (local.update, remote.update);
        self
    }

    /// What may be written on `side`.
    pub fn writes(&self, side: Side) -> Writes {
        match side {
            Side::Local => self.local_writes,
            Side::Remote => self.remote_writes,
        }
    }
}
