//! Links with their bases, one row each.

use std::collections::BTreeSet;

use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::{LocalId, RemoteId};
use abmatic_sync_core::model::link::{Awaited, Link};
use abmatic_sync_core::model::record::Version;
use abmatic_sync_core::store::state::LinkEnds;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::batch::{Batch, Binds};
use crate::births;
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

static FORGET_REMOTE: Batch = Batch::new("DELETE FROM abmatic_link WHERE scope = ? AND remote_id IN (", "?", ")");

/// The numbers of a link's scope and of its local records' scope.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkScopes {
    pub(crate) links: i64,
    /// None where no record was ever stored.
    pub(crate) records: Option<i64>,
}

impl LinkScopes {
    pub(crate) fn bind(self, binds: &mut Binds) {
        binds.push(self.links);
        binds.push(self.records);
    }
}

pub(crate) async fn find(connection: &mut SqliteConnection, scopes: LinkScopes, ends: &LinkEnds) -> Result<Vec<Link>> {
    let share = |binds: &mut Binds| binds.push(scopes.links);
    let rows = match ends {
        LinkEnds::Local(ids) => {
            let ids = sorted(ids.iter().map(LocalId::as_str));
            BY_LOCAL.fetch(connection, share, &ids, |binds, id| binds.push(id)).await
        }
        LinkEnds::Remote(ids) => {
            let ids = sorted(ids.iter().map(RemoteId::as_str));
            BY_REMOTE.fetch(connection, share, &ids, |binds, id| binds.push(id)).await
        }
        LinkEnds::All { after, limit } => page(ALL, connection, scopes.links, (after.as_ref(), *limit)).await,
        LinkEnds::Waiting { after, limit } => page(WAITING, connection, scopes.links, (after.as_ref(), *limit)).await,
        // Ends that a later core may know.
        _ => Ok(Vec::new()),
    };
    let kept = rows.map_err(failed("look links up"))?.iter().map(link).collect::<Result<Vec<Link>>>()?;
    let born = births::find(connection, scopes, ends).await.map_err(failed("look links up"))?;
    let born = born.iter().map(link).collect::<Result<Vec<Link>>>()?;
    let limit = match ends {
        LinkEnds::All { limit, .. } | LinkEnds::Waiting { limit, .. } => *limit,
        _ => usize::MAX,
    };
    Ok(births::merged(kept, born, limit))
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
pub(crate) fn sorted<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
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

pub(crate) async fn keep(connection: &mut SqliteConnection, scopes: LinkScopes, links: &[Link]) -> Result<()> {
    let (local, remote): (Vec<&str>, Vec<&str>) =
        links.iter().map(|link| (link.local_id.as_str(), link.remote_id.as_str())).unzip();
    births::part_links(connection, scopes, (&local, &remote)).await?;
    let texts = links.iter().map(texts).collect::<Result<Vec<_>>>()?;
    let rows = links.iter().zip(texts);
    KEEP.execute(
        connection,
        |_| {},
        rows,
        |binds, (link, (base, waiting_for))| {
            binds.push(scopes.links);
            binds.push(link.local_id.to_shared());
            binds.push(link.remote_id.to_shared());
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
    Ok((to_json(&link.base)?, awaited_to_json(&link.waiting_for)?))
}

/// What a link waits for; nothing where there is none.
pub(crate) fn awaited_to_json(awaited: &BTreeSet<Awaited>) -> Result<Option<String>> {
    if awaited.is_empty() { Ok(None) } else { to_json(awaited).map(Some) }
}

pub(crate) async fn forget(
    connection: &mut SqliteConnection,
    scopes: LinkScopes,
    links: &[(LocalId, RemoteId)],
) -> Result<()> {
    let local: Vec<&str> = links.iter().map(|(local_id, _)| local_id.as_str()).collect();
    births::part_links(connection, scopes, (&local, &[])).await?;
    FORGET
        .execute(
            connection,
            |binds| binds.push(scopes.links),
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

/// Forgets links of records that are about to have others.
pub(crate) async fn forget_remote(
    connection: &mut SqliteConnection,
    scopes: LinkScopes,
    remote: &[&str],
) -> Result<()> {
    FORGET_REMOTE
        .execute(connection, |binds| binds.push(scopes.links), remote.iter(), |binds, id| binds.push(*id))
        .await
        .map(|_| ())
        .map_err(failed("forget links"))
}

pub(crate) async fn count(connection: &mut SqliteConnection, scopes: LinkScopes) -> Result<u64> {
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM abmatic_link WHERE scope = ?1").bind(scopes.links);
    let kept: i64 = count.fetch_one(&mut *connection).await.map_err(failed("count links"))?;
    let born = births::count(connection, scopes).await?;
    Ok((kept + born).unsigned_abs())
}
