//! A record as the fake keeps it: its values packed into one text, since there may be a million of them.

/// A property's place in its type's catalogue.
pub(crate) type PropertyId = u16;

/// A record's stored values, in the order of their property ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    /// Property and end of its value in `text`.
    ends: Box<[(PropertyId, u32)]>,
    text: Box<str>,
}

impl Values {
    /// Packs values; the last one of a property counts.
    pub(crate) fn pack(mut pairs: Vec<(PropertyId, &str)>) -> Self {
        pairs.sort_by_key(|(property, _)| *property);
        let mut ends: Vec<(PropertyId, u32)> = Vec::with_capacity(pairs.len());
        let mut text = String::with_capacity(pairs.iter().map(|(_, value)| value.len()).sum());
        for (property, value) in pairs {
            if ends.last().is_some_and(|(last, _)| *last == property) {
                ends.pop();
                text.truncate(ends.last().map_or(0, |(_, end)| usize::try_from(*end).unwrap_or(0)));
            }
            text.push_str(value);
            ends.push((property, u32::try_from(text.len()).unwrap_or(u32::MAX)));
        }
        Self { ends: ends.into_boxed_slice(), text: text.into_boxed_str() }
    }

    pub(crate) fn get(&self, property: PropertyId) -> Option<&str> {
        let at = self.ends.binary_search_by_key(&property, |(id, _)| *id).ok()?;
        self.slice(at)
    }

    fn slice(&self, at: usize) -> Option<&str> {
        let end = self.ends.get(at)?.1 as usize;
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |(_, end)| *end as usize);
        self.text.get(start..end)
    }

    /// The values with their properties.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PropertyId, &str)> {
        self.ends.iter().enumerate().filter_map(|(at, (property, _))| Some((*property, self.slice(at)?)))
    }

    /// The same with some values set or taken away.
    pub(crate) fn with(&self, changes: &[(PropertyId, Option<String>)]) -> Self {
        let mut pairs: Vec<(PropertyId, &str)> =
            self.iter().filter(|(property, _)| !changes.iter().any(|(changed, _)| changed == property)).collect();
        pairs.extend(changes.iter().filter_map(|(property, value)| Some((*property, value.as_deref()?))));
        Self::pack(pairs)
    }
}

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
    use super::{Author, Record, Values};

    #[test]
    fn packed_values_read_back() {
        let values = Values::pack(vec![(7, "seven"), (2, "zwei"), (7, "sieben"), (9, "")]);
        assert_eq!(values.iter().collect::<Vec<_>>(), [(2, "zwei"), (7, "sieben"), (9, "")]);
        let changed = values.with(&[(2, None), (3, Some("drei".to_owned()))]);
        assert_eq!((changed.get(2), changed.get(3), changed.get(7)), (None, Some("drei"), Some("sieben")));
    }

    #[test]
    fn history_is_newest_first_and_starts_with_the_create() {
        let mut record = Record::new(10, Values::pack(vec![(1, "a")]));
        record.change(&[(1, Some("b".to_owned()))], 20, Author::CrmUser);
        let seen: Vec<_> = record.history(1).into_iter().map(|change| (change.value, change.at)).collect();
        assert_eq!(seen, [(Some("b".to_owned()), 20), (Some("a".to_owned()), 10)]);
    }
}
