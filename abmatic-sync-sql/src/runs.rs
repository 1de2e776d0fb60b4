//! Runs as they stand, and the numbers by which the log knows them.

use std::ops::RangeInclusive;

use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::{ConnectionId, RunId, TenantId};
use abmatic_sync_core::store::state::RunRecord;
use sqlx::{Row, SqliteConnection};

use crate::failure::failed;
use crate::text::{from_json, micros, to_json};

/// Keeps a run as it stands, and gives its number.
pub(crate) async fn save(connection: &mut SqliteConnection, run: &RunRecord) -> Result<i64> {
    sqlx::query_scalar(
        "INSERT INTO abmatic_run (tenant, id, connection, started_at, record) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (tenant, id) DO UPDATE SET connection = ?3, started_at = ?4, record = ?5
         RETURNING seq",
    )
    .bind(run.tenant.as_str())
    .bind(run.id.as_str())
    .bind(run.connection.as_str())
    .bind(micros(run.started_at))
    .bind(to_json(run)?)
    .fetch_one(connection)
    .await
    .map_err(failed("save the run"))
}

/// The number of a run that may not have been saved.
pub(crate) async fn number(connection: &mut SqliteConnection, tenant: &TenantId, run: &RunId) -> Result<i64> {
    sqlx::query_scalar(
        "INSERT INTO abmatic_run (tenant, id) VALUES (?1, ?2)
         ON CONFLICT (tenant, id) DO UPDATE SET id = excluded.id RETURNING seq",
    )
    .bind(tenant.as_str())
    .bind(run.as_str())
    .fetch_one(connection)
    .await
    .map_err(failed("number a run"))
}

/// Notes where the run's lines stand in the log.
pub(crate) async fn extend_log(connection: &mut SqliteConnection, run: i64, first: i64, last: i64) -> Result<()> {
    sqlx::query("UPDATE abmatic_run SET log_first = COALESCE(log_first, ?2), log_last = ?3 WHERE seq = ?1")
        .bind(run)
        .bind(first)
        .bind(last)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(failed("extend the run's log"))
}

/// A run's number and the lines of the log between which its own stand.
pub(crate) async fn log_range(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    run: &RunId,
) -> Result<Option<(i64, RangeInclusive<i64>)>> {
    let row = sqlx::query(
        "SELECT seq, log_first, log_last FROM abmatic_run WHERE tenant = ?1 AND id = ?2 AND log_first IS NOT NULL",
    )
    .bind(tenant.as_str())
    .bind(run.as_str())
    .fetch_optional(connection)
    .await
    .map_err(failed("look a run up"))?;
    let range = |row: sqlx::sqlite::SqliteRow| Ok((row.try_get(0)?, row.try_get(1)?..=row.try_get(2)?));
    row.map(range).transpose().map_err(failed("look a run up"))
}

pub(crate) async fn find(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: &RunId,
) -> Result<Option<RunRecord>> {
    let query =
        sqlx::query_scalar("SELECT record FROM abmatic_run WHERE tenant = ?1 AND id = ?2 AND record IS NOT NULL");
    let found: Option<String> =
        query.bind(tenant.as_str()).bind(id.as_str()).fetch_optional(connection).await.map_err(failed("read a run"))?;
    found.map(|text| from_json("a run", &text)).transpose()
}

/// Those of a connection, the newest first.
pub(crate) async fn list(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    of: &ConnectionId,
    limit: usize,
) -> Result<Vec<RunRecord>> {
    let texts: Vec<String> = sqlx::query_scalar(
        "SELECT record FROM abmatic_run WHERE tenant = ?1 AND connection = ?2 AND record IS NOT NULL
         ORDER BY started_at DESC, seq DESC LIMIT ?3",
    )
    .bind(tenant.as_str())
    .bind(of.as_str())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await
    .map_err(failed("read runs"))?;
    texts.iter().map(|text| from_json("a run", text)).collect()
}
