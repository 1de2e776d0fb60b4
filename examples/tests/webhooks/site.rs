//! A host with a door for webhooks and a scheduler, on SQLite in memory and the real clock.

use std::sync::Arc;

use abmatic_sync_activecampaign::ActiveCampaignConnector;
use abmatic_sync_activecampaign::webhook::ActiveCampaignWebhooks;
use abmatic_sync_core::engine::Engine;
use abmatic_sync_core::error::Result;
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::journal::{LogEntry, Status};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::schedule::rhythm::Rhythm;
use abmatic_sync_core::schedule::scheduler::{Opener, Scheduler, SchedulerHandle};
use abmatic_sync_core::store::connections::{ConnectionStore as _, KeptConnection};
use abmatic_sync_core::store::schedules::{Schedule, ScheduleKey, ScheduleStore as _};
use abmatic_sync_core::store::state::{LogQuery, RunRecord, RunStatus, StateStore as _};
use abmatic_sync_http::clock::{SystemClock, SystemIds};
use abmatic_sync_http::oauth::authorizer::{Authorizer, Stores};
use abmatic_sync_http::oauth::provider::App;
use abmatic_sync_http::transport::ReqwestTransport;
use abmatic_sync_http::webhook::door::Door;
use abmatic_sync_http::webhook::key::HookKeys;
use abmatic_sync_hubspot::HubspotConnector;
use abmatic_sync_hubspot::oauth::JOURNAL_SCOPES;
use abmatic_sync_hubspot::webhook::HubspotWebhooks;
use abmatic_sync_pipedrive::PipedriveConnector;
use abmatic_sync_pipedrive::webhook::PipedriveWebhooks;
use abmatic_sync_salesforce::SalesforceConnector;
use abmatic_sync_salesforce::webhook::SalesforceMessages;
use abmatic_sync_sql::store::SqliteStore;
use abmatic_sync_sql::vault::Keyring;
use async_trait::async_trait;

use crate::crms::{Crm, SECRET};

/// How often a test looks whether something has happened before it gives up.
const LOOKS_MAX: usize = 200_000;

pub(crate) struct Site {
    pub(crate) store: SqliteStore,
    pub(crate) engine: Engine,
    pub(crate) door: Door,
    pub(crate) handle: SchedulerHandle,
    pub(crate) kept: KeptConnection,
    pub(crate) key: ScheduleKey,
    scheduler: std::sync::Mutex<Option<Scheduler>>,
    token: String,
}

#[derive(Debug)]
struct OneToken(String);

#[async_trait]
impl Opener for OneToken {
    async fn open(&self, kept: &KeptConnection) -> Result<Connection> {
        Ok(kept.with_credentials(Credentials::token(self.0.as_str())))
    }
}

impl Site {
    /// A connection of the CRM whose accounts are synced when hooks tell of them.
    pub(crate) async fn open(crm: &impl Crm) -> Self {
        let store = SqliteStore::in_memory().await.unwrap();
        let shared = Arc::new(store.clone());
        let engine = Engine::new(Arc::clone(&shared) as _, Arc::new(SystemClock), Arc::new(SystemIds))
            .with_connector(ActiveCampaignConnector::new())
            .with_connector(HubspotConnector::new())
            .with_connector(PipedriveConnector::new())
            .with_connector(SalesforceConnector::new());
        let opener = Arc::new(OneToken(crm.token()));
        let clock = Arc::new(SystemClock);
        let scheduler =
            Scheduler::new(engine.clone(), clock.clone(), Arc::clone(&shared) as _, Arc::clone(&shared) as _, opener);
        let handle = scheduler.handle();
        let keys = HookKeys::new("0123456789abcdef0123456789abcdef".to_owned()).unwrap();
        let public = "https://hooks.example.com/crm/".parse().unwrap();
        let door = Door::new(public, keys, shared, handle.clone(), clock)
            .with_format(Arc::new(ActiveCampaignWebhooks))
            .with_format(Arc::new(HubspotWebhooks::new(SECRET.to_owned())))
            .with_format(Arc::new(PipedriveWebhooks))
            .with_format(Arc::new(SalesforceMessages));
        let kept = KeptConnection::new("acme", "acme/main", crm.connector())
            .with_account(crm.account())
            .with_base_url(crm.url().parse().unwrap());
        store.keep_connection(&kept).await.unwrap();
        let key = ScheduleKey::new("acme", "acme/main", Resource::Account);
        let schedule = Schedule::new(key.clone(), Rhythm::Realtime { poll_seconds: 86_400 });
        handle.schedule(schedule).await.unwrap();
        let token = crm.token();
        Self { store, engine, door, handle, kept, key, scheduler: Some(scheduler).into(), token }
    }

    /// The host's app at HubSpot, by its own credentials.
    pub(crate) async fn app(&self, crm: &impl Crm) -> Connection {
        let url = crm.url().parse().unwrap();
        let provider = abmatic_sync_hubspot::oauth::at(&url, &url).unwrap().with_server_scopes(&JOURNAL_SCOPES);
        let [id, secret, ..] = abmatic_sync_testkit::fake::hubspot::OAUTH_CLIENT;
        let app = App::new(id, secret, "https://app.example.com/callback".parse().unwrap());
        let credentials = Arc::new(self.store.credentials(Keyring::new(1, [7; 32])));
        let stores = Stores::new(Arc::new(self.store.clone()), credentials as _);
        let transport = Arc::new(ReqwestTransport::default());
        let authorizer = Authorizer::new("hubspot", provider, app, transport, Arc::new(SystemClock), stores);
        let (tenant, id) = ("host".into(), "host/hubspot app".into());
        let kept = authorizer.connect_server(&tenant, &id).await.unwrap().with_base_url(url);
        kept.with_credentials(authorizer.credentials(&tenant, &id))
    }

    /// The scheduler, until it is stopped.
    pub(crate) async fn run(&self) {
        let scheduler = self.scheduler.lock().unwrap().take().unwrap();
        scheduler.run().await;
    }

    pub(crate) fn connection(&self) -> Connection {
        self.kept.with_credentials(Credentials::token(self.token.as_str()))
    }

    pub(crate) async fn first_sync(&self) {
        self.looked_at(1).await;
    }

    /// Waits until nothing is marked any more, and so many runs at least have ended.
    pub(crate) async fn looked_at(&self, runs: usize) {
        for _ in 0..LOOKS_MAX {
            let ended = self.runs().await.iter().filter(|run| run.status == RunStatus::Completed).count();
            let schedules = self.store.schedules(&self.key.tenant, &self.key.connection).await.unwrap();
            let idle = schedules.iter().all(|one| one.marked_at.is_none() && one.starts == 0);
            if let Some(error) = schedules.iter().find_map(|one| one.error.as_ref()) {
                panic!("a run failed: {error}");
            }
            if ended >= runs && idle {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("it has come to no end");
    }

    pub(crate) async fn runs(&self) -> Vec<RunRecord> {
        self.store.runs(&self.key.tenant, &self.key.connection, 10_000).await.unwrap()
    }

    pub(crate) async fn names(&self) -> Vec<String> {
        let all = self.store.list(&self.key.tenant, Resource::Account, 1_000, None).await.unwrap();
        let name = |fields: &abmatic_sync_core::model::fields::Fields| {
            fields.get("name").map(ToString::to_string).unwrap_or_default()
        };
        all.iter().map(|record| name(&record.fields)).collect()
    }

    pub(crate) async fn log(&self, status: Status) -> Vec<LogEntry> {
        let mut query = LogQuery::new("acme").with_limit(100_000);
        query.status = Some(status);
        self.store.log(&query).await.unwrap()
    }
}
