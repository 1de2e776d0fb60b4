//! From a method and a path to the rule that answers it; who may ask, and how often.

use serde_json::{Value, json};

use crate::fake::activecampaign::custom::{self, Family};
use crate::fake::activecampaign::errors::{self, Ruling};
use crate::fake::activecampaign::limits::CALLS_A_SECOND;
use crate::fake::activecampaign::state::{Event, State};
use crate::fake::activecampaign::{accounts, around, associations, contacts, deals, fields, import, lists, reply};
use crate::fake::exchange::{Request, Response};

/// A path of the API, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) template: String,
    /// What follows `/api/3`; nothing where it is another path.
    rest: Option<Vec<String>>,
}

/// Takes a path apart. Ids show as `{id}` in its template.
pub(crate) fn route(path: &str) -> Route {
    let Some(rest) = path.strip_prefix("/api/3/") else { return Route { template: path.to_owned(), rest: None } };
    let rest: Vec<String> = rest.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let shown = rest.iter().map(|part| if part.parse::<u64>().is_ok() { "{id}" } else { part.as_str() });
    Route { template: format!("/api/3/{}", shown.collect::<Vec<_>>().join("/")), rest: Some(rest) }
}

pub(crate) fn answer(state: &mut State, now: i64, request: &Request, route: &Route) -> Response {
    let mut response = match &route.rest {
        Some(rest) => admitted(state, now, request, rest).unwrap_or_else(|refusal| reply::refused(&refusal)),
        None if (request.method.as_str(), request.path.as_str()) == ("POST", "/event") => track(state, request),
        None => reply::page(404),
    };
    if state.settings.rate_headers {
        response.set("RateLimit-Limit", CALLS_A_SECOND.to_string());
        response.set("RateLimit-Remaining", state.limits.left().to_string());
    }
    dress(state, &mut response);
    response
}

/// What every answer carries, as it was recorded.
pub(crate) fn dress(state: &mut State, response: &mut Response) {
    response.set("Server", "cloudflare");
    response.set("Set-Cookie", format!("PHPSESSID={}; path=/; HttpOnly", state.dice.uuid().replace('-', "")));
    response.set("X-Envoy-Upstream-Service-Time", "38");
    response.set("X-Request-Id", state.dice.uuid());
}

fn admitted(state: &mut State, now: i64, request: &Request, rest: &[String]) -> Ruling {
    if state.lapsed {
        return Err(errors::lapsed());
    }
    let is_known = request.header("Api-Token") == Some(state.settings.token.as_str());
    if state.revoked || !is_known {
        return Err(errors::forbidden());
    }
    if state.settings.rate_limits && !state.limits.admit(now) {
        return Err(errors::too_many());
    }
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    if !state.settings.crm
        && rest.first().is_some_and(|first| first.starts_with("account") || first.starts_with("deal"))
    {
        return Err(errors::forbidden());
    }
    dispatch(state, now, request, &rest)
}

fn dispatch(state: &mut State, now: i64, request: &Request, rest: &[&str]) -> Ruling {
    match request.method.as_str() {
        "GET" => get(state, now, request, rest),
        "DELETE" => delete(state, now, request, rest),
        // A partial update by either name.
        "POST" | "PUT" | "PATCH" if rest == ["import", "bulk_import"] => import::queue(state, now, request),
        "POST" => post(state, now, &body(request)?, rest),
        "PUT" | "PATCH" => put(state, now, &body(request)?, rest),
        _ => Err(errors::method_not_allowed()),
    }
}

fn body(request: &Request) -> Ruling<Value> {
    serde_json::from_slice(&request.body).map_err(|_| errors::bad_json())
}

/// An id in a path; one that is none names nothing.
fn number(text: &str) -> Ruling<u64> {
    text.parse().map_err(|_| errors::unknown_route())
}

fn get(state: &mut State, now: i64, request: &Request, rest: &[&str]) -> Ruling {
    match *rest {
        ["contacts"] => contacts::list(state, now, request),
        ["contacts", id] => contacts::read(state, number(id)?),
        ["contacts", id, "accountContacts"] => associations::of_contact(state, number(id)?),
        ["contacts", id, "contactLists"] => {
            Ok(reply::json(200, &json!({"contactLists": lists::memberships_of(state, &[number(id)?].into())})))
        }
        ["contacts", id, "contactTags"] => {
            Ok(reply::json(200, &json!({"contactTags": lists::taggings_of(state, &[number(id)?].into())})))
        }
        ["contacts", id, "fieldValues"] => fields::values_of_contact(state, number(id)?),
        ["contacts", id, "notes"] => around::notes(state, request, Some(("Subscriber", number(id)?))),
        ["accounts"] => accounts::list(state, request),
        ["accounts", id] => accounts::read(state, number(id)?),
        ["accounts", id, "accountCustomFieldData"] => custom::columns(state, Family::Account, number(id)?),
        ["accounts", id, "notes"] => around::notes(state, request, Some(("CustomerAccount", number(id)?))),
        ["accountContacts"] => associations::list(state, request),
        ["accountContacts", id] => associations::read(state, number(id)?),
        ["deals"] => deals::list(state, request),
        ["deals", id] => deals::read(state, number(id)?),
        ["deals", id, "dealCustomFieldData"] => custom::columns(state, Family::Deal, number(id)?),
        ["deals", id, "notes"] => around::notes(state, request, Some(("Deal", number(id)?))),
        ["contactDeals"] => deals::contacts(state, request),
        ["dealGroups"] => deals::groups(state, request),
        ["dealStages"] => deals::stages(state, request),
        ["fields"] => fields::list(state, request),
        ["fields", id] => fields::read(state, number(id)?),
        ["fieldValues"] => fields::values(state, request),
        ["accountCustomFieldMeta"] => custom::list(state, Family::Account, request),
        ["accountCustomFieldMeta", id] => custom::read(state, Family::Account, number(id)?),
        ["accountCustomFieldData"] => custom::data(state, Family::Account, request),
        ["dealCustomFieldMeta"] => custom::list(state, Family::Deal, request),
        ["dealCustomFieldMeta", id] => custom::read(state, Family::Deal, number(id)?),
        ["dealCustomFieldData"] => custom::data(state, Family::Deal, request),
        ["lists"] => lists::lists(state, request),
        ["lists", id] => lists::one_list(state, number(id)?),
        ["contactLists"] => lists::all_memberships(state, request),
        ["tags"] => lists::tags(state, request),
        ["tags", id] => lists::one_tag(state, number(id)?),
        ["notes"] => around::notes(state, request, None),
        ["notes", id] => around::note(state, number(id)?),
        ["users"] => around::users(state, request),
        ["users", "me"] => around::one_user(state, |id, _| id == "1", "me"),
        ["users", "email", email] => around::one_user(state, |_, address| address == email, email),
        ["users", id] => around::one_user(state, |known, _| known == id, id),
        ["webhooks"] => around::webhooks(state, request),
        ["webhooks", id] => around::webhook(state, number(id)?),
        ["webhook", "events"] => around::webhook_events(),
        ["import", "bulk_import"] => import::outstanding(state),
        ["import", "info"] => import::info(state, now, request),
        ["eventTracking"] => around::event_tracking(state),
        _ => Err(errors::unknown_route()),
    }
}

fn post(state: &mut State, now: i64, body: &Value, rest: &[&str]) -> Ruling {
    match *rest {
        ["contacts"] => contacts::create(state, now, body),
        ["contact", "sync"] => contacts::sync(state, now, body),
        ["accounts"] => accounts::create(state, now, body),
        ["accountContacts"] => associations::create(state, now, body),
        ["deals"] => deals::create(state, now, body),
        ["contactDeals"] => deals::add_contact(state, body),
        ["dealGroups"] => deals::create_group(state, now, body),
        ["fields"] => fields::create(state, now, body),
        ["fieldRels"] => fields::relate(state, body),
        ["fieldOption", "bulk"] => fields::add_options(state, body),
        ["fieldValues"] => fields::write_value(state, now, None, body),
        ["accountCustomFieldMeta"] => custom::create(state, now, Family::Account, body),
        ["accountCustomFieldData"] => custom::write(state, now, Family::Account, None, body),
        ["dealCustomFieldMeta"] => custom::create(state, now, Family::Deal, body),
        ["dealCustomFieldData"] => custom::write(state, now, Family::Deal, None, body),
        ["contactLists"] => lists::subscribe(state, now, body),
        ["tags"] => lists::create_tag(state, now, body),
        ["contactTags"] => lists::tag_contact(state, now, body),
        ["notes"] => around::create_note(state, now, body),
        ["webhooks"] => around::write_webhook(state, now, None, body),
        _ => Err(errors::unknown_route()),
    }
}

fn put(state: &mut State, now: i64, body: &Value, rest: &[&str]) -> Ruling {
    match *rest {
        ["contacts", id] => contacts::update(state, now, number(id)?, body),
        ["accounts", id] => accounts::update(state, now, number(id)?, body),
        ["accountContacts", id] => associations::update(state, now, number(id)?, body),
        ["deals", id] => deals::update(state, now, number(id)?, body),
        ["fieldValues", id] => fields::write_value(state, now, Some(number(id)?), body),
        ["accountCustomFieldData", id] => custom::write(state, now, Family::Account, Some(number(id)?), body),
        ["dealCustomFieldData", id] => custom::write(state, now, Family::Deal, Some(number(id)?), body),
        ["notes", id] => around::update_note(state, now, number(id)?, body),
        ["webhooks", id] => around::write_webhook(state, now, Some(number(id)?), body),
        ["eventTracking"] => {
            state.settings.event_tracking = body["eventTracking"]["enabled"].as_bool().unwrap_or(true);
            around::event_tracking(state)
        }
        _ => Err(errors::unknown_route()),
    }
}

fn delete(state: &mut State, now: i64, request: &Request, rest: &[&str]) -> Ruling {
    match *rest {
        ["contacts", id] => contacts::delete(state, number(id)?),
        ["accounts", "bulk_delete"] => accounts::delete_many(state, request),
        ["accounts", id] => accounts::delete(state, number(id)?),
        ["accountContacts", id] => associations::delete(state, number(id)?),
        ["deals", id] => deals::delete(state, number(id)?),
        ["fieldValues", id] => fields::delete_value(state, now, number(id)?),
        ["accountCustomFieldData", id] => custom::delete(state, Family::Account, number(id)?),
        ["dealCustomFieldData", id] => custom::delete(state, Family::Deal, number(id)?),
        ["contactTags", id] => lists::untag_contact(state, number(id)?),
        ["notes", id] => around::delete_note(state, number(id)?),
        ["webhooks", id] => around::delete_webhook(state, number(id)?),
        _ => Err(errors::unknown_route()),
    }
}

/// `POST https://trackcmp.net/event`, here on the same host: a form with an account and a key of its own.
fn track(state: &mut State, request: &Request) -> Response {
    let form = request.form_fields();
    let text = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let visit: Value = serde_json::from_str(text("visit")).unwrap_or_default();
    let email = visit["email"].as_str().unwrap_or_default().to_owned();
    let is_good = state.settings.event_tracking && !text("actid").is_empty() && !text("key").is_empty();
    if !is_good || email.is_empty() || !(1..=32).contains(&text("event").chars().count()) {
        return reply::json(200, &json!({"success": 0, "message": "There was an error tracking the event"}));
    }
    state.events.push(Event { email, name: text("event").to_owned(), data: text("eventdata").to_owned() });
    reply::json(200, &json!({"success": 1, "message": "Event spawned"}))
}
