//! A record's values packed into one text, since a fake may hold a million of records.

/// A field's place in its type's catalogue.
pub(crate) type FieldId = u16;

/// A record's stored values, in the order of their field ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    /// Field and end of its value in `text`.
    ends: Box<[(FieldId, u32)]>,
    text: Box<str>,
}

impl Values {
    /// Packs values; the last one of a field counts.
    pub(crate) fn pack(mut pairs: Vec<(FieldId, &str)>) -> Self {
        pairs.sort_by_key(|(field, _)| *field);
        let mut ends: Vec<(FieldId, u32)> = Vec::with_capacity(pairs.len());
        let mut text = String::with_capacity(pairs.iter().map(|(_, value)| value.len()).sum());
        for (field, value) in pairs {
            if ends.last().is_some_and(|(last, _)| *last == field) {
                ends.pop();
                text.truncate(ends.last().map_or(0, |(_, end)| usize::try_from(*end).unwrap_or(0)));
            }
            text.push_str(value);
            ends.push((field, u32::try_from(text.len()).unwrap_or(u32::MAX)));
        }
        Self { ends: ends.into_boxed_slice(), text: text.into_boxed_str() }
    }

    pub(crate) fn get(&self, field: FieldId) -> Option<&str> {
        let at = self.ends.binary_search_by_key(&field, |(id, _)| *id).ok()?;
        self.slice(at)
    }

    fn slice(&self, at: usize) -> Option<&str> {
        let end = self.ends.get(at)?.1 as usize;
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |(_, end)| *end as usize);
        self.text.get(start..end)
    }

    /// The values with their fields.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (FieldId, &str)> {
        self.ends.iter().enumerate().filter_map(|(at, (field, _))| Some((*field, self.slice(at)?)))
    }

    /// The same with some values set or taken away.
    pub(crate) fn with(&self, changes: &[(FieldId, Option<String>)]) -> Self {
        let mut pairs: Vec<(FieldId, &str)> =
            self.iter().filter(|(field, _)| !changes.iter().any(|(changed, _)| changed == field)).collect();
        pairs.extend(changes.iter().filter_map(|(field, value)| Some((*field, value.as_deref()?))));
        Self::pack(pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::Values;

    #[test]
    fn packed_values_read_back() {
        let values = Values::pack(vec![(7, "seven"), (2, "zwei"), (7, "sieben"), (9, "")]);
        assert_eq!(values.iter().collect::<Vec<_>>(), [(2, "zwei"), (7, "sieben"), (9, "")]);
        let changed = values.with(&[(2, None), (3, Some("drei".to_owned()))]);
        assert_eq!((changed.get(2), changed.get(3), changed.get(7)), (None, Some("drei"), Some("sieben")));
    }
}
