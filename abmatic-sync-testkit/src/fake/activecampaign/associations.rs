//! The one account of a contact, and its job title there.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::fake::activecampaign::central::with_offset;
use crate::fake::activecampaign::errors::{self, Refusal, Ruling};
use crate::fake::activecampaign::listing::{Total, filter_id, meta, page};
use crate::fake::activecampaign::reply;
use crate::fake::activecampaign::state::{Association, State};
use crate::fake::activecampaign::table::{echo, sent, sent_id};
use crate::fake::exchange::Request;

fn row(state: &State, id: u64, one: &Association) -> Value {
    json!({
        "account": one.account.to_string(), "contact": one.contact.to_string(), "jobTitle": one.job_title,
        "createdTimestamp": with_offset(one.created), "updatedTimestamp": with_offset(one.updated),
        "links": {
            "account": state.link(&format!("accountContacts/{id}/account")),
            "contact": state.link(&format!("accountContacts/{id}/contact")),
        },
        "id": id.to_string(),
    })
}

/// Those of some contacts.
pub(crate) fn of_contacts(state: &State, contacts: &BTreeSet<u64>) -> Vec<Value> {
    let of = |one: &Association| contacts.contains(&one.contact);
    state.associations.iter().filter(|(_, one)| of(one)).map(|(id, one)| row(state, id, one)).collect()
}

/// `GET /accountContacts`.
pub(crate) fn list(state: &State, request: &Request) -> Ruling {
    let (account, contact) = (filter_id(request, "account"), filter_id(request, "contact"));
    let fits =
        |one: &Association| account.is_none_or(|id| one.account == id) && contact.is_none_or(|id| one.contact == id);
    let found: Vec<(u64, &Association)> = state.associations.iter().filter(|(_, one)| fits(one)).collect();
    let (rows, total) = page(state, request, found);
    let rows: Vec<Value> = rows.into_iter().map(|(id, one)| row(state, id, one)).collect();
    Ok(reply::json(200, &json!({"accountContacts": rows, "meta": meta(total, Total::Text)})))
}

/// `GET /contacts/{id}/accountContacts`, which is not paged.
pub(crate) fn of_contact(state: &State, contact: u64) -> Ruling {
    Ok(reply::json(200, &json!({"accountContacts": of_contacts(state, &BTreeSet::from([contact]))})))
}

/// `GET /accountContacts/{id}`.
pub(crate) fn read(state: &State, id: u64) -> Ruling {
    let one = state.associations.get(id).ok_or_else(|| missing(id))?;
    Ok(reply::json(200, &json!({"accountContact": row(state, id, one)})))
}

/// `POST /accountContacts`.
pub(crate) fn create(state: &mut State, now: i64, body: &Value) -> Ruling {
    let body = &body["accountContact"];
    let account = sent_id(body, "account").ok_or_else(|| not_sent("account"))?;
    let contact = sent_id(body, "contact").ok_or_else(|| not_sent("contact"))?;
    known(state, account, contact)?;
    if state.associations.find(|one| one.contact == contact).is_some() {
        let title = "This contact is already associated with an account. We currently do not support contacts on multiple \
                     accounts.";
        return Err(errors::invalid(title, "field_invalid", "account,contact"));
    }
    let job_title = sent(body, "jobTitle").unwrap_or_default();
    let id = state.associations.add(Association { account, contact, job_title, created: now, updated: now });
    Ok(written(state, id, body, 201))
}

/// `PUT /accountContacts/{id}`: another job title, or another account.
pub(crate) fn update(state: &mut State, now: i64, id: u64, body: &Value) -> Ruling {
    let body = &body["accountContact"];
    let one = state.associations.get(id).ok_or_else(|| missing(id))?;
    let (account, contact) =
        (sent_id(body, "account").unwrap_or(one.account), sent_id(body, "contact").unwrap_or(one.contact));
    known(state, account, contact)?;
    if let Some(one) = state.associations.get_mut(id) {
        (one.account, one.contact, one.updated) = (account, contact, now);
        one.job_title = sent(body, "jobTitle").unwrap_or_else(|| one.job_title.clone());
    }
    Ok(written(state, id, body, 200))
}

/// `DELETE /accountContacts/{id}`.
pub(crate) fn delete(state: &mut State, id: u64) -> Ruling {
    state.associations.remove(id).ok_or_else(|| missing(id))?;
    Ok(reply::json(200, &json!({})))
}

fn written(state: &State, id: u64, body: &Value, status: u16) -> crate::fake::exchange::Response {
    let mut shown = state.associations.get(id).map(|one| row(state, id, one)).unwrap_or_default();
    echo(&mut shown, body);
    reply::json(status, &json!({"accountContact": shown}))
}

fn known(state: &State, account: u64, contact: u64) -> Result<(), Refusal> {
    state
        .accounts
        .get(account)
        .ok_or_else(|| errors::invalid("The account is not valid.", "field_invalid", "account"))?;
    state
        .contacts
        .get(contact)
        .ok_or_else(|| errors::invalid("The contact is not valid.", "field_invalid", "contact"))?;
    Ok(())
}

fn not_sent(what: &str) -> Refusal {
    errors::invalid(format!("The {what} attribute was not provided"), "field_missing", what)
}

fn missing(id: u64) -> Refusal {
    errors::missing("CustomerAccountSubscriber", &id.to_string())
}
