//! Fake CRMs: servers that hold state and answer as the documented API does, for tests in any language.

pub mod activecampaign;
pub mod clock;
pub mod exchange;
pub mod fault;
pub mod hubspot;
pub mod pipedrive;
pub mod recording;
pub mod salesforce;
pub mod traffic;

mod consent;
pub(crate) mod dice;
mod handle;
mod http;
mod json;
mod machine;
mod mess;
mod moment;
mod packed;
mod redact;
mod running;
mod server;
mod words;
