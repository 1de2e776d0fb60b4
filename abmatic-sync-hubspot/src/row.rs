//! One write as HubSpot takes it: texts for properties, and associations apart from them.

use std::collections::{BTreeMap, BTreeSet};

use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;

use crate::associations::{Change, Relation};
use crate::describe::Described;
use crate::object::{LEAD_STAGE, Object, STAGE};
use crate::values;
use crate::wire::WrittenRecord;

/// One record to write.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its place among the writes.
    pub(crate) at: usize,
    /// The intent of a create, the id of an update: also the trace id by which HubSpot's errors name the row.
    pub(crate) key: String,
    pub(crate) properties: BTreeMap<String, String>,
    /// The properties that the engine sent, by the names that it shares.
    pub(crate) sent: Vec<FieldName>,
    pub(crate) links: Vec<RowLink>,
}

/// One association of a row, to be changed once the row has an id.
#[derive(Clone, Debug)]
pub(crate) struct RowLink {
    pub(crate) relation: &'static Relation,
    pub(crate) change: Change,
    pub(crate) to: String,
}

impl Row {
    /// A record to make. A lead is made a lead unless its stage is mapped.
    pub(crate) fn create(
        at: usize,
        intent: &str,
        fields: &Fields,
        object: Object,
        resource: Resource,
        described: &Described,
    ) -> Self {
        let mut row = Self::new(at, intent, fields, &Fields::new(), object, described);
        // An empty property of a new record needs no clearing.
        row.properties.retain(|_, text| !text.is_empty());
        if resource == Resource::Lead {
            row.properties.entry(STAGE.to_owned()).or_insert_with(|| LEAD_STAGE.to_owned());
        }
        row
    }

    /// A record to change.
    pub(crate) fn update(
        at: usize,
        id: &str,
        fields: &Fields,
        before: &Fields,
        object: Object,
        known: &Described,
    ) -> Self {
        Self::new(at, id, fields, before, object, known)
    }

    fn new(at: usize, key: &str, fields: &Fields, before: &Fields, object: Object, described: &Described) -> Self {
        let mut row =
            Self { at, key: key.to_owned(), properties: BTreeMap::new(), sent: Vec::new(), links: Vec::new() };
        for (name, value) in fields.iter() {
            if let Some(relation) = Relation::find(object, name.as_str()) {
                row.links.extend(links(relation, before.get(name.as_str()), value));
                continue;
            }
            let text = values::encode(value, described.field_type(name.as_str()));
            row.properties.insert(name.as_str().to_owned(), text);
            row.sent.push(name.clone());
        }
        // A stage has to belong to the deal's pipeline, so both are sent.
        let pipeline = row.properties.get("dealstage").and_then(|stage| described.pipelines.get(stage)).cloned();
        if let Some(pipeline) = pipeline.filter(|_| object == Object::Deals) {
            row.properties.entry("pipeline".to_owned()).or_insert(pipeline);
        }
        row
    }

    /// The address by which HubSpot tells contacts apart.
    pub(crate) fn email(&self) -> Option<String> {
        self.properties.get("email").map(|email| email.to_lowercase()).filter(|email| !email.is_empty())
    }

    /// Whether `record` could be this row's: every property that both have is the same.
    pub(crate) fn resembles(&self, record: &WrittenRecord) -> bool {
        let same = |(name, text): (&String, &String)| match record.properties.get(name) {
            Some(Some(held)) => held.0.eq_ignore_ascii_case(text) || self.key == held.0,
            Some(None) => text.is_empty(),
            None => true,
        };
        self.properties.iter().all(same)
    }

    /// The sent fields as HubSpot keeps them, where its answer says so.
    pub(crate) fn stored(&self, record: &WrittenRecord, described: &Described) -> Fields {
        let stored = self.sent.iter().filter_map(|name| {
            let held = record.properties.get(name.as_str())?;
            let text = held.as_ref().map_or("", |scalar| &scalar.0);
            Some((name.clone(), values::decode(text, described.field_type(name.as_str()))))
        });
        stored.collect()
    }
}

fn links(relation: &'static Relation, before: Option<&Value>, after: &Value) -> Vec<RowLink> {
    let held: BTreeSet<&str> = before.map(|value| value.ids().collect()).unwrap_or_default();
    let wanted: BTreeSet<&str> = after.ids().collect();
    let link = |change| move |to: &&str| RowLink { relation, change, to: (*to).to_owned() };
    let added = wanted.difference(&held).map(link(Change::Add));
    added.chain(held.difference(&wanted).map(link(Change::Remove))).collect()
}
