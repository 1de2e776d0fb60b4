//! A person in HubSpot's own interface: what the API's caller did not do, and what a test looks at.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::fake::hubspot::draft::{self, Draft};
use crate::fake::hubspot::handle::FakeHubspot;
use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::links::pair_types;
use crate::fake::hubspot::lists;
use crate::fake::hubspot::outcome::Version;
use crate::fake::hubspot::record::{Author, Record};
use crate::fake::hubspot::state::State;
use crate::fake::hubspot::store;
use crate::fake::hubspot::view::View;

/// A record as a test sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordView {
    /// The record's id.
    pub id: String,
    /// Every property that has a value, derived ones too.
    pub properties: BTreeMap<String, String>,
    /// Create date, in milliseconds since 1970.
    pub created_ms: i64,
    /// Modified date, in milliseconds since 1970.
    pub modified_ms: i64,
    /// Whether it lies in the recycle bin.
    pub archived: bool,
}

impl RecordView {
    /// A property's value; empty when it has none.
    #[must_use]
    pub fn get(&self, property: &str) -> &str {
        self.properties.get(property).map(String::as_str).unwrap_or_default()
    }

    fn of(state: &State, kind: Kind, id: u64, record: &Record) -> Self {
        let view = View { state, kind, id, record };
        let catalogue = &state.shelf(kind).catalogue;
        let values = catalogue.iter().filter_map(|(property, definition)| {
            Some((definition.name.clone(), view.value(property, definition.source)?.into_owned()))
        });
        Self {
            id: id.to_string(),
            properties: values.collect(),
            created_ms: record.created,
            modified_ms: record.modified,
            archived: record.archived_at.is_some(),
        }
    }
}

/// Acts on a fake as its users do. Objects are named as in the API: `contacts`, `companies`, `deals` …;
/// calls on unknown objects or records answer `None` or `false`.
#[derive(Clone, Copy, Debug)]
pub struct CrmUser<'a> {
    fake: &'a FakeHubspot,
}

impl<'a> CrmUser<'a> {
    pub(crate) fn new(fake: &'a FakeHubspot) -> Self {
        Self { fake }
    }

    /// How many live records there are.
    #[must_use]
    pub fn count(&self, object: &str) -> usize {
        Kind::parse(object).map_or(0, |kind| self.fake.with(|state, _| state.shelf(kind).live.len()))
    }

    /// A record, live or archived; a merged-away id gives its survivor.
    #[must_use]
    pub fn record(&self, object: &str, id: &str) -> Option<RecordView> {
        let kind = Kind::parse(object)?;
        let id: u64 = id.parse().ok()?;
        self.fake.with(|state, _| {
            let shelf = state.shelf(kind);
            let id = shelf.resolve(id).unwrap_or(id);
            let record = shelf.live.get(&id).or_else(|| shelf.archived.get(&id))?;
            Some(RecordView::of(state, kind, id, record))
        })
    }

    /// All live records, by id.
    #[must_use]
    pub fn records(&self, object: &str) -> Vec<RecordView> {
        let Some(kind) = Kind::parse(object) else { return Vec::new() };
        self.fake.with(|state, _| {
            let live = state.shelf(kind).live.iter();
            live.map(|(id, record)| RecordView::of(state, kind, *id, record)).collect()
        })
    }

    /// Live records whose property has that value.
    #[must_use]
    pub fn find(&self, object: &str, property: &str, value: &str) -> Vec<RecordView> {
        let mut found = self.records(object);
        found.retain(|record| record.get(property) == value);
        found
    }

    /// Makes a record.
    ///
    /// # Errors
    /// The API's words for what is wrong with the values.
    pub fn create(&self, object: &str, properties: &[(&str, &str)]) -> Result<String, String> {
        let kind = kind(object)?;
        self.fake.with(|state, now| {
            let draft = try_values(state, kind, None, properties)?;
            Ok(store::create(state, kind, &draft, now, Author::CrmUser).to_string())
        })
    }

    /// Changes a record; an empty value clears.
    ///
    /// # Errors
    /// The API's words for what is wrong with the values.
    pub fn update(&self, object: &str, id: &str, properties: &[(&str, &str)]) -> Result<(), String> {
        let kind = kind(object)?;
        self.fake.with(|state, now| {
            let found = id.parse().ok().and_then(|id| state.shelf(kind).resolve(id));
            let id = found.ok_or_else(|| format!("there is no record {id} in {object}"))?;
            let draft = try_values(state, kind, Some(id), properties)?;
            store::update(state, kind, id, &draft, now, Author::CrmUser);
            Ok(())
        })
    }

    /// Puts a record into the recycle bin.
    pub fn archive(&self, object: &str, id: &str) -> bool {
        self.act(object, id, store::archive)
    }

    /// Takes a record out of the recycle bin, unless its e-mail has been taken meanwhile.
    pub fn restore(&self, object: &str, id: &str) -> bool {
        self.act(object, id, store::restore)
    }

    /// Removes a record for good, as a GDPR delete does.
    pub fn erase(&self, object: &str, id: &str) -> bool {
        self.act(object, id, |state, kind, id, _| store::erase(state, kind, id))
    }

    fn act(&self, object: &str, id: &str, work: fn(&mut State, Kind, u64, i64) -> bool) -> bool {
        let (Some(kind), Ok(id)) = (Kind::parse(object), id.parse()) else { return false };
        self.fake.with(|state, now| work(state, kind, id, now))
    }

    /// Merges `other` into `primary`, and answers the third id that both stand for from now on.
    #[must_use]
    pub fn merge(&self, object: &str, primary: &str, other: &str) -> Option<String> {
        let kind = Kind::parse(object)?;
        let (primary, other) = (primary.parse().ok()?, other.parse().ok()?);
        self.fake.with(|state, now| store::merge(state, kind, primary, other, now)).map(|id| id.to_string())
    }

    /// Associates two records without a label.
    pub fn associate(&self, from: (&str, &str), to: (&str, &str)) -> bool {
        self.with_ends(from, to, |state, from, to| {
            let types = pair_types(from.0, to.0);
            if let Some(types) = types {
                state.links.add(from, to, types.plain);
            }
            types.is_some()
        })
    }

    /// Removes all associations between two records.
    pub fn dissociate(&self, from: (&str, &str), to: (&str, &str)) -> bool {
        self.with_ends(from, to, |state, from, to| {
            state.links.remove(from, to, None);
            true
        })
    }

    fn with_ends(
        &self,
        from: (&str, &str),
        to: (&str, &str),
        work: impl FnOnce(&mut State, (Kind, u64), (Kind, u64)) -> bool,
    ) -> bool {
        self.fake.with(|state, _| {
            let end = |(object, id): (&str, &str)| {
                let kind = Kind::parse(object)?;
                Some((kind, state.shelf(kind).resolve(id.parse().ok()?)?))
            };
            match (end(from), end(to)) {
                (Some(from), Some(to)) => work(state, from, to),
                _ => false,
            }
        })
    }

    /// The ids of the records of another object that hang on this one, ascending.
    #[must_use]
    pub fn associated(&self, from: (&str, &str), to: &str) -> Vec<String> {
        let (Some(kind), Some(to), Ok(id)) = (Kind::parse(from.0), Kind::parse(to), from.1.parse()) else {
            return Vec::new();
        };
        let partners = self.fake.with(|state, _| state.links.partners((kind, id), to));
        partners.iter().map(u64::to_string).collect()
    }

    /// The id of a list, by its name.
    #[must_use]
    pub fn list_id(&self, name: &str) -> Option<String> {
        self.fake.with(|state, _| state.lists.values().find(|list| list.name == name).map(|list| list.id.to_string()))
    }

    /// Makes a static list of those records, and answers its id.
    #[must_use]
    pub fn create_list(&self, object: &str, name: &str, ids: &[&str]) -> Option<String> {
        let kind = Kind::parse(object)?;
        self.fake.with(|state, now| {
            let list_id = lists::add(state, kind, name, "MANUAL", now);
            let members = ids.iter().filter_map(|id| state.shelf(kind).resolve(id.parse().ok()?));
            let members: Vec<u64> = members.collect();
            let list = state.lists.get_mut(&list_id)?;
            list.members.extend(members.into_iter().map(|id| (id, now)));
            Some(list_id.to_string())
        })
    }
}

fn kind(object: &str) -> Result<Kind, String> {
    Kind::parse(object).ok_or_else(|| format!("there is no object {object}"))
}

fn try_values(state: &State, kind: Kind, target: Option<u64>, properties: &[(&str, &str)]) -> Result<Draft, String> {
    let map: Map<String, Value> =
        properties.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
    draft::draft(state, kind, target, &map, Version::September2026)
        .map_err(|objection| objection.into_refusal(state.settings.portal_id).message.clone())
}
