//! One call: when it comes, and how a fault bends it.

/// What a rule knows of the call besides its request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    /// The present, in milliseconds since 1970.
    pub(crate) now: i64,
    /// A fault: a page names itself as the next one.
    pub(crate) repeat_page: bool,
}
