//! How the fake account is set up: its address, its key, and what its plan and its server do.

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) base_url: String,
    pub(crate) token: String,
    pub(crate) rng_seed: u64,
    /// Whether more than five calls a second are refused.
    pub(crate) rate_limits: bool,
    /// Whether answers tell of the limit, as the documentation has it and recorded answers do not.
    pub(crate) rate_headers: bool,
    /// Rows on one page at the most; more asked for is cut to it.
    pub(crate) page_max: usize,
    /// Whether `include` brings rows beside contacts, which no document promises.
    pub(crate) includes: bool,
    /// After how many looks an import is done.
    pub(crate) import_polls: u32,
    /// Whether the plan has accounts and deals.
    pub(crate) crm: bool,
    /// Whether event tracking is on.
    pub(crate) event_tracking: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base_url: "https://acme.api-us1.com".to_owned(),
            token: "fa4e0000fa4e0000fa4e0000fa4e0000fa4e0000fa4e0000fa4e0000fa4e0000fa4e0000".to_owned(),
            rng_seed: 1,
            rate_limits: false,
            rate_headers: false,
            page_max: 100,
            includes: true,
            import_polls: 1,
            crm: true,
            event_tracking: true,
        }
    }
}
