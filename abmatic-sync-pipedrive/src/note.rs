//! Notes: activities that only have a text. API v1 is the only one that has them; their ids begin with `note:`.

use abmatic_sync_core::connector::request::Written;
use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::retry::Resend;
use http::Method;
use serde_json::{Map, Value as Json};

use crate::api::Api;
use crate::describe::NOTE_CONTENT;
use crate::wire::{Single, WithId};

const PREFIX: &str = "note:";
const OPERATION: &str = "pipedrive write notes";
/// What a note can hang on ("OpenAPI v1"): one of them it needs.
const PARENTS: &[&str] = &["deal_id", "org_id", "person_id", "project_id"];

/// The number of the note that an id is of.
pub(crate) fn number_of(id: &RemoteId) -> Option<&str> {
    id.as_str().strip_prefix(PREFIX)
}

/// Whether fields are those of a note rather than of an activity.
pub(crate) fn is_note(fields: &Fields) -> bool {
    fields.get(NOTE_CONTENT).is_some_and(|value| !value.is_blank())
}

/// Makes a note, or changes one.
pub(crate) async fn write(api: &Api, on: &Connection, fields: &Fields, id: Option<&str>) -> Result<Written> {
    let body = body(fields).map_err(|error| error.at(OPERATION))?;
    let (method, path, resend) = match id {
        Some(id) => (Method::PUT, format!("/api/v1/notes/{id}"), Resend::Safe),
        None => (Method::POST, "/api/v1/notes".to_owned(), Resend::Verify),
    };
    let answer = api.send(on, OPERATION, (method, &path), Some(&body), resend).await?;
    let single: Single<'_> = answer.json()?;
    let made: WithId = serde_json::from_str(single.data.get()).map_err(|error| answer.unreadable(error))?;
    Ok(Written::new(format!("{PREFIX}{}", made.id)))
}

/// Deletes a note.
pub(crate) async fn delete(api: &Api, on: &Connection, id: &str) -> Result<()> {
    let path = format!("/api/v1/notes/{id}");
    api.send(on, OPERATION, (Method::DELETE, &path), None, Resend::Safe).await.map(|_| ())
}

fn body(fields: &Fields) -> Result<Json> {
    let mut body = Map::new();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_blank()) {
        let name = name.as_str();
        let json = match (name, value) {
            (NOTE_CONTENT, value) => Json::from(value.to_string()),
            (name, Value::Integer(id)) if PARENTS.contains(&name) => Json::from(*id),
            _ => {
                let message = format!("a note has no field \"{name}\": it has its content and what it hangs on");
                return Err(Error::invalid(ErrorCode::InvalidField, message).with_fields(vec![name.to_owned()]));
            }
        };
        body.insert(name.to_owned(), json);
    }
    Ok(body.into())
}
