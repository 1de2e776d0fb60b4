//! Whether a value is what a CRM made of the one that it was sent.

use chrono::SubsecRound as _;

use crate::model::fields::Fields;
use crate::model::value::Value;

/// Shorter beginnings of what was sent are rather somebody's edit than a CRM's cut.
const CUT_MIN: usize = 10;

/// What a CRM kept of what it was sent, as far as a record that was read later tells: what looks like a form of the value
/// sent. Anything else may be somebody's edit since, and has to look like one.
///
/// A connector that reads a record back after a write gives this as [`Written::fields`](crate::connector::request::Written).
pub fn kept_of(held: &Fields, sent: &Fields) -> Fields {
    let kept = sent.iter().filter_map(|(name, value)| {
        let held = held.get(name.as_str())?;
        is_form_of(held, value).then(|| (name.clone(), held.clone()))
    });
    kept.collect()
}

/// Whether a value may be what the CRM made of the one sent: cut, or spelled in its way. Numbers are
/// rounded by whoever knows to how many places: a rounder one is rather an edit.
pub(crate) fn is_form_of(held: &Value, sent: &Value) -> bool {
    match (held.as_text(), sent.as_text()) {
        (Some(held), Some(sent)) => {
            let (held, sent) = (held.trim().to_lowercase(), sent.trim().to_lowercase());
            held == sent || (held.chars().count() >= CUT_MIN && sent.starts_with(&held))
        }
        (Some(_) | None, _) => held.same_as(sent) || is_coarser(held, sent),
    }
}

/// Whether a moment is the one sent, to the second or the day.
fn is_coarser(held: &Value, sent: &Value) -> bool {
    match (held, sent) {
        (Value::Instant(held), Value::Instant(sent)) => *held == sent.trunc_subsecs(0),
        (Value::Date(held), Value::Instant(sent)) => *held == sent.date_naive(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crm_makes_of_a_value_is_told_from_an_edit() {
        let decimal = |text: &str| Value::Decimal(text.parse().unwrap());
        let instant = |text: &str| Value::Instant(text.parse().unwrap());
        let day = Value::Date("2026-03-01".parse().unwrap());
        let forms = [
            (Value::text("Acme"), Value::text(" ACME ")),
            (Value::text("A name that"), Value::text("A name that is long")),
            (Value::Integer(3), decimal("3.00")),
            (instant("2026-03-01T10:00:00Z"), instant("2026-03-01T10:00:00.987Z")),
            (day.clone(), instant("2026-03-01T10:00:00Z")),
        ];
        for (held, sent) in &forms {
            assert!(is_form_of(held, sent), "{held} is made of {sent}");
        }
        let edits = [
            (Value::text("Acm"), Value::text("Acme")),
            (Value::Null, Value::text("Acme")),
            (decimal("3.46"), decimal("3.5")),
            (decimal("4"), decimal("3.9")),
            (Value::Boolean(false), Value::Null),
            (instant("2026-03-01T10:00:01Z"), instant("2026-03-01T10:00:00.987Z")),
            (day, instant("2026-03-02T10:00:00Z")),
        ];
        for (held, sent) in &edits {
            assert!(!is_form_of(held, sent), "{held} is no form of {sent}");
        }
    }
}
