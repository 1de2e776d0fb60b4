//! Five calls a second for the whole account, and a hundred imports a minute.

use std::collections::VecDeque;

/// The calls of a second, and the imports of a minute, that were let through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    calls: VecDeque<i64>,
    imports: VecDeque<i64>,
}

pub(crate) const CALLS_A_SECOND: usize = 5;
const IMPORTS_A_MINUTE: usize = 100;

impl Limits {
    /// Whether one more call fits.
    pub(crate) fn admit(&mut self, now: i64) -> bool {
        admit(&mut self.calls, now, 1_000, CALLS_A_SECOND)
    }

    /// Whether one more import fits.
    pub(crate) fn admit_import(&mut self, now: i64) -> bool {
        admit(&mut self.imports, now, 60_000, IMPORTS_A_MINUTE)
    }

    /// How many calls of this second are left.
    pub(crate) fn left(&self) -> usize {
        CALLS_A_SECOND.saturating_sub(self.calls.len())
    }
}

fn admit(taken: &mut VecDeque<i64>, now: i64, window_ms: i64, max: usize) -> bool {
    while taken.front().is_some_and(|at| *at <= now - window_ms) {
        taken.pop_front();
    }
    if taken.len() >= max {
        return false;
    }
    taken.push_back(now);
    true
}
