//! List views: filters that users have saved, as SOQL and as the rows that people see.

use serde_json::{Value, json};

use crate::fake::exchange::Request;
use crate::fake::salesforce::errors::{self, Refusal};
use crate::fake::salesforce::field::FieldType;
use crate::fake::salesforce::id;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::query::prepare;
use crate::fake::salesforce::reply::{self, Ruling};
use crate::fake::salesforce::soql::path::Column;
use crate::fake::salesforce::soql::run;
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;
use crate::fake::salesforce::view::{Cell, View};

const PREFIX: id::Prefix = *b"00B";
const RESULTS_DEFAULT: usize = 25;
const PAGE_MAX: usize = 2000;

/// A saved filter.
#[derive(Clone, Debug)]
pub(crate) struct ListView {
    pub(crate) number: u64,
    pub(crate) kind: Kind,
    pub(crate) developer_name: String,
    pub(crate) label: String,
    /// What stands behind `WHERE`; empty for all records.
    pub(crate) condition: String,
    /// Only the records of the user who looks.
    pub(crate) mine: bool,
}

/// Adds a view, and answers its id.
///
/// # Errors
/// When its condition is none.
pub(crate) fn add(state: &mut State, turn: &Turn, view: ListView) -> Result<String, Refusal> {
    let number = id::FIRST_NUMBER + state.list_views.len() as u64;
    let view = ListView { number, ..view };
    prepare(state, turn, &statement(state, &view, false))?;
    state.list_views.push(view);
    Ok(id::text(PREFIX, number))
}

/// The views that every org has: all records of an object, and one's own.
pub(crate) fn defaults(state: &mut State) {
    for kind in Kind::all().filter(|kind| kind.facts().listed) {
        let plural = kind.facts().plural;
        for (word, mine) in [("All", false), ("My", true)] {
            let number = id::FIRST_NUMBER + state.list_views.len() as u64;
            state.list_views.push(ListView {
                number,
                kind,
                developer_name: format!("{word}{plural}"),
                label: format!("{word} {plural}"),
                condition: String::new(),
                mine,
            });
        }
    }
}

/// What a view shows: the name, the owner, and when a record was made.
fn columns(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::CONTACT => &["Name", "Account.Name", "Email", "Owner.Alias", "CreatedDate"],
        Kind::LEAD => &["Name", "Company", "Email", "Status", "CreatedDate"],
        Kind::OPPORTUNITY => &["Name", "Account.Name", "StageName", "CloseDate", "Owner.Alias"],
        Kind::ACCOUNT => &["Name", "Site", "Type", "Owner.Alias", "CreatedDate"],
        _ => &["Name", "CreatedDate"],
    }
}

/// The view as SOQL; the scope is told apart from it, so it is written only to run it.
fn statement(state: &State, view: &ListView, with_scope: bool) -> String {
    let visible = |name: &&&str| name.contains('.') || state.shelf(view.kind).catalogue.id(name).is_some();
    let names: Vec<&str> = columns(view.kind).iter().filter(visible).copied().collect();
    let scope = if view.mine && with_scope { " USING SCOPE mine" } else { "" };
    let condition = if view.condition.is_empty() { String::new() } else { format!(" WHERE {}", view.condition) };
    format!(
        "SELECT {}, Id, LastModifiedDate, SystemModstamp FROM {}{scope}{condition} ORDER BY Name ASC NULLS FIRST, Id ASC \
         NULLS FIRST",
        names.join(", "),
        view.kind.name()
    )
}

/// `GET …/sobjects/{Object}/listviews…`.
pub(crate) fn answer(state: &State, turn: &Turn, kind: Kind, request: &Request, rest: &[&str]) -> Ruling {
    match rest {
        [] => list(state, turn, kind, request),
        [id] => Ok(reply::ok(&entry(turn, find(state, kind, id)?))),
        [id, "describe"] => describe(state, turn, find(state, kind, id)?),
        [id, "results"] => results(state, turn, find(state, kind, id)?, request),
        _ => Err(errors::not_found()),
    }
}

fn find<'a>(state: &'a State, kind: Kind, text: &str) -> Result<&'a ListView, Refusal> {
    let parsed = id::parse(text).filter(|parsed| parsed.prefix == PREFIX);
    let is_it = |view: &&ListView| {
        view.kind == kind
            && (parsed.is_some_and(|parsed| parsed.number == view.number)
                || view.developer_name.eq_ignore_ascii_case(text))
    };
    state.list_views.iter().find(is_it).ok_or_else(errors::not_found)
}

fn number(request: &Request, name: &str, default: usize) -> Result<usize, Refusal> {
    let Some(text) = request.query(name) else { return Ok(default) };
    text.parse().map_err(|_| errors::invalid("INVALID_PARAMETER", format!("{name} is not a number: {text}")))
}

fn limit(request: &Request, default: usize) -> Result<usize, Refusal> {
    let limit = number(request, "limit", default)?;
    if (1..=PAGE_MAX).contains(&limit) {
        return Ok(limit);
    }
    Err(errors::invalid("INVALID_PARAMETER", format!("limit must be between 1 and {PAGE_MAX}")))
}

fn list(state: &State, turn: &Turn, kind: Kind, request: &Request) -> Ruling {
    let (limit, offset) = (limit(request, PAGE_MAX)?, number(request, "offset", 0)?);
    let all: Vec<&ListView> = state.list_views.iter().filter(|view| view.kind == kind).collect();
    let page: Vec<Value> = all.iter().skip(offset).take(limit).map(|view| entry(turn, view)).collect();
    let reached = offset + page.len();
    let next = (reached < all.len())
        .then(|| format!("{}/sobjects/{}/listviews?limit={limit}&offset={reached}", turn.base(), kind.name()));
    Ok(reply::ok(&json!({
        "done": next.is_none(), "listviews": page, "nextRecordsUrl": next, "size": all.len(), "sobjectType": kind.name(),
    })))
}

fn entry(turn: &Turn, view: &ListView) -> Value {
    let id = id::text(PREFIX, view.number);
    let url = format!("{}/sobjects/{}/listviews/{id}", turn.base(), view.kind.name());
    json!({
        "describeUrl": format!("{url}/describe"), "developerName": view.developer_name, "id": id, "label": view.label,
        "resultsUrl": format!("{url}/results"), "soqlCompatible": true, "url": url,
    })
}

fn column_entries(state: &State, columns: &[Column]) -> Vec<Value> {
    let entry = |(at, column): (usize, &Column)| {
        let name = column.name(state);
        let field = column.field(state);
        // The ids and stamps behind the columns that people see are hidden ones.
        let hidden = matches!(name.as_str(), "Id" | "LastModifiedDate" | "SystemModstamp");
        let sorted = name == "Name";
        json!({
            "ascendingLabel": if hidden { Value::Null } else { "A-Z".into() },
            "descendingLabel": if hidden { Value::Null } else { "Z-A".into() },
            "fieldNameOrPath": name, "hidden": hidden, "label": field.map(|field| field.label.as_str()),
            "searchable": false, "selectListItem": name,
            "sortDirection": sorted.then_some("ascending"), "sortIndex": if sorted { json!(0) } else { Value::Null },
            "sortable": field.is_some_and(|field| field.kind != FieldType::MultiPicklist) && at < columns.len(),
            "type": column.kind(state).names().0,
        })
    };
    columns.iter().enumerate().map(entry).collect()
}

fn describe(state: &State, turn: &Turn, view: &ListView) -> Ruling {
    let query = statement(state, view, false);
    let plan = prepare(state, turn, &query)?;
    let order = |name: &str| json!({"fieldNameOrPath": name, "nullsPosition": "first", "sortDirection": "ascending"});
    Ok(reply::ok(&json!({
        "columns": column_entries(state, &plan.columns), "id": id::text(PREFIX, view.number),
        "orderBy": [order("Name"), order("Id")], "query": query, "relatedEntityId": null,
        "scope": if view.mine { "mine" } else { "everything" }, "scopeEntityId": null, "sobjectType": view.kind.name(),
        "whereCondition": {"conditions": [], "conjunction": "and"},
    })))
}

fn results(state: &State, turn: &Turn, view: &ListView, request: &Request) -> Ruling {
    let (limit, offset) = (limit(request, RESULTS_DEFAULT)?, number(request, "offset", 0)?);
    let plan = prepare(state, turn, &statement(state, view, true))?;
    let numbers = run::numbers(state, &plan, false);
    let shelf = state.shelf(view.kind);
    let page: Vec<u64> = numbers.iter().copied().skip(offset).take(limit).collect();
    let record = |view: View<'_>| {
        let column = |column: &Column| json!({"fieldNameOrPath": column.name(state), "value": display(&column.cell(state, view))});
        json!({"columns": plan.columns.iter().map(column).collect::<Vec<Value>>()})
    };
    let records: Vec<Value> = page.iter().filter_map(|number| View::of(shelf, *number)).map(record).collect();
    Ok(reply::ok(&json!({
        "columns": column_entries(state, &plan.columns), "developerName": view.developer_name,
        "done": offset + page.len() >= numbers.len(), "id": id::text(PREFIX, view.number), "label": view.label,
        "records": records, "size": page.len(),
    })))
}

/// A value as a page shows it: everything is text, and dates are not those of the API.
fn display(cell: &Cell<'_>) -> Value {
    match cell {
        Cell::Null | Cell::Address(_) => Value::Null,
        Cell::Flag(flag) => flag.to_string().into(),
        Cell::Number(text) | Cell::Text(text) => text.as_ref().into(),
        Cell::Moment(ms) => {
            let moment = chrono::DateTime::from_timestamp_millis(*ms).unwrap_or_default();
            moment.format("%a %b %d %H:%M:%S GMT %Y").to_string().into()
        }
    }
}
