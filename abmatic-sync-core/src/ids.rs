//! Newtype ids: no two of them can be mixed up, and none of them knows an error or a store.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the id as its owner spells it.
            pub fn new(id: impl Into<Arc<str>>) -> Self {
                Self(id.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The id's text, shared and not copied.
            pub fn to_shared(&self) -> Arc<str> {
                Arc::clone(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self::new(id)
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self::new(id)
            }
        }
    };
}

text_id! {
    /// A customer of the host. Tenants never see each other's connections, links, logs or records.
    TenantId
}
text_id! {
    /// One authorised CRM account of one tenant.
    ConnectionId
}
text_id! {
    /// A record on the host's side. The engine chooses it for records that it creates there.
    LocalId
}
text_id! {
    /// A record on the CRM's side, in the CRM's own spelling.
    RemoteId
}
text_id! {
    /// One run of the engine.
    RunId
}
text_id! {
    /// One announced create: the key under which the CRM can be asked whether it happened.
    IntentId
}
text_id! {
    /// The name of a field, shared by every record that carries it.
    FieldName
}

impl std::borrow::Borrow<str> for FieldName {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

/// Where new ids come from: random in production, seeded under test.
pub trait IdSource: fmt::Debug + Send + Sync + 'static {
    /// A new id that sorts after those given before it in an earlier millisecond.
    fn next_id(&self, now: chrono::DateTime<chrono::Utc>) -> uuid::Uuid;
}
