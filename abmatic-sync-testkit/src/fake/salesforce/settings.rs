//! How the fake org is set up: what an admin, an edition or a permission set decides in the real one.

use std::collections::BTreeSet;

use crate::fake::salesforce::field::Field;
use crate::fake::salesforce::kind::Kind;

/// The org's settings.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) base_url: String,
    pub(crate) token: String,
    pub(crate) rng_seed: u64,
    pub(crate) daily_limit: u64,
    /// The release, for example 68.
    pub(crate) newest_version: u16,
    pub(crate) query_page_max: usize,
    /// How many polls a bulk job stays on its way.
    pub(crate) bulk_polls: u32,
    pub(crate) bulk_page_max: usize,
    /// How many rows of a load job are processed before it fails.
    pub(crate) bulk_rows_max: usize,
    pub(crate) session_seconds: i64,
    pub(crate) rotates_refresh_tokens: bool,
    pub(crate) custom_fields: Vec<(Kind, Field)>,
    pub(crate) hidden_fields: Vec<(Kind, String)>,
    pub(crate) read_only_fields: Vec<(Kind, String)>,
    pub(crate) hidden_objects: BTreeSet<Kind>,
    pub(crate) duplicate_rules: Vec<DuplicateRule>,
    pub(crate) assignment_rules: Vec<AssignmentRule>,
}

/// A rule that finds a record's likely doubles when it is saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DuplicateRule {
    pub(crate) kind: Kind,
    /// A record that has the same in all of these is a double.
    pub(crate) fields: Vec<String>,
    /// The caller may save all the same.
    pub(crate) allow_save: bool,
}

/// An active assignment rule: new records go to this user unless the caller switches it off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AssignmentRule {
    pub(crate) kind: Kind,
    pub(crate) username: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base_url: "https://acme.my.salesforce.com".to_owned(),
            token: "00D5e0009IYLN0i!AQcAQFakeFakeFakeFakeFakeFakeFakeFakeFakeFakeFakeFakeFakeFake".to_owned(),
            rng_seed: 1,
            daily_limit: 100_000_000,
            newest_version: 68,
            query_page_max: 2000,
            bulk_polls: 1,
            bulk_page_max: 50_000,
            bulk_rows_max: usize::MAX,
            session_seconds: 7200,
            rotates_refresh_tokens: false,
            custom_fields: Vec::new(),
            hidden_fields: Vec::new(),
            read_only_fields: Vec::new(),
            hidden_objects: BTreeSet::new(),
            duplicate_rules: Vec::new(),
            assignment_rules: Vec::new(),
        }
    }
}
