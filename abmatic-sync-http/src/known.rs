//! What was learnt of an account and need not be asked for again, such as the definitions of its fields.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use abmatic_sync_core::model::connection::Connection;
use url::Url;

/// Things by account and key. It only spares calls: another process asks again.
///
/// ```
/// use abmatic_sync_core::model::connection::{Connection, Credentials};
/// use abmatic_sync_http::known::Known;
///
/// let known: Known<&str, u32> = Known::default();
/// let on = Connection::new("tenant-1", "main", "plain", Credentials::token("secret"));
/// assert_eq!(known.get(&on, &"contacts"), None);
/// known.learn(&on, "contacts", 42);
/// assert_eq!(known.get(&on, &"contacts").as_deref(), Some(&42));
/// ```
#[derive(Debug)]
pub struct Known<K, V>(Mutex<BTreeMap<String, BTreeMap<K, Arc<V>>>>);

impl<K, V> Default for Known<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord, V> Known<K, V> {
    /// What is known, if anything.
    pub fn get(&self, on: &Connection, key: &K) -> Option<Arc<V>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&account(on))?.get(key).cloned()
    }

    /// Keeps it, in place of what was known.
    pub fn learn(&self, on: &Connection, key: K, value: V) -> Arc<V> {
        let value = Arc::new(value);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(account(on)).or_default().insert(key, Arc::clone(&value));
        value
    }
}

/// Whose limits and definitions: the connection's, at its address.
pub fn account(on: &Connection) -> String {
    let host = on.base_url.as_ref().map_or("", Url::as_str);
    format!("{}/{} {host}", on.tenant, on.id)
}
