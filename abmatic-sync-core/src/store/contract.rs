//! Records and state as the engine uses them: one commit a page, in one transaction where both live in one database.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::error::Result;
use crate::model::link::{Link, LinkScope};
use crate::store::page::{PageCommit, StateCommit};
use crate::store::records::{LocalOutcome, LocalWrite, RecordStore};
use crate::store::state::{Lease, StateStore};

/// The stores of a host, and how a page is committed to both.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// The host's records.
    fn records(&self) -> &dyn RecordStore;

    /// The engine's memory.
    fn state(&self) -> &dyn StateStore;

    /// Whether [`PageItem::birth`](crate::store::page::PageItem) may be used. Without it a new record comes as a write, a
    /// link and a line of the log.
    fn takes_births(&self) -> bool {
        false
    }

    /// Commits a page and says what became of each item's local write or birth, `None` where it had none. An item whose local
    /// write is refused is left out but for its `link_if_refused`.
    async fn commit_page(
        &self,
        scope: &LinkScope,
        lease: &Lease,
        page: PageCommit,
    ) -> Result<Vec<Option<LocalOutcome>>>;
}

/// Two stores in two databases.
///
/// The links of new local records are announced first, then local records are written, then the rest is kept. A crash in
/// between re-merges the page: what was written is found equal or, where it was edited since, merged by the announced base.
#[derive(Clone, Debug)]
pub struct SeparateStores {
    records: Arc<dyn RecordStore>,
    state: Arc<dyn StateStore>,
}

impl SeparateStores {
    /// The host's own records beside the engine's state.
    pub fn new(records: Arc<dyn RecordStore>, state: Arc<dyn StateStore>) -> Self {
        Self { records, state }
    }
}

#[async_trait]
impl Store for SeparateStores {
    fn records(&self) -> &dyn RecordStore {
        &*self.records
    }

    fn state(&self) -> &dyn StateStore {
        &*self.state
    }

    async fn commit_page(
        &self,
        scope: &LinkScope,
        lease: &Lease,
        page: PageCommit,
    ) -> Result<Vec<Option<LocalOutcome>>> {
        let writes: Vec<LocalWrite> = page.items.iter().filter_map(|item| item.local_write.clone()).collect();
        let outcomes = if writes.is_empty() {
            Vec::new()
        } else {
            let mut announced = StateCommit::new(page.run_if_refused.clone().unwrap_or_else(|| page.run.clone()));
            announced.links = page.items.iter().filter_map(|item| item.announced.clone()).collect();
            // Also where there is none: a run that lost its lease may not write the host's records.
            self.state.commit(scope, lease, &announced).await?;
            self.records.upsert(&scope.tenant, scope.resource, &writes).await?
        };
        let (commit, by_item) = split_by_outcome(page, outcomes);
        self.state.commit(scope, lease, &commit).await?;
        Ok(by_item)
    }
}

/// Sorts a page's items by what became of their local writes: the state's part, and the outcome of each item.
///
/// `outcomes` holds one for each item with a local write or a birth, in their order. For stores that write both in one transaction.
pub fn split_by_outcome(page: PageCommit, outcomes: Vec<LocalOutcome>) -> (StateCommit, Vec<Option<LocalOutcome>>) {
    let mut commit = StateCommit::new(page.run);
    commit.cursors = page.cursors;
    if let (true, Some(run)) = (outcomes.contains(&LocalOutcome::Refused), page.run_if_refused) {
        commit.run = run;
        commit.cursors.clear();
    }
    let mut outcomes = outcomes.into_iter();
    let by_item = page
        .items
        .into_iter()
        .map(|item| {
            let outcome = item.writes().and_then(|_| outcomes.next());
            match outcome {
                Some(LocalOutcome::Refused) => {
                    commit.links.extend(item.link_if_refused);
                    commit.log.extend(item.log_if_refused);
                }
                Some(LocalOutcome::Written(version)) => {
                    // A link that knows no local state says that a local change is still to be looked at: it stays so.
                    commit.links.extend(
                        item.link.map(|link| Link { local_version: link.local_version.map(|_| version), ..link }),
                    );
                    commit.released.extend(item.released);
                    commit.set_aside.extend(item.set_aside);
                    commit.log.extend(item.log);
                }
                None => {
                    commit.links.extend(item.link);
                    commit.released.extend(item.released);
                    commit.set_aside.extend(item.set_aside);
                    commit.log.extend(item.log);
                }
            }
            // The CRM's side of the item happened whatever became of the local write.
            commit.closed_intents.extend(item.closed_intent);
            commit.unlinks.extend(item.unlink);
            outcome
        })
        .collect();
    (commit, by_item)
}
