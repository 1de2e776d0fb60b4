//! Accounts: their name is theirs alone; their address is any text.

use serde_json::{Value, json};

use crate::fake::activecampaign::central::with_offset;
use crate::fake::activecampaign::custom::{self, Family};
use crate::fake::activecampaign::errors::{self, Refusal, Ruling};
use crate::fake::activecampaign::listing::{Total, ids, meta, page};
use crate::fake::activecampaign::reply;
use crate::fake::activecampaign::state::{Account, State};
use crate::fake::activecampaign::table::sent;
use crate::fake::exchange::Request;

fn row(state: &State, id: u64, account: &Account, counts: bool) -> Value {
    let count = |count: usize| if counts { count } else { 0 }.to_string();
    let contacts = state.associations.iter().filter(|(_, one)| one.account == id).count();
    let deals = state.deals.iter().filter(|(_, deal)| deal.account == Some(id)).count();
    let link = |name: &str| state.link(&format!("accounts/{id}/{name}"));
    json!({
        "name": account.name, "accountUrl": account.url, "createdTimestamp": with_offset(account.created),
        "updatedTimestamp": with_offset(account.updated), "owner": account.owner, "contactCount": count(contacts),
        "dealCount": count(deals),
        "links": {
            "notes": link("notes"), "accountCustomFieldData": link("accountCustomFieldData"),
            "accountContacts": link("accountContacts"), "emailActivities": link("emailActivities"),
            "contactEmails": link("contactEmails"), "owner": link("owner"),
        },
        "id": id.to_string(),
    })
}

/// `GET /accounts`: found by a part of the name, and by nothing else.
pub(crate) fn list(state: &State, request: &Request) -> Ruling {
    let part = request.query("search").map(str::to_lowercase).unwrap_or_default();
    let found: Vec<(u64, &Account)> =
        state.accounts.iter().filter(|(_, account)| account.name.to_lowercase().contains(&part)).collect();
    let (rows, total) = page(state, request, found);
    let counts = request.query("count_deals") == Some("true");
    let rows: Vec<Value> = rows.into_iter().map(|(id, account)| row(state, id, account, counts)).collect();
    Ok(reply::json(200, &json!({"accounts": rows, "meta": meta(total, Total::Text)})))
}

/// `GET /accounts/{id}`: without counters.
pub(crate) fn read(state: &State, id: u64) -> Ruling {
    let account = state.accounts.get(id).ok_or_else(|| missing(id))?;
    let mut shown = row(state, id, account, false);
    if let Some(shown) = shown.as_object_mut() {
        shown.remove("contactCount");
        shown.remove("dealCount");
    }
    Ok(reply::json(200, &json!({"account": shown})))
}

/// `POST /accounts`.
pub(crate) fn create(state: &mut State, now: i64, body: &Value) -> Ruling {
    let body = &body["account"];
    let name = name(state, body, None)?.ok_or_else(no_name)?;
    let owner = sent(body, "owner").filter(|owner| !owner.is_empty()).unwrap_or_else(|| "1".to_owned());
    let url = sent(body, "accountUrl").filter(|url| !url.is_empty());
    let id = state.accounts.add(Account { name, url, owner, created: now, updated: now });
    Ok(written(state, now, id, body, 201))
}

/// `PUT /accounts/{id}`.
pub(crate) fn update(state: &mut State, now: i64, id: u64, body: &Value) -> Ruling {
    let body = &body["account"];
    state.accounts.get(id).ok_or_else(|| missing(id))?;
    let name = name(state, body, Some(id))?;
    if let Some(account) = state.accounts.get_mut(id) {
        account.name = name.unwrap_or_else(|| account.name.clone());
        if let Some(url) = sent(body, "accountUrl") {
            account.url = Some(url).filter(|url| !url.is_empty());
        }
        if let Some(owner) = sent(body, "owner").filter(|owner| !owner.is_empty()) {
            account.owner = owner;
        }
        account.updated = now;
    }
    Ok(written(state, now, id, body, 200))
}

/// `DELETE /accounts/{id}`.
pub(crate) fn delete(state: &mut State, id: u64) -> Ruling {
    if erase(state, id) { Ok(reply::json(200, &json!({}))) } else { Err(missing(id)) }
}

/// `DELETE /accounts/bulk_delete?ids[]=…`.
pub(crate) fn delete_many(state: &mut State, request: &Request) -> Ruling {
    for id in ids(request, "ids").or_else(|| ids(request, "[]ids")).unwrap_or_default() {
        erase(state, id);
    }
    Ok(reply::json(200, &json!({"meta": {"success": true}})))
}

pub(crate) fn erase(state: &mut State, id: u64) -> bool {
    state.associations.retain(|one| one.account != id);
    state.account_fields.data.retain(|datum| datum.of != id);
    state.accounts.remove(id).is_some()
}

/// The row with which a write is answered: only what was sent, and what became of the fields.
fn written(state: &mut State, now: i64, id: u64, body: &Value, status: u16) -> crate::fake::exchange::Response {
    let (outcome, fields) = custom::save_inline(state, now, Family::Account, id, body);
    let mut shown = state.accounts.get(id).map(|account| row(state, id, account, false)).unwrap_or_default();
    if let Some(shown) = shown.as_object_mut() {
        for key in ["contactCount", "dealCount"] {
            shown.remove(key);
        }
        if body.get("accountUrl").is_none() {
            shown.remove("accountUrl");
        }
    }
    shown["links"] = json!({});
    shown["customFieldSaveStatus"] = outcome;
    shown["fields"] = fields;
    crate::fake::activecampaign::table::echo(&mut shown, &json!({"owner": body["owner"]}));
    reply::json(status, &json!({"account": shown}))
}

/// The name that was sent, which no other account may have; `None` where none was sent.
fn name(state: &State, body: &Value, of: Option<u64>) -> Result<Option<String>, Refusal> {
    let Some(name) = sent(body, "name") else { return Ok(None) };
    let name = name.trim().to_owned();
    if name.is_empty() {
        return Err(no_name());
    }
    let holder = state.accounts.find(|account| account.name.to_lowercase() == name.to_lowercase());
    if holder.is_some_and(|holder| Some(holder) != of) {
        let title = format!("An account named \"{name}\" already exists. Please choose a new name.");
        return Err(errors::invalid(title, "duplicate", "name"));
    }
    Ok(Some(name))
}

fn no_name() -> Refusal {
    errors::invalid("The account name was not provided.", "field_missing", "name")
}

fn missing(id: u64) -> Refusal {
    errors::missing("CustomerAccount", &id.to_string())
}
