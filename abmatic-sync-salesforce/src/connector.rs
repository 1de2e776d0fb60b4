//! The Salesforce connector: what it is, what it can do, its default mappings. It delegates and decides nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::capabilities::{BulkWrites, Descriptor, FilterSupport, ResourceCapabilities};
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{
    FindRequest, Page, Pushdown, Read, ReadRequest, VerifyRequest, Write, WriteOutcome,
};
use abmatic_sync_core::error::Result;
use abmatic_sync_core::filter::expr::Expr;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::mapping::{FieldMapping, Mapping};
use abmatic_sync_core::model::quota::Quota;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::Schema;
use abmatic_sync_http::client::Client;
use abmatic_sync_http::clock::SystemClock;
use abmatic_sync_http::retry::RetryOptions;
use abmatic_sync_http::transport::{ReqwestTransport, Transport};
use async_trait::async_trait;

use crate::api::{Api, Compression, HOSTS, Options};
use crate::conditional::CONDITIONAL_MAX;
use crate::describe::{describe, prepare};
use crate::errors::SalesforceDialect;
use crate::filter::by_schema;
use crate::find::find;
use crate::lookup::RETRIEVE_MAX;
use crate::object::Object;
use crate::paths::ApiVersion;
use crate::read::{QUERY_PAGE_MAX, count, read};
use crate::verify::verify;
use crate::write::write;

/// How long a change can stay unseen: rows are stamped when they are written and show when their transaction ends, which
/// may take 10 minutes ("API Request Limits"; airbytehq/airbyte#27146 met it).
const VISIBILITY_LAG_SECONDS: u32 = 600;
/// How long a create that lost its caller is waited for before it is taken not to have happened.
const SETTLE_SECONDS: u32 = 60;
/// From so many records on a job and its pages are fewer calls than a query's pages of 2,000.
const BULK_READ_MIN: u64 = 50_000;
/// Records in one page of a job's results: so many are in memory at once.
const BULK_PAGE: usize = 5_000;
/// From so many rows on a write goes by Bulk ("Large Data Volumes Best Practices": some 2,000).
const BULK_WRITE_MIN: usize = 2_000;
/// Rows of one job: Salesforce works in batches of so many ("Bulk API 2.0 Ingest").
const BULK_WRITE_MAX: usize = 10_000;
/// The share of an org's daily calls that may be used, by whomever, before we stop.
const BUDGET_PERCENT: u8 = 80;
/// Records in one write: ten Collections, and one read of what they hold.
const BATCH_MAX: usize = 2_000;

/// Keeps accounts, contacts, leads and opportunities of Salesforce, and pushes activities there.
///
/// A connection's base URL is the instance URL that came with its token. It has to be one of Salesforce's own domains, or
/// one that [`SalesforceBuilder::allow_host`] names.
#[derive(Debug)]
pub struct SalesforceConnector {
    descriptor: Descriptor,
    api: Api,
}

impl SalesforceConnector {
    /// The connector of production: version 62.0, the system's clock, 80 % of the org's calls.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Chooses otherwise.
    pub fn builder() -> SalesforceBuilder {
        SalesforceBuilder::default()
    }
}

impl Default for SalesforceConnector {
    fn default() -> Self {
        Self::new()
    }
}

/// The choices of a [`SalesforceConnector`].
///
/// ```
/// use abmatic_sync_core::connector::contract::CrmConnector;
/// use abmatic_sync_core::model::resource::Resource;
/// use abmatic_sync_salesforce::{ApiVersion, SalesforceConnector};
/// let salesforce = SalesforceConnector::builder()
///     .api_version(ApiVersion::new(65))
///     .external_id(Resource::Account, "Host_Id__c")
///     .budget_percent(50)
///     .build();
/// assert_eq!(salesforce.descriptor().name, "salesforce");
/// ```
#[derive(Clone, Debug)]
pub struct SalesforceBuilder {
    options: Options,
    transport: Option<Arc<dyn Transport>>,
    clock: Option<Arc<dyn Clock>>,
    retry: RetryOptions,
    budget_percent: u8,
    visibility_lag_seconds: u32,
}

impl Default for SalesforceBuilder {
    fn default() -> Self {
        Self {
            options: Options {
                version: ApiVersion::default(),
                compression: Compression::default(),
                hosts: HOSTS,
                external_ids: BTreeMap::new(),
                bulk_read_min: BULK_READ_MIN,
                bulk_page: BULK_PAGE,
                bulk_write_min: BULK_WRITE_MIN,
                bulk_write_max: BULK_WRITE_MAX,
                conditional_max: CONDITIONAL_MAX,
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

impl SalesforceBuilder {
    /// The version of Salesforce's API. 62.0 unless told.
    #[must_use]
    pub fn api_version(mut self, version: ApiVersion) -> Self {
        self.options.version = version;
        self
    }

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

    /// Whether request bodies are sent compressed.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.options.compression = compression;
        self
    }

    /// Lets tokens be sent to a host that is none of Salesforce's own, such as a proxy.
    #[must_use]
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.options.hosts.allow(host);
        self
    }

    /// Names the field by which creates of `resource` are upserts and so exactly-once: an external id, unique, at least 36
    /// characters long. It holds the host's own value where that is mapped to it, and otherwise one of ours. Where none is
    /// named, `Abmatic_Id__c` is used if the org has it; where that is missing, a
    /// create in doubt is looked for by what was sent.
    #[must_use]
    pub fn external_id(mut self, resource: Resource, field: impl Into<String>) -> Self {
        if let Ok(object) = Object::of(resource) {
            self.options.external_ids.insert(object, field.into());
        }
        self
    }

    /// From how many records on a read goes by Bulk API 2.0. 50,000 unless told.
    #[must_use]
    pub fn bulk_read_min(mut self, records: u64) -> Self {
        self.options.bulk_read_min = records;
        self
    }

    /// How many records of a Bulk read are in memory at once. 5,000 unless told: with twice as many an import takes half the
    /// calls, and more than 100 MB.
    #[must_use]
    pub fn bulk_page(mut self, records: usize) -> Self {
        self.options.bulk_page = records.max(1);
        self
    }

    /// From how many records on a write goes by Bulk API 2.0, where rows have a key of their own. 2,000 unless told.
    #[must_use]
    pub fn bulk_write_min(mut self, records: usize) -> Self {
        self.options.bulk_write_min = records.max(1);
        self
    }

    /// How many records one job of a Bulk write holds: so many of a push are in memory at once. 10,000 unless told, and no
    /// fewer than a job is worth.
    #[must_use]
    pub fn bulk_write_max(mut self, records: usize) -> Self {
        self.options.bulk_write_max = records;
        self
    }

    /// Up to how many updates of one write are made on the condition that their records are as they were read
    /// (`If-Unmodified-Since`, to the second). Such a record is merged again instead of overwritten. 25 unless told: so many
    /// take one call either way; beyond, 25 take a call each, where without a condition 200 do. 0 switches it off.
    #[must_use]
    pub fn conditional_updates_max(mut self, records: usize) -> Self {
        self.options.conditional_max = records;
        self
    }

    /// The share of the org's calls in 24 hours, used by whomever, beyond which runs pause. 80 unless told.
    #[must_use]
    pub fn budget_percent(mut self, percent: u8) -> Self {
        self.budget_percent = percent.min(100);
        self
    }

    /// How long a change can stay unseen by an incremental read, in seconds: cursors overlap by it. 600 unless told.
    #[must_use]
    pub fn visibility_lag_seconds(mut self, seconds: u32) -> Self {
        self.visibility_lag_seconds = seconds;
        self
    }

    /// How long a create that lost its caller is waited for, in seconds, where there is no external id. 60 unless told.
    #[must_use]
    pub fn settle_seconds(mut self, seconds: u32) -> Self {
        self.options.settle = Duration::from_secs(seconds.into());
        self
    }

    /// The connector.
    pub fn build(self) -> SalesforceConnector {
        let transport = self.transport.unwrap_or_else(|| Arc::new(ReqwestTransport::default()));
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let client = Client::new(transport, clock, Arc::new(SalesforceDialect)).with_retry(self.retry);
        let bulk = BulkWrites::new(self.options.bulk_write_min, self.options.bulk_write_max);
        let mut descriptor = Descriptor::new("salesforce", "Salesforce", resources(bulk));
        for offered in &mut descriptor.resources {
            let object = Object::of(offered.resource).ok();
            offered.upserts = object.is_some_and(|object| self.options.external_ids.contains_key(&object));
        }
        descriptor.visibility_lag_seconds = self.visibility_lag_seconds;
        SalesforceConnector { descriptor, api: Api::new(client, self.options, self.budget_percent) }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl CrmConnector for SalesforceConnector {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn prepare(&self, on: &Connection, resource: Resource) -> Result<()> {
        prepare(&self.api, on, Object::of(resource)?).await
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
        match by_schema(filter, schema) {
            Ok(_) => Pushdown::Server,
            Err(why) => Pushdown::Here(why),
        }
    }

    async fn count(&self, on: &Connection, resource: Resource, scope: &Read) -> Result<Option<u64>> {
        count(&self.api, on, resource, scope).await
    }

    /// What its user may write, Salesforce's description says.
    async fn may_write(&self, _on: &Connection, _resource: Resource) -> Result<()> {
        Ok(())
    }

    fn quota(&self, on: &Connection) -> Option<Quota> {
        self.api.quota(on)
    }
}

fn resources(bulk: BulkWrites) -> Vec<ResourceCapabilities> {
    let offered = |resource, object: Object, mapping| {
        let mut offered = ResourceCapabilities::new(resource, object.name(), mapping);
        offered.key_field = object.key_field();
        offered.page_max = QUERY_PAGE_MAX;
        offered.batch_max = BATCH_MAX;
        offered.bulk = Some(bulk);
        offered.find_max = RETRIEVE_MAX;
        offered.incremental = true;
        offered.lists = true;
        offered.archived = true;
        offered.filters = FilterSupport::Most;
        offered.webhooks = resource != Resource::Activity;
        offered.relations = object.relations();
        offered
    };
    let lead = person_mapping().with(FieldMapping::new("company_name", "Company"));
    let mut leads = offered(Resource::Lead, Object::Lead, lead);
    // A lead needs a company, and a contact's is its account ("Lead": required fields).
    leads.contacts_mapping = Some(person_mapping().with(FieldMapping::new("account.name", "Company")));
    vec![
        offered(Resource::Account, Object::Account, account_mapping()),
        offered(Resource::Contact, Object::Contact, person_mapping()),
        leads,
        offered(Resource::Opportunity, Object::Opportunity, opportunity_mapping()),
        // What an activity holds is the host's own affair: it maps its fields itself.
        offered(Resource::Activity, Object::Task, Mapping::default()),
    ]
}

fn account_mapping() -> Mapping {
    Mapping::new(vec![
        FieldMapping::new("name", "Name"),
        FieldMapping::new("website", "Website"),
        FieldMapping::new("industry", "Industry"),
        FieldMapping::new("employee_count", "NumberOfEmployees"),
    ])
}

fn person_mapping() -> Mapping {
    Mapping::new(vec![
        FieldMapping::new("work_email", "Email"),
        FieldMapping::new("first_name", "FirstName"),
        FieldMapping::new("last_name", "LastName"),
        FieldMapping::new("job_title", "Title"),
    ])
}

fn opportunity_mapping() -> Mapping {
    Mapping::new(vec![
        FieldMapping::new("name", "Name"),
        FieldMapping::new("amount", "Amount"),
        FieldMapping::new("stage", "StageName"),
        FieldMapping::new("close_date", "CloseDate"),
    ])
}
