//! What the fake account holds: its records by type, and all that hangs around them. No rules here.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use crate::fake::dice::Dice;
use crate::fake::hubspot::catalogue::Catalogue;
use crate::fake::hubspot::journal::Journal;
use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::limits::Limits;
use crate::fake::hubspot::links::Links;
use crate::fake::hubspot::lists::List;
use crate::fake::hubspot::oauth::Tokens;
use crate::fake::hubspot::owners::Owner;
use crate::fake::hubspot::pipelines::Pipeline;
use crate::fake::hubspot::record::{PropertyId, Record};
use crate::fake::hubspot::settings::Settings;
use crate::fake::packed::Values;

/// The first id of every type: ids of different types overlap, as they may in HubSpot.
const FIRST_ID: u64 = 101;

/// The account.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) dice: Dice,
    shelves: Vec<Shelf>,
    pub(crate) links: Links,
    pub(crate) lists: BTreeMap<u64, List>,
    pub(crate) owners: Vec<Owner>,
    pub(crate) pipelines: BTreeMap<Kind, Vec<Pipeline>>,
    pub(crate) tokens: Tokens,
    pub(crate) limits: Limits,
    pub(crate) journal: Journal,
    /// Addresses that a GDPR delete has blocked.
    pub(crate) blocked_emails: BTreeSet<String>,
}

/// All records of one type.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    pub(crate) kind: Kind,
    pub(crate) catalogue: Catalogue,
    pub(crate) live: BTreeMap<u64, Record>,
    /// The recycle bin.
    pub(crate) archived: BTreeMap<u64, Record>,
    /// Merged-away id → its survivor.
    pub(crate) aliases: BTreeMap<u64, u64>,
    /// Unique property → its value in lower case → who has it.
    unique: HashMap<PropertyId, HashMap<String, u64>>,
    next_id: u64,
    /// What the search index does not know yet, oldest first.
    unindexed: VecDeque<Unindexed>,
}

/// A change that the search index has still to see.
#[derive(Clone, Debug)]
struct Unindexed {
    at: i64,
    id: u64,
    /// The record as the index shows it; `None` when it was not there.
    before: Option<Record>,
}

impl State {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            dice: Dice::new(settings.rng_seed),
            tokens: Tokens::new(&settings.token),
            limits: Limits::new(settings.rate_limits),
            journal: Journal::default(),
            settings,
            shelves: Kind::all().map(Shelf::new).collect(),
            links: Links::default(),
            lists: BTreeMap::new(),
            owners: crate::fake::hubspot::owners::defaults(),
            pipelines: crate::fake::hubspot::pipelines::defaults(),
            blocked_emails: BTreeSet::new(),
        }
    }

    /// There is a shelf for every kind, and kinds are made nowhere else.
    pub(crate) fn shelf(&self, kind: Kind) -> &Shelf {
        &self.shelves[kind.index()]
    }

    /// There is a shelf for every kind, and kinds are made nowhere else.
    pub(crate) fn shelf_mut(&mut self, kind: Kind) -> &mut Shelf {
        &mut self.shelves[kind.index()]
    }

    /// Remembers a record for the index before it is changed.
    pub(crate) fn before_change(&mut self, kind: Kind, id: u64, now: i64) {
        let lag_ms = self.settings.search_lag_ms;
        self.shelf_mut(kind).before_change(id, now, lag_ms);
    }

    /// Puts a new record on its shelf.
    pub(crate) fn insert(&mut self, kind: Kind, record: Record, now: i64) -> u64 {
        let lag_ms = self.settings.search_lag_ms;
        let shelf = self.shelf_mut(kind);
        let id = shelf.take_id(1);
        shelf.before_change(id, now, lag_ms);
        shelf.claim(id, &record.values);
        shelf.live.insert(id, record);
        id
    }
}

impl Shelf {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            catalogue: Catalogue::of(kind),
            live: BTreeMap::new(),
            archived: BTreeMap::new(),
            aliases: BTreeMap::new(),
            unique: HashMap::new(),
            next_id: FIRST_ID,
            unindexed: VecDeque::new(),
        }
    }

    /// A fresh id, and the next one `step` later.
    pub(crate) fn take_id(&mut self, step: u64) -> u64 {
        let id = self.next_id;
        self.next_id += step;
        id
    }

    /// The live id that an id stands for, merged ones followed.
    pub(crate) fn resolve(&self, id: u64) -> Option<u64> {
        if self.live.contains_key(&id) {
            return Some(id);
        }
        let survivor = *self.aliases.get(&id)?;
        self.resolve(survivor)
    }

    /// The unique properties: the contact's e-mails, and those that were made unique.
    fn unique_values<'a>(&self, values: &'a Values) -> Vec<(PropertyId, &'a str)> {
        let emails = self.emails();
        let mut found = Vec::new();
        for (property, value) in values.iter() {
            if let Some((email, _)) = emails.filter(|(email, more)| property == *email || property == *more) {
                found.extend(value.split(';').filter(|part| !part.is_empty()).map(|part| (email, part)));
            } else if self.catalogue.get(property).is_some_and(|definition| definition.unique) {
                found.push((property, value));
            }
        }
        found
    }

    /// `email` and `hs_additional_emails` of contacts.
    pub(crate) fn emails(&self) -> Option<(PropertyId, PropertyId)> {
        if self.kind != Kind::CONTACTS {
            return None;
        }
        Some((self.catalogue.id("email")?, self.catalogue.id("hs_additional_emails")?))
    }

    /// Enters a record's unique values into the index.
    pub(crate) fn claim(&mut self, id: u64, values: &Values) {
        for (property, value) in self.unique_values(values) {
            self.unique.entry(property).or_default().insert(value.to_lowercase(), id);
        }
    }

    /// Frees a record's unique values.
    pub(crate) fn release(&mut self, id: u64, values: &Values) {
        for (property, value) in self.unique_values(values) {
            if let Some(holders) = self.unique.get_mut(&property) {
                let key = value.to_lowercase();
                if holders.get(&key) == Some(&id) {
                    holders.remove(&key);
                }
            }
        }
    }

    /// Who has that value of a unique property.
    pub(crate) fn holder(&self, property: PropertyId, value: &str) -> Option<u64> {
        self.unique.get(&property)?.get(&value.trim().to_lowercase()).copied()
    }

    fn before_change(&mut self, id: u64, now: i64, lag_ms: i64) {
        if lag_ms <= 0 {
            return;
        }
        while self.unindexed.front().is_some_and(|oldest| oldest.at + lag_ms <= now) {
            self.unindexed.pop_front();
        }
        let before = self.live.get(&id).cloned();
        self.unindexed.push_back(Unindexed { at: now, id, before });
    }

    /// What the index still shows of records changed within the lag: their old state, or nothing.
    pub(crate) fn lagging(&self, now: i64, lag_ms: i64) -> BTreeMap<u64, Option<&Record>> {
        let mut lagging = BTreeMap::new();
        for change in self.unindexed.iter().filter(|change| change.at + lag_ms > now) {
            lagging.entry(change.id).or_insert(change.before.as_ref());
        }
        lagging
    }
}
