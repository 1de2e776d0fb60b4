//! What a host asks of the quarantine: which records are set aside, and to try them again at once.

use crate::engine::Engine;
use crate::error::Result;
use crate::model::connection::Connection;
use crate::model::link::LinkScope;
use crate::model::quarantine::Quarantined;
use crate::model::record::RecordId;
use crate::model::resource::Resource;
use crate::store::state::{QuarantineQuery, Retried};

impl Engine {
    /// Records that failed and are set aside, in the order of their ids, the host's first: up to `limit`, those beyond
    /// `after`. A record comes back out when it is written at last; it is tried again when its time has come, when either
    /// side of it changes, and after [`Engine::release`].
    ///
    /// ```
    /// # use abmatic_sync_core::{engine::Engine, error::Result, model::{connection::Connection, resource::Resource}};
    /// # async fn example(engine: &Engine, connection: &Connection) -> Result<()> {
    /// use abmatic_sync_core::store::state::Retried;
    /// let mut after = None;
    /// loop {
    ///     let page = engine.quarantine(connection, Resource::Contact, after.as_ref(), 100).await?;
    ///     for held in &page {
    ///         println!("{:?} failed {} times: {}; {}", held.record, held.attempts, held.message, held.code.solution());
    ///     }
    ///     let Some(last) = page.last() else { break };
    ///     after = Some(last.record.clone());
    /// }
    /// // The cause is mended: the next sync tries them all again.
    /// engine.release(connection, Resource::Contact, &Retried::All).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn quarantine(
        &self,
        on: &Connection,
        resource: Resource,
        after: Option<&RecordId>,
        limit: usize,
    ) -> Result<Vec<Quarantined>> {
        let scope = self.kept_scope(on, resource).await?;
        self.store.state().quarantine(&scope, &QuarantineQuery::All { after: after.cloned(), limit }).await
    }

    /// Lets records that are set aside be tried again by the next run, and says how many they are. Their attempts stay
    /// counted: a record that fails again waits longer than before.
    pub async fn release(&self, on: &Connection, resource: Resource, which: &Retried) -> Result<u64> {
        let scope = self.kept_scope(on, resource).await?;
        self.store.state().retry_now(&scope, which, self.clock.now()).await
    }

    /// The scope that runs under the kept settings work in.
    pub(super) async fn kept_scope(&self, on: &Connection, resource: Resource) -> Result<LinkScope> {
        let policy = self.settings(on, resource).await?.policy;
        Ok(self.target(on, resource, &policy)?.scope)
    }
}
