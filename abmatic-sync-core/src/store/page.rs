//! What one page comes to: the local writes, and the links, bases, intents and log entries that depend on each of them.

use crate::ids::{IntentId, LocalId, RemoteId};
use crate::model::journal::LogEntry;
use crate::model::link::Link;
use crate::model::quarantine::Quarantined;
use crate::model::record::RecordId;
use crate::store::records::LocalWrite;
use crate::store::state::RunRecord;

/// One record's part of a page.
#[non_exhaustive]
#[derive(Clone, Debug, Default)]
pub struct PageItem {
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
