//! What is fuzzed: an entry point for each kind of input that comes from elsewhere, with the property that it has to have.
//!
//! An entry point takes any bytes and panics only where a property does not hold. [`TARGETS`] names them all; `cargo fuzz`
//! runs one of them for as long as it is let, the test of this package all of them for a bounded number of inputs.

mod bytes;
mod decoders;
mod filter;
mod keys;
mod merge;
mod stub;
mod webhooks;

pub use decoders::{activecampaign, hubspot, pipedrive, salesforce, salesforce_bulk};
pub use filter::filter;
pub use keys::{domain, email};
pub use merge::merge;
pub use webhooks::{webhook_activecampaign, webhook_hubspot, webhook_pipedrive, webhook_salesforce};

/// Takes any bytes.
pub type Target = fn(&[u8]);

/// The entry points, each by the name of its target and of its seeds' folder.
pub const TARGETS: [(&str, Target); 13] = [
    ("activecampaign", activecampaign),
    ("domain", domain),
    ("email", email),
    ("filter", filter),
    ("hubspot", hubspot),
    ("merge", merge),
    ("pipedrive", pipedrive),
    ("salesforce", salesforce),
    ("salesforce_bulk", salesforce_bulk),
    ("webhook_activecampaign", webhook_activecampaign),
    ("webhook_hubspot", webhook_hubspot),
    ("webhook_pipedrive", webhook_pipedrive),
    ("webhook_salesforce", webhook_salesforce),
];
