//! What the fake org holds: its records by object, and all that hangs around them. No rules here.

use std::collections::{BTreeSet, VecDeque};

use crate::fake::dice::Dice;
use crate::fake::moment::DAY_MS;
use crate::fake::salesforce::bulk::job::Jobs;
use crate::fake::salesforce::catalogue::Catalogue;
use crate::fake::salesforce::cursors::Cursors;
use crate::fake::salesforce::id;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::limits::Limits;
use crate::fake::salesforce::listviews::ListView;
use crate::fake::salesforce::oauth::Tokens;
use crate::fake::salesforce::record::Record;
use crate::fake::salesforce::settings::Settings;
use crate::fake::salesforce::shelf::Shelf;

/// How long a deleted record can be seen.
pub(crate) const BIN_DAYS: i64 = 15;

/// The org.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) dice: Dice,
    shelves: Vec<Shelf>,
    pub(crate) tokens: Tokens,
    pub(crate) limits: Limits,
    pub(crate) cursors: Cursors,
    pub(crate) jobs: Jobs,
    pub(crate) list_views: Vec<ListView>,
    /// The user behind the access token.
    pub(crate) me: u64,
    /// What was deleted, oldest first, to be purged.
    bin: VecDeque<(i64, Kind, u64)>,
    /// Records before the changes of the open transaction.
    journal: Option<Vec<(Kind, u64, Option<Record>)>>,
    /// Records that someone else holds locked.
    pub(crate) locked: BTreeSet<(Kind, u64)>,
}

impl State {
    pub(crate) fn new(mut settings: Settings) -> Self {
        let catalogue = |kind: Kind| {
            let mut catalogue = Catalogue::new((kind.facts().fields)());
            for (_, field) in settings.custom_fields.iter().filter(|(of, _)| *of == kind) {
                catalogue.add(field.clone());
            }
            for (_, name) in settings.read_only_fields.iter().filter(|(of, _)| *of == kind) {
                catalogue.protect(name);
            }
            for (_, name) in settings.hidden_fields.iter().filter(|(of, _)| *of == kind) {
                catalogue.hide(name);
            }
            catalogue
        };
        let shelves = Kind::all().map(|kind| Shelf::new(kind, catalogue(kind))).collect();
        settings.custom_fields.clear();
        Self {
            dice: Dice::new(settings.rng_seed),
            tokens: Tokens::new(&settings.token),
            limits: Limits::new(settings.daily_limit),
            settings,
            shelves,
            cursors: Cursors::default(),
            jobs: Jobs::default(),
            list_views: Vec::new(),
            me: id::FIRST_NUMBER,
            bin: VecDeque::new(),
            journal: None,
            locked: BTreeSet::new(),
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

    /// The objects that the user may see.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> {
        Kind::all().filter(|kind| !self.settings.hidden_objects.contains(kind))
    }

    /// The object of that name, if the user may see it.
    pub(crate) fn kind(&self, name: &str) -> Option<Kind> {
        Kind::parse(name).filter(|kind| !self.settings.hidden_objects.contains(kind))
    }

    /// The object whose ids begin so.
    pub(crate) fn kind_of_prefix(&self, prefix: id::Prefix) -> Option<Kind> {
        self.kinds().find(|kind| kind.prefix() == prefix)
    }

    /// Every change of a record goes through here, so that it can be undone.
    pub(crate) fn put(&mut self, kind: Kind, number: u64, record: Option<Record>) {
        if let Some(deleted_at) = record.as_ref().and_then(|record| record.deleted_at) {
            self.bin.push_back((deleted_at, kind, number));
        }
        let before = self.shelf_mut(kind).put(number, record);
        if let Some(journal) = &mut self.journal {
            journal.push((kind, number, before));
        }
    }

    /// Carries out `work`; where it answers false, nothing of it has happened. One inside another belongs to it.
    pub(crate) fn transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> (T, bool)) -> T {
        let outer = self.journal.replace(Vec::new());
        let (answer, keep) = work(self);
        let done = std::mem::replace(&mut self.journal, outer).unwrap_or_default();
        if keep {
            if let Some(outer) = &mut self.journal {
                outer.extend(done);
            }
            return answer;
        }
        for (kind, number, before) in done.into_iter().rev() {
            self.shelf_mut(kind).put(number, before);
        }
        answer
    }

    /// Removes for good what has been in the recycle bin for fifteen days.
    pub(crate) fn purge(&mut self, now: i64) {
        while let Some((deleted_at, kind, number)) = self.bin.front().copied() {
            if deleted_at + BIN_DAYS * DAY_MS > now {
                return;
            }
            self.bin.pop_front();
            let still = self.shelf(kind).get(number).is_some_and(|record| record.deleted_at == Some(deleted_at));
            if still {
                self.shelf_mut(kind).put(number, None);
            }
        }
    }
}
