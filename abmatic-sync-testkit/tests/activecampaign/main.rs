//! The fake ActiveCampaign against what the API's documentation, and answers recorded from it, say.

#![allow(clippy::unwrap_used, reason = "a test that fails shall stop, in its helpers too")]

mod contacts;
mod crm;
mod desk;
mod fields;
mod imports;
mod manners;
mod refusals;
