//! A person in Salesforce's own interface: what the API's caller did not do, and what a test looks at.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::fake::salesforce::desk;
use crate::fake::salesforce::field::Source;
use crate::fake::salesforce::handle::FakeSalesforce;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::listviews::{self, ListView};
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::store;
use crate::fake::salesforce::turn::Turn;
use crate::fake::salesforce::view::{Cell, View, moment_text};

/// A record as a test sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordView {
    /// The record's id, in its long form.
    pub id: String,
    /// Every field that has a value, as text; derived and hidden ones too.
    pub fields: BTreeMap<String, String>,
    /// `CreatedDate`, in milliseconds since 1970.
    pub created_ms: i64,
    /// `SystemModstamp`, in milliseconds since 1970.
    pub stamp_ms: i64,
    /// Whether it lies in the recycle bin.
    pub deleted: bool,
    /// The survivor of the merge that it lost.
    pub master_id: Option<String>,
}

impl RecordView {
    /// A field's value as text; empty when it has none.
    #[must_use]
    pub fn get(&self, field: &str) -> &str {
        let found = self.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(field));
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    fn of(view: View<'_>) -> Self {
        let text = |cell: Cell<'_>| match cell {
            Cell::Null | Cell::Address(_) => None,
            Cell::Flag(flag) => Some(flag.to_string()),
            Cell::Moment(ms) => Some(moment_text(ms)),
            Cell::Number(text) | Cell::Text(text) => Some(text.into_owned()),
        };
        let shown = view.shelf.catalogue.iter().filter(|(_, field)| !matches!(field.source, Source::Id));
        let fields = shown.filter_map(|(id, field)| Some((field.name.clone(), text(view.cell(id, field))?)));
        Self {
            id: view.shelf.id(view.number),
            fields: fields.collect(),
            created_ms: view.record.created,
            stamp_ms: view.record.stamp,
            deleted: !view.record.is_live(),
            master_id: view.record.master.map(|master| view.shelf.id(master)),
        }
    }
}

/// What a lead was converted into, by id.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conversion {
    /// The account.
    pub account_id: String,
    /// The contact.
    pub contact_id: String,
    /// The opportunity, if one was wanted.
    pub opportunity_id: Option<String>,
}

/// Acts on a fake as its users do, as a user other than the integration's. Objects are named as in the API
/// (`Account`, `Contact` …); calls on unknown objects or records answer `None` or `false`.
#[derive(Clone, Copy, Debug)]
pub struct CrmUser<'a> {
    fake: &'a FakeSalesforce,
}

impl<'a> CrmUser<'a> {
    pub(crate) fn new(fake: &'a FakeSalesforce) -> Self {
        Self { fake }
    }

    /// How many live records there are.
    #[must_use]
    pub fn count(&self, object: &str) -> usize {
        Kind::parse(object).map_or(0, |kind| self.fake.with(|state, _| state.shelf(kind).live_count()))
    }

    /// A record, live or in the recycle bin.
    #[must_use]
    pub fn record(&self, object: &str, id: &str) -> Option<RecordView> {
        self.fake.with(|state, _| {
            let (kind, number) = desk::locate(state, object, id)?;
            View::of(state.shelf(kind), number).map(RecordView::of)
        })
    }

    /// All live records, by id.
    #[must_use]
    pub fn records(&self, object: &str) -> Vec<RecordView> {
        let Some(kind) = Kind::parse(object) else { return Vec::new() };
        self.fake.with(|state, _| {
            let shelf = state.shelf(kind);
            let live = shelf.iter().filter(|(_, record)| record.is_live());
            live.filter_map(|(number, _)| View::of(shelf, number)).map(RecordView::of).collect()
        })
    }

    /// Live records whose field has that value.
    #[must_use]
    pub fn find(&self, object: &str, field: &str, value: &str) -> Vec<RecordView> {
        let mut found = self.records(object);
        found.retain(|record| record.get(field) == value);
        found
    }

    /// Makes a record and answers its id.
    ///
    /// # Errors
    /// The API's words for what is wrong with the values.
    pub fn create(&self, object: &str, values: &[(&str, &str)]) -> Result<String, String> {
        self.fake.with(|state, now| desk::write(state, now, object, None, &map(values)))
    }

    /// Makes a record in a transaction that took so long: it is seen only now, with the dates of when it was written.
    ///
    /// # Errors
    /// The API's words for what is wrong with the values.
    pub fn create_late(&self, object: &str, values: &[(&str, &str)], late_ms: i64) -> Result<String, String> {
        self.fake.with(|state, now| desk::write(state, now - late_ms, object, None, &map(values)))
    }

    /// Changes a record; an empty value clears.
    ///
    /// # Errors
    /// The API's words for what is wrong with the values.
    pub fn update(&self, object: &str, id: &str, values: &[(&str, &str)]) -> Result<(), String> {
        self.fake.with(|state, now| desk::write(state, now, object, Some(id), &map(values)).map(|_| ()))
    }

    fn act(&self, object: &str, id: &str, work: impl FnOnce(&mut State, &Turn, Kind, u64) -> bool) -> bool {
        self.fake.with(|state, now| {
            let turn = desk::turn(state, now);
            desk::locate(state, object, id).is_some_and(|(kind, number)| work(state, &turn, kind, number))
        })
    }

    /// Puts a record into the recycle bin, and its children with it.
    pub fn delete(&self, object: &str, id: &str) -> bool {
        self.act(object, id, store::delete)
    }

    /// Takes a record out of the recycle bin.
    pub fn undelete(&self, object: &str, id: &str) -> bool {
        self.act(object, id, store::undelete)
    }

    /// Removes a record for good.
    pub fn erase(&self, object: &str, id: &str) -> bool {
        self.act(object, id, |state, _, kind, number| store::erase(state, kind, number))
    }

    /// Merges `loser` into `winner`, which keeps its values and gets the loser's children.
    pub fn merge(&self, object: &str, winner: &str, loser: &str) -> bool {
        self.act(object, winner, |state, turn, kind, winner| {
            let loser = desk::locate(state, object, loser);
            loser.is_some_and(|(_, loser)| store::merge(state, turn, kind, winner, loser))
        })
    }

    /// Converts a lead into a new account and a new contact, and an opportunity of that name if one is given.
    #[must_use]
    pub fn convert(&self, lead: &str, opportunity: Option<&str>) -> Option<Conversion> {
        self.convert_into(lead, None, None, opportunity)
    }

    /// Converts a lead into the records of those ids, or into new ones where there is none.
    #[must_use]
    pub fn convert_into(
        &self,
        lead: &str,
        account: Option<&str>,
        contact: Option<&str>,
        opportunity: Option<&str>,
    ) -> Option<Conversion> {
        let ids = self.fake.with(|state, now| desk::convert(state, now, lead, (account, contact), opportunity))?;
        let [account_id, contact_id, opportunity_id] = ids;
        Some(Conversion { account_id: account_id?, contact_id: contact_id?, opportunity_id })
    }

    /// Holds a record locked: calls that write it, or a child of it, fail with `UNABLE_TO_LOCK_ROW`.
    pub fn lock(&self, object: &str, id: &str) -> bool {
        self.act(object, id, |state, _, kind, number| state.locked.insert((kind, number)))
    }

    /// Lets go of a record.
    pub fn unlock(&self, object: &str, id: &str) -> bool {
        self.act(object, id, |state, _, kind, number| state.locked.remove(&(kind, number)))
    }

    /// Saves a list view of the records for which `condition` holds (what stands behind `WHERE`), and answers its id.
    ///
    /// # Errors
    /// The API's words for what is wrong with the condition.
    pub fn create_list_view(&self, object: &str, developer_name: &str, condition: &str) -> Result<String, String> {
        let kind = Kind::parse(object).ok_or_else(|| format!("there is no object {object}"))?;
        let view = ListView {
            number: 0,
            kind,
            developer_name: developer_name.to_owned(),
            label: developer_name.replace('_', " "),
            condition: condition.to_owned(),
            mine: false,
        };
        self.fake.with(|state, now| {
            let turn = desk::turn(state, now);
            listviews::add(state, &turn, view).map_err(|refusal| refusal.message())
        })
    }
}

fn map(values: &[(&str, &str)]) -> Map<String, Value> {
    values.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
}
