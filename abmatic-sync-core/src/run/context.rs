//! What stays the same throughout a run: who, over which connector and stores, by which rules.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::clock::Clock;
use crate::connector::capabilities::ResourceCapabilities;
use crate::connector::contract::CrmConnector;
use crate::connector::request::{FindRequest, Page, Read, ReadRequest};
use crate::error::Result;
use crate::filter::expr::Expr;
use crate::ids::{FieldName, IdSource, LocalId, RemoteId};
use crate::model::connection::Connection;
use crate::model::link::{Link, LinkScope};
use crate::model::record::{LocalRecord, RemoteRecord, Version};
use crate::model::resource::{Resource, Side};
use crate::model::schema::Schema;
use crate::policy::{GoneRule, Policy, Writes};
use crate::run::lease::LEASE_SECONDS;
use crate::run::parents::{ParentFields, show_parents};
use crate::run::quarantine::Quarantine;
use crate::run::request::Operation;
use crate::steps::mapping::CompiledMapping;
use crate::steps::normalize::match_key;
use crate::steps::plan::{LinkedMode, PlanRules};
use crate::store::contract::Store;
use crate::store::records::KeyedRecord;
use crate::store::state::{Lease, LinkEnds};

/// What stays the same throughout a run.
#[derive(Debug)]
pub(crate) struct RunContext {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) connector: Arc<dyn CrmConnector>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) connection: Connection,
    pub(crate) scope: LinkScope,
    pub(crate) capabilities: ResourceCapabilities,
    pub(crate) mapping: Arc<CompiledMapping>,
    /// The fields of parents that the host's records show.
    pub(crate) parents: Vec<ParentFields>,
    pub(crate) local_schema: Arc<Schema>,
    pub(crate) remote_schema: Arc<Schema>,
    pub(crate) policy: Policy,
    pub(crate) operation: Operation,
    /// The filter that is evaluated here, and why.
    pub(crate) filter_here: Option<(Expr, String)>,
    /// The filter that the CRM evaluates.
    pub(crate) filter_there: Option<Expr>,
    /// What is known of the records that were set aside.
    pub(crate) quarantine: Quarantine,
    /// Whether records of one block with one key are seen to be one. Off only in the simulator's sabotage.
    pub(crate) folds_doubles: bool,
    /// How many records a block holds at least.
    pub(crate) block_records: usize,
    /// When the run began, by the host's clock.
    pub(crate) started_at: DateTime<Utc>,
}

impl RunContext {
    /// The lease from now on: whoever commits under it holds the connection that much longer.
    pub(crate) fn extended(&self, lease: &Lease) -> Lease {
        Lease { until: self.clock.now() + chrono::Duration::seconds(LEASE_SECONDS), ..lease.clone() }
    }

    /// The end of an incremental read's window: no time of the CRM's at the run's start is later, as far as its clock is
    /// known.
    pub(crate) fn window_end(&self) -> DateTime<Utc> {
        self.connection.server_clock.ahead().map_or(self.started_at, |ahead| ahead.latest(self.started_at))
    }

    /// Up to where the CRM's changes are surely read: what changes there after the run's start has a later time.
    pub(crate) fn surely_read(&self) -> DateTime<Utc> {
        self.connection.server_clock.ahead().map_or(self.started_at, |ahead| ahead.earliest(self.started_at))
    }

    /// The resource on the CRM's side.
    pub(crate) fn remote_resource(&self) -> Resource {
        self.scope.remote_resource
    }

    /// What this operation may write on `side`: the settings, and the operation's own direction.
    pub(crate) fn writes(&self, side: Side) -> Writes {
        match (&self.operation, side) {
            (Operation::Import(_), Side::Remote) | (Operation::Push(_) | Operation::AutoPush, Side::Local) => {
                Writes::NONE
            }
            (
                Operation::Import(_) | Operation::Sweep | Operation::Sync(_) | Operation::Targeted { .. },
                Side::Local,
            )
            | (
                Operation::Push(_)
                | Operation::AutoPush
                | Operation::Sweep
                | Operation::Sync(_)
                | Operation::Targeted { .. },
                Side::Remote,
            ) => self.policy.writes(side),
        }
    }

    /// How many of the host's records a block holds at the most: a large push is to fill the CRM's jobs.
    pub(crate) fn local_block(&self) -> usize {
        let writes = self.writes(Side::Remote);
        let bulk = self.capabilities.bulk.filter(|_| writes.create || writes.update);
        bulk.map_or(self.block_records, |bulk| bulk.max.max(self.block_records))
    }

    /// How many of `count` records one write takes.
    pub(crate) fn batch_of(&self, count: usize) -> usize {
        let batch_max = self.capabilities.batch_max;
        let bulk = self.capabilities.bulk.filter(|bulk| count >= bulk.min);
        bulk.map_or(batch_max, |bulk| bulk.max.max(batch_max)).max(1)
    }

    /// The rules that pairs are planned by.
    pub(crate) fn rules(&self) -> PlanRules<'_> {
        let linked = match self.operation {
            Operation::Import(_) => LinkedMode::DuplicateHandling,
            Operation::AutoPush
            | Operation::Push(_)
            | Operation::Sweep
            | Operation::Sync(_)
            | Operation::Targeted { .. } => LinkedMode::ThreeWay,
        };
        let rules = PlanRules::of(&self.policy, linked, &self.mapping, &self.local_schema, &self.remote_schema)
            .with_writes(self.writes(Side::Local), self.writes(Side::Remote));
        PlanRules { remote_ahead: self.connection.server_clock.ahead(), ..rules }
    }

    /// A read of the mapped fields.
    pub(crate) fn read_request(&self, read: Read) -> ReadRequest {
        let evaluated_here = match read {
            Read::Ids(_) => self.filter(),
            Read::All | Read::Archived { .. } | Read::Changed { .. } | Read::Filter(_) | Read::List(_) => {
                self.filter_here.as_ref().map(|(filter, _)| filter)
            }
        };
        let filter_fields = evaluated_here.into_iter().flat_map(Expr::fields);
        ReadRequest::new(self.remote_resource(), read)
            .with_fields(self.mapping.remote_names.iter().cloned().chain(filter_fields))
            .with_relations(self.mapping.relation_names.iter().cloned())
    }

    /// The scope's filter, whoever evaluates it.
    pub(crate) fn filter(&self) -> Option<&Expr> {
        self.filter_here.as_ref().map(|(filter, _)| filter).or(self.filter_there.as_ref())
    }

    /// Remote records by id, in as few calls as the CRM allows.
    pub(crate) async fn read_remote(&self, ids: &[RemoteId], edit_times: EditTimes) -> Result<Vec<RemoteRecord>> {
        self.read_remote_whole(ids, edit_times).await.map(|page| page.records)
    }

    /// The same as one page, with those that cannot be decoded.
    pub(crate) async fn read_remote_whole(&self, ids: &[RemoteId], edit_times: EditTimes) -> Result<Page> {
        let mut whole = Page::default();
        for chunk in ids.chunks(self.capabilities.find_max.max(1)) {
            let mut request = self.read_request(Read::Ids(chunk.to_vec()));
            if edit_times == EditTimes::Wanted {
                request = request.with_edit_times();
            }
            let mut cursor = None;
            loop {
                let page = self.connector.read(&self.connection, request.clone().at(cursor)).await?;
                whole.records.extend(page.records);
                whole.undecodable.extend(page.undecodable);
                let Some(next) = page.next else { break };
                cursor = Some(next);
            }
        }
        Ok(whole)
    }

    /// Remote records by key, in as few calls as the CRM allows.
    pub(crate) async fn find_remote(&self, keys: &[String]) -> Result<Vec<RemoteRecord>> {
        let mut records = Vec::new();
        for chunk in keys.chunks(self.capabilities.find_max.max(1)) {
            let mut request = FindRequest::new(self.remote_resource(), chunk.to_vec());
            request.fields = self.mapping.remote_names.clone();
            request.relations = self.mapping.relation_names.clone();
            records.extend(self.connector.find(&self.connection, request).await?);
        }
        Ok(records)
    }

    /// The run's own links by either end.
    pub(crate) async fn links(&self, ends: &LinkEnds) -> Result<Vec<Link>> {
        self.links_in(&self.scope, ends).await
    }

    /// The links of another resource over the same connection: those that references need. None of which a side is gone.
    pub(crate) async fn links_of(&self, resource: Resource, ends: &LinkEnds) -> Result<Vec<Link>> {
        let scope = LinkScope::new(self.scope.tenant.clone(), self.scope.connection.clone(), resource);
        let mut links = self.links_in(&scope, ends).await?;
        links.retain(|link| link.gone.is_none());
        Ok(links)
    }

    /// Whether a link keeps its records from being matched with others.
    pub(crate) fn holds(&self, link: &Link) -> bool {
        link.gone.is_none() || self.policy.gone != GoneRule::Unlink
    }

    async fn links_in(&self, scope: &LinkScope, ends: &LinkEnds) -> Result<Vec<Link>> {
        if ends.is_empty() {
            return Ok(Vec::new());
        }
        self.store.state().links(scope, ends).await
    }

    /// Local records by id.
    pub(crate) async fn read_local(&self, ids: &[LocalId]) -> Result<Vec<LocalRecord>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let records = self.store.records().read(&self.scope.tenant, self.scope.resource, ids).await?;
        self.with_parents(records).await
    }

    /// The next of the host's records that have changed.
    pub(crate) async fn read_local_since(&self, after: Option<Version>) -> Result<Vec<LocalRecord>> {
        let (records, scope) = (self.store.records(), &self.scope);
        let changed = records.changed_since(&scope.tenant, scope.resource, after, self.local_block()).await?;
        self.with_parents(changed).await
    }

    /// Local records by key.
    pub(crate) async fn find_local(&self, keys: &[String]) -> Result<Vec<KeyedRecord>> {
        let mut found = self.store.records().find(&self.scope.tenant, self.scope.resource, keys).await?;
        let records = found.iter_mut().map(|keyed| &mut keyed.record);
        show_parents(self, records.collect()).await?;
        Ok(found)
    }

    async fn with_parents(&self, mut records: Vec<LocalRecord>) -> Result<Vec<LocalRecord>> {
        show_parents(self, records.iter_mut().collect()).await?;
        Ok(records)
    }

    /// The match key of a remote record.
    pub(crate) fn remote_key(&self, record: &RemoteRecord) -> Option<String> {
        self.key(self.mapping.remote_key.as_ref(), |name| record.fields.get(name)?.as_text())
    }

    /// The match key of a local record.
    pub(crate) fn local_key(&self, record: &LocalRecord) -> Option<String> {
        self.key(self.mapping.local_key.as_ref(), |name| record.fields.get(name)?.as_text())
    }

    fn key<'a>(&self, name: Option<&FieldName>, text: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
        match_key(self.scope.resource, text(name?.as_str())?)
    }
}

/// Whether the times of single fields' edits are worth their price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EditTimes {
    NotWanted,
    Wanted,
}
