//! What one page comes to: the local writes, and the links, bases, intents and log entries that depend on each of them.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::ids::{FieldName, IntentId, LocalId, RemoteId};
use crate::model::change::{Direction, FieldChange, Reason};
use crate::model::fields::Fields;
use crate::model::journal::LogEntry;
use crate::model::link::{Awaited, Base, Link};
use crate::model::quarantine::Quarantined;
use crate::model::record::{RecordId, Version};
use crate::model::value::Value;
use crate::store::records::LocalWrite;
use crate::store::state::RunRecord;

/// One record's part of a page.
#[non_exhaustive]
#[derive(Clone, Debug, Default)]
pub struct PageItem {
    /// A record to make here. Only for a store that [takes births](crate::store::contract::Store::takes_births): others
    /// get it as a write, a link and a line of the log.
    pub birth: Option<Birth>,
    /// The write on the host's side.
    pub local_write: Option<LocalWrite>,
    /// The link to keep before the local write, where that is another transaction: a crash in between must not make a
    /// stranger of the record.
    pub announced: Option<Link>,
    /// The link and base to keep, once the local write is done. A link under the same local or the same remote id is replaced.
    pub link: Option<Link>,
    /// What to keep instead when the local write is refused because the host's record had moved on: what the CRM was
    /// already sent is agreed on all the same.
    pub link_if_refused: Option<Link>,
    /// A link to forget, before the item's own is kept.
    pub unlink: Option<(LocalId, RemoteId)>,
    /// An intent that has its outcome.
    pub closed_intent: Option<IntentId>,
    /// A record to set aside because it failed, in place of what was kept of it.
    pub set_aside: Option<Quarantined>,
    /// Records to take out of quarantine, once the local write is done.
    pub released: Vec<RecordId>,
    /// Lines of the log, once the local write is done.
    pub log: Vec<LogEntry>,
    /// What to log instead when the local write is refused: what the CRM was already sent.
    pub log_if_refused: Vec<LogEntry>,
}

/// A record that is made here just as the CRM holds it: its fields are at once what both sides agree on and what the log
/// tells, and a store may keep them once.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Birth {
    /// The new record, under the id that the engine chose. It is refused where that exists already.
    pub id: LocalId,
    /// The record that it is made from, which has no other link.
    pub remote_id: RemoteId,
    /// What both sides hold, blank fields too.
    pub fields: Fields,
    /// When the CRM's record was changed last, where that is known.
    pub remote_modified_at: Option<DateTime<Utc>>,
    /// What its link waits for.
    pub waiting_for: BTreeSet<Awaited>,
    /// The line of the log. Its time is the record's; its changes are those that `fields` do not tell.
    pub log: LogEntry,
}

impl Birth {
    /// A record whose link waits for nothing.
    pub fn new(id: LocalId, remote_id: RemoteId, fields: Fields, log: LogEntry) -> Self {
        Self { id, remote_id, fields, remote_modified_at: None, waiting_for: BTreeSet::new(), log }
    }

    /// The message of its line of the log.
    pub const MESSAGE: &str = "created here";

    /// The link and its base. The store sets the version that the new record gets.
    fn link(&self) -> Link {
        let mut link = Link::new(self.id.clone(), self.remote_id.clone());
        link.base = Base::equal(self.fields.clone());
        link.remote_modified_at = self.remote_modified_at;
        link.waiting_for.clone_from(&self.waiting_for);
        link.local_version = Some(Version::new(0));
        link
    }

    /// The change of a field that the record is made with; `None` for a blank one.
    pub fn change(field: &FieldName, value: &Value) -> Option<FieldChange> {
        let change =
            || FieldChange::new(field.clone(), Direction::ToAbmatic, Value::Null, value.clone(), Reason::NewRecord);
        (!value.is_blank()).then(change)
    }

    /// The same as a write, a link and a line of the log.
    pub fn unfold(self) -> PageItem {
        let link = self.link();
        let announced = link.clone().announced();
        let mut log = self.log;
        let changes = self.fields.iter().filter_map(|(field, value)| Self::change(field, value));
        log.changes = changes.chain(std::mem::take(&mut log.changes)).collect();
        PageItem {
            local_write: Some(LocalWrite::create(self.id, self.fields, log.at)),
            announced: Some(announced),
            link: Some(link),
            log: vec![log],
            ..PageItem::default()
        }
    }
}

impl PageItem {
    /// The local record that it makes or changes.
    pub fn writes(&self) -> Option<&LocalId> {
        self.birth.as_ref().map(|birth| &birth.id).or(self.local_write.as_ref().map(|write| &write.id))
    }

    /// The item without a birth.
    #[must_use]
    pub fn unfolded(mut self) -> Self {
        match self.birth.take() {
            Some(birth) => Self {
                unlink: self.unlink,
                closed_intent: self.closed_intent,
                set_aside: self.set_aside,
                released: self.released,
                ..birth.unfold()
            },
            None => self,
        }
    }
}

/// What one page comes to.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct PageCommit {
    /// Record by record.
    pub items: Vec<PageItem>,
    /// Cursors to move.
    pub cursors: Vec<(String, String)>,
    /// The run as it stands after the page.
    pub run: RunRecord,
    /// The run as it stands while an item is refused: neither it nor the cursors may move past a record that is still to
    /// be merged anew. `None`: they move all the same.
    pub run_if_refused: Option<RunRecord>,
}

/// The state's part of a page, once the local writes are done.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct StateCommit {
    /// Links and bases to keep.
    pub links: Vec<Link>,
    /// Links to forget, before others are kept.
    pub unlinks: Vec<(LocalId, RemoteId)>,
    /// Intents that have their outcome.
    pub closed_intents: Vec<IntentId>,
    /// Records to take out of quarantine. Before others are set aside.
    pub released: Vec<RecordId>,
    /// Records to set aside, each in place of what was kept of it.
    pub set_aside: Vec<Quarantined>,
    /// Lines of the log.
    pub log: Vec<LogEntry>,
    /// Cursors to move.
    pub cursors: Vec<(String, String)>,
    /// The run as it stands.
    pub run: RunRecord,
}

impl PageCommit {
    /// A page's parts.
    pub fn new(items: Vec<PageItem>, run: RunRecord) -> Self {
        Self { items, cursors: Vec::new(), run, run_if_refused: None }
    }
}

impl StateCommit {
    /// Nothing but the run's newest state.
    pub fn new(run: RunRecord) -> Self {
        Self {
            links: Vec::new(),
            unlinks: Vec::new(),
            closed_intents: Vec::new(),
            released: Vec::new(),
            set_aside: Vec::new(),
            log: Vec::new(),
            cursors: Vec::new(),
            run,
        }
    }
}
