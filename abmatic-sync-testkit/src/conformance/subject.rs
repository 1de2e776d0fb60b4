//! What is judged: a connector, a connection to a CRM that may be written to, and what cannot be derived from the two.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::sync::Arc;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::ids::{ConnectionId, FieldName, RemoteId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;

/// How many records a check makes at the most, unless told.
const RECORDS_MAX: usize = 1_000;

/// A connector with a way to a CRM. Everything but the first three is optional: checks that would need what is not given are
/// not applicable.
#[derive(Clone, Debug)]
pub struct Subject {
    pub(crate) connector: Arc<dyn CrmConnector>,
    pub(crate) on: Connection,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) twin: Option<Arc<dyn CrmConnector>>,
    pub(crate) refused: Option<Connection>,
    pub(crate) unreachable: Option<Connection>,
    pub(crate) losing: Option<Connection>,
    pub(crate) values: BTreeMap<(Resource, FieldName), Value>,
    pub(crate) fields: BTreeSet<(Resource, FieldName)>,
    pub(crate) lacking: BTreeSet<(Resource, FieldName)>,
    pub(crate) sample_relations: BTreeSet<(Resource, FieldName)>,
    pub(crate) exactly_once: BTreeSet<Resource>,
    pub(crate) lists: BTreeMap<Resource, (String, BTreeSet<RemoteId>)>,
    pub(crate) records_max: usize,
}

impl Subject {
    /// `clock` is what the suite waits with until a change shows: the fake's where there is one, the system's on a sandbox.
    pub fn new(connector: impl CrmConnector, on: Connection, clock: Arc<dyn Clock>) -> Self {
        Self {
            connector: Arc::new(connector),
            refused: wrong_token(&on),
            unreachable: nobody_there(&on),
            on,
            clock,
            losing: None,
            twin: None,
            values: BTreeMap::new(),
            fields: BTreeSet::new(),
            lacking: BTreeSet::new(),
            sample_relations: BTreeSet::new(),
            exactly_once: BTreeSet::new(),
            lists: BTreeMap::new(),
            records_max: RECORDS_MAX,
        }
    }

    /// A second connector of the same kind that shares nothing with the first, as another process would have.
    #[must_use]
    pub fn with_twin(mut self, twin: impl CrmConnector) -> Self {
        self.twin = Some(Arc::new(twin));
        self
    }

    /// A connection whose credentials the CRM refuses. The same with a wrong token unless told.
    #[must_use]
    pub fn with_refused(mut self, connection: Connection) -> Self {
        self.refused = Some(connection);
        self
    }

    /// A connection behind which nobody answers. The same with a closed port in its base URL unless told.
    #[must_use]
    pub fn with_unreachable(mut self, connection: Connection) -> Self {
        self.unreachable = Some(connection);
        self
    }

    /// A connection over which writes are done and their answers are lost. A proxy that does so stands between the connector and
    /// a base URL of plain HTTP unless told.
    #[must_use]
    pub fn with_losing(mut self, connection: Connection) -> Self {
        self.losing = Some(connection);
        self
    }

    /// The value that a field has in every record that the suite makes, in place of one derived from its type.
    #[must_use]
    pub fn with_value(mut self, resource: Resource, field: impl Into<FieldName>, value: Value) -> Self {
        self.values.insert((resource, field.into()), value);
        self
    }

    /// A field beyond the default mapping that the suite may write, such as a custom one of a type that the mapping lacks.
    #[must_use]
    pub fn with_field(mut self, resource: Resource, field: impl Into<FieldName>) -> Self {
        self.fields.insert((resource, field.into()));
        self
    }

    /// A field of the default mapping that this account lacks: only some accounts have it.
    #[must_use]
    pub fn without_field(mut self, resource: Resource, field: impl Into<FieldName>) -> Self {
        self.lacking.insert((resource, field.into()));
        self
    }

    /// A relation without which the CRM takes no record: every record that the suite makes has one.
    #[must_use]
    pub fn with_sample_relation(mut self, resource: Resource, relation: impl Into<FieldName>) -> Self {
        self.sample_relations.insert((resource, relation.into()));
        self
    }

    /// Claims that a create which comes again with its intent makes nothing new: the CRM has an own unique property.
    #[must_use]
    pub fn exactly_once(mut self, resource: Resource) -> Self {
        self.exactly_once.insert(resource);
        self
    }

    /// A list of the CRM and its members.
    #[must_use]
    pub fn with_list(mut self, resource: Resource, id: impl Into<String>, members: Vec<RemoteId>) -> Self {
        self.lists.insert(resource, (id.into(), members.into_iter().collect()));
        self
    }

    /// How many records of a resource a check may make. 1,000 unless told; paging is checked where a page holds fewer.
    #[must_use]
    pub fn with_records_max(mut self, records: usize) -> Self {
        self.records_max = records;
        self
    }
}

fn wrong_token(on: &Connection) -> Option<Connection> {
    let mut refused = on.metered();
    refused.id = ConnectionId::new(format!("{}-refused", on.id));
    refused.credentials = match on.credentials {
        Credentials::Token(_) => Credentials::token("conformance-wrong-token"),
        _ => return None,
    };
    Some(refused)
}

/// The same connection to a port of this machine that was free a moment ago.
fn nobody_there(on: &Connection) -> Option<Connection> {
    on.base_url.as_ref()?;
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).ok()?;
    let mut unreachable = on.metered().with_base_url(format!("http://{closed}").parse().ok()?);
    unreachable.id = ConnectionId::new(format!("{}-unreachable", on.id));
    Some(unreachable)
}
