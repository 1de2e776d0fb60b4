//! The Pipedrive connector: what it is, what it can do, its default mappings. It delegates and decides nothing.

use std::sync::Arc;
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::capabilities::{Descriptor, FilterSupport, ResourceCapabilities};
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{
    FindRequest, Page, Pushdown, Read, ReadRequest, VerifyRequest, Write, WriteOutcome,
};
use abmatic_sync_core::error::{ErrorKind, Result};
use abmatic_sync_core::filter::expr::Expr;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::mapping::{FieldMapping, Mapping};
use abmatic_sync_core::model::quota::Quota;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::Schema;
use abmatic_sync_http::client::Client;
use abmatic_sync_http::clock::SystemClock;
use abmatic_sync_http::retry::{Resend, RetryOptions};
use abmatic_sync_http::transport::{ReqwestTransport, Transport};
use async_trait::async_trait;
use http::Method;
use serde_json::json;

use crate::api::{Api, HOSTS, Options};
use crate::describe::describe;
use crate::errors::PipedriveDialect;
use crate::filter::translate;
use crate::find::find;
use crate::object::{CONTACTS_RELATION, Object};
use crate::read::read;
use crate::verify::verify;
use crate::webhook::entity_of;
use crate::write::write;

/// Times of change are whole seconds, and nothing is said of how soon a change shows: the fact of others' connectors is a
/// minute.
const VISIBILITY_LAG_SECONDS: u32 = 60;
/// How long a create that lost its caller is waited for before it is taken not to have happened.
const SETTLE_SECONDS: u32 = 30;
/// The share of the company's daily tokens that may be spent, by whomever, before we stop.
const BUDGET_PERCENT: u8 = 90;
/// Records in one page ("Pagination").
const PAGE_MAX: usize = 500;
/// Creates that are announced at once: there are no batches, but one commit and one look after doubt serve so many.
const BATCH_MAX: usize = 100;
/// Keys or ids that are asked for at once: the more, the sooner reading pages is cheaper than asking.
const FIND_MAX: usize = 1_000;
/// Calls on their way at once: the burst limit, not we, is what slows them down.
const WRITES_AT_ONCE: usize = 4;

/// Keeps accounts, contacts and opportunities of Pipedrive as organizations, persons and deals, and pushes activities and
/// notes there.
///
/// A connection's token is an API token, or an access token of OAuth. Its base URL is the company's address
/// (`api_domain`, `https://acme.pipedrive.com`); an API token works without one.
#[derive(Debug)]
pub struct PipedriveConnector {
    descriptor: Descriptor,
    api: Api,
}

impl PipedriveConnector {
    /// For the rooms beside.
    pub(crate) fn api(&self) -> &Api {
        &self.api
    }

    /// The connector of production: the system's clock, 90 % of the company's daily tokens.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Chooses otherwise.
    pub fn builder() -> PipedriveBuilder {
        PipedriveBuilder::default()
    }
}

impl Default for PipedriveConnector {
    fn default() -> Self {
        Self::new()
    }
}

/// The choices of a [`PipedriveConnector`].
///
/// ```
/// use abmatic_sync_core::connector::contract::CrmConnector;
/// use abmatic_sync_pipedrive::PipedriveConnector;
/// let pipedrive = PipedriveConnector::builder().budget_percent(50).build();
/// assert_eq!(pipedrive.descriptor().name, "pipedrive");
/// ```
#[derive(Clone, Debug)]
pub struct PipedriveBuilder {
    options: Options,
    transport: Option<Arc<dyn Transport>>,
    clock: Option<Arc<dyn Clock>>,
    retry: RetryOptions,
    budget_percent: u8,
    visibility_lag_seconds: u32,
}

impl Default for PipedriveBuilder {
    fn default() -> Self {
        Self {
            options: Options {
                hosts: HOSTS,
                writes_at_once: WRITES_AT_ONCE,
                settle: Duration::from_secs(SETTLE_SECONDS.into()),
            },
            transport: None,
            clock: None,
            retry: RetryOptions::default(),
            budget_percent: BUDGET_PERCENT,
            visibility_lag_seconds: VISIBILITY_LAG_SECONDS,
        }
    }
}

impl PipedriveBuilder {
    /// What carries requests, in place of a [`ReqwestTransport`] of its own.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// What tells and waits the time, in place of the [`SystemClock`].
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// How often and how slowly requests are sent again.
    #[must_use]
    pub fn retry(mut self, retry: RetryOptions) -> Self {
        self.retry = retry;
        self
    }

    /// Lets tokens be sent to a host that is none of Pipedrive's own, such as a proxy.
    #[must_use]
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.options.hosts.allow(host);
        self
    }

    /// The share of the company's tokens of a day, spent by whomever, beyond which runs pause. 90 unless told.
    #[must_use]
    pub fn budget_percent(mut self, percent: u8) -> Self {
        self.budget_percent = percent.min(100);
        self
    }

    /// How many writes are on their way at once. 4 unless told.
    #[must_use]
    pub fn writes_at_once(mut self, writes: usize) -> Self {
        self.options.writes_at_once = writes.max(1);
        self
    }

    /// How long a change can stay unseen by an incremental read, in seconds: cursors overlap by it. 60 unless told.
    #[must_use]
    pub fn visibility_lag_seconds(mut self, seconds: u32) -> Self {
        self.visibility_lag_seconds = seconds;
        self
    }

    /// How long a create that lost its caller is waited for, in seconds. 30 unless told.
    #[must_use]
    pub fn settle_seconds(mut self, seconds: u32) -> Self {
        self.options.settle = Duration::from_secs(seconds.into());
        self
    }

    /// The connector.
    pub fn build(self) -> PipedriveConnector {
        let transport = self.transport.unwrap_or_else(|| Arc::new(ReqwestTransport::default()));
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let client = Client::new(transport, clock, Arc::new(PipedriveDialect)).with_retry(self.retry);
        let mut descriptor = Descriptor::new("pipedrive", "Pipedrive", resources());
        descriptor.visibility_lag_seconds = self.visibility_lag_seconds;
        PipedriveConnector { descriptor, api: Api::new(client, self.options, self.budget_percent) }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl CrmConnector for PipedriveConnector {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Nothing: Pipedrive has no unique fields, so that there is none to make.
    async fn prepare(&self, _on: &Connection, resource: Resource) -> Result<()> {
        Object::of(resource).map(|_| ())
    }

    async fn describe(&self, on: &Connection, resource: Resource) -> Result<Schema> {
        describe(&self.api, on, Object::of(resource)?).await.map(|described| described.schema.clone())
    }

    async fn read(&self, on: &Connection, request: ReadRequest) -> Result<Page> {
        read(&self.api, on, request).await
    }

    async fn find(&self, on: &Connection, request: FindRequest) -> Result<Vec<RemoteRecord>> {
        find(&self.api, on, request).await
    }

    async fn write(&self, on: &Connection, resource: Resource, writes: Vec<Write>) -> Result<Vec<WriteOutcome>> {
        write(&self.api, on, resource, writes).await
    }

    async fn verify(&self, on: &Connection, request: VerifyRequest) -> Result<Vec<Option<RemoteRecord>>> {
        verify(&self.api, on, request).await
    }

    fn pushdown(&self, _resource: Resource, filter: &Expr, schema: &Schema) -> Pushdown {
        match translate(filter, schema) {
            Ok(_) => Pushdown::Server,
            Err(why) => Pushdown::Here(why),
        }
    }

    /// Not without reading: API v2 has no totals (migration guide).
    async fn count(&self, _on: &Connection, _resource: Resource, read: &Read) -> Result<Option<u64>> {
        match read {
            Read::Ids(ids) => Ok(u64::try_from(ids.len()).ok()),
            _ => Ok(None),
        }
    }

    /// By a change of a record that cannot be: whoever lacks the scope is refused before it is looked for.
    async fn may_write(&self, on: &Connection, resource: Resource) -> Result<()> {
        let object = Object::of(resource)?;
        let (path, operation) = (format!("/api/v2/{}/0", object.name()), format!("pipedrive check {}", object.name()));
        match self.api.send(on, operation, (Method::PATCH, &path), Some(&json!({})), Resend::Safe).await {
            Err(error) if !matches!(error.kind(), ErrorKind::Invalid | ErrorKind::NotFound) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn quota(&self, on: &Connection) -> Option<Quota> {
        self.api.quota(on)
    }
}

fn resources() -> Vec<ResourceCapabilities> {
    let offered = |resource, object: Object, mapping| {
        let mut offered = ResourceCapabilities::new(resource, object.name(), mapping);
        offered.key_field = object.key_field();
        offered.page_max = PAGE_MAX;
        offered.batch_max = BATCH_MAX;
        offered.find_max = FIND_MAX;
        offered.incremental = true;
        offered.lists = true;
        // Only deals can be listed by having been deleted; of the others a sweep tells.
        offered.archived = object == Object::Deal;
        offered.filters = FilterSupport::Most;
        offered.webhooks = entity_of(resource).is_some();
        offered.relations = object.relations();
        offered.single_relations = if object == Object::Deal { &[CONTACTS_RELATION] } else { &[] };
        offered
    };
    vec![
        offered(Resource::Account, Object::Organization, account_mapping()),
        offered(Resource::Contact, Object::Person, person_mapping()),
        offered(Resource::Opportunity, Object::Deal, opportunity_mapping()),
        // What an activity holds is the host's own affair: it maps its fields itself.
        offered(Resource::Activity, Object::Activity, Mapping::default()),
    ]
}

fn account_mapping() -> Mapping {
    Mapping::new(vec![
        FieldMapping::new("name", "name"),
        FieldMapping::new("website", "website"),
        FieldMapping::new("industry", "industry"),
        FieldMapping::new("employee_count", "employee_count"),
    ])
}

fn person_mapping() -> Mapping {
    Mapping::new(vec![
        FieldMapping::new("work_email", "email"),
        FieldMapping::new("first_name", "first_name"),
        FieldMapping::new("last_name", "last_name"),
        FieldMapping::new("job_title", "job_title"),
    ])
}

fn opportunity_mapping() -> Mapping {
    Mapping::new(vec![
        FieldMapping::new("name", "title"),
        FieldMapping::new("amount", "value"),
        FieldMapping::new("stage", "stage_id"),
        FieldMapping::new("close_date", "expected_close_date"),
    ])
}
