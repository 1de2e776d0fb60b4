//! Notes on contacts, accounts and deals: how engagement is recorded.

use abmatic_sync_core::connector::request::Written;
use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::retry::Resend;
use http::Method;
use serde_json::{Value as Json, json};

use crate::api::Api;
use crate::wire::{id, unexpected};

/// The field that holds a note's text.
pub(crate) const TEXT: &str = "note";
/// The fields that name what a note is on, and its kind ("Create a note").
pub(crate) const PARENTS: &[(&str, &str)] =
    &[("contact_id", "Subscriber"), ("account_id", "CustomerAccount"), ("deal_id", "Deal")];

const OPERATION: &str = "activecampaign write notes";

/// The id of what a note is on, where that is of the kind of `field`.
pub(crate) fn parent<'r>(row: &'r Json, field: &str) -> Option<&'r Json> {
    let (_, kind) = PARENTS.iter().find(|(name, _)| *name == field)?;
    row.get("relid").filter(|_| row.get("reltype").and_then(Json::as_str) == Some(*kind))
}

/// Makes a note, or changes one's text.
pub(crate) async fn write(api: &Api, on: &Connection, fields: &Fields, number: Option<&RemoteId>) -> Result<Written> {
    let body = body(fields, number.is_none()).map_err(|error| error.at(OPERATION))?;
    let (method, path, resend) = match number {
        Some(number) => (Method::PUT, format!("notes/{number}"), Resend::Safe),
        None => (Method::POST, "notes".to_owned(), Resend::Verify),
    };
    let answer = api.send(on, OPERATION, (method, &path), Some(&body), resend).await?;
    let made: Json = answer.json()?;
    made.get("note").and_then(|note| id(note, "id")).map(Written::new).ok_or_else(|| unexpected(&answer, "note.id"))
}

fn body(fields: &Fields, is_new: bool) -> Result<Json> {
    let refused = |message: &str, field: &str| {
        Err(Error::invalid(ErrorCode::RequiredFieldMissing, message).with_fields(vec![field.to_owned()]))
    };
    let text = fields.get(TEXT).filter(|text| !text.is_blank()).map(Value::to_string);
    let mut note = json!({});
    match text {
        Some(text) => note["note"] = text.into(),
        None if is_new => return refused("a note needs its text", TEXT),
        None => {}
    }
    let parent = PARENTS.iter().find_map(|(field, kind)| {
        let id = fields.get(field).filter(|value| !value.is_blank())?;
        Some((id.to_string(), *kind))
    });
    match parent {
        Some((number, kind)) => {
            note["relid"] = number.into();
            note["reltype"] = kind.into();
        }
        None if is_new => return refused("a note needs the id of a contact, an account or a deal", PARENTS[0].0),
        None => {}
    }
    Ok(json!({"note": note}))
}
