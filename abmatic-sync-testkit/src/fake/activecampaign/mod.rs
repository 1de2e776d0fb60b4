//! An ActiveCampaign account that answers as API v3 does.

mod accounts;
mod answer;
mod around;
mod associations;
mod central;
mod contacts;
mod crm;
mod custom;
mod deals;
mod desk;
mod errors;
mod fields;
mod handle;
mod import;
mod limits;
mod listing;
mod lists;
mod reply;
mod seed;
mod settings;
mod state;
mod table;
mod user;

pub use crate::fake::activecampaign::handle::{Builder, FakeActiveCampaign};
pub use crate::fake::activecampaign::user::CrmUser;
