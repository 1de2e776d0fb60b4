//! A body of POST or PATCH, put together from fields: parts of values, addresses among others, names in either style.

use std::collections::BTreeMap;

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::value::Value;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json, json};

use crate::api::NameStyle;
use crate::column::{Column, Spelling};
use crate::describe::Described;
use crate::object::{ACCOUNT_RELATION, CONTACTS_RELATION, Object};
use crate::values::{encode, with_primary};
use crate::wire::RawRecord;

/// What a record holds already, as far as a change of a part of it has to know.
#[derive(Debug, Default)]
pub(crate) struct Current {
    values: BTreeMap<String, Json>,
    custom: BTreeMap<String, Json>,
}

impl Current {
    /// Takes a record apart.
    pub(crate) fn of(raw: &RawValue) -> Result<Self, serde_json::Error> {
        let read = |record: RawRecord<'_>| -> Result<BTreeMap<String, Json>, serde_json::Error> {
            record.into_iter().map(|(key, raw)| Ok((key.into_owned(), serde_json::from_str(raw.get())?))).collect()
        };
        let mut values = read(serde_json::from_str(raw.get())?)?;
        let custom = match values.remove("custom_fields") {
            Some(Json::Object(map)) => map.into_iter().collect(),
            _ => BTreeMap::new(),
        };
        Ok(Self { values, custom })
    }

    fn get(&self, column: &Column) -> &Json {
        let held = if column.custom { &self.custom } else { &self.values };
        held.get(&column.key).unwrap_or(&Json::Null)
    }

    fn text(&self, key: &str) -> &str {
        self.values.get(key).and_then(Json::as_str).unwrap_or_default()
    }
}

/// A body, and what of the wish it cannot hold.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) body: Json,
    pub(crate) warnings: Vec<String>,
}

/// Whether a change has to know what the record holds.
pub(crate) fn needs_current(described: &Described, fields: &Fields, names: NameStyle) -> bool {
    let halves = ["first_name", "last_name"].map(|name| fields.get(name).is_some());
    fields.iter().any(|(name, _)| {
        let is_half = matches!(name.as_str(), "first_name" | "last_name");
        let part_of_name = is_half && (names == NameStyle::Whole || halves != [true, true]);
        let column = described.column(name.as_str());
        part_of_name
            || name.as_str() == CONTACTS_RELATION
            || column.is_some_and(|column| column.part.is_some() || column.spelling == Spelling::Contact)
    })
}

/// Puts a body together. `current` is what the record holds, nothing for a new one.
///
/// # Errors
/// [`ErrorCode::InvalidField`] for a field that is not there, is read-only, or does not take the value;
/// [`ErrorCode::RequiredFieldMissing`] for a new record without its name.
pub(crate) fn draft(
    object: Object,
    described: &Described,
    fields: &Fields,
    current: Option<&Current>,
    (names, currency): (NameStyle, Option<&str>),
) -> Result<Draft> {
    let mut drafter =
        Drafter { object, described, current, body: Map::new(), custom: Map::new(), warnings: Vec::new() };
    drafter.relations(fields)?;
    let (mut parts, mut plain) = (BTreeMap::<&str, Vec<(&Column, &Value)>>::new(), Vec::new());
    for (name, value) in fields.iter().filter(|(name, _)| !object.relations().contains(&name.as_str())) {
        let column = drafter.column(name.as_str())?;
        match column.part {
            Some(_) => parts.entry(column.key.as_str()).or_default().push((column, value)),
            None => plain.push((column, value)),
        }
    }
    for (column, value) in plain {
        drafter.plain(column, value)?;
    }
    for parts in parts.values() {
        drafter.parts(parts, currency)?;
    }
    if object == Object::Person && names == NameStyle::Whole {
        drafter.join_name();
    }
    drafter.finish(fields)
}

struct Drafter<'a> {
    object: Object,
    described: &'a Described,
    current: Option<&'a Current>,
    body: Map<String, Json>,
    custom: Map<String, Json>,
    warnings: Vec<String>,
}

impl<'a> Drafter<'a> {
    fn column(&self, name: &str) -> Result<&'a Column> {
        let refused = |why: &str| {
            let message = format!("{} {why} \"{name}\"", self.object.name());
            Error::invalid(ErrorCode::InvalidField, message).with_fields(vec![name.to_owned()])
        };
        let column = self.described.column(name).ok_or_else(|| refused("have no field"))?;
        if column.writable { Ok(column) } else { Err(refused("do not let anybody write")) }
    }

    fn put(&mut self, column: &Column, value: Json) {
        let place = if column.custom { &mut self.custom } else { &mut self.body };
        place.insert(column.key.clone(), value);
    }

    fn plain(&mut self, column: &Column, value: &Value) -> Result<()> {
        if column.spelling == Spelling::Contact {
            let held = self.current.map(|current| current.get(column)).and_then(Json::as_array);
            let list = with_primary(held.map_or(&[], Vec::as_slice), value);
            self.put(column, list);
            return Ok(());
        }
        let json = encode(column, value)?;
        if self.object == Object::Activity && column.name.as_str() == "person_id" {
            // The person of an activity is its primary participant (migration guide).
            let participants = if json.is_null() { json!([]) } else { json!([{"person_id": json, "primary": true}]) };
            self.body.insert("participants".to_owned(), participants);
            return Ok(());
        }
        self.put(column, json);
        Ok(())
    }

    /// A value of several parts is sent whole: what is left out would become null.
    fn parts(&mut self, parts: &[(&Column, &Value)], currency: Option<&str>) -> Result<()> {
        let Some((first, _)) = parts.first() else { return Ok(()) };
        let held = self.current.map(|current| current.get(first)).and_then(Json::as_object);
        let voided = parts.iter().any(|(column, _)| column.voids_others);
        let mut whole = held.filter(|_| !voided).cloned().unwrap_or_default();
        for (column, value) in parts {
            if let Some(part) = column.part {
                whole.insert(part.to_owned(), encode(column, value)?);
            }
        }
        let is_money = parts.iter().any(|(column, _)| column.spelling == Spelling::Decimal);
        if let (true, Some(currency)) = (is_money && whole.get("currency").is_none_or(Json::is_null), currency) {
            whole.insert("currency".to_owned(), currency.into());
        }
        // Without its value a part has nothing to be a part of.
        let is_empty = whole.get("value").is_none_or(Json::is_null);
        let lost = parts.iter().find(|(column, value)| column.part != Some("value") && !value.is_blank());
        if let (true, Some((column, _))) = (is_empty, lost) {
            self.warnings
                .push(format!("\"{}\" is a part of \"{}\", which is empty: it was not kept", column.name, column.key));
        }
        let value = if is_empty { Json::Null } else { whole.into() };
        self.put(first, value);
        Ok(())
    }

    fn relations(&mut self, fields: &Fields) -> Result<()> {
        if let Some(value) =
            fields.get(ACCOUNT_RELATION).filter(|_| self.object.relations().contains(&ACCOUNT_RELATION))
        {
            let id = value.ids().next().map(number).transpose()?;
            self.body.insert("org_id".to_owned(), id.map_or(Json::Null, Json::from));
        }
        if let Some(value) = fields.get(CONTACTS_RELATION).filter(|_| self.object == Object::Deal) {
            let ids = value.ids().map(number).collect::<Result<Vec<u64>>>()?;
            let held = self.current.and_then(|current| current.values.get("person_id")?.as_u64());
            let kept = held.filter(|held| ids.contains(held)).or_else(|| ids.first().copied());
            self.body.insert("person_id".to_owned(), kept.map_or(Json::Null, Json::from));
            if ids.len() > 1 {
                self.warnings.push(format!("a deal of Pipedrive has one person: of {} one was set", ids.len()));
            }
        }
        Ok(())
    }

    /// One name of what is sent and, for the part that is not, of what is held.
    fn join_name(&mut self) {
        let part = |body: &mut Map<String, Json>, key: &str| {
            body.remove(key).map(|sent| sent.as_str().unwrap_or_default().to_owned())
        };
        let (first, last) = (part(&mut self.body, "first_name"), part(&mut self.body, "last_name"));
        if first.is_none() && last.is_none() {
            return;
        }
        let held = |sent: Option<String>, key: &str| {
            sent.unwrap_or_else(|| self.current.map(|current| current.text(key)).unwrap_or_default().to_owned())
        };
        let name = format!("{} {}", held(first, "first_name"), held(last, "last_name"));
        let name = name.trim();
        if !name.is_empty() {
            self.body.insert("name".to_owned(), name.into());
        }
    }

    fn finish(mut self, fields: &Fields) -> Result<Draft> {
        let is_new = self.current.is_none();
        let blank = |name: &str| fields.get(name).is_none_or(Value::is_blank);
        let person = self.object == Object::Person;
        let named_by_parts = person && !(blank("first_name") && blank("last_name"));
        if let Some(title) = self.object.title().filter(|title| is_new && blank(title) && !named_by_parts) {
            let what = if person { "a first, last or whole name is" } else { "a name is" };
            let message = format!("{what} required on create");
            return Err(Error::invalid(ErrorCode::RequiredFieldMissing, message).with_fields(vec![title.to_owned()]));
        }
        if person {
            // Both parts go together (migration guide); either may be empty, and null is none.
            if self.body.contains_key("first_name") || self.body.contains_key("last_name") {
                for key in ["first_name", "last_name"] {
                    let held = self.current.map(|current| current.text(key)).unwrap_or_default();
                    let part = self.body.entry(key).or_insert_with(|| held.into());
                    if part.is_null() {
                        *part = "".into();
                    }
                }
            }
        }
        if !self.custom.is_empty() {
            self.body.insert("custom_fields".to_owned(), self.custom.into());
        }
        Ok(Draft { body: self.body.into(), warnings: self.warnings })
    }
}

fn number(id: &str) -> Result<u64> {
    id.parse().map_err(|_| Error::invalid(ErrorCode::InvalidReference, format!("{id:?} is no id of Pipedrive")))
}
