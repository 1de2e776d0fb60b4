//! How the fake company is set up: what an admin, a plan or a token decides in the real one.

use crate::fake::pipedrive::field::Field;
use crate::fake::pipedrive::kind::Kind;

/// The company's settings.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) base_url: String,
    pub(crate) token: String,
    pub(crate) rng_seed: u64,
    pub(crate) rate_limits: bool,
    /// Tokens a day: 30,000 × plan × seats.
    pub(crate) daily_tokens: u64,
    /// Calls in two seconds.
    pub(crate) burst: u64,
    pub(crate) page_max: usize,
    /// How long a change stays invisible to searches.
    pub(crate) search_lag_ms: i64,
    pub(crate) contact_sync: bool,
    pub(crate) firmographics: bool,
    /// Persons can be written by `first_name` and `last_name`.
    pub(crate) name_parts: bool,
    /// A deleted record answers to its id until it is purged.
    pub(crate) shows_deleted: bool,
    pub(crate) custom_fields: Vec<(Kind, Field)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base_url: "https://acme.pipedrive.com".to_owned(),
            token: "fa4e0000000000000000000000000000fa4e0000".to_owned(),
            rng_seed: 1,
            rate_limits: false,
            daily_tokens: 30_000,
            burst: 20,
            page_max: 500,
            search_lag_ms: 0,
            contact_sync: false,
            firmographics: true,
            name_parts: true,
            shows_deleted: true,
            custom_fields: Vec::new(),
        }
    }
}
