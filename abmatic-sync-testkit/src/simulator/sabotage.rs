//! Protections that can be switched off, to see that the simulator sees.

/// A protection that is switched off.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// Links forget the values on which both sides agreed.
    Base,
    /// The place where a run stands is kept before its page is, not with it.
    Checkpoint,
    /// Two records on one page with one key are not seen to be one.
    InPageDedup,
    /// Creates are neither announced nor verified.
    Intent,
    /// Two runs may work on one connection.
    Lease,
    /// Local writes overwrite what the host changed meanwhile.
    OptimisticLocalWrite,
    /// Changes that show late are not waited for.
    OverlapWindow,
}

impl Sabotage {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Base,
        Self::Checkpoint,
        Self::InPageDedup,
        Self::Intent,
        Self::Lease,
        Self::OptimisticLocalWrite,
        Self::OverlapWindow,
    ];

    /// The name by which the command line knows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Checkpoint => "checkpoint",
            Self::InPageDedup => "in-page-dedup",
            Self::Intent => "intent",
            Self::Lease => "lease",
            Self::OptimisticLocalWrite => "optimistic-local-write",
            Self::OverlapWindow => "overlap-window",
        }
    }

    /// Reads such a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sabotage| sabotage.as_str() == text)
    }
}
