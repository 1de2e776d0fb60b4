//! What Pipedrive's documents get wrong, as far as the traffic meets it: an excuse that nothing needs is a failure too.

/// A place in the documents at which an answer or a request may differ from them.
#[derive(Debug)]
pub(crate) struct Mistake {
    /// The operations, as patterns: `*` is anything, `|` stands between alternatives.
    pub(crate) operation: &'static str,
    /// The places, as patterns. `#` is a place in a list.
    pub(crate) place: &'static str,
    /// Why it is the document that is wrong.
    pub(crate) reason: &'static str,
}

const fn mistake(operation: &'static str, place: &'static str, reason: &'static str) -> Mistake {
    Mistake { operation, place, reason }
}

pub(crate) const MISTAKES: &[Mistake] = &[];
