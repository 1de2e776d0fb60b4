//! The HubSpot connector: what it is, what it can do, its default mappings. It delegates and decides nothing.

use std::sync::Arc;
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::capabilities::{Descriptor, FilterSupport, ResourceCapabilities};
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{
    FindRequest, Page, Pushdown, Read, ReadRequest, VerifyRequest, Write, WriteOutcome,
};
use abmatic_sync_core::error::Result;
use abmatic_sync_core::filter::expr::Expr;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::mapping::{FieldMapping, Mapping, Transform};
use abmatic_sync_core::model::quota::Quota;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::Schema;
use abmatic_sync_http::client::Client;
use abmatic_sync_http::clock::SystemClock;
use abmatic_sync_http::host::Hosts;
use abmatic_sync_http::retry::RetryOptions;
use abmatic_sync_http::transport::{ReqwestTransport, Transport};
use async_trait::async_trait;

use crate::api::{Api, HOSTS, Options, Pacing};
use crate::describe::describe;
use crate::errors::HubspotDialect;
use crate::find::find;
use crate::object::Object;
use crate::paths::ApiVersion;
use crate::prepare::prepare;
use crate::read::{LIST_PAGE_MAX, NAMED_MAX, count, read};
use crate::search::{PAGE_MAX as SEARCH_PAGE_MAX, translate};
use crate::verify::verify;
use crate::write::{BATCH_MAX, may_write, write};

/// The share of the day's calls that may be used; the rest is for webhooks' sake and people's actions.
const BUDGET_PERCENT: u8 = 90;
/// How long the search index may lag: field reports say 1 to 30 s and rarely minutes, and clocks differ.
const VISIBILITY_LAG_SECONDS: u32 = 300;

/// Keeps companies, contacts, leads and deals of HubSpot.
///
/// Leads are contacts whose `lifecyclestage` is `lead`: reads hold those only, creates set the stage unless it is mapped,
/// and a lead that became a customer is found by its id or email, but no more by reads of all or of what changed.
#[derive(Debug)]
pub struct HubspotConnector {
    descriptor: Descriptor,
    api: Api,
}

impl HubspotConnector {
    /// The connector of production: the current API version, the system's clock, the documented limits.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Chooses otherwise.
    pub fn builder() -> HubspotBuilder {
        HubspotBuilder::default()
    }
}

impl Default for HubspotConnector {
    fn default() -> Self {
        Self::new()
    }
}

/// The choices of a [`HubspotConnector`].
#[derive(Clone, Debug)]
pub struct HubspotBuilder {
    version: ApiVersion,
    hosts: Hosts,
    transport: Option<Arc<dyn Transport>>,
    clock: Option<Arc<dyn Clock>>,
    retry: RetryOptions,
    pacing: Pacing,
    visibility_lag_seconds: u32,
    budget_percent: u8,
}

impl Default for HubspotBuilder {
    fn default() -> Self {
        Self {
            version: ApiVersion::default(),
            hosts: HOSTS,
            transport: None,
            clock: None,
            retry: RetryOptions::default(),
            pacing: Pacing::default(),
            visibility_lag_seconds: VISIBILITY_LAG_SECONDS,
            budget_percent: BUDGET_PERCENT,
        }
    }
}

impl HubspotBuilder {
    /// The version of HubSpot's API.
    #[must_use]
    pub fn api_version(mut self, version: ApiVersion) -> Self {
        self.version = version;
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

    /// Lets tokens be sent to a host that is none of HubSpot's own, such as a proxy.
    #[must_use]
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.hosts.allow(host);
        self
    }

    /// What slows requests down.
    #[must_use]
    pub fn pacing(mut self, pacing: Pacing) -> Self {
        self.pacing = pacing;
        self
    }

    /// How long the search index may lag, in seconds: cursors overlap by it, and a create that search does not show after
    /// it did not happen. 300 unless told.
    #[must_use]
    pub fn visibility_lag_seconds(mut self, seconds: u32) -> Self {
        self.visibility_lag_seconds = seconds;
        self
    }

    /// How much of the account's calls a day may be used, in percent, whoever uses them: beyond it a run pauses. HubSpot does
    /// not tell OAuth apps, for which there is no such limit. 90 unless told.
    #[must_use]
    pub fn budget_percent(mut self, percent: u8) -> Self {
        self.budget_percent = percent.min(100);
        self
    }

    /// The connector.
    pub fn build(self) -> HubspotConnector {
        let transport = self.transport.unwrap_or_else(|| Arc::new(ReqwestTransport::default()));
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let client = Client::new(transport, clock, Arc::new(HubspotDialect)).with_retry(self.retry);
        let visibility_lag = Duration::from_secs(self.visibility_lag_seconds.into());
        let options = Options { visibility_lag, budget_percent: self.budget_percent };
        let mut descriptor = Descriptor::new("hubspot", "HubSpot", resources());
        descriptor.visibility_lag_seconds = self.visibility_lag_seconds;
        HubspotConnector { descriptor, api: Api::new(client, self.hosts, self.version, self.pacing, options) }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl CrmConnector for HubspotConnector {
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

    fn pushdown(&self, resource: Resource, filter: &Expr, schema: &Schema) -> Pushdown {
        match translate(filter, schema, resource == Resource::Lead) {
            Ok(_) => Pushdown::Server,
            Err(why) => Pushdown::Here(why),
        }
    }

    async fn count(&self, on: &Connection, resource: Resource, scope: &Read) -> Result<Option<u64>> {
        count(&self.api, on, resource, scope).await
    }

    async fn may_write(&self, on: &Connection, resource: Resource) -> Result<()> {
        may_write(&self.api, on, Object::of(resource)?).await
    }

    fn quota(&self, on: &Connection) -> Option<Quota> {
        self.api.quota(on)
    }
}

fn resources() -> Vec<ResourceCapabilities> {
    let offered = |resource, remote_name, mapping| {
        let mut offered = ResourceCapabilities::new(resource, remote_name, mapping);
        offered.page_max = LIST_PAGE_MAX;
        offered.batch_max = BATCH_MAX;
        offered.find_max = NAMED_MAX;
        offered.incremental = true;
        offered.lists = true;
        offered.archived = true;
        offered.filters = FilterSupport::Most;
        // By the own unique property, where the token may make it.
        offered.upserts = true;
        offered.webhooks = true;
        offered
    };
    let mut accounts = offered(Resource::Account, "companies", account_mapping());
    accounts.key_field = Some("domain");
    let mut contacts = offered(Resource::Contact, "contacts", person_mapping());
    contacts.key_field = Some("email");
    contacts.relations = &["account"];
    let mut leads =
        offered(Resource::Lead, "leads", person_mapping().with(FieldMapping::new("company_name", "company")));
    leads.contacts_mapping = Some(person_mapping().with(FieldMapping::new("account.name", "company")));
    leads.key_field = Some("email");
    // They are told from other contacts by search, whose pages are larger.
    leads.page_max = SEARCH_PAGE_MAX;
    let mut opportunities = offered(Resource::Opportunity, "deals", opportunity_mapping());
    opportunities.relations = &["account", "contacts"];
    vec![accounts, contacts, leads, opportunities]
}

fn account_mapping() -> Mapping {
    Mapping::new(vec![
        FieldMapping::new("name", "name"),
        FieldMapping::new("website", "domain").with_transform(Transform::Domain),
        FieldMapping::new("industry", "industry"),
        FieldMapping::new("employee_count", "numberofemployees"),
    ])
}

fn person_mapping() -> Mapping {
    Mapping::new(vec![
        FieldMapping::new("work_email", "email"),
        FieldMapping::new("first_name", "firstname"),
        FieldMapping::new("last_name", "lastname"),
        FieldMapping::new("job_title", "jobtitle"),
    ])
}

fn opportunity_mapping() -> Mapping {
    Mapping::new(vec![
        FieldMapping::new("name", "dealname"),
        FieldMapping::new("amount", "amount"),
        FieldMapping::new("stage", "dealstage"),
        FieldMapping::new("close_date", "closedate"),
    ])
}
