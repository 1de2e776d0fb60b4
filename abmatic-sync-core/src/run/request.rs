//! What a host asks for: an operation on one resource of one connection.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::RemoteId;
use crate::model::mapping::Mapping;
use crate::model::resource::Resource;
use crate::policy::{Policy, Scope, Selection};
use crate::run::report::Progress;

/// What a run does. All of them take the same way under different rules.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Pushes the local records that came to be since the last automatic push.
    AutoPush,
    /// Brings the CRM's records here.
    Import(Scope),
    /// Brings selected local records to the CRM.
    Push(Selection),
    /// Looks at every linked pair, whatever the cursors say: deletions, merges and restores that nobody told of, and edits
    /// that were missed, come out.
    Sweep,
    /// Both ways: what changed on either side since the last sync. The scope says which of the CRM's records take part.
    Sync(Scope),
    /// Both ways, only these of the CRM's records, such as those of which a webhook told.
    Targeted {
        /// Which of them take part: a record is left to the next sync where only the CRM can say whether it is in scope.
        scope: Scope,
        /// Records that may have changed, been deleted or merged.
        ids: Vec<RemoteId>,
    },
}

impl Operation {
    /// The word for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::AutoPush => "auto-push",
            Self::Import(_) => "import",
            Self::Push(_) => "push",
            Self::Sweep => "sweep",
            Self::Sync(_) => "sync",
            Self::Targeted { .. } => "targeted sync",
        }
    }

    /// Whether it brings records that somebody chose one by one: such may be tried before they are due, and made anew
    /// although they were deleted.
    pub(crate) fn names_records(&self) -> bool {
        match self {
            Self::Import(Scope::Ids(_)) | Self::Push(Selection::Ids(_)) => true,
            Self::AutoPush
            | Self::Import(Scope::All | Scope::Filter(_) | Scope::List(_))
            | Self::Push(Selection::All)
            | Self::Sweep
            | Self::Sync(_)
            | Self::Targeted { .. } => false,
        }
    }
}

/// What is kept for one connection and resource.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Which fields are kept aligned. `None`: the connector's default mapping.
    pub mapping: Option<Mapping>,
    /// What may be written, and how conflicts end.
    pub policy: Policy,
}

impl Settings {
    /// Settings with a mapping of one's own.
    pub fn new(mapping: Mapping, policy: Policy) -> Self {
        Self { mapping: Some(mapping), policy }
    }

    /// The connector's default mapping under this policy.
    pub fn with_policy(policy: Policy) -> Self {
        Self { mapping: None, policy }
    }
}

/// A run to do, or to preview.
///
/// ```
/// use abmatic_sync_core::model::resource::Resource;
/// use abmatic_sync_core::policy::Scope;
/// use abmatic_sync_core::run::request::RunRequest;
/// let request = RunRequest::import(Resource::Account, Scope::List("7".into())).with_plan_items_max(50);
/// assert_eq!(request.operation.as_str(), "import");
/// ```
#[non_exhaustive]
#[derive(Clone)]
pub struct RunRequest {
    /// Which of the host's resources.
    pub resource: Resource,
    /// What to do.
    pub operation: Operation,
    /// A policy for this run alone, in place of the saved one.
    pub policy: Option<Policy>,
    /// Whether a run over its cap goes on.
    pub confirmed: bool,
    /// How many records a plan shows one by one; all are counted. 1,000 unless told.
    pub plan_items_max: usize,
    /// Is told after each page.
    pub observer: Option<Observer>,
}

/// Is told how far a run is.
pub type Observer = Arc<dyn Fn(&Progress) + Send + Sync>;

impl RunRequest {
    fn new(resource: Resource, operation: Operation) -> Self {
        Self { resource, operation, policy: None, confirmed: false, plan_items_max: 1_000, observer: None }
    }

    /// Brings the CRM's records here.
    pub fn import(resource: Resource, scope: Scope) -> Self {
        Self::new(resource, Operation::Import(scope))
    }

    /// Brings selected local records to the CRM.
    pub fn push(resource: Resource, selection: Selection) -> Self {
        Self::new(resource, Operation::Push(selection))
    }

    /// Brings the local records that came to be since the last automatic push to the CRM.
    pub fn auto_push(resource: Resource) -> Self {
        Self::new(resource, Operation::AutoPush)
    }

    /// Looks at every linked pair, on both sides.
    pub fn sweep(resource: Resource) -> Self {
        Self::new(resource, Operation::Sweep)
    }

    /// Aligns both sides.
    pub fn sync(resource: Resource, scope: Scope) -> Self {
        Self::new(resource, Operation::Sync(scope))
    }

    /// Aligns both sides of these of the CRM's records.
    pub fn targeted(resource: Resource, scope: Scope, ids: Vec<RemoteId>) -> Self {
        Self::new(resource, Operation::Targeted { scope, ids })
    }

    /// A policy for this run alone.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Lets a run over its cap go on.
    #[must_use]
    pub fn confirmed(mut self) -> Self {
        self.confirmed = true;
        self
    }

    /// Sets how many records a plan shows one by one.
    #[must_use]
    pub fn with_plan_items_max(mut self, max: usize) -> Self {
        self.plan_items_max = max;
        self
    }

    /// Is told after each page.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }
}

impl fmt::Debug for RunRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunRequest")
            .field("resource", &self.resource)
            .field("operation", &self.operation)
            .field("policy", &self.policy)
            .field("confirmed", &self.confirmed)
            .finish_non_exhaustive()
    }
}
