//! Links with their bases, one row each.

use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::{LocalId, RemoteId};
use abmatic_sync_core::model::link::Link;
use abmatic_sync_core::model::record::Version;
use abmatic_sync_core::store::state::LinkEnds;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::batch::Batch;
use crate::failure::failed;
use crate::text::{from_json, micros, side_number, side_of, time, to_json};

static BY_LOCAL: Batch = Batch::new(
    "SELECT local_id, remote_id, local_version, remote_modified_at, base, waiting_for, gone FROM abmatic_link
     WHERE scope = ? AND local_id IN (",
    "?",
    ")",
);

static BY_REMOTE: Batch = Batch::new(
    "SELECT local_id, remote_id, local_version, remote_modified_at, base, waiting_for, gone FROM abmatic_link
     WHERE scope = ? AND remote_id IN (",
    "?",
    ")",
);

const WAITING: &str =
    "SELECT local_id, remote_id, local_version, remote_modified_at, base, waiting_for, gone FROM abmatic_link
     WHERE scope = ?1 AND waiting_for IS NOT NULL AND local_id > ?2 ORDER BY local_id LIMIT ?3";

const ALL: &str =
    "SELECT local_id, remote_id, local_version, remote_modified_at, base, waiting_for, gone FROM abmatic_link
     WHERE scope = ?1 AND local_id > ?2 ORDER BY local_id LIMIT ?3";

static KEEP: Batch = Batch::new(
    "INSERT OR REPLACE INTO abmatic_link
     (scope, local_id, remote_id, local_version, remote_modified_at, base, waiting_for, gone) VALUES ",
    "(?,?,?,?,?,?,?,?)",
    "",
);

static FORGET: Batch =
    Batch::new("DELETE FROM abmatic_link WHERE scope = ? AND (local_id, remote_id) IN (VALUES ", "(?,?)", ")");

pub(crate) async fn find(connection: &mut SqliteConnection, scope: i64, ends: &LinkEnds) -> Result<Vec<Link>> {
    let share = |binds: &mut crate::batch::Binds| binds.push(scope);
    let rows = match ends {
        LinkEnds::Local(ids) => {
            let ids = sorted(ids.iter().map(LocalId::as_str));
            BY_LOCAL.fetch(connection, share, &ids, |binds, id| binds.push(id)).await
        }
        LinkEnds::Remote(ids) => {
            let ids = sorted(ids.iter().map(RemoteId::as_str));
            BY_REMOTE.fetch(connection, share, &ids, |binds, id| binds.push(id)).await
        }
        LinkEnds::All { after, limit } => page(ALL, connection, scope, (after.as_ref(), *limit)).await,
        LinkEnds::Waiting { after, limit } => page(WAITING, connection, scope, (after.as_ref(), *limit)).await,
        // Ends that a later core may know.
        _ => Ok(Vec::new()),
    };
    rows.map_err(failed("look links up"))?.iter().map(link).collect()
}

async fn page(
    query: &'static str,
    connection: &mut SqliteConnection,
    scope: i64,
    (after, limit): (Option<&LocalId>, usize),
) -> sqlx::Result<Vec<SqliteRow>> {
    let query = sqlx::query(query).bind(scope).bind(after.map_or("", LocalId::as_str));
    query.bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all(connection).await
}

/// Each id once: two statements over one list must not find a link twice.
fn sorted<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut ids: Vec<&str> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn link(row: &SqliteRow) -> Result<Link> {
    let read = |error| failed("read a link")(error);
    let local_id = LocalId::from(row.try_get::<&str, _>(0).map_err(read)?);
    let remote_id = RemoteId::from(row.try_get::<&str, _>(1).map_err(read)?);
    let mut link = Link::new(local_id, remote_id);
    link.local_version = row.try_get::<Option<i64>, _>(2).map_err(read)?.map(Version::new);
    link.remote_modified_at = row.try_get::<Option<i64>, _>(3).map_err(read)?.map(time);
    link.base = from_json("a link's base", row.try_get(4).map_err(read)?)?;
    if let Some(awaited) = row.try_get::<Option<&str>, _>(5).map_err(read)? {
        link.waiting_for = from_json("what a link waits for", awaited)?;
    }
    link.gone = row.try_get::<Option<i64>, _>(6).map_err(read)?.map(side_of);
    Ok(link)
}

pub(crate) async fn keep(connection: &mut SqliteConnection, scope: i64, links: &[Link]) -> Result<()> {
    let texts = links.iter().map(texts).collect::<Result<Vec<_>>>()?;
    let rows = links.iter().zip(texts);
    KEEP.execute(
        connection,
        |_| {},
        rows,
        |binds, (link, (base, waiting_for))| {
            binds.push(scope);
            binds.push(link.local_id.as_str());
            binds.push(link.remote_id.as_str());
            binds.push(link.local_version.map(Version::get));
            binds.push(link.remote_modified_at.map(micros));
            binds.push(base);
            binds.push(waiting_for);
            binds.push(link.gone.map(side_number));
        },
    )
    .await
    .map(|_| ())
    .map_err(failed("keep links"))
}

fn texts(link: &Link) -> Result<(String, Option<String>)> {
    let waiting_for = if link.waiting_for.is_empty() { None } else { Some(to_json(&link.waiting_for)?) };
    Ok((to_json(&link.base)?, waiting_for))
}

pub(crate) async fn forget(connection: &mut SqliteConnection, scope: i64, links: &[(LocalId, RemoteId)]) -> Result<()> {
    FORGET
        .execute(
            connection,
            |binds| binds.push(scope),
            links.iter(),
            |binds, (local_id, remote_id)| {
                binds.push(local_id.as_str());
                binds.push(remote_id.as_str());
            },
        )
        .await
        .map(|_| ())
        .map_err(failed("forget links"))
}

pub(crate) async fn count(connection: &mut SqliteConnection, scope: i64) -> Result<u64> {
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM abmatic_link WHERE scope = ?1").bind(scope);
    let count: i64 = count.fetch_one(connection).await.map_err(failed("count links"))?;
    Ok(count.unsigned_abs())
}
