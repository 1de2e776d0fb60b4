//! Connections, schedules and secrets in memory: for tests of hosts and of schedulers. Secrets are not sealed.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::ids::{ConnectionId, RemoteId, TenantId};
use abmatic_sync_core::store::connections::{ConnectionStatus, ConnectionStore, KeptConnection};
use abmatic_sync_core::store::credentials::{CredentialStore, KeptSecret};
use abmatic_sync_core::store::schedules::{Mark, Schedule, ScheduleKey, ScheduleStore, TurnEnd};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;

/// Connections, schedules and secrets in memory. Clones share them.
///
/// ```
/// use abmatic_sync_core::store::connections::{ConnectionStore as _, KeptConnection};
/// use abmatic_sync_testkit::memory::connections::MemoryConnections;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), abmatic_sync_core::error::Error> {
/// let connections = MemoryConnections::default();
/// connections.keep_connection(&KeptConnection::new("tenant", "tenant/hubspot", "hubspot")).await?;
/// assert_eq!(connections.connections(&"tenant".into()).await?.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryConnections(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    connections: BTreeMap<ConnectionId, KeptConnection>,
    schedules: BTreeMap<ScheduleKey, Schedule>,
    marks: BTreeMap<ScheduleKey, BTreeMap<RemoteId, DateTime<Utc>>>,
    secrets: HashMap<(TenantId, ConnectionId), Secret>,
    pending: HashMap<String, (SecretString, DateTime<Utc>)>,
}

#[derive(Debug)]
struct Secret {
    kept: KeptSecret,
    claimed_until: Option<DateTime<Utc>>,
}

impl MemoryConnections {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Schedules with the time when something of them is due and their connection may run.
    fn due(&self) -> Vec<(DateTime<Utc>, &Schedule)> {
        let due = |schedule: &Schedule| {
            let on = self.connections.get(&schedule.key.connection).filter(|on| on.tenant == schedule.key.tenant)?;
            let at = schedule.due_at()?;
            match on.status {
                ConnectionStatus::Active => Some(at),
                ConnectionStatus::Paused { until, .. } => Some(at.max(until)),
                _ => None,
            }
        };
        let mut all: Vec<_> = self.schedules.values().filter_map(|schedule| Some((due(schedule)?, schedule))).collect();
        all.sort_by(|a, b| (a.0, &a.1.key).cmp(&(b.0, &b.1.key)));
        all
    }
}

#[async_trait]
impl ConnectionStore for MemoryConnections {
    async fn connection(&self, tenant: &TenantId, id: &ConnectionId) -> Result<Option<KeptConnection>> {
        Ok(self.held().connections.get(id).filter(|kept| kept.tenant == *tenant).cloned())
    }

    async fn connections(&self, tenant: &TenantId) -> Result<Vec<KeptConnection>> {
        Ok(self.held().connections.values().filter(|kept| kept.tenant == *tenant).cloned().collect())
    }

    async fn connections_to(&self, connector: &str, account: &str) -> Result<Vec<KeptConnection>> {
        let held = self.held();
        let to = |kept: &&KeptConnection| kept.connector == connector && kept.account.as_deref() == Some(account);
        let mut found: Vec<KeptConnection> = held.connections.values().filter(to).cloned().collect();
        found.sort_by(|a, b| (&a.tenant, &a.id).cmp(&(&b.tenant, &b.id)));
        Ok(found)
    }

    async fn keep_connection(&self, connection: &KeptConnection) -> Result<()> {
        let mut held = self.held();
        if held.connections.get(&connection.id).is_some_and(|kept| kept.tenant != connection.tenant) {
            let message = format!("the connection id \"{}\" is taken: choose another", connection.id);
            return Err(Error::invalid(ErrorCode::InvalidSettings, message));
        }
        held.connections.insert(connection.id.clone(), connection.clone());
        Ok(())
    }

    async fn set_status(&self, tenant: &TenantId, id: &ConnectionId, status: &ConnectionStatus) -> Result<()> {
        if let Some(kept) = self.held().connections.get_mut(id).filter(|kept| kept.tenant == *tenant) {
            kept.status = status.clone();
        }
        Ok(())
    }

    async fn forget_connection(&self, tenant: &TenantId, id: &ConnectionId) -> Result<()> {
        let mut held = self.held();
        held.connections.retain(|_, kept| kept.id != *id || kept.tenant != *tenant);
        held.schedules.retain(|key, _| key.connection != *id || key.tenant != *tenant);
        held.marks.retain(|key, _| key.connection != *id || key.tenant != *tenant);
        Ok(())
    }
}

#[async_trait]
impl ScheduleStore for MemoryConnections {
    async fn schedules(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<Vec<Schedule>> {
        let held = self.held();
        let own =
            held.schedules.values().filter(|kept| kept.key.tenant == *tenant && kept.key.connection == *connection);
        Ok(own.cloned().collect())
    }

    async fn keep_schedule(&self, schedule: &Schedule) -> Result<()> {
        schedule.rhythm.check()?;
        let mut held = self.held();
        let fresh = || Schedule::new(schedule.key.clone(), schedule.rhythm.clone());
        let kept = held.schedules.entry(schedule.key.clone()).or_insert_with(fresh);
        kept.rhythm.clone_from(&schedule.rhythm);
        kept.scope.clone_from(&schedule.scope);
        (kept.next_at, kept.retry_at, kept.failures, kept.error) = (schedule.next_at, None, 0, None);
        Ok(())
    }

    async fn began(&self, key: &ScheduleKey) -> Result<u32> {
        let mut held = self.held();
        let Some(kept) = held.schedules.get_mut(key) else { return Ok(0) };
        kept.starts += 1;
        Ok(kept.starts)
    }

    async fn ended(&self, key: &ScheduleKey, end: &TurnEnd) -> Result<()> {
        if let Some(kept) = self.held().schedules.get_mut(key) {
            (kept.starts, kept.failures) = (0, end.failures);
            (kept.next_at, kept.retry_at, kept.error) = (end.next_at, end.retry_at, end.error.clone());
            kept.push_at = kept.push_at.filter(|at| end.pushed_until.is_none_or(|until| *at > until));
        }
        Ok(())
    }

    async fn due(&self, now: DateTime<Utc>, limit: usize) -> Result<Vec<Schedule>> {
        let held = self.held();
        let mut places: HashMap<&TenantId, usize> = HashMap::new();
        let mut due: Vec<(usize, DateTime<Utc>, &Schedule)> = Vec::new();
        for (at, schedule) in held.due().into_iter().take_while(|(at, _)| *at <= now) {
            let place = places.entry(&schedule.key.tenant).or_default();
            due.push((*place, at, schedule));
            *place += 1;
        }
        due.sort_by_key(|(place, at, _)| (*place, *at));
        Ok(due.into_iter().take(limit).map(|(.., schedule)| schedule.clone()).collect())
    }

    async fn next_due(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        Ok(self.held().due().into_iter().map(|(at, _)| at).find(|at| *at > now))
    }

    async fn mark(&self, key: &ScheduleKey, ids: &[RemoteId], at: DateTime<Utc>) -> Result<()> {
        let mut held = self.held();
        let Some(kept) = held.schedules.get_mut(key).filter(|_| !ids.is_empty()) else { return Ok(()) };
        kept.marked_at = Some(kept.marked_at.map_or(at, |marked| marked.min(at)));
        let marks = held.marks.entry(key.clone()).or_default();
        for id in ids {
            let last = marks.entry(id.clone()).or_insert(at);
            *last = at.max(*last);
        }
        Ok(())
    }

    async fn marks(&self, key: &ScheduleKey, limit: usize) -> Result<Vec<Mark>> {
        let held = self.held();
        let marks = held.marks.get(key).into_iter().flatten();
        let mut marks: Vec<Mark> = marks.map(|(id, at)| Mark::new(id.clone(), *at)).collect();
        marks.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        marks.truncate(limit);
        Ok(marks)
    }

    async fn unmark(&self, key: &ScheduleKey, marks: &[Mark]) -> Result<()> {
        let mut held = self.held();
        let left = held.marks.entry(key.clone()).or_default();
        for mark in marks {
            if left.get(&mark.id).is_some_and(|at| *at <= mark.at) {
                left.remove(&mark.id);
            }
        }
        let first = left.values().min().copied();
        if let Some(kept) = held.schedules.get_mut(key) {
            kept.marked_at = first;
        }
        Ok(())
    }

    async fn ask_push(&self, key: &ScheduleKey, at: DateTime<Utc>) -> Result<()> {
        if let Some(kept) = self.held().schedules.get_mut(key) {
            kept.push_at = Some(kept.push_at.map_or(at, |asked| asked.min(at)));
        }
        Ok(())
    }
}

#[async_trait]
impl CredentialStore for MemoryConnections {
    async fn secret(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<Option<KeptSecret>> {
        Ok(self.held().secrets.get(&(tenant.clone(), connection.clone())).map(|secret| secret.kept.clone()))
    }

    async fn keep_secret(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        secret: &SecretString,
        replaces: Option<i64>,
    ) -> Result<i64> {
        let mut held = self.held();
        let place = (tenant.clone(), connection.clone());
        let before = held.secrets.get(&place).map(|secret| secret.kept.version);
        if replaces.is_some() && replaces != before {
            let message = format!("the credentials of {connection} were changed by somebody else meanwhile");
            return Err(Error::new(ErrorKind::Conflict, ErrorCode::ConcurrentChange, message));
        }
        let version = before.unwrap_or(0) + 1;
        let kept = KeptSecret::new(secret.clone(), version);
        held.secrets.insert(place, Secret { kept, claimed_until: None });
        Ok(version)
    }

    async fn forget_secret(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<()> {
        self.held().secrets.remove(&(tenant.clone(), connection.clone()));
        Ok(())
    }

    async fn claim(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool> {
        let mut held = self.held();
        let Some(secret) = held.secrets.get_mut(&(tenant.clone(), connection.clone())) else { return Ok(false) };
        let is_free = secret.claimed_until.is_none_or(|claimed| claimed <= now);
        if is_free {
            secret.claimed_until = Some(until);
        }
        Ok(is_free)
    }

    async fn unclaim(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<()> {
        if let Some(secret) = self.held().secrets.get_mut(&(tenant.clone(), connection.clone())) {
            secret.claimed_until = None;
        }
        Ok(())
    }

    async fn keep_pending(&self, name: &str, secret: &SecretString, until: DateTime<Utc>) -> Result<()> {
        self.held().pending.insert(name.to_owned(), (secret.clone(), until));
        Ok(())
    }

    async fn take_pending(&self, name: &str, now: DateTime<Utc>) -> Result<Option<SecretString>> {
        Ok(self.held().pending.remove(name).filter(|(_, until)| *until > now).map(|(secret, _)| secret))
    }
}
