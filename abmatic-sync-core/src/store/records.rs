//! The host's own records. A host can implement this on its own tables.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::error::Result;
use crate::ids::{FieldName, LocalId, TenantId};
use crate::model::fields::Fields;
use crate::model::record::{LocalRecord, Version};
use crate::model::resource::Resource;
use crate::model::schema::Schema;

/// The host's records: read by id, find by key, changed since, upsert with expected version.
///
/// # Contract
/// - Nothing of one tenant is ever given to another.
/// - Each write raises the record's [`Version`] above every version given out before, over all records of the tenant.
/// - `changed_since` misses no write: a record whose version is higher than `after` is given, lowest version first.
/// - A deleted record keeps coming from `read` and `changed_since`, with [`LocalRecord::deleted`] set, as long as the
///   host remembers it. To delete it and to restore it raise its version.
/// - `upsert` takes deletions too ([`LocalWrite::delete`]), under the same guard: one of a record that has changed since it
///   was read is refused. They only come under [`crate::policy::GoneRule::Propagate`].
#[async_trait]
pub trait RecordStore: fmt::Debug + Send + Sync + 'static {
    /// The host's fields for `resource`. Mappings are checked against it.
    fn schema(&self, resource: Resource) -> Schema;

    /// Records by id, each once, in any order; unknown ids are left out.
    async fn read(&self, tenant: &TenantId, resource: Resource, ids: &[LocalId]) -> Result<Vec<LocalRecord>>;

    /// Live records by match key (registrable domain or email), oldest first within a key, in one query.
    async fn find(&self, tenant: &TenantId, resource: Resource, keys: &[String]) -> Result<Vec<KeyedRecord>>;

    /// Up to `limit` records with a version above `after`, lowest first. `None` starts at the beginning.
    async fn changed_since(
        &self,
        tenant: &TenantId,
        resource: Resource,
        after: Option<Version>,
        limit: usize,
    ) -> Result<Vec<LocalRecord>>;

    /// How many live records there are.
    async fn count(&self, tenant: &TenantId, resource: Resource) -> Result<u64>;

    /// Writes records in one transaction, one outcome for each, in their order. A write whose expected version is not
    /// the record's own any more is refused alone.
    async fn upsert(&self, tenant: &TenantId, resource: Resource, writes: &[LocalWrite]) -> Result<Vec<LocalOutcome>>;
}

/// A record with the key that it was found by.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct KeyedRecord {
    /// The key.
    pub key: String,
    /// The record.
    pub record: LocalRecord,
}

impl KeyedRecord {
    /// A record under its key.
    pub fn new(key: impl Into<String>, record: LocalRecord) -> Self {
        Self { key: key.into(), record }
    }
}

/// One local record to write.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct LocalWrite {
    /// Which; the engine chose the id of a new one.
    pub id: LocalId,
    /// The fields to set; others stay. Null clears. None for a deletion.
    pub fields: Fields,
    /// Whether the record is to be deleted: as the host deletes, so that it can be restored where the host can do that.
    pub delete: bool,
    /// The state that was read, `None` for a new record. A new record whose id exists already is refused.
    pub expected: Option<Version>,
    /// When the fields were edited, where that is known: kept as their edit time. Otherwise `at` is.
    pub edited_at: Vec<(FieldName, DateTime<Utc>)>,
    /// When it is written.
    pub at: DateTime<Utc>,
}

impl LocalWrite {
    /// A new record.
    pub fn create(id: LocalId, fields: Fields, at: DateTime<Utc>) -> Self {
        Self { id, fields, delete: false, expected: None, edited_at: Vec::new(), at }
    }

    /// A change of a record that was read in state `expected`.
    pub fn update(id: LocalId, fields: Fields, expected: Version, at: DateTime<Utc>) -> Self {
        Self { id, fields, delete: false, expected: Some(expected), edited_at: Vec::new(), at }
    }

    /// The deletion of a record that was read in state `expected`.
    pub fn delete(id: LocalId, expected: Version, at: DateTime<Utc>) -> Self {
        Self { id, fields: Fields::new(), delete: true, expected: Some(expected), edited_at: Vec::new(), at }
    }
}

/// What became of a local write.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalOutcome {
    /// The record is not in the expected state any more.
    Refused,
    /// Written; this is its state now.
    Written(Version),
}
