//! Blocks in: bounded, in the order of their phase, each with the place where the next one begins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::connector::request::{Page, PageCursor, Read, ReadRequest, Undecodable};
use crate::error::{Error, ErrorCode, ErrorKind, Result};
use crate::filter::eval::holds;
use crate::filter::expr::Expr;
use crate::ids::{LocalId, RemoteId};
use crate::model::link::{Awaited, Link};
use crate::model::record::{LocalRecord, RecordId, RemoteRecord, Version};
use crate::model::resource::{Resource, Side};
use crate::policy::{Scope, Selection};
use crate::run::context::{EditTimes, RunContext};
use crate::run::cursors::{
    ARCHIVED_CURSOR, AUTO_PUSH_CURSOR, LOCAL_CURSOR, broken_checkpoint, deletions, deletions_read, incremental,
    parse_due, parse_version, remote_cursor_name, version_cursor, whole,
};
use crate::run::quarantine::not_set_aside;
use crate::run::request::Operation;
use crate::store::state::{LinkEnds, QuarantineQuery};

/// How many records a block holds at least, unless the read ends or the engine was told otherwise: pages of a CRM are
/// joined up to it, since one commit of 1,000 costs much less than ten of 100.
pub(crate) const BLOCK_RECORDS: usize = 1_000;
/// How many pages a block joins at the most, however few of their records a filter leaves: a run that is stopped goes on
/// from its last commit.
const BLOCK_PAGES: u32 = 50;

/// A part of a run that reads one side in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// What the CRM says was deleted there.
    Archived,
    /// Every link.
    Linked,
    /// The CRM's records that somebody named.
    Named,
    /// Links with a reference that waits for its record.
    Waiting,
    /// Records of that side that failed and are due to be tried again.
    Retry(Side),
    /// The CRM's records.
    Remote,
    /// The host's records.
    Local,
}

impl Phase {
    /// The phases of an operation, in their order. What an operation reads as a whole it tries again as it comes by.
    pub(crate) fn of(operation: &Operation) -> &'static [Self] {
        match operation {
            Operation::Import(_) => &[Self::Remote],
            Operation::Push(Selection::Ids(_)) => &[Self::Local],
            Operation::Push(Selection::All) => &[Self::Waiting, Self::Local],
            Operation::AutoPush => &[Self::Waiting, Self::Retry(Side::Local), Self::Local],
            Operation::Sweep => &[Self::Linked],
            Operation::Targeted { .. } => &[Self::Named],
            Operation::Sync(Scope::All | Scope::Filter(_)) => &[
                Self::Archived,
                Self::Waiting,
                Self::Retry(Side::Remote),
                Self::Retry(Side::Local),
                Self::Remote,
                Self::Local,
            ],
            Operation::Sync(Scope::Ids(_) | Scope::List(_)) => {
                &[Self::Archived, Self::Waiting, Self::Retry(Side::Local), Self::Remote, Self::Local]
            }
        }
    }

    /// The side it reads.
    pub(crate) fn side(self) -> Side {
        match self {
            Self::Archived | Self::Linked | Self::Named | Self::Waiting | Self::Remote => Side::Remote,
            Self::Local => Side::Local,
            Self::Retry(side) => side,
        }
    }

    /// Whether a block may be read while the one before it is worked on: not where it is the host's records that lead to
    /// the CRM's, which are read right before they are written.
    pub(crate) fn reads_ahead(self) -> bool {
        match self {
            Self::Remote | Self::Retry(Side::Remote) | Self::Waiting => true,
            Self::Archived | Self::Linked | Self::Named | Self::Local | Self::Retry(Side::Local) => false,
        }
    }
}

/// Some records of one side.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) remote: Vec<RemoteRecord>,
    pub(crate) local: Vec<LocalRecord>,
    pub(crate) undecodable: Vec<Undecodable>,
    /// Records that it tries again, whether or not they are still there.
    pub(crate) retried: Vec<RecordId>,
    /// Links of which neither record is there: they end.
    pub(crate) void: Vec<(LocalId, RemoteId)>,
    /// Where the next block begins, `None` after the last.
    pub(crate) next: Option<String>,
    /// How many records there are, where the CRM says so.
    pub(crate) total: Option<u64>,
    /// The cursors that it moves once it is committed.
    pub(crate) cursors: Vec<(String, String)>,
    /// How many pages it took.
    pages: u32,
}

/// Reads one phase of a run, block by block.
#[derive(Debug)]
pub(crate) struct Reader {
    context: Arc<RunContext>,
    way: Way,
    /// The cursor that its blocks move.
    cursor: Option<String>,
    /// Up to where it reads the CRM's changes.
    window_end: DateTime<Utc>,
    /// How many pages of the CRM it has read.
    pages: AtomicU32,
}

#[derive(Debug)]
enum Way {
    /// Deletions, if they are to be asked for.
    Archived(Option<Read>),
    Linked,
    LocalIds(Vec<LocalId>),
    LocalSince(Option<Version>),
    Named {
        ids: Vec<RemoteId>,
        scope: Scope,
    },
    Remote(Read),
    Retry(Side),
    Waiting,
}

impl Reader {
    /// A reader of `phase`, from where the last run of its kind ended.
    pub(crate) async fn of(context: Arc<RunContext>, phase: Phase) -> Result<Self> {
        let window_end = context.window_end();
        let mut cursor = None;
        let way = match (phase, &context.operation) {
            (Phase::Archived, _) => {
                cursor = Some(ARCHIVED_CURSOR.to_owned());
                Way::Archived(deletions(&context).await?)
            }
            (Phase::Linked, _) => Way::Linked,
            (Phase::Named, Operation::Targeted { ids, scope }) => Way::Named { ids: ids.clone(), scope: scope.clone() },
            (Phase::Waiting, _) => Way::Waiting,
            (Phase::Retry(side), _) => Way::Retry(side),
            (Phase::Remote, Operation::Sync(scope)) => {
                cursor = Some(remote_cursor_name(scope));
                Way::Remote(incremental(&context, scope, window_end).await?)
            }
            (Phase::Remote, Operation::Import(scope)) => Way::Remote(whole(&context, scope)),
            (
                Phase::Remote,
                Operation::Push(_) | Operation::AutoPush | Operation::Sweep | Operation::Targeted { .. },
            )
            | (Phase::Named, _) => Way::Remote(Read::Ids(Vec::new())),
            (Phase::Local, Operation::Push(Selection::Ids(ids))) => Way::LocalIds(ids.clone()),
            (
                Phase::Local,
                Operation::Push(Selection::All) | Operation::Import(_) | Operation::Sweep | Operation::Targeted { .. },
            ) => Way::LocalSince(None),
            (Phase::Local, Operation::AutoPush) => {
                cursor = Some(AUTO_PUSH_CURSOR.to_owned());
                Way::LocalSince(version_cursor(&context, AUTO_PUSH_CURSOR).await?)
            }
            (Phase::Local, Operation::Sync(_)) => {
                cursor = Some(LOCAL_CURSOR.to_owned());
                Way::LocalSince(version_cursor(&context, LOCAL_CURSOR).await?)
            }
        };
        Ok(Self { context, way, cursor, window_end, pages: AtomicU32::new(0) })
    }

    /// The block that begins at `at`, the first one for `None`.
    pub(crate) async fn block(&self, at: Option<&str>) -> Result<Block> {
        match &self.way {
            Way::Archived(read) => self.archived(read.as_ref(), at).await,
            Way::Linked => self.linked(at).await,
            Way::LocalIds(ids) => self.local_ids(ids, at).await,
            Way::LocalSince(start) => self.local_since(*start, at).await,
            Way::Named { ids, scope } => self.named(ids, scope, at).await,
            Way::Remote(read) => {
                let filter = self.context.filter_here.as_ref().map(|(filter, _)| filter);
                let block = self.remote(&self.context.read_request(read.clone()), filter, at).await?;
                Ok(self.moving(block, |until, _| until.to_rfc3339()))
            }
            Way::Retry(side) => self.retry(*side, at).await,
            Way::Waiting => self.waiting(at).await,
        }
    }

    /// The last block of the CRM's changes moves its cursor to where they were surely read: the window may have been opened
    /// before anything was known of the CRM's clock.
    fn moving(&self, mut block: Block, value: impl FnOnce(DateTime<Utc>, u32) -> String) -> Block {
        let pages = self.pages.fetch_add(block.pages, Ordering::Relaxed).saturating_add(block.pages);
        if let (None, Some(cursor)) = (&block.next, &self.cursor) {
            let until = self.window_end.min(self.context.surely_read());
            block.cursors.push((cursor.clone(), value(until, pages)));
        }
        block
    }

    async fn remote(&self, request: &ReadRequest, filter: Option<&Expr>, at: Option<&str>) -> Result<Block> {
        let context = &self.context;
        let mut block = Block::default();
        let mut cursor = at.map(PageCursor::new);
        loop {
            block.pages += 1;
            let page = context.connector.read(&context.connection, request.clone().at(cursor.clone())).await?;
            if page.next.is_some() && page.next == cursor {
                return Err(repeated_page(context.capabilities.remote_name));
            }
            block.total = block.total.or(page.total);
            block.undecodable.extend(page.undecodable);
            match filter {
                Some(filter) => {
                    block.remote.extend(page.records.into_iter().filter(|record| holds(filter, &record.fields)));
                }
                None => block.remote.extend(page.records),
            }
            block.next = page.next.as_ref().map(|next| next.as_str().to_owned());
            if page.next.is_none() || block.remote.len() >= context.block_records || block.pages >= BLOCK_PAGES {
                break;
            }
            cursor = page.next;
        }
        Ok(block)
    }

    async fn waiting(&self, at: Option<&str>) -> Result<Block> {
        let context = &self.context;
        let ends = LinkEnds::Waiting { after: at.map(LocalId::from), limit: context.block_records };
        let links = context.links(&ends).await?;
        let next = (links.len() == context.block_records)
            .then(|| links.last().map(|link| link.local_id.to_string()))
            .flatten();
        let links = self.worth_a_look(not_set_aside(context, links).await?).await?;
        let ids: Vec<RemoteId> = links.iter().map(|link| link.remote_id.clone()).collect();
        let page = context.read_remote_whole(&ids, EditTimes::NotWanted).await?;
        let met = met(&page);
        // What is not there any more is looked at from here.
        let lost: Vec<&Link> = links.iter().filter(|link| !met.contains(&link.remote_id)).collect();
        let ids: Vec<LocalId> = lost.iter().map(|link| link.local_id.clone()).collect();
        let local = context.read_local(&ids).await?;
        let is_void = |link: &&Link| !local.iter().any(|record| record.id == link.local_id);
        let void =
            lost.into_iter().filter(is_void).map(|link| (link.local_id.clone(), link.remote_id.clone())).collect();
        Ok(Block { remote: page.records, local, undecodable: page.undecodable, next, void, ..Block::default() })
    }

    /// Every linked pair: by the host's record, or where that is not there at all by the CRM's.
    async fn linked(&self, at: Option<&str>) -> Result<Block> {
        let context = &self.context;
        let limit = context.block_records;
        let links = context.links(&LinkEnds::All { after: at.map(LocalId::from), limit }).await?;
        let next = links.last().filter(|_| links.len() == limit).map(|link| link.local_id.to_string());
        let ids: Vec<LocalId> = links.iter().map(|link| link.local_id.clone()).collect();
        let local = context.read_local(&ids).await?;
        let held: BTreeSet<&LocalId> = local.iter().map(|record| &record.id).collect();
        let lost = links.iter().filter(|link| link.gone.is_none() && !held.contains(&link.local_id));
        let lost: Vec<RemoteId> = lost.map(|link| link.remote_id.clone()).collect();
        let page = context.read_remote_whole(&lost, EditTimes::NotWanted).await?;
        Ok(Block { remote: page.records, undecodable: page.undecodable, local, next, ..Block::default() })
    }

    /// Records that may have changed: those of them that are there and in scope, and the host's counterparts of those that
    /// are not.
    async fn named(&self, ids: &[RemoteId], scope: &Scope, at: Option<&str>) -> Result<Block> {
        let context = &self.context;
        let (ids, next) = slice(ids, context.block_records, at)?;
        let page = context.read_remote_whole(ids, EditTimes::NotWanted).await?;
        let met = met(&page);
        let lost: Vec<RemoteId> = ids.iter().filter(|id| !met.contains(id)).cloned().collect();
        let links = context.links(&LinkEnds::Remote(lost)).await?;
        let news = links.into_iter().filter(|link| link.gone.is_none()).map(|link| link.local_id);
        let local = context.read_local(&news.collect::<Vec<_>>()).await?;
        let mut block = Block { undecodable: page.undecodable, local, next, ..Block::default() };
        block.remote = match (context.filter(), scope) {
            (Some(filter), _) => page.records.into_iter().filter(|record| holds(filter, &record.fields)).collect(),
            (None, Scope::List(_)) => self.linked_only(page.records).await?,
            (None, Scope::All | Scope::Filter(_) | Scope::Ids(_)) => page.records,
        };
        let (elsewhere, mut own): (Vec<RemoteRecord>, Vec<RemoteRecord>) =
            std::mem::take(&mut block.remote).into_iter().partition(|record| record.elsewhere);
        own.extend(self.linked_only(elsewhere).await?);
        block.remote = own;
        Ok(block)
    }

    /// Of these records those that have a counterpart here.
    async fn linked_only(&self, mut records: Vec<RemoteRecord>) -> Result<Vec<RemoteRecord>> {
        let ids_of =
            |record: &RemoteRecord| [&record.id].into_iter().chain(&record.merged_ids).cloned().collect::<Vec<_>>();
        let ends = LinkEnds::Remote(records.iter().flat_map(ids_of).collect());
        if ends.is_empty() {
            return Ok(records);
        }
        let linked: BTreeSet<RemoteId> =
            self.context.links(&ends).await?.into_iter().map(|link| link.remote_id).collect();
        records.retain(|record| ids_of(record).iter().any(|id| linked.contains(id)));
        Ok(records)
    }

    /// The host's records whose counterparts the CRM says were deleted: whether they are gone, were merged or are back is
    /// seen when those are read by id.
    async fn archived(&self, read: Option<&Read>, at: Option<&str>) -> Result<Block> {
        // No cursor is kept of what was not asked: the CRM's clock, by which cursors go, is not known yet.
        let Some(read) = read else { return Ok(Block::default()) };
        let context = &self.context;
        let request = ReadRequest::new(context.remote_resource(), read.clone());
        let told = self.remote(&request, None, at).await?;
        let ids = told.remote.into_iter().map(|record| record.id).collect();
        let links = context.links(&LinkEnds::Remote(ids)).await?;
        let news = links.into_iter().filter(|link| link.gone.is_none()).map(|link| link.local_id);
        let local = context.read_local(&news.collect::<Vec<_>>()).await?;
        let block = Block { local, next: told.next, pages: told.pages, ..Block::default() };
        Ok(self.moving(block, deletions_read))
    }

    /// Records that are due to be tried again. Those that a run commits are due no more, so paging ends.
    async fn retry(&self, side: Side, at: Option<&str>) -> Result<Block> {
        let context = &self.context;
        if !context.quarantine.any() {
            return Ok(Block::default());
        }
        let (after, limit) = (at.map(parse_due).transpose()?, context.block_records);
        let query = QuarantineQuery::Due { side, at: context.quarantine.due_at, after, limit };
        let due = context.store.state().quarantine(&context.scope, &query).await?;
        let last = due.last().filter(|_| due.len() == limit);
        let next = last.map(|held| format!("{} {}", held.retry_at.to_rfc3339(), held.record.as_str()));
        let mut block = Block { next, ..Block::default() };
        block.retried = due.into_iter().map(|held| held.record).collect();
        match side {
            Side::Local => {
                let ids: Vec<LocalId> = block.retried.iter().map(|record| LocalId::from(record.as_str())).collect();
                block.local = context.read_local(&ids).await?;
            }
            Side::Remote => self.retry_remote(&mut block).await?,
        }
        Ok(block)
    }

    /// Reads the CRM's records of a block that tries again. Those that the scope's filter does not hold of are left to
    /// runs of another scope.
    async fn retry_remote(&self, block: &mut Block) -> Result<()> {
        let context = &self.context;
        let ids: Vec<RemoteId> = block.retried.iter().map(|record| RemoteId::from(record.as_str())).collect();
        let page = context.read_remote_whole(&ids, EditTimes::NotWanted).await?;
        block.undecodable = page.undecodable;
        block.remote = page.records;
        if let Some(filter) = context.filter() {
            let (within, beyond): (Vec<_>, Vec<_>) =
                std::mem::take(&mut block.remote).into_iter().partition(|record| holds(filter, &record.fields));
            let beyond: BTreeSet<RemoteId> =
                beyond.into_iter().flat_map(|record| record.merged_ids.into_iter().chain([record.id])).collect();
            block.remote = within;
            block.retried.retain(|record| !beyond.contains(&RemoteId::from(record.as_str())));
        }
        Ok(())
    }

    /// Of these links those that wait no more. Costs the CRM nothing.
    async fn worth_a_look(&self, links: Vec<Link>) -> Result<Vec<Link>> {
        let mut local: BTreeMap<Resource, BTreeSet<LocalId>> = BTreeMap::new();
        let mut remote: BTreeMap<Resource, BTreeSet<RemoteId>> = BTreeMap::new();
        for awaited in links.iter().flat_map(|link| &link.waiting_for) {
            match awaited {
                Awaited::AnotherLook | Awaited::LocalRecord => {}
                Awaited::Local(resource, id) => drop(local.entry(*resource).or_default().insert(id.clone())),
                Awaited::Remote(resource, id) => drop(remote.entry(*resource).or_default().insert(id.clone())),
            }
        }
        let mut arrived = BTreeSet::from([Awaited::AnotherLook, Awaited::LocalRecord]);
        for (resource, ids) in local {
            let links = self.context.links_of(resource, &LinkEnds::Local(ids.into_iter().collect())).await?;
            arrived.extend(links.into_iter().map(|link| Awaited::Local(resource, link.local_id)));
        }
        for (resource, ids) in remote {
            let links = self.context.links_of(resource, &LinkEnds::Remote(ids.into_iter().collect())).await?;
            arrived.extend(links.into_iter().map(|link| Awaited::Remote(resource, link.remote_id)));
        }
        let waits_no_more = |link: &Link| link.waiting_for.iter().any(|awaited| arrived.contains(awaited));
        Ok(links.into_iter().filter(waits_no_more).collect())
    }

    async fn local_since(&self, start: Option<Version>, at: Option<&str>) -> Result<Block> {
        let context = &self.context;
        let after = match at {
            Some(text) => Some(parse_version(text)?),
            None => start,
        };
        let local = context.read_local_since(after).await?;
        let version = local.last().map(|record| record.version.get().to_string());
        let cursors = self.cursor.clone().zip(version.clone()).into_iter().collect();
        let next = version.filter(|_| local.len() == context.local_block());
        Ok(Block { local, next, cursors, ..Block::default() })
    }

    async fn local_ids(&self, ids: &[LocalId], at: Option<&str>) -> Result<Block> {
        let (ids, next) = slice(ids, self.context.local_block(), at)?;
        let local = self.context.read_local(ids).await?;
        Ok(Block { local, next, ..Block::default() })
    }
}

/// The ids of one block of a list of them, and where the next begins.
fn slice<'a, T>(ids: &'a [T], max: usize, at: Option<&str>) -> Result<(&'a [T], Option<String>)> {
    let from = match at {
        Some(text) => text.parse().map_err(|_| broken_checkpoint(text))?,
        None => 0,
    };
    let until = ids.len().min(from + max);
    Ok((ids.get(from..until).unwrap_or_default(), (until < ids.len()).then(|| until.to_string())))
}

/// The ids under which the CRM had something to give, readable or not.
fn met(page: &Page) -> BTreeSet<RemoteId> {
    let found = page.records.iter().flat_map(|record| std::iter::once(&record.id).chain(&record.merged_ids));
    found.chain(page.undecodable.iter().filter_map(|lost| lost.id.as_ref())).cloned().collect()
}

/// The CRM led back to a page that was read: going on would never end.
pub(crate) fn repeated_page(what: &str) -> Error {
    let message = format!("the CRM's next page of {what} is the one that it just gave");
    Error::new(ErrorKind::Undocumented, ErrorCode::RepeatedPage, message)
}
