//! One run at a time on a connection: the lease and its fencing token.

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::ids::{ConnectionId, RunId, TenantId};
use abmatic_sync_core::store::state::Lease;
use chrono::{DateTime, Utc};
use sqlx::{Row, SqliteConnection};

use crate::dialect::sqlite::Durability;
use crate::failure::failed;
use crate::store::SqliteStore;
use crate::text::{micros, time};

/// Extends the run's lease as part of what it commits.
///
/// # Errors
/// [`ErrorCode::LeaseHeld`] when the lease went to another run or was given back: a run that woke up late stops here.
pub(crate) async fn hold_lease(connection: &mut SqliteConnection, lease: &Lease) -> Result<()> {
    let held = sqlx::query(
        "UPDATE abmatic_lease SET until = MAX(until, ?1)
         WHERE tenant = ?2 AND connection = ?3 AND token = ?4 AND holder = ?5",
    )
    .bind(micros(lease.until))
    .bind(lease.tenant.as_str())
    .bind(lease.connection.as_str())
    .bind(lease.token)
    .bind(lease.holder.as_str());
    let held = held.execute(connection).await.map_err(failed("check the lease"))?.rows_affected() > 0;
    if held { Ok(()) } else { Err(lost(lease)) }
}

fn lost(lease: &Lease) -> Error {
    let message =
        format!("run {} no longer holds connection {}: another run took it over", lease.holder, lease.connection);
    Error::new(ErrorKind::Conflict, ErrorCode::LeaseHeld, message)
}

impl SqliteStore {
    pub(crate) async fn acquire_lease(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        holder: &RunId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Lease> {
        let mut transaction = self.begin(Durability::Flushed).await?;
        let taken = sqlx::query_scalar(
            "INSERT INTO abmatic_lease (tenant, connection, token, holder, until) VALUES (?1, ?2, 1, ?3, ?4)
             ON CONFLICT (tenant, connection) DO UPDATE SET token = token + 1, holder = ?3, until = ?4
             WHERE holder IS NULL OR holder = ?3 OR until <= ?5
             RETURNING token",
        )
        .bind(tenant.as_str())
        .bind(connection.as_str())
        .bind(holder.as_str())
        .bind(micros(until))
        .bind(micros(now));
        let token: Option<i64> = taken.fetch_optional(&mut *transaction).await.map_err(failed("take the lease"))?;
        let Some(token) = token else {
            return Err(held_by_another(&mut transaction, tenant, connection).await?);
        };
        transaction.commit().await.map_err(failed("take the lease"))?;
        Ok(Lease::new(tenant.clone(), connection.clone(), holder.clone(), token, until))
    }

    pub(crate) async fn release_lease(&self, lease: &Lease) -> Result<()> {
        let mut transaction = self.begin(Durability::Flushed).await?;
        sqlx::query(
            "UPDATE abmatic_lease SET holder = NULL WHERE tenant = ?1 AND connection = ?2 AND token = ?3 AND holder = ?4",
        )
        .bind(lease.tenant.as_str())
        .bind(lease.connection.as_str())
        .bind(lease.token)
        .bind(lease.holder.as_str())
        .execute(&mut *transaction)
        .await
        .map_err(failed("give the lease back"))?;
        transaction.commit().await.map_err(failed("give the lease back"))
    }
}

async fn held_by_another(
    database: &mut SqliteConnection,
    tenant: &TenantId,
    connection: &ConnectionId,
) -> Result<Error> {
    let row = sqlx::query("SELECT holder, until FROM abmatic_lease WHERE tenant = ?1 AND connection = ?2")
        .bind(tenant.as_str())
        .bind(connection.as_str())
        .fetch_one(database)
        .await
        .map_err(failed("read the lease"))?;
    let holder: String = row.try_get(0).map_err(failed("read the lease"))?;
    let until = time(row.try_get(1).map_err(failed("read the lease"))?);
    let message = format!("run {holder} works on connection {connection}, until {until} at least");
    Ok(Error::new(ErrorKind::Conflict, ErrorCode::LeaseHeld, message))
}
