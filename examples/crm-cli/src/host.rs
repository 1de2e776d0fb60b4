//! The host's side: its database, its engine and its one connection.

use std::sync::Arc;

use abmatic_sync_activecampaign::ActiveCampaignConnector;
use abmatic_sync_core::engine::Engine;
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::mapping::FieldMapping;
use abmatic_sync_core::run::request::Settings;
use abmatic_sync_http::clock::{SystemClock, SystemIds};
use abmatic_sync_hubspot::HubspotConnector;
use abmatic_sync_pipedrive::PipedriveConnector;
use abmatic_sync_salesforce::SalesforceConnector;
use abmatic_sync_sql::store::SqliteStore;

use crate::args::{CrmArgs, KnownArgs, RunArgs, StoreArgs};

/// An engine over the file, with its connection.
pub(crate) struct Host {
    pub(crate) engine: Engine,
    pub(crate) connection: Connection,
}

pub(crate) async fn open_store(args: &StoreArgs) -> anyhow::Result<SqliteStore> {
    Ok(SqliteStore::open(&args.db).await?)
}

/// Opens the file and connects; mapped fields given on the command line are kept with the connection.
pub(crate) async fn connect(args: &RunArgs) -> anyhow::Result<Host> {
    let host = reach(&args.store, &args.crm).await?;
    host.keep_mapping(args).await?;
    Ok(host)
}

/// Opens the file and the connection.
pub(crate) async fn reach(store: &StoreArgs, crm: &CrmArgs) -> anyhow::Result<Host> {
    let mut host = open(store, &crm.connector, Credentials::token(crm.token.clone())).await?;
    if let Some(url) = &crm.base_url {
        host.connection = host.connection.with_base_url(url.clone());
    }
    Ok(host)
}

/// Opens the file for what the engine knows of a connection by itself, without a token.
pub(crate) async fn look_up(args: &KnownArgs) -> anyhow::Result<Host> {
    open(&args.store, &args.connector, Credentials::token(String::new())).await
}

async fn open(args: &StoreArgs, connector: &str, credentials: Credentials) -> anyhow::Result<Host> {
    let store = open_store(args).await?;
    let engine = Engine::new(Arc::new(store), Arc::new(SystemClock), Arc::new(SystemIds))
        .with_connector(ActiveCampaignConnector::new())
        .with_connector(HubspotConnector::builder().build())
        .with_connector(PipedriveConnector::new())
        .with_connector(SalesforceConnector::builder().build());
    let id = format!("{}/{connector}/{}", args.tenant, args.connection);
    let connection = Connection::new(args.tenant.as_str(), id, connector, credentials);
    Ok(Host { engine, connection })
}

impl Host {
    async fn keep_mapping(&self, args: &RunArgs) -> anyhow::Result<()> {
        if args.map.is_empty() {
            return Ok(());
        }
        let kept = self.engine.settings(&self.connection, args.resource).await?;
        let policy = match args.people_as {
            Some(destination) => kept.policy.with_people_destination(destination),
            None => kept.policy,
        };
        let mut mapping = match kept.mapping {
            Some(mapping) => mapping,
            None => self.engine.offered_mapping(&self.connection, args.resource, &policy).await?,
        };
        for (local, remote) in &args.map {
            mapping = mapping.with(FieldMapping::new(local.as_str(), remote.as_str()));
        }
        self.engine.save_settings(&self.connection, args.resource, &Settings::new(mapping, policy)).await?;
        Ok(())
    }
}
