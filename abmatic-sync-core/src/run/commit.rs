//! Records, links, bases and log of a block, as one page to commit.

use chrono::{DateTime, Utc};

use crate::connector::request::{Undecodable, Written};
use crate::error::Error;
use crate::ids::RunId;
use crate::model::change::{Direction, FieldChange};
use crate::model::journal::{LogEntry, Status};
use crate::model::link::{Awaited, Base, Link};
use crate::model::record::{RecordId, Version};
use crate::model::resource::Side;
use crate::model::value::Value;
use crate::policy::GoneRule;
use crate::run::context::RunContext;
use crate::run::local_id::local_id_of;
use crate::run::quarantine::SetAside;
use crate::run::write::{Sent, SentOutcome};
use crate::steps::matching::Situation;
use crate::steps::plan::{Action, Agreement, Planned};
use crate::store::page::{Birth, PageItem};
use crate::store::records::LocalWrite;
use crate::store::state::Counts;

/// What a record counts as (I5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tally {
    Created,
    Deleted,
    Failed,
    Skipped,
    Unchanged,
    Updated,
}

impl Tally {
    /// Counts one record that was read.
    pub(crate) fn count(self, counts: &mut Counts) {
        counts.read += 1;
        match self {
            Self::Created => counts.created += 1,
            Self::Deleted => counts.deleted += 1,
            Self::Failed => counts.failed += 1,
            Self::Skipped => counts.skipped += 1,
            Self::Unchanged => counts.unchanged += 1,
            Self::Updated => counts.updated += 1,
        }
    }
}

/// What a plan counts as if it is carried out.
pub(crate) fn tally_of(planned: &Planned) -> Tally {
    match planned.action {
        Action::Create(_) => Tally::Created,
        Action::Delete(_) => Tally::Deleted,
        Action::Fail(_) => Tally::Failed,
        Action::Leave(_) | Action::Unlink(_) => Tally::Skipped,
        Action::Unchanged => Tally::Unchanged,
        Action::Update => Tally::Updated,
    }
}

/// Makes items for the page: who writes them down, and when.
#[derive(Debug)]
pub(crate) struct Scribe<'a> {
    pub(crate) context: &'a RunContext,
    pub(crate) run: &'a RunId,
    pub(crate) now: DateTime<Utc>,
    /// What was set aside before of the records at hand.
    pub(crate) set_aside: &'a SetAside,
}

impl Scribe<'_> {
    /// The item of one record, and what it counts as.
    pub(crate) fn item(&self, planned: Planned, sent: Sent) -> (PageItem, Tally) {
        let tally = tally_of(&planned);
        let mut item = PageItem { closed_intent: sent.closed_intent, ..PageItem::default() };
        let written = match sent.outcome {
            SentOutcome::Failed(error) => {
                self.failed(&mut item, &planned, &error);
                return (item, Tally::Failed);
            }
            SentOutcome::NotNeeded => None,
            SentOutcome::Written(written) => Some(written),
        };
        item.released = self.released(&planned);
        match &planned.action {
            Action::Create(side) => {
                let side = *side;
                self.created(&mut item, planned, side, written.as_ref());
            }
            Action::Fail(error) => {
                self.failed(&mut item, &planned, error);
                return (item, tally);
            }
            Action::Delete(side) => self.deleted(&mut item, &planned, *side),
            Action::Leave(reason) => {
                item.link = self.link_if_left(&planned);
                item.log.push(self.entry(&planned, Status::Skipped, forth(&planned), reason.clone()));
            }
            Action::Unchanged => item.link = self.link(&planned, None, Which::All),
            Action::Unlink(reason) => {
                item.link = self.link_if_left(&planned);
                item.log.push(self.entry(&planned, Status::Skipped, forth(&planned), format!("unlinked: {reason}")));
            }
            Action::Update => self.updated(&mut item, &planned, written.as_ref()),
        }
        (item, tally)
    }

    /// What becomes of a record that could not even be read.
    pub(crate) fn unreadable(&self, lost: &Undecodable) -> PageItem {
        let mut entry = self.blank_entry(Status::Failed, Direction::ToAbmatic);
        entry.remote_id.clone_from(&lost.id);
        entry.message = lost.error.to_string();
        entry.code = Some(lost.error.code());
        let set_aside = self.set_aside.after_loss(lost, self.now);
        PageItem { set_aside, log: vec![entry], ..PageItem::default() }
    }

    /// A pair that failed is set aside, under one of its records: the next runs leave it until it is due or has changed.
    fn failed(&self, item: &mut PageItem, planned: &Planned, error: &Error) {
        item.log.push(self.failure(planned, error));
        item.released = self.set_aside.records_of(&planned.pair);
        item.set_aside = self.set_aside.after_failure(&planned.pair, error, self.now);
    }

    /// A pair that did not fail is set aside no more. One that is merely left says nothing of its other side's record.
    fn released(&self, planned: &Planned) -> Vec<RecordId> {
        let mut records = self.set_aside.records_of(&planned.pair);
        if matches!(planned.action, Action::Leave(_)) {
            records.retain(|record| record.side() == planned.pair.source);
        }
        records
    }

    fn created(&self, item: &mut PageItem, mut planned: Planned, side: Side, written: Option<&Written>) {
        let (link, words) = match side {
            Side::Remote => (self.link(&planned, written, Which::All), "created in the CRM"),
            Side::Local => match self.born(item, &mut planned) {
                None => return,
                link => (link, Birth::MESSAGE),
            },
        };
        let message = with_warnings(words.to_owned(), &planned, written);
        let mut entry = self.entry(&planned, Status::Created, Direction::towards(side), message);
        if let Some(link) = &link {
            entry.local_id = Some(link.local_id.clone());
            entry.remote_id = Some(link.remote_id.clone());
        }
        item.log.push(entry);
        item.link = link;
    }

    /// Makes a record here: as a birth, or where that does not tell everything as a write, whose link is given.
    fn born(&self, item: &mut PageItem, planned: &mut Planned) -> Option<Link> {
        let remote = planned.pair.remote.as_ref()?;
        let (id, remote_id) = (local_id_of(&self.context.scope, remote, planned.pair.replaces), remote.id.clone());
        let remote_modified_at = remote.modified_at;
        let is_shared = |one: &Agreement| one.local == one.remote && (one.way.is_some() || one.local.is_blank());
        if planned.pair.warnings.is_empty() && planned.agreements.iter().all(is_shared) {
            let mut log = self.blank_entry(Status::Created, Direction::ToAbmatic);
            (log.local_id, log.remote_id) = (Some(id.clone()), Some(remote_id.clone()));
            Birth::MESSAGE.clone_into(&mut log.message);
            log.changes = std::mem::take(&mut planned.changes);
            log.changes.retain(|change| !change.written);
            let waiting_for = std::mem::take(&mut planned.waiting_for);
            let mut fields = std::mem::take(&mut planned.to_local);
            for blank in planned.agreements.iter().filter(|one| one.way.is_none()) {
                fields.insert(self.context.mapping.fields[blank.place].local.clone(), Value::Null);
            }
            item.birth = Some(Birth { id, remote_id, fields, remote_modified_at, waiting_for, log });
            return None;
        }
        let mut link = Link::new(id.clone(), remote_id);
        self.agree(&mut link.base, planned, None, Which::All);
        link.remote_modified_at = remote_modified_at;
        link.waiting_for.clone_from(&planned.waiting_for);
        item.announced = Some(link.clone().announced());
        // The store sets the version that the new record gets.
        link.local_version = Some(Version::new(0));
        item.local_write = Some(LocalWrite::create(id, std::mem::take(&mut planned.to_local), self.now));
        Some(link)
    }

    fn deleted(&self, item: &mut PageItem, planned: &Planned, side: Side) {
        item.link = with_gone(planned, side.other());
        let words = match (side, &planned.pair.local) {
            (Side::Local, Some(local)) => {
                item.local_write = Some(LocalWrite::delete(local.id.clone(), local.version, self.now));
                if let Some(link) = &mut item.link {
                    // The store sets the version that the deletion gets.
                    link.local_version = Some(Version::new(0));
                }
                "deleted here, as it was in the CRM"
            }
            (Side::Local, None) | (Side::Remote, _) => "deleted in the CRM, as it was here",
        };
        item.log.push(self.entry(planned, Status::Deleted, Direction::towards(side), words.to_owned()));
    }

    /// Whether the survivor on `side` is to be deleted, but not by an operation that only goes the other way.
    fn is_for_another_run(&self, side: Side) -> bool {
        let context = self.context;
        let propagates = context.policy.gone == GoneRule::Propagate && context.policy.writes(side).update;
        propagates && !context.writes(side).update
    }

    /// The link of a pair about which nothing is written.
    fn link_if_left(&self, planned: &Planned) -> Option<Link> {
        match planned.pair.situation {
            Situation::LocalGone if self.is_for_another_run(Side::Remote) => None,
            Situation::RemoteGone if self.is_for_another_run(Side::Local) => None,
            Situation::LocalGone => with_gone(planned, Side::Local),
            Situation::RemoteGone => with_gone(planned, Side::Remote),
            Situation::Ambiguous | Situation::Linked | Situation::Matched | Situation::New | Situation::OutOfScope => {
                self.link(planned, None, Which::All).filter(|_| planned.pair.refused.is_none())
            }
        }
    }

    fn updated(&self, item: &mut PageItem, planned: &Planned, written: Option<&Written>) {
        if let (Some(local), false) = (&planned.pair.local, planned.to_local.is_empty()) {
            let mut write = LocalWrite::update(local.id.clone(), planned.to_local.clone(), local.version, self.now);
            // The edit was made in the CRM, and then: another CRM's edit of the same field is judged by that.
            if let Some(edited) = planned.pair.remote.as_ref().and_then(|record| record.modified_at) {
                let ahead = self.context.connection.server_clock.ahead();
                let edited = ahead.map_or(edited, |ahead| ahead.corrected(edited));
                write.edited_at = planned.to_local.iter().map(|(name, _)| (name.clone(), edited)).collect();
            }
            item.local_write = Some(write);
            item.link_if_refused = written.and_then(|_| self.link(planned, written, Which::Sent));
            item.announced = departing(self.context, planned, item.link_if_refused.as_ref(), Direction::ToAbmatic);
        }
        item.link = self.link(planned, written, Which::All);
        for way in [Direction::ToAbmatic, Direction::FromAbmatic] {
            let names: Vec<&str> =
                planned.changes.iter().filter(|c| c.written && c.direction == way).map(|c| c.field.as_str()).collect();
            if !names.is_empty() {
                let message = with_warnings(format!("updated {}", names.join(", ")), planned, written);
                let entry = self.entry(planned, Status::Updated, way, message);
                if way == Direction::FromAbmatic && item.local_write.is_some() {
                    item.log_if_refused.push(entry.clone());
                }
                item.log.push(entry);
            }
        }
    }

    fn failure(&self, planned: &Planned, error: &Error) -> LogEntry {
        let mut entry = self.entry(planned, Status::Failed, forth(planned), error.to_string());
        entry.code = Some(error.code());
        entry
    }

    fn entry(&self, planned: &Planned, status: Status, way: Direction, message: String) -> LogEntry {
        let mut entry = self.blank_entry(status, way);
        let link = planned.pair.link.as_ref();
        let local = planned.pair.local.as_ref().map(|record| &record.id);
        entry.local_id = local.or(link.map(|link| &link.local_id)).cloned();
        let remote = planned.pair.remote.as_ref().map(|record| &record.id);
        entry.remote_id = remote.or(link.map(|link| &link.remote_id)).cloned();
        entry.message = message;
        let of_way = |change: &&FieldChange| change.direction == way || status == Status::Skipped;
        entry.changes = planned.changes.iter().filter(of_way).cloned().collect();
        entry
    }

    fn blank_entry(&self, status: Status, way: Direction) -> LogEntry {
        let scope = &self.context.scope;
        LogEntry::new(self.run.clone(), scope.connection.clone(), scope.resource, status, way, self.now)
    }

    /// The link to keep, `None` where it is kept as it is already.
    fn link(&self, planned: &Planned, written: Option<&Written>, which: Which) -> Option<Link> {
        let pair = &planned.pair;
        let local = pair.local.as_ref()?;
        let remote_id = written.map(|written| &written.id).or(pair.remote.as_ref().map(|record| &record.id))?;
        let mut link = pair.link.clone().unwrap_or_else(|| Link::new(local.id.clone(), remote_id.clone()));
        link.remote_id = remote_id.clone();
        link.gone = None;
        link.base.settle();
        self.agree(&mut link.base, planned, written, which);
        // A write that does not tell its time leaves the time unknown: what was read before it is older.
        link.remote_modified_at = match written {
            Some(written) => written.modified_at,
            None => pair.remote.as_ref().and_then(|record| record.modified_at),
        };
        link.waiting_for.clone_from(&planned.waiting_for);
        if written.is_some_and(|written| !written.unwritten.is_empty()) {
            link.waiting_for.insert(Awaited::AnotherLook);
        }
        link.local_version = match which {
            Which::All => self.settled_version(planned, &link.base),
            Which::Sent => None,
        };
        // What travelled was announced, and is under way no more.
        let travelled = planned.agreements.iter().any(|agreement| agreement.way.is_some());
        (travelled || pair.link.as_ref() != Some(&link)).then_some(link)
    }

    fn agree(&self, base: &mut Base, planned: &Planned, written: Option<&Written>, which: Which) {
        for agreement in &planned.agreements {
            if which == Which::Sent && agreement.way != Some(Direction::FromAbmatic) {
                continue;
            }
            let field = &self.context.mapping.fields[agreement.place];
            if written.is_some_and(|written| written.unwritten.contains(&field.remote)) {
                continue;
            }
            let remote = self.kept_remote(agreement, written);
            base.agree(field.local.clone(), agreement.local.clone(), remote);
        }
    }

    /// What the CRM keeps of a value, which need not be what it was sent.
    fn kept_remote(&self, agreement: &Agreement, written: Option<&Written>) -> Value {
        let field = &self.context.mapping.fields[agreement.place];
        let kept = (agreement.way == Some(Direction::FromAbmatic) && field.relation.is_none())
            .then(|| written?.fields.get(field.remote.as_str()))
            .flatten()
            .and_then(|value| field.to_local(value).ok());
        kept.unwrap_or_else(|| agreement.remote.clone())
    }

    /// The local state that the base knows, `None` while a local value differs from it: the next sync has to look again.
    fn settled_version(&self, planned: &Planned, base: &Base) -> Option<Version> {
        let local = planned.pair.local.as_ref()?;
        let settled = self.context.mapping.fields.iter().all(|field| {
            let name = field.local.as_str();
            let after = planned.to_local.get(name).or_else(|| local.fields.get(name)).cloned().unwrap_or_default();
            match base.local(name) {
                Some(known) => field.same(known, &after),
                None => after.is_blank(),
            }
        });
        settled.then_some(local.version)
    }
}

/// Which agreements go into a base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    All,
    /// Only what the CRM was sent: the host's record moved on meanwhile.
    Sent,
}

/// The link of a pair of which that side is gone: it waits for nothing. `None` where it is so already.
fn with_gone(planned: &Planned, side: Side) -> Option<Link> {
    let mut link = planned.pair.link.clone()?;
    link.gone = Some(side);
    link.waiting_for.clear();
    (planned.pair.link.as_ref() != Some(&link)).then_some(link)
}

/// The link of a pair before its values travel one way: kept first, so that a crash in between leaves no stranger with the
/// other's values (I4), and what arrived does not look like an edit later (I3). `sent` is what the other way came to.
pub(crate) fn departing(context: &RunContext, planned: &Planned, sent: Option<&Link>, way: Direction) -> Option<Link> {
    let pair = &planned.pair;
    let (local, remote) = (pair.local.as_ref()?, pair.remote.as_ref()?);
    let first = || {
        let mut link = Link::new(local.id.clone(), remote.id.clone());
        link.waiting_for.insert(Awaited::AnotherLook);
        link
    };
    let mut link = sent.or(pair.link.as_ref()).cloned().unwrap_or_else(first);
    for agreement in planned.agreements.iter().filter(|agreement| agreement.way == Some(way)) {
        let name = context.mapping.fields[agreement.place].local.clone();
        link.base.depart(name, way, agreement.local.clone());
    }
    Some(link)
}

fn forth(planned: &Planned) -> Direction {
    match planned.pair.situation {
        Situation::LocalGone => Direction::FromAbmatic,
        Situation::RemoteGone => Direction::ToAbmatic,
        Situation::Ambiguous | Situation::Linked | Situation::Matched | Situation::New | Situation::OutOfScope => {
            Direction::towards(planned.pair.source.other())
        }
    }
}

fn with_warnings(mut message: String, planned: &Planned, written: Option<&Written>) -> String {
    let of_write = written.map(|written| written.warnings.as_slice()).unwrap_or_default();
    for warning in planned.pair.warnings.iter().chain(of_write) {
        message.push_str("; ");
        message.push_str(warning);
    }
    message
}
