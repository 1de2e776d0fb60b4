//! Small integers for tenants, connections and resources, so that a row carries one number for all of them.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::{ConnectionId, TenantId};
use abmatic_sync_core::model::link::LinkScope;
use abmatic_sync_core::model::resource::Resource;
use sqlx::{SqliteConnection, SqliteExecutor};

use crate::failure::failed;

/// What rows of a table belong to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ScopeKey {
    tenant: TenantId,
    /// None for the host's records: they belong to no connection.
    connection: Option<ConnectionId>,
    resource: Resource,
    /// None for records and log.
    remote_resource: Option<Resource>,
}

impl ScopeKey {
    pub(crate) fn records(tenant: &TenantId, resource: Resource) -> Self {
        Self { tenant: tenant.clone(), connection: None, resource, remote_resource: None }
    }

    pub(crate) fn links(scope: &LinkScope) -> Self {
        Self {
            tenant: scope.tenant.clone(),
            connection: Some(scope.connection.clone()),
            resource: scope.resource,
            remote_resource: Some(scope.remote_resource),
        }
    }

    pub(crate) fn log(tenant: &TenantId, connection: &ConnectionId, resource: Resource) -> Self {
        Self { tenant: tenant.clone(), connection: Some(connection.clone()), resource, remote_resource: None }
    }

    fn columns(&self) -> [&str; 4] {
        [
            self.tenant.as_str(),
            self.connection.as_ref().map_or("", ConnectionId::as_str),
            self.resource.as_str(),
            self.remote_resource.map_or("", Resource::as_str),
        ]
    }
}

/// The numbers known so far. A number never changes, so what is remembered never gets stale.
#[derive(Debug, Default)]
pub(crate) struct Scopes(RwLock<HashMap<ScopeKey, i64>>);

impl Scopes {
    /// The scope's number, none where nothing was ever stored in it.
    pub(crate) async fn find(&self, executor: impl SqliteExecutor<'_>, key: &ScopeKey) -> Result<Option<i64>> {
        if let Some(id) = self.remembered(key) {
            return Ok(Some(id));
        }
        let query = sqlx::query_scalar(
            "SELECT id FROM abmatic_scope WHERE tenant = ?1 AND connection = ?2 AND resource = ?3 AND remote_resource = ?4",
        );
        let found = key.columns().into_iter().fold(query, |query, column| query.bind(column.to_owned()));
        let found = found.fetch_optional(executor).await.map_err(failed("look up a scope"))?;
        if let Some(id) = found {
            self.remember(key, id);
        }
        Ok(found)
    }

    /// The scope's number, a new one if need be. Not within a transaction, whose end might undo it.
    pub(crate) async fn find_or_add(&self, connection: &mut SqliteConnection, key: &ScopeKey) -> Result<i64> {
        if let Some(id) = self.find(&mut *connection, key).await? {
            return Ok(id);
        }
        let query = sqlx::query_scalar(
            "INSERT INTO abmatic_scope (tenant, connection, resource, remote_resource) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET tenant = excluded.tenant RETURNING id",
        );
        let added = key.columns().into_iter().fold(query, |query, column| query.bind(column.to_owned()));
        let id = added.fetch_one(connection).await.map_err(failed("add a scope"))?;
        self.remember(key, id);
        Ok(id)
    }

    /// The number, where it was asked for before.
    pub(crate) fn remembered(&self, key: &ScopeKey) -> Option<i64> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(key).copied()
    }

    fn remember(&self, key: &ScopeKey, id: i64) {
        const REMEMBERED_MAX: usize = 10_000;
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(key.clone(), id);
    }
}
