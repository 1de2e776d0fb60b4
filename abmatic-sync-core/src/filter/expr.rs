//! Typed conditions on records, and their builder.

use std::collections::BTreeSet;
use std::ops;

use serde::{Deserialize, Serialize};

use crate::ids::FieldName;
use crate::model::value::Value;

/// How a field is compared with one value.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// The text contains the value, without case; a multi-choice or reference includes it.
    Contains,
    /// Equal: texts without case, a multi-choice when it holds exactly these options.
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

impl Comparison {
    /// The operator as users write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contains => "CONTAINS",
            Self::Equal => "=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::NotEqual => "!=",
            Self::StartsWith => "STARTS WITH",
        }
    }

    /// Whether it asks which of two is the greater.
    pub fn is_ordering(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterOrEqual | Self::Less | Self::LessOrEqual)
    }
}

/// A condition on a record. `Display` prints it as users write it.
///
/// ```
/// use abmatic_sync_core::filter::expr::{Expr, field};
/// let filter = field("Type").equals("Customer").and(field("AnnualRevenue").greater_than(1_000_000));
/// assert_eq!(filter.to_string(), r#"Type = "Customer" AND AnnualRevenue > 1000000"#);
/// assert_eq!(filter.to_string().parse::<Expr>().unwrap(), filter);
/// ```
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

impl Expr {
    /// Holds where this and `other` do.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::And(mut parts) => {
                parts.push(other);
                Self::And(parts)
            }
            first => Self::And(vec![first, other]),
        }
    }

    /// Holds where this or `other` does.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::Or(mut parts) => {
                parts.push(other);
                Self::Or(parts)
            }
            first => Self::Or(vec![first, other]),
        }
    }

    /// The fields that it asks about: a reader has to read them.
    pub fn fields(&self) -> BTreeSet<FieldName> {
        let mut found = BTreeSet::new();
        self.collect_fields(&mut found);
        found
    }

    fn collect_fields(&self, found: &mut BTreeSet<FieldName>) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.collect_fields(found)),
            Self::Compare { field, .. } | Self::In { field, .. } | Self::IsNull(field) => {
                found.insert(field.clone());
            }
            Self::Not(inner) => inner.collect_fields(found),
        }
    }
}

/// Holds where `expr` does not: a field that is empty included.
#[must_use]
pub fn not(expr: Expr) -> Expr {
    Expr::Not(Box::new(expr))
}

impl ops::Not for Expr {
    type Output = Self;

    fn not(self) -> Self {
        not(self)
    }
}

/// Starts a condition on the field of that name.
pub fn field(name: impl Into<FieldName>) -> Subject {
    Subject(name.into())
}

/// A field of which something is to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject(FieldName);

impl Subject {
    /// It equals `value`; with a blank value: it is empty.
    pub fn equals(self, value: impl Into<Value>) -> Expr {
        self.compare(Comparison::Equal, value)
    }

    /// It does not equal `value`, or is empty; with a blank value: it is not empty.
    pub fn not_equals(self, value: impl Into<Value>) -> Expr {
        self.compare(Comparison::NotEqual, value)
    }

    /// It is greater than `value`.
    pub fn greater_than(self, value: impl Into<Value>) -> Expr {
        self.compare(Comparison::Greater, value)
    }

    /// It is `value` or greater.
    pub fn at_least(self, value: impl Into<Value>) -> Expr {
        self.compare(Comparison::GreaterOrEqual, value)
    }

    /// It is less than `value`.
    pub fn less_than(self, value: impl Into<Value>) -> Expr {
        self.compare(Comparison::Less, value)
    }

    /// It is `value` or less.
    pub fn at_most(self, value: impl Into<Value>) -> Expr {
        self.compare(Comparison::LessOrEqual, value)
    }

    /// Its text contains `value`, or its options include it.
    pub fn contains(self, value: impl Into<Value>) -> Expr {
        self.compare(Comparison::Contains, value)
    }

    /// Its text starts with `value`.
    pub fn starts_with(self, value: impl Into<Value>) -> Expr {
        self.compare(Comparison::StartsWith, value)
    }

    /// It equals one of `values`.
    pub fn is_in<V: Into<Value>>(self, values: impl IntoIterator<Item = V>) -> Expr {
        Expr::In { field: self.0, values: values.into_iter().map(Into::into).collect() }
    }

    /// It is empty.
    pub fn is_null(self) -> Expr {
        Expr::IsNull(self.0)
    }

    /// It is not empty.
    pub fn is_not_null(self) -> Expr {
        not(Expr::IsNull(self.0))
    }

    /// It compares so with `value`. To be equal to a blank value is to be empty.
    pub fn compare(self, how: Comparison, value: impl Into<Value>) -> Expr {
        let value = value.into();
        match how {
            Comparison::Equal if value.is_blank() => self.is_null(),
            Comparison::NotEqual if value.is_blank() => self.is_not_null(),
            _ => Expr::Compare { field: self.0, how, value },
        }
    }
}
