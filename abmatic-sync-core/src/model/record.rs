//! A record as each side holds it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{FieldName, LocalId, RemoteId};
use crate::model::fields::Fields;
use crate::model::resource::Side;

/// A state of a local record: it grows with every write, so that a writer can say which state it had read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(i64);

impl Version {
    /// Wraps a store's counter.
    pub fn new(version: i64) -> Self {
        Self(version)
    }

    /// The store's counter.
    pub fn get(self) -> i64 {
        self.0
    }
}

/// Which record, on which side. The host's sort before the CRM's.
#[expect(clippy::exhaustive_enums, reason = "a link has two ends")]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordId {
    /// A record of the host.
    Local(LocalId),
    /// A record of the CRM.
    Remote(RemoteId),
}

impl RecordId {
    /// The record that is called `id` on `side`.
    pub fn on(side: Side, id: &str) -> Self {
        match side {
            Side::Local => Self::Local(LocalId::from(id)),
            Side::Remote => Self::Remote(RemoteId::from(id)),
        }
    }

    /// Whose record it is.
    pub fn side(&self) -> Side {
        match self {
            Self::Local(_) => Side::Local,
            Self::Remote(_) => Side::Remote,
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Local(id) => id.as_str(),
            Self::Remote(id) => id.as_str(),
        }
    }
}

/// A record of the host. References ([`crate::model::resource::Relation`]) stand among its fields, as local ids.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalRecord {
    /// Its id.
    pub id: LocalId,
    /// Its fields, in the host's vocabulary.
    pub fields: Fields,
    /// Its state.
    pub version: Version,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub modified_at: DateTime<Utc>,
    /// When single fields last changed, where the host keeps that.
    pub edited_at: BTreeMap<FieldName, DateTime<Utc>>,
    /// Whether the host deleted it.
    pub deleted: bool,
}

impl LocalRecord {
    /// A live record that was created and last changed at `time`.
    pub fn new(id: impl Into<LocalId>, fields: Fields, version: Version, time: DateTime<Utc>) -> Self {
        Self {
            id: id.into(),
            fields,
            version,
            created_at: time,
            modified_at: time,
            edited_at: BTreeMap::new(),
            deleted: false,
        }
    }
}

/// A record of the CRM. References stand among its fields under the relation's name, as remote ids.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteRecord {
    /// Its id.
    pub id: RemoteId,
    /// The fields that were asked for, in the CRM's vocabulary.
    pub fields: Fields,
    /// When it came to be, where the CRM says so.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed, where the CRM says so.
    pub modified_at: Option<DateTime<Utc>>,
    /// When single fields last changed, where that was asked for and the CRM knows.
    pub edited_at: BTreeMap<FieldName, DateTime<Utc>>,
    /// Ids that were merged into this record.
    pub merged_ids: Vec<RemoteId>,
    /// Whether the CRM deleted or archived it.
    pub deleted: bool,
    /// Whether it was read by its id although the CRM counts it to another resource, as a contact that is no lead any more:
    /// its counterpart here keeps it, and it gets none otherwise.
    pub elsewhere: bool,
}

impl RemoteRecord {
    /// A live record with its fields.
    pub fn new(id: impl Into<RemoteId>, fields: Fields) -> Self {
        Self {
            id: id.into(),
            fields,
            created_at: None,
            modified_at: None,
            edited_at: BTreeMap::new(),
            merged_ids: Vec::new(),
            deleted: false,
            elsewhere: false,
        }
    }
}
