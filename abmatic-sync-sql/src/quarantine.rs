//! Records that failed and are set aside, one row each.

use abmatic_sync_core::error::{ErrorCode, Result};
use abmatic_sync_core::model::quarantine::{Quarantined, Seen};
use abmatic_sync_core::model::record::{RecordId, Version};
use abmatic_sync_core::model::resource::Side;
use abmatic_sync_core::store::state::{QuarantineQuery, Retried};
use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::batch::{Batch, Binds};
use crate::failure::failed;
use crate::text::{micros, side_number, side_of, time, word};

static OF: Batch = Batch::new(
    "SELECT side, id, code, message, attempts, failed_at, retry_at, seen_version, seen_modified_at
     FROM abmatic_quarantine WHERE scope = ? AND side = ? AND id IN (",
    "?",
    ")",
);

const ALL: &str = "SELECT side, id, code, message, attempts, failed_at, retry_at, seen_version, seen_modified_at
     FROM abmatic_quarantine WHERE scope = ?1 AND (side, id) > (?2, ?3) ORDER BY side, id LIMIT ?4";

const DUE: &str = "SELECT side, id, code, message, attempts, failed_at, retry_at, seen_version, seen_modified_at
     FROM abmatic_quarantine WHERE scope = ?1 AND side = ?2 AND retry_at <= ?3 AND (retry_at, id) > (?4, ?5)
     ORDER BY retry_at, id LIMIT ?6";

static SET_ASIDE: Batch = Batch::new(
    "INSERT OR REPLACE INTO abmatic_quarantine
     (scope, side, id, code, message, attempts, failed_at, retry_at, seen_version, seen_modified_at) VALUES ",
    "(?,?,?,?,?,?,?,?,?,?)",
    "",
);

static RELEASE: Batch = Batch::new("DELETE FROM abmatic_quarantine WHERE scope = ? AND side = ? AND id IN (", "?", ")");

static RETRY: Batch = Batch::new(
    "UPDATE abmatic_quarantine SET retry_at = MIN(retry_at, ?) WHERE scope = ? AND side = ? AND id IN (",
    "?",
    ")",
);

pub(crate) async fn find(
    connection: &mut SqliteConnection,
    scope: i64,
    query: &QuarantineQuery,
) -> Result<Vec<Quarantined>> {
    let rows = match query {
        QuarantineQuery::All { after, limit } => {
            let (side, id) = after.as_ref().map_or((0, ""), |after| (side_number(after.side()), after.as_str()));
            let query = sqlx::query(ALL).bind(scope).bind(side).bind(id);
            query.bind(i64::try_from(*limit).unwrap_or(i64::MAX)).fetch_all(connection).await
        }
        QuarantineQuery::Due { side, at, after, limit } => {
            let (since, id) = after.as_ref().map_or((i64::MIN, ""), |(at, id)| (micros(*at), id.as_str()));
            let query = sqlx::query(DUE).bind(scope).bind(side_number(*side)).bind(micros(*at)).bind(since).bind(id);
            query.bind(i64::try_from(*limit).unwrap_or(i64::MAX)).fetch_all(connection).await
        }
        QuarantineQuery::Of(records) => {
            let mut rows = Vec::new();
            for (side, ids) in by_side(records) {
                let share = |binds: &mut Binds| {
                    binds.push(scope);
                    binds.push(side);
                };
                let found = OF.fetch(&mut *connection, share, &ids, |binds, id| binds.push(id)).await;
                rows.extend(found.map_err(failed("look the quarantine up"))?);
            }
            Ok(rows)
        }
        // Queries that a later core may know.
        _ => Ok(Vec::new()),
    };
    rows.map_err(failed("look the quarantine up"))?.iter().map(quarantined).collect()
}

fn quarantined(row: &SqliteRow) -> Result<Quarantined> {
    let read = |error| failed("read the quarantine")(error);
    let number = |column: usize| row.try_get::<i64, _>(column).map_err(read);
    let optional = |column: usize| row.try_get::<Option<i64>, _>(column).map_err(read);
    let text = |column: usize| row.try_get::<&str, _>(column).map_err(read);
    let side = side_of(number(0)?);
    let error = (word::<ErrorCode>("an error code", text(2)?)?, text(3)?.to_owned());
    let attempts = u32::try_from(number(4)?).unwrap_or(u32::MAX);
    let seen = Seen::new(optional(7)?.map(Version::new), optional(8)?.map(time));
    let mut held = Quarantined::new(RecordId::on(side, text(1)?), error, attempts, time(number(5)?), seen);
    held.retry_at = time(number(6)?);
    Ok(held)
}

pub(crate) async fn set_aside(connection: &mut SqliteConnection, scope: i64, records: &[Quarantined]) -> Result<()> {
    SET_ASIDE
        .execute(
            connection,
            |_| {},
            records.iter(),
            |binds, held| {
                binds.push(scope);
                binds.push(side_number(held.record.side()));
                binds.push(held.record.as_str());
                binds.push(held.code.as_str());
                binds.push(held.message.as_str());
                binds.push(i64::from(held.attempts));
                binds.push(micros(held.failed_at));
                binds.push(micros(held.retry_at));
                binds.push(held.seen.local.map(Version::get));
                binds.push(held.seen.remote.map(micros));
            },
        )
        .await
        .map(|_| ())
        .map_err(failed("set records aside"))
}

pub(crate) async fn release(connection: &mut SqliteConnection, scope: i64, records: &[RecordId]) -> Result<()> {
    for (side, ids) in by_side(records) {
        let share = |binds: &mut Binds| {
            binds.push(scope);
            binds.push(side);
        };
        let done = RELEASE.execute(&mut *connection, share, ids.into_iter(), |binds, id| binds.push(id)).await;
        done.map_err(failed("take records out of quarantine"))?;
    }
    Ok(())
}

/// Records by the number of their side, each once: two statements over one list must not find a record twice.
fn by_side(records: &[RecordId]) -> impl Iterator<Item = (i64, Vec<&str>)> {
    [Side::Local, Side::Remote].into_iter().filter_map(|side| {
        let mut ids: Vec<&str> = records.iter().filter(|record| record.side() == side).map(RecordId::as_str).collect();
        ids.sort_unstable();
        ids.dedup();
        (!ids.is_empty()).then_some((side_number(side), ids))
    })
}

/// Makes records due at `at`, and says how many they are.
pub(crate) async fn retry_now(
    connection: &mut SqliteConnection,
    scope: i64,
    which: &Retried,
    at: DateTime<Utc>,
) -> Result<u64> {
    let written = match which {
        Retried::All => sqlx::query("UPDATE abmatic_quarantine SET retry_at = MIN(retry_at, ?1) WHERE scope = ?2")
            .bind(micros(at))
            .bind(scope)
            .execute(connection)
            .await
            .map(|done| done.rows_affected()),
        Retried::Of(records) => {
            let mut due = 0;
            for (side, ids) in by_side(records) {
                let share = |binds: &mut Binds| {
                    binds.push(micros(at));
                    binds.push(scope);
                    binds.push(side);
                };
                let done = RETRY.execute(&mut *connection, share, ids.into_iter(), |binds, id| binds.push(id)).await;
                due += done.map_err(failed("make records due"))?.rows;
            }
            Ok(due)
        }
        // Choices that a later core may know.
        _ => Ok(0),
    };
    written.map_err(failed("make records due"))
}
