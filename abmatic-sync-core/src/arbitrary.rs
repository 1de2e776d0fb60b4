//! Values, fields and conditions of every kind, for property tests. Few of each, so that equal ones are met.

use chrono::{DateTime, Utc};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use rust_decimal::Decimal;

use crate::filter::expr::{Comparison, Expr, field, not};
use crate::model::schema::FieldType;
use crate::model::value::Value;

/// Every type of field.
pub(crate) const TYPES: [FieldType; 12] = [
    FieldType::Any,
    FieldType::Boolean,
    FieldType::Choice,
    FieldType::Date,
    FieldType::Decimal,
    FieldType::Email,
    FieldType::Instant,
    FieldType::Integer,
    FieldType::MultiChoice,
    FieldType::Reference,
    FieldType::Text,
    FieldType::Url,
];

pub(crate) fn types() -> impl Strategy<Value = FieldType> {
    proptest::sample::select(TYPES.to_vec())
}

/// A text that is often the spelling of something.
pub(crate) fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ aAbB;]{0,4}",
        "-?[0-9]{1,4}(\\.[0-9]{1,3})?",
        "true|FALSE|Yes|no|0|1",
        "(https?://)?(www\\.){0,2}acme\\.(com|de)(:80)?(/[a-z]?)?",
        "[aA]nn@acme\\.com ?",
        moments().prop_map(|time| Value::Instant(time).to_string()),
        moments().prop_map(|time| time.date_naive().to_string()),
        "\\PC{0,12}",
    ]
}

/// Some are days.
pub(crate) fn moments() -> impl Strategy<Value = DateTime<Utc>> {
    let seconds = prop_oneof![(0_i64..4).prop_map(|day| day * 86_400), 0_i64..250_000_000_000];
    (seconds, prop_oneof![3 => Just(0_u32), 1 => 0_u32..1_000_000_000])
        .prop_filter_map("a time", |(seconds, nanos)| DateTime::from_timestamp(seconds, nanos))
}

fn numbers() -> impl Strategy<Value = Decimal> {
    let few = (-3_i64..4, 0_u32..3).prop_map(|(digits, scale)| Decimal::new(digits, scale));
    prop_oneof![few, (any::<i64>(), 0_u32..10).prop_map(|(digits, scale)| Decimal::new(digits, scale))]
}

/// A value as a store may hold it, blank ones of every type among them.
pub(crate) fn values() -> impl Strategy<Value = Value> {
    let set = || proptest::collection::btree_set("[abc]{1,2}", 0..3);
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Boolean),
        1 => texts().prop_map(Value::Choice),
        1 => moments().prop_map(|time| Value::Date(time.date_naive())),
        1 => numbers().prop_map(Value::Decimal),
        1 => moments().prop_map(Value::Instant),
        1 => prop_oneof![-3_i64..4, any::<i64>()].prop_map(Value::Integer),
        1 => set().prop_map(Value::MultiChoice),
        1 => set().prop_map(Value::Reference),
        4 => texts().prop_map(Value::Text),
    ]
}

/// A value that a filter's text can say.
pub(crate) fn literals() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::Integer),
        any::<bool>().prop_map(Value::Boolean),
        "\\PC{1,12}|[\"'\\\\\n ]{1,4}".prop_map(Value::text),
        (any::<i64>(), 0_u32..10).prop_map(|(digits, scale)| Value::Decimal(Decimal::new(digits, scale))),
        moments().prop_map(Value::Instant),
        moments().prop_map(|time| Value::Date(time.date_naive())),
    ]
}

/// The operators.
pub(crate) const COMPARISONS: [Comparison; 8] = [
    Comparison::Contains,
    Comparison::Equal,
    Comparison::Greater,
    Comparison::GreaterOrEqual,
    Comparison::Less,
    Comparison::LessOrEqual,
    Comparison::NotEqual,
    Comparison::StartsWith,
];

/// Conditions on fields of these names with these values.
pub(crate) fn conditions<V: Strategy<Value = Value> + 'static>(
    name: impl Strategy<Value = String> + Clone + 'static,
    value: impl Fn() -> V,
) -> impl Strategy<Value = Expr> {
    let how = proptest::sample::select(COMPARISONS.to_vec());
    let leaf = prop_oneof![
        (name.clone(), how, value()).prop_map(|(name, how, value)| field(name.as_str()).compare(how, value)),
        (name.clone(), proptest::collection::vec(value(), 1..4))
            .prop_map(|(name, list)| field(name.as_str()).is_in(list)),
        name.prop_map(|name| field(name.as_str()).is_null()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Expr::Or),
            inner.prop_map(not),
        ]
    })
}
