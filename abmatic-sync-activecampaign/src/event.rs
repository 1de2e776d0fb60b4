//! Events that are tracked on a contact, where the host has set event tracking up: another host, another key, a form.

use std::fmt;
use std::sync::Arc;

use abmatic_sync_core::connector::request::Written;
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::transport::{Proof, Transport};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value as Json, json};
use url::Url;
use url::form_urlencoded::Serializer;

/// The field that holds an event's name, of 32 characters at the most ("Track event").
pub(crate) const EVENT: &str = "event";
/// The field that holds what is told of it.
pub(crate) const EVENT_DATA: &str = "event_data";

const OPERATION: &str = "activecampaign track event";
const NAME_MAX: usize = 32;

/// Where events go, and under which key: Website → Site Tracking shows both.
#[derive(Clone)]
pub(crate) struct EventTracking {
    pub(crate) address: Url,
    pub(crate) account: String,
    pub(crate) key: SecretString,
    pub(crate) transport: Arc<dyn Transport>,
}

impl fmt::Debug for EventTracking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventTracking").field("account", &self.account).finish_non_exhaustive()
    }
}

/// Whether fields are those of an event rather than of a note.
pub(crate) fn is_event(fields: &Fields) -> bool {
    fields.get(EVENT).is_some_and(|name| !name.is_blank())
}

impl EventTracking {
    /// Tracks an event. There is no record of it that could be changed later.
    ///
    /// # Errors
    /// [`ErrorKind::Ambiguous`] where the answer is lost; [`ErrorCode::InvalidField`] where the event is refused, which comes as
    /// a 200 that says so.
    pub(crate) async fn track(&self, intent: &str, fields: &Fields) -> Result<Written> {
        let text = |name: &str| fields.get(name).map(Value::to_string).unwrap_or_default();
        let (name, email) = (text(EVENT), text("email"));
        if name.chars().count() > NAME_MAX || email.is_empty() {
            let message =
                format!("an event needs a name of {NAME_MAX} characters at the most, and the contact's email");
            let fields = vec![EVENT.to_owned(), "email".to_owned()];
            return Err(Error::invalid(ErrorCode::InvalidField, message).with_fields(fields).at(OPERATION));
        }
        let form = self.form(&name, &text(EVENT_DATA), &email);
        let mut request = Request::new(Bytes::from(form));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.address.as_str().parse().map_err(|error: http::uri::InvalidUri| {
            Error::invalid(ErrorCode::InvalidSettings, "the address for events is not one of HTTP").caused_by(error)
        })?;
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form_type);
        let answer = self.transport.send(request).await.map_err(|error| {
            let kind = match error.proof() {
                Proof::NeverSent => ErrorKind::Unavailable,
                Proof::MayHaveActed => ErrorKind::Ambiguous,
            };
            Error::new(kind, ErrorCode::ConnectionLost, error.to_string()).caused_by(error).at(OPERATION)
        })?;
        if answer.status().is_server_error() {
            let message = format!("HTTP {}", answer.status().as_u16());
            return Err(Error::new(ErrorKind::Ambiguous, ErrorCode::ServerUnavailable, message).at(OPERATION));
        }
        let said: Json = serde_json::from_slice(answer.body()).unwrap_or_default();
        if said.get("success").and_then(crate::wire::text).as_deref() != Some("1") {
            let words =
                said.get("message").and_then(crate::wire::text).unwrap_or_else(|| "without a reason".to_owned());
            return Err(
                Error::invalid(ErrorCode::InvalidField, format!("the event was refused: {words}")).at(OPERATION)
            );
        }
        Ok(Written::new(format!("event:{intent}")))
    }

    fn form(&self, name: &str, data: &str, email: &str) -> String {
        Serializer::new(String::new())
            .append_pair("actid", &self.account)
            .append_pair("key", self.key.expose_secret())
            .append_pair("event", name)
            .append_pair("eventdata", data)
            .append_pair("visit", &json!({"email": email}).to_string())
            .finish()
    }
}
