//! ActiveCampaign's JSON: a text, a number and a truth mean the same, and so do several ways of being nothing.

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_http::client::Answer;
use chrono::{DateTime, Utc};
use serde_json::Value as Json;

/// A scalar as text; nothing for what is blank in any of its ways, for arrays and for objects.
pub(crate) fn text(json: &Json) -> Option<String> {
    let text = match json {
        Json::Bool(truth) => if *truth { "1" } else { "0" }.to_owned(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.clone(),
        Json::Null | Json::Array(_) | Json::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// The id under a key. `0` is none.
pub(crate) fn id(row: &Json, key: &str) -> Option<String> {
    text(row.get(key)?).filter(|id| id != "0")
}

/// A moment with its offset; the API's zoneless ones are not to be trusted.
pub(crate) fn moment(row: &Json, key: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(row.get(key)?.as_str()?).ok().map(|moment| moment.to_utc())
}

/// How many there are in all, in either type in which lists tell it.
pub(crate) fn total(body: &Json) -> Option<u64> {
    text(body.get("meta")?.get("total")?)?.parse().ok()
}

/// The rows of a list.
///
/// # Errors
/// [`ErrorCode::InvalidAnswer`] where the list is not there.
pub(crate) fn rows(answer: &Answer, body: &mut Json, key: &str) -> Result<Vec<Json>> {
    match body.get_mut(key).map(Json::take) {
        Some(Json::Array(rows)) => Ok(rows),
        _ => Err(unexpected(answer, key)),
    }
}

/// The error for an answer without what it is asked for.
pub(crate) fn unexpected(answer: &Answer, key: &str) -> Error {
    let message = format!("HTTP {} without \"{key}\"", answer.status().as_u16());
    Error::new(ErrorKind::Undocumented, ErrorCode::InvalidAnswer, message)
}
