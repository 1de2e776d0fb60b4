//! The bodies of HubSpot's refusals, word for word. Sources are in the comment of each.

use std::ops::{Deref, DerefMut};

use serde_json::{Map, Value, json};

use crate::fake::hubspot::kind::Kind;
use crate::fake::moment;

/// What the API refuses, in the words it uses.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal(Box<Envelope>);

/// The fields of HubSpot's error envelope. Every one but the status is optional on the wire too.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Envelope {
    pub(crate) status: u16,
    pub(crate) message: String,
    pub(crate) category: Option<&'static str>,
    pub(crate) sub_category: Option<&'static str>,
    pub(crate) errors: Vec<Value>,
    pub(crate) context: Map<String, Value>,
    pub(crate) links: Option<Value>,
    /// Fields beyond the envelope, such as `policyName`.
    pub(crate) extra: Map<String, Value>,
    /// Name the request by another id, too.
    pub(crate) has_request_id: bool,
    /// Leave out `status`, `message` and `correlationId`.
    pub(crate) bare: bool,
}

impl Deref for Refusal {
    type Target = Envelope;

    fn deref(&self) -> &Envelope {
        &self.0
    }
}

impl DerefMut for Refusal {
    fn deref_mut(&mut self) -> &mut Envelope {
        &mut self.0
    }
}

/// One wrong property value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadValue {
    pub(crate) property: String,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl BadValue {
    pub(crate) fn new(property: &str, code: &'static str, message: String) -> Self {
        Self { property: property.to_owned(), code, message }
    }
}

impl Refusal {
    fn new(status: u16, category: Option<&'static str>, message: impl Into<String>) -> Self {
        Self(Box::new(Envelope { status, category, message: message.into(), ..Envelope::default() }))
    }

    fn with_context(mut self, key: &str, values: Vec<String>) -> Self {
        self.context.insert(key.to_owned(), values.into());
        self
    }

    /// The whole answer's body.
    pub(crate) fn body(&self, correlation_id: &str) -> Vec<u8> {
        let mut body = Map::new();
        if !self.bare {
            body.insert("status".to_owned(), "error".into());
            body.insert("message".to_owned(), self.message.as_str().into());
            body.insert("correlationId".to_owned(), correlation_id.into());
        }
        if !self.context.is_empty() {
            body.insert("context".to_owned(), self.context.clone().into());
        }
        if !self.errors.is_empty() {
            body.insert("errors".to_owned(), self.errors.clone().into());
        }
        if let Some(links) = &self.links {
            body.insert("links".to_owned(), links.clone());
        }
        if let Some(category) = self.category {
            body.insert("category".to_owned(), category.into());
        }
        if let Some(sub_category) = self.sub_category {
            body.insert("subCategory".to_owned(), sub_category.into());
        }
        if self.has_request_id {
            body.insert("requestId".to_owned(), correlation_id.replace('-', "").into());
        }
        body.extend(self.extra.clone());
        Value::Object(body).to_string().into_bytes()
    }

    /// The refusal as an entry of a batch's `errors`, with the row's trace id in its context.
    pub(crate) fn batch_entry(&self, trace_id: Option<&str>) -> Value {
        let mut context = self.context.clone();
        if let Some(trace_id) = trace_id {
            context.insert("objectWriteTraceId".to_owned(), json!([trace_id]));
        }
        let mut entry = json!({"status": "error", "message": self.message, "context": context});
        if let Some(category) = self.category {
            entry["category"] = category.into();
        }
        if let Some(sub_category) = self.sub_category {
            entry["subCategory"] = sub_category.into();
        }
        if let (Some(existing), true) = (self.existing_id(), self.category == Some("CONFLICT")) {
            entry["context"]["existingId"] = json!([existing]);
        }
        entry
    }

    fn existing_id(&self) -> Option<&str> {
        self.message.split_once("Existing ID: ").map(|(_, id)| id)
    }
}

/// Values that do not fit their properties (docs, "using object APIs"): the message repeats the errors as JSON.
pub(crate) fn bad_values(bad: &[BadValue], portal_id: u64) -> Refusal {
    let shown: Vec<String> = bad
        .iter()
        .map(|bad| {
            // Keys in the order of the documented message, which a map would sort.
            let text = |text: &str| Value::from(text).to_string();
            format!(
                "{{\"isValid\":false,\"message\":{message},\"error\":{code},\"name\":{name},\"localizedErrorMessage\":{message},\"portalId\":{portal_id}}}",
                message = text(&bad.message),
                code = text(bad.code),
                name = text(&bad.property),
            )
        })
        .collect();
    let mut refusal =
        Refusal::new(400, Some("VALIDATION_ERROR"), format!("Property values were not valid: [{}]", shown.join(",")));
    refusal.errors = bad
        .iter()
        .map(|bad| json!({"message": bad.message, "code": bad.code, "context": {"propertyName": [bad.property]}}))
        .collect();
    refusal
}

/// A property that an admin requires on create (changelog, "CRM API write validation enforcement").
pub(crate) fn required_by_admin(names: &[String]) -> Refusal {
    let mut refusal = Refusal::new(400, Some("VALIDATION_ERROR"), "The property values provided are invalid");
    refusal.errors = names
        .iter()
        .map(|name| {
            let message = format!("A value for {name} must be provided");
            json!({"code": "MISSING_REQUIRED_PROPERTY", "message": message, "context": {"propertyName": [name]}})
        })
        .collect();
    refusal
}

/// A property that an admin requires when another one has some value (same source; the envelope is bare there).
pub(crate) fn required_by_condition(name: &str, controlling: &str) -> Refusal {
    let message = format!("{name} is required because of a conditional property rule based on [{controlling}]");
    let mut refusal = Refusal::new(400, Some("VALIDATION_ERROR"), message.clone());
    refusal.bare = true;
    refusal.errors = vec![json!({
        "code": "MISSING_CONDITIONAL_REQUIRED_PROPERTY", "message": message, "context": {"propertyName": [name]},
    })];
    refusal
}

/// What HubSpot itself requires on create (text from integrators' reports).
pub(crate) fn required_on_create(kind: Kind, names: &[&str]) -> Refusal {
    let upper = kind.facts().upper;
    let message = format!(
        "Error creating {upper}. Some required properties were not set. Required properties: [{}]",
        names.join(", ")
    );
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Refusal::new(400, Some("VALIDATION_ERROR"), message).with_context("properties", names)
}

/// An e-mail that another contact has (docs, recorded answers).
pub(crate) fn contact_exists(id: Option<u64>) -> Refusal {
    let message = match id {
        Some(id) => format!("Contact already exists. Existing ID: {id}"),
        None => "Contact already exists".to_owned(),
    };
    Refusal::new(409, Some("CONFLICT"), message)
}

/// A unique custom value that another record has (code confirmed by integrators, text partly).
pub(crate) fn unique_taken(kind: Kind, name: &str, value: &str, holder: u64, portal_id: u64) -> BadValue {
    let message = format!(
        "Cannot set PropertyValueCoordinates{{portalId={portal_id}, objectTypeId={}, propertyName={name}, \
         value={value}}}. {holder} already has that value.",
        kind.type_id()
    );
    BadValue::new(name, "CONFLICTING_UNIQUE_VALUE", message)
}

/// An erased address (HubSpot's front-end source).
pub(crate) fn email_blocklisted(email: &str) -> Refusal {
    Refusal::new(400, Some("VALIDATION_ERROR"), format!("{email}: email has been GDPR blacklisted"))
}

/// A numeric id that no record has, on a single read (recorded).
pub(crate) fn not_found() -> Refusal {
    Refusal::new(404, None, "resource not found")
}

/// An id that is no number, on a single read (recorded; two blanks).
pub(crate) fn not_numeric(id: &str) -> Refusal {
    Refusal::new(404, Some("OBJECT_NOT_FOUND"), "Object not found.  objectId are usually numeric.")
        .with_context("id", vec![id.to_owned()])
}

/// Ids of a batch that no record has (recorded).
pub(crate) fn some_not_found(kind: Kind, ids: Vec<String>) -> Refusal {
    let message = format!(
        "Could not get some {} objects, they may be deleted or not exist. Check that ids are valid.",
        kind.facts().upper
    );
    Refusal::new(404, Some("OBJECT_NOT_FOUND"), message).with_context("ids", ids)
}

/// One id twice in a batch (recorded).
pub(crate) fn duplicate_ids(ids: Vec<String>) -> Refusal {
    let message = format!("Duplicate IDs found in batch input: [{}]. IDs must be unique", ids.join(", "));
    Refusal::new(400, Some("VALIDATION_ERROR"), message).with_context("ids", ids)
}

/// Too many inputs (status known, text not).
pub(crate) fn batch_too_large(sent: usize, allowed: usize) -> Refusal {
    let message = format!("The maximum number of inputs supported in a batch request is {allowed}, received {sent}");
    Refusal::new(400, Some("VALIDATION_ERROR"), message)
}

/// A key that is not unique (recorded).
pub(crate) fn key_not_unique(kind: Kind, name: &str) -> Refusal {
    let message = format!("Unable to perform update/upsert by non-unique {} property {name}", kind.type_id());
    Refusal::new(400, Some("VALIDATION_ERROR"), message)
}

/// A request that makes no sense, in our words.
pub(crate) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, Some("VALIDATION_ERROR"), message)
}

/// A body that does not parse (docs); no category.
pub(crate) fn invalid_json(line: usize, column: usize, what: &str) -> Refusal {
    Refusal::new(400, None, format!("Invalid input JSON on line {line}, column {column}: {what}"))
}

/// An object type that is none (recorded); no category.
pub(crate) fn unknown_type(name: &str) -> Refusal {
    Refusal::new(400, None, format!("Unable to infer object type from: {name}"))
}

/// A path that is none. HubSpot answers HTML or nothing here; the fake keeps its JSON shape so that it is seen.
pub(crate) fn unknown_route(method: &str, path: &str) -> Refusal {
    Refusal::new(404, Some("OBJECT_NOT_FOUND"), format!("No route matches {method} {path}"))
}

/// No token, or one that is revoked (docs).
pub(crate) fn no_credentials() -> Refusal {
    let message = "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find \
                   more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview";
    Refusal::new(401, Some("INVALID_AUTHENTICATION"), message)
}

/// A token that has expired (docs). One that never was is "expired" since 1970.
pub(crate) fn expired(expired_at: i64, now: i64) -> Refusal {
    let seconds = now.saturating_sub(expired_at) / 1000;
    let ago = if expired_at == 0 { format!("{} day(s)", seconds / 86_400) } else { format!("{seconds} second(s)") };
    let time = if expired_at == 0 { "1970-01-01T00:00:00Z".to_owned() } else { moment::iso(expired_at) };
    let message = format!("The OAuth token used to make this call expired {ago} ago.");
    Refusal::new(401, Some("EXPIRED_AUTHENTICATION"), message).with_context("expire time", vec![time])
}

/// A token without the scope (docs).
pub(crate) fn missing_scopes(scopes: &[String]) -> Refusal {
    let message = "This app hasn't been granted all required scopes to make this call. Read more about required \
                   scopes here: https://developers.hubspot.com/scopes.";
    let mut refusal = Refusal::new(403, Some("MISSING_SCOPES"), message);
    refusal.errors = vec![json!({
        "message": "One or more of the following scopes are required.",
        "context": {"requiredGranularScopes": scopes},
    })];
    refusal.links = Some(json!({"scopes": "https://developers.hubspot.com/scopes"}));
    refusal
}

/// Too many calls (usage guidelines; client libraries' issues). `policy` as `policyName` says it.
pub(crate) fn rate_limited(policy: &str, portal_id: u64) -> Refusal {
    let (name, group) = match policy {
        "DAILY" => ("daily", None),
        "SECONDLY" => ("secondly", Some(format!("crm:search-per-second:{portal_id}"))),
        _ => {
            ("ten_secondly_rolling", Some(format!("publicapi:private_app-api-calls-ten-secondly:1512050:{portal_id}")))
        }
    };
    let mut refusal = Refusal::new(429, None, format!("You have reached your {name} limit."));
    refusal.extra.insert("errorType".to_owned(), "RATE_LIMIT".into());
    refusal.extra.insert("policyName".to_owned(), policy.into());
    refusal.has_request_id = group.is_none();
    if let Some(group) = group {
        refusal.extra.insert("groupName".to_owned(), group.into());
    }
    refusal
}

/// A record in use by another write.
pub(crate) fn locked() -> Refusal {
    Refusal::new(423, None, "The resource is locked. Try again in a few seconds.")
}

/// An account on its way to another data centre.
pub(crate) fn migrating() -> Refusal {
    Refusal::new(477, None, "Migration in Progress")
}

/// A failure on HubSpot's side.
pub(crate) fn server_error(status: u16) -> Refusal {
    Refusal::new(status, None, "internal error")
}

/// A property's name that is taken (live).
pub(crate) fn property_exists(name: &str) -> Refusal {
    let message = format!("A property named '{name}' already exists.");
    let mut refusal = Refusal::new(409, Some("OBJECT_ALREADY_EXISTS"), message);
    refusal.sub_category = Some("Properties.PROPERTY_WITH_NAME_EXISTS");
    refusal
}

/// A property, group, list, owner or pipeline that is not there (category live, text ours).
pub(crate) fn nothing_named(what: &str, name: &str) -> Refusal {
    Refusal::new(404, Some("OBJECT_NOT_FOUND"), format!("{what} \"{name}\" does not exist"))
}

/// A group that still has properties (live).
pub(crate) fn group_in_use(name: &str) -> Refusal {
    let mut refusal = Refusal::new(400, Some("VALIDATION_ERROR"), format!("Group {name} has active properties"));
    refusal.sub_category = Some("PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES");
    refusal
}

/// An association that cannot be made with a new record (field reports).
pub(crate) fn associations_invalid(ids: Vec<String>) -> Refusal {
    Refusal::new(400, Some("VALIDATION_ERROR"), "One or more associations are invalid")
        .with_context("INVALID_OBJECT_IDS", ids)
}

/// An id of an association that is none (recorded).
pub(crate) fn association_id_invalid(id: &str) -> Refusal {
    let mut refusal = Refusal::new(400, Some("VALIDATION_ERROR"), format!("{id} is not a valid ID"))
        .with_context("id", vec![id.to_owned()]);
    refusal.sub_category = Some("crm.associations.INVALID_IDENTIFIER");
    refusal
}

/// A record without associations of that type (recorded).
pub(crate) fn no_associations(from: Kind, id: &str, to: Kind) -> Refusal {
    let (from, to) = (from.singular(), to.singular());
    let mut refusal = Refusal::new(404, Some("OBJECT_NOT_FOUND"), format!("No {to} is associated with {from} {id}."))
        .with_context("fromObjectId", vec![id.to_owned()])
        .with_context("fromObjectType", vec![from.to_owned()])
        .with_context("toObjectType", vec![to.to_owned()]);
    refusal.sub_category = Some("crm.associations.NO_ASSOCIATIONS_FOUND");
    refusal
}

/// A refusal of the token endpoint (docs; RFC 6749's fields beside HubSpot's own).
pub(crate) fn oauth(error: &'static str, status: &'static str, message: &str) -> Vec<u8> {
    json!({"error": error, "error_description": message, "status": status, "message": message}).to_string().into_bytes()
}
