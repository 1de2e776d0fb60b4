//! Gets an account ready for exactly-once creates: makes the own unique property where it is missing and permitted.

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_http::retry::Resend;
use serde_json::json;

use crate::api::Api;
use crate::describe::{Described, OwnKey, describe, described};
use crate::object::{OWN_KEY, Object};

/// The property group of our own.
const GROUP: &str = "abmatic";

/// Makes [`OWN_KEY`] unless it is there. A token that may not make it is no error: creates are verified then.
pub(crate) async fn prepare(api: &Api, on: &Connection, object: Object) -> Result<()> {
    let known = described(api, on, object).await?;
    match known.own_key {
        OwnKey::Ready | OwnKey::Refused => return Ok(()),
        OwnKey::NotUnique => return Err(not_unique(object)),
        OwnKey::Missing => {}
    }
    let made = match make_group(api, on, object).await {
        Ok(()) => make_property(api, on, object).await,
        Err(error) => Err(error),
    };
    match made {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::Forbidden => {
            let refused = Described { own_key: OwnKey::Refused, ..Described::clone(&known) };
            api.described.learn(on, object, refused);
            return Ok(());
        }
        // Another process made it, or an archived one of that name came back.
        Err(error) if error.kind() == ErrorKind::Duplicate => {}
        Err(error) => return Err(error),
    }
    match describe(api, on, object).await?.own_key {
        OwnKey::NotUnique => Err(not_unique(object)),
        OwnKey::Missing | OwnKey::Ready | OwnKey::Refused => Ok(()),
    }
}

async fn make_group(api: &Api, on: &Connection, object: Object) -> Result<()> {
    let body = json!({"name": GROUP, "label": "Abmatic", "displayOrder": -1});
    let path = api.version.property_groups(object);
    match api.post(on, operation(object), &path, &body, Resend::Safe).await {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::Duplicate => Ok(()),
        Err(error) => Err(error),
    }
}

async fn make_property(api: &Api, on: &Connection, object: Object) -> Result<()> {
    let body = json!({
        "name": OWN_KEY,
        "label": "Abmatic sync id",
        "description": "Under which Abmatic created this record. Keeps it from being created twice; do not edit.",
        "groupName": GROUP,
        "type": "string",
        "fieldType": "text",
        "hasUniqueValue": true,
        "formField": false,
    });
    api.post(on, operation(object), &api.version.properties(object), &body, Resend::Safe).await.map(drop)
}

fn operation(object: Object) -> String {
    format!("hubspot prepare {}", object.name())
}

fn not_unique(object: Object) -> Error {
    let message = format!(
        "the property {OWN_KEY} of {} exists but takes the same value twice; archive it and delete it for good, so that it can be made anew",
        object.name()
    );
    Error::invalid(ErrorCode::InvalidSettings, message).at(&operation(object))
}
