//! A link: which local record is which remote record, and the values on which both last agreed.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{ConnectionId, FieldName, LocalId, RemoteId, TenantId};
use crate::model::change::Direction;
use crate::model::fields::Fields;
use crate::model::record::Version;
use crate::model::resource::{Resource, Side};
use crate::model::value::Value;

/// The values on which both sides last agreed, field by field, in the host's vocabulary.
///
/// Where a CRM keeps something else than what it was sent (cut, lower-cased, rounded), the two sides agree on different
/// values; then both are kept, so that neither looks like an edit later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    #[serde(rename = "l")]
    local: Fields,
    /// Only the fields in which the remote value differs from the local one.
    #[serde(rename = "r", default, skip_serializing_if = "Fields::is_empty")]
    remote: Fields,
    /// What was being sent to the CRM when this was written down. Whether it arrived is not known.
    #[serde(rename = "s", default, skip_serializing_if = "Fields::is_empty")]
    sent: Fields,
    /// What was being written here when this was written down.
    #[serde(rename = "w", default, skip_serializing_if = "Fields::is_empty")]
    written: Fields,
}

impl Base {
    /// Nothing agreed on yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Both sides hold these.
    pub fn equal(fields: Fields) -> Self {
        Self { local: fields, ..Self::default() }
    }

    /// The value that the local side held, `None` where nothing was agreed on.
    pub fn local(&self, field: &str) -> Option<&Value> {
        self.local.get(field)
    }

    /// The value that the remote side held, in the host's vocabulary.
    pub fn remote(&self, field: &str) -> Option<&Value> {
        self.remote.get(field).or_else(|| self.local.get(field))
    }

    /// Notes what both sides hold now.
    pub fn agree(&mut self, field: FieldName, local: Value, remote: Value) {
        if local == remote {
            self.remote.remove(field.as_str());
        } else {
            self.remote.insert(field.clone(), remote);
        }
        self.local.insert(field, local);
    }

    /// Notes a value that is about to travel: should nobody learn whether it arrived, the target's holding it is no edit.
    pub fn depart(&mut self, field: FieldName, way: Direction, value: Value) {
        match way {
            Direction::FromAbmatic => self.sent.insert(field, value),
            Direction::ToAbmatic => self.written.insert(field, value),
        };
    }

    /// A value that was about to travel, and of which nobody knows whether it arrived.
    pub fn under_way(&self, field: &str, way: Direction) -> Option<&Value> {
        match way {
            Direction::FromAbmatic => self.sent.get(field),
            Direction::ToAbmatic => self.written.get(field),
        }
    }

    /// Nothing is under way any more.
    pub fn settle(&mut self) {
        self.sent = Fields::new();
        self.written = Fields::new();
    }

    /// How many fields are agreed on.
    pub fn len(&self) -> usize {
        self.local.len()
    }

    /// Whether nothing is agreed on.
    pub fn is_empty(&self) -> bool {
        self.local.is_empty()
    }
}

/// Which links are meant: those of one resource over one connection of one tenant.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LinkScope {
    /// Whose.
    pub tenant: TenantId,
    /// Over which connection.
    pub connection: ConnectionId,
    /// Of which local resource.
    pub resource: Resource,
    /// Of which resource on the CRM's side: a local contact can be pushed as a lead.
    pub remote_resource: Resource,
}

impl LinkScope {
    /// The links of `resource` over `connection`.
    pub fn new(tenant: TenantId, connection: ConnectionId, resource: Resource) -> Self {
        Self { tenant, connection, resource, remote_resource: resource }
    }

    /// Links to another resource on the CRM's side.
    #[must_use]
    pub fn to_remote(mut self, remote_resource: Resource) -> Self {
        self.remote_resource = remote_resource;
        self
    }
}

/// Something that a linked pair waits for.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Awaited {
    /// Nothing in particular: the pair is to be looked at again, whatever happens.
    AnotherLook,
    /// The host's record of this very link: it was about to be made, and may not have been.
    LocalRecord,
    /// The link of a record of the host's.
    Local(Resource, LocalId),
    /// The link of a record of the CRM's.
    Remote(Resource, RemoteId),
}

/// A local id, a remote id and their base.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The host's record.
    pub local_id: LocalId,
    /// The CRM's record.
    pub remote_id: RemoteId,
    /// What both agreed on.
    pub base: Base,
    /// The local state that the base knows: a record still in it has not changed here.
    pub local_version: Option<Version>,
    /// The remote time that the base knows.
    pub remote_modified_at: Option<DateTime<Utc>>,
    /// What the pair waits for (I12): once it is there, the next sync looks at the pair again.
    pub waiting_for: BTreeSet<Awaited>,
    /// The side whose record was found to be gone. The link stays, so that the other side's record is not taken for a new
    /// one, and so that the pair goes on from its base if the record is restored.
    pub gone: Option<Side>,
}

impl Link {
    /// A link with nothing agreed on yet.
    pub fn new(local_id: LocalId, remote_id: RemoteId) -> Self {
        Self {
            local_id,
            remote_id,
            base: Base::new(),
            local_version: None,
            remote_modified_at: None,
            waiting_for: BTreeSet::new(),
            gone: None,
        }
    }

    /// The link as it is kept before its local record is made: should that never happen, it ends.
    #[must_use]
    pub fn announced(mut self) -> Self {
        self.local_version = None;
        self.waiting_for.insert(Awaited::LocalRecord);
        self
    }
}
