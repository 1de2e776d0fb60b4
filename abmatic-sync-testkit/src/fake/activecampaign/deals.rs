//! Deals in cents, their pipelines and stages.

use serde_json::{Value, json};

use crate::fake::activecampaign::central::{self, with_offset};
use crate::fake::activecampaign::custom::{self, Family};
use crate::fake::activecampaign::errors::{self, Refusal, Ruling};
use crate::fake::activecampaign::listing::{Total, filter, filter_id, meta, page};
use crate::fake::activecampaign::reply;
use crate::fake::activecampaign::state::{Deal, Group, Stage, State};
use crate::fake::activecampaign::table::{echo, sent, sent_id};
use crate::fake::exchange::{Request, Response};

/// The stages that every new pipeline has.
const FIRST_STAGES: [&str; 3] = ["To Contact", "In Contact", "Follow Up"];

fn row(state: &State, id: u64, deal: &Deal) -> Value {
    if deal.disabled {
        return json!({"title": deal.title, "status": deal.status, "id": id.to_string(), "isDisabled": true});
    }
    let account = deal.account.map(|id| id.to_string());
    let link = |name: &str| state.link(&format!("deals/{id}/{name}"));
    json!({
        "hash": format!("{id:08x}"), "owner": deal.owner, "contact": deal.contact.map(|id| id.to_string()),
        "organization": account, "group": deal.group.to_string(), "stage": deal.stage.to_string(), "title": deal.title,
        "description": deal.description, "percent": deal.percent, "cdate": with_offset(deal.created),
        "mdate": with_offset(deal.modified), "nextdate": null, "nexttaskid": null, "value": deal.value.to_string(),
        "currency": deal.currency, "winProbability": null, "winProbabilityMdate": null, "status": deal.status,
        "activitycount": "0", "nextdealid": (id + 1).to_string(), "edate": null,
        "links": {
            "dealActivities": link("dealActivities"), "contact": link("contact"), "contactDeals": link("contactDeals"),
            "group": link("group"), "notes": link("notes"), "account": link("account"), "owner": link("owner"),
            "stage": link("stage"), "dealCustomFieldData": link("dealCustomFieldData"),
        },
        "id": id.to_string(), "isDisabled": false, "account": account, "customerAccount": account,
    })
}

/// `GET /deals`.
pub(crate) fn list(state: &State, request: &Request) -> Ruling {
    let mut found: Vec<(u64, &Deal)> = state.deals.iter().filter(|(_, deal)| is_asked_for(request, deal)).collect();
    for (name, direction) in &request.query {
        match name.as_str() {
            "orders[cdate]" => found.sort_by_key(|(id, deal)| (deal.created, *id)),
            "orders[title]" => found.sort_by_key(|(id, deal)| (deal.title.to_lowercase(), *id)),
            "orders[value]" => found.sort_by_key(|(id, deal)| (deal.value, *id)),
            _ => continue,
        }
        if direction.eq_ignore_ascii_case("desc") {
            found.reverse();
        }
        break;
    }
    let sum: i64 = found.iter().map(|(_, deal)| deal.value).sum();
    let (rows, total) = page(state, request, found);
    let rows: Vec<Value> = rows.into_iter().map(|(id, deal)| row(state, id, deal)).collect();
    let mut meta = meta(total, Total::Number);
    meta["currencies"] = json!({
        "USD": {"total": total.to_string(), "value": sum.to_string(), "currency": "USD", "isDisabled": false},
    });
    Ok(reply::json(200, &json!({"deals": rows, "meta": meta})))
}

fn is_asked_for(request: &Request, deal: &Deal) -> bool {
    let text = |name: &str| filter(request, name);
    let number = |name: &str| filter_id(request, name);
    let moment = |name: &str| filter(request, name).and_then(central::parse);
    let dollars = |name: &str| filter(request, name)?.parse::<f64>().ok().map(|dollars| dollars * 100.0);
    let contains = |part: &str| deal.title.to_lowercase().contains(&part.to_lowercase());
    let group = number("group").or_else(|| number("d_groupid"));
    let stage = number("stage").or_else(|| number("d_stageid"));
    text("search").is_none_or(contains)
        && text("title").is_none_or(contains)
        && stage.is_none_or(|id| deal.stage == id)
        && group.is_none_or(|id| deal.group == id)
        && text("status").is_none_or(|status| deal.status == status)
        && text("owner").or_else(|| text("d_owner")).is_none_or(|owner| deal.owner == owner)
        && number("organization").is_none_or(|id| deal.account == Some(id))
        && moment("created_after").is_none_or(|at| deal.created >= at)
        && moment("created_before").is_none_or(|at| deal.created < at)
        && moment("updated_after").is_none_or(|at| deal.modified >= at)
        && moment("updated_before").is_none_or(|at| deal.modified < at)
        && dollars("minimum_value").is_none_or(|min| deal.value as f64 >= min)
        && dollars("maximum_value").is_none_or(|max| deal.value as f64 <= max)
}

/// `GET /deals/{id}`: a deal that the key may not see is a stub.
pub(crate) fn read(state: &State, id: u64) -> Ruling {
    let deal = state.deals.get(id).ok_or_else(|| missing(id))?;
    Ok(reply::json(200, &json!({"deal": row(state, id, deal)})))
}

/// `POST /deals`.
pub(crate) fn create(state: &mut State, now: i64, body: &Value) -> Ruling {
    let body = &body["deal"];
    let title = sent(body, "title").filter(|title| !title.is_empty()).ok_or_else(|| not_sent("title"))?;
    let value = cents(body)?.ok_or_else(|| not_sent("value"))?;
    let currency = sent(body, "currency").filter(|text| !text.is_empty()).ok_or_else(|| not_sent("currency"))?;
    let (contact, account) =
        (sent_id(body, "contact"), sent_id(body, "account").or_else(|| sent_id(body, "organization")));
    if contact.is_none() && account.is_none() {
        return Err(not_sent("contact"));
    }
    whole(state, contact, account)?;
    let (group, stage) = place(state, body, None)?.ok_or_else(|| not_sent("group"))?;
    let text =
        |key: &str, usual: &str| sent(body, key).filter(|text| !text.is_empty()).unwrap_or_else(|| usual.to_owned());
    let deal = Deal {
        title,
        value,
        currency: currency.to_lowercase(),
        contact,
        account,
        group,
        stage,
        owner: text("owner", "1"),
        percent: text("percent", "0"),
        status: text("status", "0"),
        description: text("description", ""),
        created: now,
        modified: now,
        disabled: false,
    };
    let id = state.deals.add(deal);
    Ok(written(state, now, id, body, 201))
}

/// `PUT /deals/{id}`.
pub(crate) fn update(state: &mut State, now: i64, id: u64, body: &Value) -> Ruling {
    let body = &body["deal"];
    let before = state.deals.get(id).ok_or_else(|| missing(id))?.clone();
    if before.disabled {
        return Err(errors::forbidden());
    }
    let value = cents(body)?;
    let contact = if body.get("contact").is_some() { sent_id(body, "contact") } else { before.contact };
    let account = if body.get("account").is_some() { sent_id(body, "account") } else { before.account };
    whole(state, contact, account)?;
    let place = place(state, body, Some((before.group, before.stage)))?;
    if let Some(deal) = state.deals.get_mut(id) {
        let text = |key: &str, held: &mut String| {
            if let Some(text) = sent(body, key) {
                *held = text;
            }
        };
        for (key, held) in [
            ("title", &mut deal.title),
            ("owner", &mut deal.owner),
            ("percent", &mut deal.percent),
            ("status", &mut deal.status),
            ("description", &mut deal.description),
            ("currency", &mut deal.currency),
        ] {
            text(key, held);
        }
        deal.value = value.unwrap_or(deal.value);
        (deal.contact, deal.account) = (contact, account);
        (deal.group, deal.stage) = place.unwrap_or((before.group, before.stage));
        deal.modified = now;
    }
    Ok(written(state, now, id, body, 200))
}

/// `DELETE /deals/{id}`.
pub(crate) fn delete(state: &mut State, id: u64) -> Ruling {
    if erase(state, id) { Ok(reply::json(200, &json!({}))) } else { Err(missing(id)) }
}

pub(crate) fn erase(state: &mut State, id: u64) -> bool {
    state.deal_fields.data.retain(|datum| datum.of != id);
    state.deal_contacts.retain(|(deal, _)| *deal != id);
    state.deals.remove(id).is_some()
}

fn written(state: &mut State, now: i64, id: u64, body: &Value, status: u16) -> Response {
    let (outcome, fields) = custom::save_inline(state, now, Family::Deal, id, body);
    let Some(deal) = state.deals.get(id) else { return reply::json(status, &json!({})) };
    let mut shown = row(state, id, deal);
    echo(&mut shown, body);
    shown["customFieldSaveStatus"] = outcome;
    shown["fields"] = fields;
    let group: Vec<Value> =
        state.groups.get(deal.group).map(|group| group_row(state, deal.group, group)).into_iter().collect();
    let stage: Vec<Value> =
        state.stages.get(deal.stage).map(|stage| stage_row(deal.stage, stage)).into_iter().collect();
    reply::json(status, &json!({"contacts": [], "dealGroups": group, "dealStages": stage, "deal": shown}))
}

/// `POST /contactDeals`: one contact more.
pub(crate) fn add_contact(state: &mut State, body: &Value) -> Ruling {
    let body = &body["contactDeal"];
    let deal = sent_id(body, "deal").filter(|id| state.deals.get(*id).is_some()).ok_or_else(|| not_sent("deal"))?;
    let contact = sent_id(body, "contact").filter(|id| state.contacts.get(*id).is_some());
    let contact = contact.ok_or_else(|| not_sent("contact"))?;
    let is_first = state.deals.get(deal).is_some_and(|deal| deal.contact == Some(contact));
    if is_first || state.deal_contacts.find(|pair| *pair == (deal, contact)).is_some() {
        let title = "The given contact is already associated to the deal";
        return Err(errors::invalid(title, "field_invalid", "contact"));
    }
    let id = state.deal_contacts.add((deal, contact));
    let shown =
        json!({"deal": body["deal"], "contact": body["contact"], "role": null, "links": {}, "id": id.to_string()});
    Ok(reply::json(201, &json!({"contactDeal": shown})))
}

/// `GET /contactDeals`.
pub(crate) fn contacts(state: &State, request: &Request) -> Ruling {
    let deal = filter_id(request, "deal");
    let rows: Vec<Value> = state
        .deal_contacts
        .iter()
        .filter(|(_, pair)| deal.is_none_or(|id| pair.0 == id))
        .map(|(id, (deal, contact))| {
            json!({"deal": deal.to_string(), "contact": contact.to_string(), "role": null, "id": id.to_string()})
        })
        .collect();
    let total = rows.len();
    Ok(reply::json(200, &json!({"contactDeals": rows, "meta": meta(total, Total::Number)})))
}

fn group_row(state: &State, id: u64, group: &Group) -> Value {
    let stages: Vec<String> =
        state.stages.iter().filter(|(_, stage)| stage.group == id).map(|(id, _)| id.to_string()).collect();
    json!({
        "title": group.title, "currency": group.currency, "autoassign": "0", "allusers": "1", "allgroups": "1",
        "win_probability_initialize_date": null, "cdate": with_offset(group.created), "udate": with_offset(group.created),
        "links": {}, "stages": stages, "id": id.to_string(),
    })
}

fn stage_row(id: u64, stage: &Stage) -> Value {
    json!({
        "group": stage.group.to_string(), "title": stage.title, "color": "434343", "order": stage.order.to_string(),
        "width": "280", "dealOrder": "next-action DESC", "cardRegion1": "title", "cdate": null, "udate": null, "links": {},
        "id": id.to_string(),
    })
}

/// `GET /dealGroups`.
pub(crate) fn groups(state: &State, request: &Request) -> Ruling {
    let (rows, total) = page(state, request, state.groups.iter().collect());
    let rows: Vec<Value> = rows.into_iter().map(|(id, group)| group_row(state, id, group)).collect();
    let stages: Vec<Value> = state.stages.iter().map(|(id, stage)| stage_row(id, stage)).collect();
    Ok(reply::json(200, &json!({"dealStages": stages, "dealGroups": rows, "meta": meta(total, Total::Number)})))
}

/// `POST /dealGroups`: with three stages.
pub(crate) fn create_group(state: &mut State, now: i64, body: &Value) -> Ruling {
    let body = &body["dealGroup"];
    let title = sent(body, "title").filter(|title| !title.is_empty()).ok_or_else(|| not_sent("title"))?;
    let currency = sent(body, "currency").unwrap_or_else(|| "usd".to_owned());
    let id = add_group(state, now, &title, &currency);
    let shown = state.groups.get(id).map(|group| group_row(state, id, group));
    Ok(reply::json(201, &json!({"dealGroup": shown})))
}

pub(crate) fn add_group(state: &mut State, now: i64, title: &str, currency: &str) -> u64 {
    let group = state.groups.add(Group { title: title.to_owned(), currency: currency.to_owned(), created: now });
    for (place, title) in FIRST_STAGES.into_iter().enumerate() {
        state.stages.add(Stage { group, title: title.to_owned(), order: place + 1 });
    }
    group
}

/// `GET /dealStages`.
pub(crate) fn stages(state: &State, request: &Request) -> Ruling {
    let group = filter_id(request, "d_groupid");
    let found: Vec<(u64, &Stage)> =
        state.stages.iter().filter(|(_, stage)| group.is_none_or(|id| stage.group == id)).collect();
    let (rows, total) = page(state, request, found);
    let rows: Vec<Value> = rows.into_iter().map(|(id, stage)| stage_row(id, stage)).collect();
    Ok(reply::json(200, &json!({"dealStages": rows, "meta": meta(total, Total::Number)})))
}

/// Pipeline and stage of a body: one of them implies the other.
fn place(state: &State, body: &Value, before: Option<(u64, u64)>) -> Result<Option<(u64, u64)>, Refusal> {
    let invalid = |what: &str| errors::invalid(format!("The {what} is not valid."), "field_invalid", what);
    let (group, stage) = (sent_id(body, "group"), sent_id(body, "stage"));
    if let Some(stage) = stage {
        let of = state.stages.get(stage).ok_or_else(|| invalid("stage"))?.group;
        return if group.is_none_or(|group| group == of) { Ok(Some((of, stage))) } else { Err(invalid("stage")) };
    }
    let Some(group) = group else { return Ok(before) };
    let first = state.stages.find(|stage| stage.group == group).ok_or_else(|| invalid("group"))?;
    Ok(Some((group, first)))
}

/// Whether the contact and the account are there.
fn whole(state: &State, contact: Option<u64>, account: Option<u64>) -> Result<(), Refusal> {
    let invalid = |what: &str| errors::invalid(format!("The {what} is not valid."), "field_invalid", what);
    if contact.is_some_and(|id| state.contacts.get(id).is_none()) {
        return Err(invalid("contact"));
    }
    if account.is_some_and(|id| state.accounts.get(id).is_none()) {
        return Err(invalid("account"));
    }
    Ok(())
}

fn cents(body: &Value) -> Result<Option<i64>, Refusal> {
    let Some(text) = sent(body, "value").filter(|text| !text.is_empty()) else { return Ok(None) };
    let cents = text.parse::<i64>().ok().filter(|cents| *cents >= 0);
    cents.map(Some).ok_or_else(|| errors::invalid("The value is not valid.", "field_invalid", "value"))
}

fn not_sent(what: &str) -> Refusal {
    errors::invalid(format!("The {what} was not provided."), "field_missing", what)
}

fn missing(id: u64) -> Refusal {
    errors::missing("Deal", &id.to_string())
}
