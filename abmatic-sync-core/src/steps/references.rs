//! Translates references between the two sides' ids, by the links of the resource that they point to.

use std::collections::{BTreeSet, HashMap};

use crate::model::resource::Resource;
use crate::model::value::Value;
use crate::steps::single::reference;

/// The links that a page's references need.
#[non_exhaustive]
#[derive(Clone, Debug, Default)]
pub struct ReferenceMap {
    local_of: HashMap<(Resource, String), String>,
    remote_of: HashMap<(Resource, String), String>,
}

/// A reference in the other side's ids, and those that have no counterpart yet.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Translated {
    /// What could be translated.
    pub ids: BTreeSet<String>,
    /// What could not: it waits (I12).
    pub waiting: BTreeSet<String>,
}

impl ReferenceMap {
    /// Notes a link of `resource`.
    pub fn insert(&mut self, resource: Resource, local_id: &str, remote_id: &str) {
        self.local_of.insert((resource, remote_id.to_owned()), local_id.to_owned());
        self.remote_of.insert((resource, local_id.to_owned()), remote_id.to_owned());
    }

    /// Takes in what another knows.
    pub fn absorb(&mut self, other: Self) {
        self.local_of.extend(other.local_of);
        self.remote_of.extend(other.remote_of);
    }

    /// Remote ids as local ones.
    pub fn to_local(&self, resource: Resource, value: &Value) -> Translated {
        translate(&self.local_of, resource, value)
    }

    /// Local ids as remote ones.
    pub fn to_remote(&self, resource: Resource, value: &Value) -> Translated {
        translate(&self.remote_of, resource, value)
    }
}

impl Translated {
    /// The translated part as a value.
    pub fn value(&self) -> Value {
        reference(self.ids.clone())
    }
}

fn translate(table: &HashMap<(Resource, String), String>, resource: Resource, value: &Value) -> Translated {
    let mut translated = Translated::default();
    for id in value.ids() {
        match table.get(&(resource, id.to_owned())) {
            Some(other) => translated.ids.insert(other.clone()),
            None => translated.waiting.insert(id.to_owned()),
        };
    }
    translated
}
