//! A CRM of a history, be it simulated or an account under test: what the world does to it and sees of it.

use std::fmt;

use abmatic_sync_core::engine::Engine;
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::mapping::Mapping;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::Field;
use abmatic_sync_core::model::value::Value;

use crate::simulator::account::Fault;
use crate::simulator::script::CrmHabits;

/// What the CRMs of a history are called.
pub(crate) const CONNECTORS: [&str; 3] = ["crm-0", "crm-1", "crm-2"];

/// A CRM. It writes whatever happens to it into the journal; fields have the host's names.
pub(crate) trait CrmSide: fmt::Debug {
    /// Registers its connector.
    fn add_to(&self, engine: Engine) -> Engine;

    /// How to reach it, under a name that the world gives.
    fn connection(&self) -> Connection;

    fn mapping(&self, resource: Resource) -> Mapping;

    /// Fields of the host that nobody edits.
    fn constants(&self, _resource: Resource) -> Vec<(Field, Value)> {
        Vec::new()
    }

    /// Habits that it has whatever the script says.
    fn amend(&self, _habits: &mut CrmHabits) {}

    /// The most calls of a sync in which nothing is to be done: one for what changed, one for what was deleted.
    fn idle_calls(&self, _resource: Resource) -> u64 {
        2
    }

    /// From now on calls are counted anew, and these faults hit.
    fn expect_faults(&self, faults: &[(u64, Fault)]);

    /// Takes down what came about by itself since somebody last looked.
    fn look(&self) {}

    /// The records, oldest first; deleted ones too, those that were merged away not.
    fn records(&self, resource: Resource) -> Vec<RemoteRecord>;

    /// A person makes a record; nothing where the CRM refuses it.
    fn create(&self, resource: Resource, fields: &Fields);

    /// A person edits a record.
    fn edit(&self, resource: Resource, id: &RemoteId, fields: &Fields);

    /// A person deletes or restores a record.
    fn mark(&self, resource: Resource, id: &RemoteId, deleted: bool);

    /// A person merges two records.
    fn merge(&self, resource: Resource, survivor: &RemoteId, loser: &RemoteId);

    /// The ids of live records, oldest first; with `deleted` those of deleted ones.
    fn ids(&self, resource: Resource, deleted: bool) -> Vec<RemoteId> {
        let records = self.records(resource).into_iter();
        records.filter(|record| record.deleted == deleted).map(|record| record.id).collect()
    }
}
