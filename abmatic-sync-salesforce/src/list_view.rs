//! List views as scopes: the view's own conditions in a query of ours, or its rows' ids where it has no query.
//!
//! A view's results are display strings (labels, localised dates), so that only ids are taken from them ("List View Results").

use abmatic_sync_core::connector::request::{Page, PageCursor};
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};

use crate::id::is_id;
use crate::layout::Layout;
use crate::reader::{Bin, Reader};
use crate::roles;
use crate::soql::Query;
use crate::walk::{Order, Step, Walk};
use crate::wire::{ListViewDescribe, ListViewResults, ListViews};

/// Rows in one page of a view's results: 25 unless told, 2,000 at the most ("List View Results").
const ROWS_MAX: usize = 2_000;
/// Views in one page of their list.
const VIEWS_MAX: usize = 200;
/// The scope of all records.
const EVERYTHING: &str = "everything";

/// Where a view's members are.
#[derive(Debug)]
pub(crate) enum Members {
    /// Records for which the condition holds. `from` is the object, with its scope.
    Query { from: String, condition: Option<String> },
    /// The rows of the view of that id.
    Rows(String),
}

/// A page of a view's members.
pub(crate) async fn page(reader: &Reader<'_>, layout: Layout, list: &str, cursor: Option<&PageCursor>) -> Result<Page> {
    if let Some((id, offset)) = cursor.and_then(rows_place) {
        return rows(reader, &layout, id, offset).await;
    }
    // Asked for on each page: the locator of the page before needs no conditions, yet it may have died.
    let (from, condition) = match members(reader, list).await? {
        Members::Query { from, condition } => (from, condition),
        Members::Rows(id) => return rows(reader, &layout, &id, 0).await,
    };
    let query = scoped(reader, &layout.select(), &from, condition.as_deref());
    let walk = Walk { reader, layout, query, order: Order::Id, bin: Bin::LeftOut };
    let mut step = walk.step(cursor).await?;
    if walk.layout.roles {
        roles::attach(reader, &mut step.found.records).await?;
    }
    Ok(step.into_page())
}

/// A query of a view's members among the object's own records.
pub(crate) fn scoped(reader: &Reader<'_>, select: &str, from: &str, condition: Option<&str>) -> Query {
    let query = Query::new(select, from);
    let conditions = reader.own_condition().into_iter().chain(condition.map(str::to_owned));
    conditions.fold(query, Query::filtered)
}

/// Finds a view by its id, API name or label, and what its members are.
pub(crate) async fn members(reader: &Reader<'_>, list: &str) -> Result<Members> {
    let id = if is_id(list) && list.starts_with("00B") { list.to_owned() } else { by_name(reader, list).await? };
    let path = reader.api.version().list_view(reader.object, &id, "describe");
    let answer = reader.api.get(reader.on, reader.operation.clone(), &path, &[]).await;
    let answer =
        answer.map_err(|error| if error.kind() == ErrorKind::NotFound { no_view(reader, list) } else { error })?;
    let view: ListViewDescribe = answer.json()?;
    // A queue's or campaign's records are no scope that a query can name.
    let Some(query) = view.query.filter(|_| view.scope_entity_id.is_none()) else { return Ok(Members::Rows(id)) };
    let mut from = reader.object.name().to_owned();
    if let Some(scope) = view.scope.filter(|scope| !scope.eq_ignore_ascii_case(EVERYTHING) && !scope.is_empty()) {
        if !scope.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'_') {
            return Ok(Members::Rows(id));
        }
        from = format!("{from} USING SCOPE {scope}");
    }
    Ok(Members::Query { from, condition: condition_of(&query) })
}

async fn by_name(reader: &Reader<'_>, list: &str) -> Result<String> {
    let path = reader.api.version().list_views(reader.object);
    let limit = VIEWS_MAX.to_string();
    let mut offset = 0;
    loop {
        let at = offset.to_string();
        let query = [("limit", limit.as_str()), ("offset", at.as_str())];
        let page: ListViews = reader.api.get(reader.on, reader.operation.clone(), &path, &query).await?.json()?;
        let is_it = |name: &Option<String>| name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(list));
        if let Some(view) = page.listviews.iter().find(|view| is_it(&view.developer_name) || is_it(&view.label)) {
            return Ok(view.id.clone());
        }
        if page.done || page.listviews.is_empty() {
            return Err(no_view(reader, list));
        }
        offset += page.listviews.len();
    }
}

fn no_view(reader: &Reader<'_>, list: &str) -> Error {
    let message = format!("there is no list view {list:?} of {}", reader.object.name());
    reader.at(Error::invalid(ErrorCode::InvalidSettings, message))
}

/// What stands between `WHERE` and `ORDER BY`, outside of quotes and parentheses.
fn condition_of(query: &str) -> Option<String> {
    let start = keyword(query, 0, " WHERE ")?;
    let from = start + " WHERE ".len();
    let end =
        [" ORDER BY ", " LIMIT "].iter().filter_map(|word| keyword(query, from, word)).min().unwrap_or(query.len());
    let condition = query.get(from..end)?.trim();
    (!condition.is_empty()).then(|| condition.to_owned())
}

/// The place of a keyword at the top level, at or after `from`.
fn keyword(query: &str, from: usize, word: &str) -> Option<usize> {
    let is_it = |place: usize| {
        query.get(place..place + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word)) && place >= from
    };
    let (mut depth, mut in_quotes, mut is_escaped) = (0_usize, false, false);
    for (place, letter) in query.char_indices() {
        if is_escaped {
            is_escaped = false;
            continue;
        }
        match letter {
            '\\' if in_quotes => is_escaped = true,
            '\'' => in_quotes = !in_quotes,
            '(' if !in_quotes => depth += 1,
            ')' if !in_quotes => depth = depth.saturating_sub(1),
            ' ' if !in_quotes && depth == 0 && is_it(place) => return Some(place),
            _ => {}
        }
    }
    None
}

/// A place among a view's rows: its id and the number of rows before.
fn rows_place(cursor: &PageCursor) -> Option<(&str, usize)> {
    let (id, offset) = cursor.as_str().strip_prefix("rows ")?.split_once(' ')?;
    Some((id, offset.parse().ok()?))
}

async fn rows(reader: &Reader<'_>, layout: &Layout, id: &str, offset: usize) -> Result<Page> {
    let path = reader.api.version().list_view(reader.object, id, "results");
    let (limit, at) = (ROWS_MAX.to_string(), offset.to_string());
    let query = [("limit", limit.as_str()), ("offset", at.as_str())];
    let results: ListViewResults = reader.api.get(reader.on, reader.operation.clone(), &path, &query).await?.json()?;
    let ids: Vec<String> = results.records.iter().filter_map(|row| row.id()).map(str::to_owned).collect();
    let found = reader.by_ids(layout, &ids).await?;
    let is_last = results.done || results.records.is_empty();
    let next = (!is_last).then(|| PageCursor::new(format!("rows {id} {}", offset + results.records.len())));
    Ok(Step { found, next, total: None }.into_page())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_views_condition_is_taken_out_of_its_query() {
        let table = [
            (
                "SELECT name FROM Account WHERE CreatedDate = THIS_WEEK ORDER BY Name ASC",
                Some("CreatedDate = THIS_WEEK"),
            ),
            ("SELECT name FROM Account ORDER BY Name", None),
            (
                r"SELECT a, (SELECT Id FROM Contacts WHERE x = 1) FROM Account WHERE Name = 'a ORDER BY \' b' AND (b = 2) LIMIT 5",
                Some(r"Name = 'a ORDER BY \' b' AND (b = 2)"),
            ),
            ("select a from Account where x != null", Some("x != null")),
        ];
        for (query, expected) in table {
            assert_eq!(condition_of(query).as_deref(), expected, "{query}");
        }
    }
}
