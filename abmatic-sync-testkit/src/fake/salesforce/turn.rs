//! What a rule is told about a call beside its body.

/// When and how a call came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    /// Milliseconds since 1970.
    pub(crate) now: i64,
    /// The API version, for example 62.
    pub(crate) version: u16,
    /// The number of the user who calls.
    pub(crate) by: u64,
    /// `Sforce-Duplicate-Rule-Header: allowSave=true`.
    pub(crate) allow_save: bool,
    /// `Sforce-Auto-Assign`, which is on unless it is switched off.
    pub(crate) auto_assign: bool,
    /// A fault wants every row to be locked by someone else.
    pub(crate) rows_locked: bool,
    /// A fault wants the page to name itself as the next one.
    pub(crate) repeat_page: bool,
}

impl Turn {
    /// A change that no call asked for: by a user of the interface, or by the seed.
    pub(crate) fn of_user(now: i64, by: u64) -> Self {
        Self { now, version: 62, by, allow_save: true, auto_assign: false, rows_locked: false, repeat_page: false }
    }

    /// `/services/data/v62.0`.
    pub(crate) fn base(&self) -> String {
        format!("/services/data/v{}.0", self.version)
    }
}
