//! Search: filters over an index that lags behind, two hundred a page, ten thousand a query.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::fake::hubspot::definition::{Source, ValueType};
use crate::fake::hubspot::errors::{self, Refusal};
use crate::fake::hubspot::filter::{self, Filter};
use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::objects::write_next;
use crate::fake::hubspot::outcome::{Outcome, Reading, Ruling, Turn};
use crate::fake::hubspot::record::{PropertyId, Record};
use crate::fake::hubspot::state::State;
use crate::fake::hubspot::values;
use crate::fake::hubspot::view::{Selection, View, write_record};
use crate::fake::json;

const GROUPS_MAX: usize = 5;
const FILTERS_PER_GROUP_MAX: usize = 6;
const FILTERS_MAX: usize = 18;
const RESULTS_MAX: usize = 10_000;
const LIMIT_DEFAULT: usize = 10;
const QUERY_CHARACTERS_MAX: usize = 3000;

/// A search, read and checked.
struct Query {
    groups: Vec<Vec<Filter>>,
    text: Vec<String>,
    sort: Option<Sort>,
    limit: usize,
    after: usize,
}

#[derive(Clone, Copy)]
struct Sort {
    property: PropertyId,
    source: Source,
    numeric: bool,
    descending: bool,
}

/// `POST …/{type}/search`.
pub(crate) fn search(state: &State, turn: Turn, kind: Kind, body: &Value) -> Ruling {
    let query = read(state, kind, body)?;
    let shelf = state.shelf(kind);
    let lagging = shelf.lagging(turn.now, state.settings.search_lag_ms);
    let indexed = Indexed { state, kind, lagging };
    let matches = indexed.matches(&query);
    let mut out = Vec::with_capacity(64 * 1024);
    out.extend_from_slice(format!("{{\"total\":{},\"results\":", matches.len()).as_bytes());
    let selection = selection(state, kind, body);
    let reached = query.after.saturating_add(query.limit).min(RESULTS_MAX);
    let page = matches.get(query.after..reached.min(matches.len())).unwrap_or_default();
    json::array(&mut out, page, |out, (id, record)| {
        write_record(out, View { state, kind, id: *id, record }, &selection, "");
    });
    if turn.repeat_page {
        write_next(&mut out, state, &query.after.to_string(), None);
    } else if reached < matches.len() {
        write_next(&mut out, state, &reached.to_string(), None);
    }
    out.push(b'}');
    Ok(Outcome::Found(out))
}

fn selection(state: &State, kind: Kind, body: &Value) -> Selection {
    let names = body.get("properties").and_then(Value::as_array).into_iter().flatten();
    let properties = names.filter_map(Value::as_str).map(str::to_owned).collect();
    Selection::of(state.shelf(kind), &Reading { properties, ..Reading::default() }).without_url()
}

fn read(state: &State, kind: Kind, body: &Value) -> Result<Query, Refusal> {
    let text = |name: &str| body.get(name).and_then(values::text_of).unwrap_or_default();
    let after = match text("after").as_str() {
        "" => 0,
        after => after.parse().map_err(|_| errors::invalid(format!("after is not a valid paging cursor: {after}")))?,
    };
    if after >= RESULTS_MAX {
        return Err(errors::invalid(format!("Cannot page beyond {RESULTS_MAX} results; after was {after}")));
    }
    let max = state.settings.search_page_max;
    let limit =
        match text("limit").as_str() {
            "" => LIMIT_DEFAULT,
            limit => limit.parse().ok().filter(|limit| (0..=max).contains(limit)).ok_or_else(|| {
                errors::invalid(format!("limit must be a number between 0 and {max}, but was {limit}"))
            })?,
        };
    let query = text("query").to_lowercase();
    if query.chars().count() > QUERY_CHARACTERS_MAX {
        return Err(errors::invalid(format!("query may have {QUERY_CHARACTERS_MAX} characters")));
    }
    Ok(Query {
        groups: read_groups(state, kind, body)?,
        text: query.split_whitespace().map(str::to_owned).collect(),
        sort: read_sort(state, kind, body)?,
        limit,
        after,
    })
}

fn read_groups(state: &State, kind: Kind, body: &Value) -> Result<Vec<Vec<Filter>>, Refusal> {
    let listed = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut groups = listed(body, "filterGroups");
    if groups.is_empty() && body.get("filters").is_some() {
        groups.push(body.clone());
    }
    if groups.len() > GROUPS_MAX {
        return Err(errors::invalid(format!("A search may have {GROUPS_MAX} filter groups, but has {}", groups.len())));
    }
    let mut total = 0;
    let mut read = Vec::new();
    for group in &groups {
        let filters = listed(group, "filters");
        total += filters.len();
        if filters.len() > FILTERS_PER_GROUP_MAX || total > FILTERS_MAX {
            return Err(errors::invalid(format!(
                "A search may have {FILTERS_PER_GROUP_MAX} filters in a group and {FILTERS_MAX} in all"
            )));
        }
        read.push(filters.iter().map(|raw| filter::read(state, kind, raw)).collect::<Result<_, _>>()?);
    }
    Ok(read)
}

fn read_sort(state: &State, kind: Kind, body: &Value) -> Result<Option<Sort>, Refusal> {
    let sorts = body.get("sorts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let [raw] = sorts else {
        return if sorts.is_empty() { Ok(None) } else { Err(errors::invalid("Only one sort is allowed")) };
    };
    let (name, descending) = match raw {
        Value::String(text) => (text.trim_start_matches('-').to_owned(), text.starts_with('-')),
        _ => {
            let text = |field: &str| raw.get(field).and_then(values::text_of).unwrap_or_default();
            (text("propertyName"), text("direction").eq_ignore_ascii_case("DESCENDING"))
        }
    };
    let found = state.shelf(kind).catalogue.find(&name);
    let (property, definition) =
        found.ok_or_else(|| errors::invalid(format!("Cannot sort by unknown property {name}")))?;
    let numeric = definition.value_type == ValueType::Number;
    Ok(Some(Sort { property, source: definition.source, numeric, descending }))
}

/// The records as the index shows them.
struct Indexed<'a> {
    state: &'a State,
    kind: Kind,
    lagging: BTreeMap<u64, Option<&'a Record>>,
}

impl<'a> Indexed<'a> {
    /// What matches, in the order asked for.
    fn matches(&self, query: &Query) -> Vec<(u64, &'a Record)> {
        let live = &self.state.shelf(self.kind).live;
        let mut found: Vec<(u64, &'a Record)> = live
            .iter()
            .filter_map(|(id, record)| {
                let shown = match self.lagging.get(id) {
                    Some(before) => (*before)?,
                    None => record,
                };
                self.passes(*id, shown, query).then_some((*id, shown))
            })
            .collect();
        match query.sort {
            Some(Sort { source: Source::Id, descending: false, .. }) => {}
            Some(sort) => found.sort_by_cached_key(|(id, record)| self.sort_key(sort, *id, record)),
            None => found.sort_by_key(|(id, record)| (record.created, *id)),
        }
        found
    }

    fn passes(&self, id: u64, record: &Record, query: &Query) -> bool {
        let view = View { state: self.state, kind: self.kind, id, record };
        let any =
            query.groups.is_empty() || query.groups.iter().any(|group| group.iter().all(|filter| filter.passes(view)));
        any && (query.text.is_empty() || self.has_words(view, &query.text))
    }

    fn has_words(&self, view: View<'_>, words: &[String]) -> bool {
        let catalogue = &self.state.shelf(self.kind).catalogue;
        let looked_at = self.kind.facts().searched.iter().filter_map(|name| catalogue.id(name));
        let text: Vec<String> = looked_at.filter_map(|id| view.record.values.get(id)).map(str::to_lowercase).collect();
        words.iter().all(|word| text.iter().any(|value| value.contains(word)))
    }

    fn sort_key(&self, sort: Sort, id: u64, record: &Record) -> SortKey {
        let view = View { state: self.state, kind: self.kind, id, record };
        let value = view.value(sort.property, sort.source).map(|value| value.to_lowercase());
        let number = value.as_deref().filter(|_| sort.numeric).and_then(|value| value.parse().ok());
        SortKey { value, number, id, descending: sort.descending }
    }
}

/// Records without a value come last whichever way the sort goes; equal ones by id.
#[derive(Debug, PartialEq)]
struct SortKey {
    value: Option<String>,
    number: Option<f64>,
    id: u64,
    descending: bool,
}

impl Eq for SortKey {}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = match (self.number, other.number) {
            (Some(left), Some(right)) => left.total_cmp(&right),
            _ => self.value.cmp(&other.value),
        };
        let order = if self.descending { order.reverse() } else { order };
        self.value.is_none().cmp(&other.value.is_none()).then(order).then(self.id.cmp(&other.id))
    }
}
