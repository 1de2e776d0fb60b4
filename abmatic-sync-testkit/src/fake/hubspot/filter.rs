//! One filter of a search: read once, then asked of every record.

use std::cmp::Ordering;

use serde_json::Value;

use crate::fake::hubspot::definition::{Definition, Source, ValueType};
use crate::fake::hubspot::errors::{self, Refusal};
use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::record::PropertyId;
use crate::fake::hubspot::state::State;
use crate::fake::hubspot::values;
use crate::fake::hubspot::view::View;
use crate::fake::moment;

/// A filter that is ready to be asked.
#[derive(Debug)]
pub(crate) struct Filter {
    subject: Subject,
    test: Test,
}

#[derive(Debug)]
enum Subject {
    Property {
        id: PropertyId,
        source: Source,
        shape: Shape,
    },
    /// `associations.{type}`.
    Associated(Kind),
    /// A property that the index accepts and never finds.
    Nothing,
}

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Exact, several values split at `;`.
    Options,
    /// As numbers.
    Number,
    /// As moments.
    Moment,
    /// Without regard to case.
    Text,
    /// An e-mail, which secondary addresses match too; holds their property.
    Email(PropertyId),
}

#[derive(Debug)]
enum Test {
    Between(Operand, Operand),
    Compare(Ordering, bool, Operand),
    Equal(Operand, bool),
    Has(bool),
    OneOf(Vec<Operand>, bool),
    Token(String, bool),
}

/// A value of a filter, in every shape that may be asked for.
#[derive(Clone, Debug)]
struct Operand {
    text: String,
    lower: String,
    number: Option<f64>,
}

impl Operand {
    fn new(text: &str, shape: Shape) -> Self {
        let number = match shape {
            Shape::Moment => moment_of(text),
            Shape::Number => text.trim().parse().ok(),
            Shape::Options | Shape::Text | Shape::Email(_) => None,
        };
        Self { text: text.to_owned(), lower: text.to_lowercase(), number }
    }
}

#[expect(clippy::cast_precision_loss, reason = "moments are far below 2^53")]
fn moment_of(text: &str) -> Option<f64> {
    let ms = text.parse::<i64>().ok().or_else(|| moment::parse_iso(text)).or_else(|| moment::parse_date(text))?;
    Some(ms as f64)
}

/// Reads one filter, or says what is wrong with it.
pub(crate) fn read(state: &State, kind: Kind, raw: &Value) -> Result<Filter, Refusal> {
    let text = |name: &str| raw.get(name).and_then(values::text_of);
    let name = text("propertyName").ok_or_else(|| errors::invalid("propertyName is required in a filter"))?;
    let operator = text("operator").ok_or_else(|| errors::invalid("operator is required in a filter"))?;
    let subject = subject(state, kind, &name)?;
    let shape = match &subject {
        Subject::Property { shape, .. } => *shape,
        Subject::Associated(_) | Subject::Nothing => Shape::Options,
    };
    let operand = |field: &str| {
        let missing = || errors::invalid(format!("operator {operator} of {name} needs {field}"));
        let operand = Operand::new(&text(field).ok_or_else(missing)?, shape);
        if matches!(shape, Shape::Number | Shape::Moment) && operand.number.is_none() {
            return Err(errors::invalid(format!("\"{}\" is not a valid value for property {name}", operand.text)));
        }
        Ok(operand)
    };
    let test = match operator.as_str() {
        "EQ" => Test::Equal(operand("value")?, true),
        "NEQ" => Test::Equal(operand("value")?, false),
        "LT" => Test::Compare(Ordering::Less, false, operand("value")?),
        "LTE" => Test::Compare(Ordering::Less, true, operand("value")?),
        "GT" => Test::Compare(Ordering::Greater, false, operand("value")?),
        "GTE" => Test::Compare(Ordering::Greater, true, operand("value")?),
        "BETWEEN" => Test::Between(operand("value")?, operand("highValue")?),
        "IN" | "NOT_IN" => Test::OneOf(operands(raw, shape, &name)?, operator == "IN"),
        "HAS_PROPERTY" => Test::Has(true),
        "NOT_HAS_PROPERTY" => Test::Has(false),
        "CONTAINS_TOKEN" => Test::Token(operand("value")?.lower, true),
        "NOT_CONTAINS_TOKEN" => Test::Token(operand("value")?.lower, false),
        other => return Err(errors::invalid(format!("operator {other} is not supported"))),
    };
    Ok(Filter { subject, test })
}

fn operands(raw: &Value, shape: Shape, name: &str) -> Result<Vec<Operand>, Refusal> {
    let listed = raw.get("values").and_then(Value::as_array).filter(|values| !values.is_empty());
    let listed = listed.ok_or_else(|| errors::invalid(format!("operator IN of {name} needs values")))?;
    Ok(listed.iter().filter_map(values::text_of).map(|text| Operand::new(&text, shape)).collect())
}

fn subject(state: &State, kind: Kind, name: &str) -> Result<Subject, Refusal> {
    if let Some(to) = name.strip_prefix("associations.") {
        return Kind::parse(to).map(Subject::Associated).ok_or_else(|| errors::unknown_type(to));
    }
    let shelf = state.shelf(kind);
    if let Some((id, definition)) = shelf.catalogue.find(name) {
        let emails = shelf.emails().filter(|(email, _)| *email == id);
        let shape = emails.map_or_else(|| shape_of(definition), |(_, more)| Shape::Email(more));
        return Ok(Subject::Property { id, source: definition.source, shape });
    }
    if kind == Kind::CONTACTS && name == "hs_lastmodifieddate" {
        return Ok(Subject::Nothing);
    }
    let mut refusal = errors::invalid("There was a problem with the request.");
    let message = format!("Property \"{name}\" does not exist");
    refusal.errors = vec![serde_json::json!({
        "message": message, "code": "PROPERTY_DOESNT_EXIST", "context": {"propertyName": [name]},
    })];
    Err(refusal)
}

fn shape_of(definition: &Definition) -> Shape {
    match definition.value_type {
        ValueType::Bool | ValueType::Enumeration => Shape::Options,
        ValueType::Number => Shape::Number,
        ValueType::Date | ValueType::Datetime => Shape::Moment,
        ValueType::PhoneNumber | ValueType::String => Shape::Text,
    }
}

impl Filter {
    /// Whether a record passes.
    pub(crate) fn passes(&self, view: View<'_>) -> bool {
        match &self.subject {
            Subject::Nothing => false,
            Subject::Associated(to) => self.passes_associated(view, *to),
            Subject::Property { id, source, shape } => match quick_number(view, *source) {
                Some(number) => self.passes_number(number),
                None => self.passes_value(view, *id, *source, *shape),
            },
        }
    }

    fn passes_associated(&self, view: View<'_>, to: Kind) -> bool {
        let partners = view.state.links.partners((view.kind, view.id), to);
        let has = |operand: &Operand| partners.iter().any(|id| id.to_string() == operand.text);
        match &self.test {
            Test::Equal(operand, wanted) => has(operand) == *wanted,
            Test::OneOf(operands, wanted) => operands.iter().any(has) == *wanted,
            Test::Has(wanted) => partners.is_empty() != *wanted,
            Test::Between(..) | Test::Compare(..) | Test::Token(..) => false,
        }
    }

    /// Id and dates are numbers already.
    fn passes_number(&self, number: f64) -> bool {
        let is = |operand: &Operand| operand.number == Some(number);
        match &self.test {
            Test::Equal(operand, wanted) => is(operand) == *wanted,
            Test::OneOf(operands, wanted) => operands.iter().any(is) == *wanted,
            Test::Has(wanted) => *wanted,
            Test::Compare(order, or_equal, operand) => compares(Some(number), operand.number, *order, *or_equal),
            Test::Between(low, high) => low.number <= Some(number) && Some(number) <= high.number,
            Test::Token(..) => false,
        }
    }

    fn passes_value(&self, view: View<'_>, id: PropertyId, source: Source, shape: Shape) -> bool {
        let value = view.value(id, source).filter(|value| !value.is_empty());
        let Some(value) = value.as_deref() else { return matches!(self.test, Test::Has(false)) };
        let number = match shape {
            Shape::Number => value.parse().ok(),
            Shape::Moment => moment_of(value),
            Shape::Options | Shape::Text | Shape::Email(_) => None,
        };
        if let Some(number) = number {
            return self.passes_number(number);
        }
        match &self.test {
            Test::Equal(operand, wanted) => equals(view, value, operand, shape) == *wanted,
            // Values of IN must be sent in lower case for texts: they are compared as they are.
            Test::OneOf(operands, wanted) => {
                let exact = |operand: &Operand| match shape {
                    Shape::Text | Shape::Email(_) => value.to_lowercase() == operand.text,
                    Shape::Options | Shape::Number | Shape::Moment => value.split(';').any(|part| part == operand.text),
                };
                operands.iter().any(exact) == *wanted
            }
            Test::Has(wanted) => *wanted,
            Test::Compare(order, or_equal, operand) => {
                let found = value.to_lowercase().cmp(&operand.lower);
                found == *order || (*or_equal && found == Ordering::Equal)
            }
            Test::Between(low, high) => {
                let value = value.to_lowercase();
                low.lower <= value && value <= high.lower
            }
            Test::Token(pattern, wanted) => has_token(&value.to_lowercase(), pattern) == *wanted,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "ids and moments are far below 2^53")]
fn quick_number(view: View<'_>, source: Source) -> Option<f64> {
    match source {
        Source::Id => Some(view.id as f64),
        Source::Created => Some(view.record.created as f64),
        Source::Modified => Some(view.record.modified as f64),
        Source::Stored | Source::Owner | Source::Pipeline | Source::Stage | Source::Derived(_) => None,
    }
}

fn compares(left: Option<f64>, right: Option<f64>, order: Ordering, or_equal: bool) -> bool {
    let found = left.partial_cmp(&right);
    found == Some(order) || (or_equal && found == Some(Ordering::Equal))
}

fn equals(view: View<'_>, value: &str, operand: &Operand, shape: Shape) -> bool {
    match shape {
        Shape::Options | Shape::Number | Shape::Moment => {
            value == operand.text || value.split(';').any(|part| part == operand.text)
        }
        Shape::Text => value.to_lowercase() == operand.lower,
        Shape::Email(more) => {
            let others = view.record.values.get(more).unwrap_or_default();
            value.to_lowercase() == operand.lower
                || others.split(';').any(|other| !other.is_empty() && other == operand.lower)
        }
    }
}

/// Whether `pattern`, in lower case, is a run of whole tokens of `value`; `*` stands for anything.
fn has_token(value: &str, pattern: &str) -> bool {
    let tokens: Vec<&str> = tokens(value).collect();
    if pattern.contains('*') {
        return glob(value, pattern) || tokens.iter().any(|token| glob(token, pattern));
    }
    let wanted: Vec<&str> = self::tokens(pattern).collect();
    !wanted.is_empty() && tokens.windows(wanted.len()).any(|run| run == wanted.as_slice())
}

fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|token| !token.is_empty())
}

/// Matches a pattern in which `*` stands for any text.
fn glob(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part).and_then(|at| rest.get(at + part.len()..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::has_token;

    #[test]
    fn tokens_are_whole_and_stars_stand_for_anything() {
        for (value, pattern, expected) in [
            ("acme software gmbh", "software", true),
            ("acme software gmbh", "soft", false),
            ("acme software gmbh", "soft*", true),
            ("ann@hubspot.com", "*@hubspot.com", true),
            ("ann@hubspot.com", "hubspot.com", true),
            ("ann@example.com", "*@hubspot.com", false),
            ("acme software", "software gmbh", false),
        ] {
            assert_eq!(has_token(value, pattern), expected, "{value} {pattern}");
        }
    }
}
