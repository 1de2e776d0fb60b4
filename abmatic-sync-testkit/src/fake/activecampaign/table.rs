//! Rows by id, and the scalars in which the API is given them: a text, a number and a truth mean the same.

use std::collections::BTreeMap;

use serde_json::Value;

/// Rows by id; an id is never given twice.
#[derive(Clone, Debug)]
pub(crate) struct Table<R> {
    rows: BTreeMap<u64, R>,
    next: u64,
}

impl<R> Table<R> {
    /// An empty table whose first row gets `first`.
    pub(crate) fn from(first: u64) -> Self {
        Self { rows: BTreeMap::new(), next: first }
    }

    pub(crate) fn add(&mut self, row: R) -> u64 {
        let id = self.next;
        self.next += 1;
        self.rows.insert(id, row);
        id
    }

    pub(crate) fn get(&self, id: u64) -> Option<&R> {
        self.rows.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut R> {
        self.rows.get_mut(&id)
    }

    pub(crate) fn remove(&mut self, id: u64) -> Option<R> {
        self.rows.remove(&id)
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(&R) -> bool) {
        self.rows.retain(|_, row| keep(row));
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, &R)> {
        self.rows.iter().map(|(id, row)| (*id, row))
    }

    /// The id of the first row that fits.
    pub(crate) fn find(&self, fits: impl Fn(&R) -> bool) -> Option<u64> {
        self.iter().find(|(_, row)| fits(row)).map(|(id, _)| id)
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
}

/// A scalar as text; `null` is empty. Nothing for arrays and objects.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(truth) => Some(if *truth { "1" } else { "0" }.to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// The text of a key, where it was sent.
pub(crate) fn sent(body: &Value, key: &str) -> Option<String> {
    body.get(key).and_then(text)
}

/// The id of a key, where one was sent that may be one.
pub(crate) fn sent_id(body: &Value, key: &str) -> Option<u64> {
    sent(body, key)?.trim().parse().ok()
}

/// The answer to a write echoes what was sent in the type in which it was sent.
pub(crate) fn echo(row: &mut Value, body: &Value) {
    let (Some(row), Some(body)) = (row.as_object_mut(), body.as_object()) else { return };
    for (key, value) in body {
        if let Some(shown) = row.get_mut(key).filter(|_| !value.is_null() && !value.is_array()) {
            *shown = value.clone();
        }
    }
}
