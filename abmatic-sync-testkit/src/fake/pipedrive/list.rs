//! Lists of records, page by page.

use serde_json::Value;

use crate::fake::exchange::Request;
use crate::fake::json;
use crate::fake::moment::{iso, parse_date, parse_iso};
use crate::fake::pipedrive::condition::Conditions;
use crate::fake::pipedrive::cursor::{self, Order, Place};
use crate::fake::pipedrive::errors::{self, Refusal};
use crate::fake::pipedrive::kind::Kind;
use crate::fake::pipedrive::record::Record;
use crate::fake::pipedrive::reply::{self, Ruling};
use crate::fake::pipedrive::state::State;
use crate::fake::pipedrive::turn::Turn;
use crate::fake::pipedrive::view::{View, flag};

const PAGE_DEFAULT: usize = 100;
const IDS_MAX: usize = 100;

/// Which records a list asks for.
struct Wanted<'a> {
    state: &'a State,
    kind: Kind,
    conditions: Option<Conditions<'a>>,
    ids: Option<Vec<u64>>,
    /// Field and JSON text that it must have.
    equal: Vec<(&'static str, String)>,
    statuses: Vec<&'a str>,
    since: Option<i64>,
    until: Option<i64>,
    /// Only for deals: archived ones, or the others.
    archived: bool,
}

/// `GET /api/v2/{kind}`, and `/api/v2/deals/archived`.
pub(crate) fn list(state: &State, turn: &Turn, kind: Kind, request: &Request, archived: bool) -> Ruling {
    let limit = limit(request, state.settings.page_max)?;
    let order = order(kind, request)?;
    let view = View::of(state, kind, request)?;
    let wanted = wanted(state, turn, kind, request, archived)?;
    let from = request.query("cursor").map(|text| cursor::decode(&order, text)).transpose()?;
    let (page, next) = page(&wanted, &order, from.as_ref(), limit);
    let next = if turn.repeat_page { page.first().copied() } else { next };
    let place = next.and_then(|id| Some(place(state, kind, &order, (id, state.shelf(kind).get(id)?))));
    let mut out = Vec::with_capacity(page.len() * 700 + 100);
    out.extend_from_slice(b"{\"success\":true,\"data\":");
    let shelf = state.shelf(kind);
    let records = page.iter().filter_map(|id| Some((*id, shelf.get(*id)?)));
    json::array(&mut out, records, |out, (id, record)| view.write(out, id, record));
    out.extend_from_slice(b",\"additional_data\":{\"next_cursor\":");
    match place {
        Some(place) => json::string(&mut out, &cursor::encode(&order, &place)),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b"}}");
    Ok(reply::raw(200, out))
}

/// How many entries a page of API v2 shall have.
pub(crate) fn limit(request: &Request, max: usize) -> Result<usize, Refusal> {
    let Some(text) = request.query("limit") else { return Ok(PAGE_DEFAULT.min(max)) };
    let limit = text.parse().ok().filter(|limit| (1..=500).contains(limit));
    let limit: usize = limit.ok_or_else(|| errors::invalid("limit", "Must be a number between 1 and 500"))?;
    Ok(limit.min(max))
}

fn order(kind: Kind, request: &Request) -> Result<Order, Refusal> {
    let field = request.query("sort_by").unwrap_or("id");
    let known = matches!(field, "id" | "update_time" | "add_time") || (field == "due_date" && kind == Kind::Activity);
    if !known {
        return Err(errors::invalid("sort_by", format!("'{field}' is not a valid value")));
    }
    let descending = match request.query("sort_direction") {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(other) => return Err(errors::invalid("sort_direction", format!("'{other}' is not a valid value"))),
    };
    Ok(Order { field: field.to_owned(), descending })
}

/// A moment of a query: whole seconds, with a zone.
fn moment(request: &Request, name: &str) -> Result<Option<i64>, Refusal> {
    let Some(text) = request.query(name) else { return Ok(None) };
    let whole = !text.contains('.') && text.contains('T');
    let ms = parse_iso(text)
        .filter(|_| whole && (text.ends_with('Z') || text.get(19..).is_some_and(|zone| zone.len() == 6)));
    ms.map(Some).ok_or_else(|| errors::invalid(name, format!("'{text}' is not a valid datetime")))
}

fn number(request: &Request, name: &str) -> Result<Option<u64>, Refusal> {
    let parsed = |text: &str| text.parse().map_err(|_| errors::invalid(name, "Expected 'number'"));
    request.query(name).map(parsed).transpose()
}

fn wanted<'a>(
    state: &'a State,
    turn: &Turn,
    kind: Kind,
    request: &'a Request,
    archived: bool,
) -> Result<Wanted<'a>, Refusal> {
    let mut wanted = Wanted {
        state,
        kind,
        conditions: None,
        ids: None,
        equal: Vec::new(),
        statuses: Vec::new(),
        since: moment(request, "updated_since")?,
        until: moment(request, "updated_until")?,
        archived,
    };
    let filter = number(request, "filter_id")?;
    if let Some(id) = filter {
        // A filter makes the other narrowing parameters be ignored.
        let filter = state.filters.get(&id).filter(|filter| filter.kind == kind).ok_or_else(errors::not_found)?;
        wanted.conditions = Some(Conditions::new(state, turn.now, filter));
        return Ok(wanted);
    }
    if request.query("ids").is_some() {
        let ids: Result<Vec<u64>, _> = request.query_list("ids").map(str::parse).collect();
        let ids = ids.map_err(|_| errors::invalid("ids", "Expected a list of numbers"))?;
        if ids.len() > IDS_MAX {
            return Err(errors::invalid("ids", "A maximum of 100 ids is allowed"));
        }
        wanted.ids = Some(ids);
    }
    let narrowing: &[&str] = match kind {
        Kind::Activity => &["owner_id", "deal_id", "person_id", "org_id"],
        Kind::Deal => &["owner_id", "person_id", "org_id", "pipeline_id", "stage_id"],
        Kind::Organization => &["owner_id"],
        Kind::Person => &["owner_id", "org_id", "deal_id"],
    };
    for name in narrowing {
        if let Some(id) = number(request, name)? {
            wanted.equal.push((name, id.to_string()));
        }
    }
    if kind == Kind::Activity {
        wanted.equal.extend(flag(request, "done")?.map(|done| ("done", done.to_string())));
    }
    if kind == Kind::Deal {
        wanted.statuses = request.query_list("status").collect();
        if let Some(odd) = wanted.statuses.iter().find(|word| !["open", "won", "lost", "deleted"].contains(word)) {
            return Err(errors::invalid("status", format!("'{odd}' is not a valid value")));
        }
    }
    Ok(wanted)
}

impl Wanted<'_> {
    fn holds(&self, id: u64, record: &Record) -> bool {
        let by_id = self.ids.as_ref().is_some_and(|ids| ids.contains(&id));
        if self.ids.is_some() && !by_id {
            return false;
        }
        let in_time = self.since.is_none_or(|since| record.updated.is_some_and(|updated| updated >= since))
            && self.until.is_none_or(|until| record.updated.is_some_and(|updated| updated < until));
        in_time
            && self.is_shown(record, by_id)
            && self.equal.iter().all(|(key, raw)| self.has(id, record, key, raw))
            && self.conditions.as_ref().is_none_or(|conditions| conditions.hold(record))
    }

    fn is_shown(&self, record: &Record, by_id: bool) -> bool {
        if self.kind != Kind::Deal {
            return !record.deleted || (by_id && self.state.settings.shows_deleted);
        }
        let catalogue = &self.state.shelf(self.kind).catalogue;
        let raw = |key: &str| catalogue.by_key(key).and_then(|(field, _)| record.raw(field));
        if (raw("is_archived") == Some("true")) != self.archived {
            return false;
        }
        let status = if record.deleted { "deleted" } else { raw("status").unwrap_or("open").trim_matches('"') };
        if self.statuses.is_empty() {
            return !record.deleted || (by_id && self.state.settings.shows_deleted);
        }
        self.statuses.contains(&status)
    }

    fn has(&self, id: u64, record: &Record, key: &str, raw: &str) -> bool {
        if (self.kind, key) == (Kind::Person, "deal_id") {
            let deals = self.state.shelf(Kind::Deal);
            let person = deals.catalogue.by_key("person_id").map(|(field, _)| field);
            let deal = raw.parse().ok().and_then(|deal| deals.live(deal));
            return deal.zip(person).is_some_and(|(deal, field)| deal.raw(field) == Some(id.to_string().as_str()));
        }
        let field = self.state.shelf(self.kind).catalogue.by_key(key).map(|(field, _)| field);
        field.and_then(|field| record.raw(field)) == Some(raw)
    }
}

/// The ids of a page, and the id of the first record behind it.
fn page(wanted: &Wanted<'_>, order: &Order, from: Option<&Place>, limit: usize) -> (Vec<u64>, Option<u64>) {
    let shelf = wanted.state.shelf(wanted.kind);
    let start = from.map_or((if order.descending { u64::MAX } else { 0 }, None), |place| {
        let ms = place.value.as_str().and_then(parse_iso);
        (place.id, Some(ms))
    });
    let ids: Box<dyn Iterator<Item = u64>> = match (order.field.as_str(), order.descending) {
        ("id", false) => match few(wanted, start.0) {
            Some(ids) => Box::new(ids.into_iter()),
            None => Box::new(shelf.ids_from(start.0)),
        },
        ("id", true) => Box::new(shelf.ids_to(start.0).rev()),
        ("update_time", false) => {
            let since = wanted.since.map(|since| (Some(since), 0)).unwrap_or((None, 0));
            let place = start.1.map_or(since, |ms| (ms, start.0));
            Box::new(shelf.updates_from(place))
        }
        ("update_time", true) => {
            let last = (Some(i64::MAX), u64::MAX);
            Box::new(shelf.updates_to(start.1.map_or(last, |ms| (ms, start.0))).rev())
        }
        _ => Box::new(sorted(wanted, order, from).into_iter()),
    };
    let mut found = Vec::with_capacity(limit.min(500));
    for id in ids {
        if shelf.get(id).is_some_and(|record| wanted.holds(id, record)) {
            if found.len() == limit {
                return (found, Some(id));
            }
            found.push(id);
        }
    }
    (found, None)
}

/// The ids that were asked for, in their order.
fn few(wanted: &Wanted<'_>, from: u64) -> Option<Vec<u64>> {
    let mut ids: Vec<u64> = wanted.ids.as_ref()?.iter().copied().filter(|id| *id >= from).collect();
    ids.sort_unstable();
    ids.dedup();
    Some(ids)
}

/// Orders that have no index.
fn sorted(wanted: &Wanted<'_>, order: &Order, from: Option<&Place>) -> Vec<u64> {
    let shelf = wanted.state.shelf(wanted.kind);
    let mut all: Vec<(Option<i64>, u64)> =
        shelf.iter().map(|(id, record)| (key(wanted.state, wanted.kind, order, record), id)).collect();
    all.sort_unstable();
    if order.descending {
        all.reverse();
    }
    let start = from.map(|place| {
        let text = place.value.as_str();
        (text.and_then(parse_iso), place.id)
    });
    let behind =
        |at: &(Option<i64>, u64)| start.is_none_or(|start| if order.descending { *at <= start } else { *at >= start });
    all.into_iter().filter(behind).map(|(_, id)| id).collect()
}

fn key(state: &State, kind: Kind, order: &Order, record: &Record) -> Option<i64> {
    match order.field.as_str() {
        "add_time" => Some(record.created),
        "update_time" => record.updated,
        other => {
            let (field, _) = state.shelf(kind).catalogue.by_key(other)?;
            parse_date(record.value(field).as_str()?)
        }
    }
}

fn place(state: &State, kind: Kind, order: &Order, (id, record): (u64, &Record)) -> Place {
    let value = match order.field.as_str() {
        "id" => id.into(),
        _ => key(state, kind, order, record).map(iso).map_or(Value::Null, Value::from),
    };
    Place { value, id }
}
