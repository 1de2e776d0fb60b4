//! Records as lists and writes answer them, decoded into typed fields.

use std::collections::BTreeSet;

use abmatic_sync_core::connector::request::Undecodable;
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind};
use abmatic_sync_core::ids::{FieldName, RemoteId};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::value::Value;
use serde_json::value::RawValue;

use crate::column::Column;
use crate::describe::Described;
use crate::object::{ACCOUNT_RELATION, CONTACTS_RELATION};
use crate::values::{self, moment};
use crate::wire::{RawRecord, WithId};

/// How many custom fields can be named ("OpenAPI v2").
const CUSTOM_NAMED_MAX: usize = 15;

/// Which fields and relations of a record are wanted.
#[derive(Clone, Debug)]
pub(crate) struct Layout<'d> {
    columns: Vec<&'d Column>,
    relations: Vec<&'static str>,
}

impl<'d> Layout<'d> {
    /// The wanted fields, as far as the account has them.
    pub(crate) fn new(
        described: &'d Described,
        fields: impl IntoIterator<Item = FieldName>,
        relations: &BTreeSet<FieldName>,
    ) -> Self {
        let names: BTreeSet<FieldName> = fields.into_iter().collect();
        let columns = names.iter().filter_map(|name| described.column(name.as_str())).collect();
        let known = [ACCOUNT_RELATION, CONTACTS_RELATION];
        let relations = known.into_iter().filter(|name| relations.contains(&FieldName::from(*name))).collect();
        Self { columns, relations }
    }

    /// Parameters that make an answer hold what is wanted, and little more.
    pub(crate) fn parameters(&self) -> Vec<(&'static str, String)> {
        let keys = |wanted: fn(&Column) -> bool| {
            let keys = self.columns.iter().filter(|column| wanted(column)).map(|column| column.key.as_str());
            keys.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
        };
        let mut parameters = Vec::new();
        let custom = keys(|column| column.custom);
        if (1..=CUSTOM_NAMED_MAX).contains(&custom.len()) {
            parameters.push(("custom_fields", custom.join(",")));
        }
        let optional = keys(|column| column.optional);
        if !optional.is_empty() {
            parameters.push(("include_fields", optional.join(",")));
        }
        parameters
    }
}

/// A decoded record, and whether it holds an option that the definitions do not know.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) record: RemoteRecord,
    pub(crate) is_stale: bool,
}

/// Decodes one record.
pub(crate) fn decode(layout: &Layout<'_>, raw: &RawValue) -> Result<Decoded, Undecodable> {
    decode_raw(layout, raw).map_err(|error| {
        let id = serde_json::from_str::<WithId>(raw.get()).ok().map(|with| RemoteId::from(with.id.to_string()));
        let what = Error::new(ErrorKind::Undocumented, ErrorCode::InvalidAnswer, "the record does not parse");
        Undecodable::new(id, what.caused_by(error))
    })
}

fn decode_raw(layout: &Layout<'_>, raw: &RawValue) -> Result<Decoded, serde_json::Error> {
    let id = serde_json::from_str::<WithId>(raw.get())?.id;
    let values: RawRecord<'_> = serde_json::from_str(raw.get())?;
    let custom: RawRecord<'_> = match values.get("custom_fields") {
        Some(raw) if layout.columns.iter().any(|column| column.custom) => {
            serde_json::from_str::<Option<_>>(raw.get())?.unwrap_or_default()
        }
        _ => RawRecord::new(),
    };
    let mut fields = Fields::with_capacity(layout.columns.len() + layout.relations.len());
    let mut is_stale = false;
    for column in &layout.columns {
        let held = if column.custom { &custom } else { &values };
        // A key that is missing means the same as null.
        let read = held.get(column.key.as_str()).map(|raw| values::decode(column, raw)).transpose()?;
        if read.is_none() && may_be_withheld(column) {
            continue;
        }
        let read = read.unwrap_or_else(|| Value::Null.into());
        is_stale |= read.is_stale;
        fields.insert(column.name.clone(), read.value);
    }
    for relation in &layout.relations {
        let key = if *relation == ACCOUNT_RELATION { "org_id" } else { "person_id" };
        let id: Option<u64> = values.get(key).map(|raw| serde_json::from_str(raw.get())).transpose()?.flatten();
        fields.insert(*relation, id.map_or(Value::Null, |id| Value::reference(id.to_string())));
    }
    let text = |key: &str| -> Result<Option<String>, serde_json::Error> {
        Ok(values.get(key).map(|raw| serde_json::from_str::<Option<String>>(raw.get())).transpose()?.flatten())
    };
    let truth = |key: &str| values.get(key).is_some_and(|raw| raw.get() == "true");
    let mut record = RemoteRecord::new(id.to_string(), fields);
    record.created_at = text("add_time")?.as_deref().and_then(moment);
    record.modified_at = text("update_time")?.as_deref().and_then(moment);
    record.deleted = truth("is_deleted");
    Ok(Decoded { record, is_stale })
}

/// Whether a missing key says nothing: these are not part of every answer (client-php 17.0.0, `is_optional_response_field`).
fn may_be_withheld(column: &Column) -> bool {
    const FIRMOGRAPHICS: &[&str] = &["annual_revenue", "employee_count", "industry", "linkedin", "website"];
    column.optional || (!column.custom && FIRMOGRAPHICS.contains(&column.key.as_str()))
}
