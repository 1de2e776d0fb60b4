//! Lists from their beginning to their end: contacts by their ids, the rest by offsets that step back when rows have moved.

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_http::paging::repeated;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::object::Object;
use crate::reader::Reader;
use crate::wire::{id, rows, total};

/// Rows on a page ("Pagination": the most).
const PAGE_MAX: u64 = 100;
/// How often in a row a list may move under the one who reads it.
const MOVES_MAX: u32 = 20;

/// A place between two pages. It outlives the process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The last record that was read.
    #[serde(rename = "l")]
    last: String,
    /// How many rows were before the end of the last page.
    #[serde(rename = "o", default)]
    offset: u64,
    /// How often in a row the list has moved.
    #[serde(rename = "m", default)]
    moves: u32,
}

/// A page of rows with what stands beside them.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) body: Json,
    pub(crate) rows: Vec<Json>,
    pub(crate) next: Option<Place>,
    pub(crate) total: Option<u64>,
    pub(crate) part: Part,
}

/// Which part of a list some rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The first page, or the only one, of so many rows.
    First(u64),
    /// A later page, with which so many rows are left.
    Later(u64),
}

impl Part {
    fn of(is_first: bool, rows: u64) -> Self {
        if is_first { Self::First(rows) } else { Self::Later(rows) }
    }
}

/// The page at `place`.
pub(crate) async fn page(reader: &Reader<'_>, query: &[(&str, &str)], place: Option<Place>) -> Result<Rows> {
    match reader.object {
        Object::Contact => by_id(reader, query, place).await,
        Object::Account | Object::Deal | Object::Note => by_offset(reader, query, place.unwrap_or_default()).await,
    }
}

async fn fetch(reader: &Reader<'_>, query: &[(&str, &str)]) -> Result<(Json, Vec<Json>)> {
    let key = reader.object.plural();
    let mut all = vec![("limit", "100")];
    all.extend_from_slice(query);
    let answer = reader.api.get(reader.on, reader.operation().to_owned(), key, &all).await?;
    let mut body: Json = answer.json()?;
    let rows = rows(&answer, &mut body, key)?;
    Ok((body, rows))
}

/// "Pagination": `id_greater` instead of deep offsets, on contacts only.
async fn by_id(reader: &Reader<'_>, query: &[(&str, &str)], place: Option<Place>) -> Result<Rows> {
    let beside = reader.beside();
    let mut all = query.to_vec();
    all.push(("orders[id]", "ASC"));
    all.extend(place.as_ref().map(|place| ("id_greater", place.last.as_str())));
    all.extend(beside.as_deref().map(|beside| ("include", beside)));
    let (body, rows) = fetch(reader, &all).await?;
    let total = total(&body);
    // Whether the total counts what was passed is not documented: where it does, one call more finds nothing.
    let goes_on = !rows.is_empty() && total.is_none_or(|total| total > rows.len() as u64);
    let last = last_id(&rows);
    let number = |id: &str| id.parse::<u64>().unwrap_or(0);
    let next = match (last, &place) {
        (Some((_, last)), Some(place)) if number(&last) <= number(&place.last) => return Err(repeated(&place.last)),
        (Some((_, last)), _) if goes_on => Some(Place { last, ..Place::default() }),
        (None, _) if goes_on => return Err(without_ids(reader)),
        (Some(_) | None, _) => None,
    };
    let part = Part::of(place.is_none(), total.unwrap_or(0).max(rows.len() as u64));
    Ok(Rows { body, rows, next, total: total.filter(|_| place.is_none()), part })
}

/// A page begins with the last row of the one before: where that is another, rows before it are gone, and one steps back.
async fn by_offset(reader: &Reader<'_>, query: &[(&str, &str)], place: Place) -> Result<Rows> {
    let from = place.offset.saturating_sub(u64::from(!place.last.is_empty()));
    let offset = from.to_string();
    let mut all = query.to_vec();
    if reader.object == Object::Deal {
        all.push(("orders[cdate]", "ASC"));
    }
    all.push(("offset", offset.as_str()));
    let (body, mut rows) = fetch(reader, &all).await?;
    let total = total(&body);
    let is_where_it_was =
        place.last.is_empty() || rows.first().and_then(|row| id(row, "id")).as_ref() == Some(&place.last);
    let end = from + rows.len() as u64;
    if !is_where_it_was && from > 0 {
        if place.moves >= MOVES_MAX {
            let message = format!("the list of {} changes faster than it can be read", reader.object.plural());
            return Err(Error::new(ErrorKind::Unavailable, ErrorCode::ServerUnavailable, message));
        }
        let moved = Place { last: String::new(), offset: from.saturating_sub(PAGE_MAX), moves: place.moves + 1 };
        return Ok(Rows { body, rows: Vec::new(), next: Some(moved), total: None, part: Part::Later(0) });
    }
    let last = last_id(&rows);
    if !place.last.is_empty() && is_where_it_was {
        rows.remove(0);
    }
    let goes_on = !rows.is_empty() && total.is_none_or(|total| total > end);
    // A page that begins where the last one ended is a step ahead.
    let moves = if place.last.is_empty() { place.moves } else { 0 };
    let next = match last {
        Some((at, last)) if goes_on && last != place.last => Some(Place { last, offset: from + at + 1, moves }),
        _ if goes_on => return Err(without_ids(reader)),
        _ => None,
    };
    let part = Part::of(from == 0, total.map_or(0, |total| total.saturating_sub(end)) + rows.len() as u64);
    Ok(Rows { body, rows, next, total: total.filter(|_| from == 0), part })
}

/// The last row that has an id, and its place: one without is undecodable, and ends nothing.
fn last_id(rows: &[Json]) -> Option<(u64, String)> {
    rows.iter().enumerate().rev().find_map(|(at, row)| Some((at as u64, id(row, "id")?)))
}

fn without_ids(reader: &Reader<'_>) -> Error {
    let message = format!("a page of {} without a single id", reader.object.plural());
    Error::new(ErrorKind::Undocumented, ErrorCode::InvalidAnswer, message)
}
