//! Pages: limit, offset, and a total whose type depends on the list.

use serde_json::{Value, json};

use crate::fake::activecampaign::state::State;
use crate::fake::exchange::Request;

const LIMIT: usize = 20;

/// In which type a list tells its total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Total {
    Number,
    Text,
}

/// The rows of one page, and how many there are.
pub(crate) fn page<T>(state: &State, request: &Request, rows: Vec<T>) -> (Vec<T>, usize) {
    page_of(state, request, rows, LIMIT)
}

/// The same where another limit is usual.
pub(crate) fn page_of<T>(state: &State, request: &Request, rows: Vec<T>, usual: usize) -> (Vec<T>, usize) {
    let number = |name: &str| request.query(name).and_then(|text| text.trim().parse::<usize>().ok());
    let limit = number("limit").unwrap_or(usual).min(state.settings.page_max);
    let total = rows.len();
    let rows = rows.into_iter().skip(number("offset").unwrap_or(0)).take(limit).collect();
    (rows, total)
}

pub(crate) fn meta(total: usize, kind: Total) -> Value {
    match kind {
        Total::Number => json!({"total": total}),
        Total::Text => json!({"total": total.to_string()}),
    }
}

/// The ids that a parameter names, once or several times, with or without brackets.
pub(crate) fn ids(request: &Request, name: &str) -> Option<Vec<u64>> {
    let bracketed = format!("{name}[]");
    let texts: Vec<&str> = request.query_list(&bracketed).chain(request.query_list(name)).collect();
    (!texts.is_empty()).then(|| texts.iter().filter_map(|text| text.parse().ok()).collect())
}

/// A filter's value.
pub(crate) fn filter<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.query(&format!("filters[{name}]")).filter(|text| !text.is_empty())
}

/// A filter's value that is an id.
pub(crate) fn filter_id(request: &Request, name: &str) -> Option<u64> {
    filter(request, name)?.parse().ok()
}
