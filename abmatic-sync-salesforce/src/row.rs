//! One write as Salesforce takes it: typed cells, checked against the org's definitions before they cost a call.

use std::collections::{BTreeMap, BTreeSet};

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::schema::FieldType;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::steps::coerce::coerce;
use chrono::{DateTime, Utc};
use rust_decimal::RoundingStrategy;

use crate::describe::{Described, Detail};
use crate::id::long_id;
use crate::object::{ACCOUNT_ID, ACCOUNT_RELATION, CONTACTS_RELATION, ID, Object};
use crate::values::Cell;

/// What is done to a row's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Create,
    Update,
}

/// One record to write.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its place among the writes.
    pub(crate) at: usize,
    pub(crate) verb: Verb,
    pub(crate) object: Object,
    /// The id of an update; of a create the intent, or the external id where the host maps one.
    pub(crate) key: String,
    pub(crate) cells: BTreeMap<String, Cell>,
    /// The fields that the engine sent, by the names that it shares.
    pub(crate) sent: Fields,
    /// The fields that nobody may write.
    pub(crate) closed: Vec<FieldName>,
    /// An opportunity's contacts, before and after.
    pub(crate) contacts: Option<Contacts>,
    /// An update's record is to be as it was then.
    pub(crate) unmodified_since: Option<DateTime<Utc>>,
    /// The row was for a lead that has become this contact.
    pub(crate) was_lead: bool,
    pub(crate) warnings: Vec<String>,
}

/// The contacts that an opportunity had and is to have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contacts {
    pub(crate) before: BTreeSet<String>,
    pub(crate) after: BTreeSet<String>,
}

impl Row {
    /// A record to make.
    ///
    /// # Errors
    /// For a field that is not there or does not take its value, and for a required one that is empty.
    pub(crate) fn create(
        at: usize,
        intent: &str,
        fields: &Fields,
        object: Object,
        described: &Described,
    ) -> Result<Self> {
        let mut row = Self::new(at, Verb::Create, intent.to_owned(), object);
        row.fill(fields, &Fields::new(), described)?;
        // An empty field of a new record needs no clearing.
        row.cells.retain(|_, cell| !cell.is_null());
        row.take_own_key(described);
        let is_key =
            |name: &str| described.external_id.as_deref().is_some_and(|field| field.eq_ignore_ascii_case(name));
        let missing = |name: &&str| !is_key(name) && !row.cells.keys().any(|held| held.eq_ignore_ascii_case(name));
        if let Some(name) = described.required().find(missing) {
            let message = format!("\"{name}\" is required on create");
            return Err(Error::invalid(ErrorCode::RequiredFieldMissing, message).with_fields(vec![name.to_owned()]));
        }
        Ok(row)
    }

    /// A record to change.
    ///
    /// # Errors
    /// For a field that is not there or does not take its value.
    pub(crate) fn update(
        at: usize,
        id: &str,
        (fields, before): (&Fields, &Fields),
        object: Object,
        described: &Described,
    ) -> Result<Self> {
        let mut row = Self::new(at, Verb::Update, long_id(id), object);
        row.fill(fields, before, described)?;
        Ok(row)
    }

    /// A row without fields yet.
    pub(crate) fn new(at: usize, verb: Verb, key: String, object: Object) -> Self {
        Self {
            at,
            verb,
            object,
            key,
            cells: BTreeMap::new(),
            sent: Fields::new(),
            closed: Vec::new(),
            contacts: None,
            unmodified_since: None,
            was_lead: false,
            warnings: Vec::new(),
        }
    }

    /// A host that maps the external id says itself which record is which.
    fn take_own_key(&mut self, described: &Described) {
        let Some(field) = &described.external_id else { return };
        let mapped = self.cells.keys().find(|name| name.eq_ignore_ascii_case(field)).cloned();
        if let Some(Cell::Text(own)) = mapped.and_then(|name| self.cells.remove(&name)) {
            self.key = own;
        }
    }

    fn fill(&mut self, fields: &Fields, before: &Fields, described: &Described) -> Result<()> {
        for (name, value) in fields.iter() {
            let relations = self.object.relations();
            match name.as_str() {
                ACCOUNT_RELATION if relations.contains(&ACCOUNT_RELATION) => {
                    let cell = Cell::of(value, FieldType::Reference)?;
                    self.cells.insert(ACCOUNT_ID.to_owned(), cell);
                }
                CONTACTS_RELATION if relations.contains(&CONTACTS_RELATION) => {
                    let ids = |value: Option<&Value>| value.into_iter().flat_map(Value::ids).map(long_id).collect();
                    self.contacts = Some(Contacts { before: ids(before.get(name.as_str())), after: ids(Some(value)) });
                }
                plain => self.set(plain, name, value, described)?,
            }
        }
        Ok(())
    }

    fn set(&mut self, plain: &str, name: &FieldName, value: &Value, described: &Described) -> Result<()> {
        let Some(detail) = described.detail(plain) else {
            return Err(unfit(plain, format!("{} has no field \"{plain}\"", self.object.name())));
        };
        let is_open = if self.verb == Verb::Create { detail.createable } else { detail.updateable };
        if !is_open || plain.eq_ignore_ascii_case(ID) {
            self.warnings.push(format!("\"{plain}\" cannot be written and stays as it is"));
            self.closed.push(name.clone());
            return Ok(());
        }
        let fitted = fitted(plain, value, detail)?;
        self.cells.insert(plain.to_owned(), Cell::of(&fitted, detail.field_type)?);
        self.sent.insert(name.clone(), kept(fitted, detail));
        Ok(())
    }

    /// The parent whose record is locked while this one is written.
    pub(crate) fn parent(&self) -> Option<&str> {
        let field = self.object.parent_field()?;
        self.cells.iter().find(|(name, _)| name.eq_ignore_ascii_case(field))?.1.text()
    }

    /// The row for the record that answers for its own after a merge or a conversion.
    #[must_use]
    pub(crate) fn moved_to(mut self, id: &str, object: Object, described: &Described) -> Self {
        self.key = id.to_owned();
        if object != self.object {
            self.object = object;
            self.was_lead = true;
            self.cells.retain(|name, _| described.detail(name).is_some_and(|detail| detail.updateable));
            // What the contact does not take stays as it is there.
            let (kept, closed): (Vec<_>, Vec<_>) = std::mem::take(&mut self.sent)
                .into_iter()
                .partition(|(name, _)| self.cells.contains_key(name.as_str()));
            self.sent = kept.into_iter().collect();
            self.closed.extend(closed.into_iter().map(|(name, _)| name));
            self.warnings.push(format!("the lead has become the contact {id}, which was written instead"));
        }
        self
    }
}

/// What Salesforce is known to make of a value: it rounds, and a checkbox is never empty.
fn kept(value: Value, detail: &Detail) -> Value {
    match (value, detail.field_type) {
        (Value::Decimal(number), _) => {
            Value::Decimal(number.round_dp_with_strategy(detail.scale, RoundingStrategy::MidpointAwayFromZero))
        }
        (Value::Null, FieldType::Boolean) => Value::Boolean(false),
        (other, _) => other,
    }
}

/// The value as the field takes it.
fn fitted(name: &str, value: &Value, detail: &Detail) -> Result<Value> {
    let as_reference = match (detail.field_type, value) {
        (FieldType::Reference, Value::Text(id)) => Some(Value::reference(id.as_str())),
        _ => coerce(value, detail.field_type),
    };
    let fitted = as_reference.ok_or_else(|| {
        unfit(
            name,
            format!("\"{name}\" takes a {}, not the {} \"{value}\"", detail.field_type.as_str(), value.type_name()),
        )
    })?;
    let length = fitted.as_text().map_or(0, |text| text.chars().count());
    if let Some(most) = detail.length_max.and_then(|most| usize::try_from(most).ok()).filter(|most| length > *most) {
        return Err(unfit(name, format!("\"{name}\" takes {most} characters and was given {length}")));
    }
    match fitted {
        Value::Choice(text) => option(name, &text, detail).map(Value::Choice),
        Value::MultiChoice(set) => {
            let options = set.iter().map(|text| option(name, text, detail)).collect::<Result<_>>()?;
            Ok(Value::MultiChoice(options))
        }
        other => Ok(other),
    }
}

/// The option in Salesforce's spelling; a restricted picklist takes no other.
fn option(name: &str, text: &str, detail: &Detail) -> Result<String> {
    const SHOWN_MAX: usize = 12;
    if detail.options.is_empty() {
        return Ok(text.to_owned());
    }
    let exact = detail.options.iter().find(|option| *option == text);
    let found = exact.or_else(|| detail.options.iter().find(|option| option.eq_ignore_ascii_case(text)));
    found.cloned().ok_or_else(|| {
        let offered = detail.options.iter().take(SHOWN_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
        unfit(name, format!("\"{name}\" has no option \"{text}\"; salesforce offers {offered}"))
    })
}

fn unfit(name: &str, message: String) -> Error {
    Error::invalid(ErrorCode::InvalidField, message).with_fields(vec![name.to_owned()])
}

/// Chunks for one call each: of one object and verb, siblings side by side, no record twice.
pub(crate) fn chunks(mut rows: Vec<Row>, most: usize) -> Vec<Vec<Row>> {
    let place = |row: &Row| (row.object, row.verb == Verb::Update, row.parent().map(str::to_owned));
    rows.sort_by_cached_key(place);
    let mut chunks: Vec<Vec<Row>> = Vec::new();
    let mut keys: BTreeSet<String> = BTreeSet::new();
    for row in rows {
        let fits = chunks.last().and_then(|chunk| Some((chunk, chunk.first()?))).is_some_and(|(chunk, first)| {
            chunk.len() < most && first.object == row.object && first.verb == row.verb && !keys.contains(&row.key)
        });
        if !fits {
            chunks.push(Vec::new());
            keys.clear();
        }
        keys.insert(row.key.clone());
        if let Some(chunk) = chunks.last_mut() {
            chunk.push(row);
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: usize, key: &str, parent: Option<&str>) -> Row {
        let mut row = Row::new(at, Verb::Update, key.to_owned(), Object::Contact);
        if let Some(parent) = parent {
            row.cells.insert(ACCOUNT_ID.to_owned(), Cell::Text(parent.to_owned()));
        }
        row
    }

    #[test]
    fn siblings_share_a_chunk_and_no_record_stands_in_it_twice() {
        let rows = vec![row(0, "a", Some("2")), row(1, "b", Some("1")), row(2, "c", Some("2")), row(3, "a", Some("2"))];
        let shown: Vec<Vec<usize>> =
            chunks(rows, 3).iter().map(|chunk| chunk.iter().map(|row| row.at).collect()).collect();
        assert_eq!(shown, [vec![1, 0, 2], vec![3]]);
        assert!(chunks(Vec::new(), 3).is_empty());
    }
}
