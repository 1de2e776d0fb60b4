//! Records that were made just as a CRM holds them: record, link and line of the log in one row, until one of them changes.
//!
//! An import writes millions of them. Apart, the three would hold every value three times and change ten indexes instead of
//! five.

use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::{LocalId, RemoteId};
use abmatic_sync_core::model::link::Link;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::store::page::Birth;
use abmatic_sync_core::store::records::LocalOutcome;
use abmatic_sync_core::store::state::LinkEnds;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::batch::Batch;
use crate::failure::failed;
use crate::host_fields;
use crate::keys::{NewKeys, RecentKeys};
use crate::links::{self, LinkScopes};
use crate::log::{Lines, nth};
use crate::records::{self, NewRecord};
use crate::text::{changes_to_json, micros, to_json};

static INSERT: Batch = Batch::new(
    "INSERT OR FAIL INTO abmatic_record
     (scope, id, match_key, version, created_at, modified_at, fields, link_scope, remote_id, remote_modified_at, waiting_for,
      log_scope, log_line, run, more_changes) VALUES ",
    "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    " ON CONFLICT (scope, id) DO NOTHING",
);

static BY_LOCAL: Batch = Batch::new(
    "SELECT id, remote_id, version, remote_modified_at, '{\"l\":' || fields || '}', waiting_for, NULL FROM abmatic_record
     WHERE +link_scope = ? AND scope = ? AND id IN (",
    "?",
    ")",
);

static BY_REMOTE: Batch = Batch::new(
    "SELECT id, remote_id, version, remote_modified_at, '{\"l\":' || fields || '}', waiting_for, NULL FROM abmatic_record
     WHERE link_scope = ? AND remote_id IN (",
    "?",
    ")",
);

const ALL: &str =
    "SELECT id, remote_id, version, remote_modified_at, '{\"l\":' || fields || '}', waiting_for, NULL FROM abmatic_record
     WHERE +link_scope = ?1 AND scope = ?2 AND id > ?3 ORDER BY id LIMIT ?4";

const WAITING: &str =
    "SELECT id, remote_id, version, remote_modified_at, '{\"l\":' || fields || '}', waiting_for, NULL FROM abmatic_record
     WHERE link_scope = ?1 AND +scope = ?2 AND waiting_for IS NOT NULL AND id > ?3 ORDER BY id LIMIT ?4";

static ROWS_BY_LOCAL: Batch =
    Batch::new("SELECT row_id FROM abmatic_record WHERE +link_scope = ? AND scope = ? AND id IN (", "?", ")");

static ROWS_BY_REMOTE: Batch =
    Batch::new("SELECT row_id FROM abmatic_record WHERE link_scope = ? AND remote_id IN (", "?", ")");

static LINKS_OUT: Batch = Batch::new(
    "INSERT INTO abmatic_link (scope, local_id, remote_id, local_version, remote_modified_at, base, waiting_for)
     SELECT link_scope, id, remote_id, version, remote_modified_at, '{\"l\":' || fields || '}', waiting_for
     FROM abmatic_record WHERE row_id IN (",
    "?",
    ")",
);

static LINES_OUT: Batch = Batch::new(
    "INSERT INTO abmatic_log (id, scope, run, status, direction, at, local_id, remote_id, message, changes)
     SELECT log_line, log_scope, run, 1, 1, created_at, id, remote_id, 'created here',
            '[{\"d\":\"to_abmatic\",\"r\":\"new_record\",\"f\":' || fields || '}' ||
            CASE WHEN more_changes IS NULL THEN ']' ELSE ',' || substr(more_changes, 2) END
     FROM abmatic_record WHERE row_id IN (",
    "?",
    ")",
);

static RECORDS_ONLY: Batch = Batch::new(
    "UPDATE abmatic_record SET link_scope = NULL, remote_id = NULL, remote_modified_at = NULL, waiting_for = NULL,
     log_scope = NULL, log_line = NULL, run = NULL, more_changes = NULL WHERE row_id IN (",
    "?",
    ")",
);

/// Writes births within a transaction, one outcome for each. The new keys are remembered once it is committed.
pub(crate) async fn write(
    connection: &mut SqliteConnection,
    (scopes, resource): (LinkScopes, Resource),
    lines: &Lines<'_>,
    births: &[&Birth],
    recent: &RecentKeys,
) -> Result<(Vec<LocalOutcome>, NewKeys)> {
    if births.is_empty() {
        return Ok((Vec::new(), NewKeys::default()));
    }
    let version = records::next_version(connection, births.len()).await?;
    let line = lines.take(connection, births.len()).await?;
    let mut texts = Vec::with_capacity(births.len());
    for birth in births {
        let waiting_for = links::awaited_to_json(&birth.waiting_for)?;
        texts.push((to_json(&birth.fields)?, waiting_for, changes_to_json(&birth.log.changes)?));
    }
    let keys: Vec<_> = births.iter().map(|birth| host_fields::match_key(resource, &birth.fields)).collect();
    let rows = births.iter().zip(&keys).zip(texts).enumerate();
    let written = INSERT
        .execute(
            connection,
            |_| {},
            rows,
            |binds, (place, ((birth, key), (fields, waiting_for, more_changes)))| {
                binds.push(scopes.records);
                binds.push(birth.id.to_shared());
                binds.push(key.as_deref());
                binds.push(nth(version, place));
                binds.push(micros(birth.log.at));
                binds.push(micros(birth.log.at));
                binds.push(fields);
                binds.push(scopes.links);
                binds.push(birth.remote_id.to_shared());
                binds.push(birth.remote_modified_at.map(micros));
                binds.push(waiting_for);
                binds.push(lines.scope_of(&birth.log));
                binds.push(nth(line, place));
                binds.push(lines.run());
                binds.push(more_changes);
            },
        )
        .await
        .map_err(failed("insert records"))?;
    let new: Vec<NewRecord<'_>> =
        births.iter().zip(version..).map(|(birth, version)| NewRecord { id: &birth.id, version }).collect();
    let (outcomes, mut keys) = records::inserted(connection, scopes.records, &new, written, &keys).await?;
    recent.settle(connection, &mut keys).await?;
    let is_made = |outcome: &LocalOutcome| matches!(outcome, LocalOutcome::Written(_));
    let made = births.iter().zip(&outcomes).filter(|(_, outcome)| is_made(outcome));
    let remote: Vec<&str> = made.map(|(birth, _)| birth.remote_id.as_str()).collect();
    links::forget_remote(connection, scopes, &remote).await?;
    Ok((outcomes, keys))
}

/// The links of births, in the order of their local ids where a page of them is asked for.
pub(crate) async fn find(
    connection: &mut SqliteConnection,
    scopes: LinkScopes,
    ends: &LinkEnds,
) -> sqlx::Result<Vec<SqliteRow>> {
    match ends {
        LinkEnds::Local(ids) => {
            let ids = links::sorted(ids.iter().map(LocalId::as_str));
            BY_LOCAL.fetch(connection, |binds| scopes.bind(binds), &ids, |binds, id| binds.push(id)).await
        }
        LinkEnds::Remote(ids) => {
            let ids = links::sorted(ids.iter().map(RemoteId::as_str));
            BY_REMOTE.fetch(connection, |binds| binds.push(scopes.links), &ids, |binds, id| binds.push(id)).await
        }
        LinkEnds::All { after, limit } => page(ALL, connection, scopes, (after.as_ref(), *limit)).await,
        LinkEnds::Waiting { after, limit } => page(WAITING, connection, scopes, (after.as_ref(), *limit)).await,
        // Ends that a later core may know.
        _ => Ok(Vec::new()),
    }
}

async fn page(
    query: &'static str,
    connection: &mut SqliteConnection,
    scopes: LinkScopes,
    (after, limit): (Option<&LocalId>, usize),
) -> sqlx::Result<Vec<SqliteRow>> {
    let query = sqlx::query(query).bind(scopes.links).bind(scopes.records).bind(after.map_or("", LocalId::as_str));
    query.bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all(connection).await
}

pub(crate) async fn count(connection: &mut SqliteConnection, scopes: LinkScopes) -> Result<i64> {
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM abmatic_record WHERE link_scope = ?1").bind(scopes.links);
    count.fetch_one(connection).await.map_err(failed("count links"))
}

/// Moves the links of births under these local or remote ids to their own table, before they change.
pub(crate) async fn part_links(
    connection: &mut SqliteConnection,
    scopes: LinkScopes,
    (local, remote): (&[&str], &[&str]),
) -> Result<()> {
    let by_local = ROWS_BY_LOCAL.fetch(connection, |binds| scopes.bind(binds), local, |binds, id| binds.push(id)).await;
    let by_remote =
        ROWS_BY_REMOTE.fetch(connection, |binds| binds.push(scopes.links), remote, |binds, id| binds.push(id)).await;
    let found = [by_local.map_err(failed("look links up"))?, by_remote.map_err(failed("look links up"))?];
    let rows: sqlx::Result<Vec<i64>> = found.iter().flatten().map(|row| row.try_get(0)).collect();
    part(connection, rows.map_err(failed("look links up"))?).await
}

/// Moves link and line of births to their own tables, before one of the three changes.
pub(crate) async fn part(connection: &mut SqliteConnection, mut rows: Vec<i64>) -> Result<()> {
    rows.sort_unstable();
    rows.dedup();
    for batch in [&LINKS_OUT, &LINES_OUT, &RECORDS_ONLY] {
        let moved = batch.execute(connection, |_| {}, rows.iter(), |binds, row| binds.push(*row)).await;
        moved.map_err(failed("move links"))?;
    }
    Ok(())
}

/// The two parts of a page of links as one, in the order of their local ids.
pub(crate) fn merged(mut links: Vec<Link>, births: Vec<Link>, limit: usize) -> Vec<Link> {
    if !births.is_empty() {
        links.extend(births);
        links.sort_by(|a, b| a.local_id.cmp(&b.local_id));
        links.truncate(limit);
    }
    links
}
