//! A person at the fake account, in a test's hands.

use serde_json::Value;

use crate::fake::activecampaign::desk;
use crate::fake::activecampaign::handle::FakeActiveCampaign;
use crate::fake::activecampaign::state::{Membership, Segment};
use crate::fake::exchange::Request;

/// Does what a person can do in the application. Objects are named as in paths: `contacts`, `accounts`, `accountContacts`, `deals`.
#[derive(Clone, Copy, Debug)]
pub struct CrmUser<'a>(&'a FakeActiveCampaign);

impl<'a> CrmUser<'a> {
    pub(crate) fn new(fake: &'a FakeActiveCampaign) -> Self {
        Self(fake)
    }

    /// Makes a record.
    ///
    /// # Errors
    /// What the API would refuse it with, as JSON.
    pub fn create(&self, object: &str, body: &Value) -> Result<u64, String> {
        self.0.with(|state, now| desk::create(state, now, object, body))
    }

    /// Changes a record.
    ///
    /// # Errors
    /// As [`CrmUser::create`].
    pub fn update(&self, object: &str, id: u64, body: &Value) -> Result<(), String> {
        self.0.with(|state, now| desk::update(state, now, object, id, body))
    }

    /// Deletes a record for good; says whether it was there.
    pub fn delete(&self, object: &str, id: u64) -> bool {
        self.0.with(|state, _| desk::delete(state, object, id))
    }

    /// Merges a contact into another; says whether both were there.
    pub fn merge_contacts(&self, survivor: u64, loser: u64) -> bool {
        self.0.with(|state, now| desk::merge_contacts(state, now, survivor, loser))
    }

    /// Subscribes a contact to a list.
    pub fn subscribe(&self, list: u64, contact: u64) {
        self.0.with(|state, now| {
            state.memberships.add(Membership { list, contact, status: "1".to_owned(), since: now });
        });
    }

    /// Makes a segment of everybody whose address ends so, and gives its id.
    pub fn create_segment(&self, name: &str, email_ends: &str) -> u64 {
        let segment = Segment { name: name.to_owned(), email_ends: email_ends.to_owned(), evaluated: None };
        self.0.with(|state, _| state.segments.add(segment))
    }

    /// Takes a deal out of the sight of the key's user, or brings it back.
    pub fn hide_deal(&self, id: u64, hidden: bool) {
        self.0.with(|state, _| {
            if let Some(deal) = state.deals.get_mut(id) {
                deal.disabled = hidden;
            }
        });
    }

    /// The rows of an object as the API shows them, by their ids.
    #[must_use]
    pub fn records(&self, object: &str) -> Vec<Value> {
        let token = self.0.token();
        let mut rows = Vec::new();
        loop {
            let target = format!("/api/3/{object}?limit=100&offset={}", rows.len());
            let request = Request::new("GET", &target).with_header("Api-Token", &token);
            let route = super::answer::route(&request.path);
            let page = self.0.with(|state, now| super::answer::answer(state, now, &request, &route)).json();
            let page = page[object].as_array().cloned().unwrap_or_default();
            if page.is_empty() {
                return rows;
            }
            rows.extend(page);
        }
    }

    /// The events that were tracked: address, name and data.
    #[must_use]
    pub fn events(&self) -> Vec<(String, String, String)> {
        let shown = |event: &super::state::Event| (event.email.clone(), event.name.clone(), event.data.clone());
        self.0.with(|state, _| state.events.iter().map(shown).collect())
    }
}
