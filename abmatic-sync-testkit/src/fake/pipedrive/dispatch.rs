//! From a method and a path to the rule that answers it, and to what the call costs. No rule stands here.

use serde_json::{Value, json};

use crate::fake::exchange::Request;
use crate::fake::pipedrive::cursor::{self, Order, Place};
use crate::fake::pipedrive::errors::{self, Refusal};
use crate::fake::pipedrive::kind::Kind;
use crate::fake::pipedrive::people::{PIPELINES, Stage};
use crate::fake::pipedrive::reply::{self, Ruling};
use crate::fake::pipedrive::routes::Area;
use crate::fake::pipedrive::state::State;
use crate::fake::pipedrive::turn::Turn;
use crate::fake::pipedrive::{fields, filters, list, notes, rows, search, v1, webhooks};

/// A call of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call<'a> {
    ActivityTypeCreate,
    ActivityTypes,
    Create(Kind),
    Currencies,
    Delete(Kind, u64),
    Field(Kind, &'a str),
    FieldByNumber(Kind, u64),
    FieldCreate(Kind),
    FieldDelete(Kind, &'a str),
    FieldNumbers(Kind),
    FieldOptions(Kind, &'a str),
    FieldOptionsDelete(Kind, &'a str),
    FieldRename(Kind, &'a str),
    Fields(Kind),
    Filter(u64),
    FilterCreate,
    FilterDelete(u64),
    FilterHelpers,
    FilterUpdate(u64),
    Filters,
    FiltersDelete,
    List(Kind),
    ListArchived,
    Me,
    Merge(Kind, u64),
    Note(u64),
    NoteCreate,
    NoteDelete(u64),
    NoteUpdate(u64),
    Notes,
    Pipeline(u64),
    Pipelines,
    Read(Kind, u64),
    Search(Kind),
    SearchAll,
    Stage(u64),
    Stages,
    Summary,
    Update(Kind, u64),
    User(u64),
    Users,
    UsersFind,
    WebhookCreate,
    WebhookDelete(u64),
    Webhooks,
}

/// What a method and a path call.
pub(crate) fn recognise<'a>(area: Area, method: &str, rest: &[&'a str]) -> Result<Call<'a>, Refusal> {
    let method = if method == "HEAD" { "GET" } else { method };
    let found = if area == Area::V2 { of_v2(method, rest) } else { of_v1(method, rest) };
    if let Some(call) = found {
        return Ok(call);
    }
    // Another method may be known here.
    let others = ["GET", "POST", "PATCH", "PUT", "DELETE"];
    let known = |other: &&str| (if area == Area::V2 { of_v2(other, rest) } else { of_v1(other, rest) }).is_some();
    if others.iter().any(known) { Err(errors::method_not_allowed()) } else { Err(errors::unknown_route()) }
}

fn of_v2<'a>(method: &str, rest: &[&'a str]) -> Option<Call<'a>> {
    match (method, rest) {
        ("GET", ["itemSearch"]) => return Some(Call::SearchAll),
        ("GET", ["deals", "archived"]) => return Some(Call::ListArchived),
        ("GET", ["pipelines"]) => return Some(Call::Pipelines),
        ("GET", ["pipelines", id]) => return Some(Call::Pipeline(id.parse().ok()?)),
        ("GET", ["stages"]) => return Some(Call::Stages),
        ("GET", ["stages", id]) => return Some(Call::Stage(id.parse().ok()?)),
        _ => {}
    }
    let (first, rest) = rest.split_first()?;
    if let Some(kind) = Kind::by_fields_path(first) {
        // Activities have no custom fields.
        let may_change = kind != Kind::Activity;
        return match (method, rest) {
            ("GET", []) => Some(Call::Fields(kind)),
            ("POST", []) if may_change => Some(Call::FieldCreate(kind)),
            ("GET", [code]) => Some(Call::Field(kind, code)),
            ("PATCH", [code]) if may_change => Some(Call::FieldRename(kind, code)),
            ("DELETE", [code]) if may_change => Some(Call::FieldDelete(kind, code)),
            ("POST" | "PATCH", [code, "options"]) if may_change => Some(Call::FieldOptions(kind, code)),
            ("DELETE", [code, "options"]) if may_change => Some(Call::FieldOptionsDelete(kind, code)),
            _ => None,
        };
    }
    let kind = Kind::by_path(first)?;
    match (method, rest) {
        ("GET", []) => Some(Call::List(kind)),
        ("POST", []) => Some(Call::Create(kind)),
        ("GET", ["search"]) if kind != Kind::Activity => Some(Call::Search(kind)),
        ("GET", [id]) => Some(Call::Read(kind, id.parse().ok()?)),
        ("PATCH", [id]) => Some(Call::Update(kind, id.parse().ok()?)),
        ("DELETE", [id]) => Some(Call::Delete(kind, id.parse().ok()?)),
        _ => None,
    }
}

fn of_v1<'a>(method: &str, rest: &[&'a str]) -> Option<Call<'a>> {
    Some(match (method, rest) {
        ("GET", ["activityTypes"]) => Call::ActivityTypes,
        ("POST", ["activityTypes"]) => Call::ActivityTypeCreate,
        ("GET", ["currencies"]) => Call::Currencies,
        ("GET", ["deals", "summary"]) => Call::Summary,
        ("GET", ["filters"]) => Call::Filters,
        ("POST", ["filters"]) => Call::FilterCreate,
        ("DELETE", ["filters"]) => Call::FiltersDelete,
        ("GET", ["filters", "helpers"]) => Call::FilterHelpers,
        ("GET", ["filters", id]) => Call::Filter(id.parse().ok()?),
        ("PUT", ["filters", id]) => Call::FilterUpdate(id.parse().ok()?),
        ("DELETE", ["filters", id]) => Call::FilterDelete(id.parse().ok()?),
        ("GET", ["notes"]) => Call::Notes,
        ("POST", ["notes"]) => Call::NoteCreate,
        ("GET", ["notes", id]) => Call::Note(id.parse().ok()?),
        ("PUT", ["notes", id]) => Call::NoteUpdate(id.parse().ok()?),
        ("DELETE", ["notes", id]) => Call::NoteDelete(id.parse().ok()?),
        ("GET", ["users"]) => Call::Users,
        ("GET", ["users", "me"]) => Call::Me,
        ("GET", ["users", "find"]) => Call::UsersFind,
        ("GET", ["users", id]) => Call::User(id.parse().ok()?),
        ("GET", ["webhooks"]) => Call::Webhooks,
        ("POST", ["webhooks"]) => Call::WebhookCreate,
        ("DELETE", ["webhooks", id]) => Call::WebhookDelete(id.parse().ok()?),
        ("GET", [fields]) => Call::FieldNumbers(Kind::by_fields_path(fields)?),
        ("GET", [fields, id]) => Call::FieldByNumber(Kind::by_fields_path(fields)?, id.parse().ok()?),
        ("PUT", [kind, id, "merge"]) => {
            Call::Merge(Kind::by_path(kind).filter(|kind| *kind != Kind::Activity)?, id.parse().ok()?)
        }
        _ => return None,
    })
}

impl Call<'_> {
    /// Tokens of the day's budget; API v1 is twice as dear.
    pub(crate) fn cost(&self, area: Area) -> u64 {
        let in_v2 = match self {
            Self::Field(..) | Self::Pipeline(_) | Self::Read(..) | Self::Stage(_) => 1,
            Self::FieldByNumber(..) | Self::Filter(_) | Self::Me | Self::Note(_) | Self::User(_) => 1,
            Self::Delete(..)
            | Self::FieldDelete(..)
            | Self::FieldOptionsDelete(..)
            | Self::FilterDelete(_)
            | Self::NoteDelete(_)
            | Self::WebhookDelete(_) => 3,
            Self::ActivityTypeCreate
            | Self::Create(_)
            | Self::FieldCreate(_)
            | Self::FieldOptions(..)
            | Self::FieldRename(..)
            | Self::FilterCreate
            | Self::FilterUpdate(_)
            | Self::FiltersDelete
            | Self::NoteCreate
            | Self::NoteUpdate(_)
            | Self::Pipelines
            | Self::Stages
            | Self::Update(..)
            | Self::WebhookCreate
            | Self::Webhooks => 5,
            Self::ActivityTypes
            | Self::Currencies
            | Self::FieldNumbers(_)
            | Self::Fields(_)
            | Self::FilterHelpers
            | Self::Filters
            | Self::List(_)
            | Self::Notes
            | Self::Users => 10,
            Self::ListArchived
            | Self::Merge(..)
            | Self::Search(_)
            | Self::SearchAll
            | Self::Summary
            | Self::UsersFind => 20,
        };
        if area == Area::V1 { in_v2 * 2 } else { in_v2 }
    }

    pub(crate) fn is_search(&self) -> bool {
        matches!(self, Self::Search(_) | Self::SearchAll)
    }
}

/// Carries out one call whose token is good.
pub(crate) fn dispatch(state: &mut State, turn: &Turn, request: &Request, call: &Call<'_>) -> Ruling {
    match *call {
        Call::ActivityTypeCreate => v1::create_activity_type(state, request),
        Call::ActivityTypes => v1::activity_types(state),
        Call::Create(kind) => rows::create(state, turn, kind, request),
        Call::Currencies => v1::currencies(),
        Call::Delete(kind, id) => rows::delete(state, turn, kind, id),
        Call::Field(kind, code) => fields::read(state, kind, code, request),
        Call::FieldByNumber(kind, number) => v1::field_by_number(state, kind, number),
        Call::FieldCreate(kind) => fields::create(state, turn, kind, request),
        Call::FieldDelete(kind, code) => fields::delete(state, kind, code),
        Call::FieldNumbers(kind) => v1::fields(state, kind, request),
        Call::FieldOptions(kind, code) | Call::FieldOptionsDelete(kind, code) => {
            fields::options(state, turn, kind, code, request)
        }
        Call::FieldRename(kind, code) => fields::rename(state, turn, kind, code, request),
        Call::Fields(kind) => fields::list(state, kind, request),
        Call::Filter(id) => filters::read(state, id, request),
        Call::FilterCreate => filters::create(state, turn, request),
        Call::FilterDelete(id) => filters::delete(state, id),
        Call::FilterHelpers => filters::helpers(),
        Call::FilterUpdate(id) => filters::update(state, turn, id, request),
        Call::Filters => filters::list(state, request),
        Call::FiltersDelete => filters::delete_many(state, request),
        Call::List(kind) => list::list(state, turn, kind, request, false),
        Call::ListArchived => list::list(state, turn, Kind::Deal, request, true),
        Call::Me => v1::me(state),
        Call::Merge(kind, id) => rows::merge(state, turn, kind, id, request),
        Call::Note(id) => notes::read(state, id),
        Call::NoteCreate => notes::create(state, turn, request),
        Call::NoteDelete(id) => notes::delete(state, id),
        Call::NoteUpdate(id) => notes::update(state, turn, id, request),
        Call::Notes => notes::list(state, request),
        Call::Pipeline(id) => one(pipelines(), id),
        Call::Pipelines => some(request, pipelines()),
        Call::Read(kind, id) => rows::read(state, kind, id, request),
        Call::Search(kind) => search::of_kind(state, turn, kind, request),
        Call::SearchAll => search::of_all(state, turn, request),
        Call::Stage(id) => one(state.stages.iter().map(stage).collect(), id),
        Call::Stages => {
            let of = request.query("pipeline_id");
            let wanted = |stage: &&Stage| of.is_none_or(|id| id == stage.pipeline.to_string());
            some(request, state.stages.iter().filter(wanted).map(stage).collect())
        }
        Call::Summary => v1::summary(state, turn, request),
        Call::Update(kind, id) => rows::update(state, turn, kind, id, request),
        Call::User(id) => v1::user_by_id(state, id),
        Call::Users => v1::users(state),
        Call::UsersFind => v1::find_users(state, request),
        Call::WebhookCreate => webhooks::create(state, request),
        Call::WebhookDelete(id) => webhooks::delete(state, id),
        Call::Webhooks => webhooks::list(state),
    }
}

const SET_UP: &str = "2024-01-15T08:00:00Z";

fn pipelines() -> Vec<Value> {
    let one = |(id, name): &(u64, &str)| {
        json!({
            "id": id, "name": name, "order_nr": id, "is_deleted": false, "is_deal_probability_enabled": true,
            "add_time": SET_UP, "update_time": SET_UP,
        })
    };
    PIPELINES.iter().map(one).collect()
}

fn stage(stage: &Stage) -> Value {
    json!({
        "id": stage.id, "order_nr": stage.order, "name": stage.name, "is_deleted": false,
        "deal_probability": stage.probability, "pipeline_id": stage.pipeline, "is_deal_rot_enabled": false,
        "days_to_rotten": null, "add_time": SET_UP, "update_time": SET_UP,
    })
}

fn one(all: Vec<Value>, id: u64) -> Ruling {
    let found = all.into_iter().find(|one| one["id"] == id).ok_or_else(errors::not_found)?;
    Ok(reply::data(&found))
}

/// A page of a short list.
fn some(request: &Request, all: Vec<Value>) -> Ruling {
    let limit = list::limit(request, 500)?;
    let order = Order { field: "id".to_owned(), descending: false };
    let from = request.query("cursor").map(|text| cursor::decode(&order, text)).transpose()?;
    let from = from.map_or(0, |place| place.id);
    let mut rest = all.into_iter().filter(|one| one["id"].as_u64() >= Some(from));
    let page: Vec<Value> = rest.by_ref().take(limit).collect();
    let next = rest.next().and_then(|one| one["id"].as_u64());
    let next = next.map(|id| cursor::encode(&order, &Place { value: id.into(), id }));
    Ok(reply::with_status(200, &json!({"success": true, "data": page, "additional_data": {"next_cursor": next}})))
}
