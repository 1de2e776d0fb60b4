//! What only API v1 offers, and is read only here: users, field numbers, activity types, currencies, summaries.

use serde_json::{Value, json};

use crate::fake::exchange::Request;
use crate::fake::pipedrive::condition::Conditions;
use crate::fake::pipedrive::errors::{self, Refusal};
use crate::fake::pipedrive::field::{ChoiceId, Definition};
use crate::fake::pipedrive::kind::Kind;
use crate::fake::pipedrive::people::{ActivityType, CURRENCIES, HOME_CURRENCY, User};
use crate::fake::pipedrive::reply::{self, Ruling};
use crate::fake::pipedrive::rows::body;
use crate::fake::pipedrive::state::State;
use crate::fake::pipedrive::turn::Turn;
use crate::fake::pipedrive::values::moment_text_v1;

const SET_UP: &str = "2024-01-15 08:00:00";

fn user(state: &State, user: &User) -> Value {
    let permissions = "62cc4d7f-4038-4352-abf3-a8c1c822b631";
    json!({
        "id": user.id, "name": user.name, "default_currency": HOME_CURRENCY, "locale": "en_US", "lang": 1,
        "email": user.email, "phone": null, "activated": true, "last_login": SET_UP, "created": SET_UP,
        "modified": SET_UP, "has_created_company": user.id == state.me,
        "access": [{"app": "sales", "admin": user.id == state.me, "permission_set_id": permissions}],
        "active_flag": user.active, "timezone_name": "Europe/Tallinn", "timezone_offset": "+02:00", "role_id": 1,
        "icon_url": null, "is_you": user.id == state.me, "is_deleted": !user.active,
    })
}

/// `GET /api/v1/users`
pub(crate) fn users(state: &State) -> Ruling {
    Ok(reply::data(&state.users.iter().map(|one| user(state, one)).collect()))
}

/// `GET /api/v1/users/{id}`
pub(crate) fn user_by_id(state: &State, id: u64) -> Ruling {
    let found = state.users.iter().find(|one| one.id == id).ok_or_else(errors::user_not_found)?;
    Ok(reply::data(&user(state, found)))
}

/// `GET /api/v1/users/find`
pub(crate) fn find_users(state: &State, request: &Request) -> Ruling {
    let term = request.query("term").ok_or_else(|| errors::bad_request("term is required"))?.to_lowercase();
    let by_email = request.query("search_by_email") == Some("1");
    let fits = |one: &&User| if by_email { one.email.contains(&term) } else { one.name.to_lowercase().contains(&term) };
    Ok(reply::data(&state.users.iter().filter(fits).map(|one| user(state, one)).collect()))
}

/// `GET /api/v1/users/me`
pub(crate) fn me(state: &State) -> Ruling {
    let me = state.users.iter().find(|one| one.id == state.me).ok_or_else(errors::unauthorized)?;
    let mut shown = user(state, me);
    let more = json!({
        "company_id": 7_500_001, "company_name": "Acme", "company_domain": "acme", "company_country": "EE",
        "company_industry": "IT Services", "language": {"language_code": "en", "country_code": "US"},
    });
    if let (Some(shown), Value::Object(more)) = (shown.as_object_mut(), more) {
        shown.extend(more);
    }
    Ok(reply::data(&shown))
}

/// `start` and `limit` of a v1 list.
pub(crate) fn window(request: &Request) -> Result<(usize, usize), Refusal> {
    let number = |name: &str, default: usize| match request.query(name) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| errors::bad_request(&format!("{name} must be a number"))),
    };
    Ok((number("start", 0)?, number("limit", 100)?.clamp(1, 500)))
}

/// One page of a v1 list.
pub(crate) fn page(all: &[Value], (start, limit): (usize, usize)) -> Value {
    let shown: Vec<&Value> = all.iter().skip(start).take(limit).collect();
    let next = start.saturating_add(limit);
    let mut pagination = json!({"start": start, "limit": limit, "more_items_in_collection": next < all.len()});
    if next < all.len() {
        pagination["next_start"] = next.into();
    }
    json!({"success": true, "data": shown, "additional_data": {"pagination": pagination}})
}

fn field(kind: Kind, order: usize, field: &Definition) -> Value {
    let choices = field.choices.as_ref().map(|choices| {
        let choice = |id: &ChoiceId, label: &str| match id {
            ChoiceId::Number(id) => json!({"id": id, "label": label}),
            ChoiceId::Word(id) => json!({"id": id, "label": label}),
        };
        choices.iter().map(|one| choice(&one.id, &one.label)).collect::<Vec<_>>()
    });
    let searchable =
        matches!(field.type_name, "address" | "varchar" | "text" | "varchar_auto" | "double" | "monetary" | "phone");
    json!({
        "id": field.number, "key": v1_key(&field.code), "name": field.name, "order_nr": order,
        "field_type": field.type_name, "add_time": moment_text_v1(field.created_ms),
        "update_time": moment_text_v1(field.changed_ms), "last_updated_by_user_id": null, "created_by_user_id": null,
        "active_flag": true, "edit_flag": field.custom, "index_visible_flag": true, "details_visible_flag": true,
        "add_visible_flag": false, "important_flag": false, "bulk_edit_allowed": true,
        "searchable_flag": searchable && field.custom, "filtering_allowed": true, "sortable_flag": true,
        "mandatory_flag": kind.title() == Some(&field.code), "options": choices,
    })
}

/// Labels have another name in v1; the other codes are the same.
fn v1_key(code: &str) -> &str {
    if code == "label_ids" { "label" } else { code }
}

/// `GET /api/v1/{kind}Fields`. Activity fields stand on one page; the others tell their page without `next_start`.
pub(crate) fn fields(state: &State, kind: Kind, request: &Request) -> Ruling {
    let fields = state.shelf(kind).catalogue.iter().enumerate();
    let all: Vec<Value> = fields.map(|(order, (_, one))| field(kind, order + 1, one)).collect();
    let (start, limit) = if kind == Kind::Activity { (0, all.len()) } else { window(request)? };
    let mut shown = page(&all, (start, limit));
    let more = start.saturating_add(limit) < all.len();
    shown["additional_data"] = json!({"start": start, "limit": limit, "more_items_in_collection": more});
    Ok(reply::with_status(200, &shown))
}

/// `GET /api/v1/{kind}Fields/{id}`
pub(crate) fn field_by_number(state: &State, kind: Kind, number: u64) -> Ruling {
    let (_, found) = state.shelf(kind).catalogue.by_number(number).ok_or_else(errors::field_gone)?;
    Ok(reply::data(&field(kind, 1, found)))
}

fn activity_type(one: &ActivityType) -> Value {
    json!({
        "id": one.id, "order_nr": one.id, "name": one.name, "key_string": one.key, "icon_key": one.icon,
        "active_flag": true, "color": "FFFFFF", "is_custom_flag": one.custom, "add_time": SET_UP, "update_time": SET_UP,
    })
}

/// `GET /api/v1/activityTypes`
pub(crate) fn activity_types(state: &State) -> Ruling {
    Ok(reply::data(&state.activity_types.iter().map(activity_type).collect()))
}

/// `POST /api/v1/activityTypes`
pub(crate) fn create_activity_type(state: &mut State, request: &Request) -> Ruling {
    let body = body(request)?;
    let name = body.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| errors::bad_request("name is required"))?;
    let icon = body.get("icon_key").and_then(Value::as_str);
    let icon = icon.ok_or_else(|| errors::bad_request("icon_key is required"))?.to_owned();
    let key = name.to_lowercase().replace(' ', "_");
    let id = state.activity_types.iter().map(|one| one.id).max().unwrap_or(0) + 1;
    let made = ActivityType { id, key, name: name.to_owned(), icon, custom: true };
    let shown = activity_type(&made);
    state.activity_types.push(made);
    Ok(reply::data(&shown))
}

/// `GET /api/v1/currencies`
pub(crate) fn currencies() -> Ruling {
    let one = |(id, (code, name, decimals, symbol)): (usize, &(&str, &str, u64, &str))| {
        json!({
            "id": id, "code": code, "name": name, "decimal_points": decimals, "symbol": symbol,
            "active_flag": true, "is_custom_flag": false,
        })
    };
    Ok(reply::data(&(1..).zip(CURRENCIES).map(one).collect()))
}

/// `GET /api/v1/deals/summary`
pub(crate) fn summary(state: &State, turn: &Turn, request: &Request) -> Ruling {
    let shelf = state.shelf(Kind::Deal);
    let key = |key: &str| shelf.catalogue.by_key(key).map(|(id, _)| id);
    let (Some(value), Some(currency), Some(status), Some(archived)) =
        (key("value"), key("currency"), key("status"), key("is_archived"))
    else {
        return Err(errors::unknown_error());
    };
    let filter = request.query("filter_id").map(|text| {
        let filter = text.parse().ok().and_then(|id: u64| state.filters.get(&id));
        filter.filter(|filter| filter.kind == Kind::Deal).ok_or_else(errors::not_found)
    });
    let conditions = filter.transpose()?.map(|filter| Conditions::new(state, turn.now, filter));
    let mut totals = serde_json::Map::new();
    let mut count = 0_u64;
    for (_, record) in shelf.iter_live() {
        let wanted = request.query("status").is_none_or(|wanted| record.value(status) == wanted)
            && record.raw(archived) != Some("true")
            && conditions.as_ref().is_none_or(|conditions| conditions.hold(record));
        if !wanted {
            continue;
        }
        count += 1;
        let code = record.value(currency).as_str().unwrap_or(HOME_CURRENCY).to_owned();
        let total = totals.entry(code).or_insert_with(|| json!({"value": 0.0, "count": 0}));
        total["value"] = (total["value"].as_f64().unwrap_or(0.0) + record.value(value).as_f64().unwrap_or(0.0)).into();
        total["count"] = (total["count"].as_u64().unwrap_or(0) + 1).into();
    }
    Ok(reply::data(&json!({"values_total": totals, "weighted_values_total": {}, "total_count": count})))
}
