//! Connections as rows: everything but their secrets.

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::ids::{ConnectionId, TenantId};
use abmatic_sync_core::store::connections::{ConnectionStatus, ConnectionStore, KeptConnection};
use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::dialect::sqlite::Durability;
use crate::failure::{failed, unreadable};
use crate::store::SqliteStore;
use crate::text::{from_json, micros, to_json};

const BY_ID: &str = "SELECT id, tenant, connector, base_url, account, status FROM abmatic_connection
    WHERE id = ?1 AND tenant = ?2";
const BY_TENANT: &str = "SELECT id, tenant, connector, base_url, account, status FROM abmatic_connection
    WHERE tenant = ?1 ORDER BY id";
const BY_ACCOUNT: &str = "SELECT id, tenant, connector, base_url, account, status FROM abmatic_connection
    WHERE connector = ?1 AND account = ?2 ORDER BY tenant, id";

#[async_trait]
impl ConnectionStore for SqliteStore {
    async fn connection(&self, tenant: &TenantId, id: &ConnectionId) -> Result<Option<KeptConnection>> {
        self.select(BY_ID, [id.as_str(), tenant.as_str()]).await.map(|found| found.into_iter().next())
    }

    async fn connections(&self, tenant: &TenantId) -> Result<Vec<KeptConnection>> {
        self.select(BY_TENANT, [tenant.as_str()]).await
    }

    async fn connections_to(&self, connector: &str, account: &str) -> Result<Vec<KeptConnection>> {
        self.select(BY_ACCOUNT, [connector, account]).await
    }

    async fn keep_connection(&self, connection: &KeptConnection) -> Result<()> {
        let mut transaction = self.begin(Durability::Flushed).await?;
        let kept = sqlx::query(
            "INSERT INTO abmatic_connection (id, tenant, connector, base_url, account, status, blocked_until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (id) DO UPDATE SET connector = ?3, base_url = ?4, account = ?5, status = ?6, blocked_until = ?7
             WHERE tenant = ?2",
        )
        .bind(connection.id.as_str())
        .bind(connection.tenant.as_str())
        .bind(connection.connector.as_str())
        .bind(connection.base_url.as_ref().map(|url| url.as_str()))
        .bind(connection.account.as_deref())
        .bind(to_json(&connection.status)?)
        .bind(blocked_until(&connection.status));
        let kept = kept.execute(&mut *transaction).await.map_err(failed("keep a connection"))?;
        if kept.rows_affected() == 0 {
            let message = format!("the connection id \"{}\" is taken: choose another", connection.id);
            return Err(Error::invalid(ErrorCode::InvalidSettings, message));
        }
        transaction.commit().await.map_err(failed("keep a connection"))
    }

    async fn set_status(&self, tenant: &TenantId, id: &ConnectionId, status: &ConnectionStatus) -> Result<()> {
        let mut transaction = self.begin(Durability::Flushed).await?;
        sqlx::query("UPDATE abmatic_connection SET status = ?3, blocked_until = ?4 WHERE id = ?1 AND tenant = ?2")
            .bind(id.as_str())
            .bind(tenant.as_str())
            .bind(to_json(status)?)
            .bind(blocked_until(status))
            .execute(&mut *transaction)
            .await
            .map_err(failed("change a connection's status"))?;
        transaction.commit().await.map_err(failed("change a connection's status"))
    }

    async fn forget_connection(&self, tenant: &TenantId, id: &ConnectionId) -> Result<()> {
        const TABLES: [&str; 3] = [
            "DELETE FROM abmatic_connection WHERE tenant = ?1 AND id = ?2",
            "DELETE FROM abmatic_schedule WHERE tenant = ?1 AND connection = ?2",
            "DELETE FROM abmatic_mark WHERE tenant = ?1 AND connection = ?2",
        ];
        let mut transaction = self.begin(Durability::Flushed).await?;
        for delete in TABLES {
            let delete = sqlx::query(delete).bind(tenant.as_str()).bind(id.as_str());
            delete.execute(&mut *transaction).await.map_err(failed("forget a connection"))?;
        }
        transaction.commit().await.map_err(failed("forget a connection"))
    }
}

impl SqliteStore {
    async fn select<const N: usize>(&self, query: &'static str, texts: [&str; N]) -> Result<Vec<KeptConnection>> {
        let mut connection = self.reader().await?;
        let rows = rows(&mut connection, query, texts).await.map_err(failed("read connections"))?;
        rows.iter().map(read).collect()
    }
}

async fn rows<const N: usize>(
    connection: &mut SqliteConnection,
    query: &'static str,
    texts: [&str; N],
) -> sqlx::Result<Vec<SqliteRow>> {
    let query = texts.into_iter().fold(sqlx::query(query), |query, text| query.bind(text.to_owned()));
    query.fetch_all(connection).await
}

fn read(row: &SqliteRow) -> Result<KeptConnection> {
    let texts = || -> sqlx::Result<_> {
        let base_url: Option<String> = row.try_get(3)?;
        let account: Option<String> = row.try_get(4)?;
        Ok((row.try_get::<&str, _>(0)?, row.try_get::<&str, _>(1)?, row.try_get::<&str, _>(2)?, base_url, account))
    };
    let (id, tenant, connector, base_url, account) = texts().map_err(failed("read connections"))?;
    let mut kept = KeptConnection::new(tenant, id, connector);
    kept.base_url = base_url
        .map(|url| url.parse())
        .transpose()
        .map_err(|error: url::ParseError| unreadable("a connection's address", error))?;
    kept.account = account;
    kept.status = from_json("a connection's status", row.try_get(5).map_err(failed("read connections"))?)?;
    Ok(kept)
}

/// When runs may begin; null at any time, the largest number where nobody knows.
fn blocked_until(status: &ConnectionStatus) -> Option<i64> {
    match status {
        ConnectionStatus::Active => None,
        ConnectionStatus::Paused { until, .. } => Some(micros(*until)),
        // And whatever a later core may know.
        _ => Some(i64::MAX),
    }
}
