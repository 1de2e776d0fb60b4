//! Query locators: results that are read page by page, by the session that asked for them.

use std::collections::BTreeMap;

use crate::fake::moment::DAY_MS;
use crate::fake::salesforce::soql::plan::Plan;

/// How long results are kept, in days.
const DAYS: i64 = 2;
/// More are never open at once in a test; the oldest ones go first.
const OPEN_MAX: usize = 1000;

/// The results of one query.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    pub(crate) plan: Plan,
    pub(crate) numbers: Vec<u64>,
    /// Of `queryAll`.
    pub(crate) with_deleted: bool,
    pub(crate) page_max: usize,
    session: String,
    made: i64,
}

impl Cursor {
    pub(crate) fn new(plan: Plan, numbers: Vec<u64>, with_deleted: bool, page_max: usize) -> Self {
        Self { plan, numbers, with_deleted, page_max, session: String::new(), made: 0 }
    }
}

/// The open results.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cursors {
    open: BTreeMap<u64, Cursor>,
    last: u64,
}

impl Cursors {
    /// Keeps results for that session, and answers their number.
    pub(crate) fn keep(&mut self, mut cursor: Cursor, session: &str, now: i64) -> u64 {
        session.clone_into(&mut cursor.session);
        cursor.made = now;
        self.last += 1;
        self.open.insert(self.last, cursor);
        if self.open.len() > OPEN_MAX {
            self.open.pop_first();
        }
        self.last
    }

    /// The results of that number, if they are still there, and this session's.
    pub(crate) fn find(&self, number: u64, session: &str, now: i64) -> Option<&Cursor> {
        let cursor = self.open.get(&number)?;
        (cursor.session == session && now - cursor.made < DAYS * DAY_MS).then_some(cursor)
    }

    /// All results are gone, as after a restart.
    pub(crate) fn drop_all(&mut self) {
        self.open.clear();
    }
}
