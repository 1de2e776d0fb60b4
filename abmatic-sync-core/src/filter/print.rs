//! Conditions as users write them: what is printed parses back to the same condition.
//!
//! Only what no text can say prints as something near it: an empty list, a condition of no parts, a choice (as text).

use std::fmt::{self, Display, Formatter, Write};

use rust_decimal::prelude::ToPrimitive;

use crate::filter::expr::Expr;
use crate::filter::parse::{is_plain_name, is_word};
use crate::ids::FieldName;
use crate::model::value::Value;

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) => joined(f, parts, " AND ", |part| matches!(part, Self::And(_) | Self::Or(_))),
            Self::Or(parts) => joined(f, parts, " OR ", |part| matches!(part, Self::Or(_))),
            Self::Compare { field, how, value } => {
                write!(f, "{} {} {}", Name(field), how.as_str(), Literal(value))
            }
            Self::In { field, values } => member(f, field, "IN", values),
            Self::IsNull(field) => write!(f, "{} IS NULL", Name(field)),
            Self::Not(inner) => match &**inner {
                Self::IsNull(field) => write!(f, "{} IS NOT NULL", Name(field)),
                Self::In { field, values } => member(f, field, "NOT IN", values),
                Self::And(_) | Self::Or(_) => write!(f, "NOT ({inner})"),
                Self::Compare { .. } | Self::Not(_) => write!(f, "NOT {inner}"),
            },
        }
    }
}

fn joined(f: &mut Formatter<'_>, parts: &[Expr], with: &str, in_parentheses: impl Fn(&Expr) -> bool) -> fmt::Result {
    for (position, part) in parts.iter().enumerate() {
        if position > 0 {
            f.write_str(with)?;
        }
        if in_parentheses(part) {
            write!(f, "({part})")?;
        } else {
            write!(f, "{part}")?;
        }
    }
    Ok(())
}

fn member(f: &mut Formatter<'_>, field: &FieldName, operator: &str, values: &[Value]) -> fmt::Result {
    write!(f, "{} {operator} (", Name(field))?;
    for (position, value) in values.iter().enumerate() {
        if position > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{}", Literal(value))?;
    }
    f.write_char(')')
}

struct Name<'a>(&'a FieldName);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = self.0.as_str();
        if is_plain_name(name) { f.write_str(name) } else { quoted(f, name, '`') }
    }
}

struct Literal<'a>(&'a Value);

impl Display for Literal<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        match self.0 {
            Value::Decimal(number) if number.is_integer() && number.to_i64().is_some() => write!(f, "{text}.0"),
            Value::Boolean(_) | Value::Date(_) | Value::Decimal(_) | Value::Instant(_) | Value::Integer(_)
                if text.chars().all(is_word) =>
            {
                f.write_str(&text)
            }
            _ => quoted(f, &text, '"'),
        }
    }
}

fn quoted(f: &mut Formatter<'_>, text: &str, quote: char) -> fmt::Result {
    f.write_char(quote)?;
    for letter in text.chars() {
        if letter == quote || letter == '\\' {
            f.write_char('\\')?;
        }
        f.write_char(letter)?;
    }
    f.write_char(quote)
}
