//! A record as the org keeps it, small, since there may be a million of them.

use crate::fake::packed::Values;

/// One record; its number is its key on the shelf.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    /// All times are whole seconds, in milliseconds since 1970.
    pub(crate) created: i64,
    pub(crate) modified: i64,
    /// `SystemModstamp`.
    pub(crate) stamp: i64,
    /// Numbers of users.
    pub(crate) created_by: u64,
    pub(crate) modified_by: u64,
    /// When it went into the recycle bin.
    pub(crate) deleted_at: Option<i64>,
    /// The survivor of the merge that it lost.
    pub(crate) master: Option<u64>,
    pub(crate) values: Values,
}

impl Record {
    pub(crate) fn new(at: i64, by: u64, values: Values) -> Self {
        let at = whole_seconds(at);
        Self { created: at, modified: at, stamp: at, created_by: by, modified_by: by, values, ..Self::default() }
    }

    /// Someone changed it.
    pub(crate) fn touch(&mut self, at: i64, by: u64) {
        let at = whole_seconds(at);
        self.modified = self.modified.max(at);
        self.modified_by = by;
        self.stamp = self.stamp.max(at);
    }

    pub(crate) fn is_live(&self) -> bool {
        self.deleted_at.is_none()
    }
}

/// Dates have no fraction of a second.
pub(crate) fn whole_seconds(ms: i64) -> i64 {
    ms.div_euclid(1000) * 1000
}
