//! The log: written with each page, asked by run, record, resource, status, direction, code and time.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use abmatic_sync_core::error::{ErrorCode, Result};
use abmatic_sync_core::ids::{ConnectionId, LocalId, RemoteId, RunId, TenantId};
use abmatic_sync_core::model::change::Direction;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::journal::{LogEntry, Status};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::store::page::Birth;
use abmatic_sync_core::store::state::LogQuery;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use crate::batch::Batch;
use crate::failure::{failed, unreadable};
use crate::runs;
use crate::scopes::ScopeKey;
use crate::store::SqliteStore;
use crate::text::{changes_from_json, changes_to_json, from_json, micros, time, word};

static WRITE: Batch = Batch::new(
    "INSERT OR FAIL INTO abmatic_log
     (id, scope, run, status, direction, at, local_id, remote_id, code, message, changes) VALUES ",
    "(?,?,?,?,?,?,?,?,?,?,?)",
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

/// Where a page's lines of the log go.
pub(crate) struct Lines<'a> {
    tenant: &'a TenantId,
    scopes: &'a LogScopes,
    run: &'a RunId,
    number: i64,
}

impl<'a> Lines<'a> {
    /// Lines of the run that the database knows by `number`.
    pub(crate) fn new(tenant: &'a TenantId, scopes: &'a LogScopes, run: &'a RunId, number: i64) -> Self {
        Self { tenant, scopes, run, number }
    }

    /// The run's number.
    pub(crate) fn run(&self) -> i64 {
        self.number
    }

    pub(crate) fn scope_of(&self, entry: &LogEntry) -> Option<i64> {
        self.scopes.of(entry)
    }

    /// Takes `count` lines of the run and gives the first one's number.
    pub(crate) async fn take(&self, connection: &mut SqliteConnection, count: usize) -> Result<i64> {
        let first = next_line(connection, count).await?;
        runs::extend_log(connection, self.number, first, nth(first, count) - 1).await?;
        Ok(first)
    }
}

/// Takes `count` lines and gives the first one's number.
async fn next_line(connection: &mut SqliteConnection, count: usize) -> Result<i64> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let last: i64 = sqlx::query_scalar("UPDATE abmatic_version SET last_line = last_line + ?1 RETURNING last_line")
        .bind(count)
        .fetch_one(connection)
        .await
        .map_err(failed("number the log"))?;
    Ok(last - count + 1)
}

/// The number that comes `place` after `first`.
pub(crate) fn nth(first: i64, place: usize) -> i64 {
    first.saturating_add(number(place))
}

/// Writes entries, most of which belong to the run of `lines`.
pub(crate) async fn write(connection: &mut SqliteConnection, lines: &Lines<'_>, entries: &[LogEntry]) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut numbers = BTreeMap::from([(lines.run.as_str(), lines.number)]);
    for entry in entries {
        if !numbers.contains_key(entry.run.as_str()) {
            numbers.insert(entry.run.as_str(), runs::number(connection, lines.tenant, &entry.run).await?);
        }
    }
    let first = next_line(connection, entries.len()).await?;
    let changes = entries.iter().map(|entry| changes_to_json(&entry.changes)).collect::<Result<Vec<_>>>()?;
    let rows = entries.iter().zip(changes).enumerate();
    let written = WRITE.execute(
        connection,
        |_| {},
        rows,
        |binds, (place, (entry, changes))| {
            binds.push(nth(first, place));
            binds.push(lines.scope_of(entry));
            binds.push(numbers.get(entry.run.as_str()).copied());
            binds.push(status_number(entry.status));
            binds.push(direction_number(entry.direction));
            binds.push(micros(entry.at));
            binds.push(entry.local_id.as_ref().map(LocalId::to_shared));
            binds.push(entry.remote_id.as_ref().map(RemoteId::to_shared));
            binds.push(entry.code.map(ErrorCode::as_str));
            binds.push(entry.message.as_str());
            binds.push(changes);
        },
    );
    written.await.map_err(failed("write the log"))?;
    for number in numbers.into_values() {
        runs::extend_log(connection, number, first, nth(first, entries.len()) - 1).await?;
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
    let scopes = scopes(connection, query).await?;
    let mut of_run = None;
    if let Some(run) = &query.run {
        of_run = runs::log_range(connection, &query.tenant, run).await?;
    }
    if scopes.is_empty() || (query.run.is_some() && of_run.is_none()) {
        return Ok(Vec::new());
    }
    let mut sql = QueryBuilder::new(
        "SELECT l.line, r.id, s.connection, s.resource, l.status, l.direction, l.at, l.local_id, l.remote_id, l.code, \
         l.message, l.changes, l.fields FROM (",
    );
    let places = [Place::LOG, Place::BIRTHS];
    for (number, place) in places.iter().filter(|place| place.may_hold(query)).enumerate() {
        sql.push(if number == 0 { "" } else { " UNION ALL " }).push("SELECT * FROM (");
        place.push_select(&mut sql, query, &scopes, of_run.as_ref());
        place.push_order(&mut sql, order, limit);
        sql.push(")");
    }
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

/// A run's number and the lines between which its own stand.
type OfRun = (i64, RangeInclusive<i64>);

/// Where lines of the log stand, and what their columns are called there.
struct Place {
    select: &'static str,
    line: &'static str,
    scope: &'static str,
    at: &'static str,
    local_id: &'static str,
    /// What else the scopes of a record have to be, where an id is looked for.
    of_local_id: &'static str,
    of_remote_id: &'static str,
}

impl Place {
    const LOG: Self = Self {
        select: "SELECT id AS line, scope, run, status, direction, at, local_id, remote_id, code, message, changes, \
                 NULL AS fields FROM abmatic_log",
        line: "id",
        scope: "scope",
        at: "at",
        local_id: "local_id",
        of_local_id: "",
        of_remote_id: "",
    };

    /// All of them are created records of the host's, without a code.
    const BIRTHS: Self = Self {
        select: "SELECT log_line, log_scope, run, 1 AS status, 1 AS direction, created_at, id, remote_id, NULL AS code, \
                 'created here', more_changes, fields FROM abmatic_record",
        line: "log_line",
        scope: "log_scope",
        at: "created_at",
        local_id: "id",
        of_local_id: " AND scope IN (SELECT id FROM abmatic_scope WHERE connection = '' AND tenant = ",
        of_remote_id: " AND link_scope IN (SELECT id FROM abmatic_scope WHERE remote_resource <> '' AND tenant = ",
    };

    fn may_hold(&self, query: &LogQuery) -> bool {
        self.scope == Self::LOG.scope
            || (query.status.is_none_or(|status| status == Status::Created)
                && query.direction.is_none_or(|direction| direction == Direction::ToAbmatic)
                && query.code.is_none())
    }

    fn push_select(&self, sql: &mut QueryBuilder<Sqlite>, query: &LogQuery, scopes: &[i64], of_run: Option<&OfRun>) {
        let by_id = query.local_id.is_some() || query.remote_id.is_some();
        // The scope's index is of no use where an id is given.
        sql.push(self.select).push(if by_id { " WHERE +" } else { " WHERE " }).push(self.scope).push(" IN (");
        let mut list = sql.separated(", ");
        scopes.iter().for_each(|scope| {
            list.push_bind(*scope);
        });
        sql.push(")");
        if let Some((number, lines)) = of_run {
            sql.push(" AND ").push(self.line).push(" BETWEEN ").push_bind(*lines.start());
            sql.push(" AND ").push_bind(*lines.end()).push(" AND run = ").push_bind(*number);
        }
        if let Some(id) = &query.local_id {
            self.push_id(sql, (self.local_id, self.of_local_id), id.as_str(), query);
        }
        if let Some(id) = &query.remote_id {
            self.push_id(sql, ("remote_id", self.of_remote_id), id.as_str(), query);
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
            sql.push(" AND ").push(self.at).push(" >= ").push_bind(micros(since));
        }
        if let Some(until) = query.until {
            sql.push(" AND ").push(self.at).push(" < ").push_bind(micros(until));
        }
    }

    fn push_id(&self, sql: &mut QueryBuilder<Sqlite>, (column, of): (&str, &str), id: &str, query: &LogQuery) {
        sql.push(" AND ").push(column).push(" = ").push_bind(id.to_owned());
        if !of.is_empty() {
            sql.push(of).push_bind(query.tenant.as_str().to_owned()).push(")");
        }
    }

    /// As many as may be wanted of this place alone.
    fn push_order(&self, sql: &mut QueryBuilder<Sqlite>, order: Order, limit: usize) {
        match order {
            Order::Newest { offset } => {
                sql.push(" ORDER BY ").push(self.line).push(" DESC LIMIT ");
                sql.push_bind(number(limit.saturating_add(offset)));
            }
            Order::Oldest { after } => {
                sql.push(" AND ").push(self.line).push(" > ").push_bind(after);
                sql.push(" ORDER BY ").push(self.line).push(" LIMIT ").push_bind(number(limit));
            }
        }
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The lines of all places in their order, with the names of their runs and scopes.
fn push_order(sql: &mut QueryBuilder<Sqlite>, order: Order, limit: usize) {
    sql.push(") l JOIN abmatic_run r ON r.seq = l.run JOIN abmatic_scope s ON s.id = l.scope ORDER BY l.line ");
    match order {
        Order::Newest { offset } => {
            sql.push("DESC LIMIT ").push_bind(number(limit)).push(" OFFSET ").push_bind(number(offset));
        }
        Order::Oldest { .. } => {
            sql.push("ASC LIMIT ").push_bind(number(limit));
        }
    }
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
    if let Some(fields) = optional(12)? {
        let fields: Fields = from_json("a record's fields", fields)?;
        entry.changes = fields.iter().filter_map(|(field, value)| Birth::change(field, value)).collect();
    }
    entry.changes.extend(changes_from_json(optional(11)?)?);
    Ok((number(0)?, entry))
}
