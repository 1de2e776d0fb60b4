//! The host's records in the embedded store: looked up and written many at a time, never one statement a row.

use std::collections::{BTreeMap, HashMap};

use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::{FieldName, LocalId, TenantId};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::record::{LocalRecord, Version};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::Schema;
use abmatic_sync_core::store::records::{KeyedRecord, LocalOutcome, LocalWrite, RecordStore};
use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::batch::{Batch, Written};
use crate::dialect::sqlite::Durability;
use crate::failure::failed;
use crate::held;
use crate::host_fields;
use crate::keys::{NewKeys, RecentKeys};
use crate::scopes::ScopeKey;
use crate::store::SqliteStore;
use crate::text::{edits_to_json, from_json, micros, time, to_json};

pub(crate) static BY_ID: Batch = Batch::new(
    "SELECT id, version, created_at, modified_at, fields, edited_at, deleted, row_id, link_scope FROM abmatic_record
     WHERE scope = ? AND id IN (",
    "?",
    ")",
);

static VERSIONS: Batch = Batch::new("SELECT id, version FROM abmatic_record WHERE scope = ? AND id IN (", "?", ")");

static INSERT: Batch = Batch::new(
    "INSERT OR FAIL INTO abmatic_record (scope, id, match_key, version, created_at, modified_at, fields, edited_at) VALUES ",
    "(?,?,?,?,?,?,?,?)",
    " ON CONFLICT (scope, id) DO NOTHING",
);

#[async_trait]
impl RecordStore for SqliteStore {
    fn schema(&self, resource: Resource) -> Schema {
        host_fields::schema(resource)
    }

    async fn read(&self, tenant: &TenantId, resource: Resource, ids: &[LocalId]) -> Result<Vec<LocalRecord>> {
        let mut connection = self.page_reader().await?;
        let Some(scope) = self.scopes().find(&mut *connection, &ScopeKey::records(tenant, resource)).await? else {
            return Ok(Vec::new());
        };
        let ids: Vec<&str> = ids.iter().map(LocalId::as_str).collect();
        let rows = BY_ID.fetch(&mut connection, |binds| binds.push(scope), &ids, |binds, id| binds.push(id));
        let records = rows.await.map_err(failed("read records"))?.iter().map(record).collect::<Result<_>>()?;
        Ok(distinct(records))
    }

    async fn find(&self, tenant: &TenantId, resource: Resource, keys: &[String]) -> Result<Vec<KeyedRecord>> {
        let mut connection = self.page_reader().await?;
        let Some(scope) = self.scopes().find(&mut *connection, &ScopeKey::records(tenant, resource)).await? else {
            return Ok(Vec::new());
        };
        let mut keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        keys.sort_unstable();
        keys.dedup();
        let rows = self.keys().find(&mut connection, scope, &keys).await?;
        let mut found = rows.iter().map(keyed_record).collect::<Result<Vec<KeyedRecord>>>()?;
        let age = |found: &KeyedRecord| (found.key.clone(), found.record.created_at, found.record.id.clone());
        found.sort_by_cached_key(age);
        found.dedup_by(|a, b| a.record.id == b.record.id);
        // A recent record with another key of the same hash.
        found.retain(|found| keys.binary_search(&found.key.as_str()).is_ok());
        Ok(found)
    }

    async fn changed_since(
        &self,
        tenant: &TenantId,
        resource: Resource,
        after: Option<Version>,
        limit: usize,
    ) -> Result<Vec<LocalRecord>> {
        let mut connection = self.reader().await?;
        let Some(scope) = self.scopes().find(&mut *connection, &ScopeKey::records(tenant, resource)).await? else {
            return Ok(Vec::new());
        };
        let rows = sqlx::query(
            "SELECT id, version, created_at, modified_at, fields, edited_at, deleted FROM abmatic_record
             WHERE scope = ?1 AND version > ?2 ORDER BY version LIMIT ?3",
        )
        .bind(scope)
        .bind(after.map_or(0, Version::get))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = rows.fetch_all(&mut *connection).await.map_err(failed("read changed records"))?;
        rows.iter().map(record).collect()
    }

    async fn count(&self, tenant: &TenantId, resource: Resource) -> Result<u64> {
        let mut connection = self.reader().await?;
        let Some(scope) = self.scopes().find(&mut *connection, &ScopeKey::records(tenant, resource)).await? else {
            return Ok(0);
        };
        let count = sqlx::query_scalar("SELECT COUNT(*) FROM abmatic_record WHERE scope = ?1 AND deleted IS NULL");
        let count: i64 = count.bind(scope).fetch_one(&mut *connection).await.map_err(failed("count records"))?;
        Ok(count.unsigned_abs())
    }

    async fn upsert(&self, tenant: &TenantId, resource: Resource, writes: &[LocalWrite]) -> Result<Vec<LocalOutcome>> {
        let scope = self.writing_records(tenant, resource).await?;
        let mut transaction = self.begin(Durability::Flushed).await?;
        let writes: Vec<&LocalWrite> = writes.iter().collect();
        let (outcomes, keys) = write(&mut transaction, scope, resource, &writes, self.keys()).await?;
        transaction.commit().await.map_err(failed("commit records"))?;
        self.keys().add(keys);
        Ok(outcomes)
    }
}

/// One of each id: an id that was asked for twice, over two statements, gives its record once.
fn distinct(mut records: Vec<LocalRecord>) -> Vec<LocalRecord> {
    records.sort_by(|a, b| a.id.cmp(&b.id));
    records.dedup_by(|a, b| a.id == b.id);
    records
}

/// A row of the seven columns that every query of records begins with.
pub(crate) fn record(row: &SqliteRow) -> Result<LocalRecord> {
    let read = |error| failed("read a record")(error);
    let fields: Fields = from_json("a record's fields", row.try_get(4).map_err(read)?)?;
    let version = Version::new(row.try_get(1).map_err(read)?);
    let created_at = time(row.try_get(2).map_err(read)?);
    let mut record = LocalRecord::new(row.try_get::<&str, _>(0).map_err(read)?, fields, version, created_at);
    record.modified_at = time(row.try_get(3).map_err(read)?);
    record.deleted = row.try_get::<Option<i64>, _>(6).map_err(read)?.is_some();
    if let Some(edits) = row.try_get::<Option<&str>, _>(5).map_err(read)? {
        // What was never edited is as old as the record.
        record.edited_at = record.fields.iter().map(|(name, _)| (name.clone(), created_at)).collect();
        let edits: BTreeMap<FieldName, i64> = from_json("a record's edit times", edits)?;
        record.edited_at.extend(edits.into_iter().map(|(name, at)| (name, time(at))));
    }
    Ok(record)
}

/// One record within a transaction.
pub(crate) async fn read(connection: &mut SqliteConnection, scope: i64, id: &LocalId) -> Result<Option<LocalRecord>> {
    let rows = BY_ID.fetch(connection, |binds| binds.push(scope), &[id.as_str()], |binds, id| binds.push(id)).await;
    rows.map_err(failed("read a record"))?.first().map(record).transpose()
}

fn keyed_record(row: &SqliteRow) -> Result<KeyedRecord> {
    let key: &str = row.try_get(7).map_err(failed("read a record"))?;
    Ok(KeyedRecord::new(key, record(row)?))
}

/// Writes records within a transaction, one outcome for each. The new keys are remembered once it is committed.
pub(crate) async fn write(
    connection: &mut SqliteConnection,
    scope: i64,
    resource: Resource,
    writes: &[&LocalWrite],
    recent: &RecentKeys,
) -> Result<(Vec<LocalOutcome>, NewKeys)> {
    if writes.is_empty() {
        return Ok((Vec::new(), NewKeys::default()));
    }
    let mut version = next_version(connection, writes.len()).await?;
    let mut creates = Vec::new();
    let mut updates = Vec::new();
    for (place, write) in writes.iter().enumerate() {
        match write.expected {
            None => creates.push((place, *write, version)),
            Some(expected) => updates.push((place, *write, version, expected)),
        }
        version += 1;
    }
    let mut outcomes = vec![LocalOutcome::Refused; writes.len()];
    let mut keys = insert(connection, scope, resource, &creates, &mut outcomes).await?;
    update(connection, scope, resource, &updates, &mut outcomes).await?;
    recent.settle(connection, &mut keys).await?;
    Ok((outcomes, keys))
}

/// Takes `count` versions and gives the first.
pub(crate) async fn next_version(connection: &mut SqliteConnection, count: usize) -> Result<i64> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let last: i64 = sqlx::query_scalar("UPDATE abmatic_version SET last = last + ?1 RETURNING last")
        .bind(count)
        .fetch_one(connection)
        .await
        .map_err(failed("number records"))?;
    Ok(last - count + 1)
}

async fn insert(
    connection: &mut SqliteConnection,
    scope: i64,
    resource: Resource,
    creates: &[(usize, &LocalWrite, i64)],
    outcomes: &mut [LocalOutcome],
) -> Result<NewKeys> {
    let mut texts = Vec::with_capacity(creates.len());
    for (_, write, _) in creates {
        let edits = write.edited_at.iter().map(|(name, at)| (name.clone(), micros(*at))).collect();
        texts.push((to_json(&write.fields)?, edits_to_json(&edits)?));
    }
    let keys: Vec<Option<String>> =
        creates.iter().map(|(_, write, _)| host_fields::match_key(resource, &write.fields)).collect();
    let rows = creates.iter().zip(&keys).zip(texts);
    let written = INSERT
        .execute(
            connection,
            |_| {},
            rows,
            |binds, (((_, write, version), key), (fields, edits))| {
                binds.push(scope);
                binds.push(write.id.to_shared());
                binds.push(key.as_deref());
                binds.push(*version);
                binds.push(micros(write.at));
                binds.push(micros(write.at));
                binds.push(fields);
                binds.push(edits);
            },
        )
        .await
        .map_err(failed("insert records"))?;
    let new: Vec<NewRecord<'_>> =
        creates.iter().map(|(_, write, version)| NewRecord { id: &write.id, version: *version }).collect();
    let (of_new, keys) = inserted(connection, Some(scope), &new, written, &keys).await?;
    for ((place, ..), outcome) in creates.iter().zip(of_new) {
        outcomes[*place] = outcome;
    }
    Ok(keys)
}

/// A record that a statement was to insert.
pub(crate) struct NewRecord<'a> {
    pub(crate) id: &'a LocalId,
    pub(crate) version: i64,
}

/// What became of records that a statement was to insert, and their match keys: those whose id existed are refused.
pub(crate) async fn inserted(
    connection: &mut SqliteConnection,
    scope: Option<i64>,
    new: &[NewRecord<'_>],
    written: Written,
    keys: &[Option<String>],
) -> Result<(Vec<LocalOutcome>, NewKeys)> {
    let is_written = |one: &NewRecord<'_>| LocalOutcome::Written(Version::new(one.version));
    if written.rows == new.len() as u64 {
        let keys = scope.map_or_else(NewKeys::default, |scope| NewKeys::of_rows(scope, written.last_id, keys));
        return Ok((new.iter().map(is_written).collect(), keys));
    }
    let ids: Vec<&str> = new.iter().map(|one| one.id.as_str()).collect();
    let held = versions(connection, scope, &ids).await?;
    let is_held = |one: &NewRecord<'_>| held.get(one.id.as_str()) == Some(&one.version);
    let outcome = |one: &NewRecord<'_>| if is_held(one) { is_written(one) } else { LocalOutcome::Refused };
    Ok((new.iter().map(outcome).collect(), NewKeys::default()))
}

async fn versions(connection: &mut SqliteConnection, scope: Option<i64>, ids: &[&str]) -> Result<HashMap<String, i64>> {
    let rows = VERSIONS.fetch(connection, |binds| binds.push(scope), ids, |binds, id| binds.push(id)).await;
    let pairs = rows.map_err(failed("read versions"))?;
    let pair = |row: &SqliteRow| Ok((row.try_get(0)?, row.try_get(1)?));
    pairs.iter().map(pair).collect::<sqlx::Result<_>>().map_err(failed("read versions"))
}

async fn update(
    connection: &mut SqliteConnection,
    scope: i64,
    resource: Resource,
    updates: &[(usize, &LocalWrite, i64, Version)],
    outcomes: &mut [LocalOutcome],
) -> Result<()> {
    if updates.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = updates.iter().map(|(_, write, ..)| write.id.as_str()).collect();
    let mut held = held::hold(connection, scope, resource, &ids).await?;
    for (place, write, version, expected) in updates {
        let Some(record) = held.get_mut(write.id.as_str()) else { continue };
        if record.is_at(*expected) {
            if write.delete {
                record.delete(write.at, *version);
            } else {
                record.apply(&write.fields, &write.edited_at, write.at, *version);
            }
            outcomes[*place] = LocalOutcome::Written(Version::new(*version));
        }
    }
    held::keep(connection, scope, resource, &held).await
}
