//! Bulk import: taken whole or not at all, carried out later, its outcome told without saying whose id is whose.

use serde_json::{Value, json};

use crate::fake::activecampaign::contacts;
use crate::fake::activecampaign::errors::{self, Ruling};
use crate::fake::activecampaign::fields;
use crate::fake::activecampaign::lists;
use crate::fake::activecampaign::reply;
use crate::fake::activecampaign::state::{Account, Association, Import, Membership, State};
use crate::fake::activecampaign::table::{sent, sent_id};
use crate::fake::exchange::Request;

const CONTACTS_MAX: usize = 250;
const BYTES_MAX: usize = 400_000;
const REFUSED: &str = "JSON payload did not pass validation. Please fix failureReasons and retry. The import was not queued for \
                       processing.";

/// `POST /import/bulk_import`.
pub(crate) fn queue(state: &mut State, now: i64, request: &Request) -> Ruling {
    let top = |reason: &str| errors::import_refused(REFUSED, &json!([reason]));
    if request.body.len() > BYTES_MAX {
        return Err(top("The JSON payload is too large."));
    }
    let body: Value = serde_json::from_slice(&request.body).map_err(|_| top("JSON payload could not be parsed."))?;
    if !state.limits.admit_import(now) {
        return Err(errors::import_refused("Rate limit exceeded.", &json!(["Rate limit exceeded."])));
    }
    let contacts = body["contacts"].as_array().ok_or_else(|| top("Field 'contacts' not found"))?;
    if contacts.len() > CONTACTS_MAX {
        return Err(top("Maximum number of contacts (250) exceeded."));
    }
    let reason = |contact: &Value| match sent(contact, "email") {
        None => Some("Field 'email' not found"),
        Some(email) if !email.contains('@') => Some("Field 'email' is not valid"),
        Some(_) => None,
    };
    let numbered = contacts.iter().enumerate();
    let reasons: Vec<Value> = numbered
        .filter_map(|(place, contact)| Some(json!({"contact": place + 1, "failureReason": reason(contact)?})))
        .collect();
    if !reasons.is_empty() {
        return Err(errors::import_refused(REFUSED, &reasons.into()));
    }
    let batch = state.dice.uuid();
    let import = Import {
        batch: batch.clone(),
        contacts: contacts.clone(),
        polls_left: state.settings.import_polls,
        outcome: None,
    };
    state.imports.push(import);
    let shown =
        json!({"Success": 1, "queued_contacts": contacts.len(), "batchId": batch, "message": "Contact import queued"});
    Ok(reply::json(200, &shown))
}

/// `GET /import/info?batchId=…`.
pub(crate) fn info(state: &mut State, now: i64, request: &Request) -> Ruling {
    let batch = request.query("batchId").filter(|batch| !batch.is_empty()).ok_or_else(errors::batch_id_missing)?;
    let Some(place) = state.imports.iter().position(|import| import.batch == batch) else {
        return Ok(reply::json(200, &json!({"status": false, "success": [], "failure": []})));
    };
    let import = &mut state.imports[place];
    if import.outcome.is_none() && import.polls_left > 0 {
        import.polls_left -= 1;
        return Ok(reply::json(200, &json!({"status": "active", "success": [], "failure": []})));
    }
    finish(state, now, place);
    let (success, failure) = state.imports[place].outcome.clone().unwrap_or_default();
    Ok(reply::json(200, &json!({"status": "completed", "success": success, "failure": failure})))
}

/// Carries an import out, once.
pub(crate) fn finish(state: &mut State, now: i64, place: usize) {
    let Some(import) = state.imports.get_mut(place).filter(|import| import.outcome.is_none()) else { return };
    let contacts = std::mem::take(&mut import.contacts);
    let outcome = carry_out(state, now, &contacts);
    state.imports[place].outcome = Some(outcome);
}

/// `GET /import/bulk_import`.
pub(crate) fn outstanding(state: &State) -> Ruling {
    let open: Vec<&Import> = state.imports.iter().filter(|import| import.outcome.is_none()).collect();
    let contacts: usize = open.iter().map(|import| import.contacts.len()).sum();
    let shown = json!({"outstanding": [{"batches": open.len().to_string(), "contacts": contacts.to_string()}], "recentlyCompleted": []});
    Ok(reply::json(200, &shown))
}

/// Makes and changes the contacts: ids of those, addresses of the others.
fn carry_out(state: &mut State, now: i64, rows: &[Value]) -> (Vec<String>, Vec<String>) {
    let (mut success, mut failure) = (Vec::new(), Vec::new());
    for row in rows {
        let email = sent(row, "email").unwrap_or_default().trim().to_owned();
        if !email.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.')) {
            failure.push(email);
            continue;
        }
        // Imports have names of their own; others are passed over.
        let body = json!({"firstName": row["first_name"], "lastName": row["last_name"], "phone": row["phone"]});
        let mut body = body;
        if let Some(body) = body.as_object_mut() {
            body.retain(|_, value| !value.is_null());
        }
        let id = match contacts::by_email(state, &email) {
            Some(id) => {
                contacts::change(state, now, id, &body);
                id
            }
            None => contacts::add(state, now, &body, email),
        };
        let values = row["fields"].as_array().into_iter().flatten();
        let values = values.filter_map(|one| Some((sent_id(one, "id")?, sent(one, "value").unwrap_or_default())));
        let known: Vec<(u64, String)> = values.filter(|(field, _)| state.fields.get(*field).is_some()).collect();
        fields::set_all(state, now, id, known);
        associate(state, now, id, row);
        for tag in row["tags"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            lists::tag_named(state, now, tag);
        }
        for one in row["subscribe"].as_array().into_iter().flatten() {
            if let Some(list) = sent_id(one, "listid").filter(|list| state.lists.get(*list).is_some()) {
                state.memberships.add(Membership { list, contact: id, status: "1".to_owned(), since: now });
            }
        }
        success.push(id.to_string());
    }
    (success, failure)
}

/// Associates by the account's name.
fn associate(state: &mut State, now: i64, contact: u64, row: &Value) {
    let Some(name) = sent(row, "customer_acct_name").filter(|name| !name.trim().is_empty()) else { return };
    let known = state.accounts.find(|account| account.name.eq_ignore_ascii_case(name.trim()));
    let account = known.unwrap_or_else(|| {
        let owner = "1".to_owned();
        state.accounts.add(Account { name: name.trim().to_owned(), url: None, owner, created: now, updated: now })
    });
    if state.associations.find(|one| one.contact == contact).is_none() {
        let one = Association { account, contact, job_title: String::new(), created: now, updated: now };
        state.associations.add(one);
    }
}
