//! The ActiveCampaign connector: what it is, what it can do, its default mappings. It delegates and decides nothing.

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
use abmatic_sync_http::transport::{ReqwestTransport, Transport, TransportOptions};
use async_trait::async_trait;
use secrecy::SecretString;
use url::Url;

use crate::api::{Api, HOSTS, Options, Pacing};
use crate::describe::describe;
use crate::errors::ActiveCampaignDialect;
use crate::event::EventTracking;
use crate::filter::{narrow, why_here};
use crate::find::find;
use crate::import;
use crate::object::{CONTACTS_RELATION, Object};
use crate::read::{count, read};
use crate::verify::verify;
use crate::webhook::events_of;
use crate::write::write;

/// How long a change may stay unseen by a window, in seconds: its clock is one of whole seconds.
const VISIBILITY_LAG_SECONDS: u32 = 60;
/// How long a create that was cut off may still be at work, in seconds.
const SETTLE_SECONDS: u32 = 30;
/// How long an import is waited for, in seconds.
const IMPORT_WAIT_SECONDS: u32 = 600;
/// The longest time for an exchange, in seconds: lists with deep offsets or a search may take over 30.
const TIMEOUT_SECONDS: u64 = 120;
/// Rows on a page ("Pagination").
const PAGE_MAX: usize = 100;
/// Records of one write, whose calls go some at once.
const BATCH_MAX: usize = 100;
/// Keys of one look-up, which becomes one call a key or the whole list.
const FIND_MAX: usize = 1_000;
/// Calls for single records that are on their way at once ("Rate limits": five a second).
const CALLS_AT_ONCE: usize = 2;

/// Syncs with ActiveCampaign. Register one with the engine; it serves any number of accounts.
///
/// ```
/// use abmatic_sync_activecampaign::ActiveCampaignConnector;
/// use abmatic_sync_core::connector::contract::CrmConnector;
/// let activecampaign = ActiveCampaignConnector::new();
/// assert_eq!(activecampaign.descriptor().name, "activecampaign");
/// ```
#[derive(Debug)]
pub struct ActiveCampaignConnector {
    descriptor: Descriptor,
    api: Api,
}

impl ActiveCampaignConnector {
    /// For the rooms beside.
    pub(crate) fn api(&self) -> &Api {
        &self.api
    }

    /// The usual connector.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A connector with choices of one's own.
    pub fn builder() -> ActiveCampaignBuilder {
        ActiveCampaignBuilder::default()
    }
}

impl Default for ActiveCampaignConnector {
    fn default() -> Self {
        Self::new()
    }
}

/// The choices of an [`ActiveCampaignConnector`].
#[derive(Clone, Debug)]
pub struct ActiveCampaignBuilder {
    options: Options,
    events: Option<(String, SecretString, Url)>,
    transport: Option<Arc<dyn Transport>>,
    clock: Option<Arc<dyn Clock>>,
    retry: RetryOptions,
    visibility_lag_seconds: u32,
}

impl Default for ActiveCampaignBuilder {
    fn default() -> Self {
        Self {
            options: Options {
                hosts: HOSTS,
                pacing: Pacing::default(),
                calls_at_once: CALLS_AT_ONCE,
                settle: Duration::from_secs(SETTLE_SECONDS.into()),
                import_wait: Duration::from_secs(IMPORT_WAIT_SECONDS.into()),
                events: None,
            },
            events: None,
            transport: None,
            clock: None,
            retry: RetryOptions::default(),
            visibility_lag_seconds: VISIBILITY_LAG_SECONDS,
        }
    }
}

impl ActiveCampaignBuilder {
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

    /// What slows requests down.
    #[must_use]
    pub fn pacing(mut self, pacing: Pacing) -> Self {
        self.options.pacing = pacing;
        self
    }

    /// Lets the API key be sent to a host that is none of ActiveCampaign's known ones: some accounts have others.
    #[must_use]
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.options.hosts.allow(host);
        self
    }

    /// Tracks events of [`Resource::Activity`] under this account (`actid`) and event key, at `address`: usually
    /// `https://trackcmp.net/event`. Website → Site Tracking shows both.
    #[must_use]
    pub fn event_tracking(mut self, account: impl Into<String>, key: impl Into<SecretString>, address: Url) -> Self {
        self.events = Some((account.into(), key.into(), address));
        self
    }

    /// How many calls for single records are on their way at once; at least one. 2 unless told.
    #[must_use]
    pub fn calls_at_once(mut self, calls: usize) -> Self {
        self.options.calls_at_once = calls.max(1);
        self
    }

    /// How long a change may stay unseen, in seconds: cursors overlap by it. 60 unless told.
    #[must_use]
    pub fn visibility_lag_seconds(mut self, seconds: u32) -> Self {
        self.visibility_lag_seconds = seconds;
        self
    }

    /// How long a create that was cut off may still be at work, in seconds. 30 unless told.
    #[must_use]
    pub fn settle_seconds(mut self, seconds: u32) -> Self {
        self.options.settle = Duration::from_secs(seconds.into());
        self
    }

    /// How long an import is waited for, in seconds; then its contacts are in doubt. 600 unless told.
    #[must_use]
    pub fn import_wait_seconds(mut self, seconds: u32) -> Self {
        self.options.import_wait = Duration::from_secs(seconds.into());
        self
    }

    /// The connector.
    pub fn build(mut self) -> ActiveCampaignConnector {
        let transport = self.transport.unwrap_or_else(|| {
            let mut options = TransportOptions::default();
            options.timeout = Duration::from_secs(TIMEOUT_SECONDS);
            Arc::new(ReqwestTransport::new(options))
        });
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let events = self.events.map(|(account, key, address)| EventTracking {
            account,
            key,
            address,
            transport: Arc::clone(&transport),
        });
        self.options.events = events;
        let client = Client::new(transport, clock, Arc::new(ActiveCampaignDialect)).with_retry(self.retry);
        let mut descriptor = Descriptor::new("activecampaign", "ActiveCampaign", resources());
        descriptor.visibility_lag_seconds = self.visibility_lag_seconds;
        ActiveCampaignConnector { descriptor, api: Api::new(client, self.options) }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl CrmConnector for ActiveCampaignConnector {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Nothing is to be made ready: addresses and names are unique there already.
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

    fn pushdown(&self, resource: Resource, filter: &Expr, _schema: &Schema) -> Pushdown {
        match Object::of(resource) {
            Ok(object) if !narrow(object, filter).is_empty() => Pushdown::Server,
            Ok(object) => Pushdown::Here(why_here(object)),
            Err(error) => Pushdown::Here(error.to_string()),
        }
    }

    async fn count(&self, on: &Connection, resource: Resource, what: &Read) -> Result<Option<u64>> {
        count(&self.api, on, Object::of(resource)?, what).await
    }

    /// A key's permissions are its user's, and nothing tells them.
    async fn may_write(&self, _on: &Connection, _resource: Resource) -> Result<()> {
        Ok(())
    }

    /// There is no limit by the day.
    fn quota(&self, _on: &Connection) -> Option<Quota> {
        None
    }
}

fn resources() -> Vec<ResourceCapabilities> {
    let offered = |resource, object: Object, mapping| {
        let mut offered = ResourceCapabilities::new(resource, object.plural(), mapping);
        offered.key_field = object.key_field();
        offered.page_max = PAGE_MAX;
        offered.batch_max = BATCH_MAX;
        offered.find_max = FIND_MAX;
        // Accounts cannot be asked for by the time of their change ("List all accounts").
        offered.incremental = matches!(object, Object::Contact | Object::Deal);
        offered.lists = object == Object::Contact;
        offered.bulk = (object == Object::Contact).then(|| BulkWrites::new(import::MIN, import::MAX));
        offered.filters = FilterSupport::Some;
        // `contact/sync` is by address; accounts and deals have no key.
        offered.upserts = object == Object::Contact;
        offered.webhooks = !events_of(resource).is_empty();
        offered.relations = object.relations();
        offered.single_relations = if object == Object::Deal { &[CONTACTS_RELATION] } else { &[] };
        offered
    };
    vec![
        offered(Resource::Account, Object::Account, account_mapping()),
        offered(Resource::Contact, Object::Contact, contact_mapping()),
        offered(Resource::Opportunity, Object::Deal, opportunity_mapping()),
        // What an activity holds is the host's own affair: it maps its fields itself.
        offered(Resource::Activity, Object::Note, Mapping::default()),
    ]
}

fn account_mapping() -> Mapping {
    Mapping::new(vec![
        FieldMapping::new("name", "name"),
        FieldMapping::new("website", "accountUrl"),
        FieldMapping::new("industry", "industry"),
        FieldMapping::new("employee_count", "employee_count"),
    ])
}

fn contact_mapping() -> Mapping {
    Mapping::new(vec![
        FieldMapping::new("work_email", "email"),
        FieldMapping::new("first_name", "firstName"),
        FieldMapping::new("last_name", "lastName"),
        FieldMapping::new("job_title", "jobTitle"),
    ])
}

fn opportunity_mapping() -> Mapping {
    Mapping::new(vec![
        FieldMapping::new("name", "title"),
        FieldMapping::new("amount", "value"),
        FieldMapping::new("stage", "stage"),
    ])
}
