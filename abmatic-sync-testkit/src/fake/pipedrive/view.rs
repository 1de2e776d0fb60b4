//! A record as API v2 shows it, written straight into the answer.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fake::exchange::Request;
use crate::fake::json;
use crate::fake::pipedrive::errors::{self, Refusal};
use crate::fake::pipedrive::field::{Definition, Shape};
use crate::fake::pipedrive::kind::Kind;
use crate::fake::pipedrive::record::Record;
use crate::fake::pipedrive::state::State;
use crate::fake::pipedrive::values::moment_text;

/// How many keys of custom fields can be named.
const CUSTOM_FIELDS_MAX: usize = 15;

/// Which parts of a record are asked for.
#[derive(Debug)]
pub(crate) struct View<'a> {
    state: &'a State,
    kind: Kind,
    /// The only custom fields to show.
    custom: Option<Vec<String>>,
    option_labels: bool,
    labels: bool,
    /// Optional fields with their numbers by record.
    extra: Vec<(String, BTreeMap<u64, u64>)>,
}

impl<'a> View<'a> {
    /// As the query says.
    pub(crate) fn of(state: &'a State, kind: Kind, request: &Request) -> Result<Self, Refusal> {
        let custom = request.query("custom_fields").map(|_| {
            let keys: Vec<String> = request.query_list("custom_fields").map(str::to_owned).collect();
            keys
        });
        if custom.as_ref().is_some_and(|keys| keys.len() > CUSTOM_FIELDS_MAX) {
            return Err(errors::invalid("custom_fields", "A maximum of 15 keys is allowed"));
        }
        let mut extra = Vec::new();
        for name in request.query_list("include_fields") {
            if !optional_fields(kind).contains(&name) {
                return Err(errors::invalid("include_fields", format!("'{name}' is not a valid value")));
            }
            extra.push((name.to_owned(), count(state, kind, name)));
        }
        Ok(Self {
            state,
            kind,
            custom,
            option_labels: flag(request, "include_option_labels")?.unwrap_or(false),
            labels: flag(request, "include_labels")?.unwrap_or(false),
            extra,
        })
    }

    /// Everything that is shown unless more is asked for.
    pub(crate) fn plain(state: &'a State, kind: Kind) -> Self {
        Self { state, kind, custom: None, option_labels: false, labels: false, extra: Vec::new() }
    }

    /// Appends a record.
    pub(crate) fn write(&self, out: &mut Vec<u8>, id: u64, record: &Record) {
        out.extend_from_slice(b"{\"id\":");
        json::number(out, id);
        let catalogue = &self.state.shelf(self.kind).catalogue;
        for (field, definition) in catalogue.iter().filter(|(_, definition)| !definition.custom) {
            let raw = record.raw(field);
            if raw.is_none() && definition.left_out {
                continue;
            }
            key(out, &definition.key);
            match (definition.key.as_str(), raw) {
                ("add_time", _) => json::string(out, &moment_text(record.created)),
                ("update_time", _) => moment(out, record.updated),
                ("status", _) if record.deleted && self.kind == Kind::Deal => json::string(out, "deleted"),
                (_, Some(raw)) => out.extend_from_slice(raw.as_bytes()),
                (_, None) => out.extend_from_slice(b"null"),
            }
            if self.labels && definition.shape == Shape::Labels {
                key(out, "labels");
                out.extend_from_slice(labelled(definition, &record.value(field)).to_string().as_bytes());
            }
        }
        key(out, "is_deleted");
        out.extend_from_slice(if record.deleted { b"true" } else { b"false" });
        for (name, counts) in &self.extra {
            key(out, name);
            match name.as_str() {
                "smart_bcc_email" => json::string(out, &format!("acme+{}{id}@pipedrivemail.com", self.kind.name())),
                "attendees" => out.extend_from_slice(b"[]"),
                name if name.ends_with("_count") => json::number(out, counts.get(&id).copied().unwrap_or(0)),
                _ => out.extend_from_slice(b"null"),
            }
        }
        if self.kind != Kind::Activity {
            self.write_custom(out, record);
        }
        out.push(b'}');
    }

    fn write_custom(&self, out: &mut Vec<u8>, record: &Record) {
        let catalogue = &self.state.shelf(self.kind).catalogue;
        let wanted = |definition: &Definition| {
            definition.custom && self.custom.as_ref().is_none_or(|keys| keys.contains(&definition.key))
        };
        key(out, "custom_fields");
        out.push(b'{');
        for (count, (field, definition)) in catalogue.iter().filter(|(_, field)| wanted(field)).enumerate() {
            if count > 0 {
                out.push(b',');
            }
            json::string(out, &definition.key);
            out.push(b':');
            match record.raw(field) {
                None => out.extend_from_slice(b"null"),
                Some(_) if self.option_labels && definition.choices.is_some() => {
                    out.extend_from_slice(labelled(definition, &record.value(field)).to_string().as_bytes());
                }
                Some(raw) => out.extend_from_slice(raw.as_bytes()),
            }
        }
        out.push(b'}');
    }
}

fn key(out: &mut Vec<u8>, name: &str) {
    out.push(b',');
    json::string(out, name);
    out.push(b':');
}

fn moment(out: &mut Vec<u8>, ms: Option<i64>) {
    match ms {
        Some(ms) => json::string(out, &moment_text(ms)),
        None => out.extend_from_slice(b"null"),
    }
}

/// Ids of options with their labels.
fn labelled(definition: &Definition, value: &Value) -> Value {
    let one = |id: &Value| {
        let choice = id.as_u64().and_then(|id| definition.choice(id));
        serde_json::json!({"id": id, "label": choice.map(|choice| choice.label.as_str())})
    };
    match value {
        Value::Array(ids) => ids.iter().map(one).collect(),
        id => one(id),
    }
}

/// A query's boolean.
pub(crate) fn flag(request: &Request, name: &str) -> Result<Option<bool>, Refusal> {
    match request.query(name) {
        None => Ok(None),
        Some("true" | "1") => Ok(Some(true)),
        Some("false" | "0") => Ok(Some(false)),
        Some(_) => Err(errors::invalid(name, "Expected 'boolean'")),
    }
}

/// What `include_fields` may name.
pub(crate) fn optional_fields(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Activity => &["attendees"],
        Kind::Deal => &[
            "next_activity_id",
            "last_activity_id",
            "first_won_time",
            "products_count",
            "files_count",
            "notes_count",
            "followers_count",
            "email_messages_count",
            "activities_count",
            "done_activities_count",
            "undone_activities_count",
            "participants_count",
            "last_incoming_mail_time",
            "last_outgoing_mail_time",
            "smart_bcc_email",
            "source_lead_id",
        ],
        Kind::Organization => &[
            "next_activity_id",
            "last_activity_id",
            "open_deals_count",
            "related_open_deals_count",
            "closed_deals_count",
            "related_closed_deals_count",
            "email_messages_count",
            "people_count",
            "activities_count",
            "done_activities_count",
            "undone_activities_count",
            "files_count",
            "notes_count",
            "followers_count",
            "won_deals_count",
            "related_won_deals_count",
            "lost_deals_count",
            "related_lost_deals_count",
            "smart_bcc_email",
        ],
        Kind::Person => &[
            "next_activity_id",
            "last_activity_id",
            "open_deals_count",
            "related_open_deals_count",
            "closed_deals_count",
            "related_closed_deals_count",
            "participant_open_deals_count",
            "participant_closed_deals_count",
            "email_messages_count",
            "activities_count",
            "done_activities_count",
            "undone_activities_count",
            "files_count",
            "notes_count",
            "followers_count",
            "won_deals_count",
            "related_won_deals_count",
            "lost_deals_count",
            "related_lost_deals_count",
            "last_incoming_mail_time",
            "last_outgoing_mail_time",
            "marketing_status",
            "doi_status",
            "smart_bcc_email",
        ],
    }
}

/// How many records hang on each record of `kind`, for the counters that can be known here.
fn count(state: &State, kind: Kind, counter: &str) -> BTreeMap<u64, u64> {
    let reference = match kind {
        Kind::Activity => return BTreeMap::new(),
        Kind::Deal => "deal_id",
        Kind::Organization => "org_id",
        Kind::Person => "person_id",
    };
    let mut counts = BTreeMap::new();
    let mut tally = |of: Kind, wanted: &dyn Fn(Value) -> bool, key: &str| {
        let shelf = state.shelf(of);
        let Some((field, _)) = shelf.catalogue.by_key(reference) else { return };
        let by = shelf.catalogue.by_key(key).map(|(id, _)| id);
        for (_, record) in shelf.iter_live() {
            let fits = by.is_none_or(|by| wanted(record.value(by)));
            let target = record.raw(field).and_then(|raw| raw.parse::<u64>().ok());
            if let Some(target) = target.filter(|_| fits) {
                *counts.entry(target).or_insert(0) += 1;
            }
        }
    };
    match counter {
        "people_count" => tally(Kind::Person, &|_| true, "name"),
        "open_deals_count" => tally(Kind::Deal, &|status| status == "open", "status"),
        "closed_deals_count" => tally(Kind::Deal, &|status| status == "won" || status == "lost", "status"),
        "won_deals_count" => tally(Kind::Deal, &|status| status == "won", "status"),
        "lost_deals_count" => tally(Kind::Deal, &|status| status == "lost", "status"),
        "activities_count" => tally(Kind::Activity, &|_| true, "subject"),
        "done_activities_count" => tally(Kind::Activity, &|done| done == true, "done"),
        "undone_activities_count" => tally(Kind::Activity, &|done| done == false, "done"),
        "notes_count" => {
            for note in state.notes.values() {
                if let Some(target) = note.on.get(reference) {
                    *counts.entry(*target).or_insert(0) += 1;
                }
            }
        }
        _ => {}
    }
    counts
}
