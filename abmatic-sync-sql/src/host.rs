//! What a host does with its own records in the embedded store: create, edit, delete, list.

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::ids::{LocalId, TenantId};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::record::{LocalRecord, Version};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::store::records::LocalWrite;
use chrono::{DateTime, Utc};

use crate::dialect::sqlite::Durability;
use crate::failure::failed;
use crate::held::{self, Held};
use crate::host_fields;
use crate::records;
use crate::scopes::ScopeKey;
use crate::store::SqliteStore;

impl SqliteStore {
    /// Makes a record under a new id.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidField`] for a field that the resource does not have.
    pub async fn create(
        &self,
        tenant: &TenantId,
        resource: Resource,
        fields: Fields,
        at: DateTime<Utc>,
    ) -> Result<LocalRecord> {
        host_fields::check(resource, &fields)?;
        let scope = self.writing_records(tenant, resource).await?;
        let mut transaction = self.begin(Durability::Flushed).await?;
        let id = new_id(at, records::next_version(&mut transaction, 1).await?);
        let write = LocalWrite::create(id.clone(), fields, at);
        let (_, keys) = records::write(&mut transaction, scope, resource, &[&write], self.keys()).await?;
        let created = records::read(&mut transaction, scope, &id).await?;
        transaction.commit().await.map_err(failed("commit a new record"))?;
        self.keys().add(keys);
        created.ok_or_else(|| gone(resource, &id))
    }

    /// Sets fields of a record, whatever state it is in; others stay, null clears. Each field that changes is noted as edited
    /// at `at`.
    ///
    /// # Errors
    /// [`ErrorCode::RecordGone`] when it does not exist or was deleted, [`ErrorCode::InvalidField`] for a field that the
    /// resource does not have.
    pub async fn edit(
        &self,
        tenant: &TenantId,
        resource: Resource,
        id: &LocalId,
        fields: Fields,
        at: DateTime<Utc>,
    ) -> Result<Version> {
        host_fields::check(resource, &fields)?;
        self.change(tenant, resource, id, Held::is_live, |record, version| record.apply(&fields, &[], at, version))
            .await
    }

    /// Marks a record as deleted. It keeps being told to the engine, and is found and listed no more.
    ///
    /// # Errors
    /// [`ErrorCode::RecordGone`] when it does not exist or was deleted before.
    pub async fn delete(
        &self,
        tenant: &TenantId,
        resource: Resource,
        id: &LocalId,
        at: DateTime<Utc>,
    ) -> Result<Version> {
        self.change(tenant, resource, id, Held::is_live, |record, version| record.delete(at, version)).await
    }

    /// Takes a deletion back: the record is as it was, and found and listed again.
    ///
    /// # Errors
    /// [`ErrorCode::RecordGone`] when it never existed or was not deleted.
    pub async fn restore(
        &self,
        tenant: &TenantId,
        resource: Resource,
        id: &LocalId,
        at: DateTime<Utc>,
    ) -> Result<Version> {
        let is_deleted = |record: &Held| !record.is_live();
        self.change(tenant, resource, id, is_deleted, |record, version| record.restore(at, version)).await
    }

    /// Up to `limit` live records in the order of their ids, those beyond `after`.
    ///
    /// # Errors
    /// [`ErrorCode::StoreFailed`] when the database fails.
    pub async fn list(
        &self,
        tenant: &TenantId,
        resource: Resource,
        limit: usize,
        after: Option<&LocalId>,
    ) -> Result<Vec<LocalRecord>> {
        let mut connection = self.reader().await?;
        let Some(scope) = self.scopes().find(&mut *connection, &ScopeKey::records(tenant, resource)).await? else {
            return Ok(Vec::new());
        };
        let rows = sqlx::query(
            "SELECT id, version, created_at, modified_at, fields, edited_at, deleted FROM abmatic_record
             WHERE scope = ?1 AND id > ?2 AND deleted IS NULL ORDER BY id LIMIT ?3",
        )
        .bind(scope)
        .bind(after.map_or("", LocalId::as_str))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = rows.fetch_all(&mut *connection).await.map_err(failed("list records"))?;
        rows.iter().map(records::record).collect()
    }

    async fn change(
        &self,
        tenant: &TenantId,
        resource: Resource,
        id: &LocalId,
        is_meant: impl Fn(&Held) -> bool + Send,
        change: impl FnOnce(&mut Held, i64) + Send,
    ) -> Result<Version> {
        let scope = self.writing_records(tenant, resource).await?;
        let mut transaction = self.begin(Durability::Flushed).await?;
        let mut held = held::hold(&mut transaction, scope, resource, &[id.as_str()]).await?;
        let record = held.get_mut(id.as_str()).filter(|record| is_meant(record));
        let record = record.ok_or_else(|| gone(resource, id))?;
        let version = records::next_version(&mut transaction, 1).await?;
        change(record, version);
        held::keep(&mut transaction, scope, resource, &held).await?;
        transaction.commit().await.map_err(failed("commit a changed record"))?;
        Ok(Version::new(version))
    }
}

fn gone(resource: Resource, id: &LocalId) -> Error {
    Error::new(ErrorKind::NotFound, ErrorCode::RecordGone, format!("there is no {resource} {id}"))
}

/// An id that sorts by time and that this database never gave before: the version stands where others put chance.
fn new_id(at: DateTime<Utc>, version: i64) -> LocalId {
    let mut tail = [0; 10];
    tail[2..].copy_from_slice(&version.to_be_bytes());
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    LocalId::from(uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid().to_string())
}
