//! Contacts: found, made, changed, deleted; their address is theirs alone.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value, json};

use crate::fake::activecampaign::central::{self, with_offset, zoneless};
use crate::fake::activecampaign::errors::{self, Refusal, Ruling};
use crate::fake::activecampaign::listing::{Total, filter, ids, meta, page};
use crate::fake::activecampaign::state::{Association, Contact, State};
use crate::fake::activecampaign::table::{sent, sent_id};
use crate::fake::activecampaign::{associations, fields, lists, reply};
use crate::fake::exchange::{Request, Response};

/// What is linked from a contact.
const LINKS: &[&str] = &[
    "bounceLogs",
    "contactAutomations",
    "contactData",
    "contactGoals",
    "contactLists",
    "contactLogs",
    "contactTags",
    "contactDeals",
    "deals",
    "fieldValues",
    "geoIps",
    "notes",
    "organization",
    "plusAppend",
    "trackingLogs",
    "scoreValues",
    "accountContacts",
    "automationEntryCounts",
];

/// A whole row, as reads show it.
pub(crate) fn row(state: &State, id: u64, contact: &Contact) -> Value {
    let account = state.associations.iter().find(|(_, one)| one.contact == id);
    shown(state, id, contact, account)
}

fn shown(state: &State, id: u64, contact: &Contact, account: Option<(u64, &Association)>) -> Value {
    let domain = contact.email.rsplit_once('@').map_or("", |(_, domain)| domain);
    let associations: Vec<String> = account.iter().map(|(id, _)| id.to_string()).collect();
    let name = account.and_then(|(_, one)| state.accounts.get(one.account)).map_or("", |account| account.name.as_str());
    let (made, changed) = (with_offset(contact.created), with_offset(contact.updated));
    let links = LINKS.iter().map(|name| ((*name).to_owned(), state.link(&format!("contacts/{id}/{name}")).into()));
    let links: Map<String, Value> = links.collect();
    let mut row = json!({
        "cdate": made, "email": contact.email, "phone": contact.phone, "firstName": contact.first_name,
        "lastName": contact.last_name, "orgid": account.map_or(0, |(_, one)| one.account).to_string(), "orgname": name,
        "hash": format!("{id:032x}"), "email_local": "", "email_domain": domain, "udate": changed,
        "created_utc_timestamp": zoneless(contact.created), "updated_utc_timestamp": zoneless(contact.updated),
        "created_timestamp": zoneless(contact.created), "updated_timestamp": zoneless(contact.updated),
        "scoreValues": [], "accountContacts": associations, "links": links, "id": id.to_string(),
        "organization": account.map(|(_, one)| one.account.to_string()),
    });
    for (key, value) in UNTOUCHED {
        row[*key] = value.map_or(Value::Null, Value::from);
    }
    row
}

/// What a contact has that nobody has ever written to.
const UNTOUCHED: &[(&str, Option<&str>)] = &[
    ("segmentio_id", Some("")),
    ("bounced_hard", Some("0")),
    ("bounced_soft", Some("0")),
    ("bounced_date", None),
    ("ip", Some("0")),
    ("ua", None),
    ("socialdata_lastcheck", None),
    ("sentcnt", Some("0")),
    ("rating_tstamp", None),
    ("gravatar", Some("0")),
    ("deleted", Some("0")),
    ("anonymized", Some("0")),
    ("adate", None),
    ("edate", None),
    ("deleted_at", None),
    ("created_by", None),
    ("updated_by", None),
    ("mpp_tracking", Some("0")),
    ("last_click_date", None),
    ("last_open_date", None),
    ("last_mpp_open_date", None),
    ("best_send_hour", None),
];

/// The few keys with which a create is answered.
fn made(id: u64, contact: &Contact) -> Value {
    json!({
        "email": contact.email, "firstName": contact.first_name, "lastName": contact.last_name,
        "cdate": with_offset(contact.created), "udate": with_offset(contact.updated), "phone": contact.phone,
        "orgid": "0", "orgname": "", "links": {}, "id": id.to_string(), "organization": null,
    })
}

/// `GET /contacts`.
pub(crate) fn list(state: &mut State, now: i64, request: &Request) -> Ruling {
    let segment = match request.query("segmentid") {
        Some(id) => match lists::members_of_segment(state, now, id)? {
            Ok(members) => Some(members),
            Err(evaluating) => return Ok(reply::json(200, &evaluating)),
        },
        None => None,
    };
    let mut found: Vec<(u64, &Contact)> = state
        .contacts
        .iter()
        .filter(|(id, _)| segment.as_ref().is_none_or(|members| members.contains(id)))
        .filter(|(id, contact)| is_asked_for(state, request, *id, contact))
        .collect();
    sort(request, &mut found);
    let (rows, total) = page(state, request, found);
    let ids: BTreeSet<u64> = rows.iter().map(|(id, _)| *id).collect();
    let accounts: HashMap<u64, (u64, &Association)> =
        state.associations.iter().map(|(id, one)| (one.contact, (id, one))).collect();
    let row = |(id, contact): &(u64, &Contact)| shown(state, *id, contact, accounts.get(id).copied());
    let mut body = json!({
        "scoreValues": [],
        "contacts": rows.iter().map(row).collect::<Vec<_>>(),
        "meta": meta(total, Total::Text),
    });
    body["meta"]["page_input"] = page_input(request);
    body["meta"]["sortable"] = true.into();
    if state.settings.includes {
        include(state, request, &ids, &mut body);
    }
    Ok(reply::json(200, &body))
}

/// Rows beside the contacts, where they were asked for; the contacts then name their ids.
fn include(state: &State, request: &Request, shown: &BTreeSet<u64>, body: &mut Value) {
    for wanted in request.query_list("include") {
        let rows = match wanted {
            "fieldValues" => fields::values_of(state, shown),
            "accountContacts" => associations::of_contacts(state, shown),
            "contactLists" => lists::memberships_of(state, shown),
            "contactTags" => lists::taggings_of(state, shown),
            _ => continue,
        };
        for contact in body["contacts"].as_array_mut().into_iter().flatten() {
            let own = rows.iter().filter(|row| row["contact"] == contact["id"]);
            contact[wanted] = own.map(|row| row["id"].clone()).collect();
        }
        body[wanted] = rows.into();
    }
}

fn is_asked_for(state: &State, request: &Request, id: u64, contact: &Contact) -> bool {
    let text = |name: &str| request.query(name).filter(|text| !text.is_empty());
    let number = |name: &str| text(name).and_then(|text| text.parse::<u64>().ok());
    let moment = |name: &str| filter(request, name).and_then(central::parse);
    let lower = |text: &str| text.to_lowercase();
    let status = text("status").filter(|status| *status != "-1");
    let whole = || format!("{} {} {} {}", contact.first_name, contact.last_name, contact.phone, contact.email);
    ids(request, "ids").is_none_or(|wanted| wanted.contains(&id))
        && text("email").or_else(|| filter(request, "email")).is_none_or(|email| lower(&contact.email) == lower(email))
        && text("email_like").is_none_or(|part| lower(&contact.email).contains(&lower(part)))
        && text("search").is_none_or(|part| lower(&whole()).contains(&lower(part)))
        && text("phone").is_none_or(|start| contact.phone.starts_with(start))
        && number("id_greater").is_none_or(|than| id > than)
        && number("id_less").is_none_or(|than| id < than)
        && number("exclude").is_none_or(|other| id != other)
        && number("listid").is_none_or(|list| lists::is_member(state, list, id, status))
        && number("tagid").is_none_or(|tag| state.taggings.find(|one| one.tag == tag && one.contact == id).is_some())
        && moment("created_after").is_none_or(|at| contact.created >= at)
        && moment("created_before").is_none_or(|at| contact.created < at)
        && moment("updated_after").is_none_or(|at| contact.updated >= at)
        && moment("updated_before").is_none_or(|at| contact.updated < at)
}

/// By the first order that is known; ids are the usual one.
fn sort(request: &Request, found: &mut [(u64, &Contact)]) {
    for (name, direction) in &request.query {
        let key = |contact: &Contact| match name.as_str() {
            "orders[cdate]" => Some(format!("{:020}", contact.created)),
            "orders[email]" => Some(contact.email.to_lowercase()),
            "orders[first_name]" => Some(contact.first_name.to_lowercase()),
            "orders[last_name]" | "orders[name]" => Some(contact.last_name.to_lowercase()),
            _ => None,
        };
        let is_known = name == "orders[id]" || found.first().is_some_and(|(_, contact)| key(contact).is_some());
        if is_known {
            found.sort_by_key(|(id, contact)| (key(contact), *id));
            if direction.eq_ignore_ascii_case("desc") {
                found.reverse();
            }
            return;
        }
    }
}

fn page_input(request: &Request) -> Value {
    let number = |name: &str, usual: i64| request.query(name).and_then(|text| text.parse().ok()).unwrap_or(usual);
    json!({
        "segmentid": request.query("segmentid"), "formid": number("formid", 0), "listid": number("listid", 0),
        "tagid": number("tagid", 0), "limit": number("limit", 20), "offset": number("offset", 0),
        "search": request.query("search"), "sort": null, "seriesid": number("seriesid", 0), "waitid": number("waitid", 0),
        "status": number("status", -1), "forceQuery": number("forceQuery", 0), "cacheid": "419384c27be8227a943806221f1679d0",
    })
}

/// `GET /contacts/{id}`: with everything around it.
pub(crate) fn read(state: &State, id: u64) -> Ruling {
    let contact = state.contacts.get(id).ok_or_else(|| missing(id))?;
    let only = BTreeSet::from([id]);
    let (values, associations) = (fields::values_of(state, &only), associations::of_contacts(state, &only));
    let memberships = lists::memberships_of(state, &only);
    let own_ids = |rows: &[Value]| rows.iter().map(|row| row["id"].clone()).collect::<Value>();
    let mut shown = row(state, id, contact);
    shown["fieldValues"] = own_ids(&values);
    shown["accountContacts"] = own_ids(&associations);
    shown["contactLists"] = own_ids(&memberships);
    Ok(reply::json(
        200,
        &json!({
            "contactAutomations": [], "contactLists": memberships, "deals": [], "fieldValues": values, "geoIps": [],
            "accountContacts": associations, "contact": shown,
        }),
    ))
}

/// `POST /contacts`.
pub(crate) fn create(state: &mut State, now: i64, body: &Value) -> Ruling {
    let sent = &body["contact"];
    let email = address(sent)?;
    if by_email(state, &email).is_some() {
        return Err(taken());
    }
    let values = fields::checked(state, sent)?;
    let id = add(state, now, sent, email);
    let values = fields::set_all(state, now, id, values);
    Ok(written(state, id, 201, values, made))
}

/// `POST /contact/sync`: makes a contact, or changes the one with that address.
pub(crate) fn sync(state: &mut State, now: i64, body: &Value) -> Ruling {
    let sent = &body["contact"];
    let email = address(sent)?;
    let values = fields::checked(state, sent)?;
    let known = by_email(state, &email);
    let id = match known {
        Some(id) => {
            change(state, now, id, sent);
            id
        }
        None => add(state, now, sent, email),
    };
    let values = fields::set_all(state, now, id, values);
    if known.is_some() {
        let shown = state.contacts.get(id).map(|contact| row(state, id, contact)).unwrap_or_default();
        return Ok(reply::json(200, &json!({"fieldValues": values, "contact": shown})));
    }
    let value_ids: Vec<Value> = values.iter().map(|row| row["id"].clone()).collect();
    let contact = state.contacts.get(id).map(|contact| made(id, contact)).unwrap_or_default();
    let mut shown = json!({"fieldValues": values, "contact": contact});
    shown["contact"]["email_empty"] = false.into();
    shown["contact"]["hash"] = format!("{id:032x}").into();
    shown["contact"]["fieldValues"] = value_ids.into();
    Ok(reply::json(201, &shown))
}

/// `PUT /contacts/{id}`: only the keys that are sent change.
pub(crate) fn update(state: &mut State, now: i64, id: u64, body: &Value) -> Ruling {
    let sent = &body["contact"];
    state.contacts.get(id).ok_or_else(|| missing(id))?;
    if sent.get("email").is_some() {
        let email = address(sent)?;
        if by_email(state, &email).is_some_and(|other| other != id) {
            return Err(taken());
        }
    }
    let values = fields::checked(state, sent)?;
    change(state, now, id, sent);
    let values = fields::set_all(state, now, id, values);
    let shown = state.contacts.get(id).map(|contact| row(state, id, contact)).unwrap_or_default();
    let mut answer = json!({"contact": shown});
    if sent.get("fieldValues").is_some() {
        answer["fieldValues"] = values.into();
    }
    Ok(reply::json(200, &answer))
}

/// `DELETE /contacts/{id}`: for good, with all that hangs on it.
pub(crate) fn delete(state: &mut State, id: u64) -> Ruling {
    if !erase(state, id) {
        return Err(errors::deleted_before("contact", &id.to_string()));
    }
    Ok(reply::json(200, &json!({})))
}

pub(crate) fn erase(state: &mut State, id: u64) -> bool {
    state.associations.retain(|one| one.contact != id);
    state.field_values.retain(|value| value.contact != id);
    state.memberships.retain(|one| one.contact != id);
    state.taggings.retain(|one| one.contact != id);
    let Some(contact) = state.contacts.remove(id) else { return false };
    state.emails.remove(&contact.email.to_lowercase());
    true
}

/// The contact with an address, whatever its case.
pub(crate) fn by_email(state: &State, email: &str) -> Option<u64> {
    state.emails.get(&email.to_lowercase()).copied()
}

/// Adds a contact whose address nobody has.
pub(crate) fn insert(state: &mut State, contact: Contact) -> u64 {
    let email = contact.email.to_lowercase();
    let id = state.contacts.add(contact);
    state.emails.insert(email, id);
    id
}

/// Makes a contact of what was sent.
pub(crate) fn add(state: &mut State, now: i64, body: &Value, email: String) -> u64 {
    let text = |key: &str| sent(body, key).unwrap_or_default();
    let contact = Contact {
        email,
        first_name: text("firstName"),
        last_name: text("lastName"),
        phone: text("phone"),
        created: now,
        updated: now,
    };
    insert(state, contact)
}

/// Changes what was sent.
pub(crate) fn change(state: &mut State, now: i64, id: u64, body: &Value) {
    let Some(contact) = state.contacts.get_mut(id) else { return };
    let email_before = contact.email.to_lowercase();
    let mut set = |key: &str, place: fn(&mut Contact) -> &mut String| {
        if let Some(text) = sent(body, key) {
            *place(contact) = text;
        }
    };
    set("email", |contact| &mut contact.email);
    set("firstName", |contact| &mut contact.first_name);
    set("lastName", |contact| &mut contact.last_name);
    set("phone", |contact| &mut contact.phone);
    contact.updated = now;
    let email = contact.email.to_lowercase();
    state.emails.remove(&email_before);
    state.emails.insert(email, id);
}

/// Something that hangs on a contact has changed.
pub(crate) fn touch(state: &mut State, now: i64, id: u64) {
    if let Some(contact) = state.contacts.get_mut(id) {
        contact.updated = now;
    }
}

/// The contact that a key names.
pub(crate) fn named(state: &State, body: &Value, key: &str) -> Option<u64> {
    sent_id(body, key).filter(|id| state.contacts.get(*id).is_some())
}

fn written(state: &State, id: u64, status: u16, values: Vec<Value>, show: fn(u64, &Contact) -> Value) -> Response {
    let shown = state.contacts.get(id).map(|contact| show(id, contact)).unwrap_or_default();
    let body =
        if values.is_empty() { json!({"contact": shown}) } else { json!({"fieldValues": values, "contact": shown}) };
    reply::json(status, &body)
}

fn address(body: &Value) -> Result<String, Refusal> {
    let email = sent(body, "email").unwrap_or_default();
    let email = email.trim();
    let is_one = email.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && domain.contains('.') && !domain.contains('@') && !email.contains(char::is_whitespace)
    });
    if is_one { Ok(email.to_owned()) } else { Err(errors::invalid_email()) }
}

fn taken() -> Refusal {
    errors::invalid("Email address already exists in the system", "duplicate", "email")
}

fn missing(id: u64) -> Refusal {
    errors::missing("Subscriber", &id.to_string())
}
