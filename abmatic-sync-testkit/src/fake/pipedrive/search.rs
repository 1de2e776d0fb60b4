//! Searches by term, over an index that may lag behind the records.

use serde_json::{Value, json};

use crate::fake::exchange::Request;
use crate::fake::pipedrive::cursor::{self, Order, Place};
use crate::fake::pipedrive::errors::{self, Refusal};
use crate::fake::pipedrive::field::Definition;
use crate::fake::pipedrive::kind::Kind;
use crate::fake::pipedrive::list::limit;
use crate::fake::pipedrive::record::Record;
use crate::fake::pipedrive::reply::{self, Ruling};
use crate::fake::pipedrive::state::State;
use crate::fake::pipedrive::turn::Turn;
use crate::fake::pipedrive::view::flag;

/// What a search looks for.
struct Search<'a> {
    state: &'a State,
    now: i64,
    term: String,
    exact: bool,
    fields: Vec<&'a str>,
}

/// What can be searched in a kind of record.
fn fields_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Activity => &[],
        Kind::Deal => &["title", "notes", "custom_fields"],
        Kind::Organization => &["name", "address", "notes", "custom_fields"],
        Kind::Person => &["name", "email", "phone", "notes", "custom_fields"],
    }
}

const SEARCHABLE: &[&str] = &["address", "varchar", "text", "varchar_auto", "double", "monetary", "phone"];

impl<'a> Search<'a> {
    fn of(state: &'a State, turn: &Turn, request: &'a Request, known: &[&str]) -> Result<Self, Refusal> {
        let exact = flag(request, "exact_match")?.unwrap_or(false);
        let term = request.query("term").unwrap_or_default().trim().to_lowercase();
        if term.chars().count() < if exact { 1 } else { 2 } {
            return Err(errors::invalid("term", "Search term must be at least 2 characters long"));
        }
        let fields: Vec<&str> = request.query_list("fields").collect();
        if let Some(odd) = fields.iter().find(|field| !known.contains(field)) {
            return Err(errors::invalid("fields", format!("'{odd}' is not a valid value")));
        }
        Ok(Self { state, now: turn.now, term, exact, fields })
    }

    fn finds(&self, kind: Kind, id: u64, record: &Record) -> bool {
        let visible = record.updated.unwrap_or(0) + self.state.settings.search_lag_ms <= self.now;
        let looked_at = |field: &&&str| self.fields.is_empty() || self.fields.contains(*field);
        visible && fields_of(kind).iter().filter(looked_at).any(|field| self.finds_in(kind, field, id, record))
    }

    fn finds_in(&self, kind: Kind, field: &str, id: u64, record: &Record) -> bool {
        let catalogue = &self.state.shelf(kind).catalogue;
        let by_key = |key: &str| catalogue.by_key(key).is_some_and(|(at, _)| self.hits(record, at));
        match field {
            "email" => by_key("emails"),
            "phone" => by_key("phones"),
            "notes" => notes_on(self.state, kind, id).any(|text| self.fits(text)),
            "custom_fields" => {
                catalogue.iter().filter(|(_, one)| is_searchable(one)).any(|(at, _)| self.hits(record, at))
            }
            key => by_key(key),
        }
    }

    fn hits(&self, record: &Record, at: u16) -> bool {
        let Some(raw) = record.raw(at) else { return false };
        // Most records end here, without a parse.
        let likely = self.term.contains(['"', '\\']) || raw.to_lowercase().contains(&self.term);
        likely && texts(&record.value(at)).iter().any(|text| self.fits(text))
    }

    fn fits(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        if self.exact { text == self.term } else { text.contains(&self.term) }
    }
}

fn is_searchable(field: &Definition) -> bool {
    field.custom && SEARCHABLE.contains(&field.type_name)
}

fn notes_on(state: &State, kind: Kind, id: u64) -> impl Iterator<Item = &str> {
    let key = match kind {
        Kind::Activity => "",
        Kind::Deal => "deal_id",
        Kind::Organization => "org_id",
        Kind::Person => "person_id",
    };
    state.notes.values().filter(move |note| note.on.get(key) == Some(&id)).map(|note| note.content.as_str())
}

/// The texts of a value.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => vec![text.clone()],
        Value::Array(entries) => entries.iter().flat_map(texts).collect(),
        Value::Object(map) => map.get("value").map(texts).unwrap_or_default(),
        other => vec![other.to_string()],
    }
}

/// `GET /api/v2/{kind}/search`
pub(crate) fn of_kind(state: &State, turn: &Turn, kind: Kind, request: &Request) -> Ruling {
    let search = Search::of(state, turn, request, fields_of(kind))?;
    let narrowing: &[(&str, &str)] = match kind {
        Kind::Activity | Kind::Organization => &[],
        Kind::Deal => &[("person_id", "person_id"), ("organization_id", "org_id"), ("status", "status")],
        Kind::Person => &[("organization_id", "org_id")],
    };
    let shelf = state.shelf(kind);
    let fits = |record: &Record| {
        narrowing.iter().all(|(name, key)| {
            let field = shelf.catalogue.by_key(key).map(|(field, _)| field);
            let raw = field.and_then(|field| record.raw(field)).unwrap_or_default();
            request.query(name).is_none_or(|wanted| raw.trim_matches('"') == wanted)
        })
    };
    let found = shelf.iter_live().filter(|(id, record)| fits(record) && search.finds(kind, *id, record));
    answer(request, found.map(|(id, record)| (kind, id, record)), state, 500)
}

/// `GET /api/v2/itemSearch`
pub(crate) fn of_all(state: &State, turn: &Turn, request: &Request) -> Ruling {
    const FIELDS: &[&str] =
        &["address", "code", "custom_fields", "email", "name", "notes", "phone", "title", "description"];
    const TYPES: &[&str] = &["deal", "person", "organization", "product", "lead", "file", "mail_attachment", "project"];
    let search = Search::of(state, turn, request, FIELDS)?;
    let types: Vec<&str> = request.query_list("item_types").collect();
    if let Some(odd) = types.iter().find(|one| !TYPES.contains(one)) {
        return Err(errors::invalid("item_types", format!("'{odd}' is not a valid value")));
    }
    let kinds = Kind::ALL.into_iter().filter(|kind| types.is_empty() || types.contains(&kind.name()));
    let found = kinds.flat_map(|kind| {
        let live = state.shelf(kind).iter_live();
        live.filter(|(id, record)| search.finds(kind, *id, record))
            .map(move |(id, record)| (kind, id, record))
            .collect::<Vec<_>>()
    });
    answer(request, found, state, 100)
}

fn answer<'a>(
    request: &Request,
    found: impl Iterator<Item = (Kind, u64, &'a Record)>,
    state: &State,
    max: usize,
) -> Ruling {
    let limit = limit(request, max)?;
    let order = Order { field: "rank".to_owned(), descending: false };
    let from = request.query("cursor").map(|text| cursor::decode(&order, text)).transpose()?;
    let from = from.map_or(0, |place| usize::try_from(place.id).unwrap_or(usize::MAX));
    let mut rest = found.skip(from);
    let items: Vec<Value> = rest
        .by_ref()
        .take(limit)
        .map(|(kind, id, record)| json!({"result_score": 0.5, "item": item(state, kind, id, record)}))
        .collect();
    let next = from.saturating_add(limit);
    let cursor = rest.next().map(|_| cursor::encode(&order, &Place { value: next.into(), id: next as u64 }));
    let body = json!({"success": true, "data": {"items": items}, "additional_data": {"next_cursor": cursor}});
    Ok(reply::with_status(200, &body))
}

fn item(state: &State, kind: Kind, id: u64, record: &Record) -> Value {
    let catalogue = &state.shelf(kind).catalogue;
    let value = |key: &str| catalogue.by_key(key).map(|(field, _)| record.value(field)).unwrap_or_default();
    let custom: Vec<String> = catalogue
        .iter()
        .filter(|(_, field)| is_searchable(field))
        .flat_map(|(field, _)| texts(&record.value(field)))
        .collect();
    let notes: Vec<&str> = notes_on(state, kind, id).collect();
    let mut item = json!({
        "id": id, "type": kind.name(), "visible_to": value("visible_to"), "owner": {"id": value("owner_id")},
        "custom_fields": custom, "notes": notes,
    });
    match kind {
        Kind::Activity => {}
        Kind::Deal => {
            let stage = state.stages.iter().find(|stage| value("stage_id") == stage.id);
            item["title"] = value("title");
            item["value"] = value("value");
            item["currency"] = value("currency");
            item["status"] = value("status");
            item["stage"] = stage.map(|stage| json!({"id": stage.id, "name": stage.name})).unwrap_or_default();
            item["person"] = named(state, Kind::Person, &value("person_id"));
            item["organization"] = named(state, Kind::Organization, &value("org_id"));
            item["is_archived"] = value("is_archived");
        }
        Kind::Organization => {
            item["name"] = value("name");
            item["address"] = value("address").get("value").cloned().unwrap_or_default();
        }
        Kind::Person => {
            item["name"] = value("name");
            item["emails"] = texts(&value("emails")).into();
            item["phones"] = texts(&value("phones")).into();
            item["organization"] = named(state, Kind::Organization, &value("org_id"));
        }
    }
    item
}

/// A record that another one hangs on, in short.
fn named(state: &State, kind: Kind, id: &Value) -> Value {
    let shelf = state.shelf(kind);
    let found = id.as_u64().and_then(|id| shelf.live(id)).zip(shelf.catalogue.by_key("name"));
    let Some((record, (name, _))) = found else { return Value::Null };
    let mut shown = json!({"id": id, "name": record.value(name)});
    if let (Kind::Organization, Some((address, _))) = (kind, shelf.catalogue.by_key("address")) {
        shown["address"] = record.value(address).get("value").cloned().unwrap_or_default();
    }
    shown
}
