//! How the fake account is set up: what an admin, a plan or a token decides in the real one.

use std::collections::BTreeSet;

use crate::fake::hubspot::kind::Kind;

/// The account's settings.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) portal_id: u64,
    pub(crate) base_url: String,
    pub(crate) token: String,
    pub(crate) rng_seed: u64,
    pub(crate) search_lag_ms: i64,
    pub(crate) rate_limits: bool,
    pub(crate) list_page_max: usize,
    pub(crate) search_page_max: usize,
    pub(crate) auto_association: bool,
    pub(crate) withheld_scopes: BTreeSet<String>,
    pub(crate) admin_rules: Vec<AdminRule>,
}

/// A rule that an admin has set on an object's properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AdminRule {
    pub(crate) kind: Kind,
    pub(crate) required: String,
    /// The property whose presence in a write makes the other one required; `None` for required on create.
    pub(crate) controlling: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            portal_id: 44_237_313,
            base_url: "https://api.hubapi.com".to_owned(),
            token: "pat-na1-fake0000-0000-4000-8000-000000000000".to_owned(),
            rng_seed: 1,
            search_lag_ms: 2000,
            rate_limits: false,
            list_page_max: 100,
            search_page_max: 200,
            auto_association: false,
            withheld_scopes: BTreeSet::new(),
            admin_rules: Vec::new(),
        }
    }
}
