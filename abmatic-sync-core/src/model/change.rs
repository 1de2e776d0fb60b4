//! What a run does to one field of one record, and why. Data, so that plans, logs and stores share it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::FieldName;
use crate::model::resource::Side;
use crate::model::value::Value;

/// Which way a value travels. Shown as users know it: `To Abmatic` is towards the host.
#[expect(clippy::exhaustive_enums, reason = "there are two ways between two sides")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the CRM to the host.
    ToAbmatic,
    /// From the host to the CRM.
    FromAbmatic,
}

impl Direction {
    /// The side that is written.
    pub fn target(self) -> Side {
        match self {
            Self::ToAbmatic => Side::Local,
            Self::FromAbmatic => Side::Remote,
        }
    }

    /// The way that ends at `side`.
    pub fn towards(side: Side) -> Self {
        match side {
            Side::Local => Self::ToAbmatic,
            Side::Remote => Self::FromAbmatic,
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ToAbmatic => "To Abmatic",
            Self::FromAbmatic => "From Abmatic",
        })
    }
}

/// Why a field is written, or not.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Both sides changed it; this one's edit is the later.
    ConflictLatestEdit,
    /// Both sides changed it; the field's source of truth wins.
    ConflictSourceOfTruth,
    /// Both sides changed it at the same time, or at times nobody knows; the tie rule decides.
    ConflictTie,
    /// The winner's way is closed by the field's direction: nothing is written.
    DirectionClosed,
    /// The target was empty.
    FillsEmpty,
    /// The value was emptied here, and clears are not allowed: nothing is written.
    KeptBlank,
    /// The existing value stays, by the duplicate handling: nothing is written.
    KeptExisting,
    /// The counterpart is new.
    NewRecord,
    /// Only this side changed it since both agreed.
    OnlyChange,
    /// The existing value is replaced, by the duplicate handling.
    OverwritesExisting,
    /// The referenced record has no counterpart yet: written once it has one.
    ParentMissing,
    /// The target's field cannot be written: nothing is written.
    ReadOnly,
}

impl Reason {
    /// The reason in words, as plans and logs show it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConflictLatestEdit => "conflict: the later edit wins",
            Self::ConflictSourceOfTruth => "conflict: the source of truth wins",
            Self::ConflictTie => "conflict: a tie, decided by rule",
            Self::DirectionClosed => "not written: the mapping's direction is closed",
            Self::FillsEmpty => "fills an empty field",
            Self::KeptBlank => "not written: clears are not allowed",
            Self::KeptExisting => "not written: the existing value is kept",
            Self::NewRecord => "new record",
            Self::OnlyChange => "changed on one side only",
            Self::OverwritesExisting => "overwrites the existing value",
            Self::ParentMissing => "deferred: the referenced record is not linked yet",
            Self::ReadOnly => "not written: the field is read-only",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One field's change, in the host's vocabulary.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field.
    pub field: FieldName,
    /// Which way.
    pub direction: Direction,
    /// What the target held.
    #[serde(default, skip_serializing_if = "Value::is_blank")]
    pub old: Value,
    /// What it holds afterwards.
    #[serde(default, skip_serializing_if = "Value::is_blank")]
    pub new: Value,
    /// Why.
    pub reason: Reason,
    /// Whether it is written at all, or only reported.
    #[serde(default = "is_written", skip_serializing_if = "Clone::clone")]
    pub written: bool,
}

fn is_written() -> bool {
    true
}

impl FieldChange {
    /// A change that is written.
    pub fn new(field: FieldName, direction: Direction, old: Value, new: Value, reason: Reason) -> Self {
        Self { field, direction, old, new, reason, written: true }
    }

    /// The same, but only reported.
    #[must_use]
    pub fn not_written(mut self) -> Self {
        self.written = false;
        self
    }
}
