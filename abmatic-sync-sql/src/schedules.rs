//! Schedules and marks as rows; who is due first is found by one query, fair between tenants.

use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::{ConnectionId, RemoteId, TenantId};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::store::schedules::{Mark, Schedule, ScheduleKey, ScheduleStore, TurnEnd};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::batch::{Batch, Binds};
use crate::dialect::sqlite::Durability;
use crate::failure::failed;
use crate::store::SqliteStore;
use crate::text::{from_json, micros, time, to_json, word};

const OF_CONNECTION: &str =
    "SELECT tenant, connection, resource, rhythm, scope, next_at, marked_at, push_at, retry_at, failures, error, starts
     FROM abmatic_schedule WHERE tenant = ?1 AND connection = ?2 ORDER BY resource";

/// Those that wait longest first, but one of each tenant before the second of any.
const DUE: &str =
    "SELECT tenant, connection, resource, rhythm, scope, next_at, marked_at, push_at, retry_at, failures, error, starts FROM (
       SELECT *, ROW_NUMBER() OVER (PARTITION BY tenant ORDER BY due_at, connection, resource) AS place
       FROM abmatic_due WHERE due_at <= ?1
     ) ORDER BY place, due_at, tenant LIMIT ?2";

const NEXT_DUE: &str = "SELECT MIN(due_at) FROM abmatic_due WHERE due_at > ?1";

static MARK: Batch = Batch::new(
    "INSERT INTO abmatic_mark (tenant, connection, resource, id, at) VALUES ",
    "(?,?,?,?,?)",
    " ON CONFLICT DO UPDATE SET at = MAX(at, excluded.at)",
);

#[async_trait]
impl ScheduleStore for SqliteStore {
    async fn schedules(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<Vec<Schedule>> {
        let mut reader = self.reader().await?;
        let query = sqlx::query(OF_CONNECTION).bind(tenant.as_str()).bind(connection.as_str());
        let rows = query.fetch_all(&mut *reader).await.map_err(failed("read schedules"))?;
        rows.iter().map(read).collect()
    }

    async fn keep_schedule(&self, schedule: &Schedule) -> Result<()> {
        schedule.rhythm.check()?;
        let mut transaction = self.begin(Durability::Flushed).await?;
        let query = sqlx::query(
            "INSERT INTO abmatic_schedule (tenant, connection, resource, rhythm, scope, next_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET rhythm = ?4, scope = ?5, next_at = ?6, retry_at = NULL, failures = 0, error = NULL",
        );
        let query = keyed(query, &schedule.key).bind(to_json(&schedule.rhythm)?).bind(to_json(&schedule.scope)?);
        let kept = query.bind(schedule.next_at.map(micros)).execute(&mut *transaction).await;
        kept.map_err(failed("keep a schedule"))?;
        transaction.commit().await.map_err(failed("keep a schedule"))
    }

    async fn began(&self, key: &ScheduleKey) -> Result<u32> {
        let mut transaction = self.begin(Durability::Flushed).await?;
        let query = sqlx::query_scalar(
            "UPDATE abmatic_schedule SET starts = starts + 1 WHERE tenant = ?1 AND connection = ?2 AND resource = ?3
             RETURNING starts",
        );
        let query = query.bind(key.tenant.as_str()).bind(key.connection.as_str()).bind(key.resource.as_str());
        let starts = query.fetch_optional(&mut *transaction).await.map_err(failed("begin a turn"))?;
        transaction.commit().await.map_err(failed("begin a turn"))?;
        Ok(starts.unwrap_or(0))
    }

    async fn ended(&self, key: &ScheduleKey, end: &TurnEnd) -> Result<()> {
        let mut transaction = self.begin(Durability::Flushed).await?;
        let query = sqlx::query(
            "UPDATE abmatic_schedule SET starts = 0, next_at = ?4, failures = ?5, retry_at = ?7, error = ?8,
                    push_at = CASE WHEN push_at <= ?6 THEN NULL ELSE push_at END
             WHERE tenant = ?1 AND connection = ?2 AND resource = ?3",
        );
        let query = keyed(query, key).bind(end.next_at.map(micros)).bind(end.failures);
        let query = query.bind(end.pushed_until.map(micros)).bind(end.retry_at.map(micros)).bind(end.error.as_deref());
        let ended = query.execute(&mut *transaction).await;
        ended.map_err(failed("end a turn"))?;
        transaction.commit().await.map_err(failed("end a turn"))
    }

    async fn due(&self, now: DateTime<Utc>, limit: usize) -> Result<Vec<Schedule>> {
        let mut reader = self.reader().await?;
        let query = sqlx::query(DUE).bind(micros(now)).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = query.fetch_all(&mut *reader).await.map_err(failed("read what is due"))?;
        rows.iter().map(read).collect()
    }

    async fn next_due(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        let mut reader = self.reader().await?;
        let query = sqlx::query_scalar(NEXT_DUE).bind(micros(now));
        let next: Option<i64> = query.fetch_one(&mut *reader).await.map_err(failed("read what is due"))?;
        Ok(next.map(time))
    }

    async fn mark(&self, key: &ScheduleKey, ids: &[RemoteId], at: DateTime<Utc>) -> Result<()> {
        // Webhooks come in floods, and the poll finds what a power loss makes forgotten.
        let mut transaction = self.begin(Durability::Ordered).await?;
        let query = sqlx::query(
            "UPDATE abmatic_schedule SET marked_at = MIN(COALESCE(marked_at, ?4), ?4)
             WHERE tenant = ?1 AND connection = ?2 AND resource = ?3",
        );
        let marked = keyed(query, key).bind(micros(at)).execute(&mut *transaction).await;
        if ids.is_empty() || marked.map_err(failed("mark records"))?.rows_affected() == 0 {
            return Ok(());
        }
        let mut ids: Vec<&RemoteId> = ids.iter().collect();
        ids.sort_unstable();
        ids.dedup();
        let row = |binds: &mut Binds, id: &RemoteId| {
            bind_key(binds, key);
            binds.push(id.as_str());
            binds.push(micros(at));
        };
        MARK.execute(&mut transaction, |_| {}, ids.into_iter(), row).await.map_err(failed("mark records"))?;
        transaction.commit().await.map_err(failed("mark records"))
    }

    async fn marks(&self, key: &ScheduleKey, limit: usize) -> Result<Vec<Mark>> {
        let mut reader = self.reader().await?;
        let query = sqlx::query(
            "SELECT id, at FROM abmatic_mark WHERE tenant = ?1 AND connection = ?2 AND resource = ?3 ORDER BY at, id LIMIT ?4",
        );
        let query = keyed(query, key).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = query.fetch_all(&mut *reader).await.map_err(failed("read marks"))?;
        let mark = |row: &SqliteRow| Ok(Mark::new(RemoteId::from(row.try_get::<&str, _>(0)?), time(row.try_get(1)?)));
        rows.iter().map(mark).collect::<sqlx::Result<_>>().map_err(failed("read marks"))
    }

    async fn unmark(&self, key: &ScheduleKey, marks: &[Mark]) -> Result<()> {
        let mut transaction = self.begin(Durability::Ordered).await?;
        for mark in marks {
            let query = sqlx::query(
                "DELETE FROM abmatic_mark WHERE tenant = ?1 AND connection = ?2 AND resource = ?3 AND id = ?4 AND at <= ?5",
            );
            let query = keyed(query, key).bind(mark.id.as_str()).bind(micros(mark.at));
            query.execute(&mut *transaction).await.map_err(failed("take marks away"))?;
        }
        let query = sqlx::query(
            "UPDATE abmatic_schedule SET marked_at =
                (SELECT MIN(at) FROM abmatic_mark m WHERE m.tenant = ?1 AND m.connection = ?2 AND m.resource = ?3)
             WHERE tenant = ?1 AND connection = ?2 AND resource = ?3",
        );
        keyed(query, key).execute(&mut *transaction).await.map_err(failed("take marks away"))?;
        transaction.commit().await.map_err(failed("take marks away"))
    }

    async fn ask_push(&self, key: &ScheduleKey, at: DateTime<Utc>) -> Result<()> {
        let mut transaction = self.begin(Durability::Flushed).await?;
        let query = sqlx::query(
            "UPDATE abmatic_schedule SET push_at = MIN(COALESCE(push_at, ?4), ?4)
             WHERE tenant = ?1 AND connection = ?2 AND resource = ?3",
        );
        keyed(query, key).bind(micros(at)).execute(&mut *transaction).await.map_err(failed("ask for a push"))?;
        transaction.commit().await.map_err(failed("ask for a push"))
    }
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

/// Binds the key as the first three.
fn keyed<'q>(query: Query<'q>, key: &'q ScheduleKey) -> Query<'q> {
    query.bind(key.tenant.as_str()).bind(key.connection.as_str()).bind(key.resource.as_str())
}

fn bind_key(binds: &mut Binds, key: &ScheduleKey) {
    binds.push(key.tenant.as_str());
    binds.push(key.connection.as_str());
    binds.push(key.resource.as_str());
}

fn read(row: &SqliteRow) -> Result<Schedule> {
    let failed = |error| failed("read schedules")(error);
    let text = |column: usize| row.try_get::<&str, _>(column).map_err(failed);
    let at = |column: usize| row.try_get::<Option<i64>, _>(column).map_err(failed).map(|at| at.map(time));
    let resource: Resource = word("a resource", text(2)?)?;
    let mut schedule =
        Schedule::new(ScheduleKey::new(text(0)?, text(1)?, resource), from_json("a schedule's rhythm", text(3)?)?)
            .with_scope(from_json("a schedule's scope", text(4)?)?);
    schedule.next_at = at(5)?;
    schedule.marked_at = at(6)?;
    schedule.push_at = at(7)?;
    schedule.retry_at = at(8)?;
    schedule.failures = row.try_get(9).map_err(failed)?;
    schedule.error = row.try_get(10).map_err(failed)?;
    schedule.starts = row.try_get(11).map_err(failed)?;
    Ok(schedule)
}
