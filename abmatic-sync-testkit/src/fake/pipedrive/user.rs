//! A person in Pipedrive's own interface: what the API's caller did not do, and what a test looks at.

use serde_json::Value;

use crate::fake::pipedrive::desk;
use crate::fake::pipedrive::field::Field;
use crate::fake::pipedrive::fields;
use crate::fake::pipedrive::filters;
use crate::fake::pipedrive::handle::FakePipedrive;
use crate::fake::pipedrive::kind::Kind;
use crate::fake::pipedrive::record::Record;
use crate::fake::pipedrive::state::State;
use crate::fake::pipedrive::store;
use crate::fake::pipedrive::view::View;

/// A record as a test sees it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RecordView {
    /// The record's id.
    pub id: u64,
    /// The record as API v2 shows it.
    pub json: Value,
    /// Whether it lies in the bin.
    pub deleted: bool,
}

impl RecordView {
    /// A value by its key; custom fields by theirs. Null when it has none.
    #[must_use]
    pub fn get(&self, key: &str) -> &Value {
        self.json.get(key).or_else(|| self.json["custom_fields"].get(key)).unwrap_or(&Value::Null)
    }

    /// A value that is a text; empty when it is none.
    #[must_use]
    pub fn text(&self, key: &str) -> &str {
        self.get(key).as_str().unwrap_or_default()
    }

    fn of(state: &State, kind: Kind, id: u64, record: &Record) -> Self {
        let mut out = Vec::new();
        View::plain(state, kind).write(&mut out, id, record);
        Self { id, json: serde_json::from_slice(&out).unwrap_or_default(), deleted: record.deleted }
    }
}

/// Acts on a fake as its users do. Objects are named as in paths (`organizations`, `persons`, `deals`, `activities`);
/// calls on unknown objects or records answer `None` or `false`.
#[derive(Clone, Copy, Debug)]
pub struct CrmUser<'a> {
    fake: &'a FakePipedrive,
}

impl<'a> CrmUser<'a> {
    pub(crate) fn new(fake: &'a FakePipedrive) -> Self {
        Self { fake }
    }

    /// How many live records there are.
    #[must_use]
    pub fn count(&self, object: &str) -> usize {
        Kind::by_path(object).map_or(0, |kind| self.fake.with(|state, _| state.shelf(kind).live_count()))
    }

    /// A record, live or deleted.
    #[must_use]
    pub fn record(&self, object: &str, id: u64) -> Option<RecordView> {
        let kind = Kind::by_path(object)?;
        self.fake.with(|state, _| Some(RecordView::of(state, kind, id, state.shelf(kind).get(id)?)))
    }

    /// All live records, by id.
    #[must_use]
    pub fn records(&self, object: &str) -> Vec<RecordView> {
        let Some(kind) = Kind::by_path(object) else { return Vec::new() };
        self.fake.with(|state, _| {
            let live = state.shelf(kind).iter_live();
            live.map(|(id, record)| RecordView::of(state, kind, id, record)).collect()
        })
    }

    /// Makes a record from a body of API v2, and answers its id.
    ///
    /// # Errors
    /// The API's words for what is wrong with the values.
    pub fn create(&self, object: &str, body: &Value) -> Result<u64, String> {
        self.fake.with(|state, now| desk::create(state, now, object, body))
    }

    /// Changes a record by a body of API v2.
    ///
    /// # Errors
    /// The API's words for what is wrong with the values.
    pub fn update(&self, object: &str, id: u64, body: &Value) -> Result<(), String> {
        self.fake.with(|state, now| desk::update(state, now, object, id, body))
    }

    /// Deletes a record; it is purged thirty days later.
    pub fn delete(&self, object: &str, id: u64) -> bool {
        self.fake.with(|state, now| desk::set_deleted(state, now, object, id, true))
    }

    /// Takes a record out of the bin.
    pub fn restore(&self, object: &str, id: u64) -> bool {
        self.fake.with(|state, now| desk::set_deleted(state, now, object, id, false))
    }

    /// Removes a record for good.
    pub fn erase(&self, object: &str, id: u64) -> bool {
        self.fake.with(|state, _| desk::erase(state, object, id))
    }

    /// Merges `loser` into `survivor`.
    pub fn merge(&self, object: &str, loser: u64, survivor: u64) -> bool {
        let Some(kind) = Kind::by_path(object) else { return false };
        self.fake.with(|state, now| store::merge(state, kind, loser, survivor, now))
    }

    /// Leaves a record without a time of change, as old ones are.
    pub fn forget_update_time(&self, object: &str, id: u64) -> bool {
        let Some(kind) = Kind::by_path(object) else { return false };
        self.fake.with(|state, _| {
            let shelf = state.shelf_mut(kind);
            let Some(record) = shelf.live(id).cloned() else { return false };
            shelf.put(id, Record { updated: None, ..record });
            true
        })
    }

    /// Adds a custom field, and answers its code.
    #[must_use]
    pub fn add_field(&self, object: &str, field: &Field) -> Option<String> {
        let kind = Kind::by_path(object)?;
        self.fake.with(|state, now| fields::add_custom(state, kind, field, now))
    }

    /// The code of the field of that name.
    #[must_use]
    pub fn field_code(&self, object: &str, name: &str) -> Option<String> {
        let kind = Kind::by_path(object)?;
        self.fake.with(|state, _| {
            let fields = &state.shelf(kind).catalogue;
            let found = fields.iter().find(|(_, field)| field.name == name);
            found.map(|(_, field)| field.code.clone())
        })
    }

    /// The id of an option, by the field's code and its label.
    #[must_use]
    pub fn option_id(&self, object: &str, code: &str, label: &str) -> Option<u64> {
        let kind = Kind::by_path(object)?;
        self.fake.with(|state, _| {
            let (_, field) = state.shelf(kind).catalogue.by_code(code)?;
            let choice = field.choices.iter().flatten().find(|choice| choice.label == label)?;
            choice.id.to_string().parse().ok()
        })
    }

    /// Saves a filter of one condition, and answers its id.
    #[must_use]
    pub fn create_filter(&self, object: &str, name: &str, (code, operator, value): (&str, &str, &str)) -> Option<u64> {
        let kind = Kind::by_path(object)?;
        self.fake.with(|state, now| {
            let (_, field) = state.shelf(kind).catalogue.by_code(code)?;
            let one = serde_json::json!({
                "object": kind.name(), "field_id": field.number.to_string(), "operator": operator, "value": value,
            });
            let conditions = serde_json::json!({"glue": "and", "conditions": [
                {"glue": "and", "conditions": [one]}, {"glue": "or", "conditions": []},
            ]});
            let groups = filters::groups(state, &conditions).ok()?;
            Some(filters::add(state, kind, name, groups, now))
        })
    }

    /// The names of all saved filters.
    #[must_use]
    pub fn filters(&self) -> Vec<String> {
        self.fake.with(|state, _| state.filters.values().map(|filter| filter.name.clone()).collect())
    }

    /// How many notes there are.
    #[must_use]
    pub fn notes(&self) -> usize {
        self.fake.with(|state, _| state.notes.len())
    }
}
