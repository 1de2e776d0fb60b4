//! The secrets of connections in SQLite, sealed; claimed by one process at a time.

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::ids::{ConnectionId, TenantId};
use abmatic_sync_core::store::credentials::{CredentialStore, KeptSecret};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::dialect::sqlite::Durability;
use crate::failure::failed;
use crate::store::SqliteStore;
use crate::text::micros;
use crate::vault::{Keyring, Sealed};

/// Keeps secrets in the store's file, sealed under the host's keys. Clones share both.
///
/// ```
/// use abmatic_sync_core::store::credentials::CredentialStore as _;
/// use abmatic_sync_sql::{store::SqliteStore, vault::Keyring};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), abmatic_sync_core::error::Error> {
/// let store = SqliteStore::in_memory().await?;
/// let credentials = store.credentials(Keyring::new(1, [7; 32]));
/// let (tenant, connection) = ("tenant-1".into(), "tenant-1/hubspot".into());
/// credentials.keep_secret(&tenant, &connection, &"refresh-token".into(), None).await?;
/// assert!(credentials.secret(&tenant, &connection).await?.is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SqliteCredentials {
    store: SqliteStore,
    keys: Keyring,
}

impl SqliteStore {
    /// The secrets in this file, sealed under `keys`.
    pub fn credentials(&self, keys: Keyring) -> SqliteCredentials {
        SqliteCredentials { store: self.clone(), keys }
    }
}

impl SqliteCredentials {
    /// Seals everything anew that an older key sealed, and says how many secrets that were.
    ///
    /// # Errors
    /// As the store; also where a secret does not open. What was sealed anew before stays so.
    pub async fn reseal(&self) -> Result<u64> {
        let mut reader = self.store.reader().await?;
        let query = sqlx::query("SELECT key, sealed, tenant, connection, version FROM abmatic_secret WHERE key <> ?1");
        let rows = query.bind(self.keys.current()).fetch_all(&mut *reader).await.map_err(failed("read secrets"))?;
        drop(reader);
        let mut resealed = 0;
        for row in &rows {
            let read =
                || -> sqlx::Result<(&str, &str, i64)> { Ok((row.try_get(2)?, row.try_get(3)?, row.try_get(4)?)) };
            let (tenant, connection, version) = read().map_err(failed("read secrets"))?;
            let place = place(tenant, connection);
            let anew = self.keys.seal(&place, &self.keys.open(&place, &sealed(row)?)?)?;
            let query = sqlx::query(
                "UPDATE abmatic_secret SET key = ?4, sealed = ?5 WHERE tenant = ?1 AND connection = ?2 AND version = ?3",
            );
            let query = query.bind(tenant).bind(connection).bind(version).bind(anew.key).bind(anew.bytes);
            let mut transaction = self.store.begin(Durability::Flushed).await?;
            // Somebody who changed it meanwhile sealed it with the newest key already.
            let done = query.execute(&mut *transaction).await.map_err(failed("seal secrets anew"))?;
            transaction.commit().await.map_err(failed("seal secrets anew"))?;
            resealed += done.rows_affected();
        }
        Ok(resealed)
    }
}

#[async_trait]
impl CredentialStore for SqliteCredentials {
    async fn secret(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<Option<KeptSecret>> {
        let mut reader = self.store.reader().await?;
        let query =
            sqlx::query("SELECT key, sealed, version FROM abmatic_secret WHERE tenant = ?1 AND connection = ?2");
        let query = query.bind(tenant.as_str()).bind(connection.as_str());
        let Some(row) = query.fetch_optional(&mut *reader).await.map_err(failed("read a secret"))? else {
            return Ok(None);
        };
        let secret = self.keys.open(&place(tenant.as_str(), connection.as_str()), &sealed(&row)?)?;
        Ok(Some(KeptSecret::new(secret, row.try_get(2).map_err(failed("read a secret"))?)))
    }

    async fn keep_secret(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        secret: &SecretString,
        replaces: Option<i64>,
    ) -> Result<i64> {
        let sealed = self.keys.seal(&place(tenant.as_str(), connection.as_str()), secret)?;
        let mut transaction = self.store.begin(Durability::Flushed).await?;
        let query = sqlx::query_scalar(
            "INSERT INTO abmatic_secret (tenant, connection, version, key, sealed)
             SELECT ?1, ?2, 1, ?3, ?4 WHERE ?5 IS NULL OR EXISTS
                (SELECT 1 FROM abmatic_secret WHERE tenant = ?1 AND connection = ?2)
             ON CONFLICT DO UPDATE SET version = version + 1, key = ?3, sealed = ?4, claimed_until = NULL
             WHERE ?5 IS NULL OR version = ?5
             RETURNING version",
        );
        let query = query.bind(tenant.as_str()).bind(connection.as_str()).bind(sealed.key).bind(sealed.bytes);
        let kept = query.bind(replaces).fetch_optional(&mut *transaction).await.map_err(failed("keep a secret"))?;
        transaction.commit().await.map_err(failed("keep a secret"))?;
        kept.ok_or_else(|| {
            let message = format!("the credentials of {connection} were changed by somebody else meanwhile");
            Error::new(ErrorKind::Conflict, ErrorCode::ConcurrentChange, message)
        })
    }

    async fn forget_secret(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<()> {
        let mut transaction = self.store.begin(Durability::Flushed).await?;
        let query = sqlx::query("DELETE FROM abmatic_secret WHERE tenant = ?1 AND connection = ?2");
        let query = query.bind(tenant.as_str()).bind(connection.as_str());
        query.execute(&mut *transaction).await.map_err(failed("forget a secret"))?;
        transaction.commit().await.map_err(failed("forget a secret"))
    }

    async fn claim(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool> {
        let mut transaction = self.store.begin(Durability::Flushed).await?;
        let query = sqlx::query(
            "UPDATE abmatic_secret SET claimed_until = ?4
             WHERE tenant = ?1 AND connection = ?2 AND (claimed_until IS NULL OR claimed_until <= ?3)",
        );
        let query = query.bind(tenant.as_str()).bind(connection.as_str()).bind(micros(now)).bind(micros(until));
        let claimed = query.execute(&mut *transaction).await.map_err(failed("claim a secret"))?.rows_affected() > 0;
        transaction.commit().await.map_err(failed("claim a secret"))?;
        Ok(claimed)
    }

    async fn unclaim(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<()> {
        let mut transaction = self.store.begin(Durability::Flushed).await?;
        let query = sqlx::query("UPDATE abmatic_secret SET claimed_until = NULL WHERE tenant = ?1 AND connection = ?2");
        let query = query.bind(tenant.as_str()).bind(connection.as_str());
        query.execute(&mut *transaction).await.map_err(failed("give a secret up"))?;
        transaction.commit().await.map_err(failed("give a secret up"))
    }

    async fn keep_pending(&self, name: &str, secret: &SecretString, until: DateTime<Utc>) -> Result<()> {
        let sealed = self.keys.seal(&[PENDING, name], secret)?;
        let mut transaction = self.store.begin(Durability::Flushed).await?;
        let query =
            sqlx::query("INSERT OR REPLACE INTO abmatic_pending (name, until, key, sealed) VALUES (?1, ?2, ?3, ?4)");
        let query = query.bind(name).bind(micros(until)).bind(sealed.key).bind(sealed.bytes);
        query.execute(&mut *transaction).await.map_err(failed("keep a pending secret"))?;
        transaction.commit().await.map_err(failed("keep a pending secret"))
    }

    async fn take_pending(&self, name: &str, now: DateTime<Utc>) -> Result<Option<SecretString>> {
        let mut transaction = self.store.begin(Durability::Flushed).await?;
        let query = sqlx::query("DELETE FROM abmatic_pending WHERE name = ?1 RETURNING key, sealed, until > ?2");
        let query = query.bind(name).bind(micros(now));
        let row = query.fetch_optional(&mut *transaction).await.map_err(failed("take a pending secret"))?;
        let stale = sqlx::query("DELETE FROM abmatic_pending WHERE until <= ?1").bind(micros(now));
        stale.execute(&mut *transaction).await.map_err(failed("take a pending secret"))?;
        transaction.commit().await.map_err(failed("take a pending secret"))?;
        let Some(row) = row else { return Ok(None) };
        if !row.try_get::<bool, _>(2).map_err(failed("take a pending secret"))? {
            return Ok(None);
        }
        self.keys.open(&[PENDING, name], &sealed(&row)?).map(Some)
    }
}

/// What pending secrets are sealed for, beside their names.
const PENDING: &str = "pending";

/// What a connection's secret is sealed for.
fn place<'a>(tenant: &'a str, connection: &'a str) -> [&'a str; 3] {
    ["connection", tenant, connection]
}

/// The sealed secret that a row begins with.
fn sealed(row: &SqliteRow) -> Result<Sealed> {
    let read = || -> sqlx::Result<Sealed> { Ok(Sealed { key: row.try_get(0)?, bytes: row.try_get(1)? }) };
    read().map_err(failed("read a secret"))
}
