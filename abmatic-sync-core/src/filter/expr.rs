//! Typed conditions on records, and their builder.

use serde::{Deserialize, Serialize};

use crate::ids::FieldName;
use crate::model::value::Value;

/// How a field is compared with one value.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// The text contains the value, without case.
    Contains,
    /// Equal.
    Equal,
    /// Greater.
    Greater,
    /// Greater or equal.
    GreaterOrEqual,
    /// Less.
    Less,
    /// Less or equal.
    LessOrEqual,
    /// Not equal; a field that is empty is not equal to any value.
    NotEqual,
    /// The text starts with the value, without case.
    StartsWith,
}

/// A condition on a record.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expr {
    /// All of these hold.
    And(Vec<Self>),
    /// The field compares so with the value.
    Compare {
        /// The field, in the vocabulary of the side that is filtered.
        field: FieldName,
        /// How.
        how: Comparison,
        /// With what.
        value: Value,
    },
    /// The field equals one of the values.
    In {
        /// The field.
        field: FieldName,
        /// The values.
        values: Vec<Value>,
    },
    /// The field is empty.
    IsNull(FieldName),
    /// This does not hold.
    Not(Box<Self>),
    /// One of these holds.
    Or(Vec<Self>),
}
