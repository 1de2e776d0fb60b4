//! A plain model of what is right. It knows who edited what and when, and nothing of how an engine works.
//!
//! Each field of each record carries, for each side, the newest edit by a person that its value takes account of. A write by
//! the engine hands that knowledge on; where it destroys an edit that the written value knows nothing of, something is lost.

use std::collections::{HashMap, HashSet};

use abmatic_sync_core::model::mapping::MappingDirection;
use abmatic_sync_core::model::resource::{Resource, Side};
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::policy::{BlankRule, DuplicateHandling};
use abmatic_sync_core::steps::normalize::match_key;
use chrono::{DateTime, Utc};

use crate::simulator::fields::{FieldKind, SimulatedField, fields_of, is_blank, same};
use crate::simulator::journal::{Author, Event, EventKind};
use crate::simulator::script::Setting;

/// For each side the number of the newest edit that a value takes account of; 0 for none.
type Known = [usize; 4];

/// One field of one record on one side.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    side: usize,
    resource: Resource,
    id: String,
    field: String,
}

#[derive(Clone, Debug, Default)]
struct Cell {
    history: Vec<(Value, Known)>,
}

impl Cell {
    fn value(&self) -> &Value {
        self.history.last().map_or(&Value::Null, |(value, _)| value)
    }

    /// Whether it never held its value before: edits there and back are none.
    fn is_new(&self) -> bool {
        self.history.split_last().is_some_and(|((value, _), before)| before.iter().all(|(held, _)| held != value))
    }

    fn known(&self) -> Known {
        self.history.last().map_or([0; 4], |(_, known)| *known)
    }
}

/// A local and a remote record that are one over connection `crm`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PairOf {
    pub(crate) crm: usize,
    pub(crate) resource: Resource,
    pub(crate) local: String,
    pub(crate) remote: String,
}

/// Who won over what: the loser has to be in the log.
#[derive(Clone, Debug)]
pub(crate) struct Loss {
    pub(crate) pair: PairOf,
    pub(crate) field: String,
    pub(crate) value: Value,
}

#[derive(Clone, Debug)]
pub(crate) struct Model {
    setting: Setting,
    cells: HashMap<Place, Cell>,
    /// When each event happened.
    times: Vec<DateTime<Utc>>,
    /// Which records ever had a tag, by side.
    tags: HashMap<(usize, Resource, String), Vec<String>>,
    /// Since which event a pair is known to be one, and what its two sides held then.
    pairs: HashMap<PairOf, (usize, HashMap<String, [Value; 2]>)>,
    partner: HashMap<(usize, Resource, usize, String), String>,
    /// What a pair may have agreed on: what the engine last wrote of a field, and the values in which it was equal since.
    agreed: HashMap<(PairOf, String), Vec<Value>>,
    /// Values in which people made it equal, maybe before the engine ever saw it: it may have agreed on them, and need not.
    equal_once: HashMap<(PairOf, String), Vec<Value>>,
    losses: Vec<Loss>,
    /// What the engine made on the host's side and did not delete, by its key.
    made: HashMap<(Resource, String), Vec<String>>,
    /// By which events people touched a record.
    touched: HashMap<(usize, Resource, String), Vec<usize>>,
    /// Of the lost ones those that are still there: they come back as records of their own.
    orphans: HashSet<(usize, Resource, String)>,
    /// Whether one did: from then on two records have one tag, and nothing can be told by it any more.
    blurred: bool,
    /// What the engine made in CRMs.
    made_there: HashSet<(usize, Resource, String)>,
    /// Which records people restored, and did nothing to since.
    restored: HashSet<(usize, Resource, String)>,
    /// Which records the engine ever had a link of.
    linked: HashSet<(usize, Resource, String)>,
    /// Which records people merged away, or touched so that an engine which never heard of them cannot recognise them.
    lost: HashSet<(usize, Resource, String)>,
}

impl Model {
    pub(crate) fn new(setting: Setting) -> Self {
        Self {
            setting,
            cells: HashMap::new(),
            times: Vec::new(),
            tags: HashMap::new(),
            pairs: HashMap::new(),
            partner: HashMap::new(),
            agreed: HashMap::new(),
            equal_once: HashMap::new(),
            losses: Vec::new(),
            made: HashMap::new(),
            touched: HashMap::new(),
            orphans: HashSet::new(),
            blurred: false,
            made_there: HashSet::new(),
            restored: HashSet::new(),
            linked: HashSet::new(),
            lost: HashSet::new(),
        }
    }

    /// What was lost in conflicts since it was last asked.
    pub(crate) fn take_losses(&mut self) -> Vec<Loss> {
        std::mem::take(&mut self.losses)
    }

    /// Learns that the engine has a link between two records.
    pub(crate) fn see_link(&mut self, pair: &PairOf) {
        self.introduce(pair);
        self.linked.insert((0, pair.resource, pair.local.clone()));
        self.linked.insert((pair.crm + 1, pair.resource, pair.remote.clone()));
    }

    /// Learns that two records are one, though not since when.
    fn introduce(&mut self, pair: &PairOf) {
        self.partner.insert((pair.crm, pair.resource, 0, pair.local.clone()), pair.remote.clone());
        self.partner.insert((pair.crm, pair.resource, pair.crm + 1, pair.remote.clone()), pair.local.clone());
    }

    /// Learns that two records are linked by now.
    pub(crate) fn learn(&mut self, pair: PairOf) {
        let at = self.times.len();
        self.introduce(&pair);
        for field in fields_of(pair.resource) {
            let (local, remote) = self.values(&pair, field.name);
            if same(field, &local, &remote, self.setting.crms[pair.crm].spelling) {
                self.agreed.entry((pair.clone(), field.name.to_owned())).or_default().push(local);
            }
        }
        if !self.pairs.contains_key(&pair) {
            let names = fields_of(pair.resource).iter().map(|field| field.name);
            let relations = pair.resource.relations().iter().map(|relation| relation.field);
            let held = names.chain(relations).map(|name| (name.to_owned(), self.values(&pair, name).into())).collect();
            self.pairs.insert(pair, (at, held));
        }
    }

    /// Whether nothing can be judged any more.
    pub(crate) fn is_blurred(&self) -> bool {
        self.blurred
    }

    /// Takes an event in, and says what is wrong with it.
    pub(crate) fn absorb(&mut self, event: &Event) -> Result<(), String> {
        self.times.push(event.at);
        match (event.author, event.kind) {
            (Author::Person, _) => {
                self.edited(event);
                self.note_equality(event);
                Ok(())
            }
            (Author::Engine(crm), EventKind::Create) => self.created(event, crm),
            (Author::Engine(crm), EventKind::Update) => self.updated(event, crm),
            (Author::Engine(crm), EventKind::Delete) => self.deleted(event, crm),
            (Author::Engine(_), EventKind::Merge | EventKind::Restore) => {
                Err(format!("{} {} is merged or restored by the engine", event.resource, event.id))
            }
        }
    }

    fn edited(&mut self, event: &Event) {
        let number = self.times.len();
        let record = record_of(event);
        if event.kind == EventKind::Merge {
            self.lost.insert(record.clone());
        }
        self.touched.entry(record).or_default().push(number);
        self.lose_sight(event);
        if event.kind == EventKind::Restore {
            self.restored.insert(record_of(event));
        } else {
            self.restored.remove(&record_of(event));
        }
        // To write what was there is no edit.
        for (field, _, new) in event.changes.iter().filter(|(_, old, new)| old != new) {
            let cell = self.cells.entry(place(event, field)).or_default();
            let mut known = cell.known();
            known[event.side] = number;
            cell.history.push((new.clone(), known));
            if field == "tag" {
                let tagged = self.tags.entry((event.side, event.resource, new.to_string())).or_default();
                tagged.push(event.id.clone());
            }
        }
    }

    /// A record that people touch before anybody heard that it had been made is recognised by a key only.
    fn lose_sight(&mut self, event: &Event) {
        let Some(crm) = event.side.checked_sub(1).filter(|crm| !self.setting.crms[*crm].recognises_creates) else {
            return;
        };
        let record = record_of(event);
        if !self.made_there.contains(&record) || self.linked.contains(&record) {
            return;
        }
        let is_it = |pair: &PairOf| pair.crm == crm && pair.resource == event.resource && pair.remote == event.id;
        self.pairs.retain(|pair, _| !is_it(pair));
        self.agreed.retain(|(pair, _), _| !is_it(pair));
        self.equal_once.retain(|(pair, _), _| !is_it(pair));
        self.lost.insert(record.clone());
        self.orphans.insert(record);
    }

    /// People may make a pair equal by themselves, and the engine see it in that moment.
    fn note_equality(&mut self, event: &Event) {
        for crm in 0..self.setting.crms.len() {
            let Some(partner) = self.partner.get(&(crm, event.resource, event.side, event.id.clone())).cloned() else {
                continue;
            };
            let pair = pair_of(event, crm, &partner);
            for (field, ..) in &event.changes {
                let Some(known) = field_of(event.resource, field) else { continue };
                let (local, remote) = self.values(&pair, field);
                if same(known, &local, &remote, self.setting.crms[crm].spelling) {
                    self.equal_once.entry((pair.clone(), field.clone())).or_default().push(local);
                }
            }
        }
    }

    /// What a pair may have agreed on of a field; `None` where nothing is known of that.
    fn may_be_agreed(&self, pair: &PairOf, field: &str) -> Option<Vec<Value>> {
        let key = (pair.clone(), field.to_owned());
        let agreed = self.agreed.get(&key)?;
        Some(agreed.iter().chain(self.equal_once.get(&key).into_iter().flatten()).cloned().collect())
    }

    fn created(&mut self, event: &Event, crm: usize) -> Result<(), String> {
        let other = if event.side == 0 { crm + 1 } else { 0 };
        let tag = event.changes.iter().find(|(field, ..)| field == "tag").map(|(.., new)| new.to_string());
        let Some(tag) = tag else {
            return Err(format!("I4: {} is created on side {} from no record", event.id, event.side));
        };
        // What people did that to before anybody learned that it had been made can be found by nobody.
        let is_lost = |id: &&String| {
            let record = (event.side, event.resource, (*id).clone());
            self.lost.contains(&record) && !self.linked.contains(&record)
        };
        let mut held = self.tags.get(&(other, event.resource, tag.clone())).into_iter().flatten();
        if held.any(|id| self.orphans.contains(&(other, event.resource, id.clone()))) {
            self.blurred = true;
            return Ok(());
        }
        let made = self.tags.entry((event.side, event.resource, tag.clone())).or_default();
        if let Some(first) = made.iter().find(|id| !is_lost(id)) {
            return Err(format!(
                "I4: {} {} on side {} is made of {tag}, which is {first} there already",
                event.resource, event.id, event.side
            ));
        }
        made.push(event.id.clone());
        if event.side > 0 {
            self.made_there.insert(record_of(event));
        }
        self.check_twins(event)?;
        let source = self.holder_of_tag(other, event.resource, &tag);
        for (field, _, new) in &event.changes {
            let Some(known) = field_of(event.resource, field) else { continue };
            let from = source.as_ref().map(|id| Place { side: other, id: id.clone(), ..place(event, field) });
            let credit = from.as_ref().and_then(|from| self.credit(from, known, new, crm));
            let Some(credit) = credit.or_else(|| self.no_credit(known, new, crm)) else {
                return Err(format!(
                    "I3: {} {} gets {field} {new}, which its source never held",
                    event.resource, event.id
                ));
            };
            self.cells.entry(place(event, field)).or_default().history.push((new.clone(), credit));
        }
        if let Some(source) = source {
            let (local, remote) = if event.side == 0 { (event.id.clone(), source) } else { (source, event.id.clone()) };
            self.learn(PairOf { crm, resource: event.resource, local, remote });
        }
        Ok(())
    }

    /// What the engine made here, and nobody touched, is found by its key: whatever else has that key is no new record.
    fn check_twins(&mut self, event: &Event) -> Result<(), String> {
        let is_key = |(field, ..): &&(String, Value, Value)| {
            matches!(
                field_of(event.resource, field).map(|field| field.kind),
                Some(FieldKind::Email | FieldKind::Website)
            )
        };
        let Some((field, _, value)) = event.changes.iter().find(is_key).filter(|_| event.side == 0) else {
            return Ok(());
        };
        let key_of = |value: &Value| match_key(event.resource, value.as_text()?);
        let Some(key) = key_of(value) else { return Ok(()) };
        let made = self.made.entry((event.resource, key.clone())).or_default();
        let is_there = |id: &&String| {
            let held = self.cells.get(&Place { id: (*id).clone(), ..place(event, field) }).map(Cell::value);
            held.and_then(key_of).is_some_and(|held| held == key)
                && !self.touched.contains_key(&(0, event.resource, (*id).clone()))
        };
        if let Some(twin) = made.iter().find(is_there) {
            return Err(format!(
                "I4: {} {} is made beside {twin}, which has its {field} {value}",
                event.resource, event.id
            ));
        }
        made.push(event.id.clone());
        Ok(())
    }

    /// A deletion may not take an edit with it that the other side never saw.
    fn deleted(&mut self, event: &Event, crm: usize) -> Result<(), String> {
        if event.side == 0 {
            self.made.values_mut().for_each(|made| made.retain(|id| *id != event.id));
        }
        let other = if event.side == 0 { crm + 1 } else { 0 };
        let partner = self.partner.get(&(crm, event.resource, event.side, event.id.clone())).cloned();
        let Some(partner) = partner.filter(|_| !event.raced) else { return Ok(()) };
        let pair = pair_of(event, crm, &partner);
        for field in fields_of(event.resource) {
            let own = place(event, field.name);
            let from = Place { side: other, id: partner.clone(), ..own.clone() };
            let [own, from] = [own, from].map(|place| self.cells.get(&place).cloned().unwrap_or_default());
            let Some(agreed) = self.may_be_agreed(&pair, field.name) else { continue };
            let spelling = self.setting.crms[crm].spelling;
            let is_edit = agreed.iter().all(|agreed| !same(field, own.value(), agreed, spelling));
            let is_open = self.direction(event.resource, crm, field.name) == MappingDirection::Both;
            if let Some(lost) = self.newest(own.known(), from.known()).filter(|_| is_edit && is_open) {
                return Err(format!(
                    "I3: {} {} is deleted with its edit {} = {} of {lost}",
                    event.resource,
                    event.id,
                    field.name,
                    own.value()
                ));
            }
        }
        Ok(())
    }

    /// Whether a person touched this end of a pair since it is one.
    pub(crate) fn was_touched(&self, pair: &PairOf, end: Side) -> bool {
        let since = self.pairs.get(pair).map_or(0, |(since, _)| *since);
        let end = match end {
            Side::Local => (0, pair.resource, pair.local.clone()),
            Side::Remote => (pair.crm + 1, pair.resource, pair.remote.clone()),
        };
        self.touched.get(&end).is_some_and(|numbers| numbers.iter().any(|number| *number > since))
    }

    fn holder_of_tag(&self, side: usize, resource: Resource, tag: &str) -> Option<String> {
        self.tags.get(&(side, resource, tag.to_owned()))?.last().cloned()
    }

    /// What the written value takes account of: what it knew when the other side held it last.
    fn credit(&self, from: &Place, field: &SimulatedField, value: &Value, crm: usize) -> Option<Known> {
        let spelling = self.setting.crms[crm].spelling;
        let held = self.cells.get(from)?.history.iter().rev().find(|(held, _)| same(field, held, value, spelling));
        held.map(|(_, known)| *known)
    }

    /// A blank value takes account of nothing, and needs no source.
    fn no_credit(&self, field: &SimulatedField, value: &Value, crm: usize) -> Option<Known> {
        is_blank(field, value, self.setting.crms[crm].spelling).then_some([0; 4])
    }

    fn updated(&mut self, event: &Event, crm: usize) -> Result<(), String> {
        let other = if event.side == 0 { crm + 1 } else { 0 };
        let partner = self.partner.get(&(crm, event.resource, event.side, event.id.clone())).cloned();
        for (field, old, new) in &event.changes {
            let Some(simulated) = field_of(event.resource, field) else { continue };
            self.check_direction(event, crm, field)?;
            let target = place(event, field);
            let mut known = self.cells.get(&target).map(Cell::known).unwrap_or_default();
            if let Some(partner) = &partner {
                let from = Place { side: other, id: partner.clone(), ..target.clone() };
                let Some(credit) =
                    self.credit(&from, simulated, new, crm).or_else(|| self.no_credit(simulated, new, crm))
                else {
                    return Err(format!(
                        "I3: {} {} gets {field} {new}, which its counterpart {partner} never held",
                        event.resource, event.id
                    ));
                };
                let pair = pair_of(event, crm, partner);
                self.judge(event, &pair, field, old, (known, credit))?;
                known = join(known, credit);
                if event.imports && (old.is_blank() || self.setting.duplicates == DuplicateHandling::OverwriteAll) {
                    // Who imports so wants it so: that counts as an edit.
                    known[event.side] = self.times.len();
                }
                let spelling = self.setting.crms[crm].spelling;
                let source = self.cells.get_mut(&from).and_then(|cell| cell.history.last_mut());
                if let Some(last) = source.filter(|last| same(simulated, &last.0, new, spelling)) {
                    last.1 = join(last.1, known);
                }
                self.equal_once.remove(&(pair.clone(), field.clone()));
                self.agreed.insert((pair, field.clone()), vec![new.clone()]);
            }
            if field == "tag" {
                self.tags.entry((event.side, event.resource, new.to_string())).or_default().push(event.id.clone());
            }
            self.cells.entry(target).or_default().history.push((new.clone(), known));
        }
        Ok(())
    }

    fn check_direction(&self, event: &Event, crm: usize, field: &str) -> Result<(), String> {
        let closed = match (event.side, self.direction(event.resource, crm, field)) {
            (_, MappingDirection::Both) | (0, MappingDirection::ImportOnly) => false,
            (0, MappingDirection::ExportOnly) => true,
            (_, direction) => direction == MappingDirection::ImportOnly,
        };
        if closed {
            Err(format!("I11: {field} of {} {} is written against its direction", event.resource, event.id))
        } else {
            Ok(())
        }
    }

    /// Judges a write over `old`, given what the two values take account of.
    fn judge(
        &mut self,
        event: &Event,
        pair: &PairOf,
        field: &str,
        old: &Value,
        (held, written): (Known, Known),
    ) -> Result<(), String> {
        let kept_blank = old.is_blank() && self.setting.blank == BlankRule::Keep;
        let Some(agreed) = self.may_be_agreed(pair, field) else { return Ok(()) };
        // An edit of a field that travels one way does not stand against that way.
        let is_open = self.direction(event.resource, pair.crm, field) == MappingDirection::Both;
        let by_handling =
            event.imports && (old.is_blank() || self.setting.duplicates == DuplicateHandling::OverwriteAll);
        if kept_blank || event.raced || by_handling || !is_open {
            return Ok(());
        }
        // Edits there and back are none.
        let spelling = self.setting.crms[pair.crm].spelling;
        let differs = |value: &Value, agreed: &Value| {
            field_of(event.resource, field).is_some_and(|known| !same(known, value, agreed, spelling))
        };
        let lost = self.newest(held, written).filter(|_| agreed.iter().all(|agreed| differs(old, agreed)));
        let won = self.newest(written, held);
        let (Some(lost), new) = (lost, won) else { return Ok(()) };
        let Some(new) = new else {
            return Err(format!(
                "I3: {} {} on side {}: the edit {field} = {old} of {lost} is overwritten with an older value of its counterpart",
                event.resource, event.id, event.side
            ));
        };
        self.losses.push(Loss { pair: pair.clone(), field: field.to_owned(), value: old.clone() });
        let winner = if event.side == 0 { Side::Remote } else { Side::Local };
        let habits = &self.setting.crms[pair.crm];
        match self.truth(event.resource, pair.crm, field) {
            Some(truth) if truth != winner => {
                Err(format!("I3: {field} of {} {} goes against its source of truth", event.resource, event.id))
            }
            Some(_) => Ok(()),
            // An edit that came through another CRM is known by its record's time only.
            None if self.setting.crms.len() == 1
                && self.setting.field_times
                && habits.field_times
                && lost - new > chrono::Duration::seconds(3) =>
            {
                Err(format!("I3: {} {}: {field} = {old} of {lost} loses to an edit of {new}", event.resource, event.id))
            }
            None => Ok(()),
        }
    }

    /// When the newest edit was made that `a` takes account of and `b` does not.
    fn newest(&self, a: Known, b: Known) -> Option<DateTime<Utc>> {
        let unseen = a.iter().zip(b).filter(|(a, b)| *a > b).map(|(a, _)| *a);
        unseen.max().and_then(|number| self.times.get(number - 1)).copied()
    }

    fn direction(&self, resource: Resource, crm: usize, field: &str) -> MappingDirection {
        match (field, position(resource, field)) {
            ("tag", _) | (_, None) => MappingDirection::Both,
            (_, Some(position)) => self.setting.crms[crm].directions[position],
        }
    }

    fn truth(&self, resource: Resource, crm: usize, field: &str) -> Option<Side> {
        if field == "tag" { None } else { self.setting.crms[crm].truths[position(resource, field)?] }
    }

    fn values(&self, pair: &PairOf, field: &str) -> (Value, Value) {
        let [local, remote] = places(pair, field).map(|place| self.cells.get(&place).map(Cell::value).cloned());
        (local.unwrap_or_default(), remote.unwrap_or_default())
    }

    /// Whether this field of a pair has to be equal once everything is quiet.
    pub(crate) fn has_to_agree(&self, pair: &PairOf, field: &str) -> bool {
        let edited_since = self.pairs.get(pair).is_some_and(|(since, held)| {
            let held = held.get(field).into_iter().flatten();
            places(pair, field).iter().zip(held).any(|(place, held)| {
                self.cells
                    .get(place)
                    .is_some_and(|cell| cell.known()[place.side] > *since && cell.value() != held && cell.is_new())
            })
        });
        let is_open = self.direction(pair.resource, pair.crm, field) == MappingDirection::Both;
        is_open && (edited_since || self.agreed.contains_key(&(pair.clone(), field.to_owned())))
    }

    /// Whether people restored a record of a CRM that tells nobody of that.
    pub(crate) fn came_back_unseen(&self, side: usize, resource: Resource, id: &str) -> bool {
        let tells = side.checked_sub(1).is_none_or(|crm| self.setting.crms[crm].tells_of_restored);
        !tells && self.restored.contains(&(side, resource, id.to_owned()))
    }

    /// Whether a record of this tag ever was on a side.
    pub(crate) fn knows_tag(&self, side: usize, resource: Resource, tag: &str) -> bool {
        self.tags.contains_key(&(side, resource, tag.to_owned()))
    }
}

fn record_of(event: &Event) -> (usize, Resource, String) {
    (event.side, event.resource, event.id.clone())
}

fn place(event: &Event, field: &str) -> Place {
    Place { side: event.side, resource: event.resource, id: event.id.clone(), field: field.to_owned() }
}

fn places(pair: &PairOf, field: &str) -> [Place; 2] {
    let place = |side, id: &String| Place { side, resource: pair.resource, id: id.clone(), field: field.to_owned() };
    [place(0, &pair.local), place(pair.crm + 1, &pair.remote)]
}

fn pair_of(event: &Event, crm: usize, partner: &str) -> PairOf {
    let (own, partner) = (event.id.clone(), partner.to_owned());
    let (local, remote) = if event.side == 0 { (own, partner) } else { (partner, own) };
    PairOf { crm, resource: event.resource, local, remote }
}

fn join(a: Known, b: Known) -> Known {
    std::array::from_fn(|side| a[side].max(b[side]))
}

fn position(resource: Resource, field: &str) -> Option<usize> {
    fields_of(resource).iter().position(|known| known.name == field)
}

/// The field of that name; `None` for a relation.
fn field_of(resource: Resource, field: &str) -> Option<&'static SimulatedField> {
    fields_of(resource).iter().find(|known| known.name == field)
}
