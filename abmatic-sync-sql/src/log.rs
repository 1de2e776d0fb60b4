//! The log: written with each page, asked by run, record, resource, status, direction, code and time.

use std::collections::BTreeMap;

use abmatic_sync_core::error::{ErrorCode, Result};
use abmatic_sync_core::ids::{ConnectionId, LocalId, RemoteId, RunId, TenantId};
use abmatic_sync_core::model::change::Direction;
use abmatic_sync_core::model::journal::{LogEntry, Status};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::store::state::LogQuery;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use crate::batch::Batch;
use crate::failure::{failed, unreadable};
use crate::runs;
use crate::scopes::ScopeKey;
use crate::store::SqliteStore;
use crate::text::{changes_from_json, changes_to_json, micros, time, word};

static WRITE: Batch = Batch::new(
    "INSERT OR FAIL INTO abmatic_log (scope, run, status, direction, at, local_id, remote_id, code, message, changes) VALUES ",
    "(?,?,?,?,?,?,?,?,?,?)",
    "",
);

/// The scopes of a page's log entries, mostly one.
#[derive(Debug, Default)]
pub(crate) struct LogScopes(Vec<(ConnectionId, Resource, i64)>);

impl LogScopes {
    fn of(&self, entry: &LogEntry) -> Option<i64> {
        let found = self
            .0
            .iter()
            .find(|(connection, resource, _)| *resource == entry.resource && *connection == entry.connection);
        found.map(|(.., scope)| *scope)
    }
}

impl SqliteStore {
    /// The scopes that `entries` are to be written in.
    pub(crate) async fn log_scopes<'a>(
        &self,
        tenant: &TenantId,
        entries: impl Iterator<Item = &'a LogEntry> + Send,
    ) -> Result<LogScopes> {
        let mut scopes = LogScopes::default();
        let new: Vec<&LogEntry> = {
            let mut seen = Vec::<&LogEntry>::new();
            for entry in entries {
                let same = |other: &&LogEntry| other.resource == entry.resource && other.connection == entry.connection;
                if !seen.iter().any(same) {
                    seen.push(entry);
                }
            }
            seen
        };
        for entry in new {
            let key = ScopeKey::log(tenant, &entry.connection, entry.resource);
            scopes.0.push((entry.connection.clone(), entry.resource, self.writing_scope(&key).await?));
        }
        Ok(scopes)
    }
}

/// Writes entries of a tenant; `run` with its number is the one that most of them belong to.
pub(crate) async fn write(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    scopes: &LogScopes,
    (run, number): (&RunId, i64),
    entries: &[LogEntry],
) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut numbers = BTreeMap::from([(run.as_str(), number)]);
    for entry in entries {
        if !numbers.contains_key(entry.run.as_str()) {
            numbers.insert(entry.run.as_str(), runs::number(connection, tenant, &entry.run).await?);
        }
    }
    let changes = entries.iter().map(|entry| changes_to_json(&entry.changes)).collect::<Result<Vec<_>>>()?;
    let rows = entries.iter().zip(changes);
    let written = WRITE.execute(
        connection,
        |_| {},
        rows,
        |binds, (entry, changes)| {
            binds.push(scopes.of(entry));
            binds.push(numbers.get(entry.run.as_str()).copied());
            binds.push(status_number(entry.status));
            binds.push(direction_number(entry.direction));
            binds.push(micros(entry.at));
            binds.push(entry.local_id.as_ref().map(LocalId::as_str));
            binds.push(entry.remote_id.as_ref().map(RemoteId::as_str));
            binds.push(entry.code.map(ErrorCode::as_str));
            binds.push(entry.message.as_str());
            binds.push(changes);
        },
    );
    let written = written.await.map_err(failed("write the log"))?;
    let first = written.last_id - i64::try_from(written.rows).unwrap_or(0) + 1;
    for number in numbers.into_values() {
        runs::extend_log(connection, number, first, written.last_id).await?;
    }
    Ok(())
}

fn status_number(status: Status) -> i64 {
    match status {
        Status::Created => 1,
        Status::Updated => 2,
        Status::Skipped => 3,
        Status::Failed => 4,
        Status::Deleted => 5,
        // A later core's status is written as none that this one reads.
        _ => 0,
    }
}

fn status_of(number: i64) -> Result<Status> {
    match number {
        1 => Ok(Status::Created),
        2 => Ok(Status::Updated),
        3 => Ok(Status::Skipped),
        4 => Ok(Status::Failed),
        5 => Ok(Status::Deleted),
        other => Err(unreadable("a log entry's status", format!("{other} is none"))),
    }
}

fn direction_number(direction: Direction) -> i64 {
    match direction {
        Direction::ToAbmatic => 1,
        Direction::FromAbmatic => 2,
    }
}

fn direction_of(number: i64) -> Direction {
    if number == 1 { Direction::ToAbmatic } else { Direction::FromAbmatic }
}

/// Which end of the log to begin with, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    /// The newest first, some of them passed over.
    Newest { offset: usize },
    /// The oldest first, those after a line.
    Oldest { after: i64 },
}

/// Up to `limit` entries that the query asks for, each with its line's number.
pub(crate) async fn find(
    connection: &mut SqliteConnection,
    query: &LogQuery,
    order: Order,
    limit: usize,
) -> Result<Vec<(i64, LogEntry)>> {
    let mut sql = QueryBuilder::new(
        "SELECT l.id, r.id, s.connection, s.resource, l.status, l.direction, l.at, l.local_id, l.remote_id, l.code, \
         l.message, l.changes FROM (SELECT * FROM abmatic_log WHERE scope IN (",
    );
    let scopes = scopes(connection, query).await?;
    if scopes.is_empty() {
        return Ok(Vec::new());
    }
    let mut list = sql.separated(", ");
    scopes.into_iter().for_each(|scope| {
        list.push_bind(scope);
    });
    sql.push(")");
    if let Some(run) = &query.run {
        let Some((number, lines)) = runs::log_range(connection, &query.tenant, run).await? else {
            return Ok(Vec::new());
        };
        sql.push(" AND id BETWEEN ").push_bind(*lines.start()).push(" AND ").push_bind(*lines.end());
        sql.push(" AND run = ").push_bind(number);
    }
    push_conditions(&mut sql, query);
    push_order(&mut sql, order, limit);
    let rows = sql.build().fetch_all(connection).await.map_err(failed("read the log"))?;
    rows.iter().map(entry).collect()
}

/// The scopes of a tenant that the query asks about.
async fn scopes(connection: &mut SqliteConnection, query: &LogQuery) -> Result<Vec<i64>> {
    let mut sql = QueryBuilder::new("SELECT id FROM abmatic_scope WHERE tenant = ");
    sql.push_bind(query.tenant.as_str().to_owned()).push(" AND connection <> '' AND remote_resource = ''");
    if let Some(of) = &query.connection {
        sql.push(" AND connection = ").push_bind(of.as_str().to_owned());
    }
    if let Some(resource) = query.resource {
        sql.push(" AND resource = ").push_bind(resource.as_str());
    }
    sql.build_query_scalar().fetch_all(connection).await.map_err(failed("look scopes up"))
}

fn push_conditions(sql: &mut QueryBuilder<Sqlite>, query: &LogQuery) {
    if let Some(id) = &query.local_id {
        sql.push(" AND local_id = ").push_bind(id.as_str().to_owned());
    }
    if let Some(id) = &query.remote_id {
        sql.push(" AND remote_id = ").push_bind(id.as_str().to_owned());
    }
    if let Some(status) = query.status {
        sql.push(" AND status = ").push_bind(status_number(status));
    }
    if let Some(direction) = query.direction {
        sql.push(" AND direction = ").push_bind(direction_number(direction));
    }
    if let Some(code) = query.code {
        sql.push(" AND code = ").push_bind(code.as_str());
    }
    if let Some(since) = query.since {
        sql.push(" AND at >= ").push_bind(micros(since));
    }
    if let Some(until) = query.until {
        sql.push(" AND at < ").push_bind(micros(until));
    }
}

fn push_order(sql: &mut QueryBuilder<Sqlite>, order: Order, limit: usize) {
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let direction = match order {
        Order::Newest { offset } => {
            sql.push(" ORDER BY id DESC LIMIT ").push_bind(number(limit)).push(" OFFSET ").push_bind(number(offset));
            "DESC"
        }
        Order::Oldest { after } => {
            sql.push(" AND id > ").push_bind(after).push(" ORDER BY id LIMIT ").push_bind(number(limit));
            "ASC"
        }
    };
    sql.push(") l JOIN abmatic_run r ON r.seq = l.run JOIN abmatic_scope s ON s.id = l.scope ORDER BY l.id ");
    sql.push(direction);
}

fn entry(row: &SqliteRow) -> Result<(i64, LogEntry)> {
    let read = |error| failed("read a log entry")(error);
    let text = |column: usize| row.try_get::<&str, _>(column).map_err(read);
    let optional = |column: usize| row.try_get::<Option<&str>, _>(column).map_err(read);
    let number = |column: usize| row.try_get::<i64, _>(column).map_err(read);
    let resource = word("a log entry's resource", text(3)?)?;
    let (status, direction) = (status_of(number(4)?)?, direction_of(number(5)?));
    let (run, connection) = (RunId::from(text(1)?), ConnectionId::from(text(2)?));
    let mut entry = LogEntry::new(run, connection, resource, status, direction, time(number(6)?));
    entry.local_id = optional(7)?.map(LocalId::from);
    entry.remote_id = optional(8)?.map(RemoteId::from);
    entry.code = optional(9)?.map(|code| word("a log entry's code", code)).transpose()?;
    text(10)?.clone_into(&mut entry.message);
    entry.changes = changes_from_json(optional(11)?)?;
    Ok((number(0)?, entry))
}
