//! An ActiveCampaign account that answers as API v3 does.
//!
//! These endpoints are covered; any other is a 404. Where `PUT` is, `PATCH` is too. What of each is covered, and what not, stands
//! at the [crate's front](crate#the-fake-activecampaign).
//!
//! ```text
//! GET POST               /api/3/contacts
//! GET PUT PATCH DELETE   /api/3/contacts/{id}
//! GET                    /api/3/contacts/{id}/{accountContacts,contactLists,contactTags,fieldValues,notes}
//! POST                   /api/3/contact/sync
//! GET POST               /api/3/accounts
//! GET PUT PATCH DELETE   /api/3/accounts/{id}
//! GET                    /api/3/accounts/{id}/{accountCustomFieldData,notes}
//! DELETE                 /api/3/accounts/bulk_delete
//! GET POST               /api/3/accountContacts
//! GET PUT PATCH DELETE   /api/3/accountContacts/{id}
//! GET POST               /api/3/deals
//! GET PUT PATCH DELETE   /api/3/deals/{id}
//! GET                    /api/3/deals/{id}/{dealCustomFieldData,notes}
//! GET POST               /api/3/{contactDeals,dealGroups}
//! GET                    /api/3/dealStages
//! GET POST               /api/3/fields
//! GET                    /api/3/fields/{id}
//! POST                   /api/3/fieldRels
//! POST                   /api/3/fieldOption/bulk
//! GET POST               /api/3/fieldValues
//! PUT PATCH DELETE       /api/3/fieldValues/{id}
//! GET POST               /api/3/{accountCustomFieldMeta,dealCustomFieldMeta}
//! GET                    /api/3/{accountCustomFieldMeta,dealCustomFieldMeta}/{id}
//! GET POST               /api/3/{accountCustomFieldData,dealCustomFieldData}
//! PUT PATCH DELETE       /api/3/{accountCustomFieldData,dealCustomFieldData}/{id}
//! GET                    /api/3/lists
//! GET                    /api/3/{lists,tags}/{id}
//! GET POST               /api/3/{contactLists,tags}
//! POST                   /api/3/contactTags
//! DELETE                 /api/3/contactTags/{id}
//! GET POST               /api/3/notes
//! GET PUT PATCH DELETE   /api/3/notes/{id}
//! GET                    /api/3/users
//! GET                    /api/3/users/{id}
//! GET                    /api/3/users/me
//! GET                    /api/3/users/email/{address}
//! GET POST               /api/3/webhooks
//! GET PUT PATCH DELETE   /api/3/webhooks/{id}
//! GET                    /api/3/webhook/events
//! GET POST PUT PATCH     /api/3/import/bulk_import
//! GET                    /api/3/import/info
//! GET PUT PATCH          /api/3/eventTracking
//! POST                   /event
//! ```

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
