//! A record as the fake keeps it: its values packed into one text, since there may be a million of them.

use crate::fake::packed::{FieldId, Values};

/// A property's place in its type's catalogue.
pub(crate) type PropertyId = FieldId;

/// Who made a change, as a property's history tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Author {
    /// A user in HubSpot's own interface.
    CrmUser,
    /// The caller of the API.
    Integration,
}

/// One earlier or present value of a property.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) property: PropertyId,
    pub(crate) value: Option<String>,
    pub(crate) at: i64,
    pub(crate) author: Author,
}

/// One record; its id is its key in the shelf.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) created: i64,
    pub(crate) modified: i64,
    pub(crate) archived_at: Option<i64>,
    pub(crate) values: Values,
    /// Oldest first; empty for a property that has had its present value since the record was created.
    history: Vec<Change>,
}

impl Record {
    pub(crate) fn new(created: i64, values: Values) -> Self {
        Self { created, modified: created, archived_at: None, values, history: Vec::new() }
    }

    /// Sets values, keeps their history, moves the modified date.
    pub(crate) fn change(&mut self, changes: &[(PropertyId, Option<String>)], now: i64, author: Author) {
        for (property, value) in changes {
            self.remember(*property, value.as_ref(), now, author);
        }
        self.values = self.values.with(changes);
        self.modified = self.modified.max(now);
    }

    fn remember(&mut self, property: PropertyId, value: Option<&String>, at: i64, author: Author) {
        let before = self.values.get(property).map(str::to_owned);
        if before.as_ref() == value {
            return;
        }
        if before.is_some() && !self.has_history(property) {
            let (at, author) = (self.created, Author::Integration);
            self.history.push(Change { property, value: before, at, author });
        }
        self.history.push(Change { property, value: value.cloned(), at, author });
    }

    fn has_history(&self, property: PropertyId) -> bool {
        self.history.iter().any(|change| change.property == property)
    }

    /// The values a property has had, newest first.
    pub(crate) fn history(&self, property: PropertyId) -> Vec<Change> {
        if !self.has_history(property) {
            let value = self.values.get(property).map(str::to_owned);
            let at = self.created;
            return value
                .map(|value| Change { property, value: Some(value), at, author: Author::Integration })
                .into_iter()
                .collect();
        }
        self.history.iter().rev().filter(|change| change.property == property).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Author, Record};
    use crate::fake::packed::Values;

    #[test]
    fn history_is_newest_first_and_starts_with_the_create() {
        let mut record = Record::new(10, Values::pack(vec![(1, "a")]));
        record.change(&[(1, Some("b".to_owned()))], 20, Author::CrmUser);
        let seen: Vec<_> = record.history(1).into_iter().map(|change| (change.value, change.at)).collect();
        assert_eq!(seen, [(Some("b".to_owned()), 20), (Some("a".to_owned()), 10)]);
    }
}
